//! The hand-over sheet: what whoever comes on shift has to know of the shift before, in one answer that prints as one page.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::base::clock::UtcMs;
use crate::base::id::CallId;
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, Urgency};
use crate::domain::call::abandoned::LATELY_MS;
use crate::domain::message::trigger::Grading;
use crate::domain::oncall::gaps::{Gap, gaps};
use crate::engine::feed::{AccountRef, AlarmView, DispatchView, WaitingView};
use crate::io::store::messages::MessageFilter;

use super::audit;
use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::messages::{MessageView, Names};
use super::state::{Front, board};
use super::status::{self, StatusView};

/// How far ahead gaps are looked for, and how far back what was taken below the list.
const A_DAY_MS: i64 = 86_400_000;
/// Of each kind, at most.
const MAX: u32 = 100;

/// What the next shift has to know.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Sheet {
    at: UtcMs,
    /// Urgent messages that are not done, the oldest first.
    urgent: Vec<DispatchView>,
    /// Others that wait for an operator, or for somebody to confirm.
    unconfirmed: Vec<DispatchView>,
    waiting: Vec<WaitingView>,
    callbacks: Vec<CallbackView>,
    /// Callers of the last seven days who hung up and whom nobody has seen to.
    hung_up: u32,
    gaps: Vec<GapView>,
    alarms: Vec<AlarmView>,
    status: Vec<BoardView>,
    /// Taken within a day as not urgent though it was on the client's list, the newest first.
    lowered: Vec<MessageView>,
}

/// A caller who was promised to be called back, or was not reached and nobody has seen to.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SheetCallbackView)]
pub struct CallbackView {
    call: CallId,
    account: AccountRef,
    number: PhoneNumber,
    since: UtcMs,
    /// How often they were rung in vain.
    tries: u32,
}

/// Nobody will be on call.
#[derive(Serialize, utoipa::ToSchema)]
pub struct GapView {
    account: AccountRef,
    role: String,
    #[serde(flatten)]
    gap: Gap,
}

/// The status board of an account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct BoardView {
    account: AccountRef,
    lines: Vec<StatusView>,
}

/// The hand-over sheet at a change of shift.
#[utoipa::path(get, path = "/api/v1/handover", tag = "live", security(("bearer" = [])),
    responses((status = OK, body = Sheet), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn show(State(front): State<Front>, Operator(signed): Operator) -> Result<Json<Sheet>, Problem> {
    let now = front.clock.utc();
    let live = board(&front, signed.user()).await?;
    let accounts = front.store.list_accounts().await?;
    let (urgent, others): (Vec<_>, Vec<_>) =
        front.dispatcher.list_open_views().await?.into_iter().partition(|d| d.urgency == Urgency::Urgent);
    // What is on its way and asks nobody for anything needs no word; what waits for somebody's yes does.
    let waits = |d: &DispatchView| d.needs_operator || d.state == "exhausted_unconfirmed" || d.waits_for_yes;
    let unconfirmed: Vec<_> = others.into_iter().filter(waits).collect();
    audit::headlines(&front, &signed, urgent.iter().chain(&unconfirmed)).await?;
    let hung_up = front.store.count_abandoned(now.plus_ms(-LATELY_MS)).await?;
    let lowered = MessageFilter {
        graded: Some(Grading::Lowered),
        taken_since: Some(now.plus_ms(-A_DAY_MS)),
        ..MessageFilter::default()
    };
    let lowered = front.store.list_messages(&lowered, None, MAX).await?;
    let lowered = if lowered.is_empty() {
        Vec::new()
    } else {
        let page = Names::of(&front).await?.page(&front, lowered, None).await?;
        audit::listed(&front, &signed, &page).await?;
        page.into_items()
    };
    Ok(Json(Sheet {
        at: now,
        urgent,
        unconfirmed,
        waiting: live.queue.waiting,
        callbacks: find_callbacks(&front, &accounts).await?,
        hung_up,
        gaps: find_gaps(&front, &accounts, now).await?,
        alarms: live.alarms,
        status: find_boards(&front, &accounts, now).await?,
        lowered,
    }))
}

fn name(account: &Account) -> AccountRef {
    AccountRef {
        id: account.id.clone(),
        name: account.name.clone(),
        color: account.color.clone(),
        zone: account.zone.clone(),
    }
}

async fn find_callbacks(front: &Front, accounts: &[Account]) -> Result<Vec<CallbackView>, Problem> {
    let open = front.store.list_callbacks_to_see_to(front.clock.utc().plus_ms(-LATELY_MS)).await?;
    let view = |callback: crate::io::store::callbacks::Callback| {
        let account = accounts.iter().find(|a| a.id == callback.account)?;
        Some(CallbackView {
            call: callback.call,
            account: name(account),
            number: callback.number,
            since: callback.since,
            tries: callback.tries,
        })
    };
    Ok(open.into_iter().filter_map(view).collect())
}

async fn find_gaps(front: &Front, accounts: &[Account], now: UtcMs) -> Result<Vec<GapView>, Problem> {
    let mut found = Vec::new();
    for account in accounts {
        for schedule in front.store.list_schedules(&account.id).await? {
            let gaps = gaps(&schedule, now, now.plus_ms(A_DAY_MS));
            found.extend(gaps.into_iter().map(|gap| GapView {
                account: name(account),
                role: schedule.role.clone(),
                gap,
            }));
        }
    }
    found.sort_by_key(|gap| gap.gap.from);
    Ok(found)
}

async fn find_boards(front: &Front, accounts: &[Account], now: UtcMs) -> Result<Vec<BoardView>, Problem> {
    let lines = front.store.list_all_status(now).await?;
    let mut boards: Vec<BoardView> = Vec::new();
    for (account, line) in status::show(front, lines).await? {
        match boards.last_mut() {
            Some(board) if board.account.id == account => board.lines.push(line),
            _ => {
                let Some(account) = accounts.iter().find(|a| a.id == account) else { continue };
                boards.push(BoardView { account: name(account), lines: vec![line] });
            }
        }
    }
    Ok(boards)
}
