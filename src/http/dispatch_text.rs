//! An operator has the message of a dispatch texted to a person now, beside its steps. Whom she can text is with whom she can call
//! (`dispatch_call`).

use axum::extract::State;
use axum::http::StatusCode;

use crate::base::id::DispatchId;
use crate::domain::dispatch::event::OperatorAct;
use crate::engine::dispatcher::Decided;

use super::auth::Operator;
use super::dispatch_call::{ByHandBody, INVALID, not_now};
use super::dispatch_lock::refuse_locked;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;
use super::telephones::{find_phone, refuse};

/// Why one that is open cannot be texted.
const IN_THE_WAY: &str = "It cannot be texted there now: it has not begun, somebody who rang back is being spoken with, a \
    text is on its way there or has just gone, or no code is left for that telephone.";

/// Has the message texted to this telephone now, whatever its hours: with the code that confirms, where the protocol confirms by
/// text. Refused while one is on its way there, or has gone there within the last half minute.
#[utoipa::path(post, path = "/api/v1/dispatches/{id}/text", tag = "dispatches", security(("bearer" = [])),
    params(("id" = DispatchId, Path)), request_body = ByHandBody,
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn text(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<DispatchId>,
    Body(body): Body<ByHandBody>,
) -> Result<StatusCode, Problem> {
    let read = front.store.find_dispatch(&id).await?.ok_or_else(|| Problem::not_found("dispatch"))?;
    let found = find_phone(&front, INVALID, Some(&read.state.account), &body.contact, &body.destination).await?;
    if found.contact.destinations.iter().any(|d| d.id == body.destination && d.blocked) {
        return Err(refuse(INVALID, "destination", "blocked", "They asked for no more texts there (STOP). Call them."));
    }
    refuse_locked(&front, &id, &signed)?;
    let act = OperatorAct::Text { contact: body.contact, destination: body.destination };
    match front.dispatcher.operator(&id, &signed.name, act).await? {
        Decided::Changed => Ok(StatusCode::NO_CONTENT),
        Decided::Unchanged => Err(not_now(&front, &id, &signed.name, IN_THE_WAY).await?),
        Decided::NotFound => Err(Problem::not_found("dispatch")),
    }
}
