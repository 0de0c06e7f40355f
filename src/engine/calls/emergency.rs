//! An operator who dials an emergency number at her desk phone while no caller is hers: it goes out over a trunk that has
//! a registered address for such calls, in nobody's name and by nobody's limits; where none takes it, she is told so
//! aloud. Either way it is on all desks.
//!
//! What always holds: the phone is never left without an answer: it is connected, or hears words, or is refused with
//! words to show. There is no account, and so no call record: the alarm is what is kept of it, as long as alarms stay. Each is
//! one of its own, and says whose it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::Calls;
use crate::base::id::UserId;
use crate::base::phone::PhoneNumber;
use crate::domain::account::Speech;
use crate::domain::call::bridge::{HearMatrix, LegId, Source};
use crate::domain::call::cause::Cause;
use crate::domain::call::leg::LegInput;
use crate::engine::feed::AlarmLevel;
use crate::engine::legs::Legs;
use crate::engine::mixer::Mixer;
use crate::engine::signal::{DialOut, PhoneCall};
use crate::io::media::MediaEvent;

const SPOKEN: &str =
    "Your emergency call could not be placed from here. Hang up, and dial it on another telephone, now.";
/// The words are the only play there is.
const WORDS: u64 = 1;
/// How long the words may take, made ready and said; then the phone is let go.
const WORDS_LIMIT: Duration = Duration::from_secs(60);
/// How long a call that is over waits for its ports to be free.
const CLOSING_LIMIT: Duration = Duration::from_secs(2);

/// Emergency calls under way: a stop of the service waits for them.
#[derive(Debug, Default)]
pub(super) struct Helping(AtomicUsize);

impl Helping {
    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}

/// One of them; dropped, also by a panic, it is over.
struct Counted(Arc<Calls>);

impl Counted {
    fn begin(calls: &Arc<Calls>) -> Self {
        calls.helping.0.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(calls))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.helping.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Calls {
    /// Takes in a call for help.
    pub(super) fn call_for_help(self: &Arc<Self>, call: PhoneCall, to: PhoneNumber) {
        tracing::warn!(leg = call.leg.0, "an operator dials an emergency number at a desk phone");
        let (counted, calls) = (Counted::begin(self), Arc::clone(self));
        tokio::spawn(async move {
            let who = calls.name_of(&call.user).await;
            calls.raise(AlarmLevel::Critical, dialled(&who), None);
            Help::new(calls, &call, who).run(call, to).await;
            drop(counted);
        });
    }
}

impl Calls {
    /// As the desks know them.
    pub(super) async fn name_of(&self, user: &UserId) -> String {
        let seats = self.desk.floor().await.map(|(seats, _)| seats).unwrap_or_default();
        let seat = seats.into_iter().find(|seat| seat.user.id == *user);
        seat.map_or_else(|| "An operator".to_owned(), |seat| seat.user.name)
    }
}

/// For the desks alone, as they name somebody.
fn dialled(who: &str) -> String {
    format!("{who} has dialled an emergency number at a desk phone: see whether they need help.")
}

fn refused(who: &str) -> String {
    format!("{who} could not be put through to an emergency number: dial it for them on another telephone, now.")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Dialling,
    Connected,
    /// Refused, and told so.
    Told {
        until: Instant,
    },
    Over,
}

struct Help {
    calls: Arc<Calls>,
    phone: LegId,
    trunk: LegId,
    legs: Legs,
    mixer: Mixer,
    media: mpsc::UnboundedReceiver<Box<MediaEvent>>,
    stage: Stage,
    /// The operator's name.
    who: String,
}

impl Help {
    fn new(calls: Arc<Calls>, call: &PhoneCall, who: String) -> Self {
        let wiring = Arc::clone(&calls.wiring);
        let (shard, trunk) = (wiring.media.pick_shard(), wiring.fresh_leg());
        let (media_events, media) = mpsc::unbounded_channel();
        let legs = Legs::new(Arc::clone(&wiring), shard, String::new(), media_events.clone());
        let mixer = Mixer::new(wiring, shard, media_events);
        Self { calls, phone: call.leg, trunk, legs, mixer, media, stage: Stage::Dialling, who }
    }

    async fn run(mut self, call: PhoneCall, to: PhoneNumber) {
        self.legs.adopt_phone(call);
        self.mixer.make_ready(&Speech::Spoken { text: SPOKEN.to_owned() });
        if let Some(LegInput::Ended(why)) = self.legs.open(self.phone) {
            self.calls.raise(AlarmLevel::Critical, refused(&self.who), None);
            self.legs.turn_down(self.phone, why);
            self.stage = Stage::Over;
        } else if let Some(failed) = self.legs.dial(self.trunk, DialOut { to, caller_id: None, account: None }) {
            self.on_leg(self.trunk, failed);
        }
        while self.stage != Stage::Over {
            let now = self.calls.wiring.clock.instant();
            let wake = match self.stage {
                Stage::Told { until } => Some(until.saturating_duration_since(now)),
                Stage::Dialling | Stage::Connected | Stage::Over => None,
            };
            tokio::select! {
                biased;
                Some(event) = self.media.recv() => self.on_media(*event),
                (leg, event) = self.legs.next() => {
                    if let Some(event) = self.legs.translate(leg, event) {
                        self.on_leg(leg, event);
                    }
                }
                prepared = self.mixer.prepared() => {
                    self.mixer.on_prepared(prepared);
                }
                () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => self.end(),
            }
        }
        while self.legs.has_closing() {
            match tokio::time::timeout(CLOSING_LIMIT, self.media.recv()).await {
                Ok(Some(event)) => self.on_media(*event),
                _ => break,
            }
        }
    }

    fn on_media(&mut self, event: MediaEvent) {
        if let Some((leg, input)) = self.legs.heard_of_media(&event) {
            return self.on_leg(leg, input);
        }
        match event {
            MediaEvent::PlayDone { .. } if matches!(self.stage, Stage::Told { .. }) => self.end(),
            MediaEvent::Closed { leg, .. } => {
                if let Some(input) = self.legs.closed(leg) {
                    self.on_leg(leg, input);
                }
            }
            _ => {}
        }
    }

    fn on_leg(&mut self, leg: LegId, input: LegInput) {
        match (self.stage, input) {
            (Stage::Dialling, LegInput::Answered) if leg == self.trunk => self.connect(),
            (Stage::Dialling, LegInput::Ended(why)) if leg == self.trunk => self.refuse(why),
            // Not before it can hear them.
            (Stage::Told { .. }, LegInput::Established) if leg == self.phone => {
                self.mixer.play(self.phone, WORDS, Speech::Spoken { text: SPOKEN.to_owned() });
            }
            (Stage::Told { .. }, LegInput::Ended(_)) if leg == self.trunk => {}
            (Stage::Dialling | Stage::Connected | Stage::Told { .. }, LegInput::Ended(_)) => self.end(),
            _ => {}
        }
    }

    fn connect(&mut self) {
        self.stage = Stage::Connected;
        let (phone, trunk) = (self.phone, self.trunk);
        let matrix = HearMatrix::default().with(phone, &[Source::Leg(trunk)]).with(trunk, &[Source::Leg(phone)]);
        self.mixer.set(1, matrix);
        self.legs.answer(phone);
    }

    fn refuse(&mut self, why: Cause) {
        tracing::error!(leg = self.trunk.0, ?why, "an operator's emergency call did not go out");
        self.calls.raise(AlarmLevel::Critical, refused(&self.who), None);
        self.stage = Stage::Told { until: self.calls.wiring.clock.instant() + WORDS_LIMIT };
        self.legs.hang_up(self.trunk);
        self.mixer.set(1, HearMatrix::default().with(self.phone, &[]));
        self.legs.answer(self.phone);
    }

    fn end(&mut self) {
        self.stage = Stage::Over;
        self.legs.hang_up(self.trunk);
        self.legs.hang_up(self.phone);
    }
}
