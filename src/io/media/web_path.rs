//! A leg's way to a browser: one socket on which the core's STUN and DTLS and our own SRTP share the port. Media goes
//! straight between socket and leg; the core sees the rest.
//!
//! Always: media counts only once its tag is right, wherever it came from; nothing of it is sent before the handshake
//! is through and a path is chosen.

use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use crate::io::webrtc::{PeerState, WebPeer, is_media};
use crate::proto::rtp::packet;

use super::port::PortLease;
use super::secure::Secure;

/// One socket to a browser.
#[derive(Debug)]
pub(super) struct WebPath {
    pub(super) peer: Box<WebPeer>,
    pub(super) socket: UdpSocket,
    /// Boxed: a leg moves whole from shard to shard.
    pub(super) secure: Option<Box<Secure>>,
    state: PeerState,
    /// Last: the port is free only when the socket is closed.
    _lease: PortLease,
}

impl WebPath {
    pub(super) fn new(peer: WebPeer, socket: UdpSocket, lease: PortLease) -> Self {
        Self { peer: Box::new(peer), socket, secure: None, state: PeerState::Connecting, _lease: lease }
    }

    /// Whether what is sent now reaches somebody.
    pub(super) fn is_up(&self) -> bool {
        self.state == PeerState::Up && self.secure.is_some() && self.peer.remote().is_some()
    }

    /// Takes a datagram; if it is media, opens it in place and says how long the RTP or RTCP packet in it is.
    pub(super) fn take(&mut self, now: Instant, from: SocketAddr, bytes: &mut [u8]) -> Option<usize> {
        if is_media(bytes) {
            let secure = self.secure.as_mut()?;
            return if packet::is_rtcp(bytes) { secure.open_rtcp(bytes) } else { secure.open(bytes) };
        }
        self.peer.handle_datagram(now, from, bytes);
        if self.state != PeerState::Up {
            // A handshake's next flight need not wait for the tick.
            self.flush();
        }
        None
    }

    /// Sends what the core has ready, and takes the keys when a handshake has ended.
    pub(super) fn flush(&mut self) {
        while let Some((to, bytes)) = self.peer.poll_transmit() {
            let _ = self.socket.send_to(&bytes, to);
        }
        if let Some(keys) = self.peer.take_keys() {
            Secure::agree(&mut self.secure, Some(keys));
        }
    }

    /// Once per tick: what the core has to do. If the path stands differently after it, or is another: how it stood, and
    /// stands.
    pub(super) fn keep(&mut self, now: Instant) -> Option<(PeerState, PeerState)> {
        if self.peer.poll_timeout().is_some_and(|at| at <= now) {
            self.peer.handle_timeout(now);
        }
        self.flush();
        let was = std::mem::replace(&mut self.state, self.peer.state());
        let connected = self.peer.take_connected();
        (connected || was != self.state).then_some((was, self.state))
    }

    /// Sends the RTP packet in the first `len` bytes. A full socket buffer loses a packet, as any router may.
    pub(super) fn send(&mut self, buffer: &mut [u8], len: usize) -> bool {
        let (Some(secure), Some(to)) = (&mut self.secure, self.peer.remote()) else { return false };
        let Some(len) = secure.protect(buffer, len) else { return false };
        self.socket.send_to(&buffer[..len], to).is_ok()
    }

    /// Sends the RTCP packet in the first `len` bytes.
    pub(super) fn send_rtcp(&mut self, buffer: &mut [u8], len: usize) {
        let (Some(secure), Some(to)) = (&mut self.secure, self.peer.remote()) else { return };
        if let Some(len) = secure.protect_rtcp(buffer, len) {
            let _ = self.socket.send_to(&buffer[..len], to);
        }
    }
}
