//! A seat through a shift, on injected time.

use super::*;
use crate::base::clock::{Clock, TestClock, UtcMs};

struct Desk {
    clock: TestClock,
    seat: Seat,
}

fn call() -> CallId {
    CallId::named("a")
}

impl Desk {
    fn ready() -> Self {
        let clock = TestClock::at(UtcMs(0));
        let seat = Seat::new(clock.instant());
        let mut desk = Self { clock, seat };
        desk.tell(Input::Heartbeat { typing: false });
        desk.tell(Input::Phones { phones: Phones::of(Phone::Softphone) });
        desk.tell(Input::Checked { phone: Phone::Softphone, passed: true });
        desk.tell(Input::SetReady { ready: true, reason: None });
        desk
    }

    fn talking() -> Self {
        let mut desk = Self::ready();
        desk.tell(Input::Offered { call: call(), by_key: false });
        desk.tell(Input::Accepted { call: call() });
        desk
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.seat.handle(self.clock.instant(), input);
        std::iter::from_fn(|| self.seat.poll_output()).collect()
    }

    fn after(&mut self, ms: u64) -> Vec<Output> {
        self.clock.advance(Duration::from_millis(ms));
        self.tell(Input::Tick)
    }
}

#[test]
fn ready_needs_console_phone_and_a_passed_check() {
    let clock = TestClock::at(UtcMs(0));
    let mut desk = Desk { seat: Seat::new(clock.instant()), clock };
    assert_eq!(desk.seat.why_not_ready(), Some(NotReadyYet::NoConsole));
    desk.tell(Input::Heartbeat { typing: false });
    assert_eq!(desk.seat.why_not_ready(), Some(NotReadyYet::NoPhone));
    desk.tell(Input::Phones { phones: Phones::of(Phone::Softphone) });
    desk.tell(Input::SetReady { ready: true, reason: None });
    assert_eq!(desk.seat.state(), State::NotReady);
    desk.tell(Input::Checked { phone: Phone::Softphone, passed: true });
    let told = desk.tell(Input::SetReady { ready: true, reason: None });
    assert_eq!((desk.seat.state(), told.len()), (State::Ready, 1));
}

#[test]
fn a_desk_phone_needs_no_check_unless_one_failed() {
    let clock = TestClock::at(UtcMs(0));
    let mut desk = Desk { seat: Seat::new(clock.instant()), clock };
    desk.tell(Input::Heartbeat { typing: false });
    desk.tell(Input::Phones { phones: Phones::of(Phone::DeskPhone) });
    assert_eq!((desk.seat.checked(), desk.seat.phone_to_ring()), (true, Some(Phone::DeskPhone)));
    desk.tell(Input::SetReady { ready: true, reason: None });
    assert_eq!(desk.seat.state(), State::Ready);
    let told = desk.tell(Input::Checked { phone: Phone::DeskPhone, passed: false });
    assert_eq!((told, desk.seat.state()), (vec![Output::Busy], State::NotReady));
    assert_eq!(desk.seat.why_not_ready(), Some(NotReadyYet::NotChecked));
    desk.tell(Input::Phones { phones: Phones::default() });
    desk.tell(Input::Phones { phones: Phones::of(Phone::DeskPhone) });
    assert_eq!(desk.seat.why_not_ready(), None, "plugged in anew");
}

#[test]
fn of_two_phones_the_one_that_came_last_is_rung_if_it_is_known_to_work() {
    let clock = TestClock::at(UtcMs(0));
    let mut desk = Desk { seat: Seat::new(clock.instant()), clock };
    desk.tell(Input::Heartbeat { typing: false });
    desk.tell(Input::Phones { phones: Phones { last: Some(Phone::Softphone), both: true } });
    desk.tell(Input::SetReady { ready: true, reason: None });
    assert_eq!((desk.seat.state(), desk.seat.phone_to_ring()), (State::Ready, Some(Phone::DeskPhone)));
    desk.tell(Input::Checked { phone: Phone::Softphone, passed: true });
    assert_eq!(desk.seat.phone_to_ring(), Some(Phone::Softphone), "she chose her headset");
    desk.tell(Input::Phones { phones: Phones { last: Some(Phone::DeskPhone), both: true } });
    assert_eq!(desk.seat.phone_to_ring(), Some(Phone::DeskPhone));
    desk.tell(Input::Phones { phones: Phones::of(Phone::Softphone) });
    assert_eq!((desk.seat.state(), desk.seat.phone_to_ring()), (State::Ready, Some(Phone::Softphone)));

    let mut desk = Desk { seat: Seat::new(desk.clock.instant()), clock: desk.clock };
    desk.tell(Input::Heartbeat { typing: false });
    desk.tell(Input::Phones { phones: Phones { last: Some(Phone::Softphone), both: true } });
    desk.tell(Input::SetReady { ready: true, reason: None });
    let told = desk.tell(Input::Phones { phones: Phones::of(Phone::Softphone) });
    assert_eq!((told, desk.seat.state()), (vec![Output::Busy], State::NotReady), "it was never heard");
}

#[test]
fn whose_desk_phone_goes_while_she_talks_is_not_ready_on_a_softphone_that_was_never_heard() {
    let clock = TestClock::at(UtcMs(0));
    let mut desk = Desk { seat: Seat::new(clock.instant()), clock };
    desk.tell(Input::Heartbeat { typing: false });
    desk.tell(Input::Phones { phones: Phones { last: Some(Phone::Softphone), both: true } });
    desk.tell(Input::SetReady { ready: true, reason: None });
    desk.tell(Input::Offered { call: call(), by_key: false });
    desk.tell(Input::Accepted { call: call() });
    desk.tell(Input::Phones { phones: Phones::of(Phone::Softphone) });
    desk.tell(Input::WrappedUp { call: call() });
    assert_eq!(desk.seat.state(), State::NotReady);
    assert_eq!(desk.seat.why_not_ready(), Some(NotReadyYet::NotChecked));
}

#[test]
fn a_seat_goes_through_a_call_and_is_ready_after_wrap_up() {
    let mut desk = Desk::talking();
    assert_eq!(desk.seat.state(), State::Talking);
    desk.tell(Input::Freed { call: call() });
    assert_eq!(desk.seat.state(), State::WrapUp);
    let told = desk.tell(Input::WrappedUp { call: call() });
    assert_eq!((desk.seat.state(), told), (State::Ready, vec![Output::Idle { since: desk.clock.instant() }]));
}

#[test]
fn a_talking_operator_takes_further_calls_up_to_the_limit_and_is_idle_after_the_last() {
    let (second, third) = (CallId::named("b"), CallId::named("c"));
    let mut desk = Desk::talking();
    assert_eq!(desk.seat.why_not_take(2), None);
    desk.tell(Input::Offered { call: second.clone(), by_key: false });
    assert_eq!((desk.seat.state(), desk.seat.why_not_take(3)), (State::Talking, Some(CannotTake::Offered)));
    desk.tell(Input::Accepted { call: second.clone() });
    assert_eq!((desk.seat.why_not_take(2), desk.seat.why_not_take(3)), (Some(CannotTake::Full), None));
    desk.tell(Input::Freed { call: call() });
    assert_eq!(desk.seat.state(), State::Talking, "the other goes on");
    assert_eq!(desk.tell(Input::WrappedUp { call: call() }), []);
    desk.tell(Input::Freed { call: second.clone() });
    assert_eq!(desk.seat.state(), State::WrapUp);
    // While a form is finished, the next may be taken as well.
    desk.tell(Input::Offered { call: third.clone(), by_key: false });
    assert_eq!(desk.seat.state(), State::Offered);
    desk.tell(Input::OfferFailed { call: third, why: OfferEnd::PhoneFailed });
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::WrapUp, None), "her phone has a call: it works");
    let told = desk.tell(Input::WrappedUp { call: second });
    assert_eq!((desk.seat.state(), told.len()), (State::Ready, 1));
}

#[test]
fn each_call_of_an_operator_who_is_gone_is_told_once() {
    let second = CallId::named("b");
    let mut desk = Desk::talking();
    desk.tell(Input::Accepted { call: second.clone() });
    // The page is closed: its softphone says goodbye on both.
    desk.tell(Input::PhoneHungUp { call: call() });
    desk.tell(Input::PhoneHungUp { call: second.clone() });
    let lost = |call: CallId| Output::Lost { call };
    assert_eq!(desk.after(5_000), [lost(call()), lost(second.clone())]);
    assert_eq!((desk.seat.state(), desk.after(60_000)), (State::Offline, vec![]));

    // One of the two lost its sound, and the console lives.
    let mut desk = Desk::talking();
    desk.tell(Input::Accepted { call: second.clone() });
    desk.tell(Input::Silent { call: second.clone(), silent: true });
    desk.clock.advance(MEDIA_LIMIT);
    assert_eq!(desk.tell(Input::Heartbeat { typing: false }), [lost(second)]);
    assert_eq!(desk.seat.state(), State::Talking, "on the first");
    desk.tell(Input::Freed { call: call() });
    desk.tell(Input::WrappedUp { call: call() });
    assert_eq!(desk.seat.state(), State::NotReady);
}

#[test]
fn a_console_that_is_gone_while_idle_takes_the_seat_off_line() {
    let mut desk = Desk::ready();
    assert_eq!(desk.after(4_999), []);
    assert_eq!(desk.after(1), [Output::Busy]);
    assert_eq!(desk.seat.state(), State::Offline);
    desk.tell(Input::Heartbeat { typing: false });
    assert_eq!(desk.seat.why_not_ready(), Some(NotReadyYet::NotChecked), "a new page checks its media anew");
}

#[test]
fn a_talking_operator_is_lost_only_without_console_and_media() {
    let mut desk = Desk::talking();
    assert_eq!(desk.after(10_000), [], "they still talk");
    assert_eq!(desk.seat.state(), State::Talking);
    assert_eq!(desk.tell(Input::Silent { call: call(), silent: true }), []);
    assert_eq!(desk.after(4_999), [], "their network may have changed");
    assert_eq!(desk.seat.state(), State::Talking);
    assert_eq!(desk.after(1), [Output::Lost { call: call() }]);
    assert_eq!(desk.seat.state(), State::Offline);

    let mut desk = Desk::talking();
    desk.tell(Input::Silent { call: call(), silent: true });
    desk.clock.advance(Duration::from_secs(3));
    assert_eq!(desk.tell(Input::Heartbeat { typing: true }), [], "the console is alive");
    assert_eq!(desk.after(5_000), [Output::Lost { call: call() }]);
}

#[test]
fn a_talking_operator_whose_network_changes_keeps_her_call() {
    let mut desk = Desk::talking();
    // The network is gone: the console first, then nothing is heard of the softphone.
    assert_eq!(desk.after(6_000), []);
    assert_eq!(desk.tell(Input::Silent { call: call(), silent: true }), []);
    assert_eq!(desk.after(3_000), []);
    assert_eq!(desk.tell(Input::Heartbeat { typing: false }), [], "the console is back");
    assert_eq!(desk.tell(Input::Silent { call: call(), silent: false }), []);
    assert_eq!(desk.after(4_000), []);
    assert_eq!(desk.seat.state(), State::Talking);
}

#[test]
fn a_page_loaded_anew_in_mid_call_gives_its_caller_back_although_the_console_speaks() {
    let mut desk = Desk::talking();
    desk.tell(Input::Silent { call: call(), silent: true });
    for _ in 0..2 {
        desk.clock.advance(Duration::from_secs(2));
        assert_eq!(desk.tell(Input::Heartbeat { typing: false }), []);
    }
    desk.clock.advance(Duration::from_secs(2));
    assert_eq!(desk.tell(Input::Heartbeat { typing: false }), [Output::Lost { call: call() }]);
    assert_eq!(desk.seat.state(), State::NotReady);

    let mut desk = Desk::talking();
    desk.tell(Input::Silent { call: call(), silent: true });
    desk.tell(Input::Silent { call: call(), silent: false });
    desk.clock.advance(Duration::from_secs(4));
    desk.tell(Input::Heartbeat { typing: false });
    desk.clock.advance(Duration::from_secs(4));
    assert_eq!(desk.tell(Input::Heartbeat { typing: false }), [], "it was a short gap");
}

#[test]
fn a_phone_that_hangs_up_was_meant_if_the_console_speaks_on() {
    let mut desk = Desk::talking();
    desk.tell(Input::PhoneHungUp { call: call() });
    desk.clock.advance(Duration::from_secs(2));
    assert_eq!(desk.tell(Input::Heartbeat { typing: false }), [Output::HungUp { call: call() }]);

    let mut desk = Desk::talking();
    desk.tell(Input::PhoneHungUp { call: call() });
    assert_eq!(desk.after(5_000), [Output::Lost { call: call() }], "the page was closed");
}

#[test]
fn a_missed_call_sends_the_operator_to_the_end_of_the_line_and_a_dead_phone_out_of_it() {
    let mut desk = Desk::ready();
    desk.tell(Input::Offered { call: call(), by_key: false });
    desk.clock.advance(Duration::from_secs(2));
    desk.tell(Input::Heartbeat { typing: true });
    let told = desk.tell(Input::OfferFailed { call: call(), why: OfferEnd::Missed });
    assert_eq!(told, [Output::Idle { since: desk.clock.instant() }]);

    desk.tell(Input::Offered { call: call(), by_key: false });
    desk.tell(Input::OfferFailed { call: call(), why: OfferEnd::PhoneFailed });
    assert_eq!((desk.seat.state(), desk.seat.reason().is_some()), (State::NotReady, true));
}

#[test]
fn who_speaks_with_a_colleague_is_offered_no_call_and_is_busy_for_others_meanwhile() {
    let mut desk = Desk::ready();
    assert!(!desk.seat.is_busy_for_colleagues());
    assert_eq!(desk.tell(Input::Aside { aside: true }), [Output::Busy]);
    assert!(desk.seat.is_busy_for_colleagues() && desk.seat.is_aside());
    assert_eq!(desk.seat.state(), State::Ready);
    assert_eq!(desk.seat.why_not_take(SEAT_CALLS), Some(CannotTake::NotReady));
    assert_eq!(desk.seat.may_listen(), Err(CannotListen::HasCall));
    assert_eq!(desk.tell(Input::Aside { aside: false }).len(), 1);
    assert_eq!(desk.seat.why_not_take(SEAT_CALLS), None);

    let mut desk = Desk::talking();
    assert!(desk.seat.is_busy_for_colleagues());
    desk.tell(Input::Freed { call: call() });
    assert!(!desk.seat.is_busy_for_colleagues(), "a form can wait");
}

#[test]
fn a_call_that_rang_out_at_an_idle_seat_takes_it_out_of_the_line_and_says_why() {
    let mut desk = Desk::ready();
    desk.tell(Input::Offered { call: call(), by_key: false });
    assert_eq!(desk.tell(Input::OfferFailed { call: call(), why: OfferEnd::Missed }), []);
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::NotReady, Some("a call rang and nobody answered")));
}

#[test]
fn a_call_to_make_that_nobody_took_by_its_key_leaves_the_seat_ready() {
    let mut desk = Desk::ready();
    desk.tell(Input::Offered { call: call(), by_key: true });
    desk.clock.advance(Duration::from_secs(1));
    let told = desk.tell(Input::OfferFailed { call: call(), why: OfferEnd::Missed });
    assert_eq!(told, [Output::Idle { since: desk.clock.instant() }], "another operator first");
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::Ready, None));
}

#[test]
fn who_listens_to_another_call_is_offered_none_meanwhile() {
    let mut desk = Desk::ready();
    assert_eq!(desk.seat.may_listen(), Ok(Phone::Softphone));
    assert_eq!(desk.tell(Input::Listens { call: Some(call()) }), [Output::Busy]);
    assert_eq!((desk.seat.state(), desk.seat.listens()), (State::Ready, Some(&call())));
    assert_eq!(desk.tell(Input::Listens { call: None }).len(), 1);

    let mut desk = Desk::talking();
    assert_eq!(desk.seat.may_listen(), Err(CannotListen::HasCall));
    desk.tell(Input::Freed { call: call() });
    assert_eq!(desk.seat.may_listen(), Ok(Phone::Softphone), "a form can wait");
    desk.tell(Input::Phones { phones: Phones::default() });
    assert_eq!(desk.seat.may_listen(), Err(CannotListen::NoPhone));
    let seat = Seat::new(desk.clock.instant());
    assert_eq!(seat.may_listen(), Err(CannotListen::NoConsole));
}

#[test]
fn who_is_logged_out_gets_no_more_calls_gives_back_what_rings_and_finishes_what_she_talks_on() {
    let reason = || "logged out by Sam".to_owned();
    let mut desk = Desk::ready();
    desk.tell(Input::Offered { call: call(), by_key: false });
    let told = desk.tell(Input::LogOut { reason: reason() });
    assert_eq!(told, [Output::Lost { call: call() }], "the queue knows that she is busy");
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::NotReady, Some("logged out by Sam")));
    assert!(!desk.seat.is_sent_home(), "there is nothing to wait for");

    let mut desk = Desk::talking();
    assert_eq!(desk.tell(Input::LogOut { reason: reason() }), []);
    assert_eq!(desk.seat.state(), State::Talking);
    assert!(desk.seat.is_sent_home(), "which she and the floor see");
    assert_eq!(desk.seat.why_not_take(3), Some(CannotTake::NotReady), "by a key neither");
    desk.tell(Input::Freed { call: call() });
    assert!(desk.seat.is_sent_home(), "her form is to be done yet");
    desk.tell(Input::WrappedUp { call: call() });
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::NotReady, Some("logged out by Sam")));
    assert!(!desk.seat.is_sent_home());
}

#[test]
fn who_was_sent_home_in_a_call_is_not_ready_again_by_a_key() {
    let mut desk = Desk::talking();
    desk.tell(Input::LogOut { reason: "logged out by Sam".into() });
    assert!(desk.seat.why_not_ready().is_some(), "and is told why");
    desk.tell(Input::SetReady { ready: true, reason: None });
    desk.tell(Input::Freed { call: call() });
    desk.tell(Input::WrappedUp { call: call() });
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::NotReady, Some("logged out by Sam")));
    // Logged in anew.
    desk.tell(Input::SetReady { ready: true, reason: None });
    assert_eq!(desk.seat.state(), State::Ready);
}

#[test]
fn not_ready_asked_for_in_a_call_comes_after_it() {
    let mut desk = Desk::talking();
    desk.tell(Input::SetReady { ready: false, reason: Some("break".into()) });
    assert_eq!(desk.seat.state(), State::Talking);
    desk.tell(Input::Freed { call: call() });
    desk.tell(Input::WrappedUp { call: call() });
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::NotReady, Some("break")));
}

#[test]
fn who_is_not_ready_for_a_reason_has_it_still_when_her_console_was_gone_for_a_while() {
    let mut desk = Desk::ready();
    desk.tell(Input::SetReady { ready: false, reason: Some("break".into()) });
    desk.after(5_000);
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::Offline, Some("break")));
    desk.after(600_000);
    desk.tell(Input::Heartbeat { typing: false });
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::NotReady, Some("break")));

    // Asked for in a call, whose sound is lost as well.
    let mut desk = Desk::talking();
    desk.tell(Input::SetReady { ready: false, reason: Some("break".into()) });
    desk.tell(Input::Silent { call: call(), silent: true });
    desk.after(5_000);
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::Offline, Some("break")));
    desk.tell(Input::Heartbeat { typing: false });
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::NotReady, Some("break")));
}

#[test]
fn who_was_ready_when_her_console_was_gone_is_told_why_she_is_not_any_more() {
    let mut desk = Desk::ready();
    desk.after(5_000);
    desk.tell(Input::Heartbeat { typing: false });
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::NotReady, Some("the console was gone for a while")));

    // The next shift begins with nothing of the last.
    desk.after(5_000);
    desk.after(4 * 3_600_000);
    desk.tell(Input::Heartbeat { typing: false });
    assert_eq!((desk.seat.state(), desk.seat.reason()), (State::NotReady, None));
}
