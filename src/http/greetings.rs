//! Greetings that people speak in by telephone: an editor's own telephone is rung for one, those that there are can be chosen,
//! and the status greeting that callers hear now is listened to and taken down.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::base::clock::UtcMs;
use crate::base::id::AccountId;
use crate::domain::account::Speech;
use crate::engine::calls::greetings::end_status_greeting;
use crate::engine::feed::{FeedEvent, UserRef};
use crate::io::store::audit::Who;

use super::auth::{Operator, Supervisor};
use super::error::{Problem, ProblemBody};
use super::extract::Id;
use super::speech;
use super::state::{Front, NotNow};

/// A recording that an account can choose.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RecordingView {
    /// Say this where it is to be heard.
    speech: Speech,
    millis: u32,
    by: UserRef,
    at: UtcMs,
}

/// The recordings of an account, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Recordings {
    items: Vec<RecordingView>,
}

/// Rings my softphone, the desk phone if there is no other: a voice says what to do, I speak a greeting in, hear it back and
/// keep it by a key. Each step is shown on the feed (`dictation`). What I keep is among the account's recordings, and heard by
/// callers once the account names it.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/recordings/by_phone", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = ACCEPTED), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody)))]
pub async fn dictate(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<AccountId>,
) -> Result<StatusCode, Problem> {
    front.store.find_account_edition(&id).await?.ok_or_else(|| Problem::not_found("account"))?;
    match front.desk.dictate(signed.user(), id).await {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(NotNow(why)) => Err(Problem::conflict("seat.not_now", why)),
    }
}

/// What was spoken in by telephone for an account.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/recordings", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, body = Recordings), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    _by: Supervisor,
    Id(id): Id<AccountId>,
) -> Result<Json<Recordings>, Problem> {
    let made = front.store.list_account_recordings(&id).await?;
    let users = if made.is_empty() { Vec::new() } else { front.store.list_users().await? };
    let items = made.into_iter().map(|made| RecordingView {
        speech: Speech::Uploaded { recording: made.recording },
        millis: made.millis,
        by: UserRef {
            name: users.iter().find(|user| user.id == made.made_by).map(|user| user.name.clone()).unwrap_or_default(),
            id: made.made_by,
        },
        at: made.made_at,
    });
    Ok(Json(Recordings { items: items.collect() }))
}

/// Takes a recording out of those that can be chosen. Where an account names it, it is heard on.
#[utoipa::path(delete, path = "/api/v1/accounts/{id}/recordings/{recording}", tag = "accounts",
    security(("bearer" = [])), params(("id" = AccountId, Path), ("recording" = String, Path)),
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn forget(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id((account, recording)): Id<(AccountId, String)>,
) -> Result<StatusCode, Problem> {
    let mut tx = front.store.write().await?;
    if !tx.delete_account_recording(&account, &recording).await? {
        return Err(Problem::not_found("recording"));
    }
    tx.commit("forget_recording").await?;
    tracing::info!(%account, by = %signed.bearer.user, "a recording was taken out");
    Ok(StatusCode::NO_CONTENT)
}

/// The status greeting that callers of an account hear now, as WAV.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/status_greeting/sound", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, content_type = "audio/wav", body = [u8]), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn listen(State(front): State<Front>, _by: Operator, Id(id): Id<AccountId>) -> Result<Response, Problem> {
    let account = front.store.find_account(&id).await?.ok_or_else(|| Problem::not_found("account"))?;
    let status = account.status_greeting_at(front.clock.utc()).ok_or_else(|| Problem::not_found("status greeting"))?;
    let wav = front.voice.wav(&status.speech).await.map_err(speech::refuse)?;
    Ok(([(header::CONTENT_TYPE, "audio/wav")], wav).into_response())
}

/// Takes the status greeting of an account down: its callers hear the greeting alone again, from the next call on.
#[utoipa::path(delete, path = "/api/v1/accounts/{id}/status_greeting", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn take_down(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<AccountId>,
) -> Result<StatusCode, Problem> {
    front.store.find_account_edition(&id).await?.ok_or_else(|| Problem::not_found("account"))?;
    let (by, now) = (Who::User(signed.bearer.user.clone()), front.clock.utc());
    let edition = end_status_greeting(&front.store, &id, &signed.user().name, by, now).await?;
    tracing::info!(account = %id, by = %signed.bearer.user, "the status greeting was taken down");
    front.feed.publish(FeedEvent::Account { id, edition });
    Ok(StatusCode::NO_CONTENT)
}
