//! A glance at a request: the few fields that a refusal is made of (RFC 3261 §8.2.6.2), as slices of the message that is gone
//! through once, and the refusal made of them. Reading a message whole costs a string a field; in a flood that is taken from the calls that could
//! be answered. Only for what has those fields plainly: anything odd is left to `wire`. Pure; `agent/shed` drives it.

use std::net::SocketAddr;

use memchr::memchr;

use super::message::address::{Address, split_list, write_stamped};
use super::message::{CSeq, Via};
use super::wire::{MAX_HEAD, find_head_end};

/// The fields, each as it came.
#[derive(Debug)]
pub struct Glance<'a> {
    /// The first Via line, and what its topmost element says.
    via_line: &'a str,
    via: Via,
    /// Those behind it.
    vias: Vec<&'a str>,
    from: &'a str,
    to: &'a str,
    call_id: &'a str,
    cseq: &'a str,
    to_tag: Option<String>,
}

impl<'a> Glance<'a> {
    /// Of a message that has the fields in full names, unfolded, in UTF-8, each once but for Via. `None` if anything is odd.
    pub fn at(bytes: &'a [u8]) -> Option<Self> {
        let (head, _) = find_head_end(bytes, 0)?;
        let head = std::str::from_utf8(&bytes[..head]).ok().filter(|head| head.len() <= MAX_HEAD)?;
        let mut head = &head[memchr(b'\n', head.as_bytes())? + 1..];
        let (mut via_line, mut from, mut to, mut call_id, mut cseq) = (None, None, None, None, None);
        let mut vias = Vec::new();
        while !head.is_empty() {
            let end = memchr(b'\n', head.as_bytes()).unwrap_or(head.len());
            let line = head[..end].strip_suffix('\r').unwrap_or(&head[..end]);
            head = head.get(end + 1..).unwrap_or_default();
            // Folded into the one before it (§7.3.1), or with a line's end in it that is none.
            if line.starts_with([' ', '\t']) || memchr(b'\r', line.as_bytes()).is_some() {
                return None;
            }
            let colon = memchr(b':', line.as_bytes())?;
            let (name, value) = (&line[..colon], &line[colon + 1..]);
            let field = match Few::of(name) {
                Some(Few::Via) if via_line.is_some() => {
                    vias.push(value.trim());
                    continue;
                }
                Some(Few::Via) => &mut via_line,
                Some(Few::From) => &mut from,
                Some(Few::To) => &mut to,
                Some(Few::CallId) => &mut call_id,
                Some(Few::CSeq) => &mut cseq,
                None => continue,
            };
            if field.replace(value.trim()).is_some() {
                return None;
            }
        }
        let (via_line, from, to, call_id, cseq) = (via_line?, from?, to?, call_id?, cseq?);
        let via = split_list(via_line).next().and_then(Via::parse).filter(|via| via.branch().is_some())?;
        CSeq::parse(cseq)?;
        let to_tag = tag_of(to)?;
        Some(Self { via_line, via, vias, from, to, call_id, cseq, to_tag })
    }

    /// The topmost Via.
    pub const fn via(&self) -> &Via {
        &self.via
    }

    pub const fn call_id(&self) -> &str {
        self.call_id
    }

    /// The tag of To.
    pub fn to_tag(&self) -> Option<&str> {
        self.to_tag.as_deref()
    }

    /// What makes this request itself, for a tag that need not be remembered: Via, From, Call-ID, CSeq.
    pub const fn identity(&self) -> [&str; 4] {
        [self.via_line, self.from, self.call_id, self.cseq]
    }

    /// A response of `start` (its first line, without the line's end) and `fields` (whole lines) that takes over what it
    /// has to; Via as the one that came from `peer`, To with our `tag`.
    pub fn response(&self, start: &str, peer: SocketAddr, tag: &str, fields: &str) -> Vec<u8> {
        let [via, from, call_id, cseq] = self.identity();
        let known = start.len() + via.len() + from.len() + self.to.len() + call_id.len() + cseq.len() + fields.len();
        // Names, ends of lines, the stamp and the tag.
        let mut text = String::with_capacity(known + 192);
        text.push_str(start);
        text.push_str("\r\nVia: ");
        write_stamped(&mut text, via, &self.via, peer.ip(), peer.port());
        let mut add = |parts: &[&str]| parts.iter().for_each(|part| text.push_str(part));
        self.vias.iter().for_each(|via| add(&["\r\nVia: ", via]));
        add(&["\r\nFrom: ", from, "\r\nTo: ", self.to, ";tag=", tag]);
        add(&["\r\nCall-ID: ", call_id, "\r\nCSeq: ", cseq, "\r\n", fields]);
        text.push_str("Content-Length: 0\r\n\r\n");
        text.into_bytes()
    }
}

#[derive(Clone, Copy)]
enum Few {
    Via,
    From,
    To,
    CallId,
    CSeq,
}

impl Few {
    fn of(name: &str) -> Option<Self> {
        // By length first: most fields are none of these.
        let (field, full) = match name.len() {
            2 => (Self::To, "To"),
            3 => (Self::Via, "Via"),
            4 if name.starts_with(['C', 'c']) => (Self::CSeq, "CSeq"),
            4 => (Self::From, "From"),
            7 => (Self::CallId, "Call-ID"),
            _ => return None,
        };
        name.eq_ignore_ascii_case(full).then_some(field)
    }
}

/// The tag of an address, if it has one; `None` if it cannot be told, or a tag could not be added behind.
fn tag_of(address: &str) -> Option<Option<String>> {
    let plain = !address.contains('"') && address.matches('<').count() == 1 && address.matches('>').count() == 1;
    match address.rsplit_once('>').filter(|_| plain) {
        // `<uri>` and nothing behind it, as a request that begins a call has it.
        Some((_, "")) => Some(None),
        _ => Address::parse(address).map(|address| address.param("tag").map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx, SIP/2.0/UDP i\r\nMax-Forwards: 70\r\n\
                          VIA: SIP/2.0/UDP j\r\nfrom: \"A\" <sip:b@h>;tag=1\r\nTo: <sip:a@h>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\nv=0";

    #[test]
    fn a_refusal_takes_over_what_it_has_to_and_all_of_via_in_its_order() {
        let glance = Glance::at(INVITE.as_bytes()).expect("it is plain");
        assert_eq!((glance.call_id(), glance.to_tag()), ("1", None));
        let peer = ([192, 0, 2, 1], 5062).into();
        let response = glance.response("SIP/2.0 503 Service Unavailable", peer, "t", "Retry-After: 5\r\n");
        assert_eq!(
            String::from_utf8(response).expect("text"),
            "SIP/2.0 503 Service Unavailable\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx;received=192.0.2.1, SIP/2.0/UDP i\r\n\
             Via: SIP/2.0/UDP j\r\nFrom: \"A\" <sip:b@h>;tag=1\r\nTo: <sip:a@h>;tag=t\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
             Retry-After: 5\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn whatever_is_odd_is_left_to_those_who_read_it_whole() {
        assert!(Glance::at(INVITE.as_bytes()).is_some());
        for (plain, odd) in [
            ("Max-Forwards: 70", "Subject: a\r\n b"),
            ("Max-Forwards: 70", "no colon"),
            ("Max-Forwards: 70", "To: <sip:c@h>"),
            ("To: <sip:a@h>", "t: <sip:a@h>"),
            ("To: <sip:a@h>", "To: \"a <sip:a@h>"),
            ("CSeq: 1 INVITE", "CSeq: one INVITE"),
            ("branch=z9hG4bKx", "branch=x"),
            ("Call-ID: 1\r\n", ""),
            ("Call-ID: 1", "Call-ID: 1\rX: 2"),
        ] {
            assert!(Glance::at(INVITE.replace(plain, odd).as_bytes()).is_none(), "{odd}");
        }
        let latin: Vec<u8> = INVITE.bytes().map(|b| if b == b'A' { 0xe9 } else { b }).collect();
        assert!(Glance::at(&latin).is_none());
    }

    #[test]
    fn a_tag_is_found_wherever_it_may_stand() {
        let tag = |to: &str| {
            let text = INVITE.replace("To: <sip:a@h>", &format!("To: {to}"));
            Glance::at(text.as_bytes()).expect("it is plain").to_tag().map(str::to_owned)
        };
        assert_eq!(tag("<sip:a@h;tag=9>"), None);
        assert_eq!(tag("\"x;tag=9\" <sip:a@h>"), None);
        assert_eq!(tag("<sip:a@h>;x=y;TAG=2").as_deref(), Some("2"));
        assert_eq!(tag("sip:a@h;tag=3").as_deref(), Some("3"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_glanced_at_gets_a_response_that_can_be_read(
            at in 0..INVITE.len(), cut in 0..30_usize, text in "[ -~\r\n\t<>\";:,=]{0,12}",
        ) {
            let mut bytes = INVITE.as_bytes().to_vec();
            bytes.splice(at..(at + cut).min(INVITE.len()), text.bytes());
            if let Some(glance) = Glance::at(&bytes) {
                let response = glance.response("SIP/2.0 503 Service Unavailable", ([192, 0, 2, 1], 5062).into(), "t", "");
                let head = String::from_utf8(response).expect("text");
                // One line of each, whatever was put in, and no line of another's making.
                for name in ["From: ", "To: ", "Call-ID: ", "CSeq: "] {
                    proptest::prop_assert_eq!(head.lines().filter(|line| line.starts_with(name)).count(), 1, "{}", head);
                }
                proptest::prop_assert_eq!(head.matches('\r').count(), head.matches("\r\n").count());
                proptest::prop_assert!(glance.to_tag().is_some() || head.contains(";tag=t\r\n"), "{}", head);
                let others = |line: &&str| !["SIP/", "Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: ", "Content-Length: "]
                    .iter()
                    .any(|name| line.starts_with(name));
                proptest::prop_assert_eq!(head.lines().filter(|line| !line.is_empty()).find(others), None);
            }
        }
    }
}
