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

/// A fax alone, which takes its time until somebody says what became of it.
fn one_fax(tries: u8, then: Option<u32>) -> Night {
    let mut steps = vec![(Method::Fax { tries, retry_secs: 300 }, vec![named("ben", "fax")], then.unwrap_or(0))];
    if then.is_some() {
        steps.push((Method::TextConfirm, vec![named("ben", "mobile")], 900));
    }
    let until = if then.is_some() { Until::Confirmed } else { Until::HandedOver };
    let mut night = Night::of(protocol(steps, false, until));
    night.town.contacts = people();
    night.silent = true;
    night.until(0);
    night
}

/// What became of the fax that is under way, as often as one is, until `secs` after T0.
fn goes(night: &mut Night, secs: i64, why: FaxFault) {
    for _ in 0..100 {
        let fax = night.s.attempts[0].clone();
        let at = night.now.since(night.s.open_at) / 1_000;
        if fax.in_flight_since.is_some() {
            night.tell(Event::Faxed { attempt: fax.id, outcome: FaxOutcome::Failed { why, confirmed: 0, pages: 1 } });
        } else if let Some(next) = fax.retry_at.map(|at| at.since(night.s.open_at) / 1_000).filter(|next| *next <= secs)
        {
            night.until(next.max(at));
        } else {
            return night.until(secs);
        }
    }
    panic!("it is tried without end");
}

#[test]
fn a_trunk_that_is_away_for_hours_costs_a_fax_none_of_its_tries() {
    for ours in [FaxFault::NoTrunk, FaxFault::Limited, FaxFault::NoEngine, FaxFault::Fault] {
        let mut night = one_fax(1, None);
        goes(&mut night, 2 * 3_600, ours);
        assert!(night.times().len() > 6, "{ours:?}: {:?}", night.times());
        assert_eq!(night.s.attempts[0].failures, 0, "{ours:?}");
        assert!(night.s.troubles.contains(&Trouble::FaxHeldUp), "{ours:?}");
        // It is back, and their machine is busy: that was the one try it has.
        let next = night.s.attempts[0].retry_at.expect("it is tried on").since(night.s.open_at) / 1_000;
        night.until(next);
        let fax = night.s.attempts[0].id.clone();
        night.tell(Event::Faxed {
            attempt: fax,
            outcome: FaxOutcome::Failed { why: FaxFault::Busy, confirmed: 0, pages: 1 },
        });
        assert_eq!(night.s.attempts[0].failed.as_ref().map(|failed| failed.why.as_str()), Some("busy"), "{ours:?}");
        assert!(!night.s.troubles.contains(&Trouble::FaxHeldUp), "{ours:?}: the trunk is not to blame any more");
        assert!(night.s.troubles.contains(&Trouble::EdgeDown { channel: Channel::Fax }), "{ours:?}");
    }
}

#[test]
fn a_fax_that_is_tried_again_by_hand_and_comes_to_their_machine_takes_the_alarm_of_the_trunks_back() {
    let mut night = one_fax(3, None);
    goes(&mut night, 600, FaxFault::NoTrunk);
    assert!(night.s.troubles.contains(&Trouble::FaxHeldUp));
    night.tell(Event::Operator { by: "Kim".into(), act: OperatorAct::Retry { moves: None } });
    let fax = night.s.attempts[0].clone();
    assert!(fax.in_flight_since.is_some(), "it is under way again");
    let busy = FaxOutcome::Failed { why: FaxFault::Busy, confirmed: 0, pages: 1 };
    night.tell(Event::Faxed { attempt: fax.id, outcome: busy });
    assert!(night.s.attempts[0].retry_at.is_some());
    assert!(!night.s.troubles.contains(&Trouble::FaxHeldUp));
}

#[test]
fn a_fax_that_our_trunks_hold_up_holds_up_no_other_step_and_arrives_all_the_same() {
    let mut night = one_fax(3, Some(600));
    goes(&mut night, 60, FaxFault::NoTrunk);
    assert_eq!(night.times().last(), Some(&(50, Channel::Text)), "after a minute in vain the next step has its turn");
    assert!(night.lines().iter().any(|line| line.starts_with("A fax cannot leave here: no trunk takes it")));
    night.until(110);
    let fax = night.s.attempts[0].id.clone();
    night.tell(Event::Faxed { attempt: fax, outcome: FaxOutcome::Delivered { pages: 1 } });
    assert!(!night.s.troubles.contains(&Trouble::FaxHeldUp));
    assert_eq!((night.s.phase, night.s.attempts[0].state()), (Phase::Running, state::AttemptState::Delivered));
}

#[test]
fn tries_at_their_machine_count_whatever_of_ours_failed_between_them() {
    let mut night = one_fax(3, None);
    let answers = [FaxFault::NoTrunk, FaxFault::Busy, FaxFault::Limited, FaxFault::NoTrunk, FaxFault::Busy];
    for why in answers {
        let fax = night.s.attempts[0].clone();
        assert!(fax.in_flight_since.is_some(), "{why:?}");
        night.tell(Event::Faxed { attempt: fax.id, outcome: FaxOutcome::Failed { why, confirmed: 0, pages: 1 } });
        assert!(night.s.attempts[0].failed.is_none(), "{why:?}");
        let next = night.s.attempts[0].retry_at.expect("it is tried on").since(night.s.open_at) / 1_000;
        night.until(next);
    }
    goes(&mut night, 7_200, FaxFault::Busy);
    assert_eq!(night.times().len(), answers.len() + 1);
    assert!(night.s.attempts[0].failed.is_some(), "the third busy was the last try");
}

#[test]
fn stops_of_the_service_in_the_middle_of_a_fax_are_no_crashes_however_many() {
    let mut night = one_fax(1, None);
    let fax = night.s.attempts[0].id.clone();
    for _ in 0..10 {
        let stopped = FaxOutcome::Failed { why: FaxFault::Stopped, confirmed: 0, pages: 0 };
        night.tell(Event::Faxed { attempt: fax.clone(), outcome: stopped });
        night.tell(Event::Interrupted { attempt: fax.clone() });
    }
    let a = &night.s.attempts[0];
    assert_eq!((a.interruptions, a.failures, a.uncertain, a.failed.is_some()), (0, 0, false, false));
    assert_eq!(night.times().len(), 11);
    // A crash is one, and the next try says that it may be a second.
    night.tell(Event::Interrupted { attempt: fax });
    assert_eq!((night.s.attempts[0].interruptions, night.s.attempts[0].uncertain), (1, true));
}

#[test]
fn a_fax_step_that_comes_again_leaves_out_the_one_that_is_still_held_up() {
    let fax = Method::Fax { tries: 3, retry_secs: 300 };
    let steps = vec![(fax, vec![named("ben", "fax")], 60), (Method::TextConfirm, on_call("mobile"), 60)];
    let mut night = Night::of(protocol(steps, true, Until::Confirmed));
    night.town.contacts = people();
    night.silent = true;
    night.until(0);
    goes(&mut night, 115, FaxFault::NoTrunk);
    night.until(200);
    let faxes: Vec<_> = night.s.attempts.iter().filter(|a| a.channel == Channel::Fax).collect();
    assert_eq!(faxes.len(), 2, "round two has come");
    assert!(faxes[0].cancelled && !faxes[1].cancelled, "their machine is not given it twice");
    assert!(night.s.troubles.contains(&Trouble::FaxHeldUp));
    let busy = FaxOutcome::Failed { why: FaxFault::Busy, confirmed: 0, pages: 1 };
    let next = faxes[1].id.clone();
    night.tell(Event::Faxed { attempt: next, outcome: busy });
    assert!(!night.s.troubles.contains(&Trouble::FaxHeldUp), "a trunk has taken it");
}
