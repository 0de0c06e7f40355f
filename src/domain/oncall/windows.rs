//! When a layer counts, and a destination: the hours of windows and the holidays of an account, as instants. Pure.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span as Period, Timestamp};

use super::{Window, first_instant, last_instant};
use crate::base::clock::UtcMs;
use crate::domain::account::hours::{DayOf, Holiday, Span};

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
        // A window lasts a day at most, so what is open began today or yesterday.
        self.windows.is_empty() || self.bounds(at, 2).any(|(from, until)| from <= at && at < until)
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
