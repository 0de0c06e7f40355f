//! The door that mail comes in by: takes mail for our own addresses (bounces, replies) over SMTP, and refuses all other.
//!
//! Decides nothing: [`proto::smtp`](crate::proto::smtp) speaks, and `engine/mail_in` takes what came ([`Incoming`]). What always
//! holds: a mail is acknowledged only once it is stored, and asked for again otherwise; connections, sizes and times are
//! bounded; no address and no word of a mail is logged.

pub mod addresses;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::io::net::census::{Caps, Census, Seat};
use crate::proto::smtp::{Mail, Output, Session};

use addresses::{Addresses, Ours};

/// How long the other side may say nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a connection may last.
const CONVERSATION: Duration = Duration::from_secs(15 * 60);
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long it may take to store a mail; whoever sends it waits ten minutes (RFC 5321 §4.5.3.2.6).
const STORED_WITHIN: Duration = Duration::from_secs(30);
/// How long the other side may take to read what we say.
const WRITE: Duration = Duration::from_secs(20);
const CHUNK: usize = 16 * 1_024;
/// Mails that came in and wait to be stored; their senders wait for it.
const WAITING: usize = 8;

/// How the door is set up.
#[derive(Clone)]
pub struct DoorConfig {
    pub bind: SocketAddr,
    /// Who we say that we are.
    pub name: String,
    /// Octets of one mail.
    pub max_size: usize,
    /// Connections at one time.
    pub connections: usize,
    /// TLS for whoever asks for it.
    pub tls: Option<TlsAcceptor>,
}

/// A mail that came in. `taken`: it is stored; dropped or false, its sender tries again.
pub struct Incoming {
    /// Of the envelope.
    pub from: String,
    pub to: Vec<Ours>,
    pub raw: Vec<u8>,
    pub taken: oneshot::Sender<bool>,
}

/// The door, open and not yet attended.
pub struct Door {
    listener: TcpListener,
    shared: Arc<Shared>,
}

struct Shared {
    config: DoorConfig,
    addresses: Addresses,
    census: Census,
    incoming: mpsc::Sender<Incoming>,
}

impl Door {
    /// Opens it.
    ///
    /// # Errors
    /// The system's: the address is taken, or not this machine's.
    pub async fn open(config: DoorConfig, addresses: Addresses) -> io::Result<(Self, mpsc::Receiver<Incoming>)> {
        let listener = TcpListener::bind(config.bind).await?;
        let (incoming, from_door) = mpsc::channel(WAITING);
        // Strangers have a quarter each at the most, and the one that crowds most makes room. A mail server on this machine
        // stands for all of them.
        let caps = Caps { total: config.connections, reserved: 0, per_address: (config.connections / 4).max(1) };
        let here = ["127.0.0.0/8", "::1"].iter().filter_map(|here| here.parse().ok()).collect();
        let census = Census::new(caps, here);
        Ok((Self { listener, shared: Arc::new(Shared { config, addresses, census, incoming }) }, from_door))
    }

    /// Where it is.
    ///
    /// # Errors
    /// The system's.
    pub fn local(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes mail until `stop` says true, and ends what is being said.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut talks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                Some(_) = talks.join_next() => continue,
                // An error means that nobody will ever say it: the service is gone.
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let Ok((stream, peer)) = accepted else {
                // Out of descriptors, most likely: wait for some to come free.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Some(seat) = self.shared.census.admit(peer.ip().to_canonical()) else {
                metrics::counter!("cordboard_connections_refused_total").increment(1);
                continue;
            };
            talks.spawn(attend(Arc::clone(&self.shared), stream, seat, stop.clone()));
        }
        while talks.join_next().await.is_some() {}
    }
}

/// One connection, whose caller may be turned out for others.
async fn attend(shared: Arc<Shared>, stream: TcpStream, seat: Seat, mut stop: watch::Receiver<bool>) {
    let offers = shared.config.tls.is_some();
    let mut session = Session::new(&shared.config.name, shared.config.max_size, offers);
    let talk = async {
        let mut stream = stream;
        if !shared.talk(&mut stream, &mut session, &mut stop).await {
            return;
        }
        let Some(tls) = &shared.config.tls else { return };
        let Ok(Ok(mut stream)) = timeout(HANDSHAKE, tls.accept(stream)).await else {
            tracing::debug!("a TLS handshake at the door for mail failed");
            return;
        };
        session.secured();
        shared.talk(&mut stream, &mut session, &mut stop).await;
        // A peer that is gone already minds nothing.
        let _ = timeout(WRITE, stream.shutdown()).await;
    };
    tokio::select! {
        // Whoever is not done by then comes again.
        _ = timeout(CONVERSATION, talk) => {}
        () = seat.turned_out() => {}
    }
}

impl Shared {
    fn is_ours(&self, address: &str) -> bool {
        let ours = self.addresses.read(address).is_some();
        if !ours {
            metrics::counter!("cordboard_mail_in_total", "result" => "refused").increment(1);
        }
        ours
    }

    /// Talks until it is over; true: TLS is to begin.
    async fn talk<S>(&self, stream: &mut S, session: &mut Session, stop: &mut watch::Receiver<bool>) -> bool
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut chunk = vec![0; CHUNK];
        loop {
            while let Some(output) = session.poll_output() {
                match output {
                    Output::Say(words) => {
                        let said = timeout(WRITE, async {
                            stream.write_all(words.as_bytes()).await?;
                            stream.flush().await
                        });
                        if !matches!(said.await, Ok(Ok(()))) {
                            return false;
                        }
                    }
                    Output::Mail(mail) => {
                        let stored = self.hand_in(mail).await;
                        session.stored(stored, &|address| self.is_ours(address));
                    }
                    Output::StartTls => return true,
                    Output::Close => return false,
                }
            }
            let read = tokio::select! {
                read = timeout(SILENCE, stream.read(&mut chunk)) => read,
                _ = stop.wait_for(|stop| *stop) => {
                    session.end("Shutting down");
                    continue;
                }
            };
            match read {
                Ok(Ok(0) | Err(_)) => return false,
                Ok(Ok(n)) => session.handle(&chunk[..n], &|address| self.is_ours(address)),
                Err(_) => session.end("Too slow"),
            }
        }
    }

    /// Says whether it is stored.
    async fn hand_in(&self, mail: Mail) -> bool {
        let to = mail.to.iter().filter_map(|address| self.addresses.read(address)).collect();
        let (taken, stored) = oneshot::channel();
        let incoming = Incoming { from: mail.from, to, raw: mail.raw, taken };
        let given = async { self.incoming.send(incoming).await.is_ok() && stored.await.unwrap_or(false) };
        timeout(STORED_WITHIN, given).await.unwrap_or(false)
    }
}
