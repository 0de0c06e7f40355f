//! Makes up what was lost, in the manner of G.711 Appendix I: the last pitch period is repeated, after 10 ms the
//! last two, then three, softer from 10 ms on and gone after 60 ms; what comes back is faded in over the
//! made-up sound. Under it a floor of noise stays, if one is wanted, so that the line does not sound dead.
//!
//! Works on runs of samples as they are played and delays nothing: where the standard holds back 3.75 ms to
//! blend into a loss, the join is made with the sound before it in reverse.

use super::noise::Noise;

/// Shortest and longest pitch period looked for: 200 and 66 Hz.
const MIN_PITCH: usize = 40;
const MAX_PITCH: usize = 120;
/// The window in which periods are compared.
const WINDOW: usize = 160;
/// What is remembered: three of the longest periods and the quarter before them.
const HISTORY: usize = 3 * MAX_PITCH + MAX_PITCH / 4;
/// Samples at full level, and until nothing is left.
const HOLD: usize = 80;
const GONE: usize = 480;
/// Longest blend back into real sound: 10 ms.
const MAX_BLEND: usize = 80;
/// Blend of sound that begins after silence: 1 ms.
const FADE_IN: usize = 8;
/// The floor is never louder than this, however loud the quietest moment was.
const MAX_FLOOR: f32 = 180.0;

/// The concealer of one stream.
#[derive(Clone, Debug)]
pub struct Concealer {
    /// What was played last, newest last.
    history: [i16; HISTORY],
    /// What was made up since, the same way: it becomes history when sound comes back, and not before, because it
    /// is made of it.
    made: [i16; HISTORY],
    /// Samples made up since real sound; no longer counted beyond [`GONE`].
    lost: usize,
    /// The period, how many of them are repeated, and where in them the next sample is.
    pitch: usize,
    periods: usize,
    at: usize,
    /// Mean square of the quietest sound of late.
    floor: f32,
    floor_wanted: bool,
    noise: Noise,
}

impl Default for Concealer {
    fn default() -> Self {
        Self {
            history: [0; HISTORY],
            made: [0; HISTORY],
            lost: GONE,
            pitch: MIN_PITCH,
            periods: 1,
            at: 0,
            floor: MAX_FLOOR * MAX_FLOOR,
            floor_wanted: false,
            noise: Noise::default(),
        }
    }
}

impl Concealer {
    /// Whether a floor of noise, as loud as the quietest moments of the stream, takes the place of dead air.
    pub const fn want_floor(&mut self, wanted: bool) {
        self.floor_wanted = wanted;
    }

    /// Real sound is played: blended in if something was made up before it.
    pub fn play(&mut self, sound: &mut [i16]) {
        self.learn_floor(sound);
        if self.lost > 0 {
            // The longer it was gone, the slower it is trusted again: a quarter period and 4 ms for each 10 ms.
            let blend = if self.lost >= GONE { FADE_IN } else { (self.pitch / 4 + self.lost / 80 * 32).min(MAX_BLEND) };
            let made_up = self.lost.min(HISTORY);
            for (n, sample) in sound.iter_mut().take(blend).enumerate() {
                let (old, done) = (i32::from(self.make_up_one()), n as i32 + 1);
                let all = blend as i32 + 1;
                *sample = ((i32::from(*sample) * done + old * (all - done)) / all) as i16;
            }
            let Self { history, made, .. } = self;
            remember(history, &made[HISTORY - made_up..]);
            self.lost = 0;
        }
        remember(&mut self.history, sound);
    }

    /// Something is missing: fills `gap`.
    pub fn fill(&mut self, gap: &mut [i16]) {
        if self.lost == 0 {
            self.pitch = self.find_pitch();
            (self.periods, self.at) = (1, 0);
            self.noise.set_rms(if self.floor_wanted { self.floor.sqrt().min(MAX_FLOOR) } else { 0.0 });
        }
        gap.fill_with(|| self.make_up_one());
        remember(&mut self.made, gap);
    }

    /// Nothing is said on purpose: the sound before it ends at once, and what comes next needs no blend with it. What is
    /// remembered of that time is silence, not what was made up in an earlier gap.
    pub fn hush(&mut self) {
        if self.lost == 0 {
            self.noise.set_rms(0.0);
        }
        self.lost = GONE;
        self.made = [0; HISTORY];
    }

    /// The period that sound at this moment repeats with.
    pub fn find_pitch(&self) -> usize {
        let score = |lag: usize, step: usize| {
            let now = &self.history[HISTORY - WINDOW..];
            let then = &self.history[HISTORY - WINDOW - lag..HISTORY - lag];
            let (mut product, mut energy) = (0.0_f32, 1.0_f32);
            for (a, b) in now.iter().zip(then).step_by(step) {
                product += f32::from(*a) * f32::from(*b);
                energy += f32::from(*b) * f32::from(*b);
            }
            product * product.abs() / energy
        };
        let best = |lags: &mut dyn Iterator<Item = usize>, step: usize| {
            let scored = lags.map(|lag| (lag, score(lag, step)));
            scored.reduce(|best, next| if next.1 > best.1 { next } else { best }).map_or(MAX_PITCH, |(lag, _)| lag)
        };
        // Coarsely over every other sample, then finely around what was found.
        let coarse = best(&mut (MIN_PITCH..=MAX_PITCH).step_by(2), 2);
        best(&mut (coarse.saturating_sub(1).max(MIN_PITCH)..=(coarse + 1).min(MAX_PITCH)), 1)
    }

    fn make_up_one(&mut self) -> i16 {
        let gain = (GONE.saturating_sub(self.lost)).min(GONE - HOLD) as i32;
        let floor = i32::from(self.noise.sample());
        let full = (GONE - HOLD) as i32;
        if gain == 0 {
            self.lost = GONE;
            return floor as i16;
        }
        let mut sample = i32::from(self.repeated());
        let quarter = self.pitch / 4;
        if self.lost < quarter {
            // Into the loss: from the newest sound, run backwards.
            let mirrored = i32::from(self.history[HISTORY - 1 - self.lost]);
            sample = (sample * self.lost as i32 + mirrored * (quarter - self.lost) as i32) / quarter as i32;
        }
        self.lost += 1;
        self.at += 1;
        if self.at >= self.pitch * self.periods {
            self.at = 0;
            self.periods = (1 + self.lost / 80).min(3);
        }
        ((sample * gain + floor * (full - gain)) / full) as i16
    }

    /// The sample of the repeated periods that is next, its last quarter blended into what precedes them.
    fn repeated(&self) -> i16 {
        let len = self.pitch * self.periods;
        let start = HISTORY - len;
        let sample = i32::from(self.history[start + self.at]);
        let quarter = self.pitch / 4;
        let left = len - self.at;
        if left > quarter {
            return sample as i16;
        }
        let before = i32::from(self.history[start - left]);
        let done = (quarter - left + 1) as i32;
        ((sample * (quarter as i32 + 1 - done) + before * done) / (quarter as i32 + 1)) as i16
    }

    fn learn_floor(&mut self, sound: &[i16]) {
        if !self.floor_wanted || sound.len() < 80 {
            return;
        }
        let power = sound.iter().map(|s| f32::from(*s) * f32::from(*s)).sum::<f32>() / sound.len() as f32;
        // Down at once, up by 3 dB in some seconds.
        self.floor = if power < self.floor { power } else { self.floor * 1.004 + 0.01 };
    }
}

/// Appends to what is remembered.
fn remember(memory: &mut [i16; HISTORY], sound: &[i16]) {
    let new = &sound[sound.len().saturating_sub(HISTORY)..];
    memory.copy_within(new.len().., 0);
    memory[HISTORY - new.len()..].copy_from_slice(new);
}

#[cfg(test)]
mod tests {
    use super::super::tone::{power_at, sine};
    use super::*;

    #[test]
    fn a_lost_20_ms_of_a_tone_are_hardly_missed() {
        for hz in [200.0, 440.0, 700.0, 1_000.0, 1_900.0] {
            let mut sound = sine(hz, 8_000.0, 1_600);
            let mut concealer = Concealer::default();
            concealer.play(&mut sound[..800]);
            concealer.fill(&mut sound[800..960]);
            concealer.play(&mut sound[960..]);
            let kept = power_at(&sound[800..960], hz).sqrt();
            assert!(kept > 5_500.0, "{hz} Hz: {kept}");
            // No jump larger than the tone itself makes.
            let most = 8_000.0 * std::f64::consts::TAU * hz / 8_000.0;
            let step = sound[600..1_200].windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap();
            assert!(f64::from(step) < most * 1.9 + 300.0, "{hz} Hz: a step of {step}, the tone has {most:.0}");
        }
    }

    #[test]
    fn made_up_sound_is_gone_after_60_ms() {
        let mut sound = sine(440.0, 8_000.0, 800);
        let mut concealer = Concealer::default();
        concealer.play(&mut sound);
        let mut gap = [0; 800];
        concealer.fill(&mut gap);
        let rms = |s: &[i16]| (s.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / s.len() as f64).sqrt();
        assert!(rms(&gap[..80]) > 4_500.0, "{}", rms(&gap[..80]));
        let (third, last) = (rms(&gap[160..240]), rms(&gap[400..480]));
        assert!(third > 2_500.0 && last < third / 2.0 && last > 0.0, "{third} {last}");
        assert!(gap[480..].iter().all(|s| *s == 0));
    }

    #[test]
    fn a_wanted_floor_stays_at_the_level_of_the_streams_own_silence() {
        let mut own = Noise::default();
        own.set_rms(40.0);
        let mut concealer = Concealer::default();
        concealer.want_floor(true);
        for _ in 0..20 {
            let mut frame = [0; 160];
            frame.fill_with(|| own.sample());
            concealer.play(&mut frame);
        }
        concealer.play(&mut sine(500.0, 8_000.0, 1_600));
        let mut gap = [0; 1_600];
        concealer.fill(&mut gap);
        let rms = (gap[800..].iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / 800.0).sqrt();
        assert!((25.0..55.0).contains(&rms), "{rms}");
    }

    #[test]
    fn what_is_remembered_after_two_losses_20_ms_apart_is_what_was_played() {
        let mut sound = sine(440.0, 8_000.0, 1_440);
        let mut concealer = Concealer::default();
        concealer.play(&mut sound[..800]);
        concealer.fill(&mut sound[800..960]);
        concealer.play(&mut sound[960..1_120]);
        concealer.fill(&mut sound[1_120..1_280]);
        concealer.play(&mut sound[1_280..]);
        assert_eq!(concealer.history, sound[1_440 - HISTORY..]);
    }

    #[test]
    fn sound_from_before_a_pause_is_not_heard_in_a_loss_after_it() {
        let mut concealer = Concealer::default();
        concealer.play(&mut sine(440.0, 8_000.0, 800));
        concealer.fill(&mut [0; 160]);
        concealer.play(&mut sine(440.0, 8_000.0, 160));
        concealer.hush();
        concealer.play(&mut sine(440.0, 300.0, 80));
        let mut gap = [0; 480];
        concealer.fill(&mut gap);
        let loudest = gap.iter().map(|s| s.abs()).max();
        assert!(loudest.is_some_and(|loudest| loudest <= 300), "{loudest:?}");
    }

    #[test]
    fn the_pitch_of_a_voice_is_found() {
        for period in [45, 64, 80, 110] {
            let mut concealer = Concealer::default();
            let mut sound: Vec<i16> = (0..800).map(|n| if n % period < 4 { 9_000 } else { -300 }).collect();
            concealer.play(&mut sound);
            let found = concealer.find_pitch();
            assert!(found % period == 0 || found == period, "{period}: {found}");
        }
    }
}
