//! A call's task, as far as check-ins go: what one asks for, who has checked in, and what they speak in.

use super::super::check_in::CheckedIn;
use super::{CallTask, ToCall};
use crate::domain::call::Input;
use crate::domain::call::bridge::LegId;
use crate::domain::call::check_in::Wish;
use crate::domain::checkin::{self, Looked};

impl CallTask {
    pub(super) fn serve_check_in(&self, wish: Wish) {
        let (who, spoken) = (self.checked_in.clone(), self.dictaphone.spoken());
        self.calls.serve_check_in(&self.facts, who, self.operator.clone(), wish, spoken);
    }

    pub(super) fn on_check_in(&mut self, input: checkin::Input) {
        if let checkin::Input::Looked(Looked::Welcome(welcome)) = &input {
            self.checked_in = CheckedIn::of(welcome, &self.facts.account.id);
        }
        self.tell(Input::CheckIn(input));
    }

    /// What is said is taken down, or no more: then the call is told whether there was anything.
    pub(super) fn dictate(&mut self, leg: LegId, on: bool) {
        let (calls, id) = (self.calls.clone(), self.facts.id.clone());
        if on {
            return self.dictaphone.begin(&*calls.wiring.media, leg);
        }
        let taken = self.dictaphone.end(&*calls.wiring.media, leg);
        tokio::spawn(async move {
            let spoken = taken.await;
            // An error means that the call is over.
            let _ = calls.to_call(&id, ToCall::CheckIn(checkin::Input::Dictated(spoken)));
        });
    }

    pub(super) fn play_dictated(&self, leg: LegId, play: u64) {
        let spoken = self.dictaphone.spoken();
        self.mixer.play_ready(leg, play, spoken.unwrap_or_else(crate::engine::mixer::tone));
    }
}
