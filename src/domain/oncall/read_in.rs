//! Shifts out of a spreadsheet (CSV) or a calendar (.ics), with each line that was not understood and why. Pure.
//!
//! What always holds: nothing is guessed. A line whose person or times are not certain is told of and left out.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::first_instant;
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::domain::account::{Contact, Reach};

/// More than any plan of a year has.
const MAX_LINES: usize = 5_000;

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
}

impl ReadIn {
    fn refuse(&mut self, line: usize, text: &str, why: impl Into<String>) {
        let text = text.trim().chars().take(200).collect();
        self.not_understood.push(NotUnderstood { line, text, why: why.into() });
    }

    fn take(&mut self, line: usize, text: &str, who: &Contact, from: UtcMs, until: UtcMs) {
        if until <= from {
            return self.refuse(line, text, "It ends before it begins.");
        }
        self.shifts.push(Shift { contact: who.id.clone(), name: who.name.clone(), from, until, line });
    }
}

/// A spreadsheet with a line of headings: person (or name, contact), start (or from), end (or until); civil times are in `zone`.
pub fn read_csv(text: &str, zone: &TimeZone, contacts: &[Contact]) -> ReadIn {
    let mut read = ReadIn::default();
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let Some((_, heading)) = lines.next() else {
        read.refuse(1, "", "There is nothing in it.");
        return read;
    };
    let comma = [',', ';', '\t'].into_iter().max_by_key(|c| heading.matches(*c).count()).unwrap_or(',');
    let heads: Vec<String> = cells(heading, comma).iter().map(|head| head.trim().to_lowercase()).collect();
    let column = |known: &[&str]| heads.iter().position(|head| known.contains(&head.as_str()));
    let (Some(person), Some(start), Some(end)) = (
        column(&["person", "name", "contact", "who"]),
        column(&["start", "from", "begin", "begins"]),
        column(&["end", "until", "to", "ends"]),
    ) else {
        read.refuse(1, heading, "The first line has to name the columns person, start and end.");
        return read;
    };
    for (at, text) in lines {
        let line = at + 1;
        if text.trim().is_empty() {
            continue;
        }
        if at >= MAX_LINES {
            read.refuse(line, text, "There are too many lines: make it of several parts.");
            break;
        }
        let cells = cells(text, comma);
        let cell = |at: usize| cells.get(at).map_or("", |cell| cell.trim());
        let who = match find_person(cell(person), contacts) {
            Ok(who) => who,
            Err(why) => {
                read.refuse(line, text, why);
                continue;
            }
        };
        match (read_time(cell(start), zone), read_time(cell(end), zone)) {
            (Some(from), Some(until)) => read.take(line, text, who, from, until),
            (None, _) => read.refuse(line, text, "The start is no time like 2026-11-27 08:00."),
            (_, None) => read.refuse(line, text, "The end is no time like 2026-11-27 08:00."),
        }
    }
    read
}

fn cells(line: &str, comma: char) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            char if char == comma && !quoted => cells.push(std::mem::take(&mut cell)),
            char => cell.push(char),
        }
    }
    cells.push(cell);
    cells
}

/// By name, or by an email address of theirs.
fn find_person<'a>(written: &str, contacts: &'a [Contact]) -> Result<&'a Contact, String> {
    let wanted = written.trim().to_lowercase();
    if wanted.is_empty() {
        return Err("Nobody is named.".to_owned());
    }
    let mail = |contact: &&Contact| {
        contact
            .destinations
            .iter()
            .any(|d| matches!(&d.reach, Reach::Email(address) if address.to_lowercase() == wanted))
    };
    let named: Vec<&Contact> = contacts.iter().filter(|c| c.name.trim().to_lowercase() == wanted).collect();
    match named.as_slice() {
        [one] => Ok(*one),
        [] => contacts.iter().find(mail).ok_or_else(|| "The account has no contact of this name.".to_owned()),
        _ => Err("Several contacts have this name.".to_owned()),
    }
}

/// A civil time, with a blank or a `T`, or an instant with its offset.
fn read_time(written: &str, zone: &TimeZone) -> Option<UtcMs> {
    let written = written.trim();
    if let Ok(instant) = written.parse::<Timestamp>() {
        return Some(UtcMs(instant.as_millisecond()));
    }
    let civil = written.replacen(' ', "T", 1);
    // A date alone could be its beginning or its end.
    let civil = civil.contains(':').then(|| civil.parse::<DateTime>().ok()).flatten()?;
    first_instant(zone, civil)
}

/// One property of an event.
struct Property<'a> {
    name: String,
    parameters: Vec<(String, &'a str)>,
    value: &'a str,
}

/// A calendar: each event is a shift of whoever its summary or attendee names.
pub fn read_ics(text: &str, zone: &TimeZone, contacts: &[Contact]) -> ReadIn {
    let mut read = ReadIn::default();
    let lines = unfold(text);
    if !lines.iter().any(|(_, line)| line.trim().eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        read.refuse(1, lines.first().map_or("", |(_, line)| line), "This is no calendar (.ics).");
        return read;
    }
    let mut event: Option<(usize, Vec<Property<'_>>)> = None;
    for (line, content) in &lines {
        match (content.trim().to_ascii_uppercase().as_str(), &mut event) {
            ("BEGIN:VEVENT", _) => event = Some((*line, Vec::new())),
            ("END:VEVENT", open) => {
                if let Some((line, properties)) = open.take() {
                    read_event(&mut read, line, &properties, zone, contacts);
                }
            }
            (_, Some((_, properties))) => properties.extend(property(content)),
            (_, None) => {}
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

fn read_event(read: &mut ReadIn, line: usize, properties: &[Property<'_>], zone: &TimeZone, contacts: &[Contact]) {
    let find = |name: &str| properties.iter().find(|property| property.name == name);
    let summary = find("SUMMARY").map_or("", |property| property.value);
    if find("STATUS").is_some_and(|status| status.value.trim().eq_ignore_ascii_case("CANCELLED")) {
        return;
    }
    if find("RRULE").is_some() || find("RDATE").is_some() {
        return read.refuse(line, summary, "It repeats: make a layer with a rotation of it.");
    }
    let Some(from) = find("DTSTART").and_then(|start| ics_time(start, zone)) else {
        return read.refuse(line, summary, "Its beginning (DTSTART) cannot be read, or its zone is not known.");
    };
    let until = match (find("DTEND"), find("DURATION")) {
        (Some(end), _) => ics_time(end, zone),
        (None, Some(length)) => length
            .value
            .trim()
            .parse::<SignedDuration>()
            .ok()
            .and_then(|length| Some(from.plus_ms(i64::try_from(length.as_millis()).ok()?))),
        (None, None) => None,
    };
    let Some(until) = until else {
        return read.refuse(line, summary, "Its end (DTEND or DURATION) cannot be read.");
    };
    let attendees = properties.iter().filter(|property| property.name == "ATTENDEE").flat_map(|attendee| {
        let name = attendee.parameters.iter().find(|(name, _)| name == "CN").map(|(_, value)| *value);
        let address = attendee.value.get(7..).filter(|_| attendee.value.to_ascii_lowercase().starts_with("mailto:"));
        [address, name].into_iter().flatten()
    });
    let by_attendee: Vec<&Contact> = attendees.filter_map(|written| find_person(written, contacts).ok()).collect();
    let who = by_attendee.first().copied().map_or_else(|| find_in(summary, contacts), Ok);
    match who {
        Ok(who) => read.take(line, summary, who, from, until),
        Err(why) => read.refuse(line, summary, why),
    }
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
    let value = property.value.trim();
    let own = property.parameters.iter().find(|(name, _)| name == "TZID").map(|(_, zone)| *zone);
    let own = own.map(TimeZone::get).transpose().ok()?;
    let zone = own.as_ref().unwrap_or(zone);
    if let Some(utc) = value.strip_suffix('Z') {
        let civil = DateTime::strptime("%Y%m%dT%H%M%S", utc).ok()?;
        return first_instant(&TimeZone::UTC, civil);
    }
    if value.len() == 8 {
        return first_instant(zone, Date::strptime("%Y%m%d", value).ok()?.at(0, 0, 0, 0));
    }
    first_instant(zone, DateTime::strptime("%Y%m%dT%H%M%S", value).ok()?)
}

#[cfg(test)]
#[path = "read_in_tests.rs"]
mod tests;
