//! Accounts made and changed: who may, what is refused and how it is told, and that the next call and every console know.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use cordboard::domain::account::Speech;
use cordboard::engine::calls::book::{AccountBook, Accounts as _};
use cordboard::engine::feed::FeedEvent;
use serde_json::{Value, json};

use crate::peers::postgres::Postgres;
use crate::support::{Got, House, number};

const DID: &str = "+12025550150";

fn heating() -> Value {
    json!({"name": "Acme Heating", "zone": "America/Chicago", "dids": ["(202) 555-0150"],
        "greeting": {"kind": "spoken", "text": "Acme Heating."}})
}

/// Pointer and code of each thing that is wrong.
fn wrong(got: &Got) -> Vec<(String, String)> {
    let body = got.json();
    let errors = body["errors"].as_array().unwrap_or_else(|| panic!("no errors: {body}"));
    assert!(
        errors.iter().all(|e| !e["detail"].as_str().unwrap().is_empty() && !e["cure"].as_str().unwrap().is_empty())
    );
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    errors.iter().map(|e| (text(&e["pointer"]), text(&e["code"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect()
}

/// Asks, and insists on this status.
async fn expect(house: &House, status: StatusCode, method: Method, path: &str, token: &str, body: Value) -> Value {
    let got = house.ask(method, path, token, body).await;
    assert_eq!(got.status, status, "{}", String::from_utf8_lossy(&got.body));
    if got.body.is_empty() { Value::Null } else { got.json() }
}

#[tokio::test]
async fn an_account_is_made_from_nothing_and_its_next_call_knows() {
    let house = House::new().await;
    from_nothing(&house).await;
    if let Some(server) = Postgres::start("an_account_is_made_from_nothing_and_its_next_call_knows") {
        from_nothing(&House::on(Some(server.create_database())).await).await;
    }
}

async fn from_nothing(house: &House) {
    let sam = house.sign_in("sam").await;
    let book = AccountBook::new(house.store.clone(), std::sync::Arc::new(house.clock.clone()));
    let did = number(DID);
    assert!(book.find_by_did(&did).await.unwrap().is_none());
    let mut feed = house.front.feed.subscribe();

    let made = expect(house, StatusCode::CREATED, Method::POST, "/api/v1/accounts", &sam, heating()).await;
    let path = format!("/api/v1/accounts/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["edition"], &made["dids"][0]), (&json!(1), &json!(DID)));
    let answered = book.find_by_did(&did).await.unwrap().expect("its number reaches it");
    assert_eq!(answered.greeting, Speech::Spoken { text: "Acme Heating.".into() });
    let told = feed.recv().await.unwrap();
    assert!(matches!(&told, FeedEvent::Account { id, edition: 1 } if *id == answered.id), "{told:?}");

    // Changed as it was read; a call that is up keeps what it began with.
    let mut edit = heating();
    edit["edition"] = json!(1);
    edit["greeting"]["text"] = json!("Good evening.");
    let changed = expect(house, StatusCode::OK, Method::PUT, &path, &sam, edit).await;
    assert_eq!(changed["edition"], 2);
    let next = book.find_by_did(&did).await.unwrap().unwrap();
    assert_eq!(next.greeting, Speech::Spoken { text: "Good evening.".into() });
    assert_eq!(answered.greeting, Speech::Spoken { text: "Acme Heating.".into() });
    assert!(matches!(feed.recv().await.unwrap(), FeedEvent::Account { edition: 2, .. }));

    // A contact, a call type with a form, a protocol in force for it; then a message is dispatched by it.
    let contact = json!({"name": "Dana", "destinations": [
        {"label": "email", "reach": {"kind": "email", "address": "dana@example.com"}}]});
    let contact = expect(house, StatusCode::CREATED, Method::POST, &format!("{path}/contacts"), &sam, contact).await;
    assert_eq!(contact["edition"], 3);
    let types = json!({"edition": 3, "call_types": [{"name": "Repair", "urgency": "routine", "form": {"fields": [
        {"label": "Caller's name", "kind": {"kind": "text"}, "required": true}]}}]});
    let with_types = expect(house, StatusCode::OK, Method::PUT, &format!("{path}/call_types"), &sam, types).await;
    let call_type = with_types["call_types"][0]["id"].clone();
    assert_eq!(with_types["call_types"][0]["form"]["fields"][0]["name"], "caller_s_name");
    let protocol = json!({"name": "Repairs", "until": "handed_over", "call_types": [call_type], "steps": [
        {"method": {"kind": "email"}, "to": [{"kind": "contact", "contact": contact["id"], "destination": "email"}]}]});
    let check = format!("{path}/protocols/check");
    let checked = expect(house, StatusCode::OK, Method::POST, &check, &sam, protocol.clone()).await;
    assert_eq!((checked["text"][0].as_str(), &checked["errors"]), (Some("1. Email Dana (email)."), &json!([])));
    let saved = expect(house, StatusCode::CREATED, Method::POST, &format!("{path}/protocols"), &sam, protocol).await;
    assert_eq!((&saved["version"], &saved["edition"]), (&json!(1), &json!(5)));
    let shown = house.fetch(&path, &sam).await;
    assert_eq!(shown.headers[header::ETAG], "\"5\"");
    assert_eq!(shown.json()["call_types"][0]["protocol"], saved["id"]);
    let kim = house.sign_in("kim").await;
    let message = json!({"account": made["id"], "call_type": call_type, "answers": {"caller_s_name": "Pat Doe"}});
    let message = expect(house, StatusCode::CREATED, Method::POST, "/api/v1/messages", &kim, message).await;
    assert_eq!(message["dispatch"]["state"], "open", "{message}");
}

#[tokio::test]
async fn operators_read_accounts_and_change_nothing() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    for (method, path) in [
        (Method::POST, "/api/v1/accounts"),
        (Method::PUT, "/api/v1/accounts/acc_plumbing"),
        (Method::PUT, "/api/v1/accounts/acc_plumbing/call_types"),
        (Method::POST, "/api/v1/accounts/acc_plumbing/contacts"),
        (Method::PUT, "/api/v1/contacts/con_ben"),
        (Method::DELETE, "/api/v1/contacts/con_ben"),
        (Method::POST, "/api/v1/accounts/acc_plumbing/protocols"),
        (Method::POST, "/api/v1/accounts/acc_plumbing/protocols/check"),
        (Method::POST, "/api/v1/accounts/acc_plumbing/protocols/simulate"),
        (Method::GET, "/api/v1/accounts/acc_plumbing/protocols/templates"),
        (Method::POST, "/api/v1/accounts/acc_plumbing/protocols/templates"),
        (Method::POST, "/api/v1/protocols/pro_urgent/bring_back"),
        (Method::POST, "/api/v1/speech/recordings"),
        (Method::POST, "/api/v1/speech/listen"),
    ] {
        let got = house.ask(method.clone(), path, &kim, heating()).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "auth.role"), "{method} {path}");
    }
    let protocols = house.fetch("/api/v1/accounts/acc_plumbing/protocols", &kim).await.json();
    assert_eq!(protocols["items"][0]["id"], "pro_urgent");
}

#[tokio::test]
async fn everything_wrong_with_an_account_is_told_at_once_and_nothing_is_changed() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    let bad = json!({"name": "Imaginary Plumbing", "zone": "Mars", "color": "blue", "ring_secs": 0,
        "dids": ["12", "+12025550102"], "greeting": {"kind": "spoken", "text": " "},
        "apology": {"kind": "recorded", "prompt": "apology"}});
    let got = house.ask(Method::POST, "/api/v1/accounts", &ada, bad).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "account.invalid"));
    let expected = [
        ("/zone", "account.zone"),
        ("/color", "account.color"),
        ("/dids/0", "account.did"),
        ("/greeting/text", "speech.text_missing"),
        ("/ring_secs", "account.ring"),
        ("/name", "account.name_taken"),
        ("/dids/1", "account.did_taken"),
    ];
    assert_eq!(wrong(&got), pairs(&expected));
    let unsaid = json!({"name": "New", "zone": "UTC", "greeting": {"kind": "recorded", "prompt": "nobody"},
        "apology": {"kind": "uploaded", "recording": "0123"}});
    let got = house.ask(Method::POST, "/api/v1/accounts", &ada, unsaid).await;
    let expected = [("/greeting", "speech.no_recording"), ("/apology", "speech.no_recording")];
    assert_eq!(wrong(&got), pairs(&expected));
    assert_eq!(house.store.list_accounts().await.unwrap().len(), 1);
    let got =
        house.ask(Method::POST, "/api/v1/accounts", &ada, json!({"name": "New", "zone": "UTC", "colour": ""})).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::BAD_REQUEST, "body.invalid"));
}

#[tokio::test]
async fn a_number_of_another_account_is_refused_by_that_accounts_name() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let mut edit = heating();
    edit["dids"] = json!([DID, "+1 202 555 0102"]);
    let got = house.ask(Method::POST, "/api/v1/accounts", &sam, edit).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "account.clash"));
    assert_eq!(wrong(&got), pairs(&[("/dids/1", "account.did_taken")]));
    assert!(got.json()["detail"].as_str().unwrap().contains("Imaginary Plumbing"), "{}", got.json());
}

#[tokio::test]
async fn nobody_overwrites_what_they_have_not_seen() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let path = "/api/v1/accounts/acc_plumbing";
    let edit = |edition: Value| {
        let mut edit = json!({"name": "Imaginary Plumbing", "zone": "America/New_York", "dids": ["+12025550102"]});
        edit["edition"] = edition;
        edit
    };
    let got = house.ask(Method::PUT, path, &sam, edit(Value::Null)).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::PRECONDITION_REQUIRED, "account.edition_required"));
    let tag = house.fetch(path, &sam).await.headers[header::ETAG].clone();
    let with_tag = || {
        let request = Request::builder().method(Method::PUT).uri(path).header(header::IF_MATCH, tag.clone());
        let request = request.header(header::AUTHORIZATION, format!("Bearer {sam}"));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        request.body(Body::from(edit(Value::Null).to_string())).unwrap()
    };
    assert_eq!(house.send(with_tag()).await.status, StatusCode::OK);
    let got = house.send(with_tag()).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::PRECONDITION_FAILED, "account.stale"));
    let got = house.ask(Method::PUT, path, &sam, edit(json!(1))).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "account.stale"));
    assert!(got.json()["detail"].as_str().unwrap().contains("changed meanwhile"));
    // What is no part of the edit stays.
    let account = house.fetch(path, &sam).await.json();
    assert_eq!((&account["call_types"][0]["id"], &account["edition"]), (&json!("ct_urgent"), &json!(2)));
}

#[tokio::test]
async fn a_contact_that_something_counts_on_is_not_taken_away() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let ben = "/api/v1/contacts/con_ben";
    let got = house.ask(Method::DELETE, ben, &sam, Value::Null).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "account.clash"));
    let told = got.json()["errors"].to_string();
    assert!(
        told.contains("schedule of the technician") && told.contains("protocol urgent (in force), step 1"),
        "{told}"
    );
    // Neither is a destination that a step names.
    let edit = json!({"edition": 1, "name": "Ben Ortiz", "title": "technician", "destinations": [
        {"label": "email", "id": "dst_ben-email", "reach": {"kind": "email", "address": "ben@example.com"}}]});
    let got = house.ask(Method::PUT, ben, &sam, edit).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "account.clash"));
    assert!(got.json()["errors"].to_string().contains("Ben Ortiz has no mobile"), "{}", got.json());
    // A number may change, and keeps its place.
    let edit = json!({"edition": 1, "name": "Ben Ortiz", "title": "technician", "destinations": [
        {"label": "mobile", "id": "dst_ben-mobile", "reach": {"kind": "phone", "address": "202 555 0129"}},
        {"label": "email", "id": "dst_ben-email", "reach": {"kind": "email", "address": "ben@example.com"}}]});
    let changed = expect(&house, StatusCode::OK, Method::PUT, ben, &sam, edit).await;
    assert_eq!(changed["destinations"][0]["reach"]["address"], "+12025550129");
    assert_eq!(changed["destinations"][0]["id"], "dst_ben-mobile");
    // Who is nowhere goes.
    let path = "/api/v1/accounts/acc_plumbing/contacts";
    let cy = expect(&house, StatusCode::CREATED, Method::POST, path, &sam, json!({"name": "Cy"})).await;
    let path = format!("/api/v1/contacts/{}", cy["id"].as_str().unwrap());
    expect(&house, StatusCode::NO_CONTENT, Method::DELETE, &path, &sam, Value::Null).await;
    assert_eq!(house.ask(Method::DELETE, &path, &sam, Value::Null).await.problem(), "not_found");
}

#[tokio::test]
async fn a_pager_is_one_of_a_carrier_that_pages_for_the_service_and_a_protocol_may_page_it() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let path = "/api/v1/accounts/acc_plumbing/contacts";
    let with = |address: &str| json!({"name": "Cy", "destinations": [{"label": "pager", "reach": {"kind": "pager", "address": address}}]});
    for (address, code) in [("5550142@nowhere", "contact.pager_carrier"), ("5550142", "contact.pager")] {
        let got = house.ask(Method::POST, path, &sam, with(address)).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", got.json());
        let told = got.json()["errors"].to_string();
        assert!(told.contains(code) && told.contains("/destinations/0/reach/address"), "{told}");
    }
    let cy = expect(&house, StatusCode::CREATED, Method::POST, path, &sam, with("555-0142@Metro")).await;
    assert_eq!(cy["destinations"][0]["reach"], json!({"kind": "pager", "address": "5550142@metro"}));
    let protocol = json!({"name": "Page Cy", "until": "handed_over", "call_types": [], "steps": [
        {"method": {"kind": "pager"}, "to": [{"kind": "contact", "contact": cy["id"], "destination": "pager"}]}]});
    let path = "/api/v1/accounts/acc_plumbing/protocols";
    expect(&house, StatusCode::CREATED, Method::POST, path, &sam, protocol).await;
}

#[tokio::test]
async fn a_webhook_is_one_that_the_configuration_knows_and_a_protocol_may_post_to_it() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let path = "/api/v1/accounts/acc_plumbing/contacts";
    let with = |address: &str| {
        let reach = json!({"kind": "webhook", "address": address});
        json!({"name": "Their desk", "destinations": [{"label": "system", "reach": reach}]})
    };
    for address in ["https://192.0.2.1/hook", "elsewhere", ""] {
        let got = house.ask(Method::POST, path, &sam, with(address)).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", got.json());
        let told = got.json()["errors"].to_string();
        assert!(told.contains("contact.webhook") && told.contains("/destinations/0/reach/address"), "{told}");
    }
    let cy = expect(&house, StatusCode::CREATED, Method::POST, path, &sam, with(" desk ")).await;
    assert_eq!(cy["destinations"][0]["reach"], json!({"kind": "webhook", "address": "desk"}));
    let to = |kind: &str| {
        json!({"name": "Post it", "until": "handed_over", "call_types": [], "steps": [{"method": {"kind": kind},
            "to": [{"kind": "contact", "contact": cy["id"], "destination": "system"}]}]})
    };
    let path = "/api/v1/accounts/acc_plumbing/protocols";
    let got = house.ask(Method::POST, path, &sam, to("text")).await;
    assert!(got.json()["errors"].to_string().contains("wrong_destination"), "{}", got.json());
    let made = expect(&house, StatusCode::CREATED, Method::POST, path, &sam, to("webhook")).await;
    assert!(made.to_string().contains("Post it to Their desk (system), as a webhook"), "{made}");
}

#[tokio::test]
async fn a_protocol_is_never_changed_but_followed_by_its_next_version() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let path = "/api/v1/accounts/acc_plumbing/protocols";
    let step = |destination: &str| {
        json!({"method": {"kind": "text_confirm"}, "wait_secs": 600,
        "to": [{"kind": "on_call", "role": "technician", "destination": destination}]})
    };
    let bad = json!({"name": "", "until": "confirmed", "call_types": ["ct_sales", "ct_none"], "steps": [
        step("home"), {"method": {"kind": "live_patch"}, "to": [], "only": {"answers": [{"field": "gas"}]}}]});
    let got = house.ask(Method::POST, path, &sam, bad).await;
    let expected = [
        ("/name", "protocol.name_missing"),
        ("/steps/0", "protocol.unknown_destination"),
        ("/steps/1", "protocol.nobody"),
        ("/steps/1", "protocol.unknown_field"),
        ("/call_types/0", "call_type.not_dispatched"),
        ("/call_types/1", "protocol.call_type"),
    ];
    assert_eq!(wrong(&got), pairs(&expected));
    let next = json!({"name": "urgent", "until": "confirmed", "call_types": ["ct_urgent"], "steps": [step("mobile")]});
    let saved = expect(&house, StatusCode::CREATED, Method::POST, path, &sam, next).await;
    assert_eq!(saved["version"], 2);
    assert!(saved["text"][0].as_str().unwrap().contains("wait 10 minutes"), "{saved}");
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json();
    assert_eq!(account["call_types"][0]["protocol"], saved["id"]);
    let all = house.fetch(path, &sam).await.json();
    assert_eq!((&all["items"][0]["id"], &all["items"][1]["id"]), (&saved["id"], &json!("pro_urgent")));
    assert_eq!(all["items"][1]["steps"].as_array().unwrap().len(), 3, "the first version is as it was");
}

#[tokio::test]
async fn what_a_step_says_is_read_back_warned_of_and_kept_from_being_led_astray() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let path = "/api/v1/accounts/acc_plumbing";
    let types = house.fetch(path, &sam).await.json()["call_types"].clone();
    let field = types[0]["form"]["fields"][0].clone();
    let to = json!([{"kind": "on_call", "role": "technician", "destination": "mobile"}]);
    let only = json!({"call_types": ["ct_urgent"], "answers": [{"field": field["name"], "is": ["flood"]}],
        "hours": {"days": ["saturday", "sunday"], "from": "18:00", "until": "08:00"}});
    let call = json!({"method": {"kind": "call_out", "leave_message": false}, "to": to, "wait_secs": 600,
        "tries": {"times": 2, "apart_secs": 300}, "done": "told", "only": only});
    let body = json!({"name": "weekend", "until": "confirmed", "call_types": ["ct_urgent"], "steps": [call]});
    let checked =
        expect(&house, StatusCode::OK, Method::POST, &format!("{path}/protocols/check"), &sam, body.clone()).await;
    assert_eq!(checked["errors"], json!([]));
    let warning = &checked["warnings"][0];
    assert_eq!((&warning["code"], &warning["pointer"]), (&json!("protocol.no_step_left"), &json!("/steps")));
    let line = checked["text"][0].as_str().unwrap();
    let words = format!(
        "up to 2 times, 5 minutes apart, after the last wait 10 minutes for an answer, done once a person has heard or \
         opened it, only for {}, only on Saturday and Sunday between 18:00 and 08:00, only if \u{201c}{}\u{201d} is flood.",
        types[0]["name"].as_str().unwrap(),
        field["label"].as_str().unwrap()
    );
    assert!(line.ends_with(&words), "{line}");
    let saved = expect(&house, StatusCode::CREATED, Method::POST, &format!("{path}/protocols"), &sam, body).await;
    let step = &house.fetch(&format!("{path}/protocols"), &sam).await.json()["items"][1]["steps"][0];
    let newest = if step["tries"].is_null() { &saved["steps"][0] } else { step };
    assert_eq!((&newest["tries"], &newest["only"]), (&json!({"times": 2, "apart_secs": 300}), &only));
    // A field that a protocol in force looks at does not go away under it.
    let mut without = types.clone();
    without[0]["form"]["fields"].as_array_mut().unwrap().remove(0);
    without[0]["protocol"] = saved["id"].clone();
    let body = json!({"edition": saved["edition"], "call_types": without});
    let got = house.ask(Method::PUT, &format!("{path}/call_types"), &sam, body).await;
    assert!(wrong(&got).iter().any(|(_, code)| code == "protocol.led_astray"), "{:?}", wrong(&got));
}

#[tokio::test]
async fn call_types_are_written_as_one_list_and_their_forms_counted() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let path = "/api/v1/accounts/acc_plumbing";
    let account = house.fetch(path, &sam).await.json();
    let mut types = account["call_types"].clone();
    types[0]["form"]["fields"].as_array_mut().unwrap().truncate(2);
    types.as_array_mut().unwrap().swap(0, 1);
    let body = json!({"edition": account["edition"], "call_types": types});
    let changed = expect(&house, StatusCode::OK, Method::PUT, &format!("{path}/call_types"), &sam, body).await;
    let types = &changed["call_types"];
    assert_eq!((&types[0]["id"], &types[1]["id"]), (&json!("ct_sales"), &json!("ct_urgent")));
    assert_eq!((&types[0]["form"]["version"], &types[1]["form"]["version"]), (&json!(1), &json!(2)));
    assert_eq!(types[1]["protocol"], "pro_urgent");
    let body =
        json!({"edition": changed["edition"], "call_types": [{"id": "ct_theirs", "name": "", "urgency": "urgent"}]});
    let got = house.ask(Method::PUT, &format!("{path}/call_types"), &sam, body).await;
    let expected = [("/call_types/0/name", "call_type.name_missing"), ("/call_types/0/id", "call_type.unknown")];
    assert_eq!(wrong(&got), pairs(&expected));
}

#[tokio::test]
async fn a_call_type_that_was_taken_out_by_mistake_comes_back_as_the_one_it_was() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let path = "/api/v1/accounts/acc_plumbing";
    let before = house.fetch(path, &sam).await.json();
    let put = async |edition: &Value, types: Value| {
        let body = json!({"edition": edition, "call_types": types});
        expect(&house, StatusCode::OK, Method::PUT, &format!("{path}/call_types"), &sam, body).await
    };
    let kept = json!([before["call_types"][1]]);
    let without = put(&before["edition"], kept).await;
    assert_eq!(without["call_types"].as_array().unwrap().len(), 1);
    let back = put(&without["edition"], before["call_types"].clone()).await;
    assert_eq!(back["call_types"], before["call_types"], "the same one, with its form and its protocol");
}

#[tokio::test]
async fn a_call_type_that_hours_still_lead_to_is_not_taken_out() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let path = "/api/v1/accounts/acc_plumbing";
    let voicemail = json!({"kind": "voicemail", "speech": {"kind": "spoken", "text": "Speak after the tone."},
        "call_type": "ct_urgent", "max_secs": 60, "silence_secs": 5});
    let night = json!({"name": "night", "days": ["monday"], "from": "17:00", "until": "08:00", "flow": voicemail});
    let flow = json!({"hours": {"windows": [night]}});
    expect(&house, StatusCode::OK, Method::PUT, &format!("{path}/flow"), &sam, flow).await;
    let account = house.fetch(path, &sam).await.json();
    let left = json!({"edition": account["edition"], "call_types": [account["call_types"][1]]});
    let got = house.ask(Method::PUT, &format!("{path}/call_types"), &sam, left).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong(&got), pairs(&[("", "flow.led_astray")]));
    assert!(got.json()["errors"][0]["detail"].as_str().unwrap().contains("window night"), "{}", got.json());
    let kept = house.fetch(path, &sam).await.json();
    assert_eq!((&kept["call_types"], &kept["edition"]), (&account["call_types"], &account["edition"]));
}

#[tokio::test]
async fn an_account_s_own_words_for_emails_are_shown_before_they_are_saved_and_refused_where_they_name_nothing() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let path = "/api/v1/accounts/acc_plumbing";
    let preview = format!("{path}/mail/preview");
    let usual = json!({"mail": {}});
    let shown = expect(&house, StatusCode::OK, Method::POST, &preview, &sam, usual.clone()).await;
    let html = shown["html"].as_str().unwrap();
    assert!(html.contains("Jane Roe") && !html.contains("to confirm"), "no protocol asks for a reply: {shown}");
    assert!(shown["fields"].as_array().unwrap().iter().any(|field| field["name"] == "callback"));
    let kim = house.sign_in("kim").await;
    assert_eq!(house.ask(Method::POST, &preview, &kim, usual).await.status, StatusCode::FORBIDDEN);

    let own =
        json!({"subject": "{{ account }}: {{ headline }}", "text": "{{ callback }}", "html": "<b>{{ headline }}</b>"});
    let shown = expect(&house, StatusCode::OK, Method::POST, &preview, &sam, json!({"mail": own})).await;
    assert_eq!((&shown["errors"], &shown["text"]), (&json!([]), &json!("+1 202 555 0147")), "{shown}");
    let bad = json!({"text": "{{ nobody }}", "html": "{{ account | safe }}"});
    let shown = expect(&house, StatusCode::OK, Method::POST, &preview, &sam, json!({"mail": bad})).await;
    let told = [("/mail/text", "account.mail_template"), ("/mail/html", "account.mail_template")];
    let errors = shown["errors"].as_array().unwrap().iter();
    let errors: Vec<_> = errors.map(|e| (e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap())).collect();
    assert_eq!(errors, told);

    let whole = house.fetch(path, &sam).await;
    let edition = whole.headers[header::ETAG].to_str().unwrap().trim_matches('"').parse::<u32>().unwrap();
    let whole = whole.json();
    let mut edit = json!({"edition": edition, "mail": bad});
    for key in ["name", "zone", "dids", "greeting", "apology"] {
        edit[key] = whole[key].clone();
    }
    let got = house.ask(Method::PUT, path, &sam, edit.clone()).await;
    assert_eq!((got.status, wrong(&got)), (StatusCode::UNPROCESSABLE_ENTITY, pairs(&told)));
    edit["mail"] = own.clone();
    let changed = expect(&house, StatusCode::OK, Method::PUT, path, &sam, edit.clone()).await;
    assert_eq!(changed["mail"], own);
    // Left out, it stays.
    edit.as_object_mut().unwrap().remove("mail");
    edit["edition"] = changed["edition"].clone();
    assert_eq!(expect(&house, StatusCode::OK, Method::PUT, path, &sam, edit).await["mail"], own);
}

#[tokio::test]
async fn a_step_that_waits_for_a_reply_by_mail_needs_a_door_for_it() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let protocol = json!({"name": "By mail", "until": "confirmed", "steps": [{"method": {"kind": "email_confirm"}, "wait_secs": 600,
        "to": [{"kind": "contact", "contact": "con_ben", "destination": "email"}]}]});
    let check = "/api/v1/accounts/acc_plumbing/protocols/check";
    let checked = expect(&house, StatusCode::OK, Method::POST, check, &sam, protocol).await;
    let codes: Vec<_> = checked["errors"].as_array().unwrap().iter().map(|e| e["code"].clone()).collect();
    assert!(
        codes.contains(&json!("protocol.no_replies")) && !codes.contains(&json!("protocol.cannot_confirm")),
        "{checked}"
    );
    assert!(checked["text"][0].as_str().unwrap().contains("and ask for a confirmation"), "{checked}");
}
