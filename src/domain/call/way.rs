//! What a caller had come to who hung up: what they chose in menus, and who was rung for them by itself.
//!
//! Read off the record of the call by whoever lists them (`io/store/abandoned`, `http/abandoned`). Decides nothing. What always holds:
//! a line that stands twice counts once; of an account that the call is for no more, and of people who were reached, nothing is told.

use super::event::{RecordEvent, Stage};
use crate::base::id::ContactId;

/// The lines of a record that are read here, by name.
pub const KINDS: [&str; 6] =
    ["menu_chosen", "patch_sought", "patch_dialled", "patch_accepted", "account_changed", "caller_gone"];

/// What is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// What the choices were about, in order.
    pub chosen: Vec<String>,
    /// Of the account's people who were rung for the caller, in order.
    pub rung: Vec<ContactId>,
    /// They hung up while somebody was rung, or asked to take the call.
    pub put_through: bool,
    /// From here on whoever is dialled is dialled by itself.
    sought: bool,
}

impl Way {
    /// Takes in what happened next.
    pub fn note(&mut self, event: &RecordEvent) {
        match event {
            RecordEvent::MenuChosen { choice } => push_new(&mut self.chosen, choice),
            RecordEvent::PatchSought => (self.sought, self.rung) = (true, Vec::new()),
            RecordEvent::PatchDialled { contact: Some(contact), .. } if self.sought => {
                push_new(&mut self.rung, contact);
            }
            RecordEvent::PatchAccepted => (self.sought, self.rung) = (false, Vec::new()),
            RecordEvent::AccountChanged { .. } => *self = Self::default(),
            RecordEvent::CallerGone { stage, .. } => self.put_through = *stage == Stage::Reaching,
            _ => {}
        }
    }
}

/// Somebody's second telephone is no second person, and a line may stand twice.
fn push_new<T: PartialEq + Clone>(all: &mut Vec<T>, next: &T) {
    if all.last() != Some(next) {
        all.push(next.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AccountId, UserId};
    use crate::base::phone::PhoneNumber;
    use crate::domain::call::cause::Cause;

    fn chose(choice: &str) -> RecordEvent {
        RecordEvent::MenuChosen { choice: choice.to_owned() }
    }

    fn dialled(contact: &str) -> RecordEvent {
        let number = PhoneNumber::parse("+12025550190").expect("a valid number");
        RecordEvent::PatchDialled { contact: Some(ContactId::named(contact)), number }
    }

    fn gone(stage: Stage) -> RecordEvent {
        RecordEvent::CallerGone { stage, why: Cause::HungUp }
    }

    fn after(events: &[RecordEvent]) -> Way {
        let mut way = Way::default();
        events.iter().for_each(|event| way.note(event));
        way
    }

    #[test]
    fn a_caller_who_gives_up_while_people_are_rung_chose_something_and_was_being_put_through() {
        let nobody = RecordEvent::PatchFailed { why: Cause::NoAnswer };
        let events = [
            chose("emergency"),
            RecordEvent::PatchSought,
            dialled("ann"),
            nobody.clone(),
            dialled("ann"),
            nobody,
            dialled("bob"),
            gone(Stage::Reaching),
        ];
        let way = after(&events);
        assert_eq!(way.chosen, ["emergency"]);
        assert_eq!((way.rung, way.put_through), (vec![ContactId::named("ann"), ContactId::named("bob")], true));
    }

    #[test]
    fn whom_an_operator_dialled_was_not_rung_by_itself_and_who_took_the_call_was_reached() {
        assert_eq!(after(&[dialled("ann"), gone(Stage::Queued)]), Way::default());
        let way = after(&[RecordEvent::PatchSought, dialled("ann"), RecordEvent::PatchAccepted, dialled("bob")]);
        assert!(way.rung.is_empty());
    }

    #[test]
    fn what_was_chosen_and_who_was_rung_for_another_account_is_not_told() {
        let changed = RecordEvent::AccountChanged {
            user: UserId::named("kim"),
            from: AccountId::named("plumbing"),
            to: AccountId::named("clinic"),
        };
        assert_eq!(after(&[chose("emergency"), RecordEvent::PatchSought, dialled("ann"), changed]), Way::default());
    }

    #[test]
    fn the_lines_that_are_read_are_called_as_the_record_calls_them() {
        for event in [chose("emergency"), RecordEvent::PatchSought, dialled("ann"), RecordEvent::PatchAccepted] {
            let written = serde_json::to_value(&event).expect("it is plain data");
            assert!(KINDS.iter().any(|kind| written["kind"] == *kind), "{written}");
        }
        let written = serde_json::to_value(gone(Stage::Reaching)).expect("it is plain data");
        assert_eq!((written["kind"].as_str(), written["stage"].as_str()), (Some("caller_gone"), Some("reaching")));
    }
}
