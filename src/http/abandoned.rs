//! Callers who hung up too early: the list, ringing one back, and having seen to one.

use std::collections::{BTreeSet, HashMap};

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, ContactId, DraftId};
use crate::base::phone::PhoneNumber;
use crate::domain::call::abandoned::{Abandoned, LATELY_MS};
use crate::domain::call::way::Way;
use crate::domain::ivr::digits::Entered;
use crate::engine::feed::{AccountRef, UserRef};
use crate::io::store::abandoned::AbandonedCall;
use crate::io::store::audit::Act;
use crate::io::store::callbacks::Callback;

use super::audit;
use super::auth::{Operator, Signed};
use super::callbacks::{TriesView, calls_up};
use super::error::{Problem, ProblemBody};
use super::extract::Id;
use super::messages::pick_limit;
use super::recall::{DraftView, Known};
use super::state::{Front, NotNow};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhichAbandoned {
    Any,
    Greeting,
    Menu,
    Voicemail,
    PutThrough,
    Queue,
    NoOperator,
    Hold,
    Parked,
    Form,
    CutOff,
}

impl WhichAbandoned {
    const fn kind(self) -> Option<Abandoned> {
        match self {
            Self::Any => None,
            Self::Greeting => Some(Abandoned::Greeting),
            Self::Menu => Some(Abandoned::Menu),
            Self::Voicemail => Some(Abandoned::Voicemail),
            Self::PutThrough => Some(Abandoned::PutThrough),
            Self::Queue => Some(Abandoned::Queue),
            Self::NoOperator => Some(Abandoned::NoOperator),
            Self::Hold => Some(Abandoned::Hold),
            Self::Parked => Some(Abandoned::Parked),
            Self::Form => Some(Abandoned::Form),
            Self::CutOff => Some(Abandoned::CutOff),
        }
    }
}

/// Which calls: live ones, unless others are asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CallFilter {
    /// Callers of the last seven days who hung up too early and whom nobody has seen to: `greeting`, `menu`, `voicemail`
    /// (nothing said), `put_through` (while the account's people were rung), `queue`, `no_operator` (told that nobody is free), `hold`,
    /// `parked`, `form` (begun and not finished), `cut_off` (by us), or `any`.
    #[param(inline)]
    pub abandoned: Option<WhichAbandoned>,
    #[param(value_type = Option<String>)]
    cursor: Option<CallId>,
    limit: Option<u32>,
}

/// Callers who hung up too early, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AbandonedPage {
    items: Vec<AbandonedView>,
    /// Send it as `cursor` for those that follow; null at the end.
    next: Option<CallId>,
}

/// A caller who hung up too early.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AbandonedView {
    call: CallId,
    account: AccountRef,
    did: Option<PhoneNumber>,
    caller: Option<PhoneNumber>,
    kind: Abandoned,
    started_at: UtcMs,
    ended_at: UtcMs,
    /// Who talked with them last.
    operator: Option<UserRef>,
    /// They are being rung back.
    ring_back: bool,
    /// How far that has come, if it was ever begun.
    tries: Option<TriesView>,
    draft: Option<DraftView>,
    /// What they entered in the menu.
    entered: Vec<Entered>,
    /// What they chose in it, in order.
    chosen: Vec<String>,
    /// Of the account's people who were rung for them by itself and did not take the call, in order.
    rung: Vec<String>,
    /// They hung up while that was under way.
    put_through: bool,
    /// Their calls to the account since its midnight.
    calls_today: u32,
    /// Messages taken from them before.
    earlier: u32,
}

/// Callers of the last seven days who hung up too early and whom nobody has seen to.
pub async fn page(
    front: &Front,
    signed: &Signed,
    which: WhichAbandoned,
    filter: CallFilter,
) -> Result<AbandonedPage, Problem> {
    let limit = pick_limit(filter.limit);
    let (now, up) = (front.clock.utc(), calls_up(front).await);
    let since = now.plus_ms(-LATELY_MS);
    let mut found = front.store.list_abandoned(since, which.kind(), filter.cursor.as_ref(), limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| last.call.clone());
    let accounts = front.store.list_accounts().await?;
    let users = front.store.list_users().await?;
    let name = |id| {
        let found = users.iter().find(|user| user.id == id);
        UserRef { name: found.map(|user| user.name.clone()).unwrap_or_default(), id }
    };
    let calls: Vec<CallId> = found.iter().map(|gone| gone.call.clone()).collect();
    let drafts: Vec<DraftId> = found.iter().filter_map(|gone| Some(gone.draft.as_ref()?.0.clone())).collect();
    let drafts = front.store.list_open_drafts(&drafts).await?;
    let others = drafts.iter().filter(|draft| draft.owner != signed.bearer.user).map(|draft| draft.id.to_string());
    audit::all(front, signed, Act::DraftRead, others.collect()).await?;
    let mut drafts: HashMap<_, _> = drafts.into_iter().map(|draft| (draft.id.clone(), draft)).collect();
    let entered = front.store.list_digits_of(&calls).await?;
    let shown: BTreeSet<String> = entered.iter().map(|(call, _)| call.to_string()).collect();
    audit::all(front, signed, Act::DigitsRead, shown.into_iter().collect()).await?;
    let callbacks = front.store.list_callbacks_of(&calls).await?.into_iter();
    let callbacks: HashMap<_, _> = callbacks.map(|callback| (callback.call.clone(), callback)).collect();
    let mut ways: HashMap<CallId, Way> = front.store.list_ways(&calls).await?.into_iter().collect();
    let were_rung_for = found.iter().filter(|gone| ways.get(&gone.call).is_some_and(|way| !way.rung.is_empty()));
    let theirs: BTreeSet<AccountId> = were_rung_for.map(|gone| gone.account.clone()).collect();
    let contacts = front.store.list_contacts_of(&theirs.into_iter().collect::<Vec<_>>()).await?;
    let (mut known, mut items) = (Known::default(), Vec::with_capacity(found.len()));
    for AbandonedCall { call, account, did, caller, on, started_at, ended_at, operator, draft } in found {
        let Some(account) = accounts.iter().find(|a| a.id == account) else { continue };
        let draft = draft.and_then(|(id, _)| drafts.remove(&id)).map(|draft| {
            let owner = name(draft.owner.clone());
            DraftView::new(draft, owner)
        });
        let (calls_today, earlier) = known.of(front, account, caller.as_ref()).await?;
        let callback = callbacks.get(&call);
        let entered = entered.iter().filter(|(of, _)| *of == call).map(|(_, entered)| entered.clone()).collect();
        let Way { chosen, rung, put_through, .. } = ways.remove(&call).unwrap_or_default();
        let called = |id: &ContactId| {
            let found = contacts.iter().find(|contact| contact.id == *id);
            found.map(|contact| contact.name.clone())
        };
        items.push(AbandonedView {
            call,
            account: AccountRef::from(account),
            did,
            caller,
            kind: on,
            started_at,
            ended_at,
            operator: operator.map(name),
            ring_back: callback.is_some_and(|callback| callback.end.is_none()),
            tries: callback.map(|callback| TriesView::of(callback, now, &up)),
            draft,
            entered,
            chosen,
            rung: rung.iter().filter_map(called).collect(),
            put_through,
            calls_today,
            earlier,
        });
    }
    Ok(AbandonedPage { items, next })
}

/// Rings the caller of a call back who hung up too early: my phone first, then theirs. If my seat is not free, the caller
/// waits in the queue for an operator. One who was rung in vain and is to be rung later is rung now.
#[utoipa::path(post, path = "/api/v1/calls/{id}/ring_back", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)),
    responses((status = ACCEPTED), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn ring_back(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<CallId>,
) -> Result<StatusCode, Problem> {
    let call = front.store.find_call(&id).await?.ok_or_else(|| Problem::not_found("call"))?;
    let refuse = |why: &str| Problem::conflict("call.not_now", why);
    let ended = call.end.as_ref().ok_or_else(|| refuse("The call is not over."))?;
    let did = call.did.clone().ok_or_else(|| refuse("It was we who called."))?;
    let before = front.store.find_callback(&id).await?;
    if before.as_ref().is_some_and(|callback| callback.end.is_none()) {
        let rung = front.desk.ring_now(id, signed.bearer.user).await;
        let already = |NotNow(why)| refuse(&format!("The caller is being rung back already. {why}"));
        return rung.map(|()| StatusCode::ACCEPTED).map_err(already);
    }
    let account = front.store.find_account(&call.account).await?.ok_or_else(|| Problem::not_found("account"))?;
    // Who asked to be called back said where, and what it was about was known then.
    let (priority, skills, call_type) = match &before {
        Some(before) => (before.priority, before.skills.clone(), before.call_type.clone()),
        None => (account.priority, account.queueing.skills.clone(), None),
    };
    let number = before.map(|callback| callback.number).or_else(|| call.remote.clone());
    let number = number.ok_or_else(|| refuse("The caller withheld their number."))?;
    let now = front.clock.utc();
    let callback = Callback {
        call: id,
        account: account.id.clone(),
        did,
        number,
        priority,
        skills,
        call_type,
        since: ended.ended_at,
        promised_at: now,
        tries: 0,
        next_at: now,
        end: None,
    };
    if front.desk.ring_back(callback, account, signed.bearer.user).await {
        Ok(StatusCode::ACCEPTED)
    } else {
        Err(Problem::unavailable("store.away", "The database does not answer. Try again in a moment."))
    }
}

/// I have seen to the caller of this call: nobody need ring them back.
#[utoipa::path(post, path = "/api/v1/calls/{id}/seen_to", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody)))]
pub async fn seen_to(State(front): State<Front>, by: Operator, Id(id): Id<CallId>) -> Result<StatusCode, Problem> {
    let call = front.store.find_call(&id).await?.ok_or_else(|| Problem::not_found("call"))?;
    // Who hangs up, or is cut off, after this would be in no list.
    if call.end.is_none() {
        return Err(Problem::conflict("call.not_now", "The call is not over."));
    }
    // Who is still to be rung has not been seen to: they would come up in the queue all the same.
    if front.store.find_callback(&id).await?.is_some_and(|callback| callback.end.is_none()) {
        return Err(Problem::conflict(
            "call.not_now",
            "The caller is still to be rung back: give that up first, or wait for the end of it.",
        ));
    }
    front.desk.see_to(call.id);
    tracing::info!(user = %by.0.bearer.user, "a caller was seen to");
    Ok(StatusCode::NO_CONTENT)
}
