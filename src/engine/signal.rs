//! What passes between a leg's owner (`engine/legs`) and the side that signals for it: `engine/trunk`
//! towards carriers, `engine/registrar` towards operators' phones. No SIP: the two sides turn its
//! codes into a [`Cause`] and back. Session descriptions pass as they are, with what is needed to make one for each
//! way that is tried ([`Offer`]).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::base::id::{AccountId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::call::transfer::TransferProgress;
use crate::io::media::Reach;
use crate::proto::sdp::{OwnKeys, Session, Srtp};

/// What happened to a leg. Session descriptions are raw SDP.
#[derive(Debug)]
pub enum LegEvent {
    /// A call out goes over a trunk that encrypts this much, or to a phone that does, and so our offer said, with these
    /// keys and to be sent audio there. Told before anything else of that way: of the first one that is tried only if it
    /// is anything at all. Boxed: each leg's channel keeps room for a block of what it carries.
    Offered(Box<Offered>),
    /// The far end is being alerted (180), no audio from there.
    Ringing,
    /// The far end sends audio before it answers (183 with a description). Never "answered".
    EarlyMedia(Vec<u8>),
    /// A leg we dialled was answered; the description answers our offer.
    Answered(Vec<u8>),
    /// A call in that we answered is up: our answer was acknowledged. Holds the far end's answer if the
    /// INVITE came without an offer.
    Established(Option<Vec<u8>>),
    /// The far end proposes a change (re-INVITE, UPDATE): hold, another address. `None`: it asks for our
    /// offer. To be answered with [`LegCommand::AnswerReoffer`] or [`LegCommand::RejectReoffer`].
    Reoffered(Option<Vec<u8>>),
    /// The far end answered a description of ours anew, as when it repeats one to keep the session alive.
    Reanswered(Vec<u8>),
    /// The far end refused [`LegCommand::Reoffer`], or it could not be told: the leg goes on as it was.
    ReofferRefused,
    /// The far end has come back over another connection: its network may have changed.
    Moved,
    /// A digit sent by signalling (INFO).
    Digit(char),
    /// An operator's desk phone wants the other party of this leg transferred: to whom is named, or to whom the phone's
    /// other leg is with. To be answered with [`LegCommand::Transfer`] or [`LegCommand::RefuseTransfer`].
    Transfer { to: Dialled, consulted: Option<LegId> },
    /// The leg is gone, whichever side ended it. Always the last event, always exactly once.
    Ended(Cause),
}

/// What our offer said.
#[derive(Debug)]
pub struct Offered {
    pub srtp: Srtp,
    pub keys: OwnKeys,
    pub local: Option<SocketAddr>,
}

/// What a leg's owner asks of the signalling side. Commands to a leg that has ended are ignored.
#[derive(Debug)]
pub enum LegCommand {
    /// Tell a caller that it rings (180).
    Ring,
    /// Somebody else is rung before the call is answered.
    WaitForOthers,
    /// Let a caller hear something before the answer (183 with this description, which the answer repeats).
    EarlyMedia(Vec<u8>),
    /// Answer a call in with this description.
    Answer(Vec<u8>),
    /// Refuse a call in.
    Reject(Cause),
    /// The same, with words for whoever looks at what the phone shows or logs.
    RejectSaying(Cause, &'static str),
    /// Answer a re-offer (or make the offer it asked for).
    AnswerReoffer(Vec<u8>),
    /// Refuse a re-offer; the leg goes on as it was.
    RejectReoffer,
    /// Propose a change: [`LegEvent::Reanswered`] or [`LegEvent::ReofferRefused`] follows.
    Reoffer(Vec<u8>),
    /// Ask whether the far end is still there; the leg ends if nothing answers.
    Probe,
    /// How a transfer goes that the far end asked for.
    Transfer(TransferProgress),
    /// Do not set about it.
    RefuseTransfer(Cause),
    /// End the leg in whatever state it is: CANCEL, BYE or a refusal.
    HangUp,
}

/// A call to make over a trunk.
#[derive(Clone, Debug)]
pub struct DialOut {
    pub to: PhoneNumber,
    /// The number to show, if the trunk is entitled to it.
    pub caller_id: Option<PhoneNumber>,
    /// In whose name; its limits apply. None for what the service does for itself.
    pub account: Option<AccountId>,
}

/// A call that came in over a trunk.
#[derive(Debug)]
pub struct IncomingCall {
    pub leg: LegId,
    /// The name of the trunk's configuration.
    pub trunk: String,
    /// The number dialled; `None` if what was dialled is no telephone number.
    pub did: Option<PhoneNumber>,
    /// The caller's number; `None` if withheld or not a number.
    pub caller: Option<PhoneNumber>,
    /// The line of the client that was rung first (Diversion, History-Info).
    pub forwarded_from: Option<PhoneNumber>,
    /// What the network has found out about the caller's number, in its own word (`TN-Validation-Passed`).
    pub verstat: Option<&'static str>,
    /// The caller's offer; `None` if it expects ours (late offer).
    pub offer: Option<Vec<u8>>,
    /// How much its trunk encrypts.
    pub srtp: Srtp,
    /// Where its signalling comes from.
    pub peer: IpAddr,
    pub events: mpsc::Receiver<LegEvent>,
}

/// Whom somebody dialled at a desk phone, or named in a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialled {
    Number(PhoneNumber),
    /// Another desk phone here: whose.
    Seat(UserId),
    /// Neither.
    Unknown,
}

/// A call that an operator's desk phone makes.
#[derive(Debug)]
pub struct PhoneCall {
    pub leg: LegId,
    /// Whose phone it is.
    pub user: UserId,
    pub to: Dialled,
    /// The phone's offer; `None` if it expects ours.
    pub offer: Option<Vec<u8>>,
    /// How much is encrypted with that phone.
    pub srtp: Srtp,
    /// Where it is.
    pub peer: IpAddr,
    pub events: mpsc::Receiver<LegEvent>,
}

/// Our offer for a call out. How much it encrypts is known when the trunk is.
#[derive(Clone, Debug)]
pub enum Offer {
    /// The first one of this session.
    Of(Box<Session>),
    /// The same, and where it receives depends on who is offered it.
    Reaching(Box<Session>, Reach),
    /// These words, whatever the trunk.
    Words(Vec<u8>),
}

impl Offer {
    /// As it goes out over a trunk that encrypts so much, with these keys. Each attempt has keys of its own: two
    /// carriers are not to share one, nor one key to be used from the start twice (RFC 3711 §9.1).
    pub fn with(&self, srtp: Srtp, keys: OwnKeys, peer: IpAddr) -> Vec<u8> {
        match self {
            Self::Of(session) | Self::Reaching(session, _) => {
                let mut session = session.clone();
                if let Some(local) = self.local_for(peer) {
                    session.move_to(local);
                }
                session.rekey(keys);
                session.offer_with(srtp)
            }
            Self::Words(words) => words.clone(),
        }
    }

    /// Where somebody there is to send audio, if that depends on who it is.
    pub fn local_for(&self, peer: IpAddr) -> Option<SocketAddr> {
        match self {
            Self::Reaching(_, reach) => Some(reach.towards(Some(peer))),
            Self::Of(_) | Self::Words(_) => None,
        }
    }
}

impl From<Vec<u8>> for Offer {
    fn from(words: Vec<u8>) -> Self {
        Self::Words(words)
    }
}

/// Numbers for legs, unique within the process.
#[derive(Clone, Debug, Default)]
pub struct LegNumbers(Arc<AtomicU64>);

impl LegNumbers {
    pub fn fresh(&self) -> LegId {
        LegId(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Events a leg can have waiting. A leg whose owner lets more pile up is ended.
pub const LEG_EVENT_DEPTH: usize = 32;
