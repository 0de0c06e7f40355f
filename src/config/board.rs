//! Reading `[board]`: how soon callers are promised an operator, whose midnight the figures of a day go by, and how old an
//! open dispatch is when it is shown as late.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::section::Section;

const ZONE_FIX: &str = "Write a zone of the IANA database: \"America/New_York\", \"Europe/Berlin\", \"UTC\"";
/// The longest that can be promised: an hour.
const MOST_SECS: i64 = 3_600;
/// The oldest that a dispatch may be before it is late: a day.
const MOST_AGE_SECS: i64 = 24 * 3_600;

/// What the figures of a day are held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// The service's zone. An account's own figures go by its own.
    pub zone: String,
    /// From INVITE to an operator.
    pub answer_within_secs: u32,
    pub ages: Ages,
}

/// From what age on an open dispatch is shown as late, in seconds after it opened. What is held for check-in or recap never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Ages {
    pub urgent_warning_secs: u32,
    pub urgent_critical_secs: u32,
    pub routine_warning_secs: u32,
}

impl Default for Ages {
    fn default() -> Self {
        Self { urgent_warning_secs: 600, urgent_critical_secs: 1_200, routine_warning_secs: 3_600 }
    }
}

impl Default for Board {
    fn default() -> Self {
        Self { zone: "UTC".to_owned(), answer_within_secs: 20, ages: Ages::default() }
    }
}

pub(super) fn read_board(section: &Section<'_>) -> Board {
    let usual = Board::default();
    let zone = section.parsed("zone", ZONE_FIX, |text| TimeZone::get(text).is_ok().then(|| text.to_owned()));
    let secs = |key: &'static str, most: i64, usual: u32| {
        section.number(key, 1..=most).and_then(|n| u32::try_from(n.value).ok()).unwrap_or(usual)
    };
    let answer_within_secs = secs("answer_within_secs", MOST_SECS, usual.answer_within_secs);
    let ages = Ages {
        urgent_warning_secs: secs("urgent_warning_secs", MOST_AGE_SECS, usual.ages.urgent_warning_secs),
        urgent_critical_secs: secs("urgent_critical_secs", MOST_AGE_SECS, usual.ages.urgent_critical_secs),
        routine_warning_secs: secs("routine_warning_secs", MOST_AGE_SECS, usual.ages.routine_warning_secs),
    };
    section.finish();
    Board { zone: zone.map_or(usual.zone, |zone| zone.value), answer_within_secs, ages }
}
