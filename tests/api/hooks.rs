//! Callbacks of a provider of texts: taken with the right signature only.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cordboard::base::id::{AccountId, ContactId, DestinationId, DispatchId, UserId};
use cordboard::engine::feed::UserRef;
use cordboard::io::store::inbound::{Arrival, Receipt};
use ring::hmac;

use crate::support::{Got, House, PUBLIC_URL, SMS_SECRET, START, message_body, number};

const INBOUND: &str = "/hooks/sms/twilio/inbound";
const STATUS: &str = "/hooks/sms/twilio/status";

fn kim() -> UserRef {
    UserRef { id: UserId::named("kim"), name: "KIM".to_owned() }
}

fn sign(url: &str, fields: &[(&str, &str)], secret: &str) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let text: String = sorted.iter().fold(url.to_owned(), |text, (name, value)| text + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

async fn post(house: &House, path: &str, fields: &[(&str, &str)], signature: Option<&str>) -> Got {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    if let Some(signature) = signature {
        request = request.header("x-twilio-signature", signature);
    }
    house.send(request.body(Body::from(body)).expect("a request")).await
}

fn text() -> Vec<(&'static str, &'static str)> {
    vec![("MessageSid", "SM1"), ("From", "+12025550121"), ("To", "+12025550102"), ("Body", "1ok & thanks")]
}

#[tokio::test]
async fn a_signed_text_is_taken_and_answered_with_nothing_to_say() {
    let house = House::new().await;
    let signature = sign(&format!("{PUBLIC_URL}{INBOUND}"), &text(), SMS_SECRET);
    let got = post(&house, INBOUND, &text(), Some(&signature)).await;
    assert_eq!(got.status, StatusCode::OK);
    assert!(String::from_utf8_lossy(&got.body).ends_with("<Response/>"));
    assert_eq!(got.headers["content-type"], "text/xml; charset=utf-8");
    let waiting = house.store.list_unplaced_texts(10).await.expect("the store answers");
    let [came] = waiting.as_slice() else { panic!("{waiting:?}") };
    let Arrival::Text { from, body, .. } = &came.what else { panic!("{came:?}") };
    assert_eq!((came.provider.as_str(), came.provider_msg_id.as_str()), ("twilio", "SM1"));
    assert_eq!((from.as_e164(), body.as_str()), ("+12025550121", "1ok & thanks"));
    // The provider sends it again because our answer was late: it is the same text.
    assert_eq!(post(&house, INBOUND, &text(), Some(&signature)).await.status, StatusCode::OK);
    assert_eq!(house.store.list_unplaced_texts(10).await.expect("the store answers").len(), 1);
}

#[tokio::test]
async fn fields_in_another_order_have_the_same_signature() {
    let house = House::new().await;
    let signature = sign(&format!("{PUBLIC_URL}{INBOUND}"), &text(), SMS_SECRET);
    let mut fields = text();
    fields.reverse();
    assert_eq!(post(&house, INBOUND, &fields, Some(&signature)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn anything_that_was_touched_is_refused() {
    let house = House::new().await;
    let url = format!("{PUBLIC_URL}{INBOUND}");
    let good = sign(&url, &text(), SMS_SECRET);
    let mut raw = STANDARD.decode(&good).expect("base64");
    let refused = async |fields: &[(&str, &str)], path: &str, signature: Option<&str>| {
        let got = post(&house, path, fields, signature).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "hook.signature"));
    };
    for bit in 0..raw.len() * 8 {
        raw[bit / 8] ^= 1 << (bit % 8);
        refused(&text(), INBOUND, Some(&STANDARD.encode(&raw))).await;
        raw[bit / 8] ^= 1 << (bit % 8);
    }
    refused(&text(), INBOUND, None).await;
    refused(&text(), INBOUND, Some("")).await;
    refused(&text(), INBOUND, Some("not base64!")).await;
    refused(&text(), INBOUND, Some(&good[..good.len() - 4])).await;
    refused(&text(), INBOUND, Some(&sign(&url, &text(), "another secret"))).await;
    refused(&text(), INBOUND, Some(&sign("http://desk.example.com/hooks/sms/twilio/inbound", &text(), SMS_SECRET)))
        .await;
    refused(&text(), STATUS, Some(&good)).await;
    refused(&text(), "/hooks/sms/other/inbound", Some(&good)).await;
    refused(&text(), &format!("{INBOUND}?extra=1"), Some(&good)).await;
    let mut changed = text();
    changed[3].1 = "2ok & thanks";
    refused(&changed, INBOUND, Some(&good)).await;
    changed = text();
    changed.pop();
    refused(&changed, INBOUND, Some(&good)).await;
    changed = text();
    changed.push(("Body", "2ok"));
    refused(&changed, INBOUND, Some(&good)).await;
    assert!(house.store.list_unplaced_texts(10).await.expect("the store answers").is_empty());
}

#[tokio::test]
async fn news_of_a_text_is_taken() {
    let house = House::new().await;
    let fields = [("MessageSid", "SM9"), ("MessageStatus", "undelivered"), ("ErrorCode", "30003")];
    let signature = sign(&format!("{PUBLIC_URL}{STATUS}"), &fields, SMS_SECRET);
    assert_eq!(post(&house, STATUS, &fields, Some(&signature)).await.status, StatusCode::OK);
    let waiting = house.store.list_waiting_inbound(10).await.expect("the store answers");
    let [news] = waiting.as_slice() else { panic!("{waiting:?}") };
    let Arrival::Receipt { provider_id, receipt: Receipt::Failed { why, .. } } = &news.what else { panic!("{news:?}") };
    assert_eq!((provider_id.as_str(), why.as_str()), ("SM9", "code_30003"));
}

#[tokio::test]
async fn a_signed_text_from_nobody_is_acknowledged_and_dropped() {
    let house = House::new().await;
    let fields = [("MessageSid", "SM2"), ("From", "BANK"), ("Body", "Your code")];
    let signature = sign(&format!("{PUBLIC_URL}{INBOUND}"), &fields, SMS_SECRET);
    assert_eq!(post(&house, INBOUND, &fields, Some(&signature)).await.status, StatusCode::OK);
    assert!(house.store.list_unplaced_texts(10).await.expect("the store answers").is_empty());
}

#[tokio::test]
async fn an_operator_takes_back_the_alarm_of_a_text_nobody_could_place_but_none_of_a_dispatch() {
    let house = House::new().await;
    let dispatcher = &house.front.dispatcher;
    let fields = [("MessageSid", "SM3"), ("From", "+12025550199"), ("To", "+12025550102"), ("Body", "Who is this?")];
    let signature = sign(&format!("{PUBLIC_URL}{INBOUND}"), &fields, SMS_SECRET);
    assert_eq!(post(&house, INBOUND, &fields, Some(&signature)).await.status, StatusCode::OK);
    house.advance(Duration::from_secs(1)).await;
    let alarms = dispatcher.alarms();
    let [alarm] = alarms.as_slice() else { panic!("{alarms:?}") };
    assert!(alarm.dismissible);
    dispatcher.silence(&alarm.id, &kim()).await.expect("the store answers");
    assert_eq!(dispatcher.alarms(), []);

    // From round 2 on, nobody told: the dispatch's own alarm, which only its end takes back.
    let token = house.sign_in("kim").await;
    let body = message_body();
    assert_eq!(house.ask(Method::POST, "/api/v1/messages", &token, body).await.status, StatusCode::CREATED);
    for _ in 0..90 {
        house.advance(Duration::from_secs(60)).await;
        for (request, news) in crate::support::Told::so_far(&house.told.calls) {
            let over =
                cordboard::engine::callout::OutboundEnd::NotReached(cordboard::domain::call::cause::Cause::NoAnswer);
            // A call that is over already has nobody who listens.
            let _ = news.send((request.attempt, cordboard::engine::callout::CallOutEvent::Ended(over)));
        }
    }
    let alarms = dispatcher.alarms();
    let [alarm] = alarms.as_slice() else { panic!("{alarms:?}") };
    assert!(!alarm.dismissible && alarm.dispatch.is_some());
    dispatcher.silence(&alarm.id, &kim()).await.expect("the store answers");
    assert_eq!(dispatcher.alarms().len(), 1);
}

#[tokio::test]
async fn the_words_of_a_text_that_is_no_answer_are_on_the_desks_until_somebody_has_seen_to_them() {
    let house = House::new().await;
    let by = kim();
    let kim = house.sign_in("kim").await;
    let saved = house.ask(Method::POST, "/api/v1/messages", &kim, message_body()).await;
    assert_eq!(saved.status, StatusCode::CREATED);
    house.advance(Duration::from_secs(6)).await;
    let dispatcher = &house.front.dispatcher;
    let words = "I cannot come, call somebody else";
    dispatcher.take_text("twilio", "SM9", number("+12025550121"), None, words.to_owned()).await.expect("taken in");
    let alarm = dispatcher.alarms().into_iter().find(|alarm| alarm.text.contains(words)).expect("the words");
    assert!(alarm.dismissible && alarm.text.starts_with("Ben Ortiz sent"), "{}", alarm.text);
    assert_eq!(house.store.list_unplaced_texts(10).await.expect("the store answers").len(), 1, "kept for a restart");
    dispatcher.silence(&alarm.id, &by).await.expect("the store answers");
    while !house.store.list_unplaced_texts(10).await.expect("the store answers").is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(dispatcher.alarms().iter().all(|alarm| !alarm.text.contains(words)));
}

#[tokio::test]
async fn whoever_has_one_telephone_at_two_clients_is_named_to_each_as_its_own_person() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let mut other = house.store.list_accounts().await.expect("the store answers").remove(0);
    (other.id, other.name, other.dids, other.call_types) = (AccountId::named("brook"), "Brook".into(), vec![], vec![]);
    let mut dana =
        house.store.list_contacts_by_phone(&number("+12025550121")).await.expect("the store answers").remove(0);
    (dana.id, dana.account, dana.name) = (ContactId::named("aaa"), other.id.clone(), "Dana Reyes".into());
    for destination in &mut dana.destinations {
        destination.id = DestinationId::named(&format!("dana_{}", destination.label));
    }
    let mut tx = house.store.write().await.expect("a transaction");
    tx.upsert_account(&other, START).await.expect("an account");
    tx.upsert_contact(&dana).await.expect("a contact");
    tx.commit("test").await.expect("written");
    let first = house.store.list_contacts_by_phone(&number("+12025550121")).await.expect("the store answers");
    assert_eq!(first.len(), 2, "both have it");
    let saved = house.ask(Method::POST, "/api/v1/messages", &kim, message_body()).await;
    assert_eq!(saved.status, StatusCode::CREATED);
    house.advance(Duration::from_secs(6)).await;
    let dispatcher = &house.front.dispatcher;
    dispatcher
        .take_text("twilio", "SM9", number("+12025550121"), None, "on my way".to_owned())
        .await
        .expect("taken in");
    let id: DispatchId = serde_json::from_value(saved.json()["dispatch"]["id"].clone()).expect("an id");
    let view = dispatcher.find_view(&id).await.expect("the store answers").expect("it is there");
    let told = format!("{view:?} {:?}", dispatcher.alarms());
    assert!(told.contains("Ben Ortiz sent a text") && !told.contains("Dana"), "{told}");
}
