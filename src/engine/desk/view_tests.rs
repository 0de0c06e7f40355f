//! What the queue shows of those who wait, by a clock that is moved.

use std::sync::Arc;
use std::time::Duration;

use super::super::{CallWord, DeskHandle, Waiting};
use crate::base::clock::{TestClock, UtcMs};
use crate::base::id::{AccountId, CallId, UserId};
use crate::domain::queue::Terms;
use crate::engine::feed::{AccountRef, Feed};

const RANG_AT: UtcMs = UtcMs(1_800_000_000_000);

fn waiting() -> Waiting {
    let account = AccountRef {
        id: AccountId::named("plumbing"),
        name: "Imaginary Plumbing".into(),
        color: "#2266aa".into(),
        zone: "America/New_York".into(),
    };
    let terms = Terms { max_wait: Duration::from_secs(3_600), ..Terms::default() };
    Waiting { account, terms, rang_at: RANG_AT, ring_back: false }
}

async fn shown(desk: &DeskHandle) -> Vec<(UtcMs, Option<UtcMs>)> {
    let (_, queue) = desk.floor().await.expect("the desk is open");
    queue.waiting.iter().map(|waiting| (waiting.since, waiting.back_since)).collect()
}

#[tokio::test]
async fn a_caller_who_comes_back_to_the_queue_shows_since_when_and_how_old_the_call_is() {
    let clock = Arc::new(TestClock::at(RANG_AT));
    let (desk, _from_desk) = DeskHandle::start(clock.clone(), Feed::default());
    let call = CallId::named("ann");
    clock.advance(Duration::from_secs(4));
    desk.from_call(call.clone(), CallWord::Enqueue(waiting()));
    assert_eq!(shown(&desk).await, [(RANG_AT, None)], "from the INVITE on");

    desk.from_call(call.clone(), CallWord::OfferAccepted { user: UserId::named("kim") });
    assert_eq!(shown(&desk).await, []);
    clock.advance(Duration::from_secs(1_200));
    desk.from_call(call.clone(), CallWord::Requeue(waiting()));
    let back = RANG_AT.plus_secs(1_204);
    assert_eq!(shown(&desk).await, [(RANG_AT, Some(back))]);

    clock.advance(Duration::from_secs(30));
    desk.from_call(call, CallWord::Requeue(waiting()));
    assert_eq!(shown(&desk).await, [(RANG_AT, Some(back))], "told twice, they have waited on");
}
