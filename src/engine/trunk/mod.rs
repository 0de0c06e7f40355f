//! The trunk side: calls from carriers in, calls to carriers out. One loop that owns an agent and its
//! sockets; SIP's words become domain words here.
//!
//! This file is the way in: settings, the handle, the start. [`run`] is the loop, [`out`] makes calls out over one way
//! after another, [`registrations`] registers with carriers, [`watch`] knows which trunks answer and raises the alarm,
//! [`mute`] over which nothing rings, [`refusing`] whose carriers refuse us,
//! [`turned_away`] knows of callers for whom there was no room, [`told`] what the log says of calls that failed,
//! [`names`] looks hosts up. What is decided, is decided by
//! machines: `domain/trunk` (which trunk, whether at all), `proto/sip/hunt`, `ping` and `locate`. Only configured carriers
//! may speak to it. The loop never waits for an owner, a peer or a name server.

mod alarms;
mod mute;
mod names;
mod out;
mod refusing;
mod registrations;
mod run;
mod told;
mod turned_away;
mod watch;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use super::feed::{AlarmView, Feed};
pub use super::signal::LegNumbers;
use super::signal::{DialOut, IncomingCall, LegCommand, LegEvent, Offer};
use super::sip_side::SipSide;
use crate::base::clock::SharedClock;
use crate::base::numbering::Numbering;
use crate::base::phone::PhoneNumber;
use crate::base::rng::Rng;
use crate::config::trunk::HostPort;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::trunk::{DialPlan, Limits, Routing, TrunkRules};
use crate::io::net::census::{Caps, Census};
use crate::io::net::tls::{Identity, TlsPeer};
use crate::io::net::{BindError, Doors, Endpoint, Resolver};
use crate::proto::sdp::Srtp;
use crate::proto::sip::identity_out::Shown;
use crate::proto::sip::ping::PING_EVERY;
use crate::proto::sip::{Admit, Agent, AgentConfig, PeerTerms, Role, Source, Transport};

use alarms::Alarms;
pub use registrations::{CarrierAccount, Registering};
use registrations::{Registrations, add_logins};
use run::Loop;
use watch::Watch;

/// Calls at one time, unless told otherwise.
const MAX_CALLS: usize = 4_000;
/// Calls in that may wait for their owner to be made.
const INCOMING_DEPTH: usize = 256;
/// Answers of name servers that may wait for the loop.
const NAMES_DEPTH: usize = 8;

/// A carrier: where calls come from and go to.
#[derive(Clone, Debug)]
pub struct Carrier {
    pub name: String,
    /// Calls may come in from these, from any port.
    pub sources: Vec<Source>,
    /// Calls may come in from the target's servers too, wherever DNS says they are.
    pub targets_call: bool,
    /// Calls go out to this.
    pub target: HostPort,
    /// What calls go out over.
    pub over: Carriage,
    /// How much is encrypted; off unless over TLS.
    pub srtp: Srtp,
    pub rules: TrunkRules,
    /// How it writes numbers.
    pub numbering: Numbering,
    /// Where it reads the number that it shows.
    pub shown: Shown,
    /// Numbers the carrier lets us show; the first where a call names none of them. Empty: any.
    pub caller_ids: Vec<PhoneNumber>,
    /// Session timers and reliable provisional responses.
    pub terms: PeerTerms,
    /// How often it is asked whether it is there. None: never, it counts as up.
    pub ping_every: Option<Duration>,
    /// How we answer its challenges, if it makes any.
    pub account: Option<CarrierAccount>,
}

/// What SIP runs over towards a carrier.
#[derive(Clone, Debug)]
pub enum Carriage {
    Udp,
    Tcp,
    /// Its certificate has to be this peer's, wherever DNS says that its servers are.
    Tls(TlsPeer),
}

impl Carriage {
    pub const fn transport(&self) -> Transport {
        match self {
            Self::Udp => Transport::Udp,
            Self::Tcp => Transport::Tcp,
            Self::Tls(_) => Transport::Tls,
        }
    }

    /// As a parameter of a URI. RFC 5630 §3.1.1 would rather have `sips:`; carriers' SBCs want this.
    const fn parameter(&self) -> &'static str {
        match self {
            Self::Udp => "",
            Self::Tcp => ";transport=tcp",
            Self::Tls(_) => ";transport=tls",
        }
    }
}

impl Carrier {
    /// One with the usual rules, over UDP, that nobody may call in from yet.
    pub fn new(name: &str, target: HostPort) -> Self {
        let numbering = Numbering::default();
        let rules = TrunkRules {
            priority: 10,
            weight: 10,
            channels: 30,
            calls_per_second: 10,
            plan: DialPlan::default(),
            country: numbering.country.clone(),
            emergency: false,
        };
        Self {
            name: name.to_owned(),
            sources: Vec::new(),
            targets_call: false,
            target,
            over: Carriage::Udp,
            srtp: Srtp::Off,
            rules,
            numbering,
            shown: Shown::default(),
            caller_ids: Vec::new(),
            terms: PeerTerms::default(),
            ping_every: Some(PING_EVERY),
            account: None,
        }
    }

    fn pick_caller_id(&self, wanted: Option<&PhoneNumber>) -> Option<PhoneNumber> {
        match self.caller_ids.first() {
            Some(own) => Some(wanted.filter(|w| self.caller_ids.contains(w)).unwrap_or(own).clone()),
            None => wanted.cloned(),
        }
    }
}

/// How the trunk side is set up.
#[derive(Clone, Debug)]
pub struct TrunkSettings {
    pub bind: SocketAddr,
    /// Where carriers reach us over TLS, and who we are there.
    pub tls: Option<(SocketAddr, Identity)>,
    /// How many connections there may be.
    pub caps: Caps,
    /// Where those reach us who come through a NAT, if it isn't the address bound to; one of a family at most.
    pub public: Vec<IpAddr>,
    pub carriers: Vec<Carrier>,
    /// What each account may do.
    pub limits: Limits,
    /// Where leg numbers come from; one for the whole process.
    pub legs: LegNumbers,
    /// Where alarms are shown.
    pub feed: Feed,
    /// Calls that the agent holds at most, both ways.
    pub max_calls: usize,
    /// Who is asked for names; none: whom the system asks.
    pub name_server: Option<SocketAddr>,
}

impl TrunkSettings {
    pub fn new(bind: SocketAddr, carriers: Vec<Carrier>, legs: LegNumbers) -> Self {
        let (limits, feed) = (Limits::default(), Feed::default());
        let caps = Caps::default();
        let (max_calls, public) = (MAX_CALLS, Vec::new());
        Self { bind, tls: None, caps, public, carriers, limits, legs, feed, max_calls, name_server: None }
    }
}

enum Order {
    Dial {
        leg: LegId,
        call: DialOut,
        offer: Offer,
        events: mpsc::Sender<LegEvent>,
    },
    Leg(LegId, LegCommand),
    /// An operator has seen to this alarm.
    SeenTo(String),
    HoldOff(bool),
    Leave,
    /// Take all registrations back, and say when that is done.
    Unregister(oneshot::Sender<()>),
}

/// The way to the trunk side. Cheap to clone; calls never wait.
#[derive(Clone)]
pub struct TrunkHandle {
    // Unbounded: only legs of ours write to it, a few words each, and the loop never waits.
    orders: mpsc::UnboundedSender<Order>,
    alarms: Arc<Alarms>,
    local: SocketAddr,
    local_tls: Option<SocketAddr>,
}

impl fmt::Debug for TrunkHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrunkHandle").field("local", &self.local).finish_non_exhaustive()
    }
}

impl TrunkHandle {
    /// Makes a call, over the trunks that may, one after another. What happens comes on `events`, as if it were one.
    pub fn dial(&self, leg: LegId, call: DialOut, offer: impl Into<Offer>, events: mpsc::Sender<LegEvent>) {
        let order = Order::Dial { leg, call, offer: offer.into(), events };
        if let Err(mpsc::error::SendError(Order::Dial { events, .. })) = self.orders.send(order) {
            let _ = events.try_send(LegEvent::Ended(Cause::Fault));
        }
    }

    pub fn send(&self, leg: LegId, command: LegCommand) {
        // A trunk side that is gone has ended its legs.
        let _ = self.orders.send(Order::Leg(leg, command));
    }

    /// No new calls for now, or again.
    pub fn hold_off(&self, hold_off: bool) {
        let _ = self.orders.send(Order::HoldOff(hold_off));
    }

    /// The service is about to end: carriers that ask whether it is there are told to call elsewhere.
    pub fn leave(&self) {
        let _ = self.orders.send(Order::Leave);
    }

    /// Takes our registrations back, so that carriers send no more calls here. Returns when they are, or
    /// after two seconds.
    pub async fn unregister(&self) {
        let (done, over) = oneshot::channel();
        if self.orders.send(Order::Unregister(done)).is_ok() {
            // An error means that the trunk side is gone, and its registrations run out.
            let _ = over.await;
        }
    }

    /// Waits until the loop is gone: as long as there is a handle, only a panic ends it.
    pub async fn gone(&self) {
        self.orders.closed().await;
    }

    /// Where it listens.
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Where it listens for TLS.
    pub const fn local_tls(&self) -> Option<SocketAddr> {
        self.local_tls
    }

    /// Alarms about trunks that stand now.
    pub fn alarms(&self) -> Vec<AlarmView> {
        self.alarms.list()
    }

    /// An operator has seen to an alarm. Those that go with their cause stay.
    pub fn silence(&self, alarm: &str) {
        if self.alarms.silence(alarm) {
            let _ = self.orders.send(Order::SeenTo(alarm.to_owned()));
        }
    }
}

/// Starts the trunk side. The loop ends when all handles are dropped or nobody takes calls any more.
pub async fn spawn(
    settings: TrunkSettings,
    clock: SharedClock,
) -> Result<(TrunkHandle, mpsc::Receiver<IncomingCall>), BindError> {
    let Opened { side, inbox, names, handle, calls } = open(settings, clock).await?;
    tokio::spawn(side.run(inbox, names));
    info!(local = %handle.local, tls = handle.local_tls.map(tracing::field::display), "trunk side listens");
    Ok((handle, calls))
}

/// The trunk side, bound and not running yet.
struct Opened {
    side: Loop,
    inbox: mpsc::UnboundedReceiver<Order>,
    names: mpsc::Receiver<names::Found>,
    handle: TrunkHandle,
    calls: mpsc::Receiver<IncomingCall>,
}

async fn open(settings: TrunkSettings, clock: SharedClock) -> Result<Opened, BindError> {
    let alarms = Arc::new(Alarms::new(settings.feed.clone(), Arc::clone(&clock)));
    let mut watch = Watch::new(&settings.carriers, Arc::clone(&alarms));
    let named = watch.place_addresses(clock.instant(), &settings.carriers);
    let peers = run::peers(&settings.carriers, &watch);
    let census = Census::new(settings.caps, peers.clone());
    let endpoint = Endpoint::open(Doors { bind: settings.bind, tls: settings.tls.clone(), census }).await?;
    let (local, local_tls) = (endpoint.local(), endpoint.local_tls());
    let (orders, inbox) = mpsc::unbounded_channel();
    let (incoming, calls) = mpsc::channel(INCOMING_DEPTH);
    let (found, names) = mpsc::channel(NAMES_DEPTH);
    if !named.is_empty() {
        match Resolver::new(settings.name_server, local.ip()) {
            Ok(resolver) => {
                for at in named {
                    let carrier = &settings.carriers[at];
                    let names = names::Follow {
                        at,
                        host: carrier.target.host.clone(),
                        port: carrier.target.port,
                        transport: carrier.over.transport(),
                        trunk: carrier.name.clone(),
                    };
                    tokio::spawn(names.run(resolver.clone(), found.clone()));
                }
            }
            Err(why) => {
                error!("names of carriers cannot be looked up: {why}. Check /etc/resolv.conf, or write addresses");
                named.into_iter().for_each(|at| watch.not_found(at));
            }
        }
    }
    let mut config = AgentConfig::new(Role::Trunk, Admit::Sources(peers));
    config.max_dialogs = settings.max_calls;
    let rules = settings.carriers.iter().map(|carrier| carrier.rules.clone());
    let routing = Routing::new(rules, settings.limits, Rng::from_system());
    let mut agent = Agent::new(config, Rng::from_system());
    add_logins(&mut agent, &settings.carriers);
    agent.set_terms(run::terms(&settings.carriers, &watch));
    let registrations = Registrations::new(&settings.carriers, Rng::from_system());
    let side = SipSide::new(agent, endpoint, clock, "trunk");
    let side = Loop::new(side, settings, routing, watch, registrations, incoming);
    Ok(Opened { side, inbox, names, handle: TrunkHandle { orders, alarms, local, local_tls }, calls })
}
