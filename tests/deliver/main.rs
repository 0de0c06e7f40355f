//! The edges against real peers: email through an SMTP server (aiosmtpd), signed and over TLS, and mail that comes back to our own door, texts through HTTP providers
//! in Twilio's and Telnyx's shapes and over SMPP (npm's smpp), pages to gateways and terminals of our own that hold to their specifications,
//! pushes through a push service of another make, posts to a client's system, and the dispatcher's own loop by the machine's clock.

#[path = "../support/authority.rs"]
mod authority;
#[path = "../support/peers.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod peers;
#[path = "../support/mod.rs"]
mod support;
#[path = "../stories/town.rs"]
#[allow(dead_code, reason = "the stories use all of the town, this test a part")]
mod town;

use support::temp;

mod mail_in;
mod mail_signed;
mod own_loop;
mod pagers;
mod push;
mod smpp;
mod smtp;
mod telnyx;
mod twilio;
mod webhook;
