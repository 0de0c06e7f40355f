//! What operators ask of calls, where more than the one call is concerned: an operator turns from one of her callers to
//! another, takes one who waits, fetches one who is parked, or passes one on.
//!
//! Each of her calls has a leg of its own at her phone (ADR 8), and each call decides for itself. What always holds: the
//! caller she spoke with hears music before she is connected with the next, so nobody hears words for another account.

use std::cmp::Reverse;

use super::{CallsHandle, Command, CommandError};
use crate::base::id::{CallId, UserId};
use crate::domain::operator::CannotTake;
use crate::engine::feed::{CallState, CallView};

impl From<CannotTake> for CommandError {
    fn from(why: CannotTake) -> Self {
        match why {
            CannotTake::Full => Self::SeatFull,
            CannotTake::NotReady => Self::NotReady,
            CannotTake::Offered => Self::NotNow,
        }
    }
}

impl CallsHandle {
    /// Does what an operator asks, or says why not.
    pub async fn command(&self, call: &CallId, by: &UserId, command: Command) -> Result<(), CommandError> {
        let Some(view) = self.view(call) else { return Err(CommandError::NoSuchCall) };
        let hers = view.seat.as_ref() == Some(by);
        match command {
            Command::Take if view.waits() && view.seat.is_none() => {
                self.room_for(by).await?;
                let aside = self.set_aside(call, by).await?;
                // A caller who is offered to nobody yet is taken out of turn.
                let taken = self.0.desk.take(call.clone(), by.clone()).await;
                self.turned(taken.then_some(()).ok_or(CommandError::NotNow), by, aside).await
            }
            Command::Fetch => {
                if view.state != CallState::Parked || view.parked.as_ref().is_none_or(|p| p.slot.is_none()) {
                    return Err(CommandError::NotNow);
                }
                self.room_for(by).await?;
                let aside = self.set_aside(call, by).await?;
                let fetched = self.0.desk.fetch(call.clone(), by.clone()).await.map_err(CommandError::from);
                self.turned(fetched, by, aside).await
            }
            Command::Take | Command::Retrieve if hers => {
                let aside = self.set_aside(call, by).await?;
                let done = self.ask(call, by, command).await;
                self.turned(done, by, aside).await
            }
            Command::JoinCall { other } => {
                let aside = self.set_aside_but(&[call, &other], by).await?;
                let done = self.join_calls(call, other, by).await;
                self.turned(done, by, aside).await
            }
            Command::Pass { to: Some(ref to), .. } | Command::Ask { user: ref to }
                if hers && !self.0.desk.is_ready(to.clone()).await =>
            {
                Err(CommandError::NotThere)
            }
            _ => self.ask(call, by, command).await,
        }
    }

    pub(super) async fn room_for(&self, by: &UserId) -> Result<(), CommandError> {
        self.0.desk.why_not_take(by.clone()).await.map_or(Ok(()), |why| Err(why.into()))
    }

    /// Puts on hold whom the operator speaks with in other calls; which they were. In the middle of a patch she cannot
    /// turn away: somebody would be left in silence.
    pub(super) async fn set_aside(&self, call: &CallId, by: &UserId) -> Result<Vec<CallId>, CommandError> {
        self.set_aside_but(&[call], by).await
    }

    /// The same for all but these.
    async fn set_aside_but(&self, calls: &[&CallId], by: &UserId) -> Result<Vec<CallId>, CommandError> {
        let others: Vec<_> = self.at_seat(by).into_iter().filter(|view| !calls.contains(&&view.id)).collect();
        self.may_leave(&others, by)?;
        let mut aside = Vec::new();
        for view in others.into_iter().filter(|view| view.state == CallState::Talking) {
            // One that has ended meanwhile, or is on hold already, needs nothing.
            if self.ask(&view.id, by, Command::Hold).await.is_ok() {
                aside.push(view.id);
            }
        }
        Ok(aside)
    }

    /// She can turn away from all that she has.
    pub(super) fn may_turn_away(&self, by: &UserId) -> Result<(), CommandError> {
        self.may_leave(&self.at_seat(by), by)
    }

    fn may_leave(&self, calls: &[CallView], by: &UserId) -> Result<(), CommandError> {
        let busy = [CallState::Patching, CallState::Conference, CallState::Consulting, CallState::RingingBack];
        if calls.iter().any(|view| busy.contains(&view.state)) || self.is_asked(by) {
            return Err(CommandError::Patching);
        }
        Ok(())
    }

    /// If nothing came of it, she is back with whom she spoke.
    async fn turned(
        &self,
        done: Result<(), CommandError>,
        by: &UserId,
        aside: Vec<CallId>,
    ) -> Result<(), CommandError> {
        if done.is_err() {
            for call in aside {
                // An error means that the caller has gone.
                let _ = self.ask(&call, by, Command::Retrieve).await;
            }
        }
        done
    }

    pub(super) fn view(&self, call: &CallId) -> Option<CallView> {
        self.0.lock().get(call).and_then(|live| live.view.clone())
    }

    fn at_seat(&self, user: &UserId) -> Vec<CallView> {
        self.0.at_seat(user)
    }

    /// Another operator talks with this one.
    fn is_asked(&self, user: &UserId) -> bool {
        let live = self.0.lock();
        let mut asked = live.values().filter_map(|l| l.view.as_ref()).filter_map(|view| view.colleague.as_ref());
        asked.any(|colleague| colleague.user == *user)
    }
}

impl super::Calls {
    /// The calls that are up at an operator's seat, the one she speaks in first, then the one she put on hold last.
    pub(super) fn at_seat(&self, user: &UserId) -> Vec<CallView> {
        let up = |view: &&CallView| {
            let up = !matches!(view.state, CallState::Offered | CallState::WrapUp | CallState::Ended);
            up && view.seat.as_ref() == Some(user)
        };
        let mut views: Vec<_> = self.lock().values().filter_map(|l| l.view.as_ref()).filter(up).cloned().collect();
        views.sort_by_key(|view| {
            let rank = match view.state {
                CallState::Talking => 0,
                CallState::Patching | CallState::Conference | CallState::Consulting => 1,
                CallState::Held => 2,
                _ => 3,
            };
            (rank, Reverse(view.state_since))
        });
        views
    }
}
