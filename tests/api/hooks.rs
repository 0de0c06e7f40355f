//! Callbacks of a provider of texts: taken with the right signature only.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::support::{Got, House, PUBLIC_URL, SMS_SECRET};

const INBOUND: &str = "/hooks/sms/twilio/inbound";
const STATUS: &str = "/hooks/sms/twilio/status";

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
    let texts = house.told.texts.lock().expect("no panic").clone();
    assert_eq!(texts.len(), 1);
    assert_eq!(
        (texts[0].id.as_str(), texts[0].from.as_e164(), texts[0].body.as_str()),
        ("SM1", "+12025550121", "1ok & thanks")
    );
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
    assert!(house.told.texts.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn news_of_a_text_is_taken() {
    let house = House::new().await;
    let fields = [("MessageSid", "SM9"), ("MessageStatus", "undelivered"), ("ErrorCode", "30003")];
    let signature = sign(&format!("{PUBLIC_URL}{STATUS}"), &fields, SMS_SECRET);
    assert_eq!(post(&house, STATUS, &fields, Some(&signature)).await.status, StatusCode::OK);
    let news = house.told.news.lock().expect("no panic").clone();
    assert_eq!(
        (news[0].id.as_str(), news[0].state.as_str(), news[0].error.as_deref()),
        ("SM9", "undelivered", Some("30003"))
    );
}

#[tokio::test]
async fn a_signed_text_from_nobody_is_acknowledged_and_dropped() {
    let house = House::new().await;
    let fields = [("MessageSid", "SM2"), ("From", "BANK"), ("Body", "Your code")];
    let signature = sign(&format!("{PUBLIC_URL}{INBOUND}"), &fields, SMS_SECRET);
    assert_eq!(post(&house, INBOUND, &fields, Some(&signature)).await.status, StatusCode::OK);
    assert!(house.told.texts.lock().expect("no panic").is_empty());
}
