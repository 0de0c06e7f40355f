//! Keys for SRTP in a description (RFC 4568): `a=crypto` lines, which of them we can use, and our own.
//!
//! For trunks over TLS alone: whoever reads the description can listen. Knows one key a line, without MKI, and no
//! session parameter that would weaken it; a line with anything else is passed over, as §5.1.2 asks for.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{MediaDescription, SdpError};
use crate::proto::rtp::srtp::{MasterKey, Suite};

/// How much a leg is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Srtp {
    /// Never: keys would travel in the clear.
    #[default]
    Off,
    /// If the far end can. Offered as `RTP/AVP` with keys, which those who cannot take for plain RTP.
    Preferred,
    /// Or not at all: `RTP/SAVP`.
    Required,
}

/// One `a=crypto` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crypto {
    pub(super) tag: u32,
    pub(super) suite: Suite,
    pub(super) key: MasterKey,
}

impl Crypto {
    /// Reads what follows `crypto:`; `None` if we cannot do what it says.
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let tag = words.next().filter(|tag| tag.len() <= 9)?.parse().ok()?;
        let suite = Suite::named(words.next()?)?;
        let inline = words.next()?.strip_prefix("inline:")?;
        // Several keys need an MKI each to be told apart.
        if inline.contains(';') {
            return None;
        }
        let mut parts = inline.split('|');
        let key = STANDARD.decode(parts.next()?).ok()?.try_into().ok().map(MasterKey)?;
        // A lifetime may follow: 2^31 packets of 20 ms are longer than any call. An MKI (`1:4`) may not.
        if parts.any(|part| part.contains(':')) {
            return None;
        }
        // A window smaller than ours is a hint that costs nothing to go beyond; a larger one we do not have.
        let is_hint = |word: &str| word.strip_prefix("WSH=").is_some_and(|n| n.parse().is_ok_and(|n: u32| n <= 128));
        words.all(is_hint).then_some(Self { tag, suite, key })
    }

    /// The line that answers this one.
    pub(super) const fn answered_by(self, own: &OwnKeys) -> Self {
        Self { key: own.of(self.suite), ..self }
    }
}

impl fmt::Display for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} inline:{}", self.tag, self.suite.name(), STANDARD.encode(self.key.0))
    }
}

/// The keys that one leg sends with, one a suite: no key is used in two ways.
#[derive(Clone, Copy, Debug)]
pub struct OwnKeys([MasterKey; Suite::ALL.len()]);

impl OwnKeys {
    /// From random bytes, fresh for each leg.
    pub fn new(random: [[u8; 30]; Suite::ALL.len()]) -> Self {
        Self(random.map(MasterKey))
    }

    pub(super) const fn of(&self, suite: Suite) -> MasterKey {
        match suite {
            Suite::Tag80 => self.0[0],
            Suite::Tag32 => self.0[1],
        }
    }

    /// The lines of our offers, tagged from 1.
    pub(super) fn offered(self) -> impl Iterator<Item = Crypto> {
        (1..).zip(Suite::ALL).map(move |(tag, suite)| Crypto { tag, suite, key: self.of(suite) })
    }

    /// Whether an answer may name this line.
    pub(super) fn offers(line: Crypto) -> bool {
        (1..).zip(Suite::ALL).any(|offered| offered == (line.tag, line.suite))
    }
}

/// The key by which a section is encrypted, if it is: its first line that we can use. An error if it cannot be taken
/// with this much encryption.
pub(super) fn pick(media: &MediaDescription, srtp: Srtp) -> Result<Option<Crypto>, SdpError> {
    let is = |names: [&str; 2]| names.iter().any(|name| media.profile.eq_ignore_ascii_case(name));
    let (plain, secure) = (is(["RTP/AVP", "RTP/AVPF"]), is(["RTP/SAVP", "RTP/SAVPF"]));
    if !plain && (!secure || srtp == Srtp::Off) {
        return Err(SdpError::Incompatible("transport"));
    }
    // Without encryption of ours stray keys are passed over.
    let lines = media.attributes.iter().filter(|a| a.name == "crypto" && srtp != Srtp::Off);
    let key = lines.filter_map(|a| a.value.as_deref()).find_map(Crypto::parse);
    if key.is_none() && (secure || srtp == Srtp::Required) {
        return Err(SdpError::Incompatible("no keys that we can use"));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::super::{Negotiated, Session};
    use super::*;
    use crate::proto::audio::codec::Codec;

    const LINE: &str = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    fn session(port: u16, seed: u8, srtp: Srtp) -> Session {
        let local = (std::net::Ipv4Addr::LOCALHOST, port).into();
        Session::new(1, local, &[Codec::Pcmu]).with_srtp(srtp, OwnKeys::new([[seed; 30], [seed + 1; 30]]))
    }

    fn offer(profile: &str, lines: &[&str]) -> Vec<u8> {
        let lines: String = lines.iter().map(|line| format!("a=crypto:{line}\r\n")).collect();
        let head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
        format!("{head}m=audio 4000 {profile} 0\r\n{lines}").into_bytes()
    }

    fn answer(srtp: Srtp, profile: &str, lines: &[&str]) -> Result<(String, Negotiated), SdpError> {
        let answered = session(20_000, 1, srtp).answer(&offer(profile, lines));
        answered.map(|(bytes, agreed)| (String::from_utf8(bytes).unwrap(), agreed))
    }

    #[test]
    fn the_first_line_we_can_use_is_answered_with_its_tag_and_a_key_of_ours() {
        let gcm = "3 AEAD_AES_128_GCM inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let short = LINE.replace("1 AES_CM_128_HMAC_SHA1_80", "9 AES_CM_128_HMAC_SHA1_32");
        let (text, agreed) = answer(Srtp::Required, "RTP/SAVP", &[gcm, &format!("{short}|2^20 WSH=64"), LINE]).unwrap();
        let keys = agreed.srtp.expect("it is encrypted");
        assert_eq!((keys.suite, keys.ours), (Suite::Tag32, MasterKey([2; 30])));
        assert_eq!(keys.theirs.0[..4], *b"wDfv");
        assert!(text.contains("m=audio 20000 RTP/SAVP 0\r\n"), "{text}");
        assert!(text.contains("a=crypto:9 AES_CM_128_HMAC_SHA1_32 inline:AgIC"), "{text}");
        assert_eq!(text.matches("a=crypto").count(), 1);
        assert!(!format!("{agreed:?}").contains("119"), "keys are not shown");
    }

    #[test]
    fn lines_that_ask_for_more_or_less_than_we_do_are_passed_over() {
        for line in [
            format!("{LINE}|2^20|1:4"),
            format!("{LINE};inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|2:4"),
            format!("{LINE} UNENCRYPTED_SRTP"),
            format!("{LINE} KDR=1"),
            format!("{LINE} WSH=1024"),
            LINE.replace("inline:d0", "inline:"),
            LINE.replace("_80", "_81"),
            LINE.replace("1 AES", "x AES"),
            String::new(),
        ] {
            assert!(Crypto::parse(&line).is_none(), "{line}");
            assert!(answer(Srtp::Preferred, "RTP/SAVP", &[&line]).is_err(), "{line}");
        }
        assert!(Crypto::parse(LINE).is_some_and(|line| line.to_string() == LINE));
    }

    #[test]
    fn how_much_is_encrypted_is_as_configured() {
        for (srtp, profile, lines, encrypted) in [
            (Srtp::Off, "RTP/AVP", vec![LINE], Some(false)),
            (Srtp::Off, "RTP/SAVP", vec![LINE], None),
            (Srtp::Preferred, "RTP/AVP", vec![], Some(false)),
            (Srtp::Preferred, "RTP/AVP", vec![LINE], Some(true)),
            (Srtp::Preferred, "RTP/SAVP", vec![LINE], Some(true)),
            (Srtp::Required, "RTP/AVP", vec![], None),
            (Srtp::Required, "RTP/AVP", vec![LINE], Some(true)),
            (Srtp::Required, "RTP/SAVP", vec![LINE], Some(true)),
            (Srtp::Required, "RTP/SAVP", vec![], None),
        ] {
            let got = answer(srtp, profile, &lines).ok().map(|(text, agreed)| {
                assert_eq!(text.contains("a=crypto"), agreed.srtp.is_some(), "{text}");
                agreed.srtp.is_some()
            });
            assert_eq!(got, encrypted, "{srtp:?} {profile} {lines:?}");
        }
    }

    #[test]
    fn two_sessions_agree_on_each_others_keys() {
        for (srtp, profile) in [(Srtp::Required, "RTP/SAVP"), (Srtp::Preferred, "RTP/AVP")] {
            let (mut us, mut them) = (session(20_000, 1, Srtp::Off), session(30_000, 9, Srtp::Required));
            let offer = us.offer_with(srtp);
            us.settle(srtp);
            assert!(String::from_utf8_lossy(&offer).contains(&format!("{profile} 0 101\r\n")));
            let (bytes, theirs) = them.answer(&offer).unwrap();
            let (ours, theirs) = (us.accept(&bytes).unwrap().srtp.unwrap(), theirs.srtp.unwrap());
            assert_eq!((ours.ours, ours.theirs), (theirs.theirs, theirs.ours));
            assert_ne!(ours.ours, ours.theirs);
            // A re-offer keeps transport and keys, and its words: the version stays.
            let again = us.offer();
            assert!(String::from_utf8_lossy(&again).contains(&format!("{profile} 0 101\r\n")));
            assert_eq!(them.answer(&again).unwrap().1.srtp, Some(theirs));
        }
    }

    #[test]
    fn an_answer_without_keys_or_with_others_than_offered_is_no_answer() {
        let mut us = session(20_000, 1, Srtp::Required);
        us.settle(Srtp::Required);
        assert!(us.accept(&offer("RTP/AVP", &[])).is_err());
        assert!(us.accept(&offer("RTP/SAVP", &[&LINE.replace("1 AES", "2 AES")])).is_err());
        assert!(us.accept(&offer("RTP/SAVP", &[LINE])).is_ok());
        us.settle(Srtp::Preferred);
        assert_eq!(us.accept(&offer("RTP/AVP", &[])).unwrap().srtp, None);
    }
}
