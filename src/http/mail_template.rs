//! The email that an account's own words make of a message, shown before they are saved.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::base::id::{AccountId, CallTypeId};
use crate::domain::account::MailTemplate;
use crate::domain::account::fault::Fault;
use crate::domain::message::render::letter::FIELDS;

use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;

/// Words to look at.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailPreviewOf {
    mail: MailTemplate,
    /// Of which the invented message is; the first if it is left out.
    #[serde(default)]
    call_type: Option<CallTypeId>,
}

/// The email about an invented message.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MailPreview {
    subject: String,
    text: String,
    /// Null: it goes as plain text alone.
    html: Option<String>,
    /// What keeps the words from being saved; the email is then in the usual ones.
    errors: Vec<Fault>,
    /// What a template can name.
    fields: Vec<MailField>,
}

/// Something that a template can name.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MailField {
    name: &'static str,
    what: &'static str,
}

/// The email about an invented message in these words, and what is wrong with them. Saves nothing.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/mail/preview", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = MailPreviewOf,
    responses((status = OK, body = MailPreview), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn preview(
    State(front): State<Front>,
    _by: Supervisor,
    Id(account): Id<AccountId>,
    Body(of): Body<MailPreviewOf>,
) -> Result<Json<MailPreview>, Problem> {
    let (letter, errors) = front.clients.preview_mail(&account, &of.mail, of.call_type.as_ref()).await?;
    let fields = FIELDS.iter().map(|(name, what)| MailField { name, what }).collect();
    Ok(Json(MailPreview { subject: letter.subject, text: letter.text, html: letter.html, errors, fields }))
}
