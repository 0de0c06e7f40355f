//! Who is on call, in the client's own hands: what they change counts at the desk at once, in their name.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::portal::{HERE, client};
use crate::support::{House, PASSWORD, START};

const DESK: &str = "/api/v1/accounts/acc_plumbing/on_call";

fn at(hours: i64) -> i64 {
    START.0 + hours * 3_600_000
}

fn only(contact: &str, from: i64, until: i64) -> Value {
    json!({"kind": "only", "contact": contact, "from": at(from), "until": at(until)})
}

#[tokio::test]
async fn a_client_puts_somebody_on_call_and_the_desk_sees_who_did_it() {
    let house = House::new().await;
    let (kim, pat) = (house.sign_in("kim").await, client(&house, "pat", &["schedule"]).await);
    let door = format!("{HERE}/schedules/sch_technician");
    let now = house.fetch(&format!("{HERE}/on_call"), &pat).await.json();
    assert_eq!(now["items"][0]["people"], house.fetch(DESK, &kim).await.json()["items"][0]["people"]);

    let made = house.ask(Method::POST, &format!("{door}/overrides"), &pat, only("con_ben", 0, 2)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json());
    let over = made.json()["overrides"].as_array().expect("overrides").last().expect("the new one").clone();
    assert_eq!(over["by"], "PAT");
    let seen = house.fetch(DESK, &kim).await.json()["items"][0].clone();
    assert_eq!(
        (&seen["people"][0]["id"], &seen["until"]),
        (&json!("con_ben"), &Value::Null),
        "after it Ben stands in: {seen}"
    );
    assert!(seen["why"].as_str().is_some_and(|why| why.starts_with("override by PAT")), "{seen}");
    let range = format!("from={}&until={}", at(0), at(24));
    let calendar = house.fetch(&format!("{HERE}/calendar?{range}"), &pat).await.json();
    assert_eq!(calendar["items"][0]["final"][0]["people"], json!(["con_ben"]));

    // Moved as a drag moves it, and taken back.
    let moved = json!({"remove": [over["id"]], "add": [only("con_ben", 4, 6)]});
    let moved = house.ask(Method::POST, &format!("{door}/changes"), &pat, moved).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.json());
    let over = moved.json()["overrides"].as_array().expect("overrides").last().expect("the moved one").clone();
    let path = format!("{door}/overrides/{}", over["id"].as_str().expect("an id"));
    assert_eq!(house.ask(Method::DELETE, &path, &pat, Value::Null).await.status, StatusCode::OK);
    assert_eq!(house.ask(Method::DELETE, &path, &pat, Value::Null).await.problem(), "account.invalid");
    let history = house.fetch(&format!("{HERE}/schedules/history"), &pat).await.json();
    let by: Vec<_> =
        history["items"].as_array().expect("changes").iter().take(3).map(|one| one["by"].clone()).collect();
    assert_eq!(by, ["PAT", "PAT", "PAT"]);
    let listed = house.fetch(&format!("{HERE}/schedules"), &pat).await.json();
    assert_eq!(listed["edition"], desk_edition(&house, &kim).await);
}

async fn desk_edition(house: &House, token: &str) -> Value {
    house.fetch("/api/v1/accounts/acc_plumbing/schedules", token).await.json()["edition"].clone()
}

#[tokio::test]
async fn who_cannot_be_reached_is_put_on_call_by_nobody_and_a_client_is_told_what_they_can_do() {
    let house = House::new().await;
    let (sam, pat) = (house.sign_in("sam").await, client(&house, "pat", &["schedule"]).await);
    let email = json!([{"label": "email", "reach": {"kind": "email", "address": "zoe@example.com"}}]);
    let zoe = json!({"name": "Zoe", "destinations": email});
    let zoe = house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/contacts", &sam, zoe).await;
    assert_eq!(zoe.status, StatusCode::CREATED, "{}", zoe.json());
    let id = zoe.json()["id"].as_str().expect("an id").to_owned();
    let got =
        house.ask(Method::POST, &format!("{HERE}/schedules/sch_technician/overrides"), &pat, only(&id, 0, 2)).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "account.clash"));
    // Two steps go to the mobile: it is told once.
    let told = got.json()["errors"].clone();
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told[0]["detail"], "Zoe has no mobile. The protocol urgent (in force) goes by it.");
    let cure = told[0]["cure"].as_str().expect("a cure");
    assert!(cure.contains("portal under People") && !cure.contains("version"), "{cure}");
}

#[tokio::test]
async fn who_reads_messages_sees_who_is_on_call_and_changes_nothing() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["messages"]).await;
    assert_eq!(house.fetch(&format!("{HERE}/on_call"), &pat).await.status, StatusCode::OK);
    let mut shut = vec![(Method::GET, "schedules".to_owned()), (Method::GET, "schedules/history".to_owned())];
    shut.push((Method::GET, format!("calendar?from={}&until={}", at(0), at(1))));
    for what in ["overrides", "changes", "swap"] {
        shut.push((Method::POST, format!("schedules/sch_technician/{what}")));
    }
    shut.push((Method::DELETE, "schedules/sch_technician/overrides/ovr_x".to_owned()));
    shut.extend(["import", "feeds", "sch_technician/undo"].map(|what| (Method::POST, format!("schedules/{what}"))));
    shut.push((Method::GET, "schedules/feeds".to_owned()));
    shut.push((Method::DELETE, "schedules/feeds/sfd_x".to_owned()));
    for (method, below) in shut {
        let got = house.ask(method.clone(), &format!("{HERE}/{below}"), &pat, Value::Null).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "portal.right"), "{method} {below}");
    }
    // Nor does a right to something else tell who is on call.
    let ray = client(&house, "ray", &["reports"]).await;
    assert_eq!(house.fetch(&format!("{HERE}/on_call"), &ray).await.problem(), "portal.right");
}

async fn ask(house: &House, status: StatusCode, method: Method, path: &str, token: &str, body: Value) -> Value {
    let got = house.ask(method, path, token, body).await;
    assert_eq!(got.status, status, "{path}: {}", String::from_utf8_lossy(&got.body));
    if got.body.is_empty() { Value::Null } else { got.json() }
}

#[tokio::test]
async fn a_client_reads_a_file_in_after_seeing_what_it_displaces_and_takes_it_back() {
    let house = House::new().await;
    let (sam, pat) = (house.sign_in("sam").await, client(&house, "pat", &["schedule"]).await);
    let path = format!("{HERE}/schedules/import");
    let text = "person,start,end\nBen Ortiz,2026-03-08 08:00,2026-03-09 08:00\nZed,2026-03-09 08:00,2026-03-10 08:00\n\
        Ben Ortiz,2026-03-11 08:00,2026-03-12 08:00\n";
    let mut file = json!({"format": "csv", "text": text, "role": "technician", "zone": "UTC", "dry_run": true});
    let looked = ask(&house, StatusCode::OK, Method::POST, &path, &pat, file.clone()).await;
    let open = &looked["displaced"]["open"][0];
    assert_eq!((&open["people"], &open["source"]["kind"]), (&json!(["con_ben"]), &json!("fallback")), "{looked}");
    file["dry_run"] = json!(false);
    file["skip"] = json!(true);
    ask(&house, StatusCode::PRECONDITION_REQUIRED, Method::POST, &path, &pat, file.clone()).await;
    file["edition"] = looked["edition"].clone();
    let read = ask(&house, StatusCode::OK, Method::POST, &path, &pat, file.clone()).await;
    assert_eq!(read["schedule"]["temporary"][0]["by"], "PAT");
    // A role that nobody has set up is the service's to make.
    file["role"] = json!("nurse");
    ask(&house, StatusCode::NOT_FOUND, Method::POST, &path, &pat, file.clone()).await;

    let undo = format!("{HERE}/schedules/sch_technician/undo");
    let ray = client(&house, "ray", &["schedule"]).await;
    let change = json!({"change": read["change"]});
    ask(&house, StatusCode::NOT_FOUND, Method::POST, &undo, &ray, change.clone()).await;
    let undone = ask(&house, StatusCode::OK, Method::POST, &undo, &pat, change).await;
    assert_eq!(undone["schedule"]["temporary"], json!([]));
    // What the service has done is not theirs to take back, nor is what of their own is no import.
    let theirs = json!({"format": "csv", "text": text, "role": "technician", "zone": "UTC", "skip": true,
        "edition": desk_edition(&house, &sam).await});
    let desk = "/api/v1/accounts/acc_plumbing/schedules/import";
    let theirs = ask(&house, StatusCode::OK, Method::POST, desk, &sam, theirs).await;
    ask(&house, StatusCode::NOT_FOUND, Method::POST, &undo, &pat, json!({"change": theirs["change"]})).await;
    // Nor is it by being called like whoever did it.
    assert_eq!(theirs["schedule"]["temporary"][0]["by"], "SAM");
    let accounts = json!([{"account": "acc_plumbing", "rights": ["schedule"]}]);
    let namesake = json!({"login": "samuel", "name": "SAM", "password": PASSWORD, "accounts": accounts});
    ask(&house, StatusCode::CREATED, Method::POST, "/api/v1/clients", &sam, namesake).await;
    let samuel = house.sign_in("samuel").await;
    ask(&house, StatusCode::NOT_FOUND, Method::POST, &undo, &samuel, json!({"change": theirs["change"]})).await;
    let over = format!("{HERE}/schedules/sch_technician/overrides");
    let over = ask(&house, StatusCode::CREATED, Method::POST, &over, &pat, only("con_ben", 100, 102)).await;
    ask(&house, StatusCode::NOT_FOUND, Method::POST, &undo, &pat, json!({"change": over["change"]})).await;
}

#[tokio::test]
async fn a_client_makes_an_address_for_a_calendar_and_ends_it_and_none_of_anybody_elses() {
    let house = House::new().await;
    let (kim, sam) = (house.sign_in("kim").await, house.sign_in("sam").await);
    let pat = client(&house, "pat", &["schedule"]).await;
    let feeds = format!("{HERE}/schedules/feeds");
    let made = ask(&house, StatusCode::CREATED, Method::POST, &feeds, &pat, json!({"contact": "con_ben"})).await;
    let address = made["path"].as_str().expect("an address").to_owned();
    assert_eq!(house.fetch(&address, "").await.status, StatusCode::OK);
    ask(&house, StatusCode::NOT_FOUND, Method::POST, &feeds, &pat, json!({"schedule": "sch_others"})).await;
    let listed = ask(&house, StatusCode::OK, Method::GET, &feeds, &pat, Value::Null).await;
    assert_eq!((&listed["items"][0]["by"], listed["items"][0].get("path")), (&json!("PAT"), None));
    // The service sees it too, and an operator has nothing to do with it.
    let desk = "/api/v1/accounts/acc_plumbing/schedules/feeds";
    assert_eq!(ask(&house, StatusCode::OK, Method::GET, desk, &sam, Value::Null).await["items"], listed["items"]);
    ask(&house, StatusCode::FORBIDDEN, Method::GET, &feeds, &kim, Value::Null).await;

    // One of another account, which there is.
    let blank = json!({"name": "Other Ltd", "zone": "UTC", "dids": ["+12025550177"]});
    let other = ask(&house, StatusCode::CREATED, Method::POST, "/api/v1/accounts", &sam, blank).await;
    let other = other["id"].as_str().expect("an id").to_owned();
    let person = json!({"name": "Olga", "destinations": [
        {"label": "mobile", "reach": {"kind": "phone", "address": "+12025550199"}}]});
    let path = format!("/api/v1/accounts/{other}/contacts");
    let olga = ask(&house, StatusCode::CREATED, Method::POST, &path, &sam, person).await["id"].clone();
    let path = format!("/api/v1/accounts/{other}/schedules/feeds");
    let others = ask(&house, StatusCode::CREATED, Method::POST, &path, &sam, json!({"contact": olga})).await;
    for (id, status) in [(&others["id"], StatusCode::NOT_FOUND), (&made["id"], StatusCode::NO_CONTENT)] {
        let path = format!("{feeds}/{}", id.as_str().expect("an id"));
        ask(&house, status, Method::DELETE, &path, &pat, Value::Null).await;
    }
    assert_eq!(house.fetch(&address, "").await.status, StatusCode::NOT_FOUND);
    let left = ask(&house, StatusCode::OK, Method::GET, &path, &sam, Value::Null).await;
    assert_eq!(left["items"].as_array().expect("calendars").len(), 1);
}
