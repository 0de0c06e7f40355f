//! The front door, asked from outside: the whole router over a store in a temporary directory.

mod abandoned;
mod account_edit;
mod accounts;
mod alarms;
mod audit;
mod bodies;
mod check_in;
mod console;
mod dispatches;
mod drafts;
mod editions;
mod feed;
mod forms;
mod greetings;
mod handover;
mod health;
mod hooks;
mod inbox;
mod jobs;
mod listen;
mod messages;
mod openapi;
#[path = "../support/mod.rs"]
mod peers;
mod protocols;
mod recaps;
mod recordings;
mod round_trip;
mod sessions;
mod shift_change;
mod speech;
mod support;
mod telnyx;
mod tokens;
mod users;
