//! Takes connections for the front door, bare or over TLS, and hands their requests to the router.
//!
//! The rules of SIP's connections hold here too: a census, a limit on the handshake and on a request's head. A request
//! carries whom it came from, whether over TLS, and the [`Voucher`](crate::io::net::census::Voucher) of its connection.
//! Upgraded connections (WebSockets) have rules of their own and count as long as they last: as a stranger's, which may
//! have to make room, until whoever serves them knows who is there and redeems the voucher.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::io::net::census::{Census, Seat};

use super::extract::OverTls;

/// How long a TLS handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// How long a request's head may take, and how long a connection may wait for its next request.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// What is spoken inside TLS.
pub const ALPN: [&[u8]; 1] = [b"http/1.1"];

/// Serves until `stopping` says so and the requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    census: Census,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let (working, mut idle) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // An error means that the sender is gone, which is the end as well.
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of descriptors, most likely: wait for some to come free.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let Some(seat) = census.admit(peer.ip()) else {
            metrics::counter!("cordboard_connections_refused_total").increment(1);
            continue;
        };
        // It only helps; a connection without it works.
        let _ = stream.set_nodelay(true);
        let connection = Connection { peer, router: router.clone(), stopping: stopping.clone() };
        let (tls, working) = (tls.clone(), working.clone());
        tokio::spawn(async move {
            match tls {
                None => connection.carry(stream, seat, false).await,
                Some(tls) => {
                    let shaken = tokio::select! {
                        shaken = timeout(HANDSHAKE_LIMIT, tls.accept(stream)) => shaken,
                        () = seat.turned_out() => return,
                    };
                    match shaken {
                        Ok(Ok(stream)) => connection.carry(stream, seat, true).await,
                        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                        Err(_) => tracing::debug!("a TLS handshake took too long"),
                    }
                }
            }
            drop(working);
        });
    }
    drop((listener, working));
    // Nobody sends on it: it ends when the last connection has.
    idle.recv().await;
}

struct Connection {
    peer: SocketAddr,
    router: Router,
    stopping: watch::Receiver<bool>,
}

impl Connection {
    async fn carry<S>(mut self, stream: S, seat: Seat, tls: bool)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let turned_out = seat.departure();
        let service = TowerToHyperService::new(self.router);
        let (peer, voucher) = (self.peer, seat.voucher());
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(voucher.clone());
            if tls {
                request.extensions_mut().insert(OverTls);
            }
            service.call(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
        let io = TokioIo::new(Seated::new(stream, seat));
        let mut connection = pin!(http.serve_connection(io, service).with_upgrades());
        let mut turned_out = pin!(turned_out.wait());
        let mut told = false;
        loop {
            tokio::select! {
                // How it ended is the client's business.
                _ = connection.as_mut() => break,
                _ = self.stopping.wait_for(|stop| *stop), if !told => {
                    connection.as_mut().graceful_shutdown();
                    told = true;
                }
                () = &mut turned_out => break,
            }
        }
    }
}

/// A stream that keeps its place for as long as it lives, also when it is a WebSocket's; and fails when it has to make
/// room.
struct Seated<S> {
    stream: S,
    _seat: Seat,
    /// None: it has had to.
    stay: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<S> Seated<S> {
    fn new(stream: S, seat: Seat) -> Self {
        let departure = seat.departure();
        Self { stream, _seat: seat, stay: Some(Box::pin(async move { departure.wait().await })) }
    }

    /// An error once it is turned out; until then whoever reads or writes is woken for that as well.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.stay.as_mut().is_some_and(|stay| stay.as_mut().poll(cx).is_pending()) {
            return Ok(());
        }
        self.stay = None;
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Seated<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Seated<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }
}
