//! Recordings from the tap to the WAV: what was said is there and in step, what was not kept is told, and nothing that
//! somebody else wrote is ever played. The writer is turned by hand, but for the test of a disk that stands still.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32};

use super::flusher::Flush;
use super::tap::BLOCKS;
use super::*;
use crate::base::clock::TestClock;
use crate::proto::audio::frame::{FRAME, Frame, SILENCE};
use crate::proto::audio::tone::{power_at, sine};

const CALLER_HZ: f64 = 500.0;
const OURS_HZ: f64 = 1_100.0;

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("cordboard-recording-{}-{count}", std::process::id()));
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a disk does when it is written to.
#[derive(Clone, Default)]
struct Moods {
    full: Arc<AtomicBool>,
    stuck: Arc<AtomicBool>,
    /// No file can be made.
    locked: Arc<AtomicBool>,
    /// A flush would take long: whoever asks for one has waited.
    slow: Arc<AtomicBool>,
}

struct MoodyShelf(Directory, Moods);
struct MoodyReel(Arc<dyn Reel>, Moods);

impl Shelf for MoodyShelf {
    fn make(&mut self, call: &CallId) -> io::Result<Arc<dyn Reel>> {
        if self.1.locked.load(Ordering::SeqCst) {
            return Err(ErrorKind::PermissionDenied.into());
        }
        Ok(Arc::new(MoodyReel(self.0.make(call)?, self.1.clone())))
    }
}

impl Reel for MoodyReel {
    fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        while self.1.stuck.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        if self.1.full.load(Ordering::SeqCst) {
            // A part still fits, as on a real disk.
            self.0.write(&bytes[..bytes.len() / 2], at)?;
            return Err(ErrorKind::StorageFull.into());
        }
        self.0.write(bytes, at)
    }

    fn cut(&self, len: u64) -> io::Result<()> {
        self.0.cut(len)
    }

    fn flush(&self) -> io::Result<()> {
        assert!(!self.1.slow.load(Ordering::SeqCst), "somebody waits for the disk");
        self.0.flush()
    }
}

/// A writer without a thread.
struct House {
    scratch: Scratch,
    writer: Writer,
    recordings: Recordings,
    ended: told::UnboundedReceiver<Ended>,
    clock: TestClock,
    moods: Moods,
    flusher: Flusher,
}

impl House {
    /// Files are flushed as soon as it is asked for.
    fn new() -> Self {
        Self::with_flushes().0
    }

    /// Files are flushed when the test does it, once it has had a look at what was asked for.
    fn with_flushes() -> (Self, mpsc::Receiver<Flush>) {
        let (scratch, clock, moods) = (Scratch::new(), TestClock::at(UtcMs(1_800_000_000_000)), Moods::default());
        let (new, received) = mpsc::channel();
        let (ends, ended) = told::unbounded_channel();
        let (seal, health) = (Arc::new(Seal::new(&[7; 32])), Arc::new(Health::default()));
        let shelf = Box::new(MoodyShelf(Directory::new(scratch.0.clone()), moods.clone()));
        let shared: SharedClock = Arc::new(clock.clone());
        let (flushes, asked) = mpsc::channel();
        let flusher = Flusher::new(Arc::clone(&health), ends);
        let (sealing, time) = (Arc::clone(&seal), Arc::clone(&shared));
        let writer = Writer::new(received, shelf, sealing, time, Arc::clone(&health), flushes, flusher.clone());
        let (directory, writing) = (scratch.0.clone(), Mutex::new(None));
        let peaks = peaks::Remembered::default();
        let inner = Inner { directory, seal, clock: shared, new, health, writer: writing, peaks };
        let recordings = Recordings { inner: Arc::new(inner) };
        (Self { scratch, writer, recordings, ended, clock, moods, flusher }, asked)
    }

    /// So many beats of two people talking, the writer looking now and then.
    fn talk(&mut self, tap: &mut Tap, beats: usize) {
        let (caller, ours) = (frames(CALLER_HZ), frames(OURS_HZ));
        for beat in 0..beats {
            tap.beat(&caller[beat % caller.len()], &ours[beat % ours.len()]);
            self.clock.advance(Duration::from_millis(20));
            if beat % 20 == 19 {
                self.writer.turn();
            }
        }
        self.writer.turn();
    }

    fn over(&mut self, tap: Tap) -> Ended {
        drop(tap);
        self.writer.turn();
        self.ended.try_recv().expect("the recording is over")
    }

    fn path(&self) -> PathBuf {
        path_of(&self.scratch.0, &call())
    }
}

fn call() -> CallId {
    CallId::named("recorded")
}

/// A second of a tone, frame by frame.
fn frames(hz: f64) -> Vec<Frame> {
    sine(hz, 8_000.0, 8_000).chunks_exact(FRAME).map(|chunk| chunk.try_into().expect("whole frames")).collect()
}

/// All of the WAV, asked for in parts, and its two sides as an independent reader decodes them.
fn sides(recorded: &Recorded) -> (Vec<i16>, Vec<i16>) {
    let mut bytes = Vec::new();
    loop {
        let part = recorded.wav(bytes.len() as u64..u64::MAX).expect("it was looked at when it was opened");
        if part.is_empty() {
            break;
        }
        bytes.extend(part);
    }
    assert_eq!(bytes.len() as u64, recorded.wav_len());
    let wav = hound::WavReader::new(Cursor::new(bytes)).expect("a WAV file");
    let spec = wav.spec();
    assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (2, 8_000, 16));
    let samples: Vec<i16> = wav.into_samples().collect::<Result<_, _>>().expect("whole");
    (samples.iter().copied().step_by(2).collect(), samples.iter().copied().skip(1).step_by(2).collect())
}

fn assert_says(side: &[i16], wanted: f64, unwanted: f64) {
    for (n, part) in side.chunks_exact(1_600).enumerate() {
        let (is, other) = (power_at(part, wanted).sqrt(), power_at(part, unwanted).sqrt());
        assert!(is > 7_000.0 && other < 100.0, "tenth {n} of a fifth: {is} of {wanted} Hz, {other} of {unwanted} Hz");
    }
}

#[test]
fn each_side_is_on_its_own_channel_and_nowhere_else() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    house.talk(&mut tap, 520);
    let end = house.over(tap);
    let figures = Figures { length_ms: 10_400, sound_ms: 10_400, ..Figures::default() };
    assert_eq!(end, Ended { call: call(), figures, complete: true });
    let recorded = house.recordings.open(&call()).expect("it opens");
    assert!(recorded.is_complete() && recorded.marks().is_empty());
    assert_eq!((recorded.started_at(), recorded.figures()), (UtcMs(1_800_000_000_000), figures));
    let (caller, ours) = sides(&recorded);
    assert_eq!((caller.len(), ours.len()), (520 * FRAME, 520 * FRAME));
    assert_says(&caller, CALLER_HZ, OURS_HZ);
    assert_says(&ours, OURS_HZ, CALLER_HZ);
}

#[test]
fn a_part_of_the_wav_is_the_part_of_the_whole() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    house.talk(&mut tap, 120);
    house.over(tap);
    let recorded = house.recordings.open(&call()).expect("it opens");
    let read = |range: Range| {
        let mut bytes = Vec::new();
        while range.start + (bytes.len() as u64) < range.end {
            bytes.extend(recorded.wav(range.start + bytes.len() as u64..range.end).expect("it reads"));
        }
        bytes
    };
    type Range = std::ops::Range<u64>;
    let whole = read(0..recorded.wav_len());
    for range in [0..1, 43..45, 44..45, 32_043..32_045, 10..70_000, 76_000..recorded.wav_len()] {
        assert_eq!(read(range.clone()), whole[range.start as usize..range.end as usize], "{range:?}");
    }
    assert!(recorded.wav(recorded.wav_len()..u64::MAX).expect("nothing").is_empty());
}

#[test]
fn a_part_costs_the_seconds_that_it_touches_and_the_last_one() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    house.talk(&mut tap, 3_000);
    tap.set(Kind::Paused);
    house.talk(&mut tap, 3_000);
    tap.set(Kind::Sound);
    house.talk(&mut tap, 25);
    house.over(tap);
    let whole = house.recordings.open(&call()).expect("it opens");
    let second = 32_000;
    for (range, touched) in [
        (0..44, 0),
        (44..45, 1),
        (44 + 7 * second..44 + 8 * second, 1),
        (43 + 8 * second..45 + 9 * second, 3),
        (44 + 59 * second..44 + 61 * second, 2),
        (44 + 119 * second..whole.wav_len(), 2),
    ] {
        let sound = house.recordings.open_sound(&call()).expect("it opens");
        assert_eq!((sound.wav_len(), sound.is_complete()), (44 + 120 * second + second / 2, true));
        assert_eq!(sound.read.load(Ordering::Relaxed), 1, "the last, to learn how long it is");
        let mut at = range.start;
        while at < range.end {
            let part = sound.wav(at..range.end).expect("it reads");
            assert_eq!(part, whole.wav(at..range.end).expect("it reads"), "{range:?}");
            at += part.len() as u64;
        }
        assert_eq!(sound.read.load(Ordering::Relaxed), 1 + touched, "{range:?}");
    }
}

#[test]
fn an_altered_second_is_refused_where_it_is_read_and_keeps_no_other() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    house.talk(&mut tap, 230);
    house.over(tap);
    let mut file = std::fs::read(house.path()).expect("it is there");
    let altered = segments(&file)[2].end - 1;
    file[altered] ^= 1;
    std::fs::write(house.path(), file).expect("written");
    assert_eq!(house.recordings.open(&call()).expect_err("one is altered").code(), "recording.damaged");
    let sound = house.recordings.open_sound(&call()).expect("the others are as they were written");
    for n in 0..5 {
        let at = 44 + n * 32_000;
        match sound.wav(at..at + 32_000) {
            Ok(part) => assert!(n != 2 && !part.is_empty(), "second {n}"),
            Err(error) => assert!(n == 2 && matches!(error, RecordingError::Damaged { second: 2 }), "{n}: {error}"),
        }
    }
}

#[test]
fn a_pause_is_silence_on_both_sides_and_is_marked() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    house.talk(&mut tap, 100);
    tap.set(Kind::Paused);
    house.talk(&mut tap, 75);
    tap.set(Kind::Off);
    house.talk(&mut tap, 30);
    tap.set(Kind::Sound);
    house.talk(&mut tap, 50);
    house.over(tap);
    let recorded = house.recordings.open(&call()).expect("it opens");
    let mark = |kind, at_ms, length_ms| Mark { kind, at_ms, length_ms };
    assert_eq!(recorded.marks(), [mark(Kind::Paused, 2_000, 1_500), mark(Kind::Off, 3_500, 600)]);
    let (caller, ours) = sides(&recorded);
    for (side, hz, other) in [(caller, CALLER_HZ, OURS_HZ), (ours, OURS_HZ, CALLER_HZ)] {
        assert!(side[100 * FRAME..205 * FRAME].iter().all(|sample| *sample == 0));
        assert_says(&side[..100 * FRAME], hz, other);
        assert_says(&side[205 * FRAME..], hz, other);
    }
    let bytes = std::fs::read(house.path()).expect("it is there").len();
    assert!(bytes < 155 * 330, "silence that was wanted takes no room: {bytes}");
}

#[test]
fn both_sides_are_in_step_after_an_hour_with_beats_missed() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    let click = [20_000; FRAME];
    let (mut beat, mut clicks) = (0_u64, Vec::new());
    while beat < 180_000 {
        if beat % 9_000 == 4_500 {
            tap.skip(7);
            beat += 7;
        } else if beat % 9_000 == 0 {
            tap.beat(&click, &click);
            clicks.push(beat);
            beat += 1;
        } else {
            // Time is what matters here: between the clicks nothing need be encoded.
            tap.set(Kind::Paused);
            tap.beat(&SILENCE, &SILENCE);
            tap.set(Kind::Sound);
            beat += 1;
        }
        if beat % 100 == 0 {
            house.writer.turn();
        }
    }
    let end = house.over(tap);
    assert_eq!((end.figures.length_ms, end.figures.gap_ms), (3_600_000, 20 * 7 * 20));
    let recorded = house.recordings.open(&call()).expect("it opens");
    let (mut heard, mut at, mut frame) = ([Vec::new(), Vec::new()], 44, 0);
    // Second by second, one sample of each frame: a whole hour of them says no more.
    while at < recorded.wav_len() {
        let second = recorded.wav(at..u64::MAX).expect("it reads");
        for bytes in second.chunks_exact(FRAME * 4) {
            for (side, loud) in heard.iter_mut().enumerate() {
                let place = 80 * 4 + side * 2;
                if i16::from_le_bytes([bytes[place], bytes[place + 1]]) > 10_000 {
                    loud.push(frame);
                }
            }
            frame += 1;
        }
        at += second.len() as u64;
    }
    assert_eq!((frame, heard), (180_000, [clicks.clone(), clicks]));
}

#[test]
fn a_file_cut_off_anywhere_is_heard_up_to_there() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    house.talk(&mut tap, 260);
    // Still going on: what is written can be heard.
    let live = house.recordings.open(&call()).expect("it opens");
    assert_eq!((live.is_complete(), live.figures().length_ms), (false, 5_000));
    house.over(tap);
    let whole = std::fs::read(house.path()).expect("it is there");
    let full = house.recordings.open(&call()).expect("it opens").figures().length_ms;
    assert_eq!(full, 5_200);
    for cut in (200..whole.len()).step_by(1_009) {
        std::fs::write(house.path(), &whole[..cut]).expect("written");
        let recorded = house.recordings.open(&call()).expect("what is whole can be heard");
        assert!(!recorded.is_complete(), "cut at {cut}");
        let there = (cut as u64 - 120) * full / whole.len() as u64;
        assert!(recorded.figures().length_ms + 1_000 >= there, "cut at {cut}: {:?}", recorded.figures());
        // A power cut may leave room that was never written.
        let mut torn = whole[..cut].to_vec();
        torn.resize(cut + 4_096, 0);
        std::fs::write(house.path(), torn).expect("written");
        match house.recordings.open(&call()) {
            Ok(torn) => assert!(!torn.is_complete()),
            // In the middle of a second it cannot be told from a forgery.
            Err(error) => assert_eq!(error.code(), "recording.damaged"),
        }
    }
}

/// Where each segment begins, by the lengths that stand in the file.
fn segments(file: &[u8]) -> Vec<std::ops::Range<usize>> {
    let head = 10 + usize::from(u16::from_be_bytes([file[8], file[9]]));
    let (mut at, mut found) = (head, Vec::new());
    while at < file.len() {
        let len = u32::from_be_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]) as usize;
        found.push(at..at + segment::PREFIX + len);
        at += segment::PREFIX + len;
    }
    found
}

#[test]
fn no_altered_swapped_repeated_or_missing_second_is_played() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    house.talk(&mut tap, 170);
    house.over(tap);
    let whole = std::fs::read(house.path()).expect("it is there");
    let parts = segments(&whole);
    assert_eq!(parts.len(), 4);
    let head = parts[0].start;
    let refused = |bytes: &[u8]| {
        std::fs::write(house.path(), bytes).expect("written");
        house.recordings.open(&call()).map(|r| (r.is_complete(), r.figures().length_ms)).map_err(|error| error.code())
    };
    for at in (0..whole.len()).step_by(61).chain(parts.iter().flat_map(|p| p.start..p.start + 14)) {
        let mut altered = whole.clone();
        altered[at] ^= 0x10;
        match refused(&altered) {
            Err("recording.damaged" | "recording.not_ours") => {}
            // A length that reaches beyond the end looks like a file that was cut off, and is told as one.
            Ok((false, length)) => assert!(length < 3_400, "byte {at}"),
            other => panic!("byte {at}: {other:?}"),
        }
    }
    let built = |order: &[usize]| {
        let mut bytes = whole[..head].to_vec();
        order.iter().for_each(|n| bytes.extend_from_slice(&whole[parts[*n].clone()]));
        bytes
    };
    for order in [&[1, 0, 2, 3][..], &[0, 0, 1, 2, 3], &[0, 2, 3], &[1, 2, 3], &[0, 1, 2, 3, 3], &[0, 1, 3]] {
        assert_eq!(refused(&built(order)), Err("recording.damaged"), "{order:?}");
    }
    assert_eq!(refused(&built(&[0, 1])), Ok((false, 2_000)), "cut off between two seconds, and told");
    assert_eq!(refused(&built(&[0, 1, 2, 3])), Ok((true, 3_400)));
    let error = house.recordings.open(&CallId::named("other")).expect_err("there is none");
    assert_eq!(error.code(), "recording.missing");
    std::fs::copy(house.path(), path_of(&house.scratch.0, &CallId::named("other"))).expect("copied");
    let error = house.recordings.open(&CallId::named("other")).expect_err("another call's");
    assert_eq!(error.code(), "recording.not_ours");
    let other_key = Recorded::open(File::open(house.path()).expect("there"), &Seal::new(&[8; 32]), &call());
    assert!(other_key.expect_err("another key").to_string().contains("restore the key file"));
}

#[test]
fn nothing_that_was_said_stands_in_the_file_as_it_was() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    for _ in 0..100 {
        tap.beat(&[1_000; FRAME], &[1_000; FRAME]);
        house.writer.turn();
    }
    house.over(tap);
    let file = std::fs::read(house.path()).expect("it is there");
    // Longer than the zeros of a length and a nonce.
    assert!(file.windows(24).all(|window| window.iter().any(|byte| *byte != window[0])), "no run of equal octets");
    let rights =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(house.path()).expect("there").permissions());
    assert_eq!(rights & 0o777, 0o600);
}

#[test]
fn a_full_disk_costs_what_it_refuses_and_no_more() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    house.talk(&mut tap, 200);
    assert!(house.recordings.take_trouble().refused.is_none());
    house.moods.full.store(true, Ordering::SeqCst);
    house.talk(&mut tap, 150);
    let trouble = house.recordings.take_trouble();
    assert_eq!((trouble.refused, trouble.lost_ms), (Some(ErrorKind::StorageFull), 0));
    assert!(house.recordings.take_trouble().refused.is_none(), "told once");
    house.moods.full.store(false, Ordering::SeqCst);
    house.talk(&mut tap, 100);
    let end = house.over(tap);
    assert!(end.complete);
    let recorded = house.recordings.open(&call()).expect("it opens");
    assert_eq!(recorded.figures(), end.figures);
    assert_eq!((end.figures.length_ms, end.figures.gap_ms), (9_000, 3_000));
    assert_eq!(recorded.marks(), [Mark { kind: Kind::Gap, at_ms: 4_000, length_ms: 3_000 }]);
    let (caller, _) = sides(&recorded);
    assert_says(&caller[..200 * FRAME], CALLER_HZ, OURS_HZ);
    assert_says(&caller[350 * FRAME..], CALLER_HZ, OURS_HZ);
}

#[test]
fn a_disk_that_stays_full_ends_the_recording_incomplete() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    house.talk(&mut tap, 100);
    house.moods.full.store(true, Ordering::SeqCst);
    house.talk(&mut tap, 100);
    drop(tap);
    for _ in 0..70 {
        house.clock.advance(Duration::from_secs(1));
        house.writer.turn();
    }
    let end = house.ended.try_recv().expect("it is given up");
    assert!(!end.complete);
    let recorded = house.recordings.open(&call()).expect("what there is can be heard");
    assert_eq!((recorded.is_complete(), recorded.figures().length_ms), (false, 2_000));
}

#[test]
fn a_disk_that_stands_still_keeps_nobody_waiting_and_the_hole_is_told() {
    let (scratch, moods) = (Scratch::new(), Moods::default());
    let clock: SharedClock = Arc::new(TestClock::at(UtcMs(1_800_000_000_000)));
    let shelf = Box::new(MoodyShelf(Directory::new(scratch.0.clone()), moods.clone()));
    let seal = Arc::new(Seal::new(&[7; 32]));
    let (recordings, mut ended) = Recordings::start_on(shelf, scratch.0.clone(), seal, clock).expect("a thread");
    moods.stuck.store(true, Ordering::SeqCst);
    let mut tap = recordings.begin(&call());
    // Far more than the pool holds, while the writer hangs in its first write: this returns, so nobody waited.
    let (caller, ours) = (frames(CALLER_HZ), frames(OURS_HZ));
    for beat in 0..1_000 {
        tap.beat(&caller[beat % 50], &ours[beat % 50]);
    }
    let trouble = recordings.take_trouble();
    let kept = BLOCKS as u64 * 200;
    assert!((1..=20_000 - kept).contains(&trouble.lost_ms), "{trouble:?}");
    moods.stuck.store(false, Ordering::SeqCst);
    drop(tap);
    let end = ended.blocking_recv().expect("it ends");
    assert!(end.complete);
    let recorded = recordings.open(&call()).expect("it opens");
    assert_eq!(recorded.figures(), end.figures);
    assert_eq!((end.figures.length_ms, end.figures.gap_ms), (20_000, trouble.lost_ms), "as long as the call was");
    let mark = recorded.marks().last().expect("the hole is marked");
    assert_eq!(mark.kind, Kind::Gap);
    let (caller, _) = sides(&recorded);
    assert_says(&caller[..100 * FRAME], CALLER_HZ, OURS_HZ);
    assert!(!recordings.is_idle(), "a service that stops now would lose the word of its end");
    recordings.noted();
    assert!(recordings.is_idle());
}

#[test]
fn a_file_that_cannot_be_made_for_a_while_costs_that_while() {
    let mut house = House::new();
    house.moods.locked.store(true, Ordering::SeqCst);
    let mut tap = house.recordings.begin(&call());
    house.talk(&mut tap, 100);
    assert_eq!(house.recordings.take_trouble().refused, Some(ErrorKind::PermissionDenied));
    house.moods.locked.store(false, Ordering::SeqCst);
    house.talk(&mut tap, 100);
    let end = house.over(tap);
    assert_eq!((end.complete, end.figures.length_ms, end.figures.gap_ms), (true, 4_000, 2_000));
    let recorded = house.recordings.open(&call()).expect("it opens");
    assert_eq!(recorded.marks(), [Mark { kind: Kind::Gap, at_ms: 0, length_ms: 2_000 }]);
}

#[test]
fn a_directory_that_cannot_be_flushed_costs_no_recording() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    house.talk(&mut tap, 55);
    // The file is written on, and its name cannot be brought to the disk.
    let elsewhere = Scratch::new();
    std::fs::rename(&house.scratch.0, &elsewhere.0).expect("moved");
    house.talk(&mut tap, 100);
    assert_eq!(house.recordings.take_trouble().refused, Some(ErrorKind::NotFound), "told, and tried again");
    std::fs::rename(&elsewhere.0, &house.scratch.0).expect("moved");
    house.talk(&mut tap, 100);
    assert!(house.recordings.take_trouble().refused.is_none(), "it is there now");
    let end = house.over(tap);
    assert_eq!((end.complete, end.figures.length_ms, end.figures.gap_ms), (true, 5_100, 0));
    assert_eq!(house.recordings.open(&call()).expect("it opens").figures(), end.figures);
}

#[test]
fn a_disk_that_takes_long_to_flush_keeps_nobody_from_writing() {
    let (mut house, asked) = House::with_flushes();
    house.moods.slow.store(true, Ordering::SeqCst);
    let mut tap = house.recordings.begin(&call());
    house.talk(&mut tap, 500);
    let live = house.recordings.open(&call()).expect("it opens");
    assert_eq!(live.figures().length_ms, 10_000, "what a killed process leaves");
    let waiting: Vec<Flush> = asked.try_iter().collect();
    assert_eq!(waiting.len(), 1, "asked for once as long as it is not done");
    house.moods.slow.store(false, Ordering::SeqCst);
    waiting.into_iter().for_each(|flush| house.flusher.flush(flush));
    house.talk(&mut tap, 100);
    assert_eq!(asked.try_iter().count(), 1, "and again then");
    drop(tap);
    house.writer.turn();
    assert!(house.ended.try_recv().is_err(), "over once its end is on the disk");
    asked.try_iter().for_each(|flush| house.flusher.flush(flush));
    assert!(house.ended.try_recv().expect("the recording is over").complete);
}

#[test]
fn a_killed_process_leaves_all_but_the_last_second_a_block_and_a_look() {
    let mut house = House::new();
    let mut tap = house.recordings.begin(&call());
    let (caller, ours) = (frames(CALLER_HZ), frames(OURS_HZ));
    for beat in 0..600_u64 {
        tap.beat(&caller[beat as usize % 50], &ours[beat as usize % 50]);
        if beat % 3 == 2 {
            // A look each 60 ms.
            house.writer.turn();
        }
        let left = house.recordings.open(&call()).map_or(0, |recorded| recorded.figures().length_ms);
        assert!(left + 1_000 + 200 + 60 >= (beat + 1) * 20, "{left} ms are left after {beat} beats");
    }
}

#[test]
fn old_recordings_are_deleted_and_nothing_else_is() {
    let mut house = House::new();
    let swept = house.recordings.sweep(UtcMs(0), Duration::ZERO);
    assert!(swept.deleted.is_empty() && swept.trouble.is_none(), "no directory is no fault");
    let tap = house.recordings.begin(&call());
    house.over(tap);
    let other = house.scratch.0.join("notes.txt");
    std::fs::write(&other, "not ours").expect("written");
    let written = std::fs::metadata(house.path()).expect("there").modified().expect("a time");
    let written = written.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis() as i64;
    let day = Duration::from_secs(86_400);
    assert!(house.recordings.sweep(UtcMs(written + 86_400_000), day).deleted.is_empty());
    let swept = house.recordings.sweep(UtcMs(written + 86_400_001), day);
    assert_eq!((swept.deleted, swept.trouble.is_none()), (vec![call()], true));
    assert!(other.exists() && !house.path().exists());
    assert_eq!(house.recordings.open(&call()).expect_err("deleted").code(), "recording.missing");
}

#[test]
fn one_recording_that_cannot_be_deleted_keeps_no_other_and_those_deleted_are_told() {
    let mut house = House::new();
    let calls: Vec<CallId> = (0..20).map(|n| CallId::named(&format!("old-{n}"))).collect();
    for call in &calls {
        let tap = house.recordings.begin(call);
        house.over(tap);
    }
    for n in 0..20 {
        // No file: it cannot be deleted as one.
        let path = path_of(&house.scratch.0, &CallId::named(&format!("kept-{n}")));
        std::fs::create_dir(path).expect("made");
    }
    let mut swept = house.recordings.sweep(UtcMs(i64::MAX), Duration::from_secs(86_400));
    assert!(swept.trouble.is_some(), "and that is told too");
    swept.deleted.sort();
    let mut wanted = calls;
    wanted.sort();
    assert_eq!(swept.deleted, wanted);
}
