//! An account's hours and menus, changed as a whole. A change counts from the next call on.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::base::id::AccountId;
use crate::domain::account::hours::Hours;
use crate::domain::ivr::menu::Menu;
use crate::engine::clients::{CheckedFlow, Refusal};

use super::account_edit::IfMatch;
use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;

/// Which way an account's calls go.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowBody {
    hours: Hours,
    #[serde(default)]
    menus: Vec<Menu>,
    /// Of the account, as it was read; in the answer, as it is now. Without it (and without If-Match) whatever stands is
    /// replaced.
    #[serde(default)]
    edition: Option<u32>,
}

/// Puts an account's hours and menus in force. All faults are told at once, each at its JSON pointer.
#[utoipa::path(put, path = "/api/v1/accounts/{id}/flow", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = FlowBody,
    responses((status = OK, body = FlowBody), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = PRECONDITION_FAILED, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn change(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<AccountId>,
    seen: IfMatch,
    Body(body): Body<FlowBody>,
) -> Result<Json<FlowBody>, Problem> {
    let seen = seen.or(body.edition);
    let changed = front.clients.set_flow(&id, seen.edition(), body.hours, body.menus).await;
    let changed = changed.map_err(|refusal| match refusal {
        Refusal::Faulty(_) => told(refusal),
        other => seen.refuse(other),
    })?;
    tracing::info!(account = %id, by = %signed.bearer.user, "hours and menus changed");
    let (hours, menus) = (changed.now.hours, changed.now.menus);
    Ok(Json(FlowBody { hours, menus, edition: Some(changed.edition) }))
}

/// What is wrong with hours and menus, and what they say of a call that arrives now. Changes nothing.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/flow/check", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = FlowBody,
    responses((status = OK, body = CheckedFlow), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn check(
    State(front): State<Front>,
    _by: Supervisor,
    Id(id): Id<AccountId>,
    Body(body): Body<FlowBody>,
) -> Result<Json<CheckedFlow>, Problem> {
    Ok(Json(front.clients.check_flow(&id, body.hours, body.menus).await?))
}

fn told(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Faulty(faults) => Problem::faulty("flow.invalid", faults),
        other => other.into(),
    }
}
