//! Waiting, through the drivers: who is offered whom, and what the account has to say about it.

use super::house::{Did, House, answers, offer, plays, rings, user};
use super::record::Line;
use super::*;
use crate::base::clock::{Clock, SystemClock};
use crate::domain::account::{Comfort, Queueing, Speech};
use crate::domain::call::bridge::{LegId, Source};
use crate::domain::operator::skill::Skill;
use crate::engine::feed::SeatState;
use crate::engine::signal::LegEvent;

/// How an account has its callers wait, by the end of its number.
pub(super) fn queueing(did: &PhoneNumber) -> Queueing {
    match did.as_e164() {
        did if did.ends_with("81") => Queueing { skills: [spanish()].into(), ..Queueing::default() },
        did if did.ends_with("82") => Queueing { wrap_up_secs: Some(1), ..Queueing::default() },
        did if did.ends_with("87") => {
            let piece = |name: &str| Speech::Spoken { text: name.to_owned() };
            Queueing { music: vec![piece("one piece"), piece("another")], ..Queueing::default() }
        }
        did if did.ends_with("86") => Queueing { abandoned_alarm: true, ..Queueing::default() },
        did if did.ends_with("84") || did.ends_with("85") || did.ends_with("94") => {
            Queueing { callback_after_secs: Some(0), ..Queueing::default() }
        }
        _ => Queueing::default(),
    }
}

/// What waiting callers hear, by the end of the account's number.
pub(super) fn comfort(did: &PhoneNumber) -> Option<Comfort> {
    let speech = Speech::Spoken { text: "comfort".to_owned() };
    let comfort = Comfort { every_secs: 1, speech, further: Vec::new(), position: true };
    did.as_e164().ends_with("83").then_some(comfort)
}

fn spanish() -> Skill {
    Skill::parse("Spanish").expect("a skill")
}

/// A caller of that number who has heard the greeting and waits.
pub(super) async fn waits(house: &mut House, did: &str) -> (LegId, mpsc::Sender<LegEvent>) {
    let (leg, events) = house.dials(did, Some(offer()));
    house.until("answer", |d| answers(d, leg)).await;
    events.send(LegEvent::Established(None)).await.expect("the call listens");
    let play = house.until("greeting", |d| plays(d, leg)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg, play });
    house.hears(leg, &[Source::Music]).await;
    (leg, events)
}

#[tokio::test]
async fn a_caller_who_needs_a_skill_goes_past_the_operator_who_waits_longer() {
    let mut house = House::open("greeting");
    house.desk.skilled(UserId::named("lee"), [spanish()].into());
    house.ready("kim").await;
    house.ready("lee").await;
    let _caller = waits(&mut house, "+12025550181").await;
    let who = house
        .until("a phone rings", |d| rings(d, "kim").map(|_| "kim").or_else(|| rings(d, "lee").map(|_| "lee")))
        .await
        .1;
    assert_eq!(who, "lee");
    let (seat, _) = house.desk.board(user("lee")).await.expect("the desk is open");
    assert_eq!(seat.skills, [spanish()]);
}

#[tokio::test]
async fn a_skill_that_left_with_its_operator_is_waited_for_no_longer() {
    let mut house = House::open("greeting");
    house.desk.skilled(UserId::named("lee"), [spanish()].into());
    house.desk.heartbeat(user("lee"), false);
    house.ready("kim").await;
    let _caller = waits(&mut house, "+12025550181").await;
    let (_, queue) = house.desk.board(user("kim")).await.expect("the desk is open");
    assert_eq!(
        queue.waiting.first().map(|w| w.skills.clone()),
        Some(vec![spanish()]),
        "nobody is offered the caller yet"
    );
    // What an operator is said to be able to do can change while she works.
    house.desk.skilled(UserId::named("lee"), Default::default());
    house.until("kim's phone", |d| rings(d, "kim")).await;
}

#[tokio::test]
async fn an_operator_whose_wrap_up_ran_out_is_ready_again() {
    let mut house = House::open("greeting");
    let (caller, from_caller) = waits(&mut house, "+12025550182").await;
    house.ready("kim").await;
    let (operator, _phone) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    assert_eq!(house.does("kim", Command::WrapUpMore).await, Err(CommandError::NotNow));
    from_caller.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    let limited = |e: &FeedEvent| match e {
        FeedEvent::Call { call } if call.state == CallState::WrapUp => Some(call.wrap_up_until),
        _ => None,
    };
    assert!(house.shown("the wrap-up", limited).await.is_some());
    let again = |e: &FeedEvent| match e {
        FeedEvent::Seat { seat } if seat.state == SeatState::Ready => Some(()),
        _ => None,
    };
    house.shown("ready again", again).await;
    let ran_out =
        |d: &Did| matches!(d, Did::Wrote(Line::Event { kind, .. }) if kind == "wrap_up_ran_out").then_some(());
    house.until("its line", ran_out).await;
}

#[tokio::test]
async fn a_waiting_caller_hears_their_place_after_the_comfort_message() {
    let mut house = House::open("greeting");
    let (caller, _line) = waits(&mut house, "+12025550183").await;
    let comfort = house.until("the comfort message", |d| plays(d, caller)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg: caller, play: comfort });
    house.until("the place", |d| plays(d, caller)).await;
    let told = |d: &Did| match d {
        Did::Wrote(Line::Event { kind, body, .. }) if kind == "place_told" => Some(body.clone()),
        _ => None,
    };
    assert_eq!(house.until("its line", told).await.1, serde_json::json!({"position": 1, "minutes": null}));
}

#[tokio::test]
async fn the_queue_shows_the_wait_from_the_invite_on() {
    let mut house = House::open("greeting");
    let (leg, events) = house.dials("+12025550181", Some(offer()));
    house.until("answer", |d| answers(d, leg)).await;
    events.send(LegEvent::Established(None)).await.expect("the call listens");
    let play = house.until("greeting", |d| plays(d, leg)).await.1;
    let rang_at = house.calls.views()[0].started_at;
    // The greeting takes its time.
    while SystemClock.utc().since(rang_at) < 5 {
        tokio::task::yield_now().await;
    }
    house.calls.on_media(MediaEvent::PlayDone { leg, play });
    house.hears(leg, &[Source::Music]).await;
    let (_, queue) = house.desk.board(user("kim")).await.expect("the desk is open");
    assert_eq!(queue.waiting.first().map(|w| w.since), Some(rang_at));
}
