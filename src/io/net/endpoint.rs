//! One SIP side's sockets: UDP and TCP on one port, and the connections that are open.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tracing::warn;

use super::ws::WsDoor;
use super::{BindError, FlowGone, NetEvent, WRITER_DEPTH, tcp};
use crate::proto::sip::{Flow, Transport};

/// Messages that may wait for the loop. Beyond that UDP is left in the kernel and streams wait.
const EVENT_DEPTH: usize = 1024;
/// What a datagram can hold at most.
const DATAGRAM: usize = 65_535;

/// The sockets of one side. Its tasks end with it.
#[derive(Debug)]
pub struct Endpoint {
    udp: Arc<UdpSocket>,
    local: SocketAddr,
    connections: HashMap<u64, (Flow, mpsc::Sender<Vec<u8>>)>,
    events: mpsc::Receiver<NetEvent>,
    sender: mpsc::Sender<NetEvent>,
    next_connection: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Endpoint {
    /// Listens on `address`, UDP and TCP; with port 0 on the same free port for both.
    pub async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let error = |transport| move |source| BindError { address, transport, source };
        let mut tries = 0;
        let (udp, tcp) = loop {
            let udp = bind_udp(address).map_err(error("UDP"))?;
            let local = udp.local_addr().map_err(error("UDP"))?;
            match TcpListener::bind(local).await {
                Ok(tcp) => break (udp, tcp),
                // The free UDP port was taken for TCP.
                Err(source) if address.port() == 0 && source.kind() == ErrorKind::AddrInUse && tries < 20 => tries += 1,
                Err(source) => return Err(BindError { address, transport: "TCP", source }),
            }
        };
        let local = udp.local_addr().map_err(error("UDP"))?;
        let (sender, events) = mpsc::channel(EVENT_DEPTH);
        let next_connection = Arc::new(AtomicU64::new(1));
        let udp = Arc::new(udp);
        let tasks = vec![
            tokio::spawn(read_datagrams(Arc::clone(&udp), local, sender.clone())),
            tokio::spawn(tcp::accept(tcp, sender.clone(), Arc::clone(&next_connection))),
        ];
        Ok(Self { udp, local, connections: HashMap::new(), events, sender, next_connection, tasks })
    }

    /// Where it listens.
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// The door through which WebSockets become flows.
    pub fn ws_door(&self) -> WsDoor {
        WsDoor::new(self.local, self.sender.clone(), Arc::clone(&self.next_connection))
    }

    /// The next thing from the network. Cancel-safe.
    pub async fn next(&mut self) -> NetEvent {
        loop {
            // `sender` is held here, so the channel cannot close.
            let Some(event) = self.events.recv().await else { std::future::pending().await };
            match event {
                NetEvent::Opened { flow, writer } => {
                    self.connections.insert(flow.connection, (flow, writer));
                }
                NetEvent::Closed { flow } => {
                    // One that was closed from here, or found closed, has been told of already.
                    if self.connections.remove(&flow.connection).is_some() {
                        return NetEvent::Closed { flow };
                    }
                }
                event @ NetEvent::Received { .. } => return event,
            }
        }
    }

    /// Messages that have come and were not asked for yet.
    pub fn unread(&self) -> usize {
        self.events.len()
    }

    /// A flow to `peer` over UDP.
    pub const fn udp_flow(&self, peer: SocketAddr) -> Flow {
        Flow { transport: Transport::Udp, local: self.local, peer, connection: 0 }
    }

    /// A flow to `peer` over TCP: an open connection, else a new one, usable at once. If it can't be
    /// made, the flow closes.
    pub fn tcp_flow(&mut self, peer: SocketAddr) -> Flow {
        let open =
            self.connections.values().find(|(f, w)| f.transport == Transport::Tcp && f.peer == peer && !w.is_closed());
        if let Some((flow, _)) = open {
            return *flow;
        }
        let connection = self.next_connection.fetch_add(1, Ordering::Relaxed);
        let flow = Flow { transport: Transport::Tcp, local: self.local, peer, connection };
        let (writer, outbound) = mpsc::channel(WRITER_DEPTH);
        self.connections.insert(connection, (flow, writer));
        tokio::spawn(tcp::connect(flow, outbound, self.sender.clone()));
        flow
    }

    /// Sends without waiting. A datagram the socket has no room for is lost, as on any network; a
    /// connection whose writer is full is closed.
    pub fn transmit(&mut self, flow: &Flow, bytes: Vec<u8>) -> Result<(), FlowGone> {
        if flow.transport == Transport::Udp {
            // An ICMP error of an earlier datagram shows here; the transaction's timers deal with it.
            let _ = self.udp.try_send_to(&bytes, flow.peer);
            return Ok(());
        }
        let sent = self.connections.get(&flow.connection).is_some_and(|(_, writer)| writer.try_send(bytes).is_ok());
        if sent {
            return Ok(());
        }
        if self.connections.remove(&flow.connection).is_some() {
            metrics::counter!("cordboard_sip_slow_connections_total").increment(1);
        }
        Err(FlowGone)
    }

    /// Closes a connection once what waits in its writer is sent.
    pub fn close(&mut self, flow: &Flow) {
        self.connections.remove(&flow.connection);
    }

    /// Takes out connections whose task has ended without a word getting through.
    pub fn sweep(&mut self) -> Vec<Flow> {
        let gone: Vec<Flow> = self.connections.values().filter(|(_, w)| w.is_closed()).map(|(f, _)| *f).collect();
        for flow in &gone {
            self.connections.remove(&flow.connection);
        }
        gone
    }
}

fn bind_udp(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::DGRAM,
        Some(socket2::Protocol::UDP),
    )?;
    socket.set_nonblocking(true)?;
    // Room for a burst of calls; the kernel grants what it allows.
    if let Err(error) = socket.set_recv_buffer_size(4 << 20) {
        warn!(%error, "the kernel refuses a larger receive buffer");
    }
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

async fn read_datagrams(socket: Arc<UdpSocket>, local: SocketAddr, events: mpsc::Sender<NetEvent>) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((len, peer)) => {
                let flow = Flow { transport: Transport::Udp, local, peer, connection: 0 };
                if events.send(NetEvent::Received { flow, bytes: buffer[..len].to_vec() }).await.is_err() {
                    return;
                }
            }
            // On some systems an ICMP error of something we sent. Never a reason to spin.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}

/// The address of this machine from which `peer` would be reached: no packet is sent.
pub fn local_ip_towards(peer: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = if peer.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = std::net::UdpSocket::bind(any).ok()?;
    socket.connect(peer).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
