//! Offer and answer (RFC 3264) for one leg: [`Session`] makes our offers, answers theirs, and says what
//! was agreed as [`Negotiated`].
//!
//! Always: an answer has as many m-lines as its offer, in the same order; our `o=` version goes up by one
//! whenever our description changes and only then (§8); a refused description changes nothing.

use std::net::{IpAddr, SocketAddr};

use super::crypto::{self, Crypto, OwnKeys, Srtp};
use super::{Attribute, Connection, Direction, MediaDescription, Origin, SdpError, SessionDescription, parse};
use crate::proto::audio::codec::Codec;
use crate::proto::rtp::packet::{COMFORT_NOISE, TELEPHONE_EVENT};
use crate::proto::rtp::srtp::Keys;
use crate::proto::rtp::telephone_event::EventTypes;

/// What was agreed for a leg's audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Where the far end receives. Unspecified (0.0.0.0) while it holds us the old way.
    pub remote: SocketAddr,
    pub codec: Codec,
    /// Payload types of telephone-event, if agreed.
    pub telephone_event: Option<EventTypes>,
    /// The far end offered comfort noise, and we agreed (RFC 3389). Our own offers never ask for it: what comes
    /// without a pause needs no repair.
    pub comfort_noise: bool,
    /// RTCP shares RTP's port (RFC 5761).
    pub rtcp_mux: bool,
    /// We may send.
    pub send: bool,
    /// The far end sends.
    pub receive: bool,
    /// Packet time towards the far end, in ms: 10 to 60.
    pub ptime_ms: u8,
    /// What it is encrypted with.
    pub srtp: Option<Keys>,
}

/// Our side of one leg's description, from its first offer or answer to its end.
#[derive(Clone, Debug)]
pub struct Session {
    id: u64,
    version: u64,
    local: SocketAddr,
    codecs: Vec<Codec>,
    srtp: Srtp,
    own_keys: Option<OwnKeys>,
    /// What we said last, to tell whether the version must go up.
    said: Option<SessionDescription>,
    agreed: Option<Negotiated>,
}

impl Session {
    /// A session that receives at `local`. `id` goes into the `o=` line: any number that is not reused
    /// soon, such as the leg's start in milliseconds. Offers name `codecs`, best first.
    pub fn new(id: u64, local: SocketAddr, codecs: &[Codec]) -> Self {
        Self {
            id,
            version: 1,
            local,
            codecs: codecs.to_vec(),
            srtp: Srtp::Off,
            own_keys: None,
            said: None,
            agreed: None,
        }
    }

    /// The same with keys of its own, so that it may be encrypted.
    pub fn with_srtp(mut self, srtp: Srtp, own_keys: OwnKeys) -> Self {
        (self.srtp, self.own_keys) = (srtp, Some(own_keys));
        self
    }

    /// Our first offer as it would be with this much encryption; [`Session::settle`] says which one went out.
    pub fn offer_with(&self, srtp: Srtp) -> Vec<u8> {
        Self { srtp, ..self.clone() }.offer()
    }

    /// The offer with this much encryption is the one that went out.
    pub fn settle(&mut self, srtp: Srtp) {
        self.srtp = srtp;
        // What it says is known; that it was said is not, yet. What an earlier one came to does not count for it.
        (self.said, self.agreed) = (None, None);
        self.offer();
    }

    /// Says from the next offer on that it receives there.
    pub const fn move_to(&mut self, local: SocketAddr) {
        self.local = local;
    }

    /// Uses these keys of its own from the next offer on.
    pub const fn rekey(&mut self, own_keys: OwnKeys) {
        self.own_keys = Some(own_keys);
    }

    /// Where it receives.
    pub(super) const fn local(&self) -> SocketAddr {
        self.local
    }

    /// What is in force.
    pub fn agreed(&self) -> Option<&Negotiated> {
        self.agreed.as_ref()
    }

    /// Our offer. Once something is agreed its codec comes first and its packet time stays.
    pub fn offer(&mut self) -> Vec<u8> {
        let mut codecs = self.codecs.clone();
        if let Some(agreed) = &self.agreed {
            codecs.sort_by_key(|c| *c != agreed.codec);
        }
        let extras =
            Extras { event: Some(self.event_taken()), noise: false, mux: self.agreed.is_none_or(|a| a.rtcp_mux) };
        let ptime = self.agreed.map_or(20, |a| a.ptime_ms);
        let said = self.said.iter().flat_map(|said| &said.media).find(|m| m.kind == "audio" && m.port != 0);
        let usual = if self.srtp == Srtp::Required { "RTP/SAVP" } else { "RTP/AVP" };
        let profile = said.map_or(usual, |said| &said.profile);
        let mut audio = self.audio(profile, &codecs, extras, ptime, Direction::SendRecv);
        if let Some(own) = self.own_keys.filter(|_| self.srtp != Srtp::Off) {
            audio.attributes.extend(own.offered().map(|line| Attribute::with("crypto", line.to_string())));
        }
        let mut media = vec![audio];
        // Later offers keep the number and order of m-lines (§8).
        if let Some(said) = &self.said
            && let Some(at) = said.media.iter().position(|m| m.kind == "audio" && m.port != 0)
        {
            let audio = std::mem::replace(&mut media, said.media.clone());
            media[at] = audio.into_iter().next().expect("one section was just made");
        }
        self.say(media)
    }

    /// Answers `offer`.
    pub fn answer(&mut self, offer: &[u8]) -> Result<(Vec<u8>, Negotiated), SdpError> {
        let offer = parse(offer)?;
        let chosen = self.reachable(choose(&offer, self.may_encrypt())?)?;
        let at = chosen.at;
        let ours = chosen.crypto.zip(self.own_keys).map(|(theirs, own)| theirs.answered_by(&own));
        let negotiated = Negotiated { srtp: self.keys(chosen.crypto), ..chosen.negotiated };
        let direction = Direction::of(negotiated.send, chosen.direction.sends());
        let media = offer
            .media
            .iter()
            .enumerate()
            .map(|(i, theirs)| {
                if i == at {
                    let extras = Extras {
                        event: negotiated.telephone_event.map(|event| event.taken),
                        noise: negotiated.comfort_noise,
                        mux: negotiated.rtcp_mux,
                    };
                    let mut audio =
                        self.audio(&theirs.profile, &[negotiated.codec], extras, negotiated.ptime_ms, direction);
                    audio.attributes.extend(ours.map(|line| Attribute::with("crypto", line.to_string())));
                    audio
                } else {
                    refused(theirs)
                }
            })
            .collect();
        let bytes = self.say(media);
        self.agreed = Some(negotiated);
        Ok((bytes, negotiated))
    }

    /// Reads the answer to our last offer.
    pub fn accept(&mut self, answer: &[u8]) -> Result<Negotiated, SdpError> {
        let answer = parse(answer)?;
        let chosen = self.reachable(choose(&answer, self.may_encrypt())?)?;
        if !self.codecs.contains(&chosen.negotiated.codec) {
            return Err(SdpError::Incompatible("the answer names a codec that was not offered"));
        }
        // RFC 4568 §5.1.3: one of the offered lines, by its tag.
        if chosen.crypto.is_some_and(|line| !OwnKeys::offers(line)) {
            return Err(SdpError::Incompatible("the answer names keys that were not offered"));
        }
        // What an answer grants that was not asked for does not hold.
        let offered_mux = self.said.iter().flat_map(|s| &s.media).any(|m| m.has("rtcp-mux"));
        let taken = self.event_taken();
        let negotiated = Negotiated {
            // Theirs is the answer's, ours the offer's.
            telephone_event: chosen.negotiated.telephone_event.map(|event| EventTypes { taken, ..event }),
            comfort_noise: false,
            rtcp_mux: chosen.negotiated.rtcp_mux && offered_mux,
            srtp: self.keys(chosen.crypto),
            ..chosen.negotiated
        };
        self.agreed = Some(negotiated);
        Ok(negotiated)
    }

    /// The type by which our offers take keys: what was said stays (RFC 3264 §8.3.2).
    fn event_taken(&self) -> u8 {
        self.agreed.and_then(|agreed| agreed.telephone_event).map_or(TELEPHONE_EVENT, |event| event.taken)
    }

    /// How much encryption there may be: none without keys of our own.
    fn may_encrypt(&self) -> Srtp {
        if self.own_keys.is_some() { self.srtp } else { Srtp::Off }
    }

    fn keys(&self, theirs: Option<Crypto>) -> Option<Keys> {
        let (theirs, own) = theirs.zip(self.own_keys)?;
        Some(Keys { suite: theirs.suite, ours: own.of(theirs.suite), theirs: theirs.key })
    }

    /// Our socket is of one family and cannot send to the other.
    fn reachable(&self, chosen: Chosen) -> Result<Chosen, SdpError> {
        let remote = chosen.negotiated.remote;
        if remote.is_ipv4() == self.local.is_ipv4() || remote.ip().is_unspecified() {
            Ok(chosen)
        } else {
            Err(SdpError::Incompatible("address family"))
        }
    }

    pub(super) fn say(&mut self, media: Vec<MediaDescription>) -> Vec<u8> {
        let mut description = SessionDescription {
            origin: Origin {
                username: "cordboard".into(),
                session: self.id,
                version: self.version,
                address: self.local.ip().to_string(),
            },
            name: "-".into(),
            connection: Some(Connection::Address(self.local.ip())),
            attributes: Vec::new(),
            media,
        };
        if let Some(said) = &self.said
            && *said != description
        {
            self.version += 1;
            description.origin.version = self.version;
        }
        let bytes = description.to_string().into_bytes();
        self.said = Some(description);
        bytes
    }

    fn audio(
        &self,
        profile: &str,
        codecs: &[Codec],
        extras: Extras,
        ptime: u8,
        direction: Direction,
    ) -> MediaDescription {
        let mut formats = Vec::new();
        let mut attributes = Vec::new();
        for codec in codecs {
            formats.push(codec.payload_type().to_string());
            attributes.push(Attribute::with("rtpmap", format!("{} {}/8000", codec.payload_type(), codec.name())));
        }
        if extras.noise {
            formats.push(COMFORT_NOISE.to_string());
            attributes.push(Attribute::with("rtpmap", format!("{COMFORT_NOISE} CN/8000")));
        }
        if let Some(event) = extras.event {
            formats.push(event.to_string());
            attributes.push(Attribute::with("rtpmap", format!("{event} telephone-event/8000")));
            attributes.push(Attribute::with("fmtp", format!("{event} 0-15")));
        }
        attributes.push(Attribute::with("ptime", ptime.to_string()));
        if extras.mux {
            attributes.push(Attribute::flag("rtcp-mux"));
        }
        attributes.push(Attribute::flag(direction.name()));
        MediaDescription {
            kind: "audio".into(),
            port: self.local.port(),
            profile: profile.to_owned(),
            formats,
            connection: None,
            attributes,
        }
    }
}

/// Where whoever wrote this description receives audio, if it says an address.
pub fn receives_at(description: &[u8]) -> Option<IpAddr> {
    let session = parse(description).ok()?;
    let audio = session.media.iter().find(|media| media.kind.eq_ignore_ascii_case("audio") && media.port != 0)?;
    match audio.connection.as_ref().or(session.connection.as_ref())? {
        Connection::Address(ip) => Some(*ip),
        Connection::Name(_) => None,
    }
}

/// What a section says beside its codecs.
#[derive(Clone, Copy)]
struct Extras {
    event: Option<u8>,
    noise: bool,
    mux: bool,
}

/// The section of an answer that turns one of theirs down (§6).
pub(super) fn refused(theirs: &MediaDescription) -> MediaDescription {
    MediaDescription {
        kind: theirs.kind.clone(),
        port: 0,
        profile: theirs.profile.clone(),
        formats: theirs.formats.clone(),
        connection: None,
        attributes: Vec::new(),
    }
}

struct Chosen {
    /// Which m-line.
    at: usize,
    /// As they stated it, before an old-style hold is taken into account.
    direction: Direction,
    negotiated: Negotiated,
    /// Their key, if it is encrypted.
    crypto: Option<Crypto>,
}

/// The first audio section we can take.
fn choose(session: &SessionDescription, srtp: Srtp) -> Result<Chosen, SdpError> {
    let mut error = SdpError::NoAudio;
    for (at, media) in session.media.iter().enumerate() {
        if !media.kind.eq_ignore_ascii_case("audio") || media.port == 0 {
            continue;
        }
        match crypto::pick(media, srtp).and_then(|crypto| Ok((crypto, take(session, media)?))) {
            Ok((crypto, negotiated)) => {
                return Ok(Chosen { at, direction: session.direction_of(media), negotiated, crypto });
            }
            Err(why) => error = why,
        }
    }
    Err(error)
}

fn take(session: &SessionDescription, media: &MediaDescription) -> Result<Negotiated, SdpError> {
    let formats: Vec<u8> = media.formats.iter().filter_map(|f| f.parse().ok()).collect();
    let codec = formats
        .iter()
        .find_map(|pt| Codec::ALL.into_iter().find(|c| c.payload_type() == *pt))
        .ok_or(SdpError::Incompatible("codec"))?;
    let telephone_event = rtpmaps(media)
        .find(|(pt, name)| formats.contains(pt) && name.eq_ignore_ascii_case("telephone-event/8000"))
        .map(|(pt, _)| EventTypes::same(pt));
    let ip = match media.connection.as_ref().or(session.connection.as_ref()) {
        Some(Connection::Address(ip)) if usable(*ip) => *ip,
        _ => return Err(SdpError::Address),
    };
    let direction = session.direction_of(media);
    // RFC 2543's way to hold: no address at all.
    let held = ip.is_unspecified();
    Ok(Negotiated {
        remote: SocketAddr::new(ip, media.port),
        codec,
        telephone_event,
        // At 8 kHz its type is static and needs no rtpmap.
        comfort_noise: formats.contains(&COMFORT_NOISE),
        rtcp_mux: media.has("rtcp-mux"),
        send: direction.receives() && !held,
        receive: direction.sends() && !held,
        ptime_ms: ptime(media),
        srtp: None,
    })
}

fn rtpmaps(media: &MediaDescription) -> impl Iterator<Item = (u8, &str)> {
    media.attributes.iter().filter(|a| a.name == "rtpmap").filter_map(|a| {
        let (pt, name) = a.value.as_deref()?.split_once(char::is_whitespace)?;
        Some((pt.parse().ok()?, name.trim()))
    })
}

pub(super) fn usable(ip: IpAddr) -> bool {
    !ip.is_multicast() && !matches!(ip, IpAddr::V4(v4) if v4.is_broadcast())
}

/// Their wish, in the whole tens of milliseconds between 10 and 60 that we make; 20 without one.
fn ptime(media: &MediaDescription) -> u8 {
    let read = |name| media.attribute(name).and_then(|v| v.split('.').next()?.parse::<u32>().ok());
    let wish = read("ptime").filter(|p| *p > 0).unwrap_or(20).min(read("maxptime").filter(|p| *p > 0).unwrap_or(60));
    u8::try_from((wish / 10 * 10).clamp(10, 60)).unwrap_or(20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session::new(7, "192.0.2.1:20000".parse().unwrap(), &Codec::ALL)
    }

    fn offer(body: &str) -> Vec<u8> {
        format!("v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n{body}").into_bytes()
    }

    fn answer(body: &str) -> Result<(String, Negotiated), SdpError> {
        session().answer(&offer(body)).map(|(bytes, n)| (String::from_utf8(bytes).unwrap(), n))
    }

    #[test]
    fn the_callers_first_codec_we_speak_is_taken() {
        let (text, n) = answer("m=audio 4000 RTP/AVP 18 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\n").unwrap();
        assert_eq!((n.codec, n.telephone_event, n.ptime_ms), (Codec::Pcma, Some(EventTypes::same(96)), 20));
        assert_eq!(n.remote.to_string(), "198.51.100.9:4000");
        assert!(text.contains("m=audio 20000 RTP/AVP 8 96\r\n"), "{text}");
        assert!(text.contains("a=sendrecv"));
    }

    #[test]
    fn wideband_is_taken_where_the_far_end_prefers_it_and_comes_last_in_our_offer() {
        let (text, n) = answer("m=audio 4000 RTP/AVP 9 0 8\r\n").unwrap();
        assert_eq!(n.codec, Codec::G722);
        assert!(text.contains("m=audio 20000 RTP/AVP 9\r\na=rtpmap:9 G722/8000\r\n"), "{text}");
        assert_eq!(answer("m=audio 4000 RTP/AVP 0 8 9\r\n").unwrap().1.codec, Codec::Pcmu);
        let mut ours = session();
        let said = String::from_utf8(ours.offer()).unwrap();
        assert!(said.contains("m=audio 20000 RTP/AVP 0 8 9 101\r\n"), "{said}");
        let theirs = offer("m=audio 4000 RTP/AVP 9 101\r\na=rtpmap:101 telephone-event/8000\r\n");
        assert_eq!(ours.accept(&theirs).unwrap().codec, Codec::G722);
        let again = String::from_utf8(ours.offer()).unwrap();
        assert!(again.contains("m=audio 20000 RTP/AVP 9 0 8 101\r\n"), "what is in use comes first: {again}");
    }

    #[test]
    fn comfort_noise_is_agreed_to_when_offered_and_never_asked_for() {
        let (text, n) = answer("m=audio 4000 RTP/AVP 0 13\r\n").unwrap();
        assert!(n.comfort_noise && text.contains("RTP/AVP 0 13\r\n") && text.contains("rtpmap:13 CN/8000"), "{text}");
        let (text, n) = answer("m=audio 4000 RTP/AVP 0\r\n").unwrap();
        assert!(!n.comfort_noise && !text.contains("13"), "{text}");
        let mut ours = session();
        assert!(!String::from_utf8(ours.offer()).unwrap().contains("CN/8000"));
        assert!(!ours.accept(&offer("m=audio 4000 RTP/AVP 0 13\r\n")).unwrap().comfort_noise);
    }

    #[test]
    fn what_an_earlier_trunk_answered_does_not_count_for_the_next_ones_offer() {
        let first = session();
        let mut ours = first.clone();
        ours.settle(Srtp::Off);
        assert!(!ours.accept(&offer("m=audio 4000 RTP/AVP 8\r\n")).unwrap().rtcp_mux);
        let out = first.offer_with(Srtp::Off);
        ours.settle(Srtp::Off);
        assert_eq!(ours.agreed(), None);
        assert_eq!(ours.said.as_ref().map(ToString::to_string), String::from_utf8(out).ok());
        assert!(ours.accept(&offer("m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n")).unwrap().rtcp_mux);
    }

    #[test]
    fn rtcp_shares_the_port_where_both_sides_say_so() {
        let (text, n) = answer("m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n").unwrap();
        assert!(n.rtcp_mux && text.contains("a=rtcp-mux\r\n"), "{text}");
        let (text, n) = answer("m=audio 4000 RTP/AVP 0\r\n").unwrap();
        assert!(!n.rtcp_mux && !text.contains("rtcp-mux"), "{text}");
        let mut ours = session();
        assert!(String::from_utf8(ours.offer()).unwrap().contains("a=rtcp-mux\r\n"));
        assert!(ours.accept(&offer("m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n")).unwrap().rtcp_mux);
        assert!(!ours.accept(&offer("m=audio 4000 RTP/AVP 0\r\n")).unwrap().rtcp_mux);
    }

    #[test]
    fn static_types_need_no_rtpmap_and_g729_alone_is_refused() {
        assert_eq!(answer("m=audio 4000 RTP/AVP 0\r\n").unwrap().1.telephone_event, None);
        assert_eq!(answer("m=audio 4000 RTP/AVP 18\r\n").unwrap_err(), SdpError::Incompatible("codec"));
    }

    #[test]
    fn fax_alone_is_refused_and_beside_audio_turned_down() {
        assert_eq!(answer("m=image 4000 udptl t38\r\n").unwrap_err(), SdpError::NoAudio);
        assert_eq!(answer("m=audio 0 RTP/AVP 0\r\nm=image 4000 udptl t38\r\n").unwrap_err(), SdpError::NoAudio);
        let (text, n) = answer("m=image 4002 udptl t38\r\nm=audio 4000 RTP/AVP 0\r\nm=video 6 RTP/AVP 99\r\n").unwrap();
        assert_eq!(n.remote.port(), 4000);
        let lines: Vec<&str> = text.lines().filter(|l| l.starts_with("m=")).collect();
        assert_eq!(lines, ["m=image 0 udptl t38", "m=audio 20000 RTP/AVP 0", "m=video 0 RTP/AVP 99"]);
    }

    #[test]
    fn secure_media_is_refused_but_stray_keys_are_ignored() {
        let key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\na=ice-ufrag:abcd\r\n";
        assert_eq!(answer(&format!("m=audio 4 RTP/SAVP 0\r\n{key}")).unwrap_err(), SdpError::Incompatible("transport"));
        let (text, _) = answer(&format!("m=audio 4 RTP/SAVP 0\r\n{key}m=audio 6 RTP/AVP 0\r\n{key}")).unwrap();
        assert!(text.contains("m=audio 0 RTP/SAVP 0\r\nm=audio 20000 RTP/AVP 0\r\n"), "{text}");
        assert!(!text.contains("crypto") && !text.contains("ice-"));
    }

    #[test]
    fn hold_is_known_in_all_its_forms() {
        for (body, send, receive, ours) in [
            ("m=audio 4 RTP/AVP 0\r\na=sendonly\r\n", false, true, "a=recvonly"),
            ("a=inactive\r\nm=audio 4 RTP/AVP 0\r\n", false, false, "a=inactive"),
            ("m=audio 4 RTP/AVP 0\r\na=recvonly\r\n", true, false, "a=sendonly"),
            ("m=audio 4 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", false, false, "a=recvonly"),
        ] {
            let (text, n) = answer(body).unwrap();
            assert_eq!((n.send, n.receive), (send, receive), "{body}");
            assert!(text.contains(ours), "{text}");
        }
    }

    #[test]
    fn packet_times_are_taken_from_10_to_60() {
        for (line, ms) in [("ptime:10", 10), ("ptime:60", 60), ("ptime:90", 60), ("ptime:25", 20), ("maxptime:10", 10)]
        {
            assert_eq!(answer(&format!("m=audio 4 RTP/AVP 0\r\na={line}\r\n")).unwrap().1.ptime_ms, ms, "{line}");
        }
    }

    #[test]
    fn ipv6_is_spoken_and_multicast_and_names_are_not() {
        let six_offer = offer("m=audio 4 RTP/AVP 0\r\nc=IN IP6 2001:db8::7\r\n");
        let mut six = Session::new(1, "[2001:db8::1]:20000".parse().unwrap(), &[Codec::Pcmu]);
        assert!(String::from_utf8(six.offer()).unwrap().contains("c=IN IP6 2001:db8::1\r\n"));
        let (text, n) = six.answer(&six_offer).unwrap();
        assert_eq!(n.remote.to_string(), "[2001:db8::7]:4");
        assert!(String::from_utf8(text).unwrap().contains("IN IP6 2001:db8::1"));
        assert_eq!(session().answer(&six_offer).unwrap_err(), SdpError::Incompatible("address family"));
        for c in ["IN IP4 239.1.1.1/127", "IN IP4 media.example", "IN IP4 255.255.255.255"] {
            assert_eq!(answer(&format!("m=audio 4 RTP/AVP 0\r\nc={c}\r\n")).unwrap_err(), SdpError::Address);
        }
    }

    #[test]
    fn a_later_offer_keeps_the_type_that_our_first_gave_keys() {
        let mut ours = session();
        let says = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert!(says(ours.offer()).contains("a=rtpmap:101 telephone-event/8000\r\n"));
        let answer = offer("m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n");
        let types = ours.accept(&answer).unwrap().telephone_event.unwrap();
        assert_eq!((types.sent, types.taken), (96, 101));
        assert!(types.is_key(101) && types.is_key(96) && !types.is_key(0));
        let again = says(ours.offer());
        assert!(again.contains("a=rtpmap:101 telephone-event/8000\r\n") && !again.contains("96"), "{again}");
    }

    #[test]
    fn our_version_goes_up_when_our_words_change_and_only_then() {
        let mut s = session();
        let version = |bytes: Vec<u8>| {
            parse(&bytes).map(|d| (d.origin.session, d.origin.version)).expect("we print what we parse")
        };
        let talk = offer("m=audio 4000 RTP/AVP 0\r\n");
        assert_eq!(version(s.answer(&talk).unwrap().0), (7, 1));
        assert_eq!(version(s.answer(&talk).unwrap().0), (7, 1));
        assert_eq!(version(s.answer(&offer("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n")).unwrap().0), (7, 2));
        assert!(s.answer(&offer("m=image 4000 udptl t38\r\n")).is_err());
        assert_eq!(version(s.answer(&talk).unwrap().0), (7, 3));
    }

    #[test]
    fn an_offer_of_ours_is_answered_by_another_session() {
        let (mut us, mut them) = (session(), Session::new(9, "198.51.100.1:3000".parse().unwrap(), &[]));
        let (bytes, theirs) = them.answer(&us.offer()).unwrap();
        let ours = us.accept(&bytes).unwrap();
        assert_eq!((ours.codec, ours.telephone_event), (Codec::Pcmu, Some(EventTypes::same(101))));
        assert_eq!((ours.remote.port(), theirs.remote.port()), (3000, 20000));
        assert!(us.accept(&offer("m=audio 0 RTP/AVP 0\r\n")).is_err());
    }
}
