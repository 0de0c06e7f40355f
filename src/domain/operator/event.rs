//! What a seat is told, what it wants told, and why it says no.
//!
//! Words alone; [`Seat`](super::Seat) decides. What always holds: each reason to say no names what is in the way.

use std::fmt;
use std::time::Instant;

use super::phones::{Phone, Phones};
use crate::base::id::CallId;
use crate::domain::call::event::OfferEnd;

/// What a seat is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// The console is alive; `typing`: a field has the focus and was typed in lately.
    Heartbeat {
        typing: bool,
    },
    /// The phones that are registered now.
    Phones {
        phones: Phones,
    },
    /// The result of a phone's media check.
    Checked {
        phone: Phone,
        passed: bool,
    },
    SetReady {
        ready: bool,
        reason: Option<String>,
    },
    /// The queue picked this seat. `by_key`: it rings nowhere before the operator presses one, however idle she is.
    Offered {
        call: CallId,
        by_key: bool,
    },
    OfferFailed {
        call: CallId,
        why: OfferEnd,
    },
    Accepted {
        call: CallId,
    },
    /// No media from the operator's browser, or again.
    Silent {
        call: CallId,
        silent: bool,
    },
    /// The operator's phone hung up on a call.
    PhoneHungUp {
        call: CallId,
    },
    /// The call went on without this operator.
    LostCall {
        call: CallId,
    },
    /// The call needs the operator no more but for the form.
    Freed {
        call: CallId,
    },
    /// The form is done.
    WrappedUp {
        call: CallId,
    },
    /// A supervisor sends the operator home: no more calls, and what rings here rings elsewhere.
    LogOut {
        reason: String,
    },
    /// A supervisor at this seat listens to a call of another's, or no longer.
    Listens {
        call: Option<CallId>,
    },
    /// The operator speaks with a colleague on the desk phone, or no longer.
    Aside {
        aside: bool,
    },
    Tick,
}

/// What a seat wants told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// To the queue: can be offered a call.
    Idle { since: Instant },
    /// To the queue: cannot.
    Busy,
    /// To the call: this operator is gone.
    Lost { call: CallId },
    /// To the call: the operator meant to hang up.
    HungUp { call: CallId },
}

/// Why a seat cannot be made ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReadyYet {
    NoConsole,
    NoPhone,
    NotChecked,
    /// A supervisor logged them out, and a call of theirs is not done.
    SentHome,
}

impl fmt::Display for NotReadyYet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoConsole => "the console is not connected",
            Self::NoPhone => "no phone is registered",
            Self::NotChecked => "the media check has not passed yet",
            Self::SentHome => "a supervisor logged you out: finish this call and its form, then log in again",
        })
    }
}

/// Why a supervisor cannot listen to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotListen {
    NoConsole,
    NoPhone,
    /// The phone has a call, or is about to.
    HasCall,
}

impl fmt::Display for CannotListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoConsole => "the console is not connected",
            Self::NoPhone => "no phone is registered: do the ready check",
            Self::HasCall => "you have a call of your own: finish it first",
        })
    }
}

/// Why a seat cannot take a call by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotTake {
    /// It is not ready, or its phone is not.
    NotReady,
    /// One is on its way to it.
    Offered,
    /// It has as many as a seat may have.
    Full,
}
