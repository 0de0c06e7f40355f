//! An evening on which somebody is reminded of a shift and their manager is warned of a gap, killed at each commit and around what is
//! sent: each is sent once, or twice under one name.

use std::path::Path;
use std::sync::Arc;

use cordboard::base::clock::{Clock as _, TestClock};
use cordboard::base::id::{ContactId, OverrideId};
use cordboard::domain::dispatch::protocol::{Method, Until};
use cordboard::domain::oncall::{Override, OverrideAct};
use cordboard::engine::dispatcher::Dispatcher;
use cordboard::engine::feed::Feed;
use cordboard::engine::shifts::Shifts;
use cordboard::io::store::Store;

use crate::lives::{Case, Life, NIGHT, Outside, around, around_provider};
use crate::support::postgres::Postgres;
use crate::town;

/// The commits that it comes by.
pub const PLACES: &[&str] = &["shift_due", "shift_warning", "shift_forgotten", "shift_claimed", "shift_told"];
/// Around what is sent.
pub const PROVIDER: (&str, &str, &str) = ("shift", "before_send", "after_send");

fn at_work(store: &Store, clock: &TestClock, directory: &Path) -> Shifts {
    let outside = Arc::new(Outside::new(directory, clock));
    let shared = Arc::new(clock.clone());
    let edges = outside.clone().edges();
    let dispatcher = Dispatcher::new(store.clone(), shared.clone(), Feed::default(), edges, "node");
    Shifts::new(store.clone(), shared, outside.clone(), outside, dispatcher)
}

/// Not a test by itself: the process that is killed.
#[tokio::test]
async fn the_child() {
    let Some(life) = Life::of_child(NIGHT) else { return };
    let (store, clock) = (life.store().await, &life.clock);
    let shifts = at_work(&store, clock, &life.directory);
    for _ in 0..20 {
        shifts.pulse(clock.utc()).await.expect("a look");
        if store.list_pending_notices(clock.utc().plus_secs(86_400)).await.expect("read").is_empty() {
            store.close().await;
            return;
        }
        life.pass(30);
    }
    panic!("the evening has no end");
}

/// Ada's shift begins in an hour and lasts three; after it there is nobody.
async fn prepare(case: &Case) {
    let store = case.store().await;
    let protocol = town::protocol(vec![(Method::HoldForRecap, vec![], 0)], false, Until::HandedOver);
    town::settle(&store, &protocol, NIGHT).await;
    let mut schedule = town::schedule(None);
    schedule.remind = true;
    schedule.overrides.push(Override {
        id: OverrideId::named("ada"),
        act: OverrideAct::Only { contact: ContactId::named("Ada") },
        from: NIGHT.plus_secs(3_600),
        until: NIGHT.plus_secs(4 * 3_600),
        by: "the office".into(),
        made_at: NIGHT,
        note: String::new(),
    });
    let mut manager = store.find_contact(&ContactId::named("Olive")).await.expect("read").expect("a contact");
    manager.title = "Office manager".into();
    let mut tx = store.write().await.expect("the store writes");
    tx.upsert_contact(&manager).await.expect("a contact");
    tx.upsert_schedule(&schedule).await.expect("a schedule");
    tx.commit("test").await.expect("committed");
    store.close().await;
}

async fn kill_at(failpoint: &str, database: Option<String>, kind: &str) {
    let case = Case::new("reminders::the_child", kind, failpoint, database);
    prepare(&case).await;
    let name = &case.name;
    assert!(case.dies(failpoint), "{name}: the evening never comes by there");
    case.lives();
    let sent = case.sent();
    for kind in ["text", "mail"] {
        let own: Vec<_> = sent.iter().filter(|(sent, _)| sent == kind).collect();
        assert!((1..=2).contains(&own.len()), "{name}: {sent:?}");
        assert!(own.iter().all(|one| *one == own[0]), "{name}: under one name: {sent:?}");
    }
    assert!(sent.len() <= 3, "{name}: one of the two is doubled at most: {sent:?}");
}

async fn every_place(kind: &str, database: impl Fn() -> Option<String>) {
    for failpoint in around(PLACES).chain(around_provider(PROVIDER)) {
        kill_at(&failpoint, database(), kind).await;
    }
}

#[tokio::test]
async fn killed_anywhere_on_sqlite_a_reminder_is_sent_and_doubled_at_most() {
    every_place("SQLite", || None).await;
}

#[tokio::test]
async fn killed_anywhere_on_postgresql_a_reminder_is_sent_and_doubled_at_most() {
    let Some(server) = Postgres::start("crashes of reminders on PostgreSQL") else { return };
    every_place("PostgreSQL", || Some(server.create_database())).await;
}
