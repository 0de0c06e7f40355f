//! What answered a call, by what it does: whether it speaks, and the tones of machines: the beep behind a greeting, a fax, a
//! line that is busy.
//!
//! Hears frame by frame and tells what is new; what follows from it is for whoever asked. A tone is one frequency that makes up
//! nearly all of the sound and keeps still, which no voice does for long: it is told when it has lasted, and called a beep when
//! silence follows. A fax is known by its 2,100 Hz (ITU-T V.25 §3) or by 1,100 Hz that comes again after 3 s (T.30 §4), a busy
//! line by three equal bursts (E.180). What comes back of our own words is none of its. Says nothing of words. Allocates nothing.

use std::f64::consts::TAU;

use super::frame::{FRAME, Frame, RATE};
use super::tone::power_at;

/// Something new that the far end does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// It begins to speak.
    Voice,
    /// It has said nothing for 0.6 s.
    Quiet,
    /// A steady tone lasts; nobody says that.
    Tone,
    /// A steady tone has ended, and silence follows.
    Beep,
    Fax,
    Busy,
}

/// How loud a frame is at least, on average, to be more than a line's hiss: some 50 dB below the loudest.
const LOUD: u32 = 100;
/// What comes back of our own words is weaker than this part of them, and no later than they fade here.
const ECHO: u32 = 8;
const FADES: u32 = 24;
/// Loud frames, less the quiet ones between them, that are speech and no click.
const SPEECH: u8 = 5;
/// Quiet frames in a row after which nobody speaks any more: 0.6 s.
const SILENCE: u8 = 30;
/// A tone's share of all that is heard, and what it may be off by, in Hz. It may fade.
const SHARE: f64 = 0.85;
const STILL_HZ: f64 = 12.0;
/// Frames that are no tone within one: an edge, something lost.
const MISSES: u32 = 1;
/// A tone this long, 0.14 s, is no voice.
const TONE: u32 = 7;
/// Quiet frames that end a beep.
const AFTER: u32 = 3;
/// Answering tone of a fax: 1 s of it (V.25: 2.6 to 4 s).
const ANSWER_TONE: u32 = 50;
/// Calling tone of a fax: 0.5 s, and the next one 3 s after it.
const CALLING_TONE: std::ops::RangeInclusive<u32> = 20..=32;
const CALLING_PAUSE: std::ops::RangeInclusive<u32> = 125..=180;
/// A busy line's bursts and pauses: 0.2 to 0.8 s, alike.
const BURST: std::ops::RangeInclusive<u32> = 8..=40;
const ALIKE: u32 = 4;
const BURSTS: u32 = 3;

/// What one frame is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Quiet,
    Voice,
    Tone {
        hz: f64,
    },
    /// The two tones of a busy line in North America.
    Pair,
}

/// A tone that goes on.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// None: the pair of a busy line.
    hz: Option<f64>,
    len: u32,
    missed: u32,
    quiet: u32,
    begun: u32,
}

/// A far end's ear.
#[derive(Clone, Debug, Default)]
pub struct FarEnd {
    /// Frames so far.
    now: u32,
    /// How loud we were, fading.
    ours: u32,
    speaks: bool,
    loud: u8,
    quiet: u8,
    run: Option<Run>,
    /// The last one, until something follows it.
    ended: Option<Run>,
    /// The last burst, and how many alike came before it.
    burst: Option<(Run, u32)>,
    calling: Option<Run>,
    fax: bool,
    busy: bool,
}

impl FarEnd {
    /// Takes the next 20 ms, and what is said to the far end meanwhile.
    pub fn hear(&mut self, frame: &Frame, ours: Option<&Frame>) -> Option<Sound> {
        self.now += 1;
        self.ours = (self.ours - self.ours / FADES).max(ours.map_or(0, level));
        let kind = kind_of(frame, LOUD.max(self.ours / ECHO));
        let tone = self.tone(kind);
        let voice = self.voice(kind);
        tone.or(voice)
    }

    fn voice(&mut self, kind: Kind) -> Option<Sound> {
        match kind {
            Kind::Voice => (self.loud, self.quiet) = ((self.loud + 1).min(SPEECH), 0),
            Kind::Quiet => (self.loud, self.quiet) = (self.loud.saturating_sub(1), (self.quiet + 1).min(SILENCE)),
            Kind::Tone { .. } | Kind::Pair => self.quiet = 0,
        }
        let speaks = if self.speaks { self.quiet < SILENCE } else { self.loud >= SPEECH };
        let changed = speaks != self.speaks;
        self.speaks = speaks;
        changed.then_some(if speaks { Sound::Voice } else { Sound::Quiet })
    }

    fn tone(&mut self, kind: Kind) -> Option<Sound> {
        let part = match kind {
            Kind::Tone { hz } => Some(Some(hz)),
            Kind::Pair => Some(None),
            Kind::Quiet | Kind::Voice => None,
        };
        let Some(hz) = part else { return self.no_tone(kind == Kind::Quiet) };
        self.ended = None;
        match &mut self.run {
            Some(run) if run.goes_on(hz) => {
                (run.len, run.missed, run.quiet) = (run.len + 1 + run.missed, 0, 0);
                let (len, hz) = (run.len, run.hz);
                self.lasts(len, hz)
            }
            _ => {
                self.run = Some(Run { hz, len: 1, missed: 0, quiet: 0, begun: self.now });
                None
            }
        }
    }

    fn lasts(&mut self, len: u32, hz: Option<f64>) -> Option<Sound> {
        if !self.fax && len >= ANSWER_TONE && hz.is_some_and(|hz| (2_070.0..2_130.0).contains(&hz)) {
            self.fax = true;
            return Some(Sound::Fax);
        }
        if len != TONE {
            return None;
        }
        // Who spoke is done: a greeting ends in a beep.
        (self.speaks, self.loud) = (false, 0);
        Some(Sound::Tone)
    }

    /// A frame without a tone: the end of one, or what follows it.
    fn no_tone(&mut self, quiet: bool) -> Option<Sound> {
        if let Some(run) = &mut self.run {
            run.missed += 1;
            run.quiet = if quiet { run.quiet + 1 } else { 0 };
            if run.missed > MISSES {
                self.ended = self.run.take().filter(|run| run.len >= TONE);
            }
            return None;
        }
        let ended = self.ended.as_mut()?;
        ended.quiet = if quiet { ended.quiet + 1 } else { 0 };
        if !quiet {
            self.ended = None;
            return None;
        }
        if ended.quiet < AFTER {
            return None;
        }
        self.ended.take().and_then(|run| self.over(run))
    }

    /// A tone is over, and silence follows.
    fn over(&mut self, run: Run) -> Option<Sound> {
        let near = |hz: f64, off: f64| run.hz.is_some_and(|own| (own - hz).abs() <= off);
        if near(1_100.0, 40.0) && CALLING_TONE.contains(&run.len) {
            let before = self.calling.replace(run);
            let again = before.is_some_and(|before| CALLING_PAUSE.contains(&run.since(&before)));
            if again && !self.fax {
                self.fax = true;
                return Some(Sound::Fax);
            }
        }
        let low = run.hz.is_none_or(|hz| (350.0..650.0).contains(&hz));
        if low && BURST.contains(&run.len) {
            let alike = self
                .burst
                .filter(|(before, _)| BURST.contains(&run.since(before)) && run.len.abs_diff(before.len) <= ALIKE);
            let count = alike.map_or(1, |(_, count)| count + 1);
            self.burst = Some((run, count));
            if count >= BURSTS && !self.busy {
                self.busy = true;
                return Some(Sound::Busy);
            }
            if count > 1 {
                return None;
            }
        }
        // The pair is no beep of anybody's.
        run.hz.map(|_| Sound::Beep)
    }
}

impl Run {
    fn goes_on(&self, hz: Option<f64>) -> bool {
        match (self.hz, hz) {
            (Some(own), Some(hz)) => (own - hz).abs() <= STILL_HZ,
            (None, None) => true,
            _ => false,
        }
    }

    /// The silence between this one and the one before.
    fn since(&self, before: &Self) -> u32 {
        self.begun.saturating_sub(before.begun + before.len)
    }
}

/// How loud a frame is, on average.
fn level(frame: &Frame) -> u32 {
    frame.iter().map(|sample| u32::from(sample.unsigned_abs())).sum::<u32>() / FRAME as u32
}

/// What a frame is that says nothing unless it is as loud as `least`.
fn kind_of(frame: &Frame, least: u32) -> Kind {
    if level(frame) < least {
        return Kind::Quiet;
    }
    let energy: f64 = frame.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let mean = energy / FRAME as f64;
    if let Some(hz) = frequency(frame).filter(|hz| (350.0..2_300.0).contains(hz)) {
        let power = power_at(frame, hz);
        if power / 2.0 >= mean * SHARE {
            return Kind::Tone { hz };
        }
    }
    let (low, high) = (power_at(frame, 480.0), power_at(frame, 620.0));
    if (low + high) / 2.0 >= mean * SHARE && low < high * 6.0 && high < low * 6.0 {
        return Kind::Pair;
    }
    Kind::Voice
}

/// The one frequency that would explain the sound best: of a sine, each sample is its neighbours' sum over a constant.
fn frequency(frame: &Frame) -> Option<f64> {
    let (mut sum, mut own) = (0.0, 0.0);
    for three in frame.windows(3) {
        let [before, at, after] = [f64::from(three[0]), f64::from(three[1]), f64::from(three[2])];
        sum += (before + after) * at;
        own += at * at;
    }
    let cosine = (own > 0.0).then(|| sum / own / 2.0).filter(|cosine| cosine.abs() < 1.0)?;
    Some(cosine.acos() / TAU * f64::from(RATE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::audio::frame::SILENCE as NOTHING;
    use crate::proto::audio::g711;
    use crate::proto::audio::tone::{ringback, sine};

    const SECOND: usize = RATE as usize;

    /// What is told of a sound that came over the telephone network, and after how many frames.
    fn told(sound: &[i16]) -> Vec<(usize, Sound)> {
        let mut ear = FarEnd::default();
        let frames = sound.chunks(FRAME).enumerate();
        let heard = frames.filter_map(|(n, chunk)| {
            let mut frame = NOTHING;
            for (to, from) in frame.iter_mut().zip(chunk) {
                *to = g711::from_ulaw(g711::to_ulaw(*from));
            }
            ear.hear(&frame, None).map(|sound| (n, sound))
        });
        heard.collect()
    }

    fn sounds(sound: &[i16]) -> Vec<Sound> {
        told(sound).into_iter().map(|(_, sound)| sound).collect()
    }

    fn quiet(ms: usize) -> Vec<i16> {
        vec![0; ms * SECOND / 1_000]
    }

    fn tone(hz: f64, ms: usize) -> Vec<i16> {
        sine(hz, 7_000.0, ms * SECOND / 1_000)
    }

    fn pair(ms: usize) -> Vec<i16> {
        tone(480.0, ms).iter().zip(tone(620.0, ms)).map(|(a, b)| a / 2 + b / 2).collect()
    }

    /// Words of the house's own, spoken.
    fn words() -> Vec<(String, Vec<i16>)> {
        let mut files: Vec<_> =
            std::fs::read_dir("prompts/en").expect("prompts").map(|f| f.expect("one").path()).collect();
        files.sort();
        let words = |path: &std::path::PathBuf| {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            path.extension().is_some_and(|e| e == "wav") && !matches!(name, "music" | "beep")
        };
        let wavs = files.into_iter().filter(words);
        let read = |path: std::path::PathBuf| {
            let mut wav = hound::WavReader::open(&path).expect("a WAV file");
            let step = (wav.spec().sample_rate / RATE) as usize * usize::from(wav.spec().channels);
            let samples: Vec<i16> = wav.samples::<i16>().map(|s| s.expect("a sample")).step_by(step.max(1)).collect();
            (path.display().to_string(), samples)
        };
        wavs.map(read).collect()
    }

    #[test]
    fn a_beep_is_told_at_its_beginning_and_when_silence_follows_whatever_its_pitch() {
        for hz in [400.0, 440.0, 850.0, 1_000.0, 1_400.0, 2_000.0] {
            for ms in [200, 500, 1_000] {
                let heard = told(&[quiet(500), tone(hz, ms), quiet(1_000)].concat());
                assert_eq!(heard.len(), 2, "{hz} Hz for {ms} ms: {heard:?}");
                assert_eq!((heard[0].1, heard[1].1), (Sound::Tone, Sound::Beep));
                let late = heard[1].0 * 20 - (500 + ms);
                assert!(late <= 120, "{hz} Hz: told {late} ms after its end");
            }
        }
    }

    #[test]
    fn words_are_a_voice_and_nothing_else() {
        for (name, words) in words() {
            let heard = sounds(&[quiet(200), words, quiet(1_000)].concat());
            let voice = heard.iter().all(|sound| matches!(sound, Sound::Voice | Sound::Quiet));
            assert!(voice, "{name}: {heard:?}");
            assert_eq!((heard.first(), heard.last()), (Some(&Sound::Voice), Some(&Sound::Quiet)), "{name}");
        }
    }

    #[test]
    fn a_beep_behind_words_is_heard() {
        let (_, greeting) = words().into_iter().max_by_key(|(_, words)| words.len()).expect("a prompt");
        let heard = sounds(&[greeting, quiet(300), tone(1_000.0, 400), quiet(3_000)].concat());
        assert_eq!(heard[0], Sound::Voice);
        assert_eq!(heard[heard.len() - 2..], [Sound::Tone, Sound::Beep], "{heard:?}");
    }

    #[test]
    fn what_comes_back_of_our_own_words_is_no_voice() {
        let (_, ours) = words().into_iter().max_by_key(|(_, words)| words.len()).expect("a prompt");
        let frame = |n: usize, part: i16| {
            let mut frame = NOTHING;
            for (to, from) in frame.iter_mut().zip(ours.iter().skip(n * FRAME)) {
                *to = from / part;
            }
            frame
        };
        let heard = |part: i16| {
            let mut ear = FarEnd::default();
            // A tenth of a second later.
            let told = (5..ours.len() / FRAME).filter_map(|n| ear.hear(&frame(n - 5, part), Some(&frame(n, 1))));
            told.collect::<Vec<_>>()
        };
        assert_eq!(heard(12), []);
        assert!(heard(1).contains(&Sound::Voice), "somebody as loud as we are is heard beside us");
    }

    #[test]
    fn a_fax_is_known_by_its_answering_tone_and_by_its_calling_tone() {
        let heard = told(&[quiet(1_800), tone(2_100.0, 3_000), quiet(75)].concat());
        assert_eq!(
            heard.iter().find(|(_, sound)| *sound == Sound::Fax).map(|(n, _)| n * 20 / 100),
            Some(27),
            "{heard:?}"
        );
        let calling = [tone(1_100.0, 500), quiet(3_000)].concat();
        let heard = sounds(&calling.repeat(2));
        assert_eq!(heard, [Sound::Tone, Sound::Beep, Sound::Tone, Sound::Fax]);
    }

    #[test]
    fn a_busy_line_is_known_by_its_bursts() {
        for (burst, pause) in [(500, 500), (250, 250)] {
            let heard = sounds(&[pair(burst), quiet(pause)].concat().repeat(5));
            assert_eq!(heard.iter().filter(|sound| **sound == Sound::Busy).count(), 1, "{burst} ms: {heard:?}");
            assert!(!heard.contains(&Sound::Beep) && !heard.contains(&Sound::Voice), "{heard:?}");
        }
        let heard = sounds(&[tone(425.0, 480), quiet(480)].concat().repeat(4));
        assert!(heard.contains(&Sound::Busy), "as in Europe: {heard:?}");
        assert!(!sounds(&ringback().repeat(4)).contains(&Sound::Busy), "a ringing tone");
    }

    #[test]
    fn hiss_clicks_and_keys_are_nothing() {
        let mut rng = crate::base::rng::Rng::seeded(3);
        let hiss: Vec<i16> = (0..5 * SECOND).map(|_| rng.below(120) as i16 - 60).collect();
        assert_eq!(sounds(&hiss), []);
        let click = [vec![20_000; 160], quiet(400)].concat();
        assert_eq!(sounds(&click.repeat(20)), []);
        let keys = super::super::dtmf::tones('1', SECOND / 5).expect("a key");
        let heard = sounds(&[keys, quiet(1_000)].concat());
        assert!(!heard.contains(&Sound::Beep) && !heard.contains(&Sound::Tone), "{heard:?}");
    }
}
