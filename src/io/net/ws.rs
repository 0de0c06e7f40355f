//! SIP over WebSocket (RFC 7118): a flow that somebody else's WebSocket feeds. `http` upgrades, checks
//! Origin and subprotocol, and pumps frames; one frame is one message.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::{FlowGone, NetEvent, WRITER_DEPTH};
use crate::proto::sip::{Flow, Transport};

/// Makes flows for WebSockets.
#[derive(Clone, Debug)]
pub struct WsDoor {
    local: SocketAddr,
    events: mpsc::Sender<NetEvent>,
    next_connection: Arc<AtomicU64>,
}

impl WsDoor {
    pub(super) const fn new(
        local: SocketAddr,
        events: mpsc::Sender<NetEvent>,
        next_connection: Arc<AtomicU64>,
    ) -> Self {
        Self { local, events, next_connection }
    }

    /// A flow for a WebSocket to `peer`; `secure` if it is `wss`.
    pub async fn open(&self, peer: SocketAddr, secure: bool) -> Result<WsFlow, FlowGone> {
        let transport = if secure { Transport::Wss } else { Transport::Ws };
        let connection = self.next_connection.fetch_add(1, Ordering::Relaxed);
        let flow = Flow { transport, local: self.local, peer, connection };
        let (writer, outbound) = mpsc::channel(WRITER_DEPTH);
        self.events.send(NetEvent::Opened { flow, writer }).await.map_err(|_| FlowGone)?;
        Ok(WsFlow { flow, events: self.events.clone(), outbound })
    }
}

/// One WebSocket's flow. Dropping it closes the flow.
#[derive(Debug)]
pub struct WsFlow {
    flow: Flow,
    events: mpsc::Sender<NetEvent>,
    outbound: mpsc::Receiver<Vec<u8>>,
}

impl WsFlow {
    /// Hands in a frame's content, text or binary (RFC 7118 §5.3: both are allowed).
    pub async fn receive(&self, message: Vec<u8>) -> Result<(), FlowGone> {
        self.events.send(NetEvent::Received { flow: self.flow, bytes: message }).await.map_err(|_| FlowGone)
    }

    /// The next message to send as a frame; `None`: close the WebSocket. Cancel-safe.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.outbound.recv().await
    }
}

impl Drop for WsFlow {
    fn drop(&mut self) {
        // If there is no room, the sweep finds the closed writer within a second.
        let _ = self.events.try_send(NetEvent::Closed { flow: self.flow });
    }
}
