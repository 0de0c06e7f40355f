//! The status board of an account: short lines that every operator reads beside the form, put up and taken down by any of
//! them, and over by themselves where they have an end.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, StatusId};
use crate::domain::message::form::visible;
use crate::engine::feed::{FeedEvent, UserRef};
use crate::io::store::status::StatusLine;

use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;
use super::taking::field;

/// The longest line, in characters.
const MAX_CHARS: usize = 200;

/// What to put up.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct StatusBody {
    text: String,
    /// When it is over by itself; none: when somebody takes it down.
    until: Option<UtcMs>,
}

/// A line of a status board.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct StatusView {
    pub id: StatusId,
    pub text: String,
    pub by: UserRef,
    pub at: UtcMs,
    pub until: Option<UtcMs>,
}

/// Lines with the names of those who put them up.
pub async fn show(front: &Front, lines: Vec<StatusLine>) -> Result<Vec<(AccountId, StatusView)>, Problem> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let users = front.store.list_users().await?;
    let by = |id| UserRef {
        name: users.iter().find(|user| user.id == id).map(|user| user.name.clone()).unwrap_or_default(),
        id,
    };
    let view = |line: StatusLine| {
        let view =
            StatusView { id: line.id, text: line.text, by: by(line.made_by), at: line.made_at, until: line.until };
        (line.account, view)
    };
    Ok(lines.into_iter().map(view).collect())
}

/// Puts a line up on the status board of an account.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/status", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = StatusBody,
    responses((status = CREATED, body = StatusView), (status = NOT_FOUND, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn add(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(account): Id<AccountId>,
    Body(body): Body<StatusBody>,
) -> Result<(StatusCode, Json<StatusView>), Problem> {
    let now = front.clock.utc();
    let edition = front.store.find_account_edition(&account).await?.ok_or_else(|| Problem::not_found("account"))?;
    let text = visible(&body.text, false).trim().to_owned();
    let wrong = |name: &str, code: &str, message: &str| {
        Problem::invalid("status.invalid", message, vec![field(name, code, message)])
    };
    if text.is_empty() {
        return Err(wrong("text", "required", "Write what is to be known."));
    }
    if text.chars().count() > MAX_CHARS {
        return Err(wrong("text", "too_long", "Too long: 200 characters at most. The rest belongs into the notes."));
    }
    if body.until.is_some_and(|until| until <= now) {
        return Err(wrong("until", "past", "This would be over already: choose a later end, or none."));
    }
    let line = StatusLine {
        id: StatusId::fresh(now),
        account: account.clone(),
        text,
        made_by: signed.bearer.user.clone(),
        made_at: now,
        until: body.until,
    };
    let mut tx = front.store.write().await?;
    tx.insert_status(&line).await?;
    tx.commit("status").await?;
    front.feed.publish(FeedEvent::Account { id: account, edition });
    let StatusLine { id, text, until, .. } = line;
    Ok((StatusCode::CREATED, Json(StatusView { id, text, by: signed.user(), at: now, until })))
}

/// Takes a line down.
#[utoipa::path(delete, path = "/api/v1/status/{id}", tag = "accounts", security(("bearer" = [])),
    params(("id" = StatusId, Path)),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn end(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<StatusId>,
) -> Result<StatusCode, Problem> {
    let line = front.store.find_status(&id).await?.ok_or_else(|| Problem::not_found("line"))?;
    let mut tx = front.store.write().await?;
    tx.end_status(&id, &signed.bearer.user, front.clock.utc()).await?;
    tx.commit("end_status").await?;
    if let Some(edition) = front.store.find_account_edition(&line.account).await? {
        front.feed.publish(FeedEvent::Account { id: line.account, edition });
    }
    Ok(StatusCode::NO_CONTENT)
}
