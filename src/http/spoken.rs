//! How the names of contacts are said by the voice: written by supervisors, and by clients through a door of their own
//! (`portal/contacts`). It can be listened to before it is written; nothing of that is kept.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::auth::{Operator, Supervisor};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::speech::refuse;
use super::state::Front;
use crate::base::id::{AccountId, ContactId};
use crate::domain::account::fault::Faults;
use crate::domain::account::{Account, Speech, Urgency};
use crate::domain::message::render::speech::intro;
use crate::engine::clients::read_spoken;

/// How a name is said.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpokenAs {
    /// For the voice engine: "Ow-ren". Null: as it is written.
    pub spoken_as: Option<String>,
}

/// How somebody's name is said.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SpokenName {
    contact: ContactId,
    /// Null: as it is written.
    spoken_as: Option<String>,
}

/// The names of an account that are said otherwise than they are written.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SpokenNames {
    items: Vec<SpokenName>,
}

/// Whose name is said otherwise than it is written.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/spoken_as", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, body = SpokenNames), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    _by: Operator,
    Id(account): Id<AccountId>,
) -> Result<Json<SpokenNames>, Problem> {
    front.store.find_account_edition(&account).await?.ok_or_else(|| Problem::not_found("account"))?;
    let names = front.store.list_spoken_as(&account).await?.into_iter();
    let items = names.map(|(contact, words)| SpokenName { contact, spoken_as: Some(words) }).collect();
    Ok(Json(SpokenNames { items }))
}

/// Says how a contact's name is said in calls.
#[utoipa::path(put, path = "/api/v1/contacts/{id}/spoken_as", tag = "accounts", security(("bearer" = [])),
    params(("id" = ContactId, Path)), request_body = SpokenAs,
    responses((status = OK, body = SpokenName), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn set(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ContactId>,
    Body(body): Body<SpokenAs>,
) -> Result<Json<SpokenName>, Problem> {
    let contact = front.store.find_contact(&id).await?.ok_or_else(|| Problem::not_found("contact"))?;
    front.clients_of(&signed).set_spoken_as(&contact, body.spoken_as.as_deref()).await?;
    tracing::info!(user = %signed.bearer.user, contact = %id, "how a name is said was written");
    let spoken_as = front.store.find_spoken_as(&id).await?;
    Ok(Json(SpokenName { contact: id, spoken_as }))
}

/// A name as a call-out of this account would say it, as WAV. Nothing of it is kept.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/spoken_as/listen", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = SpokenAs,
    responses((status = OK, content_type = "audio/wav", body = [u8]), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn hear(
    State(front): State<Front>,
    _by: Supervisor,
    Id(account): Id<AccountId>,
    Body(body): Body<SpokenAs>,
) -> Result<Response, Problem> {
    let account = front.store.find_account(&account).await?.ok_or_else(|| Problem::not_found("account"))?;
    say(&front, &account, &body).await
}

/// Refuses clients who listen more often than the voice is theirs.
pub(super) fn refuse_busy(front: &Front, account: &AccountId) -> Result<(), Problem> {
    let taken = front.limits.listens.take(account.as_str(), front.clock.instant());
    taken.map_err(|wait| Problem::too_many("speech.too_many", wait.as_secs() + 1))
}

pub(super) async fn say(front: &Front, account: &Account, body: &SpokenAs) -> Result<Response, Problem> {
    let faulty = |faults| Problem::faulty("account.invalid", faults);
    let name = read_spoken(body.spoken_as.as_deref().unwrap_or_default()).map_err(faulty)?;
    if name.is_empty() {
        let mut faults = Faults::default();
        faults.add("/spoken_as", "contact.spoken_as", "There is nothing to say.", "Write how the name is said.");
        return Err(faulty(faults.into_list()));
    }
    // The first words of a call-out.
    let text = intro(account, Urgency::Routine, &name);
    let wav = front.voice.wav(&Speech::Spoken { text }).await.map_err(refuse)?;
    Ok(([(header::CONTENT_TYPE, "audio/wav")], wav).into_response())
}
