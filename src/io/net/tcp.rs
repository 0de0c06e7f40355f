//! Connections over TCP, bare or with TLS inside: those that come, and those that we open.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_rustls::{TlsAcceptor, client, server};
use tracing::debug;

use super::census::{Census, Seat};
use super::stream::{Ended, carry};
use super::tls::TlsPeer;
use super::trouble::Troubles;
use super::writer::{Outbound, writer};
use super::{Life, NetEvent};
use crate::proto::sip::{Flow, Transport};

/// How long opening a connection may take, and a TLS handshake on either side.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// After so long without a sign of life the system asks whether the peer is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);

/// A stream with TCP underneath.
trait OverTcp {
    fn tcp(&self) -> &TcpStream;
}

impl OverTcp for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl OverTcp for client::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl OverTcp for server::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Where connections of one side are announced and counted.
#[derive(Clone, Debug)]
pub(super) struct Hall {
    pub(super) events: mpsc::Sender<NetEvent>,
    pub(super) census: Census,
    pub(super) next: Arc<AtomicU64>,
    pub(super) troubles: Troubles,
}

impl Hall {
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

/// Accepts connections until the loop is gone.
pub(super) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, hall: Hall) {
    while !hall.events.is_closed() {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of descriptors, most likely: wait for some to come free.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let Some(seat) = hall.census.admit(peer.ip()) else {
            metrics::counter!("cordboard_connections_refused_total").increment(1);
            continue;
        };
        let (hall, tls) = (hall.clone(), tls.clone());
        tokio::spawn(async move { serve(stream, peer, tls, seat, hall).await });
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, seat: Seat, hall: Hall) {
    let Ok(local) = stream.local_addr() else { return };
    let local = SocketAddr::new(local.ip().to_canonical(), local.port());
    prepare(&stream);
    let flow = |transport| Flow { transport, local, peer, connection: hall.number() };
    match tls {
        None => carry_in(stream, flow(Transport::Tcp), seat, &hall).await,
        Some(tls) => {
            let shaken = tokio::select! {
                shaken = timeout(HANDSHAKE_LIMIT, tls.accept(stream)) => shaken,
                () = seat.turned_out() => return,
            };
            match shaken {
                Ok(Ok(stream)) => carry_in(stream, flow(Transport::Tls), seat, &hall).await,
                Ok(Err(error)) => debug!(%error, "a TLS handshake failed"),
                Err(_) => debug!("a TLS handshake took too long"),
            }
        }
    }
}

/// Carries a connection that came to us.
async fn carry_in<S>(mut stream: S, flow: Flow, seat: Seat, hall: &Hall)
where
    S: AsyncRead + AsyncWrite + Unpin + OverTcp,
{
    let (writer, outbound) = writer();
    let life = Life(flow.connection);
    let opened = NetEvent::Opened { flow, life, writer, voucher: seat.voucher() };
    if hall.events.send(opened).await.is_ok() {
        carry_over(&mut stream, flow, Some(&seat), outbound, &hall.events).await;
    }
    // The loop may be gone; then nobody needs to know. Told before the peer sees it close: whoever comes again after
    // that is dealt with after that.
    let _ = hall.events.send(NetEvent::Closed { flow, life }).await;
    drop((stream, seat));
}

/// Carries a connection; one that is cut takes what the system still holds of it along.
async fn carry_over<S>(
    stream: &mut S,
    flow: Flow,
    seat: Option<&Seat>,
    outbound: Outbound,
    events: &mpsc::Sender<NetEvent>,
) where
    S: AsyncRead + AsyncWrite + Unpin + OverTcp,
{
    if carry(stream, flow, seat, outbound, events).await == Ended::Cut {
        // One that cannot be reset is closed, and its last bytes may get through.
        let _ = SockRef::from(stream.tcp()).set_linger(Some(Duration::ZERO));
    }
}

/// Opens a connection of ours.
pub(super) async fn connect(flow: Flow, life: Life, tls: Option<TlsPeer>, outbound: Outbound, hall: Hall) {
    let events = hall.events.clone();
    let mut cut = outbound.cut.clone();
    // Cut while it is being opened, it is not opened any more. Once it is open it sees to that itself, and first.
    tokio::select! {
        biased;
        () = open(flow, tls, outbound, &hall) => {}
        () = cut.wait() => {}
    }
    // The loop may be gone; then nobody needs to know.
    let _ = events.send(NetEvent::Closed { flow, life }).await;
}

async fn open(flow: Flow, tls: Option<TlsPeer>, outbound: Outbound, hall: &Hall) {
    let Hall { events, troubles, .. } = hall;
    let name = tls.as_ref().map(|peer| peer.name().to_string());
    let failed = |why: &dyn fmt::Display| troubles.failed(flow.peer, name.as_deref(), why);
    match timeout(CONNECT_LIMIT, TcpStream::connect(flow.peer)).await {
        Ok(Ok(mut stream)) => {
            prepare(&stream);
            match tls {
                None => {
                    troubles.opened(flow.peer);
                    carry_over(&mut stream, flow, None, outbound, events).await;
                }
                Some(peer) => {
                    let (connector, asked) = peer.connector();
                    match timeout(HANDSHAKE_LIMIT, connector.connect(asked, stream)).await {
                        Ok(Ok(mut stream)) => {
                            troubles.opened(flow.peer);
                            carry_over(&mut stream, flow, None, outbound, events).await;
                        }
                        Ok(Err(error)) => failed(&format_args!("no TLS: {error}")),
                        Err(_) => failed(&"it does not finish the TLS handshake"),
                    }
                }
            }
        }
        Ok(Err(error)) => failed(&error),
        Err(_) => failed(&"nothing came back"),
    }
}

fn prepare(stream: &TcpStream) {
    // Both only help; a connection without them works.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_AFTER));
}
