//! Messages: saved once, with all faults told, listed by pages, taken back.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::id::{AccountId, CallId};
use cordboard::io::store::calls::{CallRecord, Direction};
use serde_json::{Value, json};

use crate::peers::postgres::Postgres;
use crate::support::{Got, House, START, Told, message_body, request};

const PATH: &str = "/api/v1/messages";

async fn save(house: &House, token: &str, key: &str, body: Value) -> Got {
    let mut request = request(Method::POST, PATH, token, &body);
    if !key.is_empty() {
        request.headers_mut().insert("idempotency-key", key.parse().expect("a header value"));
    }
    house.send(request).await
}

#[tokio::test]
async fn a_message_is_saved_and_shown_with_its_normalised_answers() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let got = save(&house, &token, "", message_body()).await;
    assert_eq!(got.status, StatusCode::CREATED, "{:?}", got.json());
    let message = got.json();
    assert_eq!(message["answers"]["phone"], "+12025550188");
    assert_eq!(message["account"]["name"], "Imaginary Plumbing");
    assert_eq!(message["call_type"]["name"], "urgent");
    assert_eq!(message["taken_by"]["name"], "KIM");
    assert_eq!(message["urgency"], "urgent");
    let id = message["id"].as_str().expect("an id");
    assert_eq!(house.fetch(&format!("{PATH}/{id}"), &token).await.json(), message);
    let listed = house.fetch("/api/v1/accounts/acc_plumbing/messages?caller=%2B12025550188", &token).await.json();
    assert_eq!(listed["items"][0]["id"], id);
    let none = house.fetch("/api/v1/accounts/acc_plumbing/messages?caller=2025550199", &token).await.json();
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn all_faults_of_a_form_are_told_at_once() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let mut body = message_body();
    body["answers"] = json!({"phone": "5550188", "when": "Never", "shoe size": "44"});
    body["caller"] = json!("call me");
    let got = save(&house, &token, "", body).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "message.invalid"));
    let errors = got.json()["errors"].clone();
    let mut found: Vec<_> =
        errors.as_array().expect("errors").iter().map(|e| (e["field"].as_str(), e["code"].as_str())).collect();
    found.sort_unstable();
    let expected = [
        ("caller", "phone"),
        ("name", "required"),
        ("phone", "phone"),
        ("problem", "required"),
        ("shoe size", "unknown_field"),
        ("when", "choice"),
    ];
    assert_eq!(found, expected.map(|(field, code)| (Some(field), Some(code))));
    assert_eq!(house.fetch(PATH, &token).await.json()["items"], json!([]), "nothing is saved");
}

#[tokio::test]
async fn an_unknown_account_or_call_type_is_told_by_field() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    for (name, value) in [("account", "acc_nobody"), ("call_type", "ct_nothing")] {
        let mut body = message_body();
        body[name] = json!(value);
        let got = save(&house, &token, "", body).await;
        assert_eq!(got.problem(), "message.invalid");
        assert_eq!(got.json()["errors"][0]["field"], name);
    }
}

#[tokio::test]
async fn a_call_is_believed_only_if_it_is_the_accounts_own() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let mut other = house.store.find_account(&AccountId::named("plumbing")).await.unwrap().expect("the account");
    other.id = AccountId::named("other");
    other.name = "Other".into();
    other.dids.clear();
    other.call_types.clear();
    let mut tx = house.store.write().await.unwrap();
    tx.upsert_account(&other, START).await.unwrap();
    for (name, account) in [("ours", "plumbing"), ("theirs", "other")] {
        tx.insert_call(&CallRecord {
            id: CallId::named(name),
            account: AccountId::named(account),
            direction: Direction::In,
            trunk: "carrier".into(),
            did: None,
            remote: None,
            forwarded_from: None,
            started_at: START,
            end: None,
        })
        .await
        .unwrap();
    }
    tx.commit("test").await.unwrap();
    for call in ["call_theirs", "call_nobodys"] {
        let mut body = message_body();
        body["call"] = json!(call);
        let got = save(&house, &token, "key", body).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "message.invalid"));
        assert_eq!(got.json()["errors"][0]["field"], "call");
    }
    let mut body = message_body();
    body["call"] = json!("call_ours");
    let got = save(&house, &token, "key", body).await;
    assert_eq!(got.status, StatusCode::CREATED, "what was refused has not used the key up: {:?}", got.json());
    assert_eq!(got.json()["call"], "call_ours");
}

#[tokio::test]
async fn the_same_key_saves_once_and_another_body_under_it_is_refused() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let first = save(&house, &token, "one", message_body()).await;
    let again = save(&house, &token, "one", message_body()).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let mut other = message_body();
    other["answers"]["problem"] = json!("Something else");
    assert_eq!(save(&house, &token, "one", other).await.problem(), "idempotency.reused");
    let lee = house.sign_in("lee").await;
    assert_ne!(save(&house, &lee, "one", message_body()).await.json()["id"], first.json()["id"], "keys are per user");
    assert_eq!(save(&house, &token, "two words", message_body()).await.problem(), "idempotency.key_invalid");
    assert_eq!(house.fetch(PATH, &token).await.json()["items"].as_array().map(Vec::len), Some(2));
}

/// The same request twice at once, often enough that one comes between the other's look and its write.
async fn two_at_once_save_once(house: &House) {
    let token = house.sign_in("kim").await;
    for round in 0..20 {
        let key = format!("key-{round}");
        let (a, b) =
            tokio::join!(save(house, &token, &key, message_body()), save(house, &token, &key, message_body()),);
        assert_eq!((a.status, b.status), (StatusCode::CREATED, StatusCode::CREATED), "{:?} {:?}", a.json(), b.json());
        assert_eq!(a.json()["id"], b.json()["id"]);
        let replayed = [&a, &b].map(|got| got.headers.contains_key("idempotency-replayed"));
        assert!(replayed.contains(&true) && replayed.contains(&false), "{replayed:?}");
    }
    let page = house.fetch(&format!("{PATH}?limit=100"), &token).await.json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(20));
}

#[tokio::test]
async fn two_equal_requests_at_once_save_once_on_sqlite() {
    two_at_once_save_once(&House::new().await).await;
}

#[tokio::test]
async fn two_equal_requests_at_once_save_once_on_postgresql() {
    let Some(server) = Postgres::start("equal requests at once on PostgreSQL") else { return };
    two_at_once_save_once(&House::on(Some(server.create_database())).await).await;
}

#[tokio::test]
async fn lists_come_in_pages_without_gap_or_overlap() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let mut saved = Vec::new();
    for _ in 0..5 {
        house.clock.advance(Duration::from_secs(1));
        saved.push(save(&house, &token, "", message_body()).await.json()["id"].clone());
    }
    saved.reverse();
    let mut found = Vec::new();
    let mut path = format!("{PATH}?limit=2");
    for _ in 0..4 {
        let page = house.fetch(&path, &token).await.json();
        found.extend(page["items"].as_array().expect("items").iter().map(|m| m["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{PATH}?limit=2&cursor={next}");
    }
    assert_eq!(found, saved);
    assert_eq!(house.fetch(&format!("{PATH}?cursor=nonsense"), &token).await.problem(), "query.invalid");
}

#[tokio::test]
async fn a_draft_goes_with_its_message_and_is_back_when_it_is_taken_back() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let draft = json!({"account": "acc_plumbing", "answers": {"name": "Pat"}});
    house.ask(Method::PUT, "/api/v1/drafts/drf_1", &token, draft).await;
    let mut body = message_body();
    body["draft"] = json!("drf_1");
    let id = save(&house, &token, "", body.clone()).await.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(house.fetch("/api/v1/drafts", &token).await.json()["items"], json!([]));
    assert_eq!(save(&house, &token, "", body).await.problem(), "draft.settled", "saved twice without a key");

    let undo = format!("{PATH}/{id}/undo");
    let got = house.ask(Method::POST, &undo, &token, Value::Null).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    let drafts = house.fetch("/api/v1/drafts", &token).await.json();
    assert_eq!(drafts["items"][0]["id"], "drf_1");
    assert_eq!(drafts["items"][0]["answers"]["problem"], "Burst pipe in the cellar", "as it was when it was saved");
    assert_eq!(house.fetch(PATH, &token).await.json()["items"], json!([]));
    house.advance(Duration::from_secs(3_600)).await;
    assert!(Told::so_far(&house.told.texts).is_empty(), "and nothing goes out");
}

#[tokio::test]
async fn a_message_without_a_protocol_is_taken_back_as_well() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let mut body = message_body();
    body["call_type"] = json!("ct_sales");
    let saved = save(&house, &token, "", body).await.json();
    assert_eq!(saved["dispatch"], Value::Null);
    let undo = format!("{PATH}/{}/undo", saved["id"].as_str().expect("an id"));
    assert_eq!(house.ask(Method::POST, &undo, &token, Value::Null).await.status, StatusCode::NO_CONTENT);
    // The answer was lost, and it is asked again.
    assert_eq!(house.ask(Method::POST, &undo, &token, Value::Null).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_has_gone_out_is_not_taken_back() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let id = save(&house, &token, "", message_body()).await.json()["id"].as_str().expect("an id").to_owned();
    house.advance(Duration::from_secs(6)).await;
    assert_eq!(Told::so_far(&house.told.texts).len(), 1, "the text went out");
    let got = house.ask(Method::POST, &format!("{PATH}/{id}/undo"), &token, Value::Null).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "message.not_now"));
    let got = house.ask(Method::POST, &format!("{PATH}/msg_nothing/undo"), &token, Value::Null).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_problems() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let send = |kind: &str, body: Vec<u8>| {
        let mut request = request(Method::POST, PATH, &token, &json!({}));
        request.headers_mut().insert("content-type", kind.parse().expect("a header value"));
        *request.body_mut() = axum::body::Body::from(body);
        house.send(request)
    };
    assert_eq!(send("application/json", b"{".to_vec()).await.problem(), "body.malformed");
    assert_eq!(send("application/json", b"{}".to_vec()).await.problem(), "body.invalid");
    assert_eq!(send("application/json", vec![0xff, 0xfe]).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(send("text/plain", b"hello".to_vec()).await.problem(), "body.not_json");
    let large = send("application/json", vec![b' '; 300 * 1024]).await;
    assert_eq!((large.status, large.problem().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body.too_large"));
}
