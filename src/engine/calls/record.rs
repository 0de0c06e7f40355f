//! What calls put on record, off the call path: a channel, and one task that writes what has gathered in one
//! transaction. And what a call reads of the store before it is answered.
//!
//! A store that is slow or away delays no caller: lines wait for it, as long as it takes. A line that the store
//! refuses is dropped and counted, alone. An event may stand twice if the store committed and its answer was lost; starts,
//! patches and ends count once. A patch is put on record together with the word of it to the
//! dispatcher, so that neither is there without the other.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, ContactId, DispatchId, UserId};
use crate::base::phone::PhoneNumber;
use crate::base::pii::Pii;
use crate::domain::dispatch::patch_step::PatchNews;
use crate::domain::ivr::digits::Entered;
use crate::engine::legs::Later;
use crate::io::store::calls::{CallEnd, CallRecord, NewCallEvent};
use crate::io::store::inbound::{Arrival, Inbound, PATCH_TRIES, PATCHES, patch_name};
use crate::io::store::inner_calls::InnerCall;
use crate::io::store::voicemails::VoicemailBegun;
use crate::io::store::{Store, StoreError};

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

/// Lines in one transaction at most.
const BATCH: usize = 1_024;
/// How long lines are gathered, as a transaction costs the same for one as for many: in a quiet hour, and when the last
/// gathering was [`MANY`]. It is what a power cut can take of the newest calls.
const GATHER: Duration = Duration::from_millis(20);
const GATHER_MANY: Duration = Duration::from_millis(100);
const MANY: usize = 16;
/// Lines that wait while the store is away. Beyond that what happened inside calls is dropped and counted; that
/// they were, were patched and ended is kept.
const MAX_WAITING: usize = 100_000;
/// Lines that may wait for a store that answers. More than that are calls faster than they can be put on record: then no new
/// ones are wanted until half of it is written.
const MAX_BEHIND: usize = 4 * BATCH;
/// Between two tries, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

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

struct Writer {
    log: Arc<dyn CallLog>,
    news: mpsc::UnboundedSender<CallNews>,
    received: mpsc::UnboundedReceiver<Entry>,
    waiting: Arc<Waiting>,
    /// What is written next.
    batch: Vec<Line>,
    /// Who waits for each line of it.
    tolds: Vec<Told>,
    /// How many it was last time.
    last: usize,
    /// Lines that may wait.
    most: usize,
    behind: Behind,
}

/// Whether lines come faster than they can be written. A store that is away, and what has gathered meanwhile, is another
/// matter: calls are taken all the same.
struct Behind {
    hold_off: HoldOff,
    now: bool,
    catching_up: bool,
}

impl Behind {
    /// So many wait, and the store answers.
    fn waiting(&mut self, lines: usize) {
        let behind = lines > if self.now { MAX_BEHIND / 2 } else { MAX_BEHIND };
        self.catching_up &= behind;
        self.tell(behind && !self.catching_up);
    }

    /// The store does not answer.
    fn away(&mut self) {
        self.catching_up = true;
        self.tell(false);
    }

    fn tell(&mut self, behind: bool) {
        if behind != self.now {
            self.now = behind;
            (self.hold_off)(behind);
        }
    }
}

impl Writer {
    async fn run(mut self) {
        while self.gather().await {
            self.last = self.batch.len();
            let (batch, mut tolds) = (std::mem::take(&mut self.batch), std::mem::take(&mut self.tolds));
            for (lines, tolds) in batch.chunks(BATCH).zip(tolds.chunks_mut(BATCH)) {
                if self.write(lines).await == Ok(()) {
                    tolds.iter_mut().for_each(tell);
                    continue;
                }
                // One of them is what the store does not take: each for itself.
                for (line, told) in lines.iter().zip(tolds) {
                    match self.write(std::slice::from_ref(line)).await {
                        Ok(()) => tell(told),
                        Err(Refused) => metrics::counter!("cordboard_call_record_lost_total").increment(1),
                    }
                }
            }
            self.waiting.done(batch.len());
            self.behind.waiting(self.received.len());
            for line in batch {
                let news = match line {
                    Line::Patched { call, .. } | Line::Patching { call, .. } => CallNews::Patched { call },
                    Line::VoicemailEnded { call, .. } => CallNews::Voicemail { call },
                    Line::Finished { call, .. } => CallNews::Ended { call },
                    Line::Started(_)
                    | Line::Event { .. }
                    | Line::Digits { .. }
                    | Line::VoicemailBegun(_)
                    | Line::Inner(_) => continue,
                };
                // An error means that the process is stopping.
                let _ = self.news.send(news);
            }
        }
    }

    /// Waits for lines and takes what comes soon after them. `false` when there will be no more.
    async fn gather(&mut self) -> bool {
        if self.batch.is_empty() {
            let mut first = Vec::new();
            if self.received.recv_many(&mut first, BATCH).await == 0 {
                return false;
            }
            first.into_iter().for_each(|entry| self.take(entry));
        }
        if self.batch.len() < BATCH {
            tokio::time::sleep(if self.last < MANY { GATHER } else { GATHER_MANY }).await;
            while self.batch.len() < BATCH
                && let Ok(entry) = self.received.try_recv()
            {
                self.take(entry);
            }
        }
        true
    }

    fn take(&mut self, entry: Entry) {
        self.batch.push(entry.line);
        self.tolds.push(entry.told);
    }

    /// Writes `lines`, however long the store is away.
    async fn write(&mut self, lines: &[Line]) -> Result<(), Refused> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.log.write(lines).await {
                Ok(()) => return Ok(()),
                Err(NotWritten::Refused(why)) => {
                    tracing::error!(lines = lines.len(), "the store refuses lines of call records: {why}");
                    return Err(Refused);
                }
                Err(NotWritten::Away(why)) => {
                    tracing::warn!("call records wait for the store: {why}");
                    self.behind.away();
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    self.make_room();
                }
            }
        }
    }

    /// Keeps what waits within bounds: events go first, all else moves up to what is written next.
    fn make_room(&mut self) {
        let mut lost = 0;
        while self.received.len() > self.most {
            match self.received.try_recv() {
                Ok(Entry { line: Line::Event { .. }, .. }) => lost += 1,
                Ok(entry) => self.take(entry),
                Err(_) => break,
            }
        }
        if lost > 0 {
            metrics::counter!("cordboard_call_record_lost_total").increment(lost as u64);
            tracing::error!(lost, "the store is away for so long that events of calls are dropped");
            self.waiting.done(lost);
        }
    }
}

fn tell(told: &mut Told) {
    if let Some(told) = told.take() {
        // An error means that nobody waits any more.
        let _ = told.send(());
    }
}

/// The store would not take a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refused;

impl CallLog for Store {
    fn write<'a>(&'a self, lines: &'a [Line]) -> Later<'a, Result<(), NotWritten>> {
        Box::pin(async move {
            let written = async {
                let mut tx = Self::write(self).await?;
                let Sorted { started, events, digits, patched, begun, spoken, finished, inner } = sort(lines);
                tx.insert_calls(&started.iter().collect::<Vec<_>>()).await?;
                tx.append_call_events(&events).await?;
                for (call, at, entered) in digits {
                    tx.insert_digits(call, at, entered).await?;
                }
                for inbound in &patched {
                    tx.insert_inbound(inbound).await?;
                }
                for voicemail in begun {
                    tx.insert_voicemail(voicemail).await?;
                }
                for (call, at, heard) in spoken {
                    tx.end_voicemail(call, at, heard).await?;
                }
                tx.finish_calls(&finished).await?;
                for call in inner {
                    tx.upsert_inner_call(call).await?;
                }
                tx.commit("call_record").await
            };
            written.await.map_err(|error: StoreError| {
                let why = format!("{error} ({})", error.code());
                if error.may_pass() { NotWritten::Away(why) } else { NotWritten::Refused(why) }
            })
        })
    }
}

/// Lines in the order in which they can be written in few statements: an event needs its call to be there.
#[derive(Default)]
struct Sorted<'a> {
    /// With their ends, where these are among the lines.
    started: Vec<CallRecord>,
    events: Vec<NewCallEvent<'a>>,
    digits: Vec<(&'a CallId, UtcMs, &'a Entered)>,
    patched: Vec<Inbound>,
    begun: Vec<&'a VoicemailBegun>,
    spoken: Vec<(&'a CallId, UtcMs, bool)>,
    finished: Vec<(&'a CallId, &'a CallEnd)>,
    inner: Vec<&'a InnerCall>,
}

fn sort(lines: &[Line]) -> Sorted<'_> {
    let mut sorted = Sorted::default();
    let mut places = HashMap::new();
    for line in lines {
        match line {
            Line::Started(call) => {
                places.insert(&call.id, sorted.started.len());
                sorted.started.push(call.clone());
            }
            Line::Event { call, at, kind, body } => sorted.events.push(NewCallEvent { call, at: *at, kind, body }),
            Line::Digits { call, at, entered } => sorted.digits.push((call, *at, entered)),
            Line::Patched { call, account, at, nth, to } => sorted.patched.push(Inbound {
                provider: PATCHES.to_owned(),
                provider_msg_id: patch_name(call, account, *nth),
                received_at: *at,
                what: Arrival::Patched { call: call.clone(), account: Some(account.clone()), to: to.reveal().clone() },
            }),
            Line::Patching { account, call, at, nth, contact, number, news } => sorted.patched.push(Inbound {
                provider: PATCH_TRIES.to_owned(),
                provider_msg_id: format!("{call}:{nth:06}"),
                received_at: *at,
                what: Arrival::Patching {
                    call: call.clone(),
                    account: Some(account.clone()),
                    contact: contact.clone(),
                    number: number.clone(),
                    news: *news,
                },
            }),
            Line::VoicemailBegun(begun) => sorted.begun.push(begun),
            Line::Inner(call) => sorted.inner.push(call),
            Line::VoicemailEnded { call, at, heard } => sorted.spoken.push((call, *at, *heard)),
            Line::Finished { call, end } => match places.get(call).and_then(|place| sorted.started.get_mut(*place)) {
                // The first end counts.
                Some(call) => {
                    call.end.get_or_insert_with(|| end.clone());
                }
                None if sorted.finished.iter().any(|(other, _)| *other == call) => {}
                None => sorted.finished.push((call, end)),
            },
        }
    }
    sorted
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::*;

    /// A store that answers as it was told to, and takes everything but events called "bad".
    #[derive(Default)]
    struct Moody {
        away: Mutex<VecDeque<()>>,
        taken: Mutex<Vec<Line>>,
    }

    impl CallLog for Moody {
        fn write<'a>(&'a self, lines: &'a [Line]) -> Later<'a, Result<(), NotWritten>> {
            Box::pin(async move {
                if self.away.lock().expect("unpoisoned").pop_front().is_some() {
                    return Err(NotWritten::Away("no answer".to_owned()));
                }
                if lines.iter().any(|line| matches!(line, Line::Event { kind, .. } if kind == "bad")) {
                    return Err(NotWritten::Refused("a rule".to_owned()));
                }
                self.taken.lock().expect("unpoisoned").extend_from_slice(lines);
                Ok(())
            })
        }
    }

    fn event(kind: &str) -> Line {
        Line::Event { call: CallId::named("c"), at: UtcMs(1), kind: kind.to_owned(), body: Value::Null }
    }

    fn patched() -> Line {
        Line::Patched {
            call: CallId::named("c"),
            account: AccountId::named("a"),
            at: UtcMs(2),
            nth: 1,
            to: Pii::new("Ben".to_owned()),
        }
    }

    fn never() -> Behind {
        Behind { hold_off: Box::new(|_| {}), now: false, catching_up: false }
    }

    #[tokio::test]
    async fn calls_that_come_faster_than_they_can_be_written_are_held_off_until_half_of_it_is() {
        let (news, _told) = mpsc::unbounded_channel();
        let (told, mut heard) = mpsc::unbounded_channel();
        let log = Arc::new(Moody::default());
        let recorder = Recorder::start(log.clone(), news, Box::new(move |on| assert!(told.send(on).is_ok())));
        (0..MAX_BEHIND + 2 * BATCH).for_each(|_| recorder.write(event("ring")));
        recorder.settled().await;
        assert_eq!((heard.recv().await, heard.recv().await), (Some(true), Some(false)));
        log.away.lock().expect("unpoisoned").extend([(), ()]);
        (0..MAX_BEHIND + 2 * BATCH).for_each(|_| recorder.write(event("ring")));
        recorder.settled().await;
        assert!(heard.try_recv().is_err(), "it was away: calls are taken while it catches up");
    }

    #[tokio::test]
    async fn a_line_that_is_refused_takes_no_other_with_it() {
        let log = Arc::new(Moody::default());
        let (news, mut told) = mpsc::unbounded_channel();
        let recorder = Recorder::start(log.clone(), news, Box::new(|_| {}));
        for line in [event("ring"), event("bad"), patched()] {
            recorder.write(line);
        }
        recorder.settled().await;
        assert_eq!(*log.taken.lock().expect("unpoisoned"), [event("ring"), patched()]);
        assert_eq!(told.recv().await, Some(CallNews::Patched { call: CallId::named("c") }));
    }

    #[test]
    fn when_too_much_waits_events_go_and_starts_patches_and_ends_stay() {
        let (lines, received) = mpsc::unbounded_channel();
        let (news, _told) = mpsc::unbounded_channel();
        let waiting = Arc::new(Waiting::default());
        let log = Arc::new(Moody::default());
        let (batch, tolds, waits) = (vec![patched()], vec![None], Arc::clone(&waiting));
        let mut writer =
            Writer { log, news, received, waiting: waits, batch, tolds, last: 0, most: 1, behind: never() };
        for line in [event("ring"), patched(), event("hold"), event("talk")] {
            waiting.count.fetch_add(1, Ordering::SeqCst);
            assert!(lines.send(Entry { line, told: None }).is_ok(), "the writer is there");
        }
        writer.make_room();
        assert_eq!(writer.batch, [patched(), patched()], "what is kept moves up to what is written next");
        assert_eq!(writer.received.try_recv().ok().map(|entry| entry.line), Some(event("talk")));
        assert_eq!(writer.tolds.len(), writer.batch.len());
        assert_eq!(waiting.count.load(Ordering::SeqCst), 2);
    }

    /// A store that takes one batch and hangs in the next.
    #[derive(Default)]
    struct Stuck(AtomicUsize);

    impl CallLog for Stuck {
        fn write<'a>(&'a self, _lines: &'a [Line]) -> Later<'a, Result<(), NotWritten>> {
            let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
            Box::pin(async move { if first { Ok(()) } else { std::future::pending().await } })
        }
    }

    #[tokio::test]
    async fn who_waits_for_one_line_does_not_wait_for_those_after_it() {
        let log = Arc::new(Stuck::default());
        let (news, _told) = mpsc::unbounded_channel();
        let recorder = Recorder::start(log.clone(), news, Box::new(|_| {}));
        let others = async {
            // The next batch: there is always one line more.
            while log.0.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
            recorder.write(event("ring"));
        };
        let both = async { tokio::join!(recorder.written(event("listen")), others).0 };
        let written = tokio::time::timeout(Duration::from_secs(10), both).await;
        assert_eq!(written, Ok(true));
    }

    #[tokio::test]
    async fn who_waits_for_a_line_that_is_refused_is_told() {
        let (news, _told) = mpsc::unbounded_channel();
        let recorder = Recorder::start(Arc::new(Moody::default()), news, Box::new(|_| {}));
        assert_eq!(tokio::join!(recorder.written(event("bad")), recorder.written(event("ring"))), (false, true));
    }

    #[tokio::test]
    async fn while_the_store_is_away_lines_wait_and_nobody_is_told() {
        let log = Arc::new(Moody::default());
        log.away.lock().expect("unpoisoned").extend([(), (), ()]);
        let (news, mut told) = mpsc::unbounded_channel();
        let recorder = Recorder::start(log.clone(), news, Box::new(|_| {}));
        recorder.write(patched());
        while log.away.lock().expect("unpoisoned").len() == 3 {
            tokio::task::yield_now().await;
        }
        assert!(told.try_recv().is_err(), "not on record yet");
        recorder.write(event("hold"));
        recorder.settled().await;
        assert_eq!(*log.taken.lock().expect("unpoisoned"), [patched(), event("hold")]);
        assert_eq!(told.recv().await, Some(CallNews::Patched { call: CallId::named("c") }));
    }
}
