//! The check of a menu before it is saved: everything wrong with it at once, each fault with what to do.
//!
//! Looks at the menu alone; whether what its exits name is there, the account's check says (`domain/account/check`).

use std::collections::BTreeSet;

use super::menu::{Condition, Gather, Menu, Node, Step};
use crate::domain::account::Speech;
use crate::domain::account::check::{Fault, Faults};
use crate::domain::account::flow::Flow;

const MAX_NODES: usize = 200;
const MAX_TIMEOUT_SECS: u32 = 60;
const MAX_RETRIES: u32 = 9;
/// The longest choice.
const MAX_DIGITS: usize = 12;

/// All faults of `menu`, each at its place below `at`. Empty: it can be saved.
pub fn validate(menu: &Menu, at: &str) -> Vec<Fault> {
    let mut check = Check { menu, at, faults: Faults::default() };
    check.whole();
    for n in 0..menu.nodes.len() {
        check.node(n);
    }
    check.reach();
    check.loops();
    check.faults.all
}

struct Check<'a> {
    menu: &'a Menu,
    at: &'a str,
    faults: Faults,
}

impl Check<'_> {
    fn fault(&mut self, place: &str, code: &'static str, message: String) {
        self.faults.add(&format!("{}{place}", self.at), code, message);
    }

    fn whole(&mut self) {
        if self.menu.name.trim().is_empty() {
            self.fault("/name", "name_missing", "Give the menu a name, by which hours can name it.".into());
        }
        if self.menu.nodes.len() > MAX_NODES {
            self.fault("/nodes", "too_many", format!("A menu has {MAX_NODES} nodes at most: make two of it."));
        }
        if self.menu.find(&self.menu.start).is_none() {
            let message =
                format!("There is no node \"{}\" to start at: name one of the menu's nodes.", self.menu.start);
            self.fault("/start", "dead_end", message);
        }
        self.flow("/otherwise", &self.menu.otherwise);
        let mut seen = BTreeSet::new();
        for (n, node) in self.menu.nodes.iter().enumerate() {
            if node.id.trim().is_empty() {
                self.fault(&format!("/nodes/{n}/id"), "name_missing", "Give the node a name.".into());
            } else if !seen.insert(&node.id) {
                let message = format!("There are two nodes \"{}\": give one of them another name.", node.id);
                self.fault(&format!("/nodes/{n}/id"), "name_twice", message);
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
            Step::Branch { on, then, otherwise } => {
                match on {
                    Condition::Window { name } if name.trim().is_empty() => {
                        self.fault(&format!("{place}/on"), "condition", "Name the window that it is about.".into());
                    }
                    Condition::Caller { numbers } if numbers.is_empty() => {
                        self.fault(&format!("{place}/on"), "condition", "Name the numbers that it is about.".into());
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
        if gather.timeout_secs == 0 || gather.timeout_secs > MAX_TIMEOUT_SECS {
            let message = format!("Wait 1 to {MAX_TIMEOUT_SECS} seconds for a key.");
            self.fault(&format!("{place}/timeout_secs"), "timeout", message);
        }
        if gather.retries > MAX_RETRIES {
            self.fault(&format!("{place}/retries"), "retries", format!("Ask {MAX_RETRIES} times more at most."));
        }
        if gather.choices.is_empty() {
            let message = "There is nothing to choose: add a choice, or only play these words.";
            self.fault(&format!("{place}/choices"), "no_choice", message.into());
        }
        let mut seen = BTreeSet::new();
        for (c, choice) in gather.choices.iter().enumerate() {
            let at = format!("{place}/choices/{c}");
            let keys = choice.digits.bytes().all(|b| b.is_ascii_digit() || b == b'*');
            let fits = keys && !choice.digits.is_empty() && choice.digits.len() <= MAX_DIGITS;
            if !fits && choice.digits != "#" {
                let message = format!("A choice is 1 to {MAX_DIGITS} of the keys 0 to 9 and *, or # alone.");
                self.fault(&format!("{at}/digits"), "digits", message);
            } else if !seen.insert(&choice.digits) {
                let message = format!("{} is there twice: take another key for one of them.", choice.digits);
                self.fault(&format!("{at}/digits"), "digits_twice", message);
            }
            if choice.label.trim().is_empty() {
                let message = "Say what it is about: operators see that when the call comes.";
                self.fault(&format!("{at}/label"), "label_missing", message.into());
            }
            self.next(&format!("{at}/next"), &choice.next);
        }
        if let Some(next) = &gather.gave_up {
            self.next(&format!("{place}/gave_up"), next);
        }
    }

    fn speech(&mut self, place: &str, speech: &Speech) {
        if !speech.is_said() {
            self.fault(
                place,
                "prompt_missing",
                "There is nothing to hear: write the words, or name a recording.".into(),
            );
        }
    }

    fn next(&mut self, place: &str, next: &str) {
        if self.menu.find(next).is_none() {
            let message = format!("A dead end: there is no node \"{next}\". Name one that there is, or add it.");
            self.fault(place, "dead_end", message);
        }
    }

    fn flow(&mut self, place: &str, flow: &Flow) {
        if matches!(flow, Flow::Menu { .. }) {
            let message = "A menu does not lead into another: put the nodes of both into one.";
            self.fault(place, "menu_in_menu", message.into());
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
                let message = format!("Nobody comes to \"{}\": lead somebody there, or take it out.", node.id);
                self.fault(&format!("/nodes/{n}"), "unreachable", message);
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
        let message = format!("A caller who presses nothing goes round for ever: {round}. Lead one of them out.");
        self.fault(&format!("/nodes/{place}"), "loop", message);
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
