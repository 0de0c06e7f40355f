//! `/sip`: the WebSocket of an operator's softphone (RFC 7118). Checks where the page came from, then pumps
//! whole SIP messages into a flow of the registrar and back. Who is calling is the registrar's question: the
//! softphone's REGISTER carries the token.

use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;

use crate::io::net::WsFlow;
use crate::io::net::census::Voucher;

use super::error::Problem;
use super::extract::{Peer, Secure};
use super::state::Front;

/// The largest SIP message taken; the agent refuses more than this anyway.
const MAX_MESSAGE: usize = 64 * 1024;

/// How long a message may take to leave before the connection counts as dead.
const SEND_PATIENCE: Duration = Duration::from_secs(5);

/// How often a silent connection is asked for a sign of life, and how often it may stay silent.
const PING_EVERY: Duration = Duration::from_secs(20);
const MISSED_PINGS: u32 = 2;

/// A softphone's connection.
#[utoipa::path(get, path = "/sip", tag = "live",
    responses((status = SWITCHING_PROTOCOLS, description = "SIP over WebSocket (RFC 7118), subprotocol `sip`"),
        (status = FORBIDDEN, body = super::error::ProblemBody, description = "From another page")))]
pub async fn connect(
    State(front): State<Front>,
    Peer(peer): Peer,
    Secure(secure): Secure,
    voucher: Option<Extension<Voucher>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    if !same_origin(&headers, &front.settings.public_url) {
        return Err(Problem::forbidden("sip.origin", "A softphone connects from a page of this service."));
    }
    let upgrade = upgrade.map_err(|e| Problem::malformed("websocket.required", e.body_text()))?;
    // RFC 7118 §4: a client that does not offer the subprotocol does not speak SIP.
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|v| v.to_str().ok());
    if !offered.flat_map(|v| v.split(',')).any(|p| p.trim().eq_ignore_ascii_case("sip")) {
        return Err(Problem::malformed("websocket.subprotocol", "Offer the subprotocol `sip`."));
    }
    let Some(flow) = front.phones.open(peer, secure).await else {
        return Err(Problem::unavailable("sip.full", "No more softphones can connect now."));
    };
    let upgrade = upgrade.protocols(["sip"]).max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    Ok(upgrade.on_upgrade(move |socket| pump(socket, flow, voucher)))
}

async fn pump(mut socket: WebSocket, mut flow: WsFlow, mut voucher: Option<Extension<Voucher>>) {
    let mut ping = tokio::time::interval(PING_EVERY);
    let mut silent = 0;
    loop {
        tokio::select! {
            frame = socket.recv() => {
                silent = 0;
                let bytes: Bytes = match frame {
                    // RFC 7118 §5: a frame is one whole message, text or binary.
                    Some(Ok(Message::Text(text))) => text.into(),
                    Some(Ok(Message::Binary(bytes))) => bytes,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                        flow.alive();
                        continue;
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                };
                // Waits while the registrar is busy: this phone's own socket fills, nobody else's.
                if flow.receive(bytes.to_vec()).await.is_err() {
                    break;
                }
            }
            message = flow.next() => {
                let Some(bytes) = message else { break };
                // The registrar's yes is what is being sent, or was.
                if flow.is_known()
                    && let Some(Extension(voucher)) = voucher.take()
                {
                    voucher.redeem();
                }
                // JsSIP reads text frames; what is not UTF-8 goes out as it is.
                let frame = match String::from_utf8(bytes) {
                    Ok(text) => Message::text(text),
                    Err(e) => Message::binary(e.into_bytes()),
                };
                if !send(&mut socket, frame).await {
                    break;
                }
            }
            _ = ping.tick() => {
                silent += 1;
                if silent > MISSED_PINGS + 1 || !send(&mut socket, Message::Ping(Bytes::new())).await {
                    break;
                }
            }
        }
    }
    // Dropping the flow tells the registrar that it has closed.
}

async fn send(socket: &mut WebSocket, frame: Message) -> bool {
    matches!(tokio::time::timeout(SEND_PATIENCE, socket.send(frame)).await, Ok(Ok(())))
}

/// Whether a request comes from a page of ours. Browsers always say where from (RFC 6455 §10.2); what says
/// nothing is no browser and cannot be led astray by a foreign page.
fn same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Some(origin) = origin.to_str().ok().and_then(|o| o.parse::<Uri>().ok()) else { return false };
    let Some(from) = origin.authority() else { return false };
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let public = public_url.parse::<Uri>().ok();
    host.is_some_and(|host| from.as_str().eq_ignore_ascii_case(host))
        || public.and_then(|p| p.authority().cloned()).is_some_and(|p| from.as_str().eq_ignore_ascii_case(p.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "desk.example.com:8080".parse().expect("a header value"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().expect("a header value"));
        }
        same_origin(&headers, "https://cordboard.example.com")
    }

    #[test]
    fn only_our_own_pages_may_connect() {
        assert!(from(Some("http://desk.example.com:8080")));
        assert!(from(Some("https://Cordboard.example.com")));
        assert!(from(None), "a softphone that is no browser");
        for foreign in
            ["http://evil.example.com", "http://desk.example.com", "null", "https://desk.example.com.evil.org:8080"]
        {
            assert!(!from(Some(foreign)), "{foreign}");
        }
    }
}
