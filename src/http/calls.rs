//! Live calls, and what an operator does to the one on their desk.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::id::{CallId, ContactId, DestinationId};
use crate::engine::calls::{Command, RecordingCommand};
use crate::engine::feed::{CallState, CallView, ContactRef, UserRef};

use super::abandoned::{AbandonedPage, CallFilter, page};
use super::auth::Operator;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id, Params};
use super::jobs;
use super::state::{Front, NotNow, board};
use super::telephones::{FoundPhone, RING, find_phone, read_number, refuse};

/// What is wrong with whom to patch to.
const INVALID: &str = "patch.invalid";

/// Live calls.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Calls {
    items: Vec<CallView>,
}

/// Calls of the kind asked for.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum CallList {
    Live(Calls),
    Abandoned(AbandonedPage),
}

/// Whom to patch to: a contact's destination, or a number dialled by hand.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct PatchBody {
    contact: Option<ContactId>,
    /// If it does not answer, the contact's telephones after it are tried.
    destination: Option<DestinationId>,
    number: Option<String>,
    /// Whoever answers is joined with the caller at once, unannounced, and I am out of it.
    #[serde(default)]
    cold: bool,
}

/// What the call was, when its form is done.
#[derive(Default, Deserialize, utoipa::ToSchema)]
pub struct WrapUpBody {
    disposition: Option<String>,
}

/// Calls that are up or waiting; or callers who hung up too early.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls", security(("bearer" = [])), params(CallFilter),
    responses((status = OK, body = CallList), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    Operator(signed): Operator,
    Params(filter): Params<CallFilter>,
) -> Result<Json<CallList>, Problem> {
    if let Some(which) = filter.abandoned {
        return Ok(Json(CallList::Abandoned(page(&front, &signed, which, filter).await?)));
    }
    Ok(Json(CallList::Live(Calls { items: board(&front, signed.user()).await?.calls })))
}

pub(super) async fn act(front: &Front, call: CallId, by: Operator, command: Command) -> Result<StatusCode, Problem> {
    if command == Command::Take {
        return jobs::take(front, call, &by).await.map(|()| StatusCode::NO_CONTENT);
    }
    let (user, fetches) = (by.0.user(), command == Command::Fetch);
    match front.desk.command(call.clone(), user.id.clone(), command).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(NotNow(why)) if fetches => Err(not_taken(front, &call, &user, why).await),
        Err(NotNow(why)) => Err(Problem::conflict("call.not_now", why)),
    }
}

/// Why somebody who wanted a call has not got it: another operator has it, or is rung for it, or else what was said.
pub(super) async fn not_taken(front: &Front, call: &CallId, by: &UserRef, why: String) -> Problem {
    let seats = front.desk.seats().await;
    let seat = seats.iter().find(|seat| seat.user.id != by.id && seat.calls.contains(call));
    let calls = front.desk.board(by.clone()).await.map(|board| board.calls).unwrap_or_default();
    match (seat, calls.iter().find(|up| up.id == *call).map(|up| up.state)) {
        (Some(seat), Some(CallState::Offered)) => {
            Problem::conflict("call.not_now", format!("It rings at {}'s now.", seat.user.name))
        }
        // Over, and its form is still being finished there: nobody has the caller.
        (None, _) | (_, None | Some(CallState::WrapUp | CallState::Ended)) => Problem::conflict("call.not_now", why),
        (Some(seat), Some(_)) => Problem::conflict("call.taken", format!("{} has this call now.", seat.user.name)),
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident $path:literal $action:expr;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "calls", security(("bearer" = [])),
            params(("id" = CallId, Path)),
            responses((status = NO_CONTENT), (status = CONFLICT, body = ProblemBody)))]
        pub async fn $name(
            State(front): State<Front>,
            by: Operator,
            Id(call): Id<CallId>,
        ) -> Result<StatusCode, Problem> {
            act(&front, call, by, $action).await
        }
    )*};
}

actions! {
    /// Takes a call that is offered to me, or waits.
    take "/api/v1/calls/{id}/take" Command::Take;
    /// The caller hears music.
    hold "/api/v1/calls/{id}/hold" Command::Hold;
    /// Ends my own recording of the answer phrase, which the caller hears: I speak myself.
    speak "/api/v1/calls/{id}/speak" Command::Speak;
    /// Back to the caller.
    retrieve "/api/v1/calls/{id}/retrieve" Command::Retrieve;
    /// The caller waits at a numbered slot until anybody fetches them; I am free.
    park "/api/v1/calls/{id}/park" Command::Park;
    /// The caller is the operator's whom I have asked, from now on; I am free.
    hand_over "/api/v1/calls/{id}/ask/hand_over" Command::HandOver;
    /// Back to the caller.
    leave_colleague "/api/v1/calls/{id}/ask/cancel" Command::Cancel;
    /// Has a parked caller at my seat; whom I speak with goes on hold.
    fetch "/api/v1/calls/{id}/fetch" Command::Fetch;
    /// Ends the call.
    hang_up "/api/v1/calls/{id}/hangup" Command::HangUp;
    /// As much time for the wrap-up once more, where the account limits it.
    more_wrap_up "/api/v1/calls/{id}/wrap_up_more" Command::WrapUpMore;
    /// The contact's next telephone: this one is a machine's, or somebody else's.
    next_number "/api/v1/calls/{id}/patch/next" Command::NextNumber;
    /// The contact waits with music while I talk with the caller.
    hold_contact "/api/v1/calls/{id}/patch/hold" Command::HoldContact;
    /// The caller waits with music while I talk with the contact.
    talk_in_private "/api/v1/calls/{id}/patch/private" Command::Private;
    /// The colleague whom I ask is part of the call: all hear each other.
    join_colleague "/api/v1/calls/{id}/ask/join" Command::Join;
    /// Caller, contact and operator hear each other.
    join "/api/v1/calls/{id}/patch/join" Command::Join;
    /// Leaves caller and contact to themselves.
    drop_off "/api/v1/calls/{id}/patch/drop" Command::Drop;
    /// Gives up the dialled party; back to the caller. A party who had called, and was joined, waits with music instead.
    cancel_patch "/api/v1/calls/{id}/patch/cancel" Command::Cancel;
    /// Hangs up on a party who had called: the caller of another call of mine, whom I have joined.
    let_go "/api/v1/calls/{id}/patch/let_go" Command::LetGo;
    /// Records from now on, once everybody has been told: where the account has it on demand.
    start_recording "/api/v1/calls/{id}/recording/start" Command::Recording(RecordingCommand::Start);
    /// Records no longer.
    stop_recording "/api/v1/calls/{id}/recording/stop" Command::Recording(RecordingCommand::Stop);
    /// Silence on the recording from now on: a card number is being read.
    pause_recording "/api/v1/calls/{id}/recording/pause" Command::Recording(RecordingCommand::Pause);
    /// Silence on the recording while I type what must not be in it. For 20 s; to be said again while that lasts.
    cover_recording "/api/v1/calls/{id}/recording/cover" Command::Recording(RecordingCommand::Cover);
    /// It is typed: sound again, unless the recording is paused by hand.
    uncover_recording "/api/v1/calls/{id}/recording/uncover" Command::Recording(RecordingCommand::Uncover);
    /// Sound again.
    resume_recording "/api/v1/calls/{id}/recording/resume" Command::Recording(RecordingCommand::Resume);
}

/// Another call at my seat.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct JoinBody {
    call: CallId,
}

/// The caller of another call at my seat, for the same account, is this call's contact from now on: to be announced, joined and
/// left to the caller. That other call is over; both records name the other.
#[utoipa::path(post, path = "/api/v1/calls/{id}/join", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), request_body = JoinBody,
    responses((status = NO_CONTENT), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn join_call(
    State(front): State<Front>,
    by: Operator,
    Id(call): Id<CallId>,
    Body(body): Body<JoinBody>,
) -> Result<StatusCode, Problem> {
    act(&front, call, by, Command::JoinCall { other: body.call }).await
}

/// Dials a contact while the caller waits.
#[utoipa::path(post, path = "/api/v1/calls/{id}/patch", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), request_body = PatchBody,
    responses((status = NO_CONTENT), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn patch(
    State(front): State<Front>,
    by: Operator,
    Id(call): Id<CallId>,
    Body(body): Body<PatchBody>,
) -> Result<StatusCode, Problem> {
    let to = match body {
        PatchBody { contact: Some(contact), destination: Some(destination), number: None, cold } => {
            let live = board(&front, by.0.user()).await?.calls;
            // One that is over by now is refused as such.
            let account = live.iter().find(|live| live.id == call).map(|live| &live.account.id);
            let FoundPhone { contact, number, ring_secs, then, .. } =
                find_phone(&front, INVALID, account, &contact, &destination).await?;
            let ring = Duration::from_secs(ring_secs.into());
            Command::Patch {
                number,
                ring,
                contact: Some(ContactRef { id: contact.id, name: contact.name }),
                then,
                cold,
            }
        }
        PatchBody { contact: None, destination: None, number: Some(number), cold } => {
            let number = read_number(INVALID, &number)?;
            Command::Patch { number, contact: None, ring: RING, then: Vec::new(), cold }
        }
        _ => return Err(refuse(INVALID, "number", "required", "Send contact and destination, or number.")),
    };
    act(&front, call, by, to).await
}

/// The form of a call that is over is done.
#[utoipa::path(post, path = "/api/v1/calls/{id}/wrap_up_done", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)), request_body = WrapUpBody,
    responses((status = NO_CONTENT), (status = CONFLICT, body = ProblemBody)))]
pub async fn wrap_up_done(
    State(front): State<Front>,
    by: Operator,
    Id(call): Id<CallId>,
    Body(body): Body<WrapUpBody>,
) -> Result<StatusCode, Problem> {
    act(&front, call, by, Command::WrapUpDone { disposition: body.disposition }).await
}
