//! What goes out to a leg's far end: prompts and keys of its own, what its shard has it say, packets of another leg's far end.
//!
//! Always: all of it is one stream; a key takes the place of sound.

use std::sync::Arc;

use super::{Agreed, Codec, Heard, Leg, MAX_SAMPLES, Path, PlayId, Played, Playing};
use crate::domain::call::bridge::LegId;
use crate::io::media::keys::Next;
use crate::io::media::prompt::Prompt;
use crate::proto::audio::frame::{FRAME, Frame};
use crate::proto::rtp::packet::{self, COMFORT_NOISE, Header, MAX_PACKET, MAX_PAYLOAD};
use crate::proto::rtp::srtp::MAX_GROWTH;
use crate::proto::rtp::telephone_event::Part;

impl Leg {
    /// Plays a prompt; the one that is played no more.
    pub(in crate::io::media) fn play(
        &mut self,
        play: PlayId,
        prompt: Arc<Prompt>,
        repeat: bool,
    ) -> Option<Arc<Prompt>> {
        self.playing.replace(Playing { play, prompt, at: 0, repeat }).map(|before| before.prompt)
    }

    /// Stops a prompt, which is the one that is played no more.
    pub(in crate::io::media) fn stop(&mut self, play: PlayId) -> Option<Arc<Prompt>> {
        self.playing.take_if(|playing| playing.play == play).map(|stopped| stopped.prompt)
    }

    pub(in crate::io::media) const fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Sends keys to the far end, after those still waiting.
    pub(in crate::io::media) fn press_keys(&mut self, keys: impl Iterator<Item = char>) {
        self.keys_out.press(keys);
    }

    /// Somebody this leg hears presses a key: its far end gets it as long as it is held.
    pub(in crate::io::media) fn follow_key(&mut self, part: &Part) {
        self.keys_out.follow(part);
    }

    /// Whether keys are going out, which a relay must not drown.
    pub(in crate::io::media) fn is_pressing(&self) -> bool {
        !self.keys_out.is_idle()
    }

    /// Ringing is next heard from its beginning; music goes on where it was.
    pub(in crate::io::media) const fn rewind(&mut self) {
        self.ringback_at = 0;
    }

    /// The prompt's next 20 ms, if one plays, and what ends with it. A prompt waits for somebody
    /// who can hear it, and waits out a hold.
    pub(in crate::io::media) fn next_of_prompt(&mut self) -> Option<([u8; FRAME], Option<Played>)> {
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
    pub(in crate::io::media) fn words(&self) -> Option<Frame> {
        let playing = self.playing.as_ref().filter(|_| self.ready())?;
        Some(if playing.repeat { playing.prompt.frame_round(playing.at) } else { playing.prompt.frame(playing.at) })
    }

    /// The same of the ringing tone.
    pub(in crate::io::media) const fn next_of_ringback(&mut self) -> usize {
        let at = self.ringback_at;
        self.ringback_at = at.wrapping_add(FRAME);
        at
    }

    /// 20 ms in the far end's codec.
    pub(in crate::io::media) fn encode(&mut self, codec: Codec, frame: &Frame) -> [u8; FRAME] {
        self.encoder.frame(codec, frame)
    }

    /// Says 20 ms to the far end.
    pub(in crate::io::media) fn say(&mut self, sound: &[u8; FRAME]) {
        let Some(agreed) = self.agreed.filter(|_| self.ready()) else {
            self.pass();
            return;
        };
        let mut tone = None;
        match self.next_of_keys(&agreed) {
            Some(Next::Event(packet)) => {
                let Some(event) = agreed.telephone_event else { return };
                let header = self.out.press(event.sent, packet.first, packet.timestamp, FRAME as u32);
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

    /// What of a key takes the place of sound now.
    fn next_of_keys(&mut self, agreed: &Agreed) -> Option<Next> {
        let Self { keys_out, out, pending_len, .. } = self;
        keys_out.next(agreed.telephone_event.is_some(), || {
            out.advance(*pending_len as u32);
            *pending_len = 0;
            out.begin_press()
        })
    }

    /// 20 ms pass without a word of ours: on hold, or because packets are relayed.
    pub(in crate::io::media) const fn pass(&mut self) {
        self.out.advance((self.pending_len + FRAME) as u32);
        self.pending_len = 0;
    }

    /// Passes a packet of another leg's far end on to this one's.
    pub(in crate::io::media) fn relay(&mut self, from: LegId, theirs: &Header, payload: &[u8], heard: Heard) {
        if self.relays.replace(from) != Some(from) {
            self.out.change_source();
        }
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
                if let Some(header) = self.out.relayed(theirs, event.sent, duration, octets) {
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
    pub(in crate::io::media) fn swallow(&mut self, from: LegId, theirs: &Header) {
        if self.relays == Some(from) {
            self.out.swallow(theirs);
        }
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
    pub(in crate::io::media) fn flush(&mut self) {
        if let Path::Web(path) = &mut self.path {
            path.flush();
        }
    }
}
