//! A client's people: one record each, which protocols, schedules and recaps name. A number that is changed here is another everywhere,
//! from the next step of every dispatch on. Nobody is taken out who is counted on: the answer says where.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::guard::{Named, PortalClient, needs};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, DestinationId};
use crate::domain::account::edit_contact::{ContactEdit, ReachEdit, ReachKind};
use crate::domain::account::{Contact, fault::Faults};
use crate::domain::oncall::Window;
use crate::engine::clients::{PinOf, Use};
use crate::http::account_edit::{IfMatch, etag};
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::Body;
use crate::http::spoken::{SpokenAs, refuse_busy, say};
use crate::http::state::Front;
use crate::io::store::seal::Seal;
use crate::io::store::verifications::{Verified, Way};

/// A client's people.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalContacts {
    edition: u32,
    items: Vec<PortalContact>,
}

/// A person.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalContact {
    id: ContactId,
    name: String,
    title: String,
    /// The language they are best spoken with (BCP 47); null: the service's own.
    language: Option<String>,
    /// The zone of their hours; null: the account's.
    zone: Option<String>,
    /// How their name is said in calls; null: as it is written.
    spoken_as: Option<String>,
    /// In the order in which they are tried.
    destinations: Vec<PortalDestination>,
    /// Since when they have a PIN of their own.
    pin_set_at: Option<UtcMs>,
}

/// A way to reach them.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortalDestination {
    id: DestinationId,
    label: String,
    reach: ReachEdit,
    ring_secs: u32,
    /// When it is used; none: at any hour.
    hours: Vec<Window>,
    /// They asked for no more texts.
    blocked: bool,
    /// That it reaches them was shown; not since its address is another.
    verified: Option<VerifiedView>,
}

/// When and how that was shown.
#[derive(Serialize, utoipa::ToSchema)]
pub struct VerifiedView {
    at: UtcMs,
    by: Way,
}

/// A person as they are now, with the edition of the account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct EditedPortalContact {
    #[serde(flatten)]
    contact: PortalContact,
    edition: u32,
}

/// Where somebody is named.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Uses {
    items: Vec<Use>,
}

/// A PIN, written by whoever shall have it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PortalPin {
    #[schema(value_type = String)]
    pin: SecretString,
}

/// A person with what was shown of their destinations.
pub(super) async fn view(front: &Front, contact: Contact) -> Result<PortalContact, Problem> {
    let verified = front.store.list_verified(&contact.id).await?;
    let pins = front.store.list_pins(&contact.account).await?;
    let pin_set_at = pins.iter().find(|pin| pin.contact.as_ref() == Some(&contact.id)).map(|pin| pin.set_at);
    let destinations = destinations(&contact, &verified, &front.store.house_seal());
    let spoken_as = front.store.find_spoken_as(&contact.id).await?;
    let Contact { id, name, title, language, zone, .. } = contact;
    Ok(PortalContact { id, name, title, language, zone, spoken_as, destinations, pin_set_at })
}

fn destinations(contact: &Contact, verified: &[Verified], seal: &Seal) -> Vec<PortalDestination> {
    let written = ContactEdit::from(contact).destinations;
    let view =
        |(one, edit): (&crate::domain::account::Destination, crate::domain::account::edit_contact::DestinationEdit)| {
            let shown = verified.iter().find(|v| v.destination == one.id && v.is_of(seal, &edit.reach.address));
            PortalDestination {
                id: one.id.clone(),
                label: edit.label,
                reach: edit.reach,
                ring_secs: edit.ring_secs,
                hours: edit.hours,
                blocked: one.blocked,
                verified: shown.map(|v| VerifiedView { at: v.at, by: v.way }),
            }
        };
    contact.destinations.iter().zip(written).map(view).collect()
}

/// The person, if they are of this account.
pub(super) async fn find<N: super::guard::Need>(
    front: &Front,
    client: &PortalClient<N>,
    named: &Named,
) -> Result<Contact, Problem> {
    let id: ContactId = named.find("id", "contact")?;
    let found = front.store.find_contact(&id).await?.filter(|contact| contact.account == client.account);
    found.ok_or_else(|| Problem::not_found("contact"))
}

/// A client's systems that messages are posted to are the house's configuration: a client keeps what is there, and names no other.
fn permit_systems(edit: &ContactEdit, before: Option<&Contact>) -> Result<(), Problem> {
    let there = before.map(|contact| ContactEdit::from(contact).destinations).unwrap_or_default();
    let mut faults = Faults::default();
    for (at, destination) in edit.destinations.iter().enumerate() {
        let stands = || there.iter().any(|d| d.reach == destination.reach);
        if destination.reach.kind == ReachKind::Webhook && !stands() {
            let detail = "Which system messages are posted to is set by the service.";
            faults.add(format!("/destinations/{at}/reach"), "contact.webhook", detail, "Ask the service to add it.");
        }
    }
    faults.unless(()).map_err(|faults| Problem::faulty("account.invalid", faults))
}

async fn answer(front: &Front, status: StatusCode, contact: Contact, edition: u32) -> Result<Response, Problem> {
    let contact = view(front, contact).await?;
    Ok((status, [etag(edition)], Json(EditedPortalContact { contact, edition })).into_response())
}

async fn edition_of(front: &Front, account: &AccountId) -> Result<u32, Problem> {
    front.store.find_account_edition(account).await?.ok_or_else(|| Problem::not_found("account"))
}

/// My account's people.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/contacts", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)),
    responses((status = OK, body = PortalContacts), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn list(State(front): State<Front>, client: PortalClient<needs::Contacts>) -> Result<Response, Problem> {
    // First, so that whoever sends it back has seen at least as much.
    let edition = edition_of(&front, &client.account).await?;
    let mut items = Vec::new();
    for contact in front.store.list_contacts(&client.account).await? {
        items.push(view(&front, contact).await?);
    }
    Ok(([etag(edition)], Json(PortalContacts { edition, items })).into_response())
}

/// One of them.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/contacts/{id}", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path), ("id" = ContactId, Path)),
    responses((status = OK, body = EditedPortalContact), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn show(
    State(front): State<Front>,
    client: PortalClient<needs::Contacts>,
    named: Named,
) -> Result<Response, Problem> {
    let edition = edition_of(&front, &client.account).await?;
    let contact = find(&front, &client, &named).await?;
    answer(&front, StatusCode::OK, contact, edition).await
}

/// Adds a person.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/contacts", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)), request_body = ContactEdit,
    responses((status = CREATED, body = EditedPortalContact), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn add(
    State(front): State<Front>,
    client: PortalClient<needs::Contacts>,
    Body(edit): Body<ContactEdit>,
) -> Result<Response, Problem> {
    permit_systems(&edit, None)?;
    let changed = front.clients_of(&client.signed).add_contact(&client.account, &edit).await?;
    tracing::info!(user = %client.signed.bearer.user, account = %client.account, "a client added a contact");
    answer(&front, StatusCode::CREATED, changed.now, changed.edition).await
}

/// Writes a person, whole.
#[utoipa::path(put, path = "/api/v1/portal/accounts/{account}/contacts/{id}", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path), ("id" = ContactId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")), request_body = ContactEdit,
    responses((status = OK, body = EditedPortalContact), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = PRECONDITION_FAILED, body = ProblemBody), (status = PRECONDITION_REQUIRED, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn change(
    State(front): State<Front>,
    client: PortalClient<needs::Contacts>,
    named: Named,
    if_match: IfMatch,
    Body(edit): Body<ContactEdit>,
) -> Result<Response, Problem> {
    let before = find(&front, &client, &named).await?;
    permit_systems(&edit, Some(&before))?;
    let seen = if_match.or(edit.edition);
    let changed = front.clients_of(&client.signed).change_contact(&before.id, seen.required()?, &edit).await;
    let changed = changed.map_err(|why| seen.refuse(why))?;
    tracing::info!(user = %client.signed.bearer.user, contact = %before.id, "a client changed a contact");
    answer(&front, StatusCode::OK, changed.now, changed.edition).await
}

/// Takes a person out. Refused while they are counted on; the answer says where.
#[utoipa::path(delete, path = "/api/v1/portal/accounts/{account}/contacts/{id}", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path), ("id" = ContactId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody), (status = PRECONDITION_FAILED, body = ProblemBody)))]
pub async fn remove(
    State(front): State<Front>,
    client: PortalClient<needs::Contacts>,
    named: Named,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    let before = find(&front, &client, &named).await?;
    let seen = if_match.or(None);
    let changed = front.clients_of(&client.signed).remove_contact(&before.id, seen.edition()).await;
    let changed = changed.map_err(|why| seen.refuse(why))?;
    tracing::info!(user = %client.signed.bearer.user, contact = %before.id, "a client took a contact out");
    Ok((StatusCode::NO_CONTENT, [etag(changed.edition)]).into_response())
}

/// Where a person is named, in sentences.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/contacts/{id}/uses", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), ("id" = ContactId, Path)),
    responses((status = OK, body = Uses), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn uses(
    State(front): State<Front>,
    client: PortalClient<needs::Contacts>,
    named: Named,
) -> Result<Json<Uses>, Problem> {
    let id: ContactId = named.find("id", "contact")?;
    Ok(Json(Uses { items: front.clients.list_uses(&client.account, &id).await? }))
}

/// Gives a person a PIN of their own, in place of any other.
#[utoipa::path(put, path = "/api/v1/portal/accounts/{account}/contacts/{id}/pin", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), ("id" = ContactId, Path)), request_body = PortalPin,
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn set_pin(
    State(front): State<Front>,
    client: PortalClient<needs::Contacts>,
    named: Named,
    Body(body): Body<PortalPin>,
) -> Result<StatusCode, Problem> {
    let contact = find(&front, &client, &named).await?;
    let by = &client.signed.bearer.user;
    front.clients.set_pin(&PinOf::Contact(contact.id), body.pin.expose_secret(), by).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes their PIN away.
#[utoipa::path(delete, path = "/api/v1/portal/accounts/{account}/contacts/{id}/pin", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), ("id" = ContactId, Path)),
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn remove_pin(
    State(front): State<Front>,
    client: PortalClient<needs::Contacts>,
    named: Named,
) -> Result<StatusCode, Problem> {
    let contact = find(&front, &client, &named).await?;
    if !front.clients.remove_pin(&PinOf::Contact(contact.id), &client.signed.bearer.user).await? {
        return Err(Problem::not_found("PIN"));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Says how their name is said in calls.
#[utoipa::path(put, path = "/api/v1/portal/accounts/{account}/contacts/{id}/spoken_as", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path), ("id" = ContactId, Path)), request_body = SpokenAs,
    responses((status = OK, body = PortalContact), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn set_spoken_as(
    State(front): State<Front>,
    client: PortalClient<needs::Contacts>,
    named: Named,
    Body(body): Body<SpokenAs>,
) -> Result<Json<PortalContact>, Problem> {
    let contact = find(&front, &client, &named).await?;
    front.clients_of(&client.signed).set_spoken_as(&contact, body.spoken_as.as_deref()).await?;
    Ok(Json(view(&front, contact).await?))
}

/// A name as a call-out would say it, as WAV. Nothing of it is kept. Refused with `speech.too_many` if it is asked for too often.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/spoken_as/listen", tag = "portal",
    security(("bearer" = [])), params(("account" = AccountId, Path)), request_body = SpokenAs,
    responses((status = OK, content_type = "audio/wav", body = [u8]), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody),
        (status = TOO_MANY_REQUESTS, body = ProblemBody)))]
pub async fn hear_spoken_as(
    State(front): State<Front>,
    client: PortalClient<needs::Contacts>,
    Body(body): Body<SpokenAs>,
) -> Result<Response, Problem> {
    refuse_busy(&front, &client.account)?;
    say(&front, &client.find_account(&front).await?, &body).await
}
