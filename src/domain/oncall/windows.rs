//! When a layer counts, a destination, a field of a form and a step: hours of some days, and the holidays of an account, as instants. Pure.
//!
//! Also in the nights in which clocks change: hours that begin in what is skipped begin after it, and those that begin or end in what comes
//! twice last from its first time to its last. The console says the same (`lib/during.ts`); both are held against tests/hours-cases.json.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span as Period, Timestamp};

use super::{Window, first_instant, last_instant};
use crate::base::clock::UtcMs;
use crate::domain::account::hours::{DayOf, Holiday, Span, Weekday};

/// Every window of a week begins within so many days from yesterday.
const LOOK_AHEAD_DAYS: usize = 9;

/// From when until when.
type Bounds = (UtcMs, UtcMs);

pub(super) struct Windows<'a> {
    windows: &'a [Window],
    zone: TimeZone,
}

impl<'a> Windows<'a> {
    pub(super) const fn of(windows: &'a [Window], zone: TimeZone) -> Self {
        Self { windows, zone }
    }

    /// It has none, or `at` is in one.
    pub(super) fn are_open(&self, at: UtcMs) -> bool {
        let mut windows = self.windows.iter();
        self.windows.is_empty() || windows.any(|window| is_during(&window.days, &window.span, &self.zone, at))
    }

    /// The next time one begins or ends.
    pub(super) fn next_change(&self, after: UtcMs) -> Option<UtcMs> {
        if self.windows.is_empty() {
            return None;
        }
        let ends = self.bounds(after, LOOK_AHEAD_DAYS).flat_map(|(from, until)| [from, until]);
        ends.filter(|at| *at > after).min()
    }

    /// Those that begin on one of `days` days, from the day before `at`.
    fn bounds(&self, at: UtcMs, days: usize) -> impl Iterator<Item = Bounds> {
        let dates = today(&self.zone, at).into_iter().flat_map(move |today| {
            let first = today.yesterday().unwrap_or(today);
            first.series(Period::new().days(1)).take(days)
        });
        dates.flat_map(move |date| {
            let begins = move |window: &&Window| window.days.iter().any(|day| day.as_civil() == date.weekday());
            self.windows.iter().filter(begins).filter_map(move |window| bounds(&self.zone, &window.span, date))
        })
    }
}

/// Whether `at` is in hours of the clocks of `zone` that begin on one of these days.
pub fn is_during(days: &[Weekday], span: &Span, zone: &TimeZone, at: UtcMs) -> bool {
    let Some(today) = today(zone, at) else { return false };
    // They last a day at most: what is not over began today or yesterday.
    let dates = today.yesterday().ok().into_iter().chain([today]);
    let begun = dates.filter(|date| days.iter().any(|day| day.as_civil() == date.weekday()));
    begun.filter_map(|date| bounds(zone, span, date)).any(|(from, until)| from <= at && at < until)
}

/// Whether `at` is in one of these windows of the clocks of `zone`; there are none: always.
pub fn is_within(windows: &[Window], zone: &TimeZone, at: UtcMs) -> bool {
    Windows::of(windows, zone.clone()).are_open(at)
}

/// When the next of them begins after `at`.
pub fn opens_at(windows: &[Window], zone: &TimeZone, at: UtcMs) -> Option<UtcMs> {
    let all = Windows::of(windows, zone.clone());
    let begins = all.bounds(at, LOOK_AHEAD_DAYS).map(|(from, _)| from);
    begins.filter(|from| *from > at).min()
}

/// The holidays of an account, in its zone of civil times.
pub(super) struct HolidayTimes(Vec<(DayOf, Span)>, TimeZone);

impl HolidayTimes {
    pub(super) fn of(holidays: &[Holiday], zone: TimeZone) -> Self {
        let day = |holiday: &Holiday| {
            Some((DayOf::parse(&holiday.date)?, holiday.span.clone().unwrap_or_else(Span::all_day)))
        };
        Self(holidays.iter().filter_map(day).collect(), zone)
    }

    pub(super) fn is_one(&self, at: UtcMs) -> bool {
        self.bounds(at).any(|(from, until)| from <= at && at < until)
    }

    pub(super) fn next_change(&self, after: UtcMs) -> Option<UtcMs> {
        self.bounds(after).flat_map(|(from, until)| [from, until]).filter(|at| *at > after).min()
    }

    /// Those of last year, this and the next.
    fn bounds(&self, at: UtcMs) -> impl Iterator<Item = Bounds> {
        let year = today(&self.1, at).map_or(0, Date::year);
        self.0.iter().flat_map(move |(day, span)| {
            let dates: Vec<Date> = match *day {
                DayOf::Dated(date) => vec![date],
                DayOf::Yearly(month, day) => {
                    (year - 1..=year + 1).filter_map(|year| Date::new(year, month, day).ok()).collect()
                }
            };
            dates.into_iter().filter_map(move |date| bounds(&self.1, span, date))
        })
    }
}

fn today(zone: &TimeZone, at: UtcMs) -> Option<Date> {
    Some(zone.to_datetime(Timestamp::from_millisecond(at.0).ok()?).date())
}

/// From when until when the span that begins on `date` lasts.
fn bounds(zone: &TimeZone, span: &Span, date: Date) -> Option<Bounds> {
    let (from, until) = span.times()?;
    let last = if until <= from { date.tomorrow().ok()? } else { date };
    first_instant(zone, date.to_datetime(from)).zip(last_instant(zone, last.to_datetime(until)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    /// Shared with the console: hours of some days, and instants that are in them or not.
    const CASES: &str = include_str!("../../../tests/hours-cases.json");

    #[derive(Deserialize)]
    struct Case {
        zone: String,
        days: Vec<Weekday>,
        #[serde(flatten)]
        span: Span,
        within: Vec<Timestamp>,
        outside: Vec<Timestamp>,
    }

    #[test]
    fn hours_are_those_that_the_clocks_show_in_nights_in_which_they_change_too() {
        let cases: Vec<Case> = serde_json::from_str(CASES).expect("a list of cases");
        assert!(cases.len() > 8, "{}", cases.len());
        for Case { zone, days, span, within, outside } in cases {
            let (windows, zone) = ([Window { days, span }], TimeZone::get(&zone).expect("a zone"));
            let open = |at: &Timestamp| {
                let at = UtcMs(at.as_millisecond());
                let [Window { days, span }] = &windows;
                let during = is_during(days, span, &zone, at);
                assert_eq!(during, is_within(&windows, &zone, at), "one and the same");
                during
            };
            for at in &within {
                assert!(open(at), "{at} is within {windows:?}");
            }
            for at in &outside {
                assert!(!open(at), "{at} is outside {windows:?}");
            }
        }
    }
}
