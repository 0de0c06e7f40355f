//! Words that somebody speaks into a telephone to be kept: a greeting. Pure.
//!
//! They are told what to do, speak after a tone, press `#`, hear it back, and keep it or speak again. Driven by a check-in
//! (`domain/checkin`) or by `engine/calls/dictate`, which take down what is said. What always holds: it comes to exactly
//! one end; nothing is kept but by a key after it was begun to be heard back, so who hangs up keeps nothing; where nothing
//! was said, that is told.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::domain::account::Speech;

/// The longest that is taken down.
pub const MAX_WORDS: Duration = Duration::from_secs(120);
/// How long a key is waited for after the words before.
const KEY_LIMIT: Duration = Duration::from_secs(10);
/// The longest words of ours, or theirs, whose end we were never told.
const PLAY_LIMIT: Duration = Duration::from_secs(180);
/// Whoever is asked answers sooner than this.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How often somebody is asked the same thing in vain, or says nothing.
const ASKED: u8 = 2;
/// The longest that anybody stays.
const MAX_STAY: Duration = Duration::from_secs(20 * 60);

/// What is dictated, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// "Please say the greeting after the tone."
    pub ask: String,
    /// What 1 does: "To keep it".
    pub keep: String,
    /// It may be kept for a time only: until when, as it is said.
    pub for_a_time: Option<String>,
    /// Once it is kept: "It is kept."
    pub kept: String,
}

/// What a dictation is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    Digit(char),
    /// What it had played last was heard to its end.
    PlayDone,
    /// What was taken down is there, or nothing was said.
    Taken {
        spoken: bool,
    },
    /// It is kept, or could not be.
    Kept(bool),
    /// The time of [`Dictation::poll_timeout`] has come.
    Tick,
}

/// What it wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Play(Speech),
    StopPlay,
    /// Take down what is said from now on.
    Begin,
    /// No more. Answered by [`Input::Taken`].
    End,
    /// Play what was taken down.
    PlayBack,
    /// Answered by [`Input::Kept`].
    Keep {
        for_a_time: bool,
    },
    /// It is over. Exactly once, the last.
    Leave {
        kept: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// What is to be done is said.
    Asking,
    Tone,
    Speaking,
    /// What was said is being put together.
    Taking,
    /// "This is what callers will hear."
    Before,
    HearingBack,
    Choosing,
    Keeping {
        for_a_time: bool,
    },
    /// Last words.
    Saying {
        kept: bool,
    },
    Out,
}

/// Somebody who speaks words in.
#[derive(Debug)]
pub struct Dictation {
    script: Script,
    now: Instant,
    state: State,
    until: Instant,
    leave_at: Instant,
    playing: bool,
    asked: u8,
    outputs: VecDeque<Output>,
}

impl Dictation {
    /// Begins by saying what is to be done.
    pub fn new(now: Instant, script: Script) -> Self {
        let mut dictation = Self {
            script,
            now,
            state: State::Out,
            until: now,
            leave_at: now + MAX_STAY,
            playing: false,
            asked: 0,
            outputs: VecDeque::new(),
        };
        dictation.ask("");
        dictation
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, input: Input) {
        self.now = now;
        match input {
            Input::Digit(key) => self.on_key(key),
            Input::PlayDone => self.on_play_done(),
            Input::Taken { spoken } => self.on_taken(spoken),
            Input::Kept(kept) => self.on_kept(kept),
            Input::Tick => self.on_tick(),
        }
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        (self.state != State::Out).then(|| self.until.min(self.leave_at))
    }

    /// Somebody speaks, and is taken down.
    pub fn is_speaking(&self) -> bool {
        self.state == State::Speaking
    }

    /// What was said is heard back, or is to be judged.
    pub fn is_choosing(&self) -> bool {
        matches!(self.state, State::Before | State::HearingBack | State::Choosing)
    }

    fn ask(&mut self, first: &str) {
        let ask = &self.script.ask;
        let text = format!("{first} {ask} Press the pound key when you are done.");
        self.play(State::Asking, spoken(text.trim().to_owned()));
    }

    fn on_key(&mut self, key: char) {
        match (self.state, key) {
            // Who knows it need not hear it out.
            (State::Asking, '#') => self.sound_tone(),
            (State::Asking | State::Tone, '*') => self.give_up(),
            (State::Speaking, '#') => self.end_words(),
            (State::Speaking, '*') => {
                self.outputs.push_back(Output::End);
                self.give_up();
            }
            (State::HearingBack | State::Choosing, '1') => self.keep(false),
            (State::HearingBack | State::Choosing, '3') if self.script.for_a_time.is_some() => self.keep(true),
            (State::Before | State::HearingBack | State::Choosing, '2') => {
                self.asked = 0;
                self.ask("");
            }
            (State::Before | State::HearingBack | State::Choosing, '*') => self.give_up(),
            _ => {}
        }
    }

    fn on_play_done(&mut self) {
        if !std::mem::take(&mut self.playing) {
            return;
        }
        match self.state {
            State::Asking => self.sound_tone(),
            State::Tone => self.begin(),
            State::Before => self.play_back(),
            State::HearingBack => {
                self.asked = 0;
                self.choose();
            }
            State::Choosing => self.wait(State::Choosing, KEY_LIMIT),
            State::Saying { kept } => self.leave(kept),
            State::Speaking | State::Taking | State::Keeping { .. } | State::Out => {}
        }
    }

    fn sound_tone(&mut self) {
        self.play(State::Tone, Speech::Recorded { prompt: "beep".to_owned() });
    }

    fn begin(&mut self) {
        self.stop_play();
        self.outputs.push_back(Output::Begin);
        self.wait(State::Speaking, MAX_WORDS);
    }

    fn play_back(&mut self) {
        self.stop_play();
        self.playing = true;
        self.outputs.push_back(Output::PlayBack);
        self.wait(State::HearingBack, PLAY_LIMIT);
    }

    fn end_words(&mut self) {
        self.outputs.push_back(Output::End);
        self.wait(State::Taking, ANSWER_LIMIT);
    }

    fn on_taken(&mut self, heard: bool) {
        if self.state != State::Taking {
            return;
        }
        if heard {
            self.asked = 0;
            return self.play(State::Before, spoken("This is what callers will hear.".to_owned()));
        }
        self.asked += 1;
        if self.asked > ASKED {
            let text = "We still heard nothing, and nothing is kept. Please see to your microphone.";
            return self.say(text, false);
        }
        self.ask("We heard nothing.");
    }

    fn choose(&mut self) {
        let Script { keep, for_a_time, .. } = &self.script;
        let time = for_a_time.as_ref().map(|until| format!(" To keep it until {until}, press 3."));
        let text = format!(
            "{keep}, press 1.{} To speak again, press 2. To keep nothing, press the star key.",
            time.unwrap_or_default()
        );
        self.play(State::Choosing, spoken(text));
    }

    fn keep(&mut self, for_a_time: bool) {
        self.stop_play();
        self.outputs.push_back(Output::Keep { for_a_time });
        self.wait(State::Keeping { for_a_time }, ANSWER_LIMIT);
    }

    fn on_kept(&mut self, kept: bool) {
        let State::Keeping { for_a_time } = self.state else { return };
        let text = match &self.script.for_a_time {
            _ if !kept => "We are sorry, that could not be kept.".to_owned(),
            Some(until) if for_a_time => {
                format!("{} It counts until {}.", self.script.kept, until.trim_end_matches('.'))
            }
            _ => self.script.kept.clone(),
        };
        self.say(&text, kept);
    }

    fn on_tick(&mut self) {
        if self.state == State::Out {
            return;
        }
        if self.leave_at <= self.now {
            return self.leave(matches!(self.state, State::Saying { kept: true }));
        }
        if self.until > self.now {
            return;
        }
        match self.state {
            State::Asking => self.sound_tone(),
            State::Tone => self.begin(),
            State::Before => self.play_back(),
            State::Speaking => self.end_words(),
            State::Taking => self.on_taken(false),
            State::HearingBack => {
                self.stop_play();
                self.choose();
            }
            State::Choosing if self.playing => {
                self.stop_play();
                self.wait(State::Choosing, KEY_LIMIT);
            }
            State::Choosing => {
                self.asked += 1;
                if self.asked > ASKED { self.give_up() } else { self.choose() }
            }
            State::Keeping { .. } => self.on_kept(false),
            State::Saying { kept } => self.leave(kept),
            State::Out => {}
        }
    }

    fn give_up(&mut self) {
        self.say("Nothing is kept.", false);
    }

    fn say(&mut self, text: &str, kept: bool) {
        self.play(State::Saying { kept }, spoken(text.to_owned()));
    }

    fn leave(&mut self, kept: bool) {
        self.stop_play();
        if self.state == State::Speaking {
            // What was begun is ended; nobody waits for it.
            self.outputs.push_back(Output::End);
        }
        self.state = State::Out;
        self.outputs.push_back(Output::Leave { kept });
    }

    fn play(&mut self, state: State, speech: Speech) {
        self.stop_play();
        self.playing = true;
        self.outputs.push_back(Output::Play(speech));
        self.wait(state, PLAY_LIMIT);
    }

    fn stop_play(&mut self) {
        if std::mem::take(&mut self.playing) {
            self.outputs.push_back(Output::StopPlay);
        }
    }

    fn wait(&mut self, state: State, limit: Duration) {
        self.state = state;
        self.until = self.now + limit;
    }
}

const fn spoken(text: String) -> Speech {
    Speech::Spoken { text }
}
