//! One message of a client's, whole, with its time line; and the recording of its call. A protected one is opened as an inbox opens it:
//! by somebody who has signed in, for as many days as the account says, and each time on the audit log.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use super::guard::{Named, PortalClient, needs};
use super::messages::{PortalMessage, Shown};
use crate::base::clock::UtcMs;
use crate::base::id::MessageId;
use crate::domain::dispatch::event::Note;
use crate::domain::message::Message;
use crate::domain::message::render;
use crate::domain::portal::rights::Right;
use crate::http::audit;
use crate::http::error::{Problem, ProblemBody};
use crate::http::recordings;
use crate::http::state::Front;
use crate::io::store::audit::Act;

/// A message, whole.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalMessageWhole {
    #[serde(flatten)]
    line: PortalMessage,
    /// In the order of the form. What is sensitive is asked for at the service.
    answers: Vec<PortalAnswer>,
    timeline: Vec<PortalLine>,
    /// What comes next.
    next: Option<PortalNext>,
}

/// An answer as people read it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalAnswer {
    label: String,
    text: String,
}

/// A line of the time line.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalLine {
    at: UtcMs,
    /// As in the feed: `step`, `attempt`, `accepted`, `confirmed`, …
    kind: String,
    text: String,
    who: Option<String>,
    /// Why this person, where the schedule said so.
    why: Option<String>,
}

/// What comes next, and when.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalNext {
    at: UtcMs,
    text: String,
}

/// The message, if it is of this account and was not taken back.
async fn find(
    front: &Front,
    client: &PortalClient<impl super::guard::Need>,
    named: &Named,
) -> Result<Message, Problem> {
    let id: MessageId = named.find("id", "message")?;
    let found = front.store.find_message(&id).await?.filter(|message| message.account == client.account);
    match found {
        Some(message) if !front.store.is_withdrawn(&id).await? => Ok(message),
        _ => Err(Problem::not_found("message")),
    }
}

/// Refuses what is protected and too old to be opened.
fn permit(shown: &Shown, message: &Message, now: UtcMs) -> Result<(), Problem> {
    let secure = &shown.account.secure;
    if shown.is_protected(message) && now >= message.taken_at.plus_ms(secure.lasts_ms()) {
        let detail = format!(
            "A protected message can be opened for {} after it was taken. Ask the service about it.",
            secure.in_words()
        );
        return Err(Problem::forbidden("portal.message_over", detail));
    }
    Ok(())
}

/// A message of my account, whole, with its time line.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/messages/{id}", tag = "portal", security(("bearer" = [])),
    params(("account" = crate::base::id::AccountId, Path), ("id" = MessageId, Path)),
    responses((status = OK, body = PortalMessageWhole), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn show(
    State(front): State<Front>,
    client: PortalClient<needs::Messages>,
    named: Named,
) -> Result<Json<PortalMessageWhole>, Problem> {
    let message = find(&front, &client, &named).await?;
    let shown = Shown::of(&front, client.find_account(&front).await?).await?;
    permit(&shown, &message, front.clock.utc())?;
    let view = front.dispatcher.find_view_of_message(&message.id).await?;
    let mut whys = Vec::new();
    if let Some(view) = &view {
        // Lines are only ever added: those that the view has are the first of these.
        whys = front.store.list_dispatch_entries(&view.id).await?.into_iter().map(|entry| why(entry.note)).collect();
    }
    audit::reads(&front, &client.signed, Act::MessageRead, &message.id).await?;
    let mut line = shown.line(&message, view.as_ref(), client.rights.allow(Right::Recordings));
    line.caller = message.caller.clone();
    line.headline = Some(render::headline(&message));
    let answer = |written: render::Written| PortalAnswer { label: written.label, text: written.words };
    let answers = render::written_answers(&message).into_iter().map(answer).collect();
    let (mut timeline, mut next) = (Vec::new(), None);
    if let Some(view) = view {
        let mut whys = whys.into_iter();
        let told = view.timeline.into_iter().map(|line| PortalLine {
            at: line.at,
            kind: line.kind,
            text: line.text,
            who: line.who,
            why: whys.next().flatten(),
        });
        timeline.extend(told);
        next = view.next.map(|line| PortalNext { at: line.at, text: line.text });
    }
    Ok(Json(PortalMessageWhole { line, answers, timeline, next }))
}

fn why(note: Note) -> Option<String> {
    match note {
        Note::Step { why, .. } if !why.is_empty() => Some(why.join("; ")),
        _ => None,
    }
}

/// The recording of the call that a message came by, as WAV. That I listen goes on the call's record.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/messages/{id}/recording", tag = "portal",
    security(("bearer" = [])), params(("account" = crate::base::id::AccountId, Path), ("id" = MessageId, Path),
        ("Range" = Option<String>, Header, description = "One range of bytes.")),
    responses((status = OK, content_type = "audio/wav", body = [u8]),
        (status = PARTIAL_CONTENT, content_type = "audio/wav", body = [u8]),
        (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn listen(
    State(front): State<Front>,
    client: PortalClient<needs::Recordings>,
    named: Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let message = find(&front, &client, &named).await?;
    let shown = Shown::of(&front, client.find_account(&front).await?).await?;
    permit(&shown, &message, front.clock.utc())?;
    let call = message.call.ok_or_else(|| Problem::not_found("recording"))?;
    let record = front.store.find_call(&call).await?;
    // A call that was another account's is on that one's record.
    if record.is_none_or(|record| record.account != client.account) {
        return Err(Problem::not_found("recording"));
    }
    recordings::play(&front, &client.signed, call, &headers).await
}
