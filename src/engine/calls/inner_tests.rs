//! Colleagues who call each other from desk phones, in `house`: Lee has a desk phone, the others have none.

use super::house::{Did, House, answer_to, hangs_up, offer, rings, user};
use super::*;
use crate::domain::call::bridge::{LegId, Source};
use crate::engine::feed::SeatState;
use crate::engine::signal::{Dialled, LegEvent};
use crate::io::store::inner_calls::InnerCall;

fn to(name: &str) -> Dialled {
    Dialled::Seat(UserId::named(name))
}

async fn wrote(house: &mut House, what: &str, is: impl Fn(&InnerCall) -> bool) -> InnerCall {
    let wrote = |d: &Did| match d {
        Did::Wrote(Line::Inner(call)) if is(call) => Some(call.clone()),
        _ => None,
    };
    house.until(what, wrote).await.1
}

async fn refused(house: &mut House, phone: LegId) -> (Cause, &'static str) {
    let refused = |d: &Did| match d {
        Did::Phone { leg, command: LegCommand::RejectSaying(why, said) } if *leg == phone => Some((*why, *said)),
        _ => None,
    };
    house.until("refused", refused).await.1
}

impl House {
    /// Kim's phone calls Lee's; both legs, and where their events go.
    async fn kim_rings_lee(&mut self) -> [(LegId, mpsc::Sender<LegEvent>); 2] {
        let kims = self.phone_calls("kim", to("lee"));
        let (did, leg) = self.until("Lee's phone rings", |d| rings(d, "lee")).await;
        let Did::Rang { events, .. } = did else { unreachable!("rings picks Rang") };
        [kims, (leg, events)]
    }

    async fn picks_up(&mut self, [(kim, _), (lee, from_lee)]: &[(LegId, mpsc::Sender<LegEvent>); 2]) {
        from_lee.send(LegEvent::Answered(answer_to(&offer()))).await.expect("the call listens");
        self.hears(*kim, &[Source::Leg(*lee)]).await;
        let answers =
            |d: &Did| matches!(d, Did::Phone { leg, command: LegCommand::Answer(_) } if leg == kim).then_some(());
        self.until("Kim's phone is answered", answers).await;
    }
}

#[tokio::test]
async fn colleagues_talk_and_callers_wait_until_they_have_done_so() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    house.ready("lee").await;
    let both = house.kim_rings_lee().await;
    house.picks_up(&both).await;
    let _caller = house.queued().await;
    for name in ["kim", "lee"] {
        let (seat, queue) = house.desk.board(user(name)).await.expect("the desk is open");
        assert_eq!((seat.aside, seat.state, queue.waiting.len()), (true, SeatState::Ready, 1), "{name}");
        assert_eq!(
            house.desk.why_not_take(UserId::named(name)).await,
            Some(crate::domain::operator::CannotTake::NotReady)
        );
    }
    let [(_, _from_kim), (lee, from_lee)] = both;
    from_lee.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    // Whichever is first: the caller rings one of them, and the end of their talk is on record.
    let (mut rung, mut over) = (None, None);
    let both = |d: &Did| {
        rung = rung.or_else(|| rings(d, "kim")).or_else(|| rings(d, "lee"));
        if let Did::Wrote(Line::Inner(call)) = d
            && call.end.is_some()
        {
            over = Some(call.clone());
        }
        rung.zip(over.clone())
    };
    let (rung, call) = house.until("one of them has the caller, and the record its end", both).await.1;
    assert_ne!(rung, lee);
    assert_eq!((call.by, call.to), (UserId::named("kim"), UserId::named("lee")));
    assert!(call.answered_at.is_some() && call.end.is_some_and(|(_, why)| why == Cause::HungUp));
}

#[tokio::test]
async fn a_colleague_who_has_a_call_is_busy_whoever_called_whom() {
    let mut house = House::open("greeting");
    let _caller = house.queued().await;
    house.ready("lee").await;
    let _lee = house.takes("lee").await;
    let (phone, _events) = house.phone_calls("kim", to("lee"));
    assert_eq!(refused(&mut house, phone).await.0, Cause::Busy);
    let call = wrote(&mut house, "that, too, is on record", |_| true).await;
    assert!(call.answered_at.is_none() && call.end.is_some_and(|(_, why)| why == Cause::Busy));

    // One who talks with a colleague is busy for a third, and for the one who calls from the other side.
    let mut house = House::open("greeting");
    let _both = house.kim_rings_lee().await;
    for (by, of) in [("max", "lee"), ("max", "kim"), ("lee", "kim"), ("max", "max")] {
        let (phone, _events) = house.phone_calls(by, to(of));
        assert_eq!(refused(&mut house, phone).await.0, Cause::Busy, "{by} calls {of}");
    }
}

#[tokio::test]
async fn a_colleague_without_a_desk_phone_or_who_declines_is_told_and_both_are_free_again() {
    let mut house = House::open("greeting");
    let (phone, _events) = house.phone_calls("lee", to("kim"));
    let (why, said) = refused(&mut house, phone).await;
    assert_eq!(why, Cause::Unreachable);
    assert!(said.contains("desk phone"), "{said}");

    let [(kim, _from_kim), (_, from_lee)] = house.kim_rings_lee().await;
    from_lee.send(LegEvent::Ended(Cause::Declined)).await.expect("the call listens");
    let turned_down = |d: &Did| {
        matches!(d, Did::Phone { leg, command: LegCommand::Reject(Cause::Declined) } if *leg == kim).then_some(())
    };
    house.until("Kim hears so", turned_down).await;
    wrote(&mut house, "the end is on record", |call| call.end.is_some()).await;
    while !house.calls.is_idle() {
        tokio::task::yield_now().await;
    }
    let _again = house.kim_rings_lee().await;
}

#[tokio::test]
async fn who_hangs_up_before_the_colleague_picks_up_stops_the_ringing() {
    let mut house = House::open("greeting");
    let [(_, from_kim), (lee, _from_lee)] = house.kim_rings_lee().await;
    from_kim.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    house.until("Lee's phone is silent", |d| hangs_up(d, lee)).await;
}

#[tokio::test]
async fn a_caller_goes_to_the_colleague_whom_the_phone_has_asked_beside_them() {
    let mut house = House::open("greeting");
    let (caller, _from_caller) = house.queued().await;
    house.ready("kim").await;
    let (operator, from_operator) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    house.ready("lee").await;
    let both = house.kim_rings_lee().await;
    house.picks_up(&both).await;
    let transfer = LegEvent::Transfer { to: to("lee"), consulted: Some(both[0].0) };
    from_operator.send(transfer).await.expect("the call listens");
    let (taken, _from_taken) = house.takes("lee").await;
    house.hears(caller, &[Source::Leg(taken)]).await;
    assert_ne!(taken, both[1].0);
}
