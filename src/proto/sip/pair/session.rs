//! Session timers between two agents.

use super::super::session_timer::SessionPolicy;
use super::*;

fn policy(expires: u32, least: u32) -> Option<SessionPolicy> {
    Some(SessionPolicy { expires, least })
}

#[test]
fn a_session_is_refreshed_by_update_and_lives_for_days_without_a_change() {
    let mut pair = Pair::new(1, CALM);
    let (out, _) = pair.up();
    let invite = pair.texts_of(0, "INVITE")[0];
    assert_eq!(field(invite, "Session-Expires"), Some("1800"));
    assert_eq!(field(pair.texts_of(1, "SIP/2.0 200")[0], "Session-Expires"), Some("1800;refresher=uas"));
    pair.events = [Vec::new(), Vec::new()];
    pair.pass(2 * 86_400);
    let updates = pair.texts_of(1, "UPDATE");
    assert_eq!(updates.len(), 191);
    assert_eq!(field(updates[0], "Session-Expires"), Some("1800;refresher=uac"));
    assert_eq!(field(updates[0], "Content-Length"), Some("0"));
    assert!(pair.texts_of(0, "UPDATE").is_empty() && pair.texts_of(0, "BYE").is_empty());
    assert!(pair.events.iter().all(Vec::is_empty), "a refresh is nobody's business: {:?}", pair.events);
    pair.command(0, bye(out));
    pair.settles();
}

#[test]
fn a_far_end_without_update_is_refreshed_by_the_same_description_again() {
    let mut pair = Pair::new(2, CALM);
    let (out, inside) = pair.up();
    // As if the caller's Allow had named no UPDATE.
    pair.agents[1].forget_update();
    pair.events = [Vec::new(), Vec::new()];
    let there = |p: &Pair| p.events[0].iter().any(|e| matches!(e, Event::Reoffered { offer: Some(_), .. }));
    assert!(pair.run(Duration::from_secs(950), there));
    let again = pair.texts_of(1, "INVITE")[0];
    assert_eq!(again.split("\r\n\r\n").nth(1).map(str::as_bytes), Some(ANSWER));
    pair.command(0, Command::AnswerReinvite { dialog: out, sdp: OFFER.to_vec() });
    pair.pass(5);
    assert_eq!(pair.count(1, |e| matches!(e, Event::ReinviteAnswered { .. })), 0, "nothing has changed");
    pair.events = [Vec::new(), Vec::new()];
    // The next time the far end gives another answer, which the owner has to know.
    pair.agents[1].forget_update();
    assert!(pair.run(Duration::from_secs(950), there));
    pair.command(0, Command::AnswerReinvite { dialog: out, sdp: b"v=0\r\nelsewhere\r\n".to_vec() });
    assert!(pair.wait(1, |e| matches!(e, Event::ReinviteAnswered { sdp: Some(_), .. })));
    pair.command(1, bye(inside));
    pair.settles();
}

#[test]
fn an_interval_too_short_is_asked_for_anew_with_a_longer_one() {
    let mut pair = Pair::with(3, CALM, |side, config| config.session = policy(120, [90, 600][side]));
    pair.up();
    assert_eq!(field(pair.texts_of(1, "SIP/2.0 422")[0], "Min-SE"), Some("600"));
    let invites = pair.texts_of(0, "INVITE");
    assert_eq!(invites.len(), 2);
    assert_eq!(field(invites[0], "Call-ID"), field(invites[1], "Call-ID"));
    assert_eq!(field(invites[1], "CSeq"), Some("2 INVITE"));
    assert_eq!(field(invites[1], "Session-Expires"), Some("600"));
    assert_eq!(field(invites[1], "Min-SE"), Some("600"));
    assert_eq!(pair.count(0, is_ended), 0);
    pair.pass(3_000);
    assert_eq!(pair.texts_of(1, "UPDATE").len(), 9);
}

#[test]
fn a_422_that_asks_for_nothing_longer_ends_the_call() {
    let mut pair = Pair::new(4, CALM);
    pair.call(Some(OFFER));
    let invite = pair.texts[0][0].clone();
    for least in ["Min-SE: 90\r\n", "", "Min-SE: 999999\r\n"] {
        pair.inject(0, &refusal(&invite, "422 Session Interval Too Small", least));
    }
    assert_eq!(pair.sent[0].iter().filter(|l| l.starts_with("INVITE")).count(), 1);
    assert_eq!(pair.count(0, |e| matches!(e, Event::Rejected { status: 422, .. })), 1);
}

fn refusal(invite: &str, status: &str, extra: &str) -> String {
    let copied: String = ["Via", "From", "Call-ID", "CSeq"]
        .into_iter()
        .filter_map(|name| field(invite, name).map(|value| format!("{name}: {value}\r\n")))
        .collect();
    format!("SIP/2.0 {status}\r\n{copied}To: <sip:x@h>;tag=t\r\n{extra}Content-Length: 0\r\n\r\n")
}

#[test]
fn a_session_that_nobody_refreshes_ends_with_a_reason_on_both_sides() {
    for seed in 0..4 {
        let mut pair = Pair::new(seed, CALM);
        pair.up();
        pair.events = [Vec::new(), Vec::new()];
        pair.weather.lost = 100;
        pair.pass(3_600);
        // The one who refreshes learns it from the silence, the other by the clock.
        assert_eq!(pair.count(1, |e| matches!(e, Event::Ended { why: EndReason::Timeout, .. })), 1);
        assert_eq!(pair.count(0, |e| matches!(e, Event::Ended { why: EndReason::Expired, .. })), 1);
        let bye = pair.texts_of(0, "BYE")[0];
        assert_eq!(field(bye, "Reason"), Some("SIP;cause=408;text=\"Session expired\""));
        pair.settles();
    }
}

#[test]
fn a_refresh_that_fails_for_a_while_is_tried_again_until_the_session_is_over() {
    let mut pair = Pair::new(5, CALM);
    let (_, inside) = pair.up();
    pair.run(Duration::from_secs(1_000), |p| p.sent[1].iter().any(|l| l.starts_with("UPDATE")));
    let update = pair.texts_of(1, "UPDATE")[0].to_owned();
    pair.wire.clear();
    pair.inject(1, &refusal(&update, "503 Service Unavailable", "Retry-After: 20\r\n"));
    pair.events = [Vec::new(), Vec::new()];
    pair.pass(25);
    assert_eq!(pair.texts_of(1, "UPDATE").len(), 2, "once more, and accepted");
    assert_eq!(pair.count(1, is_ended), 0);
    pair.command(1, bye(inside));
    pair.settles();
}

#[test]
fn without_timers_on_one_side_there_are_none_and_the_call_goes_on() {
    for without in [0, 1] {
        let mut pair = Pair::with(6, CALM, |side, config| {
            if side == without {
                config.session = None;
            }
        });
        let (out, _) = pair.up();
        pair.events = [Vec::new(), Vec::new()];
        pair.pass(86_400);
        assert!(pair.events.iter().all(Vec::is_empty), "{without}: {:?}", pair.events);
        pair.command(0, bye(out));
        pair.settles();
    }
}

#[test]
fn refreshes_hold_a_call_through_ten_percent_loss() {
    for seed in 0..40 {
        let weather = Weather { lost: 10, doubled: 10, jitter_ms: 120 };
        let mut pair = Pair::with(seed, weather, |_, config| config.session = policy(120, 90));
        let (out, _) = pair.up();
        pair.events = [Vec::new(), Vec::new()];
        pair.pass(1_800);
        assert!(pair.events.iter().all(Vec::is_empty), "seed {seed}: {:?}", pair.events);
        pair.command(0, bye(out));
        pair.settles();
    }
}
