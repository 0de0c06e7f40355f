//! The words of a [`Call`](super::Call): what it is made with, what it is told, what operators ask of it, and what it wants
//! done.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use super::bridge::{HearMatrix, KeysBound, LegId};
use super::callback::CallbackTerms;
use super::cause::Cause;
use super::check_in::Wish;
use super::event::{CallOutcome, OfferEnd, RecordEvent};
use super::leg::LegInput;
use super::park::ParkTimes;
use super::reach::{Number, Person};
use super::recording::{RecordingCommand, RecordingState};
use super::ring_back::RingBack;
use super::transfer::TransferProgress;
use crate::base::id::{AccountId, CallId, CallTypeId, ContactId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::flow::Flow;
use crate::domain::account::patching::Whom;
use crate::domain::account::{RecordingPolicy, Speech};
use crate::domain::checkin;
use crate::domain::ivr::digits::Entered;
use crate::domain::ivr::menu::{Context, Menu};
use crate::domain::operator::skill::Skills;
use crate::domain::queue::place::Place;

/// What a call is made with, out of its account.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Of the account, as people hear it.
    pub name: String,
    pub caller: LegId,
    pub greeting: Speech,
    /// What is heard before it, for now.
    pub status: Option<Speech>,
    /// What comes after it.
    pub flow: Flow,
    pub menus: Vec<Menu>,
    /// What menus may ask of the call.
    pub context: Context,
    /// The rank in the queue, unless the flow says another.
    pub priority: i32,
    /// The ranks of those call types that have one of their own.
    pub ranks: Vec<(CallTypeId, i32)>,
    /// What the call is known to be about before it begins: of one who is called back.
    pub call_type: Option<CallTypeId>,
    /// What an operator must be able to do for the caller by what they chose in a call before: of one who is called back.
    pub skills: Skills,
    /// What they entered in a menu then.
    pub entered: Vec<Entered>,
    /// What follows in place of the apology when the caller has waited for too long, and the leg by which that may be taken
    /// elsewhere.
    pub overdue: Option<Flow>,
    pub overdue_leg: LegId,
    /// The leg by which the call may be taken elsewhere, if the flow does that.
    pub spill_leg: LegId,
    pub apology: Speech,
    /// What is said in the queue, in turn.
    pub comfort: Vec<Speech>,
    /// How long one operator is offered the call.
    pub ring: Duration,
    pub recording: RecordingPolicy,
    /// How long the operator may take to wrap up; as long as they like, if it is not said.
    pub wrap_up: Option<Duration>,
    pub callback: CallbackTerms,
    /// The caller is not on the line, but to be called back.
    pub ring_back: Option<RingBack>,
    pub park: ParkTimes,
    /// How long caller and contact may talk on without an operator.
    pub patch_limit: Option<Duration>,
    /// The answer phrase in the own voice of those operators who have recorded it.
    pub phrases: Vec<(UserId, Speech)>,
}

/// What a call is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// The call is here; always first.
    Arrived,
    Leg {
        leg: LegId,
        event: LegInput,
    },
    PlayDone {
        leg: LegId,
        play: u64,
    },
    /// Words could not be spoken; a tone plays in their place.
    Unspoken {
        leg: LegId,
        play: u64,
    },
    /// A hear matrix is in force.
    Bridged {
        rev: u64,
    },
    /// The queue picked an operator. `ring`: their phone is rung at once; otherwise they must take the call.
    Offer {
        user: UserId,
        leg: LegId,
        ring: bool,
    },
    /// An operator fetches the parked caller, or is to have the one who was passed on.
    Fetch {
        user: UserId,
        leg: LegId,
        ring: bool,
    },
    /// The operator to whom the caller was passed on has no room.
    PassRefused {
        user: UserId,
    },
    /// Whom an automated patch is to ring.
    People(Vec<Person>),
    /// The account's maximum wait is over.
    Overdue,
    /// Time for the comfort message.
    Comfort,
    /// Where the caller stands, to be said after it.
    Place(Place),
    /// What this operator is offered is to be offered later: she has not taken it, nobody is on its line, and somebody is on
    /// another.
    MakeWay {
        user: UserId,
    },
    /// Somebody is to be served before the others.
    Raise {
        priority: i32,
    },
    /// A job is no longer wanted.
    StoodDown,
    /// The operator gives a job back.
    GivenBack,
    /// What came of a job is known.
    Settled,
    /// A callback that was asked for is stored, or is not.
    CallbackStored(bool),
    /// What was asked for a check-in ([`Output::CheckIn`]).
    CheckIn(checkin::Input),
    /// Neither media nor console of the operator for 5 s.
    SeatLost {
        user: UserId,
    },
    /// The operator's phone hung up and the console is alive: it was meant.
    SeatHungUp {
        user: UserId,
    },
    /// The service is stopping: everybody is let go.
    Stop,
    /// A deadline may have passed.
    Tick,
}

/// What an operator does with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorCommand {
    Take,
    Hold,
    Retrieve,
    HangUp,
    /// Dial a contact while the caller hears music. `leg` is the number of the leg to be made.
    Patch {
        leg: LegId,
        number: PhoneNumber,
        contact: Option<ContactId>,
        ring: Duration,
        /// Where the contact is tried next, if that one does not answer.
        then: VecDeque<Number>,
        /// Whoever answers is joined with the caller at once, and the operator is out of it.
        cold: bool,
    },
    /// The contact's next telephone: this one was a machine's, or somebody else's.
    NextNumber,
    /// The contact waits with music while operator and caller talk.
    HoldContact,
    /// The caller waits with music while operator and contact talk.
    Private,
    /// All hear each other: the contact too, or the colleague who is asked.
    Join,
    Drop,
    /// Gives up whom was rung. A contact who had called waits instead.
    Cancel,
    /// Hangs up on a contact who had called.
    LetGo,
    Recording(RecordingCommand),
    /// The caller waits at this slot, until anybody fetches them.
    Park {
        slot: u32,
    },
    /// To another operator; to nobody by name: back to the head of the queue.
    Pass {
        to: Option<UserId>,
        note: Option<String>,
    },
    /// Talk with another operator while the caller hears music.
    Ask {
        user: UserId,
    },
    /// The caller is that operator's from now on.
    HandOver,
    /// No more of my recording: I speak myself.
    Speak,
    /// The caller hears what is held for the account's people. `vouched`: who they are, by the operator's word; else by PIN.
    CheckIn {
        vouched: Option<ContactId>,
    },
    /// Keys to the other party.
    Keys(String),
    /// The call is for another account: a wrong number, a sister company.
    ChangeAccount(Box<AccountChange>),
    WrapUpDone {
        disposition: Option<String>,
    },
    /// As much time for the wrap-up once more.
    WrapUpMore,
}

/// A call's account in place of another, whose wishes count from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountChange {
    pub from: AccountId,
    pub to: AccountId,
    pub priority: i32,
    pub ranks: Vec<(CallTypeId, i32)>,
    pub overdue: Option<Flow>,
    pub apology: Speech,
    pub comfort: Vec<Speech>,
    pub ring: Duration,
    pub patch_limit: Option<Duration>,
    pub wrap_up: Option<Duration>,
    pub callback: CallbackTerms,
    pub recording: RecordingPolicy,
}

/// Why a command was not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    NoSuchCall,
    /// Another operator has the call, or none.
    NotYours,
    /// It does not fit what the call is doing now.
    NotNow,
    /// The caller has hung up in the meantime.
    CallerGone,
    /// The account does not want its calls recorded.
    NotRecorded,
    /// Who has the call cannot listen to it as well.
    OwnCall,
    /// The account sets no limit to the wrap-up.
    NotLimited,
    /// The operator has as many calls as a seat may have.
    SeatFull,
    /// The operator's seat takes no calls now.
    NotReady,
    /// The operator is in the middle of a patch on another call.
    Patching,
    /// The operator to whom the caller was to go is not ready.
    NotThere,
    /// The contact has no other telephone.
    NoNumberLeft,
    /// A job is not passed on: who has it says what came of it.
    IsJob,
    /// What came of the job has to be said first.
    OutcomeMissing,
    /// The caller who is to be the contact withholds their number, and a patch's record names one.
    Withheld,
    /// The two calls are for two clients: what is patched and recorded is one's own.
    OtherAccount,
    /// The contact was not rung: they called, and giving up does not hang up on them.
    ContactCalled,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchCall => "there is no such call",
            Self::NotYours => "this call is not at your seat",
            Self::NotNow => "the call cannot do that now",
            Self::CallerGone => "the caller has hung up",
            Self::NotRecorded => "calls for this account are not recorded",
            Self::OwnCall => "this call is yours: you are in it already",
            Self::NotLimited => "the wrap-up has no time limit: take your time",
            Self::NotReady => "you are not ready: get ready first, with the ready check if your softphone was lost",
            Self::SeatFull => "you have as many calls as a seat may have: finish or park one first",
            Self::Patching => "you are in a patch or with a colleague: finish that first",
            Self::NoNumberLeft => "there is no other telephone to try: give up, and pick somebody else",
            Self::IsJob => "this is a job of a dispatch: finish it, or give it back for another operator",
            Self::OutcomeMissing => "say first what came of the call",
            Self::Withheld => "that caller withholds their number: patch by dialling them instead",
            Self::OtherAccount => "the two calls are for two accounts: callers of different clients are not joined",
            Self::ContactCalled => {
                "whom you joined had called you, and waits: hang up on them by the button that says so, if you mean it"
            }
            Self::NotThere => "that operator is not ready: choose another, or give the call back to the queue",
        })
    }
}

impl std::error::Error for CommandError {}

/// Whom a leg is dialled to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    Operator(UserId),
    /// A supervisor who wants to listen.
    Listener(UserId),
    Number(PhoneNumber),
}

/// Something people should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallAlarm {
    /// No operator within the maximum wait: somebody has to call back.
    NoOperator,
    /// Caller or contact called an operator from their patch, and none came in time; the two talk on.
    NobodyCame,
    /// A contact who had called, in this call, and was joined, lost their operator: their call is over, and nobody else knows
    /// of them.
    JoinedCutOff { call: CallId, number: PhoneNumber },
}

/// What a call wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Tell the caller that it rings; the answer comes later.
    Ring {
        leg: LegId,
    },
    /// Let a caller who was told that it rings hear the bridge before the answer.
    EarlyAudio {
        leg: LegId,
    },
    /// Answer the caller, as soon as the greeting is ready.
    Answer {
        leg: LegId,
    },
    Dial {
        leg: LegId,
        to: Party,
    },
    /// End a leg, in whatever state it is, and close its media. Exactly once for every leg.
    HangUp {
        leg: LegId,
    },
    /// End a second leg of an operator's phone, which is not answered yet, in place of [`Output::HangUp`].
    Refuse {
        leg: LegId,
        why: Cause,
    },
    /// Answer that leg at once, with nothing to be made ready: whom it wanted is there.
    PickUp {
        leg: LegId,
    },
    /// How the transfer goes that was asked for by `leg`.
    Transfer {
        leg: LegId,
        progress: TransferProgress,
    },
    SetBridge {
        rev: u64,
        matrix: HearMatrix,
    },
    Play {
        leg: LegId,
        play: u64,
        speech: Speech,
    },
    /// The same, of words that nobody keeps: they hold something of a message.
    PlayOnce {
        leg: LegId,
        play: u64,
        speech: Speech,
    },
    StopPlay {
        leg: LegId,
        play: u64,
    },
    /// The caller has entered this number: put it on record, sealed.
    KeepDigits {
        at: Instant,
        entered: Entered,
    },
    /// Take down what the leg says, to be played back, or no more of it ([`checkin::Input::Dictated`]).
    Dictate {
        leg: LegId,
        on: bool,
    },
    /// Play what was taken down last.
    PlayDictated {
        leg: LegId,
        play: u64,
    },
    /// The caller's call is recorded, or not, from now on.
    SetRecording {
        leg: LegId,
        state: RecordingState,
    },
    /// Which of a leg's keys are for us alone from now on.
    BindKeys {
        leg: LegId,
        bound: KeysBound,
    },
    /// Find out whom to ring for an automated patch, and say it ([`Input::People`]).
    FindPeople {
        whom: Vec<Whom>,
    },
    /// Send these keys to the far end of a leg.
    Keys {
        leg: LegId,
        keys: String,
    },
    /// To the desk: the caller, or a question, is for this operator.
    Pass {
        user: UserId,
    },
    /// To the desk: this operator dials out, and is to have the call.
    Bring {
        user: UserId,
    },
    /// To the desk: the operator who was asked is there.
    ColleagueThere {
        user: UserId,
    },
    /// To the queue: a caller waits.
    Enqueue {
        priority: i32,
        /// What the call is about, if that is known.
        call_type: Option<CallTypeId>,
    },
    /// To the queue: the caller no longer waits.
    Dequeue,
    /// To the queue: the caller cannot be offered now.
    Pause,
    /// To the queue: they can again.
    Resume,
    /// Store that the caller is to be called back there, and say when it is done ([`Input::CallbackStored`]).
    StoreCallback {
        number: PhoneNumber,
    },
    /// To the queue: the caller goes before others from now on.
    Raise {
        priority: i32,
    },
    /// Something for a check-in; answered by [`Input::CheckIn`].
    CheckIn(Wish),
    /// To the queue: the caller is back, at the head.
    Requeue,
    /// The same, and this operator is to have them if they are free.
    Hand {
        user: UserId,
    },
    OfferAccepted {
        user: UserId,
    },
    OfferFailed {
        user: UserId,
        why: OfferEnd,
    },
    /// Nothing is heard of the operator's browser, or it is heard again.
    OperatorSilent {
        user: UserId,
        silent: bool,
    },
    /// The operator's phone hung up: was that meant?
    OperatorHungUp {
        user: UserId,
    },
    /// The operator was lost to the call.
    OperatorLost {
        user: UserId,
    },
    /// The operator has no more to do with the call but to finish the form.
    SeatFreed {
        user: UserId,
    },
    WrappedUp {
        user: UserId,
    },
    /// A supervisor no longer listens. Once for each that ever was dialled.
    ListenerGone {
        user: UserId,
    },
    Record {
        at: Instant,
        event: RecordEvent,
    },
    Alarm(CallAlarm),
    /// All is over but the operator's wrap-up. Exactly once.
    Ended {
        cause: Cause,
        outcome: CallOutcome,
    },
}

/// Why a call wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Acknowledge,
    PromptEnd,
    /// A key, or the end of words, in a menu.
    Menu,
    Voicemail,
    /// A key, the end of words, or an answer at a check-in.
    CheckIn,
    OfferRing,
    ContactRing,
    /// An automated patch: somebody is found, rung, or asked, or the caller hears a word.
    Reach,
    /// Caller and contact have been alone for long.
    PatchTime,
    ParkedTooLong,
    ColleagueRing,
    Doubt,
    Farewell,
    Listener,
    WrapUp,
    Callback,
    RingBack,
    Covered,
}
