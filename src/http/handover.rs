//! What passes between operators: who is at work, a caller given to another with a note, and the form that goes along;
//! and keys that an operator sends to the other party.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use crate::base::id::{AccountId, CallId, UserId};
use crate::domain::message::form::FieldError;
use crate::engine::calls::Command;
use crate::engine::feed::SeatView;
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::drafts::Draft;

use super::auth::Operator;
use super::calls::act;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::{Front, board};

/// The longest note to the next operator, in characters.
const MAX_NOTE_CHARS: usize = 500;
/// The most keys at once.
const MAX_KEYS: usize = 32;

/// Operators at work.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Seats {
    items: Vec<SeatView>,
}

/// Who gets the caller.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct PassBody {
    /// An operator who is ready; without, the caller goes back to the head of the queue.
    to: Option<UserId>,
    /// What the next operator should know.
    note: Option<String>,
}

/// Whom to ask.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct AskBody {
    /// An operator who is ready.
    user: UserId,
}

/// Whose call it is.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct AccountBody {
    account: AccountId,
}

/// Keys for the other party: `0`-`9`, `*`, `#`, `A`-`D`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct KeysBody {
    keys: String,
}

/// Operators who are not off line, by name.
#[utoipa::path(get, path = "/api/v1/seats", tag = "seat", security(("bearer" = [])),
    responses((status = OK, body = Seats), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn seats(State(front): State<Front>, _by: Operator) -> Json<Seats> {
    Json(Seats { items: front.desk.seats().await })
}

/// Gives the caller to another operator, or back to the head of the queue. I am free at once; the form goes along.
#[utoipa::path(post, path = "/api/v1/calls/{id}/pass", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), request_body = PassBody,
    responses((status = NO_CONTENT), (status = CONFLICT, body = ProblemBody)))]
pub async fn pass(
    State(front): State<Front>,
    by: Operator,
    Id(call): Id<CallId>,
    Body(body): Body<PassBody>,
) -> Result<StatusCode, Problem> {
    let note = body.note.map(|n| n.trim().chars().take(MAX_NOTE_CHARS).collect()).filter(|n: &String| !n.is_empty());
    act(&front, call, by, Command::Pass { to: body.to, note }).await
}

/// Talks with another operator, who is ready, while the caller hears music; then I hand the caller over, or am back.
#[utoipa::path(post, path = "/api/v1/calls/{id}/ask", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), request_body = AskBody,
    responses((status = NO_CONTENT), (status = CONFLICT, body = ProblemBody)))]
pub async fn ask(
    State(front): State<Front>,
    by: Operator,
    Id(call): Id<CallId>,
    Body(body): Body<AskBody>,
) -> Result<StatusCode, Problem> {
    act(&front, call, by, Command::Ask { user: body.user }).await
}

/// The call is for another account: a wrong number, a sister company. The record tells both.
#[utoipa::path(post, path = "/api/v1/calls/{id}/account", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), request_body = AccountBody,
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn change_account(
    State(front): State<Front>,
    by: Operator,
    Id(call): Id<CallId>,
    Body(body): Body<AccountBody>,
) -> Result<StatusCode, Problem> {
    let account = front.store.find_account(&body.account).await?.ok_or_else(|| Problem::not_found("account"))?;
    act(&front, call, by, Command::ChangeAccount(Arc::new(account))).await
}

/// Sends keys to the other party: the contact, if one is on the line, else the caller.
#[utoipa::path(post, path = "/api/v1/calls/{id}/keys", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), request_body = KeysBody,
    responses((status = NO_CONTENT), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn keys(
    State(front): State<Front>,
    by: Operator,
    Id(call): Id<CallId>,
    Body(body): Body<KeysBody>,
) -> Result<StatusCode, Problem> {
    let keys = body.keys.to_ascii_uppercase();
    let fit = |key: char| key.is_ascii_digit() || matches!(key, '*' | '#' | 'A'..='D');
    if keys.is_empty() || keys.len() > MAX_KEYS || !keys.chars().all(fit) {
        let message = "Send 1 to 32 keys: 0-9, *, #, A-D.";
        let error = FieldError::new("keys", "keys", message);
        return Err(Problem::invalid("keys.invalid", message, vec![error]));
    }
    act(&front, call, by, Command::Keys(keys)).await
}

/// The form of a call at my seat that another operator began. It is mine from now on; there may be none.
#[utoipa::path(post, path = "/api/v1/calls/{id}/form", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)),
    responses((status = OK, body = Draft), (status = NO_CONTENT, description = "Nobody began one."),
        (status = CONFLICT, body = ProblemBody)))]
pub async fn take_form(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(call): Id<CallId>,
) -> Result<Response, Problem> {
    let calls = board(&front, signed.user()).await?.calls;
    if !calls.iter().any(|c| c.id == call && c.seat.as_ref() == Some(&signed.bearer.user)) {
        return Err(Problem::conflict("call.not_now", "This call is not at your seat."));
    }
    let mut tx = front.store.write().await?;
    let now = front.clock.utc();
    let draft = tx.adopt_draft(&call, &signed.bearer.user, now).await?;
    if let Some(draft) = &draft {
        let by = Who::User(signed.bearer.user.clone());
        tx.audit(Entry::new(now, by, Act::DraftRead, draft.id.to_string()));
    }
    tx.commit("form").await?;
    Ok(draft.map_or_else(|| StatusCode::NO_CONTENT.into_response(), |draft| Json(draft).into_response()))
}
