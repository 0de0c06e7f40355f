//! Connections: who goes by which, and what becomes of them when one closes.
//!
//! Towards phones a call that rings goes with its connection, and one that is up outlives it for [`FLOW_GRACE`]. Towards
//! carriers, who recycle connections as they like, a call that rings waits as long for another way, and one that is up for
//! as long as it is up. What always holds: whatever is in a table and goes by a connection is found by it, without
//! looking at the rest.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::super::dialog::{Stage, TxId};
use super::super::words::{DialogId, EndReason, Event, Flow, Transport};
use super::{Agent, Role};

/// How long a call outlives its connection: answered, so that a browser can come back, as long as the seat waits for its
/// audio; ringing in from a carrier, so that there is another way for the answer.
pub(super) const FLOW_GRACE: Duration = Duration::from_secs(10);

/// Who goes by a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum User {
    Client(TxId),
    Server(TxId),
    Dialog(DialogId),
}

/// Everyone who goes by a connection. Nobody is listed for UDP, which never closes.
#[derive(Debug, Default)]
pub(super) struct Connections(BTreeSet<(u64, User)>);

impl Connections {
    pub(super) fn add(&mut self, flow: &Flow, user: User) {
        if flow.connection != 0 {
            self.0.insert((flow.connection, user));
        }
    }

    pub(super) fn remove(&mut self, flow: &Flow, user: User) {
        self.0.remove(&(flow.connection, user));
    }

    fn of(&self, flow: &Flow) -> Vec<User> {
        let from = (flow.connection, User::Client(0));
        self.0.range(from..).take_while(|(number, _)| *number == flow.connection).map(|(_, user)| *user).collect()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Agent {
    pub(super) fn flow_closed(&mut self, now: Instant, flow: Flow) {
        // Requests of ours first, then theirs, then dialogs: in the order of `User`.
        for user in self.connections.of(&flow) {
            match user {
                User::Client(id) => {
                    if !self.resend(id) {
                        self.client_failed(now, id, 503);
                    }
                }
                User::Server(id) if self.rings(id) => {}
                User::Server(id) => {
                    self.forget_server(id);
                }
                User::Dialog(id) => self.flow_lost(now, id),
            }
        }
    }

    /// It is the INVITE of a carrier's that waits for our answer: that goes another way (RFC 3261 §18.2.2).
    fn rings(&self, tx: TxId) -> bool {
        let dialog = self.servers.get(&tx).and_then(|server| self.dialogs.get(&server.dialog?));
        self.config.role == Role::Trunk && dialog.is_some_and(|dialog| dialog.stage == Stage::Ringing { tx })
    }

    fn flow_lost(&mut self, now: Instant, id: DialogId) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        match dialog.stage {
            Stage::Ringing { .. } if self.config.role == Role::Trunk => {
                // Found closed again and again by what is sent into it, it is lost since the first time.
                dialog.lost_at.get_or_insert(now + FLOW_GRACE);
                self.arm_dialog(id);
                self.event(Event::FlowLost { dialog: id });
            }
            Stage::Ringing { .. } => {
                self.settle(id);
                self.forget_dialog(id);
                self.event(Event::Canceled { dialog: id });
            }
            // A call out on this flow was failed with its transaction.
            Stage::Calling { .. } => {
                self.forget_dialog(id);
            }
            Stage::Up if self.config.role == Role::Phones => {
                // Found closed again and again by what is sent into it, it is lost since the first time.
                dialog.lost_at.get_or_insert(now + FLOW_GRACE);
                dialog.accepted = None;
                let silent = dialog.is_closing();
                self.arm_dialog(id);
                if !silent {
                    self.event(Event::FlowLost { dialog: id });
                }
            }
            // A carrier may close an idle connection in mid-call and open another. Whoever drives us knows how
            // to reach it meanwhile.
            Stage::Up => self.event(Event::FlowLost { dialog: id }),
        }
    }

    /// No other way was found in time. A call that rang is refused to nobody.
    pub(super) fn lost_for_good(&mut self, now: Instant, id: DialogId) {
        if let Some(Stage::Ringing { tx }) = self.dialogs.get(&id).map(|dialog| dialog.stage) {
            self.settle(id);
            self.forget_server(tx);
        }
        self.end(now, id, EndReason::FlowLost);
    }

    /// The far end of a dialog is to be reached over this flow from now on; a call that rings in is answered by it.
    pub(super) fn move_flow(&mut self, id: DialogId, flow: Flow) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let before = std::mem::replace(&mut dialog.flow, flow);
        dialog.lost_at = None;
        // Responses to what came by UDP go back by UDP, whatever the next request goes by.
        let follows = before.transport.is_reliable();
        if let Some(accepted) = dialog.accepted.as_mut().filter(|_| follows) {
            accepted.flow = flow;
        }
        if let Some(reliable) = dialog.reliable.as_mut().filter(|_| follows) {
            reliable.move_to(flow);
        }
        let stage = dialog.stage;
        self.connections.remove(&before, User::Dialog(id));
        self.connections.add(&flow, User::Dialog(id));
        if let Stage::Ringing { tx } = stage
            && follows
            && let Some(server) = self.servers.get_mut(&tx)
        {
            let before = std::mem::replace(&mut server.flow, flow);
            self.connections.remove(&before, User::Server(tx));
            self.connections.add(&flow, User::Server(tx));
        }
        self.arm_dialog(id);
    }

    /// A request has come once more. Over a new connection, after the one it came by first was lost: the call goes on
    /// by that.
    pub(super) fn came_again(&mut self, tx: TxId, flow: Flow) {
        let Some(server) = self.servers.get(&tx) else { return };
        let same_peer = server.flow.peer.ip() == flow.peer.ip() && server.flow.transport == flow.transport;
        let Some(id) = server.dialog.filter(|_| same_peer && flow.transport.is_reliable()) else { return };
        if self.rings(tx) && self.dialogs.get(&id).is_some_and(|dialog| dialog.lost_at.is_some()) {
            self.move_flow(id, flow);
        }
    }

    /// Tells of a carrier that is spoken to over UDP and says it listens to something else. Phones are where they
    /// registered from, whatever they say.
    pub(super) fn mind_transport(&mut self, id: DialogId) {
        let Some(dialog) = self.dialogs.get(&id).filter(|_| self.config.role == Role::Trunk) else { return };
        let wanted = dialog.next_transport().filter(|wanted| *wanted != Transport::Udp);
        let Some(transport) = wanted.filter(|_| dialog.stage == Stage::Up && dialog.flow.transport == Transport::Udp)
        else {
            return;
        };
        let hop = dialog.next_hop().filter(|hop| self.is_usable(*hop));
        self.event(Event::OtherTransport { dialog: id, transport, hop });
    }

    /// Where the far end of a call that rings in says that it takes responses once its connection is gone: where it came
    /// from, at the port of its Via (RFC 3261 §18.2.2).
    pub(super) fn answers_at(&self, tx: TxId) -> Option<SocketAddr> {
        let server = self.servers.get(&tx)?;
        let usual = if server.flow.transport == Transport::Tls { 5061 } else { 5060 };
        let port = server.request.headers.via()?.port.unwrap_or(usual);
        Some(SocketAddr::new(server.flow.peer.ip(), port))
    }
}
