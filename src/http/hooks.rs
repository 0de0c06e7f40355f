//! Callbacks of providers of texts: in Twilio's shape, a signed form, answered at once with empty TwiML; in Telnyx's, JSON with a
//! signature over its octets and its time.
//!
//! A text that comes in is stored first (once, however often it is sent) and understood later. The signature
//! is, in Twilio's shape, over the configured public address, never over what the request says of itself.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use secrecy::ExposeSecret as _;

use crate::base::phone::PhoneNumber;
use crate::io::deliver::sms::telnyx::{Callback, is_of_a_text, is_signed};

use super::error::{Problem, ProblemBody};
use super::state::{CallbackKey, Front};

/// What a provider wants to hear: nothing to say back.
const EMPTY_TWIML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";

type Fields = Vec<(String, String)>;

/// A text came in.
#[utoipa::path(post, path = "/hooks/sms/{provider}/inbound", tag = "hooks",
    params(("provider" = String, Path), ("X-Twilio-Signature" = String, Header)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = OK, content_type = "text/xml", body = String), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn inbound(
    State(front): State<Front>,
    Path(provider): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let fields = signed_fields(&front, &provider, &uri, &headers, &body)?;
    let id = find(&fields, &["MessageSid", "SmsMessageSid"]);
    let from = find(&fields, &["From"]).and_then(|from| PhoneNumber::parse(from).ok());
    let (Some(id), Some(from)) = (id, from) else {
        // Signed, but from nobody who can be answered (a short code, a brand name): there is no use in a retry.
        metrics::counter!("cordboard_texts_unreadable_total").increment(1);
        tracing::warn!(provider, "a text without an identifier or a number came in");
        return Ok(twiml());
    };
    let to = find(&fields, &["To"]).and_then(|to| PhoneNumber::parse(to).ok());
    let body = find(&fields, &["Body"]).unwrap_or_default().to_owned();
    front.dispatcher.take_text(&provider, id, from, to, body).await?;
    Ok(twiml())
}

/// News of a text we sent.
#[utoipa::path(post, path = "/hooks/sms/{provider}/status", tag = "hooks",
    params(("provider" = String, Path), ("X-Twilio-Signature" = String, Header)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = OK, content_type = "text/xml", body = String), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn status(
    State(front): State<Front>,
    Path(provider): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let fields = signed_fields(&front, &provider, &uri, &headers, &body)?;
    let id = find(&fields, &["MessageSid", "SmsSid"]);
    let state = find(&fields, &["MessageStatus", "SmsStatus"]);
    if let (Some(id), Some(state)) = (id, state) {
        let error = find(&fields, &["ErrorCode"]);
        front.dispatcher.take_receipt(&provider, id, &state.to_lowercase(), error).await?;
    }
    Ok(twiml())
}

/// News of texts, in Telnyx's shape.
#[utoipa::path(post, path = "/hooks/sms/{provider}/telnyx", tag = "hooks",
    params(("provider" = String, Path), ("Telnyx-Signature-Ed25519" = String, Header), ("Telnyx-Timestamp" = String, Header)),
    request_body(content = String, content_type = "application/json"),
    responses((status = OK), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn telnyx(
    State(front): State<Front>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let key = front.settings.sms_providers.iter().find_map(|known| match &known.key {
        CallbackKey::Telnyx(key) if known.name == provider => Some(key),
        _ => None,
    });
    let signature = header("telnyx-signature-ed25519").and_then(|signature| STANDARD.decode(signature).ok());
    let (Some(key), Some(signature), Some(at)) = (key, signature, header("telnyx-timestamp")) else {
        return Err(refused());
    };
    if !is_signed(key, &signature, at, &body, front.clock.utc()) {
        return Err(refused());
    }
    match Callback::read(&body) {
        Some(Callback::Text { id, from, to, body }) => {
            front.dispatcher.take_text(&provider, &id, from, to, body).await?;
        }
        Some(Callback::Receipt { id, word, receipt }) => {
            front.dispatcher.take_fate(&provider, &id, &word, receipt).await?;
        }
        // From nobody who can be answered: there is no use in a retry.
        None if is_of_a_text(&body) => {
            metrics::counter!("cordboard_texts_unreadable_total").increment(1);
            tracing::warn!(provider, "a text came in that could not be read, or from no number");
        }
        None => {}
    }
    Ok(StatusCode::OK)
}

/// An unknown provider is answered like a wrong signature, so that names cannot be probed for.
fn refused() -> Problem {
    metrics::counter!("cordboard_hooks_refused_total").increment(1);
    Problem::forbidden("hook.signature", "The signature is missing or wrong.")
}

fn twiml() -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/xml; charset=utf-8")], EMPTY_TWIML).into_response()
}

fn find<'a>(fields: &'a Fields, names: &[&str]) -> Option<&'a str> {
    let value = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    names.iter().find_map(|name| value(name)).filter(|value| !value.is_empty())
}

/// The form of a callback whose signature is right.
fn signed_fields(
    front: &Front,
    provider: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Fields, Problem> {
    let secret = front.settings.sms_providers.iter().find_map(|known| match &known.key {
        CallbackKey::Twilio(secret) if known.name == provider => Some(secret),
        _ => None,
    });
    let secret = secret.ok_or_else(refused)?;
    let signature = headers.get("x-twilio-signature").and_then(|v| v.to_str().ok()).ok_or_else(refused)?;
    let path = uri.path_and_query().map_or_else(|| uri.path(), |p| p.as_str());
    let url = format!("{}{path}", front.settings.public_url.trim_end_matches('/'));
    let fields: Fields = form_urlencoded::parse(body).into_owned().collect();
    if !signature_fits(&url, &fields, signature, secret.expose_secret()) {
        return Err(refused());
    }
    Ok(fields)
}

/// Twilio's scheme: base64 of HMAC-SHA1 over the address and then every field, sorted by name, name and value.
fn signature_fits(url: &str, fields: &Fields, signature: &str, auth_token: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature) else { return false };
    let mut sorted = fields.clone();
    sorted.sort();
    sorted.dedup();
    let mut signed = url.to_owned();
    for (name, value) in &sorted {
        signed.push_str(name);
        signed.push_str(value);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth_token.as_bytes());
    // Compares in constant time.
    hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twilios_own_example_fits() {
        // From the provider's documentation on validating requests.
        let fields: Fields = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675310"),
            ("Digits", "1234"),
            ("From", "+14158675310"),
            ("To", "+18005551212"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let url = "https://example.com/myapp.php?foo=1&bar=2";
        assert!(signature_fits(url, &fields, "L/OH5YylLD5NRKLltdqwSvS0BnU=", "12345"));
        assert!(!signature_fits(url, &fields, "L/OH5YylLD5NRKLltdqwSvS0BnY=", "12345"));
        assert!(!signature_fits(url, &fields, "", "12345"));
        assert!(!signature_fits(url, &fields, "L/OH5YylLD5NRKLltdqwSvS0BnU=", "12346"));
        assert!(!signature_fits(
            "http://example.com/myapp.php?foo=1&bar=2",
            &fields,
            "L/OH5YylLD5NRKLltdqwSvS0BnU=",
            "12345"
        ));
    }
}
