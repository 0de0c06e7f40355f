//! What the log and the figures say of single calls over trunks: each try of a call out that failed, each call in that was
//! refused. With the trunk, the status and the Call-ID, by which a carrier finds the call in its own log, and no number of
//! anybody's. Decides nothing.

use std::net::SocketAddr;

use tracing::{info, warn};

use super::run::Loop;
use super::watch::Way;
use crate::domain::call::bridge::LegId;
use crate::proto::sip::DialogId;

impl Loop {
    /// A call out was placed by this dialog.
    pub(super) fn placed(&mut self, dialog: DialogId) {
        let hunting = self.legs.leg_of(dialog).and_then(|leg| self.hunting.get_mut(&leg));
        if let Some(hunting) = hunting {
            hunting.call_id = self.side.agent.call_id_of(dialog).map(str::to_owned);
        }
    }

    /// A try of a call out was answered by a refusal, or by nothing at all until the transaction's end (408) or its
    /// connection's (503).
    pub(super) fn try_refused(&self, leg: LegId, way: Way, status: u16, call_id: Option<&str>) {
        let (leg, trunk, peer) = (leg.0, self.name_of(way.trunk), way.peer);
        count(trunk, &class_of(status));
        if is_about_the_called(status) {
            info!(leg, trunk, %peer, status, call_id, "a call out was not taken");
        } else {
            let look_at = look_at(status);
            warn!(leg, trunk, %peer, status, call_id, "a carrier refused a call out: {look_at}");
        }
    }

    /// A try of a call out was left, as nothing came back in the time that it had, or a 100 and no more.
    pub(super) fn try_left(&self, leg: LegId, way: Way, call_id: Option<&str>) {
        let (leg, trunk, peer) = (leg.0, self.name_of(way.trunk), way.peer);
        count(trunk, "none");
        warn!(leg, trunk, %peer, call_id, "a carrier says nothing to a call out, or takes it in (100) and says no more: it is \
            tried elsewhere");
    }

    /// A call out was given up by whoever made it, after long enough, and nothing was heard but a 100 at most.
    pub(super) fn try_given_up(&self, leg: LegId, way: Way, call_id: Option<&str>) {
        let (leg, trunk, peer) = (leg.0, self.name_of(way.trunk), way.peer);
        count(trunk, "none");
        warn!(leg, trunk, %peer, call_id, "a call out was given up that never rang: its carrier said nothing of the telephone");
    }

    /// A call in is refused by whoever was to take it.
    pub(super) fn call_refused(&self, leg: LegId, status: u16) {
        let trunk = self.routing.trunk_of(leg).map(|trunk| self.name_of(trunk));
        // Theirs to choose, and some put the caller's number into it.
        let call_id =
            self.legs.dialog_of(leg).and_then(|dialog| self.side.agent.call_id_of(dialog)).map(without_numbers);
        info!(leg = leg.0, trunk, status, call_id, "a call in was refused");
    }

    /// A call in found all channels of its trunk in use: said when it begins, and [`Loop::channels_free`] how many there were.
    pub(super) fn no_channel(&self, trunk: usize, first: bool) {
        let name = self.name_of(trunk);
        metrics::counter!("cordboard_trunk_calls_turned_away_total", "trunk" => name.to_owned()).increment(1);
        if first {
            let channels = self.settings.carriers[trunk].rules.channels;
            warn!(
                trunk = name,
                channels, "all channels of the trunk are in use: calls in are refused (503) from now on"
            );
        }
    }

    /// Nobody was refused for a minute.
    pub(super) fn channels_free(&self, trunk: usize, refused: u32) {
        info!(trunk = self.name_of(trunk), refused, "the trunk has free channels again; so many calls in were refused");
    }

    fn name_of(&self, trunk: usize) -> &str {
        &self.settings.carriers[trunk].name
    }
}

/// A server failed a call and is tried after the others for a while, though it may answer pings.
pub(super) fn rests(trunk: &str, peer: SocketAddr, secs: u64) {
    warn!(trunk, %peer, secs, "a trunk's server failed a call and rests: it is tried after all others for that long");
}

fn count(trunk: &str, status: &str) {
    let labels = [("trunk", trunk.to_owned()), ("status", status.to_owned())];
    metrics::counter!("cordboard_trunk_tries_failed_total", &labels).increment(1);
}

fn class_of(status: u16) -> String {
    format!("{}xx", status / 100)
}

/// A Call-ID with whatever may be a telephone number cut to its last two digits: the engineer finds it in the carrier's log by
/// the rest, and by the time.
fn without_numbers(call_id: &str) -> String {
    let mut text = String::with_capacity(call_id.len());
    let mut rest = call_id;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, digits) = rest.split_at(at);
        let len = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let (run, after) = digits.split_at(len);
        text.push_str(before);
        // The shortest numbers of any country that are dialled from another.
        if len < 7 {
            text.push_str(run);
        } else {
            text.push('#');
            text.push_str(&run[len - 2..]);
        }
        rest = after;
    }
    text + rest
}

/// The answer is about whom was called, and no fault of anybody's.
const fn is_about_the_called(status: u16) -> bool {
    matches!(status, 404 | 410 | 480 | 484 | 486 | 487 | 600 | 603 | 604 | 607 | 608)
}

/// For the engineer who reads the log.
const fn look_at(status: u16) -> &'static str {
    match status {
        401 | 407 => {
            "our login was not taken, or its realm is not the one we answer; check `login`, `password_file`, `realm`"
        }
        402 | 403 => "it does not let us make this call; check the account there and `caller_ids`",
        408 => "nothing came back; check `target` and the firewall",
        300..=399 => "it would have us ask elsewhere, and redirections are not followed",
        415 | 488 | 606 => "it takes none of our codecs, or wants another `srtp`",
        503 => "it is overloaded, or the connection could not be made",
        _ => "ask it why, with this Call-ID",
    }
}

#[cfg(test)]
mod tests {
    use super::without_numbers;

    #[test]
    fn a_number_in_a_call_id_does_not_get_into_the_log() {
        for (call_id, said) in [
            ("12025550187-0@sbc", "#87-0@sbc"),
            ("a1b2c3-123456@h", "a1b2c3-123456@h"),
            ("x+12025550187", "x+#87"),
            ("", ""),
        ] {
            assert_eq!(without_numbers(call_id), said);
        }
    }
}
