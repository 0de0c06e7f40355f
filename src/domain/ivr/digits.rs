//! Digits in a menu: the caller enters a number, hears it said back, and says whether it is right.
//!
//! A part of [`Ivr`](super::Ivr). `#` ends a number that may be longer, `*` begins it anew; said back, 1 is right and 2 is once
//! more. What always holds: a number has as many digits as the menu asks for or is none; one that could not be said back,
//! or that nobody answered to when it was, counts and is marked as that, so that the operator asks.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::menu::Step;
use super::{Ivr, Output, PLAY_LIMIT, State};
use crate::base::pii::Pii;
use crate::base::placed;
use crate::domain::account::Speech;
use crate::domain::message::render::speech::spelled;

/// Where the digits stand in words of the account's own that say them back.
pub const PLACE: &str = "{digits}";
/// A number is said back so often before it counts without an answer.
const SAID: u32 = 2;

/// Words that ask for a number: a reference, a telephone, an extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MenuDigits)]
pub struct Digits {
    #[serde(deserialize_with = "placed::speech")]
    pub speech: Speech,
    /// What it is, for the operator and the record: "policy number".
    pub label: String,
    /// The field of a form that it goes into, by name; none: into one that is called like it, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// How many digits it has at least,
    #[serde(default = "one", deserialize_with = "placed::min")]
    pub min: u32,
    /// and at most: with so many it is over, without a `#`.
    #[serde(deserialize_with = "placed::max")]
    pub max: u32,
    /// Say it back, to be confirmed.
    #[serde(default = "yes")]
    pub say_back: bool,
    /// What is said back, in the words or the language of the account, with `{digits}` in their place; none: the house's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<String>,
    /// How long the caller may take for the first digit after the words, and for each one more.
    #[serde(default = "timeout", deserialize_with = "placed::timeout_secs")]
    pub timeout_secs: u32,
    /// How often it is asked again.
    #[serde(default = "retries", deserialize_with = "placed::retries")]
    pub retries: u32,
    /// Keys count while words are spoken, and cut them short.
    #[serde(default = "yes")]
    pub barge_in: bool,
    /// Said before it is asked again, after too few digits.
    #[serde(default, deserialize_with = "placed::invalid")]
    pub invalid: Option<Speech>,
    /// The same after no key at all.
    #[serde(default, deserialize_with = "placed::silent")]
    pub silent: Option<Speech>,
    pub next: String,
    /// The node after the last try; none: the menu's `otherwise`.
    #[serde(default)]
    pub gave_up: Option<String>,
}

const fn one() -> u32 {
    1
}

const fn yes() -> bool {
    true
}

/// Whoever reads a number off a card takes longer than for a key.
const fn timeout() -> u32 {
    8
}

const fn retries() -> u32 {
    2
}

/// A number that a caller has entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Entered {
    pub label: String,
    pub field: Option<String>,
    #[schema(value_type = String)]
    pub digits: Pii<String>,
    pub said_back: SaidBack,
}

/// Whether the caller has said that it is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SaidBack {
    /// They were not asked.
    No,
    Confirmed,
    /// They heard it, or should have, and pressed nothing.
    Unanswered,
}

impl Digits {
    /// The words that say `digits` back.
    pub fn words_back(&self, digits: &str) -> Speech {
        let spoken = spelled(digits);
        let text = match &self.back {
            Some(words) => words.replace(PLACE, &spoken),
            None => format!("You entered: {spoken}. Press 1 if that is right, 2 to enter it again."),
        };
        Speech::Spoken { text }
    }
}

impl Ivr {
    fn digits(&self) -> Option<&Digits> {
        match self.menu.find(&self.at).map(|node| &node.step) {
            Some(Step::Digits(digits)) => Some(digits),
            _ => None,
        }
    }

    fn wait_for_digit(&self) -> Instant {
        self.now + self.asks().map_or(PLAY_LIMIT, |asks| asks.timeout)
    }

    /// One more key of a number.
    pub(super) fn take_digit(&mut self, key: char, tries: u32, mut keys: String) {
        let Some(max) = self.digits().map(|digits| digits.max as usize) else { return self.leave() };
        match key {
            '#' => return self.take_number(tries, keys),
            '*' => keys.clear(),
            '0'..='9' => keys.push(key),
            _ => {}
        }
        if keys.len() >= max {
            self.hash_comes_late = true;
            return self.take_number(tries, keys);
        }
        self.state = State::Entering { heard: true, tries, keys, until: self.wait_for_digit() };
    }

    /// There are no more digits.
    pub(super) fn take_number(&mut self, tries: u32, keys: String) {
        let Some(digits) = self.digits() else { return self.leave() };
        let (enough, say_back) = (keys.len() >= digits.min.max(1) as usize, digits.say_back);
        match (enough, say_back) {
            (false, _) => self.miss(tries, false),
            (true, true) => self.say_back(tries, keys, 1),
            (true, false) => self.give(keys, SaidBack::No),
        }
    }

    fn say_back(&mut self, tries: u32, keys: String, said: u32) {
        let Some(speech) = self.digits().map(|digits| digits.words_back(&keys)) else { return self.leave() };
        self.playing = true;
        self.outputs.push_back(Output::PlayOnce(speech));
        self.state = State::Checking { heard: false, tries, keys, said, until: self.now + PLAY_LIMIT };
    }

    /// An answer to the number that was said back.
    pub(super) fn on_answer(&mut self, key: char, tries: u32, keys: String, said: u32) {
        match key {
            // The end of the number, by somebody who is used to it.
            '#' => {}
            '1' => {
                self.stop_play();
                self.give(keys, SaidBack::Confirmed);
            }
            '2' | '*' => {
                self.stop_play();
                self.again(tries);
            }
            _ => {
                self.stop_play();
                self.say_again(tries, keys, said);
            }
        }
    }

    /// It was wrong: it is asked anew, without a word of what was.
    fn again(&mut self, tries: u32) {
        if self.asks().is_some_and(|asks| tries < asks.retries) {
            self.ask(tries + 1);
        } else {
            self.miss(tries, false);
        }
    }

    /// No answer, or none that could be followed.
    pub(super) fn say_again(&mut self, tries: u32, keys: String, said: u32) {
        if said < SAID { self.say_back(tries, keys, said + 1) } else { self.give(keys, SaidBack::Unanswered) }
    }

    /// Words that say it back could not be spoken: a tone plays in their place.
    pub(super) fn on_unspoken(&mut self) {
        if let State::Checking { keys, .. } = self.state.clone() {
            self.stop_play();
            self.give(keys, SaidBack::Unanswered);
        }
    }

    /// Words are over: from now on it waits for a key.
    pub(super) fn on_digits_asked(&mut self) {
        let until = self.wait_for_digit();
        match &mut self.state {
            State::Entering { heard: heard @ false, until: at, .. }
            | State::Checking { heard: heard @ false, until: at, .. } => (*heard, *at) = (true, until),
            _ => {}
        }
    }

    fn give(&mut self, keys: String, said_back: SaidBack) {
        let Some(digits) = self.digits() else { return self.leave() };
        let (label, field, next) = (digits.label.clone(), digits.field.clone(), digits.next.clone());
        self.outputs.push_back(Output::Entered(Entered { label, field, digits: Pii::new(keys), said_back }));
        self.enter(next);
    }
}
