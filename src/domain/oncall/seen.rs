//! What somebody saw on the calendar before they changed it, and whether it is still so. Pure; asked by `several` and `change` with the
//! schedule locked.
//!
//! What always holds: whoever says what they saw changes nothing where somebody else is on call by now.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Schedule;
use super::difference::{naming, people_words, period};
use super::spans::final_spans;
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::domain::account::Contact;
use crate::domain::account::fault::{Fault, Faults};

/// The code of what is refused as it is not what was seen.
pub const CHANGED_SINCE: &str = "schedule.changed_since";
/// All pieces together: no calendar shows more at once.
const MAX_LENGTH_MS: i64 = 400 * 86_400_000;

/// Who was on call from when until when, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[schema(as = SeenShift)]
pub struct Seen {
    /// In any order; nobody if it is empty.
    pub people: Vec<ContactId>,
    pub from: UtcMs,
    pub until: UtcMs,
}

/// What is wrong if `schedule` is not what was `seen`: the first difference, with who is on call instead.
pub fn check(seen: &[Seen], schedule: &Schedule, contacts: &[Contact]) -> Vec<Fault> {
    let mut faults = Faults::default();
    let length =
        |piece: &Seen| piece.until.0.checked_sub(piece.from.0).filter(|length| piece.from.0 > 0 && *length > 0);
    let all = seen.iter().try_fold(0_i64, |all, piece| all.checked_add(length(piece)?));
    if all.is_none_or(|all| all > MAX_LENGTH_MS) {
        let cure = "Send pieces that end after they begin, 400 days at most in all, or leave them out.";
        faults.add("/seen", "schedule.seen", "What was seen cannot be read.", cure);
        return faults.into_list();
    }
    for (n, piece) in seen.iter().enumerate() {
        let wanted: BTreeSet<&ContactId> = piece.people.iter().collect();
        let spans = final_spans(schedule, piece.from, piece.until);
        let other = spans.into_iter().find(|span| span.people.iter().collect::<BTreeSet<_>>() != wanted);
        if let Some(span) = other {
            let who = people_words(&span.people, &naming(contacts));
            let verb = if span.people.len() > 1 { "are" } else { "is" };
            let when = period(span.from, span.until, &schedule.zone);
            let detail = format!("Somebody else has changed this meanwhile: {who} {verb} on call, {when}.");
            let cure = "Look at the calendar, and do it again if it is still right.";
            faults.add(format!("/seen/{n}"), CHANGED_SINCE, detail, cure);
            break;
        }
    }
    faults.into_list()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AccountId, OverrideId, ScheduleId};
    use crate::domain::oncall::{Layer, Override, OverrideAct, Rotation, ShiftLength, ShiftTurn};

    const HOUR: i64 = 3_600_000;

    /// A and B together, but A alone from 2 to 4.
    fn schedule() -> Schedule {
        let turns =
            vec![ShiftTurn { people: ["a", "b"].map(ContactId::named).to_vec(), length: ShiftLength::Weeks(1) }];
        let layer = Layer::plain("both", Rotation { anchor: "1970-01-01T00:00".into(), turns });
        let over = Override {
            id: OverrideId::named("o"),
            act: OverrideAct::Only { contact: ContactId::named("a") },
            from: UtcMs(2 * HOUR),
            until: UtcMs(4 * HOUR),
            by: "the office".into(),
            made_at: UtcMs(0),
            note: String::new(),
        };
        let blank = Schedule::blank(ScheduleId::named("s"), AccountId::named("x"), "doctor".into(), "UTC".into());
        Schedule { layers: vec![layer], overrides: vec![over], ..blank }
    }

    fn seen(people: &[&str], from: i64, until: i64) -> Seen {
        let people = people.iter().map(|name| ContactId::named(name)).collect();
        Seen { people, from: UtcMs(from * HOUR), until: UtcMs(until * HOUR) }
    }

    fn told(pieces: &[Seen]) -> Vec<(String, String, String)> {
        let contact = |name: &str, called: &str| Contact {
            id: ContactId::named(name),
            account: AccountId::named("x"),
            name: called.to_owned(),
            title: String::new(),
            language: None,
            zone: None,
            destinations: vec![],
        };
        let contacts = [contact("a", "Ada"), contact("b", "Ben")];
        let faults = check(pieces, &schedule(), &contacts);
        faults.into_iter().map(|fault| (fault.pointer, fault.code.into_owned(), fault.detail)).collect()
    }

    #[test]
    fn what_is_still_so_is_no_fault_in_whichever_order_people_stand() {
        assert_eq!(told(&[seen(&["b", "a"], 1, 2), seen(&["a"], 2, 4), seen(&["a", "b"], 4, 6)]), []);
        assert_eq!(told(&[]), [], "whoever says nothing is asked nothing");
    }

    #[test]
    fn the_first_that_is_other_by_now_is_told_with_who_it_is() {
        let words = "Somebody else has changed this meanwhile: Ada is on call, Thu 1 Jan 02:00 – Thu 1 Jan 04:00.";
        let first = ("/seen/1".to_owned(), "schedule.changed_since".to_owned(), words.to_owned());
        assert_eq!(told(&[seen(&["a", "b"], 1, 2), seen(&["a", "b"], 2, 6), seen(&["b"], 4, 5)]), [first]);
        let both = told(&[seen(&["a"], 4, 5)]);
        assert!(both[0].2.contains("Ada and Ben are on call"), "{both:?}");
        let nobody = told(&[seen(&[], 2, 3)]);
        assert!(nobody[0].2.contains("Ada is on call"), "{nobody:?}");
    }

    #[test]
    fn what_no_calendar_shows_is_refused() {
        for wrong in [seen(&["a"], 4, 4), seen(&["a"], 1, 401 * 24), seen(&["a"], -5, -4)] {
            assert_eq!(told(&[wrong])[0].1, "schedule.seen");
        }
        let endless = Seen { from: UtcMs(i64::MIN), until: UtcMs(i64::MAX), people: vec![] };
        assert_eq!(told(&[endless])[0].1, "schedule.seen");
    }
}
