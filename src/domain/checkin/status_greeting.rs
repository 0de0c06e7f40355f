//! A status greeting at a check-in: words that callers hear before the account's greeting, until tomorrow morning or until they
//! are taken down. They are spoken in, heard back and kept as any dictation is (`domain/dictation`).
//!
//! What always holds: what plays to callers changes by a key alone, pressed by somebody who has checked in.

use super::words::joined;
use super::{CheckIn, Input, Leave, Output, State, Then, words};
use crate::domain::account::Speech;
use crate::domain::dictation::{self, Dictation, Script};

/// What callers hear now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusNow {
    pub speech: Speech,
    /// Whose words they are, since when and until when, as it is said.
    pub words: String,
}

const ASK: &str = "Please say after the tone what callers shall hear before your greeting.";
const IT_PLAYS: &str = "To hear it, press 1. To take it down, press 2. To record another one, press 3. To leave it as it is, \
                        press the star key.";
const UP: &str = "Your callers hear it from now on.";
const DOWN: &str = "It is taken down.";

impl CheckIn {
    pub(super) fn change_status(&mut self) {
        self.asked = 0;
        if self.welcome.status.is_some() { self.ask_status() } else { self.begin_dictation() }
    }

    pub(super) fn ask_status(&mut self) {
        let Some(status) = &self.welcome.status else { return self.menu(String::new()) };
        let text = joined(&[&status.words, IT_PLAYS]);
        self.ask(State::Status, text);
    }

    pub(super) fn on_status_key(&mut self, key: char) {
        match key {
            '1' => {
                let Some(status) = &self.welcome.status else { return };
                let speech = status.speech.clone();
                self.ask_with(State::Status, speech);
            }
            '2' => {
                self.stop_play();
                self.wait(State::TakingDown);
                self.outputs.push_back(Output::TakeDownGreeting);
            }
            '3' => self.begin_dictation(),
            '0' => self.leave(Leave::Operator),
            '*' => self.menu(String::new()),
            _ => {}
        }
    }

    pub(super) fn on_greeting_down(&mut self, done: bool) {
        if self.state != State::TakingDown {
            return;
        }
        if done {
            self.welcome.status = None;
            self.say(DOWN, Then::Menu);
        } else {
            self.say(words::SORRY_OPERATOR, Then::Leave(Leave::Operator));
        }
    }

    fn begin_dictation(&mut self) {
        self.stop_play();
        let morning = Some(self.welcome.morning.clone()).filter(|morning| !morning.is_empty());
        let script = Script {
            ask: ASK.to_owned(),
            keep: "To have it heard until you take it down".to_owned(),
            for_a_time: morning,
            kept: UP.to_owned(),
        };
        self.state = State::Dictating;
        self.dictation = Some(Dictation::new(self.now, script));
        self.follow_dictation();
    }

    /// Tells the dictation what happened, if one goes on.
    pub(super) fn dictate(&mut self, input: Input) {
        let Some(dictation) = &mut self.dictation else { return };
        let input = match input {
            Input::Digit(key) => dictation::Input::Digit(key),
            Input::PlayDone => {
                self.playing = false;
                dictation::Input::PlayDone
            }
            Input::Dictated(spoken) => dictation::Input::Taken { spoken },
            Input::GreetingUp(up) => {
                let kept = up.is_some();
                self.welcome.status = up.or_else(|| self.welcome.status.take());
                dictation::Input::Kept(kept)
            }
            _ if self.leave_at <= self.now => return self.leave(Leave::Ended),
            _ => dictation::Input::Tick,
        };
        dictation.handle(self.now, input);
        self.follow_dictation();
    }

    fn follow_dictation(&mut self) {
        while let Some(output) = self.dictation.as_mut().and_then(Dictation::poll_output) {
            match output {
                dictation::Output::Play(speech) => {
                    self.playing = true;
                    self.unspoken = false;
                    self.outputs.push_back(Output::Play(speech));
                }
                dictation::Output::StopPlay => self.stop_play(),
                dictation::Output::Begin => self.outputs.push_back(Output::Dictate(true)),
                dictation::Output::End => self.outputs.push_back(Output::Dictate(false)),
                dictation::Output::PlayBack => {
                    self.playing = true;
                    self.outputs.push_back(Output::PlayDictated);
                }
                dictation::Output::Keep { for_a_time } => {
                    self.outputs.push_back(Output::PutUpGreeting { until_morning: for_a_time });
                }
                dictation::Output::Leave { .. } => {
                    self.dictation = None;
                    self.menu(String::new());
                }
            }
        }
    }

    /// Whoever is out of the check-in is taken down no more.
    pub(super) fn stop_dictating(&mut self) {
        if self.dictation.take().is_some_and(|dictation| dictation.is_speaking()) {
            self.outputs.push_back(Output::Dictate(false));
        }
    }
}
