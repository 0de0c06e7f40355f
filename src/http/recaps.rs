//! When an account's recap goes out and to whom, and what became of the last ones.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::base::clock::UtcMs;
use crate::base::id::AccountId;
use crate::domain::recap::Recap;
use crate::domain::recap::plan::Plan;
use crate::io::store::recaps::PlanSet;

use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;

/// Recaps that are listed.
const LAST: u32 = 14;

/// An account's recap.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RecapBody {
    /// Null: it gets none.
    plan: Option<Plan>,
    /// When the next one is due.
    next_at: Option<UtcMs>,
    /// The last ones, the newest first.
    last: Vec<RecapView>,
}

/// One that was made.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RecapView {
    due_at: UtcMs,
    made_at: UtcMs,
    late: bool,
    /// Messages that were held for it, and others that are in it.
    held: usize,
    taken: usize,
    /// To whom it went; nobody, if there was nothing to report.
    to: Vec<RecapTo>,
}

/// One who gets it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RecapTo {
    name: String,
    accepted_at: Option<UtcMs>,
    /// Why it was given up, a short code.
    failed: Option<String>,
}

impl From<Recap> for RecapView {
    fn from(recap: Recap) -> Self {
        let late = recap.is_late();
        let to = |mail: crate::domain::recap::RecapMail| RecapTo {
            name: mail.name,
            accepted_at: mail.accepted_at,
            failed: mail.failed,
        };
        let (held, taken) = (recap.held.len(), recap.taken.len());
        Self {
            due_at: recap.due_at,
            made_at: recap.made_at,
            late,
            held,
            taken,
            to: recap.mails.into_iter().map(to).collect(),
        }
    }
}

async fn body(front: &Front, id: &AccountId, set: Option<PlanSet>) -> Result<Json<RecapBody>, Problem> {
    let zone = front.store.find_account_zone(id).await?.ok_or_else(|| Problem::not_found("account"))?;
    let last = front.store.list_recaps(id, LAST).await?.into_iter().map(RecapView::from).collect();
    let plan = set.map(|set| set.plan);
    let next_at = plan.as_ref().and_then(|plan| plan.next_at(&zone, front.clock.utc()));
    Ok(Json(RecapBody { plan, next_at, last }))
}

/// An account's recap: its times, who gets it, and the last ones.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/recap", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, body = RecapBody), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn show(
    State(front): State<Front>,
    _by: Supervisor,
    Id(id): Id<AccountId>,
) -> Result<Json<RecapBody>, Problem> {
    let set = front.clients.find_recap_plan(&id).await?;
    body(&front, &id, set).await
}

/// Sets its times and who gets it. The first recap is that of the next time that comes.
#[utoipa::path(put, path = "/api/v1/accounts/{id}/recap", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = Plan,
    responses((status = OK, body = RecapBody), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn set(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<AccountId>,
    Body(plan): Body<Plan>,
) -> Result<Json<RecapBody>, Problem> {
    let set = front.clients_of(&signed).set_recap_plan(&id, plan).await?;
    tracing::info!(account = %id, by = %signed.bearer.user, "the recap was set");
    body(&front, &id, Some(set)).await
}

/// It gets none any more. Refused while messages wait for it, or a protocol holds them for it.
#[utoipa::path(delete, path = "/api/v1/accounts/{id}/recap", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody)))]
pub async fn remove(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<AccountId>,
) -> Result<StatusCode, Problem> {
    front.clients_of(&signed).remove_recap_plan(&id).await?;
    tracing::info!(account = %id, by = %signed.bearer.user, "the recap was taken away");
    Ok(StatusCode::NO_CONTENT)
}
