//! The front door, asked from outside: the whole router over a store in a temporary directory.

mod accounts;
mod console;
mod dispatches;
mod drafts;
mod feed;
mod health;
mod hooks;
mod listen;
mod messages;
mod openapi;
#[path = "../support/mod.rs"]
mod peers;
mod recordings;
mod sessions;
mod support;
mod tokens;
