//! The way to the phone side: what legs order of it, and who has a phone there.
//!
//! Holds nothing but the way; the registrar's one loop decides. What always holds: a ring that nobody takes any more ends at once.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::mpsc;

use crate::base::id::UserId;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::operator::{Phone, Phones};
use crate::engine::signal::{LegCommand, LegEvent, Offer};
use crate::io::net::{FlowGone, WsDoor, WsFlow};

/// What is to be rung, and with what.
pub(super) struct Ring {
    pub(super) leg: LegId,
    pub(super) user: UserId,
    pub(super) phone: Phone,
    pub(super) offer: Offer,
    pub(super) headers: Vec<(String, String)>,
    /// The colleague who calls, if it is one.
    pub(super) by: Option<UserId>,
    pub(super) events: mpsc::Sender<LegEvent>,
}

pub(super) enum Order {
    Ring(Ring),
    Leg(LegId, LegCommand),
}

/// The way to the phone side. Cheap to clone; calls never wait, except to open a WebSocket.
#[derive(Clone)]
pub struct RegistrarHandle {
    // Unbounded: only legs of ours write to it, a few words each, and the loop never waits.
    pub(super) orders: mpsc::UnboundedSender<Order>,
    pub(super) online: Arc<RwLock<HashMap<UserId, Phones>>>,
    pub(super) door: WsDoor,
    pub(super) local: SocketAddr,
    pub(super) local_tls: Option<SocketAddr>,
}

impl fmt::Debug for RegistrarHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrarHandle").field("local", &self.local).finish_non_exhaustive()
    }
}

impl RegistrarHandle {
    /// Rings the phone of this kind that `user` registered last. What happens comes on `events`.
    pub fn ring(
        &self,
        leg: LegId,
        user: &UserId,
        phone: Phone,
        offer: impl Into<Offer>,
        headers: Vec<(String, String)>,
        events: mpsc::Sender<LegEvent>,
    ) {
        self.order(Ring { leg, user: user.clone(), phone, offer: offer.into(), headers, by: None, events });
    }

    /// Rings the desk phone of `user` for a colleague, whom it shows. She picks it up by hand.
    pub fn ring_for(&self, leg: LegId, user: &UserId, by: &UserId, offer: Offer, events: mpsc::Sender<LegEvent>) {
        let (user, by, phone) = (user.clone(), Some(by.clone()), Phone::DeskPhone);
        self.order(Ring { leg, user, phone, offer, headers: Vec::new(), by, events });
    }

    fn order(&self, ring: Ring) {
        let order = Order::Ring(ring);
        if let Err(mpsc::error::SendError(Order::Ring(ring))) = self.orders.send(order) {
            let _ = ring.events.try_send(LegEvent::Ended(Cause::Fault));
        }
    }

    pub fn send(&self, leg: LegId, command: LegCommand) {
        // A phone side that is gone has ended its legs.
        let _ = self.orders.send(Order::Leg(leg, command));
    }

    /// The phones of `user` that are registered.
    pub fn phones_of(&self, user: &UserId) -> Phones {
        self.online.read().unwrap_or_else(PoisonError::into_inner).get(user).copied().unwrap_or_default()
    }

    /// A flow for a WebSocket that `http` has upgraded; `secure` if it is `wss`.
    pub async fn open_ws(&self, peer: SocketAddr, secure: bool) -> Result<WsFlow, FlowGone> {
        self.door.open(peer, secure).await
    }

    /// Waits until the loop is gone: as long as there is a handle, only a panic ends it.
    pub async fn gone(&self) {
        self.orders.closed().await;
    }

    /// Where it listens for phones on UDP and TCP.
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Where it listens for phones on TLS.
    pub const fn local_tls(&self) -> Option<SocketAddr> {
        self.local_tls
    }
}
