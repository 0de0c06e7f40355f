//! What stands in From, To, Contact, Route, Via and CSeq: addresses with parameters, and their lists.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::Method;
use super::uri::{Uri, UriError, parse_host_port};

/// `"Name" <uri>;params` or `uri;params`. In the second form the parameters are the header's
/// (RFC 3261 §20).
#[derive(Clone, Debug)]
pub struct Address {
    /// Unquoted.
    pub display: Option<String>,
    /// The URI as it stands; any scheme.
    pub uri_text: String,
    /// The URI, if its scheme is one of ours.
    pub uri: Result<Uri, UriError>,
    params: Vec<(String, Option<String>)>,
}

impl Address {
    /// Reads one address. A display name that isn't quoted may hold anything but `<`: names with commas
    /// and dots are out there (RFC 4475 §3.1.2.15 allows for it).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (display, rest) = if let Some(quoted) = text.strip_prefix('"') {
            let (display, rest) = take_quoted(quoted)?;
            let rest = rest.trim_start();
            if !rest.starts_with('<') {
                return None;
            }
            (Some(display), rest)
        } else if let Some(open) = text.find('<') {
            let name = text[..open].trim();
            if name.contains(['"', ';', '>']) {
                return None;
            }
            ((!name.is_empty()).then(|| name.to_owned()), &text[open..])
        } else {
            (None, text)
        };
        let (uri_text, params) = if let Some(inside) = rest.strip_prefix('<') {
            let (uri, params) = inside.split_once('>')?;
            (uri, params)
        } else {
            let end = rest.find(';').unwrap_or(rest.len());
            let (uri, params) = rest.split_at(end);
            let uri = uri.trim_end();
            // RFC 3261 §20: a comma, question mark or semicolon in the URI requires brackets.
            if uri.contains([',', '?']) {
                return None;
            }
            (uri, params)
        };
        let uri = Uri::parse(uri_text);
        if matches!(uri, Err(UriError::Malformed)) {
            return None;
        }
        Some(Self { display, uri_text: uri_text.to_owned(), uri, params: parse_params(params)? })
    }

    /// A parameter's value (empty if it has none); `None` if it isn't there.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_deref().unwrap_or_default())
    }
}

/// The topmost Via.
#[derive(Clone, Debug)]
pub struct Via {
    /// Upper case.
    pub transport: String,
    pub host: String,
    pub port: Option<u16>,
    params: Vec<(String, Option<String>)>,
}

impl Via {
    /// Reads one Via element; spaces may stand around every separator.
    pub fn parse(text: &str) -> Option<Self> {
        let mut slashes = text.splitn(3, '/');
        let (name, version, rest) = (slashes.next()?.trim(), slashes.next()?.trim(), slashes.next()?.trim_start());
        if !name.eq_ignore_ascii_case("SIP") || version.is_empty() {
            return None;
        }
        let (transport, rest) = rest.split_once([' ', '\t'])?;
        let (sent_by, params) = match rest.find(';') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let sent_by: String = sent_by.chars().filter(|c| !c.is_whitespace()).collect();
        let (host, port) = parse_host_port(&sent_by)?;
        let token = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+');
        if transport.is_empty() || !transport.bytes().all(token) {
            return None;
        }
        Some(Self { transport: transport.to_ascii_uppercase(), host, port, params: parse_params(params)? })
    }

    /// A parameter's value (empty if it has none); `None` if it isn't there.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_deref().unwrap_or_default())
    }

    /// The branch, if it is an RFC 3261 one (magic cookie and something after it).
    pub fn branch(&self) -> Option<&str> {
        self.param("branch").filter(|b| b.len() > 7 && b.get(..7).is_some_and(|c| c.eq_ignore_ascii_case("z9hG4bK")))
    }
}

/// Adds `received` and fills `rport` in the topmost element of a Via value (RFC 3261 §18.2.1, RFC 3581).
pub fn stamp_via(value: &str, from: IpAddr, port: u16) -> String {
    let mut out = String::with_capacity(value.len() + 64);
    match split_list(value).next().and_then(Via::parse) {
        Some(via) => write_stamped(&mut out, value, &via, from, port),
        None => out.push_str(value),
    }
    out
}

/// The same of a value whose topmost element has been read already, at the end of `out`.
pub fn write_stamped(out: &mut String, value: &str, via: &Via, from: IpAddr, port: u16) {
    let top = split_list(value).next().unwrap_or_default();
    // `top` is a slice of `value`: what follows it is kept as it is.
    let rest = &value[top.as_ptr() as usize - value.as_ptr() as usize + top.len()..];
    let mut parts = split_outside_quotes(top, ';');
    out.push_str(parts.next().unwrap_or_default().trim());
    for part in parts {
        let name = part.split('=').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("received") {
            continue;
        }
        // Nothing goes wrong that is written to a string.
        let _ = match name.eq_ignore_ascii_case("rport") {
            true => write!(out, ";rport={port}"),
            false => write!(out, ";{}", part.trim()),
        };
    }
    let sent_by_is_source = via.host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip == from);
    if !sent_by_is_source || via.param("rport").is_some() {
        let _ = write!(out, ";received={from}");
    }
    out.push_str(rest);
}

/// CSeq: number below 2^31 (RFC 3261 §8.1.1.5; up to 2^32-1 is read) and method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    pub number: u32,
    pub method: Method,
}

impl CSeq {
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let (number, method) = (words.next()?, words.next()?);
        if words.next().is_some() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(Self { number: number.parse().ok()?, method: Method::parse(method) })
    }
}

/// Splits a header value at commas that stand neither in quotes nor in angle brackets; empty elements
/// are left out.
pub fn split_list(value: &str) -> impl Iterator<Item = &str> {
    split_outside_quotes(value, ',').map(str::trim).filter(|e| !e.is_empty())
}

fn split_outside_quotes(value: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut quoted, mut escaped, mut bracket) = (false, false, false);
        // All that is looked for is ASCII, which no other character holds a byte of.
        let end = text.bytes().position(|b| {
            if escaped {
                escaped = false;
                return false;
            }
            match b {
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'<' if !quoted => bracket = true,
                b'>' if !quoted => bracket = false,
                b => return char::from(b) == separator && !quoted && !bracket,
            }
            false
        });
        rest = end.map(|end| &text[end + 1..]);
        Some(end.map_or(text, |end| &text[..end]))
    })
}

/// `;name[=value]…`, spaces allowed around each part; values may be quoted. A quote that stays open is an error: it would
/// swallow whatever is added behind.
fn parse_params(text: &str) -> Option<Vec<(String, Option<String>)>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Vec::new());
    }
    let text = text.strip_prefix(';')?;
    if !quotes_close(text) {
        return None;
    }
    split_outside_quotes(text, ';')
        .map(|param| {
            let (name, value) = match param.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
                None => (param.trim(), None),
            };
            let token = |b: u8| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b);
            let named = !name.is_empty() && name.bytes().all(token);
            named.then(|| (name.to_owned(), value))
        })
        .collect()
}

fn quotes_close(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, inside)) = rest.split_once('"') {
        let Some((_, after)) = take_quoted(inside) else { return false };
        rest = after;
    }
    true
}

/// After an opening quote: the text up to the closing one, unescaped, and what follows.
fn take_quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => out.push(chars.next()?.1),
            '"' => return Some((out, &text[at + 1..])),
            c => out.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let a = Address::parse("\"J Rosenberg \\\\\\\"\"  <sip:jdrosen@example.com> ; tag = 98asjd8").expect("valid");
        assert_eq!((a.display.as_deref(), a.param("TAG")), (Some("J Rosenberg \\\""), Some("98asjd8")));
        let a = Address::parse("caller<sip:caller@example.com>;tag=323").expect("valid");
        assert_eq!(a.display.as_deref(), Some("caller"));
        let a = Address::parse("sip:a@example.com;tag=1").expect("valid");
        assert!(a.uri.expect("sip").params.is_empty());
        let a = Address::parse("isbn:2983792873").expect("another scheme is not malformed");
        assert_eq!(a.uri, Err(UriError::Scheme));
    }

    #[test]
    fn a_quote_left_open_does_not_swallow_what_a_via_is_stamped_with() {
        let open = "SIP/2.0/UDP host.example.com;branch=z9hG4bK29\"93;rport";
        assert!(Via::parse(open).is_none());
        let closed = "SIP/2.0/UDP host.example.com;branch=z9hG4bK29;x=\"9;3\";rport";
        let stamped = stamp_via(closed, [192, 0, 2, 1].into(), 5061);
        let via = Via::parse(&stamped).expect("it is one still");
        assert_eq!(
            (via.branch(), via.param("rport"), via.param("received")),
            (Some("z9hG4bK29"), Some("5061"), Some("192.0.2.1"))
        );
        assert!(Address::parse("<sip:a@example.com>;tag=\"1").is_none());
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for text in [
            "\"Mr. J. User <sip:j.user@example.com>",
            "\"Watson, Thomas\" < sip:t.watson@example.org >",
            "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            "\"Joe\" <sip:joe@example.org>;;;;",
            "<sip:a@b",
            "",
        ] {
            assert!(Address::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_via_may_have_spaces_everywhere() {
        let via = Via::parse("SIP  / 2.0  / TCP     spindle.example.com   ;  branch  =   z9hG4bK9ikj8").expect("valid");
        assert_eq!((via.transport.as_str(), via.host.as_str()), ("TCP", "spindle.example.com"));
        assert_eq!(via.branch(), Some("z9hG4bK9ikj8"));
        assert!(Via::parse("SIP/2.0/UDP 192.0.2.15;;").is_none());
        assert!(Via::parse("SIP/2.0/UDP h;branch=z9hG4bK").expect("valid").branch().is_none());
    }

    #[test]
    fn a_via_is_stamped_with_where_it_came_from() {
        let ip: IpAddr = "192.0.2.9".parse().expect("an address");
        assert_eq!(
            stamp_via("SIP/2.0/UDP h.example;rport;branch=z9hG4bKa, SIP/2.0/UDP x", ip, 5062),
            "SIP/2.0/UDP h.example;rport=5062;branch=z9hG4bKa;received=192.0.2.9, SIP/2.0/UDP x"
        );
        assert_eq!(stamp_via("SIP/2.0/UDP 192.0.2.9;branch=z", ip, 5060), "SIP/2.0/UDP 192.0.2.9;branch=z");
    }

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        let list: Vec<_> = split_list("\"a, b\" <sip:x,y@h>, <sip:z>, ,").collect();
        assert_eq!(list, ["\"a, b\" <sip:x,y@h>", "<sip:z>"]);
    }
}
