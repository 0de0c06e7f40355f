//! The automated patch of a [`Call`]: the account's people are rung one after another, each is asked to press 1, and only
//! then are the two connected.
//!
//! Whom to ring and at which numbers it is told ([`Input::People`](super::Input::People)) after it has asked
//! ([`Output::FindPeople`]). What always holds: the caller hears music, now and then a word, and nothing else until
//! somebody has pressed 1; whoever does not press it, a voicemail above all, has heard no more than whose call it is;
//! whoever presses 2 is not rung again, at no other number either; a caller for whom nobody comes goes on as the account
//! says; and a caller who hangs up meanwhile stops the ringing, or is told to be gone to whom is just being asked.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::bridge::{HearMatrix, LegId, Source};
use super::cause::Cause;
use super::event::RecordEvent;
use super::leg::LegInput;
use super::patch::{FAREWELL_LIMIT, Patch, PatchState, caller_gone_words};
use super::{Call, Output, PROMPT_LIMIT, Parting, Phase};
use crate::base::id::ContactId;
use crate::base::phone::PhoneNumber;
use crate::domain::account::Speech;
use crate::domain::account::patching::{AutoPatch, Unreached};

/// How long it may take to find out whom to ring.
const FIND_LIMIT: Duration = Duration::from_secs(10);
/// The caller hears a word so often.
const WORD_EVERY: Duration = Duration::from_secs(30);
/// How often somebody is asked.
const TIMES: u32 = 3;
/// Silence for a key after the question.
const KEY_WAIT: Duration = Duration::from_secs(4);

const BEGIN: &str = "Please hold while we try to connect you.";
const STILL: &str = "We are still trying to connect you. Please stay on the line.";
const NOBODY: &str = "We could not reach anybody just now.";

/// Somebody who may be rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub contact: ContactId,
    /// Why it is them.
    pub why: String,
    pub numbers: VecDeque<Number>,
}

/// A telephone of somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Of the leg to be made.
    pub leg: LegId,
    pub number: PhoneNumber,
    pub ring: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Finding {
        until: Instant,
    },
    /// `self.patch` says whom, and until when.
    Ringing,
    /// The question is said (`play`), or was just said and a key may follow.
    Asking {
        play: Option<u64>,
        said: u32,
        until: Instant,
    },
}

/// An automated patch under way.
#[derive(Debug)]
pub(super) struct Reaching {
    failed: Unreached,
    /// Who is left, the one being tried first.
    people: VecDeque<Person>,
    step: Step,
    word_at: Instant,
}

fn words(text: &str) -> Speech {
    Speech::Spoken { text: text.to_owned() }
}

/// What is heard by whoever has pressed 1, so that the key's end is not the caller's first sound.
fn accepted() -> Speech {
    Speech::Recorded { prompt: "beep".to_owned() }
}

impl Call {
    /// All that an automated patch says, and what the two hear later.
    pub(super) fn reach_speeches(&self) -> Vec<Speech> {
        let mut said =
            vec![self.question(), accepted(), caller_gone_words(), words(STILL), words(NOBODY), words(BEGIN)];
        said.extend(self.alone_speeches());
        said
    }

    fn question(&self) -> Speech {
        let name = &self.setup.name;
        words(&format!("A call for {name}. To take it, press 1. To decline, press 2."))
    }

    pub(super) fn start_reaching(&mut self, patch: AutoPatch) {
        self.record(RecordEvent::PatchSought);
        self.play_to_caller(patch.speech.unwrap_or_else(|| words(BEGIN)));
        self.reaching = Some(Reaching {
            failed: patch.failed,
            people: VecDeque::new(),
            step: Step::Finding { until: self.now + FIND_LIMIT },
            word_at: self.now + WORD_EVERY,
        });
        self.phase = Phase::Reaching;
        self.outputs.push_back(Output::FindPeople { whom: patch.whom });
    }

    /// These are to be rung.
    pub(super) fn on_people(&mut self, people: Vec<Person>) {
        let Some(reaching) = &mut self.reaching else { return };
        if !matches!(reaching.step, Step::Finding { .. }) {
            return;
        }
        reaching.people = people.into();
        let found: Vec<_> = reaching.people.iter().map(|p| (p.contact.clone(), p.why.clone())).collect();
        for (contact, why) in found {
            self.record(RecordEvent::PersonFound { contact, why });
        }
        self.ring_next();
    }

    fn ring_next(&mut self) {
        let Some(reaching) = &mut self.reaching else { return };
        while let Some(person) = reaching.people.front_mut() {
            let Some(Number { leg, number, ring }) = person.numbers.pop_front() else {
                reaching.people.pop_front();
                continue;
            };
            let contact = Some(person.contact.clone());
            reaching.step = Step::Ringing;
            self.record(RecordEvent::PatchDialled { contact: contact.clone(), number: number.clone() });
            self.dial_contact(leg, number, contact, ring);
            self.phase = Phase::Reaching;
            return;
        }
        self.reach_nobody();
    }

    /// Nobody is left: the caller goes on as the account says.
    fn reach_nobody(&mut self) {
        let Some(reaching) = self.reaching.take() else { return };
        self.record(RecordEvent::NobodyReached);
        self.stop_play();
        match reaching.failed.flow() {
            Some(flow) => {
                let waits = matches!(flow, crate::domain::account::flow::Flow::Queue { .. });
                self.enter_flow(flow);
                if waits {
                    self.play_to_caller(words(NOBODY));
                }
            }
            None => self.apologise(),
        }
    }

    /// The leg that rings, or is asked.
    pub(super) fn on_reached(&mut self, event: LegInput) {
        let Some(patch) = &mut self.patch else { return };
        let came_up = patch.leg.advance(event);
        match (event, patch.state) {
            _ if came_up => {
                self.set_patch_state(PatchState::Asked);
                self.record(RecordEvent::PatchAnswered);
                self.ask_to_accept(1);
            }
            (LegInput::Ringing | LegInput::Early, PatchState::Dialling) => {
                self.set_patch_state(PatchState::Ringing);
                self.record(RecordEvent::PatchRinging);
            }
            (LegInput::Digit('1'), PatchState::Asked) => self.accept(),
            (LegInput::Digit('2'), PatchState::Asked) => self.not_accepted(true),
            (LegInput::Ended(_), PatchState::Asked) => self.not_accepted(false),
            (LegInput::Ended(why), _) => self.not_reached(why),
            _ => {}
        }
    }

    fn ask_to_accept(&mut self, said: u32) {
        let Some(leg) = self.patch.as_ref().map(|patch| patch.leg.id) else { return };
        let (play, speech) = (self.next_play(), self.question());
        self.outputs.push_back(Output::Play { leg, play, speech });
        if let Some(reaching) = &mut self.reaching {
            reaching.step = Step::Asking { play: Some(play), said, until: self.now + PROMPT_LIMIT };
        }
    }

    /// The question was heard to its end: now for a key.
    pub(super) fn question_heard(&mut self, leg: LegId, heard: u64) {
        let asked = self.patch.as_ref().is_some_and(|patch| patch.leg.id == leg);
        if let Some(Reaching { step: Step::Asking { play, until, .. }, .. }) = &mut self.reaching
            && asked
            && *play == Some(heard)
        {
            (*play, *until) = (None, self.now + KEY_WAIT);
        }
    }

    /// The question could not be said: whoever is asked hears a tone, and so would everybody else.
    pub(super) fn question_unsaid(&mut self, leg: LegId, unsaid: u64) {
        let asked = self.patch.as_ref().is_some_and(|patch| patch.leg.id == leg);
        if let Some(Reaching { step: Step::Asking { play, .. }, people, .. }) = &mut self.reaching
            && asked
            && *play == Some(unsaid)
        {
            people.clear();
            self.not_accepted(false);
        }
    }

    /// They want the call: the two are connected.
    fn accept(&mut self) {
        self.stop_question();
        self.reaching = None;
        self.stop_play();
        self.phase = Phase::Patching;
        self.set_patch_state(PatchState::Dropped);
        let Some((leg, contact)) = self.patch.as_ref().map(|p| (p.leg.id, p.contact.clone())) else { return };
        self.joined = Some(contact);
        self.record(RecordEvent::PatchAccepted);
        self.record(RecordEvent::PatchJoined);
        let play = self.next_play();
        self.outputs.push_back(Output::Play { leg, play, speech: accepted() });
    }

    /// They do not, or it is no person at all.
    fn not_accepted(&mut self, declined: bool) {
        self.record(RecordEvent::PatchNotAccepted { declined });
        if declined && let Some(reaching) = &mut self.reaching {
            reaching.people.pop_front();
        }
        self.stop_question();
        self.let_reached_go();
        self.ring_next();
    }

    fn not_reached(&mut self, why: Cause) {
        self.record(RecordEvent::PatchFailed { why });
        self.let_reached_go();
        self.ring_next();
    }

    fn let_reached_go(&mut self) {
        if let Some(mut patch) = self.patch.take() {
            self.release(&mut patch.leg);
        }
    }

    fn stop_question(&mut self) {
        if let (Some(Reaching { step: Step::Asking { play, .. }, .. }), Some(patch)) = (&mut self.reaching, &self.patch)
            && let Some(play) = play.take()
        {
            self.outputs.push_back(Output::StopPlay { leg: patch.leg.id, play });
        }
    }

    /// The caller has hung up: a telephone that rings is let be, and whoever is being asked is told.
    pub(super) fn caller_left_reaching(&mut self, why: Cause) {
        if self.patch_state() != Some(PatchState::Asked) {
            return self.end(why);
        }
        self.stop_question();
        self.reaching = None;
        let Some(patch) = self.patch.take() else { return };
        let play = self.next_play();
        self.outputs.push_back(Output::Play { leg: patch.leg.id, play, speech: caller_gone_words() });
        self.parting.push(Parting { leg: patch.leg, play, until: self.now + FAREWELL_LIMIT });
        self.phase = Phase::Farewell;
    }

    pub(super) fn reaching_until(&self) -> Option<Instant> {
        let reaching = self.reaching.as_ref()?;
        let until = match reaching.step {
            Step::Finding { until } | Step::Asking { until, .. } => Some(until),
            Step::Ringing => self.patch.as_ref().and_then(Patch::ring_until),
        };
        Some(until.map_or(reaching.word_at, |until| until.min(reaching.word_at)))
    }

    pub(super) fn reaching_tick(&mut self) {
        let now = self.now;
        let Some(reaching) = &mut self.reaching else { return };
        let word = reaching.word_at <= now;
        if word {
            reaching.word_at = now + WORD_EVERY;
        }
        let step = reaching.step;
        if word && self.playing.is_none() {
            self.play_to_caller(words(STILL));
        }
        match step {
            Step::Finding { until } if until <= now => self.reach_nobody(),
            Step::Ringing if self.patch.as_ref().and_then(Patch::ring_until).is_some_and(|until| until <= now) => {
                self.not_reached(Cause::NoAnswer);
            }
            Step::Asking { play: None, said, until } if until <= now && said < TIMES => self.ask_to_accept(said + 1),
            Step::Asking { until, .. } if until <= now => self.not_accepted(false),
            _ => {}
        }
    }

    /// The caller hears music alone; whoever is asked hears the question, and nobody.
    pub(super) fn reaching_matrix(&self, caller: Option<LegId>) -> HearMatrix {
        let matrix = caller.map(|caller| HearMatrix::default().with(caller, &[Source::Music])).unwrap_or_default();
        match self.patch.as_ref().map(|patch| &patch.leg).filter(|leg| leg.is_up()) {
            Some(asked) => matrix.with(asked.id, &[]),
            None => matrix,
        }
    }
}
