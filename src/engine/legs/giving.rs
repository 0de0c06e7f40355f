//! A leg that goes from one call to another, with its signalling, its description and its media.
//!
//! Decides nothing. What always holds: a leg that was given belongs to one of the two calls at any time, and what is heard of it
//! goes to that one; one that is never taken in is hung up.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Legs, Side, Wire, Wiring};
use crate::domain::call::bridge::LegId;
use crate::engine::signal::LegCommand;
use crate::io::media::{MediaEvent, ShardId};

/// Where the legs of a call are.
#[derive(Clone, Debug)]
pub struct Lands {
    shard: ShardId,
    media_events: mpsc::UnboundedSender<Box<MediaEvent>>,
}

/// A leg between two calls.
pub struct GivenLeg {
    wiring: Arc<Wiring>,
    wire: Option<Wire>,
}

impl Drop for GivenLeg {
    fn drop(&mut self) {
        let Some(wire) = self.wire.take() else { return };
        match wire.side {
            Side::Trunk => self.wiring.signalling.to_trunk(wire.leg, LegCommand::HangUp),
            Side::Phone => self.wiring.signalling.to_phone(wire.leg, LegCommand::HangUp),
        }
        self.wiring.media.close(wire.leg);
        self.wiring.routes.remove_leg(wire.leg);
    }
}

impl Legs {
    /// Where a leg comes that this call takes in.
    pub fn lands(&self) -> Lands {
        Lands { shard: self.shard, media_events: self.media_events.clone() }
    }

    /// Hands a leg on to the call whose legs are there. None: it has ended.
    pub fn give(&mut self, leg: LegId, to: &Lands) -> Option<GivenLeg> {
        let at = self.wires.iter().position(|wire| wire.leg == leg && !wire.ended)?;
        let wire = self.wires.swap_remove(at);
        self.wiring.routes.add_leg(leg, to.media_events.clone());
        self.wiring.media.move_leg(leg, to.shard);
        Some(GivenLeg { wiring: Arc::clone(&self.wiring), wire: Some(wire) })
    }

    /// Takes in a leg that was given to this call.
    pub fn take_in(&mut self, mut given: GivenLeg) {
        self.wires.extend(given.wire.take());
    }
}
