//! Who may speak to an agent at all, by source address. Looked at before anything else is.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// One address or network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    net: IpAddr,
    prefix: u8,
}

/// A text that is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceError;

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an address (192.0.2.1) or a network (192.0.2.0/24, 2001:db8::/32)")
    }
}

impl std::error::Error for SourceError {}

impl FromStr for Source {
    type Err = SourceError;
    fn from_str(text: &str) -> Result<Self, SourceError> {
        let (net, prefix) = match text.split_once('/') {
            Some((net, prefix)) => (net, Some(prefix.parse::<u8>().map_err(|_| SourceError)?)),
            None => (text, None),
        };
        let net: IpAddr = net.trim().parse().map_err(|_| SourceError)?;
        let longest = if net.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        if prefix > longest { Err(SourceError) } else { Ok(Self { net, prefix }) }
    }
}

impl From<IpAddr> for Source {
    fn from(net: IpAddr) -> Self {
        Self { net, prefix: if net.is_ipv4() { 32 } else { 128 } }
    }
}

impl Source {
    /// So large that no one company has it.
    pub const fn is_vast(&self) -> bool {
        self.prefix < if self.net.is_ipv4() { 8 } else { 16 }
    }

    /// Some address is in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.net) || other.contains(self.net)
    }

    /// `address` is this one, or lies in this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.net, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let shift = 32 - u32::from(self.prefix);
                net.to_bits().checked_shr(shift) == ip.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let shift = 128 - u32::from(self.prefix);
                net.to_bits().checked_shr(shift) == ip.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

/// Who may speak to an agent.
#[derive(Clone, Debug)]
pub enum Admit {
    Any,
    Sources(Vec<Source>),
}

impl Admit {
    pub fn admits(&self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Sources(sources) => sources.iter().any(|s| s.contains(address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_their_addresses_and_no_others() {
        let source: Source = "192.0.2.0/24".parse().expect("a network");
        assert!(source.contains("192.0.2.77".parse().expect("an address")));
        assert!(source.contains("::ffff:192.0.2.77".parse().expect("an address")));
        assert!(!source.contains("192.0.3.1".parse().expect("an address")));
        let all: Source = "0.0.0.0/0".parse().expect("a network");
        assert!(all.contains("203.0.113.9".parse().expect("an address")));
        let six: Source = "2001:db8::/32".parse().expect("a network");
        assert!(six.contains("2001:db8:1::1".parse().expect("an address")));
        assert!("192.0.2.0/33".parse::<Source>().is_err());
    }

    #[test]
    fn networks_overlap_where_one_lies_in_the_other() {
        let overlap = |a: &str, b: &str| {
            let [a, b]: [Source; 2] = [a, b].map(|text| text.parse().expect("a source"));
            assert_eq!(a.overlaps(&b), b.overlaps(&a));
            a.overlaps(&b)
        };
        assert!(overlap("192.0.2.0/24", "192.0.2.77") && overlap("192.0.2.128/25", "192.0.2.0/24"));
        assert!(!overlap("192.0.2.128/25", "192.0.2.0/25") && !overlap("192.0.2.1", "::1"));
    }
}
