//! WebRTC: a browser's side of a leg, as a peer without input or output of its own ([`WebPeer`]).
//!
//! The leg that owns a peer owns the socket, the tick and SRTP; this folder does ICE and DTLS, nothing else.

mod core;
mod keying;
mod peer;

pub use peer::{Certificate, PeerState, WebError, WebPeer, is_media};
