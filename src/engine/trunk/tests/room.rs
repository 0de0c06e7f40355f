//! Callers for whom there is no room: what they are told, and who hears of it.

use super::*;
use crate::engine::trunk::turned_away::{FULL, TOO_MANY};

impl Far {
    /// Calls in.
    pub(super) async fn calls(&self, house: &House, n: u32) {
        let (us, here) = (house.trunk.local(), self.address);
        let invite = format!(
            "INVITE sip:+12025550102@{us} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bKroom{n}\r\nMax-Forwards: 70\r\n\
             From: <sip:+12025550190@{here}>;tag=r{n}\r\nTo: <sip:+12025550102@{us}>\r\nCall-ID: room{n}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:far@{here}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
            SDP.len()
        );
        self.socket.send_to(invite.as_bytes(), us).await.expect("loopback takes a datagram");
    }
}

#[tokio::test]
async fn a_caller_for_whom_a_trunk_has_no_channel_is_turned_away_and_every_desk_is_told() {
    let far = Far::open().await;
    let mut narrow = carrier(&far, 10);
    narrow.rules.channels = 1;
    let mut house = house(vec![narrow], |_| {}).await;
    far.calls(&house, 1).await;
    let taken = timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call");
    far.calls(&house, 2).await;
    let refused = far.gets("SIP/2.0 503").await;
    assert_eq!((refused.header("Call-ID"), refused.header("Retry-After")), (Some("room2"), Some("10")));
    let FeedEvent::Alarm { alarm } = house.told().await else { panic!("an alarm") };
    assert_eq!((alarm.id.as_str(), alarm.level), (FULL, AlarmLevel::Critical));
    assert!(alarm.text.contains("all channels of carrier-10 are in use"), "{}", alarm.text);
    assert_eq!(house.trunk.alarms(), [alarm]);
    drop(taken);
}

#[tokio::test]
async fn a_house_that_is_about_to_end_tells_a_carrier_that_asks_and_one_that_calls_to_come_later() {
    let far = Far::open().await;
    let mut house = house(vec![carrier(&far, 10)], |_| {}).await;
    let asks = async |n: u32| {
        let (us, here) = (house.trunk.local(), far.address);
        let options = format!(
            "OPTIONS sip:{us} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bKping{n}\r\nMax-Forwards: 70\r\n\
             From: <sip:far@{here}>;tag=p{n}\r\nTo: <sip:{us}>\r\nCall-ID: ping{n}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        far.socket.send_to(options.as_bytes(), us).await.expect("loopback takes a datagram");
        far.gets("SIP/2.0 ").await
    };
    assert!(asks(0).await.line().contains("200"));
    house.trunk.leave();
    // The word of it may be heard after a first few.
    let mut n = 0;
    let refused = loop {
        n += 1;
        let answer = asks(n).await;
        if answer.line().contains("503") {
            break answer;
        }
        assert!(n < 50, "{}", answer.text);
    };
    assert_eq!(refused.header("Retry-After"), Some("30"));
    far.calls(&house, 1).await;
    let call = timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call");
    house.trunk.send(call.leg, LegCommand::Reject(Cause::Unreachable));
    let refused = far.gets("SIP/2.0 503").await;
    assert_eq!(refused.header("Retry-After"), Some("10"), "{}", refused.text);
    assert!(house.trunk.alarms().is_empty(), "nobody is to look after that");
}

#[tokio::test]
async fn a_call_that_no_codec_fits_is_refused_with_a_warning() {
    let far = Far::open().await;
    let mut house = house(vec![carrier(&far, 10)], |_| {}).await;
    far.calls(&house, 1).await;
    let call = timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call");
    house.trunk.send(call.leg, LegCommand::Reject(Cause::Incompatible));
    let refused = far.gets("SIP/2.0 488").await;
    assert!(refused.header("Warning").is_some_and(|w| w.starts_with("305 cordboard.local \"PCMU")), "{}", refused.text);
}

#[tokio::test]
async fn while_no_more_are_wanted_callers_are_turned_away_and_then_let_in_again() {
    let far = Far::open().await;
    let mut house = house(vec![carrier(&far, 10)], |_| {}).await;
    house.trunk.hold_off(true);
    // The word of it may be heard after a first few.
    let mut n = 0;
    loop {
        n += 1;
        far.calls(&house, n).await;
        let answer = far.gets("SIP/2.0 ").await;
        if answer.line().contains("503") {
            assert_eq!(answer.header("Retry-After"), Some("5"));
            break;
        }
        assert!(n < 50, "{}", answer.text);
    }
    let FeedEvent::Alarm { alarm } = house.told().await else { panic!("an alarm") };
    assert_eq!(alarm.id, TOO_MANY);
    house.trunk.hold_off(false);
    while house.calls.try_recv().is_ok() {}
    loop {
        n += 1;
        far.calls(&house, n).await;
        if !far.gets("SIP/2.0 ").await.line().contains("503") {
            break;
        }
        assert!(n < 100, "still turned away");
    }
    timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call");
}
