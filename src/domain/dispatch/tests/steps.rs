//! Tries, ends, information and conditions of single steps, and patches as steps.

use super::super::condition::{AnswerIs, Conditions, HoursAre};
use super::super::describe::describe;
use super::super::patch_step::{PatchEnd, PatchNews};
use super::super::protocol::{Method, Protocol, Repeat, Step, Tries, Until};
use super::super::state::{Reason, RunState};
use super::super::validate::validate;
use super::super::*;
use super::{Night, named, number, on_call, protocol, town};
use crate::base::id::{CallId, ContactId};
use crate::domain::account::hours::{Span, Weekday};
use crate::domain::message::form::{Answers, AskedAt};
use event::CallNews;
use state::{CallOutcome, Channel};

const CALL: Method = Method::CallOut { leave_message: true };

fn with(steps: Vec<Step>, repeat: bool, until: Until) -> Protocol {
    Protocol { steps, ..protocol(vec![], repeat, until) }
}

fn twice(step: Step, apart_secs: u32) -> Step {
    Step { tries: Some(Tries { times: 2, apart_secs }), ..step }
}

fn night_hours(from: &str, until: &str) -> Conditions {
    // The clock of these nights begins on a Thursday.
    let days = vec![Weekday::Thursday, Weekday::Friday];
    let at = AskedAt { days, span: Span { from: from.into(), until: until.into() } };
    Conditions { hours: Some(HoursAre { at, outside: false }), ..Conditions::default() }
}

fn taken_on_a_call(protocol: Protocol) -> Night {
    let mut night = Night::of(protocol);
    night.s.on_call = Some(CallId::named("c"));
    night
}

fn patching(name: &str, news: PatchNews) -> Event {
    Event::Patching { contact: Some(ContactId::named(name)), number: number(900), news }
}

fn over(name: &str, why: PatchEnd) -> Event {
    patching(name, PatchNews::Over(why))
}

#[test]
fn a_call_made_twice_two_minutes_apart_counts_from_each_hang_up_and_waits_after_the_last() {
    let steps = vec![twice(Step::new(CALL, on_call("mobile"), 600), 120), Step::new(CALL, on_call("home"), 0)];
    let mut night = Night::of(with(steps, true, Until::Confirmed));
    night.until(1_000);
    // Each rings for 30 s.
    assert_eq!(
        night.times(),
        [(0, Channel::Call), (150, Channel::Call), (780, Channel::Call), (810, Channel::Call), (960, Channel::Call)]
    );
    let lines = night.lines();
    assert!(lines.iter().any(|l| l == "If no reply by 00:02:35 UTC: try 2 of 2: call the technician on call (mobile), leave a message if nobody takes it."), "{lines:#?}");
    assert!(lines.iter().any(|l| l.starts_with("Step 1, try 2 of 2: call the technician")), "{lines:#?}");
    assert_eq!((night.s.runs[0].again, night.s.runs[0].state), (1, RunState::TimedOut));
}

#[test]
fn a_second_text_has_the_first_ones_code_and_a_number_that_takes_none_is_not_tried_again() {
    let text = Step::new(Method::TextConfirm, vec![named("ben", "mobile"), named("ada", "mobile")], 600);
    let mut night =
        Night::of(with(vec![twice(text, 300), Step::new(CALL, on_call("home"), 0)], true, Until::Confirmed));
    night.until(10);
    night.tell(Event::Stopped { number: number(110) });
    night.until(400);
    let texts: Vec<_> = night.s.attempts.iter().map(|a| (a.name.as_str(), a.code)).collect();
    assert_eq!(texts, [("ben", Some(1)), ("ada", Some(1)), ("ben", Some(1))]);
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(night.s.phase, Phase::Confirmed);
    night.until(3_000);
    assert!(!night.times().iter().any(|(_, channel)| *channel == Channel::Call));
}

#[test]
fn whoever_cannot_be_called_at_all_is_not_called_twice() {
    let steps = vec![twice(Step::new(CALL, on_call("mobile"), 600), 120), Step::new(CALL, on_call("home"), 0)];
    let mut night = Night::of(with(steps, true, Until::Confirmed));
    night.until(1);
    let call = night.s.attempts[0].id.clone();
    night.tell(Event::Call { attempt: call, news: CallNews::WrongNumber });
    assert_eq!(night.times(), [(0, Channel::Call), (1, Channel::Call)], "the next step at once");
    assert_eq!(night.s.runs[0].state, RunState::Failed);
}

#[test]
fn an_email_for_information_neither_stops_the_loop_nor_counts_as_somebody_told() {
    let email = Step { informs: true, ..Step::new(Method::Email, vec![named("office", "email")], 0) };
    let steps = vec![Step::new(Method::TextConfirm, on_call("mobile"), 120), email];
    let mut night = Night::of(with(steps.clone(), true, Until::Told));
    night.until(130);
    use Channel::{Email, Text};
    let mut times = night.times();
    times.sort_unstable();
    assert_eq!(times, [(0, Text), (120, Email), (120, Text)]);
    let email = night.s.attempts.iter().find(|a| a.channel == Email).expect("an email").id.clone();
    assert!(night.s.informs(&night.s.find_attempt(&email).expect("it").purpose));
    assert!(night.s.troubles.contains(&Trouble::NobodyTold), "it told nobody who does something about it");
    night.refuse = Some((Email, event::Failure::Permanent));
    night.until(380);
    assert_eq!(night.s.round, 4, "what only informs is not waited for");
    // Where everything has to be handed over, who is only informed does not count.
    let mut night = Night::of(with(
        vec![Step::new(Method::Text, on_call("mobile"), 0), steps[1].clone()],
        false,
        Until::HandedOver,
    ));
    night.refuse = Some((Email, event::Failure::Permanent));
    night.until(1);
    assert_eq!(night.s.phase, Phase::Delivered);
}

#[test]
fn a_step_may_be_done_at_less_or_at_more_than_its_protocol() {
    // Until confirmed; but once the owner has been texted it is over.
    let owner = Step { done: Some(Until::HandedOver), ..Step::new(Method::Text, vec![named("office", "mobile")], 0) };
    let steps = vec![Step::new(Method::TextConfirm, on_call("mobile"), 60), owner, Step::new(CALL, on_call("home"), 0)];
    let mut night = Night::of(with(steps, true, Until::Confirmed));
    night.until(61);
    assert_eq!((night.s.phase, night.s.runs[1].state), (Phase::Delivered, RunState::Done));
    // It comes back undelivered: what follows has its turn.
    let text = night.s.attempts[1].id.clone();
    night.tell(Event::Failed { attempt: text, failure: event::Failure::Permanent, why: "undelivered".into() });
    assert_eq!(night.s.phase, Phase::Running);
    assert_eq!(night.times().last(), Some(&(61, Channel::Call)));
    // Until told; but Ben has to say yes.
    let ben = Step { done: Some(Until::Confirmed), ..Step::new(CALL, on_call("mobile"), 60) };
    let mut night = Night::of(with(vec![ben, Step::new(CALL, vec![named("ada", "mobile")], 60)], true, Until::Told));
    night.until(1);
    for told in [false, true] {
        let (_, call) = night.ringing.remove(0);
        night.tell(Event::Call { attempt: call.clone(), news: CallNews::Answered });
        night.tell(Event::Call { attempt: call, news: CallNews::Ended(CallOutcome::ToldOnly) });
        assert_eq!(night.s.phase, if told { Phase::Told } else { Phase::Running });
        night.until(62);
    }
}

#[test]
fn hours_are_looked_at_when_the_step_starts_and_the_skip_says_why() {
    let late = Step { only: night_hours("00:10", "08:00"), ..Step::new(CALL, on_call("mobile"), 0) };
    let steps = vec![Step::new(Method::TextConfirm, on_call("mobile"), 300), late];
    let mut night = Night::of(with(steps, true, Until::Confirmed));
    night.until(500);
    use Channel::{Call, Text};
    assert_eq!(night.times(), [(0, Text), (300, Text)]);
    let lines = night.lines();
    let skipped = "Step 2 skipped (call the technician on call (mobile), leave a message if nobody takes it): \
                   only on Thursday and Friday between 00:10 and 08:00.";
    assert!(lines.iter().any(|l| l == skipped), "{lines:#?}");
    assert_eq!(night.s.runs[1].state, RunState::Skipped);
    night.until(601);
    assert_eq!(night.times(), [(0, Text), (300, Text), (600, Call)]);
}

#[test]
fn an_answer_and_a_call_type_are_those_of_the_message_as_it_is_then() {
    let only = Conditions {
        answers: vec![AnswerIs { field: "water".into(), is: vec!["yes".into()], not: false }],
        ..Conditions::default()
    };
    let call = Step { only, ..Step::new(CALL, on_call("mobile"), 0) };
    let wet = with(vec![call, Step::new(Method::TextConfirm, on_call("mobile"), 60)], true, Until::Confirmed);
    let mut night = Night::of(wet);
    night.until(30);
    assert_eq!(night.times(), [(0, Channel::Text)]);
    assert!(night.lines().iter().any(|l| l.ends_with("only if \u{201c}water\u{201d} is yes.")), "{:#?}", night.lines());
    night.town.answers = Answers::from([("water".to_owned(), "yes".to_owned())]);
    night.until(61);
    assert_eq!(night.times().last(), Some(&(60, Channel::Call)), "changed meanwhile");
}

#[test]
fn a_protocol_none_of_whose_steps_is_made_asks_an_operator() {
    let never = Step { only: night_hours("12:00", "13:00"), ..Step::new(Method::Text, on_call("mobile"), 0) };
    let mut night = Night::of(with(vec![never], false, Until::HandedOver));
    night.until(1);
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed);
    assert!(night.s.needs_operator());
}

/// The caller is put through to Ben, else he is texted.
fn patch_then_text() -> Protocol {
    let steps = vec![
        Step::new(Method::LivePatch, on_call("mobile"), 0),
        Step::new(Method::TextConfirm, on_call("mobile"), 600),
    ];
    with(steps, false, Until::Confirmed)
}

#[test]
fn a_patch_that_connects_ends_it_and_one_that_is_refused_is_followed_at_once() {
    let mut night = taken_on_a_call(patch_then_text());
    night.until(20);
    assert_eq!(night.times(), [], "nobody is rung but by the operator");
    assert_eq!(night.s.wake().map(|(_, reason)| reason), Some(Reason::Patch));
    night.tell(patching("ben", PatchNews::Begun));
    night.until(200);
    assert_eq!(night.times(), [], "it rings and is announced");
    let mut refused = Night { s: night.s.clone(), ..taken_on_a_call(patch_then_text()) };
    refused.now = night.now;
    night.tell(Event::Patched { to: vec!["ben".into()] });
    assert_eq!((night.s.phase, night.s.wake()), (Phase::Patched, None));
    refused.tell(over("ben", PatchEnd::Refused));
    assert_eq!(refused.times(), [(200, Channel::Text)]);
    let lines = refused.lines();
    assert!(
        lines.contains(&"The caller was not put through to ben (mobile): they did not take it.".to_owned()),
        "{lines:#?}"
    );
}

#[test]
fn a_patch_to_somebody_else_is_not_the_steps_and_one_of_several_that_fails_leaves_the_others() {
    let two = vec![named("ben", "mobile"), named("ada", "mobile")];
    let steps = vec![Step::new(Method::LivePatch, two, 0), Step::new(Method::TextConfirm, on_call("mobile"), 600)];
    let mut night = taken_on_a_call(with(steps, false, Until::Confirmed));
    night.until(1);
    night.tell(over("office", PatchEnd::NoAnswer));
    night.tell(over("ben", PatchEnd::NoAnswer));
    night.until(30);
    assert_eq!(night.times(), []);
    night.tell(over("ada", PatchEnd::Busy));
    assert_eq!(night.times(), [(30, Channel::Text)]);
}

#[test]
fn a_patch_nobody_begins_or_whose_caller_hangs_up_is_over_and_without_a_caller_there_is_none() {
    let mut night = taken_on_a_call(patch_then_text());
    night.until(61);
    assert_eq!(night.times(), [(60, Channel::Text)]);
    for gone in [Event::CallEnded, over("ben", PatchEnd::CallerGone)] {
        let mut night = taken_on_a_call(patch_then_text());
        night.until(5);
        night.tell(gone);
        assert_eq!(night.times(), [(5, Channel::Text)]);
        assert!(night.lines().iter().any(|l| l.ends_with("the caller has hung up.")), "{:#?}", night.lines());
    }
    let mut night = Night::of(patch_then_text());
    night.until(0);
    assert_eq!(night.times(), [(0, Channel::Text)]);
    let lines = night.lines();
    assert!(
        lines.iter().any(|l| l.starts_with("Step 1 skipped") && l.ends_with("the caller is not on the line.")),
        "{lines:#?}"
    );
}

/// Ben is texted; the caller is put through to him again and again.
fn text_then_patch_for_ever() -> Protocol {
    let steps = vec![
        Step::new(Method::TextConfirm, on_call("mobile"), 300),
        Step { informs: true, ..Step::new(Method::Email, vec![named("office", "email")], 0) },
        Step::new(Method::LivePatch, on_call("mobile"), 0),
    ];
    Protocol { repeat: Some(Repeat { from_step: 2 }), ..with(steps, false, Until::Confirmed) }
}

#[test]
fn steps_that_could_only_put_the_caller_through_have_run_out_once_the_caller_has_hung_up() {
    let mut night = Night::of(text_then_patch_for_ever());
    night.until(7_200);
    assert_eq!((night.s.phase, night.s.wake(), night.s.round), (Phase::ExhaustedUnconfirmed, None, 1));
    assert!(night.s.troubles.contains(&Trouble::Exhausted), "an operator is asked");
    assert_eq!(night.times(), [(0, Channel::Text), (300, Channel::Email)]);
    night.tell(Event::Operator { by: "kim".into(), act: OperatorAct::Retry { moves: None } });
    assert_eq!(night.times().last(), Some(&(7_200, Channel::Text)), "again from the first step, as no other asks");
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(night.s.phase, Phase::Confirmed);
}

#[test]
fn a_caller_who_stays_is_put_through_round_after_round_until_they_hang_up() {
    let mut night = taken_on_a_call(text_then_patch_for_ever());
    night.until(500);
    assert_eq!(night.s.phase, Phase::Running);
    assert!(night.s.round > 1, "{}", night.s.round);
    let lines = night.lines();
    assert!(lines.iter().any(|l| l.starts_with("Step 3: put the caller through")), "{lines:#?}");
    night.tell(Event::CallEnded);
    night.until(700);
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed);
    assert!(night.s.troubles.contains(&Trouble::Exhausted), "{:?}", night.s.troubles);
}

#[test]
fn a_round_in_which_nobody_could_be_asked_alarms_though_somebody_has_been_told() {
    let told = Step::new(CALL, on_call("mobile"), 60);
    let only = Step { only: night_hours("12:00", "13:00"), ..Step::new(Method::TextConfirm, on_call("mobile"), 60) };
    let mut night = Night::of(Protocol {
        repeat: Some(Repeat { from_step: 2 }),
        ..with(vec![told, only], false, Until::Confirmed)
    });
    night.until(10);
    let call = night.ringing.remove(0).1;
    night.tell(Event::Call { attempt: call.clone(), news: CallNews::Answered });
    night.tell(Event::Call { attempt: call.clone(), news: CallNews::Told });
    night.tell(Event::Call { attempt: call, news: CallNews::Ended(CallOutcome::ToldOnly) });
    night.until(100);
    assert!(!night.s.troubles.contains(&Trouble::NobodyAsked), "the first round has asked him");
    night.until(300);
    assert!(night.s.troubles.contains(&Trouble::NobodyAsked), "{:?}", night.s.troubles);
    // At noon he is texted.
    night.until(12 * 3_600 + 120);
    assert_eq!(night.s.phase, Phase::Running);
    assert!(!night.s.troubles.contains(&Trouble::NobodyAsked), "{:?}", night.s.troubles);
}

#[test]
fn a_patch_begun_before_its_step_is_that_steps() {
    let mut night = taken_on_a_call(patch_then_text());
    night.tell(patching("ben", PatchNews::Begun));
    night.until(300);
    assert_eq!(night.times(), [], "she speaks with him");
    night.tell(over("ben", PatchEnd::Refused));
    assert_eq!(night.times(), [(300, Channel::Text)]);
}

#[test]
fn after_a_patch_only_what_would_be_sent_now_is_sent_for_the_record() {
    let email = |name: &str, only| Step { only, ..Step::new(Method::Email, vec![named(name, "email")], 0) };
    let steps = vec![
        Step::new(Method::LivePatch, on_call("mobile"), 0),
        email("office", Conditions::default()),
        email("ada", night_hours("12:00", "13:00")),
    ];
    let mut night = taken_on_a_call(with(steps, false, Until::HandedOver));
    night.until(1);
    night.tell(Event::Patched { to: vec!["ben".into()] });
    night.tell(Event::CallEnded);
    assert_eq!(night.sent.iter().map(|(_, _, to)| to.as_str()).collect::<Vec<_>>(), ["office@example.com"]);
}

#[test]
fn a_failed_patch_does_not_keep_what_is_delivered_after_it_from_being_so() {
    let steps = vec![Step::new(Method::LivePatch, on_call("mobile"), 0), Step::new(Method::Text, on_call("mobile"), 0)];
    let mut night = taken_on_a_call(with(steps, false, Until::HandedOver));
    night.until(1);
    night.tell(over("ben", PatchEnd::NoAnswer));
    assert_eq!(night.s.phase, Phase::Delivered);
}

#[test]
fn what_does_not_go_together_is_refused_with_its_step() {
    let people = town().contacts;
    let check = |steps: Vec<Step>, repeat, until| {
        let mut protocol = with(steps, repeat, until);
        if repeat {
            protocol.repeat = Some(Repeat { from_step: 2 });
        }
        validate(&protocol, &people, &[]).into_iter().map(|f| (f.step, f.code)).collect::<Vec<_>>()
    };
    let ben = |method, label: &str| Step::new(method, vec![named("ben", label)], 0);
    let text = || ben(Method::TextConfirm, "mobile");
    let informs = |step: Step| Step { informs: true, ..step };
    let email = || ben(Method::Email, "email");
    assert_eq!(check(vec![text(), informs(email())], false, Until::Confirmed), []);
    assert_eq!(check(vec![informs(email())], false, Until::HandedOver), [(None, "only_informs")]);
    assert_eq!(check(vec![text(), informs(email())], true, Until::Confirmed), [(None, "repeat_informs")]);
    assert_eq!(check(vec![informs(text()), text()], false, Until::Confirmed), [(Some(1), "informs_asks")]);
    let waits = Step { wait_secs: 60, ..informs(email()) };
    assert_eq!(check(vec![text(), waits], false, Until::Confirmed), [(Some(2), "informs_waits")]);
    let done = |step: Step, until| Step { done: Some(until), ..step };
    assert_eq!(check(vec![text(), done(email(), Until::Told)], false, Until::Confirmed), [(Some(2), "done_never")]);
    assert_eq!(check(vec![done(email(), Until::HandedOver)], false, Until::Confirmed), [], "that is an end");
    let tries = |step: Step, times, apart_secs| Step { tries: Some(Tries { times, apart_secs }), ..step };
    assert_eq!(
        check(vec![tries(text(), 1, 5)], false, Until::Confirmed),
        [(Some(1), "tries"), (Some(1), "tries_apart")]
    );
    let patch = || ben(Method::LivePatch, "mobile");
    assert_eq!(check(vec![tries(patch(), 2, 60), text()], false, Until::Confirmed), [(Some(1), "tries_own")]);
    assert_eq!(check(vec![patch()], false, Until::Confirmed), []);
    assert_eq!(
        check(vec![ben(Method::LivePatch, "email"), text()], false, Until::Confirmed),
        [(Some(1), "wrong_destination")]
    );
    let held = informs(Step::new(Method::HoldForRecap, vec![], 0));
    assert_eq!(check(vec![text(), held], false, Until::Confirmed), [(Some(2), "hold_terms")]);
}

#[test]
fn each_word_of_a_step_reads_as_plain_english() {
    let only = Conditions { windows: vec!["Night".into()], ..night_hours("18:00", "08:00") };
    let steps = vec![
        Step::new(Method::LivePatch, on_call("mobile"), 0),
        Step { only, ..twice(Step::new(CALL, on_call("mobile"), 600), 120) },
        Step {
            done: Some(Until::Told),
            ..Step::new(Method::OperatorCall { leave_message: false, then_machine: false }, on_call("home"), 0)
        },
        Step { informs: true, ..Step::new(Method::Email, vec![named("office", "email")], 0) },
    ];
    let lines = describe(&with(steps, true, Until::Confirmed), &town().contacts, &[]);
    assert_eq!(
        lines[..4],
        [
            "1. Put the caller through to the technician on call (mobile), if they are still on the line; if that fails, go on at once.",
            "2. Call the technician on call (mobile), leave a message if nobody takes it, up to 2 times, 2 minutes apart, after the last wait 10 minutes for an answer, only on Thursday and Friday between 18:00 and 08:00, only in the account's hours \u{201c}Night\u{201d}.",
            "3. Have an operator call the technician on call (home), done once a person has heard or opened it.",
            "4. Email office (email), for their information only: it ends nothing.",
        ]
    );
}

#[test]
fn a_step_written_before_there_was_more_to_say_is_read_and_written_as_it_was() {
    let old = serde_json::json!({"method": {"kind": "text"}, "to": [], "wait_secs": 60});
    let step: Step = serde_json::from_value(old.clone()).expect("it is read");
    assert_eq!(step, Step::new(Method::Text, vec![], 60));
    assert_eq!(serde_json::to_value(&step).expect("it is written"), old);
}

#[test]
fn whoever_has_it_is_not_sent_it_again_where_that_is_all_it_is_for() {
    let text = twice(Step::new(Method::Text, vec![named("ben", "mobile")], 60), 300);
    let mut night = Night::of(with(vec![text], false, Until::HandedOver));
    night.until(3_600);
    assert_eq!((night.times().len(), night.s.phase), (1, Phase::Delivered));
}
