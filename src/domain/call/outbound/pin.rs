//! The part of a call-out in which whoever was called shows by PIN who they are.
//!
//! Whose PIN it is, is looked up outside. What always holds: no message that asks for a PIN is read before one was right for
//! the person it is for; after three wrong ones none is asked for any more, and what needs one is left as if nobody had
//! taken it; the digits go nowhere but to whoever looks them up.

use std::time::Duration;

use super::words::{AskPin, OutboundEvent, OutboundOutput, PinLooked, Saying};
use super::{Outbound, Phase};
use crate::domain::checkin::pin::{DIGITS, Pin};

/// Wrong PINs in one call.
const WRONG_PINS: u8 = 3;
/// How often it is asked for in vain.
const ASKED: u8 = 2;
/// How long a key is waited for, after the words or the key before.
const KEY_LIMIT: Duration = Duration::from_secs(8);
/// Whoever is asked answers sooner than this.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

#[derive(Debug, Default)]
pub(super) struct Pins {
    /// Those that were shown in this call.
    shown: Vec<AskPin>,
    keys: String,
    wrong: u8,
    asked: u8,
    refused: bool,
}

impl Outbound {
    /// The message that is spoken of must not be heard yet.
    pub(super) fn lacks_pin(&self) -> bool {
        let pin = &self.entries[self.current].reading.pin;
        pin.as_ref().is_some_and(|pin| !self.pins.shown.contains(pin))
    }

    /// It asks for a PIN, and none is taken any more.
    pub(super) fn is_refused(&self, entry: usize) -> bool {
        self.pins.refused && self.entries[entry].reading.pin.is_some()
    }

    pub(super) fn ask_pin(&mut self) {
        self.pins.keys.clear();
        self.pins.asked = 0;
        self.say(Saying::Pin);
    }

    pub(super) fn on_pin_key(&mut self, key: char) {
        match key {
            '#' if !self.pins.keys.is_empty() => return self.look(),
            '*' => self.pins.keys.clear(),
            '0'..='9' if self.pins.keys.len() < *DIGITS.end() => self.pins.keys.push(key),
            _ => {}
        }
        self.stop_playing();
        self.wait_for_pin();
    }

    pub(super) fn wait_for_pin(&mut self) {
        self.phase = Phase::Saying { what: Saying::Pin, until: self.now + KEY_LIMIT };
    }

    /// No further key came.
    pub(super) fn pin_waited_for(&mut self) {
        if !self.pins.keys.is_empty() {
            // Many wait for what comes next after the last digit.
            return self.look();
        }
        self.pins.asked += 1;
        if self.pins.asked >= ASKED { self.refuse() } else { self.say(Saying::Pin) }
    }

    fn look(&mut self) {
        self.stop_playing();
        let pin = Pin::pressed(std::mem::take(&mut self.pins.keys));
        let Some(of) = self.entries[self.current].reading.pin.clone() else { return self.read() };
        self.phase = Phase::Looking { until: self.now + ANSWER_LIMIT };
        self.outputs.push_back(OutboundOutput::Look { of, pin });
    }

    pub(super) fn on_looked(&mut self, looked: PinLooked) {
        if !matches!(self.phase, Phase::Looking { .. }) {
            return;
        }
        match looked {
            PinLooked::Right => {
                self.pins.shown.extend(self.entries[self.current].reading.pin.clone());
                self.pins.wrong = 0;
                self.read();
            }
            PinLooked::Wrong => {
                self.pins.wrong += 1;
                if self.pins.wrong >= WRONG_PINS {
                    self.tell_of_wrong_pins();
                    self.refuse();
                } else {
                    self.say(Saying::WrongPin);
                }
            }
            PinLooked::Failed => self.refuse(),
        }
    }

    /// Told for each message that is not heard for it.
    fn tell_of_wrong_pins(&mut self) {
        for reading in 0..self.entries.len() {
            let entry = &self.entries[reading];
            if entry.reading.pin.is_some() && !entry.told && !entry.ended && !entry.cancelled {
                self.tell(reading, OutboundEvent::WrongPins);
            }
        }
    }

    /// Nothing that asks for a PIN is read in this call any more.
    fn refuse(&mut self) {
        self.pins.refused = true;
        for entry in self.entries.iter_mut().filter(|entry| entry.reading.pin.is_some()) {
            entry.offered = true;
        }
        self.said = 0;
        self.say(Saying::Refused);
    }
}
