//! Sound through a network that loses one packet in twenty and delays the others by up to 40 ms, in simulated time: what is
//! lost is made up, so that a tone never stops for longer than an ear forgives.

use cordboard::base::rng::Rng;
use cordboard::io::media::Codec;
use cordboard::proto::audio::frame::FRAME;
use cordboard::proto::audio::g711::to_ulaw;
use cordboard::proto::rtp::jitter::JitterBuffer;
use cordboard::proto::rtp::packet::Header;

const PEAK: f64 = 8_000.0;
/// A window of 5 ms is silent where it is 20 dB below the tone.
const WINDOW: usize = 40;
const SECONDS: usize = 60;

fn is_silent(window: &[i16]) -> bool {
    let power: f64 = window.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / window.len() as f64;
    power < (PEAK * PEAK / 2.0) / 100.0
}

/// The longest silence in ms, all of it in ms, and the longest run of packets lost.
fn listen(seed: u64) -> (usize, usize, usize) {
    let mut rng = Rng::seeded(seed);
    let mut jitter = JitterBuffer::default();
    let mut under_way: Vec<(u64, u16, Vec<u8>)> = Vec::new();
    let (mut heard, mut run, mut longest_run) = (Vec::new(), 0, 0);
    for n in 0..(SECONDS * 50) as u64 {
        // In eighths of a packet time, so that arrivals fall between two pulls as well.
        let sent = n * 8;
        if rng.below(100) < 5 {
            run += 1;
            longest_run = longest_run.max(run);
        } else {
            run = 0;
            let from = n as usize * FRAME;
            let sound = (from..from + FRAME)
                .map(|i| to_ulaw((PEAK * (std::f64::consts::TAU * 440.0 * i as f64 / 8_000.0).sin()) as i16));
            under_way.push((sent + rng.below(17), n as u16, sound.collect()));
        }
        under_way.sort_by_key(|(due, ..)| *due);
        while under_way.first().is_some_and(|(due, ..)| *due <= sent) {
            let (_, sequence, payload) = under_way.remove(0);
            let timestamp = u32::from(sequence) * FRAME as u32;
            let header = Header { payload_type: 0, marker: false, sequence, timestamp, ssrc: 1 };
            jitter.put(&header, &payload, Codec::Pcmu);
        }
        heard.extend(jitter.pull());
    }
    // The first seconds teach the buffer what the network is like.
    let windows: Vec<bool> = heard[5 * 8_000..].chunks_exact(WINDOW).map(is_silent).collect();
    let longest = windows.split(|silent| !silent).map(<[bool]>::len).max().unwrap_or(0);
    let all = windows.iter().filter(|silent| **silent).count();
    (longest * 5, all * 5, longest_run)
}

#[test]
fn a_tone_goes_on_through_one_packet_in_twenty_lost_and_forty_ms_of_jitter() {
    let (mut silent, mut worst) = (0, (0, 0));
    for seed in 0..20 {
        let (longest, all, lost_in_a_row) = listen(seed);
        silent += all;
        // 60 ms are made up (three packets); what is lost beyond that is silence, and as long.
        let beyond = lost_in_a_row.saturating_sub(3) * 20;
        assert!(longest <= 40 + beyond, "seed {seed}: {longest} ms of silence, {lost_in_a_row} packets lost in a row");
        worst = worst.max((longest, lost_in_a_row));
    }
    println!("{silent} ms of silence in {} s, at most {} ms at once", 20 * SECONDS, worst.0);
    assert!(silent <= 20 * SECONDS, "{silent} ms of silence in {} s", 20 * SECONDS);
}
