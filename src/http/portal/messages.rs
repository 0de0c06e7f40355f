//! A client's messages, listed and searched. Of a protected one a list says only that it is there: it is opened by itself
//! ([`super::message`]). Whatever is shown is on the audit log first.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::guard::{PortalClient, needs};
use crate::base::clock::UtcMs;
use crate::base::id::{CallTypeId, MessageId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, Urgency};
use crate::domain::message::{Message, render};
use crate::engine::feed::{DispatchView, LineView};
use crate::http::audit;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::Params;
use crate::http::messages::{CallTypeRef, pick_limit};
use crate::http::state::Front;
use crate::io::store::audit::Act;
use crate::io::store::messages::MessageFilter;

/// Messages that one search looks through at most; the next page goes on from there.
const MOST_LOOKED_THROUGH: usize = 2_000;
/// Read from the store at once in a search.
const BATCH: u32 = 200;
const MAX_WORDS: usize = 10;

/// A message as lists have it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalMessage {
    pub id: MessageId,
    pub call_type: CallTypeRef,
    pub urgency: Urgency,
    pub taken_at: UtcMs,
    /// By name; nobody: the caller spoke it.
    pub taken_by: Option<String>,
    /// It is opened by itself: lists have neither caller nor headline.
    pub protected: bool,
    pub caller: Option<PhoneNumber>,
    pub headline: Option<String>,
    pub changed_at: Option<UtcMs>,
    pub dispatch: Option<PortalDispatch>,
    /// It came by a call whose recording I may hear, if there is one.
    pub recorded: bool,
}

/// What became of it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalDispatch {
    /// `running`, `confirmed`, …
    pub state: String,
    /// The same for people: "Confirmed by Ben Ortiz".
    pub words: String,
    pub confirmed_by: Option<String>,
    pub closed_at: Option<UtcMs>,
    pub needs_operator: bool,
}

/// Messages, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalMessages {
    items: Vec<PortalMessage>,
    /// Send it as `cursor` for those that follow; null at the end. A search may find nothing on a page and still go on.
    next: Option<MessageId>,
}

/// Which messages; all that is given must hold.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// 1: only those whose dispatch is open.
    open: Option<u8>,
    #[param(inline)]
    urgency: Option<Urgency>,
    #[param(value_type = Option<String>)]
    call_type: Option<CallTypeId>,
    /// Only those from this number.
    caller: Option<String>,
    /// Words that all stand in it. Protected messages are not looked through.
    q: Option<String>,
    #[param(value_type = Option<i64>)]
    since: Option<UtcMs>,
    #[param(value_type = Option<i64>)]
    until: Option<UtcMs>,
    #[param(value_type = Option<String>)]
    cursor: Option<MessageId>,
    limit: Option<u32>,
}

/// Messages of my account, newest first.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/messages", tag = "portal", security(("bearer" = [])),
    params(("account" = crate::base::id::AccountId, Path), Which),
    responses((status = OK, body = PortalMessages), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    client: PortalClient<needs::Messages>,
    Params(which): Params<Which>,
) -> Result<Json<PortalMessages>, Problem> {
    let account = client.find_account(&front).await?;
    let caller = which.caller.as_deref().map(PhoneNumber::parse).transpose();
    let filter = MessageFilter {
        account: Some(account.id.clone()),
        caller: caller.map_err(|e| Problem::malformed("query.invalid", e.to_string()))?,
        taken_since: which.since,
        taken_until: which.until,
        call_type: which.call_type,
        urgency: which.urgency,
        open: which.open == Some(1),
        ..MessageFilter::default()
    };
    let limit = pick_limit(which.limit) as usize;
    let shown = Shown::of(&front, account).await?;
    let words = words_of(which.q.as_deref().unwrap_or_default());
    let (mut found, next) = find(&front, &shown, &filter, &words, which.cursor, limit).await?;
    // A protected message is not found by its number, as that would tell it.
    found.retain(|message| filter.caller.is_none() || !shown.is_protected(message));
    audit::all(&front, &client.signed, Act::MessageListed, found.iter().map(|m| m.id.to_string()).collect()).await?;
    let may_hear = client.rights.allow(crate::domain::portal::rights::Right::Recordings);
    let mut items = Vec::with_capacity(found.len());
    for message in found {
        let dispatch = front.dispatcher.find_view_of_message(&message.id).await?;
        items.push(shown.line(&message, dispatch.as_ref(), may_hear));
    }
    Ok(Json(PortalMessages { items, next }))
}

/// A page of messages in which these words stand, and where the next begins.
async fn find(
    front: &Front,
    shown: &Shown,
    filter: &MessageFilter,
    words: &[String],
    cursor: Option<MessageId>,
    limit: usize,
) -> Result<(Vec<Message>, Option<MessageId>), Problem> {
    let (mut cursor, mut looked, mut found) = (cursor, 0, Vec::new());
    let most = if words.is_empty() { u32::try_from(limit).unwrap_or(BATCH).saturating_add(1) } else { BATCH };
    loop {
        let batch = front.store.list_messages(filter, cursor.as_ref(), most).await?;
        let is_last = batch.len() < most as usize;
        looked += batch.len();
        for message in batch {
            if found.len() == limit {
                // There is one more at least.
                return Ok((found, cursor));
            }
            cursor = Some(message.id.clone());
            if words.is_empty() || (!shown.is_protected(&message) && has_words(&message, words)) {
                found.push(message);
            }
        }
        if is_last {
            return Ok((found, None));
        }
        if looked >= MOST_LOOKED_THROUGH || found.len() == limit {
            return Ok((found, cursor));
        }
    }
}

fn words_of(text: &str) -> Vec<String> {
    text.to_lowercase().split_whitespace().take(MAX_WORDS).map(str::to_owned).collect()
}

/// All of them stand in what of it may be looked through.
fn has_words(message: &Message, words: &[String]) -> bool {
    let answers = message.form.without_sensitive(message.answers.clone());
    let told = Message { answers, ..message.clone() };
    let mut text = String::new();
    for answer in render::written_answers(&told) {
        text.push_str(&answer.words.to_lowercase());
        text.push('\n');
    }
    words.iter().all(|word| text.contains(word.as_str()))
}

/// What messages are shown with: the account, and people by name.
pub(super) struct Shown {
    pub account: Account,
    users: HashMap<UserId, String>,
    /// Kinds of call that were retired, by name and whether they are protected.
    retired: HashMap<CallTypeId, (String, bool)>,
}

impl Shown {
    pub async fn of(front: &Front, account: Account) -> Result<Self, Problem> {
        let users = front.store.list_users().await?.into_iter().map(|u| (u.id, u.name)).collect();
        let mut retired = HashMap::new();
        for (id, name, protected) in front.store.list_retired_call_types(&account.id).await? {
            retired.insert(id, (name, protected));
        }
        Ok(Self { account, users, retired })
    }

    fn call_type(&self, message: &Message) -> (String, bool) {
        let known = self.account.call_types.iter().find(|t| t.id == message.call_type);
        let retired = || self.retired.get(&message.call_type).cloned();
        // Of a kind that nobody knows, nothing is told.
        known.map(|t| (t.name.clone(), t.protected)).or_else(retired).unwrap_or_else(|| (String::new(), true))
    }

    pub fn is_protected(&self, message: &Message) -> bool {
        self.call_type(message).1
    }

    pub fn line(&self, message: &Message, dispatch: Option<&DispatchView>, may_hear: bool) -> PortalMessage {
        let (name, protected) = self.call_type(message);
        let told = || Message { answers: message.form.without_sensitive(message.answers.clone()), ..message.clone() };
        PortalMessage {
            id: message.id.clone(),
            call_type: CallTypeRef { id: message.call_type.clone(), name },
            urgency: message.urgency,
            taken_at: message.taken_at,
            taken_by: message.taken_by.as_ref().map(|by| self.users.get(by).cloned().unwrap_or_default()),
            protected,
            caller: message.caller.clone().filter(|_| !protected),
            headline: (!protected).then(|| render::headline(&told())),
            changed_at: message.changed.as_ref().map(|change| change.at),
            dispatch: dispatch.map(in_words),
            recorded: may_hear && message.call.is_some(),
        }
    }
}

fn in_words(view: &DispatchView) -> PortalDispatch {
    let by = |what: &str| view.confirmed_by.as_ref().map_or_else(|| what.to_owned(), |by| format!("{what} by {by}"));
    let words = match view.state.as_str() {
        _ if view.not_handed_over && view.needs_operator => {
            "Could not be handed over: an operator sees to it".to_owned()
        }
        _ if view.not_handed_over => "Could not be handed over".to_owned(),
        _ if view.needs_operator => "An operator sees to it".to_owned(),
        "open" | "running" => view.next.as_ref().map_or_else(|| "Under way".to_owned(), |next| next.text.clone()),
        "held_for_check_in" => "Held until somebody checks in".to_owned(),
        "held_for_recap" => "Held for the recap".to_owned(),
        "recapped" => "In the recap".to_owned(),
        "read_at_check_in" => "Heard at check-in".to_owned(),
        "confirmed" => by("Confirmed"),
        "told" => by("Heard"),
        "patched" => {
            view.confirmed_by.as_ref().map_or_else(|| "Put through".to_owned(), |to| format!("Put through to {to}"))
        }
        "delivered" if has_arrived(&view.timeline) => "Delivered".to_owned(),
        "delivered" => "Sent, accepted for delivery".to_owned(),
        "exhausted_unconfirmed" => "Nobody has confirmed".to_owned(),
        "cancelled" => "Taken back".to_owned(),
        "closed_by_operator" => "Closed by an operator".to_owned(),
        other => other.replace('_', " "),
    };
    PortalDispatch {
        state: view.state.clone(),
        words,
        confirmed_by: view.confirmed_by.clone(),
        closed_at: view.closed_at,
        needs_operator: view.needs_operator,
    }
}

/// Whether a device has said of each person whom something was sent to that it is there, or they have read it. That a carrier has
/// accepted it says nothing of that.
fn has_arrived(timeline: &[LineView]) -> bool {
    let there = whose(timeline, &["delivered", "told"]);
    !there.is_empty() && whose(timeline, &["accepted"]).iter().all(|who| there.contains(who))
}

fn whose<'a>(timeline: &'a [LineView], kinds: &[&str]) -> Vec<Option<&'a str>> {
    let lines = timeline.iter().filter(|line| kinds.contains(&line.kind.as_str()));
    lines.map(|line| line.who.as_deref()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str, who: &str) -> LineView {
        LineView { at: UtcMs(0), kind: kind.into(), text: String::new(), who: Some(who.into()) }
    }

    #[test]
    fn what_one_device_has_and_another_only_may_have_has_not_arrived() {
        let (sent, also) = (line("accepted", "Ann"), line("accepted", "Ben"));
        assert!(!has_arrived(&[]));
        assert!(!has_arrived(&[line("attempt", "Ann"), sent.clone()]));
        let has = line("delivered", "Ann");
        assert!(has_arrived(&[sent.clone(), has.clone()]));
        assert!(!has_arrived(&[sent.clone(), also.clone(), has.clone()]));
        assert!(has_arrived(&[sent, also, has, line("told", "Ben")]));
        assert!(has_arrived(&[line("delivered", "office")]), "a system of theirs, which answers by itself");
    }
}
