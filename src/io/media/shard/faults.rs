//! What a panic ends: the leg whose share it was in, or all legs of the shard; the shard goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::{Command, Leg, SCRATCH, Shard};
use crate::io::media::LegStats;

/// Beats that fail one after another before a shard gives up.
const MAX_FAILURES: u32 = 5;

impl Shard {
    /// Runs one leg's share; if it panics that leg falls, and no other.
    pub(super) fn guarded(&mut self, i: usize, act: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| act(self))).is_err() {
            let id = self.legs[i].id;
            if !self.fallen.contains(&id) {
                self.fallen.push(id);
            }
        }
    }

    /// Runs what is no single leg's share. If it panics nothing here can be relied on: all legs end and are told of, and the
    /// shard begins anew. One that cannot even do that says no.
    pub(super) fn kept(&mut self, now: Instant, act: impl FnOnce(&mut Self) -> bool) -> bool {
        if let Ok(open) = catch_unwind(AssertUnwindSafe(|| act(self))) {
            self.failures = 0;
            return open;
        }
        self.failures += 1;
        tracing::error!(legs = self.legs.len(), "a media thread's work failed: the legs on it are ended");
        self.bridges.clear();
        self.fallen.clear();
        self.scratch.resize(SCRATCH, 0);
        for (leg, waiting) in &mut self.expected {
            // Whoever is on the way here would find no bridge any more.
            *waiting = vec![Command::Close(*leg)];
        }
        let closed = catch_unwind(AssertUnwindSafe(|| self.close_all(now)));
        closed.is_ok() && self.failures < MAX_FAILURES
    }

    pub(super) fn clear_fallen(&mut self) {
        while let Some(id) = self.fallen.pop() {
            tracing::error!(leg = id.0, "a leg's media failed and was ended");
            if let Some(mut leg) = self.remove(id) {
                let stats = last_stats(&mut leg);
                self.news.end(leg, stats);
            }
        }
    }
}

/// The figures of a leg that failed, unless they fail too.
pub(super) fn last_stats(leg: &mut Leg) -> LegStats {
    catch_unwind(AssertUnwindSafe(|| leg.stats())).unwrap_or_default()
}
