//! Datagrams of one size to one peer, handed to the kernel as one (UDP_SEGMENT, udp(7)): refusals in a flood, which a carrier
//! gets by the thousand, all as long as each other. One costs a fifth of what it costs alone; that fifth is taken from calls
//! that could be answered.
//!
//! Only for what may be lost without a word but for [`Loss`]'s. The endpoint gathers and flushes once a turn of its loop. Always:
//! what is gathered is sent at the next flush; where the kernel or the interface cannot do it, each datagram is sent by itself
//! from then on, and where one peer's way cannot, that once.

use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrStorage, sendmsg};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tracing::info;

use super::loss::Loss;

/// Kinds gathered at a time: peers, and lengths of what they are sent.
const KINDS: usize = 8;
/// Datagrams in one go, UDP_MAX_SEGMENTS of older kernels.
const AT_ONCE: usize = 64;
/// Bytes in one go: what one datagram could hold.
const BYTES: usize = 60_000;

#[derive(Debug)]
struct Volley {
    to: SocketAddr,
    size: u16,
    bytes: Vec<u8>,
}

/// What is gathered.
#[derive(Debug, Default)]
pub(super) struct Volleys {
    waiting: Vec<Volley>,
    /// The kernel, or the interface, does not do it.
    singly: bool,
}

impl Volleys {
    /// Gathers one datagram; sends what there is no room beside it for.
    pub(super) fn add(&mut self, socket: &UdpSocket, to: SocketAddr, bytes: &[u8], loss: &mut Loss) {
        let Some(size) = u16::try_from(bytes.len()).ok().filter(|size| *size > 0 && !self.singly) else {
            return send_one(socket, to, bytes, loss);
        };
        match self.waiting.iter().position(|volley| (volley.to, volley.size) == (to, size)) {
            Some(at) if self.waiting[at].has_room() => return self.waiting[at].bytes.extend_from_slice(bytes),
            Some(at) => self.send(socket, at, loss),
            None if self.waiting.len() == KINDS => self.send(socket, 0, loss),
            None => {}
        }
        self.waiting.push(Volley { to, size, bytes: bytes.to_vec() });
    }

    /// Sends all that is gathered.
    pub(super) fn flush(&mut self, socket: &UdpSocket, loss: &mut Loss) {
        while !self.waiting.is_empty() {
            self.send(socket, self.waiting.len() - 1, loss);
        }
    }

    fn send(&mut self, socket: &UdpSocket, at: usize, loss: &mut Loss) {
        let volley = self.waiting.swap_remove(at);
        if volley.bytes.len() > usize::from(volley.size) && !self.singly {
            match volley.send(socket) {
                Ok(()) => return,
                Err(Errno::EIO | Errno::EOPNOTSUPP | Errno::ENOPROTOOPT) => {
                    info!(
                        "the system sends no datagrams in one go here: each goes by itself, which costs more in a flood"
                    );
                    self.singly = true;
                }
                // Whoever has no room for all has none for one.
                Err(Errno::EAGAIN) => {
                    return volley.each().for_each(|_| {
                        loss.note(&Errno::EAGAIN.into());
                    });
                }
                // About this peer, or too large for its way in one piece: what it is shows when each is sent.
                Err(_) => {}
            }
        }
        volley.each().for_each(|bytes| send_one(socket, volley.to, bytes, loss));
    }
}

fn send_one(socket: &UdpSocket, to: SocketAddr, bytes: &[u8], loss: &mut Loss) {
    if let Err(error) = socket.try_send_to(bytes, to) {
        loss.note(&error);
    }
}

impl Volley {
    fn has_room(&self) -> bool {
        let size = usize::from(self.size);
        self.bytes.len() + size <= BYTES.min(AT_ONCE * size)
    }

    fn each(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks(self.size.into())
    }

    fn send(&self, socket: &UdpSocket) -> Result<(), Errno> {
        let to = SockaddrStorage::from(self.to);
        let sent = socket.try_io(Interest::WRITABLE, || {
            let (bytes, segments) = ([IoSlice::new(&self.bytes)], [ControlMessage::UdpGsoSegments(&self.size)]);
            Ok(sendmsg(socket.as_raw_fd(), &bytes, &segments, MsgFlags::empty(), Some(&to))?)
        });
        sent.map(drop).map_err(|error| Errno::try_from(error).unwrap_or(Errno::EAGAIN))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn socket() -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        socket.writable().await.expect("it is");
        socket
    }

    async fn heard(socket: &UdpSocket, how_many: usize) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let mut buffer = [0; 2_048];
        while all.len() < how_many {
            let come = tokio::time::timeout(Duration::from_secs(5), socket.recv(&mut buffer)).await;
            let len = come.expect("in time").expect("a datagram");
            all.push(buffer[..len].to_vec());
        }
        assert!(socket.try_recv(&mut buffer).is_err(), "and no more");
        all
    }

    /// Each with its number, of one length or another.
    fn datagrams(how_many: usize, lengths: &[usize]) -> Vec<Vec<u8>> {
        (0..how_many).map(|n| format!("{n:0width$}", width = lengths[n % lengths.len()]).into_bytes()).collect()
    }

    async fn all_arrive_once(mut volleys: Volleys, how_many: usize, lengths: &[usize]) {
        let (from, to) = (socket().await, socket().await);
        let address = to.local_addr().expect("bound");
        let (sent, mut loss) = (datagrams(how_many, lengths), Loss::default());
        for bytes in &sent {
            volleys.add(&from, address, bytes, &mut loss);
        }
        volleys.flush(&from, &mut loss);
        assert!(volleys.waiting.is_empty());
        let mut come = heard(&to, how_many).await;
        come.sort();
        let mut sent = sent;
        sent.sort();
        assert_eq!(come, sent);
    }

    #[tokio::test]
    async fn each_of_a_volley_arrives_by_itself_and_once() {
        all_arrive_once(Volleys::default(), 1, &[400]).await;
        // More than go at once.
        all_arrive_once(Volleys::default(), 100, &[400]).await;
        // More kinds than are gathered, and such as there is one of.
        let lengths: Vec<usize> = (300..312).collect();
        all_arrive_once(Volleys::default(), 100, &lengths).await;
    }

    #[tokio::test]
    async fn where_the_kernel_does_not_do_it_each_is_sent_by_itself() {
        all_arrive_once(Volleys { singly: true, ..Volleys::default() }, 50, &[400, 401]).await;
    }

    #[tokio::test]
    async fn a_peer_that_cannot_be_sent_to_costs_no_other_and_each_datagram_counts() {
        let (from, to) = (socket().await, socket().await);
        let (mut volleys, mut loss) = (Volleys::default(), Loss::default());
        // No way leads there from the loopback interface.
        let nowhere = ([192, 0, 2, 1], 5060).into();
        for bytes in datagrams(10, &[400]) {
            volleys.add(&from, nowhere, &bytes, &mut loss);
            volleys.add(&from, to.local_addr().expect("bound"), &bytes, &mut loss);
        }
        volleys.flush(&from, &mut loss);
        assert_eq!((heard(&to, 10).await.len(), loss.refused(), volleys.singly), (10, 10, false));
    }

    #[tokio::test]
    async fn peers_do_not_get_each_others() {
        let (from, one, other) = (socket().await, socket().await, socket().await);
        let (mut volleys, mut loss) = (Volleys::default(), Loss::default());
        for n in 0..20 {
            let to = if n % 2 == 0 { &one } else { &other };
            volleys.add(&from, to.local_addr().expect("bound"), format!("{n:0400}").as_bytes(), &mut loss);
        }
        volleys.flush(&from, &mut loss);
        for (socket, odd) in [(one, 0), (other, 1)] {
            let come = heard(&socket, 10).await;
            assert!(come.iter().all(|bytes| (bytes[399] - b'0') % 2 == odd));
        }
    }
}
