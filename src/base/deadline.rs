//! The soonest of several deadlines, each with the reason for waking.

use std::time::Instant;

/// Of two optional deadlines the sooner, with its reason; the first wins a tie.
pub fn soonest<R>(a: Option<(Instant, R)>, b: Option<(Instant, R)>) -> Option<(Instant, R)> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.0 < a.0 { b } else { a }),
        (a, b) => a.or(b),
    }
}
