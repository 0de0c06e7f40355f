//! `/api/v1/events`: the feed of a console. After the token one whole picture (`hello`), then changes in
//! order. It subscribes before it takes the picture, so nothing falls between; a console that was too slow
//! for some changes gets a fresh picture, one that takes nothing any more is closed.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;

use crate::config::Ages;
use crate::engine::feed::{AlarmChainView, AlarmView, CallView, DispatchView, QueueView, SeatView};
use crate::io::net::census::Voucher;

use super::auth::{self, Signed};
use super::error::Problem;
use super::sessions::PersonView;
use super::state::{Front, board};

const SUBPROTOCOL: &str = "cordboard.v1";

/// How long the first frame with the token may take.
const AUTH_PATIENCE: Duration = Duration::from_secs(5);

/// How long a change may take to leave before the console counts as dead.
const SEND_PATIENCE: Duration = Duration::from_secs(5);

/// How often the session is looked at.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// A console pings every 2 s; a page in the background is slowed down by its browser to once a minute.
const SILENCE: Duration = Duration::from_secs(90);

/// The largest frame a console sends: a token.
const MAX_FRAME: usize = 8 * 1024;

/// Close codes of our own (RFC 6455 §7.4.2): 4401 the token is not, or no longer, good; 4408 no token came.
const CLOSE_AUTH: u16 = 4401;
const CLOSE_NO_TOKEN: u16 = 4408;
const CLOSE_GOING_AWAY: u16 = 1001;
const CLOSE_SILENT: u16 = 4409;

/// What a console sends.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FromConsole {
    Auth {
        token: String,
    },
    Ping {
        #[serde(default)]
        typing: bool,
    },
}

/// What a console gets beside the changes themselves.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ToConsole {
    Hello(Box<Hello>),
    Pong,
    Problem { code: &'static str, detail: String },
}

#[derive(Serialize)]
struct Hello {
    user: PersonView,
    seat: SeatView,
    calls: Vec<CallView>,
    queue: QueueView,
    dispatches: Vec<DispatchView>,
    alarms: Vec<AlarmView>,
    /// Who is told of alarms and who sees to them; null: nothing stands.
    alarm_chain: Option<AlarmChainView>,
    /// Why an operator is not ready, to choose from; empty: in their own words.
    not_ready_reasons: Vec<String>,
    /// The carriers that page, by the names that destinations call them.
    pagers: Vec<String>,
    /// The clients' systems that messages are posted to, by the names that destinations call them.
    webhooks: Vec<String>,
    /// From what age on an open dispatch is shown as late.
    ages: Ages,
}

/// The feed of a console.
#[utoipa::path(get, path = "/api/v1/events", tag = "live",
    responses((status = SWITCHING_PROTOCOLS, description = "WebSocket, subprotocol `cordboard.v1`. First frame: \
        {\"type\":\"auth\",\"token\":…}; then `hello` and changes.", body = super::openapi::FeedFrame)))]
pub async fn connect(
    State(front): State<Front>,
    voucher: Option<Extension<Voucher>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|e| Problem::malformed("websocket.required", e.body_text()))?;
    let upgrade = upgrade.protocols([SUBPROTOCOL]).max_message_size(MAX_FRAME).max_frame_size(MAX_FRAME);
    Ok(upgrade.on_upgrade(move |socket| watch(front, socket, voucher)))
}

async fn watch(front: Front, mut socket: WebSocket, voucher: Option<Extension<Voucher>>) {
    let Some(signed) = authenticate(&front, &mut socket).await else { return };
    if let Some(Extension(voucher)) = voucher {
        // Its connection need not make room for strangers' from here on.
        voucher.redeem();
    }
    front.desk.skilled(signed.bearer.user.clone(), signed.skills.clone());
    front.desk.heartbeat(signed.user(), false);
    let user = signed.bearer.user.clone();
    front.dispatcher.console_came(&user).await;
    let why = show(&front, &mut socket, signed).await;
    front.dispatcher.console_went(&user).await;
    if let Some((code, why)) = why {
        close(&mut socket, code, why).await;
    }
}

/// Shows changes until there is a reason to stop; `None` if the console is gone already.
async fn show(front: &Front, socket: &mut WebSocket, mut signed: Signed) -> Option<(u16, &'static str)> {
    let mut changes = front.feed.subscribe();
    if !hello(front, socket, &signed).await {
        return None;
    }
    let mut check = tokio::time::interval(CHECK_EVERY);
    let mut heard_at = front.clock.instant();
    loop {
        tokio::select! {
            frame = socket.recv() => {
                let text = match frame {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                };
                heard_at = front.clock.instant();
                match serde_json::from_str(&text) {
                    Ok(FromConsole::Ping { typing }) => {
                        front.desk.heartbeat(signed.user(), typing);
                        if !send(socket, &ToConsole::Pong).await {
                            return None;
                        }
                    }
                    Ok(FromConsole::Auth { token }) => match auth::check_desk(front, &token).await {
                        Ok(fresh) if fresh.bearer.user == signed.bearer.user => signed = fresh,
                        Ok(_) => return Some((CLOSE_AUTH, "another user")),
                        Err(problem) => return Some((CLOSE_AUTH, problem.code)),
                    },
                    // A frame of a newer console: not for us.
                    Err(_) => {}
                }
            }
            change = changes.recv() => match change {
                Ok(event) => {
                    if !send(socket, &event).await {
                        return None;
                    }
                }
                Err(RecvError::Lagged(_)) => {
                    metrics::counter!("cordboard_feed_lagged_total").increment(1);
                    changes = front.feed.subscribe();
                    if !hello(front, socket, &signed).await {
                        return None;
                    }
                }
                Err(RecvError::Closed) => return Some((CLOSE_GOING_AWAY, "stopping")),
            },
            _ = check.tick() => {
                // Not while it only drains: calls go on then, and operators need to see them.
                if front.stopping.load(Ordering::Relaxed) {
                    return Some((CLOSE_GOING_AWAY, "stopping"));
                }
                if front.clock.utc() >= signed.bearer.expires_at {
                    return Some((CLOSE_AUTH, "auth.expired"));
                }
                if front.clock.instant().saturating_duration_since(heard_at) > SILENCE {
                    return Some((CLOSE_SILENT, "silent"));
                }
                let skills = signed.skills.clone();
                if !auth::still_lives(front, &mut signed).await {
                    return Some((CLOSE_AUTH, "auth.ended"));
                }
                if signed.skills != skills {
                    front.desk.skilled(signed.bearer.user.clone(), signed.skills.clone());
                }
            }
        }
    }
}

/// Waits for the token.
async fn authenticate(front: &Front, socket: &mut WebSocket) -> Option<Signed> {
    let first = tokio::time::timeout(AUTH_PATIENCE, async {
        loop {
            match socket.recv().await {
                Some(Ok(Message::Text(text))) => break Some(text),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => break None,
            }
        }
    });
    let text = match first.await {
        Ok(Some(text)) => text,
        Ok(None) => return None,
        Err(_) => {
            close(socket, CLOSE_NO_TOKEN, "auth.required").await;
            return None;
        }
    };
    let Ok(FromConsole::Auth { token }) = serde_json::from_str(&text) else {
        close(socket, CLOSE_NO_TOKEN, "auth.required").await;
        return None;
    };
    match auth::check_desk(front, &token).await {
        Ok(signed) => Some(signed),
        Err(problem) => {
            send(socket, &ToConsole::Problem { code: problem.code, detail: problem.detail }).await;
            close(socket, CLOSE_AUTH, problem.code).await;
            None
        }
    }
}

/// Sends the whole picture.
async fn hello(front: &Front, socket: &mut WebSocket, signed: &Signed) -> bool {
    let picture =
        async { Ok::<_, Problem>((board(front, signed.user()).await?, front.dispatcher.list_open_views().await?)) };
    let (board, dispatches) = match picture.await {
        Ok(picture) => picture,
        Err(problem) => {
            send(socket, &ToConsole::Problem { code: problem.code, detail: problem.detail }).await;
            return false;
        }
    };
    let hello = Hello {
        user: PersonView::of(signed),
        seat: board.seat,
        calls: board.calls,
        queue: board.queue,
        dispatches: dispatches.into_iter().map(DispatchView::for_all).collect(),
        alarms: board.alarms,
        alarm_chain: front.alarms.chain(),
        not_ready_reasons: front.settings.not_ready_reasons.clone(),
        pagers: front.settings.reachable.pagers.clone(),
        webhooks: front.settings.reachable.webhooks.clone(),
        ages: front.settings.ages,
    };
    send(socket, &ToConsole::Hello(Box::new(hello))).await
}

async fn send(socket: &mut WebSocket, value: &impl Serialize) -> bool {
    let text = serde_json::to_string(value).expect("views have text keys only, so they are always JSON");
    matches!(tokio::time::timeout(SEND_PATIENCE, socket.send(Message::text(text))).await, Ok(Ok(())))
}

async fn close(socket: &mut WebSocket, code: u16, why: &'static str) {
    let frame = CloseFrame { code, reason: why.into() };
    // Whether it arrives or not, the socket is dropped next.
    let _ = tokio::time::timeout(SEND_PATIENCE, socket.send(Message::Close(Some(frame)))).await;
}
