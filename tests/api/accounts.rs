//! Accounts with all a screen pop needs; seats; and what an operator does to a call.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::clock::Clock as _;
use cordboard::base::id::{AccountId, CallId, UserId};
use cordboard::engine::calls::Command;
use cordboard::proto::turn::credential;
use serde_json::{Value, json};

use crate::support::{House, RELAY, RELAY_SECRET, Told};

#[tokio::test]
async fn an_account_comes_with_people_protocol_and_who_is_on_call() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let list = house.fetch("/api/v1/accounts", &kim).await.json();
    assert_eq!(list["items"][0]["dids"], json!(["+12025550102"]));
    let ages = json!({"urgent_warning_secs": null, "urgent_critical_secs": null, "routine_warning_secs": null});
    assert_eq!(list["items"][0]["ages"], ages, "as the house has them");
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &kim).await.json();
    assert_eq!(account["answer_phrase"], "Imaginary Plumbing, how can I help?");
    assert_eq!(account["call_types"][0]["form"]["fields"][0]["name"], "name");
    assert_eq!(account["contacts"][0]["destinations"][0]["reach"], json!({"kind": "phone", "address": "+12025550121"}));
    assert_eq!(account["schedules"][0]["role"], "technician");
    assert_eq!(account["protocols"][0]["id"], "pro_urgent");
    assert!(account["protocols"][0]["text"][0].as_str().is_some_and(|line| !line.is_empty()));
    assert_eq!(account["on_call"][0]["contact"]["name"], "Ben Ortiz");
    assert_eq!(account["on_call"][0]["why"], "fallback");
    assert_eq!(house.fetch("/api/v1/accounts/acc_nobody", &kim).await.problem(), "not_found");
}

#[tokio::test]
async fn a_seat_is_made_ready_and_told_where_to_register() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let got = house.ask(Method::PUT, "/api/v1/seat", &kim, json!({"state": "not_ready", "reason": " lunch "})).await;
    assert_eq!(got.status, StatusCode::OK);
    let told = Told::so_far(&house.told.ready);
    assert_eq!(told, [(UserId::named("kim"), false, Some("Lunch".to_owned()))], "as the service writes it");
    let other = house.ask(Method::PUT, "/api/v1/seat", &kim, json!({"state": "not_ready", "reason": "golf"})).await;
    assert_eq!(
        (other.problem().as_str(), &other.json()["detail"]),
        ("seat.unknown_reason", &json!("Choose one of: Lunch, Training."))
    );
    let wrong = house.ask(Method::PUT, "/api/v1/seat", &kim, json!({"state": "asleep"})).await;
    assert_eq!(wrong.problem(), "body.invalid");
    let sip = house.fetch("/api/v1/seat/sip", &kim).await.json();
    assert_eq!((&sip["uri"], &sip["ws"]), (&json!("sip:kim@cordboard.local"), &json!("wss://desk.example.com/sip")));
    let check = house.ask(Method::POST, "/api/v1/seat/check", &kim, Value::Null).await;
    assert_eq!((check.status, check.problem().as_str()), (StatusCode::CONFLICT, "seat.not_now"));
}

#[tokio::test]
async fn an_operator_is_let_in_at_the_relay_for_a_while_and_nobody_else_is() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    for _ in 0..2 {
        let sip = house.fetch("/api/v1/seat/sip", &kim).await.json();
        let until = house.clock.utc().0 / 1_000 + 7_200;
        let made = credential(RELAY_SECRET, until, "usr_kim");
        assert_eq!(made.username, format!("{until}:usr_kim"));
        let server = json!({"urls": RELAY, "username": made.username, "credential": made.password});
        assert_eq!(sip["ice_servers"], json!([server]));
        assert_eq!(sip["renew_in"], 3_600);
        // Asked again in time, she gets what holds longer.
        house.clock.advance(Duration::from_secs(600));
    }
    let stranger = house.fetch("/api/v1/seat/sip", "").await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn each_button_of_a_call_reaches_the_call() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    for (path, body) in [
        ("take", Value::Null),
        ("hold", Value::Null),
        ("retrieve", Value::Null),
        ("patch", json!({"contact": "con_ben", "destination": "dst_ben-mobile"})),
        ("patch", json!({"number": "(202) 555-0177"})),
        ("patch", json!({"number": "911", "cold": true})),
        ("patch/next", Value::Null),
        ("wrap_up_more", Value::Null),
        ("patch/join", Value::Null),
        ("patch/drop", Value::Null),
        ("patch/cancel", Value::Null),
        ("hangup", Value::Null),
        ("wrap_up_done", json!({"disposition": "message taken"})),
    ] {
        let got = house.ask(Method::POST, &format!("/api/v1/calls/call_1/{path}"), &kim, body).await;
        assert_eq!(got.status, StatusCode::NO_CONTENT, "{path}");
    }
    let acts = Told::so_far(&house.told.commands);
    assert!(acts.iter().all(|(call, by, _)| *call == CallId::named("1") && *by == UserId::named("kim")));
    let Command::Patch { number, contact, ring, then, cold: false } = &acts[3].2 else { panic!("{:?}", acts[3].2) };
    assert_eq!((number.as_e164(), ring.as_secs()), ("+12025550121", 30));
    assert!(then.is_empty(), "his email is no telephone: {then:?}");
    assert_eq!(contact.as_ref().map(|c| c.name.as_str()), Some("Ben Ortiz"));
    assert_eq!(acts[6].2, Command::NextNumber);
    let Command::Patch { number, contact, .. } = &acts[4].2 else { panic!("{:?}", acts[4].2) };
    assert_eq!((number.as_e164(), contact), ("+12025550177", &None));
    // Refused, aloud, where all calls out are: by the trunks' rules.
    let Command::Patch { number, cold: true, .. } = &acts[5].2 else { panic!("{:?}", acts[5].2) };
    assert_eq!(number.emergency_code(), Some("911"));
    assert_eq!(acts[12].2, Command::WrapUpDone { disposition: Some("message taken".into()) });
}

#[tokio::test]
async fn a_caller_is_not_patched_to_a_contact_of_another_account() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let patch = json!({"contact": "con_ben", "destination": "dst_ben-mobile"});
    for (account, status) in [("clinic", StatusCode::UNPROCESSABLE_ENTITY), ("plumbing", StatusCode::NO_CONTENT)] {
        let mut up = crate::support::call_of("kim");
        up.account.id = AccountId::named(account);
        *house.told.up.lock().expect("no panic") = vec![up];
        let got = house.ask(Method::POST, "/api/v1/calls/call_1/patch", &kim, patch.clone()).await;
        assert_eq!(got.status, status, "{account}");
        if status == StatusCode::UNPROCESSABLE_ENTITY {
            assert_eq!(got.json()["errors"][0]["field"], "contact");
            assert!(Told::so_far(&house.told.commands).is_empty(), "nobody is dialled");
        }
    }
}

#[tokio::test]
async fn what_does_not_fit_the_call_is_refused_in_words() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    for body in [
        json!({}),
        json!({"number": "12"}),
        json!({"contact": "con_ben"}),
        json!({"contact": "con_ben", "destination": "dst_ben-email"}),
        json!({"contact": "con_nobody", "destination": "dst_x"}),
        json!({"contact": "con_ben", "destination": "dst_ben-mobile", "number": "2025550177"}),
    ] {
        let got = house.ask(Method::POST, "/api/v1/calls/call_1/patch", &kim, body.clone()).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "patch.invalid"), "{body}");
    }
    *house.told.refuse.lock().expect("no panic") = true;
    let got = house.ask(Method::POST, "/api/v1/calls/call_1/hold", &kim, Value::Null).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "call.not_now"));
    assert_eq!(got.json()["detail"], "The caller has hung up.");
}

#[tokio::test]
async fn an_alarm_that_was_seen_to_is_silenced() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let got = house.ask(Method::DELETE, "/api/v1/alarms/text-1", &kim, Value::Null).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    assert_eq!(Told::so_far(&house.told.silenced), ["text-1"]);
}

#[tokio::test]
async fn a_supervisor_says_what_operators_can_do() {
    let house = House::new().await;
    let (kim, sam) = (house.sign_in("kim").await, house.sign_in("sam").await);
    let path = "/api/v1/users/usr_kim/skills";
    let skills = json!({"skills": [" Spanish ", "medical", "spanish"]});
    assert_eq!(house.ask(Method::PUT, path, &kim, skills.clone()).await.problem(), "auth.role");
    assert_eq!(house.ask(Method::PUT, path, &sam, skills.clone()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.fetch("/api/v1/users", &kim).await.problem(), "auth.role");
    let users = house.fetch("/api/v1/users", &sam).await.json();
    let items = users["items"].as_array().expect("a list");
    let found = items.iter().find(|user| user["login"] == "kim").expect("kim");
    assert_eq!(found["skills"], json!(["medical", "spanish"]));
    let nobody = house.ask(Method::PUT, "/api/v1/users/usr_nobody/skills", &sam, skills).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    let wrong = house.ask(Method::PUT, path, &sam, json!({"skills": [""]})).await;
    assert_eq!(wrong.problem(), "body.invalid");
}

/// Out of hours a menu: 1 for the urgent, otherwise voicemail.
fn out_of_hours() -> Value {
    let voicemail = json!({"kind": "voicemail", "speech": {"kind": "spoken", "text": "Speak after the tone."},
        "call_type": "ct_urgent", "max_secs": 60, "silence_secs": 5});
    json!({
        "hours": {
            "usual": {"kind": "queue", "priority": null, "call_type": null},
            "windows": [{"name": "night", "days": ["monday", "sunday"], "from": "18:00", "until": "08:00",
                "greeting": null, "flow": {"kind": "menu", "menu": "night"}}],
            "holidays": [{"name": "Christmas", "date": "12-25", "span": null, "greeting": null,
                "flow": {"kind": "announcement", "speech": {"kind": "spoken", "text": "Closed."}}}],
            "overrides": [],
            "check_in": null,
        },
        "menus": [{"name": "night", "start": "ask", "otherwise": {"kind": "queue", "priority": null, "call_type": null},
            "nodes": [
                {"id": "ask", "step": "gather", "speech": {"kind": "spoken", "text": "Press 1 if it is urgent."},
                    "choices": [{"digits": "1", "label": "urgent", "next": "now"}],
                    "timeout_secs": 6, "retries": 1, "barge_in": true, "invalid": null, "silent": null,
                    "gave_up": "later"},
                {"id": "now", "step": "exit", "flow": {"kind": "queue", "priority": 5, "call_type": "ct_urgent"}},
                {"id": "later", "step": "exit", "flow": voicemail},
            ]}],
    })
}

#[tokio::test]
async fn a_supervisor_puts_hours_and_menus_in_force_and_an_operator_reads_them() {
    let house = House::new().await;
    let (kim, sam) = (house.sign_in("kim").await, house.sign_in("sam").await);
    let path = "/api/v1/accounts/acc_plumbing/flow";
    let refused = house.ask(Method::PUT, path, &kim, out_of_hours()).await;
    assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::FORBIDDEN, "auth.role"));
    let edition = house.store.accounts_edition();
    let put = house.ask(Method::PUT, path, &sam, out_of_hours()).await;
    let answer = put.json();
    assert_eq!(put.status, StatusCode::OK);
    assert_eq!((&answer["hours"], &answer["menus"]), (&out_of_hours()["hours"], &out_of_hours()["menus"]));
    // Whoever has read it before that overwrites nothing of it.
    let mut late = out_of_hours();
    late["edition"] = json!(answer["edition"].as_u64().expect("a number") - 1);
    let refused = house.ask(Method::PUT, path, &sam, late).await;
    assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::CONFLICT, "account.stale"));
    assert_ne!(house.store.accounts_edition(), edition, "so that the next call is answered by it");
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &kim).await.json();
    assert_eq!((&account["hours"], &account["menus"]), (&out_of_hours()["hours"], &out_of_hours()["menus"]));
    assert_eq!(account["answer_phrase"], "Imaginary Plumbing, how can I help?", "nothing else has changed");
    let nobody = house.ask(Method::PUT, "/api/v1/accounts/acc_nobody/flow", &sam, out_of_hours()).await;
    assert_eq!(nobody.problem(), "not_found");
}

#[tokio::test]
async fn hours_and_menus_that_are_wrong_are_refused_with_all_that_is_wrong_and_nothing_changes() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let mut wrong = out_of_hours();
    wrong["hours"]["windows"][0]["from"] = json!("25:00");
    wrong["hours"]["holidays"][0]["date"] = json!("Christmas");
    wrong["menus"][0]["nodes"][0]["choices"][0]["next"] = json!("nowhere");
    wrong["menus"][0]["nodes"][2]["flow"]["call_type"] = json!("ct_other");
    let refused = house.ask(Method::PUT, "/api/v1/accounts/acc_plumbing/flow", &sam, wrong).await;
    assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "flow.invalid"));
    let errors = refused.json()["errors"].as_array().expect("a list").clone();
    let found: Vec<_> = errors.iter().map(|e| (e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap())).collect();
    for wanted in [
        ("/hours/windows/0/from", "flow.time"),
        ("/hours/holidays/0/date", "flow.date"),
        ("/menus/0/nodes/0/choices/0/next", "flow.dead_end"),
        ("/menus/0/nodes/1", "flow.unreachable"),
        ("/menus/0/nodes/2/flow/call_type", "flow.unknown_call_type"),
    ] {
        assert!(found.contains(&wanted), "{wanted:?}: {found:?}");
    }
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json();
    assert_eq!(account["menus"], json!([]));
}

/// What is wrong with `flow`, by place and code, as saving it tells.
async fn refused(house: &House, token: &str, flow: Value) -> Vec<(String, String)> {
    let refused = house.ask(Method::PUT, "/api/v1/accounts/acc_plumbing/flow", token, flow).await;
    assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "flow.invalid"));
    let errors = refused.json()["errors"].as_array().expect("a list").clone();
    let text = |e: &Value, key: &str| e[key].as_str().expect("a text").to_owned();
    errors.iter().map(|e| (text(e, "pointer"), text(e, "code"))).collect()
}

#[tokio::test]
async fn hours_name_no_recording_that_is_not_there_and_no_number_whose_calls_would_come_back() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let mut flow = out_of_hours();
    flow["menus"][0]["nodes"][0]["speech"] = json!({"kind": "recorded", "prompt": "nobody-said-this"});
    flow["hours"]["windows"][0]["greeting"] = json!({"kind": "uploaded", "recording": "gone"});
    let no_recording = |at: &str| (at.to_owned(), "speech.no_recording".to_owned());
    let found = refused(&house, &sam, flow).await;
    assert_eq!(found, [no_recording("/hours/windows/0/greeting"), no_recording("/menus/0/nodes/0/speech")]);

    let other = json!({"name": "Acme", "zone": "UTC", "dids": ["+12025550150"]});
    let other = house.ask(Method::POST, "/api/v1/accounts", &sam, other).await;
    assert_eq!(other.status, StatusCode::CREATED);
    let spill = |number: &str| {
        let mut flow = out_of_hours();
        flow["hours"]["usual"] = json!({"kind": "spill", "number": number});
        flow
    };
    let found = refused(&house, &sam, spill("+12025550150")).await;
    assert_eq!(found, [("/hours/usual/number".to_owned(), "flow.round".to_owned())]);
    let found = refused(&house, &sam, spill("+1911")).await;
    assert_eq!(found, [("/hours/usual/number".to_owned(), "flow.spill_number".to_owned())]);
    // Nor the other way: a number that calls are sent to becomes no number of the house.
    let put = house.ask(Method::PUT, "/api/v1/accounts/acc_plumbing/flow", &sam, spill("+12025550151")).await;
    assert_eq!(put.status, StatusCode::OK);
    let taken = json!({"name": "Nextdoor", "zone": "UTC", "dids": ["+12025550151"]});
    let taken = house.ask(Method::POST, "/api/v1/accounts", &sam, taken).await;
    assert_eq!(
        (taken.status, taken.json()["errors"][0]["code"].clone()),
        (StatusCode::CONFLICT, json!("account.did_spilled_to"))
    );
}

#[tokio::test]
async fn hours_that_are_not_saved_yet_say_what_would_count_now_and_until_when() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let path = "/api/v1/accounts/acc_plumbing/flow/check";
    let mut flow = out_of_hours();
    // Day and night from each midnight on.
    let every_day = json!(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]);
    flow["hours"]["windows"][0]["days"] = every_day;
    (flow["hours"]["windows"][0]["from"], flow["hours"]["windows"][0]["until"]) = (json!("00:00"), json!("00:00"));
    flow["hours"]["windows"][0]["flow"]["menu"] = json!("gone");
    let checked = house.ask(Method::POST, path, &sam, flow).await;
    assert_eq!(checked.status, StatusCode::OK);
    let checked = checked.json();
    assert_eq!((&checked["now"]["why"], &checked["now"]["window"]), (&json!("window night"), &json!("night")));
    assert_eq!(checked["now"]["flow"], json!({"kind": "menu", "menu": "gone"}));
    assert_eq!(checked["errors"][0]["pointer"], "/hours/windows/0/flow/menu");
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json();
    assert_eq!(account["menus"], json!([]), "nothing is saved by it");
    let kim = house.sign_in("kim").await;
    let refused = house.ask(Method::POST, path, &kim, out_of_hours()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_menu_is_tried_out_by_who_may_change_it_and_only_if_nothing_is_wrong_with_it() {
    let house = House::new().await;
    let (sam, kim) = (house.sign_in("sam").await, house.sign_in("kim").await);
    let path = "/api/v1/accounts/acc_plumbing/menus/try";
    let body = json!({"menu": out_of_hours()["menus"][0], "window": "night"});
    let tried = house.ask(Method::POST, path, &sam, body.clone()).await;
    assert_eq!((tried.status, Told::so_far(&house.told.tried)), (StatusCode::ACCEPTED, vec!["night".to_owned()]));
    assert_eq!(house.ask(Method::POST, path, &kim, body.clone()).await.status, StatusCode::FORBIDDEN);
    let mut wrong = body;
    wrong["menu"]["nodes"][0]["choices"][0]["next"] = json!("nowhere");
    let refused = house.ask(Method::POST, path, &sam, wrong).await;
    assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "flow.invalid"));
    assert_eq!(refused.json()["errors"][0]["pointer"], "/menu/nodes/0/choices/0/next");
    assert_eq!(Told::so_far(&house.told.tried).len(), 1);
}
