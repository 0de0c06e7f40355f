//! Legs that come to a shard and go from it: their places in its list, and their sockets in the set that it watches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::faults::last_stats;
use super::{Leg, Shard};
use crate::domain::call::bridge::LegId;
use crate::io::media::ready::Port;
use crate::proto::audio::frame::SILENCE;

/// Beats that two shards of one process are apart at most; a leg's count that differs by more is none of theirs.
const MAX_APART: u64 = 8;

impl Shard {
    /// A leg comes to this shard, new or from another.
    pub(super) fn take_in(&mut self, now: Instant, mut leg: Box<Leg>) {
        let (id, at) = (leg.id, self.legs.len());
        leg.beat = leg.beat.filter(|had| had.abs_diff(self.beat) <= MAX_APART).or(Some(self.beat));
        let (media, rtcp) = leg.sockets();
        let watched = self.ready.add(media, at, Port::Media);
        let watched = watched.and_then(|()| rtcp.map_or(Ok(()), |rtcp| self.ready.add(rtcp, at, Port::Rtcp)));
        self.places.insert(id, at);
        self.legs.push(leg);
        self.frames.push(SILENCE);
        if let Err(error) = watched {
            tracing::error!(leg = id.0, %error, "a leg's sockets cannot be watched: it is ended");
            self.close(now, id);
        }
    }

    pub(super) fn remove(&mut self, id: LegId) -> Option<Box<Leg>> {
        let at = self.places.remove(&id)?;
        self.frames.swap_remove(at);
        self.stale = true;
        let gone = self.legs.swap_remove(at);
        let (media, rtcp) = gone.sockets();
        self.ready.remove(media);
        if let Some(rtcp) = rtcp {
            self.ready.remove(rtcp);
        }
        // The last one has its place now.
        if let Some(leg) = self.legs.get(at) {
            self.places.insert(leg.id, at);
            let (media, rtcp) = leg.sockets();
            let moved = self.ready.replace(media, at, Port::Media);
            let moved = moved.and_then(|()| rtcp.map_or(Ok(()), |rtcp| self.ready.replace(rtcp, at, Port::Rtcp)));
            if let Err(error) = moved {
                tracing::error!(leg = leg.id.0, %error, "a leg's sockets cannot be watched: it is ended");
                self.fallen.push(leg.id);
            }
        }
        Some(gone)
    }

    pub(super) fn close(&mut self, now: Instant, id: LegId) {
        if let Some(leg) = self.remove(id) {
            self.bury(now, leg);
        }
    }

    /// Ends a leg that is on no shard any more.
    pub(super) fn bury(&mut self, now: Instant, mut leg: Box<Leg>) {
        let utc = self.clock.utc();
        let closed = catch_unwind(AssertUnwindSafe(|| leg.close(now, utc)));
        let stats = closed.unwrap_or_else(|_| last_stats(&mut leg));
        self.news.end(leg, stats);
    }

    /// Closes all that is left: the process ends, or what was done for all of them together failed.
    pub(in crate::io::media) fn close_all(&mut self, now: Instant) {
        self.places.clear();
        self.frames.clear();
        self.plan.clear();
        self.stale = true;
        for leg in std::mem::take(&mut self.legs) {
            let (media, rtcp) = leg.sockets();
            self.ready.remove(media);
            if let Some(rtcp) = rtcp {
                self.ready.remove(rtcp);
            }
            self.bury(now, leg);
        }
    }
}
