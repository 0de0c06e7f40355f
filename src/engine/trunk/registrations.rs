//! The trunk side's registrations: each carrier's machine, its requests, and what is told of them.
//!
//! Decides nothing: `proto/sip/registration` does. Times are looked at once a second, which is fine enough
//! for what is counted in minutes. Log lines name the trunk, never a number or a login.

use std::time::Instant;

use tracing::{info, warn};

use super::Carrier;
use super::watch::Way;
use crate::base::rng::Rng;
use crate::engine::keep_open::next_word;
use crate::proto::sip::digest::client::Login;
use crate::proto::sip::registration::{Input, Output};
use crate::proto::sip::{Agent, Command, Flow, LoginId, RegisterAnswer, RegisterOrder, Registration, RequestId};

/// What opens a carrier's door, and whether we stand at it.
#[derive(Clone, Debug)]
pub struct CarrierAccount {
    pub login: Login,
    /// We register: calls come in to where we said we are.
    pub register: Option<Registering>,
}

/// How we register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registering {
    /// The host part of our address of record, and of the request.
    pub domain: String,
    /// Seconds to ask for.
    pub expires: u32,
}

/// The number of a carrier's login.
pub(super) fn login_of(carrier: usize) -> LoginId {
    LoginId(u64::try_from(carrier).unwrap_or(u64::MAX))
}

/// Makes the logins of all carriers known to the agent.
pub(super) fn add_logins(agent: &mut Agent, carriers: &[Carrier]) {
    for (index, carrier) in carriers.iter().enumerate() {
        if let Some(account) = &carrier.account {
            agent.add_login(login_of(index), account.login.clone());
        }
    }
}

#[derive(Debug)]
struct One {
    carrier: usize,
    name: String,
    user: String,
    with: Registering,
    call_id: String,
    machine: Registration,
    /// Where it was sent last.
    flow: Option<Flow>,
    /// The last refusal, or 408 for silence.
    refused: u16,
    /// When the way it came by wants its next word.
    keep_at: Option<Instant>,
}

/// All registrations of the trunk side.
#[derive(Debug, Default)]
pub(super) struct Registrations {
    all: Vec<One>,
    stopping: bool,
}

impl Registrations {
    pub(super) fn new(carriers: &[Carrier], mut rng: Rng) -> Self {
        let mut all = Vec::new();
        for (carrier, of) in carriers.iter().enumerate() {
            let Some((account, with)) = of.account.as_ref().and_then(|a| Some((a, a.register.clone()?))) else {
                continue;
            };
            let machine = Registration::new(with.expires, Rng::seeded(rng.next_u64()));
            let call_id = rng.token(26);
            show(&of.name, false);
            let (name, user) = (of.name.clone(), account.login.user.clone());
            all.push(One { carrier, name, user, with, call_id, machine, flow: None, refused: 408, keep_at: None });
        }
        Self { all, stopping: false }
    }

    /// A carrier's address is known now: registers there, if it has not yet.
    pub(super) fn start(&mut self, now: Instant, carrier: usize) {
        if self.stopping {
            return;
        }
        for one in self.all.iter_mut().filter(|one| one.carrier == carrier) {
            one.machine.handle(now, Input::Start);
        }
    }

    pub(super) fn answered(&mut self, now: Instant, answer: RegisterAnswer) {
        if let Some(one) = self.all.iter_mut().find(|one| request_of(one.carrier) == answer.request) {
            one.machine.handle(now, Input::Answered(answer));
        }
    }

    pub(super) fn flow_lost(&mut self, now: Instant, flow: &Flow) {
        let gone = |one: &&mut One| one.flow.is_some_and(|f| f.transport.is_reliable() && f.is_same_connection(flow));
        for one in self.all.iter_mut().filter(gone) {
            one.machine.handle(now, Input::FlowLost);
        }
    }

    /// A server of this carrier does not answer, and another does.
    pub(super) fn server_down(&mut self, now: Instant, way: Way) {
        let there = |one: &&mut One| one.carrier == way.trunk && one.flow.is_some_and(|flow| flow.peer == way.peer);
        for one in self.all.iter_mut().filter(there) {
            info!(trunk = one.name, "the server that we are registered with is down: another is asked");
            one.machine.handle(now, Input::ServerDown);
        }
    }

    /// A server of this carrier answers pings again.
    pub(super) fn server_up(&mut self, now: Instant, carrier: usize) {
        for one in self.all.iter_mut().filter(|one| one.carrier == carrier) {
            one.machine.handle(now, Input::ServerUp);
        }
    }

    pub(super) fn tick(&mut self, now: Instant) {
        for one in &mut self.all {
            if one.machine.poll_timeout().is_some_and(|(at, _)| at <= now) {
                one.machine.handle(now, Input::Timeout);
            }
        }
    }

    /// The ways that want a word now, lest a NAT forgets them: calls come in by them, whether or not anybody pings.
    pub(super) fn keep_open_now(&mut self, now: Instant, rng: &mut Rng) -> Vec<Flow> {
        let mut due = Vec::new();
        for one in &mut self.all {
            let Some(flow) = one.flow.filter(|_| one.machine.is_registered()) else {
                one.keep_at = None;
                continue;
            };
            // What has just been registered has had its word.
            if one.keep_at.is_some_and(|at| at <= now) {
                due.push(flow);
                one.keep_at = None;
            }
            one.keep_at.get_or_insert_with(|| next_word(now, rng));
        }
        due
    }

    /// Takes all back.
    pub(super) fn stop(&mut self, now: Instant) {
        self.stopping = true;
        for one in &mut self.all {
            one.machine.handle(now, Input::Stop);
        }
    }

    /// True once there is nothing left to take back.
    pub(super) fn are_over(&self) -> bool {
        self.all.iter().all(|one| one.machine.is_over())
    }

    /// Whether this carrier is to have us registered, and has not.
    pub(super) fn lacks(&self, carrier: usize) -> bool {
        let mut of = self.all.iter().filter(|one| one.carrier == carrier).peekable();
        of.peek().is_some() && !of.any(|one| one.machine.is_registered())
    }

    /// Which carriers do not have us registered, and since asking again does not help, by what word of theirs.
    pub(super) fn failing(&self) -> impl Iterator<Item = (usize, Option<u16>)> {
        self.all.iter().map(|one| (one.carrier, one.machine.is_failing().then_some(one.refused)))
    }

    /// What is to be sent now. `flow_to` gives the way to a carrier, if its address is known.
    pub(super) fn commands(&mut self, mut flow_to: impl FnMut(usize) -> Option<Flow>) -> Vec<Command> {
        let mut commands = Vec::new();
        for one in &mut self.all {
            while let Some(output) = one.machine.poll_output() {
                match output {
                    Output::Send { cseq, expires } => {
                        // A registration is started once its carrier's address is known, and keeps the last one.
                        let Some(flow) = flow_to(one.carrier).or(one.flow) else { continue };
                        one.flow = Some(flow);
                        commands.push(Command::Register(Box::new(RegisterOrder {
                            request: request_of(one.carrier),
                            flow,
                            login: Some(login_of(one.carrier)),
                            registrar: format!("sip:{}", one.with.domain),
                            address: format!("sip:{}@{}", one.user, one.with.domain),
                            contact_user: one.user.clone(),
                            call_id: one.call_id.clone(),
                            cseq,
                            expires,
                        })));
                    }
                    Output::Changed { registered, status } => {
                        one.refused = status.unwrap_or(408);
                        show(&one.name, registered);
                        match (registered, status) {
                            (true, _) => info!(trunk = one.name, "registered with the carrier"),
                            (false, Some(status)) if status >= 300 => {
                                warn!(trunk = one.name, status, "the carrier took the registration back");
                            }
                            (false, _) => info!(trunk = one.name, "no longer registered with the carrier"),
                        }
                    }
                    Output::Failed { status, again_in } => {
                        one.refused = status;
                        let again_in = again_in.as_secs();
                        let why = reason(status);
                        warn!(trunk = one.name, status, again_in, "the carrier did not take the registration: {why}");
                    }
                    Output::Over => {}
                }
            }
        }
        commands
    }
}

fn request_of(carrier: usize) -> RequestId {
    RequestId(u64::try_from(carrier).unwrap_or(u64::MAX))
}

fn show(name: &str, registered: bool) {
    metrics::gauge!("cordboard_trunk_registered", "trunk" => name.to_owned()).set(f64::from(u8::from(registered)));
}

/// What to look at, for the engineer who reads the log.
pub(super) const fn reason(status: u16) -> &'static str {
    match status {
        401 | 403 | 407 => "check `login`, `password_file` and `realm`",
        404 => "check `login` and `domain`",
        408 => "nothing came back; check `target` and the firewall",
        503 => "it is overloaded, or the connection could not be made",
        _ => "it refused",
    }
}
