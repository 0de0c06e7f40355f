//! The last watch: a plain thread that nothing of the service can hold up. It sees whether the main runtime still comes round, tells
//! the supervisor so, and ends the process when it has not for half a minute.
//!
//! Why: the alarm chain can text over HTTP from its own thread, and no more. Calls, texts over SMPP, consoles and every dispatch
//! need the main runtime; one that is frozen comes back by a new start alone, which takes up whatever was committed. What always
//! holds: this thread waits for no lock, no log, no socket and no runtime; it never ends a process that beats.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use super::beat::Beat;
use crate::domain::alarm::standstill::{Found, Standstill};
use crate::io::systemd::{Notify, Word, end_process};

/// How long the last words may take: whoever writes the log may hang as well.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How it looks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks; the beat is not slower.
    pub look: Duration,
    /// Looks without a beat before the process ends.
    pub looks: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { look: Duration::from_secs(1), looks: 30 }
    }
}

/// The watch, until it is dropped.
#[derive(Debug)]
pub struct Guard {
    /// Nothing is ever sent.
    _over: Sender<()>,
}

impl Guard {
    /// Starts the thread. `main` is struck by the main runtime.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub fn start(main: Beat, pace: Pace, notify: Notify) -> std::io::Result<Self> {
        let (over, is_over) = mpsc::channel::<()>();
        let work = move || {
            let mut standstill = Standstill::new(pace.looks);
            while is_over.recv_timeout(pace.look) == Err(RecvTimeoutError::Timeout) {
                match standstill.look(main.count()) {
                    Found::Alive => notify.say(Word::Alive),
                    Found::Still => {}
                    Found::Frozen => end(),
                }
            }
        };
        thread::Builder::new().name("guard".to_owned()).spawn(work)?;
        Ok(Self { _over: over })
    }
}

fn end() -> ! {
    let (said, is_said) = mpsc::channel();
    let words = move || {
        tracing::error!(
            code = "watchdog.frozen",
            "the service has stood still for half a minute and ends itself: whoever supervises it starts it again, and it takes up \
             what was committed. Keep this log and report it"
        );
        // An error means that nobody waited.
        let _ = said.send(());
    };
    // Without a thread, or without words in time, it ends all the same.
    if thread::Builder::new().name("last words".to_owned()).spawn(words).is_ok() {
        let _ = is_said.recv_timeout(LAST_WORDS);
    }
    end_process()
}
