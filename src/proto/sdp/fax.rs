//! Fax in a description: `m=image … udptl t38` with the attributes of ITU-T T.38 annex D.
//!
//! A call begins with audio and becomes a fax in its midst: the image takes the place of the audio, in the same section (RFC 3264
//! §8.3.3), at the same port. Only redundancy is offered to make good what is lost. A call that is not one of ours for a fax
//! refuses such an offer, as [`Session::answer`] does.

use std::net::SocketAddr;

use super::negotiate::{Session, refused, usable};
use super::{Attribute, Connection, MediaDescription, SdpError, SessionDescription, parse};
use crate::proto::t38::udptl::MAX_DATAGRAM;

/// T.38 of 1998, which everybody speaks: version 1 and later add nothing that a page needs. The older of two versions holds.
const VERSION: u8 = 0;
/// V.17's fastest.
const MAX_BIT_RATE: u32 = 14_400;
/// What we can hold that is not read yet.
const MAX_BUFFER: usize = 2_000;
/// What is taken where the far end does not say: less than any network cuts.
const USUAL_DATAGRAM: usize = 400;
/// Some say the size of one IFP packet here, which redundancy would not fit into: nobody's buffer is smaller than this.
const LEAST_DATAGRAM: usize = 200;

/// What was agreed for a fax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fax {
    /// Where the far end receives.
    pub remote: SocketAddr,
    pub max_bit_rate: u32,
    /// The longest datagram the far end takes.
    pub max_datagram: usize,
    /// Earlier packets may go along with each.
    pub redundancy: bool,
}

impl Session {
    /// Our offer to send a fax from now on, in place of the sound.
    pub fn offer_fax(&mut self) -> Vec<u8> {
        let image = image(self.local(), MAX_BIT_RATE, true);
        self.say(vec![image])
    }

    /// Reads the answer to [`Session::offer_fax`].
    ///
    /// # Errors
    /// It takes no fax, or not in a way we speak.
    pub fn accept_fax(&self, answer: &[u8]) -> Result<Fax, SdpError> {
        choose(&parse(answer)?, self.local()).map(|(_, fax)| fax)
    }

    /// Answers an offer to go on with a fax; sound beside it is turned down.
    ///
    /// # Errors
    /// It offers none, or not in a way we speak; nothing has changed then.
    pub fn answer_fax(&mut self, offer: &[u8]) -> Result<(Vec<u8>, Fax), SdpError> {
        let offer = parse(offer)?;
        let (at, fax) = choose(&offer, self.local())?;
        let own = image(self.local(), fax.max_bit_rate, fax.redundancy);
        let own = MediaDescription { profile: offer.media[at].profile.clone(), ..own };
        let sections = offer.media.iter().enumerate();
        let media = sections.map(|(i, theirs)| if i == at { own.clone() } else { refused(theirs) }).collect();
        Ok((self.say(media), fax))
    }
}

fn image(local: SocketAddr, max_bit_rate: u32, redundancy: bool) -> MediaDescription {
    let mut attributes = vec![
        Attribute::with("T38FaxVersion", VERSION.to_string()),
        Attribute::with("T38MaxBitRate", max_bit_rate.to_string()),
        Attribute::with("T38FaxRateManagement", "transferredTCF".to_owned()),
        Attribute::with("T38FaxMaxBuffer", MAX_BUFFER.to_string()),
        Attribute::with("T38FaxMaxDatagram", MAX_DATAGRAM.to_string()),
    ];
    if redundancy {
        attributes.push(Attribute::with("T38FaxUdpEC", "t38UDPRedundancy".to_owned()));
    }
    MediaDescription {
        kind: "image".into(),
        port: local.port(),
        profile: "udptl".into(),
        formats: vec!["t38".into()],
        connection: None,
        attributes,
    }
}

/// The first section with a fax that we can send.
fn choose(session: &SessionDescription, local: SocketAddr) -> Result<(usize, Fax), SdpError> {
    let mut why = SdpError::Incompatible("no fax");
    for (at, media) in session.media.iter().enumerate() {
        let is_t38 = media.formats.iter().any(|format| format.eq_ignore_ascii_case("t38"));
        if !media.kind.eq_ignore_ascii_case("image") || media.port == 0 || !is_t38 {
            continue;
        }
        match take(session, media, local) {
            Ok(fax) => return Ok((at, fax)),
            Err(fault) => why = fault,
        }
    }
    Err(why)
}

fn take(session: &SessionDescription, media: &MediaDescription, local: SocketAddr) -> Result<Fax, SdpError> {
    if !media.profile.eq_ignore_ascii_case("udptl") {
        return Err(SdpError::Incompatible("transport"));
    }
    let ip = match media.connection.as_ref().or(session.connection.as_ref()) {
        Some(Connection::Address(ip)) if usable(*ip) && !ip.is_unspecified() => *ip,
        _ => return Err(SdpError::Address),
    };
    if ip.is_ipv4() != local.is_ipv4() {
        return Err(SdpError::Incompatible("address family"));
    }
    let said = |names: &[&str]| {
        let known = |a: &&Attribute| names.iter().any(|name| a.name.eq_ignore_ascii_case(name));
        media.attributes.iter().find(known).and_then(|a| a.value.as_deref())
    };
    let number = |names: &[&str]| said(names)?.split_ascii_whitespace().next()?.parse::<usize>().ok();
    // The far end would check the training of the modems by itself, which over UDP is for nobody but TCP's kind (annex B).
    if said(&["T38FaxRateManagement"]).is_some_and(|how| how.eq_ignore_ascii_case("localTCF")) {
        return Err(SdpError::Incompatible("fax rate management"));
    }
    let rate = number(&["T38MaxBitRate", "T38FaxMaxBitRate"]).and_then(|rate| u32::try_from(rate).ok());
    let datagram = number(&["T38FaxMaxDatagram", "T38MaxDatagram"]).unwrap_or(USUAL_DATAGRAM);
    Ok(Fax {
        remote: SocketAddr::new(ip, media.port),
        max_bit_rate: rate.filter(|rate| *rate >= 2_400).unwrap_or(MAX_BIT_RATE).min(MAX_BIT_RATE),
        max_datagram: datagram.clamp(LEAST_DATAGRAM, MAX_DATAGRAM),
        redundancy: said(&["T38FaxUdpEC"]).is_none_or(|ec| ec.eq_ignore_ascii_case("t38UDPRedundancy")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::audio::codec::Codec;

    const T38: &str = "m=image 4002 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:9600\r\n\
        a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxBuffer:72\r\na=T38FaxMaxDatagram:316\r\n\
        a=T38FaxUdpEC:t38UDPRedundancy\r\n";

    fn session() -> Session {
        Session::new(7, "192.0.2.1:20000".parse().unwrap(), &[Codec::Pcmu, Codec::Pcma])
    }

    fn described(body: &str) -> Vec<u8> {
        format!("v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n{body}").into_bytes()
    }

    #[test]
    fn our_offer_puts_the_image_in_the_place_of_the_sound() {
        let mut ours = session();
        ours.offer();
        let text = String::from_utf8(ours.offer_fax()).unwrap();
        assert!(text.contains("o=cordboard 7 2 "), "{text}");
        assert!(text.contains("m=image 20000 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"), "{text}");
        assert!(text.contains("a=T38FaxRateManagement:transferredTCF\r\n"), "{text}");
        assert!(text.contains("a=T38FaxUdpEC:t38UDPRedundancy\r\n") && !text.contains("m=audio"), "{text}");
        // And back again.
        let text = String::from_utf8(ours.offer()).unwrap();
        assert!(text.contains("m=audio 20000 RTP/AVP 0 8 101\r\n") && !text.contains("image"), "{text}");
        let answer = session().answer_fax(&described(T38)).unwrap().0;
        let agreed = ours.accept_fax(&answer).unwrap();
        assert_eq!((agreed.remote.port(), agreed.max_datagram, agreed.redundancy), (20_000, MAX_DATAGRAM, true));
    }

    #[test]
    fn an_offer_of_theirs_is_answered_line_by_line() {
        let both = format!("m=audio 4000 RTP/AVP 0\r\n{T38}");
        let (text, fax) = session().answer_fax(&described(&both)).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().filter(|l| l.starts_with("m=")).collect();
        assert_eq!(lines, ["m=audio 0 RTP/AVP 0", "m=image 20000 udptl t38"]);
        assert!(text.contains("a=T38MaxBitRate:9600\r\n"), "{text}");
        let remote = "198.51.100.9:4002".parse().unwrap();
        assert_eq!(fax, Fax { remote, max_bit_rate: 9_600, max_datagram: 316, redundancy: true });
    }

    #[test]
    fn what_gateways_really_write_is_understood() {
        let odd =
            "m=image 4002 UDPTL T38\r\na=t38faxversion:3\r\na=T38FaxMaxDatagram:72\r\na=T38FaxFillBitRemoval:0\r\n";
        let (text, fax) = session().answer_fax(&described(odd)).unwrap();
        assert_eq!((fax.max_bit_rate, fax.max_datagram), (14_400, LEAST_DATAGRAM));
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("m=image 20000 UDPTL t38\r\na=T38FaxVersion:0\r\n"), "{text}");
        let fec = described(&T38.replace("Redundancy", "FEC"));
        let (text, fax) = session().answer_fax(&fec).unwrap();
        assert!(!fax.redundancy && !String::from_utf8(text).unwrap().contains("T38FaxUdpEC"));
    }

    #[test]
    fn what_is_no_fax_for_us_is_refused_and_changes_nothing() {
        let mut ours = session();
        let before = ours.offer();
        for body in [
            "m=audio 4000 RTP/AVP 0\r\n",
            "m=image 0 udptl t38\r\n",
            "m=image 4000 tcp t38\r\n",
            "m=image 4000 udptl fancy\r\n",
            "m=image 4000 udptl t38\r\nc=IN IP4 0.0.0.0\r\n",
            "m=image 4000 udptl t38\r\nc=IN IP6 2001:db8::7\r\n",
            "m=image 4000 udptl t38\r\na=T38FaxRateManagement:localTCF\r\n",
        ] {
            assert!(ours.answer_fax(&described(body)).is_err(), "{body}");
            assert!(ours.accept_fax(&described(body)).is_err(), "{body}");
        }
        assert_eq!(ours.offer(), before);
    }
}
