//! That hours and menus still lead somewhere when something else of their account changes: a call type that is taken out,
//! a number that is added; and that conditions of protocols still find what they name. Changes nothing; whoever writes an account asks before.

use crate::domain::account::Account;
use crate::domain::account::check;
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::dispatch::condition_check;
use crate::domain::dispatch::protocol::Protocol;

/// What would be wrong with the hours and menus of `now` and was not with those of `before`: an old fault stands in the way
/// of nothing else.
pub(super) fn led_astray(before: &Account, now: &Account) -> Vec<Fault> {
    let old = check::check(before);
    let mut faults = Faults::default();
    for fault in check::check(now).into_iter().filter(|fault| !old.contains(fault)) {
        let detail = format!("{} would lead nowhere. {}", place(now, &fault.pointer), fault.detail);
        faults.add("", "flow.led_astray", detail, "Change hours and menus first, or leave this as it is.");
    }
    faults.into_list()
}

/// What conditions of protocols in force would name and no longer find: those steps would be passed over in silence.
pub(super) fn protocols_led_astray(before: &Account, now: &Account, protocols: &[Protocol]) -> Vec<Fault> {
    let in_force = |p: &&Protocol| now.call_types.iter().any(|t| t.protocol.as_ref() == Some(&p.id));
    let mut faults = Faults::default();
    for protocol in protocols.iter().filter(in_force) {
        let old = condition_check::check(protocol, before);
        for fault in condition_check::check(protocol, now).into_iter().filter(|fault| !old.contains(fault)) {
            let step = fault.step.unwrap_or_default();
            let detail = format!("The protocol {}, which is in force, step {step}: {}", protocol.name, fault.message);
            faults.add("", "protocol.led_astray", detail, "Put a next version of it in force first.");
        }
    }
    faults.into_list()
}

/// What people call the part of hours or menus that a pointer leads into.
pub(super) fn place(account: &Account, pointer: &str) -> String {
    let mut parts = pointer.split('/').skip(1);
    let (whole, list) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let nth = |text: Option<&str>| text.and_then(|text| text.parse::<usize>().ok());
    let hours = &account.hours;
    if (whole, list) == ("hours", "overdue") {
        return "What follows a wait that was too long".to_owned();
    }
    let found = match (whole, list) {
        ("hours", "windows") => nth(parts.next()).and_then(|n| hours.windows.get(n)).map(|w| ("window", &w.name)),
        ("hours", "holidays") => nth(parts.next()).and_then(|n| hours.holidays.get(n)).map(|h| ("holiday", &h.name)),
        ("hours", "overrides") => {
            nth(parts.next()).and_then(|n| hours.overrides.get(n)).map(|o| ("override", &o.reason))
        }
        ("menus", n) => nth(Some(n)).and_then(|n| account.menus.get(n)).map(|m| ("menu", &m.name)),
        _ => None,
    };
    found.map_or_else(|| "What usually follows the greeting".to_owned(), |(kind, name)| format!("The {kind} {name}"))
}
