//! An operator has the message texted to a person now, beside the steps of its protocol.

use cordboard::base::id::{AccountId, ContactId, DestinationId, DispatchId};
use cordboard::domain::dispatch::event::OperatorAct;
use cordboard::domain::dispatch::state::Phase;
use cordboard::engine::dispatcher::Decided;

use crate::desk::Desk;
use crate::town;

const MINUTE: i64 = 60;

/// Kim has it texted to Ada's mobile.
async fn texts_ada(desk: &Desk, id: &DispatchId) -> Decided {
    let (contact, destination) = (ContactId::named("Ada"), DestinationId::named("Ada-mobile"));
    let act = OperatorAct::Text { contact, destination };
    let decided = desk.dispatcher.operator(id, "Kim", act).await.expect("decided");
    desk.advance(0).await;
    decided
}

#[tokio::test]
async fn another_person_is_texted_now_and_confirms_by_the_code_in_it() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.advance(5 * MINUTE).await;
    assert_eq!(texts_ada(&desk, &id).await, Decided::Changed);
    assert_eq!(texts_ada(&desk, &id).await, Decided::Unchanged, "a key pressed twice");
    let text = desk.phone("Ada").expect_text("burst pipe").words;
    assert!(text.contains("Reply 1ok to confirm."), "{text}");
    desk.phone("Ada").replies("1ok").await;
    desk.phone("Ada").expect_text("Confirmed");
    desk.phone("Ben").expect_text("Ada");
    let view = desk.view(&id).await;
    assert_eq!(view.confirmed_by.as_deref(), Some("Ada"));
    let line = "Kim has the message texted to Ada (mobile).";
    assert!(view.timeline.iter().any(|l| l.text == line), "{:#?}", view.timeline);
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn of_what_is_protected_a_text_by_hand_is_a_notice_too() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let mut account = desk.store.find_account(&AccountId::named("one")).await.expect("asked").expect("an account");
    account.call_types[0].protected = true;
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_account(&account, desk.now()).await.expect("written");
    tx.commit("test").await.expect("committed");
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("a protected message waits for you");
    assert_eq!(texts_ada(&desk, &id).await, Decided::Changed);
    let text = desk.phone("Ada").expect_text("a protected message waits for you").words;
    for said in ["burst", "pipe", "Jane", "0147", "0148"] {
        assert!(!text.contains(said), "{text}");
    }
    // She has no PIN to open it with, and has not heard it.
    desk.phone("Ada").replies("1ok").await;
    desk.phone("Ada").expect_text("this does not confirm it yet");
    desk.ends(&id, Phase::Running).await;
}
