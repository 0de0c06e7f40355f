//! Clients' own log-ins, made, changed and locked by supervisors and admins: who signs in, for which accounts, with which rights. Rights
//! that are taken away count from the next request on; whoever is locked out, or gets another password, is signed out at once.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::protocol_changes::AccountName;
use super::state::Front;
use super::user_checks::{check_login, check_password, hash, name_line, refuse_faulty, refuse_taken};
use crate::base::id::{AccountId, UserId};
use crate::domain::account::fault::Faults;
use crate::domain::operator::skill::Skills;
use crate::domain::portal::rights::Rights;
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::client_users::Access;
use crate::io::store::users::{HashedPassword, Role, User};

const MAX_ACCOUNTS: usize = 100;

/// Clients who sign in.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ClientUsers {
    items: Vec<ClientUserView>,
}

/// Somebody of a client's.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ClientUserView {
    id: UserId,
    login: String,
    name: String,
    /// Cannot sign in.
    disabled: bool,
    accounts: Vec<AccessView>,
}

/// An account of theirs.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AccessView {
    account: AccountName,
    rights: Rights,
}

/// An account that shall be theirs.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessEdit {
    account: AccountId,
    rights: Rights,
}

/// Somebody new.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClientUser {
    login: String,
    name: String,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    accounts: Vec<AccessEdit>,
}

/// What is to be another; the rest stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientUserChange {
    name: Option<String>,
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
    disabled: Option<bool>,
    /// All of them, in place of those that were.
    accounts: Option<Vec<AccessEdit>>,
}

async fn views(front: &Front, users: Vec<User>, access: &[Access]) -> Result<Vec<ClientUserView>, Problem> {
    let accounts = front.store.list_accounts().await?;
    let name = |id: &AccountId| AccountName {
        id: id.clone(),
        name: accounts.iter().find(|account| account.id == *id).map(|a| a.name.clone()).unwrap_or_default(),
    };
    let view = |user: User| ClientUserView {
        accounts: access
            .iter()
            .filter(|access| access.user == user.id)
            .map(|access| AccessView { account: name(&access.account), rights: access.rights.clone() })
            .collect(),
        id: user.id,
        login: user.login,
        name: user.name,
        disabled: user.disabled,
    };
    Ok(users.into_iter().map(view).collect())
}

async fn view(front: &Front, user: User) -> Result<ClientUserView, Problem> {
    let access = front.store.list_access(&user.id).await?;
    views(front, vec![user], &access).await?.pop().ok_or_else(Problem::fault)
}

async fn check_accounts(
    front: &Front,
    faults: &mut Faults,
    edits: &[AccessEdit],
) -> Result<Vec<(AccountId, Rights)>, Problem> {
    let known = front.store.list_accounts().await?;
    if edits.is_empty() || edits.len() > MAX_ACCOUNTS {
        let cure = format!("Choose 1 to {MAX_ACCOUNTS} accounts.");
        faults.add("/accounts", "client.accounts", "A client's log-in belongs to accounts.", cure);
    }
    for (at, edit) in edits.iter().enumerate() {
        if !known.iter().any(|account| account.id == edit.account) {
            let cure = "Choose one that there is.";
            faults.add(format!("/accounts/{at}/account"), "client.account", "There is no such account.", cure);
        }
        if edits[..at].iter().any(|other| other.account == edit.account) {
            faults.add(format!("/accounts/{at}/account"), "client.twice", "It is there twice.", "Take one out.");
        }
        if edit.rights.is_empty() {
            let cure = "Choose at least one, or take the account out.";
            faults.add(format!("/accounts/{at}/rights"), "client.rights", "Nothing is allowed there.", cure);
        }
    }
    Ok(edits.iter().map(|edit| (edit.account.clone(), edit.rights.clone())).collect())
}

/// Every client who signs in, by login.
#[utoipa::path(get, path = "/api/v1/clients", tag = "users", security(("bearer" = [])),
    responses((status = OK, body = ClientUsers), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn list(State(front): State<Front>, _by: Supervisor) -> Result<Json<ClientUsers>, Problem> {
    let users = front.store.list_users().await?.into_iter().filter(|user| user.role == Role::Client).collect();
    let access = front.store.list_all_access().await?;
    Ok(Json(ClientUsers { items: views(&front, users, &access).await? }))
}

/// Adds a client's log-in.
#[utoipa::path(post, path = "/api/v1/clients", tag = "users", security(("bearer" = [])), request_body = NewClientUser,
    responses((status = CREATED, body = ClientUserView), (status = FORBIDDEN, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn add(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Body(new): Body<NewClientUser>,
) -> Result<(StatusCode, Json<ClientUserView>), Problem> {
    let mut faults = Faults::default();
    check_login(&mut faults, &new.login);
    let name = faults.text(&new.name, &name_line());
    check_password(&mut faults, &new.password);
    let access = check_accounts(&front, &mut faults, &new.accounts).await?;
    refuse_faulty(faults)?;
    let hashed = HashedPassword::of(new.password).await?;
    let now = front.clock.utc();
    let mut tx = front.store.write().await?;
    refuse_taken(&mut tx, &new.login).await?;
    let (login, skills) = (new.login, Skills::new());
    let user = User { id: UserId::fresh(now), login, name, role: Role::Client, disabled: false, skills };
    tx.insert_user(&user, &hashed, now).await?;
    tx.set_access(&user.id, &access).await?;
    let user = tx.find_user(&user.id).await?.ok_or_else(Problem::fault)?;
    tx.audit(Entry::new(now, Who::User(signed.bearer.user.clone()), Act::UserAdded, user.id.to_string()));
    tx.commit("add_client").await?;
    tracing::info!(user = %signed.bearer.user, added = %user.id, "a client's log-in was added");
    Ok((StatusCode::CREATED, Json(view(&front, user).await?)))
}

/// Changes a client's log-in.
#[utoipa::path(patch, path = "/api/v1/clients/{id}", tag = "users", security(("bearer" = [])),
    params(("id" = UserId, Path)), request_body = ClientUserChange,
    responses((status = OK, body = ClientUserView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn change(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<UserId>,
    Body(change): Body<ClientUserChange>,
) -> Result<Json<ClientUserView>, Problem> {
    let mut faults = Faults::default();
    let name = change.name.as_ref().map(|name| faults.text(name, &name_line()));
    if let Some(password) = &change.password {
        check_password(&mut faults, password);
    }
    let access = match &change.accounts {
        Some(accounts) => Some(check_accounts(&front, &mut faults, accounts).await?),
        None => None,
    };
    refuse_faulty(faults)?;
    let hashed = hash(change.password).await?;
    let now = front.clock.utc();
    let mut tx = front.store.write().await?;
    // Nobody of the service is changed by this door.
    let before = tx.find_user(&id).await?.filter(|user| user.role == Role::Client);
    let before = before.ok_or_else(|| Problem::not_found("client"))?;
    let open = tx.list_sessions_of(&id, now).await?;
    let disabled = change.disabled.unwrap_or(before.disabled);
    tx.update_client(&before, name.as_deref().unwrap_or(&before.name), disabled, now).await?;
    if let Some(hashed) = &hashed {
        tx.set_password(&id, hashed, now).await?;
    }
    if let Some(access) = &access {
        tx.set_access(&id, access).await?;
    }
    let left = tx.list_sessions_of(&id, now).await?;
    let user = tx.find_user(&id).await?.ok_or_else(Problem::fault)?;
    tx.audit(Entry::new(now, Who::User(signed.bearer.user.clone()), Act::UserChanged, id.to_string()));
    tx.commit("change_client").await?;
    for ended in open.iter().filter(|session| !left.contains(session)) {
        front.tokens.revoke(ended);
    }
    front.live.forget_user(&id);
    tracing::info!(user = %signed.bearer.user, changed = %id, disabled, "a client's log-in was changed");
    Ok(Json(view(&front, user).await?))
}
