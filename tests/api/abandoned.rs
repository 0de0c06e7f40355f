//! Callers who hung up too early: listed by kind with what was begun, rung back, seen to.

use axum::http::{Method, StatusCode};
use cordboard::base::id::{AccountId, CallId, UserId};
use cordboard::domain::call::cause::Cause;
use cordboard::domain::ivr::digits::{Entered, SaidBack};
use cordboard::io::store::callbacks::{Callback, CallbackEnd};
use cordboard::io::store::calls::{CallEnd, CallRecord, Direction, SEEN_TO};
use serde_json::{Value, json};

use crate::support::{House, START, Told, number};

async fn keep(house: &House, callback: &Callback) {
    let mut tx = house.store.write().await.expect("a transaction");
    tx.upsert_callback(callback).await.expect("a callback");
    tx.commit("test").await.expect("written");
}

/// A call that ended, with its events after it.
async fn call(house: &House, name: &str, caller: Option<&str>, events: &[(&str, Value)]) {
    let end = CallEnd {
        answered_at: None,
        ended_at: START.plus_ms(-50_000),
        outcome: "abandoned".into(),
        cause: Cause::HungUp,
        operator: Some(UserId::named("lee")),
    };
    let record = CallRecord {
        id: CallId::named(name),
        account: AccountId::named("plumbing"),
        direction: Direction::In,
        trunk: "test".into(),
        did: Some(number("+12025550102")),
        remote: caller.map(number),
        forwarded_from: None,
        started_at: START.plus_ms(-90_000),
        end: Some(end),
    };
    let mut tx = house.store.write().await.expect("a transaction");
    tx.insert_call(&record).await.expect("a call");
    for (kind, body) in events {
        tx.append_call_event(&record.id, START, kind, body).await.expect("an event");
    }
    tx.commit("test").await.expect("written");
}

async fn kinds(house: &House, which: &str, token: &str) -> Vec<(String, String)> {
    let got = house.fetch(&format!("/api/v1/calls?abandoned={which}"), token).await;
    assert_eq!(got.status, StatusCode::OK);
    let text = |item: &Value, key: &str| item[key].as_str().expect(key).to_owned();
    got.json()["items"].as_array().expect("items").iter().map(|i| (text(i, "call"), text(i, "kind"))).collect()
}

#[tokio::test]
async fn each_kind_is_listed_for_itself_until_somebody_has_seen_to_it() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let on = |kind: &str| ("abandoned", json!({ "on": kind }));
    call(&house, "11", Some("+12025550149"), &[on("no_operator")]).await;
    call(&house, "1", Some("+12025550150"), &[on("greeting")]).await;
    call(&house, "2", Some("+12025550151"), &[on("queue")]).await;
    call(&house, "3", Some("+12025550152"), &[on("hold")]).await;
    call(&house, "4", Some("+12025550153"), &[on("queue"), (SEEN_TO, json!({}))]).await;
    call(&house, "5", Some("+12025550154"), &[("talking", json!({"user": "usr_lee"})), ("wrapped_up", json!({}))])
        .await;
    call(&house, "6", Some("+12025550155"), &[("talking", json!({"user": "usr_lee"}))]).await;
    // Lee began a form in each of the last two; in the second she is still at it.
    let lee = house.sign_in("lee").await;
    for name in ["5", "6"] {
        let body = json!({"account": "acc_plumbing", "call": format!("call_{name}"), "answers": {"name": "Pat"}});
        let saved = house.ask(Method::PUT, &format!("/api/v1/drafts/drf_{name}"), &lee, body).await;
        assert_eq!(saved.status, StatusCode::OK);
    }
    let of = |call: &str, kind: &str| (format!("call_{call}"), kind.to_owned());
    assert_eq!(kinds(&house, "greeting", &kim).await, [of("1", "greeting")]);
    assert_eq!(kinds(&house, "queue", &kim).await, [of("2", "queue")]);
    assert_eq!(kinds(&house, "no_operator", &kim).await, [of("11", "no_operator")]);
    assert_eq!(kinds(&house, "hold", &kim).await, [of("3", "hold")]);
    assert_eq!(kinds(&house, "parked", &kim).await, []);
    assert_eq!(kinds(&house, "form", &kim).await, [of("5", "form")]);
    let all = [of("5", "form"), of("3", "hold"), of("2", "queue"), of("11", "no_operator"), of("1", "greeting")];
    assert_eq!(kinds(&house, "any", &kim).await, all);
    let form = house.fetch("/api/v1/calls?abandoned=form", &kim).await.json()["items"][0].clone();
    assert_eq!((&form["draft"]["answers"], &form["draft"]["owner"]["name"]), (&json!({"name": "Pat"}), &json!("LEE")));
    assert_eq!((&form["caller"], &form["account"]["name"]), (&json!("+12025550154"), &json!("Imaginary Plumbing")));
    let first = house.fetch("/api/v1/calls?abandoned=any&limit=3", &kim).await.json();
    assert_eq!(first["next"], "call_2");
    let rest = house.fetch("/api/v1/calls?abandoned=any&limit=3&cursor=call_2", &kim).await.json();
    let left: Vec<_> = rest["items"].as_array().expect("items").iter().map(|item| item["call"].clone()).collect();
    assert_eq!((left, &rest["next"]), (vec![json!("call_11"), json!("call_1")], &Value::Null));
    assert_eq!(house.fetch("/api/v1/calls?abandoned=bored", &kim).await.problem(), "query.invalid");
    let seen = house.ask(Method::POST, "/api/v1/calls/call_2/seen_to", &kim, Value::Null).await;
    assert_eq!(seen.status, StatusCode::NO_CONTENT);
    assert_eq!(Told::so_far(&house.told.seen_to), [CallId::named("2")]);
    let nobody = house.ask(Method::POST, "/api/v1/calls/call_9/seen_to", &kim, Value::Null).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_caller_who_is_still_on_the_line_is_not_seen_to() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let up = CallRecord {
        id: CallId::named("up"),
        account: AccountId::named("plumbing"),
        direction: Direction::In,
        trunk: "test".into(),
        did: Some(number("+12025550102")),
        remote: Some(number("+12025550150")),
        forwarded_from: None,
        started_at: START,
        end: None,
    };
    let mut tx = house.store.write().await.expect("a transaction");
    tx.insert_call(&up).await.expect("a call");
    tx.commit("test").await.expect("written");
    let seen = house.ask(Method::POST, "/api/v1/calls/call_up/seen_to", &kim, Value::Null).await;
    assert_eq!((seen.status, seen.json()["detail"].clone()), (StatusCode::CONFLICT, json!("The call is not over.")));
    assert_eq!(Told::so_far(&house.told.seen_to), []);
}

#[tokio::test]
async fn a_caller_is_rung_back_at_the_number_they_called_from_and_not_twice() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let queue = [("abandoned", json!({"on": "queue"}))];
    call(&house, "1", Some("+12025550150"), &queue).await;
    call(&house, "2", None, &queue).await;
    let ring =
        async |call: &str| house.ask(Method::POST, &format!("/api/v1/calls/{call}/ring_back"), &kim, Value::Null).await;
    assert_eq!(ring("call_1").await.status, StatusCode::ACCEPTED);
    let told = Told::so_far(&house.told.rung_back);
    let [(callback, by)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((callback.number.as_e164(), by), ("+12025550150", &UserId::named("kim")));
    assert_eq!((callback.did.as_e164(), callback.since), ("+12025550102", START.plus_ms(-50_000)));
    assert_eq!(ring("call_2").await.json()["detail"], "The caller withheld their number.");
    assert_eq!(ring("call_9").await.status, StatusCode::NOT_FOUND);
    keep(&house, callback).await;
    let list = house.fetch("/api/v1/calls?abandoned=any", &kim).await.json();
    assert_eq!((&list["items"][1]["call"], &list["items"][1]["ring_back"]), (&json!("call_1"), &json!(true)));
}

#[tokio::test]
async fn who_was_rung_in_vain_shows_the_next_try_and_is_rung_now_or_given_up() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    call(&house, "1", Some("+12025550150"), &[("abandoned", json!({"on": "queue"}))]).await;
    let act = async |method: Method, path: &str| {
        let asked = house.ask(method, &format!("/api/v1/calls/call_1/{path}"), &kim, Value::Null).await;
        asked.status
    };
    assert_eq!(act(Method::DELETE, "ring_back").await, StatusCode::NOT_FOUND, "nobody was to ring");
    assert_eq!(act(Method::POST, "ring_back").await, StatusCode::ACCEPTED);
    let (first, _) = Told::so_far(&house.told.rung_back).remove(0);
    let waits = Callback { tries: 1, next_at: START.plus_ms(300_000), ..first };
    keep(&house, &waits).await;
    let tries = async || house.fetch("/api/v1/calls?abandoned=any", &kim).await.json()["items"][0]["tries"].clone();
    let later = json!({"made": 1, "most": 3, "next_at": START.plus_ms(300_000), "next": "later", "reason": null});
    assert_eq!(tries().await, later);
    // Their time has come: no time is told that is over.
    keep(&house, &Callback { next_at: START.plus_ms(-1_000), ..waits.clone() }).await;
    let when_free = json!({"made": 1, "most": 3, "next_at": null, "next": "when_free",
        "reason": "as soon as an operator is free"});
    assert_eq!(tries().await, when_free);
    assert_eq!(house.fetch("/api/v1/callbacks", &kim).await.json()["items"][0]["tries"], when_free);
    keep(&house, &waits).await;
    assert_eq!(act(Method::POST, "seen_to").await, StatusCode::CONFLICT);
    assert_eq!(act(Method::POST, "ring_back").await, StatusCode::ACCEPTED);
    let by_kim = (CallId::named("1"), UserId::named("kim"));
    assert_eq!(Told::so_far(&house.told.rung_now), std::slice::from_ref(&by_kim));
    assert_eq!(act(Method::DELETE, "ring_back").await, StatusCode::NO_CONTENT);
    assert_eq!(Told::so_far(&house.told.given_up), [by_kim]);
    let end = CallbackEnd { at: START, outcome: "given_up".into(), operator: None };
    keep(&house, &Callback { end: Some(end), ..waits }).await;
    let never = json!({"made": 1, "most": 3, "next_at": null, "next": "never", "reason": "nobody rings them any more"});
    assert_eq!(tries().await, never);
    assert_eq!(act(Method::DELETE, "ring_back").await, StatusCode::CONFLICT);
    let list = house.fetch("/api/v1/callbacks", &kim).await.json();
    let [item] = list["items"].as_array().expect("items").as_slice() else { panic!("{list}") };
    assert_eq!((&item["call"], &item["tries"]), (&json!("call_1"), &never));
    assert_eq!((&item["number"], &item["account"]["id"]), (&json!("+12025550150"), &json!("acc_plumbing")));
    assert_eq!(act(Method::POST, "seen_to").await, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn who_rings_somebody_back_knows_how_often_they_called_today_and_opens_the_form_that_was_begun() {
    let house = House::new().await;
    let (kim, lee) = (house.sign_in("kim").await, house.sign_in("lee").await);
    call(&house, "1", Some("+12025550150"), &[("abandoned", json!({"on": "queue"}))]).await;
    call(&house, "2", Some("+12025550150"), &[("talking", json!({"user": "usr_lee"})), ("wrapped_up", json!({}))])
        .await;
    let body = json!({"account": "acc_plumbing", "call": "call_2", "answers": {"name": "Pat"}});
    house.ask(Method::PUT, "/api/v1/drafts/drf_2", &lee, body).await;
    let found = house.fetch("/api/v1/calls?abandoned=form", &kim).await.json()["items"][0].clone();
    assert_eq!((&found["calls_today"], &found["earlier"]), (&json!(2), &json!(0)));

    // Lee has the form as long as the call is up, its wrap-up too.
    let mut up = crate::support::call_of("lee");
    up.id = CallId::named("2");
    house.told.up.lock().expect("nobody panicked").push(up);
    let take = async || house.ask(Method::POST, "/api/v1/drafts/drf_2/take", &kim, Value::Null).await;
    let refused = take().await;
    assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::CONFLICT, "draft.in_use"));
    house.told.up.lock().expect("nobody panicked").clear();
    for _ in 0..2 {
        let taken = take().await;
        assert_eq!((taken.status, &taken.json()["answers"]), (StatusCode::OK, &json!({"name": "Pat"})));
    }
    assert_eq!(house.fetch("/api/v1/drafts", &lee).await.json()["items"], json!([]));
    assert_eq!(house.fetch("/api/v1/drafts", &kim).await.json()["items"][0]["id"], "drf_2");
    let gone = house.ask(Method::POST, "/api/v1/drafts/drf_9/take", &kim, Value::Null).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_caller_who_hung_up_while_being_put_through_is_listed_with_what_they_chose_and_who_was_rung() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let on_the_way = [
        ("menu_chosen", json!({"choice": "emergency"})),
        ("patch_sought", json!({})),
        ("patch_dialled", json!({"contact": "con_ben", "number": "+12025550121"})),
        ("caller_gone", json!({"stage": "reaching", "why": "hung_up"})),
        ("abandoned", json!({"on": "put_through"})),
    ];
    call(&house, "1", Some("+12025550150"), &on_the_way).await;
    call(&house, "2", Some("+12025550151"), &[("abandoned", json!({"on": "queue"}))]).await;
    assert_eq!(kinds(&house, "put_through", &kim).await, [("call_1".to_owned(), "put_through".to_owned())]);
    assert_eq!(kinds(&house, "queue", &kim).await, [("call_2".to_owned(), "queue".to_owned())]);
    let got = house.fetch("/api/v1/calls?abandoned=any", &kim).await.json();
    let of = |n: usize| {
        let item = &got["items"][n];
        (item["chosen"].clone(), item["rung"].clone(), item["put_through"].clone())
    };
    assert_eq!(of(1), (json!(["emergency"]), json!(["Ben Ortiz"]), json!(true)));
    assert_eq!(of(0), (json!([]), json!([]), json!(false)));
}

#[tokio::test]
async fn what_a_caller_entered_before_they_hung_up_is_listed_and_who_reads_it_is_on_the_log() {
    let house = House::new().await;
    let (kim, sam) = (house.sign_in("kim").await, house.sign_in("sam").await);
    call(&house, "1", Some("+12025550150"), &[("abandoned", json!({ "on": "queue" }))]).await;
    call(&house, "2", Some("+12025550151"), &[("abandoned", json!({ "on": "queue" }))]).await;
    let entered = |digits: &str, said_back| Entered {
        label: "policy number".into(),
        field: None,
        digits: digits.to_owned().into(),
        said_back,
    };
    let id = CallId::named("1");
    let mut tx = house.store.write().await.expect("a transaction");
    for (digits, said_back) in [("00417", SaidBack::Unanswered), ("00471", SaidBack::Confirmed)] {
        tx.insert_digits(&id, START, &entered(digits, said_back)).await.expect("kept");
    }
    tx.commit("test").await.expect("written");
    let events = house.store.list_call_events(&id).await.expect("events");
    let kept: Vec<_> = events.iter().filter(|event| event.kind == "digits_entered").collect();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|event| !event.body.to_string().contains("004")), "sealed");
    let got = house.fetch("/api/v1/calls?abandoned=queue", &kim).await.json();
    let of = |n: usize| got["items"][n]["entered"].clone();
    let last = json!([{"label": "policy number", "field": null, "digits": "00471", "said_back": "confirmed"}]);
    assert_eq!((of(1), of(0)), (last, json!([])), "as it was entered last");
    let log = house.fetch("/api/v1/audit?object=call_1", &sam).await.json();
    let acts: Vec<_> = log["items"].as_array().expect("rows").iter().map(|row| row["act"].clone()).collect();
    assert_eq!(acts, [json!("call.digits_read")]);
}
