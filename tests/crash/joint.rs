//! Messages that wait for one person and go in one text, killed around it: none is lost, each goes at most once more, and one that does
//! says so.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cordboard::base::clock::{Clock as _, TestClock};
use cordboard::base::id::MessageId;
use cordboard::domain::account::Urgency;
use cordboard::domain::dispatch::event::Note;
use cordboard::domain::dispatch::lanes::{ChannelRates, Pace, Rates};
use cordboard::domain::dispatch::protocol::{Method, Until};
use cordboard::domain::dispatch::state::{Channel, Phase};
use cordboard::engine::dispatcher::Dispatcher;
use cordboard::engine::feed::Feed;
use cordboard::io::deliver::{Answer, Delivery, TextMessage, Texter};

use crate::lives::{Case, Life, NIGHT, Outside};
use crate::support::postgres::Postgres;
use crate::town;

const MESSAGES: usize = 6;

/// One text at a time to a person, and one a minute after the first two: one goes alone, then four together, then the last.
fn slow() -> Rates {
    let pace = Pace { per_minute: 600, burst: 40, at_once: 20 };
    let to_one = Some(Pace { per_minute: 1, burst: 2, at_once: 2 });
    Rates { channels: [(Channel::Text, ChannelRates { pace, to_one })].into(), ..Rates::default() }
}

/// A carrier that writes down each text it is given, on a line.
struct Carrier(PathBuf);

impl Texter for Carrier {
    fn send<'a>(&'a self, text: &'a TextMessage) -> Answer<'a> {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&self.0);
        let line = text.body.replace('\n', " ");
        file.and_then(|mut file| writeln!(file, "{line}")).expect("written");
        Box::pin(async { Delivery::Accepted { provider_id: Some(format!("SM-{}", text.attempt)) } })
    }
}

fn texts(directory: &Path) -> Vec<String> {
    let said = std::fs::read_to_string(directory.join("texts")).unwrap_or_default();
    said.lines().map(str::to_owned).collect()
}

fn leaflet(n: usize) -> String {
    format!("leaflet number {n}")
}

/// Not a test by itself: the process that is killed.
#[tokio::test]
async fn the_child() {
    let Some(life) = Life::of_child(NIGHT.plus_secs(5)) else { return };
    let (store, clock) = (life.store().await, life.clock.clone());
    let outside = Arc::new(Outside::new(&life.directory, &clock));
    let mut edges = outside.edges();
    edges.texter = Arc::new(Carrier(life.directory.join("texts")));
    let dispatcher = Dispatcher::new(store.clone(), Arc::new(clock.clone()), Feed::default(), edges, "node");
    dispatcher.paced_by(slow());
    dispatcher.recover().await.expect("what was cut off is taken up");
    for _ in 0..100 {
        dispatcher.tick(clock.utc()).await.expect("a tick");
        if store.list_open_dispatches(10).await.expect("listed").is_empty() {
            store.close().await;
            return;
        }
        let due = dispatcher.next_due().await.expect("a time").expect("an open dispatch has a reason to wake");
        life.reach(due.max(clock.utc().plus_secs(1)));
    }
    panic!("the night has no end");
}

async fn prepare(case: &Case) {
    let store = case.store().await;
    let steps = vec![(Method::Text, vec![town::named("Ada", "mobile")], 0)];
    town::settle(&store, &town::protocol(steps, false, Until::HandedOver), NIGHT).await;
    let clock = TestClock::at(NIGHT);
    let edges = Arc::new(Outside::new(case.directory.path(), &clock)).edges();
    let dispatcher = Dispatcher::new(store.clone(), Arc::new(clock), Feed::default(), edges, "front");
    for n in 0..MESSAGES {
        let mut message = town::message(&format!("m{n}"), &leaflet(n), NIGHT);
        message.urgency = Urgency::Routine;
        let account = store.find_account(&message.account).await.expect("found").expect("an account");
        let mut tx = store.write().await.expect("the store writes");
        tx.insert_message(&message).await.expect("inserted");
        dispatcher.open(&mut tx, &message, &account).await.expect("opened");
        tx.commit("test").await.expect("committed");
    }
    store.close().await;
}

async fn kill_at(failpoint: &str, database: Option<String>, kind: &str) {
    let case = Case::new("joint::the_child", kind, failpoint, database);
    prepare(&case).await;
    let name = &case.name;
    assert!(case.dies(failpoint), "{name}: the night never comes by there");
    case.lives();
    let (store, texts) = (case.store().await, texts(case.directory.path()));
    let (mut together, mut twice) = (0, 0);
    for n in 0..MESSAGES {
        let message = MessageId::named(&format!("m{n}"));
        let id = store.find_dispatch_of_message(&message).await.expect("found").expect("a dispatch");
        let state = store.find_dispatch(&id).await.expect("found").expect("a dispatch").state;
        assert_eq!((state.phase, state.attempts.len()), (Phase::Delivered, 1), "{name}: {n}");
        let times = texts.iter().filter(|text| text.contains(&leaflet(n))).count();
        assert!((1..=2).contains(&times), "{name}: {n} went {times} times: {texts:?}");
        assert!(times == 1 || state.attempts[0].uncertain, "{name}: {n} went twice and does not say so");
        twice += usize::from(times == 2);
        let entries = store.list_dispatch_entries(&id).await.expect("listed");
        together += usize::from(entries.iter().any(|entry| matches!(entry.note, Note::LeftAlong { .. })));
    }
    // It was killed around the text of the four, and around no other: of those each goes by itself if they were cut off.
    let joint: Vec<usize> = texts.iter().map(|text| text.matches("leaflet").count()).filter(|of| *of > 1).collect();
    let (sent, stored) = match failpoint {
        "text.before_send:2" => (false, false),
        "result.after_commit:2" => (true, true),
        _ => (true, false),
    };
    assert_eq!(joint, if sent { vec![4] } else { vec![] }, "{name}: whether they went together: {texts:?}");
    assert_eq!(together, if stored { 4 } else { 0 }, "{name}: so many say that they went together");
    assert_eq!(twice, if sent && !stored { 4 } else { 0 }, "{name}: so many went twice: {texts:?}");
    store.close().await;
}

/// The second text is that of the four, and what came of the first is on record before it leaves.
async fn every_place(kind: &str, database: impl Fn() -> Option<String>) {
    for failpoint in ["text.before_send:2", "text.after_send:2", "result.before_commit:2", "result.after_commit:2"] {
        kill_at(failpoint, database(), kind).await;
    }
}

#[tokio::test]
async fn killed_around_a_text_of_several_on_sqlite_each_goes_once_more_at_most() {
    every_place("SQLite", || None).await;
}

#[tokio::test]
async fn killed_around_a_text_of_several_on_postgresql_each_goes_once_more_at_most() {
    let Some(server) = Postgres::start("crashes around a text of several on PostgreSQL") else { return };
    every_place("PostgreSQL", || Some(server.create_database())).await;
}
