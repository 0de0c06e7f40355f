//! A leg to a colleague's desk phone. It is rung as a telephone is, not as a seat: she picks it up by hand.

use tokio::sync::mpsc;

use super::{Legs, Side, failed, first_offer};
use crate::base::id::UserId;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::call::leg::LegInput;
use crate::domain::operator::Phone;
use crate::engine::signal::LEG_EVENT_DEPTH;

impl Legs {
    /// Rings the desk phone of `user` for `by`. What came of it, if it failed at once.
    pub fn ring_for(&mut self, leg: LegId, user: &UserId, by: &UserId) -> Option<LegInput> {
        if !self.wiring.signalling.phones_of(user).has(Phone::DeskPhone) {
            return Some(LegInput::Ended(Cause::Unreachable));
        }
        let reach = match self.wiring.media.open_rtp(self.shard, leg, Side::Phone.strays()) {
            Ok(reach) => reach,
            Err(fault) => return Some(failed(leg, &fault)),
        };
        let (offer, session) = first_offer(self.wiring.session_of(leg), reach);
        let (events, received) = mpsc::channel(LEG_EVENT_DEPTH);
        self.started(leg, Side::Phone, received, Some(session));
        self.wiring.signalling.ring_for(leg, user, by, offer, events);
        None
    }
}
