//! Reading what a trunk says of its place among the others, its numbers and its emergency calls; and `[limits]`.

use crate::base::numbering::{NumberFormat, Numbering};
use crate::domain::trunk::Limits;
use crate::proto::sip::session_timer::LEAST;
use crate::proto::sip::{PeerTerms, Reliable, SessionPolicy};

use super::section::Section;
use super::trunk::Shown;

/// The part of a trunk's file that this module reads.
pub struct Rules {
    pub priority: u16,
    pub weight: u16,
    pub calls_per_second: u32,
    pub emergency_address: Option<String>,
    pub numbering: Numbering,
    pub shown: Shown,
    pub ping: bool,
    pub terms: PeerTerms,
    pub targets_call: bool,
}

fn digits(text: &str, most: usize) -> Option<String> {
    (text.len() <= most && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_owned())
}

fn country(text: &str) -> Option<String> {
    digits(text.strip_prefix('+').unwrap_or(text), 3).filter(|code| !code.is_empty() && !code.starts_with('0'))
}

pub fn read_rules(top: &Section<'_>) -> Rules {
    let small =
        |key, usual: u16, range| top.number(key, range).and_then(|n| u16::try_from(n.value).ok()).unwrap_or(usual);
    let shown = top.parsed("identity", "Write \"both\", \"pai\" or \"from\"", |text| match text {
        "both" => Some(Shown::Both),
        "pai" => Some(Shown::Pai),
        "from" => Some(Shown::From),
        _ => None,
    });
    let fix = "Write \"targets\", or list `addresses`";
    let sources = top.parsed("sources", fix, |text| (text == "targets").then_some(()));
    Rules {
        priority: small("priority", 10, 0..=65_535),
        weight: small("weight", 10, 0..=65_535),
        calls_per_second: small("calls_per_second", 10, 1..=10_000).into(),
        emergency_address: read_emergency(top),
        numbering: read_numbering(top),
        shown: shown.map_or_else(Shown::default, |shown| shown.value),
        ping: !top.has("ping") || top.flag("ping"),
        terms: read_terms(top),
        targets_call: sources.is_some(),
    }
}

fn read_emergency(top: &Section<'_>) -> Option<String> {
    let allowed = top.flag("emergency");
    let address = top.text("emergency_address").filter(|address| !address.value.trim().is_empty());
    match (allowed, address) {
        (true, Some(address)) => Some(address.value),
        (true, None) => {
            top.complain_missing(
                "emergency_address",
                "Write the address that the carrier has registered for emergency calls over this trunk, or take \
                 `emergency` out",
            );
            None
        }
        (false, Some(address)) => {
            top.complain(
                address.span,
                "`emergency_address` is there, but emergency numbers are not dialled over this trunk",
                "Write emergency = true if this address is registered with the carrier, or take it out",
            );
            None
        }
        (false, None) => None,
    }
}

/// Session timers (RFC 4028) and reliable provisional responses (RFC 3262).
fn read_terms(top: &Section<'_>) -> PeerTerms {
    let usual = SessionPolicy::default();
    let seconds = |key| top.number(key, 0..=86_400).and_then(|n| Some((u32::try_from(n.value).ok()?, n.span)));
    let (expires, least) = (seconds("session_expires"), seconds("min_se"));
    let reliable = top.parsed("reliable", "Write \"supported\", \"required\" or \"off\"", |text| match text {
        "off" => Some(Reliable::Off),
        "supported" => Some(Reliable::Supported),
        "required" => Some(Reliable::Required),
        _ => None,
    });
    let reliable = reliable.map_or_else(Reliable::default, |reliable| reliable.value);
    if let Some((0, _)) = expires {
        if let Some((_, span)) = least {
            let fix = "Take it out, or write the seconds of `session_expires`";
            top.complain(span, "`min_se` is there, but session timers are off", fix);
        }
        return PeerTerms { session: None, reliable };
    }
    // RFC 4028 §5: never shorter.
    for (key, read) in [("session_expires", &expires), ("min_se", &least)] {
        if let Some((secs, span)) = read.as_ref().filter(|(secs, _)| *secs < LEAST) {
            let what = format!("`{key} = {secs}`: a session may not be so short");
            top.complain(span.clone(), what, "Write 90 seconds or more; session_expires = 0 turns session timers off");
        }
    }
    let (longest, shortest) = (expires.map_or(usual.expires, |e| e.0), least.as_ref().map_or(usual.least, |l| l.0));
    if let Some((_, span)) = least.filter(|_| shortest > longest) {
        let what = format!("`min_se` is more than the {longest} seconds of `session_expires`");
        top.complain(span, what, "Write less, or a longer session_expires");
    }
    PeerTerms { session: Some(SessionPolicy { expires: longest, least: shortest }), reliable }
}

fn read_numbering(top: &Section<'_>) -> Numbering {
    let code = top.parsed("country", "Write the country code: \"1\", \"44\"", country);
    let mut numbering = code.map_or_else(Numbering::default, |code| Numbering::of_country(&code.value));
    let national = top.parsed(
        "national_prefix",
        "Write what is dialled before a national number: \"0\", or \"\" for nothing",
        |text| digits(text, 4),
    );
    if let Some(prefix) = national {
        numbering.national_prefix = prefix.value;
    }
    let fix = "Write what is dialled before a country code: \"00\", \"011\"";
    let international =
        top.parsed("international_prefix", fix, |text| digits(text, 6).filter(|prefix| !prefix.is_empty()));
    if let Some(prefix) = international {
        numbering.international_prefixes = vec![prefix.value];
    }
    let format = top.parsed("number_format", "Write \"e164\", \"e164_no_plus\" or \"national\"", |text| match text {
        "e164" => Some(NumberFormat::E164),
        "e164_no_plus" => Some(NumberFormat::E164NoPlus),
        "national" => Some(NumberFormat::National),
        _ => None,
    });
    numbering.format = format.map_or_else(NumberFormat::default, |format| format.value);
    numbering
}

pub fn read_limits(section: &Section<'_>) -> Limits {
    let usual = Limits::default();
    let most =
        |key, usual| section.number(key, 1..=1_000_000).and_then(|n| usize::try_from(n.value).ok()).unwrap_or(usual);
    let limits = Limits {
        account_calls: most("account_calls_out", usual.account_calls),
        account_calls_per_hour: most("account_calls_out_per_hour", usual.account_calls_per_hour),
    };
    section.finish();
    limits
}
