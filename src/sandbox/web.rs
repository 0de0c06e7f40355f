//! The sandbox over HTTP: what its page asks and orders, and the text provider's door.
//!
//! No log-in: it is mounted in the demo only. Instead every request must name this machine by address (a
//! foreign name may have been re-bound to it), and one from a browser must come from this very page.

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header, uri::Authority};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use crate::base::phone::PhoneNumber;
use crate::sandbox::exchange::{Action, OrderError};
use crate::sandbox::phone::Mode;
use crate::sandbox::sms::{self, Provider};

/// No request of the page or of the text driver comes near this.
const MAX_BODY: usize = 64 * 1024;
/// The longest reply a phone lets one type.
const MAX_REPLY: usize = 480;
/// The longest answer to a mail.
const MAX_ANSWER: usize = 4_000;

type Shared = State<Arc<Provider>>;

/// Everything under the sandbox's path.
pub fn router(provider: Arc<Provider>) -> Router {
    Router::new()
        .route("/api/state", get(state))
        .route("/api/events", get(events))
        .route("/api/handset", post(open_handset))
        .route("/api/handset/{id}/answer", post(answer_handset))
        .route("/api/handset/{id}/close", post(close_handset))
        .route("/api/phones/{number}/{action}", post(phone))
        .route("/api/caller/{action}", post(caller))
        .route("/api/mailboxes/{address}/answer", post(answer_mail))
        .route("/twilio/2010-04-01/Accounts/{sid}/Messages.json", post(sms::create))
        .layer(middleware::from_fn(guard))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(provider)
}

/// Whether a request may be served: its `Host` is an address of ours and not a name somebody chose, and
/// its `Origin`, which browsers always send with what matters, is the page's own.
fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let Some(host) = text(header::HOST) else { return false };
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_address = name.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok();
    let origin_fits = text(header::ORIGIN)
        .is_none_or(|origin| origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host));
    is_address && origin_fits
}

async fn guard(request: Request, next: Next) -> Response {
    if is_from_here(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "The sandbox serves this machine's own pages only.\n").into_response()
    }
}

fn problem(error: OrderError) -> Response {
    let (status, code) = match error {
        OrderError::NoSuchPhone => (StatusCode::NOT_FOUND, "sandbox.no_such_phone"),
        OrderError::NotNow => (StatusCode::CONFLICT, "sandbox.not_now"),
        OrderError::BadInput => (StatusCode::UNPROCESSABLE_ENTITY, "sandbox.bad_input"),
        OrderError::NoSuchMail => (StatusCode::NOT_FOUND, "sandbox.no_such_mail"),
        OrderError::NotSent => (StatusCode::BAD_GATEWAY, "sandbox.not_sent"),
        OrderError::NoHandset => (StatusCode::SERVICE_UNAVAILABLE, "sandbox.no_handset"),
    };
    let body = json!({ "type": "about:blank", "title": error.to_string(), "status": status.as_u16(), "code": code });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

fn done(result: Result<(), OrderError>) -> Response {
    result.map_or_else(problem, |()| StatusCode::NO_CONTENT.into_response())
}

async fn state(State(provider): Shared) -> Response {
    let body = provider.exchange.view().borrow().to_string();
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

async fn events(State(provider): Shared, upgrade: WebSocketUpgrade) -> Response {
    upgrade.max_message_size(1_024).on_upgrade(move |socket| watch(socket, provider))
}

/// Sends the whole state now and after each change.
async fn watch(mut socket: WebSocket, provider: Arc<Provider>) {
    let mut view = provider.exchange.view();
    view.mark_changed();
    loop {
        tokio::select! {
            changed = view.changed() => {
                if changed.is_err() {
                    return;
                }
                let text = view.borrow_and_update().to_string();
                if socket.send(Message::Text(text.into())).await.is_err() {
                    return;
                }
            }
            heard = socket.recv() => {
                if !matches!(heard, Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Text(_)))) {
                    return;
                }
            }
        }
    }
}

async fn open_handset(State(provider): Shared) -> Response {
    match provider.exchange.open_handset().await {
        Ok((id, offer)) => (StatusCode::CREATED, Json(json!({ "id": id, "offer": offer }))).into_response(),
        Err(error) => problem(error),
    }
}

#[derive(Deserialize)]
struct HandsetAnswer {
    sdp: String,
}

async fn answer_handset(State(provider): Shared, Path(id): Path<u64>, Json(body): Json<HandsetAnswer>) -> Response {
    done(provider.exchange.answer_handset(id, body.sdp).await)
}

async fn close_handset(State(provider): Shared, Path(id): Path<u64>) -> Response {
    done(provider.exchange.close_handset(id).await)
}

/// What an order may say beside its name. All optional: which are needed depends on the order.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Order {
    handset: Option<u64>,
    to: Option<String>,
    key: Option<char>,
    body: Option<String>,
    mode: Option<Mode>,
}

async fn phone(
    State(provider): Shared,
    Path((number, action)): Path<(String, String)>,
    body: Option<Json<Order>>,
) -> Response {
    let Ok(number) = PhoneNumber::parse(&number) else { return problem(OrderError::NoSuchPhone) };
    order(provider, number, &action, body.map(|b| b.0).unwrap_or_default()).await
}

async fn caller(State(provider): Shared, Path(action): Path<String>, body: Option<Json<Order>>) -> Response {
    let number = provider.exchange.caller().clone();
    order(provider, number, &action, body.map(|b| b.0).unwrap_or_default()).await
}

async fn order(provider: Arc<Provider>, number: PhoneNumber, action: &str, order: Order) -> Response {
    let action = match action {
        "answer" => Action::Answer,
        "decline" => Action::Decline,
        "hangup" => Action::HangUp,
        "listen" => Action::Listen,
        "dial" => match order.to.filter(|to| is_dialable(to)) {
            Some(to) => Action::Dial(to),
            None => return problem(OrderError::BadInput),
        },
        "key" => match order.key.filter(|key| key.is_ascii_digit() || matches!(key, '*' | '#')) {
            Some(key) => Action::Key(key),
            None => return problem(OrderError::BadInput),
        },
        "mode" => match order.mode {
            Some(mode) => Action::SetMode(mode),
            None => return problem(OrderError::BadInput),
        },
        "reply" => return reply(provider, number, order).await,
        _ => return problem(OrderError::NoSuchPhone),
    };
    done(provider.exchange.phone(number, action, order.handset).await)
}

#[derive(Deserialize)]
struct MailAnswer {
    id: u64,
    body: String,
}

async fn answer_mail(State(provider): Shared, Path(address): Path<String>, Json(answer): Json<MailAnswer>) -> Response {
    let body = answer.body.trim();
    if body.is_empty() || body.chars().count() > MAX_ANSWER {
        return problem(OrderError::BadInput);
    }
    done(provider.exchange.answer_mail(address, answer.id, body.to_owned()).await)
}

async fn reply(provider: Arc<Provider>, number: PhoneNumber, order: Order) -> Response {
    let body = order.body.map(|b| b.trim().to_owned()).unwrap_or_default();
    let Ok(to) = order.to.map(|to| PhoneNumber::parse(&to)).transpose() else {
        return problem(OrderError::BadInput);
    };
    if body.is_empty() || body.chars().count() > MAX_REPLY {
        return problem(OrderError::BadInput);
    }
    let (to, at) = match provider.exchange.reply(number.clone(), to, body.clone()).await {
        Ok(kept) => kept,
        Err(error) => return problem(error),
    };
    // The webhook may be tried for seconds; the phone shows the text at once, as phones do.
    tokio::spawn(async move {
        if !provider.reply(&number, &to, &body).await {
            provider.exchange.reply_failed(number, at).await;
        }
    });
    StatusCode::NO_CONTENT.into_response()
}

/// A number as one dials it.
fn is_dialable(to: &str) -> bool {
    let sound = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.');
    to.len() <= 24 && to.chars().all(sound) && to.chars().filter(char::is_ascii_digit).count() >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("a header value"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().expect("a header value"));
        }
        headers
    }

    #[test]
    fn only_this_machine_by_address_and_its_own_page_are_served() {
        assert!(is_from_here(&headers("127.0.0.1:8080", None)));
        assert!(is_from_here(&headers("localhost:8080", Some("http://localhost:8080"))));
        assert!(is_from_here(&headers("[::1]:8080", Some("http://[::1]:8080"))));
        assert!(!is_from_here(&headers("rebound.example:8080", None)));
        assert!(!is_from_here(&headers("127.0.0.1:8080", Some("http://evil.example"))));
        assert!(!is_from_here(&headers("127.0.0.1:8080", Some("null"))));
        assert!(!is_from_here(&HeaderMap::new()));
    }

    #[test]
    fn one_dials_digits() {
        assert!(is_dialable("+1 (202) 555-0102"));
        assert!(is_dialable("911"));
        assert!(!is_dialable("sip:me@evil"));
        assert!(!is_dialable("+1"));
    }
}
