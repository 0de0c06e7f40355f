//! What a call-out is made with, told, and wants done; and what it says.

use std::time::Duration;

use crate::base::id::ContactId;
use crate::base::phone::PhoneNumber;
use crate::domain::account::Speech;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::call::leg::LegInput;
use crate::domain::checkin::pin::Pin;

/// Whom to call, and what is to be said first. More may come while the call is up ([`OutboundInput::Further`]).
#[derive(Clone, Debug)]
pub struct OutboundSetup {
    pub leg: LegId,
    pub to: PhoneNumber,
    pub ring: Duration,
    /// How long they may talk with the caller; none: up to an hour.
    pub longest_talk: Option<Duration>,
    pub first: Reading,
}

/// Whoever is called has to show by PIN who they are before they hear a message: this person's own, or the one that all of
/// the account's people share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskPin {
    pub contact: Option<ContactId>,
}

/// One message to be read. In the outputs they are told apart by number, in the order in which they came, from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Who calls and what for; nothing of the message.
    pub intro: String,
    /// The message with its call-back number; none: there is nothing to hear, and 1 says yes to the introduction.
    pub content: Option<String>,
    /// What is left when nobody takes it.
    pub leave: Option<String>,
    /// It is read to nobody without.
    pub pin: Option<AskPin>,
    /// Whom 2 connects with, once the message was heard.
    pub caller: Option<PhoneNumber>,
}

/// What a call-out is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboundInput {
    Start,
    Leg(LegInput),
    /// Of the caller who was dialled last.
    Caller(LegInput),
    /// What became of a PIN.
    Looked(PinLooked),
    /// What the far end does.
    Heard(Heard),
    PlayDone {
        play: u64,
    },
    /// Another message for the same telephone.
    Further(Box<Reading>),
    /// That message is no longer wanted: whoever listens is told that they are not needed, which is true also where an operator has
    /// only gone on to the next step.
    Cancel {
        reading: usize,
    },
    /// The service is stopping: hung up at once, and nothing is said that may not be true.
    Stop,
    Tick,
}

/// What is said of a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinLooked {
    Right,
    /// Nobody's whom the message is for, or one too many: which of the two is not told.
    Wrong,
    /// It could not be looked up.
    Failed,
}

/// What the far end does, as far as it can be heard without knowing words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Somebody or something begins to speak, or has been silent for a moment.
    Voice,
    Quiet,
    /// A steady tone lasts.
    Tone,
    /// It has ended in silence.
    Beep,
    Fax,
    /// The tone of a busy line: whoever was there is not.
    Busy,
}

/// What a call-out wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboundOutput {
    Dial {
        leg: LegId,
        to: PhoneNumber,
    },
    Play {
        leg: LegId,
        play: u64,
        speech: Speech,
    },
    StopPlay {
        leg: LegId,
        play: u64,
    },
    HangUp {
        leg: LegId,
    },
    Event {
        reading: usize,
        event: OutboundEvent,
    },
    /// Does this PIN show who they are? Answered by [`OutboundInput::Looked`].
    Look {
        of: AskPin,
        pin: Pin,
    },
    /// Dial the caller on a leg of their own; what it does comes as [`OutboundInput::Caller`].
    DialCaller {
        to: PhoneNumber,
    },
    HangUpCaller,
    /// Who hears whom from now on.
    Hear(Hears),
    /// A tone for both who talk: soon it is over.
    Warn,
}

/// Who hears whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// Whoever was called hears what is said to them.
    Alone,
    /// They hear that the caller's telephone rings.
    Ringback,
    /// They hear the caller's line, on which nobody has answered yet and nobody hears them.
    Early,
    /// The two hear each other.
    Each,
}

/// What happened with a message, for the dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundEvent {
    Ringing,
    Answered,
    /// The whole message was heard after a key.
    Told,
    /// 1 was pressed after that.
    Confirmed,
    /// 2 was pressed after that, and they talk with the caller.
    Joined,
    /// They no longer do, after so long.
    Parted {
        secs: u32,
    },
    /// The caller was dialled in vain.
    NotJoined(Cause),
    /// Another message's caller is talked with, or no longer: so long this one waits.
    Waits(bool),
    /// A wrong PIN was keyed as often as one may be: somebody is there, and hears nothing of the message.
    WrongPins,
    Ended(OutboundEnd),
}

/// How a call-out ended with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundEnd {
    /// They pressed 1 to confirm.
    Confirmed,
    /// They heard all of it and did not confirm.
    ToldOnly,
    /// The request to call back was said to somebody who pressed no key …
    LeftRequest,
    /// … or to a machine …
    LeftOnMachine,
    /// … or to a person who has heard another message in the same call, and pressed no key for this one.
    LeftWithPerson,
    /// Somebody answered and took nothing; nothing was left.
    NotAccepted,
    /// A machine answered; nothing was left.
    Machine,
    /// A fax answered.
    Fax,
    /// Nothing was ever heard of whoever answered. What was said into the silence counts for nothing.
    Silent,
    /// It was never answered, or was refused.
    NotReached(Cause),
    /// Nobody's telephone was rung, as no voice could speak its words.
    NoVoice,
    /// It was taken back, as the message is handled.
    Cancelled,
}

/// What is being said, and so what a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saying {
    Intro,
    /// A key was heard while something else spoke: asks for another, which no recording presses.
    Check,
    /// Asks for the PIN.
    Pin,
    WrongPin,
    /// There is no message without.
    Refused,
    Content,
    Question,
    /// 2 was pressed.
    Connecting,
    /// They are back from the caller.
    Back(Back),
    Leave,
    Thanks,
    Handled,
}

/// Why somebody is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// They were connected, and are no longer.
    Parted,
    /// They did not want to wait.
    GaveUp,
    Busy,
    NoAnswer,
    /// There was no way to the caller.
    NoWay,
}

impl Back {
    pub(super) const fn of(why: Cause) -> Self {
        match why {
            Cause::Busy | Cause::Declined | Cause::Unwanted => Self::Busy,
            Cause::NoAnswer | Cause::HungUp => Self::NoAnswer,
            Cause::Released => Self::GaveUp,
            _ => Self::NoWay,
        }
    }
}

/// The words of `what`; `more`: another message follows. None: there is nothing to leave, or to hear.
pub(super) fn speech(reading: &Reading, what: Saying, more: bool) -> Option<Speech> {
    let text = match &reading.content {
        Some(content) => message_words(reading, content, what, more),
        None => alarm_words(reading, what, more),
    };
    text.map(|text| Speech::Spoken { text })
}

fn message_words(reading: &Reading, content: &str, what: Saying, more: bool) -> Option<String> {
    Some(match (what, more) {
        (Saying::Intro, _) => format!("{} To hear the message, press 1.", reading.intro),
        (Saying::Check, _) => "To hear the message now, press 5.".to_owned(),
        (Saying::Pin, _) => "Please enter your PIN, then press the pound key.".to_owned(),
        (Saying::WrongPin, _) => "That PIN is not right. Please enter your PIN, then press the pound key.".to_owned(),
        (Saying::Refused, _) => "The message cannot be read out now.".to_owned(),
        (Saying::Content, _) => content.to_owned(),
        (Saying::Question, _) if reading.caller.is_some() => {
            "To confirm that you have this message, press 1. To be connected to the caller now, press 2. \
             To hear it again, press 9."
                .to_owned()
        }
        (Saying::Question, _) => {
            "To confirm that you have this message, press 1. To hear it again, press 9.".to_owned()
        }
        (Saying::Connecting, _) => {
            "You will be connected to the caller now. To come back, press star; then you can confirm the \
             message."
                .to_owned()
        }
        (Saying::Back(back), _) => match back {
            // Many hang up with the caller: what is asked comes before anything else.
            Back::Parted => "You spoke with the caller. Press 1 to confirm.",
            Back::GaveUp => "The caller is not rung any more.",
            Back::Busy => "The caller's line is busy.",
            Back::NoAnswer => "The caller does not answer.",
            Back::NoWay => "The caller could not be connected.",
        }
        .to_owned(),
        (Saying::Leave, _) => reading.leave.clone()?,
        (Saying::Thanks, false) => "Thank you. The message is confirmed. Goodbye.".to_owned(),
        (Saying::Thanks, true) => "Thank you. The message is confirmed. There is another one.".to_owned(),
        (Saying::Handled, false) => "You are no longer needed for this message. Goodbye.".to_owned(),
        (Saying::Handled, true) => "You are no longer needed for this message. There is another one.".to_owned(),
    })
}

fn alarm_words(reading: &Reading, what: Saying, more: bool) -> Option<String> {
    Some(match (what, more) {
        (Saying::Intro, _) => format!("{} If you see to it, press 1.", reading.intro),
        (Saying::Check, _) => "If you see to it, press 5 now.".to_owned(),
        (
            Saying::Pin
            | Saying::WrongPin
            | Saying::Refused
            | Saying::Content
            | Saying::Question
            | Saying::Connecting
            | Saying::Back(_),
            _,
        ) => return None,
        (Saying::Leave, _) => reading.leave.clone()?,
        (Saying::Thanks, false) => "Thank you. It is acknowledged. Goodbye.".to_owned(),
        (Saying::Thanks, true) => "Thank you. It is acknowledged. There is another alarm.".to_owned(),
        (Saying::Handled, false) => "Somebody sees to it already. Goodbye.".to_owned(),
        (Saying::Handled, true) => "Somebody sees to it already. There is another alarm.".to_owned(),
    })
}

/// All words that may be said for a message, to be made ready before.
pub fn speeches(reading: &Reading) -> Vec<Speech> {
    let own = [Saying::Intro, Saying::Check, Saying::Content, Saying::Question, Saying::Leave];
    let pin = reading.pin.iter().flat_map(|_| [Saying::Pin, Saying::WrongPin, Saying::Refused]);
    let back = [Back::Parted, Back::GaveUp, Back::Busy, Back::NoAnswer, Back::NoWay].map(Saying::Back);
    let caller = reading.caller.iter().flat_map(|_| back.into_iter().chain([Saying::Connecting]));
    let own = own.into_iter().chain(pin).chain(caller).map(|what| (what, false));
    let both = [Saying::Thanks, Saying::Handled].into_iter().flat_map(|what| [(what, false), (what, true)]);
    own.chain(both).filter_map(|(what, more)| speech(reading, what, more)).collect()
}
