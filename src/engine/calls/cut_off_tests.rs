//! Callers whom we cut off, and others who have to be rung back: how long the desks know of them. In the house of `tests`.

use super::callback_tests::promise_of_before;
use super::house::{Did, House, answers, number, offer, plays};
use super::record::Line;
use super::*;
use crate::base::clock::{Clock, SystemClock};
use crate::base::id::AccountId;
use crate::engine::signal::LegEvent;
use crate::io::store::callbacks::Callback;
use crate::io::store::calls::PINS_LOCKED_SEEN;

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
async fn a_voice_that_fails_again_stands_half_an_hour_from_the_last_time() {
    let house = House::open("greeting");
    let calls = &house.calls.0;
    let acme = AccountId::named("acme");
    calls.raise_of_voice(Some(&acme), "Ben".to_owned());
    calls.raise_of_voice(Some(&acme), "Ada".to_owned());
    calls.raise_of_voice(Some(&AccountId::named("bolt")), "Roe".to_owned());
    let alarms = house.calls.alarms();
    let texts = |alarms: &[AlarmView]| alarms.iter().map(|alarm| alarm.text.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&alarms), ["Ada", "Roe"], "one of each account, in the words of the last");
    // The first half hour is over.
    calls.expire(&alarms[0].id, 0);
    assert_eq!(texts(&house.calls.alarms()), ["Ada", "Roe"]);
    calls.expire(&alarms[0].id, 1);
    assert_eq!(texts(&house.calls.alarms()), ["Roe"]);
    calls.expire(&alarms[1].id, 0);
    assert_eq!(house.calls.alarms(), []);
}

#[tokio::test]
async fn a_caller_whom_a_crash_cut_off_stays_on_the_desks_until_somebody_has_seen_to_them() {
    let mut house = House::open("greeting");
    house.calls.bury_cut_off(cut_off(1));
    crowd(&house);
    let callers: Vec<_> = house.calls.alarms().into_iter().filter(|alarm| alarm.call.is_some()).collect();
    assert_eq!(callers.iter().map(|a| a.call.clone()).collect::<Vec<_>>(), [Some(CallId::named("before0"))]);
    assert_eq!(standing(&house), 1, "no time takes it away either");
    house.calls.silence(&callers[0].id).await;
    assert!(house.calls.alarms().iter().all(|alarm| alarm.call.is_none()));
    assert_eq!(house.until("seen to", is_seen_to).await.1, CallId::named("before0"));
}

#[tokio::test]
async fn who_was_promised_it_and_not_reached_is_an_alarm_after_the_next_start_too() {
    let mut house = House::open("greeting");
    // Cut off first, and then rung back in vain.
    let mut callers = cut_off(2);
    callers[0].0.end = Some(CallEnd {
        answered_at: None,
        ended_at: SystemClock.utc(),
        outcome: CUT_OFF.to_owned(),
        cause: Cause::Fault,
        operator: None,
    });
    let unreached = Callback { call: callers[0].0.id.clone(), ..promise_of_before() };
    house.calls.recall(callers, vec![], vec![(unreached, "Imaginary Plumbing".to_owned())]);
    let alarms = house.calls.alarms();
    let words: Vec<_> = alarms.iter().map(|alarm| (alarm.call.clone(), alarm.text.contains("not reached"))).collect();
    let call = |n: usize| Some(CallId::named(&format!("before{n}")));
    assert_eq!(words, [(call(0), true), (call(1), false)], "each once, with what was said last");
    assert_eq!(standing(&house), 2);
    house.calls.silence(&alarms[0].id).await;
    assert_eq!(house.until("seen to", is_seen_to).await.1, CallId::named("before0"));
}

#[tokio::test]
async fn who_was_joined_with_another_call_and_cut_off_in_it_is_an_alarm_after_the_next_start_too() {
    let house = House::open("greeting");
    let mut joined = cut_off(2);
    for (call, _) in &mut joined {
        let (ended_at, outcome) = (SystemClock.utc(), "taken".to_owned());
        call.end = Some(CallEnd { answered_at: None, ended_at, outcome, cause: Cause::Released, operator: None });
    }
    // Rung back since, in vain.
    let unreached = Callback { call: joined[0].0.id.clone(), ..promise_of_before() };
    house.calls.recall(vec![], joined, vec![(unreached, "Imaginary Plumbing".to_owned())]);
    let alarms = house.calls.alarms();
    let words: Vec<_> = alarms.iter().map(|alarm| (alarm.call.clone(), alarm.text.contains("joined"))).collect();
    let call = |n: usize| Some(CallId::named(&format!("before{n}")));
    assert_eq!(words, [(call(0), false), (call(1), true)], "each once, with what was said last");
    assert_eq!(standing(&house), 2);
}

#[tokio::test]
async fn whom_a_crash_cut_off_in_a_call_that_they_were_joined_with_is_told_of_by_their_own() {
    let mut house = House::open("greeting");
    let joined = cut_off(1);
    let own = joined[0].0.id.clone();
    house.calls.bury_joined(joined);
    let alarms = house.calls.alarms();
    assert_eq!((alarms.len(), alarms[0].call.clone()), (1, Some(own.clone())));
    house.calls.silence(&alarms[0].id).await;
    assert_eq!(house.until("seen to", is_seen_to).await.1, own);
}

#[tokio::test]
async fn an_alarm_of_before_the_start_is_as_old_as_what_it_tells() {
    let house = House::open("greeting");
    let mut callers = cut_off(1);
    let ended_at = SystemClock.utc().plus_ms(-1_640_000);
    callers[0].0.end = Some(CallEnd {
        answered_at: None,
        ended_at,
        outcome: "abandoned".to_owned(),
        cause: Cause::NoAnswer,
        operator: None,
    });
    house.calls.recall(callers, vec![], vec![]);
    let alarms = house.calls.alarms();
    assert!(alarms[0].text.contains("waited in vain"), "{}", alarms[0].text);
    assert_eq!(alarms[0].at, ended_at);
}

#[tokio::test]
async fn pins_that_were_tried_in_vain_are_an_alarm_after_the_next_start_until_it_is_seen() {
    let mut house = House::open("greeting");
    house.calls.recall_pins(cut_off(1));
    let alarms = house.calls.alarms();
    let told = "Imaginary Plumbing: too many wrong PINs at check-in, the last from +1 202 555 0150.";
    assert!(alarms[0].text.starts_with(told), "{}", alarms[0].text);
    house.calls.silence(&alarms[0].id).await;
    let seen = |d: &Did| match d {
        Did::Wrote(Line::Event { call, kind, .. }) if kind == PINS_LOCKED_SEEN => Some(call.clone()),
        _ => None,
    };
    assert_eq!(house.until("that it was seen", seen).await.1, CallId::named("before0"));
    assert!(!house.kinds().iter().any(|kind| kind == SEEN_TO), "nobody has seen to a caller");
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
    house.calls.silence(&house.calls.alarms()[0].id).await;
    events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    house.finished().await;
    assert!(!house.kinds().iter().any(|kind| kind == SEEN_TO), "{:?}", house.kinds());
}
