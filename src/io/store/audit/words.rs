//! Who did what, in the words of the audit log: identifiers and stable dotted verbs; never a name, a number or a text.

use std::fmt;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, UserId};

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    User(UserId),
    /// A caller who pressed the PIN of this person.
    Contact(ContactId),
    /// A caller who pressed the PIN that all of an account's people share.
    Account(AccountId),
    /// Whoever has a telephone that the alarm chain told.
    AlarmTelephone,
    /// Somebody at the command line of the machine.
    CommandLine,
    /// The service by itself.
    House,
    /// Somebody who did not say who they are, or not rightly.
    Nobody,
}

impl Who {
    /// Whoever stands in a row; none: written by a newer program.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "alarm_telephone" => Self::AlarmTelephone,
            "command_line" => Self::CommandLine,
            "house" => Self::House,
            "nobody" => Self::Nobody,
            id if id.starts_with("con_") => Self::Contact(id.parse().ok()?),
            id if id.starts_with("acc_") => Self::Account(id.parse().ok()?),
            id => Self::User(id.parse().ok()?),
        })
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User(id) => id.as_str(),
            Self::Contact(id) => id.as_str(),
            Self::Account(id) => id.as_str(),
            Self::AlarmTelephone => "alarm_telephone",
            Self::CommandLine => "command_line",
            Self::House => "house",
            Self::Nobody => "nobody",
        })
    }
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Act {$(
            $(#[$doc])*
            $name,
        )*}

        impl Act {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Stable, dotted: what it was done to, and what was done.
            pub const fn as_str(self) -> &'static str {
                match self {$(Self::$name => $word,)*}
            }
        }
    };
}

acts! {
    /// A message was shown, all of it.
    MessageRead = "message.read";
    /// A message was shown in a list, without what is sensitive.
    MessageListed = "message.listed";
    /// What a message was before it was changed was shown.
    MessageEditionsRead = "message.editions_read";
    MessageChanged = "message.changed";
    /// A form that somebody else began was shown.
    DraftRead = "draft.read";
    /// Numbers that a caller entered in a menu were shown, of one who hung up too early.
    DigitsRead = "call.digits_read";
    /// An operator read a held message out.
    HeldRead = "held.read";
    /// A caller showed by PIN who they are.
    CheckInOpened = "check_in.opened";
    /// An operator sent a caller into the check-in and vouched for who they are.
    CheckInVouched = "check_in.vouched";
    /// A caller pressed a PIN that is nobody's.
    CheckInFailed = "check_in.failed";
    /// A held message was read to a caller, as far as they listened.
    CheckInRead = "check_in.read";
    /// A caller heard a held message to its end, and took it as delivered.
    CheckInHeard = "check_in.heard";
    /// A caller put somebody on call.
    CheckInPutOnCall = "check_in.put_on_call";
    /// Somebody who was called showed by PIN who they are, or pressed one that is not theirs.
    CallOutOpened = "call_out.opened";
    CallOutRefused = "call_out.refused";
    /// An operator was told a PIN by whoever rang back, the right one or one that is not theirs.
    RingBackOpened = "ring_back.opened";
    RingBackRefused = "ring_back.refused";
    /// What callers hear before the greeting was spoken in by telephone.
    StatusGreetingUp = "status_greeting.put_up";
    StatusGreetingDown = "status_greeting.taken_down";
    /// A person opened their inbox by PIN; somebody tried to; a device became theirs, or was taken away.
    InboxOpened = "inbox.opened";
    InboxRefused = "inbox.refused";
    /// Too many wrong PINs were tried at somebody's inbox: for an hour none is taken there.
    InboxLocked = "inbox.locked";
    InboxInvited = "inbox.invited";
    InboxDeviceAdded = "inbox.device_added";
    InboxDeviceRemoved = "inbox.device_removed";
    /// A person opened a message in their inbox, all of it; confirmed it; wrote about it.
    InboxRead = "inbox.read";
    InboxConfirmed = "inbox.confirmed";
    InboxReplied = "inbox.replied";
    RecordingHeard = "recording.heard";
    /// Somebody heard a live call: unheard, heard by the operator, heard by all.
    CallMonitored = "call.monitored";
    CallWhispered = "call.whispered";
    CallBarged = "call.barged";
    AccountAdded = "account.added";
    AccountChanged = "account.changed";
    /// A part of an account was approved by its client, or in their name.
    AccountApproved = "account.approved";
    /// A test night was looked at while an account was a draft.
    AccountNightTried = "account.night_tried";
    /// An account went live though urgent messages go by ways that were never tried, and whoever approved it said yes to that.
    AccountLiveUnverified = "account.live_unverified";
    /// A client would have another protocol; the service decided about it, or the client took it back.
    ProtocolProposed = "protocol.proposed";
    ProtocolApproved = "protocol.approved";
    ProtocolRefused = "protocol.refused";
    ProtocolWithdrawn = "protocol.withdrawn";
    /// A code went to a destination of a contact's to see that it reaches them; the right one was said.
    CodeSent = "contact.code_sent";
    CodeRight = "contact.verified";
    PinSet = "pin.set";
    PinRemoved = "pin.removed";
    UserAdded = "user.added";
    UserChanged = "user.changed";
    SessionOpened = "session.opened";
    SessionClosed = "session.closed";
    /// Somebody tried to sign in and could not.
    SessionFailed = "session.failed";
    /// A refresh token came twice: the session was ended.
    SessionReused = "session.reused";
    /// Somebody sees to the alarms of this chain; by telephone, whoever has the one that was texted or called.
    AlarmAcknowledged = "alarm.acknowledged";
    /// An operator has seen to what an alarm was about (a text, words from an inbox), and took it off the desks.
    AlarmDismissed = "alarm.dismissed";
    AuditRead = "audit.read";
    /// Rows that were old enough were deleted, up to the one that is named.
    AuditCut = "audit.cut";
    /// The end of this log was found altered when it was to be added to.
    AuditAltered = "audit.altered";
}

/// One line for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub at: UtcMs,
    pub who: Who,
    pub act: Act,
    /// What it was done to: an identifier; empty if there is none.
    pub object: String,
}

impl Entry {
    pub fn new(at: UtcMs, who: Who, act: Act, object: impl Into<String>) -> Self {
        Self { at, who, act, object: object.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_written_is_read_back() {
        let all = [
            Who::User(UserId::named("kim")),
            Who::Contact(ContactId::named("ben")),
            Who::Account(AccountId::named("plumbing")),
            Who::AlarmTelephone,
            Who::CommandLine,
            Who::House,
            Who::Nobody,
        ];
        for who in all {
            assert_eq!(Who::parse(&who.to_string()), Some(who));
        }
        assert_eq!(Who::parse("someone else"), None);
    }

    #[test]
    fn every_act_has_a_word_of_its_own_with_one_dot() {
        let words: std::collections::BTreeSet<&str> = Act::ALL.iter().map(|act| act.as_str()).collect();
        assert_eq!(words.len(), Act::ALL.len());
        for word in words {
            let (of, what) = word.split_once('.').expect("a dot");
            assert!(
                [of, what]
                    .iter()
                    .all(|part| !part.is_empty() && part.bytes().all(|b| b == b'_' || b.is_ascii_lowercase()))
            );
        }
    }
}
