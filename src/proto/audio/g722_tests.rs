//! The codec against itself, band by band. An independent implementation hears it in `tests/g722.rs`.

use std::f64::consts::TAU;

use super::super::tone::{power_at, sine};
use super::*;
use crate::base::rng::Rng;

fn wide_sine(hz: f64, peak: f64, samples: usize) -> Vec<i16> {
    (0..samples).map(|n| (peak * (TAU * hz * n as f64 / 16_000.0).sin()) as i16).collect()
}

fn wide_round_trip(sound: &[i16]) -> Vec<i16> {
    let (mut encoder, mut decoder) = (WideEncoder::default(), WideDecoder::default());
    sound.chunks_exact(2).flat_map(|pair| decoder.decode(encoder.encode([pair[0], pair[1]]))).collect()
}

fn narrow_round_trip(sound: &[i16]) -> Vec<i16> {
    let (mut encoder, mut decoder) = (NarrowEncoder::default(), NarrowDecoder::default());
    sound.iter().map(|s| decoder.decode(encoder.encode(*s))).collect()
}

/// Signal to noise in dB, `heard` being `delay` samples behind.
fn snr(said: &[i16], heard: &[i16], delay: usize) -> f64 {
    let (mut signal, mut noise) = (0.0, 0.0);
    for (s, h) in said.iter().zip(&heard[delay..]) {
        signal += f64::from(*s).powi(2);
        noise += (f64::from(*s) - f64::from(*h)).powi(2);
    }
    10.0 * (signal / noise).log10()
}

/// The peak of `hz` in sound at 16 kHz.
fn wide_level(heard: &[i16], hz: f64) -> f64 {
    power_at(heard, hz / 2.0).sqrt()
}

#[test]
fn the_whole_band_passes_at_its_level() {
    for hz in [100.0, 300.0, 1_000.0, 2_000.0, 3_000.0, 3_800.0, 4_000.0, 4_300.0, 5_000.0, 6_000.0, 6_800.0] {
        let heard = wide_round_trip(&wide_sine(hz, 8_000.0, 16_000));
        let db = 20.0 * (wide_level(&heard[1_600..14_400], hz) / 8_000.0).log10();
        assert!((-1.0..1.0).contains(&db), "{hz} Hz: {db:.2} dB");
    }
}

#[test]
fn a_tone_comes_back_clean_in_either_band_and_at_any_level() {
    for (hz, peak, least) in [
        (1_000.0, 10_000.0, 36.0),
        (1_000.0, 300.0, 20.0),
        (2_500.0, 10_000.0, 30.0),
        (3_000.0, 30_000.0, 28.0),
        (5_500.0, 10_000.0, 12.0),
    ] {
        let said = wide_sine(hz, peak, 16_000);
        let heard = wide_round_trip(&said);
        // The two filters together delay by 22 samples.
        let db = snr(&said[2_000..12_000], &heard[2_000..], 22);
        assert!(db > least, "{hz} Hz at {peak}: {db:.1} dB");
    }
}

#[test]
fn what_is_said_at_8_khz_is_heard_at_8_khz_and_at_16() {
    for hz in [300.0, 1_000.0, 2_000.0, 3_400.0] {
        let said = sine(hz, 8_000.0, 8_000);
        let db = snr(&said[800..7_000], &narrow_round_trip(&said)[800..], 0);
        assert!(db > 25.0, "{hz} Hz: {db:.1} dB");
        let (mut narrow, mut wide) = (NarrowEncoder::default(), WideDecoder::default());
        let heard: Vec<i16> = said.iter().flat_map(|s| wide.decode(narrow.encode(*s))).collect();
        let level = 20.0 * (wide_level(&heard[1_600..14_400], hz) / 8_000.0).log10();
        assert!((-1.0..1.0).contains(&level), "{hz} Hz at 16 kHz: {level:.2} dB");
        let image = 20.0 * (wide_level(&heard[1_600..14_400], 8_000.0 - hz) / 8_000.0).log10();
        assert!(image < if hz > 3_000.0 { -10.0 } else { -50.0 }, "image of {hz} Hz: {image:.1} dB");
        let (mut wide, mut narrow) = (WideEncoder::default(), NarrowDecoder::default());
        let heard: Vec<i16> =
            wide_sine(hz, 8_000.0, 16_000).chunks_exact(2).map(|p| narrow.decode(wide.encode([p[0], p[1]]))).collect();
        let level = 20.0 * (power_at(&heard[800..7_200], hz).sqrt() / 8_000.0).log10();
        assert!((-1.0..1.0).contains(&level), "{hz} Hz at 8 kHz: {level:.2} dB");
    }
}

#[test]
fn the_silent_octet_is_silence_and_the_loudest_sound_does_not_wrap() {
    let (mut narrow, mut wide) = (NarrowDecoder::default(), WideDecoder::default());
    assert_eq!((narrow.decode(SILENCE), wide.decode(SILENCE)), (0, [0, 0]));
    for octet in 0..=255 {
        narrow.decode(octet);
        wide.decode(octet);
    }
    for _ in 0..8_000 {
        narrow.decode(SILENCE);
        wide.decode(SILENCE);
    }
    // Truncation may leave a trace below hearing behind.
    let (n, [w, v]) = (narrow.decode(SILENCE), wide.decode(SILENCE));
    assert!(n.abs() < 64 && w.abs() < 64 && v.abs() < 64, "{n} {w} {v}");
    let square: Vec<i16> = (0..8_000).map(|n| if n / 20 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
    let heard = narrow_round_trip(&square);
    let wrong = square[400..].iter().zip(&heard[400..]).filter(|(s, h)| (**s < 0) != (**h < 0)).count();
    assert!(wrong < 8_000 / 20, "{wrong} samples have the wrong sign");
}

#[test]
fn no_octets_make_it_panic_and_it_recovers_from_any_of_them() {
    let mut rng = Rng::seeded(22);
    let (mut encoder, mut decoder) = (NarrowEncoder::default(), NarrowDecoder::default());
    let mut wide = WideDecoder::default();
    for _ in 0..200_000 {
        let octet = rng.next_u64() as u8;
        decoder.decode(octet);
        wide.decode(octet);
    }
    let said = sine(1_000.0, 8_000.0, 16_000);
    let heard: Vec<i16> = said.iter().map(|s| decoder.decode(encoder.encode(*s))).collect();
    let db = snr(&said[8_000..], &heard[8_000..], 0);
    assert!(db > 25.0, "{db:.1} dB a second after nonsense");
}
