//! The description covers every route, and every name it refers to is in it.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::House;

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                found.insert(reference);
            }
            map.values().for_each(|v| references(v, found));
        }
        Value::Array(list) => list.iter().for_each(|v| references(v, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = House::new().await.fetch("/api/openapi.json", "").await.json();
    assert!(document["openapi"].as_str().is_some_and(|v| v.starts_with("3.1")));
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn every_described_route_is_routed_and_every_routed_one_described() {
    let house = House::new().await;
    let document = house.fetch("/api/openapi.json", "").await.json();
    let paths = document["paths"].as_object().expect("paths");
    for (path, item) in paths {
        let named = |part: &str| if part.starts_with('{') { "x".to_owned() } else { part.to_owned() };
        let concrete = path.split('/').map(named).collect::<Vec<_>>().join("/");
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let described = item.get(method.as_str().to_lowercase()).is_some();
            let got = house.ask(method.clone(), &concrete, "", json!({})).await;
            let routed = got.status != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(described, routed, "{method} {path}: {}", got.status);
            // A path that no route takes falls to the console, which knows nothing under /api and /hooks.
            let unrouted = got.status == StatusCode::NOT_FOUND && got.json()["detail"] == "There is no such route.";
            assert!(!unrouted, "{method} {path}");
        }
    }
    // The contract with the console and with the carrier, by name.
    for path in [
        "/api/v1/sessions",
        "/api/v1/sessions/refresh",
        "/api/v1/sessions/current",
        "/api/v1/me",
        "/api/v1/accounts",
        "/api/v1/accounts/{id}",
        "/api/v1/accounts/{id}/messages",
        "/api/v1/accounts/{id}/call_types",
        "/api/v1/accounts/{id}/going_live",
        "/api/v1/accounts/{id}/approvals",
        "/api/v1/accounts/{id}/spoken_as",
        "/api/v1/accounts/{id}/spoken_as/listen",
        "/api/v1/accounts/{id}/answer_phrase",
        "/api/v1/accounts/{id}/flow",
        "/api/v1/accounts/{id}/flow/check",
        "/api/v1/accounts/{id}/recap",
        "/api/v1/accounts/{id}/recordings",
        "/api/v1/accounts/{id}/status_greeting",
        "/api/v1/accounts/{id}/on_call",
        "/api/v1/accounts/{id}/calendar",
        "/api/v1/accounts/{id}/schedules",
        "/api/v1/accounts/{id}/schedules/preview",
        "/api/v1/accounts/{id}/schedules/history",
        "/api/v1/accounts/{id}/schedules/import",
        "/api/v1/accounts/{id}/schedules/feeds",
        "/api/v1/clients",
        "/api/v1/protocol_changes/{id}/approve",
        "/api/v1/protocol_changes",
        "/api/v1/protocol_changes/{id}/refuse",
        "/api/v1/portal",
        "/api/v1/portal/accounts/{account}/messages",
        "/api/v1/portal/accounts/{account}/messages/{id}",
        "/api/v1/portal/accounts/{account}/contacts/{id}",
        "/api/v1/portal/accounts/{account}/contacts",
        "/api/v1/portal/accounts/{account}/contacts/{id}/pin",
        "/api/v1/portal/accounts/{account}/contacts/{id}/spoken_as",
        "/api/v1/portal/accounts/{account}/contacts/{id}/uses",
        "/api/v1/portal/accounts/{account}/contacts/{id}/destinations/{destination}/verification",
        "/api/v1/portal/accounts/{account}/contacts/{id}/destinations/{destination}/verification/code",
        "/api/v1/portal/accounts/{account}/spoken_as/listen",
        "/api/v1/portal/accounts/{account}/messages/{id}/recording",
        "/api/v1/portal/accounts/{account}/morning",
        "/api/v1/portal/accounts/{account}/report",
        "/api/v1/portal/accounts/{account}/report.csv",
        "/api/v1/portal/accounts/{account}/recap",
        "/api/v1/portal/accounts/{account}/on_call",
        "/api/v1/portal/accounts/{account}/calendar",
        "/api/v1/portal/accounts/{account}/schedules",
        "/api/v1/portal/accounts/{account}/schedules/history",
        "/api/v1/portal/accounts/{account}/schedules/import",
        "/api/v1/portal/accounts/{account}/schedules/feeds",
        "/api/v1/portal/accounts/{account}/schedules/feeds/{id}",
        "/api/v1/portal/accounts/{account}/schedules/{id}/changes",
        "/api/v1/portal/accounts/{account}/schedules/{id}/overrides",
        "/api/v1/portal/accounts/{account}/schedules/{id}/overrides/{over}",
        "/api/v1/portal/accounts/{account}/schedules/{id}/swap",
        "/api/v1/portal/accounts/{account}/schedules/{id}/undo",
        "/api/v1/portal/accounts/{account}/protocols",
        "/api/v1/portal/accounts/{account}/protocol_changes",
        "/api/v1/portal/accounts/{account}/protocol_changes/check",
        "/api/v1/portal/accounts/{account}/protocol_changes/{id}",
        "/api/v1/portal/accounts/{account}/protocol_changes/{id}/withdraw",
        "/api/v1/portal/accounts/{account}/simulate",
        "/api/v1/portal/accounts/{account}/going_live",
        "/api/v1/portal/accounts/{account}/approvals",
        "/api/v1/portal/accounts/{account}/settings",
        "/api/v1/portal/accounts/{account}/status_greeting",
        "/api/v1/portal/accounts/{account}/holidays",
        "/api/v1/portal/accounts/{account}/greetings",
        "/api/v1/portal/accounts/{account}/greetings/sound",
        "/api/v1/portal/password",
        "/api/v1/accounts/{id}/contacts",
        "/api/v1/accounts/{id}/protocols",
        "/api/v1/accounts/{id}/protocols/check",
        "/api/v1/accounts/{id}/mail/preview",
        "/api/v1/accounts/{id}/protocols/simulate",
        "/api/v1/accounts/{id}/protocols/templates",
        "/api/v1/accounts/{id}/protocols/versions",
        "/api/v1/protocols/{id}/differences",
        "/api/v1/protocols/{id}/bring_back",
        "/api/v1/contacts/{id}",
        "/api/v1/contacts/{id}/spoken_as",
        "/api/v1/contacts/{id}/inbox",
        "/api/v1/contacts/{id}/inbox/invitations",
        "/api/v1/on_call",
        "/api/v1/schedules/{id}",
        "/api/v1/schedules/{id}/calendar",
        "/api/v1/schedules/{id}/changes",
        "/api/v1/schedules/{id}/overrides",
        "/api/v1/schedules/{id}/overrides/{over}",
        "/api/v1/schedules/{id}/swap",
        "/api/v1/schedules/{id}/temporary",
        "/api/v1/schedules/{id}/temporary/cut",
        "/api/v1/schedules/{id}/undo",
        "/api/v1/schedule_feeds/{id}",
        "/api/v1/speech/recordings",
        "/api/v1/speech/listen",
        "/api/v1/users",
        "/api/v1/users/{id}",
        "/api/v1/users/{id}/skills",
        "/api/v1/messages",
        "/api/v1/messages/{id}",
        "/api/v1/messages/{id}/undo",
        "/api/v1/messages/{id}/editions",
        "/api/v1/accounts/{id}/status",
        "/api/v1/status/{id}",
        "/api/v1/handover",
        "/api/v1/drafts",
        "/api/v1/drafts/{id}",
        "/api/v1/drafts/{id}/take",
        "/api/v1/dispatches",
        "/api/v1/dispatches/{id}/confirm",
        "/api/v1/dispatches/{id}/close",
        "/api/v1/dispatches/{id}/skip",
        "/api/v1/dispatches/{id}/retry",
        "/api/v1/dispatches/{id}/lock",
        "/api/v1/dispatches/{id}/call",
        "/api/v1/dispatches/{id}/text",
        "/api/v1/jobs",
        "/api/v1/jobs/{id}/outcome",
        "/api/v1/jobs/{id}/give_back",
        "/api/v1/dispatches/{id}/read",
        "/api/v1/accounts/{id}/held",
        "/api/v1/accounts/{id}/pins",
        "/api/v1/accounts/{id}/pin",
        "/api/v1/contacts/{id}/pin",
        "/api/v1/seat",
        "/api/v1/seat/sip",
        "/api/v1/seat/check",
        "/api/v1/board",
        "/api/v1/calls",
        "/api/v1/calls/{id}/take",
        "/api/v1/calls/{id}/hold",
        "/api/v1/calls/{id}/retrieve",
        "/api/v1/calls/{id}/hangup",
        "/api/v1/calls/{id}/park",
        "/api/v1/calls/{id}/fetch",
        "/api/v1/calls/{id}/pass",
        "/api/v1/calls/{id}/ask",
        "/api/v1/calls/{id}/ask/cancel",
        "/api/v1/calls/{id}/ask/join",
        "/api/v1/calls/{id}/ask/hand_over",
        "/api/v1/calls/{id}/form",
        "/api/v1/calls/{id}/account",
        "/api/v1/calls/{id}/keys",
        "/api/v1/calls/{id}/check_in",
        "/api/v1/calls/{id}/ring_back",
        "/api/v1/calls/{id}/seen_to",
        "/api/v1/calls/{id}/patches",
        "/api/v1/calls/{id}/patch",
        "/api/v1/calls/{id}/join",
        "/api/v1/calls/{id}/patch/join",
        "/api/v1/calls/{id}/patch/drop",
        "/api/v1/calls/{id}/patch/cancel",
        "/api/v1/calls/{id}/patch/let_go",
        "/api/v1/calls/{id}/wrap_up_done",
        "/api/v1/calls/{id}/rings_back/pin",
        "/api/v1/calls/{id}/rings_back/told",
        "/api/v1/calls/{id}/listen",
        "/api/v1/calls/{id}/move",
        "/api/v1/seats/{id}/log_out",
        "/api/v1/calls/{id}/recording",
        "/api/v1/calls/{id}/recording/figures",
        "/api/v1/calls/{id}/recording/start",
        "/api/v1/calls/{id}/recording/stop",
        "/api/v1/calls/{id}/recording/pause",
        "/api/v1/calls/{id}/recording/resume",
        "/api/v1/calls/{id}/recording/cover",
        "/api/v1/calls/{id}/recording/uncover",
        "/api/v1/calls/{id}/recording/peaks",
        "/api/v1/alarms/{id}",
        "/api/v1/alarms/acknowledge",
        "/api/v1/callbacks",
        "/api/v1/events",
        "/sip",
        "/hooks/sms/{provider}/inbound",
        "/hooks/sms/{provider}/status",
        "/hooks/sms/{provider}/telnyx",
        "/livez",
        "/readyz",
        "/metrics",
        "/api/openapi.json",
    ] {
        assert!(paths.contains_key(path), "{path}");
    }
}

#[test]
fn the_router_has_one_list_and_it_is_the_described_one() {
    let source = include_str!("../../src/http/router.rs");
    let list = source.split("fn list()").nth(1).and_then(|s| s.split("\n}").next()).expect("the list of routes");
    assert!(list.matches(".routes(routes!(").count() > 30);
    let elsewhere = source.replace(list, "");
    for call in [".route(", ".route_service(", ".nest(", ".nest_service(", ".routes("] {
        assert!(!elsewhere.contains(call), "{call} outside the list: not in the description");
        assert!(call == ".routes(" || !list.contains(call), "{call} in the list: not in the description");
    }
}
