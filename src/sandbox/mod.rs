//! The demo's carrier and phones, in the same process but outside: it reaches the demo by real INVITE and
//! RTP, by webhooks over HTTP, and takes its mail by SMTP, as the world does.
//!
//! [`Carrier::start`] binds and starts it; [`Carrier::router`] is its page's side, to be mounted at `/sandbox`.

pub mod answer;
pub mod board;
pub mod exchange;
pub mod mail;
pub mod phone;
pub mod sms;
pub mod smtp;
pub mod switch;
pub mod web;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::base::clock::SharedClock;
use crate::base::phone::PhoneNumber;
use crate::base::rng::Rng;
use crate::io::media::prompt::{Prompt, PromptError};
use crate::io::media::{Media, MediaConfig, MediaError};
use crate::proto::audio::tone;
use crate::proto::sip::{Admit, Agent, AgentConfig, Role};
use crate::sandbox::board::{Board, Login, MailboxEntry, NumberEntry, PhoneEntry};
use crate::sandbox::exchange::Exchange;
use crate::sandbox::sms::Provider;
use crate::sandbox::switch::{Parts, Switch};

const VOICEMAIL: &[u8] = include_bytes!("../../prompts/en/voicemail.wav");
const WEBHOOK_PATIENCE: Duration = Duration::from_secs(10);

/// How a sandbox is set up.
#[derive(Debug)]
pub struct SandboxConfig {
    pub clock: SharedClock,
    /// Where the demo reaches its carrier; port 0: any.
    pub sip_bind: SocketAddr,
    /// Where the demo takes calls. May be told later ([`Exchange::aim`]).
    pub trunk_target: SocketAddr,
    /// Not the demo's own range.
    pub rtp_ports: RangeInclusive<u16>,
    pub smtp_bind: SocketAddr,
    /// `http://127.0.0.1:8080`: webhooks go there and nowhere else.
    pub http_base: String,
    /// The path of the demo's webhook for texts in: `/hooks/sms/sandbox/inbound`.
    pub inbound_path: String,
    /// The account at the text provider, as the demo's driver has it.
    pub sms_sid: String,
    pub sms_token: String,
    pub caller: PhoneNumber,
    pub phones: Vec<PhoneEntry>,
    pub mailboxes: Vec<MailboxEntry>,
    pub numbers: Vec<NumberEntry>,
    pub logins: Vec<Login>,
}

/// Why a sandbox could not start.
#[derive(Debug)]
pub enum SandboxError {
    /// An address could not be had: busy, or not ours.
    Bind(&'static str, SocketAddr, io::Error),
    Media(MediaError),
    Prompt(PromptError),
    Http(reqwest::Error),
}

impl fmt::Display for SandboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(what, address, error) => write!(f, "the sandbox cannot use {address} for {what}: {error}"),
            Self::Media(error) => write!(f, "the sandbox has no audio: {error}"),
            Self::Prompt(error) => write!(f, "the sandbox's voicemail: {error}"),
            Self::Http(error) => write!(f, "the sandbox cannot send webhooks: {error}"),
        }
    }
}

impl std::error::Error for SandboxError {}

/// The running sandbox. Ends when dropped.
#[derive(Debug)]
pub struct Carrier {
    router: Router,
    exchange: Exchange,
    sip_addr: SocketAddr,
    smtp_addr: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Carrier {
    /// Binds everything, then starts.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let bind = |what, address| move |error| SandboxError::Bind(what, address, error);
        let socket = UdpSocket::bind(config.sip_bind).await.map_err(bind("calls", config.sip_bind))?;
        let sip_addr = socket.local_addr().map_err(bind("calls", config.sip_bind))?;
        let listener = TcpListener::bind(config.smtp_bind).await.map_err(bind("mail", config.smtp_bind))?;
        let smtp_addr = listener.local_addr().map_err(bind("mail", config.smtp_bind))?;
        let voicemail = Prompt::from_wav_bytes(VOICEMAIL).map_err(SandboxError::Prompt)?;
        let beep = Prompt::from_pcm(tone::sine(1_000.0, 8_000.0, 4_000));
        let voicemail = Arc::new(voicemail.followed_by(&beep, Duration::from_millis(300)));
        let (heard_in, heard) = mpsc::channel(256);
        let media = MediaConfig {
            bind_ip: sip_addr.ip(),
            public_ip: None,
            ports: config.rtp_ports,
            shards: 1,
            // Nobody is put on hold by a carrier; ringing and silence are all it plays.
            music: Arc::new(Prompt::from_pcm(vec![0; 8_000])),
            clock: config.clock.clone(),
        };
        let media = Media::start(media, heard_in).map_err(SandboxError::Media)?;
        let admit = Admit::Sources(vec![config.trunk_target.ip().into(), sip_addr.ip().into()]);
        let agent = AgentConfig { max_dialogs: 100, max_transactions: 1_000, ..AgentConfig::new(Role::Trunk, admit) };
        let (orders_in, orders) = mpsc::channel(exchange::DEPTH);
        let (mails_in, mails) = mpsc::channel(exchange::DEPTH);
        let (view, seen) = watch::channel(Arc::from("{}"));
        let exchange = Exchange::new(orders_in, seen, config.caller.clone());
        let board = Board::new(config.caller, config.phones, config.mailboxes, config.numbers, config.logins);
        let switch = Switch::new(Parts {
            clock: config.clock,
            agent: Agent::new(agent, Rng::from_system()),
            socket,
            local: sip_addr,
            trunk: config.trunk_target,
            media,
            voicemail,
            board,
            view,
        });
        // The client wants to know who would do TLS, although it speaks plain HTTP to the demo alone. An
        // error says that it was told already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(WEBHOOK_PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(SandboxError::Http)?;
        let provider = Arc::new(Provider {
            sid: config.sms_sid,
            token: config.sms_token,
            inbound_url: format!("{}{}", config.http_base, config.inbound_path),
            http_base: config.http_base,
            client,
            exchange: exchange.clone(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(switch.run(orders, mails, heard));
        tasks.spawn(smtp::serve(listener, mails_in));
        Ok(Self { router: web::router(provider), exchange, sip_addr, smtp_addr, _tasks: tasks })
    }

    /// The page's side and the text provider's, to be mounted at `/sandbox`.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The door to its phones.
    pub const fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Where the demo's trunk sends calls.
    pub const fn sip_addr(&self) -> SocketAddr {
        self.sip_addr
    }

    /// Where the demo hands in mail.
    pub const fn smtp_addr(&self) -> SocketAddr {
        self.smtp_addr
    }
}

#[cfg(test)]
#[path = "carrier_tests.rs"]
mod tests;
