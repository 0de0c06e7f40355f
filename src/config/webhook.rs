//! `[[webhook]]`: clients' own systems that messages are posted to. Destinations name them by `name`.
//!
//! Their addresses stand here and nowhere else, so that nobody who edits an account makes us speak to a machine of their choice.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::read::{parse_name, read_secret};
use super::section::Section;

/// What the signing secret is as text begins with (Standard Webhooks).
const PREFIX: &str = "whsec_";

/// A client's system.
#[derive(Clone, Debug)]
pub struct WebhookReceiver {
    /// What destinations call it.
    pub name: String,
    pub url: Url,
    /// What posts to it are signed with, as it is written.
    pub secret: SecretString,
}

/// The key that a secret is: octets in base64, with or without the prefix. None: it is none.
pub fn read_key(secret: &SecretString) -> Option<Vec<u8>> {
    let text = secret.expose_secret();
    let key = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).ok()?;
    (24..=64).contains(&key.len()).then_some(key)
}

pub(super) fn read_webhooks(sections: &[Section<'_>]) -> Option<Vec<WebhookReceiver>> {
    let read: Vec<Option<WebhookReceiver>> = sections.iter().map(read_webhook).collect();
    let read = read.into_iter().collect::<Option<Vec<_>>>()?;
    for (at, one) in read.iter().enumerate() {
        if read[..at].iter().any(|other| other.name == one.name) {
            let what = format!("another webhook is called \"{}\" too", one.name);
            sections[at].complain(sections[at].span(), what, "Give each a name of its own");
        }
    }
    Some(read)
}

fn read_webhook(section: &Section<'_>) -> Option<WebhookReceiver> {
    let name = section.parsed("name", "Use lower-case letters, digits and hyphens: destinations name it", parse_name);
    let fix_url =
        "Write the receiver's address: \"https://hooks.example.com/cordboard\"; http:// goes to this machine alone";
    let url = section.parsed("url", fix_url, parse_url);
    let secret = read_secret(section, "secret_file");
    let fix_secret = "Write into that file whsec_ and 24 to 64 octets in base64 (openssl rand -base64 32)";
    let unusable = secret.as_ref().is_some_and(|secret| read_key(secret).is_none());
    if unusable {
        section.complain(section.span(), "`secret_file` holds nothing that posts can be signed with", fix_secret);
    }
    section.finish();
    for (key, fix) in
        [("name", "Every [[webhook]] needs name, url and secret_file"), ("url", fix_url), ("secret_file", fix_secret)]
    {
        if !section.has(key) {
            section.complain_missing(key, fix);
        }
    }
    if unusable {
        return None;
    }
    Some(WebhookReceiver { name: name?.value, url: url?.value, secret: secret? })
}

/// HTTPS; in the clear to this machine alone.
fn parse_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let here = matches!(url.host_str()?, "localhost" | "127.0.0.1" | "[::1]");
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (plain && (url.scheme() == "https" || (url.scheme() == "http" && here))).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_machine_goes_by_https_to_a_host_alone() {
        for good in ["https://hooks.example.com/a?b=c", "http://127.0.0.1:9/", "http://localhost/x", "http://[::1]:8/"]
        {
            assert!(parse_url(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "hooks.example.com",
            "http://hooks.example.com/",
            "http://127.0.0.1.example.com/",
            "http://192.0.2.1/",
            "https://user:word@hooks.example.com/",
            "https://hooks.example.com/#a",
            "ftp://localhost/",
        ] {
            assert!(parse_url(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_long_enough_to_be_one() {
        let of = |octets: usize| STANDARD.encode(vec![7; octets]);
        let is_one = |text: String| read_key(&text.into()).is_some();
        assert!(is_one(format!("whsec_{}", of(24))) && is_one(of(64)));
        for bad in [of(23), of(65), "secret".to_owned(), String::new(), "whsec_".to_owned()] {
            assert!(!is_one(bad.clone()), "{bad}");
        }
    }
}
