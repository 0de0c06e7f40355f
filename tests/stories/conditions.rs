//! Steps that are made only sometimes: at the edge of an hour, for one call type, after an answer; and a protocol that comes to have
//! such steps while a dispatch runs.

use cordboard::base::id::{CallTypeId, DispatchId, ProtocolId};
use cordboard::domain::account::CallType;
use cordboard::domain::account::hours::{Span, Weekday};
use cordboard::domain::dispatch::condition::{AnswerIs, Conditions, HoursAre};
use cordboard::domain::dispatch::event::OperatorAct;
use cordboard::domain::dispatch::protocol::{Method, Protocol, Step, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::domain::message::form::AskedAt;
use cordboard::engine::dispatcher::Decided;

use crate::desk::{Desk, Kind};
use crate::support::postgres::Postgres;
use crate::town::{self, CALL};

const MINUTE: i64 = 60;

/// A text, and then a call that is made only between these times on Saturdays.
fn call_between(wait_secs: u32, from: &str, until: &str) -> Protocol {
    let at = AskedAt { days: vec![Weekday::Saturday], span: Span { from: from.into(), until: until.into() } };
    let only = Conditions { hours: Some(HoursAre { at, outside: false }), ..Conditions::default() };
    let call = Step { only, ..Step::new(CALL, town::on_call("mobile"), 600) };
    let text = Step::new(Method::TextConfirm, town::on_call("mobile"), wait_secs);
    let email = Step::new(Method::Email, vec![town::named("Olive", "email")], 0);
    town::of_steps(vec![text, call, email], false, Until::Confirmed)
}

async fn confirmed_by_hand(desk: &Desk, id: &DispatchId) {
    let yes = OperatorAct::Confirm { who: "Ben".into(), note: None, edition: None };
    assert_eq!(desk.dispatcher.operator(id, "Kim", yes).await.expect("stored"), Decided::Changed);
}

#[tokio::test]
async fn at_the_edge_of_the_hour_the_clock_of_the_steps_own_start_counts() {
    // T0 is 02:10:05 on the account's clocks.
    let to_the_last_second = 14 * 60 + 54;
    for (wait_secs, from, until, is_made) in [
        (to_the_last_second, "02:00", "02:25", true),
        (to_the_last_second + 1, "02:00", "02:25", false),
        (to_the_last_second, "02:25", "03:00", false),
        (to_the_last_second + 1, "02:25", "03:00", true),
    ] {
        let mut desk = Desk::at_work(&call_between(wait_secs, from, until)).await;
        let id = desk.takes("burst pipe").await;
        desk.phone("Ben").expect_text("burst pipe");
        desk.advance(i64::from(wait_secs)).await;
        let (kind, case) = (if is_made { Kind::Call } else { Kind::Mail }, format!("{wait_secs} s, {from} to {until}"));
        assert_eq!(desk.times(), [(i64::from(wait_secs), kind)], "{case}");
        let skipped = format!(
            "Step 2 skipped (call the technician on call (mobile), leave a message if nobody takes it): \
             only on Saturday between {from} and {until}."
        );
        let timeline = desk.view(&id).await.timeline;
        assert_eq!(timeline.iter().any(|line| line.text == skipped), !is_made, "{case}: {timeline:#?}");
        if is_made {
            desk.phone("Ben").expect_call();
        } else {
            desk.phone("Olive").expect_mail("burst pipe");
        }
        confirmed_by_hand(&desk, &id).await;
        desk.ends(&id, Phase::Confirmed).await;
    }
}

#[tokio::test]
async fn a_step_for_another_kind_of_call_is_passed_over_by_name() {
    let only = |name: &str| Conditions { call_types: vec![CallTypeId::named(name)], ..Conditions::default() };
    let steps = vec![
        Step { only: only("billing"), ..Step::new(CALL, town::on_call("mobile"), 600) },
        Step { only: only("urgent"), ..Step::new(Method::TextConfirm, town::on_call("mobile"), 900) },
    ];
    let mut desk = Desk::at_work(&town::of_steps(steps, false, Until::Confirmed)).await;
    let mut account = town::account();
    let billing =
        CallType { id: CallTypeId::named("billing"), name: "Billing".into(), ..account.call_types[0].clone() };
    account.call_types.push(billing);
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_account(&account, desk.now()).await.expect("an account");
    tx.commit("test").await.expect("committed");
    let id = desk.takes("burst pipe").await;
    assert_eq!(desk.times(), [(0, Kind::Text)]);
    desk.phone("Ben").expect_text("burst pipe");
    let timeline = desk.view(&id).await.timeline;
    assert!(timeline.iter().any(|line| line.text.ends_with("only for Billing.")), "{timeline:#?}");
    desk.phone("Ben").replies("ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

/// The next version: the text only where there is water, else the call at once.
fn with_a_condition() -> Protocol {
    let answers = vec![AnswerIs { field: "water".into(), is: vec!["yes".into()], not: false }];
    let only = Conditions { answers, ..Conditions::default() };
    let steps = vec![
        Step { only, ..Step::new(Method::TextConfirm, town::on_call("mobile"), 900) },
        Step::new(CALL, town::on_call("mobile"), 600),
    ];
    Protocol { id: ProtocolId::named("p2"), version: 2, ..town::of_steps(steps, true, Until::Confirmed) }
}

async fn a_protocol_comes_to_have_a_condition(mut desk: Desk) {
    let before = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe. Reply 1ok");
    let mut tx = desk.store.write().await.expect("the store writes");
    let next = with_a_condition();
    tx.insert_protocol(&next, desk.now()).await.expect("the next version");
    let mut account = town::account();
    account.call_types[0].protocol = Some(next.id);
    tx.upsert_account(&account, desk.now()).await.expect("it is in force");
    tx.commit("test").await.expect("committed");
    // What is taken from now on goes by it, as there is no water.
    desk.advance(5 * MINUTE).await;
    desk.answers("water", "no");
    let after = desk.takes("no heat").await;
    assert_eq!(desk.times(), [(5 * MINUTE + 5, Kind::Call)]);
    assert!(desk.phone("Ben").expect_call().words.contains("no heat"));
    // What ran goes on by the version that it began with, also after a restart.
    desk.advance(2 * MINUTE).await;
    desk.restarts().await;
    desk.advance(8 * MINUTE - 5).await;
    assert_eq!(desk.times(), [(15 * MINUTE, Kind::Call)]);
    assert!(desk.phone("Ben").expect_call().words.contains("burst pipe"));
    assert_eq!(desk.state(&before).await.protocol.version, 1);
    // Changed, and sent again: from then on by the new one. Nobody has said that there is water, and the old call is taken back.
    desk.advance(10).await;
    desk.changes(&before, "burst boiler", true).await;
    desk.advance(0).await;
    assert_eq!(desk.times(), [(15 * MINUTE + 10, Kind::Call)]);
    assert!(desk.phone("Ben").expect_call().words.contains("burst boiler"));
    let state = desk.state(&before).await;
    assert_eq!((state.protocol.version, state.phase), (2, Phase::Running));
    let timeline = desk.view(&before).await.timeline;
    let skip = "only if \u{201c}Is there water?\u{201d} is yes.";
    assert!(timeline.iter().any(|line| line.text.ends_with(skip)), "{timeline:#?}");
    for id in [&before, &after] {
        confirmed_by_hand(&desk, id).await;
    }
    desk.advance(60 * MINUTE).await;
    assert_eq!(desk.state(&after).await.phase, Phase::Confirmed);
    desk.ends(&before, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_protocol_that_comes_to_have_a_condition_binds_what_begins_after_it() {
    a_protocol_comes_to_have_a_condition(Desk::at_work(&town::plumbing()).await).await;
}

#[tokio::test]
async fn a_protocol_that_comes_to_have_a_condition_on_postgresql() {
    let Some(server) = Postgres::start("a protocol with a condition on PostgreSQL") else { return };
    a_protocol_comes_to_have_a_condition(Desk::on_postgres(server.create_database(), &town::plumbing()).await).await;
}
