//! Whether a [`Call`] is recorded: what its account wants, what the operator does, and who has been told.
//!
//! What always holds: where the account has an announcement, nothing is recorded before the caller has heard it to
//! its end, nor beside a contact who has not, if contacts are to be told; words that could not be spoken, were cut
//! short, or whose end is not told in time count as not heard. So a call is never recorded by surprise. And a pause
//! outlasts the operator who made it only with a colleague who was there and has the caller from then on: the same talk
//! goes on, a card number may be half said, and they may lift it. With nobody of ours beside the caller it ends, as nobody
//! could. Whom the account does not want recorded is in
//! [`HearMatrix::off_record`] from the first word on, and is told nothing: a leg is left out by the shard in the same beat in
//! which somebody comes to hear it. While a card number is typed the recording
//! is *covered*: silent as in a pause, by no key of the operator's, and for [`COVER`] at most without another word of it, so
//! that a console that dies in the middle costs no more of the recording.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::bridge::{HearMatrix, LegId};
use super::event::RecordEvent;
use super::patch::{Patch, PatchState};
use super::view::Role;
use super::{Call, CommandError, Output, PROMPT_LIMIT, Phase};
use crate::domain::account::{RecordedLegs, RecordingMode, RecordingPolicy, Speech};

/// How the recording of a call stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    #[default]
    Off,
    /// Somebody is being told; nothing is recorded meanwhile.
    Announcing,
    On,
    /// Silent by the operator's wish: a card number is being read.
    Paused,
}

/// What an operator does with a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingCommand {
    Start,
    Stop,
    Pause,
    Resume,
    /// Something that must not be recorded is being typed; to be said again while that lasts.
    Cover,
    /// It is done.
    Uncover,
}

/// How long a recording stays covered without another word of it.
pub const COVER: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Off,
    On,
    Paused,
}

/// The recording of a call.
#[derive(Debug)]
pub(super) struct Recording {
    policy: RecordingPolicy,
    wanted: Wanted,
    /// The announcement that plays to the caller.
    notice: Option<u64>,
    told: bool,
    /// They did not hear it; only the operator has it said again.
    missed: bool,
    /// The same for the contact on the line.
    contact_notice: Option<(LegId, u64)>,
    contact_told: Option<LegId>,
    /// They did not hear it: silence for as long as they are on the line, or until the operator says so.
    contact_missed: Option<LegId>,
    /// When the end of the announcement that began last is no longer waited for.
    until: Option<Instant>,
    /// What is typed now must not be recorded.
    covered_until: Option<Instant>,
    /// As last said.
    state: RecordingState,
    legs: RecordedLegs,
}

impl Recording {
    pub(super) const fn new(policy: RecordingPolicy) -> Self {
        let policy_legs = policy.legs;
        Self {
            policy,
            wanted: Wanted::Off,
            notice: None,
            told: false,
            missed: false,
            contact_notice: None,
            contact_told: None,
            contact_missed: None,
            until: None,
            covered_until: None,
            state: RecordingState::Off,
            legs: policy_legs,
        }
    }
}

impl Call {
    /// Whether and when calls for the account are recorded.
    pub const fn recording_mode(&self) -> RecordingMode {
        self.recording.policy.mode
    }

    /// How the recording stands.
    pub const fn recording_state(&self) -> RecordingState {
        self.recording.state
    }

    /// Whose words are recorded, while any are.
    pub fn recorded_legs(&self) -> RecordedLegs {
        let policy = &self.recording.policy;
        let legs = if policy.mode == RecordingMode::Off { RecordedLegs::default() } else { policy.legs };
        RecordedLegs { caller: self.is_voicemail_recorded() || self.records_caller(legs), ..legs }
    }

    /// Who has the caller's leg may be one of the account's people, whom we called.
    fn records_caller(&self, legs: RecordedLegs) -> bool {
        let called = self.setup.ring_back.as_ref();
        let is_contact = called.is_some_and(|called| called.to_contact);
        if is_contact { legs.contact } else { legs.caller }
    }

    /// Whoever is not to be recorded is left out, whoever hears them.
    pub(super) fn leave_out(&self, mut matrix: HearMatrix) -> HearMatrix {
        let legs = self.recorded_legs();
        if legs.all() {
            return matrix;
        }
        let is_out = |leg: &LegId| match self.role(*leg) {
            Some(Role::Caller) => !legs.caller,
            Some(Role::Operator | Role::Colleague | Role::Supervisor) => !legs.operator,
            Some(Role::Contact) => !legs.contact,
            None => false,
        };
        matrix.off_record.extend(matrix.rows.iter().map(|(leg, _)| *leg).filter(is_out));
        matrix.off_record.sort_unstable();
        matrix.off_record.dedup();
        matrix
    }

    /// What the caller has yet to hear before they are recorded.
    fn untold_caller(&self) -> Option<&Speech> {
        let untold = !self.recording.told && self.recorded_legs().caller;
        self.recording.policy.announcement.as_ref().filter(|_| untold)
    }

    /// Silent because of what is being typed, and for no other reason.
    pub fn is_recording_covered(&self) -> bool {
        self.recording.covered_until.is_some()
            && self.recording.wanted == Wanted::On
            && self.recording.state == RecordingState::Paused
    }

    /// The caller is on the line: where nobody need be told, the recording begins.
    pub(super) fn begin_recording(&mut self) {
        if self.recording.policy.mode == RecordingMode::On && self.untold_caller().is_none() {
            self.recording.wanted = Wanted::On;
        }
    }

    /// The greeting is over: where the caller is to be told, they are now. True if so.
    pub(super) fn announce_after_greeting(&mut self) -> bool {
        let due = self.recording.policy.mode == RecordingMode::On && !self.recording.told && !self.recording.missed;
        due && self.announce()
    }

    /// Tells the caller, if there is something to tell that they have not heard.
    fn announce(&mut self) -> bool {
        self.recording.wanted = Wanted::On;
        let Some(words) = self.untold_caller().cloned() else { return false };
        self.play_to_caller(words);
        self.recording.notice = self.playing;
        self.recording.until = Some(self.now + PROMPT_LIMIT);
        true
    }

    /// They are just being told: nothing else is said to them meanwhile.
    pub(super) fn hears_notice(&self, leg: LegId) -> bool {
        let contact = self.recording.contact_notice.is_some_and(|(told, _)| told == leg);
        contact || (leg == self.caller.id && self.is_announcing())
    }

    pub(super) const fn is_announcing(&self) -> bool {
        self.recording.notice.is_some()
    }

    /// Words to the caller were heard to their end.
    pub(super) fn caller_heard(&mut self, play: u64) {
        if self.recording.notice == Some(play) {
            self.recording.notice = None;
            self.recording.told = true;
        }
    }

    /// Words to the caller were cut short.
    pub(super) fn caller_missed(&mut self) {
        if self.recording.notice.take().is_some() {
            self.recording.wanted = Wanted::Off;
            self.recording.missed = true;
            self.record(RecordEvent::RecordingNotAnnounced);
        }
    }

    pub(super) fn contact_heard(&mut self, leg: LegId, play: u64) {
        if self.recording.contact_notice == Some((leg, play)) {
            self.recording.contact_notice = None;
            self.recording.contact_told = Some(leg);
        }
    }

    /// A tone was heard in place of words.
    pub(super) fn on_unspoken(&mut self, leg: LegId, play: u64) {
        if leg == self.caller.id && self.recording.notice == Some(play) {
            self.caller_missed();
        } else if self.recording.contact_notice == Some((leg, play)) {
            self.contact_missed();
        } else {
            self.question_unsaid(leg, play);
        }
    }

    /// The operator can tell the contact, and go on.
    fn contact_missed(&mut self) {
        if let Some((leg, _)) = self.recording.contact_notice.take() {
            self.recording.contact_missed = Some(leg);
            self.record(RecordEvent::RecordingNotAnnounced);
        }
    }

    /// When an announcement is no longer waited for.
    pub(super) fn announced_until(&self) -> Option<Instant> {
        let waits = self.recording.notice.is_some() || self.recording.contact_notice.is_some();
        self.recording.until.filter(|_| waits)
    }

    /// An announcement whose end was not told in time was not heard.
    pub(super) fn give_up_announcement(&mut self) {
        if self.announced_until().is_none_or(|until| until > self.now) {
            return;
        }
        if self.is_announcing() {
            self.stop_play();
        }
        self.contact_missed();
    }

    /// What an operator paused who has left goes on: nobody is there who could lift it.
    pub(super) fn lift_pause(&mut self) {
        if self.operator.is_some() {
            return;
        }
        if self.recording.wanted == Wanted::Paused {
            self.recording.wanted = Wanted::On;
        }
        self.recording.covered_until = None;
    }

    /// When a cover that nobody speaks of any more ends.
    pub(super) const fn covered_until(&self) -> Option<Instant> {
        self.recording.covered_until
    }

    /// The console that covered the recording has not been heard of since.
    pub(super) fn give_up_cover(&mut self) {
        self.recording.covered_until = self.recording.covered_until.filter(|until| *until > self.now);
    }

    /// The caller has left, and with them what is recorded.
    pub(super) const fn end_recording(&mut self) {
        self.recording.covered_until = None;
        self.recording.wanted = Wanted::Off;
        self.recording.notice = None;
        self.recording.contact_notice = None;
    }

    pub(super) fn follow_recording(&mut self, command: RecordingCommand) -> Result<(), CommandError> {
        let mode = self.recording.policy.mode;
        if mode == RecordingMode::Off {
            return Err(CommandError::NotRecorded);
        }
        if self.caller_gone {
            return Err(CommandError::CallerGone);
        }
        match command {
            RecordingCommand::Cover => {
                self.recording.covered_until = Some(self.now + COVER);
                return Ok(());
            }
            RecordingCommand::Uncover => {
                self.recording.covered_until = None;
                return Ok(());
            }
            _ => {}
        }
        // Beside a colleague too, who may be listening while a card number is said; only nothing is announced there.
        let beside_colleague = self.phase == Phase::Consulting && command != RecordingCommand::Start;
        if !matches!(self.phase, Phase::Talking | Phase::Held | Phase::Patching) && !beside_colleague {
            return Err(CommandError::NotNow);
        }
        if command == RecordingCommand::Start {
            // The words about it are said, not talked over.
            self.stop_own_phrase();
        }
        match (command, self.recording.wanted) {
            (RecordingCommand::Start, Wanted::Off) if self.playing.is_none() => {
                self.announce();
            }
            (RecordingCommand::Stop, Wanted::On | Wanted::Paused) if mode == RecordingMode::OnDemand => {
                self.recording.wanted = Wanted::Off;
                if self.recording.notice.take().is_some() {
                    self.stop_play();
                }
            }
            (RecordingCommand::Resume, Wanted::On | Wanted::Paused) if self.is_contact_missed() => {
                self.recording.wanted = Wanted::On;
                self.recording.contact_told = self.recording.contact_missed.take();
            }
            (RecordingCommand::Pause, Wanted::On) => self.recording.wanted = Wanted::Paused,
            (RecordingCommand::Resume, Wanted::Paused) => self.recording.wanted = Wanted::On,
            _ => return Err(CommandError::NotNow),
        }
        Ok(())
    }

    /// The call is another account's, whose wish counts from now on. Who was told of a recording, by whichever of the two, need not
    /// be told again; who was told nothing is told first. Where the account would have it said in its greeting, which this caller
    /// did not hear, the operator says it and starts the recording.
    pub(super) fn change_recording_policy(&mut self, policy: RecordingPolicy) {
        let was = std::mem::replace(&mut self.recording.policy, policy);
        let recorded = self.recording.wanted != Wanted::Off;
        let wanted = match self.recording.policy.mode {
            RecordingMode::Off => false,
            RecordingMode::On => true,
            // What an operator began for one account goes on; what nobody began does not.
            RecordingMode::OnDemand => recorded && was.mode == RecordingMode::OnDemand,
        };
        let knows = self.recording.told || recorded && was.announcement.is_none() && self.records_caller(was.legs);
        if !wanted {
            self.recording.wanted = Wanted::Off;
            if self.recording.notice.take().is_some() {
                self.stop_play();
            }
        } else if knows || !self.records_caller(self.recording.policy.legs) {
            self.recording.told = knows;
            if self.recording.notice.take().is_some() {
                // They are not recorded after all.
                self.stop_play();
            }
            if !recorded {
                self.recording.wanted = Wanted::On;
            }
        } else if !self.is_announcing() {
            self.recording.wanted = Wanted::Off;
            if self.recording.policy.announcement.is_some() {
                self.stop_play();
                self.announce();
            } else {
                self.record(RecordEvent::RecordingNotAnnounced);
            }
        }
    }

    /// A contact on the line who is to be told and has not been.
    fn untold_contact(&self) -> Option<LegId> {
        let policy = &self.recording.policy;
        // Whoever is asked whether they want the call is not beside the caller yet.
        let there = |patch: &&Patch| patch.leg.is_up() && patch.state != PatchState::Asked;
        let contact = self.patch.as_ref().filter(there)?.leg.id;
        let must = policy.tell_contact && policy.announcement.is_some() && policy.legs.contact;
        (must && self.recording.contact_told != Some(contact)).then_some(contact)
    }

    /// The contact on the line should have been told and could not be.
    fn is_contact_missed(&self) -> bool {
        self.untold_contact().is_some_and(|leg| self.recording.contact_missed == Some(leg))
    }

    pub(super) fn recording_now(&self) -> RecordingState {
        let recording = &self.recording;
        if self.is_voicemail_recorded() {
            // They were asked to speak after the tone: there is nobody else to be told.
            return RecordingState::On;
        }
        match recording.wanted {
            Wanted::Off => RecordingState::Off,
            Wanted::Paused => RecordingState::Paused,
            Wanted::On if self.untold_caller().is_some() => RecordingState::Announcing,
            Wanted::On if self.is_contact_missed() => RecordingState::Paused,
            Wanted::On if self.untold_contact().is_some() => RecordingState::Announcing,
            Wanted::On if recording.covered_until.is_some() => RecordingState::Paused,
            Wanted::On => RecordingState::On,
        }
    }

    /// After every input: a contact who came in is told, and what changed is said.
    pub(super) fn settle_recording(&mut self) {
        let untold = self.untold_contact();
        // Whoever has left is no longer waited for.
        self.recording.contact_notice = self.recording.contact_notice.filter(|(leg, _)| untold == Some(*leg));
        if self.recording.wanted == Wanted::On
            && self.recording.contact_notice.is_none()
            && !self.is_contact_missed()
            && let Some(leg) = untold
            && let Some(speech) = self.recording.policy.announcement.clone()
        {
            let play = self.next_play();
            self.recording.contact_notice = Some((leg, play));
            self.recording.until = Some(self.now + PROMPT_LIMIT);
            self.outputs.push_back(Output::Play { leg, play, speech });
        }
        let (state, legs) = (self.recording_now(), self.recorded_legs());
        let (was, of) = (self.recording.state, self.recording.legs);
        (self.recording.state, self.recording.legs) = (state, legs);
        if state != was || (state == RecordingState::On && legs != of) {
            self.record(RecordEvent::RecordingChanged { state, legs });
        }
        if state != was {
            self.outputs.push_back(Output::SetRecording { leg: self.caller.id, state });
        }
    }
}
