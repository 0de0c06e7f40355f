//! Going live, as the client sees it: what they have approved of their account, and what is another since.

use axum::Json;
use axum::extract::State;

use super::guard::{PortalClient, needs};
use crate::base::id::AccountId;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::Body;
use crate::http::going_live::{ApprovalBody, GoingLiveView, view};
use crate::http::state::Front;

/// How my account stands, part by part, in plain English.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/going_live", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)),
    responses((status = OK, body = GoingLiveView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn show(
    State(front): State<Front>,
    client: PortalClient<needs::Any>,
) -> Result<Json<GoingLiveView>, Problem> {
    let mut stands = view(&front, &client.account).await?;
    stands.hide(|part| !client.rights.allow(part.right()));
    Ok(Json(stands))
}

/// Approves a part as it was read.
#[utoipa::path(post, path = "/api/v1/portal/accounts/{account}/approvals", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path)), request_body = ApprovalBody,
    responses((status = OK, body = GoingLiveView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn approve(
    State(front): State<Front>,
    client: PortalClient<needs::Any>,
    Body(body): Body<ApprovalBody>,
) -> Result<Json<GoingLiveView>, Problem> {
    client.require(body.part.right())?;
    let by = &client.signed.bearer.user;
    let clients = front.clients_of(&client.signed);
    clients.approve_part(&client.account, body.yes(), by).await?;
    tracing::info!(user = %by, account = %client.account, part = body.part.name(), "a client approved a part");
    let mut stands = view(&front, &client.account).await?;
    stands.hide(|part| !client.rights.allow(part.right()));
    Ok(Json(stands))
}
