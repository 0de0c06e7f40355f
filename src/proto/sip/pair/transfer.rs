//! Transfers: REFER with its NOTIFYs, and calls that replace others.

use super::super::refer::Replaces;
use super::*;

/// A call that is up, the callee taking transfers.
fn transferable(seed: u64) -> (Pair, DialogId, DialogId) {
    let mut pair = Pair::with(seed, CALM, |_, config| config.transfers = true);
    let (out, inside) = pair.up();
    (pair, out, inside)
}

/// A request of the caller's inside the dialog.
fn refer(pair: &Pair, cseq: u32, refer_to: &str) -> String {
    let answer = pair.texts_of(1, "SIP/2.0 200")[0];
    let of = |name| field(answer, name).expect("a header");
    format!(
        "REFER sip:x@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKr{cseq}\r\nFrom: {}\r\nTo: {}\r\n\
         Call-ID: {}\r\nCSeq: {cseq} REFER\r\nContact: <sip:a@127.0.0.1:5060>\r\n{refer_to}Content-Length: 0\r\n\r\n",
        of("From"),
        of("To"),
        of("Call-ID")
    )
}

fn last(pair: &Pair) -> &str {
    pair.sent[1].last().map_or("", String::as_str)
}

const BLIND: &str = "Refer-To: <sip:+12025550142@h>\r\n";

#[test]
fn a_transfer_is_taken_up_and_told_of_until_its_end() {
    let (mut pair, _, inside) = transferable(1);
    pair.inject(1, &refer(&pair, 2, "Refer-To: <sip:+12025550142@h?Replaces=c%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n"));
    let asked = pair.events[1].iter().find_map(|e| match e {
        Event::Refer { dialog, target, replaces } => Some((*dialog, target.to_string(), replaces.clone())),
        _ => None,
    });
    let (dialog, target, replaces) = asked.expect("told");
    assert_eq!((dialog, target.as_str()), (inside, "sip:+12025550142@h"));
    assert_eq!(replaces.map(|r| r.value()).as_deref(), Some("c;to-tag=1;from-tag=2"));
    pair.inject(1, &refer(&pair, 3, BLIND));
    assert!(last(&pair).starts_with("SIP/2.0 491"), "one at a time");

    pair.command(1, Command::AcceptRefer { dialog });
    pair.command(1, Command::ReportRefer { dialog, status: 180 });
    pair.command(1, Command::ReportRefer { dialog, status: 200 });
    pair.command(1, Command::ReportRefer { dialog, status: 200 });
    let accepted = pair.texts_of(1, "SIP/2.0 202")[0];
    assert!(field(accepted, "Contact").is_some() && accepted.contains("202 Accepted"));
    let told: Vec<_> = pair
        .texts_of(1, "NOTIFY")
        .into_iter()
        .map(|n| (field(n, "Event"), field(n, "Subscription-State"), n.split("\r\n\r\n").nth(1)))
        .collect();
    assert_eq!(
        told,
        [
            (Some("refer"), Some("active;expires=180"), Some("SIP/2.0 100 Trying\r\n")),
            (Some("refer"), Some("active;expires=180"), Some("SIP/2.0 180 Ringing\r\n")),
            (Some("refer"), Some("terminated;reason=noresource"), Some("SIP/2.0 200 OK\r\n")),
        ]
    );
    assert!(pair.texts_of(1, "NOTIFY").iter().all(|n| field(n, "Content-Type") == Some("message/sipfrag;version=2.0")));
    // The next one has to say which it is.
    pair.inject(1, &refer(&pair, 9, BLIND));
    pair.command(1, Command::ReportRefer { dialog, status: 603 });
    let notify = pair.texts_of(1, "NOTIFY").pop().expect("sent");
    assert_eq!(field(notify, "Event"), Some("refer;id=9"));
    assert!(notify.ends_with("SIP/2.0 603 Decline\r\n"));
}

#[test]
fn a_transfer_may_be_refused_at_once() {
    let (mut pair, _, inside) = transferable(2);
    pair.inject(1, &refer(&pair, 2, BLIND));
    pair.command(1, Command::RefuseRefer { dialog: inside, status: 603 });
    assert!(last(&pair).starts_with("SIP/2.0 603"));
    pair.inject(1, &refer(&pair, 3, ""));
    assert!(last(&pair).starts_with("SIP/2.0 400"));
    pair.inject(1, &refer(&pair, 4, BLIND));
    // Hung up meanwhile: it is answered all the same.
    pair.command(1, bye(inside));
    assert!(pair.sent[1].iter().any(|l| l.starts_with("SIP/2.0 487")));
    pair.settles();
}

#[test]
fn a_trunk_transfers_nobody() {
    let mut pair = Pair::new(3, CALM);
    let (out, _) = pair.up();
    assert!(!field(pair.texts_of(1, "SIP/2.0 200")[0], "Allow").expect("Allow").contains("REFER"));
    pair.inject(1, &refer(&pair, 2, BLIND));
    assert!(last(&pair).starts_with("SIP/2.0 603"));
    let outside = refer(&pair, 3, BLIND).replace(";tag=", ";gat=").replace("From: ", "From: <sip:a@h>;tag=1,");
    pair.inject(1, &outside);
    assert!(last(&pair).starts_with("SIP/2.0 603"), "{}", last(&pair));
    assert_eq!(pair.count(1, |e| matches!(e, Event::Refer { .. })), 0);
    assert_eq!(pair.agents[1].load().0, 1, "the call goes on");
    pair.command(0, bye(out));
    pair.settles();
}

/// Calls with a Replaces header; what came of it.
fn replacing(pair: &mut Pair, value: &str) -> Result<Option<DialogId>, u16> {
    pair.events = [Vec::new(), Vec::new()];
    let dialog = pair.agents[0].next_dialog();
    let command = Command::Invite {
        dialog,
        flow: flow(0),
        request_uri: "sip:kim@127.0.0.1:5070".to_owned(),
        from: "<sip:lee@127.0.0.1:5060>".to_owned(),
        to: "<sip:kim@127.0.0.1:5070>".to_owned(),
        headers: vec![("Require".to_owned(), "replaces".to_owned()), ("Replaces".to_owned(), value.to_owned())],
        offer: Some(OFFER.to_vec()),
    };
    pair.command(0, command);
    pair.run(Duration::from_secs(2), |p| {
        p.events[1].iter().any(|e| matches!(e, Event::Incoming { .. })) || p.events[0].iter().any(is_ended)
    });
    for event in pair.events.iter().flatten() {
        match event {
            Event::Incoming { invite, .. } => return Ok(invite.replaces),
            Event::Rejected { status, .. } => return Err(*status),
            _ => {}
        }
    }
    panic!("neither taken nor refused");
}

#[test]
fn a_call_that_replaces_another_names_it_by_all_three_ids() {
    let (mut pair, out, inside) = transferable(4);
    let answer = pair.texts_of(1, "SIP/2.0 200")[0];
    let tag = |name| field(answer, name).and_then(|v| v.split_once(";tag=")).expect("a tag").1.to_owned();
    let (call, from, to) = (field(answer, "Call-ID").expect("an id").to_owned(), tag("From"), tag("To"));
    let with = |call: &str, to: &str, from: &str| format!("{call};to-tag={to};from-tag={from}");
    assert_eq!(replacing(&mut pair, &with(&call, &to, &from)), Ok(Some(inside)));
    assert_eq!(replacing(&mut pair, &with("other", &to, &from)), Err(481));
    assert_eq!(replacing(&mut pair, &with(&call, "other", &from)), Err(481));
    assert_eq!(replacing(&mut pair, &with(&call, &to, "other")), Err(481));
    assert_eq!(replacing(&mut pair, &with(&call, &from, &to)), Err(481), "tags the wrong way round");
    assert_eq!(replacing(&mut pair, &format!("{};early-only", with(&call, &to, &from))), Err(486));
    assert_eq!(replacing(&mut pair, &format!("{call};to-tag={to}")), Err(400));
    let named = Replaces::parse(&with(&call, &to, &from)).expect("valid");
    assert_eq!(pair.agents[1].find_by_replaces(&named), Some(inside));
    // Seen from the other side, the tags change places.
    let named = Replaces::parse(&with(&call, &from, &to)).expect("valid");
    assert_eq!(pair.agents[0].find_by_replaces(&named), Some(out));
}

#[test]
fn where_calls_cannot_be_replaced_nobody_may_insist_on_it() {
    let mut pair = Pair::new(5, CALM);
    assert_eq!(replacing(&mut pair, "a;to-tag=1;from-tag=2"), Err(420));
    assert_eq!(field(pair.texts_of(1, "SIP/2.0 420")[0], "Unsupported"), Some("replaces"));
}
