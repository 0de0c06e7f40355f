//! Session descriptions (RFC 8866): the words, and how they are printed. [`parse`] reads them and
//! [`Session`] makes offers and answers (RFC 3264).
//!
//! Knows audio in G.711 and G.722 with telephone-event and comfort noise, and T.38 for who sends a fax; refuses everything else
//! politely. Bytes in, bytes out: no sockets, no time. Unknown lines are skipped, never fatal; what is read is bounded.

mod crypto;
mod fax;
mod negotiate;
mod parse;

use std::fmt;
use std::net::IpAddr;

pub use crypto::{OwnKeys, Srtp};
pub use fax::Fax;
pub use negotiate::{Negotiated, Session, receives_at};
pub use parse::parse;

/// Why a description cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SdpError {
    /// Not a session description, or one beyond all bounds.
    Malformed(&'static str),
    /// It proposes no audio (fax alone, video alone, a port of 0).
    NoAudio,
    /// It proposes audio, but in no codec or transport we speak.
    Incompatible(&'static str),
    /// Its address is a name, a multicast group or missing.
    Address,
}

impl fmt::Display for SdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "session description: {what}"),
            Self::NoAudio => f.write_str("session description proposes no audio"),
            Self::Incompatible(what) => write!(f, "session description proposes nothing we speak: {what}"),
            Self::Address => f.write_str("session description gives no usable address"),
        }
    }
}

impl std::error::Error for SdpError {}

/// Who sends, seen from whoever wrote the description (RFC 8866 §6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    /// The attribute's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The direction for a side that sends and receives so.
    pub const fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the writer sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the writer receives.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    fn named(name: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive].into_iter().find(|d| d.name() == name)
    }
}

/// The `o=` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub username: String,
    pub session: u64,
    pub version: u64,
    pub address: String,
}

/// One `a=` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    pub value: Option<String>,
}

impl Attribute {
    fn flag(name: &str) -> Self {
        Self { name: name.to_owned(), value: None }
    }

    fn with(name: &str, value: String) -> Self {
        Self { name: name.to_owned(), value: Some(value) }
    }
}

/// One `m=` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaDescription {
    /// `audio`, `video`, `image`, …
    pub kind: String,
    pub port: u16,
    /// `RTP/AVP`, `RTP/SAVP`, `udptl`, …
    pub profile: String,
    pub formats: Vec<String>,
    /// The section's own `c=`; the session's counts if there is none.
    pub connection: Option<Connection>,
    pub attributes: Vec<Attribute>,
}

impl MediaDescription {
    /// The value of the first attribute called `name`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.name == name).and_then(|a| a.value.as_deref())
    }

    /// Whether the section has an attribute called `name`.
    pub fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|a| a.name == name)
    }

    /// The direction, if the section states one.
    pub fn direction(&self) -> Option<Direction> {
        self.attributes.iter().find_map(|a| Direction::named(&a.name))
    }
}

/// A `c=` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    Address(IpAddr),
    /// A host name: legal, but we look nothing up for a stranger.
    Name(String),
}

/// A whole description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDescription {
    pub origin: Origin,
    pub name: String,
    pub connection: Option<Connection>,
    pub attributes: Vec<Attribute>,
    pub media: Vec<MediaDescription>,
}

impl SessionDescription {
    /// The direction of `media`: its own, else the session's, else both ways.
    pub fn direction_of(&self, media: &MediaDescription) -> Direction {
        media.direction().or_else(|| self.attributes.iter().find_map(|a| Direction::named(&a.name))).unwrap_or_default()
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(ip)) => write!(f, "IN IP4 {ip}"),
            Self::Address(IpAddr::V6(ip)) => write!(f, "IN IP6 {ip}"),
            Self::Name(name) => write!(f, "IN IP4 {name}"),
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "a={}:{value}\r\n", self.name),
            None => write!(f, "a={}\r\n", self.name),
        }
    }
}

impl fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = if self.origin.address.contains(':') { "IP6" } else { "IP4" };
        write!(f, "v=0\r\no={} ", self.origin.username)?;
        write!(f, "{} {} IN {family} {}\r\n", self.origin.session, self.origin.version, self.origin.address)?;
        write!(f, "s={}\r\n", self.name)?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        f.write_str("t=0 0\r\n")?;
        for attribute in &self.attributes {
            write!(f, "{attribute}")?;
        }
        for media in &self.media {
            write!(f, "m={} {} {}", media.kind, media.port, media.profile)?;
            for format in &media.formats {
                write!(f, " {format}")?;
            }
            f.write_str("\r\n")?;
            if let Some(connection) = &media.connection {
                write!(f, "c={connection}\r\n")?;
            }
            for attribute in &media.attributes {
                write!(f, "{attribute}")?;
            }
        }
        Ok(())
    }
}
