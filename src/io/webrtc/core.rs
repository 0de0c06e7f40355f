//! The core as a peer holds it: whoever touches it leaves a mark, so that the many ticks in which nobody did need not
//! ask it for anything. Asking costs a walk through all of its layers.

use std::ops::{Deref, DerefMut};

use rtc::peer_connection::RTCPeerConnection;

/// Rounds of asking until all is out: what is sent, the events, and what these lead to.
const ROUNDS: u8 = 2;

/// The core of one peer.
pub(super) struct Core {
    rtc: RTCPeerConnection,
    rounds: u8,
}

impl Core {
    pub(super) const fn new(rtc: RTCPeerConnection) -> Self {
        Self { rtc, rounds: ROUNDS }
    }

    /// Whether it may have something to say.
    pub(super) const fn is_stirred(&self) -> bool {
        self.rounds > 0
    }

    /// A round of asking is done.
    pub(super) const fn asked(&mut self) {
        self.rounds = self.rounds.saturating_sub(1);
    }

    /// To ask it what it has, which is no reason to ask again.
    pub(super) const fn ask(&mut self) -> &mut RTCPeerConnection {
        &mut self.rtc
    }
}

impl Deref for Core {
    type Target = RTCPeerConnection;

    fn deref(&self) -> &RTCPeerConnection {
        &self.rtc
    }
}

impl DerefMut for Core {
    fn deref_mut(&mut self) -> &mut RTCPeerConnection {
        self.rounds = ROUNDS;
        &mut self.rtc
    }
}
