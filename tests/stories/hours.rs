//! Destinations with hours in a night that runs through store and dispatcher: the mobile that is for working hours alone.

use cordboard::base::id::{ContactId, DispatchId};
use cordboard::domain::account::Urgency;
use cordboard::domain::account::hours::{Span, Weekday};
use cordboard::domain::dispatch::protocol::Until;
use cordboard::domain::dispatch::state::Phase;
use cordboard::domain::oncall::Window;

use crate::desk::Desk;
use crate::town;

const MINUTE: i64 = 60;

async fn keep_hours(desk: &Desk, labels: &[&str]) {
    let week = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
    let hours = vec![Window { days: week.to_vec(), span: Span { from: "08:00".into(), until: "18:00".into() } }];
    let mut tx = desk.store.write().await.expect("the store writes");
    let mut ben = tx.find_contact(&ContactId::named("Ben")).await.expect("read").expect("Ben");
    for destination in ben.destinations.iter_mut().filter(|d| labels.contains(&d.label.as_str())) {
        destination.hours.clone_from(&hours);
    }
    tx.upsert_contact(&ben).await.expect("a contact");
    tx.commit("test").await.expect("committed");
}

async fn lines(desk: &Desk, id: &DispatchId) -> Vec<String> {
    desk.view(id).await.timeline.into_iter().map(|line| line.text).collect()
}

#[tokio::test]
async fn on_saturday_night_his_home_rings_in_place_of_his_mobile_for_work() {
    let steps = vec![(town::CALL, town::on_call("mobile"), 600)];
    let mut desk = Desk::at_work(&town::protocol(steps, true, Until::Confirmed)).await;
    keep_hours(&desk, &["mobile"]).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_call_at_home();
    let told = lines(&desk, &id).await;
    let line = "Ben's mobile is not used before Mon 9 Mar 2026, 08:00: home is used instead.";
    assert!(told.iter().any(|l| l == line), "{told:#?}");
    // The office takes the hours away meanwhile: the next round is as the protocol says.
    let mut tx = desk.store.write().await.expect("the store writes");
    let mut ben = tx.find_contact(&ContactId::named("Ben")).await.expect("read").expect("Ben");
    ben.destinations.iter_mut().for_each(|d| d.hours.clear());
    tx.upsert_contact(&ben).await.expect("a contact");
    tx.commit("test").await.expect("committed");
    desk.advance(11 * MINUTE).await;
    desk.phone("Ben").expect_call();
    assert_eq!(desk.state(&id).await.phase, Phase::Running);
}

#[tokio::test]
async fn where_nothing_is_within_hours_the_urgent_text_goes_out_all_the_same() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    keep_hours(&desk, &["mobile", "home"]).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    let told = lines(&desk, &id).await;
    assert!(told.iter().any(|l| l.ends_with("it is used all the same, as the message is urgent.")), "{told:#?}");
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn what_waits_for_monday_goes_out_at_once_when_it_is_raised_to_urgent() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    keep_hours(&desk, &["mobile", "home"]).await;
    desk.urgency = Urgency::Routine;
    let id = desk.takes("wet ceiling").await;
    desk.advance(60 * MINUTE).await;
    assert_eq!(desk.state(&id).await.attempts[0].handed_at, None, "nobody is reached on a Saturday night");
    desk.urgency = Urgency::Urgent;
    desk.changes(&id, "the ceiling comes down", false).await;
    desk.advance(0).await;
    desk.phone("Ben").expect_text("the ceiling comes down");
    let told = lines(&desk, &id).await;
    assert!(told.iter().any(|l| l.ends_with("it is used all the same, as the message is urgent now.")), "{told:#?}");
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}
