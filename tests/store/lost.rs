//! Part of the contract: callers who were lost, and forms that nobody finished, as a start finds them.

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{CallId, DraftId};
use cordboard::domain::call::abandoned::{Abandoned, LATELY_MS};
use cordboard::domain::call::cause::Cause;
use cordboard::io::store::callbacks::{Callback, CallbackEnd};
use cordboard::io::store::calls::{CallEnd, CallRecord, SEEN_TO};
use cordboard::io::store::drafts::Draft;
use cordboard::io::store::{Store, StoreError};
use serde_json::json;

use super::NOW;

use super::contract::*;

/// The cases of this file by name.
pub fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("a_form_that_was_begun_is_known_until_the_wrap_up_of_its_call", |s| {
            Box::pin(a_form_that_was_begun_is_known_until_the_wrap_up_of_its_call(s))
        }),
        ("a_caller_who_hung_up_is_listed_once_though_the_record_says_it_twice", |s| {
            Box::pin(a_caller_who_hung_up_is_listed_once_though_the_record_says_it_twice(s))
        }),
        ("a_start_finds_lost_callers_of_days_ago_but_those_who_are_being_rung_back", |s| {
            Box::pin(a_start_finds_lost_callers_of_days_ago_but_those_who_are_being_rung_back(s))
        }),
        ("callers_whom_we_cut_off_are_listed_until_seen_to", |s| {
            Box::pin(callers_whom_we_cut_off_are_listed_until_seen_to(s))
        }),
        ("who_was_joined_with_another_call_and_cut_off_is_listed_and_found_by_a_start_until_seen_to", |s| {
            Box::pin(who_was_joined_with_another_call_and_cut_off_is_listed_and_found_by_a_start_until_seen_to(s))
        }),
        ("the_last_words_in_a_form_come_after_it_until_it_is_saved_by_whoever_has_it", |s| {
            Box::pin(the_last_words_in_a_form_come_after_it_until_it_is_saved_by_whoever_has_it(s))
        }),
        ("a_caller_who_was_not_reached_is_rung_back_a_second_time", |s| {
            Box::pin(a_caller_who_was_not_reached_is_rung_back_a_second_time(s))
        }),
    ]
}

fn ended(n: u32, at: UtcMs, outcome: &str) -> CallRecord {
    let end =
        CallEnd { answered_at: None, ended_at: at, outcome: outcome.into(), cause: Cause::HungUp, operator: None };
    let started_at = at.plus_ms(-60_000);
    CallRecord { id: CallId::fresh(started_at), started_at, end: Some(end), ..call(n) }
}

async fn a_form_that_was_begun_is_known_until_the_wrap_up_of_its_call(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let (up, left, done) = (call(1), ended(2, NOW, "taken"), ended(3, NOW, "taken"));
    let mut tx = store.write().await.unwrap();
    for (n, call) in [&up, &left, &done].into_iter().enumerate() {
        tx.insert_call(call).await.unwrap();
        // Two forms of one call are one.
        for twin in ["a", "b"] {
            let id = DraftId::named(&format!("{n}{twin}"));
            tx.upsert_draft(&Draft { id, call: Some(call.id.clone()), ..draft("kim") }).await.unwrap();
        }
    }
    tx.append_call_event(&done.id, NOW, "wrapped_up", &json!({})).await.unwrap();
    tx.commit("test").await.unwrap();
    let mut expected = [up, left].map(|call| (call.id, user("kim").id));
    expected.sort();
    assert_eq!(store.list_forms_begun().await.unwrap(), expected);
}

async fn the_last_words_in_a_form_come_after_it_until_it_is_saved_by_whoever_has_it(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    with_user(&store, "lee").await;
    let mut tx = store.write().await.unwrap();
    let of_call = Draft { id: DraftId::named("two"), call: Some(CallId::named("moved")), ..draft("kim") };
    tx.upsert_draft(&of_call).await.unwrap();
    let late = Draft { saved_at: NOW.plus_secs(20), answers: Default::default(), ..of_call.clone() };
    assert!(matches!(
        tx.upsert_draft(&Draft { owner: user("lee").id, ..late.clone() }).await,
        Err(StoreError::Missing { .. })
    ));
    let lees = tx.adopt_draft(&CallId::named("moved"), &user("lee").id, NOW).await.unwrap();
    assert_eq!(lees, Some(Draft { owner: user("lee").id, ..of_call.clone() }));
    assert!(matches!(tx.upsert_draft(&late).await, Err(StoreError::Missing { .. })), "she saves no message by it");
    assert!(!tx.settle_draft(&late.id, &late.owner, &message(1).id).await.unwrap());
    assert!(tx.take_late(&late).await.unwrap());
    let now_hers = Draft { owner: user("lee").id, ..late.clone() };
    assert_eq!(tx.find_draft(&of_call.id).await.unwrap(), Some(now_hers.clone()));
    tx.upsert_draft(&now_hers).await.unwrap();
    assert!(!tx.take_late(&late).await.unwrap(), "she has saved it");
    assert!(tx.delete_draft(&of_call.id, &user("lee").id).await.unwrap());
    tx.commit("test").await.unwrap();
}

async fn a_caller_who_hung_up_is_listed_once_though_the_record_says_it_twice(store: Store) {
    with_account(&store).await;
    let (one, other) = (ended(1, NOW, "abandoned"), ended(3, NOW.plus_ms(1), "abandoned"));
    let mut tx = store.write().await.unwrap();
    for call in [&one, &other] {
        tx.insert_call(call).await.unwrap();
        for _ in 0..2 {
            tx.append_call_event(&call.id, NOW, "abandoned", &json!({"on": "queue"})).await.unwrap();
        }
    }
    tx.commit("test").await.unwrap();
    for which in [None, Some(Abandoned::Queue)] {
        let found = store.list_abandoned(NOW.plus_ms(-1), which, None, 10).await.unwrap();
        assert_eq!(found.into_iter().map(|call| call.call).collect::<Vec<_>>(), [other.id.clone(), one.id.clone()]);
    }
}

async fn a_start_finds_lost_callers_of_days_ago_but_those_who_are_being_rung_back(store: Store) {
    with_account(&store).await;
    let since = NOW.plus_ms(-LATELY_MS);
    let (lost, rung, in_vain) =
        (ended(1, since.plus_ms(1), "cut_off"), ended(3, NOW, "fault"), ended(4, NOW.plus_ms(1), "cut_off"));
    let (gone, seen) = (ended(5, since, "cut_off"), ended(6, NOW, "cut_off"));
    let back = |call: &CallRecord, end: Option<CallbackEnd>| Callback {
        call: call.id.clone(),
        account: account().id,
        did: number("+12025550102"),
        number: number("+12025550150"),
        priority: 0,
        skills: Default::default(),
        call_type: None,
        since: NOW,
        promised_at: NOW,
        tries: 0,
        next_at: NOW,
        end,
    };
    let mut tx = store.write().await.unwrap();
    for call in [&lost, &rung, &in_vain, &gone, &seen] {
        tx.insert_call(call).await.unwrap();
    }
    tx.append_call_event(&seen.id, NOW, SEEN_TO, &json!({})).await.unwrap();
    tx.upsert_callback(&back(&rung, None)).await.unwrap();
    let end = CallbackEnd { at: NOW, outcome: "not_reached".into(), operator: None };
    tx.upsert_callback(&back(&in_vain, Some(end))).await.unwrap();
    tx.commit("test").await.unwrap();
    let found: Vec<_> = store.list_calls_to_ring_back(since).await.unwrap().into_iter().map(|call| call.id).collect();
    assert_eq!(found, [lost.id, in_vain.id]);
}

async fn callers_whom_we_cut_off_are_listed_until_seen_to(store: Store) {
    with_account(&store).await;
    let (cut_off, fault, taken) =
        (ended(1, NOW, "cut_off"), ended(3, NOW.plus_ms(1), "fault"), ended(4, NOW.plus_ms(2), "taken"));
    let mut tx = store.write().await.unwrap();
    for call in [&cut_off, &fault, &taken] {
        tx.insert_call(call).await.unwrap();
    }
    tx.commit("test").await.unwrap();
    let list = async |which| {
        let found = store.list_abandoned(NOW.plus_ms(-1), which, None, 10).await.unwrap();
        found.into_iter().map(|call| (call.call, call.on)).collect::<Vec<_>>()
    };
    let [first, second] = [&fault, &cut_off].map(|call| (call.id.clone(), Abandoned::CutOff));
    assert_eq!(list(None).await, [first.clone(), second.clone()]);
    assert_eq!(list(Some(Abandoned::CutOff)).await, [first.clone(), second]);
    assert_eq!(list(Some(Abandoned::Queue)).await, []);
    let mut tx = store.write().await.unwrap();
    tx.append_call_event(&cut_off.id, NOW, SEEN_TO, &json!({})).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(list(None).await, [first]);
}

async fn who_was_joined_with_another_call_and_cut_off_is_listed_and_found_by_a_start_until_seen_to(store: Store) {
    with_account(&store).await;
    let (joined, held) = (ended(1, NOW, "taken"), ended(3, NOW.plus_ms(1), "taken"));
    let mut tx = store.write().await.unwrap();
    for call in [&joined, &held] {
        tx.insert_call(call).await.unwrap();
    }
    tx.append_call_event(&joined.id, NOW.plus_ms(2), "abandoned", &json!({"on": "cut_off"})).await.unwrap();
    tx.append_call_event(&held.id, NOW, "abandoned", &json!({"on": "hold"})).await.unwrap();
    tx.commit("test").await.unwrap();
    let since = NOW.plus_ms(-1);
    let known = async || {
        let listed = store.list_abandoned(since, Some(Abandoned::CutOff), None, 10).await.unwrap();
        let found = store.list_joined_calls_to_ring_back(since).await.unwrap();
        let listed = listed.into_iter().map(|call| call.call).collect::<Vec<_>>();
        (listed, found.into_iter().map(|call| call.id).collect::<Vec<_>>())
    };
    assert_eq!(known().await, (vec![joined.id.clone()], vec![joined.id.clone()]));
    assert_eq!(store.list_joined_calls_to_ring_back(NOW).await.unwrap(), [], "longer ago");
    assert_eq!(store.list_calls_to_ring_back(since).await.unwrap(), [], "told of by the other");
    let mut tx = store.write().await.unwrap();
    tx.append_call_event(&joined.id, NOW, SEEN_TO, &json!({})).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(known().await, (vec![], vec![]));
}

async fn a_caller_who_was_not_reached_is_rung_back_a_second_time(store: Store) {
    with_account(&store).await;
    let call = ended(1, NOW, "abandoned");
    let end = |outcome: &str| Some(CallbackEnd { at: NOW, outcome: outcome.into(), operator: None });
    let first = Callback {
        call: call.id.clone(),
        account: account().id,
        did: number("+12025550102"),
        number: number("+12025550150"),
        priority: 0,
        skills: Default::default(),
        call_type: None,
        since: NOW,
        promised_at: NOW,
        tries: 3,
        next_at: NOW,
        end: end("not_reached"),
    };
    let anew = Callback { promised_at: NOW.plus_ms(1), tries: 0, end: None, ..first.clone() };
    let over = Callback { end: end("reached"), ..anew.clone() };
    // What is over stays so, but for a promise that came later.
    for (written, kept) in [(&first, &first), (&anew, &anew), (&over, &over), (&anew, &over), (&first, &over)] {
        let mut tx = store.write().await.unwrap();
        tx.insert_call(&call).await.unwrap();
        tx.upsert_callback(written).await.unwrap();
        tx.commit("test").await.unwrap();
        assert_eq!(store.find_callback(&call.id).await.unwrap().as_ref(), Some(kept));
        let open = store.list_open_callbacks().await.unwrap();
        assert_eq!(open.is_empty(), kept.end.is_some());
    }
}
