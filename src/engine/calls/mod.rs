//! Calls: takes them in, gives each a task of its own, and passes on what operators and desk say to them.
//!
//! [`task`] runs one call, [`outbound`] one call-out, [`fax`] one for a fax, [`check`] one media check, [`trial`] one menu tried out, [`dictate`] one
//! greeting spoken in, which [`greetings`] keeps, both at an [`editors_phone`]; [`book`] knows the accounts, [`record`] writes down what happened, [`recordings`] looks after what is recorded, [`check_in`] serves
//! clients' people who hear held messages, [`callbacks`] keeps promises to call back ([`retries`]: or what operators say to
//! that), [`jobs`] offers what dispatches want called, [`dial_out`] calls for an operator, [`rings_back`] knows contacts,
//! [`alarms`] tells the desks, [`listen`] lets supervisors listen, [`emergency`] puts an operator's own call for help
//! through, [`inner`] one to a colleague, [`joining`] makes one call of two. What always holds: one panic ends one call: its legs are hung up, its caller leaves the queue, its operator is
//! freed, its row is finished; the neighbours go on.

mod alarm_text;
mod alarms;
mod before;
pub mod book;
pub mod callbacks;
pub mod check;
pub mod check_in;
pub mod dial_out;
mod dictate;
mod editors_phone;
mod emergency;
mod fax;
mod fax_queue;
pub mod greetings;
mod inner;
mod jobs;
mod joining;
pub mod listen;
pub mod moving;
pub mod outbound;
mod phones;
pub mod record;
mod recordings;
mod retries;
pub mod rings_back;
mod slots;
mod task;
pub mod trial;
mod turn;
mod view;

#[cfg(test)]
mod account_tests;
#[cfg(test)]
mod callback_tests;
#[cfg(test)]
mod check_in_tests;
#[cfg(test)]
mod cut_off_tests;
#[cfg(test)]
mod dictate_tests;
#[cfg(test)]
mod emergency_tests;
#[cfg(test)]
mod flow_tests;
#[cfg(test)]
mod house;
#[cfg(test)]
mod inner_tests;
#[cfg(test)]
mod job_tests;
#[cfg(test)]
mod joining_tests;
#[cfg(test)]
mod line_tests;
#[cfg(test)]
mod listen_tests;
#[cfg(test)]
mod loopback_tests;
#[cfg(test)]
mod moving_tests;
#[cfg(test)]
mod music_tests;
#[cfg(test)]
mod offer_tests;
#[cfg(test)]
mod patch_tests;
#[cfg(test)]
mod promise_tests;
#[cfg(test)]
mod queue_tests;
#[cfg(test)]
mod recording_tests;
#[cfg(test)]
mod ring_back_tests;
#[cfg(test)]
mod seat_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trial_tests;

use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::desk::{CallWord, DeskHandle, FromDesk};
use super::feed::{AlarmLevel, AlarmView, CallState, CallView, ContactRef, Feed, FeedEvent, RingsBackView};
use super::figures::FiguresHandle;
use super::legs::Wiring;
use super::signal::{IncomingCall, LegCommand};
use crate::base::id::{AccountId, CallId, ContactId, DispatchId, UserId};
use crate::base::numbering::Numbering;
use crate::base::phone::PhoneNumber;
use crate::domain::account::Account;
use crate::domain::account::flow::Flow;
pub use crate::domain::call::CommandError;
use crate::domain::call::cause::Cause;
use crate::domain::call::event::{OfferEnd, RecordEvent};
pub use crate::domain::call::listener::ListenMode;
use crate::domain::call::park::ParkTimes;
pub use crate::domain::call::recording::RecordingCommand;
use crate::domain::figures::{Fact, Lost};
use crate::io::fax::Station;
use crate::io::media::MediaEvent;
use crate::io::recording::Recordings;
use crate::io::store::calls::{CallEnd, CallRecord, Direction, SEEN_TO};

use alarms::Standing;
use book::Accounts;
use callbacks::Callbacks;
use check_in::CheckIns;
use editors_phone::Taken;
use emergency::Helping;
use fax_queue::Faxes;
use greetings::Greetings;
use inner::InnerCalls;
use jobs::Jobs;
use outbound::OutCalls;
use record::{CallLog, CallNews, Line, Recorder};
use retries::Promised;
use task::{CallTask, ToCall};
use view::Facts;

/// Outcomes that are not the call machine's: cut off by a crash, or by a fault of ours.
const CUT_OFF: &str = "cut_off";
const FAULT: &str = "fault";
/// How long an alarm about a call stays on the desks, unless its caller has to be rung back.
pub const ALARM_STAYS: Duration = Duration::from_secs(30 * 60);
/// How long somebody who has seen an alarm is kept waiting for the store.
const SEEN_LIMIT: Duration = Duration::from_secs(5);
/// How long the store may take to say whose number was dialled.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(5);

/// What an operator does with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Take,
    Hold,
    Retrieve,
    HangUp,
    /// Dial a contact, or a number by hand, while the caller hears music.
    Patch {
        number: PhoneNumber,
        contact: Option<ContactRef>,
        ring: Duration,
        /// Where the contact is tried next, if that one does not answer.
        then: Vec<(PhoneNumber, Duration)>,
        /// Whoever answers is joined with the caller at once, and the operator is out of it.
        cold: bool,
    },
    /// The contact's next telephone.
    NextNumber,
    /// The contact waits with music while operator and caller talk.
    HoldContact,
    /// The caller waits with music while operator and contact talk.
    Private,
    Join,
    /// The caller of another call of mine is the contact from now on.
    JoinCall {
        other: CallId,
    },
    Drop,
    /// Gives up whom was rung, or the colleague who was asked. A contact who had called waits instead.
    Cancel,
    /// Hangs up on a contact who had called: the caller of another call of mine.
    LetGo,
    Recording(RecordingCommand),
    /// The caller waits at a slot until anybody fetches them.
    Park,
    /// Have a parked caller.
    Fetch,
    /// To another operator who is ready; to nobody by name: back to the head of the queue.
    Pass {
        to: Option<UserId>,
        note: Option<String>,
    },
    /// Talk with another operator who is ready, while the caller hears music.
    Ask {
        user: UserId,
    },
    /// The caller is that operator's from now on.
    HandOver,
    /// No more of my own recording: I speak myself.
    Speak,
    /// Into the account's check-in, as this person by the operator's word; else by PIN.
    CheckIn {
        vouched: Option<ContactId>,
    },
    /// Keys to the other party.
    Keys(String),
    /// The caller, who rings back, has shown by PIN that they are who this account asks.
    Proved {
        account: AccountId,
    },
    /// The caller is known by no number, has named a dispatch by its reference, and has shown by PIN who they are.
    Named(RingsBackView),
    /// The caller, who rings back, has been told what this dispatch had sent them a notice of.
    Heard {
        dispatch: DispatchId,
    },
    /// The call is for this account.
    ChangeAccount(Arc<Account>),
    WrapUpDone {
        disposition: Option<String>,
    },
    /// As much time for the wrap-up once more.
    WrapUpMore,
}

/// What calls are made with.
pub struct CallsParts {
    pub wiring: Arc<Wiring>,
    pub desk: DeskHandle,
    pub feed: Feed,
    pub accounts: Arc<dyn Accounts>,
    pub log: Arc<dyn CallLog>,
    pub callbacks: Arc<dyn Callbacks>,
    pub check_ins: Arc<dyn CheckIns>,
    pub greetings: Arc<dyn Greetings>,
    /// How callers write numbers.
    pub numbering: Numbering,
    /// Numbers that trunks show of us in place of an account's.
    pub shown: Vec<PhoneNumber>,
    pub recordings: Recordings,
    pub figures: FiguresHandle,
    pub park: ParkTimes,
    /// Who sends faxes.
    pub station: Station,
    /// Where to tell of patches and ends.
    pub news: mpsc::UnboundedSender<CallNews>,
}

/// All calls of this process.
struct Calls {
    wiring: Arc<Wiring>,
    desk: DeskHandle,
    feed: Feed,
    accounts: Arc<dyn Accounts>,
    recorder: Recorder,
    callbacks: Arc<dyn Callbacks>,
    check_ins: Arc<dyn CheckIns>,
    greetings: Arc<dyn Greetings>,
    numbering: Numbering,
    shown: Vec<PhoneNumber>,
    recordings: Recordings,
    figures: FiguresHandle,
    park: ParkTimes,
    station: Station,
    live: Mutex<HashMap<CallId, Live>>,
    alarms: Mutex<Vec<Standing>>,
    /// Who has begun to listen to which call of late.
    heard: Mutex<HashMap<(CallId, UserId), Instant>>,
    out: OutCalls,
    faxes: Faxes,
    jobs: Jobs,
    helping: Helping,
    inner: InnerCalls,
    promised: Promised,
    /// Beside the recorder's: what others want to know that is on no record.
    news: mpsc::UnboundedSender<CallNews>,
    editors: Taken,
}

struct Live {
    /// Boxed: each channel keeps room for a block of what it carries.
    inbox: mpsc::UnboundedSender<Box<ToCall>>,
    view: Option<CallView>,
    joined: Option<Option<ContactRef>>,
    /// Where it is parked.
    slot: Option<u32>,
}

/// The way to the calls. Cheap to clone.
#[derive(Clone)]
pub struct CallsHandle(Arc<Calls>);

impl CallsHandle {
    /// Starts passing on what the desk says. Calls come in by [`CallsHandle::take_in`].
    pub fn start(parts: CallsParts, mut from_desk: mpsc::UnboundedReceiver<FromDesk>) -> Self {
        let signalling = Arc::clone(&parts.wiring.signalling);
        let hold_off = Box::new(move |hold_off| signalling.hold_off(hold_off));
        let calls = Arc::new(Calls {
            wiring: parts.wiring,
            desk: parts.desk,
            feed: parts.feed,
            accounts: parts.accounts,
            recorder: Recorder::start(parts.log, parts.news.clone(), hold_off),
            callbacks: parts.callbacks,
            check_ins: parts.check_ins,
            greetings: parts.greetings,
            numbering: parts.numbering,
            shown: parts.shown,
            recordings: parts.recordings,
            figures: parts.figures,
            park: parts.park,
            station: parts.station,
            live: Mutex::default(),
            alarms: Mutex::default(),
            heard: Mutex::default(),
            out: OutCalls::default(),
            faxes: Faxes::default(),
            jobs: Jobs::default(),
            helping: Helping::default(),
            inner: InnerCalls::default(),
            promised: Promised::default(),
            news: parts.news,
            editors: Taken::default(),
        });
        let handle = Self(Arc::clone(&calls));
        tokio::spawn(async move {
            while let Some(word) = from_desk.recv().await {
                calls.on_desk(word);
            }
        });
        handle
    }

    /// Takes in every call of `incoming`, until the trunks are closed.
    pub async fn take_in(self, mut incoming: mpsc::Receiver<IncomingCall>) {
        while let Some(call) = incoming.recv().await {
            self.take_in_one(call);
        }
    }

    /// Takes in one call, in a task of its own.
    pub fn take_in_one(&self, incoming: IncomingCall) {
        let incoming = Box::new(incoming);
        let calls = Arc::clone(&self.0);
        tokio::spawn(async move { calls.receive(incoming).await });
    }

    /// Waits until nobody writes the record any more, which only a panic can bring about.
    pub async fn record_gone(&self) {
        self.0.recorder.gone().await;
    }

    /// Passes on what the shards tell.
    pub fn on_media(&self, event: MediaEvent) {
        self.0.wiring.routes.deliver(event);
    }

    /// Has a call do what an operator asks; it says why not.
    async fn ask(&self, call: &CallId, by: &UserId, command: Command) -> Result<(), CommandError> {
        let (reply, replied) = oneshot::channel();
        self.0.to_call(call, ToCall::Command { by: by.clone(), command, reply })?;
        replied.await.unwrap_or(Err(CommandError::NoSuchCall))
    }

    /// Every live call, as consoles see it.
    pub fn views(&self) -> Vec<CallView> {
        let mut views: Vec<_> = self.0.lock().values().filter_map(|l| l.view.clone()).collect();
        views.sort_by(|a, b| a.started_at.cmp(&b.started_at).then_with(|| a.id.cmp(&b.id)));
        views
    }

    /// Who was joined with the caller of a live call: `Some(None)` for a number dialled by hand, `None` if nobody
    /// was. After wrap-up the call's record tells (`patch_joined`).
    pub fn joined(&self, call: &CallId) -> Option<Option<ContactRef>> {
        self.0.lock().get(call)?.joined.clone()
    }

    /// Alarms about calls that stand now.
    pub fn alarms(&self) -> Vec<AlarmView> {
        self.0.list_alarms()
    }

    /// An operator has seen to an alarm. If it was about a caller, their call's record remembers that: returns when it does,
    /// or when the store has taken too long; it is written then as soon as it can be.
    pub async fn silence(&self, alarm: &str) {
        let Some((call, seen)) = self.0.take_back(alarm) else { return };
        if seen == SEEN_TO {
            self.0.tell_of_caller(&call, true);
        }
        let (at, body) = (self.0.wiring.clock.utc(), Value::Object(Default::default()));
        let written = self.0.recorder.written(Line::Event { call, at, kind: seen.to_owned(), body });
        if tokio::time::timeout(SEEN_LIMIT, written).await.is_err() {
            tracing::warn!("that an alarm was seen waits for the store");
        }
    }

    /// Somebody has seen to the caller of a call that is over; alarms about it go.
    pub fn see_to(&self, call: &CallId) {
        self.0.see_to(call);
    }

    /// Lets everybody go: the service is stopping.
    pub fn stop(&self) {
        for live in self.0.lock().values() {
            // An error means only that the call is over.
            let _ = live.inbox.send(Box::new(ToCall::Stop));
        }
        self.0.out.stop();
        self.0.faxes.stop();
        self.0.inner.stop();
    }

    /// Waits until all that happened in calls so far is on record.
    pub async fn recorded(&self) {
        self.0.recorder.settled().await;
    }

    /// True once no call is left.
    pub fn is_idle(&self) -> bool {
        // Whoever waits to be called back waits on after the next start.
        let waits =
            |view: &CallView| (view.ring_back.is_some() || view.job.is_some()) && view.state == CallState::Queued;
        let only_waits = self.0.lock().values().all(|live| live.view.as_ref().is_some_and(waits));
        let idle = self.0.out.is_empty() && self.0.faxes.is_empty();
        only_waits && idle && self.0.helping.is_empty() && self.0.inner.is_empty()
    }
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, HashMap<CallId, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_call(&self, call: &CallId, word: ToCall) -> Result<(), CommandError> {
        let live = self.lock();
        let to = live.get(call).ok_or(CommandError::NoSuchCall)?;
        to.inbox.send(Box::new(word)).map_err(|_| CommandError::NoSuchCall)
    }

    fn on_desk(&self, word: FromDesk) {
        let (FromDesk::Offer { call, .. }
        | FromDesk::Fetch { call, .. }
        | FromDesk::PassRefused { call, .. }
        | FromDesk::Overdue { call }
        | FromDesk::Comfort { call, .. }
        | FromDesk::MakeWay { call, .. }
        | FromDesk::SeatLost { call, .. }
        | FromDesk::SeatHungUp { call, .. }
        | FromDesk::ListensElsewhere { call, .. }) = &word;
        let call = call.clone();
        if self.to_call(&call, ToCall::Desk(word.clone())).is_err()
            && let FromDesk::Offer { user, .. } | FromDesk::Fetch { user, .. } = word
        {
            // The call ended while it was being offered.
            self.desk.from_call(call.clone(), CallWord::Dequeue);
            self.desk.from_call(call, CallWord::OfferFailed { user, why: OfferEnd::Withdrawn });
        }
    }

    /// Has the messages counted that a caller left before, beside the call, and tells it.
    fn count_earlier(self: &Arc<Self>, facts: &Facts) {
        let Some(caller) = facts.caller.clone() else { return };
        let (calls, id, account) = (Arc::clone(self), facts.id.clone(), facts.account.id.clone());
        tokio::spawn(async move {
            let counted = tokio::time::timeout(LOOK_UP_LIMIT, calls.accounts.count_earlier(&account, &caller)).await;
            if let Ok(messages @ 1..) = counted {
                // An error means that the call is over.
                let _ = calls.to_call(&id, ToCall::Earlier(messages));
            }
        });
    }

    async fn receive(self: Arc<Self>, incoming: Box<IncomingCall>) {
        let (started, started_at) = (self.wiring.clock.instant(), self.wiring.clock.utc());
        let leg = incoming.leg;
        let refuse = |cause| self.wiring.signalling.to_trunk(leg, LegCommand::Reject(cause));
        let Some(did) = incoming.did.clone() else {
            metrics::counter!("cordboard_calls_unknown_did_total").increment(1);
            tracing::warn!(leg = leg.0, trunk = incoming.trunk, "a call for what is no telephone number");
            return refuse(Cause::WrongNumber);
        };
        let account = match tokio::time::timeout(LOOK_UP_LIMIT, self.accounts.find_by_did(&did)).await {
            Ok(Ok(Some(account))) => account,
            Ok(Ok(None)) => {
                metrics::counter!("cordboard_calls_unknown_did_total").increment(1);
                tracing::warn!(leg = leg.0, trunk = incoming.trunk, "a call for a number that belongs to no account");
                return refuse(Cause::WrongNumber);
            }
            Ok(Err(why)) => {
                tracing::error!(leg = leg.0, "call refused, the store failed: {why}");
                return refuse(Cause::Unreachable);
            }
            Err(_) => {
                tracing::error!(leg = leg.0, "call refused, the store did not answer in time");
                return refuse(Cause::Unreachable);
            }
        };
        let id = CallId::fresh(started_at);
        let (caller, forwarded_from) = (incoming.caller.clone(), incoming.forwarded_from.clone());
        let facts =
            Facts { id, account, did, caller, forwarded_from, started, started_at, earlier: 0, rings_back: None };
        self.run(facts, incoming).await;
    }

    async fn run(self: Arc<Self>, facts: Facts, incoming: Box<IncomingCall>) {
        let id = facts.id.clone();
        metrics::counter!("cordboard_calls_total").increment(1);
        self.recorder.write(Line::Started(CallRecord {
            id: id.clone(),
            account: facts.account.id.clone(),
            direction: Direction::In,
            trunk: incoming.trunk.clone(),
            did: Some(facts.did.clone()),
            remote: facts.caller.clone(),
            forwarded_from: facts.forwarded_from.clone(),
            started_at: facts.started_at,
            end: None,
        }));
        if let Some(verstat) = incoming.verstat {
            let (kind, body) = ("verstat".to_owned(), serde_json::json!({ "verstat": verstat }));
            self.recorder.write(Line::Event { call: id.clone(), at: facts.started_at, kind, body });
        }
        // By the wall clock as the INVITE came.
        let picked = facts.account.flow_of_call(&facts.did, facts.started_at).not_back_to(
            &facts.account,
            &self.shown,
            facts.caller.as_ref(),
            facts.forwarded_from.as_ref(),
        );
        if picked.flow != Flow::default() || picked.window.is_some() {
            let body = serde_json::json!({ "flow": picked.flow.word(), "why": picked.why });
            let (call, at, kind) = (id.clone(), facts.started_at, "flow_picked".to_owned());
            self.recorder.write(Line::Event { call, at, kind, body });
        }
        self.live(facts, Direction::In, |calls, facts, inbox| CallTask::new(calls, facts, picked, *incoming, inbox))
            .await;
    }

    /// Runs a call from its first moment to its last.
    async fn live(
        self: Arc<Self>,
        facts: Facts,
        direction: Direction,
        make: impl FnOnce(Arc<Self>, Facts, mpsc::UnboundedReceiver<Box<ToCall>>) -> CallTask + Send + 'static,
    ) {
        // The account that was called: figures are of that one. Whose the call is by the end is in its view.
        let (id, account, caller) = (facts.id.clone(), Arc::clone(&facts.account), facts.caller.clone());
        let started_at = facts.started_at;
        let (inbox, received) = mpsc::unbounded_channel();
        self.lock().insert(id.clone(), Live { inbox, view: None, joined: None, slot: None });
        let calls = Arc::clone(&self);
        let mut work = pin!(async move { Box::new(make(calls, facts, received)).run().await });
        // What a panic leaves half done goes with it: nothing of it is used again.
        let guarded = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(polled) => polled.map(|()| true),
            Err(_) => Poll::Ready(false),
        });
        if !guarded.await {
            self.bury(&id);
            if direction == Direction::In {
                let now_of = self.lock().get(&id).and_then(|live| Some(live.view.as_ref()?.account.name.clone()));
                let text = alarm_text::fault(now_of.as_deref().unwrap_or(&account.name), caller.as_ref());
                self.raise_of_caller(AlarmLevel::Critical, text, &id);
                let wait_ms = self.wiring.clock.utc().since(started_at).max(0);
                // One who was answered was cut off all the same, and cut-off callers are in no service level.
                let lost = Fact::Lost { how: Lost::CutOff, wait_ms, answered: false };
                self.figures.count(&account.id, &account.zone, started_at, vec![lost]);
            }
        }
        self.lock().remove(&id);
        self.feed.publish(FeedEvent::CallGone { id });
    }

    /// A call's task panicked. Its legs and bridge went with it; the rest is told here.
    fn bury(&self, id: &CallId) {
        tracing::error!(call = %id, "a call ended by a fault of ours");
        metrics::counter!("cordboard_call_panics_total").increment(1);
        self.desk.from_call(id.clone(), CallWord::Died);
        // What was said into a voicemail until then is a message.
        self.recorder.write(Line::VoicemailEnded { call: id.clone(), at: self.wiring.clock.utc(), heard: true });
        self.finish_as_fault(id.clone());
    }

    /// The record of a call whose task is gone.
    fn finish_as_fault(&self, call: CallId) {
        let end = CallEnd {
            answered_at: None,
            ended_at: self.wiring.clock.utc(),
            outcome: FAULT.to_owned(),
            cause: Cause::Fault,
            operator: None,
        };
        self.recorder.write(Line::Finished { call, end });
    }

    fn show(&self, view: &CallView, joined: Option<Option<ContactRef>>) {
        if let Some(live) = self.lock().get_mut(&view.id) {
            live.view = Some(view.clone());
            live.joined = joined;
            live.slot = live.slot.filter(|_| view.parked.is_some());
        }
    }

    /// Nobody need ring this caller any more.
    fn see_to(&self, call: &CallId) {
        self.take_back_about(call);
        self.tell_of_caller(call, true);
        let (kind, body) = (SEEN_TO.to_owned(), Value::Object(Default::default()));
        self.recorder.write(Line::Event { call: call.clone(), at: self.wiring.clock.utc(), kind, body });
    }
}

/// An event's kind and the rest of it, as they go on record.
fn on_record(event: &RecordEvent) -> (String, Value) {
    let mut body = serde_json::to_value(event).unwrap_or_default();
    let kind = body.as_object_mut().and_then(|fields| fields.remove("kind"));
    let kind = kind.and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
    (kind, body)
}
