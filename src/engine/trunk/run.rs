//! The loop: what comes from the network, from legs' owners, from name servers and with time. Calls in are taken here.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

use super::alarms::{MUTE, TOLL};
use super::mute::Mute;
use super::names::Found;
use super::out::Hunting;
use super::refusing::Refusing;
use super::registrations::{Registrations, login_of};
use super::turned_away::TurnedAway;
use super::watch::{Ping, Watch};
use super::{Carriage, Carrier, Order, TrunkSettings};
use crate::base::rng::Rng;
use crate::domain::call::bridge::LegId;
use crate::domain::trunk::{Notice, Routing};
use crate::engine::feed::AlarmLevel;
use crate::engine::here::{Here, host_of};
use crate::engine::signal::{IncomingCall, LEG_EVENT_DEPTH, LegCommand};
use crate::engine::sip_side::{self, AT_ONCE, Legs, SWEEP, SipSide};
use crate::proto::sdp::Srtp;
use crate::proto::sip::locate::Server;
use crate::proto::sip::{
    Admit, Command, DialogId, Event, Flow, IncomingInvite, Input, PeerTerms, Source, Transport, Verstat,
};

const TOLL_WORDS: &str = "Calls to numbers that may not be dialled, or beyond an account's limit, were refused again \
                          and again. Somebody may be trying to call at your cost: look at who placed them.";

/// The trunk side at work.
pub(super) struct Loop {
    pub(super) side: SipSide,
    pub(super) legs: Legs,
    pub(super) settings: TrunkSettings,
    pub(super) routing: Routing,
    pub(super) watch: Watch,
    pub(super) refusing: Refusing,
    pub(super) mute: Mute,
    pub(super) registrations: Registrations,
    /// Who waits until all registrations are taken back.
    unregistered: Option<oneshot::Sender<()>>,
    here: Here,
    /// Calls out that are not answered yet.
    pub(super) hunting: HashMap<LegId, Hunting>,
    /// When a hunt loses patience. May hold some that are over.
    pub(super) impatient: BTreeSet<(Instant, LegId)>,
    incoming: mpsc::Sender<IncomingCall>,
    turned_away: TurnedAway,
    rng: Rng,
}

impl Loop {
    pub(super) fn new(
        side: SipSide,
        settings: TrunkSettings,
        routing: Routing,
        watch: Watch,
        registrations: Registrations,
        incoming: mpsc::Sender<IncomingCall>,
    ) -> Self {
        let (legs, hunting, impatient) = (Legs::default(), HashMap::new(), BTreeSet::new());
        let (unregistered, here) = (None, Here::new(settings.public.clone()));
        let mut own = Self {
            side,
            legs,
            settings,
            routing,
            watch,
            refusing: Refusing::default(),
            mute: Mute::default(),
            registrations,
            unregistered,
            here,
            hunting,
            impatient,
            incoming,
            turned_away: TurnedAway::default(),
            rng: Rng::from_system(),
        };
        (0..own.settings.carriers.len()).for_each(|trunk| own.reach(trunk));
        own
    }

    pub(super) async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>, mut names: mpsc::Receiver<Found>) {
        self.register();
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            let wake = self.poll_timeout().map(|at| at.saturating_duration_since(self.now()));
            tokio::select! {
                input = self.side.next() => {
                    self.feed(input);
                    for _ in 1..AT_ONCE {
                        let Some(input) = self.side.ready() else { break };
                        self.feed(input);
                    }
                    self.side.endpoint.flush();
                }
                order = orders.recv() => {
                    let Some(order) = order else { break };
                    self.obey(order);
                    for _ in 1..AT_ONCE {
                        let Ok(order) = orders.try_recv() else { break };
                        self.obey(order);
                    }
                }
                Some(found) = names.recv() => match found.servers {
                    Some(servers) => self.found(found.at, servers),
                    None => self.watch.not_found(found.at),
                },
                () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => self.on_time(),
                _ = sweep.tick() => self.sweep(),
            }
        }
        info!("trunk side ends");
    }

    pub(super) fn now(&self) -> Instant {
        self.side.clock.instant()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let impatient = self.impatient.first().map(|(at, _)| *at);
        [impatient, self.watch.poll_timeout(), self.routing.poll_timeout()].into_iter().flatten().min()
    }

    fn on_time(&mut self) {
        let now = self.now();
        self.lose_patience(now);
        for ping in self.watch.due(now) {
            self.ping(ping);
        }
        self.leave_down(now);
        self.routing.on_timeout(now);
        self.notice();
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Dial { leg, call, offer, events } => self.dial(leg, call, offer, events),
            Order::Leg(leg, command) => {
                if let LegCommand::Reject(cause) | LegCommand::RejectSaying(cause, _) = &command {
                    let status = sip_side::status_of(*cause);
                    self.side.count_refusal(status);
                    self.call_refused(leg, status);
                }
                if matches!(command, LegCommand::HangUp) {
                    self.given_up(leg);
                }
                if let Some(command) = self.legs.on_command(leg, command) {
                    self.feed(Input::Command(command));
                }
                self.settle(leg);
            }
            Order::SeenTo(alarm) if alarm == MUTE => self.mute.seen_to(),
            Order::SeenTo(alarm) if alarm == TOLL => self.routing.toll_seen_to(),
            Order::SeenTo(_) => self.refusing.seen_to(),
            Order::HoldOff(hold_off) => self.side.agent.hold_off(hold_off),
            Order::Leave => self.side.agent.leave(),
            Order::Unregister(done) => {
                self.unregistered = Some(done);
                let now = self.now();
                self.registrations.stop(now);
                self.register();
            }
        }
    }

    pub(super) fn feed(&mut self, input: Input) {
        self.side.agent.crowded(self.incoming.capacity() == 0);
        if let Input::FlowClosed { flow } = &input {
            self.lost(flow);
        }
        // Apart, as most are alone.
        let (mut first, mut inputs) = (Some(self.as_seen(input)), VecDeque::new());
        // Each command ends its dialog or begins the next of a hunt, so the chain is short.
        while let Some(input) = first.take().or_else(|| inputs.pop_front()) {
            let placed = match &input {
                Input::Command(Command::Invite { dialog, .. }) => Some(*dialog),
                _ => None,
            };
            let fed = self.side.feed(input);
            placed.into_iter().for_each(|dialog| self.placed(dialog));
            fed.closed.iter().for_each(|flow| self.lost(flow));
            for event in fed.events {
                inputs.extend(self.follow(event).into_iter().map(Input::Command));
            }
        }
    }

    /// With the address that a peer of ours sees of us. Strangers are not worth the asking.
    fn as_seen(&mut self, input: Input) -> Input {
        match input {
            Input::Received { flow, bytes } if self.side.agent.admits(flow.peer.ip()) => {
                Input::Received { flow: self.seen(flow), bytes }
            }
            input => input,
        }
    }

    /// A connection is gone, as the network says or as sending has shown.
    fn lost(&mut self, flow: &Flow) {
        let now = self.now();
        self.registrations.flow_lost(now, flow);
    }

    /// What follows from an event at once.
    fn follow(&mut self, event: Event) -> Vec<Command> {
        match event {
            Event::Incoming { dialog, flow, invite } => self.take(dialog, &flow, &invite).into_iter().collect(),
            Event::Registration(answer) => {
                let now = self.now();
                self.registrations.answered(now, answer);
                self.register();
                Vec::new()
            }
            Event::OptionsAnswered { request, status } => {
                let now = self.now();
                self.watch.answered(now, request, status);
                self.leave_down(now);
                Vec::new()
            }
            Event::FlowLost { dialog } => self.find_way(dialog).into_iter().collect(),
            Event::Undelivered { transaction, flow, hop } => {
                let way = self.way_on(&flow, hop);
                way.map(|flow| Command::SendAgain { transaction, flow }).into_iter().collect()
            }
            Event::OtherTransport { dialog, transport, hop } => {
                self.speak_by(dialog, transport, hop).into_iter().collect()
            }
            event => {
                let leg = dialog_of(&event).and_then(|dialog| self.legs.leg_of(dialog));
                let commands = match leg.filter(|leg| self.hunting.contains_key(leg)) {
                    Some(leg) => self.hunted(leg, event),
                    None => self.legs.on_event(event).into_iter().collect(),
                };
                if let Some(leg) = leg {
                    self.settle(leg);
                }
                commands
            }
        }
    }

    /// A leg that is over gives its channel back.
    pub(super) fn settle(&mut self, leg: LegId) {
        if self.legs.dialog_of(leg).is_none() {
            self.routing.ended(leg);
            self.hunting.remove(&leg);
        }
    }

    fn sweep(&mut self) {
        let now = self.now();
        self.registrations.tick(now);
        self.register();
        for flow in self.registrations.keep_open_now(now, &mut self.rng) {
            if self.side.keep_open(&flow).is_err() {
                self.feed(Input::FlowClosed { flow });
            }
        }
        for flow in self.side.endpoint.sweep() {
            self.feed(Input::FlowClosed { flow });
        }
        for command in self.legs.orphans() {
            self.feed(Input::Command(command));
        }
        let legs = &self.legs;
        self.routing.keep(|leg| legs.dialog_of(leg).is_some());
        self.hunting.retain(|leg, _| legs.dialog_of(*leg).is_some());
        self.routing.tidy(self.side.clock.instant());
        self.here.tidy(now);
        let refused = std::mem::take(&mut self.side.turned_away);
        if refused > 0 && self.turned_away.too_many(now) {
            warn!(refused, "more calls come in than can be answered here: they are refused (503) from now on");
        }
        let carriers = &self.settings.carriers;
        for (alarm, words) in self.turned_away.words(now, |trunk| &carriers[trunk].name) {
            match words {
                Some(words) => {
                    self.watch.alarms().raise(alarm, AlarmLevel::Critical, words);
                }
                None => self.watch.alarms().take_back(alarm),
            }
        }
        while let Some((trunk, refused)) = self.turned_away.poll_over() {
            self.channels_free(trunk, refused);
        }
        metrics::gauge!("cordboard_trunk_legs").set(u32::try_from(self.legs.len()).unwrap_or(u32::MAX));
    }

    fn found(&mut self, trunk: usize, servers: Vec<Server>) {
        let now = self.now();
        self.watch.found(now, trunk, servers);
        let peers = peers(&self.settings.carriers, &self.watch);
        self.side.endpoint.know(peers.clone());
        self.side.agent.admit(Admit::Sources(peers));
        self.side.agent.set_terms(terms(&self.settings.carriers, &self.watch));
        self.reach(trunk);
        self.register();
    }

    /// A trunk's servers are known, or have changed: its login is for them alone, and it is registered with.
    fn reach(&mut self, trunk: usize) {
        let servers: Vec<_> = self.watch.servers(trunk).map(|address| address.ip()).collect();
        if servers.is_empty() {
            return;
        }
        self.side.agent.set_login_peers(login_of(trunk), servers);
        let now = self.now();
        self.registrations.start(now, trunk);
    }

    /// Registers elsewhere in place of servers that have gone down, and at once with those that are back.
    fn leave_down(&mut self, now: Instant) {
        while let Some(way) = self.watch.take_down() {
            self.registrations.server_down(now, way);
        }
        while let Some(trunk) = self.watch.take_up() {
            self.registrations.server_up(now, trunk);
        }
    }

    /// Sends what registrations want sent.
    fn register(&mut self) {
        let now = self.now();
        let mut registrations = std::mem::take(&mut self.registrations);
        let commands = registrations.commands(|trunk| {
            let peer = self.watch.server_of(now, trunk)?;
            Some(self.flow_to(trunk, peer))
        });
        self.registrations = registrations;
        for (trunk, failing) in self.registrations.failing() {
            self.watch.registration(trunk, failing);
        }
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

    /// A flow to a server of this trunk.
    pub(super) fn flow_to(&mut self, trunk: usize, peer: SocketAddr) -> Flow {
        let flow = match &self.settings.carriers[trunk].over {
            Carriage::Udp => self.side.endpoint.udp_flow(peer),
            Carriage::Tcp => self.side.endpoint.stream_flow(peer, None),
            Carriage::Tls(tls) => self.side.endpoint.stream_flow(peer, Some(tls)),
        };
        self.seen(flow)
    }

    /// A flow with the address that its peer sees of us.
    fn seen(&mut self, flow: Flow) -> Flow {
        let now = self.now();
        self.here.seen_from(now, flow)
    }

    /// A call goes on whose connection broke. One of ours is opened anew by its next request; in place of the carrier's
    /// own we go to where it says that it listens, else to a server of its trunk; never in the clear with what was over TLS.
    fn find_way(&mut self, dialog: DialogId) -> Option<Command> {
        let (flow, hop) = self.side.agent.way_of(dialog)?;
        if self.side.endpoint.reopens(&flow) {
            return Some(Command::MoveFlow { dialog, flow });
        }
        let trunk = self.routing.trunk_of(self.legs.leg_of(dialog)?)?;
        let flow = self.new_way(trunk, &flow, hop)?;
        Some(Command::MoveFlow { dialog, flow })
    }

    /// A carrier that was spoken to over UDP names something else for what follows in a call.
    fn speak_by(&mut self, dialog: DialogId, transport: Transport, hop: Option<SocketAddr>) -> Option<Command> {
        let trunk = self.routing.trunk_of(self.legs.leg_of(dialog)?)?;
        let carrier = &self.settings.carriers[trunk];
        let flow = match (transport, &carrier.over, hop) {
            (Transport::Tcp, _, Some(peer)) => self.side.endpoint.stream_flow(peer, None),
            (Transport::Tls, Carriage::Tls(tls), Some(peer)) => self.side.endpoint.stream_flow(peer, Some(tls)),
            _ => {
                let transport = transport.name();
                warn!(trunk = carrier.name, transport, "the carrier's Contact names what this trunk has no way by");
                return None;
            }
        };
        Some(Command::MoveFlow { dialog, flow: self.seen(flow) })
    }

    /// The same for a request of a call that is over for us: by the trunk that the connection came from.
    fn way_on(&mut self, flow: &Flow, hop: Option<SocketAddr>) -> Option<Flow> {
        if self.side.endpoint.reopens(flow) {
            return Some(*flow);
        }
        let trunk = self.caller_of(flow, None)?;
        self.new_way(trunk, flow, hop)
    }

    fn new_way(&mut self, trunk: usize, flow: &Flow, hop: Option<SocketAddr>) -> Option<Flow> {
        let peer = hop.or_else(|| self.watch.server_of(self.now(), trunk))?;
        let flow = match (flow.transport, &self.settings.carriers[trunk].over) {
            (Transport::Tcp, _) => self.side.endpoint.stream_flow(peer, None),
            (Transport::Tls, Carriage::Tls(tls)) => self.side.endpoint.stream_flow(peer, Some(tls)),
            // We know no name that its certificate would have to say. The carrier may come again by itself.
            _ => return None,
        };
        Some(self.seen(flow))
    }

    /// The trunk that calls from there come in over, if they may. Where several have their carrier there, the one that
    /// speaks by this transport, then the one whose login was dialled (RFC 3261 §10: what we registered as), then the first.
    fn caller_of(&self, flow: &Flow, dialled: Option<&str>) -> Option<usize> {
        let from = flow.peer.ip();
        let sends_calls = |(at, carrier): &(usize, &Carrier)| {
            let listed = carrier.sources.iter().any(|source| source.contains(from));
            listed || (carrier.targets_call && self.watch.is_server(*at, from))
        };
        let fit = |(at, carrier): &(usize, &Carrier)| {
            let login = match &carrier.account {
                Some(account) if Some(account.login.user.as_str()) == dialled => 0,
                // Called by its login, it would have been.
                Some(account) if account.register.is_some() => 2,
                _ => 1,
            };
            (carrier.over.transport() != flow.transport, login, *at)
        };
        let carriers = self.settings.carriers.iter().enumerate();
        carriers.filter(sends_calls).min_by_key(fit).map(|(at, _)| at)
    }

    fn ping(&mut self, ping: Ping) {
        let flow = self.flow_to(ping.way.trunk, ping.way.peer);
        let request = self.side.agent.next_request();
        let carrier = &self.settings.carriers[ping.way.trunk];
        let request_uri = format!("sip:{}{}", carrier.target, carrier.over.parameter());
        let from = format!("<sip:ping@{}>", host_of(&flow));
        self.watch.asked(request, ping);
        self.feed(Input::Command(Command::Options { request, flow, request_uri, from }));
    }

    /// Tells people what the rules noticed.
    pub(super) fn notice(&mut self) {
        while let Some(notice) = self.routing.poll_output() {
            match notice {
                Notice::TollSuspected => {
                    warn!("calls out were refused again and again: it may be toll fraud");
                    self.watch.alarms().raise(TOLL, AlarmLevel::Critical, TOLL_WORDS.to_owned());
                }
                Notice::TollOver => self.watch.alarms().take_back(TOLL),
            }
        }
    }

    /// A call comes in. The command returned refuses it.
    fn take(&mut self, dialog: DialogId, flow: &Flow, invite: &IncomingInvite) -> Option<Command> {
        let refuse = |status| {
            let later = (status == 503).then(|| ("Retry-After".to_owned(), "10".to_owned()));
            Some(Command::Reject { dialog, status, headers: later.into_iter().collect() })
        };
        let Some(index) = self.caller_of(flow, invite.dialled().as_deref()) else {
            // A server that answers calls of ours, but may make none.
            self.side.count_refusal(403);
            return refuse(403);
        };
        let carrier = &self.settings.carriers[index];
        let tls = flow.transport == Transport::Tls;
        if !tls && carrier.srtp == Srtp::Required {
            warn!(trunk = carrier.name, "a call came in the clear over a trunk that must encrypt");
            self.side.count_refusal(403);
            return refuse(403);
        }
        if !self.routing.has_channel(index) {
            let now = self.now();
            let first = self.turned_away.full(now, index);
            self.no_channel(index, first);
            self.side.count_refusal(503);
            return refuse(503);
        }
        let number = |text: Option<String>| text.and_then(|t| carrier.numbering.read(&t).ok());
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
            verstat: invite.verstat().map(Verstat::name),
            offer: invite.offer.clone(),
            srtp: if tls { carrier.srtp } else { Srtp::Off },
            peer: flow.peer.ip(),
            events: receiver,
        };
        if self.incoming.try_send(call).is_err() {
            let now = self.now();
            if self.turned_away.too_many(now) {
                warn!("a call came in and nobody takes calls");
            }
            self.side.count_refusal(503);
            return refuse(503);
        }
        let trunk = carrier.name.clone();
        metrics::counter!("cordboard_trunk_calls_total", "direction" => "in", "trunk" => trunk).increment(1);
        self.legs.add(leg, dialog, events);
        self.routing.came_in(leg, index);
        None
    }
}

/// What is agreed with those who may call, by the trunk that a call from them is taken for.
pub(super) fn terms(carriers: &[Carrier], watch: &Watch) -> Vec<(Source, Transport, PeerTerms)> {
    let of = |(at, carrier): (usize, &Carrier)| {
        let servers = watch.servers(at).filter(|_| carrier.targets_call).map(|server| Source::from(server.ip()));
        let sources = carrier.sources.iter().copied().chain(servers);
        sources.map(|source| (source, carrier.over.transport(), carrier.terms)).collect::<Vec<_>>()
    };
    carriers.iter().enumerate().flat_map(of).collect()
}

/// Who may speak to us: those who may call, and those who answer our calls.
pub(super) fn peers(carriers: &[Carrier], watch: &Watch) -> Vec<Source> {
    let sources = carriers.iter().flat_map(|carrier| carrier.sources.iter().copied());
    sources.chain(watch.known().map(Source::from)).collect()
}

/// The dialog that an event is about.
const fn dialog_of(event: &Event) -> Option<DialogId> {
    match event {
        Event::Incoming { dialog, .. }
        | Event::Canceled { dialog }
        | Event::Established { dialog, .. }
        | Event::Progress { dialog, .. }
        | Event::Answered { dialog, .. }
        | Event::Rejected { dialog, .. }
        | Event::Full { dialog }
        | Event::Reoffered { dialog, .. }
        | Event::ReinviteAnswered { dialog, .. }
        | Event::ReinviteRejected { dialog, .. }
        | Event::Info { dialog, .. }
        | Event::Refer { dialog, .. }
        | Event::FlowLost { dialog }
        | Event::OtherTransport { dialog, .. }
        | Event::Ended { dialog, .. } => Some(*dialog),
        Event::Register { .. }
        | Event::Registration(_)
        | Event::OptionsAnswered { .. }
        | Event::Undelivered { .. }
        | Event::Refused { .. } => None,
    }
}
