//! What was seen of a dispatch by whoever acts on its step, and why they are refused if it is another now: two hands at once, or one
//! that presses twice (for a second the console says what was seen at the first press), skip one step and not two.
//!
//! What always holds: whoever says what they saw acts on nothing else, and whoever says nothing acts on the step that is.

use axum::extract::{FromRequest, Request};
use hyper::body::Body as _;
use serde::Deserialize;

use crate::base::id::DispatchId;
use crate::domain::dispatch::meanwhile::{self, Asks};

use super::error::Problem;
use super::extract::Body;
use super::state::Front;

/// What was seen of a dispatch.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenBody {
    /// `moves` of the dispatch as it was shown. If it has gone on since, nothing is done (`dispatch.moved`). Without it the step is
    /// meant that it is in when this arrives, whichever that is.
    moves: Option<u32>,
}

/// The same, where a body may be left out.
pub struct SeenMoves(pub Option<u32>);

impl FromRequest<Front> for SeenMoves {
    type Rejection = Problem;

    async fn from_request(request: Request, front: &Front) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self(None));
        }
        let Body(body) = Body::<Option<SeenBody>>::from_request(request, front).await?;
        Ok(Self(body.and_then(|body| body.moves)))
    }
}

/// Why an act of the operator `by` changed nothing. `seen`: what they saw of the step.
pub(super) async fn refused(front: &Front, id: &DispatchId, by: &str, seen: Option<u32>) -> Result<Problem, Problem> {
    let Some(read) = front.store.find_dispatch(id).await? else { return Ok(Problem::not_found("dispatch")) };
    let history = front.store.list_dispatch_entries(id).await?;
    let asks = Asks { by, now: front.clock.utc() };
    Ok(match meanwhile::over(&read.state, &history, asks) {
        Some(who) => Problem::conflict("dispatch.not_now", who),
        None if seen.is_some_and(|moves| moves != read.state.moves()) => {
            Problem::conflict("dispatch.moved", meanwhile::moved(&read.state, &history, asks))
        }
        None => Problem::conflict("dispatch.not_now", "It is not at a step that allows this now."),
    })
}
