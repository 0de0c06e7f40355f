//! The seat of whoever asks: ready or not, and the softphone that belongs to it.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use crate::base::id::UserId;
use crate::domain::message::form::FieldError;
use crate::engine::feed::SeatView;
use crate::proto::turn;

use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Secure};
use super::state::{Front, NotNow, Relay, board};

/// Longest reason for not being ready, in characters.
const MAX_REASON_CHARS: usize = 100;

/// What a seat should be.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct SeatChange {
    state: WantedState,
    /// Why not: one of those that the service gives (`hello` in the feed lists them), or in their own words where it
    /// gives none.
    reason: Option<String>,
}

/// Ready for calls, or not.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WantedState {
    Ready,
    NotReady,
}

/// What a softphone registers as, and where; and by which relays it may speak.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SipAccess {
    uri: String,
    ws: String,
    /// As `RTCPeerConnection` takes them; none where no relay is set up.
    ice_servers: Vec<IceServer>,
    /// Seconds until this is to be asked for again, long before the credentials run out.
    renew_in: Option<u64>,
}

/// A TURN relay and what lets this operator in, for a while.
#[derive(Serialize, utoipa::ToSchema)]
pub struct IceServer {
    urls: Vec<String>,
    username: String,
    credential: String,
}

/// My seat.
#[utoipa::path(get, path = "/api/v1/seat", tag = "seat", security(("bearer" = [])),
    responses((status = OK, body = SeatView), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn show(State(front): State<Front>, Operator(signed): Operator) -> Result<Json<SeatView>, Problem> {
    Ok(Json(board(&front, signed.user()).await?.seat))
}

/// I am ready for calls, or not.
#[utoipa::path(put, path = "/api/v1/seat", tag = "seat", security(("bearer" = [])), request_body = SeatChange,
    responses((status = OK, body = SeatView), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn change(
    State(front): State<Front>,
    Operator(signed): Operator,
    Body(body): Body<SeatChange>,
) -> Result<Json<SeatView>, Problem> {
    let reason =
        body.reason.map(|r| r.trim().chars().take(MAX_REASON_CHARS).collect()).filter(|r: &String| !r.is_empty());
    let reason = reason.map(|reason| known(&front.settings.not_ready_reasons, reason)).transpose()?;
    let ready = body.state == WantedState::Ready;
    let changed = front.desk.set_ready(signed.user(), ready, reason).await;
    changed.map(Json).map_err(|NotNow(why)| Problem::conflict("seat.not_now", why))
}

/// The reason as the service writes it, so that reports count it once.
fn known(reasons: &[String], reason: String) -> Result<String, Problem> {
    if reasons.is_empty() {
        return Ok(reason);
    }
    let same = reasons.iter().find(|known| known.to_lowercase() == reason.to_lowercase());
    same.cloned().ok_or_else(|| {
        let message = format!("Choose one of: {}.", reasons.join(", "));
        let error = FieldError::new("reason", "unknown", &message);
        Problem::invalid("seat.unknown_reason", message, vec![error])
    })
}

/// How my softphone registers.
#[utoipa::path(get, path = "/api/v1/seat/sip", tag = "seat", security(("bearer" = [])),
    responses((status = OK, body = SipAccess), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn sip(
    State(front): State<Front>,
    Operator(signed): Operator,
    Secure(secure): Secure,
    headers: HeaderMap,
) -> Result<Json<SipAccess>, Problem> {
    let user = front.store.find_user(&signed.bearer.user).await?.ok_or_else(|| Problem::not_found("user"))?;
    let public = front.settings.public_url.split_once("://").map_or("", |(_, rest)| rest.trim_end_matches('/'));
    // The page's own host, so that a console on the LAN and one on the internet both reach this node.
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or(public);
    let scheme = if secure { "wss" } else { "ws" };
    let relay = front.settings.relay.as_ref();
    Ok(Json(SipAccess {
        uri: format!("sip:{}@{}", user.login, front.settings.sip_domain),
        ws: format!("{scheme}://{host}/sip"),
        ice_servers: relay.map(|relay| ice_server(&front, relay, &user.id)).into_iter().collect(),
        renew_in: relay.map(|relay| relay.ttl.as_secs() / 2),
    }))
}

fn ice_server(front: &Front, relay: &Relay, user: &UserId) -> IceServer {
    let ttl = i64::try_from(relay.ttl.as_secs()).unwrap_or(i64::MAX);
    let expires_at = (front.clock.utc().0 / 1_000).saturating_add(ttl);
    let made = turn::credential(relay.secret.expose_secret(), expires_at, user.as_str());
    IceServer { urls: relay.urls.clone(), username: made.username, credential: made.password }
}

/// Rings my softphone with a call that plays a tone and echoes, to prove both ways of its audio.
#[utoipa::path(post, path = "/api/v1/seat/check", tag = "seat", security(("bearer" = [])),
    responses((status = ACCEPTED), (status = CONFLICT, body = ProblemBody)))]
pub async fn check(State(front): State<Front>, Operator(signed): Operator) -> Result<StatusCode, Problem> {
    match front.desk.check_media(signed.user()).await {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(NotNow(why)) => Err(Problem::conflict("seat.not_now", why)),
    }
}
