//! What a client answers for: another protocol that they propose, the approval of their account, and what they set by themselves.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::audit::rows;
use crate::peers::postgres::Postgres;
use crate::portal::{HERE, client, client_of};
use crate::support::{House, START};

fn shorter() -> Value {
    let target = json!([{"kind": "on_call", "role": "technician", "destination": "mobile"}]);
    let step = json!({"method": {"kind": "text_confirm"}, "to": target, "wait_secs": 300});
    json!({"name": "urgent", "steps": [step], "repeat": {"from_step": 1}, "until": "confirmed", "call_types": ["ct_urgent"]})
}

#[tokio::test]
async fn a_protocol_is_proposed_read_and_published_under_both_names() {
    proposed(&House::new().await).await;
    if let Some(server) = Postgres::start("a_protocol_is_proposed_read_and_published_under_both_names") {
        proposed(&House::on(Some(server.create_database())).await).await;
    }
}

async fn proposed(house: &House) {
    let pat = client(house, "pat", &["protocol"]).await;
    let path = format!("{HERE}/protocol_changes");
    let check = house.ask(Method::POST, &format!("{path}/check"), &pat, shorter()).await.json();
    assert!(check["errors"] == json!([]) && check["changes"].as_array().is_some_and(|c| !c.is_empty()), "{check}");
    assert_ne!(check["before"], check["after"]);
    // What would not hold is not proposed.
    let mut wrong = shorter();
    wrong["steps"][0]["to"][0]["role"] = json!("plumber");
    let got = house.ask(Method::POST, &path, &pat, json!({"protocol": wrong, "note": ""})).await;
    assert_eq!(
        (got.status, &got.json()["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/steps/0"))
    );
    let propose = json!({"protocol": shorter(), "note": "Five minutes are enough."});
    let got = house.ask(Method::POST, &path, &pat, propose.clone()).await;
    assert_eq!((got.status, &got.json()["state"]), (StatusCode::CREATED, &json!("waiting")));
    let id = got.json()["id"].as_str().expect("an id").to_owned();
    // Nothing runs otherwise before the service says so.
    let sam = house.sign_in("sam").await;
    let versions = "/api/v1/accounts/acc_plumbing/protocols/versions";
    assert_eq!(house.fetch(versions, &sam).await.json()["items"].as_array().map(Vec::len), Some(1));
    let kim = house.sign_in("kim").await;
    assert_eq!(house.fetch("/api/v1/protocol_changes", &kim).await.problem(), "auth.role");
    let queue = house.fetch("/api/v1/protocol_changes?state=waiting", &sam).await.json();
    assert_eq!(
        (&queue["items"][0]["note"], &queue["items"][0]["stale"]),
        (&json!("Five minutes are enough."), &json!(false))
    );
    let approve = format!("/api/v1/protocol_changes/{id}/approve");
    let version = &queue["items"][0]["version"];
    let yes = json!({"version": version, "words": "From tonight on."});
    let got = house.ask(Method::POST, &approve, &sam, yes.clone()).await;
    assert_eq!((got.status, &got.json()["decided"]["version"]), (StatusCode::OK, &json!(2)), "{}", got.json());
    assert_eq!(got.json()["in_force"], true);
    let versions = house.fetch(versions, &sam).await.json();
    let newest = &versions["items"][0];
    assert_eq!(
        (&newest["version"], &newest["made_by"]["name"], &newest["approved_by"]["name"]),
        (&json!(2), &json!("PAT"), &json!("SAM"))
    );
    assert_eq!(newest["in_force"], json!(["ct_urgent"]));
    // Once.
    let got = house.ask(Method::POST, &approve, &sam, yes).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "protocol_change.decided"));
    assert_eq!(
        house.ask(Method::POST, &format!("{path}/{id}/withdraw"), &pat, Value::Null).await.problem(),
        "protocol_change.decided"
    );
    // The same again is no change.
    assert_eq!(house.ask(Method::POST, &path, &pat, propose).await.json()["errors"][0]["code"], "protocol.same");
    // The service publishes its own: what was approved before is in force no more, though it was.
    let mut own = shorter();
    own["steps"][0]["wait_secs"] = json!(600);
    let got = house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/protocols", &sam, own).await;
    assert_eq!(got.status, StatusCode::CREATED);
    let seen = house.fetch(&format!("{path}/{id}"), &pat).await.json();
    assert_eq!((&seen["state"], &seen["in_force"]), (&json!("approved"), &json!(false)));
    let log: Vec<String> = rows(house, &format!("object={id}")).await.into_iter().map(|(_, act, _)| act).collect();
    assert_eq!(log, ["protocol.proposed", "protocol.approved"]);
}

#[tokio::test]
async fn a_refusal_says_why_and_what_was_overtaken_says_so() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["protocol"]).await;
    let path = format!("{HERE}/protocol_changes");
    let propose = json!({"protocol": shorter(), "note": ""});
    let first = house.ask(Method::POST, &path, &pat, propose.clone()).await.json()["id"].clone();
    house.clock.advance(Duration::from_secs(1));
    let second = house.ask(Method::POST, &path, &pat, propose).await.json()["id"].clone();
    let (first, second) = (first.as_str().expect("an id"), second.as_str().expect("an id"));
    let sam = house.sign_in("sam").await;
    let refuse = format!("/api/v1/protocol_changes/{first}/refuse");
    assert_eq!(house.ask(Method::POST, &refuse, &sam, json!({})).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let got = house.ask(Method::POST, &refuse, &sam, json!({"words": "Ben needs fifteen."})).await;
    assert_eq!((got.status, &got.json()["state"]), (StatusCode::OK, &json!("refused")));
    let seen = house.fetch(&format!("{path}/{first}"), &pat).await.json();
    assert_eq!(
        (&seen["decided"]["words"], &seen["decided"]["by"]["name"]),
        (&json!("Ben needs fifteen."), &json!("SAM"))
    );
    // Meanwhile the service has changed the protocol by itself.
    let mut own = shorter();
    own["steps"][0]["wait_secs"] = json!(600);
    assert_eq!(
        house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/protocols", &sam, own).await.status,
        StatusCode::CREATED
    );
    // What would change is read against what is there now: nobody would take the service's own change back unseen.
    let seen = house.fetch(&format!("{path}/{second}"), &pat).await.json();
    assert_eq!(
        (&seen["stale"], &seen["changes"]),
        (&json!(true), &json!(["Step 1: wait 10 minutes → 5 minutes."])),
        "{seen}"
    );
    let queue = house.fetch("/api/v1/protocol_changes?state=waiting", &sam).await.json();
    assert_eq!((&queue["items"][0]["before"], &queue["items"][0]["changes"]), (&seen["before"], &seen["changes"]));
    let got = house.ask(Method::POST, &format!("{path}/{second}/withdraw"), &pat, Value::Null).await;
    assert_eq!(
        (got.status, &got.json()["state"], &got.json()["stale"]),
        (StatusCode::OK, &json!("withdrawn"), &json!(false))
    );
}

#[tokio::test]
async fn an_approval_is_of_what_was_read_and_of_nothing_that_came_since() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["protocol"]).await;
    let propose = json!({"protocol": shorter(), "note": ""});
    let path = format!("{HERE}/protocol_changes");
    assert_eq!(house.ask(Method::POST, &path, &pat, propose).await.status, StatusCode::CREATED);
    let sam = house.sign_in("sam").await;
    let waiting = "/api/v1/protocol_changes?state=waiting";
    let read = house.fetch(waiting, &sam).await.json()["items"][0].clone();
    let approve = format!("/api/v1/protocol_changes/{}/approve", read["id"].as_str().expect("an id"));
    // Somebody else of the service publishes a version of their own before the first says yes.
    let ada = house.sign_in("ada").await;
    let mut own = shorter();
    own["steps"][0]["wait_secs"] = json!(600);
    let protocols = "/api/v1/accounts/acc_plumbing/protocols";
    assert_eq!(house.ask(Method::POST, protocols, &ada, own).await.status, StatusCode::CREATED);
    let got = house.ask(Method::POST, &approve, &sam, json!({"version": read["version"]})).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "protocol_change.stale"));
    assert!(got.json()["detail"].as_str().is_some_and(|said| said.contains("read it again")), "{}", got.json());
    // Nothing was published, and it waits on.
    let versions = house.fetch(&format!("{protocols}/versions"), &sam).await.json();
    assert_eq!(versions["items"].as_array().map(Vec::len), Some(2), "{versions}");
    let now = house.fetch(waiting, &sam).await.json()["items"][0].clone();
    assert_ne!(now["version"], read["version"]);
    assert_eq!(now["changes"], json!(["Step 1: wait 10 minutes → 5 minutes."]));
    // Nor is anything approved by whoever does not say what they have read.
    let got = house.ask(Method::POST, &approve, &sam, json!({"words": "Fine."})).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::BAD_REQUEST, "body.invalid"));
    // Read again, it is approved as that.
    let got = house.ask(Method::POST, &approve, &sam, json!({"version": now["version"]})).await;
    assert_eq!((got.status, &got.json()["decided"]["version"]), (StatusCode::OK, &json!(3)), "{}", got.json());
    assert_eq!((&got.json()["changes"], &got.json()["version"]), (&now["changes"], &Value::Null));
}

#[tokio::test]
async fn an_account_is_a_draft_until_its_client_has_approved_all_of_it() {
    goes_live(&House::new().await).await;
    if let Some(server) = Postgres::start("an_account_is_a_draft_until_its_client_has_approved_all_of_it") {
        goes_live(&House::on(Some(server.create_database())).await).await;
    }
}

async fn goes_live(house: &House) {
    let pat = client(house, "pat", &["contacts", "protocol", "settings"]).await;
    let path = format!("{HERE}/going_live");
    let stands = house.fetch(&path, &pat).await.json();
    assert_eq!((&stands["state"], &stands["before"]), (&json!("draft"), &json!(false)));
    assert!(stands["parts"][1]["lines"].to_string().contains("Ben Ortiz, technician: mobile +12025550121"), "{stands}");
    let approve = |part: &Value| json!({"part": part["part"], "version": part["version"], "name": "Pat Moss"});
    let approvals = format!("{HERE}/approvals");
    let mut stale = approve(&stands["parts"][0]);
    stale["version"] = json!("000000000000");
    assert_eq!(house.ask(Method::POST, &approvals, &pat, stale).await.problem(), "going_live.stale");
    let way = |destination: &str| json!({"name": "Ben Ortiz", "destination": destination, "urgent": true});
    assert_eq!(
        (&stands["unverified"], &stands["test_night_at"]),
        (&json!([way("mobile"), way("email")]), &Value::Null)
    );
    let night = json!({"protocol": shorter(), "call_type": "ct_urgent", "at": "2026-03-07T02:00", "hours": 1, "people": {"kind": "nobody"}});
    for _ in 0..2 {
        let got = house.ask(Method::POST, &format!("{HERE}/simulate"), &pat, night.clone()).await;
        assert_eq!((got.status, &got.json()["errors"]), (StatusCode::OK, &json!([])), "{}", got.json());
    }
    assert_eq!(rows(house, "object=acc_plumbing&act=account.night_tried").await.len(), 1);
    let parts = stands["parts"].as_array().expect("parts");
    for part in &parts[..2] {
        let got = house.ask(Method::POST, &approvals, &pat, approve(part)).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    }
    // With the last it would go live, and nobody has seen that an urgent message reaches anybody.
    let got = house.ask(Method::POST, &approvals, &pat, approve(&parts[2])).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "going_live.unverified"));
    assert_eq!(house.fetch(&path, &pat).await.json()["state"], "draft");
    let mut yes = approve(&parts[2]);
    yes["accept_unverified"] = json!(true);
    let got = house.ask(Method::POST, &approvals, &pat, yes).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    assert_eq!(rows(house, "object=acc_plumbing&act=account.live_unverified").await.len(), 1);
    let stands = house.fetch(&path, &pat).await.json();
    assert_eq!((&stands["state"], &stands["test_night_at"]), (&json!("in_service"), &json!(START.0)));
    let approved = &stands["parts"][0]["approved"];
    assert_eq!(
        (&approved["name"], &approved["by"]["name"], &approved["at"]),
        (&json!("Pat Moss"), &json!("PAT"), &json!(START.0))
    );
    let kim = house.sign_in("kim").await;
    let desk = house.fetch("/api/v1/accounts/acc_plumbing", &kim).await.json();
    assert_eq!(desk["going_live"], json!({"state": "in_service", "missing": [], "changed": []}));
    // Another number: the contacts are another, and the account stays in service.
    let edition = desk["edition"].clone();
    let new = json!({"edition": edition, "name": "Zoe", "destinations": []});
    assert_eq!(house.ask(Method::POST, &format!("{HERE}/contacts"), &pat, new).await.status, StatusCode::CREATED);
    let desk = house.fetch("/api/v1/accounts/acc_plumbing", &kim).await.json();
    assert_eq!(desk["going_live"], json!({"state": "in_service", "missing": [], "changed": ["contacts"]}));
    // By telephone it is the service that puts it down.
    let sam = house.sign_in("sam").await;
    let contacts = house.fetch("/api/v1/accounts/acc_plumbing/going_live", &sam).await.json()["parts"][1].clone();
    let got = house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/approvals", &sam, approve(&contacts)).await.json();
    assert_eq!(
        (&got["parts"][1]["state"], &got["parts"][1]["approved"]["by"]["name"]),
        (&json!("approved"), &json!("SAM"))
    );
    assert_eq!(rows(house, "object=acc_plumbing&act=account.approved").await.len(), 4);
}

#[tokio::test]
async fn what_says_nothing_is_approved_by_nobody_and_the_account_stays_a_draft() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let new = json!({"name": "Acme Heating", "zone": "America/Chicago", "dids": ["+12025550150"],
        "greeting": {"kind": "spoken", "text": "Acme Heating."}});
    let made = house.ask(Method::POST, "/api/v1/accounts", &sam, new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json());
    let account = made.json()["id"].as_str().expect("an id").to_owned();
    let pat = client_of(&house, "pat", &account, &["contacts", "protocol", "settings"]).await;
    let at = format!("/api/v1/portal/accounts/{account}");
    let (path, approvals) = (format!("{at}/going_live"), format!("{at}/approvals"));
    let approve = |part: &Value| json!({"part": part["part"], "version": part["version"], "name": "Pat Moss"});
    let parts = house.fetch(&path, &pat).await.json()["parts"].clone();
    assert_eq!(parts[0]["lacks"], Value::Null);
    assert_eq!(house.ask(Method::POST, &approvals, &pat, approve(&parts[0])).await.status, StatusCode::OK);
    for (part, who) in [(&parts[1], "under People"), (&parts[2], "service sets up call types")] {
        let lacks = part["lacks"].as_str().expect("a sentence");
        assert!(part["lines"] == json!([]) && lacks.contains(who), "{part}");
        let got = house.ask(Method::POST, &approvals, &pat, approve(part)).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "going_live.empty"));
        assert_eq!(got.json()["detail"], lacks);
        // Nor is it put down by the service, as if it had been read to somebody.
        let by_telephone = format!("/api/v1/accounts/{account}/approvals");
        let got = house.ask(Method::POST, &by_telephone, &sam, approve(part)).await;
        assert_eq!(got.problem(), "going_live.empty");
    }
    assert_eq!(house.fetch(&path, &pat).await.json()["state"], "draft");
    // Somebody is there: it can be read, and approved.
    let new = json!({"name": "Dana", "destinations": [
        {"label": "email", "reach": {"kind": "email", "address": "dana@example.com"}}]});
    assert_eq!(house.ask(Method::POST, &format!("{at}/contacts"), &pat, new).await.status, StatusCode::CREATED);
    let part = house.fetch(&path, &pat).await.json()["parts"][1].clone();
    assert_eq!(part["lacks"], Value::Null);
    assert_eq!(house.ask(Method::POST, &approvals, &pat, approve(&part)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_part_is_approved_by_whoever_may_read_it() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["contacts"]).await;
    let body = |part: &str| json!({"part": part, "version": "x", "name": "Pat"});
    let approvals = format!("{HERE}/approvals");
    assert_eq!(house.ask(Method::POST, &approvals, &pat, body("escalation")).await.problem(), "portal.right");
    assert_eq!(house.ask(Method::POST, &approvals, &pat, body("contacts")).await.problem(), "going_live.stale");
}

#[tokio::test]
async fn a_client_sets_holidays_recap_and_what_callers_hear_first() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["settings"]).await;
    let settings = house.fetch(&format!("{HERE}/settings"), &pat).await.json();
    assert_eq!((&settings["holidays"], &settings["recap"]), (&json!([]), &Value::Null));
    let edition = settings["edition"].clone();
    let day = |name: &str, date: &str| json!({"name": name, "date": date, "greeting": {"kind": "spoken", "text": "We are closed."}});
    let path = format!("{HERE}/holidays");
    let got =
        house.ask(Method::PUT, &path, &pat, json!({"edition": edition, "holidays": [day("Christmas", "12-25")]})).await;
    assert_eq!((got.status, &got.json()["holidays"][0]["like"]), (StatusCode::OK, &Value::Null), "{}", got.json());
    assert_eq!(
        house.ask(Method::PUT, &path, &pat, json!({"edition": edition, "holidays": []})).await.problem(),
        "account.stale"
    );
    let edition = got.json()["edition"].clone();
    let mut wrong = day("Easter", "whenever");
    wrong["like"] = json!("Christmas");
    let got = house.ask(Method::PUT, &path, &pat, json!({"edition": edition, "holidays": [wrong]})).await;
    assert_eq!(
        (got.status, got.json()["errors"][0]["pointer"].as_str().is_some_and(|p| p.starts_with("/holidays/0"))),
        (StatusCode::UNPROCESSABLE_ENTITY, true),
        "{}",
        got.json()
    );
    let mut unlike = day("Easter", "2026-04-05");
    (unlike["like"], unlike["greeting"]) = (json!("Ramadan"), json!({"kind": "uploaded", "recording": "0011"}));
    let got = house.ask(Method::PUT, &path, &pat, json!({"edition": edition, "holidays": [unlike]})).await.json();
    let codes: Vec<&str> =
        got["errors"].as_array().expect("errors").iter().filter_map(|e| e["code"].as_str()).collect();
    assert_eq!(codes, ["holiday.like", "holiday.greeting"]);

    let status = format!("{HERE}/status_greeting");
    let past = json!({"text": "Closed today.", "until": START.0});
    assert_eq!(house.ask(Method::PUT, &status, &pat, past).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let words = json!({"text": "Closed today.", "until": START.0 + 3_600_000});
    let got = house.ask(Method::PUT, &status, &pat, words).await;
    assert_eq!((got.status, &got.json()["status_greeting"]["by"]), (StatusCode::OK, &json!("PAT")), "{}", got.json());
    let read = house.fetch(&format!("{HERE}/settings"), &pat).await.json();
    assert_eq!(read["status_greeting"]["words"], json!("Closed today."), "to be read, and to be changed");
    let got = house.ask(Method::DELETE, &status, &pat, Value::Null).await;
    assert_eq!((got.status, &got.json()["status_greeting"]), (StatusCode::OK, &Value::Null));

    let recap = format!("{HERE}/recap");
    let plan = json!({"times": ["08:00"], "to": [{"contact": "con_ben", "destination": "email"}]});
    let got = house.ask(Method::PUT, &recap, &pat, plan).await;
    assert_eq!((got.status, &got.json()["recap"]["times"]), (StatusCode::OK, &json!(["08:00"])));
    assert!(got.json()["next_recap_at"].is_i64());
    assert_eq!(house.ask(Method::DELETE, &recap, &pat, Value::Null).await.status, StatusCode::NO_CONTENT);
}
