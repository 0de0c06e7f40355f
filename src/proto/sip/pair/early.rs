//! Before the answer: reliable provisional responses, forks and early audio.

use super::super::terms::{PeerTerms, Reliable};
use super::*;

const THEIRS: &str = "v=0\r\no=- 7 7 IN IP4 127.0.0.1\r\ns=-\r\n";

fn insisting(dialog: DialogId, offer: Option<&[u8]>) -> Command {
    Command::Invite {
        dialog,
        flow: flow(0),
        request_uri: "sip:+12025550102@127.0.0.1:5070".to_owned(),
        from: "<sip:+12025550199@127.0.0.1:5060>".to_owned(),
        to: "<sip:+12025550102@127.0.0.1:5070>".to_owned(),
        headers: vec![("Require".to_owned(), "100rel".to_owned())],
        offer: offer.map(<[u8]>::to_vec),
    }
}

fn insists(pair: &mut Pair, offer: Option<&[u8]>) -> (DialogId, DialogId) {
    let dialog = pair.agents[0].next_dialog();
    pair.command(0, insisting(dialog, offer));
    (dialog, pair.incoming())
}

#[test]
fn who_insists_on_100rel_gets_it_and_early_audio_is_never_an_answer() {
    for seed in 0..60 {
        let weather = Weather { lost: 10 * (seed % 2), doubled: 10, jitter_ms: 90 };
        let mut pair = Pair::new(seed, weather);
        let (out, inside) = insists(&mut pair, Some(OFFER));
        pair.command(1, Command::Ring { dialog: inside, sdp: None });
        pair.command(1, Command::Ring { dialog: inside, sdp: Some(ANSWER.to_vec()) });
        let heard = |e: &Event| matches!(e, Event::Progress { status: 183, sdp: Some(_), .. });
        assert!(pair.wait(0, heard), "seed {seed}");
        assert_eq!(
            pair.count(0, |e| matches!(e, Event::Progress { status: 180, .. })),
            1,
            "seed {seed}: in order, once"
        );
        assert_eq!(pair.count(0, |e| matches!(e, Event::Answered { .. })), 0, "seed {seed}");
        let rings = pair.texts_of(1, "SIP/2.0 18");
        assert!(rings.iter().all(|r| field(r, "RSeq").is_some() && field(r, "Require") == Some("100rel")));
        pair.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
        assert!(pair.wait(0, |e| matches!(e, Event::Answered { sdp: Some(_), .. })), "seed {seed}");
        assert!(pair.wait(1, |e| matches!(e, Event::Established { .. })), "seed {seed}");
        // The reliable response was the answer; it is not given twice.
        assert_eq!(field(pair.texts_of(1, "SIP/2.0 200").last().expect("sent"), "Content-Length"), Some("0"));
        pair.command(0, bye(out));
        pair.settles();
    }
}

#[test]
fn an_answer_waits_for_the_prack_of_a_description_before_it() {
    let mut pair = Pair::new(1, CALM);
    let (_, inside) = insists(&mut pair, Some(OFFER));
    pair.command(1, Command::Ring { dialog: inside, sdp: Some(ANSWER.to_vec()) });
    pair.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
    assert!(pair.texts_of(1, "SIP/2.0 200").is_empty(), "RFC 3262 §3");
    assert!(pair.wait(0, |e| matches!(e, Event::Answered { .. })));
    // Ringing without a description holds no answer up.
    let mut pair = Pair::new(2, CALM);
    let (_, inside) = insists(&mut pair, Some(OFFER));
    pair.command(1, Command::Ring { dialog: inside, sdp: None });
    pair.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
    assert_eq!(pair.texts_of(1, "SIP/2.0 200").len(), 1);
    assert!(pair.wait(1, |e| matches!(e, Event::Established { .. })));
}

#[test]
fn a_reliable_response_that_is_never_acknowledged_ends_the_call_with_504() {
    let mut pair = Pair::new(3, CALM);
    let (_, inside) = insists(&mut pair, Some(OFFER));
    pair.weather.lost = 100;
    let at = pair.now;
    pair.command(1, Command::Ring { dialog: inside, sdp: None });
    assert!(pair.wait(1, |e| matches!(e, Event::Ended { why: EndReason::NoAck, .. })));
    assert_eq!(pair.now - at, Duration::from_secs(32));
    assert_eq!(pair.texts_of(1, "SIP/2.0 180").len(), 7, "T1, doubled each time");
    assert!(pair.sent[1].iter().any(|l| l.starts_with("SIP/2.0 504")));
    pair.settles();
}

#[test]
fn a_prack_for_nothing_gets_481_and_one_that_cannot_be_read_400() {
    let mut pair = Pair::new(4, CALM);
    let (_, inside) = insists(&mut pair, Some(OFFER));
    pair.command(1, Command::Ring { dialog: inside, sdp: None });
    let ring = pair.texts_of(1, "SIP/2.0 180")[0].to_owned();
    let rseq: u32 = field(&ring, "RSeq").and_then(|n| n.parse().ok()).expect("a number");
    for (cseq, rack, status) in [
        (2, format!("{} 1 INVITE", rseq + 1), "481"),
        (3, format!("{rseq} 2 INVITE"), "481"),
        (4, format!("{rseq} 1 UPDATE"), "481"),
        (5, "none".to_owned(), "400"),
        (6, format!("{rseq} 1 INVITE"), "200"),
        (7, format!("{rseq} 1 INVITE"), "481"),
    ] {
        let of = |name| field(&ring, name).expect("a header");
        let prack = format!(
            "PRACK sip:x@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKp{cseq}\r\nFrom: {}\r\nTo: {}\r\n\
             Call-ID: {}\r\nCSeq: {cseq} PRACK\r\nRAck: {rack}\r\nContent-Length: 0\r\n\r\n",
            of("From"),
            of("To"),
            of("Call-ID")
        );
        pair.inject(1, &prack);
        let sent = pair.sent[1].last().expect("an answer");
        assert!(sent.starts_with(&format!("SIP/2.0 {status}")), "{rack}: {sent}");
    }
}

#[test]
fn a_caller_that_makes_no_offer_answers_ours_in_its_prack() {
    for seed in 0..20 {
        let mut pair = Pair::new(seed, Weather { lost: 10 * (seed % 2), doubled: 5, jitter_ms: 60 });
        let (out, inside) = insists(&mut pair, None);
        pair.command(1, Command::Ring { dialog: inside, sdp: Some(OFFER.to_vec()) });
        assert!(pair.wait(0, |e| matches!(e, Event::Reoffered { offer: Some(_), .. })), "seed {seed}");
        pair.command(0, Command::AnswerReinvite { dialog: out, sdp: ANSWER.to_vec() });
        assert!(pair.wait(1, |e| matches!(e, Event::ReinviteAnswered { sdp: Some(_), .. })), "seed {seed}");
        let prack = pair.texts_of(0, "PRACK")[0];
        assert_eq!(prack.split("\r\n\r\n").nth(1).map(str::as_bytes), Some(ANSWER));
        pair.command(1, Command::Answer { dialog: inside, sdp: OFFER.to_vec() });
        assert!(pair.wait(0, |e| matches!(e, Event::Answered { .. })), "seed {seed}");
        assert!(pair.wait(1, |e| matches!(e, Event::Established { answer: None, .. })), "seed {seed}");
        pair.command(1, bye(inside));
        pair.settles();
    }
}

#[test]
fn an_offer_in_the_200_is_answered_in_the_ack_or_the_call_is_ended() {
    for seed in 0..30 {
        let mut pair = Pair::new(seed, Weather { lost: 10 * (seed % 2), doubled: 10, jitter_ms: 60 });
        let out = pair.call(None);
        let inside = pair.incoming();
        pair.command(1, Command::Answer { dialog: inside, sdp: OFFER.to_vec() });
        assert!(pair.wait(0, |e| matches!(e, Event::Reoffered { offer: Some(_), .. })), "seed {seed}");
        assert_eq!(pair.count(0, |e| matches!(e, Event::Answered { .. })), 0, "seed {seed}");
        // Copies of the 200 meanwhile mean nothing.
        pair.pass(2);
        assert!(pair.texts_of(0, "ACK").is_empty() && pair.texts_of(0, "BYE").is_empty(), "seed {seed}");
        if seed % 3 == 0 {
            pair.command(0, Command::RejectReinvite { dialog: out, status: 488 });
            assert!(pair.wait(0, |e| matches!(e, Event::Rejected { status: 488, .. })), "seed {seed}");
            assert!(pair.wait(1, is_ended), "seed {seed}");
        } else {
            pair.command(0, Command::AnswerReinvite { dialog: out, sdp: ANSWER.to_vec() });
            assert!(pair.wait(0, |e| matches!(e, Event::Answered { sdp: Some(_), .. })), "seed {seed}");
            let is_up = |e: &Event| matches!(e, Event::Established { answer: Some(sdp), .. } if sdp == ANSWER);
            assert!(pair.wait(1, is_up), "seed {seed}");
            pair.command(0, bye(out));
        }
        pair.settles();
    }
}

#[test]
fn a_caller_that_can_but_need_not_gets_reliable_responses_only_where_set() {
    for reliable in [false, true] {
        let mut pair = Pair::with(5, CALM, |_, config| {
            config.reliable = if reliable { Reliable::Required } else { Reliable::Supported }
        });
        pair.call(Some(OFFER));
        let inside = pair.incoming();
        pair.command(1, Command::Ring { dialog: inside, sdp: None });
        pair.pass(1);
        assert_eq!(field(pair.texts_of(1, "SIP/2.0 180")[0], "RSeq").is_some(), reliable);
        assert_eq!(pair.sent[0].iter().any(|l| l.starts_with("PRACK")), reliable);
    }
}

#[test]
fn a_call_given_up_between_reliable_response_and_prack_leaves_nothing() {
    for seed in 0..40 {
        let mut pair = Pair::new(seed, Weather { lost: 10, doubled: 5, jitter_ms: 60 });
        let (out, inside) = insists(&mut pair, Some(OFFER));
        pair.command(1, Command::Ring { dialog: inside, sdp: Some(ANSWER.to_vec()) });
        pair.run(Duration::from_millis(seed * 5), |_| false);
        pair.command(0, Command::Cancel { dialog: out });
        assert!(pair.wait(1, is_ended) && pair.wait(0, is_ended), "seed {seed}");
        pair.settles();
    }
}

/// A response of a carrier's to the caller's INVITE.
fn response(invite: &str, status: &str, tag: &str, extra: &str, body: &str) -> String {
    let copied: String = ["Via", "From", "Call-ID", "CSeq"]
        .into_iter()
        .map(|name| format!("{name}: {}\r\n", field(invite, name).expect("a header")))
        .collect();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {status}\r\n{copied}To: <sip:x@h>;tag={tag}\r\nContact: <sip:{tag}@127.0.0.1:5070>\r\n{extra}{kind}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn rseq(number: u32) -> String {
    format!("Require: 100rel\r\nRSeq: {number}\r\n")
}

/// A request of a branch's inside its early dialog.
fn from_branch(invite: &str, tag: &str, method: &str, cseq: u32, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:x@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK{tag}{cseq}\r\n\
         From: <sip:x@h>;tag={tag}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
         Contact: <sip:{tag}2@127.0.0.1:5070>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        field(invite, "From").expect("From"),
        field(invite, "Call-ID").expect("Call-ID"),
        body.len()
    )
}

/// A call that no agent takes: the carrier is played by hand.
fn alone(seed: u64) -> (Pair, DialogId, String) {
    let mut pair = Pair::new(seed, Weather { lost: 100, ..CALM });
    let out = pair.call(Some(OFFER));
    let invite = pair.texts[0][0].clone();
    (pair, out, invite)
}

#[test]
fn reliable_responses_are_taken_in_order_and_copies_absorbed() {
    let (mut pair, _, invite) = alone(6);
    for (number, new) in [(100, true), (100, false), (102, false), (101, true), (102, true), (101, false)] {
        pair.events[0].clear();
        let before = pair.texts_of(0, "PRACK").len();
        pair.inject(0, &response(&invite, "180 Ringing", "a", &rseq(number), ""));
        assert_eq!(pair.count(0, |e| matches!(e, Event::Progress { .. })), usize::from(new), "{number}");
        assert_eq!(pair.texts_of(0, "PRACK").len() - before, usize::from(new), "{number}");
    }
    let pracks: Vec<_> = pair.texts_of(0, "PRACK").iter().map(|p| field(p, "RAck").expect("RAck").to_owned()).collect();
    assert_eq!(pracks, ["100 1 INVITE", "101 1 INVITE", "102 1 INVITE"]);
    let seqs: Vec<_> = pair.texts_of(0, "PRACK").iter().map(|p| field(p, "CSeq").expect("CSeq").to_owned()).collect();
    assert_eq!(seqs, ["2 PRACK", "3 PRACK", "4 PRACK"]);
}

#[test]
fn each_branch_has_its_own_early_dialog_and_the_first_answer_wins() {
    let (mut pair, out, invite) = alone(7);
    pair.inject(0, &response(&invite, "183 Session Progress", "a", &rseq(1), "v=0\r\nfrom a\r\n"));
    pair.inject(0, &response(&invite, "183 Session Progress", "b", &rseq(900), "v=0\r\nfrom b\r\n"));
    pair.inject(0, &response(&invite, "180 Ringing", "c", "", ""));
    assert_eq!(pair.count(0, |e| matches!(e, Event::Progress { sdp: Some(_), .. })), 2);
    assert_eq!(pair.count(0, |e| matches!(e, Event::Answered { .. })), 0, "early audio is no answer");
    let pracks: Vec<_> = pair.sent[0].iter().filter(|l| l.starts_with("PRACK")).cloned().collect();
    assert_eq!(pracks, ["PRACK sip:a@127.0.0.1:5070 SIP/2.0", "PRACK sip:b@127.0.0.1:5070 SIP/2.0"]);
    // b answers, without a description of its own: what it sent before counts, not what a sent.
    pair.inject(0, &response(&invite, "200 OK", "b", "", ""));
    let answer = pair.events[0].iter().find_map(|e| match e {
        Event::Answered { sdp, .. } => Some(sdp.clone()),
        _ => None,
    });
    assert_eq!(answer, Some(Some(b"v=0\r\nfrom b\r\n".to_vec())));
    pair.inject(0, &response(&invite, "200 OK", "a", "", "v=0\r\n"));
    let after: Vec<&str> = pair.sent[0].iter().rev().take(2).map(String::as_str).collect();
    assert_eq!(after, ["BYE sip:a@127.0.0.1:5070 SIP/2.0", "ACK sip:a@127.0.0.1:5070 SIP/2.0"]);
    // The hang-up comes after the PRACK that this branch has seen.
    assert_eq!(field(pair.texts[0].last().expect("sent"), "CSeq"), Some("3 BYE"));
    assert_eq!(pair.count(0, |e| matches!(e, Event::Answered { .. })), 1);
    assert_eq!(pair.agents[0].load().0, 1);
    pair.command(0, bye(out));
    assert_eq!(field(pair.texts[0].last().expect("sent"), "CSeq"), Some("3 BYE"));
    assert!(pair.sent[0].last().expect("sent").starts_with("BYE sip:b@"));
}

#[test]
fn a_description_of_another_branch_is_not_taken_for_the_answer() {
    let (mut pair, _, invite) = alone(8);
    pair.inject(0, &response(&invite, "183 Session Progress", "a", "", THEIRS));
    pair.inject(0, &response(&invite, "200 OK", "b", "", ""));
    assert_eq!(pair.count(0, |e| matches!(e, Event::Answered { sdp: None, .. })), 1);
}

#[test]
fn a_branch_that_is_over_takes_its_description_along() {
    let (mut pair, _, invite) = alone(9);
    pair.inject(0, &response(&invite, "183 Session Progress", "a", "", THEIRS));
    pair.events[0].clear();
    pair.inject(0, &response(&invite, "199 Early Dialog Terminated", "a", "", ""));
    assert!(pair.events[0].is_empty());
    pair.inject(0, &response(&invite, "180 Ringing", "a", "", ""));
    pair.inject(0, &response(&invite, "200 OK", "a", "", ""));
    assert_eq!(pair.count(0, |e| matches!(e, Event::Answered { sdp: None, .. })), 1);
}

#[test]
fn a_branch_may_update_its_early_session_once_offer_and_answer_are_through() {
    let (mut pair, out, invite) = alone(10);
    let last = |pair: &Pair| pair.sent[0].last().cloned().unwrap_or_default();
    pair.inject(0, &from_branch(&invite, "a", "UPDATE", 1, ""));
    assert!(last(&pair).starts_with("SIP/2.0 481"), "nobody we know: {}", last(&pair));
    pair.inject(0, &response(&invite, "183 Session Progress", "a", "", THEIRS));
    pair.inject(0, &from_branch(&invite, "a", "UPDATE", 2, ""));
    assert!(last(&pair).starts_with("SIP/2.0 200"));
    pair.inject(0, &from_branch(&invite, "a", "UPDATE", 3, THEIRS));
    assert!(last(&pair).starts_with("SIP/2.0 491"), "our offer is still open: {}", last(&pair));
    pair.inject(0, &response(&invite, "183 Session Progress", "a", &rseq(5), THEIRS));
    // The branch's Contact is the one that its UPDATE gave, then the response's again.
    assert!(last(&pair).starts_with("PRACK sip:a@"));
    pair.inject(0, &from_branch(&invite, "a", "UPDATE", 4, THEIRS));
    assert_eq!(pair.count(0, |e| matches!(e, Event::Reoffered { offer: Some(_), .. })), 1);
    pair.inject(0, &from_branch(&invite, "a", "UPDATE", 5, THEIRS));
    assert!(last(&pair).starts_with("SIP/2.0 500"));
    pair.command(0, Command::AnswerReinvite { dialog: out, sdp: ANSWER.to_vec() });
    let answer = pair.texts[0].last().expect("sent");
    assert!(answer.starts_with("SIP/2.0 200") && answer.contains("CSeq: 4 UPDATE"), "{answer}");
    // A second that is open when another branch wins is told so.
    pair.inject(0, &from_branch(&invite, "a", "UPDATE", 6, THEIRS));
    pair.inject(0, &response(&invite, "200 OK", "b", "", THEIRS));
    assert!(pair.sent[0].iter().any(|l| l.starts_with("SIP/2.0 487")));
    assert_eq!(pair.count(0, |e| matches!(e, Event::Answered { sdp: Some(_), .. })), 1);
    // b's numbers begin anew.
    pair.inject(0, &from_branch(&invite, "b", "UPDATE", 1, ""));
    assert!(last(&pair).starts_with("SIP/2.0 200"));
}

#[test]
fn a_late_offer_call_that_insists_on_100rel_gets_no_reliable_ringing_without_our_offer() {
    let mut pair = Pair::new(11, CALM);
    let (out, inside) = insists(&mut pair, None);
    pair.command(1, Command::Ring { dialog: inside, sdp: None });
    assert!(pair.texts_of(1, "SIP/2.0 18").is_empty(), "the first one has to make the offer (RFC 3262 §5)");
    pair.command(1, Command::Answer { dialog: inside, sdp: OFFER.to_vec() });
    assert!(pair.wait(0, |e| matches!(e, Event::Reoffered { offer: Some(_), .. })));
    pair.command(0, Command::AnswerReinvite { dialog: out, sdp: ANSWER.to_vec() });
    assert!(pair.wait(1, |e| matches!(e, Event::Established { answer: Some(_), .. })));
    // Who can take them and need not hears it ring without.
    let mut pair = Pair::with(12, CALM, |_, config| config.reliable = Reliable::Required);
    let dialog = pair.agents[0].next_dialog();
    pair.agents[0].agree_on(dialog, PeerTerms { reliable: Reliable::Supported, ..PeerTerms::default() });
    let Command::Invite { flow, request_uri, from, to, .. } = insisting(dialog, None) else { unreachable!() };
    pair.command(0, Command::Invite { dialog, flow, request_uri, from, to, headers: vec![], offer: None });
    let inside = pair.incoming();
    pair.command(1, Command::Ring { dialog: inside, sdp: None });
    assert_eq!(field(pair.texts_of(1, "SIP/2.0 180")[0], "RSeq"), None);
}

#[test]
fn a_branch_that_says_bye_leaves_the_others_ringing() {
    let (mut pair, _, invite) = alone(13);
    pair.inject(0, &response(&invite, "180 Ringing", "a", "", ""));
    pair.inject(0, &response(&invite, "180 Ringing", "b", "", ""));
    pair.inject(0, &from_branch(&invite, "a", "BYE", 1, ""));
    assert!(pair.sent[0].last().expect("sent").starts_with("SIP/2.0 200"));
    assert_eq!(pair.count(0, is_ended), 0, "b rings on");
    pair.inject(0, &from_branch(&invite, "nobody", "BYE", 1, ""));
    assert!(pair.sent[0].last().expect("sent").starts_with("SIP/2.0 481"));
    pair.inject(0, &response(&invite, "200 OK", "b", "", THEIRS));
    assert_eq!(pair.count(0, |e| matches!(e, Event::Answered { .. })), 1);
}

#[test]
fn a_bye_of_the_last_branch_ends_the_call_and_stops_whatever_else_rings() {
    let (mut pair, _, invite) = alone(14);
    pair.inject(0, &response(&invite, "180 Ringing", "a", "", ""));
    pair.inject(0, &from_branch(&invite, "a", "BYE", 1, ""));
    assert_eq!(pair.count(0, |e| matches!(e, Event::Ended { why: EndReason::Bye, .. })), 1);
    assert_eq!(pair.texts_of(0, "CANCEL").len(), 1, "the INVITE reaches more than those who have responded");
    // What answers all the same is hung up.
    pair.inject(0, &response(&invite, "200 OK", "c", "", THEIRS));
    assert!(pair.sent[0].iter().any(|line| line.starts_with("BYE sip:c@")));
    assert_eq!(pair.agents[0].load().0, 0);
}
