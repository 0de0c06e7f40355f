//! A SIP user agent without sockets, tasks or clock: bytes and time in, bytes and events out.
//!
//! The way of a message: `wire` (bytes to [`message`]s, or a refusal) → [`agent`] → `transaction`
//! (what to repeat, what to absorb) → `dialog` (who talks to whom) → [`Event`] for the driver. Its driver
//! (`engine/trunk`, `engine/registrar`, the sandbox's carrier) owns sockets and clock and speaks in
//! [`Command`]s. No header of the wire is believed before `wire` has looked at it.

pub mod admission;
pub mod admit;
pub mod agent;
pub mod dialog;
pub mod digest;
pub mod framer;
pub mod glance;
pub mod hunt;
pub mod identity;
pub mod identity_out;
pub mod locate;
pub mod message;
pub mod ping;
pub mod refer;
pub mod registration;
pub mod reliable;
pub mod session_timer;
pub mod terms;
pub mod transaction;
pub mod wire;

mod early;
mod words;

#[cfg(test)]
mod pair;

pub use admit::{Admit, Source};
pub use agent::{Agent, AgentConfig, Reason, Role};
pub use framer::{Frame, StreamFramer};
pub use identity::{IncomingInvite, Verstat};
pub use refer::Replaces;
pub use registration::Registration;
pub use session_timer::SessionPolicy;
pub use terms::{PeerTerms, Reliable};
pub use words::{
    Command, DialogId, EndReason, Event, Flow, Input, LoginId, Output, RegisterAnswer, RegisterOrder, RegisterRequest,
    RequestId, Transport,
};
