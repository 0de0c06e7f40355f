//! A phone's ear and mouth: a UDP socket that speaks a sine as PCMU and keeps all that it hears, with the
//! measurements that say who was heard. Signalling is somebody else's (SIPp). Its G.711 is its own, so
//! that a fault in ours cannot hide itself.

use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock};

use crate::tones;

/// Samples a second.
pub const RATE: usize = 8_000;
const FRAME: usize = 160;
/// Silence is looked for in parts of 2.5 ms, half a period of the lowest tone …
const PART: usize = 20;
/// … in which no sample is as loud as this.
const SOUND: u16 = 200;

#[derive(Default)]
struct Shared {
    heard: Vec<i16>,
    /// When each 20 ms frame of `heard` came, in ms after the ear opened.
    arrivals: Vec<u64>,
    last_sequence: Option<u16>,
    last_timestamp: Option<u32>,
    /// Where in `heard` something was never sent or lost, and how many samples of it.
    missing: Vec<(usize, usize)>,
    tone_hz: f64,
    remote: Option<SocketAddr>,
    digits: Vec<u8>,
    /// To be said before the sine goes on.
    words: VecDeque<i16>,
}

pub struct Ear {
    port: u16,
    shared: Arc<Mutex<Shared>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    /// Opens a socket on 127.0.0.1 that will speak a sine of `tone_hz` (0: stay silent) to whoever sends to it.
    pub fn open(tone_hz: f64) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free UDP port on loopback");
        socket.set_read_timeout(Some(Duration::from_millis(2))).expect("a socket takes a timeout");
        let port = socket.local_addr().expect("a bound socket has an address").port();
        let shared = Arc::new(Mutex::new(Shared { tone_hz, ..Shared::default() }));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (shared, stop) = (Arc::clone(&shared), Arc::clone(&stop));
            move || run(&socket, &shared, &stop)
        });
        Self { port, shared, stop, thread: Some(thread) }
    }

    /// The port for the `m=audio` line.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All that was heard so far.
    pub fn heard(&self) -> Vec<i16> {
        self.shared.lock().expect("no holder of this lock panics").heard.clone()
    }

    /// How many samples were heard so far; a place to measure from later.
    pub fn mark(&self) -> usize {
        self.shared.lock().expect("no holder of this lock panics").heard.len()
    }

    /// Waits until `seconds` more have been heard and gives just those. Fails after three times as long.
    pub fn listen(&self, seconds: f64) -> Vec<i16> {
        let from = self.mark();
        self.heard_since(from, seconds)
    }

    /// Waits until `seconds` after the mark `from` have been heard and gives those.
    pub fn heard_since(&self, from: usize, seconds: f64) -> Vec<i16> {
        let wanted = from + (seconds * RATE as f64) as usize;
        let give_up = now_ms() + (seconds * 3_000.0) as u64 + 5_000;
        while self.mark() < wanted {
            assert!(now_ms() < give_up, "heard {} of {wanted} samples", self.mark());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.heard()[from..wanted].to_vec()
    }

    /// Presses a key: telephone-event 101 (RFC 4733).
    pub fn press(&self, key: char) {
        let event = match key {
            '0'..='9' => key as u8 - b'0',
            '*' => 10,
            '#' => 11,
            _ => panic!("no such key: {key}"),
        };
        self.shared.lock().expect("no holder of this lock panics").digits.push(event);
    }

    /// Says this in place of the sine, until it is said.
    pub fn say(&self, words: &[i16]) {
        self.shared.lock().expect("no holder of this lock panics").words.extend(words);
    }

    /// Whether all of it is said.
    pub fn has_said(&self) -> bool {
        self.shared.lock().expect("no holder of this lock panics").words.is_empty()
    }

    /// The longest gap between two packets heard after the mark `from`, in ms.
    pub fn longest_gap_since(&self, from: usize) -> u64 {
        let shared = self.shared.lock().expect("no holder of this lock panics");
        let arrivals = &shared.arrivals[(from / FRAME).min(shared.arrivals.len())..];
        arrivals.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0)
    }

    /// The longest time without any sound heard after the mark `from`, in ms of the sender's clock: how busy this machine is
    /// does not count. What was not sent, or lost, is silence.
    pub fn longest_silence_since(&self, from: usize) -> usize {
        let shared = self.shared.lock().expect("no holder of this lock panics");
        let (mut longest, mut run) = (0, 0);
        for (n, part) in shared.heard[from..].chunks(PART).enumerate() {
            let at = from + n * PART..from + n * PART + part.len();
            run += shared.missing.iter().filter(|(place, _)| at.contains(place)).map(|(_, lost)| lost).sum::<usize>();
            longest = longest.max(run);
            run = if part.iter().all(|sample| sample.unsigned_abs() < SOUND) { run + part.len() } else { 0 };
            longest = longest.max(run);
        }
        longest * 1_000 / RATE
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(socket: &UdpSocket, shared: &Mutex<Shared>, stop: &AtomicBool) {
    let opened = now_ms();
    let (mut sequence, mut timestamp, mut phase) = (1_u16, 0_u32, 0_f64);
    let mut next_ms = opened;
    let mut buffer = [0; 2_048];
    while !stop.load(Ordering::Relaxed) {
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            take_packet(
                &buffer[..length],
                from,
                now_ms() - opened,
                &mut shared.lock().expect("no holder of this lock panics"),
            );
        }
        if now_ms() < next_ms {
            continue;
        }
        next_ms += 20;
        let (remote, tone_hz, digit, words) = {
            let mut shared = shared.lock().expect("no holder of this lock panics");
            let digit = (!shared.digits.is_empty()).then(|| shared.digits.remove(0));
            let words = if shared.remote.is_some() && digit.is_none() { shared.words.len().min(FRAME) } else { 0 };
            let words: Vec<i16> = shared.words.drain(..words).collect();
            (shared.remote, shared.tone_hz, digit, words)
        };
        let Some(remote) = remote else { continue };
        if let Some(event) = digit {
            // 100 ms: five packets with growing duration, then the end three times.
            for n in 1..=8_u16 {
                let end = if n > 5 { 0x80 } else { 0 };
                let duration = (n.min(5) * 160).to_be_bytes();
                let payload = [event, end | 10, duration[0], duration[1]];
                let _ = socket.send_to(&rtp(101, n == 1, sequence, timestamp, &payload), remote);
                sequence = sequence.wrapping_add(1);
                if n <= 5 {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            timestamp = timestamp.wrapping_add(800);
            next_ms = now_ms();
            continue;
        }
        let payload: Vec<u8> = (0..FRAME)
            .map(|n| {
                if let Some(word) = words.get(n) {
                    return encode_ulaw(*word);
                }
                phase += std::f64::consts::TAU * tone_hz / RATE as f64;
                encode_ulaw(if tone_hz > 0.0 { (phase.sin() * 8_000.0) as i16 } else { 0 })
            })
            .collect();
        let _ = socket.send_to(&rtp(0, false, sequence, timestamp, &payload), remote);
        sequence = sequence.wrapping_add(1);
        timestamp = timestamp.wrapping_add(FRAME as u32);
    }
}

fn take_packet(packet: &[u8], from: SocketAddr, at_ms: u64, shared: &mut Shared) {
    if packet.len() < 12 || packet[0] >> 6 != 2 || packet[1] & 0x7f != 0 {
        return; // RTCP, telephone-event, comfort noise
    }
    let sequence = u16::from_be_bytes([packet[2], packet[3]]);
    if shared.last_sequence.is_some_and(|last| sequence.wrapping_sub(last) > 0x8000 || sequence == last) {
        return; // doubled or late
    }
    shared.last_sequence = Some(sequence);
    let timestamp = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
    if let Some(last) = shared.last_timestamp.replace(timestamp) {
        let beyond = timestamp.wrapping_sub(last) as i32 - FRAME as i32;
        if beyond > 0 {
            let place = shared.heard.len();
            shared.missing.push((place, beyond as usize));
        }
    }
    shared.remote = Some(from);
    shared.arrivals.push(at_ms);
    shared.heard.extend(packet[12..].iter().map(|byte| decode_ulaw(*byte)));
}

fn rtp(payload_type: u8, marker: bool, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, payload_type | if marker { 0x80 } else { 0 }];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(0x00C0_FFEE_u32.to_be_bytes());
    packet.extend(payload);
    packet
}

fn now_ms() -> u64 {
    u64::try_from(SystemClock.utc().0).expect("a time after 1970")
}

/// ITU-T G.711 µ-law, one sample.
pub fn decode_ulaw(byte: u8) -> i16 {
    let byte = !byte;
    let magnitude = ((i16::from(byte & 0x0f) << 3) + 0x84) << ((byte & 0x70) >> 4);
    if byte & 0x80 == 0 { magnitude - 0x84 } else { 0x84 - magnitude }
}

fn encode_ulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.unsigned_abs().min(32_635) + 0x84;
    let exponent = 7 - (magnitude | 0xff).leading_zeros().min(7) as u8;
    let mantissa = ((magnitude >> (exponent + 3)) & 0x0f) as u8;
    !(sign | (exponent << 4) | mantissa)
}

/// The level of a sine of `hz` in `samples`, in dB relative to full scale (a full-scale sine is 0 dB).
pub fn level_db(samples: &[i16], hz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (i, sample) in samples.iter().enumerate() {
        let angle = std::f64::consts::TAU * hz * i as f64 / RATE as f64;
        // A Hann window, so that a neighbour's tone does not leak in.
        let window = 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / samples.len() as f64).cos();
        re += window * f64::from(*sample) * angle.cos();
        im += window * f64::from(*sample) * angle.sin();
    }
    let amplitude = 4.0 * re.hypot(im) / samples.len() as f64;
    20.0 * (amplitude / 32_768.0).max(1e-6).log10()
}

/// Asserts who is heard in `samples` and who is not, as [`tones::assert_hears`] judges it.
pub fn assert_hears(who: &str, samples: &[i16], wanted: &[f64], unwanted: &[f64]) {
    let levels = |tenth: &[i16]| wanted.iter().chain(unwanted).map(|hz| level_db(tenth, *hz)).collect();
    let tenths: Vec<Vec<f64>> = samples.chunks_exact(RATE / 10).map(levels).collect();
    tones::assert_hears(who, &tenths, wanted, unwanted);
}

/// The best normalised correlation of `reference` within `heard`, and where it begins.
pub fn best_correlation(heard: &[i16], reference: &[i16]) -> (f64, usize) {
    let reference_energy: f64 = reference.iter().map(|s| f64::from(*s).powi(2)).sum();
    let mut best = (0.0, 0);
    // Coarse on every fourth offset over a part, then fine around the best.
    let probe = reference.len().min(RATE / 2);
    let mut coarse = (0.0, 0);
    for offset in (0..heard.len().saturating_sub(reference.len())).step_by(2) {
        let (mut dot, mut energy) = (0.0, 0.0);
        for i in (0..probe).step_by(2) {
            let (h, r) = (f64::from(heard[offset + i]), f64::from(reference[i]));
            dot += h * r;
            energy += h * h;
        }
        let score = if energy > 0.0 { dot / energy.sqrt() } else { 0.0 };
        if score > coarse.0 {
            coarse = (score, offset);
        }
    }
    for offset in coarse.1.saturating_sub(8)..=(coarse.1 + 8).min(heard.len().saturating_sub(reference.len())) {
        let window = &heard[offset..offset + reference.len()];
        let dot: f64 = window.iter().zip(reference).map(|(h, r)| f64::from(*h) * f64::from(*r)).sum();
        let energy: f64 = window.iter().map(|s| f64::from(*s).powi(2)).sum();
        let score = dot / (energy * reference_energy).sqrt().max(1.0);
        if score > best.0 {
            best = (score, offset);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::{Ear, FRAME, RATE, encode_ulaw, rtp, take_packet};

    /// An ear that hears a tone, but for `silent` frames of silence and `unsent` frames that never come.
    fn hears(silent: usize, unsent: u32) -> usize {
        let ear = Ear::open(0.0);
        let from = "127.0.0.1:9".parse().expect("an address");
        let mut timestamp = 0_u32;
        for frame in 0..20 + silent {
            if frame == 10 {
                timestamp += unsent * FRAME as u32;
            }
            let loud = frame < 10 || frame >= 10 + silent;
            let tone = |n: usize| (std::f64::consts::TAU * 600.0 * n as f64 / RATE as f64).sin() * 8_000.0;
            let samples = (0..FRAME).map(|n| encode_ulaw(if loud { tone(frame * FRAME + n) as i16 } else { 0 }));
            let packet = rtp(0, false, frame as u16 + 1, timestamp, &samples.collect::<Vec<_>>());
            let mut shared = ear.shared.lock().expect("no holder of this lock panics");
            take_packet(&packet, from, 0, &mut shared);
            timestamp += FRAME as u32;
            assert_eq!(shared.heard.len(), (frame + 1) * FRAME);
        }
        ear.longest_silence_since(0)
    }

    #[test]
    fn silence_is_what_is_quiet_and_what_was_never_sent() {
        assert_eq!(hears(0, 0), 0);
        assert_eq!(hears(3, 0), 60);
        assert_eq!(hears(0, 2), 40);
        assert_eq!(hears(3, 2), 100);
    }
}
