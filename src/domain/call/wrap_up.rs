//! Wrap-up: what an operator has to do when the parties need them no more. The account says how long it may take; then
//! it ends by itself, unless the operator asks for more time.
//!
//! What always holds: each wrap-up is told to be over exactly once, by whatever it ends; the form is not its business.

use std::time::Instant;

use super::event::RecordEvent;
use super::{Call, CommandError, Output};
use crate::base::id::UserId;

impl Call {
    /// When the wrap-up under way ends by itself, if it does.
    pub fn wrap_up_until(&self) -> Option<Instant> {
        self.wrap_up_until.filter(|_| self.wrapping.is_some())
    }

    pub(super) fn begin_wrap_up(&mut self, user: UserId) {
        self.wrap_up_until = self.setup.wrap_up.map(|limit| self.now + limit);
        self.wrapping = Some(user.clone());
        self.outputs.push_back(Output::SeatFreed { user });
        if self.settled {
            self.end_wrap_up(None);
        }
    }

    pub(super) fn finish_wrap_up(&mut self, by: &UserId, disposition: Option<String>) -> Result<(), CommandError> {
        self.must_wrap_up(by)?;
        self.must_be_settled()?;
        self.end_wrap_up(disposition);
        Ok(())
    }

    /// As much time once more.
    pub(super) fn prolong_wrap_up(&mut self, by: &UserId) -> Result<(), CommandError> {
        self.must_wrap_up(by)?;
        let (Some(until), Some(limit)) = (self.wrap_up_until, self.setup.wrap_up) else {
            return Err(CommandError::NotLimited);
        };
        self.wrap_up_until = Some(until + limit);
        self.record(RecordEvent::WrapUpProlonged { user: by.clone() });
        Ok(())
    }

    /// The time is up, perhaps.
    pub(super) fn give_up_wrap_up(&mut self) {
        if self.wrap_up_until().is_some_and(|until| until <= self.now)
            && let Some(user) = self.wrapping.clone()
        {
            self.record(RecordEvent::WrapUpRanOut { user });
            self.end_wrap_up(None);
        }
    }

    /// Over, however.
    pub(super) fn end_wrap_up(&mut self, disposition: Option<String>) {
        if let Some(user) = self.wrapping.take() {
            self.record(RecordEvent::WrappedUp { user: user.clone(), disposition });
            self.outputs.push_back(Output::WrappedUp { user });
        }
    }

    fn must_wrap_up(&self, by: &UserId) -> Result<(), CommandError> {
        if self.wrapping.as_ref() == Some(by) {
            return Ok(());
        }
        let at_it = self.operator.as_ref().is_some_and(|o| o.user == *by);
        Err(if at_it { CommandError::NotNow } else { CommandError::NotYours })
    }
}
