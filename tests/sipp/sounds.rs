//! An account's own sounds in its callers' ears: music while they wait, and a status greeting that one of its people has spoken
//! in at a check-in. With real telephones and the whole binary.

use std::io::Cursor;

use serde_json::{Value, json};

use crate::api::Api;
use crate::desk_phones::{HUM_HZ, Office, baresip};
use crate::ear::{Ear, RATE, assert_hears, level_db};
use crate::house::{CALLER, PLUMBING, assert_heard, assert_not_heard, dial, find_call, has_event, recorded, seconds};
use crate::server::{Server, scratch};
use crate::{peers, wait_for};

const MUSIC_HZ: f64 = 1_100.0;
const VOICE_HZ: f64 = 800.0;
const ACCOUNT: &str = "/api/v1/accounts/acc_plumbing";
/// On which the lawyer's people check in, and the lawyer's own number.
const LINE: &str = "+12025550105";
const LAWYER: &str = "+12025550101";
const HARRIET: &str = "+12025550121";

/// So many seconds of a sine, as a WAV file.
fn wav(hz: f64, secs: u32) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut out = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut out, spec).expect("memory");
    for n in 0..16_000 * secs {
        let sample = (f64::from(n) * hz * std::f64::consts::TAU / 16_000.0).sin() * 8_000.0;
        writer.write_sample(sample as i16).expect("memory");
    }
    writer.finalize().expect("memory");
    out.into_inner()
}

fn expect_event(server: &Server, caller: &str, kind: &str) {
    wait_for(&format!("{kind} on record"), || {
        let (_, events) = find_call(&server.dir, caller)?;
        has_event(&events, kind).then_some(())
    });
}

/// The settings of an account, as they are written again.
fn settings(account: &Value) -> Value {
    let names = [
        "edition",
        "name",
        "zone",
        "color",
        "answer_phrase",
        "notes",
        "dids",
        "caller_id",
        "greeting",
        "apology",
        "comfort",
        "priority",
        "ring_secs",
        "max_wait_secs",
        "undo_secs",
        "leave_message",
        "recording",
        "patching",
        "queueing",
    ];
    names.iter().map(|name| ((*name).to_owned(), account[*name].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn whoever_waits_hears_the_music_of_the_account_and_nothing_of_the_houses() {
    if peers::find_program("an account's own music", "sipp").is_none() {
        return;
    }
    let server = Server::start();
    let sam = Api::log_in(server.http, "sam");
    let (status, kept) = sam.post_bytes("/api/v1/speech/recordings", "audio/wav", &wav(MUSIC_HZ, 3));
    assert_eq!(status, 201, "{kept}");
    let mut edit = settings(&sam.get(ACCOUNT));
    edit["queueing"]["music"] = json!([kept["speech"]]);
    edit["comfort"] = json!({
        "every_secs": 10, "speech": {"kind": "recorded", "prompt": "comfort"}, "position": false,
        "further": [{"kind": "recorded", "prompt": "apology"}],
    });
    let (status, saved) = sam.put(ACCOUNT, &edit);
    assert_eq!(status, 200, "{saved}");

    let ear = Ear::open(0.0);
    let call = dial(&server, "caller_on_cue", &ear, PLUMBING, CALLER);
    expect_event(&server, CALLER, "queued");
    let from = ear.mark();
    // Over the end of it and its beginning again.
    let heard = ear.heard_since(from, 7.0);
    assert_hears("whoever waits", &heard[RATE..6 * RATE], &[MUSIC_HZ], &[]);
    assert_not_heard("the house's music", &heard, &recorded("music"));
    // Two messages in turn, with the music between them.
    let (first, second) = (recorded("comfort"), recorded("apology"));
    let both = ear.heard_since(from, 22.0 + seconds(&second));
    let at = assert_heard("the first message", &both, &first);
    assert_heard("the second message", &both[at + first.len()..], &second);
    let between = &both[at + first.len() + RATE / 2..][..2 * RATE];
    assert_hears("whoever waits on", between, &[MUSIC_HZ], &[]);
    call.cue();
    call.expect_success();

    // Taken back: the next call hears the house's.
    let mut edit = settings(&sam.get(ACCOUNT));
    edit["queueing"]["music"] = json!([]);
    assert_eq!(sam.put(ACCOUNT, &edit).0, 200);
    let (next, other) = (Ear::open(0.0), "+12025550191");
    let call = dial(&server, "caller_on_cue", &next, PLUMBING, other);
    expect_event(&server, other, "queued");
    let heard = next.listen(4.0);
    assert!(level_db(&heard[RATE..], MUSIC_HZ) < -25.0, "{}", level_db(&heard[RATE..], MUSIC_HZ));
    call.cue();
    call.expect_success();
}

#[test]
fn what_a_clients_person_says_at_check_in_is_what_the_next_caller_hears_first() {
    if peers::find_program("a status greeting", "sipp").is_none() {
        return;
    }
    let server = Server::start_in(&scratch(), &[], &[]);
    let kim = Api::log_in(server.http, "kim");
    let ear = Ear::open(VOICE_HZ);
    let call = dial(&server, "caller_on_cue", &ear, LINE, HARRIET);
    expect_event(&server, HARRIET, "check_in_begun");
    cordboard::demo::PIN.chars().chain(['#']).for_each(|key| ear.press(key));
    expect_event(&server, HARRIET, "checked_in");
    // Nothing is held, so the other choices come at once.
    ear.press('5');
    let beep = recorded("beep");
    let mut from = ear.mark();
    // Told what to do; the pound key goes straight to the tone.
    ear.listen(1.0);
    ear.press('#');
    wait_for("the tone", || {
        let heard = ear.heard();
        let (correlation, _) = crate::ear::best_correlation(&heard[from..], &beep);
        (correlation >= 0.8).then_some(())
    });
    // It speaks all the time; after three seconds it is done.
    ear.listen(3.0);
    ear.press('#');
    from = ear.mark();
    wait_for("its own words", || {
        let heard = ear.heard();
        let last = &heard[from.max(heard.len().saturating_sub(RATE / 2))..];
        (last.len() >= RATE / 2 && level_db(last, VOICE_HZ) > -20.0).then_some(())
    });
    ear.press('1');
    expect_event(&server, HARRIET, "status_greeting_put_up");
    let account = kim.get("/api/v1/accounts/acc_lawyer");
    let up = &account["status_greeting"];
    assert_eq!((&up["until"], up["speech"]["kind"].as_str()), (&Value::Null, Some("uploaded")), "{up}");
    let sound = kim.get_bytes("/api/v1/accounts/acc_lawyer/status_greeting/sound");
    let sound = hound::WavReader::new(Cursor::new(sound)).expect("a WAV file");
    let sound: Vec<i16> = sound.into_samples().collect::<Result<_, _>>().expect("whole");
    assert!((2.0..20.0).contains(&seconds(&sound)), "{:.1} s", seconds(&sound));
    call.cue();
    call.expect_success();

    let (next, greeting) = (Ear::open(0.0), recorded("lawyer"));
    let call = dial(&server, "caller_on_cue", &next, LAWYER, CALLER);
    let heard = next.heard_since(0, seconds(&sound) + seconds(&greeting) + 2.0);
    assert_hears("the next caller", &heard[RATE / 2..2 * RATE], &[VOICE_HZ], &[]);
    let at = assert_heard("the greeting after it", &heard, &greeting);
    assert!(at.abs_diff(sound.len()) < RATE, "right after it: {at} and {}", sound.len());
    call.cue();
    call.expect_success();

    // An operator takes it down.
    assert_eq!(kim.delete("/api/v1/accounts/acc_lawyer/status_greeting"), 204);
    assert_eq!(kim.get("/api/v1/accounts/acc_lawyer")["status_greeting"], Value::Null);
    let (last, other) = (Ear::open(0.0), "+12025550191");
    let call = dial(&server, "caller_on_cue", &last, LAWYER, other);
    let at = assert_heard("the greeting alone", &last.heard_since(0, seconds(&greeting) + 2.0), &greeting);
    assert!(at < RATE, "at once: {at}");
    call.cue();
    call.expect_success();
}

#[test]
fn an_operators_own_voice_greets_her_caller_the_moment_she_takes_the_call() {
    let test = "an operator's own voice";
    if ["sipp", "baresip", "espeak-ng"].iter().any(|program| peers::find_program(test, program).is_none()) {
        return;
    }
    let office = Office::open_with(&[]);
    let phrase = format!("{ACCOUNT}/answer_phrase");
    let (status, set) = office.kim.put_bytes(&phrase, "audio/wav", &wav(VOICE_HZ, 3));
    assert_eq!(status, 200, "{set}");
    let mut phone = baresip(&office, "udp");
    office.gets_ready();
    let ear = Ear::open(0.0);
    let call = dial(&office.server, "caller", &ear, PLUMBING, CALLER);
    expect_event(&office.server, CALLER, "own_phrase_played");
    let (_, events) = find_call(office.dir(), CALLER).expect("it is on record");
    let at = |kind: &str| events.iter().find(|event| event.kind == kind).expect("it is on record").at.0;
    assert!(at("own_phrase_played").abs_diff(at("talking")) < 200, "at once");
    // Then she speaks herself: her telephone hums.
    let tenth = RATE / 10;
    let hears_her = |heard: &[i16]| level_db(&heard[heard.len().saturating_sub(tenth)..], HUM_HZ) > -20.0;
    wait_for("the operator herself", || hears_her(&ear.heard()).then_some(()));
    let heard = ear.heard();
    let says = |hz: f64| -> Vec<usize> {
        let levels = heard.chunks_exact(tenth).map(|tenth| level_db(tenth, hz)).enumerate();
        levels.filter(|(_, level)| *level > -15.0).map(|(n, _)| n).collect()
    };
    let (voice, hum) = (says(VOICE_HZ), says(HUM_HZ));
    let last = *voice.last().expect("it was heard");
    let whole = voice.iter().rev().enumerate().take_while(|(back, n)| **n + back == last).count();
    assert!((27..=31).contains(&whole), "her recording was heard whole: {voice:?}");
    let over = hum.iter().filter(|n| **n > last - whole).all(|n| *n >= last);
    assert!(over, "and she not before its end: {hum:?} {voice:?}");
    phone.type_in("b");
    call.expect_success();
    assert_eq!(office.kim.delete(&phrase), 204);
    assert_eq!(office.kim.delete(&phrase), 404);
}

#[test]
fn a_greeting_spoken_in_on_a_desk_phone_is_what_the_next_caller_hears() {
    let test = "a greeting by telephone";
    if ["sipp", "baresip", "espeak-ng"].iter().any(|program| peers::find_program(test, program).is_none()) {
        return;
    }
    let office = Office::open_of("sam", &[]);
    let (sam, mut phone) = (&office.kim, baresip(&office, "udp"));
    office.wait_for_seat("a phone", |seat| seat["phone"] == true);
    let feed = sam.feed();
    let shown =
        |state: &str| feed.find_where(|frame| frame["type"] == "dictation" && frame["dictation"]["state"] == state);
    // Somebody who waits meanwhile: their music tells how long she speaks.
    let clock = Ear::open(0.0);
    let waiting = dial(&office.server, "caller_on_cue", &clock, LAWYER, HARRIET);
    let (status, _) = sam.post(&format!("{ACCOUNT}/recordings/by_phone"), &json!({}));
    assert_eq!(status, 202);
    wait_for("the words that say what to do", || shown("listening"));
    clock.listen(1.0);
    phone.type_in("#");
    wait_for("to be taken down", || shown("speaking"));
    clock.listen(3.0);
    phone.type_in("#");
    wait_for("to hear it back", || shown("choosing"));
    // "This is what callers will hear", and theirs has begun.
    let kept = wait_for("it to be kept", || {
        phone.type_in("1");
        shown("kept")
    });
    let (speech, millis) = (&kept["dictation"]["speech"], kept["dictation"]["millis"].as_u64().expect("a length"));
    assert!((2_000..6_000).contains(&millis), "{millis} ms");
    wait_for("the end", || shown("over"));
    let listed = sam.get(&format!("{ACCOUNT}/recordings"));
    assert_eq!(
        (&listed["items"][0]["speech"], &listed["items"][0]["by"]["name"]),
        (speech, &sam.get("/api/v1/me")["user"]["name"])
    );
    let mut edit = settings(&sam.get(ACCOUNT));
    edit["greeting"] = speech.clone();
    assert_eq!(sam.put(ACCOUNT, &edit).0, 200);
    waiting.cue();
    waiting.expect_success();

    let ear = Ear::open(0.0);
    let call = dial(&office.server, "caller_on_cue", &ear, PLUMBING, CALLER);
    let heard = ear.heard_since(0, 2.0);
    assert_hears("the next caller", &heard[RATE / 2..], &[HUM_HZ], &[]);
    call.cue();
    call.expect_success();
}
