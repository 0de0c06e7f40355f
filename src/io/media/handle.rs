//! [`Media`]: how everybody else asks for media. Cheap to clone; every call returns at once, what it leads to comes
//! as a [`MediaEvent`]. Sockets are bound and offers made on the caller's thread; the rest happens at the shard's
//! next pump, which a join brings forward.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Poll;
use std::thread::{self, Thread};
use std::time::Instant;

use tokio::sync::mpsc;

use crate::base::clock::SharedClock;
use crate::base::rng::Rng;
use crate::domain::call::bridge::{BridgeId, HearMatrix, KeysBound, LegId};
use crate::io::recording::{Kind, Tap};
use crate::io::webrtc::{Certificate, WebError, WebPeer};

use super::apart::Apart;
use super::beat;
use super::bell::Bell;
use super::inbox::inbox;
use super::leg::Leg;
use super::news::{self, Ear, Homes};
use super::port::PortPool;
use super::rtp_path::RtpPath;
use super::shard::{Command, Shard, Sounds};
use super::take::Take;
use super::tune::Tune;
use super::web_path::WebPath;
use super::{Codec, MediaEvent, Place, PlayId, Prompt, Reach, RtpParameters, ShardId, Strays};

/// What media needs to start.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// The address that media sockets are bound to. A concrete one: it is what browsers are offered.
    pub bind_ip: IpAddr,
    /// The address that far ends are told, behind a NAT.
    pub public_ip: Option<IpAddr>,
    /// Should lie outside the system's ephemeral range.
    pub ports: RangeInclusive<u16>,
    /// Media threads; at least one is started.
    pub shards: usize,
    /// Music on hold.
    pub music: Arc<Prompt>,
    pub clock: SharedClock,
}

/// Why media cannot do what was asked.
#[derive(Debug)]
pub enum MediaError {
    /// No port of the range could be bound.
    Port(io::Error),
    /// A thread could not be started, or the set of sockets that it watches not be made.
    Thread(io::Error),
    /// The browser's offer could not be made.
    Web(WebError),
    /// There is no such leg: it was never opened, or is closed.
    UnknownLeg,
    /// The address to bind is unspecified and no public one is given: nobody could be told where to send.
    Address,
    /// The leg id is taken.
    LegExists,
    /// There is no such shard.
    UnknownShard,
    /// The shard's thread has ended.
    ShardGone,
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(error) => write!(f, "no media port could be opened: {error}"),
            Self::Thread(error) => write!(f, "a media thread could not be started: {error}"),
            Self::Web(error) => write!(f, "no offer for the browser: {error}"),
            Self::Address => f.write_str("media needs the address of one interface (not 0.0.0.0), or a public address"),
            Self::UnknownLeg => f.write_str("no such leg"),
            Self::LegExists => f.write_str("the leg is open already"),
            Self::UnknownShard => f.write_str("no such shard"),
            Self::ShardGone => f.write_str("the media thread has ended: start the service again"),
        }
    }
}

impl std::error::Error for MediaError {}

/// The handle. When the last clone is gone the threads end.
#[derive(Clone, Debug)]
pub struct Media {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    bind_ip: IpAddr,
    public_ip: Option<IpAddr>,
    second: Option<Place>,
    ports: PortPool,
    clock: SharedClock,
    certificate: Certificate,
    shards: Vec<mpsc::UnboundedSender<Command>>,
    /// Of each shard's thread.
    bells: Vec<Arc<Bell>>,
    /// A leg that is closed or has failed is in it no more.
    legs: Homes,
    /// Reads what the shards tell; asleep for longer while there is no leg.
    reader: OnceLock<Thread>,
    rng: Mutex<Rng>,
}

impl Media {
    /// Starts the media threads, and the one that reads what they tell. Events must be taken from the other end of `events`.
    pub fn start(config: MediaConfig, events: mpsc::Sender<MediaEvent>) -> Result<Self, MediaError> {
        Self::start_with(config, None, events)
    }

    /// The same with an address of the other family beside the first, for telephones of that: sockets then listen on
    /// every address of both.
    pub fn start_with(
        config: MediaConfig,
        second: Option<Place>,
        events: mpsc::Sender<MediaEvent>,
    ) -> Result<Self, MediaError> {
        let clock = config.clock.clone();
        let (media, drivers) = Self::prepare_with(config, second, &events)?;
        let (first_tick, mut ears) = (clock.instant(), Vec::new());
        for (i, ShardDriver { shard, ear, .. }) in drivers.into_iter().enumerate() {
            let (clock, bell) = (clock.clone(), Arc::clone(&media.inner.bells[i]));
            ears.push(ear);
            let thread = thread::Builder::new()
                .name(format!("media-{i}"))
                .spawn(move || beat::run(shard, &clock, first_tick, &bell))
                .map_err(MediaError::Thread)?;
            media.inner.bells[i].belongs_to(thread.thread());
        }
        let homes = Arc::clone(&media.inner.legs);
        let reader = thread::Builder::new()
            .name("media-news".into())
            .spawn(move || news::read(ears, &events, &homes))
            .map_err(MediaError::Thread)?;
        // There is one reader, and it is set here alone.
        let _ = media.inner.reader.set(reader.thread().clone());
        Ok(media)
    }

    /// Everything but the threads: whoever holds the drivers is the thread and says what time it is. For
    /// simulations and measurements.
    pub fn prepare(
        config: MediaConfig,
        events: mpsc::Sender<MediaEvent>,
    ) -> Result<(Self, Vec<ShardDriver>), MediaError> {
        Self::prepare_with(config, None, &events)
    }

    fn prepare_with(
        config: MediaConfig,
        second: Option<Place>,
        events: &mpsc::Sender<MediaEvent>,
    ) -> Result<(Self, Vec<ShardDriver>), MediaError> {
        if config.bind_ip.is_unspecified() && config.public_ip.is_none() {
            return Err(MediaError::Address);
        }
        let (sounds, legs) = (Sounds::new(config.music), Homes::default());
        let (mut shards, mut drivers) = (Vec::new(), Vec::new());
        for _ in 0..config.shards.max(1) {
            let (sender, commands) = inbox();
            let (teller, ear) = news::news();
            let shard =
                Shard::new(commands, teller, config.clock.clone(), sounds.clone()).map_err(MediaError::Thread)?;
            drivers.push(ShardDriver { shard, ear, events: events.clone(), homes: Arc::clone(&legs) });
            shards.push(sender);
        }
        let inner = Inner {
            bind_ip: config.bind_ip,
            public_ip: config.public_ip,
            second,
            ports: PortPool::new(&config.ports),
            clock: config.clock,
            certificate: Certificate::generate().map_err(MediaError::Web)?,
            bells: shards.iter().map(|_| Arc::default()).collect(),
            shards,
            legs,
            reader: OnceLock::new(),
            rng: Mutex::new(Rng::from_system()),
        };
        Ok((Self { inner: Arc::new(inner) }, drivers))
    }

    /// The shard with the fewest legs, of those whose threads run.
    pub fn pick_shard(&self) -> ShardId {
        let legs = self.legs();
        let load = |shard: &usize| legs.values().filter(|s| s.0 == *shard).count();
        let alive = (0..self.inner.shards.len()).filter(|shard| !self.inner.shards[*shard].is_closed());
        ShardId(alive.min_by_key(load).unwrap_or(0))
    }

    /// Waits until a media thread has ended: for ever, but for a fault that it could not get over.
    pub async fn gone(&self) {
        let mut ends: Vec<_> = self.inner.shards.iter().map(|shard| Box::pin(shard.closed())).collect();
        poll_fn(|cx| match ends.iter_mut().any(|end| end.as_mut().poll(cx).is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    /// How many more legs there are ports for.
    pub fn free_ports(&self) -> usize {
        self.inner.ports.free()
    }

    /// Opens a leg to a SIP far end and says where it receives. It hears nothing yet.
    pub fn open_rtp(&self, shard: ShardId, leg: LegId) -> Result<SocketAddr, MediaError> {
        Ok(self.open_rtp_for(shard, leg, Strays::Ports)?.towards(None))
    }

    /// The same, and where it receives depends on who sends; from where else the far end may come when it was silent.
    pub fn open_rtp_for(&self, shard: ShardId, leg: LegId, strays: Strays) -> Result<Reach, MediaError> {
        self.check_new(shard, leg)?;
        let Inner { bind_ip, public_ip, second, ports, .. } = &*self.inner;
        // A socket of both families is bound to every address of either.
        let ip = if second.is_some() { Ipv6Addr::UNSPECIFIED.into() } else { *bind_ip };
        let (rtp, rtcp, lease) = ports.bind_pair(ip, second.is_some()).map_err(MediaError::Port)?;
        let local = rtp.local_addr().map_err(MediaError::Port)?;
        let made = Leg::rtp(leg, RtpPath::new(rtp, rtcp, lease, strays), &mut self.rng());
        self.open(shard, made)?;
        Ok(Reach::new(local.port(), Place { bound: *bind_ip, public: *public_ip }, *second))
    }

    /// Opens a socket that no shard moves, and says where it receives.
    pub fn open_apart(&self) -> Result<(Reach, Apart), MediaError> {
        let Inner { bind_ip, public_ip, second, ports, .. } = &*self.inner;
        let ip = if second.is_some() { Ipv6Addr::UNSPECIFIED.into() } else { *bind_ip };
        let (socket, _, lease) = ports.bind_pair(ip, second.is_some()).map_err(MediaError::Port)?;
        let local = socket.local_addr().map_err(MediaError::Port)?;
        let reach = Reach::new(local.port(), Place { bound: *bind_ip, public: *public_ip }, *second);
        Ok((reach, Apart::new(socket, lease)))
    }

    /// Opens a leg to a browser and gives the offer for it, naming `codecs`, the preferred one first.
    pub fn open_web(&self, shard: ShardId, leg: LegId, codecs: &[Codec]) -> Result<String, MediaError> {
        self.check_new(shard, leg)?;
        let (socket, lease) = self.inner.ports.bind_one(self.inner.bind_ip).map_err(MediaError::Port)?;
        let local = socket.local_addr().map_err(MediaError::Port)?;
        let now = self.inner.clock.instant();
        let (peer, offer) =
            WebPeer::new(now, local, self.inner.public_ip, &self.inner.certificate, codecs).map_err(MediaError::Web)?;
        let made = Leg::web(leg, WebPath::new(peer, socket, lease), &mut self.rng());
        self.open(shard, made)?;
        Ok(offer)
    }

    /// Takes what was agreed with a SIP far end: at first, and after each re-offer.
    pub fn connect_rtp(&self, leg: LegId, parameters: RtpParameters) -> Result<(), MediaError> {
        self.send_to(leg, Command::Connect(leg, parameters))
    }

    /// Takes a browser's answer. [`MediaEvent::WebUp`] follows, or [`MediaEvent::WebDown`] if it cannot be used.
    pub fn answer_web(&self, leg: LegId, answer: String) -> Result<(), MediaError> {
        self.send_to(leg, Command::AnswerWeb(leg, answer))
    }

    /// Looks for a new path to a browser whose network has changed. [`MediaEvent::WebOffer`] follows.
    pub fn restart_web(&self, leg: LegId) -> Result<(), MediaError> {
        self.send_to(leg, Command::RestartWeb(leg))
    }

    /// Says who hears whom in a bridge; a revision not above the last is ignored. A leg that is told to hear
    /// itself hears its echo.
    pub fn set_bridge(&self, shard: ShardId, bridge: BridgeId, rev: u64, matrix: HearMatrix) {
        // People wait to hear each other: not until the thread looks of itself, and with it what was asked before.
        if self.send(shard, Command::SetBridge(bridge, rev, matrix))
            && let Some(bell) = self.inner.bells.get(shard.0)
        {
            bell.ring();
        }
    }

    /// Forgets a bridge.
    pub fn drop_bridge(&self, shard: ShardId, bridge: BridgeId) {
        self.send(shard, Command::DropBridge(bridge));
    }

    /// Plays a prompt to a leg, in place of all else that it hears and of a prompt that plays. It begins when the
    /// far end can hear it; [`MediaEvent::PlayDone`] follows at its end, never for one that repeats.
    pub fn play(&self, leg: LegId, play: PlayId, prompt: Arc<Prompt>, repeat: bool) -> Result<(), MediaError> {
        self.send_to(leg, Command::Play { leg, play, prompt, repeat })
    }

    /// Stops a prompt; one that has been replaced is left alone.
    pub fn stop(&self, leg: LegId, play: PlayId) -> Result<(), MediaError> {
        self.send_to(leg, Command::Stop(leg, play))
    }

    /// What a leg hears from now on wherever its matrix says music, from the beginning; none: the house's music.
    pub fn set_tune(&self, leg: LegId, tune: Option<Arc<Tune>>) -> Result<(), MediaError> {
        self.send_to(leg, Command::SetTune(leg, tune))
    }

    /// Takes down what a leg's far end says, until [`Media::end_take`] hands it over or the leg ends.
    pub fn take_down(&self, leg: LegId, take: Box<Take>) -> Result<(), MediaError> {
        self.send_to(leg, Command::Take(leg, take))
    }

    /// Hands over what was taken down.
    pub fn end_take(&self, leg: LegId) -> Result<(), MediaError> {
        self.send_to(leg, Command::EndTake(leg))
    }

    /// Tells what the leg's far end does, from now on until the leg ends ([`MediaEvent::Sound`]).
    pub fn listen(&self, leg: LegId) -> Result<(), MediaError> {
        self.send_to(leg, Command::Listen(leg, Box::default()))
    }

    /// While bound, a leg's digits are told but not passed on to whoever hears it.
    pub fn bind_digits(&self, leg: LegId, bound: KeysBound) -> Result<(), MediaError> {
        self.send_to(leg, Command::BindDigits(leg, bound))
    }

    /// Sends digits to a leg's far end as telephone-event.
    pub fn press_keys(&self, leg: LegId, keys: &str) -> Result<(), MediaError> {
        self.send_to(leg, Command::PressKeys(leg, keys.to_owned()))
    }

    /// Records the call of this leg's far end, which is the tap's one side, until the leg ends: wherever it is moved,
    /// the other side is what everybody else in its bridge says that anybody hears, and all prompts.
    pub fn record(&self, leg: LegId, tap: Tap) -> Result<(), MediaError> {
        self.send_to(leg, Command::Record(leg, Box::new(tap)))
    }

    /// Goes on with sound, or without and why.
    pub fn set_recording(&self, leg: LegId, kind: Kind) -> Result<(), MediaError> {
        self.send_to(leg, Command::SetRecording(leg, kind))
    }

    /// Moves legs to another shard, each whole and all of a shard in one step, so that two that are relayed stay so
    /// if their bridge has been made known there before. Whatever is asked of them meanwhile waits for them.
    pub fn move_legs(&self, moved: &[LegId], to: ShardId) -> Result<(), MediaError> {
        let target = self.inner.shards.get(to.0).ok_or(MediaError::UnknownShard)?.clone();
        let mut legs = self.legs();
        if moved.iter().any(|leg| !legs.contains_key(leg)) {
            return Err(MediaError::UnknownLeg);
        }
        for from in (0..self.inner.shards.len()).map(ShardId).filter(|from| *from != to) {
            let going: Vec<LegId> = moved.iter().filter(|leg| legs.get(*leg) == Some(&from)).copied().collect();
            if going.is_empty() {
                continue;
            }
            legs.extend(going.iter().map(|leg| (*leg, to)));
            self.send(to, Command::Expect(going.clone()));
            self.send(from, Command::Move(going, target.clone()));
        }
        Ok(())
    }

    /// Ends a leg. [`MediaEvent::Closed`] follows.
    pub fn close(&self, leg: LegId) {
        if let Some(shard) = self.legs().remove(&leg) {
            self.send(shard, Command::Close(leg));
        }
    }

    fn check_new(&self, shard: ShardId, leg: LegId) -> Result<(), MediaError> {
        if shard.0 >= self.inner.shards.len() {
            return Err(MediaError::UnknownShard);
        }
        if self.legs().contains_key(&leg) { Err(MediaError::LegExists) } else { Ok(()) }
    }

    fn open(&self, shard: ShardId, leg: Leg) -> Result<(), MediaError> {
        let mut legs = self.legs();
        if legs.contains_key(&leg.id) {
            return Err(MediaError::LegExists);
        }
        let id = leg.id;
        if !self.send(shard, Command::Open(Box::new(leg))) {
            return Err(MediaError::ShardGone);
        }
        let first = legs.is_empty();
        legs.insert(id, shard);
        drop(legs);
        if first && let Some(reader) = self.inner.reader.get() {
            reader.unpark();
        }
        Ok(())
    }

    fn send_to(&self, leg: LegId, command: Command) -> Result<(), MediaError> {
        // The lock is held while sending, so that a move cannot come between.
        let legs = self.legs();
        let shard = legs.get(&leg).ok_or(MediaError::UnknownLeg)?;
        if self.send(*shard, command) { Ok(()) } else { Err(MediaError::ShardGone) }
    }

    /// False if the shard's thread has ended, with all that was on it.
    fn send(&self, shard: ShardId, command: Command) -> bool {
        self.inner.shards.get(shard.0).is_some_and(|sender| sender.send(command).is_ok())
    }

    fn legs(&self) -> std::sync::MutexGuard<'_, HashMap<LegId, ShardId>> {
        self.inner.legs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rng(&self) -> std::sync::MutexGuard<'_, Rng> {
        self.inner.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A shard without a thread ([`Media::prepare`]).
#[derive(Debug)]
pub struct ShardDriver {
    shard: Shard,
    ear: Ear,
    events: mpsc::Sender<MediaEvent>,
    homes: Homes,
}

impl ShardDriver {
    /// 20 ms pass. False when nobody can give commands any more.
    pub fn tick(&mut self, now: Instant) -> bool {
        self.shard.tick(now)
    }

    /// Takes what has come in and passes on what is relayed. As often as one likes between two ticks.
    pub fn pump(&mut self, now: Instant) {
        self.shard.pump(now);
    }

    /// Hands on what the shard has told: what the reading thread does every few ms.
    pub fn tell(&mut self) {
        self.ear.turn(&self.events, &self.homes);
    }
}
