//! Who is on call: a pure function of configuration and instant, with the reason.

pub mod gaps;
mod resolve;

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, ScheduleId};

pub use resolve::{first_instant, resolve};

/// Who is on call for one role of an account. Simple: one rotation, overrides, a fallback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Schedule {
    pub id: ScheduleId,
    pub account: AccountId,
    /// What protocols call it: "technician", "doctor".
    pub role: String,
    /// IANA zone name of all its civil times.
    pub zone: String,
    pub rotation: Option<Rotation>,
    pub overrides: Vec<Override>,
    /// On call when nothing else says who.
    pub fallback: Option<ContactId>,
}

/// People taking turns. Hand-off n = anchor wall time + n·length, in the schedule's zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rotation {
    pub people: Vec<ContactId>,
    /// Civil time of the first hand-off: `2026-11-02T08:00`.
    pub anchor: String,
    pub length: ShiftLength,
}

/// How long a turn lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "unit", content = "count", rename_all = "snake_case")]
pub enum ShiftLength {
    Hours(u32),
    Days(u32),
    Weeks(u32),
}

/// Somebody else, from one instant to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Override {
    pub contact: ContactId,
    pub from: UtcMs,
    pub until: UtcMs,
    /// Who made it, for the reason shown.
    pub by: String,
    pub made_at: UtcMs,
}

/// Who is on call, until when, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OnCall {
    pub contact: ContactId,
    /// When this stops being true; none if it is open-ended.
    pub until: Option<UtcMs>,
    /// In words: "override by the office", "rotation", "fallback".
    pub why: String,
}
