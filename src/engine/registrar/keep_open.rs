//! Ways to desk phones over UDP through a NAT or a firewall: each phone is asked an OPTIONS before its way is forgotten. Its
//! answer counts for those that only heed what comes from inside (RFC 4787 §4.3); what it says does not matter.

use std::time::Instant;

use super::binding::{Binding, is_behind_nat};
use super::{CALLER, Loop};
use crate::base::rng::Rng;
use crate::engine::keep_open;
use crate::io::net::is_near;
use crate::proto::sip::message::Uri;
use crate::proto::sip::{Command, Flow, Input, Transport};

/// When the way to a phone wants its next word, if it has just had one.
pub(super) fn next_word(now: Instant, uri: &str, flow: &Flow, rng: &mut Rng) -> Option<Instant> {
    // A phone that has learnt its address behind a NAT gives that.
    let translated = Uri::parse(uri).map_or(true, |uri| is_behind_nat(&uri, flow));
    let wanted = flow.transport == Transport::Udp && (translated || !is_near(flow.peer.ip()));
    wanted.then(|| keep_open::next_word(now, rng))
}

impl Loop {
    /// Speaks to the phones whose way wants it.
    pub(super) fn keep_open(&mut self, now: Instant) {
        let mut due = Vec::new();
        for binding in self.bindings.values_mut().flatten() {
            let Binding { uri, flow, keep_at, .. } = binding;
            if keep_at.is_some_and(|at| at <= now) {
                *keep_at = next_word(now, uri, flow, &mut self.salts);
                due.push((*flow, uri.clone()));
            }
        }
        for (flow, request_uri) in due {
            let request = self.side.agent.next_request();
            self.feed(Input::Command(Command::Options { request, flow, request_uri, from: CALLER.to_owned() }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    #[test]
    fn a_way_through_a_nat_has_a_word_before_thirty_seconds_and_others_need_none() {
        let now = TestClock::at(UtcMs(0)).instant();
        let wait = |transport, peer: &str, uri: &str, seed| {
            let peer = peer.parse().expect("an address");
            let flow = Flow { transport, local: ([192, 0, 2, 1], 5070).into(), peer, connection: 0 };
            next_word(now, uri, &flow, &mut Rng::seeded(seed)).map(|at| at - now)
        };
        for seed in 0..200 {
            for (peer, uri) in [
                ("203.0.113.7:40000", "sip:kim@10.0.0.5:5060"),
                ("203.0.113.7:40000", "sip:kim@203.0.113.7:40000"),
                ("10.0.0.9:40000", "sip:kim@10.0.0.5:5060"),
                ("203.0.113.7:40000", "sip:kim@phone.local"),
            ] {
                let wait = wait(Transport::Udp, peer, uri, seed).expect("it is wanted");
                assert!(wait >= Duration::from_secs(20) && wait <= Duration::from_secs(25), "{peer} {uri}: {wait:?}");
            }
        }
        assert_eq!(wait(Transport::Udp, "10.0.0.5:5060", "sip:kim@10.0.0.5:5060", 1), None, "in the house");
        assert_eq!(wait(Transport::Tcp, "203.0.113.7:40000", "sip:kim@10.0.0.5:5060", 1), None, "TCP has its own");
    }
}
