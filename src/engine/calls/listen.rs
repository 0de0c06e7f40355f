//! Supervisors who listen to calls: the desk says on which phone, the call lets them in. Decides nothing.
//!
//! What always holds: a seat whose supervisor is refused, or gone, is free again; one supervisor is in one call at a time.

use std::fmt;

use tokio::sync::oneshot;

use super::task::ToCall;
use super::{CallsHandle, CommandError, ListenMode};
use crate::base::id::{CallId, UserId};
use crate::domain::operator::CannotListen;
use crate::engine::desk::CallWord;
use crate::engine::feed::UserRef;

/// Why a supervisor does not get to hear a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenRefused {
    Seat(CannotListen),
    Call(CommandError),
}

impl fmt::Display for ListenRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seat(why) => why.fmt(f),
            Self::Call(CommandError::NotNow) => f.write_str("nobody talks in this call now, or four listen already"),
            Self::Call(why) => why.fmt(f),
        }
    }
}

impl CallsHandle {
    /// Rings `by`, who hears the call as soon as their phone is up; one who hears it already goes on in this mode, one who
    /// hears another leaves that.
    pub async fn listen(&self, call: &CallId, by: UserRef, mode: ListenMode) -> Result<(), ListenRefused> {
        let views = self.views();
        let Some(view) = views.iter().find(|view| view.id == *call) else {
            return Err(ListenRefused::Call(CommandError::NoSuchCall));
        };
        if view.listeners.is_empty() && !view.state.is_talked_in() {
            // Before another call is left for this one.
            return Err(ListenRefused::Call(CommandError::NotNow));
        }
        let user = by.id.clone();
        let phone = self.0.desk.listen(call.clone(), by.clone()).await.map_err(ListenRefused::Seat)?;
        let (reply, replied) = oneshot::channel();
        let listens = match self.0.to_call(call, ToCall::Listen { by, phone, mode, reply }) {
            Ok(()) => replied.await.unwrap_or(Err(CommandError::NoSuchCall)),
            Err(why) => Err(why),
        };
        if listens.is_err() {
            self.0.desk.from_call(call.clone(), CallWord::ListenerGone { user });
        }
        listens.map_err(ListenRefused::Call)
    }

    /// `by` has heard enough of a call; one who does not listen has gone already.
    pub fn leave(&self, call: &CallId, by: &UserId) {
        // An error means that the call is over, and with it the listening.
        let _ = self.0.to_call(call, ToCall::Leave { by: by.clone() });
    }
}
