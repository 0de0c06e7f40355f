//! Shifts out of a calendar (.ics), with each line that was not understood and why; out of a spreadsheet (CSV) they come by `read_table`.
//! Pure.
//!
//! What always holds: nothing is guessed. A line whose person or times are not certain is told of and left out. Of an event that repeats
//! what is over is not read, nor what is more than a year away, which is told too.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::first_instant;
use super::read_table::UnclearDate;
use super::repeats::{Repeats, as_long_after};
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::domain::account::namesake::fold;
use crate::domain::account::{Contact, Reach};

/// More than any plan of a year has.
pub(super) const MAX_LINES: usize = 5_000;
/// How far an event that repeats is followed from now on, in days: what is after that is for a rotation.
const AHEAD_DAYS: i64 = 366;
/// One that began longer ago is no plan any more; each of its days would have to be counted.
const BACK_DAYS: i64 = 3_660;
/// Events that repeat, in one file.
const MAX_REPEATING: usize = 200;
const DAY_MS: i64 = 86_400_000;

/// A shift that was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ReadShift)]
pub struct Shift {
    pub contact: ContactId,
    pub name: String,
    pub from: UtcMs,
    pub until: UtcMs,
    /// Where it stood, the first line 1.
    pub line: usize,
}

/// Something that was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NotUnderstood {
    pub line: usize,
    pub text: String,
    pub why: String,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadIn {
    pub shifts: Vec<Shift>,
    pub not_understood: Vec<NotUnderstood>,
    /// Events that repeat for longer than is read: up to when.
    pub cut: Vec<Cut>,
    /// Events that were called off where they come from.
    pub cancelled: Vec<Cancelled>,
    /// How it was read, where it could have been read otherwise.
    pub notes: Vec<String>,
    /// What has to be asked before lines with such dates can be read.
    pub unclear_date: Option<UnclearDate>,
}

/// An event that was read up to a day, and goes on after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ReadShiftsCut)]
pub struct Cut {
    pub line: usize,
    pub text: String,
    /// None of it that begins later was read.
    pub until: UtcMs,
}

/// An event that is no shift any more (RFC 5545 §3.8.1.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ReadShiftsCancelled)]
pub struct Cancelled {
    pub line: usize,
    pub text: String,
    /// When it would have begun, if that can be read.
    pub from: Option<UtcMs>,
}

impl ReadIn {
    pub(super) fn refuse(&mut self, line: usize, text: &str, why: impl Into<String>) {
        let text = text.trim().chars().take(200).collect();
        self.not_understood.push(NotUnderstood { line, text, why: why.into() });
    }

    pub(super) fn take(&mut self, line: usize, text: &str, who: &Contact, from: UtcMs, until: UtcMs) {
        if until <= from {
            return self.refuse(line, text, "It ends before it begins.");
        }
        self.shifts.push(Shift { contact: who.id.clone(), name: who.name.clone(), from, until, line });
    }
}

/// By name, or by an email address of theirs.
pub(super) fn find_person<'a>(written: &str, contacts: &'a [Contact]) -> Result<&'a Contact, String> {
    let wanted = fold(written);
    if wanted.is_empty() {
        return Err("Nobody is named.".to_owned());
    }
    let mail = |contact: &&Contact| {
        contact
            .destinations
            .iter()
            .any(|d| matches!(&d.reach, Reach::Email(address) if address.to_lowercase() == wanted))
    };
    let named: Vec<&Contact> = contacts.iter().filter(|c| fold(&c.name) == wanted).collect();
    match named.as_slice() {
        [one] => Ok(*one),
        [] => contacts.iter().find(mail).ok_or_else(|| "The account has no contact of this name.".to_owned()),
        _ => Err("Several contacts have this name.".to_owned()),
    }
}

/// One property of an event.
struct Property<'a> {
    name: String,
    parameters: Vec<(String, &'a str)>,
    value: &'a str,
}

/// A calendar: each event is a shift of whoever its summary or attendee names. One that repeats is a shift each time, from `now` on for a
/// year.
pub fn read_ics(text: &str, zone: &TimeZone, contacts: &[Contact], now: UtcMs) -> ReadIn {
    let mut read = ReadIn::default();
    let lines = unfold(text);
    if !lines.iter().any(|(_, line)| line.trim().eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        read.refuse(1, lines.first().map_or("", |(_, line)| line), "This is no calendar (.ics).");
        return read;
    }
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut event: Option<(usize, Vec<Property<'_>>)> = None;
    for (line, content) in &lines {
        match (content.trim().to_ascii_uppercase().as_str(), &mut event) {
            ("BEGIN:VEVENT", _) => event = Some((*line, Vec::new())),
            ("END:VEVENT", open) => {
                if let Some((line, properties)) = open.take() {
                    events.push(Event { line, properties });
                }
            }
            (_, Some((_, properties))) => properties.extend(property(content)),
            (_, None) => {}
        }
    }
    let around = Around { zone, contacts, now, events: &events };
    let mut repeating = 0;
    for event in &events {
        if event.is_cancelled() {
            let text = event.summary().trim().chars().take(200).collect();
            let from = event.find("DTSTART").and_then(|start| ics_time(start, zone));
            read.cancelled.push(Cancelled { line: event.line, text, from });
            continue;
        }
        if event.find("RRULE").is_none() && event.find("RDATE").is_none() {
            read_event(&mut read, event, &around);
            continue;
        }
        repeating += 1;
        let read_all = if repeating > MAX_REPEATING {
            Err(format!("More than {MAX_REPEATING} events repeat: make it of several parts, or make layers of them."))
        } else {
            read_repeating(&mut read, event, &around)
        };
        if let Err(why) = read_all {
            read.refuse(event.line, event.summary(), why);
        }
    }
    if let Some((line, _)) = event {
        read.refuse(line, "BEGIN:VEVENT", "The file ends in the middle of this event.");
    }
    read
}

/// Content lines with the number of the line on which each begins (RFC 5545 §3.1).
fn unfold(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().take(MAX_LINES * 10).enumerate() {
        let line = line.trim_end_matches('\r');
        match lines.last_mut().filter(|_| line.starts_with([' ', '\t'])) {
            Some((_, last)) => last.push_str(&line[1..]),
            None => lines.push((at + 1, line.to_owned())),
        }
    }
    lines
}

fn property(content: &str) -> Option<Property<'_>> {
    // A colon within quotes is part of a parameter.
    let mut quoted = false;
    let colon = content.char_indices().find(|(_, char)| {
        quoted ^= *char == '"';
        *char == ':' && !quoted
    })?;
    let (head, value) = (&content[..colon.0], &content[colon.0 + 1..]);
    let mut parts = head.split(';');
    let name = parts.next()?.trim().to_ascii_uppercase();
    Some(Property { name, parameters: parts.filter_map(parameter).collect(), value })
}

fn parameter(part: &str) -> Option<(String, &str)> {
    part.split_once('=').map(|(name, value)| (name.to_ascii_uppercase(), value.trim_matches('"')))
}

/// What stands between `BEGIN:VEVENT` and its end.
struct Event<'a> {
    line: usize,
    properties: Vec<Property<'a>>,
}

impl<'a> Event<'a> {
    fn find(&self, name: &str) -> Option<&Property<'a>> {
        self.properties.iter().find(|property| property.name == name)
    }

    fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Property<'a>> {
        self.properties.iter().filter(move |property| property.name == name)
    }

    fn summary(&self) -> &str {
        self.find("SUMMARY").map_or("", |property| property.value)
    }

    fn is_cancelled(&self) -> bool {
        self.find("STATUS").is_some_and(|status| status.value.trim().eq_ignore_ascii_case("CANCELLED"))
    }

    /// It is one time of the event that repeats under the same name, moved or taken out (RFC 5545 §3.8.4.4).
    fn is_a_time_of(&self, other: &Self) -> Option<&Property<'a>> {
        let same = self.find("UID").is_some()
            && self.find("UID").map(|uid| uid.value) == other.find("UID").map(|uid| uid.value);
        self.find("RECURRENCE-ID").filter(|_| same)
    }

    /// Whoever it is about.
    fn who<'c>(&self, contacts: &'c [Contact]) -> Result<&'c Contact, String> {
        let attendees = self.all("ATTENDEE").flat_map(|attendee| {
            let name = attendee.parameters.iter().find(|(name, _)| name == "CN").map(|(_, value)| *value);
            let is_mail = attendee.value.to_ascii_lowercase().starts_with("mailto:");
            let address = attendee.value.get(7..).filter(|_| is_mail);
            [address, name].into_iter().flatten()
        });
        let by_attendee: Vec<&Contact> = attendees.filter_map(|written| find_person(written, contacts).ok()).collect();
        by_attendee.first().copied().map_or_else(|| find_in(self.summary(), contacts), Ok)
    }
}

/// What events are read by.
struct Around<'a> {
    zone: &'a TimeZone,
    contacts: &'a [Contact],
    now: UtcMs,
    events: &'a [Event<'a>],
}

const NO_START: &str = "Its beginning (DTSTART) cannot be read, or its zone is not known.";
const NO_END: &str = "Its end (DTEND or DURATION) cannot be read.";

fn read_event(read: &mut ReadIn, event: &Event<'_>, around: &Around<'_>) {
    let (line, summary, zone) = (event.line, event.summary(), around.zone);
    let Some(from) = event.find("DTSTART").and_then(|start| ics_time(start, zone)) else {
        return read.refuse(line, summary, NO_START);
    };
    let until = match (event.find("DTEND"), event.find("DURATION")) {
        (Some(end), _) => ics_time(end, zone),
        (None, Some(length)) => length_of(length).and_then(|length| Some(from.plus_ms(millis(length)?))),
        (None, None) => None,
    };
    let Some(until) = until else { return read.refuse(line, summary, NO_END) };
    match event.who(around.contacts) {
        Ok(who) => read.take(line, summary, who, from, until),
        Err(why) => read.refuse(line, summary, why),
    }
}

/// Each of its times, or why none of them is read.
fn read_repeating(read: &mut ReadIn, event: &Event<'_>, around: &Around<'_>) -> Result<(), String> {
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

fn length_of(property: &Property<'_>) -> Option<SignedDuration> {
    property.value.trim().parse().ok()
}

fn millis(length: SignedDuration) -> Option<i64> {
    i64::try_from(length.as_millis()).ok()
}

fn civil_at(zone: &TimeZone, at: UtcMs) -> Option<DateTime> {
    Some(zone.to_datetime(Timestamp::from_millisecond(at.0).ok()?))
}

/// The one contact that a summary is about: "On call: Ben Ortiz".
fn find_in<'a>(summary: &str, contacts: &'a [Contact]) -> Result<&'a Contact, String> {
    let plain = summary.replace("\\,", ",").replace("\\;", ";");
    if let Ok(whole) = find_person(&plain, contacts) {
        return Ok(whole);
    }
    let lower = plain.to_lowercase();
    let named =
        |contact: &&Contact| !contact.name.trim().is_empty() && lower.contains(&contact.name.trim().to_lowercase());
    let mut found: Vec<&Contact> = contacts.iter().filter(named).collect();
    // "Ann Lee" is no "Ann".
    let longest = found.iter().map(|contact| contact.name.len()).max().unwrap_or(0);
    found.retain(|contact| contact.name.len() == longest);
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err("It names none of the account's contacts.".to_owned()),
        _ => Err("It names several of the account's contacts.".to_owned()),
    }
}

fn ics_time(property: &Property<'_>, zone: &TimeZone) -> Option<UtcMs> {
    let (zone, civil) = ics_civil(property, zone)?;
    first_instant(&zone, civil)
}

/// A civil time and the zone that it is in: the property's own, or `zone`. A date is its beginning.
fn ics_civil(property: &Property<'_>, zone: &TimeZone) -> Option<(TimeZone, DateTime)> {
    let value = property.value.trim();
    let own = property.parameters.iter().find(|(name, _)| name == "TZID").map(|(_, zone)| *zone);
    let own = own.map(TimeZone::get).transpose().ok()?;
    if let Some(utc) = value.strip_suffix('Z') {
        return Some((TimeZone::UTC, DateTime::strptime("%Y%m%dT%H%M%S", utc).ok()?));
    }
    let zone = own.unwrap_or_else(|| zone.clone());
    if value.len() == 8 {
        return Some((zone, Date::strptime("%Y%m%d", value).ok()?.at(0, 0, 0, 0)));
    }
    Some((zone, DateTime::strptime("%Y%m%dT%H%M%S", value).ok()?))
}

#[cfg(test)]
#[path = "read_in_tests.rs"]
mod tests;
