//! Listening to a live call: monitor, whisper, barge. For supervisors and admins; who listened is on the call's record
//! and on the audit log.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::base::id::CallId;
use crate::engine::calls::ListenMode;
use crate::io::store::audit::Act;

use super::audit;
use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::{Front, NotNow};

/// How I want to be in the call.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct ListenBody {
    mode: ListenMode,
}

/// Rings my phone and lets me hear the call; sent again, it changes the mode without a ring.
#[utoipa::path(post, path = "/api/v1/calls/{id}/listen", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), request_body = ListenBody,
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn start(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(call): Id<CallId>,
    Body(body): Body<ListenBody>,
) -> Result<StatusCode, Problem> {
    let act = match body.mode {
        ListenMode::Monitor => Act::CallMonitored,
        ListenMode::Whisper => Act::CallWhispered,
        ListenMode::Barge => Act::CallBarged,
    };
    match front.desk.listen(call.clone(), signed.user(), body.mode).await {
        Ok(()) => {
            let noted = audit::did(&front, &signed, act, &call).await;
            if noted.is_err() {
                // Their phone has only begun to ring.
                front.desk.leave(call, signed.bearer.user);
            }
            noted.map(|()| StatusCode::NO_CONTENT)
        }
        Err(NotNow(why)) => Err(Problem::conflict("call.not_now", why)),
    }
}

/// I have heard enough. The others are not disturbed.
#[utoipa::path(delete, path = "/api/v1/calls/{id}/listen", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)),
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn stop(State(front): State<Front>, Supervisor(signed): Supervisor, Id(call): Id<CallId>) -> StatusCode {
    front.desk.leave(call, signed.bearer.user);
    StatusCode::NO_CONTENT
}
