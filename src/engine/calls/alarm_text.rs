//! Words of alarms about calls, for the desks alone: most hold the caller's number. Pure; raised by whoever finds the cause.

use crate::base::phone::PhoneNumber;
use crate::domain::account::Account;
use crate::domain::message::render;

/// For the desks alone, as all here that hold the caller's number.
pub(super) fn cut_off(account: &str, caller: Option<&PhoneNumber>) -> String {
    format!("{account}: a caller was cut off when the service was restarted: {}.", back(caller))
}

pub(super) fn many_cut_off(callers: usize) -> String {
    format!(
        "{callers} callers were cut off when the service was restarted: ring them back from the list of lost callers."
    )
}

pub(super) fn many_waiting(callers: usize) -> String {
    format!("{callers} callers of before the start were not seen to: ring them back from the list of lost callers.")
}

pub(super) fn fault(account: &str, caller: Option<&PhoneNumber>) -> String {
    format!("{account}: a caller was cut off by a fault of ours: {}.", back(caller))
}

pub(super) fn no_operator(account: &str, caller: Option<&PhoneNumber>) -> String {
    format!("{account}: a caller waited in vain and was told so: {}.", back(caller))
}

/// They have each other, and are to be joined rather than rung.
pub(super) fn nobody_came(account: &str, contact: Option<&str>) -> String {
    let contact = contact.unwrap_or("whom they were put through to");
    format!(
        "{account}: an operator was called by * from the patch of a caller with {contact}, and none came in time. The two talk \
         on: a supervisor can join them from the floor."
    )
}

pub(super) fn joined_cut_off(account: &str, number: Option<&PhoneNumber>) -> String {
    format!(
        "{account}: a caller who had been joined with another was cut off as their operator was lost: {}.",
        back(number)
    )
}

pub(super) fn abandoned(account: &str, caller: Option<&PhoneNumber>) -> String {
    format!("{account}: a caller hung up before they were served: {}.", back(caller))
}

pub(super) fn not_reached(account: &str, caller: &PhoneNumber) -> String {
    format!("{account}: a caller was promised to be called back and not reached: {}.", back(Some(caller)))
}

/// What holds: six from one number are too many from there; of numbers that are nobody's of the account, twenty together are for all.
pub(super) fn wrong_pins(account: &str, caller: Option<&PhoneNumber>) -> String {
    let (from, there) =
        caller.map_or_else(|| ("a withheld number".to_owned(), "withheld numbers"), |n| (shown(n), "that number"));
    format!(
        "{account}: too many wrong PINs at check-in, the last from {from}. None from {there} is taken for an hour, nor from \
         any other number that is nobody's of the account once twenty from such were wrong; callers can still have an operator."
    )
}

pub(super) fn wrong_pins_called(called: &PhoneNumber) -> String {
    format!(
        "Too many wrong PINs on calls to {}: no message is read out there for an hour. An operator can still read one to \
         whoever it is for.",
        shown(called)
    )
}

fn back(caller: Option<&PhoneNumber>) -> String {
    caller.map_or_else(|| "the number is withheld".to_owned(), |n| format!("call back {}", shown(n)))
}

/// As the desks show numbers everywhere.
fn shown(number: &PhoneNumber) -> String {
    render::number(number.as_e164())
}

/// What no voice could read out, and nothing of what it says. Of no account are the house's own.
pub(super) fn unread(account: Option<&str>, person: Option<&str>) -> String {
    let what = match (account, person) {
        (Some(account), Some(person)) => format!("{account}: a message for {person}"),
        (Some(account), None) => format!("{account}: a message"),
        (None, Some(person)) => format!("A message for {person}"),
        (None, None) => "An alarm".to_owned(),
    };
    format!("{what} could not be read out by telephone: the voice failed.")
}

pub(super) fn voice(account: &Account) -> String {
    format!("{}: words for a caller could not be spoken; a tone was played instead.", account.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_desks_write_them_and_a_withheld_one_is_said_to_be_so() {
        let caller = PhoneNumber::parse("+12025550197").expect("a number");
        assert_eq!(
            no_operator("Acme", Some(&caller)),
            "Acme: a caller waited in vain and was told so: call back +1 202 555 0197."
        );
        assert!(cut_off("Acme", None).ends_with(": the number is withheld."), "{}", cut_off("Acme", None));
        assert!(wrong_pins_called(&caller).contains("calls to +1 202 555 0197:"), "{}", wrong_pins_called(&caller));
    }

    #[test]
    fn what_could_not_be_read_out_names_the_account_and_whom_it_is_for() {
        assert_eq!(
            unread(Some("Acme"), Some("John Doe")),
            "Acme: a message for John Doe could not be read out by telephone: the voice failed."
        );
        assert!(unread(None, None).starts_with("An alarm could not"), "the house's own: {}", unread(None, None));
    }

    #[test]
    fn too_many_wrong_pins_are_said_to_lock_where_they_came_from_and_all_strangers_only_after_twenty() {
        let caller = PhoneNumber::parse("+12025550181").expect("a number");
        let (said, withheld) = (wrong_pins("Acme", Some(&caller)), wrong_pins("Acme", None));
        assert!(said.contains("the last from +1 202 555 0181. None from that number is taken for an hour"), "{said}");
        assert!(said.contains("nobody's of the account once twenty from such were wrong"), "{said}");
        assert!(withheld.contains("a withheld number. None from withheld numbers is taken for an hour"), "{withheld}");
    }
}
