//! Ringing desk phones of which some are dead: registered, and silent.

use super::desk_phone_tests::{CONTACT, Handset, House, SECRET, USER, house_with};
use super::*;
use crate::domain::call::cause::Cause;
use crate::domain::operator::Phone;
use crate::engine::signal::{LEG_EVENT_DEPTH, Offer};
use crate::io::media::{Codec, Reach};
use crate::proto::sdp::Session;

const OTHER: &str = "kim-den";
const OTHER_CONTACT: &str = "<sip:kim-den@10.9.8.7:5062>";

async fn registered(house: &House, user: &'static str, contact: &str) -> Handset {
    let mut phone = Handset::new(house, user).await;
    let accepted = phone.log_in(SECRET, Algorithm::SHA_256, contact, 60).await;
    assert!(accepted.starts_with("SIP/2.0 200 "), "{accepted}");
    phone
}

fn ring(house: &House, leg: u64) -> mpsc::Receiver<LegEvent> {
    let (events, heard) = mpsc::channel(LEG_EVENT_DEPTH);
    house.handle.ring(LegId(leg), &UserId::named("kim"), Phone::DeskPhone, b"v=0\r\n".to_vec(), Vec::new(), events);
    heard
}

fn line<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find(|l| l.starts_with(name)).expect("a header")
}

/// A response to an INVITE, without a body.
fn response(invite: &str, status: &str) -> Vec<u8> {
    let [via, from, to, call, cseq] = ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "].map(|name| line(invite, name));
    format!(
        "SIP/2.0 {status}\r\n{via}\r\n{from}\r\n{to};tag=phone\r\n{call}\r\n{cseq}\r\nContact: {CONTACT}\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// What comes before the leg's first word of this kind is passed over.
async fn until(heard: &mut mpsc::Receiver<LegEvent>, wanted: impl Fn(&LegEvent) -> bool) {
    let told = async { while !wanted(&heard.recv().await.expect("the leg is not over")) {} };
    tokio::time::timeout(Duration::from_secs(15), told).await.expect("in time");
}

#[tokio::test]
async fn a_newer_phone_that_is_dead_is_left_for_the_other_and_rung_last_from_then_on() {
    let house = house_with(&[USER, OTHER]).await;
    let alive = registered(&house, USER, CONTACT).await;
    let dead = registered(&house, OTHER, OTHER_CONTACT).await;
    let mut heard = ring(&house, 1);
    let unheard = dead.receive().await;
    assert!(unheard.starts_with("INVITE sip:kim-den@"), "the one that came last: {unheard}");
    let invite = alive.receive().await;
    assert!(invite.starts_with("INVITE sip:kim-desk@"), "{invite}");
    alive.send(&response(&invite, "180 Ringing")).await;
    until(&mut heard, |event| matches!(event, LegEvent::Ringing)).await;

    let _second = ring(&house, 2);
    let second = loop {
        let invite = alive.receive().await;
        if line(&invite, "Call-ID: ") != line(&unheard, "Call-ID: ") && invite.starts_with("INVITE ") {
            break invite;
        }
    };
    alive.send(&response(&second, "180 Ringing")).await;
    let mut buffer = vec![0; 4096];
    while let Ok(len) = dead.socket.try_recv(&mut buffer) {
        let message = String::from_utf8_lossy(&buffer[..len]).into_owned();
        assert_eq!(line(&message, "Call-ID: "), line(&unheard, "Call-ID: "), "rung again at once: {message}");
    }
}

#[tokio::test]
async fn a_phone_that_was_silent_and_registers_anew_is_rung_first_again() {
    let house = house_with(&[USER, OTHER]).await;
    let old = registered(&house, USER, CONTACT).await;
    let mut dead = registered(&house, OTHER, OTHER_CONTACT).await;
    let _first = ring(&house, 1);
    let invite = old.receive().await;
    assert!(invite.starts_with("INVITE "), "{invite}");
    old.send(&response(&invite, "486 Busy Here")).await;
    dead = {
        let mut back = Handset::new(&house, OTHER).await;
        back.cseq = 10;
        assert!(back.log_in(SECRET, Algorithm::SHA_256, OTHER_CONTACT, 60).await.starts_with("SIP/2.0 200 "));
        drop(dead);
        back
    };
    let _second = ring(&house, 2);
    let invite = dead.receive().await;
    assert!(invite.starts_with("INVITE sip:kim-den@"), "{invite}");
}

#[tokio::test]
async fn an_only_phone_that_says_nothing_fails_the_call_instead_of_ringing_on() {
    let house = house_with(&[USER]).await;
    let _dead = registered(&house, USER, CONTACT).await;
    let mut heard = ring(&house, 1);
    until(&mut heard, |event| matches!(event, LegEvent::Ended(Cause::Unreachable))).await;
}

#[tokio::test]
async fn a_call_whose_owner_is_gone_rings_no_phone() {
    let house = house_with(&[USER]).await;
    let phone = registered(&house, USER, CONTACT).await;
    let (events, owner) = mpsc::channel(LEG_EVENT_DEPTH);
    drop(owner);
    // Where it takes audio depends on the phone, so its owner is told before the phone is rung.
    let reach = Reach::at(house.handle.local());
    let offer = Offer::Reaching(Box::new(Session::new(1, reach.towards(None), &Codec::ALL)), reach);
    house.handle.ring(LegId(1), &UserId::named("kim"), Phone::DeskPhone, offer, Vec::new(), events);
    // Calls are rung in their order.
    let _second = ring(&house, 2);
    let invite = phone.receive().await;
    assert!(invite.starts_with("INVITE ") && invite.ends_with("\r\n\r\nv=0\r\n"), "the first is rung: {invite}");
}

#[tokio::test]
async fn one_sign_of_life_and_a_phone_rings_as_long_as_its_caller_waits() {
    let house = house_with(&[USER, OTHER]).await;
    let other = registered(&house, USER, CONTACT).await;
    let phone = registered(&house, OTHER, OTHER_CONTACT).await;
    let mut heard = ring(&house, 1);
    let invite = phone.receive().await;
    phone.send(&response(&invite, "100 Trying")).await;
    phone.send(&response(&invite, "180 Ringing")).await;
    until(&mut heard, |event| matches!(event, LegEvent::Ringing)).await;
    // Longer than any patience: no other phone is rung, and the leg is not over.
    let more = tokio::time::timeout(Duration::from_secs(9), heard.recv()).await;
    assert!(more.is_err(), "{more:?}");
    assert!(other.socket.try_recv(&mut [0; 64]).is_err());
}
