//! Callers whom we cut off, and others who have to be rung back: how long the desks know of them. In the house of `tests`.

use super::house::{Did, House, answers, number, offer, plays};
use super::record::Line;
use super::*;
use crate::base::clock::{Clock, SystemClock};
use crate::base::id::AccountId;
use crate::engine::signal::LegEvent;

/// Calls that were up when the last start ended.
fn cut_off(count: usize) -> Vec<(CallRecord, String)> {
    let call = |n: usize| CallRecord {
        id: CallId::named(&format!("before{n}")),
        account: AccountId::named("plumbing"),
        direction: Direction::In,
        trunk: "test".into(),
        did: Some(number("+12025550102")),
        remote: Some(number("+12025550150")),
        forwarded_from: None,
        started_at: SystemClock.utc().plus_ms(-60_000),
        end: None,
    };
    (0..count).map(|n| (call(n), "Imaginary Plumbing".to_owned())).collect()
}

/// More of what passes than is kept.
fn crowd(house: &House) {
    for n in 0..150 {
        house.calls.0.raise(AlarmLevel::Warning, format!("the disk, {n}"), None);
    }
}

/// Alarms that do not go by themselves.
fn standing(house: &House) -> usize {
    house.calls.0.alarms.lock().expect("unpoisoned").iter().filter(|alarm| alarm.stays).count()
}

fn is_seen_to(did: &Did) -> Option<CallId> {
    match did {
        Did::Wrote(Line::Event { call, kind, .. }) if kind == SEEN_TO => Some(call.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn a_caller_whom_a_crash_cut_off_stays_on_the_desks_until_somebody_has_seen_to_them() {
    let mut house = House::open("greeting");
    house.calls.bury_cut_off(cut_off(1));
    crowd(&house);
    let callers: Vec<_> = house.calls.alarms().into_iter().filter(|alarm| alarm.call.is_some()).collect();
    assert_eq!(callers.iter().map(|a| a.call.clone()).collect::<Vec<_>>(), [Some(CallId::named("before0"))]);
    assert_eq!(standing(&house), 1, "no time takes it away either");
    house.calls.silence(&callers[0].id);
    assert!(house.calls.alarms().iter().all(|alarm| alarm.call.is_none()));
    assert_eq!(house.until("seen to", is_seen_to).await.1, CallId::named("before0"));
}

#[tokio::test]
async fn a_crowd_whom_a_crash_cut_off_is_one_alarm_that_pushes_out_no_other() {
    let house = House::open("greeting");
    house.calls.bury_cut_off(cut_off(1));
    house.calls.bury_cut_off(cut_off(130));
    let alarms = house.calls.alarms();
    assert_eq!((alarms.len(), standing(&house)), (2, 2), "{alarms:?}");
    assert!(alarms[1].text.starts_with("130 callers were cut off"), "{}", alarms[1].text);
}

#[tokio::test]
async fn who_dismisses_an_alarm_about_words_has_not_seen_to_the_caller() {
    let mut house = House::open("mute");
    let (leg, events) = house.dials("+12025550102", Some(offer()));
    house.until("answer", |d| answers(d, leg)).await;
    events.send(LegEvent::Established(None)).await.expect("the call listens");
    house.until("tone", |d| plays(d, leg)).await;
    house.calls.silence(&house.calls.alarms()[0].id);
    events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    house.finished().await;
    assert!(!house.kinds().iter().any(|kind| kind == SEEN_TO), "{:?}", house.kinds());
}
