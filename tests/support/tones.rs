//! Who was heard, by tones: the one rule for telephones ([`crate::ear`]) and headsets ([`crate::seat`]).
//!
//! Judged half second by half second, each by the median of its tenths: a packet that the busy machine lost passes, a
//! voice that leaks for a quarter of a second does not.

/// Tenths of a second in one judgement.
const TENTHS: usize = 5;
/// A tone that is there is at least this loud, in dB relative to full scale.
const AUDIBLE_DB: f64 = -35.0;
/// What must not be heard is so far below the weakest tone that should be …
const APART_DB: f64 = 20.0;
/// … or below this, where none should be.
const SILENT_DB: f64 = -45.0;

/// Asserts that in each half second `who` hears all of `wanted` and none of `unwanted`. `tenths`: for each tenth of
/// a second the level of each tone in dB, the wanted ones first.
pub fn assert_hears(who: &str, tenths: &[Vec<f64>], wanted: &[f64], unwanted: &[f64]) {
    for (n, half) in tenths.chunks_exact(TENTHS).enumerate() {
        let median = |tone: usize| {
            let mut levels: Vec<f64> = half.iter().map(|levels| levels[tone]).collect();
            levels.sort_by(f64::total_cmp);
            levels[TENTHS / 2]
        };
        for (tone, hz) in wanted.iter().enumerate() {
            let level = median(tone);
            assert!(level > AUDIBLE_DB, "{who} should hear {hz} Hz in half second {n}, but it is at {level:.1} dB");
        }
        let weakest = (0..wanted.len()).map(median).fold(f64::INFINITY, f64::min);
        let limit = if wanted.is_empty() { SILENT_DB } else { weakest - APART_DB };
        for (tone, hz) in unwanted.iter().enumerate() {
            let level = median(wanted.len() + tone);
            assert!(level < limit, "{who} must not hear {hz} Hz in half second {n}: {level:.1} dB, limit {limit:.1}");
        }
    }
}
