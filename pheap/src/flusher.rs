//! Durability of the log: what is known to be on stable storage, the background flushes of policy `async`, and the
//! poison that a failed flush leaves. After a failed flush nobody knows what the system still holds, so none is retried.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::disk::DiskFile;
use crate::error::{Error, Result};
use crate::log::Lsn;

/// How long the background flusher gathers commits; with the flush itself they are durable within 10 ms.
const GATHER: Duration = Duration::from_millis(5);

struct Shared {
    written_lsn: AtomicU64,
    durable_lsn: AtomicU64,
    poison: OnceLock<Arc<io::Error>>,
    idle: AtomicBool,
    stop: AtomicBool,
    sleep: Mutex<()>,
    wake: Condvar,
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
            idle: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
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
        self.check(path)?;
        self.shared.flush(&*self.log);
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

    /// Has the background thread flush soon.
    pub fn request(&mut self) {
        if self.thread.is_none() {
            let (shared, log) = (self.shared.clone(), self.log.clone());
            self.thread = Some(std::thread::spawn(move || shared.run(&*log)));
        }
        // Either the thread sees the record before it waits, or this sees that it is idle.
        fence(Ordering::SeqCst);
        if self.shared.idle.load(Ordering::SeqCst) {
            self.shared.rouse();
        }
    }
}

impl Shared {
    fn is_flushed(&self) -> bool {
        self.durable_lsn.load(Ordering::Acquire) >= self.written_lsn.load(Ordering::SeqCst)
    }

    fn flush(&self, log: &dyn DiskFile) {
        let lsn = self.written_lsn.load(Ordering::Acquire);
        match log.sync() {
            Ok(()) => drop(self.durable_lsn.fetch_max(lsn, Ordering::AcqRel)),
            Err(cause) => drop(self.poison.set(Arc::new(cause))),
        }
    }

    /// Wakes the thread if it waits; one about to wait holds the lock until it does.
    fn rouse(&self) {
        let _guard = self.sleep.lock();
        self.wake.notify_one();
    }

    fn run(&self, log: &dyn DiskFile) {
        while self.poison.get().is_none() {
            let guard = self.sleep.lock().expect("no holder of this lock panics");
            self.idle.store(true, Ordering::SeqCst);
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            if self.is_flushed() {
                drop(self.wake.wait(guard));
            } else {
                drop(guard);
            }
            self.idle.store(false, Ordering::SeqCst);
            if !self.is_flushed() {
                std::thread::sleep(GATHER);
                self.flush(log);
            }
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            self.shared.rouse();
            // A panic of the thread has been reported by then.
            let _ = thread.join();
        }
    }
}
