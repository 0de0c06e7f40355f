//! Configuration: `cordboard.toml` and the trunks it names, read once at start into plain data.
//!
//! Reading tells every mistake at once, each with its file, its line, what is wrong and how to put it
//! right. Relative paths are relative to the file that names them. Secrets are read from files of their
//! own, so that the configuration can be shown to anybody. `docs/cordboard.example.toml` explains each key.

mod alarms;
mod audit;
mod board;
mod checks;
pub mod dkim;
mod email;
mod fax;
mod mail_in;
mod operators;
pub mod pager;
mod rates;
mod read;
mod read_trunk;
mod read_turn;
mod recording;
mod routing;
mod seats;
pub mod secret;
mod section;
pub mod sms;
pub mod tls;
pub mod trunk;
pub mod webhook;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use crate::domain::alarm::Plan;
use crate::domain::dispatch::lanes::Rates;
use crate::domain::trunk::Limits;
use crate::proto::sdp::Srtp;
use crate::proto::sip::Source;
use crate::proto::sip::digest::Algorithm;
use tls::IdentityFiles;

pub use audit::Audit;
pub use board::{Ages, Board};
pub use email::{Email, MailTls};
pub use fax::Fax;
pub use mail_in::MailIn;
pub use operators::Operators;
pub use read::{load, parse_ports};
pub use recording::Recording;
pub use seats::Seats;
pub use section::Mistake;
pub use trunk::Trunk;

/// All that an operator of the service decides before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    pub http: Http,
    pub sip: Sip,
    pub media: Media,
    pub store: StoreConfig,
    pub recording: Recording,
    pub audit: Audit,
    pub seats: Seats,
    pub voice: Voice,
    pub email: Option<Email>,
    pub mail_in: Option<MailIn>,
    pub sms: Vec<sms::SmsProvider>,
    pub pagers: Vec<pager::PagerCarrier>,
    pub webhooks: Vec<webhook::WebhookReceiver>,
    pub fax: Fax,
    pub turn: Option<Turn>,
    pub auth: Auth,
    pub operators: Operators,
    /// What each account may call out.
    pub limits: Limits,
    /// How fast what leaves may leave.
    pub rates: Rates,
    /// What the figures of a day are held against.
    pub board: Board,
    /// Whom alarms reach that nobody at a desk acknowledges.
    pub alarms: Plan,
    pub trunks: Vec<Trunk>,
}

/// The front door: console, API, provider callbacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    pub bind: SocketAddr,
    /// How the world reaches it, without a slash at the end: `https://desk.example.com`.
    pub public_url: Option<String>,
    /// A reverse proxy that ends TLS stands before it.
    pub behind_proxy: bool,
    /// Where that proxy is: only its word on who asks is taken.
    pub proxies: Vec<Source>,
    /// Push services on this machine are taken too: for trying inboxes out.
    pub local_push_services: bool,
    /// TLS ends here.
    pub tls: Option<IdentityFiles>,
}

/// The two SIP sides, each on UDP and TCP, and on TLS if it has a port for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sip {
    /// Towards carriers.
    pub trunk_bind: SocketAddr,
    /// Towards desk phones.
    pub phones_bind: SocketAddr,
    pub trunk_tls_bind: Option<SocketAddr>,
    pub phones_tls_bind: Option<SocketAddr>,
    /// Who we are over TLS; there if one of these is.
    pub tls: Option<IdentityFiles>,
    /// What whoever comes through a NAT reaches our SIP at; one of a family at most.
    pub public_addresses: Vec<IpAddr>,
    /// What desk phones are asked to log in with, best first.
    pub phone_digests: Vec<Algorithm>,
    /// How much audio is encrypted with desk phones; off unless they come over TLS.
    pub phone_srtp: Srtp,
}

/// Audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    pub bind_ip: IpAddr,
    /// Where carriers and browsers send audio, behind NAT. None: `bind_ip`.
    pub public_ip: Option<IpAddr>,
    /// The same of the other family, for telephones.
    pub second: Option<SecondIp>,
    /// One even port a leg, and the odd one above it for RTCP.
    pub ports: RangeInclusive<u16>,
    /// Threads that move audio.
    pub shards: usize,
}

/// Addresses for audio of the family that the first is not of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondIp {
    pub bind_ip: IpAddr,
    pub public_ip: Option<IpAddr>,
}

/// Where the data is and where the key to its sealed parts is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    pub place: Place,
    /// Made at first start, readable by its owner only. Keep a copy: without it messages are lost.
    pub key_file: PathBuf,
}

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A file, made if missing together with its directory.
    Sqlite(PathBuf),
    /// `postgres://user:password@host/database`.
    Postgres(String),
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            // The address may hold a password.
            Self::Postgres(_) => f.write_str("Postgres"),
        }
    }
}

impl StoreConfig {
    /// SQLite and its key in one directory, as the demo and tests have it.
    pub fn in_directory(directory: &Path) -> Self {
        Self { place: Place::Sqlite(directory.join("cordboard.db")), key_file: directory.join("cordboard.key") }
    }
}

/// What callers hear that no person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    /// A program that reads text on its standard input and writes a WAV to its standard output. None: the
    /// usual one, espeak-ng.
    pub command: Option<Vec<String>>,
    /// Recorded prompts of one language, `<name>.wav`, in place of those that are inside the program.
    pub prompts: Option<PathBuf>,
    /// Where spoken text is kept, by text and voice.
    pub cache: PathBuf,
    /// Where the recordings that accounts have of their own are kept. No other copy is.
    pub recordings: PathBuf,
}

/// The relay for operators whose network lets no audio through.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Where browsers find it, each checked (`proto/turn`).
    pub urls: Vec<String>,
    /// Shared with it.
    pub secret: SecretString,
    /// How long what an operator is given lets them in.
    pub ttl: Duration,
}

/// Who may do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// Signs access tokens; made at first start ([`secret::load_or_create`]).
    pub jwt_secret_file: PathBuf,
}

/// First line of a key file ([`StoreConfig::key_file`]).
pub const KEY_HEADER: &str = "cordboard-key-1";

/// The ports from which media takes its own, unless told otherwise: below Linux's ephemeral range.
pub const DEFAULT_PORTS: RangeInclusive<u16> = 20_000..=29_999;

/// Where things listen unless told otherwise: on this machine only.
pub const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Shards unless told otherwise: one for every two cores, at least one.
pub fn default_shards() -> usize {
    std::thread::available_parallelism().map_or(1, |n| (n.get() / 2).max(1))
}
