//! A bad network: our own relay between real sockets loses, doubles and reorders what passes. Calls come up and end all the
//! same, registrations are made, keys arrive, sound goes on.

mod keys;
#[path = "../support/media.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod media;
#[path = "../support/relay.rs"]
mod relay;
mod signalling;
mod sound;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};

/// A loopback address of this process alone, another each time.
pub fn own_address(port: u16) -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [_, _, b, c] = std::process::id().to_be_bytes();
    let nth = NEXT.fetch_add(1, Ordering::Relaxed);
    assert!(nth < 250, "too many addresses");
    SocketAddr::from(([127, b | 64, c, nth], port))
}
