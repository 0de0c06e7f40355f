//! Schedules by the API: who may, what is seen, what a change does, what is refused, and that the last change is taken back.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

use axum::http::{Method, StatusCode};
use cordboard::engine::feed::FeedEvent;
use serde_json::{Value, json};

use crate::peers::postgres::Postgres;
use crate::support::{House, START};

const HOUR: i64 = 3_600_000;
const ACCOUNT: &str = "/api/v1/accounts/acc_plumbing";
const TECHNICIAN: &str = "/api/v1/schedules/sch_technician";

async fn expect(house: &House, status: StatusCode, method: Method, path: &str, token: &str, body: Value) -> Value {
    let got = house.ask(method, path, token, body).await;
    assert_eq!(got.status, status, "{path}: {}", String::from_utf8_lossy(&got.body));
    if got.body.is_empty() { Value::Null } else { got.json() }
}

async fn post(house: &House, status: StatusCode, path: &str, token: &str, body: Value) -> Value {
    expect(house, status, Method::POST, path, token, body).await
}

async fn fetch(house: &House, path: &str, token: &str) -> Value {
    let got = house.fetch(path, token).await;
    assert_eq!(got.status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&got.body));
    got.json()
}

/// A contact whom the protocol reaches, and its identifier.
pub async fn add_contact(house: &House, token: &str, name: &str, number: &str) -> String {
    let mobile = json!({"label": "mobile", "reach": {"kind": "phone", "address": number}});
    let email = json!({"label": "email", "reach": {"kind": "email", "address": "ada@example.com"}});
    let body = json!({"name": name, "title": "technician", "destinations": [mobile, email]});
    let made = post(house, StatusCode::CREATED, &format!("{ACCOUNT}/contacts"), token, body).await;
    made["id"].as_str().unwrap().to_owned()
}

fn at(hours: i64) -> i64 {
    START.0 + hours * HOUR
}

/// Ben and Ada in turn, a day each; START is 2026-03-07T02:00 UTC.
fn rotation(ada: &str, edition: &Value) -> Value {
    let turn = |who: &str| json!({"people": [who], "length": {"unit": "days", "count": 1}});
    json!({"edition": edition, "role": "technician", "zone": "UTC", "layers": [
        {"name": "rotation A", "rotation": {"anchor": "2026-03-07T00:00", "turns": [turn("con_ben"), turn(ada)]}}]})
}

async fn edition(house: &House, token: &str) -> Value {
    fetch(house, &format!("{ACCOUNT}/schedules"), token).await["edition"].clone()
}

#[tokio::test]
async fn a_schedule_is_changed_seen_swapped_and_every_change_is_noted_and_taken_back() {
    from_one_person_to_two(&House::new().await).await;
    if let Some(server) = Postgres::start("a_schedule_is_changed_seen_swapped_and_every_change_is_noted_and_taken_back")
    {
        from_one_person_to_two(&House::on(Some(server.create_database())).await).await;
    }
}

async fn from_one_person_to_two(house: &House) {
    let (sam, kim) = (house.sign_in("sam").await, house.sign_in("kim").await);
    let ada = add_contact(house, &sam, "Ada Lee", "+12025550122").await;
    let mut feed = house.front.feed.subscribe();
    let body = rotation(&ada, &edition(house, &sam).await);
    let changed = expect(house, StatusCode::OK, Method::PUT, TECHNICIAN, &sam, body).await;
    assert_eq!(changed["layers"][0]["name"], "rotation A");
    assert_eq!(changed["fallback"], Value::Null);
    let told = std::iter::from_fn(|| feed.try_recv().ok());
    assert!(told.into_iter().any(|event| matches!(event, FeedEvent::Account { .. })), "every console hears of it");

    // Ada takes some hours of Ben's.
    let evening = json!({"kind": "replace", "contact": ada, "instead_of": "con_ben",
        "from": at(2), "until": at(6), "note": "concert"});
    let overridden = post(house, StatusCode::CREATED, &format!("{TECHNICIAN}/overrides"), &sam, evening).await;
    let over = overridden["overrides"][0]["id"].as_str().unwrap().to_owned();
    let calendar = fetch(house, &format!("{TECHNICIAN}/calendar?from={}&until={}", at(0), at(30)), &kim).await;
    let people = |span: &Value| span["people"][0].as_str().unwrap_or_default().to_owned();
    let spans: Vec<_> = calendar["final"].as_array().unwrap().iter().map(|s| (people(s), s["from"].clone())).collect();
    let ada_s = ada.as_str();
    let expected = [("con_ben", at(0)), (ada_s, at(2)), ("con_ben", at(6)), (ada_s, at(22))];
    assert_eq!(spans, expected.map(|(who, from)| (who.to_owned(), json!(from))));
    assert_eq!(calendar["final"][1]["why"], "override by SAM, 02:00, beats rotation A");
    assert_eq!(calendar["layers"][0]["spans"].as_array().unwrap().len(), 2, "a layer by itself knows no override");
    assert_eq!(calendar["overrides"][0]["takes_effect"], true);
    assert_eq!((&calendar["gaps"], &calendar["conflicts"]), (&json!([]), &json!([])));

    // They swap what is left of their days.
    let swap = json!({"one": {"contact": "con_ben", "from": at(6), "until": at(22)},
        "other": {"contact": ada, "from": at(22), "until": at(46)}});
    let swapped = post(house, StatusCode::OK, &format!("{TECHNICIAN}/swap"), &sam, swap.clone()).await;
    assert_eq!(swapped["overrides"].as_array().unwrap().len(), 3);
    let twice = house.ask(Method::POST, &format!("{TECHNICIAN}/swap"), &sam, swap).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY, "neither is on call then any more");
    let calendar = fetch(house, &format!("{ACCOUNT}/calendar?from={}&until={}", at(7), at(40)), &kim).await;
    let spans = calendar["items"][0]["final"].as_array().unwrap();
    assert_eq!(spans.iter().map(people).collect::<Vec<_>>(), [ada.clone(), "con_ben".to_owned()]);

    // The last change is taken back, and done again.
    for left in [1, 3] {
        let body = json!({"edition": edition(house, &sam).await});
        let undone = post(house, StatusCode::OK, &format!("{TECHNICIAN}/undo"), &sam, body).await;
        assert_eq!(undone["schedule"]["overrides"].as_array().unwrap().len(), left);
    }
    let gone = format!("{TECHNICIAN}/overrides/{over}");
    let back = expect(house, StatusCode::OK, Method::DELETE, &gone, &sam, Value::Null).await;
    assert_eq!(back["overrides"].as_array().unwrap().len(), 2);
    let history = fetch(house, &format!("{ACCOUNT}/schedules/history"), &kim).await;
    let what: Vec<_> = history["items"].as_array().unwrap().iter().map(|c| c["what"].as_str().unwrap()).collect();
    assert_eq!(what.len(), 6, "{what:?}");
    let evening = "Sat 7 Mar 04:00 – Sat 7 Mar 08:00";
    assert_eq!(what[0], format!("took an override back (put Ada Lee in the place of Ben Ortiz), {evening}"));
    assert!(what[1].starts_with("took back what SAM changed Sat 7 Mar 02:00; put "), "{}", what[1]);
    assert_eq!(what[4], format!("put Ada Lee in the place of Ben Ortiz, {evening} (concert)"));
    // Who was on call before it, and who is since.
    let line = |change: usize, nth: usize| history["items"][change]["lines"][nth].clone();
    let who = |line: &Value| (line["before"].clone(), line["after"].clone());
    assert_eq!(who(&line(0, 0)), (json!("Ada Lee"), json!("Ben Ortiz")));
    assert_eq!(who(&line(1, 0)), (Value::Null, Value::Null), "that it was an undo");
    // Two that were made at once stand in either order.
    let swapped = [who(&line(1, 1)), who(&line(1, 2))];
    let one_way = (json!("Ben Ortiz"), json!("Ada Lee"));
    assert!(swapped.contains(&one_way) && swapped.contains(&(one_way.1, one_way.0)), "{swapped:?}");
    assert_eq!(who(&line(4, 0)), (json!("Ben Ortiz"), json!("Ada Lee")));
    let can_undo: Vec<_> = history["items"].as_array().unwrap().iter().map(|c| c["can_undo"].clone()).collect();
    assert_eq!(can_undo, [true, false, false, false, false, false]);
    assert!(history["items"].as_array().unwrap().iter().all(|change| change["by"] == "SAM"));
    let now = fetch(house, &format!("{ACCOUNT}/on_call"), &kim).await;
    assert_eq!(now["items"][0]["people"][0]["name"], "Ben Ortiz");
    assert_eq!(now["items"][0]["why"], "rotation A");
}

#[tokio::test]
async fn operators_see_and_change_nothing_and_nobody_overwrites_what_they_have_not_seen() {
    let house = House::new().await;
    let (sam, kim) = (house.sign_in("sam").await, house.sign_in("kim").await);
    let ada = add_contact(&house, &sam, "Ada Lee", "+12025550122").await;
    let body = rotation(&ada, &edition(&house, &sam).await);
    expect(&house, StatusCode::FORBIDDEN, Method::PUT, TECHNICIAN, &kim, body.clone()).await;
    let evening = json!({"kind": "only", "contact": ada, "from": at(2), "until": at(6)});
    post(&house, StatusCode::FORBIDDEN, &format!("{TECHNICIAN}/overrides"), &kim, evening).await;
    expect(&house, StatusCode::OK, Method::PUT, TECHNICIAN, &sam, body.clone()).await;
    expect(&house, StatusCode::CONFLICT, Method::PUT, TECHNICIAN, &sam, body.clone()).await;
    let mut unseen = body;
    unseen.as_object_mut().unwrap().remove("edition");
    expect(&house, StatusCode::PRECONDITION_REQUIRED, Method::PUT, TECHNICIAN, &sam, unseen).await;
    // The protocol in force reaches the technician.
    let body = json!({"edition": edition(&house, &sam).await});
    let got = house.ask(Method::DELETE, TECHNICIAN, &sam, body).await;
    assert_eq!(got.status, StatusCode::PRECONDITION_REQUIRED, "a body of a DELETE says nothing");
}

#[tokio::test]
async fn a_draft_is_looked_at_before_it_is_saved_and_all_that_is_wrong_is_told() {
    let house = House::new().await;
    let (sam, kim) = (house.sign_in("sam").await, house.sign_in("kim").await);
    let ada = add_contact(&house, &sam, "Ada Lee", "+12025550122").await;
    let draft = |schedule: Value| json!({"schedule": schedule, "from": at(0), "until": at(48)});
    let path = format!("{ACCOUNT}/schedules/preview");
    let seen = post(&house, StatusCode::OK, &path, &kim, draft(rotation(&ada, &Value::Null))).await;
    assert_eq!((seen["schedule"].clone(), seen["final"].as_array().unwrap().len()), (Value::Null, 3));
    assert_eq!(fetch(&house, &format!("{ACCOUNT}/schedules"), &kim).await["items"][0]["layers"], json!([]));
    let wrong = json!({"role": " ", "zone": "Nowhere/Land", "fallback": "con_gone", "layers": [{"name": "",
        "windows": [{"days": [], "from": "25:00", "until": "08:00"}],
        "rotation": {"anchor": "soon", "turns": [{"people": ["con_x"], "length": {"unit": "days", "count": 0}}]}}]});
    let refused = post(&house, StatusCode::UNPROCESSABLE_ENTITY, &path, &kim, draft(wrong)).await;
    let codes: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap()).collect();
    let unknown = "schedule.unknown_contact";
    assert_eq!(
        codes,
        [
            "schedule.role",
            "schedule.zone",
            "schedule.layer_name",
            "schedule.anchor",
            "schedule.length",
            unknown,
            "schedule.window_days",
            "schedule.window_times",
            unknown
        ]
    );
}

#[tokio::test]
async fn shifts_are_read_in_from_a_spreadsheet_and_read_out_by_a_secret_address() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    add_contact(&house, &sam, "Ada Lee", "+12025550122").await;
    let text = "person,start,end\nAda Lee,2026-03-07 04:00,2026-03-07 08:00\nZed,2026-03-07 08:00,2026-03-07 09:00\n";
    let mut file = json!({"format": "csv", "text": text, "role": "technician", "zone": "UTC", "dry_run": true});
    let path = format!("{ACCOUNT}/schedules/import");
    let looked = post(&house, StatusCode::OK, &path, &sam, file.clone()).await;
    assert_eq!((looked["schedule"].clone(), looked["shifts"][0]["from"].clone()), (Value::Null, json!(at(2))));
    assert_eq!(looked["not_understood"][0]["line"], 3);
    file["dry_run"] = json!(false);
    file["edition"] = edition(&house, &sam).await;
    post(&house, StatusCode::CONFLICT, &path, &sam, file.clone()).await;
    file["skip"] = json!(true);
    let read = post(&house, StatusCode::OK, &path, &sam, file).await;
    assert_eq!(read["schedule"]["temporary"][0]["from"], at(2));

    let feeds = format!("{ACCOUNT}/schedules/feeds");
    let made = post(&house, StatusCode::CREATED, &feeds, &sam, json!({"schedule": "sch_technician"})).await;
    let address = made["path"].as_str().unwrap();
    let got = house.fetch(address, "").await;
    let text = String::from_utf8(got.body.clone()).unwrap();
    assert_eq!(got.status, StatusCode::OK, "{text}");
    assert!(text.contains("DTSTART:20260307T040000Z\r\nDTEND:20260307T080000Z\r\nSUMMARY:Ada Lee: technician on call"));
    assert_eq!(house.fetch("/calendars/guessed.ics", "").await.status, StatusCode::NOT_FOUND);
    let listed = fetch(&house, &feeds, &sam).await;
    assert_eq!((&listed["items"][0]["last_read_at"], &listed["items"][0]["path"]), (&json!(START.0), &Value::Null));
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/v1/schedule_feeds/{id}");
    expect(&house, StatusCode::NO_CONTENT, Method::DELETE, &path, &sam, Value::Null).await;
    assert_eq!(house.fetch(address, "").await.status, StatusCode::NOT_FOUND);
}

/// When each event of a calendar begins and ends, by its name; with what it says of its revision.
fn events_of(text: &str) -> std::collections::BTreeMap<String, Vec<String>> {
    let unfolded = text.replace("\r\n ", "");
    let mut events = std::collections::BTreeMap::new();
    for event in unfolded.split("BEGIN:VEVENT\r\n").skip(1) {
        let find = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        let told = ["DTSTART:", "DTEND:", "DTSTAMP:", "SEQUENCE:"].map(find);
        events.insert(find("UID:"), told.to_vec());
    }
    events
}

#[tokio::test]
async fn a_calendar_that_is_read_an_hour_later_holds_the_same_shifts_whole_and_by_the_same_names() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let ada = add_contact(&house, &sam, "Ada Lee", "+12025550122").await;
    // Weeks from Monday to Monday, 8:00: one lies over either edge of what a calendar tells.
    let turn = |who: &str| json!({"people": [who], "length": {"unit": "weeks", "count": 1}});
    let weeks = json!({"edition": edition(&house, &sam).await, "role": "technician", "zone": "UTC", "layers": [
        {"name": "weeks", "rotation": {"anchor": "2026-01-05T08:00", "turns": [turn("con_ben"), turn(&ada)]}}]});
    expect(&house, StatusCode::OK, Method::PUT, TECHNICIAN, &sam, weeks).await;
    let feeds = format!("{ACCOUNT}/schedules/feeds");
    let made = post(&house, StatusCode::CREATED, &feeds, &sam, json!({"schedule": "sch_technician"})).await;
    let address = made["path"].as_str().unwrap();
    let first = events_of(&String::from_utf8(house.fetch(address, "").await.body).unwrap());
    let begins: Vec<_> = first.values().map(|event| event[0].as_str()).collect();
    assert!(begins.contains(&"20260216T080000Z"), "two weeks back it had begun before: {begins:?}");
    assert!(first.values().any(|event| event[1] == "20260511T080000Z"), "sixty days on it ends after: {first:?}");
    assert!(begins.iter().all(|at| at.ends_with("T080000Z")), "{begins:?}");

    house.clock.advance(std::time::Duration::from_secs(3_600));
    let second = events_of(&String::from_utf8(house.fetch(address, "").await.body).unwrap());
    assert_eq!(first, second);

    // What is changed says so.
    let sam = house.sign_in("sam").await;
    let evening = json!({"kind": "only", "contact": ada, "from": at(12), "until": at(16)});
    post(&house, StatusCode::CREATED, &format!("{TECHNICIAN}/overrides"), &sam, evening).await;
    let third = events_of(&String::from_utf8(house.fetch(address, "").await.body).unwrap());
    let newest = |events: &std::collections::BTreeMap<String, Vec<String>>| -> i64 {
        events.values().map(|event| event[3].parse().unwrap()).max().unwrap()
    };
    assert!(newest(&third) > newest(&second), "{third:?}");
}

#[tokio::test]
async fn a_file_says_before_it_is_stored_what_it_displaces_who_stands_in_and_which_date_is_far_off() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    add_contact(&house, &sam, "Ada Lee", "+12025550122").await;
    let path = format!("{ACCOUNT}/schedules/import");
    let day = |from: &str, until: &str| format!("Ada Lee,{from} 08:00,{until} 08:00\n");
    let mut text = "person,start,end\n".to_owned();
    for (from, until) in [("04-01", "04-02"), ("04-02", "04-03"), ("04-03", "04-04"), ("07-14", "07-15")] {
        text += &day(&format!("2026-{from}"), &format!("2026-{until}"));
    }
    let file =
        |text: &str| json!({"format": "csv", "text": text, "role": "technician", "zone": "UTC", "dry_run": true});
    let looked = post(&house, StatusCode::OK, &path, &sam, file(&text)).await;
    let displaced = &looked["displaced"];
    let (first, last) = (&looked["shifts"][0], &looked["shifts"][3]);
    assert_eq!((&displaced["from"], &displaced["until"]), (&first["from"], &last["until"]));
    let open = displaced["open"].as_array().unwrap();
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!((&open[0]["from"], &open[0]["until"]), (&looked["shifts"][2]["until"], &last["from"]));
    assert_eq!((&open[0]["people"], &open[0]["source"]["kind"]), (&json!(["con_ben"]), &json!("fallback")));
    let expected = json!([{"lines": [5], "from": last["from"], "until": last["until"], "kind": "apart", "days": 101}]);
    assert_eq!(displaced["odd"], expected);
    assert_eq!(looked["refused"], json!([]));

    // A year that is years off is told of as well, though it could not be stored.
    let slip = text + &day("2028-04-04", "2028-04-05");
    let looked = post(&house, StatusCode::OK, &path, &sam, file(&slip)).await;
    assert_eq!((&looked["refused"][0]["code"], &looked["calendar"]), (&json!("schedule.too_long"), &Value::Null));
    assert_eq!(looked["displaced"]["odd"].as_array().unwrap().last().unwrap()["lines"], json!([6]));
    // Nor is a schedule made for a role that has none.
    let mut nurse = file(&slip);
    for (key, value) in [("role", json!("nurse")), ("dry_run", json!(false)), ("edition", edition(&house, &sam).await)]
    {
        nurse[key] = value;
    }
    post(&house, StatusCode::UNPROCESSABLE_ENTITY, &path, &sam, nurse).await;
    let there = fetch(&house, &format!("{ACCOUNT}/schedules"), &sam).await;
    assert_eq!(there["items"].as_array().unwrap().len(), 1, "{there}");
}

#[tokio::test]
async fn a_date_that_may_be_two_is_asked_about_and_what_is_said_counts() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let path = format!("{ACCOUNT}/schedules/import");
    let text = "person;start;end\nBen Ortiz;4/5/2026 8:00 AM;4/5/2026 8:00 PM\n";
    let mut file = json!({"format": "csv", "text": text, "role": "technician", "zone": "UTC", "dry_run": true});
    let looked = post(&house, StatusCode::OK, &path, &sam, file.clone()).await;
    let unclear = json!({"line": 2, "text": "4/5/2026", "month_first": "5 Apr 2026", "day_first": "4 May 2026"});
    assert_eq!((&looked["unclear_date"], &looked["shifts"]), (&unclear, &json!([])));
    assert_eq!(looked["notes"], json!(["Its columns are separated by semicolons."]));
    file["date_order"] = json!("month_first");
    let looked = post(&house, StatusCode::OK, &path, &sam, file).await;
    // 2026-04-05T08:00Z, 29 days and 6 hours later.
    assert_eq!((&looked["shifts"][0]["from"], &looked["unclear_date"]), (&json!(at(29 * 24 + 6)), &Value::Null));
    assert_eq!(looked["notes"][1], "Dates are read month first, as you say: 4/5/2026 is 5 Apr 2026.");
}

#[tokio::test]
async fn looking_at_a_file_tells_what_importing_it_would_refuse() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let email = json!({"label": "email", "reach": {"kind": "email", "address": "office@example.com"}});
    let office = json!({"name": "Office", "title": "", "destinations": [email]});
    post(&house, StatusCode::CREATED, &format!("{ACCOUNT}/contacts"), &sam, office).await;
    let path = format!("{ACCOUNT}/schedules/import");
    let text = "person,start,end\nOffice,2026-03-09 08:00,2026-03-10 08:00\n";
    let mut file = json!({"format": "csv", "text": text, "role": "technician", "zone": "UTC", "dry_run": true});
    let looked = post(&house, StatusCode::OK, &path, &sam, file.clone()).await;
    let (shifts, refused) = (looked["shifts"].as_array().unwrap(), looked["refused"].as_array().unwrap());
    assert_eq!((shifts.len(), refused.len()), (1, 1), "{looked}");
    assert_eq!(refused[0]["code"], "schedule.in_use");
    assert!(refused[0]["detail"].as_str().unwrap().starts_with("Office has no mobile. The protocol "), "{looked}");
    // By which nothing has changed, and which is what the import says.
    assert_eq!(looked["edition"], edition(&house, &sam).await);
    file["dry_run"] = json!(false);
    file["edition"] = looked["edition"].clone();
    let clash = post(&house, StatusCode::CONFLICT, &path, &sam, file).await;
    assert_eq!(clash["errors"], looked["refused"]);
}
