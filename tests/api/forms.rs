//! Forms at the front door: what is asked and when, urgency by the client's list, and answers that must not get about.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Got, House, START, Told};

const PATH: &str = "/api/v1/messages";

/// Writes the call types of the plumbers: an urgent one with a list, a routine one with the same form.
async fn set_up(house: &House) -> (String, String) {
    let sam = house.sign_in("sam").await;
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json();
    let fields = json!([
        {"label": "Name", "kind": {"kind": "text"}, "required": true, "brief": true},
        {"label": "Problem", "kind": {"kind": "choice", "options": ["Leak", "Noise"]}, "required": true, "brief": true},
        {"label": "Where", "kind": {"kind": "several", "options": ["Kitchen", "Roof"]}, "required": true, "brief": true,
            "shown_if": {"field": "Problem", "is": ["leak"]}},
        {"label": "Since", "kind": {"kind": "date"}},
        {"label": "Whom", "kind": {"kind": "contact"}},
        {"label": "Message", "kind": {"kind": "long_text"}, "brief": true},
        {"label": "Card", "kind": {"kind": "number"}, "sensitive": "not_kept"},
        {"label": "Door code", "kind": {"kind": "text"}, "sensitive": "kept", "brief": true},
    ]);
    let watched = json!([{"kind": "words", "words": "no heat"}, {"kind": "answer", "field": "problem", "is": "Leak"}]);
    let body = json!({"edition": account["edition"], "call_types": [
        {"id": "ct_urgent", "name": "Urgent", "urgency": "urgent", "protocol": "pro_urgent", "watched": watched,
            "form": {"fields": fields}},
        {"name": "Routine", "urgency": "routine", "protocol": "pro_urgent", "form": {"fields": fields}},
    ]});
    let got = house.ask(Method::PUT, "/api/v1/accounts/acc_plumbing/call_types", &sam, body).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let types = got.json()["call_types"].clone();
    assert_eq!(types[0]["watched"], watched);
    let routine = types[1]["id"].as_str().expect("an id").to_owned();
    (house.sign_in("kim").await, routine)
}

async fn save(house: &House, token: &str, call_type: &str, answers: Value, reason: Option<&str>) -> Got {
    let body = json!({"account": "acc_plumbing", "call_type": call_type, "answers": answers, "reason": reason});
    house.ask(Method::POST, PATH, token, body).await
}

fn wrong(got: &Got) -> Vec<(String, String)> {
    assert_eq!(got.problem(), "message.invalid");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let errors = got.json()["errors"].clone();
    errors.as_array().expect("errors").iter().map(|e| (text(&e["field"]), text(&e["code"]))).collect()
}

fn pair(field: &str, code: &str) -> (String, String) {
    (field.to_owned(), code.to_owned())
}

#[tokio::test]
async fn a_field_that_another_answer_hides_is_neither_asked_for_nor_kept() {
    let house = House::new().await;
    let (kim, routine) = set_up(&house).await;
    let got = save(&house, &kim, "ct_urgent", json!({"name": "Pat", "problem": "Leak"}), None).await;
    assert_eq!(wrong(&got), [pair("where", "required")]);
    let noise =
        json!({"name": "Pat", "problem": "Noise", "where": "Kitchen", "since": "2026-03-06", "whom": "ben ortiz"});
    let got = save(&house, &kim, &routine, noise, None).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    let kept = json!({"name": "Pat", "problem": "Noise", "since": "2026-03-06", "whom": "Ben Ortiz"});
    assert_eq!(got.json()["answers"], kept);
    let bad = json!({"name": "Pat", "problem": "Leak", "where": "Attic", "since": "yesterday", "whom": "Nobody"});
    let got = save(&house, &kim, "ct_urgent", bad, None).await;
    assert_eq!(wrong(&got), [pair("where", "choice"), pair("since", "date"), pair("whom", "contact")]);
}

#[tokio::test]
async fn another_urgency_than_the_clients_list_asks_for_a_reason_and_is_seen() {
    let house = House::new().await;
    let (kim, routine) = set_up(&house).await;
    let leak = json!({"name": "Pat", "problem": "Leak", "where": "Kitchen"});
    let noise = json!({"name": "Pat", "problem": "Noise", "message": "a rattling fan"});
    let heat = json!({"name": "Pat", "problem": "Noise", "message": "There is no heat at all"});

    assert_eq!(save(&house, &kim, "ct_urgent", leak.clone(), None).await.status, StatusCode::CREATED);
    assert_eq!(save(&house, &kim, &routine, noise.clone(), None).await.status, StatusCode::CREATED);
    assert_eq!(wrong(&save(&house, &kim, &routine, heat.clone(), Some("  ")).await), [pair("reason", "lowered")]);
    assert_eq!(wrong(&save(&house, &kim, "ct_urgent", noise.clone(), None).await), [pair("reason", "raised")]);

    let got = save(&house, &kim, &routine, heat, Some("The tenant is away until Monday")).await;
    let lowered = json!({"how": "lowered", "trigger": "no heat", "reason": "The tenant is away until Monday"});
    assert_eq!((got.status, &got.json()["graded"]), (StatusCode::CREATED, &lowered));
    let got = save(&house, &kim, "ct_urgent", noise, Some("An old lady alone")).await;
    assert_eq!(got.json()["graded"]["how"], "raised");
    let sam = house.sign_in("sam").await;
    let listed = house.fetch(&format!("{PATH}?graded=lowered"), &sam).await.json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["items"][0]["graded"], lowered);
    let sheet = house.fetch("/api/v1/handover", &sam).await.json();
    assert_eq!(sheet["lowered"][0]["graded"], lowered, "and the next shift hears of it");
}

#[tokio::test]
async fn a_sensitive_answer_is_in_no_draft_list_or_text_and_kept_only_where_wanted() {
    let house = House::new().await;
    let (kim, routine) = set_up(&house).await;
    let typed = json!({"name": "Pat", "problem": "Noise", "card": "4000 0000 0000 0002", "door_code": "9137"});
    let draft = json!({"account": "acc_plumbing", "call_type": routine, "answers": typed});
    house.ask(Method::PUT, "/api/v1/drafts/drf_1", &kim, draft).await;
    let drafts = house.fetch("/api/v1/drafts", &kim).await.json();
    assert_eq!(drafts["items"][0]["answers"], json!({"name": "Pat", "problem": "Noise"}));

    let body = json!({"account": "acc_plumbing", "call_type": routine, "answers": typed, "draft": "drf_1"});
    let got = house.ask(Method::POST, PATH, &kim, body).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    let id = got.json()["id"].as_str().expect("an id").to_owned();
    let one = house.fetch(&format!("{PATH}/{id}"), &kim).await.json();
    assert_eq!(one["answers"], json!({"name": "Pat", "problem": "Noise", "door_code": "9137"}));
    let listed = house.fetch(PATH, &kim).await.json();
    assert_eq!(listed["items"][0]["answers"], json!({"name": "Pat", "problem": "Noise"}));
    house.advance(std::time::Duration::from_secs(6)).await;
    let texts = Told::so_far(&house.told.texts);
    assert_eq!(texts.len(), 1);
    assert!(!texts[0].body.contains("9137") && !texts[0].body.contains("4000"), "{}", texts[0].body);

    // Nothing of it is in the database but what is kept, and that sealed.
    let plain = std::fs::read(house.directory().join("cordboard.db")).expect("the database");
    let wal = std::fs::read(house.directory().join("cordboard.db-wal")).unwrap_or_default();
    for words in [&b"4000 0000"[..], b"9137"] {
        assert!(![&plain, &wal].iter().any(|file| file.windows(words.len()).any(|w| w == words)));
    }
}

#[tokio::test]
async fn a_form_that_asks_for_the_impossible_is_refused_with_its_place() {
    let house = House::new().await;
    set_up(&house).await;
    let sam = house.sign_in("sam").await;
    let edition = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json()["edition"].clone();
    let body = json!({"edition": edition, "call_types": [{"name": "Urgent", "urgency": "urgent",
        "watched": [{"kind": "answer", "field": "roof", "is": "Leak"}],
        "form": {"fields": [{"label": "Where", "kind": {"kind": "text"}, "shown_if": {"field": "Problem"}}]}}]});
    let got = house.ask(Method::PUT, "/api/v1/accounts/acc_plumbing/call_types", &sam, body).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    let errors = got.json()["errors"].clone();
    let told: Vec<_> = errors.as_array().expect("errors").iter().map(|e| e["code"].as_str()).collect();
    assert_eq!(told, [Some("form.shown_if"), Some("trigger.answer")]);
}

/// 21:00 in the account's zone is when the house opens: one field is asked in that minute alone.
#[tokio::test]
async fn an_answer_typed_before_the_hour_turned_is_kept_and_not_dropped_without_a_word() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json();
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let fields = json!([
        {"label": "Name", "kind": {"kind": "text"}, "required": true},
        {"label": "Gate", "kind": {"kind": "text"}, "hours": {"days": days, "from": "21:00", "until": "21:01"}},
    ]);
    let body = json!({"edition": account["edition"], "call_types": [
        {"name": "Routine", "urgency": "routine", "form": {"fields": fields}},
    ]});
    let types = house.ask(Method::PUT, "/api/v1/accounts/acc_plumbing/call_types", &sam, body).await.json();
    let routine = types["call_types"][0]["id"].clone();
    let kim = house.sign_in("kim").await;
    let begun = START.plus_secs(30);
    house.advance(std::time::Duration::from_secs(300)).await;
    let save = async |begun_at: Value, call: Value| {
        let answers = json!({"name": "Pat", "gate": "4"});
        let body = json!({"account": "acc_plumbing", "call_type": routine, "answers": answers, "begun_at": begun_at,
            "call": call});
        let got = house.ask(Method::POST, PATH, &kim, body).await;
        assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
        got.json()
    };
    let saved = save(json!(begun), Value::Null).await;
    assert_eq!((&saved["answers"]["gate"], &saved["begun_at"]), (&json!("4"), &json!(begun)));
    assert_eq!(save(Value::Null, Value::Null).await["answers"], json!({"name": "Pat"}), "begun now, it is not asked");

    // Changed later, it is still the form that was filled in.
    let id = saved["id"].as_str().expect("an id");
    let change = json!({"edition": 1, "answers": {"name": "Pat Doe", "gate": "5"}});
    let got = house.ask(Method::PUT, &format!("{PATH}/{id}"), &kim, change).await;
    assert_eq!(got.json()["answers"], json!({"name": "Pat Doe", "gate": "5"}), "{}", got.json());

    // No form is begun before its call, nor in time to come.
    let mut up = crate::support::call_of("kim");
    up.started_at = START.plus_secs(120);
    house.told.up.lock().expect("no panic").push(up);
    let saved = save(json!(begun), json!("call_1")).await;
    assert_eq!((&saved["begun_at"], &saved["answers"]), (&json!(START.plus_secs(120)), &json!({"name": "Pat"})));
    let saved = save(json!(START.plus_secs(86_400)), Value::Null).await;
    assert_eq!(saved["begun_at"], json!(START.plus_secs(300)));
}

/// The plumbers ask for a policy number of a shape, in both call types.
async fn set_up_shape(house: &House) -> (String, String) {
    let sam = house.sign_in("sam").await;
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json();
    let fields = json!([
        {"label": "Callback", "kind": {"kind": "phone"}, "required": true, "brief": true},
        {"label": "Policy", "kind": {"kind": "text"}, "required": true, "brief": true,
            "shape": {"patterns": ["AA-9999"], "example": "PL-0471"}},
        {"label": "Rooms", "kind": {"kind": "number"}, "shape": {"min": "1", "max": "20"}},
    ]);
    let types = |fields: &Value| {
        json!({"edition": account["edition"], "call_types": [
            {"id": "ct_urgent", "name": "Urgent", "urgency": "urgent", "protocol": "pro_urgent", "form": {"fields": fields}},
            {"name": "Routine", "urgency": "routine", "protocol": "pro_urgent", "form": {"fields": fields}},
        ]})
    };
    let path = "/api/v1/accounts/acc_plumbing/call_types";
    let mut wrong_shape = fields.clone();
    wrong_shape[1]["shape"] = json!({"patterns": ["9999"], "example": "PL-0471", "min": "3"});
    let got = house.ask(Method::PUT, path, &sam, types(&wrong_shape)).await.json();
    let told: Vec<_> = got["errors"].as_array().expect("faults").iter().map(|f| (&f["pointer"], &f["code"])).collect();
    let at = |part: &str| json!(format!("/call_types/0/form/fields/1/shape/{part}"));
    let (min, example) = ((at("min"), json!("form.shape")), (at("example"), json!("form.shape_example")));
    assert_eq!(told[..2], [(&min.0, &min.1), (&example.0, &example.1)]);
    let got = house.ask(Method::PUT, path, &sam, types(&fields)).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let routine = got.json()["call_types"][1]["id"].as_str().expect("an id").to_owned();
    (house.sign_in("kim").await, routine)
}

#[tokio::test]
async fn an_answer_has_the_shape_that_the_client_asks_for_and_an_urgent_one_goes_out_in_spite_of_it() {
    let house = House::new().await;
    let (kim, routine) = set_up_shape(&house).await;
    let send = |call_type: String, answers: Value, as_is: bool| {
        let (house, kim) = (&house, &kim);
        let body = json!({"account": "acc_plumbing", "call_type": call_type, "answers": answers, "as_is": as_is,
            "reason": "a flood"});
        async move { house.ask(Method::POST, PATH, kim, body).await }
    };
    let odd = json!({"callback": "202 555 014", "policy": "471", "rooms": "40"});
    let told = [pair("callback", "phone"), pair("policy", "pattern"), pair("rooms", "too_large")];
    // A draft is kept as it is typed.
    let draft = json!({"account": "acc_plumbing", "call_type": "ct_urgent", "answers": odd});
    assert_eq!(house.ask(Method::PUT, "/api/v1/drafts/drf_1", &kim, draft).await.status, StatusCode::OK);
    let got = send("ct_urgent".into(), odd.clone(), false).await;
    assert_eq!(wrong(&got), told);
    assert!(got.json()["errors"].as_array().expect("errors").iter().all(|e| e["format"] == true));
    assert_eq!(wrong(&send(routine.clone(), odd.clone(), true).await), told, "it can wait until it is right");
    let missing = json!({"callback": "202 555 014"});
    assert_eq!(
        wrong(&send("ct_urgent".into(), missing, true).await),
        [pair("policy", "required")],
        "that is asked for"
    );

    let got = send("ct_urgent".into(), odd.clone(), true).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    let message = got.json();
    assert_eq!((&message["answers"], &message["not_as_asked"]), (&odd, &json!(["callback", "policy", "rooms"])));
    house.advance(std::time::Duration::from_secs(6)).await;
    let texts = Told::so_far(&house.told.texts);
    assert!(texts[0].body.contains("471 (not as asked)"), "{}", texts[0].body);

    // Another answer can be changed without that one being put right; one that is changed has its shape.
    let path = format!("{PATH}/{}", message["id"].as_str().expect("an id"));
    let change = |edition: u32, answers: Value| json!({"edition": edition, "answers": answers, "reason": "a flood"});
    let rooms = json!({"callback": "202 555 014", "policy": "471", "rooms": "4"});
    let got = house.ask(Method::PUT, &path, &kim, change(1, rooms)).await;
    assert_eq!((got.status, &got.json()["not_as_asked"]), (StatusCode::OK, &json!(["callback", "policy"])));
    let worse = json!({"callback": "202 555 014", "policy": "47", "rooms": "4"});
    assert_eq!(wrong(&house.ask(Method::PUT, &path, &kim, change(2, worse)).await), [pair("policy", "pattern")]);
    let right = json!({"callback": "202 555 0147", "policy": "pl0471", "rooms": "4"});
    let got = house.ask(Method::PUT, &path, &kim, change(2, right)).await.json();
    assert_eq!((&got["answers"]["policy"], &got["not_as_asked"]), (&json!("pl-0471"), &json!([])));
}

/// An urgent form that asks for the problem, and a routine one that does not.
async fn set_up_apart(house: &House) -> (String, String) {
    let sam = house.sign_in("sam").await;
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json();
    let name = json!({"label": "Name", "kind": {"kind": "text"}, "required": true, "brief": true});
    let problem = json!({"label": "What is wrong", "name": "problem", "kind": {"kind": "long_text"}, "brief": true});
    let code = json!({"label": "Door code", "kind": {"kind": "text"}, "sensitive": "kept"});
    let body = json!({"edition": account["edition"], "call_types": [
        {"id": "ct_urgent", "name": "Urgent", "urgency": "urgent", "protocol": "pro_urgent",
            "watched": [{"kind": "words", "words": "burst pipe"}], "form": {"fields": [name, problem, code]}},
        {"name": "Routine", "urgency": "routine", "form": {"fields": [name]}},
    ]});
    let got = house.ask(Method::PUT, "/api/v1/accounts/acc_plumbing/call_types", &sam, body).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let routine = got.json()["call_types"][1]["id"].as_str().expect("an id").to_owned();
    (house.sign_in("kim").await, routine)
}

#[tokio::test]
async fn an_urgent_word_in_a_field_that_the_new_call_types_form_lacks_does_not_lower_the_urgency_without_a_word() {
    let house = House::new().await;
    let (kim, routine) = set_up_apart(&house).await;
    let body = |also: Value, reason: Value| {
        json!({"account": "acc_plumbing", "call_type": routine, "draft": "drf_1", "answers": {"name": "Pat"},
            "also": also, "reason": reason})
    };
    let also = json!({"problem": "a burst pipe, he says", "unit_number": "12"});
    let got = house.ask(Method::POST, PATH, &kim, body(also.clone(), Value::Null)).await;
    assert_eq!(wrong(&got), [pair("reason", "lowered")]);
    let got = house.ask(Method::POST, PATH, &kim, body(also.clone(), json!("It is shut off"))).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    let message = got.json();
    assert_eq!(message["graded"]["trigger"], "burst pipe");
    let taken = json!({"name": "Pat", "problem": "a burst pipe, he says", "unit_number": "12"});
    assert_eq!(message["answers"], taken, "nothing that was typed is lost");
    let fields = message["form"]["fields"].clone();
    let labels: Vec<_> = fields.as_array().expect("fields").iter().map(|f| f["label"].as_str()).collect();
    assert_eq!(labels, [Some("Name"), Some("What is wrong"), Some("Unit number")]);

    let undo = format!("{PATH}/{}/undo", message["id"].as_str().expect("an id"));
    assert_eq!(house.ask(Method::POST, &undo, &kim, json!({})).await.status, StatusCode::NO_CONTENT);
    let drafts = house.fetch("/api/v1/drafts", &kim).await.json();
    assert_eq!(drafts["items"][0]["answers"], taken, "taken back, the form has it still");
    let got = house.ask(Method::POST, PATH, &kim, body(json!({"door_code": "4711"}), Value::Null)).await;
    assert_eq!(wrong(&got), [pair("door_code", "sensitive")]);
}

#[tokio::test]
async fn a_saved_message_that_is_made_another_call_types_says_still_what_its_form_said_and_is_weighed_by_it() {
    let house = House::new().await;
    let (kim, routine) = set_up_apart(&house).await;
    let answers = json!({"name": "Pat", "problem": "a burst pipe", "door_code": "4711"});
    let message = save(&house, &kim, "ct_urgent", answers, None).await.json();
    let path = format!("{PATH}/{}", message["id"].as_str().expect("an id"));
    let change = |more: Value| {
        let mut body = json!({"edition": 1, "call_type": routine, "answers": {"name": "Pat"}});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let got = house.ask(Method::PUT, &path, &kim, change(json!({}))).await;
    assert_eq!(wrong(&got), [pair("reason", "lowered")]);
    let got = house.ask(Method::PUT, &path, &kim, change(json!({"reason": "It is shut off"}))).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    assert_eq!(got.json()["answers"], json!({"name": "Pat", "problem": "a burst pipe"}), "but for what is sensitive");
    let without = json!({"edition": 2, "answers": {"name": "Pat"}, "unsent": "They know it"});
    let got = house.ask(Method::PUT, &path, &kim, without).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    assert_eq!(got.json()["answers"], json!({"name": "Pat"}), "taken out by hand");
}

#[tokio::test]
async fn what_is_sensitive_in_one_form_is_not_carried_into_a_message_because_another_asks_for_it_plainly() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json();
    let name = json!({"label": "Name", "kind": {"kind": "text"}, "required": true, "brief": true});
    let hushed = json!({"label": "Code", "kind": {"kind": "text"}, "sensitive": "kept"});
    let plain = json!({"label": "Code", "kind": {"kind": "text"}, "brief": true});
    let body = json!({"edition": account["edition"], "call_types": [
        {"id": "ct_urgent", "name": "Urgent", "urgency": "urgent", "protocol": "pro_urgent", "form": {"fields": [name, hushed]}},
        {"name": "Delivery", "urgency": "routine", "form": {"fields": [name, plain]}},
        {"name": "Routine", "urgency": "routine", "form": {"fields": [name]}},
    ]});
    let got = house.ask(Method::PUT, "/api/v1/accounts/acc_plumbing/call_types", &sam, body).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let routine = got.json()["call_types"][2]["id"].clone();
    let kim = house.sign_in("kim").await;
    let message = save(&house, &kim, "ct_urgent", json!({"name": "Pat", "code": "4711"}), None).await.json();
    let path = format!("{PATH}/{}", message["id"].as_str().expect("an id"));
    let change = |also: Value| json!({"edition": 1, "call_type": routine, "answers": {"name": "Pat"}, "also": also});
    let got = house.ask(Method::PUT, &path, &kim, change(json!({"code": "4711"}))).await;
    assert_eq!(wrong(&got), [pair("code", "sensitive")]);
    let got = house.ask(Method::PUT, &path, &kim, change(json!({}))).await;
    assert_eq!((got.status, &got.json()["answers"]), (StatusCode::OK, &json!({"name": "Pat"})));
}

#[tokio::test]
async fn what_a_protected_call_types_form_asked_for_goes_into_a_plain_message_only_word_by_word() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json();
    let field = |label: &str| json!({"label": label, "kind": {"kind": "text"}, "brief": true});
    let (name, symptom, doctor) = (field("Name"), field("Symptom"), field("Doctor"));
    let routine = |name: &str, protected: bool, fields: Value| json!({"name": name, "urgency": "routine", "protected": protected, "form": {"fields": fields}});
    let body = json!({"edition": account["edition"], "call_types": [
        routine("Patient", true, json!([name, symptom, doctor])),
        routine("Billing", false, json!([name])),
        routine("Nurse", true, json!([name])),
    ]});
    let got = house.ask(Method::PUT, "/api/v1/accounts/acc_plumbing/call_types", &sam, body).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let types = got.json()["call_types"].clone();
    let id = |at: usize| types[at]["id"].as_str().expect("an id").to_owned();
    let kim = house.sign_in("kim").await;
    let taken = json!({"name": "Pat", "symptom": "Chest pain", "doctor": "Dr. Brandt"});
    let change = async |call_type: String, also: Value| {
        let message = save(&house, &kim, &id(0), taken.clone(), None).await.json();
        let path = format!("{PATH}/{}", message["id"].as_str().expect("an id"));
        let body = json!({"edition": 1, "call_type": call_type, "answers": {"name": "Pat"}, "also": also});
        let got = house.ask(Method::PUT, &path, &kim, body).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.json());
        got.json()["answers"].clone()
    };
    assert_eq!(change(id(1), json!({})).await, json!({"name": "Pat"}));
    let doctor = json!({"doctor": "Dr. Brandt"});
    assert_eq!(change(id(1), doctor).await, json!({"name": "Pat", "doctor": "Dr. Brandt"}), "an operator said so");
    assert_eq!(change(id(2), json!({})).await, taken, "what is protected still loses nothing");
}
