//! Dispatch: one run of a protocol for a message, until it is done by the protocol's own terms.

pub mod protocol;
