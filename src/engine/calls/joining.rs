//! Two calls at one operator's seat that become one: a doctor rings back while her patient is on hold, and she connects the two.
//!
//! Has the two calls do their halves in turn: the one takes the other's caller in, the other gives them away, their leg goes over.
//! Decides nothing. What always holds: once it has begun it is done to its end, whether or not whoever asked still waits; and
//! a caller who hangs up in the middle of it has hung up on the call that takes them in.

use tokio::sync::oneshot;

use super::task::{Offered, ToCall};
use super::{CallsHandle, CommandError};
use crate::base::id::{CallId, UserId};

impl CallsHandle {
    /// The caller of `other` is the contact of `call` from now on.
    pub(super) async fn join_calls(&self, call: &CallId, other: CallId, by: &UserId) -> Result<(), CommandError> {
        if *call == other {
            return Err(CommandError::NotNow);
        }
        let (calls, call, by) = (self.clone(), call.clone(), by.clone());
        let joined = tokio::spawn(async move { calls.join_in_turn(&call, &other, &by).await });
        joined.await.unwrap_or(Err(CommandError::NoSuchCall))
    }

    async fn join_in_turn(&self, call: &CallId, other: &CallId, by: &UserId) -> Result<(), CommandError> {
        let calls = &self.0;
        let (reply, replied) = oneshot::channel();
        calls.to_call(other, ToCall::MayGive { by: by.clone(), reply })?;
        let offered: Offered = replied.await.unwrap_or(Err(CommandError::NoSuchCall))?;
        let leg = offered.joining.leg;
        let (reply, replied) = oneshot::channel();
        calls.to_call(call, ToCall::TakeIn { by: by.clone(), offered: Box::new(offered), reply })?;
        let lands = replied.await.unwrap_or(Err(CommandError::NoSuchCall))?;
        let (reply, replied) = oneshot::channel();
        let asked = calls.to_call(other, ToCall::GiveAway { by: by.clone(), to: call.clone(), lands, reply });
        let given = match asked {
            Ok(()) => replied.await.unwrap_or(Err(CommandError::CallerGone)),
            // It is over: its caller has hung up, or its operator.
            Err(_) => Err(CommandError::CallerGone),
        };
        let (given, done) = match given {
            Ok(given) => (Some(Box::new(given)), Ok(())),
            Err(why) => (None, Err(why)),
        };
        calls.to_call(call, ToCall::Given { leg, given })?;
        done
    }
}
