//! Where an address that somebody outside told us may lead: out into the world, and never into this house.
//!
//! A push service's address comes from a browser, so it could name anything our own network reaches. What always holds: a name
//! is judged by the addresses it stands for at the moment of connecting, and only those that passed are connected to, so it
//! cannot stand for others meanwhile; no redirect and no proxy leads past that.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// How far one may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses, by https.
    World,
    /// And this machine, by http as well: for tests, and for trying things out.
    ThisMachineToo,
}

/// The name stands for no address that may be gone to.
#[derive(Debug)]
pub(super) struct Inside;

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address inside")
    }
}

impl Error for Inside {}

impl Reach {
    fn takes_ip(self, ip: IpAddr) -> bool {
        is_public(ip) || (self == Self::ThisMachineToo && ip.is_loopback())
    }

    /// Whether an address may be gone to, as far as it says. A name that stands for other addresses is refused on the way.
    pub fn takes(self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        // An address is written in the one usual way here, whatever way it was told in.
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        let local = ip.map_or_else(|| is_local_name(host), |ip| ip.is_loopback());
        let here = local && self == Self::ThisMachineToo;
        let scheme_good = url.scheme() == "https" || (url.scheme() == "http" && here);
        let host_good = ip.map_or(!local || here, |ip| self.takes_ip(ip));
        scheme_good && host_good && url.username().is_empty() && url.password().is_none()
    }
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let good: Vec<SocketAddr> = found.filter(|address| reach.takes_ip(address.ip())).collect();
            if good.is_empty() { Err(Inside.into()) } else { Ok(Box::new(good.into_iter()) as Addrs) }
        })
    }
}

/// Whether an error of a request is that its name stands for addresses inside.
pub(super) fn is_inside(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if error.is::<Inside>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Reached from anywhere: none of the ranges that IANA keeps for special use.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_4(ip),
        IpAddr::V6(ip) => is_public_6(ip),
    }
}

const fn is_public_4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, _, _)
    )
}

fn is_public_6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, high, low] = ip.segments();
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_4(Ipv4Addr::new(a, b, c, d))
    };
    match a {
        // NAT64 (RFC 6052): as good as the IPv4 address in it.
        0x64 if (b, c, d, e, f) == (0xff9b, 0, 0, 0, 0) => inner(high, low),
        // 6to4, of an IPv4 address.
        0x2002 => false,
        // Protocols, Teredo among them, and documentation.
        0x2001 => b >= 0x200 && b != 0xdb8,
        0x3fff => b >= 0x1000,
        // What is global unicast; IPv4 in IPv6, and all that is local, is not.
        _ => (0x2000..=0x3fff).contains(&a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_inside_the_house_is_not_public() {
        for ip in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "203.0.113.9",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "3fff::1",
        ] {
            assert!(!is_public(ip.parse().expect("an address")), "{ip}");
        }
        for ip in
            ["8.8.8.8", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2607:f8b0::1", "2a00:1450::1", "64:ff9b::808:808"]
        {
            assert!(is_public(ip.parse().expect("an address")), "{ip}");
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_the_addresses_it_stands_for() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ask = async |reach: Reach| {
            let client = reqwest::Client::builder().dns_resolver(reach).no_proxy().build().expect("a client");
            // Nobody listens on port 1.
            client.get("https://localhost:1/").send().await.expect_err("nobody answers")
        };
        assert!(is_inside(&ask(Reach::World).await), "it is not even connected to");
        let error = ask(Reach::ThisMachineToo).await;
        assert!(error.is_connect() && !is_inside(&error), "{error:?}");
    }

    #[test]
    fn an_address_is_gone_to_by_https_and_to_this_machine_only_if_that_is_set() {
        let takes = |reach: Reach, url: &str| reach.takes(&Url::parse(url).expect("an address"));
        for url in ["https://push.example.net/a", "https://8.8.8.8/a"] {
            assert!(takes(Reach::World, url) && takes(Reach::ThisMachineToo, url), "{url}");
        }
        for url in [
            "http://localhost:80/a",
            "https://localhost./a",
            "https://a.localhost/",
            "http://127.1/a",
            "http://[::1]/a",
        ] {
            assert!(!takes(Reach::World, url), "{url}");
            assert!(takes(Reach::ThisMachineToo, url), "{url}");
        }
        for url in [
            "http://push.example.net/a",
            "https://10.0.0.1/a",
            "https://0x0a000001/a",
            "https://[fd00::1]/a",
            "https://169.254.169.254/",
            "https://a@push.example.net/",
            "https://:b@push.example.net/",
            "ftp://push.example.net/",
            "file:///etc/passwd",
        ] {
            assert!(!takes(Reach::World, url) && !takes(Reach::ThisMachineToo, url), "{url}");
        }
    }
}
