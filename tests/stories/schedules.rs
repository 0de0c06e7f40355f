//! Who is on call changes while a dispatch runs, several are on call at once, and people are told of their shifts.

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{ContactId, OverrideId, ScheduleId};
use cordboard::domain::dispatch::state::Phase;
use cordboard::domain::oncall::change::{Made, OverrideEdit};
use cordboard::domain::oncall::{Layer, Override, OverrideAct, Rotation, Schedule, ShiftLength, ShiftTurn};

use crate::desk::{Desk, Kind};
use crate::town;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

async fn keep(desk: &Desk, schedule: &Schedule) {
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_schedule(schedule).await.expect("a schedule");
    tx.commit("test").await.expect("committed");
}

/// Ben has all nights.
fn nights() -> Schedule {
    let rotation = Rotation::even(vec![ContactId::named("Ben")], "2026-03-02T08:00", ShiftLength::Days(1));
    Schedule { layers: vec![Layer::plain("rotation B", rotation)], ..town::schedule(None) }
}

#[tokio::test]
async fn the_deputy_takes_the_technicians_night_while_step_one_waits_and_step_two_calls_the_deputy() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    keep(&desk, &nights()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.advance(7 * MINUTE).await;
    let schedule = desk.store.find_schedule(&nights().id).await.expect("read").expect("a schedule");
    let contacts = desk.store.list_contacts(&schedule.account).await.expect("read");
    let edit = OverrideEdit {
        edition: None,
        act: OverrideAct::Replace { contact: ContactId::named("Ada"), instead_of: ContactId::named("Ben") },
        from: desk.now(),
        until: desk.now().plus_secs(6 * HOUR),
        note: "ill".into(),
    };
    let made = Made { by: "the office", at: desk.now() };
    keep(&desk, &edit.apply(&schedule, &contacts, made).expect("Ben is on call then")).await;
    desk.advance(8 * MINUTE + 1).await;
    desk.phone("Ada").expect_call();
    let entries = desk.store.list_dispatch_entries(&id).await.expect("listed");
    let why = format!("{entries:?}");
    assert!(why.contains("technician on call by override by the office, 02:17, beats rotation B"), "{why}");
    // The deputy has it from there on, at home too; Ben hears no more of it.
    desk.advance(10 * MINUTE + 40).await;
    desk.phone("Ada").expect_call_at_home();
    assert_eq!(desk.times(), []);
    assert_eq!(desk.state(&id).await.phase, Phase::Running);
}

#[tokio::test]
async fn whoever_is_on_call_at_the_same_time_is_told_at_the_same_time() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let people = ["Ben", "Ada"].map(ContactId::named).to_vec();
    let turns = vec![ShiftTurn { people, length: ShiftLength::Weeks(1) }];
    let both = Rotation { anchor: "2026-03-02T08:00".into(), turns };
    keep(&desk, &Schedule { layers: vec![Layer::plain("both", both)], ..town::schedule(None) }).await;
    let id = desk.takes("burst pipe").await;
    assert_eq!(desk.times(), [(0, Kind::Text), (0, Kind::Text)]);
    let (ben, ada) = (desk.phone("Ben"), desk.phone("Ada"));
    ben.expect_text("Reply 1ok");
    ada.expect_text("Reply 1ok");
    ada.replies("1ok").await;
    ada.expect_text("Confirmed");
    ben.expect_text("Ada");
    desk.ends(&id, Phase::Confirmed).await;
}

/// Ada's shift begins in two hours; after it nobody is on call.
async fn evening(desk: &Desk) -> UtcMs {
    let begins = desk.now().plus_secs(2 * HOUR);
    let mut schedule = town::schedule(None);
    schedule.remind = true;
    schedule.overrides.push(Override {
        id: OverrideId::named("ada"),
        act: OverrideAct::Only { contact: ContactId::named("Ada") },
        from: begins,
        until: begins.plus_secs(12 * HOUR),
        by: "the office".into(),
        made_at: desk.now(),
        note: String::new(),
    });
    let mut manager = desk.store.find_contact(&ContactId::named("Olive")).await.expect("read").expect("a contact");
    manager.title = "Office manager".into();
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_contact(&manager).await.expect("a contact");
    tx.commit("test").await.expect("committed");
    keep(desk, &schedule).await;
    begins
}

#[tokio::test]
async fn ada_is_told_before_her_shift_and_when_it_begins_once_each_and_the_manager_of_the_gap_after_it() {
    let desk = Desk::at_work(&town::plumbing()).await;
    let begins = evening(&desk).await;
    // Two nodes look at the same time.
    let (one, other) = (desk.shifts(), desk.shifts());
    for _ in 0..3 {
        one.pulse(desk.now()).await.expect("the store answers");
        other.pulse(desk.now()).await.expect("the store answers");
        desk.advance(MINUTE).await;
    }
    desk.phone("Ada")
        .expect_text("Imaginary Plumbing: you are on call as technician from Sat 7 Mar 04:10 until Sat 7 Mar 16:10");
    desk.phone("Olive").expect_mail("Nobody is on call as technician, Sat 7 Mar 16:10");
    let alarms = desk.dispatcher.alarms();
    assert!(alarms.iter().any(|alarm| alarm.text.contains("Nobody is on call as technician")), "{alarms:?}");
    desk.advance((begins.0 - desk.now().0) / 1_000).await;
    one.pulse(desk.now()).await.expect("the store answers");
    other.pulse(desk.now()).await.expect("the store answers");
    desk.phone("Ada").expect_text("you are on call now as technician until Sat 7 Mar 16:10");
    assert_eq!(desk.times(), []);
}

#[tokio::test]
async fn a_reminder_that_was_missed_while_the_service_was_down_is_dropped_once_the_shift_has_begun() {
    let desk = Desk::at_work(&town::plumbing()).await;
    evening(&desk).await;
    desk.advance(2 * HOUR + 20 * MINUTE).await;
    desk.shifts().pulse(desk.now()).await.expect("the store answers");
    desk.phone("Olive").expect_mail("Nobody is on call");
    assert_eq!(desk.times(), []);
}

#[tokio::test]
async fn the_manager_is_told_who_is_on_call_for_two_roles_in_the_client_s_time_and_the_role_s() {
    let desk = Desk::at_work(&town::plumbing()).await;
    let begins = evening(&desk).await;
    let technician = desk.store.find_schedule(&town::schedule(None).id).await.expect("read").expect("a schedule");
    keep(&desk, &Schedule { fallback: Some(ContactId::named("Ben")), ..technician }).await;
    let mut watch = Schedule { id: ScheduleId::named("watch"), role: "watch".into(), ..town::schedule(Some("Ben")) };
    watch.zone = "UTC".into();
    watch.overrides.push(Override {
        id: OverrideId::named("watch"),
        act: OverrideAct::Only { contact: ContactId::named("Ada") },
        from: begins,
        until: begins.plus_secs(HOUR),
        by: "the office".into(),
        made_at: desk.now(),
        note: String::new(),
    });
    keep(&desk, &watch).await;
    desk.shifts().pulse(desk.now()).await.expect("the store answers");
    let words = "Ada is on call as technician and as watch. Sat 7 Mar 04:10 – Sat 7 Mar 05:10 (America/Chicago; \
                 Sat 7 Mar 10:10 – Sat 7 Mar 11:10 UTC).";
    desk.phone("Olive").expect_mail(words);
    let alarms = desk.dispatcher.alarms();
    assert!(alarms.iter().any(|alarm| alarm.text.contains("Ada is on call as technician and as watch")), "{alarms:?}");
}
