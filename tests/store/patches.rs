//! Part of the contract: what came in of patches, and the dispatches that it is about.

use cordboard::base::id::{AccountId, CallId, DispatchId, ProtocolId, UserId};
use cordboard::domain::account::{Account, Urgency};
use cordboard::domain::call::event::RecordEvent;
use cordboard::domain::dispatch::protocol::{Method, Protocol, Step, Until};
use cordboard::domain::dispatch::state::NewDispatch;
use cordboard::domain::message::Message;
use cordboard::io::store::Store;
use cordboard::io::store::calls::NewCallEvent;
use cordboard::io::store::inbound::{Arrival, Inbound, PATCHES, patch_name};
use serde_json::json;

use super::NOW;
use super::contract::{Case, account, call, message, with_account, with_user};

pub fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("patches_of_two_accounts", |s| Box::pin(patches_on_one_call_are_kept_for_each_account(s))),
        ("whose_call_it_is", |s| Box::pin(a_call_is_whose_it_was_changed_to_last(s))),
        ("dispatches_of_a_call", |s| Box::pin(dispatches_of_a_call_are_listed_by_account(s))),
    ]
}

fn patched(call: &CallId, account: Option<&AccountId>, nth: u32, to: &str) -> Inbound {
    Inbound {
        provider: PATCHES.into(),
        provider_msg_id: account.map_or_else(|| call.to_string(), |account| patch_name(call, account, nth)),
        received_at: NOW,
        what: Arrival::Patched { call: call.clone(), account: account.cloned(), to: to.into() },
    }
}

async fn patches_on_one_call_are_kept_for_each_account(store: Store) {
    let (one, two) = (AccountId::named("one"), AccountId::named("two"));
    let (call, before) = (call(1).id, call(2).id);
    let told = [
        patched(&call, Some(&one), 1, "Ben"),
        patched(&call, Some(&two), 1, "John"),
        patched(&call, Some(&one), 2, "Ann"),
        // As it was stored before patches were told apart by account.
        patched(&before, None, 1, "Jane"),
    ];
    for (again, new) in [(false, true), (true, false)] {
        let mut tx = store.write().await.unwrap();
        for inbound in &told {
            assert_eq!(tx.insert_inbound(inbound).await.unwrap(), new, "{again}: {}", inbound.provider_msg_id);
        }
        tx.commit("test").await.unwrap();
    }
    assert_eq!(store.list_waiting_inbound(10).await.unwrap().len(), 4);
    let to = async |call: &CallId, account: &AccountId| store.find_patched_to(call, account).await.unwrap();
    assert_eq!(to(&call, &one).await, ["Ben", "Ann"]);
    assert_eq!(to(&call, &two).await, ["John"]);
    assert!(to(&call, &AccountId::named("three")).await.is_empty());
    assert_eq!(to(&before, &two).await, ["Jane"]);
}

async fn dispatches_of_a_call_are_listed_by_account(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let other =
        Account { id: AccountId::named("other"), name: "Other".into(), dids: vec![], call_types: vec![], ..account() };
    let mut tx = store.write().await.unwrap();
    tx.upsert_account(&other, NOW).await.unwrap();
    let mine = account().id;
    for (n, account) in [(1, &mine), (2, &other.id), (3, &mine)] {
        let (message, dispatch) = taken(n, account);
        tx.insert_message(&message).await.unwrap();
        tx.open_dispatch(dispatch, NOW).await.unwrap();
    }
    tx.commit("test").await.unwrap();
    let id = |n: u32| DispatchId::named(&format!("{n:03}"));
    let call = call(1).id;
    let listed = async |account: Option<&AccountId>| store.list_dispatches_of_call(&call, account).await.unwrap();
    assert_eq!(listed(None).await, [id(1), id(2), id(3)]);
    assert_eq!(listed(Some(&mine)).await, [id(1), id(3)]);
    assert_eq!(listed(Some(&other.id)).await, [id(2)]);
    assert_eq!(listed(Some(&AccountId::named("nobody"))).await, []);
}

fn taken(n: u32, account: &AccountId) -> (Message, NewDispatch) {
    let message = message(n);
    let protocol = Protocol {
        id: ProtocolId::named("held"),
        account: account.clone(),
        name: "held".into(),
        version: 1,
        steps: vec![Step::new(Method::HoldForCheckIn { until: None }, vec![], 0)],
        repeat: None,
        until: Until::HandedOver,
    };
    let dispatch = NewDispatch {
        id: DispatchId::named(&format!("{n:03}")),
        message: message.id.clone(),
        account: account.clone(),
        urgency: Urgency::Routine,
        protocol,
        undo_secs: 0,
        on_call: None,
        patched_to: Vec::new(),
    };
    (message, dispatch)
}

async fn a_call_is_whose_it_was_changed_to_last(store: Store) {
    with_account(&store).await;
    let call = call(1);
    let mut tx = store.write().await.unwrap();
    tx.insert_call(&call).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_account_of_call(&call.id).await.unwrap(), None);
    for (from, to) in [("one", "two"), ("two", "three")] {
        let (user, from, to) = (UserId::named("kim"), AccountId::named(from), AccountId::named(to));
        let event = serde_json::to_value(RecordEvent::AccountChanged { user, from, to }).unwrap();
        let body = json!({ "user": event["user"], "from": event["from"], "to": event["to"] });
        let mut tx = store.write().await.unwrap();
        let kind = event["kind"].as_str().unwrap();
        tx.append_call_events(&[NewCallEvent { call: &call.id, at: NOW, kind, body: &body }]).await.unwrap();
        tx.commit("test").await.unwrap();
    }
    assert_eq!(store.find_account_of_call(&call.id).await.unwrap(), Some(AccountId::named("three")));
}
