//! Cordboard: the software a telephone answering service runs on.
//!
//! The map, from the ground up. Imports go down only, and `tests/tidy.rs` holds that true:
//!
//! ```text
//! main → app → http → engine → io → { domain, proto } → base
//!        └ sandbox (beside http; reaches the rest only from outside)
//! ```
//!
//! * [`base`]    words every layer shares: clock, ids, phone numbers, deadlines, redaction, randomness.
//! * [`domain`]  what an answering service does. Pure: no tokio, sqlx, axum, sockets or clock.
//! * [`proto`]   protocols as machines over bytes and time. Pure. Knows nothing of `domain`.
//! * [`io`]      the outside world, one kind of thing a folder.
//! * [`engine`]  drivers: one loop a file, each drives one kind of machine.
//! * [`http`]    the front door: API, WebSockets, provider callbacks, the embedded console.
//! * [`sandbox`] the demo's carrier and phones.
//! * [`demo`]    the demo's accounts, people and configuration.
//!
//! A machine decides and never does: `handle(now, Input)`, `poll_output()`, `poll_timeout()`.
//! A driver owns the loop, the sockets and the clock. See `docs/architecture.md`.

// Denied, not forbidden: `io/fax/spandsp` alone may have it (docs/adr/0011), which tests/tidy.rs holds.
#![deny(unsafe_code)]

pub mod base;
pub mod config;
pub mod domain;
pub mod proto;

pub mod io;

pub mod engine;

pub mod http;

pub mod app;
pub mod demo;
pub mod sandbox;
