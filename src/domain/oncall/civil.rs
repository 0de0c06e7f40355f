//! Civil times as instants: what a zone skips or repeats has one meaning everywhere. Pure.
//!
//! In a gap the first instant after it; in a repeat the first occurrence for a beginning and a hand-off, the last for an end.
//! (`jiff`'s own `compatible` would move a time in a gap by the gap's length instead.)

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::base::clock::UtcMs;

/// The instant at which the clocks of `zone` first show `civil`, or have passed it.
pub fn first_instant(zone: &TimeZone, civil: DateTime) -> Option<UtcMs> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let in_gap = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
    let earlier = ambiguous.earlier().ok()?;
    let instant = if in_gap { zone.following(earlier).next()?.timestamp() } else { earlier };
    Some(UtcMs(instant.as_millisecond()))
}

/// The instant at which the clocks of `zone` show `civil` for the last time, or have passed it.
pub fn last_instant(zone: &TimeZone, civil: DateTime) -> Option<UtcMs> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    match ambiguous.offset() {
        AmbiguousOffset::Fold { .. } => Some(UtcMs(ambiguous.later().ok()?.as_millisecond())),
        AmbiguousOffset::Gap { .. } | AmbiguousOffset::Unambiguous { .. } => first_instant(zone, civil),
    }
}
