//! Status boards, and the hand-over sheet that they stand on.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::id::AccountId;
use cordboard::engine::feed::FeedEvent;
use serde_json::{Value, json};

use crate::peers::postgres::Postgres;
use crate::support::{House, START, message_body};

const BOARD: &str = "/api/v1/accounts/acc_plumbing/status";
const MINUTE_MS: i64 = 60_000;

async fn status_lines(house: &House) {
    let (kim, lee) = (house.sign_in("kim").await, house.sign_in("lee").await);
    let mut feed = house.front.feed.subscribe();
    let shown = async || {
        let account = house.fetch("/api/v1/accounts/acc_plumbing", &lee).await.json();
        let lines = account["status"].as_array().expect("lines").clone();
        lines.iter().map(|line| line["text"].as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    let until = START.plus_ms(10 * MINUTE_MS);
    let got = house.ask(Method::POST, BOARD, &kim, json!({"text": " Van 2 is\nin the garage ", "until": until})).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    assert_eq!((&got.json()["text"], &got.json()["by"]["name"]), (&json!("Van 2 is in the garage"), &json!("KIM")));
    let told = feed.recv().await.expect("the feed goes on");
    assert!(matches!(told, FeedEvent::Account { id, .. } if id == AccountId::named("plumbing")), "other desks know");
    house.clock.advance(Duration::from_secs(1));
    let forever = house.ask(Method::POST, BOARD, &lee, json!({"text": "Gas is off"})).await.json();
    assert_eq!(shown().await, ["Gas is off", "Van 2 is in the garage"], "the newest first");

    for (body, field, code) in [
        (json!({"text": "  "}), "text", "required"),
        (json!({"text": "x".repeat(201)}), "text", "too_long"),
        (json!({"text": "Over", "until": START}), "until", "past"),
    ] {
        let got = house.ask(Method::POST, BOARD, &kim, body).await;
        assert_eq!(got.problem(), "status.invalid");
        assert_eq!(
            (&got.json()["errors"][0]["field"], &got.json()["errors"][0]["code"]),
            (&json!(field), &json!(code))
        );
    }
    let nowhere = house.ask(Method::POST, "/api/v1/accounts/acc_nobody/status", &kim, json!({"text": "x"})).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);

    house.clock.advance(Duration::from_secs(600));
    assert_eq!(shown().await, ["Gas is off"], "one is over by itself");
    let path = format!("/api/v1/status/{}", forever["id"].as_str().expect("an id"));
    for _ in 0..2 {
        assert_eq!(house.ask(Method::DELETE, &path, &kim, Value::Null).await.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(shown().await, [""; 0]);
    assert_eq!(
        house.ask(Method::DELETE, "/api/v1/status/sta_x", &kim, Value::Null).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_status_line_is_read_by_all_until_its_end_or_until_it_is_taken_down() {
    status_lines(&House::new().await).await;
    if let Some(server) = Postgres::start("status lines on PostgreSQL") {
        status_lines(&House::on(Some(server.create_database())).await).await;
    }
}

#[tokio::test]
async fn the_sheet_tells_what_is_open_who_is_missing_and_what_stands_on_the_boards() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let sheet = house.fetch("/api/v1/handover", &kim).await.json();
    for part in ["urgent", "unconfirmed", "waiting", "callbacks", "gaps", "alarms", "status", "lowered"] {
        assert_eq!(sheet[part], json!([]), "{part}");
    }
    assert_eq!(sheet["hung_up"], 0);

    house.ask(Method::POST, "/api/v1/messages", &kim, message_body()).await;
    house.advance(Duration::from_secs(6)).await;
    house.ask(Method::POST, BOARD, &kim, json!({"text": "Gas is off"})).await;
    let mut schedules = house.store.list_schedules(&AccountId::named("plumbing")).await.expect("listed");
    schedules[0].fallback = None;
    let mut tx = house.store.write().await.expect("the store writes");
    tx.upsert_schedule(&schedules[0]).await.expect("a schedule");
    tx.commit("test").await.expect("committed");

    let sheet = house.fetch("/api/v1/handover", &kim).await.json();
    assert_eq!(sheet["urgent"][0]["headline"], "Pat Doe · Burst pipe in the cellar");
    assert_eq!(sheet["status"][0]["lines"][0]["text"], "Gas is off");
    assert_eq!((&sheet["gaps"][0]["role"], &sheet["gaps"][0]["from"]), (&json!("technician"), &sheet["at"]));
    assert_eq!(house.fetch("/api/v1/handover", "").await.problem(), "auth.required");
}

#[tokio::test]
async fn a_routine_message_that_waits_for_a_yes_is_on_the_sheet() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json();
    let fields = json!([{"label": "Name", "kind": {"kind": "text"}, "required": true, "brief": true}]);
    let body = json!({"edition": account["edition"], "call_types": [
        {"name": "Routine", "urgency": "routine", "protocol": "pro_urgent", "form": {"fields": fields}},
    ]});
    let types = house.ask(Method::PUT, "/api/v1/accounts/acc_plumbing/call_types", &sam, body).await.json();
    let routine = types["call_types"][0]["id"].clone();
    let kim = house.sign_in("kim").await;
    let body = json!({"account": "acc_plumbing", "call_type": routine, "answers": {"name": "Pat Doe"}});
    let got = house.ask(Method::POST, "/api/v1/messages", &kim, body).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    let sheet = house.fetch("/api/v1/handover", &kim).await.json();
    assert_eq!(sheet["unconfirmed"], json!([]), "nobody was told yet");
    house.advance(Duration::from_secs(11)).await;
    let sheet = house.fetch("/api/v1/handover", &kim).await.json();
    assert_eq!(sheet["unconfirmed"][0]["headline"], "Pat Doe", "{sheet}");
    assert_eq!((&sheet["unconfirmed"][0]["needs_operator"], &sheet["urgent"]), (&json!(false), &json!([])));
}
