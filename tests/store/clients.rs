//! Part of the contract: what clients' accounts count, whom they lose, and callers who hung up or are to be called back.

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AccountId, CallId, CallTypeId, ContactId, DraftId, OverrideId, ScheduleId, UserId};
use cordboard::domain::call::abandoned::Abandoned;
use cordboard::domain::call::cause::Cause;
use cordboard::domain::oncall::{Override, OverrideAct, Schedule};
use cordboard::domain::operator::skill::Skills;
use cordboard::io::store::Store;
use cordboard::io::store::callbacks::{Callback, CallbackEnd};
use cordboard::io::store::calls::{CallEnd, CallRecord, SEEN_TO};
use cordboard::io::store::drafts::Draft;
use cordboard::io::store::users::{HashedPassword, Role, User};
use secrecy::SecretString;

use super::NOW;

use super::contract::*;

/// The cases of this file by name.
pub fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("a_callback_is_open_until_it_has_an_end_and_keeps_that", |s| {
            Box::pin(a_callback_is_open_until_it_has_an_end_and_keeps_that(s))
        }),
        ("callbacks_that_came_to_nothing_are_listed_until_seen_to", |s| {
            Box::pin(callbacks_that_came_to_nothing_are_listed_until_seen_to(s))
        }),
        ("callers_who_hung_up_are_listed_until_seen_to", |s| Box::pin(callers_who_hung_up_are_listed_until_seen_to(s))),
        ("an_account_counts_its_editions", |s| Box::pin(an_account_counts_its_editions(s))),
        ("a_contact_goes_with_its_destinations", |s| Box::pin(a_contact_goes_with_its_destinations(s))),
        ("another_role_ends_sessions", |s| Box::pin(another_role_ends_sessions(s))),
    ]
}

async fn a_callback_is_open_until_it_has_an_end_and_keeps_that(store: Store) {
    with_account(&store).await;
    let (late, early) = (promised(CallId::named("late"), 2), promised(CallId::named("early"), 1));
    write(&store, &[&late, &early]).await;
    assert_eq!(store.list_open_callbacks().await.unwrap(), [early.clone(), late.clone()]);
    let tried = Callback { tries: 1, next_at: NOW.plus_ms(300_000), ..early.clone() };
    let end = |outcome: &str| Some(CallbackEnd { at: NOW, outcome: outcome.into(), operator: None });
    let over = Callback { end: end("reached"), ..late.clone() };
    write(&store, &[&tried, &over]).await;
    assert_eq!(store.list_open_callbacks().await.unwrap(), [tried]);
    write(&store, &[&Callback { end: end("withdrawn"), ..late.clone() }]).await;
    assert_eq!(store.find_callback(&late.call).await.unwrap(), Some(over), "the first end counts");
}

fn promised(call: CallId, since: i64) -> Callback {
    Callback {
        call,
        account: account().id,
        did: number("+12025550102"),
        number: number("+12025550150"),
        priority: 2,
        skills: [skill("spanish")].into(),
        call_type: Some(CallTypeId::named("urgent")),
        since: UtcMs(since),
        promised_at: NOW,
        tries: 0,
        next_at: NOW,
        end: None,
    }
}

async fn write(store: &Store, callbacks: &[&Callback]) {
    let mut tx = store.write().await.unwrap();
    for callback in callbacks {
        tx.upsert_callback(callback).await.unwrap();
    }
    tx.commit("test").await.unwrap();
}

async fn callers_who_hung_up_are_listed_until_seen_to(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let end =
        CallEnd { answered_at: None, ended_at: NOW, outcome: "abandoned".into(), cause: Cause::HungUp, operator: None };
    let mut tx = store.write().await.unwrap();
    for (n, kind, body) in [
        (1, "abandoned", serde_json::json!({"on": "queue"})),
        (2, "abandoned", serde_json::json!({"on": "hold"})),
        (3, "wrapped_up", serde_json::json!({"user": "usr_kim"})),
    ] {
        let call = CallRecord { end: Some(end.clone()), ..call(n) };
        tx.insert_call(&call).await.unwrap();
        tx.append_call_event(&call.id, NOW, kind, &body).await.unwrap();
    }
    // Two forms begun for one call are one caller.
    for name in ["a", "b"] {
        tx.upsert_draft(&Draft { id: DraftId::named(name), call: Some(call(3).id), ..draft("kim") }).await.unwrap();
    }
    tx.commit("test").await.unwrap();
    let list = async |on, before: Option<&CallId>, limit| {
        let found = store.list_abandoned(NOW.plus_ms(-1), on, before, limit).await.unwrap();
        found.into_iter().map(|call| (call.call, call.on, call.draft.is_some())).collect::<Vec<_>>()
    };
    let [queue, hold, form] = [
        (call(1).id, Abandoned::Queue, false),
        (call(2).id, Abandoned::Hold, false),
        (call(3).id, Abandoned::Form, true),
    ];
    assert_eq!(list(None, None, 10).await, [form.clone(), hold.clone(), queue.clone()]);
    assert_eq!(list(Some(Abandoned::Hold), None, 10).await, std::slice::from_ref(&hold));
    assert_eq!(list(Some(Abandoned::Form), None, 10).await, [form]);
    assert_eq!(list(None, Some(&call(3).id), 1).await, [hold]);
    assert_eq!(store.list_abandoned(NOW, None, None, 10).await.unwrap(), [], "longer ago");
    let all = store.list_abandoned(NOW.plus_ms(-1), None, None, 10).await.unwrap().len();
    let counted = store.count_abandoned(NOW.plus_ms(-1)).await.unwrap();
    assert_eq!((counted as usize, store.count_abandoned(NOW).await.unwrap()), (all, 0));
    let left = store.list_forms_left(call(3).started_at).await.unwrap();
    assert_eq!(left, [(account().id, call(3).started_at)], "the one form that was begun and not finished");
    let mut tx = store.write().await.unwrap();
    tx.append_call_event(&call(1).id, NOW, SEEN_TO, &serde_json::json!({})).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(list(Some(Abandoned::Queue), None, 10).await, []);
}

async fn callbacks_that_came_to_nothing_are_listed_until_seen_to(store: Store) {
    with_account(&store).await;
    let mut tx = store.write().await.unwrap();
    for n in 1..=5 {
        tx.insert_call(&call(n)).await.unwrap();
    }
    tx.commit("test").await.unwrap();
    let ended = |outcome: &str| Some(CallbackEnd { at: NOW, outcome: outcome.to_owned(), operator: None });
    let ends = [None, ended("not_reached"), ended("given_up"), ended("reached"), ended("withdrawn")];
    for (n, end) in (1..).zip(ends) {
        write(&store, &[&Callback { end, ..promised(call(n).id, i64::from(n)) }]).await;
    }
    let list = async |since| {
        let found = store.list_callbacks_to_see_to(since).await.unwrap();
        found.into_iter().map(|callback| callback.call).collect::<Vec<_>>()
    };
    assert_eq!(list(NOW.plus_ms(-1)).await, [1, 2, 3].map(|n| call(n).id));
    assert_eq!(list(NOW).await, [call(1).id], "longer ago");
    let mut tx = store.write().await.unwrap();
    tx.append_call_event(&call(2).id, NOW, SEEN_TO, &serde_json::json!({})).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(list(NOW.plus_ms(-1)).await, [1, 3].map(|n| call(n).id));
}

async fn an_account_counts_its_editions(store: Store) {
    let id = account().id;
    assert_eq!(store.find_account_edition(&id).await.unwrap(), None);
    for expected in 1..=2 {
        let mut tx = store.write().await.unwrap();
        tx.upsert_account(&account(), NOW).await.unwrap();
        tx.commit("test").await.unwrap();
        assert_eq!(store.find_account_edition(&id).await.unwrap(), Some(expected));
    }
    let before = store.accounts_edition();
    let mut tx = store.write().await.unwrap();
    let (locked, edition) = tx.lock_account(&id).await.unwrap().unwrap();
    assert_eq!((locked, edition), (account(), 2));
    tx.touch_account(&id, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_account_edition(&id).await.unwrap(), Some(3));
    assert!(store.accounts_edition() > before, "whoever remembers accounts reads this one again");
    assert_eq!(store.write().await.unwrap().lock_account(&AccountId::named("none")).await.unwrap(), None);
}

async fn a_contact_goes_with_its_destinations(store: Store) {
    let mut tx = store.write().await.unwrap();
    tx.upsert_account(&account(), NOW).await.unwrap();
    tx.upsert_contact(&contact("ben")).await.unwrap();
    tx.upsert_contact(&contact("maya")).await.unwrap();
    let entry = |from: i64, until: i64| Override {
        id: OverrideId::named("once"),
        act: OverrideAct::Only { contact: ContactId::named("ben") },
        from: NOW.plus_ms(from),
        until: NOW.plus_ms(until),
        by: "the office".into(),
        made_at: NOW,
        note: String::new(),
    };
    let schedule = Schedule {
        id: ScheduleId::named("technician"),
        account: account().id,
        role: "technician".into(),
        zone: "UTC".into(),
        layers: vec![],
        temporary: vec![],
        remind: false,
        holidays: vec![],
        overrides: vec![entry(-2_000, -1_000)],
        fallback: Some(ContactId::named("maya")),
    };
    tx.upsert_schedule(&schedule).await.unwrap();
    tx.delete_contact(&ContactId::named("ben"), NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    let left = store.list_contacts(&account().id).await.unwrap();
    assert_eq!(left.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["maya"]);
    assert!(store.list_contacts_by_phone(&number("+12025550110")).await.unwrap().iter().all(|c| c.name == "maya"));
    // Whom a schedule still names is kept by the store itself.
    let mut tx = store.write().await.unwrap();
    assert!(tx.delete_contact(&ContactId::named("maya"), NOW).await.is_err());
}

async fn another_role_ends_sessions(store: Store) {
    let hash = HashedPassword::of(SecretString::from("correct horse")).await.unwrap();
    let kim = User {
        id: UserId::named("kim"),
        login: "kim".into(),
        name: "Kim".into(),
        role: Role::Operator,
        disabled: false,
        skills: Skills::default(),
    };
    let mut tx = store.write().await.unwrap();
    tx.insert_user(&kim, &hash, NOW).await.unwrap();
    let (session, _) = tx.open_session(&kim.id, NOW).await.unwrap();
    assert_eq!(tx.list_sessions_of(&kim.id, NOW).await.unwrap(), [session.id]);
    tx.update_user(&kim.id, "Kim L", Role::Operator, NOW).await.unwrap();
    assert_eq!(tx.list_sessions_of(&kim.id, NOW).await.unwrap().len(), 1);
    tx.update_user(&kim.id, "Kim L", Role::Supervisor, NOW).await.unwrap();
    assert!(tx.list_sessions_of(&kim.id, NOW).await.unwrap().is_empty());
    tx.disable_user(&kim.id, NOW).await.unwrap();
    tx.enable_user(&kim.id).await.unwrap();
    let found = tx.find_user(&kim.id).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.role, found.disabled), ("Kim L", Role::Supervisor, false));
    tx.commit("test").await.unwrap();
}
