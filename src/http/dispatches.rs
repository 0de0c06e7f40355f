//! Dispatches: what is on its way to people, and what an operator can do about it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::id::DispatchId;
use crate::domain::dispatch::event::OperatorAct;
use crate::domain::dispatch::reference;
use crate::domain::message::form::FieldError;
use crate::engine::dispatcher::Decided;
use crate::engine::feed::DispatchView;

use super::audit;
use super::auth::{Operator, Signed};
use super::dispatch_lock::refuse_locked;
use super::dispatch_seen::{SeenBody, SeenMoves, refused};
use super::editions::stale;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id, Params};
use super::rings_back::refuse_unproved;
use super::state::Front;

/// Longest name, note or reason, in characters.
const MAX_CHARS: usize = 500;

/// Dispatches.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DispatchList {
    items: Vec<DispatchView>,
}

/// Which dispatches.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// 1, the default and the only one: those still open.
    open: Option<u8>,
    /// Only those with this reference, which was left on a voicemail: six digits, with or without blanks. Behind the open ones
    /// come those of the last two weeks that are over, so that whoever calls back late hears who has seen to it.
    reference: Option<String>,
}

/// Who said yes to the operator.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct ConfirmBody {
    by: String,
    note: Option<String>,
    /// Which edition of the message was read to them; without it, as it is.
    edition: Option<u32>,
}

/// Why a dispatch is closed by hand.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct CloseBody {
    reason: String,
}

/// Open dispatches. That I read their headlines is on the audit log.
#[utoipa::path(get, path = "/api/v1/dispatches", tag = "dispatches", security(("bearer" = [])), params(Which),
    responses((status = OK, body = DispatchList), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    Operator(signed): Operator,
    Params(which): Params<Which>,
) -> Result<Json<DispatchList>, Problem> {
    if which.open.is_some_and(|open| open != 1) {
        return Err(Problem::malformed("query.invalid", "open=1 is the only choice; closed ones are with /messages."));
    }
    let items = match which.reference {
        Some(named) => {
            let refuse = || Problem::malformed("query.invalid", "A reference has six digits, as on the voicemail.");
            let named = reference::parse(&named).ok_or_else(refuse)?;
            front.dispatcher.list_views_of_reference(&named).await?
        }
        None => front.dispatcher.list_open_views().await?,
    };
    audit::headlines(&front, &signed, &items).await?;
    Ok(Json(DispatchList { items }))
}

/// A person said yes to me. Refused if the message was changed after it was read to them, and if they ring back on a call of mine and
/// have not told their PIN, where it is asked for.
#[utoipa::path(post, path = "/api/v1/dispatches/{id}/confirm", tag = "dispatches", security(("bearer" = [])),
    params(("id" = DispatchId, Path)), request_body = ConfirmBody,
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn confirm(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<DispatchId>,
    Body(body): Body<ConfirmBody>,
) -> Result<StatusCode, Problem> {
    let who = words("by", &body.by)?;
    let note = body.note.as_deref().filter(|n| !n.trim().is_empty()).map(|n| words("note", n)).transpose()?;
    let edition = body.edition;
    refuse_unproved(&front, &id, &signed).await?;
    let refused = match act(&front, id.clone(), &signed, OperatorAct::Confirm { who, note, edition }).await {
        Ok(done) => return Ok(done),
        Err(refused) => refused,
    };
    match edition {
        Some(edition) if is_another(&front, &id, edition).await? => Err(stale()),
        _ => Err(refused),
    }
}

/// Closes a dispatch by hand.
#[utoipa::path(post, path = "/api/v1/dispatches/{id}/close", tag = "dispatches", security(("bearer" = [])),
    params(("id" = DispatchId, Path)), request_body = CloseBody,
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn close(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<DispatchId>,
    Body(body): Body<CloseBody>,
) -> Result<StatusCode, Problem> {
    let reason = words("reason", &body.reason)?;
    refuse_locked(&front, &id, &signed)?;
    act(&front, id, &signed, OperatorAct::Close { reason }).await
}

/// Goes on with the next step now, from the one that I saw: of two who press at once the second is refused (`dispatch.moved`).
#[utoipa::path(post, path = "/api/v1/dispatches/{id}/skip", tag = "dispatches", security(("bearer" = [])),
    params(("id" = DispatchId, Path)), request_body = Option<SeenBody>,
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn skip(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<DispatchId>,
    SeenMoves(moves): SeenMoves,
) -> Result<StatusCode, Problem> {
    refuse_locked(&front, &id, &signed)?;
    act(&front, id, &signed, OperatorAct::Skip { moves }).await
}

/// Has it tried again now: what did not get through; else its step, once more; else, if the steps have run out, all of them.
#[utoipa::path(post, path = "/api/v1/dispatches/{id}/retry", tag = "dispatches", security(("bearer" = [])),
    params(("id" = DispatchId, Path)), request_body = Option<SeenBody>,
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn retry(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<DispatchId>,
    SeenMoves(moves): SeenMoves,
) -> Result<StatusCode, Problem> {
    refuse_locked(&front, &id, &signed)?;
    act(&front, id, &signed, OperatorAct::Retry { moves }).await
}

async fn act(front: &Front, id: DispatchId, by: &Signed, act: OperatorAct) -> Result<StatusCode, Problem> {
    let seen = match &act {
        OperatorAct::Skip { moves } | OperatorAct::Retry { moves } => *moves,
        _ => None,
    };
    match front.dispatcher.operator(&id, &by.name, act).await? {
        Decided::Changed => Ok(StatusCode::NO_CONTENT),
        Decided::Unchanged => Err(refused(front, &id, &by.name, seen).await?),
        Decided::NotFound => Err(Problem::not_found("dispatch")),
    }
}

/// The dispatch is open, and its message another than this edition of it.
pub(super) async fn is_another(front: &Front, id: &DispatchId, edition: u32) -> Result<bool, Problem> {
    let Some(read) = front.store.find_dispatch(id).await? else { return Ok(false) };
    let now = front.store.find_message_edition(&read.state.message).await?;
    Ok(read.state.closed_at.is_none() && now != Some(edition))
}

pub(super) fn words(field: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let (code, message) = if text.is_empty() {
        ("required", "This is needed.")
    } else if text.chars().count() > MAX_CHARS {
        ("too_long", "Too long: 500 characters at most.")
    } else {
        return Ok(text.to_owned());
    };
    let error = FieldError::new(field, code, message);
    Err(Problem::invalid("dispatch.invalid", message, vec![error]))
}
