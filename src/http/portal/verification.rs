//! Whether a destination reaches its person: a code goes there by text, email or a call that speaks it, and whoever has it says it here.
//!
//! What always holds: a code is on record, hashed, before it is sent; a destination gets one a minute at most, an account few an hour;
//! five wrong ones end it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::contacts::{self, PortalContact};
use super::guard::{Named, PortalClient, needs};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, DestinationId};
use crate::base::rng::secure_bytes;
use crate::domain::account::edit_contact::ContactEdit;
use crate::domain::account::fault::Faults;
use crate::domain::account::{Contact, Destination, Reach};
use crate::engine::dispatcher::NoCode;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::Body;
use crate::http::state::Front;
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::verifications::{APART_MS, MOST_AN_HOUR, Said, Sent, Way};

const HOUR_MS: i64 = 3_600_000;

/// By what it shall go.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerificationBody {
    by: Way,
}

/// It is on its way.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CodeSent {
    /// Until when it counts.
    expires_at: UtcMs,
}

/// What the person read or heard.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeBody {
    code: String,
}

/// The person and their destination, with its address as text.
async fn find<'a>(
    front: &Front,
    client: &PortalClient<needs::Contacts>,
    named: &Named,
    contact: &'a mut Option<Contact>,
) -> Result<(&'a Contact, &'a Destination, String), Problem> {
    let id: DestinationId = named.find("destination", "destination")?;
    let contact: &Contact = contact.insert(contacts::find(front, client, named).await?);
    let at = contact.destinations.iter().position(|d| d.id == id).ok_or_else(|| Problem::not_found("destination"))?;
    let address = ContactEdit::from(contact).destinations.swap_remove(at).reach.address;
    Ok((contact, &contact.destinations[at], address))
}

/// Sends a code to a destination.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/contacts/{id}/destinations/{destination}/verification",
    tag = "portal", security(("bearer" = [])), request_body = VerificationBody,
    params(("account" = AccountId, Path), ("id" = ContactId, Path), ("destination" = DestinationId, Path)),
    responses((status = ACCEPTED, body = CodeSent), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = TOO_MANY_REQUESTS, body = ProblemBody), (status = SERVICE_UNAVAILABLE, body = ProblemBody)))]
pub async fn send(
    State(front): State<Front>,
    client: PortalClient<needs::Contacts>,
    named: Named,
    Body(body): Body<VerificationBody>,
) -> Result<(StatusCode, Json<CodeSent>), Problem> {
    let mut held = None;
    let (contact, destination, address) = find(&front, &client, &named, &mut held).await?;
    let fits = matches!(
        (body.by, &destination.reach),
        (Way::Text | Way::Call, Reach::Phone(_)) | (Way::Email, Reach::Email(_))
    );
    if !fits {
        return Err(Problem::conflict(
            "verification.kind",
            "A telephone takes a text or a call, an email address an email.",
        ));
    }
    let account = client.find_account(&front).await?;
    let now = front.clock.utc();
    let code = fresh_code();
    let mut tx = front.store.write().await?;
    // Looked at in the transaction, so that two at once are one.
    if let Some(last) = tx.find_code_sent(&destination.id).await?.filter(|last| now.since(*last) < APART_MS) {
        tx.rollback().await?;
        return Err(too_soon(APART_MS - now.since(last)));
    }
    if tx.count_codes_sent(&client.account, now.plus_ms(-HOUR_MS)).await? >= MOST_AN_HOUR {
        tx.rollback().await?;
        return Err(too_soon(HOUR_MS));
    }
    let (id, of) = (&destination.id, &contact.id);
    let sent = Sent { destination: id, contact: of, way: body.by, address: &address, code: &code, now };
    let expires_at = tx.note_code(&sent).await?;
    tx.audit(Entry::new(now, Who::User(client.signed.bearer.user.clone()), Act::CodeSent, of.to_string()));
    tx.commit("verification_code").await?;
    front.dispatcher.send_code(&account, contact, destination, body.by, &code).await.map_err(refuse)?;
    tracing::info!(user = %client.signed.bearer.user, contact = %of, "a code was sent to a contact");
    Ok((StatusCode::ACCEPTED, Json(CodeSent { expires_at })))
}

/// Six digits, each as likely as any other.
fn fresh_code() -> String {
    format!("{:06}", u64::from_le_bytes(secure_bytes()) % 1_000_000)
}

fn too_soon(wait_ms: i64) -> Problem {
    Problem::too_many("verification.too_soon", u64::try_from(wait_ms / 1_000 + 1).unwrap_or(1))
}

fn refuse(why: NoCode) -> Problem {
    match why {
        NoCode::Kind => Problem::conflict("verification.kind", "This destination takes no code in that way."),
        NoCode::Blocked => {
            let detail =
                "Whoever has this telephone asked for no more texts (STOP): have them send START, or choose a call.";
            Problem::conflict("verification.blocked", detail)
        }
        NoCode::NotSent(why) => {
            let detail = format!("It was not taken for sending ({}). Try again in a minute.", why.replace('_', " "));
            Problem::unavailable("verification.no_way", detail)
        }
    }
}

/// Says the code that came there.
#[utoipa::path(post,
    path = "/api/v1/portal/accounts/{account}/contacts/{id}/destinations/{destination}/verification/code", tag = "portal",
    security(("bearer" = [])), request_body = CodeBody,
    params(("account" = AccountId, Path), ("id" = ContactId, Path), ("destination" = DestinationId, Path)),
    responses((status = OK, body = PortalContact), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn say(
    State(front): State<Front>,
    client: PortalClient<needs::Contacts>,
    named: Named,
    Body(body): Body<CodeBody>,
) -> Result<Json<PortalContact>, Problem> {
    let mut held = None;
    let (contact, destination, address) = find(&front, &client, &named, &mut held).await?;
    let now = front.clock.utc();
    let code: String = body.code.chars().filter(char::is_ascii_digit).collect();
    let mut tx = front.store.write().await?;
    let said = tx.judge_code(&destination.id, &address, &code, now).await?;
    if said == Said::Right {
        let by = Who::User(client.signed.bearer.user.clone());
        tx.audit(Entry::new(now, by, Act::CodeRight, contact.id.to_string()));
    }
    tx.commit("verification_said").await?;
    match said {
        Said::Right => Ok(Json(contacts::view(&front, contact.clone()).await?)),
        Said::Over => {
            Err(Problem::conflict("verification.over", "No code waits for this destination: send another one."))
        }
        Said::Wrong => {
            let mut faults = Faults::default();
            let cure = "Look again, or send another one: after five wrong ones it counts no more.";
            faults.add("/code", "verification.wrong", "This is not the code that was sent.", cure);
            Err(Problem::faulty("verification.wrong", faults.into_list()))
        }
    }
}
