//! A contact who rings back about a protected message, of an account that asks for PINs: nothing is shown, and no yes taken, before theirs.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::clock::Clock as _;
use cordboard::base::id::{CallId, ContactId, DestinationId, DispatchId, UserId};
use cordboard::domain::account::secure::CallPin;
use cordboard::engine::calls::{Command, rings_back};
use cordboard::engine::feed::{CallState, CallView};
use serde_json::{Value, json};

use crate::support::{House, Told, call_of, message_body, number};

const PIN: &str = "4711";
const BEN: &str = "+12025550121";
const SHOW: &str = "/api/v1/calls/call_1/rings_back/pin";
const TOLD: &str = "/api/v1/calls/call_1/rings_back/told";

/// Ben, who has a PIN, was texted that there is a protected message, and is on the line with Kim; the path of his yes.
async fn on_the_line() -> (House, String, String) {
    let house = House::new().await;
    let (kim, dispatch) = is_texted(&house).await;
    (house, kim, format!("/api/v1/dispatches/{dispatch}/confirm"))
}

/// The operator's token, and the dispatch of a protected message that he was texted about.
async fn is_texted(house: &House) -> (String, String) {
    let (kim, sam) = (house.sign_in("kim").await, house.sign_in("sam").await);
    let mut account = house.store.list_accounts().await.expect("the store answers").remove(0);
    account.secure.call_pin = CallPin::Protected;
    let urgent = account.call_types.iter_mut().find(|t| t.id.as_str() == "ct_urgent").expect("the urgent type");
    urgent.protected = true;
    let mut tx = house.store.write().await.expect("a transaction");
    tx.upsert_account(&account, crate::support::START).await.expect("an account");
    tx.commit("test").await.expect("written");
    let got = house.ask(Method::PUT, "/api/v1/contacts/con_ben/pin", &sam, json!({"pin": PIN})).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let saved = house.ask(Method::POST, "/api/v1/messages", &kim, message_body()).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{}", saved.json());
    house.advance(Duration::from_secs(6)).await;
    assert_eq!(Told::so_far(&house.told.texts).len(), 1, "he is asked");
    rings(house).await;
    (kim, saved.json()["dispatch"]["id"].as_str().expect("an id").to_owned())
}

async fn rings(house: &House) {
    let back = rings_back::find(&house.store, &number(BEN), house.clock.utc()).await.expect("the store answers");
    let mut call = call_of("kim");
    call.caller = Some(number(BEN));
    call.rings_back = back;
    *house.told.up.lock().expect("no panic") = vec![call];
}

/// What the call does once it is told that the PIN was right.
fn proves(house: &House) {
    let mut up = house.told.up.lock().expect("no panic");
    let back = up[0].rings_back.as_mut().expect("he rings back");
    back.dispatches.iter_mut().for_each(|asked| asked.pin = false);
}

fn says(pin: &str) -> Value {
    json!({"account": "acc_plumbing", "pin": pin})
}

#[tokio::test]
async fn who_rings_back_confirms_a_protected_message_only_after_their_pin() {
    let (house, kim, yes) = on_the_line().await;
    let back = Told::so_far(&house.told.up)[0].rings_back.clone().expect("he rings back");
    assert!(back.dispatches[0].pin && back.dispatches[0].headline.contains("Pat Doe"), "{back:?}");
    assert_eq!(back.for_desks().dispatches[0].headline, "", "no desk is told what it says");
    let by = json!({"by": "Ben Ortiz", "note": "rang back", "edition": 1});
    let got = house.ask(Method::POST, &yes, &kim, by.clone()).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "dispatch.pin_needed"));

    let got = house.ask(Method::POST, SHOW, &kim, says("4712")).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "call.pin"));
    let got = house.ask(Method::POST, SHOW, &kim, says("four")).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "call.pin_digits"));
    assert!(Told::so_far(&house.told.commands).is_empty());

    let got = house.ask(Method::POST, SHOW, &kim, says(PIN)).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT, "{:?}", got.body);
    let account = back.dispatches[0].account.id.clone();
    let proved = (CallId::named("1"), UserId::named("kim"), Command::Proved { account });
    assert_eq!(Told::so_far(&house.told.commands), [proved]);
    proves(&house);
    assert_eq!(house.ask(Method::POST, &yes, &kim, by).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_yes_is_held_up_only_while_they_are_on_the_line_and_the_refusal_says_who_is_asked() {
    let (house, kim, yes) = on_the_line().await;
    let by = json!({"by": "Ada Aalto"});
    let is_now = |state: CallState| house.told.up.lock().expect("no panic")[0].state = state;
    is_now(CallState::Held);
    let got = house.ask(Method::POST, &yes, &kim, by.clone()).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "dispatch.pin_needed"));
    let detail = got.json()["detail"].as_str().expect("words").to_owned();
    assert!(detail.contains("Ben Ortiz rings back on your line"), "{detail}");
    // He has hung up, and there is no field for his PIN any more: it is somebody else who says yes.
    is_now(CallState::WrapUp);
    assert_eq!(house.ask(Method::POST, &yes, &kim, by).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn of_two_who_share_a_telephone_either_has_their_pin_taken_and_each_is_named_as_they_were_asked() {
    let (house, kim, _) = on_the_line().await;
    let sam = house.sign_in("sam").await;
    let mut people = house.store.list_contacts_by_phone(&number(BEN)).await.expect("the store answers");
    let mut ada = people.remove(0);
    (ada.id, ada.name) = (ContactId::named("ada"), "Ada Aalto".to_owned());
    for destination in &mut ada.destinations {
        destination.id = DestinationId::named(&format!("ada_{}", destination.label));
    }
    let mut tx = house.store.write().await.expect("a transaction");
    tx.upsert_contact(&ada).await.expect("a contact");
    tx.commit("test").await.expect("written");
    let got = house.ask(Method::PUT, "/api/v1/contacts/con_ada/pin", &sam, json!({"pin": "5822"})).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    rings(&house).await;
    let back = Told::so_far(&house.told.up)[0].rings_back.clone().expect("known by the number");
    assert_eq!((back.name.as_str(), back.dispatches[0].name.as_str()), ("Ben Ortiz", "Ben Ortiz"), "who was asked");
    for pin in ["5822", PIN] {
        let got = house.ask(Method::POST, SHOW, &kim, says(pin)).await;
        assert_eq!(got.status, StatusCode::NO_CONTENT, "{:?}", got.body);
    }
}

#[tokio::test]
async fn wrong_pins_of_who_rings_back_are_counted_and_beyond_six_the_right_one_opens_nothing() {
    let (house, kim, _) = on_the_line().await;
    for _ in 0..6 {
        let got = house.ask(Method::POST, SHOW, &kim, says("4712")).await;
        assert_eq!(got.problem(), "call.pin");
    }
    let got = house.ask(Method::POST, SHOW, &kim, says(PIN)).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "call.pin"));
    assert!(Told::so_far(&house.told.commands).is_empty());
    let told = house.front.dispatcher.alarms().into_iter().any(|alarm| alarm.text.contains("too many wrong PINs"));
    assert!(told, "the desks are told");
}

#[tokio::test]
async fn only_the_operator_who_has_the_call_is_told_the_pin_and_only_there() {
    let (house, kim, yes) = on_the_line().await;
    let lee = house.sign_in("lee").await;
    assert_eq!(house.ask(Method::POST, SHOW, &lee, says(PIN)).await.problem(), "not_found");
    let other = json!({"account": "acc_clinic", "pin": PIN});
    assert_eq!(house.ask(Method::POST, SHOW, &kim, other).await.problem(), "call.not_now");
    // Who is reached another way says yes to another operator, as ever.
    let by = json!({"by": "Ben Ortiz"});
    assert_eq!(house.ask(Method::POST, &yes, &lee, by).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn who_had_no_more_than_a_notice_is_told_when_they_ring_and_that_stands_on_the_time_line() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let edition = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json()["edition"].clone();
    let to = json!([{"kind": "contact", "contact": "con_ben", "destination": "mobile"}]);
    let protocol = json!({
        "edition": edition, "name": "notice", "repeat": null, "until": "handed_over", "call_types": ["ct_urgent"],
        "steps": [{"method": {"kind": "text"}, "to": to, "wait_secs": 0}],
    });
    let added = house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/protocols", &sam, protocol).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.json());
    let (kim, dispatch) = is_texted(&house).await;
    let id: DispatchId = serde_json::from_value(json!(dispatch)).expect("an id");
    let view = async || house.front.dispatcher.find_view(&id).await.expect("the store answers").expect("it is there");
    assert_eq!(view().await.state, "delivered", "it is over, and he has heard nothing");
    rings(&house).await;
    let back = Told::so_far(&house.told.up)[0].rings_back.clone().expect("he is known by his number");
    assert!(back.dispatches[0].notice && back.dispatches[0].pin, "{back:?}");

    let body = json!({"dispatch": dispatch, "edition": 1});
    let got = house.ask(Method::POST, TOLD, &kim, body.clone()).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "dispatch.pin_needed"));
    proves(&house);
    assert_eq!(house.ask(Method::POST, TOLD, &kim, body.clone()).await.status, StatusCode::NO_CONTENT);
    let lines: Vec<String> = view().await.timeline.into_iter().map(|line| line.text).collect();
    assert!(lines.iter().any(|line| line == "Ben Ortiz rang back and was told by KIM."), "{lines:#?}");
    let got = house.ask(Method::POST, TOLD, &kim, body).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "call.not_now"));
    rings(&house).await;
    assert!(Told::so_far(&house.told.up)[0].rings_back.is_none(), "there is nothing left to tell him");
}

#[tokio::test]
async fn whoever_names_a_reference_from_an_unknown_number_is_asked_for_their_pin_too() {
    let house = House::new().await;
    let (kim, dispatch) = is_texted(&house).await;
    let yes = format!("/api/v1/dispatches/{dispatch}/confirm");
    let stranger = |account: &str| {
        let mut call = call_of("kim");
        call.account.id = serde_json::from_value(json!(account)).expect("an id");
        call.caller = Some(number("+12025550199"));
        call
    };
    let by = json!({"by": "Ben Ortiz"});
    for state in [CallState::Held, CallState::Consulting, CallState::Talking] {
        *house.told.up.lock().expect("no panic") = vec![CallView { state, ..stranger("acc_plumbing") }];
        let got = house.ask(Method::POST, &yes, &kim, by.clone()).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "dispatch.pin_needed"), "{state:?}");
    }

    let says = |pin: &str| json!({"account": "acc_plumbing", "pin": pin, "dispatch": dispatch});
    let got = house.ask(Method::POST, SHOW, &kim, says("4712")).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "call.pin"));
    assert!(Told::so_far(&house.told.commands).is_empty());
    let got = house.ask(Method::POST, SHOW, &kim, says(PIN)).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT, "{:?}", got.body);
    let commands = Told::so_far(&house.told.commands);
    let [(_, _, Command::Named(view))] = commands.as_slice() else { panic!("not {commands:?}") };
    assert_eq!(view.name, "Ben Ortiz", "whose PIN it is");
    assert!(!view.dispatches[0].pin && view.dispatches[0].headline.contains("Pat Doe"), "{view:?}");

    // What the call does with it.
    let mut call = stranger("acc_plumbing");
    call.rings_back = Some(view.clone());
    *house.told.up.lock().expect("no panic") = vec![call];
    assert_eq!(house.ask(Method::POST, &yes, &kim, by).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn with_a_caller_of_another_account_on_her_line_an_operator_confirms_by_hand_as_ever() {
    let house = House::new().await;
    let (kim, dispatch) = is_texted(&house).await;
    let mut call = call_of("kim");
    call.account.id = serde_json::from_value(json!("acc_clinic")).expect("an id");
    call.caller = Some(number("+12025550199"));
    *house.told.up.lock().expect("no panic") = vec![call];
    let yes = format!("/api/v1/dispatches/{dispatch}/confirm");
    let got = house.ask(Method::POST, &yes, &kim, json!({"by": "Ben Ortiz"})).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT, "{:?}", got.body);
}
