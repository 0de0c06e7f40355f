//! Answering challenges: which one, and with what.
//!
//! Whether a challenge may be answered at all is for the agent to say (`agent/challenge`): the right peer,
//! a request of ours, and not twice.

use secrecy::SecretString;

use super::fields::{Challenge, quote};
use super::{Ingredients, Qop, ha1, response};

/// What opens a carrier's door.
#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    pub password: SecretString,
    /// The one realm that is answered; `None`: the first that a server asks in (401) and the first of a proxy before it
    /// (407), from then on those alone.
    pub realm: Option<String>,
}

/// A request to be sent with credentials.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub method: &'a str,
    pub uri: &'a str,
    pub body: &'a [u8],
}

/// The challenge to answer: the strongest of `realm` (of any, if none is given), the first among equals.
pub fn pick_challenge<'a>(challenges: &'a [Challenge], realm: Option<&str>) -> Option<&'a Challenge> {
    let fits = |c: &&Challenge| realm.is_none_or(|realm| c.realm == realm);
    // `max_by_key` would take the last among equals.
    challenges.iter().filter(fits).rev().max_by_key(|c| c.algorithm.hash)
}

/// The value of `Authorization` or `Proxy-Authorization`. `count`: how often this nonce was used, this
/// time included.
pub fn credentials(challenge: &Challenge, login: &Login, asked: Asked<'_>, cnonce: &str, count: u32) -> String {
    let nc = format!("{count:08x}");
    let secret = ha1(challenge.algorithm.hash, &login.user, &challenge.realm, &login.password);
    let response = response(
        &secret,
        Ingredients {
            algorithm: challenge.algorithm,
            nonce: &challenge.nonce,
            cnonce,
            nc: &nc,
            qop: challenge.qop,
            method: asked.method,
            uri: asked.uri,
            body: asked.body,
        },
    );
    let mut value = format!(
        "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
        quote(&login.user),
        quote(&challenge.realm),
        quote(&challenge.nonce),
        quote(asked.uri),
    );
    if challenge.names_algorithm {
        value += &format!(", algorithm={}", challenge.algorithm);
    }
    if challenge.qop.is_some() || challenge.algorithm.session {
        value += &format!(", cnonce={}", quote(cnonce));
    }
    if let Some(qop) = challenge.qop {
        value += &format!(", qop={}, nc={nc}", Qop::name(qop));
    }
    if let Some(opaque) = &challenge.opaque {
        value += &format!(", opaque={}", quote(opaque));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::super::super::message::Headers;
    use super::super::fields::Credentials;
    use super::super::{Algorithm, Hash};
    use super::*;

    fn challenges(value: &str) -> Vec<Challenge> {
        let mut headers = Headers::default();
        headers.push("Proxy-Authenticate", value);
        Challenge::all_in(&headers)
    }

    #[test]
    fn the_strongest_challenge_of_the_realm_is_answered() {
        let all = challenges(
            "Digest realm=\"a\", nonce=\"1\", Digest realm=\"b\", nonce=\"2\", algorithm=SHA-512-256, \
             Digest realm=\"a\", nonce=\"3\", algorithm=SHA-256, Digest realm=\"a\", nonce=\"4\", algorithm=SHA-256",
        );
        let nonce = |realm| pick_challenge(&all, realm).map(|c| c.nonce.as_str());
        assert_eq!(nonce(Some("a")), Some("3"));
        assert_eq!(nonce(Some("b")), Some("2"));
        assert_eq!(nonce(Some("c")), None);
        assert_eq!(nonce(None), Some("2"));
    }

    #[test]
    fn what_we_answer_can_be_read_and_says_what_was_asked() {
        let all =
            challenges("Digest realm=\"a \\\"b\\\"\", nonce=\"n,1\", algorithm=SHA-256, qop=\"auth\", opaque=\"o\"");
        let login = Login { user: "u\\x".to_owned(), password: SecretString::from("p".to_owned()), realm: None };
        let asked = Asked { method: "INVITE", uri: "sip:+1202@h", body: b"" };
        let value = credentials(&all[0], &login, asked, "cn", 10);
        assert!(value.contains("nc=0000000a") && value.contains("opaque=\"o\""), "{value}");
        let mut headers = Headers::default();
        headers.push("Authorization", value);
        let read = Credentials::find(&headers, "a \"b\"").expect("readable");
        assert_eq!((read.user.as_str(), read.nonce.as_str(), read.count()), ("u\\x", "n,1", Some(10)));
        assert_eq!((read.algorithm, read.algorithm.hash), (Algorithm::SHA_256, Hash::Sha256));
    }

    #[test]
    fn an_old_challenge_without_algorithm_or_qop_is_answered_in_kind() {
        let all = challenges("Digest realm=\"a\", nonce=\"n\"");
        let login = Login { user: "u".to_owned(), password: SecretString::from("p".to_owned()), realm: None };
        let value = credentials(&all[0], &login, Asked { method: "BYE", uri: "sip:h", body: b"" }, "cn", 1);
        for absent in ["qop", "nc=", "cnonce", "algorithm", "opaque"] {
            assert!(!value.contains(absent), "{value}");
        }
    }
}
