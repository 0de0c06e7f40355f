//! The desk as calls and consoles drive it, on a clock of its own: callers on the line beside calls that are to be made.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::base::clock::{Clock, TestClock};
use crate::base::id::AccountId;
use crate::domain::call::event::OfferEnd;
use crate::engine::feed::SeatState;

struct House {
    clock: TestClock,
    desk: DeskHandle,
    to_calls: mpsc::UnboundedReceiver<FromDesk>,
}

impl House {
    /// Kim sits idle at a softphone that works.
    async fn with_kim_ready() -> Self {
        let clock = TestClock::at(UtcMs(1_000_000));
        let (desk, to_calls) = DeskHandle::start(Arc::new(clock.clone()), Feed::default());
        let house = Self { clock, desk, to_calls };
        house.kim_is_there();
        house.desk.phones(UserId::named("kim"), Phones::of(Phone::Softphone));
        house.desk.checked(UserId::named("kim"), Phone::Softphone, true);
        house.desk.set_ready(kim(), true, None).await.expect("may be ready");
        house
    }

    fn kim_is_there(&self) {
        self.desk.heartbeat(kim(), false);
    }

    fn passes(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
        self.kim_is_there();
    }

    fn waits(&self, call: &str, ring_back: bool) {
        let terms = Terms {
            max_wait: Duration::from_secs(600),
            since: ring_back.then(|| self.clock.instant()),
            ..Terms::default()
        };
        let account = AccountRef {
            id: AccountId::named("plumbing"),
            name: "Imaginary Plumbing".into(),
            color: "#123456".into(),
            zone: "UTC".into(),
        };
        let waiting = Waiting { account, terms, rang_at: self.clock.utc(), ring_back };
        self.desk.from_call(CallId::named(call), CallWord::Enqueue(waiting));
    }

    /// Kim did not take it, or it was taken from her.
    fn comes_back(&self, call: &str, why: OfferEnd) {
        self.desk.from_call(CallId::named(call), CallWord::OfferFailed { user: kim().id, why });
    }

    async fn told(&mut self) -> FromDesk {
        tokio::time::timeout(Duration::from_secs(10), self.to_calls.recv()).await.expect("in time").expect("it is open")
    }

    async fn state(&self) -> SeatState {
        self.desk.board(kim()).await.expect("it is open").0.state
    }
}

fn kim() -> UserRef {
    UserRef { id: UserId::named("kim"), name: "Kim".into() }
}

fn offer(call: &str, ring: bool) -> FromDesk {
    let phone = Some(Phone::Softphone);
    FromDesk::Offer { call: CallId::named(call), user: kim().id, phone, ring, taken: false }
}

#[tokio::test]
async fn the_only_operator_who_takes_no_call_to_make_is_ready_for_the_next_caller() {
    let mut house = House::with_kim_ready().await;
    house.waits("back", true);
    assert_eq!(house.told().await, offer("back", false), "by a key, never by surprise");
    house.passes(4);
    house.comes_back("back", OfferEnd::Missed);
    assert_eq!(house.state().await, SeatState::Ready);
    house.waits("live", false);
    assert_eq!(house.told().await, offer("live", true));
    // A caller on the line who rang out there is another thing: nobody is at that seat.
    house.comes_back("live", OfferEnd::Missed);
    assert_eq!(house.state().await, SeatState::NotReady);
}

#[tokio::test]
async fn a_caller_on_the_line_has_the_only_operator_before_the_call_to_make_that_she_does_not_take() {
    let mut house = House::with_kim_ready().await;
    house.waits("back", true);
    assert_eq!(house.told().await, offer("back", false));
    house.passes(6);
    house.waits("live", false);
    let make_way = FromDesk::MakeWay { call: CallId::named("back"), user: kim().id };
    assert_eq!(house.told().await, make_way);
    house.comes_back("back", OfferEnd::Withdrawn);
    assert_eq!(house.told().await, offer("live", true));
    assert_eq!(house.state().await, SeatState::Offered);
}
