//! What a change of a schedule was, in words: who reads its history reads sentences. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::spans::final_spans;
use super::{Days, Layer, Override, OverrideAct, Schedule, Temporary};
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::domain::account::Contact;

/// Of those who are on call one after another in an override's time, so many are named.
const MAX_NAMED: usize = 6;

/// One thing that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ScheduleChangeLine)]
pub struct Line {
    /// In a sentence's middle: "put Ada in Ben's place, Fri 27 Nov 20:00 – Sat 28 Nov 08:00".
    pub what: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What is not as it was, the weightiest first; nothing if both are the same. `name` says what a contact is called.
pub fn difference(
    before: Option<&Schedule>,
    after: Option<&Schedule>,
    name: &dyn Fn(&ContactId) -> String,
) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = |what: String, before: Option<String>, after: Option<String>| {
        lines.push(Line { what, before, after });
    };
    let (before, after) = match (before, after) {
        (None, None) => return Vec::new(),
        (None, Some(after)) => {
            line(format!("made the schedule {}", after.role), None, Some(whole(after, name)));
            return lines;
        }
        (Some(before), None) => {
            line(format!("removed the schedule {}", before.role), Some(whole(before, name)), None);
            return lines;
        }
        (Some(before), Some(after)) => (before, after),
    };
    let zone = &after.zone;
    for over in after.overrides.iter().filter(|over| !before.overrides.iter().any(|old| old.id == over.id)) {
        let (act, period) = (act_words(over, name), period(over.from, over.until, zone));
        let note = if over.note.is_empty() { String::new() } else { format!(" ({})", over.note) };
        let [was, is] = [before, after].map(|schedule| on_call_words(schedule, over, zone, name));
        line(format!("{act}, {period}{note}"), Some(was), Some(is));
    }
    for over in before.overrides.iter().filter(|over| !after.overrides.iter().any(|new| new.id == over.id)) {
        let (act, period) = (act_words(over, name), period(over.from, over.until, zone));
        let [was, is] = [before, after].map(|schedule| on_call_words(schedule, over, zone, name));
        line(format!("took an override back ({act}), {period}"), Some(was), Some(is));
    }
    let come: Vec<&Temporary> = after.temporary.iter().filter(|plan| !before.temporary.contains(plan)).collect();
    let gone: Vec<&Temporary> = before.temporary.iter().filter(|plan| !after.temporary.contains(plan)).collect();
    for plan in come.iter().filter(|plan| !gone.iter().any(|old| is_part(plan, old))) {
        let period = period(plan.from, plan.until, zone);
        // Put back whole, it was in parts before.
        let parts: Vec<String> =
            gone.iter().filter(|old| is_part(old, plan)).map(|old| temporary_words(old, zone, name)).collect();
        let was = if parts.is_empty() { None } else { Some(parts.join("; ")) };
        let what = format!("set the temporary schedule {}, {period}", plan.name);
        line(what, was, Some(temporary_words(plan, zone, name)));
    }
    for plan in gone.iter().filter(|plan| !come.iter().any(|new| is_part(plan, new))) {
        let whole = period(plan.from, plan.until, zone);
        let left: Vec<String> =
            come.iter().filter(|new| is_part(new, plan)).map(|new| period(new.from, new.until, zone)).collect();
        if left.is_empty() {
            let what = format!("took the temporary schedule {} away, {whole}", plan.name);
            line(what, Some(temporary_words(plan, zone, name)), None);
        } else {
            line(format!("trimmed the temporary schedule {}", plan.name), Some(whole), Some(left.join("; ")));
        }
    }
    if before.role != after.role {
        line("renamed the role".to_owned(), Some(before.role.clone()), Some(after.role.clone()));
    }
    if before.zone != after.zone {
        line("changed the zone".to_owned(), Some(before.zone.clone()), Some(after.zone.clone()));
    }
    let same = |a: &Layer, b: &Layer| a.name == b.name;
    for (place, layer) in after.layers.iter().enumerate() {
        match before.layers.iter().find(|old| same(old, layer)).or_else(|| before.layers.get(place)) {
            Some(old) if old == layer => {}
            Some(old) => {
                let what = format!("changed the layer {}", layer.name);
                line(what, Some(layer_words(old, name)), Some(layer_words(layer, name)));
            }
            None => line(format!("added the layer {}", layer.name), None, Some(layer_words(layer, name))),
        }
    }
    let renamed = before.layers.len() <= after.layers.len();
    for old in before.layers.iter().filter(|old| !renamed && !after.layers.iter().any(|new| same(new, old))) {
        line(format!("removed the layer {}", old.name), Some(layer_words(old, name)), None);
    }
    let order = |schedule: &Schedule| schedule.layers.iter().map(|l| l.name.clone()).collect::<Vec<_>>();
    let (was, is) = (order(before), order(after));
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    if was != is && sorted(&was) == sorted(&is) {
        line("changed the order of the layers".to_owned(), Some(was.join(", ")), Some(is.join(", ")));
    }
    if before.fallback != after.fallback {
        let named = |schedule: &Schedule| schedule.fallback.as_ref().map(name);
        line("changed who stands in".to_owned(), named(before), named(after));
    }
    if before.remind != after.remind {
        let said = |schedule: &Schedule| Some(if schedule.remind { "yes" } else { "no" }.to_owned());
        line("changed whether people are reminded".to_owned(), said(before), said(after));
    }
    lines
}

/// All of it in one sentence.
pub fn summary(lines: &[Line]) -> String {
    lines.iter().map(|line| line.what.as_str()).collect::<Vec<_>>().join("; ")
}

fn whole(schedule: &Schedule, name: &dyn Fn(&ContactId) -> String) -> String {
    let mut parts: Vec<String> =
        schedule.layers.iter().map(|layer| format!("{}: {}", layer.name, layer_words(layer, name))).collect();
    parts.extend(schedule.fallback.as_ref().map(|id| format!("{} stands in", name(id))));
    if parts.is_empty() { "nobody".to_owned() } else { parts.join(". ") }
}

/// What is left of `whole` once a time was taken out of it.
fn is_part(part: &Temporary, whole: &Temporary) -> bool {
    let same = (&part.name, &part.by, part.made_at) == (&whole.name, &whole.by, whole.made_at);
    same && whole.from <= part.from && part.until <= whole.until
}

fn act_words(over: &Override, name: &dyn Fn(&ContactId) -> String) -> String {
    match &over.act {
        OverrideAct::Only { contact } => format!("put {} alone on call", name(contact)),
        OverrideAct::Replace { contact, instead_of } => {
            format!("put {} in the place of {}", name(contact), name(instead_of))
        }
        OverrideAct::Add { contact } => format!("added {}", name(contact)),
        OverrideAct::Remove { contact } => format!("took {} off", name(contact)),
    }
}

/// Who is on call in an override's time, whatever says so: "Ben", "Ben until Fri 27 Nov 20:00, then nobody".
fn on_call_words(schedule: &Schedule, over: &Override, zone: &str, name: &dyn Fn(&ContactId) -> String) -> String {
    let mut turns: Vec<(String, UtcMs)> = Vec::new();
    for span in final_spans(schedule, over.from, over.until) {
        let who = people_words(&span.people, name);
        match turns.last_mut().filter(|last| last.0 == who) {
            Some(last) => last.1 = span.until,
            None => turns.push((who, span.until)),
        }
    }
    let count = turns.len();
    let named =
        turns.into_iter().take(MAX_NAMED).enumerate().map(|(n, (who, until))| {
            if n + 1 == count { who } else { format!("{who} until {}", instant(until, zone)) }
        });
    let named = named.collect::<Vec<_>>().join(", then ");
    if count > MAX_NAMED { format!("{named}, and so on") } else { named }
}

fn temporary_words(plan: &Temporary, zone: &str, name: &dyn Fn(&ContactId) -> String) -> String {
    let shift =
        |shift: &super::TemporaryShift| format!("{} {}", name(&shift.contact), period(shift.from, shift.until, zone));
    let shifts: Vec<String> = plan.shifts.iter().map(shift).collect();
    if shifts.is_empty() { "nobody".to_owned() } else { shifts.join("; ") }
}

fn layer_words(layer: &Layer, name: &dyn Fn(&ContactId) -> String) -> String {
    let turns = &layer.rotation.turns;
    let even = turns.iter().all(|turn| Some(turn.length) == turns.first().map(|first| first.length));
    let turn = |turn: &super::ShiftTurn| {
        let people = people_words(&turn.people, name);
        if even { people } else { format!("{people} for {}", turn.length.words()) }
    };
    let people: Vec<String> = turns.iter().map(turn).collect();
    let mut words = people.join(", then ");
    if let Some(first) = turns.first().filter(|_| even) {
        words.push_str(&format!(", {} each", first.length.words()));
    }
    words.push_str(&format!(", first at {}", layer.rotation.anchor.replace('T', " ")));
    if let Some(zone) = &layer.zone {
        words.push_str(&format!(" ({zone})"));
    }
    for window in &layer.windows {
        let days: Vec<String> = window.days.iter().map(|day| format!("{day:?}")[..3].to_owned()).collect();
        words.push_str(&format!("; {} {}–{}", days.join(", "), window.span.from, window.span.until));
    }
    words.push_str(match layer.days {
        Days::All => "",
        Days::Holidays => "; on holidays alone",
        Days::NotHolidays => "; not on holidays",
    });
    if layer.beside {
        words.push_str("; together with the layer below");
    }
    let zone = layer.zone.as_deref().unwrap_or("UTC");
    words.push_str(&layer.from.map_or_else(String::new, |from| format!("; from {}", instant(from, zone))));
    words.push_str(&layer.until.map_or_else(String::new, |until| format!("; until {}", instant(until, zone))));
    words
}

/// What contacts are called.
pub fn naming(contacts: &[Contact]) -> impl Fn(&ContactId) -> String {
    move |id: &ContactId| {
        let found = contacts.iter().find(|contact| contact.id == *id);
        found.map_or_else(|| "somebody who is gone".to_owned(), |contact| contact.name.clone())
    }
}

/// "Ben and Ada"; "nobody".
pub fn people_words(people: &[ContactId], name: &dyn Fn(&ContactId) -> String) -> String {
    let names: Vec<String> = people.iter().map(name).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(" and ") }
}

/// "Fri 27 Nov 20:00 – Sat 28 Nov 08:00".
pub fn period(from: UtcMs, until: UtcMs, zone: &str) -> String {
    format!("{} – {}", instant(from, zone), instant(until, zone))
}

/// The same in the zone that all times of a text are of, with a role's own beside it where that differs.
pub fn period_in(from: UtcMs, until: UtcMs, zone: &str, own: &str) -> String {
    let (here, there) = (period(from, until, zone), period(from, until, own));
    if here == there { format!("{here} ({zone})") } else { format!("{here} ({zone}; {there} {own})") }
}

/// "Fri 27 Nov 20:00".
pub fn instant(at: UtcMs, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let Ok(at) = Timestamp::from_millisecond(at.0) else { return String::new() };
    zone.to_datetime(at).strftime("%a %-d %b %H:%M").to_string()
}

#[cfg(test)]
#[path = "difference_tests.rs"]
mod tests;
