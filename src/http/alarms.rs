//! Alarms that an operator has seen to, or says that they see to.

use axum::extract::State;
use axum::http::StatusCode;

use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::Id;
use super::state::Front;

/// I have seen to this alarm (a text nobody could place, a caller to ring back). Alarms of dispatches go when their
/// cause does. Answered once it is stored, so that it does not come back with the next start; who saw to what somebody wrote is on its
/// message's time line.
#[utoipa::path(delete, path = "/api/v1/alarms/{id}", tag = "live", security(("bearer" = [])),
    params(("id" = String, Path)), responses((status = NO_CONTENT), (status = UNAUTHORIZED, body = ProblemBody),
        (status = SERVICE_UNAVAILABLE, body = ProblemBody)))]
pub async fn silence(State(front): State<Front>, by: Operator, Id(alarm): Id<String>) -> Result<StatusCode, Problem> {
    front.dispatcher.silence(&alarm, &by.0.user()).await?;
    front.desk.silence(&alarm).await;
    tracing::info!(user = %by.0.bearer.user, "an alarm was seen to");
    Ok(StatusCode::NO_CONTENT)
}

/// I see to all that stands: nobody else is told of it for now. What stands on all the same rings again after a while. Answered once
/// it is stored.
#[utoipa::path(post, path = "/api/v1/alarms/acknowledge", tag = "live", security(("bearer" = [])),
    responses((status = NO_CONTENT), (status = UNAUTHORIZED, body = ProblemBody),
        (status = SERVICE_UNAVAILABLE, body = ProblemBody)))]
pub async fn acknowledge(State(front): State<Front>, by: Operator) -> Result<StatusCode, Problem> {
    if front.alarms.acknowledge(&by.0.user()).await? {
        tracing::info!(user = %by.0.bearer.user, "alarms were acknowledged");
    }
    Ok(StatusCode::NO_CONTENT)
}
