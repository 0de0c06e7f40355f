//! `[[email.dkim]]`: the keys that mail is signed with (RFC 6376), and the record that has to be published for each.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _};
use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
use rsa::traits::PublicKeyParts as _;
use secrecy::SecretString;

use super::section::Section;

/// RFC 8301 §3.2: what is shorter is not safe to sign with.
const LEAST_BITS: usize = 2_048;
/// RFC 1035 §3.3: one text of a record.
const MAX_TEXT: usize = 255;

/// A key that mail is signed with.
#[derive(Clone, Debug)]
pub struct Dkim {
    pub domain: String,
    pub selector: String,
    pub key: DkimKey,
    /// What the world checks with, in base64 as RFC 6376 §3.6.1 and RFC 8463 §4 have it.
    public: String,
}

/// The private half.
#[derive(Clone, Debug)]
pub enum DkimKey {
    /// PKCS #1, in PEM.
    Rsa(SecretString),
    /// The seed, in base64.
    Ed25519(SecretString),
}

impl Dkim {
    /// A key from a file in PEM, as `openssl genpkey` writes it.
    ///
    /// # Errors
    /// Why it cannot be signed with.
    pub fn load(domain: &str, selector: &str, path: &Path) -> Result<Self, String> {
        let pem = std::fs::read_to_string(path).map_err(|error| format!("it cannot be read ({error})"))?;
        let (key, public) = read_key(&pem)?;
        Ok(Self { domain: domain.to_owned(), selector: selector.to_owned(), key, public })
    }

    /// The record's name and its text.
    pub fn record(&self) -> (String, String) {
        let kind = match self.key {
            DkimKey::Rsa(_) => "rsa",
            DkimKey::Ed25519(_) => "ed25519",
        };
        (format!("{}._domainkey.{}", self.selector, self.domain), format!("v=DKIM1; k={kind}; p={}", self.public))
    }

    /// The same as a line of a zone, texts of 255 octets at most.
    pub fn zone_line(&self) -> String {
        let (name, text) = self.record();
        let mut line = format!("{name}. IN TXT");
        for part in text.as_bytes().chunks(MAX_TEXT) {
            write!(line, " \"{}\"", String::from_utf8_lossy(part)).expect("a text takes what is written");
        }
        line
    }
}

fn read_key(pem: &str) -> Result<(DkimKey, String), String> {
    let unusable = |_| "it cannot be written as PKCS #1".to_owned();
    let rsa = RsaPrivateKey::from_pkcs8_pem(pem).ok().or_else(|| RsaPrivateKey::from_pkcs1_pem(pem).ok());
    if let Some(key) = rsa {
        let bits = key.n().bits();
        if bits < LEAST_BITS {
            return Err(format!("its RSA key has {bits} bits, and receivers ask for {LEAST_BITS}"));
        }
        let public = key.to_public_key().to_public_key_der().map_err(|_| "it has no public half".to_owned())?;
        let pem = key.to_pkcs1_pem(LineEnding::LF).map_err(unusable)?;
        return Ok((DkimKey::Rsa(SecretString::from(pem.as_str().to_owned())), STANDARD.encode(public.as_bytes())));
    }
    if let Ok(key) = SigningKey::from_pkcs8_pem(pem) {
        let seed = SecretString::from(STANDARD.encode(key.to_bytes()));
        return Ok((DkimKey::Ed25519(seed), STANDARD.encode(key.verifying_key().as_bytes())));
    }
    Err("it holds no private key of RSA or Ed25519 in PEM".to_owned())
}

const KEY_FIX: &str =
    "Make one: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out dkim.key (or -algorithm ed25519)";

/// `sender`: the domain that mail comes from.
pub(super) fn read_dkim(section: &Section<'_>, sender: Option<&str>) -> Option<Dkim> {
    let fix = "Write the domain that signs: \"example.com\"";
    let domain = section.parsed("domain", fix, |text| is_domain(text).then(|| text.to_ascii_lowercase()));
    let fix_selector = "Choose a word for the key, letters, digits and hyphens: \"desk2026\"";
    let selector = section.parsed("selector", fix_selector, |text| is_domain(text).then(|| text.to_ascii_lowercase()));
    let file = section.text("key_file");
    for (key, fix) in [("domain", fix), ("selector", fix_selector), ("key_file", KEY_FIX)] {
        if !section.has(key) {
            section.complain_missing(key, fix);
        }
    }
    section.finish();
    let (domain, selector, file) = (domain?, selector?, file?);
    // RFC 7489 §3.1.1: a signature counts for the sender's own domain, or one above it.
    let aligned = |sender: &str| {
        let sender = sender.to_ascii_lowercase();
        sender == domain.value || sender.ends_with(&format!(".{}", domain.value))
    };
    if let Some(sender) = sender.filter(|sender| !aligned(sender)) {
        let what = format!("`domain` is {}, and mail comes from {sender}: receivers would not count it", domain.value);
        section.complain(domain.span, what, "Sign for the domain of `from`, or for one above it");
        return None;
    }
    let path = section.path(&file.value);
    match Dkim::load(&domain.value, &selector.value, &path) {
        Ok(key) => Some(key),
        Err(why) => {
            section.complain(file.span, format_args!("`key_file` names {}: {why}", path.display()), KEY_FIX);
            None
        }
    }
}

/// Labels of letters, digits and hyphens.
pub(super) fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (1..=63).contains(&label.len()) && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410 §10.3's example key.
    const ED25519: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

    #[test]
    fn an_ed25519_key_is_published_as_its_32_octets() {
        let (key, public) = read_key(ED25519).expect("a key");
        assert!(matches!(key, DkimKey::Ed25519(_)));
        // RFC 8410 §10.1 has the public half.
        assert_eq!(public, "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
        let dkim = Dkim { domain: "example.com".into(), selector: "desk".into(), key, public };
        let expected = "desk._domainkey.example.com. IN TXT \"v=DKIM1; k=ed25519; p=Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\"";
        assert_eq!(dkim.zone_line(), expected);
    }

    #[test]
    fn a_long_record_is_several_texts() {
        let key = DkimKey::Rsa(SecretString::from(String::new()));
        let dkim = Dkim { domain: "example.com".into(), selector: "s".into(), key, public: "x".repeat(392) };
        let line = dkim.zone_line();
        let texts: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        assert!(texts.len() == 2 && texts.iter().all(|text| text.len() <= MAX_TEXT), "{line}");
        assert_eq!(texts.concat(), dkim.record().1);
    }

    #[test]
    fn what_is_no_key_is_said() {
        for pem in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert!(read_key(pem).is_err());
        }
    }

    #[test]
    fn domains_are_labels() {
        for good in ["example.com", "a", "desk2026", "_x.example.com"] {
            assert!(is_domain(good), "{good}");
        }
        for bad in ["", ".", "a..b", "-a.com", "a b", "a.com; x", &"a".repeat(64)] {
            assert!(!is_domain(bad), "{bad}");
        }
    }
}
