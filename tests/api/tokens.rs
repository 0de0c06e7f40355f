//! Forged and worn-out tokens, at every route that wants one.

use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::{House, KEY, START};

fn forge(algorithm: Algorithm, claims: &Value, key: &[u8]) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key)).expect("any JSON can be signed")
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let house = House::new().await;
    let good = house.sign_in("kim").await;
    let session = house.front.tokens.check(&good).expect("a good token").session;
    let now = START.0 / 1_000;
    let claims = |change: (&str, Value)| {
        let mut claims = json!({"aud": "cordboard", "iss": "cordboard", "sub": "usr_kim", "role": "operator",
            "sid": session.as_str(), "iat": now, "exp": now + 900});
        claims[change.0] = change.1;
        claims
    };
    let same = claims(("iss", json!("cordboard")));
    assert_eq!(house.fetch("/api/v1/me", &forge(Algorithm::HS256, &same, &KEY)).await.status, StatusCode::OK);
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let unsigned = format!("{unsigned}.{}.", URL_SAFE_NO_PAD.encode(same.to_string()));
    let mut flipped = good.clone().into_bytes();
    let last = flipped.len() - 5;
    flipped[last] = if flipped[last] == b'A' { b'B' } else { b'A' };
    for (what, token) in [
        ("alg none", unsigned),
        ("another key", forge(Algorithm::HS256, &same, &[8; 32])),
        ("another algorithm", forge(Algorithm::HS384, &same, &KEY)),
        ("another audience", forge(Algorithm::HS256, &claims(("aud", json!("elsewhere"))), &KEY)),
        ("another issuer", forge(Algorithm::HS256, &claims(("iss", json!("elsewhere"))), &KEY)),
        ("an unknown role", forge(Algorithm::HS256, &claims(("role", json!("root"))), &KEY)),
        ("too long a life", forge(Algorithm::HS256, &claims(("exp", json!(now + 86_400))), &KEY)),
        ("a flipped bit", String::from_utf8(flipped).expect("text")),
        ("not a token", "x.y.z".into()),
    ] {
        let got = house.fetch("/api/v1/me", &token).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNAUTHORIZED, "auth.invalid"), "{what}");
        assert_eq!(got.headers["www-authenticate"], "Bearer");
    }
    let expired = claims(("exp", json!(now)));
    assert_eq!(house.fetch("/api/v1/me", &forge(Algorithm::HS256, &expired, &KEY)).await.problem(), "auth.expired");
    let another = claims(("sub", json!("usr_lee")));
    let got = house.fetch("/api/v1/me", &forge(Algorithm::HS256, &another, &KEY)).await;
    assert_ne!(got.status, StatusCode::OK, "somebody else in this session");
}

#[tokio::test]
async fn every_route_of_the_api_wants_a_token_but_signing_in() {
    let house = House::new().await;
    let document = house.fetch("/api/openapi.json", "").await.json();
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys() {
            // The feed takes its token in the first frame; whoever opens their inbox shows a link or a device, and a PIN.
            let open = path.starts_with("/api/v1/sessions") && method == "post"
                || ["/api/v1/events", "/api/v1/inbox", "/api/v1/inbox/session"].contains(&path.as_str());
            if !path.starts_with("/api/v1/") || open {
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let of = if path.contains("/pushes/") { "att_1" } else { "msg_1" };
            let path = path.replace("{id}", of);
            let got = house.ask(method.clone(), &path, "", json!({})).await;
            assert_eq!(got.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            // An inbox has tokens of its own, and what wakes it its device's cookie.
            let wanted = match path.strip_prefix("/api/v1/inbox/") {
                Some(of) if of.starts_with("pushes/") || of == "push/renewed" => "inbox.unknown",
                Some(_) => "inbox.closed",
                None => "auth.required",
            };
            assert_eq!(got.problem(), wanted, "{method} {path}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen} routes");
}
