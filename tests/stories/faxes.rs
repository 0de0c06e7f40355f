//! Faxes in the dispatch: tried as the step says, delivered when their machine has confirmed it, and never taken for a person's yes.

use cordboard::base::id::AccountId;
use cordboard::domain::dispatch::fax::{FaxFault, FaxOutcome};
use cordboard::domain::dispatch::protocol::{Method, Protocol, Until};
use cordboard::domain::dispatch::state::{AttemptState, Phase, Trouble};

use crate::desk::{Desk, Kind};
use crate::town;

const MINUTE: i64 = 60;

const fn failed(why: FaxFault) -> FaxOutcome {
    FaxOutcome::Failed { why, confirmed: 0, pages: 1 }
}

/// A fax to the office, tried three times, five minutes apart; then, ten minutes after it came, or at once if it did not, a text.
fn fax_then_text() -> Protocol {
    let fax = Method::Fax { tries: 3, retry_secs: 300 };
    let steps =
        vec![(fax, vec![town::named("Olive", "fax")], 600), (Method::Text, vec![town::named("Olive", "mobile")], 0)];
    town::protocol(steps, false, Until::HandedOver)
}

#[tokio::test]
async fn busy_and_then_a_machine_that_takes_it_on_the_second_try() {
    let mut desk = Desk::at_work(&fax_then_text()).await;
    desk.fax_machine(&[failed(FaxFault::Busy)]);
    let id = desk.takes("burst pipe").await;
    desk.advance(2).await;
    let view = desk.view(&id).await;
    assert_eq!(view.next.expect("something is next").text, "Tries again at 02:15:07 CST.");
    desk.advance(6 * MINUTE).await;
    assert_eq!(desk.times(), [(0, Kind::Fax), (302, Kind::Fax)]);
    let state = desk.state(&id).await;
    assert_eq!(state.attempts[0].state(), AttemptState::Delivered);
    assert!(state.attempts[0].told_at.is_none() && !state.anybody_told(), "a page on a machine was read by nobody");
    let office = desk.phone("Olive");
    (0..2).for_each(|_| drop(office.expect_fax("URGENT message: Jane Roe; +1 202 555 0147; burst pipe")));
    // The wait runs from the confirmation, at 302 s + 60 s.
    desk.advance(10 * MINUTE).await;
    assert_eq!(desk.times(), [(962, Kind::Text)]);
    office.expect_text("burst pipe");
    desk.ends(&id, Phase::Delivered).await;
}

#[tokio::test]
async fn after_its_last_try_the_next_step_follows_at_once_and_operators_are_told() {
    let mut desk = Desk::at_work(&fax_then_text()).await;
    desk.fax_machine(&[failed(FaxFault::Busy), failed(FaxFault::NoMachine), failed(FaxFault::LineLost)]);
    let id = desk.takes("burst pipe").await;
    desk.advance(30 * MINUTE).await;
    let fax = |at| (at, Kind::Fax);
    assert_eq!(desk.times(), [fax(0), fax(302), fax(662), (722, Kind::Text)]);
    let office = desk.phone("Olive");
    (0..3).for_each(|_| drop(office.expect_fax("burst pipe")));
    office.expect_text("burst pipe");
    let state = desk.state(&id).await;
    assert_eq!(state.attempts[0].state(), AttemptState::FailedTemp);
    assert!(state.troubles.contains(&Trouble::NotHandedOver { some: true }), "{:?}", state.troubles);
    let lines: Vec<String> = desk.view(&id).await.timeline.into_iter().map(|line| line.text).collect();
    for words in [
        "Fax to Olive failed (busy), will be tried again.",
        "Fax to Olive failed (answered but no fax machine), will be tried again.",
        "Fax to Olive failed (line lost), given up.",
        "A fax does not get through.",
    ] {
        assert!(lines.iter().any(|line| line == words), "{words}: {lines:#?}");
    }
    desk.ends(&id, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn of_a_protected_call_type_a_page_says_only_that_there_is_a_message() {
    let mut desk = Desk::at_work(&fax_then_text()).await;
    let mut account = desk.store.find_account(&AccountId::named("one")).await.expect("asked").expect("an account");
    account.call_types[0].protected = true;
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_account(&account, desk.now()).await.expect("written");
    tx.commit("test").await.expect("committed");
    let id = desk.takes("burst pipe").await;
    desk.advance(MINUTE).await;
    let office = desk.phone("Olive");
    let page = office.expect_fax("URGENT protected message").words;
    assert!(page.contains("Call +1 202 555 0102 to hear it."), "{page}");
    for said in ["burst", "pipe", "Jane", "0147", "0148"] {
        assert!(!page.contains(said), "{page}");
    }
    desk.advance(10 * MINUTE).await;
    office.expect_text("a protected message waits for you");
    desk.ends(&id, Phase::Delivered).await;
}

#[tokio::test]
async fn a_wrong_number_is_not_tried_twice() {
    let mut desk = Desk::at_work(&fax_then_text()).await;
    desk.fax_machine(&[failed(FaxFault::WrongNumber)]);
    let id = desk.takes("burst pipe").await;
    desk.advance(MINUTE).await;
    assert_eq!(desk.times(), [(0, Kind::Fax), (2, Kind::Text)]);
    desk.phone("Olive").expect_fax("burst pipe");
    desk.phone("Olive").expect_text("burst pipe");
    assert_eq!(desk.state(&id).await.attempts[0].state(), AttemptState::FailedPerm);
    desk.ends(&id, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn a_fax_on_its_way_is_taken_back_when_somebody_confirms() {
    let steps = vec![
        (Method::TextConfirm, town::on_call("mobile"), 60),
        (Method::Fax { tries: 3, retry_secs: 300 }, vec![town::named("Olive", "fax")], 0),
    ];
    let mut desk = Desk::at_work(&town::protocol(steps, false, Until::Confirmed)).await;
    let id = desk.takes("burst pipe").await;
    desk.advance(70).await;
    let ben = desk.phone("Ben");
    ben.expect_text("Reply 1ok");
    desk.phone("Olive").expect_fax("burst pipe");
    ben.replies("1ok").await;
    ben.expect_text("Confirmed");
    assert_eq!(desk.state(&id).await.attempts[1].state(), AttemptState::Cancelled);
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_fax_that_no_trunk_takes_uses_up_no_try_holds_up_nothing_and_arrives_when_one_is_back() {
    let once = Method::Fax { tries: 1, retry_secs: 300 };
    let steps =
        vec![(once, vec![town::named("Olive", "fax")], 600), (Method::Text, vec![town::named("Olive", "mobile")], 0)];
    let mut desk = Desk::at_work(&town::protocol(steps, false, Until::HandedOver)).await;
    desk.fax_machine(&[failed(FaxFault::NoTrunk); 4]);
    let id = desk.takes("burst pipe").await;
    desk.advance(5 * MINUTE).await;
    let fax = |at| (at, Kind::Fax);
    // Each try takes a minute here; then 5, 15 and 30 s, and the text does not wait for what comes after those.
    assert_eq!(desk.times(), [fax(0), fax(65), fax(140), fax(230), (290, Kind::Text)]);
    let alarm = desk.view(&id).await.alarm.unwrap_or_default();
    assert!(alarm.starts_with("A fax cannot leave here: no trunk takes it"), "{alarm}");
    desk.advance(3 * MINUTE).await;
    let office = desk.phone("Olive");
    (0..5).for_each(|_| drop(office.expect_fax("burst pipe")));
    office.expect_text("burst pipe");
    let view = desk.view(&id).await;
    assert!(view.timeline.iter().any(|line| line.text == "Fax to Olive: their machine has confirmed its page."));
    assert_eq!(view.alarm, None, "it is back");
    desk.ends(&id, Phase::Delivered).await;
}
