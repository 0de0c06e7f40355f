//! More is to leave to one person than they are sent at once, and none of it is urgent: it goes together, and each message of it is
//! settled by itself.

use cordboard::base::id::{AccountId, DispatchId};
use cordboard::domain::account::Urgency;
use cordboard::domain::call::cause::Cause;
use cordboard::domain::dispatch::event::Failure;
use cordboard::domain::dispatch::lanes::{ChannelRates, Pace, Rates};
use cordboard::domain::dispatch::protocol::{Method, Protocol, Until};
use cordboard::domain::dispatch::state::{AttemptState, Channel, Phase};
use cordboard::engine::calls::record::Line;
use cordboard::io::deliver::Delivery;
use cordboard::io::store::calls::CallEnd;
use cordboard::io::store::inbound::Receipt;

use crate::desk::{Arrived, Desk};
use crate::town;

/// After four at once, one every eleven seconds to a person.
fn slow(channel: Channel) -> Rates {
    let pace = Pace { per_minute: 600, burst: 40, at_once: 20 };
    let to_one = Some(Pace { per_minute: 6, burst: 4, at_once: 8 });
    Rates { channels: [(channel, ChannelRates { pace, to_one })].into(), ..Rates::default() }
}

fn to_ada(method: Method, label: &str) -> Protocol {
    town::protocol(vec![(method, vec![town::named("Ada", label)], 0)], false, Until::HandedOver)
}

/// So many routine messages for one person, within a moment.
async fn flood(desk: &mut Desk, channel: Channel, count: usize) -> Vec<DispatchId> {
    flood_of(desk, channel, count, "").await
}

/// The same, of messages that go on with these words.
async fn flood_of(desk: &mut Desk, channel: Channel, count: usize, words: &str) -> Vec<DispatchId> {
    let rates = slow(channel);
    desk.dispatcher.paced_by(rates.clone());
    desk.rates = Some(rates);
    desk.urgency = Urgency::Routine;
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(desk.saves(&format!("leaflet number {n:02}{words}")).await);
    }
    desk.advance(5).await;
    ids
}

/// How many messages each of them holds.
fn sizes(arrived: &[Arrived]) -> Vec<usize> {
    arrived.iter().map(|one| one.words.matches("leaflet number").count()).collect()
}

/// Which of them these words name by their reference.
async fn named_in(desk: &Desk, ids: &[DispatchId], words: &str) -> Vec<usize> {
    let mut named = Vec::new();
    for (n, id) in ids.iter().enumerate() {
        if words.contains(&desk.view(id).await.reference) {
            named.push(n);
        }
    }
    named
}

async fn lines(desk: &Desk, id: &DispatchId) -> Vec<String> {
    desk.view(id).await.timeline.into_iter().map(|line| line.text).collect()
}

#[tokio::test]
async fn texts_that_wait_for_the_same_person_go_as_one_and_a_receipt_for_it_is_each_ones() {
    let mut desk = Desk::at_work(&to_ada(Method::Text, "mobile")).await;
    let mut ids = flood(&mut desk, Channel::Text, 9).await;
    let at_once = desk.all_arrived();
    assert_eq!(sizes(&at_once), [1, 1, 1, 1], "nothing waits that has room");
    desk.advance(30).await;
    let later = desk.all_arrived();
    assert_eq!(sizes(&later), [4, 1]);
    let words = &later[0].words;
    let joined = named_in(&desk, &ids, words).await;
    assert_eq!(joined.len(), 4, "each by its reference: {words}");
    for n in &joined {
        assert!(words.contains(&format!("leaflet number {n:02}")), "{words}");
        let said = lines(&desk, &ids[*n]).await;
        let line = "It went to Ada in one text with others that had waited: 4 messages.";
        assert!(said.iter().any(|said| said == line), "{said:#?}");
        assert!(said.iter().any(|said| said == "Text sent to Ada, accepted."), "{said:#?}");
    }
    assert!(!words.contains("Reply"), "{words}");
    let of = desk.state(&ids[joined[0]]).await.attempts[0].provider_id.clone().expect("the carrier has a name for it");
    desk.dispatcher.take_fate("twilio", &of, "delivered", Receipt::Delivered).await.expect("taken in");
    desk.advance(0).await;
    for (n, id) in ids.iter().enumerate() {
        let state = desk.state(id).await;
        let delivered = state.attempts[0].state() == AttemptState::Delivered;
        assert_eq!((state.phase, delivered), (Phase::Delivered, joined.contains(&n)), "{n}");
    }
    let last = ids.pop().expect("nine");
    desk.ends(&last, Phase::Delivered).await;
}

#[tokio::test]
async fn what_may_have_arrived_together_goes_once_more_each_by_itself_and_says_so() {
    let mut desk = Desk::at_work(&to_ada(Method::Text, "mobile")).await;
    let mut ids = flood(&mut desk, Channel::Text, 6).await;
    assert_eq!(sizes(&desk.all_arrived()), [1, 1, 1, 1]);
    desk.provider_answers(Some(Delivery::Failed { failure: Failure::Unknown, why: "broken_off".into() }));
    desk.advance(12).await;
    desk.provider_answers(None);
    desk.advance(60).await;
    let again = desk.all_arrived();
    assert_eq!(sizes(&again), [1, 1], "once more, and not together");
    let mut doubtful = 0;
    for id in &ids {
        let said = lines(&desk, id).await;
        doubtful += usize::from(said.iter().any(|said| said.contains("once more: whether it arrived")));
        assert_eq!(desk.state(id).await.phase, Phase::Delivered);
    }
    assert_eq!(doubtful, 2);
    let last = ids.pop().expect("six");
    desk.ends(&last, Phase::Delivered).await;
}

#[tokio::test]
async fn emails_that_wait_go_as_one_and_if_it_comes_back_all_of_them_have() {
    let mut desk = Desk::at_work(&to_ada(Method::Email, "email")).await;
    let mut ids = flood(&mut desk, Channel::Email, 10).await;
    assert_eq!(sizes(&desk.all_arrived()).len(), 4);
    desk.advance(30).await;
    let later = desk.all_arrived();
    assert_eq!(later.len(), 1, "all six");
    let words = &later[0].words;
    assert!(words.starts_with("6 messages for"), "{words}");
    let joined = named_in(&desk, &ids, words).await;
    assert_eq!(joined.len(), 6, "{words}");
    assert!(joined.iter().all(|n| words.contains(&format!("leaflet number {n:02}"))), "{words}");
    let one = desk.state(&ids[joined[0]]).await.attempts[0].id.clone();
    desk.report_on(&one, "5.1.1").await;
    desk.advance(0).await;
    for (n, id) in ids.iter().enumerate() {
        let came_back = desk.state(id).await.attempts[0].state() == AttemptState::FailedPerm;
        assert_eq!(came_back, joined.contains(&n), "{n}");
    }
    let alone = (0..ids.len()).find(|n| !joined.contains(n)).expect("four went by themselves");
    let last = ids.remove(alone);
    desk.ends(&last, Phase::Delivered).await;
}

#[tokio::test]
async fn a_joint_email_that_comes_back_before_its_relay_has_answered_came_back_for_all_of_them() {
    let mut desk = Desk::at_work(&to_ada(Method::Email, "email")).await;
    let mut ids = flood(&mut desk, Channel::Email, 10).await;
    assert_eq!(sizes(&desk.all_arrived()).len(), 4);
    desk.mail_bounces_first();
    desk.advance(30).await;
    let later = desk.all_arrived();
    assert_eq!(later.len(), 1, "all six");
    let joined = named_in(&desk, &ids, &later[0].words).await;
    assert_eq!(joined.len(), 6);
    for (n, id) in ids.iter().enumerate() {
        let came_back = desk.state(id).await.attempts[0].state() == AttemptState::FailedPerm;
        assert_eq!(came_back, joined.contains(&n), "{n}");
    }
    let alone = (0..ids.len()).find(|n| !joined.contains(n)).expect("four went by themselves");
    let last = ids.remove(alone);
    desk.ends(&last, Phase::Delivered).await;
}

#[tokio::test]
async fn notices_of_protected_messages_never_go_together() {
    let mut desk = Desk::at_work(&to_ada(Method::Text, "mobile")).await;
    let mut account = desk.store.find_account(&AccountId::named("one")).await.expect("asked").expect("an account");
    account.call_types[0].protected = true;
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_account(&account, desk.now()).await.expect("written");
    tx.commit("test").await.expect("committed");
    let mut ids = flood(&mut desk, Channel::Text, 7).await;
    desk.advance(60).await;
    let arrived = desk.all_arrived();
    assert_eq!(arrived.len(), 7);
    assert!(arrived.iter().all(|one| !one.words.contains("messages") && !one.words.contains("leaflet")));
    let last = ids.pop().expect("seven");
    desk.ends(&last, Phase::Delivered).await;
}

#[tokio::test]
async fn where_four_are_too_long_for_one_text_the_fourth_goes_by_itself_and_the_next_ones_wait_for_it() {
    let mut desk = Desk::at_work(&to_ada(Method::Text, "mobile")).await;
    let mut ids = flood_of(&mut desk, Channel::Text, 10, &", and water everywhere".repeat(30)).await;
    assert_eq!(sizes(&desk.all_arrived()), [1, 1, 1, 1]);
    desk.advance(13).await;
    let mut together = sizes(&desk.all_arrived());
    together.sort_unstable();
    assert_eq!(together, [1, 3], "one turn");
    desk.advance(12).await;
    assert!(desk.all_arrived().is_empty(), "which were two texts: the next waits for both");
    desk.advance(15).await;
    assert_eq!(sizes(&desk.all_arrived()), [2]);
    let last = ids.pop().expect("ten");
    desk.ends(&last, Phase::Delivered).await;
}

#[tokio::test]
async fn emails_about_voicemails_have_a_turn_each() {
    let mut desk = Desk::at_work(&to_ada(Method::Email, "email")).await;
    // What nobody took, by a call that is over, was spoken.
    let call = desk.talks_with_a_caller().await;
    let (ended_at, outcome) = (desk.now(), "voicemail".to_owned());
    let end = CallEnd { answered_at: None, ended_at, outcome, cause: Cause::HungUp, operator: None };
    desk.records(&[Line::Finished { call, end }]).await;
    let mut ids = flood(&mut desk, Channel::Email, 10).await;
    assert_eq!(desk.all_arrived().len(), 4);
    desk.advance(30).await;
    let later = desk.all_arrived();
    assert!((2..=4).contains(&later.len()), "one every ten seconds: {later:?}");
    desk.advance(120).await;
    let rest = desk.all_arrived();
    assert_eq!(later.len() + rest.len(), 6);
    assert!(later.iter().chain(&rest).all(|one| !one.words.contains("messages for")), "{later:?} {rest:?}");
    let last = ids.pop().expect("ten");
    desk.ends(&last, Phase::Delivered).await;
}
