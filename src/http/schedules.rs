//! Schedules as they are seen: calendars, who is on call now, and who changed what. Any operator may; the functions that end in `_of` ask
//! nobody who they are, for the portal's doors as well.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, ScheduleId};
use crate::domain::account::Contact;
use crate::domain::oncall::Schedule;
use crate::domain::oncall::calendar::{Calendar, calendar, calendars as all_calendars};
use crate::domain::oncall::difference::{Line, naming, summary};
use crate::domain::oncall::duty::relief;
use crate::domain::oncall::spans::{Source, final_spans};
use crate::io::store::schedule_history::ScheduleChange;

use super::account_edit::etag;
use super::accounts::PersonOnCall;
use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::{Id, Params};
use super::state::Front;

/// A quarter of a year and a bit, for a calendar of months.
const MAX_RANGE_MS: i64 = 100 * 86_400_000;
const MAX_CHANGES: u32 = 200;

/// The schedules of an account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Schedules {
    edition: u32,
    items: Vec<Schedule>,
    people: Vec<PersonOnCall>,
    holidays: Vec<HolidayView>,
    zone: String,
}

/// A holiday of the account, which layers may ask about.
#[derive(Serialize, utoipa::ToSchema)]
pub struct HolidayView {
    name: String,
    date: String,
}

/// The calendars of an account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Calendars {
    edition: u32,
    items: Vec<CalendarView>,
    people: Vec<PersonOnCall>,
}

/// A calendar, and of which schedule.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CalendarView {
    /// None: it is not saved.
    schedule: Option<ScheduleId>,
    #[serde(flatten)]
    calendar: Calendar,
}

/// One calendar with whatever it takes to show it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OneCalendar {
    edition: u32,
    #[serde(flatten)]
    calendar: CalendarView,
    people: Vec<PersonOnCall>,
}

/// Who is on call now, for every role.
#[derive(Serialize, utoipa::ToSchema)]
pub struct NowOnCall {
    at: UtcMs,
    items: Vec<RoleOnCall>,
}

/// Who is on call for a role.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RoleOnCall {
    schedule: ScheduleId,
    role: String,
    zone: String,
    /// Nobody, if it is empty.
    people: Vec<PersonOnCall>,
    /// When others are on call, or nobody is; none: not as long as nothing is changed.
    until: Option<UtcMs>,
    why: String,
    source: Source,
    next: Option<NextOnCall>,
}

/// Who follows.
#[derive(Serialize, utoipa::ToSchema)]
pub struct NextOnCall {
    people: Vec<PersonOnCall>,
    from: UtcMs,
}

/// What was changed, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ScheduleHistory {
    items: Vec<ScheduleChangeView>,
}

/// A change.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ScheduleChangeView {
    seq: i64,
    schedule: ScheduleId,
    role: String,
    at: UtcMs,
    /// Who did it, as people call them.
    by: String,
    /// All of it in one sentence.
    what: String,
    lines: Vec<Line>,
    /// It took that change back.
    undoes: Option<i64>,
    /// It is the last of its schedule.
    can_undo: bool,
}

/// Between which instants.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Range {
    from: i64,
    until: i64,
}

/// Which changes.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhichChanges {
    schedule: Option<String>,
    /// Only those before this one.
    before: Option<i64>,
    limit: Option<u32>,
}

/// A range that can be shown.
pub(super) fn check_range(from: UtcMs, until: UtcMs) -> Result<(UtcMs, UtcMs), Problem> {
    let length = until.0.checked_sub(from.0);
    if length.is_none_or(|length| !(1..=MAX_RANGE_MS).contains(&length)) {
        return Err(Problem::malformed(
            "calendar.range",
            "Ask for a time that ends after it begins, 100 days at most.",
        ));
    }
    Ok((from, until))
}

pub(super) fn people(contacts: &[Contact]) -> Vec<PersonOnCall> {
    contacts.iter().map(PersonOnCall::from).collect()
}

impl CalendarView {
    pub(super) const fn draft(calendar: Calendar) -> Self {
        Self { schedule: None, calendar }
    }
}

async fn find_edition(front: &Front, id: &AccountId) -> Result<u32, Problem> {
    front.store.find_account_edition(id).await?.ok_or_else(|| Problem::not_found("account"))
}

/// The schedules of an account with its people and holidays.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/schedules", tag = "schedules", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, body = Schedules), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn list(State(front): State<Front>, _by: Operator, Id(id): Id<AccountId>) -> Result<Response, Problem> {
    list_of(&front, &id).await
}

pub(super) async fn list_of(front: &Front, id: &AccountId) -> Result<Response, Problem> {
    // First, so that whoever sends it back has seen at least as much.
    let edition = find_edition(front, id).await?;
    let account = front.store.find_account(id).await?.ok_or_else(|| Problem::not_found("account"))?;
    let contacts = front.store.list_contacts(id).await?;
    let holidays = account.hours.holidays.into_iter().map(|day| HolidayView { name: day.name, date: day.date });
    let view = Schedules {
        edition,
        items: front.store.list_schedules(id).await?,
        people: people(&contacts),
        holidays: holidays.collect(),
        zone: account.zone,
    };
    Ok(([etag(edition)], Json(view)).into_response())
}

/// Who is on call for all roles of an account between two instants, with gaps and conflicts.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/calendar", tag = "schedules", security(("bearer" = [])),
    params(("id" = AccountId, Path), Range),
    responses((status = OK, body = Calendars), (status = BAD_REQUEST, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn calendars(
    State(front): State<Front>,
    _by: Operator,
    Id(id): Id<AccountId>,
    Params(range): Params<Range>,
) -> Result<Response, Problem> {
    calendars_of(&front, &id, &range).await
}

pub(super) async fn calendars_of(front: &Front, id: &AccountId, range: &Range) -> Result<Response, Problem> {
    let (from, until) = check_range(UtcMs(range.from), UtcMs(range.until))?;
    let edition = find_edition(front, id).await?;
    let schedules = front.store.list_schedules(id).await?;
    let contacts = front.store.list_contacts(id).await?;
    let shown = all_calendars(&schedules, from, until, &naming(&contacts)).into_iter().zip(schedules);
    let items = shown.map(|(calendar, schedule)| CalendarView { schedule: Some(schedule.id), calendar }).collect();
    let people = people(&contacts);
    Ok(([etag(edition)], Json(Calendars { edition, items, people })).into_response())
}

/// Who is on call by one schedule between two instants.
#[utoipa::path(get, path = "/api/v1/schedules/{id}/calendar", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path), Range),
    responses((status = OK, body = OneCalendar), (status = BAD_REQUEST, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn show(
    State(front): State<Front>,
    _by: Operator,
    Id(id): Id<ScheduleId>,
    Params(range): Params<Range>,
) -> Result<Response, Problem> {
    let (from, until) = check_range(UtcMs(range.from), UtcMs(range.until))?;
    let schedule = front.store.find_schedule(&id).await?.ok_or_else(|| Problem::not_found("schedule"))?;
    let edition = find_edition(&front, &schedule.account).await?;
    let people = people(&front.store.list_contacts(&schedule.account).await?);
    let calendar = CalendarView { schedule: Some(id), calendar: calendar(&schedule, from, until) };
    Ok(([etag(edition)], Json(OneCalendar { edition, calendar, people })).into_response())
}

/// Who is on call now for every role of an account, why, until when, and who is next.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/on_call", tag = "schedules", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, body = NowOnCall), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn on_call(
    State(front): State<Front>,
    _by: Operator,
    Id(id): Id<AccountId>,
) -> Result<Json<NowOnCall>, Problem> {
    on_call_of(&front, &id).await
}

pub(super) async fn on_call_of(front: &Front, id: &AccountId) -> Result<Json<NowOnCall>, Problem> {
    find_edition(front, id).await?;
    let contacts = front.store.list_contacts(id).await?;
    let at = front.clock.utc();
    let schedules = front.store.list_schedules(id).await?;
    let items = schedules.into_iter().map(|schedule| role_on_call(schedule, &contacts, at)).collect();
    Ok(Json(NowOnCall { at, items }))
}

pub(super) fn role_on_call(schedule: Schedule, contacts: &[Contact], at: UtcMs) -> RoleOnCall {
    let named = |people: &[ContactId]| {
        let people = people.iter().filter_map(|id| contacts.iter().find(|c| c.id == *id));
        people.map(PersonOnCall::from).collect::<Vec<_>>()
    };
    let relief = relief(&schedule, at);
    let until = relief.as_ref().map(|relief| relief.at);
    let next = relief.map(|relief| NextOnCall { people: named(&relief.people), from: relief.at });
    let spans = final_spans(&schedule, at, at.plus_ms(1));
    // Time has a first instant for as long as it is asked about.
    let (people, why, source) = spans.first().map_or_else(
        || (Vec::new(), "nobody is on call".to_owned(), Source::Nobody),
        |span| (named(&span.people), span.why.clone(), span.source.clone()),
    );
    RoleOnCall { schedule: schedule.id, role: schedule.role, zone: schedule.zone, people, until, why, source, next }
}

/// Who changed an account's schedules, when, and what, the newest first.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/schedules/history", tag = "schedules", security(("bearer" = [])),
    params(("id" = AccountId, Path), WhichChanges),
    responses((status = OK, body = ScheduleHistory), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn history(
    State(front): State<Front>,
    _by: Operator,
    Id(id): Id<AccountId>,
    Params(which): Params<WhichChanges>,
) -> Result<Json<ScheduleHistory>, Problem> {
    history_of(&front, &id, which).await
}

pub(super) async fn history_of(
    front: &Front,
    id: &AccountId,
    which: WhichChanges,
) -> Result<Json<ScheduleHistory>, Problem> {
    find_edition(front, id).await?;
    let schedule = which.schedule.map(|written| written.parse::<ScheduleId>()).transpose();
    let schedule = schedule.map_err(|_| Problem::not_found("schedule"))?;
    let limit = which.limit.unwrap_or(50).clamp(1, MAX_CHANGES);
    let before = which.before.unwrap_or(i64::MAX);
    let changes = front.store.list_schedule_changes(id, schedule.as_ref(), before, limit).await?;
    let mut items = Vec::new();
    for change in changes {
        let last = front.store.find_last_schedule_change(&change.schedule).await?;
        let can_undo = last.is_some_and(|(_, last)| last.seq == change.seq);
        let ScheduleChange { seq, schedule, role, at, by, lines, undoes, .. } = change;
        items.push(ScheduleChangeView { seq, schedule, role, at, by, what: summary(&lines), lines, undoes, can_undo });
    }
    Ok(Json(ScheduleHistory { items }))
}
