//! A phone's binding, and what a REGISTER says of them (RFC 3261 §10.3).

use std::net::IpAddr;
use std::time::Instant;

use crate::base::id::DeviceId;
use crate::domain::operator::Phone;
use crate::io::net::IDLE_LIMIT;
use crate::proto::sip::message::{Address, Uri};
use crate::proto::sip::{Flow, RegisterRequest, Transport};

/// How long a binding lasts, in seconds, unless less is asked for. Bindings do not outlive us, so after a restart a desk phone
/// cannot be rung until it comes again. And over a connection: a registered phone that is silent for [`IDLE_LIMIT`] loses it,
/// and a call with it, and many say nothing between two refreshes; so each refresh must come before, one that is late too.
const MAX_EXPIRES: u32 = 120;
const _: () = assert!(MAX_EXPIRES as u64 + 120 <= IDLE_LIMIT.as_secs(), "refreshes keep a connection open");
/// At most, over UDP through a NAT: it forgets the way to the phone soon after the last word (`keep_open` sees to that), and
/// a phone whose address there changed is out of reach until it comes again.
const NAT_EXPIRES: u32 = 60;
/// Phones a user may have registered.
pub(super) const MAX_BINDINGS: usize = 10;

/// One phone of a user.
#[derive(Debug)]
pub(super) struct Binding {
    /// The desk phone; none for a browser.
    pub(super) device: Option<DeviceId>,
    /// The URI to ring it by.
    pub(super) uri: String,
    /// The Contact as it came, without `expires`: phones look for themselves in the answer.
    pub(super) contact: String,
    /// Where it is rung, whatever its URI says: the way it came by.
    pub(super) flow: Flow,
    pub(super) expires_at: Instant,
    pub(super) call_id: String,
    pub(super) cseq: u32,
    /// When the way to it wants a word of ours; None for one that stays open by itself.
    pub(super) keep_at: Option<Instant>,
    /// It said nothing at all when it was rung last.
    pub(super) silent: bool,
}

impl Binding {
    pub(super) const fn kind(&self) -> Phone {
        match self.flow.transport {
            Transport::Ws | Transport::Wss => Phone::Softphone,
            Transport::Udp | Transport::Tcp | Transport::Tls => Phone::DeskPhone,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Contacts {
    All,
    /// URI, value without `expires`, seconds.
    These(Vec<(String, String, u32)>),
}

/// What a REGISTER that came over `flow` asks for; `None` if it breaks the rules.
pub(super) fn read_contacts(register: &RegisterRequest, flow: &Flow) -> Option<Contacts> {
    if register.contacts.iter().any(|c| c == "*") {
        // RFC 3261 §10.3 step 6.
        let alone = register.contacts.len() == 1 && register.expires == Some(0);
        return alone.then_some(Contacts::All);
    }
    let contacts = register.contacts.iter().take(MAX_BINDINGS).map(|value| {
        let address = Address::parse(value)?;
        let uri = address.uri.as_ref().ok()?;
        let asked = match address.param("expires") {
            Some(text) => text.parse().unwrap_or(MAX_EXPIRES),
            None => register.expires.unwrap_or(MAX_EXPIRES),
        };
        let most = match flow.transport {
            Transport::Udp if is_behind_nat(uri, flow) => NAT_EXPIRES,
            _ => MAX_EXPIRES,
        };
        Some((address.uri_text.clone(), without_expires(value), asked.min(most)))
    });
    contacts.collect::<Option<Vec<_>>>().map(Contacts::These)
}

/// The phone is elsewhere than it says. Over a connection that does no harm: the way back stays open.
pub(super) fn is_behind_nat(uri: &Uri, flow: &Flow) -> bool {
    let said: Option<IpAddr> = uri.host.trim_matches(['[', ']']).parse().ok();
    let there = said.is_some_and(|ip| ip == flow.peer.ip()) && uri.port.unwrap_or(5060) == flow.peer.port();
    flow.transport == Transport::Udp && !there
}

/// A Contact value without its `expires` parameter (not one inside the URI's brackets).
fn without_expires(value: &str) -> String {
    let after = value.rfind('>').map_or(0, |at| at + 1);
    let (address, params) = value.split_at(after);
    let kept: Vec<&str> = params
        .split(';')
        .filter(|p| !p.trim_start().get(..7).is_some_and(|name| name.eq_ignore_ascii_case("expires")))
        .collect();
    format!("{address}{}", kept.join(";"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::sip::message::Headers;

    #[test]
    fn a_contact_is_given_back_without_its_expiry() {
        assert_eq!(without_expires("<sip:a@h;expires=9>;q=1;Expires=5;x"), "<sip:a@h;expires=9>;q=1;x");
        assert_eq!(without_expires("sip:a@h;expires=5"), "sip:a@h");
    }

    #[test]
    fn a_phone_comes_again_before_its_silence_ends_its_connection_and_soon_after_a_restart() {
        let granted = |transport| {
            let flow = Flow {
                transport,
                local: "192.0.2.1:5070".parse().expect("an address"),
                peer: "203.0.113.7:40000".parse().expect("an address"),
                connection: 1,
            };
            let register = RegisterRequest {
                user: "kim-desk".to_owned(),
                bearer: None,
                headers: Headers::default(),
                contacts: vec!["<sip:kim@203.0.113.7:40000>".to_owned()],
                expires: Some(86_400),
                call_id: "r".to_owned(),
                cseq: 1,
            };
            match read_contacts(&register, &flow) {
                Some(Contacts::These(contacts)) => contacts[0].2,
                other => panic!("one contact: {other:?}"),
            }
        };
        for by in [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss, Transport::Udp] {
            assert_eq!(granted(by), 120, "{by:?}");
        }
    }

    #[test]
    fn behind_a_nat_a_binding_over_udp_is_short() {
        let flow = |transport| Flow {
            transport,
            local: "192.0.2.1:5070".parse().expect("an address"),
            peer: "203.0.113.7:40000".parse().expect("an address"),
            connection: 0,
        };
        let nat = |uri: &str, transport| is_behind_nat(&Uri::parse(uri).expect("a URI"), &flow(transport));
        assert!(nat("sip:kim@10.0.0.5:5060", Transport::Udp));
        assert!(nat("sip:kim@203.0.113.7", Transport::Udp));
        assert!(nat("sip:kim@phone.local", Transport::Udp));
        assert!(!nat("sip:kim@203.0.113.7:40000", Transport::Udp));
        assert!(!nat("sip:kim@10.0.0.5:5060", Transport::Tcp));
    }
}
