//! A trunk: where calls come from and go to, and what may be dialled over it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::base::phone::PhoneNumber;

/// A trunk by address: the carrier's addresses are its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    pub name: String,
    pub transport: TrunkTransport,
    /// Calls may come in from these, from any port.
    pub addresses: Vec<Network>,
    /// Calls go out to this.
    pub target: HostPort,
    /// Numbers that the trunk lets us show; the first where a call names none of them.
    pub caller_ids: Vec<PhoneNumber>,
    /// Calls at one time, both ways.
    pub channels: u32,
    pub dial_plan: DialPlan,
}

/// What SIP runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrunkTransport {
    Udp,
    Tcp,
}

impl Trunk {
    /// Whether this trunk carries what comes from `peer`.
    pub fn admits(&self, peer: IpAddr) -> bool {
        self.addresses.iter().any(|network| network.contains(peer))
    }

    /// The number to show for a call: the one wanted if the trunk is entitled to it, else its own.
    pub fn pick_caller_id(&self, wanted: Option<&PhoneNumber>) -> Option<&PhoneNumber> {
        self.caller_ids.iter().find(|id| Some(*id) == wanted).or_else(|| self.caller_ids.first())
    }
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

/// Addresses with a common beginning: `203.0.113.0/24`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether `peer` is one of them. An IPv4 address in IPv6's clothes counts as what it is.
    pub fn contains(&self, peer: IpAddr) -> bool {
        match (self.address, peer.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(peer)) => {
                same_start(u32::from(ours).into(), u32::from(peer).into(), self.bits, 32)
            }
            (IpAddr::V6(ours), IpAddr::V6(peer)) => same_start(ours.into(), peer.into(), self.bits, 128),
            _ => false,
        }
    }
}

const fn same_start(a: u128, b: u128, bits: u8, width: u8) -> bool {
    bits == 0 || (a ^ b) >> (width - bits) == 0
}

impl FromStr for Network {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), |bits| bits.parse().map_err(|_| ()))?;
        if bits <= width { Ok(Self { address, bits }) } else { Err(()) }
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
    fn a_network_holds_its_own_addresses_only() {
        let network: Network = "203.0.113.128/25".parse().expect("valid");
        assert!(network.contains("203.0.113.129".parse().expect("valid")));
        assert!(network.contains("::ffff:203.0.113.129".parse().expect("valid")));
        assert!(!network.contains("203.0.113.127".parse().expect("valid")));
        assert!("0.0.0.0/0".parse::<Network>().expect("valid").contains("198.51.100.1".parse().expect("valid")));
        assert!("2001:db8::/32".parse::<Network>().expect("valid").contains("2001:db8:1::1".parse().expect("valid")));
        assert!("203.0.113.0/33".parse::<Network>().is_err());
        assert!("carrier.example".parse::<Network>().is_err());
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

    #[test]
    fn only_numbers_of_the_trunk_are_shown() {
        let trunk = Trunk {
            name: "t".into(),
            transport: TrunkTransport::Udp,
            addresses: Vec::new(),
            target: "carrier.example".parse().expect("valid"),
            caller_ids: vec![number("+12025550101"), number("+12025550102")],
            channels: 1,
            dial_plan: DialPlan::default(),
        };
        assert_eq!(trunk.pick_caller_id(Some(&number("+12025550102"))), Some(&number("+12025550102")));
        assert_eq!(trunk.pick_caller_id(Some(&number("+12025550199"))), Some(&number("+12025550101")));
    }
}
