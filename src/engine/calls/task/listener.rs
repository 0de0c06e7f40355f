//! Supervisors at a call: whose phone is rung, and how consoles see them. Who hears whom is the machine's.

use super::CallTask;
use crate::base::id::UserId;
use crate::domain::call::CommandError;
use crate::domain::call::listener::ListenMode;
use crate::domain::operator::Phone;
use crate::engine::desk::CallWord;
use crate::engine::feed::{ListenerView, UserRef};

/// A supervisor in the call, or on the way into it.
pub(super) struct Supervisor {
    pub(super) who: UserRef,
    pub(super) phone: Phone,
}

impl CallTask {
    pub(super) fn listen(&mut self, by: UserRef, phone: Phone, mode: ListenMode) -> Result<(), CommandError> {
        let (user, leg) = (by.id.clone(), self.calls.wiring.fresh_leg());
        if !self.supervisors.iter().any(|s| s.who.id == user) {
            self.supervisors.push(Supervisor { who: by, phone });
        }
        let listens = self.call.listen(self.now(), &user, leg, mode);
        if listens.is_err() {
            // Refused as a newcomer, or as the operator, who was none of the supervisors.
            self.supervisors.retain(|s| self.call.listeners().iter().any(|l| l.user == s.who.id));
        }
        self.carry_out();
        listens
    }

    pub(super) fn leave(&mut self, user: &UserId) {
        self.call.leave(self.now(), user);
        self.carry_out();
    }

    pub(super) fn listener_gone(&mut self, user: UserId) {
        self.supervisors.retain(|s| s.who.id != user);
        self.to_desk(CallWord::ListenerGone { user });
    }

    pub(super) fn listener_views(&self) -> Vec<ListenerView> {
        let view = |listener: &crate::domain::call::listener::Listener| {
            let who = self.supervisors.iter().find(|s| s.who.id == listener.user)?.who.clone();
            let (mode, there) = (listener.mode, listener.is_there());
            Some(ListenerView { user: who, mode, there, since: self.facts.utc(listener.since) })
        };
        self.call.listeners().iter().filter_map(view).collect()
    }
}
