//! What whoever writes a protocol asks beside saving it: what would happen, what to begin with, what earlier versions did, and one of
//! them brought back.

use std::collections::{BTreeMap, HashMap};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallTypeId, DispatchId, MessageId, ProtocolId, UserId};
use crate::domain::account::Urgency;
use crate::domain::account::fault::Fault;
use crate::domain::dispatch::describe::describe;
use crate::domain::dispatch::reference;
use crate::domain::dispatch::simulate::{Outlook, can_confirm};
use crate::domain::dispatch::template::{Fitted, Player};
use crate::engine::clients::{Changed, Offered, Rehearsal, Version};
use crate::engine::feed::UserRef;

use super::account_edit::{IfMatch, etag};
use super::accounts::ProtocolView;
use super::auth::{Operator, Signed, Supervisor};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id, Params};
use super::going_live::note_test_night;
use super::protocols::EditedProtocol;
use super::state::Front;

/// What would happen; or what is wrong, and nothing.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Simulation {
    outlook: Option<Outlook>,
    errors: Vec<Fault>,
    /// The steps that can be confirmed, counted from 1.
    confirmable: Vec<usize>,
}

/// What each trade begins with.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Templates {
    items: Vec<TemplateView>,
}

/// A template, as it would be in this account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TemplateView {
    key: &'static str,
    trade: &'static str,
    name: &'static str,
    /// What it is for.
    says: &'static str,
    urgency: Urgency,
    parts: Vec<PartView>,
    /// What it would do, in plain English.
    text: Vec<String>,
}

/// Somebody whom a template means.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PartView {
    key: &'static str,
    label: &'static str,
    /// Whoever is on call, rather than one person.
    on_call: bool,
    /// Who it is in this account, as far as titles and roles tell.
    player: Option<Player>,
}

/// Which template, and who plays its parts.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FitBody {
    template: String,
    #[serde(default)]
    players: BTreeMap<String, Player>,
}

/// The versions of an account's protocols.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Versions {
    items: Vec<VersionView>,
}

/// A version: whose it is, and what it changed.
#[derive(Serialize, utoipa::ToSchema)]
pub struct VersionView {
    id: ProtocolId,
    name: String,
    version: u32,
    made_at: UtcMs,
    /// Who wrote it; nobody with a log-in: it came with a file, or with the demo.
    made_by: Option<UserRef>,
    /// Who of the service approved it, where a client proposed it.
    approved_by: Option<UserRef>,
    /// The earlier version that it is again.
    brings_back: Option<u32>,
    /// What it does otherwise than the version before, a sentence each; none: it is the first.
    changes: Option<Vec<String>>,
    /// Call types that have it in force.
    in_force: Vec<CallTypeId>,
    /// Open dispatches that run it to their end.
    running: Vec<RunningView>,
    /// What it does, in plain English.
    text: Vec<String>,
}

/// An open dispatch of a version.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RunningView {
    dispatch: DispatchId,
    message: MessageId,
    reference: String,
    opened_at: UtcMs,
}

/// Which versions.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Named {
    /// Only those of the protocol of this name.
    name: Option<String>,
}

/// Against which version.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Against {
    from: ProtocolId,
}

/// What two versions do otherwise.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Differences {
    /// A sentence each; none: they do the same.
    lines: Vec<String>,
}

/// What was read before.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BringBackBody {
    /// The edition of the account.
    edition: Option<u32>,
}

/// What a protocol would do with a message saved at a time, minute by minute, whether it was saved or not. By the machine that
/// runs dispatches; nothing is sent or saved.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/protocols/simulate", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = Rehearsal,
    responses((status = OK, body = Simulation), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn simulate(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(account): Id<AccountId>,
    Body(asked): Body<Rehearsal>,
) -> Result<Json<Simulation>, Problem> {
    rehearse(&front, &signed, &account, &asked).await.map(Json)
}

/// What would happen in this account, for whoever may ask.
pub(super) async fn rehearse(
    front: &Front,
    signed: &Signed,
    account: &AccountId,
    asked: &Rehearsal,
) -> Result<Simulation, Problem> {
    let steps = (1..).zip(&asked.protocol.steps);
    let confirmable = steps.filter(|(_, step)| can_confirm(step.method)).map(|(n, _)| n).collect();
    let (outlook, errors) = match front.clients.rehearse(account, asked).await? {
        Ok(outlook) => (Some(outlook), Vec::new()),
        Err(errors) => (None, errors),
    };
    if outlook.is_some() {
        note_test_night(front, signed, account).await?;
    }
    Ok(Simulation { outlook, errors, confirmable })
}

/// Protocols as the trades have them, with this account's people in their parts.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/protocols/templates", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, body = Templates), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn templates(
    State(front): State<Front>,
    _by: Supervisor,
    Id(account): Id<AccountId>,
) -> Result<Json<Templates>, Problem> {
    let view = |offered: Offered| {
        let Offered { template, mut players, text } = offered;
        let part = |part: &crate::domain::dispatch::template::Part| PartView {
            key: part.key,
            label: part.label,
            on_call: part.on_call,
            player: players.remove(part.key),
        };
        TemplateView {
            key: template.key,
            trade: template.trade,
            name: template.name,
            says: template.says,
            urgency: template.urgency,
            parts: template.parts.iter().map(part).collect(),
            text,
        }
    };
    let items = front.clients.list_templates(&account).await?.into_iter().map(view).collect();
    Ok(Json(Templates { items }))
}

/// A template with these people, to be changed and saved. Saves nothing. A part that nobody plays is left out.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/protocols/templates", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = FitBody,
    responses((status = OK, body = Fitted), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn fit(
    State(front): State<Front>,
    _by: Supervisor,
    Id(account): Id<AccountId>,
    Body(body): Body<FitBody>,
) -> Result<Json<Fitted>, Problem> {
    Ok(Json(front.clients.fit_template(&account, &body.template, &body.players).await?))
}

/// All versions, by name, the newest first: who wrote each and when, what it changed, and what still runs it.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/protocols/versions", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path), Named),
    responses((status = OK, body = Versions), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn versions(
    State(front): State<Front>,
    _by: Operator,
    Id(account): Id<AccountId>,
    Params(named): Params<Named>,
) -> Result<Json<Versions>, Problem> {
    let contacts = front.store.list_contacts(&account).await?;
    let call_types = front.store.find_account(&account).await?.map(|account| account.call_types).unwrap_or_default();
    let users: HashMap<UserId, String> =
        front.store.list_users().await?.into_iter().map(|user| (user.id, user.name)).collect();
    let view = |Version { made, changes, in_force, running }: Version| {
        let name_of = |id: &UserId| users.get(id).cloned().unwrap_or_else(|| "somebody who is gone".to_owned());
        VersionView {
            made_at: made.made_at,
            made_by: made.origin.by.map(|id| UserRef { name: name_of(&id), id }),
            approved_by: made.origin.approved_by.map(|id| UserRef { name: name_of(&id), id }),
            brings_back: made.origin.brings_back,
            changes,
            in_force,
            running: running.into_iter().map(running_view).collect(),
            text: describe(&made.protocol, &contacts, &call_types),
            id: made.protocol.id,
            name: made.protocol.name,
            version: made.protocol.version,
        }
    };
    let all = front.clients.list_versions(&account).await?.into_iter();
    let meant = all.filter(|one| named.name.as_ref().is_none_or(|name| one.made.protocol.name == *name));
    Ok(Json(Versions { items: meant.map(view).collect() }))
}

fn running_view(running: crate::io::store::protocols::Running) -> RunningView {
    let reference = reference::of(&running.dispatch);
    RunningView { dispatch: running.dispatch, message: running.message, reference, opened_at: running.opened_at }
}

/// What a version does otherwise than another of the same account.
#[utoipa::path(get, path = "/api/v1/protocols/{id}/differences", tag = "accounts", security(("bearer" = [])),
    params(("id" = ProtocolId, Path), Against),
    responses((status = OK, body = Differences), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn differences(
    State(front): State<Front>,
    _by: Operator,
    Id(protocol): Id<ProtocolId>,
    Params(against): Params<Against>,
) -> Result<Json<Differences>, Problem> {
    Ok(Json(Differences { lines: front.clients.compare_versions(&against.from, &protocol).await? }))
}

/// Makes the next version with the steps of this one, in force wherever a version of its name is. Dispatches that run go on with
/// theirs.
#[utoipa::path(post, path = "/api/v1/protocols/{id}/bring_back", tag = "accounts", security(("bearer" = [])),
    params(("id" = ProtocolId, Path)), request_body = BringBackBody,
    responses((status = CREATED, body = EditedProtocol), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn bring_back(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(protocol): Id<ProtocolId>,
    tag: IfMatch,
    Body(body): Body<BringBackBody>,
) -> Result<Response, Problem> {
    let seen = tag.or(body.edition);
    let brought = front.clients_of(&signed).bring_back(&protocol, seen.edition()).await;
    let Changed { now, edition } = brought.map_err(|refusal| seen.refuse(refusal))?;
    let (user, version) = (&signed.bearer.user, now.version);
    tracing::info!(%user, account = %now.account, protocol = %now.id, version, "a version of a protocol was brought back");
    let contacts = front.store.list_contacts(&now.account).await?;
    let account = front.store.find_account(&now.account).await?;
    let call_types = account.map(|account| account.call_types).unwrap_or_default();
    let view = ProtocolView { text: describe(&now, &contacts, &call_types), protocol: now };
    Ok((StatusCode::CREATED, [etag(edition)], Json(EditedProtocol::of(view, edition))).into_response())
}
