//! The line a fax is sent over: one socket, one engine, one thread, from the answer to the end of the call. Sound as long as it is
//! told so, then T.38, each packet in its time (20 ms).
//!
//! Obeys [`Line`] and tells [`News`]; decides nothing about the call. No echo is cancelled, no silence left out, nothing
//! stretched or concealed. Ends when its handle is dropped. What always holds: sound that has to be encrypted never leaves in
//! the clear, nor does a page by T.38 while it has.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender as Orders, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::base::clock::SharedClock;
use crate::base::rng::Rng;
use crate::domain::call::fax::MachinesEnd;
use crate::io::media::{Apart, Codec, RtpParameters};
use crate::proto::audio::codec::{Decoder, Encoder};
use crate::proto::rtp::latch::Latch;
use crate::proto::rtp::packet::{self, Header, MAX_PACKET};
use crate::proto::rtp::srtp::{Guard, Keys, MAX_GROWTH};
use crate::proto::sdp;
use crate::proto::t38::udptl;

use super::Document;
use super::arrange::{Arranger, Piece};
use super::spandsp::{MachineEar, Sender, Spandsp};

/// How often something is sent.
const BEAT: Duration = Duration::from_millis(20);
const SAMPLES: usize = 160;
/// A thread that was away for longer lets the time pass.
const LATE: Duration = Duration::from_millis(500);
/// No sound has come for so long: the far end sends no silence, and the engine's time has to go on.
const SILENT_AFTER: Duration = Duration::from_millis(200);
/// After the last word of the two machines: what was sent last is still on its way.
const LINGER: Duration = Duration::from_millis(300);
/// Earlier IFP packets that go along with each.
const REDUNDANCY: usize = 3;
/// What a datagram is read into.
const ROOM: usize = 2_048;

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A fax machine is heard.
    MachineHeard,
    /// The two machines talk.
    Begun,
    /// The far machine has confirmed so many pages by now.
    Confirmed(u32),
    /// They are done. The last news.
    Done(MachinesEnd),
}

enum Order {
    Sound(RtpParameters),
    Silence,
    Image(sdp::Fax),
}

/// The way to the thread. Dropped, it ends.
#[derive(Clone, Debug)]
pub struct Line {
    orders: Orders<Order>,
}

impl Line {
    /// Starts the thread. It says and hears nothing yet.
    ///
    /// # Errors
    /// There is no thread, or no memory, for it.
    pub fn open(
        apart: Apart,
        document: Document,
        ident: String,
        spandsp: Spandsp,
        clock: SharedClock,
        tell: impl Fn(News) + Send + 'static,
    ) -> io::Result<Self> {
        let (orders, inbox) = channel();
        apart.socket().set_nonblocking(false)?;
        thread::Builder::new().name("fax".into()).spawn(move || {
            let beat_at = clock.instant();
            let work = Work {
                apart,
                document,
                ident,
                spandsp,
                clock,
                tell: Box::new(tell),
                mode: Mode::Idle,
                engine: None,
                latch: Latch::default(),
                beat_at,
                begun: false,
                confirmed: 0,
                done_at: None,
            };
            work.run(&inbox);
        })?;
        Ok(Self { orders })
    }

    /// Goes on, or begins, by sound, as agreed.
    pub fn sound(&self, agreed: RtpParameters) {
        self.order(Order::Sound(agreed));
    }

    /// Sends silence, and hears nothing, until something is agreed.
    pub fn silence(&self) {
        self.order(Order::Silence);
    }

    /// Goes on by T.38, as agreed.
    pub fn image(&self, agreed: sdp::Fax) {
        self.order(Order::Image(agreed));
    }

    fn order(&self, order: Order) {
        // A thread that is gone has told how it ended.
        let _ = self.orders.send(order);
    }
}

enum Mode {
    Idle,
    Sound(Box<Sound>),
    Image(Box<Image>),
}

/// By sound.
struct Sound {
    agreed: RtpParameters,
    /// The engine speaks and hears; else there is silence.
    open: bool,
    /// None: a machine was heard.
    ear: Option<MachineEar>,
    /// When sound came last.
    heard_at: Instant,
    arranger: Arranger,
    decoder: Decoder,
    encoder: Encoder,
    header: Header,
    /// Encoded sound that waits for a whole packet.
    pending: Vec<u8>,
    guards: Option<(Keys, Guard, Guard)>,
}

/// By T.38.
struct Image {
    agreed: sdp::Fax,
    out: udptl::Sender,
    inward: udptl::Receiver,
}

struct Work {
    apart: Apart,
    document: Document,
    ident: String,
    spandsp: Spandsp,
    clock: SharedClock,
    tell: Box<dyn Fn(News) + Send>,
    mode: Mode,
    engine: Option<Sender>,
    latch: Latch,
    beat_at: Instant,
    begun: bool,
    confirmed: u32,
    /// The machines are done, and how, and when that is told.
    done_at: Option<(Instant, MachinesEnd)>,
}

impl Work {
    fn run(mut self, inbox: &Receiver<Order>) {
        let mut room = [0; ROOM];
        loop {
            loop {
                match inbox.try_recv() {
                    Ok(order) => self.obey(order),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            let now = self.clock.instant();
            if now >= self.beat_at {
                if now > self.beat_at + LATE {
                    self.beat_at = now;
                }
                self.beat_at += BEAT;
                if self.beat(now) {
                    return;
                }
                continue;
            }
            let wait = (self.beat_at - now).max(Duration::from_millis(1));
            if self.apart.socket().set_read_timeout(Some(wait)).is_err() {
                return self.done(MachinesEnd::Fault);
            }
            // An error is the end of the wait, or an ICMP's word about something sent before.
            if let Ok((len, from)) = self.apart.socket().recv_from(&mut room) {
                self.receive(&mut room[..len], from);
            }
        }
    }

    fn done(&self, end: MachinesEnd) {
        (self.tell)(News::Done(end));
    }

    fn obey(&mut self, order: Order) {
        let now = self.clock.instant();
        match (order, &mut self.mode) {
            (Order::Sound(agreed), Mode::Sound(sound)) => {
                self.latch.tell(self.apart.as_of_socket(agreed.remote));
                sound.agree(agreed);
                sound.open = true;
            }
            (Order::Sound(agreed), _) => {
                self.latch.tell(self.apart.as_of_socket(agreed.remote));
                self.engine = Sender::by_sound(self.spandsp, &self.document.path(), &self.ident);
                self.mode = Mode::Sound(Box::new(Sound::new(now, agreed, MachineEar::new(self.spandsp))));
            }
            (Order::Silence, Mode::Sound(sound)) => sound.open = false,
            (Order::Silence, _) => {}
            (Order::Image(agreed), mode) => {
                // Never in the clear what has to be encrypted.
                if matches!(mode, Mode::Sound(sound) if sound.guards.is_some()) {
                    self.done_at = Some((now, MachinesEnd::Fault));
                    return;
                }
                self.latch.tell(self.apart.as_of_socket(agreed.remote));
                if let Mode::Image(image) = mode {
                    image.agreed = agreed;
                    return;
                }
                let rate = agreed.max_bit_rate;
                self.engine = Sender::by_t38(self.spandsp, &self.document.path(), &self.ident, rate);
                let redundancy = if agreed.redundancy { REDUNDANCY } else { 0 };
                let out = udptl::Sender::new(redundancy, agreed.max_datagram);
                let inward = udptl::Receiver::default();
                *mode = Mode::Image(Box::new(Image { agreed, out, inward }));
            }
        }
        if self.engine.is_none() && !matches!(self.mode, Mode::Idle) {
            self.done_at.get_or_insert((now, MachinesEnd::Fault));
        }
    }

    /// One beat. True: all is told, and the thread ends.
    fn beat(&mut self, now: Instant) -> bool {
        match &mut self.mode {
            Mode::Idle => {}
            Mode::Sound(sound) => {
                let target = self.latch.target();
                let mut frame = [0_i16; SAMPLES];
                if let Some(engine) = self.engine.as_mut().filter(|_| sound.open) {
                    engine.speak(&mut frame);
                    if now >= sound.heard_at + SILENT_AFTER {
                        sound.arranger = Arranger::default();
                        engine.miss(SAMPLES as u32);
                    }
                }
                sound.send(&frame, |bytes| {
                    if let Some(target) = target {
                        // What the network does not take is lost, like anything else on it.
                        let _ = self.apart.socket().send_to(bytes, target);
                    }
                });
            }
            Mode::Image(image) => {
                if let Some(engine) = &mut self.engine {
                    engine.pass(SAMPLES as u16);
                    for (ifp, times) in engine.take_packets() {
                        let Some(target) = self.latch.target() else { break };
                        let Some(datagram) = image.out.write(&ifp) else { continue };
                        for _ in 0..times.clamp(1, 3) {
                            let _ = self.apart.socket().send_to(&datagram, target);
                        }
                    }
                }
            }
        }
        self.look(now);
        match self.done_at {
            Some((at, end)) if now >= at => {
                self.done(end);
                true
            }
            _ => false,
        }
    }

    /// What the engine has come to.
    fn look(&mut self, now: Instant) {
        let Some(engine) = &self.engine else { return };
        if !self.begun && engine.has_begun() {
            self.begun = true;
            (self.tell)(News::Begun);
        }
        let confirmed = engine.confirmed();
        if confirmed > self.confirmed {
            self.confirmed = confirmed;
            (self.tell)(News::Confirmed(confirmed));
        }
        if self.done_at.is_none()
            && let Some(end) = engine.end()
        {
            self.done_at = Some((now + LINGER, end));
        }
    }

    fn receive(&mut self, bytes: &mut [u8], from: SocketAddr) {
        match &mut self.mode {
            Mode::Idle => {}
            Mode::Sound(sound) => {
                let Some((header, samples)) = sound.open(bytes) else { return };
                if !self.latch.admit(from, header.ssrc) {
                    return;
                }
                sound.heard_at = self.clock.instant();
                let heard = sound.hear(&header, samples, self.engine.as_mut());
                if heard {
                    (self.tell)(News::MachineHeard);
                }
            }
            Mode::Image(image) => {
                // The last of the sound is still on its way.
                let is_rtp = bytes.len() > 12 + 40 && bytes[0] >> 6 == 2 && matches!(bytes[1] & 0x7f, 0 | 8);
                if is_rtp || udptl::read(bytes).is_none() || !self.latch.admit(from, 0) {
                    return;
                }
                let Some(engine) = &mut self.engine else { return };
                for ifp in image.inward.handle(bytes) {
                    engine.receive(ifp.sequence, &ifp.bytes);
                }
            }
        }
    }
}

impl Sound {
    fn new(now: Instant, agreed: RtpParameters, ear: Option<MachineEar>) -> Self {
        let mut rng = Rng::from_system();
        let header = Header {
            payload_type: agreed.codec.payload_type(),
            marker: true,
            // Below 2^15: see `io/media/leg`.
            sequence: rng.next_u64() as u16 & 0x7fff,
            timestamp: rng.next_u64() as u32,
            ssrc: rng.next_u64() as u32,
        };
        let mut sound = Self {
            agreed,
            open: true,
            ear,
            heard_at: now,
            arranger: Arranger::default(),
            decoder: Decoder::default(),
            encoder: Encoder::default(),
            header,
            pending: Vec::new(),
            guards: None,
        };
        sound.agree(agreed);
        sound
    }

    fn agree(&mut self, agreed: RtpParameters) {
        self.agreed = agreed;
        self.header.payload_type = agreed.codec.payload_type();
        let same = self.guards.as_ref().map(|(keys, ..)| *keys) == agreed.srtp;
        if !same {
            let guards = |keys: Keys| (keys, Guard::new(keys.suite, &keys.ours), Guard::new(keys.suite, &keys.theirs));
            self.guards = agreed.srtp.map(guards);
        }
    }

    /// Sends a frame, once there is enough for a packet.
    fn send(&mut self, frame: &[i16; SAMPLES], transmit: impl Fn(&[u8])) {
        for sample in frame {
            self.pending.push(self.encoder.sample(self.agreed.codec, *sample));
        }
        let whole = usize::from(self.agreed.ptime_ms) * 8;
        while self.pending.len() >= whole {
            let payload: Vec<u8> = self.pending.drain(..whole).collect();
            let mut bytes = [0; MAX_PACKET + MAX_GROWTH];
            let mut len = packet::write(&self.header, &payload, &mut bytes[..MAX_PACKET]);
            self.header.marker = false;
            self.header.sequence = self.header.sequence.wrapping_add(1);
            self.header.timestamp = self.header.timestamp.wrapping_add(payload.len() as u32);
            if let Some((_, out, _)) = &mut self.guards {
                let Some(protected) = out.protect(&mut bytes, len) else { continue };
                len = protected;
            }
            if self.agreed.send {
                transmit(&bytes[..len]);
            }
        }
    }

    /// Opens a packet of sound, if it is one.
    fn open(&mut self, bytes: &mut [u8]) -> Option<(Header, Vec<i16>)> {
        if packet::is_rtcp(bytes) {
            return None;
        }
        let len = match &mut self.guards {
            Some((_, _, inward)) => inward.open(bytes).ok()?,
            None => bytes.len(),
        };
        let (header, payload) = packet::read(&bytes[..len])?;
        let codec = Codec::of_payload_type(header.payload_type).filter(|codec| *codec != Codec::G722)?;
        let samples = payload.iter().map(|octet| self.decoder.octet(codec, *octet)).collect();
        Some((header, samples))
    }

    /// Gives it to the engine. True: a machine is heard in it, for the first time.
    fn hear(&mut self, header: &Header, samples: Vec<i16>, mut engine: Option<&mut Sender>) -> bool {
        let mut found = false;
        for piece in self.arranger.put(header, samples) {
            let engine = engine.as_deref_mut().filter(|_| self.open);
            match piece {
                Piece::Missing(samples) => {
                    if let Some(engine) = engine {
                        engine.miss(samples);
                    }
                }
                Piece::Sound(mut samples) => {
                    if self.ear.as_mut().is_some_and(|ear| ear.hears(&samples)) {
                        found = true;
                        self.ear = None;
                    }
                    if let Some(engine) = engine {
                        engine.hear(&mut samples);
                    }
                }
            }
        }
        found
    }
}
