//! Supervisors who listen to a [`Call`]: monitor, whisper, barge, and from one to another with one word.
//!
//! Who may listen is asked elsewhere, and whose phone is free. What always holds: a monitor is heard by nobody, a whisper by
//! the operator alone, and neither is recorded; a caller on hold, or announced and not yet joined, hears none of them;
//! whoever comes, switches or goes changes nothing between the others; a caller whose contact hangs up while the operator is
//! out of it stays with who has barged in until one of the two hangs up; and each listener's end is told exactly once
//! ([`Output::ListenerGone`]), at the latest with the call's.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::bridge::{HearMatrix, LegId, Source};
use super::cause::Cause;
use super::event::RecordEvent;
use super::leg::{Leg, LegInput, LegState};
use super::{Call, CommandError, Output, Party, Phase};
use crate::base::id::UserId;

/// How long a supervisor's phone may take to come up.
const RING_LIMIT: Duration = Duration::from_secs(20);
/// How long one whose browser has fallen silent may stay so: networks change.
const SILENT_LIMIT: Duration = Duration::from_secs(10);
/// Supervisors in one call.
const MAX_LISTENERS: usize = 4;

/// How a supervisor is in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListenMode {
    /// Hears, and is heard by nobody.
    Monitor,
    /// The operator alone hears them.
    Whisper,
    /// Everybody who talks hears them.
    Barge,
}

/// A supervisor in a call, or on the way into it.
#[derive(Clone, Debug)]
pub struct Listener {
    pub user: UserId,
    pub mode: ListenMode,
    /// Since when in this mode.
    pub since: Instant,
    leg: Leg,
    /// When their phone is no longer waited for.
    until: Option<Instant>,
}

impl Listener {
    /// False while their phone still rings.
    pub fn is_there(&self) -> bool {
        self.leg.is_up()
    }
}

impl Call {
    /// The supervisors in it.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// A supervisor wants to listen, or to go on in another mode. `leg` is the number of the leg to be made if there is none
    /// yet. Nothing changes when that does not go.
    pub fn listen(&mut self, now: Instant, by: &UserId, leg: LegId, mode: ListenMode) -> Result<(), CommandError> {
        self.now = now;
        if self.operator.as_ref().is_some_and(|o| o.user == *by) {
            return Err(CommandError::OwnCall);
        }
        let may_come = self.listeners.len() < MAX_LISTENERS && self.is_talked_in();
        match self.listeners.iter_mut().find(|l| l.user == *by) {
            Some(listener) if listener.mode == mode => {}
            Some(listener) => {
                (listener.mode, listener.since) = (mode, now);
                if listener.leg.is_up() {
                    self.record(RecordEvent::ListenMode { user: by.clone(), mode });
                }
            }
            None if may_come => {
                let mut dialled = Leg::new(leg);
                dialled.state = LegState::Dialling;
                let until = Some(now + RING_LIMIT);
                self.listeners.push(Listener { user: by.clone(), mode, since: now, leg: dialled, until });
                self.outputs.push_back(Output::Dial { leg, to: Party::Listener(by.clone()) });
            }
            None => return Err(CommandError::NotNow),
        }
        // Who will no longer be heard leaves the caller to an operator.
        self.look_after_caller();
        self.settle();
        Ok(())
    }

    /// A supervisor goes; one who does not listen has gone already.
    pub fn leave(&mut self, now: Instant, by: &UserId) {
        self.now = now;
        self.let_listeners_go(|l| l.user == *by);
        self.settle();
    }

    pub(super) fn listens(&self, leg: LegId) -> bool {
        self.listeners.iter().any(|l| l.leg.id == leg)
    }

    pub(super) fn on_listener(&mut self, leg: LegId, event: LegInput) {
        let now = self.now;
        let Some(listener) = self.listeners.iter_mut().find(|l| l.leg.id == leg) else { return };
        if listener.leg.advance(event) {
            (listener.until, listener.since) = (None, now);
            let (user, mode) = (listener.user.clone(), listener.mode);
            self.record(RecordEvent::ListenBegan { user, mode });
            return;
        }
        match event {
            LegInput::Ended(why) => {
                self.let_listeners_go(|l| l.leg.id == leg);
                if why != Cause::HungUp {
                    self.look_after_caller();
                }
            }
            // Answered and no path: the browser's answer is of no use.
            LegInput::Silent if !listener.leg.is_up() && listener.leg.answered => {
                self.let_listeners_go(|l| l.leg.id == leg);
            }
            LegInput::Silent if listener.leg.is_up() => {
                listener.until.get_or_insert(now + SILENT_LIMIT);
            }
            LegInput::Heard | LegInput::MediaUp if listener.leg.is_up() => listener.until = None,
            _ => {}
        }
    }

    /// When a listener's phone is no longer waited for.
    pub(super) fn listeners_until(&self) -> Option<Instant> {
        self.listeners.iter().filter_map(|l| l.until).min()
    }

    pub(super) fn give_up_listeners(&mut self) {
        let now = self.now;
        self.let_listeners_go(|l| l.until.is_some_and(|until| until <= now));
        self.look_after_caller();
    }

    /// Somebody of ours is, or was, with the caller: who listens stays through a change of operators.
    const fn is_talked_in(&self) -> bool {
        matches!(
            self.phase,
            Phase::Talking
                | Phase::Held
                | Phase::Doubt { .. }
                | Phase::Patching
                | Phase::WithSupervisor
                | Phase::Consulting
        ) || matches!(&self.patch, Some(patch) if patch.recalled)
    }

    /// The caller hears one of them.
    fn has_company(&self) -> bool {
        self.listeners.iter().any(|l| l.leg.is_up() && l.mode == ListenMode::Barge)
    }

    /// The contact of a patch without an operator has gone: who has barged in talks on with the caller. False if nobody has.
    pub(super) fn keep_caller_company(&mut self) -> bool {
        if self.caller_gone || !self.has_company() {
            return false;
        }
        self.phase = Phase::WithSupervisor;
        if let Some(mut patch) = self.take_patch() {
            self.release(&mut patch.leg);
        }
        true
    }

    /// A supervisor did not hang up on the caller, and is heard no more all the same: the caller waits at the queue's head.
    fn look_after_caller(&mut self) {
        if self.phase == Phase::WithSupervisor && !self.has_company() {
            self.back_to_operator();
        }
    }

    /// After every input: the supervisor who talked with the caller has hung up, and that was the call.
    pub(super) fn settle_company(&mut self) {
        if self.phase == Phase::WithSupervisor && !self.has_company() {
            self.end(Cause::Released);
        }
    }

    /// After every input: nobody listens on where nobody is left to be heard.
    pub(super) fn settle_listeners(&mut self) {
        let waits = matches!(self.phase, Phase::Queued | Phase::Offered { .. });
        if !waits && !self.is_talked_in() {
            self.let_listeners_go(|_| true);
        }
    }

    pub(super) fn let_listeners_go(&mut self, goes: impl Fn(&Listener) -> bool) {
        let (gone, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut self.listeners).into_iter().partition(|l| goes(l));
        self.listeners = stay;
        if gone.is_empty() {
            return;
        }
        // The others are among themselves before the leg goes.
        self.settle_bridge();
        for mut listener in gone {
            let user = listener.user;
            if listener.leg.is_up() {
                self.record(RecordEvent::ListenEnded { user: user.clone() });
            }
            self.release(&mut listener.leg);
            self.outputs.push_back(Output::ListenerGone { user });
        }
    }

    /// Puts the supervisors into who hears whom. `operator`: the leg by which the operator speaks, if it is up.
    pub(super) fn add_listeners(
        &self,
        matrix: HearMatrix,
        caller: Option<LegId>,
        operator: Option<LegId>,
    ) -> HearMatrix {
        let there: Vec<&Listener> = self.listeners.iter().filter(|l| l.leg.is_up()).collect();
        if there.is_empty() {
            return matrix;
        }
        let conversation = Conversation::of(&matrix, caller, operator, self.waits_alone(operator));
        conversation.with(matrix, &there)
    }

    /// The caller waits for an operator: one who has barged in keeps them company.
    fn waits_alone(&self, operator: Option<LegId>) -> bool {
        let waits = matches!(
            self.phase,
            Phase::Queued | Phase::Offered { .. } | Phase::Held | Phase::Doubt { .. } | Phase::WithSupervisor
        );
        waits && operator.is_none() && !self.is_recalled()
    }
}

/// Who talks with whom, but for those who listen.
struct Conversation {
    /// Who is heard by somebody.
    heard: Vec<LegId>,
    /// Who hears somebody.
    hear: Vec<LegId>,
    operator: Option<LegId>,
    /// A caller who waits and may be kept company.
    alone: Option<LegId>,
    /// The ringing that the operator hears.
    ringing: Vec<Source>,
    /// What the caller hears while they hear nobody: heard where there is nothing else, so that a line does not seem dead.
    music: Vec<Source>,
}

impl Conversation {
    fn of(matrix: &HearMatrix, caller: Option<LegId>, operator: Option<LegId>, alone: bool) -> Self {
        let rows = &matrix.rows;
        let is_heard = |leg: &LegId| rows.iter().any(|(_, sources)| sources.contains(&Source::Leg(*leg)));
        // Whoever is heard is listed too.
        let heard = rows.iter().map(|(leg, _)| *leg).filter(is_heard).collect();
        let hears = |sources: &[Source]| sources.iter().any(|source| matches!(source, Source::Leg(_)));
        let hear = rows.iter().filter(|(_, sources)| hears(sources)).map(|(leg, _)| *leg).collect();
        let sounds_of = |leg: Option<LegId>| {
            let sources = leg.map_or(&[][..], |leg| matrix.heard_by(leg)).iter();
            sources.filter(|s| !matches!(s, Source::Leg(_))).copied().collect::<Vec<_>>()
        };
        let (ringing, music) = (sounds_of(operator), sounds_of(caller));
        Self { heard, hear, operator, alone: caller.filter(|_| alone), ringing, music }
    }

    fn with(self, mut matrix: HearMatrix, there: &[&Listener]) -> HearMatrix {
        let barges = |l: &&&Listener| l.mode == ListenMode::Barge;
        let company = self.alone.filter(|_| there.iter().any(|l| barges(&l)));
        for listener in there {
            let (me, mode) = (listener.leg.id, listener.mode);
            let mut ears = self.heard.clone();
            ears.extend(company.filter(|caller| !ears.contains(caller)));
            if mode != ListenMode::Monitor {
                ears.extend(self.operator.filter(|operator| !ears.contains(operator)));
            }
            let others = there.iter().filter(|l| l.leg.id != me && barges(l)).map(|l| l.leg.id);
            let people = ears.iter().copied().chain(others).map(Source::Leg);
            let mut sources: Vec<Source> = people.collect();
            sources.extend(&self.ringing);
            if sources.is_empty() {
                sources.extend(&self.music);
            }
            matrix.rows.push((me, sources));
        }
        for listener in there {
            let me = listener.leg.id;
            let hearers: Vec<LegId> = match listener.mode {
                ListenMode::Monitor => continue,
                ListenMode::Whisper => self.operator.into_iter().collect(),
                ListenMode::Barge => {
                    let operator = self.operator.filter(|operator| !self.hear.contains(operator));
                    self.hear.iter().copied().chain(operator).chain(company).collect()
                }
            };
            // What is said to the operator alone, while the caller hears nobody, is not part of the call.
            if listener.mode == ListenMode::Whisper || (self.hear.is_empty() && company.is_none()) {
                matrix.off_record.push(me);
                matrix.off_record.extend(self.operator.filter(|operator| !self.heard.contains(operator)));
            }
            for (leg, sources) in matrix.rows.iter_mut().filter(|(leg, _)| hearers.contains(leg)) {
                if Some(*leg) == company {
                    sources.retain(|source| *source != Source::Music);
                }
                sources.push(Source::Leg(me));
            }
        }
        matrix.off_record.sort_unstable();
        matrix.off_record.dedup();
        matrix
    }
}
