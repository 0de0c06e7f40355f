//! Keys as they should be, as they barely may be, and what is none.

use super::super::tone::sine;
use super::*;
use crate::base::rng::Rng;

const ALL: &str = "123A456B789C*0#D";

fn hear(samples: &[i16]) -> String {
    let mut detector = Detector::default();
    samples.chunks_exact(FRAME).filter_map(|c| detector.hear(c.try_into().unwrap())).collect()
}

/// Keys of `on` samples each, `off` samples apart, from sample `start` on, their tones off by so much and so loud.
fn dial(keys: &str, on: usize, off: usize, start: usize, off_by: f64, peaks: (f64, f64)) -> Vec<i16> {
    let mut sound = vec![0; start];
    for key in keys.chars() {
        let (row, column) =
            (0..4).find_map(|r| KEYS[r].iter().position(|k| *k == key).map(|c| (r, c))).expect("the test dials keys");
        let low = sine(LOW[row] * off_by, peaks.0, on);
        let high = sine(HIGH[column] * off_by, peaks.1, on);
        sound.extend(low.iter().zip(high).map(|(a, b)| a + b));
        sound.resize(sound.len() + off, 0);
    }
    sound.resize(sound.len() + 800, 0);
    sound
}

/// White noise of that root mean square.
fn noise(rng: &mut Rng, rms: f64) -> f64 {
    ((rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5) * rms * 12_f64.sqrt()
}

#[test]
fn every_key_is_heard_once_a_press_wherever_it_falls() {
    for start in (0..320).step_by(7) {
        assert_eq!(hear(&dial(ALL, 320, 320, start, 1.0, (6_000.0, 6_000.0))), ALL, "40 ms from {start}");
        assert_eq!(hear(&dial("1155", 800, 400, start, 1.0, (6_000.0, 6_000.0))), "1155");
    }
    assert_eq!(hear(&dial(ALL, 40_000, 800, 3, 1.0, (6_000.0, 6_000.0))), ALL, "held for 5 s");
    let made: Vec<i16> = ALL.chars().flat_map(|k| [tones(k, 400).unwrap(), vec![0; 400]].concat()).collect();
    assert_eq!(hear(&made), ALL, "our own");
}

#[test]
fn keys_out_of_tune_out_of_balance_soft_and_loud_are_heard() {
    for off_by in [0.985, 1.015] {
        assert_eq!(hear(&dial(ALL, 480, 400, 11, off_by, (5_000.0, 5_000.0))), ALL, "{off_by}");
    }
    // The upper tone 7 dB softer, then 5 dB louder.
    assert_eq!(hear(&dial(ALL, 480, 400, 11, 1.0, (8_000.0, 3_600.0))), ALL);
    assert_eq!(hear(&dial(ALL, 480, 400, 11, 1.0, (4_000.0, 7_000.0))), ALL);
    for peak in [300.0, 15_000.0] {
        assert_eq!(hear(&dial(ALL, 480, 400, 11, 1.0, (peak, peak))), ALL, "{peak}");
    }
}

#[test]
fn what_is_too_short_or_too_uneven_is_no_key_and_a_dropout_does_not_double_one() {
    for start in (0..320).step_by(7) {
        assert_eq!(hear(&dial(ALL, 152, 400, start, 1.0, (6_000.0, 6_000.0))), "", "19 ms from {start}");
    }
    assert_eq!(hear(&dial(ALL, 480, 400, 5, 1.0, (9_000.0, 2_000.0))), "", "13 dB apart");
    assert_eq!(hear(&dial(ALL, 480, 400, 5, 1.06, (6_000.0, 6_000.0))), "", "6 % out of tune");
    for at in (300..700).step_by(13) {
        let mut sound = dial("5", 1_600, 400, 0, 1.0, (6_000.0, 6_000.0));
        sound[at..at + 80].fill(0);
        assert_eq!(hear(&sound), "5", "10 ms missing from {at}");
    }
}

#[test]
fn keys_are_heard_in_noise_15_db_below_them() {
    let mut rng = Rng::seeded(15);
    let (mut right, mut sent) = (0, 0);
    for round in 0..40 {
        let mut sound = dial(ALL, 480, 400, round * 7, 1.0, (6_000.0, 6_000.0));
        for sample in &mut sound {
            *sample = (f64::from(*sample) + noise(&mut rng, 6_000.0 * 0.178)) as i16;
        }
        let heard = hear(&sound);
        assert!(heard.len() <= ALL.len(), "more keys than were pressed: {heard}");
        sent += ALL.len();
        right += heard.chars().zip(ALL.chars()).take_while(|(a, b)| a == b).count();
    }
    assert!(right * 1_000 >= sent * 995, "{right} of {sent}");
}

#[test]
fn tones_noise_and_music_are_no_keys() {
    for hz in [350.0, 440.0, 480.0, 620.0, 697.0, 941.0, 1_000.0, 1_209.0, 1_633.0, 2_100.0] {
        assert_eq!(hear(&sine(hz, 10_000.0, 8_000)), "", "{hz} Hz");
    }
    let mut rng = Rng::seeded(3);
    let hiss: Vec<i16> = (0..800_000).map(|_| noise(&mut rng, 4_000.0) as i16).collect();
    assert_eq!(hear(&hiss), "");
    // Two minutes of chords of three, from a scale.
    let mut music = Vec::new();
    for _ in 0..480 {
        let mut chord = vec![0_i16; 2_000];
        for _ in 0..3 {
            let hz = 220.0 * 2_f64.powf(rng.below(30) as f64 / 12.0);
            for (to, from) in chord.iter_mut().zip(sine(hz, 3_500.0, 2_000)) {
                *to += from;
            }
        }
        music.extend(chord);
    }
    assert_eq!(hear(&music), "");
}

/// Vowels: a gliding voice's overtones, each as strong as source and two formants let it be.
fn voice(rng: &mut Rng, seconds: usize) -> Vec<i16> {
    let (mut phase, mut sound) = (0.0, Vec::new());
    let (mut pitch, mut first, mut second) = (120.0, 500.0, 1_500.0);
    for _ in 0..seconds * 10 {
        let aim = (80.0 + rng.below(220) as f64, 250.0 + rng.below(700) as f64, 900.0 + rng.below(1_500) as f64);
        for _ in 0..800 {
            pitch += (aim.0 - pitch) / 800.0;
            first += (aim.1 - first) / 400.0;
            second += (aim.2 - second) / 400.0;
            phase += TAU * pitch / 8_000.0;
            let mut sum = 0.0;
            let mut overtone = 1.0;
            while overtone * pitch < 3_600.0 {
                let near = |formant: f64| 1.0 / (1.0 + ((overtone * pitch - formant) / 90.0).powi(2));
                // The source itself loses 6 dB with each octave.
                let source = 4.0 / overtone;
                sum += source * (near(first) + 0.7 * near(second) + 0.05) * (phase * overtone).sin();
                overtone += 1.0;
            }
            sound.push((sum * 6_000.0).clamp(-30_000.0, 30_000.0) as i16);
        }
    }
    sound
}

#[test]
fn a_minute_of_voices_presses_no_key() {
    assert_eq!(hear(&voice(&mut Rng::seeded(1_876), 60)), "");
}
