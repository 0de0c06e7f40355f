//! One party's media, self-contained: its way to the far end (`rtp_path`, `web_path`), what was agreed, what came in (latch, jitter buffer, digits),
//! the one stream that goes out. A leg knows no other leg; its shard tells it what to say and asks what it heard.
//!
//! Always: what goes out is one continuous stream, whoever speaks in it; nothing is sent before somebody said
//! where to; a packet is heard only from where the latch admits it.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::Counter;

use crate::base::clock::UtcMs;
use crate::base::rng::{Rng, secure_bytes};
use crate::domain::call::bridge::{KeysBound, LegId};
use crate::io::recording::Tap;
use crate::io::webrtc::PeerState;
use crate::proto::audio::codec::{Decoder, Encoder};
use crate::proto::audio::dtmf::Detector;
use crate::proto::audio::frame::{FRAME, Frame, SILENCE};
use crate::proto::rtp::jitter::JitterBuffer;
use crate::proto::rtp::outgoing::Outgoing;
use crate::proto::rtp::packet::{self, COMFORT_NOISE, Header, MAX_PACKET, MAX_PAYLOAD};
use crate::proto::rtp::reports::{CanonicalName, Reports};
use crate::proto::rtp::rtcp;
use crate::proto::rtp::srtp::MAX_GROWTH;
use crate::proto::rtp::telephone_event::{Part, Receiver};

use super::hush::Hush;
use super::keys::{Keys, Next};
use super::prompt::Prompt;
use super::rtp_path::{RtpPath, SILENT_AFTER};
use super::secure::Secure;
use super::web_path::WebPath;
use super::{Codec, LegQuality, LegStats, PlayId, RtpParameters};

/// Silence of a browser after which it is told.
const WEB_SILENT_AFTER: Duration = Duration::from_secs(5);
/// Silence of a telephone that should talk after which it is given up, whatever its signalling says: gateways answer for
/// telephones that are gone.
const GONE_AFTER: Duration = Duration::from_secs(180);
/// Silence of a telephone on hold, which need not send, after which it is told.
const HELD_SILENT_AFTER: Duration = Duration::from_secs(1_800);
/// The longest packet time of our own, in samples.
const MAX_SAMPLES: usize = 480;

#[derive(Debug)]
enum Path {
    Rtp(RtpPath),
    Web(WebPath),
}

/// What was agreed about the codec, from SDP or the browser's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    pub(super) codec: Codec,
    pub(super) telephone_event: Option<u8>,
    pub(super) comfort_noise: bool,
    send: bool,
    receive: bool,
    /// Samples in a packet towards the far end.
    pub(super) samples: usize,
}

/// A prompt that was played to its end.
pub(super) type Played = (PlayId, Arc<Prompt>);

#[derive(Debug)]
struct Playing {
    play: PlayId,
    prompt: Arc<Prompt>,
    at: usize,
    repeat: bool,
}

/// What a packet was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Sound(Codec),
    /// Part of a key press; what it tells that is new.
    Key(Option<Part>),
    /// How loud its silence is.
    Noise,
    Other,
}

/// Something to tell after a leg's housekeeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Silent,
    Gone,
    Heard,
    WebUp,
    WebDown,
    Quality(LegQuality),
}

/// A leg.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) id: LegId,
    path: Path,
    pub(super) agreed: Option<Agreed>,
    /// All of what was agreed with a telephone last.
    parameters: Option<RtpParameters>,
    out: Outgoing,
    /// Encoded sound that waits for a whole packet.
    pending: [u8; MAX_SAMPLES + FRAME],
    pending_len: usize,
    encoder: Encoder,
    /// For packets relayed in a codec other than ours.
    decoder: Decoder,
    pub(super) jitter: JitterBuffer,
    reports: Reports,
    keys: Receiver,
    detector: Detector,
    /// Which digits are for us, not for whoever listens.
    pub(super) bound: KeysBound,
    pub(super) hush: Hush,
    keys_out: Keys,
    playing: Option<Playing>,
    music_at: usize,
    ringback_at: usize,
    heard_at: Option<Instant>,
    silent: bool,
    /// When a silence that lasts is told again.
    silent_again_at: Option<Instant>,
    /// That it is given up was told.
    gone: bool,
    packets_in: u64,
    packets_out: u64,
    /// SRTP packets turned away, for the metrics; and how many of them it has been told.
    refused: Counter,
    refused_told: u64,
    /// Beats that it has had, by its shard's count; none before its first shard.
    pub(super) beat: Option<u64>,
    /// Takes down what its far end says and what is said to it, if its call is recorded.
    pub(super) tap: Option<Box<Tap>>,
    #[cfg(test)]
    pub(super) fault: Option<Fault>,
}

/// Where a test has a leg panic.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Receive,
    Answer,
}

impl Leg {
    pub(super) fn rtp(id: LegId, path: RtpPath, rng: &mut Rng) -> Self {
        let ssrc = rng.next_u64() as u32;
        Self::new(id, Path::Rtp(path), ssrc, rng)
    }

    pub(super) fn web(id: LegId, path: WebPath, rng: &mut Rng) -> Self {
        let ssrc = path.peer.ssrc();
        Self::new(id, Path::Web(path), ssrc, rng)
    }

    fn new(id: LegId, path: Path, ssrc: u32, rng: &mut Rng) -> Self {
        // Below 2^15: a receiver of SRTP that misses the first packets would take a wrap among them for none, and decrypt
        // nothing from then on (RFC 3711 §3.3.1).
        let sequence = rng.next_u64() as u16 & 0x7fff;
        Self {
            id,
            path,
            agreed: None,
            parameters: None,
            out: Outgoing::new(ssrc, sequence, rng.next_u64() as u32),
            pending: [0; MAX_SAMPLES + FRAME],
            pending_len: 0,
            encoder: Encoder::default(),
            decoder: Decoder::default(),
            jitter: JitterBuffer::default(),
            reports: Reports::new(CanonicalName::new(secure_bytes()), Rng::seeded(rng.next_u64())),
            keys: Receiver::default(),
            detector: Detector::default(),
            bound: KeysBound::None,
            hush: Hush::default(),
            keys_out: Keys::default(),
            playing: None,
            music_at: 0,
            ringback_at: 0,
            heard_at: None,
            silent: false,
            silent_again_at: None,
            gone: false,
            packets_in: 0,
            packets_out: 0,
            // Asked for here and not where it is told: looking it up takes a lock.
            refused: metrics::counter!("cordboard_srtp_refused_total"),
            refused_told: 0,
            beat: None,
            tap: None,
            #[cfg(test)]
            fault: None,
        }
    }

    /// Takes what SDP says, at first and after each re-offer. The same again keeps a session alive and touches no audio
    /// (RFC 4028 §7.4).
    pub(super) fn connect(&mut self, now: Instant, parameters: &RtpParameters) {
        let Path::Rtp(path) = &mut self.path else { return };
        path.describe();
        if self.parameters.replace(*parameters) == Some(*parameters) {
            return;
        }
        path.latch.tell(path.as_of_socket(parameters.remote));
        Secure::agree(&mut path.secure, parameters.srtp);
        path.mux = parameters.rtcp_mux;
        path.aim();
        self.agreed = Some(Agreed {
            codec: parameters.codec,
            telephone_event: parameters.telephone_event,
            comfort_noise: parameters.comfort_noise,
            send: parameters.send,
            receive: parameters.receive,
            samples: usize::from(parameters.ptime_ms / 10).clamp(1, 6) * 80,
        });
        self.out.advance(self.pending_len as u32);
        self.pending_len = 0;
        self.jitter.want_floor(parameters.comfort_noise);
        if !parameters.receive {
            self.jitter.clear();
        }
        self.keys.renew();
        self.heard_at = Some(now);
        self.reports.start(now);
    }

    /// Takes a browser's answer. False if it cannot be used.
    pub(super) fn answer(&mut self, now: Instant, answer: &str) -> bool {
        #[cfg(test)]
        assert_ne!(self.fault, Some(Fault::Answer), "a fault was asked for");
        let Path::Web(path) = &mut self.path else { return false };
        if let Err(error) = path.peer.accept(now, answer) {
            tracing::warn!(leg = self.id.0, %error, "a browser's answer cannot be used");
            return false;
        }
        // An answer to a restart says nothing about whether anything is heard.
        let first = self.agreed.is_none();
        self.agreed = Some(Agreed {
            codec: path.peer.codec(),
            telephone_event: path.peer.telephone_event(),
            comfort_noise: false,
            send: true,
            receive: true,
            samples: FRAME,
        });
        if first {
            self.heard_at = Some(now);
            self.reports.start(now);
        }
        true
    }

    /// Looks for a new path to a browser that has answered: the offer to make it. None: there is nothing to look for.
    pub(super) fn restart(&mut self, now: Instant) -> Option<String> {
        self.agreed?;
        let Path::Web(path) = &mut self.path else { return None };
        path.peer
            .restart(now)
            .inspect_err(|error| tracing::warn!(leg = self.id.0, %error, "no new path to a browser can be offered"))
            .ok()
    }

    /// Whether what is sent now reaches somebody, who has not put us on hold.
    fn ready(&self) -> bool {
        self.agreed.is_some_and(|agreed| agreed.send)
            && match &self.path {
                Path::Rtp(path) => path.latch.target().is_some(),
                Path::Web(path) => path.is_up(),
            }
    }

    /// Plays a prompt; the one that is played no more.
    pub(super) fn play(&mut self, play: PlayId, prompt: Arc<Prompt>, repeat: bool) -> Option<Arc<Prompt>> {
        self.playing.replace(Playing { play, prompt, at: 0, repeat }).map(|before| before.prompt)
    }

    /// Stops a prompt, which is the one that is played no more.
    pub(super) fn stop(&mut self, play: PlayId) -> Option<Arc<Prompt>> {
        self.playing.take_if(|playing| playing.play == play).map(|stopped| stopped.prompt)
    }

    pub(super) const fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Sends keys to the far end, after those still waiting.
    pub(super) fn press_keys(&mut self, keys: impl Iterator<Item = char>) {
        self.keys_out.press(keys);
    }

    /// Somebody this leg hears presses a key: its far end gets it as long as it is held.
    pub(super) fn follow_key(&mut self, part: &Part) {
        self.keys_out.follow(part);
    }

    /// Ringing is next heard from its beginning; music goes on where it was.
    pub(super) const fn rewind(&mut self) {
        self.ringback_at = 0;
    }

    /// The sockets: audio's, and RTCP's if that is another.
    pub(super) const fn sockets(&self) -> (&UdpSocket, Option<&UdpSocket>) {
        match &self.path {
            Path::Rtp(path) => (&path.rtp, Some(&path.rtcp)),
            Path::Web(path) => (&path.socket, None),
        }
    }

    /// Takes the next datagram, telling `each` packet in it that counts. `scratch` holds one datagram.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        scratch: &mut [u8],
        mut each: impl FnMut(&mut Self, &Header, &[u8], Heard),
    ) {
        #[cfg(test)]
        assert_ne!(self.fault, Some(Fault::Receive), "a fault was asked for");
        let Ok((len, from)) = self.sockets().0.recv_from(scratch) else { return };
        let bytes = &mut scratch[..len];
        match &mut self.path {
            Path::Web(path) => {
                let Some(len) = path.take(now, from, bytes) else { return };
                let bytes = &bytes[..len];
                if packet::is_rtcp(bytes) {
                    if self.reports.rtcp(now, bytes, self.out.ssrc()) {
                        self.heard_at = Some(now);
                    }
                } else if let Some((header, payload)) = packet::read(bytes) {
                    let heard = self.hear(now, &header, payload);
                    each(self, &header, payload, heard);
                }
            }
            Path::Rtp(path) => {
                if packet::is_rtcp(bytes) {
                    // The far end may share the port whatever we said (RFC 5761 §5.1.1).
                    let opened = if path.latch.target() == Some(from) { path.open_rtcp(bytes) } else { None };
                    if opened.is_some_and(|len| self.reports.rtcp(now, &bytes[..len], self.out.ssrc())) {
                        self.heard_at = Some(now);
                    }
                    return;
                }
                // Before anything is believed of it: its tag.
                let opened = path.open(bytes);
                let Some((header, payload)) = opened.and_then(|len| packet::read(&bytes[..len])) else { return };
                if path.admit(now, from, header.ssrc) {
                    let heard = self.hear(now, &header, payload);
                    each(self, &header, payload, heard);
                }
            }
        }
    }

    fn hear(&mut self, now: Instant, header: &Header, payload: &[u8]) -> Heard {
        self.packets_in += 1;
        self.heard_at = Some(now);
        self.reports.packet(now, header);
        let Some(agreed) = self.agreed else { return Heard::Other };
        if agreed.telephone_event == Some(header.payload_type) {
            self.jitter.rest(header);
            return Heard::Key(self.keys.packet(header, payload));
        }
        // By the packet's own type: a far end may use any that was offered, whatever came first.
        if let Some(codec) = Codec::of_payload_type(header.payload_type) {
            self.jitter.put(header, payload, codec);
            Heard::Sound(codec)
        } else if header.payload_type == COMFORT_NOISE {
            self.jitter.put_noise(header, payload);
            Heard::Noise
        } else {
            Heard::Other
        }
    }

    /// The next 20 ms of what the far end says, and a key heard in it if it sends no telephone-event; and the end of
    /// a key whose last packets were lost.
    pub(super) fn pull(&mut self) -> (Frame, Option<char>, Option<Part>) {
        let mut frame = self.jitter.pull();
        if !self.keys_in_band() {
            return (frame, None, self.keys.tick());
        }
        let key = self.detector.hear(&frame);
        if self.bound == KeysBound::All && self.detector.is_sounding() {
            frame = SILENCE;
        }
        (frame, key, None)
    }

    /// Whether the far end's keys come as tones in its sound.
    pub(super) fn keys_in_band(&self) -> bool {
        self.agreed.is_some_and(|a| a.telephone_event.is_none())
    }

    /// The prompt's next 20 ms, if one plays, and what ends with it. A prompt waits for somebody
    /// who can hear it, and waits out a hold.
    pub(super) fn next_of_prompt(&mut self) -> Option<([u8; FRAME], Option<Played>)> {
        let codec = self.agreed?.codec;
        if !self.ready() {
            return None;
        }
        let playing = self.playing.as_mut()?;
        let at = playing.at;
        playing.at += FRAME;
        if playing.repeat {
            return Some((playing.prompt.encoded_round(codec, at), None));
        }
        let frame = playing.prompt.encoded(codec, at);
        let ended = self.playing.take_if(|playing| playing.at >= playing.prompt.pcm().len());
        Some((frame, ended.map(|playing| (playing.play, playing.prompt))))
    }

    /// What the prompt says that [`Leg::next_of_prompt`] gives next.
    pub(super) fn words(&self) -> Option<Frame> {
        let playing = self.playing.as_ref().filter(|_| self.ready())?;
        Some(if playing.repeat { playing.prompt.frame_round(playing.at) } else { playing.prompt.frame(playing.at) })
    }

    /// The next 20 ms of music: where this leg's turn of it stands.
    pub(super) const fn next_of_music(&mut self) -> usize {
        let at = self.music_at;
        self.music_at = at.wrapping_add(FRAME);
        at
    }

    /// The same of the ringing tone.
    pub(super) const fn next_of_ringback(&mut self) -> usize {
        let at = self.ringback_at;
        self.ringback_at = at.wrapping_add(FRAME);
        at
    }

    /// 20 ms in the far end's codec.
    pub(super) fn encode(&mut self, codec: Codec, frame: &Frame) -> [u8; FRAME] {
        self.encoder.frame(codec, frame)
    }

    /// Says 20 ms to the far end.
    pub(super) fn say(&mut self, sound: &[u8; FRAME]) {
        let Some(agreed) = self.agreed.filter(|_| self.ready()) else {
            self.pass();
            return;
        };
        let mut tone = None;
        match self.next_of_keys(&agreed) {
            Some(Next::Event(packet)) => {
                let Some(payload_type) = agreed.telephone_event else { return };
                let header = self.out.press(payload_type, packet.first, packet.timestamp, FRAME as u32);
                return self.send(&header, &packet.payload);
            }
            Some(Next::Tone(frame)) => tone = Some(self.encode(agreed.codec, &frame)),
            None => {}
        }
        let sound = tone.as_ref().unwrap_or(sound);
        self.pending[self.pending_len..self.pending_len + FRAME].copy_from_slice(sound);
        self.pending_len += FRAME;
        let mut at = 0;
        while self.pending_len - at >= agreed.samples {
            let header = self.out.own(agreed.codec.payload_type(), agreed.samples as u32);
            let mut chunk = [0; MAX_SAMPLES];
            chunk[..agreed.samples].copy_from_slice(&self.pending[at..at + agreed.samples]);
            self.send(&header, &chunk[..agreed.samples]);
            at += agreed.samples;
        }
        self.pending.copy_within(at..self.pending_len, 0);
        self.pending_len -= at;
    }

    /// 20 ms pass without a word of ours: on hold, or because packets are relayed.
    pub(super) const fn pass(&mut self) {
        self.out.advance((self.pending_len + FRAME) as u32);
        self.pending_len = 0;
    }

    /// What of a key takes the place of sound now.
    fn next_of_keys(&mut self, agreed: &Agreed) -> Option<Next> {
        let Self { keys_out, out, pending_len, .. } = self;
        keys_out.next(agreed.telephone_event.is_some(), || {
            out.advance(*pending_len as u32);
            *pending_len = 0;
            out.begin_press()
        })
    }

    /// Whether keys are going out, which a relay must not drown.
    pub(super) fn is_pressing(&self) -> bool {
        !self.keys_out.is_idle()
    }

    /// Passes a packet of another leg's far end on to this one's.
    pub(super) fn relay(&mut self, theirs: &Header, payload: &[u8], heard: Heard) {
        let Some(agreed) = self.agreed.filter(|_| self.ready()) else { return };
        if payload.len() > MAX_PAYLOAD {
            // As in the mix.
            return self.out.swallow(theirs);
        }
        let octets = payload.len() as u32;
        match (heard, agreed.telephone_event) {
            (Heard::Sound(codec), _) => {
                let Some(header) = self.out.relayed(theirs, agreed.codec.payload_type(), octets, octets) else {
                    return;
                };
                if codec == agreed.codec {
                    self.send(&header, payload);
                } else {
                    // The far end changed codecs in mid-stream; its packet still need not wait for a tick.
                    let mut other = [0; MAX_PAYLOAD];
                    for (to, from) in other.iter_mut().zip(payload) {
                        *to = self.encoder.sample(agreed.codec, self.decoder.octet(codec, *from));
                    }
                    self.send(&header, &other[..payload.len()]);
                }
            }
            (Heard::Key(_), Some(event)) if payload.len() >= 4 => {
                let duration = u32::from(u16::from_be_bytes([payload[2], payload[3]]));
                if let Some(header) = self.out.relayed(theirs, event, duration, octets) {
                    self.send(&header, payload);
                }
            }
            (Heard::Noise, _) if agreed.comfort_noise => {
                if let Some(header) = self.out.relayed(theirs, COMFORT_NOISE, 0, octets) {
                    self.send(&header, payload);
                }
            }
            _ => self.out.swallow(theirs),
        }
    }

    /// Keeps a packet that would have been relayed from the far end.
    pub(super) fn swallow(&mut self, theirs: &Header) {
        self.out.swallow(theirs);
    }

    fn send(&mut self, header: &Header, payload: &[u8]) {
        let mut bytes = [0; MAX_PACKET + MAX_GROWTH];
        let len = packet::write(header, payload, &mut bytes[..MAX_PACKET]);
        let sent = match &mut self.path {
            Path::Rtp(path) => {
                let Some(target) = path.latch.target() else { return };
                path.send(&mut bytes, len, target)
            }
            Path::Web(path) => path.send(&mut bytes, len),
        };
        self.packets_out += u64::from(sent);
    }

    /// Sends what a browser's peer has ready. Once after all of a pump's or tick's packets.
    pub(super) fn flush(&mut self) {
        if let Path::Web(path) = &mut self.path {
            path.flush();
        }
    }

    /// Once per tick: reports, silence, the browser's path. Tells what is new.
    pub(super) fn keep(&mut self, now: Instant, utc: UtcMs) -> [Option<Notice>; 3] {
        let web = self.keep_web(now);
        let mut quality = None;
        if self.reports.is_due(now) {
            self.report(now, utc, false);
            let mut figures = self.reports.quality();
            if let Path::Web(path) = &mut self.path {
                // Before the browser has reported, or if it never does.
                let checks = || u32::try_from(path.peer.round_trip(now)?.as_micros()).ok();
                figures.round_trip_us = figures.round_trip_us.or_else(checks);
            }
            quality = Some(Notice::Quality(figures));
        }
        [web, self.keep_silence(now), quality]
    }

    fn keep_web(&mut self, now: Instant) -> Option<Notice> {
        let Path::Web(path) = &mut self.path else { return None };
        let notice = match path.keep(now)? {
            // From up to up: a new path in place of one that had not been missed yet. What comes by it is waited for as at first.
            (_, PeerState::Up) => Notice::WebUp,
            (PeerState::Up, _) | (PeerState::Connecting, PeerState::Failed) => Notice::WebDown,
            _ => return None,
        };
        if notice == Notice::WebUp {
            self.heard_at = Some(now);
        }
        Some(notice)
    }

    fn keep_silence(&mut self, now: Instant) -> Option<Notice> {
        let heard_at = self.heard_at?;
        if let Path::Rtp(path) = &mut self.path
            && self.agreed.is_some_and(|agreed| agreed.receive)
        {
            path.keep(now);
        }
        let web = matches!(self.path, Path::Web(_));
        let limit = match self.agreed {
            Some(agreed) if agreed.receive && web => WEB_SILENT_AFTER,
            Some(agreed) if agreed.receive => SILENT_AFTER,
            _ => HELD_SILENT_AFTER,
        };
        let since = now.saturating_duration_since(heard_at);
        let silent = since >= limit;
        // Whoever is on hold, by whatever word for it, owes us nothing.
        let talks = !web && self.agreed.is_some_and(|agreed| agreed.send && agreed.receive);
        let was_gone = std::mem::replace(&mut self.gone, talks && since >= GONE_AFTER);
        if self.gone && !was_gone {
            return Some(Notice::Gone);
        }
        let again = silent && !web && self.silent_again_at.is_some_and(|at| at <= now);
        if silent == self.silent && !again {
            return None;
        }
        self.silent = silent;
        self.silent_again_at = silent.then(|| now + SILENT_AFTER);
        Some(if silent { Notice::Silent } else { Notice::Heard })
    }

    /// Takes the next datagram from the RTCP socket.
    pub(super) fn receive_rtcp(&mut self, now: Instant, scratch: &mut [u8]) {
        let Path::Rtp(path) = &mut self.path else { return };
        let Ok((len, from)) = path.rtcp.recv_from(scratch) else { return };
        if !path.latch.is_host(from) {
            return;
        }
        let bytes = &mut scratch[..len];
        let Some(len) = path.open_rtcp(bytes) else { return };
        if self.reports.rtcp(now, &bytes[..len], self.out.ssrc()) {
            path.rtcp_remote = Some(from);
            self.heard_at = Some(now);
        }
    }

    fn report(&mut self, now: Instant, utc: UtcMs, bye: bool) {
        let mut compound = [0; rtcp::MAX_COMPOUND];
        let mut bytes = [0; rtcp::MAX_COMPOUND + MAX_GROWTH];
        let mut write = || {
            let len = self.reports.write(now, utc.0, &self.out, bye, &mut compound);
            bytes[..len].copy_from_slice(&compound[..len]);
            len
        };
        match &mut self.path {
            Path::Rtp(path) => {
                let Some(target) = path.rtcp_target() else { return };
                let len = write();
                path.send_rtcp(&mut bytes, len, target);
            }
            Path::Web(path) if path.is_up() => {
                let len = write();
                path.send_rtcp(&mut bytes, len);
            }
            Path::Web(_) => return,
        }
        // Now and then, not for each packet.
        self.tell_refused();
    }

    fn tell_refused(&mut self) -> u64 {
        let secure = match &self.path {
            Path::Rtp(path) => &path.secure,
            Path::Web(path) => &path.secure,
        };
        let refused = secure.as_ref().map_or(0, |secure| secure.refused());
        self.refused.increment(refused.saturating_sub(self.refused_told));
        self.refused_told = refused;
        refused
    }

    /// Says good-bye and gives the figures.
    pub(super) fn close(&mut self, now: Instant, utc: UtcMs) -> LegStats {
        self.report(now, utc, true);
        if let Path::Web(path) = &mut self.path {
            path.peer.close();
        }
        self.flush();
        self.stats()
    }

    pub(super) fn stats(&mut self) -> LegStats {
        let (quality, counts) = (self.reports.quality(), self.jitter.counts());
        let srtp_refused = self.tell_refused();
        let strangers = match &self.path {
            Path::Rtp(path) => path.strangers,
            Path::Web(_) => 0,
        };
        LegStats {
            packets_in: self.packets_in,
            packets_out: self.packets_out,
            lost: self.reports.lost(),
            jitter_us: quality.jitter_in_us,
            lost_out: self.reports.lost_out(),
            jitter_out_us: quality.jitter_out_us,
            round_trip_us: quality.round_trip_us,
            late: counts.late,
            doubled: counts.duplicate,
            concealed_ms: counts.concealed / 8,
            strangers,
            srtp_refused,
        }
    }
}
