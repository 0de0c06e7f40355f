//! The floor as a supervisor sees it: every seat, every live call, the queue, and the figures of today.
//!
//! One picture; changes come by the feed (`seat`, `call`, `call_gone`, `queue`, `figures`).

use axum::Json;
use axum::extract::State;

use crate::engine::feed::FloorView;

use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::state::Front;

/// The floor now. For supervisors and admins.
#[utoipa::path(get, path = "/api/v1/board", tag = "live", security(("bearer" = [])),
    responses((status = OK, body = FloorView), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn show(State(front): State<Front>, _by: Supervisor) -> Result<Json<FloorView>, Problem> {
    let floor = front.desk.floor().await;
    floor.map(Json).ok_or_else(|| Problem::unavailable("health.draining", "The service is stopping."))
}
