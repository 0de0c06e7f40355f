//! The lock of an operator who works on a dispatch, so that others see it and leave it alone.
//!
//! A confirmation is taken whoever has the lock: a person has said yes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::base::id::DispatchId;
use crate::engine::feed::LockView;

use super::auth::{Operator, Signed};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;

/// How it is taken.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LockBody {
    /// From a colleague who has it.
    #[serde(default)]
    take_over: bool,
}

/// I work on this dispatch from now on: for ten minutes from the last thing I do with it, as long as my console is there.
#[utoipa::path(put, path = "/api/v1/dispatches/{id}/lock", tag = "dispatches", security(("bearer" = [])),
    params(("id" = DispatchId, Path)), request_body = LockBody,
    responses((status = OK, body = LockView), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn take(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<DispatchId>,
    Body(body): Body<LockBody>,
) -> Result<Json<LockView>, Problem> {
    let read = front.store.find_dispatch(&id).await?.ok_or_else(|| Problem::not_found("dispatch"))?;
    if read.state.closed_at.is_some() {
        return Err(Problem::conflict("dispatch.not_now", "The dispatch is closed: there is nothing to work on."));
    }
    let taken = front.dispatcher.take_lock(&id, &signed.user(), body.take_over).await;
    taken.map(Json).map_err(|other| locked(&other))
}

/// I work on it no longer.
#[utoipa::path(delete, path = "/api/v1/dispatches/{id}/lock", tag = "dispatches", security(("bearer" = [])),
    params(("id" = DispatchId, Path)), responses((status = NO_CONTENT), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn release(State(front): State<Front>, Operator(signed): Operator, Id(id): Id<DispatchId>) -> StatusCode {
    front.dispatcher.release_lock(&id, &signed.bearer.user).await;
    StatusCode::NO_CONTENT
}

/// Refuses what would cross a colleague's work.
pub(super) fn refuse_locked(front: &Front, id: &DispatchId, signed: &Signed) -> Result<(), Problem> {
    front.dispatcher.touch_lock(id, &signed.bearer.user).map_err(|other| locked(&other))
}

pub(super) fn locked(other: &LockView) -> Problem {
    let detail = format!("{} works on it. Ask them, or take it over.", other.by.name);
    Problem::conflict("dispatch.locked", detail)
}
