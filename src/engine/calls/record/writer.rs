//! The one task that writes what has gathered, and waits for a store that is away.
//!
//! Started by the [`Recorder`](super::Recorder), by which lines come. What always holds: lines are written in their order, and who waits
//! for one is told once it is on record, or never.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{CallLog, CallNews, Entry, HoldOff, Line, NotWritten, Told, Waiting};

/// Lines in one transaction at most.
const BATCH: usize = 1_024;
/// How long lines are gathered, as a transaction costs the same for one as for many: in a quiet hour, and when the last
/// gathering was [`MANY`]. It is what a power cut can take of the newest calls.
const GATHER: Duration = Duration::from_millis(20);
const GATHER_MANY: Duration = Duration::from_millis(100);
const MANY: usize = 16;
/// Lines that wait while the store is away. Beyond that what happened inside calls is dropped and counted; that
/// they were, were patched and ended is kept.
pub(super) const MAX_WAITING: usize = 100_000;
/// Lines that may wait for a store that answers. More than that are calls faster than they can be put on record: then no new
/// ones are wanted until half of it is written.
const MAX_BEHIND: usize = 4 * BATCH;
/// Between two tries, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Writer {
    pub(super) log: Arc<dyn CallLog>,
    pub(super) news: mpsc::UnboundedSender<CallNews>,
    pub(super) received: mpsc::UnboundedReceiver<Entry>,
    pub(super) waiting: Arc<Waiting>,
    /// What is written next.
    pub(super) batch: Vec<Line>,
    /// Who waits for each line of it.
    pub(super) tolds: Vec<Told>,
    /// How many it was last time.
    pub(super) last: usize,
    /// Lines that may wait.
    pub(super) most: usize,
    pub(super) behind: Behind,
}

/// Whether lines come faster than they can be written. A store that is away, and what has gathered meanwhile, is another
/// matter: calls are taken all the same.
pub(super) struct Behind {
    pub(super) hold_off: HoldOff,
    pub(super) now: bool,
    pub(super) catching_up: bool,
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
    pub(super) async fn run(mut self) {
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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::Value;

    use super::*;
    use crate::base::clock::UtcMs;
    use crate::base::id::{AccountId, CallId};
    use crate::base::pii::Pii;
    use crate::engine::calls::record::Recorder;
    use crate::engine::legs::Later;

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
