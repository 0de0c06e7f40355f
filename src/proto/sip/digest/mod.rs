//! Digest access authentication (RFC 3261 §22, RFC 7616, RFC 8760), both ways: hashes, algorithms and the
//! response itself.
//!
//! `fields` reads what stands in the headers, `client` answers a challenge, `server` makes challenges and
//! checks answers. Pure: time and randomness come from the caller. What always holds: a password and what
//! opens as much as one (HA1) are printed by nothing here.

pub mod client;
pub mod fields;
pub mod server;

use std::fmt;

use md5::{Digest as _, Md5};
use secrecy::{ExposeSecret as _, SecretString};

/// A hash function, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    Md5,
    Sha256,
    Sha512_256,
}

impl Hash {
    /// Of `parts`, joined by colons, in lower-case hexadecimal.
    pub fn hex(self, parts: &[&[u8]]) -> String {
        let joined = parts.join(&b':');
        match self {
            Self::Md5 => hex(&Md5::digest(joined)),
            Self::Sha256 => hex(ring::digest::digest(&ring::digest::SHA256, &joined).as_ref()),
            Self::Sha512_256 => hex(ring::digest::digest(&ring::digest::SHA512_256, &joined).as_ref()),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Sha512_256 => "SHA-512-256",
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As `algorithm` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Algorithm {
    pub hash: Hash,
    /// `-sess`: HA1 takes in the nonces.
    pub session: bool,
}

impl Algorithm {
    pub const MD5: Self = Self { hash: Hash::Md5, session: false };
    pub const SHA_256: Self = Self { hash: Hash::Sha256, session: false };

    /// Reads a token, in any case; `None` for one we don't know.
    pub fn parse(token: &str) -> Option<Self> {
        let (name, session) = match token.get(token.len().saturating_sub(5)..) {
            Some(end) if end.eq_ignore_ascii_case("-sess") => (&token[..token.len() - 5], true),
            _ => (token, false),
        };
        let known = [Hash::Md5, Hash::Sha256, Hash::Sha512_256];
        known.into_iter().find(|h| h.name().eq_ignore_ascii_case(name)).map(|hash| Self { hash, session })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.hash.name(), if self.session { "-sess" } else { "" })
    }
}

/// Quality of protection: what the response covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    Auth,
    /// The body too.
    AuthInt,
}

impl Qop {
    fn parse(token: &str) -> Option<Self> {
        [Self::Auth, Self::AuthInt].into_iter().find(|qop| qop.name().eq_ignore_ascii_case(token.trim()))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

/// H(user:realm:password). Whoever has it can answer challenges of that realm: it is a secret.
pub fn ha1(hash: Hash, user: &str, realm: &str, password: &SecretString) -> SecretString {
    SecretString::from(hash.hex(&[user.as_bytes(), realm.as_bytes(), password.expose_secret().as_bytes()]))
}

/// What a response is made from, beside HA1.
#[derive(Clone, Copy, Debug)]
struct Ingredients<'a> {
    algorithm: Algorithm,
    nonce: &'a str,
    cnonce: &'a str,
    /// As it stands in the header: eight hexadecimal digits.
    nc: &'a str,
    qop: Option<Qop>,
    method: &'a str,
    uri: &'a str,
    body: &'a [u8],
}

/// The response (RFC 7616 §3.4.1; without qop as in RFC 2069).
fn response(ha1: &SecretString, with: Ingredients<'_>) -> String {
    let hash = with.algorithm.hash;
    let secret = ha1.expose_secret().as_bytes();
    let session = with.algorithm.session.then(|| hash.hex(&[secret, with.nonce.as_bytes(), with.cnonce.as_bytes()]));
    let ha1 = session.as_ref().map_or(secret, String::as_bytes);
    let (method, uri) = (with.method.as_bytes(), with.uri.as_bytes());
    let ha2 = match with.qop {
        Some(Qop::AuthInt) => hash.hex(&[method, uri, hash.hex(&[with.body]).as_bytes()]),
        Some(Qop::Auth) | None => hash.hex(&[method, uri]),
    };
    match with.qop {
        Some(qop) => hash.hex(&[
            ha1,
            with.nonce.as_bytes(),
            with.nc.as_bytes(),
            with.cnonce.as_bytes(),
            qop.name().as_bytes(),
            ha2.as_bytes(),
        ]),
        None => hash.hex(&[ha1, with.nonce.as_bytes(), ha2.as_bytes()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(algorithm: Algorithm, user: &str, realm: &str, password: &str, with: Ingredients<'_>) -> String {
        let password = SecretString::from(password.to_owned());
        response(&ha1(algorithm.hash, user, realm, &password), Ingredients { algorithm, ..with })
    }

    const GET: Ingredients<'static> = Ingredients {
        algorithm: Algorithm::MD5,
        nonce: "",
        cnonce: "",
        nc: "00000001",
        qop: Some(Qop::Auth),
        method: "GET",
        uri: "/dir/index.html",
        body: b"",
    };

    #[test]
    fn the_example_of_rfc_2617_comes_out() {
        let with = Ingredients { nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", cnonce: "0a4f113b", ..GET };
        let got = answer(Algorithm::MD5, "Mufasa", "testrealm@host.com", "Circle Of Life", with);
        assert_eq!(got, "6629fae49393a05397450978507c4ef1");
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        let with = Ingredients {
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            ..GET
        };
        let of = |algorithm| answer(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life", with);
        assert_eq!(of(Algorithm::MD5), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(of(Algorithm::SHA_256), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    }

    #[test]
    fn every_algorithm_of_rfc_8760_agrees_with_another_implementation() {
        // RFC 8760 has no vectors; these were computed with Python's hashlib.
        let with = Ingredients {
            nonce: "q1w2e3",
            cnonce: "c1",
            method: "REGISTER",
            uri: "sip:example.org",
            qop: Some(Qop::AuthInt),
            body: b"v=0\r\n",
            ..GET
        };
        let of = |token: &str| {
            let algorithm = Algorithm::parse(token).expect("known");
            answer(algorithm, "bob", "example.org", "zanzibar", with)
        };
        for (token, expected) in VECTORS {
            assert_eq!(of(token), *expected, "{token}");
        }
    }

    const VECTORS: &[(&str, &str)] = &[
        ("MD5", "c6135d2eb4efed40d0cfd6b8c667c45c"),
        ("MD5-sess", "344ce59d89b75bd3410bb554e650eba2"),
        ("SHA-256", "ac473b7b96910f01aa593b7a77c38f5155fef2c40247352cdc0a7096c434b80a"),
        ("SHA-256-sess", "13892a69f13b553c2bbe64f9ca0eb9685322e26016fe9673198e236b7d8b8fad"),
        ("SHA-512-256", "5c6ca915aaef82ab951708db66064680c5cc9e5ef28dbf2e5a5979b6721e7e3d"),
        ("SHA-512-256-sess", "0a8a91673d95ff6a717a4bae2ccc24026b663e5ac1377a8cc844016f4ebdb25b"),
    ];

    #[test]
    fn without_qop_the_response_is_that_of_rfc_2069() {
        // Errata 749 of RFC 2069.
        let with = Ingredients { nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", qop: None, ..GET };
        let got = answer(Algorithm::MD5, "Mufasa", "testrealm@host.com", "CircleOfLife", with);
        assert_eq!(got, "1949323746fe6a43ef61f9606e7febea");
    }

    #[test]
    fn algorithms_are_read_in_any_case_and_unknown_ones_are_not() {
        for (token, shown) in
            [("md5", "MD5"), ("SHA-256", "SHA-256"), ("sha-512-256-SESS", "SHA-512-256-sess"), ("MD5-sess", "MD5-sess")]
        {
            assert_eq!(Algorithm::parse(token).map(|a| a.to_string()).as_deref(), Some(shown));
        }
        for token in ["", "SHA256", "SHA-512", "-sess", "tökén", "AKAv1-MD5"] {
            assert_eq!(Algorithm::parse(token), None, "{token}");
        }
    }
}
