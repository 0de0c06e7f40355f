//! Carriers that answer and take no calls of ours: a suspended account, a wrong password, a number that is not theirs to
//! carry.

use super::*;

#[tokio::test]
async fn a_trunk_whose_account_is_suspended_is_followed_by_the_next_and_then_rests() {
    for status in ["401 Unauthorized", "402 Payment Required", "407 Proxy Authentication Required"] {
        let (first, second) = (Far::open().await, Far::open().await);
        let mut house = house(vec![carrier(&first, 10), carrier(&second, 20)], |_| {}).await;
        let _caller = house.dials(BEN);
        let refused = first.gets("INVITE").await;
        first.says(&refused, status, false).await;
        first.gets("ACK").await;
        let taken = second.gets("INVITE").await;
        second.says(&taken, "180 Ringing", false).await;
        let FeedEvent::Alarm { alarm } = house.told().await else { panic!("an alarm") };
        assert_eq!(alarm.id, alarms::REFUSING, "{status}");
        let _next = house.dials("+12025550111");
        second.gets("INVITE sip:+12025550111").await;
        assert_eq!(first.unread(), 0, "{status}: it rests");
    }
}

#[tokio::test]
async fn a_trunk_that_forbids_one_number_stays_the_first_and_one_that_forbids_all_does_not() {
    let (first, second) = (Far::open().await, Far::open().await);
    let mut house = house(vec![carrier(&first, 10), carrier(&second, 20)], |_| {}).await;
    for _ in 0..3 {
        let mut caller = house.dials(BEN);
        let refused = first.gets("INVITE").await;
        first.says(&refused, "403 Forbidden", false).await;
        first.gets("ACK").await;
        let asked = second.gets("INVITE").await;
        second.says(&asked, "486 Busy Here", false).await;
        assert_eq!(caller.ends().await, Cause::Busy);
    }
    let FeedEvent::Alarm { alarm } = house.told().await else { panic!("an alarm") };
    assert_eq!((alarm.id.as_str(), alarm.level, alarm.dismissible), (alarms::REFUSING, AlarmLevel::Warning, true));
    assert!(alarm.text.contains("carrier-10 (403)"), "{}", alarm.text);
    let mut caller = house.dials(BEN);
    let asked = second.gets("INVITE").await;
    second.says(&asked, "503 Service Unavailable", false).await;
    // It is still tried, after the other. Now it takes the call, and there is nothing to alarm about.
    let taken = first.gets("INVITE").await;
    first.says(&taken, "200 OK", true).await;
    assert!(matches!(caller.hears().await, LegEvent::Answered(_)));
    assert!(matches!(house.told().await, FeedEvent::AlarmGone { id } if id == alarms::REFUSING));
}

#[tokio::test]
async fn a_trunk_whose_terms_do_not_suit_is_followed_by_the_next_and_stays_the_first() {
    for status in
        ["302 Moved Temporarily", "415 Unsupported Media Type", "488 Not Acceptable Here", "606 Not Acceptable"]
    {
        let (first, second) = (Far::open().await, Far::open().await);
        let house = house(vec![carrier(&first, 10), carrier(&second, 20)], |_| {}).await;
        for _ in 0..2 {
            let mut caller = house.dials(BEN);
            let refused = first.gets("INVITE").await;
            first.says(&refused, status, false).await;
            first.gets("ACK").await;
            let taken = second.gets("INVITE").await;
            second.says(&taken, "486 Busy Here", false).await;
            assert_eq!(caller.ends().await, Cause::Busy, "{status}");
            second.gets("ACK").await;
        }
    }
}

#[tokio::test]
async fn a_suspended_account_does_not_put_another_account_at_the_same_carrier_last() {
    let (shared, other) = (Far::open().await, Far::open().await);
    let (mut suspended, mut good) = (carrier(&shared, 10), carrier(&shared, 20));
    suspended.caller_ids = vec![number("+12025550121")];
    good.caller_ids = vec![number("+12025550122")];
    let house = house(vec![suspended, good, carrier(&other, 30)], |_| {}).await;
    let mut caller = house.dials(BEN);
    let refused = shared.gets("INVITE").await;
    shared.says(&refused, "402 Payment Required", false).await;
    let busy = shared.gets("INVITE").await;
    shared.says(&busy, "486 Busy Here", false).await;
    assert_eq!(caller.ends().await, Cause::Busy);
    let _next = house.dials("+12025550111");
    let next = shared.gets("INVITE sip:+12025550111").await;
    assert!(next.header("From").expect("it has").contains("+12025550122"), "the one that is not suspended");
    assert_eq!(other.unread(), 0);
}

#[tokio::test]
async fn a_carrier_that_says_how_long_it_wants_to_be_left_alone_is_called_again_after_that() {
    let clock = Arc::new(TestClock::at(UtcMs(1_700_000_000_000)));
    let (first, second) = (Far::open().await, Far::open().await);
    let house = house_at(clock.clone(), vec![carrier(&first, 10), carrier(&second, 20)], |_| {}).await;
    let mut caller = house.dials(BEN);
    let refused = first.gets("INVITE").await;
    first.says(&refused, "503 Service Unavailable\r\nRetry-After: 5 (busy)", false).await;
    first.gets("ACK").await;
    for expected in [&second, &second, &first] {
        let asked = expected.gets("INVITE").await;
        expected.says(&asked, "486 Busy Here", false).await;
        assert_eq!(caller.ends().await, Cause::Busy);
        expected.gets("ACK").await;
        clock.advance(Duration::from_secs(3));
        caller = house.dials(BEN);
    }
}
