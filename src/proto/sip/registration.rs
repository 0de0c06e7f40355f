//! A registration of ours with a carrier: when to ask, when to ask again, when to give up for a while, and
//! the good-bye at the end (RFC 3261 §10.2).
//!
//! Sends nothing itself: `engine/trunk` turns [`Output::Send`] into a REGISTER and tells what came of it. What
//! always holds: at most one request is under way; a carrier that refuses is asked ever more rarely, 30 s to
//! 30 min apart, and never by many of us in step.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::words::RegisterAnswer;
use crate::base::rng::Rng;

/// The first and the longest wait after a failure.
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 60);
/// What a carrier may demand, at most: a day.
const LONGEST_EXPIRES: u32 = 86_400;
/// A carrier that grants less is asked no more often than this.
const SHORTEST_REFRESH: Duration = Duration::from_secs(5);
/// Sequence numbers left to a request under way: challenged, it goes out again with higher ones.
const ROOM: u32 = 4;
/// How long the good-bye waits for its answer.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a registration is told.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    Start,
    Answered(RegisterAnswer),
    /// The connection it was made over is gone, and the way to us with it.
    FlowLost,
    /// The server it was made with does not answer, and there is another: calls would go to the one that is gone.
    ServerDown,
    /// A server of the carrier answers again, after none did: it need not be waited for any longer.
    ServerUp,
    /// The time of [`Registration::poll_timeout`] has come.
    Timeout,
    /// The service ends: take it back.
    Stop,
}

/// What it wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a REGISTER; its outcome comes as [`Input::Answered`].
    Send { cseq: u32, expires: u32 },
    /// Registered, or no longer; with the status that says why, if one does.
    Changed { registered: bool, status: Option<u16> },
    /// Not registered, still not, and asked for again later.
    Failed { status: u16, again_in: Duration },
    /// It was taken back, or there was nothing to take back.
    Over,
}

/// Why a registration wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Refresh,
    Retry,
    /// What the carrier granted runs out.
    Lapse,
    Farewell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Asking,
    /// Refreshed at that time.
    Up(Instant),
    /// Tried again at that time.
    Waiting(Instant),
    Leaving(Instant),
    Over,
}

/// One registration.
#[derive(Debug)]
pub struct Registration {
    state: State,
    expires: u32,
    cseq: u32,
    /// While it is registered: until when, unless refreshed.
    lapses_at: Option<Instant>,
    failures: u32,
    /// What was granted has run out, and nothing was granted since.
    ran_out: bool,
    /// The carrier has told its minimum, and it was followed.
    minimum_met: bool,
    rng: Rng,
    outputs: VecDeque<Output>,
}

impl Registration {
    /// A registration that asks for `expires` seconds.
    pub const fn new(expires: u32, rng: Rng) -> Self {
        Self {
            state: State::Idle,
            expires,
            cseq: 0,
            lapses_at: None,
            failures: 0,
            ran_out: false,
            minimum_met: false,
            rng,
            outputs: VecDeque::new(),
        }
    }

    pub const fn is_registered(&self) -> bool {
        self.lapses_at.is_some()
    }

    /// Calls do not come in by it, and that is not just for the moment in which it is asked for (again).
    pub const fn is_failing(&self) -> bool {
        let wanted = matches!(self.state, State::Asking | State::Waiting(_));
        wanted && !self.is_registered() && (self.failures > 0 || self.ran_out)
    }

    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Takes in what happened. Outputs are ready afterwards.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Start if self.state == State::Idle => self.ask(),
            Input::Answered(answer) => self.on_answer(now, answer),
            Input::FlowLost => self.on_flow_lost(now),
            Input::ServerDown => self.on_server_down(now),
            Input::ServerUp if matches!(self.state, State::Waiting(_)) => self.ask(),
            Input::Timeout => self.on_timeout(now),
            Input::Stop => self.on_stop(now),
            Input::Start | Input::ServerUp => {}
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call with [`Input::Timeout`] at the latest, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let own = match self.state {
            State::Up(at) => Some((at, Reason::Refresh)),
            State::Waiting(at) => Some((at, Reason::Retry)),
            State::Leaving(at) => Some((at, Reason::Farewell)),
            State::Idle | State::Asking | State::Over => None,
        };
        let lapse = self.lapses_at.map(|at| (at, Reason::Lapse));
        own.into_iter().chain(lapse).min_by_key(|(at, _)| *at)
    }

    fn ask(&mut self) {
        self.state = State::Asking;
        self.send(self.expires);
    }

    fn send(&mut self, expires: u32) {
        self.cseq += 1;
        self.outputs.push_back(Output::Send { cseq: self.cseq, expires });
    }

    fn on_answer(&mut self, now: Instant, answer: RegisterAnswer) {
        // Of the request that the good-bye overtook.
        if matches!(self.state, State::Leaving(_)) && answer.cseq < self.cseq {
            return;
        }
        self.cseq = self.cseq.max(answer.cseq);
        match self.state {
            State::Leaving(_) => self.is_gone(Some(answer.status)),
            State::Asking => match (answer.status, answer.expires) {
                (200..300, Some(0)) => self.is_refused(now, answer),
                (200..300, granted) => self.is_granted(now, granted.unwrap_or(self.expires)),
                // RFC 3261 §10.2.8: once with what it wants; a carrier that wants still more is a failure.
                (423, _) if self.wants_longer(answer) => {
                    self.minimum_met = true;
                    self.expires = answer.min_expires.unwrap_or(self.expires);
                    self.ask();
                }
                _ => self.is_refused(now, answer),
            },
            State::Idle | State::Up(_) | State::Waiting(_) | State::Over => {}
        }
    }

    fn wants_longer(&self, answer: RegisterAnswer) -> bool {
        !self.minimum_met && answer.min_expires.is_some_and(|min| min > self.expires && min <= LONGEST_EXPIRES)
    }

    fn is_granted(&mut self, now: Instant, seconds: u32) {
        let granted = Duration::from_secs(u64::from(seconds.min(LONGEST_EXPIRES)));
        let was = self.lapses_at.replace(now + granted);
        (self.failures, self.ran_out) = (0, false);
        // 75 to 90 % of it: early enough for a second try, and not all trunks at once.
        let share = 7_500 + u32::try_from(self.rng.below(1_501)).unwrap_or(0);
        self.state = State::Up(now + (granted * share / 10_000).max(SHORTEST_REFRESH.min(granted)));
        if was.is_none() {
            self.outputs.push_back(Output::Changed { registered: true, status: None });
        }
    }

    fn is_refused(&mut self, now: Instant, answer: RegisterAnswer) {
        let doubled = FIRST_WAIT * 2_u32.saturating_pow(self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        let asked = Duration::from_secs(u64::from(answer.retry_after.unwrap_or(0)));
        let wait = doubled.max(asked).min(LONGEST_WAIT);
        // Never below what was decided, a quarter above it at most.
        let jitter = Duration::from_millis(self.rng.below(u64::try_from(wait.as_millis()).unwrap_or(0) / 4 + 1));
        let again_in = (wait + jitter).min(LONGEST_WAIT);
        self.state = State::Waiting(now + again_in);
        // Refused outright: the binding is not there, whatever was granted before. Silence may pass.
        if !matches!(answer.status, 408 | 500..600) {
            self.lapse(Some(answer.status));
        }
        self.outputs.push_back(Output::Failed { status: answer.status, again_in });
    }

    fn lapse(&mut self, status: Option<u16>) {
        if self.lapses_at.take().is_some() {
            self.outputs.push_back(Output::Changed { registered: false, status });
        }
    }

    fn on_flow_lost(&mut self, now: Instant) {
        if let State::Up(_) = self.state {
            self.lapse(None);
            self.ask_soon(now);
        }
    }

    /// Whatever wait an earlier failure has left is over: the other server has refused nothing yet.
    fn on_server_down(&mut self, now: Instant) {
        if let State::Up(_) | State::Waiting(_) = self.state {
            // One that was registered with it until now is asked for as if for the first time.
            self.failures = if self.is_registered() { 0 } else { self.failures };
            self.lapse(None);
            self.ask_soon(now);
        }
    }

    /// After a moment's grace, so that not all registrations of a restarted carrier come in one instant.
    fn ask_soon(&mut self, now: Instant) {
        self.state = State::Waiting(now + Duration::from_millis(200 + self.rng.below(1_800)));
    }

    fn on_timeout(&mut self, now: Instant) {
        match self.state {
            State::Up(at) | State::Waiting(at) if now >= at => self.ask(),
            State::Leaving(at) if now >= at => return self.is_gone(None),
            _ => {}
        }
        if self.lapses_at.is_some_and(|at| now >= at) {
            self.ran_out = true;
            self.lapse(None);
        }
    }

    fn on_stop(&mut self, now: Instant) {
        match self.state {
            State::Leaving(_) | State::Over => {}
            // One under way may yet be granted, so it is taken back as well.
            State::Asking => {
                self.cseq += ROOM;
                self.leave(now);
            }
            State::Up(_) => self.leave(now),
            State::Waiting(_) if self.is_registered() => self.leave(now),
            State::Idle | State::Waiting(_) => self.is_gone(None),
        }
    }

    fn leave(&mut self, now: Instant) {
        self.state = State::Leaving(now + FAREWELL);
        self.send(0);
    }

    fn is_gone(&mut self, status: Option<u16>) {
        self.lapse(status);
        self.state = State::Over;
        self.outputs.push_back(Output::Over);
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::RequestId;
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    struct Rig {
        clock: TestClock,
        registration: Registration,
    }

    fn answer(status: u16, cseq: u32) -> RegisterAnswer {
        let request = RequestId(0);
        RegisterAnswer { request, status, cseq, expires: None, min_expires: None, retry_after: None }
    }

    impl Rig {
        fn new(seed: u64) -> Self {
            let mut rig =
                Self { clock: TestClock::at(UtcMs(0)), registration: Registration::new(300, Rng::seeded(seed)) };
            assert_eq!(rig.tell(Input::Start), [Output::Send { cseq: 1, expires: 300 }]);
            rig
        }

        fn tell(&mut self, input: Input) -> Vec<Output> {
            self.registration.handle(self.clock.instant(), input);
            std::iter::from_fn(|| self.registration.poll_output()).collect()
        }

        fn answered(&mut self, answer: RegisterAnswer) -> Vec<Output> {
            self.tell(Input::Answered(answer))
        }

        fn wait(&mut self) -> (Duration, Reason) {
            let (at, why) = self.registration.poll_timeout().expect("it waits for something");
            (at.saturating_duration_since(self.clock.instant()), why)
        }

        /// Lets time run to the next deadline.
        fn pass(&mut self) -> (Duration, Reason, Vec<Output>) {
            let (wait, why) = self.wait();
            self.clock.advance(wait);
            (wait, why, self.tell(Input::Timeout))
        }
    }

    #[test]
    fn it_is_refreshed_at_three_quarters_to_nine_tenths_of_what_was_granted() {
        for seed in 0..50 {
            let mut rig = Rig::new(seed);
            let granted = RegisterAnswer { expires: Some(200), ..answer(200, 2) };
            assert_eq!(rig.answered(granted), [Output::Changed { registered: true, status: None }]);
            let (wait, why, sent) = rig.pass();
            assert_eq!((why, sent), (Reason::Refresh, vec![Output::Send { cseq: 3, expires: 300 }]));
            assert!((150..=180).contains(&wait.as_secs()), "{wait:?}");
            assert_eq!(rig.answered(answer(200, 3)), [], "nothing has changed");
        }
    }

    #[test]
    fn a_carrier_that_is_back_is_asked_at_once_and_one_that_is_being_asked_is_left_alone() {
        let mut rig = Rig::new(4);
        for cseq in 1..8 {
            rig.answered(answer(503, cseq));
            rig.pass();
        }
        rig.answered(answer(503, 8));
        assert!(rig.wait().0.as_secs() >= 1_500, "it would wait for half an hour");
        assert_eq!(rig.tell(Input::ServerUp), [Output::Send { cseq: 9, expires: 300 }]);
        assert_eq!(rig.tell(Input::ServerUp), []);
    }

    #[test]
    fn a_carrier_that_wants_longer_gets_it_once() {
        let mut rig = Rig::new(1);
        let brief = |min| RegisterAnswer { min_expires: Some(min), ..answer(423, 1) };
        assert_eq!(rig.answered(brief(600)), [Output::Send { cseq: 2, expires: 600 }]);
        assert!(matches!(rig.answered(brief(900)).as_slice(), [Output::Failed { status: 423, .. }]));
        let mut rig = Rig::new(1);
        assert!(matches!(rig.answered(brief(10_000_000)).as_slice(), [Output::Failed { status: 423, .. }]));
    }

    #[test]
    fn failures_wait_ever_longer_up_to_half_an_hour_and_success_forgets_them() {
        let mut rig = Rig::new(2);
        let mut waits = Vec::new();
        for cseq in 1..10 {
            rig.answered(answer(503, cseq));
            let (wait, why, sent) = rig.pass();
            assert_eq!((why, sent.len()), (Reason::Retry, 1));
            waits.push(wait.as_secs());
        }
        assert!((30..=38).contains(&waits[0]), "{waits:?}");
        assert!((60..=75).contains(&waits[1]), "{waits:?}");
        assert_eq!(waits[8], 1_800, "{waits:?}");
        rig.answered(answer(200, 20));
        rig.pass();
        rig.answered(answer(503, 21));
        assert!((30..=38).contains(&rig.wait().0.as_secs()));
        let mut rig = Rig::new(3);
        rig.answered(RegisterAnswer { retry_after: Some(120), ..answer(503, 1) });
        assert!(rig.wait().0.as_secs() >= 120);
    }

    #[test]
    fn silence_lets_it_lapse_when_its_time_is_up_and_a_refusal_at_once() {
        let mut rig = Rig::new(4);
        rig.answered(RegisterAnswer { expires: Some(60), ..answer(200, 1) });
        rig.pass();
        assert!(matches!(rig.answered(answer(408, 2)).as_slice(), [Output::Failed { .. }]));
        assert!(rig.registration.is_registered());
        let (_, why, told) = rig.pass();
        assert_eq!((why, told), (Reason::Lapse, vec![Output::Changed { registered: false, status: None }]));

        let mut rig = Rig::new(4);
        rig.answered(answer(200, 1));
        rig.pass();
        let told = rig.answered(answer(403, 2));
        assert_eq!(told[0], Output::Changed { registered: false, status: Some(403) });
    }

    #[test]
    fn a_lost_connection_is_registered_over_anew_within_two_seconds() {
        let mut rig = Rig::new(5);
        rig.answered(answer(200, 1));
        assert_eq!(rig.tell(Input::FlowLost), [Output::Changed { registered: false, status: None }]);
        let (wait, _, sent) = rig.pass();
        assert!(wait <= Duration::from_secs(2) && matches!(sent.as_slice(), [Output::Send { .. }]));
    }

    #[test]
    fn a_server_that_is_down_is_left_for_another_within_two_seconds_whatever_it_was_waited_for() {
        for refused in [false, true] {
            let mut rig = Rig::new(9);
            rig.answered(answer(200, 1));
            if refused {
                rig.pass();
                rig.answered(answer(408, 2));
            }
            assert_eq!(rig.tell(Input::ServerDown), [Output::Changed { registered: false, status: None }]);
            assert!(!rig.registration.is_failing(), "{refused}: nobody has to know, it is mended in a moment");
            let (wait, _, sent) = rig.pass();
            assert!(wait <= Duration::from_secs(2) && matches!(sent.as_slice(), [Output::Send { .. }]), "{refused}");
        }
    }

    #[test]
    fn it_fails_from_the_first_refusal_or_lapse_to_the_next_grant() {
        let mut rig = Rig::new(8);
        assert!(!rig.registration.is_failing(), "nobody has said no yet");
        rig.answered(answer(403, 1));
        assert!(rig.registration.is_failing());
        rig.pass();
        assert!(rig.registration.is_failing(), "asked for again, and not granted");
        rig.answered(RegisterAnswer { expires: Some(60), ..answer(200, 2) });
        assert!(!rig.registration.is_failing());
        rig.pass();
        rig.answered(answer(503, 3));
        assert!(!rig.registration.is_failing(), "what was granted before holds");
        let (_, why, _) = rig.pass();
        assert!(why == Reason::Lapse && rig.registration.is_failing());
        rig.pass();
        rig.answered(answer(200, 4));
        rig.tell(Input::FlowLost);
        assert!(!rig.registration.is_failing(), "it is asked for anew in a moment");
        rig.pass();
        rig.answered(answer(408, 5));
        assert!(rig.registration.is_failing());
        rig.tell(Input::Stop);
        assert!(!rig.registration.is_failing(), "it is not wanted any more");
    }

    #[test]
    fn a_good_bye_while_asking_leaves_numbers_for_challenges_and_waits_for_its_own_answer() {
        let mut rig = Rig::new(7);
        let sent = rig.tell(Input::Stop);
        let [Output::Send { cseq, expires: 0 }] = sent[..] else { panic!("{sent:?}") };
        assert!(cseq > 3, "the first may have gone out again as 2 and 3, with credentials");
        assert_eq!(rig.answered(answer(200, 2)), [], "that was the older one's");
        assert!(!rig.registration.is_over());
        assert_eq!(rig.answered(answer(200, cseq + 1)), [Output::Over]);
    }

    #[test]
    fn at_the_end_it_is_taken_back_and_waits_two_seconds_at_most() {
        let mut rig = Rig::new(6);
        rig.answered(answer(200, 1));
        assert_eq!(rig.tell(Input::Stop), [Output::Send { cseq: 2, expires: 0 }]);
        let told = rig.answered(answer(200, 2));
        assert_eq!(told.last(), Some(&Output::Over));
        assert!(rig.registration.is_over() && rig.registration.poll_timeout().is_none());

        let mut rig = Rig::new(6);
        rig.answered(answer(200, 1));
        rig.tell(Input::Stop);
        let (wait, why, told) = rig.pass();
        assert_eq!((wait, why, told.last()), (FAREWELL, Reason::Farewell, Some(&Output::Over)));

        let mut rig = Rig::new(6);
        rig.answered(answer(403, 1));
        assert_eq!(rig.tell(Input::Stop), [Output::Over], "there is nothing to take back");
    }
}
