//! Protocols that are being written: what would happen, templates, versions with what each changed, and one brought back.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::id::DestinationId;
use cordboard::domain::account::Reach;
use serde_json::{Value, json};

use crate::peers::postgres::Postgres;
use crate::support::{House, Told, message_body};

const PROTOCOLS: &str = "/api/v1/accounts/acc_plumbing/protocols";

fn on_call(destination: &str) -> Value {
    json!([{"kind": "on_call", "role": "technician", "destination": destination}])
}

/// A text that waits so long, then a call.
fn urgent(wait_secs: u32) -> Value {
    json!({"name": "Night", "until": "confirmed", "repeat": {"from_step": 1}, "call_types": ["ct_urgent"], "steps": [
        {"method": {"kind": "text_confirm"}, "to": on_call("mobile"), "wait_secs": wait_secs},
        {"method": {"kind": "call_out", "leave_message": true}, "to": on_call("mobile"), "wait_secs": 600}]})
}

fn asked(protocol: Value, people: Value) -> Value {
    json!({"protocol": protocol, "call_type": "ct_urgent", "at": "2026-03-07T02:00", "hours": 1, "people": people})
}

async fn simulate(house: &House, token: &str, body: Value) -> Value {
    let got = house.ask(Method::POST, &format!("{PROTOCOLS}/simulate"), token, body).await;
    assert_eq!(got.status, StatusCode::OK, "{}", String::from_utf8_lossy(&got.body));
    got.json()
}

fn texts(simulation: &Value) -> Vec<(String, String)> {
    let lines = simulation["outlook"]["lines"].as_array().unwrap_or_else(|| panic!("no lines: {simulation}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    lines.iter().map(|line| (text(&line["local"]), text(&line["text"]))).collect()
}

#[tokio::test]
async fn what_an_unsaved_protocol_would_do_is_told_minute_by_minute_and_nothing_is_sent_or_saved() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let simulation = simulate(&house, &sam, asked(urgent(300), json!({"kind": "nobody"}))).await;
    assert_eq!(simulation["errors"], json!([]));
    assert_eq!(simulation["confirmable"], json!([1, 2]));
    let lines = simulation["outlook"]["lines"].as_array().expect("lines");
    let steps: Vec<_> = lines.iter().filter(|line| line["kind"] == "step").collect();
    assert_eq!((&steps[0]["local"], &steps[0]["step"]), (&json!("2026-03-07 02:00:00"), &json!(1)));
    assert_eq!(steps[0]["why"], json!(["Ben Ortiz: technician on call by fallback"]), "why this person");
    assert_eq!((&steps[1]["local"], &steps[1]["after_secs"]), (&json!("2026-03-07 02:05:00"), &json!(300)));
    assert_eq!(simulation["outlook"]["state"], "running");

    let confirmed = asked(urgent(300), json!({"kind": "confirms", "step": 2, "after_minutes": 0}));
    let simulation = simulate(&house, &sam, confirmed).await;
    assert_eq!(simulation["outlook"]["state"], "confirmed");
    let said = texts(&simulation);
    assert!(said.iter().any(|(_, text)| text == "Ben Ortiz confirmed by key on the phone."), "{said:?}");

    assert!(Told::so_far(&house.told.texts).is_empty() && Told::so_far(&house.told.calls).is_empty());
    let versions = house.fetch(PROTOCOLS, &sam).await.json();
    assert_eq!(versions["items"].as_array().map(Vec::len), Some(1), "{versions}");
}

#[tokio::test]
async fn what_is_wrong_is_told_at_its_card_or_at_the_question() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let mut protocol = urgent(300);
    protocol["steps"][1]["to"] = json!([]);
    let pointers = |simulation: &Value| -> Vec<String> {
        assert!(simulation["outlook"].is_null(), "{simulation}");
        let errors = simulation["errors"].as_array().expect("errors");
        errors.iter().map(|error| error["pointer"].as_str().expect("a pointer").to_owned()).collect()
    };
    let simulation = simulate(&house, &sam, asked(protocol, json!({"kind": "nobody"}))).await;
    assert_eq!(pointers(&simulation), ["/protocol/steps/1"]);
    let mut wrong = asked(urgent(300), json!({"kind": "confirms", "step": 1, "after_minutes": 99_999}));
    wrong["call_type"] = json!("ct_none");
    wrong["at"] = json!("some day");
    wrong["hours"] = json!(0);
    let simulation = simulate(&house, &sam, wrong).await;
    assert_eq!(pointers(&simulation), ["/call_type", "/at", "/hours", "/people/after_minutes"]);
    let nowhere = asked(urgent(300), json!({"kind": "confirms", "step": 3}));
    assert_eq!(pointers(&simulate(&house, &sam, nowhere).await), ["/people/step"]);
}

#[tokio::test]
async fn a_time_that_a_clock_skips_is_the_first_one_after_it() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    // Clocks in New York go from 02:00 to 03:00 in that night.
    let mut body = asked(urgent(300), json!({"kind": "nobody"}));
    body["at"] = json!("2026-03-08T02:30");
    let simulation = simulate(&house, &sam, body).await;
    assert_eq!(texts(&simulation)[0].0, "2026-03-08 03:00:00");
}

#[tokio::test]
async fn a_template_fits_the_account_and_can_be_saved_and_seen() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let path = format!("{PROTOCOLS}/templates");
    let templates = house.fetch(&path, &sam).await.json();
    let items = templates["items"].as_array().expect("templates");
    let trades: std::collections::BTreeSet<_> = items.iter().filter_map(|item| item["trade"].as_str()).collect();
    for trade in ["Law office", "HVAC and plumbing", "Property management", "Medical clinic", "Dental practice"] {
        assert!(trades.contains(trade), "{trade}: {trades:?}");
    }
    let plumbing = items.iter().find(|item| item["key"] == "any_urgent").expect("a template");
    let player = json!({"kind": "on_call", "role": "technician"});
    assert_eq!(plumbing["parts"][0]["player"], player, "the one role there is");
    let fit = json!({"template": "any_urgent", "players": {"on_call": player}});
    let fitted = house.ask(Method::POST, &path, &sam, fit).await.json();
    assert_eq!(fitted["steps"][0]["to"], on_call("mobile"));
    let simulation = simulate(&house, &sam, asked(fitted.clone(), json!({"kind": "nobody"}))).await;
    assert_eq!(simulation["outlook"]["state"], "running", "{simulation}");
    let saved = house.ask(Method::POST, PROTOCOLS, &sam, fitted).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{:?}", saved.json());
    let unknown = house.ask(Method::POST, &path, &sam, json!({"template": "circus"})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn versions_say_who_wrote_them_what_changed_and_what_still_runs_and_one_is_brought_back() {
    let house = House::new().await;
    versions(&house).await;
    let test = "versions_say_who_wrote_them_what_changed_and_what_still_runs_and_one_is_brought_back";
    if let Some(server) = Postgres::start(test) {
        versions(&House::on(Some(server.create_database())).await).await;
    }
}

async fn add(house: &House, token: &str, protocol: Value) -> Value {
    let got = house.ask(Method::POST, PROTOCOLS, token, protocol).await;
    assert_eq!(got.status, StatusCode::CREATED, "{:?}", got.json());
    got.json()
}

async fn versions(house: &House) {
    let (sam, kim) = (house.sign_in("sam").await, house.sign_in("kim").await);
    let first = add(house, &sam, urgent(300)).await;
    let saved = house.ask(Method::POST, "/api/v1/messages", &kim, message_body()).await;
    assert_eq!(saved.status, StatusCode::CREATED);
    house.advance(Duration::from_secs(6)).await;
    let second = add(house, &sam, urgent(600)).await;

    let path = format!("{PROTOCOLS}/versions?name=Night");
    let shown = house.fetch(&path, &kim).await.json();
    let items = shown["items"].as_array().expect("versions");
    assert_eq!(items.iter().map(|v| &v["version"]).collect::<Vec<_>>(), [&json!(2), &json!(1)]);
    assert_eq!(items[0]["made_by"], json!({"id": "usr_sam", "name": "SAM"}));
    assert!(items[0]["made_at"].as_i64() > items[1]["made_at"].as_i64());
    assert_eq!(items[0]["changes"], json!(["Step 1: wait 5 minutes → 10 minutes."]));
    assert!(items[1]["changes"].is_null());
    assert_eq!((&items[0]["in_force"], &items[1]["in_force"]), (&json!(["ct_urgent"]), &json!([])));
    assert_eq!(items[0]["running"], json!([]));
    assert_eq!(items[1]["running"][0]["message"], saved.json()["id"], "it runs the version that it began with");

    let brought = format!("/api/v1/protocols/{}/bring_back", first["id"].as_str().expect("an id"));
    let refused = house.ask(Method::POST, &brought, &kim, json!({})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "an operator changes no account");
    let stale = house.ask(Method::POST, &brought, &sam, json!({"edition": first["edition"]})).await;
    assert_eq!((stale.status, stale.problem().as_str()), (StatusCode::CONFLICT, "account.stale"));
    let got = house.ask(Method::POST, &brought, &sam, json!({"edition": second["edition"]})).await;
    assert_eq!(got.status, StatusCode::CREATED, "{:?}", got.json());
    let third = got.json();
    assert_eq!((&third["version"], &third["steps"]), (&json!(3), &first["steps"]));
    let shown = house.fetch(&path, &kim).await.json();
    assert_eq!((&shown["items"][0]["brings_back"], &shown["items"][0]["in_force"]), (&json!(1), &json!(["ct_urgent"])));
    assert_eq!(shown["items"][0]["changes"], json!(["Step 1: wait 10 minutes → 5 minutes."]));
    assert_eq!(shown["items"][2]["id"], first["id"], "what was is not touched");

    let between = format!(
        "/api/v1/protocols/{}/differences?from={}",
        third["id"].as_str().expect("an id"),
        first["id"].as_str().expect("an id")
    );
    assert_eq!(house.fetch(&between, &kim).await.json()["lines"], json!([]), "they do the same");
    let again = house.ask(Method::POST, &brought, &sam, json!({})).await;
    assert_eq!((again.status, again.problem().as_str()), (StatusCode::CONFLICT, "account.clash"));
    assert_eq!(again.json()["errors"][0]["code"], "protocol.same");
    let unknown = house.ask(Method::POST, "/api/v1/protocols/pro_none/bring_back", &sam, json!({})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_version_whose_people_are_gone_is_not_brought_back_and_it_is_said_at_which_step() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let dana = json!({"name": "Dana", "destinations": [
        {"label": "email", "reach": {"kind": "email", "address": "dana@example.com"}}]});
    let dana = house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/contacts", &sam, dana).await.json();
    let to_dana = json!({"name": "Office", "until": "handed_over", "steps": [
        {"method": {"kind": "email"}, "to": [{"kind": "contact", "contact": dana["id"], "destination": "email"}]}]});
    let first = add(&house, &sam, to_dana).await;
    let to_ben = json!({"name": "Office", "until": "handed_over", "steps": [
        {"method": {"kind": "email"}, "to": [{"kind": "contact", "contact": "con_ben", "destination": "email"}]}]});
    add(&house, &sam, to_ben).await;
    let gone = format!("/api/v1/contacts/{}", dana["id"].as_str().expect("an id"));
    let removed = house.ask(Method::DELETE, &gone, &sam, Value::Null).await;
    assert!(removed.status.is_success() || removed.status == StatusCode::PRECONDITION_REQUIRED, "{}", removed.status);
    if removed.status == StatusCode::PRECONDITION_REQUIRED {
        let edition = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json()["edition"].clone();
        let request = axum::http::Request::delete(&gone)
            .header("host", "desk.example.com")
            .header("authorization", format!("Bearer {sam}"))
            .header("if-match", format!("\"{edition}\""))
            .body(axum::body::Body::empty())
            .expect("a request");
        assert!(house.send(request).await.status.is_success());
    }
    let brought = format!("/api/v1/protocols/{}/bring_back", first["id"].as_str().expect("an id"));
    let got = house.ask(Method::POST, &brought, &sam, json!({})).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{:?}", got.json());
    assert_eq!(got.json()["errors"][0]["pointer"], "/steps/0");
    let shown = house.fetch(&format!("{PROTOCOLS}/versions?name=Office"), &sam).await.json();
    assert_eq!(shown["items"].as_array().map(Vec::len), Some(2), "nothing was made");
}

#[tokio::test]
async fn whoever_writes_a_protocol_for_protected_messages_is_warned_of_people_who_can_open_them_nowhere() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let check = format!("{PROTOCOLS}/check");
    let warned = async || {
        let got = house.ask(Method::POST, &check, &sam, urgent(300)).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.json());
        assert_eq!(got.json()["errors"], json!([]));
        let warnings = got.json()["warnings"].as_array().expect("a list").clone();
        warnings.into_iter().filter(|one| one["code"] == "protocol.opens_nowhere").collect::<Vec<_>>()
    };
    assert_eq!(warned().await, [] as [Value; 0], "nothing is protected");
    let mut account = house.store.list_accounts().await.expect("the store answers").remove(0);
    account.call_types.iter_mut().filter(|t| t.id.as_str() == "ct_urgent").for_each(|t| t.protected = true);
    let mut contacts = house.store.list_contacts(&account.id).await.expect("the store answers");
    let ben = contacts.iter_mut().find(|contact| contact.id.as_str() == "con_ben").expect("Ben");
    let mut tx = house.store.write().await.expect("a transaction");
    tx.upsert_account(&account, crate::support::START).await.expect("an account");
    tx.commit("test").await.expect("written");
    let warnings = warned().await;
    assert_eq!(warnings.len(), 1, "the call reads it out: {warnings:?}");
    assert_eq!(warnings[0]["pointer"], "/steps/0");
    let detail = warnings[0]["detail"].as_str().expect("words");
    assert!(
        detail.contains("Without the one or the other: Ben Ortiz.") && detail.contains("until they have heard"),
        "{detail}"
    );

    // An inbox alone opens nothing; with a PIN it does.
    let mut inbox = ben.destinations[0].clone();
    inbox.id = DestinationId::named("ben-inbox");
    (inbox.label, inbox.reach) = ("inbox".to_owned(), Reach::Inbox(String::new()));
    ben.destinations.push(inbox);
    let mut tx = house.store.write().await.expect("a transaction");
    tx.upsert_contact(ben).await.expect("Ben");
    tx.commit("test").await.expect("written");
    assert_eq!(warned().await.len(), 1);
    let got = house.ask(Method::PUT, "/api/v1/contacts/con_ben/pin", &sam, json!({"pin": "4711"})).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    assert_eq!(warned().await, [] as [Value; 0]);
}
