//! Shifts in and out as files: a spreadsheet or a calendar read in by supervisors, calendars that other programs read by a secret
//! address. Whoever has the address reads it, without signing in, until it is revoked. What clients do as well is in functions that ask
//! nobody what they may: their doors (`portal/schedule_files`) have.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, ScheduleFeedId, ScheduleId};
use crate::domain::account::Contact;
use crate::domain::account::fault::Fault;
use crate::domain::oncall::Schedule;
use crate::domain::oncall::displaced::Displaced;
use crate::domain::oncall::ics::{Event, Revision, render};
use crate::domain::oncall::read_in::{Cancelled, Cut, NotUnderstood, Shift};
use crate::domain::oncall::read_table::UnclearDate;
use crate::domain::oncall::whole::whole_shifts;
use crate::engine::clients::ShiftFile;
use crate::io::store::schedule_feeds::ScheduleFeed;

use super::account_edit::IfMatch;
use super::auth::{Signed, Supervisor};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::schedules::CalendarView;
use super::state::Front;

const BACK_MS: i64 = 14 * 86_400_000;
const AHEAD_MS: i64 = 60 * 86_400_000;
/// More than an account has people and roles.
const MAX_FEEDS: usize = 200;
/// How seldom it is noted that a calendar was read.
const NOTE_MS: i64 = 60 * 60_000;

/// What was understood of a file.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ShiftsReadView {
    edition: u32,
    /// None: nothing was stored.
    schedule: Option<Schedule>,
    /// The change in the history: an undo names it.
    change: Option<i64>,
    shifts: Vec<Shift>,
    not_understood: Vec<NotUnderstood>,
    /// Events that repeat for longer than is read.
    cut: Vec<Cut>,
    /// Events that were called off where they come from: no shifts.
    cancelled: Vec<Cancelled>,
    /// How it was read, where it could have been read otherwise.
    notes: Vec<String>,
    /// A date that may be two: send `date_order` to say which.
    unclear_date: Option<UnclearDate>,
    /// From when until when it counts in place of all layers, what of that time it leaves open, and dates that may be slips.
    displaced: Option<Displaced>,
    /// Why it could not be stored as it is; only where it was looked at.
    refused: Vec<Fault>,
    /// As it is then.
    calendar: Option<CalendarView>,
}

/// Calendars that may be read.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ScheduleFeeds {
    items: Vec<ScheduleFeedView>,
}

/// One of them; its address is told once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ScheduleFeedView {
    id: ScheduleFeedId,
    schedule: Option<ScheduleId>,
    contact: Option<ContactId>,
    by: String,
    made_at: UtcMs,
    last_read_at: Option<UtcMs>,
    /// Where it is read, after the service's own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// Of what a calendar is to be: one of the two.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct ScheduleFeedEdit {
    #[serde(default)]
    schedule: Option<ScheduleId>,
    #[serde(default)]
    contact: Option<ContactId>,
}

impl ScheduleFeedView {
    fn new(feed: ScheduleFeed, path: Option<String>) -> Self {
        let ScheduleFeed { id, schedule, contact, by, made_at, last_read_at, .. } = feed;
        Self { id, schedule, contact, by, made_at, last_read_at, path }
    }
}

/// Reads shifts out of a spreadsheet or a calendar into a role's schedule, or looks what would come of it.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/schedules/import", tag = "schedules", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = ShiftFile,
    responses((status = OK, body = ShiftsReadView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = PRECONDITION_REQUIRED, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn read_in(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(account): Id<AccountId>,
    if_match: IfMatch,
    Body(file): Body<ShiftFile>,
) -> Result<Json<ShiftsReadView>, Problem> {
    import_into(&front, &signed, &account, if_match, file).await
}

pub(super) async fn import_into(
    front: &Front,
    signed: &Signed,
    account: &AccountId,
    if_match: IfMatch,
    file: ShiftFile,
) -> Result<Json<ShiftsReadView>, Problem> {
    let seen = if_match.or(file.edition);
    let edition = if file.dry_run { None } else { Some(seen.required()?) };
    let file = ShiftFile { edition, ..file };
    let read = front.clients_of(signed).import_shifts(account, &file, &signed.name).await;
    let read = read.map_err(|why| seen.refuse(why))?;
    if read.schedule.is_some() {
        tracing::info!(user = %signed.bearer.user, %account, shifts = read.read.shifts.len(), "shifts were read in");
    }
    Ok(Json(ShiftsReadView {
        edition: read.edition,
        schedule: read.schedule,
        change: read.change,
        shifts: read.read.shifts,
        not_understood: read.read.not_understood,
        cut: read.read.cut,
        cancelled: read.read.cancelled,
        notes: read.read.notes,
        unclear_date: read.read.unclear_date,
        displaced: read.displaced,
        refused: read.refused,
        calendar: read.calendar.map(CalendarView::draft),
    }))
}

/// The calendars of an account that other programs may read.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/schedules/feeds", tag = "schedules", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, body = ScheduleFeeds), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn list_feeds(
    State(front): State<Front>,
    _by: Supervisor,
    Id(account): Id<AccountId>,
) -> Result<Json<ScheduleFeeds>, Problem> {
    feeds_of(&front, &account).await
}

pub(super) async fn feeds_of(front: &Front, account: &AccountId) -> Result<Json<ScheduleFeeds>, Problem> {
    let feeds = front.store.list_schedule_feeds(account).await?;
    Ok(Json(ScheduleFeeds { items: feeds.into_iter().map(|feed| ScheduleFeedView::new(feed, None)).collect() }))
}

/// Makes a calendar readable by an address that nobody can guess.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/schedules/feeds", tag = "schedules", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = ScheduleFeedEdit,
    responses((status = CREATED, body = ScheduleFeedView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = BAD_REQUEST, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody)))]
pub async fn add_feed(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(account): Id<AccountId>,
    Body(edit): Body<ScheduleFeedEdit>,
) -> Result<Response, Problem> {
    make_feed(&front, &signed, account, edit).await
}

pub(super) async fn make_feed(
    front: &Front,
    signed: &Signed,
    account: AccountId,
    edit: ScheduleFeedEdit,
) -> Result<Response, Problem> {
    if edit.schedule.is_some() == edit.contact.is_some() {
        return Err(Problem::malformed("feed.of_what", "Name a schedule or a contact, one of the two."));
    }
    if let Some(id) = &edit.schedule {
        let there = front.store.find_schedule(id).await?.filter(|schedule| schedule.account == account);
        there.ok_or_else(|| Problem::not_found("schedule"))?;
    }
    if let Some(id) = &edit.contact {
        let there = front.store.find_contact(id).await?.filter(|contact| contact.account == account);
        there.ok_or_else(|| Problem::not_found("contact"))?;
    }
    if front.store.list_schedule_feeds(&account).await?.len() >= MAX_FEEDS {
        return Err(Problem::conflict(
            "feed.too_many",
            "The account has too many addresses: end those that nobody reads.",
        ));
    }
    let now = front.clock.utc();
    let feed = ScheduleFeed {
        id: ScheduleFeedId::fresh(now),
        account,
        schedule: edit.schedule,
        contact: edit.contact,
        by: signed.name.clone(),
        made_at: now,
        last_read_at: None,
    };
    let mut tx = front.store.write().await?;
    let token = tx.insert_schedule_feed(&feed).await?;
    tx.commit("schedule_feed_made").await?;
    tracing::info!(user = %signed.bearer.user, feed = %feed.id, "a calendar was made readable");
    let path = format!("/calendars/{}.ics", token.expose_secret());
    Ok((StatusCode::CREATED, Json(ScheduleFeedView::new(feed, Some(path)))).into_response())
}

/// Nobody reads this calendar any more, from now on.
#[utoipa::path(delete, path = "/api/v1/schedule_feeds/{id}", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleFeedId, Path)),
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn remove_feed(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ScheduleFeedId>,
) -> Result<StatusCode, Problem> {
    end_feed(&front, &signed, &id).await
}

pub(super) async fn end_feed(front: &Front, signed: &Signed, id: &ScheduleFeedId) -> Result<StatusCode, Problem> {
    let mut tx = front.store.write().await?;
    if !tx.delete_schedule_feed(id).await? {
        tx.rollback().await?;
        return Err(Problem::not_found("calendar"));
    }
    tx.commit("schedule_feed_revoked").await?;
    tracing::info!(user = %signed.bearer.user, feed = %id, "a calendar was revoked");
    Ok(StatusCode::NO_CONTENT)
}

/// A calendar for other programs (iCalendar, RFC 5545): the shifts of two weeks back to sixty days ahead, each whole and by the same name
/// whenever it is read.
#[utoipa::path(get, path = "/calendars/{file}", tag = "schedules", params(("file" = String, Path)),
    responses((status = OK, body = String, content_type = "text/calendar"), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn feed(State(front): State<Front>, Id(file): Id<String>) -> Result<Response, Problem> {
    let missing = || Problem::not_found("calendar");
    let token = SecretString::from(file.strip_suffix(".ics").ok_or_else(missing)?.to_owned());
    let feed = front.store.find_schedule_feed_by_token(&token).await?.ok_or_else(missing)?;
    // First, so that what is shown is never older than what it says of itself.
    let (sequence, at) = front.store.find_account_revision(&feed.account).await?.ok_or_else(missing)?;
    let account = front.store.find_account(&feed.account).await?.ok_or_else(missing)?;
    let contacts = front.store.list_contacts(&feed.account).await?;
    let mut schedules = front.store.list_schedules(&feed.account).await?;
    schedules.retain(|schedule| feed.schedule.as_ref().is_none_or(|id| *id == schedule.id));
    let now = front.clock.utc();
    let text = text_of((&feed, Revision { sequence, at }), &account.name, &schedules, &contacts, now);
    if feed.last_read_at.is_none_or(|last| now.since(last) >= NOTE_MS) {
        let mut tx = front.store.write().await?;
        tx.touch_schedule_feed(&feed.id, now).await?;
        tx.commit("schedule_feed_read").await?;
    }
    let headers =
        [(header::CONTENT_TYPE, "text/calendar; charset=utf-8"), (header::CACHE_CONTROL, "private, no-store")];
    Ok((headers, text).into_response())
}

fn text_of(
    (feed, revised): (&ScheduleFeed, Revision),
    account: &str,
    schedules: &[Schedule],
    contacts: &[Contact],
    now: UtcMs,
) -> String {
    let mut events = Vec::new();
    for schedule in schedules {
        for shift in whole_shifts(schedule, now.plus_ms(-BACK_MS), now.plus_ms(AHEAD_MS)) {
            if feed.contact.as_ref().is_some_and(|id| *id != shift.contact) {
                continue;
            }
            let Some(contact) = contacts.iter().find(|contact| contact.id == shift.contact) else { continue };
            let goes_on = if shift.ends { "" } else { ". It goes on after that, for as long as nothing is changed." };
            events.push(Event {
                // Persistent (RFC 5545 §3.8.4.7): nothing of the time of reading is in it.
                uid: format!("{}-{}-{}@cordboard", schedule.id, shift.contact, shift.key()),
                from: shift.from,
                until: shift.until,
                summary: format!("{}: {} on call", contact.name, schedule.role),
                description: format!("{account}, {}{goes_on}", schedule.role),
            });
        }
    }
    let role = schedules.first().filter(|_| feed.schedule.is_some()).map(|schedule| format!(", {}", schedule.role));
    render(&format!("{account}{}", role.unwrap_or_default()), &events, revised)
}
