//! What goes on the record of a call, each with its time to the millisecond.
//!
//! The machines write these; the driver turns their monotonic time into wall time and stores them. Holds a
//! number where one was dialled, so an event is for the record and never for a log.

use serde::{Deserialize, Serialize};

use super::abandoned::Abandoned;
use super::cause::Cause;
use super::listener::ListenMode;
use super::recording::RecordingState;
use crate::base::id::{AccountId, CallId, CallTypeId, ContactId, DispatchId, ScheduleId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::RecordedLegs;

/// Where a call is, as the record and the consoles name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The caller's INVITE is here; nothing was heard yet.
    Arriving,
    Greeting,
    /// Choosing by keys.
    Menu,
    /// Leaving a message to nobody.
    Voicemail,
    /// A client's person hears held messages.
    CheckIn,
    /// Hears words, after which the call is over.
    Announcement,
    /// Being rung elsewhere.
    Spilling,
    /// The account's people are rung, one after another.
    Reaching,
    Queued,
    Offered,
    /// A caller who was promised it is called back; the operator hears it ring.
    RingingBack,
    Talking,
    Held,
    /// At nobody's seat: parked, or on the way to another operator.
    Parked,
    /// A contact is being dialled, or talks with the operator while the caller hears music.
    Patching,
    /// The operator asks another while the caller hears music.
    Consulting,
    /// Caller, operator and contact hear each other.
    Conference,
    /// Caller and contact talk on; the operator has dropped off.
    Patched,
    /// Nobody could take the call; the apology plays.
    Apology,
    /// All legs are gone; the operator finishes the form.
    WrapUp,
    Ended,
}

/// Why an offer to an operator came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEnd {
    /// The ring time ran out.
    Missed,
    /// The operator's phone refused, or could not be reached.
    PhoneFailed,
    /// The operator's console is gone.
    SeatGone,
    /// The caller is no longer there to be offered, or is to be offered later.
    Withdrawn,
}

/// How a call went, for the record and the reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "stage", rename_all = "snake_case")]
pub enum CallOutcome {
    /// An operator talked with the caller.
    Handled,
    /// A contact was joined with the caller.
    Patched,
    /// The caller hung up before an operator was there, or while parked.
    Abandoned(Stage),
    /// No operator within the account's maximum wait.
    NoOperator,
    /// The caller is to be called back instead.
    Callback,
    /// A caller who was to be called back was not reached.
    NotReached,
    /// The caller left a message to nobody.
    Voicemail,
    /// The caller heard an announcement, or as much of it as they wanted.
    Announced,
    /// A client's person checked in, or tried to.
    CheckedIn,
    /// Taken elsewhere.
    Spilled,
    /// The service stopped, and let the caller go.
    CutOff,
}

/// How a voicemail came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoicemailEnd {
    HungUp,
    /// `#`.
    Key,
    Silence,
    Limit,
    /// We ended the call.
    CutOff,
}

/// One line of a call's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RecordEvent {
    Arrived,
    /// Our answer was acknowledged.
    Established,
    GreetingStarted,
    GreetingEnded,
    MenuEntered {
        menu: String,
    },
    /// What the choice is about; never the key.
    MenuChosen {
        choice: String,
    },
    /// Keys that were no choice, or none in time.
    MenuMissed {
        silent: bool,
    },
    MenuLeft {
        to: String,
    },
    /// The caller has waited for too long, and goes on elsewhere in place of the apology.
    QueueLeft {
        to: String,
    },
    VoicemailOffered,
    /// After the tone: what is said from here on is recorded.
    VoicemailBegun {
        call_type: CallTypeId,
    },
    VoicemailEnded {
        why: VoicemailEnd,
        /// The caller said something.
        heard: bool,
    },
    /// The operator sends the caller into the check-in. `vouched`: whom she knows them to be; else the PIN is asked for.
    SentToCheckIn {
        user: UserId,
        vouched: Option<ContactId>,
    },
    /// The PIN is asked for, unless somebody vouches.
    CheckInBegun,
    /// By the PIN of this contact; by one that all of the client's people share, if it is not said whose.
    CheckedIn {
        contact: Option<ContactId>,
        /// Messages that were held.
        held: usize,
    },
    PinRefused,
    /// The operator's own recording of the answer phrase.
    OwnPhrasePlayed {
        user: UserId,
    },
    /// What callers hear before the greeting, by word of a client's person.
    StatusGreetingPlayed,
    /// Whoever checked in has put one up, or taken it down.
    StatusGreetingPutUp,
    StatusGreetingTakenDown,
    /// This one was heard to its end and is delivered.
    ReadAtCheckIn {
        dispatch: DispatchId,
    },
    /// Somebody else is on call from now on, by their word.
    PutOnCall {
        schedule: ScheduleId,
        contact: ContactId,
    },
    /// On to an operator.
    CheckInLeft,
    AnnouncementStarted,
    SpillDialled {
        number: PhoneNumber,
    },
    SpillAnswered,
    SpillFailed {
        why: Cause,
    },
    Queued,
    CallbackOffered,
    /// The caller waits on, or is told the apology.
    CallbackNotWanted,
    /// It is stored.
    CallbackPromised,
    /// The caller is called back.
    RingBackDialled {
        number: PhoneNumber,
    },
    /// A job that was not wanted any more.
    StoodDown,
    /// Back at the head of the queue.
    Requeued,
    ComfortPlayed,
    /// The caller was told this of the queue.
    PlaceTold {
        position: u32,
        minutes: Option<u32>,
    },
    Offered {
        user: UserId,
    },
    /// The operator took the call by a key.
    Taken {
        user: UserId,
    },
    OfferEnded {
        user: UserId,
        why: OfferEnd,
    },
    Talking {
        user: UserId,
    },
    Held,
    Retrieved,
    /// The caller waits at a slot for anybody.
    Parked {
        user: UserId,
        slot: u32,
    },
    Fetched {
        user: UserId,
        slot: u32,
    },
    /// Nobody fetched the caller in time.
    ParkedTooLong,
    /// To another operator; to nobody by name: to the queue.
    PassedOn {
        user: UserId,
        to: Option<UserId>,
    },
    /// The operator asks another.
    ColleagueAsked {
        user: UserId,
    },
    ColleagueThere {
        user: UserId,
    },
    /// And is part of what is said.
    ColleagueJoined {
        user: UserId,
    },
    ColleagueGone {
        user: UserId,
        why: Cause,
    },
    /// The caller is another operator's from now on.
    HandedOver {
        from: UserId,
        to: UserId,
    },
    /// The call turned out to be for another account.
    AccountChanged {
        user: UserId,
        from: AccountId,
        to: AccountId,
    },
    /// The operator sent keys to the other party.
    KeysSent {
        count: usize,
    },
    PatchDialled {
        contact: Option<ContactId>,
        number: PhoneNumber,
    },
    /// By the account's flow: its people are to be rung.
    PatchSought,
    /// Who it is, and why.
    PersonFound {
        contact: ContactId,
        why: String,
    },
    /// Nobody pressed 1. `declined`: they pressed 2.
    PatchNotAccepted {
        declined: bool,
    },
    PatchAccepted,
    /// Nobody is left to be rung.
    NobodyReached,
    /// `*`: caller or contact want an operator.
    PatchRecalled {
        by_caller: bool,
    },
    /// All hear each other again: an operator who was called back, or whoever was put aside.
    PatchRejoined,
    /// No operator came in time.
    RecallFailed,
    /// Caller and contact were warned that their time is nearly over.
    PatchWarned,
    PatchTimeOver,
    /// How long caller and contact were joined, and how much of that without an operator.
    PatchOver {
        ms: u64,
        alone_ms: u64,
    },
    PatchRinging,
    /// The caller of another call of the operator's is the contact from now on.
    CallTakenIn {
        call: CallId,
        contact: Option<ContactId>,
        number: PhoneNumber,
    },
    /// The caller goes on as the contact of another call: what follows is on the record of that.
    GivenTo {
        user: UserId,
        call: CallId,
    },
    /// The contact hears music; operator and caller talk.
    ContactHeld,
    /// The caller hears music again; operator and contact talk.
    PatchPrivate,
    PatchAnswered,
    PatchJoined,
    /// Comes before it where whoever answered was told nothing first: a cold patch, or a blind transfer.
    PatchUnannounced,
    /// The operator dropped off; caller and contact talk on.
    PatchDropped,
    PatchFailed {
        why: Cause,
    },
    PatchCancelled,
    /// The operator's desk phone wants the caller transferred; what comes of it follows as of a patch. `attended`: to
    /// whom the operator has called before.
    TransferAsked {
        attended: bool,
    },
    /// The contact hung up after having been joined.
    ContactLeft {
        why: Cause,
    },
    /// The caller's telephone sends neither audio nor reports though it should; the call goes on.
    CallerSilent,
    CallerHeard,
    /// The same of the contact's.
    ContactSilent,
    ContactHeard,
    /// A join came after the caller had hung up.
    JoinRefused,
    CallerGone {
        stage: Stage,
        why: Cause,
    },
    /// The operator's phone hung up; the console says whether that was meant.
    OperatorHungUp {
        user: UserId,
    },
    OperatorLost {
        user: UserId,
        stage: Stage,
    },
    /// A supervisor took the call from its operator. `to`: for whom; none, for whoever is free first.
    Moved {
        by: UserId,
        from: UserId,
        to: Option<UserId>,
    },
    /// The caller hung up too early, or was told that nobody is free.
    Abandoned {
        on: Abandoned,
    },
    ApologyStarted,
    RecordingChanged {
        state: RecordingState,
        /// Whose words it takes down while it is on.
        #[serde(default)]
        legs: RecordedLegs,
    },
    /// Somebody did not hear that the call is recorded, so it is not, or no longer until the operator says so.
    RecordingNotAnnounced,
    /// A supervisor's phone is up, and they hear.
    ListenBegan {
        user: UserId,
        mode: ListenMode,
    },
    /// They listen on in another mode.
    ListenMode {
        user: UserId,
        mode: ListenMode,
    },
    ListenEnded {
        user: UserId,
    },
    /// The shard put the last hear matrix in force.
    Bridged {
        rev: u64,
    },
    Ended {
        cause: Cause,
        outcome: CallOutcome,
    },
    WrappedUp {
        user: UserId,
        disposition: Option<String>,
    },
    /// The operator asked for as much time once more.
    WrapUpProlonged {
        user: UserId,
    },
    /// The account's time for it was over.
    WrapUpRanOut {
        user: UserId,
    },
}
