//! A SIP user agent without sockets, tasks or clock: bytes and time in, bytes and events out.
//!
//! The way of a message: `wire` (bytes to [`message`]s, or a refusal) → [`agent`] → `transaction`
//! (what to repeat, what to absorb) → `dialog` (who talks to whom) → [`Event`] for the driver. Its driver
//! (`engine/trunk`, `engine/registrar`, the sandbox's carrier) owns sockets and clock and speaks in
//! [`Command`]s. No header of the wire is believed before `wire` has looked at it.

pub mod admit;
pub mod agent;
pub mod dialog;
pub mod digest;
pub mod framer;
pub mod identity;
pub mod message;
pub mod registration;
pub mod transaction;
pub mod wire;

mod words;

#[cfg(test)]
mod pair;

pub use admit::{Admit, Source};
pub use agent::{Agent, AgentConfig, Reason, Role};
pub use framer::{Frame, StreamFramer};
pub use identity::IncomingInvite;
pub use registration::Registration;
pub use words::{
    Command, DialogId, EndReason, Event, Flow, Input, LoginId, Output, RegisterAnswer, RegisterOrder, RegisterRequest,
    RequestId, Transport,
};
