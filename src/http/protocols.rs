//! Protocols of accounts: all versions, what one would do, and the next version put in force.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::base::id::AccountId;
use crate::domain::account::fault::Fault;
use crate::domain::dispatch::describe::describe;
use crate::domain::dispatch::protocol::Protocol;
use crate::engine::clients::{Changed, Checked, ProtocolEdit};

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

impl EditedProtocol {
    pub(super) const fn of(protocol: ProtocolView, edition: u32) -> Self {
        Self { protocol, edition }
    }
}

/// What a protocol would do, and what keeps it from being saved.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProtocolCheck {
    text: Vec<String>,
    errors: Vec<Fault>,
    /// What may not be meant, and keeps it from nothing: a step that is never made, a message for which no step is left,
    /// a protected message written to somebody who can open it nowhere.
    warnings: Vec<Fault>,
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
    let account = front.store.find_account(&account).await?.ok_or_else(|| Problem::not_found("account"))?;
    let contacts = front.store.list_contacts(&account.id).await?;
    let protocols = front.store.list_protocols(&account.id).await?;
    let text = |p: &Protocol| describe(p, &contacts, &account.call_types);
    let items = protocols.into_iter().map(|p| ProtocolView { text: text(&p), protocol: p });
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
    let Checked { text, faults: errors, warnings } = front.clients.check_protocol(&account, &edit).await?;
    Ok(Json(ProtocolCheck { text, errors, warnings }))
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
    let call_types = front.store.find_account(&account).await?.map(|account| account.call_types).unwrap_or_default();
    let protocol = ProtocolView { text: describe(&protocol, &contacts, &call_types), protocol };
    Ok((StatusCode::CREATED, [etag(edition)], Json(EditedProtocol { protocol, edition })).into_response())
}
