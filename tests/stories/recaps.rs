//! Recaps: what waits for the morning, who gets it, and what becomes of one that was missed, refused or begun twice.

use cordboard::base::id::{AccountId, ContactId};
use cordboard::domain::dispatch::event::Failure;
use cordboard::domain::dispatch::hold::TimeOfDay;
use cordboard::domain::dispatch::protocol::{Method, Protocol, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::domain::recap::plan::{Files, Plan, Recipient};
use cordboard::io::deliver::Delivery;
use cordboard::io::store::recaps::PlanSet;

use crate::desk::Desk;
use crate::jobs::kim;
use crate::support::postgres::Postgres;
use crate::town;

const HOUR: i64 = 3_600;
/// From the story's begin, 02:10, to eight o'clock and the moment that the recap waits after it.
const TO_EIGHT: i64 = 5 * HOUR + 50 * 60;

fn routine() -> Protocol {
    town::protocol(vec![(Method::HoldForRecap, vec![], 0)], false, Until::HandedOver)
}

async fn with_recap(desk: &Desk, to: &[&str], empty: bool) {
    let to = to.iter().map(|name| Recipient { contact: ContactId::named(name), destination: "email".into() }).collect();
    let plan = Plan { times: vec![TimeOfDay::parse("08:00").expect("a time")], to, empty, ..Plan::default() };
    let mut tx = desk.store.write().await.expect("the store writes");
    let set = PlanSet { account: AccountId::named("one"), plan, set_at: desk.now(), since: desk.now() };
    tx.set_recap_plan(&set).await.expect("a plan");
    tx.commit("test").await.expect("committed");
}

/// Whoever looks after recaps looks now; what they tell is applied.
async fn look(desk: &Desk) {
    desk.recaps().pulse(desk.now()).await.expect("the store answers");
    desk.advance(0).await;
}

async fn a_drip_waits_for_the_morning(mut desk: Desk) {
    with_recap(&desk, &["Olive", "Roe"], false).await;
    let drip = desk.takes("dripping tap").await;
    let view = desk.view(&drip).await;
    assert_eq!(view.state, "held_for_recap");
    assert!(view.next.expect("it is said").text.starts_with("Held for the next recap since 02:10:05"));
    desk.advance(TO_EIGHT - 5).await;
    look(&desk).await;
    desk.advance(5).await;
    look(&desk).await;
    look(&desk).await;
    for name in ["Olive", "Roe"] {
        let mail = desk.phone(name).expect_mail("recap of Sat 7 Mar 2026, 08:00, 1 message");
        assert!(mail.words.contains("Problem:\n  dripping tap") && !mail.words.contains("late"), "{}", mail.words);
    }
    let view = desk.view(&drip).await;
    assert!(view.timeline.iter().any(|line| line.text == "In the recap to Olive, accepted."), "{:?}", view.timeline);
    desk.ends(&drip, Phase::Recapped).await;
}

#[tokio::test]
async fn what_is_held_for_the_recap_goes_out_once_at_eight_and_is_done() {
    a_drip_waits_for_the_morning(Desk::at_work(&routine()).await).await;
}

#[tokio::test]
async fn the_same_on_postgresql() {
    let Some(server) = Postgres::start("a recap on PostgreSQL") else { return };
    a_drip_waits_for_the_morning(Desk::on_postgres(server.create_database(), &routine()).await).await;
}

#[tokio::test]
async fn the_same_goes_along_as_pages_and_as_a_table_where_the_client_wants_them() {
    let mut desk = Desk::at_work(&routine()).await;
    with_recap(&desk, &["Olive"], false).await;
    let mut set = desk.store.find_recap_plan(&AccountId::named("one")).await.expect("asked").expect("a plan");
    set.plan.files = Files { pdf: true, csv: true };
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.set_recap_plan(&set).await.expect("a plan");
    tx.commit("test").await.expect("committed");
    let drip = desk.takes("dripping tap").await;
    desk.advance(TO_EIGHT).await;
    look(&desk).await;
    let mail = desk.phone("Olive").expect_mail("dripping tap");
    for file in ["[recap-2026-03-07-0800.pdf, ", "[recap-2026-03-07-0800.csv, "] {
        assert!(mail.words.contains(file), "{file}: {}", mail.words);
    }
    desk.ends(&drip, Phase::Recapped).await;
}

#[tokio::test]
async fn a_recap_missed_while_we_were_down_is_sent_late_and_says_so() {
    let mut desk = Desk::at_work(&routine()).await;
    with_recap(&desk, &["Olive"], false).await;
    let drip = desk.takes("dripping tap").await;
    desk.wait(u64::try_from(3 * 24 * HOUR).expect("positive"));
    desk.restarts().await;
    look(&desk).await;
    let mail = desk.phone("Olive").expect_mail("recap of Mon 9 Mar 2026, 08:00, 1 message (late)");
    assert!(mail.words.contains("Nothing is missing in it"), "{}", mail.words);
    look(&desk).await;
    desk.ends(&drip, Phase::Recapped).await;
}

#[tokio::test]
async fn a_refused_email_is_tried_again_and_the_message_stays_held_until_somebody_has_it() {
    let mut desk = Desk::at_work(&routine()).await;
    with_recap(&desk, &["Olive"], false).await;
    let drip = desk.takes("dripping tap").await;
    desk.advance(TO_EIGHT).await;
    desk.provider_answers(Some(Delivery::Failed { failure: Failure::Temporary, why: "smtp_451".into() }));
    look(&desk).await;
    assert_eq!(desk.view(&drip).await.state, "held_for_recap");
    assert!(desk.dispatcher.alarms().iter().any(|alarm| alarm.text.contains("was not accepted yet")));
    desk.provider_answers(None);
    look(&desk).await;
    assert_eq!(desk.view(&drip).await.state, "held_for_recap", "not before a minute is over");
    desk.advance(60).await;
    look(&desk).await;
    desk.phone("Olive").expect_mail("dripping tap");
    assert!(!desk.dispatcher.alarms().iter().any(|alarm| alarm.text.contains("recap")), "the alarm is gone");
    desk.ends(&drip, Phase::Recapped).await;
}

#[tokio::test]
async fn an_address_that_does_not_exist_is_an_alarm_and_the_message_goes_with_the_next_recap() {
    let mut desk = Desk::at_work(&routine()).await;
    with_recap(&desk, &["Olive"], false).await;
    let drip = desk.takes("dripping tap").await;
    desk.advance(TO_EIGHT).await;
    desk.provider_answers(Some(Delivery::Failed { failure: Failure::Permanent, why: "smtp_550".into() }));
    look(&desk).await;
    assert!(desk.dispatcher.alarms().iter().any(|alarm| alarm.text.contains("could not be sent to Olive (smtp 550)")));
    desk.provider_answers(None);
    // The clocks go forward in that night.
    desk.advance(23 * HOUR - 60).await;
    look(&desk).await;
    assert_eq!(desk.view(&drip).await.state, "held_for_recap");
    desk.advance(60).await;
    look(&desk).await;
    desk.phone("Olive").expect_mail("dripping tap");
    desk.ends(&drip, Phase::Recapped).await;
}

#[tokio::test]
async fn a_recap_given_up_is_an_alarm_after_a_restart_too_until_somebody_has_seen_to_it() {
    let mut desk = Desk::at_work(&routine()).await;
    with_recap(&desk, &["Olive"], false).await;
    let drip = desk.takes("dripping tap").await;
    desk.advance(TO_EIGHT).await;
    desk.provider_answers(Some(Delivery::Failed { failure: Failure::Permanent, why: "smtp_550".into() }));
    look(&desk).await;
    desk.provider_answers(None);
    let sounding = |desk: &Desk| {
        let lost = desk.dispatcher.alarms().into_iter().find(|alarm| alarm.text.contains("could not be sent to Olive"));
        lost.map(|alarm| alarm.id)
    };
    let before = sounding(&desk).expect("it sounds");
    desk.restarts().await;
    look(&desk).await;
    assert_eq!(sounding(&desk), Some(before.clone()), "nobody has seen to it");
    desk.dispatcher.silence(&before, &kim()).await.expect("the store answers");
    desk.restarts().await;
    look(&desk).await;
    assert_eq!(sounding(&desk), None, "somebody has");
    desk.ends(&drip, Phase::HeldForRecap).await;
}

#[tokio::test]
async fn two_nodes_make_one_recap() {
    let mut desk = Desk::at_work(&routine()).await;
    with_recap(&desk, &["Olive"], false).await;
    let drip = desk.takes("dripping tap").await;
    desk.advance(TO_EIGHT).await;
    let (one, other) = (desk.recaps(), desk.recaps());
    let (first, second) = tokio::join!(one.pulse(desk.now()), other.pulse(desk.now()));
    first.expect("the store answers");
    second.expect("the store answers");
    desk.advance(0).await;
    desk.phone("Olive").expect_mail("dripping tap");
    desk.ends(&drip, Phase::Recapped).await;
}

#[tokio::test]
async fn a_quiet_day_is_reported_where_that_is_wanted_and_a_confirmed_message_says_by_whom() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    with_recap(&desk, &["Olive"], true).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.advance(TO_EIGHT).await;
    look(&desk).await;
    let mail = desk.phone("Olive").expect_mail("1 message");
    assert!(mail.words.contains("burst pipe") && mail.words.contains("Confirmed by Ben, 02:10."), "{}", mail.words);
    desk.advance(24 * HOUR).await;
    look(&desk).await;
    desk.phone("Olive").expect_mail("no messages");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn what_is_held_for_a_recap_that_the_account_does_not_get_is_an_alarm() {
    let mut desk = Desk::at_work(&routine()).await;
    let drip = desk.takes("dripping tap").await;
    look(&desk).await;
    assert!(desk.dispatcher.alarms().iter().any(|alarm| alarm.text.contains("held for a recap, and it has none")));
    desk.ends(&drip, Phase::HeldForRecap).await;
}

#[tokio::test]
async fn what_was_being_spoken_at_eight_is_in_the_next_recap() {
    let mut desk = Desk::at_work(&routine()).await;
    with_recap(&desk, &["Olive"], false).await;
    let drip = desk.takes("dripping tap").await;
    desk.advance(TO_EIGHT - 65).await;
    let late = town::message("late", "a voice at one minute to eight", desk.now());
    desk.advance(65).await;
    look(&desk).await;
    desk.phone("Olive").expect_mail("dripping tap");
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.insert_message(&late).await.expect("inserted");
    tx.commit("test").await.expect("committed");
    desk.advance(23 * HOUR).await;
    look(&desk).await;
    let mail = desk.phone("Olive").expect_mail("recap of Sun 8 Mar 2026, 08:00, 1 message");
    assert!(
        mail.words.contains("a voice at one minute to eight") && !mail.words.contains("dripping"),
        "{}",
        mail.words
    );
    desk.ends(&drip, Phase::Recapped).await;
}

#[tokio::test]
async fn a_recap_that_cannot_be_read_is_an_alarm_and_the_next_ones_go_out() {
    let mut desk = Desk::at_work(&routine()).await;
    with_recap(&desk, &["Olive"], false).await;
    let drip = desk.takes("dripping tap").await;
    desk.advance(TO_EIGHT).await;
    desk.provider_answers(Some(Delivery::Failed { failure: Failure::Temporary, why: "smtp_451".into() }));
    look(&desk).await;
    desk.provider_answers(None);
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.execute("UPDATE recap SET sealed = SUBSTR(sealed, 2)", Vec::new()).await.expect("broken");
    tx.commit("test").await.expect("committed");
    desk.advance(23 * HOUR).await;
    look(&desk).await;
    assert!(desk.dispatcher.alarms().iter().any(|alarm| alarm.text.contains("cannot be made or sent")));
    desk.phone("Olive").expect_mail("recap of Sun 8 Mar 2026, 08:00, 1 message");
    desk.ends(&drip, Phase::Recapped).await;
}
