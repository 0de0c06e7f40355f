//! A call as operators see it, with all that hangs on it: patch, colleague, parking, recording, listeners, the job it does, who rings back.
//!
//! Made by `calls` out of the call machine; decides nothing. What always holds: each is a whole snapshot, and what a PIN is asked for is
//! left out of what desks are told ([`RingsBackView::for_desks`]).

use serde::Serialize;

use super::refs::{AccountRef, ContactRef, UserRef};
use crate::base::clock::UtcMs;
use crate::base::id::{AttemptId, CallId, CallTypeId, ContactId, DispatchId, MessageId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{RecordedLegs, RecordingMode, Urgency};
use crate::domain::call::cause::Cause;
use crate::domain::call::comes::Comes;
use crate::domain::call::listener::ListenMode;
use crate::domain::call::recording::RecordingState;
use crate::domain::ivr::digits::Entered;

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
    /// It is open, and so far they have had a notice of it alone: they may be told what it is about before they say yes, or only told.
    pub unheard: bool,
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
    /// Nobody rang them: they called, in this call, which was joined with this one.
    pub came_from: Option<CallId>,
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
