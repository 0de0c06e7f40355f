//! What the files say well and would all the same end the start, or the first call: told with its line, like any mistake.
//!
//! Looks at what is there on this machine and makes nothing. What only a running service can know is not looked at.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::read::clash;
use super::section::{At, Mistake, Mistakes, Section};
use super::trunk::{HostPort, Trunk};
use super::{KEY_HEADER, Media, Sip};
use crate::base::phone::PhoneNumber;
use crate::proto::sip;

/// Where carriers are reached unless their target says so (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5060;
/// Digits of a number of North America, with its country code.
const NORTH_AMERICAN: usize = 11;

/// Audio gets no port that SIP listens on over UDP.
pub(super) fn check_ports(top: &Section<'_>, sip: &At<Sip>, media: &At<Media>) {
    let Media { bind_ip, second, ports, .. } = &media.value;
    let bound = [Some(*bind_ip), second.as_ref().map(|second| second.bind_ip)];
    for (key, taken) in [("trunk_bind", sip.value.trunk_bind), ("phones_bind", sip.value.phones_bind)] {
        let same = bound.iter().flatten().any(|ip| clash(SocketAddr::new(*ip, taken.port()), taken));
        if same && ports.contains(&taken.port()) {
            let section = top.section("media");
            let written = section.text("ports").map(|ports| ports.span);
            let what = format!("[media]: `ports` hold {}, where [sip] `{key}` listens", taken.port());
            top.complain(written.unwrap_or_else(|| sip.span.clone()), what, "Give each ports of its own");
        }
    }
}

/// The prompts have what every caller who waits hears.
pub(super) fn check_prompts(section: &Section<'_>, prompts: &Path, span: Range<usize>) {
    if !prompts.join("music.wav").is_file() {
        let what = format!("`prompts` names {}, which holds no music.wav", prompts.display());
        section.complain(span, what, "Name a directory that holds all prompts, or leave it out: Cordboard has its own");
    }
}

/// A database's file can be made where it is to be: its directory is made if missing, but not inside of a file.
pub(super) fn check_database(section: &Section<'_>, path: &Path, span: Range<usize>) {
    let there = path.ancestors().skip(1).find(|above| above.exists());
    if path.is_dir() {
        let what = format!("`path` names {}, which is a directory", path.display());
        section.complain(span, what, "Name a file in it: \"cordboard.db\"");
    } else if let Some(file) = there.filter(|above| !above.is_dir()) {
        let what = format!("`path` lies in {}, which is a file and no directory", file.display());
        section.complain(span, what, "Name a file in a directory; that is made if it is not there");
    }
}

/// A key file that is there is one of ours.
pub(super) fn check_key(section: &Section<'_>, path: &Path, span: Range<usize>) {
    let is_key = match std::fs::read(path) {
        Ok(bytes) => bytes.starts_with(KEY_HEADER.as_bytes()),
        // Made at the first start; one that may not be read is told then, as this may be another user.
        Err(_) => true,
    };
    if !is_key {
        let what = format!("`key_file` names {}, which is no key of Cordboard's", path.display());
        section.complain(span, what, "Name the key that the database was made with, or a file that is not there yet");
    }
}

/// Numbers that we show are whole. By the plan of North America, whose length is one; elsewhere it varies.
pub(super) fn check_caller_ids(section: &Section<'_>, numbers: &[At<PhoneNumber>]) {
    for At { value, span } in numbers {
        let digits = &value.as_e164()[1..];
        if digits.starts_with('1') && digits.len() != NORTH_AMERICAN {
            let what = format!(
                "`caller_ids` holds a number of {} digits, and North America's have 10 after the 1",
                digits.len()
            );
            section.complain(span.clone(), what, super::read::NUMBER_FIX);
        }
    }
}

/// A trunk's addresses are a carrier's: whoever is at one of them may call in unasked.
pub(super) fn check_sources(section: &Section<'_>, sources: &[At<sip::Source>]) {
    for At { value, span } in sources {
        if value.is_vast() {
            let what = "`addresses` lets a large part of the world call in, as whoever calls from there is taken for this carrier";
            section.complain(span.clone(), what, "List the carrier's own addresses and networks");
        }
    }
}

/// No two trunks have calls in that look the same: which of them one is taken for would be the order's doing, and with it
/// whether it is encrypted, how its numbers are read and whose channels it takes.
pub(super) fn check_callers(files: &[PathBuf], trunks: &[Trunk], mistakes: &Mistakes) {
    for (at, (trunk, file)) in trunks.iter().zip(files).enumerate() {
        if let Some(other) = trunks[..at].iter().find(|other| look_alike(trunk, other)) {
            mistakes.borrow_mut().push(Mistake {
                file: file.clone(),
                line: 1,
                what: format!(
                    "calls in over \"{}\" and over \"{}\" come from the same addresses by the same transport, and no login \
                     tells them apart",
                    trunk.name, other.name
                ),
                fix: "Let one of them take no calls in (addresses = []), or give each addresses, a `transport` or, by \
                      registration, a `login` of its own"
                    .to_owned(),
            });
        }
    }
}

fn look_alike(one: &Trunk, other: &Trunk) -> bool {
    // What a carrier calls us by, where we have told it that.
    let login = |trunk: &Trunk| trunk.login.as_ref().filter(|_| trunk.registration.is_some()).map(|l| l.user.clone());
    let target = |trunk: &Trunk| Some(&trunk.target.host).filter(|_| trunk.targets_call).cloned();
    let sources = |trunk: &Trunk| -> Vec<sip::Source> {
        let address = target(trunk).and_then(|host| host.parse::<IpAddr>().ok()).map(sip::Source::from);
        trunk.addresses.iter().copied().chain(address).collect()
    };
    let (ones, others) = (sources(one), sources(other));
    let same_addresses = ones.iter().any(|source| others.iter().any(|known| source.overlaps(known)));
    let same_servers = target(one).is_some_and(|host| Some(host) == target(other));
    one.transport == other.transport && login(one) == login(other) && (same_addresses || same_servers)
}

/// A trunk that leads to ourselves: each call out would come in again.
pub(super) fn check_target(section: &Section<'_>, target: &At<HostPort>, own: Option<SocketAddr>) {
    let Ok(ip) = target.value.host.parse() else { return };
    let target_at = SocketAddr::new(ip, target.value.port.unwrap_or(SIP_PORT));
    // Bound to every address, only this machine's usual one is known to be ours.
    let is_own = |own: &SocketAddr| clash(target_at, *own) && (own.ip() == ip || ip.is_loopback());
    if own.as_ref().is_some_and(is_own) {
        let what = format!("`target` is {target_at}, where Cordboard itself listens for carriers ([sip] trunk_bind)");
        section.complain(target.span.clone(), what, "Write the carrier's host, or listen elsewhere");
    }
}
