//! What is known of whoever answered a call-out: a voice that speaks on and on, whatever is said to it, or a beep, is a
//! machine's. A judgement, not a fact: it says when words are left and how the call is put on record, never that somebody
//! heard or confirmed anything.

use std::time::{Duration, Instant};

use super::words::Heard;

/// Nobody who picks up a telephone speaks that long without a pause; a greeting does.
const MACHINE_VOICE: Duration = Duration::from_secs(4);
/// Silence is told so long after it began.
const TOLD_LATE: Duration = Duration::from_millis(600);
/// A key pressed while a voice has spoken that long may be part of what it plays.
const DOUBT: Duration = Duration::from_millis(1_500);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    /// Since when it speaks.
    pub(super) voice_since: Option<Instant>,
    /// Since when it is silent after it had been heard.
    pub(super) quiet_since: Option<Instant>,
    /// A tone sounds.
    tone: bool,
    /// It made a sound, or a key was pressed.
    pub(super) ever_heard: bool,
    pub(super) machine: bool,
    pub(super) fax: bool,
    pub(super) busy: bool,
}

impl Line {
    pub(super) fn hear(&mut self, now: Instant, heard: Heard) {
        self.ever_heard = true;
        self.tone = heard == Heard::Tone;
        if let Some(since) = self.voice_since.filter(|_| heard != Heard::Voice) {
            let late = if heard == Heard::Quiet { TOLD_LATE } else { Duration::ZERO };
            self.machine |= now.saturating_duration_since(since) >= MACHINE_VOICE + late;
            self.voice_since = None;
        }
        match heard {
            Heard::Voice => {
                self.voice_since.get_or_insert(now);
            }
            Heard::Beep => self.machine = true,
            Heard::Fax => self.fax = true,
            Heard::Busy => self.busy = true,
            Heard::Quiet | Heard::Tone => {}
        }
        self.quiet_since = matches!(heard, Heard::Quiet | Heard::Beep).then_some(now);
    }

    /// What it did while somebody else was talked with says nothing of now.
    pub(super) const fn forget_sounds(&mut self) {
        self.voice_since = None;
        self.tone = false;
    }

    /// It makes a sound now.
    pub(super) const fn sounds(&self) -> bool {
        self.voice_since.is_some() || self.tone
    }

    /// A key heard now need not be a person's.
    pub(super) fn doubts(&self, now: Instant) -> bool {
        self.tone || self.voice_since.is_some_and(|since| now.saturating_duration_since(since) >= DOUBT)
    }
}
