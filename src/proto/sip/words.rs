//! What goes into an agent and comes out of it.

use std::net::SocketAddr;

use super::identity::IncomingInvite;
use super::message::{Headers, Uri};
use super::refer::Replaces;

/// How a flow carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
}

impl Transport {
    /// What it sends arrives, or the flow closes.
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// Messages have to be cut out of a byte stream.
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }

    /// As in Via.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }
}

/// A way to one peer: a socket and an address, or a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    pub transport: Transport,
    pub local: SocketAddr,
    pub peer: SocketAddr,
    /// Unique within the process; 0 for UDP.
    pub connection: u64,
}

impl Flow {
    /// The same connection; for UDP any flow over UDP will do, as the address may be translated anew.
    pub fn is_same_connection(&self, other: &Self) -> bool {
        self.transport == other.transport && self.connection == other.connection
    }
}

/// A dialog with a call's far end. Given by the agent to calls in, by [`Agent::next_dialog`] to calls out.
///
/// [`Agent::next_dialog`]: super::Agent::next_dialog
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogId(pub u64);

/// A REGISTER waiting for [`Command::Respond`], or an OPTIONS of ours waiting for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A trunk's login, as its agent knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginId(pub u64);

/// A registration of ours to be made, refreshed or (with `expires` 0) taken back.
#[derive(Clone, Debug)]
pub struct RegisterOrder {
    /// Names it in [`Event::Registration`]; the owner's to choose.
    pub request: RequestId,
    pub flow: Flow,
    pub login: Option<LoginId>,
    /// The request URI.
    pub registrar: String,
    /// The address of record.
    pub address: String,
    /// The user part of our Contact.
    pub contact_user: String,
    pub call_id: String,
    pub cseq: u32,
    pub expires: u32,
}

/// What came of a [`RegisterOrder`]; 408 if nothing came, 503 if its connection closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterAnswer {
    pub request: RequestId,
    pub status: u16,
    /// The CSeq used last: a challenge that was answered took one more.
    pub cseq: u32,
    /// Seconds that our binding lasts.
    pub expires: Option<u32>,
    pub min_expires: Option<u32>,
    pub retry_after: Option<u32>,
}

/// What happens to an agent.
#[derive(Debug)]
pub enum Input {
    /// One datagram, or one framed message.
    Received {
        flow: Flow,
        bytes: Vec<u8>,
    },
    /// A connection is gone.
    FlowClosed {
        flow: Flow,
    },
    /// The system did not take this datagram of ours.
    Unsent {
        bytes: Vec<u8>,
    },
    /// The time of [`Agent::poll_timeout`](super::Agent::poll_timeout) has come.
    Timeout,
    Command(Command),
}

/// What an agent wants done.
#[derive(Debug)]
pub enum Output {
    Transmit {
        flow: Flow,
        bytes: Vec<u8>,
    },
    /// A refusal that nothing is remembered of: others may go with it, and if it is lost its request comes again.
    Refuse {
        flow: Flow,
        bytes: Vec<u8>,
    },
    Event(Event),
    CloseFlow {
        flow: Flow,
    },
}

/// What an agent tells its driver. A dialog ends with exactly one of `Canceled`, `Rejected`, `Full` and `Ended`;
/// after [`Command::Reject`] and [`Command::Bye`] it is over at once and nothing more is told of it.
#[derive(Debug)]
pub enum Event {
    /// A call comes in. To be answered with `Ring`, `Answer`, `Reject`.
    Incoming {
        dialog: DialogId,
        flow: Flow,
        invite: Box<IncomingInvite>,
    },
    /// The caller gave up before an answer. Final.
    Canceled {
        dialog: DialogId,
    },
    /// Our 2xx was acknowledged. `answer`: the far end's, if the offer was ours. Told once for the call,
    /// and again for each re-INVITE that asked for our offer.
    Established {
        dialog: DialogId,
        answer: Option<Vec<u8>>,
    },
    /// A provisional response to a call out (100-199).
    Progress {
        dialog: DialogId,
        status: u16,
        sdp: Option<Vec<u8>>,
    },
    /// A call out was answered (and acknowledged).
    Answered {
        dialog: DialogId,
        sdp: Option<Vec<u8>>,
    },
    /// A call out was refused, timed out (408) or was canceled by us (487). Final.
    Rejected {
        dialog: DialogId,
        status: u16,
        reason: String,
        /// For how many seconds whoever refuses wants to be left alone (Retry-After, RFC 3261 §20.33).
        retry_after: Option<u32>,
    },
    /// A call out was not made: our own tables are full, and the far end knows nothing of it. Final.
    Full {
        dialog: DialogId,
    },
    /// The far end proposes a change, or makes its first offer to a call out that carried none. To be answered
    /// with `AnswerReinvite` or `RejectReinvite`; a call out without an offer is up after that.
    Reoffered {
        dialog: DialogId,
        offer: Option<Vec<u8>>,
    },
    /// The far end answered an offer of ours: a change, one that went in a reliable provisional response,
    /// or the repetition of a description, to which it gave a new answer.
    ReinviteAnswered {
        dialog: DialogId,
        sdp: Option<Vec<u8>>,
    },
    /// The far end refused our change. 491: both sides changed at once, and theirs went first; the offer
    /// has to be made anew.
    ReinviteRejected {
        dialog: DialogId,
        status: u16,
    },
    Info {
        dialog: DialogId,
        content_type: String,
        body: Vec<u8>,
    },
    /// The far end wants its other party transferred. To be answered with `AcceptRefer` or `RefuseRefer`.
    Refer {
        dialog: DialogId,
        target: Box<Uri>,
        /// The call that the new one takes the place of.
        replaces: Option<Box<Replaces>>,
    },
    /// The connection of an answered call is gone. Towards phones it ends in 10 s unless [`Command::MoveFlow`] comes;
    /// towards carriers it goes on, and needs a way for the next request.
    FlowLost {
        dialog: DialogId,
    },
    /// The call is over. Final.
    Ended {
        dialog: DialogId,
        why: EndReason,
    },
    /// A phone wants to be reached. To be answered with `Respond`, at once.
    Register {
        request: RequestId,
        flow: Flow,
        register: Box<RegisterRequest>,
    },
    /// What came of [`Command::Register`].
    Registration(RegisterAnswer),
    /// What a host says to [`Command::Options`]: a final status; 408 if it says nothing, 503 if the connection is lost.
    OptionsAnswered {
        request: RequestId,
        status: u16,
    },
    /// A request met the end of a connection that came to us. It goes out anew if [`Command::SendAgain`] says where,
    /// and else waits in vain for its answer. `hop`: where the far end says that it listens, if we would take requests
    /// from there too.
    Undelivered {
        transaction: u64,
        flow: Flow,
        hop: Option<SocketAddr>,
    },
    /// The far end of a call that is up over UDP wants to be spoken to over something else, there if that is said by
    /// address and we would take requests from there too. [`Command::MoveFlow`] does it; else it goes on over UDP.
    OtherTransport {
        dialog: DialogId,
        transport: Transport,
        hop: Option<SocketAddr>,
    },
    /// A request was refused without an event of its own. For counting.
    Refused {
        status: u16,
    },
}

/// Why an answered call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The far end said BYE.
    Bye,
    /// The far end does not know the dialog, or does not answer within it.
    Timeout,
    /// Its connection closed.
    FlowLost,
    /// Our answer, or a reliable provisional response, was never acknowledged.
    NoAck,
    /// Nobody refreshed the session in time (RFC 4028).
    Expired,
    Fault,
}

/// A REGISTER, read.
#[derive(Clone, Debug)]
pub struct RegisterRequest {
    /// The user part of To, unescaped.
    pub user: String,
    /// The credentials of `Authorization: Bearer` (RFC 8898), if there are any.
    pub bearer: Option<String>,
    /// Contact values as they came; `*` alone takes all bindings back.
    pub contacts: Vec<String>,
    pub expires: Option<u32>,
    pub call_id: String,
    pub cseq: u32,
    pub headers: Headers,
}

/// What a driver asks of an agent. A command for a dialog that is over is ignored.
#[derive(Debug)]
pub enum Command {
    /// Calls. `from` and `to` are header values without tags, `headers` are added as they are.
    Invite {
        dialog: DialogId,
        flow: Flow,
        request_uri: String,
        from: String,
        to: String,
        headers: Vec<(String, String)>,
        offer: Option<Vec<u8>>,
    },
    /// Gives up a call out that isn't answered yet.
    Cancel {
        dialog: DialogId,
    },
    /// 180, or 183 with a description. Sent reliably, the description is the answer (or the offer, if the
    /// caller made none): that of `Answer` is then left out.
    Ring {
        dialog: DialogId,
        sdp: Option<Vec<u8>>,
    },
    /// Somebody else is rung for a call in: it may take long, and says nothing of how busy we are.
    WaitForOthers {
        dialog: DialogId,
    },
    Answer {
        dialog: DialogId,
        sdp: Vec<u8>,
    },
    Reject {
        dialog: DialogId,
        status: u16,
        headers: Vec<(String, String)>,
    },
    /// Proposes a change. One that meets a change of theirs (491) goes again after a while by itself.
    Reinvite {
        dialog: DialogId,
        sdp: Vec<u8>,
    },
    AnswerReinvite {
        dialog: DialogId,
        sdp: Vec<u8>,
    },
    RejectReinvite {
        dialog: DialogId,
        status: u16,
    },
    /// 202 to a REFER; how it goes is told by `ReportRefer`, the last time with a final status.
    AcceptRefer {
        dialog: DialogId,
    },
    ReportRefer {
        dialog: DialogId,
        status: u16,
    },
    RefuseRefer {
        dialog: DialogId,
        status: u16,
    },
    /// Asks the far end of a dialog that is up whether it is still there; the dialog ends if nothing answers.
    Probe {
        dialog: DialogId,
    },
    /// Ends the dialog in whatever state it is.
    Bye {
        dialog: DialogId,
        headers: Vec<(String, String)>,
    },
    /// A request that was [`Event::Undelivered`] goes out again, this way.
    SendAgain {
        transaction: u64,
        flow: Flow,
    },
    /// The far end of this dialog is now to be reached over another connection.
    MoveFlow {
        dialog: DialogId,
        flow: Flow,
    },
    /// Asks a host whether it is there. `request` is [`Agent::next_request`](super::Agent::next_request)'s.
    Options {
        request: RequestId,
        flow: Flow,
        request_uri: String,
        from: String,
    },
    /// Registers with a carrier.
    Register(Box<RegisterOrder>),
    /// Answers a REGISTER. 401 and 403 are forgotten at once, 403 is sent short.
    Respond {
        request: RequestId,
        status: u16,
        headers: Vec<(String, String)>,
    },
}
