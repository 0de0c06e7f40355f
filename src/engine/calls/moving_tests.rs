//! Calls that a supervisor moves, and operators who are sent home, through the drivers.

use super::house::{House, hangs_up, user};
use super::moving::MoveRefused;
use super::*;
use crate::domain::call::bridge::Source;
use crate::engine::feed::SeatState;
use crate::engine::signal::LegEvent;

async fn seat(house: &House, name: &str) -> SeatState {
    house.desk.board(user(name)).await.expect("the desk is open").0.state
}

fn sam() -> UserId {
    UserId::named("sam")
}

#[tokio::test]
async fn a_call_goes_to_the_operator_it_is_moved_to_and_the_first_is_free_at_once() {
    let mut house = House::open("greeting");
    let (caller, _from_caller) = house.queued().await;
    house.ready("kim").await;
    let (kim, _kims) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(kim)]).await;
    let call = house.call();
    let ann = Some(UserId::named("ann"));
    assert_eq!(
        house.calls.move_call(&call, &sam(), ann.clone()).await,
        Err(MoveRefused::NotReady),
        "nobody sits there"
    );
    // Lee has been idle longer, and is not the one.
    house.ready("lee").await;
    house.ready("ann").await;
    assert_eq!(house.calls.move_call(&call, &sam(), ann).await, Ok(()));
    house.hears(caller, &[Source::Music]).await;
    house.until("kim let go", |d| hangs_up(d, kim)).await;
    let (anns, _from_ann) = house.takes("ann").await;
    house.hears(caller, &[Source::Leg(anns)]).await;
    assert_eq!((seat(&house, "kim").await, seat(&house, "lee").await), (SeatState::Ready, SeatState::Ready));
    // And on to whoever is free first, by their place in the line.
    assert_eq!(house.calls.move_call(&call, &sam(), None).await, Ok(()));
    let (lees, _from_lee) = house.takes("lee").await;
    house.hears(caller, &[Source::Leg(lees)]).await;
}

#[tokio::test]
async fn a_caller_on_hold_goes_to_the_next_operator_when_theirs_is_sent_home() {
    let mut house = House::open("greeting");
    let (caller, _from_caller) = house.queued().await;
    house.ready("kim").await;
    let (kim, _kims) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(kim)]).await;
    assert_eq!(house.does("kim", Command::Hold).await, Ok(()));
    house.hears(caller, &[Source::Music]).await;
    let kims = UserId::named("kim");
    assert!(!house.calls.log_out(&UserId::named("nobody"), &user("sam")).await);
    assert!(house.calls.log_out(&kims, &user("sam")).await);
    house.until("kim let go", |d| hangs_up(d, kim)).await;
    house.ready("lee").await;
    let (lee, _lees) = house.takes("lee").await;
    house.hears(caller, &[Source::Leg(lee)]).await;
    assert_eq!(seat(&house, "kim").await, SeatState::NotReady);
}

#[tokio::test]
async fn who_talks_when_sent_home_talks_to_the_end_and_gets_no_other_call() {
    let mut house = House::open("greeting");
    let (caller, from_caller) = house.queued().await;
    house.ready("kim").await;
    let (kim, _kims) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(kim)]).await;
    assert!(house.calls.log_out(&UserId::named("kim"), &user("sam")).await);
    assert_eq!((seat(&house, "kim").await, house.calls.views()[0].state), (SeatState::Talking, CallState::Talking));
    let (seats, _) = house.desk.floor().await.expect("the desk is open");
    let shown: Vec<_> = seats.iter().map(|seat| (seat.sent_home, seat.reason.as_deref())).collect();
    assert_eq!(shown, [(true, Some("logged out by sam"))], "the floor and she see what is to come");
    from_caller.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    house.finished().await;
    assert_eq!(house.does("kim", Command::WrapUpDone { disposition: None }).await, Ok(()));
    while seat(&house, "kim").await != SeatState::NotReady {
        house.feed.recv().await.expect("the feed goes on");
    }
}
