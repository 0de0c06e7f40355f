//! What goes on the record of a call, each with its time to the millisecond.
//!
//! The machines write these; the driver turns their monotonic time into wall time and stores them. Holds a
//! number where one was dialled, so an event is for the record and never for a log.

use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::listener::ListenMode;
use super::recording::RecordingState;
use crate::base::id::{ContactId, UserId};
use crate::base::phone::PhoneNumber;

/// Where a call is, as the record and the consoles name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The caller's INVITE is here; nothing was heard yet.
    Arriving,
    Greeting,
    Queued,
    Offered,
    Talking,
    Held,
    /// A contact is being dialled, or talks with the operator while the caller hears music.
    Patching,
    /// Caller, operator and contact hear each other.
    Conference,
    /// Caller and contact talk on; the operator has dropped off.
    Patched,
    /// Nobody could take the call; the apology plays.
    Apology,
    /// All legs are gone; the operator finishes the form.
    WrapUp,
    Ended,
}

/// Why an offer to an operator came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEnd {
    /// The ring time ran out.
    Missed,
    /// The operator's phone refused, or could not be reached.
    PhoneFailed,
    /// The operator's console is gone.
    SeatGone,
    /// The caller is no longer there to be offered.
    Withdrawn,
}

/// How a call went, for the record and the reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "stage", rename_all = "snake_case")]
pub enum CallOutcome {
    /// An operator talked with the caller.
    Handled,
    /// A contact was joined with the caller.
    Patched,
    /// The caller hung up before an operator was there.
    Abandoned(Stage),
    /// No operator within the account's maximum wait.
    NoOperator,
}

/// One line of a call's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RecordEvent {
    Arrived,
    /// Our answer was acknowledged.
    Established,
    GreetingStarted,
    GreetingEnded,
    Queued,
    /// Back at the head of the queue.
    Requeued,
    ComfortPlayed,
    Offered {
        user: UserId,
    },
    /// The operator took the call by a key.
    Taken {
        user: UserId,
    },
    OfferEnded {
        user: UserId,
        why: OfferEnd,
    },
    Talking {
        user: UserId,
    },
    Held,
    Retrieved,
    PatchDialled {
        contact: Option<ContactId>,
        number: PhoneNumber,
    },
    PatchRinging,
    PatchAnswered,
    PatchJoined,
    /// The operator dropped off; caller and contact talk on.
    PatchDropped,
    PatchFailed {
        why: Cause,
    },
    PatchCancelled,
    /// The operator's desk phone wants the caller transferred; what comes of it follows as of a patch. `attended`: to
    /// whom the operator has called before.
    TransferAsked {
        attended: bool,
    },
    /// The contact hung up after having been joined.
    ContactLeft {
        why: Cause,
    },
    /// The caller's telephone sends neither audio nor reports though it should; the call goes on.
    CallerSilent,
    CallerHeard,
    /// The same of the contact's.
    ContactSilent,
    ContactHeard,
    /// A join came after the caller had hung up.
    JoinRefused,
    CallerGone {
        stage: Stage,
        why: Cause,
    },
    /// The operator's phone hung up; the console says whether that was meant.
    OperatorHungUp {
        user: UserId,
    },
    OperatorLost {
        user: UserId,
        stage: Stage,
    },
    /// A supervisor took the call from its operator. `to`: for whom; none, for whoever is free first.
    Moved {
        by: UserId,
        from: UserId,
        to: Option<UserId>,
    },
    ApologyStarted,
    RecordingChanged {
        state: RecordingState,
    },
    /// Somebody did not hear that the call is recorded, so it is not, or no longer until the operator says so.
    RecordingNotAnnounced,
    /// A supervisor's phone is up, and they hear.
    ListenBegan {
        user: UserId,
        mode: ListenMode,
    },
    /// They listen on in another mode.
    ListenMode {
        user: UserId,
        mode: ListenMode,
    },
    ListenEnded {
        user: UserId,
    },
    /// The shard put the last hear matrix in force.
    Bridged {
        rev: u64,
    },
    Ended {
        cause: Cause,
        outcome: CallOutcome,
    },
    WrappedUp {
        user: UserId,
        disposition: Option<String>,
    },
}
