//! Accounts made and changed by supervisors and admins. Checked and stored by `engine/clients`; here is who may, what was
//! read before, and what is answered.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::base::id::AccountId;
use crate::domain::account::Account;
use crate::domain::account::edit::AccountEdit;
use crate::domain::account::edit_call_types::CallTypesEdit;
use crate::engine::clients::{Changed, Refusal};

use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;

/// An account as it is now, with its edition.
#[derive(Serialize, utoipa::ToSchema)]
pub struct EditedAccount {
    #[serde(flatten)]
    account: Account,
    /// Counts each change: send it with the next one.
    edition: u32,
}

/// The edition that whoever changes an account has seen: `If-Match` before the body's `edition`.
pub struct IfMatch(Option<u32>);

impl FromRequestParts<Front> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _front: &Front) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let edition = value.to_str().ok().and_then(|tag| tag.trim().trim_matches('"').parse().ok());
        let malformed = || Problem::malformed("account.if_match", "If-Match: the ETag of the account, as it was sent.");
        Ok(Self(Some(edition.ok_or_else(malformed)?)))
    }
}

/// The edition that was seen, and how a refusal over it is told (RFC 9110 §13.1.1: 412 for the header).
#[derive(Clone, Copy)]
pub struct Seen {
    edition: Option<u32>,
    by_header: bool,
}

impl IfMatch {
    /// Together with what the body says.
    pub fn or(self, body: Option<u32>) -> Seen {
        Seen { edition: self.0.or(body), by_header: self.0.is_some() }
    }
}

impl Seen {
    /// The edition, where one may be left out.
    pub const fn edition(self) -> Option<u32> {
        self.edition
    }

    /// The edition, where nobody may change what they have not seen.
    pub fn required(self) -> Result<u32, Problem> {
        self.edition.ok_or_else(|| {
            let detail = "Send the edition of the account that you have read: If-Match with its ETag, or `edition`.";
            Problem::new(StatusCode::PRECONDITION_REQUIRED, "account.edition_required", "Read it first", detail)
        })
    }

    /// What is answered to a refusal.
    pub fn refuse(self, refusal: Refusal) -> Problem {
        let stale = matches!(refusal, Refusal::Stale { .. });
        let problem = Problem::from(refusal);
        if stale && self.by_header { Problem { status: StatusCode::PRECONDITION_FAILED, ..problem } } else { problem }
    }
}

/// The ETag of an account's edition.
pub fn etag(edition: u32) -> (header::HeaderName, HeaderValue) {
    let tag = HeaderValue::from_str(&format!("\"{edition}\"")).expect("digits in quotes are a header value");
    (header::ETAG, tag)
}

fn answer(status: StatusCode, changed: Changed<Account>) -> Response {
    let Changed { now: account, edition } = changed;
    (status, [etag(edition)], Json(EditedAccount { account, edition })).into_response()
}

/// Makes an account. Everything but name and zone has a usual value.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", security(("bearer" = [])), request_body = AccountEdit,
    responses((status = CREATED, body = EditedAccount), (status = FORBIDDEN, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn add(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Body(edit): Body<AccountEdit>,
) -> Result<Response, Problem> {
    let changed = front.clients_of(&signed).add(&edit).await?;
    tracing::info!(user = %signed.bearer.user, account = %changed.now.id, "an account was made");
    Ok(answer(StatusCode::CREATED, changed))
}

/// Writes an account, whole. Its call types, contacts and protocols stay.
#[utoipa::path(put, path = "/api/v1/accounts/{id}", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path), ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    request_body = AccountEdit,
    responses((status = OK, body = EditedAccount), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = PRECONDITION_FAILED, body = ProblemBody), (status = PRECONDITION_REQUIRED, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn change(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<AccountId>,
    if_match: IfMatch,
    Body(edit): Body<AccountEdit>,
) -> Result<Response, Problem> {
    let seen = if_match.or(edit.edition);
    let changed =
        front.clients_of(&signed).change(&id, seen.required()?, &edit).await.map_err(|why| seen.refuse(why))?;
    tracing::info!(user = %signed.bearer.user, account = %id, edition = changed.edition, "an account was changed");
    Ok(answer(StatusCode::OK, changed))
}

/// Writes all call types of an account with their forms, in their order. Those left out are retired.
#[utoipa::path(put, path = "/api/v1/accounts/{id}/call_types", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path), ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    request_body = CallTypesEdit,
    responses((status = OK, body = EditedAccount), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = PRECONDITION_FAILED, body = ProblemBody), (status = PRECONDITION_REQUIRED, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn set_call_types(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<AccountId>,
    if_match: IfMatch,
    Body(edit): Body<CallTypesEdit>,
) -> Result<Response, Problem> {
    let seen = if_match.or(edit.edition);
    let changed =
        front.clients_of(&signed).set_call_types(&id, seen.required()?, &edit).await.map_err(|why| seen.refuse(why))?;
    tracing::info!(user = %signed.bearer.user, account = %id, edition = changed.edition, "call types were changed");
    Ok(answer(StatusCode::OK, changed))
}
