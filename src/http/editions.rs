//! Messages that are changed: the next edition, what those before it were, and whether the dispatch goes out again.
//!
//! Whoever changes a message says which edition they have seen, and is refused if there is another. What was told before
//! stays as told; the dispatch's time line says who changed the message and when.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{CallTypeId, MessageId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, CallType, Urgency};
use crate::domain::dispatch::state::Phase;
use crate::domain::message::Message;
use crate::domain::message::edition::{Change, Difference, differences};
use crate::domain::message::form::{Answers, Form, visible};
use crate::domain::message::trigger::MAX_REASON_CHARS;
use crate::engine::dispatcher::to_its_end;
use crate::engine::feed::UserRef;
use crate::io::store::StoreError;
use crate::io::store::audit::{Act, Entry, Who};

use super::audit;
use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::messages::{CallTypeRef, MessageView, Names, show_one};
use super::state::Front;
use super::taking::{Taking, field};

/// A message as it should be.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct ChangeBody {
    /// The edition that was read before.
    edition: u32,
    /// Another call type; its form is the one that was filled in.
    call_type: Option<CallTypeId>,
    caller: Option<String>,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    answers: Answers,
    /// What was typed in fields that this form does not ask for. What the message said in another call type's form is taken
    /// along without being sent again; sent empty, it is left out. From a protected call type to one that is not, only what is
    /// sent goes along.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    also: Answers,
    /// Why its urgency is another than by the client's list, where it is.
    reason: Option<String>,
    /// Take answers as they are that are not written as the form asks: an urgent message does not wait for that.
    #[serde(default)]
    as_is: bool,
    /// Dispatch it again, from the first step.
    #[serde(default)]
    again: bool,
    /// Why it is not sent again, where it was delivered: required then.
    unsent: Option<String>,
}

/// Every edition of a message, oldest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Editions {
    items: Vec<EditionView>,
}

/// A message as it was. Sensitive answers are left out.
#[derive(Serialize, utoipa::ToSchema)]
pub struct EditionView {
    edition: u32,
    /// Who took it, or changed it to this. Nobody: a caller spoke it.
    by: Option<UserRef>,
    at: UtcMs,
    /// Why this edition was not sent again, where the one before was delivered.
    unsent: Option<String>,
    call_type: CallTypeRef,
    urgency: Urgency,
    caller: Option<PhoneNumber>,
    form: Form,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    answers: Answers,
    /// What is another than in the edition before.
    differences: Vec<Difference>,
}

/// Every edition of a message, with what each changed.
#[utoipa::path(get, path = "/api/v1/messages/{id}/editions", tag = "messages", security(("bearer" = [])),
    params(("id" = MessageId, Path)),
    responses((status = OK, body = Editions), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<MessageId>,
) -> Result<Json<Editions>, Problem> {
    let message = front.store.find_message(&id).await?.ok_or_else(|| Problem::not_found("message"))?;
    let mut all = front.store.list_earlier_editions(&id).await?;
    all.push(message);
    let names = Names::of(&front).await?;
    let mut items: Vec<EditionView> = Vec::with_capacity(all.len());
    for (at, message) in all.iter().enumerate() {
        let call_type = names.call_type(&front, message).await?;
        let mut changed = match at.checked_sub(1).and_then(|before| all.get(before)) {
            Some(before) => differences(before, message),
            None => Vec::new(),
        };
        if let Some(before) = items.last().filter(|before| before.call_type.id != message.call_type) {
            let (before, after) = (Some(before.call_type.name.clone()), Some(call_type.clone()));
            changed.insert(0, Difference { label: "Call type".into(), before, after });
        }
        let made = message.changed.clone();
        items.push(EditionView {
            edition: message.edition,
            by: made.as_ref().map(|change| &change.by).or(message.taken_by.as_ref()).map(|by| names.user(by)),
            at: made.as_ref().map_or(message.taken_at, |change| change.at),
            unsent: made.and_then(|change| change.unsent),
            call_type: CallTypeRef { id: message.call_type.clone(), name: call_type },
            urgency: message.urgency,
            caller: message.caller.clone(),
            form: message.form.clone(),
            answers: message.form.without_sensitive(message.answers.clone()),
            differences: changed,
        });
    }
    audit::reads(&front, &signed, Act::MessageEditionsRead, &id).await?;
    Ok(Json(Editions { items }))
}

/// Changes a message: its next edition. With `again` its dispatch begins anew; without, what goes out from now on says it
/// as it is, and what is done stays done.
#[utoipa::path(put, path = "/api/v1/messages/{id}", tag = "messages", security(("bearer" = [])),
    params(("id" = MessageId, Path)), request_body = ChangeBody,
    responses((status = OK, body = MessageView), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn change(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<MessageId>,
    Body(body): Body<ChangeBody>,
) -> Result<Json<MessageView>, Problem> {
    let before = front.store.find_message(&id).await?.ok_or_else(|| Problem::not_found("message"))?;
    if front.store.is_withdrawn(&id).await? {
        return Err(Problem::conflict("message.not_now", "This message was taken back: its form is a draft again."));
    }
    if before.edition != body.edition {
        return Err(stale());
    }
    let account = front.store.find_account(&before.account).await?.ok_or_else(Problem::fault)?;
    let (call_type, form) = pick_type(&front, &account, &before, body.call_type.as_ref()).await?;
    let taking = Taking {
        account: &account,
        call_type: &call_type,
        form: &form,
        caller: body.caller.as_deref(),
        answers: &body.answers,
        also: &body.also,
        reason: body.reason.as_deref(),
        asked_at: before.asked_at(),
        as_is: body.as_is,
        before: Some(&before),
    };
    let taken = taking.check(&front).await?;
    let now = front.clock.utc();
    let mut tx = front.store.write().await?;
    // The dispatch first, so that it is not delivered between this look and the change.
    let delivered = match tx.find_dispatch_of_message(&id).await? {
        Some(dispatch) => {
            let over = |phase: Phase| !phase.is_open() && phase != Phase::Cancelled;
            tx.lock_dispatch(&dispatch).await?.is_some_and(|read| over(read.state.phase))
        }
        None => false,
    };
    let goes_out = body.again && call_type.protocol.is_some();
    let unsent = match why_unsent(body.unsent.as_deref(), delivered && !goes_out) {
        Ok(unsent) => unsent,
        Err(problem) => {
            tx.rollback().await?;
            return Err(problem);
        }
    };
    let after = Message {
        call_type: call_type.id.clone(),
        urgency: call_type.urgency,
        caller: taken.caller,
        form: taken.form,
        answers: taken.answers,
        edition: before.edition + 1,
        changed: Some(Change { by: signed.bearer.user.clone(), at: now, unsent }),
        graded: taken.graded,
        ..before.clone()
    };
    let same = before.call_type == after.call_type && before.graded == after.graded;
    if same && !body.again && differences(&before, &after).is_empty() {
        tx.rollback().await?;
        return Err(Problem::conflict("message.unchanged", "Nothing in the message is another than it was."));
    }
    if !tx.change_message(&after).await? {
        tx.rollback().await?;
        return Err(stale());
    }
    let follows = front.dispatcher.change(&mut tx, &after, &account, &signed.name, body.again).await?;
    let by = Who::User(signed.bearer.user.clone());
    tx.audit(Entry::new(now, by, Act::MessageChanged, id.to_string()));
    // What was told before may be ringing somebody now: once it is another message, that ends whoever waits for the answer.
    let dispatcher = front.dispatcher.clone();
    to_its_end(async move {
        tx.commit("change_message").await?;
        dispatcher.follow_change(follows).await;
        Ok::<_, StoreError>(())
    })
    .await?;
    tracing::info!(message = %id, user = %signed.bearer.user, again = body.again, "message changed");
    show_one(&front, &id).await.map(Json)
}

/// Why a message that was delivered is not sent again, as it is kept; nothing where that does not have to be said.
fn why_unsent(said: Option<&str>, must_say: bool) -> Result<Option<String>, Problem> {
    if !must_say {
        return Ok(None);
    }
    let said = said.map(|said| visible(said, false).trim().to_owned()).filter(|said| !said.is_empty());
    let refuse = |code, message: &str| {
        Problem::invalid("message.invalid", "The change is not complete.", vec![field("unsent", code, message)])
    };
    match said {
        None => Err(refuse("required", "It was delivered, with other words: say why it is not sent again.")),
        Some(said) if said.chars().count() > MAX_REASON_CHARS => {
            Err(refuse("too_long", "Too long: 500 characters at most."))
        }
        said => Ok(said),
    }
}

/// The call type that the message will be of, and the form that was filled in: its own as long as the type stays.
async fn pick_type(
    front: &Front,
    account: &Account,
    before: &Message,
    wanted: Option<&CallTypeId>,
) -> Result<(CallType, Form), Problem> {
    let id = wanted.unwrap_or(&before.call_type);
    let current = account.call_types.iter().find(|t| t.id == *id).cloned();
    if *id == before.call_type {
        let retired = front.store.find_call_type(id).await?.map(|(_, call_type)| call_type);
        return Ok((current.or(retired).ok_or_else(Problem::fault)?, before.form.clone()));
    }
    let call_type = current.ok_or_else(|| {
        let message = "The account has no such call type.";
        Problem::invalid("message.invalid", message, vec![field("call_type", "unknown", message)])
    })?;
    let form = call_type.form.clone();
    Ok((call_type, form))
}

pub(super) fn stale() -> Problem {
    Problem::conflict("message.stale", "Somebody else has changed this message meanwhile: read it again.")
}
