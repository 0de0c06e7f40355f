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
use crate::base::phone::PhoneNumber;
use crate::domain::checkin::pin::{DIGITS, Pin};
use crate::domain::dispatch::event::OperatorAct;
use crate::domain::message::form::FieldError;
use crate::engine::calls::Command;
use crate::engine::calls::outbound::Opened;
use crate::engine::calls::rings_back::{find_named, known_by_pin, prove, prove_named};
use crate::engine::dispatcher::Decided;
use crate::engine::feed::{AccountRef, AlarmLevel, AskedView, CallState, CallView};
use crate::io::store::check_in::Tried;

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
    /// What they name by its reference, where they call from no number of theirs: they are known by the PIN alone.
    dispatch: Option<DispatchId>,
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
    let live = find_own(&front, signed, &call).await?;
    if let Some(dispatch) = &body.dispatch {
        let asked = find_named(&front.store, dispatch).await?.filter(|asked| asked.account.id == body.account);
        let asked = asked.filter(|_| is_from_outside(&live, &body.account)).ok_or_else(asks_nobody)?;
        let pin = parse_pin(&body.pin)?;
        let (store, by_user, now) = (&front.store, &signed.bearer.user, front.clock.utc());
        return match prove_named(store, &body.account, live.caller.as_ref(), &pin, by_user, now).await? {
            Tried::Right(set) => {
                let view = known_by_pin(store, asked, set.contact).await?.ok_or_else(asks_nobody)?;
                act(&front, call, by, Command::Named(view)).await
            }
            wrong => {
                let limit = wrong == Tried::Wrong { locks: true };
                Err(wrong_pin(&front, &call, &asked.account, live.caller.as_ref(), limit))
            }
        };
    }
    let mut asked = live.rings_back.iter().flat_map(|back| &back.dispatches);
    let account = asked.find(|one| one.pin && one.account.id == body.account).map(|one| &one.account);
    let (Some(account), Some(caller)) = (account, &live.caller) else { return Err(asks_nobody()) };
    let (pin, now) = (parse_pin(&body.pin)?, front.clock.utc());
    match prove(&front.store, &account.id, caller, &pin, &signed.bearer.user, now).await? {
        Opened::Right => {
            let account = account.id.clone();
            act(&front, call, by, Command::Proved { account }).await
        }
        Opened::Wrong { limit } => Err(wrong_pin(&front, &call, account, Some(caller), limit)),
    }
}

fn asks_nobody() -> Problem {
    Problem::conflict("call.not_now", "That account asks nobody on this call for a PIN.")
}

fn parse_pin(said: &str) -> Result<Pin, Problem> {
    let pin = said.trim();
    if !DIGITS.contains(&pin.len()) || !pin.bytes().all(|b| b.is_ascii_digit()) {
        // It can be nobody's, so it is no try.
        let error = FieldError::new("pin", "digits", "A PIN is 4 to 10 digits.");
        return Err(Problem::invalid("call.pin_digits", "A PIN is 4 to 10 digits: ask for it again.", vec![error]));
    }
    Ok(Pin::pressed(pin.to_owned()))
}

/// The same whether it was the PIN or the number of tries. `limit`: it was the last that is taken there.
fn wrong_pin(front: &Front, call: &CallId, account: &AccountRef, caller: Option<&PhoneNumber>, limit: bool) -> Problem {
    metrics::counter!("cordboard_wrong_pins_total").increment(1);
    if limit {
        tracing::warn!(%call, account = %account.id, "too many wrong PINs by who rings back: none is taken there for an hour");
        let from = caller.map_or("a caller who shows no number", PhoneNumber::as_e164);
        let text = format!(
            "{}: too many wrong PINs from {from}, who rang back. For an hour none is taken from that number; whoever it is for \
             can be called at another.",
            account.name,
        );
        front.dispatcher.alarm(format!("ring_back_pins:{call}"), AlarmLevel::Warning, text);
    }
    Problem::forbidden(
        "call.pin",
        "That PIN is not theirs, or too many were wrong: after six none is taken from that number for an hour. Read \
         them nothing; ring them at the number that the account has.",
    )
}

/// Somebody is on the line who has called for this account.
fn is_from_outside(call: &CallView, account: &AccountId) -> bool {
    // While a colleague is asked as well: they are back when she is. With somebody else on the line the yes may be that one's.
    let speaks = matches!(call.state, CallState::Talking | CallState::Held | CallState::Consulting);
    let came_in = call.job.is_none() && call.dialled.is_none() && call.ring_back.is_none();
    speaks && came_in && call.account.id == *account
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
    let live = find_own(&front, signed, &call).await?;
    let (Some(back), Some(number)) = (live.rings_back, live.caller) else {
        return Err(Problem::conflict("call.not_now", "Nobody rings back on this call."));
    };
    let to_hear = |asked: &AskedView| (asked.notice || asked.unheard) && asked.dispatch == body.dispatch;
    let Some(asked) = back.dispatches.into_iter().find(to_hear) else {
        return Err(Problem::conflict("call.not_now", "They have had no notice of that message, or have heard it."));
    };
    if asked.pin {
        return Err(pin_needed(&asked.name));
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

/// A call at this operator's seat.
async fn find_own(front: &Front, signed: &Signed, call: &CallId) -> Result<CallView, Problem> {
    let calls = board(front, signed.user()).await?.calls;
    calls.into_iter().find(|live| live.id == *call && is_own(live, signed)).ok_or_else(|| Problem::not_found("call"))
}

fn is_own(call: &CallView, signed: &Signed) -> bool {
    call.seat.as_ref() == Some(&signed.bearer.user)
}

fn pin_needed(who: &str) -> Problem {
    let detail = format!(
        "{who} rings back on your line and is asked for their PIN first. Type it on the call; then they can confirm."
    );
    Problem::conflict("dispatch.pin_needed", detail)
}

/// Refuses a yes from whoever rings back on a call of this operator's and is still to be asked for their PIN. So is who has called for the
/// account and is known by no number: whatever reference they name. Whoever has hung up says nothing there any more: a yes that comes
/// meanwhile is somebody else's.
pub(super) async fn refuse_unproved(front: &Front, id: &DispatchId, signed: &Signed) -> Result<(), Problem> {
    // A service that is stopping has no calls any more.
    let Some(board) = front.desk.board(signed.user()).await else { return Ok(()) };
    let own = board.calls.iter().filter(|call| is_own(call, signed));
    let on_the_line: Vec<&CallView> =
        own.filter(|call| !matches!(call.state, CallState::WrapUp | CallState::Ended)).collect();
    let ring_back = on_the_line.iter().filter_map(|call| call.rings_back.as_ref());
    let about: Vec<&AskedView> =
        ring_back.flat_map(|back| &back.dispatches).filter(|one| one.dispatch == *id).collect();
    if let Some(unproved) = about.iter().find(|one| one.pin) {
        return Err(pin_needed(&unproved.name));
    }
    if !about.is_empty() || on_the_line.is_empty() {
        return Ok(());
    }
    if let Some(asked) = find_named(&front.store, id).await?
        && on_the_line.iter().any(|call| is_from_outside(call, &asked.account.id))
    {
        return Err(Problem::conflict(
            "dispatch.pin_needed",
            "Whoever is on your line is asked for their PIN first: type it here, and they can confirm. If it was somebody else who \
             said yes, confirm it when that call is over.",
        ));
    }
    Ok(())
}
