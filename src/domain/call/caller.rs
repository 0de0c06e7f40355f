//! The caller's way through a [`Call`]: arriving, the greeting, the queue and what is said there, and a caller who goes.
//! What comes between greeting and queue, if anything does, is in [`flow`](super::flow).
//!
//! What always holds: nothing plays to a caller before their telephone acknowledged our answer, and a caller who has gone is
//! on record with the stage they were in.

use super::cause::Cause;
use super::event::{OfferEnd, RecordEvent, VoicemailEnd};
use super::leg::{LegInput, LegState};
use super::patch::PatchState;
use super::{ACK_LIMIT, Call, Output, PROMPT_LIMIT, Phase};

impl Call {
    pub(super) fn arrive(&mut self) {
        if self.phase != Phase::New {
            return;
        }
        if self.waits_to_ring_back() {
            return self.arrive_to_ring_back();
        }
        self.record(RecordEvent::Arrived);
        self.caller.state = LegState::Dialling;
        // A telephone's audio path is there as soon as both descriptions are.
        self.caller.media_up = true;
        if !self.ring_before_answer() {
            self.answer();
        }
    }

    /// The caller is answered, and greeted as soon as their telephone has acknowledged it.
    pub(super) fn answer(&mut self) {
        self.phase = Phase::Arriving { until: self.now + ACK_LIMIT };
        self.outputs.push_back(Output::Answer { leg: self.caller.id });
    }

    pub(super) fn on_caller(&mut self, event: LegInput) {
        if self.waits_to_ring_back() {
            return;
        }
        if matches!(self.phase, Phase::RingingBack { .. }) {
            return self.on_rung_caller(event);
        }
        let was_silent = self.caller.silent;
        let came_up = self.caller.advance(event);
        if self.caller.silent != was_silent {
            self.record(if was_silent { RecordEvent::CallerHeard } else { RecordEvent::CallerSilent });
        }
        if came_up {
            self.record(RecordEvent::Established);
        }
        if came_up && matches!(self.phase, Phase::Arriving { .. }) {
            self.record(RecordEvent::GreetingStarted);
            self.begin_recording();
            self.greet();
        }
        match event {
            LegInput::Digit(key) => self.on_caller_key(key),
            LegInput::Spoke => self.on_caller_voice(true),
            LegInput::Quiet => self.on_caller_voice(false),
            LegInput::Ended(why) => self.on_caller_gone(why),
            _ => {}
        }
    }

    pub(super) fn on_caller_gone(&mut self, why: Cause) {
        if self.caller_gone || matches!(self.phase, Phase::New | Phase::Over) {
            return;
        }
        self.caller_gone = true;
        self.close_voicemail(VoicemailEnd::HungUp);
        self.end_recording();
        self.record(RecordEvent::CallerGone { stage: self.stage_left(), why });
        self.note_abandoned();
        self.stop_play();
        self.release_caller();
        if self.phase == Phase::Reaching {
            return self.caller_left_reaching(why);
        }
        if self.patch_state() == Some(PatchState::Held) {
            // Whoever waits with music is who is left to speak with.
            self.set_patch_state(PatchState::Private);
        }
        if let Some(patch) = &mut self.patch {
            patch.clock.part(self.now);
        }
        // With a contact on the line, or being dialled, the operator still has somebody to speak with.
        if self.phase != Phase::Patching || self.operator.is_none() || self.is_transferring() {
            self.end(why);
        }
    }

    /// The status greeting, if there is one, comes first.
    fn greet(&mut self) {
        let first = self.setup.status.take();
        self.greeting_to_come = first.is_some();
        if first.is_some() {
            self.record(RecordEvent::StatusGreetingPlayed);
        }
        self.play_to_caller(first.unwrap_or_else(|| self.setup.greeting.clone()));
        self.phase = Phase::Greeting { until: self.now + PROMPT_LIMIT };
    }

    /// The greeting itself, if that was the status greeting; a word about the recording, if there is one to say; then the
    /// account's flow.
    pub(super) fn greeting_over(&mut self) {
        if std::mem::take(&mut self.greeting_to_come) {
            self.play_to_caller(self.setup.greeting.clone());
            self.phase = Phase::Greeting { until: self.now + PROMPT_LIMIT };
        } else if self.announce_after_greeting() {
            self.phase = Phase::Greeting { until: self.now + PROMPT_LIMIT };
        } else {
            self.leave_greeting();
        }
    }

    pub(super) fn join_queue(&mut self) {
        self.record(RecordEvent::Queued);
        self.phase = Phase::Queued;
        self.plan_callback();
        let (priority, call_type) = (self.priority, self.call_type.clone());
        self.outputs.push_back(Output::Enqueue { priority, call_type });
    }

    /// Served before the others from now on.
    pub(super) fn on_raised(&mut self, priority: i32) {
        self.raised = self.raised.max(priority);
        self.priority = self.priority.max(priority);
        if self.phase == Phase::Queued {
            self.outputs.push_back(Output::Raise { priority: self.priority });
        }
    }

    pub(super) fn on_overdue(&mut self) {
        match self.phase {
            // Whoever is not on the line waits as long as it takes.
            _ if self.waits_to_ring_back() => return,
            // Whoever fetches a parked caller takes nobody out of the queue.
            _ if self.parked.is_some() => return,
            Phase::Queued if self.is_recalled() => return self.give_up_recall(),
            Phase::Queued => {}
            // An operator who has answered is a moment away: if that fails, the queue says "overdue" again.
            Phase::Offered { .. } if self.operator.as_ref().is_some_and(|o| !o.leg.answered) => {
                if self.is_recalled() {
                    return self.give_up_recall();
                }
                self.fail_offer(OfferEnd::Withdrawn);
            }
            _ => return,
        }
        if !self.ask_in_place_of_apology() {
            self.leave_queue_overdue();
        }
    }

    pub(super) fn apology_over(&mut self) {
        self.note_abandoned();
        self.end(Cause::NoAnswer);
    }

    pub(super) fn on_comfort(&mut self) {
        let waits = matches!(self.phase, Phase::Queued | Phase::Offered { .. }) && self.caller.is_up();
        if !waits || self.playing.is_some() || self.is_recalled() {
            return;
        }
        let turn = self.comforted.checked_rem(self.setup.comfort.len());
        if let Some(speech) = turn.and_then(|turn| self.setup.comfort.get(turn)).cloned() {
            self.comforted += 1;
            self.record(RecordEvent::ComfortPlayed);
            self.play_to_caller(speech);
        }
    }
}
