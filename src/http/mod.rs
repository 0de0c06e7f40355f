//! The front door: API, WebSockets, provider callbacks, the embedded console.
//!
//! One file per noun; [`router`] is the one list of routes. Every refusal is a [`error::Problem`]. Nothing
//! here decides what an answering service does: it checks who asks and what they send, and passes it on.

pub mod error;
pub mod limit;
