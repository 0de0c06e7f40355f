//! A calendar (.ics, RFC 5545) as events, and each event as a shift. What repeats is read by [`repeating`](super::repeating). Pure.
//!
//! What always holds: an event that is no shift is called off, over, or told of with its reason, and holds up no other.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::repeating::read_repeating;
use super::{Cancelled, MAX_LINES, ReadIn, find_person};
use crate::base::clock::UtcMs;
use crate::domain::account::Contact;
use crate::domain::oncall::first_instant;

/// Events that repeat, in one file.
const MAX_REPEATING: usize = 200;

/// One property of an event.
pub(super) struct Property<'a> {
    pub(super) name: String,
    pub(super) parameters: Vec<(String, &'a str)>,
    pub(super) value: &'a str,
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
pub(super) struct Event<'a> {
    pub(super) line: usize,
    properties: Vec<Property<'a>>,
}

impl<'a> Event<'a> {
    pub(super) fn find(&self, name: &str) -> Option<&Property<'a>> {
        self.properties.iter().find(|property| property.name == name)
    }

    pub(super) fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Property<'a>> {
        self.properties.iter().filter(move |property| property.name == name)
    }

    pub(super) fn summary(&self) -> &str {
        self.find("SUMMARY").map_or("", |property| property.value)
    }

    fn is_cancelled(&self) -> bool {
        self.find("STATUS").is_some_and(|status| status.value.trim().eq_ignore_ascii_case("CANCELLED"))
    }

    /// It is one time of the event that repeats under the same name, moved or taken out (RFC 5545 §3.8.4.4).
    pub(super) fn is_a_time_of(&self, other: &Self) -> Option<&Property<'a>> {
        let same = self.find("UID").is_some()
            && self.find("UID").map(|uid| uid.value) == other.find("UID").map(|uid| uid.value);
        self.find("RECURRENCE-ID").filter(|_| same)
    }

    /// Whoever it is about.
    pub(super) fn who<'c>(&self, contacts: &'c [Contact]) -> Result<&'c Contact, String> {
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
pub(super) struct Around<'a> {
    pub(super) zone: &'a TimeZone,
    pub(super) contacts: &'a [Contact],
    pub(super) now: UtcMs,
    pub(super) events: &'a [Event<'a>],
}

pub(super) const NO_START: &str = "Its beginning (DTSTART) cannot be read, or its zone is not known.";
pub(super) const NO_END: &str = "Its end (DTEND or DURATION) cannot be read.";

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

pub(super) fn length_of(property: &Property<'_>) -> Option<SignedDuration> {
    property.value.trim().parse().ok()
}

pub(super) fn millis(length: SignedDuration) -> Option<i64> {
    i64::try_from(length.as_millis()).ok()
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

pub(super) fn ics_time(property: &Property<'_>, zone: &TimeZone) -> Option<UtcMs> {
    let (zone, civil) = ics_civil(property, zone)?;
    first_instant(&zone, civil)
}

/// A civil time and the zone that it is in: the property's own, or `zone`. A date is its beginning.
pub(super) fn ics_civil(property: &Property<'_>, zone: &TimeZone) -> Option<(TimeZone, DateTime)> {
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
#[path = "ics_tests.rs"]
mod tests;
