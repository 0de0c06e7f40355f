//! What calls put on record, off the call path: a channel, and one task that writes what has gathered in one
//! transaction. And what a call reads of the store before it is answered.
//!
//! A store that is slow or away delays no caller: lines wait for it, as long as it takes. A line that the store
//! refuses is dropped and counted, alone. An event may stand twice if the store committed and its answer was lost; starts,
//! patches and ends count once. A patch is put on record together with the word of it to the
//! dispatcher, so that neither is there without the other.

mod store;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, ContactId, DispatchId, UserId};
use crate::base::phone::PhoneNumber;
use crate::base::pii::Pii;
use crate::domain::dispatch::patch_step::PatchNews;
use crate::domain::ivr::digits::Entered;
use crate::engine::legs::Later;
use crate::io::store::calls::{CallEnd, CallRecord};
use crate::io::store::inner_calls::InnerCall;
use crate::io::store::voicemails::VoicemailBegun;

use writer::{Behind, MAX_WAITING, Writer};

/// One thing to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Started(CallRecord),
    Event {
        call: CallId,
        at: UtcMs,
        kind: String,
        body: Value,
    },
    /// The caller entered this number.
    Digits {
        call: CallId,
        at: UtcMs,
        entered: Entered,
    },
    /// The caller was joined with this person, or with a number dialled by hand.
    Patched {
        /// Whom the call is for now.
        account: AccountId,
        call: CallId,
        at: UtcMs,
        /// Counts these of one call and account.
        nth: u32,
        to: Pii<String>,
    },
    /// An operator is putting the caller through, or it came to nothing. `nth`: counts these of one call.
    Patching {
        account: AccountId,
        call: CallId,
        at: UtcMs,
        nth: u32,
        contact: Option<ContactId>,
        number: PhoneNumber,
        news: PatchNews,
    },
    /// From here on the caller speaks a message.
    VoicemailBegun(VoicemailBegun),
    /// And no longer. `heard`: they said something.
    VoicemailEnded {
        call: CallId,
        at: UtcMs,
        heard: bool,
    },
    Finished {
        call: CallId,
        end: CallEnd,
    },
    /// A call between two operators, as far as it has come.
    Inner(InnerCall),
}

/// What others want to know of a call, once its record says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallNews {
    /// The caller was joined with somebody, or is being put through, or was not; the dispatcher finds the word of it among what came in.
    Patched { call: CallId },
    /// A caller has left a message to nobody, or has not after all.
    Voicemail { call: CallId },
    /// A contact whom these dispatches have asked, each by this name, has rung back, and an operator speaks with them.
    RingsBack { asked: Vec<(DispatchId, Pii<String>)>, by: UserId },
    /// And no longer.
    RangBack { dispatches: Vec<DispatchId> },
    /// A held message was heard at check-in; the dispatcher finds the word of it among what came in.
    CheckedIn { call: CallId },
    /// The call is over.
    Ended { call: CallId },
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotWritten {
    /// The store does not answer; later it will.
    Away(String),
    /// It answers, and refuses one of the lines.
    Refused(String),
}

/// Where lines are written: the store, or a list in tests.
pub trait CallLog: Send + Sync {
    /// Writes all or none.
    fn write<'a>(&'a self, lines: &'a [Line]) -> Later<'a, Result<(), NotWritten>>;
}

/// The way to the record. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    lines: mpsc::UnboundedSender<Entry>,
    waiting: Arc<Waiting>,
}

/// A line on its way, and who waits for it to be on record. Dropped untold, it never will be.
struct Entry {
    line: Line,
    told: Told,
}

type Told = Option<oneshot::Sender<()>>;

/// Told when lines are more than can be written, and when they no longer are.
pub type HoldOff = Box<dyn Fn(bool) + Send>;

/// How many lines are not written yet.
#[derive(Default)]
struct Waiting {
    count: AtomicUsize,
    none: Notify,
}

impl Waiting {
    fn done(&self, lines: usize) {
        if self.count.fetch_sub(lines, Ordering::SeqCst) == lines {
            self.none.notify_waiters();
        }
    }
}

impl Recorder {
    /// Starts the writing task; it ends when all handles are gone and everything is written. That a call was
    /// patched or has ended is told on `news` only once it is on record: whoever asks the store then sees it.
    pub fn start(log: Arc<dyn CallLog>, news: mpsc::UnboundedSender<CallNews>, hold_off: HoldOff) -> Self {
        let (lines, received) = mpsc::unbounded_channel();
        let waiting = Arc::new(Waiting::default());
        let waits = Arc::clone(&waiting);
        let (batch, tolds) = (Vec::new(), Vec::new());
        let behind = Behind { hold_off, now: false, catching_up: false };
        let writer = Writer { log, news, received, waiting: waits, batch, tolds, last: 0, most: MAX_WAITING, behind };
        tokio::spawn(writer.run());
        Self { lines, waiting }
    }

    /// Waits until the writing task is gone: as long as there is a handle, only a panic ends it.
    pub async fn gone(&self) {
        self.lines.closed().await;
    }

    /// Puts a line on record, some time soon.
    pub fn write(&self, line: Line) {
        self.send(Entry { line, told: None });
    }

    /// The same, and waits until it is there, whatever else comes meanwhile. False: it will not be.
    pub async fn written(&self, line: Line) -> bool {
        let (told, written) = oneshot::channel();
        self.send(Entry { line, told: Some(told) });
        written.await.is_ok()
    }

    fn send(&self, entry: Entry) {
        self.waiting.count.fetch_add(1, Ordering::SeqCst);
        if self.lines.send(entry).is_err() {
            // The process is stopping and the writer is gone.
            self.waiting.done(1);
        }
    }

    /// Waits until all that was put here is written. As long as the store is away, it waits for that.
    pub async fn settled(&self) {
        loop {
            let none = self.waiting.none.notified();
            if self.waiting.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            none.await;
        }
    }
}
