//! Ringing an operator's phones of one kind: the one that came last first, another where it says nothing.
//!
//! A phone that is there says so at once (100 or 180), whoever answers it later. One that was unplugged without a word
//! stays registered until its time runs out: it is left for the next within two seconds in all, is told of in the log
//! and tried last from then on, until it registers anew or is heard. The last phone has [`PATIENCE`]; if that one says
//! nothing either the ringing fails, and the seat behind it is ready no more. Driven by the registrar's loop.

use std::time::{Duration, Instant};

use tracing::warn;

use super::binding::Binding;
use super::handle::Ring;
use super::{CALLER, Loop, Rung};
use crate::base::id::UserId;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::engine::signal::{LegEvent, Offer, Offered};
use crate::engine::sip_side::own_keys;
use crate::proto::sdp::Srtp;
use crate::proto::sip::hunt::{Hunt, HuntInput, HuntOutput, MAX_WAYS};
use crate::proto::sip::{Command, DialogId, Event, Input};

/// How long the last phone may say nothing at all: an INVITE is repeated four times by then (RFC 3261 §17.1.1.2), enough
/// for a bad line.
const PATIENCE: Duration = Duration::from_secs(8);

/// A leg that rings phones and is not answered yet.
pub(super) struct Ringing {
    hunt: Hunt,
    phones: Vec<Rung>,
    offer: Offer,
    headers: Vec<(String, String)>,
    /// The colleague who calls, if it is not a caller.
    by: Option<UserId>,
    /// An offer has gone out.
    offered: bool,
    /// When the phone that is rung now has been silent for too long, if it is the last. None once it was heard.
    silent_at: Option<Instant>,
}

impl Ringing {
    fn poll_timeout(&self) -> Option<Instant> {
        self.hunt.poll_timeout().or(self.silent_at)
    }
}

impl Loop {
    pub(super) fn ring(&mut self, ring: Ring) {
        let Ring { leg, user, phone, offer, headers, by, events } = ring;
        let all = self.bindings.get(&user).map(Vec::as_slice).unwrap_or_default();
        let mut found: Vec<&Binding> = all.iter().rev().filter(|b| b.kind() == phone).collect();
        // Those that were silent when they were rung last come last, else the order is kept.
        found.sort_by_key(|binding| binding.silent);
        let rung = |b: &Binding| Rung { user: user.clone(), device: b.device.clone(), uri: b.uri.clone() };
        let phones: Vec<Rung> = found.into_iter().take(MAX_WAYS).map(rung).collect();
        if phones.is_empty() {
            let _ = events.try_send(LegEvent::Ended(Cause::Unreachable));
            return;
        }
        // Wired to a dialog of its own by the first attempt.
        let dialog = self.side.agent.next_dialog();
        self.legs.add(leg, dialog, events);
        let hunt = Hunt::new(self.side.clock.instant(), phones.len());
        self.ringing.insert(leg, Ringing { hunt, phones, offer, headers, by, offered: false, silent_at: None });
        for command in self.ring_on(leg) {
            self.feed(Input::Command(command));
        }
    }

    /// When a phone that is rung has been silent for too long.
    pub(super) fn impatient_at(&self) -> Option<Instant> {
        self.ringing.values().filter_map(Ringing::poll_timeout).min()
    }

    /// Leaves phones that were silent for too long.
    pub(super) fn lose_patience(&mut self) {
        let now = self.side.clock.instant();
        let is_due = |ringing: &Ringing| ringing.poll_timeout().is_some_and(|at| at <= now);
        let due: Vec<LegId> = self.ringing.iter().filter(|(_, r)| is_due(r)).map(|(leg, _)| *leg).collect();
        for leg in due {
            if self.legs.dialog_of(leg).is_none() {
                // Hung up meanwhile.
                self.ringing.remove(&leg);
                continue;
            }
            self.note_silence(leg);
            let Some(ringing) = self.ringing.get_mut(&leg) else { continue };
            if ringing.hunt.poll_timeout().is_some() {
                ringing.hunt.handle(now, HuntInput::Timeout);
                for command in self.ring_on(leg) {
                    self.feed(Input::Command(command));
                }
                continue;
            }
            self.ringing.remove(&leg);
            if let Some(dialog) = self.legs.dialog_of(leg) {
                self.legs.end(dialog, Cause::Unreachable);
                self.feed(Input::Command(Command::Bye { dialog, headers: Vec::new() }));
            }
        }
    }

    /// What follows from an event of a leg that rings.
    pub(super) fn rings(&mut self, leg: LegId, event: Event) -> Vec<Command> {
        let now = self.side.clock.instant();
        let Some(ringing) = self.ringing.get_mut(&leg) else { return Vec::new() };
        match &event {
            Event::Progress { status, sdp, .. } => {
                ringing.hunt.handle(
                    now,
                    match *status {
                        100 => HuntInput::Spoke,
                        status => HuntInput::Progress { status, described: sdp.is_some() },
                    },
                );
                ringing.silent_at = None;
                self.note_heard(leg);
            }
            Event::Rejected { status, .. } => {
                ringing.silent_at = None;
                ringing.hunt.handle(now, HuntInput::Refused { status: *status });
                return self.ring_on(leg);
            }
            Event::Answered { .. } => {
                self.note_heard(leg);
                self.ringing.remove(&leg);
            }
            _ => {
                self.ringing.remove(&leg);
            }
        }
        self.legs.on_event(event).into_iter().collect()
    }

    /// Does what a leg's hunt for a phone wants; the commands for the agent.
    fn ring_on(&mut self, leg: LegId) -> Vec<Command> {
        let mut commands = Vec::new();
        while let Some(ringing) = self.ringing.get_mut(&leg) {
            match ringing.hunt.poll_output() {
                Some(HuntOutput::Leave) => {
                    // A late 1xx gets CANCEL, a late 2xx ACK and BYE.
                    let dialog = self.legs.dialog_of(leg);
                    commands.extend(dialog.map(|dialog| Command::Bye { dialog, headers: Vec::new() }));
                }
                Some(HuntOutput::Try(at)) => commands.extend(self.invite_phone(leg, at)),
                Some(HuntOutput::Over { status }) => {
                    self.ringing.remove(&leg);
                    if let Some(dialog) = self.legs.dialog_of(leg) {
                        let over = Event::Rejected { dialog, status, reason: String::new(), retry_after: None };
                        commands.extend(self.legs.on_event(over));
                    }
                }
                None => break,
            }
        }
        commands
    }

    fn invite_phone(&mut self, leg: LegId, at: usize) -> Option<Command> {
        let now = self.side.clock.instant();
        let ringing = self.ringing.get_mut(&leg)?;
        let rung = ringing.phones[at].clone();
        let found = self.bindings.get(&rung.user).and_then(|all| all.iter().rfind(|b| rung.is(b)));
        let Some((uri, flow)) = found.map(|b| (b.uri.clone(), b.flow)) else {
            // Unregistered while another was rung.
            ringing.hunt.handle(now, HuntInput::Refused { status: 503 });
            return None;
        };
        let again = std::mem::replace(&mut ringing.offered, true);
        ringing.silent_at = ringing.hunt.poll_timeout().is_none().then(|| now + PATIENCE);
        let (offer, headers, by) = (ringing.offer.clone(), ringing.headers.clone(), ringing.by.clone());
        let dialog = self.side.agent.next_dialog();
        self.legs.rewire(leg, dialog);
        self.rung.insert(leg, rung);
        let (srtp, keys) = (self.srtp_over(&flow), own_keys());
        let local = offer.local_for(flow.peer.ip());
        let said = LegEvent::Offered(Box::new(Offered { srtp, keys, local }));
        if (again || srtp != Srtp::Off || local.is_some()) && self.legs.tell(dialog, said).is_some() {
            // Its owner is gone, and the leg with it: a phone that rang now would ring for nobody.
            self.ringing.remove(&leg);
            return None;
        }
        let to = format!("<{uri}>");
        let from = by.map_or_else(|| CALLER.to_owned(), |by| self.shown_as(&by));
        let offer = Some(offer.with(srtp, keys, flow.peer.ip()));
        Some(Command::Invite { dialog, flow, request_uri: uri, from, to, headers, offer })
    }

    fn binding_of(&mut self, leg: LegId) -> Option<&mut Binding> {
        let rung = self.rung.get(&leg)?;
        self.bindings.get_mut(&rung.user)?.iter_mut().rfind(|b| rung.is(b))
    }

    fn note_heard(&mut self, leg: LegId) {
        if let Some(binding) = self.binding_of(leg) {
            binding.silent = false;
        }
    }

    fn note_silence(&mut self, leg: LegId) {
        metrics::counter!("cordboard_phones_silent_total").increment(1);
        let Some(binding) = self.binding_of(leg) else { return };
        if std::mem::replace(&mut binding.silent, true) {
            return;
        }
        let device = binding.device.clone();
        let user = self.rung.get(&leg).map(|rung| tracing::field::display(&rung.user));
        let name = device.and_then(|device| self.name_of(&device));
        let phone = name.as_deref().unwrap_or("softphone");
        warn!(
            user,
            phone, "a phone is registered and says nothing when it is rung: is it plugged in? Others are rung first"
        );
    }
}

/// The dialog of an event that says how a ringing phone fares.
pub(super) const fn dialog_of(event: &Event) -> Option<DialogId> {
    match event {
        Event::Progress { dialog, .. }
        | Event::Answered { dialog, .. }
        | Event::Rejected { dialog, .. }
        | Event::Full { dialog }
        | Event::Ended { dialog, .. } => Some(*dialog),
        _ => None,
    }
}
