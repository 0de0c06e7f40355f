//! The check of a menu before it is saved: everything wrong with it at once, each fault with what to do.
//!
//! Looks at the menu alone; whether what its exits name is there, the account's check says (`domain/account/check`).

use std::collections::BTreeSet;

use super::digits::{Digits, PLACE};
use super::menu::{Condition, Gather, Menu, Node, Step};
use crate::domain::account::Speech;
use crate::domain::account::check::check_words;
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::account::flow::Flow;

const MAX_NODES: usize = 200;
const MAX_TIMEOUT_SECS: u32 = 60;
const MAX_RETRIES: u32 = 9;
/// The longest choice.
const MAX_DIGITS: usize = 12;
/// The longest number that a caller enters.
const MAX_NUMBER: u32 = 32;

/// All faults of `menu`, each at its place below `at`. Empty: it can be saved.
pub fn validate(menu: &Menu, at: &str) -> Vec<Fault> {
    let mut check = Check { menu, at, faults: Faults::default() };
    check.whole();
    for n in 0..menu.nodes.len() {
        check.node(n);
    }
    check.reach();
    check.loops();
    check.faults.into_list()
}

struct Check<'a> {
    menu: &'a Menu,
    at: &'a str,
    faults: Faults,
}

impl Check<'_> {
    fn fault(&mut self, place: &str, code: &'static str, detail: impl Into<String>, cure: impl Into<String>) {
        self.faults.add(format!("{}{place}", self.at), code, detail, cure);
    }

    fn whole(&mut self) {
        if self.menu.name.trim().is_empty() {
            self.fault(
                "/name",
                "flow.name_missing",
                "The menu has no name.",
                "Give it one, by which hours can name it.",
            );
        }
        if self.menu.nodes.len() > MAX_NODES {
            self.fault("/nodes", "flow.too_many", format!("A menu has {MAX_NODES} nodes at most."), "Make two of it.");
        }
        if self.menu.find(&self.menu.start).is_none() {
            let detail = format!("There is no node \"{}\" to start at.", self.menu.start);
            self.fault("/start", "flow.dead_end", detail, "Name one of the menu's nodes.");
        }
        self.flow("/otherwise", &self.menu.otherwise);
        let mut seen = BTreeSet::new();
        for (n, node) in self.menu.nodes.iter().enumerate() {
            if node.id.trim().is_empty() {
                self.fault(&format!("/nodes/{n}/id"), "flow.name_missing", "The node has no name.", "Give it one.");
            } else if !seen.insert(&node.id) {
                let detail = format!("There are two nodes \"{}\".", node.id);
                self.fault(&format!("/nodes/{n}/id"), "flow.name_twice", detail, "Give one of them another name.");
            }
        }
    }

    fn node(&mut self, n: usize) {
        let (menu, place) = (self.menu, format!("/nodes/{n}"));
        match &menu.nodes[n].step {
            Step::Play { speech, next, .. } => {
                self.speech(&format!("{place}/speech"), speech);
                self.next(&format!("{place}/next"), next);
            }
            Step::Gather(gather) => self.gather(&place, gather),
            Step::Digits(digits) => self.digits(&place, digits),
            Step::Branch { on, then, otherwise } => {
                match on {
                    Condition::Window { name } if name.trim().is_empty() => {
                        let detail = "It says of no window that it should be in force.";
                        self.fault(&format!("{place}/on"), "flow.condition", detail, "Name the window.");
                    }
                    Condition::Caller { numbers } if numbers.is_empty() => {
                        let detail = "It says of no number that it should be the caller's.";
                        self.fault(&format!("{place}/on"), "flow.condition", detail, "Name the numbers.");
                    }
                    Condition::Window { .. } | Condition::Caller { .. } | Condition::Withheld => {}
                }
                self.next(&format!("{place}/then"), then);
                self.next(&format!("{place}/otherwise"), otherwise);
            }
            Step::Exit { flow } => self.flow(&format!("{place}/flow"), flow),
        }
    }

    fn gather(&mut self, place: &str, gather: &Gather) {
        self.speech(&format!("{place}/speech"), &gather.speech);
        for (word, speech) in [("invalid", &gather.invalid), ("silent", &gather.silent)] {
            if let Some(speech) = speech {
                self.speech(&format!("{place}/{word}"), speech);
            }
        }
        self.asks(place, gather.timeout_secs, gather.retries);
        if gather.choices.is_empty() {
            let cure = "Add a choice, or only play these words.";
            self.fault(&format!("{place}/choices"), "flow.no_choice", "There is nothing to choose.", cure);
        }
        let mut seen = BTreeSet::new();
        for (c, choice) in gather.choices.iter().enumerate() {
            let at = format!("{place}/choices/{c}");
            let keys = choice.digits.bytes().all(|b| b.is_ascii_digit() || b == b'*');
            let fits = keys && !choice.digits.is_empty() && choice.digits.len() <= MAX_DIGITS;
            if !fits && choice.digits != "#" {
                let cure = format!("Write 1 to {MAX_DIGITS} of the keys 0 to 9 and *, or # alone.");
                self.fault(&format!("{at}/digits"), "flow.digits", "This can not be pressed.", cure);
            } else if !seen.insert(&choice.digits) {
                let detail = format!("{} is there twice.", choice.digits);
                self.fault(&format!("{at}/digits"), "flow.digits_twice", detail, "Take another key for one of them.");
            }
            if choice.label.trim().is_empty() {
                let cure = "Say what it is about: operators see that when the call comes.";
                self.fault(&format!("{at}/label"), "flow.label_missing", "It does not say what it is about.", cure);
            }
            self.next(&format!("{at}/next"), &choice.next);
        }
        if let Some(next) = &gather.gave_up {
            self.next(&format!("{place}/gave_up"), next);
        }
    }

    fn digits(&mut self, place: &str, digits: &Digits) {
        self.speech(&format!("{place}/speech"), &digits.speech);
        for (word, speech) in [("invalid", &digits.invalid), ("silent", &digits.silent)] {
            if let Some(speech) = speech {
                self.speech(&format!("{place}/{word}"), speech);
            }
        }
        self.asks(place, digits.timeout_secs, digits.retries);
        if digits.label.trim().is_empty() {
            let cure = "Say what it is: operators see that beside the number.";
            self.fault(&format!("{place}/label"), "flow.label_missing", "It does not say what the number is.", cure);
        }
        if digits.max == 0 || digits.max > MAX_NUMBER {
            let cure = format!("Ask for 1 to {MAX_NUMBER} digits.");
            self.fault(&format!("{place}/max"), "flow.digit_count", "Nobody enters so many digits.", cure);
        }
        if digits.min == 0 || digits.min > digits.max {
            let detail = "No number is as short as that, or the longest is shorter.";
            self.fault(
                &format!("{place}/min"),
                "flow.digit_count",
                detail,
                "Ask for one digit at least, and no more than at most.",
            );
        }
        if let Some(back) = digits.back.as_ref().filter(|_| digits.say_back) {
            if !back.contains(PLACE) {
                let cure = format!("Write {PLACE} where they are said.");
                self.fault(
                    &format!("{place}/back"),
                    "flow.digits_unsaid",
                    "The digits are not among these words.",
                    cure,
                );
            }
            self.speech(&format!("{place}/back"), &Speech::Spoken { text: back.clone() });
        }
        self.next(&format!("{place}/next"), &digits.next);
        if let Some(next) = &digits.gave_up {
            self.next(&format!("{place}/gave_up"), next);
        }
    }

    /// How long a key is waited for, and how often it is asked.
    fn asks(&mut self, place: &str, timeout_secs: u32, retries: u32) {
        if timeout_secs == 0 || timeout_secs > MAX_TIMEOUT_SECS {
            let detail = format!("{timeout_secs} s is no time to wait for a key.");
            let cure = format!("Wait 1 to {MAX_TIMEOUT_SECS} seconds.");
            self.fault(&format!("{place}/timeout_secs"), "flow.timeout", detail, cure);
        }
        if retries > MAX_RETRIES {
            let detail = format!("Nobody listens to it {retries} times more.");
            let cure = format!("Ask {MAX_RETRIES} times more at most.");
            self.fault(&format!("{place}/retries"), "flow.retries", detail, cure);
        }
    }

    fn speech(&mut self, place: &str, speech: &Speech) {
        self.faults.extend(check_words(speech, &format!("{}{place}", self.at)));
    }

    fn next(&mut self, place: &str, next: &str) {
        if self.menu.find(next).is_none() {
            let detail = format!("A dead end: there is no node \"{next}\".");
            self.fault(place, "flow.dead_end", detail, "Name one that there is, or add it.");
        }
    }

    fn flow(&mut self, place: &str, flow: &Flow) {
        if matches!(flow, Flow::Menu { .. }) {
            let detail = "A menu does not lead into another.";
            self.fault(place, "flow.menu_in_menu", detail, "Put the nodes of both into one.");
        }
    }

    /// Nodes that nobody comes to.
    fn reach(&mut self) {
        let (menu, mut reached, mut open) = (self.menu, BTreeSet::new(), vec![self.menu.start.as_str()]);
        while let Some(id) = open.pop() {
            if let Some(node) = menu.find(id)
                && reached.insert(id)
            {
                open.extend(node.step.nexts());
            }
        }
        for (n, node) in menu.nodes.iter().enumerate() {
            if !node.id.trim().is_empty() && !reached.contains(node.id.as_str()) {
                let detail = format!("Nobody comes to \"{}\".", node.id);
                self.fault(&format!("/nodes/{n}"), "flow.unreachable", detail, "Lead somebody there, or take it out.");
            }
        }
    }

    /// A way on which a caller who presses nothing goes round for ever.
    fn loops(&mut self) {
        let menu = self.menu;
        let mut left: Vec<_> = menu.nodes.iter().collect();
        // Whatever leads to nothing that is left is no part of a round, and then neither is what leads to that; and
        // the same against the direction.
        loop {
            let before = left.len();
            let leads_on = |id: &str, left: &[&Node]| left.iter().any(|node| node.id == id);
            let kept = left.clone();
            left.retain(|node| node.step.nexts_by_themselves().iter().any(|next| leads_on(next, &kept)));
            let kept = left.clone();
            left.retain(|node| kept.iter().any(|other| other.step.nexts_by_themselves().contains(&node.id.as_str())));
            if left.len() == before {
                break;
            }
        }
        let Some(first) = left.first() else { return };
        let place = menu.nodes.iter().position(|node| node.id == first.id).unwrap_or_default();
        let round = left.iter().map(|node| format!("\"{}\"", node.id)).collect::<Vec<_>>().join(", ");
        let detail = format!("A caller who presses nothing goes round for ever: {round}.");
        self.fault(&format!("/nodes/{place}"), "flow.loop", detail, "Lead one of them out.");
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
