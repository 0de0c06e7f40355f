//! Accounts as operators need them: everything for the screen pop in one answer.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, Contact, OwnAges};
use crate::domain::dispatch::describe;
use crate::domain::dispatch::protocol::Protocol;
use crate::domain::oncall::duty::relief;
use crate::domain::oncall::{Schedule, resolve};
use crate::io::store::messages::MessageFilter;

use super::account_edit::etag;
use super::audit;
use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::{Id, Params};
use super::going_live::{self, GoingLiveBrief};
use super::messages::{MessagePage, Names, pick_limit};
use super::state::Front;
use super::status::{self, StatusView};

/// Accounts.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Accounts {
    items: Vec<AccountLine>,
}

/// An account in a list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AccountLine {
    id: AccountId,
    name: String,
    color: String,
    zone: String,
    dids: Vec<PhoneNumber>,
    /// From what age on its open dispatches are shown as late; null: as the house has it.
    ages: OwnAges,
}

/// An account with all that a call for it needs.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AccountView {
    #[serde(flatten)]
    account: Account,
    /// Counts each change: send it with yours.
    edition: u32,
    contacts: Vec<Contact>,
    schedules: Vec<Schedule>,
    /// The versions now in force.
    protocols: Vec<ProtocolView>,
    on_call: Vec<OnCallView>,
    /// The status board: what counts now, the newest first.
    status: Vec<StatusView>,
    /// Whether its client has approved what is done for it. Callers are answered either way.
    going_live: GoingLiveBrief,
}

/// A protocol, also in plain English.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProtocolView {
    #[serde(flatten)]
    pub protocol: Protocol,
    pub text: Vec<String>,
}

/// Who is on call for a role now, and why.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OnCallView {
    role: String,
    /// Nobody, if there is none.
    contact: Option<PersonOnCall>,
    /// Whoever is on call at the same time.
    others: Vec<PersonOnCall>,
    until: Option<UtcMs>,
    why: String,
}

/// Somebody on call.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PersonOnCall {
    id: ContactId,
    name: String,
    title: String,
}

impl From<&Contact> for PersonOnCall {
    fn from(contact: &Contact) -> Self {
        Self { id: contact.id.clone(), name: contact.name.clone(), title: contact.title.clone() }
    }
}

/// Which messages of an account.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only those from this number.
    caller: Option<String>,
    limit: Option<u32>,
}

/// All accounts by name.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", security(("bearer" = [])),
    responses((status = OK, body = Accounts), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn list(State(front): State<Front>, _by: Operator) -> Result<Json<Accounts>, Problem> {
    let items = front.store.list_accounts().await?.into_iter().map(|a| AccountLine {
        id: a.id,
        name: a.name,
        color: a.color,
        zone: a.zone,
        dids: a.dids,
        ages: a.ages,
    });
    Ok(Json(Accounts { items: items.collect() }))
}

/// An account with contacts, schedules, protocols, and who is on call now.
#[utoipa::path(get, path = "/api/v1/accounts/{id}", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, body = AccountView), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn show(State(front): State<Front>, _by: Operator, Id(id): Id<AccountId>) -> Result<Response, Problem> {
    // First, so that whoever sends it back has seen at least as much.
    let edition = front.store.find_account_edition(&id).await?.ok_or_else(|| Problem::not_found("account"))?;
    let account = front.store.find_account(&id).await?.ok_or_else(|| Problem::not_found("account"))?;
    let contacts = front.store.list_contacts(&id).await?;
    let schedules = front.store.list_schedules(&id).await?;
    let now = front.clock.utc();
    let on_call = schedules.iter().map(|schedule| who(schedule, &contacts, now)).collect();
    let in_force = |p: &Protocol| account.call_types.iter().any(|t| t.protocol.as_ref() == Some(&p.id));
    let protocols = front.store.list_protocols(&id).await?.into_iter().filter(in_force);
    let text = |p: &Protocol| describe::describe(p, &contacts, &account.call_types);
    let protocols = protocols.map(|p| ProtocolView { text: text(&p), protocol: p }).collect();
    let status = status::show(&front, front.store.list_status(&id, now).await?).await?;
    let status = status.into_iter().map(|(_, line)| line).collect();
    let going_live = going_live::brief(&front, &id).await?;
    let view = AccountView { account, edition, contacts, schedules, protocols, on_call, status, going_live };
    Ok(([etag(edition)], Json(view)).into_response())
}

fn who(schedule: &Schedule, contacts: &[Contact], now: UtcMs) -> OnCallView {
    let role = schedule.role.clone();
    let Some(on_call) = resolve(schedule, now) else {
        return OnCallView { role, contact: None, others: Vec::new(), until: None, why: "nobody is on call".into() };
    };
    let person = |id: &ContactId| contacts.iter().find(|c| c.id == *id).map(PersonOnCall::from);
    let (contact, others) = (person(&on_call.contact), on_call.others.iter().filter_map(person).collect());
    OnCallView { role, contact, others, until: relief(schedule, now).map(|relief| relief.at), why: on_call.why }
}

/// Messages of an account, newest first.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/messages", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path), Which),
    responses((status = OK, body = MessagePage), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn messages(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<AccountId>,
    Params(which): Params<Which>,
) -> Result<Json<MessagePage>, Problem> {
    if front.store.find_account(&id).await?.is_none() {
        return Err(Problem::not_found("account"));
    }
    let caller = which.caller.as_deref().map(PhoneNumber::parse).transpose();
    let caller = caller.map_err(|e| Problem::malformed("query.invalid", e.to_string()))?;
    let filter = MessageFilter { account: Some(id), caller, ..MessageFilter::default() };
    let limit = pick_limit(which.limit);
    let found = front.store.list_messages(&filter, None, limit).await?;
    let page = Names::of(&front).await?.page(&front, found, None).await?;
    audit::listed(&front, &signed, &page).await?;
    Ok(Json(page))
}
