//! The people who sign in, as supervisors see them: who there is, and what each can do for a caller.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::id::UserId;
use crate::domain::operator::skill::Skills;
use crate::io::store::users::Role;

use super::auth::{Person, require};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;

/// The people who sign in.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Users {
    items: Vec<UserView>,
}

/// Somebody who signs in.
#[derive(Serialize, utoipa::ToSchema)]
pub struct UserView {
    id: UserId,
    login: String,
    name: String,
    role: Role,
    disabled: bool,
    /// What they can do for a caller.
    skills: Skills,
}

/// What somebody can do from now on.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct SkillsBody {
    skills: Skills,
}

const SUPERVISORS: &[Role] = &[Role::Supervisor, Role::Admin];

/// Everybody who signs in, by login.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", security(("bearer" = [])),
    responses((status = OK, body = Users), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn list(State(front): State<Front>, Person(signed): Person) -> Result<Json<Users>, Problem> {
    require(&signed, SUPERVISORS)?;
    let view = |user: crate::io::store::users::User| UserView {
        id: user.id,
        login: user.login,
        name: user.name,
        role: user.role,
        disabled: user.disabled,
        skills: user.skills,
    };
    Ok(Json(Users { items: front.store.list_users().await?.into_iter().map(view).collect() }))
}

/// Says what somebody can do for a caller, in place of what was said before. At work, it counts within seconds.
#[utoipa::path(put, path = "/api/v1/users/{id}/skills", tag = "users", security(("bearer" = [])),
    params(("id" = UserId, Path)), request_body = SkillsBody,
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn set_skills(
    State(front): State<Front>,
    Person(signed): Person,
    Id(user): Id<UserId>,
    Body(body): Body<SkillsBody>,
) -> Result<StatusCode, Problem> {
    require(&signed, SUPERVISORS)?;
    let mut tx = front.store.write().await?;
    tx.set_skills(&user, &body.skills).await?;
    tx.commit("set_skills").await?;
    Ok(StatusCode::NO_CONTENT)
}
