//! A trunk: where calls come from and go to, and what may be dialled over it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use secrecy::SecretString;

use crate::base::numbering::Numbering;
use crate::base::phone::PhoneNumber;
pub use crate::domain::trunk::{DialPattern, DialPlan};
use crate::proto::sdp::Srtp;
pub use crate::proto::sip::identity_out::Shown;
use crate::proto::sip::{PeerTerms, Source};

use super::tls::TrunkTls;

/// A trunk, by address (the carrier's addresses are its credentials) or by registration.
#[derive(Clone, Debug)]
pub struct Trunk {
    pub name: String,
    pub transport: TrunkTransport,
    /// Counts over TLS.
    pub tls: TrunkTls,
    /// How much audio is encrypted; off unless over TLS.
    pub srtp: Srtp,
    /// Calls may come in from these, from any port. A trunk by registration has the addresses of `target` too.
    pub addresses: Vec<Source>,
    /// Calls may come in from the target's servers too, wherever DNS says they are.
    pub targets_call: bool,
    /// Calls go out to this.
    pub target: HostPort,
    /// Numbers that the trunk lets us show; the first where a call names none of them.
    pub caller_ids: Vec<PhoneNumber>,
    /// Lower is tried first; within one priority calls are shared by weight.
    pub priority: u16,
    pub weight: u16,
    /// Calls at one time, both ways.
    pub channels: u32,
    /// New calls out within a second.
    pub calls_per_second: u32,
    pub dial_plan: DialPlan,
    /// The address that the carrier has registered for emergency calls from here. None: they are refused.
    pub emergency_address: Option<String>,
    /// How the carrier writes numbers.
    pub numbering: Numbering,
    /// Where the carrier reads the number that it shows.
    pub shown: Shown,
    /// Ask now and then whether it is there.
    pub ping: bool,
    /// Session timers and reliable provisional responses.
    pub terms: PeerTerms,
    /// How its challenges are answered. Always there by registration.
    pub login: Option<TrunkLogin>,
    /// Whether we register with it, and how.
    pub registration: Option<TrunkRegistration>,
}

/// What a carrier knows a customer by.
#[derive(Clone, Debug)]
pub struct TrunkLogin {
    pub user: String,
    pub password: SecretString,
    /// The realm that is answered; if none is set, the first that a server asks in, and the first of a proxy before it.
    pub realm: Option<String>,
}

/// A registration with a carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkRegistration {
    /// The host part of our address there.
    pub domain: String,
    /// Seconds to ask for.
    pub expires: u32,
}

/// What SIP runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrunkTransport {
    Udp,
    Tcp,
    Tls,
}

/// A host name or address, with a port or without: then DNS says where (RFC 3263).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    pub host: String,
    pub port: Option<u16>,
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: Some(address.port()) }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') { write!(f, "[{}]", self.host) } else { f.write_str(&self.host) }?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl FromStr for HostPort {
    type Err = ();
    /// `host`, `host:port`, `[address]`, `[address]:port`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, after) = rest.split_once(']').ok_or(())?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| ())?;
            let port = if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or(())?) };
            (host, port)
        } else {
            text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
        };
        let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
        let port = match port {
            Some(port) => Some(port.parse().ok().filter(|port| *port != 0).ok_or(())?),
            None => None,
        };
        if host.is_empty() || !plain { Err(()) } else { Ok(Self { host: host.to_owned(), port }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_host_with_or_without_a_port() {
        let shown = |text: &str| text.parse::<HostPort>().map(|t| t.to_string()).ok();
        assert_eq!(shown("sip.carrier.example").as_deref(), Some("sip.carrier.example"));
        assert_eq!(shown("sip.carrier.example:5060").as_deref(), Some("sip.carrier.example:5060"));
        assert_eq!(shown("[2001:db8::1]").as_deref(), Some("[2001:db8::1]"));
        assert_eq!(shown("[2001:db8::1]:5080").as_deref(), Some("[2001:db8::1]:5080"));
        for wrong in ["", ":5060", "host:0", "host:99999", "host name", "[::1", "sip:host"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }
}
