//! Messages: saved together with their dispatch and their draft in one transaction, listed, taken back.
//!
//! Saving is idempotent under its `Idempotency-Key`: a console that did not see the answer sends it again and
//! gets the message that the first one made.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, CallTypeId, DraftId, MessageId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, CallType, Urgency};
use crate::domain::call::abandoned::LATELY_MS;
use crate::domain::message::Message;
use crate::domain::message::form::{Answers, Form};
use crate::domain::message::trigger::{Graded, Grading};
use crate::engine::dispatcher::Decided;
use crate::engine::feed::{AccountRef, DispatchView, UserRef};
use crate::io::store::audit::Act;
use crate::io::store::calls::CallEventRecord;
use crate::io::store::drafts::Draft;
use crate::io::store::idempotency::Remembered;
use crate::io::store::messages::MessageFilter;
use crate::io::store::{StoreError, Tx};

use super::audit::{listed, reads};
use super::auth::{Operator, Signed};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id, IdempotencyKey, Params};
use super::state::{Front, board};
use super::taking::{Taking, field};

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;

/// What was taken from a caller.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageBody {
    account: AccountId,
    call_type: CallTypeId,
    call: Option<CallId>,
    /// The draft it was; gone once the message is saved, back if it is taken back.
    draft: Option<DraftId>,
    caller: Option<String>,
    /// When its form was begun: what is asked at some hours alone is asked by this clock, however long the talk lasts. Not
    /// before its call. Left out: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun_at: Option<UtcMs>,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    answers: Answers,
    /// What was typed in fields that this form does not ask for, before the call type or the account was changed: it is looked
    /// through for the client's list and stands in the message like the answers. None of it is sensitive.
    #[serde(default, skip_serializing_if = "Answers::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    also: Answers,
    /// Why its urgency is another than by the client's list, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Take answers as they are that are not written as the form asks: an urgent message does not wait for that. Of one that is
    /// not urgent it changes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    as_is: bool,
}

/// A message with how far it has got.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MessageView {
    id: MessageId,
    account: AccountRef,
    call_type: CallTypeRef,
    call: Option<CallId>,
    caller: Option<PhoneNumber>,
    urgency: Urgency,
    taken_by: Option<UserRef>,
    taken_at: UtcMs,
    /// When its form was begun, by which clock it is decided what was asked.
    begun_at: UtcMs,
    form: Form,
    /// Sensitive ones are with a single message alone, not in lists.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    answers: Answers,
    /// The fields whose answers are not written as the form asks: it was urgent, and they were taken as they are.
    not_as_asked: Vec<String>,
    /// Counted from 1; each change makes the next.
    edition: u32,
    /// Who changed it last, and when.
    changed: Option<ChangeView>,
    /// Urgency otherwise than by the client's list, and why.
    graded: Option<Graded>,
    dispatch: Option<DispatchView>,
}

/// A change by name.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ChangeView {
    by: UserRef,
    at: UtcMs,
    /// It was changed after it was delivered and not sent again, and why: who was told has other words than these.
    #[serde(skip_serializing_if = "Option::is_none")]
    unsent: Option<String>,
}

/// A call type by name.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct CallTypeRef {
    pub id: CallTypeId,
    pub name: String,
}

/// Messages, newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MessagePage {
    items: Vec<MessageView>,
    /// Send it as `cursor` for those that follow; null at the end.
    next: Option<MessageId>,
}

impl MessagePage {
    /// The messages alone.
    pub fn into_items(self) -> Vec<MessageView> {
        self.items
    }

    /// Which they are.
    pub fn ids(&self) -> impl Iterator<Item = &MessageId> {
        self.items.iter().map(|message| &message.id)
    }
}

/// Which messages.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    #[param(value_type = Option<String>)]
    account: Option<AccountId>,
    /// 1: only those whose dispatch is open.
    open: Option<u8>,
    /// `lowered`: on the client's list and not taken as urgent; `raised`: the other way round.
    #[param(inline)]
    graded: Option<Grading>,
    #[param(value_type = Option<String>)]
    cursor: Option<MessageId>,
    limit: Option<u32>,
}

/// How many of a list, kept within bounds.
pub fn pick_limit(wanted: Option<u32>) -> u32 {
    wanted.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)
}

/// Names of accounts, call types and users, for showing messages.
pub struct Names {
    accounts: HashMap<AccountId, Account>,
    users: HashMap<UserId, String>,
}

impl Names {
    /// As they are now.
    pub async fn of(front: &Front) -> Result<Self, Problem> {
        let accounts = front.store.list_accounts().await?.into_iter().map(|a| (a.id.clone(), a)).collect();
        let users = front.store.list_users().await?.into_iter().map(|u| (u.id, u.name)).collect();
        Ok(Self { accounts, users })
    }

    /// `messages` as a page.
    pub async fn page(
        &self,
        front: &Front,
        messages: Vec<Message>,
        next: Option<MessageId>,
    ) -> Result<MessagePage, Problem> {
        let mut items = Vec::with_capacity(messages.len());
        for mut message in messages {
            message.answers = message.form.without_sensitive(message.answers);
            let dispatch = front.dispatcher.find_view_of_message(&message.id).await?;
            items.push(self.view(front, message, dispatch).await?);
        }
        Ok(MessagePage { items, next })
    }

    /// The messages of these dispatches.
    pub async fn page_of(&self, front: &Front, dispatches: Vec<DispatchView>) -> Result<MessagePage, Problem> {
        let mut items = Vec::with_capacity(dispatches.len());
        for dispatch in dispatches {
            if let Some(mut message) = front.store.find_message(&dispatch.message).await? {
                message.answers = message.form.without_sensitive(message.answers);
                items.push(self.view(front, message, Some(dispatch)).await?);
            }
        }
        Ok(MessagePage { items, next: None })
    }

    /// Somebody by name.
    pub fn user(&self, id: &UserId) -> UserRef {
        UserRef { name: self.users.get(id).cloned().unwrap_or_default(), id: id.clone() }
    }

    /// What a message's call type is called.
    pub async fn call_type(&self, front: &Front, message: &Message) -> Result<String, Problem> {
        let account = self.accounts.get(&message.account).ok_or_else(Problem::fault)?;
        Ok(match account.call_types.iter().find(|t| t.id == message.call_type) {
            Some(call_type) => call_type.name.clone(),
            // Retired since.
            None => front.store.find_call_type(&message.call_type).await?.map_or_else(String::new, |(_, t)| t.name),
        })
    }

    async fn view(
        &self,
        front: &Front,
        message: Message,
        dispatch: Option<DispatchView>,
    ) -> Result<MessageView, Problem> {
        let account = self.accounts.get(&message.account).ok_or_else(Problem::fault)?;
        let call_type = self.call_type(front, &message).await?;
        let taken_by = message.taken_by.as_ref().map(|by| self.user(by));
        let changed =
            message.changed.as_ref().map(|c| ChangeView { by: self.user(&c.by), at: c.at, unsent: c.unsent.clone() });
        Ok(show_as(message, account, call_type, taken_by, changed, dispatch))
    }
}

fn show_as(
    message: Message,
    account: &Account,
    call_type: String,
    taken_by: Option<UserRef>,
    changed: Option<ChangeView>,
    dispatch: Option<DispatchView>,
) -> MessageView {
    let begun_at = message.asked_at();
    let not_as_asked =
        message.form.not_as_asked(&message.answers).into_iter().map(|field| field.name.clone()).collect();
    MessageView {
        id: message.id,
        account: AccountRef::from(account),
        call_type: CallTypeRef { id: message.call_type, name: call_type },
        call: message.call,
        caller: message.caller,
        urgency: message.urgency,
        taken_by,
        begun_at,
        taken_at: message.taken_at,
        form: message.form,
        answers: message.answers,
        not_as_asked,
        edition: message.edition,
        changed,
        graded: message.graded,
        dispatch,
    }
}

pub(super) async fn show_one(front: &Front, id: &MessageId) -> Result<MessageView, Problem> {
    let message = front.store.find_message(id).await?.ok_or_else(|| Problem::not_found("message"))?;
    let dispatch = front.dispatcher.find_view_of_message(id).await?;
    Names::of(front).await?.view(front, message, dispatch).await
}

/// Messages, newest first.
#[utoipa::path(get, path = "/api/v1/messages", tag = "messages", security(("bearer" = [])), params(Which),
    responses((status = OK, body = MessagePage), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    Operator(signed): Operator,
    Params(which): Params<Which>,
) -> Result<Json<MessagePage>, Problem> {
    let page = find_page(&front, which).await?;
    listed(&front, &signed, &page).await?;
    Ok(Json(page))
}

async fn find_page(front: &Front, which: Which) -> Result<MessagePage, Problem> {
    let limit = pick_limit(which.limit);
    let names = Names::of(front).await?;
    if which.open == Some(1) {
        let open = front.dispatcher.list_open_views().await?.into_iter();
        let mut open: Vec<_> = open.filter(|d| which.account.as_ref().is_none_or(|a| *a == d.account.id)).collect();
        open.sort_by(|a, b| b.message.cmp(&a.message));
        open.retain(|d| which.cursor.as_ref().is_none_or(|cursor| d.message < *cursor));
        let more = open.len() > limit as usize;
        open.truncate(limit as usize);
        let next = open.last().filter(|_| more).map(|d| d.message.clone());
        return Ok(MessagePage { next, ..names.page_of(front, open).await? });
    }
    let filter = MessageFilter { account: which.account, graded: which.graded, ..MessageFilter::default() };
    let mut found = front.store.list_messages(&filter, which.cursor.as_ref(), limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|m| m.id.clone());
    names.page(front, found, next).await
}

/// A message with the time line of its dispatch.
#[utoipa::path(get, path = "/api/v1/messages/{id}", tag = "messages", security(("bearer" = [])),
    params(("id" = MessageId, Path)),
    responses((status = OK, body = MessageView), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn show(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<MessageId>,
) -> Result<Json<MessageView>, Problem> {
    let message = show_one(&front, &id).await?;
    reads(&front, &signed, Act::MessageRead, &id).await?;
    Ok(Json(message))
}

/// Saves a message; its dispatch opens, its draft is settled, all or nothing.
#[utoipa::path(post, path = "/api/v1/messages", tag = "messages", security(("bearer" = [])),
    request_body = MessageBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, it is saved once.")),
    responses((status = CREATED, body = MessageView), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn save(
    State(front): State<Front>,
    Operator(signed): Operator,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<MessageBody>,
) -> Result<Response, Problem> {
    let fingerprint = fingerprint(&front, &body);
    let scope = format!("messages {}", signed.bearer.user);
    let now = front.clock.utc();
    if let Some(key) = &key
        && let Some(made) = front.store.find_remembered(&scope, key, now).await?
    {
        return replay(&front, &made, &fingerprint).await;
    }
    let account = front.store.find_account(&body.account).await?;
    let account = account.ok_or_else(|| unknown("account", "There is no such account."))?;
    let call_type = account.call_types.iter().find(|t| t.id == body.call_type);
    let call_type = call_type.ok_or_else(|| unknown("call_type", "The account has no such call type."))?;
    let call_began = check_call(&front, &body, &signed).await?;
    let begun_at = body.begun_at.map(|begun_at| bounded(begun_at, call_began, now));
    let message = check(&front, &body, &account, call_type, &signed, (begun_at, now)).await?;
    let mut tx = front.store.write().await?;
    if let Some(key) = &key {
        // Again, now that we are the one writer: the same request may have come twice at once.
        if let Some(made) = tx.find_remembered(&scope, key, now).await? {
            tx.rollback().await?;
            return replay(&front, &made, &fingerprint).await;
        }
        let made = Remembered { fingerprint: fingerprint.clone(), response: message.id.to_string() };
        match tx.remember(&scope, key, &made, now).await {
            // With several writers the same request may have got there between the look and here.
            Err(StoreError::Conflict { .. }) => {
                tx.rollback().await?;
                let made = front.store.find_remembered(&scope, key, now).await?;
                return replay(&front, &made.ok_or_else(Problem::fault)?, &fingerprint).await;
            }
            other => other?,
        }
    }
    tx.insert_message(&message).await?;
    settle(&mut tx, &body, &message, &signed, now).await?;
    front.dispatcher.open(&mut tx, &message, &account).await?;
    tx.commit("save").await?;
    front.dispatcher.wake();
    metrics::counter!("cordboard_messages_saved_total").increment(1);
    tracing::info!(message = %message.id, account = %message.account, "message saved");
    // It is saved, and must not look as if it were not: what cannot be read now is left out.
    let dispatch = front.dispatcher.find_view_of_message(&message.id).await.unwrap_or_else(|error| {
        tracing::error!(message = %message.id, code = error.code(), %error, "a new dispatch cannot be shown");
        None
    });
    let view = show_as(message, &account, call_type.name.clone(), Some(signed.user()), None, dispatch);
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// When a form was begun, as far as that can be: with its call at the earliest, and not in time to come.
fn bounded(begun_at: UtcMs, call_began: Option<UtcMs>, now: UtcMs) -> UtcMs {
    let earliest = call_began.unwrap_or_else(|| now.plus_ms(-LATELY_MS)).min(now);
    begun_at.clamp(earliest, now)
}

/// Refuses a call that is another account's or nobody's: what becomes of a call decides over its dispatches. A call that
/// turned out to be for another account is both accounts' when it is over, and while it goes on the one's that it is for now:
/// a form of the other is one that its operator has overlooked. When it began.
async fn check_call(front: &Front, body: &MessageBody, signed: &Signed) -> Result<Option<UtcMs>, Problem> {
    let Some(call) = &body.call else { return Ok(None) };
    // Its record is written behind it, so the call may be live and not on record yet, or not as what it is now.
    let live = board(front, signed.user()).await?.calls;
    if let Some(live) = live.iter().find(|live| live.id == *call) {
        if live.account.id != body.account {
            return Err(unknown("call", "The call is for another account now."));
        }
        return Ok(Some(live.started_at));
    }
    let record = front.store.find_call(call).await?;
    if let Some(record) = record.as_ref().filter(|record| record.account == body.account) {
        return Ok(Some(record.started_at));
    }
    let events = front.store.list_call_events(call).await?;
    let became = |event: &CallEventRecord| {
        event.kind == "account_changed" && event.body.get("to").and_then(Value::as_str) == Some(body.account.as_str())
    };
    if events.iter().any(became) {
        Ok(record.map(|record| record.started_at))
    } else {
        Err(unknown("call", "The account has no such call."))
    }
}

/// The draft as it was typed, but for what is sensitive, hidden under the message, so that taking the message back
/// brings it back.
async fn settle(
    tx: &mut Tx,
    body: &MessageBody,
    message: &Message,
    signed: &Signed,
    now: UtcMs,
) -> Result<(), Problem> {
    let id = body.draft.clone().unwrap_or_else(|| DraftId::fresh(now));
    // What was kept out of the message stays with its form. One that cannot be read keeps no message from being saved.
    let before = tx.find_draft(&id).await.ok().flatten().filter(|before| before.owner == signed.bearer.user);
    let (apart, left) = before.map(|before| (before.apart, before.answers)).unwrap_or_default();
    let kept = left.iter().filter(|(name, _)| apart.contains_key(*name));
    let sent = body.answers.iter().chain(&body.also);
    let typed = kept.chain(sent).map(|(name, answer)| (name.clone(), answer.clone())).collect();
    let draft = Draft {
        id: id.clone(),
        owner: signed.bearer.user.clone(),
        account: body.account.clone(),
        call_type: Some(body.call_type.clone()),
        call: body.call.clone(),
        caller: message.caller.clone(),
        answers: message.form.without_sensitive(typed),
        apart,
        cursor: None,
        begun_at: message.begun_at,
        saved_at: now,
    };
    let taken = || Problem::conflict("draft.settled", "This form was saved already, or is somebody else's.");
    match tx.upsert_draft(&draft).await {
        Err(StoreError::Missing { .. }) => return Err(taken()),
        other => other?,
    }
    if tx.settle_draft(&id, &signed.bearer.user, &message.id).await? { Ok(()) } else { Err(taken()) }
}

/// The message that `body` makes, or all that is wrong with it.
async fn check(
    front: &Front,
    body: &MessageBody,
    account: &Account,
    call_type: &CallType,
    signed: &Signed,
    (begun_at, now): (Option<UtcMs>, UtcMs),
) -> Result<Message, Problem> {
    let taking = Taking {
        account,
        call_type,
        form: &call_type.form,
        caller: body.caller.as_deref(),
        answers: &body.answers,
        also: &body.also,
        reason: body.reason.as_deref(),
        asked_at: begun_at.unwrap_or(now),
        as_is: body.as_is,
        before: None,
    };
    let taken = taking.check(front).await?;
    Ok(Message {
        id: MessageId::fresh(now),
        account: body.account.clone(),
        call_type: call_type.id.clone(),
        call: body.call.clone(),
        caller: taken.caller,
        urgency: call_type.urgency,
        taken_by: Some(signed.bearer.user.clone()),
        taken_at: now,
        begun_at,
        form: taken.form,
        answers: taken.answers,
        edition: 1,
        changed: None,
        graded: taken.graded,
    })
}

/// What an earlier request with the same key made.
async fn replay(front: &Front, made: &Remembered, fingerprint: &str) -> Result<Response, Problem> {
    if made.fingerprint != fingerprint {
        let detail = "This Idempotency-Key was used for another message.";
        return Err(Problem::invalid("idempotency.reused", detail, Vec::new()));
    }
    let id = made.response.parse().map_err(|_| Problem::fault())?;
    let mut response = (StatusCode::CREATED, Json(show_one(front, &id).await?)).into_response();
    let replayed = HeaderName::from_static("idempotency-replayed");
    response.headers_mut().insert(replayed, HeaderValue::from_static("true"));
    Ok(response)
}

/// Keyed, for it stands in the database and what it is of may hold a card number.
fn fingerprint(front: &Front, body: &MessageBody) -> String {
    // Answers are sorted by name, so equal bodies have equal texts.
    let text = serde_json::to_string(body).expect("a body read from JSON is JSON again");
    front.store.house_seal().index("request", &text)
}

fn unknown(name: &'static str, message: &'static str) -> Problem {
    Problem::invalid("message.invalid", message, vec![field(name, "unknown", message)])
}

/// Takes a message back while that is possible; its draft is there again.
#[utoipa::path(post, path = "/api/v1/messages/{id}/undo", tag = "messages", security(("bearer" = [])),
    params(("id" = MessageId, Path)),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn undo(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<MessageId>,
) -> Result<StatusCode, Problem> {
    let message = front.store.find_message(&id).await?.ok_or_else(|| Problem::not_found("message"))?;
    let undone = match front.dispatcher.undo(&id, &signed.name).await? {
        Decided::Changed => true,
        Decided::Unchanged => false,
        // It had no protocol: nothing has gone anywhere.
        Decided::NotFound => withdraw(&front, &message).await?,
    };
    // Asked again because the answer was lost: what was wanted is so.
    if undone || front.store.is_withdrawn(&id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::conflict("message.not_now", "It is too late to take this message back."))
    }
}

async fn withdraw(front: &Front, message: &Message) -> Result<bool, Problem> {
    let account = front.store.find_account(&message.account).await?.ok_or_else(Problem::fault)?;
    let now = front.clock.utc();
    if now >= message.taken_at.plus_secs(account.undo_secs.into()) {
        return Ok(false);
    }
    let mut tx = front.store.write().await?;
    let there = tx.withdraw_message(&message.id, now).await?;
    tx.restore_draft(&message.id).await?;
    tx.commit("withdraw").await?;
    Ok(there)
}
