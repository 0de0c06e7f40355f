//! Shifts in and out as files, in the client's own hands: a spreadsheet or a calendar read into a schedule, and addresses at which other
//! calendars find the shifts. What is done is in `http/schedule_files`, as for the console; here is who may.
//!
//! What always holds: a schedule or a calendar of another account answers as one that is not there; a client reads into schedules that
//! there are, and takes back no change but an import of their own.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::guard::{Named, PortalClient, needs};
use super::schedules::find_own;
use crate::base::id::{AccountId, ScheduleFeedId, ScheduleId};
use crate::engine::clients::{ShiftFile, is_import_by};
use crate::http::account_edit::IfMatch;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::Body;
use crate::http::schedule_edit::{Undone, undo_change};
use crate::http::schedule_files::{
    ScheduleFeedEdit, ScheduleFeedView, ScheduleFeeds, ShiftsReadView, end_feed, feeds_of, import_into, make_feed,
};
use crate::http::state::Front;
use crate::io::store::audit::Who;
use crate::io::store::schedule_history::ScheduleChange;

/// What is taken back.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct ImportUndo {
    /// The change that the import was answered with.
    change: i64,
}

/// Reads shifts out of a spreadsheet or a calendar into a role's schedule, or looks what would come of it. The role has one already.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/schedules/import", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path)), request_body = ShiftFile,
    responses((status = OK, body = ShiftsReadView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = PRECONDITION_REQUIRED, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn read_in(
    State(front): State<Front>,
    client: PortalClient<needs::Schedule>,
    if_match: IfMatch,
    Body(file): Body<ShiftFile>,
) -> Result<Json<ShiftsReadView>, Problem> {
    let schedules = front.store.list_schedules(&client.account).await?;
    if !schedules.iter().any(|schedule| schedule.role == file.role.trim()) {
        return Err(Problem::not_found("schedule"));
    }
    import_into(&front, &client.signed, &client.account, if_match, file).await
}

/// Takes an import of mine back. Refused if anything but what it left is there now.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/schedules/{id}/undo", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), ("id" = ScheduleId, Path)),
    request_body = ImportUndo,
    responses((status = OK, body = Undone), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn undo_import(
    State(front): State<Front>,
    client: PortalClient<needs::Schedule>,
    named: Named,
    if_match: IfMatch,
    Body(undo): Body<ImportUndo>,
) -> Result<Response, Problem> {
    let id = find_own(&front, &client, &named).await?;
    // What is in the history stays as it is: between this look and the undo it is no other change.
    let after = undo.change.saturating_add(1);
    let found = front.store.list_schedule_changes(&client.account, Some(&id), after, 1).await?;
    let me = Who::User(client.signed.bearer.user.clone());
    if !found.iter().any(|found| is_own(found, undo.change, &me)) {
        return Err(Problem::not_found("import"));
    }
    undo_change(&front, &client.signed, &id, if_match.or(None), Some(undo.change)).await
}

/// Somebody else may be called as they are: it is theirs by who made it.
fn is_own(found: &ScheduleChange, change: i64, me: &Who) -> bool {
    let is_import = || is_import_by(found.before.as_ref(), found.after.as_ref(), &found.by);
    found.seq == change && found.who.as_ref() == Some(me) && is_import()
}

/// The calendars of my account that other programs may read, whoever made them.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/schedules/feeds", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path)),
    responses((status = OK, body = ScheduleFeeds), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn list_feeds(
    State(front): State<Front>,
    client: PortalClient<needs::Schedule>,
) -> Result<Json<ScheduleFeeds>, Problem> {
    feeds_of(&front, &client.account).await
}

/// Makes a calendar readable by an address that nobody can guess; it is told once.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/schedules/feeds", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path)), request_body = ScheduleFeedEdit,
    responses((status = CREATED, body = ScheduleFeedView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = BAD_REQUEST, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody)))]
pub async fn add_feed(
    State(front): State<Front>,
    client: PortalClient<needs::Schedule>,
    Body(edit): Body<ScheduleFeedEdit>,
) -> Result<Response, Problem> {
    make_feed(&front, &client.signed, client.account.clone(), edit).await
}

/// Nobody reads this calendar any more, from now on.
#[utoipa::path(delete, path = "/api/v1/portal/accounts/{account}/schedules/feeds/{id}", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), ("id" = ScheduleFeedId, Path)),
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn remove_feed(
    State(front): State<Front>,
    client: PortalClient<needs::Schedule>,
    named: Named,
) -> Result<StatusCode, Problem> {
    let id = named.find::<ScheduleFeedId>("id", "calendar")?;
    let there = front.store.find_schedule_feed(&id).await?.filter(|feed| feed.account == client.account);
    there.ok_or_else(|| Problem::not_found("calendar"))?;
    end_feed(&front, &client.signed, &id).await
}
