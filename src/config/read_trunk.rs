//! Reading a trunk's file: by address or by registration.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::Path;

use crate::base::phone::PhoneNumber;
use crate::proto::sdp::Srtp;
use crate::proto::sip;

use super::checks::{check_caller_ids, check_sources, check_target};
use super::read::{NUMBER_FIX, SRTP_FIX, parse, parse_name, parse_srtp, read_secret, read_source};
use super::routing::read_rules;
use super::section::{At, Mistakes, Section};
use super::tls::{self, TrunkTls};
use super::trunk::{DialPattern, DialPlan, HostPort, Trunk, TrunkLogin, TrunkRegistration, TrunkTransport};

/// Seconds that a registration asks for, unless told otherwise.
const EXPIRES: u32 = 300;
const LOGIN_FIX: &str = "Write what the carrier gave you: letters, digits and -_.!~*'+, without the host";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Address,
    Registration,
}

/// `own`: where we listen for carriers.
pub(super) fn read_trunk(path: &Path, mistakes: &Mistakes, own: Option<SocketAddr>) -> Option<Trunk> {
    let source = read_source(path, mistakes)?;
    let (table, whole) = parse(&source, mistakes);
    let ignored = RefCell::default();
    let top = Section::top(&source, if whole { mistakes } else { &ignored }, table.get_ref());
    let name = top.parsed("name", "Use lower-case letters, digits and hyphens", parse_name);
    let kind = top.parsed("kind", "Write \"address\" or \"registration\"", |text| match text {
        "address" => Some(Kind::Address),
        "registration" => Some(Kind::Registration),
        _ => None,
    });
    let registers = kind.as_ref().is_some_and(|kind| kind.value == Kind::Registration);
    let transport = top.parsed("transport", "Write \"udp\", \"tcp\" or \"tls\"", |text| match text {
        "udp" => Some(TrunkTransport::Udp),
        "tcp" => Some(TrunkTransport::Tcp),
        "tls" => Some(TrunkTransport::Tls),
        _ => None,
    });
    let over = transport.as_ref().map_or(TrunkTransport::Udp, |t| t.value);
    let srtp = top.parsed("srtp", SRTP_FIX, parse_srtp);
    let tls = read_trunk_tls(&top.section("tls"));
    let fix = "Write an address or a network: \"203.0.113.7\", \"203.0.113.0/24\"";
    let addresses = top.list("addresses", fix, |text| text.parse::<sip::Source>().ok());
    let fix = "Write a host, with a port if the carrier names one: \"sip.carrier.example\", \"192.0.2.1:5060\"";
    let target = top.parsed("target", fix, |text| text.parse::<HostPort>().ok());
    let caller_ids = top.list("caller_ids", NUMBER_FIX, |text| PhoneNumber::parse(text).ok());
    let channels = top.number("channels", 1..=10_000);
    let fix = "Write how such numbers begin, x for any digit: \"+1202\", \"+1xxx976\"";
    let allowed = top.list("allowed", fix, |text| text.parse::<DialPattern>().ok());
    let denied = top.list("denied", fix, |text| text.parse::<DialPattern>().ok());
    let rules = read_rules(&top);
    let login = read_login(&top, registers);
    let registration = read_registration(&top, registers);
    top.finish();
    check_sources(&top, addresses.as_deref().unwrap_or_default());
    check_caller_ids(&top, caller_ids.as_deref().unwrap_or_default());
    if let Some(target) = &target {
        check_target(&top, target, own);
    }
    for (key, there) in [("name", name.is_some()), ("kind", kind.is_some()), ("target", target.is_some())] {
        if !there && !top.has(key) {
            top.complain_missing(key, "A trunk needs name, kind and target");
        }
    }
    let values = |list: Option<Vec<At<DialPattern>>>, usual| {
        list.map_or(usual, |list| list.into_iter().map(|at| at.value).collect())
    };
    let usual = DialPlan::of_country(&rules.numbering.country);
    let addresses: Vec<sip::Source> = match addresses {
        // None at all: calls go out over this trunk, and none come in.
        Some(addresses) => addresses.into_iter().map(|at| at.value).collect(),
        // By registration calls come from where we register.
        None if (registers || rules.targets_call) && !top.has("addresses") => Vec::new(),
        None => {
            top.complain_missing(
                "addresses",
                "List the addresses that this carrier calls from, or write sources = \"targets\"",
            );
            return None;
        }
    };
    kind?;
    if over != TrunkTransport::Tls && !fits_without_tls(&top, srtp.as_ref()) {
        return None;
    }
    let target = target?.value;
    let host = target.host.clone();
    Some(Trunk {
        name: name?.value,
        transport: over,
        tls: tls?,
        srtp: srtp.map_or(Srtp::Off, |srtp| srtp.value),
        addresses,
        // By registration calls come from where we register.
        targets_call: rules.targets_call || registers,
        target,
        caller_ids: caller_ids.unwrap_or_default().into_iter().map(|at| at.value).collect(),
        priority: rules.priority,
        weight: rules.weight,
        channels: channels.and_then(|n| u32::try_from(n.value).ok()).unwrap_or(30),
        calls_per_second: rules.calls_per_second,
        dial_plan: DialPlan { allowed: values(allowed, usual.allowed), denied: values(denied, usual.denied) },
        login: login?,
        registration: registration?
            .map(|(domain, expires)| TrunkRegistration { domain: domain.unwrap_or(host), expires }),
        emergency_address: rules.emergency_address,
        numbering: rules.numbering,
        shown: rules.shown,
        ping: rules.ping,
        terms: rules.terms,
    })
}

/// Says what a trunk without TLS must not have.
fn fits_without_tls(top: &Section<'_>, srtp: Option<&At<Srtp>>) -> bool {
    if let Some(at) = srtp.filter(|srtp| srtp.value != Srtp::Off) {
        let what = "audio is encrypted with keys that SIP carries, and without TLS everybody on the way reads them";
        top.complain(at.span.clone(), what, "Write transport = \"tls\", or srtp = \"off\"");
        return false;
    }
    if top.has("tls") {
        let section = top.section("tls");
        let fix = "Write transport = \"tls\", or leave it out";
        section.complain(section.span(), "this trunk does not use TLS", fix);
        return false;
    }
    true
}

fn read_trunk_tls(section: &Section<'_>) -> Option<TrunkTls> {
    let fix = "Write what the carrier's certificate says: \"sip.carrier.example\", \"*.carrier.example\"";
    let name = section.parsed("name", fix, |text| {
        let host = text.strip_prefix("*.").unwrap_or(text);
        host.parse::<HostPort>().ok().filter(|read| read.host == host).map(|_| text.to_owned())
    });
    let ca_file = tls::read_file(section, "ca_file");
    let identity = tls::read_identity(section);
    section.finish();
    if (section.has("name") && name.is_none()) || (section.has("ca_file") && ca_file.is_none()) {
        return None;
    }
    Some(TrunkTls { name: name.map(|name| name.value), ca_file, identity: identity.ok()? })
}

/// `login`, its password and its realm. The outer `None` is a mistake.
fn read_login(top: &Section<'_>, needed: bool) -> Option<Option<TrunkLogin>> {
    let user = top.parsed("login", LOGIN_FIX, |text| is_user(text).then(|| text.to_owned()));
    let inline = top.text("password");
    let from_file = read_secret(top, "password_file");
    let realm = top.text("realm");
    let (has_user, has_inline, has_file) = (top.has("login"), top.has("password"), top.has("password_file"));
    if !(has_user || has_inline || has_file || needed) {
        if let Some(realm) = realm {
            top.complain(
                realm.span,
                "`realm` is there without a `login`",
                "Add login and password_file, or take it out",
            );
            return None;
        }
        return Some(None);
    }
    if !has_user {
        top.complain_missing("login", "Write the user name that the carrier gave you");
    }
    if !has_inline && !has_file {
        top.complain_missing("password_file", "Name the file that holds the password of `login`, alone on a line");
    }
    if let Some(inline) = inline.as_ref().filter(|_| has_file) {
        let fix = "Keep `password_file`: then this file can be shown to anybody";
        top.complain(inline.span.clone(), "`password` and `password_file` are both there", fix);
        return None;
    }
    if let Some(inline) = inline.as_ref().filter(|inline| inline.value.is_empty()) {
        top.complain(inline.span.clone(), "`password` is empty", "Write the password that the carrier gave you");
        return None;
    }
    let password = from_file.or_else(|| inline.map(|inline| inline.value.into()))?;
    Some(Some(TrunkLogin { user: user?.value, password, realm: realm.map(|realm| realm.value) }))
}

/// What only a trunk by registration has. The outer `None` is a mistake.
fn read_registration(top: &Section<'_>, registers: bool) -> Option<Option<(Option<String>, u32)>> {
    let fix = "Write the host part of your address there: \"sip.carrier.example\"";
    let domain = top.parsed("domain", fix, |text| {
        text.parse::<HostPort>().ok().filter(|host| host.host == text).map(|host| host.host)
    });
    let expires = top.number("expires", 60..=86_400);
    if !registers {
        let mut wrong = false;
        for key in ["domain", "expires"].into_iter().filter(|key| top.has(key)) {
            wrong = true;
            let what = format!("`{key}` is for a trunk by registration");
            top.complain(top.span(), what, "Take it out, or write kind = \"registration\"");
        }
        return (!wrong).then_some(None);
    }
    if (top.has("domain") && domain.is_none()) || (top.has("expires") && expires.is_none()) {
        return None;
    }
    let expires = expires.and_then(|n| u32::try_from(n.value).ok()).unwrap_or(EXPIRES);
    Some(Some((domain.map(|domain| domain.value), expires)))
}

/// A user part that needs no escapes (RFC 3261 §25.1).
fn is_user(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,".contains(&b);
    !text.is_empty() && text.len() <= 64 && text.bytes().all(plain)
}
