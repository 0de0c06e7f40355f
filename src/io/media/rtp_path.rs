//! A leg's way to a telephone: two sockets, and who is believed and spoken to there.
//!
//! Decides nothing about sound. A source that has fallen silent may be followed to another port of its host, to another host
//! only if it is a desk phone's ([`Strays`]): a carrier's leg is never opened to strangers by silence. Always: nothing is sent before the latch knows where to, nor in clear once encryption was
//! agreed; what does not open is as if it had not come.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::proto::rtp::latch::{Latch, Strays};

use super::port::PortLease;
use super::secure::Secure;

/// Silence of the far end after which another source may be it: that of which it is told, too.
pub(super) const SILENT_AFTER: Duration = Duration::from_secs(30);
/// The same after it has described its session again, and described it as it was.
const DESCRIBED_AFTER: Duration = Duration::from_secs(2);

/// Two sockets to a SIP far end.
#[derive(Debug)]
pub(super) struct RtpPath {
    pub(super) rtp: UdpSocket,
    pub(super) rtcp: UdpSocket,
    /// They are of IPv6.
    six: bool,
    pub(super) latch: Latch,
    /// Boxed: a leg moves whole from shard to shard.
    pub(super) secure: Option<Box<Secure>>,
    /// To whom the RTP socket is connected: spares the kernel the way there for each packet, and us strangers.
    connected: Option<SocketAddr>,
    /// Where their RTCP came from; before that the port after RTP's.
    pub(super) rtcp_remote: Option<SocketAddr>,
    /// RTCP goes to RTP's port.
    pub(super) mux: bool,
    pub(super) strangers: u64,
    /// When RTP last came from where the latch admits it. What comes by RTCP does not tell whether audio does.
    heard_at: Option<Instant>,
    /// The far end has described its session again since then.
    described: bool,
    /// Last: the port is free only when the sockets are closed.
    _lease: PortLease,
}

impl RtpPath {
    pub(super) fn new(rtp: UdpSocket, rtcp: UdpSocket, lease: PortLease, strays: Strays) -> Self {
        let six = rtp.local_addr().is_ok_and(|local| local.is_ipv6());
        Self {
            rtp,
            rtcp,
            six,
            latch: Latch::new(strays),
            secure: None,
            connected: None,
            rtcp_remote: None,
            mux: false,
            strangers: 0,
            heard_at: None,
            described: false,
            _lease: lease,
        }
    }

    /// A socket for both families has IPv4 addresses in IPv6's clothes, where packets come from and where they go.
    pub(super) fn as_of_socket(&self, remote: SocketAddr) -> SocketAddr {
        match remote.ip() {
            // Nowhere is nowhere in either.
            IpAddr::V4(ip) if self.six && !ip.is_unspecified() => {
                SocketAddr::new(ip.to_ipv6_mapped().into(), remote.port())
            }
            _ => remote,
        }
    }

    /// Connects the RTP socket to the only source that can still be heard, if there is one.
    pub(super) fn aim(&mut self) {
        let only = self.latch.only();
        if self.connected == only {
            return;
        }
        if self.connected.take().is_some() {
            // A socket that stays connected hears nobody new, so this is tried again with the next description.
            let _ = rustix::net::connect_unspec(&self.rtp);
        }
        self.connected = only.filter(|to| self.rtp.connect(to).is_ok());
    }

    /// Whether an RTP packet from there is heard.
    pub(super) fn admit(&mut self, now: Instant, from: SocketAddr, ssrc: u32) -> bool {
        if !self.latch.admit(from, ssrc) {
            self.strangers += 1;
            return false;
        }
        (self.heard_at, self.described) = (Some(now), false);
        self.aim();
        true
    }

    /// The far end has described its session as it did before.
    pub(super) const fn describe(&mut self) {
        self.described = true;
    }

    /// Once per tick while the far end should send: a source that has fallen silent does not keep those out whom it may be.
    pub(super) fn keep(&mut self, now: Instant) {
        let limit = if self.described { DESCRIBED_AFTER } else { SILENT_AFTER };
        let silent = self.heard_at.is_some_and(|at| now.saturating_duration_since(at) >= limit);
        if silent && self.latch.loosen() {
            self.aim();
        }
    }

    /// Opens an SRTP packet in place, if audio is encrypted; how long the RTP packet in it is. None: it is as if it
    /// had not come.
    pub(super) fn open(&mut self, packet: &mut [u8]) -> Option<usize> {
        let len = packet.len();
        self.secure.as_mut().map_or(Some(len), |secure| secure.open(packet))
    }

    /// The same for SRTCP.
    pub(super) fn open_rtcp(&mut self, packet: &mut [u8]) -> Option<usize> {
        let len = packet.len();
        self.secure.as_mut().map_or(Some(len), |secure| secure.open_rtcp(packet))
    }

    /// Sends the RTP packet in the first `len` bytes, encrypted if so agreed. A full socket buffer loses a packet, as
    /// any router on the way may.
    pub(super) fn send(&mut self, buffer: &mut [u8], len: usize, target: SocketAddr) -> bool {
        let sealed = self.secure.as_mut().map_or(Some(len), |secure| secure.protect(buffer, len));
        let Some(len) = sealed else { return false };
        let bytes = &buffer[..len];
        let once = || match self.connected {
            Some(_) => self.rtp.send(bytes),
            None => self.rtp.send_to(bytes, target),
        };
        match once() {
            // That was about an earlier packet; this one has not been tried.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => once().is_ok(),
            sent => sent.is_ok(),
        }
    }

    /// Sends the RTCP packet in the first `len` bytes, the same way.
    pub(super) fn send_rtcp(&mut self, buffer: &mut [u8], len: usize, target: SocketAddr) {
        let sealed = self.secure.as_mut().map_or(Some(len), |secure| secure.protect_rtcp(buffer, len));
        let Some(len) = sealed else { return };
        let socket = if self.mux { &self.rtp } else { &self.rtcp };
        let _ = socket.send_to(&buffer[..len], target);
    }

    pub(super) fn rtcp_target(&self) -> Option<SocketAddr> {
        if self.mux {
            return self.latch.target();
        }
        let next = || {
            let target = self.latch.target()?;
            Some(SocketAddr::new(target.ip(), target.port().checked_add(1)?))
        };
        self.rtcp_remote.filter(|remote| self.latch.is_host(*remote)).or_else(next)
    }
}
