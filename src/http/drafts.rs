//! Drafts: forms being filled in, saved by the console every few seconds under an identifier it chose.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, CallTypeId, DraftId};
use crate::base::phone::PhoneNumber;
use crate::domain::message::form::Answers;
use crate::io::store::StoreError;
use crate::io::store::drafts::{Cursor, Draft};

use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;

/// A form as far as it is filled in. Answers are kept as typed.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct DraftBody {
    account: AccountId,
    call_type: Option<CallTypeId>,
    call: Option<CallId>,
    /// A number; anything else is dropped, for it may be half typed.
    caller: Option<String>,
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    answers: Answers,
    /// Names of answers that are kept out of a message that leaves in clear, as they were typed for a protected call type; with the name
    /// of that type. Whoever has the form next reads it with the answers.
    #[serde(default)]
    apart: BTreeMap<String, String>,
    cursor: Option<Cursor>,
    /// When it was begun.
    begun_at: Option<UtcMs>,
    /// Whoever saves it knows of the other form of this call that they have begun, and means both.
    #[serde(default)]
    beside: bool,
}

/// That a draft is saved.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Saved {
    id: DraftId,
    saved_at: UtcMs,
}

/// My drafts, the last saved first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Drafts {
    items: Vec<Draft>,
}

/// My drafts.
#[utoipa::path(get, path = "/api/v1/drafts", tag = "messages", security(("bearer" = [])),
    responses((status = OK, body = Drafts), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn list(State(front): State<Front>, Operator(signed): Operator) -> Result<Json<Drafts>, Problem> {
    Ok(Json(Drafts { items: front.store.list_drafts(&signed.bearer.user).await? }))
}

/// Saves a draft. Sensitive answers are left out of it. The last words typed in one that has just gone along with its call to another
/// operator go into it, for half a minute and until she has saved it herself.
#[utoipa::path(put, path = "/api/v1/drafts/{id}", tag = "messages", security(("bearer" = [])),
    params(("id" = DraftId, Path)), request_body = DraftBody,
    responses((status = OK, body = Saved), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody, description = "I have begun another form of this call.")))]
pub async fn save(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<DraftId>,
    Body(body): Body<DraftBody>,
) -> Result<Json<Saved>, Problem> {
    let saved_at = front.clock.utc();
    let account = front.store.find_account(&body.account).await?.ok_or_else(|| Problem::not_found("account"))?;
    let forms = account.call_types.iter().map(|call_type| &call_type.form);
    let answers = forms.fold(body.answers, |answers, form| form.without_sensitive(answers));
    let draft = Draft {
        id: id.clone(),
        owner: signed.bearer.user,
        account: body.account,
        call_type: body.call_type,
        call: body.call,
        caller: body.caller.and_then(|caller| PhoneNumber::parse(&caller).ok()),
        answers,
        apart: body.apart,
        cursor: body.cursor,
        begun_at: body.begun_at,
        saved_at,
    };
    let mut tx = front.store.write().await?;
    if let Some(call) = draft.call.as_ref().filter(|_| !body.beside)
        && tx.find_other_draft(&draft.id, call, &draft.owner).await?.is_some()
    {
        let detail =
            "A form of this call is begun already, in another window maybe: read my drafts and go on with that one.";
        return Err(Problem::conflict("draft.begun_elsewhere", detail));
    }
    let kept = tx.upsert_draft(&draft).await;
    // Unless it went along with its call a moment ago, and these are the last words.
    let is_anothers = matches!(kept, Err(StoreError::Missing { .. }));
    if !(is_anothers && tx.take_late(&draft).await?) {
        kept?;
    }
    tx.commit("draft").await?;
    Ok(Json(Saved { id, saved_at }))
}

/// Throws a draft away.
#[utoipa::path(delete, path = "/api/v1/drafts/{id}", tag = "messages", security(("bearer" = [])),
    params(("id" = DraftId, Path)), responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn discard(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<DraftId>,
) -> Result<StatusCode, Problem> {
    let mut tx = front.store.write().await?;
    let there = tx.delete_draft(&id, &signed.bearer.user).await?;
    tx.commit("discard").await?;
    if there { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("draft")) }
}
