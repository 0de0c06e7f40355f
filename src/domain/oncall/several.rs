//! Overrides taken out and made at once, as one drag on a calendar does. Pure.
//!
//! What always holds: all of it, or nothing; those that are made come last, in the order in which they were asked for; one that is put
//! back has its old place in the order, its maker and its note, so that it beats nothing that was made after it.

use serde::Deserialize;

use super::change::{Made, OverrideEdit};
use super::seen::{self, Seen};
use super::{Override, Schedule};
use crate::base::id::{ContactId, OverrideId};
use crate::domain::account::Contact;
use crate::domain::account::fault::{Fault, Faults};

/// No drag needs as many.
const MAX_AT_ONCE: usize = 100;

/// Overrides as they are changed together.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
pub struct OverridesEdit {
    /// The account's, if it was read.
    #[serde(default)]
    pub edition: Option<u32>,
    /// Who was on call where this changes it, as it was seen; refused if somebody else is by now.
    #[serde(default)]
    pub seen: Vec<Seen>,
    /// Taken out first.
    #[serde(default)]
    pub remove: Vec<OverrideId>,
    /// Put back as they were, of those that the schedule has had.
    #[serde(default)]
    pub put_back: Vec<OverrideId>,
    /// Made then, in this order.
    #[serde(default)]
    pub add: Vec<OverrideEdit>,
}

impl OverridesEdit {
    /// The schedule with all of it. `had`: overrides that it has had, as they were.
    ///
    /// # Errors
    /// All that is wrong with it, each at its place.
    pub fn apply(
        &self,
        schedule: &Schedule,
        contacts: &[Contact],
        had: &[Override],
        made: Made<'_>,
    ) -> Result<Schedule, Vec<Fault>> {
        let mut faults = Faults::default();
        faults.extend(seen::check(&self.seen, schedule, contacts));
        let count = self.remove.len() + self.put_back.len() + self.add.len();
        if count == 0 {
            faults.add("", "override.none", "There is nothing to change.", "Say what to take out or to make.");
        }
        if count > MAX_AT_ONCE {
            let cure = "Make it of several changes.";
            faults.add("", "override.too_many", "These are too many overrides at once.", cure);
            return faults.unless(schedule.clone());
        }
        let mut after = schedule.clone();
        for (n, id) in self.remove.iter().enumerate() {
            let before = after.overrides.len();
            after.overrides.retain(|over| over.id != *id);
            if after.overrides.len() == before {
                let cure = "Look at the calendar again: somebody may have taken it back.";
                faults.add(format!("/remove/{n}"), "override.unknown", "The schedule has no such override.", cure);
            }
        }
        for (n, id) in self.put_back.iter().enumerate() {
            let mut wrong = |code: &'static str, detail: &str, cure: &str| {
                faults.add(format!("/put_back/{n}"), code, detail, cure);
            };
            let known = |person: &ContactId| contacts.iter().any(|contact| contact.id == *person);
            let cure = "Look at the calendar again: somebody may have changed it.";
            match had.iter().find(|over| over.id == *id) {
                _ if after.overrides.iter().any(|over| over.id == *id) => {
                    wrong("override.there", "The schedule has this override.", cure);
                }
                None => wrong("override.unknown", "The schedule has had no such override.", cure),
                Some(over) if over.until <= made.at => {
                    wrong("override.past", "This time is over.", "Choose a time that ends later than now.");
                }
                Some(over) if !known(over.act.contact()) || over.act.instead_of().is_some_and(|id| !known(id)) => {
                    wrong(
                        "override.gone",
                        "Somebody who was in it is no contact any more.",
                        "Put somebody else on call.",
                    );
                }
                Some(over) => after.overrides.push(over.clone()),
            }
        }
        if !self.put_back.is_empty() {
            // As they are kept: the order in which they were made is the order in which they count.
            after.overrides.sort_by(|one, other| (one.made_at, &one.id).cmp(&(other.made_at, &other.id)));
        }
        for (n, edit) in self.add.iter().enumerate() {
            match edit.apply(&after, contacts, made) {
                Ok(with) => after = with,
                Err(wrong) => faults.extend(wrong.into_iter().map(|fault| at(n, fault))),
            }
        }
        faults.unless(after)
    }
}

fn at(n: usize, fault: Fault) -> Fault {
    Fault { pointer: format!("/add/{n}{}", fault.pointer), ..fault }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::UtcMs;
    use crate::base::id::{AccountId, ScheduleId};
    use crate::domain::oncall::OverrideAct;

    const HOUR: i64 = 3_600_000;
    const MADE: Made<'_> = Made { by: "Kim", at: UtcMs(1) };

    fn contacts() -> Vec<Contact> {
        let contact = |name: &str| Contact {
            id: ContactId::named(name),
            account: AccountId::named("a"),
            name: name.to_owned(),
            title: String::new(),
            language: None,
            zone: None,
            destinations: vec![],
        };
        ["a", "b"].map(contact).to_vec()
    }

    fn blank() -> Schedule {
        Schedule::blank(ScheduleId::named("s"), AccountId::named("a"), "technician".into(), "UTC".into())
    }

    fn only(name: &str, from: i64, until: i64) -> OverrideEdit {
        let act = OverrideAct::Only { contact: ContactId::named(name) };
        OverrideEdit { edition: None, act, from: UtcMs(from * HOUR), until: UtcMs(until * HOUR), note: String::new() }
    }

    fn edit(remove: &[OverrideId], add: Vec<OverrideEdit>) -> OverridesEdit {
        OverridesEdit { edition: None, seen: Vec::new(), remove: remove.to_vec(), put_back: Vec::new(), add }
    }

    #[test]
    fn what_is_made_comes_last_and_what_is_taken_out_is_gone() {
        let first = edit(&[], vec![only("a", 1, 2), only("b", 2, 3)]).apply(&blank(), &contacts(), &[], MADE);
        let first = first.expect("nothing is wrong with it");
        let gone = first.overrides[0].id.clone();
        let moved = edit(std::slice::from_ref(&gone), vec![only("a", 3, 4)]).apply(&first, &contacts(), &[], MADE);
        let moved = moved.expect("nothing is wrong with it");
        let from: Vec<_> = moved.overrides.iter().map(|over| over.from).collect();
        assert_eq!(from, [UtcMs(2 * HOUR), UtcMs(3 * HOUR)]);
        assert!(moved.overrides.iter().all(|over| over.id != gone));
    }

    #[test]
    fn all_that_is_wrong_is_told_each_at_its_place() {
        let unknown = OverrideId::named("gone");
        let wrong = edit(&[unknown], vec![only("a", 1, 2), only("nobody", 3, 2)]);
        let wrong = wrong.apply(&blank(), &contacts(), &[], MADE);
        let told: Vec<_> = wrong.expect_err("three things are wrong").into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(told, ["/remove/0", "/add/1/until", "/add/1/contact"]);
    }

    #[test]
    fn one_that_is_put_back_beats_nothing_that_was_made_after_it() {
        let later = Made { by: "Sam", at: UtcMs(2) };
        let first = edit(&[], vec![only("a", 1, 9)]).apply(&blank(), &contacts(), &[], MADE);
        let first = first.expect("nothing is wrong with it");
        let both = edit(&[], vec![only("b", 3, 5)]).apply(&first, &contacts(), &[], later);
        let both = both.expect("nothing is wrong with it");
        let id = both.overrides[0].id.clone();
        let without = edit(std::slice::from_ref(&id), vec![]).apply(&both, &contacts(), &[], later);
        let without = without.expect("it is there");
        let back = OverridesEdit { put_back: vec![id], ..edit(&[], vec![]) };
        let again = back.apply(&without, &contacts(), &both.overrides, Made { by: "Lee", at: UtcMs(3) });
        assert_eq!(again.expect("it was there"), both, "with its maker and its place");
        let twice = back.apply(&both, &contacts(), &both.overrides, later).expect_err("it is there");
        let never = back.apply(&without, &contacts(), &[], later).expect_err("it never was");
        assert_eq!((&*twice[0].code, &*never[0].code), ("override.there", "override.unknown"));
        let over = Made { by: "Lee", at: UtcMs(9 * HOUR) };
        let past = back.apply(&without, &contacts(), &both.overrides, over).expect_err("its time is over");
        assert_eq!(past[0].code, "override.past");
    }

    #[test]
    fn nothing_at_all_is_no_change() {
        let told = edit(&[], vec![]).apply(&blank(), &contacts(), &[], MADE).expect_err("nothing is asked for");
        assert_eq!(told[0].code, "override.none");
    }
}
