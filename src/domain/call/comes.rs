//! Why a caller comes to an operator, if it is not for the first time or not straight: nobody of the account's could be
//! reached, `*` was pressed in a patch, nobody fetched them, a colleague gave them on.
//!
//! Read off the events of a call as they go on its record, so the two say the same. Decides nothing. What always holds: only
//! the last reason counts, and it is gone once the caller is put through, parked or taken elsewhere.

use serde::Serialize;

use super::cause::Cause;
use super::event::RecordEvent;
use crate::base::id::{ContactId, UserId};
use crate::base::phone::PhoneNumber;

/// Why a caller comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Comes {
    /// The account's people were rung for them, and none took the call.
    NobodyReached { tried: Vec<Tried> },
    /// `*` in a patch without an operator. `there`: caller and contact still hear each other.
    Recalled { by_caller: bool, contact: Option<ContactId>, number: PhoneNumber, there: bool },
    /// Nobody fetched them in time from where this operator parked them.
    NotFetched { by: UserId, slot: u32 },
    /// Fetched from where this operator parked them.
    Fetched { by: UserId, slot: u32 },
    /// An operator's transfer came to nothing when she had hung up already.
    TransferFailed { by: UserId, number: PhoneNumber, why: Cause },
    /// Passed on to another operator by name, who did not take them.
    NotTaken { by: UserId, to: UserId },
    /// Passed on by an operator: to this one, or to whoever is free.
    PassedOn { by: UserId },
    /// An operator asked this one and handed them over.
    HandedOver { by: UserId },
    /// The operator's connection broke.
    OperatorLost { by: UserId },
    /// A supervisor took them from an operator.
    Moved { by: UserId, from: UserId },
    /// The number elsewhere, to which the account's flow leads, did not take the call.
    SpillFailed { number: PhoneNumber, why: Cause },
    /// Out of the check-in, to a person. `checked_in`: by the right PIN, whose if it is one person's.
    FromCheckIn { checked_in: bool, contact: Option<ContactId>, wrong_pins: u32 },
}

/// A number that was rung by itself for a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Tried {
    pub contact: Option<ContactId>,
    pub number: PhoneNumber,
    pub outcome: TriedOutcome,
    /// Why it was not answered.
    pub why: Option<Cause>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriedOutcome {
    Failed,
    /// Answered, and no key pressed: a machine, or nobody who wanted it.
    NotAccepted,
    /// Said no by a key.
    Declined,
}

/// What is known of it so far.
#[derive(Clone, Debug, Default)]
pub struct Coming {
    why: Option<Comes>,
    /// Rung by itself for the caller, and not reached yet.
    tried: Option<Vec<Tried>>,
    /// Who is on the line with the caller, or is dialled.
    dialled: Option<(Option<ContactId>, PhoneNumber)>,
    operator: Option<UserId>,
    parked: Option<(UserId, u32)>,
    passed_to: Option<UserId>,
    transfer: Option<Option<Cause>>,
    spill: Option<PhoneNumber>,
    checked_in: Option<Option<ContactId>>,
    wrong_pins: u32,
}

impl Coming {
    /// Why the caller comes; nothing, if they come straight and for the first time.
    pub const fn why(&self) -> Option<&Comes> {
        self.why.as_ref()
    }

    /// Takes in what happened.
    pub fn note(&mut self, event: &RecordEvent) {
        match event {
            RecordEvent::PatchSought => self.tried = Some(Vec::new()),
            RecordEvent::PatchDialled { contact, number } | RecordEvent::CallTakenIn { contact, number, .. } => {
                self.dialled = Some((contact.clone(), number.clone()));
            }
            RecordEvent::PatchFailed { why } => {
                self.note_tried(TriedOutcome::Failed, Some(*why));
                if let Some(failed) = &mut self.transfer {
                    *failed = Some(*why);
                }
            }
            RecordEvent::PatchNotAccepted { declined } => {
                self.note_tried(if *declined { TriedOutcome::Declined } else { TriedOutcome::NotAccepted }, None);
            }
            RecordEvent::NobodyReached => {
                self.why = self.tried.take().map(|tried| Comes::NobodyReached { tried });
            }
            RecordEvent::PatchJoined => (self.why, self.tried, self.transfer) = (None, None, None),
            RecordEvent::PatchRecalled { by_caller } => {
                self.why = self.dialled.clone().map(|(contact, number)| Comes::Recalled {
                    by_caller: *by_caller,
                    contact,
                    number,
                    there: true,
                });
            }
            RecordEvent::RecallFailed => self.why = None,
            RecordEvent::ContactLeft { .. } => {
                if let Some(Comes::Recalled { there, .. }) = &mut self.why {
                    *there = false;
                }
            }
            RecordEvent::Parked { user, slot } => (self.why, self.parked) = (None, Some((user.clone(), *slot))),
            RecordEvent::ParkedTooLong => {
                self.why = self.parked.take().map(|(by, slot)| Comes::NotFetched { by, slot });
            }
            RecordEvent::Fetched { user, slot } => {
                // Who fetches whom she parked herself knows why.
                let other = self.parked.take().filter(|(by, _)| by != user);
                self.why = other.map(|(by, _)| Comes::Fetched { by, slot: *slot });
            }
            RecordEvent::TransferAsked { .. } => self.transfer = Some(None),
            RecordEvent::PassedOn { user, to } => {
                (self.why, self.passed_to) = (Some(Comes::PassedOn { by: user.clone() }), to.clone());
            }
            RecordEvent::AccountChanged { .. } => self.note_account_changed(),
            RecordEvent::Requeued => self.note_requeued(),
            RecordEvent::HandedOver { from, .. } => self.why = Some(Comes::HandedOver { by: from.clone() }),
            RecordEvent::OperatorLost { user, .. } => self.why = Some(Comes::OperatorLost { by: user.clone() }),
            RecordEvent::Moved { by, from, .. } => {
                self.why = Some(Comes::Moved { by: by.clone(), from: from.clone() });
            }
            RecordEvent::SpillDialled { number } => self.spill = Some(number.clone()),
            RecordEvent::SpillFailed { why } => {
                self.why = self.spill.take().map(|number| Comes::SpillFailed { number, why: *why });
            }
            RecordEvent::CheckInBegun => (self.checked_in, self.wrong_pins) = (None, 0),
            RecordEvent::CheckedIn { contact, .. } => self.checked_in = Some(contact.clone()),
            RecordEvent::PinRefused => self.wrong_pins += 1,
            RecordEvent::CheckInLeft => {
                let contact = self.checked_in.clone();
                let checked_in = contact.is_some();
                let (contact, wrong_pins) = (contact.flatten(), self.wrong_pins);
                self.why = Some(Comes::FromCheckIn { checked_in, contact, wrong_pins });
            }
            RecordEvent::Talking { user } => (self.operator, self.passed_to) = (Some(user.clone()), None),
            _ => {}
        }
    }

    /// Of a number that was rung by itself.
    fn note_tried(&mut self, outcome: TriedOutcome, why: Option<Cause>) {
        if let (Some(tried), Some((contact, number))) = (&mut self.tried, self.dialled.clone()) {
            tried.push(Tried { contact, number, outcome, why });
        }
    }

    /// What was tried for the one account, and who of its people it was, is nothing to the other's.
    fn note_account_changed(&mut self) {
        let of_account = |why: &Comes| match why {
            Comes::NobodyReached { .. }
            | Comes::Recalled { .. }
            | Comes::TransferFailed { .. }
            | Comes::SpillFailed { .. }
            | Comes::FromCheckIn { .. } => true,
            Comes::NotFetched { .. }
            | Comes::Fetched { .. }
            | Comes::NotTaken { .. }
            | Comes::PassedOn { .. }
            | Comes::HandedOver { .. }
            | Comes::OperatorLost { .. }
            | Comes::Moved { .. } => false,
        };
        self.why.take_if(|why| of_account(why));
        (self.tried, self.transfer, self.spill, self.checked_in, self.wrong_pins) = (None, None, None, None, 0);
    }

    fn note_requeued(&mut self) {
        if let (Some(Some(why)), Some((_, number)), Some(by)) =
            (self.transfer.take(), self.dialled.clone(), self.operator.clone())
        {
            self.why = Some(Comes::TransferFailed { by, number, why });
        }
        if let (Some(to), Some(Comes::PassedOn { by })) = (self.passed_to.take(), self.why.clone()) {
            self.why = Some(Comes::NotTaken { by, to });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::call::event::Stage;

    fn number() -> PhoneNumber {
        PhoneNumber::parse("+12025550190").expect("a valid number")
    }

    fn user(name: &str) -> UserId {
        UserId::named(name)
    }

    fn dialled(contact: &str) -> RecordEvent {
        RecordEvent::PatchDialled { contact: Some(ContactId::named(contact)), number: number() }
    }

    fn after(events: &[RecordEvent]) -> Option<Comes> {
        let mut coming = Coming::default();
        events.iter().for_each(|event| coming.note(event));
        coming.why().cloned()
    }

    #[test]
    fn who_comes_straight_comes_for_no_reason() {
        let talking = RecordEvent::Talking { user: user("kim") };
        assert_eq!(after(&[RecordEvent::Arrived, RecordEvent::Queued, talking]), None);
    }

    #[test]
    fn whom_nobody_of_the_accounts_took_comes_with_whom_was_tried_and_what_each_did() {
        let events = [
            RecordEvent::PatchSought,
            dialled("ann"),
            RecordEvent::PatchFailed { why: Cause::Busy },
            dialled("bob"),
            RecordEvent::PatchAnswered,
            RecordEvent::PatchNotAccepted { declined: true },
            RecordEvent::NobodyReached,
            RecordEvent::Queued,
        ];
        let Some(Comes::NobodyReached { tried }) = after(&events) else { panic!("nobody was reached") };
        let told: Vec<_> = tried.iter().map(|t| (t.contact.clone(), t.outcome, t.why)).collect();
        let (ann, bob) = (Some(ContactId::named("ann")), Some(ContactId::named("bob")));
        assert_eq!(told, [(ann, TriedOutcome::Failed, Some(Cause::Busy)), (bob, TriedOutcome::Declined, None)]);
        let reached = [&events[..6], &[dialled("cat"), RecordEvent::PatchJoined]].concat();
        assert_eq!(after(&reached), None);
    }

    #[test]
    fn of_the_account_that_the_call_is_for_no_more_nothing_is_told() {
        let changed = || RecordEvent::AccountChanged {
            user: user("kim"),
            from: crate::base::id::AccountId::named("plumbing"),
            to: crate::base::id::AccountId::named("clinic"),
        };
        let failed = RecordEvent::PatchFailed { why: Cause::Busy };
        let nobody = [RecordEvent::PatchSought, dialled("ann"), failed, RecordEvent::NobodyReached];
        assert!(after(&nobody).is_some());
        assert_eq!(after(&[&nobody[..], &[changed()]].concat()), None);
        let passed_on = [RecordEvent::PassedOn { user: user("kim"), to: None }, changed()];
        assert_eq!(after(&passed_on), Some(Comes::PassedOn { by: user("kim") }), "that is nobody's of the account");
    }

    #[test]
    fn a_star_tells_who_pressed_it_with_whom_and_whether_both_are_there() {
        let recalled = [
            dialled("ann"),
            RecordEvent::PatchJoined,
            RecordEvent::PatchDropped,
            RecordEvent::PatchRecalled { by_caller: false },
        ];
        let why = |there| {
            let contact = Some(ContactId::named("ann"));
            Some(Comes::Recalled { by_caller: false, contact, number: number(), there })
        };
        assert_eq!(after(&recalled), why(true));
        let left = [&recalled[..], &[RecordEvent::ContactLeft { why: Cause::HungUp }]].concat();
        assert_eq!(after(&left), why(false));
        assert_eq!(after(&[&recalled[..], &[RecordEvent::RecallFailed]].concat()), None);
    }

    #[test]
    fn a_parked_caller_tells_who_parked_them_unless_it_is_to_her() {
        let parked = RecordEvent::Parked { user: user("kim"), slot: 2 };
        let fetched = |by: &str| RecordEvent::Fetched { user: user(by), slot: 2 };
        assert_eq!(after(&[parked.clone(), fetched("lee")]), Some(Comes::Fetched { by: user("kim"), slot: 2 }));
        assert_eq!(after(&[parked.clone(), fetched("kim")]), None);
        let back = [parked, RecordEvent::ParkedTooLong, RecordEvent::Requeued];
        assert_eq!(after(&back), Some(Comes::NotFetched { by: user("kim"), slot: 2 }));
    }

    #[test]
    fn who_is_passed_on_tells_by_whom_and_who_did_not_take_them() {
        let passed = |to: Option<&str>| RecordEvent::PassedOn { user: user("kim"), to: to.map(user) };
        assert_eq!(after(&[passed(Some("lee"))]), Some(Comes::PassedOn { by: user("kim") }));
        assert_eq!(after(&[passed(None), RecordEvent::Requeued]), Some(Comes::PassedOn { by: user("kim") }));
        let not_taken = Some(Comes::NotTaken { by: user("kim"), to: user("lee") });
        assert_eq!(after(&[passed(Some("lee")), RecordEvent::Requeued]), not_taken);
    }

    #[test]
    fn a_transfer_that_fails_behind_its_operators_back_is_told_and_one_that_she_sees_is_not() {
        let asked = [
            RecordEvent::Talking { user: user("kim") },
            RecordEvent::TransferAsked { attended: false },
            RecordEvent::PatchDialled { contact: None, number: number() },
            RecordEvent::PatchFailed { why: Cause::Busy },
        ];
        assert_eq!(after(&asked), None);
        let why = Comes::TransferFailed { by: user("kim"), number: number(), why: Cause::Busy };
        assert_eq!(after(&[&asked[..], &[RecordEvent::Requeued]].concat()), Some(why));
    }

    #[test]
    fn a_lost_operator_a_hand_over_and_a_supervisor_are_told_by_name() {
        let lost = RecordEvent::OperatorLost { user: user("kim"), stage: Stage::Talking };
        assert_eq!(after(&[lost, RecordEvent::Requeued]), Some(Comes::OperatorLost { by: user("kim") }));
        let handed = RecordEvent::HandedOver { from: user("kim"), to: user("lee") };
        assert_eq!(after(&[handed]), Some(Comes::HandedOver { by: user("kim") }));
        let moved = RecordEvent::Moved { by: user("sam"), from: user("kim"), to: None };
        let why = Comes::Moved { by: user("sam"), from: user("kim") };
        assert_eq!(after(&[moved, RecordEvent::Requeued]), Some(why));
    }

    #[test]
    fn who_leaves_the_check_in_for_a_person_tells_how_far_they_got() {
        let checked_in = RecordEvent::CheckedIn { contact: Some(ContactId::named("ann")), held: 2 };
        let why = |checked_in, contact: Option<&str>, wrong_pins| {
            Some(Comes::FromCheckIn { checked_in, contact: contact.map(ContactId::named), wrong_pins })
        };
        let begun = RecordEvent::CheckInBegun;
        assert_eq!(
            after(&[begun.clone(), RecordEvent::PinRefused, checked_in, RecordEvent::CheckInLeft]),
            why(true, Some("ann"), 1)
        );
        assert_eq!(after(&[begun, RecordEvent::PinRefused, RecordEvent::CheckInLeft]), why(false, None, 1));
    }
}
