//! Somebody's secure inbox as operators see it: whether it is installed and where, an invitation to install it, and taking a
//! device away. Shows no message.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{ContactId, InboxDeviceId};
use crate::engine::inboxes::NotInvited;

use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;

/// A device on which somebody's inbox is.
#[derive(Serialize, utoipa::ToSchema)]
pub struct InboxDeviceView {
    id: InboxDeviceId,
    /// What its browser says it is.
    name: String,
    added_at: UtcMs,
    seen_at: UtcMs,
    /// `on`: it takes pushes; `off`: it never asked for them, or no more; `gone`: its push service knows it no more.
    push: &'static str,
}

/// Somebody's inbox.
#[derive(Serialize, utoipa::ToSchema)]
pub struct InboxStateView {
    /// They have a PIN of their own; without one it cannot be opened.
    has_pin: bool,
    devices: Vec<InboxDeviceView>,
    /// The newest invitation that still leads there.
    invited_at: Option<UtcMs>,
    invited_until: Option<UtcMs>,
}

/// Where an invitation goes.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteBody {
    /// What the person's destination is called: "mobile", "email".
    to: String,
}

/// Whether somebody's inbox is installed, and on what.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/inbox", tag = "inbox", security(("bearer" = [])),
    params(("id" = ContactId, Path)),
    responses((status = OK, body = InboxStateView), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn show(
    State(front): State<Front>,
    _by: Operator,
    Id(contact): Id<ContactId>,
) -> Result<Json<InboxStateView>, Problem> {
    let state = front.inboxes.state(&contact).await?.ok_or_else(|| Problem::not_found("contact"))?;
    let devices = state.devices.into_iter().map(|device| InboxDeviceView {
        push: match (&device.subscription, device.gone_at) {
            (Some(_), _) => "on",
            (None, Some(_)) => "gone",
            (None, None) => "off",
        },
        id: device.id,
        name: device.name,
        added_at: device.added_at,
        seen_at: device.seen_at,
    });
    Ok(Json(InboxStateView {
        has_pin: state.has_pin,
        devices: devices.collect(),
        invited_at: state.invitation.as_ref().map(|link| link.made_at),
        invited_until: state.invitation.map(|link| link.expires_at),
    }))
}

/// Sends somebody a link by which they install their inbox. Links sent before lead nowhere once it was taken for sending.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/inbox/invitations", tag = "inbox", security(("bearer" = [])),
    params(("id" = ContactId, Path)), request_body = InviteBody,
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = SERVICE_UNAVAILABLE, body = ProblemBody)))]
pub async fn invite(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(contact): Id<ContactId>,
    Body(body): Body<InviteBody>,
) -> Result<StatusCode, Problem> {
    front.inboxes.invite(&contact, &body.to, &signed.bearer.user).await.map_err(|why| match why {
        NotInvited::NoContact => Problem::not_found("contact"),
        NotInvited::NoPin => Problem::conflict(
            "inbox.no_pin",
            "They have no PIN of their own, so the inbox would not open: set one under Check-in first.",
        ),
        NotInvited::NoDestination => {
            Problem::conflict("inbox.no_destination", "They have no telephone and no email address of that name.")
        }
        NotInvited::Blocked => {
            Problem::conflict("inbox.blocked", "They asked for no more texts there. Send it to another destination.")
        }
        NotInvited::NotSent(why) => Problem::unavailable(
            "inbox.not_sent",
            format!("It was not taken for sending ({}). Try again, or another destination.", why.replace('_', " ")),
        ),
        NotInvited::Store(error) => error.into(),
    })?;
    tracing::info!(user = %signed.bearer.user, %contact, "somebody was invited to their inbox");
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a device away: the inbox is closed on it and no push goes there. Invitations that were sent lead nowhere any more.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}/inbox/devices/{device}", tag = "inbox", security(("bearer" = [])),
    params(("id" = ContactId, Path), ("device" = InboxDeviceId, Path)),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn revoke(
    State(front): State<Front>,
    Operator(signed): Operator,
    Path((contact, device)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let none = || Problem::not_found("device");
    let (contact, device): (ContactId, InboxDeviceId) =
        (contact.parse().map_err(|_| none())?, device.parse().map_err(|_| none())?);
    if !front.inboxes.revoke(&contact, &device, &signed.bearer.user).await? {
        return Err(none());
    }
    tracing::info!(user = %signed.bearer.user, %contact, %device, "a device of an inbox was taken away");
    Ok(StatusCode::NO_CONTENT)
}
