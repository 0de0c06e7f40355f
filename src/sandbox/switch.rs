//! The sandbox's exchange: one loop over its user agent, its media, its phones and the orders of its page.
//!
//! Turns what phones decide into signalling and audio, and back. Knows the demo as any carrier would: by
//! INVITE and RTP at an address. Always: one leg a call; a page's handset is held to one phone at a time,
//! and hears that phone's call alone.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

use crate::base::clock::SharedClock;
use crate::base::phone::PhoneNumber;
use crate::domain::call::bridge::{BridgeId, HearMatrix, LegId, Source};
use crate::io::media::prompt::Prompt;
use crate::io::media::{Codec, Media, MediaEvent, PlayId, ShardId};
use crate::proto::sdp::Session;
use crate::proto::sip::{
    Agent, Command, DialogId, Event, Flow, IncomingInvite, Input as SipInput, Output as SipOutput, Transport,
};
use crate::sandbox::board::Board;
use crate::sandbox::exchange::{Action, Order, OrderError};
use crate::sandbox::phone::{Input, Output, State, Text};
use crate::sandbox::smtp::Received;

/// Pages that can have a handset at once.
const MAX_HANDSETS: usize = 8;
/// The sandbox's legs and the demo's own are told apart in a debugger by this.
const FIRST_LEG: u64 = 1 << 40;
const CODECS: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

#[derive(Debug)]
struct Call {
    number: PhoneNumber,
    /// Its leg, once there is audio to be had.
    leg: Option<LegId>,
    session: Option<Session>,
    /// What the demo offered, until we answer.
    offer: Option<Vec<u8>>,
    /// The far end sends audio before it answers.
    early: bool,
}

#[derive(Debug)]
struct Handset {
    leg: LegId,
    held: Option<PhoneNumber>,
    rev: u64,
    hears: HearMatrix,
}

/// The loop's state.
#[derive(Debug)]
pub struct Switch {
    clock: SharedClock,
    agent: Agent,
    socket: UdpSocket,
    local: SocketAddr,
    trunk: SocketAddr,
    /// Where the demo takes mail, once it is known.
    mail_door: Option<SocketAddr>,
    media: Media,
    shard: ShardId,
    voicemail: Arc<Prompt>,
    board: Board,
    calls: HashMap<u64, Call>,
    handsets: BTreeMap<u64, Handset>,
    next_leg: u64,
    next_handset: u64,
    view: watch::Sender<Arc<str>>,
    changed: bool,
}

/// What a [`Switch`] is made of.
#[derive(Debug)]
pub struct Parts {
    pub clock: SharedClock,
    pub agent: Agent,
    pub socket: UdpSocket,
    pub local: SocketAddr,
    /// Where the demo takes calls.
    pub trunk: SocketAddr,
    pub media: Media,
    pub voicemail: Arc<Prompt>,
    pub board: Board,
    pub view: watch::Sender<Arc<str>>,
}

impl Switch {
    pub fn new(parts: Parts) -> Self {
        let Parts { clock, agent, socket, local, trunk, media, voicemail, board, view } = parts;
        let shard = media.pick_shard();
        Self {
            clock,
            agent,
            socket,
            local,
            trunk,
            mail_door: None,
            media,
            shard,
            voicemail,
            board,
            calls: HashMap::new(),
            handsets: BTreeMap::new(),
            next_leg: FIRST_LEG,
            next_handset: 1,
            view,
            changed: true,
        }
    }

    /// Runs until the last handle for orders is gone.
    pub async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        mut mails: mpsc::Receiver<Received>,
        mut heard: mpsc::Receiver<MediaEvent>,
    ) {
        let mut datagram = vec![0; 65_536];
        loop {
            self.settle().await;
            let due = self.next_due();
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                Some(mail) = mails.recv() => {
                    self.board.take_mail(self.clock.utc(), &mail);
                    self.changed = true;
                }
                Some(event) = heard.recv() => self.media_says(event),
                received = self.socket.recv_from(&mut datagram) => {
                    // An error is a late refusal of something sent: the agent's timers see to it.
                    if let Ok((len, peer)) = received {
                        let flow = self.flow(peer);
                        let bytes = datagram[..len].to_vec();
                        self.agent.handle(self.clock.instant(), SipInput::Received { flow, bytes });
                    }
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(|| self.clock.instant()).into()), if due.is_some() => {
                    self.time_passed();
                }
            }
        }
    }

    const fn flow(&self, peer: SocketAddr) -> Flow {
        Flow { transport: Transport::Udp, local: self.local, peer, connection: 0 }
    }

    fn next_due(&self) -> Option<Instant> {
        let phones = self.board.phones().filter_map(|(_, phone)| phone.poll_timeout().map(|(at, _)| at));
        phones.chain(self.agent.poll_timeout().map(|(at, _)| at)).min()
    }

    fn time_passed(&mut self) {
        let now = self.clock.instant();
        if self.agent.poll_timeout().is_some_and(|(at, _)| at <= now) {
            self.agent.handle(now, SipInput::Timeout);
        }
        for (_, phone) in self.board.phones_mut() {
            if phone.poll_timeout().is_some_and(|(at, _)| at <= now) {
                phone.handle_timeout(now);
                self.changed = true;
            }
        }
    }

    /// Carries out everything that was decided, until nothing is left to do.
    async fn settle(&mut self) {
        loop {
            if let Some(output) = self.agent.poll_output() {
                match output {
                    SipOutput::Transmit { flow, bytes } | SipOutput::Refuse { flow, bytes } => {
                        // What does not leave is sent again by the agent's timers.
                        let _ = self.socket.send_to(&bytes, flow.peer).await;
                    }
                    SipOutput::Event(event) => self.sip_says(event),
                    SipOutput::CloseFlow { .. } => {}
                }
                continue;
            }
            let decided = self.board.phones_mut().find_map(|(n, p)| p.poll_output().map(|o| (n.clone(), o)));
            match decided {
                Some((number, output)) => self.carry_out(&number, output),
                None => break,
            }
        }
        self.wire();
        if std::mem::take(&mut self.changed) {
            let view = self.board.view(self.clock.instant(), self.clock.utc(), |number| {
                self.handsets.iter().find(|(_, h)| h.held.as_ref() == Some(number)).map(|(id, _)| *id)
            });
            self.view.send_replace(view.into());
        }
    }

    fn command(&mut self, command: Command) {
        self.agent.handle(self.clock.instant(), SipInput::Command(command));
    }

    /// Tells a phone what happened to one of its calls.
    fn tell(&mut self, number: &PhoneNumber, input: Input) {
        let now = self.clock.instant();
        if let Some(phone) = self.board.phone(number) {
            phone.handle(now, input);
        }
        self.changed = true;
    }

    /// What a phone decided.
    fn carry_out(&mut self, number: &PhoneNumber, output: Output) {
        self.changed = true;
        match output {
            Output::Dial { call, to } => self.dial(number, call, &to),
            Output::Ring { call } => self.command(Command::Ring { dialog: DialogId(call), sdp: None }),
            Output::Answer { call } => self.answer(call),
            Output::Refuse { call, status } => {
                self.forget(call);
                self.command(Command::Reject { dialog: DialogId(call), status, headers: Vec::new() });
            }
            Output::HangUp { call } => {
                self.forget(call);
                self.command(Command::Bye { dialog: DialogId(call), headers: Vec::new() });
            }
            Output::Greet { call } => {
                if let Some(leg) = self.calls.get(&call).and_then(|c| c.leg) {
                    // A leg that is gone took its call with it.
                    let _ = self.media.play(leg, PlayId(call), Arc::clone(&self.voicemail), false);
                }
            }
            Output::Key { call, key } => {
                if let Some(leg) = self.calls.get(&call).and_then(|c| c.leg) {
                    // A leg that is gone took its call with it.
                    let _ = self.media.press_keys(leg, &key.to_string());
                }
            }
        }
    }

    /// A leg with a port, and our side of its description.
    fn open_leg(&mut self) -> Option<(LegId, Session)> {
        self.next_leg += 1;
        let leg = LegId(self.next_leg);
        let address = self.media.open_rtp(self.shard, leg).ok()?;
        Some((leg, Session::new(self.next_leg, address, &CODECS)))
    }

    fn dial(&mut self, number: &PhoneNumber, call: u64, to: &str) {
        // Dialled as typed where it is no full number: what becomes of it is the demo's affair.
        let user = PhoneNumber::parse(to).map_or_else(
            |_| to.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect::<String>(),
            |n| n.as_e164().to_owned(),
        );
        let Some((leg, mut session)) = self.open_leg() else {
            return self.tell(&number.clone(), Input::Failed { call, status: 503 });
        };
        let offer = session.offer();
        let (here, there) = (self.local, self.trunk);
        self.calls.insert(
            call,
            Call { number: number.clone(), leg: Some(leg), session: Some(session), offer: None, early: false },
        );
        self.command(Command::Invite {
            dialog: DialogId(call),
            flow: self.flow(there),
            request_uri: format!("sip:{user}@{there}"),
            from: format!("<sip:{}@{here}>", number.as_e164()),
            to: format!("<sip:{user}@{there}>"),
            headers: Vec::new(),
            offer: Some(offer),
        });
    }

    fn answer(&mut self, call: u64) {
        let dialog = DialogId(call);
        let Some(offer) = self.calls.get_mut(&call).map(|c| c.offer.take()) else { return };
        let Some((leg, mut session)) = self.open_leg() else { return self.give_up(call, 503) };
        let sdp = match offer {
            Some(offer) => match session.answer(&offer) {
                Ok((sdp, agreed)) if self.media.connect_rtp(leg, agreed.into()).is_ok() => sdp,
                _ => {
                    self.media.close(leg);
                    return self.give_up(call, 488);
                }
            },
            None => session.offer(),
        };
        if let Some(held) = self.calls.get_mut(&call) {
            held.leg = Some(leg);
            held.session = Some(session);
        }
        self.command(Command::Answer { dialog, sdp });
    }

    /// Refuses a call that could not be answered for want of means.
    fn give_up(&mut self, call: u64, status: u16) {
        if let Some(number) = self.forget(call) {
            self.command(Command::Reject { dialog: DialogId(call), status, headers: Vec::new() });
            self.tell(&number, Input::Failed { call, status });
        }
    }

    /// Drops a call and its audio; says whose it was.
    fn forget(&mut self, call: u64) -> Option<PhoneNumber> {
        let gone = self.calls.remove(&call)?;
        if let Some(leg) = gone.leg {
            self.media.close(leg);
        }
        Some(gone.number)
    }

    fn sip_says(&mut self, event: Event) {
        match event {
            Event::Incoming { dialog, invite, .. } => self.called(dialog, *invite),
            Event::Progress { dialog, sdp, .. } => {
                if let Some(sdp) = sdp
                    && self.accept(dialog.0, &sdp)
                    && let Some(call) = self.calls.get_mut(&dialog.0)
                {
                    call.early = true;
                }
                self.tell_owner(dialog, Input::Alerted { call: dialog.0 });
            }
            Event::Answered { dialog, sdp } => {
                if sdp.is_some_and(|sdp| !self.accept(dialog.0, &sdp)) {
                    let number = self.forget(dialog.0);
                    self.command(Command::Bye { dialog, headers: Vec::new() });
                    if let Some(number) = number {
                        self.tell(&number, Input::Failed { call: dialog.0, status: 488 });
                    }
                } else {
                    self.tell_owner(dialog, Input::Connected { call: dialog.0 });
                }
            }
            Event::Established { dialog, answer: Some(sdp) } => {
                self.accept(dialog.0, &sdp);
            }
            Event::Rejected { dialog, status, .. } => {
                if let Some(number) = self.forget(dialog.0) {
                    self.tell(&number, Input::Failed { call: dialog.0, status });
                }
            }
            Event::Full { dialog } => {
                if let Some(number) = self.forget(dialog.0) {
                    self.tell(&number, Input::Failed { call: dialog.0, status: 503 });
                }
            }
            Event::Canceled { dialog } | Event::Ended { dialog, .. } => {
                if let Some(number) = self.forget(dialog.0) {
                    self.tell(&number, Input::Gone { call: dialog.0 });
                }
            }
            Event::Reoffered { dialog, offer } => self.reoffered(dialog, offer),
            Event::Established { .. }
            | Event::ReinviteAnswered { .. }
            | Event::ReinviteRejected { .. }
            | Event::Refer { .. }
            | Event::Info { .. }
            | Event::FlowLost { .. }
            | Event::Register { .. }
            | Event::Registration(_)
            | Event::OptionsAnswered { .. }
            // Over UDP there are no connections to break.
            | Event::Undelivered { .. }
            | Event::OtherTransport { .. }
            | Event::Refused { .. } => {}
        }
    }

    fn tell_owner(&mut self, dialog: DialogId, input: Input) {
        if let Some(number) = self.calls.get(&dialog.0).map(|c| c.number.clone()) {
            self.tell(&number, input);
        }
    }

    fn called(&mut self, dialog: DialogId, invite: IncomingInvite) {
        let number = invite.dialled().and_then(|n| PhoneNumber::parse(&n).ok()).filter(|n| self.board.has_phone(n));
        let Some(number) = number else {
            return self.command(Command::Reject { dialog, status: 404, headers: Vec::new() });
        };
        let from = invite.caller().and_then(|n| PhoneNumber::parse(&n).ok());
        let call = Call { number: number.clone(), leg: None, session: None, offer: invite.offer, early: false };
        self.calls.insert(dialog.0, call);
        self.tell(&number, Input::Called { call: dialog.0, from });
    }

    /// Takes the demo's answer to our offer; whether it is of use.
    fn accept(&mut self, call: u64, sdp: &[u8]) -> bool {
        let Some(Call { leg: Some(leg), session: Some(session), .. }) = self.calls.get_mut(&call) else { return false };
        let Ok(agreed) = session.accept(sdp) else { return false };
        self.media.connect_rtp(*leg, agreed.into()).is_ok()
    }

    fn reoffered(&mut self, dialog: DialogId, offer: Option<Vec<u8>>) {
        let answer = match self.calls.get_mut(&dialog.0) {
            Some(Call { leg: Some(leg), session: Some(session), .. }) => match offer {
                Some(offer) => session
                    .answer(&offer)
                    .ok()
                    .and_then(|(sdp, agreed)| self.media.connect_rtp(*leg, agreed.into()).is_ok().then_some(sdp)),
                None => Some(session.offer()),
            },
            _ => None,
        };
        self.command(match answer {
            Some(sdp) => Command::AnswerReinvite { dialog, sdp },
            None => Command::RejectReinvite { dialog, status: 488 },
        });
    }

    fn media_says(&mut self, event: MediaEvent) {
        // A browser that is silent for 5 s is gone: its page was closed or reloaded.
        let (MediaEvent::Silent { leg } | MediaEvent::WebDown { leg }) = event else { return };
        if let Some(id) = self.handsets.iter().find(|(_, h)| h.leg == leg).map(|(id, _)| *id) {
            self.drop_handset(id);
        }
    }

    fn obey(&mut self, order: Order) {
        self.changed = true;
        // Whoever gave an order and did not wait for the answer needs none.
        match order {
            Order::Phone { number, action, handset, done } => {
                let _ = done.send(self.act(&number, action, handset));
            }
            Order::Text { from, to, body, done } => {
                let _ = done.send(self.board.take_text(self.clock.utc(), from, &to, body));
            }
            Order::Reply { number, to, body, done } => {
                let at = self.clock.utc();
                let kept = self.board.phone(&number).ok_or(OrderError::NoSuchPhone).and_then(|phone| {
                    let with = to.or_else(|| phone.reply_to().cloned()).ok_or(OrderError::NotNow)?;
                    phone.keep_text(Text { at, with: with.clone(), body, mine: true, failed: false });
                    Ok((with, at))
                });
                let _ = done.send(kept);
            }
            Order::ReplyFailed { number, at } => {
                if let Some(phone) = self.board.phone(&number) {
                    phone.mark_reply_failed(at);
                }
            }
            Order::OpenHandset { done } => {
                let _ = done.send(self.open_handset());
            }
            Order::AnswerHandset { id, sdp, done } => {
                let known = self.handsets.get(&id).map(|h| h.leg).ok_or(OrderError::NoHandset);
                let taken = known.and_then(|leg| self.media.answer_web(leg, sdp).map_err(|_| OrderError::NoHandset));
                if taken.is_err() {
                    self.drop_handset(id);
                }
                let _ = done.send(taken);
            }
            Order::CloseHandset { id, done } => {
                self.drop_handset(id);
                let _ = done.send(Ok(()));
            }
            Order::Aim(trunk) => self.trunk = trunk,
            Order::AimMail(door) => self.mail_door = Some(door),
            Order::Answer { address, id, body, done } => {
                let answer = self.board.answer(&address, id, body).ok_or(OrderError::NoSuchMail);
                // Whoever asked may have gone meanwhile.
                let _ = done.send(answer.and_then(|answer| Ok((answer, self.mail_door.ok_or(OrderError::NotNow)?))));
            }
            Order::Answered { address, id, body } => {
                self.board.answered(&address, id, body);
                self.changed = true;
            }
        }
    }

    fn act(&mut self, number: &PhoneNumber, action: Action, handset: Option<u64>) -> Result<(), OrderError> {
        let state = self.board.phone(number).ok_or(OrderError::NoSuchPhone)?.state();
        let fits = match (&action, state) {
            (Action::SetMode(_), _) => true,
            (Action::Dial(_), state) => *state == State::Idle,
            (Action::Answer | Action::Decline, state) => matches!(state, State::Ringing { .. }),
            (Action::Key(_), state) => matches!(state, State::Talking { machine: false, .. }),
            (Action::HangUp | Action::Listen, state) => *state != State::Idle,
        };
        if !fits {
            return Err(OrderError::NotNow);
        }
        if let (Some(id), Action::Answer | Action::Dial(_) | Action::Listen) = (handset, &action) {
            self.hold(id, number);
        }
        let input = match action {
            Action::Answer => Input::Answer,
            Action::Decline => Input::Decline,
            Action::HangUp => Input::HangUp,
            Action::Key(key) => Input::Key(key),
            Action::SetMode(mode) => Input::SetMode(mode),
            Action::Dial(to) => Input::Dial { call: self.agent.next_dialog().0, to },
            Action::Listen => return Ok(()),
        };
        self.tell(number, input);
        Ok(())
    }

    fn open_handset(&mut self) -> Result<(u64, String), OrderError> {
        if self.handsets.len() >= MAX_HANDSETS {
            return Err(OrderError::NoHandset);
        }
        self.next_leg += 1;
        let leg = LegId(self.next_leg);
        let offer =
            self.media.open_web(self.shard, leg, &[Codec::Pcmu, Codec::Pcma]).map_err(|_| OrderError::NoHandset)?;
        let id = self.next_handset;
        self.next_handset += 1;
        self.handsets.insert(id, Handset { leg, held: None, rev: 0, hears: HearMatrix::default() });
        Ok((id, offer))
    }

    fn drop_handset(&mut self, id: u64) {
        if let Some(handset) = self.handsets.remove(&id) {
            self.media.drop_bridge(self.shard, BridgeId(id));
            self.media.close(handset.leg);
            self.changed = true;
        }
    }

    /// Holds a page's handset to a phone, and takes any other page's away from it.
    fn hold(&mut self, id: u64, number: &PhoneNumber) {
        for (other, handset) in &mut self.handsets {
            if *other == id {
                handset.held = Some(number.clone());
            } else if handset.held.as_ref() == Some(number) {
                handset.held = None;
            }
        }
    }

    /// Brings what handsets hear into line with what phones do.
    fn wire(&mut self) {
        self.put_down();
        let wanted: Vec<(u64, HearMatrix)> = self.handsets.iter().map(|(id, h)| (*id, self.heard(h))).collect();
        // A leg leaves one bridge before it joins another.
        let (leaving, joining): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(_, m)| m.rows.is_empty());
        for (id, hears) in leaving.into_iter().chain(joining) {
            let Some(handset) = self.handsets.get_mut(&id) else { continue };
            if handset.hears != hears {
                handset.rev += 1;
                handset.hears = hears.clone();
                self.media.set_bridge(self.shard, BridgeId(id), handset.rev, hears);
            }
        }
    }

    /// A handset held to a phone whose call is over goes back to another call that nobody listens to.
    fn put_down(&mut self) {
        let busy: Vec<PhoneNumber> =
            self.board.phones().filter(|(_, p)| *p.state() != State::Idle).map(|(n, _)| n.clone()).collect();
        let is_talking = |p: &State| matches!(p, State::Talking { machine: false, .. });
        let over: Vec<u64> = self
            .handsets
            .iter()
            .filter(|(_, h)| h.held.as_ref().is_some_and(|n| !busy.contains(n)))
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            let held: Vec<&PhoneNumber> = self.handsets.values().filter_map(|h| h.held.as_ref()).collect();
            let free = self.board.phones().find(|(n, p)| is_talking(p.state()) && !held.contains(n));
            let next = free.map(|(n, _)| n.clone());
            if let Some(handset) = self.handsets.get_mut(&id) {
                handset.held = next;
            }
            self.changed = true;
        }
    }

    fn heard(&self, handset: &Handset) -> HearMatrix {
        let state = handset.held.as_ref().and_then(|n| self.board.phones().find(|(other, _)| *other == n));
        let Some((_, phone)) = state else { return HearMatrix::default() };
        let call = phone.call().and_then(|call| self.calls.get(&call));
        match (phone.state(), call) {
            (State::Talking { machine: false, .. }, Some(Call { leg: Some(leg), .. })) => {
                HearMatrix::conference(&[handset.leg, *leg])
            }
            (State::Dialling { .. }, Some(Call { leg: Some(leg), early: true, .. })) => {
                HearMatrix::default().with(handset.leg, &[Source::Leg(*leg)]).with(*leg, &[])
            }
            (State::Dialling { alerted: true, .. }, _) => HearMatrix::default().with(handset.leg, &[Source::Ringback]),
            _ => HearMatrix::default(),
        }
    }
}
