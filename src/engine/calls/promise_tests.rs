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
    assert!(alarms.len() == 1 && alarms[0].text.contains("+12025550150"), "{alarms:?}");
}
