//! What an INVITE says about who calls whom: number dialled, caller, privacy, line that forwarded; and what
//! ours say.
//!
//! What always holds: what only a network may assert (P-Asserted-Identity, Diversion, History-Info, verstat)
//! is believed from trunks alone; a caller who wants to stay unknown has no number here.

use super::message::address::Address;
use super::message::uri::unescape;
use super::message::{Headers, Uri};
use super::words::DialogId;

/// A call coming in, as its INVITE described it.
#[derive(Clone, Debug)]
pub struct IncomingInvite {
    pub request_uri: Uri,
    pub headers: Headers,
    /// The caller's session description; `None`: it expects our offer.
    pub offer: Option<Vec<u8>>,
    /// It came from a network that we believe (RFC 3325 §5), not from somebody's telephone.
    pub trusted: bool,
    /// The call that this one is to take the place of (RFC 3891): to be ended once this one is answered.
    pub replaces: Option<DialogId>,
}

/// What the network found out about the caller's number (STIR/SHAKEN, 3GPP TS 24.229 §7.2A.20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verstat {
    /// The caller may use it.
    Passed,
    /// The signature is wrong: the number may be forged.
    Failed,
    /// Nobody has vouched for it.
    Unverified,
}

impl Verstat {
    /// Some networks append the level of attestation: `TN-Validation-Passed-A`.
    fn parse(text: &str) -> Option<Self> {
        let starts = |word: &str| text.get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word));
        if starts("TN-Validation-Passed") {
            Some(Self::Passed)
        } else if starts("TN-Validation-Failed") {
            Some(Self::Failed)
        } else {
            starts("No-TN-Validation").then_some(Self::Unverified)
        }
    }

    /// As it stands in a URI.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "TN-Validation-Passed",
            Self::Failed => "TN-Validation-Failed",
            Self::Unverified => "No-TN-Validation",
        }
    }
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
        let asserted = self.asserted().find_map(|a| user_of(&a));
        asserted.or_else(|| user_of(&self.headers.from()?))
    }

    /// The caller asked for privacy (RFC 3323), or is anonymous by name (RFC 3261 §8.1.1.3).
    pub fn is_anonymous(&self) -> bool {
        let asked = self
            .headers
            .all("Privacy")
            .flat_map(|value| value.split([';', ',']))
            .any(|p| ["id", "user", "full", "header"].iter().any(|k| p.trim().eq_ignore_ascii_case(k)));
        let hidden = self.headers.elements("Remote-Party-ID").filter_map(Address::parse).any(|a| is_private(&a));
        let nameless = self.headers.from().and_then(|a| a.uri.ok()).is_none_or(|uri| {
            uri.host.eq_ignore_ascii_case("anonymous.invalid")
                || uri.user_plain().is_none_or(|u| {
                    ["", "anonymous", "restricted", "unavailable", "unknown"].iter().any(|k| u.eq_ignore_ascii_case(k))
                })
        });
        asked || hidden || (nameless && self.asserted().next().is_none())
    }

    /// What the network found out about the caller's number: a parameter of the number (`tel:`, or the user
    /// part) or of the URI, asserted or in From. `None`: it says nothing.
    pub fn verstat(&self) -> Option<Verstat> {
        if !self.trusted {
            return None;
        }
        self.asserted().chain(self.headers.from()).find_map(|address| {
            let beside = address.param("verstat").map(str::to_owned);
            let uri = address.uri.ok()?;
            let in_user = uri.user.as_deref().unwrap_or_default().split(';').skip(1).find_map(|p| {
                let (name, value) = p.split_once('=')?;
                name.eq_ignore_ascii_case("verstat").then(|| value.to_owned())
            });
            let found = in_user.or_else(|| uri.param("verstat").map(str::to_owned)).or(beside)?;
            Verstat::parse(&found)
        })
    }

    /// The line that was rung first and forwarded: the oldest Diversion (RFC 5806: the bottom one), else by
    /// History-Info the first that was left for a reason (RFC 7044), else its oldest entry that isn't what
    /// was dialled here. A line that wants to stay private is nobody's.
    pub fn forwarded_from(&self) -> Option<String> {
        if !self.trusted {
            return None;
        }
        let diversions: Vec<_> = self.headers.elements("Diversion").filter_map(Address::parse).collect();
        match diversions.iter().rev().find(|a| user_of(a).is_some()) {
            Some(oldest) => user_of(oldest).filter(|_| !is_private(oldest)),
            None => self.first_in_history(),
        }
    }

    fn first_in_history(&self) -> Option<String> {
        let here = self.dialled();
        let entries: Vec<_> = self.headers.elements("History-Info").filter_map(Address::parse).collect();
        let with = |address: &Address, name: &str| {
            let fields = address.uri.as_ref().ok().and_then(|uri| uri.headers.as_deref()).unwrap_or_default();
            fields.split('&').any(|f| f.split('=').next().unwrap_or_default().eq_ignore_ascii_case(name))
        };
        // RFC 7044 §10.2: the Reason stands in the entry that was left. RFC 7544: else in the one that was
        // gone to a cause does, and the one before it was left.
        let left = entries.iter().find(|a| with(a, "Reason")).or_else(|| {
            let to = entries.iter().position(|a| a.uri.as_ref().is_ok_and(|uri| uri.param("cause").is_some()))?;
            entries.get(to.checked_sub(1)?)
        });
        let user = |address: &Address| if with(address, "Privacy") { None } else { user_of(address) };
        match left {
            Some(left) => user(left),
            None => entries.first().and_then(user).filter(|first| Some(first) != here.as_ref()),
        }
    }

    /// The first value of a header.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.headers.first(name)
    }

    fn asserted(&self) -> impl Iterator<Item = Address> {
        ["P-Asserted-Identity", "Remote-Party-ID"]
            .into_iter()
            .filter(|_| self.trusted)
            .flat_map(|name| self.headers.elements(name).collect::<Vec<_>>())
            .filter_map(Address::parse)
    }
}

/// `privacy=full` of Diversion and Remote-Party-ID.
fn is_private(address: &Address) -> bool {
    address
        .param("privacy")
        .is_some_and(|p| ["full", "uri"].iter().any(|k| p.trim_matches('"').eq_ignore_ascii_case(k)))
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
        IncomingInvite { request_uri, headers: all, offer: None, trusted: true, replaces: None }
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

    #[test]
    fn the_first_reason_in_the_history_tells_which_line_was_left() {
        let call = invite(&[
            ("From", "<sip:+12025550199@h>;tag=1"),
            (
                "History-Info",
                "<sip:+12025550110@h>;index=1, <sip:+12025550113@h?Reason=SIP%3Bcause%3D486>;index=1.1, \
                 <sip:+12025550114@h?Reason=SIP%3Bcause%3D302>;index=1.2, <sip:+12025550102@h>;index=1.3",
            ),
        ]);
        assert_eq!(call.forwarded_from().as_deref(), Some("+12025550113"));
        let call = invite(&[
            ("From", "<sip:+12025550199@h>;tag=1"),
            ("History-Info", "<sip:+12025550110@h>;index=1,<sip:+12025550111@h>;index=1.1"),
            ("History-Info", "<sip:+12025550102@h;cause=302>;index=1.1.1;mp=1.1"),
        ]);
        assert_eq!(call.forwarded_from().as_deref(), Some("+12025550111"));
    }

    #[test]
    fn a_line_that_wants_to_stay_private_is_nobodys() {
        for (name, value) in [
            ("Diversion", "<sip:+12025550111@h>;reason=no-answer;privacy=full"),
            ("History-Info", "<sip:+12025550113@h?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1"),
        ] {
            assert_eq!(invite(&[("From", "<sip:+12025550199@h>;tag=1"), (name, value)]).forwarded_from(), None);
        }
    }

    #[test]
    fn a_telephone_asserts_nothing() {
        let mut call = invite(&[
            ("From", "<sip:kim@h>;tag=1"),
            ("P-Asserted-Identity", "<sip:+12025550188;verstat=TN-Validation-Passed@h;user=phone>"),
            ("Diversion", "<sip:+12025550111@h>"),
        ]);
        assert_eq!(call.verstat(), Some(Verstat::Passed));
        call.trusted = false;
        assert_eq!((call.caller().as_deref(), call.forwarded_from(), call.verstat()), (Some("kim"), None, None));
        call.headers.set("From", "\"x\" <sip:anonymous@anonymous.invalid>;tag=1");
        assert_eq!(call.caller(), None, "an assertion that isn't believed unmasks nobody");
    }

    #[test]
    fn the_networks_verdict_on_a_number_is_found_wherever_it_stands() {
        for (header, value, found) in [
            ("P-Asserted-Identity", "<tel:+12025550188;verstat=TN-Validation-Failed>", Verstat::Failed),
            ("P-Asserted-Identity", "<sip:+12025550188@h;verstat=no-tn-validation>", Verstat::Unverified),
            ("X", "x", Verstat::Passed),
        ] {
            let from = "<sip:+12025550199;npdi;verstat=TN-Validation-Passed-A@h;user=phone>;tag=1";
            assert_eq!(invite(&[("From", from), (header, value)]).verstat(), Some(found));
        }
        assert_eq!(invite(&[("From", "<sip:+12025550199@h>;tag=1")]).verstat(), None);
        assert_eq!(invite(&[("From", "<sip:1;verstat=Maybe@h>;tag=1")]).verstat(), None);
    }
}
