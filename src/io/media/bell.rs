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

    /// Wakes the thread, unless it has been woken since its last look of itself; whether it did.
    pub(super) fn ring(&self) -> bool {
        let first = !self.rung.swap(true, Ordering::AcqRel);
        if first && let Some(thread) = self.thread.get() {
            thread.unpark();
        }
        first
    }

    /// The thread looks of itself: it may be woken again. Before it looks; by a swap, which is not put off until after that
    /// as a store may be: whoever asks and finds it rung is then seen by the look.
    pub(super) fn heard(&self) {
        self.rung.swap(false, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn a_bell_wakes_its_thread_from_a_sleep_without_end() {
        let bell = Arc::new(Bell::default());
        let (rang, woken) = (channel(), channel());
        let sleeper = thread::spawn({
            let bell = Arc::clone(&bell);
            move || {
                bell.belongs_to(&thread::current());
                rang.0.send(()).unwrap();
                while !bell.rung.load(Ordering::Acquire) {
                    thread::park();
                }
                woken.0.send(()).unwrap();
            }
        });
        rang.1.recv().unwrap();
        bell.ring();
        // Never, if nobody wakes it.
        woken.1.recv().unwrap();
        sleeper.join().unwrap();
    }

    #[test]
    fn however_many_ring_between_two_looks_it_is_woken_once() {
        let bell = Bell::default();
        assert!(bell.ring() && !bell.ring() && !bell.ring());
        bell.heard();
        assert!(bell.ring());
    }
}
