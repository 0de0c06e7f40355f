//! G.722 against an independent implementation: ffmpeg, as a child process.

use std::io::Write;
use std::process::{Command, Stdio};

use cordboard::proto::audio::g722::{NarrowEncoder, WideDecoder, WideEncoder};
use cordboard::proto::audio::tone::power_at;

#[path = "support/peers.rs"]
mod peers;

/// Runs ffmpeg on `input` and takes its output.
fn ffmpeg(program: &std::path::Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(["-hide_banner", "-loglevel", "error"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg starts");
    let (mut stdin, input) = (child.stdin.take().expect("a pipe"), input.to_vec());
    // From a thread of its own: neither pipe may fill up.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("ffmpeg ends");
    writer.join().expect("the writer ends").expect("ffmpeg reads it all");
    assert!(output.status.success(), "ffmpeg failed");
    output.stdout
}

const DECODE: [&str; 9] = ["-f", "g722", "-i", "pipe:0", "-f", "s16le", "-ar", "16000", "pipe:1"];
const ENCODE: [&str; 11] = ["-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "pipe:0", "-f", "g722", "pipe:1"];

fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect()
}

/// Two seconds of two voices' worth of tones, in both bands.
fn sound() -> Vec<i16> {
    (0..32_000)
        .map(|n| {
            let t = f64::from(n) / 16_000.0;
            let tone = |hz: f64, peak: f64| peak * (std::f64::consts::TAU * hz * t).sin();
            (tone(440.0, 5_000.0) + tone(1_300.0, 3_000.0) + tone(5_200.0, 2_000.0) * (t * 3.0).sin()) as i16
        })
        .collect()
}

/// Signal to noise in dB at the delay, of up to 64 samples, that suits best.
fn snr(said: &[i16], heard: &[i16]) -> f64 {
    (0..64)
        .map(|delay| {
            let (mut signal, mut noise) = (0.0, 1.0);
            for (s, h) in said[2_000..28_000].iter().zip(&heard[2_000 + delay..]) {
                signal += f64::from(*s).powi(2);
                noise += (f64::from(*s) - f64::from(*h)).powi(2);
            }
            10.0 * (signal / noise).log10()
        })
        .fold(f64::MIN, f64::max)
}

#[test]
fn ffmpeg_hears_what_we_say_and_we_hear_what_it_says() {
    let Some(program) = peers::find_program("g722", "ffmpeg") else { return };
    let said = sound();
    let mut encoder = WideEncoder::default();
    let octets: Vec<u8> = said.chunks_exact(2).map(|pair| encoder.encode([pair[0], pair[1]])).collect();

    let theirs = samples(&ffmpeg(&program, &DECODE, &octets));
    let mut decoder = WideDecoder::default();
    let ours: Vec<i16> = octets.iter().flat_map(|octet| decoder.decode(*octet)).collect();
    // Two decoders of one standard differ in nothing but how they round at the very end.
    let same = theirs.iter().zip(&ours).filter(|(a, b)| a.abs_diff(**b) <= 2).count();
    assert!(theirs.len() >= 31_000, "ffmpeg heard {} samples", theirs.len());
    assert!(same * 1_000 >= theirs.len().min(ours.len()) * 999, "{same} of {} samples are the same", theirs.len());
    let db = snr(&said, &theirs);
    assert!(db > 18.0, "ffmpeg hears us at {db:.1} dB");

    let bytes: Vec<u8> = said.iter().flat_map(|s| s.to_le_bytes()).collect();
    let octets = ffmpeg(&program, &ENCODE, &bytes);
    let mut decoder = WideDecoder::default();
    let heard: Vec<i16> = octets.iter().flat_map(|octet| decoder.decode(*octet)).collect();
    let db = snr(&said, &heard);
    assert!(db > 18.0, "we hear ffmpeg at {db:.1} dB");
}

#[test]
fn ffmpeg_hears_our_narrow_sound_at_its_pitch_and_level() {
    let Some(program) = peers::find_program("g722_narrow", "ffmpeg") else { return };
    let said = cordboard::proto::audio::tone::sine(1_000.0, 8_000.0, 16_000);
    let mut encoder = NarrowEncoder::default();
    let octets: Vec<u8> = said.iter().map(|s| encoder.encode(*s)).collect();
    let heard = samples(&ffmpeg(&program, &DECODE, &octets));
    // Measured as if at 8 kHz, so a tone counts as half its pitch.
    let level = power_at(&heard[4_000..20_000], 500.0).sqrt();
    assert!((7_500.0..8_500.0).contains(&level), "{level}");
}
