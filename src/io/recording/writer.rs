//! The one thread that writes recordings. It looks for blocks 20 times a second, gathers them into seconds, seals each
//! and writes it at once.
//!
//! A killed process loses what was not yet handed to the system: the second being gathered, a block, and the time
//! between two looks. Against a power cut each file is also flushed to the disk every second, by another thread
//! (`flusher`), so that nothing waits here for that. What the disk refuses is gone and becomes a gap, which is written
//! when it takes bytes again.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::mpsc::{Receiver, RecvError, SendError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rtrb::PopError;

use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::CallId;
use crate::io::store::seal::Seal;

use super::flusher::{Flush, Flusher};
use super::segment::{SECOND, Sealer, Second};
use super::shelf::{Reel, Shelf};
use super::tap::{Block, BlockEnds, Kind};
use super::{Ended, Figures, Health};

/// Between two looks for blocks.
const LOOK: Duration = Duration::from_millis(50);
/// A file is flushed to the disk this often, if the disk is fast enough.
const FLUSH: Duration = Duration::from_secs(1);
/// How long the end of a recording is tried to be written to a disk that refuses.
const PATIENCE: Duration = Duration::from_secs(60);

/// A recording that begins.
#[derive(Debug)]
pub(super) struct New {
    pub(super) call: CallId,
    pub(super) started_at: UtcMs,
    pub(super) blocks: BlockEnds,
}

/// A recording being written.
struct Running {
    call: CallId,
    blocks: BlockEnds,
    reel: Option<Arc<dyn Reel>>,
    sealer: Sealer,
    /// What the file begins with, until it is written.
    head: Option<Vec<u8>>,
    second: Second,
    /// Whole seconds that the disk refused and that are to be written as gaps.
    owed: u64,
    /// The next segment.
    number: u64,
    /// How long the file is, but for what a write that failed may have left.
    len: u64,
    torn: bool,
    /// The next frame.
    at: u64,
    figures: Figures,
    unflushed_since: Option<Instant>,
    /// A flush was asked for and is not done.
    flushing: Arc<AtomicBool>,
    /// The tap is gone.
    over_since: Option<Instant>,
    retry_at: Option<Instant>,
}

pub(super) struct Writer {
    new: Receiver<New>,
    shelf: Box<dyn Shelf>,
    seal: Arc<Seal>,
    clock: SharedClock,
    health: Arc<Health>,
    flushes: Sender<Flush>,
    /// For when its thread is gone.
    flusher: Flusher,
    running: VecDeque<Running>,
}

impl Writer {
    pub(super) fn new(
        new: Receiver<New>,
        shelf: Box<dyn Shelf>,
        seal: Arc<Seal>,
        clock: SharedClock,
        health: Arc<Health>,
        flushes: Sender<Flush>,
        flusher: Flusher,
    ) -> Self {
        Self { new, shelf, seal, clock, health, flushes, flusher, running: VecDeque::new() }
    }

    /// Until nobody can begin a recording any more and the last one is over.
    pub(super) fn run(mut self) {
        loop {
            // With nothing to do it sleeps until there is.
            if self.running.is_empty() {
                match self.new.recv() {
                    Ok(new) => self.begin(new),
                    Err(RecvError) => return,
                }
            }
            self.turn();
            thread::sleep(LOOK);
        }
    }

    fn begin(&mut self, new: New) {
        let (sealer, head) = Sealer::new(&self.seal, &new.call, new.started_at);
        self.running.push_back(Running::new(new, sealer, head));
    }

    /// Writes what has come since the last time.
    pub(super) fn turn(&mut self) {
        while let Ok(new) = self.new.try_recv() {
            self.begin(new);
        }
        let now = self.clock.instant();
        for _ in 0..self.running.len() {
            let Some(mut one) = self.running.pop_front() else { break };
            match one.turn(now, &mut *self.shelf, &self.health) {
                None => self.running.push_back(one),
                Some(complete) => {
                    let end = Ended { call: one.call.clone(), figures: one.figures, complete };
                    match one.flush() {
                        Some(flush) => self.ask(Flush { end: Some(end), ..flush }),
                        None => self.flusher.tell(end),
                    }
                }
            }
        }
        let due = |one: &mut Running| one.is_due(now).then(|| one.flush())?;
        for flush in self.running.iter_mut().filter_map(due).collect::<Vec<_>>() {
            self.ask(flush);
        }
    }

    fn ask(&self, flush: Flush) {
        if let Err(SendError(flush)) = self.flushes.send(flush) {
            // Here then: slower, but nothing is left out.
            self.flusher.flush(flush);
        }
    }
}

impl Running {
    fn new(new: New, sealer: Sealer, head: Vec<u8>) -> Self {
        Self {
            call: new.call,
            blocks: new.blocks,
            reel: None,
            sealer,
            head: Some(head),
            second: Second::default(),
            owed: 0,
            number: 0,
            len: 0,
            torn: false,
            at: 0,
            figures: Figures::default(),
            unflushed_since: None,
            flushing: Arc::default(),
            over_since: None,
            retry_at: None,
        }
    }

    /// Writes what has come. Tells when it is over, and whether its end was written.
    fn turn(&mut self, now: Instant, shelf: &mut dyn Shelf, health: &Health) -> Option<bool> {
        while self.over_since.is_none() {
            // Asked first, and seen first: what the tap sent last is there once it has gone.
            let gone = self.blocks.full.is_abandoned();
            fence(Ordering::Acquire);
            match self.blocks.full.pop() {
                Ok(block) => {
                    self.take(now, &block, shelf, health);
                    // There is room for all blocks.
                    let _ = self.blocks.free.push(block);
                }
                Err(PopError::Empty) if gone => self.over_since = Some(now),
                Err(PopError::Empty) => break,
            }
        }
        let over_since = self.over_since?;
        if self.retry_at.is_some_and(|at| now < at) {
            return None;
        }
        let second = std::mem::take(&mut self.second);
        if self.write(now, &second, true, shelf, health) {
            return Some(true);
        }
        // Not as a gap: it may still be written as it is.
        self.second = second;
        self.retry_at = Some(now + FLUSH);
        (now.saturating_duration_since(over_since) >= PATIENCE).then_some(false)
    }

    fn take(&mut self, now: Instant, block: &Block, shelf: &mut dyn Shelf, health: &Health) {
        while self.at < block.at() {
            self.push(now, Kind::Gap, &[], shelf, health);
        }
        for (kind, sound) in block.frames() {
            self.push(now, kind, sound, shelf, health);
        }
    }

    fn push(&mut self, now: Instant, kind: Kind, sound: &[u8], shelf: &mut dyn Shelf, health: &Health) {
        self.second.push(kind, sound);
        self.at += 1;
        self.figures.count(kind, 1);
        if !self.second.is_full() {
            return;
        }
        let second = std::mem::take(&mut self.second);
        if !self.write(now, &second, false, shelf, health) {
            self.owed += 1;
            self.figures.lose(&second);
        }
    }

    /// Writes a second, and before it what is owed. False if the disk would not.
    fn write(&mut self, now: Instant, second: &Second, last: bool, shelf: &mut dyn Shelf, health: &Health) -> bool {
        let written = self.try_write(second, last, shelf);
        match &written {
            Ok(()) => {
                self.unflushed_since.get_or_insert(now);
            }
            Err(error) => {
                self.torn = true;
                health.refuse(error);
                tracing::error!(
                    call = %self.call, code = "recording.write_failed", %error,
                    "a second of a recording could not be written: look at the disk under [recording] directory"
                );
            }
        }
        written.is_ok()
    }

    fn try_write(&mut self, second: &Second, last: bool, shelf: &mut dyn Shelf) -> io::Result<()> {
        let reel = match &mut self.reel {
            Some(reel) => reel,
            None => self.reel.insert(shelf.make(&self.call)?),
        };
        if self.torn {
            reel.cut(self.len)?;
            self.torn = false;
        }
        if let Some(head) = &self.head {
            reel.write(head, 0)?;
            self.len = head.len() as u64;
            self.head = None;
        }
        let gap = Second::gap(SECOND);
        while self.owed > 0 {
            let bytes = self.sealer.seal(self.number, false, &gap);
            reel.write(bytes, self.len)?;
            self.len += bytes.len() as u64;
            (self.number, self.owed) = (self.number + 1, self.owed - 1);
        }
        let bytes = self.sealer.seal(self.number, last, second);
        reel.write(bytes, self.len)?;
        self.len += bytes.len() as u64;
        self.number += 1;
        Ok(())
    }

    fn is_due(&self, now: Instant) -> bool {
        let waits = self.unflushed_since.is_some_and(|since| now.saturating_duration_since(since) >= FLUSH);
        waits && !self.flushing.load(Ordering::SeqCst)
    }

    /// What brings to the disk all that was written so far.
    fn flush(&mut self) -> Option<Flush> {
        let reel = Arc::clone(self.reel.as_ref()?);
        self.unflushed_since = None;
        self.flushing.store(true, Ordering::SeqCst);
        Some(Flush { call: self.call.clone(), reel, waits: Arc::clone(&self.flushing), end: None })
    }
}

impl Figures {
    /// A second that was counted is not there after all.
    fn lose(&mut self, second: &Second) {
        for kind in &second.kinds {
            let of_kind = match kind {
                Kind::Sound => &mut self.sound_ms,
                Kind::Paused => &mut self.paused_ms,
                Kind::Off => &mut self.off_ms,
                Kind::Gap => continue,
            };
            *of_kind = of_kind.saturating_sub(super::FRAME_MS);
            self.gap_ms += super::FRAME_MS;
        }
    }
}
