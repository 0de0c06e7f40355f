//! The way to the desk: what calls, consoles and phones tell it and ask of it, and what it tells calls.
//!
//! Holds nothing but the way; the desk's one loop decides. What always holds: whoever asks a desk that is closed is told no.

use std::collections::{BTreeMap, HashMap, HashSet};

use tokio::sync::{mpsc, oneshot};

use super::Desk;
use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::{CallId, UserId};
use crate::domain::call::event::OfferEnd;
use crate::domain::operator::skill::Skills;
use crate::domain::operator::{CannotListen, CannotTake, NotReadyYet, Phone, Phones, SEAT_CALLS};
use crate::domain::queue::place::Place;
use crate::domain::queue::{Queue, Terms};
use crate::engine::feed::{AccountRef, Feed, QueueView, SeatView, UserRef};

/// What the desk must know of a caller who waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub account: AccountRef,
    pub terms: Terms,
    /// When their call came in: what they count is the ringing and the greeting too.
    pub rang_at: UtcMs,
    /// They are not on the line: to be called back.
    pub ring_back: bool,
}

/// What a call tells the desk.
#[derive(Clone, Debug)]
pub enum CallWord {
    Enqueue(Waiting),
    Dequeue,
    /// The caller cannot be offered now.
    Pause,
    Resume,
    /// Before those of a lower priority from now on.
    Raise {
        priority: i32,
    },
    /// This operator dials out, and is to have the call if there is room: [`FromDesk::Fetch`] or
    /// [`FromDesk::PassRefused`] follows.
    Bring {
        user: UserId,
    },
    /// Back at the head, after an operator was lost.
    Requeue(Waiting),
    /// The same, and this operator is to have it if free.
    Hand {
        waiting: Waiting,
        user: UserId,
    },
    /// The operator has pressed the key for it.
    Taken,
    OfferFailed {
        user: UserId,
        why: OfferEnd,
    },
    OfferAccepted {
        user: UserId,
    },
    OperatorSilent {
        user: UserId,
        silent: bool,
    },
    OperatorHungUp {
        user: UserId,
    },
    OperatorLost {
        user: UserId,
    },
    SeatFreed {
        user: UserId,
    },
    WrappedUp {
        user: UserId,
    },
    /// A supervisor no longer listens to it.
    ListenerGone {
        user: UserId,
    },
    /// The caller is for this operator: [`FromDesk::Fetch`] or [`FromDesk::PassRefused`] follows.
    Pass {
        user: UserId,
    },
    /// The call's task is gone: whatever was not told is over.
    Died,
}

/// What the desk tells a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromDesk {
    /// `ring`: connect the operator's phone at once; otherwise they take the call by a key. `phone`: on what. `taken`: they
    /// have pressed it.
    Offer {
        call: CallId,
        user: UserId,
        phone: Option<Phone>,
        ring: bool,
        taken: bool,
    },
    /// The operator is to have the caller, who is parked or on the way there.
    Fetch {
        call: CallId,
        user: UserId,
        phone: Option<Phone>,
        ring: bool,
    },
    /// The operator to whom the caller was on the way is not ready.
    PassRefused {
        call: CallId,
        user: UserId,
    },
    Overdue {
        call: CallId,
    },
    /// `place`: to be told as well.
    Comfort {
        call: CallId,
        place: Option<Place>,
    },
    /// What this operator is offered is to be taken back unless she has taken it: somebody on the line waits for her.
    MakeWay {
        call: CallId,
        user: UserId,
    },
    SeatLost {
        call: CallId,
        user: UserId,
    },
    SeatHungUp {
        call: CallId,
        user: UserId,
    },
    /// The supervisor listens to another call from now on.
    ListensElsewhere {
        call: CallId,
        user: UserId,
    },
}

pub(super) enum ToDesk {
    Heartbeat { user: UserRef, typing: bool },
    Phones { user: UserId, phones: Phones },
    Skilled { user: UserId, skills: Skills },
    Checked { user: UserId, phone: Phone, passed: bool },
    SetReady { user: UserRef, ready: bool, reason: Option<String>, reply: oneshot::Sender<SetReady> },
    Take { call: CallId, user: UserId, reply: oneshot::Sender<bool> },
    Listen { call: CallId, user: UserRef, reply: oneshot::Sender<Result<Phone, CannotListen>> },
    Fetch { call: CallId, user: UserId, reply: oneshot::Sender<Result<(), CannotTake>> },
    WhyNotTake { user: UserId, reply: oneshot::Sender<Option<CannotTake>> },
    IsReady { user: UserId, reply: oneshot::Sender<bool> },
    Seats { reply: oneshot::Sender<Vec<SeatView>> },
    FromCall { call: CallId, word: CallWord },
    Board { user: UserRef, reply: oneshot::Sender<(SeatView, QueueView)> },
    LogOut { user: UserId, reason: String, reply: oneshot::Sender<Option<SeatView>> },
    Floor { reply: oneshot::Sender<(Vec<SeatView>, QueueView)> },
    TakeAside { by: UserId, to: UserId, reply: oneshot::Sender<bool> },
    EndAside { by: UserId, to: UserId },
}

/// What came of asking to be ready.
pub type SetReady = Result<SeatView, NotReadyYet>;

/// The way to the desk. Cheap to clone.
#[derive(Clone)]
pub struct DeskHandle {
    words: mpsc::UnboundedSender<ToDesk>,
}

impl DeskHandle {
    /// Starts the desk. What it tells calls comes out of the receiver; it ends when all handles are gone.
    pub fn start(clock: SharedClock, feed: Feed) -> (Self, mpsc::UnboundedReceiver<FromDesk>) {
        Self::start_with(clock, feed, SEAT_CALLS)
    }

    /// The same, with so many calls a seat at most.
    pub fn start_with(clock: SharedClock, feed: Feed, seat_calls: usize) -> (Self, mpsc::UnboundedReceiver<FromDesk>) {
        let (words, received) = mpsc::unbounded_channel();
        let (to_calls, from_desk) = mpsc::unbounded_channel();
        let desk = Desk {
            clock,
            feed,
            seat_calls,
            queue: Queue::default(),
            seats: BTreeMap::new(),
            phones: HashMap::new(),
            skills: HashMap::new(),
            waiting: HashMap::new(),
            aside: HashSet::new(),
            to_calls,
            shown_queue: QueueView::default(),
        };
        tokio::spawn(desk.run(received));
        (Self { words }, from_desk)
    }

    /// Waits until the loop is gone: as long as there is a handle, only a panic ends it.
    pub async fn gone(&self) {
        self.words.closed().await;
    }

    /// A console of `user` is alive.
    pub fn heartbeat(&self, user: UserRef, typing: bool) {
        self.tell(ToDesk::Heartbeat { user, typing });
    }

    /// The phones of `user` that are registered now.
    pub fn phones(&self, user: UserId, phones: Phones) {
        self.tell(ToDesk::Phones { user, phones });
    }

    /// What `user` can do.
    pub fn skilled(&self, user: UserId, skills: Skills) {
        self.tell(ToDesk::Skilled { user, skills });
    }

    /// What came of a media check of a phone of `user`'s.
    pub fn checked(&self, user: UserId, phone: Phone, passed: bool) {
        self.tell(ToDesk::Checked { user, phone, passed });
    }

    /// A call's word.
    pub fn from_call(&self, call: CallId, word: CallWord) {
        self.tell(ToDesk::FromCall { call, word });
    }

    /// `user` is ready for calls, or not.
    pub async fn set_ready(&self, user: UserRef, ready: bool, reason: Option<String>) -> SetReady {
        let (reply, replied) = oneshot::channel();
        self.tell(ToDesk::SetReady { user, ready, reason, reply });
        replied.await.unwrap_or(Err(NotReadyYet::NoConsole))
    }

    /// Gives a waiting caller to `user`, out of turn. False if the caller does not wait or the seat is not free.
    pub async fn take(&self, call: CallId, user: UserId) -> bool {
        let (reply, replied) = oneshot::channel();
        self.tell(ToDesk::Take { call, user, reply });
        replied.await.unwrap_or(false)
    }

    /// Has `user` fetch a parked caller. The call says what comes of it.
    pub async fn fetch(&self, call: CallId, user: UserId) -> Result<(), CannotTake> {
        let (reply, replied) = oneshot::channel();
        self.tell(ToDesk::Fetch { call, user, reply });
        replied.await.unwrap_or(Err(CannotTake::NotReady))
    }

    /// What stands in the way of one more call at `user`'s seat.
    pub async fn why_not_take(&self, user: UserId) -> Option<CannotTake> {
        let (reply, replied) = oneshot::channel();
        self.tell(ToDesk::WhyNotTake { user, reply });
        replied.await.unwrap_or(Some(CannotTake::NotReady))
    }

    /// True if `user` is ready and has no call.
    pub async fn is_ready(&self, user: UserId) -> bool {
        let (reply, replied) = oneshot::channel();
        self.tell(ToDesk::IsReady { user, reply });
        replied.await.unwrap_or(false)
    }

    /// Everybody at work, by name.
    pub async fn seats(&self) -> Vec<SeatView> {
        let (reply, replied) = oneshot::channel();
        self.tell(ToDesk::Seats { reply });
        replied.await.unwrap_or_default()
    }

    /// `user`'s seat and the queue, as shown now. None when the desk is closed.
    pub async fn board(&self, user: UserRef) -> Option<(SeatView, QueueView)> {
        let (reply, replied) = oneshot::channel();
        self.tell(ToDesk::Board { user, reply });
        replied.await.ok()
    }

    /// `user`'s seat is taken by listening to `call`, on which phone; what was listened to before is left.
    pub async fn listen(&self, call: CallId, user: UserRef) -> Result<Phone, CannotListen> {
        let (reply, replied) = oneshot::channel();
        self.tell(ToDesk::Listen { call, user, reply });
        replied.await.unwrap_or(Err(CannotListen::NoConsole))
    }

    /// No more calls for `user`, and one that rings there rings elsewhere. None if nobody of that name has sat down.
    pub async fn log_out(&self, user: UserId, reason: String) -> Option<SeatView> {
        let (reply, replied) = oneshot::channel();
        self.tell(ToDesk::LogOut { user, reason, reply });
        replied.await.ok().flatten()
    }

    /// Everybody who has sat down since the start, and the queue, as shown now. None when the desk is closed.
    pub async fn floor(&self) -> Option<(Vec<SeatView>, QueueView)> {
        let (reply, replied) = oneshot::channel();
        self.tell(ToDesk::Floor { reply });
        replied.await.ok()
    }

    pub(super) fn tell(&self, word: ToDesk) {
        // An error means that the process is stopping.
        let _ = self.words.send(word);
    }
}
