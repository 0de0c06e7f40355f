//! Who is on call, as clients see and change it: overrides and swaps, which lie on top. Layers and rotations are the service's to write.
//! What is done is in `http/schedules`, `http/schedule_edit` and `http/schedule_drag`, as for the console; here is who may.
//!
//! What always holds: a schedule of another account answers as one that is not there; what a client changes is noted in their name, and
//! reasons say it.

use axum::Json;
use axum::extract::State;
use axum::response::Response;

use super::guard::{Named, PortalClient, needs};
use crate::base::id::{AccountId, OverrideId, ScheduleId};
use crate::domain::oncall::change::{OverrideEdit, SwapEdit};
use crate::domain::oncall::several::OverridesEdit;
use crate::domain::portal::rights::Right;
use crate::http::account_edit::IfMatch;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{Body, Params};
use crate::http::schedule_drag::change_together;
use crate::http::schedule_edit::{EditedSchedule, make_override, swap_shifts, take_override_back};
use crate::http::schedules::{
    Calendars, NowOnCall, Range, ScheduleHistory, Schedules, WhichChanges, calendars_of, history_of, list_of,
    on_call_of,
};
use crate::http::state::Front;

/// The schedule that the path names, if it is of this account.
pub(super) async fn find_own(
    front: &Front,
    client: &PortalClient<needs::Schedule>,
    named: &Named,
) -> Result<ScheduleId, Problem> {
    let id = named.find::<ScheduleId>("id", "schedule")?;
    let schedule = front.store.find_schedule(&id).await?.filter(|schedule| schedule.account == client.account);
    schedule.map(|schedule| schedule.id).ok_or_else(|| Problem::not_found("schedule"))
}

/// Who is on call now for every role, why, until when, and who is next. Whoever reads messages may know as well.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/on_call", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)),
    responses((status = OK, body = NowOnCall), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn on_call(State(front): State<Front>, client: PortalClient<needs::Any>) -> Result<Json<NowOnCall>, Problem> {
    if !client.rights.allow(Right::Messages) {
        client.require(Right::Schedule)?;
    }
    on_call_of(&front, &client.account).await
}

/// The schedules of my account with its people and holidays.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/schedules", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)),
    responses((status = OK, body = Schedules), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn list(State(front): State<Front>, client: PortalClient<needs::Schedule>) -> Result<Response, Problem> {
    list_of(&front, &client.account).await
}

/// Who is on call for all roles between two instants, with gaps and conflicts.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/calendar", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path), Range),
    responses((status = OK, body = Calendars), (status = BAD_REQUEST, body = ProblemBody),
        (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn calendars(
    State(front): State<Front>,
    client: PortalClient<needs::Schedule>,
    Params(range): Params<Range>,
) -> Result<Response, Problem> {
    calendars_of(&front, &client.account, &range).await
}

/// Who changed the schedules, when, and what, the newest first.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/schedules/history", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), WhichChanges),
    responses((status = OK, body = ScheduleHistory), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn history(
    State(front): State<Front>,
    client: PortalClient<needs::Schedule>,
    Params(which): Params<WhichChanges>,
) -> Result<Json<ScheduleHistory>, Problem> {
    history_of(&front, &client.account, which).await
}

/// Puts somebody on call, in somebody's place or beside them, or takes somebody off, for a time.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/schedules/{id}/overrides", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), ("id" = ScheduleId, Path)),
    request_body = OverrideEdit,
    responses((status = CREATED, body = EditedSchedule), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn add_override(
    State(front): State<Front>,
    client: PortalClient<needs::Schedule>,
    named: Named,
    if_match: IfMatch,
    Body(edit): Body<OverrideEdit>,
) -> Result<Response, Problem> {
    let id = find_own(&front, &client, &named).await?;
    make_override(&front, &client.signed, &id, if_match, &edit).await
}

/// Takes an override back.
#[utoipa::path(delete, path = "/api/v1/portal/accounts/{account}/schedules/{id}/overrides/{over}", tag = "portal",
    security(("bearer" = [])),
    params(("account" = AccountId, Path), ("id" = ScheduleId, Path), ("over" = OverrideId, Path)),
    responses((status = OK, body = EditedSchedule), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn remove_override(
    State(front): State<Front>,
    client: PortalClient<needs::Schedule>,
    named: Named,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    let id = find_own(&front, &client, &named).await?;
    let over = named.find::<OverrideId>("over", "override")?;
    take_override_back(&front, &client.signed, &id, if_match, &over).await
}

/// Two people take each other's shifts: both, or neither.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/schedules/{id}/swap", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), ("id" = ScheduleId, Path)),
    request_body = SwapEdit,
    responses((status = OK, body = EditedSchedule), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn swap(
    State(front): State<Front>,
    client: PortalClient<needs::Schedule>,
    named: Named,
    if_match: IfMatch,
    Body(edit): Body<SwapEdit>,
) -> Result<Response, Problem> {
    let id = find_own(&front, &client, &named).await?;
    swap_shifts(&front, &client.signed, &id, if_match, &edit).await
}

/// Takes overrides out and makes others: all of it or nothing, one change in the history.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/schedules/{id}/changes", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), ("id" = ScheduleId, Path)),
    request_body = OverridesEdit,
    responses((status = OK, body = EditedSchedule), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn change_overrides(
    State(front): State<Front>,
    client: PortalClient<needs::Schedule>,
    named: Named,
    if_match: IfMatch,
    Body(edit): Body<OverridesEdit>,
) -> Result<Response, Problem> {
    let id = find_own(&front, &client, &named).await?;
    change_together(&front, &client.signed, &id, if_match, &edit).await
}
