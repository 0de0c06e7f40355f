//! Datagrams that the system did not take: counted one by one, and told in the log now and then.
//!
//! A socket that is full is the network's business, as a packet lost on the way. Anything else (no route, a rule of the
//! firewall, a message larger than may be sent) is the engineer's: it looks like a dead carrier and is none.

use std::io::{Error, ErrorKind};

use tracing::warn;

/// Sweeps between two lines in the log: a second each.
const SWEEPS: u32 = 10;

/// What was not taken since it was last told.
#[derive(Debug, Default)]
pub(super) struct Loss {
    refused: u32,
    last: Option<String>,
    quiet_for: u32,
}

impl Loss {
    /// A datagram was not taken. True if its sender has to know.
    pub(super) fn note(&mut self, error: &Error) -> bool {
        if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::OutOfMemory) {
            metrics::counter!("cordboard_sip_datagrams_unsent_total", "why" => "full").increment(1);
            return false;
        }
        metrics::counter!("cordboard_sip_datagrams_unsent_total", "why" => "refused").increment(1);
        self.refused = self.refused.saturating_add(1);
        self.last = Some(error.to_string());
        true
    }

    /// Asked about once a second: how many were refused and why the last, if it is time to say so.
    fn due(&mut self) -> Option<(u32, String)> {
        self.quiet_for = self.quiet_for.saturating_sub(1);
        if self.quiet_for > 0 {
            return None;
        }
        let last = self.last.take()?;
        self.quiet_for = SWEEPS;
        Some((std::mem::take(&mut self.refused), last))
    }

    /// The same, into the log.
    pub(super) fn tell(&mut self) {
        if let Some((refused, error)) = self.due() {
            warn!(refused, %error, "SIP over UDP cannot be sent: look at routes, addresses and the firewall");
        }
    }
}

#[cfg(test)]
impl Loss {
    /// Refused since it was last told.
    pub(super) const fn refused(&self) -> u32 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_socket_is_the_networks_business_and_a_refusal_is_told_once_in_a_while() {
        let mut loss = Loss::default();
        assert!(!loss.note(&ErrorKind::WouldBlock.into()));
        assert!(loss.due().is_none());
        assert!(loss.note(&ErrorKind::NetworkUnreachable.into()));
        assert_eq!(loss.due().map(|(refused, _)| refused), Some(1), "the first at once");
        for _ in 0..SWEEPS - 1 {
            assert!(loss.note(&ErrorKind::NetworkUnreachable.into()));
            assert!(loss.due().is_none());
        }
        assert_eq!(loss.due().map(|(refused, _)| refused), Some(SWEEPS - 1), "then all of a while");
    }
}
