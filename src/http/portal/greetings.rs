//! What callers hear, for the client who approves it: each by a name, with its words where they are written, and all of it as a
//! sound, as a recording says nothing on a page.
//!
//! What always holds: only what the account says is heard by this door, at the place where the account has it; no recording is asked
//! for by its own name.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::guard::{PortalClient, needs};
use crate::base::id::AccountId;
use crate::domain::account::Speech;
use crate::domain::portal::heard::{Heard, list_heard};
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::Params;
use crate::http::speech::refuse;
use crate::http::spoken::refuse_busy;
use crate::http::state::Front;

/// What callers hear.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalGreetings {
    items: Vec<PortalGreeting>,
}

/// Something that they hear.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalGreeting {
    /// Ask for its sound by it.
    at: String,
    title: String,
    /// A recording, not the voice engine.
    recorded: bool,
    /// What it says; null: it can only be listened to.
    words: Option<String>,
}

/// Which of them.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhichGreeting {
    /// As the list has it: `/greeting`.
    at: String,
}

impl From<Heard<'_>> for PortalGreeting {
    fn from(heard: Heard<'_>) -> Self {
        Self {
            recorded: !matches!(heard.speech, Speech::Spoken { .. }),
            words: heard.words.map(str::to_owned),
            at: heard.at,
            title: heard.title,
        }
    }
}

/// What callers of my account hear, by name.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/greetings", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)),
    responses((status = OK, body = PortalGreetings), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    client: PortalClient<needs::Settings>,
) -> Result<Json<PortalGreetings>, Problem> {
    let account = client.find_account(&front).await?;
    let heard = list_heard(&account, front.clock.utc());
    Ok(Json(PortalGreetings { items: heard.into_iter().map(PortalGreeting::from).collect() }))
}

/// One of them as callers hear it now, as WAV.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/greetings/sound", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), WhichGreeting),
    responses((status = OK, content_type = "audio/wav", body = [u8]), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody),
        (status = TOO_MANY_REQUESTS, body = ProblemBody)))]
pub async fn listen(
    State(front): State<Front>,
    client: PortalClient<needs::Settings>,
    Params(which): Params<WhichGreeting>,
) -> Result<Response, Problem> {
    let account = client.find_account(&front).await?;
    let heard = list_heard(&account, front.clock.utc()).into_iter().find(|heard| heard.at == which.at);
    let heard = heard.ok_or_else(|| Problem::not_found("greeting"))?;
    if matches!(heard.speech, Speech::Spoken { .. }) {
        refuse_busy(&front, &account.id)?;
    }
    let wav = front.voice.wav(heard.speech).await.map_err(refuse)?;
    Ok(([(header::CONTENT_TYPE, "audio/wav")], wav).into_response())
}
