//! One media thread's legs and who hears whom. Driven by [`Shard::tick`] each 20 ms and [`Shard::pump`] in
//! between; told what to do by [`Command`]s, which take force at the next of either.
//!
//! Two legs that hear exactly each other, in the same codec and packet time and with no one else listening, are
//! relayed: packets go on as they come, at the pump. Everyone else is mixed at the tick. A leg moves whole, with its
//! count of beats, and commands for one that is on its way wait for it. Always: a panic in what is done for one leg ends
//! that leg alone, any other the legs that are here, which are told of as closed, and the shard goes on; a
//! leg that has gone is simply no longer heard; we allocate nothing per packet (`rtc` does).

mod command;
mod faults;
mod places;
mod plan;
mod record;
mod sound;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use crate::base::clock::SharedClock;
use crate::domain::call::bridge::{BridgeId, HearMatrix, LegId};
use crate::proto::audio::frame::Frame;
use crate::proto::audio::mix::Mix;
use crate::proto::audio::tone;

use super::inbox::Inbox;
use super::leg::{Leg, Notice};
use super::news::Teller;
use super::ready::{Port, Ready};
use super::{MediaEvent, Prompt};
use plan::Hears;

pub(super) use command::Command;

/// Datagrams taken from one socket at a pump, so that a flood cannot hold the tick.
const MAX_BURST: usize = 32;
/// Longer than any datagram that is heard.
const SCRATCH: usize = 2_048;

#[derive(Debug)]
struct Bridge {
    rev: u64,
    matrix: HearMatrix,
}

/// Sounds every leg may hear.
#[derive(Clone, Debug)]
pub(super) struct Sounds {
    pub(super) music: Arc<Prompt>,
    pub(super) ringback: Arc<Prompt>,
}

impl Sounds {
    pub(super) fn new(music: Arc<Prompt>) -> Self {
        Self { music, ringback: Arc::new(Prompt::from_pcm(tone::ringback())) }
    }
}

/// A shard.
#[derive(Debug)]
pub(super) struct Shard {
    /// Each in a place of its own in memory: when the list grows it must not be copied with all that is in it, in the
    /// middle of a beat; and what many legs took is given back when they have gone.
    legs: Vec<Box<Leg>>,
    /// Where in `legs` each is.
    places: HashMap<LegId, usize>,
    ready: Ready,
    /// Legs on their way here, and what waits for them.
    expected: HashMap<LegId, Vec<Command>>,
    /// Ticks so far: the same on all shards of a process.
    beat: u64,
    /// What each leg says and hears now; as long as `legs`.
    frames: Vec<Frame>,
    plan: Vec<Hears>,
    /// The plan no longer fits the legs and bridges.
    stale: bool,
    bridges: HashMap<BridgeId, Bridge>,
    commands: Inbox<Command>,
    news: Teller,
    clock: SharedClock,
    sounds: Sounds,
    mix: Mix,
    scratch: Vec<u8>,
    fallen: Vec<LegId>,
    /// Beats and pumps in a row that failed as a whole.
    failures: u32,
    /// How many times more a test has it fail.
    #[cfg(test)]
    pub(super) faults: u32,
}

impl Shard {
    pub(super) fn new(commands: Inbox<Command>, news: Teller, clock: SharedClock, sounds: Sounds) -> io::Result<Self> {
        Ok(Self {
            legs: Vec::new(),
            places: HashMap::new(),
            ready: Ready::new()?,
            expected: HashMap::new(),
            beat: 0,
            frames: Vec::new(),
            plan: Vec::new(),
            stale: false,
            bridges: HashMap::new(),
            commands,
            news,
            clock,
            sounds,
            mix: Mix::default(),
            scratch: vec![0; SCRATCH],
            fallen: Vec::new(),
            failures: 0,
            #[cfg(test)]
            faults: 0,
        })
    }

    /// Takes commands and what has come in, and passes on what is relayed. False when nobody can give commands
    /// any more.
    pub(super) fn pump(&mut self, now: Instant) -> bool {
        self.kept(now, |shard| shard.pump_all(now))
    }

    /// 20 ms pass. False when nobody can give commands any more, or when the shard has failed too often.
    pub(super) fn tick(&mut self, now: Instant) -> bool {
        self.kept(now, |shard| shard.tick_all(now))
    }

    fn pump_all(&mut self, now: Instant) -> bool {
        let open = self.take_commands(now);
        self.replan();
        let mut scratch = std::mem::take(&mut self.scratch);
        for _ in 0..MAX_BURST {
            let ready = self.ready.look();
            if ready == 0 {
                break;
            }
            for n in 0..ready {
                let Some((i, port)) = self.ready.at(n).filter(|(i, _)| *i < self.legs.len()) else { continue };
                self.guarded(i, |shard| match port {
                    Port::Media => shard.pump_leg(now, i, &mut scratch),
                    Port::Rtcp => shard.legs[i].receive_rtcp(now, &mut scratch),
                });
            }
        }
        self.scratch = scratch;
        self.clear_fallen();
        open
    }

    fn tick_all(&mut self, now: Instant) -> bool {
        let open = self.pump_all(now);
        // What a leg missed on its way here, while the others' last words still stand.
        while self.legs.iter().any(|leg| leg.beat < Some(self.beat)) {
            self.play_beat(now);
        }
        self.beat += 1;
        self.play_beat(now);
        let utc = self.clock.utc();
        for i in 0..self.legs.len() {
            self.guarded(i, |shard| {
                let leg = &mut shard.legs[i];
                let id = leg.id;
                for notice in leg.keep(now, utc).into_iter().flatten() {
                    shard.tell(match notice {
                        Notice::Silent => MediaEvent::Silent { leg: id },
                        Notice::Gone => MediaEvent::Gone { leg: id },
                        Notice::Heard => MediaEvent::Heard { leg: id },
                        Notice::WebUp => MediaEvent::WebUp { leg: id },
                        Notice::WebDown => MediaEvent::WebDown { leg: id },
                        Notice::Quality(quality) => MediaEvent::Quality { leg: id, quality },
                    });
                }
            });
        }
        self.clear_fallen();
        self.news.flush();
        open
    }

    /// A beat for each leg that has not had it, on this shard or on the one it came from.
    fn play_beat(&mut self, now: Instant) {
        for i in 0..self.legs.len() {
            if self.legs[i].beat < Some(self.beat) {
                self.guarded(i, |shard| shard.pull(now, i));
            }
        }
        self.replan();
        self.record_beat();
        for i in 0..self.legs.len() {
            if let Some(had) = self.legs[i].beat.filter(|had| *had < self.beat) {
                self.guarded(i, |shard| shard.say(i));
                self.legs[i].beat = Some(had + 1);
            }
        }
    }

    /// Ticks that were missed: their time passes unsaid.
    pub(super) fn skip(&mut self, now: Instant, ticks: u32) {
        self.kept(now, |shard| {
            shard.skip_all(ticks);
            true
        });
    }

    fn skip_all(&mut self, ticks: u32) {
        self.beat += u64::from(ticks);
        for leg in &mut self.legs {
            for _ in 0..ticks.min(3_000) {
                leg.pass();
            }
            leg.beat = leg.beat.map(|had| had + u64::from(ticks));
            if let Some(tap) = &mut leg.tap {
                tap.skip(ticks);
            }
        }
    }

    /// How many legs there are.
    pub(super) fn len(&self) -> usize {
        self.legs.len()
    }

    fn tell(&mut self, event: MediaEvent) {
        self.news.tell(event);
    }

    #[cfg(test)]
    pub(super) fn leg(&mut self, id: LegId) -> &mut Leg {
        self.legs.iter_mut().find(|leg| leg.id == id).expect("the test opened this leg")
    }
}
