//! The morning page: what is under way now, whenever it was taken, and each message of the night in one sentence.

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::guard::{PortalClient, needs};
use super::messages::Shown;
use crate::base::clock::UtcMs;
use crate::base::id::MessageId;
use crate::domain::account::Urgency;
use crate::domain::message::{Message, render};
use crate::domain::portal::night::{Night, Told, sentence};
use crate::http::audit;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::Params;
use crate::http::state::Front;
use crate::io::store::audit::Act;

/// Messages of one night that are told at most.
const MOST: u32 = 500;

/// Which night.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The morning on which it ended: `2026-03-07`. Left out: the last one, or the one that it is.
    date: Option<String>,
}

/// A night in sentences.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Morning {
    date: String,
    from: UtcMs,
    until: UtcMs,
    lines: Vec<MorningLine>,
    /// About which somebody is being told now, whenever it was taken; only where no date was asked for.
    now: Vec<MorningLine>,
}

/// A message of the night.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MorningLine {
    /// When it was taken.
    at: UtcMs,
    message: MessageId,
    text: String,
    /// How its dispatch stands; null: it was not dispatched.
    state: Option<String>,
    needs_operator: bool,
}

/// What is under way, and what happened in the night, a sentence for each message.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/morning", tag = "portal", security(("bearer" = [])),
    params(("account" = crate::base::id::AccountId, Path), Which),
    responses((status = OK, body = Morning), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn show(
    State(front): State<Front>,
    client: PortalClient<needs::Messages>,
    Params(which): Params<Which>,
) -> Result<Json<Morning>, Problem> {
    let shown = Shown::of(&front, client.find_account(&front).await?).await?;
    let zone = shown.account.zone.clone();
    let malformed = || Problem::malformed("query.invalid", "`date` is a day: 2026-03-07.");
    let night = match which.date.as_deref() {
        None => Night::last(&zone, front.clock.utc()),
        Some(date) => Night::of(date.parse::<Date>().map_err(|_| malformed())?, &zone),
    };
    let night = night.ok_or_else(malformed)?;
    let taken = front.store.list_messages_taken(&client.account, night.from, night.until, MOST).await?;
    let under_way = match which.date {
        None => front.store.list_messages_under_way(&client.account, MOST).await?,
        Some(_) => Vec::new(),
    };
    let listed = taken.iter().chain(under_way.iter().filter(|id| !taken.contains(id)));
    audit::all(&front, &client.signed, Act::MessageListed, listed.map(ToString::to_string).collect()).await?;
    Ok(Json(Morning {
        date: night.date.to_string(),
        from: night.from,
        until: night.until,
        lines: lines(&front, &shown, taken).await?,
        now: lines(&front, &shown, under_way).await?,
    }))
}

async fn lines(front: &Front, shown: &Shown, messages: Vec<MessageId>) -> Result<Vec<MorningLine>, Problem> {
    let mut lines = Vec::with_capacity(messages.len());
    for id in messages {
        if let Some(message) = front.store.find_message(&id).await? {
            lines.push(line(front, shown, message).await?);
        }
    }
    Ok(lines)
}

async fn line(front: &Front, shown: &Shown, mut message: Message) -> Result<MorningLine, Problem> {
    let about = if shown.is_protected(&message) {
        let urgent = if message.urgency == Urgency::Urgent { "Urgent (protected)" } else { "A protected message" };
        urgent.to_owned()
    } else {
        message.answers = message.form.without_sensitive(message.answers);
        render::headline(&message)
    };
    let (mut entries, mut state) = (Vec::new(), None);
    if let Some(dispatch) = front.store.find_dispatch_of_message(&message.id).await? {
        state = front.store.find_dispatch(&dispatch).await?.map(|read| read.state);
        entries = front.store.list_dispatch_entries(&dispatch).await?;
    }
    let needs_operator = state.as_ref().is_some_and(|state| state.needs_operator());
    let phase = state.as_ref().map(|state| state.phase);
    let only_hands_over = state.as_ref().is_some_and(|state| state.only_hands_over());
    let taken_at = message.taken_at;
    let told = Told { taken_at, about: &about, phase, needs_operator, only_hands_over, entries: &entries };
    Ok(MorningLine {
        at: message.taken_at,
        text: sentence(&told, &shown.account.zone),
        state: phase.map(|phase| phase.name().to_owned()),
        needs_operator,
        message: message.id,
    })
}
