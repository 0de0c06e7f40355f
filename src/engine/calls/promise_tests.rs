//! Promises to call back where something goes wrong: the store, the operator's other call, a number that moves to another
//! account. In the house of `tests`.

use super::callback_tests::{DID, presses, promise_of_before};
use super::house::{Did, House, number, plays, rings};
use super::queue_tests::waits;
use super::record::Line;
use super::*;
use crate::base::id::AccountId;
use crate::domain::call::bridge::Source;
use crate::engine::signal::LegEvent;
use crate::io::store::callbacks::Callback;

/// The account that promises.
async fn account(house: &House) -> Account {
    let found = house.calls.0.accounts.find_by_did(&number(DID)).await;
    Account::clone(&found.expect("a book").expect("an account"))
}

#[tokio::test]
async fn a_promise_that_the_store_does_not_take_leaves_a_caller_who_has_hung_up_on_record_as_lost() {
    let mut house = House::open("greeting");
    let (caller, from_caller) = waits(&mut house, "+12025550185").await;
    house.until("the offer", |d| plays(d, caller)).await;
    presses(&house, caller, '1');
    house.until("the number", |d| plays(d, caller)).await;
    presses(&house, caller, '1');
    from_caller.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    let lost = |d: &Did| match d {
        Did::Wrote(Line::Event { kind, body, .. }) if kind == "abandoned" => Some(body.clone()),
        _ => None,
    };
    assert_eq!(house.until("that they are lost", lost).await.1, serde_json::json!({"on": "queue"}));
    let alarms = house.calls.alarms();
    assert!(alarms.len() == 1 && alarms[0].text.contains("+1 202 555 0150"), "{alarms:?}");
}

#[tokio::test]
async fn ringing_somebody_back_puts_the_caller_whom_she_talks_with_not_on_hold() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (one, _, _) = house.talks("kim").await;
    let account = account(&house).await;
    assert!(house.calls.ring_back(promise_of_before(), account, &UserId::named("kim")).await);
    assert_eq!(house.view(&one).state, CallState::Talking);
    assert!(!house.kinds().iter().any(|kind| kind == "held"), "{:?}", house.kinds());
}

#[tokio::test]
async fn a_caller_to_be_called_back_who_is_taken_by_a_key_needs_no_second_one() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (_, caller, _) = house.talks("kim").await;
    let known = house.calls.views();
    let account = account(&house).await;
    house.calls.keep_promises(vec![(promise_of_before(), account)]);
    let waits = |e: &FeedEvent| match e {
        FeedEvent::Call { call } if call.ring_back.is_some() && call.state == CallState::Queued => Some(()),
        _ => None,
    };
    house.shown("the caller to be called back", waits).await;
    let back = house.other_than(&known);
    assert_eq!(house.asks("kim", &back, Command::Take).await, Ok(()));
    house.hears(caller, &[Source::Music]).await;
    house.until("her phone", |d| rings(d, "kim")).await;
}

#[tokio::test]
async fn a_promise_stays_with_its_account_wherever_the_number_is_that_was_dialled() {
    let mut house = House::open("greeting");
    let account = Account { id: AccountId::named("clinic"), ..account(&house).await };
    let callback = Callback { account: account.id.clone(), ..promise_of_before() };
    house.calls.keep_promises(vec![(callback, account)]);
    let started = |d: &Did| match d {
        Did::Wrote(Line::Started(call)) => Some(call.account.clone()),
        _ => None,
    };
    assert_eq!(house.until("its call", started).await.1, AccountId::named("clinic"));
}

#[tokio::test]
async fn a_call_that_keeps_a_promise_is_not_counted_as_one_that_came_in() {
    let mut house = House::open("greeting");
    let account = account(&house).await;
    house.calls.keep_promises(vec![(promise_of_before(), account)]);
    house
        .until("its first line", |d| {
            matches!(d, Did::Wrote(Line::Event { kind, .. }) if kind == "queued").then_some(())
        })
        .await;
    assert_eq!(house.calls.0.figures.view().service.offered, 0);
    house.calls.stop();
    house.finished().await;
    assert_eq!(house.calls.0.figures.view().service.abandoned_in_queue, 0);
}
