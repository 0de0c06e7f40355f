//! Hours of destinations, as a step meets them: which destination is used in place of one that is outside of its hours, and what becomes
//! of a message for which there is none.
//!
//! What always holds: what is urgent is never dropped or delayed over an hour, nor is a caller on the line: where nothing of a person
//! is within its hours, the destination that the step names is used all the same, and the time line says so. What is not urgent
//! waits until the hours of that destination begin, or until it becomes urgent.

use serde::{Deserialize, Serialize};

use super::Turn;
use super::event::Note;
use super::protocol::Method;
use super::state::{Address, Channel, HOLD_FOR_CALL_MS, Purpose};
use crate::base::clock::UtcMs;
use crate::domain::account::reachable::Reached;
use crate::domain::account::{Contact, Destination, Reach, Urgency};
use crate::domain::message::render::{clock_in_zone, date_and_clock};

const DAY_MS: i64 = 24 * 3_600_000;

/// What becomes of a message for a destination that is outside of its hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "then", rename_all = "snake_case")]
pub enum OutOfHours {
    /// Another of the person's is used.
    Instead { label: String },
    /// It waits until they begin.
    Waits,
    /// It is used all the same, as it is urgent.
    Urgent,
    /// It has waited for them, and has become urgent since.
    NowUrgent,
    /// It is used all the same, as there is a caller on the line.
    CallerWaits,
}

/// The destination that is used.
pub(super) struct Timed<'a> {
    pub(super) destination: &'a Destination,
    /// The message waits until then.
    pub(super) not_before: Option<UtcMs>,
    /// What is to be written down of it, if it is not as the step says.
    pub(super) odd: Option<Note>,
}

/// What is sent by this channel to such a destination; none: it takes nothing by it.
pub(super) fn address_of(contact: &Contact, destination: &Destination, channel: Channel) -> Option<Address> {
    Some(match (&destination.reach, channel) {
        (Reach::Phone(number), Channel::Text | Channel::Call) => Address::Phone(number.clone()),
        (Reach::Email(address), Channel::Email) => Address::Email(address.clone()),
        (Reach::Pager(pager), Channel::Pager) => Address::Pager(pager.clone()),
        (Reach::Webhook(name), Channel::Webhook) => Address::Webhook(name.clone()),
        (Reach::Inbox(_), Channel::Push) => Address::Inbox(contact.id.clone()),
        (Reach::Fax(number), Channel::Fax) => Address::Fax(number.clone()),
        _ => return None,
    })
}

impl Turn<'_> {
    /// Where somebody is reached now whom a step means at `meant`.
    pub(super) fn in_hours<'d>(
        &self,
        contact: &'d Contact,
        meant: &'d Destination,
        channel: Channel,
        method: Method,
    ) -> Timed<'d> {
        let takes =
            |d: &Destination| address_of(contact, d, channel).is_some() && !(channel == Channel::Text && d.blocked);
        let note = |not_before, then| {
            Some(Note::Hours { name: contact.name.clone(), label: meant.label.clone(), not_before, then })
        };
        match contact.reached_at(meant, takes, self.world.zone(), self.now) {
            Reached::AsMeant(destination) => Timed { destination, not_before: None, odd: None },
            Reached::Instead { used, not_before } => {
                let odd = note(not_before, OutOfHours::Instead { label: used.label.clone() });
                Timed { destination: used, not_before: None, odd }
            }
            Reached::NotNow { not_before } => {
                let (not_before, then) = match not_before {
                    _ if method == Method::LivePatch => (not_before, OutOfHours::CallerWaits),
                    // Hours that never begin are a mistake, over which nothing is lost.
                    Some(_) if self.s.urgency != Urgency::Urgent => (not_before, OutOfHours::Waits),
                    _ => (not_before, OutOfHours::Urgent),
                };
                let waits = then == OutOfHours::Waits;
                let odd = note(not_before, then);
                Timed { destination: meant, not_before: not_before.filter(|_| waits), odd }
            }
        }
    }

    /// The call is over for whose end this attempt waited, if it did; hours are waited for on.
    pub(super) fn call_is_over_for(&mut self, i: usize) {
        let now = self.now;
        let a = &mut self.s.attempts[i];
        if a.hold_until.is_none() {
            return;
        }
        a.hold_until = a.not_before.filter(|at| *at > now);
        if a.hold_until.is_none() {
            self.plan_again(i);
        }
    }

    /// The message has become urgent: nothing of it waits for hours any longer, only for the call's end what waits for that as well.
    pub(super) fn wait_for_no_hours(&mut self) {
        for i in 0..self.s.attempts.len() {
            let (on_call, of_now) = (self.s.on_call.is_some(), self.is_of_now(i));
            let a = &self.s.attempts[i];
            let waits = of_now && a.hold_until.is_some() && !a.is_settled();
            let Some(not_before) = a.not_before.filter(|at| waits && *at > self.now) else { continue };
            let for_call = on_call && (a.channel == Channel::Email || a.purpose == Purpose::Record);
            let hold_until = for_call.then(|| a.planned_at.plus_ms(HOLD_FOR_CALL_MS)).filter(|at| *at > self.now);
            let (name, label) = (a.name.clone(), a.label.clone());
            let a = &mut self.s.attempts[i];
            a.not_before = None;
            a.hold_until = hold_until;
            let note =
                Note::Hours { name: name.clone(), label, not_before: Some(not_before), then: OutOfHours::NowUrgent };
            self.record(Some(&name), note);
            if hold_until.is_none() {
                self.plan_again(i);
            }
        }
    }
}

/// It is so far off that the time of the day would be taken for another day's.
pub fn is_days_off(at: UtcMs, now: UtcMs) -> bool {
    at.since(now) >= DAY_MS
}

/// `08:00 EST`, or `Mon 9 Mar 2026, 08:00` where that is days off.
pub(super) fn when(at: UtcMs, now: UtcMs, zone: &str) -> String {
    if is_days_off(at, now) { date_and_clock(at, zone) } else { clock_in_zone(at, zone) }
}

/// `Ben's mobile is not used before 08:00 EST: home is used instead.`
pub(super) fn sentence(
    name: &str,
    label: &str,
    not_before: Option<UtcMs>,
    then: &OutOfHours,
    now: UtcMs,
    zone: &str,
) -> String {
    let until = match not_before {
        Some(at) => format!("is not used before {}", when(at, now, zone)),
        None => "is outside of its hours".to_owned(),
    };
    let nothing = "and nothing else of theirs is within its hours; it is used all the same, as";
    match then {
        OutOfHours::Instead { label: used } => format!("{name}'s {label} {until}: {used} is used instead."),
        OutOfHours::Waits => format!("{name}'s {label} {until}: the message waits until then."),
        OutOfHours::Urgent => format!("{name}'s {label} {until}, {nothing} the message is urgent."),
        OutOfHours::NowUrgent => {
            format!("{name}'s {label} {until}: it is used all the same, as the message is urgent now.")
        }
        OutOfHours::CallerWaits => format!("{name}'s {label} {until}, {nothing} the caller is on the line."),
    }
}
