//! An operator's own voice: her recording of an account's answer phrase, heard by callers whose call she takes. Hers alone to
//! record, to hear and to take away.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::base::id::AccountId;
use crate::domain::account::fault::Fault;
use crate::domain::account::{AnswerPhrase, Speech};
use crate::engine::feed::FeedEvent;
use crate::io::speech::MAX_UPLOAD_BYTES;
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::greetings::AccountRecording;

use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::{Id, read_body};
use super::speech;
use super::state::Front;

/// The longest phrase, in milliseconds: the caller has something to say as well.
const MAX_MS: u64 = 15_000;

/// Keeps my recording of the account's answer phrase: a WAV file (PCM, 8 to 48 kHz), fifteen seconds at most. From the next call on
/// that I take for this account, the caller hears it, and I do.
#[utoipa::path(put, path = "/api/v1/accounts/{id}/answer_phrase", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body(content = [u8], content_type = "audio/wav"),
    responses((status = OK, body = AnswerPhrase), (status = NOT_FOUND, body = ProblemBody),
        (status = PAYLOAD_TOO_LARGE, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn set(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<AccountId>,
    request: Request,
) -> Result<Json<AnswerPhrase>, Problem> {
    front.store.find_account_edition(&id).await?.ok_or_else(|| Problem::not_found("account"))?;
    let body = read_body(request, MAX_UPLOAD_BYTES).await?;
    let kept = front.voice.keep_words(body, MAX_MS).await.map_err(speech::refuse)?;
    let Some(kept) = kept else {
        let code = "answer_phrase.nothing";
        let detail = "Nothing is heard in it, or it is longer than 15 seconds.".to_owned();
        let cure = "See to the microphone, and say the answer phrase alone.".to_owned();
        return Err(Problem::faulty(code, vec![Fault { pointer: String::new(), code: code.into(), detail, cure }]));
    };
    let (operator, made_at) = (signed.bearer.user.clone(), front.clock.utc());
    let millis = u32::try_from(kept.millis).unwrap_or(u32::MAX);
    let made = AccountRecording { recording: kept.recording, millis, made_by: operator.clone(), made_at };
    let mut tx = front.store.write().await?;
    tx.set_answer_phrase(&id, &operator, &made).await?;
    tx.touch_account(&id, made_at).await?;
    let edition = tx.find_account_edition(&id).await?.unwrap_or(1);
    tx.audit(Entry::new(front.clock.utc(), Who::User(signed.bearer.user.clone()), Act::AccountChanged, id.to_string()));
    tx.commit("answer_phrase").await?;
    front.feed.publish(FeedEvent::Account { id, edition });
    let speech = Speech::Uploaded { recording: made.recording };
    Ok(Json(AnswerPhrase { operator, speech, millis: made.millis }))
}

/// Takes my recording away: I say the answer phrase myself again.
#[utoipa::path(delete, path = "/api/v1/accounts/{id}/answer_phrase", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn remove(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<AccountId>,
) -> Result<StatusCode, Problem> {
    let mut tx = front.store.write().await?;
    if !tx.remove_answer_phrase(&id, &signed.bearer.user).await? {
        return Err(Problem::not_found("recording"));
    }
    tx.touch_account(&id, front.clock.utc()).await?;
    let edition = tx.find_account_edition(&id).await?.unwrap_or(1);
    tx.audit(Entry::new(front.clock.utc(), Who::User(signed.bearer.user.clone()), Act::AccountChanged, id.to_string()));
    tx.commit("remove_answer_phrase").await?;
    front.feed.publish(FeedEvent::Account { id, edition });
    Ok(StatusCode::NO_CONTENT)
}

/// My recording, as callers hear it.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/answer_phrase/sound", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, content_type = "audio/wav", body = [u8]), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn listen(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<AccountId>,
) -> Result<Response, Problem> {
    let account = front.store.find_account(&id).await?.ok_or_else(|| Problem::not_found("account"))?;
    let mine = account.answer_phrases.iter().find(|phrase| phrase.operator == signed.bearer.user);
    let mine = mine.ok_or_else(|| Problem::not_found("recording"))?;
    let wav = front.voice.wav(&mine.speech).await.map_err(speech::refuse)?;
    Ok(([(header::CONTENT_TYPE, "audio/wav")], wav).into_response())
}
