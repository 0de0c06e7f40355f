//! An account's hours and menus, changed as a whole. A change counts from the next call on.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::id::AccountId;
use crate::base::phone::PhoneNumber;
use crate::domain::account::hours::Hours;
use crate::domain::ivr::menu::{Context, Menu};
use crate::engine::calls::trial::MenuTrial;
use crate::engine::clients::{CheckedFlow, Refusal};

use super::account_edit::IfMatch;
use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::{Front, NotNow};

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
    let changed = front.clients_of(&signed).set_flow(&id, seen.edition(), body.hours, body.menus).await;
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

/// A menu to be tried out, saved or not, and what is to be known of the call.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryBody {
    menu: Menu,
    /// The window or holiday that is to be in force.
    #[serde(default)]
    window: Option<String>,
    /// The number of the caller; none: withheld.
    #[serde(default)]
    caller: Option<PhoneNumber>,
}

/// Rings my softphone and lets me go through a menu as a caller does. Each step is shown on the feed (`trial`); at the exit I
/// hear where a caller would go, and the call is over. No message is made and nobody is called.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/menus/try", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = TryBody,
    responses((status = ACCEPTED), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn try_menu(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<AccountId>,
    Body(body): Body<TryBody>,
) -> Result<StatusCode, Problem> {
    let account = front.clients.check_menu(&id, &body.menu).await.map_err(told)?;
    let context = Context { window: body.window, caller: body.caller };
    let trial = MenuTrial { account, menu: body.menu, context };
    match front.desk.try_menu(signed.user(), trial).await {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(NotNow(why)) => Err(Problem::conflict("seat.not_now", why)),
    }
}

fn told(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Faulty(faults) => Problem::faulty("flow.invalid", faults),
        other => other.into(),
    }
}
