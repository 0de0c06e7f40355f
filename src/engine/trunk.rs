//! The trunk side: calls from carriers in, calls to carriers out. One loop that owns an agent and its
//! sockets; SIP's words become domain words here.
//!
//! Only configured carriers may speak to it. Emergency and short numbers are refused before anything is
//! sent. The loop never waits for an owner or a peer.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::{info, warn};

use super::signal::{IncomingCall, LEG_EVENT_DEPTH, LegCommand, LegEvent};
use super::sip_side::{Legs, SWEEP, SipSide};
use crate::base::clock::SharedClock;
use crate::base::phone::PhoneNumber;
use crate::base::rng::Rng;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::io::net::{BindError, Endpoint, local_ip_towards};
use crate::proto::sip::identity::identify;
use crate::proto::sip::{
    Admit, Agent, AgentConfig, Command, DialogId, Event, Flow, IncomingInvite, Input, Role, Source, Verstat,
};

/// Calls in that may wait for their owner to be made.
const INCOMING_DEPTH: usize = 256;
/// How often a carrier's name is looked up anew.
const RESOLVE_EVERY: Duration = Duration::from_secs(60);

/// Says whether a number may be dialled.
pub type DialRule = Arc<dyn Fn(&PhoneNumber) -> bool + Send + Sync>;

/// A carrier: where calls come from and go to.
#[derive(Clone)]
pub struct Carrier {
    pub name: String,
    /// Calls may come in from these, from any port.
    pub sources: Vec<Source>,
    /// Calls go out to this: `host:port`.
    pub target: String,
    /// Calls go out over TCP.
    pub tcp: bool,
    /// Calls at one time, both ways.
    pub channels: usize,
    pub may_dial: DialRule,
    /// Numbers the carrier lets us show; the first where a call names none of them. Empty: any.
    pub caller_ids: Vec<PhoneNumber>,
}

impl Carrier {
    fn pick_caller_id(&self, wanted: Option<&PhoneNumber>) -> Option<PhoneNumber> {
        match self.caller_ids.first() {
            Some(own) => Some(wanted.filter(|w| self.caller_ids.contains(w)).unwrap_or(own).clone()),
            None => wanted.cloned(),
        }
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carrier").field("name", &self.name).field("target", &self.target).finish_non_exhaustive()
    }
}

/// How the trunk side is set up.
#[derive(Clone, Debug)]
pub struct TrunkSettings {
    pub bind: SocketAddr,
    /// Host under which carriers reach us, if it isn't the address bound to.
    pub advertised: Option<String>,
    pub carriers: Vec<Carrier>,
    /// Where leg numbers come from; one for the whole process.
    pub legs: LegNumbers,
}

/// Numbers for legs, unique within the process.
#[derive(Clone, Debug, Default)]
pub struct LegNumbers(Arc<AtomicU64>);

impl LegNumbers {
    pub fn fresh(&self) -> LegId {
        LegId(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

enum Order {
    Dial { leg: LegId, to: PhoneNumber, caller_id: Option<PhoneNumber>, offer: Vec<u8>, events: mpsc::Sender<LegEvent> },
    Leg(LegId, LegCommand),
}

/// The way to the trunk side. Cheap to clone; calls never wait.
#[derive(Clone)]
pub struct TrunkHandle {
    // Unbounded: only legs of ours write to it, a few words each, and the loop never waits.
    orders: mpsc::UnboundedSender<Order>,
    local: SocketAddr,
}

impl fmt::Debug for TrunkHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrunkHandle").field("local", &self.local).finish_non_exhaustive()
    }
}

impl TrunkHandle {
    /// Calls `to` over the first carrier that may dial it. What happens comes on `events`.
    pub fn dial(
        &self,
        leg: LegId,
        to: &PhoneNumber,
        caller_id: Option<&PhoneNumber>,
        offer: Vec<u8>,
        events: mpsc::Sender<LegEvent>,
    ) {
        let order = Order::Dial { leg, to: to.clone(), caller_id: caller_id.cloned(), offer, events };
        if let Err(mpsc::error::SendError(Order::Dial { events, .. })) = self.orders.send(order) {
            let _ = events.try_send(LegEvent::Ended(Cause::Fault));
        }
    }

    pub fn send(&self, leg: LegId, command: LegCommand) {
        // A trunk side that is gone has ended its legs.
        let _ = self.orders.send(Order::Leg(leg, command));
    }

    /// Where it listens.
    pub const fn local(&self) -> SocketAddr {
        self.local
    }
}

/// Starts the trunk side. The loop ends when all handles are dropped or nobody takes calls any more.
pub async fn spawn(
    settings: TrunkSettings,
    clock: SharedClock,
) -> Result<(TrunkHandle, mpsc::Receiver<IncomingCall>), BindError> {
    let endpoint = Endpoint::bind(settings.bind).await?;
    let local = endpoint.local();
    let sources = settings.carriers.iter().flat_map(|c| c.sources.iter().copied()).collect();
    let mut config = AgentConfig::new(Role::Trunk, Admit::Sources(sources));
    let targets: HashMap<usize, SocketAddr> =
        settings.carriers.iter().enumerate().filter_map(|(i, c)| Some((i, c.target.parse().ok()?))).collect();
    let host = settings.advertised.clone().unwrap_or_else(|| advertised_host(local, targets.values().next()));
    config.advertised = Some(format!("{host}:{}", local.port()));
    let (orders, inbox) = mpsc::unbounded_channel();
    let (incoming, calls) = mpsc::channel(INCOMING_DEPTH);
    let (resolved, names) = mpsc::channel(8);
    for (index, carrier) in settings.carriers.iter().enumerate() {
        if !targets.contains_key(&index) {
            tokio::spawn(resolve(index, carrier.target.clone(), resolved.clone()));
        }
    }
    let side = SipSide { agent: Agent::new(config, Rng::from_system()), endpoint, clock, name: "trunk" };
    let looped = Loop { side, legs: Legs::default(), carrier_of: HashMap::new(), settings, targets, host, incoming };
    tokio::spawn(looped.run(inbox, names));
    info!(%local, "trunk side listens");
    Ok((TrunkHandle { orders, local }, calls))
}

/// The host to name in Via and Contact when none is configured.
fn advertised_host(local: SocketAddr, towards: Option<&SocketAddr>) -> String {
    let ip = if local.ip().is_unspecified() {
        towards.and_then(|peer| local_ip_towards(*peer)).unwrap_or_else(|| local.ip())
    } else {
        local.ip()
    };
    if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
}

/// Looks a carrier's name up again and again.
async fn resolve(index: usize, target: String, resolved: mpsc::Sender<(usize, SocketAddr)>) {
    loop {
        match tokio::net::lookup_host(target.as_str()).await.map(|mut found| found.next()) {
            Ok(Some(address)) => {
                if resolved.send((index, address)).await.is_err() {
                    return;
                }
            }
            _ => warn!(carrier = index, "the carrier's name cannot be resolved"),
        }
        tokio::time::sleep(RESOLVE_EVERY).await;
        if resolved.is_closed() {
            return;
        }
    }
}

struct Loop {
    side: SipSide,
    legs: Legs,
    /// Which carrier a leg runs over, for its channels.
    carrier_of: HashMap<LegId, usize>,
    settings: TrunkSettings,
    targets: HashMap<usize, SocketAddr>,
    host: String,
    incoming: mpsc::Sender<IncomingCall>,
}

impl Loop {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>, mut names: mpsc::Receiver<(usize, SocketAddr)>) {
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            tokio::select! {
                input = self.side.next() => self.feed(input),
                order = orders.recv() => match order {
                    Some(Order::Dial { leg, to, caller_id, offer, events }) => {
                        self.dial(leg, &to, caller_id.as_ref(), offer, events);
                    }
                    Some(Order::Leg(leg, command)) => {
                        if let LegCommand::Reject(cause) = &command {
                            self.side.count_refusal(super::sip_side::status_of(*cause));
                        }
                        if let Some(command) = self.legs.on_command(leg, command) {
                            self.feed(Input::Command(command));
                        }
                    }
                    None => break,
                },
                Some((index, address)) = names.recv() => {
                    self.targets.insert(index, address);
                }
                _ = sweep.tick() => self.sweep(),
            }
        }
        info!("trunk side ends");
    }

    fn feed(&mut self, input: Input) {
        let mut events = self.side.feed(input);
        // Each command ends its dialog, so the chain is short.
        while !events.is_empty() {
            let mut next = Vec::new();
            for event in events {
                let command = match event {
                    Event::Incoming { dialog, flow, invite } => self.take(dialog, &flow, &invite),
                    event => self.legs.on_event(event),
                };
                if let Some(command) = command {
                    next.extend(self.side.feed(Input::Command(command)));
                }
            }
            events = next;
        }
    }

    fn sweep(&mut self) {
        self.carrier_of.retain(|leg, _| self.legs.dialog_of(*leg).is_some());
        for flow in self.side.endpoint.sweep() {
            self.feed(Input::FlowClosed { flow });
        }
        for command in self.legs.orphans() {
            self.feed(Input::Command(command));
        }
        metrics::gauge!("cordboard_trunk_legs").set(u32::try_from(self.legs.len()).unwrap_or(u32::MAX));
    }

    fn in_use(&self, carrier: usize) -> usize {
        self.carrier_of.iter().filter(|(leg, c)| **c == carrier && self.legs.dialog_of(**leg).is_some()).count()
    }

    /// A call comes in. The command returned refuses it.
    fn take(&mut self, dialog: DialogId, flow: &Flow, invite: &IncomingInvite) -> Option<Command> {
        let refuse = |status| {
            let later = (status == 503).then(|| ("Retry-After".to_owned(), "10".to_owned()));
            Some(Command::Reject { dialog, status, headers: later.into_iter().collect() })
        };
        let from = flow.peer.ip();
        let carrier = self.settings.carriers.iter().position(|c| c.sources.iter().any(|s| s.contains(from)));
        let Some(index) = carrier else { return refuse(403) };
        let carrier = &self.settings.carriers[index];
        if self.in_use(index) >= carrier.channels {
            self.side.count_refusal(503);
            return refuse(503);
        }
        let number = |text: Option<String>| text.and_then(|t| PhoneNumber::parse(&t).ok());
        let leg = self.settings.legs.fresh();
        let (events, receiver) = mpsc::channel(LEG_EVENT_DEPTH);
        let call = IncomingCall {
            leg,
            trunk: carrier.name.clone(),
            did: number(invite.dialled()).or_else(|| number(invite.dialled_first())),
            caller: number(invite.caller()),
            forwarded_from: number(invite.forwarded_from()),
            verstat: invite.verstat().map(Verstat::name),
            offer: invite.offer.clone(),
            events: receiver,
        };
        if self.incoming.try_send(call).is_err() {
            warn!("a call came in and nobody takes calls");
            self.side.count_refusal(503);
            return refuse(503);
        }
        metrics::counter!("cordboard_trunk_calls_total", "direction" => "in").increment(1);
        self.legs.add(leg, dialog, events);
        self.carrier_of.insert(leg, index);
        None
    }

    fn dial(
        &mut self,
        leg: LegId,
        to: &PhoneNumber,
        caller_id: Option<&PhoneNumber>,
        offer: Vec<u8>,
        events: mpsc::Sender<LegEvent>,
    ) {
        let refuse = |cause| {
            let _ = events.try_send(LegEvent::Ended(cause));
        };
        if is_emergency(to) {
            metrics::counter!("cordboard_emergency_refused_total").increment(1);
            return refuse(Cause::Forbidden);
        }
        let mut allowed = self.settings.carriers.iter().enumerate().filter(|(_, c)| (c.may_dial)(to)).peekable();
        if allowed.peek().is_none() {
            return refuse(Cause::Forbidden);
        }
        let free = allowed.find(|(i, c)| self.targets.contains_key(i) && self.in_use(*i) < c.channels);
        let Some((index, carrier)) = free else { return refuse(Cause::Unreachable) };
        let target = self.targets[&index];
        let tcp = carrier.tcp;
        // A name stays a name in the request URI: carriers tell customers apart by it.
        let host = carrier.target.clone();
        let flow = if tcp { self.side.endpoint.tcp_flow(target) } else { self.side.endpoint.udp_flow(target) };
        let shown = carrier.pick_caller_id(caller_id);
        let (from, headers) = identify(shown.as_ref().map(PhoneNumber::as_e164), &self.host);
        let transport = if tcp { ";transport=tcp" } else { "" };
        let dialog = self.side.agent.next_dialog();
        self.legs.add(leg, dialog, events);
        self.carrier_of.insert(leg, index);
        metrics::counter!("cordboard_trunk_calls_total", "direction" => "out").increment(1);
        self.feed(Input::Command(Command::Invite {
            dialog,
            flow,
            request_uri: format!("sip:{}@{host}{transport}", to.as_e164()),
            from,
            to: format!("<sip:{}@{host}>", to.as_e164()),
            headers,
            offer: Some(offer),
        }));
    }
}

/// A number too short to be a subscriber's: all emergency numbers and special services, also after a country
/// code. Three digits at most after three at most of the country (E.164 §6.2.1) make six.
fn is_emergency(number: &PhoneNumber) -> bool {
    number.digits().len() < 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_of_the_carrier_are_shown() {
        let number = |text: &str| PhoneNumber::parse(text).expect("a number");
        let (a, b, c) = (number("+12025550101"), number("+12025550102"), number("+12025550103"));
        let mut carrier = Carrier {
            name: "c".to_owned(),
            sources: Vec::new(),
            target: "carrier.example:5060".to_owned(),
            tcp: false,
            channels: 1,
            may_dial: Arc::new(|_| true),
            caller_ids: vec![a.clone(), b.clone()],
        };
        assert_eq!(carrier.pick_caller_id(Some(&b)), Some(b));
        assert_eq!(carrier.pick_caller_id(Some(&c)), Some(a));
        carrier.caller_ids.clear();
        assert_eq!(carrier.pick_caller_id(Some(&c)), Some(c));
        assert_eq!(carrier.pick_caller_id(None), None);
    }

    #[test]
    fn emergency_numbers_are_known_with_and_without_a_country_code() {
        for text in ["+911", "+1911", "+112", "+49110", "+49112", "+353999", "+420112", "+44999", "+61000", "+1933"] {
            assert!(is_emergency(&PhoneNumber::parse(text).expect("a number")), "{text}");
        }
        assert!(!is_emergency(&PhoneNumber::parse("+12025550911").expect("a number")));
    }
}
