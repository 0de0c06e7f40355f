//! The console's bundle: served with ETags and a strict policy, its pages by name.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::Value;

use crate::support::House;

#[tokio::test]
async fn pages_of_the_console_are_its_index() {
    let house = House::new().await;
    for path in ["/", "/desk", "/messages/msg_1"] {
        let got = house.fetch(path, "").await;
        assert_eq!(got.status, StatusCode::OK, "{path}");
        assert_eq!(got.headers["content-type"], "text/html; charset=utf-8");
        let text = String::from_utf8_lossy(&got.body).into_owned();
        assert!(text.contains("<div id=\"app\">"), "{path}");
        // The policy allows no inline script, so the page must have none.
        for script in text.split("<script").skip(1) {
            let (tag, rest) = script.split_once('>').expect("a whole tag");
            assert!(tag.contains("src=") && rest.trim_start().starts_with("</script>"), "an inline script");
        }
    }
}

#[tokio::test]
async fn pages_of_the_portal_are_an_entry_of_their_own() {
    let house = House::new().await;
    for path in ["/portal", "/portal/acc_1/messages/msg_1"] {
        let got = house.fetch(path, "").await;
        assert_eq!(got.status, StatusCode::OK, "{path}");
        let text = String::from_utf8_lossy(&got.body).into_owned();
        assert!(text.contains("<div id=\"portal\">") && !text.contains("assets/index.js"), "{path}");
    }
    let other = house.fetch("/portals", "").await;
    assert!(String::from_utf8_lossy(&other.body).contains("<div id=\"app\">"), "only whole words lead to the portal");
}

#[tokio::test]
async fn a_file_that_has_not_changed_is_not_sent_again() {
    let house = House::new().await;
    let got = house.fetch("/assets/index.js", "").await;
    assert_eq!(got.status, StatusCode::OK);
    assert!(got.headers["content-type"].to_str().is_ok_and(|kind| kind.contains("javascript")));
    let etag = got.headers["etag"].to_str().expect("text").to_owned();
    for (sent, status) in
        [(etag.clone(), 304), (format!("W/{etag}"), 304), (format!("\"x\", {etag}"), 304), ("\"x\"".into(), 200)]
    {
        let request = Request::get("/assets/index.js").header("if-none-match", &sent).body(Body::empty());
        let got = house.send(request.expect("a request")).await;
        assert_eq!(got.status.as_u16(), status, "{sent}");
        assert_eq!(got.body.is_empty(), status == 304);
        assert_eq!(got.headers["etag"], etag);
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_and_not_a_page() {
    let house = House::new().await;
    for path in ["/assets/missing.js", "/api/v1/nothing", "/api/", "/hooks/nothing", "/sandbox", "/sandbox.html"] {
        let got = house.fetch(path, "").await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{path}");
    }
    for path in ["/../Cargo.toml", "/..%2fCargo.toml", "/assets/../../../Cargo.toml"] {
        let got = house.fetch(path, "").await;
        assert!(!String::from_utf8_lossy(&got.body).contains("[package]"), "{path}");
    }
    let got = house.ask(Method::POST, "/desk", "", Value::Null).await;
    assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn every_answer_has_the_headers_that_protect() {
    let house = House::new().await;
    for path in ["/", "/api/v1/me", "/livez", "/assets/index.js"] {
        let got = house.fetch(path, "").await;
        assert_eq!(got.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(got.headers["x-frame-options"], "DENY", "{path}");
        let policy = got.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.contains("script-src 'self';") && policy.contains("style-src 'self';"), "{path}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(got.headers.contains_key("x-request-id"), "{path}");
    }
    assert_eq!(house.fetch("/api/v1/me", "").await.headers["cache-control"], "no-store");
    let request = Request::get("/livez").header("x-request-id", "0123456789abcdef").body(Body::empty());
    assert_eq!(house.send(request.expect("a request")).await.headers["x-request-id"], "0123456789abcdef");
}
