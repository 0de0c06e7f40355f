//! A seat: an operator at work. Offline, not ready, ready, offered, talking, wrapping up.
//!
//! Knows whether console and softphone are there and what the operator wants; does not pick calls (the queue) and
//! does not hold them (the call). `engine/desk` drives one per operator.
//!
//! A console's softphone has to pass a media check first: browsers withhold microphones. A desk phone is a telephone
//! by itself and is taken to work once it is registered; a check of it that fails counts all the same. Of several
//! phones the one that came last is rung, among those known to work: so a console that is open for its forms alone,
//! its softphone never checked, does not draw calls away from the desk phone beside it.
//!
//! What always holds: a seat is idle for the queue only while it is ready, its console is alive and its phone is
//! registered; an operator in a call counts as gone once nothing was heard of their phone for 10 s, console or not
//! (a laptop that changes networks has neither for some seconds), one in no call once the console was silent for 5 s;
//! and then every call of theirs is told exactly once.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use crate::base::id::CallId;
use crate::domain::call::event::OfferEnd;

/// How long a softphone that has fallen silent (5 s) may stay so.
pub const MEDIA_LIMIT: Duration = Duration::from_secs(5);
/// A console that says nothing for this long is gone.
pub const SOCKET_LIMIT: Duration = Duration::from_secs(5);

/// What a seat is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Offline,
    NotReady,
    Ready,
    Offered,
    Talking,
    WrapUp,
}

/// What an operator talks on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phone {
    /// In the console.
    Softphone,
    /// On the desk.
    DeskPhone,
}

/// The phones of an operator that are registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phones {
    /// The kind of the one that came last.
    pub last: Option<Phone>,
    /// There is one of the other kind as well.
    pub both: bool,
}

impl Phones {
    /// One, or several of one kind.
    pub const fn of(phone: Phone) -> Self {
        Self { last: Some(phone), both: false }
    }

    /// Whether there is one of this kind.
    pub fn has(self, phone: Phone) -> bool {
        self.last.is_some() && (self.both || self.last == Some(phone))
    }

    /// The kinds there are, the one that came last first.
    fn kinds(self) -> impl Iterator<Item = Phone> {
        let other = self.last.filter(|_| self.both).map(|last| match last {
            Phone::Softphone => Phone::DeskPhone,
            Phone::DeskPhone => Phone::Softphone,
        });
        self.last.into_iter().chain(other)
    }
}

/// What a seat is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// The console is alive; `typing`: a field has the focus and was typed in lately.
    Heartbeat {
        typing: bool,
    },
    /// The phones that are registered now.
    Phones {
        phones: Phones,
    },
    /// The result of a phone's media check.
    Checked {
        phone: Phone,
        passed: bool,
    },
    SetReady {
        ready: bool,
        reason: Option<String>,
    },
    /// The queue picked this seat.
    Offered {
        call: CallId,
    },
    OfferFailed {
        call: CallId,
        why: OfferEnd,
    },
    Accepted {
        call: CallId,
    },
    /// No media from the operator's browser, or again.
    Silent {
        call: CallId,
        silent: bool,
    },
    /// The operator's phone hung up on a call.
    PhoneHungUp {
        call: CallId,
    },
    /// The call went on without this operator.
    LostCall {
        call: CallId,
    },
    /// The call needs the operator no more but for the form.
    Freed {
        call: CallId,
    },
    /// The form is done.
    WrappedUp {
        call: CallId,
    },
    /// A supervisor sends the operator home: no more calls, and what rings here rings elsewhere.
    LogOut {
        reason: String,
    },
    /// A supervisor at this seat listens to a call of another's, or no longer.
    Listens {
        call: Option<CallId>,
    },
    Tick,
}

/// What a seat wants told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// To the queue: can be offered a call.
    Idle { since: Instant },
    /// To the queue: cannot.
    Busy,
    /// To the call: this operator is gone.
    Lost { call: CallId },
    /// To the call: the operator meant to hang up.
    HungUp { call: CallId },
}

/// Why a seat cannot be made ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReadyYet {
    NoConsole,
    NoPhone,
    NotChecked,
}

impl fmt::Display for NotReadyYet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoConsole => "the console is not connected",
            Self::NoPhone => "no phone is registered",
            Self::NotChecked => "the media check has not passed yet",
        })
    }
}

/// Why a supervisor cannot listen to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotListen {
    NoConsole,
    NoPhone,
    /// The phone has a call, or is about to.
    HasCall,
}

impl fmt::Display for CannotListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoConsole => "the console is not connected",
            Self::NoPhone => "no phone is registered: do the ready check",
            Self::HasCall => "you have a call of your own: finish it first",
        })
    }
}

/// One operator's seat.
#[derive(Debug)]
pub struct Seat {
    state: State,
    since: Instant,
    reason: Option<String>,
    socket_until: Option<Instant>,
    typing: bool,
    phones: Phones,
    /// The console's softphone has passed its check.
    checked: bool,
    /// The desk phone has not failed one.
    desk_phone_works: bool,
    /// What the operator asked for; comes into force when a call is over.
    wants_ready: bool,
    idle_since: Instant,
    /// The call offered, talked on or wrapped up.
    call: Option<CallId>,
    /// The call of another's that is listened to: the phone is taken.
    listens: Option<CallId>,
    /// Nothing is heard of the softphone; until then it may come back.
    silent_until: Option<Instant>,
    hung_up: bool,
    told_idle: bool,
    outputs: VecDeque<Output>,
}

impl Seat {
    /// An empty seat.
    pub const fn new(now: Instant) -> Self {
        Self {
            state: State::Offline,
            since: now,
            reason: None,
            socket_until: None,
            typing: false,
            phones: Phones { last: None, both: false },
            checked: false,
            desk_phone_works: true,
            wants_ready: false,
            idle_since: now,
            call: None,
            listens: None,
            silent_until: None,
            hung_up: false,
            told_idle: false,
            outputs: VecDeque::new(),
        }
    }

    pub const fn state(&self) -> State {
        self.state
    }

    pub const fn since(&self) -> Instant {
        self.since
    }

    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    pub const fn call(&self) -> Option<&CallId> {
        self.call.as_ref()
    }

    /// The call of another's that is listened to here.
    pub const fn listens(&self) -> Option<&CallId> {
        self.listens.as_ref()
    }

    /// Whether a supervisor here may listen, ready for calls or not, and on which phone.
    pub fn may_listen(&self) -> Result<Phone, CannotListen> {
        match (self.state, self.phone_to_ring()) {
            (State::Offline, _) => Err(CannotListen::NoConsole),
            (State::Offered | State::Talking, _) => Err(CannotListen::HasCall),
            (_, None) => Err(CannotListen::NoPhone),
            (_, Some(phone)) => Ok(phone),
        }
    }

    /// An operator who types takes a call by a key; one who does not is connected at once.
    pub const fn rings_at_once(&self) -> bool {
        !self.typing
    }

    /// A phone of theirs is registered.
    pub const fn phone(&self) -> bool {
        self.phones.last.is_some()
    }

    /// The phone that a call would ring.
    pub fn phone_to_ring(&self) -> Option<Phone> {
        self.phones.kinds().find(|phone| self.works(*phone)).or(self.phones.last)
    }

    /// That phone is known to work, or taken to.
    pub fn checked(&self) -> bool {
        self.phone_to_ring().is_some_and(|phone| self.works(phone))
    }

    const fn works(&self, phone: Phone) -> bool {
        match phone {
            Phone::Softphone => self.checked,
            Phone::DeskPhone => self.desk_phone_works,
        }
    }

    /// What stands in the way of *ready*.
    pub fn why_not_ready(&self) -> Option<NotReadyYet> {
        if matches!(self.state, State::Offline) {
            Some(NotReadyYet::NoConsole)
        } else if !self.phone() {
            Some(NotReadyYet::NoPhone)
        } else if !self.checked() {
            Some(NotReadyYet::NotChecked)
        } else {
            None
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Heartbeat { typing } => self.on_heartbeat(now, typing),
            Input::Phones { phones } => {
                // Plugged in anew: what failed may have been put right.
                if phones.has(Phone::DeskPhone) && !self.phones.has(Phone::DeskPhone) {
                    self.desk_phone_works = true;
                }
                self.phones = phones;
                self.stand_down_if(now, "phone not connected", "calls would ring an unchecked softphone");
            }
            Input::Checked { phone, passed } => {
                match phone {
                    Phone::DeskPhone => self.desk_phone_works = passed,
                    Phone::Softphone => self.checked = passed,
                }
                self.stand_down_if(now, "phone not connected", "media check failed");
            }
            Input::SetReady { ready, reason } => self.on_set_ready(now, ready, reason),
            Input::Offered { call } if self.state == State::Ready => {
                self.call = Some(call);
                self.silent_until = None;
                self.go(now, State::Offered);
            }
            Input::OfferFailed { call, why } => self.on_offer_failed(now, &call, why),
            Input::Accepted { call } if self.state != State::Offline => {
                self.call = Some(call);
                self.go(now, State::Talking);
            }
            Input::Silent { call, silent } if self.call.as_ref() == Some(&call) => {
                self.silent_until = silent.then(|| self.silent_until.unwrap_or(now + MEDIA_LIMIT));
            }
            Input::PhoneHungUp { call } if self.call.as_ref() == Some(&call) => self.hung_up = true,
            Input::LostCall { call } if self.call.as_ref() == Some(&call) => {
                self.clear_call();
                self.stand_down(now, "connection to the phone lost");
            }
            Input::Freed { call } if self.call.as_ref() == Some(&call) => {
                self.hung_up = false;
                self.silent_until = None;
                if self.state != State::Offline {
                    self.go(now, State::WrapUp);
                }
            }
            Input::WrappedUp { call } if self.call.as_ref() == Some(&call) => {
                self.clear_call();
                self.rest(now);
            }
            Input::Listens { call } => self.listens = call,
            Input::LogOut { reason } => self.on_log_out(now, reason),
            _ => {}
        }
        self.check_presence(now);
        self.tell_queue();
    }

    /// The next thing to tell, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the console's silence, or the softphone's, means that it is gone. The only reasons a seat wakes for.
    pub fn poll_timeout(&self) -> Option<Instant> {
        // Once the console is gone, a call is kept up by its media alone: only news of that changes anything.
        let socket = self.socket_until.filter(|_| self.state != State::Offline);
        let media = self.silent_until.filter(|_| self.state == State::Talking);
        [socket, media].into_iter().flatten().min()
    }

    fn on_heartbeat(&mut self, now: Instant, typing: bool) {
        self.socket_until = Some(now + SOCKET_LIMIT);
        self.typing = typing;
        if self.state == State::Offline {
            self.reason = None;
            self.go(now, State::NotReady);
        }
        if self.hung_up
            && let Some(call) = self.call.clone()
        {
            self.hung_up = false;
            self.outputs.push_back(Output::HungUp { call });
        }
    }

    fn on_set_ready(&mut self, now: Instant, ready: bool, reason: Option<String>) {
        let ready = ready && self.why_not_ready().is_none();
        self.wants_ready = ready;
        match (self.state, ready) {
            (State::NotReady, true) => {
                self.reason = None;
                self.idle_since = now;
                self.go(now, State::Ready);
            }
            (State::Ready | State::NotReady, false) => {
                self.reason = reason;
                self.go(now, State::NotReady);
            }
            (State::Offered | State::Talking | State::WrapUp, _) => self.reason = reason,
            _ => {}
        }
    }

    fn on_log_out(&mut self, now: Instant, reason: String) {
        self.wants_ready = false;
        self.reason = Some(reason);
        if self.state == State::Offered
            && let Some(call) = self.call.take()
        {
            self.outputs.push_back(Output::Lost { call });
            self.clear_call();
            self.go(now, State::NotReady);
        }
        if self.state == State::Ready {
            self.go(now, State::NotReady);
        }
    }

    fn on_offer_failed(&mut self, now: Instant, call: &CallId, why: OfferEnd) {
        if self.call.as_ref() != Some(call) || self.state != State::Offered {
            return;
        }
        self.clear_call();
        match why {
            OfferEnd::PhoneFailed => self.stand_down(now, "the phone did not take the call"),
            OfferEnd::SeatGone => {}
            // Another operator first, when there is one.
            OfferEnd::Missed => {
                self.idle_since = now;
                self.rest(now);
            }
            OfferEnd::Withdrawn => self.rest(now),
        }
    }

    fn clear_call(&mut self) {
        self.call = None;
        self.silent_until = None;
        self.hung_up = false;
    }

    /// After a call or an offer: ready again, if that is what the operator wants.
    fn rest(&mut self, now: Instant) {
        if self.state == State::Offline {
            return;
        }
        if self.wants_ready && self.phone() {
            if self.state != State::Offered {
                self.idle_since = now;
            }
            self.reason = None;
            self.go(now, State::Ready);
        } else {
            self.go(now, State::NotReady);
        }
    }

    /// Ready no more, if there is nothing left to ring, or nothing that works.
    fn stand_down_if(&mut self, now: Instant, no_phone: &str, not_checked: &str) {
        match self.why_not_ready().filter(|_| self.state == State::Ready) {
            Some(NotReadyYet::NoPhone) => self.stand_down(now, no_phone),
            Some(NotReadyYet::NotChecked) => self.stand_down(now, not_checked),
            Some(NotReadyYet::NoConsole) | None => {}
        }
    }

    fn stand_down(&mut self, now: Instant, reason: &str) {
        if self.state != State::Offline {
            self.wants_ready = false;
            self.reason = Some(reason.to_owned());
            self.go(now, State::NotReady);
        }
    }

    /// Offline once neither console nor media is there. A console that lives on without its media (its page was
    /// loaded anew in mid-call) loses the call as well, a little later: the caller must not talk to nobody.
    fn check_presence(&mut self, now: Instant) {
        let media_gone = self.state == State::Talking && self.silent_until.is_some_and(|until| until <= now);
        if media_gone && let Some(call) = self.call.clone() {
            self.outputs.push_back(Output::Lost { call });
            self.clear_call();
            if self.phone_to_ring() == Some(Phone::DeskPhone) {
                self.stand_down(now, "nothing was heard of the desk phone");
            } else {
                self.checked = false;
                self.stand_down(now, "nothing was heard of the softphone: do the ready check");
            }
        }
        let socket_gone = self.socket_until.is_none_or(|until| until <= now);
        if self.state == State::Offline || !socket_gone {
            return;
        }
        self.socket_until = None;
        // Also while their silence is still waited for: the console may be lost by the same change of network.
        let media_there = self.silent_until.is_none_or(|until| now < until);
        let kept_by_media = self.state == State::Talking && media_there && self.call.is_some() && !self.hung_up;
        if kept_by_media {
            return;
        }
        if let Some(call) = self.call.take() {
            self.outputs.push_back(Output::Lost { call });
        }
        self.clear_call();
        self.wants_ready = false;
        self.checked = false;
        self.typing = false;
        self.reason = None;
        self.go(now, State::Offline);
    }

    fn go(&mut self, now: Instant, state: State) {
        if self.state != state {
            self.state = state;
            self.since = now;
        }
    }

    fn tell_queue(&mut self) {
        let idle = self.state == State::Ready && self.listens.is_none();
        if idle != self.told_idle {
            self.told_idle = idle;
            self.outputs.push_back(if idle { Output::Idle { since: self.idle_since } } else { Output::Busy });
        }
    }
}

#[cfg(test)]
mod tests {
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
            desk.tell(Input::Offered { call: call() });
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
    fn a_seat_goes_through_a_call_and_is_ready_after_wrap_up() {
        let mut desk = Desk::talking();
        assert_eq!(desk.seat.state(), State::Talking);
        desk.tell(Input::Freed { call: call() });
        assert_eq!(desk.seat.state(), State::WrapUp);
        let told = desk.tell(Input::WrappedUp { call: call() });
        assert_eq!((desk.seat.state(), told), (State::Ready, vec![Output::Idle { since: desk.clock.instant() }]));
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
        desk.tell(Input::Offered { call: call() });
        desk.clock.advance(Duration::from_secs(2));
        desk.tell(Input::Heartbeat { typing: true });
        let told = desk.tell(Input::OfferFailed { call: call(), why: OfferEnd::Missed });
        assert_eq!(told, [Output::Idle { since: desk.clock.instant() }]);

        desk.tell(Input::Offered { call: call() });
        desk.tell(Input::OfferFailed { call: call(), why: OfferEnd::PhoneFailed });
        assert_eq!((desk.seat.state(), desk.seat.reason().is_some()), (State::NotReady, true));
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
        desk.tell(Input::Offered { call: call() });
        let told = desk.tell(Input::LogOut { reason: reason() });
        assert_eq!(told, [Output::Lost { call: call() }], "the queue knows that she is busy");
        assert_eq!((desk.seat.state(), desk.seat.reason()), (State::NotReady, Some("logged out by Sam")));

        let mut desk = Desk::talking();
        assert_eq!(desk.tell(Input::LogOut { reason: reason() }), []);
        assert_eq!(desk.seat.state(), State::Talking);
        desk.tell(Input::Freed { call: call() });
        desk.tell(Input::WrappedUp { call: call() });
        assert_eq!((desk.seat.state(), desk.seat.reason()), (State::NotReady, Some("logged out by Sam")));
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
}
