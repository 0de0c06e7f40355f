//! What an INVITE says about who calls whom: number dialled, caller, privacy, line that forwarded.

use super::message::address::Address;
use super::message::uri::unescape;
use super::message::{Headers, Uri};

/// A call coming in, as its INVITE described it.
#[derive(Clone, Debug)]
pub struct IncomingInvite {
    pub request_uri: Uri,
    pub headers: Headers,
    /// The caller's session description; `None`: it expects our offer.
    pub offer: Option<Vec<u8>>,
}

impl IncomingInvite {
    /// The user part of the request URI, unescaped: what was dialled, as the last hop has it.
    pub fn dialled(&self) -> Option<String> {
        self.request_uri.number_plain().filter(|u| !u.is_empty())
    }

    /// The user part of To, unescaped: what the caller dialled.
    pub fn dialled_first(&self) -> Option<String> {
        user_of(&self.headers.to()?)
    }

    /// The caller's number or name; `None` if withheld. The network's assertion (RFC 3325) is preferred:
    /// From is the caller's own word.
    pub fn caller(&self) -> Option<String> {
        if self.is_anonymous() {
            return None;
        }
        let asserted = ["P-Asserted-Identity", "Remote-Party-ID"]
            .into_iter()
            .flat_map(|name| self.headers.elements(name).collect::<Vec<_>>())
            .filter_map(Address::parse)
            .find_map(|a| user_of(&a));
        asserted.or_else(|| user_of(&self.headers.from()?))
    }

    /// The caller asked for privacy (RFC 3323), or is anonymous by name (RFC 3261 §8.1.1.3).
    pub fn is_anonymous(&self) -> bool {
        let asked = self
            .headers
            .all("Privacy")
            .flat_map(|value| value.split(';'))
            .any(|p| ["id", "user", "full", "header"].iter().any(|k| p.trim().eq_ignore_ascii_case(k)));
        let hidden = self.headers.elements("Remote-Party-ID").filter_map(Address::parse).any(|a| {
            a.param("privacy").is_some_and(|p| p.eq_ignore_ascii_case("full") || p.eq_ignore_ascii_case("uri"))
        });
        let nameless = self.headers.from().and_then(|a| a.uri.ok()).is_none_or(|uri| {
            uri.host.eq_ignore_ascii_case("anonymous.invalid")
                || uri.user_plain().is_none_or(|u| {
                    ["", "anonymous", "restricted", "unavailable", "unknown"].iter().any(|k| u.eq_ignore_ascii_case(k))
                })
        });
        let asserted = self.headers.first("P-Asserted-Identity").is_some();
        asked || hidden || (nameless && !asserted)
    }

    /// The line that was rung first and forwarded: the oldest Diversion (RFC 5806: the bottom one), else
    /// the oldest entry of History-Info (RFC 7044) that isn't what was dialled here.
    pub fn forwarded_from(&self) -> Option<String> {
        let diversion =
            self.headers.elements("Diversion").filter_map(Address::parse).filter_map(|a| user_of(&a)).last();
        diversion.or_else(|| {
            let here = self.dialled();
            let entries: Vec<_> =
                self.headers.elements("History-Info").filter_map(Address::parse).filter_map(|a| user_of(&a)).collect();
            entries.into_iter().next().filter(|first| Some(first) != here.as_ref())
        })
    }

    /// The first value of a header.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.headers.first(name)
    }
}

fn user_of(address: &Address) -> Option<String> {
    match &address.uri {
        Ok(uri) => uri.number_plain().filter(|u| !u.is_empty()),
        Err(_) => Some(unescape(address.uri_text.split_once(':')?.1)).filter(|u| !u.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(headers: &[(&str, &str)]) -> IncomingInvite {
        let mut all = Headers::default();
        for (name, value) in headers {
            all.push(name, value);
        }
        let request_uri = Uri::parse("sip:+12025550102@192.0.2.1").expect("valid");
        IncomingInvite { request_uri, headers: all, offer: None }
    }

    #[test]
    fn the_networks_word_goes_before_the_callers() {
        let call = invite(&[
            ("From", "<sip:+12025550199@h>;tag=1"),
            ("P-Asserted-Identity", "<tel:+12025550188>, <sip:+12025550188@h>"),
        ]);
        assert_eq!(call.caller().as_deref(), Some("+12025550188"));
        assert_eq!(call.dialled().as_deref(), Some("+12025550102"));
    }

    #[test]
    fn a_withheld_number_is_nobodys() {
        for headers in [
            [("From", "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1"), ("X", "")],
            [("From", "<sip:+12025550199@h>;tag=1"), ("Privacy", "id;critical")],
            [("From", "<sip:+12025550199@h>;tag=1"), ("Remote-Party-ID", "<sip:1@h>;privacy=full")],
        ] {
            assert_eq!(invite(&headers).caller(), None);
        }
    }

    #[test]
    fn the_line_that_rang_first_is_the_oldest_diversion() {
        let call = invite(&[
            ("From", "<sip:+12025550199@h>;tag=1"),
            ("Diversion", "<sip:+12025550111@h>;reason=no-answer"),
            ("Diversion", "<sip:+12025550112@h>;reason=unconditional"),
        ]);
        assert_eq!(call.forwarded_from().as_deref(), Some("+12025550112"));
        let call = invite(&[
            ("From", "<sip:+12025550199@h>;tag=1"),
            ("History-Info", "<sip:+12025550113@h>;index=1, <sip:+12025550102@h>;index=1.1"),
        ]);
        assert_eq!(call.forwarded_from().as_deref(), Some("+12025550113"));
    }
}
