//! Protocols of accounts: all versions, what one would do, and the next version put in force.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::base::id::AccountId;
use crate::domain::account::fault::Fault;
use crate::domain::dispatch::describe::describe;
use crate::engine::clients::{Changed, ProtocolEdit};

use super::account_edit::etag;
use super::accounts::ProtocolView;
use super::auth::{Operator, Supervisor};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;

/// All versions of an account's protocols.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Protocols {
    items: Vec<ProtocolView>,
}

/// A new version with the edition of its account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct EditedProtocol {
    #[serde(flatten)]
    protocol: ProtocolView,
    edition: u32,
}

/// What a protocol would do, and what keeps it from being saved.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProtocolCheck {
    text: Vec<String>,
    errors: Vec<Fault>,
}

/// All versions of an account's protocols, by name, the newest first.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/protocols", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, body = Protocols), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    _by: Operator,
    Id(account): Id<AccountId>,
) -> Result<Json<Protocols>, Problem> {
    if front.store.find_account_edition(&account).await?.is_none() {
        return Err(Problem::not_found("account"));
    }
    let contacts = front.store.list_contacts(&account).await?;
    let protocols = front.store.list_protocols(&account).await?;
    let items = protocols.into_iter().map(|p| ProtocolView { text: describe(&p, &contacts), protocol: p });
    Ok(Json(Protocols { items: items.collect() }))
}

/// What a protocol would do, in plain English, and everything that is wrong with it. Saves nothing.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/protocols/check", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = ProtocolEdit,
    responses((status = OK, body = ProtocolCheck), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn check(
    State(front): State<Front>,
    _by: Supervisor,
    Id(account): Id<AccountId>,
    Body(edit): Body<ProtocolEdit>,
) -> Result<Json<ProtocolCheck>, Problem> {
    let (errors, text) = front.clients.check_protocol(&account, &edit).await?;
    Ok(Json(ProtocolCheck { text, errors }))
}

/// Saves a protocol: the first version of its name, or the next. In force from now on for the call types named; dispatches
/// that run go on with the version they began with.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/protocols", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = ProtocolEdit,
    responses((status = CREATED, body = EditedProtocol), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn add(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(account): Id<AccountId>,
    Body(edit): Body<ProtocolEdit>,
) -> Result<Response, Problem> {
    let Changed { now: protocol, edition } = front.clients_of(&signed).add_protocol(&account, &edit).await?;
    let (user, version) = (&signed.bearer.user, protocol.version);
    tracing::info!(%user, %account, protocol = %protocol.id, version, "a protocol was saved");
    let contacts = front.store.list_contacts(&account).await?;
    let protocol = ProtocolView { text: describe(&protocol, &contacts), protocol };
    Ok((StatusCode::CREATED, [etag(edition)], Json(EditedProtocol { protocol, edition })).into_response())
}
