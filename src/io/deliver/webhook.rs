//! Messages posted to clients' own systems as JSON, signed as Standard Webhooks does it: an identifier, which is the attempt's and
//! stays over every try, a time, and an HMAC of both and the body by the secret that the two share.
//!
//! What always holds: it goes where the configuration says and nowhere else, as no redirect is followed; and whoever has no secret
//! can neither make one nor send an old one again unseen.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, StatusCode, Url, header};
use ring::hmac;

use super::{Answer, Delivery, Heard, Hearing, Post, Poster, http, said};
use crate::base::id::AttemptId;
use crate::config::webhook::{WebhookReceiver, read_key};
use crate::domain::dispatch::event::Failure;

/// Posts over HTTPS.
pub struct Webhooks {
    client: Client,
    receivers: BTreeMap<String, (Url, hmac::Key)>,
}

impl Webhooks {
    /// # Errors
    /// A sentence that says what cannot be used.
    pub fn new(receivers: &[WebhookReceiver]) -> Result<Self, String> {
        let mut known = BTreeMap::new();
        for WebhookReceiver { name, url, secret } in receivers {
            let key = read_key(secret).ok_or_else(|| format!("the secret of {name} is none"))?;
            known.insert(name.clone(), (url.clone(), hmac::Key::new(hmac::HMAC_SHA256, &key)));
        }
        Ok(Self { client: http::client("webhooks")?, receivers: known })
    }

    async fn deliver(&self, post: &Post) -> Heard {
        // It was there when the contact was saved.
        let Some((url, key)) = self.receivers.get(&post.to) else {
            return Delivery::failed(Failure::Temporary, "not_configured").into();
        };
        let Ok(body) = serde_json::to_string(&post.body) else {
            return Delivery::failed(Failure::Permanent, "cannot_be_written").into();
        };
        let at = post.at.0.div_euclid(1_000);
        let request = self
            .client
            .post(url.clone())
            .header("webhook-id", post.attempt.as_str())
            .header("webhook-timestamp", at)
            .header("webhook-signature", sign(key, &post.attempt, at, &body))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        match http::send(request).await {
            Ok((status, body)) => Heard::new(judge(status), said::in_body(status.as_u16(), &body)),
            Err(delivery) => delivery.into(),
        }
    }
}

fn sign(key: &hmac::Key, id: &AttemptId, at: i64, body: &str) -> String {
    let tag = hmac::sign(key, format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag.as_ref()))
}

fn judge(status: StatusCode) -> Delivery {
    let why = format!("http_{}", status.as_u16());
    match status {
        status if status.is_success() => Delivery::Accepted { provider_id: None },
        status if status.is_redirection() => Delivery::failed(Failure::Permanent, "redirected"),
        // It wants no more of them, or not such a one.
        StatusCode::GONE
        | StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => Delivery::failed(Failure::Permanent, why),
        _ => http::judge(status, why),
    }
}

impl Poster for Webhooks {
    fn post<'a>(&'a self, post: &'a Post) -> Answer<'a> {
        Box::pin(async move { self.deliver(post).await.delivery })
    }

    fn post_and_hear<'a>(&'a self, post: &'a Post) -> Hearing<'a> {
        Box::pin(self.deliver(post))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_signed_as_the_specification_s_example() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let id: AttemptId = AttemptId::named("x");
        let of = |text: &str| format!("v1,{}", STANDARD.encode(hmac::sign(&key, text.as_bytes()).as_ref()));
        let example = of(r#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#);
        assert_eq!(example, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(sign(&key, &id, 1_614_265_330, "{}"), of("att_x.1614265330.{}"));
    }

    #[test]
    fn answers_are_told_apart_by_whether_another_try_could_help() {
        let failure = |status: u16| match judge(StatusCode::from_u16(status).expect("a status")) {
            Delivery::Accepted { .. } => None,
            Delivery::Failed { failure, why } => Some((failure, why)),
        };
        for taken in [200, 201, 202, 204] {
            assert_eq!(failure(taken), None);
        }
        for elsewhere in [301, 302, 303, 307, 308] {
            assert_eq!(failure(elsewhere), Some((Failure::Permanent, "redirected".into())), "{elsewhere}");
        }
        for never in [400, 410, 413, 415, 422] {
            assert_eq!(failure(never), Some((Failure::Permanent, format!("http_{never}"))));
        }
        // Theirs or ours to mend.
        for later in [401, 403, 404, 408, 429, 500, 502, 503] {
            assert_eq!(failure(later), Some((Failure::Temporary, format!("http_{later}"))));
        }
        assert_eq!(failure(504), Some((Failure::Unknown, "http_504".into())));
    }
}
