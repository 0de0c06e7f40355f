//! A leg as the call machine sees it: one party, how far it has come, and whether it was let go.
//!
//! Holds no media and no signalling. What always holds: a leg that was started is released exactly once.

use super::bridge::LegId;
use super::cause::Cause;

/// What happened to a leg, signalling and media together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegInput {
    /// The far end is being alerted.
    Ringing,
    /// The far end sends audio before it answers.
    Early,
    /// A leg we dialled was answered.
    Answered,
    /// A leg we answered is up: our answer was acknowledged.
    Established,
    /// Audio can flow both ways (a browser's ICE and DTLS are done; a telephone's at once).
    MediaUp,
    /// Nothing was heard from the far end for the leg's time limit.
    Silent,
    /// The far end is heard again.
    Heard,
    /// A key was pressed.
    Digit(char),
    /// The far end begins to speak, or has said nothing for a second. Told of a leg that is recorded and whose keys are
    /// ours alone.
    Spoke,
    Quiet,
    /// The far end has put us on hold, or takes us back.
    Hold(bool),
    /// The far end's signalling is gone. Always the last.
    Ended(Cause),
}

/// How far a leg has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegState {
    /// Named, not dialled.
    New,
    Dialling,
    Ringing,
    /// Audio from the far end before it answered.
    Early,
    Up,
    Released,
}

/// One party of a call.
#[derive(Clone, Debug)]
pub struct Leg {
    pub id: LegId,
    pub state: LegState,
    /// The far end answered; [`LegState::Up`] needs its media too.
    pub answered: bool,
    pub media_up: bool,
    pub silent: bool,
    /// Its signalling connection broke; audio may still flow.
    pub signal_lost: bool,
}

impl Leg {
    /// A leg named and not yet started.
    pub const fn new(id: LegId) -> Self {
        Self { id, state: LegState::New, answered: false, media_up: false, silent: false, signal_lost: false }
    }

    /// Takes in how far the far end has come. True if the leg came up by it.
    pub fn advance(&mut self, event: LegInput) -> bool {
        if matches!(self.state, LegState::New | LegState::Released) {
            return false;
        }
        match event {
            LegInput::Ringing if self.state == LegState::Dialling => self.state = LegState::Ringing,
            LegInput::Early if matches!(self.state, LegState::Dialling | LegState::Ringing) => {
                self.state = LegState::Early;
            }
            LegInput::Answered | LegInput::Established => self.answered = true,
            LegInput::MediaUp => {
                self.media_up = true;
                self.silent = false;
            }
            LegInput::Silent => self.silent = true,
            LegInput::Heard => self.silent = false,
            _ => {}
        }
        let comes_up = self.answered && self.media_up && self.state != LegState::Up;
        if comes_up {
            self.state = LegState::Up;
        }
        comes_up
    }

    /// True once the leg can hear and be heard.
    pub fn is_up(&self) -> bool {
        self.state == LegState::Up
    }

    /// Marks the leg as let go. True the first time for a leg that was ever started.
    pub fn release(&mut self) -> bool {
        let was = std::mem::replace(&mut self.state, LegState::Released);
        !matches!(was, LegState::New | LegState::Released)
    }
}
