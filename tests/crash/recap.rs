//! The morning of a recap, killed at each of its commits and around its email: what was held for it is in one recap, is
//! recapped once, and the email goes out twice at most, under one name.

use std::path::Path;
use std::sync::Arc;

use cordboard::base::clock::{Clock as _, TestClock, UtcMs};
use cordboard::base::id::{AccountId, ContactId, DispatchId, MessageId};
use cordboard::domain::dispatch::event::Note;
use cordboard::domain::dispatch::hold::TimeOfDay;
use cordboard::domain::dispatch::protocol::{Method, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::domain::recap::plan::{Plan, Recipient};
use cordboard::engine::dispatcher::Dispatcher;
use cordboard::engine::feed::Feed;
use cordboard::engine::recaps::Recaps;
use cordboard::io::store::Store;
use cordboard::io::store::recaps::PlanSet;

use crate::lives::{Case, Life, NIGHT, Outside, around, around_provider};
use crate::support::postgres::Postgres;
use crate::town;

/// The commits that a recap comes by.
pub const PLACES: &[&str] = &["recap_made", "recap_claimed", "recap_sent", "recapped"];
/// Around its email.
pub const PROVIDER: (&str, &str, &str) = ("recap", "before_send", "after_send");

/// 2026-03-07T08:00 in Chicago, and the moment that a recap waits after its time.
const EIGHT: UtcMs = UtcMs(1_772_892_005_000);

fn at_work(store: &Store, clock: &TestClock, directory: &Path) -> (Dispatcher, Recaps) {
    let outside = Arc::new(Outside::new(directory, clock));
    let shared = Arc::new(clock.clone());
    let edges = outside.clone().edges();
    let dispatcher = Dispatcher::new(store.clone(), shared.clone(), Feed::default(), edges, "node");
    (dispatcher.clone(), Recaps::new(store.clone(), shared, outside, dispatcher))
}

/// Not a test by itself: the process that is killed.
#[tokio::test]
async fn the_child() {
    let Some(life) = Life::of_child(EIGHT) else { return };
    let (store, clock) = (life.store().await, &life.clock);
    let (dispatcher, recaps) = at_work(&store, clock, &life.directory);
    dispatcher.recover().await.expect("what was cut off is taken up");
    let id = store.find_dispatch_of_message(&MessageId::named("m1")).await.expect("found").expect("a dispatch");
    for _ in 0..20 {
        dispatcher.tick(clock.utc()).await.expect("a tick");
        recaps.pulse(clock.utc()).await.expect("a look");
        dispatcher.tick(clock.utc()).await.expect("a tick");
        let state = store.find_dispatch(&id).await.expect("found").expect("a dispatch").state;
        if state.phase == Phase::Recapped && store.find_next_recap_at().await.expect("read").is_none() {
            store.close().await;
            return;
        }
        life.pass(30);
    }
    panic!("the morning has no end");
}

/// The message is held, and the recap is due.
async fn prepare(case: &Case) -> DispatchId {
    let store = case.store().await;
    let protocol = town::protocol(vec![(Method::HoldForRecap, vec![], 0)], false, Until::HandedOver);
    town::settle(&store, &protocol, NIGHT).await;
    let message = town::message("m1", "dripping tap", NIGHT);
    let account = store.find_account(&message.account).await.expect("found").expect("an account");
    let clock = TestClock::at(NIGHT);
    let (dispatcher, _) = at_work(&store, &clock, case.directory.path());
    let to = vec![Recipient { contact: ContactId::named("Olive"), destination: "email".into() }];
    let plan = Plan { times: TimeOfDay::parse("08:00").into_iter().collect(), to, empty: false, ..Plan::default() };
    let mut tx = store.write().await.expect("the store writes");
    let set = PlanSet { account: AccountId::named("one"), plan, set_at: NIGHT, since: NIGHT };
    tx.set_recap_plan(&set).await.expect("a plan");
    tx.insert_message(&message).await.expect("inserted");
    dispatcher.open(&mut tx, &message, &account).await.expect("opened");
    tx.commit("test").await.expect("committed");
    let id = store.find_dispatch_of_message(&message.id).await.expect("found").expect("a dispatch");
    store.close().await;
    id
}

async fn kill_at(failpoint: &str, database: Option<String>, kind: &str) {
    let case = Case::new("recap::the_child", kind, failpoint, database);
    let id = prepare(&case).await;
    let name = &case.name;
    assert!(case.dies(failpoint), "{name}: the morning never comes by there");
    case.lives();
    let mails = case.sent();
    assert!((1..=2).contains(&mails.len()), "{name}: {mails:?}");
    assert!(mails.iter().all(|mail| *mail == mails[0]), "{name}: under one name: {mails:?}");
    let store = case.store().await;
    let state = store.find_dispatch(&id).await.expect("found").expect("a dispatch").state;
    assert_eq!(state.phase, Phase::Recapped, "{name}");
    let entries = store.list_dispatch_entries(&id).await.expect("listed");
    let recapped = entries.iter().filter(|entry| matches!(entry.note, Note::Recapped { .. })).count();
    assert_eq!(recapped, 1, "{name}");
    let recaps = store.list_recaps(&AccountId::named("one"), 10).await.expect("listed");
    assert!(recaps.len() == 1 && recaps[0].is_settled(), "{name}: {recaps:?}");
    assert!(store.list_waiting_inbound(10).await.expect("listed").is_empty(), "{name}");
    store.close().await;
}

async fn every_place(kind: &str, database: impl Fn() -> Option<String>) {
    for failpoint in around(PLACES).chain(around_provider(PROVIDER)) {
        kill_at(&failpoint, database(), kind).await;
    }
}

#[tokio::test]
async fn killed_anywhere_on_sqlite_a_recap_is_made_once_and_sent() {
    every_place("SQLite", || None).await;
}

#[tokio::test]
async fn killed_anywhere_on_postgresql_a_recap_is_made_once_and_sent() {
    let Some(server) = Postgres::start("crashes of recaps on PostgreSQL") else { return };
    every_place("PostgreSQL", || Some(server.create_database())).await;
}
