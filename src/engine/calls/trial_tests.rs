//! A menu tried out on its editor's telephone, through the drivers.

use super::check::CheckRefused;
use super::house::*;
use super::trial::MenuTrial;
use super::*;
use crate::base::id::{AccountId, CallTypeId};
use crate::domain::account::{CallType, Urgency};
use crate::domain::call::bridge::LegId;
use crate::domain::ivr::menu::{Context, Menu};
use crate::domain::ivr::tests::{exit, gather, says};
use crate::domain::message::form::Form;
use crate::domain::operator::{Phone, Phones};
use crate::engine::feed::{TrialState, TrialView};
use crate::engine::signal::LegEvent;

/// 1 for the urgent, 2 for words.
fn trial() -> MenuTrial {
    let urgent = CallTypeId::named("urgent");
    let call_type = CallType {
        id: urgent.clone(),
        name: "Urgent".into(),
        urgency: Urgency::Urgent,
        triggers: String::new(),
        watched: Vec::new(),
        form: Form { version: 1, fields: vec![] },
        protocol: None,
        protected: false,
        priority: None,
    };
    let to_operators = Flow::Queue { priority: Some(7), call_type: Some(urgent), skills: Default::default() };
    let nodes = vec![
        gather("ask", &[("1", "urgent"), ("2", "closed")]),
        exit("urgent", to_operators),
        exit("closed", says("we are closed")),
    ];
    let menu = Menu { name: "night".into(), start: "ask".into(), nodes, otherwise: Flow::default() };
    let account = Account { call_types: vec![call_type], ..Account::blank(AccountId::named("plumbing")) };
    MenuTrial { account, menu, context: Context::default() }
}

/// A house in which sam's softphone is registered.
async fn house() -> House {
    let house = House::open("greeting");
    assert_eq!(house.calls.try_menu(user("sam"), trial()).await, Err(CheckRefused::NoPhone));
    house.desk.heartbeat(user("sam"), false);
    house.desk.phones(UserId::named("sam"), Phones::of(Phone::Softphone));
    house
}

async fn shown(house: &mut House, state: TrialState) -> TrialView {
    let is_it = move |event: &FeedEvent| match event {
        FeedEvent::Trial { trial } if trial.state == state => Some((**trial).clone()),
        _ => None,
    };
    house.shown("the trial", is_it).await
}

/// The menu's first words play on sam's telephone.
async fn walking(house: &mut House) -> (LegId, mpsc::Sender<LegEvent>) {
    assert_eq!(house.calls.try_menu(user("sam"), trial()).await, Ok(()));
    assert_eq!(shown(house, TrialState::Ringing).await.trail, [] as [&str; 0]);
    let (leg, events) = house.takes("sam").await;
    house.until("the menu's words", |d| plays(d, leg)).await;
    assert_eq!(shown(house, TrialState::Walking).await.trail, ["ask"]);
    (leg, events)
}

#[tokio::test]
async fn an_editor_goes_through_a_menu_by_their_own_telephone_and_hears_where_a_caller_would_go() {
    let mut house = house().await;
    let (leg, _events) = walking(&mut house).await;
    assert_eq!(house.calls.try_menu(user("sam"), trial()).await, Err(CheckRefused::Trying));
    let at = house.calls.0.wiring.clock.instant();
    house.calls.on_media(MediaEvent::Digit { leg, digit: '1', at });
    let left = shown(&mut house, TrialState::Left).await;
    assert_eq!(
        (left.user, left.menu.as_str(), left.trail),
        (UserId::named("sam"), "night", vec!["ask".into(), "urgent".into()])
    );
    let chosen: Vec<_> = left.chosen.iter().map(|c| (c.key.as_str(), c.label.as_str())).collect();
    assert_eq!(chosen, [("1", "to urgent")]);
    assert_eq!(left.says.as_deref(), Some("Here a caller goes to the operators, as Urgent, with priority 7."));
    let play = house.until("where a caller would go", |d| plays(d, leg)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg, play });
    house.until("the end", |d| hangs_up(d, leg)).await;
    shown(&mut house, TrialState::Over).await;
    // Nobody waits, and nothing is on record.
    assert!(house.calls.views().is_empty());
    assert!(house.seen.is_empty(), "{:?}", house.seen);
    assert_eq!(house.desk.floor().await.map(|(_, queue)| queue.waiting.len()), Some(0));
}

#[tokio::test]
async fn an_editor_who_hangs_up_is_through_with_it_and_may_try_again() {
    let mut house = house().await;
    let (_, events) = walking(&mut house).await;
    events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the trial listens");
    let over = shown(&mut house, TrialState::Over).await;
    assert_eq!((over.exit, over.trail), (None, vec!["ask".to_owned()]));
    let (leg, events) = walking(&mut house).await;
    events.send(LegEvent::Digit('2')).await.expect("the trial listens");
    assert_eq!(shown(&mut house, TrialState::Left).await.exit, Some(says("we are closed")));
    house.until("the announcement itself", |d| plays(d, leg)).await;
}

#[tokio::test]
async fn a_telephone_that_refuses_is_told_of_and_a_seat_that_is_ready_is_not_rung() {
    let mut house = house().await;
    assert_eq!(house.calls.try_menu(user("sam"), trial()).await, Ok(()));
    let (did, _) = house.until("ring", |d| rings(d, "sam")).await;
    let Did::Rang { events, .. } = did else { unreachable!("rings picks Rang") };
    events.send(LegEvent::Ended(Cause::Busy)).await.expect("the trial listens");
    shown(&mut house, TrialState::Unreached).await;
    house.ready("sam").await;
    assert_eq!(house.calls.try_menu(user("sam"), trial()).await, Err(CheckRefused::Busy));
}
