//! What an operator wants to know before she rings somebody back: how often they called today, what was taken from them before,
//! and the form that was begun. And that form, made hers.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::base::id::{AccountId, CallTypeId, DraftId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Account;
use crate::domain::figures::midnight;
use crate::domain::message::form::Answers;
use crate::engine::feed::UserRef;
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::drafts::Draft;

use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::Id;
use super::state::{Front, board};

/// A form that was begun.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DraftView {
    id: DraftId,
    owner: UserRef,
    call_type: Option<CallTypeId>,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    answers: Answers,
}

impl DraftView {
    /// `owner`: as they are called.
    pub fn new(draft: Draft, owner: UserRef) -> Self {
        Self { id: draft.id, owner, call_type: draft.call_type, answers: draft.answers }
    }
}

/// What is known of callers, asked for once.
#[derive(Default)]
pub struct Known {
    /// Calls of today, by account.
    today: HashMap<AccountId, Vec<(PhoneNumber, u32)>>,
}

impl Known {
    /// How often this caller has called today, by the account's clock, and how many messages were taken from them before.
    pub async fn of(
        &mut self,
        front: &Front,
        account: &Account,
        caller: Option<&PhoneNumber>,
    ) -> Result<(u32, u32), Problem> {
        let Some(caller) = caller else { return Ok((0, 0)) };
        if !self.today.contains_key(&account.id) {
            let since = midnight(&account.zone, front.clock.utc());
            let counted = front.store.count_calls_by_caller(&account.id, since).await?;
            self.today.insert(account.id.clone(), counted);
        }
        let counted = self.today.get(&account.id).into_iter().flatten();
        let today = counted.filter(|(number, _)| number == caller).map(|(_, calls)| *calls).sum();
        Ok((today, front.store.count_messages_by_caller(&account.id, caller).await?))
    }
}

/// A form that was begun in a call that is over is mine from now on, whoever began it.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/take", tag = "messages", security(("bearer" = [])),
    params(("id" = DraftId, Path)),
    responses((status = OK, body = Draft), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody)))]
pub async fn take_draft(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(id): Id<DraftId>,
) -> Result<Json<Draft>, Problem> {
    let me = signed.bearer.user.clone();
    let draft = front.store.find_draft(&id).await?.ok_or_else(|| Problem::not_found("draft"))?;
    if draft.owner == me {
        return Ok(Json(draft));
    }
    let Some(call) = draft.call else { return Err(Problem::not_found("draft")) };
    // Somebody may be typing in it.
    let up = board(&front, signed.user()).await?.calls.into_iter().any(|live| live.id == call);
    if up {
        return Err(Problem::conflict("draft.in_use", "The call is not over: its operator still has the form."));
    }
    let mut tx = front.store.write().await?;
    let taken = tx.take_draft(&id, &me).await?;
    if taken.is_some() {
        tx.audit(Entry::new(front.clock.utc(), Who::User(me.clone()), Act::DraftRead, id.to_string()));
    }
    tx.commit("take_draft").await?;
    tracing::info!(user = %me, draft = %id, "a form that was left was taken over");
    taken.map(Json).ok_or_else(|| Problem::not_found("draft"))
}
