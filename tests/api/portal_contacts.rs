//! A client's people: a number changed once is changed everywhere, nobody is taken out who is counted on, and a destination is shown to
//! reach its person by a code.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::id::ContactId;
use serde_json::{Value, json};

use crate::audit::{row, rows};
use crate::peers::postgres::Postgres;
use crate::portal::{HERE, client};
use crate::support::{House, Told, message_body};

async fn ben(house: &House, token: &str) -> Value {
    let got = house.fetch(&format!("{HERE}/contacts"), token).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    got.json()["items"][0].clone()
}

#[tokio::test]
async fn a_number_changed_once_is_another_at_the_next_step() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["contacts"]).await;
    let listed = house.fetch(&format!("{HERE}/contacts"), &pat).await.json();
    let mut edit = listed["items"][0].clone();
    let numbers = edit["destinations"].as_array_mut().expect("destinations");
    for destination in numbers.iter_mut() {
        let known = destination.as_object_mut().expect("an object");
        known.retain(|key, _| ["id", "label", "reach", "ring_secs"].contains(&key.as_str()));
    }
    numbers[0]["reach"]["address"] = json!("+12025550177");
    let change = json!({"edition": listed["edition"], "name": "Ben Ortiz", "title": "technician", "destinations": edit["destinations"]});
    let path = format!("{HERE}/contacts/con_ben");
    let got = house.ask(Method::PUT, &path, &pat, change.clone()).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    assert_eq!(got.json()["destinations"][0]["id"], "dst_ben-mobile", "it is the same destination");
    // Something else, as it was read before: somebody else was first.
    let mut other = change;
    other["title"] = json!("plumber");
    assert_eq!(house.ask(Method::PUT, &path, &pat, other).await.problem(), "account.stale");
    let kim = house.sign_in("kim").await;
    assert_eq!(house.ask(Method::POST, "/api/v1/messages", &kim, message_body()).await.status, StatusCode::CREATED);
    house.advance(Duration::from_secs(6)).await;
    let texts = Told::so_far(&house.told.texts);
    assert_eq!(texts.iter().map(|text| text.to.as_e164()).collect::<Vec<_>>(), ["+12025550177"]);
}

#[tokio::test]
async fn whoever_lost_the_answer_and_saves_again_has_saved_and_nobody_is_there_twice() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["contacts"]).await;
    let path = format!("{HERE}/contacts");
    let edition = house.fetch(&path, &pat).await.json()["edition"].clone();
    let way = json!([{"label": "mobile", "reach": {"kind": "phone", "address": "(202) 555-0188"}}]);
    let otto = json!({"edition": edition, "name": " Otto Lost", "destinations": way});
    let first = house.ask(Method::POST, &path, &pat, otto.clone()).await;
    let again = house.ask(Method::POST, &path, &pat, otto.clone()).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED), "{}", again.json());
    assert_eq!(
        (first.json()["id"].clone(), first.json()["edition"].clone()),
        (again.json()["id"].clone(), again.json()["edition"].clone())
    );
    // Whoever is said to be somebody else is asked about all the same.
    let mut namesake = otto;
    namesake["namesake"] = json!(true);
    assert_eq!(house.ask(Method::POST, &path, &pat, namesake).await.problem(), "account.stale");

    let ottos = format!("{path}/{}", first.json()["id"].as_str().expect("an id"));
    let change =
        json!({"edition": first.json()["edition"], "name": "Otto Lost", "title": "plumber", "destinations": []});
    let first = house.ask(Method::PUT, &ottos, &pat, change.clone()).await;
    let again = house.ask(Method::PUT, &ottos, &pat, change.clone()).await;
    assert_eq!((first.status, again.status), (StatusCode::OK, StatusCode::OK), "{}", again.json());
    assert_eq!(first.json()["edition"], again.json()["edition"], "nothing was changed once more");
    let mut other = change;
    other["title"] = json!("plumber, nights");
    assert_eq!(house.ask(Method::PUT, &ottos, &pat, other).await.problem(), "account.stale");
}

#[tokio::test]
async fn whoever_is_counted_on_is_not_taken_out_and_it_is_said_where() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["contacts"]).await;
    let path = format!("{HERE}/contacts/con_ben");
    let uses = house.fetch(&format!("{path}/uses"), &pat).await.json();
    let kinds: Vec<&str> = uses["items"].as_array().expect("uses").iter().filter_map(|u| u["kind"].as_str()).collect();
    assert_eq!(kinds, ["fallback"], "{uses}");
    assert_eq!(uses["items"][0]["text"], "On call as technician when nobody else is.");
    let got = house.ask(Method::DELETE, &path, &pat, Value::Null).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "account.clash"));
    assert_eq!(got.json()["errors"][0]["detail"], "Ben Ortiz is in the schedule of the technician.");
    let new = json!({"name": "Zoe", "destinations": []});
    let got = house.ask(Method::POST, &format!("{HERE}/contacts"), &pat, new).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    let zoe = format!("{HERE}/contacts/{}", got.json()["id"].as_str().expect("an id"));
    assert_eq!(house.fetch(&format!("{zoe}/uses"), &pat).await.json()["items"], json!([]));
    assert_eq!(house.ask(Method::DELETE, &zoe, &pat, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.fetch(&zoe, &pat).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_second_person_of_one_name_is_asked_about_and_taken_when_it_is_said() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["contacts"]).await;
    let sam = house.sign_in("sam").await;
    let path = format!("{HERE}/contacts");
    let twin = json!({"name": "ben ORTIZ ", "title": "plumber", "destinations": []});
    for (path, token) in [(path.as_str(), &pat), ("/api/v1/accounts/acc_plumbing/contacts", &sam)] {
        let got = house.ask(Method::POST, path, token, twin.clone()).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "account.clash"));
        let told = got.json()["errors"][0].clone();
        assert_eq!((&told["code"], &told["pointer"]), (&json!("contact.namesake"), &json!("/name")));
        assert_eq!(told["detail"], "There is already somebody called Ben Ortiz (technician, +1…21).");
    }
    let mut said = twin;
    said["namesake"] = json!(true);
    let made = house.ask(Method::POST, &path, &pat, said).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json());
    // They keep the name unasked, whatever else is changed.
    let edit =
        json!({"edition": made.json()["edition"], "name": "Ben Ortiz", "title": "plumber, nights", "destinations": []});
    let twins = format!("{path}/{}", made.json()["id"].as_str().expect("an id"));
    assert_eq!(house.ask(Method::PUT, &twins, &pat, edit).await.status, StatusCode::OK);
    // Who takes the name is asked as whoever is new.
    let zoe = house.ask(Method::POST, &path, &pat, json!({"name": "Zoe"})).await.json();
    let edit = json!({"edition": zoe["edition"], "name": "Ben Ortiz", "destinations": []});
    let zoes = format!("{path}/{}", zoe["id"].as_str().expect("an id"));
    let got = house.ask(Method::PUT, &zoes, &pat, edit).await;
    assert_eq!((got.status, &got.json()["errors"][0]["code"]), (StatusCode::CONFLICT, &json!("contact.namesake")));
}

#[tokio::test]
async fn a_client_names_no_system_of_the_houses() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["contacts"]).await;
    let webhook = json!([{"label": "desk", "reach": {"kind": "webhook", "address": "desk"}}]);
    let got = house
        .ask(Method::POST, &format!("{HERE}/contacts"), &pat, json!({"name": "Zoe", "destinations": webhook}))
        .await;
    assert_eq!(
        (got.status, &got.json()["errors"][0]["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("contact.webhook"))
    );
}

#[tokio::test]
async fn a_code_that_came_back_shows_that_a_telephone_reaches_its_person() {
    verified(&House::new().await).await;
    if let Some(server) = Postgres::start("a_code_that_came_back_shows_that_a_telephone_reaches_its_person") {
        verified(&House::on(Some(server.create_database())).await).await;
    }
}

async fn verified(house: &House) {
    let pat = client(house, "pat", &["contacts"]).await;
    assert_eq!(ben(house, &pat).await["destinations"][0]["verified"], Value::Null);
    let path = format!("{HERE}/contacts/con_ben/destinations/dst_ben-mobile/verification");
    let say = |code: &str| json!({"code": code});
    // None was sent.
    let got = house.ask(Method::POST, &format!("{path}/code"), &pat, say("000000")).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "verification.over"));
    assert_eq!(house.ask(Method::POST, &path, &pat, json!({"by": "email"})).await.problem(), "verification.kind");
    let got = house.ask(Method::POST, &path, &pat, json!({"by": "text"})).await;
    assert_eq!(got.status, StatusCode::ACCEPTED, "{}", got.json());
    let text = Told::so_far(&house.told.texts).pop().expect("a text");
    let code: String = text.body.chars().filter(char::is_ascii_digit).collect();
    assert_eq!((text.to.as_e164(), code.len()), ("+12025550121", 6), "{}", text.body);
    let again = house.ask(Method::POST, &path, &pat, json!({"by": "text"})).await;
    assert_eq!((again.status, again.problem().as_str()), (StatusCode::TOO_MANY_REQUESTS, "verification.too_soon"));
    let wrong = if code == "123456" { "654321" } else { "123456" };
    let got = house.ask(Method::POST, &format!("{path}/code"), &pat, say(wrong)).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "verification.wrong"));
    let got = house.ask(Method::POST, &format!("{path}/code"), &pat, say(&code)).await;
    assert_eq!((got.status, &got.json()["destinations"][0]["verified"]["by"]), (StatusCode::OK, &json!("text")));
    // It counts once.
    assert_eq!(house.ask(Method::POST, &format!("{path}/code"), &pat, say(&code)).await.problem(), "verification.over");
    let pats = house.fetch("/api/v1/me", &pat).await.json()["user"]["id"].as_str().expect("an id").to_owned();
    let log = rows(house, &format!("who={pats}&act=contact")).await;
    assert_eq!(log, [row(&pats, "contact.code_sent", "con_ben"), row(&pats, "contact.verified", "con_ben")]);
    // Another address is not shown to reach anybody.
    let mut ben = house.store.find_contact(&ContactId::named("ben")).await.expect("a store").expect("there");
    let old = ben.destinations[0].reach.clone();
    ben.destinations[0].reach = cordboard::domain::account::Reach::Phone(crate::support::number("+12025550178"));
    let mut tx = house.store.write().await.expect("the store writes");
    tx.upsert_contact(&ben).await.expect("written");
    tx.commit("test").await.expect("committed");
    assert_eq!(self::ben(house, &pat).await["destinations"][0]["verified"], Value::Null, "{old:?}");
}

#[tokio::test]
async fn five_wrong_codes_end_one_and_a_call_speaks_the_next() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["contacts"]).await;
    let path = format!("{HERE}/contacts/con_ben/destinations/dst_ben-mobile/verification");
    house.ask(Method::POST, &path, &pat, json!({"by": "text"})).await;
    let text = Told::so_far(&house.told.texts).pop().expect("a text");
    let code: String = text.body.chars().filter(char::is_ascii_digit).collect();
    let wrong = if code == "123456" { "654321" } else { "123456" };
    for _ in 0..5 {
        let got = house.ask(Method::POST, &format!("{path}/code"), &pat, json!({"code": wrong})).await;
        assert_eq!(got.problem(), "verification.wrong");
    }
    let got = house.ask(Method::POST, &format!("{path}/code"), &pat, json!({"code": code})).await;
    assert_eq!(got.problem(), "verification.over", "also for the right one");
    house.clock.advance(Duration::from_secs(61));
    let got = house.ask(Method::POST, &path, &pat, json!({"by": "call"})).await;
    assert_eq!(got.status, StatusCode::ACCEPTED, "{}", got.json());
    let (call, _) = Told::so_far(&house.told.calls).pop().expect("a call");
    let spoken = call.content.expect("words");
    let code: String = spoken.chars().filter(char::is_ascii_digit).take(6).collect();
    assert!(!call.intro.contains(&code), "nobody hears it before they press 1");
    let got = house.ask(Method::POST, &format!("{path}/code"), &pat, json!({"code": code})).await;
    assert_eq!((got.status, &got.json()["destinations"][0]["verified"]["by"]), (StatusCode::OK, &json!("call")));
    // A quarter of an hour later a code is too old.
    house.ask(Method::POST, &path.replace("mobile", "email"), &pat, json!({"by": "email"})).await;
    let mail = Told::so_far(&house.told.mails).pop().expect("a mail");
    let digits = mail.body.split(" is ").nth(1).expect("a code").chars().take(6).collect::<String>();
    house.clock.advance(Duration::from_secs(15 * 60));
    let pat = house.sign_in("pat").await;
    let path = format!("{}/code", path.replace("mobile", "email"));
    assert_eq!(house.ask(Method::POST, &path, &pat, json!({"code": digits})).await.problem(), "verification.over");
}

#[tokio::test]
async fn a_pin_is_set_and_never_shown() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["contacts"]).await;
    let path = format!("{HERE}/contacts/con_ben/pin");
    assert_eq!(
        house.ask(Method::PUT, &path, &pat, json!({"pin": "1234"})).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(house.ask(Method::PUT, &path, &pat, json!({"pin": "4718"})).await.status, StatusCode::NO_CONTENT);
    let shown = ben(&house, &pat).await;
    assert!(shown["pin_set_at"].is_i64() && !shown.to_string().contains("4718"), "{shown}");
    assert_eq!(house.ask(Method::DELETE, &path, &pat, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ben(&house, &pat).await["pin_set_at"], Value::Null);
}

#[tokio::test]
async fn a_name_is_said_in_a_call_as_its_person_says_it() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["contacts"]).await;
    let path = format!("{HERE}/contacts/con_ben/spoken_as");
    let got = house.ask(Method::PUT, &path, &pat, json!({"spoken_as": "Ben Or-teez"})).await;
    assert_eq!((got.status, &got.json()["spoken_as"]), (StatusCode::OK, &json!("Ben Or-teez")));
    let kim = house.sign_in("kim").await;
    assert_eq!(house.ask(Method::POST, "/api/v1/messages", &kim, message_body()).await.status, StatusCode::CREATED);
    house.advance(Duration::from_secs(6)).await;
    // The text has its name as it is written; a quarter of an hour later the call says it.
    house.advance(Duration::from_secs(901)).await;
    let (call, _) = Told::so_far(&house.told.calls).pop().expect("a call");
    assert!(call.intro.ends_with("for Ben Or-teez."), "{}", call.intro);
    // So does the call that speaks a code.
    let pat = house.sign_in("pat").await;
    let code = format!("{HERE}/contacts/con_ben/destinations/dst_ben-mobile/verification");
    assert_eq!(house.ask(Method::POST, &code, &pat, json!({"by": "call"})).await.status, StatusCode::ACCEPTED);
    let (call, _) = Told::so_far(&house.told.calls).pop().expect("a call");
    assert!(call.intro.ends_with("with a code for Ben Or-teez."), "{}", call.intro);
    // Written again as a whole, they are said as before.
    let mut tx = house.store.write().await.expect("the store writes");
    let ben = tx.find_contact(&ContactId::named("ben")).await.expect("a store").expect("there");
    tx.upsert_contact(&ben).await.expect("written");
    tx.commit("test").await.expect("committed");
    assert_eq!(house.store.find_spoken_as(&ben.id).await.expect("a store").as_deref(), Some("Ben Or-teez"));
}

#[tokio::test]
async fn how_a_name_is_said_is_heard_before_it_is_saved_and_written_by_the_service_too() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["contacts"]).await;
    let (kim, sam) = (house.sign_in("kim").await, house.sign_in("sam").await);
    let hear = format!("{HERE}/spoken_as/listen");
    let heard = house.ask(Method::POST, &hear, &pat, json!({"spoken_as": "Ben Or-teez"})).await;
    assert_eq!((heard.status, heard.headers["content-type"].to_str().ok()), (StatusCode::OK, Some("audio/wav")));
    assert!(heard.body.starts_with(b"RIFF"));
    for (wrong, code) in [(" ".to_owned(), "contact.spoken_as"), ("o".repeat(81), "contact.spoken_as_too_long")] {
        let got = house.ask(Method::POST, &hear, &pat, json!({"spoken_as": wrong})).await;
        assert_eq!((got.status, &got.json()["errors"][0]["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(code)));
    }
    let names = "/api/v1/accounts/acc_plumbing/spoken_as";
    assert_eq!(house.fetch(names, &kim).await.json()["items"], json!([]), "hearing keeps nothing");
    // The console's door to the same.
    let said = json!({"spoken_as": "Ben Or-teez"});
    let bens = "/api/v1/contacts/con_ben/spoken_as";
    assert_eq!(house.ask(Method::PUT, bens, &kim, said.clone()).await.problem(), "auth.role");
    let got = house.ask(Method::PUT, bens, &sam, said).await;
    assert_eq!((got.status, &got.json()["spoken_as"]), (StatusCode::OK, &json!("Ben Or-teez")));
    assert_eq!(ben(&house, &pat).await["spoken_as"], "Ben Or-teez");
    let listed = house.fetch(names, &kim).await.json();
    assert_eq!(listed["items"], json!([{"contact": "con_ben", "spoken_as": "Ben Or-teez"}]));
    let got = house.ask(Method::PUT, bens, &sam, json!({"spoken_as": null})).await;
    assert_eq!((got.status, &got.json()["spoken_as"]), (StatusCode::OK, &Value::Null));
    assert_eq!(house.fetch(names, &kim).await.json()["items"], json!([]));
    let said = json!({"spoken_as": "Ben Or-teez"});
    let hear = |account: &str| format!("/api/v1/accounts/{account}/spoken_as/listen");
    assert_eq!(house.ask(Method::POST, &hear("acc_plumbing"), &kim, said.clone()).await.problem(), "auth.role");
    assert_eq!(house.ask(Method::POST, &hear("acc_nowhere"), &sam, said.clone()).await.problem(), "not_found");
    let heard = house.ask(Method::POST, &hear("acc_plumbing"), &sam, said).await;
    assert!(heard.status == StatusCode::OK && heard.body.starts_with(b"RIFF"));
}

#[tokio::test]
async fn a_clients_log_in_does_not_keep_the_voice_busy_that_greetings_need() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["contacts"]).await;
    let hear = format!("{HERE}/spoken_as/listen");
    let hears = async || house.ask(Method::POST, &hear, &pat, json!({"spoken_as": "Ben Or-teez"})).await;
    for _ in 0..10 {
        assert_eq!(hears().await.status, StatusCode::OK);
    }
    let refused = hears().await;
    assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::TOO_MANY_REQUESTS, "speech.too_many"));
    house.advance(Duration::from_secs(6)).await;
    assert_eq!(hears().await.status, StatusCode::OK, "ten a minute");
}

#[tokio::test]
async fn hours_and_language_are_kept_and_a_test_night_honours_the_hours() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["contacts", "protocol"]).await;
    let listed = house.fetch(&format!("{HERE}/contacts"), &pat).await.json();
    let written = |hours: Value, language: &str| {
        let mut destinations = listed["items"][0]["destinations"].clone();
        for destination in destinations.as_array_mut().expect("destinations") {
            let known = destination.as_object_mut().expect("an object");
            known.retain(|key, _| ["id", "label", "reach", "ring_secs"].contains(&key.as_str()));
        }
        destinations[0]["hours"] = hours;
        json!({"edition": listed["edition"], "name": "Ben Ortiz", "title": "technician", "language": language,
            "destinations": destinations})
    };
    let path = format!("{HERE}/contacts/con_ben");
    let bad = written(json!([{"days": [], "from": "8", "until": "18:00"}]), "Spanish");
    let got = house.ask(Method::PUT, &path, &pat, bad).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "account.invalid"));
    let pointers: Vec<Value> =
        got.json()["errors"].as_array().expect("faults").iter().map(|f| f["pointer"].clone()).collect();
    assert_eq!(json!(pointers), json!(["/language", "/destinations/0/hours/0/days", "/destinations/0/hours/0"]));

    let hours = json!([{"days": ["monday", "friday"], "from": "08:00", "until": "18:00"}]);
    let got = house.ask(Method::PUT, &path, &pat, written(hours.clone(), "es")).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let ben = ben(&house, &pat).await;
    assert_eq!((&ben["language"], &ben["destinations"][0]["hours"]), (&json!("es"), &hours));
    assert_eq!(ben["destinations"][1]["hours"], json!([]));
    let kim = house.sign_in("kim").await;
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &kim).await.json();
    assert_eq!(account["contacts"][0]["language"], "es", "operators see it: {account}");

    let live = house.fetch(&format!("{HERE}/protocols"), &pat).await.json()["items"][0].clone();
    let ids: Vec<Value> = live["call_types"].as_array().expect("call types").iter().map(|t| t["id"].clone()).collect();
    let protocol = json!({"name": live["name"], "steps": live["steps"], "repeat": live["repeat"], "until": live["until"],
        "call_types": ids});
    // A Saturday.
    let asked = json!({"protocol": protocol, "call_type": ids[0], "at": "2026-03-07T02:00"});
    let night = house.ask(Method::POST, &format!("{HERE}/simulate"), &pat, asked).await;
    assert_eq!(night.status, StatusCode::OK, "{}", night.json());
    let lines = night.json()["outlook"]["lines"].as_array().expect("lines").clone();
    let told = lines.iter().find(|line| line["kind"] == "hours").unwrap_or_else(|| panic!("{lines:#?}"));
    let text = told["text"].as_str().expect("a sentence");
    assert!(text.starts_with("Ben Ortiz's mobile is not used before Mon 9 Mar 2026, 08:00"), "{text}");
    assert!(text.ends_with("as the message is urgent."), "it is not lost over an hour: {text}");
}
