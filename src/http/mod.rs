//! The front door: API, WebSockets, provider callbacks, the embedded console.
//!
//! One file per noun; [`router`] is the one list of routes. Every refusal is a [`error::Problem`]. Nothing
//! here decides what an answering service does: it checks who asks and what they send, and passes it on.

pub mod abandoned;
pub mod account_edit;
pub mod accounts;
pub mod alarms;
pub mod audit;
pub mod auth;
pub mod board;
pub mod callbacks;
pub mod calls;
pub mod check_in;
pub mod console;
pub mod contacts;
pub mod dial_out;
pub mod dispatches;
pub mod drafts;
pub mod editions;
pub mod error;
pub mod events;
pub mod extract;
pub mod floor;
pub mod flow;
pub mod greetings;
pub mod handover;
pub mod health;
pub mod hooks;
pub mod inbox;
pub mod inbox_devices;
pub mod inner_calls;
pub mod jobs;
pub mod limit;
pub mod listen;
pub mod live;
pub mod mail_template;
pub mod me;
pub mod messages;
pub mod misread;
pub mod openapi;
pub mod own_voice;
pub mod patches;
pub mod protocols;
pub mod recall;
pub mod recaps;
pub mod recordings;
pub mod router;
pub mod seat;
pub mod serve;
pub mod sessions;
pub mod shift_change;
pub mod sip_ws;
pub mod speech;
pub mod state;
pub mod status;
mod taking;
pub mod users;
