//! Texts through an HTTP provider in Telnyx's shape: JSON with a key; what becomes of the text, and what comes in, on
//! callbacks signed with Ed25519 (`http/hooks` takes them; [`Callback`] reads them).

use reqwest::{Client, StatusCode};
use ring::signature::{ED25519, UnparsedPublicKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::base::clock::UtcMs;
use crate::base::phone::PhoneNumber;
use crate::domain::dispatch::event::Failure;
use crate::io::deliver::{Answer, Delivery, Heard, Hearing, TextMessage, Texter, http, said};
use crate::io::store::inbound::Receipt;

/// A callback that was signed longer ago, or so far in the future, is not taken: it may be one that somebody kept.
pub const TOLERANCE_MS: i64 = 5 * 60_000;

/// How texts leave.
#[derive(Clone, Debug)]
pub struct TelnyxConfig {
    /// In the callbacks' address: `/hooks/sms/<name>/telnyx`.
    pub name: String,
    /// `https://api.telnyx.com`
    pub base_url: String,
    pub api_key: SecretString,
    pub from: PhoneNumber,
    /// How the provider reaches us; none: no receipts.
    pub public_url: Option<String>,
}

/// Sends texts through one provider.
#[derive(Debug)]
pub struct TelnyxTexter {
    client: Client,
    config: TelnyxConfig,
    url: String,
    callback: Option<String>,
}

/// What we read of the provider's answer.
#[derive(Deserialize)]
struct Reply {
    data: Option<Taken>,
    #[serde(default)]
    errors: Vec<Wrong>,
}

#[derive(Deserialize)]
struct Taken {
    id: String,
}

#[derive(Deserialize)]
struct Wrong {
    #[serde(default)]
    code: Code,
}

/// Written as a number by some, as a text by others.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Code {
    Number(u32),
    Text(String),
    #[default]
    None,
}

impl Code {
    fn number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            Self::None => None,
        }
    }
}

impl TelnyxTexter {
    /// # Errors
    /// A sentence that says what cannot be used.
    pub fn new(config: TelnyxConfig) -> Result<Self, String> {
        let client = http::client("the text provider")?;
        let url = format!("{}/v2/messages", config.base_url.trim_end_matches('/'));
        let public = config.public_url.as_deref();
        let callback =
            public.map(|public| format!("{}/hooks/sms/{}/telnyx", public.trim_end_matches('/'), config.name));
        Ok(Self { client, config, url, callback })
    }

    async fn deliver(&self, text: &TextMessage) -> Heard {
        let mut body = json!({
            "from": text.from.as_ref().unwrap_or(&self.config.from).as_e164(),
            "to": text.to.as_e164(),
            "text": text.body,
            "type": "SMS",
        });
        if let Some(callback) = &self.callback {
            body["webhook_url"] = json!(callback);
        }
        let request = self.client.post(&self.url).bearer_auth(self.config.api_key.expose_secret()).json(&body);
        match http::send(request).await {
            Ok((status, body)) => Heard::new(judge(status, &body), said::in_body(status.as_u16(), &body)),
            Err(delivery) => delivery.into(),
        }
    }
}

fn judge(status: StatusCode, body: &[u8]) -> Delivery {
    let reply: Option<Reply> = serde_json::from_slice(body).ok();
    if status.is_success() {
        return Delivery::Accepted { provider_id: reply.and_then(|reply| reply.data).map(|taken| taken.id) };
    }
    let code = reply.and_then(|reply| reply.errors.first().and_then(|wrong| wrong.code.number()));
    let why = code.map_or_else(|| format!("http_{}", status.as_u16()), |code| format!("code_{code}"));
    match code {
        // The person's number: not one, a landline, not reachable, or they said STOP.
        Some(40001 | 40008 | 40300 | 40310) => Delivery::failed(Failure::Permanent, why),
        _ => http::judge(status, why),
    }
}

impl Texter for TelnyxTexter {
    fn send<'a>(&'a self, text: &'a TextMessage) -> Answer<'a> {
        Box::pin(async move { self.deliver(text).await.delivery })
    }

    fn send_and_hear<'a>(&'a self, text: &'a TextMessage) -> Hearing<'a> {
        Box::pin(self.deliver(text))
    }
}

/// Whether a callback is the provider's, and fresh: Ed25519 over `timestamp|body`, octet by octet as it came.
pub fn is_signed(public_key: &[u8; 32], signature: &[u8], timestamp: &str, body: &[u8], now: UtcMs) -> bool {
    let Ok(seconds) = timestamp.parse::<i64>() else { return false };
    let Some(at) = seconds.checked_mul(1_000).map(UtcMs) else { return false };
    if now.0.abs_diff(at.0) > TOLERANCE_MS.unsigned_abs() {
        return false;
    }
    let signed = [timestamp.as_bytes(), b"|", body].concat();
    UnparsedPublicKey::new(&ED25519, public_key).verify(&signed, signature).is_ok()
}

/// What a callback says.
#[derive(Clone, PartialEq, Eq)]
pub enum Callback {
    /// A text came in.
    Text { id: String, from: PhoneNumber, to: Option<PhoneNumber>, body: String },
    /// What became of a text that we sent; `word`: the provider's for it.
    Receipt { id: String, word: String, receipt: Receipt },
}

#[derive(Deserialize)]
struct Envelope {
    data: Event,
}

#[derive(Deserialize)]
struct Event {
    event_type: String,
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    id: String,
    from: Option<Party>,
    // Any of these may be there and null.
    to: Option<Vec<Party>>,
    text: Option<String>,
    errors: Option<Vec<Wrong>>,
}

#[derive(Deserialize)]
struct Party {
    phone_number: Option<String>,
    status: Option<String>,
}

impl Callback {
    /// `None`: it tells nothing new, or nothing we know.
    pub fn read(body: &[u8]) -> Option<Self> {
        let Envelope { data: Event { event_type, payload } } = serde_json::from_slice(body).ok()?;
        let Payload { id, from, to, text, errors } = payload;
        let (to, errors) = (to.unwrap_or_default(), errors.unwrap_or_default());
        let number = |party: Option<&Party>| PhoneNumber::parse(party?.phone_number.as_deref()?).ok();
        match event_type.as_str() {
            "message.received" => {
                let (from, to) = (number(from.as_ref())?, number(to.first()));
                Some(Self::Text { id, from, to, body: text.unwrap_or_default() })
            }
            "message.sent" | "message.finalized" => {
                let word = to.first()?.status.clone()?;
                let code = errors.first().and_then(|wrong| wrong.code.number());
                let why = code.map_or_else(|| word.clone(), |code| format!("code_{code}"));
                let receipt = match word.as_str() {
                    "sent" => Receipt::Sent,
                    "delivered" => Receipt::Delivered,
                    "sending_failed" | "delivery_failed" => Receipt::Failed { failure: Failure::Permanent, why },
                    // Queued, sending, and `delivery_unconfirmed`, which tells that nobody will ever know.
                    _ => return None,
                };
                Some(Self::Receipt { id, word, receipt })
            }
            _ => None,
        }
    }
}

/// A callback that cannot be read and tells of a text: what somebody wrote is lost by it.
pub fn is_of_a_text(body: &[u8]) -> bool {
    let told = b"message.received";
    body.windows(told.len()).any(|window| window == told)
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    const NOW: UtcMs = UtcMs(1_772_871_000_000);

    #[test]
    fn a_signature_counts_for_its_body_its_time_and_its_key_alone() {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        let pair = Ed25519KeyPair::from_pkcs8(pair.as_ref()).expect("a key");
        let public: [u8; 32] = pair.public_key().as_ref().try_into().expect("32 octets");
        let at = "1772871000";
        let signature = pair.sign(b"1772871000|{}");
        let fits = |at: &str, body: &[u8], now| is_signed(&public, signature.as_ref(), at, body, now);
        assert!(fits(at, b"{}", NOW));
        assert!(fits(at, b"{}", NOW.plus_ms(TOLERANCE_MS)) && fits(at, b"{}", NOW.plus_ms(-TOLERANCE_MS)));
        assert!(!fits(at, b"{}", NOW.plus_ms(TOLERANCE_MS + 1)), "kept by somebody");
        assert!(!fits(at, b"{}", NOW.plus_ms(-TOLERANCE_MS - 1)));
        assert!(!fits(at, b"{ }", NOW) && !fits("1772871001", b"{}", NOW));
        assert!(!fits("", b"{}", NOW) && !fits("99999999999999999", b"{}", NOW) && !fits("-1", b"{}", NOW));
        assert!(!is_signed(&[0; 32], signature.as_ref(), at, b"{}", NOW));
        assert!(!is_signed(&public, b"", at, b"{}", NOW));
    }

    #[test]
    fn refusals_are_told_apart_by_whose_fault_they_are() {
        let failure = |status, body: &str| match judge(status, body.as_bytes()) {
            Delivery::Failed { failure, why } => (failure, why),
            Delivery::Accepted { .. } => panic!("a refusal"),
        };
        let said = r#"{"errors":[{"code":"40300","title":"Blocked due to STOP message"}]}"#;
        assert_eq!(failure(StatusCode::FORBIDDEN, said), (Failure::Permanent, "code_40300".into()));
        let said = r#"{"errors":[{"code":10009,"title":"Authentication failed"}]}"#;
        assert_eq!(failure(StatusCode::UNAUTHORIZED, said), (Failure::Temporary, "code_10009".into()));
        assert_eq!(failure(StatusCode::GATEWAY_TIMEOUT, ""), (Failure::Unknown, "http_504".into()));
        assert_eq!(failure(StatusCode::TOO_MANY_REQUESTS, "[]"), (Failure::Temporary, "http_429".into()));
    }

    #[test]
    fn callbacks_are_read_and_what_tells_nothing_is_left() {
        let receipt = |event: &str, status: &str, errors: &str| {
            let body = format!(
                r#"{{"data":{{"event_type":"{event}","payload":{{"id":"m1","to":[{{"phone_number":"+12025550110","status":"{status}"}}],"errors":[{errors}]}}}}}}"#
            );
            match Callback::read(body.as_bytes()) {
                Some(Callback::Receipt { id, receipt, .. }) => Some((id, receipt)),
                Some(Callback::Text { .. }) => panic!("a receipt"),
                None => None,
            }
        };
        let of_m1 = |receipt| Some(("m1".to_owned(), receipt));
        assert_eq!(receipt("message.sent", "sent", ""), of_m1(Receipt::Sent));
        assert_eq!(receipt("message.finalized", "delivered", ""), of_m1(Receipt::Delivered));
        let failed = |why: &str| of_m1(Receipt::Failed { failure: Failure::Permanent, why: why.into() });
        assert_eq!(receipt("message.finalized", "delivery_failed", r#"{"code":"40001"}"#), failed("code_40001"));
        assert_eq!(receipt("message.finalized", "sending_failed", ""), failed("sending_failed"));
        assert_eq!(receipt("message.finalized", "delivery_unconfirmed", ""), None);
        assert_eq!(receipt("call.hangup", "delivered", ""), None);
        for body in ["", "{}", "[]", r#"{"data":{"event_type":"message.received","payload":{"id":"m1"}}}"#] {
            assert!(Callback::read(body.as_bytes()).is_none(), "{body}");
        }
    }

    #[test]
    fn a_text_with_nothing_where_something_may_be_is_a_text_all_the_same() {
        let body =
            br#"{"data":{"event_type":"message.received","payload":{"id":"1","from":{"phone_number":"+12025550110"},
            "to":null,"text":null,"errors":null}}}"#;
        assert!(matches!(Callback::read(body), Some(Callback::Text { body, to: None, .. }) if body.is_empty()));
        let odd = br#"{"data":{"event_type":"message.received","payload":{"id":"1","from":{"phone_number":"bank"}}}}"#;
        assert!(Callback::read(odd).is_none() && is_of_a_text(odd));
        assert!(!is_of_a_text(br#"{"data":{"event_type":"message.sent"}}"#));
    }
}
