//! One telephone of the sandbox: what it does when it is called, dials, is answered, declined or left to ring.
//!
//! Decides and never does: the exchange turns its outputs into signalling and audio. Holds the texts the
//! phone received and the replies typed on it. Always: one call at a time, a second one meets a busy phone;
//! a call that ended leaves words behind that say how.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::phone::PhoneNumber;

/// How long a phone rings before its voicemail answers.
pub const VOICEMAIL_AFTER: Duration = Duration::from_secs(15);
/// How long voicemail records before it hangs up.
pub const VOICEMAIL_LENGTH: Duration = Duration::from_secs(60);
/// How long a phone rings when nobody ends it sooner.
pub const RING_LIMIT: Duration = Duration::from_secs(180);
/// Texts kept; the oldest goes first.
const TEXTS_KEPT: usize = 60;

/// A call of this phone: the exchange's name for it.
pub type CallRef = u64;

/// What the phone does with a call while its owner does nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It rings.
    #[default]
    Normal,
    /// It is in use: callers hear busy.
    Busy,
    /// It rings, then voicemail answers.
    Voicemail,
    /// It is switched off: neither calls nor texts get through.
    Off,
}

/// What the phone is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Idle,
    Ringing { call: CallRef, from: Option<PhoneNumber>, since: Instant },
    Dialling { call: CallRef, to: String, since: Instant, alerted: bool },
    Talking { call: CallRef, with: String, since: Instant, machine: bool },
}

/// What happens to the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The network has a call for it.
    Called { call: CallRef, from: Option<PhoneNumber> },
    /// Its owner dials.
    Dial { call: CallRef, to: String },
    /// The number dialled rings.
    Alerted { call: CallRef },
    /// The number dialled answered.
    Connected { call: CallRef },
    /// The number dialled could not be had; the network's status code.
    Failed { call: CallRef, status: u16 },
    /// The other side ended the call, or gave up ringing.
    Gone { call: CallRef },
    /// The owner takes the call.
    Answer,
    /// The owner refuses it.
    Decline,
    /// The owner ends whatever there is.
    HangUp,
    /// The owner presses a key.
    Key(char),
    /// The owner sets what the phone does by itself.
    SetMode(Mode),
}

/// What is to be done for the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Dial {
        call: CallRef,
        to: String,
    },
    Ring {
        call: CallRef,
    },
    Answer {
        call: CallRef,
    },
    /// Refuse with this status code.
    Refuse {
        call: CallRef,
        status: u16,
    },
    HangUp {
        call: CallRef,
    },
    /// Play voicemail's greeting and beep.
    Greet {
        call: CallRef,
    },
    Key {
        call: CallRef,
        key: char,
    },
}

/// Why [`Phone::handle_timeout`] is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    VoicemailAnswers,
    VoicemailFull,
    RangLongEnough,
}

/// A text on the phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    pub at: UtcMs,
    /// The other side's number.
    pub with: PhoneNumber,
    pub body: String,
    /// Typed on this phone, not received.
    pub mine: bool,
    /// A reply the network could not hand on.
    pub failed: bool,
}

/// A telephone.
#[derive(Debug)]
pub struct Phone {
    state: State,
    mode: Mode,
    texts: VecDeque<Text>,
    last: Option<String>,
    outputs: VecDeque<Output>,
}

impl Default for Phone {
    fn default() -> Self {
        Self { state: State::Idle, mode: Mode::Normal, texts: VecDeque::new(), last: None, outputs: VecDeque::new() }
    }
}

impl Phone {
    pub const fn state(&self) -> &State {
        &self.state
    }

    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The texts, oldest first.
    pub const fn texts(&self) -> &VecDeque<Text> {
        &self.texts
    }

    /// How the last call ended.
    pub fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// The call the phone has, whatever its stage.
    pub const fn call(&self) -> Option<CallRef> {
        match self.state {
            State::Idle => None,
            State::Ringing { call, .. } | State::Dialling { call, .. } | State::Talking { call, .. } => Some(call),
        }
    }

    /// A text arrived or was typed.
    pub fn keep_text(&mut self, text: Text) {
        self.texts.push_back(text);
        while self.texts.len() > TEXTS_KEPT {
            self.texts.pop_front();
        }
    }

    /// The newest text typed here could not be handed on.
    pub fn mark_reply_failed(&mut self, at: UtcMs) {
        if let Some(text) = self.texts.iter_mut().rev().find(|t| t.mine && t.at == at) {
            text.failed = true;
        }
    }

    /// Whom a reply goes to: the sender of the newest text received.
    pub fn reply_to(&self) -> Option<&PhoneNumber> {
        self.texts.iter().rev().find(|t| !t.mine).map(|t| &t.with)
    }

    /// Takes what happened. What does not fit the state is ignored.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Called { call, from } => self.called(now, call, from),
            Input::Dial { call, to } => {
                if self.state == State::Idle {
                    self.outputs.push_back(Output::Dial { call, to: to.clone() });
                    self.state = State::Dialling { call, to, since: now, alerted: false };
                }
            }
            Input::Alerted { call } => {
                if let State::Dialling { call: mine, alerted, .. } = &mut self.state
                    && *mine == call
                {
                    *alerted = true;
                }
            }
            Input::Connected { call } => {
                if let State::Dialling { call: mine, to, .. } = &self.state
                    && *mine == call
                {
                    let with = to.clone();
                    self.state = State::Talking { call, with, since: now, machine: false };
                }
            }
            Input::Failed { call, status } => {
                if self.call() == Some(call) {
                    self.end(failure_words(status));
                }
            }
            Input::Gone { call } => self.gone(now, call),
            Input::Answer => self.answer(now, false),
            Input::Decline => {
                if let State::Ringing { call, .. } = self.state {
                    self.outputs.push_back(Output::Refuse { call, status: 603 });
                    self.end("You declined the call.".to_owned());
                }
            }
            Input::HangUp => self.hang_up(now),
            Input::Key(key) => {
                if let State::Talking { call, machine: false, .. } = self.state {
                    self.outputs.push_back(Output::Key { call, key });
                }
            }
            Input::SetMode(mode) => self.set_mode(mode),
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the phone does something by itself.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        match self.state {
            State::Ringing { since, .. } if self.mode == Mode::Voicemail => {
                Some((since + VOICEMAIL_AFTER, Reason::VoicemailAnswers))
            }
            State::Ringing { since, .. } => Some((since + RING_LIMIT, Reason::RangLongEnough)),
            State::Talking { since, machine: true, .. } => Some((since + VOICEMAIL_LENGTH, Reason::VoicemailFull)),
            _ => None,
        }
    }

    /// Does what is due by `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some((at, reason)) = self.poll_timeout() else { return };
        if now < at {
            return;
        }
        match reason {
            Reason::VoicemailAnswers => self.answer(now, true),
            Reason::VoicemailFull => self.hang_up(now),
            Reason::RangLongEnough => {
                if let State::Ringing { call, .. } = self.state {
                    self.outputs.push_back(Output::Refuse { call, status: 480 });
                    self.end("It rang and nobody answered.".to_owned());
                }
            }
        }
    }

    fn called(&mut self, now: Instant, call: CallRef, from: Option<PhoneNumber>) {
        if self.mode == Mode::Off {
            self.outputs.push_back(Output::Refuse { call, status: 480 });
        } else if self.mode == Mode::Busy || self.state != State::Idle {
            self.outputs.push_back(Output::Refuse { call, status: 486 });
            if self.state == State::Idle {
                self.last = Some("A caller found this phone busy.".to_owned());
            }
        } else {
            self.outputs.push_back(Output::Ring { call });
            self.state = State::Ringing { call, from, since: now };
        }
    }

    fn answer(&mut self, now: Instant, machine: bool) {
        let State::Ringing { call, from, .. } = &self.state else { return };
        let (call, with) =
            (*call, from.as_ref().map_or_else(|| "unknown number".to_owned(), |n| n.as_e164().to_owned()));
        self.outputs.push_back(Output::Answer { call });
        if machine {
            self.outputs.push_back(Output::Greet { call });
        }
        self.state = State::Talking { call, with, since: now, machine };
    }

    fn gone(&mut self, now: Instant, call: CallRef) {
        if self.call() != Some(call) {
            return;
        }
        let words = match &self.state {
            State::Ringing { since, .. } => format!("Missed: it rang for {}.", length(now, *since)),
            State::Talking { since, machine: true, .. } => format!("Voicemail took {}.", length(now, *since)),
            State::Talking { since, .. } => format!("They hung up after {}.", length(now, *since)),
            State::Idle | State::Dialling { .. } => "The call ended.".to_owned(),
        };
        self.end(words);
    }

    fn hang_up(&mut self, now: Instant) {
        match &self.state {
            State::Idle => {}
            State::Ringing { .. } => self.handle(now, Input::Decline),
            State::Dialling { call, .. } => {
                self.outputs.push_back(Output::HangUp { call: *call });
                self.end("You gave up before they answered.".to_owned());
            }
            State::Talking { call, since, machine, .. } => {
                let who = if *machine { "Voicemail took" } else { "You hung up after" };
                let words = format!("{who} {}.", length(now, *since));
                self.outputs.push_back(Output::HangUp { call: *call });
                self.end(words);
            }
        }
    }

    fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        // A phone that becomes busy or is switched off stops ringing.
        if let (State::Ringing { call, .. }, Mode::Busy | Mode::Off) = (&self.state, mode) {
            let status = if mode == Mode::Busy { 486 } else { 480 };
            self.outputs.push_back(Output::Refuse { call: *call, status });
            self.end("A caller was turned away.".to_owned());
        }
    }

    fn end(&mut self, words: String) {
        self.state = State::Idle;
        self.last = Some(words);
    }
}

fn length(now: Instant, since: Instant) -> String {
    let secs = now.saturating_duration_since(since).as_secs();
    format!("{}:{:02}", secs / 60, secs % 60)
}

fn failure_words(status: u16) -> String {
    match status {
        404 | 484 | 604 => "That number is not in service.".to_owned(),
        486 | 600 => "The line is busy.".to_owned(),
        408 | 480 | 487 => "Nobody answered.".to_owned(),
        403 | 603 | 607 | 608 => "The call was refused.".to_owned(),
        503 => "All lines are busy; try again.".to_owned(),
        other => format!("The call could not be completed ({other})."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, TestClock};

    fn number() -> Option<PhoneNumber> {
        PhoneNumber::parse("+12025550102").ok()
    }

    fn outputs(phone: &mut Phone) -> Vec<Output> {
        std::iter::from_fn(|| phone.poll_output()).collect()
    }

    fn called(clock: &TestClock) -> Phone {
        let mut phone = Phone::default();
        phone.handle(clock.instant(), Input::Called { call: 7, from: number() });
        assert_eq!(outputs(&mut phone), [Output::Ring { call: 7 }]);
        phone
    }

    #[test]
    fn a_called_phone_rings_is_answered_sends_keys_and_says_how_long_it_was() {
        let clock = TestClock::at(UtcMs(0));
        let mut phone = called(&clock);
        phone.handle(clock.instant(), Input::Key('1'));
        assert_eq!(outputs(&mut phone), [], "a key does nothing before the answer");
        phone.handle(clock.instant(), Input::Answer);
        phone.handle(clock.instant(), Input::Key('1'));
        assert_eq!(outputs(&mut phone), [Output::Answer { call: 7 }, Output::Key { call: 7, key: '1' }]);
        clock.advance(Duration::from_secs(65));
        phone.handle(clock.instant(), Input::HangUp);
        assert_eq!(outputs(&mut phone), [Output::HangUp { call: 7 }]);
        assert_eq!(phone.last(), Some("You hung up after 1:05."));
        assert_eq!(*phone.state(), State::Idle);
    }

    #[test]
    fn a_second_call_meets_a_busy_phone_and_leaves_the_first_alone() {
        let clock = TestClock::at(UtcMs(0));
        let mut phone = called(&clock);
        phone.handle(clock.instant(), Input::Called { call: 8, from: None });
        assert_eq!(outputs(&mut phone), [Output::Refuse { call: 8, status: 486 }]);
        phone.handle(clock.instant(), Input::Gone { call: 8 });
        assert_eq!(phone.call(), Some(7));
    }

    #[test]
    fn voicemail_answers_after_fifteen_seconds_greets_and_hangs_up_after_a_minute() {
        let clock = TestClock::at(UtcMs(0));
        let mut phone = Phone::default();
        phone.handle(clock.instant(), Input::SetMode(Mode::Voicemail));
        phone.handle(clock.instant(), Input::Called { call: 7, from: number() });
        outputs(&mut phone);
        clock.advance(Duration::from_secs(14));
        phone.handle_timeout(clock.instant());
        assert_eq!(outputs(&mut phone), []);
        clock.advance(Duration::from_secs(1));
        phone.handle_timeout(clock.instant());
        assert_eq!(outputs(&mut phone), [Output::Answer { call: 7 }, Output::Greet { call: 7 }]);
        clock.advance(VOICEMAIL_LENGTH);
        assert_eq!(phone.poll_timeout().map(|t| t.1), Some(Reason::VoicemailFull));
        phone.handle_timeout(clock.instant());
        assert_eq!(outputs(&mut phone), [Output::HangUp { call: 7 }]);
        assert_eq!(phone.last(), Some("Voicemail took 1:00."));
    }

    #[test]
    fn declining_busy_and_off_each_refuse_in_their_own_way() {
        let clock = TestClock::at(UtcMs(0));
        let mut declined = called(&clock);
        declined.handle(clock.instant(), Input::Decline);
        assert_eq!(outputs(&mut declined), [Output::Refuse { call: 7, status: 603 }]);
        for (mode, status) in [(Mode::Busy, 486), (Mode::Off, 480)] {
            let mut ringing = called(&clock);
            ringing.handle(clock.instant(), Input::SetMode(mode));
            assert_eq!(outputs(&mut ringing), [Output::Refuse { call: 7, status }]);
            ringing.handle(clock.instant(), Input::Called { call: 9, from: None });
            assert_eq!(outputs(&mut ringing), [Output::Refuse { call: 9, status }]);
        }
    }

    #[test]
    fn a_call_nobody_takes_is_missed_or_ends_at_the_limit() {
        let clock = TestClock::at(UtcMs(0));
        let mut missed = called(&clock);
        clock.advance(Duration::from_secs(30));
        missed.handle(clock.instant(), Input::Gone { call: 7 });
        assert_eq!(missed.last(), Some("Missed: it rang for 0:30."));
        let mut endless = called(&clock);
        clock.advance(RING_LIMIT);
        endless.handle_timeout(clock.instant());
        assert_eq!(outputs(&mut endless), [Output::Refuse { call: 7, status: 480 }]);
    }

    #[test]
    fn a_dialling_phone_is_connected_or_told_why_not() {
        let clock = TestClock::at(UtcMs(0));
        let mut phone = Phone::default();
        let dial = Input::Dial { call: 1, to: "+12025550102".to_owned() };
        phone.handle(clock.instant(), dial.clone());
        assert_eq!(outputs(&mut phone), [Output::Dial { call: 1, to: "+12025550102".to_owned() }]);
        phone.handle(clock.instant(), Input::Alerted { call: 1 });
        assert!(matches!(phone.state(), State::Dialling { alerted: true, .. }));
        phone.handle(clock.instant(), Input::Connected { call: 1 });
        assert!(matches!(phone.state(), State::Talking { machine: false, .. }));
        phone.handle(clock.instant(), Input::Gone { call: 1 });
        phone.handle(clock.instant(), dial);
        phone.handle(clock.instant(), Input::Failed { call: 1, status: 404 });
        assert_eq!(phone.last(), Some("That number is not in service."));
    }

    #[test]
    fn a_reply_goes_to_whoever_texted_last() {
        let text = |with: &str, mine| Text {
            at: UtcMs(1),
            with: PhoneNumber::parse(with).expect("a number"),
            body: "1ok".to_owned(),
            mine,
            failed: false,
        };
        let mut phone = Phone::default();
        assert_eq!(phone.reply_to(), None);
        phone.keep_text(text("+12025550102", false));
        phone.keep_text(text("+12025550199", true));
        assert_eq!(phone.reply_to().map(PhoneNumber::as_e164), Some("+12025550102"));
        phone.mark_reply_failed(UtcMs(1));
        assert!(phone.texts().iter().any(|t| t.mine && t.failed));
        for _ in 0..200 {
            phone.keep_text(text("+12025550102", false));
        }
        assert_eq!(phone.texts().len(), TEXTS_KEPT);
    }
}
