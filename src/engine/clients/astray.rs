//! That hours and menus still lead somewhere when something else of their account changes: a call type that is taken out,
//! a number that is added. Changes nothing; whoever writes an account asks before.

use crate::domain::account::Account;
use crate::domain::account::check::check;
use crate::domain::account::fault::{Fault, Faults};

/// What would be wrong with the hours and menus of `now` and was not with those of `before`: an old fault stands in the way
/// of nothing else.
pub(super) fn led_astray(before: &Account, now: &Account) -> Vec<Fault> {
    let old = check(before);
    let mut faults = Faults::default();
    for fault in check(now).into_iter().filter(|fault| !old.contains(fault)) {
        let detail = format!("{} would lead nowhere. {}", place(now, &fault.pointer), fault.detail);
        faults.add("", "flow.led_astray", detail, "Change hours and menus first, or leave this as it is.");
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
