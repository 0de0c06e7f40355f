//! The loop of a shard's thread: ticks at absolute deadlines, the same for all shards, so that they neither drift nor
//! part; pumps in between, and when its bell is rung. And how late the beat comes: what an operator hears of a machine that has too much to do.
//!
//! Always: a shard that cannot keep up gives up ticks, not sleep for ever; no tick is made up for that nobody would
//! hear any more.

use std::thread;
use std::time::{Duration, Instant};

use metrics::{Counter, Gauge};
use rustix::process::setpriority_process;
use rustix::thread::gettid;
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

use crate::base::clock::SharedClock;

use super::bell::Bell;
use super::shard::Shard;

const TICK: Duration = Duration::from_millis(20);
/// Between two looks at the sockets: how long a relayed packet may lie.
const PUMP: Duration = Duration::from_millis(5);
/// How far ahead of everything else media threads go where they may not go first (setpriority(2)).
const NICE: i32 = -11;
/// Ticks that are made up for at once; more are skipped.
const MAX_CATCH_UP: u32 = 3;
/// A tick that begins later than this is late.
const LATE: Duration = Duration::from_millis(5);
/// Ticks over which the worst is kept: 5 s.
const SPAN: u32 = 250;

/// Ahead of everything else, where that is allowed: a beat that is late is heard, a page that is late is not. The
/// lowest of the real-time priorities (sched(7)) is enough for that. A lower nice value alone is not: it buys a larger
/// share, and still waits until whoever has the core has used up his turn: 60 ms at worst beside seven compilers on two
/// cores.
fn go_first() {
    let first = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin);
    let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, first) else { return };
    let ahead = setpriority_process(Some(gettid()), NICE).is_ok();
    tracing::info!(%error, ahead, "no real-time priority for media threads: LimitRTPRIO=1 steadies the beat");
}

/// How late ticks are, for the metrics; these are looked up once, which takes a lock.
struct Lateness {
    ticks: Counter,
    late: Counter,
    skipped: Counter,
    worst_ms: Gauge,
    worst: Duration,
    left: u32,
}

impl Lateness {
    fn new() -> Self {
        let shard = thread::current().name().unwrap_or_default().to_owned();
        Self {
            ticks: metrics::counter!("cordboard_media_ticks_total"),
            late: metrics::counter!("cordboard_media_ticks_late_total"),
            skipped: metrics::counter!("cordboard_media_ticks_skipped_total"),
            worst_ms: metrics::gauge!("cordboard_media_tick_worst_ms", "shard" => shard),
            worst: Duration::ZERO,
            left: SPAN,
        }
    }

    /// A tick begins so long after its time.
    fn note(&mut self, by: Duration) {
        self.ticks.increment(1);
        self.late.increment(u64::from(by > LATE));
        self.worst = self.worst.max(by);
        self.left -= 1;
        if self.left == 0 {
            self.worst_ms.set(self.worst.as_secs_f64() * 1e3);
            (self.worst, self.left) = (Duration::ZERO, SPAN);
        }
    }
}

/// A shard's thread. Its ticks are at `next` and every 20 ms after it.
pub(super) fn run(mut shard: Shard, clock: &SharedClock, mut next: Instant, bell: &Bell) {
    go_first();
    let mut lateness = Lateness::new();
    let mut look = next;
    loop {
        let now = clock.instant();
        let by_itself = now >= look;
        if by_itself {
            // Before the commands are taken: whoever rings after that is heard.
            bell.heard();
        }
        if now >= next {
            lateness.note(now - next);
            if !shard.tick(now) {
                shard.close_all(now);
                return;
            }
            next += TICK;
            next = caught_up(&mut shard, next, clock.instant(), &lateness.skipped);
        } else {
            shard.pump(now);
        }
        let now = clock.instant();
        // The first legs end a long rest.
        let rest = if shard.len() == 0 { next } else { next.min(now + PUMP) };
        look = if by_itself { rest } else { look.min(rest) };
        thread::park_timeout(look.saturating_duration_since(now));
    }
}

/// The next deadline, after giving up the ticks that are too many to make up for.
fn caught_up(shard: &mut Shard, next: Instant, now: Instant, counter: &Counter) -> Instant {
    let behind = now.saturating_duration_since(next).as_millis() / TICK.as_millis();
    let behind = u32::try_from(behind).unwrap_or(u32::MAX);
    if behind <= MAX_CATCH_UP {
        return next;
    }
    let skipped = behind - MAX_CATCH_UP;
    shard.skip(now, skipped);
    counter.increment(u64::from(skipped));
    next + TICK * skipped
}
