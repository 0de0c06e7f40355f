//! The four transaction machines of RFC 3261 §17 with RFC 6026's states for 2xx. Each decides what to
//! send again, what to pass up and when it is over; the agent holds them in its tables and keeps their
//! deadlines. Pure: time is handed in, bytes are handed back.

pub mod client;
pub mod client_invite;
pub mod server;
pub mod server_invite;
pub mod timer;

/// What a machine wants done after an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Send [the machine's bytes](server::ServerTransaction::bytes) (again).
    pub transmit: bool,
    /// Acknowledge this final response (client INVITE, non-2xx).
    pub acknowledge: bool,
    /// Pass what came in up to the user agent.
    pub deliver: bool,
    /// No answer came in time.
    pub timed_out: bool,
    /// The transaction is over and can be forgotten.
    pub finished: bool,
}
