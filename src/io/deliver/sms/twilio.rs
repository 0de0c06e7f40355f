//! Texts through an HTTP provider in Twilio's shape: a form POST with basic authentication; what becomes of
//! the text comes back on a signed callback (`http/hooks` checks it; [`receipt`] reads it).

use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::base::phone::PhoneNumber;
use crate::domain::dispatch::event::Failure;
use crate::io::deliver::{Answer, Delivery, Heard, Hearing, TextMessage, Texter, http, said};
use crate::io::store::inbound::Receipt;

/// How texts leave.
#[derive(Clone, Debug)]
pub struct TwilioConfig {
    /// In the callbacks' addresses: `/hooks/sms/<name>/status`.
    pub name: String,
    /// `https://api.twilio.com`
    pub base_url: String,
    pub account_sid: String,
    pub auth_token: SecretString,
    pub from: PhoneNumber,
    /// How the provider reaches us; none: no receipts.
    pub public_url: Option<String>,
}

/// Sends texts through one provider.
#[derive(Debug)]
pub struct TwilioTexter {
    client: Client,
    config: TwilioConfig,
    url: String,
    callback: Option<String>,
}

/// What we read of the provider's answer.
#[derive(Deserialize)]
struct Reply {
    /// Of a text that was taken.
    sid: Option<String>,
    /// Of a refusal.
    code: Option<u32>,
}

impl TwilioTexter {
    /// # Errors
    /// A sentence that says what cannot be used.
    pub fn new(config: TwilioConfig) -> Result<Self, String> {
        let client = http::client("the text provider")?;
        let base = config.base_url.trim_end_matches('/');
        let url = format!("{base}/2010-04-01/Accounts/{}/Messages.json", config.account_sid);
        let callback = config
            .public_url
            .as_deref()
            .map(|public| format!("{}/hooks/sms/{}/status", public.trim_end_matches('/'), config.name));
        Ok(Self { client, config, url, callback })
    }

    async fn deliver(&self, text: &TextMessage) -> Heard {
        let mut form = vec![
            ("To", text.to.as_e164().to_owned()),
            ("From", text.from.as_ref().unwrap_or(&self.config.from).as_e164().to_owned()),
            ("Body", text.body.clone()),
        ];
        if let Some(callback) = &self.callback {
            form.push(("StatusCallback", callback.clone()));
        }
        let request = self
            .client
            .post(&self.url)
            .basic_auth(&self.config.account_sid, Some(self.config.auth_token.expose_secret()))
            .form(&form);
        match http::send(request).await {
            Ok((status, body)) => Heard::new(judge(status, &body), said::in_body(status.as_u16(), &body)),
            Err(delivery) => delivery.into(),
        }
    }
}

fn judge(status: StatusCode, body: &[u8]) -> Delivery {
    let reply: Option<Reply> = serde_json::from_slice(body).ok();
    if status.is_success() {
        return Delivery::Accepted { provider_id: reply.and_then(|reply| reply.sid) };
    }
    let code = reply.and_then(|reply| reply.code);
    let why = code.map_or_else(|| format!("http_{}", status.as_u16()), |code| format!("code_{code}"));
    match (status, code) {
        // Our numbers and the person's: wrong, unreachable, a landline, or they said STOP.
        (StatusCode::BAD_REQUEST, Some(21211 | 21214 | 21217 | 21408 | 21610 | 21612 | 21614 | 21635)) => {
            Delivery::failed(Failure::Permanent, why)
        }
        _ => http::judge(status, why),
    }
}

impl Texter for TwilioTexter {
    fn send<'a>(&'a self, text: &'a TextMessage) -> Answer<'a> {
        Box::pin(async move { self.deliver(text).await.delivery })
    }

    fn send_and_hear<'a>(&'a self, text: &'a TextMessage) -> Hearing<'a> {
        Box::pin(self.deliver(text))
    }
}

/// What a status callback says; `None` for states that tell nothing new (queued, sending).
pub fn receipt(status: &str, error_code: Option<&str>) -> Option<Receipt> {
    let why = error_code.map_or_else(|| status.to_owned(), |code| format!("code_{code}"));
    match status {
        "sent" => Some(Receipt::Sent),
        "delivered" | "read" => Some(Receipt::Delivered),
        // Final for this text: the carrier has given up.
        "undelivered" | "failed" | "canceled" => Some(Receipt::Failed { failure: Failure::Permanent, why }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart_by_whose_fault_they_are() {
        let failure = |status, body: &str| match judge(status, body.as_bytes()) {
            Delivery::Failed { failure, why } => (failure, why),
            Delivery::Accepted { .. } => panic!("not a refusal"),
        };
        let bad = StatusCode::BAD_REQUEST;
        assert_eq!(failure(bad, r#"{"code":21614}"#), (Failure::Permanent, "code_21614".into()));
        assert_eq!(failure(bad, r#"{"code":21610}"#).0, Failure::Permanent);
        assert_eq!(failure(bad, r#"{"code":21606}"#).0, Failure::Temporary, "our own number is wrong");
        assert_eq!(failure(StatusCode::UNAUTHORIZED, "<html>"), (Failure::Temporary, "http_401".into()));
        assert_eq!(failure(StatusCode::TOO_MANY_REQUESTS, "").0, Failure::Temporary);
        assert_eq!(failure(StatusCode::GATEWAY_TIMEOUT, "").0, Failure::Unknown);
    }

    #[test]
    fn an_accepted_text_has_the_providers_name() {
        let accepted = judge(StatusCode::CREATED, br#"{"sid":"SM1","status":"queued"}"#);
        assert_eq!(accepted, Delivery::Accepted { provider_id: Some("SM1".into()) });
        // An answer that cannot be read still means that the text was taken.
        assert_eq!(judge(StatusCode::CREATED, b"?"), Delivery::Accepted { provider_id: None });
    }

    #[test]
    fn receipts_move_forward_or_fail() {
        assert_eq!(receipt("queued", None), None);
        assert_eq!(receipt("sent", None), Some(Receipt::Sent));
        assert_eq!(receipt("delivered", None), Some(Receipt::Delivered));
        assert!(matches!(receipt("undelivered", Some("30003")), Some(Receipt::Failed { .. })));
    }
}
