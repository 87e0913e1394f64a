//! Channels: their objects in the volatile heap, the queues of goroutines that wait at them, and the operations.
//!
//! Elements lie in the buffer as in slots of a frame. For types with pointers that is their form in memory too, so
//! the buffer is an array of the element type to the collector. Queues are lists in a table outside the heap: what
//! they refer to are goroutines, whose stacks are roots.
#![allow(unsafe_code)] // Channel objects, buffers, slots of waiting goroutines.

use lang::bytecode::program::{PtrKind, TypeIdx};

use crate::Vm;
use crate::goroutine::State;
use crate::heap::has_pointers;
use crate::trap::Trap;

/// A channel's object.
#[repr(C)]
pub(crate) struct Chan {
    /// Address of `cap` elements; 0 where they have no bytes.
    buffer: u64,
    len: u64,
    cap: u64,
    /// Element to receive next.
    head: u64,
    elem_slots: u64,
    /// Type of the elements.
    elem: u64,
    is_closed: u64,
    /// `len` and `cap` give 0.
    is_hidden: u64,
    receivers: Queue,
    senders: Queue,
}

pub(crate) const CHAN_BYTES: u64 = size_of::<Chan>() as u64;
pub(crate) const CHAN_PTRS: [(u32, PtrKind); 1] = [(0, PtrKind::Ptr)];

/// First and last entry of a list in the table of waiters; 0 for none.
#[derive(Clone, Copy)]
#[repr(C)]
struct Queue {
    first: u32,
    last: u32,
}

/// A goroutine in the queue of a channel. Slots are of its stack.
#[derive(Clone, Copy, Default)]
pub(crate) struct Waiter {
    goroutine: u32,
    previous: u32,
    next: u32,
    is_send: bool,
    chan: u64,
    /// Where the value is, or goes.
    value: u32,
    /// Where to say whether a value was received, and which case of a `select` it was; 0: nowhere.
    ok: u32,
    chosen: u32,
    case: u32,
}

/// The table of waiters; entry 0 is none.
#[derive(Default)]
pub(crate) struct Waiters {
    table: Vec<Waiter>,
    free: Vec<u32>,
}

impl Waiters {
    fn add(&mut self, waiter: Waiter) -> u32 {
        if let Some(at) = self.free.pop() {
            self.table[at as usize] = waiter;
            return at;
        }
        if self.table.is_empty() {
            self.table.push(Waiter::default());
        }
        self.table.push(waiter);
        (self.table.len() - 1) as u32
    }
}

/// How an operation that does not wait came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tried {
    Done,
    /// Of a receive: nothing more will come; the value is zero.
    Closed,
    WouldBlock,
}

/// A case of a `select`: a channel (0: nil) and where in the frame its value is or goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub chan: u64,
    pub is_send: bool,
    pub value: usize,
}

pub(crate) const SEND_ON_CLOSED: &str = "send on closed channel";

/// The channel at an address.
/// # Safety
/// It is the address of a live channel object; no other reference to it is in use.
unsafe fn at<'a>(chan: u64) -> &'a mut Chan {
    // SAFETY: as the caller promises.
    unsafe { &mut *(chan as *mut Chan) }
}

impl Chan {
    fn queue(&mut self, is_send: bool) -> &mut Queue {
        if is_send {
            &mut self.senders
        } else {
            &mut self.receivers
        }
    }

    /// Element `n` from the head on.
    fn element(&self, n: u64) -> *mut u64 {
        let mut index = self.head + n;
        if index >= self.cap {
            index -= self.cap;
        }
        (self.buffer + index * self.elem_slots * 8) as *mut u64
    }

    /// Appends what is at `from`.
    /// # Safety
    /// There is room; `from` is a value in slots.
    unsafe fn push(&mut self, from: *const u64) {
        // SAFETY: as the caller promises.
        unsafe { copy_slots(self.element(self.len), from, self.elem_slots) };
        self.len += 1;
    }

    /// Moves the first element to `to`.
    /// # Safety
    /// There is one; `to` has slots for it.
    unsafe fn pop(&mut self, to: *mut u64) {
        let from = self.element(0);
        // SAFETY: as the caller promises.
        unsafe {
            copy_slots(to, from, self.elem_slots);
            zero_slots(from, self.elem_slots);
        }
        self.head = if self.head + 1 == self.cap {
            0
        } else {
            self.head + 1
        };
        self.len -= 1;
    }
}

#[inline(always)]
unsafe fn copy_slots(to: *mut u64, from: *const u64, slots: u64) {
    for n in 0..slots as usize {
        // SAFETY: as the caller promises: both have that many slots.
        unsafe { *to.add(n) = *from.add(n) };
    }
}

#[inline(always)]
unsafe fn zero_slots(to: *mut u64, slots: u64) {
    for n in 0..slots as usize {
        // SAFETY: as the caller promises.
        unsafe { *to.add(n) = 0 };
    }
}

impl Vm {
    /// A channel with room for `cap` elements of type `elem`; None if that is no possible size.
    pub(crate) fn chan_make(&mut self, elem: TypeIdx, cap: i64) -> Option<u64> {
        let rt = *self.types.rt(elem);
        let cap = u64::try_from(cap).ok()?;
        let size_bytes = cap.checked_mul(u64::from(rt.slots) * 8)?;
        if size_bytes > 1 << 46 {
            return None;
        }
        let chan = self.alloc_volatile(self.chan_gc, 1, CHAN_BYTES);
        let buffer = match size_bytes {
            0 => 0,
            _ if has_pointers(rt.gc) => self.alloc_volatile(rt.gc, cap, size_bytes),
            _ => self.alloc_noscan(size_bytes),
        };
        // SAFETY: a fresh object; zero is no waiter.
        let chan_ref = unsafe { at(chan) };
        chan_ref.buffer = buffer;
        chan_ref.cap = cap;
        chan_ref.elem_slots = rt.slots.into();
        chan_ref.elem = elem.into();
        Some(chan)
    }

    /// Number of elements in the buffer and its size; a nil channel has none.
    pub(crate) fn chan_len_cap(&self, chan: u64) -> (u64, u64) {
        if chan == 0 {
            return (0, 0);
        }
        // SAFETY: a live channel of the program.
        let chan = unsafe { at(chan) };
        if chan.is_hidden != 0 {
            return (0, 0);
        }
        (chan.len, chan.cap)
    }

    pub(crate) fn chan_hide_buffer(&mut self, chan: u64) {
        // SAFETY: a live channel of the program.
        unsafe { at(chan) }.is_hidden = 1;
    }

    pub(crate) fn chan_has_receiver(&self, chan: u64) -> bool {
        // SAFETY: a live channel of the program.
        unsafe { at(chan) }.receivers.first != 0
    }

    /// Slots of an element of a channel that is not nil.
    pub(crate) fn chan_elem_slots(&self, chan: u64) -> usize {
        // SAFETY: a live channel of the program.
        unsafe { at(chan) }.elem_slots as usize
    }

    /// Takes a waiter that got what it waited for out of all queues and makes its goroutine ready.
    fn complete(&mut self, waiter: u32, ok: bool) {
        let w = self.sched.waiters.table[waiter as usize];
        let g = self.goroutine(w.goroutine as usize);
        if w.ok != 0 {
            g.stack[w.ok as usize] = ok.into();
        }
        if w.chosen != 0 {
            g.stack[w.chosen as usize] = w.case.into();
        }
        self.leave_channels(w.goroutine as usize);
        self.ready(w.goroutine as usize);
    }

    /// Takes a goroutine out of the queues of all channels.
    pub(super) fn leave_channels(&mut self, goroutine: usize) {
        let mut waits = std::mem::take(&mut self.goroutine(goroutine).waits);
        for entry in waits.drain(..) {
            self.unlink(entry);
            self.sched.waiters.free.push(entry);
        }
        self.goroutine(goroutine).waits = waits;
    }

    fn unlink(&mut self, waiter: u32) {
        let table = &mut self.sched.waiters.table;
        let w = table[waiter as usize];
        // SAFETY: the goroutine that waits at the channel keeps it alive.
        let queue = unsafe { at(w.chan) }.queue(w.is_send);
        match w.previous {
            0 => queue.first = w.next,
            before => table[before as usize].next = w.next,
        }
        match w.next {
            0 => queue.last = w.previous,
            after => table[after as usize].previous = w.previous,
        }
    }

    /// The running goroutine stands in the queue of a channel from now on.
    fn enqueue(&mut self, mut waiter: Waiter) {
        waiter.goroutine = self.g.index as u32;
        // SAFETY: a live channel of the program.
        let queue = unsafe { at(waiter.chan) }.queue(waiter.is_send);
        waiter.previous = queue.last;
        let entry = self.sched.waiters.add(waiter);
        match queue.last {
            0 => queue.first = entry,
            last => self.sched.waiters.table[last as usize].next = entry,
        }
        queue.last = entry;
        self.g.waits.push(entry);
    }

    /// Slots in the stack of a waiting goroutine.
    fn value_of(&mut self, waiter: u32) -> *mut u64 {
        let w = self.sched.waiters.table[waiter as usize];
        let stack = &mut self.goroutine(w.goroutine as usize).stack;
        &raw mut stack[w.value as usize]
    }

    /// Sends the value at `from` if a receiver waits or the buffer has room; an error if the channel is closed.
    /// # Safety
    /// A live channel that is not nil; `from` is a value of its elements in slots.
    pub(crate) unsafe fn chan_try_send(
        &mut self,
        chan: u64,
        from: *const u64,
    ) -> Result<Tried, Trap> {
        // SAFETY: as the caller promises; completing a waiter touches queues through references of its own.
        unsafe {
            let (receiver, slots) = (at(chan).receivers.first, at(chan).elem_slots);
            if at(chan).is_closed != 0 {
                return Err(Trap::Plain(SEND_ON_CLOSED.into()));
            }
            if receiver != 0 {
                copy_slots(self.value_of(receiver), from, slots);
                self.complete(receiver, true);
                return Ok(Tried::Done);
            }
            let chan = at(chan);
            if chan.len < chan.cap {
                chan.push(from);
                return Ok(Tried::Done);
            }
        }
        Ok(Tried::WouldBlock)
    }

    /// Receives to `to` what is there.
    /// # Safety
    /// A live channel that is not nil; `to` has slots for an element.
    pub(crate) unsafe fn chan_try_receive(&mut self, chan: u64, to: *mut u64) -> Tried {
        // SAFETY: as for sending.
        unsafe {
            let sender = at(chan).senders.first;
            if at(chan).len > 0 {
                at(chan).pop(to);
                if sender != 0 {
                    let value = self.value_of(sender);
                    at(chan).push(value);
                    self.complete(sender, true);
                }
                return Tried::Done;
            }
            if sender != 0 {
                copy_slots(to, self.value_of(sender), at(chan).elem_slots);
                self.complete(sender, true);
                return Tried::Done;
            }
            if at(chan).is_closed != 0 {
                zero_slots(to, at(chan).elem_slots);
                return Tried::Closed;
            }
        }
        Tried::WouldBlock
    }

    /// The running goroutine waits to send the value in slot `value` of its stack.
    pub(crate) fn chan_wait_send(&mut self, chan: u64, value: usize) {
        self.enqueue(Waiter {
            chan,
            is_send: true,
            value: value as u32,
            ..Waiter::default()
        });
    }

    /// The running goroutine waits to receive; `ok` 0: it does not ask whether there was a value.
    pub(crate) fn chan_wait_receive(&mut self, chan: u64, value: usize, ok: usize) {
        self.enqueue(Waiter {
            chan,
            value: value as u32,
            ok: ok as u32,
            ..Waiter::default()
        });
    }

    /// Closes: waiting receivers get zero values, waiting senders panic.
    pub(crate) fn chan_close(&mut self, chan: u64) -> Result<(), Trap> {
        if chan == 0 {
            return Err(Trap::Plain("close of nil channel".into()));
        }
        // SAFETY: a live channel of the program.
        unsafe {
            if at(chan).is_closed != 0 {
                return Err(Trap::Plain("close of closed channel".into()));
            }
            at(chan).is_closed = 1;
            while at(chan).receivers.first != 0 {
                let (waiter, slots) = (at(chan).receivers.first, at(chan).elem_slots);
                zero_slots(self.value_of(waiter), slots);
                self.complete(waiter, false);
            }
            while at(chan).senders.first != 0 {
                let waiter = at(chan).senders.first;
                let index = self.sched.waiters.table[waiter as usize].goroutine as usize;
                self.complete(waiter, false);
                self.goroutine(index).wake_trap = Some(Trap::Plain(SEND_ON_CLOSED.into()));
            }
        }
        Ok(())
    }

    /// Tries the cases from a random one of them on, each equally likely among the ready ones: the index of the one
    /// that was done, and whether it received a value.
    /// # Safety
    /// `base` is the running frame and `Case::value` a slot of it with a value or room for one.
    pub(crate) unsafe fn select_try(
        &mut self,
        cases: &[Case],
        base: *mut u64,
    ) -> Result<Option<(usize, bool)>, Trap> {
        let mut ready = 0;
        let mut choice = None;
        for (i, case) in cases.iter().enumerate() {
            if case.chan != 0 && self.is_ready(case) {
                ready += 1;
                if ready == 1 || self.sched.random_below(ready) == 0 {
                    choice = Some(i);
                }
            }
        }
        let Some(i) = choice else { return Ok(None) };
        let case = cases[i];
        // SAFETY: as the caller promises.
        unsafe {
            let value = base.add(case.value);
            let tried = match case.is_send {
                true => self.chan_try_send(case.chan, value)?,
                false => self.chan_try_receive(case.chan, value),
            };
            Ok(Some((i, tried == Tried::Done)))
        }
    }

    fn is_ready(&self, case: &Case) -> bool {
        // SAFETY: a live channel of the program.
        let chan = unsafe { at(case.chan) };
        if chan.is_closed != 0 {
            return true;
        }
        if case.is_send {
            chan.receivers.first != 0 || chan.len < chan.cap
        } else {
            chan.senders.first != 0 || chan.len > 0
        }
    }

    /// The running goroutine waits for any of the cases; slot numbers count from `frame`, `chosen` takes the index of
    /// the case and the slot after it whether a value was received.
    pub(crate) fn select_wait(&mut self, cases: &[Case], frame: usize, chosen: usize) {
        for (i, case) in cases.iter().enumerate().filter(|(_, case)| case.chan != 0) {
            self.enqueue(Waiter {
                chan: case.chan,
                is_send: case.is_send,
                value: (frame + case.value) as u32,
                ok: (frame + chosen + 1) as u32,
                chosen: (frame + chosen) as u32,
                case: i as u32,
                ..Waiter::default()
            });
        }
        debug_assert_ne!(self.g.state, State::Dead);
    }
}
