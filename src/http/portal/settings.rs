//! What clients set of their account: holidays, the status greeting, the recap. All of it goes the way of the service's own changes, one
//! edition after another.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::guard::{PortalClient, needs};
use crate::base::clock::UtcMs;
use crate::base::id::AccountId;
use crate::domain::account::{Speech, StatusGreeting};
use crate::domain::recap::plan::Plan;
use crate::engine::calls::greetings::end_status_greeting;
use crate::engine::clients::{HolidayEdit, Refusal};
use crate::engine::feed::FeedEvent;
use crate::http::account_edit::{IfMatch, etag};
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::Body;
use crate::http::state::Front;
use crate::io::store::audit::Who;

/// What is set of an account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalSettings {
    edition: u32,
    zone: String,
    holidays: Vec<HolidayEdit>,
    /// What callers hear before the greeting now.
    status_greeting: Option<StatusGreeting>,
    /// What they hear then. The service changes it.
    greeting: Speech,
    recap: Option<Plan>,
    next_recap_at: Option<UtcMs>,
}

/// All holidays, as they should be.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolidaysBody {
    /// The edition that was read before.
    edition: Option<u32>,
    holidays: Vec<HolidayEdit>,
}

/// Words that callers hear first.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusWords {
    text: String,
    /// When it is over by itself; none: when somebody takes it down.
    #[serde(default)]
    until: Option<UtcMs>,
}

async fn answer(front: &Front, client: &PortalClient<needs::Settings>) -> Result<Response, Problem> {
    let edition = front.store.find_account_edition(&client.account).await?;
    let edition = edition.ok_or_else(|| Problem::not_found("account"))?;
    let account = client.find_account(front).await?;
    let now = front.clock.utc();
    let recap = front.store.find_recap_plan(&account.id).await?.map(|set| set.plan);
    let view = PortalSettings {
        edition,
        holidays: account.hours.holidays.iter().map(|day| HolidayEdit::of(day, &account.hours.usual)).collect(),
        status_greeting: account.status_greeting_at(now).cloned(),
        greeting: account.greeting,
        next_recap_at: recap.as_ref().and_then(|plan| plan.next_at(&account.zone, now)),
        recap,
        zone: account.zone,
    };
    Ok(([etag(edition)], Json(view)).into_response())
}

/// Holidays, status greeting and recap of my account.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/settings", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)),
    responses((status = OK, body = PortalSettings), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn show(State(front): State<Front>, client: PortalClient<needs::Settings>) -> Result<Response, Problem> {
    answer(&front, &client).await
}

/// Writes the holidays, whole. A change counts from the next call on.
#[utoipa::path(put, path = "/api/v1/portal/accounts/{account}/holidays", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path), ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    request_body = HolidaysBody,
    responses((status = OK, body = PortalSettings), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = PRECONDITION_FAILED, body = ProblemBody), (status = PRECONDITION_REQUIRED, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn set_holidays(
    State(front): State<Front>,
    client: PortalClient<needs::Settings>,
    if_match: IfMatch,
    Body(body): Body<HolidaysBody>,
) -> Result<Response, Problem> {
    let seen = if_match.or(body.edition);
    let edition = seen.required()?;
    let changed = front.clients_of(&client.signed).set_holidays(&client.account, edition, &body.holidays).await;
    changed.map_err(|why| match why {
        // Told at its place in what was sent here.
        Refusal::Faulty(mut faults) => {
            for fault in &mut faults {
                fault.pointer = fault.pointer.strip_prefix("/hours").unwrap_or(&fault.pointer).to_owned();
            }
            Problem::faulty("account.invalid", faults)
        }
        other => seen.refuse(other),
    })?;
    tracing::info!(user = %client.signed.bearer.user, account = %client.account, "a client changed the holidays");
    answer(&front, &client).await
}

/// Callers hear these words before the greeting, from the next call on.
#[utoipa::path(put, path = "/api/v1/portal/accounts/{account}/status_greeting", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)), request_body = StatusWords,
    responses((status = OK, body = PortalSettings), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn put_up_status(
    State(front): State<Front>,
    client: PortalClient<needs::Settings>,
    Body(body): Body<StatusWords>,
) -> Result<Response, Problem> {
    let clients = front.clients_of(&client.signed);
    clients.put_up_status(&client.account, &body.text, body.until, &client.signed.name).await?;
    tracing::info!(user = %client.signed.bearer.user, account = %client.account, "a client put up a status greeting");
    answer(&front, &client).await
}

/// Takes it down.
#[utoipa::path(delete, path = "/api/v1/portal/accounts/{account}/status_greeting", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path)),
    responses((status = OK, body = PortalSettings), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn take_down_status(
    State(front): State<Front>,
    client: PortalClient<needs::Settings>,
) -> Result<Response, Problem> {
    let (by, now) = (Who::User(client.signed.bearer.user.clone()), front.clock.utc());
    let edition = end_status_greeting(&front.store, &client.account, &client.signed.name, by, now).await?;
    front.feed.publish(FeedEvent::Account { id: client.account.clone(), edition });
    answer(&front, &client).await
}

/// Sets the times of the recap and who gets it.
#[utoipa::path(put, path = "/api/v1/portal/accounts/{account}/recap", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)), request_body = Plan,
    responses((status = OK, body = PortalSettings), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn set_recap(
    State(front): State<Front>,
    client: PortalClient<needs::Settings>,
    Body(plan): Body<Plan>,
) -> Result<Response, Problem> {
    front.clients_of(&client.signed).set_recap_plan(&client.account, plan).await?;
    tracing::info!(user = %client.signed.bearer.user, account = %client.account, "a client set the recap");
    answer(&front, &client).await
}

/// The account gets none any more. Refused while messages wait for it, or a protocol holds them for it.
#[utoipa::path(delete, path = "/api/v1/portal/accounts/{account}/recap", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)),
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody)))]
pub async fn remove_recap(
    State(front): State<Front>,
    client: PortalClient<needs::Settings>,
) -> Result<StatusCode, Problem> {
    front.clients_of(&client.signed).remove_recap_plan(&client.account).await?;
    Ok(StatusCode::NO_CONTENT)
}
