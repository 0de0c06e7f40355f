//! An operator dials out for an account, with no caller on the line.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::id::{AccountId, CallId, ContactId, DestinationId};
use crate::engine::calls::dial_out::DialOrder;
use crate::engine::feed::ContactRef;

use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::Body;
use super::state::{Front, NotNow};
use super::telephones::{RING, find_phone, read_number, refuse};

/// What is wrong with whom to call.
const INVALID: &str = "dial.invalid";

/// For whom, and to whom: a contact's destination, or a number.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct DialBody {
    account: AccountId,
    contact: Option<ContactId>,
    destination: Option<DestinationId>,
    number: Option<String>,
}

/// The call that was begun.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Dialled {
    call: CallId,
}

/// Dials out for an account, shown with its number: my telephone first, then theirs.
#[utoipa::path(post, path = "/api/v1/calls", tag = "calls", security(("bearer" = [])), request_body = DialBody,
    responses((status = CREATED, body = Dialled), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn dial(
    State(front): State<Front>,
    Operator(signed): Operator,
    Body(body): Body<DialBody>,
) -> Result<(StatusCode, Json<Dialled>), Problem> {
    let account = front.store.find_account(&body.account).await?.ok_or_else(|| Problem::not_found("account"))?;
    let order = match (body.contact, body.destination, body.number) {
        (Some(contact), Some(destination), None) => {
            let found = find_phone(&front, INVALID, Some(&account.id), &contact, &destination).await?;
            let contact = Some(ContactRef { id: found.contact.id, name: found.contact.name });
            let ring = Duration::from_secs(found.ring_secs.into());
            DialOrder { account, to: found.number, contact, label: Some(found.label), ring }
        }
        (None, None, Some(number)) => {
            let to = read_number(INVALID, &number)?;
            DialOrder { account, to, contact: None, label: None, ring: RING }
        }
        _ => return Err(refuse(INVALID, "number", "required", "Send contact and destination, or number.")),
    };
    match front.desk.dial_out(order, signed.bearer.user).await {
        Ok(call) => Ok((StatusCode::CREATED, Json(Dialled { call }))),
        Err(NotNow(why)) => Err(Problem::conflict("call.not_now", why)),
    }
}
