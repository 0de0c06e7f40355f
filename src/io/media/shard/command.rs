//! What a shard is asked for, and what it does about it. Commands for a leg that is on its way here wait for it.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendError;

use super::{Bridge, Shard};
use crate::domain::call::bridge::{BridgeId, HearMatrix, KeysBound, LegId, Source};
use crate::io::media::hush::Hush;
use crate::io::media::inbox::Taken;
use crate::io::media::leg::Leg;
use crate::io::media::take::Take;
use crate::io::media::tune::Tune;
use crate::io::media::{FarEnd, MediaEvent, PlayId, Prompt, RtpParameters};
use crate::io::recording::{Kind, Tap};

/// What a shard is asked for.
#[derive(Debug)]
pub(in crate::io::media) enum Command {
    Open(Box<Leg>),
    Connect(LegId, RtpParameters),
    AnswerWeb(LegId, String),
    RestartWeb(LegId),
    SetBridge(BridgeId, u64, HearMatrix),
    DropBridge(BridgeId),
    Play {
        leg: LegId,
        play: PlayId,
        prompt: Arc<Prompt>,
        repeat: bool,
    },
    Stop(LegId, PlayId),
    /// What the leg hears wherever there is music; none: the house's.
    SetTune(LegId, Option<Arc<Tune>>),
    /// What the leg's far end says is taken down from now on, in place of what was before; until the end of it.
    Take(LegId, Box<Take>),
    EndTake(LegId),
    /// What the leg's far end does is told from now on.
    Listen(LegId, Box<FarEnd>),
    BindDigits(LegId, KeysBound),
    PressKeys(LegId, String),
    /// This leg's call is recorded from now on, until the leg ends.
    Record(LegId, Box<Tap>),
    SetRecording(LegId, Kind),
    /// These legs go to another shard, together.
    Move(Vec<LegId>, mpsc::UnboundedSender<Self>),
    /// These legs will come from another shard; what is said to them before waits.
    Expect(Vec<LegId>),
    /// The legs that were expected, those of them that are still there.
    Arrive(Vec<LegId>, Vec<Box<Leg>>),
    Close(LegId),
}

impl Command {
    /// Whom it is for, where it is for some legs alone.
    fn legs(&self) -> &[LegId] {
        match self {
            Self::Connect(leg, _)
            | Self::AnswerWeb(leg, _)
            | Self::RestartWeb(leg)
            | Self::Play { leg, .. }
            | Self::Stop(leg, _)
            | Self::SetTune(leg, _)
            | Self::Take(leg, _)
            | Self::EndTake(leg)
            | Self::Listen(leg, _)
            | Self::BindDigits(leg, _)
            | Self::PressKeys(leg, _)
            | Self::Record(leg, _)
            | Self::SetRecording(leg, _)
            | Self::Close(leg) => std::slice::from_ref(leg),
            Self::Move(legs, _) => legs,
            Self::Open(_) | Self::SetBridge(..) | Self::DropBridge(_) | Self::Expect(_) | Self::Arrive(..) => &[],
        }
    }
}

impl Shard {
    pub(super) fn take_commands(&mut self, now: Instant) -> bool {
        loop {
            match self.commands.take() {
                Taken::Message(command) => self.command(now, command),
                Taken::Nothing => return true,
                Taken::Closed => return false,
            }
        }
    }

    fn command(&mut self, now: Instant, command: Command) {
        self.stale = true;
        let awaited = command.legs().iter().find(|leg| self.expected.contains_key(*leg));
        if let Some(waiting) = awaited.copied().and_then(|leg| self.expected.get_mut(&leg)) {
            waiting.push(command);
            return;
        }
        match command {
            Command::Open(leg) => self.take_in(now, leg),
            Command::Expect(legs) => self.expected.extend(legs.into_iter().map(|leg| (leg, Vec::new()))),
            Command::Arrive(asked, legs) => {
                for leg in legs {
                    self.take_in(now, leg);
                }
                // All are known by now, so that what is said to some of them together can be done.
                let waiting: Vec<_> = asked.iter().filter_map(|leg| self.expected.remove(leg)).flatten().collect();
                for command in waiting {
                    self.command(now, command);
                }
            }
            Command::Connect(leg, parameters) => self.with(leg, |leg| leg.connect(now, &parameters)),
            Command::AnswerWeb(id, answer) => {
                // A later answer of no use (too late, or to nothing we asked) leaves the path as it is.
                if self.with(id, |leg| !leg.answer(now, &answer) && leg.agreed.is_none()) {
                    self.tell(MediaEvent::WebDown { leg: id });
                }
            }
            Command::RestartWeb(id) => {
                let offer = self.with(id, |leg| leg.restart(now));
                self.tell(match offer {
                    Some(offer) => MediaEvent::WebOffer { leg: id, offer },
                    None => MediaEvent::WebNoOffer { leg: id },
                });
            }
            Command::SetBridge(bridge, rev, matrix) => {
                if self.bridges.get(&bridge).is_some_and(|known| known.rev >= rev) {
                    return;
                }
                self.rewind_new_ringing(bridge, &matrix);
                self.bridges.insert(bridge, Bridge { rev, matrix });
                self.tell(MediaEvent::Bridged { bridge, rev });
            }
            Command::DropBridge(bridge) => {
                self.bridges.remove(&bridge);
            }
            Command::Play { leg, play, prompt, repeat } => {
                let before = self.with(leg, |leg| leg.play(play, prompt, repeat));
                self.news.spend(before);
            }
            Command::Stop(leg, play) => {
                let stopped = self.with(leg, |leg| leg.stop(play));
                self.news.spend(stopped);
            }
            Command::SetTune(leg, tune) => self.with(leg, |leg| leg.set_tune(tune)),
            Command::Take(leg, take) => self.with(leg, |leg| leg.take = Some(take)),
            Command::EndTake(leg) => self.with(leg, Leg::end_take),
            Command::Listen(leg, ear) => self.with(leg, |leg| leg.ear = Some(ear)),
            Command::BindDigits(leg, bound) => self.with(leg, |leg| {
                leg.bound = bound;
                leg.hush = Hush::default();
            }),
            Command::PressKeys(leg, keys) => self.with(leg, |leg| leg.press_keys(keys.chars())),
            Command::Record(leg, tap) => self.with(leg, |leg| leg.tap = Some(tap)),
            Command::SetRecording(leg, kind) => self.with(leg, |leg| {
                if let Some(tap) = &mut leg.tap {
                    tap.set(kind);
                }
            }),
            Command::Move(asked, to) => {
                let legs = asked.iter().filter_map(|leg| self.remove(*leg)).collect();
                // A shard that gave up takes nobody in.
                if let Err(SendError(Command::Arrive(_, legs))) = to.send(Command::Arrive(asked, legs)) {
                    for leg in legs {
                        self.bury(now, leg);
                    }
                }
            }
            Command::Close(leg) => self.close(now, leg),
        }
    }

    /// A leg that begins to hear ringing hears it from its beginning.
    fn rewind_new_ringing(&mut self, bridge: BridgeId, matrix: &HearMatrix) {
        let before = self.bridges.get(&bridge);
        for leg in &mut self.legs {
            let rings = |m: &HearMatrix| m.heard_by(leg.id).contains(&Source::Ringback);
            if rings(matrix) && !before.is_some_and(|b| rings(&b.matrix)) {
                leg.rewind();
            }
        }
    }

    /// Does something with a leg and says what came of it: nothing, if it is not here or fell at it.
    fn with<T: Default>(&mut self, id: LegId, act: impl FnOnce(&mut Leg) -> T) -> T {
        let mut done = T::default();
        if let Some(at) = self.places.get(&id).copied() {
            self.guarded(at, |shard| done = act(&mut shard.legs[at]));
        }
        done
    }
}
