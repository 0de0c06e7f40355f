//! A contact who rings back: asked for their PIN, where their account asks for one on its calls about a message, which the operator
//! types as they say it; and told what they have had a notice of, which she writes down.
//!
//! What always holds: a PIN is in no answer, log line or row, and counts where the ones count that are pressed when the number is
//! called; whether it was the PIN or the limit is not told; and until it was right, the operator who has the call takes no yes and
//! writes down no telling.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::base::id::{AccountId, CallId, DispatchId};
use crate::domain::checkin::pin::{DIGITS, Pin};
use crate::domain::dispatch::event::OperatorAct;
use crate::domain::message::form::FieldError;
use crate::engine::calls::Command;
use crate::engine::calls::outbound::Opened;
use crate::engine::calls::rings_back::prove;
use crate::engine::dispatcher::Decided;
use crate::engine::feed::{AlarmLevel, CallView};

use super::auth::{Operator, Signed};
use super::calls::act;
use super::editions::stale;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::{Front, board};

/// What whoever rings back says.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofBody {
    /// Whose messages they are asked about.
    account: AccountId,
    pin: String,
}

/// Whoever rings back on my call has told me their PIN. If it is right, what the account asks them is shown on the call, and they can
/// confirm it; a wrong one is refused with `call.pin`.
#[utoipa::path(post, path = "/api/v1/calls/{id}/rings_back/pin", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), request_body = ProofBody,
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn show_pin(
    State(front): State<Front>,
    by: Operator,
    Id(call): Id<CallId>,
    Body(body): Body<ProofBody>,
) -> Result<StatusCode, Problem> {
    let signed = &by.0;
    let calls = board(&front, signed.user()).await?.calls;
    let live = calls.into_iter().find(|live| live.id == call && live.seat.as_ref() == Some(&signed.bearer.user));
    let live = live.ok_or_else(|| Problem::not_found("call"))?;
    let mut asked = live.rings_back.iter().flat_map(|back| &back.dispatches);
    let account = asked.find(|one| one.pin && one.account.id == body.account).map(|one| &one.account);
    let (Some(account), Some(caller)) = (account, &live.caller) else {
        return Err(Problem::conflict("call.not_now", "That account asks nobody on this call for a PIN."));
    };
    let pin = body.pin.trim();
    if !DIGITS.contains(&pin.len()) || !pin.bytes().all(|b| b.is_ascii_digit()) {
        // It can be nobody's, so it is no try.
        let error = FieldError::new("pin", "digits", "A PIN is 4 to 10 digits.");
        return Err(Problem::invalid("call.pin_digits", "A PIN is 4 to 10 digits: ask for it again.", vec![error]));
    }
    let now = front.clock.utc();
    let pin = Pin::pressed(pin.to_owned());
    match prove(&front.store, &account.id, caller, &pin, &signed.bearer.user, now).await? {
        Opened::Right => {
            let account = account.id.clone();
            act(&front, call, by, Command::Proved { account }).await
        }
        Opened::Wrong { limit } => {
            metrics::counter!("cordboard_wrong_pins_total").increment(1);
            if limit {
                tracing::warn!(%call, account = %account.id, "too many wrong PINs by who rings back: none is taken there for an hour");
                let text = format!(
                    "{}: too many wrong PINs from {}, who rang back. For an hour none is taken from that number; whoever it is for \
                     can be called at another.",
                    account.name,
                    caller.as_e164()
                );
                front.dispatcher.alarm(format!("ring_back_pins:{call}"), AlarmLevel::Warning, text);
            }
            // The same whether it was the PIN or the number of tries.
            Err(Problem::forbidden(
                "call.pin",
                "That PIN is not theirs, or too many were wrong: after six none is taken from that number for an hour. Read \
                 them nothing; ring them at the number that the account has.",
            ))
        }
    }
}

/// What I have told whoever rings back.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToldBody {
    dispatch: DispatchId,
    /// Which edition of the message was read to them; without it, as it is.
    edition: Option<u32>,
}

/// Whoever rings back on my call has heard from me what they had a notice of: that stands on its time line with my name and confirms
/// nothing. Refused as long as they are to be asked for their PIN, and if the message was changed after it was read to them.
#[utoipa::path(post, path = "/api/v1/calls/{id}/rings_back/told", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), request_body = ToldBody,
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn told(
    State(front): State<Front>,
    by: Operator,
    Id(call): Id<CallId>,
    Body(body): Body<ToldBody>,
) -> Result<StatusCode, Problem> {
    let signed = &by.0;
    let calls = board(&front, signed.user()).await?.calls;
    let live = calls.into_iter().find(|live| live.id == call && live.seat.as_ref() == Some(&signed.bearer.user));
    let live = live.ok_or_else(|| Problem::not_found("call"))?;
    let (Some(back), Some(number)) = (live.rings_back, live.caller) else {
        return Err(Problem::conflict("call.not_now", "Nobody rings back on this call."));
    };
    let Some(asked) = back.dispatches.into_iter().find(|asked| asked.notice && asked.dispatch == body.dispatch) else {
        return Err(Problem::conflict("call.not_now", "They have had no notice of that message, or have heard it."));
    };
    if asked.pin {
        return Err(pin_needed());
    }
    let (dispatch, edition) = (body.dispatch, body.edition);
    let people = front.store.list_contacts_by_phone(&number).await?.into_iter().map(|person| person.id).collect();
    let heard = OperatorAct::Told { number, people, edition };
    match front.dispatcher.operator(&dispatch, &signed.name, heard).await? {
        Decided::Changed => {
            // It is written down, whatever has become of the call since.
            let _ = act(&front, call, by, Command::Heard { dispatch }).await;
            Ok(StatusCode::NO_CONTENT)
        }
        Decided::Unchanged
            if edition.is_some() && front.store.find_message_edition(&asked.message).await? != edition =>
        {
            Err(stale())
        }
        Decided::Unchanged => Err(Problem::conflict("call.not_now", "They have heard that message already.")),
        Decided::NotFound => Err(Problem::not_found("dispatch")),
    }
}

fn pin_needed() -> Problem {
    Problem::conflict(
        "dispatch.pin_needed",
        "Whoever rings back is asked for their PIN first. Type it on the call; then they can confirm.",
    )
}

/// Refuses a yes from whoever rings back on a call of this operator's and is still to be asked for their PIN.
pub(super) async fn refuse_unproved(front: &Front, id: &DispatchId, signed: &Signed) -> Result<(), Problem> {
    let asks = |call: &CallView| {
        let mut asked = call.rings_back.iter().flat_map(|back| &back.dispatches);
        call.seat.as_ref() == Some(&signed.bearer.user) && asked.any(|one| one.pin && one.dispatch == *id)
    };
    // A service that is stopping has no calls any more.
    let live = front.desk.board(signed.user()).await;
    if live.is_some_and(|board| board.calls.iter().any(asks)) {
        return Err(pin_needed());
    }
    Ok(())
}
