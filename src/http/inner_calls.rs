//! Calls between operators on their desk phones, for supervisors.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::CallId;
use crate::domain::call::cause::Cause;
use crate::engine::feed::UserRef;

use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::extract::Params;
use super::messages::pick_limit;
use super::state::Front;

/// Which part of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InnerFilter {
    #[param(value_type = Option<String>)]
    cursor: Option<CallId>,
    limit: Option<u32>,
}

/// Calls between operators, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct InnerPage {
    items: Vec<InnerView>,
    /// Send it as `cursor` for those that follow; null at the end.
    next: Option<CallId>,
}

/// A call between two operators.
#[derive(Serialize, utoipa::ToSchema)]
pub struct InnerView {
    id: CallId,
    by: UserRef,
    to: UserRef,
    started_at: UtcMs,
    /// Null: it was not picked up.
    answered_at: Option<UtcMs>,
    /// Null while it lasts, and of one that was cut off by a crash.
    ended_at: Option<UtcMs>,
    cause: Option<Cause>,
}

/// Calls that operators made to each other on their desk phones. Nothing of them is recorded.
#[utoipa::path(get, path = "/api/v1/inner_calls", tag = "calls", security(("bearer" = [])), params(InnerFilter),
    responses((status = OK, body = InnerPage), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    _by: Supervisor,
    Params(filter): Params<InnerFilter>,
) -> Result<Json<InnerPage>, Problem> {
    let limit = pick_limit(filter.limit);
    let mut found = front.store.list_inner_calls(filter.cursor.as_ref(), limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| last.id.clone());
    let users = front.store.list_users().await?;
    let who = |id| {
        let name = users.iter().find(|user| user.id == id).map(|user| user.name.clone()).unwrap_or_default();
        UserRef { id, name }
    };
    let items = found.into_iter().map(|call| InnerView {
        id: call.id,
        by: who(call.by),
        to: who(call.to),
        started_at: call.started_at,
        answered_at: call.answered_at,
        ended_at: call.end.map(|(at, _)| at),
        cause: call.end.map(|(_, cause)| cause),
    });
    Ok(Json(InnerPage { items: items.collect(), next }))
}
