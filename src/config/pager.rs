//! `[[pager]]`: the carriers that page, each in its protocol. Destinations name them by `name`.

use std::path::PathBuf;

use secrecy::SecretString;

use crate::proto::paging::parts::Long;

use super::read::{parse_name, read_secret};
use super::section::Section;
use super::tls::read_file;

/// What most alphanumeric pagers show.
const USUAL_LENGTH: usize = 240;

/// A carrier that pages.
#[derive(Clone, Debug)]
pub struct PagerCarrier {
    /// What destinations call it: `5550142@metro`.
    pub name: String,
    pub protocol: PagerProtocol,
    /// Characters it takes in one page.
    pub max_length: usize,
    pub long: Long,
}

/// How it is spoken to.
#[derive(Clone, Debug)]
pub enum PagerProtocol {
    /// RFC 1861.
    Snpp { at: PagerAt, login: Option<(String, Option<SecretString>)> },
    /// TAP 1.8 over a terminal server.
    Tap { at: PagerAt, password: Option<SecretString> },
    /// WCTP 1.1 over HTTP.
    Wctp(WctpGateway),
}

/// Where a gateway or terminal server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagerAt {
    pub host: String,
    pub port: u16,
    /// None: in the clear.
    pub tls: Option<PagerTls>,
}

/// TLS from the first byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PagerTls {
    /// Authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// A WCTP gateway, and who we are to it.
#[derive(Clone, Debug)]
pub struct WctpGateway {
    pub url: String,
    pub sender: String,
    pub security_code: Option<SecretString>,
}

const KINDS: &str = "Write \"snpp\", \"wctp\" or \"tap\"";

pub(super) fn read_pagers(sections: &[Section<'_>]) -> Option<Vec<PagerCarrier>> {
    let read: Vec<Option<PagerCarrier>> = sections.iter().map(read_pager).collect();
    let read = read.into_iter().collect::<Option<Vec<_>>>()?;
    for (at, one) in read.iter().enumerate() {
        if read[..at].iter().any(|other| other.name == one.name) {
            let what = format!("another pager carrier is called \"{}\" too", one.name);
            sections[at].complain(sections[at].span(), what, "Give each a name of its own");
        }
    }
    Some(read)
}

fn read_pager(section: &Section<'_>) -> Option<PagerCarrier> {
    let fix = "Use lower-case letters, digits and hyphens: destinations name it, 5550142@metro";
    let name = section.parsed("name", fix, parse_name);
    let kind = section.parsed("kind", KINDS, |text| matches!(text, "snpp" | "wctp" | "tap").then(|| text.to_owned()));
    for key in ["name", "kind"] {
        if !section.has(key) {
            section.complain_missing(key, "Every [[pager]] needs name and kind");
        }
    }
    let max_length = section.number("max_length", 20..=2_000);
    let long = section.parsed("long", "Write \"split\" (several pages) or \"cut\"", |text| match text {
        "split" => Some(Long::Split),
        "cut" => Some(Long::Cut),
        _ => None,
    });
    let protocol = match kind.as_ref()?.value.as_str() {
        "wctp" => read_wctp(section),
        "tap" => read_tap(section),
        _ => read_snpp(section),
    };
    section.finish();
    let max_length = max_length.and_then(|at| usize::try_from(at.value).ok()).unwrap_or(USUAL_LENGTH);
    Some(PagerCarrier {
        name: name?.value,
        protocol: protocol?,
        max_length,
        long: long.map_or(Long::Split, |at| at.value),
    })
}

/// Host and port, and TLS if it is asked for.
pub(super) fn read_at(section: &Section<'_>, usual_port: Option<u16>) -> Option<PagerAt> {
    let fix = "Write host and port: \"snpp.example.com:444\", \"192.0.2.10:4000\"";
    let address = section.parsed("address", fix, |text| parse_host(text, usual_port));
    if !section.has("address") {
        section.complain_missing("address", fix);
    }
    let tls = section.flag("tls");
    let ca_file = read_file(section, "ca_file");
    if ca_file.is_some() && !tls {
        section.complain(section.span(), "`ca_file` says whom TLS trusts, and `tls` is not on", "Write tls = true");
    }
    if section.has("ca_file") && ca_file.is_none() {
        return None;
    }
    let (host, port) = address?.value;
    Some(PagerAt { host, port, tls: tls.then_some(PagerTls { ca_file }) })
}

/// `snpp.example.com:444`, `[2001:db8::1]:444`, or without a port where there is a usual one.
fn parse_host(text: &str, usual_port: Option<u16>) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host.parse::<std::net::Ipv6Addr>().ok()?.to_string(), rest.strip_prefix(':')),
        None => match text.rsplit_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (text.to_owned(), None),
        },
    };
    let port = match port {
        Some(port) => port.parse::<u16>().ok().filter(|port| *port != 0)?,
        None => usual_port?,
    };
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
    (!host.is_empty() && plain).then_some((host, port))
}

fn read_snpp(section: &Section<'_>) -> Option<PagerProtocol> {
    // RFC 1861 §3: port 444.
    let at = read_at(section, Some(444));
    let word = |text: &str| (!text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())).then(|| text.to_owned());
    let login = section.parsed("login", "Write the name the carrier gave you, in one word", word);
    let password = read_secret(section, "password_file");
    let unread = section.has("password_file") && password.is_none();
    if section.has("password_file") && !section.has("login") {
        section.complain_missing("login", "Say whose password it is");
    }
    if unread || (section.has("login") && login.is_none()) {
        return None;
    }
    Some(PagerProtocol::Snpp { at: at?, login: login.map(|login| (login.value, password)) })
}

fn read_tap(section: &Section<'_>) -> Option<PagerProtocol> {
    let at = read_at(section, None);
    let password = read_secret(section, "password_file");
    if section.has("password_file") && password.is_none() {
        return None;
    }
    Some(PagerProtocol::Tap { at: at?, password })
}

fn read_wctp(section: &Section<'_>) -> Option<PagerProtocol> {
    let fix = "Write the gateway's address: \"https://wctp.example.com/wctp\"";
    let url = section.parsed("url", fix, |text| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        (!rest.is_empty() && !text.contains(char::is_whitespace)).then(|| text.to_owned())
    });
    let fix_sender = "Write who you are to the carrier: \"desk@example.com\"";
    let sender = section.parsed("sender", fix_sender, |text| (!text.trim().is_empty()).then(|| text.to_owned()));
    for (key, fix) in [("url", fix), ("sender", fix_sender)] {
        if !section.has(key) {
            section.complain_missing(key, fix);
        }
    }
    let security_code = read_secret(section, "password_file");
    if section.has("password_file") && security_code.is_none() {
        return None;
    }
    Some(PagerProtocol::Wctp(WctpGateway { url: url?.value, sender: sender?.value, security_code }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_host_and_a_port() {
        let at = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(parse_host("snpp.example.com:445", Some(444)), at("snpp.example.com", 445));
        assert_eq!(parse_host("snpp.example.com", Some(444)), at("snpp.example.com", 444));
        assert_eq!(parse_host("[2001:db8::1]:4000", None), at("2001:db8::1", 4000));
        assert_eq!(parse_host("192.0.2.1", None), None);
        for wrong in ["", ":444", "a b:1", "host:0", "host:99999", "[::1", "http://x:1"] {
            assert_eq!(parse_host(wrong, Some(444)), None, "{wrong}");
        }
    }
}
