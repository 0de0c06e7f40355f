//! The wave form of a recording: how loud each side was in each two-hundredth of it.
//!
//! Made of the whole sound, which is found to be what was written meanwhile; remembered for recordings that are over, as
//! those change no more. Nothing that was said can be made of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::base::id::CallId;
use crate::proto::audio::frame::FRAME;
use crate::proto::audio::g711;

use super::sound::Sound;
use super::tap::{BOTH, Kind};
use super::{FRAME_MS, RecordingError, Recordings};

/// Parts of a whole recording.
const PARTS: u64 = 200;
/// Wave forms remembered; each is less than half a kilobyte.
const REMEMBERED: usize = 256;
/// What stands for the loudest.
const LOUDEST: u32 = 100;

/// How loud a recording is, part by part, from 0 to 100.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Peaks {
    pub length_ms: u64,
    pub caller: Vec<u8>,
    /// All that our side said.
    pub ours: Vec<u8>,
}

/// Wave forms that were made lately.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<VecDeque<(CallId, Arc<Peaks>)>>);

impl Remembered {
    fn find(&self, call: &CallId) -> Option<Arc<Peaks>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(id, _)| id == call).map(|(_, peaks)| Arc::clone(peaks))
    }

    fn keep(&self, call: &CallId, peaks: &Arc<Peaks>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.pop_front();
        }
        known.push_back((call.clone(), Arc::clone(peaks)));
    }

    /// What is deleted has no wave form either.
    pub(super) fn forget(&self, calls: &[CallId]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, _)| !calls.contains(id));
    }
}

impl Recordings {
    /// The wave form of a call's recording. Reads all of the file, unless it is remembered: for a thread that may block.
    pub fn peaks(&self, call: &CallId) -> Result<Arc<Peaks>, RecordingError> {
        if let Some(known) = self.inner.peaks.find(call) {
            return Ok(known);
        }
        let sound = self.open_sound(call)?;
        let peaks = Arc::new(measure(&sound)?);
        if sound.is_complete() {
            self.inner.peaks.keep(call, &peaks);
        }
        Ok(peaks)
    }
}

fn measure(sound: &Sound) -> Result<Peaks, RecordingError> {
    let frames = sound.frames();
    let parts = PARTS.min(frames);
    let room = usize::try_from(parts).unwrap_or(0);
    let mut peaks = Peaks { length_ms: frames * FRAME_MS, caller: vec![0; room], ours: vec![0; room] };
    let mut at = 0_u64;
    for n in 0..sound.seconds() {
        let second = sound.second(n)?;
        let mut heard = second.sound.chunks_exact(BOTH);
        for kind in &second.kinds {
            let part = usize::try_from(at * parts / frames.max(1)).unwrap_or(usize::MAX);
            at += 1;
            let Some(both) = (if *kind == Kind::Sound { heard.next() } else { None }) else { continue };
            let (caller, ours) = both.split_at(FRAME);
            for (side, peaks) in [(caller, &mut peaks.caller), (ours, &mut peaks.ours)] {
                if let Some(peak) = peaks.get_mut(part) {
                    *peak = loudest(side).max(*peak);
                }
            }
        }
    }
    Ok(peaks)
}

/// As ears hear it: a square root makes what is soft be seen beside what is loud.
fn loudest(samples: &[u8]) -> u8 {
    let peak = samples.iter().map(|sample| u32::from(g711::from_ulaw(*sample).unsigned_abs())).max().unwrap_or(0);
    let share = (f64::from(peak) / f64::from(i16::MAX)).sqrt() * f64::from(LOUDEST);
    // In 0..=100 by what goes before.
    (share.round() as u32).min(LOUDEST) as u8
}
