//! When an account is sent its recap and to whom, and which time of it comes when. Pure; times are on the account's clock.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::account::{Contact, Reach};
use crate::domain::dispatch::hold::TimeOfDay;
use crate::domain::oncall::first_instant;

const MAX_TIMES: usize = 12;
const MAX_PEOPLE: usize = 20;

/// When, and to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Times of every day on the account's clock: `08:00`.
    #[schema(value_type = Vec<String>)]
    pub times: Vec<TimeOfDay>,
    pub to: Vec<Recipient>,
    /// Sent even if there is nothing to report.
    #[serde(default)]
    pub empty: bool,
    #[serde(default)]
    pub files: Files,
}

/// What goes along with each email of a recap, for whoever keeps it or counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// The report as pages.
    pub pdf: bool,
    /// The messages as a table.
    pub csv: bool,
}

/// One who gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    pub contact: ContactId,
    /// What the contact's email destination is called.
    pub destination: String,
}

/// One time of a plan on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub date: Date,
    pub time: TimeOfDay,
    pub at: UtcMs,
}

impl Slot {
    /// `2026-03-07 08:00`: with the account, it names the slot.
    pub fn name(&self) -> String {
        format!("{} {}", self.date, self.time)
    }
}

impl Plan {
    /// The last of its times that has come: after `since`, and not after `now`.
    pub fn last_slot(&self, zone: &str, since: UtcMs, now: UtcMs) -> Option<Slot> {
        let come = self.slots_around(zone, now).into_iter().filter(|slot| slot.at > since && slot.at <= now);
        // Two times that the clocks skip come at one instant: the later one stands for both.
        come.max_by_key(|slot| (slot.at, slot.date, slot.time))
    }

    /// When the next of its times comes.
    pub fn next_at(&self, zone: &str, now: UtcMs) -> Option<UtcMs> {
        self.slots_around(zone, now).into_iter().map(|slot| slot.at).filter(|at| *at > now).min()
    }

    /// From the day before `now` to the day after: a time is at most a day and an hour away.
    fn slots_around(&self, zone: &str, now: UtcMs) -> Vec<Slot> {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let today = zone.to_datetime(Timestamp::from_millisecond(now.0).unwrap_or(Timestamp::UNIX_EPOCH)).date();
        let days = [today.yesterday().ok(), Some(today), today.tomorrow().ok()].into_iter().flatten();
        let slots = days.flat_map(|date| self.times.iter().map(move |time| (date, *time)));
        slots.filter_map(|(date, time)| Some(Slot { date, time, at: first_instant(&zone, time.on(date))? })).collect()
    }

    /// Those who can be written to, by name and address; the others' names.
    pub fn addresses(&self, contacts: &[Contact]) -> (Vec<(String, String)>, Vec<String>) {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for recipient in &self.to {
            let contact = contacts.iter().find(|contact| contact.id == recipient.contact);
            match contact.and_then(|contact| contact.find_destination(&recipient.destination)).map(|d| &d.reach) {
                Some(Reach::Email(address)) => {
                    let name = contact.map(|contact| contact.name.clone()).unwrap_or_default();
                    found.push((name, address.clone()));
                }
                _ => missing
                    .push(contact.map_or_else(|| "somebody who is no contact any more".to_owned(), |c| c.name.clone())),
            }
        }
        (found, missing)
    }

    /// All that is wrong with it.
    pub fn check(&self, contacts: &[Contact]) -> Vec<Fault> {
        let mut faults = Faults::default();
        if self.times.is_empty() || self.times.len() > MAX_TIMES {
            let cure = format!("Write 1 to {MAX_TIMES} times of the day: 08:00.");
            faults.add("/times", "recap.times", "A recap has its times.", cure);
        }
        for (n, time) in self.times.iter().enumerate() {
            if self.times[..n].contains(time) {
                faults.add(
                    format!("/times/{n}"),
                    "recap.time_twice",
                    format!("{time} is there twice."),
                    "Take one out.",
                );
            }
        }
        if self.to.is_empty() || self.to.len() > MAX_PEOPLE {
            let cure = format!("Choose 1 to {MAX_PEOPLE} people who have an email address.");
            faults.add("/to", "recap.nobody", "A recap goes to somebody.", cure);
        }
        for (n, recipient) in self.to.iter().enumerate() {
            let Some(contact) = contacts.iter().find(|contact| contact.id == recipient.contact) else {
                let cure = "Choose one of the account's contacts.";
                faults.add(
                    format!("/to/{n}/contact"),
                    "recap.unknown_contact",
                    "That is nobody of this account.",
                    cure,
                );
                continue;
            };
            let label = &recipient.destination;
            if !matches!(contact.find_destination(label).map(|d| &d.reach), Some(Reach::Email(_))) {
                let detail = format!("{} has no email address called {label}.", contact.name);
                let cure = "Give the contact one, or choose another.";
                faults.add(format!("/to/{n}/destination"), "recap.no_email", detail, cure);
            }
            if self.to[..n].contains(recipient) {
                let detail = format!("{} is there twice.", contact.name);
                faults.add(format!("/to/{n}"), "recap.twice", detail, "Take one out.");
            }
        }
        faults.into_list()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(times: &[&str]) -> Plan {
        let times = times.iter().map(|time| TimeOfDay::parse(time).expect("a time")).collect();
        Plan { times, ..Plan::default() }
    }

    /// 2026-03-07, 12:00 in Chicago, the day before its clocks go forward.
    const NOON: UtcMs = UtcMs(1_772_906_400_000);
    const HOUR: i64 = 3_600_000;

    #[test]
    fn the_last_time_that_came_and_the_next_one_are_on_the_accounts_clock() {
        let plan = plan(&["08:00", "17:30"]);
        let last = plan.last_slot("America/Chicago", UtcMs(0), NOON).expect("eight o'clock");
        assert_eq!((last.name().as_str(), NOON.since(last.at)), ("2026-03-07 08:00", 4 * HOUR));
        let next = plan.next_at("America/Chicago", NOON).expect("half past five");
        assert_eq!(next.since(NOON), 11 * HOUR / 2);
        assert_eq!(plan.last_slot("America/Chicago", last.at, NOON), None, "reported on already");
        assert_eq!(plan.last_slot("America/Chicago", UtcMs(0), last.at).map(|s| s.at), Some(last.at), "on the instant");
    }

    #[test]
    fn a_time_that_the_clocks_skip_comes_once_and_one_that_they_repeat_comes_once_too() {
        let night = plan(&["02:30"]);
        // 02:30 does not exist on 8 March: the first instant after the gap is meant, 08:00 UTC.
        let skipped = night.last_slot("America/Chicago", NOON, NOON.plus_ms(15 * HOUR)).expect("it comes");
        assert_eq!((skipped.name().as_str(), skipped.at), ("2026-03-08 02:30", UtcMs(1_772_956_800_000)));
        let all = plan(&["02:30", "03:00"]);
        let both = all.last_slot("America/Chicago", NOON, NOON.plus_ms(15 * HOUR)).expect("they come");
        assert_eq!(both.name(), "2026-03-08 03:00", "one recap for both");
        // 01:30 comes twice on 1 November 2026; the first is meant.
        let repeated = plan(&["01:30"]);
        let at = UtcMs(1_793_514_600_000);
        let slot = repeated.last_slot("America/Chicago", at.plus_ms(-1), at.plus_ms(2 * HOUR)).expect("it comes");
        assert_eq!((slot.name().as_str(), slot.at), ("2026-11-01 01:30", at));
        assert_eq!(repeated.last_slot("America/Chicago", slot.at, at.plus_ms(2 * HOUR)), None);
    }

    #[test]
    fn a_plan_without_times_or_people_is_refused_with_all_that_is_wrong() {
        let mut wrong = plan(&["08:00", "08:00"]);
        wrong.to = vec![Recipient { contact: ContactId::named("nobody"), destination: "email".into() }];
        let codes: Vec<_> = wrong.check(&[]).into_iter().map(|fault| (fault.pointer, fault.code)).collect();
        assert_eq!(
            codes,
            [
                ("/times/1".to_owned(), "recap.time_twice".into()),
                ("/to/0/contact".to_owned(), "recap.unknown_contact".into()),
            ]
        );
        let codes: Vec<_> = Plan::default().check(&[]).into_iter().map(|fault| fault.code).collect();
        assert_eq!(codes, ["recap.times", "recap.nobody"]);
    }
}
