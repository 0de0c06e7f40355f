//! Recorded calls through the drivers: announced first, then taken down; and what becomes of a disk that refuses.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use super::house::{Did, House, answers, offer, plays};
use super::record::Line;
use super::*;
use crate::base::clock::SystemClock;
use crate::domain::account::{RecordingMode, RecordingPolicy, Speech};
use crate::domain::call::bridge::LegId;
use crate::engine::feed::CallState;
use crate::engine::signal::LegEvent;
use crate::io::recording::{Kind, Recordings, Reel, Shelf};
use crate::io::store::seal::Seal;

/// What an account wants, by the end of its number.
pub(super) fn policy(did: &PhoneNumber) -> RecordingPolicy {
    let words = |text: &str| Some(Speech::Spoken { text: text.to_owned() });
    let (mode, announcement) = match did.as_e164() {
        did if did.ends_with("77") => (RecordingMode::On, words("told")),
        did if did.ends_with("78") => (RecordingMode::On, words("mute")),
        _ => return RecordingPolicy::default(),
    };
    RecordingPolicy { mode, announcement, ..RecordingPolicy::default() }
}

fn recorded(did: &Did, of: LegId) -> Option<Kind> {
    match did {
        Did::Recorded { leg, kind } if *leg == of => Some(*kind),
        _ => None,
    }
}

/// Hears the greeting, and then the next words; nothing is recorded until they are over.
async fn told(house: &mut House, did: &str) -> (LegId, mpsc::Sender<LegEvent>) {
    let (leg, events) = house.dials(did, Some(offer()));
    house.until("answer", |d| answers(d, leg)).await;
    events.send(LegEvent::Established(None)).await.expect("the call listens");
    for words in ["greeting", "announcement"] {
        let untold = |d: &Did| {
            assert!(recorded(d, leg).is_none(), "recorded before the caller was told");
            plays(d, leg)
        };
        let play = house.until(words, untold).await.1;
        house.calls.on_media(MediaEvent::PlayDone { leg, play });
    }
    (leg, events)
}

#[tokio::test]
async fn a_recorded_call_is_announced_first_and_its_operator_may_pause_it() {
    let mut house = House::open("greeting");
    let (leg, _line) = told(&mut house, "+12025550177").await;
    assert_eq!(house.until("the recording", |d| recorded(d, leg)).await.1, Kind::Sound);
    house.ready("kim").await;
    let _phone = house.takes("kim").await;
    let talking = |call: &CallView| call.state == CallState::Talking;
    while !house.calls.views().iter().any(talking) {
        house.feed.recv().await.expect("the feed goes on");
    }
    for (command, kind) in [
        (RecordingCommand::Pause, Kind::Paused),
        (RecordingCommand::Resume, Kind::Sound),
        (RecordingCommand::Cover, Kind::Paused),
        (RecordingCommand::Uncover, Kind::Sound),
    ] {
        assert_eq!(house.does("kim", Command::Recording(command)).await, Ok(()));
        assert_eq!(house.until("its change", |d| recorded(d, leg)).await.1, kind);
    }
    assert_eq!(house.does("lee", Command::Recording(RecordingCommand::Pause)).await, Err(CommandError::NotYours));
    assert_eq!(house.does("kim", Command::Recording(RecordingCommand::Stop)).await, Err(CommandError::NotNow));
}

#[tokio::test]
async fn a_caller_who_heard_a_tone_in_place_of_the_words_is_not_recorded() {
    let mut house = House::open("greeting");
    let (leg, _line) = told(&mut house, "+12025550178").await;
    let not_announced = |d: &Did| {
        assert!(recorded(d, leg).is_none(), "recorded untold");
        match d {
            Did::Wrote(Line::Event { kind, .. }) if kind == "recording_not_announced" => Some(()),
            _ => None,
        }
    };
    house.until("it to be on record", not_announced).await;
    let queued = |d: &Did| {
        assert!(recorded(d, leg).is_none(), "recorded untold");
        matches!(d, Did::Wrote(Line::Event { kind, .. }) if kind == "queued").then_some(())
    };
    house.until("the queue", queued).await;
}

/// A disk on which nothing may be written.
struct Locked;

impl Shelf for Locked {
    fn make(&mut self, _call: &CallId) -> io::Result<Arc<dyn Reel>> {
        Err(ErrorKind::PermissionDenied.into())
    }
}

#[tokio::test]
async fn a_disk_that_refuses_alarms_the_desks_and_the_end_goes_on_record() {
    let directory = std::env::temp_dir().join(format!("cordboard-locked-{}", std::process::id()));
    let (seal, clock) = (Arc::new(Seal::new(&[7; 32])), Arc::new(SystemClock));
    let (refused, ended) =
        Recordings::start_on(Box::new(Locked), directory.clone(), seal.clone(), clock.clone()).expect("a thread");
    let mut house = House::open_with("greeting", refused.clone());
    tokio::spawn(house.calls.clone().keep_recordings(ended, Duration::from_secs(60)));
    let mut tap = refused.begin(&CallId::named("locked"));
    (0..60).for_each(|_| tap.beat(&[0; 160], &[0; 160]));
    let text = loop {
        if let FeedEvent::Alarm { alarm } = house.feed.recv().await.expect("the feed goes on") {
            break alarm.text;
        }
    };
    assert!(text.contains("give it to the user that Cordboard runs as"), "{text}");
    assert!(text.ends_with("(recording.write_failed)"), "{text}");
    drop(tap);
    // The other way: a disk that takes all.
    let (well, ended) = Recordings::start(directory.clone(), seal, clock).expect("a thread");
    let mut house = House::open_with("greeting", well.clone());
    tokio::spawn(house.calls.clone().keep_recordings(ended, Duration::from_secs(60)));
    let mut tap = well.begin(&CallId::named("well"));
    (0..60).for_each(|_| tap.beat(&[0; 160], &[0; 160]));
    drop(tap);
    let end = |d: &Did| match d {
        Did::Wrote(Line::Event { call, kind, body, .. }) if kind == "recording_ended" => {
            Some((call.clone(), body.clone()))
        }
        _ => None,
    };
    let (call, body) = house.until("the end on record", end).await.1;
    assert_eq!(call, CallId::named("well"));
    let wanted = serde_json::json!({
        "length_ms": 1_200, "sound_ms": 1_200, "paused_ms": 0, "off_ms": 0, "gap_ms": 0, "complete": true,
    });
    assert_eq!(body, wanted);
    let _ = std::fs::remove_dir_all(directory);
}

#[tokio::test]
async fn who_listens_is_on_record_once_however_many_parts_they_ask_for() {
    let house = House::open("greeting");
    let (mut did, call) = (house.did, CallId::named("heard"));
    for _ in 0..3 {
        assert!(house.calls.listened(&call, &UserId::named("sam")).await);
    }
    assert!(house.calls.listened(&call, &UserId::named("lee")).await);
    let mut played = Vec::new();
    while let Ok(Did::Wrote(Line::Event { kind, body, .. })) = did.try_recv() {
        assert_eq!(kind, "recording_played");
        played.push(body);
    }
    assert_eq!(played, [serde_json::json!({"by": "usr_sam"}), serde_json::json!({"by": "usr_lee"})]);
}

#[tokio::test]
async fn a_recording_that_cannot_be_read_after_a_crash_is_on_record_as_that_and_an_alarm() {
    let directory = std::env::temp_dir().join(format!("cordboard-unreadable-{}", std::process::id()));
    let (seal, clock) = (Arc::new(Seal::new(&[7; 32])), Arc::new(SystemClock));
    let (recordings, _ended) = Recordings::start(directory.clone(), seal, clock).expect("a thread");
    let mut house = House::open_with("greeting", recordings.clone());
    let call = CallId::named("unreadable");
    let mut tap = recordings.begin(&call);
    (0..150).for_each(|_| tap.beat(&[0; 160], &[0; 160]));
    drop(tap);
    tokio::time::timeout(Duration::from_secs(10), async {
        while recordings.open(&call).map_or(0, |recorded| recorded.figures().length_ms) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("it is written");
    for file in files_below(&directory) {
        std::fs::write(file, b"not what was written").expect("a file of ours");
    }
    house.calls.recover_recordings(vec![CallId::named("none"), call.clone()]).await;
    let end = |d: &Did| match d {
        Did::Wrote(Line::Event { call, kind, body, .. }) if kind == "recording_ended" => {
            Some((call.clone(), body["complete"].clone()))
        }
        _ => None,
    };
    assert_eq!(house.until("the end on record", end).await.1, (call, serde_json::json!(false)));
    let alarms = house.calls.alarms();
    assert!(alarms.len() == 1 && alarms[0].text.contains("(recording."), "{alarms:?}");
    std::fs::remove_dir_all(directory).expect("a directory of ours");
}

fn files_below(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
