//! Changes of a session between two agents: UPDATE, and both sides at once.

use super::*;

const OTHER: &[u8] = b"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\n";

/// A request of the caller's inside a dialog, written by hand.
fn inside_dialog(pair: &Pair, method: &str, cseq: u32, extra: &str, body: &str) -> String {
    let reply = pair.texts[1].iter().rfind(|t| t.starts_with("SIP/2.0 1") && field(t, "Contact").is_some());
    let reply = reply.or_else(|| pair.texts[1].iter().rfind(|t| t.starts_with("SIP/2.0 200"))).expect("a response");
    let of = |name| field(reply, name).expect("a header");
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:x@127.0.0.1:5070 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{method}{cseq}\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContact: <sip:a@127.0.0.1:5060>\r\n{extra}{kind}\
         Content-Length: {}\r\n\r\n{body}",
        of("From"),
        of("To"),
        of("Call-ID"),
        body.len()
    )
}

fn last(pair: &Pair, side: usize) -> &str {
    pair.sent[side].last().map_or("", String::as_str)
}

#[test]
fn two_changes_at_once_both_come_through_in_the_end() {
    for seed in 0..40 {
        let weather = if seed % 2 == 0 { CALM } else { Weather { lost: 10, doubled: 5, jitter_ms: 80 } };
        let mut pair = Pair::new(seed, weather);
        let (out, inside) = pair.up();
        let start = pair.now;
        pair.command(0, Command::Reinvite { dialog: out, sdp: OTHER.to_vec() });
        pair.command(1, Command::Reinvite { dialog: inside, sdp: OTHER.to_vec() });
        pair.events = [Vec::new(), Vec::new()];
        let is_asked = |p: &Pair, side: usize| p.events[side].iter().any(|e| matches!(e, Event::Reoffered { .. }));
        assert!(pair.run(Duration::from_secs(33), |p| is_asked(p, 0) || is_asked(p, 1)), "seed {seed}");
        let first = usize::from(is_asked(&pair, 0));
        if weather.lost == 0 {
            // The callee, whose Call-ID it is not, comes first, within 2 s.
            assert_eq!(first, 1, "seed {seed}");
            assert!(pair.now - start < Duration::from_millis(2_300), "seed {seed}: {:?}", pair.now - start);
            assert!(pair.sent.iter().all(|sent| sent.iter().any(|l| l.starts_with("SIP/2.0 491"))), "seed {seed}");
        }
        let asked = [out, inside][1 - first];
        pair.command(1 - first, Command::AnswerReinvite { dialog: asked, sdp: ANSWER.to_vec() });
        assert!(pair.wait(first, |e| matches!(e, Event::ReinviteAnswered { .. })), "seed {seed}");
        // The other's is outdated by that: its owner has to make it anew.
        let refused = |e: &Event| matches!(e, Event::ReinviteRejected { status: 491, .. });
        assert!(pair.wait(1 - first, refused), "seed {seed}");
        pair.run(Duration::from_secs(33), |p| p.agents.iter().all(Agent::dialogs_are_quiet));
        pair.events = [Vec::new(), Vec::new()];
        pair.command(0, Command::Reinvite { dialog: out, sdp: OTHER.to_vec() });
        assert!(pair.wait(1, |e| matches!(e, Event::Reoffered { .. })), "seed {seed}");
        pair.command(1, Command::AnswerReinvite { dialog: inside, sdp: ANSWER.to_vec() });
        assert!(pair.wait(0, |e| matches!(e, Event::ReinviteAnswered { .. })), "seed {seed}");
        pair.command(0, bye(out));
        pair.settles();
    }
}

#[test]
fn a_change_that_meets_491_goes_again_after_the_time_of_its_side() {
    for seed in 0..30 {
        for side in [0, 1] {
            let mut pair = Pair::new(seed, CALM);
            let dialogs = pair.up();
            let dialog = [dialogs.0, dialogs.1][side];
            pair.command(side, Command::Reinvite { dialog, sdp: OTHER.to_vec() });
            let invite = pair.texts[side].iter().rfind(|t| t.starts_with("INVITE")).expect("sent").clone();
            pair.wire.clear();
            let copied: String = ["Via", "From", "To", "Call-ID", "CSeq"]
                .into_iter()
                .map(|name| format!("{name}: {}\r\n", field(&invite, name).expect("a header")))
                .collect();
            let at = pair.now;
            pair.inject(side, &format!("SIP/2.0 491 Request Pending\r\n{copied}Content-Length: 0\r\n\r\n"));
            pair.sent[side].clear();
            assert!(pair.run(Duration::from_secs(5), |p| p.sent[side].iter().any(|l| l.starts_with("INVITE"))));
            let waited = (pair.now - at).as_millis();
            let range = if side == 0 { 2_100..=4_000 } else { 0..=2_000 };
            assert!(range.contains(&waited) && waited.is_multiple_of(10), "side {side}: {waited} ms");
        }
    }
}

#[test]
fn a_change_on_top_of_one_that_waits_for_its_answer_is_told_to_come_later() {
    let mut pair = Pair::new(3, CALM);
    let (_, inside) = pair.up();
    pair.inject(1, &inside_dialog(&pair, "UPDATE", 10, "", "v=0\r\n"));
    assert_eq!(pair.count(1, |e| matches!(e, Event::Reoffered { offer: Some(_), .. })), 1);
    for method in ["UPDATE", "INVITE"] {
        pair.inject(1, &inside_dialog(&pair, method, 11, "", "v=0\r\n"));
        assert!(last(&pair, 1).starts_with("SIP/2.0 500"));
        let wait = field(pair.texts[1].last().expect("sent"), "Retry-After").and_then(|w| w.parse::<u32>().ok());
        assert!(wait.is_some_and(|w| w <= 10), "{wait:?}");
    }
    // One without an offer changes nothing and is answered at once.
    pair.inject(1, &inside_dialog(&pair, "UPDATE", 12, "", ""));
    assert!(last(&pair, 1).starts_with("SIP/2.0 200"));
    pair.command(1, Command::AnswerReinvite { dialog: inside, sdp: ANSWER.to_vec() });
    let answer = pair.texts[1].last().expect("sent");
    assert!(answer.starts_with("SIP/2.0 200") && answer.contains("CSeq: 10 UPDATE"), "{answer}");
    assert!(answer.ends_with("s=-\r\n"));
}

#[test]
fn a_change_whose_answer_was_lost_with_its_call_is_forgotten_within_half_a_minute() {
    let mut pair = Pair::new(5, CALM);
    let (out, inside) = pair.up();
    pair.command(0, Command::Reinvite { dialog: out, sdp: OTHER.to_vec() });
    assert!(pair.wait(1, |e| matches!(e, Event::Reoffered { .. })));
    pair.pass(1);
    pair.command(1, Command::AnswerReinvite { dialog: inside, sdp: ANSWER.to_vec() });
    pair.wire.clear();
    pair.command(0, bye(out));
    assert!(pair.wait(1, |e| matches!(e, Event::Ended { .. })));
    pair.pass(40);
    assert_eq!(pair.agents[0].load(), (0, 0));
}

#[test]
fn their_change_while_ours_is_open_gets_491_and_ours_goes_on() {
    let mut pair = Pair::new(4, CALM);
    let (_, inside) = pair.up();
    pair.command(1, Command::Reinvite { dialog: inside, sdp: OTHER.to_vec() });
    for method in ["UPDATE", "INVITE"] {
        pair.inject(1, &inside_dialog(&pair, method, 10, "", "v=0\r\n"));
        assert!(last(&pair, 1).starts_with("SIP/2.0 491"), "{method}: {}", last(&pair, 1));
    }
    pair.inject(1, &inside_dialog(&pair, "UPDATE", 11, "", ""));
    assert!(last(&pair, 1).starts_with("SIP/2.0 200"));
}

#[test]
fn an_update_before_the_answer_is_never_met_with_silence() {
    let mut pair = Pair::new(5, CALM);
    pair.call(Some(OFFER));
    let inside = pair.incoming();
    pair.command(1, Command::Ring { dialog: inside, sdp: None });
    pair.inject(1, &inside_dialog(&pair, "UPDATE", 2, "", ""));
    assert!(last(&pair, 1).starts_with("SIP/2.0 200"));
    assert_eq!(field(pair.texts[1].last().expect("sent"), "Session-Expires"), None, "not before the answer");
    // The INVITE's own offer is not answered yet.
    pair.inject(1, &inside_dialog(&pair, "UPDATE", 3, "", "v=0\r\n"));
    assert!(last(&pair, 1).starts_with("SIP/2.0 500"));
    assert!(field(pair.texts[1].last().expect("sent"), "Retry-After").is_some());
    assert_eq!(pair.count(1, |e| matches!(e, Event::Reoffered { .. })), 0);
}

#[test]
fn an_interval_too_short_in_mid_call_gets_422_and_the_session_stays_as_it_was() {
    let mut pair = Pair::new(6, CALM);
    pair.up();
    let short = "Supported: timer\r\nSession-Expires: 30\r\n";
    pair.inject(1, &inside_dialog(&pair, "UPDATE", 10, short, ""));
    assert!(last(&pair, 1).starts_with("SIP/2.0 422"));
    assert_eq!(field(pair.texts[1].last().expect("sent"), "Min-SE"), Some("90"));
    let fair = "Supported: timer\r\nSession-Expires: 400;refresher=uac\r\n";
    pair.inject(1, &inside_dialog(&pair, "UPDATE", 11, fair, ""));
    let answer = pair.texts[1].last().expect("sent");
    assert_eq!(field(answer, "Session-Expires"), Some("400;refresher=uac"));
    assert_eq!(field(answer, "Require"), Some("timer"));
    // Now it is the far end's to refresh. It does not, and 32 s before the end the call ends.
    pair.weather.lost = 100;
    let at = pair.now;
    let is_over = |p: &Pair| p.events[1].iter().any(|e| matches!(e, Event::Ended { why: EndReason::Expired, .. }));
    assert!(pair.run(Duration::from_secs(500), is_over));
    assert_eq!((pair.now - at).as_secs(), 368);
}

#[test]
fn a_change_by_hangup_in_between_leaves_nothing_open() {
    for seed in 0..30 {
        let mut pair = Pair::new(seed, Weather { lost: 5, doubled: 5, jitter_ms: 60 });
        let (out, inside) = pair.up();
        pair.command(1, Command::Reinvite { dialog: inside, sdp: OTHER.to_vec() });
        pair.run(Duration::from_millis(seed * 7), |_| false);
        pair.command(0, bye(out));
        assert!(pair.wait(1, is_ended), "seed {seed}");
        pair.settles();
    }
}

/// The caller changes the session, and the other agrees.
fn change(pair: &mut Pair, out: DialogId, inside: DialogId) {
    pair.events = [Vec::new(), Vec::new()];
    pair.command(0, Command::Reinvite { dialog: out, sdp: OTHER.to_vec() });
    assert!(pair.wait(1, |e| matches!(e, Event::Reoffered { .. })), "no change came");
    pair.command(1, Command::AnswerReinvite { dialog: inside, sdp: ANSWER.to_vec() });
    assert!(pair.wait(0, |e| matches!(e, Event::ReinviteAnswered { .. })), "the change was not answered");
}

#[test]
fn a_late_copy_of_an_answer_gets_its_ack_again_and_hangs_nothing_up() {
    let mut pair = Pair::new(7, CALM);
    let (out, inside) = pair.up();
    change(&mut pair, out, inside);
    change(&mut pair, out, inside);
    pair.pass(1);
    let [answers, acks] = [(1, "SIP/2.0 200"), (0, "ACK")]
        .map(|(side, start)| pair.texts_of(side, start).into_iter().map(str::to_owned).collect::<Vec<_>>());
    assert_eq!((answers.len(), acks.len()), (3, 3), "of the call and of two changes");
    for (answer, ack) in answers.iter().zip(acks) {
        pair.texts[0].clear();
        pair.inject(0, answer);
        assert_eq!(pair.texts[0], [ack]);
    }
    assert_eq!(pair.count(0, is_ended), 0);
}

#[test]
fn a_call_that_is_changed_twice_outlives_copies_of_all_answers_whenever_they_come() {
    for seed in 0..40 {
        let mut pair = Pair::new(seed, Weather { lost: 0, doubled: 60, jitter_ms: 900 });
        let (out, inside) = pair.up();
        change(&mut pair, out, inside);
        change(&mut pair, out, inside);
        pair.pass(33);
        let byes = pair.sent.iter().flatten().filter(|line| line.starts_with("BYE")).count();
        assert_eq!((byes, pair.count(0, is_ended), pair.count(1, is_ended)), (0, 0, 0), "seed {seed}");
        pair.command(0, bye(out));
        pair.settles();
    }
}

#[test]
fn a_change_that_is_cancelled_when_its_owner_knows_of_it_is_still_answered() {
    let mut pair = Pair::new(8, CALM);
    let (_, inside) = pair.up();
    let invite = inside_dialog(&pair, "INVITE", 10, "", "v=0\r\n");
    let ack = inside_dialog(&pair, "ACK", 10, "", "");
    // By the branch of what it gives up (RFC 3261 §9.1).
    let cancel = inside_dialog(&pair, "INVITE", 10, "", "").replace("INVITE sip:", "CANCEL sip:");
    let cancel = cancel.replace("CSeq: 10 INVITE", "CSeq: 10 CANCEL");
    pair.inject(1, &invite);
    assert_eq!(pair.count(1, |e| matches!(e, Event::Reoffered { offer: Some(_), .. })), 1);
    pair.sent[1].clear();
    pair.inject(1, &cancel);
    assert_eq!(field(pair.texts[1].last().expect("answered"), "CSeq"), Some("10 CANCEL"));
    assert_eq!(pair.sent[1], ["SIP/2.0 200 OK"], "its media has moved by now");
    pair.command(1, Command::AnswerReinvite { dialog: inside, sdp: ANSWER.to_vec() });
    let answer = pair.texts[1].last().expect("answered");
    assert!(answer.starts_with("SIP/2.0 200 OK") && answer.contains("CSeq: 10 INVITE"), "{answer}");
    assert!(answer.as_bytes().ends_with(ANSWER), "{answer}");
    pair.inject(1, &ack);
    assert!(pair.agents[1].dialogs_are_quiet());
}
