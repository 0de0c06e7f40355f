//! Each time of an event that repeats, from now on for a year: the days are of [`repeats`](crate::domain::oncall::repeats), here they
//! become instants of the event's zone, without those that are left out or moved. Pure; asked by [`ics`](super::ics).
//!
//! What always holds: an event is read whole, or refused with its reason; what is over is not read, and where it is cut is told.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::ics::{Around, Event, NO_END, NO_START, Property, ics_civil, ics_time, length_of, millis};
use super::{Cut, ReadIn};
use crate::base::clock::UtcMs;
use crate::domain::oncall::first_instant;
use crate::domain::oncall::repeats::{Repeats, as_long_after};

/// How far an event that repeats is followed from now on, in days: what is after that is for a rotation.
const AHEAD_DAYS: i64 = 366;
/// One that began longer ago is no plan any more; each of its days would have to be counted.
const BACK_DAYS: i64 = 3_660;
const DAY_MS: i64 = 86_400_000;

/// Each of its times, or why none of them is read.
pub(super) fn read_repeating(read: &mut ReadIn, event: &Event<'_>, around: &Around<'_>) -> Result<(), String> {
    let layer = |why: &str| format!("It repeats {why}: make a layer with a rotation of it.");
    let mut rules = event.all("RRULE");
    let rule = match (rules.next(), rules.next()) {
        (Some(rule), None) if event.find("RDATE").is_none() && event.find("EXRULE").is_none() => rule,
        _ => return Err(layer("by more than one rule, or by days of its own (RDATE)")),
    };
    let repeats = Repeats::parse(rule.value).map_err(|why| layer(&why))?;
    let (zone, first) = event.find("DTSTART").and_then(|start| ics_civil(start, around.zone)).ok_or(NO_START)?;
    let began = first_instant(&zone, first).ok_or(NO_START)?;
    let ends = match (event.find("DTEND"), event.find("DURATION")) {
        (Some(end), _) => match ics_civil(end, around.zone).ok_or(NO_END)? {
            (own, end) if own == zone => Ends::Civil(end),
            (own, end) => Ends::After(first_instant(&own, end).ok_or(NO_END)?.since(began)),
        },
        (None, Some(length)) => Ends::After(length_of(length).and_then(millis).ok_or(NO_END)?),
        (None, None) => return Err(NO_END.to_owned()),
    };
    if matches!(ends, Ends::Civil(end) if end <= first) || matches!(ends, Ends::After(length) if length <= 0) {
        return Err("It ends before it begins.".to_owned());
    }
    let who = event.who(around.contacts)?;
    if around.now.since(began) > BACK_DAYS * DAY_MS {
        return Err(layer("and began more than ten years ago"));
    }
    let horizon = around.now.plus_ms(AHEAD_DAYS * DAY_MS);
    let last = civil_at(&zone, horizon).ok_or(NO_START)?.date();
    let left_out = left_out(event, around, &zone)?;
    let until = repeats
        .until()
        .map(|written| read_until(written, &zone).ok_or_else(|| layer("until no time that can be read")));
    let until = until.transpose()?;
    let is_before_end =
        |date: Date| until.as_ref().is_none_or(|until| until.covers(date.to_datetime(first.time()), &zone));
    let on_no_day = "and its beginning is on none of the days of its rule";
    let found = repeats.days(first.date(), last, is_before_end).ok_or_else(|| layer(on_no_day))?;
    for date in found.days {
        let civil = date.to_datetime(first.time());
        // In a gap of the zone's clocks the standard (RFC 5545 §3.3.10) would leave it out; a shift that nobody has is worse than one
        // that begins when the clocks go on, as everywhere here.
        let Some(from) = first_instant(&zone, civil) else { continue };
        if left_out.iter().any(|one| one.is(from, date)) || from >= horizon {
            continue;
        }
        // And where it (§3.8.5.3) would have it last as long to the second in the nights in which clocks change, it ends at the hour
        // that is written: so does the next begin.
        let until = match &ends {
            Ends::Civil(end) => as_long_after((first, *end), civil).and_then(|end| first_instant(&zone, end)),
            Ends::After(length) => Some(from.plus_ms(*length)),
        };
        // One that lies in a gap whole is not there that night.
        if let Some(until) = until.filter(|until| *until > from && *until > around.now) {
            read.take(event.line, event.summary(), who, from, until);
        }
    }
    if found.goes_on {
        let text = event.summary().trim().chars().take(200).collect();
        read.cut.push(Cut { line: event.line, text, until: horizon });
    }
    Ok(())
}

/// When each time of an event that repeats ends.
enum Ends {
    /// As the first does, which ends then.
    Civil(DateTime),
    /// So many milliseconds after it begins.
    After(i64),
}

/// A time that is not one of them.
enum LeftOut {
    At(UtcMs),
    On(Date),
}

impl LeftOut {
    fn is(&self, from: UtcMs, date: Date) -> bool {
        match self {
            Self::At(at) => *at == from,
            Self::On(day) => *day == date,
        }
    }
}

/// Those that are named (EXDATE), and those that stand as events of their own.
fn left_out(event: &Event<'_>, around: &Around<'_>, zone: &TimeZone) -> Result<Vec<LeftOut>, String> {
    let mut found = Vec::new();
    let single = around.events.iter().filter_map(|other| other.is_a_time_of(event));
    for property in event.all("EXDATE").chain(single) {
        if property.parameters.iter().any(|(name, _)| name == "RANGE") {
            return Err("It repeats and is another from one of its times on (RANGE): make a layer of it.".to_owned());
        }
        for value in property.value.split(',') {
            let one = if value.trim().len() == 8 {
                Date::strptime("%Y%m%d", value.trim()).ok().map(LeftOut::On)
            } else {
                let (name, parameters) = (property.name.clone(), property.parameters.clone());
                ics_time(&Property { name, parameters, value }, zone).map(LeftOut::At)
            };
            found.push(one.ok_or_else(|| format!("Its exception {} cannot be read.", property.name))?);
        }
    }
    Ok(found)
}

/// The last time that an event may begin, itself included (RFC 5545 §3.3.10).
enum Until {
    Instant(UtcMs),
    Civil(DateTime),
    Day(Date),
}

impl Until {
    fn covers(&self, civil: DateTime, zone: &TimeZone) -> bool {
        match self {
            Self::Instant(at) => first_instant(zone, civil).is_some_and(|from| from <= *at),
            Self::Civil(until) => civil <= *until,
            Self::Day(day) => civil.date() <= *day,
        }
    }
}

fn read_until(written: &str, zone: &TimeZone) -> Option<Until> {
    if written.len() == 8 {
        return Date::strptime("%Y%m%d", written).ok().map(Until::Day);
    }
    let plain = Property { name: String::new(), parameters: Vec::new(), value: written };
    let (_, civil) = ics_civil(&plain, zone)?;
    Some(if written.ends_with('Z') {
        Until::Instant(first_instant(&TimeZone::UTC, civil)?)
    } else {
        Until::Civil(civil)
    })
}

fn civil_at(zone: &TimeZone, at: UtcMs) -> Option<DateTime> {
    Some(zone.to_datetime(Timestamp::from_millisecond(at.0).ok()?))
}
