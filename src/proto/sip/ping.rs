//! Whether a trunk's servers are alive, by OPTIONS now and then (RFC 3261 §11): three without an answer and a server is
//! down, two answers and it is up again.
//!
//! Any final answer is a sign of life, also a refusal; 503 is not: it says itself that it takes no calls. Sends
//! nothing itself; driven by `engine/trunk`. What always holds: a server unheard of is up, so that the first call after
//! a start does not wait for a ping.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::base::rng::Rng;

/// How often a server is asked, give or take a tenth.
pub const PING_EVERY: Duration = Duration::from_secs(10);
const DOWN_AFTER: u32 = 3;
const UP_AFTER: u32 = 2;
/// The first ones go out spread over this.
const FIRST_WITHIN_MS: u64 = 1_000;

/// What happens to pings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PingInput {
    /// A final answer to the ping of this number.
    Answer { peer: SocketAddr, number: u64, status: u16 },
    /// The time of [`Pings::poll_timeout`] has come.
    Timeout,
}

/// What pings want done or told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PingOutput {
    Send { peer: SocketAddr, number: u64 },
    Down { peer: SocketAddr },
    Up { peer: SocketAddr },
}

#[derive(Debug)]
struct State {
    up: bool,
    missed: u32,
    answered: u32,
    /// The ping that has no answer yet.
    open: Option<u64>,
    next_at: Instant,
}

/// The servers of one trunk.
#[derive(Debug)]
pub struct Pings {
    every: Duration,
    servers: BTreeMap<SocketAddr, State>,
    outputs: VecDeque<PingOutput>,
    number: u64,
    rng: Rng,
}

impl Pings {
    pub const fn new(every: Duration, rng: Rng) -> Self {
        Self { every, servers: BTreeMap::new(), outputs: VecDeque::new(), number: 0, rng }
    }

    /// These are to be asked from now on; what is known of those that stay is kept.
    pub fn watch(&mut self, now: Instant, peers: &[SocketAddr]) {
        self.servers.retain(|peer, _| peers.contains(peer));
        for peer in peers {
            let first = Duration::from_millis(self.rng.below(FIRST_WITHIN_MS));
            self.servers.entry(*peer).or_insert(State {
                up: true,
                missed: 0,
                answered: 0,
                open: None,
                next_at: now + first,
            });
        }
    }

    pub fn handle(&mut self, now: Instant, input: PingInput) {
        match input {
            PingInput::Answer { peer, number, status } => {
                let Some(state) = self.servers.get_mut(&peer).filter(|state| state.open == Some(number)) else {
                    // Of an earlier ping, which was counted when the next one went out.
                    return;
                };
                state.open = None;
                let told = if status == 503 { missed(state) } else { answered(state) };
                self.tell(peer, told);
            }
            PingInput::Timeout => self.send_due(now),
        }
    }

    fn send_due(&mut self, now: Instant) {
        let due: Vec<SocketAddr> =
            self.servers.iter().filter(|(_, s)| s.next_at <= now).map(|(peer, _)| *peer).collect();
        for peer in due {
            // From 9 to 11 tenths: those begun together drift apart.
            let wait = self.every * u32::try_from(90 + self.rng.below(21)).unwrap_or(100) / 100;
            let Some(state) = self.servers.get_mut(&peer) else { continue };
            let told = if state.open.take().is_some() { missed(state) } else { None };
            self.number += 1;
            state.open = Some(self.number);
            state.next_at = now + wait;
            self.tell(peer, told);
            self.outputs.push_back(PingOutput::Send { peer, number: self.number });
        }
    }

    fn tell(&mut self, peer: SocketAddr, is_up: Option<bool>) {
        match is_up {
            Some(true) => self.outputs.push_back(PingOutput::Up { peer }),
            Some(false) => self.outputs.push_back(PingOutput::Down { peer }),
            None => {}
        }
    }

    pub fn poll_output(&mut self) -> Option<PingOutput> {
        self.outputs.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.servers.values().map(|state| state.next_at).min()
    }

    /// Not known to be down.
    pub fn is_up(&self, peer: SocketAddr) -> bool {
        self.servers.get(&peer).is_none_or(|state| state.up)
    }
}

/// The new state, if it changed.
const fn missed(state: &mut State) -> Option<bool> {
    state.answered = 0;
    state.missed += 1;
    if state.up && state.missed >= DOWN_AFTER {
        state.up = false;
        return Some(false);
    }
    None
}

const fn answered(state: &mut State) -> Option<bool> {
    state.missed = 0;
    state.answered += 1;
    if !state.up && state.answered >= UP_AFTER {
        state.up = true;
        return Some(true);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    fn peer(last: u8) -> SocketAddr {
        ([192, 0, 2, last], 5060).into()
    }

    /// Runs pings of which `answer` says the status, or that there is none; what was told, and after how long.
    struct Rig {
        start: Instant,
        now: Instant,
        pings: Pings,
        sent: Vec<(SocketAddr, Duration)>,
        told: Vec<PingOutput>,
    }

    impl Rig {
        fn new(seed: u64, peers: &[SocketAddr]) -> Self {
            let now = TestClock::at(UtcMs(0)).instant();
            let mut pings = Pings::new(PING_EVERY, Rng::seeded(seed));
            pings.watch(now, peers);
            Self { start: now, now, pings, sent: Vec::new(), told: Vec::new() }
        }

        fn pings(&mut self, count: usize, answer: impl Fn(SocketAddr) -> Option<u16>) {
            for _ in 0..count {
                self.now = self.pings.poll_timeout().expect("they go on for ever");
                self.pings.handle(self.now, PingInput::Timeout);
                while let Some(output) = self.pings.poll_output() {
                    let PingOutput::Send { peer, number } = output else {
                        self.told.push(output);
                        continue;
                    };
                    self.sent.push((peer, self.now - self.start));
                    if let Some(status) = answer(peer) {
                        self.pings.handle(self.now, PingInput::Answer { peer, number, status });
                    }
                }
            }
        }
    }

    #[test]
    fn three_misses_are_down_and_two_answers_are_up() {
        let mut rig = Rig::new(1, &[peer(1)]);
        rig.pings(3, |_| None);
        assert!(rig.pings.is_up(peer(1)) && rig.told.is_empty(), "the third has time to be answered yet");
        rig.pings(1, |_| Some(200));
        assert_eq!(rig.told, [PingOutput::Down { peer: peer(1) }]);
        assert!(!rig.pings.is_up(peer(1)), "one answer is not enough");
        rig.pings(1, |_| Some(200));
        assert_eq!(rig.told[1..], [PingOutput::Up { peer: peer(1) }]);
        assert!(rig.pings.is_up(peer(1)));
    }

    #[test]
    fn any_final_answer_is_life_but_503() {
        for status in [200, 401, 403, 404, 405, 483, 500, 603] {
            let mut rig = Rig::new(2, &[peer(1)]);
            rig.pings(10, |_| Some(status));
            assert_eq!(rig.told, [], "{status}");
        }
        let mut rig = Rig::new(2, &[peer(1)]);
        rig.pings(2, |_| Some(503));
        assert!(rig.pings.is_up(peer(1)));
        rig.pings(1, |_| Some(503));
        assert_eq!(rig.told, [PingOutput::Down { peer: peer(1) }]);
    }

    #[test]
    fn a_miss_now_and_then_changes_nothing() {
        let mut rig = Rig::new(3, &[peer(1)]);
        for _ in 0..20 {
            rig.pings(2, |_| None);
            rig.pings(1, |_| Some(200));
        }
        assert_eq!(rig.told, []);
    }

    #[test]
    fn servers_are_asked_every_ten_seconds_and_not_in_step() {
        let peers: Vec<SocketAddr> = (1..=8).map(peer).collect();
        let mut rig = Rig::new(4, &peers);
        rig.pings(800, |_| Some(200));
        for peer in peers {
            let times: Vec<Duration> = rig.sent.iter().filter(|(p, _)| *p == peer).map(|(_, at)| *at).collect();
            assert!(times[0] < Duration::from_secs(1));
            let gaps: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(gaps.iter().all(|gap| (9_000..=11_000).contains(&gap.as_millis())), "{gaps:?}");
            assert!(gaps.windows(2).any(|pair| pair[0] != pair[1]));
        }
    }

    #[test]
    fn each_server_is_counted_for_itself_and_one_taken_away_is_forgotten() {
        let mut rig = Rig::new(5, &[peer(1), peer(2)]);
        rig.pings(8, |at| (at == peer(2)).then_some(200));
        assert_eq!(rig.told, [PingOutput::Down { peer: peer(1) }]);
        assert!(rig.pings.is_up(peer(2)));
        rig.pings.watch(rig.now, &[peer(2), peer(3)]);
        assert!(rig.pings.is_up(peer(3)) && rig.pings.is_up(peer(1)), "nothing is known of them");
        // An answer of a server that is gone.
        rig.pings.handle(rig.now, PingInput::Answer { peer: peer(1), number: 1, status: 200 });
        assert_eq!(rig.pings.poll_output(), None);
    }

    #[test]
    fn an_answer_that_comes_after_the_next_ping_counts_for_nothing() {
        let mut rig = Rig::new(6, &[peer(1)]);
        rig.pings(4, |_| None);
        assert_eq!(rig.told, [PingOutput::Down { peer: peer(1) }]);
        for number in 1..4 {
            rig.pings.handle(rig.now, PingInput::Answer { peer: peer(1), number, status: 200 });
        }
        assert_eq!(rig.pings.poll_output(), None);
    }
}
