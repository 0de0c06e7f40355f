//! What a leg needs of the outside: the sides that signal, the shards, the voice; and the way of their events back to
//! the call they belong to. Decides nothing.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::UserId;
use crate::domain::account::Speech;
use crate::domain::call::bridge::{BridgeId, HearMatrix, KeysBound, LegId};
use crate::domain::operator::{Phone, Phones};
use crate::engine::registrar::RegistrarHandle;
use crate::engine::signal::{DialOut, LegCommand, LegEvent, Offer};
use crate::engine::trunk::{LegNumbers, TrunkHandle};
use crate::io::media::prompt::Prompt;
use crate::io::media::take::Take;
use crate::io::media::tune::Tune;
use crate::io::media::{Apart, Codec, Media, MediaError, MediaEvent, PlayId, Reach, RtpParameters, ShardId, Strays};
use crate::io::recording::{Kind, Tap};

/// What a leg needs of the sides that signal: carriers and operators' phones.
pub trait Signalling: Send + Sync {
    /// Dials a number over a trunk.
    fn dial(&self, leg: LegId, call: DialOut, offer: Offer, events: mpsc::Sender<LegEvent>);
    /// The phones of an operator that are registered.
    fn phones_of(&self, user: &UserId) -> Phones;
    /// Rings an operator's phone. `call` is told to the console, so that it knows what to answer.
    fn ring(&self, leg: LegId, user: &UserId, phone: Phone, call: &str, offer: Offer, events: mpsc::Sender<LegEvent>);
    /// Rings an operator's desk phone for a colleague.
    fn ring_for(&self, leg: LegId, user: &UserId, by: &UserId, offer: Offer, events: mpsc::Sender<LegEvent>);
    /// To a leg on a trunk.
    fn to_trunk(&self, leg: LegId, command: LegCommand);
    /// To a leg on an operator's phone.
    fn to_phone(&self, leg: LegId, command: LegCommand);
    /// No new calls for now, or again: others are more than can be put on record.
    fn hold_off(&self, hold_off: bool);
}

/// The two signalling sides of this process.
#[derive(Clone, Debug)]
pub struct Sides {
    pub trunk: TrunkHandle,
    pub phones: RegistrarHandle,
}

impl Signalling for Sides {
    fn dial(&self, leg: LegId, call: DialOut, offer: Offer, events: mpsc::Sender<LegEvent>) {
        self.trunk.dial(leg, call, offer, events);
    }

    fn phones_of(&self, user: &UserId) -> Phones {
        self.phones.phones_of(user)
    }

    fn ring(&self, leg: LegId, user: &UserId, phone: Phone, call: &str, offer: Offer, events: mpsc::Sender<LegEvent>) {
        let headers = vec![
            // The operator has been picked: the phone answers by itself (RFC 5373 §5, and the older Call-Info).
            ("Answer-Mode".to_owned(), "Auto".to_owned()),
            ("Call-Info".to_owned(), "<urn:x-cordboard:call>;answer-after=0".to_owned()),
            ("X-Cordboard-Call".to_owned(), call.to_owned()),
        ];
        self.phones.ring(leg, user, phone, offer, headers, events);
    }

    fn ring_for(&self, leg: LegId, user: &UserId, by: &UserId, offer: Offer, events: mpsc::Sender<LegEvent>) {
        self.phones.ring_for(leg, user, by, offer, events);
    }

    fn to_trunk(&self, leg: LegId, command: LegCommand) {
        self.trunk.send(leg, command);
    }

    fn hold_off(&self, hold_off: bool) {
        self.trunk.hold_off(hold_off);
    }

    fn to_phone(&self, leg: LegId, command: LegCommand) {
        self.phones.send(leg, command);
    }
}

/// Why media could not be had; words for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaFault(pub String);

impl fmt::Display for MediaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a leg needs of media.
pub trait LegMedia: Send + Sync {
    fn pick_shard(&self) -> ShardId;
    /// Opens a telephone's leg; says where it receives. `strays`: from where else it may come when it was silent.
    fn open_rtp(&self, shard: ShardId, leg: LegId, strays: Strays) -> Result<Reach, MediaFault>;
    /// Opens a socket that no shard moves; says where it receives.
    fn open_apart(&self) -> Result<(Reach, Apart), MediaFault>;
    fn connect_rtp(&self, leg: LegId, parameters: RtpParameters);
    /// Opens a browser's leg; gives the offer for it, `prefer` first.
    fn open_web(&self, shard: ShardId, leg: LegId, prefer: Codec) -> Result<String, MediaFault>;
    fn answer_web(&self, leg: LegId, answer: String) -> Result<(), MediaFault>;
    /// Looks for another path to a browser; the offer of it is told by the shard.
    fn restart_web(&self, leg: LegId);
    fn set_bridge(&self, shard: ShardId, bridge: BridgeId, rev: u64, matrix: HearMatrix);
    fn drop_bridge(&self, shard: ShardId, bridge: BridgeId);
    fn play(&self, leg: LegId, play: PlayId, prompt: Arc<Prompt>, repeat: bool);
    fn stop(&self, leg: LegId, play: PlayId);
    /// What the leg hears wherever there is music; none: the house's.
    fn set_tune(&self, leg: LegId, tune: Option<Arc<Tune>>);
    /// Takes down what the leg's far end says.
    fn take_down(&self, leg: LegId, take: Box<Take>);
    /// Hands over what was taken down.
    fn end_take(&self, leg: LegId);
    /// Tells what the leg's far end does, until the leg ends.
    fn listen(&self, leg: LegId);
    /// The leg's keys are for us alone, or no longer.
    fn bind_keys(&self, leg: LegId, bound: KeysBound);
    /// Sends keys to the far end, after those still waiting.
    fn press_keys(&self, leg: LegId, keys: &str);
    /// Records the call of this leg from now on.
    fn record(&self, leg: LegId, tap: Tap);
    /// Goes on recording with sound, or without and why.
    fn set_recording(&self, leg: LegId, kind: Kind);
    /// The leg is with those of that shard from now on.
    fn move_leg(&self, leg: LegId, to: ShardId);
    fn close(&self, leg: LegId);
}

impl From<MediaError> for MediaFault {
    fn from(error: MediaError) -> Self {
        Self(error.to_string())
    }
}

impl LegMedia for Media {
    fn pick_shard(&self) -> ShardId {
        self.pick_shard()
    }

    fn open_rtp(&self, shard: ShardId, leg: LegId, strays: Strays) -> Result<Reach, MediaFault> {
        Ok(self.open_rtp_for(shard, leg, strays)?)
    }

    fn open_apart(&self) -> Result<(Reach, Apart), MediaFault> {
        Ok(self.open_apart()?)
    }

    fn connect_rtp(&self, leg: LegId, parameters: RtpParameters) {
        closed_meanwhile(leg, self.connect_rtp(leg, parameters));
    }

    fn open_web(&self, shard: ShardId, leg: LegId, prefer: Codec) -> Result<String, MediaFault> {
        let codecs: &[Codec] = match prefer {
            Codec::Pcmu => &[Codec::Pcmu, Codec::Pcma],
            Codec::Pcma => &[Codec::Pcma, Codec::Pcmu],
            // Only for a caller who speaks it: then the two are relayed as they are.
            Codec::G722 => &[Codec::G722, Codec::Pcmu, Codec::Pcma],
        };
        Ok(self.open_web(shard, leg, codecs)?)
    }

    fn answer_web(&self, leg: LegId, answer: String) -> Result<(), MediaFault> {
        Ok(self.answer_web(leg, answer)?)
    }

    fn restart_web(&self, leg: LegId) {
        closed_meanwhile(leg, self.restart_web(leg));
    }

    fn set_bridge(&self, shard: ShardId, bridge: BridgeId, rev: u64, matrix: HearMatrix) {
        self.set_bridge(shard, bridge, rev, matrix);
    }

    fn drop_bridge(&self, shard: ShardId, bridge: BridgeId) {
        self.drop_bridge(shard, bridge);
    }

    fn play(&self, leg: LegId, play: PlayId, prompt: Arc<Prompt>, repeat: bool) {
        closed_meanwhile(leg, self.play(leg, play, prompt, repeat));
    }

    fn stop(&self, leg: LegId, play: PlayId) {
        closed_meanwhile(leg, self.stop(leg, play));
    }

    fn set_tune(&self, leg: LegId, tune: Option<Arc<Tune>>) {
        closed_meanwhile(leg, self.set_tune(leg, tune));
    }

    fn take_down(&self, leg: LegId, take: Box<Take>) {
        closed_meanwhile(leg, self.take_down(leg, take));
    }

    fn end_take(&self, leg: LegId) {
        closed_meanwhile(leg, self.end_take(leg));
    }

    fn listen(&self, leg: LegId) {
        closed_meanwhile(leg, self.listen(leg));
    }

    fn bind_keys(&self, leg: LegId, bound: KeysBound) {
        closed_meanwhile(leg, self.bind_digits(leg, bound));
    }

    fn press_keys(&self, leg: LegId, keys: &str) {
        closed_meanwhile(leg, self.press_keys(leg, keys));
    }

    fn record(&self, leg: LegId, tap: Tap) {
        closed_meanwhile(leg, self.record(leg, tap));
    }

    fn set_recording(&self, leg: LegId, kind: Kind) {
        closed_meanwhile(leg, self.set_recording(leg, kind));
    }

    fn move_leg(&self, leg: LegId, to: ShardId) {
        closed_meanwhile(leg, self.move_legs(&[leg], to));
    }

    fn close(&self, leg: LegId) {
        self.close(leg);
    }
}

/// A command that came after its leg was closed is late, not wrong: the leg's end is told by signalling.
fn closed_meanwhile(leg: LegId, done: Result<(), MediaError>) {
    if let Err(error) = done {
        tracing::debug!(leg = leg.0, "media command not followed: {error}");
    }
}

/// Something that is ready later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The play of the words by which somebody is asked to wait for the voice: no call counts so far.
pub const ONE_MOMENT: PlayId = PlayId(u64::MAX);

/// What a call needs of the voice: words become prompts.
pub trait Voice: Send + Sync {
    /// The prompt, if it is ready now.
    fn prompt(&self, speech: &Speech) -> Option<Arc<Prompt>>;
    /// Makes it ready. The error is a sentence for the engineer, without the words themselves.
    fn prepare<'a>(&'a self, speech: &'a Speech) -> Later<'a, Result<Arc<Prompt>, String>>;
    /// The same for words that one person hears once, such as a message: they are kept nowhere.
    fn prepare_once<'a>(&'a self, speech: &'a Speech) -> Later<'a, Result<Arc<Prompt>, String>>;
}

/// How long the voice is waited for by somebody who hears nothing meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Then they are asked to wait, and again every so often.
    pub ask_after: Duration,
    pub ask_every: Duration,
    /// Then the voice counts as stuck.
    pub limit: Duration,
    /// The same in a call in which it has been.
    pub once_stuck: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self { ask_after: secs(2), ask_every: secs(4), limit: secs(10), once_stuck: secs(3) }
    }
}

/// What every call is wired to.
pub struct Wiring {
    pub clock: SharedClock,
    pub signalling: Arc<dyn Signalling>,
    pub media: Arc<dyn LegMedia>,
    pub voice: Arc<dyn Voice>,
    pub patience: Patience,
    pub routes: Routes,
    /// One for the whole process, shared with the trunk side.
    legs: LegNumbers,
    last_bridge: AtomicU64,
    /// When this process began to describe sessions.
    began: UtcMs,
}

impl Wiring {
    pub fn new(
        clock: SharedClock,
        signalling: Arc<dyn Signalling>,
        media: Arc<dyn LegMedia>,
        voice: Arc<dyn Voice>,
        legs: LegNumbers,
    ) -> Self {
        let (routes, last_bridge) = (Routes::default(), AtomicU64::new(1));
        let began = clock.utc();
        let patience = Patience::default();
        Self { clock, signalling, media, voice, patience, routes, legs, last_bridge, began }
    }

    /// The number of a leg's session description. Leg numbers begin anew with each start of ours, and a carrier may still
    /// hold a call of the one before (RFC 8866 §5.2): so the time of the start is in it. A million legs in a millisecond
    /// would be too many.
    pub fn session_of(&self, leg: LegId) -> u64 {
        let began = u64::try_from(self.began.0).unwrap_or_default();
        (began << 20).wrapping_add(leg.0)
    }

    /// A number for a leg that we start.
    pub fn fresh_leg(&self) -> LegId {
        self.legs.fresh()
    }

    /// A number for a bridge.
    pub fn fresh_bridge(&self) -> BridgeId {
        BridgeId(self.last_bridge.fetch_add(1, Ordering::Relaxed))
    }
}

/// Where the events of each leg and bridge go.
#[derive(Debug, Default)]
pub struct Routes {
    tables: Mutex<Tables>,
}

/// Boxed: each channel keeps room for a block of what it carries.
#[derive(Debug, Default)]
struct Tables {
    legs: HashMap<LegId, mpsc::UnboundedSender<Box<MediaEvent>>>,
    bridges: HashMap<BridgeId, mpsc::UnboundedSender<Box<MediaEvent>>>,
}

impl Routes {
    /// Hands an event of the shards to the call it belongs to; drops it if that is over.
    pub fn deliver(&self, event: MediaEvent) {
        let tables = self.lock();
        let to = match &event {
            // Said in between: no call's words are over.
            MediaEvent::PlayDone { play, .. } if *play == ONE_MOMENT => None,
            MediaEvent::Bridged { bridge, .. } => tables.bridges.get(bridge),
            MediaEvent::PlayDone { leg, .. }
            | MediaEvent::Digit { leg, .. }
            | MediaEvent::Voice { leg, .. }
            | MediaEvent::Sound { leg, .. }
            | MediaEvent::WebUp { leg }
            | MediaEvent::WebDown { leg }
            | MediaEvent::WebOffer { leg, .. }
            | MediaEvent::WebNoOffer { leg }
            | MediaEvent::Silent { leg }
            | MediaEvent::Gone { leg }
            | MediaEvent::Heard { leg }
            | MediaEvent::Quality { leg, .. }
            | MediaEvent::Closed { leg, .. } => tables.legs.get(leg),
        };
        if let Some(to) = to {
            // An error means only that the call is over.
            let _ = to.send(Box::new(event));
        }
    }

    pub(in crate::engine) fn add_bridge(&self, bridge: BridgeId, to: mpsc::UnboundedSender<Box<MediaEvent>>) {
        self.lock().bridges.insert(bridge, to);
    }

    pub(in crate::engine) fn remove_bridge(&self, bridge: BridgeId) {
        self.lock().bridges.remove(&bridge);
    }

    /// The events of `leg` go there from now on.
    pub(super) fn add_leg(&self, leg: LegId, to: mpsc::UnboundedSender<Box<MediaEvent>>) {
        self.lock().legs.insert(leg, to);
    }

    pub(super) fn remove_leg(&self, leg: LegId) {
        self.lock().legs.remove(&leg);
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
