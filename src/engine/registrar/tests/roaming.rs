//! A browser whose network changes under a call: its old connection leads nowhere, and it comes back over another.

use super::*;

#[tokio::test]
async fn a_browser_that_registers_over_a_new_flow_has_left_the_old_one_although_nobody_saw_it_close() {
    let (handle, _changes) = start().await;
    let kim = UserId::named("kim");
    let peer = "127.0.0.1:9".parse().expect("an address");
    // Its network vanishes: this flow stays open and leads nowhere.
    let mut old = handle.open_ws(peer, false).await.expect("open");
    old.receive(register(1, TOKEN, CONTACT)).await.expect("open");
    next(&mut old).await;
    let (events, mut heard) = mpsc::channel(crate::engine::signal::LEG_EVENT_DEPTH);
    handle.ring(LegId(1), &kim, Phone::Softphone, b"v=0\r\n".to_vec(), Vec::new(), events);
    let invite = next(&mut old).await;
    old.receive(answer_to(&invite)).await.expect("open");
    assert!(matches!(heard.recv().await, Some(LegEvent::Answered(_))));
    assert!(next(&mut old).await.starts_with("ACK "));
    // An offer that goes there is never answered.
    handle.send(LegId(1), LegCommand::Reoffer(b"v=1\r\n".to_vec()));
    assert!(next(&mut old).await.starts_with("INVITE "));

    let mut new = handle.open_ws(peer, false).await.expect("open");
    new.receive(register(2, TOKEN, CONTACT)).await.expect("open");
    assert!(next(&mut new).await.starts_with("SIP/2.0 200"));
    assert!(matches!(heard.recv().await, Some(LegEvent::ReofferRefused)));
    assert!(matches!(heard.recv().await, Some(LegEvent::Moved)));
    assert_eq!(handle.phones_of(&kim), Phones::of(Phone::Softphone));
    handle.send(LegId(1), LegCommand::Reoffer(b"v=2\r\n".to_vec()));
    let offer = next(&mut new).await;
    assert!(offer.starts_with("INVITE ") && offer.ends_with("v=2\r\n"), "{offer}");
    new.receive(answer_to(&offer)).await.expect("open");
    assert!(matches!(heard.recv().await, Some(LegEvent::Reanswered(_))));
    assert!(next(&mut new).await.starts_with("ACK "));
    assert!(old.next().await.is_none(), "the old one is closed");
}

#[tokio::test]
async fn an_offer_answered_without_a_description_does_not_leave_its_leg_waiting() {
    let (handle, _changes) = start().await;
    let kim = UserId::named("kim");
    let mut ws = handle.open_ws("127.0.0.1:9".parse().expect("an address"), false).await.expect("open");
    ws.receive(register(1, TOKEN, CONTACT)).await.expect("open");
    next(&mut ws).await;
    let (events, mut heard) = mpsc::channel(crate::engine::signal::LEG_EVENT_DEPTH);
    handle.ring(LegId(1), &kim, Phone::Softphone, b"v=0\r\n".to_vec(), Vec::new(), events);
    let invite = next(&mut ws).await;
    ws.receive(answer_to(&invite)).await.expect("open");
    assert!(matches!(heard.recv().await, Some(LegEvent::Answered(_))));
    assert!(next(&mut ws).await.starts_with("ACK "));
    handle.send(LegId(1), LegCommand::Reoffer(b"v=1\r\n".to_vec()));
    let offer = next(&mut ws).await;
    let answer = String::from_utf8(answer_to(&offer)).expect("text");
    let bare = answer
        .replace("Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n", "Content-Length: 0\r\n\r\n");
    assert_ne!(bare, answer);
    ws.receive(bare.into_bytes()).await.expect("open");
    let told = tokio::time::timeout(Duration::from_secs(5), heard.recv()).await.expect("told in time");
    assert!(matches!(told, Some(LegEvent::ReofferRefused)), "{told:?}");
}
