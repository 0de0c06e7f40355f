//! What the drivers do to the world: signalling and media that write down what they are told, and do nothing.
//!
//! Opened by the [`House`](super::House), which reads what was done. What always holds: it is on the channel in the order in which it was
//! told; what no story asks about is not on it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use crate::base::id::{AccountId, DispatchId, UserId};
use crate::domain::call::bridge::{BridgeId, HearMatrix, KeysBound, LegId};
use crate::domain::operator::{Phone, Phones};
use crate::engine::calls::check_in::{DutyChange, Heard};
use crate::engine::calls::greetings::{Spoken, Status};
use crate::engine::calls::record::Line;
use crate::engine::legs::{LegMedia, MediaFault, Signalling};
use crate::engine::signal::{DialOut, LegCommand, LegEvent, Offer};
use crate::engine::sip_side::own_keys;
use crate::io::media::prompt::Prompt;
use crate::io::media::take::Take;
use crate::io::media::tune::Tune;
use crate::io::media::{Apart, Codec, PlayId, Reach, RtpParameters, ShardId, Strays};
use crate::io::recording::{Kind, Tap};
use crate::io::store::audit::Who;
use crate::io::store::callbacks::Callback;
use crate::proto::sdp::Srtp;

/// What the drivers do to the outside.
#[derive(Debug)]
pub(in crate::engine::calls) enum Did {
    Asked(DialOut),
    Dialled { leg: LegId, offer: Vec<u8>, events: mpsc::Sender<LegEvent> },
    Rang { leg: LegId, user: UserId, events: mpsc::Sender<LegEvent> },
    Trunk { leg: LegId, command: LegCommand },
    Phone { leg: LegId, command: LegCommand },
    Opened { leg: LegId, strays: Strays },
    Connected { leg: LegId, send: bool },
    Bridged { matrix: HearMatrix },
    Played { leg: LegId, play: PlayId },
    Recorded { leg: LegId, kind: Kind },
    BoundKeys { leg: LegId, bound: KeysBound },
    Tuned { leg: LegId, own: bool },
    TakesDown { leg: LegId, take: Box<Take> },
    EndsTake { leg: LegId },
    Restart(LegId),
    Pressed { leg: LegId, keys: String },
    Moved { leg: LegId, to: ShardId },
    Closed,
    Kept(Callback),
    Read(DispatchId, Who),
    Heard(Heard),
    OnCall(DutyChange),
    KeptGreeting(Spoken),
    PutUp(Status),
    TakenDown(AccountId, String),
    Wrote(Line),
}

#[derive(Clone)]
pub(super) struct Outside(pub(super) mpsc::UnboundedSender<Did>, pub(super) Arc<AtomicUsize>);

impl Outside {
    pub(super) fn did(&self, did: Did) {
        let _ = self.0.send(did);
    }
}

impl Signalling for Outside {
    fn dial(&self, leg: LegId, call: DialOut, offer: Offer, events: mpsc::Sender<LegEvent>) {
        self.did(Did::Asked(call));
        self.did(Did::Dialled { leg, offer: offer.with(Srtp::Off, own_keys(), [127, 0, 0, 1].into()), events });
    }

    fn phones_of(&self, user: &UserId) -> Phones {
        Phones { both: *user == UserId::named("lee"), ..Phones::of(Phone::Softphone) }
    }

    fn ring_for(&self, leg: LegId, user: &UserId, _by: &UserId, _offer: Offer, events: mpsc::Sender<LegEvent>) {
        self.did(Did::Rang { leg, user: user.clone(), events });
    }

    fn ring(
        &self,
        leg: LegId,
        user: &UserId,
        _phone: Phone,
        _call: &str,
        _offer: Offer,
        events: mpsc::Sender<LegEvent>,
    ) {
        self.did(Did::Rang { leg, user: user.clone(), events });
    }

    fn to_trunk(&self, leg: LegId, command: LegCommand) {
        self.did(Did::Trunk { leg, command });
    }

    fn to_phone(&self, leg: LegId, command: LegCommand) {
        self.did(Did::Phone { leg, command });
    }

    fn hold_off(&self, _hold_off: bool) {}
}

fn address() -> SocketAddr {
    "127.0.0.1:20000".parse().expect("an address")
}

impl LegMedia for Outside {
    /// Each call another.
    fn pick_shard(&self) -> ShardId {
        ShardId(self.1.fetch_add(1, Ordering::Relaxed))
    }

    fn open_rtp(&self, _shard: ShardId, leg: LegId, strays: Strays) -> Result<Reach, MediaFault> {
        self.did(Did::Opened { leg, strays });
        Ok(Reach::at(address()))
    }

    fn open_apart(&self) -> Result<(Reach, Apart), MediaFault> {
        Err(MediaFault("no fax is sent from here".to_owned()))
    }

    fn connect_rtp(&self, leg: LegId, parameters: RtpParameters) {
        self.did(Did::Connected { leg, send: parameters.send });
    }

    fn open_web(&self, _shard: ShardId, _leg: LegId, _prefer: Codec) -> Result<String, MediaFault> {
        Ok("an offer".into())
    }

    fn answer_web(&self, _leg: LegId, _answer: String) -> Result<(), MediaFault> {
        Ok(())
    }

    fn restart_web(&self, leg: LegId) {
        self.did(Did::Restart(leg));
    }

    fn set_bridge(&self, _shard: ShardId, _bridge: BridgeId, _rev: u64, matrix: HearMatrix) {
        self.did(Did::Bridged { matrix });
    }

    fn drop_bridge(&self, _shard: ShardId, _bridge: BridgeId) {}

    fn play(&self, leg: LegId, play: PlayId, _prompt: Arc<Prompt>, _repeat: bool) {
        self.did(Did::Played { leg, play });
    }

    fn stop(&self, _leg: LegId, _play: PlayId) {}

    fn set_tune(&self, leg: LegId, tune: Option<Arc<Tune>>) {
        self.did(Did::Tuned { leg, own: tune.is_some() });
    }

    fn take_down(&self, leg: LegId, take: Box<Take>) {
        self.did(Did::TakesDown { leg, take });
    }

    fn end_take(&self, leg: LegId) {
        self.did(Did::EndsTake { leg });
    }

    fn listen(&self, _leg: LegId) {}

    fn bind_keys(&self, leg: LegId, bound: KeysBound) {
        self.did(Did::BoundKeys { leg, bound });
    }

    fn press_keys(&self, leg: LegId, keys: &str) {
        self.did(Did::Pressed { leg, keys: keys.to_owned() });
    }

    fn record(&self, leg: LegId, _tap: Tap) {
        self.did(Did::Recorded { leg, kind: Kind::Sound });
    }

    fn set_recording(&self, leg: LegId, kind: Kind) {
        self.did(Did::Recorded { leg, kind });
    }

    fn move_leg(&self, leg: LegId, to: ShardId) {
        self.did(Did::Moved { leg, to });
    }

    fn close(&self, _leg: LegId) {
        self.did(Did::Closed);
    }
}
