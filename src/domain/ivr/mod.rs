//! A menu (IVR): one caller's way through it, key by key. Pure.
//!
//! [`Ivr`] is the machine, [`digits`] its part that takes numbers, [`menu`] what it goes through, [`validate`] the check of that. It plays one thing at a time and
//! is told when that is over. What always holds: it comes to exactly one exit, whatever the caller does and whatever the
//! menu is like; who does not find through, or goes round too often, leaves by the menu's `otherwise`.

pub mod digits;
pub mod menu;
pub mod validate;

#[cfg(test)]
pub(crate) mod digits_tests;
#[cfg(test)]
mod random_test;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::domain::account::Speech;
use crate::domain::account::flow::Flow;
use digits::Entered;
use menu::{Choice, Context, Gather, Menu, Step};

/// How long the next key of a longer choice may take.
const BETWEEN_KEYS: Duration = Duration::from_secs(3);
/// The longest words whose end we were never told.
const PLAY_LIMIT: Duration = Duration::from_secs(180);
/// Nodes that a caller may come through, rounds by keys included.
const MAX_STEPS: u32 = 100;
/// The longest that anybody stays in a menu.
const MAX_STAY: Duration = Duration::from_secs(15 * 60);

/// What a menu is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    Digit(char),
    /// What it had played last was heard to its end.
    PlayDone,
    /// What it wanted played could not be spoken.
    Unspoken,
    /// The time of [`Ivr::poll_timeout`] has come.
    Tick,
}

/// What a menu wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Play(Speech),
    /// The same, of words for this caller alone.
    PlayOnce(Speech),
    /// Stop what plays.
    StopPlay,
    /// The caller has chosen.
    Chose(Choice),
    /// Or entered a number.
    Entered(Entered),
    /// Keys that are no choice, or none in time.
    Missed {
        silent: bool,
    },
    /// Out of the menu. Exactly once, the last.
    Exit(Flow),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Words play, and then it goes on to the node of this name.
    Playing {
        next: String,
        barge_in: bool,
        until: Instant,
    },
    /// It asks. `heard`: the words are over. `until`: of the words, or of the wait for keys.
    Asking {
        heard: bool,
        tries: u32,
        keys: String,
        until: Instant,
    },
    /// It asks for a number; the same.
    Entering {
        heard: bool,
        tries: u32,
        keys: String,
        until: Instant,
    },
    /// The number is said back, for the `said`th time.
    Checking {
        heard: bool,
        tries: u32,
        keys: String,
        said: u32,
        until: Instant,
    },
    /// Words before it asks again.
    Correcting {
        tries: u32,
        until: Instant,
    },
    Out,
}

/// A caller in a menu.
#[derive(Debug)]
pub struct Ivr {
    menu: Menu,
    context: Context,
    now: Instant,
    leave_at: Instant,
    /// The node it is at.
    at: String,
    /// The nodes it has come through, this one too.
    trail: Vec<String>,
    steps: u32,
    state: State,
    /// Something plays.
    playing: bool,
    /// A number was over with its last digit: the `#` that many press then means nothing.
    hash_comes_late: bool,
    outputs: VecDeque<Output>,
}

impl Ivr {
    /// Begins at the menu's start.
    pub fn new(now: Instant, menu: Menu, context: Context) -> Self {
        let mut ivr = Self {
            at: menu.start.clone(),
            trail: Vec::new(),
            menu,
            context,
            now,
            leave_at: now + MAX_STAY,
            steps: 0,
            state: State::Out,
            playing: false,
            hash_comes_late: false,
            outputs: VecDeque::new(),
        };
        ivr.enter(ivr.at.clone());
        ivr
    }

    /// The menu's name.
    pub fn name(&self) -> &str {
        &self.menu.name
    }

    /// The nodes that the caller has come through, in order, the last one being where they are.
    pub fn trail(&self) -> &[String] {
        &self.trail
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, input: Input) {
        self.now = now;
        if self.state == State::Out {
            return;
        }
        self.playing &= input != Input::PlayDone;
        if now >= self.leave_at {
            return self.leave();
        }
        match input {
            Input::Digit(key) => self.on_digit(key),
            Input::PlayDone => self.on_play_done(),
            Input::Unspoken => self.on_unspoken(),
            Input::Tick => self.on_tick(),
        }
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let until = match &self.state {
            State::Playing { until, .. }
            | State::Asking { until, .. }
            | State::Entering { until, .. }
            | State::Checking { until, .. }
            | State::Correcting { until, .. } => *until,
            State::Out => return None,
        };
        Some(until.min(self.leave_at))
    }

    /// A key that is pressed now counts.
    pub fn takes_keys(&self) -> bool {
        match &self.state {
            State::Playing { barge_in, .. } => *barge_in,
            State::Asking { heard, .. } | State::Entering { heard, .. } | State::Checking { heard, .. } => {
                *heard || self.barges_in()
            }
            State::Correcting { .. } => self.barges_in(),
            State::Out => false,
        }
    }

    fn gather(&self) -> Option<&Gather> {
        match self.menu.find(&self.at).map(|node| &node.step) {
            Some(Step::Gather(gather)) => Some(gather),
            _ => None,
        }
    }

    /// How the node asks for keys, if it does.
    fn asks(&self) -> Option<Asks<'_>> {
        let asks = |timeout: u32, retries, barge_in| (Duration::from_secs(timeout.into()), retries, barge_in);
        let ((timeout, retries, barge_in), speech, invalid, silent, gave_up) =
            match self.menu.find(&self.at).map(|node| &node.step)? {
                Step::Gather(g) => {
                    (asks(g.timeout_secs, g.retries, g.barge_in), &g.speech, &g.invalid, &g.silent, &g.gave_up)
                }
                Step::Digits(d) => {
                    (asks(d.timeout_secs, d.retries, d.barge_in), &d.speech, &d.invalid, &d.silent, &d.gave_up)
                }
                Step::Play { .. } | Step::Branch { .. } | Step::Exit { .. } => return None,
            };
        Some(Asks { speech, timeout, retries, barge_in, invalid: invalid.as_ref(), silent: silent.as_ref(), gave_up })
    }

    fn barges_in(&self) -> bool {
        self.asks().is_some_and(|asks| asks.barge_in)
    }

    /// Goes to a node, and on through all that takes no time.
    fn enter(&mut self, mut id: String) {
        loop {
            self.steps += 1;
            let node = self.menu.find(&id).filter(|_| self.steps <= MAX_STEPS);
            let Some(step) = node.map(|node| node.step.clone()) else { return self.leave() };
            self.trail.push(id.clone());
            self.at = id;
            match step {
                Step::Play { speech, next, barge_in } => {
                    self.play(speech);
                    self.state = State::Playing { next, barge_in, until: self.now + PLAY_LIMIT };
                    return;
                }
                Step::Gather(_) | Step::Digits(_) => return self.ask(0),
                Step::Branch { on, then, otherwise } => id = if on.holds(&self.context) { then } else { otherwise },
                Step::Exit { flow } => return self.exit(flow),
            }
        }
    }

    fn exit(&mut self, flow: Flow) {
        self.state = State::Out;
        self.outputs.push_back(Output::Exit(flow));
    }

    /// By the way for those who do not find through.
    fn leave(&mut self) {
        self.stop_play();
        self.exit(self.menu.otherwise.clone());
    }

    fn ask(&mut self, tries: u32) {
        let Some(speech) = self.asks().map(|asks| asks.speech.clone()) else { return self.leave() };
        self.play(speech);
        let (heard, keys, until) = (false, String::new(), self.now + PLAY_LIMIT);
        self.state = match self.gather() {
            Some(_) => State::Asking { heard, tries, keys, until },
            None => State::Entering { heard, tries, keys, until },
        };
    }

    fn play(&mut self, speech: Speech) {
        self.playing = true;
        self.outputs.push_back(Output::Play(speech));
    }

    fn stop_play(&mut self) {
        if std::mem::take(&mut self.playing) {
            self.outputs.push_back(Output::StopPlay);
        }
    }

    fn on_digit(&mut self, key: char) {
        if std::mem::take(&mut self.hash_comes_late) && key == '#' {
            return;
        }
        let waits = self.barges_in();
        match self.state.clone() {
            State::Playing { barge_in: true, next, .. } => {
                self.stop_play();
                self.enter(next);
            }
            // Whoever knows better already need not hear what was wrong.
            State::Correcting { tries, .. } if waits => {
                self.stop_play();
                match self.gather() {
                    Some(_) => self.take_key(key, tries, String::new()),
                    None => self.take_digit(key, tries, String::new()),
                }
            }
            State::Asking { heard, tries, keys, .. } if waits || heard => {
                self.stop_play();
                self.take_key(key, tries, keys);
            }
            State::Entering { heard, tries, keys, .. } if waits || heard => {
                self.stop_play();
                self.take_digit(key, tries, keys);
            }
            State::Checking { heard, tries, keys, said, .. } if waits || heard => {
                self.on_answer(key, tries, keys, said);
            }
            State::Playing { .. }
            | State::Correcting { .. }
            | State::Asking { .. }
            | State::Entering { .. }
            | State::Checking { .. }
            | State::Out => {}
        }
    }

    /// One more key: a choice, the beginning of one, or neither.
    fn take_key(&mut self, key: char, tries: u32, mut keys: String) {
        let ends = key == '#' && !keys.is_empty();
        if !ends {
            keys.push(key);
        }
        let Some(gather) = self.gather() else { return self.leave() };
        let longer = !ends && gather.choices.iter().any(|c| c.digits.len() > keys.len() && c.digits.starts_with(&keys));
        if longer {
            self.state = State::Asking { heard: true, tries, keys, until: self.now + BETWEEN_KEYS };
        } else {
            self.take_choice(tries, &keys);
        }
    }

    fn take_choice(&mut self, tries: u32, keys: &str) {
        let choice = self.gather().and_then(|gather| gather.choices.iter().find(|c| c.digits == keys)).cloned();
        match choice {
            Some(choice) => {
                let next = choice.next.clone();
                self.outputs.push_back(Output::Chose(choice));
                self.enter(next);
            }
            None => self.miss(tries, false),
        }
    }

    /// Nothing that could be followed: it is asked again, or given up.
    fn miss(&mut self, tries: u32, silent: bool) {
        self.outputs.push_back(Output::Missed { silent });
        let Some(asks) = self.asks() else { return self.leave() };
        if tries >= asks.retries {
            return match asks.gave_up.clone() {
                Some(next) => self.enter(next),
                None => self.exit(self.menu.otherwise.clone()),
            };
        }
        let words = if silent { asks.silent } else { asks.invalid };
        match words.cloned() {
            Some(words) => {
                self.play(words);
                self.state = State::Correcting { tries: tries + 1, until: self.now + PLAY_LIMIT };
            }
            None => self.ask(tries + 1),
        }
    }

    fn on_play_done(&mut self) {
        // Whoever has heard all that followed means the next question by it.
        self.hash_comes_late = false;
        match self.state.clone() {
            State::Playing { next, .. } => self.enter(next),
            State::Correcting { tries, .. } => self.ask(tries),
            State::Asking { heard: false, tries, keys, .. } => {
                let until = self.now + self.asks().map_or(Duration::ZERO, |asks| asks.timeout);
                self.state = State::Asking { heard: true, tries, keys, until };
            }
            State::Entering { .. } | State::Checking { .. } => self.on_digits_asked(),
            State::Asking { .. } | State::Out => {}
        }
    }

    fn on_tick(&mut self) {
        match self.state.clone() {
            State::Playing { until, .. }
            | State::Correcting { until, .. }
            | State::Asking { until, heard: false, .. }
            | State::Entering { until, heard: false, .. }
            | State::Checking { until, heard: false, .. }
                if until <= self.now =>
            {
                self.stop_play();
                self.on_play_done();
            }
            State::Asking { tries, keys, until, heard: true } if until <= self.now => {
                if keys.is_empty() {
                    self.miss(tries, true)
                } else {
                    self.take_choice(tries, &keys)
                }
            }
            State::Entering { tries, keys, until, .. } if until <= self.now => {
                if keys.is_empty() {
                    self.miss(tries, true)
                } else {
                    self.take_number(tries, keys)
                }
            }
            State::Checking { tries, keys, said, until, .. } if until <= self.now => self.say_again(tries, keys, said),
            State::Playing { .. }
            | State::Correcting { .. }
            | State::Asking { .. }
            | State::Entering { .. }
            | State::Checking { .. }
            | State::Out => {}
        }
    }
}

/// What all nodes have that ask for keys.
struct Asks<'a> {
    speech: &'a Speech,
    timeout: Duration,
    retries: u32,
    barge_in: bool,
    invalid: Option<&'a Speech>,
    silent: Option<&'a Speech>,
    gave_up: &'a Option<String>,
}
