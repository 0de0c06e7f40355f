//! A menu (IVR): one caller's way through it, key by key. Pure.
//!
//! [`Ivr`] is the machine, [`menu`] what it goes through, [`validate`] the check of that. It plays one thing at a time and
//! is told when that is over. What always holds: it comes to exactly one exit, whatever the caller does and whatever the
//! menu is like; who does not find through, or goes round too often, leaves by the menu's `otherwise`.

pub mod menu;
pub mod validate;

#[cfg(test)]
mod random_test;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::domain::account::Speech;
use crate::domain::account::flow::Flow;
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
    /// The time of [`Ivr::poll_timeout`] has come.
    Tick,
}

/// What a menu wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Play(Speech),
    /// Stop what plays.
    StopPlay,
    /// The caller has chosen.
    Chose(Choice),
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
            State::Playing { until, .. } | State::Asking { until, .. } | State::Correcting { until, .. } => *until,
            State::Out => return None,
        };
        Some(until.min(self.leave_at))
    }

    /// A key that is pressed now counts.
    pub fn takes_keys(&self) -> bool {
        match &self.state {
            State::Playing { barge_in, .. } => *barge_in,
            State::Asking { heard, .. } => *heard || self.gather().is_some_and(|gather| gather.barge_in),
            State::Correcting { .. } => self.gather().is_some_and(|gather| gather.barge_in),
            State::Out => false,
        }
    }

    fn gather(&self) -> Option<&Gather> {
        match self.menu.find(&self.at).map(|node| &node.step) {
            Some(Step::Gather(gather)) => Some(gather),
            _ => None,
        }
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
                Step::Gather(_) => return self.ask(0),
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
        let Some(gather) = self.gather() else { return self.leave() };
        self.play(gather.speech.clone());
        self.state = State::Asking { heard: false, tries, keys: String::new(), until: self.now + PLAY_LIMIT };
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
        let waits = self.gather().is_some_and(|gather| gather.barge_in);
        match self.state.clone() {
            State::Playing { barge_in: true, next, .. } => {
                self.stop_play();
                self.enter(next);
            }
            // Whoever knows better already need not hear what was wrong.
            State::Correcting { tries, .. } if waits => {
                self.stop_play();
                self.take_key(key, tries, String::new());
            }
            State::Asking { heard, tries, keys, .. } if waits || heard => {
                self.stop_play();
                self.take_key(key, tries, keys);
            }
            State::Playing { .. } | State::Correcting { .. } | State::Asking { .. } | State::Out => {}
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
        let Some(gather) = self.gather() else { return self.leave() };
        if tries >= gather.retries {
            return match gather.gave_up.clone() {
                Some(next) => self.enter(next),
                None => self.exit(self.menu.otherwise.clone()),
            };
        }
        let words = if silent { &gather.silent } else { &gather.invalid };
        match words.clone() {
            Some(words) => {
                self.play(words);
                self.state = State::Correcting { tries: tries + 1, until: self.now + PLAY_LIMIT };
            }
            None => self.ask(tries + 1),
        }
    }

    fn on_play_done(&mut self) {
        match self.state.clone() {
            State::Playing { next, .. } => self.enter(next),
            State::Correcting { tries, .. } => self.ask(tries),
            State::Asking { heard: false, tries, keys, .. } => {
                let wait = self.gather().map_or(0, |gather| gather.timeout_secs);
                let until = self.now + Duration::from_secs(wait.into());
                self.state = State::Asking { heard: true, tries, keys, until };
            }
            State::Asking { .. } | State::Out => {}
        }
    }

    fn on_tick(&mut self) {
        match self.state.clone() {
            State::Playing { until, .. }
            | State::Correcting { until, .. }
            | State::Asking { until, heard: false, .. }
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
            State::Playing { .. } | State::Correcting { .. } | State::Asking { .. } | State::Out => {}
        }
    }
}
