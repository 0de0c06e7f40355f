//! The trunk side: calls from carriers in, calls to carriers out. One loop that owns an agent and its
//! sockets; SIP's words become domain words here.
//!
//! Only configured carriers may speak to it; of one that we register with, also the addresses that its name
//! leads to. Emergency and short numbers are refused before anything is sent. The loop never waits for an
//! owner or a peer.

mod registrations;

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

use super::signal::{IncomingCall, LEG_EVENT_DEPTH, LegCommand, LegEvent};
use super::sip_side::{Legs, SWEEP, SipSide};
use crate::base::clock::SharedClock;
use crate::base::phone::PhoneNumber;
use crate::base::rng::Rng;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::io::net::{BindError, Endpoint, local_ip_towards};
use crate::proto::sip::{
    Admit, Agent, AgentConfig, Command, DialogId, Event, Flow, IncomingInvite, Input, Role, Source,
};
pub use registrations::{CarrierAccount, Registering};
use registrations::{Registrations, Resolved, add_logins, login_of};

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
    /// How we answer its challenges, if it makes any.
    pub account: Option<CarrierAccount>,
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
    Dial {
        leg: LegId,
        to: PhoneNumber,
        caller_id: Option<PhoneNumber>,
        offer: Vec<u8>,
        events: mpsc::Sender<LegEvent>,
    },
    Leg(LegId, LegCommand),
    /// Take all registrations back, and say when that is done.
    Unregister(oneshot::Sender<()>),
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

    /// Takes our registrations back, so that carriers send no more calls here. Returns when they are, or
    /// after two seconds.
    pub async fn unregister(&self) {
        let (done, over) = oneshot::channel();
        if self.orders.send(Order::Unregister(done)).is_ok() {
            // An error means that the trunk side is gone, and its registrations run out.
            let _ = over.await;
        }
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
    let mut agent = Agent::new(config, Rng::from_system());
    add_logins(&mut agent, &settings.carriers);
    let registrations = Registrations::new(&settings.carriers, &host, Rng::from_system());
    let side = SipSide { agent, endpoint, clock, name: "trunk" };
    let mut looped = Loop {
        side,
        legs: Legs::default(),
        carrier_of: HashMap::new(),
        settings,
        targets: HashMap::new(),
        resolved: Resolved::default(),
        registrations,
        unregistered: None,
        host,
        incoming,
    };
    for (index, address) in targets {
        looped.found(index, &[address]);
    }
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
async fn resolve(index: usize, target: String, resolved: mpsc::Sender<(usize, Vec<SocketAddr>)>) {
    loop {
        match tokio::net::lookup_host(target.as_str()).await.map(Iterator::collect::<Vec<_>>) {
            Ok(found) if !found.is_empty() => {
                if resolved.send((index, found)).await.is_err() {
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
    /// All addresses of each carrier's target.
    resolved: Resolved,
    registrations: Registrations,
    /// Who waits until all registrations are taken back.
    unregistered: Option<oneshot::Sender<()>>,
    host: String,
    incoming: mpsc::Sender<IncomingCall>,
}

impl Loop {
    async fn run(
        mut self,
        mut orders: mpsc::UnboundedReceiver<Order>,
        mut names: mpsc::Receiver<(usize, Vec<SocketAddr>)>,
    ) {
        self.register();
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
                    Some(Order::Unregister(done)) => {
                        self.unregistered = Some(done);
                        let now = self.side.clock.instant();
                        self.registrations.stop(now);
                        self.register();
                    }
                    None => break,
                },
                Some((index, addresses)) = names.recv() => {
                    self.found(index, &addresses);
                    self.register();
                }
                _ = sweep.tick() => self.sweep(),
            }
        }
        info!("trunk side ends");
    }

    /// A carrier's addresses are known, or have changed.
    fn found(&mut self, index: usize, addresses: &[SocketAddr]) {
        let Some(first) = addresses.first() else { return };
        // A carrier with several addresses in turn is spoken to at one as long as it has it.
        let target = self.targets.get(&index).filter(|known| addresses.contains(known)).unwrap_or(first);
        self.targets.insert(index, *target);
        self.resolved.set(index, addresses);
        let account = self.settings.carriers.get(index).and_then(|c| c.account.as_ref());
        if let Some(account) = account {
            let peers = self.resolved.of(index);
            if account.register.is_some() {
                self.side.agent.admit_also(peers.iter().copied());
            }
            self.side.agent.set_login_peers(login_of(index), peers);
        }
        let now = self.side.clock.instant();
        self.registrations.start(now, index);
    }

    /// Sends what registrations want sent.
    fn register(&mut self) {
        let Self { registrations, targets, settings, side, .. } = self;
        let commands = registrations.commands(|index| {
            let (target, carrier) = (*targets.get(&index)?, settings.carriers.get(index)?);
            Some(if carrier.tcp { side.endpoint.tcp_flow(target) } else { side.endpoint.udp_flow(target) })
        });
        for command in commands {
            self.feed(Input::Command(command));
        }
        if self.registrations.are_over()
            && let Some(done) = self.unregistered.take()
        {
            // Who asked may have stopped waiting.
            let _ = done.send(());
        }
    }

    fn feed(&mut self, input: Input) {
        let now = self.side.clock.instant();
        if let Input::FlowClosed { flow } = &input {
            self.registrations.flow_lost(now, flow);
        }
        let mut events = self.side.feed(input);
        // Each command ends its dialog, so the chain is short.
        while !events.is_empty() {
            let mut next = Vec::new();
            for event in events {
                let command = match event {
                    Event::Registration(answer) => {
                        self.registrations.answered(now, answer);
                        self.register();
                        None
                    }
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
        let now = self.side.clock.instant();
        self.registrations.tick(now);
        self.register();
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
        let refuse = |status| Some(Command::Reject { dialog, status, headers: Vec::new() });
        let from = flow.peer.ip();
        let registers = |c: &Carrier| c.account.as_ref().is_some_and(|a| a.register.is_some());
        let carrier = self.settings.carriers.iter().enumerate().position(|(index, c)| {
            c.sources.iter().any(|s| s.contains(from)) || (registers(c) && self.resolved.contains(index, from))
        });
        let Some(index) = carrier else { return refuse(403) };
        let carrier = &self.settings.carriers[index];
        if self.in_use(index) >= carrier.channels {
            self.side.count_refusal(503);
            return refuse(503);
        }
        let number = |text: Option<String>| text.and_then(|t| PhoneNumber::parse(&t).ok());
        // A carrier that we register with may call us by our login; what was dialled then stands in To.
        let by_login = carrier.account.as_ref().is_some_and(|a| invite.dialled().as_ref() == Some(&a.login.user));
        let (first, then) = (number(invite.dialled()), number(invite.dialled_first()));
        let did = if by_login { then.or(first) } else { first.or(then) };
        let leg = self.settings.legs.fresh();
        let (events, receiver) = mpsc::channel(LEG_EVENT_DEPTH);
        let call = IncomingCall {
            leg,
            trunk: carrier.name.clone(),
            did,
            caller: number(invite.caller()),
            forwarded_from: number(invite.forwarded_from()),
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
        let from = match &shown {
            Some(number) => format!("<sip:{}@{}>", number.as_e164(), self.host),
            None => "\"Anonymous\" <sip:anonymous@anonymous.invalid>".to_owned(),
        };
        let headers = shown
            .map(|number| ("P-Asserted-Identity".to_owned(), format!("<sip:{}@{}>", number.as_e164(), self.host)))
            .into_iter()
            .collect();
        let transport = if tcp { ";transport=tcp" } else { "" };
        let dialog = self.side.agent.next_dialog();
        if carrier.account.is_some() {
            self.side.agent.lend_login(dialog, login_of(index));
        }
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
            account: None,
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
