//! A caller who would rather be called back: the offer, the number, the promise.
//!
//! Knows what is said and which keys count; storing is the driver's, who is asked for it and answers. What always holds:
//! nothing is promised before it is stored; the caller keeps their place meanwhile, and it is not used up: no operator is
//! offered a caller who is giving a number; whoever does not want it, or does not answer, waits on as before.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::cause::Cause;
use super::event::RecordEvent;
use super::{Call, Output, PROMPT_LIMIT, Phase};
use crate::base::clock::UtcMs;
use crate::base::numbering::Numbering;
use crate::base::phone::PhoneNumber;
use crate::domain::account::Speech;
use crate::domain::message::render::speech::spoken_number;

/// How long a key is waited for, after the words or the key before.
const KEY_LIMIT: Duration = Duration::from_secs(10);
/// The driver answers sooner than this.
const STORE_LIMIT: Duration = Duration::from_secs(30);
/// How often somebody is asked the same thing.
const ASKED: u8 = 3;
/// Keys that a number can have.
const MOST_DIGITS: usize = 20;

const OFFER: &str = "If you would like us to call you back, press 1. You keep your place. Otherwise please hold.";
const OVERDUE: &str = "All our operators are busy. If you would like us to call you back, press 1.";
const ENTER: &str = "Please enter the number, with its area code, and then the pound key.";
const NO_NUMBER: &str = "We cannot call that number.";
const GOODBYE: &str = "Thank you. We will call you back. Goodbye.";
const SORRY: &str = "We are sorry, that did not work. Please hold.";

/// What an account offers to waiting callers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackTerms {
    /// After so long in the queue.
    pub after: Option<Duration>,
    /// When the maximum wait is over, before the apology.
    pub when_overdue: bool,
    /// The caller's own number, if it is known.
    pub number: Option<PhoneNumber>,
    /// How callers write numbers.
    pub numbering: Numbering,
}

/// When somebody who was promised a call is rung again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NextTry {
    /// At the time that is told.
    Later,
    /// They have a place in the queue.
    WhenFree,
    /// An operator is at it.
    Now,
    /// They were reached or given up.
    Never,
}

impl NextTry {
    /// By whether it is over, whether an operator rings them just now, and from when on they may be rung.
    pub fn pick(is_over: bool, is_rung: bool, next_at: UtcMs, now: UtcMs) -> Self {
        match (is_over, is_rung) {
            (true, _) => Self::Never,
            (false, true) => Self::Now,
            (false, false) if next_at > now => Self::Later,
            (false, false) => Self::WhenFree,
        }
    }
}

/// Where the talk about it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The maximum wait is over: would they?
    Asking,
    Confirming,
    Entering,
    Storing,
    Goodbye,
}

/// What a call knows of its callback.
#[derive(Debug, Default)]
pub(super) struct Callback {
    offer_at: Option<Instant>,
    /// A key asks for it from now on.
    offered: bool,
    /// The maximum wait is over: there is no queue to go back to.
    overdue: bool,
    number: Option<PhoneNumber>,
    digits: String,
    asked: u8,
}

impl Call {
    /// The caller begins to wait.
    pub(super) fn plan_callback(&mut self) {
        self.callback.offer_at = self.setup.callback.after.map(|after| self.now + after);
    }

    /// The call is another account's: what was offered in the first one's name is offered no more.
    pub(super) fn change_callback_terms(&mut self, terms: CallbackTerms) {
        self.setup.callback = terms;
        self.callback = Callback::default();
        self.plan_callback();
    }

    /// When it is to be offered; not while something else is said.
    pub(super) fn callback_offer_at(&self) -> Option<Instant> {
        let waits = self.phase == Phase::Queued && self.playing.is_none() && !self.is_recalled();
        self.callback.offer_at.filter(|_| waits)
    }

    pub(super) fn offer_callback(&mut self) {
        if self.callback_offer_at().is_some_and(|at| at <= self.now) {
            self.callback.offer_at = None;
            self.callback.offered = true;
            self.record(RecordEvent::CallbackOffered);
            self.say(OFFER);
        }
    }

    /// The maximum wait is over. True if the caller is asked now, in place of the apology.
    pub(super) fn ask_in_place_of_apology(&mut self) -> bool {
        let asks = self.setup.callback.when_overdue && !self.callback.overdue;
        if asks {
            self.callback.overdue = true;
            self.record(RecordEvent::CallbackOffered);
            self.outputs.push_back(Output::Pause);
            self.ask(Step::Asking, OVERDUE);
        }
        asks
    }

    pub(super) fn on_callback_key(&mut self, key: char) {
        match (self.phase, key) {
            (Phase::Queued, '1') if self.callback.offered && !self.is_recalled() => {
                self.outputs.push_back(Output::Pause);
                self.begin_callback();
            }
            (Phase::CallingBack { step: Step::Asking, .. }, '1') => self.begin_callback(),
            (Phase::CallingBack { step: Step::Confirming, .. }, '1') => self.store_callback(),
            (Phase::CallingBack { step: Step::Confirming, .. }, '2') => {
                self.callback.asked = 0;
                self.enter_number(ENTER);
            }
            (Phase::CallingBack { step: Step::Entering, .. }, '#') => self.number_entered(),
            (Phase::CallingBack { step: Step::Entering, .. }, '0'..='9' | '*') => {
                self.stop_play();
                if key == '*' {
                    self.callback.digits.clear();
                } else if self.callback.digits.len() < MOST_DIGITS {
                    self.callback.digits.push(key);
                }
                self.phase = Phase::CallingBack { step: Step::Entering, until: self.now + KEY_LIMIT };
            }
            _ => {}
        }
    }

    fn begin_callback(&mut self) {
        self.callback.asked = 0;
        match self.setup.callback.number.clone() {
            Some(number) => self.confirm_number(number),
            None => self.enter_number(ENTER),
        }
    }

    fn confirm_number(&mut self, number: PhoneNumber) {
        let said = spoken_number(number.as_e164());
        self.callback.number = Some(number);
        self.ask(
            Step::Confirming,
            &format!("We will call you back at {said}. If that is right, press 1. To enter another number, press 2."),
        );
    }

    fn enter_number(&mut self, words: &str) {
        self.callback.digits.clear();
        self.ask(Step::Entering, words);
    }

    fn number_entered(&mut self) {
        let number = self.setup.callback.numbering.read(&self.callback.digits);
        match number.ok().filter(|number| number.emergency_code().is_none()) {
            Some(number) => {
                self.callback.asked = 0;
                self.confirm_number(number);
            }
            None if self.callback.asked >= ASKED => self.give_up_callback(),
            None => self.enter_number(&format!("{NO_NUMBER} {ENTER}")),
        }
    }

    fn store_callback(&mut self) {
        self.stop_play();
        let Some(number) = self.callback.number.clone() else { return };
        self.phase = Phase::CallingBack { step: Step::Storing, until: self.now + STORE_LIMIT };
        self.outputs.push_back(Output::StoreCallback { number });
    }

    /// The driver has stored it, or could not.
    pub(super) fn on_callback_stored(&mut self, stored: bool) {
        if !matches!(self.phase, Phase::CallingBack { step: Step::Storing, .. }) {
            return;
        }
        if stored {
            self.record(RecordEvent::CallbackPromised);
            self.outputs.push_back(Output::Dequeue);
            self.ask(Step::Goodbye, GOODBYE);
        } else {
            self.give_up_callback();
            if self.phase == Phase::Queued {
                self.say(SORRY);
            }
        }
    }

    /// Words that were said in the talk are over: now a key is waited for.
    pub(super) fn callback_words_over(&mut self, step: Step) {
        match step {
            Step::Goodbye => self.end(Cause::Released),
            Step::Storing => {}
            Step::Asking | Step::Confirming | Step::Entering => {
                self.phase = Phase::CallingBack { step, until: self.now + KEY_LIMIT };
            }
        }
    }

    /// A key, or the end of words, was waited for in vain.
    pub(super) fn callback_timed_out(&mut self, step: Step) {
        self.stop_play();
        match (step, self.callback.number.clone()) {
            (Step::Goodbye, _) => self.end(Cause::Released),
            (Step::Storing, _) => self.on_callback_stored(false),
            // Many wait for what comes next after the last digit.
            (Step::Entering, _) if !self.callback.digits.is_empty() => self.number_entered(),
            (Step::Confirming, Some(number)) if self.callback.asked < ASKED => self.confirm_number(number),
            (Step::Entering, _) if self.callback.asked < ASKED => self.enter_number(ENTER),
            _ => self.give_up_callback(),
        }
    }

    /// Back to where they were.
    fn give_up_callback(&mut self) {
        self.stop_play();
        self.record(RecordEvent::CallbackNotWanted);
        self.phase = Phase::Queued;
        if self.callback.overdue {
            self.leave_queue_overdue();
        } else {
            self.outputs.push_back(Output::Resume);
        }
    }

    /// The caller asked for it, as far as they could.
    pub(super) const fn callback_asked_for(&self) -> bool {
        matches!(self.phase, Phase::CallingBack { step: Step::Storing | Step::Goodbye, .. })
    }

    /// In the talk, and in the queue all the same.
    pub(super) const fn callback_keeps_place(&self) -> bool {
        matches!(self.phase, Phase::CallingBack { step, .. } if !matches!(step, Step::Goodbye))
    }

    fn ask(&mut self, step: Step, words: &str) {
        self.stop_play();
        self.callback.asked += 1;
        self.phase = Phase::CallingBack { step, until: self.now + PROMPT_LIMIT };
        self.say(words);
    }

    fn say(&mut self, words: &str) {
        self.play_to_caller(Speech::Spoken { text: words.to_owned() });
    }
}
