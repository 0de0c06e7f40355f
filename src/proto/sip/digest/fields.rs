//! What stands in WWW-Authenticate, Proxy-Authenticate, Authorization and Proxy-Authorization: challenges
//! and credentials, several in one field or in many (RFC 7235 §4.1), quoted or not.
//!
//! A field that breaks the grammar gives what could be read before the break; a challenge that names a
//! parameter twice is none at all, as nobody can say which one was meant.

use super::super::message::Headers;
use super::{Algorithm, Qop};

/// Longest value of a parameter that is looked at.
const MAX_VALUE: usize = 1_024;
/// Challenges looked at in one message.
const MAX_CHALLENGES: usize = 16;

/// A scheme and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fields {
    scheme: String,
    /// Names in lower case, values without quotes.
    params: Vec<(String, String)>,
    broken: bool,
}

impl Fields {
    fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Reads one field's value.
fn parse(value: &str) -> Vec<Fields> {
    let mut found: Vec<Fields> = Vec::new();
    for element in elements(value) {
        let (head, value) = match element.split_once('=') {
            Some((head, value)) => (head.trim_end(), Some(value.trim_start())),
            None => (element, None),
        };
        // `Digest realm="…"`: a scheme begins. Without a space before `=` it is another parameter.
        let name = match head.split_once([' ', '\t']) {
            Some((scheme, name)) => {
                found.push(Fields { scheme: scheme.to_owned(), params: Vec::new(), broken: false });
                name.trim()
            }
            None if value.is_none() => {
                found.push(Fields { scheme: head.to_owned(), params: Vec::new(), broken: false });
                continue;
            }
            None => head,
        };
        let Some(last) = found.last_mut() else { continue };
        // A token68 (`Bearer abc`) is no parameter.
        let Some(value) = value else { continue };
        let name = name.to_ascii_lowercase();
        match unquote(value).filter(|v| v.len() <= MAX_VALUE && last.param(&name).is_none()) {
            Some(value) => last.params.push((name, value)),
            None => last.broken = true,
        }
    }
    found.truncate(MAX_CHALLENGES);
    found.retain(|fields| !fields.broken);
    found
}

/// Splits at commas outside quotes; empty elements are left out.
fn elements(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    value
        .split(move |c: char| {
            if std::mem::take(&mut escaped) {
                return false;
            }
            match c {
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                ',' if !quoted => return true,
                _ => {}
            }
            false
        })
        .map(str::trim)
        .filter(|element| !element.is_empty())
}

/// A token as it is, or a quoted string without its quotes; `None` if the quotes are not closed.
fn unquote(value: &str) -> Option<String> {
    let Some(inside) = value.strip_prefix('"') else {
        return (!value.contains('"')).then(|| value.to_owned());
    };
    let mut out = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    loop {
        match chars.next()? {
            '\\' => out.push(chars.next()?),
            '"' => return chars.as_str().trim().is_empty().then_some(out),
            c => out.push(c),
        }
    }
}

/// Puts a value into quotes.
pub(super) fn quote(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A challenge that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub realm: String,
    pub nonce: String,
    pub opaque: Option<String>,
    pub algorithm: Algorithm,
    /// Whether the algorithm was named: then the answer names it too.
    pub names_algorithm: bool,
    /// The protection to use; `None`: the challenger knows of none (RFC 2069).
    pub qop: Option<Qop>,
    /// The credentials were right, but for an old nonce.
    pub stale: bool,
    /// A proxy's (407).
    pub by_proxy: bool,
}

impl Challenge {
    /// The Digest challenges of a response that we could answer, in order.
    pub fn all_in(headers: &Headers) -> Vec<Self> {
        let of = |name: &str, by_proxy| {
            let values: Vec<&str> = headers.all(name).collect();
            values.into_iter().flat_map(parse).filter_map(move |f| Self::of(&f, by_proxy)).collect::<Vec<_>>()
        };
        let mut all = of("WWW-Authenticate", false);
        all.extend(of("Proxy-Authenticate", true));
        all.truncate(MAX_CHALLENGES);
        all
    }

    fn of(fields: &Fields, by_proxy: bool) -> Option<Self> {
        if !fields.scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let algorithm = fields.param("algorithm");
        let qop = match fields.param("qop") {
            // RFC 7616 §3.3: what is not known is passed over; with nothing left there is no answer.
            Some(offered) => {
                let known: Vec<Qop> = offered.split(',').filter_map(Qop::parse).collect();
                Some(if known.contains(&Qop::Auth) { Qop::Auth } else { *known.first()? })
            }
            None => None,
        };
        Some(Self {
            realm: fields.param("realm")?.to_owned(),
            nonce: fields.param("nonce")?.to_owned(),
            opaque: fields.param("opaque").map(str::to_owned),
            algorithm: algorithm.map_or(Some(Algorithm::MD5), Algorithm::parse)?,
            names_algorithm: algorithm.is_some(),
            qop,
            stale: fields.param("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            by_proxy,
        })
    }
}

/// An answer to a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub realm: String,
    pub nonce: String,
    pub uri: String,
    pub response: String,
    pub algorithm: Algorithm,
    pub cnonce: String,
    /// Eight hexadecimal digits, as they came; empty without qop.
    pub nc: String,
    pub qop: Option<Qop>,
}

impl Credentials {
    /// The Digest credentials for `realm` in `Authorization`, the first if there are several.
    pub fn find(headers: &Headers, realm: &str) -> Option<Self> {
        let values: Vec<&str> = headers.all("Authorization").collect();
        values.into_iter().flat_map(parse).filter_map(|f| Self::of(&f)).find(|c| c.realm == realm)
    }

    fn of(fields: &Fields) -> Option<Self> {
        if !fields.scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let text = |name: &str| fields.param(name).map(str::to_owned);
        let qop = fields.param("qop").map(Qop::parse);
        // A protection that is not known cannot be checked.
        if qop == Some(None) {
            return None;
        }
        let credentials = Self {
            user: text("username")?,
            realm: text("realm")?,
            nonce: text("nonce")?,
            uri: text("uri")?,
            response: text("response")?,
            algorithm: fields.param("algorithm").map_or(Some(Algorithm::MD5), Algorithm::parse)?,
            cnonce: text("cnonce").unwrap_or_default(),
            nc: text("nc").unwrap_or_default(),
            qop: qop.flatten(),
        };
        (credentials.qop.is_none() || credentials.count().is_some()).then_some(credentials)
    }

    /// The nonce count.
    pub fn count(&self) -> Option<u32> {
        let digits = self.nc.len() == 8 && self.nc.bytes().all(|b| b.is_ascii_hexdigit());
        if digits { u32::from_str_radix(&self.nc, 16).ok() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Hash;
    use super::*;

    fn challenges(values: &[&str]) -> Vec<Challenge> {
        let mut headers = Headers::default();
        for value in values {
            headers.push("WWW-Authenticate", value);
        }
        Challenge::all_in(&headers)
    }

    #[test]
    fn several_challenges_are_found_in_one_field_and_in_many() {
        let one = "Digest realm=\"a, b\", nonce=\"n\\\"1\", qop=\"auth-int,auth\", Basic realm=\"x\", \
                   digest realm=c,nonce = \"n2\" , algorithm=SHA-256 , stale = TRUE,,";
        let found = challenges(&[one, "Bearer realm=\"t\"", "Digest realm=\"d\", nonce=\"n3\", opaque=\"\""]);
        let seen: Vec<_> = found.iter().map(|c| (c.realm.as_str(), c.nonce.as_str(), c.stale)).collect();
        assert_eq!(seen, [("a, b", "n\"1", false), ("c", "n2", true), ("d", "n3", false)]);
        assert_eq!((found[0].qop, found[0].algorithm), (Some(Qop::Auth), Algorithm::MD5));
        assert_eq!((found[1].qop, found[1].algorithm.hash), (None, Hash::Sha256));
        assert_eq!(found[2].opaque.as_deref(), Some(""));
    }

    #[test]
    fn what_cannot_be_answered_is_no_challenge() {
        for value in [
            "Digest realm=\"a\", nonce=\"n\", algorithm=SHA-512",
            "Digest realm=\"a\", nonce=\"n\", qop=\"auth-conf\"",
            "Digest realm=\"a\", qop=auth",
            "Digest nonce=\"n\"",
            "Digest realm=\"a\", nonce=\"n",
            "Digest realm=\"a\", nonce=\"n\", nonce=\"m\"",
            "Digest",
            "Basic realm=\"a\"",
            "realm=\"a\", nonce=\"n\"",
            "=,\"",
            "",
        ] {
            assert_eq!(challenges(&[value]), [], "{value}");
        }
    }

    #[test]
    fn credentials_are_read_for_their_realm_alone() {
        let mut headers = Headers::default();
        headers.push("Authorization", "Bearer abc");
        headers
            .push("Authorization", "Digest username=\"kim\",realm=\"other\",nonce=\"n\",uri=\"sip:h\",response=\"r\"");
        headers.push(
            "Authorization",
            "Digest username=\"kim\\\\x\", realm=\"ours\", nonce=\"n\", uri=\"sip:h\", response=\"0f\", \
             algorithm=MD5, cnonce=\"c\", nc=0000000A, qop=auth",
        );
        let found = Credentials::find(&headers, "ours").expect("there");
        assert_eq!((found.user.as_str(), found.count(), found.qop), ("kim\\x", Some(10), Some(Qop::Auth)));
        assert!(Credentials::find(&headers, "third").is_none());
    }

    #[test]
    fn credentials_with_a_bad_count_or_an_unknown_protection_are_none() {
        for rest in ["qop=auth, nc=1", "qop=auth", "qop=auth, nc=0000000g", "qop=other, nc=00000001"] {
            let mut headers = Headers::default();
            headers.push(
                "Authorization",
                format!("Digest username=\"k\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\", {rest}"),
            );
            assert!(Credentials::find(&headers, "r").is_none(), "{rest}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_fault(text in "[ -~]{0,200}", head in "(Digest )?(realm=\"r\", nonce=\"n\", )?") {
            let mut headers = Headers::default();
            headers.push("WWW-Authenticate", format!("{head}{text}"));
            headers.push("Authorization", format!("{head}{text}"));
            let _ = Challenge::all_in(&headers);
            let _ = Credentials::find(&headers, "r");
        }
    }
}
