//! What the calendar asks for beside a schedule's own doors: several overrides changed at once, and who is on call for every account.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::base::clock::UtcMs;
use crate::base::id::{OverrideId, ScheduleId};
use crate::domain::oncall::Override;
use crate::domain::oncall::several::OverridesEdit;
use crate::engine::feed::AccountRef;

use super::account_edit::IfMatch;
use super::auth::{Operator, Signed, Supervisor};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::schedule_edit::{EditedSchedule, apply};
use super::schedules::{RoleOnCall, role_on_call};
use super::state::Front;

/// Changes read at once: each holds the whole schedule twice, and what is put back was mostly taken out just now.
const PAGE: u32 = 10;
/// Nobody's undo goes back further.
const PAGES: u32 = 20;

/// Who is on call now, for every role of every account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct EverywhereOnCall {
    at: UtcMs,
    items: Vec<AccountOnCall>,
}

/// Who is on call for a role of an account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AccountOnCall {
    account: AccountRef,
    #[serde(flatten)]
    duty: RoleOnCall,
}

/// Takes overrides out and makes others: all of it or nothing, one change in the history and one undo.
#[utoipa::path(post, path = "/api/v1/schedules/{id}/changes", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path)), request_body = OverridesEdit,
    responses((status = OK, body = EditedSchedule), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn change_overrides(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ScheduleId>,
    if_match: IfMatch,
    Body(edit): Body<OverridesEdit>,
) -> Result<Response, Problem> {
    change_together(&front, &signed, &id, if_match, &edit).await
}

pub(super) async fn change_together(
    front: &Front,
    signed: &Signed,
    id: &ScheduleId,
    if_match: IfMatch,
    edit: &OverridesEdit,
) -> Result<Response, Problem> {
    let seen = if_match.or(edit.edition);
    let had = find_had(front, id, &edit.put_back).await?;
    apply(front, signed, id, seen, (StatusCode::OK, "overrides were changed"), |before, _, contacts, made| {
        edit.apply(before, contacts, &had, made)
    })
    .await
}

/// Those that shall be put back, as the schedule's history had them last.
async fn find_had(front: &Front, id: &ScheduleId, wanted: &[OverrideId]) -> Result<Vec<Override>, Problem> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let schedule = front.store.find_schedule(id).await?.ok_or_else(|| Problem::not_found("schedule"))?;
    let mut had: Vec<Override> = Vec::new();
    let mut before = i64::MAX;
    for _ in 0..PAGES {
        let changes = front.store.list_schedule_changes(&schedule.account, Some(id), before, PAGE).await?;
        let Some(oldest) = changes.last().map(|change| change.seq) else { break };
        for over in changes.into_iter().filter_map(|change| change.before).flat_map(|was| was.overrides) {
            if wanted.contains(&over.id) && had.iter().all(|there| there.id != over.id) {
                had.push(over);
            }
        }
        if wanted.iter().all(|id| had.iter().any(|over| over.id == *id)) {
            break;
        }
        before = oldest;
    }
    Ok(had)
}

/// Who is on call now for every role of every account, why, until when, and who is next; by account, then role.
#[utoipa::path(get, path = "/api/v1/on_call", tag = "schedules", security(("bearer" = [])),
    responses((status = OK, body = EverywhereOnCall), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn everywhere(State(front): State<Front>, _by: Operator) -> Result<Json<EverywhereOnCall>, Problem> {
    let at = front.clock.utc();
    let mut schedules = front.store.list_all_schedules().await?;
    schedules.sort_by(|one, other| one.role.cmp(&other.role));
    let mut items = Vec::with_capacity(schedules.len());
    for account in front.store.list_accounts().await? {
        let own: Vec<_> = schedules.extract_if(.., |schedule| schedule.account == account.id).collect();
        if own.is_empty() {
            continue;
        }
        let contacts = front.store.list_contacts(&account.id).await?;
        items.extend(own.into_iter().map(|schedule| AccountOnCall {
            account: AccountRef::from(&account),
            duty: role_on_call(schedule, &contacts, at),
        }));
    }
    Ok(Json(EverywhereOnCall { at, items }))
}
