//! Users: who signs in, as what, and what they can do for a caller. Admins change them, supervisors say who can what. Whoever
//! is locked out, or gets another password or role, is signed out at once; a call they are on goes on.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::base::id::UserId;
use crate::domain::account::fault::Faults;
use crate::domain::operator::skill::Skills;
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::users::{HashedPassword, Role, User};

use super::auth::{Admin, Supervisor};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;
use super::user_checks::{
    check_login, check_password, hash, name_line, refuse_faulty, refuse_last_admin, refuse_taken,
};

/// Users.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Users {
    items: Vec<UserView>,
}

/// A user, as admins see them.
#[derive(Serialize, utoipa::ToSchema)]
pub struct UserView {
    id: UserId,
    login: String,
    name: String,
    role: Role,
    /// Cannot sign in.
    disabled: bool,
    /// What they can do for a caller.
    skills: Skills,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            login: user.login,
            name: user.name,
            role: user.role,
            disabled: user.disabled,
            skills: user.skills,
        }
    }
}

/// Somebody new.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    login: String,
    /// The login if it is left out.
    #[serde(default)]
    name: String,
    role: Role,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// What is to be another; the rest stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    name: Option<String>,
    role: Option<Role>,
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
    disabled: Option<bool>,
}

/// What somebody can do from now on.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct SkillsBody {
    skills: Skills,
}

/// Everybody who signs in, by login.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", security(("bearer" = [])),
    responses((status = OK, body = Users), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn list(State(front): State<Front>, _by: Supervisor) -> Result<Json<Users>, Problem> {
    // Clients have a list of their own.
    let users = front.store.list_users().await?.into_iter().filter(|user| user.role != Role::Client);
    let items = users.map(UserView::from).collect();
    Ok(Json(Users { items }))
}

/// Adds somebody who signs in.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", security(("bearer" = [])), request_body = NewUser,
    responses((status = CREATED, body = UserView), (status = FORBIDDEN, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn add(
    State(front): State<Front>,
    Admin(signed): Admin,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, Json<UserView>), Problem> {
    let mut faults = Faults::default();
    check_login(&mut faults, &new.login);
    let mut name = faults.text(&new.name, &name_line().optional());
    if name.is_empty() {
        name = new.login.trim().to_owned();
    }
    check_password(&mut faults, &new.password);
    check_role(&mut faults, new.role);
    refuse_faulty(faults)?;
    let hashed = HashedPassword::of(new.password).await?;
    let now = front.clock.utc();
    let mut tx = front.store.write().await?;
    refuse_taken(&mut tx, &new.login).await?;
    let user =
        User { id: UserId::fresh(now), login: new.login, name, role: new.role, disabled: false, skills: Skills::new() };
    tx.insert_user(&user, &hashed, now).await?;
    let user = tx.find_user(&user.id).await?.ok_or_else(Problem::fault)?;
    let by = Who::User(signed.bearer.user.clone());
    tx.audit(Entry::new(now, by, Act::UserAdded, user.id.to_string()));
    tx.commit("add_user_by_admin").await?;
    tracing::info!(user = %signed.bearer.user, added = %user.id, "a user was added");
    Ok((StatusCode::CREATED, Json(user.into())))
}

/// Changes a user. Another password or role, or being locked out, ends their sessions at once.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", security(("bearer" = [])),
    params(("id" = UserId, Path)), request_body = UserChange,
    responses((status = OK, body = UserView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn change(
    State(front): State<Front>,
    Admin(signed): Admin,
    Id(id): Id<UserId>,
    Body(change): Body<UserChange>,
) -> Result<Json<UserView>, Problem> {
    let mut faults = Faults::default();
    let name = change.name.as_ref().map(|name| faults.text(name, &name_line()));
    if let Some(password) = &change.password {
        check_password(&mut faults, password);
    }
    if let Some(role) = change.role {
        check_role(&mut faults, role);
    }
    refuse_faulty(faults)?;
    let hashed = hash(change.password).await?;
    let now = front.clock.utc();
    let mut tx = front.store.write().await?;
    let before = tx.find_user(&id).await?.filter(|user| user.role != Role::Client);
    let before = before.ok_or_else(|| Problem::not_found("user"))?;
    let role = change.role.unwrap_or(before.role);
    let disabled = change.disabled.unwrap_or(before.disabled);
    refuse_last_admin(&mut tx, &before, role, disabled).await?;
    let open = tx.list_sessions_of(&id, now).await?;
    tx.update_user(&id, name.as_deref().unwrap_or(&before.name), role, now).await?;
    if let Some(hashed) = &hashed {
        tx.set_password(&id, hashed, now).await?;
    }
    match (before.disabled, disabled) {
        (false, true) => tx.disable_user(&id, now).await?,
        (true, false) => tx.enable_user(&id).await?,
        _ => {}
    }
    let left = tx.list_sessions_of(&id, now).await?;
    let user = tx.find_user(&id).await?.ok_or_else(Problem::fault)?;
    let by = Who::User(signed.bearer.user.clone());
    tx.audit(Entry::new(now, by, Act::UserChanged, id.to_string()));
    tx.commit("change_user").await?;
    for ended in open.iter().filter(|session| !left.contains(session)) {
        front.tokens.revoke(ended);
    }
    // Their name as well is asked for anew.
    front.live.forget_user(&id);
    tracing::info!(user = %signed.bearer.user, changed = %id, disabled, "a user was changed");
    Ok(Json(user.into()))
}

/// A client belongs to accounts, which are not said here.
fn check_role(faults: &mut Faults, role: Role) {
    if role == Role::Client {
        faults.add("/role", "user.client", "Clients' log-ins are made elsewhere.", "Make it at /api/v1/clients.");
    }
}

/// Says what somebody can do for a caller, in place of what was said before. At work, it counts within seconds.
#[utoipa::path(put, path = "/api/v1/users/{id}/skills", tag = "users", security(("bearer" = [])),
    params(("id" = UserId, Path)), request_body = SkillsBody,
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn set_skills(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(user): Id<UserId>,
    Body(body): Body<SkillsBody>,
) -> Result<StatusCode, Problem> {
    let mut tx = front.store.write().await?;
    tx.set_skills(&user, &body.skills).await?;
    let by = Who::User(signed.bearer.user);
    tx.audit(Entry::new(front.clock.utc(), by, Act::UserChanged, user.to_string()));
    tx.commit("set_skills").await?;
    Ok(StatusCode::NO_CONTENT)
}
