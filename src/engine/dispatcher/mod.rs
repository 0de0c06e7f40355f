//! The dispatcher: fires timers, hands attempts to their edges, and applies what comes in.
//!
//! Decides nothing: [`domain::dispatch`](crate::domain::dispatch) does. Every decision is written whole (state, steps, attempts,
//! timer, codes, history) in one transaction, which it may share with others ([`together`]); effects happen after it is committed. An attempt's
//! handing over is committed before its provider is called, so that a crash is found by what the store says:
//! see [`Dispatcher::recover`]. Callable from any task at once; the store keeps decisions apart. Stories
//! drive it by [`Dispatcher::tick`], the process by [`Dispatcher::run`].

mod arrivals;
mod change;
mod check_in;
mod code;
mod inbox;
mod jobs;
mod joint;
mod lanes;
mod locked_inboxes;
mod locks;
mod mail;
mod no_code;
mod papers;
mod perform;
mod seen_to;
mod shown;
mod sound;
mod text_parts;
mod together;
mod town;
mod unopened;
mod unplaced;
mod view;
mod webhook;
mod written;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};

use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::{AttemptId, DispatchId, MessageId};
use crate::base::rng::Rng;
use crate::domain::account::Account;
use crate::domain::dispatch::apply;
use crate::domain::dispatch::event::{Effect, Entry, Event, OperatorAct};
use crate::domain::dispatch::lanes::Lanes;
use crate::domain::dispatch::lock::Locks;
use crate::domain::dispatch::state::{NewDispatch, State};
use crate::domain::message::Message;
use crate::engine::alarms::Alarms;
use crate::engine::callout::{CallOut, CallOutEvent};
use crate::engine::feed::{AlarmView, Feed};
use crate::io::deliver::{Mailer, Pager, Poster, Texter};
use crate::io::store::inbound::Inbound;
use crate::io::store::{Store, StoreError, Tx};

pub use code::NoCode;
pub use inbox::InboxDoor;
use shown::Unshown;
pub use sound::Sounds;
use together::{Asked, Gathered, Latest};
use town::Town;

/// How long a claimed timer is ours.
const LEASE_MS: i64 = 15_000;
/// Timers claimed at once, and decisions in one commit at most.
const BATCH: u32 = 64;
/// The net under everything that wakes the loop.
const SWEEP: Duration = Duration::from_secs(5);
const SWEEP_MS: i64 = 5_000;
/// A timer that cannot be served is tried again after so long.
const STUCK_MS: i64 = 60_000;
/// Between two checks that every open dispatch has a time to wake at.
const AUDIT_MS: i64 = 10_000;
/// A node that has said nothing for so long is gone.
const NODE_LOST_MS: i64 = 15_000;
/// How often a decision is tried anew when somebody else decided first.
const TRIES: u32 = 5;
/// Pulses a tick takes at most; each one does all that is due.
const MAX_PULSES: u32 = 1_000;

/// By what a message leaves.
#[derive(Clone)]
pub struct Edges {
    pub mailer: Arc<dyn Mailer>,
    pub texter: Arc<dyn Texter>,
    pub pager: Arc<dyn Pager>,
    pub poster: Arc<dyn Poster>,
    pub call_out: Arc<dyn CallOut>,
}

/// Drives the dispatches of one node. Cheap to clone.
#[derive(Clone)]
pub struct Dispatcher {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: SharedClock,
    feed: Feed,
    edges: Edges,
    /// Where voicemails are heard; unset where there are none.
    sounds: OnceLock<Sounds>,
    /// By what secure messages leave; unset where they cannot.
    inboxes: OnceLock<InboxDoor>,
    /// Who watches over this, and whom texts may acknowledge; unset where nobody does.
    watcher: OnceLock<Alarms>,
    /// The node's name, the same after a restart.
    node: String,
    /// This start of it.
    boot: String,
    wake: Notify,
    calls: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>,
    news: tokio::sync::Mutex<News>,
    /// What is handed over next.
    lanes: Mutex<Lanes>,
    /// Deliveries with their providers now, and whoever draws views.
    flying: AtomicUsize,
    landed: Notify,
    count: AtomicU64,
    /// Who waits for the next commit.
    gathered: Mutex<Gathered>,
    /// What waits to be drawn for the desks.
    unshown: Mutex<Unshown>,
    swept: Mutex<(UtcMs, UtcMs)>,
    alarms: Mutex<BTreeMap<String, AlarmView>>,
    /// One operator at a time sees to an alarm.
    seeing_to: tokio::sync::Mutex<()>,
    /// Who works on which dispatch.
    locks: Mutex<Locks>,
    /// What came in and could not be applied, by door and name, and when it is tried again.
    later: Mutex<BTreeMap<(String, String), UtcMs>>,
}

/// News of calls: what comes, and what waits to be stored, in order.
struct News {
    from_calls: mpsc::UnboundedReceiver<(AttemptId, CallOutEvent)>,
    unsaved: VecDeque<Inbound>,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// It changed the dispatch.
    Changed,
    /// It was too late, or not the time for it.
    Unchanged,
    /// There is no such dispatch.
    NotFound,
}

/// What a decision settles in its own transaction.
#[derive(Clone, Copy)]
enum Settles<'a> {
    Nothing,
    /// What came in, with the outcome written down.
    Arrival(&'a Inbound, &'a str),
    /// A claimed timer, by its generation.
    Timer(i64),
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher").field("node", &self.inner.node).finish_non_exhaustive()
    }
}

impl Dispatcher {
    /// A dispatcher for the node called `node`; one at a time may have that name.
    pub fn new(store: Store, clock: SharedClock, feed: Feed, edges: Edges, node: &str) -> Self {
        let (calls, news) = mpsc::unbounded_channel();
        let boot = format!("{node}-{}", Rng::from_system().token(12));
        Self {
            inner: Arc::new(Inner {
                store,
                clock,
                feed,
                edges,
                sounds: OnceLock::new(),
                inboxes: OnceLock::new(),
                watcher: OnceLock::new(),
                node: node.to_owned(),
                boot,
                wake: Notify::new(),
                calls,
                news: tokio::sync::Mutex::new(News { from_calls: news, unsaved: VecDeque::new() }),
                lanes: Mutex::default(),
                flying: AtomicUsize::new(0),
                landed: Notify::new(),
                count: AtomicU64::new(0),
                gathered: Mutex::default(),
                unshown: Mutex::default(),
                swept: Mutex::new((UtcMs(i64::MIN), UtcMs(i64::MIN))),
                alarms: Mutex::default(),
                seeing_to: tokio::sync::Mutex::default(),
                locks: Mutex::default(),
                later: Mutex::default(),
            }),
        }
    }

    /// Where voicemails are heard, for emails about them. Once, before anything is dispatched.
    pub fn hear_voicemails(&self, sounds: Sounds) {
        // What was set first stays.
        let _ = self.inner.sounds.set(sounds);
    }

    /// By what secure messages leave. Once, before anything is dispatched.
    pub fn open_inboxes(&self, door: InboxDoor) {
        // What was set first stays.
        let _ = self.inner.inboxes.set(door);
    }

    /// Who watches over this, and takes acknowledgments of alarms that come by text. Once, before anything is dispatched.
    pub fn watched_by(&self, alarms: Alarms) {
        // What was set first stays.
        let _ = self.inner.watcher.set(alarms);
    }

    /// It comes round.
    fn strike(&self) {
        if let Some(alarms) = self.inner.watcher.get() {
            alarms.dispatcher_beat().strike();
        }
    }

    /// Opens the dispatch of a message in the transaction that inserts it, if its call type has a protocol: one that was
    /// taken out meanwhile too, as the message is of that type. False: it has none.
    /// Call [`Dispatcher::wake`] once that is committed.
    ///
    /// # Errors
    /// The store's; the transaction is then to be given up.
    pub async fn open(&self, tx: &mut Tx, message: &Message, account: &Account) -> Result<bool, StoreError> {
        let found = tx.find_call_type(&message.call_type).await?;
        let call_type = found.filter(|(owner, _)| *owner == account.id).map(|(_, call_type)| call_type);
        let Some(protocol) = call_type.and_then(|t| t.protocol) else { return Ok(false) };
        let protocol = tx.find_protocol(&protocol).await?.ok_or(StoreError::Missing { what: "protocol" })?;
        let now = self.inner.clock.utc();
        let (mut on_call, mut patched_to) = (None, Vec::new());
        if let Some(call) = &message.call {
            let up = tx.find_call(call).await?.is_some_and(|record| record.end.is_none());
            on_call = up.then(|| call.clone());
            patched_to = tx.find_patched_to(call, &account.id).await?;
        }
        let new = NewDispatch {
            id: DispatchId::fresh(now),
            message: message.id.clone(),
            account: account.id.clone(),
            urgency: message.urgency,
            protocol,
            undo_secs: account.undo_secs,
            on_call,
            patched_to,
        };
        tx.open_dispatch(new, now).await?;
        Ok(true)
    }

    /// Looks at the store now rather than at the next sweep.
    pub fn wake(&self) {
        self.inner.wake.notify_one();
    }

    /// Takes a message back while its undo time lasts: dispatch, message and draft in one transaction.
    pub async fn undo(&self, message: &MessageId, by: &str) -> Result<Decided, StoreError> {
        let (own, message, by) = (self.clone(), message.clone(), by.to_owned());
        to_its_end(async move { own.undo_now(&message, &by).await }).await
    }

    async fn undo_now(&self, message: &MessageId, by: &str) -> Result<Decided, StoreError> {
        let Some(id) = self.inner.store.find_dispatch_of_message(message).await? else {
            return Ok(Decided::NotFound);
        };
        let now = self.inner.clock.utc();
        let mut tx = self.inner.store.write().await?;
        let Some(read) = tx.lock_dispatch(&id).await? else { return Ok(Decided::NotFound) };
        let town = Town::load(&mut tx, &read, None, now).await?;
        let event = Event::Operator { by: by.to_owned(), act: OperatorAct::Undo };
        let (after, effects) = apply(&read.state, &event, now, &town);
        if after == read.state {
            tx.rollback().await?;
            return Ok(Decided::Unchanged);
        }
        tx.save_dispatch(&read, &after, &entries(&effects), now).await?;
        tx.withdraw_message(message, now).await?;
        tx.restore_draft(message).await?;
        tx.commit("undo").await?;
        self.line_up(&[(&after, &effects)]).await;
        self.show_all(&[(read.r#gen + 1, &after)]);
        Ok(Decided::Changed)
    }

    /// Applies one event to one dispatch, and does what follows from it. Boxed, because what follows may be
    /// a delivery, which ends in a decision.
    fn decide<'a>(
        &'a self,
        id: &'a DispatchId,
        event: &'a Event,
        settles: Settles<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Decided, StoreError>> + Send + 'a>> {
        Box::pin(self.decide_and_follow(id, event, settles))
    }

    async fn decide_and_follow(
        &self,
        id: &DispatchId,
        event: &Event,
        settles: Settles<'_>,
    ) -> Result<Decided, StoreError> {
        let outcome = self.decide_once(Asked::new(id, event.clone(), settles)).await?;
        self.follow(id, outcome.effects).await;
        Ok(outcome.decided)
    }

    /// Does what follows from a decision that is committed, and hands over whatever has its turn by then.
    async fn follow(&self, id: &DispatchId, effects: Vec<Effect>) {
        self.follow_all(effects.into_iter().map(|effect| (id.clone(), effect)).collect(), Latest::new()).await;
    }

    /// A fault of ours over one dispatch stops that one, as a row that cannot be read does: it would come again at each start.
    fn apply(&self, state: &State, event: &Event, now: UtcMs, town: &Town) -> Result<(State, Vec<Effect>), StoreError> {
        catch_unwind(AssertUnwindSafe(|| apply(state, event, now, town))).map_err(|_| {
            tracing::error!(dispatch = %state.id, event = point(event), "a dispatch cannot go on by a fault of ours");
            metrics::counter!("cordboard_dispatch_panics_total").increment(1);
            StoreError::Corrupt { column: "dispatch.body".to_owned() }
        })
    }

    /// Takes up what an earlier start of this node left behind, and tells the desks what they were told then.
    pub async fn recover(&self) -> Result<(), StoreError> {
        self.take_up().await?;
        self.recall().await
    }

    /// By what the store says of it: planned attempts are handed over, those with a provider and without an answer go once more,
    /// marked so, and emails stop waiting for calls that fell with the process.
    async fn take_up(&self) -> Result<(), StoreError> {
        let now = self.inner.clock.utc();
        self.beat(now).await?;
        self.tell_each(self.inner.store.list_dispatches_with_call().await?, &Event::CallEnded).await?;
        self.take_orphans().await?;
        let open = self.inner.store.list_open_dispatches(u32::MAX).await?;
        self.tell_each(open.clone(), &Event::Resume).await?;
        // Whoever said yes right before waits for their answer, though the dispatch is over by it.
        self.tell_each(self.inner.store.list_closed_dispatches_with_timer().await?, &Event::Resume).await?;
        // Alarms that stood are raised again. Views are for those who watch already: whoever comes asks for all.
        let mut shown =
            if self.inner.feed.is_watched() { open } else { self.inner.store.list_dispatches_in_need().await? };
        shown.append(&mut self.list_unopened(now).await?);
        for ids in shown.chunks(BATCH as usize) {
            let found = self.inner.store.find_dispatches(ids).await?;
            let read = ids.iter().filter_map(|id| found.get(id)?.as_ref().ok());
            self.show_all(&read.map(|read| (read.r#gen, &read.state)).collect::<Vec<_>>());
        }
        Ok(())
    }

    /// Alarms that are of no dispatch. Neither kind holds up the other.
    async fn recall(&self) -> Result<(), StoreError> {
        let unplaced = self.recall_unplaced().await;
        self.recall_locked_inboxes(self.inner.clock.utc()).await.and(unplaced)
    }

    /// The same event for many dispatches.
    async fn tell_each(&self, ids: Vec<DispatchId>, event: &Event) -> Result<(), StoreError> {
        self.decide_each(ids.iter().map(|id| Asked::new(id, event.clone(), Settles::Nothing)).collect()).await
    }

    /// One dispatch that cannot be read or written holds up no other: operators are told of it and the rest
    /// goes on. Says whether it went well.
    ///
    /// # Errors
    /// The store as a whole does not answer.
    async fn outlive<T>(&self, id: &DispatchId, result: Result<T, StoreError>) -> Result<bool, StoreError> {
        self.strike();
        let Err(error) = result else {
            self.unstuck(id);
            return Ok(true);
        };
        tracing::error!(dispatch = %id, code = error.code(), "a dispatch is stuck");
        self.inner.store.ping().await?;
        self.alarm_of_stuck(id);
        Ok(false)
    }

    async fn beat(&self, now: UtcMs) -> Result<(), StoreError> {
        let mut tx = self.inner.store.write().await?;
        tx.beat_node(&self.inner.node, &self.inner.boot, now).await?;
        tx.bury_nodes(now.plus_ms(-NODE_LOST_MS)).await?;
        tx.commit("beat").await
    }

    async fn take_orphans(&self) -> Result<(), StoreError> {
        let mut interrupted = Vec::new();
        for (id, attempt) in self.inner.store.list_orphaned_attempts().await? {
            metrics::counter!("cordboard_attempts_interrupted_total").increment(1);
            tracing::warn!(dispatch = %id, %attempt, "an attempt was cut off, its outcome is not known");
            interrupted.push(Asked::new(&id, Event::Interrupted { attempt }, Settles::Nothing));
        }
        self.decide_each(interrupted).await
    }

    /// What is done every few seconds whatever happens.
    async fn sweep(&self, now: UtcMs) -> Result<(), StoreError> {
        let (sweep, audit) = {
            let mut swept = self.inner.swept.lock().unwrap_or_else(PoisonError::into_inner);
            let due = |last: UtcMs, every: i64| last.0 == i64::MIN || (now.since(last)).abs() >= every;
            let due = (due(swept.0, SWEEP_MS), due(swept.1, AUDIT_MS));
            if due.0 {
                swept.0 = now;
            }
            if due.1 {
                swept.1 = now;
            }
            due
        };
        if sweep {
            self.beat(now).await?;
            self.lay_aside_unreadable().await?;
            self.take_orphans().await?;
            self.calls_ended().await?;
            self.lapse_locks().await;
            self.measure_lanes(now);
        }
        if audit {
            self.audit().await?;
        }
        Ok(())
    }

    /// Calls that messages were taken on are over, as the store has it: emails that waited for it go out.
    pub async fn calls_ended(&self) -> Result<(), StoreError> {
        self.tell_each(self.inner.store.list_dispatches_with_ended_call().await?, &Event::CallEnded).await
    }

    /// Every open dispatch has a time to wake at. One that has none is told to wake now, and operators are
    /// told that this happened: it is a fault of ours.
    pub async fn audit(&self) -> Result<(), StoreError> {
        for id in self.inner.store.list_sleepless_dispatches().await? {
            tracing::error!(dispatch = %id, "an open dispatch had no time to wake at; repaired");
            metrics::counter!("cordboard_dispatch_repairs_total").increment(1);
            let repaired = self.repair(&id).await;
            self.outlive(&id, repaired).await?;
        }
        Ok(())
    }

    async fn repair(&self, id: &DispatchId) -> Result<(), StoreError> {
        let mut tx = self.inner.store.write().await?;
        if let Some(read) = tx.lock_dispatch(id).await? {
            tx.repair_timer(&read.state).await?;
            tx.commit("repair").await?;
            self.alarm_of_repair(&read.state);
        }
        Ok(())
    }

    /// Does all that is due by now. Errors are the store's; what is not done stays due.
    async fn pulse(&self, now: UtcMs) -> Result<(), StoreError> {
        self.strike();
        self.sweep(now).await?;
        self.take_news().await?;
        self.take_arrivals().await?;
        self.serve_lanes().await;
        loop {
            let mut tx = self.inner.store.write().await?;
            let claimed = tx.claim_due(now, &self.inner.boot, now.plus_ms(LEASE_MS), BATCH).await?;
            tx.commit("claim").await?;
            if claimed.is_empty() {
                return Ok(());
            }
            let due = claimed.iter().map(|(id, claimed)| Asked::new(id, Event::Due, Settles::Timer(*claimed)));
            let answers = self.decide_all(due.collect()).await;
            let ids: Vec<DispatchId> = claimed.iter().map(|(id, _)| id.clone()).collect();
            let ends = self.follow_answers(&ids, answers).await;
            for ((id, claimed), decided) in claimed.iter().zip(ends) {
                if !self.outlive(id, decided).await? {
                    let mut tx = self.inner.store.write().await?;
                    tx.put_off_timer(id, *claimed, now.plus_ms(STUCK_MS)).await?;
                    tx.commit("put_off").await?;
                }
            }
        }
    }

    /// Does all that is due at `now`, and waits until every delivery begun by it has its answer. For stories
    /// and simulations, whose clock stands still meanwhile.
    pub async fn tick(&self, now: UtcMs) -> Result<(), StoreError> {
        for _ in 0..MAX_PULSES {
            self.pulse(now).await?;
            loop {
                let landed = self.inner.landed.notified();
                if self.inner.flying.load(Ordering::SeqCst) == 0 {
                    break;
                }
                landed.await;
            }
            let due = self.next_due().await?.is_some_and(|at| at <= now);
            let waiting = !self.inner.news.lock().await.from_calls.is_empty();
            if !due && !waiting {
                return Ok(());
            }
        }
        Ok(())
    }

    /// When something is due next.
    pub async fn next_due(&self) -> Result<Option<UtcMs>, StoreError> {
        let timer = self.inner.store.find_next_due().await?;
        Ok([timer, self.next_turn()].into_iter().flatten().min())
    }

    /// Runs until `stop` says true: recovers, then fires timers to the second and applies what comes in.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let (mut taken_up, mut recalled) = (false, false);
        while !*stop.borrow() {
            if !taken_up {
                match self.take_up().await {
                    Ok(()) => taken_up = true,
                    Err(error) => tracing::error!(code = error.code(), "dispatches cannot be taken up yet"),
                }
            }
            // By itself: what is tried again must not tell every dispatch again that there was a start.
            if taken_up && !recalled {
                match self.recall().await {
                    Ok(()) => recalled = true,
                    Err(error) => tracing::error!(code = error.code(), "not all alarms stand again yet"),
                }
            }
            let now = self.inner.clock.utc();
            let mut pause = SWEEP;
            match self.pulse(now).await {
                Ok(()) => {
                    if let Ok(Some(due)) = self.next_due().await {
                        let ms = u64::try_from(due.since(self.inner.clock.utc())).unwrap_or(0);
                        pause = pause.min(Duration::from_millis(ms.max(1)));
                    }
                }
                Err(error) => {
                    tracing::error!(code = error.code(), "the dispatcher could not do what is due; trying again");
                    pause = Duration::from_millis(500);
                }
            }
            tokio::select! {
                () = self.inner.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
                () = self.news_came() => {}
                _ = stop.changed() => {}
            }
        }
        // What calls said last is stored, so that nobody is called again for it after the next start.
        if let Err(error) = self.take_news().await {
            tracing::error!(code = error.code(), "the last news of calls is lost; after the start they are made again");
        }
    }
}

/// Runs to its end even if whoever waits for it goes away (a request that takes too long, a client that
/// hangs up): between a commit and what follows from it nothing may be cut off.
pub async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going down, and whoever waits with it.
            Err(_) => std::future::pending().await,
        },
    }
}

fn entries(effects: &[Effect]) -> Vec<Entry> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Record(entry) => Some(entry.clone()),
            _ => None,
        })
        .collect()
}

/// The name of an event in failpoints and metrics.
const fn point(event: &Event) -> &'static str {
    match event {
        Event::Due => "due",
        Event::Resume => "resume",
        Event::Hand { .. } => "hand",
        Event::Queued { .. } => "queued",
        Event::Accepted { .. }
        | Event::AcceptedAlong { .. }
        | Event::Delivered { .. }
        | Event::Failed { .. }
        | Event::Refused { .. }
        | Event::Pushed { .. } => "result",
        Event::Interrupted { .. } => "interrupted",
        Event::Call { .. } => "call",
        Event::Faxed { .. } => "fax",
        Event::Job { .. } => "job",
        Event::Inbox { .. } | Event::Wrote { .. } => "inbox",
        Event::RingsBack { .. } | Event::RangBack => "ring_back",
        Event::Replied { .. } | Event::MailYes { .. } => "reply",
        Event::Mail { .. } | Event::WroteMail { .. } => "mail",
        Event::Stopped { .. } | Event::Started { .. } | Event::AskedWhich { .. } | Event::Unplaced { .. } => "text",
        Event::Operator { .. } | Event::UnopenedSeen { .. } | Event::Dismissed { .. } => "operator",
        Event::CallEnded | Event::Patched { .. } => "call_over",
        Event::Patching { .. } => "patching",
        Event::ReadAtCheckIn { .. } => "check_in",
        Event::Recapped { .. } => "recapped",
    }
}
