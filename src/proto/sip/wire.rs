//! The front: turns what networks really send into messages, or says how to refuse them.
//!
//! Unfolds header lines, expands compact names, reads Latin-1 where UTF-8 was meant, fills a missing
//! Content-Length on datagrams, limits sizes and counts. A request that can be answered is never dropped:
//! it comes out as a [`Refusal`] with what a response needs, however broken the rest is. Pure.

use memchr::memchr;

use super::message::address::{Address, split_list};
use super::message::uri::UriError;
use super::message::{CSeq, Headers, Message, Method, Request, Response, Uri, Via};

/// Bytes a message's header section may have.
pub const MAX_HEAD: usize = 32 * 1024;
/// Bytes a message's body may have.
pub const MAX_BODY: usize = 64 * 1024;
/// Header fields a message may have.
pub const MAX_FIELDS: usize = 256;

/// What a datagram, frame or framed stream message turned out to be.
#[derive(Debug)]
pub enum Read {
    Message(Message),
    /// Nothing but line ends: a keep-alive (RFC 5626 §4.4.1).
    Keepalive,
    /// A request that is to be answered with an error.
    Refuse(Refusal),
    /// Nothing an answer could reach or help: noise, a broken response, a request without Via.
    Drop(&'static str),
}

/// A request that can't be served, with what is needed to answer it.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    /// As it came; an ACK is never answered.
    pub method: String,
    pub headers: Headers,
}

/// Where the headers end and the body begins.
pub fn find_head_end(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from.min(bytes.len());
    while let Some(lf) = memchr(b'\n', &bytes[at..]) {
        let lf = at + lf;
        match &bytes[lf + 1..] {
            [b'\n', ..] => return Some((lf + 1, lf + 2)),
            [b'\r', b'\n', ..] => return Some((lf + 1, lf + 3)),
            _ => at = lf + 1,
        }
    }
    None
}

/// Whether a message may be read after those of calls that are up: an INVITE that would begin a call, and a CANCEL, which
/// must stay behind its INVITE. A look at a few lines; one that is folded or odd at most gets its turn sooner.
pub fn may_wait(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"CANCEL ") {
        return true;
    }
    let names_to = |line: &&[u8]| {
        let name = line.iter().take_while(|b| !matches!(b, b':' | b' ' | b'\t')).count();
        matches!(&line[..name], [b'T' | b't'] | [b'T' | b't', b'O' | b'o'])
    };
    let tagged = |line: &[u8]| line.windows(5).any(|part| part.eq_ignore_ascii_case(b";tag="));
    let mut rest = Some(bytes).filter(|bytes| bytes.starts_with(b"INVITE "));
    let lines = std::iter::from_fn(|| {
        let text = rest?;
        let end = memchr(b'\n', text);
        rest = end.map(|end| &text[end + 1..]);
        Some(end.map_or(text, |end| &text[..end]))
    });
    lines.take_while(|line| line.len() > 1).find(names_to).is_some_and(|to| !tagged(to))
}

/// Reads one message. `stream`: it came over TCP or TLS, where Content-Length is not optional.
pub fn read(bytes: &[u8], stream: bool) -> Read {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n'));
    let Some(start) = start else { return Read::Keepalive };
    let bytes = &bytes[start..];
    let (head, body) = match find_head_end(bytes, 0) {
        Some((head, body)) => (&bytes[..head], Some(&bytes[body..])),
        None => (bytes, None),
    };
    let too_large = head.len() > MAX_HEAD;
    // Whatever is cut off here only shortens what the refusal can echo.
    let head = &head[..head.len().min(MAX_HEAD)];
    let mut lines = unfold(head).into_iter();
    let first = lines.next().unwrap_or_default();
    let (headers, fault) = read_fields(lines);
    if first.get(..4).is_some_and(|v| v.eq_ignore_ascii_case("SIP/")) {
        return match (body, fault, too_large) {
            (Some(body), None, false) => read_response(&first, headers, body, stream),
            _ => Read::Drop("a broken response"),
        };
    }
    if !first.to_ascii_uppercase().contains(" SIP/") {
        return Read::Drop("not SIP");
    }
    let method = first.split(' ').next().unwrap_or_default().to_owned();
    let early = if too_large { Some(513) } else { fault };
    let outcome = match (early, body) {
        // A version we don't speak comes first: the rest may follow other rules.
        _ if version_is_foreign(&first) => Err(505),
        (Some(status), _) => Err(status),
        (None, None) => Err(400),
        (None, Some(body)) => read_request(&first, &headers, body, stream),
    };
    match outcome {
        Ok((method, uri, body)) => Read::Message(Message::Request(Request { method, uri, headers, body })),
        Err(_) if headers.count("Via") == 0 => Read::Drop("a broken request without Via"),
        Err(status) => Read::Refuse(Refusal { status, method, headers }),
    }
}

fn version_is_foreign(first: &str) -> bool {
    let version = first.trim_end().rsplit(' ').next().unwrap_or_default();
    version.get(..4).is_some_and(|v| v.eq_ignore_ascii_case("SIP/")) && !version.eq_ignore_ascii_case("SIP/2.0")
}

type Read1 = (Method, Uri, Vec<u8>);

fn read_request(first: &str, headers: &Headers, body: &[u8], stream: bool) -> Result<Read1, u16> {
    // RFC 3261 §7.1: exactly one space between, none at the ends.
    let mut words = first.split(' ');
    let (Some(method), Some(uri), Some(_version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(400);
    };
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(400);
    }
    let single = ["From", "To", "Call-ID", "CSeq"].iter().all(|name| headers.count(name) == 1);
    let at_most_once = ["Max-Forwards", "Content-Length", "Content-Type"].iter().all(|name| headers.count(name) <= 1);
    if !single || !at_most_once {
        return Err(400);
    }
    let cseq = headers.first("CSeq").and_then(CSeq::parse).ok_or(400_u16)?;
    // The topmost line is the one that is stamped and echoed, so it may not be empty either.
    let via_ok = headers.first("Via").and_then(|top| split_list(top).next()).and_then(Via::parse).is_some();
    if !via_ok || headers.call_id().is_empty() || headers.from().is_none() || headers.to().is_none() {
        return Err(400);
    }
    let contacts_ok = headers.elements("Contact").all(|c| c == "*" || Address::parse(c).is_some());
    let hops_ok = headers.first("Max-Forwards").is_none_or(|hops| hops.trim().parse::<u32>().is_ok());
    if !contacts_ok || !hops_ok {
        return Err(400);
    }
    let body = read_body(headers, body, stream)?;
    let method = Method::parse(method);
    if matches!(method, Method::Other(_)) {
        return Err(501);
    }
    if cseq.method != method {
        return Err(400);
    }
    match Uri::parse(uri) {
        // RFC 3261 §19.1.5: headers in a Request-URI are an attempt to have us act on them.
        Ok(uri) if uri.headers.is_none() => Ok((method, uri, body)),
        Err(UriError::Scheme) => Err(416),
        Ok(_) | Err(UriError::Malformed) => Err(400),
    }
}

fn read_response(first: &str, headers: Headers, body: &[u8], stream: bool) -> Read {
    let mut words = first.splitn(3, ' ');
    let (version, code, reason) = (words.next(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let status = code.parse::<u16>().ok().filter(|s| code.len() == 3 && (100..700).contains(s));
    let (Some(status), true) = (status, version.is_some_and(|v| v.eq_ignore_ascii_case("SIP/2.0"))) else {
        return Read::Drop("a response with a broken status line");
    };
    // RFC 3261 §8.1.3.3: more than one Via in a response means that it went astray.
    if headers.elements("Via").take(2).count() != 1 || headers.cseq().is_none() || headers.via().is_none() {
        return Read::Drop("a response that answers nothing of ours");
    }
    // Both go into what we send next, an ACK for one, and have to be fit for it.
    if headers.from().is_none() || headers.to().is_none() {
        return Read::Drop("a response with a broken From or To");
    }
    match read_body(&headers, body, stream) {
        Ok(body) => Read::Message(Message::Response(Response { status, reason: reason.to_owned(), headers, body })),
        Err(_) => Read::Drop("a response with a broken length"),
    }
}

/// RFC 3261 §18.3: longer than said is cut, shorter is an error, nothing said means all there is.
fn read_body(headers: &Headers, body: &[u8], stream: bool) -> Result<Vec<u8>, u16> {
    let length = match headers.first("Content-Length") {
        None if stream => return Err(400),
        None => body.len(),
        Some(text) => parse_length(text).ok_or(400_u16)?,
    };
    if length > MAX_BODY {
        return Err(if length > body.len() { 400 } else { 513 });
    }
    body.get(..length).map(<[u8]>::to_vec).ok_or(400)
}

/// A Content-Length; digits only.
pub fn parse_length(text: &str) -> Option<usize> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// The lines of a header section, folded ones joined (RFC 3261 §7.3.1), as text: UTF-8, else Latin-1.
fn unfold(head: &[u8]) -> Vec<String> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in head.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let folded = line.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
        if let Some(last) = lines.last_mut().filter(|last| folded && lines_may_fold(last)) {
            let keep = last.iter().rposition(|b| !matches!(b, b' ' | b'\t')).map_or(0, |at| at + 1);
            last.truncate(keep);
            last.push(b' ');
            last.extend_from_slice(line.trim_ascii());
        } else if lines.len() > MAX_FIELDS + 1 {
            // One more than the limit was kept, so that going over it shows.
            break;
        } else {
            lines.push(line.to_vec());
        }
    }
    lines.into_iter().map(text_of).collect()
}

/// The start line doesn't fold; every header line holds a colon.
fn lines_may_fold(last: &[u8]) -> bool {
    last.contains(&b':')
}

fn text_of(line: Vec<u8>) -> String {
    String::from_utf8(line).unwrap_or_else(|e| e.into_bytes().iter().map(|b| char::from(*b)).collect())
}

/// Reads header lines; what can't be read is left out and reported as the status to refuse with.
fn read_fields(lines: impl Iterator<Item = String>) -> (Headers, Option<u16>) {
    let (mut headers, mut fault) = (Headers::default(), None);
    for (count, line) in lines.filter(|l| !l.is_empty()).enumerate() {
        if count >= MAX_FIELDS {
            return (headers, Some(513));
        }
        let field = line.split_once(':').map(|(name, value)| (name.trim_end(), value.trim()));
        match field {
            Some((name, value)) if !name.is_empty() && name.bytes().all(is_token) => {
                headers.push(full_name(name), value);
            }
            _ => fault = Some(400),
        }
    }
    (headers, fault)
}

/// A header's name in full (RFC 3261 §7.3.3 and the registry of compact forms).
pub fn full_name(name: &str) -> &str {
    let [letter] = name.as_bytes() else { return name };
    match letter.to_ascii_lowercase() {
        b'a' => "Accept-Contact",
        b'b' => "Referred-By",
        b'c' => "Content-Type",
        b'd' => "Request-Disposition",
        b'e' => "Content-Encoding",
        b'f' => "From",
        b'i' => "Call-ID",
        b'j' => "Reject-Contact",
        b'k' => "Supported",
        b'l' => "Content-Length",
        b'm' => "Contact",
        b'n' => "Identity-Info",
        b'o' => "Event",
        b'r' => "Refer-To",
        b's' => "Subject",
        b't' => "To",
        b'u' => "Allow-Events",
        b'v' => "Via",
        b'x' => "Session-Expires",
        b'y' => "Identity",
        _ => name,
    }
}

/// RFC 3261 §25.1.
fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_begin_a_call_may_wait_and_what_ends_that() {
        let invite =
            |to: &str| format!("INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z\r\n{to}\r\n\r\nTo: x;tag=1");
        for to in ["To: <sip:a@b>", "t:<sip:a@b>", "TO : sip:a@b;x=tag"] {
            assert!(may_wait(invite(to).as_bytes()), "{to}");
        }
        for to in ["To: <sip:a@b>;tag=1", "t: sip:a@b;TAG=1", "Topic: <sip:a@b>"] {
            assert!(!may_wait(invite(to).as_bytes()), "{to}");
        }
        assert!(may_wait(b"CANCEL sip:a@b SIP/2.0\r\n\r\n"));
        for other in ["ACK sip:a@b SIP/2.0\r\nTo: a\r\n\r\n", "SIP/2.0 200 OK\r\nTo: a\r\n\r\n", "INVITE ", "\r\n", ""]
        {
            assert!(!may_wait(other.as_bytes()), "{other}");
        }
    }

    const OPTIONS: &str = "OPTIONS sip:a@h SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bKx\r\nf: <sip:b@h>;tag=1\r\nt: sip:a@h\r\ni: 1\r\nCSeq: 1 OPTIONS\r\n";

    fn refused(text: &[u8], stream: bool) -> u16 {
        match read(text, stream) {
            Read::Refuse(refusal) => refusal.status,
            other => panic!("expected a refusal: {other:?}"),
        }
    }

    #[test]
    fn latin_1_in_a_name_is_read_as_such() {
        let mut bytes = OPTIONS.replace("f: <", "f: \"Jos?\" <").into_bytes();
        let at = bytes.iter().position(|b| *b == b'?').expect("put there");
        bytes[at] = 0xe9;
        bytes.extend_from_slice(b"\r\n");
        let Read::Message(Message::Request(request)) = read(&bytes, false) else { panic!("a request") };
        assert_eq!(request.headers.from().expect("From").display.as_deref(), Some("José"));
    }

    #[test]
    fn a_datagram_without_content_length_has_all_that_follows_as_body() {
        let text = format!("{OPTIONS}\r\nv=0\r\n");
        let Read::Message(Message::Request(request)) = read(text.as_bytes(), false) else { panic!("a request") };
        assert_eq!(request.body, b"v=0\r\n");
        assert_eq!(refused(text.as_bytes(), true), 400);
    }

    #[test]
    fn what_breaks_the_rules_is_refused_in_so_many_words() {
        let with = |line: &str| format!("{OPTIONS}{line}\r\n\r\n");
        assert_eq!(refused(with("l: -1").as_bytes(), false), 400);
        assert_eq!(refused(with("l: 99").as_bytes(), false), 400);
        assert_eq!(refused(with("no colon here").as_bytes(), false), 400);
        assert_eq!(refused(with("l: 0").replace("SIP/2.0\r\nv", "SIP/3.0\r\nv").as_bytes(), false), 505);
        assert_eq!(refused(with("l: 0").replace("\r\nv:", "\r\nVia: \r\nv:").as_bytes(), false), 400);
        assert_eq!(refused(with("l: 0").replace("OPTIONS", "DANCE").as_bytes(), false), 501);
        assert_eq!(refused(with("l: 0").replace("sip:a@h SIP", "news:a SIP").as_bytes(), false), 416);
        assert_eq!(refused(with(&"x: y\r\n".repeat(300)).as_bytes(), false), 513);
        assert_eq!(refused(with(&format!("x: {}", "y".repeat(40_000))).as_bytes(), false), 513);
    }

    #[test]
    fn a_response_whose_to_cannot_be_read_makes_no_broken_ack() {
        let response = |to: &str| {
            format!(
                "SIP/2.0 486 Busy\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:b@h>;tag=1\r\nTo: {to}\r\n\
                 Call-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n"
            )
        };
        assert!(matches!(read(response("<sip:a@h>;tag=2").as_bytes(), false), Read::Message(_)));
        for broken in ["0102@h>;tag=2", "<sip:a@h", "\"A <sip:a@h>", ""] {
            assert!(matches!(read(response(broken).as_bytes(), false), Read::Drop(_)), "{broken}");
        }
    }

    #[test]
    fn noise_is_dropped_and_line_ends_keep_alive() {
        assert!(matches!(read(b"\r\n\r\n", false), Read::Keepalive));
        assert!(matches!(read(b"GET / HTTP/1.1\r\n\r\n", false), Read::Drop(_)));
        assert!(matches!(read(&[0, 1, 0, 0, 33, 18, 164, 66], false), Read::Drop(_)));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_front_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
            let _ = read(&bytes, false);
            let mut text = OPTIONS.as_bytes().to_vec();
            text.extend_from_slice(&bytes);
            let _ = read(&text, true);
        }
    }
}
