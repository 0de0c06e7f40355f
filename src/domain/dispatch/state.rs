//! The state of a dispatch: what was decided, and in `attempt` what was tried.
//!
//! Plain data, stored as it is. What is shown (when to wake) is derived from it, so that two columns can never disagree.

mod attempt;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::patch_step::Patching;
use super::pause::Pause;
use super::protocol::{Protocol, Step, Until};
use super::unopened::Unopened;
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, AttemptId, CallId, DispatchId, MessageId, StepRunId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Urgency;

pub use attempt::{Address, Attempt, AttemptState, CallOutcome, Channel, FailedFor, Purpose};

/// Not accepted within this: the wait runs from handing over.
pub const ACCEPT_WITHIN_MS: i64 = 60_000;
/// Rounds start at least this far apart.
pub const ROUND_GAP_MS: i64 = 60_000;
/// A planned attempt that nobody has handed over by then is taken up again.
pub const HAND_WITHIN_MS: i64 = 15_000;
/// The same of one that is known to wait for its turn.
pub const LANE_NET_MS: i64 = 10 * 60_000;
/// An urgent attempt that waits for its turn for so long is an alarm, and its step goes on as if it had been handed over.
pub const HELD_BACK_MS: i64 = 60_000;
/// The longest an email waits for the call to end.
pub const HOLD_FOR_CALL_MS: i64 = 30 * 60_000;
/// A call-out that has not reported its end this long after it should have been answered is given up.
pub const CALL_GUARD_MS: i64 = 10 * 60_000;
/// A talk with the caller in a call lasts no longer: an hour at most, and time to say so.
pub const TALK_GUARD_MS: i64 = 65 * 60_000;
/// When a temporary failure is tried again: this long after the 1st, 2nd, 3rd failure.
pub const RETRY_AFTER_MS: [i64; 3] = [5_000, 15_000, 30_000];
/// Where no other step will bring the message: this long after the failures that follow, the last of them again and again.
pub const PATIENT_AFTER_MS: [i64; 5] = [60_000, 5 * 60_000, 15 * 60_000, 30 * 60_000, 60 * 60_000];
/// So often: for a day in all.
pub const PATIENT_TRIES: usize = 27;

/// One run of a protocol for a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub id: DispatchId,
    pub message: MessageId,
    pub account: AccountId,
    pub urgency: Urgency,
    /// The version of the protocol that this dispatch runs to its end.
    pub protocol: Protocol,
    pub saved_at: UtcMs,
    /// T0: until then it can be taken back.
    pub open_at: UtcMs,
    /// The call the message was taken on, while that call is up: emails wait for its end.
    pub on_call: Option<CallId>,
    /// Whom the caller was put through to, one after another, once a patch on that call had connected.
    #[serde(default, deserialize_with = "super::patch_step::read_names")]
    pub patched_to: Vec<String>,
    /// Whom the operator is trying to put the caller through to.
    #[serde(default)]
    pub patching: Option<Patching>,
    /// The caller has left that call, though it may not be over.
    #[serde(default)]
    pub caller_gone: bool,
    pub phase: Phase,
    pub troubles: BTreeSet<Trouble>,
    /// Counted from 1; 0 before the first step.
    pub round: u32,
    pub round_at: UtcMs,
    /// How often an operator had it tried again.
    #[serde(default)]
    pub retried: u32,
    pub cursor: Cursor,
    /// Nothing goes out for the time being.
    #[serde(default)]
    pub paused: Option<Pause>,
    pub runs: Vec<StepRun>,
    /// Runs before this one told the message as it was before it was changed and begun again.
    #[serde(default)]
    pub first_run: usize,
    pub attempts: Vec<Attempt>,
    pub closed_at: Option<UtcMs>,
    /// Who confirmed or closed it.
    pub closed_by: Option<String>,
    /// Who accepted it by text and has not opened it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unopened: Option<Unopened>,
}

/// A dispatch about to be inserted together with its message.
#[derive(Clone, Debug)]
pub struct NewDispatch {
    pub id: DispatchId,
    pub message: MessageId,
    pub account: AccountId,
    pub urgency: Urgency,
    pub protocol: Protocol,
    /// How long it can be taken back.
    pub undo_secs: u32,
    /// The call the message was taken on, if that call is still up.
    pub on_call: Option<CallId>,
    /// Whom the caller was put through to, if a patch on that call has connected already.
    pub patched_to: Vec<String>,
}

impl NewDispatch {
    /// The state of a dispatch saved at `now`.
    pub fn saved(self, now: UtcMs) -> State {
        let open_at = now.plus_secs(i64::from(self.undo_secs));
        State {
            id: self.id,
            message: self.message,
            account: self.account,
            urgency: self.urgency,
            protocol: self.protocol,
            saved_at: now,
            open_at,
            on_call: self.on_call,
            patched_to: self.patched_to,
            patching: None,
            caller_gone: false,
            phase: Phase::Open,
            troubles: BTreeSet::new(),
            round: 0,
            round_at: open_at,
            retried: 0,
            cursor: Cursor::Before,
            paused: None,
            runs: Vec::new(),
            first_run: 0,
            attempts: Vec::new(),
            closed_at: None,
            closed_by: None,
            unopened: None,
        }
    }
}

/// Where a dispatch stands (design §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Saved, not started: it can be taken back.
    Open,
    Running,
    /// Waits for the client to check in.
    HeldForCheckIn,
    /// Waits for the account's next recap.
    HeldForRecap,
    /// A recap that holds it was accepted.
    Recapped,
    /// The client has heard it at check-in.
    ReadAtCheckIn,
    Confirmed,
    Told,
    /// Met on the protocol's own terms, without confirmation.
    Delivered,
    Patched,
    /// The steps ran out and nobody said yes. Not over: late replies count, operators are told.
    ExhaustedUnconfirmed,
    /// Taken back within the undo time.
    Cancelled,
    ClosedByOperator,
}

impl Phase {
    /// Whether a confirmation still counts.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Open | Self::Running | Self::HeldForCheckIn | Self::HeldForRecap | Self::ExhaustedUnconfirmed
        )
    }

    /// The name stored and shown to programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Running => "running",
            Self::HeldForCheckIn => "held_for_check_in",
            Self::HeldForRecap => "held_for_recap",
            Self::Recapped => "recapped",
            Self::ReadAtCheckIn => "read_at_check_in",
            Self::Confirmed => "confirmed",
            Self::Told => "told",
            Self::Delivered => "delivered",
            Self::Patched => "patched",
            Self::ExhaustedUnconfirmed => "exhausted_unconfirmed",
            Self::Cancelled => "cancelled",
            Self::ClosedByOperator => "closed_by_operator",
        }
    }
}

/// What needs an operator. Ordered: the gravest last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trouble {
    /// A text came in that matches nothing.
    TextUnplaced { from: String },
    /// A person wrote from their inbox.
    Wrote { from: String },
    /// A person answered an email with more than a yes, or one that asks for none.
    MailUnplaced { from: String },
    /// A destination cannot be reached: it is missing, or what went there came back.
    Unreachable { who: String },
    /// They asked for no more texts (STOP).
    Stopped {
        who: String,
        /// What they texted it from; alarms of before it was kept have none.
        #[serde(default)]
        number: Option<PhoneNumber>,
    },
    /// Somebody who was called heard the message, spoke with the caller for so long and has not said that they take it. The steps go
    /// on, as it may be that nobody does.
    SpokeUnconfirmed { who: String, secs: u32 },
    /// Somebody said yes by text to a protected message that they can neither open nor have heard: that confirms nothing.
    AcceptedUnheard { who: String },
    /// Whoever took the call to them keyed a wrong PIN as often as one may be, and has not heard the message.
    WrongPins { who: String },
    /// Something urgent waits for its turn, as more is to leave than its edge or its person may be given.
    HeldBack { channel: Channel },
    /// The carrier or mail server could not be used.
    EdgeDown { channel: Channel },
    /// No voice could speak the words of a call.
    VoiceDown,
    /// A fax never came to a try at their machine: no trunk takes it, or none can be made here.
    FaxHeldUp,
    /// The client's system of this name could not be posted to: each is an edge of its own.
    SystemDown { name: String },
    /// No operator has made a call that is theirs to make, or has said what came of it.
    JobWaits { who: String },
    /// Nobody was on call for a role.
    NobodyOnCall { role: String },
    /// Round after round, and nobody has been told.
    NobodyTold,
    /// Somebody has been told and has not said yes, and a whole round has asked nobody.
    NobodyAsked,
    /// The steps ran out where it only has to be handed over, and not all of it could be. `some`: some of it was.
    NotHandedOver { some: bool },
    /// The steps ran out, and nobody has said yes.
    Exhausted,
}

impl Trouble {
    /// Whatever an attempt leaves by cannot be used.
    pub fn of_edge(a: &Attempt) -> Self {
        match &a.address {
            Address::Webhook(name) => Self::SystemDown { name: name.clone() },
            Address::Fax(_) if a.held_up > 0 => Self::FaxHeldUp,
            _ if a.failed.as_ref().is_some_and(|failed| failed.why == FailedFor::NO_VOICE) => Self::VoiceDown,
            _ => Self::EdgeDown { channel: a.channel },
        }
    }

    /// The steps have run out, however that is said.
    pub const fn is_run_out(&self) -> bool {
        matches!(self, Self::Exhausted | Self::NotHandedOver { .. })
    }
}

/// Where the protocol is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Cursor {
    Before,
    /// In the run with this index in [`State::runs`].
    In {
        run: usize,
    },
    /// Between rounds: the next begins at this time with this step (counted from 0).
    Pausing {
        until: UtcMs,
        step: usize,
    },
    /// No step is left.
    Done,
}

/// A step as it was entered in one round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRun {
    pub id: StepRunId,
    pub round: u32,
    /// Counted from 0.
    pub step: usize,
    pub entered_at: UtcMs,
    pub state: RunState,
    /// How often it has been made after the first time.
    #[serde(default)]
    pub again: u8,
    /// Attempts before this one were of earlier tries.
    #[serde(default)]
    pub first_attempt: usize,
    /// Since when an answer is waited for.
    pub wait_from: Option<UtcMs>,
    /// Until when the message is held, if it is held and not for as long as it takes.
    #[serde(default)]
    pub held_until: Option<UtcMs>,
    pub ended_at: Option<UtcMs>,
    /// Who was meant and why, in words.
    pub why: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    Attempting,
    Waiting,
    /// The message waits to be asked for.
    Held,
    Confirmed,
    Told,
    /// Handed over; this step asks nobody for an answer.
    Done,
    TimedOut,
    Failed,
    NoOne,
    Skipped,
}

impl RunState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attempting => "attempting",
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Confirmed => "confirmed",
            Self::Told => "told",
            Self::Done => "done",
            Self::TimedOut => "timed_out",
            Self::Failed => "failed",
            Self::NoOne => "no_one",
            Self::Skipped => "skipped",
        }
    }
}

/// Why a dispatch wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Open,
    WaitOver,
    NextRound,
    /// The time for a check-in is over.
    HoldOver,
    AcceptGuard,
    CallGuard,
    FaxGuard,
    /// An operator's call.
    Job,
    /// The operator with the caller.
    Patch,
    Paused,
    CallEnd,
    /// The hours of a destination begin.
    Hours,
    Retry,
    /// It waits for its turn.
    Turn,
    Hand,
    /// Whoever accepted it has not opened it yet.
    Unopened,
}

impl StepRun {
    /// Its step is made again before the next one.
    pub fn has_tries_left(&self, step: &Step) -> bool {
        self.again.saturating_add(1) < step.times()
    }

    /// How long is waited: for the next try, or after the last.
    pub fn wait_secs(&self, step: &Step) -> u32 {
        match step.tries {
            Some(tries) if self.has_tries_left(step) => tries.apart_secs,
            _ => step.wait_secs,
        }
    }
}

impl State {
    /// When to wake next and why: the soonest of all there is to wait for. `None`: nothing, which is right
    /// only for what is closed, settled and opened, or waits for people alone ([`Phase::ExhaustedUnconfirmed`], and
    /// [`Phase::HeldForCheckIn`] without an end), or for a recap, which wakes by itself ([`Phase::HeldForRecap`]).
    pub fn wake(&self) -> Option<(UtcMs, Reason)> {
        if let Some(pause) = self.paused.as_ref().filter(|_| self.phase.is_open()) {
            return Some((pause.until, Reason::Paused));
        }
        let attempts = self.attempts.iter().filter_map(Attempt::wake);
        let own = match (self.phase, self.cursor) {
            (Phase::Open, _) => Some((self.open_at, Reason::Open)),
            (Phase::Running, Cursor::Pausing { until, .. }) => Some((until, Reason::NextRound)),
            (Phase::Running, Cursor::In { run }) => self.due_at(run).map(|at| (at, Reason::WaitOver)),
            (Phase::HeldForCheckIn, Cursor::In { run }) => self.due_at(run).map(|at| (at, Reason::HoldOver)),
            _ => None,
        };
        let unopened = self.unopened.as_ref().and_then(|unopened| Some((unopened.due_at?, Reason::Unopened)));
        attempts.chain(own).chain(unopened).min_by_key(|(at, _)| *at)
    }

    /// When the wait of a run is over, once it has begun, or the time for which it holds the message.
    pub fn due_at(&self, run: usize) -> Option<UtcMs> {
        let run = self.runs.get(run)?;
        let step = self.protocol.steps.get(run.step)?;
        if step.method.is_held() {
            return run.held_until;
        }
        Some(run.wait_from?.plus_secs(i64::from(run.wait_secs(step))))
    }

    /// The step of a run, if the protocol in force has it.
    pub fn step_of(&self, run: usize) -> Option<&Step> {
        self.protocol.steps.get(self.runs.get(run)?.step)
    }

    /// The run the dispatch is in.
    pub fn current(&self) -> Option<usize> {
        match self.cursor {
            Cursor::In { run } => Some(run),
            _ => None,
        }
    }

    /// Attempts of a run, with their indices.
    pub fn attempts_of(&self, run: usize) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(move |a| a.purpose == Purpose::Step { run })
    }

    pub fn find_attempt(&self, id: &AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|a| a.id == *id)
    }

    /// Attempts of the try that a run is in.
    pub fn attempts_of_try(&self, run: usize) -> impl Iterator<Item = &Attempt> {
        let first = self.runs.get(run).map_or(0, |run| run.first_attempt);
        self.attempts.iter().skip(first).filter(move |a| a.purpose == Purpose::Step { run })
    }

    /// The attempt is of a step that only tells people.
    pub fn informs(&self, purpose: &Purpose) -> bool {
        match purpose {
            Purpose::Step { run } if self.is_of_now(purpose) => self.step_of(*run).is_some_and(|step| step.informs),
            _ => false,
        }
    }

    /// Somebody has heard or opened the whole content, as it is now, who was not only to be informed of it.
    pub fn anybody_told(&self) -> bool {
        let mut now = self.attempts.iter().filter(|a| self.is_of_now(&a.purpose) && !self.informs(&a.purpose));
        now.any(|a| a.told_at.is_some() || a.confirmed_at.is_some())
    }

    /// Codes that confirm this dispatch at numbers: number, code, attempt that used it last.
    pub fn codes(&self) -> impl Iterator<Item = (&PhoneNumber, u16, &Attempt)> {
        let now = self.attempts.iter().filter(|a| a.is_step() && self.is_of_now(&a.purpose));
        now.filter_map(|a| Some((a.address.phone()?, a.code?, a)))
    }

    /// Somebody is told, and it is over only once somebody has said yes.
    pub fn waits_for_yes(&self) -> bool {
        let step = self.current().and_then(|run| self.step_of(run));
        let until = step.and_then(|step| step.until(self.protocol.until)).unwrap_or(self.protocol.until);
        self.phase == Phase::Running && until == Until::Confirmed
    }

    /// It ends at handing over, by each of its steps: there is no yes to come.
    pub fn only_hands_over(&self) -> bool {
        let asks_more = |step: &Step| step.done.is_some_and(|done| done != Until::HandedOver);
        self.protocol.until == Until::HandedOver && !self.protocol.steps.iter().any(asks_more)
    }

    /// The steps have run out where nobody was to say yes, and not all of it could be handed over.
    pub fn is_not_handed_over(&self) -> bool {
        self.phase == Phase::ExhaustedUnconfirmed && self.only_hands_over()
    }

    /// An operator is asked for.
    pub fn needs_operator(&self) -> bool {
        !self.troubles.is_empty()
    }
}
