//! Who is to be reminded of a shift, when. Pure.
//!
//! A shift of somebody goes on while they are on call, whoever else is and by whichever reason. They are told a while before it
//! begins and when it does. What came too late is dropped: before a shift until it begins, at its beginning for a quarter of an
//! hour. Whoever stands in because nobody else is there has no shift.

use serde::{Deserialize, Serialize};

use super::Schedule;
use super::difference::instant;
use super::spans::{Source, final_spans};
use crate::base::clock::UtcMs;
use crate::base::id::{ContactId, ScheduleId};

/// How long before a shift its person is told.
pub const BEFORE_MS: i64 = 2 * 3_600_000;
/// How late somebody may be told that their shift has begun.
pub const LATE_MS: i64 = 15 * 60_000;
/// What is looked at beyond, so that a shift's end is known.
const AHEAD_MS: i64 = 14 * 86_400_000;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Before,
    Begins,
}

/// A reminder that is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    pub schedule: ScheduleId,
    pub contact: ContactId,
    pub kind: Kind,
    pub from: UtcMs,
    /// None: it goes on for longer than is looked at.
    pub until: Option<UtcMs>,
}

impl Reminder {
    /// The same for the same shift, whenever it is looked at.
    pub fn key(&self) -> String {
        let kind = match self.kind {
            Kind::Before => "before",
            Kind::Begins => "begins",
        };
        format!("{}:{}:{}:{kind}", self.schedule, self.contact, self.from)
    }

    /// It came too late to be of use.
    pub const fn is_over(&self, now: UtcMs) -> bool {
        match self.kind {
            Kind::Before => now.0 >= self.from.0,
            Kind::Begins => now.0 >= self.from.0 + LATE_MS,
        }
    }

    /// What is said.
    pub fn words(&self, account: &str, role: &str, zone: &str) -> String {
        let until = self.until.map(|until| format!(" until {}", instant(until, zone))).unwrap_or_default();
        match self.kind {
            Kind::Before => {
                format!("{account}: you are on call as {role} from {}{until} ({zone}).", instant(self.from, zone))
            }
            Kind::Begins => format!("{account}: you are on call now as {role}{until} ({zone})."),
        }
    }
}

/// Something that people are told of schedules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    Shift {
        reminder: Reminder,
    },
    /// To whoever manages the account: nobody is on call then, or one person twice. What, is looked up when it is sent.
    Trouble,
}

/// All reminders of a schedule that are due at `now` and not over.
pub fn due(schedule: &Schedule, now: UtcMs) -> Vec<Reminder> {
    let start = now.plus_ms(-LATE_MS);
    let soon = now.plus_ms(BEFORE_MS + 1);
    if !shifts(schedule, start, soon).iter().any(|(_, from, _)| *from > start) {
        return Vec::new();
    }
    let shifts = shifts(schedule, start, now.plus_ms(AHEAD_MS));
    let mut found = Vec::new();
    for (contact, from, until) in shifts {
        // One that had begun when the look starts is no news.
        let kind = if from <= start || from > now.plus_ms(BEFORE_MS) {
            continue;
        } else if from <= now {
            Kind::Begins
        } else {
            Kind::Before
        };
        let reminder = Reminder { schedule: schedule.id.clone(), contact, kind, from, until };
        if !reminder.is_over(now) {
            found.push(reminder);
        }
    }
    found
}

/// Who is on call from when until when, each person's time by itself.
pub fn shifts(schedule: &Schedule, from: UtcMs, until: UtcMs) -> Vec<(ContactId, UtcMs, Option<UtcMs>)> {
    let mut shifts: Vec<(ContactId, UtcMs, Option<UtcMs>)> = Vec::new();
    let mut open: Vec<(ContactId, UtcMs)> = Vec::new();
    let spans = final_spans(schedule, from, until);
    for span in &spans {
        let on = |person: &ContactId| span.source != Source::Fallback && span.people.contains(person);
        open.retain(|(person, since)| {
            let stays = on(person);
            if !stays {
                shifts.push((person.clone(), *since, Some(span.from)));
            }
            stays
        });
        if span.source != Source::Fallback {
            for person in &span.people {
                if !open.iter().any(|(there, _)| there == person) {
                    open.push((person.clone(), span.from));
                }
            }
        }
    }
    shifts.extend(open.into_iter().map(|(person, since)| (person, since, None)));
    shifts.sort_by_key(|(_, from, _)| *from);
    shifts
}

#[cfg(test)]
#[path = "reminder_tests.rs"]
mod tests;
