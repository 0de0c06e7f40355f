//! Caller and contact of a [`Call`] on their own: the operator has dropped off, or there was none. How long that may last,
//! `*` by which either brings an operator, and how long the patch lasted in all.
//!
//! What always holds: while an operator is on the way, and when none comes, the two go on hearing each other; a tone warns
//! both before the account's time is over; how long a patch lasted is on record once, when it is over.

use std::time::{Duration, Instant};

use super::bridge::LegId;
use super::cause::Cause;
use super::event::{OfferEnd, RecordEvent};
use super::patch::{Patch, PatchState};
use super::{Call, CallAlarm, Output, Phase};
use crate::domain::account::Speech;

/// The warning comes so long before the end.
const WARNING: Duration = Duration::from_secs(60);

const CALLED: &str = "An operator is being called.";
const NONE_FREE: &str = "No operator is free just now.";

/// How long a patch has lasted, and how long it may.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PatchClock {
    begun: bool,
    joined_since: Option<Instant>,
    joined: Duration,
    alone_since: Option<Instant>,
    alone: Duration,
    warn_at: Option<Instant>,
    end_at: Option<Instant>,
    /// What was left until the warning and the end when an operator was called.
    left: (Option<Duration>, Option<Duration>),
}

impl PatchClock {
    /// `limit`: how long the two may be alone.
    pub(super) fn enter(&mut self, now: Instant, state: PatchState, limit: Option<Duration>) {
        self.stop(now);
        self.part(now);
        if matches!(state, PatchState::Joined | PatchState::Dropped) {
            self.begun = true;
            self.joined_since = Some(now);
        }
        if state == PatchState::Dropped {
            self.alone_since = Some(now);
            self.end_at = limit.map(|limit| now + limit);
            self.warn_at = limit.map(|limit| now + limit.saturating_sub(WARNING));
        }
    }

    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Somebody of ours looks after them from now on.
    fn stop(&mut self, now: Instant) {
        if let Some(since) = self.alone_since.take() {
            self.alone += now - since;
        }
        self.left = [self.warn_at.take(), self.end_at.take()].map(|at| at.map(|at| at - now)).into();
    }

    /// Nobody came to look after them: what was left of their time runs on.
    fn go_on(&mut self, now: Instant) {
        self.alone_since = Some(now);
        (self.warn_at, self.end_at) = (self.left.0.map(|left| now + left), self.left.1.map(|left| now + left));
    }

    /// Caller and contact no longer hear each other.
    pub(super) fn part(&mut self, now: Instant) {
        if let Some(since) = self.joined_since.take() {
            self.joined += now - since;
        }
    }

    /// How long they were joined, and how much of that alone. Nothing of two who never were.
    fn lasted(mut self, now: Instant) -> Option<(Duration, Duration)> {
        self.stop(now);
        self.part(now);
        self.begun.then_some((self.joined, self.alone))
    }
}

fn words(text: &str) -> Speech {
    Speech::Spoken { text: text.to_owned() }
}

fn tone() -> Speech {
    Speech::Recorded { prompt: "beep".to_owned() }
}

impl Call {
    /// All that the two may hear.
    pub(super) fn alone_speeches(&self) -> [Speech; 3] {
        [tone(), words(CALLED), words(NONE_FREE)]
    }

    /// An operator is wanted by caller or contact, who talk on meanwhile.
    pub(super) fn is_recalled(&self) -> bool {
        self.patch.as_ref().is_some_and(|patch| patch.recalled)
    }

    /// They can bring an operator: not in a call that was taken elsewhere, where others look after them.
    pub(super) fn may_recall(&self) -> bool {
        let ours = |patch: &Patch| patch.state == PatchState::Dropped && patch.spill.is_none();
        self.phase == Phase::Patching && self.operator.is_none() && self.patch.as_ref().is_some_and(ours)
    }

    /// Whose `*` is for us.
    pub(super) fn has_star(&self, leg: LegId) -> bool {
        let may = self.may_recall() || self.is_recalled();
        may && (leg == self.caller.id || self.patch.as_ref().is_some_and(|patch| patch.leg.id == leg))
    }

    pub(super) fn on_star(&mut self, leg: LegId) {
        if !self.may_recall() {
            return;
        }
        let by_caller = leg == self.caller.id;
        self.record(RecordEvent::PatchRecalled { by_caller });
        if let Some(patch) = &mut self.patch {
            patch.recalled = true;
            patch.clock.stop(self.now);
        }
        // Whoever finishes the form of it is free, and may be the one to come.
        self.end_wrap_up(None);
        self.phase = Phase::Queued;
        self.say_to(leg, words(CALLED));
        self.outputs.push_back(Output::Requeue);
    }

    /// The operator is there: all hear each other.
    pub(super) fn rejoin(&mut self) {
        if let Some(patch) = &mut self.patch {
            patch.recalled = false;
        }
        self.phase = Phase::Patching;
        self.set_patch_state(PatchState::Joined);
        self.record(RecordEvent::PatchRejoined);
    }

    /// No operator in time: the two talk on.
    pub(super) fn give_up_recall(&mut self) {
        if matches!(self.phase, Phase::Offered { .. }) {
            self.fail_offer(OfferEnd::Withdrawn);
        }
        self.outputs.push_back(Output::Dequeue);
        self.outputs.push_back(Output::Alarm(CallAlarm::NobodyCame));
        if let Some(patch) = &mut self.patch {
            patch.recalled = false;
            patch.clock.go_on(self.now);
        }
        self.phase = Phase::Patching;
        self.record(RecordEvent::RecallFailed);
        self.say_to_both(words(NONE_FREE));
    }

    /// The contact left before the operator came: the caller waits for them like anybody.
    pub(super) fn contact_left_recall(&mut self) {
        if let Some(mut patch) = self.take_patch() {
            self.release(&mut patch.leg);
        }
    }

    /// The patch is over; how long it lasted is on record.
    pub(super) fn take_patch(&mut self) -> Option<Patch> {
        let patch = self.patch.take()?;
        if patch.spill.is_none()
            && let Some((lasted, alone)) = patch.clock.lasted(self.now)
        {
            let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            self.record(RecordEvent::PatchOver { ms: ms(lasted), alone_ms: ms(alone) });
        }
        Some(patch)
    }

    pub(super) fn alone_until(&self) -> Option<Instant> {
        let clock = &self.patch.as_ref().filter(|_| self.phase == Phase::Patching)?.clock;
        clock.warn_at.into_iter().chain(clock.end_at).min()
    }

    pub(super) fn alone_tick(&mut self) {
        let now = self.now;
        let Some(patch) = self.patch.as_mut().filter(|_| self.phase == Phase::Patching) else { return };
        if patch.clock.end_at.is_some_and(|at| at <= now) {
            self.record(RecordEvent::PatchTimeOver);
            self.end(Cause::Released);
        } else if patch.clock.warn_at.take_if(|at| *at <= now).is_some() {
            self.record(RecordEvent::PatchWarned);
            self.say_to_both(tone());
        }
    }

    fn say_to_both(&mut self, speech: Speech) {
        let contact = self.patch.as_ref().map(|patch| &patch.leg).filter(|leg| leg.is_up()).map(|leg| leg.id);
        for leg in [Some(self.caller.id), contact].into_iter().flatten() {
            self.say_to(leg, speech.clone());
        }
    }

    fn say_to(&mut self, leg: LegId, speech: Speech) {
        if self.hears_notice(leg) {
            return;
        }
        if leg == self.caller.id {
            self.stop_play();
            self.play_to_caller(speech);
        } else {
            let play = self.next_play();
            self.outputs.push_back(Output::Play { leg, play, speech });
        }
    }
}
