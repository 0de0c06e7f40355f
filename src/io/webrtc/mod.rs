//! WebRTC: a browser's side of a leg, as a peer without input or output of its own ([`WebPeer`]).
//!
//! The leg that owns a peer owns the socket and the tick; this folder does ICE, DTLS and SRTP, nothing else.

mod peer;

pub use peer::{Certificate, PeerState, RtpIn, RtpOut, TELEPHONE_EVENT, WebError, WebPeer};
