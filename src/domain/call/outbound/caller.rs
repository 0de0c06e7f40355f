//! The part of a call-out in which whoever heard the message is connected with the caller (2).
//!
//! The caller is dialled once that was said, rings for half a minute, and is joined when they answer: nobody waits for the other
//! in silence. `*` leads back at any time, and so does whatever ends the caller's leg; then the question is asked again. What
//! always holds: a caller who was dialled is told of exactly once, as joined and parted or as not joined; whoever is not
//! joined hears nothing of the other, but for what the caller's line plays before it is answered.

use std::time::{Duration, Instant};

use super::words::{Back, Hears, OutboundEvent, OutboundOutput, Saying};
use super::{Outbound, Phase};
use crate::domain::call::cause::Cause;
use crate::domain::call::leg::LegInput;

/// How long the caller's telephone rings.
const RING: Duration = Duration::from_secs(30);
/// The longest talk, whatever the account says.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// A tone is heard so long before a talk is ended.
const WARNED: Duration = Duration::from_secs(60);
/// How often the caller is dialled in one call.
const TRIES: u32 = 3;

/// How far the caller has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallerLeg {
    None,
    Dialled,
    Joined,
}

/// The talk there is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Talk {
    since: Option<Instant>,
    ends_at: Option<Instant>,
    tries: u32,
}

impl Outbound {
    /// 2 was pressed.
    pub(super) fn connect(&mut self) {
        if self.entries[self.current].reading.caller.is_some() && self.talk.tries < TRIES {
            self.say(Saying::Connecting);
        }
    }

    pub(super) fn dial_caller(&mut self) {
        let Some(to) = self.entries[self.current].reading.caller.clone() else { return self.back_at_question() };
        self.stop_playing();
        self.talk.tries += 1;
        self.caller = CallerLeg::Dialled;
        self.phase = Phase::WithCaller { until: self.now + RING };
        self.others_wait(true);
        self.outputs.push_back(OutboundOutput::Hear(Hears::Ringback));
        self.outputs.push_back(OutboundOutput::DialCaller { to });
    }

    pub(super) fn on_caller(&mut self, event: LegInput) {
        match (event, self.caller) {
            (LegInput::Early, CallerLeg::Dialled) => {
                self.outputs.push_back(OutboundOutput::Hear(Hears::Early));
            }
            (LegInput::Answered | LegInput::Established, CallerLeg::Dialled) => self.join(),
            (LegInput::Ended(why), CallerLeg::Dialled | CallerLeg::Joined) => self.come_back(why),
            _ => {}
        }
    }

    fn join(&mut self) {
        let longest = self.setup.longest_talk.map_or(LONGEST, |longest| longest.min(LONGEST));
        let ends_at = self.now + longest;
        self.caller = CallerLeg::Joined;
        (self.talk.since, self.talk.ends_at) = (Some(self.now), Some(ends_at));
        self.phase = Phase::WithCaller { until: if longest > WARNED { ends_at - WARNED } else { ends_at } };
        self.outputs.push_back(OutboundOutput::Hear(Hears::Each));
        self.tell(self.current, OutboundEvent::Joined);
    }

    /// The caller rang for too long, or it was talked for too long, or soon will be.
    pub(super) fn on_caller_due(&mut self) {
        match self.talk.ends_at.filter(|ends_at| self.caller == CallerLeg::Joined && self.now < *ends_at) {
            Some(until) => {
                self.phase = Phase::WithCaller { until };
                self.outputs.push_back(OutboundOutput::Warn);
            }
            None => self.come_back(Cause::NoAnswer),
        }
    }

    /// Back from the caller, who is let go if they are still there.
    pub(super) fn come_back(&mut self, why: Cause) {
        let back = if self.caller == CallerLeg::Joined { Back::Parted } else { Back::of(why) };
        self.let_caller_go(why);
        self.line.forget_sounds();
        self.said = 0;
        self.say(if self.entries[self.current].cancelled { Saying::Handled } else { Saying::Back(back) });
    }

    /// The caller is hung up, if there is one, and what came of it is told.
    pub(super) fn let_caller_go(&mut self, why: Cause) {
        let event = match std::mem::replace(&mut self.caller, CallerLeg::None) {
            CallerLeg::None => return,
            CallerLeg::Dialled => OutboundEvent::NotJoined(why),
            CallerLeg::Joined => {
                let talked = self.talk.since.map_or(Duration::ZERO, |since| self.now.saturating_duration_since(since));
                OutboundEvent::Parted { secs: u32::try_from(talked.as_secs()).unwrap_or(u32::MAX) }
            }
        };
        self.outputs.push_back(OutboundOutput::HangUpCaller);
        self.outputs.push_back(OutboundOutput::Hear(Hears::Alone));
        self.tell(self.current, event);
        self.others_wait(false);
    }

    /// Asks again what becomes of the message.
    pub(super) fn back_at_question(&mut self) {
        self.said = 0;
        self.say(Saying::Question);
    }

    fn others_wait(&mut self, wait: bool) {
        for other in 0..self.entries.len() {
            if other != self.current && !self.entries[other].ended {
                self.tell(other, OutboundEvent::Waits(wait));
            }
        }
    }
}
