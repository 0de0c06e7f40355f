//! A call for a fax: rung, listened to for a fax machine, taken from sound to T.38 where the way allows, and judged by what the far
//! machine has confirmed.
//!
//! Says nothing of pages or modems: whoever sends them tells what became of it. `engine/calls` drives it for the dispatcher. What
//! always holds: T.38 is offered once, as soon as a machine is heard, and not once the two machines have begun to talk by sound;
//! nothing counts that was not confirmed; [`FaxOutput::Ended`] comes exactly once, and the leg is hung up exactly once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::cause::Cause;
use crate::domain::dispatch::fax::{FaxFault, FaxOutcome};

/// The longest that both machines may take. A page of a slow machine takes three minutes.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// A machine says what it is within T1 of T.30 §5.4.3.1 (35 s ± 5 s); a little later nobody does.
const MACHINE_WITHIN: Duration = Duration::from_secs(45);

/// What such a call is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaxInput {
    Start,
    /// The far end answered, and sound flows.
    Answered,
    /// What sounds like a fax machine is heard.
    MachineHeard,
    /// The two machines have begun to talk: what it is able to do has come.
    Begun,
    /// The far end proposes T.38.
    ImageOffered,
    /// The far end has agreed to T.38.
    ImageAgreed,
    /// It has not.
    ImageRefused,
    /// The far machine has confirmed so many pages by now.
    Confirmed(u32),
    /// The two machines are done with each other, in whatever way.
    MachinesDone(MachinesEnd),
    /// The far end's signalling is gone.
    Ended(Cause),
    /// No longer wanted.
    Cancel,
    /// The service is stopping.
    Stop,
    Tick,
}

/// How the conversation of the two machines ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachinesEnd {
    /// In good order.
    Orderly,
    /// There never was a machine.
    NoMachine,
    /// It cannot take such a page.
    Incapable,
    /// It broke off.
    Broken,
    /// Something of ours failed.
    Fault,
}

/// What it wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaxOutput {
    Dial,
    /// Send by sound, and listen.
    Sound,
    /// Be silent, and propose T.38.
    OfferImage,
    /// Take what the far end proposes, and go on by T.38.
    TakeImage,
    /// Refuse it: things stay as they are.
    RefuseImage,
    /// Go on by T.38, as agreed.
    Image,
    HangUp,
    Ended(FaxOutcome),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Ringing {
        until: Instant,
    },
    /// By sound. `offered`: T.38 was proposed and refused.
    Sound {
        offered: bool,
    },
    /// T.38 is proposed and not answered.
    Offering,
    Image,
    Over,
}

/// One call for a fax.
#[derive(Debug)]
pub struct FaxCall {
    pages: u32,
    ring: Duration,
    /// T.38 may be spoken: the way is not one on which everything has to be encrypted.
    image: bool,
    phase: Phase,
    now: Instant,
    answered_at: Option<Instant>,
    begun: bool,
    confirmed: u32,
    outputs: VecDeque<FaxOutput>,
}

impl FaxCall {
    /// One that has not begun; give it [`FaxInput::Start`].
    pub const fn new(now: Instant, pages: u32, ring: Duration) -> Self {
        Self {
            pages,
            ring,
            image: true,
            phase: Phase::New,
            now,
            answered_at: None,
            begun: false,
            confirmed: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Stays with sound, whatever happens: its way has to be encrypted, and T.38 is not.
    pub const fn forbid_image(&mut self) {
        self.image = false;
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, input: FaxInput) {
        self.now = now;
        match (input, self.phase) {
            (_, Phase::Over) => {}
            (FaxInput::Start, Phase::New) => {
                self.phase = Phase::Ringing { until: now + self.ring };
                self.outputs.push_back(FaxOutput::Dial);
            }
            (FaxInput::Answered, Phase::Ringing { .. }) => {
                self.answered_at = Some(now);
                self.phase = Phase::Sound { offered: false };
                self.outputs.push_back(FaxOutput::Sound);
            }
            (FaxInput::MachineHeard, Phase::Sound { offered: false }) if self.image && !self.begun => {
                self.phase = Phase::Offering;
                self.outputs.push_back(FaxOutput::OfferImage);
            }
            (FaxInput::Begun, _) => self.begun = true,
            (FaxInput::ImageOffered, Phase::Sound { .. } | Phase::Offering) if self.image && !self.begun => {
                self.phase = Phase::Image;
                self.outputs.push_back(FaxOutput::TakeImage);
            }
            // The same again, as to keep the session alive, or at another address.
            (FaxInput::ImageOffered, Phase::Image) => self.outputs.push_back(FaxOutput::TakeImage),
            (FaxInput::ImageOffered, _) => self.outputs.push_back(FaxOutput::RefuseImage),
            (FaxInput::ImageAgreed, Phase::Offering) => {
                self.phase = Phase::Image;
                self.outputs.push_back(FaxOutput::Image);
            }
            (FaxInput::ImageRefused, Phase::Offering) => {
                self.phase = Phase::Sound { offered: true };
                self.outputs.push_back(FaxOutput::Sound);
            }
            (FaxInput::Confirmed(pages), _) => self.confirmed = self.confirmed.max(pages),
            (FaxInput::MachinesDone(end), _) => {
                let why = match end {
                    MachinesEnd::NoMachine if !self.begun => FaxFault::NoMachine,
                    MachinesEnd::Incapable => FaxFault::Incapable,
                    MachinesEnd::Fault => FaxFault::Fault,
                    // An orderly end before all pages are confirmed is none.
                    MachinesEnd::Orderly | MachinesEnd::NoMachine | MachinesEnd::Broken => FaxFault::LineLost,
                };
                self.end(why);
            }
            (FaxInput::Ended(cause), _) => {
                let why = if self.answered_at.is_none() { not_reached(cause) } else { self.broken() };
                self.over(self.judged(why));
            }
            (FaxInput::Cancel, _) => {
                let outcome = if self.is_complete() { self.judged(FaxFault::Fault) } else { FaxOutcome::Cancelled };
                self.outputs.push_back(FaxOutput::HangUp);
                self.over(outcome);
            }
            (FaxInput::Stop, _) => self.end(FaxFault::Stopped),
            (FaxInput::Tick, _) => self.on_tick(),
            _ => {}
        }
    }

    fn on_tick(&mut self) {
        if self.poll_timeout().is_none_or(|until| self.now < until) {
            return;
        }
        match self.phase {
            Phase::Ringing { .. } => self.end(FaxFault::NoAnswer),
            _ => self.end(self.broken()),
        }
    }

    /// Why a call that was answered came to nothing.
    const fn broken(&self) -> FaxFault {
        if self.begun || matches!(self.phase, Phase::Image) { FaxFault::LineLost } else { FaxFault::NoMachine }
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<FaxOutput> {
        self.outputs.pop_front()
    }

    /// When to come back with [`FaxInput::Tick`]: what was waited for did not come.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match (self.phase, self.answered_at) {
            (Phase::Ringing { until }, _) => Some(until),
            (Phase::Sound { .. } | Phase::Offering | Phase::Image, Some(answered)) => {
                Some(answered + if self.begun { LIMIT } else { MACHINE_WITHIN })
            }
            _ => None,
        }
    }

    /// True when nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.phase == Phase::Over && self.outputs.is_empty()
    }

    const fn is_complete(&self) -> bool {
        self.confirmed >= self.pages
    }

    /// Ends by our own will.
    fn end(&mut self, why: FaxFault) {
        self.outputs.push_back(FaxOutput::HangUp);
        self.over(self.judged(why));
    }

    fn over(&mut self, outcome: FaxOutcome) {
        self.phase = Phase::Over;
        self.outputs.push_back(FaxOutput::Ended(outcome));
    }

    const fn judged(&self, why: FaxFault) -> FaxOutcome {
        if self.is_complete() {
            FaxOutcome::Delivered { pages: self.pages }
        } else {
            FaxOutcome::Failed { why, confirmed: self.confirmed, pages: self.pages }
        }
    }
}

/// Why nobody answered.
const fn not_reached(cause: Cause) -> FaxFault {
    match cause {
        Cause::Busy => FaxFault::Busy,
        Cause::NoAnswer | Cause::HungUp | Cause::Released => FaxFault::NoAnswer,
        Cause::Declined | Cause::Unwanted => FaxFault::Declined,
        Cause::Blocked => FaxFault::Blocked,
        Cause::WrongNumber => FaxFault::WrongNumber,
        Cause::Forbidden | Cause::Emergency => FaxFault::Forbidden,
        Cause::LinesBusy | Cause::Limited => FaxFault::Limited,
        Cause::Unreachable | Cause::Incompatible => FaxFault::NoTrunk,
        Cause::Lost => FaxFault::LineLost,
        Cause::Fault => FaxFault::Fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    struct Rig {
        call: FaxCall,
        now: Instant,
    }

    impl Rig {
        fn new(pages: u32) -> Self {
            let now = TestClock::at(UtcMs(0)).instant();
            Self { call: FaxCall::new(now, pages, Duration::from_secs(30)), now }
        }

        fn does(&mut self, input: FaxInput) -> Vec<FaxOutput> {
            self.call.handle(self.now, input);
            std::iter::from_fn(|| self.call.poll_output()).collect()
        }

        fn passes(&mut self, secs: u64) -> Vec<FaxOutput> {
            self.now += Duration::from_secs(secs);
            self.does(FaxInput::Tick)
        }

        fn answered(pages: u32) -> Self {
            let mut rig = Self::new(pages);
            assert_eq!(rig.does(FaxInput::Start), [FaxOutput::Dial]);
            assert_eq!(rig.does(FaxInput::Answered), [FaxOutput::Sound]);
            rig
        }
    }

    const fn failed(why: FaxFault, confirmed: u32, pages: u32) -> FaxOutput {
        FaxOutput::Ended(FaxOutcome::Failed { why, confirmed, pages })
    }

    #[test]
    fn a_machine_that_is_heard_is_offered_t38_and_every_page_it_confirms_counts() {
        let mut rig = Rig::answered(2);
        assert_eq!(rig.does(FaxInput::MachineHeard), [FaxOutput::OfferImage]);
        assert_eq!(rig.does(FaxInput::MachineHeard), []);
        assert_eq!(rig.does(FaxInput::ImageAgreed), [FaxOutput::Image]);
        rig.does(FaxInput::Begun);
        rig.does(FaxInput::Confirmed(1));
        rig.does(FaxInput::Confirmed(2));
        let end = rig.does(FaxInput::MachinesDone(MachinesEnd::Orderly));
        assert_eq!(end, [FaxOutput::HangUp, FaxOutput::Ended(FaxOutcome::Delivered { pages: 2 })]);
        assert!(rig.call.is_done());
        assert_eq!(rig.does(FaxInput::Ended(Cause::Released)), [], "the end comes once");
    }

    #[test]
    fn where_t38_is_refused_it_goes_on_by_sound_and_is_not_asked_again() {
        let mut rig = Rig::answered(1);
        rig.does(FaxInput::MachineHeard);
        assert_eq!(rig.does(FaxInput::ImageRefused), [FaxOutput::Sound]);
        assert_eq!(rig.does(FaxInput::MachineHeard), []);
        rig.does(FaxInput::Begun);
        assert_eq!(rig.does(FaxInput::ImageOffered), [FaxOutput::RefuseImage], "the machines talk already");
        rig.does(FaxInput::Confirmed(1));
        // Whoever hangs up after the last confirmation has the page.
        let end = rig.does(FaxInput::Ended(Cause::HungUp));
        assert_eq!(end, [FaxOutput::Ended(FaxOutcome::Delivered { pages: 1 })]);
    }

    #[test]
    fn a_far_end_that_proposes_t38_first_is_followed() {
        let mut rig = Rig::answered(1);
        assert_eq!(rig.does(FaxInput::ImageOffered), [FaxOutput::TakeImage]);
        assert_eq!(rig.does(FaxInput::ImageRefused), [], "of our own that crossed theirs");
        assert_eq!(rig.does(FaxInput::ImageOffered), [FaxOutput::TakeImage]);
    }

    #[test]
    fn on_a_way_that_has_to_be_encrypted_it_stays_with_sound() {
        let mut rig = Rig::answered(1);
        rig.call.forbid_image();
        assert_eq!(rig.does(FaxInput::MachineHeard), []);
        assert_eq!(rig.does(FaxInput::ImageOffered), [FaxOutput::RefuseImage]);
    }

    #[test]
    fn what_was_not_confirmed_was_not_delivered() {
        let mut rig = Rig::answered(2);
        rig.does(FaxInput::Begun);
        rig.does(FaxInput::Confirmed(1));
        assert_eq!(rig.does(FaxInput::Ended(Cause::HungUp)), [failed(FaxFault::LineLost, 1, 2)]);
        let mut rig = Rig::answered(1);
        rig.does(FaxInput::Begun);
        let end = rig.does(FaxInput::MachinesDone(MachinesEnd::Orderly));
        assert_eq!(end, [FaxOutput::HangUp, failed(FaxFault::LineLost, 0, 1)]);
    }

    #[test]
    fn a_service_that_stops_says_so_unless_all_pages_were_confirmed() {
        let mut rig = Rig::answered(2);
        rig.does(FaxInput::Begun);
        rig.does(FaxInput::Confirmed(1));
        assert_eq!(rig.does(FaxInput::Stop), [FaxOutput::HangUp, failed(FaxFault::Stopped, 1, 2)]);
        let mut rig = Rig::answered(1);
        rig.does(FaxInput::Begun);
        rig.does(FaxInput::Confirmed(1));
        let delivered = FaxOutput::Ended(FaxOutcome::Delivered { pages: 1 });
        assert_eq!(rig.does(FaxInput::Stop), [FaxOutput::HangUp, delivered]);
    }

    #[test]
    fn a_voice_is_no_machine_and_is_not_waited_on_for_long() {
        let mut rig = Rig::answered(1);
        assert_eq!(rig.passes(44), []);
        assert_eq!(rig.passes(1), [FaxOutput::HangUp, failed(FaxFault::NoMachine, 0, 1)]);
        let mut rig = Rig::answered(1);
        assert_eq!(rig.does(FaxInput::Ended(Cause::HungUp)), [failed(FaxFault::NoMachine, 0, 1)]);
        let mut rig = Rig::answered(1);
        let end = rig.does(FaxInput::MachinesDone(MachinesEnd::NoMachine));
        assert_eq!(end, [FaxOutput::HangUp, failed(FaxFault::NoMachine, 0, 1)]);
    }

    #[test]
    fn who_cannot_be_reached_is_told_by_why() {
        for (cause, why) in [
            (Cause::Busy, FaxFault::Busy),
            (Cause::NoAnswer, FaxFault::NoAnswer),
            (Cause::WrongNumber, FaxFault::WrongNumber),
            (Cause::Unreachable, FaxFault::NoTrunk),
        ] {
            let mut rig = Rig::new(1);
            rig.does(FaxInput::Start);
            assert_eq!(rig.does(FaxInput::Ended(cause)), [failed(why, 0, 1)]);
        }
        let mut rig = Rig::new(1);
        rig.does(FaxInput::Start);
        assert_eq!(rig.passes(30), [FaxOutput::HangUp, failed(FaxFault::NoAnswer, 0, 1)]);
    }

    #[test]
    fn what_is_taken_back_counts_if_it_had_arrived() {
        let mut rig = Rig::answered(1);
        assert_eq!(rig.does(FaxInput::Cancel), [FaxOutput::HangUp, FaxOutput::Ended(FaxOutcome::Cancelled)]);
        let mut rig = Rig::answered(1);
        rig.does(FaxInput::Confirmed(1));
        let end = rig.does(FaxInput::Cancel);
        assert_eq!(end, [FaxOutput::HangUp, FaxOutput::Ended(FaxOutcome::Delivered { pages: 1 })]);
    }
}
