//! Wakes a media thread before its next look at what it is asked: for what a caller waits for, such as being joined.
//!
//! Rung by whoever asks; heard by the thread in `beat`. Always: between two looks that come by themselves a thread is woken
//! once at most, however many ring, so that a crowd of calls costs no more than twice the looks.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;

/// One for each media thread.
#[derive(Debug, Default)]
pub(super) struct Bell {
    /// None for a shard that is driven by hand.
    thread: OnceLock<Thread>,
    rung: AtomicBool,
}

impl Bell {
    /// This thread hears it from now on.
    pub(super) fn belongs_to(&self, thread: &Thread) {
        // Each media thread is started once.
        let _ = self.thread.set(thread.clone());
    }

    /// Wakes the thread, unless it has been woken since its last look of itself.
    pub(super) fn ring(&self) {
        if !self.rung.swap(true, Ordering::Relaxed)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// The thread looks of itself: it may be woken again.
    pub(super) fn heard(&self) {
        self.rung.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::base::clock::{Clock as _, SystemClock};

    /// Whether this thread is woken before so long is over.
    fn woken_within(limit: Duration) -> bool {
        let until = SystemClock.instant() + limit;
        thread::park_timeout(limit);
        SystemClock.instant() < until
    }

    #[test]
    fn a_bell_wakes_its_thread_once_between_two_looks() {
        let (long, short) = (Duration::from_secs(30), Duration::from_millis(20));
        let bell = Bell::default();
        bell.ring();
        bell.belongs_to(&thread::current());
        bell.heard();
        thread::scope(|scope| scope.spawn(|| bell.ring()).join().expect("it rings"));
        assert!(woken_within(long));
        bell.ring();
        assert!(!woken_within(short), "the next look comes by itself");
        bell.heard();
        bell.ring();
        assert!(woken_within(long));
    }
}
