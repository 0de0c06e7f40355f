//! The sandbox's text provider: Twilio's shape, so that the demo's own driver and webhooks are what runs.
//!
//! Takes a text by form POST with basic auth, puts it on a phone, and reports `sent`, then `delivered` or
//! `undelivered`, by signed callback; a reply typed on a phone goes to the demo as a signed inbound POST.
//! Only ever calls the demo's own address. Sending on a page of its own: [`crate::sandbox::web`].

use std::sync::Arc;
use std::time::Duration;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::base::phone::PhoneNumber;
use crate::base::rng::secure_bytes;
use crate::sandbox::exchange::{Exchange, TextOutcome};

/// The longest body taken, as the provider it stands for.
const MAX_BODY: usize = 1_600;
/// A webhook is tried this often.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_secs(2);
/// What a network takes between its steps, so that the page shows them one by one.
const STEP: Duration = Duration::from_millis(400);

/// What the provider knows of the demo.
#[derive(Debug)]
pub struct Provider {
    pub sid: String,
    pub token: String,
    /// Callbacks go to addresses that begin with this, and nowhere else.
    pub http_base: String,
    /// Where replies are posted.
    pub inbound_url: String,
    pub client: reqwest::Client,
    pub exchange: Exchange,
}

/// The signature of a webhook: HMAC-SHA1 over the address and the sorted parameters.
pub fn sign(token: &str, url: &str, parameters: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort();
    let mut text = url.to_owned();
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    STANDARD.encode(ring::hmac::sign(&key, text.as_bytes()))
}

fn fresh_sid() -> String {
    let random: [u8; 16] = secure_bytes();
    random.iter().fold("SM".to_owned(), |sid, byte| format!("{sid}{byte:02x}"))
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

fn refusal(status: StatusCode, code: u32, message: &str) -> Response {
    let body = json!({
        "code": code,
        "message": message,
        "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
        "status": status.as_u16(),
    });
    (status, Json(body)).into_response()
}

fn is_authorized(headers: &HeaderMap, sid: &str, token: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let given = given.and_then(|v| v.strip_prefix("Basic ")).and_then(|v| STANDARD.decode(v.trim()).ok());
    given.is_some_and(|given| given == format!("{sid}:{token}").as_bytes())
}

/// `POST /2010-04-01/Accounts/{sid}/Messages.json`
pub async fn create(
    State(provider): State<Arc<Provider>>,
    Path(sid): Path<String>,
    headers: HeaderMap,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    if sid != provider.sid || !is_authorized(&headers, &provider.sid, &provider.token) {
        return refusal(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
    }
    let field = |name: &str| form.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
    let Ok(to) = PhoneNumber::parse(field("To")) else {
        return refusal(StatusCode::BAD_REQUEST, 21211, "The 'To' number is not a valid phone number.");
    };
    let Ok(from) = PhoneNumber::parse(field("From")) else {
        return refusal(StatusCode::BAD_REQUEST, 21212, "The 'From' number is not a valid phone number.");
    };
    let body = field("Body");
    if body.is_empty() {
        return refusal(StatusCode::BAD_REQUEST, 21602, "Message body is required.");
    }
    if body.chars().count() > MAX_BODY {
        return refusal(StatusCode::BAD_REQUEST, 21617, "The message body exceeds the 1600 character limit.");
    }
    let callback = field("StatusCallback");
    if !callback.is_empty() && !callback.starts_with(&provider.http_base) {
        return refusal(StatusCode::BAD_REQUEST, 21609, "The 'StatusCallback' URL is not the demo's.");
    }
    let message = fresh_sid();
    let resource = json!({
        "sid": message,
        "account_sid": sid,
        "api_version": "2010-04-01",
        "body": body,
        "direction": "outbound-api",
        "error_code": null,
        "error_message": null,
        "from": from.as_e164(),
        "num_media": "0",
        "num_segments": "1",
        "status": "queued",
        "to": to.as_e164(),
        "uri": format!("/2010-04-01/Accounts/{sid}/Messages/{message}.json"),
    });
    let (callback, body) = (callback.to_owned(), body.to_owned());
    tokio::spawn(async move { provider.carry(&message, from, to, body, &callback).await });
    (StatusCode::CREATED, Json(resource)).into_response()
}

impl Provider {
    /// Carries one text to its phone and reports each step.
    async fn carry(&self, sid: &str, from: PhoneNumber, to: PhoneNumber, body: String, callback: &str) {
        tokio::time::sleep(STEP).await;
        let outcome = self.exchange.text(from.clone(), to.clone(), body).await;
        self.report(callback, sid, &from, &to, "sent", None).await;
        tokio::time::sleep(STEP).await;
        let (status, error) = match outcome {
            TextOutcome::Delivered => ("delivered", None),
            TextOutcome::SwitchedOff => ("undelivered", Some("30003")),
            TextOutcome::NoSuchPhone => ("undelivered", Some("30006")),
        };
        self.report(callback, sid, &from, &to, status, error).await;
    }

    async fn report(
        &self,
        url: &str,
        sid: &str,
        from: &PhoneNumber,
        to: &PhoneNumber,
        status: &str,
        error: Option<&str>,
    ) {
        if url.is_empty() {
            return;
        }
        let mut parameters = pairs(&[
            ("AccountSid", &self.sid),
            ("ApiVersion", "2010-04-01"),
            ("From", from.as_e164()),
            ("MessageSid", sid),
            ("MessageStatus", status),
            ("SmsSid", sid),
            ("SmsStatus", status),
            ("To", to.as_e164()),
        ]);
        parameters.extend(error.map(|code| ("ErrorCode".to_owned(), code.to_owned())));
        self.post(url, &parameters).await;
    }

    /// A text typed on a phone, to the demo. `false`: nobody took it.
    pub async fn reply(&self, from: &PhoneNumber, to: &PhoneNumber, body: &str) -> bool {
        let sid = fresh_sid();
        let parameters = pairs(&[
            ("AccountSid", &self.sid),
            ("ApiVersion", "2010-04-01"),
            ("Body", body),
            ("From", from.as_e164()),
            ("MessageSid", &sid),
            ("NumMedia", "0"),
            ("NumSegments", "1"),
            ("SmsMessageSid", &sid),
            ("SmsSid", &sid),
            ("SmsStatus", "received"),
            ("To", to.as_e164()),
        ]);
        self.post(&self.inbound_url, &parameters).await
    }

    async fn post(&self, url: &str, parameters: &[(String, String)]) -> bool {
        let signature = sign(&self.token, url, parameters);
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
            let request = self.client.post(url).header("X-Twilio-Signature", &signature).form(parameters);
            match request.send().await {
                Ok(answer) if answer.status().is_success() => return true,
                // What is refused once is refused again; a server in trouble is asked again.
                Ok(answer) if answer.status().is_client_error() => {
                    tracing::warn!(status = answer.status().as_u16(), "the demo refused a webhook of the sandbox");
                    return false;
                }
                Ok(answer) => {
                    tracing::debug!(status = answer.status().as_u16(), "a webhook of the sandbox will be tried again")
                }
                Err(_) => tracing::debug!("a webhook of the sandbox found nobody"),
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_signed_as_the_provider_documents_it() {
        let parameters = pairs(&[
            ("To", "+18005551212"),
            ("CallSid", "CA1234567890ABCDE"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("Caller", "+14158675309"),
        ]);
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(sign("12345", url, &parameters), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }

    #[test]
    fn only_the_account_and_its_token_may_send() {
        let mut headers = HeaderMap::new();
        assert!(!is_authorized(&headers, "AC1", "secret"));
        let good = format!("Basic {}", STANDARD.encode("AC1:secret"));
        headers.insert(header::AUTHORIZATION, good.parse().expect("a header value"));
        assert!(is_authorized(&headers, "AC1", "secret"));
        assert!(!is_authorized(&headers, "AC1", "other"));
    }
}
