//! Protocols that clients propose, for the service: what waits, what each would change in plain English, and the decision. Approved, it
//! is published as the next version under both names.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id, Params};
use super::state::Front;
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ProtocolChangeId, UserId};
use crate::engine::clients::{ProtocolEdit, ReadChange, Verdict};
use crate::engine::feed::UserRef;
use crate::io::store::protocol_changes::{ChangeState, ProtocolChange};
use crate::io::store::users::User;

/// Proposals that are listed.
const LAST: u32 = 200;

/// Proposals, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProtocolChanges {
    items: Vec<ProtocolChangeView>,
}

/// A protocol as a client would have it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProtocolChangeView {
    id: ProtocolChangeId,
    account: AccountName,
    proposed_by: UserRef,
    at: UtcMs,
    /// Why, in the client's words.
    note: String,
    protocol: ProtocolEdit,
    /// What is done, and what would be, in plain English; and what is another. By what is in force now while it waits.
    before: Vec<String>,
    after: Vec<String>,
    changes: Vec<String>,
    /// Of what is read here, while it waits: an approval names it.
    version: Option<String>,
    state: ChangeState,
    decided: Option<DecidedView>,
    /// It waits, and the protocol is another than when it was proposed.
    stale: bool,
    /// The version that it became is in force now, for some kind of call.
    in_force: bool,
}

/// An account by name.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AccountName {
    pub id: AccountId,
    pub name: String,
}

/// Who decided, and how.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DecidedView {
    by: UserRef,
    at: UtcMs,
    words: String,
    /// The version that it became.
    version: Option<u32>,
}

/// Which proposals.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    #[param(inline)]
    state: Option<ChangeState>,
}

/// A yes to what was read.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveBody {
    /// The `version` that was read.
    version: String,
    /// To the client.
    #[serde(default)]
    words: String,
}

/// What is said with a refusal.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseBody {
    /// To the client: why.
    #[serde(default)]
    words: String,
}

impl ProtocolChanges {
    pub(super) async fn of(front: &Front, changes: Vec<ProtocolChange>) -> Result<Self, Problem> {
        let users = front.store.list_users().await?;
        let mut items = Vec::with_capacity(changes.len());
        for change in changes {
            items.push(view_by(front, &users, change).await?);
        }
        Ok(Self { items })
    }
}

/// A proposal with names.
pub(super) async fn view(front: &Front, change: ProtocolChange) -> Result<ProtocolChangeView, Problem> {
    view_by(front, &front.store.list_users().await?, change).await
}

async fn view_by(front: &Front, users: &[User], change: ProtocolChange) -> Result<ProtocolChangeView, Problem> {
    let name = |id: UserId| UserRef {
        name: users.iter().find(|user| user.id == id).map(|user| user.name.clone()).unwrap_or_default(),
        id,
    };
    let stale = front.clients.is_overtaken(&change).await?;
    let in_force = front.clients.is_in_force(&change).await?;
    let account = front.store.find_account(&change.account).await?.ok_or_else(Problem::fault)?;
    // Whoever proposed it was refused if it could not be read.
    let protocol = serde_json::from_str(&change.protocol).map_err(|_| Problem::fault())?;
    let ReadChange { words, version } = front.clients.read_change(&change).await?;
    let decided = change.decision.map(|decision| DecidedView {
        by: name(decision.by),
        at: decision.at,
        words: words.decided,
        version: decision.version,
    });
    Ok(ProtocolChangeView {
        id: change.id,
        account: AccountName { id: account.id, name: account.name },
        proposed_by: name(change.proposed_by),
        at: change.proposed_at,
        note: words.note,
        protocol,
        before: words.before,
        after: words.after,
        changes: words.changes,
        version,
        state: change.state,
        decided,
        stale,
        in_force,
    })
}

/// What clients propose.
#[utoipa::path(get, path = "/api/v1/protocol_changes", tag = "accounts", security(("bearer" = [])), params(Which),
    responses((status = OK, body = ProtocolChanges), (status = FORBIDDEN, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    _by: Supervisor,
    Params(which): Params<Which>,
) -> Result<Json<ProtocolChanges>, Problem> {
    let found = front.store.list_protocol_changes(None, which.state, LAST).await?;
    ProtocolChanges::of(&front, found).await.map(Json)
}

/// Publishes what was proposed as the next version, as it was read.
#[utoipa::path(post, path = "/api/v1/protocol_changes/{id}/approve", tag = "accounts", security(("bearer" = [])),
    params(("id" = ProtocolChangeId, Path)), request_body = ApproveBody,
    responses((status = OK, body = ProtocolChangeView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn approve(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ProtocolChangeId>,
    Body(body): Body<ApproveBody>,
) -> Result<Json<ProtocolChangeView>, Problem> {
    let by = &signed.bearer.user;
    let made = front.clients_of(&signed).approve_change(&id, &body.version, &body.words, by).await?;
    tracing::info!(user = %by, change = %id, protocol = %made.now.id, "a client's protocol was approved");
    let change = front.store.find_protocol_change(&id).await?.ok_or_else(|| Problem::not_found("change"))?;
    Ok(Json(view(&front, change).await?))
}

/// Refuses what was proposed, and says why.
#[utoipa::path(post, path = "/api/v1/protocol_changes/{id}/refuse", tag = "accounts", security(("bearer" = [])),
    params(("id" = ProtocolChangeId, Path)), request_body = RefuseBody,
    responses((status = OK, body = ProtocolChangeView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn refuse(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<ProtocolChangeId>,
    Body(body): Body<RefuseBody>,
) -> Result<Json<ProtocolChangeView>, Problem> {
    let by = &signed.bearer.user;
    let dropped = front.clients_of(&signed).drop_change(&id, Verdict::Refuse, &body.words, by).await?;
    tracing::info!(user = %by, change = %id, "a client's protocol was refused");
    Ok(Json(view(&front, dropped).await?))
}
