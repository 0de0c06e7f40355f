//! What became of a call's patches: who was rung, who was put through, and for how many minutes.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::base::clock::UtcMs;
use crate::base::id::CallId;
use crate::base::phone::PhoneNumber;
use crate::domain::call::cause::Cause;
use crate::domain::call::event::RecordEvent;
use crate::domain::call::patch_report::{PatchLine, PatchOutcome, read};
use crate::engine::feed::ContactRef;
use crate::io::store::calls::CallEventRecord;

use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::Id;
use super::state::Front;

/// The patches of a call, in order.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Patches {
    items: Vec<CallPatch>,
}

/// One number that was dialled for the caller.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CallPatch {
    contact: Option<ContactRef>,
    number: PhoneNumber,
    /// By the account's flow: no operator made it.
    automated: bool,
    /// Joined with the caller without having been told anything first: a cold patch, or a blind transfer.
    cold: bool,
    /// Why it was that contact, where the flow said so.
    why_them: Option<String>,
    dialled_at: UtcMs,
    answered_at: Option<UtcMs>,
    joined_at: Option<UtcMs>,
    outcome: PatchOutcome,
    /// Why it was not answered.
    why: Option<Cause>,
    /// How long caller and contact were joined, in seconds.
    secs: Option<u64>,
    /// How much of that without an operator.
    alone_secs: Option<u64>,
}

/// What became of a call's patches, with their minutes.
#[utoipa::path(get, path = "/api/v1/calls/{id}/patches", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)),
    responses((status = OK, body = Patches), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn list(State(front): State<Front>, _by: Operator, Id(call): Id<CallId>) -> Result<Json<Patches>, Problem> {
    front.store.find_call(&call).await?.ok_or_else(|| Problem::not_found("call"))?;
    let events = front.store.list_call_events(&call).await?;
    let mut items = Vec::new();
    for line in read(events.into_iter().filter_map(event)) {
        let contact = match &line.contact {
            Some(id) => front.store.find_contact(id).await?,
            None => None,
        };
        items.push(show(line, contact.map(|contact| ContactRef { id: contact.id, name: contact.name })));
    }
    Ok(Json(Patches { items }))
}

/// A line of the record as the machine wrote it; none if it is not the machine's.
fn event(record: CallEventRecord) -> Option<(UtcMs, RecordEvent)> {
    let mut body = record.body;
    body.as_object_mut()?.insert("kind".to_owned(), record.kind.into());
    serde_json::from_value(body).ok().map(|event| (record.at, event))
}

fn show(line: PatchLine, contact: Option<ContactRef>) -> CallPatch {
    CallPatch {
        contact,
        number: line.number,
        automated: line.automated,
        cold: line.cold,
        why_them: line.why_them,
        dialled_at: line.dialled_at,
        answered_at: line.answered_at,
        joined_at: line.joined_at,
        outcome: line.outcome,
        why: line.why,
        secs: line.ms.map(|ms| ms / 1_000),
        alone_secs: line.alone_ms.map(|ms| ms / 1_000),
    }
}
