//! An operator has something tried again.

use super::*;

fn retry(night: &mut Night) {
    night.tell(Event::Operator { by: "Kim".into(), act: OperatorAct::Retry { moves: None } });
}

#[test]
fn an_email_that_waits_for_its_next_try_goes_out_at_once() {
    let office = protocol(vec![(Method::Email, vec![named("ben", "email")], 0)], false, Until::HandedOver);
    let mut night = Night::of(office);
    night.refuse = Some((Channel::Email, Failure::Temporary));
    night.until(200);
    night.refuse = None;
    retry(&mut night);
    assert_eq!(night.times().last(), Some(&(200, Channel::Email)));
    assert_eq!((night.s.phase, night.s.needs_operator()), (Phase::Delivered, false));
    assert!(night.lines().contains(&"Kim had it tried again.".to_owned()), "{:?}", night.lines());
}

#[test]
fn what_was_given_up_is_tried_again_and_its_dispatch_ends_well() {
    let office = protocol(vec![(Method::Email, vec![named("ben", "email")], 0)], false, Until::HandedOver);
    let mut night = Night::of(office);
    night.refuse = Some((Channel::Email, Failure::Temporary));
    night.until(26 * 3_600);
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed);
    night.refuse = None;
    retry(&mut night);
    assert_eq!((night.s.phase, night.s.needs_operator()), (Phase::Delivered, false));
}

#[test]
fn a_step_that_waits_for_an_answer_asks_once_more_and_waits_anew() {
    let mut night = Night::of(plumbing());
    night.until(600);
    retry(&mut night);
    assert_eq!(night.times(), [(0, Channel::Text), (600, Channel::Text)]);
    night.until(1_499);
    assert_eq!(night.times().len(), 2, "its wait began anew");
    night.until(1_500);
    assert_eq!(night.times().last(), Some(&(1_500, Channel::Call)));
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(night.s.phase, Phase::Confirmed, "the code of the first text is that of the second");
}

#[test]
fn while_a_telephone_rings_nothing_is_tried_again() {
    let mut night = Night::of(plumbing());
    night.until(910);
    let before = night.s.clone();
    retry(&mut night);
    assert_eq!(night.s, before);
}

#[test]
fn steps_that_have_run_out_begin_again() {
    let once = protocol(vec![(Method::TextConfirm, on_call("mobile"), 300)], false, Until::Confirmed);
    let mut night = Night::of(once);
    night.until(400);
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed);
    retry(&mut night);
    assert_eq!((night.s.phase, night.s.round), (Phase::Running, 2));
    assert_eq!(night.times(), [(0, Channel::Text), (400, Channel::Text)]);
    night.until(800);
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed, "and have run out again");
    night.tell(Event::Operator { by: "Kim".into(), act: OperatorAct::Close { reason: "told by hand".into() } });
    let before = night.s.clone();
    retry(&mut night);
    assert_eq!(night.s, before, "what is closed is closed");
}

#[test]
fn before_it_opens_and_while_it_is_held_there_is_nothing_to_try() {
    let held = Method::HoldForCheckIn { until: None };
    let mut night = Night::of(protocol(vec![(held, vec![], 0)], false, Until::HandedOver));
    for secs in [-3, 100] {
        night.until(secs);
        let before = night.s.clone();
        retry(&mut night);
        assert_eq!(night.s, before, "{secs}");
    }
}

#[test]
fn a_mail_that_came_back_is_sent_again_and_then_all_is_delivered() {
    let office = protocol(vec![(Method::Email, vec![named("ben", "email")], 0)], false, Until::HandedOver);
    let mut night = Night::of(office);
    night.refuse = Some((Channel::Email, Failure::Permanent));
    night.until(10);
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed);
    // Somebody has written the address as it is.
    night.refuse = None;
    retry(&mut night);
    assert_eq!((night.s.phase, night.s.needs_operator()), (Phase::Delivered, false));
}

#[test]
fn what_is_tried_again_after_a_day_has_a_day_more() {
    let office = protocol(vec![(Method::Email, vec![named("ben", "email")], 0)], false, Until::HandedOver);
    let mut night = Night::of(office);
    night.refuse = Some((Channel::Email, Failure::Temporary));
    night.until(26 * 3_600);
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed);
    retry(&mut night);
    night.until(40 * 3_600);
    assert_eq!(night.s.phase, Phase::Running, "the relay is still away");
    night.refuse = None;
    night.until(42 * 3_600);
    assert_eq!(night.s.phase, Phase::Delivered);
}
