//! Browsers whose network changes in mid-call: what is heard of them becomes word for their [`Path`], and what that
//! decides becomes an offer of media, carried by signalling.
//!
//! Decides nothing itself. The call goes on meanwhile: whether an operator who is silent is given up is the seat's to say.

use std::time::Instant;

use super::{Legs, Side, Wire};
use crate::domain::call::bridge::LegId;
use crate::domain::call::path::{Path, PathInput};
use crate::engine::signal::LegCommand;
use crate::io::media::MediaEvent;

impl Wire {
    /// A browser's, which has a path of its own.
    pub(super) fn is_web(&self) -> bool {
        self.side == Side::Phone && self.sdp.is_none()
    }
}

impl Legs {
    /// What a shard tells of a browser's path. True if that is all there is to it.
    pub fn follow_path(&mut self, now: Instant, event: &MediaEvent) -> bool {
        match event {
            MediaEvent::WebUp { leg } | MediaEvent::Heard { leg } => self.tell_path(now, *leg, PathInput::Up),
            MediaEvent::WebDown { leg } | MediaEvent::Silent { leg } => self.tell_path(now, *leg, PathInput::Lost),
            MediaEvent::WebOffer { leg, offer } => {
                if self.wires.iter().any(|w| w.leg == *leg && !w.ended) {
                    self.command(Side::Phone, *leg, LegCommand::Reoffer(offer.clone().into_bytes()));
                }
                return true;
            }
            MediaEvent::WebNoOffer { leg } => {
                self.tell_path(now, *leg, PathInput::Refused);
                return true;
            }
            _ => {}
        }
        false
    }

    /// The answer to an offer of another path; `false` if this leg is no browser's.
    pub(super) fn reanswered_path(&mut self, leg: LegId, answer: &[u8]) -> bool {
        if !self.wires.iter().any(|w| w.leg == leg && w.is_web()) {
            return false;
        }
        let answer = String::from_utf8_lossy(answer).into_owned();
        if let Err(fault) = self.wiring.media.answer_web(leg, answer) {
            tracing::debug!(leg = leg.0, "an answer came too late: {fault}");
        }
        self.tell_path(self.wiring.clock.instant(), leg, PathInput::Answered);
        true
    }

    pub(super) fn tell_path(&mut self, now: Instant, leg: LegId, input: PathInput) {
        let Some(wire) = self.wires.iter_mut().find(|w| w.leg == leg && w.is_web() && !w.ended) else { return };
        if wire.path.handle(now, input) {
            metrics::counter!("cordboard_browser_paths_total").increment(1);
            tracing::info!(leg = leg.0, "an operator's browser is offered another path");
            self.wiring.media.restart_web(leg);
        }
    }

    /// When to come back with [`Legs::tick`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.wires.iter().filter(|w| !w.ended).filter_map(|w| w.path.poll_timeout()).min()
    }

    /// Time has come for what [`Legs::poll_timeout`] said; harmless at any other.
    pub fn tick(&mut self, now: Instant) {
        let due = |path: &Path| path.poll_timeout().is_some_and(|at| at <= now);
        let legs: Vec<LegId> = self.wires.iter().filter(|w| due(&w.path)).map(|w| w.leg).collect();
        for leg in legs {
            self.tell_path(now, leg, PathInput::Tick);
        }
    }
}
