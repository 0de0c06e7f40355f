//! Reading `[board]`: how soon callers are promised an operator, and whose midnight the figures of a day go by.

use jiff::tz::TimeZone;

use super::section::Section;

const ZONE_FIX: &str = "Write a zone of the IANA database: \"America/New_York\", \"Europe/Berlin\", \"UTC\"";
/// The longest that can be promised: an hour.
const MOST_SECS: i64 = 3_600;

/// What the figures of a day are held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// The service's zone. An account's own figures go by its own.
    pub zone: String,
    /// From INVITE to an operator.
    pub answer_within_secs: u32,
}

impl Default for Board {
    fn default() -> Self {
        Self { zone: "UTC".to_owned(), answer_within_secs: 20 }
    }
}

pub(super) fn read_board(section: &Section<'_>) -> Board {
    let usual = Board::default();
    let zone = section.parsed("zone", ZONE_FIX, |text| TimeZone::get(text).is_ok().then(|| text.to_owned()));
    let within = section.number("answer_within_secs", 1..=MOST_SECS).and_then(|n| u32::try_from(n.value).ok());
    section.finish();
    Board {
        zone: zone.map_or(usual.zone, |zone| zone.value),
        answer_within_secs: within.unwrap_or(usual.answer_within_secs),
    }
}
