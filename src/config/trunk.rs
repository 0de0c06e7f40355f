//! A trunk: where calls come from and go to, and what may be dialled over it.

use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;

use crate::base::phone::PhoneNumber;
use crate::proto::sip::Source;

/// A trunk, by address (the carrier's addresses are its credentials) or by registration.
#[derive(Clone, Debug)]
pub struct Trunk {
    pub name: String,
    pub transport: TrunkTransport,
    /// Calls may come in from these, from any port. A trunk by registration has the addresses of `target` too.
    pub addresses: Vec<Source>,
    /// Calls go out to this.
    pub target: HostPort,
    /// Numbers that the trunk lets us show; the first where a call names none of them.
    pub caller_ids: Vec<PhoneNumber>,
    /// Calls at one time, both ways.
    pub channels: u32,
    pub dial_plan: DialPlan,
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
    /// The realm that is answered; the first that asks, if none is set.
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
}

/// A host name or address with a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    pub host: String,
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brackets = self.host.contains(':');
        if brackets { write!(f, "[{}]:{}", self.host, self.port) } else { write!(f, "{}:{}", self.host, self.port) }
    }
}

impl FromStr for HostPort {
    type Err = ();
    /// `host`, `host:port`, `[address]:port`; the port is 5060 unless given.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, after) = rest.split_once(']').ok_or(())?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| ())?;
            let port = if after.is_empty() { "5060" } else { after.strip_prefix(':').ok_or(())? };
            (host, port)
        } else {
            text.split_once(':').unwrap_or((text, "5060"))
        };
        let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(())?;
        if host.is_empty() || !plain { Err(()) } else { Ok(Self { host: host.to_owned(), port }) }
    }
}

/// Which numbers may be dialled: those that an allowed pattern matches and no denied one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialPlan {
    pub allowed: Vec<DialPattern>,
    pub denied: Vec<DialPattern>,
}

impl DialPlan {
    /// Whether `number` may be dialled.
    pub fn allows(&self, number: &PhoneNumber) -> bool {
        let is = |patterns: &[DialPattern]| patterns.iter().any(|p| p.matches(number));
        is(&self.allowed) && !is(&self.denied)
    }
}

/// What is denied under +1 unless a trunk says otherwise: premium numbers (area code 900, exchange 976),
/// and the area codes of other countries that share +1 and cost what calls abroad cost.
const DENIED: [&str; 27] = [
    "+1900", "+1xxx976", "+1242", "+1246", "+1264", "+1268", "+1284", "+1345", "+1441", "+1473", "+1649", "+1658",
    "+1664", "+1721", "+1758", "+1767", "+1784", "+1809", "+1829", "+1849", "+1868", "+1869", "+1876", "+1500",
    "+1700", "+1710", "+1x11",
];

impl Default for DialPlan {
    fn default() -> Self {
        let pattern = |text: &str| text.parse().expect("these patterns are valid, a test holds them so");
        Self { allowed: vec![pattern("+1")], denied: DENIED.iter().map(|text| pattern(text)).collect() }
    }
}

/// How a number begins: `+1202`, with `x` for any digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialPattern(String);

impl DialPattern {
    fn matches(&self, number: &PhoneNumber) -> bool {
        let number = number.as_e164();
        number.len() >= self.0.len() && self.0.bytes().zip(number.bytes()).all(|(p, n)| p == b'x' || p == n)
    }
}

impl FromStr for DialPattern {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix('+').ok_or(())?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'x');
        if plain && digits.len() <= 15 && !digits.starts_with('0') { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).expect("a valid number")
    }

    #[test]
    fn premium_and_foreign_numbers_are_denied_unless_allowed() {
        let plan = DialPlan::default();
        assert!(plan.allows(&number("+12025550110")));
        for denied in ["+19005550110", "+12029765550", "+18765550110", "+442071838750", "+37052123456"] {
            assert!(!plan.allows(&number(denied)), "{denied}");
        }
    }

    #[test]
    fn a_target_is_a_host_with_or_without_a_port() {
        let shown = |text: &str| text.parse::<HostPort>().map(|t| t.to_string()).ok();
        assert_eq!(shown("sip.carrier.example").as_deref(), Some("sip.carrier.example:5060"));
        assert_eq!(shown("[2001:db8::1]:5080").as_deref(), Some("[2001:db8::1]:5080"));
        for wrong in ["", ":5060", "host:0", "host:99999", "host name", "[::1", "sip:host"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }
}
