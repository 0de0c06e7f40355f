//! A check-in by telephone: a client's person says by PIN who they are, hears the messages that are held, and says of each
//! whether it is delivered. Pure.
//!
//! [`CheckIn`] is the machine, driven by `domain/call` as a menu is; what it cannot know (whose PIN it is, what is held) it
//! asks for and is told. `messages` is the part in which they are read, [`on_call`] the one that puts somebody else on call,
//! [`status_greeting`] the one that puts up words for callers, [`words`] what is said. What always holds: it comes to exactly
//! one end, whatever keys come; a message is marked only by a key after it was heard to its end, as it is now, so who hangs
//! up, waits too long, hears a tone in place of words or words of before a change leaves it held; and who wants a person gets
//! one.

mod messages;
pub mod on_call;
pub mod pin;
pub mod status_greeting;
mod words;

#[cfg(test)]
mod random_test;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::base::id::{ContactId, DispatchId, ScheduleId, UserId};
use crate::domain::account::Speech;
use crate::domain::dictation::Dictation;
use on_call::{Choosing, Duty, Span};
use pin::{DIGITS, Pin};
use status_greeting::StatusNow;

/// How long a key is waited for, after the words or the key before.
const KEY_LIMIT: Duration = Duration::from_secs(8);
/// The longest words whose end we were never told.
const PLAY_LIMIT: Duration = Duration::from_secs(600);
/// Whoever is asked answers sooner than this.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// How often somebody is asked the same thing in vain.
const ASKED: u8 = 2;
/// Wrong PINs in one call.
const WRONG_PINS: u8 = 3;
/// The longest that anybody stays.
const MAX_STAY: Duration = Duration::from_secs(60 * 60);

/// What a check-in is told.
#[derive(Clone, Debug)]
pub enum Input {
    Digit(char),
    /// What it had played last was heard to its end.
    PlayDone,
    /// What plays is a tone, as the words could not be spoken.
    Unspoken,
    /// Whose PIN it is.
    Looked(Looked),
    /// That a message is read is on record, or could not be put there.
    ReadNoted(bool),
    /// What became of what was to be marked as read.
    Marked(Marked),
    /// Who was to be put on call is, or could not be.
    PutOnCall(bool),
    /// What was taken down is there; false: nothing was said.
    Dictated(bool),
    /// The status greeting is put up, and this is it; none: it could not be.
    GreetingUp(Option<StatusNow>),
    /// It is taken down, or could not be.
    GreetingDown(bool),
    /// The time of [`CheckIn::poll_timeout`] has come.
    Tick,
}

/// What became of a PIN.
#[derive(Clone, Debug)]
pub enum Looked {
    /// Nobody's, or too many were tried: which of the two is not told.
    Refused,
    Welcome(Box<Welcome>),
    /// It could not be looked up.
    Failed,
}

/// What became of a message that was to be marked as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    Noted,
    /// It was changed after these words were asked for: as it is now.
    Changed(Box<Held>),
    /// It could not be noted.
    Failed,
}

/// What is there for whoever has checked in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Welcome {
    /// Whose PIN it is; none for one that all of the client's people share.
    pub contact: Option<ContactId>,
    /// The operator by whose word they are let in, in place of a PIN.
    pub vouched_by: Option<UserId>,
    /// What they are called, for the record.
    pub who: String,
    pub held: Vec<Held>,
    /// What they may put others on call for.
    pub duties: Vec<Duty>,
    /// What callers hear before the greeting now.
    pub status: Option<StatusNow>,
    /// Until when "tomorrow morning" is, as it is said.
    pub morning: String,
}

/// A message to be heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub dispatch: DispatchId,
    /// Which edition of the message the words are.
    pub edition: u32,
    /// All of it, written for a voice.
    pub words: String,
}

/// What a check-in wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Play(Speech),
    /// Stop what plays.
    StopPlay,
    /// Whose PIN is it? Answered by [`Input::Looked`].
    Look {
        pin: Pin,
    },
    /// What is held? Somebody vouches that it is them. Answered by [`Input::Looked`].
    Vouched {
        contact: ContactId,
    },
    /// This one is to be read to whoever checked in, as far as they listen. Said until it is on record, and once for each that
    /// is. Answered by [`Input::ReadNoted`].
    Read {
        dispatch: DispatchId,
    },
    /// This one was heard to its end, in this edition, and is delivered. Answered by [`Input::Marked`].
    Mark {
        dispatch: DispatchId,
        edition: u32,
    },
    /// Answered by [`Input::PutOnCall`].
    PutOnCall {
        schedule: ScheduleId,
        contact: ContactId,
        span: Span,
    },
    /// Take down what is said, or no more: then answered by [`Input::Dictated`].
    Dictate(bool),
    /// Play what was taken down.
    PlayDictated,
    /// Callers hear it before the greeting from now on. Answered by [`Input::GreetingUp`].
    PutUpGreeting {
        until_morning: bool,
    },
    /// They no longer do. Answered by [`Input::GreetingDown`].
    TakeDownGreeting,
    /// Out of the check-in. Exactly once, the last.
    Leave(Leave),
}

/// Where whoever checked in goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// They are done, or nothing more comes of it: the call ends.
    Ended,
    /// To an operator.
    Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// The PIN is asked for.
    Pin {
        keys: String,
    },
    Looking,
    /// That the message at [`CheckIn::at`] is read is being put on record, before its words are said.
    Noting {
        text: String,
    },
    /// The message at [`CheckIn::at`] is being read.
    Content,
    /// It was read; what becomes of it?
    Deciding,
    Marking,
    /// All the rest there is to do.
    Menu,
    OnCall(Choosing),
    PuttingOnCall,
    /// There is a status greeting: what becomes of it?
    Status,
    TakingDown,
    /// [`CheckIn::dictation`] says how far.
    Dictating,
    /// Words that nobody answers, and what comes then.
    Saying(Then),
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    AskPin,
    Menu,
    Leave(Leave),
}

/// Somebody who checks in.
#[derive(Debug)]
pub struct CheckIn {
    now: Instant,
    state: State,
    /// When what is waited for no longer is: the end of words, a key, an answer.
    until: Instant,
    leave_at: Instant,
    playing: bool,
    /// What plays is a tone in place of words.
    unspoken: bool,
    wrong_pins: u8,
    /// How often it was asked in vain.
    asked: u8,
    welcome: Welcome,
    dictation: Option<Dictation>,
    /// Of each message, whether it is on record that it was read, whether it was heard to its end, and whether it is marked.
    read: Vec<bool>,
    heard: Vec<bool>,
    marked: Vec<bool>,
    at: usize,
    outputs: VecDeque<Output>,
}

impl CheckIn {
    /// Begins by asking for the PIN.
    pub fn new(now: Instant) -> Self {
        let mut check_in = Self::blank(now);
        check_in.ask(State::Pin { keys: String::new() }, words::ASK_PIN.to_owned());
        check_in
    }

    /// Of somebody who is known: no PIN is asked for.
    pub fn vouched(now: Instant, contact: ContactId) -> Self {
        let mut check_in = Self::blank(now);
        check_in.wait(State::Looking);
        check_in.outputs.push_back(Output::Vouched { contact });
        check_in
    }

    fn blank(now: Instant) -> Self {
        Self {
            now,
            state: State::Out,
            until: now,
            leave_at: now + MAX_STAY,
            playing: false,
            unspoken: false,
            wrong_pins: 0,
            asked: 0,
            welcome: Welcome::default(),
            dictation: None,
            read: Vec::new(),
            heard: Vec::new(),
            marked: Vec::new(),
            at: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, input: Input) {
        self.now = now;
        match input {
            // To an operator, as from anywhere else.
            Input::Digit('0') if self.state == State::Dictating => self.leave(Leave::Operator),
            Input::Digit(_) | Input::PlayDone | Input::Tick if self.state == State::Dictating => self.dictate(input),
            Input::Dictated(_) | Input::GreetingUp(_) => self.dictate(input),
            Input::GreetingDown(done) => self.on_greeting_down(done),
            Input::Digit(key) => self.on_key(key),
            Input::PlayDone => self.on_play_done(),
            Input::Unspoken => self.unspoken = self.playing,
            Input::Looked(looked) => self.on_looked(looked),
            Input::ReadNoted(noted) => self.on_read_noted(noted),
            Input::Marked(marked) => self.on_marked(marked),
            Input::PutOnCall(done) => self.on_put_on_call(done),
            Input::Tick => self.on_tick(),
        }
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let until = self.dictation.as_ref().and_then(Dictation::poll_timeout).unwrap_or(self.until);
        (self.state != State::Out).then(|| until.min(self.leave_at))
    }

    /// What every check-in says, to be made ready ahead of time.
    pub fn speeches() -> impl Iterator<Item = Speech> {
        words::FIXED.into_iter().map(|text| spoken(text.to_owned()))
    }

    /// One of [`CheckIn::speeches`]: holds nothing of anybody.
    pub fn is_fixed(speech: &Speech) -> bool {
        matches!(speech, Speech::Spoken { text } if words::FIXED.contains(&text.as_str()))
    }

    fn on_key(&mut self, key: char) {
        match self.state.clone() {
            State::Pin { keys } => self.on_pin_key(key, keys),
            State::Content | State::Deciding => self.on_message_key(key),
            State::Menu => self.on_menu_key(key),
            State::OnCall(choosing) => self.on_duty_key(key, choosing),
            State::Status => self.on_status_key(key),
            // Whoever knows better need not hear it out.
            State::Saying(_) if key == '0' => self.leave(Leave::Operator),
            State::Looking
            | State::Noting { .. }
            | State::Marking
            | State::PuttingOnCall
            | State::TakingDown
            | State::Dictating
            | State::Saying(_)
            | State::Out => {}
        }
    }

    fn on_pin_key(&mut self, key: char, mut keys: String) {
        match key {
            '#' if keys == "0" => return self.leave(Leave::Operator),
            '#' if !keys.is_empty() => return self.look(keys),
            '*' if keys.is_empty() => return self.goodbye(),
            '*' => keys.clear(),
            '0'..='9' if keys.len() < *DIGITS.end() => keys.push(key),
            _ => {}
        }
        self.stop_play();
        self.wait_for_key(State::Pin { keys });
    }

    fn look(&mut self, keys: String) {
        self.stop_play();
        self.wait(State::Looking);
        self.outputs.push_back(Output::Look { pin: Pin::pressed(keys) });
    }

    fn on_looked(&mut self, looked: Looked) {
        if self.state != State::Looking {
            return;
        }
        match looked {
            Looked::Welcome(welcome) => {
                self.heard = vec![false; welcome.held.len()];
                self.marked = self.heard.clone();
                self.read = self.heard.clone();
                self.welcome = *welcome;
                match self.welcome.held.len() {
                    0 => self.menu(words::NOTHING_NEW.to_owned()),
                    count => self.read(0, &words::how_many(count)),
                }
            }
            Looked::Refused => {
                self.wrong_pins += 1;
                if self.wrong_pins >= WRONG_PINS {
                    self.say(words::REFUSED, Then::Leave(Leave::Ended));
                } else {
                    self.say(words::WRONG_PIN, Then::AskPin);
                }
            }
            Looked::Failed => self.say(words::SORRY_OPERATOR, Then::Leave(Leave::Operator)),
        }
    }

    fn menu(&mut self, first: String) {
        self.asked = 0;
        self.ask_menu(&first);
    }

    fn ask_menu(&mut self, first: &str) {
        let text = words::menu(first, self.kept(), !self.welcome.duties.is_empty());
        self.ask(State::Menu, text);
    }

    fn on_menu_key(&mut self, key: char) {
        match key {
            '1' if self.kept() > 0 => {
                let first = self.marked.iter().position(|marked| !marked).unwrap_or(0);
                self.read(first, "");
            }
            '4' if !self.welcome.duties.is_empty() => self.choose_duty(),
            '5' => self.change_status(),
            '0' => self.leave(Leave::Operator),
            '*' => self.goodbye(),
            _ => {}
        }
    }

    fn on_play_done(&mut self) {
        if !std::mem::take(&mut self.playing) {
            return;
        }
        if std::mem::take(&mut self.unspoken) && !matches!(self.state, State::Saying(Then::Leave(_))) {
            // There is no voice: somebody who has one is needed.
            return self.leave(Leave::Operator);
        }
        match self.state.clone() {
            State::Content => {
                if let Some(heard) = self.heard.get_mut(self.at) {
                    *heard = true;
                }
                self.decide();
            }
            State::Saying(then) => self.go(then),
            State::Pin { .. } | State::Deciding | State::Menu | State::OnCall(_) | State::Status => {
                self.until = self.now + KEY_LIMIT;
            }
            State::Looking
            | State::Noting { .. }
            | State::Marking
            | State::PuttingOnCall
            | State::TakingDown
            | State::Dictating
            | State::Out => {}
        }
    }

    fn go(&mut self, then: Then) {
        match then {
            Then::AskPin => self.ask(State::Pin { keys: String::new() }, words::ASK_PIN.to_owned()),
            Then::Menu => self.menu(String::new()),
            Then::Leave(leave) => self.leave(leave),
        }
    }

    fn on_tick(&mut self) {
        if self.state == State::Out {
            return;
        }
        if self.leave_at <= self.now {
            return self.leave(Leave::Ended);
        }
        if self.until > self.now {
            return;
        }
        let played = self.playing;
        self.stop_play();
        match self.state.clone() {
            // The end of its words was not told: it was not heard.
            State::Content => self.decide(),
            State::Saying(then) => self.go(then),
            State::Looking => self.on_looked(Looked::Failed),
            State::Noting { .. } => self.on_read_noted(false),
            State::Marking => self.on_marked(Marked::Failed),
            State::PuttingOnCall => self.on_put_on_call(false),
            State::TakingDown => self.on_greeting_down(false),
            _ if played => self.until = self.now + KEY_LIMIT,
            // Many wait for what comes next after the last digit.
            State::Pin { keys } if keys == "0" => self.leave(Leave::Operator),
            State::Pin { keys } if !keys.is_empty() => self.look(keys),
            State::OnCall(Choosing::Hours { duty, person, keys }) if !keys.is_empty() => {
                self.hours_entered(duty, person, &keys);
            }
            state => self.ask_again(state),
        }
    }

    /// Nothing came: once more, or goodbye.
    fn ask_again(&mut self, state: State) {
        self.asked += 1;
        if self.asked > ASKED {
            return self.goodbye();
        }
        match state {
            State::Pin { .. } => self.ask(state, words::ASK_PIN.to_owned()),
            State::Deciding => self.ask(state, words::KEYS.to_owned()),
            State::OnCall(choosing) => self.ask_duty(choosing),
            State::Status => self.ask_status(),
            _ => self.ask_menu(""),
        }
    }

    fn goodbye(&mut self) {
        let kept = self.kept();
        self.say(&words::goodbye(kept), Then::Leave(Leave::Ended));
    }

    fn leave(&mut self, leave: Leave) {
        self.stop_play();
        self.stop_dictating();
        self.state = State::Out;
        self.outputs.push_back(Output::Leave(leave));
    }

    /// Words that ask for a key.
    fn ask(&mut self, state: State, text: String) {
        self.ask_with(state, spoken(text));
    }

    fn ask_with(&mut self, state: State, speech: Speech) {
        self.stop_play();
        self.state = state;
        self.until = self.now + PLAY_LIMIT;
        self.play(speech);
    }

    fn say(&mut self, text: &str, then: Then) {
        self.ask(State::Saying(then), text.to_owned());
    }

    fn wait_for_key(&mut self, state: State) {
        self.state = state;
        self.until = self.now + KEY_LIMIT;
    }

    fn wait(&mut self, state: State) {
        self.state = state;
        self.until = self.now + ANSWER_LIMIT;
    }

    fn play(&mut self, speech: Speech) {
        self.playing = true;
        self.unspoken = false;
        self.outputs.push_back(Output::Play(speech));
    }

    fn stop_play(&mut self) {
        if std::mem::take(&mut self.playing) {
            self.unspoken = false;
            self.outputs.push_back(Output::StopPlay);
        }
    }
}

const fn spoken(text: String) -> Speech {
    Speech::Spoken { text }
}
