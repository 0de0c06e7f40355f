//! What consoles see, and how they learn of it: they subscribe, nobody calls them.
//!
//! Views are whole snapshots of one thing; a console replaces what it had. Holds names and numbers, so a
//! view is for a signed-in operator's socket and never for a log.

use serde::Serialize;
use tokio::sync::broadcast;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, AttemptId, CallId, CallTypeId, ContactId, DispatchId, MessageId, ProtocolId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::flow::Flow;
use crate::domain::account::{Account, RecordedLegs, RecordingMode, Speech, Urgency};
use crate::domain::call::cause::Cause;
use crate::domain::call::comes::Comes;
use crate::domain::call::listener::ListenMode;
use crate::domain::call::recording::RecordingState;
use crate::domain::dispatch::state::Phase;
use crate::domain::figures::Figures;
use crate::domain::ivr::digits::Entered;
use crate::domain::operator::skill::Skill;

/// A change to show.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FeedEvent {
    Seat {
        seat: SeatView,
    },
    Call {
        call: Box<CallView>,
    },
    CallGone {
        id: CallId,
    },
    Queue {
        queue: QueueView,
    },
    Dispatch {
        dispatch: Box<DispatchView>,
    },
    Alarm {
        alarm: AlarmView,
    },
    AlarmGone {
        id: String,
    },
    /// Who is told of alarms and who sees to them; none: nothing stands.
    AlarmChain {
        chain: Option<Box<AlarmChainView>>,
    },
    /// Of the service, and of the accounts whose figures changed.
    Figures {
        figures: FiguresView,
    },
    /// Every 5 s for each party.
    Quality {
        quality: QualityView,
    },
    /// An account is another now, or new: what was read of it before this edition counts no more.
    Account {
        id: AccountId,
        edition: u32,
    },
    /// What is known of a caller who hung up too early, or is to be rung back, is another now.
    Caller {
        call: CallId,
        /// Nobody need ring them any more.
        seen_to: bool,
    },
    /// How far a menu is that somebody tries out: for their own console.
    Trial {
        trial: Box<TrialView>,
    },
    /// How far a greeting is that somebody speaks in by telephone: for their own console.
    Dictation {
        dictation: Box<DictationView>,
    },
}

/// A menu on somebody's telephone, as far as they have come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TrialView {
    pub user: UserId,
    pub account: AccountId,
    pub menu: String,
    pub state: TrialState,
    /// The nodes that they have come through, in order; the last is where they are.
    pub trail: Vec<String>,
    pub chosen: Vec<ChosenView>,
    /// How often they pressed nothing in time, or nothing that could be followed.
    pub missed: u32,
    pub exit: Option<Flow>,
    /// Where a caller would go there, in a sentence.
    pub says: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrialState {
    Ringing,
    Walking,
    /// At an exit, hearing its words.
    Left,
    Over,
    /// The telephone did not answer.
    Unreached,
}

/// A greeting that is spoken in on somebody's telephone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DictationView {
    pub user: UserId,
    pub account: AccountId,
    pub state: DictationState,
    /// How often nothing was heard of them.
    pub silent: u32,
    /// What was kept, and how long it is.
    pub speech: Option<Speech>,
    pub millis: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DictationState {
    Ringing,
    /// They are told what to do.
    Listening,
    /// They speak, and are taken down.
    Speaking,
    /// They hear it back, and say whether it is kept.
    Choosing,
    Kept,
    Over,
    /// The telephone did not answer.
    Unreached,
}

/// How a party of a call hears and is heard: the worse of the two directions.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct QualityView {
    pub call: CallId,
    /// `caller`, `operator`, `contact`, `supervisor`.
    pub who: &'static str,
    /// Packets lost in the last 5 s, in percent.
    pub loss: f32,
    pub jitter_ms: u32,
    /// `None` until the far end has told enough.
    pub round_trip_ms: Option<u32>,
}

/// The figures of today.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FiguresView {
    pub service: Figures,
    /// Of whose midnight the service's day and hours are: IANA's name.
    pub zone: String,
    /// Of accounts that were called today, each since its own midnight.
    pub accounts: Vec<AccountFigures>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AccountFigures {
    pub account: AccountId,
    pub figures: Figures,
}

/// The floor as a supervisor sees it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FloorView {
    /// Everybody who has sat down since the service started.
    pub seats: Vec<SeatView>,
    pub calls: Vec<CallView>,
    pub queue: QueueView,
    pub figures: FiguresView,
    /// How soon after their call came in callers are promised an operator.
    pub answer_within_secs: u32,
}

/// An operator at work.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SeatView {
    pub user: UserRef,
    pub state: SeatState,
    /// Why not ready; of somebody offline, with what she comes back.
    pub reason: Option<String>,
    pub since: UtcMs,
    /// A phone is registered.
    pub phone: bool,
    /// Calls ring the desk phone, not the softphone.
    pub desk_phone: bool,
    /// That phone is known to work: the media check has passed since the console connected, or a desk phone has
    /// not failed one.
    pub checked: bool,
    pub calls: Vec<CallId>,
    /// They speak with a colleague on the desk phone, and are offered nothing meanwhile.
    pub aside: bool,
    /// What they can do.
    pub skills: Vec<Skill>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeatState {
    Offline,
    NotReady,
    Ready,
    Offered,
    Talking,
    WrapUp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UserRef {
    pub id: UserId,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AccountRef {
    pub id: AccountId,
    pub name: String,
    pub color: String,
    pub zone: String,
}

impl From<&Account> for AccountRef {
    fn from(account: &Account) -> Self {
        let Account { id, name, color, zone, .. } = account;
        Self { id: id.clone(), name: name.clone(), color: color.clone(), zone: zone.clone() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ContactRef {
    pub id: ContactId,
    pub name: String,
}

/// A call as an operator sees it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CallView {
    pub id: CallId,
    pub account: AccountRef,
    pub account_brief: AccountBrief,
    pub did: PhoneNumber,
    pub caller: Option<PhoneNumber>,
    pub forwarded_from: Option<PhoneNumber>,
    pub state: CallState,
    /// What the caller chose in the account's menu, in order.
    pub chosen: Vec<ChosenView>,
    /// The numbers that the caller entered in the menu.
    pub entered: Vec<Entered>,
    /// What the call is about, as far as its way says.
    pub call_type: Option<CallTypeId>,
    pub seat: Option<UserId>,
    pub started_at: UtcMs,
    pub state_since: UtcMs,
    pub offered_until: Option<UtcMs>,
    /// The caller was promised to be called back, and this is that call.
    pub ring_back: Option<RingBackView>,
    /// The call does a job of a dispatch's.
    pub job: Option<JobView>,
    /// An operator dials out, and has called nobody's caller.
    pub dialled: Option<DialledView>,
    /// Why the caller comes, if not straight or not for the first time.
    pub comes: Option<ComesView>,
    /// Who calls has been asked by dispatches that are open.
    pub rings_back: Option<RingsBackView>,
    /// When the wrap-up ends by itself.
    pub wrap_up_until: Option<UtcMs>,
    pub patch: Option<PatchView>,
    /// Who hears whom now.
    pub hears: Vec<HearsView>,
    pub ended: Option<EndedView>,
    /// Where the caller waits for an operator who fetches them.
    pub parked: Option<ParkedView>,
    /// The operator talks with another one about the caller, who hears music.
    pub colleague: Option<ColleagueView>,
    /// An operator has talked with the caller: there may be a form that was begun.
    pub taken: bool,
    /// What the operator says who passed the caller on.
    pub note: Option<NoteView>,
    pub recording: RecordingView,
    /// Messages taken from this caller before.
    pub earlier: u32,
    /// Supervisors in the call, or on the way into it.
    pub listeners: Vec<ListenerView>,
}

impl CallView {
    /// An operator is to come.
    pub fn waits(&self) -> bool {
        self.state == CallState::Queued || self.patch.as_ref().is_some_and(|patch| patch.recalled)
    }
}

/// A promise to call somebody back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RingBackView {
    /// The call in which it was made.
    pub promised_in: CallId,
    /// When that call came in.
    pub since: UtcMs,
    /// How often they were dialled in vain.
    pub tries: u32,
}

/// A call that a dispatch's step asks an operator to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct JobView {
    /// The attempt: what came of it is said by this name.
    pub attempt: AttemptId,
    pub dispatch: DispatchId,
    pub message: MessageId,
    /// Whom to call, and what they call that telephone.
    pub name: String,
    pub label: String,
    pub headline: String,
    pub urgency: Urgency,
    /// A request to call back may be left.
    pub leave_message: bool,
    /// The machine calls if no operator has taken it by then; else all desks are alarmed.
    pub then_machine: bool,
    /// An operator makes it by hand, beside the steps.
    pub by_hand: bool,
    pub due_at: UtcMs,
    /// What came of it, once that was said: `told`, `confirmed`, `refused`, …
    pub outcome: Option<&'static str>,
    /// It is not wanted any more as it was: the dispatch is over, or has gone on without it. Which, its view says.
    pub stood_down: bool,
}

/// Whom an operator has called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DialledView {
    pub contact: Option<ContactRef>,
    /// What the contact calls that telephone.
    pub label: Option<String>,
}

/// Why a caller comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ComesView {
    pub why: Comes,
    /// Those of the account's people who are named in it.
    pub contacts: Vec<ContactRef>,
}

/// A contact who rings back, as far as the number tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RingsBackView {
    pub contact: ContactId,
    /// As what stands first has it.
    pub name: String,
    /// What they are asked by, oldest first; behind it what they have had a notice of and not heard.
    pub dispatches: Vec<AskedView>,
}

/// An open dispatch that has asked them, or one that has only sent them a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AskedView {
    pub dispatch: DispatchId,
    /// Whom it has asked: of two who share a telephone, and of two clients' people, each is named where they were asked.
    pub name: String,
    pub message: MessageId,
    /// Which edition of it the headline is of.
    pub edition: u32,
    pub account: AccountRef,
    /// Empty as long as their PIN is asked for.
    pub headline: String,
    pub urgency: Urgency,
    /// The account asks for their PIN before it is read to them, and before they confirm it.
    pub pin: bool,
    /// It is over, and they have had a notice of it alone: they are told what it is about, which confirms nothing.
    pub notice: bool,
}

impl RingsBackView {
    /// As desks see it: nothing of what a PIN is asked for.
    pub fn for_desks(&self) -> Self {
        let mut shown = self.clone();
        for asked in shown.dispatches.iter_mut().filter(|asked| asked.pin) {
            asked.headline.clear();
        }
        shown
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AccountBrief {
    pub answer_phrase: String,
    pub notes: String,
}

/// A choice in a menu: the key, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChosenView {
    pub key: String,
    pub label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
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
    /// The operator hears the caller's telephone ring.
    RingingBack,
    Talking,
    Held,
    /// At nobody's seat, and not in the queue: parked, or on the way to another operator.
    Parked,
    /// The operator asks another one; the caller hears music.
    Consulting,
    Patching,
    Conference,
    /// Caller and contact talk on; the operator has dropped off.
    Patched,
    WrapUp,
    Ended,
}

impl CallState {
    /// An operator is, or was, with the caller, and the line is up.
    pub const fn is_talked_in(self) -> bool {
        matches!(
            self,
            Self::Talking | Self::Held | Self::Patching | Self::Consulting | Self::Conference | Self::Patched
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PatchView {
    pub state: PatchState,
    pub contact: Option<ContactRef>,
    pub number: PhoneNumber,
    /// Why it failed.
    pub why: Option<Cause>,
    pub since: UtcMs,
    /// Caller or contact, who are alone, want an operator.
    pub recalled: bool,
    /// The contact's telephone that is tried after this one.
    pub next: Option<PhoneNumber>,
    /// Whoever answers is joined with the caller at once, the operator out of it.
    pub cold: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PatchState {
    Dialling,
    Ringing,
    /// The contact is asked to press 1; nobody hears them.
    Asked,
    /// Operator and contact talk; the caller hears music.
    Private,
    /// Operator and caller talk; the contact hears music.
    Held,
    Joined,
    /// The operator has dropped off.
    Dropped,
    Failed,
}

/// A caller at nobody's seat who is not in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ParkedView {
    /// `None`: on the way to another operator.
    pub slot: Option<u32>,
    pub by: UserId,
    pub since: UtcMs,
    /// From then on somebody should look after them.
    pub remind_at: UtcMs,
    /// Then they are back at the head of the queue.
    pub return_at: UtcMs,
}

/// An operator who is asked by another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ColleagueView {
    pub user: UserId,
    /// The two talk; before, the phone rings.
    pub there: bool,
    /// All hear them, not the operator alone.
    pub joined: bool,
    pub since: UtcMs,
}

/// What an operator says to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NoteView {
    pub by: UserId,
    pub text: Option<String>,
}

/// Whether the call is recorded, and whether its account wants that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RecordingView {
    pub mode: RecordingMode,
    pub state: RecordingState,
    /// Paused because of what the operator types now; goes on by itself.
    pub covered: bool,
    /// Whose words are recorded, while any are.
    pub legs: RecordedLegs,
}

/// A supervisor who listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ListenerView {
    pub user: UserRef,
    pub mode: ListenMode,
    /// False while their phone still rings.
    pub there: bool,
    /// Since when in this mode.
    pub since: UtcMs,
}

/// One party and what it hears: `caller`, `operator`, `contact`, `colleague`, `supervisor`, `music`, `ringback`, `prompt`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct HearsView {
    pub who: &'static str,
    pub hears: Vec<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct EndedView {
    pub cause: Cause,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QueueView {
    pub waiting: Vec<WaitingView>,
    pub ready: usize,
    pub talking: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WaitingView {
    pub call: CallId,
    pub account: AccountRef,
    /// When their call came in, as everywhere that a wait is shown.
    pub since: UtcMs,
    /// When they came back to the queue, if somebody had them before: they wait since then.
    pub back_since: Option<UtcMs>,
    pub priority: i32,
    /// What the caller needs.
    pub skills: Vec<Skill>,
    /// They are not on the line: to be called back.
    pub ring_back: bool,
}

/// A dispatch as an operator and a client read it: plain sentences, with what comes next.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DispatchView {
    pub id: DispatchId,
    pub message: MessageId,
    /// What a person names who calls back about it: six digits, left on their voicemail.
    pub reference: String,
    /// It was: a request to call back has been left with somebody, or on a voicemail.
    pub reference_left: bool,
    /// Which edition of it the message is.
    pub edition: u32,
    pub account: AccountRef,
    /// A state of design §6: `open`, `running`, `confirmed`, …
    pub state: String,
    /// How often it has gone on: sent along with what is done to its step, so that no other one is meant.
    pub moves: u32,
    /// The version of the protocol that it runs, and which of its steps it is in, counted from 1; none: it is in no step.
    pub protocol: ProtocolId,
    pub step: Option<u32>,
    pub urgency: Urgency,
    pub needs_operator: bool,
    /// Somebody was told, or is being told, and it waits for somebody's yes.
    pub waits_for_yes: bool,
    pub alarm: Option<String>,
    /// Since when that alarm stands.
    pub alarm_at: Option<UtcMs>,
    pub opened_at: UtcMs,
    /// Since when it can be read at check-in; none if it cannot.
    pub held_since: Option<UtcMs>,
    pub closed_at: Option<UtcMs>,
    pub undo_until: Option<UtcMs>,
    /// Who called and what for; empty where all desks are told of one that waits for the client's people to ask for it, or was
    /// read to them: whoever reads it asks for it, and is on the audit log.
    pub headline: String,
    /// The last thing that was done for whoever waits; not that a supervisor is told of the alarm.
    pub last: Option<LineView>,
    pub next: Option<LineView>,
    /// Of one that was closed: by whom and why, or how it was over.
    pub ended: Option<LineView>,
    /// What comes when the wait that `next` tells of is over, whom and how first: "call Rosa (mobile)".
    pub next_brief: Option<String>,
    pub confirmed_by: Option<String>,
    /// Whom its protocol now asks to put the caller through to, in the order in which they are tried.
    pub patches: Vec<PatchOfferView>,
    /// Who works on it.
    pub lock: Option<LockView>,
    pub timeline: Vec<LineView>,
}

/// Somebody whom the operator with the caller is asked to ring for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PatchOfferView {
    /// The call with the caller.
    pub call: CallId,
    pub contact: ContactRef,
    /// What people call the telephone: "mobile".
    pub destination: String,
    /// They are being rung.
    pub begun: bool,
    /// By then it has to be begun, else the next step follows.
    pub until: UtcMs,
}

/// An operator works on a dispatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LockView {
    pub by: UserRef,
    pub since: UtcMs,
    /// When it ends, unless they do something with it.
    pub until: UtcMs,
}

impl DispatchView {
    /// As all desks are told of it unasked.
    pub fn for_all(mut self) -> Self {
        if self.held_since.is_some() || self.state == Phase::ReadAtCheckIn.name() {
            self.headline.clear();
        }
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineView {
    pub at: UtcMs,
    /// Stable: `opened`, `step`, `attempt`, `accepted`, `delivered`, `told`, `confirmed`, `failed`,
    /// `waiting`, `repeat`, `alarm`, `operator`, `changed`, `closed`.
    pub kind: String,
    pub text: String,
    pub who: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AlarmView {
    pub id: String,
    pub level: AlarmLevel,
    pub text: String,
    pub at: UtcMs,
    pub dispatch: Option<DispatchId>,
    /// The message that it leads to, also once its dispatch is over and on no board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    pub call: Option<CallId>,
    /// An operator can take it back by having seen to it; others go when their cause does.
    pub dismissible: bool,
}

/// The alarm chain: who was told of what stands, who sees to it, and who is told next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AlarmChainView {
    pub begun_at: UtcMs,
    /// Alarms that nobody has acknowledged: ids of alarms.
    pub waits: Vec<String>,
    /// Those that somebody sees to.
    pub acknowledged: Vec<String>,
    /// Steps that were taken, the last ones.
    pub told: Vec<LineView>,
    /// Who acknowledged last.
    pub by: Option<LineView>,
    /// What comes when nobody acknowledges; none: nobody is told, for want of somebody in the configuration.
    pub next: Option<LineView>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlarmLevel {
    Warning,
    Critical,
}

/// Fans changes out to whoever subscribed. A subscriber that falls behind is told so and starts anew.
#[derive(Clone, Debug)]
pub struct Feed {
    changes: broadcast::Sender<FeedEvent>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { changes: broadcast::channel(1_024).0 }
    }
}

impl Feed {
    /// Shows `event` to all who watch now.
    pub fn publish(&self, event: FeedEvent) {
        // An error means only that nobody watches.
        let _ = self.changes.send(event);
    }

    /// Whether anybody watches now.
    pub fn is_watched(&self) -> bool {
        self.changes.receiver_count() > 0
    }

    /// Changes from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<FeedEvent> {
        self.changes.subscribe()
    }
}
