//! What a supervisor does from the floor: moves a call, sends an operator home.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;

use crate::base::id::{CallId, UserId};
use crate::engine::feed::{FeedEvent, SeatState, SeatView};

use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::{Front, NotNow};

/// Where the call goes.
#[derive(Default, Deserialize, utoipa::ToSchema)]
pub struct MoveBody {
    /// An operator who is ready; without, the head of the queue.
    to: Option<UserId>,
}

/// Takes a call from its operator, its form with it: for another who is ready, or for whoever is free first.
#[utoipa::path(post, path = "/api/v1/calls/{id}/move", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), request_body = MoveBody,
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn move_call(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(call): Id<CallId>,
    Body(body): Body<MoveBody>,
) -> Result<StatusCode, Problem> {
    match front.desk.move_call(call, signed.bearer.user, body.to).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(NotNow(why)) => Err(Problem::conflict("call.not_now", why)),
    }
}

/// Sends an operator home: no more calls from now on, and their sessions end as soon as the call they talk in, and its form, are
/// done. A call that rings there, or is on hold, goes back to the head of the queue at once.
#[utoipa::path(post, path = "/api/v1/seats/{id}/log_out", tag = "seat", security(("bearer" = [])),
    params(("id" = UserId, Path)),
    responses((status = ACCEPTED), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn log_out(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(user): Id<UserId>,
) -> Result<StatusCode, Problem> {
    if !front.desk.log_out(user.clone(), signed.user()).await {
        return Err(Problem::not_found("seat"));
    }
    tracing::info!(%user, by = %signed.bearer.user, "logged out by a supervisor");
    tokio::spawn(async move {
        if free(&front, &user).await
            && let Err(problem) = end_sessions(&front, &user).await
        {
            tracing::error!(%user, code = problem.code, "an operator who was logged out still has sessions");
        }
    });
    Ok(StatusCode::ACCEPTED)
}

/// Waits until the seat has no call and no form left. False: the service is stopping.
async fn free(front: &Front, user: &UserId) -> bool {
    let mut changes = front.feed.subscribe();
    loop {
        let Some(floor) = front.desk.floor().await else { return false };
        if floor.seats.iter().find(|seat| seat.user.id == *user).is_none_or(is_free) {
            return true;
        }
        loop {
            match changes.recv().await {
                Ok(FeedEvent::Seat { seat }) if seat.user.id == *user => break,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return false,
            }
        }
    }
}

fn is_free(seat: &SeatView) -> bool {
    seat.calls.is_empty() && !matches!(seat.state, SeatState::Offered | SeatState::Talking | SeatState::WrapUp)
}

async fn end_sessions(front: &Front, user: &UserId) -> Result<(), Problem> {
    let mut tx = front.store.write().await?;
    tx.revoke_sessions_of(user, "logged out by a supervisor", front.clock.utc()).await?;
    tx.commit("log_out").await?;
    Ok(())
}
