//! One media thread's legs and who hears whom. Driven by [`Shard::tick`] each 20 ms and [`Shard::pump`] in
//! between; told what to do by [`Command`]s, which take force at the next of either.
//!
//! Two legs that hear exactly each other, in the same codec and packet time and with no one else listening, are
//! relayed: packets go on as they come, at the pump. Everyone else is mixed at the tick. A leg moves whole, with its
//! count of beats, and commands for one that is on its way wait for it. Always: a panic in what is done for one leg ends
//! that leg alone, any other the legs that are here, which are told of as closed, and the shard goes on; a
//! leg that has gone is simply no longer heard; we allocate nothing per packet (`rtc` does).

mod record;

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendError;

use crate::base::clock::SharedClock;
use crate::domain::call::bridge::{BridgeId, HearMatrix, KeysBound, LegId, Source};
use crate::io::recording::{Kind, Tap};
use crate::proto::audio::frame::{FRAME, Frame, SILENCE};
use crate::proto::audio::mix::Mix;
use crate::proto::audio::tone;
use crate::proto::rtp::packet::Header;
use crate::proto::rtp::telephone_event::Part;

use super::hush::Hush;
use super::inbox::{Inbox, Taken};
use super::keys::binds_event;
use super::leg::{Heard, Leg, Notice};
use super::news::Teller;
use super::ready::{Port, Ready};
use super::{LegStats, MediaEvent, PlayId, Prompt, RtpParameters};

/// Datagrams taken from one socket at a pump, so that a flood cannot hold the tick.
const MAX_BURST: usize = 32;
/// Beats that two shards of one process are apart at most; a leg's count that differs by more is none of theirs.
const MAX_APART: u64 = 8;
/// Beats that fail one after another before a shard gives up.
const MAX_FAILURES: u32 = 5;
/// Longer than any datagram that is heard.
const SCRATCH: usize = 2_048;

/// What a shard is asked for.
#[derive(Debug)]
pub(super) enum Command {
    Open(Box<Leg>),
    Connect(LegId, RtpParameters),
    AnswerWeb(LegId, String),
    RestartWeb(LegId),
    SetBridge(BridgeId, u64, HearMatrix),
    DropBridge(BridgeId),
    Play {
        leg: LegId,
        play: PlayId,
        prompt: Arc<Prompt>,
        repeat: bool,
    },
    Stop(LegId, PlayId),
    BindDigits(LegId, KeysBound),
    PressKeys(LegId, String),
    /// This leg's call is recorded from now on, until the leg ends.
    Record(LegId, Box<Tap>),
    SetRecording(LegId, Kind),
    /// These legs go to another shard, together.
    Move(Vec<LegId>, mpsc::UnboundedSender<Self>),
    /// These legs will come from another shard; what is said to them before waits.
    Expect(Vec<LegId>),
    /// The legs that were expected, those of them that are still there.
    Arrive(Vec<LegId>, Vec<Box<Leg>>),
    Close(LegId),
}

impl Command {
    /// Whom it is for, where it is for some legs alone.
    fn legs(&self) -> &[LegId] {
        match self {
            Self::Connect(leg, _)
            | Self::AnswerWeb(leg, _)
            | Self::RestartWeb(leg)
            | Self::Play { leg, .. }
            | Self::Stop(leg, _)
            | Self::BindDigits(leg, _)
            | Self::PressKeys(leg, _)
            | Self::Record(leg, _)
            | Self::SetRecording(leg, _)
            | Self::Close(leg) => std::slice::from_ref(leg),
            Self::Move(legs, _) => legs,
            Self::Open(_) | Self::SetBridge(..) | Self::DropBridge(_) | Self::Expect(_) | Self::Arrive(..) => &[],
        }
    }
}

/// What one leg hears, by places in the shard's list of legs.
#[derive(Debug, Default)]
struct Hears {
    legs: Vec<usize>,
    music: bool,
    ringback: bool,
    /// How many legs hear this one.
    listeners: usize,
    /// Who else is in its bridge, if it is recorded.
    beside: Vec<usize>,
    /// The leg to which this one's packets go on directly.
    relay_to: Option<usize>,
    /// Its own far end gets another leg's packets directly.
    relayed: bool,
}

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

    fn pump_leg(&mut self, now: Instant, i: usize, scratch: &mut [u8]) {
        let relay_to = self.plan.get(i).and_then(|hears| hears.relay_to);
        // The leg steps aside while its packets touch another.
        let (mut pressed, mut relayed) = ([None; 16], false);
        let (leg, mut other) = match relay_to {
            Some(to) if to != i => {
                let (low, high) = self.legs.split_at_mut(i.max(to));
                let (low, high): (&mut [Box<Leg>], &mut Leg) = (low, &mut high[0]);
                if to < i { (high, Some(&mut *low[to])) } else { (&mut *low[i], Some(high)) }
            }
            _ => (&mut *self.legs[i], None),
        };
        let id = leg.id;
        leg.receive(now, scratch, |leg: &mut Leg, header: &Header, payload: &[u8], heard: Heard| {
            if let Heard::Key(part @ Some(_)) = heard
                && let Some(free) = pressed.iter_mut().find(|p| p.is_none())
            {
                *free = part;
            }
            if let Some(other) = &mut other {
                relayed = true;
                if matches!(heard, Heard::Key(_)) && binds_event(leg.bound, payload) {
                    other.swallow(header);
                } else {
                    other.relay(header, payload, heard);
                }
            }
        });
        if relayed && let Some(other) = other {
            other.flush();
        }
        for part in pressed.into_iter().flatten() {
            if part.begun {
                self.tell(MediaEvent::Digit { leg: id, digit: part.key, at: now });
            }
            if relay_to.is_none() {
                self.pass_key_on(i, &part);
            }
        }
    }

    /// Whoever hears the leg gets its keys too, unless they are ours.
    fn pass_key_on(&mut self, i: usize, part: &Part) {
        if self.legs[i].bound.binds(part.key) {
            return;
        }
        for j in 0..self.legs.len() {
            if j != i && self.plan.get(j).is_some_and(|h| h.legs.contains(&i)) {
                self.legs[j].follow_key(part);
                // Whoever gets a key cannot be relayed to meanwhile.
                self.stale = true;
            }
        }
    }

    fn pull(&mut self, now: Instant, i: usize) {
        let leg = &mut self.legs[i];
        let (frame, key, lost_end) = leg.pull();
        let id = leg.id;
        self.frames[i] = frame;
        if let Some(part) = lost_end
            && self.plan.get(i).is_some_and(|hears| hears.relay_to.is_none())
        {
            self.pass_key_on(i, &part);
        }
        if let Some(key) = key {
            // The tones themselves have been heard: telling is all that is left to do.
            self.tell(MediaEvent::Digit { leg: id, digit: key, at: now });
        }
    }

    fn say(&mut self, i: usize) {
        let (leg, hears) = (&mut self.legs[i], &self.plan[i]);
        if hears.relayed {
            leg.pass();
            return;
        }
        if leg.is_pressing() {
            // When the last key is out the leg may be relayed again.
            self.stale = true;
        }
        let Some(codec) = leg.agreed.map(|a| a.codec) else { return };
        if let Some((sound, ended)) = leg.next_of_prompt() {
            leg.say(&sound);
            if let Some((play, prompt)) = ended {
                let leg = leg.id;
                self.stale = true;
                self.news.spend(Some(prompt));
                self.tell(MediaEvent::PlayDone { leg, play });
            }
            return;
        }
        let sound = match (hears.legs.is_empty(), hears.music, hears.ringback) {
            (true, false, false) => [codec.silence(); FRAME],
            (true, true, false) => self.sounds.music.encoded_round(codec, leg.next_of_music()),
            (true, false, true) => self.sounds.ringback.encoded_round(codec, leg.next_of_ringback()),
            _ => {
                self.mix.clear();
                for from in &hears.legs {
                    self.mix.add(&self.frames[*from]);
                }
                if hears.music {
                    self.mix.add(&self.sounds.music.frame_round(leg.next_of_music()));
                }
                if hears.ringback {
                    self.mix.add(&self.sounds.ringback.frame_round(leg.next_of_ringback()));
                }
                leg.encode(codec, &self.mix.frame())
            }
        };
        leg.say(&sound);
    }

    fn take_commands(&mut self, now: Instant) -> bool {
        loop {
            match self.commands.take() {
                Taken::Message(command) => self.command(now, command),
                Taken::Nothing => return true,
                Taken::Closed => return false,
            }
        }
    }

    fn command(&mut self, now: Instant, command: Command) {
        self.stale = true;
        let awaited = command.legs().iter().find(|leg| self.expected.contains_key(*leg));
        if let Some(waiting) = awaited.copied().and_then(|leg| self.expected.get_mut(&leg)) {
            waiting.push(command);
            return;
        }
        match command {
            Command::Open(leg) => self.take_in(now, leg),
            Command::Expect(legs) => self.expected.extend(legs.into_iter().map(|leg| (leg, Vec::new()))),
            Command::Arrive(asked, legs) => {
                for leg in legs {
                    self.take_in(now, leg);
                }
                // All are known by now, so that what is said to some of them together can be done.
                let waiting: Vec<_> = asked.iter().filter_map(|leg| self.expected.remove(leg)).flatten().collect();
                for command in waiting {
                    self.command(now, command);
                }
            }
            Command::Connect(leg, parameters) => self.with(leg, |leg| leg.connect(now, &parameters)),
            Command::AnswerWeb(id, answer) => {
                // A later answer of no use (too late, or to nothing we asked) leaves the path as it is.
                if self.with(id, |leg| !leg.answer(now, &answer) && leg.agreed.is_none()) {
                    self.tell(MediaEvent::WebDown { leg: id });
                }
            }
            Command::RestartWeb(id) => {
                let offer = self.with(id, |leg| leg.restart(now));
                self.tell(match offer {
                    Some(offer) => MediaEvent::WebOffer { leg: id, offer },
                    None => MediaEvent::WebNoOffer { leg: id },
                });
            }
            Command::SetBridge(bridge, rev, matrix) => {
                if self.bridges.get(&bridge).is_some_and(|known| known.rev >= rev) {
                    return;
                }
                self.rewind_new_ringing(bridge, &matrix);
                self.bridges.insert(bridge, Bridge { rev, matrix });
                self.tell(MediaEvent::Bridged { bridge, rev });
            }
            Command::DropBridge(bridge) => {
                self.bridges.remove(&bridge);
            }
            Command::Play { leg, play, prompt, repeat } => {
                let before = self.with(leg, |leg| leg.play(play, prompt, repeat));
                self.news.spend(before);
            }
            Command::Stop(leg, play) => {
                let stopped = self.with(leg, |leg| leg.stop(play));
                self.news.spend(stopped);
            }
            Command::BindDigits(leg, bound) => self.with(leg, |leg| {
                leg.bound = bound;
                leg.hush = Hush::default();
            }),
            Command::PressKeys(leg, keys) => self.with(leg, |leg| leg.press_keys(keys.chars())),
            Command::Record(leg, tap) => self.with(leg, |leg| leg.tap = Some(tap)),
            Command::SetRecording(leg, kind) => self.with(leg, |leg| {
                if let Some(tap) = &mut leg.tap {
                    tap.set(kind);
                }
            }),
            Command::Move(asked, to) => {
                let legs = asked.iter().filter_map(|leg| self.remove(*leg)).collect();
                // A shard that gave up takes nobody in.
                if let Err(SendError(Command::Arrive(_, legs))) = to.send(Command::Arrive(asked, legs)) {
                    for leg in legs {
                        self.bury(now, leg);
                    }
                }
            }
            Command::Close(leg) => self.close(now, leg),
        }
    }

    /// A leg that begins to hear ringing hears it from its beginning.
    fn rewind_new_ringing(&mut self, bridge: BridgeId, matrix: &HearMatrix) {
        let before = self.bridges.get(&bridge);
        for leg in &mut self.legs {
            let rings = |m: &HearMatrix| m.heard_by(leg.id).contains(&Source::Ringback);
            if rings(matrix) && !before.is_some_and(|b| rings(&b.matrix)) {
                leg.rewind();
            }
        }
    }

    /// Does something with a leg and says what came of it: nothing, if it is not here or fell at it.
    fn with<T: Default>(&mut self, id: LegId, act: impl FnOnce(&mut Leg) -> T) -> T {
        let mut done = T::default();
        if let Some(at) = self.places.get(&id).copied() {
            self.guarded(at, |shard| done = act(&mut shard.legs[at]));
        }
        done
    }

    /// A leg comes to this shard, new or from another.
    fn take_in(&mut self, now: Instant, mut leg: Box<Leg>) {
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

    fn remove(&mut self, id: LegId) -> Option<Box<Leg>> {
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

    fn close(&mut self, now: Instant, id: LegId) {
        if let Some(leg) = self.remove(id) {
            self.bury(now, leg);
        }
    }

    /// Ends a leg that is on no shard any more.
    fn bury(&mut self, now: Instant, mut leg: Box<Leg>) {
        let utc = self.clock.utc();
        let closed = catch_unwind(AssertUnwindSafe(|| leg.close(now, utc)));
        let stats = closed.unwrap_or_else(|_| last_stats(&mut leg));
        self.news.end(leg, stats);
    }

    /// Closes all that is left: the process ends, or what was done for all of them together failed.
    pub(super) fn close_all(&mut self, now: Instant) {
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

    /// Runs one leg's share; if it panics that leg falls, and no other.
    fn guarded(&mut self, i: usize, act: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| act(self))).is_err() {
            let id = self.legs[i].id;
            if !self.fallen.contains(&id) {
                self.fallen.push(id);
            }
        }
    }

    /// Runs what is no single leg's share. If it panics nothing here can be relied on: all legs end and are told of, and the
    /// shard begins anew. One that cannot even do that says no.
    fn kept(&mut self, now: Instant, act: impl FnOnce(&mut Self) -> bool) -> bool {
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

    fn clear_fallen(&mut self) {
        while let Some(id) = self.fallen.pop() {
            tracing::error!(leg = id.0, "a leg's media failed and was ended");
            if let Some(mut leg) = self.remove(id) {
                let stats = last_stats(&mut leg);
                self.news.end(leg, stats);
            }
        }
    }

    /// Works out anew who hears whom and which pairs are relayed.
    fn replan(&mut self) {
        if !self.stale {
            return;
        }
        self.stale = false;
        #[cfg(test)]
        if let Some(left) = self.faults.checked_sub(1) {
            self.faults = left;
            panic!("a fault was asked for");
        }
        self.plan.resize_with(self.legs.len(), Hears::default);
        for hears in &mut self.plan {
            hears.legs.clear();
            (hears.music, hears.ringback, hears.relay_to, hears.relayed) = (false, false, None, false);
            hears.listeners = 0;
        }
        let place = |id: LegId| self.places.get(&id).copied();
        for (leg, sources) in self.bridges.values().flat_map(|bridge| &bridge.matrix.rows) {
            let Some(at) = place(*leg) else { continue };
            let hears = &mut self.plan[at];
            for source in sources {
                match source {
                    Source::Music => hears.music = true,
                    Source::Ringback => hears.ringback = true,
                    Source::Leg(other) => {
                        if let Some(other) = place(*other)
                            && !hears.legs.contains(&other)
                        {
                            hears.legs.push(other);
                        }
                    }
                }
            }
        }
        for i in 0..self.legs.len() {
            for n in 0..self.plan[i].legs.len() {
                let heard = self.plan[i].legs[n];
                self.plan[heard].listeners += 1;
            }
        }
        self.plan_recordings();
        for i in 0..self.legs.len() {
            if let Some(j) = self.relays_with(i) {
                self.plan[i].relay_to = Some(j);
                self.plan[i].relayed = true;
            }
        }
    }

    /// The one leg that `i` hears and is heard by, if the two can be relayed.
    fn relays_with(&self, i: usize) -> Option<usize> {
        let only = |a: usize| match self.plan[a].legs[..] {
            [b] if b != a && !self.plan[a].music && !self.plan[a].ringback => Some(b),
            _ => None,
        };
        let j = only(i).filter(|j| only(*j) == Some(i))?;
        let listeners = |a: usize| self.plan[a].listeners;
        let (a, b) = (&self.legs[i], &self.legs[j]);
        let (one, two) = (a.agreed?, b.agreed?);
        let alike = one.codec == two.codec
            && one.samples == two.samples
            && one.comfort_noise == two.comfort_noise
            && one.telephone_event.is_some() == two.telephone_event.is_some();
        // Tones that are for us alone can be taken out of sound that is mixed, not out of packets.
        let ours = |leg: &Leg| leg.bound == KeysBound::All && leg.keys_in_band();
        let plain = |leg: &Leg| !leg.is_playing() && !leg.is_pressing() && !ours(leg);
        (alike && plain(a) && plain(b) && listeners(i) == 1 && listeners(j) == 1).then_some(j)
    }

    fn tell(&mut self, event: MediaEvent) {
        self.news.tell(event);
    }

    #[cfg(test)]
    pub(super) fn leg(&mut self, id: LegId) -> &mut Leg {
        self.legs.iter_mut().find(|leg| leg.id == id).expect("the test opened this leg")
    }
}

/// The figures of a leg that failed, unless they fail too.
fn last_stats(leg: &mut Leg) -> LegStats {
    catch_unwind(AssertUnwindSafe(|| leg.stats())).unwrap_or_default()
}
