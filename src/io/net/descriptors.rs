//! How many files and sockets this process may have open, and how connections share them with the rest.
//!
//! A media leg takes two sockets, a connection one; the store and the listeners a few dozen. Connections get half at
//! most, so that however many come, calls still find sockets.

use rustix::process::{Resource, getrlimit, setrlimit};

use super::census::Caps;

/// More than all of Cordboard's limits together use.
const PLENTY: u64 = 65_536;
/// Fewer make a service that turns callers away; told at start.
pub const FEW: u64 = 4_096;

/// What each door may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    pub trunks: Caps,
    pub phones: Caps,
    pub http: Caps,
}

/// Raises the limit as far as it may be and is of use. Says what it is then.
pub fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let now = limit.current.unwrap_or(u64::MAX);
    let wanted = PLENTY.min(limit.maximum.unwrap_or(u64::MAX));
    if now >= wanted {
        return now;
    }
    let raised = rustix::process::Rlimit { current: Some(wanted), maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => wanted,
        Err(_) => now,
    }
}

/// How connections share half of `limit` descriptors.
pub fn share(limit: u64) -> Shares {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    // One sixteenth, one eighth and one quarter: seven sixteenths.
    let part = |of: usize, most: usize| Caps::of((limit / of).clamp(16, most));
    Shares { trunks: part(16, 512), phones: part(8, 2_048), http: part(4, 4_096) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_half_of_the_descriptors_to_calls() {
        for limit in [1_024, 4_096, 20_000, 65_536, u64::MAX] {
            let shares = share(limit);
            let all = shares.trunks.total + shares.phones.total + shares.http.total;
            assert!(all as u64 <= limit / 2, "{limit}: {all}");
            for caps in [shares.trunks, shares.phones, shares.http] {
                assert!(caps.reserved > 0 && caps.per_address < caps.total - caps.reserved, "{caps:?}");
            }
        }
    }

    #[test]
    fn the_limit_is_never_lowered() {
        let before = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        assert!(raise() >= before.min(PLENTY));
    }
}
