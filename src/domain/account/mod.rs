//! An account: a client of the answering service, and all that a call for it needs to know.
//!
//! Read from the store once per call, so an edit takes effect on the next call. What people write of one is checked in
//! `edit`, its people in `edit_contact`, its call types in `edit_call_types`, its hours and menus in `check`.

pub mod edit;
pub mod edit_call_types;
pub mod edit_contact;
mod edit_form;
pub mod faq;
pub mod fault;

pub mod patching;
pub mod queueing;

mod ages;
mod answer_phrase;
pub mod check;
mod check_in;
pub mod flow;
pub mod hours;
pub mod mail;
pub mod namesake;
mod office_first;
pub mod pager;
pub mod reachable;
mod recorded_legs;
pub mod said;
pub mod secure;
mod status_greeting;

use serde::{Deserialize, Serialize};

use crate::base::id::{AccountId, CallTypeId, ContactId, DestinationId, ProtocolId};
use crate::base::phone::PhoneNumber;
use crate::domain::ivr::menu::Menu;
use crate::domain::message::form::Form;
use crate::domain::message::trigger::Trigger;
use crate::domain::oncall::Window;

use faq::Faq;
use hours::Hours;

pub use ages::OwnAges;
pub use answer_phrase::AnswerPhrase;
pub use mail::MailTemplate;
pub use pager::PagerAddress;
pub use patching::Patching;
pub use queueing::{Queueing, WhenOverdue};
pub use recorded_legs::RecordedLegs;
pub use secure::{CallPin, SecureMessages};
pub use status_greeting::{StatusGreeting, next_morning};

/// A client of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Account {
    pub id: AccountId,
    pub name: String,
    /// IANA zone name; times on screen and in schedules are in it.
    pub zone: String,
    /// `#rrggbb`, the band by which operators know the account.
    pub color: String,
    /// The operator's first words.
    pub answer_phrase: String,
    /// What the operator must know, in plain text.
    pub notes: String,
    /// What callers ask again and again, and what is answered.
    #[serde(default)]
    pub faq: Vec<Faq>,
    /// What the caller hears first.
    pub greeting: Speech,
    /// What the caller hears when nobody can take the call in time.
    pub apology: Speech,
    /// What the caller hears now and then while waiting, between music.
    pub comfort: Option<Comfort>,
    /// Numbers that select this account.
    pub dids: Vec<PhoneNumber>,
    /// Shown to those we call for this account.
    pub caller_id: Option<PhoneNumber>,
    /// Higher goes first in the queue; 0 is ordinary.
    pub priority: i32,
    /// How long one operator is offered the call before the next is.
    pub ring_secs: u32,
    /// How long a caller waits for an operator before the apology.
    pub max_wait_secs: u32,
    /// How long a dispatch can be taken back after saving (design §6, *Undo*).
    pub undo_secs: u32,
    /// What a call-out leaves when nobody takes it, where the protocol says "leave message".
    pub leave_message: LeaveMessage,
    pub recording: RecordingPolicy,
    pub queueing: Queueing,
    #[serde(default)]
    pub patching: Patching,
    /// How its messages are opened in inboxes.
    #[serde(default)]
    pub secure: SecureMessages,
    /// Its own words for emails.
    #[serde(default)]
    pub mail: MailTemplate,
    /// From what age on its open dispatches are shown as late.
    #[serde(default)]
    pub ages: OwnAges,
    /// Which way calls go after the greeting, by the time of the week.
    #[serde(default)]
    pub hours: Hours,
    /// The menus that flows name.
    #[serde(default)]
    pub menus: Vec<Menu>,
    /// What callers hear before the greeting, for now.
    #[serde(default)]
    pub status_greeting: Option<StatusGreeting>,
    /// The answer phrase as operators have recorded it, each in her own voice.
    #[serde(default)]
    pub answer_phrases: Vec<AnswerPhrase>,
    pub call_types: Vec<CallType>,
}

/// Words for a caller: recorded, or spoken by the voice engine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Speech {
    /// A file under `prompts/<language>/`, by name without ending.
    Recorded { prompt: String },
    /// A recording of the account's own, by the name it was given when it was uploaded.
    Uploaded { recording: String },
    /// Text for the voice engine; cached by text and voice.
    Spoken { text: String },
}

impl Speech {
    /// There is something to hear.
    pub fn is_said(&self) -> bool {
        let (Self::Recorded { prompt: words } | Self::Uploaded { recording: words } | Self::Spoken { text: words }) =
            self;
        !words.trim().is_empty()
    }
}

/// Words between the music of a waiting caller, one at a time and in turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Comfort {
    pub every_secs: u32,
    pub speech: Speech,
    /// What is said the next times, before it is the first again.
    #[serde(default)]
    pub further: Vec<Speech>,
    /// Say the caller's place in the queue after it, and about how long it will take, if that is known.
    #[serde(default)]
    pub position: bool,
}

impl Comfort {
    /// All that it says, in its order.
    pub fn speeches(&self) -> impl Iterator<Item = &Speech> {
        std::iter::once(&self.speech).chain(&self.further)
    }
}

/// What is left on a voicemail, or with whoever did not accept (design §6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeaveMessage {
    /// Who called and the number to ring back; nothing of the message.
    #[default]
    CallbackRequest,
    /// Nothing: hang up.
    Nothing,
}

/// Whether calls for an account are recorded, and who is told before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecordingPolicy {
    pub mode: RecordingMode,
    /// What the caller hears before anything is recorded: after the greeting, or when an operator starts. None: the
    /// account has the caller told otherwise, in its greeting or by the operator.
    pub announcement: Option<Speech>,
    /// A contact who is patched in hears it too, before the recording goes on.
    pub tell_contact: bool,
    /// Whose words are recorded; whoever is left out is told nothing of it.
    #[serde(default)]
    pub legs: RecordedLegs,
    /// What an email about a voicemail holds.
    #[serde(default)]
    pub voicemail_mail: VoicemailMail,
}

/// How what a caller spoke goes out by email.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoicemailMail {
    /// As a WAV with the email, unless it is too long for that.
    #[default]
    Attached,
    /// Only the address of the message, which asks for a log-in.
    Link,
}

/// When calls are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordingMode {
    #[default]
    Off,
    /// From the announcement on; the operator may pause it.
    On,
    /// When the operator says so.
    OnDemand,
}

impl Default for RecordingPolicy {
    /// Not recorded; and if that is changed, everybody is told.
    fn default() -> Self {
        let announcement = Some(Speech::Spoken { text: "This call may be recorded.".to_owned() });
        Self {
            mode: RecordingMode::Off,
            announcement,
            tell_contact: true,
            legs: RecordedLegs::default(),
            voicemail_mail: VoicemailMail::Attached,
        }
    }
}

/// How pressing a call is, by the client's own list of triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    Urgent,
    Routine,
    /// Sales calls and wrong numbers: disposed of without a dispatch.
    NotLegitimate,
}

/// A kind of call the account distinguishes. Owns a form and a protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CallType {
    pub id: CallTypeId,
    pub name: String,
    pub urgency: Urgency,
    /// When this type applies, in the client's words ("leak, no hot water, broken pipe").
    pub triggers: String,
    /// What of it can be found in a form: words, and answers. Of an urgent type, it is suggested while one is filled in.
    #[serde(default)]
    pub watched: Vec<Trigger>,
    pub form: Form,
    /// The protocol now in force; none for calls that are not dispatched.
    pub protocol: Option<ProtocolId>,
    /// Messages of this type leave in writing as notices alone: that there is one, and where it is opened or heard.
    #[serde(default)]
    pub protected: bool,
    /// Callers who are known to call about this go before those of a lower priority; of it, the account's and the flow's, the
    /// highest counts. None: it says nothing of that.
    #[serde(default)]
    pub priority: Option<i32>,
}

impl Account {
    /// The rank of callers who are known to call about this, if it has one of its own.
    pub fn priority_of(&self, call_type: &CallTypeId) -> Option<i32> {
        self.call_types.iter().find(|there| there.id == *call_type)?.priority
    }
}

/// A person of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Contact {
    pub id: ContactId,
    pub account: AccountId,
    pub name: String,
    /// What they are to the client ("technician", "office manager").
    pub title: String,
    /// The language they are best spoken with, as a BCP 47 tag ("es", "en-GB"); none: the service's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// IANA zone in which the hours of their destinations are; none: the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// In the order in which they are tried.
    pub destinations: Vec<Destination>,
}

/// A way to reach a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Destination {
    pub id: DestinationId,
    /// What people call it: "mobile", "home", "email". Protocols name destinations by it.
    pub label: String,
    pub reach: Reach,
    /// How long it is let ring; 30 s unless set.
    pub ring_secs: u32,
    /// Set when the person replied STOP: texts to it fail, and operators are told.
    pub blocked: bool,
    /// When it is used; none: at any hour. What is urgent goes out all the same (`reachable`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Window>,
}

/// The address of a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", content = "address", rename_all = "snake_case")]
pub enum Reach {
    /// A telephone: calls and texts.
    Phone(PhoneNumber),
    Email(String),
    /// A pager: its number with its carrier.
    Pager(PagerAddress),
    /// A system of the client's that messages are posted to, by the name that the configuration gives it.
    Webhook(String),
    /// The person's secure inbox. With it stands which of their other destinations gets a notice, without content, where no
    /// device takes the push; empty: none.
    Inbox(String),
    /// A fax machine.
    Fax(PhoneNumber),
}

impl Reach {
    /// The telephone, if it is one.
    pub const fn phone(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Phone(number) => Some(number),
            Self::Email(_) | Self::Pager(_) | Self::Webhook(_) | Self::Inbox(_) | Self::Fax(_) => None,
        }
    }
}

impl Account {
    /// The numbers that it is known by: the one that is shown first.
    pub fn own_numbers(&self) -> Vec<PhoneNumber> {
        self.caller_id.iter().chain(&self.dids).cloned().collect()
    }
}

impl Contact {
    /// The destination called `label`, if the contact has one.
    pub fn find_destination(&self, label: &str) -> Option<&Destination> {
        self.destinations.iter().find(|d| d.label == label)
    }
}
