//! Which words of a goroutine's stack are roots: of each frame those that may still be read, as
//! `lang::bytecode::liveness` finds. Where that is not known (frames below a panic, below what the machine itself runs, the
//! innermost frame of a goroutine that waits), all of them.

use std::rc::Rc;

use lang::bytecode::liveness::Liveness;
use rustc_hash::FxHashMap;

use crate::Vm;
use crate::goroutine::Goroutine;
use crate::interp::{LINK_PC, Pc};

/// Slots of the links below a frame: the closure that runs, and where it returns to.
const LINK_SLOTS: usize = 2;
/// What dead slots hold under stress: no address of anything.
const POISON: u64 = 0xdbdb_dbdb_dbdb_dbd8;

/// Bits of live slots.
type Set = Rc<[u64]>;

/// What has been found out about frames, until the program changes.
#[derive(Default)]
pub(crate) struct LiveSlots {
    /// By the address of the function's code.
    functions: FxHashMap<u64, Option<Liveness>>,
    /// By address in the code, and whether the instruction before it is under way there.
    sets: FxHashMap<(u64, bool), Option<Set>>,
}

/// The words of one frame, links not counted.
struct Frame {
    start: usize,
    end: usize,
    /// None: all are roots.
    live: Option<Set>,
    /// The closure that runs is one.
    with_closure: bool,
}

impl Vm {
    /// The slots that may be read of a frame whose code `pc` is in.
    fn live_slots(&self, known: &mut LiveSlots, pc: Pc, is_under_way: bool) -> Option<Set> {
        let key = (pc as u64, is_under_way);
        if let Some(set) = known.sets.get(&key) {
            return set.clone();
        }
        let (_, func) = self.func_at(pc)?;
        let start = func.code.as_ptr() as u64;
        let live = known.functions.entry(start);
        let live = live.or_insert_with(|| Liveness::of(&self.types.program, func));
        let word = ((pc as u64 - start) / 8) as u32;
        let set = live.as_ref().map(|live| match is_under_way {
            true => live.during(word).into(),
            false => live.on_return(word).into(),
        });
        known.sets.insert(key, set.clone());
        set
    }

    /// Calls `visit` with the frames of a goroutine below slot `top`, the innermost one at `frame` first; the last one stands
    /// for all that is not known.
    fn each_frame(
        &self,
        known: &mut LiveSlots,
        g: &Goroutine,
        (mut pc, mut frame): (Pc, usize),
        top: usize,
        is_running: bool,
        mut visit: impl FnMut(Frame),
    ) {
        let mut end = top.min(g.stack.len());
        let mut is_innermost = true;
        while let Some((_, func)) = self.func_at(pc).filter(|_| g.panics.is_empty()) {
            let live = match (is_innermost, is_running) {
                (true, false) => None,
                (is_innermost, _) => self.live_slots(known, pc, is_innermost),
            };
            let closure = func.frame_slots as usize;
            let with_closure = live
                .as_ref()
                .is_none_or(|live| live[closure / 64] >> (closure % 64) & 1 != 0);
            visit(Frame {
                start: frame,
                end,
                live,
                with_closure,
            });
            end = frame - LINK_SLOTS;
            let link = g.stack[frame - 1];
            pc = (link & LINK_PC) as Pc;
            frame -= (link >> 48) as usize;
            is_innermost = false;
        }
        visit(Frame {
            start: 0,
            end,
            live: None,
            with_closure: false,
        });
    }

    /// Calls `visit` with the words of all stacks that may be references. The running goroutine is at `pc` and uses the
    /// slots below `top`.
    pub(crate) fn each_stack_root(
        &self,
        known: &mut LiveSlots,
        (pc, frame): (Pc, usize),
        top: usize,
        mut visit: impl FnMut(u64),
    ) {
        let mut words = |g: &Goroutine, frame: Frame| {
            let words = &g.stack[frame.start..frame.end];
            match &frame.live {
                None => words.iter().for_each(|&word| visit(word)),
                Some(live) => each_slot(live, words.len(), |slot| visit(words[slot])),
            }
            if frame.with_closure {
                visit(g.stack[frame.start - LINK_SLOTS]);
            }
        };
        self.each_frame(known, &self.g, (pc, frame), top, true, |frame| {
            words(&self.g, frame);
        });
        for g in self.sched.parked() {
            let slots = self
                .func_at(g.at)
                .map_or(0, |(_, func)| func.frame_slots as usize);
            let (at, top) = ((g.at, g.frame), g.frame + slots);
            self.each_frame(known, g, at, top, false, |frame| words(g, frame));
        }
    }

    /// Overwrites the slots of the running goroutine that are not live: who reads one after all finds nonsense.
    pub(crate) fn poison_dead_slots(&mut self, at: (Pc, usize), top: usize) {
        let mut known = std::mem::take(&mut self.live_slots);
        let mut frames = Vec::new();
        self.each_frame(&mut known, &self.g, at, top, true, |frame| {
            frames.push(frame);
        });
        for frame in frames {
            let Some(live) = frame.live else { continue };
            let words = &mut self.g.stack[frame.start..frame.end];
            let mut kept = vec![false; words.len()];
            each_slot(&live, words.len(), |slot| kept[slot] = true);
            let dead = words.iter_mut().zip(kept).filter(|(_, kept)| !kept);
            dead.for_each(|(word, _)| *word = POISON);
        }
        self.live_slots = known;
    }
}

/// Calls `visit` for each slot below `end` of a set.
fn each_slot(set: &[u64], end: usize, mut visit: impl FnMut(usize)) {
    for (word, &bits) in set.iter().enumerate() {
        let mut bits = bits;
        while bits != 0 {
            let slot = word * 64 + bits.trailing_zeros() as usize;
            if slot >= end {
                return;
            }
            visit(slot);
            bits &= bits - 1;
        }
    }
}
