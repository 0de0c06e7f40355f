//! Reading the files into [`Config`]: what each key means, what it may be, and what must fit together.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::domain::dispatch::state::Channel;
use crate::proto::sdp::Srtp;
use crate::proto::sip::{self, digest::Algorithm};

use super::alarms::read_alarms;
use super::audit::read_audit;
use super::board::read_board;
use super::checks::{check_callers, check_database, check_key, check_ports, check_prompts};
use super::email::read_email;
use super::fax::read_fax;
use super::mail_in::read_mail_in;
use super::operators::read_operators;
use super::pager::read_pagers;
use super::rates::read_rates;
use super::read_trunk::read_trunk;
use super::read_turn::read_turn;
use super::recording::read_recording;
use super::routing::read_limits;
use super::seats::read_seats;
use super::section::{At, Mistake, Mistakes, Section, Source};
use super::sms::{SmsProvider, read_sms};
use super::tls;
use super::trunk::{Trunk, TrunkTransport};
use super::webhook::read_webhooks;
use super::{
    Auth, Config, DEFAULT_PORTS, Http, Media, Place, SecondIp, Sip, StoreConfig, Voice, default_shards, loopback,
    secret,
};

const ADDRESS_FIX: &str = "Write an address and a port: \"127.0.0.1:8080\", \"[::1]:8080\"";
pub(super) const NUMBER_FIX: &str = "Write the whole number: \"+12025550101\"";
const URL_FIX: &str = "Write it as \"https://desk.example.com\", with nothing after the host";

/// Reads `path` and the trunks it names. All mistakes at once, in the order of files and lines.
pub fn load(path: &Path) -> Result<Config, Vec<Mistake>> {
    let mistakes = Mistakes::default();
    let config = read_main(path, &mistakes);
    let mut mistakes = mistakes.into_inner();
    // The main file first, then trunks by name; within a file by line.
    mistakes.sort_by(|a, b| (a.file != path, &a.file, a.line).cmp(&(b.file != path, &b.file, b.line)));
    match config {
        Some(config) if mistakes.is_empty() => Ok(config),
        _ => Err(mistakes),
    }
}

pub(super) fn read_source(path: &Path, mistakes: &Mistakes) -> Option<Source> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(Source { path: path.to_owned(), text }),
        Err(error) => {
            mistakes.borrow_mut().push(Mistake {
                file: path.to_owned(),
                line: 1,
                what: format!("the file cannot be read: {error}"),
                fix: "Check its name and that the user who runs Cordboard may read it".to_owned(),
            });
            None
        }
    }
}

/// The file's top table; what could be understood of it if its grammar is broken.
pub(super) fn parse<'a>(source: &'a Source, mistakes: &Mistakes) -> (toml::Spanned<DeTable<'a>>, bool) {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        let what = format!("this is not TOML: {}", error.message().trim().replace('\n', ", "));
        let fix = "Put texts in quotation marks and write one `key = value` a line";
        mistakes.borrow_mut().push(source.mistake(error.span().unwrap_or(0..0), what, fix));
    }
    (table, errors.is_empty())
}

fn read_main(path: &Path, mistakes: &Mistakes) -> Option<Config> {
    let source = read_source(path, mistakes)?;
    let (table, whole) = parse(&source, mistakes);
    // What a broken grammar swallowed would only show up as missing.
    let ignored = RefCell::default();
    let top = Section::top(&source, if whole { mistakes } else { &ignored }, table.get_ref());
    let http = read_http(&top.section("http"));
    let sip = read_sip(&top.section("sip"));
    let media = read_media(&top.section("media"));
    let store = read_store(&top.section("store"));
    let recording = read_recording(&top.section("recording"));
    let audit = read_audit(&top.section("audit"));
    let seats = read_seats(&top.section("seats"));
    let voice = read_voice(&top.section("voice"));
    let email = read_email(&top.section("email"));
    let mail_in = read_mail_in(&top.section("mail_in"), top.has("email"));
    let providers = top.sections("sms");
    let sms: Vec<Option<SmsProvider>> = providers.iter().map(read_sms).collect();
    for (at, one) in sms.iter().enumerate() {
        let same =
            |other: &Option<SmsProvider>| other.as_ref().zip(one.as_ref()).is_some_and(|(a, b)| a.name == b.name);
        if sms[..at].iter().any(same) {
            let fix = "Give each a name of its own: it is part of the addresses they call back";
            providers[at].complain(providers[at].span(), "another [[sms]] has the same `name`", fix);
        }
    }
    let pagers = read_pagers(&top.sections("pager"));
    let webhooks = read_webhooks(&top.sections("webhook"));
    let fax = read_fax(&top.section("fax"));
    let turn = read_turn(&top.section("turn"));
    let auth = read_auth(&top.section("auth"));
    let operators = read_operators(&top.section("operators"));
    let limits = read_limits(&top.section("limits"));
    let texts = sms.iter().flatten().map(|one| (Channel::Text, one.name.clone()));
    let pages = pagers.iter().flatten().map(|one| (Channel::Pager, one.name.clone()));
    let posts = webhooks.iter().flatten().map(|one| (Channel::Webhook, one.name.clone()));
    let known: Vec<(Channel, String)> = texts.chain(pages).chain(posts).collect();
    let rates = read_rates(&top.section("rates"), &known);
    let board = read_board(&top.section("board"));
    let own = sip.as_ref().map(|sip| sip.value.trunk_bind);
    let trunks = read_trunks(&top, mistakes, own);
    let alarms = read_alarms(&top.section("alarms"), !sms.is_empty(), trunks.as_ref().is_none_or(|t| !t.is_empty()));
    top.finish();
    if let (Some(sip), Some(media)) = (&sip, &media) {
        check_ports(&top, sip, media);
    }
    check_together(&top, &http, &sip, &sms);
    check_reachable(&top, &sip, &media, trunks.as_deref());
    Some(Config {
        http: http?.value,
        sip: sip?.value,
        media: media?.value,
        store: store?,
        recording: recording?,
        audit: audit?,
        seats: seats?,
        voice,
        email: email?,
        mail_in: mail_in?,
        sms: sms.into_iter().collect::<Option<_>>()?,
        pagers: pagers?,
        webhooks: webhooks?,
        fax,
        turn: turn?,
        auth,
        operators: operators?,
        limits,
        rates,
        board,
        alarms: alarms?,
        trunks: trunks?,
    })
}

fn address(section: &Section<'_>, key: &'static str, default: SocketAddr) -> Option<At<SocketAddr>> {
    if !section.has(key) {
        return Some(At { value: default, span: 0..0 });
    }
    section.parsed(key, ADDRESS_FIX, |text| text.parse().ok())
}

fn read_http(section: &Section<'_>) -> Option<At<Http>> {
    let bind = address(section, "bind", loopback(8080));
    let public_url = section.parsed("public_url", URL_FIX, parse_url);
    let behind_proxy = section.flag("behind_proxy");
    let fix = "Write an address or a network: \"127.0.0.1\", \"10.1.0.0/16\"";
    let proxies = section.list("proxies", fix, |text| text.parse::<sip::Source>().ok());
    let local_push_services = section.flag("local_push_services");
    let tls = tls::read_identity_section(&section.section("tls"));
    section.finish();
    let (bind, tls) = (bind?, tls.ok()?);
    let open = !bind.value.ip().is_loopback();
    if open && !behind_proxy && tls.is_none() {
        section.complain(
            bind.span.clone(),
            "browsers give a page their microphone only over https, and this address is not of this machine alone",
            "Give it a certificate in [http.tls], or put a proxy that speaks https before Cordboard and write \
             behind_proxy = true, or bind to 127.0.0.1",
        );
        return None;
    }
    if open && behind_proxy && proxies.is_none() {
        section.complain_missing("proxies", "Say where the proxy is: only its word on who asks can be taken");
        return None;
    }
    let proxies = proxies.map_or_else(this_machine, |list| list.into_iter().map(|at| at.value).collect());
    let public_url = public_url.map(|url| url.value);
    let http = Http { bind: bind.value, public_url, behind_proxy, proxies, local_push_services, tls };
    Some(At { value: http, span: bind.span })
}

fn this_machine() -> Vec<sip::Source> {
    let parse = |text: &str| text.parse().expect("these are networks, a test holds them so");
    ["127.0.0.0/8", "::1"].map(parse).to_vec()
}

/// `https://host[:port]`, without what follows.
fn parse_url(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    (!host.is_empty() && host.bytes().all(plain)).then(|| text.to_owned())
}

/// Like [`parse_url`], with a path.
pub(super) fn parse_base_url(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'@' | b'"' | b'\\');
    (!rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(plain)).then(|| text.to_owned())
}

fn read_sip(section: &Section<'_>) -> Option<At<Sip>> {
    let trunk_bind = address(section, "trunk_bind", loopback(5060));
    let phones_bind = address(section, "phones_bind", loopback(5070));
    let fix = "Write the address that carriers and phones outside see: \"203.0.113.7\"; or two, of IPv4 and of IPv6";
    let public = section.one_or_list("public_address", fix, |text| text.parse::<IpAddr>().ok());
    let fix = "Write [\"MD5\"], or [\"SHA-256\", \"MD5\"] if every phone can read that";
    let named = section.list("phone_digests", fix, |text| Some(text.to_owned()));
    if named.as_ref().is_some_and(Vec::is_empty) {
        section.complain(section.span(), "`phone_digests` is empty: no desk phone could log in", fix);
    }
    let mut digests = Vec::new();
    for At { value, span } in named.into_iter().flatten() {
        match Algorithm::parse(&value).filter(|a| [Algorithm::MD5, Algorithm::SHA_256].contains(a)) {
            Some(digest) => digests.push(digest),
            None => {
                section.complain(span, format_args!("`phone_digests` holds \"{value}\", which cannot be read"), fix);
            }
        }
    }
    if digests.is_empty() {
        digests.push(Algorithm::MD5);
    }
    let srtp = section.parsed("phone_srtp", SRTP_FIX, parse_srtp);
    let tls_bind = |key| section.parsed(key, ADDRESS_FIX, |text| text.parse::<SocketAddr>().ok());
    let (trunk_tls, phones_tls) = (tls_bind("trunk_tls_bind"), tls_bind("phones_tls_bind"));
    let tls_section = section.section("tls");
    let tls = tls::read_identity_section(&tls_section);
    section.finish();
    let listens = section.has("trunk_tls_bind") || section.has("phones_tls_bind");
    if listens && !tls_section.is_there() {
        let at = trunk_tls.as_ref().or(phones_tls.as_ref()).map_or_else(|| section.span(), |at| at.span.clone());
        section.complain(at, "TLS needs a certificate", "Name its files: [sip.tls] with certificate and key");
        return None;
    }
    if tls_section.is_there() && !listens {
        let fix = "Say where to listen: trunk_tls_bind, phones_tls_bind, or both";
        tls_section.complain(tls_section.span(), "nobody listens with this certificate", fix);
        return None;
    }
    if let Some(at) = srtp.as_ref().filter(|srtp| srtp.value != Srtp::Off && !section.has("phones_tls_bind")) {
        let what = "audio is encrypted with keys that SIP carries, and phones have no TLS to send them by";
        section.complain(at.span.clone(), what, "Add phones_tls_bind and [sip.tls], or write phone_srtp = \"off\"");
        return None;
    }
    let tls = tls.ok()?;
    let (trunk_bind, phones_bind) = (trunk_bind?, phones_bind?);
    let sip = Sip {
        trunk_bind: trunk_bind.value,
        phones_bind: phones_bind.value,
        public_addresses: public.iter().flatten().map(|public| public.value).collect(),
        phone_digests: digests,
        phone_srtp: srtp.map_or(Srtp::Off, |srtp| srtp.value),
        trunk_tls_bind: trunk_tls.as_ref().map(|at| at.value),
        phones_tls_bind: phones_tls.as_ref().map(|at| at.value),
        tls,
    };
    check_public(section, &sip, &public.unwrap_or_default())?;
    let taken = [sip.trunk_bind, sip.phones_bind];
    for (at, others) in
        [(&trunk_tls, &taken[..]), (&phones_tls, &[taken[0], taken[1], sip.trunk_tls_bind.unwrap_or(taken[0])])]
    {
        if let Some(at) = at.as_ref().filter(|at| others.iter().any(|other| clash(at.value, *other))) {
            section.complain(at.span.clone(), "TLS needs a port of its own", "Choose others: 5061 and 5071");
            return None;
        }
    }
    if clash(sip.trunk_bind, sip.phones_bind) {
        section.complain(
            phones_bind.span.clone(),
            "`phones_bind` is the port that trunks have already",
            "Give phones a port of their own, 5070 for example: the two sides trust different peers",
        );
        return None;
    }
    Some(At { value: sip, span: trunk_bind.span })
}

/// One address of each family at most, and of one that somebody listens on. `None` is a mistake.
fn check_public(section: &Section<'_>, sip: &Sip, public: &[At<IpAddr>]) -> Option<()> {
    if let Some(ip) = doubled_family(public) {
        section.complain(ip.span.clone(), "`public_address` names two addresses of one family", FAMILIES_FIX);
        return None;
    }
    let doors = [Some(sip.trunk_bind), Some(sip.phones_bind), sip.trunk_tls_bind, sip.phones_tls_bind];
    let heard = |ip: IpAddr| {
        // Bound to every address of IPv6, a socket serves both.
        doors.iter().flatten().any(|door| door.is_ipv4() == ip.is_ipv4() || door.ip() == Ipv6Addr::UNSPECIFIED)
    };
    if let Some(lost) = public.iter().find(|ip| !heard(ip.value)) {
        let fix = "Listen there too, trunk_bind = \"[::]:5060\" for both families, or take it out";
        section.complain(lost.span.clone(), "`public_address` is of a family that nobody here listens on", fix);
        return None;
    }
    Some(())
}

const FAMILIES_FIX: &str = "Write at most one address of IPv4 and one of IPv6";

/// The second address of a family, if there is one.
fn doubled_family(ips: &[At<IpAddr>]) -> Option<&At<IpAddr>> {
    let known = |at: usize, ip: &At<IpAddr>| ips[..at].iter().any(|b| b.value.is_ipv4() == ip.value.is_ipv4());
    ips.iter().enumerate().find(|(at, ip)| known(*at, ip)).map(|(_, ip)| ip)
}

pub(super) const SRTP_FIX: &str = "Write \"off\", \"preferred\" or \"required\"";

pub(super) fn parse_srtp(text: &str) -> Option<Srtp> {
    match text {
        "off" => Some(Srtp::Off),
        "preferred" => Some(Srtp::Preferred),
        "required" => Some(Srtp::Required),
        _ => None,
    }
}

/// The first family's addresses, and the other's. `None` is a mistake.
fn read_media_ips(
    section: &Section<'_>,
    bind_ips: Option<Vec<At<IpAddr>>>,
    public_ips: Vec<At<IpAddr>>,
) -> Option<(IpAddr, Option<IpAddr>, Option<SecondIp>)> {
    let bind_ips = bind_ips.unwrap_or_else(|| vec![At { value: loopback(0).ip(), span: section.span() }]);
    for (key, ips) in [("bind_ip", &bind_ips), ("public_ip", &public_ips)] {
        if let Some(ip) = doubled_family(ips) {
            section.complain(ip.span.clone(), format_args!("`{key}` names two addresses of one family"), FAMILIES_FIX);
            return None;
        }
    }
    let Some(first) = bind_ips.first().map(|ip| ip.value) else {
        section.complain(section.span(), "`bind_ip` is empty", FAMILIES_FIX);
        return None;
    };
    let public = |of: IpAddr| public_ips.iter().find(|ip| ip.value.is_ipv4() == of.is_ipv4()).map(|ip| ip.value);
    if let Some(lost) = public_ips.iter().find(|ip| bind_ips.iter().all(|b| b.value.is_ipv4() != ip.value.is_ipv4())) {
        let fix = "Add an address of that family to `bind_ip`, or take it out";
        section.complain(lost.span.clone(), "`public_ip` is of a family that `bind_ip` has no address of", fix);
        return None;
    }
    let second = bind_ips.get(1).map(|ip| SecondIp { bind_ip: ip.value, public_ip: public(ip.value) });
    Some((first, public(first), second))
}

pub(super) fn clash(a: SocketAddr, b: SocketAddr) -> bool {
    let same_ip = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && same_ip
}

/// `20000-29999`.
pub fn parse_ports(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (from, to) = text.split_once('-')?;
    let (from, to): (u16, u16) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    (from >= 1024 && to.checked_sub(from)? >= 3).then_some(from..=to)
}

fn read_media(section: &Section<'_>) -> Option<At<Media>> {
    let fix = "Write an address of this machine: \"127.0.0.1\", \"192.0.2.10\"; or two, of IPv4 and of IPv6";
    let bind_ips = section.one_or_list("bind_ip", fix, |text| text.parse::<IpAddr>().ok());
    let has_ip = section.has("bind_ip");
    let fix = "Write the address that audio is to be sent to: \"203.0.113.7\"; or two, of IPv4 and of IPv6";
    let public_ips = section.one_or_list("public_ip", fix, |text| text.parse::<IpAddr>().ok());
    let has_public_ip = section.has("public_ip");
    let fix = "Write first and last, from 1024 on and four ports at least: \"20000-29999\"";
    let ports = section.parsed("ports", fix, parse_ports);
    let has_ports = section.has("ports");
    let shards = section.number("shards", 1..=64);
    section.finish();
    if let (Some(ports), Some(ephemeral)) = (&ports, ephemeral_ports())
        && ports.value.start() <= ephemeral.end()
        && ephemeral.start() <= ports.value.end()
    {
        let what = format!(
            "`ports` overlap {}-{}, which the system gives to anybody who asks for some port",
            ephemeral.start(),
            ephemeral.end()
        );
        section.complain(ports.span.clone(), what, "Choose others: \"20000-29999\"");
        return None;
    }
    if (has_ip && bind_ips.is_none()) || (has_public_ip && public_ips.is_none()) || (has_ports && ports.is_none()) {
        return None;
    }
    let span = bind_ips.as_ref().and_then(|ips| ips.first()).map_or_else(|| section.span(), |ip| ip.span.clone());
    let (bind_ip, public_ip, second) = read_media_ips(section, bind_ips, public_ips.unwrap_or_default())?;
    let media = Media {
        bind_ip,
        public_ip,
        second,
        ports: ports.map_or(DEFAULT_PORTS, |ports| ports.value),
        shards: shards.and_then(|n| usize::try_from(n.value).ok()).unwrap_or_else(default_shards),
    };
    if media.bind_ip.is_unspecified() && media.public_ip.is_none() {
        section.complain(
            span,
            "`bind_ip` is every address of this machine, and the other side must be told one",
            "Write the address that audio is to be sent to: public_ip = \"203.0.113.7\"",
        );
        return None;
    }
    Some(At { value: media, span })
}

fn ephemeral_ports() -> Option<std::ops::RangeInclusive<u16>> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut words = text.split_whitespace().map_while(|word| word.parse().ok());
    Some(words.next()?..=words.next()?)
}

fn read_store(section: &Section<'_>) -> Option<StoreConfig> {
    let path = section.text("path");
    let fix = "Write \"postgres://user@host/database\"";
    let url = section.parsed("url", fix, |text| {
        let known = text.starts_with("postgres://") || text.starts_with("postgresql://");
        known.then(|| text.to_owned())
    });
    let key_file = section.text("key_file");
    section.finish();
    let place = match (path, url) {
        (Some(path), Some(url)) => {
            let fix = "Keep `path` for SQLite or `url` for PostgreSQL";
            section.complain(
                if url.span.start > path.span.start { url.span } else { path.span },
                "`path` and `url` are both there",
                fix,
            );
            return None;
        }
        (_, Some(url)) => Place::Postgres(url.value),
        (Some(path), None) => {
            let file = section.path(&path.value);
            check_database(section, &file, path.span);
            Place::Sqlite(file)
        }
        (None, None) if section.has("url") => return None,
        (None, None) => Place::Sqlite(section.path("cordboard.db")),
    };
    let span = key_file.as_ref().map_or_else(|| section.span(), |file| file.span.clone());
    let key_file = key_file.map_or_else(|| section.path("cordboard.key"), |file| section.path(&file.value));
    check_key(section, &key_file, span);
    Some(StoreConfig { place, key_file })
}

fn read_voice(section: &Section<'_>) -> Voice {
    let command = section.list("command", "Write program and arguments as texts", |text| Some(text.to_owned()));
    if let Some(command) = &command
        && command.is_empty()
    {
        section.complain_missing("command", "Name a program, for example [\"espeak-ng\", \"--stdin\", \"--stdout\"]");
    }
    let prompts = section.text("prompts");
    let cache = section.text("cache");
    let recordings = section.text("recordings");
    section.finish();
    let voice = Voice {
        command: command.map(|command| command.into_iter().map(|word| word.value).collect()),
        prompts: prompts.as_ref().map(|at| section.path(&at.value)),
        cache: section.path(cache.as_ref().map_or("var/speech", |at| &at.value)),
        recordings: section.path(recordings.as_ref().map_or("var/greetings", |at| &at.value)),
    };
    if let (Some(written), Some(prompts)) = (prompts, &voice.prompts) {
        check_prompts(section, prompts, written.span);
    }
    voice
}

/// A secret named by a key; a mistake if the file is not there.
pub(super) fn read_secret(section: &Section<'_>, key: &'static str) -> Option<secrecy::SecretString> {
    let file = section.text(key)?;
    let path = section.path(&file.value);
    secret::read(&path)
        .map_err(|why| {
            let what = format!("`{key}` names {}, and {why}", path.display());
            section.complain(
                file.span.clone(),
                what,
                "Write the secret into that file, alone on a line, readable by Cordboard's user only",
            );
        })
        .ok()
}

pub(super) fn parse_name(text: &str) -> Option<String> {
    let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (plain && (1..=40).contains(&text.len())).then(|| text.to_owned())
}

fn read_auth(section: &Section<'_>) -> Auth {
    let file = section.text("jwt_secret_file");
    section.finish();
    Auth { jwt_secret_file: section.path(file.as_ref().map_or("jwt.secret", |at| &at.value)) }
}

/// The files named by `trunks`: files, and directories of them.
fn read_trunks(top: &Section<'_>, mistakes: &Mistakes, own: Option<SocketAddr>) -> Option<Vec<Trunk>> {
    let named =
        top.list("trunks", "Name files or directories: trunks = [\"sip-config\"]", |text| Some(text.to_owned()));
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in named.unwrap_or_default() {
        let path = top.path(&entry.value);
        let found = match std::fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => toml_files(&path),
            Ok(_) => vec![path],
            Err(_) => {
                let what = format!("`trunks` names {}, which does not exist", path.display());
                top.complain(entry.span, what, "Name a trunk's file or a directory of them, relative to this file");
                continue;
            }
        };
        // Read once: its mistakes would be told twice, and its name be taken by itself.
        let same = |a: &Path, b: &Path| a.canonicalize().ok().is_some_and(|a| b.canonicalize().is_ok_and(|b| a == b));
        let (doubled, fresh): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|file| files.iter().any(|known| same(known, file)));
        if let Some(file) = doubled.first() {
            let what = format!("`trunks` names {} twice", file.display());
            top.complain(entry.span, what, "Name each file once, by itself or by its directory");
        }
        files.extend(fresh);
    }
    let trunks: Vec<Option<Trunk>> = files.iter().map(|file| read_trunk(file, mistakes, own)).collect();
    let trunks: Vec<Trunk> = trunks.into_iter().collect::<Option<_>>()?;
    for (at, trunk) in trunks.iter().enumerate() {
        if trunks[..at].iter().any(|other| other.name == trunk.name) {
            mistakes.borrow_mut().push(Mistake {
                file: files[at].clone(),
                line: 1,
                what: format!("another trunk is called \"{}\" too", trunk.name),
                fix: "Give each trunk a name of its own".to_owned(),
            });
        }
    }
    check_callers(&files, &trunks, mistakes);
    Some(trunks)
}

fn toml_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    files
}

/// What is right alone but not together.
fn check_together(top: &Section<'_>, http: &Option<At<Http>>, sip: &Option<At<Sip>>, sms: &[Option<SmsProvider>]) {
    let (Some(http), Some(sip)) = (http, sip) else { return };
    if sms.iter().flatten().any(SmsProvider::calls_back) && http.value.public_url.is_none() {
        top.complain(
            http.span.clone(),
            "[http]: `public_url` is missing, and text providers sign and call back that address",
            "Write the address under which the world reaches Cordboard: public_url = \"https://desk.example.com\"",
        );
    }
    if clash(http.value.bind, sip.value.trunk_bind) || clash(http.value.bind, sip.value.phones_bind) {
        top.complain(http.span.clone(), "[http]: `bind` is a port that SIP has too", "Give each a port of its own");
    }
}

/// What each end of a call would be told about where to send.
fn check_reachable(top: &Section<'_>, sip: &Option<At<Sip>>, media: &Option<At<Media>>, trunks: Option<&[Trunk]>) {
    let Some(sip) = sip else { return };
    // By registration, calls come over the connection that we have registered by.
    let comes_in = |trunk: &Trunk| !trunk.addresses.is_empty() || (trunk.targets_call && trunk.registration.is_none());
    let over_tls = |trunk: &Trunk| trunk.transport == TrunkTransport::Tls && comes_in(trunk);
    if sip.value.trunk_tls_bind.is_none() && trunks.unwrap_or_default().iter().any(over_tls) {
        top.complain(
            sip.span.clone(),
            "[sip]: a trunk uses TLS, and its carrier calls in: it must be able to reach us over TLS too",
            "Say where to listen, trunk_tls_bind = \"192.0.2.10:5061\", and name a certificate in [sip.tls]",
        );
    }
    if let Some(media) = media
        && media.value.bind_ip.is_loopback()
        && !sip.value.trunk_bind.ip().is_loopback()
    {
        top.complain(
            if media.span.is_empty() { sip.span.clone() } else { media.span.clone() },
            "[media]: `bind_ip` is of this machine alone, but `trunk_bind` is not: carriers could not send audio",
            "Write an address that they reach: bind_ip = \"192.0.2.10\"",
        );
    }
}
