//! Secure messages: pushed, read, confirmed; and the notice where no device takes one.

use super::*;
use crate::base::id::InboxDeviceId;
use crate::domain::dispatch::inbox::InboxNews;
use crate::domain::dispatch::push::{DevicePush, PushAnswer};
use crate::domain::dispatch::state::{AttemptState, Purpose};
use crate::domain::dispatch::validate::validate;

const SECURE: Method = Method::SecureMessage { confirm: true };
use Channel::{Call, Email, Push, Text};

/// A night in a town whose people have an inbox, with a notice to `notice`.
fn night(protocol: Protocol, notice: &str) -> Night {
    let mut night = Night::of(protocol);
    for contact in &mut night.town.contacts {
        contact.destinations.push(Destination {
            id: DestinationId::named(&format!("{}-inbox", contact.name)),
            label: "inbox".into(),
            reach: Reach::Inbox(notice.to_owned()),
            ring_secs: 30,
            blocked: false,
            hours: Vec::new(),
        });
    }
    night
}

/// Ben's inbox with confirmation and 15 minutes; then his mobile rings.
fn secure_then_call() -> Protocol {
    let steps =
        vec![(SECURE, on_call("inbox"), 900), (Method::CallOut { leave_message: false }, on_call("mobile"), 600)];
    protocol(steps, true, Until::Confirmed)
}

fn first(night: &Night) -> AttemptId {
    night.s.attempts[0].id.clone()
}

fn inbox(night: &mut Night, attempt: &AttemptId, news: InboxNews) {
    night.tell(Event::Inbox { attempt: attempt.clone(), news });
}

#[test]
fn one_that_nobody_reads_escalates_when_its_wait_is_over() {
    let mut night = night(secure_then_call(), "");
    night.until(900);
    assert_eq!(night.times(), [(0, Push), (900, Call)]);
    let lines = night.lines();
    assert!(lines.iter().any(|l| l == "Sending a secure message to ben."), "{lines:#?}");
    assert!(lines.iter().any(|l| l.starts_with("If no reply by 00:15:05 UTC: call")), "{lines:#?}");
}

#[test]
fn the_five_facts_are_kept_apart_and_only_a_yes_confirms() {
    let mut night = night(secure_then_call(), "");
    night.until(10);
    let id = first(&night);
    let facts = |night: &Night| {
        let a = &night.s.attempts[0];
        [a.handed_at, a.accepted_at, a.delivered_at, a.told_at, a.confirmed_at].map(|at| at.is_some())
    };
    assert_eq!(facts(&night), [true, true, false, false, false], "201");
    night.tell(Event::Delivered { attempt: id.clone() });
    assert_eq!(facts(&night), [true, true, true, false, false], "the device says that it arrived");
    inbox(&mut night, &id, InboxNews::Read { edition: 1 });
    assert_eq!(facts(&night), [true, true, true, true, false]);
    assert_eq!(night.s.phase, Phase::Running, "read is not confirmed");
    night.until(600);
    inbox(&mut night, &id, InboxNews::Confirmed { edition: 1 });
    assert_eq!(facts(&night), [true; 5]);
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Confirmed, Some("ben")));
    assert_eq!(night.s.attempts[0].state(), AttemptState::Confirmed);
    night.until(7_200);
    assert_eq!(night.times(), [(0, Push)], "nobody is called any more");
    let lines = night.lines();
    for said in ["ben opened the message in the inbox.", "ben confirmed in the inbox."] {
        assert!(lines.iter().any(|l| l == said), "{lines:#?}");
    }
}

#[test]
fn reading_is_enough_until_somebody_is_told() {
    let steps = vec![(Method::SecureMessage { confirm: false }, on_call("inbox"), 600)];
    let mut night = night(protocol(steps, false, Until::Told), "");
    night.until(30);
    let id = first(&night);
    inbox(&mut night, &id, InboxNews::Read { edition: 1 });
    assert_eq!(night.s.phase, Phase::Told);
    inbox(&mut night, &id, InboxNews::Read { edition: 1 });
    assert_eq!(night.lines().iter().filter(|l| l.contains("opened the message")).count(), 1, "told once");
}

#[test]
fn a_subscription_that_is_gone_goes_on_with_the_next_step_at_once() {
    let mut night = night(secure_then_call(), "");
    night.refuse = Some((Push, Failure::Permanent));
    night.until(0);
    assert_eq!(night.times(), [(0, Push), (0, Call)]);
}

#[test]
fn where_no_device_takes_it_a_notice_goes_and_the_wait_runs_from_there() {
    for (label, channel) in [("mobile", Text), ("email", Email)] {
        let mut night = night(secure_then_call(), label);
        night.refuse = Some((Push, Failure::Permanent));
        night.until(900);
        assert_eq!(night.times(), [(0, Push), (0, channel), (900, Call)], "{label}");
        let notice = &night.s.attempts[1];
        assert_eq!((notice.purpose.clone(), notice.code), (Purpose::Step { run: 0 }, None));
        assert!(night.lines().iter().any(|l| l.contains("a notice without content goes to")), "{:#?}", night.lines());
        // Whoever opens it by the notice's link has been told by it.
        let id = notice.id.clone();
        inbox(&mut night, &id, InboxNews::Confirmed { edition: 1 });
        assert_eq!(night.s.phase, Phase::Confirmed);
        assert!(night.s.attempts[1].told_at.is_some() && night.s.attempts[1].confirmed_at.is_some());
    }
}

#[test]
fn a_push_service_that_is_away_is_tried_again_and_then_the_notice_goes() {
    let mut night = night(secure_then_call(), "mobile");
    night.refuse = Some((Push, Failure::Temporary));
    night.until(60);
    assert_eq!(night.times(), [(0, Push), (5, Push), (20, Push), (50, Push), (50, Text)]);
    assert!(night.s.troubles.contains(&Trouble::EdgeDown { channel: Push }));
}

#[test]
fn a_notice_does_not_wait_for_a_push_service_that_is_away_though_all_has_to_be_handed_over() {
    let steps = vec![(Method::SecureMessage { confirm: false }, vec![named("ada", "inbox")], 0)];
    let mut night = night(protocol(steps, false, Until::HandedOver), "mobile");
    night.refuse = Some((Push, Failure::Temporary));
    night.until(60);
    assert_eq!(night.times().last(), Some(&(50, Text)));
    assert_eq!(night.s.phase, Phase::Delivered);
}

#[test]
fn nobody_who_asked_for_no_texts_gets_a_notice_by_text() {
    let mut night = night(secure_then_call(), "mobile");
    night.town.contacts[0].destinations[0].blocked = true;
    night.refuse = Some((Push, Failure::Permanent));
    night.until(0);
    assert_eq!(night.times(), [(0, Push), (0, Call)]);
}

#[test]
fn a_notice_that_was_accepted_is_as_good_where_nobody_has_to_confirm() {
    let steps = vec![(Method::SecureMessage { confirm: false }, vec![named("ada", "inbox")], 0)];
    let mut night = night(protocol(steps, false, Until::HandedOver), "email");
    night.refuse = Some((Push, Failure::Permanent));
    night.until(1);
    assert_eq!((night.s.phase, night.times()), (Phase::Delivered, vec![(0, Push), (0, Email)]));
}

#[test]
fn after_a_crash_it_goes_once_more_and_is_marked_so() {
    let mut night = night(secure_then_call(), "mobile");
    night.silent = true;
    night.until(0);
    let id = first(&night);
    night.silent = false;
    night.tell(Event::Interrupted { attempt: id });
    assert_eq!(night.times(), [(0, Push), (0, Push)]);
    assert!(night.s.attempts[0].uncertain && night.s.attempts[0].accepted_at.is_some());
}

#[test]
fn whoever_answers_what_it_was_before_a_change_confirms_nothing() {
    let mut night = night(secure_then_call(), "");
    night.until(60);
    let id = first(&night);
    night.town.changes = 1;
    inbox(&mut night, &id, InboxNews::Read { edition: 1 });
    assert!(night.s.attempts[0].told_at.is_none(), "it was not the message as it is");
    inbox(&mut night, &id, InboxNews::Confirmed { edition: 1 });
    assert_eq!(night.s.phase, Phase::Running);
    assert!(night.lines().pop().expect("a line").contains("that confirms nothing"), "{:#?}", night.lines());
    inbox(&mut night, &id, InboxNews::Confirmed { edition: 2 });
    assert_eq!(night.s.phase, Phase::Confirmed);
}

#[test]
fn the_others_inboxes_hear_that_it_is_handled() {
    let steps = vec![(SECURE, vec![named("ben", "inbox"), named("ada", "inbox")], 900)];
    let mut night = night(protocol(steps, true, Until::Confirmed), "");
    night.until(60);
    let id = first(&night);
    inbox(&mut night, &id, InboxNews::Confirmed { edition: 1 });
    let last = night.s.attempts.last().expect("an attempt");
    assert_eq!((last.purpose.clone(), last.channel, last.name.as_str()), (Purpose::StandDown, Push, "ada"));
    assert_eq!(night.sent.len(), 3);
}

#[test]
fn what_was_written_from_an_inbox_is_for_an_operator_to_read() {
    let mut night = night(secure_then_call(), "");
    night.until(60);
    let wrote = |words: &str| {
        let (contact, words) = (ContactId::named("ben"), words.to_owned().into());
        Event::Wrote { contact, name: "ben".into(), words }
    };
    night.tell(wrote("I will call them now.\nWhich pharmacy?"));
    assert!(night.s.needs_operator());
    let said = "Ben wrote from the inbox: \u{201c}I will call them now. Which pharmacy?\u{201d}";
    assert!(night.lines().iter().any(|l| l == said), "{:#?}", night.lines());
    let id = first(&night);
    inbox(&mut night, &id, InboxNews::Confirmed { edition: 1 });
    night.tell(wrote("Done."));
    let said = "Ben wrote from the inbox: \u{201c}Done.\u{201d}";
    assert!(night.lines().iter().any(|l| l == said), "once it is over too: {:#?}", night.lines());
    assert!(!night.s.needs_operator());
}

#[test]
fn what_an_operator_has_read_is_no_alarm_any_more_and_what_else_is_the_matter_stays_one() {
    let mut night = night(secure_then_call(), "");
    night.until(60);
    let (contact, words) = (ContactId::named("ben"), "Which pharmacy?".to_owned().into());
    night.tell(Event::Wrote { contact, name: "ben".into(), words });
    night.tell(Event::Unplaced { number: number(100), name: "ben".into(), help: false, words: None, among: 1 });
    night.s.troubles.insert(Trouble::NobodyTold);
    night.tell(Event::Dismissed { by: "Kim".into(), all: false });
    assert_eq!(night.s.troubles.len(), 3, "one of the two waits to be read");
    night.tell(Event::Dismissed { by: "Kim".into(), all: true });
    assert_eq!(night.s.troubles.iter().collect::<Vec<_>>(), [&Trouble::NobodyTold]);
    let seen = "Kim saw to what came in: it is off the desks.";
    assert_eq!(night.lines().iter().filter(|line| *line == seen).count(), 2, "{:#?}", night.lines());
}

#[test]
fn a_protocol_sends_secure_messages_to_inboxes_and_to_nothing_else() {
    let contacts = night(secure_then_call(), "").town.contacts;
    let codes = |steps: Vec<(Method, Vec<Target>, u32)>, until| -> Vec<&'static str> {
        validate(&protocol(steps, false, until), &contacts, &[]).into_iter().map(|fault| fault.code).collect()
    };
    let to = |label: &str| vec![named("ben", label)];
    let plain = Method::SecureMessage { confirm: false };
    assert!(codes(vec![(SECURE, to("inbox"), 60)], Until::Confirmed).is_empty());
    assert!(codes(vec![(plain, to("inbox"), 60)], Until::Told).is_empty());
    assert!(codes(vec![(plain, to("inbox"), 0)], Until::HandedOver).is_empty());
    assert_eq!(codes(vec![(plain, to("inbox"), 60)], Until::Confirmed), ["cannot_confirm"]);
    assert_eq!(codes(vec![(SECURE, to("mobile"), 60)], Until::Confirmed), ["wrong_destination"]);
    assert_eq!(codes(vec![(Method::Text, to("inbox"), 0)], Until::HandedOver), ["wrong_destination"]);
    assert_eq!(codes(vec![(Method::Email, to("inbox"), 0)], Until::HandedOver), ["wrong_destination"]);
}

/// What the push services of Ben's devices said, `None` being a yes.
fn pushed(night: &mut Night, answers: &[(&str, Option<Failure>)]) {
    let answer = |(name, failure): &(&str, Option<Failure>)| DevicePush {
        device: InboxDeviceId::named(name),
        name: (*name).to_owned(),
        answer: failure.map_or(PushAnswer::Taken, |failure| PushAnswer::Failed { failure, why: "http_503".into() }),
        tries: 0,
    };
    let attempt = first(night);
    night.tell(Event::Pushed { attempt, answers: answers.iter().map(answer).collect() });
}

/// A night whose push services answer when the test says so.
fn unanswered(notice: &str) -> Night {
    let mut night = night(secure_then_call(), notice);
    night.silent = true;
    night.until(0);
    night
}

#[test]
fn one_device_that_took_it_hides_nothing_of_another_that_did_not() {
    let mut night = unanswered("mobile");
    pushed(&mut night, &[("tablet", None), ("phone", Some(Failure::Temporary))]);
    let a = &night.s.attempts[0];
    assert_eq!((a.accepted_at, a.state()), (Some(night.now), AttemptState::Accepted), "one service took it");
    assert!(!a.is_settled(), "and the phone is still tried");
    assert!(!a.goes_to(&InboxDeviceId::named("tablet")) && a.goes_to(&InboxDeviceId::named("phone")));
    let line = "ben's devices: taken for tablet; not taken for phone (http 503), which is tried again.";
    assert!(night.lines().iter().any(|l| l == line), "{:#?}", night.lines());

    night.until(5);
    assert_eq!(night.times(), [(0, Push), (5, Push)]);
    pushed(&mut night, &[("phone", None)]);
    assert!(night.s.attempts[0].is_settled());
    assert!(night.lines().iter().any(|l| l == "ben's devices: taken for phone."), "{:#?}", night.lines());
    night.until(900);
    assert_eq!(night.times(), [(0, Push), (5, Push), (900, Call)], "the wait ran from the first yes");
}

#[test]
fn a_device_that_stays_away_is_given_up_and_what_the_other_took_stays_taken() {
    let mut night = unanswered("mobile");
    pushed(&mut night, &[("tablet", None), ("phone", Some(Failure::Temporary))]);
    for at in [5, 20, 50] {
        night.until(at);
        pushed(&mut night, &[("phone", Some(Failure::Temporary))]);
    }
    let a = &night.s.attempts[0];
    assert!(a.is_settled() && a.failed.is_none() && !night.s.needs_operator());
    assert!(
        night.lines().iter().any(|l| l == "ben's devices: not taken for phone (http 503)."),
        "{:#?}",
        night.lines()
    );
    night.until(899);
    assert_eq!(night.times(), [(0, Push), (5, Push), (20, Push), (50, Push)], "and no notice, as one took it");
}

#[test]
fn what_may_have_arrived_on_one_device_is_not_pushed_there_each_time_that_another_is_tried() {
    let mut night = unanswered("");
    let (unknown, temporary) = (Some(Failure::Unknown), Some(Failure::Temporary));
    pushed(&mut night, &[("tablet", None), ("watch", unknown), ("phone", temporary)]);
    let goes_to = |night: &Night, name: &str| night.s.attempts[0].goes_to(&InboxDeviceId::named(name));
    night.until(5);
    assert!(goes_to(&night, "watch") && goes_to(&night, "phone"), "once more for the doubt");
    pushed(&mut night, &[("watch", unknown), ("phone", temporary)]);
    night.until(20);
    assert_eq!(night.times(), [(0, Push), (5, Push), (20, Push)], "the phone is still tried");
    assert!(!goes_to(&night, "watch") && goes_to(&night, "phone"), "one duplicate is all that a doubt may cost");
}

#[test]
fn the_last_device_that_is_gone_escalates_at_once() {
    let mut night = unanswered("");
    pushed(&mut night, &[("tablet", Some(Failure::Permanent)), ("phone", Some(Failure::Permanent))]);
    assert_eq!(night.times(), [(0, Push), (0, Call)]);
    let mut night = unanswered("");
    pushed(&mut night, &[("tablet", Some(Failure::Permanent)), ("phone", Some(Failure::Temporary))]);
    assert_eq!(night.times(), [(0, Push)], "the phone may come back");
    night.until(5);
    pushed(&mut night, &[("phone", Some(Failure::Permanent))]);
    assert_eq!(night.times(), [(0, Push), (5, Push), (5, Call)]);
}

#[test]
fn whoever_has_read_it_is_pushed_nothing_more_nor_is_anybody_once_it_is_over() {
    for closes in [false, true] {
        let mut night = unanswered("");
        pushed(&mut night, &[("tablet", None), ("phone", Some(Failure::Temporary))]);
        let id = first(&night);
        if closes {
            night.tell(Event::Operator { by: "kim".into(), act: OperatorAct::Close { reason: "done".into() } });
        } else {
            inbox(&mut night, &id, InboxNews::Read { edition: 1 });
        }
        night.until(60);
        let a = &night.s.attempts[0];
        assert!(a.is_settled() && !a.cancelled && a.state() != AttemptState::Cancelled, "{closes}");
        assert_eq!(night.sent.iter().filter(|(at, ..)| *at > 0).count(), 0, "{closes}");
    }
}

#[test]
fn a_crash_while_the_others_are_pushed_to_pushes_to_them_once_more() {
    let mut night = unanswered("");
    pushed(&mut night, &[("tablet", None), ("phone", Some(Failure::Temporary))]);
    night.until(5);
    let id = first(&night);
    night.tell(Event::Interrupted { attempt: id });
    assert_eq!(night.times(), [(0, Push), (5, Push), (5, Push)]);
    night.until(65);
    assert!(night.s.attempts[0].is_settled(), "without any answer it is not waited for");
    assert!(night.s.attempts[0].accepted_at.is_some() && night.s.attempts[0].failed.is_none());
}
