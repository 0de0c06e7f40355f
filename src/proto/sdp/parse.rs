//! Reads a session description. Strict where a mistake would connect the wrong media, lenient anywhere
//! else: bare line feeds, missing `t=`, unknown lines and Latin-1 names are all met in the field.

use std::net::IpAddr;

use super::{Attribute, Connection, MediaDescription, Origin, SdpError, SessionDescription};

const MAX_BYTES: usize = 64 * 1024;
const MAX_MEDIA: usize = 32;
const MAX_ATTRIBUTES: usize = 512;
const MAX_FORMATS: usize = 128;

/// Reads a description.
pub fn parse(bytes: &[u8]) -> Result<SessionDescription, SdpError> {
    if bytes.len() > MAX_BYTES {
        return Err(SdpError::Malformed("too long"));
    }
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines().map(|l| l.trim_end_matches('\r')).filter(|l| !l.trim().is_empty());
    if lines.next().map(str::trim_end) != Some("v=0") {
        return Err(SdpError::Malformed("does not start with v=0"));
    }
    let mut session = SessionDescription {
        origin: Origin { username: "-".into(), session: 0, version: 0, address: "0.0.0.0".into() },
        name: "-".into(),
        connection: None,
        attributes: Vec::new(),
        media: Vec::new(),
    };
    let mut has_origin = false;
    let mut attributes = 0;
    for line in lines {
        let Some((kind, value)) = line.split_once('=') else {
            return Err(SdpError::Malformed("a line without ="));
        };
        match kind {
            "o" => {
                session.origin = origin(value).ok_or(SdpError::Malformed("bad o= line"))?;
                has_origin = true;
            }
            "s" => value.clone_into(&mut session.name),
            "c" => {
                let connection = Some(connection(value).ok_or(SdpError::Malformed("bad c= line"))?);
                match session.media.last_mut() {
                    // Several c= lines in a section belong to layered multicast: the first counts.
                    Some(media) if media.connection.is_some() => {}
                    Some(media) => media.connection = connection,
                    None => session.connection = connection,
                }
            }
            "m" => {
                if session.media.len() == MAX_MEDIA {
                    return Err(SdpError::Malformed("too many m= lines"));
                }
                session.media.push(media(value).ok_or(SdpError::Malformed("bad m= line"))?);
            }
            "a" => {
                attributes += 1;
                if attributes > MAX_ATTRIBUTES {
                    return Err(SdpError::Malformed("too many a= lines"));
                }
                let attribute = match value.split_once(':') {
                    Some((name, value)) => Attribute::with(name.trim(), value.trim().to_owned()),
                    None => Attribute::flag(value.trim()),
                };
                match session.media.last_mut() {
                    Some(media) => media.attributes.push(attribute),
                    None => session.attributes.push(attribute),
                }
            }
            _ => {}
        }
    }
    if has_origin { Ok(session) } else { Err(SdpError::Malformed("no o= line")) }
}

fn origin(value: &str) -> Option<Origin> {
    let mut words = value.split_whitespace();
    let username = words.next()?.to_owned();
    // Some send session ids beyond 64 bits; they are only ever compared, so the low digits do.
    let number = |text: &str| -> Option<u64> {
        let digits = text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty();
        digits.then(|| text.bytes().fold(0_u64, |n, b| n.wrapping_mul(10).wrapping_add(u64::from(b - b'0'))))
    };
    let session = number(words.next()?)?;
    let version = number(words.next()?)?;
    let (_net, _family) = (words.next()?, words.next()?);
    Some(Origin { username, session, version, address: words.next()?.to_owned() })
}

fn connection(value: &str) -> Option<Connection> {
    let mut words = value.split_whitespace();
    if words.next()? != "IN" {
        return None;
    }
    let family = words.next()?;
    // A multicast address carries /ttl; the address is refused later, by what it is.
    let host = words.next()?.split('/').next().filter(|host| !host.is_empty())?;
    let connection = match host.parse::<IpAddr>() {
        Ok(ip) => Connection::Address(ip),
        Err(_) => Connection::Name(host.to_owned()),
    };
    match (&connection, family) {
        (Connection::Address(IpAddr::V4(_)), "IP4") | (Connection::Address(IpAddr::V6(_)), "IP6") => Some(connection),
        (Connection::Name(_), "IP4" | "IP6") => Some(connection),
        _ => None,
    }
}

fn media(value: &str) -> Option<MediaDescription> {
    let mut words = value.split_whitespace();
    let kind = words.next()?.to_owned();
    // `port/count` is for layered streams; only the first port could ever be ours.
    let port = words.next()?.split('/').next()?.parse().ok()?;
    let profile = words.next()?.to_owned();
    let formats: Vec<String> = words.take(MAX_FORMATS).map(str::to_owned).collect();
    if formats.is_empty() {
        return None;
    }
    Some(MediaDescription { kind, port, profile, formats, connection: None, attributes: Vec::new() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_description_survives_parse_and_print() {
        let text = "v=0\r\no=a 1 2 IN IP6 2001:db8::1\r\ns=x\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\n\
                    m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";
        let session = parse(text.as_bytes()).unwrap();
        assert_eq!(session.to_string(), text);
    }

    #[test]
    fn rubbish_is_refused_and_never_panics() {
        for text in ["", "v=1\r\n", "v=0", "v=0\nm=audio", "v=0\no=- x 1 IN IP4 1.2.3.4\n", "v=0\nnonsense\n"] {
            assert!(parse(text.as_bytes()).is_err(), "{text:?}");
        }
        let flood = format!("v=0\no=- 1 1 IN IP4 1.1.1.1\n{}", "m=audio 1 RTP/AVP 0\n".repeat(100));
        assert!(parse(flood.as_bytes()).is_err());
        let nowhere = "v=0\no=- 1 1 IN IP4 1.1.1.1\nc=IN IP6 /127\nm=audio 1 RTP/AVP 0\n";
        assert!(parse(nowhere.as_bytes()).is_err(), "an address that is none");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(lines in proptest::collection::vec("[vosctma]=[ -~]{0,40}", 0..12)) {
            let text = format!("v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\n{}", lines.join("\r\n"));
            if let Ok(session) = parse(text.as_bytes()) {
                // What was understood can be said again and is understood the same.
                let again = parse(session.to_string().as_bytes());
                prop_assert!(again.is_ok(), "{session}");
            }
            let _ = parse(lines.concat().as_bytes());
        }
    }
}
