//! Who was heard, by tones: the one rule for telephones ([`crate::ear`]) and headsets ([`crate::seat`]).
//!
//! Judged over each half second, from every tenth on, by the median of its tenths. A packet that the busy machine lost
//! spoils two tenths at most, and passes; a voice that leaks or is missing for four tenths of a second fills three of
//! them wherever it begins, and does not.

/// Tenths of a second in one judgement.
const TENTHS: usize = 5;
/// A tone that is there is at least this loud, in dB relative to full scale.
const AUDIBLE_DB: f64 = -35.0;
/// What must not be heard is so far below the weakest tone that should be …
const APART_DB: f64 = 20.0;
/// … or below this, where none should be. Music on hold alone comes to -45.5 dB at 600 Hz in its loudest half second.
const SILENT_DB: f64 = -45.0;

/// Asserts that in each half second `who` hears all of `wanted` and none of `unwanted`. `tenths`: for each tenth of
/// a second the level of each tone in dB, the wanted ones first; half a second of them or more.
pub fn assert_hears(who: &str, tenths: &[Vec<f64>], wanted: &[f64], unwanted: &[f64]) {
    if let Err(fault) = judge(tenths, wanted, unwanted) {
        panic!("{who} {fault}");
    }
}

fn judge(tenths: &[Vec<f64>], wanted: &[f64], unwanted: &[f64]) -> Result<(), String> {
    if tenths.len() < TENTHS {
        return Err(format!("was listened to for {} tenths of a second, too short to judge", tenths.len()));
    }
    for (from, half) in tenths.windows(TENTHS).enumerate() {
        let median = |tone: usize| {
            let mut levels: Vec<f64> = half.iter().map(|levels| levels[tone]).collect();
            levels.sort_by(f64::total_cmp);
            levels[TENTHS / 2]
        };
        for (tone, hz) in wanted.iter().enumerate() {
            let level = median(tone);
            if level <= AUDIBLE_DB {
                return Err(format!(
                    "should hear {hz} Hz in the half second from tenth {from} on, but it is at {level:.1} dB"
                ));
            }
        }
        let weakest = (0..wanted.len()).map(median).fold(f64::INFINITY, f64::min);
        let limit = if wanted.is_empty() { SILENT_DB } else { weakest - APART_DB };
        for (tone, hz) in unwanted.iter().enumerate() {
            let level = median(wanted.len() + tone);
            if level >= limit {
                return Err(format!(
                    "must not hear {hz} Hz in the half second from tenth {from} on: {level:.1} dB, limit {limit:.1}"
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{TENTHS, judge};

    const WANTED: f64 = 600.0;
    const UNWANTED: f64 = 1_000.0;

    /// Two seconds of the wanted tone, with other levels (wanted, unwanted) in `spoilt` tenths from `at` on.
    fn heard(at: usize, spoilt: usize, levels: [f64; 2]) -> Result<(), String> {
        let mut tenths = vec![vec![-10.0, -80.0]; 20];
        tenths[at..at + spoilt].fill(levels.to_vec());
        judge(&tenths, &[WANTED], &[UNWANTED])
    }

    #[test]
    fn a_voice_that_leaks_or_is_missing_over_three_tenths_is_told_wherever_it_begins() {
        for at in 0..=17 {
            let fault = heard(at, 3, [-10.0, -15.0]).expect_err("a leak");
            assert!(fault.starts_with("must not hear 1000 Hz"), "from {at}: {fault}");
            let fault = heard(at, 3, [-60.0, -80.0]).expect_err("a gap");
            assert!(fault.starts_with("should hear 600 Hz"), "from {at}: {fault}");
        }
    }

    #[test]
    fn a_lost_packet_spoils_two_tenths_at_most_and_passes() {
        for at in 0..=18 {
            assert_eq!(heard(at, 2, [-60.0, -15.0]), Ok(()), "from {at}");
        }
    }

    #[test]
    fn where_nobody_should_be_heard_a_leak_is_told_as_well() {
        let mut tenths = vec![vec![-80.0]; 10];
        assert_eq!(judge(&tenths, &[], &[UNWANTED]), Ok(()));
        tenths[3..6].fill(vec![-40.0]);
        assert!(judge(&tenths, &[], &[UNWANTED]).is_err());
    }

    #[test]
    fn less_than_half_a_second_is_no_proof() {
        assert!(judge(&vec![vec![-10.0]; TENTHS - 1], &[WANTED], &[]).is_err());
        assert_eq!(judge(&vec![vec![-10.0]; TENTHS], &[WANTED], &[]), Ok(()));
    }
}
