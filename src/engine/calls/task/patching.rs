//! A call's task, as far as patches are news before they connect: a protocol may have asked for one, and goes on when it
//! comes to nothing.
//!
//! Only of patches that an operator makes. What always holds: each one that was begun is over once, or has connected.

use std::collections::BTreeMap;
use std::time::Instant;

use super::CallTask;
use crate::base::id::{AccountId, ContactId};
use crate::base::phone::PhoneNumber;
use crate::domain::call::cause::Cause;
use crate::domain::call::event::RecordEvent;
use crate::domain::dispatch::patch_step::{PatchEnd, PatchNews};
use crate::engine::calls::record::Line;

/// How far patches of a call have come, read off its record.
#[derive(Debug, Default)]
pub(super) struct Patching {
    /// The account's flow makes it: no operator does.
    automated: bool,
    sought: Option<Sought>,
    told: u32,
    /// How many have connected, by whom the call was for.
    connected: BTreeMap<AccountId, u32>,
}

/// Who is being rung.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sought {
    contact: Option<ContactId>,
    number: PhoneNumber,
    answered: bool,
}

impl Patching {
    /// What an event means for it, and of whom. `goes_on`: another telephone of theirs is tried.
    fn note(&mut self, event: &RecordEvent, goes_on: bool) -> Option<(Sought, PatchNews)> {
        match event {
            RecordEvent::PatchSought => self.automated = true,
            RecordEvent::NobodyReached => self.automated = false,
            RecordEvent::PatchDialled { contact, number } if !self.automated => {
                let sought = Sought { contact: contact.clone(), number: number.clone(), answered: false };
                self.sought = Some(sought.clone());
                return Some((sought, PatchNews::Begun));
            }
            RecordEvent::PatchAnswered => {
                if let Some(sought) = &mut self.sought {
                    sought.answered = true;
                }
            }
            RecordEvent::PatchJoined => (self.sought, self.automated) = (None, false),
            RecordEvent::PatchFailed { why } if !goes_on => return self.over(|answered| end_of(*why, answered)),
            RecordEvent::PatchNotAccepted { .. } if !goes_on => return self.over(|_| PatchEnd::Refused),
            RecordEvent::PatchCancelled if !goes_on => {
                return self.over(|answered| if answered { PatchEnd::Refused } else { PatchEnd::GivenUp });
            }
            RecordEvent::CallerGone { .. } | RecordEvent::Ended { .. } => return self.over(|_| PatchEnd::CallerGone),
            RecordEvent::Requeued => return self.over(|_| PatchEnd::OperatorLost),
            _ => {}
        }
        None
    }

    /// One more has connected for this account: the how many-th it is.
    pub(super) fn connected(&mut self, account: &AccountId) -> u32 {
        let count = self.connected.entry(account.clone()).or_default();
        *count += 1;
        *count
    }

    fn over(&mut self, why: impl FnOnce(bool) -> PatchEnd) -> Option<(Sought, PatchNews)> {
        let sought = self.sought.take()?;
        let why = why(sought.answered);
        Some((sought, PatchNews::Over(why)))
    }
}

/// Why a telephone was not had, in the dispatch's words.
const fn end_of(why: Cause, answered: bool) -> PatchEnd {
    match why {
        // Whoever hangs up on the operator has heard what it is about.
        Cause::HungUp | Cause::Released if answered => PatchEnd::Refused,
        Cause::NoAnswer | Cause::HungUp | Cause::Released => PatchEnd::NoAnswer,
        Cause::Busy => PatchEnd::Busy,
        Cause::Declined | Cause::Unwanted => PatchEnd::Refused,
        Cause::WrongNumber | Cause::Forbidden | Cause::Emergency => PatchEnd::WrongNumber,
        _ => PatchEnd::NotConnected,
    }
}

impl CallTask {
    /// The dispatcher is told how far the patch has come, if this is news of one.
    pub(super) fn note_patching(&mut self, at: Instant, event: &RecordEvent) {
        if self.outward.is_some() {
            return;
        }
        let goes_on = self.call.patch().is_some();
        let Some((sought, news)) = self.patching.note(event, goes_on) else { return };
        self.patching.told += 1;
        self.calls.recorder.write(Line::Patching {
            account: self.facts.account.id.clone(),
            call: self.facts.id.clone(),
            at: self.facts.utc(at),
            nth: self.patching.told,
            contact: sought.contact,
            number: sought.number,
            news,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialled() -> RecordEvent {
        let number = PhoneNumber::parse("+12025550190").expect("a valid number");
        RecordEvent::PatchDialled { contact: Some(ContactId::named("ann")), number }
    }

    fn news(events: &[(RecordEvent, bool)]) -> Vec<PatchNews> {
        let mut patching = Patching::default();
        events.iter().filter_map(|(event, goes_on)| patching.note(event, *goes_on)).map(|(_, news)| news).collect()
    }

    #[test]
    fn a_patch_is_begun_and_over_once() {
        let failed = |why| RecordEvent::PatchFailed { why };
        for (events, over) in [
            (vec![(failed(Cause::NoAnswer), false)], PatchEnd::NoAnswer),
            (vec![(failed(Cause::Busy), false), (RecordEvent::Requeued, false)], PatchEnd::Busy),
            (vec![(RecordEvent::PatchAnswered, true), (RecordEvent::PatchCancelled, false)], PatchEnd::Refused),
            (vec![(RecordEvent::PatchAnswered, true), (failed(Cause::HungUp), false)], PatchEnd::Refused),
            (vec![(RecordEvent::PatchCancelled, false)], PatchEnd::GivenUp),
            (vec![(RecordEvent::Requeued, false), (RecordEvent::PatchCancelled, false)], PatchEnd::OperatorLost),
        ] {
            let all: Vec<_> = [(dialled(), true)].into_iter().chain(events).collect();
            assert_eq!(news(&all), [PatchNews::Begun, PatchNews::Over(over)]);
        }
    }

    #[test]
    fn another_telephone_of_theirs_is_no_end_and_a_join_is_told_elsewhere() {
        let busy = RecordEvent::PatchFailed { why: Cause::Busy };
        let joined = [(dialled(), true), (busy, true), (dialled(), true), (RecordEvent::PatchJoined, true)];
        assert_eq!(news(&joined), [PatchNews::Begun, PatchNews::Begun]);
    }

    #[test]
    fn what_the_accounts_flow_makes_is_nobodys_step() {
        let events = [(RecordEvent::PatchSought, false), (dialled(), true), (RecordEvent::PatchCancelled, false)];
        assert_eq!(news(&events), []);
    }
}
