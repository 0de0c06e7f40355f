//! Faxes: what may be saved, how it reads, and what counts.

use super::*;
use crate::domain::dispatch::fax::{FaxFault, FaxOutcome};

const FAX: Method = Method::Fax { tries: 3, retry_secs: 300 };

/// The town's people, and a fax machine of Ben's.
fn people() -> Vec<Contact> {
    let mut people = town().contacts;
    let ben = people.iter_mut().find(|contact| contact.id == ContactId::named("ben")).expect("Ben");
    let phone = ben.destinations[0].clone();
    let machine = Reach::Fax(PhoneNumber::parse("+12025550133").expect("a number"));
    ben.destinations.push(Destination { label: "fax".into(), reach: machine, ..phone });
    people
}

#[test]
fn a_fax_goes_to_a_fax_machine_and_is_tried_within_reason() {
    let steps = vec![
        (FAX, vec![named("ben", "fax")], 0),
        (FAX, vec![named("ben", "mobile")], 0),
        (Method::Text, vec![named("ben", "fax")], 0),
        (Method::Fax { tries: 0, retry_secs: 1 }, vec![named("ben", "fax")], 0),
    ];
    let faults = validate::validate(&protocol(steps, false, Until::HandedOver), &people(), &[]);
    let faults: Vec<_> = faults.into_iter().map(|fault| (fault.step, fault.code)).collect();
    let expected = [
        (Some(2), "wrong_destination"),
        (Some(3), "wrong_destination"),
        (Some(4), "fax_tries"),
        (Some(4), "fax_retry"),
    ];
    assert_eq!(faults, expected);
    let unread = protocol(vec![(FAX, vec![named("ben", "fax")], 0)], false, Until::Confirmed);
    let faults = validate::validate(&unread, &people(), &[]);
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["cannot_confirm"]);
}

#[test]
fn a_step_without_numbers_is_tried_as_usual_and_reads_so() {
    let step: Step =
        serde_json::from_str(r#"{ "method": { "kind": "fax" }, "to": [], "wait_secs": 600 }"#).expect("a step");
    assert_eq!(step.method, FAX);
    let once = Method::Fax { tries: 1, retry_secs: 300 };
    let steps = vec![(FAX, vec![named("ben", "fax")], 600), (once, vec![named("ben", "fax")], 0)];
    let lines = describe::describe(&protocol(steps, false, Until::HandedOver), &people(), &[]);
    assert_eq!(lines[0], "1. Fax ben (fax), up to 3 times, 5 minutes apart, then wait 10 minutes.");
    assert_eq!(lines[1], "2. Fax ben (fax).");
}

#[test]
fn only_what_the_world_may_mend_is_tried_again() {
    use crate::domain::dispatch::event::Failure;
    for why in [FaxFault::Busy, FaxFault::NoAnswer, FaxFault::NoMachine, FaxFault::LineLost, FaxFault::NoTrunk] {
        assert_eq!(why.failure(), Failure::Temporary, "{why:?}");
    }
    for why in [FaxFault::WrongNumber, FaxFault::Forbidden, FaxFault::Blocked, FaxFault::Incapable] {
        assert_eq!(why.failure(), Failure::Permanent, "{why:?}");
    }
}

#[test]
fn what_came_of_a_fax_is_kept_as_it_was_told() {
    for outcome in [
        FaxOutcome::Delivered { pages: 2 },
        FaxOutcome::Failed { why: FaxFault::LineLost, confirmed: 1, pages: 2 },
        FaxOutcome::Cancelled,
    ] {
        let stored = serde_json::to_string(&outcome).expect("it can be written");
        assert_eq!(serde_json::from_str::<FaxOutcome>(&stored).expect("it can be read"), outcome);
    }
}

#[test]
fn a_planned_stop_in_the_middle_of_a_fax_costs_it_no_try() {
    let once = Method::Fax { tries: 1, retry_secs: 300 };
    let mut night = Night::of(protocol(vec![(once, vec![named("ben", "fax")], 0)], false, Until::HandedOver));
    night.town.contacts = people();
    night.silent = true;
    night.until(0);
    let fax = night.s.attempts[0].id.clone();
    let stopped = FaxOutcome::Failed { why: FaxFault::Stopped, confirmed: 0, pages: 0 };
    night.tell(Event::Faxed { attempt: fax.clone(), outcome: stopped });
    assert!(night.s.attempts[0].failed.is_none() && night.s.attempts[0].failures == 0);
    // The next start.
    night.tell(Event::Interrupted { attempt: fax.clone() });
    assert_eq!(night.times().len(), 2);
    night.tell(Event::Faxed { attempt: fax, outcome: FaxOutcome::Delivered { pages: 1 } });
    night.tell(Event::Due);
    assert_eq!(night.s.phase, Phase::Delivered);
}

#[test]
fn no_reply_of_a_machine_is_waited_for_in_words_either() {
    let steps = vec![(FAX, vec![named("ben", "fax")], 600), (Method::Text, vec![named("ben", "mobile")], 0)];
    let mut night = Night::of(protocol(steps, false, Until::HandedOver));
    night.town.contacts = people();
    night.silent = true;
    night.until(0);
    let fax = night.s.attempts[0].id.clone();
    night.tell(Event::Faxed { attempt: fax, outcome: FaxOutcome::Delivered { pages: 1 } });
    night.tell(Event::Due);
    assert_eq!(night.lines().last().map(String::as_str), Some("At 00:10:05 UTC: text ben (mobile)."));
}
