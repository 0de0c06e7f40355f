//! More is to leave than may at once: the urgent goes next, the routine after, and nothing is lost or sent twice.

use std::collections::BTreeSet;

use cordboard::domain::account::Urgency;
use cordboard::domain::dispatch::lanes::{ChannelRates, Pace, Rates};
use cordboard::domain::dispatch::protocol::{Method, Until};
use cordboard::domain::dispatch::state::{Channel, Phase};

use crate::desk::{Arrived, Desk, Kind};
use crate::town;

impl Desk {
    /// What leaves may leave as fast as this. Before anything is taken.
    fn paced_by(&mut self, rates: Rates) {
        self.dispatcher.paced_by(rates.clone());
        self.rates = Some(rates);
    }
}

fn only(channel: Channel, pace: Pace, to_one: Option<Pace>) -> Rates {
    Rates { channels: [(channel, ChannelRates { pace, to_one })].into(), ..Rates::default() }
}

fn with(arrived: &[Arrived], words: &str) -> usize {
    arrived.iter().filter(|a| a.words.contains(words)).count()
}

#[tokio::test]
async fn five_hundred_routine_texts_wait_the_urgent_one_goes_next_and_a_restart_loses_and_doubles_none() {
    let everybody = town::PEOPLE.iter().map(|(name, ..)| town::named(name, "mobile")).collect();
    let protocol = town::protocol(vec![(Method::Text, everybody, 0)], false, Until::HandedOver);
    let mut desk = Desk::at_work(&protocol).await;
    desk.paced_by(only(Channel::Text, Pace { per_minute: 600, burst: 8, at_once: 4 }, None));
    desk.urgency = Urgency::Routine;
    let mut ids = Vec::new();
    for n in 0..125 {
        ids.push(desk.saves(&format!("leaflet number {n:03}")).await);
    }
    desk.advance(13).await;
    let mut arrived = desk.all_arrived();
    assert!((60..=100).contains(&arrived.len()), "ten a second for eight seconds: {}", arrived.len());
    let mut waiting = None;
    for id in &ids {
        if waiting.is_none() && desk.state(id).await.attempts.iter().all(|a| a.accepted_at.is_none()) {
            waiting = Some(desk.view(id).await);
        }
    }
    let waiting = waiting.expect("most wait");
    let next = waiting.next.map(|line| line.text).unwrap_or_default();
    assert!(next.contains("waits for its turn"), "{next}");
    assert_eq!(waiting.alarm, None, "nobody is called for a leaflet");

    desk.urgency = Urgency::Urgent;
    let urgent = desk.saves("burst pipe").await;
    desk.advance(5).await;
    let opened = desk.now();
    desk.advance(1).await;
    let soon = desk.all_arrived();
    assert_eq!(with(&soon, "burst pipe"), 4, "within the second");
    assert!(soon.iter().any(|a| a.words.contains("burst pipe") && a.at == opened), "the first at once");
    arrived.extend(soon);
    assert!(arrived.len() < 300, "and hundreds wait: {}", arrived.len());

    desk.restarts().await;
    desk.advance(60).await;
    arrived.extend(desk.all_arrived());
    assert_eq!(with(&arrived, "burst pipe"), 4);
    for n in 0..125 {
        let leaflet = format!("leaflet number {n:03}");
        let to: BTreeSet<&str> = arrived.iter().filter(|a| a.words.contains(&leaflet)).map(|a| a.to.as_str()).collect();
        assert_eq!((to.len(), with(&arrived, &leaflet)), (4, 4), "{leaflet}: to each of them, once");
    }
    assert!(arrived.len() < 400, "what waited for the same person went together: {}", arrived.len());
    for id in &ids {
        assert_eq!(desk.state(id).await.phase, Phase::Delivered);
    }
    desk.ends(&urgent, Phase::Delivered).await;
}

#[tokio::test]
async fn routine_calls_leave_a_line_for_the_urgent_one() {
    let protocol = town::protocol(vec![(town::CALL, vec![town::named("Ada", "mobile")], 600)], false, Until::Confirmed);
    let mut desk = Desk::at_work(&protocol).await;
    desk.paced_by(only(Channel::Call, Pace { per_minute: 600, burst: 20, at_once: 4 }, None));
    desk.urgency = Urgency::Routine;
    for n in 0..6 {
        desk.saves(&format!("leaflet number {n}")).await;
    }
    desk.advance(15).await;
    assert_eq!(desk.all_arrived().len(), 3, "three of four lines");
    desk.urgency = Urgency::Urgent;
    let urgent = desk.takes("burst pipe").await;
    let ring = desk.all_arrived();
    assert_eq!((ring.len(), with(&ring, "burst pipe")), (1, 1), "the fourth");
    desk.advance(60).await;
    let rest = desk.all_arrived();
    assert_eq!(rest.len(), 3, "and the others when lines are free");
    assert!(rest.iter().all(|a| a.kind == Kind::Call));
    desk.advance(700).await;
    desk.ends(&urgent, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn a_person_who_is_flooded_gets_all_of_it_in_time_and_an_operator_hears_of_what_waits() {
    let steps = vec![(Method::TextConfirm, town::on_call("mobile"), 900), (town::CALL, town::on_call("mobile"), 600)];
    let mut desk = Desk::at_work(&town::protocol(steps, true, Until::Confirmed)).await;
    let pace = Pace { per_minute: 600, burst: 40, at_once: 20 };
    desk.paced_by(only(Channel::Text, pace, Some(Pace { per_minute: 6, burst: 4, at_once: 8 })));
    let mut ids = Vec::new();
    for n in 0..12 {
        ids.push(desk.saves(&format!("burst pipe number {n:02}")).await);
    }
    desk.advance(5).await;
    let mut arrived = desk.all_arrived();
    assert_eq!(arrived.len(), 4, "as many as a person is sent at once");
    let mut lines = Vec::new();
    desk.advance(61).await;
    for id in &ids {
        lines.extend(desk.view(id).await.alarm);
    }
    arrived.extend(desk.all_arrived());
    assert_eq!(lines.len(), 12 - arrived.len(), "whatever waits for over a minute: {lines:?}");
    assert!(!lines.is_empty() && lines.iter().all(|line| line.starts_with("An urgent text waits for its turn")));
    desk.advance(60).await;
    arrived.extend(desk.all_arrived());
    let different: BTreeSet<&str> = arrived.iter().map(|a| a.words.as_str()).collect();
    assert_eq!((arrived.len(), different.len()), (12, 12));
    for id in &ids {
        let view = desk.view(id).await;
        assert_eq!(view.alarm, None, "{:?}", view.timeline);
    }
    let last = ids.pop().expect("twelve");
    desk.ends(&last, Phase::Running).await;
}

#[tokio::test]
async fn an_urgent_message_is_opened_before_the_routine_ones_that_are_due() {
    let protocol = town::protocol(vec![(Method::Text, town::on_call("mobile"), 0)], false, Until::HandedOver);
    let mut desk = Desk::at_work(&protocol).await;
    desk.urgency = Urgency::Routine;
    for n in 0..3 {
        desk.saves(&format!("leaflet number {n}")).await;
    }
    desk.wait(1);
    desk.urgency = Urgency::Urgent;
    let urgent = desk.saves("burst pipe").await;
    desk.wait(60);
    let now = desk.now();
    let mut tx = desk.store.write().await.expect("the store writes");
    let claimed = tx.claim_due(now, "node", now.plus_secs(15), 1).await.expect("claimed");
    tx.rollback().await.expect("given up");
    assert_eq!(claimed.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&urgent]);
    desk.advance(0).await;
    assert_eq!(desk.all_arrived().len(), 4);
    desk.ends(&urgent, Phase::Delivered).await;
}

#[tokio::test]
async fn the_answer_to_a_yes_that_waited_for_its_turn_when_the_process_died_leaves_at_the_start_and_once() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let pace = Pace { per_minute: 600, burst: 40, at_once: 20 };
    desk.paced_by(only(Channel::Text, pace, Some(Pace { per_minute: 1, burst: 1, at_once: 8 })));
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.phone("Ben").replies("1ok").await;
    assert_eq!((desk.state(&id).await.phase, desk.times()), (Phase::Confirmed, vec![]), "his answer waits");
    desk.restarts().await;
    assert_eq!(desk.phone("Ben").expect_text("Confirmed").at, desk.now());
    desk.advance(5 * 60).await;
    desk.ends(&id, Phase::Confirmed).await;
}
