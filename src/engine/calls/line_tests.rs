//! What telephones do in the middle of a call: hold, offers that cannot be taken, early audio, silence. In the house
//! of `tests`.

use std::time::Duration;

use super::house::{Did, House, answer_to, answers, hangs_up, number, offer, user};
use super::*;
use crate::domain::call::bridge::{LegId, Source};
use crate::engine::signal::{Dialled, LegEvent};
use crate::io::media::LegQuality;

fn connected(did: &Did, of: LegId) -> Option<bool> {
    match did {
        Did::Connected { leg, send } if *leg == of => Some(*send),
        _ => None,
    }
}

fn answers_reoffer(did: &Did, of: LegId) -> Option<String> {
    match did {
        Did::Trunk { leg, command: LegCommand::AnswerReoffer(sdp) } if *leg == of => {
            Some(String::from_utf8_lossy(sdp).into_owned())
        }
        _ => None,
    }
}

#[tokio::test]
async fn every_way_to_hold_is_followed_and_taken_back() {
    let mut house = House::open("greeting");
    let (leg, events) = house.queued().await;
    let talk = String::from_utf8(offer()).expect("text");
    for (held, answered) in [
        (talk.replace("sendrecv", "sendonly"), "a=recvonly"),
        (talk.replace("sendrecv", "inactive"), "a=inactive"),
        (talk.replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0"), "a=recvonly"),
    ] {
        assert_ne!(held, talk);
        for (sdp, send, direction) in [(&held, false, answered), (&talk, true, "a=sendrecv")] {
            events.send(LegEvent::Reoffered(Some(sdp.clone().into_bytes()))).await.expect("the call listens");
            assert_eq!(house.until("media", |d| connected(d, leg)).await.1, send);
            let answer = house.until("answer", |d| answers_reoffer(d, leg)).await.1;
            assert!(answer.contains(direction), "{answer}");
        }
    }
}

#[tokio::test]
async fn fax_and_codecs_we_do_not_speak_are_refused_in_mid_call_and_the_call_goes_on() {
    let mut house = House::open("greeting");
    let (leg, events) = house.queued().await;
    let head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
    for section in [
        "m=image 9000 udptl t38\r\na=T38FaxVersion:0\r\n",
        "m=audio 0 RTP/AVP 0\r\nm=image 9000 udptl t38\r\n",
        "m=audio 9000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n",
    ] {
        let sdp = format!("{head}{section}").into_bytes();
        events.send(LegEvent::Reoffered(Some(sdp))).await.expect("the call listens");
        let refused = |d: &Did| matches!(d, Did::Trunk { leg: l, command: LegCommand::RejectReoffer } if *l == leg);
        house.until("488", |d| refused(d).then_some(())).await;
    }
    // Nothing has ended: an offer that can be taken is.
    events.send(LegEvent::Reoffered(Some(offer()))).await.expect("the call listens");
    house.until("answer", |d| answers_reoffer(d, leg)).await;
    house.ready("kim").await;
    let (operator, _events) = house.takes("kim").await;
    house.hears(leg, &[Source::Leg(operator)]).await;
}

#[tokio::test]
async fn audio_before_the_answer_is_heard_by_the_operator_and_is_no_answer() {
    let mut house = House::open("greeting");
    let (_caller, _from_caller) = house.queued().await;
    house.ready("kim").await;
    let (operator, _from_operator) = house.takes("kim").await;
    let patch = Command::Patch {
        number: number("+12025550190"),
        contact: None,
        ring: Duration::from_secs(30),
        then: Default::default(),
        cold: false,
    };
    house
        .until("talk", |d| matches!(d, Did::Bridged { matrix } if !matrix.heard_by(operator).is_empty()).then_some(()))
        .await;
    assert_eq!(house.does("kim", patch).await, Ok(()));
    let dialled = |d: &Did| matches!(d, Did::Dialled { .. }).then_some(());
    let (Did::Dialled { leg: contact, offer, events }, ()) = house.until("dial", dialled).await else {
        unreachable!("dialled picks Dialled")
    };
    events.send(LegEvent::EarlyMedia(answer_to(&offer))).await.expect("the call listens");
    house.until("early media", |d| connected(d, contact)).await;
    house.hears(operator, &[Source::Leg(contact)]).await;
    let state = house.calls.views()[0].patch.as_ref().map(|p| p.state);
    assert_eq!(state, Some(crate::engine::feed::PatchState::Ringing));
    assert_eq!(house.does("kim", Command::Join).await, Err(CommandError::NotNow), "nobody has answered");
    events.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call listens");
    house.hears(contact, &[Source::Leg(operator)]).await;
}

#[tokio::test]
async fn a_late_offer_may_hold_wideband() {
    let mut house = House::open("greeting");
    let (leg, events) = house.dials("+12025550102", None);
    let ours = String::from_utf8(house.until("our offer", |d| answers(d, leg)).await.1).expect("text");
    assert!(ours.contains(" RTP/AVP 0 8 9 101\r\n") && ours.contains("a=rtpmap:9 G722/8000"), "{ours}");
    let theirs = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 9\r\n";
    events.send(LegEvent::Established(Some(theirs.into()))).await.expect("the call listens");
    assert!(house.until("media", |d| connected(d, leg)).await.1);
}

#[tokio::test]
async fn a_silent_telephone_is_asked_whether_it_is_there_and_its_line_is_shown() {
    let mut house = House::open("greeting");
    let (caller, events) = house.queued().await;
    let quality = LegQuality { lost_in: 12, lost_out: Some(31), jitter_in_us: 4_200, ..LegQuality::default() };
    house.calls.on_media(MediaEvent::Quality { leg: caller, quality });
    let shown = async {
        loop {
            if let Ok(FeedEvent::Quality { quality }) = house.feed.recv().await {
                return quality;
            }
        }
    };
    let shown = tokio::time::timeout(Duration::from_secs(10), shown).await.expect("the line is shown");
    assert_eq!((shown.who, shown.loss, shown.jitter_ms, shown.round_trip_ms), ("caller", 3.1, 5, None));
    let probed =
        |did: &Did| matches!(did, Did::Trunk { leg, command: LegCommand::Probe } if *leg == caller).then_some(());
    for _ in 0..2 {
        house.calls.on_media(MediaEvent::Silent { leg: caller });
        house.until("probe", probed).await;
    }
    events.send(LegEvent::Ended(Cause::Lost)).await.expect("the call listens");
    assert_eq!(house.finished().await.cause, Cause::Lost);
}

#[tokio::test]
async fn a_telephone_from_which_nothing_comes_is_hung_up_in_the_end_though_its_gateway_answers_for_it() {
    let mut house = House::open("greeting");
    let (caller, _events) = house.queued().await;
    for _ in 0..5 {
        house.calls.on_media(MediaEvent::Silent { leg: caller });
    }
    house.calls.on_media(MediaEvent::Gone { leg: caller });
    house.until("hang-up", |did| hangs_up(did, caller)).await;
    assert_eq!(house.finished().await.cause, Cause::Lost);
}

#[tokio::test]
async fn an_operators_browser_that_is_missed_or_comes_back_over_another_connection_is_offered_another_path() {
    let mut house = House::open("greeting");
    let (caller, _from_caller) = house.queued().await;
    house.ready("kim").await;
    let (operator, events) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    let restarts = |d: &Did| matches!(d, Did::Restart(leg) if *leg == operator).then_some(());
    let reoffers = |d: &Did| match d {
        Did::Phone { leg, command: LegCommand::Reoffer(sdp) } if *leg == operator => Some(sdp.clone()),
        _ => None,
    };
    house.calls.on_media(MediaEvent::Silent { leg: operator });
    house.until("another path", restarts).await;
    house.hears(caller, &[Source::Leg(operator), Source::Music]).await;
    house.calls.on_media(MediaEvent::WebOffer { leg: operator, offer: "another offer".to_owned() });
    assert_eq!(house.until("the offer", reoffers).await.1, b"another offer");
    // What was sent over the old connection is refused as that closes; then the browser is back.
    events.send(LegEvent::ReofferRefused).await.expect("the call listens");
    events.send(LegEvent::Moved).await.expect("the call listens");
    house.until("another path again", restarts).await;
    events.send(LegEvent::Reanswered(b"an answer".to_vec())).await.expect("the call listens");
    house.calls.on_media(MediaEvent::WebUp { leg: operator });
    house.hears(caller, &[Source::Leg(operator)]).await;
    let (seat, _) = house.desk.board(user("kim")).await.expect("the desk is open");
    assert_eq!(seat.state, crate::engine::feed::SeatState::Talking);
}

#[tokio::test]
async fn a_silent_desk_phone_is_asked_whether_it_is_there_and_a_browser_is_not() {
    let mut house = House::open("greeting");
    let (caller, _from_caller) = house.queued().await;
    house.ready("kim").await;
    let (operator, _from_operator) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    let (second, _from_second) = house.phone_calls("kim", Dialled::Number(number("+12025550190")));
    house.until("the contact is dialled", |d| matches!(d, Did::Dialled { .. }).then_some(())).await;
    for leg in [operator, second] {
        house.calls.on_media(MediaEvent::Silent { leg });
    }
    let probed = |d: &Did| match d {
        Did::Phone { leg, command: LegCommand::Probe } => Some(*leg),
        _ => None,
    };
    assert_eq!(house.until("probe", probed).await.1, second);
}

#[tokio::test]
async fn a_path_that_cannot_be_offered_does_not_end_the_looking_for_one() {
    let mut house = House::open("greeting");
    let (caller, _from_caller) = house.queued().await;
    house.ready("kim").await;
    let (operator, events) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    let restarts = |d: &Did| matches!(d, Did::Restart(leg) if *leg == operator).then_some(());
    house.calls.on_media(MediaEvent::Silent { leg: operator });
    house.until("another path", restarts).await;
    house.calls.on_media(MediaEvent::WebNoOffer { leg: operator });
    house.until("another try", restarts).await;
    drop(events);
}
