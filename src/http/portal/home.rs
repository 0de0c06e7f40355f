//! What a client sees first: who they are, and which accounts they have with what they may there.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::base::id::AccountId;
use crate::domain::portal::going_live::{Part, PartState, Standing};
use crate::domain::portal::rights::Rights;
use crate::http::auth::ClientUser;
use crate::http::error::{Problem, ProblemBody};
use crate::http::sessions::PersonView;
use crate::http::state::Front;

/// Everything that is theirs.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Portal {
    user: PersonView,
    accounts: Vec<PortalAccount>,
}

/// An account of theirs.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalAccount {
    id: AccountId,
    name: String,
    color: String,
    zone: String,
    rights: Rights,
    state: Standing,
    /// What was never approved.
    missing: Vec<Part>,
    /// What is another since it was approved.
    changed: Vec<Part>,
}

/// My accounts, and what I may there.
#[utoipa::path(get, path = "/api/v1/portal", tag = "portal", security(("bearer" = [])),
    responses((status = OK, body = Portal), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn show(State(front): State<Front>, ClientUser(signed): ClientUser) -> Result<Json<Portal>, Problem> {
    let user = front.store.find_user(&signed.bearer.user).await?.ok_or_else(|| Problem::not_found("user"))?;
    let mut accounts = Vec::new();
    for access in front.store.list_access(&signed.bearer.user).await? {
        let Some(account) = front.store.find_account(&access.account).await? else { continue };
        let stands = front.clients.going_live(&account.id).await?;
        accounts.push(PortalAccount {
            state: stands.standing,
            missing: stands.parts_that_are(PartState::Open),
            changed: stands.parts_that_are(PartState::Changed),
            id: account.id,
            name: account.name,
            color: account.color,
            zone: account.zone,
            rights: access.rights,
        });
    }
    accounts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(Portal { user: user.into(), accounts }))
}
