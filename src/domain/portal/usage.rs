//! The figures of an account by day, on its own clock: calls, messages, what became of them, how long it took. Pure; what is counted
//! comes from the store.
//!
//! What always holds: a call counts on the day on which it came in, a message on the day on which it was taken, a dispatch with its
//! message; the total is made of the same facts as the days, so that its medians are medians and no means of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::base::clock::UtcMs;
use crate::domain::oncall::first_instant;

/// Days that are reported on at most.
pub const MAX_DAYS: i32 = 92;

/// Something that is counted, on the day of `at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub at: UtcMs,
    pub what: Counted,
}

/// What it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    Call,
    /// An operator talked with the caller, so long after the call came in.
    Answered {
        wait_ms: i64,
    },
    /// The caller hung up too early, was told that nobody is free, or was cut off.
    Abandoned,
    Message,
    /// The dispatch of a message, and how it stands: a word of its phase, and how long it took from its opening if it is over.
    Dispatch {
        end: &'static str,
        took_ms: Option<i64>,
    },
    /// A caller was joined with somebody of the client's.
    Patch {
        ms: i64,
    },
}

/// The figures of a day, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Day {
    /// `2026-03-07`; null: all days together.
    pub date: Option<String>,
    pub calls: u32,
    pub answered: u32,
    pub abandoned: u32,
    pub messages: u32,
    /// Dispatches by how they ended, or `open`.
    pub dispatches: BTreeMap<String, u32>,
    pub wait_median_ms: Option<i64>,
    pub wait_p90_ms: Option<i64>,
    pub delivery_median_ms: Option<i64>,
    pub delivery_p90_ms: Option<i64>,
    pub patch_ms: i64,
    #[serde(skip)]
    waits: Vec<i64>,
    #[serde(skip)]
    deliveries: Vec<i64>,
}

/// Some days of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Date,
    pub to: Date,
    zone: TimeZone,
}

/// Why it is no span of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanFault {
    NoDate,
    Backwards,
    TooLong,
}

impl Span {
    /// From one date to another, both counted; the last seven days where nothing is said.
    pub fn read(from: Option<&str>, to: Option<&str>, zone: &str, now: UtcMs) -> Result<Self, SpanFault> {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let read = |text: &str| text.parse::<Date>().map_err(|_| SpanFault::NoDate);
        let to = to.map(read).transpose()?.unwrap_or_else(|| date_of(&zone, now));
        let week_before = to.checked_sub(jiff::Span::new().days(6)).map_err(|_| SpanFault::NoDate)?;
        let from = from.map(read).transpose()?.unwrap_or(week_before);
        if from > to {
            return Err(SpanFault::Backwards);
        }
        // Both are dates, so this is whole days.
        let days = (to - from).get_days();
        if days >= MAX_DAYS {
            return Err(SpanFault::TooLong);
        }
        Ok(Self { from, to, zone })
    }

    /// The first instant of it, and the first after it.
    pub fn bounds(&self) -> (UtcMs, UtcMs) {
        let begins = |date: Date| first_instant(&self.zone, date.at(0, 0, 0, 0));
        let after = self.to.tomorrow().ok().and_then(begins);
        (begins(self.from).unwrap_or(UtcMs(0)), after.unwrap_or(UtcMs(i64::MAX)))
    }

    fn dates(&self) -> impl Iterator<Item = Date> {
        let last = self.to;
        std::iter::successors(Some(self.from), move |date| date.tomorrow().ok().filter(|next| *next <= last))
    }

    /// The figures by day, and of all of them. Facts outside are left out.
    pub fn count(&self, facts: &[Fact]) -> (Vec<Day>, Day) {
        let mut days: BTreeMap<Date, Day> =
            self.dates().map(|date| (date, Day { date: Some(date.to_string()), ..Day::default() })).collect();
        let mut total = Day::default();
        for fact in facts {
            if let Some(day) = days.get_mut(&date_of(&self.zone, fact.at)) {
                day.add(&fact.what);
                total.add(&fact.what);
            }
        }
        let days = days.into_values().map(Day::reckoned).collect();
        (days, total.reckoned())
    }
}

fn date_of(zone: &TimeZone, at: UtcMs) -> Date {
    zone.to_datetime(Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH)).date()
}

impl Day {
    fn add(&mut self, what: &Counted) {
        match what {
            Counted::Call => self.calls += 1,
            Counted::Answered { wait_ms } => {
                self.answered += 1;
                self.waits.push(*wait_ms);
            }
            Counted::Abandoned => self.abandoned += 1,
            Counted::Message => self.messages += 1,
            Counted::Dispatch { end, took_ms } => {
                *self.dispatches.entry((*end).to_owned()).or_default() += 1;
                self.deliveries.extend(*took_ms);
            }
            Counted::Patch { ms } => self.patch_ms += ms,
        }
    }

    fn reckoned(mut self) -> Self {
        self.waits.sort_unstable();
        self.deliveries.sort_unstable();
        (self.wait_median_ms, self.wait_p90_ms) = (nth(&self.waits, 50), nth(&self.waits, 90));
        (self.delivery_median_ms, self.delivery_p90_ms) = (nth(&self.deliveries, 50), nth(&self.deliveries, 90));
        Self { waits: Vec::new(), deliveries: Vec::new(), ..self }
    }
}

/// The smallest of them that so many per cent are not above (nearest rank); none: there is nothing.
fn nth(sorted: &[i64], per_cent: usize) -> Option<i64> {
    let rank = (sorted.len() * per_cent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcMs {
        UtcMs(text.parse::<Timestamp>().expect("an instant").as_millisecond())
    }

    #[test]
    fn a_call_counts_on_its_day_by_the_accounts_clock() {
        let span = Span::read(Some("2026-03-06"), Some("2026-03-07"), "America/New_York", UtcMs(0)).expect("two days");
        let fact = |text: &str, what| Fact { at: at(text), what };
        let facts = [
            // 23:30 of the 6th in New York, though the 7th in London.
            fact("2026-03-07T04:30:00Z", Counted::Call),
            fact("2026-03-07T04:30:00Z", Counted::Answered { wait_ms: 4_000 }),
            fact("2026-03-07T05:00:00Z", Counted::Call),
            fact("2026-03-07T05:00:00Z", Counted::Abandoned),
            fact("2026-03-08T05:00:00Z", Counted::Call),
            fact("2026-03-07T12:00:00Z", Counted::Dispatch { end: "confirmed", took_ms: Some(60_000) }),
            fact("2026-03-07T12:00:00Z", Counted::Patch { ms: 90_000 }),
        ];
        let (days, total) = span.count(&facts);
        let told: Vec<_> =
            days.iter().map(|d| (d.date.as_deref().unwrap_or(""), d.calls, d.answered, d.abandoned)).collect();
        assert_eq!(told, [("2026-03-06", 1, 1, 0), ("2026-03-07", 1, 0, 1)]);
        assert_eq!((total.calls, total.wait_median_ms, total.delivery_p90_ms), (2, Some(4_000), Some(60_000)));
        assert_eq!((total.dispatches.get("confirmed"), total.patch_ms), (Some(&1), 90_000));
    }

    #[test]
    fn the_median_of_all_is_of_all_and_not_of_the_days() {
        let mut day = Day::default();
        (1..=10).for_each(|n| day.add(&Counted::Answered { wait_ms: n * 1_000 }));
        let day = day.reckoned();
        assert_eq!((day.wait_median_ms, day.wait_p90_ms), (Some(5_000), Some(9_000)));
        assert_eq!((nth(&[], 50), nth(&[7], 90), nth(&[1, 2, 3], 50)), (None, Some(7), Some(2)));
    }

    #[test]
    fn days_that_are_none_or_too_many_are_refused() {
        let read =
            |from, to| Span::read(from, to, "Europe/Berlin", at("2026-03-29T22:30:00Z")).map(|s| s.from.to_string());
        assert_eq!(read(None, None), Ok("2026-03-24".to_owned()), "it is the 30th in Berlin already");
        assert_eq!(read(Some("2026-03-30"), Some("2026-03-29")), Err(SpanFault::Backwards));
        assert_eq!(read(Some("yesterday"), None), Err(SpanFault::NoDate));
        assert_eq!(read(Some("2025-12-01"), Some("2026-03-29")), Err(SpanFault::TooLong));
    }

    #[test]
    fn a_day_of_23_hours_is_a_day() {
        let span = Span::read(Some("2026-03-08"), Some("2026-03-08"), "America/New_York", UtcMs(0)).expect("a day");
        let (from, until) = span.bounds();
        assert_eq!(until.since(from), 23 * 3_600_000);
    }
}
