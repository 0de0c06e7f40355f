//! Whether an account is a draft: for the service, which may put down what a client approved by telephone. The client's own door to the
//! same is `portal/going_live`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::audit;
use super::auth::{Operator, Signed, Supervisor};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::Front;
use crate::base::clock::UtcMs;
use crate::base::id::AccountId;
use crate::domain::portal::going_live::{Part, PartState, Standing};
use crate::domain::portal::untried::Untried;
use crate::engine::clients::Yes;
use crate::engine::feed::UserRef;
use crate::io::store::audit::{Act, AuditFilter};

/// How an account stands.
#[derive(Serialize, utoipa::ToSchema)]
pub struct GoingLiveView {
    state: Standing,
    /// It was in service before approvals were kept.
    before: bool,
    parts: Vec<GoingLivePart>,
    /// Ways to reach people of which nobody has seen that they do.
    unverified: Vec<Untried>,
    /// When a test night was looked at before it went live; null: nobody did.
    test_night_at: Option<UtcMs>,
}

/// How a part of it does.
#[derive(Serialize, utoipa::ToSchema)]
pub struct GoingLivePart {
    part: Part,
    state: PartState,
    /// Of what it is now: send it with the approval.
    version: String,
    /// It in plain English.
    lines: Vec<String>,
    /// Why there is nothing to approve of it yet, and who puts it there; null: it can be approved.
    lacks: Option<&'static str>,
    approved: Option<PartApproval>,
}

/// Its last approval.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PartApproval {
    /// Who approved it.
    name: String,
    /// Who signed in to say so.
    by: UserRef,
    at: UtcMs,
    version: String,
    /// What was approved.
    lines: Vec<String>,
}

/// What is approved, and by whom.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalBody {
    pub part: Part,
    /// The version that was read.
    pub version: String,
    pub name: String,
    /// It may go live though urgent messages go by ways that were never tried.
    #[serde(default)]
    pub accept_unverified: bool,
}

impl ApprovalBody {
    pub(super) fn yes(&self) -> Yes<'_> {
        let Self { part, version, name, accept_unverified } = self;
        Yes { part: *part, version, name, accept_unverified: *accept_unverified }
    }
}

/// How an account stands, in a line for the desk.
#[derive(Serialize, utoipa::ToSchema)]
pub struct GoingLiveBrief {
    state: Standing,
    /// What was never approved.
    missing: Vec<Part>,
    /// What is another since it was.
    changed: Vec<Part>,
}

impl GoingLiveView {
    /// Leaves out what somebody may not read; how it stands they may know.
    pub(super) fn hide(&mut self, hidden: impl Fn(Part) -> bool) {
        for part in self.parts.iter_mut().filter(|part| hidden(part.part)) {
            part.lines.clear();
            if let Some(approved) = &mut part.approved {
                approved.lines.clear();
            }
        }
        if hidden(Part::Contacts) {
            self.unverified.clear();
        }
    }
}

/// How an account stands, with names.
pub(super) async fn view(front: &Front, account: &AccountId) -> Result<GoingLiveView, Problem> {
    let stands = front.clients.going_live(account).await?;
    let users = front.store.list_users().await?;
    let name = |id| UserRef {
        name: users.iter().find(|user| user.id == id).map(|user| user.name.clone()).unwrap_or_default(),
        id,
    };
    let parts = stands.parts.into_iter().map(|part| GoingLivePart {
        part: part.part,
        state: part.state,
        version: part.version,
        lines: part.lines,
        lacks: part.lacks,
        approved: part.approved.map(|approval| PartApproval {
            name: approval.words.name,
            by: name(approval.by),
            at: approval.at,
            version: approval.version,
            lines: approval.words.lines,
        }),
    });
    Ok(GoingLiveView {
        state: stands.standing,
        before: stands.before,
        parts: parts.collect(),
        unverified: front.clients.untried(account).await?,
        test_night_at: find_test_night(front, account).await?,
    })
}

/// A test night is looked at: noted once, while the account is a draft.
pub(super) async fn note_test_night(front: &Front, signed: &Signed, account: &AccountId) -> Result<(), Problem> {
    let is_draft = front.clients.going_live(account).await?.standing == Standing::Draft;
    if is_draft && find_test_night(front, account).await?.is_none() {
        audit::did(front, signed, Act::AccountNightTried, account).await?;
    }
    Ok(())
}

async fn find_test_night(front: &Front, account: &AccountId) -> Result<Option<UtcMs>, Problem> {
    let filter = AuditFilter {
        object: Some(account.to_string()),
        act: Some(Act::AccountNightTried.as_str().to_owned()),
        ..AuditFilter::default()
    };
    Ok(front.store.list_audit(&filter, None, 1).await?.first().map(|row| row.at))
}

/// The same in a line.
pub(super) async fn brief(front: &Front, account: &AccountId) -> Result<GoingLiveBrief, Problem> {
    let stands = front.clients.going_live(account).await?;
    Ok(GoingLiveBrief {
        state: stands.standing,
        missing: stands.parts_that_are(PartState::Open),
        changed: stands.parts_that_are(PartState::Changed),
    })
}

/// How an account stands, part by part, in plain English.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/going_live", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)),
    responses((status = OK, body = GoingLiveView), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn show(
    State(front): State<Front>,
    _by: Operator,
    Id(id): Id<AccountId>,
) -> Result<Json<GoingLiveView>, Problem> {
    Ok(Json(view(&front, &id).await?))
}

/// Puts down that a client approved a part, by telephone or on paper.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/approvals", tag = "accounts", security(("bearer" = [])),
    params(("id" = AccountId, Path)), request_body = ApprovalBody,
    responses((status = OK, body = GoingLiveView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn approve(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Id(id): Id<AccountId>,
    Body(body): Body<ApprovalBody>,
) -> Result<Json<GoingLiveView>, Problem> {
    let by = &signed.bearer.user;
    front.clients_of(&signed).approve_part(&id, body.yes(), by).await?;
    tracing::info!(user = %by, account = %id, part = body.part.name(), "an approval was put down");
    Ok(Json(view(&front, &id).await?))
}
