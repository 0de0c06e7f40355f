//! io/webrtc.
