//! Calls that operators' desk phones make: each belongs to the call that its operator has, and goes out in the name of
//! that call's account.
//!
//! Without such a call there is no account to call for: refused, in words that phones show or log. But an emergency
//! number is her own call then ([`emergency`](super::emergency)), and a colleague is always one of her own
//! ([`inner`](super::inner)), beside a caller's who is on hold as well.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::task::ToCall;
use super::{Calls, CallsHandle};
use crate::base::id::{CallId, UserId};
use crate::domain::call::cause::Cause;
use crate::engine::feed::CallState;
use crate::engine::signal::{Dialled, LegCommand, PhoneCall};

const NO_CALL: &str = "You have no caller on the line: there is no account to call for. Use the console.";
const NOT_NOW: &str = "Your call is being patched or transferred already.";

impl CallsHandle {
    /// Takes in every call that desk phones make, until the phone side is closed.
    pub async fn take_from_phones(self, mut made: mpsc::Receiver<PhoneCall>) {
        while let Some(call) = made.recv().await {
            self.place_from_phone(call);
        }
    }

    /// Takes in one call.
    pub(super) fn place_from_phone(&self, call: PhoneCall) {
        self.0.place_from_phone(call);
    }
}

impl Calls {
    fn place_from_phone(self: &Arc<Self>, call: PhoneCall) {
        let leg = call.leg;
        if let Dialled::Seat(colleague) = &call.to {
            let colleague = colleague.clone();
            return self.call_colleague(call, colleague);
        }
        let refuse = |cause, why| self.wiring.signalling.to_phone(leg, LegCommand::RejectSaying(cause, why));
        let help = match &call.to {
            Dialled::Number(number) if number.emergency_code().is_some() => Some(number.clone()),
            _ => None,
        };
        match (self.call_for_phone(&call.user), help) {
            (Some((own, true)), _) => {
                if self.to_call(&own, ToCall::PhoneCall(call)).is_err() {
                    refuse(Cause::Forbidden, NO_CALL);
                }
            }
            // Her own: there is no caller whose it could be, or nothing more can be done for that one.
            (_, Some(number)) => self.call_for_help(call, number),
            (Some((_, false)), None) => refuse(Cause::Busy, NOT_NOW),
            (None, None) => refuse(Cause::Forbidden, NO_CALL),
        }
    }

    /// The call that an operator's desk phone calls beside, and whether she talks with its caller, or holds. Of several the
    /// one she speaks in; a phone that consults has put that on hold, so else the one that was put on hold last.
    fn call_for_phone(&self, user: &UserId) -> Option<(CallId, bool)> {
        let view = self.at_seat(user).into_iter().next()?;
        Some((view.id, matches!(view.state, CallState::Talking | CallState::Held)))
    }
}
