//! Who is on call: a pure function of configuration and instant, with the reason.
//!
//! A schedule is layers under temporary schedules under overrides; a fallback stands in while nobody is left. [`resolve`] says who
//! is on call at an instant, [`spans`] who from when until when, [`gaps`] and [`calendar`] what is wrong with that before it
//! happens. What may be written is checked by `edit`, what a change was is put in words by `difference`.

pub mod calendar;
pub mod change;
mod civil;
pub mod dates;
pub mod difference;
pub mod displaced;
pub mod duty;
pub mod edit;
pub mod gaps;
pub mod ics;
#[cfg(test)]
mod oracle_tests;
mod plan;
pub mod read_in;
pub mod read_table;
pub mod reminder;
mod repeats;
mod resolve;
pub mod seen;
pub mod several;
pub mod spans;
mod turns;
pub mod whole;
mod windows;

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, OverrideId, ScheduleId};
use crate::domain::account::hours::{Holiday, Weekday};

pub use civil::{first_instant, last_instant};
pub use resolve::resolve;
pub use windows::{is_during, is_within, opens_at};

/// What the one layer of a schedule is called that was made before there were layers.
pub const ONLY_LAYER: &str = "rotation";

/// Who is on call for one role of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Schedule {
    pub id: ScheduleId,
    pub account: AccountId,
    /// What protocols call it: "technician", "doctor".
    pub role: String,
    /// IANA zone name of its civil times.
    pub zone: String,
    /// From the lowest to the uppermost: a later one beats an earlier one.
    pub layers: Vec<Layer>,
    /// In place of all layers for a time; they do not overlap.
    #[serde(default)]
    pub temporary: Vec<Temporary>,
    /// In the order in which they were made.
    pub overrides: Vec<Override>,
    /// On call when nothing else says who.
    pub fallback: Option<ContactId>,
    /// Its people are told before their shift and when it begins.
    #[serde(default)]
    pub remind: bool,
    /// Those of its account, which layers may ask about; filled in when it is read.
    #[serde(skip)]
    pub holidays: Vec<Holiday>,
}

/// One rotation, and when it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Layer {
    /// What reasons say: "rotation B", "Nights".
    pub name: String,
    /// Of its civil times; none: the schedule's.
    #[serde(default)]
    pub zone: Option<String>,
    pub rotation: Rotation,
    /// The hours at which it counts; none: at any.
    #[serde(default)]
    pub windows: Vec<Window>,
    #[serde(default)]
    pub days: Days,
    /// It counts from then on.
    #[serde(default)]
    pub from: Option<UtcMs>,
    /// It counts until then.
    #[serde(default)]
    pub until: Option<UtcMs>,
    /// On call together with the layer below it, not in its place.
    #[serde(default)]
    pub beside: bool,
}

/// People taking turns, round and round. The first turn begins at the anchor; each hand-off is the anchor's wall time plus the
/// lengths of the turns before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rotation {
    /// Civil time of the first hand-off: `2026-11-02T08:00`.
    pub anchor: String,
    pub turns: Vec<ShiftTurn>,
}

/// One turn of a rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ShiftTurn {
    /// On call at once, the first first. Nobody: the layer pauses, and those below it show.
    pub people: Vec<ContactId>,
    pub length: ShiftLength,
}

/// How long a turn lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "unit", content = "count", rename_all = "snake_case")]
pub enum ShiftLength {
    Hours(u32),
    Days(u32),
    Weeks(u32),
    /// To the same day of a later month, or to its last if it is shorter.
    Months(u32),
}

/// Some hours of some days, every week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ScheduleWindow)]
pub struct Window {
    /// The days on which it begins.
    pub days: Vec<Weekday>,
    #[serde(flatten)]
    pub span: crate::domain::account::hours::Span,
}

/// Which days a layer counts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Days {
    #[default]
    All,
    /// The account's holidays alone.
    Holidays,
    NotHolidays,
}

/// A plan of its own for a time, in place of all layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Temporary {
    pub name: String,
    pub from: UtcMs,
    pub until: UtcMs,
    pub shifts: Vec<TemporaryShift>,
    pub by: String,
    pub made_at: UtcMs,
}

/// Somebody on call for part of a temporary schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TemporaryShift {
    pub contact: ContactId,
    pub from: UtcMs,
    pub until: UtcMs,
}

/// A change from one instant to another, on top of everything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Override {
    pub id: OverrideId,
    #[serde(flatten)]
    pub act: OverrideAct,
    pub from: UtcMs,
    pub until: UtcMs,
    /// Who made it, for the reason shown.
    pub by: String,
    pub made_at: UtcMs,
    #[serde(default)]
    pub note: String,
}

/// What an override does to those who would be on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OverrideAct {
    /// This person alone, whoever else would be.
    Only {
        contact: ContactId,
    },
    /// Where `instead_of` is on call, `contact` is.
    Replace {
        contact: ContactId,
        instead_of: ContactId,
    },
    Add {
        contact: ContactId,
    },
    Remove {
        contact: ContactId,
    },
}

impl OverrideAct {
    /// Who is put on call, or taken off it.
    pub const fn contact(&self) -> &ContactId {
        match self {
            Self::Only { contact }
            | Self::Replace { contact, .. }
            | Self::Add { contact }
            | Self::Remove { contact } => contact,
        }
    }

    /// In whose place.
    pub const fn instead_of(&self) -> Option<&ContactId> {
        match self {
            Self::Replace { instead_of, .. } => Some(instead_of),
            Self::Only { .. } | Self::Add { .. } | Self::Remove { .. } => None,
        }
    }
}

/// Who is on call, until when, and why. Never nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OnCall {
    pub contact: ContactId,
    /// Whoever is on call at the same time, in their order.
    #[serde(default)]
    pub others: Vec<ContactId>,
    /// When this stops being true; none if it is open-ended.
    pub until: Option<UtcMs>,
    /// In words: "override by the office, 17:02, beats rotation B", "rotation", "fallback".
    pub why: String,
}

impl OnCall {
    /// Everybody who is on call, the first first.
    pub fn people(&self) -> impl Iterator<Item = &ContactId> {
        std::iter::once(&self.contact).chain(&self.others)
    }
}

impl Schedule {
    /// Nobody on call yet.
    pub const fn blank(id: ScheduleId, account: AccountId, role: String, zone: String) -> Self {
        Self {
            id,
            account,
            role,
            zone,
            layers: Vec::new(),
            temporary: Vec::new(),
            overrides: Vec::new(),
            fallback: None,
            remind: false,
            holidays: Vec::new(),
        }
    }

    /// People that a layer or the fallback names, in the order in which they come up, nobody twice.
    pub fn regulars(&self) -> Vec<&ContactId> {
        let turns = self.layers.iter().flat_map(|layer| &layer.rotation.turns);
        let mut people: Vec<&ContactId> = Vec::new();
        for id in turns.flat_map(|turn| &turn.people).chain(&self.fallback) {
            if !people.contains(&id) {
                people.push(id);
            }
        }
        people
    }

    /// Everybody whom it may put on call at `since` or later, nobody twice.
    pub fn people_since(&self, since: UtcMs) -> Vec<&ContactId> {
        let mut people = self.regulars();
        let temporary = self.temporary.iter().flat_map(|plan| &plan.shifts).filter(|shift| shift.until > since);
        let overrides = self.overrides.iter().filter(|over| over.until > since).map(|over| over.act.contact());
        for id in temporary.map(|shift| &shift.contact).chain(overrides) {
            if !people.contains(&id) {
                people.push(id);
            }
        }
        people
    }

    /// Some layer asks about the account's holidays.
    pub fn asks_for_holidays(&self) -> bool {
        self.layers.iter().any(|layer| layer.days != Days::All)
    }
}

impl Layer {
    /// A rotation at all hours.
    pub fn plain(name: &str, rotation: Rotation) -> Self {
        let (windows, days) = (Vec::new(), Days::All);
        Self { name: name.to_owned(), zone: None, rotation, windows, days, from: None, until: None, beside: false }
    }
}

impl Rotation {
    /// Everybody in turn, each for as long.
    pub fn even(people: Vec<ContactId>, anchor: &str, length: ShiftLength) -> Self {
        let turn = |person| ShiftTurn { people: vec![person], length };
        Self { anchor: anchor.to_owned(), turns: people.into_iter().map(turn).collect() }
    }
}
