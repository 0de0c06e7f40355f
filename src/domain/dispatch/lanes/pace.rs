//! How fast one edge, or one destination, is given things, and how many of them at once.
//!
//! A [`Gate`] is two buckets of tokens and a number of places. What always holds: nothing routine takes the last tokens or the
//! last places, so that what is urgent finds some; and nothing urgent takes the routine's own tenth of the rate and its one
//! place, so that the routine goes on through any night. What leaves without having been let through is paid for later, by the
//! routine. A clock that is set back costs and gives nothing.

use super::Lane;
use crate::base::clock::UtcMs;

/// A rate, and how many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub per_minute: u32,
    /// So many go at once after a quiet time; two at least, one of which is kept for what is urgent.
    pub burst: u32,
    /// Handed over and not answered yet; two at least, one for each lane.
    pub at_once: u32,
}

/// What one hand-over takes out of a bucket: a minute's milliseconds by tenths of the rate.
const ONE: i64 = 10 * 60_000;
/// Tenths of the rate that are the routine's own; the rest is for all, the urgent first.
const OWN_TENTHS: i64 = 1;
/// Of tokens and of places one in so many is kept for what is urgent.
const KEPT_OF: u32 = 4;

#[derive(Clone, Debug)]
struct Bucket {
    level: i64,
    per_ms: i64,
    most: i64,
    at: UtcMs,
}

impl Bucket {
    fn full(per_ms: i64, most: i64, now: UtcMs) -> Self {
        Self { level: most, per_ms: per_ms.max(1), most, at: now }
    }

    fn fill(&mut self, now: UtcMs) {
        let ms = now.since(self.at).max(0);
        self.level = self.level.saturating_add(self.per_ms.saturating_mul(ms)).min(self.most);
        self.at = now;
    }

    /// When it holds so much, as it was filled last.
    fn holds_at(&self, wanted: i64) -> UtcMs {
        let missing = (wanted.min(self.most) - self.level).max(0);
        self.at.plus_ms((missing + self.per_ms - 1) / self.per_ms)
    }

    fn put_back(&mut self) {
        self.level = (self.level + ONE).min(self.most);
    }
}

/// When a gate lets something of a lane through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opens {
    Now,
    At(UtcMs),
    /// When something that is under way is over.
    WhenOver,
}

/// What was taken at a gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paid {
    lane: Lane,
    from_own: bool,
    /// It has one of the places.
    placed: bool,
}

/// Keeps one edge's or one destination's pace.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pace: Pace,
    all: Bucket,
    /// The routine's own.
    own: Bucket,
    /// What has left beyond what there was: the routine pays for it before anything of it goes.
    owed: i64,
    urgent: u32,
    routine: u32,
}

impl Gate {
    pub(super) fn new(pace: Pace, now: UtcMs) -> Self {
        let rate = i64::from(pace.per_minute);
        Self {
            pace,
            all: Bucket::full(rate * (10 - OWN_TENTHS), i64::from(pace.burst.max(1)) * ONE, now),
            own: Bucket::full(rate * OWN_TENTHS, ONE, now),
            owed: 0,
            urgent: 0,
            routine: 0,
        }
    }

    pub(super) fn opens(&mut self, lane: Lane, now: UtcMs) -> Opens {
        self.fill(now);
        if !self.has_place(lane) {
            return Opens::WhenOver;
        }
        let at = match lane {
            Lane::Urgent => self.all.holds_at(ONE),
            Lane::Routine => self.own.holds_at(ONE).min(self.all.holds_at(ONE + self.kept())),
        };
        if at <= now { Opens::Now } else { Opens::At(at) }
    }

    /// Tokens that nothing routine takes.
    fn kept(&self) -> i64 {
        i64::from((self.pace.burst / KEPT_OF).max(1)) * ONE
    }

    fn fill(&mut self, now: UtcMs) {
        self.all.fill(now);
        self.own.fill(now);
        let kept = self.kept();
        for (bucket, keeps) in [(&mut self.own, 0), (&mut self.all, kept)] {
            let pays = (bucket.level - keeps).clamp(0, self.owed);
            bucket.level -= pays;
            self.owed -= pays;
        }
    }

    fn has_place(&self, lane: Lane) -> bool {
        let places = self.pace.at_once;
        let kept = (places / KEPT_OF).max(1);
        self.urgent + self.routine < places
            && match lane {
                Lane::Urgent => self.urgent < places.saturating_sub(1).max(1),
                Lane::Routine => self.routine < places.saturating_sub(kept).max(1),
            }
    }

    /// Lets one through. Only where it opens now.
    pub(super) fn take(&mut self, lane: Lane) -> Paid {
        let from_own = lane == Lane::Routine && self.own.level >= ONE;
        let bucket = if from_own { &mut self.own } else { &mut self.all };
        bucket.level -= ONE;
        *self.places_of(lane) += 1;
        Paid { lane, from_own, placed: true }
    }

    /// One leaves whether this opens or not. It has a place if one is free for it.
    pub(super) fn owe(&mut self, lane: Lane, now: UtcMs) -> Paid {
        self.owed += ONE;
        self.fill(now);
        let placed = self.has_place(lane);
        *self.places_of(lane) += u32::from(placed);
        Paid { lane, from_own: false, placed }
    }

    /// It is over.
    pub(super) fn leave(&mut self, paid: Paid) {
        if !paid.placed {
            return;
        }
        let places = self.places_of(paid.lane);
        *places = places.saturating_sub(1);
    }

    /// It was not handed over after all.
    pub(super) fn give_back(&mut self, paid: Paid) {
        let bucket = if paid.from_own { &mut self.own } else { &mut self.all };
        bucket.put_back();
        self.leave(paid);
    }

    const fn places_of(&mut self, lane: Lane) -> &mut u32 {
        match lane {
            Lane::Urgent => &mut self.urgent,
            Lane::Routine => &mut self.routine,
        }
    }

    /// As good as a new one.
    pub(super) fn is_idle(&mut self, now: UtcMs) -> bool {
        self.fill(now);
        self.urgent + self.routine == 0 && self.all.level == self.all.most && self.own.level == self.own.most
    }
}
