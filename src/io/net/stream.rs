//! What a SIP connection is, whatever carries its bytes: one task that reads and writes side by side, and the rules
//! that TCP, TLS and WebSockets share ([`Patience`] and the limits here).
//!
//! A connection is closed when its peer takes too long over a message, is silent for too long, does not read, or has to
//! make room. Whoever has shown who it is may be silent for long; a stranger may not.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::NetEvent;
use super::census::{Seat, Voucher};
use super::writer::Outbound;
use crate::proto::sip::{Flow, Frame, StreamFramer};

/// How long a message may take to arrive whole (RFC 4475 §3.1.2.2: then the connection is closed), and how long a
/// fresh connection may take to send its first.
const MESSAGE_LIMIT: Duration = Duration::from_secs(10);
/// How long a connection may be silent.
pub const IDLE_LIMIT: Duration = Duration::from_secs(900);
/// How long a stranger's may.
const STRANGER_IDLE_LIMIT: Duration = Duration::from_secs(30);
/// How many messages, pings among them, a stranger may send before it has shown who it is. Enough to register by any
/// kind of challenge.
const STRANGER_MESSAGES: u32 = 32;
/// How long a peer may take to make room for one message.
const WRITE_LIMIT: Duration = Duration::from_secs(5);
/// How long what waits may take to get out when a connection is closed from here.
const FAREWELL_LIMIT: Duration = Duration::from_secs(10);
/// Time for a refusal to get out before a broken connection is closed.
const REFUSAL_LIMIT: Duration = Duration::from_millis(500);

/// How long a peer's next word is waited for.
pub(super) struct Patience {
    /// None: a peer that we went to.
    who: Option<Voucher>,
    /// What a stranger may still say.
    words_left: u32,
    timer: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("who", &self.who).finish_non_exhaustive()
    }
}

impl Patience {
    /// With a peer that came to us: its first message is due soon.
    pub(super) fn with_guest(who: Voucher) -> Self {
        Self { who: Some(who), words_left: STRANGER_MESSAGES, timer: Box::pin(sleep(MESSAGE_LIMIT)) }
    }

    /// With a peer that we went to: it owes us nothing.
    fn with_host() -> Self {
        Self { who: None, words_left: 0, timer: Box::pin(sleep(IDLE_LIMIT)) }
    }

    /// A message has come. False if it is one more than is taken of a stranger.
    pub(super) fn allows_message(&mut self) -> bool {
        if self.who.as_ref().is_none_or(Voucher::is_redeemed) {
            return true;
        }
        self.words_left = self.words_left.saturating_sub(1);
        self.words_left > 0
    }

    /// Something whole has come. `partial`: and the beginning of a message.
    pub(super) fn heard(&mut self, partial: bool) {
        let who = self.who.clone();
        self.timer = Box::pin(async move {
            if partial {
                return sleep(MESSAGE_LIMIT).await;
            }
            sleep(STRANGER_IDLE_LIMIT).await;
            if who.is_none_or(|who| who.is_redeemed()) {
                sleep(IDLE_LIMIT - STRANGER_IDLE_LIMIT).await;
            }
        });
    }

    /// Waits until it is over. Cancel-safe; not to be asked again afterwards.
    pub(super) async fn end(&mut self) {
        self.timer.as_mut().await;
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Either side was done.
    Done,
    /// What was to go out has been given up: the peer is to get no more of it.
    Cut,
}

/// Carries messages both ways until either side is done. `seat`: the peer came to us; without, we went to it.
pub(super) async fn carry<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    flow: Flow,
    seat: Option<&Seat>,
    outbound: Outbound,
    events: &mpsc::Sender<NetEvent>,
) -> Ended {
    let Outbound { messages, mut cut } = outbound;
    let (mut read, mut write) = tokio::io::split(stream);
    let (pong, pings) = mpsc::channel(1);
    let writer = pin!(send_all(&mut write, messages, pings));
    let reader = pin!(receive_all(&mut read, flow, seat, events, pong));
    let turned_out = pin!(async {
        match seat {
            Some(seat) => seat.turned_out().await,
            None => std::future::pending().await,
        }
    });
    tokio::select! {
        biased;
        () = cut.wait() => Ended::Cut,
        () = writer => Ended::Done,
        () = reader => Ended::Done,
        () = turned_out => Ended::Done,
    }
}

async fn send_all<W: AsyncWrite + Unpin>(
    write: &mut W,
    mut outbound: mpsc::Receiver<Vec<u8>>,
    mut pings: mpsc::Receiver<()>,
) {
    loop {
        let bytes = tokio::select! {
            message = outbound.recv() => match message {
                Some(bytes) => bytes,
                None => break,
            },
            Some(()) = pings.recv() => b"\r\n".to_vec(),
        };
        // Once it is being closed, what waits gets out soon or not at all.
        if outbound.is_closed() {
            let farewell = async {
                let mut next = Some(bytes);
                while let Some(bytes) = next {
                    send(write, &bytes).await?;
                    next = outbound.recv().await;
                }
                write.shutdown().await
            };
            let _ = timeout(FAREWELL_LIMIT, farewell).await;
            return;
        }
        if send(write, &bytes).await.is_err() {
            return;
        }
    }
    let _ = timeout(WRITE_LIMIT, write.shutdown()).await;
}

async fn send<W: AsyncWrite + Unpin>(write: &mut W, bytes: &[u8]) -> std::io::Result<()> {
    let written = timeout(WRITE_LIMIT, async {
        write.write_all(bytes).await?;
        // TLS keeps what is not a whole record.
        write.flush().await
    });
    written.await?
}

async fn receive_all<R: AsyncRead + Unpin>(
    read: &mut R,
    flow: Flow,
    seat: Option<&Seat>,
    events: &mpsc::Sender<NetEvent>,
    pong: mpsc::Sender<()>,
) {
    let mut framer = StreamFramer::default();
    let mut buffer = vec![0; 16 * 1024];
    let mut patience = seat.map_or_else(Patience::with_host, |seat| Patience::with_guest(seat.voucher()));
    loop {
        let waited = framer.is_partial();
        let len = tokio::select! {
            read = read.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return,
                Ok(len) => len,
            },
            () = patience.end() => return,
        };
        framer.push(&buffer[..len]);
        let mut whole = 0;
        while let Some(frame) = framer.poll_frame() {
            whole += 1;
            match frame {
                Frame::Message(bytes) => {
                    if !patience.allows_message() {
                        return;
                    }
                    if events.send(NetEvent::Received { flow, bytes }).await.is_err() {
                        return;
                    }
                }
                Frame::Ping => {
                    if !patience.allows_message() {
                        return;
                    }
                    // One waiting pong answers them all.
                    let _ = pong.try_send(());
                }
                Frame::Broken(bytes) => {
                    let _ = events.send(NetEvent::Received { flow, bytes }).await;
                    sleep(REFUSAL_LIMIT).await;
                    return;
                }
            }
        }
        // The limit on a message runs from its first byte, not from its last.
        if whole > 0 || (!waited && framer.is_partial()) {
            patience.heard(framer.is_partial());
        }
    }
}
