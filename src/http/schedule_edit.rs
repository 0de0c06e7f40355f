//! Schedules changed by supervisors and admins. Checked, stored and noted by `engine/clients`; here is who may, what was read before,
//! and what is answered. What clients change as well is in functions that ask nobody what they may: their doors (`portal/schedules`) have.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, OverrideId, ScheduleId};
use crate::domain::account::fault::Fault;
use crate::domain::account::{Account, Contact};
use crate::domain::oncall::Schedule;
use crate::domain::oncall::change::{Made, OverrideEdit, SwapEdit, TemporaryEdit};
use crate::domain::oncall::edit::ScheduleEdit;
use crate::engine::clients::{ChangedSchedule, cut_temporary, take_back};

use super::account_edit::{IfMatch, Seen, etag};
use super::accounts::PersonOnCall;
use super::auth::{Operator, Signed, Supervisor};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::schedules::{CalendarView, check_range, people};
use super::state::Front;

/// A schedule as it is now, with the edition of its account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct EditedSchedule {
    #[serde(flatten)]
    schedule: Schedule,
    edition: u32,
    /// The change in the history: an undo names it. None: nothing is other than it was.
    change: Option<i64>,
}

/// A schedule that is not saved, and what of it is to be seen.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Draft {
    /// The one it would be: its overrides and temporary schedules lie on it.
    #[serde(default)]
    id: Option<ScheduleId>,
    schedule: ScheduleEdit,
    from: UtcMs,
    until: UtcMs,
}

/// What it would do.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DraftCalendar {
    #[serde(flatten)]
    calendar: CalendarView,
    people: Vec<PersonOnCall>,
}

/// A time that is taken out.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Cut {
    #[serde(default)]
    edition: Option<u32>,
    from: UtcMs,
    until: UtcMs,
}

/// What is taken back.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct UndoEdit {
    /// The account's, as it was read. Not needed where the change is named.
    #[serde(default)]
    edition: Option<u32>,
    /// The change in the history; refused if anything but what it left is there now. The last one if it is left out.
    #[serde(default)]
    change: Option<i64>,
}

/// What an undo left.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Undone {
    /// None: what was taken back had made it.
    schedule: Option<Schedule>,
    edition: u32,
}

pub(super) fn answer(status: StatusCode, changed: ChangedSchedule<Schedule>) -> Response {
    let ChangedSchedule { now: schedule, edition, change } = changed;
    (status, [etag(edition)], Json(EditedSchedule { schedule, edition, change })).into_response()
}

/// Adds a schedule to an account.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/schedules", tag = "schedules", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = ScheduleEdit,
    responses((status = CREATED, body = EditedSchedule), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn add(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(account): Id<AccountId>,
    if_match: IfMatch,
    Body(edit): Body<ScheduleEdit>,
) -> Result<Response, Problem> {
    let seen = if_match.or(edit.edition);
    let edit = ScheduleEdit { edition: seen.edition(), ..edit };
    let changed = front.clients_of(&signed).add_schedule(&account, &edit, &signed.name).await;
    let changed = changed.map_err(|why| seen.refuse(why))?;
    tracing::info!(user = %signed.bearer.user, %account, schedule = %changed.now.id, "a schedule was added");
    Ok(answer(StatusCode::CREATED, changed))
}

/// The calendar of a schedule before it is saved.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/schedules/preview", tag = "schedules", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = Draft,
    responses((status = OK, body = DraftCalendar), (status = NOT_FOUND, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn preview(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(account): Id<AccountId>,
    Body(draft): Body<Draft>,
) -> Result<Json<DraftCalendar>, Problem> {
    let range = check_range(draft.from, draft.until)?;
    let clients = front.clients_of(&signed);
    let calendar = clients.preview_schedule(&account, draft.id.as_ref(), &draft.schedule, range).await?;
    let people = people(&front.store.list_contacts(&account).await?);
    Ok(Json(DraftCalendar { calendar: CalendarView::draft(calendar), people }))
}

/// Writes a schedule's role, zone, layers and fallback, whole. Overrides and temporary schedules stay.
#[utoipa::path(put, path = "/api/v1/schedules/{id}", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the account.")),
    request_body = ScheduleEdit,
    responses((status = OK, body = EditedSchedule), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = PRECONDITION_FAILED, body = ProblemBody), (status = PRECONDITION_REQUIRED, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn change(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ScheduleId>,
    if_match: IfMatch,
    Body(edit): Body<ScheduleEdit>,
) -> Result<Response, Problem> {
    let seen = if_match.or(edit.edition);
    let edition = Some(seen.required()?);
    let changed = front
        .clients_of(&signed)
        .change_schedule(&id, edition, &signed.name, |before, account, contacts, _| {
            edit.apply(before, &account.zone, contacts)
        })
        .await
        .map_err(|why| seen.refuse(why))?;
    tracing::info!(user = %signed.bearer.user, schedule = %id, "a schedule was changed");
    Ok(answer(StatusCode::OK, changed))
}

/// Removes a schedule. Refused while a protocol that runs or the account's flow reaches its role.
#[utoipa::path(delete, path = "/api/v1/schedules/{id}", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the account.")),
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody), (status = PRECONDITION_FAILED, body = ProblemBody),
        (status = PRECONDITION_REQUIRED, body = ProblemBody)))]
pub async fn remove(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ScheduleId>,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    let seen = if_match.or(None);
    let removed = front.clients_of(&signed).remove_schedule(&id, seen.required()?, &signed.name).await;
    let removed = removed.map_err(|why| seen.refuse(why))?;
    tracing::info!(user = %signed.bearer.user, account = %removed.now, schedule = %id, "a schedule was removed");
    Ok((StatusCode::NO_CONTENT, [etag(removed.edition)]).into_response())
}

/// Changes a schedule in somebody's name, and tells it as it is then. `done`: the answer's status, and what the log says.
pub(super) async fn apply(
    front: &Front,
    signed: &Signed,
    id: &ScheduleId,
    seen: Seen,
    done: (StatusCode, &'static str),
    change: impl FnOnce(&Schedule, &Account, &[Contact], Made<'_>) -> Result<Schedule, Vec<Fault>> + Send,
) -> Result<Response, Problem> {
    let changed = front.clients_of(signed).change_schedule(id, seen.edition(), &signed.name, change).await;
    let changed = changed.map_err(|why| seen.refuse(why))?;
    let (status, what) = done;
    tracing::info!(user = %signed.bearer.user, schedule = %id, "{what}");
    Ok(answer(status, changed))
}

/// Puts somebody on call, in somebody's place or beside them, or takes somebody off, for a time.
#[utoipa::path(post, path = "/api/v1/schedules/{id}/overrides", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path)), request_body = OverrideEdit,
    responses((status = CREATED, body = EditedSchedule), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn add_override(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ScheduleId>,
    if_match: IfMatch,
    Body(edit): Body<OverrideEdit>,
) -> Result<Response, Problem> {
    make_override(&front, &signed, &id, if_match, &edit).await
}

pub(super) async fn make_override(
    front: &Front,
    signed: &Signed,
    id: &ScheduleId,
    if_match: IfMatch,
    edit: &OverrideEdit,
) -> Result<Response, Problem> {
    let seen = if_match.or(edit.edition);
    apply(front, signed, id, seen, (StatusCode::CREATED, "an override was made"), |before, _, contacts, made| {
        edit.apply(before, contacts, made)
    })
    .await
}

/// Takes an override back.
#[utoipa::path(delete, path = "/api/v1/schedules/{id}/overrides/{over}", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path), ("over" = OverrideId, Path)),
    responses((status = OK, body = EditedSchedule), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn remove_override(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id((id, over)): Id<(ScheduleId, OverrideId)>,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    take_override_back(&front, &signed, &id, if_match, &over).await
}

pub(super) async fn take_override_back(
    front: &Front,
    signed: &Signed,
    id: &ScheduleId,
    if_match: IfMatch,
    over: &OverrideId,
) -> Result<Response, Problem> {
    let seen = if_match.or(None);
    apply(front, signed, id, seen, (StatusCode::OK, "an override was taken back"), |before, _, _, _| {
        take_back(before, over)
    })
    .await
}

/// Two people take each other's shifts: both, or neither.
#[utoipa::path(post, path = "/api/v1/schedules/{id}/swap", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path)), request_body = SwapEdit,
    responses((status = OK, body = EditedSchedule), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn swap(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ScheduleId>,
    if_match: IfMatch,
    Body(edit): Body<SwapEdit>,
) -> Result<Response, Problem> {
    swap_shifts(&front, &signed, &id, if_match, &edit).await
}

pub(super) async fn swap_shifts(
    front: &Front,
    signed: &Signed,
    id: &ScheduleId,
    if_match: IfMatch,
    edit: &SwapEdit,
) -> Result<Response, Problem> {
    let seen = if_match.or(edit.edition);
    apply(front, signed, id, seen, (StatusCode::OK, "two shifts were swapped"), |before, _, contacts, made| {
        edit.apply(before, contacts, made)
    })
    .await
}

/// Sets a plan of its own for a time, in place of all layers.
#[utoipa::path(post, path = "/api/v1/schedules/{id}/temporary", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path)), request_body = TemporaryEdit,
    responses((status = CREATED, body = EditedSchedule), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn set_temporary(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ScheduleId>,
    if_match: IfMatch,
    Body(edit): Body<TemporaryEdit>,
) -> Result<Response, Problem> {
    let seen = if_match.or(edit.edition);
    apply(
        &front,
        &signed,
        &id,
        seen,
        (StatusCode::CREATED, "a temporary schedule was set"),
        |before, _, contacts, made| edit.apply(before, contacts, made),
    )
    .await
}

/// Takes a time out of the temporary schedules.
#[utoipa::path(post, path = "/api/v1/schedules/{id}/temporary/cut", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path)), request_body = Cut,
    responses((status = OK, body = EditedSchedule), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn cut(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ScheduleId>,
    if_match: IfMatch,
    Body(cut): Body<Cut>,
) -> Result<Response, Problem> {
    let seen = if_match.or(cut.edition);
    apply(&front, &signed, &id, seen, (StatusCode::OK, "a temporary schedule was cut"), |before, _, _, _| {
        cut_temporary(before, cut.from, cut.until)
    })
    .await
}

/// Takes a change of a schedule back, the last one unless it is named; an undo of an undo does it again.
#[utoipa::path(post, path = "/api/v1/schedules/{id}/undo", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the account.")),
    request_body = UndoEdit,
    responses((status = OK, body = Undone), (status = FORBIDDEN, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody), (status = PRECONDITION_FAILED, body = ProblemBody),
        (status = PRECONDITION_REQUIRED, body = ProblemBody)))]
pub async fn undo(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ScheduleId>,
    if_match: IfMatch,
    Body(body): Body<UndoEdit>,
) -> Result<Response, Problem> {
    let seen = if_match.or(body.edition);
    undo_change(&front, &signed, &id, seen, body.change).await
}

pub(super) async fn undo_change(
    front: &Front,
    signed: &Signed,
    id: &ScheduleId,
    seen: Seen,
    change: Option<i64>,
) -> Result<Response, Problem> {
    let edition = if change.is_some() { seen.edition() } else { Some(seen.required()?) };
    let undone = front.clients_of(signed).undo_schedule(id, edition, change, &signed.name).await;
    let ChangedSchedule { now: schedule, edition, .. } = undone.map_err(|why| seen.refuse(why))?;
    tracing::info!(user = %signed.bearer.user, schedule = %id, "a change of a schedule was taken back");
    Ok((StatusCode::OK, [etag(edition)], Json(Undone { schedule, edition })).into_response())
}
