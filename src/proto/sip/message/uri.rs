//! SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966). A `tel:` is read as `sip:…;user=phone`
//! (§19.1.6). Anything else is an unknown scheme, which the wire front answers with 416.

use std::fmt;

/// A URI, its parts still escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    pub secure: bool,
    /// The user part with a password, if any, as it came.
    pub user: Option<String>,
    /// Host name or address; IPv6 in brackets.
    pub host: String,
    pub port: Option<u16>,
    /// `;`-parameters in order.
    pub params: Vec<(String, Option<String>)>,
    /// What follows `?`, as it came.
    pub headers: Option<String>,
}

/// Why a text is no URI we route by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriError {
    /// Well-formed, but neither sip, sips nor tel.
    Scheme,
    Malformed,
}

/// The host a `tel:` gets when read as a SIP URI: it names no host at all.
pub const TEL_HOST: &str = "tel.invalid";

impl Uri {
    /// Reads a URI.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        if text.bytes().any(|b| b <= b' ' || b == 0x7f || matches!(b, b'<' | b'>' | b'"')) {
            return Err(UriError::Malformed);
        }
        let (scheme, rest) = text.split_once(':').ok_or(UriError::Malformed)?;
        let mut letters = scheme.bytes();
        let starts = letters.next().is_some_and(|b| b.is_ascii_alphabetic());
        if !starts || !letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')) {
            return Err(UriError::Malformed);
        }
        if scheme.eq_ignore_ascii_case("tel") {
            return Self::parse_tel(rest);
        }
        let secure = scheme.eq_ignore_ascii_case("sips");
        if !secure && !scheme.eq_ignore_ascii_case("sip") {
            return Err(UriError::Scheme);
        }
        let (user, rest) = match rest.split_once('@') {
            Some((user, rest)) if !user.is_empty() && !rest.contains('@') => (Some(user.to_owned()), rest),
            Some(_) => return Err(UriError::Malformed),
            None => (None, rest),
        };
        let (rest, headers) = match rest.split_once('?') {
            Some((rest, headers)) => (rest, Some(headers.to_owned())),
            None => (rest, None),
        };
        let mut parts = rest.split(';');
        let (host, port) = parse_host_port(parts.next().unwrap_or_default()).ok_or(UriError::Malformed)?;
        let params = parts
            .map(|param| match param.split_once('=') {
                Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), Some(value.to_owned()))),
                None if !param.is_empty() => Ok((param.to_owned(), None)),
                _ => Err(UriError::Malformed),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { secure, user, host, port, params, headers })
    }

    fn parse_tel(rest: &str) -> Result<Self, UriError> {
        let number = rest.split(';').next().unwrap_or_default();
        if number.is_empty() || rest.contains(['@', '?']) {
            return Err(UriError::Malformed);
        }
        Ok(Self {
            secure: false,
            // RFC 3261 §19.1.6: the telephone-subscriber, parameters and all, becomes the user part.
            user: Some(rest.to_owned()),
            host: TEL_HOST.to_owned(),
            port: None,
            params: vec![("user".to_owned(), Some("phone".to_owned()))],
            headers: None,
        })
    }

    /// The user part unescaped, without password and without the parameters of a telephone-subscriber.
    pub fn user_plain(&self) -> Option<String> {
        let user = self.user.as_deref()?;
        let user = user.split(':').next().unwrap_or_default();
        let user = if self.is_phone() || user.starts_with(|c: char| c == '+' || c.is_ascii_digit()) {
            user.split(';').next().unwrap_or_default()
        } else {
            user
        };
        Some(unescape(user))
    }

    /// Like [`Uri::user_plain`], with the beginning of the number where `phone-context` holds it (RFC 3966 §5.1.5): a
    /// local number of a `+…` context gets its plus and digits. A context that is a domain says nothing of digits.
    pub fn number_plain(&self) -> Option<String> {
        let plain = self.user_plain()?;
        let context = self.user.as_deref()?.split(';').skip(1).find_map(|param| {
            let (name, value) = param.split_once('=')?;
            name.eq_ignore_ascii_case("phone-context").then(|| unescape(value))
        });
        match context.filter(|context| context.starts_with('+') && !plain.starts_with('+')) {
            Some(context) => Some(context + &plain),
            None => Some(plain),
        }
    }

    /// Names the same user at the same place, however it is written (RFC 3261 §19.1.4). Parameters say how to get there.
    pub fn is_same_resource(&self, other: &Self) -> bool {
        let place =
            |uri: &Self| (uri.host.to_ascii_lowercase(), uri.port.unwrap_or(if uri.secure { 5061 } else { 5060 }));
        self.number_plain() == other.number_plain() && place(self) == place(other)
    }

    /// `;user=phone`.
    pub fn is_phone(&self) -> bool {
        self.param("user").is_some_and(|v| v.eq_ignore_ascii_case("phone"))
    }

    /// A parameter's value (empty if it has none); `None` if it isn't there.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_deref().unwrap_or_default())
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        for (name, value) in &self.params {
            match value {
                Some(value) => write!(f, ";{name}={value}")?,
                None => write!(f, ";{name}")?,
            }
        }
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

/// Reads `host[:port]`; IPv6 in brackets.
pub fn parse_host_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = if text.starts_with('[') {
        let end = text.find(']')?;
        text[1..end].parse::<std::net::Ipv6Addr>().ok()?;
        let (host, rest) = text.split_at(end + 1);
        let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
        (host, port)
    } else {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        // The underscore is no host character, but it is out there.
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        if host.is_empty() || !host.bytes().all(plain) {
            return None;
        }
        (host, port)
    };
    let port = match port {
        None => None,
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => Some(port.parse().ok()?),
        Some(_) => return None,
    };
    Some((host.to_owned(), port))
}

/// `%40` and the like; what isn't an escape stays. Bytes that make no UTF-8 are replaced.
pub fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [a, b, ..]) => hex(*a).zip(hex(*b)).map(|(a, b)| a << 4 | b),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_odd_uris_of_rfc_4475() {
        let uri = Uri::parse("sip:user;par=u%40example.net@example.com").expect("valid");
        assert_eq!(uri.user_plain().as_deref(), Some("user;par=u@example.net"));
        assert!(uri.params.is_empty());
        let uri = Uri::parse("sip:sips%3Auser%40example.com@example.net").expect("valid");
        assert_eq!(uri.user_plain().as_deref(), Some("sips:user@example.com"));
        assert_eq!(Uri::parse("soap.beep://192.0.2.103:3002"), Err(UriError::Scheme));
        assert_eq!(Uri::parse("sip:user@example.com; lr"), Err(UriError::Malformed));
        assert_eq!(Uri::parse("<sip:user@example.com>"), Err(UriError::Malformed));
        assert_eq!(unescape("%00%0"), "\0%0");
    }

    #[test]
    fn a_tel_uri_is_a_sip_uri_of_a_phone() {
        let uri = Uri::parse("tel:+1-202-555-0101;phone-context=example.com").expect("valid");
        assert_eq!(uri.user_plain().as_deref(), Some("+1-202-555-0101"));
        assert!(uri.is_phone());
    }

    #[test]
    fn a_local_number_is_completed_by_its_context() {
        for (text, number) in [
            ("tel:555-0101;phone-context=+1-202", "+1-202555-0101"),
            ("tel:2025550101;phone-context=+1", "+12025550101"),
            ("sip:2025550101;phone-context=%2B1@h;user=phone", "+12025550101"),
            ("tel:+12025550101;phone-context=+49", "+12025550101"),
            ("tel:2025550101;ext=5;phone-context=carrier.example", "2025550101"),
            ("sip:2025550101@h;user=phone", "2025550101"),
        ] {
            assert_eq!(Uri::parse(text).expect("valid").number_plain().as_deref(), Some(number), "{text}");
        }
    }

    #[test]
    fn hosts_may_be_ipv6_and_print_as_they_came() {
        for text in ["sip:[2001:db8::1]:5070;transport=tcp", "sips:a:b@h.example;lr?X=1", "sip:192.0.2.1"] {
            assert_eq!(Uri::parse(text).expect("valid").to_string(), text);
        }
        for text in ["sip:", "sip:@h", "sip:a@h:99999", "sip:a@[::1", "sip:h;;x", "sip:a@b@c", ":", "x"] {
            assert!(Uri::parse(text).is_err(), "{text}");
        }
    }
}
