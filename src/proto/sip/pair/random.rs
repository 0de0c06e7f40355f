//! Whole calls by chance: what either side may do at any moment, on a bad network. Whatever comes of it, each
//! side hears one end, no request goes unanswered and nothing is left behind.

use super::super::session_timer::SessionPolicy;
use super::super::terms::Reliable;
use super::*;

/// What an owner does about the events that want an answer.
fn serve(pair: &mut Pair, side: usize, seen: &mut [usize; 2]) {
    while let Some(event) = pair.events[side].get(seen[side]) {
        seen[side] += 1;
        let command = match event {
            Event::Reoffered { dialog, .. } => {
                let dialog = *dialog;
                if pair.rng.below(4) == 0 {
                    Command::RejectReinvite { dialog, status: 488 }
                } else {
                    Command::AnswerReinvite { dialog, sdp: ANSWER.to_vec() }
                }
            }
            _ => continue,
        };
        pair.command(side, command);
    }
}

/// Something that the owner of a dialog does of his own accord.
fn act(pair: &mut Pair, side: usize, dialog: DialogId, step: u64) {
    let sdp = format!("v=0\r\no=- {side} {step} IN IP4 127.0.0.1\r\ns=-\r\n").into_bytes();
    let command = match (pair.rng.below(24), side) {
        (0..4, _) => Command::Reinvite { dialog, sdp },
        (4, 1) => Command::Ring { dialog, sdp: None },
        (5, 1) => Command::Ring { dialog, sdp: Some(sdp) },
        (6..8, 1) => Command::Answer { dialog, sdp },
        (8, 0) if step > 6 => Command::Cancel { dialog },
        _ => return,
    };
    pair.command(side, command);
}

fn is_final(text: &str) -> bool {
    text.starts_with("SIP/2.0 ") && !text.starts_with("SIP/2.0 1")
}

#[test]
fn whatever_either_side_does_and_when_both_hear_one_end() {
    let mut reached = [0; 6];
    for seed in 0..60 {
        let weather = Weather { lost: 8 * (seed % 3), doubled: 10, jitter_ms: 100 };
        let mut pair = Pair::with(seed, weather, |side, config| {
            config.reliable = [Reliable::Required, Reliable::Supported][usize::from((seed + side as u64) % 2 == 1)];
            config.session = (seed % 5 != 0).then_some(SessionPolicy { expires: 90, least: 90 });
        });
        let out = pair.call((seed % 4 != 0).then_some(OFFER));
        let inside = pair.incoming();
        let mut seen = [0, 0];
        for step in 0..60 {
            let gap = pair.rng.below(9_000) * pair.rng.below(4);
            pair.run(Duration::from_millis(gap), |_| false);
            for (side, dialog) in [(0, out), (1, inside)] {
                if pair.rng.below(2) == 0 {
                    serve(&mut pair, side, &mut seen);
                }
                act(&mut pair, side, dialog, step);
            }
        }
        // What is still open is ended by one of the two; the other hears of it.
        let by = usize::from(seed % 2 == 0);
        let hung_up = pair.count(by, is_ended) == 0;
        pair.command(by, bye([out, inside][by]));
        for _ in 0..40 {
            pair.pass(1);
            serve(&mut pair, 0, &mut seen);
            serve(&mut pair, 1, &mut seen);
        }
        pair.settles();
        let ends = [pair.count(0, is_ended), pair.count(1, is_ended)];
        assert!(
            ends[by] == usize::from(!hung_up) && ends[1 - by] == 1,
            "seed {seed}: {ends:?}, hung up by {by}: {hung_up}"
        );
        // Nothing that arrived for good was met with silence.
        for side in [0, 1] {
            let asked =
                pair.texts[side].iter().filter(|t| ["UPDATE", "PRACK", "INVITE"].iter().any(|m| t.starts_with(m)));
            for request in asked.filter(|_| weather.lost == 0) {
                let (call, cseq) = (field(request, "Call-ID"), field(request, "CSeq"));
                let answered = pair.texts[1 - side]
                    .iter()
                    .any(|t| is_final(t) && field(t, "Call-ID") == call && field(t, "CSeq") == cseq);
                assert!(answered, "seed {seed}: silence for\n{request}");
            }
        }
        let lines = pair.sent.iter().flatten();
        let starts = ["PRACK", "UPDATE", "SIP/2.0 491", "SIP/2.0 488", "SIP/2.0 487", "BYE"];
        for line in lines {
            for (count, start) in reached.iter_mut().zip(starts) {
                *count += usize::from(line.starts_with(start));
            }
        }
    }
    // The walk went through what it is for.
    assert!(reached.iter().all(|count| *count > 10), "{reached:?}");
}

/// One change somewhere in a message: a byte, a piece gone or doubled, or a word that some header knows.
fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>) {
    const WORDS: [&str; 12] = [
        "0",
        "4294967295",
        "99999999999",
        "-1",
        ";",
        "\r\n",
        "Require: 100rel\r\nRSeq: 4294967295\r\n",
        "RAck: 1 1 INVITE\r\n",
        "Session-Expires: 0;refresher=uac\r\nSupported: timer\r\n",
        "Min-SE: 4294967295\r\n",
        "Replaces: a;to-tag=0;from-tag=0\r\n",
        "Refer-To: <sip:a@h?Replaces=%00%3B>\r\n",
    ];
    let pick = |rng: &mut Rng, bound: usize| usize::try_from(rng.below(bound.max(1) as u64)).unwrap_or(0);
    let at = pick(rng, bytes.len());
    let upto = (at + pick(rng, 30)).min(bytes.len());
    match rng.below(6) {
        0 if at < bytes.len() => bytes[at] = u8::try_from(rng.below(256)).unwrap_or(0),
        1 => drop(bytes.drain(at..upto)),
        2 => {
            let piece = bytes[at..upto].to_vec();
            bytes.splice(at..at, piece);
        }
        3 => {
            // A line of its own, after some other.
            let line = bytes[at..].iter().position(|b| *b == b'\n').map_or(at, |lf| at + lf + 1);
            bytes.splice(line..line, WORDS[pick(rng, WORDS.len())].bytes());
        }
        4 => {
            if let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) {
                bytes.splice(at + digit..=at + digit, WORDS[pick(rng, 4)].bytes());
            }
        }
        _ => bytes.truncate(upto),
    }
}

/// Takes what an agent wants and answers what wants an answer.
fn settle_one(agent: &mut Agent, now: Instant, rng: &mut Rng, opened: &mut Vec<DialogId>) {
    for _ in 0..1_000 {
        let command = match agent.poll_output() {
            None => return,
            Some(Output::Event(Event::Incoming { dialog, .. })) => {
                opened.push(dialog);
                Command::Answer { dialog, sdp: ANSWER.to_vec() }
            }
            Some(Output::Event(Event::Reoffered { dialog, .. })) => {
                Command::AnswerReinvite { dialog, sdp: ANSWER.to_vec() }
            }
            Some(Output::Event(Event::Refer { dialog, .. })) if rng.below(2) == 0 => {
                Command::ReportRefer { dialog, status: 180 }
            }
            Some(Output::Event(Event::Refer { dialog, .. })) => Command::RefuseRefer { dialog, status: 603 },
            Some(_) => continue,
        };
        agent.handle(now, Input::Command(command));
    }
    panic!("outputs without end");
}

#[test]
fn messages_of_a_call_in_any_disorder_break_nothing_and_leave_nothing_behind() {
    for seed in 0..30 {
        let mut pair = Pair::with(seed, CALM, |side, config| {
            config.reliable = Reliable::Required;
            config.transfers = side == 1;
            config.session = Some(SessionPolicy { expires: 90, least: 90 });
        });
        let out = pair.call(Some(OFFER));
        let inside = pair.incoming();
        pair.command(1, Command::Ring { dialog: inside, sdp: Some(ANSWER.to_vec()) });
        pair.pass(1);
        pair.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
        pair.pass(100);
        pair.command(0, Command::Reinvite { dialog: out, sdp: OFFER.to_vec() });
        pair.pass(1);
        pair.command(1, Command::AnswerReinvite { dialog: inside, sdp: ANSWER.to_vec() });
        pair.pass(1);
        let refer = pair.texts[0].iter().rfind(|t| t.starts_with("INVITE")).expect("sent").replace("INVITE", "REFER");
        pair.texts[0].push(refer.replace("Contact:", "Refer-To: <sip:x@h>\r\nContact:").replace("z9hG4bK", "z9hG4bKr"));
        let texts = pair.texts.clone();
        let (mut rng, mut now) = (pair.rng.clone(), pair.now);
        let mut opened = [vec![out], vec![inside]];
        for _ in 0..400 {
            let side = usize::from(rng.below(2) == 0);
            let from = &texts[1 - side];
            let mut bytes = from[usize::try_from(rng.below(from.len() as u64)).unwrap_or(0)].clone().into_bytes();
            for _ in 0..=rng.below(4) {
                mutate(&mut rng, &mut bytes);
            }
            pair.agents[side].handle(now, Input::Received { flow: flow(side), bytes });
            settle_one(&mut pair.agents[side], now, &mut rng, &mut opened[side]);
            if rng.below(20) == 0 {
                now += Duration::from_millis(rng.below(3_000));
                for (agent, opened) in pair.agents.iter_mut().zip(&mut opened) {
                    agent.handle(now, Input::Timeout);
                    settle_one(agent, now, &mut rng, opened);
                }
            }
        }
        // Nobody is there any more: what is left is hung up, and every timer runs out.
        for (agent, opened) in pair.agents.iter_mut().zip(&mut opened) {
            for dialog in std::mem::take(opened) {
                agent.handle(now, Input::Command(bye(dialog)));
            }
            for secs in 0..120 {
                agent.handle(now + Duration::from_secs(secs), Input::Timeout);
                settle_one(agent, now + Duration::from_secs(secs), &mut rng, opened);
            }
            assert_eq!(agent.load(), (0, 0), "seed {seed}: left in the tables");
        }
    }
}
