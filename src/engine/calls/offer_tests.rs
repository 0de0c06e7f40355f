//! Callers who go while they are being offered. In `house`.

use super::house::{House, rings};
use super::*;
use crate::engine::feed::SeatState;
use crate::engine::signal::LegEvent;

fn is(state: SeatState) -> impl Fn(&FeedEvent) -> Option<()> {
    move |event| matches!(event, FeedEvent::Seat { seat } if seat.state == state).then_some(())
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_offered_leaves_the_seat_free_for_the_next() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    for _ in 0..3 {
        let (_, caller) = house.queued().await;
        house.until("ring", |d| rings(d, "kim")).await;
        house.shown("the offer", is(SeatState::Offered)).await;
        caller.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
        house.shown("a seat that is free", is(SeatState::Ready)).await;
    }
    let (_, _caller) = house.queued().await;
    house.takes("kim").await;
}
