//! Which sockets of a shard have something to read: one look at an epoll set in place of one at each socket, so
//! that a quiet far end costs nothing. Level-triggered: what is left unread shows again at the next look.
//!
//! Knows places in a shard's list of legs, not legs; the shard says when a place changes hands. Allocates only when
//! it is made. A socket that is closed leaves the set by itself.

use std::io;
use std::mem::MaybeUninit;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// Sockets told of at one look; the rest show at the next.
const LOOK: usize = 512;

/// Which of a leg's sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// Audio: RTP, or all that goes to a browser.
    Media,
    Rtcp,
}

/// The set.
#[derive(Debug)]
pub(super) struct Ready {
    set: OwnedFd,
    /// What the last look saw.
    seen: Vec<u64>,
}

impl Ready {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { set: epoll::create(CreateFlags::CLOEXEC)?, seen: Vec::with_capacity(LOOK) })
    }

    /// Watches a socket of the leg at `place`.
    pub(super) fn add(&self, socket: &UdpSocket, place: usize, port: Port) -> io::Result<()> {
        Ok(epoll::add(&self.set, socket, mark(place, port), EventFlags::IN)?)
    }

    /// The socket's leg has another place now.
    pub(super) fn replace(&self, socket: &UdpSocket, place: usize, port: Port) -> io::Result<()> {
        Ok(epoll::modify(&self.set, socket, mark(place, port), EventFlags::IN)?)
    }

    /// Watches a socket no more.
    pub(super) fn remove(&self, socket: &UdpSocket) {
        // An error means that it is not in the set.
        let _ = epoll::delete(&self.set, socket);
    }

    /// Looks without waiting; how many sockets have something, each to be asked for with [`Ready::at`].
    pub(super) fn look(&mut self) -> usize {
        self.seen.clear();
        let mut events = [const { MaybeUninit::<Event>::uninit() }; LOOK];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        // An error means that a signal came between.
        if let Ok((seen, _)) = epoll::wait(&self.set, &mut events, Some(&at_once)) {
            self.seen.extend(seen.iter().map(|event| event.data.u64()));
        }
        self.seen.len()
    }

    /// The `n`th socket of the last look.
    pub(super) fn at(&self, n: usize) -> Option<(usize, Port)> {
        let mark = *self.seen.get(n)?;
        let port = if mark & 1 == 0 { Port::Media } else { Port::Rtcp };
        Some((usize::try_from(mark >> 1).ok()?, port))
    }
}

fn mark(place: usize, port: Port) -> EventData {
    EventData::new_u64((place as u64) << 1 | u64::from(port == Port::Rtcp))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    }

    #[test]
    fn only_sockets_with_something_to_read_are_told_of_and_until_it_is_read() {
        let (quiet, busy, from) = (socket(), socket(), socket());
        let mut ready = Ready::new().unwrap();
        ready.add(&quiet, 0, Port::Media).unwrap();
        ready.add(&busy, 1, Port::Rtcp).unwrap();
        assert_eq!(ready.look(), 0);
        for _ in 0..2 {
            from.send_to(b"x", busy.local_addr().unwrap()).unwrap();
        }
        let mut bytes = [0; 8];
        for _ in 0..2 {
            assert_eq!((ready.look(), ready.at(0), ready.at(1)), (1, Some((1, Port::Rtcp)), None));
            busy.recv_from(&mut bytes).unwrap();
        }
        assert_eq!(ready.look(), 0);
    }

    #[test]
    fn a_place_can_change_hands_and_a_removed_socket_is_not_told_of() {
        let (a, b, from) = (socket(), socket(), socket());
        let mut ready = Ready::new().unwrap();
        ready.add(&a, 0, Port::Media).unwrap();
        ready.add(&b, 1, Port::Media).unwrap();
        ready.remove(&a);
        ready.replace(&b, 0, Port::Media).unwrap();
        for to in [&a, &b] {
            from.send_to(b"x", to.local_addr().unwrap()).unwrap();
        }
        assert_eq!((ready.look(), ready.at(0)), (1, Some((0, Port::Media))));
        drop(b);
        assert_eq!(ready.look(), 0, "a closed socket is gone from the set");
    }
}
