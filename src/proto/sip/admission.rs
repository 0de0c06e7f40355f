//! Whether one more call is let in: decided before any work is done for it, so that the calls there are come to no
//! harm by the calls that would be too many. Pure; time is handed in.
//!
//! A call *waits* from its INVITE to its first final answer. What is answered in a second tells how fast we are; more
//! waiting than that speed can answer soon means that callers would hear nothing for too long and their carriers
//! would repeat themselves, which is how an overload feeds itself. So those are refused at once (RFC 3261 §21.5.4: 503
//! with Retry-After), and a carrier sends them over another of its ways. Messages that lie unread count as well: they
//! show a loop that is behind even when it answers fast.

use std::time::{Duration, Instant};

/// Calls that may always wait: a service that stood idle knows nothing of its speed.
const FREE: usize = 100;
/// How long a caller may wait for an answer. Within half a second a carrier's first repetition comes (T1), and calls that
/// wait cost what others could be answered with: there are more of them to look through, and each is up for longer.
const MAX_WAIT: Duration = Duration::from_millis(100);
/// Messages that may lie unread.
const MAX_UNREAD: usize = 600;
/// Over which time the speed is taken.
const WINDOW: Duration = Duration::from_millis(500);

/// The gate.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    /// Calls without a final answer.
    waiting: usize,
    unread: usize,
    /// The service itself wants no more for now.
    held_off: bool,
    /// Whoever takes calls in has no room for one more.
    crowded: bool,
    /// Answers a second, as of the windows before this one.
    speed: f64,
    window: Option<Instant>,
    answered: u32,
}

impl Admission {
    /// So many messages lie unread behind the one that comes next.
    pub const fn unread(&mut self, messages: usize) {
        self.unread = messages;
    }

    /// No new calls for now, or again.
    pub const fn hold_off(&mut self, hold_off: bool) {
        self.held_off = hold_off;
    }

    /// Whoever takes calls in has no room for one more just now, or has again.
    pub const fn crowded(&mut self, crowded: bool) {
        self.crowded = crowded;
    }

    /// Whether a new call would be too many, by what was known when [`Admission::wants_count`] was asked last.
    pub fn is_shut(&self) -> bool {
        let soon = (self.speed * MAX_WAIT.as_secs_f64()) as usize;
        self.held_off || self.crowded || self.waiting >= soon.max(FREE) || self.unread > MAX_UNREAD
    }

    /// A new call is let in. It waits until [`Admission::settled`].
    pub const fn let_in(&mut self) {
        self.waiting += 1;
    }

    /// A call that was let in has its final answer, or has gone without.
    pub const fn settled(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
        self.answered += 1;
    }

    /// To be asked for each new call: whether it is time to be told anew how many wait ([`Admission::counted`]), so that a
    /// fault which costs one call does not cost its place for ever.
    pub fn wants_count(&mut self, now: Instant) -> bool {
        self.pass(now)
    }

    /// So many calls wait, by the table of calls.
    pub const fn counted(&mut self, waiting: usize) {
        self.waiting = waiting;
    }

    /// Calls that wait.
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Time passes; true if a window ended.
    fn pass(&mut self, now: Instant) -> bool {
        let began = *self.window.get_or_insert(now);
        let passed = now.saturating_duration_since(began);
        let over = passed >= WINDOW;
        if over {
            let speed = f64::from(self.answered) / passed.as_secs_f64();
            // A calm moment says nothing against the speed that was seen, so it is forgotten only slowly.
            self.speed = if speed > self.speed { speed } else { self.speed.mul_add(0.75, speed * 0.25) };
            (self.window, self.answered) = (Some(now), 0);
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    impl Admission {
        fn admit(&mut self, now: Instant) -> bool {
            self.wants_count(now);
            let open = !self.is_shut();
            if open {
                self.let_in();
            }
            open
        }
    }

    /// Calls come at `offered` a second and are answered at `able` a second, in their order, for 30 s; how many were
    /// answered a second at the end, and the longest wait then.
    fn run(offered: f64, able: f64) -> (f64, Duration) {
        let clock = TestClock::at(UtcMs(0));
        let mut gate = Admission::default();
        let mut queue = std::collections::VecDeque::new();
        let (mut due, mut room, mut answered, mut longest) = (0.0, 0.0, 0, Duration::ZERO);
        for ms in 0..30_000 {
            clock.advance(Duration::from_millis(1));
            let now = clock.instant();
            due += offered / 1e3;
            while due >= 1.0 {
                due -= 1.0;
                if gate.admit(now) {
                    queue.push_back(now);
                }
            }
            room = (room + able / 1e3).min(able);
            while room >= 1.0 && !queue.is_empty() {
                room -= 1.0;
                let since = queue.pop_front().expect("it was asked");
                gate.settled();
                if ms >= 20_000 {
                    answered += 1;
                    longest = longest.max(now - since);
                }
            }
            if queue.is_empty() {
                room = room.min(1.0);
            }
        }
        (f64::from(answered) / 10.0, longest)
    }

    #[test]
    fn below_capacity_everybody_is_let_in() {
        let (answered, _) = run(500.0, 1_000.0);
        assert!((499.0..=501.0).contains(&answered), "{answered}");
    }

    #[test]
    fn four_times_too_many_leave_the_whole_capacity_at_work_and_nobody_waits_long() {
        for able in [50.0, 300.0, 1_000.0] {
            let (answered, longest) = run(able * 4.0, able);
            assert!(answered >= able * 0.99, "{answered} of {able}");
            let limit = MAX_WAIT.max(Duration::from_secs_f64(FREE as f64 / able));
            assert!(longest <= limit + Duration::from_millis(20), "{longest:?} at {able}");
        }
    }

    #[test]
    fn unread_messages_close_the_gate_until_they_are_read() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut gate = Admission::default();
        gate.unread(MAX_UNREAD + 1);
        assert!(!gate.admit(now));
        gate.unread(0);
        assert!(gate.admit(now));
        assert_eq!(gate.waiting(), 1);
    }

    #[test]
    fn nobody_is_let_in_for_whom_whoever_takes_calls_has_no_room() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut gate = Admission::default();
        gate.crowded(true);
        assert!(!gate.admit(now));
        gate.crowded(false);
        assert!(gate.admit(now));
    }

    #[test]
    fn calls_that_get_no_answer_close_the_gate_for_more_and_their_end_opens_it() {
        let clock = TestClock::at(UtcMs(0));
        let mut gate = Admission::default();
        let admitted = (0..FREE * 3).filter(|_| gate.admit(clock.instant())).count();
        assert_eq!(admitted, FREE);
        clock.advance(Duration::from_secs(60));
        assert!(!gate.admit(clock.instant()), "time alone does not help");
        gate.settled();
        assert!(gate.admit(clock.instant()));
        clock.advance(WINDOW);
        assert!(gate.wants_count(clock.instant()) && !gate.wants_count(clock.instant()));
        gate.counted(3);
        assert!(gate.admit(clock.instant()), "what the table says counts");
    }
}
