//! Durability of the log: what is known to be on stable storage, the thread that flushes what commits have asked for,
//! and the poison that a failed flush leaves. After a failed flush nobody knows what the system still holds, so none is
//! retried.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::disk::DiskFile;
use crate::error::{Error, Result};
use crate::log::Lsn;

/// How long the thread gathers commits that nobody waits for; with the flush itself they are durable within 10 ms.
const GATHER: Duration = Duration::from_millis(5);
/// As well of commits that someone waits for while the caller has other work.
const GATHER_AWAITED: Duration = Duration::from_micros(200);

/// How soon the thread is to flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Nobody waits: within 10 ms.
    None,
    /// Someone waits while others may still add commits.
    Awaited,
    /// There is nothing to do but to wait.
    Now,
}

/// Told after each flush by the thread.
pub type OnFlush = Box<dyn Fn() + Send + Sync>;

struct Shared {
    written_lsn: AtomicU64,
    durable_lsn: AtomicU64,
    poison: OnceLock<Arc<io::Error>>,
    /// One flush at a time: the system tells a failure to one caller only.
    flushing: Mutex<()>,
    /// `Orders::due` is set.
    is_due: AtomicBool,
    orders: Mutex<Orders>,
    wake: Condvar,
    on_flush: OnceLock<OnFlush>,
}

#[derive(Default)]
struct Orders {
    /// When the thread is to flush next.
    due: Option<Instant>,
    stop: bool,
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these locks guard is whole at every moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Flusher {
    log: Arc<dyn DiskFile>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    /// `durable_lsn` is the last record known to be durable.
    pub fn new(log: Arc<dyn DiskFile>, durable_lsn: Lsn) -> Flusher {
        let shared = Shared {
            written_lsn: AtomicU64::new(durable_lsn),
            durable_lsn: AtomicU64::new(durable_lsn),
            poison: OnceLock::new(),
            flushing: Mutex::default(),
            is_due: AtomicBool::new(false),
            orders: Mutex::default(),
            wake: Condvar::new(),
            on_flush: OnceLock::new(),
        };
        Flusher {
            log,
            shared: Arc::new(shared),
            thread: None,
        }
    }

    #[inline]
    pub fn durable_lsn(&self) -> Lsn {
        self.shared.durable_lsn.load(Ordering::Acquire)
    }

    /// A record is in the log's cache.
    #[inline]
    pub fn written(&self, lsn: Lsn) {
        self.shared.written_lsn.store(lsn, Ordering::Release);
    }

    #[inline]
    pub fn check(&self, path: &Path) -> Result<()> {
        match self.shared.poison.get() {
            None => Ok(()),
            Some(cause) => Err(Error::Poisoned {
                path: path.to_owned(),
                cause: cause.clone(),
            }),
        }
    }

    pub fn poison(&self, cause: io::Error) {
        // The first cause stays.
        let _ = self.shared.poison.set(Arc::new(cause));
    }

    /// Makes all records written so far durable; an error poisons the heap.
    pub fn flush(&self, path: &Path) -> Result<()> {
        self.shared.flush(&*self.log, false);
        self.check(path)
    }

    /// As `flush`, where something else than records of the log must be durable too.
    pub fn flush_all(&self, path: &Path) -> Result<()> {
        self.shared.flush(&*self.log, true);
        self.check(path)
    }

    /// As `flush`, for the broken variant that retries a failed flush.
    pub fn flush_retrying(&self, path: &Path) -> Result<()> {
        let lsn = self.shared.written_lsn.load(Ordering::Acquire);
        self.log
            .sync()
            .map_err(|source| Error::io(path, "flushing the log", source))?;
        self.shared.durable_lsn.store(lsn, Ordering::Release);
        Ok(())
    }

    /// Has the thread flush what is written so far.
    #[inline]
    pub fn request(&mut self, urgency: Urgency) {
        // The thread clears this before it looks at what is written, so either it sees the record or this does not see
        // the flag.
        if urgency != Urgency::None || !self.shared.is_due.swap(true, Ordering::SeqCst) {
            self.order(urgency);
        }
    }

    #[cold]
    fn order(&mut self, urgency: Urgency) {
        if self.thread.is_none() {
            let (shared, log) = (self.shared.clone(), self.log.clone());
            let thread = std::thread::Builder::new().name("flusher".into());
            match thread.spawn(move || shared.run(&*log)) {
                Ok(thread) => self.thread = Some(thread),
                Err(_) => {
                    self.shared.is_due.store(false, Ordering::SeqCst);
                    self.shared.flush(&*self.log, false);
                    return;
                }
            }
        }
        let due = Instant::now()
            + match urgency {
                Urgency::None => GATHER,
                Urgency::Awaited => GATHER_AWAITED,
                Urgency::Now => Duration::ZERO,
            };
        let mut orders = guard(&self.shared.orders);
        self.shared.is_due.store(true, Ordering::SeqCst);
        if orders.due.is_none_or(|at| at > due) {
            orders.due = Some(due);
            self.shared.wake.notify_one();
        }
    }

    /// Has the thread tell whoever waits of each of its flushes. Only the first call counts.
    pub fn on_flush(&self, tell: OnFlush) {
        let _ = self.shared.on_flush.set(tell);
    }
}

impl Shared {
    /// Whether it had to be done.
    fn flush(&self, log: &dyn DiskFile, always: bool) -> bool {
        let wanted = self.written_lsn.load(Ordering::SeqCst);
        let _flushing = guard(&self.flushing);
        // Another flush may have done it meanwhile, or failed.
        let is_done = !always && self.durable_lsn.load(Ordering::Acquire) >= wanted;
        if is_done || self.poison.get().is_some() {
            return false;
        }
        let lsn = self.written_lsn.load(Ordering::SeqCst);
        match log.sync() {
            Ok(()) => drop(self.durable_lsn.fetch_max(lsn, Ordering::AcqRel)),
            Err(cause) => drop(self.poison.set(Arc::new(cause))),
        }
        true
    }

    fn run(&self, log: &dyn DiskFile) {
        let mut orders = guard(&self.orders);
        while !orders.stop && self.poison.get().is_none() {
            let wait = orders
                .due
                .map(|due| due.saturating_duration_since(Instant::now()));
            match wait {
                None => {
                    orders = self
                        .wake
                        .wait(orders)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Some(Duration::ZERO) => {
                    orders.due = None;
                    self.is_due.swap(false, Ordering::SeqCst);
                    drop(orders);
                    if self.flush(log, false)
                        && let Some(tell) = self.on_flush.get()
                    {
                        tell();
                    }
                    orders = guard(&self.orders);
                }
                Some(wait) => {
                    let woken = self.wake.wait_timeout(orders, wait);
                    orders = woken.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            guard(&self.shared.orders).stop = true;
            self.shared.wake.notify_one();
            // A panic of the thread has been reported by then.
            let _ = thread.join();
        }
    }
}
