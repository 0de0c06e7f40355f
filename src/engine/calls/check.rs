//! The media check: rings an operator's phone, plays a tone, lets it hear itself, and looks whether audio came
//! up.
//!
//! Proves registration, ringing, ICE, DTLS and the way up; whether the tone was heard the operator knows. The one
//! place where a leg hears itself. Its result goes to the seat.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Calls, CallsHandle};
use crate::base::id::UserId;
use crate::domain::call::bridge::{HearMatrix, LegId, Source};
use crate::domain::call::leg::LegInput;
use crate::domain::operator::Phone;
use crate::engine::feed::{SeatState, UserRef};
use crate::engine::legs::Legs;
use crate::engine::mixer::tone;
use crate::io::media::{MediaEvent, PlayId};

/// What consoles know a check by, in place of a call's identifier.
pub const CHECK: &str = "check";
/// How long the softphone may take to answer and its path to come up.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long the tone may take.
const TONE_LIMIT: Duration = Duration::from_secs(2);
/// How long the operator hears themselves.
const ECHO: Duration = Duration::from_secs(3);
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// A second's worth of packets, of some four.
const ENOUGH_PACKETS: u64 = 50;

/// Why a check cannot be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckRefused {
    /// The seat has, or may get, a call.
    Busy,
    NoPhone,
    /// The desk is closed.
    Stopping,
    /// A menu is being tried out on it, or a greeting spoken in.
    Trying,
}

impl std::fmt::Display for CheckRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Busy => "the seat is ready or has a call: set it to not ready first",
            Self::NoPhone => "no phone is registered",
            Self::Stopping => "the service is stopping",
            Self::Trying => "a menu is being tried out on this telephone, or a greeting recorded: hang up first",
        })
    }
}

impl CallsHandle {
    /// Starts a media check of `user`'s softphone, of the desk phone if there is no other. The seat shows the result.
    pub async fn check_media(&self, user: UserRef) -> Result<(), CheckRefused> {
        let phone = self.0.free_phone(&user).await?;
        let calls = Arc::clone(&self.0);
        tokio::spawn(async move {
            let passed = check(&calls, &user.id, phone).await;
            metrics::counter!("cordboard_media_checks_total", "passed" => passed.to_string()).increment(1);
            calls.desk.checked(user.id, phone, passed);
        });
        Ok(())
    }
}

impl Calls {
    /// The phone of a seat that has no call and can get none: the softphone if there is one, as the console asks for its
    /// own sake.
    pub(super) async fn free_phone(&self, user: &UserRef) -> Result<Phone, CheckRefused> {
        let (seat, _) = self.desk.board(user.clone()).await.ok_or(CheckRefused::Stopping)?;
        if seat.aside || !matches!(seat.state, SeatState::NotReady | SeatState::Offline) {
            return Err(CheckRefused::Busy);
        }
        if !seat.phone {
            return Err(CheckRefused::NoPhone);
        }
        let phones = self.wiring.signalling.phones_of(&user.id);
        let softphone = Some(Phone::Softphone).filter(|phone| phones.has(*phone));
        softphone.or(phones.last).ok_or(CheckRefused::NoPhone)
    }
}

async fn check(calls: &Calls, user: &UserId, phone: Phone) -> bool {
    let wiring = &calls.wiring;
    let shard = wiring.media.pick_shard();
    let (media_events, mut media) = mpsc::unbounded_channel();
    let mut legs = Legs::new(Arc::clone(wiring), shard, CHECK.to_owned(), media_events);
    let leg = wiring.fresh_leg();
    if legs.ring(leg, user, Some(phone)).is_some() {
        return false;
    }
    let up = tokio::time::timeout(CONNECT_LIMIT, connect(&mut legs, &mut media)).await;
    if up != Ok(true) {
        return false;
    }
    let bridge = wiring.fresh_bridge();
    wiring.media.set_bridge(shard, bridge, 1, HearMatrix::default().with(leg, &[]));
    wiring.media.play(leg, PlayId(1), tone(), false);
    // Neither the end of the tone nor a phone that hangs up early decides anything: the packets do.
    let _ = tokio::time::timeout(TONE_LIMIT, played(&mut media)).await;
    wiring.media.set_bridge(shard, bridge, 2, HearMatrix::default().with(leg, &[Source::Leg(leg)]));
    let _ = tokio::time::timeout(ECHO, ended(&mut legs, leg)).await;
    wiring.media.drop_bridge(shard, bridge);
    legs.hang_up(leg);
    let packets = tokio::time::timeout(CLOSE_LIMIT, packets_in(&mut media)).await.unwrap_or(0);
    packets >= ENOUGH_PACKETS
}

/// Waits until the phone has answered and its path is up; false if it refuses.
pub(super) async fn connect(legs: &mut Legs, media: &mut mpsc::UnboundedReceiver<Box<MediaEvent>>) -> bool {
    let (mut answered, mut web_up) = (false, false);
    while !(answered && web_up) {
        tokio::select! {
            (leg, event) = legs.next() => match legs.translate(leg, event) {
                Some(LegInput::Answered) => answered = true,
                Some(LegInput::Ended(_)) => return false,
                _ => {}
            },
            event = media.recv() => match event.as_deref() {
                Some(MediaEvent::WebUp { .. }) => web_up = true,
                Some(_) => {}
                None => return false,
            },
        }
    }
    true
}

/// Waits until the tone was played.
async fn played(media: &mut mpsc::UnboundedReceiver<Box<MediaEvent>>) {
    while let Some(event) = media.recv().await {
        if matches!(*event, MediaEvent::PlayDone { .. }) {
            return;
        }
    }
}

/// Waits until the phone hangs up by itself.
async fn ended(legs: &mut Legs, leg: LegId) {
    loop {
        let (of, event) = legs.next().await;
        if of == leg && matches!(legs.translate(of, event), Some(LegInput::Ended(_))) {
            return;
        }
    }
}

async fn packets_in(media: &mut mpsc::UnboundedReceiver<Box<MediaEvent>>) -> u64 {
    while let Some(event) = media.recv().await {
        if let MediaEvent::Closed { stats, .. } = *event {
            return stats.packets_in;
        }
    }
    0
}
