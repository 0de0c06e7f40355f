//! Which trunks are up: their servers, what pings say of each, and the one alarm for those that are down. Another is for
//! those whose carrier does not have us registered (`unregistered`).

mod unregistered;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::alarms::{Alarms, DOWN};
use super::{Carrier, told};
use crate::base::rng::Rng;
use crate::engine::feed::AlarmLevel;
use crate::proto::sip::locate::{self, Lookup, Server};
use crate::proto::sip::ping::{PingInput, PingOutput, Pings};
use crate::proto::sip::{RequestId, hunt};

/// Addresses that a call may still be up with, kept at most.
const MAX_KNOWN: usize = 256;
/// How long a server that failed a call is tried after the others only.
pub(super) const REST: Duration = Duration::from_secs(30);
/// The same where a carrier says how long (Retry-After).
pub(super) const SHORTEST_REST: Duration = Duration::from_secs(2);
pub(super) const LONGEST_REST: Duration = Duration::from_secs(600);

/// One way out: a server of a trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub trunk: usize,
    pub peer: SocketAddr,
}

/// What a failed call says of the way that it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server itself, for whichever trunk it is asked.
    Server,
    /// Us, as this trunk's carrier knows us: nothing is wrong with its server for another account.
    Account,
}

/// A ping to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    pub way: Way,
    pub number: u64,
}

struct Path {
    name: String,
    servers: Vec<Server>,
    pings: Option<Pings>,
    /// Its host could not be looked up, and never was.
    unknown: bool,
    down: bool,
    /// Calls may come in over it.
    takes_calls: bool,
    /// We are not registered with its carrier, by this word of it.
    unregistered: Option<u16>,
}

impl Path {
    fn is_up(&self, peer: SocketAddr) -> bool {
        self.pings.as_ref().is_none_or(|pings| pings.is_up(peer))
    }

    fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.servers.iter().flat_map(|server| server.addresses.iter().copied())
    }

    fn any_up(&self) -> bool {
        self.addresses().any(|peer| self.is_up(peer))
    }
}

/// All trunks of this side.
pub struct Watch {
    paths: Vec<Path>,
    /// Every address that was found so far, the latest last.
    known: VecDeque<IpAddr>,
    /// Pings under way.
    asked: HashMap<RequestId, Ping>,
    /// Servers that were found down and not told of yet.
    went_down: Vec<Way>,
    /// Trunks with a server that was found up again, and that were not told of yet.
    came_up: Vec<usize>,
    /// Servers that failed a call, and until when; with a trunk, for that one alone.
    resting: HashMap<(SocketAddr, Option<usize>), Instant>,
    alarms: Arc<Alarms>,
    rng: Rng,
}

impl Watch {
    pub fn new(carriers: &[Carrier], alarms: Arc<Alarms>) -> Self {
        let path = |carrier: &Carrier| Path {
            name: carrier.name.clone(),
            servers: Vec::new(),
            pings: carrier.ping_every.map(|every| Pings::new(every, Rng::from_system())),
            unknown: false,
            down: false,
            takes_calls: !carrier.sources.is_empty() || carrier.targets_call,
            unregistered: None,
        };
        let paths = carriers.iter().map(path).collect();
        let (asked, resting) = (HashMap::new(), HashMap::new());
        let (went_down, came_up) = (Vec::new(), Vec::new());
        Self { paths, known: VecDeque::new(), asked, went_down, came_up, resting, alarms, rng: Rng::from_system() }
    }

    /// Takes in the targets that are addresses; those that have to be looked up are returned.
    pub fn place_addresses(&mut self, now: Instant, carriers: &[Carrier]) -> Vec<usize> {
        let mut named = Vec::new();
        for (at, carrier) in carriers.iter().enumerate() {
            match locate::plan(&carrier.target.host, carrier.target.port, carrier.over.transport()) {
                Lookup::Here(address) => self.found(now, at, vec![Server::alone(vec![address])]),
                Lookup::Addresses { .. } | Lookup::Srv { .. } => named.push(at),
            }
        }
        named
    }

    pub fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// Who answers our calls: the trunks' servers, also those that DNS named before.
    pub fn known(&self) -> impl Iterator<Item = IpAddr> {
        self.known.iter().copied()
    }

    /// This is one of the trunk's servers now.
    pub fn is_server(&self, trunk: usize, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.paths.get(trunk).is_some_and(|path| path.addresses().any(|address| address.ip().to_canonical() == ip))
    }

    /// The trunk's servers now, in no order.
    pub fn servers(&self, trunk: usize) -> impl Iterator<Item = SocketAddr> {
        self.paths.get(trunk).into_iter().flat_map(|path| path.addresses())
    }

    /// A trunk's servers are these from now on.
    pub fn found(&mut self, now: Instant, trunk: usize, servers: Vec<Server>) {
        let Some(path) = self.paths.get_mut(trunk) else { return };
        path.servers = servers;
        path.unknown = path.servers.is_empty();
        let addresses: Vec<SocketAddr> = path.addresses().collect();
        if let Some(pings) = &mut path.pings {
            pings.watch(now, &addresses);
        }
        self.known.retain(|ip| addresses.iter().all(|address| address.ip() != *ip));
        self.known.extend(addresses.iter().map(SocketAddr::ip));
        while self.known.len() > MAX_KNOWN {
            self.known.pop_front();
        }
        self.assess();
    }

    /// A trunk's host could not be looked up. What was found before holds.
    pub fn not_found(&mut self, trunk: usize) {
        if let Some(path) = self.paths.get_mut(trunk) {
            path.unknown = path.servers.is_empty();
            self.assess();
        }
    }

    pub fn is_up(&self, trunk: usize) -> bool {
        self.paths.get(trunk).is_some_and(Path::any_up)
    }

    /// The servers that one call tries, those of the first trunk first. Those that answer no pings are tried where a
    /// trunk has no other; with `all`, as for help, after the rest.
    pub fn ways(&mut self, now: Instant, trunks: &[usize], all: bool) -> Vec<Way> {
        self.resting.retain(|_, until| *until > now);
        // Each trunk has its turn, however many servers the first one has.
        let each = (hunt::MAX_WAYS / trunks.len().max(1)).max(1);
        let mut ways = Vec::new();
        for &trunk in trunks {
            let Some(path) = self.paths.get(trunk) else { continue };
            let mut order = locate::pick_order(&path.servers, &mut self.rng);
            if !all && path.any_up() {
                order.retain(|peer| path.is_up(*peer));
            }
            order.sort_by_key(|peer| (!path.is_up(*peer), self.rests(Way { trunk, peer: *peer })));
            ways.extend(order.into_iter().take(each).map(|peer| Way { trunk, peer }));
        }
        let is_up = |way: &Way| self.paths[way.trunk].is_up(way.peer);
        ways.sort_by_key(|way| (!is_up(way), self.rests(*way)));
        ways.truncate(hunt::MAX_WAYS);
        ways
    }

    /// Where a call that is up goes on, or a registration is asked for: the server that would be tried first.
    pub fn server_of(&mut self, now: Instant, trunk: usize) -> Option<SocketAddr> {
        self.ways(now, &[trunk], false).first().map(|way| way.peer)
    }

    fn rests(&self, way: Way) -> bool {
        [None, Some(way.trunk)].iter().any(|whose| self.resting.contains_key(&(way.peer, *whose)))
    }

    /// This way failed a call: for a while it is tried last.
    pub fn failed(&mut self, now: Instant, way: Way, fault: Fault, rest: Duration) {
        let whose = (fault == Fault::Account).then_some(way.trunk);
        let rests = self.resting.insert((way.peer, whose), now + rest).is_some_and(|until| until > now);
        if let Some(path) = self.paths.get(way.trunk).filter(|_| !rests) {
            told::rests(&path.name, way.peer, rest.as_secs());
        }
    }

    /// The pings that are due.
    pub fn due(&mut self, now: Instant) -> Vec<Ping> {
        let mut due = Vec::new();
        for at in 0..self.paths.len() {
            let Some(pings) = &mut self.paths[at].pings else { continue };
            if pings.poll_timeout().is_some_and(|when| when <= now) {
                pings.handle(now, PingInput::Timeout);
                due.extend(self.follow(at));
            }
        }
        due
    }

    /// A ping is on its way.
    pub fn asked(&mut self, request: RequestId, ping: Ping) {
        let trunk = self.paths[ping.way.trunk].name.clone();
        metrics::counter!("cordboard_trunk_pings_total", "trunk" => trunk).increment(1);
        self.asked.insert(request, ping);
    }

    /// A server that has gone down since the last was taken, whose trunk has another that is up.
    pub fn take_down(&mut self) -> Option<Way> {
        while let Some(way) = self.went_down.pop() {
            if self.is_up(way.trunk) {
                return Some(way);
            }
        }
        None
    }

    /// A trunk with a server that has come up again since the last was taken.
    pub fn take_up(&mut self) -> Option<usize> {
        self.came_up.pop()
    }

    /// What came of a ping.
    pub fn answered(&mut self, now: Instant, request: RequestId, status: u16) {
        let Some(Ping { way, number }) = self.asked.remove(&request) else { return };
        if let Some(pings) = self.paths.get_mut(way.trunk).and_then(|path| path.pings.as_mut()) {
            pings.handle(now, PingInput::Answer { peer: way.peer, number, status });
            let due = self.follow(way.trunk);
            debug_assert!(due.is_empty(), "an answer asks for no ping");
        }
    }

    /// Follows what a trunk's pings want and tell.
    fn follow(&mut self, trunk: usize) -> Vec<Ping> {
        let mut due = Vec::new();
        let mut changed = false;
        while let Some(output) = self.paths[trunk].pings.as_mut().and_then(Pings::poll_output) {
            match output {
                PingOutput::Send { peer, number } => due.push(Ping { way: Way { trunk, peer }, number }),
                PingOutput::Down { peer } => {
                    warn!(trunk = %self.paths[trunk].name, %peer, "a trunk's server does not answer pings");
                    self.went_down.push(Way { trunk, peer });
                    changed = true;
                }
                PingOutput::Up { peer } => {
                    info!(trunk = %self.paths[trunk].name, %peer, "a trunk's server answers again");
                    self.came_up.push(trunk);
                    changed = true;
                }
            }
        }
        if changed {
            self.assess();
        }
        due
    }

    /// When pings are due next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.paths.iter().filter_map(|path| path.pings.as_ref()?.poll_timeout()).min()
    }

    /// Says which trunks are down: figures, log, and one alarm that goes by itself.
    fn assess(&mut self) {
        for path in &mut self.paths {
            let down = path.unknown || (!path.servers.is_empty() && !path.any_up());
            if down != path.down {
                path.down = down;
                if down {
                    warn!(trunk = %path.name, "the trunk is down");
                } else {
                    info!(trunk = %path.name, "the trunk is up again");
                }
            }
            metrics::gauge!("cordboard_trunk_up", "trunk" => path.name.clone()).set(if down { 0.0 } else { 1.0 });
        }
        let down: Vec<&str> = self.paths.iter().filter(|path| path.down).map(|path| path.name.as_str()).collect();
        if down.is_empty() {
            self.alarms.take_back(DOWN);
        } else {
            let all = down.len() == self.paths.len();
            let level = if all { AlarmLevel::Critical } else { AlarmLevel::Warning };
            self.alarms.raise(DOWN, level, words(&down, all));
        }
        self.assess_registrations();
    }
}

fn words(down: &[&str], all: bool) -> String {
    let names = down.join(", ");
    match (all, down.len()) {
        (true, 1) => format!(
            "The trunk {names} does not answer. Calls are tried over it, but may fail; callers may not reach us."
        ),
        (true, _) => format!("No trunk answers ({names}). Calls are tried, but may fail; callers may not reach us."),
        (false, 1) => format!("The trunk {names} does not answer. Calls go out over the others."),
        (false, _) => format!("The trunks {names} do not answer. Calls go out over the others."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, SharedClock, TestClock, UtcMs};
    use crate::engine::feed::{Feed, FeedEvent};

    struct Rig {
        now: Instant,
        watch: Watch,
        alarms: Arc<Alarms>,
        feed: tokio::sync::broadcast::Receiver<FeedEvent>,
        requests: u64,
    }

    impl Rig {
        fn new(targets: &[&str]) -> Self {
            let clock = TestClock::at(UtcMs(0));
            let now = clock.instant();
            let feed = Feed::default();
            let received = feed.subscribe();
            let shared: SharedClock = Arc::new(clock);
            let alarms = Arc::new(Alarms::new(feed, shared));
            let carrier = |(at, target): (usize, &&str)| {
                Carrier::new(&format!("carrier-{at}"), target.parse().expect("a target"))
            };
            let carriers: Vec<Carrier> = targets.iter().enumerate().map(carrier).collect();
            let mut watch = Watch::new(&carriers, Arc::clone(&alarms));
            watch.place_addresses(now, &carriers);
            Self { now, watch, alarms, feed: received, requests: 0 }
        }

        /// Lets `rounds` of pings go out, answered by the trunks in `alive`.
        fn rounds(&mut self, rounds: usize, alive: &[usize]) {
            for _ in 0..rounds * self.watch.paths.len() {
                self.now = self.watch.poll_timeout().expect("trunks are pinged");
                for ping in self.watch.due(self.now) {
                    self.requests += 1;
                    let request = RequestId(self.requests);
                    self.watch.asked(request, ping);
                    if alive.contains(&ping.way.trunk) {
                        self.watch.answered(self.now, request, 200);
                    }
                }
            }
        }

        fn told(&mut self) -> Vec<String> {
            std::iter::from_fn(|| self.feed.try_recv().ok())
                .map(|event| match event {
                    FeedEvent::Alarm { alarm } => format!("{:?}: {}", alarm.level, alarm.text),
                    FeedEvent::AlarmGone { id } => format!("gone: {id}"),
                    other => panic!("{other:?}"),
                })
                .collect()
        }
    }

    #[test]
    fn one_alarm_says_which_trunks_are_down_and_goes_by_itself() {
        let mut rig = Rig::new(&["192.0.2.1", "192.0.2.2"]);
        rig.rounds(6, &[0, 1]);
        assert_eq!(rig.told(), [""; 0]);
        rig.rounds(6, &[1]);
        assert_eq!(rig.told(), ["Warning: The trunk carrier-0 does not answer. Calls go out over the others."]);
        assert!(!rig.watch.is_up(0) && rig.watch.is_up(1));
        rig.rounds(6, &[]);
        let all = "Critical: No trunk answers (carrier-0, carrier-1). Calls are tried, but may fail; callers may not reach us.";
        assert_eq!(rig.told(), [all]);
        assert_eq!(rig.alarms.list().len(), 1, "instead of the one before");
        assert!(!rig.alarms.silence(DOWN), "it goes when a trunk answers, not before");
        rig.rounds(6, &[0, 1]);
        let told = rig.told();
        assert!(told[0].starts_with("Warning: "), "{told:?}");
        assert_eq!(told[1..], ["gone: trunks_down"]);
        assert!(rig.alarms.list().is_empty());
    }

    #[test]
    fn a_host_that_was_never_found_is_a_trunk_down_and_one_found_before_is_not() {
        let mut rig = Rig::new(&["sip.carrier.example"]);
        assert_eq!(rig.told(), [""; 0], "it is being looked up");
        rig.watch.not_found(0);
        assert!(rig.told()[0].starts_with("Critical: The trunk carrier-0"));
        let address = "192.0.2.9:5060".parse().expect("an address");
        rig.watch.found(rig.now, 0, vec![Server::alone(vec![address])]);
        assert_eq!(rig.told(), ["gone: trunks_down"]);
        rig.watch.not_found(0);
        assert_eq!(rig.told(), [""; 0]);
        assert_eq!(rig.watch.ways(rig.now, &[0], false), [Way { trunk: 0, peer: address }], "what was known holds");
    }

    #[test]
    fn a_server_that_goes_down_is_told_of_once_if_there_is_another() {
        let mut rig = Rig::new(&["a.example"]);
        let at = |last: u8| SocketAddr::from(([192, 0, 2, last], 5060));
        let servers = [11, 12].map(|n| Server { priority: u16::from(n), weight: 0, addresses: vec![at(n)] });
        rig.watch.found(rig.now, 0, servers.into());
        let mut down = Vec::new();
        for _ in 0..12 {
            rig.now = rig.watch.poll_timeout().expect("it is pinged");
            for ping in rig.watch.due(rig.now) {
                rig.requests += 1;
                rig.watch.asked(RequestId(rig.requests), ping);
                if ping.way.peer == at(12) {
                    rig.watch.answered(rig.now, RequestId(rig.requests), 200);
                }
            }
            down.extend(std::iter::from_fn(|| rig.watch.take_down()));
        }
        assert_eq!(down, [Way { trunk: 0, peer: at(11) }]);
        assert_eq!(rig.watch.server_of(rig.now, 0), Some(at(12)), "where a registration goes instead");
        let mut alone = Rig::new(&["192.0.2.1"]);
        alone.rounds(12, &[]);
        assert_eq!(alone.watch.take_down(), None);
    }

    #[test]
    fn each_trunk_has_a_turn_and_a_server_that_failed_is_last_for_a_while() {
        let mut rig = Rig::new(&["a.example", "192.0.2.2"]);
        let at = |last: u8| SocketAddr::from(([192, 0, 2, last], 5060));
        let servers = (11..=16).map(|n| Server { priority: u16::from(n), weight: 0, addresses: vec![at(n)] });
        rig.watch.found(rig.now, 0, servers.collect());
        let peers = |rig: &mut Rig, trunks: &[usize]| -> Vec<SocketAddr> {
            let now = rig.now;
            rig.watch.ways(now, trunks, false).into_iter().map(|way| way.peer).collect()
        };
        assert_eq!(peers(&mut rig, &[0]), [at(11), at(12), at(13), at(14)]);
        assert_eq!(peers(&mut rig, &[0, 1]), [at(11), at(12), at(2)]);
        rig.watch.failed(rig.now, Way { trunk: 0, peer: at(11) }, Fault::Server, REST);
        assert_eq!(peers(&mut rig, &[0, 1]), [at(12), at(13), at(2)]);
        rig.watch.failed(rig.now, Way { trunk: 1, peer: at(2) }, Fault::Server, REST);
        assert_eq!(peers(&mut rig, &[1]), [at(2)], "better than none");
        rig.now += REST;
        assert_eq!(peers(&mut rig, &[1, 0]), [at(2), at(11), at(12)]);
        let asked = Duration::from_secs(5);
        rig.watch.failed(rig.now, Way { trunk: 0, peer: at(11) }, Fault::Server, asked);
        assert_eq!(peers(&mut rig, &[0])[0], at(12));
        rig.now += asked;
        assert_eq!(peers(&mut rig, &[0])[0], at(11), "as soon as it said");
    }

    #[test]
    fn a_fault_of_one_account_rests_that_trunk_alone_and_one_of_the_server_all_that_use_it() {
        let mut rig = Rig::new(&["192.0.2.1", "192.0.2.1", "192.0.2.2"]);
        let trunks = |rig: &mut Rig| -> Vec<usize> {
            let now = rig.now;
            rig.watch.ways(now, &[0, 1, 2], false).into_iter().map(|way| way.trunk).collect()
        };
        let way = rig.watch.ways(rig.now, &[0], false)[0];
        rig.watch.failed(rig.now, way, Fault::Account, REST);
        assert_eq!(trunks(&mut rig), [1, 2, 0]);
        rig.watch.failed(rig.now, way, Fault::Server, REST);
        assert_eq!(trunks(&mut rig), [2, 0, 1]);
    }
}
