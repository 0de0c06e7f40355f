//! A leg's SRTP: a guard each way, changed when the far end or we change keys, and a count of what was turned away.

use crate::proto::rtp::srtp::{Guard, Keys, Refused};

/// Both directions of one leg.
#[derive(Debug)]
pub(super) struct Secure {
    keys: Keys,
    out: Guard,
    inward: Guard,
    /// Packets whose tag was wrong, or that came twice. They count for nothing else.
    refused: u64,
}

impl Secure {
    fn new(keys: Keys) -> Self {
        let (out, inward) = (Guard::new(keys.suite, &keys.ours), Guard::new(keys.suite, &keys.theirs));
        Self { keys, out, inward, refused: 0 }
    }

    /// Takes what was agreed, at first and after each re-offer. A direction whose key stays goes on as it was: its
    /// rollover counter and what it has let through.
    pub(super) fn agree(current: &mut Option<Box<Self>>, keys: Option<Keys>) {
        let (Some(secure), Some(keys)) = (current.as_deref_mut(), keys) else {
            *current = keys.map(|keys| Box::new(Self::new(keys)));
            return;
        };
        let other_suite = secure.keys.suite != keys.suite;
        if other_suite || secure.keys.ours != keys.ours {
            secure.out = Guard::new(keys.suite, &keys.ours);
        }
        if other_suite || secure.keys.theirs != keys.theirs {
            secure.inward = Guard::new(keys.suite, &keys.theirs);
        }
        secure.keys = keys;
    }

    /// Opens an SRTP packet in place; how long the RTP packet in it is. None: it is as if it had not come.
    pub(super) fn open(&mut self, packet: &mut [u8]) -> Option<usize> {
        let opened = self.inward.open(packet);
        self.counted(opened)
    }

    /// The same for SRTCP.
    pub(super) fn open_rtcp(&mut self, packet: &mut [u8]) -> Option<usize> {
        let opened = self.inward.open_rtcp(packet);
        self.counted(opened)
    }

    fn counted(&mut self, opened: Result<usize, Refused>) -> Option<usize> {
        self.refused += u64::from(opened.is_err());
        opened.ok()
    }

    /// Protects the RTP packet in the first `len` bytes.
    pub(super) fn protect(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        self.out.protect(buffer, len)
    }

    /// The same for RTCP.
    pub(super) fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        self.out.protect_rtcp(buffer, len)
    }

    /// How many were turned away.
    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }
}
