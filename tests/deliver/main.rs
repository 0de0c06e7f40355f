//! The edges against real peers: email through an SMTP server (aiosmtpd), texts through an HTTP provider
//! in Twilio's shape, pushes through a push service of another make, and the dispatcher's own loop by the machine's clock.

#[path = "../support/peers.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod peers;
#[path = "../support/mod.rs"]
mod support;
#[path = "../stories/town.rs"]
#[allow(dead_code, reason = "the stories use all of the town, this test a part")]
mod town;

mod own_loop;
mod push;
mod smtp;
mod twilio;
