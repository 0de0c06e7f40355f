//! Times as people write them into a spreadsheet, and as spreadsheets write them out again. Pure; asked by `read_table`.
//!
//! What always holds: `5/12/2026` is two days, and stays both until somebody says which; one that can be only one of them is that one. A
//! day without a time is the whole day. A month that is a word is an English one, and a weekday has to be that of its date.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::first_instant;
use crate::base::clock::UtcMs;

/// What stands first in a date of numbers alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    MonthFirst,
    DayFirst,
}

/// A time that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Instant(UtcMs),
    /// On the clocks of a zone; without a time the whole day.
    Civil {
        day: ReadDay,
        time: Option<DayTime>,
    },
}

/// A time of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DayTime {
    At(Time),
    /// `24:00`: the midnight at its end (ISO 8601).
    Over,
}

/// A day that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadDay {
    /// It says nothing of the order of others: 2026-11-27, 5/5/2026.
    Certain(Date),
    /// 11/27/2026.
    MonthFirst(Date),
    /// 27/11/2026.
    DayFirst(Date),
    /// 5/12/2026.
    Either { month_first: Date, day_first: Date },
}

/// Which end of a whole day is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Start,
    End,
}

impl ReadDay {
    /// None: it depends on an order that is not known.
    pub(super) const fn on(self, order: Option<DateOrder>) -> Option<Date> {
        match (self, order) {
            (Self::Certain(date) | Self::MonthFirst(date) | Self::DayFirst(date), _)
            | (Self::Either { month_first: date, .. }, Some(DateOrder::MonthFirst))
            | (Self::Either { day_first: date, .. }, Some(DateOrder::DayFirst)) => Some(date),
            (Self::Either { .. }, None) => None,
        }
    }
}

impl Written {
    /// Of the clocks alone.
    pub(super) const fn day(self) -> Option<ReadDay> {
        match self {
            Self::Instant(_) => None,
            Self::Civil { day, .. } => Some(day),
        }
    }

    /// The day, if it is one without a time.
    pub(super) fn whole_day(self, order: Option<DateOrder>) -> Option<Date> {
        match self {
            Self::Civil { day, time: None } => day.on(order),
            Self::Instant(_) | Self::Civil { .. } => None,
        }
    }

    /// None: its order is not known, or no calendar has it.
    pub(super) fn instant(self, order: Option<DateOrder>, zone: &TimeZone, side: Side) -> Option<UtcMs> {
        let (day, time) = match self {
            Self::Instant(at) => return Some(at),
            Self::Civil { day, time } => (day.on(order)?, time),
        };
        let civil = match (time, side) {
            (Some(DayTime::At(time)), _) => day.to_datetime(time),
            (None, Side::Start) => day.to_datetime(Time::midnight()),
            (Some(DayTime::Over), _) | (None, Side::End) => day.tomorrow().ok()?.to_datetime(Time::midnight()),
        };
        first_instant(zone, civil)
    }
}

/// `2026-11-27 08:00`, with a `T` or an offset too; `11/27/2026 8:00 AM`; `27.11.26`; `27-Nov-26`; `November 27, 2026`.
pub(super) fn parse(written: &str) -> Option<Written> {
    let written = written.trim();
    if let Ok(instant) = written.parse::<Timestamp>() {
        return Some(Written::Instant(UtcMs(instant.as_millisecond())));
    }
    let civil = written.replacen(' ', "T", 1);
    if let Some(civil) = civil.contains(':').then(|| civil.parse::<DateTime>().ok()).flatten() {
        return Some(Written::Civil { day: ReadDay::Certain(civil.date()), time: Some(DayTime::At(civil.time())) });
    }
    let (day, rest) = if let Some((date, rest)) = named_day(written) {
        (ReadDay::Certain(date), rest)
    } else {
        let date = date_in(written);
        (parse_day(date)?, &written[date.len()..])
    };
    let rest = rest.trim_start_matches(is_between);
    let time = if rest.is_empty() { None } else { Some(parse_time(rest)?) };
    Some(Written::Civil { day, time })
}

/// The date at the beginning whose month is a word, and what comes after it: `25-Dec-26`, `25 Dec 2026`, `Friday, December 25, 2026`.
fn named_day(written: &str) -> Option<(Date, &str)> {
    let (first, after) = token(written)?;
    let weekday = weekday_of(first);
    let (first, after) = if weekday.is_some() { token(after)? } else { (first, after) };
    let (second, after) = token(after)?;
    let (third, rest) = token(after)?;
    let (year, month, day) = match (month_of(first), month_of(second)) {
        (Some(month), _) => (year_of(third)?, month, short(second)?),
        (None, Some(month)) if first.len() == 4 => (number(first)?, month, short(third)?),
        (None, Some(month)) => (year_of(third)?, month, short(first)?),
        (None, None) => return None,
    };
    let date = Date::new(year, month, day).ok()?;
    let is_it = weekday.is_none_or(|weekday| weekday == date.weekday());
    (is_it && (rest.is_empty() || rest.starts_with(is_between))).then_some((date, rest))
}

/// The next word or number, past what stands between those of a date, and what is left.
fn token(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(|char: char| char.is_whitespace() || matches!(char, ',' | '-' | '.' | '/'));
    let is_number = text.starts_with(|char: char| char.is_ascii_digit());
    let is_of_it = |char: char| if is_number { char.is_ascii_digit() } else { char.is_ascii_alphabetic() };
    let end = text.find(|char: char| !is_of_it(char)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn month_of(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_ascii_lowercase();
    let at = MONTHS
        .iter()
        .position(|month| word == *month || word == month[..3] || (word == "sept" && *month == MONTHS[8]))?;
    i8::try_from(at + 1).ok()
}

fn weekday_of(word: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let word = word.to_ascii_lowercase();
    DAYS.into_iter().find(|(name, _)| word == *name || word == name[..3]).map(|(_, day)| day)
}

/// The date of a cell, without its time.
pub(super) fn date_in(written: &str) -> &str {
    written.split(is_between).next().unwrap_or_default()
}

fn is_between(char: char) -> bool {
    char.is_whitespace() || matches!(char, 'T' | ',')
}

fn parse_day(date: &str) -> Option<ReadDay> {
    let separator = date.chars().find(|char| matches!(char, '/' | '-' | '.'))?;
    let parts: Vec<&str> = date.split(separator).collect();
    let &[first, second, third] = parts.as_slice() else { return None };
    if first.len() == 4 {
        return Some(ReadDay::Certain(Date::new(number(first)?, short(second)?, short(third)?).ok()?));
    }
    let year = year_of(third)?;
    let (first, second) = (short(first)?, short(second)?);
    match (Date::new(year, first, second).ok(), Date::new(year, second, first).ok()) {
        (Some(one), Some(other)) if one == other => Some(ReadDay::Certain(one)),
        (Some(month_first), Some(day_first)) => Some(ReadDay::Either { month_first, day_first }),
        (Some(date), None) => Some(ReadDay::MonthFirst(date)),
        (None, Some(date)) => Some(ReadDay::DayFirst(date)),
        (None, None) => None,
    }
}

/// `2026`, `26`.
fn year_of(text: &str) -> Option<i16> {
    match text.len() {
        4 => number(text),
        // What is planned lies in this century.
        2 => number(text)?.checked_add(2_000),
        _ => None,
    }
}

/// `8:00`, `08:00:00`, `8:00 AM`, `8pm`, `8 a.m.`, `24:00`.
fn parse_time(written: &str) -> Option<DayTime> {
    let plain: String = written.chars().filter(|char| !char.is_whitespace() && *char != '.').collect();
    let plain = plain.to_ascii_lowercase();
    let (clock, noon) = match (plain.strip_suffix("am"), plain.strip_suffix("pm")) {
        (Some(clock), _) => (clock, Some(0)),
        (_, Some(clock)) => (clock, Some(12)),
        (None, None) => (plain.as_str(), None),
    };
    let parts: Vec<i8> = clock.split(':').map(short).collect::<Option<_>>()?;
    let (hour, minute, second) = match (parts.as_slice(), noon) {
        ([hour], Some(_)) => (*hour, 0, 0),
        ([hour, minute], _) => (*hour, *minute, 0),
        ([hour, minute, second], _) => (*hour, *minute, *second),
        _ => return None,
    };
    if (hour, minute, second, noon) == (24, 0, 0, None) {
        return Some(DayTime::Over);
    }
    let hour = match noon {
        Some(noon) if (1..=12).contains(&hour) => hour % 12 + noon,
        Some(_) => return None,
        None => hour,
    };
    Time::new(hour, minute, second, 0).ok().map(DayTime::At)
}

fn number(text: &str) -> Option<i16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn short(text: &str) -> Option<i8> {
    if (1..=2).contains(&text.len()) { number(text).and_then(|number| i8::try_from(number).ok()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(written: &str, order: Option<DateOrder>) -> String {
        let Some(read) = parse(written) else { return "none".to_owned() };
        let say = |side| read.instant(order, &TimeZone::UTC, side).map_or_else(|| "unclear".to_owned(), said);
        let (start, end) = (say(Side::Start), say(Side::End));
        if start == end { start } else { format!("{start} to {end}") }
    }

    fn said(at: UtcMs) -> String {
        let at = Timestamp::from_millisecond(at.0).expect("an instant");
        TimeZone::UTC.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    #[test]
    fn times_are_read_as_spreadsheets_write_them() {
        let (month, day) = (Some(DateOrder::MonthFirst), Some(DateOrder::DayFirst));
        for (written, order, expected) in [
            ("2026-12-05 08:00", None, "2026-12-05 08:00"),
            ("2026-12-05T08:00:00-06:00", None, "2026-12-05 14:00"),
            ("12/5/2026 8:00 AM", month, "2026-12-05 08:00"),
            ("12/5/2026 8:00 AM", day, "2026-05-12 08:00"),
            ("12/5/26 12:30 am", month, "2026-12-05 00:30"),
            ("12/5/26, 12:00\u{202f}PM", month, "2026-12-05 12:00"),
            ("12/25/2026 20:15:00", None, "2026-12-25 20:15"),
            ("25.12.2026 8 p.m.", None, "2026-12-25 20:00"),
            ("5-12-2026 8:00", None, "unclear"),
            ("5/5/2026 8:00", None, "2026-05-05 08:00"),
            ("2026-12-12", None, "2026-12-12 00:00 to 2026-12-13 00:00"),
            ("2026/12/31", None, "2026-12-31 00:00 to 2027-01-01 00:00"),
            ("12/31/26", None, "2026-12-31 00:00 to 2027-01-01 00:00"),
            // As Excel has them in its other formats, and people by hand.
            ("25-Dec-26", None, "2026-12-25 00:00 to 2026-12-26 00:00"),
            ("25-OCT-26 8:00 PM", None, "2026-10-25 20:00"),
            ("December 25, 2026", None, "2026-12-25 00:00 to 2026-12-26 00:00"),
            ("Dec. 25, 2026 8:00 AM", None, "2026-12-25 08:00"),
            ("Friday, December 25, 2026 8:00:00 AM", None, "2026-12-25 08:00"),
            ("25 dec 2026 20:00", None, "2026-12-25 20:00"),
            ("2026-Sept-05 08:00", None, "2026-09-05 08:00"),
            // The end of a day.
            ("25 Dec 2026 24:00", None, "2026-12-26 00:00"),
            ("12/5/2026 24:00", month, "2026-12-06 00:00"),
            ("12/5/2026 24:00", day, "2026-05-13 00:00"),
            ("2026-12-31T24:00:00", None, "2027-01-01 00:00"),
        ] {
            assert_eq!(told(written, order), expected, "{written}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for written in [
            "",
            "soon",
            "2026",
            "12/2026",
            "13/13/2026",
            "2/30/2026",
            "1/2/3/2026",
            "12/5/126",
            "12/5/2026 13:00 PM",
            "12/5/2026 8",
            "12/5/2026 24:01",
            "12/5/2026 24:00 pm",
            "25-Dec",
            "31-Nov-26",
            "25-Dez-26",
            "Thursday, December 25, 2026",
            "Friday",
            "25-Dec-126",
            "25-Dec-26x",
            "25 Dec 08:00",
            "25 Dec 12 PM",
            "12/5/2026 0:30 am",
            "12/5-2026",
            "+1/2/2026",
            "2026-12-05 8:61",
            "12/é/26",
        ] {
            assert_eq!(parse(written), None, "{written}");
        }
    }
}
