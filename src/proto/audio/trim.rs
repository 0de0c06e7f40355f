//! The part of a recording in which somebody speaks: without the silence before and after. Pure.

use std::ops::Range;

use super::frame::{FRAME, RATE};

/// How loud a frame of speech is at least, on average: some 50 dB below the loudest, as `io/media/hush` has it.
const LOUD: u64 = 100;
/// Loud frames that are speech and no click: a tenth of a second.
const SPEECH: usize = 5;
/// What is left of the silence before and after, in samples: words cut at their first sound are hard to understand.
const MARGIN: usize = RATE as usize / 5;

/// Where in `pcm` somebody speaks, with a little of the silence around. None: nobody does.
pub fn spoken_part(pcm: &[i16]) -> Option<Range<usize>> {
    let loud = |frame: &[i16]| {
        let sum: u64 = frame.iter().map(|sample| u64::from(sample.unsigned_abs())).sum();
        sum / frame.len() as u64 >= LOUD
    };
    let loud: Vec<usize> = pcm.chunks(FRAME).enumerate().filter(|(_, frame)| loud(frame)).map(|(n, _)| n).collect();
    // A click at either end is not where words begin or end.
    let near = |a: usize, b: usize| b - a < 2 * SPEECH;
    let begins = loud.windows(SPEECH).find(|run| near(run[0], run[SPEECH - 1]))?.first()?;
    let ends = loud.windows(SPEECH).rev().find(|run| near(run[0], run[SPEECH - 1]))?.last()?;
    let from = (begins * FRAME).saturating_sub(MARGIN);
    Some(from..pcm.len().min((ends + 1) * FRAME + MARGIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::audio::tone::sine;

    #[test]
    fn silence_and_clicks_around_words_are_left_out() {
        let mut pcm = vec![0; 3 * RATE as usize];
        // A receiver is picked up.
        pcm[2_000..2_080].fill(20_000);
        let begins = pcm.len();
        pcm.extend(sine(500.0, 4_000.0, 2 * RATE as usize));
        let ends = pcm.len();
        pcm.extend(vec![20; RATE as usize]);
        pcm.extend([15_000; 80]);
        let part = spoken_part(&pcm).unwrap();
        assert!(part.start.abs_diff(begins - MARGIN) <= FRAME, "{part:?}");
        assert!(part.end.abs_diff(ends + MARGIN) <= FRAME, "{part:?}");
    }

    #[test]
    fn where_nobody_speaks_there_is_no_part() {
        let hiss: Vec<i16> = (0..16_000).map(|n| if n % 2 == 0 { 60 } else { -60 }).collect();
        let mut click = vec![0; 16_000];
        click[8_000..8_160].fill(30_000);
        for nothing in [vec![], vec![0; 16_000], hiss, click] {
            assert_eq!(spoken_part(&nothing), None);
        }
        assert_eq!(spoken_part(&vec![2_000; 8_000]), Some(0..8_000));
    }
}
