//! An operator calls a person by hand for a dispatch, beside its steps: whom she can call, and the call, which is a job of hers
//! from the start. What came of it is said as of any other job (`jobs`).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::id::{ContactId, DestinationId, DispatchId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Contact;
use crate::domain::dispatch::by_hand::{HandCall, telephones};
use crate::domain::dispatch::event::OperatorAct;
use crate::engine::dispatcher::{Decided, to_its_end};
use crate::engine::feed::{ContactRef, UserRef};

use super::auth::Operator;
use super::dispatch_lock::locked;
use super::dispatch_seen::refused;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::{Front, NotNow};
use super::telephones::find_phone;

/// What is wrong with whom to call, or to text.
pub(super) const INVALID: &str = "dispatch.invalid";

/// Why nobody can be called for one that is open.
const IN_THE_WAY: &str = "Nobody can be called for it by hand now: it has not begun, somebody who rang back is being spoken \
    with, or a call is being made already.";

/// Whom to call, or to text.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ByHandBody {
    pub(super) contact: ContactId,
    pub(super) destination: DestinationId,
}

/// People of the account: who was asked last comes first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CallableList {
    items: Vec<Callable>,
}

/// A person who can be called.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Callable {
    contact: ContactRef,
    /// What they are to the client.
    title: String,
    /// The step that it is in has asked them.
    asked: bool,
    /// Their telephones: the one they were asked by first, the others as they are tried.
    telephones: Vec<Telephone>,
}

/// A telephone of theirs.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Telephone {
    id: DestinationId,
    label: String,
    number: PhoneNumber,
    /// They asked for no more texts there.
    blocked: bool,
}

/// Whom I can call, or have texted, by hand for this dispatch.
#[utoipa::path(get, path = "/api/v1/dispatches/{id}/call", tag = "dispatches", security(("bearer" = [])),
    params(("id" = DispatchId, Path)),
    responses((status = OK, body = CallableList), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn people(
    State(front): State<Front>,
    _by: Operator,
    Id(id): Id<DispatchId>,
) -> Result<Json<CallableList>, Problem> {
    let read = front.store.find_dispatch(&id).await?.ok_or_else(|| Problem::not_found("dispatch"))?;
    let asked = read.state.asked_last();
    let mut contacts = front.store.list_contacts(&read.state.account).await?;
    let place = |contact: &Contact| asked.iter().position(|(id, _)| *id == contact.id);
    contacts.sort_by_key(|contact| place(contact).unwrap_or(usize::MAX));
    let callable = |contact: Contact| {
        let by = asked.iter().find(|(id, _)| *id == contact.id).map(|(_, label)| label.as_str());
        let own = telephones(&contact, by).into_iter();
        let own = own.map(|(d, number)| Telephone {
            id: d.id.clone(),
            label: d.label.clone(),
            number: number.clone(),
            blocked: d.blocked,
        });
        let (asked, telephones) = (by.is_some(), own.collect());
        Callable { contact: ContactRef { id: contact.id, name: contact.name }, title: contact.title, asked, telephones }
    };
    let items = contacts.into_iter().map(callable).filter(|one| !one.telephones.is_empty()).collect();
    Ok(Json(CallableList { items }))
}

/// I call a person for this dispatch: my telephone rings, then theirs is dialled, and until I have said what came of it the lock is
/// mine. That is to be said at `/api/v1/jobs/{id}/outcome`; a yes confirms the dispatch.
#[utoipa::path(post, path = "/api/v1/dispatches/{id}/call", tag = "dispatches", security(("bearer" = [])),
    params(("id" = DispatchId, Path)), request_body = ByHandBody,
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn call(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<DispatchId>,
    Body(body): Body<ByHandBody>,
) -> Result<StatusCode, Problem> {
    let read = front.store.find_dispatch(&id).await?.ok_or_else(|| Problem::not_found("dispatch"))?;
    let found = find_phone(&front, INVALID, Some(&read.state.account), &body.contact, &body.destination).await?;
    let by = signed.user();
    if !read.state.may_be_called(&found.number) {
        return Err(not_now(&front, &id, &by.name, IN_THE_WAY).await?);
    }
    if let Err(NotNow(why)) = front.desk.may_dial(by.id.clone()).await {
        return Err(Problem::conflict("call.not_now", why));
    }
    let call = HandCall {
        by: by.id.clone(),
        contact: found.contact.id,
        name: found.contact.name,
        label: found.label,
        number: found.number,
        ring_secs: found.ring_secs,
    };
    // Whoever asks may go away: the lock is not to stay without a call.
    to_its_end(async move { call_now(&front, &id, &by, call).await }).await
}

async fn call_now(front: &Front, id: &DispatchId, by: &UserRef, call: HandCall) -> Result<StatusCode, Problem> {
    let locks = front.dispatcher.take_lock_for_call(id, by).await.map_err(|other| locked(&other))?;
    let decided = front.dispatcher.operator(id, &by.name, OperatorAct::Call(call)).await;
    if locks && !matches!(decided, Ok(Decided::Changed)) {
        front.dispatcher.release_lock(id, &by.id).await;
    }
    match decided? {
        Decided::Changed => Ok(StatusCode::NO_CONTENT),
        Decided::Unchanged => Err(not_now(front, id, &by.name, IN_THE_WAY).await?),
        Decided::NotFound => Err(Problem::not_found("dispatch")),
    }
}

/// Why nothing is done by hand: who has ended it, or what is in the way.
pub(super) async fn not_now(front: &Front, id: &DispatchId, by: &str, in_the_way: &str) -> Result<Problem, Problem> {
    let read = front.store.find_dispatch(id).await?;
    if read.is_some_and(|read| read.state.closed_at.is_none()) {
        return Ok(Problem::conflict("dispatch.not_now", in_the_way));
    }
    refused(front, id, by, None).await
}
