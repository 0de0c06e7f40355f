//! One SIP side's sockets: UDP and TCP on one port, TLS on another, and the connections that are open.
//!
//! A flow that we opened keeps its number when its connection breaks: requests under way learn of it at once, the next
//! one opens it anew. A flow that came to us is gone with its connection.

use std::collections::{HashMap, VecDeque};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use metrics::Counter;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tracing::warn;

use super::census::{Caps, Census, Voucher};
use super::loss::Loss;
use super::tcp::Hall;
use super::tls::{Identity, TlsPeer};
use super::trouble::Troubles;
use super::volley::Volleys;
use super::writer::{Writer, writer};
use super::ws::WsDoor;
use super::{BindError, FlowGone, Life, NetEvent, NotSent, tcp};
use crate::proto::sip::{Flow, Source, Transport, wire};

/// Messages that may wait for the loop, of streams, of datagrams, and of datagrams that would begin a call. Beyond
/// that streams wait and UDP is left in the kernel, but for those last: they are dropped, as the kernel would drop them and
/// others with them.
const EVENT_DEPTH: usize = 1024;
/// What those datagrams may hold together: most are a kilobyte, and strangers may send sixty-four.
const MOST_BYTES: usize = 4 << 20;
/// How many datagrams of calls that are up go before one that would begin a call.
const AHEAD: usize = 8;
/// After an error of the UDP socket that is not about one datagram. Never a reason to spin.
const UDP_REST: Duration = Duration::from_millis(10);
/// What a datagram can hold at most.
const DATAGRAM: usize = 65_535;
/// Peers of ours remembered at most. One forgotten is met anew.
const MAX_WAYS: usize = 256;

/// Where one side listens, and how many connections it may have.
#[derive(Clone, Debug)]
pub struct Doors {
    /// UDP and TCP.
    pub bind: SocketAddr,
    /// TLS, and who we are there.
    pub tls: Option<(SocketAddr, Identity)>,
    pub census: Census,
}

impl Doors {
    /// UDP and TCP, with the usual room for connections.
    pub fn plain(bind: SocketAddr) -> Self {
        Self { bind, tls: None, census: Census::new(Caps::default(), Vec::new()) }
    }
}

/// An open connection.
#[derive(Debug)]
struct Connection {
    flow: Flow,
    life: Life,
    writer: Writer,
    /// None for one of ours.
    voucher: Option<Voucher>,
}

/// Taken from the socket, not asked for yet. What belongs to calls that are up goes before what would begin one, so that
/// a crowd of new callers costs nobody an ACK or a BYE; but for [`AHEAD`] at a time, so that a flood of anything else, from
/// anywhere, does not silence the carriers. Each kind in its order, a CANCEL behind the INVITE that it is about.
#[derive(Debug, Default)]
struct Datagrams {
    /// Taken of `begun` since one of `new` had its turn.
    ahead: usize,
    /// In both.
    bytes: usize,
    /// Dropped for want of room.
    dropped: Option<Counter>,
    begun: VecDeque<(SocketAddr, Vec<u8>)>,
    new: VecDeque<(SocketAddr, Vec<u8>)>,
}

impl Datagrams {
    /// Whether one more may be taken from the socket.
    fn have_room(&self) -> bool {
        self.begun.len() < EVENT_DEPTH && self.bytes < MOST_BYTES
    }

    fn push(&mut self, peer: SocketAddr, bytes: &[u8]) {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let to = if wire::may_wait(bytes) { &mut self.new } else { &mut self.begun };
        if to.len() >= EVENT_DEPTH {
            let count = || metrics::counter!("cordboard_sip_invites_dropped_total");
            self.dropped.get_or_insert_with(count).increment(1);
            return;
        }
        self.bytes += bytes.len();
        to.push_back((peer, bytes.to_vec()));
    }

    fn pop(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        let begun = if self.ahead < AHEAD || self.new.is_empty() { self.begun.pop_front() } else { None };
        self.ahead = if begun.is_some() { self.ahead + 1 } else { 0 };
        let next = begun.or_else(|| self.new.pop_front())?;
        self.bytes -= next.1.len();
        Some(next)
    }

    fn len(&self) -> usize {
        self.begun.len() + self.new.len()
    }

    fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.new.is_empty()
    }
}

/// A peer that we open connections to.
#[derive(Debug)]
struct Way {
    flow: Flow,
    tls: Option<TlsPeer>,
}

/// The sockets of one side. Its tasks end with it.
#[derive(Debug)]
pub struct Endpoint {
    udp: UdpSocket,
    datagrams: Datagrams,
    buffer: Box<[u8]>,
    loss: Loss,
    volleys: Volleys,
    /// The next turn is the streams'.
    streams_turn: bool,
    local: SocketAddr,
    local_tls: Option<SocketAddr>,
    connections: HashMap<u64, Connection>,
    ways: HashMap<u64, Way>,
    events: mpsc::Receiver<NetEvent>,
    hall: Hall,
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
        Self::open(Doors::plain(address)).await
    }

    /// Listens at all doors.
    pub async fn open(doors: Doors) -> Result<Self, BindError> {
        let address = doors.bind;
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
        // Until the system has said so once, what is sent would be taken for what it has no room for: the first datagram,
        // and a carrier would wait for it for as long as a repetition takes.
        udp.writable().await.map_err(error("UDP"))?;
        let local = udp.local_addr().map_err(error("UDP"))?;
        let (sender, events) = mpsc::channel(EVENT_DEPTH);
        let (next, troubles) = (Arc::new(AtomicU64::new(1)), Troubles::default());
        let hall = Hall { events: sender, census: doors.census, next, troubles };
        let mut tasks = vec![tokio::spawn(tcp::accept(tcp, None, hall.clone()))];
        let mut local_tls = None;
        if let Some((address, identity)) = doors.tls {
            let error = |source| BindError { address, transport: "TLS", source };
            let listener = TcpListener::bind(address).await.map_err(error)?;
            local_tls = Some(listener.local_addr().map_err(error)?);
            tasks.push(tokio::spawn(tcp::accept(listener, Some(identity.acceptor(&[])), hall.clone())));
        }
        let (connections, ways) = (HashMap::new(), HashMap::new());
        let (datagrams, buffer) = (Datagrams::default(), vec![0; DATAGRAM].into_boxed_slice());
        Ok(Self {
            udp,
            datagrams,
            buffer,
            loss: Loss::default(),
            volleys: Volleys::default(),
            streams_turn: false,
            local,
            local_tls,
            connections,
            ways,
            events,
            hall,
            tasks,
        })
    }

    /// Where it listens on UDP and TCP.
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Where it listens for TLS.
    pub const fn local_tls(&self) -> Option<SocketAddr> {
        self.local_tls
    }

    /// The door through which WebSockets become flows.
    pub fn ws_door(&self) -> WsDoor {
        WsDoor::new(self.local, self.hall.clone())
    }

    /// The next thing from the network. Cancel-safe. Datagrams and streams take turns, so that a flood of one does not
    /// silence the other.
    pub async fn next(&mut self) -> NetEvent {
        self.flush();
        loop {
            // Where there is always something, others still get their turn, and the socket is looked at meanwhile.
            tokio::task::consume_budget().await;
            if self.datagrams.begun.is_empty() && self.take_datagrams().is_err() {
                tokio::time::sleep(UDP_REST).await;
            }
            if let Some(event) = self.ready() {
                return event;
            }
            tokio::select! {
                Some(event) = self.events.recv() => if let Some(event) = self.note(event) {
                    return event;
                },
                // An error shows at the read that follows.
                _ = self.udp.readable() => {}
            }
        }
    }

    /// The next thing that has been taken from the network already.
    pub fn ready(&mut self) -> Option<NetEvent> {
        loop {
            self.streams_turn = !self.streams_turn;
            let of_stream =
                if self.streams_turn || self.datagrams.is_empty() { self.events.try_recv().ok() } else { None };
            let Some(event) = of_stream else {
                let (peer, bytes) = self.datagrams.pop()?;
                return Some(NetEvent::Received { flow: self.udp_flow(peer), bytes });
            };
            if let Some(event) = self.note(event) {
                return Some(event);
            }
        }
    }

    /// Takes what the socket holds: one wake-up for many, and the backlog shows ([`Endpoint::unread`]).
    fn take_datagrams(&mut self) -> std::io::Result<()> {
        // What is dropped makes no room, so a flood of new calls is no reason to go on.
        for _ in 0..2 * EVENT_DEPTH {
            if !self.datagrams.have_room() {
                break;
            }
            match self.udp.try_recv_from(&mut self.buffer) {
                Ok((len, peer)) => self.datagrams.push(peer, &self.buffer[..len]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Keeps count of connections; what of it concerns the loop.
    fn note(&mut self, event: NetEvent) -> Option<NetEvent> {
        match event {
            NetEvent::Opened { flow, life, writer, voucher } => {
                let connection = Connection { flow, life, writer, voucher: Some(voucher) };
                self.connections.insert(flow.connection, connection);
                None
            }
            NetEvent::Closed { flow, life } => {
                // One that was closed from here, or found closed, has been told of already.
                let open = self.connections.get(&flow.connection).is_some_and(|c| c.life == life);
                open.then(|| {
                    self.connections.remove(&flow.connection);
                    NetEvent::Closed { flow, life }
                })
            }
            event @ NetEvent::Received { .. } => Some(event),
        }
    }

    /// Messages that have come and were not asked for yet.
    pub fn unread(&self) -> usize {
        self.events.len() + self.datagrams.len()
    }

    /// A flow to `peer` over UDP.
    pub const fn udp_flow(&self, peer: SocketAddr) -> Flow {
        Flow { transport: Transport::Udp, local: self.local, peer, connection: 0 }
    }

    /// The flow to `peer` over TCP, or over TLS as configured there; usable at once. Its connection is opened when
    /// something is first sent, and again after it broke; if it can't be, the flow closes.
    pub fn stream_flow(&mut self, peer: SocketAddr, tls: Option<&TlsPeer>) -> Flow {
        let transport = if tls.is_some() { Transport::Tls } else { Transport::Tcp };
        let same = |way: &&Way| {
            way.flow.peer == peer
                && match (&way.tls, tls) {
                    (Some(one), Some(other)) => one.is(other),
                    (one, other) => one.is_none() && other.is_none(),
                }
        };
        if let Some(way) = self.ways.values().find(same) {
            return way.flow;
        }
        if self.ways.len() >= MAX_WAYS {
            let unused = self.ways.keys().filter(|number| !self.connections.contains_key(number)).min().copied();
            unused.and_then(|number| self.ways.remove(&number));
        }
        let connection = self.hall.number();
        let local = if tls.is_some() { self.local_tls.unwrap_or(self.local) } else { self.local };
        let flow = Flow { transport, local, peer, connection };
        self.ways.insert(connection, Way { flow, tls: tls.cloned() });
        flow
    }

    /// Whether a flow is one of ours, whose connection is opened again when it broke.
    pub fn reopens(&self, flow: &Flow) -> bool {
        self.ways.contains_key(&flow.connection)
    }

    /// Connections from these are vouched for from now on.
    pub fn know(&self, known: Vec<Source>) {
        self.hall.census.know(known);
    }

    /// The peer of this flow has shown who it is.
    pub fn vouch(&self, flow: &Flow) {
        if let Some(voucher) = self.connections.get(&flow.connection).and_then(|c| c.voucher.as_ref()) {
            voucher.redeem();
        }
    }

    /// Sends without waiting. A datagram the socket has no room for is lost, as on any network; a connection whose
    /// writer is full is cut: what waits in it counts as not sent, so it must not be sent any more.
    pub fn transmit(&mut self, flow: &Flow, bytes: Vec<u8>) -> Result<(), NotSent> {
        if flow.transport == Transport::Udp {
            return match self.udp.try_send_to(&bytes, self.as_of_socket(flow.peer)) {
                Err(error) if self.loss.note(&error) => Err(NotSent::Refused(bytes)),
                Ok(_) | Err(_) => Ok(()),
            };
        }
        if !self.connections.contains_key(&flow.connection) {
            self.connect(flow.connection).map_err(|FlowGone| NotSent::Gone)?;
        }
        let sent = self.connections.get(&flow.connection).is_some_and(|c| c.writer.try_send(bytes).is_ok());
        if sent {
            return Ok(());
        }
        if let Some(full) = self.connections.remove(&flow.connection).filter(|c| !c.writer.is_closed()) {
            metrics::counter!("cordboard_sip_slow_connections_total").increment(1);
            full.writer.cut();
        }
        Err(NotSent::Gone)
    }

    /// Sends at the next [`Endpoint::flush`] what may be lost without a word. Over a connection at once.
    pub fn transmit_soon(&mut self, flow: &Flow, bytes: Vec<u8>) {
        if flow.transport != Transport::Udp {
            // Whoever it was for has gone.
            let _ = self.transmit(flow, bytes);
            return;
        }
        let to = self.as_of_socket(flow.peer);
        self.volleys.add(&self.udp, to, &bytes, &mut self.loss);
    }

    /// Sends what has been gathered. Once a turn of whoever drives it.
    pub fn flush(&mut self) {
        self.volleys.flush(&self.udp, &mut self.loss);
    }

    /// Opens the connection of a flow of ours.
    fn connect(&mut self, number: u64) -> Result<(), FlowGone> {
        let way = self.ways.get(&number).ok_or(FlowGone)?;
        let (writer, outbound) = writer();
        let life = Life(self.hall.number());
        tokio::spawn(tcp::connect(way.flow, life, way.tls.clone(), outbound, self.hall.clone()));
        self.connections.insert(number, Connection { flow: way.flow, life, writer, voucher: None });
        Ok(())
    }

    /// A socket for both families takes IPv4 addresses in IPv6's clothes.
    fn as_of_socket(&self, peer: SocketAddr) -> SocketAddr {
        match peer.ip() {
            IpAddr::V4(ip) if self.local.is_ipv6() => SocketAddr::new(ip.to_ipv6_mapped().into(), peer.port()),
            _ => peer,
        }
    }

    /// Closes a connection once what waits in its writer is sent.
    pub fn close(&mut self, flow: &Flow) {
        self.connections.remove(&flow.connection);
    }

    /// Takes out connections whose task has ended without a word getting through.
    pub fn sweep(&mut self) -> Vec<Flow> {
        self.loss.tell();
        let gone: Vec<Flow> = self.connections.values().filter(|c| c.writer.is_closed()).map(|c| c.flow).collect();
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

/// The address of this machine from which `peer` would be reached: no packet is sent.
pub fn local_ip_towards(peer: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = if peer.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = std::net::UdpSocket::bind(any).ok()?;
    socket.connect(peer).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncBufReadExt as _;

    use super::*;

    #[test]
    fn calls_that_are_up_go_first_and_a_flood_does_not_keep_new_ones_out() {
        let peer: SocketAddr = ([192, 0, 2, 1], 5060).into();
        let mut queue = Datagrams::default();
        let invite = b"INVITE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n\r\n";
        queue.push(peer, invite);
        for _ in 0..EVENT_DEPTH + 10 {
            queue.push(peer, b"BYE sip:a@b SIP/2.0\r\n\r\n");
            queue.push(peer, invite);
        }
        assert_eq!(queue.len(), 2 * EVENT_DEPTH, "either kind has its bound");
        assert!(!queue.have_room());
        let order: Vec<bool> =
            (0..3 * (AHEAD + 1)).filter_map(|_| queue.pop()).map(|(_, m)| m.starts_with(b"BYE")).collect();
        let turn = [vec![true; AHEAD], vec![false]].concat();
        assert_eq!(order, turn.repeat(3));
    }

    /// The first message on the next connection that brings one.
    async fn first_line(listener: &TcpListener) -> String {
        loop {
            let (stream, _) = listener.accept().await.expect("it listens");
            let mut line = String::new();
            // One that was given up is reset, or closed without a word.
            let read = tokio::io::BufReader::new(stream).read_line(&mut line).await;
            if read.is_ok_and(|len| len > 0) {
                return line.trim().to_owned();
            }
        }
    }

    #[tokio::test]
    async fn what_a_full_writer_held_is_never_sent_after_all() {
        let far = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mut endpoint = Endpoint::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
        let flow = endpoint.stream_flow(far.local_addr().expect("bound"), None);
        // Its connection is not open yet when there is no more room: each of these calls has gone elsewhere.
        let stale = || b"INVITE sip:stale@b SIP/2.0\r\n\r\n".to_vec();
        let taken = (0..1_000).take_while(|_| endpoint.transmit(&flow, stale()).is_ok()).count();
        assert_eq!(taken, super::super::WRITER_DEPTH);
        endpoint.transmit(&flow, b"INVITE sip:next@b SIP/2.0\r\n\r\n".to_vec()).expect("it is opened anew");
        assert_eq!(first_line(&far).await, "INVITE sip:next@b SIP/2.0");
    }

    #[tokio::test]
    async fn a_datagram_that_the_system_refuses_is_given_back() {
        let mut endpoint = Endpoint::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
        // No way leads there from the loopback interface.
        let flow = endpoint.udp_flow(([192, 0, 2, 1], 5060).into());
        let bytes = b"INVITE sip:a@b SIP/2.0\r\n\r\n".to_vec();
        assert_eq!(endpoint.transmit(&flow, bytes.clone()), Err(NotSent::Refused(bytes)));
    }

    #[tokio::test]
    async fn the_first_datagram_of_a_new_side_is_sent_at_once() {
        let far = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let mut endpoint = Endpoint::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
        let flow = endpoint.udp_flow(far.local_addr().expect("bound"));
        endpoint.transmit(&flow, b"REGISTER sip:b SIP/2.0\r\n\r\n".to_vec()).expect("sent");
        let mut buffer = [0; 64];
        let come = tokio::time::timeout(Duration::from_secs(5), far.recv(&mut buffer)).await;
        assert_eq!(come.expect("in time").expect("a datagram"), 26);
    }

    #[tokio::test]
    async fn a_connection_that_is_closed_in_peace_sends_what_waits() {
        let far = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mut endpoint = Endpoint::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
        let flow = endpoint.stream_flow(far.local_addr().expect("bound"), None);
        endpoint.transmit(&flow, b"BYE sip:a@b SIP/2.0\r\n\r\n".to_vec()).expect("room");
        endpoint.close(&flow);
        assert_eq!(first_line(&far).await, "BYE sip:a@b SIP/2.0");
    }
}
