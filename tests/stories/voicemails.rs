//! Voicemails: from what a call puts on record to the text that the technician reads, crashes in between included.

use std::sync::Arc;
use std::time::Duration;

use cordboard::base::id::{AccountId, CallId, CallTypeId};
use cordboard::domain::account::{CallType, Urgency, VoicemailMail};
use cordboard::domain::call::cause::Cause;
use cordboard::domain::dispatch::state::Phase;
use cordboard::domain::message::Message;
use cordboard::engine::calls::record::{CallLog, Line};
use cordboard::engine::dispatcher::Sounds;
use cordboard::engine::voicemails::Voicemails;
use cordboard::io::recording::Recordings;
use cordboard::io::store::Store;
use cordboard::io::store::calls::{CallEnd, CallRecord, Direction};
use cordboard::io::store::messages::MessageFilter;
use cordboard::io::store::voicemails::VoicemailBegun;
use cordboard::proto::audio::frame::FRAME;

use crate::desk::{Desk, NIGHT};
use crate::support::postgres::Postgres;
use crate::support::temp::TempDir;
use crate::town;

fn call() -> CallId {
    CallId::named("spoken")
}

fn begins(call_type: &str) -> [Line; 2] {
    let record = CallRecord {
        id: call(),
        account: AccountId::named("one"),
        direction: Direction::In,
        trunk: "carrier".into(),
        did: Some(town::number("+12025550102")),
        remote: Some(town::number("+12025550148")),
        forwarded_from: None,
        started_at: NIGHT.plus_secs(-10),
        end: None,
    };
    let begun = VoicemailBegun { call: call(), call_type: CallTypeId::named(call_type), at: NIGHT };
    [Line::Started(record), Line::VoicemailBegun(begun)]
}

/// Emails wait for it.
fn hangs_up(after: i64) -> Line {
    let end = CallEnd {
        answered_at: None,
        ended_at: NIGHT.plus_secs(after),
        outcome: "voicemail".to_owned(),
        cause: Cause::HungUp,
        operator: None,
    };
    Line::Finished { call: call(), end }
}

fn ends(after: i64, heard: bool) -> Line {
    Line::VoicemailEnded { call: call(), at: NIGHT.plus_secs(after), heard }
}

/// As the record of calls writes.
async fn write(store: &Store, lines: &[Line]) {
    CallLog::write(store, lines).await.expect("is written");
}

/// A desk, whoever looks after its voicemails, and its recordings.
struct Night {
    desk: Desk,
    voicemails: Voicemails,
    recordings: Recordings,
    _directory: TempDir,
}

impl Night {
    async fn of(desk: Desk) -> Self {
        let directory = TempDir::new("voicemails");
        let clock = Arc::new(desk.clock.clone());
        let (recordings, _) =
            Recordings::start(directory.path().to_owned(), desk.store.house_seal(), clock.clone()).expect("a thread");
        let dispatcher = desk.dispatcher.clone();
        let public_url = "https://desk.example.com".to_owned();
        dispatcher.hear_voicemails(Sounds { recordings: recordings.clone(), public_url });
        let voicemails = Voicemails::new(desk.store.clone(), clock, dispatcher, recordings.clone());
        Self { desk, voicemails, recordings, _directory: directory }
    }

    async fn fresh() -> Self {
        Self::of(Desk::at_work(&town::plumbing()).await).await
    }

    async fn messages(&self) -> Vec<Message> {
        self.desk.store.list_messages(&MessageFilter::default(), None, 10).await.expect("messages")
    }

    /// The next start of the service, on what the last one left.
    async fn starts_again(&self) {
        let open = self.desk.store.list_open_voicemails().await.expect("voicemails");
        let cut_off = open.into_iter().filter(|voicemail| voicemail.end.is_none()).collect();
        assert_eq!(self.voicemails.close(cut_off).await, []);
        self.voicemails.settle_all().await;
    }
}

async fn one_message_is_dispatched(night: Night) {
    let (desk, voicemails) = (&night.desk, &night.voicemails);
    write(&desk.store, &begins("urgent")).await;
    voicemails.settle_all().await;
    assert_eq!(night.messages().await, [], "it is still being spoken");
    write(&desk.store, &[ends(34, true)]).await;
    for _ in 0..2 {
        voicemails.settle_all().await;
    }
    let messages = night.messages().await;
    let [message] = messages.as_slice() else { panic!("one message: {messages:?}") };
    assert_eq!((&message.call, message.urgency, &message.taken_by), (&Some(call()), Urgency::Urgent, &None));
    assert_eq!(message.taken_at, NIGHT);
    desk.advance(5).await;
    desk.phone("Ben").expect_text("Spoken message of 34 seconds, kept with the call; +1 202 555 0148. Reply 1ok");
    let dispatch = desk.store.find_dispatch_of_message(&message.id).await.expect("found").expect("a dispatch");
    night.desk.ends(&dispatch, Phase::Running).await;
}

#[tokio::test]
async fn a_voicemail_becomes_one_message_which_is_dispatched_like_any_other() {
    one_message_is_dispatched(Night::fresh().await).await;
}

#[tokio::test]
async fn a_voicemail_on_postgresql() {
    let Some(server) = Postgres::start("the voicemail story on PostgreSQL") else { return };
    let desk = Desk::on_postgres(server.create_database(), &town::plumbing()).await;
    one_message_is_dispatched(Night::of(desk).await).await;
}

/// Speaks for so long, to the end.
async fn speaks(night: &Night, secs: u64) {
    let mut tap = night.recordings.begin(&call());
    for _ in 0..secs * 50 {
        tap.beat(&[4_000; FRAME], &[0; FRAME]);
    }
    drop(tap);
    let until_whole = async {
        while !night.recordings.open(&call()).is_ok_and(|recorded| recorded.is_complete()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), until_whole).await.expect("it is on disk");
}

#[tokio::test]
async fn who_is_mailed_of_a_voicemail_hears_it_there() {
    let night = Night::of(Desk::at_work(&town::lawyer()).await).await;
    write(&night.desk.store, &begins("urgent")).await;
    speaks(&night, 4).await;
    write(&night.desk.store, &[ends(4, true), hangs_up(4)]).await;
    night.voicemails.settle_all().await;
    night.desk.advance(5).await;
    // 4 s of 8,000 samples of two octets, after a head of 44.
    let mail = night.desk.phone("Ben").expect_mail("[voicemail.wav, 64044 octets]");
    assert!(mail.words.contains("What the caller said is attached."), "{}", mail.words);
    assert!(mail.words.contains("https://desk.example.com/messages/msg_"), "{}", mail.words);
    night.desk.phone("Ada").expect_mail("[voicemail.wav, 64044 octets]");
}

#[tokio::test]
async fn an_account_that_wants_it_so_has_the_address_mailed_and_no_sound() {
    let night = Night::of(Desk::at_work(&town::lawyer()).await).await;
    let id = AccountId::named("one");
    let mut account = night.desk.store.find_account(&id).await.expect("found").expect("an account");
    account.recording.voicemail_mail = VoicemailMail::Link;
    let mut tx = night.desk.store.write().await.expect("the store writes");
    tx.upsert_account(&account, NIGHT).await.expect("an account");
    tx.commit("test").await.expect("committed");
    write(&night.desk.store, &begins("urgent")).await;
    speaks(&night, 4).await;
    write(&night.desk.store, &[ends(4, true), hangs_up(4)]).await;
    night.voicemails.settle_all().await;
    night.desk.advance(5).await;
    let mail =
        night.desk.phone("Ben").expect_mail("Listen to it (with your log-in): https://desk.example.com/messages/");
    assert!(!mail.words.contains("voicemail.wav"), "{}", mail.words);
}

#[tokio::test]
async fn a_voicemail_whose_sound_is_gone_is_mailed_all_the_same_and_says_so() {
    let night = Night::of(Desk::at_work(&town::lawyer()).await).await;
    write(&night.desk.store, &begins("urgent")).await;
    write(&night.desk.store, &[ends(4, true), hangs_up(4)]).await;
    night.voicemails.settle_all().await;
    night.desk.advance(5).await;
    night.desk.phone("Ben").expect_mail("The sound could not be attached");
}

#[tokio::test]
async fn a_caller_who_said_nothing_wakes_nobody() {
    let night = Night::fresh().await;
    write(&night.desk.store, &begins("urgent")).await;
    write(&night.desk.store, &[ends(6, false)]).await;
    night.voicemails.settle_all().await;
    assert_eq!(night.messages().await, []);
    assert_eq!(night.desk.store.list_open_voicemails().await.expect("voicemails"), []);
}

#[tokio::test]
async fn a_call_type_that_is_gone_does_not_take_the_message_along() {
    let night = Night::fresh().await;
    write(&night.desk.store, &begins("gone")).await;
    write(&night.desk.store, &[ends(6, true)]).await;
    night.voicemails.settle_all().await;
    assert_eq!(night.messages().await[0].call_type, CallTypeId::named("urgent"), "one that the account has");
}

/// Saves the account with another call type in place of the one that there was.
async fn change_call_type(night: &Night, change: impl FnOnce(&mut CallType)) {
    let store = &night.desk.store;
    let mut account = store.find_account(&AccountId::named("one")).await.expect("found").expect("an account");
    change(&mut account.call_types[0]);
    let mut tx = store.write().await.expect("the store writes");
    tx.upsert_account(&account, NIGHT).await.expect("an account");
    tx.commit("test").await.expect("committed");
}

#[tokio::test]
async fn a_voicemail_under_a_call_type_that_was_taken_out_since_is_dispatched_all_the_same() {
    let night = Night::fresh().await;
    change_call_type(&night, |other| {
        other.id = CallTypeId::named("other");
        (other.urgency, other.protocol) = (Urgency::Routine, None);
    })
    .await;
    write(&night.desk.store, &begins("urgent")).await;
    write(&night.desk.store, &[ends(6, true)]).await;
    night.voicemails.settle_all().await;
    let message = night.messages().await.remove(0);
    assert_eq!((&message.call_type, message.urgency), (&CallTypeId::named("urgent"), Urgency::Urgent));
    night.desk.advance(5).await;
    night.desk.phone("Ben").expect_text("Spoken message of 6 seconds");
    assert_eq!(night.desk.dispatcher.alarms(), []);
}

#[tokio::test]
async fn an_urgent_voicemail_that_no_protocol_takes_up_is_an_alarm() {
    let night = Night::fresh().await;
    change_call_type(&night, |urgent| urgent.protocol = None).await;
    write(&night.desk.store, &begins("urgent")).await;
    write(&night.desk.store, &[ends(6, true)]).await;
    night.voicemails.settle_all().await;
    assert_eq!(night.messages().await.len(), 1);
    let alarms = night.desk.dispatcher.alarms();
    assert!(alarms.len() == 1 && alarms[0].dismissible && alarms[0].text.contains("no protocol"), "{alarms:?}");
}

#[tokio::test]
async fn a_crash_in_mid_word_leaves_a_message_of_what_was_said_before() {
    const SAID: u64 = 4;
    let night = Night::fresh().await;
    write(&night.desk.store, &begins("urgent")).await;
    let mut tap = night.recordings.begin(&call());
    for _ in 0..SAID * 50 {
        tap.beat(&[4_000; FRAME], &[0; FRAME]);
    }
    // The tap stays: nobody tells the writer that it is over, as nobody does in a crash.
    let kept = || night.recordings.open(&call()).map_or(0, |recorded| recorded.figures().length_ms);
    let until_kept = async {
        while kept() < (SAID - 2) * 1_000 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), until_kept).await.expect("all but two seconds is on disk");
    night.starts_again().await;
    let messages = night.messages().await;
    let words = &messages[0].answers["voicemail"];
    assert!(
        ["2", "3", "4"].iter().any(|secs| words.starts_with(&format!("Spoken message of {secs} seconds"))),
        "{words}"
    );
    night.starts_again().await;
    assert_eq!(night.messages().await.len(), 1, "once");
    drop(tap);
}

#[tokio::test]
async fn a_crash_before_the_first_word_leaves_none() {
    let night = Night::fresh().await;
    write(&night.desk.store, &begins("urgent")).await;
    night.starts_again().await;
    assert_eq!(night.messages().await, []);
    assert_eq!(night.desk.store.list_open_voicemails().await.expect("voicemails"), []);
}
