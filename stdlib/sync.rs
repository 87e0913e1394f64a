//! Natives of package sync: the states of locks, and who waits for them. Ownership is handed over: a goroutine that is
//! woken has what it waited for.

use vm::native::{Ctx, NativeDef, NativeError, Wait};

const WRITER: u64 = u64::MAX;

/// Readers wait beside the lock's address, writers at it.
fn readers_at(at: u64) -> u64 {
    at + 8
}

fn wait(key: u64, reason: &'static str) -> NativeError {
    NativeError::Block(Wait::Key {
        key,
        ticket: 0,
        reason,
    })
}

fn fatal(text: &str) -> NativeError {
    NativeError::Fatal(text.into())
}

/// The lock is free: readers if `first_readers`, else a writer; the others if there are none.
fn hand_over(c: &mut Ctx<'_>, at: u64, first_readers: bool) {
    let readers = c.waiting(readers_at(at)) as u64;
    if readers > 0 && (first_readers || c.waiting(at) == 0) {
        while c.wake(readers_at(at)) {}
        c.set_lock_words(at, [readers]);
    } else {
        let state = if c.wake(at) { WRITER } else { 0 };
        c.set_lock_words(at, [state]);
    }
}

pub const NATIVES: &[NativeDef] = natives! {
    "sync.mutexLock" "func(unsafe.Pointer)" => |c| {
        let at = c.ptr();
        let [locked] = c.lock_words(at)?;
        if locked != 0 {
            return Err(wait(at, "sync.Mutex.Lock"));
        }
        c.set_lock_words(at, [1]);
    };
    "sync.mutexTryLock" "func(unsafe.Pointer) bool" => |c| {
        let at = c.ptr();
        let [locked] = c.lock_words(at)?;
        c.set_lock_words(at, [1]);
        c.ret_bool(locked == 0);
    };
    "sync.mutexUnlock" "func(unsafe.Pointer)" => |c| {
        let at = c.ptr();
        let [locked] = c.lock_words(at)?;
        if locked == 0 {
            return Err(fatal("sync: unlock of unlocked mutex"));
        }
        if !c.wake(at) {
            c.set_lock_words(at, [0]);
        }
    };
    "sync.rwLock" "func(unsafe.Pointer)" => |c| {
        let at = c.ptr();
        let [state] = c.lock_words(at)?;
        if state != 0 {
            return Err(wait(at, "sync.RWMutex.Lock"));
        }
        c.set_lock_words(at, [WRITER]);
    };
    "sync.rwTryLock" "func(unsafe.Pointer) bool" => |c| {
        let at = c.ptr();
        let [state] = c.lock_words(at)?;
        if state == 0 {
            c.set_lock_words(at, [WRITER]);
        }
        c.ret_bool(state == 0);
    };
    "sync.rwUnlock" "func(unsafe.Pointer)" => |c| {
        let at = c.ptr();
        if c.lock_words(at)? != [WRITER] {
            return Err(fatal("sync: Unlock of unlocked RWMutex"));
        }
        hand_over(c, at, true);
    };
    "sync.rwRLock" "func(unsafe.Pointer)" => |c| {
        let at = c.ptr();
        let [state] = c.lock_words(at)?;
        if state == WRITER || c.waiting(at) > 0 {
            return Err(wait(readers_at(at), "sync.RWMutex.RLock"));
        }
        c.set_lock_words(at, [state + 1]);
    };
    "sync.rwTryRLock" "func(unsafe.Pointer) bool" => |c| {
        let at = c.ptr();
        let [state] = c.lock_words(at)?;
        let free = state != WRITER && c.waiting(at) == 0;
        if free {
            c.set_lock_words(at, [state + 1]);
        }
        c.ret_bool(free);
    };
    "sync.rwRUnlock" "func(unsafe.Pointer)" => |c| {
        let at = c.ptr();
        let [state] = c.lock_words(at)?;
        match state {
            0 | WRITER => return Err(fatal("sync: RUnlock of unlocked RWMutex")),
            1 => hand_over(c, at, false),
            n => c.set_lock_words(at, [n - 1]),
        }
    };
    "sync.groupAdd" "func(unsafe.Pointer, int)" => |c| {
        let (at, delta) = (c.ptr(), c.int());
        let [count] = c.lock_words(at)?;
        let count = count as i64 + delta;
        c.set_lock_words(at, [count as u64]);
        if count < 0 {
            return Err(NativeError::Panic("sync: negative WaitGroup counter".into()));
        }
        while count == 0 && c.wake(at) {}
    };
    "sync.groupWait" "func(unsafe.Pointer)" => |c| {
        let at = c.ptr();
        if c.lock_words(at)? != [0] {
            return Err(wait(at, "sync.WaitGroup.Wait"));
        }
    };
    // Of a Cond: the next ticket, and the first one that is not notified.
    "sync.condTicket" "func(unsafe.Pointer) uint64" => |c| {
        let at = c.ptr();
        let [next, notified] = c.lock_words(at)?;
        c.set_lock_words(at, [next + 1, notified]);
        c.ret_uint(next);
    };
    "sync.condWait" "func(unsafe.Pointer, uint64)" => |c| {
        let (at, ticket) = (c.ptr(), c.uint());
        let [_, notified] = c.lock_words(at)?;
        if ticket >= notified {
            return Err(NativeError::Block(Wait::Key { key: at, ticket, reason: "sync.Cond.Wait" }));
        }
    };
    "sync.condSignal" "func(unsafe.Pointer)" => |c| {
        let at = c.ptr();
        let [next, notified] = c.lock_words(at)?;
        if notified < next {
            c.set_lock_words(at, [next, notified + 1]);
            // One that has its ticket but does not wait yet will not.
            c.wake_ticket(at, notified);
        }
    };
    "sync.condBroadcast" "func(unsafe.Pointer)" => |c| {
        let at = c.ptr();
        let [next, _] = c.lock_words(at)?;
        c.set_lock_words(at, [next, next]);
        while c.wake(at) {}
    };
};
