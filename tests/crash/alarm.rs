//! A night of the alarm chain, killed at each of its commits and around what it sends: no step is taken twice, none but the one that was
//! cut off is left out, and an acknowledgment that came in counts.

use std::sync::Arc;

use cordboard::base::clock::{Clock as _, TestClock};
use cordboard::base::id::MessageId;
use cordboard::domain::alarm::{Means, Plan, Step, Via};
use cordboard::domain::call::cause::Cause;
use cordboard::domain::dispatch::protocol::{Method, Until};
use cordboard::engine::alarms::Alarms;
use cordboard::engine::alarms::ringer::{Ringer, RingerParts};
use cordboard::engine::callout::{CallOutEvent, OutboundEnd};
use cordboard::engine::dispatcher::Dispatcher;
use cordboard::engine::feed::Feed;

use crate::lives::{Case, Life, NIGHT, Outside, around, around_provider};
use crate::support::postgres::Postgres;
use crate::town;

/// The commits that it comes by.
pub const PLACES: &[&str] = &["alarm_step", "alarm_text"];
/// Around what it sends.
pub const PROVIDERS: [(&str, &str, &str); 2] =
    [("alarm_text", "before_send", "after_send"), ("alarm_call", "before_place", "after_place")];

fn plan() -> Plan {
    let step = |by, at: usize| {
        let (name, mobile, ..) = town::PEOPLE[at];
        Step { after_secs: 60, by, name: name.to_owned(), number: town::number(mobile) }
    };
    Plan { steps: vec![step(Means::Text, 2), step(Means::Call, 2), step(Means::Text, 3)], ..Plan::default() }
}

/// Not a test by itself: the process that is killed.
#[tokio::test]
async fn the_child() {
    let Some(life) = Life::of_child(NIGHT.plus_secs(70)) else { return };
    let (store, clock) = (life.store().await, life.clock.clone());
    let outside = Arc::new(Outside::new(&life.directory, &clock));
    let shared = Arc::new(clock.clone());
    let edges = outside.clone().edges();
    let dispatcher = Dispatcher::new(store.clone(), shared.clone(), Feed::default(), edges, "node");
    let alarms = Alarms::new(store.clone(), shared, Feed::default(), plan(), "UTC");
    dispatcher.watched_by(alarms.clone());
    dispatcher.recover().await.expect("what was cut off is taken up");
    let main = alarms.ringer_beat().clone();
    let mut ringer = Ringer::new(RingerParts {
        alarms,
        store: store.clone(),
        texter: outside.clone(),
        call_out: outside.clone(),
        house: Arc::new(Vec::new),
        main,
    });
    for _ in 0..100 {
        dispatcher.tick(clock.utc()).await.expect("a tick");
        ringer.pulse(clock.utc()).await;
        let chain = store.find_alarm_chain().await.expect("read").expect("a message needs an operator").state;
        if chain.acknowledged.is_some() {
            store.close().await;
            return;
        }
        if chain.taken.len() >= 3 {
            let roe = town::number(town::PEOPLE[3].1);
            dispatcher.take_text("twilio", "IN-ack", roe, None, "ack".to_owned()).await.expect("taken in");
            continue;
        }
        life.pass(15);
        let rings = std::mem::take(&mut *outside.rings.lock().expect("unpoisoned"));
        let (over, on) = rings.into_iter().partition(|(until, ..)| *until <= clock.utc());
        *outside.rings.lock().expect("unpoisoned") = on;
        let over: Vec<crate::lives::Ring> = over;
        for (_, attempt, events) in over {
            let ended = CallOutEvent::Ended(OutboundEnd::NotReached(Cause::NoAnswer));
            events.send((attempt, ended)).expect("the chain listens");
        }
    }
    panic!("the night has no end");
}

/// A message that nobody confirmed.
async fn prepare(case: &Case) {
    let store = case.store().await;
    let steps = vec![(Method::TextConfirm, town::on_call("mobile"), 60)];
    town::settle(&store, &town::protocol(steps, false, Until::Confirmed), NIGHT).await;
    let message = town::message("m1", "burst pipe", NIGHT);
    let account = store.find_account(&message.account).await.expect("found").expect("an account");
    let clock = TestClock::at(NIGHT);
    let edges = Arc::new(Outside::new(case.directory.path(), &clock)).edges();
    let dispatcher = Dispatcher::new(store.clone(), Arc::new(clock.clone()), Feed::default(), edges, "front");
    let mut tx = store.write().await.expect("the store writes");
    tx.insert_message(&message).await.expect("inserted");
    dispatcher.open(&mut tx, &message, &account).await.expect("opened");
    tx.commit("test").await.expect("committed");
    for _ in 0..14 {
        clock.advance(std::time::Duration::from_secs(5));
        dispatcher.tick(clock.utc()).await.expect("a tick");
    }
    let id = store.find_dispatch_of_message(&MessageId::named("m1")).await.expect("found").expect("a dispatch");
    let state = store.find_dispatch(&id).await.expect("found").expect("a dispatch").state;
    assert!(state.needs_operator(), "nobody is left to ask");
    store.close().await;
}

async fn kill_at(failpoint: &str, database: Option<String>, kind: &str) {
    let case = Case::new("alarm::the_child", kind, failpoint, database);
    prepare(&case).await;
    let name = &case.name;
    assert!(case.dies(failpoint), "{name}: the night never comes by there");
    case.lives();
    let store = case.store().await;
    let chain = store.find_alarm_chain().await.expect("read").expect("a chain").state;
    let sent: Vec<String> = case.sent().into_iter().map(|(_, attempt)| attempt).collect();
    let times = |id: &str| sent.iter().filter(|attempt| *attempt == id).count();
    assert!(chain.taken.iter().all(|taken| times(taken.id.as_str()) <= 1), "{name}: a step was taken twice");
    let left_out = chain.taken.iter().filter(|taken| times(taken.id.as_str()) == 0).count();
    assert!(left_out <= 1, "{name}: only the step that was cut off is left out");
    let steps: Vec<usize> = chain.taken.iter().map(|taken| taken.step).collect();
    assert_eq!(steps, [0, 1, 2], "{name}");
    let acknowledged = chain.acknowledged.expect("somebody sees to it");
    assert_eq!((acknowledged.by.as_str(), acknowledged.via), ("Roe", Via::Text), "{name}");
    assert!(store.list_unplaced_texts(10).await.expect("listed").is_empty(), "{name}");
    assert!(store.list_waiting_inbound(10).await.expect("listed").is_empty(), "{name}");
    store.close().await;
}

async fn every_place(kind: &str, database: impl Fn() -> Option<String>) {
    for failpoint in around(PLACES).chain(PROVIDERS.into_iter().flat_map(around_provider)) {
        kill_at(&failpoint, database(), kind).await;
    }
}

#[tokio::test]
async fn killed_anywhere_on_sqlite_no_step_of_the_chain_is_taken_twice() {
    every_place("SQLite", || None).await;
}

#[tokio::test]
async fn killed_anywhere_on_postgresql_no_step_of_the_chain_is_taken_twice() {
    let Some(server) = Postgres::start("crashes of the alarm chain on PostgreSQL") else { return };
    every_place("PostgreSQL", || Some(server.create_database())).await;
}
