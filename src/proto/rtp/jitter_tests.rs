//! Streams through networks that delay, lose, double and reorder, by seed.

use super::*;
use crate::base::rng::Rng;
use crate::proto::audio::codec::Encoder;
use crate::proto::audio::g711;
use crate::proto::audio::tone::{power_at, sine};

const TICK_US: u64 = 20_000;

fn header(n: u64, samples: usize) -> Header {
    let timestamp = (u32::MAX - 2_000).wrapping_add((n * samples as u64) as u32);
    Header { payload_type: 0, marker: false, sequence: 65_500_u16.wrapping_add(n as u16), timestamp, ssrc: 1 }
}

/// What a network does to packets.
#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    seed: u64,
    /// Delay of each packet beyond the least: evenly up to so much.
    jitter_us: u64,
    /// In a thousand.
    lost: u64,
    doubled: u64,
    /// Every so many packets the network holds everything up for so long.
    stall: Option<(u64, u64)>,
}

/// Sends `sound` in packets of `samples` through `weather`; what was pulled, and the deepest the buffer ever was.
fn through(sound: &[i16], codec: Codec, samples: usize, weather: Weather) -> (Vec<i16>, JitterBuffer, i64) {
    let mut rng = Rng::seeded(weather.seed);
    let mut encoder = Encoder::default();
    let mut arrivals: Vec<(u64, u64, Vec<u8>)> = Vec::new();
    // Our tick stands anyhow to theirs.
    let phase = rng.below(TICK_US);
    let mut held_until = 0;
    for (n, chunk) in sound.chunks_exact(samples).enumerate() {
        let n = n as u64;
        let payload: Vec<u8> = chunk.iter().map(|s| encoder.sample(codec, *s)).collect();
        // A packet leaves when its last sample has been said.
        let sent = (n + 1) * samples as u64 * 125;
        if let Some((every, for_us)) = weather.stall
            && n % every == every - 1
        {
            held_until = sent + for_us;
        }
        let times = 1 + u64::from(rng.below(1_000) < weather.doubled);
        for _ in 0..times {
            let at = (sent + rng.below(weather.jitter_us + 1)).max(held_until);
            if rng.below(1_000) >= weather.lost {
                arrivals.push((at, n, payload.clone()));
            }
        }
    }
    arrivals.sort_by_key(|(at, ..)| *at);
    let mut buffer = JitterBuffer::default();
    let (mut out, mut deepest, mut next) = (Vec::new(), 0, 0);
    for tick in 0..sound.len() / FRAME + 20 {
        let now = tick as u64 * TICK_US + phase;
        while let Some((_, n, payload)) = arrivals.get(next).filter(|(at, ..)| *at <= now) {
            buffer.put(&header(*n, samples), payload, codec);
            deepest = deepest.max(buffer.depth_ms());
            next += 1;
        }
        out.extend(buffer.pull());
    }
    (out, buffer, deepest)
}

/// Sound whose every 20 ms say which they are.
fn numbered(frames: usize) -> Vec<i16> {
    (0..frames).flat_map(|n| [g711::from_ulaw(0x80 + (n % 100) as u8); FRAME]).collect()
}

/// The numbers of the 20 ms that came out whole.
fn numbers(out: &[i16]) -> Vec<u8> {
    let mut numbers: Vec<u8> = out
        .chunk_by(|a, b| a == b)
        .filter(|run| run.len() >= 60 && run[0] != 0)
        .map(|run| g711::to_ulaw(run[0]))
        .filter(|b| (0x80..0x80 + 100).contains(b))
        .collect();
    numbers.dedup();
    numbers
}

#[test]
fn a_steady_stream_comes_out_whole_20_ms_later_in_any_packet_time() {
    let sound = numbered(500);
    for samples in [80, 160, 240, 320, 400, 480] {
        let (out, buffer, deepest) = through(&sound, Codec::Pcmu, samples, Weather { seed: 1, ..Weather::default() });
        let counts = buffer.counts();
        let heard = numbers(&out);
        assert_eq!((counts.late, counts.duplicate, counts.left_out), (0, 0, 0), "{samples}");
        assert!(heard.len() >= 480, "{samples}: {}", heard.len());
        assert!(heard.windows(2).all(|w| w[1] == w[0] + 1 || w == [0x80 + 99, 0x80]), "{samples}: {heard:?}");
        assert!(deepest <= 40 + samples as i64 / 8, "{samples}: {deepest} ms");
    }
}

#[test]
fn whatever_the_network_does_the_order_stays_and_the_delay_is_bounded() {
    let sound = numbered(1_500);
    for seed in 0..60 {
        let mut rng = Rng::seeded(1_000 + seed);
        let weather = Weather {
            seed,
            jitter_us: rng.below(160_000),
            lost: rng.below(120),
            doubled: rng.below(100),
            stall: (rng.below(2) == 0).then(|| (50 + rng.below(200), rng.below(400_000))),
        };
        let samples = [80, 160, 240, 320, 480][rng.below(5) as usize];
        let (out, _, deepest) = through(&sound, Codec::Pcmu, samples, weather);
        let heard = numbers(&out);
        // A step back by less than half a round would be the wrong order.
        let wrong = heard.windows(2).filter(|w| (i32::from(w[1]) - i32::from(w[0])).rem_euclid(100) > 60).count();
        assert_eq!(wrong, 0, "{weather:?} {samples}: {heard:?}");
        assert!(deepest <= 200 + 2 * samples as i64 / 8, "{weather:?} {samples}: {deepest} ms");
        assert!(heard.len() > 300, "{weather:?} {samples}: {}", heard.len());
    }
}

#[test]
fn doubled_packets_are_counted_whether_or_not_they_were_played() {
    let sound = numbered(500);
    let weather = Weather { seed: 4, jitter_us: 60_000, doubled: 1_000, ..Weather::default() };
    let (_, buffer, _) = through(&sound, Codec::Pcmu, 160, weather);
    let counts = buffer.counts();
    assert_eq!(counts.duplicate, 500);
    assert!(counts.late < 10, "{counts:?}");
}

/// The tone's share of all that was heard in dB over the rest, and the 20 ms that were not heard at all.
fn quality(out: &[i16], hz: f64) -> (f64, usize) {
    let out = &out[8_000..out.len() - 8_000];
    let (mut tone, mut all, mut gaps) = (0.0, 0.0, 0);
    for frame in out.chunks_exact(800) {
        let power = frame.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / 800.0;
        all += power;
        tone += (power_at(frame, hz) / 2.0).min(power);
    }
    for frame in out.chunks_exact(FRAME) {
        let power = frame.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / FRAME as f64;
        gaps += usize::from(power < 500.0 * 500.0);
    }
    (10.0 * (tone / (all - tone).max(1.0)).log10(), gaps)
}

#[test]
fn a_tone_stays_a_tone_at_1_5_and_10_percent_loss() {
    let sound = sine(440.0, 8_000.0, 8_000 * 40);
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        for (lost, least, most_gaps) in [(0, 30.0, 0), (10, 22.0, 0), (50, 15.0, 2), (100, 11.0, 10)] {
            let weather = Weather { seed: 77 + lost, jitter_us: 15_000, lost, ..Weather::default() };
            let (out, buffer, _) = through(&sound, codec, 160, weather);
            let (db, gaps) = quality(&out, 440.0);
            println!("{codec:?}, {lost} in 1000 lost: {db:.1} dB, {gaps} gaps, {:?}", buffer.counts());
            assert!(db >= least, "{codec:?}, {lost} in 1000 lost: {db:.1} dB");
            assert!(gaps <= most_gaps, "{codec:?}, {lost} in 1000 lost: {gaps} gaps");
        }
    }
}

#[test]
fn jitter_stretches_the_delay_and_few_packets_are_late_then() {
    let sound = sine(440.0, 8_000.0, 8_000 * 40);
    for (jitter_ms, most_depth) in [(5, 70), (30, 100), (60, 130), (100, 170)] {
        let weather = Weather { seed: 5, jitter_us: jitter_ms * 1_000, ..Weather::default() };
        let (out, buffer, deepest) = through(&sound, Codec::Pcmu, 160, weather);
        let counts = buffer.counts();
        let (db, gaps) = quality(&out, 440.0);
        println!("{jitter_ms} ms: {deepest} ms deep, {db:.1} dB, {counts:?}");
        assert!(deepest <= most_depth, "{jitter_ms} ms of jitter: {deepest} ms deep");
        assert!(counts.late <= 2_000 / 50 && gaps == 0, "{jitter_ms} ms of jitter: {counts:?}, {gaps} gaps");
        assert!(db > 14.0, "{jitter_ms} ms of jitter: {db:.1} dB");
    }
}

/// Talk of 440 Hz for a second and half a second of near silence, over and over.
fn talk(seconds: usize) -> Vec<i16> {
    let mut sound = sine(440.0, 8_000.0, 8_000 * seconds);
    for (i, sample) in sound.iter_mut().enumerate() {
        if i % 12_000 >= 8_000 {
            *sample /= 200;
        }
    }
    sound
}

#[test]
fn a_calm_network_gets_its_delay_back_in_silence_and_in_a_steady_sound() {
    for (sound, in_silence) in [(talk(40), true), (sine(440.0, 8_000.0, 8_000 * 40), false)] {
        let mut buffer = JitterBuffer::default();
        let mut rng = Rng::seeded(9);
        let mut waiting: Vec<(usize, usize)> = Vec::new();
        let mut out = Vec::new();
        let mut stretched = 0;
        for tick in 0..2_000 {
            waiting.push((tick + if tick < 300 { rng.below(6) as usize } else { 0 }, tick));
            for (_, n) in waiting.extract_if(.., |(at, _)| *at <= tick) {
                let payload: Vec<u8> = sound[n * FRAME..][..FRAME].iter().map(|s| g711::to_ulaw(*s)).collect();
                buffer.put(&header(n as u64, FRAME), &payload, Codec::Pcmu);
            }
            stretched = stretched.max(buffer.depth_ms());
            out.extend(buffer.pull());
        }
        assert!(stretched >= 100, "{stretched} ms");
        assert!(buffer.depth_ms() <= 45, "{} ms left, silence: {in_silence}", buffer.depth_ms());
        assert!(buffer.counts().left_out >= 400, "{:?}", buffer.counts());
        if !in_silence {
            let (db, gaps) = quality(&out[8_000 * 6..], 440.0);
            assert!(db > 20.0 && gaps == 0, "leaving out was heard: {db:.1} dB, {gaps} gaps");
        }
    }
}

#[test]
fn a_lost_packet_is_repeated_softer_and_long_loss_fades_out() {
    let sound = sine(440.0, 8_000.0, 8_000);
    let mut buffer = JitterBuffer::default();
    for (n, chunk) in sound.chunks_exact(FRAME).take(4).enumerate() {
        let payload: Vec<u8> = chunk.iter().map(|s| g711::to_ulaw(*s)).collect();
        buffer.put(&header(n as u64, FRAME), &payload, Codec::Pcmu);
    }
    let out: Vec<Frame> = (0..12).map(|_| buffer.pull()).collect();
    let level = |frame: &Frame| power_at(frame, 440.0).sqrt();
    assert!(level(&out[1]) > 7_500.0);
    assert!(level(&out[5]) > 6_000.0 && level(&out[6]) < 6_000.0, "{} {}", level(&out[5]), level(&out[6]));
    assert_eq!(out[9], SILENCE, "gone after 60 ms");
    assert_eq!(buffer.counts().concealed, 480);
}

#[test]
fn the_delay_that_a_stall_of_ours_leaves_behind_is_given_back_at_once() {
    let mut buffer = JitterBuffer::default();
    for tick in 0..300 {
        buffer.put(&header(tick, FRAME), &[0x10; FRAME], Codec::Pcmu);
        // For 400 ms packets pile up and nobody pulls.
        if !(100..120).contains(&tick) {
            buffer.pull();
        }
        assert!(buffer.depth_ms() <= 220, "{}", buffer.depth_ms());
    }
    for tick in 300..900 {
        buffer.put(&header(tick, FRAME), &[0x10; FRAME], Codec::Pcmu);
        buffer.pull();
    }
    assert!(buffer.depth_ms() <= 45, "{}", buffer.depth_ms());
    assert_eq!(buffer.counts().late, 0);
}

#[test]
fn a_new_source_or_a_jump_starts_over() {
    let mut buffer = JitterBuffer::default();
    let loud = [0x10; FRAME];
    for (ssrc, timestamp, sequence) in [(1, 0, 5), (2, 77_000, 9), (2, 4_000_000_000, 10), (2, 9, 60_000)] {
        for n in 0..2 {
            let header = Header {
                payload_type: 0,
                marker: false,
                sequence: sequence + n,
                ssrc,
                timestamp: timestamp + u32::from(n) * 160,
            };
            buffer.put(&header, &loud, Codec::Pcmu);
        }
        let out: Vec<Frame> = (0..4).map(|_| buffer.pull()).collect();
        let whole = out.iter().filter(|f| f[100..].iter().all(|s| *s == g711::from_ulaw(0x10))).count();
        assert!(whole >= 2, "{ssrc} {timestamp}: {whole}");
    }
}

#[test]
fn a_stream_whose_clock_stood_still_while_silent_is_taken_up_again() {
    let mut buffer = JitterBuffer::default();
    buffer.put(&header(0, FRAME), &[0x10; FRAME], Codec::Pcmu);
    for _ in 0..100 {
        buffer.pull();
    }
    buffer.put(&header(1, FRAME), &[0x20; FRAME], Codec::Pcmu);
    let out: Vec<Frame> = (0..4).map(|_| buffer.pull()).collect();
    assert!(out.iter().any(|f| f[20..] == [g711::from_ulaw(0x20); 140]));
}

#[test]
fn comfort_noise_is_heard_at_its_level_until_sound_comes_back() {
    let mut buffer = JitterBuffer::default();
    let sound = sine(440.0, 8_000.0, 16_000);
    let payload = |n: usize| -> Vec<u8> { sound[n * FRAME..][..FRAME].iter().map(|s| g711::to_ulaw(*s)).collect() };
    let mut out = Vec::new();
    for n in 0..100_usize {
        match n {
            10 => buffer.put_noise(&header(10, FRAME), &[50, 1, 2]),
            11..60 => {}
            _ => buffer.put(&header(n as u64, FRAME), &payload(n), Codec::Pcmu),
        }
        out.push(buffer.pull());
    }
    let rms = |frames: &[Frame]| {
        let all = frames.as_flattened();
        (all.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / all.len() as f64).sqrt()
    };
    let db = 20.0 * (rms(&out[15..55]) / 32_767.0).log10();
    assert!((-51.0..-49.0).contains(&db), "{db:.1} dB");
    assert!(rms(&out[3..9]) > 5_000.0 && rms(&out[65..99]) > 5_000.0);
    assert_eq!(buffer.counts().concealed, 0, "nothing was lost");
}

#[test]
fn where_noise_was_agreed_a_dead_line_has_a_floor() {
    for wanted in [false, true] {
        let mut buffer = JitterBuffer::default();
        buffer.want_floor(wanted);
        let mut own = Noise::default();
        own.set_rms(60.0);
        for n in 0..50 {
            let payload: Vec<u8> = (0..FRAME).map(|_| g711::to_ulaw(own.sample())).collect();
            buffer.put(&header(n, FRAME), &payload, Codec::Pcmu);
            buffer.pull();
        }
        let out: Vec<Frame> = (0..40).map(|_| buffer.pull()).collect();
        let late = out[20..].as_flattened();
        let rms = (late.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / late.len() as f64).sqrt();
        assert!(if wanted { (30.0..90.0).contains(&rms) } else { rms == 0.0 }, "{wanted}: {rms}");
    }
}

#[test]
fn a_key_in_place_of_sound_is_no_loss() {
    let mut buffer = JitterBuffer::default();
    let sound = sine(440.0, 8_000.0, 16_000);
    for n in 0..50_u64 {
        if (20..30).contains(&n) {
            buffer.rest(&Header { payload_type: 101, timestamp: header(20, FRAME).timestamp, ..header(n, FRAME) });
        } else {
            let payload: Vec<u8> = sound[n as usize * FRAME..][..FRAME].iter().map(|s| g711::to_ulaw(*s)).collect();
            buffer.put(&header(n, FRAME), &payload, Codec::Pcmu);
        }
        buffer.pull();
    }
    let counts = buffer.counts();
    assert_eq!((counts.concealed, counts.late, counts.duplicate), (0, 0, 0));
}

#[test]
fn no_packets_make_it_panic_or_wait_for_ever() {
    for seed in 0..40 {
        let mut rng = Rng::seeded(900 + seed);
        let mut buffer = JitterBuffer::default();
        let (mut timestamp, mut sequence) = (rng.next_u64() as u32, rng.next_u64() as u16);
        for _ in 0..2_000 {
            let step = match rng.below(12) {
                0 => rng.next_u64() as u32,
                1 => (rng.below(9_000) as u32).wrapping_sub(4_500),
                _ => 160,
            };
            timestamp = timestamp.wrapping_add(step);
            sequence = sequence.wrapping_add(if rng.below(9) == 0 { rng.next_u64() as u16 } else { 1 });
            let header =
                Header { payload_type: 0, marker: false, sequence, timestamp, ssrc: u32::from(rng.below(50) == 0) };
            let payload: Vec<u8> =
                (0..[0, 1, 80, 160, 480, 1_024, 1_100][rng.below(7) as usize]).map(|_| rng.next_u64() as u8).collect();
            match rng.below(8) {
                0 => buffer.put_noise(&header, &payload),
                1 => buffer.rest(&header),
                2 => buffer.want_floor(rng.below(2) == 0),
                n => buffer.put(&header, &payload, [Codec::Pcmu, Codec::Pcma, Codec::G722][n as usize % 3]),
            }
            assert!(buffer.depth_ms() <= 200 + 128, "{} ms", buffer.depth_ms());
            for _ in 0..rng.below(3) {
                buffer.pull();
            }
        }
        // Whatever came, a good stream is heard soon after.
        let mut heard = 0;
        for n in 0..50 {
            buffer.put(&Header { ssrc: 77, ..header(n, FRAME) }, &[0x10; FRAME], Codec::Pcmu);
            heard += buffer.pull().iter().filter(|s| **s == g711::from_ulaw(0x10)).count();
        }
        assert!(heard > 40 * FRAME, "{heard}");
    }
}
