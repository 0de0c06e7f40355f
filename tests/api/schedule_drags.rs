//! What the calendar on the page asks for: one drag is one change however many overrides it takes, and who is on call everywhere.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::portal::{HERE, client};
use crate::schedules::add_contact;
use crate::support::{House, START};

const ACCOUNT: &str = "/api/v1/accounts/acc_plumbing";
const CHANGES: &str = "/api/v1/schedules/sch_technician/changes";

fn at(hours: i64) -> i64 {
    START.0 + hours * 3_600_000
}

fn only(contact: &str, from: i64, until: i64) -> Value {
    json!({"kind": "only", "contact": contact, "from": at(from), "until": at(until)})
}

async fn history(house: &House, token: &str) -> usize {
    house.fetch(&format!("{ACCOUNT}/schedules/history"), token).await.json()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_drag_is_one_change_however_many_overrides_it_takes() {
    let house = House::new().await;
    let (sam, kim) = (house.sign_in("sam").await, house.sign_in("kim").await);
    let before = history(&house, &sam).await;
    let body = json!({"add": [only("con_ben", 6, 8), only("con_ben", 20, 22)]});
    let refused = house.ask(Method::POST, CHANGES, &kim, body.clone()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let made = house.ask(Method::POST, CHANGES, &sam, body).await;
    assert_eq!(made.status, StatusCode::OK, "{:?}", made.json());
    let made = made.json()["overrides"].as_array().unwrap().clone();
    let [.., first, last] = &made[..] else { panic!("{made:?}") };
    assert_eq!((&first["from"], &last["until"]), (&json!(at(6)), &json!(at(22))));
    assert_eq!(history(&house, &sam).await, before + 1);

    // Moved: the one goes as the other comes. With anything wrong in it, nothing does.
    let wrong = json!({"remove": [first["id"]], "add": [only("con_ben", 9, 7), only("con_nobody", 9, 10)]});
    let got = house.ask(Method::POST, CHANGES, &sam, wrong).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    let told: Vec<_> = got.json()["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
    assert_eq!(told, ["/add/0/until", "/add/1/contact"]);
    assert_eq!(history(&house, &sam).await, before + 1);
    let moved = json!({"remove": [first["id"]], "add": [only("con_ben", 7, 9)]});
    let moved = house.ask(Method::POST, CHANGES, &sam, moved).await.json();
    let after = moved["overrides"].as_array().unwrap();
    assert_eq!((after.len(), &after.last().unwrap()["from"]), (made.len(), &json!(at(7))));
    assert_eq!(history(&house, &sam).await, before + 2);

    // It is gone by now.
    let again = house.ask(Method::POST, CHANGES, &sam, json!({"remove": [first["id"]]})).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(again.json()["errors"][0]["code"], "override.unknown");
}

#[tokio::test]
async fn an_operator_sees_who_is_on_call_for_every_account_and_why() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let seen = house.fetch("/api/v1/on_call", &kim).await.json();
    let own = house.fetch(&format!("{ACCOUNT}/on_call"), &kim).await.json();
    let there = seen["items"].as_array().unwrap().iter().find(|item| item["account"]["id"] == "acc_plumbing").unwrap();
    for key in ["schedule", "role", "people", "until", "why", "next"] {
        assert_eq!(there[key], own["items"][0][key], "{key}");
    }
    assert!(there["why"].as_str().is_some_and(|why| !why.is_empty()), "{there}");
}

#[tokio::test]
async fn a_named_change_is_taken_back_only_while_nobody_s_work_lies_on_it() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let undo = "/api/v1/schedules/sch_technician/undo";
    let text = "person,start,end\nBen Ortiz,2026-03-07 04:00,2026-03-07 08:00\n";
    let edition = house.fetch(&format!("{ACCOUNT}/schedules"), &sam).await.json()["edition"].clone();
    let file = json!({"edition": edition, "format": "csv", "text": text, "role": "technician", "zone": "UTC"});
    let read = house.ask(Method::POST, &format!("{ACCOUNT}/schedules/import"), &sam, file).await.json();
    let change = read["change"].clone();
    assert!(change.is_i64(), "{read}");

    // Somebody's override lies on it: that stays, and so does what was read in.
    let over = house.ask(Method::POST, CHANGES, &sam, json!({"add": [only("con_ben", 20, 22)]})).await.json();
    let refused = house.ask(Method::POST, undo, &sam, json!({"change": change})).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.json()["errors"][0]["code"], "schedule.changed_since");
    let now = house.fetch(&format!("{ACCOUNT}/schedules"), &sam).await.json();
    let there = now["items"].as_array().unwrap().iter().find(|s| s["id"] == "sch_technician").unwrap();
    assert_eq!((&there["overrides"], &there["temporary"]), (&over["overrides"], &read["schedule"]["temporary"]));

    // Once that is taken out again, it goes, though it is not the last change.
    let made = over["overrides"].as_array().unwrap().last().unwrap()["id"].clone();
    let out = house.ask(Method::POST, CHANGES, &sam, json!({"remove": [made]})).await;
    assert_eq!(out.status, StatusCode::OK);
    let undone = house.ask(Method::POST, undo, &sam, json!({"change": change})).await;
    assert_eq!(undone.status, StatusCode::OK, "{:?}", undone.json());
    assert_eq!(undone.json()["schedule"]["temporary"], json!([]));
    let unknown = house.ask(Method::POST, undo, &sam, json!({"change": 999})).await;
    assert_eq!(unknown.json()["errors"][0]["code"], "schedule.nothing_to_undo");
}

#[tokio::test]
async fn an_override_that_is_put_back_has_its_old_place_maker_and_note() {
    let house = House::new().await;
    let (sam, kim) = (house.sign_in("sam").await, house.sign_in("kim").await);
    let mut first = only("con_ben", 6, 16);
    first["note"] = json!("ill");
    let first = house.ask(Method::POST, CHANGES, &sam, json!({"add": [first]})).await.json();
    let first = first["overrides"].as_array().unwrap().last().unwrap().clone();
    let taken = house.ask(Method::POST, CHANGES, &sam, json!({"remove": [first["id"]]})).await;
    assert_eq!(taken.status, StatusCode::OK);
    let back = json!({"put_back": [first["id"]]});
    assert_eq!(house.ask(Method::POST, CHANGES, &kim, back.clone()).await.status, StatusCode::FORBIDDEN);
    let again = house.ask(Method::POST, CHANGES, &sam, back.clone()).await;
    assert_eq!(again.status, StatusCode::OK, "{:?}", again.json());
    assert_eq!(again.json()["overrides"].as_array().unwrap().last(), Some(&first));
    let twice = house.ask(Method::POST, CHANGES, &sam, back).await;
    assert_eq!(twice.json()["errors"][0]["code"], "override.there");
    let never = house.ask(Method::POST, CHANGES, &sam, json!({"put_back": ["ovr_never"]})).await;
    assert!(never.status.is_client_error());
}

#[tokio::test]
async fn an_override_that_was_taken_out_many_changes_ago_is_put_back_all_the_same() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let made = house.ask(Method::POST, CHANGES, &sam, json!({"add": [only("con_ben", 6, 16)]})).await.json();
    let first = made["overrides"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(house.ask(Method::POST, CHANGES, &sam, json!({"remove": [first["id"]]})).await.status, StatusCode::OK);
    // More changes than are read at once.
    house.clock.advance(Duration::from_secs(1));
    for hour in 0..25 {
        let add = json!({"add": [only("con_ben", 20 + 2 * hour, 21 + 2 * hour)]});
        assert_eq!(house.ask(Method::POST, CHANGES, &sam, add).await.status, StatusCode::OK);
    }
    let back = house.ask(Method::POST, CHANGES, &sam, json!({"put_back": [first["id"]]})).await;
    assert_eq!(back.status, StatusCode::OK, "{:?}", back.json());
    let there = back.json()["overrides"].as_array().unwrap().clone();
    assert!(there.contains(&first) && there.last() != Some(&first), "in its old place, under what came after it");
}

#[tokio::test]
async fn of_two_who_give_the_same_shift_away_at_once_one_is_told_that_the_other_was_first() {
    let house = House::new().await;
    let (sam, pat) = (house.sign_in("sam").await, client(&house, "pat", &["schedule"]).await);
    let ada = add_contact(&house, &sam, "Ada Lee", "+12025550122").await;
    let cy = add_contact(&house, &sam, "Cy Young", "+12025550123").await;
    let portal = format!("{HERE}/schedules/sch_technician/changes");
    let before = history(&house, &sam).await;
    let seen = |who: &str, from: i64, until: i64| json!({"people": [who], "from": at(from), "until": at(until)});
    let give = |who: &str, seen: Vec<Value>| json!({"seen": seen, "add": [only(who, 6, 8)]});

    // Both saw Ben there.
    let (one, other) = tokio::join!(
        house.ask(Method::POST, CHANGES, &sam, give(&ada, vec![seen("con_ben", 6, 8)])),
        house.ask(Method::POST, &portal, &pat, give(&cy, vec![seen("con_ben", 6, 8)])),
    );
    let ((first, second), name) =
        if one.status == StatusCode::OK { ((one, other), "Ada Lee") } else { ((other, one), "Cy Young") };
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::CONFLICT), "{:?}", second.json());
    let fault = second.json()["errors"][0].clone();
    assert_eq!((&fault["code"], &fault["pointer"]), (&json!("schedule.changed_since"), &json!("/seen/0")));
    let words = format!("Somebody else has changed this meanwhile: {name} is on call, ");
    assert!(fault["detail"].as_str().unwrap().starts_with(&words), "{fault}");
    assert_eq!(history(&house, &sam).await, before + 1, "what was refused changed nothing");

    // An old page knows nothing of that; whoever has looked gives it away.
    let late = json!({"seen": [seen("con_ben", 5, 9)], "add": [only(&cy, 5, 9)]});
    let late = house.ask(Method::POST, &portal, &pat, late).await;
    assert_eq!(late.json()["errors"][0]["code"], "schedule.changed_since");
    let now = if name == "Ada Lee" { &ada } else { &cy };
    let swap = json!({"seen": [seen("con_ben", 6, 8)], "one": {"contact": "con_ben", "from": at(5), "until": at(9)},
        "other": {"contact": now, "from": at(6), "until": at(8)}});
    let swap = house.ask(Method::POST, "/api/v1/schedules/sch_technician/swap", &sam, swap).await;
    assert_eq!(
        (swap.status, &swap.json()["errors"][0]["code"]),
        (StatusCode::CONFLICT, &json!("schedule.changed_since"))
    );
    let looked =
        json!({"seen": [seen("con_ben", 5, 6), seen(now, 6, 8), seen("con_ben", 8, 9)], "add": [only(&cy, 5, 9)]});
    let looked = house.ask(Method::POST, &portal, &pat, looked).await;
    assert_eq!(looked.status, StatusCode::OK, "{:?}", looked.json());
}

#[tokio::test]
async fn a_temporary_schedule_is_cut_by_whoever_has_seen_it_and_that_is_taken_back() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let (cut, undo) = ("/api/v1/schedules/sch_technician/temporary/cut", "/api/v1/schedules/sch_technician/undo");
    let text = "person,start,end\nBen Ortiz,2026-03-07 04:00,2026-03-07 08:00\n";
    let edition = house.fetch(&format!("{ACCOUNT}/schedules"), &sam).await.json()["edition"].clone();
    let file = json!({"edition": edition, "format": "csv", "text": text, "role": "technician", "zone": "UTC"});
    let read = house.ask(Method::POST, &format!("{ACCOUNT}/schedules/import"), &sam, file).await.json();
    let whole = read["schedule"]["temporary"].clone();
    assert_eq!((&whole[0]["from"], &whole[0]["until"]), (&json!(at(2)), &json!(at(6))), "{read}");

    let late = json!({"edition": edition, "from": at(3), "until": at(4)});
    assert_eq!(house.ask(Method::POST, cut, &sam, late).await.status, StatusCode::CONFLICT);
    let now = json!({"edition": read["edition"], "from": at(3), "until": at(4)});
    let done = house.ask(Method::POST, cut, &sam, now).await;
    assert_eq!(done.status, StatusCode::OK, "{:?}", done.json());
    let left = done.json()["temporary"].clone();
    let times: Vec<_> =
        left.as_array().unwrap().iter().map(|plan| (plan["from"].clone(), plan["until"].clone())).collect();
    assert_eq!(times, [(json!(at(2)), json!(at(3))), (json!(at(4)), json!(at(6)))]);
    let told = house.fetch(&format!("{ACCOUNT}/schedules/history"), &sam).await.json();
    assert_eq!(told["items"][0]["what"], "trimmed the temporary schedule read in");
    let back = house.ask(Method::POST, undo, &sam, json!({"change": done.json()["change"]})).await;
    assert_eq!((back.status, &back.json()["schedule"]["temporary"]), (StatusCode::OK, &whole));
}
