//! Colleagues who speak with each other on their desk phones: whoever does is busy for the queue and for other colleagues.
//!
//! Knows neither the call nor its legs (`engine/calls/inner`). What always holds: both are told at once, so that of two who
//! call each other at the same time one is refused; who has no console yet is busy all the same.

use tokio::sync::oneshot;

use super::{Desk, DeskHandle, ToDesk};
use crate::base::id::UserId;
use crate::domain::operator;

impl DeskHandle {
    /// `by` calls `to`: both are taken from now on. False if `to` is busy.
    pub async fn take_aside(&self, by: UserId, to: UserId) -> bool {
        let (reply, replied) = oneshot::channel();
        self.tell(ToDesk::TakeAside { by, to, reply });
        replied.await.unwrap_or(false)
    }

    /// They no longer speak.
    pub fn end_aside(&self, by: UserId, to: UserId) {
        self.tell(ToDesk::EndAside { by, to });
    }
}

impl Desk {
    pub(super) fn take_aside(&mut self, by: UserId, to: UserId) -> bool {
        let is_aside = |user: &UserId| self.aside.contains(user);
        let busy = self.seats.get(&to).is_some_and(|one| one.seat.is_busy_for_colleagues());
        if by == to || busy || is_aside(&to) || is_aside(&by) {
            return false;
        }
        for user in [by, to] {
            self.aside.insert(user.clone());
            self.tell_seat(&user, operator::Input::Aside { aside: true });
        }
        true
    }

    pub(super) fn end_aside(&mut self, by: UserId, to: UserId) {
        for user in [by, to] {
            if self.aside.remove(&user) {
                self.tell_seat(&user, operator::Input::Aside { aside: false });
            }
        }
    }
}
