//! Supervisors in calls, through the drivers: their phones are rung, they are in one call at a time, and their seats are
//! free again however the listening ends.

use super::house::{Did, House, hangs_up, rings, user};
use super::listen::ListenRefused;
use super::record::Line;
use super::*;
use crate::domain::call::bridge::Source;
use crate::domain::operator::{CannotListen, Phone, Phones};
use crate::engine::signal::LegEvent;

/// A supervisor whose console is open and who is not ready for calls.
async fn sits_down(house: &House, name: &str) {
    house.desk.heartbeat(user(name), false);
    house.desk.phones(UserId::named(name), Phones::of(Phone::Softphone));
    house.desk.board(user(name)).await.expect("the desk is open");
}

async fn listeners(house: &mut House, wanted: usize) -> CallView {
    let seen = |e: &FeedEvent| match e {
        FeedEvent::Call { call } if call.listeners.len() == wanted => Some((**call).clone()),
        _ => None,
    };
    house.shown("its listeners", seen).await
}

#[tokio::test]
async fn a_supervisor_is_rung_hears_switches_by_one_word_and_leaves() {
    let mut house = House::open("greeting");
    let (caller, _from_caller) = house.queued().await;
    sits_down(&house, "sam").await;
    let call = house.call();
    let refused = house.calls.listen(&call, user("sam"), ListenMode::Monitor).await;
    assert_eq!(refused, Err(ListenRefused::Call(CommandError::NotNow)), "nobody talks yet");
    house.ready("kim").await;
    let (operator, _from_operator) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;

    assert_eq!(house.calls.listen(&call, user("sam"), ListenMode::Monitor).await, Ok(()));
    let (supervisor, _from_sam) = house.takes("sam").await;
    house.hears(supervisor, &[Source::Leg(caller), Source::Leg(operator)]).await;
    let view = loop {
        let view = listeners(&mut house, 1).await;
        if view.listeners[0].there {
            break view;
        }
    };
    assert_eq!((view.listeners[0].user.clone(), view.listeners[0].mode), (user("sam"), ListenMode::Monitor));
    assert!(view.hears.iter().any(|row| row.who == "supervisor" && row.hears == ["caller", "operator"]));

    assert_eq!(house.calls.listen(&call, user("sam"), ListenMode::Whisper).await, Ok(()));
    house.hears(operator, &[Source::Leg(caller), Source::Leg(supervisor)]).await;
    assert_eq!(house.calls.listen(&call, user("sam"), ListenMode::Barge).await, Ok(()));
    house.hears(caller, &[Source::Leg(operator), Source::Leg(supervisor)]).await;
    house.calls.leave(&call, &UserId::named("sam"));
    house.hears(caller, &[Source::Leg(operator)]).await;
    house.until("sam let go", |d| hangs_up(d, supervisor)).await;
    let ended = |d: &Did| matches!(d, Did::Wrote(Line::Event { kind, .. }) if kind == "listen_ended").then_some(());
    house.until("its end on record", ended).await;
    let own = house.calls.listen(&call, user("kim"), ListenMode::Monitor).await;
    assert_eq!(own, Err(ListenRefused::Seat(CannotListen::HasCall)));
    let kinds: Vec<_> = house.kinds().into_iter().filter(|kind| kind.starts_with("listen_")).collect();
    assert_eq!(kinds, ["listen_began", "listen_mode", "listen_mode", "listen_ended"]);
}

#[tokio::test]
async fn the_figures_of_today_follow_each_call_and_the_feed_tells_them() {
    let mut house = House::open("greeting");
    let figures = |e: &FeedEvent| match e {
        FeedEvent::Figures { figures } => Some(figures.clone()),
        _ => None,
    };
    let (_caller, from_caller) = house.queued().await;
    let seen = house.shown("a caller", figures).await;
    assert_eq!((seen.service.offered, seen.service.answered), (1, 0));
    house.ready("kim").await;
    let _kims = house.takes("kim").await;
    let seen = house.shown("an answer", figures).await;
    assert_eq!((seen.service.answered, seen.service.in_time, seen.service.service_level), (1, 1, Some(100)));
    assert_eq!(seen.accounts.iter().map(|a| a.figures.answered).collect::<Vec<_>>(), [1]);
    assert_eq!(house.does("kim", Command::Hold).await, Ok(()));
    from_caller.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    let seen = house.shown("an end", figures).await;
    assert_eq!((seen.service.abandoned_on_hold, seen.service.offered), (1, 1));
}

#[tokio::test]
async fn a_supervisor_is_in_one_call_at_a_time_and_offered_none_meanwhile() {
    let mut house = House::open("greeting");
    let (first_caller, _one) = house.queued().await;
    house.ready("kim").await;
    let (kim, _kims) = house.takes("kim").await;
    house.hears(first_caller, &[Source::Leg(kim)]).await;
    let first = house.call();
    house.ready("sam").await;
    assert_eq!(house.calls.listen(&first, user("sam"), ListenMode::Barge).await, Ok(()));
    let (leg, _sams) = house.takes("sam").await;
    house.hears(leg, &[Source::Leg(first_caller), Source::Leg(kim)]).await;

    // Ready as she is, a second caller is not hers while she listens.
    let (second_caller, _two) = house.queued().await;
    house.ready("lee").await;
    let (lee, _lees) = house.takes("lee").await;
    house.hears(second_caller, &[Source::Leg(lee)]).await;
    let second = house.calls.views().into_iter().map(|v| v.id).find(|id| *id != first).expect("two calls");
    assert_eq!(house.calls.listen(&second, user("sam"), ListenMode::Monitor).await, Ok(()));
    let (again, _again) = house.takes("sam").await;
    assert_ne!(again, leg);
    let of_first = |house: &House| house.calls.views().into_iter().find(|v| v.id == first).expect("it goes on");
    while !of_first(&house).listeners.is_empty() {
        house.feed.recv().await.expect("the feed goes on");
    }
    let _ = house.calls.command(&second, &UserId::named("lee"), Command::HangUp).await;
    house.until("sam let go", |d| hangs_up(d, again)).await;
    // Free again: the next caller may be hers.
    let (third_caller, _three) = house.queued().await;
    let (own, _own) = house.takes("sam").await;
    house.hears(third_caller, &[Source::Leg(own)]).await;
}

#[tokio::test]
async fn a_phone_that_refuses_or_a_browser_that_dies_frees_the_seat_and_disturbs_nobody() {
    let mut house = House::open("greeting");
    let (caller, _from_caller) = house.queued().await;
    house.ready("kim").await;
    let (operator, _from_operator) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    sits_down(&house, "sam").await;
    let call = house.call();
    for answers in [false, true] {
        assert_eq!(house.calls.listen(&call, user("sam"), ListenMode::Whisper).await, Ok(()));
        let (did, leg) = house.until("ring", |d| rings(d, "sam")).await;
        let Did::Rang { events, .. } = did else { unreachable!("rings picks Rang") };
        if answers {
            events.send(LegEvent::Answered(b"an answer".to_vec())).await.expect("the call listens");
            house.calls.on_media(MediaEvent::WebUp { leg });
            house.hears(operator, &[Source::Leg(caller), Source::Leg(leg)]).await;
        }
        events.send(LegEvent::Ended(Cause::Declined)).await.expect("the call listens");
        house.until("sam let go", |d| matches!(d, Did::Closed).then_some(())).await;
        while !house.calls.views()[0].listeners.is_empty() {
            house.feed.recv().await.expect("the feed goes on");
        }
    }
    assert_eq!(house.calls.views()[0].state, CallState::Talking);
    let (seat, _) = house.desk.board(user("sam")).await.expect("the desk is open");
    assert_eq!(seat.state, crate::engine::feed::SeatState::NotReady);
}
