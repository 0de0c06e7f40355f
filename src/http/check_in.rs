//! Check-in: the messages that an account's people ask for, read out by an operator, and the PINs by which they hear them by
//! telephone. A PIN is taken and never given.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, ContactId, DispatchId};
use crate::engine::calls::Command;
use crate::engine::clients::PinOf;
use crate::engine::dispatcher::Decided;
use crate::engine::feed::UserRef;
use crate::io::store::audit::Act;
use crate::io::store::check_in::PinSet;

use super::audit;
use super::auth::{Operator, Signed, Supervisor};
use super::calls::act;
use super::dispatches::{is_another, words};
use super::editions::stale;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::messages::{MessagePage, Names};
use super::state::Front;

/// To whom a held message was read out, and which of its editions.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadBody {
    to: String,
    edition: u32,
}

/// A PIN, as it is chosen: 4 to 10 digits.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PinBody {
    pin: String,
}

/// That there is a PIN.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PinView {
    /// Whose it is; null: all of the account's people share it.
    contact: Option<ContactId>,
    set_by: UserRef,
    set_at: UtcMs,
}

/// The PINs of an account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PinList {
    items: Vec<PinView>,
}

/// How the caller gets into the check-in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendBody {
    /// Who they are: I vouch for it, and the record says so. Without, they are asked for their PIN.
    vouched: Option<ContactId>,
}

/// Sends the caller into the account's check-in, where they hear held messages. I am left with the form; with 0 the caller is
/// back at the head of the queue.
#[utoipa::path(post, path = "/api/v1/calls/{id}/check_in", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), request_body = SendBody,
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn send(
    State(front): State<Front>,
    by: Operator,
    Id(call): Id<CallId>,
    Body(body): Body<SendBody>,
) -> Result<StatusCode, Problem> {
    if let Some(vouched) = &body.vouched {
        // What is heard from here on is heard by my word.
        audit::did(&front, &by.0, Act::CheckInVouched, vouched).await?;
    }
    act(&front, call, by, Command::CheckIn { vouched: body.vouched }).await
}

/// The messages of an account that can be read at check-in, the one held longest first.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/held", tag = "messages", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, body = MessagePage), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn held(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(account): Id<AccountId>,
) -> Result<Json<MessagePage>, Problem> {
    front.store.find_account_edition(&account).await?.ok_or_else(|| Problem::not_found("account"))?;
    let held = front.dispatcher.list_held_views(&account).await?;
    let page = Names::of(&front).await?.page_of(&front, held).await?;
    audit::listed(&front, &signed, &page).await?;
    Ok(Json(page))
}

/// I have read a held message out, all of it. Refused if it was changed meanwhile: whoever heard it has not heard that.
#[utoipa::path(post, path = "/api/v1/dispatches/{id}/read", tag = "dispatches", security(("bearer" = [])),
    params(("id" = DispatchId, Path)), request_body = ReadBody,
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn read(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<DispatchId>,
    Body(body): Body<ReadBody>,
) -> Result<StatusCode, Problem> {
    let to = words("to", &body.to)?;
    // Before it is marked: what was read out aloud is on the log whatever comes of that.
    let held = front.store.find_message_of_dispatch(&id).await?.ok_or_else(|| Problem::not_found("dispatch"))?;
    audit::did(&front, &signed, Act::HeldRead, held).await?;
    match front.dispatcher.read_out(&id, &to, &signed.name, body.edition).await? {
        Decided::Changed => Ok(StatusCode::NO_CONTENT),
        Decided::Unchanged if is_another(&front, &id, body.edition).await? => Err(stale()),
        Decided::Unchanged => {
            Err(Problem::conflict("dispatch.not_held", "This message is not held for check-in, or no longer is."))
        }
        Decided::NotFound => Err(Problem::not_found("dispatch")),
    }
}

/// Who of an account has a PIN.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/pins", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, body = PinList), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn pins(
    State(front): State<Front>,
    _by: Supervisor,
    Id(account): Id<AccountId>,
) -> Result<Json<PinList>, Problem> {
    let pins = front.clients.list_pins(&account).await?;
    let users = front.store.list_users().await?;
    let name = |pin: &PinSet| users.iter().find(|u| u.id == pin.set_by).map_or_else(String::new, |u| u.name.clone());
    let view = |pin: PinSet| PinView {
        set_by: UserRef { name: name(&pin), id: pin.set_by },
        contact: pin.contact,
        set_at: pin.set_at,
    };
    Ok(Json(PinList { items: pins.into_iter().map(view).collect() }))
}

/// Gives an account a PIN that all of its people share, in place of any other.
#[utoipa::path(put, path = "/api/v1/accounts/{id}/pin", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = PinBody,
    responses((status = OK, body = PinView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn set_shared(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(account): Id<AccountId>,
    Body(body): Body<PinBody>,
) -> Result<Json<PinView>, Problem> {
    set(&front, &signed, PinOf::Account(account), &body).await
}

/// Takes away the PIN that all of an account's people share.
#[utoipa::path(delete, path = "/api/v1/accounts/{id}/pin", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn remove_shared(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(account): Id<AccountId>,
) -> Result<StatusCode, Problem> {
    remove(&front, &signed, PinOf::Account(account)).await
}

/// Gives a contact a PIN, in place of any other.
#[utoipa::path(put, path = "/api/v1/contacts/{id}/pin", tag = "accounts", security(("bearer" = [])),
    params(("id" = ContactId, Path)), request_body = PinBody,
    responses((status = OK, body = PinView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn set_own(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(contact): Id<ContactId>,
    Body(body): Body<PinBody>,
) -> Result<Json<PinView>, Problem> {
    set(&front, &signed, PinOf::Contact(contact), &body).await
}

/// Takes a contact's PIN away.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}/pin", tag = "accounts", security(("bearer" = [])),
    params(("id" = ContactId, Path)),
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn remove_own(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(contact): Id<ContactId>,
) -> Result<StatusCode, Problem> {
    remove(&front, &signed, PinOf::Contact(contact)).await
}

async fn set(front: &Front, signed: &Signed, of: PinOf, body: &PinBody) -> Result<Json<PinView>, Problem> {
    let set = front.clients.set_pin(&of, &body.pin, &signed.bearer.user).await?;
    tracing::info!(user = %signed.bearer.user, "a PIN was set");
    Ok(Json(PinView { contact: set.contact, set_by: signed.user(), set_at: set.set_at }))
}

async fn remove(front: &Front, signed: &Signed, of: PinOf) -> Result<StatusCode, Problem> {
    if !front.clients.remove_pin(&of, &signed.bearer.user).await? {
        return Err(Problem::not_found("PIN"));
    }
    tracing::info!(user = %signed.bearer.user, "a PIN was taken away");
    Ok(StatusCode::NO_CONTENT)
}
