//! TURN relays as a browser is told of them: their URIs (RFC 7065), and credentials that hold for a while.
//!
//! The relay itself is somebody else's (coturn), and so is speaking to it (the browser). Its secret is shared with us:
//! whoever holds a name that says until when it is good, and our MAC of that name, is let in (the "TURN REST API",
//! draft-uberti-behave-turn-rest, which coturn calls `use-auth-secret`). What always holds: a credential names its end.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// Why a URI is none of a relay that a browser can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriError {
    Scheme,
    Host,
    Port,
    /// Neither `?transport=udp` nor `?transport=tcp`.
    Transport,
    /// `turns:` over UDP is DTLS, which no browser speaks to a relay.
    Dtls,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "it begins with neither `turn:` nor `turns:`",
            Self::Host => "it names no host",
            Self::Port => "its port is no number from 1 to 65535",
            Self::Transport => "what follows the host is neither `?transport=udp` nor `?transport=tcp`",
            Self::Dtls => "browsers speak TLS to a relay over TCP only",
        })
    }
}

/// Whether a browser can use this URI of a relay.
pub fn check_uri(uri: &str) -> Result<(), UriError> {
    let (scheme, rest) = uri.split_once(':').ok_or(UriError::Scheme)?;
    let secure = match scheme {
        "turn" => false,
        "turns" => true,
        _ => return Err(UriError::Scheme),
    };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    match query {
        None | Some("transport=tcp") => {}
        Some("transport=udp") if secure => return Err(UriError::Dtls),
        Some("transport=udp") => {}
        Some(_) => return Err(UriError::Transport),
    }
    let (host, port) = match place.strip_prefix('[') {
        Some(inner) => {
            let (host, after) = inner.split_once(']').ok_or(UriError::Host)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| UriError::Host)?;
            (host, after.strip_prefix(':').or_else(|| (!after.is_empty()).then_some("")))
        }
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':');
    if host.is_empty() || !host.bytes().all(plain) {
        return Err(UriError::Host);
    }
    match port {
        Some(port) if port.parse::<u16>().is_ok_and(|port| port != 0) => Ok(()),
        Some(_) => Err(UriError::Port),
        None => Ok(()),
    }
}

/// What lets a browser in at a relay.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    pub username: String,
    pub password: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A credential for `who`, good until `expires_at` (seconds after 1970).
pub fn credential(secret: &str, expires_at: i64, who: &str) -> Credential {
    let username = format!("{expires_at}:{who}");
    // SHA-1 is what the relay computes too; as a MAC it is sound (RFC 6194 §3.3).
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let password = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
    Credential { username, password }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_that_browsers_can_use_are_told_from_others() {
        for good in [
            "turn:relay.example.com",
            "turn:relay.example.com:3478",
            "turn:relay.example.com:3478?transport=udp",
            "turn:203.0.113.9?transport=tcp",
            "turns:relay.example.com:443?transport=tcp",
            "turn:[2001:db8::9]:3478",
            "turn:[2001:db8::9]",
        ] {
            assert_eq!(check_uri(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("stun:relay.example.com", UriError::Scheme),
            ("relay.example.com", UriError::Scheme),
            ("https://relay.example.com", UriError::Scheme),
            ("turn:", UriError::Host),
            ("turn://relay.example.com", UriError::Host),
            ("turn:user@relay.example.com", UriError::Host),
            ("turn:[2001:db8::g]", UriError::Host),
            ("turn:[2001:db8::9", UriError::Host),
            ("turn:relay.example.com:", UriError::Port),
            ("turn:relay.example.com:0", UriError::Port),
            ("turn:[2001:db8::9]x", UriError::Port),
            ("turn:relay.example.com:66000", UriError::Port),
            ("turn:relay.example.com?transport=sctp", UriError::Transport),
            ("turns:relay.example.com?transport=udp", UriError::Dtls),
        ] {
            assert_eq!(check_uri(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn a_credential_is_the_relays_own_mac_of_a_name_that_says_its_end() {
        // printf '1735689600:usr_1' | openssl dgst -sha1 -hmac north -binary | base64
        let made = credential("north", 1_735_689_600, "usr_1");
        assert_eq!(made.username, "1735689600:usr_1");
        assert_eq!(made.password, "lmqfXGzt5X7l3POW8B5BqYgDZVc=");
        assert!(!format!("{made:?}").contains(&made.password));
    }
}
