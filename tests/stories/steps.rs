//! Steps with more to them: made twice, for information, at certain hours or after certain answers, and a patch of the caller.

use cordboard::base::id::{AccountId, ContactId};
use cordboard::base::pii::Pii;
use cordboard::domain::account::hours::{Span, Weekday};
use cordboard::domain::dispatch::condition::{AnswerIs, Conditions, HoursAre};
use cordboard::domain::dispatch::event::OperatorAct;
use cordboard::domain::dispatch::patch_step::{PatchEnd, PatchNews};
use cordboard::domain::dispatch::protocol::{Method, Protocol, Repeat, Step, Tries, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::domain::message::form::AskedAt;
use cordboard::engine::calls::record::Line;
use cordboard::engine::dispatcher::Decided;
use cordboard::io::store::inbound::{Arrival, Inbound, PATCHES};

use crate::desk::{Desk, Kind};
use crate::support::postgres::Postgres;
use crate::town::{self, CALL};

const MINUTE: i64 = 60;

fn on(days: &[Weekday], from: &str, until: &str) -> Conditions {
    let at = AskedAt { days: days.to_vec(), span: Span { from: from.into(), until: until.into() } };
    Conditions { hours: Some(HoursAre { at, outside: false }), ..Conditions::default() }
}

/// At weekends a text, five minutes later another, and only then a call; on working days a call at once.
fn weekend() -> Protocol {
    let week = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
    let text = Step {
        tries: Some(Tries { times: 2, apart_secs: 300 }),
        only: on(&[Weekday::Saturday, Weekday::Sunday], "00:00", "00:00"),
        ..Step::new(Method::TextConfirm, town::on_call("mobile"), 600)
    };
    let at_work =
        Step { only: on(&week, "08:00", "18:00"), ..Step::new(CALL, vec![town::named("Ada", "mobile")], 600) };
    town::of_steps(vec![text, at_work, Step::new(CALL, town::on_call("mobile"), 600)], true, Until::Confirmed)
}

#[tokio::test]
async fn on_saturday_he_is_texted_twice_five_minutes_apart_then_called() {
    let mut desk = Desk::at_work(&weekend()).await;
    let id = desk.takes("burst pipe").await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe. Reply 1ok to confirm.");
    desk.advance(5 * MINUTE - 1).await;
    assert_eq!(desk.times(), []);
    let next = desk.view(&id).await.next.expect("something is next").text;
    assert_eq!(
        next,
        "If no reply by 02:15:05 CST: try 2 of 2: text the technician on call (mobile) and ask for a confirmation."
    );
    desk.advance(1).await;
    assert_eq!(desk.times(), [(5 * MINUTE, Kind::Text)]);
    desk.phone("Ben").expect_text("Reply 1ok");
    desk.advance(10 * MINUTE).await;
    assert_eq!(desk.times(), [(15 * MINUTE, Kind::Call)], "and Ada, who works on weekdays, is not");
    desk.phone("Ben").expect_call();
    let lines: Vec<String> = desk.view(&id).await.timeline.into_iter().map(|line| line.text).collect();
    for line in [
        "Step 1, try 2 of 2: text the technician on call (mobile) and ask for a confirmation.",
        "Step 2 skipped (call Ada (mobile), leave a message if nobody takes it): \
         only on Monday to Friday between 08:00 and 18:00.",
    ] {
        assert!(lines.iter().any(|l| l == line), "{line}: {lines:#?}");
    }
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_restart_between_two_tries_costs_neither_the_wait_nor_a_try() {
    let mut desk = Desk::at_work(&weekend()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.advance(3 * MINUTE).await;
    desk.restarts().await;
    desk.advance(20 * MINUTE).await;
    assert_eq!(desk.times(), [(5 * MINUTE, Kind::Text), (15 * MINUTE, Kind::Call)]);
    desk.phone("Ben").expect_text("Reply 1ok");
    desk.phone("Ben").expect_call();
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn the_office_is_informed_by_email_each_round_and_the_loop_goes_on() {
    let office = Step { informs: true, ..Step::new(Method::Email, vec![town::named("Olive", "email")], 0) };
    let steps = vec![Step::new(Method::TextConfirm, town::on_call("mobile"), 900), office];
    let mut desk = Desk::at_work(&town::of_steps(steps, true, Until::Confirmed)).await;
    let id = desk.takes("burst pipe").await;
    desk.advance(31 * MINUTE).await;
    let quarter = 15 * MINUTE;
    let at = |kind| desk.times().into_iter().filter(|(_, k)| *k == kind).map(|(at, _)| at).collect::<Vec<_>>();
    assert_eq!(at(Kind::Text), [0, quarter, 2 * quarter]);
    assert_eq!(at(Kind::Mail), [quarter, 2 * quarter]);
    for _ in 0..3 {
        desk.phone("Ben").expect_text("burst pipe");
    }
    for _ in 0..2 {
        desk.phone("Olive").expect_mail("burst pipe");
    }
    let view = desk.view(&id).await;
    assert_eq!(view.alarm.as_deref(), Some("A whole round is over and nobody has been told."));
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn he_is_called_first_only_if_there_is_water() {
    let only = Conditions {
        answers: vec![AnswerIs { field: "water".into(), is: vec!["yes".into()], not: false }],
        ..Conditions::default()
    };
    let call = Step { only, ..Step::new(CALL, town::on_call("mobile"), 600) };
    let steps = vec![call, Step::new(Method::TextConfirm, town::on_call("mobile"), 900)];
    let protocol = town::of_steps(steps, false, Until::Confirmed);
    for (answer, kind) in [(Some("yes"), Kind::Call), (Some("no"), Kind::Text), (None, Kind::Text)] {
        let mut desk = Desk::at_work(&protocol).await;
        if let Some(answer) = answer {
            desk.answers("water", answer);
        }
        let id = desk.takes("burst pipe").await;
        assert_eq!(desk.times(), [(0, kind)], "{answer:?}");
        let skipped = desk.view(&id).await.timeline.into_iter().find(|line| line.text.starts_with("Step 1 skipped"));
        let why = skipped.map(|line| line.text.rsplit(": ").next().map(str::to_owned).expect("a reason"));
        let wanted = (kind == Kind::Text).then(|| "only if \u{201c}Is there water?\u{201d} is yes.".to_owned());
        assert_eq!(why, wanted, "{answer:?}");
        if kind == Kind::Call {
            desk.phone("Ben").expect_call();
        } else {
            desk.phone("Ben").expect_text("burst pipe");
        }
        let yes = OperatorAct::Confirm { who: "Ben".into(), note: None, edition: None };
        assert_eq!(desk.dispatcher.operator(&id, "Kim", yes).await.expect("confirmed"), Decided::Changed);
        desk.ends(&id, Phase::Confirmed).await;
    }
}

/// While the caller is on the line they are put through to Ben; else he is texted.
fn patch_first() -> Protocol {
    let steps = vec![
        Step::new(Method::LivePatch, town::on_call("mobile"), 0),
        Step::new(Method::TextConfirm, town::on_call("mobile"), 900),
    ];
    town::of_steps(steps, false, Until::Confirmed)
}

const BEN: (&str, &str) = ("Ben", "+12025550110");

async fn refused(mut desk: Desk) {
    let call = desk.talks_with_a_caller().await;
    let id = desk.takes("burst pipe").await;
    assert_eq!(desk.times(), [], "the machine rings nobody");
    let view = desk.view(&id).await;
    let [offer] = view.patches.as_slice() else { panic!("one patch: {view:#?}") };
    assert_eq!((&offer.call, offer.contact.name.as_str(), offer.destination.as_str()), (&call, "Ben", "mobile"));
    assert_eq!((offer.begun, offer.until.since(desk.now())), (false, MINUTE * 1_000));
    desk.advance(20).await;
    desk.patch(1, BEN, PatchNews::Begun).await;
    desk.advance(2 * MINUTE).await;
    assert!(desk.view(&id).await.patches[0].begun);
    desk.patch(2, BEN, PatchNews::Over(PatchEnd::Refused)).await;
    assert_eq!(desk.times(), [(2 * MINUTE + 20, Kind::Text)], "at once");
    desk.phone("Ben").expect_text("burst pipe. Reply 1ok");
    let view = desk.view(&id).await;
    assert_eq!(view.patches, []);
    let lines: Vec<String> = view.timeline.into_iter().map(|line| line.text).collect();
    for line in [
        "The operator is asked to put the caller through to Ben (mobile).",
        "The operator rings Ben for the caller.",
        "The caller was not put through to Ben (mobile): they did not take it.",
    ] {
        assert!(lines.iter().any(|l| l == line), "{line}: {lines:#?}");
    }
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn the_technician_refuses_the_patch_and_the_next_step_texts_him() {
    refused(Desk::at_work(&patch_first()).await).await;
}

#[tokio::test]
async fn the_technician_refuses_the_patch_on_postgresql() {
    let Some(server) = Postgres::start("a patch step on PostgreSQL") else { return };
    refused(Desk::on_postgres(server.create_database(), &patch_first()).await).await;
}

#[tokio::test]
async fn a_patch_that_connects_ends_it_as_patched_and_nobody_is_texted() {
    let mut desk = Desk::at_work(&patch_first()).await;
    let call = desk.talks_with_a_caller().await;
    let id = desk.takes("burst pipe").await;
    desk.patch(1, BEN, PatchNews::Begun).await;
    let joined = Inbound {
        provider: PATCHES.into(),
        provider_msg_id: call.to_string(),
        received_at: desk.now(),
        what: Arrival::Patched { call, account: None, to: "Ben".into() },
    };
    desk.comes_in(&joined).await;
    desk.advance(60 * MINUTE).await;
    let view = desk.view(&id).await;
    assert_eq!((view.confirmed_by.as_deref(), view.patches.len()), (Some("Ben"), 0));
    desk.ends(&id, Phase::Patched).await;
}

#[tokio::test]
async fn a_late_yes_after_a_patch_hears_of_the_patch_and_not_that_he_has_confirmed() {
    let mut desk = Desk::at_work(&patch_first()).await;
    let call = desk.talks_with_a_caller().await;
    let id = desk.takes("burst pipe").await;
    desk.patch(1, BEN, PatchNews::Begun).await;
    desk.patch(2, BEN, PatchNews::Over(PatchEnd::NoAnswer)).await;
    desk.phone("Ben").expect_text("burst pipe. Reply 1ok");
    let joined = Inbound {
        provider: PATCHES.into(),
        provider_msg_id: call.to_string(),
        received_at: desk.now(),
        what: Arrival::Patched { call, account: None, to: "Ben".into() },
    };
    desk.comes_in(&joined).await;
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("it needs nothing more: the caller was put through to Ben at");
    desk.ends(&id, Phase::Patched).await;
}

#[tokio::test]
async fn a_patch_for_another_client_on_the_same_call_confirms_nothing() {
    let mut desk = Desk::at_work(&patch_first()).await;
    let call = desk.talks_with_a_caller().await;
    let id = desk.takes("burst pipe").await;
    let joined = Inbound {
        provider: PATCHES.into(),
        provider_msg_id: call.to_string(),
        received_at: desk.now(),
        what: Arrival::Patched { call, account: Some(AccountId::named("lakeview")), to: "John Doe".into() },
    };
    desk.comes_in(&joined).await;
    assert_eq!(desk.view(&id).await.confirmed_by, None);
    assert!(desk.state(&id).await.closed_at.is_none());
}

#[tokio::test]
async fn a_second_patch_on_the_call_for_another_client_is_not_lost_and_counts_once() {
    let mut desk = Desk::at_work(&patch_first()).await;
    let call = desk.talks_with_a_caller().await;
    let id = desk.takes("burst pipe").await;
    let (at, plumbing, lakeview) = (desk.now(), town::account().id, AccountId::named("lakeview"));
    let line = |account: &AccountId, nth: u32, to: &str| Line::Patched {
        account: account.clone(),
        call: call.clone(),
        at,
        nth,
        to: Pii::new(to.into()),
    };
    // First for the client who was dialled; then it turns out to be for the plumbers.
    let lines = [line(&lakeview, 1, "John Doe"), line(&plumbing, 1, "Ben")];
    desk.records(&lines).await;
    desk.advance(0).await;
    assert_eq!(desk.view(&id).await.confirmed_by.as_deref(), Some("Ben"));
    let entries = desk.view(&id).await.timeline.len();
    // What was written and not acknowledged is written again, and the dispatcher starts again.
    desk.records(&lines).await;
    desk.restarts().await;
    desk.advance(MINUTE).await;
    let view = desk.view(&id).await;
    assert_eq!((view.timeline.len(), view.state.as_str()), (entries, "patched"));
    desk.ends(&id, Phase::Patched).await;
}

#[tokio::test]
async fn who_is_rung_for_another_client_is_not_rung_for_this_one() {
    let mut desk = Desk::at_work(&patch_first()).await;
    let call = desk.talks_with_a_caller().await;
    let id = desk.takes("burst pipe").await;
    // Ben works for both.
    let rung = Line::Patching {
        account: AccountId::named("lakeview"),
        call,
        at: desk.now(),
        nth: 1,
        contact: Some(ContactId::named(BEN.0)),
        number: town::number(BEN.1),
        news: PatchNews::Begun,
    };
    desk.records(&[rung]).await;
    desk.advance(0).await;
    assert!(!desk.view(&id).await.patches[0].begun, "nobody rings him about the pipe");
}

#[tokio::test]
async fn nobody_is_put_through_once_the_caller_is_not_on_the_line() {
    // The form was saved after the call.
    let mut desk = Desk::at_work(&patch_first()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    let view = desk.view(&id).await;
    let skip =
        "Step 1 skipped (put the caller through to the technician on call (mobile)): the caller is not on the line.";
    assert!(view.timeline.iter().any(|line| line.text == skip), "{:#?}", view.timeline);
    desk.ends(&id, Phase::Running).await;
    // The caller hangs up while he is rung.
    let mut desk = Desk::at_work(&patch_first()).await;
    desk.talks_with_a_caller().await;
    let id = desk.takes("burst pipe").await;
    desk.patch(1, BEN, PatchNews::Begun).await;
    desk.advance(10).await;
    desk.patch(2, BEN, PatchNews::Over(PatchEnd::CallerGone)).await;
    assert_eq!(desk.times(), [(10, Kind::Text)]);
    desk.phone("Ben").expect_text("burst pipe");
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn steps_that_only_put_the_caller_through_end_with_the_call_and_an_operator_is_asked() {
    let steps = vec![
        Step::new(Method::TextConfirm, town::on_call("mobile"), 300),
        Step::new(Method::LivePatch, town::on_call("mobile"), 0),
    ];
    let for_ever = Some(Repeat { from_step: 2 });
    let protocol = Protocol { repeat: for_ever, ..town::of_steps(steps, false, Until::Confirmed) };
    let mut desk = Desk::at_work(&protocol).await;
    desk.talks_with_a_caller().await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.advance(5 * MINUTE).await;
    assert_eq!(desk.view(&id).await.patches.len(), 1);
    desk.patch(1, BEN, PatchNews::Begun).await;
    desk.patch(2, BEN, PatchNews::Over(PatchEnd::CallerGone)).await;
    desk.advance(2 * 60 * MINUTE).await;
    let view = desk.view(&id).await;
    assert_eq!(view.state, "exhausted_unconfirmed");
    assert_eq!(view.alarm.as_deref(), Some("The steps have run out and nobody has confirmed."));
    assert!(!view.timeline.iter().any(|line| line.text.contains("skipped")), "{:#?}", view.timeline);
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_crash_never_rings_anybody_for_a_caller_who_was_cut_off_by_it() {
    let mut desk = Desk::at_work(&patch_first()).await;
    desk.talks_with_a_caller().await;
    let id = desk.takes("burst pipe").await;
    desk.patch(1, BEN, PatchNews::Begun).await;
    desk.restarts().await;
    desk.advance(0).await;
    assert_eq!(desk.times(), [(0, Kind::Text)], "the next step, and no patch again");
    desk.phone("Ben").expect_text("burst pipe");
    desk.ends(&id, Phase::Running).await;
}
