//! SIP over WebSocket (RFC 7118): a flow that somebody else's WebSocket feeds. `http` upgrades, checks
//! Origin and subprotocol, and pumps frames; one frame is one message. The rules are those of every connection
//! (`stream`, `census`).

use std::net::SocketAddr;

use tokio::sync::mpsc;

use super::census::Seat;
use super::stream::Patience;
use super::tcp::Hall;
use super::writer::{Outbound, writer};
use super::{FlowGone, Life, NetEvent};
use crate::proto::sip::{Flow, Transport};

/// Makes flows for WebSockets.
#[derive(Clone, Debug)]
pub struct WsDoor {
    local: SocketAddr,
    hall: Hall,
}

impl WsDoor {
    pub(super) const fn new(local: SocketAddr, hall: Hall) -> Self {
        Self { local, hall }
    }

    /// A flow for a WebSocket to `peer`; `secure` if it is `wss`. An error if there is no room for it.
    pub async fn open(&self, peer: SocketAddr, secure: bool) -> Result<WsFlow, FlowGone> {
        let seat = self.hall.census.admit(peer.ip()).ok_or(FlowGone)?;
        let transport = if secure { Transport::Wss } else { Transport::Ws };
        let connection = self.hall.number();
        let flow = Flow { transport, local: self.local, peer, connection };
        let (writer, outbound) = writer();
        let life = Life(connection);
        let opened = NetEvent::Opened { flow, life, writer, voucher: seat.voucher() };
        self.hall.events.send(opened).await.map_err(|_| FlowGone)?;
        let patience = Patience::with_guest(seat.voucher());
        Ok(WsFlow { flow, life, events: self.hall.events.clone(), outbound, patience, seat })
    }
}

/// One WebSocket's flow. Dropping it closes the flow.
#[derive(Debug)]
pub struct WsFlow {
    flow: Flow,
    life: Life,
    events: mpsc::Sender<NetEvent>,
    outbound: Outbound,
    patience: Patience,
    seat: Seat,
}

impl WsFlow {
    /// Hands in a frame's content, text or binary (RFC 7118 §5.3: both are allowed).
    pub async fn receive(&mut self, message: Vec<u8>) -> Result<(), FlowGone> {
        if !self.patience.allows_message() {
            return Err(FlowGone);
        }
        self.patience.heard(false);
        self.events.send(NetEvent::Received { flow: self.flow, bytes: message }).await.map_err(|_| FlowGone)
    }

    /// Whether its phone has registered.
    pub fn is_known(&self) -> bool {
        self.seat.voucher().is_redeemed()
    }

    /// The other end has answered a WebSocket's own ping: enough for one that has registered.
    pub fn alive(&mut self) {
        if self.is_known() {
            self.patience.heard(false);
        }
    }

    /// The next message to send as a frame; `None`: close the WebSocket. Cancel-safe.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        tokio::select! {
            biased;
            () = self.outbound.cut.wait() => None,
            message = self.outbound.messages.recv() => message,
            () = self.patience.end() => None,
            () = self.seat.turned_out() => None,
        }
    }
}

impl Drop for WsFlow {
    fn drop(&mut self) {
        // If there is no room, the sweep finds the closed writer within a second.
        let _ = self.events.try_send(NetEvent::Closed { flow: self.flow, life: self.life });
    }
}
