//! Drafts: mine alone, replaced when saved again, gone when thrown away.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{House, call_of, message_body};

#[tokio::test]
async fn a_draft_is_kept_as_typed_and_is_mine_alone() {
    let house = House::new().await;
    let (kim, lee) = (house.sign_in("kim").await, house.sign_in("lee").await);
    let path = "/api/v1/drafts/drf_1";
    let draft = |text: &str| {
        json!({"account": "acc_plumbing", "call_type": "ct_urgent", "caller": "20255",
            "answers": {"problem": text}, "cursor": {"field": "problem", "start": 3, "end": 5}})
    };
    let saved = house.ask(Method::PUT, path, &kim, draft("bur")).await;
    assert_eq!(saved.json(), json!({"id": "drf_1", "saved_at": crate::support::START.0}));
    house.ask(Method::PUT, path, &kim, draft("burst")).await;
    let mine = house.fetch("/api/v1/drafts", &kim).await.json();
    assert_eq!(mine["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(mine["items"][0]["answers"]["problem"], "burst");
    assert_eq!(mine["items"][0]["cursor"]["start"], 3);
    assert_eq!(mine["items"][0]["caller"], Value::Null, "half a number is none");

    assert_eq!(house.fetch("/api/v1/drafts", &lee).await.json()["items"], json!([]));
    assert_eq!(house.ask(Method::PUT, path, &lee, draft("mine now")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.ask(Method::DELETE, path, &lee, Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.ask(Method::DELETE, path, &kim, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.fetch("/api/v1/drafts", &kim).await.json()["items"], json!([]));
}

#[tokio::test]
async fn what_is_kept_out_of_a_message_in_clear_stays_with_the_form_whoever_has_it() {
    let house = House::new().await;
    let (kim, lee) = (house.sign_in("kim").await, house.sign_in("lee").await);
    let apart = json!({"symptom": "Patient"});
    let draft = json!({"account": "acc_plumbing", "call": "call_1", "answers": {"symptom": "chest pain"},
        "apart": apart});
    assert_eq!(house.ask(Method::PUT, "/api/v1/drafts/drf_1", &kim, draft).await.status, StatusCode::OK);
    assert_eq!(house.fetch("/api/v1/drafts", &kim).await.json()["items"][0]["apart"], apart);

    // The call is given to a colleague, who reads it with the answers.
    house.told.up.lock().expect("no panic").push(call_of("lee"));
    let got = house.ask(Method::POST, "/api/v1/calls/call_1/form", &lee, Value::Null).await;
    assert_eq!((got.status, &got.json()["apart"]), (StatusCode::OK, &apart));

    // It is in no message, and in the form again when that is taken back.
    let mut body = message_body();
    body["draft"] = json!("drf_1");
    let saved = house.ask(Method::POST, "/api/v1/messages", &lee, body).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{}", saved.json());
    let saved = saved.json();
    assert!(!saved.to_string().contains("chest pain"), "{saved}");
    let undo = format!("/api/v1/messages/{}/undo", saved["id"].as_str().expect("an id"));
    assert_eq!(house.ask(Method::POST, &undo, &lee, Value::Null).await.status, StatusCode::NO_CONTENT);
    let back = house.fetch("/api/v1/drafts", &lee).await.json()["items"][0].clone();
    assert_eq!((&back["answers"]["symptom"], &back["apart"]), (&json!("chest pain"), &apart));

    // She puts it in.
    let plain = json!({"account": "acc_plumbing", "answers": {"symptom": "chest pain"}});
    assert_eq!(house.ask(Method::PUT, "/api/v1/drafts/drf_1", &lee, plain).await.status, StatusCode::OK);
    assert_eq!(house.fetch("/api/v1/drafts", &lee).await.json()["items"][0]["apart"], json!({}));
}

#[tokio::test]
async fn a_call_has_one_form_of_mine_unless_two_are_meant() {
    let house = House::new().await;
    let (kim, lee) = (house.sign_in("kim").await, house.sign_in("lee").await);
    let put = async |who: &String, id: &str, call: Value, beside: bool| {
        let body = json!({"account": "acc_plumbing", "call": call, "answers": {"name": "Pat"}, "beside": beside});
        house.ask(Method::PUT, &format!("/api/v1/drafts/{id}"), who, body).await
    };
    assert_eq!(put(&kim, "drf_1", json!("call_1"), false).await.status, StatusCode::OK);
    let second = put(&kim, "drf_2", json!("call_1"), false).await;
    assert_eq!((second.status, second.problem().as_str()), (StatusCode::CONFLICT, "draft.begun_elsewhere"));
    assert_eq!(put(&kim, "drf_1", json!("call_1"), false).await.status, StatusCode::OK, "it goes on");
    assert_eq!(put(&kim, "drf_3", json!("call_2"), false).await.status, StatusCode::OK, "another call");
    assert_eq!(put(&kim, "drf_4", Value::Null, false).await.status, StatusCode::OK, "none");
    assert_eq!(put(&lee, "drf_5", json!("call_1"), false).await.status, StatusCode::OK, "another operator");
    // A message was taken back while the next one was written: both are hers, and both are kept.
    assert_eq!(put(&kim, "drf_6", json!("call_1"), true).await.status, StatusCode::OK);
    assert_eq!(put(&kim, "drf_6", json!("call_1"), false).await.status, StatusCode::OK, "it is there");
    assert_eq!(
        house.ask(Method::DELETE, "/api/v1/drafts/drf_1", &kim, Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        house.ask(Method::DELETE, "/api/v1/drafts/drf_6", &kim, Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(put(&kim, "drf_2", json!("call_1"), false).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_identifier_of_another_kind_names_nothing() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    for id in ["msg_1", "1", "drf_%2e%2e%2f", "drf_"] {
        let got =
            house.ask(Method::PUT, &format!("/api/v1/drafts/{id}"), &kim, json!({"account": "acc_plumbing"})).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{id}");
    }
}
