//! Leftmost-longest matching with submatches: a Pike machine over regex-automata's Thompson programs, for the
//! engines themselves only know leftmost-first.

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::look::LookMatcher;
use regex_automata::util::primitives::{NonMaxUsize, StateID};

type Slot = Option<NonMaxUsize>;

/// States in the order of their priority, each with the slots of the path that led to it first.
struct Threads {
    order: Vec<StateID>,
    present: Vec<bool>,
    slots: Vec<Slot>,
}

impl Threads {
    fn clear(&mut self) {
        for state in self.order.drain(..) {
            self.present[state.as_usize()] = false;
        }
    }
}

enum Todo {
    Explore(StateID),
    Restore(usize, Slot),
}

/// A program and the memory of its searches.
pub struct Pike {
    nfa: NFA,
    now: Threads,
    next: Threads,
    todo: Vec<Todo>,
    looks: LookMatcher,
}

impl Pike {
    pub fn new(nfa: NFA) -> Pike {
        let threads = || Threads {
            order: Vec::new(),
            present: vec![false; nfa.states().len()],
            slots: Vec::new(),
        };
        Pike {
            now: threads(),
            next: threads(),
            todo: Vec::new(),
            looks: LookMatcher::new(),
            nfa,
        }
    }

    /// Follows all that needs no character, from `from` with the path's slots.
    fn close(&mut self, into_next: bool, from: StateID, at: usize, text: &[u8], path: &mut [Slot]) {
        let threads = if into_next {
            &mut self.next
        } else {
            &mut self.now
        };
        let width = path.len();
        self.todo.push(Todo::Explore(from));
        while let Some(todo) = self.todo.pop() {
            let mut id = match todo {
                Todo::Explore(id) => id,
                Todo::Restore(slot, old) => {
                    path[slot] = old;
                    continue;
                }
            };
            loop {
                if std::mem::replace(&mut threads.present[id.as_usize()], true) {
                    break;
                }
                threads.order.push(id);
                match self.nfa.state(id) {
                    State::Look { look, next } => {
                        if !self.looks.matches(*look, text, at) {
                            break;
                        }
                        id = *next;
                    }
                    State::Union { alternates } => {
                        let Some((first, rest)) = alternates.split_first() else {
                            break;
                        };
                        self.todo
                            .extend(rest.iter().rev().map(|&id| Todo::Explore(id)));
                        id = *first;
                    }
                    State::BinaryUnion { alt1, alt2 } => {
                        self.todo.push(Todo::Explore(*alt2));
                        id = *alt1;
                    }
                    State::Capture { next, slot, .. } => {
                        let slot = slot.as_usize();
                        if slot < width {
                            self.todo.push(Todo::Restore(slot, path[slot]));
                            path[slot] = NonMaxUsize::new(at);
                        }
                        id = *next;
                    }
                    State::Fail => break,
                    State::ByteRange { .. }
                    | State::Sparse(_)
                    | State::Dense(_)
                    | State::Match { .. } => {
                        let row = id.as_usize() * width;
                        threads.slots[row..row + width].copy_from_slice(path);
                        break;
                    }
                }
            }
        }
    }

    /// The longest of the leftmost matches from `start` on.
    pub fn search(&mut self, text: &str, start: usize, slots: &mut [Slot]) -> bool {
        let bytes = text.as_bytes();
        let width = slots.len();
        for threads in [&mut self.now, &mut self.next] {
            threads.clear();
            threads.slots.clear();
            threads.slots.resize(self.nfa.states().len() * width, None);
        }
        let anchored = self.nfa.start_anchored();
        let mut path = vec![None; width];
        let mut matched = false;
        for at in start..=bytes.len() {
            if !matched && text.is_char_boundary(at) {
                path.fill(None);
                self.close(false, anchored, at, bytes, &mut path);
            }
            if self.now.order.is_empty() && matched {
                break;
            }
            let order = std::mem::take(&mut self.now.order);
            for &id in &order {
                let row = id.as_usize() * width;
                let step = match self.nfa.state(id) {
                    State::Match { .. } => {
                        let found = &self.now.slots[row..row + width];
                        // Of two at one start the longer, of two ends the path of higher priority.
                        let better = !matched
                            || found[0] < slots[0]
                            || found[0] == slots[0] && found[1] > slots[1];
                        if better {
                            slots.copy_from_slice(found);
                            matched = true;
                        }
                        continue;
                    }
                    State::ByteRange { trans } => trans.matches(bytes, at).then_some(trans.next),
                    State::Sparse(table) => table.matches(bytes, at),
                    State::Dense(table) => table.matches(bytes, at),
                    _ => continue,
                };
                let path_start = self.now.slots[row];
                if let Some(next) = step
                    && !(matched && path_start > slots[0])
                {
                    path.copy_from_slice(&self.now.slots[row..row + width]);
                    self.close(true, next, at + 1, bytes, &mut path);
                }
            }
            self.now.order = order;
            self.now.clear();
            std::mem::swap(&mut self.now, &mut self.next);
        }
        matched
    }
}
