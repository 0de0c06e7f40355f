//! Keys of a caller who does not wait for the greeting to end: they belong to the menu that follows, if that takes keys while
//! it speaks, or to the check-in.
//!
//! Such a key cuts the greeting short, but not where the greeting may be what tells the caller of the recording, nor the words
//! that do. What always holds: keys are kept for what follows in the order in which they were pressed, and for
//! nothing else.

use super::{Call, Phase};
use crate::domain::account::RecordingMode;
use crate::domain::account::flow::Flow;
use crate::domain::ivr::Ivr;

/// Keys that are kept; nobody who means any of them presses more.
const MOST: usize = 16;

impl Call {
    /// In the greeting, and what follows takes keys from its first word on.
    pub(super) fn takes_early_keys(&self) -> bool {
        let name = match (self.phase, &self.setup.flow) {
            (Phase::Greeting { .. }, Flow::Menu { menu }) => menu,
            (Phase::Greeting { .. }, Flow::CheckIn) => return true,
            _ => return false,
        };
        let menu = self.setup.menus.iter().find(|menu| menu.name == *name);
        menu.is_some_and(|menu| Ivr::new(self.now, menu.clone(), self.setup.context.clone()).takes_keys())
    }

    /// What was pressed goes where it was meant to, be it past the menu: a PIN, say.
    pub(super) fn follow_early_keys(&mut self) {
        for key in std::mem::take(&mut self.early_keys).chars() {
            self.on_caller_key(key);
        }
    }

    pub(super) fn on_early_key(&mut self, key: char) {
        if !self.takes_early_keys() || self.early_keys.len() >= MOST {
            return;
        }
        self.early_keys.push(key);
        // Where the account has callers told in its greeting, it is heard to its end.
        let policy = &self.setup.recording;
        let told_in_greeting =
            policy.mode != RecordingMode::Off && policy.announcement.is_none() && self.recorded_legs().caller;
        if !self.is_announcing() && !told_in_greeting {
            self.stop_play();
            self.greeting_to_come = false;
            self.greeting_over();
        }
    }
}
