//! TCP connections: one task each, reading and writing side by side. Caps on how many there are, a time
//! limit on an unfinished message and on silence.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::{NetEvent, WRITER_DEPTH};
use crate::proto::sip::{Flow, Frame, StreamFramer, Transport};

/// Connections in all, and from one address.
const MAX_CONNECTIONS: usize = 512;
const MAX_PER_ADDRESS: usize = 64;
/// How long a message may take to arrive whole (RFC 4475 §3.1.2.2: then the connection is closed).
const MESSAGE_LIMIT: Duration = Duration::from_secs(10);
/// How long a connection may be silent.
const IDLE_LIMIT: Duration = Duration::from_secs(900);
/// How long a peer may take to make room for one message.
const WRITE_LIMIT: Duration = Duration::from_secs(5);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Open connections by address.
#[derive(Clone, Debug, Default)]
struct Census(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection counted; given back when dropped.
struct Seat(Census, IpAddr);

impl Census {
    fn admit(&self, ip: IpAddr) -> Option<Seat> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = open.get(&ip).copied().unwrap_or_default();
        if mine >= MAX_PER_ADDRESS || open.values().sum::<usize>() >= MAX_CONNECTIONS {
            return None;
        }
        open.insert(ip, mine + 1);
        Some(Seat(self.clone(), ip))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.1);
            }
        }
    }
}

/// Accepts connections until the loop is gone.
pub async fn accept(listener: TcpListener, events: mpsc::Sender<NetEvent>, next: Arc<AtomicU64>) {
    let census = Census::default();
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of descriptors, most likely: wait for some to come free.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Some(seat) = census.admit(peer.ip()) else { continue };
        let Ok(local) = stream.local_addr() else { continue };
        let connection = next.fetch_add(1, Ordering::Relaxed);
        let flow = Flow { transport: Transport::Tcp, local, peer, connection };
        let (writer, outbound) = mpsc::channel(WRITER_DEPTH);
        if events.send(NetEvent::Opened { flow, writer }).await.is_err() {
            return;
        }
        let events = events.clone();
        tokio::spawn(async move {
            carry(stream, flow, outbound, events).await;
            drop(seat);
        });
    }
}

/// Opens a connection of ours.
pub async fn connect(flow: Flow, outbound: mpsc::Receiver<Vec<u8>>, events: mpsc::Sender<NetEvent>) {
    match timeout(CONNECT_LIMIT, TcpStream::connect(flow.peer)).await {
        Ok(Ok(stream)) => carry(stream, flow, outbound, events).await,
        _ => {
            // The loop may be gone; then nobody needs to know.
            let _ = events.send(NetEvent::Closed { flow }).await;
        }
    }
}

/// Carries messages both ways until either side is done.
async fn carry(stream: TcpStream, flow: Flow, outbound: mpsc::Receiver<Vec<u8>>, events: mpsc::Sender<NetEvent>) {
    let _ = stream.set_nodelay(true);
    let (mut read, mut write) = stream.into_split();
    let (pong, pings) = mpsc::channel(1);
    {
        let writer = pin!(send_all(&mut write, outbound, pings));
        let reader = pin!(receive_all(&mut read, flow, &events, pong));
        tokio::select! { () = writer => {}, () = reader => {} }
    }
    let _ = events.send(NetEvent::Closed { flow }).await;
}

async fn send_all<W: AsyncWriteExt + Unpin>(
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
        if !matches!(timeout(WRITE_LIMIT, write.write_all(&bytes)).await, Ok(Ok(()))) {
            return;
        }
    }
    let _ = timeout(WRITE_LIMIT, write.shutdown()).await;
}

async fn receive_all<R: AsyncReadExt + Unpin>(
    read: &mut R,
    flow: Flow,
    events: &mpsc::Sender<NetEvent>,
    pong: mpsc::Sender<()>,
) {
    let mut framer = StreamFramer::default();
    let mut buffer = vec![0; 16 * 1024];
    let mut patience = Box::pin(sleep(IDLE_LIMIT));
    loop {
        let waited = framer.is_partial();
        let len = tokio::select! {
            read = read.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return,
                Ok(len) => len,
            },
            () = &mut patience => return,
        };
        framer.push(&buffer[..len]);
        let mut whole = 0;
        while let Some(frame) = framer.poll_frame() {
            whole += 1;
            match frame {
                Frame::Message(bytes) => {
                    if events.send(NetEvent::Received { flow, bytes }).await.is_err() {
                        return;
                    }
                }
                Frame::Ping => {
                    // One waiting pong answers them all.
                    let _ = pong.try_send(());
                }
                Frame::Broken(bytes) => {
                    let _ = events.send(NetEvent::Received { flow, bytes }).await;
                    // Time for the refusal to get out before the connection is closed.
                    sleep(Duration::from_millis(500)).await;
                    return;
                }
            }
        }
        // The limit on a message runs from its first byte, not from its last.
        if whole > 0 || !waited {
            patience = Box::pin(sleep(if framer.is_partial() { MESSAGE_LIMIT } else { IDLE_LIMIT }));
        }
    }
}
