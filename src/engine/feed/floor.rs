//! Views of the floor: seats, the queue, figures, and how parties hear each other.
//!
//! Made by the desk, the figures and the calls; nothing is reckoned here. What always holds: each is a whole snapshot.

use serde::Serialize;

use super::call::CallView;
use super::refs::{AccountRef, UserRef};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId};
use crate::domain::figures::Figures;
use crate::domain::operator::skill::Skill;

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
    /// A supervisor has logged them out, which comes once their calls and forms are done; `reason` says who.
    pub sent_home: bool,
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
