//! A call made by the machine that reads messages out (design §6, *Call-out by machine*).
//!
//! Says who calls; 1 hears the message, after a PIN where the account asks for one (`pin`); once that was heard to its end,
//! call-back number included, 1 confirms, 2 connects with the caller (`caller`) and 9 repeats; 1 and 2 count while it is repeated,
//! too. Further messages for the same telephone are read in the same call, one after the other, unless the first met with nothing
//! but silence, or nobody has taken any for a minute: such a call ends for all. Where nobody takes it,
//! what may be left is said once the far end is silent: behind a greeting and its beep, whole from the first word. Where there is
//! no message to hear (an alarm), the first 1 confirms. Does not know why it calls or what follows: `engine/calls` drives it for the
//! dispatcher and the alarm chain.
//!
//! What always holds: a 1 pressed before the message was heard through is never a confirmation; who hangs up in
//! mid-message was not told; nothing of the message is said where nobody pressed 1 or the PIN is missing, nor behind a beep; a
//! talk with the caller confirms nothing, and their leg is hung up with the call; a key heard while something else speaks counts only once another was pressed for it; [`OutboundEvent::Ended`] comes exactly once for each
//! message and the leg is hung up exactly once.

#[cfg(test)]
mod answers_tests;
mod caller;
#[cfg(test)]
mod caller_tests;
mod line;
mod pin;
#[cfg(test)]
mod pin_tests;
#[cfg(test)]
mod tests;
mod words;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::cause::Cause;
use super::leg::{Leg, LegInput, LegState};
use caller::{CallerLeg, Talk};
use line::Line;
use pin::Pins;
use words::{Back, Saying, speech};

pub use words::{
    AskPin, Heard, Hears, OutboundEnd, OutboundEvent, OutboundInput, OutboundOutput, OutboundSetup, PinLooked, Reading,
    speeches,
};

/// How often the introduction, and the question at the end, are said.
const TIMES: u32 = 3;
/// Once it was up for so long and nobody has pressed a key that counts, no further message is offered: its wait is to begin.
const ACCEPT_WITHIN: Duration = Duration::from_secs(60);
/// How often another key is asked for.
const CHECKS: u32 = 2;
/// How often the message is read at most.
const READINGS: u32 = 5;
/// Silence for a key after words.
const KEY_WAIT: Duration = Duration::from_secs(4);
/// Nothing said lasts longer than this.
const PROMPT_LIMIT: Duration = Duration::from_secs(180);
/// Behind a beep the recording has begun; many end it after 3 s of silence.
const AFTER_BEEP: Duration = Duration::from_millis(400);
/// A greeting pauses; when it has been silent for so long after that was told, it is over.
const AFTER_WORDS: Duration = Duration::from_millis(1_400);
/// The end of a greeting is waited for no longer than this.
const GREETING_LIMIT: Duration = Duration::from_secs(60);
/// Beeps that can be the one behind a greeting; a recording that beeps on and on is not waited for.
const BEEPS: u32 = 3;
/// A message that began by a key is broken off when something speaks over it for so long: a greeting that went on.
const SPOKEN_OVER: Duration = Duration::from_millis(2_500);
/// What is left is begun again when it is spoken over for so long, so often at most.
const LEFT_OVER: Duration = Duration::from_secs(1);
const LEAVES: u32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Ringing {
        until: Instant,
    },
    /// Words are being said (`play` of the outputs), or were just said and a key may follow.
    Saying {
        what: Saying,
        until: Instant,
    },
    /// Listens for the end of a greeting, to leave what is to be left.
    Listening {
        until: Instant,
    },
    /// A PIN is being looked up.
    Looking {
        until: Instant,
    },
    /// The caller is rung, or talked with.
    WithCaller {
        until: Instant,
    },
    Over,
}

/// How far a message has come.
#[derive(Debug)]
struct Entry {
    reading: Reading,
    /// It was read, or offered in vain.
    offered: bool,
    told: bool,
    confirmed: bool,
    left: bool,
    cancelled: bool,
    ended: bool,
}

impl Entry {
    const fn new(reading: Reading) -> Self {
        Self { reading, offered: false, told: false, confirmed: false, left: false, cancelled: false, ended: false }
    }
}

/// One call-out.
#[derive(Debug)]
pub struct Outbound {
    setup: OutboundSetup,
    leg: Leg,
    phase: Phase,
    now: Instant,
    entries: Vec<Entry>,
    /// The one that is spoken of.
    current: usize,
    line: Line,
    playing: Option<u64>,
    last_play: u64,
    answered_at: Option<Instant>,
    /// When the present words began, and how often they were said.
    began: Instant,
    said: u32,
    readings: u32,
    leaves: u32,
    beeps: u32,
    /// Until when the end of a greeting is waited for.
    patience_until: Option<Instant>,
    /// A key was pressed that counts, and it was surely a person's.
    accepted: bool,
    checked: bool,
    pins: Pins,
    caller: CallerLeg,
    talk: Talk,
    outputs: VecDeque<OutboundOutput>,
}

impl Outbound {
    /// A call-out that has not begun; give it [`OutboundInput::Start`].
    pub fn new(now: Instant, setup: OutboundSetup) -> Self {
        let leg = Leg::new(setup.leg);
        let entries = vec![Entry::new(setup.first.clone())];
        Self {
            setup,
            leg,
            phase: Phase::New,
            now,
            entries,
            current: 0,
            line: Line::default(),
            playing: None,
            last_play: 0,
            answered_at: None,
            began: now,
            said: 0,
            readings: 0,
            leaves: 0,
            beeps: 0,
            patience_until: None,
            accepted: false,
            checked: false,
            pins: Pins::default(),
            caller: CallerLeg::None,
            talk: Talk::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, input: OutboundInput) {
        self.now = now;
        match input {
            OutboundInput::Start => self.start(),
            OutboundInput::Leg(event) => self.on_leg(event),
            OutboundInput::Caller(event) => self.on_caller(event),
            OutboundInput::Looked(looked) => self.on_looked(looked),
            OutboundInput::Heard(heard) => self.on_heard(heard),
            OutboundInput::PlayDone { play } => self.on_play_done(play),
            OutboundInput::Further(reading) => self.further(*reading),
            OutboundInput::Cancel { reading } => self.cancel(reading),
            OutboundInput::Stop => self.end(Cause::Released),
            OutboundInput::Tick => self.on_tick(),
        }
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<OutboundOutput> {
        self.outputs.pop_front()
    }

    /// When to come back with [`OutboundInput::Tick`]; the reason is always the same: what was waited for
    /// did not come.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let until = match self.phase {
            Phase::Ringing { until }
            | Phase::Saying { until, .. }
            | Phase::Listening { until }
            | Phase::Looking { until }
            | Phase::WithCaller { until } => until,
            Phase::New | Phase::Over => return None,
        };
        Some(self.spoken_over_at().map_or(until, |at| at.min(until)))
    }

    /// True when nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.phase == Phase::Over && self.outputs.is_empty()
    }

    fn start(&mut self) {
        if self.phase != Phase::New {
            return;
        }
        self.leg.state = LegState::Dialling;
        self.leg.media_up = true;
        self.phase = Phase::Ringing { until: self.now + self.setup.ring };
        self.outputs.push_back(OutboundOutput::Dial { leg: self.leg.id, to: self.setup.to.clone() });
    }

    fn on_leg(&mut self, event: LegInput) {
        let was = self.leg.state;
        let came_up = self.leg.advance(event);
        match (event, self.phase) {
            (_, Phase::Ringing { .. }) if came_up => {
                self.answered_at = Some(self.now);
                self.tell_all(OutboundEvent::Answered);
                self.offer(self.current);
            }
            (LegInput::Ringing | LegInput::Early, Phase::Ringing { .. }) if was == LegState::Dialling => {
                self.tell_all(OutboundEvent::Ringing);
            }
            (LegInput::Digit(key), Phase::Saying { what, .. }) => self.on_key(key, what),
            (LegInput::Digit(key), Phase::Listening { .. }) => self.on_key(key, Saying::Leave),
            (LegInput::Digit('*'), Phase::WithCaller { .. }) => self.come_back(Cause::Released),
            (LegInput::Ended(why), _) if !matches!(self.phase, Phase::New | Phase::Over) => self.end(why),
            _ => {}
        }
    }

    fn on_key(&mut self, key: char, what: Saying) {
        self.line.ever_heard = true;
        match (key, what) {
            ('1', Saying::Intro | Saying::Leave) => {
                // A recording may hold the tones of a key; nobody's recording presses another when asked to.
                if self.line.doubts(self.now) && !self.checked {
                    self.check();
                } else {
                    self.accept();
                }
            }
            ('5', Saying::Check) => {
                self.checked = true;
                self.accept();
            }
            // Before the call-back number was spoken, 1 is no confirmation (design §6).
            ('1', Saying::Question | Saying::Back(_)) => self.confirm(),
            ('2', Saying::Question | Saying::Back(_)) => self.connect(),
            // While it is said once more: they have heard that number before.
            ('1', Saying::Content) if self.entries[self.current].told => self.confirm(),
            ('2', Saying::Content) if self.entries[self.current].told => self.connect(),
            ('2', Saying::Connecting) => self.dial_caller(),
            ('*', Saying::Connecting) => self.say(Saying::Back(Back::GaveUp)),
            ('9', Saying::Content | Saying::Question | Saying::Back(_)) if self.readings < READINGS => self.read(),
            (_, Saying::Pin | Saying::WrongPin) => self.on_pin_key(key),
            _ => {}
        }
    }

    /// Somebody is there. If it was taken for a machine, the others are offered to them too.
    fn accept(&mut self) {
        self.accepted = true;
        if self.leaves > 0 {
            self.entries.iter_mut().for_each(|entry| entry.offered = entry.told || entry.left);
        }
        if self.entries[self.current].reading.content.is_some() { self.read() } else { self.confirm() }
    }

    fn confirm(&mut self) {
        self.entries[self.current].confirmed = true;
        self.tell(self.current, OutboundEvent::Confirmed);
        self.say(Saying::Thanks);
    }

    fn on_heard(&mut self, heard: Heard) {
        if !matches!(self.phase, Phase::Saying { .. } | Phase::Listening { .. } | Phase::Looking { .. }) {
            return;
        }
        self.line.hear(self.now, heard);
        match (heard, self.phase) {
            (Heard::Fax | Heard::Busy, _) => self.end(Cause::HungUp),
            // Something that keeps a tone is no person who listens: what was read is broken off before it is recorded.
            (Heard::Tone, Phase::Saying { what: Saying::Content | Saying::Question, .. }) if !self.checked => {
                self.check()
            }
            (Heard::Beep, Phase::Saying { what: Saying::Intro | Saying::Check | Saying::Leave, .. })
            | (Heard::Beep, Phase::Listening { .. })
                if !self.accepted && self.beeps < BEEPS =>
            {
                self.beeps += 1;
                self.leave(AFTER_BEEP);
            }
            (Heard::Quiet, Phase::Listening { .. }) => self.listen(AFTER_WORDS),
            (Heard::Voice | Heard::Tone, Phase::Listening { .. }) => self.listen(GREETING_LIMIT),
            (Heard::Quiet, Phase::Saying { what: Saying::Intro | Saying::Check, .. }) => self.leave_to_machine(),
            _ => {}
        }
    }

    /// A greeting is over and nobody pressed a key when asked to: what is to be left is said at once.
    fn leave_to_machine(&mut self) {
        let quiet = self.line.quiet_since;
        if let Some(since) = quiet.filter(|_| self.line.machine && self.said > 0 && !self.accepted && self.can_leave())
        {
            self.leave((since + AFTER_WORDS).saturating_duration_since(self.now));
        }
    }

    fn check(&mut self) {
        self.accepted = false;
        self.said = 0;
        self.say(Saying::Check);
    }

    fn read(&mut self) {
        if self.lacks_pin() {
            return self.ask_pin();
        }
        self.readings += 1;
        self.said = 0;
        self.say(Saying::Content);
    }

    fn offer(&mut self, entry: usize) {
        self.current = entry;
        (self.said, self.readings, self.talk) = (0, 0, Talk::default());
        self.say(Saying::Intro);
    }

    /// The next message that was not offered; else what is to be left; else the end. Where nothing was heard at all (a
    /// telephone in a pocket), nothing that joined is offered or left to the same silence: the waits of all begin at the end.
    fn go_on(&mut self) {
        self.entries[self.current].offered = true;
        let silent = !self.line.ever_heard;
        let up_for = self.answered_at.map_or(Duration::ZERO, |at| self.now.saturating_duration_since(at));
        let in_vain = silent || !self.accepted && up_for >= ACCEPT_WITHIN;
        match self.next_unoffered().filter(|_| !in_vain) {
            Some(next) => self.offer(next),
            None if self.can_leave() && !(silent && self.leaves > 0) => self.leave(Duration::ZERO),
            None => self.end(Cause::Released),
        }
    }

    fn next_unoffered(&self) -> Option<usize> {
        self.entries.iter().position(|entry| !entry.offered && !entry.ended)
    }

    fn next_to_leave(&self) -> Option<usize> {
        self.entries.iter().position(|e| !e.ended && !e.told && !e.left && !e.cancelled && e.reading.leave.is_some())
    }

    fn can_leave(&self) -> bool {
        self.next_to_leave().is_some()
    }

    /// Says what is to be left: after so much silence, or once the far end is silent.
    fn leave(&mut self, after: Duration) {
        let Some(first) = self.next_to_leave() else { return self.end(Cause::Released) };
        self.current = first;
        for entry in &mut self.entries {
            entry.offered = true;
        }
        self.stop_playing();
        self.patience_until.get_or_insert(self.now + GREETING_LIMIT);
        match self.line.sounds() {
            false if after.is_zero() => self.leave_now(),
            false => self.listen(after),
            true => self.listen(GREETING_LIMIT),
        }
    }

    /// Listens for so long, and not beyond all patience.
    fn listen(&mut self, wait: Duration) {
        let until = self.now + wait;
        self.phase = Phase::Listening { until: self.patience_until.map_or(until, |patience| until.min(patience)) };
    }

    fn leave_now(&mut self) {
        self.leaves += 1;
        self.say(Saying::Leave);
    }

    fn on_play_done(&mut self, play: u64) {
        if self.playing != Some(play) {
            return;
        }
        self.playing = None;
        let Phase::Saying { what, .. } = self.phase else { return };
        self.said_to_end(what);
    }

    fn said_to_end(&mut self, what: Saying) {
        match what {
            Saying::Intro | Saying::Check | Saying::Question => {
                self.said += 1;
                self.phase = Phase::Saying { what, until: self.now + KEY_WAIT };
                if what != Saying::Question {
                    self.leave_to_machine();
                }
            }
            Saying::Pin | Saying::WrongPin => self.wait_for_pin(),
            Saying::Refused => self.go_on(),
            Saying::Connecting => self.dial_caller(),
            Saying::Back(_) => self.back_at_question(),
            Saying::Content => {
                let entry = &mut self.entries[self.current];
                entry.offered = true;
                if !std::mem::replace(&mut entry.told, true) {
                    self.tell(self.current, OutboundEvent::Told);
                }
                self.said = 0;
                self.say(Saying::Question);
            }
            Saying::Leave => {
                self.entries[self.current].left = true;
                match self.next_to_leave().filter(|_| self.line.ever_heard) {
                    Some(next) => {
                        self.current = next;
                        self.say(Saying::Leave);
                    }
                    None => self.go_on(),
                }
            }
            Saying::Thanks => self.go_on(),
            Saying::Handled => {
                self.entries[self.current].offered = true;
                match self.next_unoffered() {
                    Some(next) => {
                        self.end_entry(self.current, OutboundEnd::Cancelled);
                        self.offer(next);
                    }
                    None => self.go_on(),
                }
            }
        }
    }

    fn on_tick(&mut self) {
        if self.spoken_over_at().is_some_and(|at| at <= self.now) {
            return match self.phase {
                Phase::Saying { what: Saying::Leave, .. } => self.leave(AFTER_WORDS),
                _ => self.check(),
            };
        }
        match self.phase {
            Phase::Ringing { until } if until <= self.now => {
                // A telephone that never rang was not left unanswered: the line to it is down.
                let rang = self.leg.state != LegState::Dialling;
                self.end(if rang { Cause::NoAnswer } else { Cause::Unreachable });
            }
            Phase::Listening { until } if until <= self.now => self.leave_now(),
            Phase::Looking { until } if until <= self.now => self.on_looked(PinLooked::Failed),
            Phase::WithCaller { until } if until <= self.now => self.on_caller_due(),
            Phase::Saying { what: Saying::Pin | Saying::WrongPin, until }
                if until <= self.now && self.playing.is_none() =>
            {
                self.pin_waited_for();
            }
            Phase::Saying { what, until } if until <= self.now => {
                let times = if what == Saying::Check { CHECKS } else { TIMES };
                if self.playing.is_some() {
                    // We were never told that it ended: nothing is taken as heard.
                    self.end(Cause::Released);
                } else if self.said < times {
                    self.say(what);
                } else {
                    self.go_on();
                }
            }
            _ => {}
        }
    }

    /// When what is said has been spoken over for too long.
    fn spoken_over_at(&self) -> Option<Instant> {
        let since = self.line.voice_since?.max(self.began);
        match self.phase {
            Phase::Saying { what: Saying::Content, .. } if !self.checked => Some(since + SPOKEN_OVER),
            Phase::Saying { what: Saying::Leave, .. } if self.leaves < LEAVES => {
                Some(since + LEFT_OVER).filter(|at| self.patience_until.is_some_and(|patience| *at < patience))
            }
            _ => None,
        }
    }

    fn further(&mut self, reading: Reading) {
        let entry = self.entries.len();
        self.entries.push(Entry::new(reading));
        // Where nobody took the others, it is left as they are.
        self.entries[entry].offered = self.leaves > 0 && !self.accepted || self.is_refused(entry);
        match self.phase {
            Phase::New => {}
            Phase::Ringing { .. } if self.leg.state == LegState::Dialling => {}
            Phase::Ringing { .. } => self.tell(entry, OutboundEvent::Ringing),
            Phase::Saying { .. } | Phase::Listening { .. } | Phase::Looking { .. } => {
                self.tell(entry, OutboundEvent::Answered);
            }
            Phase::WithCaller { .. } => {
                self.tell(entry, OutboundEvent::Answered);
                self.tell(entry, OutboundEvent::Waits(true));
            }
            Phase::Over => self.end_entry(entry, OutboundEnd::NotReached(Cause::Released)),
        }
    }

    fn cancel(&mut self, reading: usize) {
        let wanted =
            self.entries.get(reading).is_some_and(|entry| !entry.ended && !entry.confirmed && !entry.cancelled);
        if !wanted {
            return;
        }
        if reading == self.current && self.caller == CallerLeg::Joined {
            // They are talked with; what is handled is told afterwards.
            self.entries[reading].cancelled = true;
            return;
        }
        let spoken_of = reading == self.current && self.is_answered();
        let alone = self.entries.iter().enumerate().all(|(i, entry)| i == reading || entry.ended);
        self.entries[reading].cancelled = true;
        if spoken_of {
            self.let_caller_go(Cause::Released);
            self.say(Saying::Handled);
        } else if alone {
            self.end(Cause::Released);
        } else {
            self.end_entry(reading, OutboundEnd::Cancelled);
            if reading == self.current {
                // It rings yet: the next one is offered first.
                self.current = self.next_unoffered().unwrap_or(self.current);
            }
        }
    }

    fn stop_playing(&mut self) {
        if let Some(play) = self.playing.take() {
            self.outputs.push_back(OutboundOutput::StopPlay { leg: self.leg.id, play });
        }
    }

    fn say(&mut self, what: Saying) {
        let more =
            self.entries.iter().enumerate().any(|(i, entry)| i != self.current && !entry.offered && !entry.ended);
        let Some(speech) = speech(&self.entries[self.current].reading, what, more) else {
            self.end(Cause::Released);
            return;
        };
        self.stop_playing();
        self.last_play += 1;
        let play = self.last_play;
        self.playing = Some(play);
        self.began = self.now;
        self.phase = Phase::Saying { what, until: self.now + PROMPT_LIMIT };
        self.outputs.push_back(OutboundOutput::Play { leg: self.leg.id, play, speech });
    }

    fn tell(&mut self, reading: usize, event: OutboundEvent) {
        self.outputs.push_back(OutboundOutput::Event { reading, event });
    }

    fn tell_all(&mut self, event: OutboundEvent) {
        for reading in 0..self.entries.len() {
            if !self.entries[reading].ended {
                self.tell(reading, event);
            }
        }
    }

    fn end_entry(&mut self, reading: usize, how: OutboundEnd) {
        if !std::mem::replace(&mut self.entries[reading].ended, true) {
            self.tell(reading, OutboundEvent::Ended(how));
        }
    }

    /// What it means for a message that the call ends now.
    fn result_of(&self, entry: &Entry, why: Cause) -> OutboundEnd {
        let answered = self.is_answered();
        let silent = !self.line.ever_heard;
        match entry {
            _ if entry.confirmed => OutboundEnd::Confirmed,
            _ if entry.cancelled => OutboundEnd::Cancelled,
            _ if entry.told => OutboundEnd::ToldOnly,
            _ if !answered => OutboundEnd::NotReached(why),
            _ if self.line.fax => OutboundEnd::Fax,
            _ if self.line.busy && !self.accepted && !entry.left => OutboundEnd::NotReached(Cause::Busy),
            _ if silent => OutboundEnd::Silent,
            // Keys were pressed for another message: a person is there, whatever the line sounded like.
            _ if entry.left && self.entries.iter().any(|other| other.told || other.confirmed) => {
                OutboundEnd::LeftWithPerson
            }
            _ if entry.left && self.line.machine => OutboundEnd::LeftOnMachine,
            _ if entry.left => OutboundEnd::LeftRequest,
            _ if self.line.machine && !self.accepted => OutboundEnd::Machine,
            _ => OutboundEnd::NotAccepted,
        }
    }

    /// Somebody, or something, is there.
    const fn is_answered(&self) -> bool {
        !matches!(self.phase, Phase::New | Phase::Ringing { .. } | Phase::Over)
    }

    fn end(&mut self, why: Cause) {
        if self.phase == Phase::Over {
            return;
        }
        self.let_caller_go(Cause::Released);
        let results: Vec<OutboundEnd> = self.entries.iter().map(|entry| self.result_of(entry, why)).collect();
        self.phase = Phase::Over;
        self.playing = None;
        if self.leg.release() {
            self.outputs.push_back(OutboundOutput::HangUp { leg: self.leg.id });
        }
        for (reading, how) in results.into_iter().enumerate() {
            self.end_entry(reading, how);
        }
    }
}
