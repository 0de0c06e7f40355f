//! A call: the legs that belong together, from INVITE to wrap-up.

pub mod bridge;
pub mod cause;
pub mod event;
