//! A new path to a browser that was answered already: ICE restart (RFC 8445 §9), offered by us.
//!
//! Decides nothing about when (`domain/call/path`). The DTLS association and its keys stay, and so do the sequence
//! and the codec of the audio: only the way changes. Always: audio goes on by the old way, if that still leads anywhere,
//! until the browser's answer has led to a new one, which [`WebPeer::take_connected`] tells.

use std::time::Instant;

use rtc::peer_connection::transport::RTCIceCandidateInit;

use super::{PeerState, WebError, WebPeer, core, host_candidate};

impl WebPeer {
    /// The offer of a new path; its answer goes to [`WebPeer::accept`] like the first one. May be asked for again
    /// before that was answered.
    pub fn restart(&mut self, now: Instant) -> Result<String, WebError> {
        if self.state == PeerState::Failed {
            return Err(WebError::Core("the connection is over".to_owned()));
        }
        self.core.restart_ice();
        let offer = self.core.create_offer(None).map_err(core)?;
        self.core.set_local_description(now, offer).map_err(core)?;
        // The core drops our candidate with a path that it has given up; one that it has kept is not added twice.
        self.core.add_local_candidate(host_candidate(self.offered)?).map_err(core)?;
        self.core.add_local_candidate(RTCIceCandidateInit::default()).map_err(core)?;
        let offer = self.core.local_description();
        Ok(offer.ok_or_else(|| WebError::Core("no local description".to_owned()))?.sdp)
    }

    /// Whether a path was found since this was asked last: the first one, or one after a restart.
    pub const fn take_connected(&mut self) -> bool {
        std::mem::replace(&mut self.connected, false)
    }
}
