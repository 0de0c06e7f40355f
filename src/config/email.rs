//! `[email]`: how mail leaves, and what it is signed with ([`dkim`](super::dkim)).

use std::net::IpAddr;
use std::path::PathBuf;

use secrecy::SecretString;

use super::dkim::{Dkim, read_dkim};
use super::read::read_secret;
use super::section::Section;
use super::tls::{read_certificates, read_file};

/// How mail leaves.
#[derive(Clone, Debug)]
pub struct Email {
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    /// Authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    pub login: Option<(String, SecretString)>,
    /// The sender: an address, with a name before it or not.
    pub from: String,
    /// Each signs every mail.
    pub dkim: Vec<Dkim>,
}

impl Email {
    /// What stands behind the sender's at sign.
    pub fn domain(&self) -> &str {
        domain_of(&self.from)
    }
}

/// Whether mail is encrypted on its way to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// From the first byte (port 465).
    Implicit,
    /// Asked for in the session (port 587), and nothing is said without.
    StartTls,
    /// Not at all: for a relay on this machine.
    Off,
}

/// The outer `None` is a mistake, the inner one is no mail.
pub(super) fn read_email(section: &Section<'_>) -> Option<Option<Email>> {
    let host = section.text("host");
    let port = section.number("port", 1..=65_535);
    let tls =
        section.parsed("tls", "Write \"implicit\" (port 465), \"starttls\" (port 587) or \"off\"", |text| match text {
            "implicit" => Some(MailTls::Implicit),
            "starttls" => Some(MailTls::StartTls),
            "off" => Some(MailTls::Off),
            _ => None,
        });
    let user = section.text("user");
    let password = read_secret(section, "password_file");
    let ca_file = read_file(section, "ca_file");
    let fix = "Write \"desk@example.com\" or \"Cordboard <desk@example.com>\"";
    let from = section.parsed("from", fix, |text| is_mailbox(text).then(|| text.to_owned()));
    let domain = from.as_ref().map(|from| domain_of(&from.value).to_owned());
    let keys: Vec<Option<Dkim>> =
        section.sections("dkim").iter().map(|key| read_dkim(key, domain.as_deref())).collect();
    section.finish();
    if !section.is_there() {
        return Some(None);
    }
    if host.is_none() && !section.has("host") {
        section.complain_missing("host", "Write the mail relay's name: host = \"smtp.example.com\"");
    }
    if from.is_none() && !section.has("from") {
        section.complain_missing("from", fix);
    }
    if user.is_some() && !section.has("password_file") {
        section.complain_missing("password_file", "Name the file that holds the password of `user`");
    }
    if let Some(path) = &ca_file
        && let Err(fault) = read_certificates(path)
    {
        section.complain(section.span(), fault, "Name a file with the certificates of your relay's authority, in PEM");
        return None;
    }
    let written = tls.as_ref().map(|tls| tls.span.clone());
    let tls = tls.map_or(MailTls::StartTls, |tls| tls.value);
    let usual = match tls {
        MailTls::Implicit => 465,
        MailTls::StartTls => 587,
        MailTls::Off => 25,
    };
    let login = match (user, password) {
        (Some(user), Some(password)) => Some((user.value, password)),
        _ => None,
    };
    let host = host?.value;
    if tls == MailTls::Off && !is_this_machine(&host) {
        let what = "`tls = \"off\"` sends messages over the network in the clear";
        let fix = "Write \"starttls\" or \"implicit\", with `ca_file` for an authority of your own; or use a relay on this machine";
        section.complain(written.unwrap_or_else(|| section.span()), what, fix);
        return None;
    }
    Some(Some(Email {
        host,
        port: port.and_then(|port| u16::try_from(port.value).ok()).unwrap_or(usual),
        tls,
        ca_file,
        login,
        from: from?.value,
        dkim: keys.into_iter().collect::<Option<_>>()?,
    }))
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn domain_of(mailbox: &str) -> &str {
    let address = mailbox.split_once('<').map_or(mailbox, |(_, rest)| rest.trim_end_matches('>'));
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// `desk@example.com`, with a name before it or not.
fn is_mailbox(text: &str) -> bool {
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>'),
        None => Some(text),
    };
    let parts = address.and_then(|address| address.split_once('@'));
    let plain =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'@' | b'<' | b'>'));
    parts.is_some_and(|(local, domain)| plain(local) && plain(domain))
}
