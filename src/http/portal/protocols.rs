//! The protocols of a client's account, to read; and others that they would have, which wait for the service.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::guard::{Named, PortalClient, needs};
use crate::base::id::{AccountId, ContactId, ProtocolChangeId};
use crate::domain::account::edit_contact::{ContactEdit, ReachKind};
use crate::domain::account::fault::Fault;
use crate::domain::dispatch::describe::describe;
use crate::engine::clients::{ProtocolEdit, Rehearsal, Verdict};
use crate::http::accounts::ProtocolView;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::Body;
use crate::http::messages::CallTypeRef;
use crate::http::protocol_changes::{ProtocolChangeView, ProtocolChanges, view};
use crate::http::protocol_desk::{Simulation, rehearse};
use crate::http::state::Front;
use crate::io::store::protocol_changes::ProtocolChange;

/// Proposals that are listed.
const LAST: u32 = 50;

/// What is done about a client's calls, and with what a protocol may be written.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalProtocols {
    edition: u32,
    items: Vec<PortalProtocol>,
    people: Vec<PortalPerson>,
    /// Those that have a schedule.
    roles: Vec<String>,
    call_types: Vec<CallTypeRef>,
}

/// A protocol in force.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalProtocol {
    #[serde(flatten)]
    protocol: ProtocolView,
    /// For these kinds of call.
    call_types: Vec<CallTypeRef>,
}

/// Somebody whom a step may reach.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalPerson {
    id: ContactId,
    name: String,
    destinations: Vec<PortalLabel>,
}

/// Where.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalLabel {
    label: String,
    kind: ReachKind,
}

/// What a proposal would change, and what keeps it from being proposed.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ChangeCheck {
    before: Vec<String>,
    after: Vec<String>,
    changes: Vec<String>,
    errors: Vec<Fault>,
    warnings: Vec<Fault>,
}

/// Another protocol, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposalBody {
    protocol: ProtocolEdit,
    #[serde(default)]
    note: String,
}

/// The protocols in force of my account, in plain English, and what they are written with.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/protocols", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)),
    responses((status = OK, body = PortalProtocols), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    client: PortalClient<needs::Protocol>,
) -> Result<Json<PortalProtocols>, Problem> {
    let edition = front.store.find_account_edition(&client.account).await?;
    let account = client.find_account(&front).await?;
    let contacts = front.store.list_contacts(&account.id).await?;
    let named = |t: &crate::domain::account::CallType| CallTypeRef { id: t.id.clone(), name: t.name.clone() };
    let mut items = Vec::new();
    for protocol in front.store.list_protocols(&account.id).await? {
        let of = account.call_types.iter().filter(|t| t.protocol.as_ref() == Some(&protocol.id));
        let call_types: Vec<CallTypeRef> = of.map(named).collect();
        if !call_types.is_empty() {
            let text = describe(&protocol, &contacts, &account.call_types);
            items.push(PortalProtocol { protocol: ProtocolView { protocol, text }, call_types });
        }
    }
    let label =
        |d: crate::domain::account::edit_contact::DestinationEdit| PortalLabel { label: d.label, kind: d.reach.kind };
    let people = contacts.iter().map(|contact| PortalPerson {
        id: contact.id.clone(),
        name: contact.name.clone(),
        destinations: ContactEdit::from(contact).destinations.into_iter().map(label).collect(),
    });
    let schedules = front.store.list_schedules(&account.id).await?;
    Ok(Json(PortalProtocols {
        edition: edition.ok_or_else(|| Problem::not_found("account"))?,
        people: people.collect(),
        roles: schedules.into_iter().map(|schedule| schedule.role).collect(),
        call_types: account.call_types.iter().map(named).collect(),
        items,
    }))
}

/// What a protocol would change, and what is wrong with it. Proposes nothing.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/protocol_changes/check", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path)), request_body = ProtocolEdit,
    responses((status = OK, body = ChangeCheck), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn check(
    State(front): State<Front>,
    client: PortalClient<needs::Protocol>,
    Body(edit): Body<ProtocolEdit>,
) -> Result<Json<ChangeCheck>, Problem> {
    let checked = front.clients.check_change(&client.account, &edit).await?;
    Ok(Json(ChangeCheck {
        before: checked.before,
        after: checked.after.text,
        changes: checked.changes,
        errors: checked.after.faults,
        warnings: checked.after.warnings,
    }))
}

/// What a protocol would do with a message at a time, minute by minute: a test night. Nothing is sent or saved.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/simulate", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)), request_body = Rehearsal,
    responses((status = OK, body = Simulation), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn simulate(
    State(front): State<Front>,
    client: PortalClient<needs::Protocol>,
    Body(asked): Body<Rehearsal>,
) -> Result<Json<Simulation>, Problem> {
    rehearse(&front, &client.signed, &client.account, &asked).await.map(Json)
}

/// What was proposed for my account, the newest first.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/protocol_changes", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)),
    responses((status = OK, body = ProtocolChanges), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn changes(
    State(front): State<Front>,
    client: PortalClient<needs::Protocol>,
) -> Result<Json<ProtocolChanges>, Problem> {
    let found = front.store.list_protocol_changes(Some(&client.account), None, LAST).await?;
    ProtocolChanges::of(&front, found).await.map(Json)
}

/// Proposes a protocol: it waits for the service. Refused with all that is wrong, each at its place below `protocol`.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/protocol_changes", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)), request_body = ProposalBody,
    responses((status = CREATED, body = ProtocolChangeView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn propose(
    State(front): State<Front>,
    client: PortalClient<needs::Protocol>,
    Body(body): Body<ProposalBody>,
) -> Result<(StatusCode, Json<ProtocolChangeView>), Problem> {
    let by = &client.signed.bearer.user;
    let proposed = front.clients_of(&client.signed).propose(&client.account, &body.protocol, &body.note, by).await?;
    tracing::info!(user = %by, account = %client.account, change = %proposed.id, "a client proposed a protocol");
    Ok((StatusCode::CREATED, Json(view(&front, proposed).await?)))
}

async fn find(front: &Front, client: &PortalClient<needs::Protocol>, named: &Named) -> Result<ProtocolChange, Problem> {
    let id: ProtocolChangeId = named.find("id", "change")?;
    let found = front.store.find_protocol_change(&id).await?.filter(|change| change.account == client.account);
    found.ok_or_else(|| Problem::not_found("change"))
}

/// One of them.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/protocol_changes/{id}", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), ("id" = ProtocolChangeId, Path)),
    responses((status = OK, body = ProtocolChangeView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn change(
    State(front): State<Front>,
    client: PortalClient<needs::Protocol>,
    named: Named,
) -> Result<Json<ProtocolChangeView>, Problem> {
    let found = find(&front, &client, &named).await?;
    Ok(Json(view(&front, found).await?))
}

/// Takes a proposal back that waits.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/protocol_changes/{id}/withdraw", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), ("id" = ProtocolChangeId, Path)),
    responses((status = OK, body = ProtocolChangeView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn withdraw(
    State(front): State<Front>,
    client: PortalClient<needs::Protocol>,
    named: Named,
) -> Result<Json<ProtocolChangeView>, Problem> {
    let found = find(&front, &client, &named).await?;
    let by = &client.signed.bearer.user;
    let dropped = front.clients_of(&client.signed).drop_change(&found.id, Verdict::Withdraw, "", by).await?;
    Ok(Json(view(&front, dropped).await?))
}
