//! RTP (RFC 3550, 3551) and telephone-event (RFC 4733), as machines over bytes and time. Pure.

pub mod arrivals;
pub mod jitter;
pub mod latch;
pub mod outgoing;
pub mod packet;
pub mod reception;
pub mod reports;
pub mod rtcp;
pub mod srtp;
pub mod telephone_event;
