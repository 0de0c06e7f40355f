//! The hours of an account: which flow counts at an instant, with the reason. Pure.
//!
//! Override beats holiday beats weekly window beats the usual. Of several overrides the one made last is meant; of
//! several holidays one with a date beats a yearly one, and one for part of a day beats a whole day; of several windows
//! the shorter one is meant. Civil times are in the account's zone; those that it skips or repeats are meant as in
//! `domain/oncall`: in a gap the first instant after it, in a repeat the first occurrence for a beginning and the last
//! for an end.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::flow::Flow;
use super::{Account, Speech};
use crate::base::clock::UtcMs;
use crate::base::phone::PhoneNumber;
use crate::domain::oncall::{first_instant, last_instant};

/// How many days are looked at for what comes next: a whole week, from yesterday.
const LOOK_AHEAD_DAYS: usize = 9;

/// When which flow counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Hours {
    /// When nothing else says so.
    pub usual: Flow,
    pub windows: Vec<Window>,
    pub holidays: Vec<Holiday>,
    pub overrides: Vec<FlowOverride>,
    /// A number of the account on which its people check in, at any hour.
    pub check_in: Option<PhoneNumber>,
    /// What follows when a caller has waited in the queue for as long as the account lets them: a message to leave, an
    /// announcement, or a number elsewhere. None: the apology.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdue: Option<Flow>,
}

/// Some hours of some days, every week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Window {
    /// What people call it: "office hours", "night".
    pub name: String,
    /// The days on which it begins.
    pub days: Vec<Weekday>,
    #[serde(flatten)]
    pub span: Span,
    /// In place of the account's.
    #[serde(default)]
    pub greeting: Option<Speech>,
    pub flow: Flow,
}

/// From one time of the day to another: of the next day if it is not later. `08:00` to `08:00` is a day and night.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Span {
    /// Civil time, `HH:MM`.
    pub from: String,
    /// The first minute that is not part of it, `HH:MM`.
    pub until: String,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A day unlike others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Holiday {
    pub name: String,
    /// `2026-11-26`, or `12-25` for every year.
    pub date: String,
    /// Only these hours of it; none: all day.
    #[serde(default)]
    pub span: Option<Span>,
    #[serde(default)]
    pub greeting: Option<Speech>,
    pub flow: Flow,
}

/// Something else, from one instant to another: a storm, a move, a party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FlowOverride {
    pub from: UtcMs,
    pub until: UtcMs,
    /// Why, for those who wonder.
    pub reason: String,
    pub made_at: UtcMs,
    #[serde(default)]
    pub greeting: Option<Speech>,
    pub flow: Flow,
}

/// What counts at an instant, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    pub flow: Flow,
    pub greeting: Speech,
    /// The status greeting, which is heard before it.
    pub status: Option<Speech>,
    /// The name of the window or of the holiday.
    pub window: Option<String>,
    /// In words: "window night", "holiday Thanksgiving", "override: storm", "usual".
    pub why: String,
}

impl Account {
    /// What counts for a call that arrives at `now`.
    pub fn flow_at(&self, now: UtcMs) -> Picked {
        let picked = |flow: &Flow, greeting: &Option<Speech>, window: Option<&str>, why: String| Picked {
            flow: flow.clone(),
            greeting: greeting.clone().unwrap_or_else(|| self.greeting.clone()),
            status: self.status_greeting_at(now).map(|status| status.speech.clone()),
            window: window.map(str::to_owned),
            why,
        };
        let hours = &self.hours;
        let overrides = hours.overrides.iter().filter(|o| o.from <= now && now < o.until);
        if let Some(over) = overrides.max_by_key(|o| o.made_at) {
            return picked(&over.flow, &over.greeting, None, format!("override: {}", over.reason));
        }
        let Some(place) = Place::of(&self.zone, now) else {
            return picked(&hours.usual, &None, None, "usual".to_owned());
        };
        if let Some(day) = place.pick_holiday(&hours.holidays) {
            return picked(&day.flow, &day.greeting, Some(&day.name), format!("holiday {}", day.name));
        }
        if let Some(window) = place.pick_window(&hours.windows) {
            return picked(&window.flow, &window.greeting, Some(&window.name), format!("window {}", window.name));
        }
        picked(&hours.usual, &None, None, "usual".to_owned())
    }

    /// The holiday or window that `now` is in, by name, whatever an override does with calls meanwhile.
    pub fn window_at(&self, now: UtcMs) -> Option<String> {
        let place = Place::of(&self.zone, now)?;
        let holiday = place.pick_holiday(&self.hours.holidays).map(|day| &day.name);
        holiday.or_else(|| place.pick_window(&self.hours.windows).map(|window| &window.name)).cloned()
    }

    /// Until when what counts at `now` does; `None`: for more than a week, as far as is known.
    pub fn flow_until(&self, now: UtcMs) -> Option<UtcMs> {
        let picked = self.flow_at(now);
        let overrides = self.hours.overrides.iter().flat_map(|over| [over.from, over.until]);
        let mut changes: Vec<_> = overrides.collect();
        if let Some(place) = Place::of(&self.zone, now) {
            changes.extend(place.boundaries(&self.hours));
        }
        changes.retain(|at| *at > now);
        changes.sort_unstable();
        changes.into_iter().find(|at| self.flow_at(*at) != picked)
    }
}

/// An instant in a zone.
struct Place {
    zone: TimeZone,
    now: UtcMs,
    today: Date,
}

impl Place {
    fn of(zone: &str, now: UtcMs) -> Option<Self> {
        let zone = TimeZone::get(zone).ok()?;
        let today = zone.to_datetime(Timestamp::from_millisecond(now.0).ok()?).date();
        Some(Self { zone, now, today })
    }

    /// The days that a span in force now may have begun on.
    fn days(&self) -> impl Iterator<Item = Date> {
        self.today.yesterday().ok().into_iter().chain([self.today])
    }

    fn pick_holiday<'a>(&self, holidays: &'a [Holiday]) -> Option<&'a Holiday> {
        let here = holidays.iter().filter(|holiday| {
            let span = holiday.span.clone().unwrap_or_else(Span::all_day);
            let day = DayOf::parse(&holiday.date);
            day.is_some_and(|day| self.days().any(|date| day.is(date) && self.is_within(&span, date)))
        });
        // The first of equals: `min_by_key` keeps it.
        here.min_by_key(|holiday| {
            (matches!(DayOf::parse(&holiday.date), Some(DayOf::Yearly(..))), holiday.span.is_none())
        })
    }

    fn pick_window<'a>(&self, windows: &'a [Window]) -> Option<&'a Window> {
        let here = windows.iter().filter(|window| {
            self.days().any(|date| {
                window.days.iter().any(|day| day.as_civil() == date.weekday()) && self.is_within(&window.span, date)
            })
        });
        here.min_by_key(|window| window.span.minutes())
    }

    /// Whether the span that begins on `date` is in force.
    fn is_within(&self, span: &Span, date: Date) -> bool {
        self.bounds(span, date).is_some_and(|(begins, ends)| begins <= self.now && self.now < ends)
    }

    /// From when until when the span that begins on `date` is in force.
    fn bounds(&self, span: &Span, date: Date) -> Option<(UtcMs, UtcMs)> {
        let (from, until) = span.times()?;
        let last = if until <= from { date.tomorrow().ok()? } else { date };
        first_instant(&self.zone, date.to_datetime(from)).zip(last_instant(&self.zone, last.to_datetime(until)))
    }

    /// Every instant of the days to come at which windows or holidays begin or end.
    fn boundaries(&self, hours: &Hours) -> Vec<UtcMs> {
        let mut found = Vec::new();
        let first = self.today.yesterday().unwrap_or(self.today);
        for date in first.series(jiff::Span::new().days(1)).take(LOOK_AHEAD_DAYS) {
            let begins = |window: &&Window| window.days.iter().any(|day| day.as_civil() == date.weekday());
            let windows = hours.windows.iter().filter(begins).map(|window| window.span.clone());
            let is = |day: &&Holiday| DayOf::parse(&day.date).is_some_and(|day| day.is(date));
            let holidays = hours.holidays.iter().filter(is).map(|day| day.span.clone().unwrap_or_else(Span::all_day));
            let bounds = windows.chain(holidays).filter_map(|span| self.bounds(&span, date));
            found.extend(bounds.flat_map(|(begins, ends)| [begins, ends]));
        }
        found
    }
}

impl Span {
    /// Any day.
    pub fn all_day() -> Self {
        Self { from: "00:00".to_owned(), until: "00:00".to_owned() }
    }

    /// Both ends, if both are times of the day.
    pub fn times(&self) -> Option<(Time, Time)> {
        Some((parse_time(&self.from)?, parse_time(&self.until)?))
    }

    /// How long it is on a day like any other.
    fn minutes(&self) -> i32 {
        let Some((from, until)) = self.times() else { return i32::MAX };
        let minute = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
        match (minute(until) - minute(from)).rem_euclid(24 * 60) {
            0 => 24 * 60,
            minutes => minutes,
        }
    }
}

/// `HH:MM` and nothing else.
fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two = |digits: &str| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
    if !two(hour) || !two(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// The day of a holiday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayOf {
    Dated(Date),
    /// Month and day.
    Yearly(i8, i8),
}

impl DayOf {
    /// `2026-11-26` or `12-25`.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        match text.len() {
            10 if plain => text.parse().ok().map(Self::Dated),
            5 if plain => {
                let (month, day) = text.split_once('-')?;
                let (month, day) = (month.parse().ok()?, day.parse().ok()?);
                // A leap year has every day there is.
                Date::new(2024, month, day).ok()?;
                Some(Self::Yearly(month, day))
            }
            _ => None,
        }
    }

    fn is(self, date: Date) -> bool {
        match self {
            Self::Dated(day) => day == date,
            Self::Yearly(month, day) => (date.month(), date.day()) == (month, day),
        }
    }
}

impl Weekday {
    pub const fn as_civil(self) -> jiff::civil::Weekday {
        match self {
            Self::Monday => jiff::civil::Weekday::Monday,
            Self::Tuesday => jiff::civil::Weekday::Tuesday,
            Self::Wednesday => jiff::civil::Weekday::Wednesday,
            Self::Thursday => jiff::civil::Weekday::Thursday,
            Self::Friday => jiff::civil::Weekday::Friday,
            Self::Saturday => jiff::civil::Weekday::Saturday,
            Self::Sunday => jiff::civil::Weekday::Sunday,
        }
    }
}

#[cfg(test)]
#[path = "hours_tests.rs"]
mod tests;
