//! What consoles see, and how they learn of it: they subscribe, nobody calls them.
//!
//! Views are whole snapshots of one thing; a console replaces what it had. Holds names and numbers, so a
//! view is for a signed-in operator's socket and never for a log.

mod alarm;
mod call;
mod dispatch;
mod floor;
mod refs;
mod trial;

use serde::Serialize;
use tokio::sync::broadcast;

use crate::base::id::{AccountId, CallId};

pub use alarm::{AlarmChainView, AlarmLevel, AlarmView};
pub use call::{
    AccountBrief, AskedView, CallState, CallView, ChosenView, ColleagueView, ComesView, DialledView, EndedView,
    HearsView, JobView, ListenerView, NoteView, ParkedView, PatchState, PatchView, RecordingView, RingBackView,
    RingsBackView,
};
pub use dispatch::{DispatchView, LineView, LockView, PatchOfferView};
pub use floor::{AccountFigures, FiguresView, FloorView, QualityView, QueueView, SeatState, SeatView, WaitingView};
pub use refs::{AccountRef, ContactRef, UserRef};
pub use trial::{DictationState, DictationView, TrialState, TrialView};

/// A change to show.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FeedEvent {
    Seat {
        seat: SeatView,
    },
    Call {
        call: Box<CallView>,
    },
    CallGone {
        id: CallId,
    },
    Queue {
        queue: QueueView,
    },
    Dispatch {
        dispatch: Box<DispatchView>,
    },
    Alarm {
        alarm: AlarmView,
    },
    AlarmGone {
        id: String,
    },
    /// Who is told of alarms and who sees to them; none: nothing stands.
    AlarmChain {
        chain: Option<Box<AlarmChainView>>,
    },
    /// Of the service, and of the accounts whose figures changed.
    Figures {
        figures: FiguresView,
    },
    /// Every 5 s for each party.
    Quality {
        quality: QualityView,
    },
    /// An account is another now, or new: what was read of it before this edition counts no more.
    Account {
        id: AccountId,
        edition: u32,
    },
    /// What is known of a caller who hung up too early, or is to be rung back, is another now.
    Caller {
        call: CallId,
        /// Nobody need ring them any more.
        seen_to: bool,
    },
    /// How far a menu is that somebody tries out: for their own console.
    Trial {
        trial: Box<TrialView>,
    },
    /// How far a greeting is that somebody speaks in by telephone: for their own console.
    Dictation {
        dictation: Box<DictationView>,
    },
}

/// Fans changes out to whoever subscribed. A subscriber that falls behind is told so and starts anew.
#[derive(Clone, Debug)]
pub struct Feed {
    changes: broadcast::Sender<FeedEvent>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { changes: broadcast::channel(1_024).0 }
    }
}

impl Feed {
    /// Shows `event` to all who watch now.
    pub fn publish(&self, event: FeedEvent) {
        // An error means only that nobody watches.
        let _ = self.changes.send(event);
    }

    /// Whether anybody watches now.
    pub fn is_watched(&self) -> bool {
        self.changes.receiver_count() > 0
    }

    /// Changes from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<FeedEvent> {
        self.changes.subscribe()
    }
}
