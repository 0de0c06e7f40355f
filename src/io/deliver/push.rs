//! Web push (RFC 8030): wakes a device on which somebody's inbox is. What it carries, encrypted for that device alone
//! (RFC 8291), is an identifier and nothing of the message.
//!
//! Signed with the service's own key (VAPID, RFC 8292), of which each subscription was told; with another key the push service
//! refuses it. Knows no person: the dispatcher says where to. An address comes from a browser: it is gone to only where
//! `outside` allows it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::{Client, StatusCode, Url};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use secrecy::{ExposeSecret as _, SecretString};
use web_push_native::{Auth, encrypt, p256};

use super::outside::Reach;
use super::{Answer, Delivery, http};
use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::AttemptId;
use crate::domain::dispatch::event::Failure;
use crate::io::store::inbox::Subscription;

/// How long a signature counts; RFC 8292 §2 allows a day.
const SIGNED_FOR_SECS: i64 = 12 * 3_600;
/// The secret of a subscription (RFC 8291 §3.2), and a public key on P-256, uncompressed.
const AUTH_BYTES: usize = 16;
const KEY_BYTES: usize = 65;
/// The longest address of a subscription that is kept.
const MAX_ENDPOINT: usize = 2_000;

/// A push to one device.
#[derive(Clone)]
pub struct Push {
    pub attempt: AttemptId,
    pub to: Subscription,
    /// For how long the push service keeps it for a device that is off.
    pub keep_secs: u32,
}

impl std::fmt::Debug for Push {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Push").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

/// Sends pushes.
pub trait Pusher: Send + Sync {
    fn send<'a>(&'a self, push: &'a Push) -> Answer<'a>;
}

/// The key that pushes are signed with.
pub struct PushKey {
    pair: EcdsaKeyPair,
    /// For browsers, which subscribe with it.
    public: String,
}

impl std::fmt::Debug for PushKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PushKey")
    }
}

impl PushKey {
    /// A new one, as it is kept.
    pub fn fresh() -> SecretString {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .expect("the system gives random bytes, as for every secret of ours");
        SecretString::from(STANDARD.encode(pkcs8.as_ref()))
    }

    /// As it was kept. None: it is no such key.
    pub fn open(kept: &SecretString) -> Option<Self> {
        let pkcs8 = STANDARD.decode(kept.expose_secret()).ok()?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &SystemRandom::new()).ok()?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Some(Self { pair, public })
    }

    /// What a browser subscribes with (`applicationServerKey`).
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The Authorization of a push to `endpoint` (RFC 8292 §3). `subject`: how a push service reaches us if something is wrong.
    fn authorization(&self, endpoint: &Url, subject: &str, now: UtcMs) -> Option<String> {
        // The origin of RFC 6454: the port stands in it where it is not the scheme's own.
        let aud = endpoint.origin().ascii_serialization();
        let claims = serde_json::json!({ "aud": aud, "exp": now.0 / 1_000 + SIGNED_FOR_SECS, "sub": subject });
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(&serde_json::json!({ "typ": "JWT", "alg": "ES256" })), part(&claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(format!("vapid t={signed}.{}, k={}", URL_SAFE_NO_PAD.encode(signature.as_ref()), self.public))
    }
}

/// Why a subscription cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSubscription {
    Endpoint,
    Keys,
}

/// A subscription as a browser tells it.
pub fn read_subscription(
    endpoint: &str,
    p256dh: &str,
    auth: &str,
    reach: Reach,
) -> Result<Subscription, BadSubscription> {
    let url = Url::parse(endpoint).map_err(|_| BadSubscription::Endpoint)?;
    if !reach.takes(&url) || endpoint.len() > MAX_ENDPOINT {
        return Err(BadSubscription::Endpoint);
    }
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| BadSubscription::Keys);
    let (p256dh, auth) = (bytes(p256dh)?, bytes(auth)?);
    if p256dh.len() != KEY_BYTES || auth.len() != AUTH_BYTES || p256::PublicKey::from_sec1_bytes(&p256dh).is_err() {
        return Err(BadSubscription::Keys);
    }
    Ok(Subscription { endpoint: url.into(), p256dh, auth })
}

/// Pushes over HTTP.
#[derive(Debug)]
pub struct WebPusher {
    client: Client,
    key: PushKey,
    subject: String,
    reach: Reach,
    clock: SharedClock,
}

impl WebPusher {
    /// `public_url`: how the world reaches us; push services may hold it against us if something is wrong.
    ///
    /// # Errors
    /// A sentence that says what cannot be used.
    pub fn new(key: PushKey, public_url: &str, reach: Reach, clock: SharedClock) -> Result<Self, String> {
        let client = http::client_within("pushes", reach)?;
        // RFC 8292 §2.1: a mailto: or an https: address.
        let subject = if public_url.starts_with("https://") {
            public_url.to_owned()
        } else {
            "mailto:postmaster@localhost".into()
        };
        Ok(Self { client, key, subject, reach, clock })
    }

    /// What browsers subscribe with.
    pub fn public_key(&self) -> &str {
        self.key.public()
    }

    async fn deliver(&self, push: &Push) -> Delivery {
        let bad = || Delivery::failed(Failure::Permanent, "bad_subscription");
        let Ok(url) = Url::parse(&push.to.endpoint) else { return bad() };
        if !self.reach.takes(&url) {
            return Delivery::failed(Failure::Permanent, http::INSIDE);
        }
        let Ok(public) = p256::PublicKey::from_sec1_bytes(&push.to.p256dh) else { return bad() };
        if push.to.auth.len() != AUTH_BYTES {
            return bad();
        }
        let payload = serde_json::json!({ "id": push.attempt }).to_string();
        let Ok(body) = encrypt(payload.into_bytes(), &public, &Auth::clone_from_slice(&push.to.auth)) else {
            return bad();
        };
        let Some(authorization) = self.key.authorization(&url, &self.subject, self.clock.utc()) else {
            return Delivery::failed(Failure::Temporary, "cannot_be_signed");
        };
        let request = self
            .client
            .post(url)
            .header("TTL", push.keep_secs)
            .header("Urgency", "high")
            .header("Content-Encoding", "aes128gcm")
            .header("Content-Type", "application/octet-stream")
            .header("Authorization", authorization)
            .body(body);
        match http::send(request).await {
            Ok((status, _)) => judge(status),
            Err(delivery) => delivery,
        }
    }
}

/// RFC 8030 §5 and §7.3: 201 is taken; 404 and 410 say that there is no such subscription any more.
fn judge(status: StatusCode) -> Delivery {
    match status {
        status if status.is_success() => Delivery::Accepted { provider_id: None },
        StatusCode::NOT_FOUND | StatusCode::GONE => Delivery::failed(Failure::Permanent, GONE),
        StatusCode::GATEWAY_TIMEOUT => Delivery::failed(Failure::Unknown, "http_504"),
        // 401, 403: it was made with another key. 400, 413: it cannot be written for them.
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PAYLOAD_TOO_LARGE => {
            Delivery::failed(Failure::Permanent, format!("http_{}", status.as_u16()))
        }
        _ => Delivery::failed(Failure::Temporary, format!("http_{}", status.as_u16())),
    }
}

/// Why a push failed whose subscription is gone.
pub const GONE: &str = "gone";

impl Pusher for WebPusher {
    fn send<'a>(&'a self, push: &'a Push) -> Answer<'a> {
        Box::pin(self.deliver(push))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    /// RFC 8291, Appendix A: the keys of its example.
    const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    #[test]
    fn a_push_is_signed_for_the_origin_of_its_service_port_and_all() {
        let kept = PushKey::fresh();
        let key = PushKey::open(&kept).expect("a key of ours");
        assert_eq!(PushKey::open(&kept).expect("the same").public(), key.public());
        for (endpoint, aud) in [
            ("https://push.example.net/send/abc", "https://push.example.net"),
            ("https://push.example.net:8443/send/abc", "https://push.example.net:8443"),
            ("http://localhost:8090/notify/abc", "http://localhost:8090"),
        ] {
            let url = Url::parse(endpoint).expect("an address");
            let told = key.authorization(&url, "https://desk.example.com", UtcMs(1_772_870_400_000)).expect("signed");
            let (token, k) = told.strip_prefix("vapid t=").and_then(|t| t.split_once(", k=")).expect("RFC 8292 §3");
            assert_eq!(k, key.public());
            let (signed, signature) = token.rsplit_once('.').expect("three parts");
            let public = URL_SAFE_NO_PAD.decode(k).expect("base64url");
            let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
            let checked =
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(signed.as_bytes(), &signature);
            assert!(checked.is_ok(), "ES256 with that key");
            let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.').expect("two parts").1).expect("base64url");
            let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
            assert_eq!(claims["aud"], aud);
            assert_eq!(claims["exp"], 1_772_870_400 + SIGNED_FOR_SECS);
            assert_eq!(claims["sub"], "https://desk.example.com");
        }
    }

    #[test]
    fn a_subscription_goes_elsewhere_by_https_only() {
        let read = |endpoint, reach| read_subscription(endpoint, P256DH, AUTH, reach).map(drop);
        assert_eq!(read("https://push.example.net/abc", Reach::World), Ok(()));
        for endpoint in ["http://push.example.net/abc", "http://127.0.0.1:9/", "https://localhost/", "ftp://x/", "abc"]
        {
            assert_eq!(read(endpoint, Reach::World), Err(BadSubscription::Endpoint), "{endpoint}");
        }
        assert_eq!(read("http://localhost:8090/notify/abc", Reach::ThisMachineToo), Ok(()));
        assert_eq!(read("http://push.example.net/abc", Reach::ThisMachineToo), Err(BadSubscription::Endpoint));
        for (p256dh, auth) in [("", AUTH), (P256DH, ""), (AUTH, AUTH), (&P256DH[..80], AUTH), (P256DH, "not base64!")] {
            let told = read_subscription("https://push.example.net/abc", p256dh, auth, Reach::World);
            assert_eq!(told.map(drop), Err(BadSubscription::Keys), "{p256dh} {auth}");
        }
    }

    #[test]
    fn what_a_push_service_says_is_told_apart() {
        let failure = |status: u16| match judge(StatusCode::from_u16(status).expect("a status")) {
            Delivery::Accepted { .. } => None,
            Delivery::Failed { failure, .. } => Some(failure),
        };
        assert_eq!(failure(201), None);
        for gone in [404, 410, 400, 401, 403, 413] {
            assert_eq!(failure(gone), Some(Failure::Permanent), "{gone}");
        }
        for later in [429, 500, 503] {
            assert_eq!(failure(later), Some(Failure::Temporary), "{later}");
        }
        assert_eq!(failure(504), Some(Failure::Unknown));
    }
}
