//! What must hold after whatever has happened in a call: who hears whom, who was told, what was asked for once.

use super::*;
use crate::domain::call::view::Role;

impl World {
    pub(super) fn check(&mut self) {
        let seed = self.seed;
        while let Some(output) = self.call.poll_output() {
            if let Output::Record { event, .. } = &output
                && let Some(deep) = ways::deep(event)
            {
                *self.reached.entry(deep).or_default() += 1;
            }
            match output {
                Output::Dial { leg, to } => {
                    assert!(self.started.insert(leg), "seed {seed}: dialled twice");
                    if matches!(to, Party::Number(_)) && leg != CALLER {
                        self.dialled = Some(leg);
                        self.numbers.insert(leg);
                    }
                    if let Party::Listener(user) = to {
                        assert!(self.listening.insert(user, leg).is_none(), "seed {seed}: listens twice");
                    }
                }
                Output::ListenerGone { user } => {
                    let leg = self.listening.remove(&user);
                    assert!(leg.is_some_and(|leg| self.hung_up.contains_key(&leg)), "seed {seed}: gone twice");
                }
                Output::HangUp { leg } => {
                    assert!(self.started.contains(&leg), "seed {seed}: never dialled");
                    *self.hung_up.entry(leg).or_default() += 1;
                    assert_eq!(self.hung_up[&leg], 1, "seed {seed}: hung up twice");
                }
                Output::Refuse { leg, .. } => {
                    assert!(self.unanswered.contains(&leg), "seed {seed}: refused though answered");
                    *self.hung_up.entry(leg).or_default() += 1;
                    assert_eq!(self.hung_up[&leg], 1, "seed {seed}: let go twice");
                }
                Output::Answer { leg: CALLER } | Output::PickUp { leg: CALLER } => {
                    let taken = matches!(output, Output::PickUp { .. });
                    if let Some(what) = ways::before_answer(seed, taken) {
                        *self.reached.entry(what).or_default() += 1;
                    }
                    assert!(!std::mem::replace(&mut self.answered, true), "seed {seed}: answered twice");
                }
                Output::PickUp { leg } => {
                    assert!(self.unanswered.remove(&leg), "seed {seed}: answered twice");
                }
                Output::Transfer { progress, .. } => match progress {
                    TransferProgress::Begun => self.transfers += 1,
                    TransferProgress::Ringing => assert!(self.transfers > 0, "seed {seed}"),
                    TransferProgress::Done | TransferProgress::Failed(_) => {
                        assert!(self.transfers > 0, "seed {seed}: told of a transfer's end twice");
                        self.transfers -= 1;
                        self.transferred += usize::from(progress == TransferProgress::Done);
                    }
                },
                Output::SetBridge { rev, matrix } => {
                    assert!(rev > self.rev, "seed {seed}: revisions grow");
                    self.rev = rev;
                    self.matrix = matrix;
                    self.check_matrix();
                    assert!(!self.recorded || self.untold().is_none(), "seed {seed}: heard before it fell silent");
                }
                Output::Play { leg, play, speech } | Output::PlayOnce { leg, play, speech } => {
                    if speech == words() {
                        self.announcements.push((leg, play));
                    }
                    assert!(!self.hung_up.contains_key(&leg), "seed {seed}: played to nobody");
                    self.plays.push((leg, play));
                }
                Output::Enqueue { .. } | Output::Requeue | Output::Hand { .. } => {
                    assert!(!self.in_queue && !self.caller_gone, "seed {seed}: queued twice, or without a caller");
                    self.in_queue = true;
                }
                Output::Dequeue | Output::OfferAccepted { .. } => self.in_queue = false,
                Output::Ended { outcome, .. } => {
                    self.ended += 1;
                    self.called_back |= outcome == CallOutcome::Callback;
                    self.outcome = Some(outcome);
                }
                Output::SeatFreed { user } => {
                    assert_eq!(self.wrapping.replace(user), None, "seed {seed}: wrapped up twice");
                }
                // Whoever gives a caller away has nothing to wrap up.
                Output::WrappedUp { user } => self.wrapping = self.wrapping.take().filter(|at_it| *at_it != user),
                Output::BindKeys { leg, bound } => {
                    let before = self.keys_bound.insert(leg, bound).unwrap_or_default();
                    assert_ne!(bound, before, "seed {seed}: said twice");
                }
                Output::FindPeople { .. } => self.sought = true,
                Output::Record { event: RecordEvent::OwnPhrasePlayed { .. }, .. } => {
                    assert!(!std::mem::replace(&mut self.own_voice, true), "seed {seed}: greeted twice by her voice");
                }
                Output::Record { event: RecordEvent::PatchJoined, .. } => {
                    self.clocks += 1;
                    self.introduced.extend(self.dialled);
                }
                Output::Record { event: RecordEvent::PatchAccepted | RecordEvent::SpillAnswered, .. } => {
                    self.introduced.extend(self.dialled);
                }
                Output::Record { event: RecordEvent::PatchOver { ms, alone_ms }, .. } => {
                    assert!(alone_ms <= ms, "seed {seed}: alone for longer than together");
                    self.clocks -= 1;
                }
                Output::CheckIn(wish) => self.wishes.push(wish),
                Output::Dictate { on, .. } => {
                    *self.reached.entry("dictations").or_default() += usize::from(on);
                    self.dictated = !on;
                }
                Output::PlayDictated { leg, play } => self.plays.push((leg, play)),
                Output::Record { event: RecordEvent::VoicemailBegun { .. }, .. } => self.voicemails += 1,
                Output::Record { event: RecordEvent::VoicemailEnded { .. }, .. } => {
                    assert!(self.voicemails > 0, "seed {seed}: a voicemail ended twice");
                    self.voicemails -= 1;
                }
                Output::Keys { leg, .. } => {
                    assert!(!self.hung_up.contains_key(&leg), "seed {seed}: keys to nobody");
                    assert_ne!(self.call.stage(), Stage::Held, "seed {seed}: keys to a caller on hold");
                }
                Output::SetRecording { state, .. } => self.recorded = state == RecordingState::On,
                _ => {}
            }
        }
        assert!(self.ended <= 1, "seed {seed}: ended twice");
        let parked = self.call.parked().is_some();
        assert!(!(parked && self.in_queue), "seed {seed}: parked and in the queue");
        let nowhere = self.call.stage() == Stage::Parked && self.call.poll_timeout().is_none();
        assert!(!nowhere, "seed {seed}: parked for ever");
        let voicemail = self.call.is_voicemail_recorded();
        assert_eq!(voicemail, self.voicemails > 0, "seed {seed}: a voicemail is on record while it is recorded");
        assert!(!voicemail || self.recorded, "seed {seed}: a voicemail that is not recorded");
        let may = (voicemail || self.call.recording_mode() != RecordingMode::Off) && !self.caller_gone;
        let told = voicemail || !announced(seed) || self.heard.contains(&CALLER) || !self.call.recorded_legs().caller;
        let asked = matches!(self.call.stage(), Stage::Menu | Stage::Voicemail | Stage::CheckIn);
        let bound = |leg: LegId| self.keys_bound.get(&leg).copied().unwrap_or_default();
        assert!(
            !asked || self.caller_gone || bound(CALLER) == KeysBound::All,
            "seed {seed}: keys that are asked for are ours"
        );
        if self.call.may_recall() || self.call.is_recalled() {
            let both = [Some(CALLER), self.call.patch.as_ref().map(|patch| patch.leg.id)].into_iter().flatten();
            assert!(both.map(bound).all(|bound| bound == KeysBound::Star), "seed {seed}: a star is ours");
        }
        assert!(self.clocks >= 0, "seed {seed}: a patch that ended twice");
        assert!(!self.recorded || (may && told), "seed {seed}: recorded unasked or untold");
        assert!(!self.recorded || self.untold().is_none(), "seed {seed}: a contact is recorded untold");
        let paused = self.call.recording_state() == RecordingState::Paused;
        let alone = self.call.operator.is_none() && self.untold().is_none();
        assert!(!(paused && alone), "seed {seed}: a pause that nobody can lift");
        let covered = self.call.is_recording_covered();
        assert!(!(covered && self.recorded), "seed {seed}: recorded while a card number is typed");
        assert!(!covered || self.call.poll_timeout().is_some(), "seed {seed}: covered for ever");
        self.contact_recorded |= self.recorded && self.must_tell().is_some();
        self.check_left_out();
        self.check_listeners();
    }

    /// While anything is recorded, nobody is whom the account does not want recorded.
    fn check_left_out(&self) {
        let (seed, legs) = (self.seed, self.call.recorded_legs());
        for (leg, _) in self.matrix.rows.iter().filter(|_| self.recorded) {
            let is_recorded = match self.call.role(*leg) {
                Some(Role::Caller) => legs.caller,
                Some(Role::Contact) => legs.contact,
                Some(Role::Operator | Role::Colleague | Role::Supervisor) => legs.operator,
                None => true,
            };
            assert!(is_recorded || self.matrix.off_record.contains(leg), "seed {seed}: {leg:?} is recorded unwanted");
        }
    }

    /// The contact on the line, if they are to be told.
    pub(super) fn must_tell(&self) -> Option<LegId> {
        let policy = policy(self.seed);
        let must = announced(self.seed) && policy.tell_contact && policy.legs.contact;
        let asked = |patch: &&Patch| patch.state == patch::PatchState::Asked;
        let up = self.call.patch.as_ref().filter(|patch| must && patch.leg.is_up() && !asked(patch));
        up.map(|patch| patch.leg.id)
    }

    /// The contact on the line who should have been told and was not.
    pub(super) fn untold(&self) -> Option<LegId> {
        self.must_tell().filter(|leg| !self.heard.contains(leg) && !self.waived.contains(leg))
    }

    pub(super) fn check_matrix(&self) {
        let seed = self.seed;
        for (leg, sources) in &self.matrix.rows {
            assert!(!self.hung_up.contains_key(leg), "seed {seed}: a leg that is gone hears");
            assert!(!sources.contains(&Source::Leg(*leg)), "seed {seed}: hears itself");
            for source in sources {
                if let Source::Leg(other) = source {
                    assert!(self.matrix.rows.iter().any(|(l, _)| l == other), "seed {seed}: hears an unlisted leg");
                }
            }
        }
        assert!(!(self.caller_gone && self.matrix.rows.iter().any(|(l, _)| *l == CALLER)), "seed {seed}");
        // Caller and contact hear each other only after a join, a cold patch, a transfer, or a contact who takes the caller.
        for (hearer, sources) in &self.matrix.rows {
            for source in sources {
                let Source::Leg(heard) = source else { continue };
                let both = [*hearer, *heard];
                let stranger = both.iter().find(|leg| self.numbers.contains(leg) && !self.introduced.contains(leg));
                let early = self.call.stage_now() == Stage::Spilling;
                assert!(
                    !both.contains(&CALLER) || stranger.is_none() || early,
                    "seed {seed}: caller and {stranger:?} are live together and were never joined"
                );
            }
        }
        // While operator and contact announce, the caller hears music and is heard by nobody.
        if matches!(self.call.stage_now(), Stage::Patching | Stage::Consulting | Stage::Reaching) {
            let caller = self.matrix.heard_by(CALLER);
            assert!(caller.iter().all(|s| *s == Source::Music), "seed {seed}: caller hears the announcement");
            let heard = self.matrix.rows.iter().any(|(_, s)| s.contains(&Source::Leg(CALLER)));
            assert!(!heard, "seed {seed}: caller is heard in private");
        }
    }

    /// Takes the supervisors out of the matrix: the rest is as it would be without them, but that they are heard. A monitor
    /// is heard by nobody, a whisper by the operator alone, and neither is on the recording.
    pub(super) fn check_listeners(&self) {
        let seed = self.seed;
        for listener in self.call.listeners().iter().filter(|l| l.is_there()) {
            let leg = self.listening[&listener.user];
            let hear: Vec<LegId> = (self.matrix.rows.iter())
                .filter(|(_, sources)| sources.contains(&Source::Leg(leg)))
                .map(|(hearer, _)| *hearer)
                .filter(|hearer| !self.listening.values().any(|l| l == hearer))
                .collect();
            let operator = |leg: &LegId| self.call.role(*leg) == Some(Role::Operator);
            match listener.mode {
                ListenMode::Monitor => assert!(hear.is_empty(), "seed {seed}: a monitor is heard by {hear:?}"),
                ListenMode::Whisper => {
                    assert!(hear.len() <= 1 && hear.iter().all(operator), "seed {seed}: a whisper to {hear:?}");
                    assert!(self.matrix.off_record.contains(&leg), "seed {seed}: a whisper is recorded");
                }
                ListenMode::Barge if matches!(self.call.stage_now(), Stage::Patching) => {
                    assert!(!hear.contains(&CALLER), "seed {seed}: the caller hears of the announcement");
                }
                ListenMode::Barge => {}
            }
        }
    }
}
