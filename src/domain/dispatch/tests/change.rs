//! Messages that are changed while they are dispatched, and afterwards.

use super::*;
use crate::base::rng::Rng;
use crate::domain::dispatch::state::Purpose;

fn change(protocol: Option<Protocol>, again: bool) -> Event {
    let unsent = (!again).then(|| "said by telephone".to_owned());
    let act = OperatorAct::Change { urgency: Urgency::Urgent, protocol: protocol.map(Box::new), again, unsent };
    Event::Operator { by: "Kim".into(), act }
}

fn mails(to: &str) -> Protocol {
    protocol(vec![(Method::Email, vec![named(to, "email")], 0)], false, Until::HandedOver)
}

#[test]
fn a_change_alone_is_written_down_and_disturbs_nothing() {
    let mut night = Night::of(plumbing());
    night.until(60);
    let before = night.s.clone();
    night.tell(change(Some(plumbing()), false));
    assert_eq!(night.s, before);
    let line = night.lines().pop().expect("a line");
    assert_eq!(line, "Changed by Kim: what goes out from now on says it anew. What was told before stays as told.");
    night.until(900);
    assert_eq!(night.times(), [(0, Channel::Text), (900, Channel::Call)]);
}

#[test]
fn what_is_done_stays_done_unless_it_is_begun_again() {
    let mut night = Night::of(mails("ada"));
    night.until(10);
    assert_eq!(night.s.phase, Phase::Delivered);
    night.tell(change(Some(mails("ada")), false));
    assert_eq!((night.s.phase, night.sent.len()), (Phase::Delivered, 1));
    let line = night.lines().pop().expect("a line");
    assert_eq!(
        line,
        "Changed by Kim after delivery, not sent again: whoever was told has other words. Why: said by telephone"
    );

    night.until(20);
    night.tell(change(Some(mails("office")), true));
    assert_eq!(night.s.phase, Phase::Delivered, "met on its own terms once more");
    let to: Vec<_> = night.sent.iter().map(|(at, _, to)| (*at, to.as_str())).collect();
    assert_eq!(to, [(0, "ada@example.com"), (20, "office@example.com")], "by the protocol that is in force now");
    assert_eq!(night.s.wake(), None);
}

#[test]
fn nothing_that_has_not_gone_out_yet_goes_by_the_old_protocol() {
    let mut night = Night::of(plumbing());
    night.tell(change(Some(mails("ada")), false));
    assert_eq!(night.s.phase, Phase::Open);
    night.until(10);
    assert_eq!(night.times(), [(0, Channel::Email)]);
}

#[test]
fn an_answer_to_what_was_told_before_confirms_nothing() {
    let mut night = Night::of(plumbing());
    night.until(60);
    night.town.code = Some(2);
    night.tell(change(Some(plumbing()), true));
    assert_eq!(night.times(), [(0, Channel::Text), (60, Channel::Text)]);
    assert_eq!(night.s.codes().map(|(_, code, _)| code).collect::<Vec<_>>(), [2], "the old code is given up");

    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(night.s.phase, Phase::Running);
    assert_eq!(night.s.attempts.last().map(|a| a.purpose.clone()), Some(Purpose::ChangedReply));
    night.tell(Event::Replied { number: number(100), code: 2 });
    assert_eq!(night.s.phase, Phase::Confirmed);
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(night.s.attempts.last().map(|a| a.purpose.clone()), Some(Purpose::AlreadyReply));
}

#[test]
fn a_call_that_reads_what_was_taken_before_is_taken_back_and_ends_nothing() {
    let mut night = Night::of(protocol(
        vec![(Method::CallOut { leave_message: false }, on_call("mobile"), 600)],
        true,
        Until::Told,
    ));
    night.until(10);
    let ringing = night.ringing[0].1.clone();
    night.tell(change(Some(night.s.protocol.clone()), true));
    assert_eq!(night.cancelled, std::slice::from_ref(&ringing));
    assert_eq!(night.ringing.len(), 1, "and rung anew");
    night.tell(Event::Call { attempt: ringing, news: CallNews::Told });
    assert_eq!(night.s.phase, Phase::Running);
    let anew = night.ringing[0].1.clone();
    night.tell(Event::Call { attempt: anew, news: CallNews::Told });
    assert_eq!(night.s.phase, Phase::Told);
}

#[test]
fn what_was_cut_off_before_the_change_is_not_sent_once_more() {
    let mut night = Night::of(plumbing());
    night.silent = true;
    night.until(1);
    let old = night.s.attempts[0].id.clone();
    night.town.code = Some(2);
    night.tell(change(Some(plumbing()), true));
    let sent = night.sent.len();
    night.tell(Event::Interrupted { attempt: old });
    assert_eq!(night.sent.len(), sent);
    assert!(night.s.attempts[0].cancelled);
}

#[test]
fn what_is_no_longer_dispatched_is_closed() {
    let mut night = Night::of(plumbing());
    night.until(10);
    night.tell(change(None, true));
    assert_eq!(night.s.phase, Phase::ClosedByOperator);
    assert_eq!(night.s.attempts.last().map(|a| a.purpose.clone()), Some(Purpose::StandDown));
    assert!(night.lines().contains(&"ben will be told that it is closed.".to_owned()), "{:#?}", night.lines());
}

/// Changes at random times of random nights: the dispatch always wakes for something, is never left between two
/// editions, and a confirmation is always one of an attempt since the last beginning.
#[test]
fn random_changes_leave_no_dispatch_asleep() {
    let mut again = 0;
    for seed in 0..2_000 {
        let mut rng = Rng::seeded(seed);
        let mut night = Night::of(if rng.below(2) == 0 { plumbing() } else { mails("ada") });
        let mut at = 0;
        for _ in 0..12 {
            at += i64::try_from(rng.below(700)).expect("small");
            night.until(at);
            night.silent = rng.below(5) == 0;
            night.town.code = Some(u16::try_from(1 + rng.below(9)).expect("small"));
            match rng.below(5) {
                0 => night.tell(change(Some(plumbing()), true)),
                1 => night.tell(change(Some(mails("office")), rng.below(2) == 0)),
                2 => {
                    let code = u16::try_from(1 + rng.below(9)).expect("small");
                    night.tell(Event::Replied { number: number(100), code });
                }
                3 => {
                    if let Some(a) = night.s.attempts.iter().rfind(|a| a.in_flight_since.is_some()).cloned() {
                        night.tell(Event::Interrupted { attempt: a.id });
                    }
                }
                _ => night.tell(Event::Operator { by: "kim".into(), act: OperatorAct::Skip { moves: None } }),
            }
            again += u32::from(night.s.first_run > 0);
            let s = &night.s;
            assert!(s.phase != Phase::Running || s.wake().is_some(), "seed {seed}: asleep in {:?}", s.cursor);
            let of_now = |a: &Attempt| !a.is_step() || s.is_of_now(&a.purpose);
            let old = s.attempts.iter().filter(|a| !of_now(a));
            for a in old {
                assert!(a.is_settled() || a.in_flight_since.is_some(), "seed {seed}: an old attempt is still planned");
            }
            let confirmed = s.attempts.iter().filter(|a| a.confirmed_at.is_some() && a.confirmed_at == s.closed_at);
            assert!(s.phase != Phase::Confirmed || confirmed.clone().all(of_now), "seed {seed}");
        }
    }
    assert!(again > 2_000, "{again}");
}
