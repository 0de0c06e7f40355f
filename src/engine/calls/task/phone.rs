//! What an operator does to a call by the desk phone: a second call to a contact, and transfers.
//!
//! Whom the phone may reach, and as whom, is as with a patch: the same account, caller ID and rules of the trunks. A
//! transfer is never passed on to a carrier or to another phone: one to another operator's phone brings the caller to
//! that operator's seat.

use std::time::Duration;

use super::CallTask;
use crate::base::id::UserId;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::call::leg::LegInput;
use crate::domain::call::transfer::{TransferProgress, TransferTo, Wanted};
use crate::domain::call::view::Role;
use crate::domain::call::{CommandError, OperatorCommand};
use crate::engine::signal::{Dialled, PhoneCall};

/// How long somebody whom a desk phone calls is rung.
const RING: Duration = Duration::from_secs(60);

impl CallTask {
    /// The operator's desk phone calls somebody beside this call.
    pub(super) fn on_phone_call(&mut self, call: PhoneCall) {
        let (leg, user, to) = (call.leg, call.user.clone(), call.to.clone());
        self.legs.adopt_phone(call);
        let Dialled::Number(number) = to else {
            return self.legs.turn_down(leg, Cause::WrongNumber);
        };
        if let Some(LegInput::Ended(why)) = self.legs.open(leg) {
            return self.legs.turn_down(leg, why);
        }
        let to = Wanted { leg: self.calls.wiring.fresh_leg(), number, ring: RING };
        if let Err(error) = self.call.consult(self.now(), &user, leg, to) {
            return self.legs.turn_down(leg, why_not(error));
        }
        self.contact = None;
        self.carry_out();
    }

    /// A phone wants the other party of its leg transferred.
    pub(super) fn on_transfer(&mut self, asked: LegId, to: Dialled, consulted: Option<LegId>) {
        // Whom the phone has called beside its caller is a colleague: the caller goes to her seat, and the two have spoken.
        if let Some(colleague) = consulted.and_then(|other| self.calls.end_inner(other)) {
            return self.pass_from_phone(asked, colleague);
        }
        let to = match (to, consulted) {
            (_, Some(other)) => TransferTo::Consulted(other),
            (Dialled::Number(number), None) => {
                TransferTo::Number(Wanted { leg: self.calls.wiring.fresh_leg(), number, ring: RING })
            }
            (Dialled::Seat(user), None) => return self.pass_from_phone(asked, user),
            (Dialled::Unknown, None) => return self.legs.refuse_transfer(asked, Cause::WrongNumber),
        };
        let begins = matches!(to, TransferTo::Number(_));
        if let Err(error) = self.call.transfer(self.now(), asked, to) {
            return self.legs.refuse_transfer(asked, why_not(error));
        }
        if begins {
            self.contact = None;
        }
        self.carry_out();
    }
}

impl CallTask {
    /// The caller goes to another operator, whose desk phone was named: to her seat, whatever phone she has there. Whether
    /// she is ready is the desk's to say; if not, the caller is at the head of the queue.
    fn pass_from_phone(&mut self, asked: LegId, to: UserId) {
        let Some(by) = self.call.seat().cloned() else {
            return self.legs.refuse_transfer(asked, Cause::Forbidden);
        };
        if self.call.role(asked) != Some(Role::Operator) {
            return self.legs.refuse_transfer(asked, Cause::Forbidden);
        }
        if let Err(error) = self.call.command(self.now(), &by, OperatorCommand::Pass { to: Some(to), note: None }) {
            return self.legs.refuse_transfer(asked, why_not(error));
        }
        // Said before her leg is let go, which is all that the phone has to know.
        self.legs.report(asked, TransferProgress::Begun);
        self.legs.report(asked, TransferProgress::Done);
        self.carry_out();
    }
}

const fn why_not(error: CommandError) -> Cause {
    match error {
        CommandError::NoSuchCall | CommandError::CallerGone => Cause::HungUp,
        CommandError::NotYours | CommandError::IsJob => Cause::Forbidden,
        CommandError::NotThere => Cause::Unreachable,
        // A transfer asks for no recording, no time and no record of who the other is, and is nobody's who listens.
        CommandError::NotNow
        | CommandError::NotReady
        | CommandError::NotRecorded
        | CommandError::NotLimited
        | CommandError::OutcomeMissing
        | CommandError::OwnCall
        | CommandError::SeatFull
        | CommandError::NoNumberLeft
        | CommandError::Withheld
        | CommandError::OtherAccount
        | CommandError::ContactCalled
        | CommandError::Patching => Cause::Busy,
    }
}
