//! A call's task, as far as check-ins go: what one asks for, and who has checked in.

use super::super::check_in::CheckedIn;
use super::CallTask;
use crate::domain::call::Input;
use crate::domain::call::check_in::Wish;
use crate::domain::checkin::{self, Looked};

impl CallTask {
    pub(super) fn serve_check_in(&self, wish: Wish) {
        self.calls.serve_check_in(&self.facts, self.checked_in.clone(), wish);
    }

    pub(super) fn on_check_in(&mut self, input: checkin::Input) {
        if let checkin::Input::Looked(Looked::Welcome(welcome)) = &input {
            self.checked_in = CheckedIn::of(welcome, &self.facts.account.id);
        }
        self.tell(Input::CheckIn(input));
    }
}
