//! Times of the day, dates, days of the week.

use super::{Here, Spoken, Word, is_digits};
use crate::base::clock::UtcMs;
use crate::domain::message::render::civil;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A day of the week stands before these …
const BESIDE: [&str; 10] = ["at", "am", "pm", "night", "morning", "noon", "afternoon", "evening", "and", "or"];
/// … or after these.
const LEADING: [&str; 14] =
    ["on", "this", "next", "last", "by", "until", "till", "every", "since", "for", "through", "and", "or", "from"];

/// `Saturday March 7 at 2 10 a.m.`
pub fn spoken_time(at: UtcMs, zone: &str) -> String {
    let civil = civil(at, zone);
    let (hour, minute) = (u32::from(civil.hour().unsigned_abs()), u32::from(civil.minute().unsigned_abs()));
    format!("{} at {}", civil.strftime("%A %B %-d"), said(hour, minute, Some(hour >= 12)))
}

/// `afternoon`: whether it is; none: nobody said.
fn said(hour: u32, minute: u32, afternoon: Option<bool>) -> String {
    let half = match afternoon {
        Some(true) => " p.m.",
        Some(false) => " a.m.",
        None => "",
    };
    let hour = if hour.is_multiple_of(12) { 12 } else { hour % 12 };
    match minute {
        0 if afternoon.is_none() => format!("{hour} o'clock"),
        0 => format!("{hour}{half}"),
        1..=9 => format!("{hour} oh {minute}{half}"),
        _ => format!("{hour} {minute}{half}"),
    }
}

/// Hour, minute, and whether it is after noon.
type Clock = (u32, u32, Option<bool>);

fn half(text: &str) -> Option<bool> {
    match text {
        "am" | "AM" | "Am" | "a.m" | "A.M" | "a" => Some(false),
        "pm" | "PM" | "Pm" | "p.m" | "P.M" | "p" => Some(true),
        _ => None,
    }
}

/// `2:30pm`, `14:05`, `2pm`; a number alone is no time.
fn clock_of(text: &str) -> Option<Clock> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let afternoon = if rest.is_empty() { None } else { Some(half(rest)?) };
    let (hour, minute) = match digits.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 => (hour, minute.parse().ok()?),
        Some(_) => return None,
        None if afternoon.is_some() => (digits, 0),
        None => return None,
    };
    let hour: u32 = Some(hour).filter(|hour| (1..=2).contains(&hour.len()))?.parse().ok()?;
    if minute > 59 || hour > if afternoon.is_some() { 12 } else { 23 } {
        return None;
    }
    // By its hour, where nobody would write it otherwise.
    let by_hour = if hour == 0 { Some(false) } else { (hour > 12).then_some(true) };
    Some((hour, minute, afternoon.or(by_hour)))
}

/// A time, or from when to when; with `am` or `pm` in a word of its own, or as four digits with `hrs`.
pub(super) fn clock(here: Here<'_>) -> Option<Spoken> {
    let bare = here.word().bare;
    let own = here.next(1).and_then(|next| half(next.bare).filter(|_| next.bare.len() > 1));
    if let Some((from, to)) = bare.split_once('-') {
        let plain = |text: &str| text.parse::<u32>().ok().filter(|hour| (1..=12).contains(hour));
        let (count, end) = match (clock_of(to), own) {
            (Some((hour, minute, None)), Some(after)) => (2, (hour, minute, Some(after))),
            (Some(end), _) => (1, end),
            (None, Some(after)) => (2, (plain(to)?, 0, Some(after))),
            (None, None) => return None,
        };
        let from = match clock_of(from) {
            Some((hour, minute, afternoon)) => said(hour, minute, afternoon),
            None => plain(from)?.to_string(),
        };
        return Spoken::short(count, format!("{from} to {}", said(end.0, end.1, end.2)));
    }
    if let Some((hour, minute, afternoon)) = clock_of(bare) {
        return match own.filter(|_| !bare.ends_with(char::is_alphabetic)) {
            Some(after) => Spoken::short(2, said(hour, minute, Some(after))),
            // The dot of `a.m.` is said already.
            None if afternoon.is_some() => Spoken::short(1, said(hour, minute, afternoon)),
            None => Spoken::of(1, said(hour, minute, None)),
        };
    }
    if !is_digits(bare) {
        return None;
    }
    if let (Some(after), Ok(hour @ 1..=12)) = (own, bare.parse()) {
        return Spoken::short(2, said(hour, 0, Some(after)));
    }
    let hours = here.next(1).is_some_and(|next| matches!(next.lower().as_str(), "hrs" | "hours"));
    let (hour, minute) = (hours && bare.len() == 4).then(|| bare.split_at(2))?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then(|| Spoken::short(2, said(hour, minute, Some(hour >= 12))))?
}

fn date_of(year: Option<&str>, month: &str, day: &str) -> Option<String> {
    let number = |text: &str| Some(text).filter(|text| is_digits(text) && text.len() <= 2)?.parse::<usize>().ok();
    let (mut month, mut day) = (number(month)?, number(day)?);
    if month > 12 {
        (month, day) = (day, month);
    }
    let name = MONTHS.get(month.checked_sub(1)?)?;
    let year = year.map(|year| format!(", {year}")).unwrap_or_default();
    (1..=31).contains(&day).then(|| format!("{name} {day}{year}"))
}

/// `3/7/2026`, `3/7`, `2026-03-07`. A fraction that people use is none.
pub(super) fn date(here: Here<'_>) -> Option<Spoken> {
    let bare = here.word().bare;
    let is_year = |text: &str| is_digits(text) && matches!(text.len(), 2 | 4);
    let pieces: Vec<&str> = bare.split(['/', '-']).collect();
    let said = match pieces.as_slice() {
        [year, month, day] if year.len() == 4 && is_year(year) => date_of(Some(*year), month, day),
        [month, day, year] if is_year(year) => date_of(Some(*year), month, day),
        [month, day] if bare.contains('/') && super::amounts::amount(bare).is_none() => date_of(None, month, day),
        _ => None,
    };
    Spoken::of(1, said?)
}

/// The name that begins so, with three letters at least.
fn full(names: &[&'static str], short: &str) -> Option<&'static str> {
    let lower = short.to_ascii_lowercase();
    let lower = if lower == "sept" { "sep" } else { lower.as_str() };
    names.iter().find(|name| lower.len() >= 3 && name.to_ascii_lowercase().starts_with(lower)).copied()
}

/// `Mar 7th`, `7 Mar`: a month beside a day.
pub(super) fn month(here: Here<'_>) -> Option<Spoken> {
    let word = here.word();
    if !word.is_capital() || word.bare.len() > 4 {
        return None;
    }
    let name = full(&MONTHS, word.bare)?;
    let is_day = |word: Word<'_>| word.bare.starts_with(|c: char| c.is_ascii_digit());
    let beside = here.follows().is_some_and(is_day) || here.before(1).is_some_and(is_day);
    beside.then(|| Spoken::short(1, name))?
}

/// `Sat.`, `Mon-Fri`: where it cannot be a word of its own.
pub(super) fn weekday(here: Here<'_>) -> Option<Spoken> {
    let word = here.word();
    if let Some((from, to)) = word.bare.split_once('-') {
        return Spoken::short(1, format!("{} to {}", full(&DAYS, from)?, full(&DAYS, to)?));
    }
    if !word.is_capital() || word.bare.len() > 5 {
        return None;
    }
    let name = full(&DAYS, word.bare)?;
    let beside = |word: Word<'_>| {
        word.has_digit() || BESIDE.contains(&word.lower().as_str()) || full(&MONTHS, word.bare).is_some()
    };
    let led = |word: Word<'_>| LEADING.contains(&word.lower().as_str());
    let clear = !matches!(word.lower().as_str(), "sat" | "sun" | "mon");
    let sure = clear || word.is_dotted() || here.follows().is_some_and(beside) || here.before(1).is_some_and(led);
    sure.then(|| Spoken::short(1, name))?
}
