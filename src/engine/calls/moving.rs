//! Supervisors who move calls between operators and send operators home. Decides nothing: the seat knows whether it is free,
//! the call whether it can be moved.

use std::fmt;

use tokio::sync::oneshot;

use super::task::ToCall;
use super::{CallsHandle, CommandError};
use crate::base::id::{CallId, UserId};
use crate::engine::feed::{CallState, SeatState, UserRef};

/// Why a call stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveRefused {
    /// The operator who is to have it could not take it.
    NotReady,
    Call(CommandError),
}

impl fmt::Display for MoveRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReady => f.write_str("that operator is not ready for a call"),
            Self::Call(CommandError::NotNow) => {
                f.write_str("only a call that is talked in, on hold or waiting can be moved: end the patch first")
            }
            Self::Call(why) => why.fmt(f),
        }
    }
}

impl CallsHandle {
    /// Takes a call from its operator, or out of its turn: for `to`, or for whoever is free first.
    pub async fn move_call(&self, call: &CallId, by: &UserId, to: Option<UserId>) -> Result<(), MoveRefused> {
        if let Some(to) = &to {
            let (seats, _) = self.0.desk.floor().await.ok_or(MoveRefused::NotReady)?;
            if !seats.iter().any(|seat| seat.user.id == *to && seat.state == SeatState::Ready) {
                return Err(MoveRefused::NotReady);
            }
        }
        if self.waits(call) {
            let Some(to) = to else { return Err(MoveRefused::Call(CommandError::NotNow)) };
            let taken = self.0.desk.take(call.clone(), to).await;
            return if taken { Ok(()) } else { Err(MoveRefused::NotReady) };
        }
        let (reply, replied) = oneshot::channel();
        self.0.to_call(call, ToCall::Move { by: by.clone(), to, reply }).map_err(MoveRefused::Call)?;
        replied.await.unwrap_or(Err(CommandError::NoSuchCall)).map_err(MoveRefused::Call)
    }

    /// No more calls for `user`: what rings there rings elsewhere, who is on hold goes back to the head of the queue; who
    /// is talked with is talked with to the end. False: nobody of that name has sat down.
    pub async fn log_out(&self, user: &UserId, by: &UserRef) -> bool {
        let reason = format!("logged out by {}", by.name);
        if self.0.desk.log_out(user.clone(), reason).await.is_none() {
            return false;
        }
        for held in self.views().into_iter().filter(|v| v.seat.as_ref() == Some(user) && v.state == CallState::Held) {
            // Taken back in this very moment, it is one that she talks in.
            let _ = self.move_call(&held.id, &by.id, None).await;
        }
        true
    }
}
