//! `[mail_in]`: the door that bounces and replies come in by.

use std::net::SocketAddr;

use super::dkim::is_domain;
use super::section::Section;
use super::tls::{IdentityFiles, read_identity};

const USUAL_SIZE: i64 = 10;
const USUAL_CONNECTIONS: i64 = 20;
const MEGABYTE: usize = 1_024 * 1_024;

/// Where mail comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailIn {
    pub bind: SocketAddr,
    /// Our addresses are at it; its MX leads here.
    pub domain: String,
    /// Who we say that we are.
    pub name: String,
    /// Octets of one mail.
    pub max_size: usize,
    /// Connections at one time.
    pub connections: usize,
    /// TLS for whoever asks for it.
    pub tls: Option<IdentityFiles>,
}

/// The outer `None` is a mistake, the inner one is no door. `sends`: mail leaves at all.
pub(super) fn read_mail_in(section: &Section<'_>, sends: bool) -> Option<Option<MailIn>> {
    let fix = "Write an address and a port: \"0.0.0.0:25\"; \"127.0.0.1:2525\" behind a mail server on this machine";
    let bind = section.parsed("bind", fix, |text| text.parse::<SocketAddr>().ok());
    let fix_domain = "Write a domain that is for this alone, with an MX record that leads here: \"desk.example.com\"";
    let domain = |text: &str| (is_domain(text) && text.contains('.')).then(|| text.to_ascii_lowercase());
    let name = section.parsed("name", "Write this machine's name: \"mail.example.com\"", domain);
    let domain = section.parsed("domain", fix_domain, domain);
    let max_size = section.number("max_size_mb", 1..=50);
    let connections = section.number("connections", 1..=200);
    let tls = read_identity(section);
    section.finish();
    if !section.is_there() {
        return Some(None);
    }
    for (key, fix) in [("bind", fix), ("domain", fix_domain)] {
        if !section.has(key) {
            section.complain_missing(key, fix);
        }
    }
    if !sends {
        let what = "only what answers an email of ours comes in, and none leaves";
        section.complain(section.span(), what, "Add [email], or take [mail_in] out");
        return None;
    }
    let (bind, domain, tls) = (bind?, domain?, tls.ok()?);
    let number = |value: i64| usize::try_from(value).expect("its bounds are above nought");
    Some(Some(MailIn {
        bind: bind.value,
        name: name.map_or_else(|| domain.value.clone(), |name| name.value),
        domain: domain.value,
        max_size: number(max_size.map_or(USUAL_SIZE, |at| at.value)) * MEGABYTE,
        connections: number(connections.map_or(USUAL_CONNECTIONS, |at| at.value)),
        tls,
    }))
}
