//! Carriers that take a call in at their door, say 100, and do nothing with it.

use super::*;

#[tokio::test]
async fn a_trunk_that_says_trying_and_nothing_after_is_left_for_the_next_while_the_caller_waits() {
    let clock = Arc::new(TestClock::at(UtcMs(1_700_000_000_000)));
    let (first, second) = (Far::open().await, Far::open().await);
    let house = house_at(clock.clone(), vec![carrier(&first, 10), carrier(&second, 20)], |_| {}).await;
    let mut caller = house.dials(BEN);
    let taken_in = first.gets("INVITE").await;
    first.says(&taken_in, "100 Trying", false).await;
    first.is_heard(&house).await;
    clock.advance(Duration::from_millis(7_900));
    first.is_heard(&house).await;
    assert_eq!(second.unread(), 0, "it has eight seconds");
    clock.advance(Duration::from_millis(200));
    let cancel = first.gets("CANCEL").await;
    assert_eq!(cancel.header("Via"), taken_in.header("Via"));
    let next = second.gets("INVITE").await;
    second.says(&next, "180 Ringing", false).await;
    assert!(matches!(caller.hears().await, LegEvent::Ringing));
    // One that rings may ring for as long as it likes.
    second.is_heard(&house).await;
    clock.advance(Duration::from_secs(25));
    second.says(&next, "200 OK", true).await;
    assert!(matches!(caller.hears().await, LegEvent::Answered(_)));
}

#[tokio::test]
async fn a_trunk_over_which_nothing_ever_rings_is_an_alarm_until_something_does() {
    let clock = Arc::new(TestClock::at(UtcMs(1_700_000_000_000)));
    let far = Far::open().await;
    let mut house = house_at(clock.clone(), vec![carrier(&far, 10)], |_| {}).await;
    for nth in 0..3 {
        let mut caller = house.dials(&format!("+1202555012{nth}"));
        let taken_in = far.gets("INVITE").await;
        far.says(&taken_in, "100 Trying", false).await;
        far.is_heard(&house).await;
        assert!(house.trunk.alarms().is_empty(), "{nth}");
        // Nobody was found, says the call-out, and hangs up.
        clock.advance(Duration::from_secs(30));
        house.trunk.send(caller.leg, LegCommand::HangUp);
        let cancel = far.gets("CANCEL").await;
        far.says(&cancel, "200 OK", false).await;
        far.says(&taken_in, "487 Request Terminated", false).await;
        assert_eq!(caller.ends().await, Cause::Released);
    }
    let FeedEvent::Alarm { alarm } = house.told().await else { panic!("an alarm") };
    assert_eq!((alarm.id.as_str(), alarm.level, alarm.dismissible), ("trunks_mute", AlarmLevel::Critical, true));
    assert!(alarm.text.contains("carrier-10"), "{}", alarm.text);
    let _caller = house.dials(BEN);
    let rings = far.gets("INVITE").await;
    far.says(&rings, "180 Ringing", false).await;
    assert!(matches!(house.told().await, FeedEvent::AlarmGone { id } if id == "trunks_mute"));
}

#[tokio::test]
async fn a_caller_who_hangs_up_at_once_is_no_fault_of_the_trunk() {
    let clock = Arc::new(TestClock::at(UtcMs(1_700_000_000_000)));
    let (first, second) = (Far::open().await, Far::open().await);
    let house = house_at(clock.clone(), vec![carrier(&first, 10), carrier(&second, 20)], |_| {}).await;
    for nth in 0..4 {
        let mut caller = house.dials(&format!("+1202555012{nth}"));
        let taken_in = first.gets(&format!("INVITE sip:+1202555012{nth}")).await;
        first.says(&taken_in, "100 Trying", false).await;
        first.is_heard(&house).await;
        clock.advance(Duration::from_secs(3));
        house.trunk.send(caller.leg, LegCommand::HangUp);
        assert_eq!(caller.ends().await, Cause::Released);
    }
    assert_eq!((house.trunk.alarms(), second.unread()), (Vec::new(), 0), "it stays the first");
}
