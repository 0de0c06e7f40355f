//! Recordings as they are in the service: real media threads and a real disk, a caller and an operator who each say a
//! tone of their own over RTP. What is recorded is decoded from its WAV by another's reader. And the process that records
//! is killed in the middle of it: it is this test binary itself, run as a child.

#[path = "support/ear.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod ear;
#[path = "support/media.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod media;
#[path = "support/temp.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod temp;
#[path = "support/tones.rs"]
mod tones;

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::{SharedClock, SystemClock};
use cordboard::base::id::CallId;
use cordboard::domain::call::bridge::{BridgeId, HearMatrix, LegId, Source};
use cordboard::io::media::{Media, MediaConfig, MediaEvent, ShardId};
use cordboard::io::recording::{Kind, Mark, Recorded, Recordings};
use cordboard::io::store::seal::Seal;
use ear::Ear;
use media::{config, own_ip, plain};
use tokio::sync::mpsc;

const CALLER_HZ: f64 = 700.0;
const OPERATOR_HZ: f64 = 1_100.0;
/// Set for the child: where it records.
const DIRECTORY: &str = "CORDBOARD_RECORDING_DIRECTORY";
const CALLER: LegId = LegId(1);
const OPERATOR: LegId = LegId(2);

fn call() -> CallId {
    CallId::named("recorded")
}

fn recordings(directory: &Path) -> (Recordings, mpsc::UnboundedReceiver<cordboard::io::recording::Ended>) {
    let clock: SharedClock = Arc::new(SystemClock);
    Recordings::start(directory.to_owned(), Arc::new(Seal::new(&[9; 32])), clock).expect("a thread")
}

/// Two media threads with a caller and an operator who talk, each a telephone of its own.
struct Line {
    media: Media,
    _events: mpsc::Receiver<MediaEvent>,
    caller: Ear,
    operator: Ear,
}

impl Line {
    fn open(ports: u16) -> Self {
        let (events, received) = mpsc::channel(1_024);
        let config = MediaConfig { shards: 2, ..config(own_ip(248), ports..=ports + 31, Arc::new(SystemClock)) };
        let media = Media::start(config, events).expect("media starts");
        let (caller, operator) = (Ear::open(CALLER_HZ), Ear::open(OPERATOR_HZ));
        for (leg, ear) in [(CALLER, &caller), (OPERATOR, &operator)] {
            media.open_rtp(ShardId(0), leg).expect("a port");
            media.connect_rtp(leg, plain(([127, 0, 0, 1], ear.port()).into())).expect("the leg is open");
        }
        let line = Self { media, _events: received, caller, operator };
        // Each ear answers to where it is spoken to from.
        line.bridge(0, 1, HearMatrix::default().with(CALLER, &[Source::Music]).with(OPERATOR, &[Source::Music]));
        for ear in [&line.caller, &line.operator] {
            ear.listen(0.2);
        }
        line.bridge(0, 2, HearMatrix::conference(&[CALLER, OPERATOR]));
        for ear in [&line.caller, &line.operator] {
            ear.listen(0.5);
        }
        line
    }

    fn bridge(&self, shard: usize, rev: u64, matrix: HearMatrix) {
        self.media.set_bridge(ShardId(shard), BridgeId(1), rev, matrix);
    }

    /// So much is said.
    fn talk(&self, seconds: f64) {
        self.caller.listen(seconds);
    }
}

/// Both sides of a recording as hound reads them.
fn sides(recorded: &Recorded) -> (Vec<i16>, Vec<i16>) {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < recorded.wav_len() {
        bytes.extend(recorded.wav(bytes.len() as u64..u64::MAX).expect("it reads"));
    }
    let wav = hound::WavReader::new(Cursor::new(bytes)).expect("a WAV file");
    let samples: Vec<i16> = wav.into_samples().collect::<Result<_, _>>().expect("whole");
    (samples.iter().copied().step_by(2).collect(), samples.iter().copied().skip(1).step_by(2).collect())
}

fn of(side: &[i16], from_ms: u64, to_ms: u64) -> &[i16] {
    &side[from_ms as usize * 8..(to_ms as usize * 8).min(side.len())]
}

/// The same without what a busy machine missed, which is marked.
fn kept(side: &[i16], marks: &[Mark], from_ms: u64, to_ms: u64) -> Vec<i16> {
    let (mut at, mut kept) = (from_ms, Vec::new());
    for gap in marks.iter().filter(|mark| mark.kind == Kind::Gap && (from_ms..to_ms).contains(&mark.at_ms)) {
        kept.extend(of(side, at, gap.at_ms));
        at = gap.at_ms + gap.length_ms;
    }
    kept.extend(of(side, at, to_ms));
    kept
}

#[test]
fn two_voices_are_on_two_channels_a_pause_is_in_neither_and_a_move_changes_nothing() {
    let scratch = temp::TempDir::new("recording");
    let (recordings, mut ended) = recordings(scratch.path());
    let line = Line::open(16_200);
    line.media.record(CALLER, recordings.begin(&call())).expect("the leg is open");
    line.talk(1.5);
    line.media.set_recording(CALLER, Kind::Paused).expect("the leg is open");
    line.talk(1.0);
    line.media.set_recording(CALLER, Kind::Sound).expect("the leg is open");
    line.talk(1.0);
    line.bridge(1, 3, HearMatrix::conference(&[CALLER, OPERATOR]));
    line.media.move_legs(&[CALLER, OPERATOR], ShardId(1)).expect("both are open");
    line.media.drop_bridge(ShardId(0), BridgeId(1));
    line.talk(1.5);
    line.media.close(CALLER);
    let end = ended.blocking_recv().expect("it ends with the caller's leg");
    assert!(end.complete, "{end:?}");
    let recorded = recordings.open(&call()).expect("it opens");
    // A busy machine may miss a beat, which is a gap; a pause in which it does is two.
    let paused: Vec<&Mark> = recorded.marks().iter().filter(|mark| mark.kind == Kind::Paused).collect();
    let (first, last) = (paused.first().expect("the pause is marked"), paused.last().expect("it is"));
    let (at_ms, resumed) = (first.at_ms, last.at_ms + last.length_ms);
    let marks = recorded.marks();
    let (caller, operator) = sides(&recorded);
    for (who, side, hz, other) in
        [("caller", &caller, CALLER_HZ, OPERATOR_HZ), ("operator", &operator, OPERATOR_HZ, CALLER_HZ)]
    {
        ear::assert_hears(who, &kept(side, marks, 0, at_ms), &[hz], &[other, 300.0]);
        assert!(of(side, at_ms, resumed).iter().all(|sample| *sample == 0), "{who}: the pause is silent");
        ear::assert_hears(who, &kept(side, marks, resumed, u64::MAX / 8), &[hz], &[other, 300.0]);
    }
}

#[test]
fn a_leg_that_is_not_recorded_is_silent_on_its_channel_and_heard_by_the_other_as_ever() {
    let scratch = temp::TempDir::new("recording-legs");
    let (recordings, mut ended) = recordings(scratch.path());
    let line = Line::open(16_272);
    let without = |leg| HearMatrix { off_record: vec![leg], ..HearMatrix::conference(&[CALLER, OPERATOR]) };
    line.bridge(0, 3, without(CALLER));
    line.talk(0.3);
    line.media.record(CALLER, recordings.begin(&call())).expect("the leg is open");
    let heard = line.operator.listen(1.5);
    ear::assert_hears("operator", &heard, &[CALLER_HZ], &[OPERATOR_HZ, 300.0]);
    line.media.close(CALLER);
    let end = ended.blocking_recv().expect("it ends with the caller's leg");
    assert!(end.complete, "{end:?}");
    let recorded = recordings.open(&call()).expect("it opens");
    let (caller, operator) = sides(&recorded);
    assert!(caller.iter().all(|sample| *sample == 0), "nothing of the caller is in it");
    ear::assert_hears("recording", &kept(&operator, recorded.marks(), 0, u64::MAX / 8), &[OPERATOR_HZ], &[CALLER_HZ]);
}

/// Not a test by itself: the process that is killed.
#[test]
fn the_child() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let (recordings, _ended) = recordings(&directory);
    let line = Line::open(16_240);
    line.media.record(CALLER, recordings.begin(&call())).expect("the leg is open");
    line.talk(30.0);
}

#[test]
fn a_process_that_is_killed_leaves_all_that_was_written() {
    let scratch = temp::TempDir::new("recording-kill");
    let mut child = Command::new(std::env::current_exe().expect("this binary has a path"))
        .args(["the_child", "--exact", "--nocapture"])
        .env(DIRECTORY, scratch.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts");
    let (recordings, _ended) = recordings(scratch.path());
    let length = || recordings.open(&call()).map_or(0, |recorded| recorded.figures().length_ms);
    while length() < 5_000 {
        assert_eq!(child.try_wait().expect("it is ours"), None, "it records until it is killed");
        std::thread::sleep(Duration::from_millis(20));
    }
    let written = length();
    child.kill().expect("SIGKILL");
    child.wait().expect("it is gone");
    let recorded = recordings.open(&call()).expect("what was written can be heard");
    assert!(!recorded.is_complete(), "its end is missing, and that is told");
    assert!(recorded.figures().length_ms >= written, "{:?} are left of {written} ms", recorded.figures());
    let (caller, operator) = sides(&recorded);
    let all = |side: &[i16]| kept(side, recorded.marks(), 0, u64::MAX / 8);
    ear::assert_hears("caller", &all(&caller), &[CALLER_HZ], &[OPERATOR_HZ]);
    ear::assert_hears("operator", &all(&operator), &[OPERATOR_HZ], &[CALLER_HZ]);
}

#[test]
fn a_service_that_stops_writes_the_last_words() {
    let scratch = temp::TempDir::new("recording-stop");
    let (recordings, mut ended) = recordings(scratch.path());
    let mut tap = recordings.begin(&call());
    for _ in 0..73 {
        tap.beat(&[500; 160], &[500; 160]);
    }
    drop(tap);
    drop(recordings);
    let end = ended.blocking_recv().expect("the writer goes on to the end");
    assert_eq!((end.complete, end.figures.length_ms), (true, 73 * 20));
    assert_eq!(ended.blocking_recv(), None, "and is gone then");
    assert!(Duration::from_millis(end.figures.sound_ms) > Duration::from_secs(1));
}
