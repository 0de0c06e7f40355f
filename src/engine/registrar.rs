//! The phone side: operators' phones register here and are rung. One loop that owns an agent, its sockets
//! and the bindings of users to flows.
//!
//! A console's softphone proves who it is by `Authorization: Bearer` on REGISTER (RFC 8898), checked by a
//! closure that `app` gives; a desk phone by digest, checked against `devices`. A REGISTER with neither is
//! challenged; a call that a registered desk phone makes has to prove itself by digest as well (`calling`); anything else
//! sent outside a dialog gets the same short 403. Requests inside a dialog are
//! trusted by their flow and dialog, never refused because a token ran out. A connection gone, its bindings
//! are gone; an answered call outlives it for 10 s, in which the same phone may register again. One that
//! registers over another connection has left the old one, whether that was seen to close or not: a network
//! that vanished closes nothing. Its calls move to the new one, and their legs are told. A user with several phones of one kind is rung on the one that came last (`ringing`);
//! a refresh does not count as coming. Which kind is the seat's to say.

mod binding;
mod calling;
#[cfg(test)]
mod desk_phone_tests;
pub mod devices;
mod guesses;
mod handle;
mod keep_open;
mod ringing;
#[cfg(test)]
mod ringing_tests;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use super::here::Here;
use super::signal::{LegEvent, LegNumbers, PhoneCall};
use super::sip_side::{Legs, SWEEP, SipSide};
use crate::base::clock::SharedClock;
use crate::base::id::{DeviceId, UserId};
use crate::base::numbering::Numbering;
use crate::base::rng::{Rng, secure_bytes};
use crate::domain::call::bridge::LegId;
use crate::domain::operator::Phones;
use crate::io::net::{BindError, Doors, Endpoint};
use crate::io::store::devices::REALM;
use crate::proto::sdp::Srtp;
use crate::proto::sip::digest::Algorithm;
use crate::proto::sip::digest::fields::Credentials;
use crate::proto::sip::digest::server::{Gate, Verdict};
use crate::proto::sip::message::{Headers, Uri};
use crate::proto::sip::{
    Admit, Agent, AgentConfig, Command, DialogId, Event, Flow, Input, RegisterRequest, RequestId, Role, Transport,
};
use binding::{Binding, Contacts, MAX_BINDINGS, read_contacts};
use devices::{Devices, KnownDevice};
use guesses::Guesses;
use handle::Order;
pub use handle::RegistrarHandle;
use keep_open::next_word;
use ringing::Ringing;

/// Whose calls operators' phones show.
const CALLER: &str = "\"Cordboard\" <sip:calls@cordboard.local>";

/// Checks a bearer token: whose it is, if it is valid now.
pub type TokenCheck = Arc<dyn Fn(&str) -> Option<UserId> + Send + Sync>;

/// The phones of a user that are registered now.
pub type PhoneChange = (UserId, Phones);

/// How the phone side is set up.
pub struct PhoneSettings {
    pub doors: Doors,
    pub check: TokenCheck,
    pub devices: watch::Receiver<Devices>,
    /// What desk phones are asked for, best first.
    pub digests: Vec<Algorithm>,
    /// How much is encrypted with desk phones that registered over TLS.
    pub srtp: Srtp,
    /// Where phones outside reach us, if it isn't the address bound to; one of a family at most.
    pub public: Vec<IpAddr>,
    /// How people here write numbers.
    pub numbering: Numbering,
    /// Where leg numbers come from; one for the whole process.
    pub legs: LegNumbers,
    /// Who takes the calls that desk phones make. None: nobody.
    pub calls: Option<mpsc::Sender<PhoneCall>>,
}

impl PhoneSettings {
    pub fn new(doors: Doors, check: TokenCheck, devices: watch::Receiver<Devices>, digests: Vec<Algorithm>) -> Self {
        let (numbering, legs) = (Numbering::default(), LegNumbers::default());
        let public = Vec::new();
        Self { doors, check, devices, digests, srtp: Srtp::Off, public, numbering, legs, calls: None }
    }
}

/// Starts the phone side. The receiver tells who comes online and goes offline.
pub async fn spawn(
    settings: PhoneSettings,
    clock: SharedClock,
) -> Result<(RegistrarHandle, mpsc::UnboundedReceiver<PhoneChange>), BindError> {
    let (side, inbox, handle, told) = open(settings, clock).await?;
    tokio::spawn(side.run(inbox));
    info!(local = %handle.local, tls = handle.local_tls.map(tracing::field::display), "phone side listens");
    Ok((handle, told))
}

type Opened = (Loop, mpsc::UnboundedReceiver<Order>, RegistrarHandle, mpsc::UnboundedReceiver<PhoneChange>);

/// The phone side, bound and not running yet.
async fn open(settings: PhoneSettings, clock: SharedClock) -> Result<Opened, BindError> {
    let PhoneSettings { doors, check, devices, digests, srtp, public, numbering, legs: numbers, calls } = settings;
    let endpoint = Endpoint::open(doors).await?;
    let (local, local_tls) = (endpoint.local(), endpoint.local_tls());
    let mut config = AgentConfig::new(Role::Phones, Admit::Any);
    config.transfers = true;
    let (orders, inbox) = mpsc::unbounded_channel();
    // Unbounded, and small all the same: two words for each time a user's first phone comes or last goes.
    let (changes, told) = mpsc::unbounded_channel();
    metrics::gauge!("cordboard_desk_phones_registered").set(0);
    let online = Arc::new(RwLock::new(HashMap::new()));
    let door = endpoint.ws_door();
    let gate = Gate::new(REALM, digests, &secure_bytes(), clock.instant());
    let side = SipSide::new(Agent::new(config, Rng::from_system()), endpoint, clock, "phones");
    let looped = Loop {
        side,
        legs: Legs::default(),
        rung: HashMap::new(),
        ringing: HashMap::new(),
        lost: HashSet::new(),
        left: Vec::new(),
        bindings: HashMap::new(),
        check,
        devices,
        gate,
        guesses: Guesses::default(),
        here: Here::new(public),
        homes: HashSet::new(),
        salts: Rng::from_system(),
        online: Arc::clone(&online),
        changes,
        srtp,
        numbering,
        numbers,
        calls,
    };
    Ok((looped, inbox, RegistrarHandle { orders, online, door, local, local_tls }, told))
}

/// The phone that a leg rings, to know it again.
#[derive(Clone, Debug)]
struct Rung {
    user: UserId,
    device: Option<DeviceId>,
    /// Of a browser, which makes up one for as long as its page is open; a desk phone may come from another port.
    uri: String,
}

impl Rung {
    fn is(&self, binding: &Binding) -> bool {
        binding.device == self.device && (self.device.is_some() || binding.uri == self.uri)
    }
}

struct Loop {
    side: SipSide,
    legs: Legs,
    /// The phone that a leg rings.
    rung: HashMap<LegId, Rung>,
    /// Legs that are not answered yet.
    ringing: HashMap<LegId, Ringing>,
    /// Answered calls whose flow is gone.
    lost: HashSet<DialogId>,
    /// Connections that their phones have left for another.
    left: Vec<Flow>,
    /// Newest last.
    bindings: HashMap<UserId, Vec<Binding>>,
    check: TokenCheck,
    devices: watch::Receiver<Devices>,
    gate: Gate,
    guesses: Guesses,
    here: Here,
    /// Where registered desk phones are.
    homes: HashSet<IpAddr>,
    /// For nonces.
    salts: Rng,
    online: Arc<RwLock<HashMap<UserId, Phones>>>,
    changes: mpsc::UnboundedSender<PhoneChange>,
    srtp: Srtp,
    numbering: Numbering,
    numbers: LegNumbers,
    calls: Option<mpsc::Sender<PhoneCall>>,
}

impl Loop {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            let wake = self.impatient_at().map(|at| at.saturating_duration_since(self.side.clock.instant()));
            tokio::select! {
                input = self.side.next() => self.feed(input),
                order = orders.recv() => match order {
                    Some(Order::Ring(ring)) => self.ring(ring),
                    Some(Order::Leg(leg, command)) => {
                        if let Some(command) = self.legs.on_command(leg, command) {
                            self.feed(Input::Command(command));
                        }
                    }
                    None => break,
                },
                // Its task gone, the phones stay as they are.
                Ok(()) = self.devices.changed() => self.drop_removed(),
                () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => self.lose_patience(),
                _ = sweep.tick() => self.sweep(),
            }
        }
        info!("phone side ends");
    }

    fn feed(&mut self, input: Input) {
        if let Input::FlowClosed { flow } = &input {
            self.drop_bindings(|b| b.flow.is_same_connection(flow));
        }
        let mut events = self.tell_agent(input);
        // Registrations are answered and dialogs end, so the chain is short.
        while !events.is_empty() {
            let mut commands = Vec::new();
            for event in events {
                match event {
                    Event::Register { request, flow, register } => {
                        commands.extend(self.register(request, flow, &register));
                    }
                    Event::FlowLost { dialog } => {
                        self.lost.insert(dialog);
                        commands.extend(self.find_again(dialog));
                    }
                    Event::Incoming { dialog, flow, invite } => {
                        commands.extend(self.phone_calls(dialog, flow, &invite));
                    }
                    Event::Refer { dialog, target, replaces } => {
                        commands.extend(self.transfers(dialog, &target, replaces.as_deref()));
                    }
                    event => {
                        if let Event::Ended { dialog, .. } = &event {
                            self.lost.remove(dialog);
                        }
                        let leg = ringing::dialog_of(&event).and_then(|dialog| self.legs.leg_of(dialog));
                        commands.extend(match leg.filter(|leg| self.ringing.contains_key(leg)) {
                            Some(leg) => self.rings(leg, event),
                            None => self.legs.on_event(event).into_iter().collect(),
                        });
                    }
                }
            }
            events = commands.into_iter().flat_map(|c| self.tell_agent(Input::Command(c))).collect();
        }
        while let Some(flow) = self.left.pop() {
            self.side.endpoint.close(&flow);
            self.feed(Input::FlowClosed { flow });
        }
    }

    /// Feeds the agent. What came over a connection that this has shown to be dead is gone before anything else
    /// follows, so that no call moves to it.
    fn tell_agent(&mut self, input: Input) -> Vec<Event> {
        let input = self.as_seen(input);
        let fed = self.side.feed(input);
        for flow in &fed.closed {
            self.drop_bindings(|b| b.flow.is_same_connection(flow));
        }
        fed.events
    }

    /// With the address that a phone of ours sees of us, which is told to it when it calls or changes a call. Strangers are
    /// not worth the asking, and browsers heed none.
    fn as_seen(&mut self, input: Input) -> Input {
        match input {
            Input::Received { flow, bytes } if self.homes.contains(&flow.peer.ip()) => {
                let now = self.side.clock.instant();
                Input::Received { flow: self.here.seen_from(now, flow), bytes }
            }
            input => input,
        }
    }

    fn sweep(&mut self) {
        self.rung.retain(|leg, _| self.legs.dialog_of(*leg).is_some());
        self.ringing.retain(|leg, _| self.legs.dialog_of(*leg).is_some());
        self.lost.retain(|dialog| self.legs.leg_of(*dialog).is_some());
        for flow in self.side.endpoint.sweep() {
            self.feed(Input::FlowClosed { flow });
        }
        for command in self.legs.orphans() {
            self.feed(Input::Command(command));
        }
        let now = self.side.clock.instant();
        self.gate.sweep(now);
        self.guesses.sweep(now);
        self.here.tidy(now);
        self.drop_bindings(|b| b.expires_at <= now);
        self.keep_open(now);
    }

    /// Desk phones that are no longer known are rung no more.
    fn drop_removed(&mut self) {
        let known: HashSet<DeviceId> = self.devices.borrow_and_update().values().map(|d| d.id.clone()).collect();
        self.drop_bindings(|b| b.device.as_ref().is_some_and(|id| !known.contains(id)));
    }

    /// How much is encrypted with a phone that came by this: keys travel in SIP, so nothing outside TLS.
    fn srtp_over(&self, flow: &Flow) -> Srtp {
        if flow.transport == Transport::Tls { self.srtp } else { Srtp::Off }
    }

    /// Answers a REGISTER (RFC 3261 §10.3); the commands that follow from it.
    fn register(&mut self, request: RequestId, flow: Flow, register: &RegisterRequest) -> Vec<Command> {
        let respond = |status, headers| Command::Respond { request, status, headers };
        let (user, device) = match self.who(&flow, register) {
            Ok(who) => who,
            Err(Refused::Forbidden) => return vec![respond(403, Vec::new())],
            Err(Refused::Challenged(challenges)) => return vec![respond(401, challenges)],
        };
        if device.is_some() && self.srtp == Srtp::Required && flow.transport != Transport::Tls {
            warn!(device = %register.user, "a desk phone came without TLS, and its audio has to be encrypted (phone_srtp)");
            return vec![respond(403, Vec::new())];
        }
        // Its connection need not make room for strangers'.
        self.side.endpoint.vouch(&flow);
        let now = self.side.clock.instant();
        let Some(wanted) = read_contacts(register, &flow) else {
            return vec![respond(400, Vec::new())];
        };
        let flow = self.here.seen_from(now, flow);
        let bindings = self.bindings.entry(user.clone()).or_default();
        bindings.retain(|b| b.expires_at > now);
        let was_there = bindings.iter().any(|b| b.device == device);
        // An address of record is a desk phone's, or all of a user's browsers: each sees its own bindings only.
        let own = |b: &Binding| b.device == device;
        // RFC 3261 §10.3 step 7: an older REGISTER that arrives late changes nothing.
        let stale = |b: &Binding| own(b) && b.call_id == register.call_id && b.cseq >= register.cseq;
        if bindings.iter().any(stale) && !register.contacts.is_empty() {
            return vec![respond(500, Vec::new())];
        }
        // A desk phone that speaks over another connection has left the ones it had, whatever Contact it gives now: many
        // write their address into it.
        if device.is_some() && !register.contacts.is_empty() {
            let elsewhere = |b: &Binding| own(b) && b.flow.connection != 0 && !b.flow.is_same_connection(&flow);
            self.left.extend(bindings.extract_if(.., |b| elsewhere(b)).map(|b| b.flow));
        }
        match wanted {
            Contacts::All => bindings.retain(|b| !own(b)),
            Contacts::These(contacts) => {
                // A desk phone that was switched off and on again registers anew: what it was is gone.
                if device.is_some() && !contacts.is_empty() {
                    bindings.retain(|b| !own(b) || b.call_id == register.call_id);
                }
                for (uri, contact, expires) in contacts {
                    let place = bindings.iter().position(|b| own(b) && b.uri == uri);
                    if expires == 0 {
                        bindings.retain(|b| !(own(b) && b.uri == uri));
                        continue;
                    }
                    let keep_at = next_word(now, &uri, &flow, &mut self.salts);
                    let binding = Binding {
                        keep_at,
                        device: device.clone(),
                        uri,
                        contact,
                        flow,
                        expires_at: now + Duration::from_secs(u64::from(expires)),
                        call_id: register.call_id.clone(),
                        cseq: register.cseq,
                        // It has heard our challenge, or speaks over its own connection.
                        silent: false,
                    };
                    match place {
                        // A refresh keeps its place; over another connection it has come anew.
                        Some(at) if bindings[at].flow.is_same_connection(&flow) => bindings[at] = binding,
                        Some(at) => {
                            let left = bindings.remove(at).flow;
                            if left.connection != 0 {
                                self.left.push(left);
                            }
                            bindings.push(binding);
                        }
                        None => bindings.push(binding),
                    }
                }
                let surplus = bindings.len().saturating_sub(MAX_BINDINGS);
                bindings.drain(..surplus);
            }
        }
        let own_again = |b: &&Binding| b.device == device;
        let headers = bindings
            .iter()
            .filter(own_again)
            .map(|b| {
                let left = b.expires_at.saturating_duration_since(now).as_secs();
                ("Contact".to_owned(), format!("{};expires={left}", b.contact))
            })
            .collect();
        let mut commands = vec![respond(200, headers)];
        let there = bindings.iter().any(|b| b.device == device);
        if device.is_some() && there != was_there {
            tell_registered(&register.user, there);
        }
        self.note(&user);
        let of_user = |leg: LegId| self.rung.get(&leg).is_some_and(|rung| rung.user == user && rung.device == device);
        let lost: Vec<DialogId> =
            self.lost.iter().copied().filter(|d| self.legs.leg_of(*d).is_some_and(of_user)).collect();
        commands.extend(lost.into_iter().flat_map(|dialog| self.find_again(dialog)));
        commands
    }

    /// Whose phone this is, and which if it is a desk phone.
    fn who(&mut self, flow: &Flow, register: &RegisterRequest) -> Result<(UserId, Option<DeviceId>), Refused> {
        if let Some(token) = &register.bearer {
            return (self.check)(token).map(|user| (user, None)).ok_or(Refused::Forbidden);
        }
        let (name, device) = self.proven(flow, &register.headers, "REGISTER", None)?;
        // RFC 3261 §10.3 step 4: a phone registers itself and nobody else.
        if register.user == name { Ok((device.owner, Some(device.id))) } else { Err(Refused::Forbidden) }
    }

    /// Which desk phone proves by digest that a request is its own, and by what name. `target`: what it asks for, where
    /// something rests on that; a REGISTER's names only us.
    fn proven(
        &mut self,
        flow: &Flow,
        headers: &Headers,
        method: &str,
        target: Option<&Uri>,
    ) -> Result<(String, KnownDevice), Refused> {
        let (now, from) = (self.side.clock.instant(), flow.peer.ip());
        let Some(given) = Credentials::find(headers, REALM) else {
            return Err(self.challenge(flow, false));
        };
        if !self.guesses.allows(now, from, &given.user) {
            metrics::counter!("cordboard_register_guesses_total", "heard" => "false").increment(1);
            if self.devices.borrow().contains_key(&given.user) && self.guesses.is_news(&given.user) {
                warn!(phone = given.user, %from, "a desk phone gave wrong secrets too often and is not heard for some minutes \
                    (403): type its secret in anew, or remove the phone and add it again");
            }
            return Err(Refused::Forbidden);
        }
        // Held, not copied: it lies behind an `Arc`, and whoever renews it need not wait.
        let devices = Arc::clone(&self.devices.borrow());
        let device = devices.get(&given.user);
        let verdict = self.gate.check(now, from, &given, (method, target), b"", |hash| device?.hashes.for_hash(hash));
        match (verdict, device) {
            (Verdict::Right, Some(device)) => {
                self.guesses.succeeded(now, from, &given.user);
                Ok((given.user, device.clone()))
            }
            (Verdict::Stale, _) => Err(self.challenge(flow, true)),
            (Verdict::Wrong | Verdict::Right, _) => {
                metrics::counter!("cordboard_register_guesses_total", "heard" => "true").increment(1);
                self.guesses.failed(now, from, &given.user);
                Err(self.challenge(flow, false))
            }
        }
    }

    fn challenge(&mut self, flow: &Flow, stale: bool) -> Refused {
        let (now, salt) = (self.side.clock.instant(), self.salts.next_u64());
        let mut challenges = self.gate.challenges(now, flow.peer.ip(), salt, stale);
        // RFC 8898 §2.2. Consoles come over WebSocket alone, and there are telephones that give up over a
        // challenge they do not know (baresip 1.0).
        if matches!(flow.transport, Transport::Ws | Transport::Wss) {
            challenges.insert(0, format!("Bearer realm=\"{REALM}\""));
        }
        Refused::Challenged(challenges.into_iter().map(|c| ("WWW-Authenticate".to_owned(), c)).collect())
    }

    /// A call whose flow is gone goes on over the flow that its phone registered since.
    fn find_again(&mut self, dialog: DialogId) -> Vec<Command> {
        let Some(flow) = self.flow_since(dialog) else { return Vec::new() };
        self.lost.remove(&dialog);
        // The leg's owner has words for the new flow at the earliest when this is carried out.
        let told = self.legs.tell(dialog, LegEvent::Moved);
        [Some(Command::MoveFlow { dialog, flow }), told].into_iter().flatten().collect()
    }

    fn flow_since(&self, dialog: DialogId) -> Option<Flow> {
        let rung = self.rung.get(&self.legs.leg_of(dialog)?)?;
        Some(self.bindings.get(&rung.user)?.iter().rfind(|b| rung.is(b))?.flow)
    }

    fn drop_bindings(&mut self, is_gone: impl Fn(&Binding) -> bool) {
        let (mut touched, mut left) = (Vec::new(), HashSet::new());
        for (user, bindings) in &mut self.bindings {
            let gone: Vec<Binding> = bindings.extract_if(.., |b| is_gone(b)).collect();
            if !gone.is_empty() {
                touched.push(user.clone());
            }
            let is_left = |id: &DeviceId| !bindings.iter().any(|b| b.device.as_ref() == Some(id));
            left.extend(gone.into_iter().filter_map(|b| b.device).filter(is_left));
        }
        for device in left {
            tell_registered(self.name_of(&device).as_deref().unwrap_or("removed"), false);
        }
        for user in touched {
            self.note(&user);
        }
    }

    /// What a desk phone registers as.
    fn name_of(&self, device: &DeviceId) -> Option<String> {
        self.devices.borrow().iter().find(|(_, known)| known.id == *device).map(|(name, _)| name.clone())
    }

    /// Tells if other phones of `user` can be rung now than before.
    fn note(&mut self, user: &UserId) {
        self.hear_calls();
        let registered: HashSet<&DeviceId> =
            self.bindings.values().flatten().filter_map(|b| b.device.as_ref()).collect();
        metrics::gauge!("cordboard_desk_phones_registered").set(u32::try_from(registered.len()).unwrap_or(u32::MAX));
        let all = self.bindings.get(user).map(Vec::as_slice).unwrap_or_default();
        let last = all.last().map(Binding::kind);
        let phones = Phones { last, both: all.iter().any(|b| Some(b.kind()) != last) };
        let mut online = self.online.write().unwrap_or_else(PoisonError::into_inner);
        let before = if last.is_some() {
            online.insert(user.clone(), phones)
        } else {
            self.bindings.remove(user);
            online.remove(user)
        };
        drop(online);
        if before.unwrap_or_default() != phones {
            // Nobody listening is nobody to tell.
            let _ = self.changes.send((user.clone(), phones));
        }
    }
}

fn tell_registered(phone: &str, there: bool) {
    if there {
        info!(phone, "a desk phone has registered");
    } else {
        info!(phone, "a desk phone is registered no more");
    }
}

/// Why a REGISTER is not followed.
enum Refused {
    Forbidden,
    /// With the headers that ask for credentials.
    Challenged(Vec<(String, String)>),
}
