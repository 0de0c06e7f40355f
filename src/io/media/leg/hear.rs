//! What a leg's far end sends: taken from its sockets, told apart, kept in the jitter buffer, pulled from it once a tick.
//!
//! Always: nothing counts as heard but what the path has opened and admitted.

use std::time::Instant;

use super::{Codec, Heard, Leg, Path};
use crate::domain::call::bridge::KeysBound;
use crate::io::media::Sound;
use crate::proto::audio::frame::{Frame, SILENCE};
use crate::proto::rtp::packet::{self, COMFORT_NOISE, Header};
use crate::proto::rtp::telephone_event::Part;

impl Leg {
    /// Takes the next datagram, telling `each` packet in it that counts. `scratch` holds one datagram.
    pub(in crate::io::media) fn receive(
        &mut self,
        now: Instant,
        scratch: &mut [u8],
        mut each: impl FnMut(&mut Self, &Header, &[u8], Heard),
    ) {
        #[cfg(test)]
        assert_ne!(self.fault, Some(super::Fault::Receive), "a fault was asked for");
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

    /// Takes the next datagram from the RTCP socket.
    pub(in crate::io::media) fn receive_rtcp(&mut self, now: Instant, scratch: &mut [u8]) {
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

    fn hear(&mut self, now: Instant, header: &Header, payload: &[u8]) -> Heard {
        self.packets_in += 1;
        self.heard_at = Some(now);
        self.reports.packet(now, header);
        let Some(agreed) = self.agreed else { return Heard::Other };
        if agreed.telephone_event.is_some_and(|event| event.is_key(header.payload_type)) {
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
    pub(in crate::io::media) fn pull(&mut self) -> (Frame, Option<char>, Option<Part>) {
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

    /// What is new of what the far end does, if it is listened to.
    pub(in crate::io::media) fn listen(&mut self, frame: &Frame) -> Option<Sound> {
        self.ear.as_ref()?;
        let ours = self.words();
        self.ear.as_mut()?.hear(frame, ours.as_ref())
    }

    /// Whether the far end's keys come as tones in its sound.
    pub(in crate::io::media) fn keys_in_band(&self) -> bool {
        self.agreed.is_some_and(|a| a.telephone_event.is_none())
    }
}
