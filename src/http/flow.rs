//! An account's hours and menus, changed as a whole. A change counts from the next call on.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::base::id::AccountId;
use crate::domain::account::check::Fault;
use crate::domain::account::hours::Hours;
use crate::domain::ivr::menu::Menu;
use crate::domain::message::form::FieldError;
use crate::engine::clients::FlowRefusal;

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
        FlowRefusal::Faulty(faults) => {
            let errors = faults.into_iter().map(error).collect();
            Problem::invalid("flow.invalid", "Hours or menus are not as they should be.", errors)
        }
        FlowRefusal::Other(refusal) => seen.refuse(refusal),
    })?;
    tracing::info!(account = %id, by = %signed.bearer.user, "hours and menus changed");
    let (hours, menus) = (changed.now.hours, changed.now.menus);
    Ok(Json(FlowBody { hours, menus, edition: Some(changed.edition) }))
}

fn error(fault: Fault) -> FieldError {
    FieldError { field: fault.at, code: fault.code.to_owned(), message: fault.message }
}
