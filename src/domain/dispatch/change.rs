//! A message that is changed after it was saved: its dispatch says so, and goes through its steps again if the operator
//! wants that.
//!
//! What always holds: what was told before stays as told, and ends nothing any more once the steps have begun again; an
//! answer to it is not taken for one to the message as it is now; what becomes urgent waits for nothing that what is urgent does
//! not wait for.

use super::Turn;
use super::event::Note;
use super::protocol::Protocol;
use super::state::{Cursor, Phase, Purpose, RunState, State};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Urgency;

impl Turn<'_> {
    /// `protocol`: what is in force for the message as it is now; none: such messages are not dispatched. `unsent`: why what was
    /// delivered does not go out again.
    pub(super) fn change(
        &mut self,
        by: &str,
        urgency: Urgency,
        protocol: Option<&Protocol>,
        again: bool,
        unsent: Option<&str>,
    ) {
        if self.s.phase == Phase::Cancelled {
            return;
        }
        self.s.urgency = urgency;
        let (open, untold) = (self.s.phase.is_open(), self.s.phase == Phase::Open);
        let again = again && !untold;
        let begins = again && protocol.is_some();
        let unsent = unsent.filter(|_| !open && !begins).map(str::to_owned);
        self.record(Some(by), Note::Changed { by: by.to_owned(), again: begins, open, unsent });
        match protocol {
            // Nothing has gone out: it simply opens as what it is now.
            Some(protocol) if untold => self.s.protocol = protocol.clone(),
            Some(protocol) if again => self.begin_again(protocol),
            None if open && (untold || again) => {
                let reason = "taken as something that is not dispatched".to_owned();
                self.close(Phase::ClosedByOperator, Some(by.to_owned()), Some(reason), None);
                self.stand_down_others("the answering service", None);
            }
            _ => {}
        }
        if urgency == Urgency::Urgent {
            self.wait_for_no_hours();
            self.mind_its_turns();
        }
    }

    fn begin_again(&mut self, protocol: &Protocol) {
        self.drop_unsettled(None, None);
        if let Some(run) = self.s.current() {
            self.end_run(run, RunState::Skipped);
        }
        self.s.protocol = protocol.clone();
        self.s.first_run = self.s.runs.len();
        self.s.phase = Phase::Running;
        self.s.closed_at = None;
        self.s.closed_by = None;
        self.s.troubles.clear();
        self.s.unopened = None;
        self.s.round = 1;
        self.s.round_at = self.now;
        self.s.cursor = Cursor::Before;
    }

    /// The message is what somebody heard who heard this edition of it.
    pub(super) fn is_as_heard(&self, edition: Option<u32>) -> bool {
        edition.is_none_or(|edition| edition == self.world.edition())
    }

    /// The attempt with this index tells the message as it is now, or is no telling of it at all.
    pub(super) fn is_of_now(&self, i: usize) -> bool {
        self.s.is_of_now(&self.s.attempts[i].purpose)
    }

    /// Somebody answered what was told before the change. It is on record, and the message as it is now goes to them. Whether they
    /// are answered.
    pub(super) fn answered_before(&mut self, i: usize) -> bool {
        let name = self.attempt(i).name.clone();
        let answered = self.says_again(i);
        if answered {
            self.record(Some(&name), Note::AnsweredBefore { name: name.clone() });
        }
        answered
    }

    /// A reply with a code; only one of before the change is answered.
    pub(super) fn replied_before(&mut self, number: &PhoneNumber, code: u16) {
        let old = self.s.attempts.iter().rposition(|a| {
            a.is_step() && a.code == Some(code) && a.address.phone() == Some(number) && !self.s.is_of_now(&a.purpose)
        });
        let Some(i) = old else { return };
        let name = self.attempt(i).name.clone();
        if !self.answered_before(i) {
            return;
        }
        let answer = if self.takes_confirmation() { Purpose::ChangedReply } else { Purpose::AlreadyReply };
        self.tell(answer, &name, number);
    }
}

impl State {
    /// Whether an attempt with this purpose belongs to the steps since the message was changed last and begun again.
    pub fn is_of_now(&self, purpose: &Purpose) -> bool {
        match purpose {
            Purpose::Step { run } | Purpose::ByHand { run } => *run >= self.first_run,
            _ => true,
        }
    }
}
