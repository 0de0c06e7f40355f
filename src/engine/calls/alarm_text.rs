//! Words of alarms about calls, for the desks alone: most hold the caller's number. Pure; raised by whoever finds the cause.

use crate::base::phone::PhoneNumber;
use crate::domain::account::Account;

/// For the desks alone, as all here that hold the caller's number.
pub(super) fn cut_off(account: &str, caller: Option<&PhoneNumber>) -> String {
    format!("{account}: a caller was cut off when the service stopped: {}.", back(caller))
}

pub(super) fn many_cut_off(callers: usize) -> String {
    format!("{callers} callers were cut off when the service stopped: ring them back from the list of lost callers.")
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

pub(super) fn abandoned(account: &str, caller: Option<&PhoneNumber>) -> String {
    format!("{account}: a caller hung up before they were served: {}.", back(caller))
}

pub(super) fn not_reached(account: &str, caller: &PhoneNumber) -> String {
    format!("{account}: a caller was promised to be called back and not reached: {}.", back(Some(caller)))
}

pub(super) fn wrong_pins(account: &str, caller: Option<&PhoneNumber>) -> String {
    let from = caller.map_or_else(|| "a withheld number".to_owned(), |n| n.as_e164().to_owned());
    format!(
        "{account}: too many wrong PINs at check-in, the last from {from}. None is taken for an hour; callers can \
         still have an operator."
    )
}

pub(super) fn wrong_pins_called(called: &PhoneNumber) -> String {
    format!(
        "Too many wrong PINs on calls to {}: no message is read out there for an hour. An operator can still read one to \
         whoever it is for.",
        called.as_e164()
    )
}

fn back(caller: Option<&PhoneNumber>) -> String {
    caller.map_or_else(|| "the number is withheld".to_owned(), |n| format!("call back {}", n.as_e164()))
}

pub(super) fn voice(account: &Account) -> String {
    format!("{}: words for a caller could not be spoken; a tone was played instead.", account.name)
}
