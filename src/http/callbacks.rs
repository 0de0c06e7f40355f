//! Callers who are to be rung back: who was promised it, who was rung in vain and is rung again, who is not rung any more and was
//! never reached. Beginning it is in [`abandoned`](super::abandoned).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::base::clock::UtcMs;
use crate::base::id::CallId;
use crate::base::phone::PhoneNumber;
use crate::domain::call::abandoned::LATELY_MS;
use crate::domain::call::callback::NextTry;
use crate::engine::calls::callbacks::TRIES;
use crate::engine::feed::{AccountRef, CallState, CallView, UserRef};
use crate::io::store::audit::Act;
use crate::io::store::callbacks::Callback;

use super::audit;
use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::Id;
use super::recall::{DraftView, Known};
use super::state::{Front, NotNow};

/// Callers who are to be rung back, the longest wait first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CallbackPage {
    items: Vec<CallbackView>,
}

/// A caller who is to be rung back, or was not reached and nobody has seen to.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CallbackView {
    /// The call in which they called.
    call: CallId,
    account: AccountRef,
    number: PhoneNumber,
    /// When they began to wait.
    since: UtcMs,
    tries: TriesView,
    draft: Option<DraftView>,
    /// Their calls to the account since its midnight.
    calls_today: u32,
    /// Messages taken from them before.
    earlier: u32,
}

/// How far ringing somebody back has come.
#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TriesView {
    /// Rung in vain so often.
    made: u32,
    /// And given up after so many.
    most: u32,
    /// When they are rung again, if that is at a time that is still to come.
    next_at: Option<UtcMs>,
    next: NextTry,
    /// Why there is no such time, in words.
    reason: Option<&'static str>,
}

/// Why there is no time at which they are rung again.
const fn reason(next: NextTry) -> Option<&'static str> {
    match next {
        NextTry::Later => None,
        NextTry::WhenFree => Some("as soon as an operator is free"),
        NextTry::Now => Some("an operator rings them now"),
        NextTry::Never => Some("nobody rings them any more"),
    }
}

impl TriesView {
    /// `calls`: those that are up.
    pub(super) fn of(callback: &Callback, now: UtcMs, calls: &[CallView]) -> Self {
        let keeps = |call: &&CallView| call.ring_back.as_ref().is_some_and(|back| back.promised_in == callback.call);
        let at_it = |call: &CallView| {
            !matches!(call.state, CallState::Queued | CallState::Offered | CallState::WrapUp | CallState::Ended)
        };
        let is_rung = calls.iter().filter(keeps).any(at_it);
        let next = NextTry::pick(callback.end.is_some(), is_rung, callback.next_at, now);
        let next_at = (next == NextTry::Later).then_some(callback.next_at);
        Self { made: callback.tries, most: TRIES, next_at, next, reason: reason(next) }
    }
}

/// The calls that are up, for whoever is being rung back now.
pub(super) async fn calls_up(front: &Front) -> Vec<CallView> {
    front.desk.floor().await.map(|floor| floor.calls).unwrap_or_default()
}

/// Callers who are to be rung back, and those of the last seven days who were not reached and whom nobody has seen to.
#[utoipa::path(get, path = "/api/v1/callbacks", tag = "calls", security(("bearer" = [])),
    responses((status = OK, body = CallbackPage), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn list(State(front): State<Front>, Operator(signed): Operator) -> Result<Json<CallbackPage>, Problem> {
    let (now, calls) = (front.clock.utc(), calls_up(&front).await);
    let since = now.plus_ms(-LATELY_MS);
    let accounts = front.store.list_accounts().await?;
    let users = front.store.list_users().await?;
    let (mut known, mut items, mut others) = (Known::default(), Vec::new(), Vec::new());
    for callback in front.store.list_callbacks_to_see_to(since).await? {
        let Some(account) = accounts.iter().find(|account| account.id == callback.account) else { continue };
        let tries = TriesView::of(&callback, now, &calls);
        let draft = front.store.find_draft_of_call(&callback.call).await?.map(|draft| {
            let owner = users.iter().find(|user| user.id == draft.owner).map(|user| user.name.clone());
            let owner = UserRef { id: draft.owner.clone(), name: owner.unwrap_or_default() };
            if draft.owner != signed.bearer.user {
                others.push(draft.id.to_string());
            }
            DraftView::new(draft, owner)
        });
        let (calls_today, earlier) = known.of(&front, account, Some(&callback.number)).await?;
        items.push(CallbackView {
            since: callback.rang_at(),
            call: callback.call,
            account: AccountRef::from(account),
            number: callback.number,
            tries,
            draft,
            calls_today,
            earlier,
        });
    }
    audit::all(&front, &signed, Act::DraftRead, others).await?;
    Ok(Json(CallbackPage { items }))
}

/// The caller who is to be rung back is not rung again by itself. Not while they are being rung; they stay on the list until
/// somebody has seen to them.
#[utoipa::path(delete, path = "/api/v1/calls/{id}/ring_back", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody)))]
pub async fn give_up(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<CallId>,
) -> Result<StatusCode, Problem> {
    let callback = front.store.find_callback(&id).await?.ok_or_else(|| Problem::not_found("ring-back"))?;
    let refuse = |why: String| Problem::conflict("call.not_now", why);
    if callback.end.is_some() {
        return Err(refuse("Nobody rings this caller any more.".to_owned()));
    }
    let user = signed.bearer.user;
    front.desk.give_up_ringing(id, user.clone()).map_err(|NotNow(why)| refuse(why))?;
    tracing::info!(%user, "ringing a caller back was given up");
    Ok(StatusCode::NO_CONTENT)
}
