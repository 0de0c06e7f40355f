//! Transfers: what Refer-To (RFC 3515) and Replaces (RFC 3891) say, and the body of the NOTIFYs that tell
//! how a transfer goes. Carried out by the agent (`agent/refer`) and its driver. Pure.

use super::message::address::Address;
use super::message::uri::unescape;
use super::message::{Headers, Uri, reason_phrase};

/// A dialog, named by somebody else: tags are as the user agent sees them that is asked to give it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    pub call_id: String,
    /// Our own tag.
    pub to_tag: String,
    /// The far end's.
    pub from_tag: String,
    /// Only if it isn't answered yet.
    pub early_only: bool,
}

impl Replaces {
    /// `call-id;to-tag=a;from-tag=b`. Both tags have to be there (RFC 3891 §6.1).
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let call_id = parts.next().filter(|id| !id.is_empty())?.to_owned();
        let mut found = Self { call_id, to_tag: String::new(), from_tag: String::new(), early_only: false };
        for part in parts {
            match part.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
                Some((name, value)) if name.eq_ignore_ascii_case("to-tag") => value.clone_into(&mut found.to_tag),
                Some((name, value)) if name.eq_ignore_ascii_case("from-tag") => value.clone_into(&mut found.from_tag),
                None if part.eq_ignore_ascii_case("early-only") => found.early_only = true,
                _ => {}
            }
        }
        // RFC 3891 §3: a tag of 0 stands for none, as RFC 2543 user agents have it.
        for tag in [&mut found.to_tag, &mut found.from_tag] {
            if tag.is_empty() {
                return None;
            }
            if tag == "0" {
                tag.clear();
            }
        }
        Some(found)
    }

    /// As the value of an INVITE's Replaces header.
    pub fn value(&self) -> String {
        let tag = |tag: &str| if tag.is_empty() { "0".to_owned() } else { tag.to_owned() };
        let early = if self.early_only { ";early-only" } else { "" };
        format!("{};to-tag={};from-tag={}{early}", self.call_id, tag(&self.to_tag), tag(&self.from_tag))
    }
}

/// Where somebody is to be transferred to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferTo {
    /// Without the headers that stood in it.
    pub target: Uri,
    /// Attended: the far end's other call, which the new one is to take the place of.
    pub replaces: Option<Replaces>,
}

impl ReferTo {
    /// Reads the one Refer-To of a REFER. RFC 3515 §2.1: more or fewer are an error, and so is anything that
    /// isn't a call.
    pub fn of(headers: &Headers) -> Option<Self> {
        if headers.count("Refer-To") != 1 {
            return None;
        }
        let mut target = Address::parse(headers.first("Refer-To")?)?.uri.ok()?;
        if target.param("method").is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
            return None;
        }
        let replaces = match target.headers.take() {
            Some(fields) => {
                let field = fields
                    .split('&')
                    .filter_map(|f| f.split_once('='))
                    .find(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
                // One that can't be read makes the whole transfer another one than was meant.
                field.map(|(_, value)| Replaces::parse(&unescape(value)).ok_or(())).transpose().ok()?
            }
            None => None,
        };
        Some(Self { target, replaces })
    }
}

/// The body of a NOTIFY: the status line alone (RFC 3515 §2.4.5, RFC 3420).
pub fn sipfrag(status: u16) -> Vec<u8> {
    format!("SIP/2.0 {status} {}\r\n", reason_phrase(status)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refer_to(values: &[&str]) -> Option<ReferTo> {
        let mut headers = Headers::default();
        for value in values {
            headers.push("Refer-To", value);
        }
        ReferTo::of(&headers)
    }

    #[test]
    fn a_transfer_names_its_target_and_the_call_it_replaces() {
        let blind = refer_to(&["<sip:+12025550142@h;user=phone>"]).expect("valid");
        assert_eq!(blind.target.user_plain().as_deref(), Some("+12025550142"));
        assert_eq!(blind.replaces, None);
        let attended =
            refer_to(&["\"Pat\" <sips:b@h;transport=tcp?Subject=x&replaces=12%40h%3Bfrom-tag%3Dff%3Bto-tag%3D7>"]);
        let attended = attended.expect("valid");
        assert_eq!(attended.target.to_string(), "sips:b@h;transport=tcp");
        let replaces = attended.replaces.expect("named");
        assert_eq!(replaces.value(), "12@h;to-tag=7;from-tag=ff");
        assert_eq!(Replaces::parse(&replaces.value()), Some(replaces));
        let early = Replaces::parse("a; to-tag=0 ;from-tag=b;early-only").expect("valid");
        assert_eq!(
            (early.to_tag.as_str(), early.early_only, early.value().as_str()),
            ("", true, "a;to-tag=0;from-tag=b;early-only")
        );
    }

    #[test]
    fn a_transfer_that_cannot_be_read_is_none() {
        for values in [
            &[][..],
            &["<sip:a@h>", "<sip:b@h>"],
            &["<mailto:a@h>"],
            &["<sip:a@h;method=SUBSCRIBE>"],
            &["<sip:a@h?Replaces=x>"],
            &["<sip:a@h?Replaces=x%3Bto-tag%3D1>"],
            &["<sip:a@h"],
        ] {
            assert_eq!(refer_to(values), None, "{values:?}");
        }
    }

    #[test]
    fn a_notify_holds_a_status_line() {
        assert_eq!(sipfrag(180), b"SIP/2.0 180 Ringing\r\n");
        assert_eq!(sipfrag(603), b"SIP/2.0 603 Decline\r\n");
    }
}
