//! Whoever supervises the process: told by datagrams that it is ready, that it is alive and that it stops (systemd's `sd_notify`
//! protocol, where `NOTIFY_SOCKET` names a socket), and met once more when the process has to end itself.
//!
//! What always holds: telling never waits, and never fails for anybody; without a socket nobody is told.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use rustix::process::{Signal, getpid, kill_process};

/// What it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Calls and consoles are served.
    Ready,
    Alive,
    Stopping,
}

impl Word {
    const fn line(self) -> &'static [u8] {
        match self {
            Self::Ready => b"READY=1",
            Self::Alive => b"WATCHDOG=1",
            Self::Stopping => b"STOPPING=1",
        }
    }
}

/// The way to it.
#[derive(Debug, Default)]
pub struct Notify {
    socket: Option<UnixDatagram>,
}

impl Notify {
    /// By what `NOTIFY_SOCKET` says; a name that begins with `@` is an abstract one.
    pub fn at(named: Option<&OsStr>) -> Self {
        let Some(named) = named.filter(|named| !named.is_empty()) else { return Self::default() };
        match Self::connect(named) {
            Ok(socket) => Self { socket: Some(socket) },
            Err(error) => {
                tracing::warn!(kind = %error.kind(), "NOTIFY_SOCKET names a socket that cannot be used; no supervisor is told anything");
                Self::default()
            }
        }
    }

    fn connect(named: &OsStr) -> io::Result<UnixDatagram> {
        let address = match named.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(named)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }

    pub fn say(&self, word: Word) {
        if let Some(socket) = &self.socket {
            // What cannot be taken now is lost: that it is alive is told again a second later, the other words are not.
            let _ = socket.send(word.line());
        }
    }
}

/// Ends this process now, whatever it is in the middle of, as `kill -9` would: whoever hangs cannot hang this, and no memory, in
/// which there are messages, is written to a file.
pub fn end_process() -> ! {
    // It cannot fail for a process's own.
    let _ = kill_process(getpid(), Signal::KILL);
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hears(socket: &UnixDatagram) -> Vec<u8> {
        let mut octets = [0; 64];
        let read = socket.recv(&mut octets).expect("a datagram");
        octets[..read].to_vec()
    }

    #[test]
    fn a_socket_with_an_abstract_name_is_told_and_without_one_nobody_is() {
        let name = format!("cordboard-test-{}", std::process::id());
        let listens = SocketAddr::from_abstract_name(&name).expect("a name");
        let listens = UnixDatagram::bind_addr(&listens).expect("it is free");
        let notify = Notify::at(Some(OsStr::new(&format!("@{name}"))));
        for (word, line) in [(Word::Ready, "READY=1"), (Word::Alive, "WATCHDOG=1"), (Word::Stopping, "STOPPING=1")] {
            notify.say(word);
            assert_eq!(hears(&listens), line.as_bytes());
        }
        drop(listens);
        notify.say(Word::Alive);
        Notify::at(None).say(Word::Ready);
        assert!(Notify::at(Some(OsStr::new("/nobody/listens/here"))).socket.is_none());
    }
}
