//! Whole calls by chance: what either side may do at any moment, on a bad network. Whatever comes of it, each
//! side hears one end, no request goes unanswered and nothing is left behind.

use super::super::session_timer::SessionPolicy;
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
    for seed in 0..100 {
        let weather = Weather { lost: 8 * (seed % 3), doubled: 10, jitter_ms: 100 };
        let mut pair = Pair::with(seed, weather, |side, config| {
            config.reliable = (seed + side as u64) % 2 == 0;
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
