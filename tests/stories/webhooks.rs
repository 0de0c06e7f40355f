//! A client's own system as a step of a protocol: posted to, tried again, passed over, and told nothing of what is protected.

use cordboard::domain::dispatch::event::Failure;
use cordboard::domain::dispatch::protocol::{Method, Protocol, Until};
use cordboard::domain::dispatch::state::{AttemptState, Phase};
use cordboard::io::deliver::Delivery;

use crate::desk::{Desk, Kind};
use crate::town;

/// Posted to the client's system, and the technician texted.
fn both() -> Protocol {
    let steps = vec![
        (Method::Webhook, vec![town::named("Olive", "desk")], 0),
        (Method::TextConfirm, town::on_call("mobile"), 900),
    ];
    town::protocol(steps, true, Until::Confirmed)
}

fn alone() -> Protocol {
    town::protocol(vec![(Method::Webhook, vec![town::named("Olive", "desk")], 0)], false, Until::HandedOver)
}

fn failed(failure: Failure, why: &str) -> Option<Delivery> {
    Some(Delivery::Failed { failure, why: why.into() })
}

async fn says(desk: &Desk, id: &cordboard::base::id::DispatchId, line: &str) {
    let view = desk.view(id).await;
    assert!(view.timeline.iter().any(|l| l.text == line), "{line} is not in {:#?}", view.timeline);
}

#[tokio::test]
async fn the_client_s_system_gets_the_message_and_nobody_waits_for_it() {
    let mut desk = Desk::at_work(&both()).await;
    let id = desk.takes("burst pipe").await;
    let post = desk.phone("Olive").expect_post("burst pipe");
    assert!(post.words.contains("message.dispatched") && post.words.contains("+12025550148"), "{}", post.words);
    desk.phone("Ben").expect_text("Reply 1ok");
    says(&desk, &id, "Posting it to Olive's system.").await;
    says(&desk, &id, "Olive's system has taken it.").await;
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn what_its_answer_takes_is_delivered_and_ends_a_protocol_without_confirmation() {
    let mut desk = Desk::at_work(&alone()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Olive").expect_post("burst pipe");
    let state = desk.state(&id).await;
    assert_eq!(state.attempts[0].state(), AttemptState::Delivered);
    desk.ends(&id, Phase::Delivered).await;
}

#[tokio::test]
async fn a_system_that_is_away_is_tried_again_and_the_next_step_is_on_time() {
    let mut desk = Desk::at_work(&both()).await;
    desk.provider_answers(failed(Failure::Temporary, "no_connection"));
    let id = desk.saves("burst pipe").await;
    desk.advance(5).await;
    desk.provider_answers(None);
    desk.advance(5).await;
    let mut times = desk.times();
    // Both are on their way at once.
    times.sort_by_key(|(_, kind)| *kind == Kind::Text);
    assert_eq!(times, [(5, Kind::Post), (5, Kind::Text)]);
    desk.phone("Olive").expect_post("burst pipe");
    desk.phone("Ben").expect_text("Reply 1ok");
    says(&desk, &id, "Webhook to Olive failed (no connection), will be tried again.").await;
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_system_that_refuses_for_good_is_an_operator_s_to_see() {
    let mut desk = Desk::at_work(&alone()).await;
    desk.provider_answers(failed(Failure::Permanent, "redirected"));
    let id = desk.takes("burst pipe").await;
    says(&desk, &id, "Webhook to Olive failed (redirected), given up.").await;
    assert!(desk.state(&id).await.needs_operator());
    desk.ends(&id, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn what_is_protected_is_a_notice() {
    let mut desk = Desk::at_work(&alone()).await;
    let mut account = desk.store.find_account(&both().account).await.expect("found").expect("an account");
    account.call_types[0].protected = true;
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_account(&account, desk.now()).await.expect("an account");
    tx.commit("test").await.expect("committed");
    let id = desk.takes("burst pipe").await;
    let post = desk.phone("Olive").expect_post("message.notice");
    for hidden in ["burst pipe", "Jane Roe", "+12025550147", "+12025550148", "Urgent repair"] {
        assert!(!post.words.contains(hidden), "{hidden} is in {}", post.words);
    }
    desk.ends(&id, Phase::Delivered).await;
}
