//! Dispatches as an operator sees them: on their way, confirmed, closed, skipped.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::clock::Clock as _;
use serde_json::{Value, json};

use crate::support::{House, Told, message_body};

/// A house in which an urgent message has just gone out; the token and the dispatch.
pub async fn gone_out() -> (House, String, Value) {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let saved = house.ask(Method::POST, "/api/v1/messages", &token, message_body()).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{:?}", saved.json());
    assert_eq!(saved.json()["dispatch"]["state"], "open", "{:?}", saved.json());
    house.advance(Duration::from_secs(6)).await;
    let open = house.fetch("/api/v1/dispatches?open=1", &token).await.json();
    let dispatch = open["items"][0].clone();
    (house, token, dispatch)
}

pub fn path(dispatch: &Value, act: &str) -> String {
    format!("/api/v1/dispatches/{}/{act}", dispatch["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn a_dispatch_is_shown_with_what_was_done_and_what_comes_next() {
    let (house, token, dispatch) = gone_out().await;
    assert_eq!(dispatch["account"]["name"], "Imaginary Plumbing");
    assert_eq!(dispatch["state"], "running");
    let lines = dispatch["timeline"].as_array().expect("a time line");
    assert!(lines.iter().any(|line| line["text"] == "Text sent to Ben Ortiz, accepted."), "{dispatch}");
    assert!(dispatch["next"]["text"].is_string(), "{dispatch}");
    let texts = Told::so_far(&house.told.texts);
    assert_eq!(texts.len(), 1);
    assert!(texts[0].body.contains("Burst pipe"), "{}", texts[0].body);
    let open = house.fetch("/api/v1/messages?open=1", &token).await.json();
    assert_eq!(open["items"][0]["dispatch"]["id"], dispatch["id"]);
    assert_eq!(house.fetch("/api/v1/messages?open=1&account=acc_other", &token).await.json()["items"], json!([]));
}

#[tokio::test]
async fn who_calls_back_with_the_reference_of_a_voicemail_is_found_and_can_confirm() {
    let (house, token, dispatch) = gone_out().await;
    let named = dispatch["reference"].as_str().expect("a reference");
    let said = format!("{}%20{}", &named[..3], &named[3..]);
    let found = house.fetch(&format!("/api/v1/dispatches?reference={said}"), &token).await.json();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found["items"][0]["id"], dispatch["id"]);
    let other = if named == "100000" { "100001" } else { "100000" };
    assert_eq!(house.fetch(&format!("/api/v1/dispatches?reference={other}"), &token).await.json()["items"], json!([]));
    let got = house.fetch("/api/v1/dispatches?reference=12", &token).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::BAD_REQUEST, "query.invalid"));
    let confirm = json!({"by": "Ben Ortiz", "note": "called back"});
    let got = house.ask(Method::POST, &path(&found["items"][0], "confirm"), &token, confirm).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    // Whoever calls back once it is done hears who has seen to it, for two weeks.
    let over = house.fetch(&format!("/api/v1/dispatches?reference={named}"), &token).await.json();
    assert_eq!(over["items"].as_array().map(Vec::len), Some(1), "{over}");
    let over = &over["items"][0];
    assert_eq!((&over["id"], &over["state"]), (&dispatch["id"], &json!("confirmed")));
    assert_eq!((&over["confirmed_by"], over["closed_at"].is_i64()), (&json!("Ben Ortiz"), true));
    assert_eq!(house.fetch("/api/v1/dispatches", &token).await.json()["items"], json!([]), "it is not open");
    house.advance(Duration::from_secs(15 * 86_400)).await;
    let token = house.sign_in("kim").await;
    let none = house.fetch(&format!("/api/v1/dispatches?reference={named}"), &token).await.json();
    assert_eq!(none["items"], json!([]), "nobody calls back so late");
}

#[tokio::test]
async fn an_operator_confirms_for_a_person_once() {
    let (house, token, dispatch) = gone_out().await;
    let confirm = json!({"by": "Ben Ortiz", "note": "by telephone"});
    let got = house.ask(Method::POST, &path(&dispatch, "confirm"), &token, confirm.clone()).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    let message = dispatch["message"].as_str().expect("an id");
    let shown = house.fetch(&format!("/api/v1/messages/{message}"), &token).await.json();
    assert_eq!(shown["dispatch"]["state"], "confirmed");
    assert_eq!(shown["dispatch"]["confirmed_by"], "Ben Ortiz");
    assert_eq!(house.fetch("/api/v1/dispatches", &token).await.json()["items"], json!([]));
    let again = house.ask(Method::POST, &path(&dispatch, "confirm"), &token, confirm).await;
    assert_eq!((again.status, again.problem().as_str()), (StatusCode::CONFLICT, "dispatch.not_now"));
    house.advance(Duration::from_secs(3_600)).await;
    assert!(Told::so_far(&house.told.calls).is_empty(), "nothing more is tried");
}

#[tokio::test]
async fn a_dispatch_is_closed_with_a_reason_only() {
    let (house, token, dispatch) = gone_out().await;
    for body in [json!({"reason": "  "}), json!({"reason": "x".repeat(501)})] {
        let got = house.ask(Method::POST, &path(&dispatch, "close"), &token, body).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "dispatch.invalid"));
    }
    let got = house.ask(Method::POST, &path(&dispatch, "close"), &token, json!({"reason": "caller rang off"})).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    let message = dispatch["message"].as_str().expect("an id");
    let shown = house.fetch(&format!("/api/v1/messages/{message}"), &token).await.json();
    assert_eq!(shown["dispatch"]["ended"]["text"], "Closed by KIM: caller rang off.");
    assert_eq!(dispatch["ended"], Value::Null, "while it runs");
    assert_eq!(house.fetch("/api/v1/dispatches", &token).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_step_is_skipped_and_an_unknown_dispatch_is_not_found() {
    let (house, token, dispatch) = gone_out().await;
    let got = house.ask(Method::POST, &path(&dispatch, "skip"), &token, Value::Null).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    let nothing = json!({"id": "dsp_nothing"});
    let got = house.ask(Method::POST, &path(&nothing, "skip"), &token, Value::Null).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    assert_eq!(house.fetch("/api/v1/dispatches?open=0", &token).await.problem(), "query.invalid");
}

#[tokio::test]
async fn two_who_skip_or_retry_the_step_that_both_see_do_it_once_and_the_second_hears_who_did() {
    let (house, kim, dispatch) = gone_out().await;
    let lee = house.sign_in("lee").await;
    let seen = json!({"moves": dispatch["moves"]});
    let press = async |act: &str, token: &str, seen: &Value| {
        let got = house.ask(Method::POST, &path(&dispatch, act), token, seen.clone()).await;
        let refused = (!got.status.is_success()).then(|| (got.problem(), got.json()["detail"].clone()));
        (got.status, refused)
    };
    assert_eq!(press("retry", &kim, &seen).await.0, StatusCode::NO_CONTENT);
    let told = ("dispatch.moved".to_owned(), json!("KIM has had it tried again: step 1 is running."));
    assert_eq!(press("retry", &lee, &seen).await, (StatusCode::CONFLICT, Some(told.clone())));
    assert_eq!(press("skip", &lee, &seen).await, (StatusCode::CONFLICT, Some(told)));
    house.advance(Duration::from_secs(1)).await;
    assert_eq!(Told::so_far(&house.told.texts).len(), 2, "the text and the one that was asked for");
    let seen = json!({"moves": house.fetch("/api/v1/dispatches", &kim).await.json()["items"][0]["moves"]});
    assert_eq!(press("skip", &kim, &seen).await.0, StatusCode::NO_CONTENT);
    let told = ("dispatch.moved".to_owned(), json!("KIM has skipped it: step 2 is running."));
    assert_eq!(press("skip", &lee, &seen).await, (StatusCode::CONFLICT, Some(told)));
    // A double click: the second press says what was seen at the first, whatever the row shows by then.
    let told = ("dispatch.moved".to_owned(), json!("You have skipped it: step 2 is running."));
    assert_eq!(press("skip", &kim, &seen).await, (StatusCode::CONFLICT, Some(told)));
    // Whoever says nothing of what they saw means the step that is, as ever.
    assert_eq!(press("skip", &lee, &Value::Null).await.0, StatusCode::NO_CONTENT);
    let odd = house.ask(Method::POST, &path(&dispatch, "skip"), &lee, json!({"moves": "two"})).await;
    assert_eq!((odd.status, odd.problem().as_str()), (StatusCode::BAD_REQUEST, "body.invalid"));
}

#[tokio::test]
async fn who_confirms_too_late_hears_who_did_and_for_whom() {
    let (house, kim, dispatch) = gone_out().await;
    let lee = house.sign_in("lee").await;
    let confirm = async |token: &str, by: &str| {
        house.ask(Method::POST, &path(&dispatch, "confirm"), token, json!({"by": by})).await
    };
    assert_eq!(confirm(&kim, "Ben Ortiz").await.status, StatusCode::NO_CONTENT);
    let late = confirm(&lee, "Maya").await;
    assert_eq!((late.status, late.problem().as_str()), (StatusCode::CONFLICT, "dispatch.not_now"));
    assert_eq!(late.json()["detail"], "KIM has just confirmed it for Ben Ortiz.");
    let late = house.ask(Method::POST, &path(&dispatch, "skip"), &lee, json!({"moves": dispatch["moves"]})).await;
    assert_eq!(late.json()["detail"], "KIM has just confirmed it for Ben Ortiz.");
}

#[tokio::test]
async fn who_works_on_a_dispatch_is_seen_by_all_and_left_alone_until_they_are_done() {
    let (house, kim, dispatch) = gone_out().await;
    let lee = house.sign_in("lee").await;
    let lock = path(&dispatch, "lock");
    let taken = house.ask(Method::PUT, &lock, &kim, json!({})).await;
    assert_eq!((taken.status, &taken.json()["by"]["name"]), (StatusCode::OK, &json!("KIM")));
    let seen = house.fetch("/api/v1/dispatches", &lee).await.json();
    assert_eq!(seen["items"][0]["lock"]["by"]["name"], "KIM");
    assert_eq!(seen["items"][0]["lock"]["since"], taken.json()["since"]);
    let got = house.ask(Method::PUT, &lock, &lee, json!({})).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "dispatch.locked"));
    assert_eq!(got.json()["detail"], "KIM works on it. Ask them, or take it over.");
    for (act, body) in [("skip", Value::Null), ("retry", Value::Null), ("close", json!({"reason": "done"}))] {
        let got = house.ask(Method::POST, &path(&dispatch, act), &lee, body).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "dispatch.locked"), "{act}");
    }
    // Whoever has it may.
    let got = house.ask(Method::POST, &path(&dispatch, "skip"), &kim, Value::Null).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    let over = house.ask(Method::PUT, &lock, &lee, json!({"take_over": true})).await;
    assert_eq!((over.status, &over.json()["by"]["name"]), (StatusCode::OK, &json!("LEE")));
    house.ask(Method::DELETE, &lock, &kim, Value::Null).await;
    let seen = house.fetch("/api/v1/dispatches", &kim).await.json();
    assert_eq!(seen["items"][0]["lock"]["by"]["name"], "LEE", "nobody gives back what is not theirs");
    // A person's yes is taken whoever hears it.
    let confirm = json!({"by": "Ben Ortiz"});
    let got = house.ask(Method::POST, &path(&dispatch, "confirm"), &kim, confirm).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    let closed = house.ask(Method::PUT, &lock, &kim, json!({})).await;
    assert_eq!((closed.status, closed.problem().as_str()), (StatusCode::CONFLICT, "dispatch.not_now"));
}

#[tokio::test]
async fn a_lock_lapses_and_goes_with_the_console_of_whoever_has_it() {
    let (house, kim, dispatch) = gone_out().await;
    let lee = house.sign_in("lee").await;
    let lock = path(&dispatch, "lock");
    let by = async |token: &str| {
        let seen = house.fetch("/api/v1/dispatches", token).await.json();
        seen["items"][0]["lock"]["by"]["name"].as_str().map(str::to_owned)
    };
    house.ask(Method::PUT, &lock, &kim, json!({})).await;
    house.advance(Duration::from_secs(599)).await;
    assert_eq!(by(&lee).await.as_deref(), Some("KIM"));
    house.advance(Duration::from_secs(2)).await;
    assert_eq!(by(&lee).await, None);

    let address = house.listen().await;
    let mut console = crate::feed::console(address, &kim).await;
    assert_eq!(crate::feed::hear(&mut console).await["type"], "hello");
    house.ask(Method::PUT, &lock, &kim, json!({})).await;
    let mut feed = house.front.feed.subscribe();
    console.close(None).await.expect("it closes");
    // Told to all desks as soon as the console is gone: it will be free soon.
    let told = loop {
        let event = tokio::time::timeout(Duration::from_secs(10), feed.recv()).await.expect("in time").expect("a feed");
        // What was drawn before may come first.
        if let cordboard::engine::feed::FeedEvent::Dispatch { dispatch } = event
            && let Some(lock) = dispatch.lock
            && lock.until.since(house.clock.utc()) < 600_000
        {
            break lock;
        }
    };
    assert_eq!(told.until.since(house.clock.utc()), 30_000, "still hers for a while");
    house.advance(Duration::from_secs(31)).await;
    assert_eq!(by(&lee).await, None);
}

#[tokio::test]
async fn a_step_is_tried_again_by_an_operator() {
    let (house, token, dispatch) = gone_out().await;
    house.advance(Duration::from_secs(60)).await;
    let got = house.ask(Method::POST, &path(&dispatch, "retry"), &token, Value::Null).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT, "{}", String::from_utf8_lossy(&got.body));
    house.advance(Duration::from_secs(1)).await;
    assert_eq!(Told::so_far(&house.told.texts).len(), 2);
    let seen = house.fetch("/api/v1/dispatches", &token).await.json();
    let lines = seen["items"][0]["timeline"].as_array().expect("a time line");
    assert!(lines.iter().any(|line| line["text"] == "KIM had it tried again."), "{seen}");
    let close = json!({"reason": "caller rang off"});
    house.ask(Method::POST, &path(&dispatch, "close"), &token, close).await;
    let got = house.ask(Method::POST, &path(&dispatch, "retry"), &token, Value::Null).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "dispatch.not_now"));
}
