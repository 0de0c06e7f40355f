//! Reading `[audit]`: how long the audit log is kept.

use super::section::Section;

/// How long unless told otherwise, in days: the six years that HIPAA asks of records of who saw what (45 CFR 164.316(b)(2)).
const KEEP_DAYS: u32 = 2_192;
/// The shortest: what was done in one quarter can be looked into in the next.
const FEWEST_DAYS: i64 = 90;
/// The longest: a hundred years.
const MOST_DAYS: i64 = 36_525;

/// The log of who read, heard or changed what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Days after which a row is deleted.
    pub keep_days: u32,
}

impl Default for Audit {
    fn default() -> Self {
        Self { keep_days: KEEP_DAYS }
    }
}

pub(super) fn read_audit(section: &Section<'_>) -> Option<Audit> {
    let days = section.number("keep_days", FEWEST_DAYS..=MOST_DAYS);
    section.finish();
    if days.is_none() && section.has("keep_days") {
        return None;
    }
    let keep_days = days.and_then(|days| u32::try_from(days.value).ok()).unwrap_or(KEEP_DAYS);
    Some(Audit { keep_days })
}
