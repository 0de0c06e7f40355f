//! The person who asks, and their seat.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::engine::feed::SeatView;
use crate::io::store::users::Role;

use super::auth::Person;
use super::error::{Problem, ProblemBody};
use super::sessions::PersonView;
use super::state::{Front, board};

/// Who is signed in.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Me {
    user: PersonView,
    /// Clients have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    seat: Option<SeatView>,
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/me", tag = "sessions", security(("bearer" = [])),
    responses((status = OK, body = Me), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn show(State(front): State<Front>, Person(signed): Person) -> Result<Json<Me>, Problem> {
    let user = front.store.find_user(&signed.bearer.user).await?.ok_or_else(|| Problem::not_found("user"))?;
    let seat = match user.role {
        Role::Client => None,
        Role::Admin | Role::Supervisor | Role::Operator => Some(board(&front, signed.user()).await?.seat),
    };
    Ok(Json(Me { user: user.into(), seat }))
}
