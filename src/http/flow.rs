//! An account's hours and menus, changed as a whole. A change counts from the next call on.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::base::id::AccountId;
use crate::domain::account::check::{Fault, check};
use crate::domain::account::hours::Hours;
use crate::domain::ivr::menu::Menu;
use crate::domain::message::form::FieldError;
use crate::io::store::users::Role;

use super::auth::{Operator, require};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;

/// Which way an account's calls go.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct FlowBody {
    hours: Hours,
    #[serde(default)]
    menus: Vec<Menu>,
}

/// Puts an account's hours and menus in force. All faults are told at once, each at its JSON pointer.
#[utoipa::path(put, path = "/api/v1/accounts/{id}/flow", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = FlowBody,
    responses((status = OK, body = FlowBody), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn change(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<AccountId>,
    Body(body): Body<FlowBody>,
) -> Result<Json<FlowBody>, Problem> {
    require(&signed, &[Role::Supervisor, Role::Admin])?;
    let mut tx = front.store.write().await?;
    // Read by the one writer, so that nothing else of the account is set back.
    let mut account = tx.find_account(&id).await?.ok_or_else(|| Problem::not_found("account"))?;
    (account.hours, account.menus) = (body.hours, body.menus);
    let faults = check(&account);
    if !faults.is_empty() {
        tx.rollback().await?;
        let errors = faults.into_iter().map(error).collect();
        return Err(Problem::invalid("flow.invalid", "Hours or menus are not as they should be.", errors));
    }
    tx.upsert_account(&account, front.clock.utc()).await?;
    tx.commit("flow").await?;
    tracing::info!(account = %id, by = %signed.bearer.user, "hours and menus changed");
    Ok(Json(FlowBody { hours: account.hours, menus: account.menus }))
}

fn error(fault: Fault) -> FieldError {
    FieldError { field: fault.at, code: fault.code.to_owned(), message: fault.message }
}
