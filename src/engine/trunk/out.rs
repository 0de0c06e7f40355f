//! Calls out: over the trunks that may carry them, one way after another, until one answers. The leg's owner sees one
//! attempt.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracing::{info, warn};

use super::registrations::login_of;
use super::run::Loop;
use super::watch::{Fault, LONGEST_REST, REST, SHORTEST_REST, Way};
use crate::base::phone::PhoneNumber;
use crate::domain::call::bridge::LegId;
use crate::domain::trunk::{Ask, Refusal};
use crate::engine::here::host_of;
use crate::engine::signal::{DialOut, LegEvent, Offer, Offered};
use crate::engine::sip_side::own_keys;
use crate::proto::sdp::Srtp;
use crate::proto::sip::hunt::{Hunt, HuntInput, HuntOutput};
use crate::proto::sip::identity_out::present;
use crate::proto::sip::{Command, DialogId, Event, Input};

/// A call out that is not answered yet.
pub(super) struct Hunting {
    hunt: Hunt,
    ways: Vec<Way>,
    /// The way of the latest attempt. One that was passed over for want of a channel is none.
    tried: Option<Way>,
    /// What the latest attempt says of its way, should it be left. None where the called party is to blame, or a number
    /// that it may not carry.
    fault: Option<Fault>,
    /// How long its way rests by that.
    rest: Duration,
    to: PhoneNumber,
    caller_id: Option<PhoneNumber>,
    offer: Offer,
    /// An offer has gone out.
    offered: bool,
    /// Of the latest attempt.
    pub(super) call_id: Option<String>,
}

impl Loop {
    pub(super) fn dial(&mut self, leg: LegId, call: DialOut, offer: Offer, events: mpsc::Sender<LegEvent>) {
        let now = self.now();
        let ask = Ask { to: &call.to, account: call.account.as_ref() };
        let picked = self.routing.pick(now, &ask, |trunk| self.watch.is_up(trunk));
        self.notice();
        let helps = call.to.emergency_code().is_some();
        let ways = match picked.map(|trunks| self.watch.ways(now, &trunks, helps)) {
            Ok(mut ways) if !ways.is_empty() => {
                // A carrier that does not have us registered answers pings all the same, or is sent none.
                ways.sort_by_key(|way| self.registrations.lacks(way.trunk));
                ways
            }
            Ok(_) => return refuse(leg, &call, Refusal::Down, &events),
            Err(refusal) => return refuse(leg, &call, refusal, &events),
        };
        let trunk = self.settings.carriers[ways[0].trunk].name.clone();
        metrics::counter!("cordboard_trunk_calls_total", "direction" => "out", "trunk" => trunk).increment(1);
        self.routing.goes_out(now, leg, ways[0].trunk, call.account);
        // Wired to a dialog of its own by the first attempt.
        let dialog = self.side.agent.next_dialog();
        self.legs.add(leg, dialog, events);
        let (hunt, offered) = (Hunt::new(now, ways.len()), false);
        let (to, caller_id) = (call.to, call.caller_id);
        let fault = Some(Fault::Server);
        let rest = REST;
        let hunting = Hunting { hunt, ways, tried: None, fault, rest, to, caller_id, offer, offered, call_id: None };
        self.hunting.insert(leg, hunting);
        for command in self.drive(leg) {
            self.feed(Input::Command(command));
        }
        self.settle(leg);
    }

    /// Gives up on ways that were silent for too long.
    pub(super) fn lose_patience(&mut self, now: Instant) {
        while let Some((at, leg)) = self.impatient.first().copied().filter(|(at, _)| *at <= now) {
            self.impatient.remove(&(at, leg));
            // One that was heard of since has more time, and its own place in the list.
            let over = |hunting: &Hunting| hunting.hunt.poll_timeout().is_some_and(|due| due <= now);
            if !self.hunting.get(&leg).is_some_and(over) {
                continue;
            }
            self.pass_over_full(leg, now);
            let Some(hunting) = self.hunting.get_mut(&leg) else { continue };
            hunting.hunt.handle(now, HuntInput::Timeout);
            for command in self.drive(leg) {
                self.feed(Input::Command(command));
            }
            self.settle(leg);
        }
    }

    /// Takes out the ways right after the one tried now that have no channel: a silent one is left for another that can
    /// be tried, not for nothing.
    fn pass_over_full(&mut self, leg: LegId, now: Instant) {
        let own = self.routing.trunk_of(leg);
        while let Some(hunting) = self.hunting.get_mut(&leg) {
            let next = hunting.hunt.at() + 1;
            let helps = hunting.to.emergency_code().is_some();
            match hunting.ways.get(next) {
                Some(way) if !helps && own != Some(way.trunk) && !self.routing.has_channel(way.trunk) => {
                    hunting.ways.remove(next);
                    hunting.hunt.handle(now, HuntInput::Gone);
                }
                _ => return,
            }
        }
    }

    /// An event of a call that is not answered yet. What follows from it.
    pub(super) fn hunted(&mut self, leg: LegId, event: Event) -> Vec<Command> {
        let now = self.now();
        let Some(hunting) = self.hunting.get_mut(&leg) else { return Vec::new() };
        match &event {
            Event::Progress { status, sdp, .. } => {
                hunting.hunt.handle(now, HuntInput::Progress { status: *status, described: sdp.is_some() });
                self.impatient.extend(hunting.hunt.poll_timeout().map(|at| (at, leg)));
                if let Some(way) = hunting.tried.filter(|_| hunting.hunt.has_word()) {
                    self.mute.heard(way.trunk);
                    self.tell_mute();
                }
            }
            Event::Rejected { status, retry_after, .. } => {
                let (status, retry_after) = (*status, *retry_after);
                if let Some(way) = hunting.tried {
                    hunting.fault = self.refusing.answered(way.trunk, status);
                    match (status, hunting.fault) {
                        // Nothing came until the transaction's end, and nothing in between.
                        (408, _) if !hunting.hunt.has_word() => self.mute.unheard(way.trunk),
                        (_, Some(Fault::Server)) => {}
                        _ => self.mute.heard(way.trunk),
                    }
                }
                // Its own word goes before ours, within reason.
                let asked = retry_after.filter(|_| status == 503).map(u64::from).map(Duration::from_secs);
                hunting.rest = asked.map_or(REST, |asked| asked.clamp(SHORTEST_REST, LONGEST_REST));
                hunting.hunt.handle(now, HuntInput::Refused { status });
                let (tried, call_id) = (hunting.tried, hunting.call_id.take());
                if let Some(way) = tried {
                    self.try_refused(leg, way, status, call_id.as_deref());
                }
                self.tell_refusing();
                self.tell_mute();
                return self.drive(leg);
            }
            Event::Answered { .. } => {
                if let Some(way) = self.hunting.remove(&leg).and_then(|hunting| hunting.tried) {
                    self.refusing.took(way.trunk);
                    self.tell_refusing();
                    self.mute.heard(way.trunk);
                    self.tell_mute();
                }
            }
            // By no fault of that way, and no other would do better.
            Event::Full { .. } => {
                self.hunting.remove(&leg);
            }
            _ => {}
        }
        self.legs.on_event(event).into_iter().collect()
    }

    /// The owner no longer wants a call out, which is not answered yet. Where it had all its time and no telephone was
    /// heard of, the trunk is to blame.
    pub(super) fn given_up(&mut self, leg: LegId) {
        let now = self.now();
        let Some(hunting) = self.hunting.get(&leg).filter(|hunting| hunting.hunt.is_mute(now)) else { return };
        let Some(way) = hunting.tried else { return };
        self.try_given_up(leg, way, hunting.call_id.as_deref());
        self.watch.failed(now, way, Fault::Server, REST);
        self.mute.unheard(way.trunk);
        self.tell_mute();
    }

    /// Does what a hunt wants; the commands for the agent.
    fn drive(&mut self, leg: LegId) -> Vec<Command> {
        let now = self.now();
        let mut commands = Vec::new();
        while let Some(hunting) = self.hunting.get_mut(&leg) {
            match hunting.hunt.poll_output() {
                Some(HuntOutput::Leave) => {
                    // A late 1xx gets CANCEL, a late 2xx ACK and BYE: the agent knows that nobody wants it.
                    let (tried, call_id) = (hunting.tried, hunting.call_id.take());
                    if let Some(way) = tried {
                        self.try_left(leg, way, call_id.as_deref());
                        self.mute.unheard(way.trunk);
                        self.tell_mute();
                    }
                    let dialog = self.legs.dialog_of(leg);
                    commands.extend(dialog.map(|dialog| Command::Bye { dialog, headers: Vec::new() }));
                }
                Some(HuntOutput::Try(next)) => {
                    let way = hunting.ways[next];
                    // It holds a channel of the trunk it is booked on already.
                    let moves = self.routing.trunk_of(leg) != Some(way.trunk);
                    let helps = hunting.to.emergency_code().is_some();
                    if moves && !helps && !self.routing.has_channel(way.trunk) {
                        hunting.hunt.handle(now, HuntInput::Refused { status: 503 });
                        continue;
                    }
                    let fault = hunting.fault.replace(Fault::Server);
                    let rest = std::mem::replace(&mut hunting.rest, REST);
                    if let Some(before) = hunting.tried.replace(way) {
                        if let Some(fault) = fault {
                            self.watch.failed(now, before, fault, rest);
                        }
                        self.count_failover(leg, before.trunk);
                    }
                    if moves {
                        self.routing.moves(now, leg, way.trunk);
                    }
                    let dialog = self.side.agent.next_dialog();
                    self.legs.rewire(leg, dialog);
                    commands.extend(self.invite(leg, dialog, way));
                }
                Some(HuntOutput::Over { status }) => {
                    if let Some((way, fault)) = hunting.tried.zip(hunting.fault) {
                        self.watch.failed(now, way, fault, hunting.rest);
                    }
                    self.hunting.remove(&leg);
                    if let Some(dialog) = self.legs.dialog_of(leg) {
                        let over = Event::Rejected { dialog, status, reason: String::new(), retry_after: None };
                        commands.extend(self.legs.on_event(over));
                    }
                }
                None => {
                    self.impatient.extend(hunting.hunt.poll_timeout().map(|at| (at, leg)));
                    break;
                }
            }
        }
        commands
    }

    /// Says which carriers take no calls of ours.
    pub(super) fn tell_refusing(&self) {
        self.refusing.tell(&self.settings.carriers, self.watch.alarms());
    }

    /// Says over which trunks nothing rings.
    fn tell_mute(&self) {
        self.mute.tell(&self.settings.carriers, self.watch.alarms());
    }

    fn count_failover(&self, leg: LegId, trunk: usize) {
        let name = self.settings.carriers[trunk].name.clone();
        info!(leg = leg.0, trunk = %name, "the call was not taken there, the next way is tried");
        metrics::counter!("cordboard_trunk_failovers_total", "trunk" => name).increment(1);
    }

    fn invite(&mut self, leg: LegId, dialog: DialogId, way: Way) -> Option<Command> {
        let flow = self.flow_to(way.trunk, way.peer);
        let carrier = &self.settings.carriers[way.trunk];
        let transport = carrier.over.parameter();
        let hunting = self.hunting.get_mut(&leg)?;
        let written = |number: &PhoneNumber| carrier.numbering.write(number);
        let user = hunting.to.emergency_code().map_or_else(|| written(&hunting.to), str::to_owned);
        let number = carrier.pick_caller_id(hunting.caller_id.as_ref());
        let own = carrier.caller_ids.first().map(written);
        let identity = present(carrier.shown, number.as_ref().map(written).as_deref(), own.as_deref(), &host_of(&flow));
        let (srtp, again) = (carrier.srtp, std::mem::replace(&mut hunting.offered, true));
        let keys = own_keys();
        let local = hunting.offer.local_for(way.peer.ip());
        let said = LegEvent::Offered(Box::new(Offered { srtp, keys, local }));
        if (again || srtp != Srtp::Off || local.is_some()) && self.legs.tell(dialog, said).is_some() {
            // Its owner is gone.
            return None;
        }
        self.side.agent.agree_on(dialog, carrier.terms);
        if carrier.account.is_some() {
            self.side.agent.lend_login(dialog, login_of(way.trunk));
        }
        // A name stays a name in the request URI: carriers tell customers apart by it.
        let host = &carrier.target;
        Some(Command::Invite {
            dialog,
            flow,
            request_uri: format!("sip:{user}@{host}{transport}"),
            from: identity.from,
            to: format!("<sip:{user}@{host}>"),
            headers: identity.headers,
            offer: Some(hunting.offer.with(srtp, keys, way.peer.ip())),
        })
    }
}

/// Our own rules, or the want of a line, forbid it.
fn refuse(leg: LegId, call: &DialOut, refusal: Refusal, events: &mpsc::Sender<LegEvent>) {
    let account = call.account.as_ref().map(tracing::field::display);
    warn!(leg = leg.0, account, reason = refusal.name(), "a call out was refused");
    metrics::counter!("cordboard_calls_out_refused_total", "reason" => refusal.name()).increment(1);
    // An owner that is gone needs no word.
    let _ = events.try_send(LegEvent::Ended(refusal.cause()));
}
