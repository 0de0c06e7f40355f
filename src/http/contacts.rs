//! Contacts of accounts, made, changed and removed by supervisors and admins.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::base::id::{AccountId, ContactId};
use crate::domain::account::Contact;
use crate::domain::account::edit_contact::ContactEdit;
use crate::engine::clients::Changed;

use super::account_edit::{IfMatch, etag};
use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;

/// A contact as it is now, with the edition of its account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct EditedContact {
    #[serde(flatten)]
    contact: Contact,
    edition: u32,
}

fn answer(status: StatusCode, changed: Changed<Contact>) -> Response {
    let Changed { now: contact, edition } = changed;
    (status, [etag(edition)], Json(EditedContact { contact, edition })).into_response()
}

/// Adds a contact to an account.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/contacts", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = ContactEdit,
    responses((status = CREATED, body = EditedContact), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn add(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(account): Id<AccountId>,
    Body(edit): Body<ContactEdit>,
) -> Result<Response, Problem> {
    let changed = front.clients_of(&signed).add_contact(&account, &edit).await?;
    tracing::info!(user = %signed.bearer.user, %account, contact = %changed.now.id, "a contact was added");
    Ok(answer(StatusCode::CREATED, changed))
}

/// Writes a contact, whole. Refused where a protocol that runs would miss what it loses.
#[utoipa::path(put, path = "/api/v1/contacts/{id}", tag = "accounts", security(("bearer" = [])),
    params(("id" = ContactId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the account.")),
    request_body = ContactEdit,
    responses((status = OK, body = EditedContact), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = PRECONDITION_FAILED, body = ProblemBody), (status = PRECONDITION_REQUIRED, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn change(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ContactId>,
    if_match: IfMatch,
    Body(edit): Body<ContactEdit>,
) -> Result<Response, Problem> {
    let seen = if_match.or(edit.edition);
    let changed =
        front.clients_of(&signed).change_contact(&id, seen.required()?, &edit).await.map_err(|why| seen.refuse(why))?;
    tracing::info!(user = %signed.bearer.user, contact = %id, "a contact was changed");
    Ok(answer(StatusCode::OK, changed))
}

/// Removes a contact. Refused while a protocol that runs or a schedule names it; the answer says where.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}", tag = "accounts", security(("bearer" = [])),
    params(("id" = ContactId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the account.")),
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody), (status = PRECONDITION_FAILED, body = ProblemBody)))]
pub async fn remove(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ContactId>,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    let seen = if_match.or(None);
    let changed =
        front.clients_of(&signed).remove_contact(&id, seen.edition()).await.map_err(|why| seen.refuse(why))?;
    tracing::info!(user = %signed.bearer.user, account = %changed.now, contact = %id, "a contact was removed");
    Ok((StatusCode::NO_CONTENT, [etag(changed.edition)]).into_response())
}
