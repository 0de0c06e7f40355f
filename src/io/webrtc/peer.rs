//! The way to one browser over one socket: ICE and DTLS by webrtc-rs' sans-IO core (`rtc`), and out of them the
//! address to send to and the keys of SRTP.
//!
//! Audio and reports do not pass through here: the leg encrypts and sends them itself, which costs a fraction of what
//! the core takes per packet and allocates nothing. Owns no socket, thread or clock: a shard feeds in the datagrams
//! that are not media ([`is_media`]), drains what is to be sent, once per tick, and hands in the time. Always: we
//! offer, the browser answers; full ICE in the controlling role (the core's ICE-lite ignores a second nomination and
//! loses the path after 5 s); any offered payload type may arrive, whatever order the answer has; the audio sent
//! carries [`WebPeer::ssrc`]; the core, which has the keys too, sends no media of its own.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc::crypto::{self, SignatureScheme};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::certificate::{CertificateParams, RTCCertificate};
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::interceptor_registry::Registry;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_G722, MIME_TYPE_PCMA, MIME_TYPE_PCMU, MIME_TYPE_TELEPHONE_EVENT, MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::{SettingEngine, SettingEngineBuilder};
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::peer_connection::transport::{
    CandidateConfig, CandidateHostConfig, RTCIceCandidate, RTCIceCandidateInit, RTCIceCandidatePair,
};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::RTCRtpSenderId;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc::statistics::StatsSelector;

use crate::base::rng::secure_bytes;
use crate::io::media::Codec;
use crate::proto::rtp::packet::TELEPHONE_EVENT;
use crate::proto::rtp::srtp::Keys;

use super::core::Core;
use super::keying::Keying;

/// The pace of connectivity checks: audio 100 ms after the answer instead of 1.6 s with the core's own.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// Checks of one way before it counts as closed for good, 2 s: the core's own 7 would be through before a browser far
/// away, or its relay, has opened the way from its side.
const CHECKS: u16 = 100;
/// A relayed way waits so long for a direct one to turn up; the core would wait 2 s.
const RELAY_WAIT: Duration = Duration::from_millis(300);

/// No browser's answer to one audio line comes near this.
const MAX_ANSWER: usize = 64 * 1024;

/// The identity of our side in DTLS, made once per process and shared by all peers.
#[derive(Clone, Debug)]
pub struct Certificate(RTCCertificate);

impl Certificate {
    /// A fresh self-signed certificate.
    pub fn generate() -> Result<Self, WebError> {
        let provider = crypto::default_provider().map_err(|e| WebError::Core(e.to_string()))?;
        let params = CertificateParams::new(vec!["cordboard".to_owned()]).map_err(|e| WebError::Core(e.to_string()))?;
        RTCCertificate::generate(provider.crypto(), SignatureScheme::EcdsaP256Sha256, params).map(Self).map_err(core)
    }
}

/// Why a peer could not be made, or its answer not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebError {
    /// The address to offer is unspecified (`0.0.0.0`), so no browser could reach it.
    Address,
    /// The answer takes none of the codecs offered.
    NoCommonCodec,
    /// The answer is longer than any browser's.
    TooLong,
    /// The core refused, in its own words.
    Core(String),
}

impl fmt::Display for WebError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("a browser cannot be offered an unspecified address"),
            Self::NoCommonCodec => f.write_str("the browser takes none of the codecs offered (PCMU, PCMA, G.722)"),
            Self::TooLong => f.write_str("the browser's answer is too long"),
            Self::Core(why) => write!(f, "webrtc: {why}"),
        }
    }
}

impl std::error::Error for WebError {}

fn core(error: rtc::shared::error::Error) -> WebError {
    WebError::Core(error.to_string())
}

/// How the path to the browser stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// Offered; or answered, and ICE or DTLS is not through yet.
    Connecting,
    /// Audio can pass.
    Up,
    /// Nothing was heard from the browser for 5 s; it may come back.
    Down,
    /// Given up, or closed by us. Final.
    Failed,
}

/// Whether a datagram is SRTP or SRTCP, which are the leg's, and not STUN or DTLS, which are the core's (RFC 7983 §7).
pub const fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, ..])
}

/// Our end of a connection to one browser.
pub struct WebPeer {
    core: Core,
    keying: Arc<Keying>,
    /// Agreed, and not taken by the leg yet.
    keys: Option<Keys>,
    /// The address of the path in use.
    remote: Option<SocketAddr>,
    /// When the core has something to do, as it said last.
    due_at: Option<Instant>,
    sender: RTCRtpSenderId,
    /// The address the browser was offered: the core knows our socket by it.
    offered: SocketAddr,
    ssrc: u32,
    codec: Codec,
    telephone_event: Option<u8>,
    state: PeerState,
    /// A path was found that nobody was told of yet.
    connected: bool,
}

const _: () = {
    const fn assert_send<T: Send>() {}
    assert_send::<WebPeer>();
};

impl fmt::Debug for WebPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebPeer").field("state", &self.state).field("codec", &self.codec).finish_non_exhaustive()
    }
}

impl WebPeer {
    /// A peer for the socket bound at `local`, and the offer for the browser. `public` is offered in place
    /// of the socket's own address where we stand behind a NAT. `codecs`: the ones offered, the preferred first.
    pub fn new(
        now: Instant,
        local: SocketAddr,
        public: Option<IpAddr>,
        certificate: &Certificate,
        codecs: &[Codec],
    ) -> Result<(Self, String), WebError> {
        let offered = SocketAddr::new(public.unwrap_or_else(|| local.ip()), local.port());
        let preferred = codecs.first().copied().ok_or(WebError::NoCommonCodec)?;
        if offered.ip().is_unspecified() {
            return Err(WebError::Address);
        }
        let ssrc = u32::from_le_bytes(secure_bytes());
        let parameters: Vec<_> = codecs.iter().map(|c| codec_parameters(*c)).chain([telephone_event()]).collect();
        let keying = Keying::new(crypto::default_provider().map_err(|e| WebError::Core(e.to_string()))?);
        let mut peer = build(now, offered.ip(), certificate, &parameters, &keying)?;
        let track = MediaStreamTrack::new(
            "cordboard".to_owned(),
            "audio".to_owned(),
            "audio".to_owned(),
            RtpCodecKind::Audio,
            vec![RTCRtpEncodingParameters {
                rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
                codec: codec_parameters(preferred).rtp_codec,
                ..Default::default()
            }],
        );
        let sender = peer.add_track(track).map_err(core)?;
        // Without this the core offers the track's own codec alone: no second codec, no digits.
        let transceiver = peer.get_transceivers().next();
        if let Some(mut transceiver) = transceiver.and_then(|id| peer.rtp_transceiver(id)) {
            transceiver.set_codec_preferences(parameters).map_err(core)?;
        }
        let offer = peer.create_offer(None).map_err(core)?;
        peer.add_local_candidate(host_candidate(offered)?).map_err(core)?;
        peer.set_local_description(now, offer).map_err(core)?;
        // An empty candidate says that there are no more; only then does the description hold them all.
        peer.add_local_candidate(RTCIceCandidateInit::default()).map_err(core)?;
        let offer = peer.local_description().ok_or_else(|| WebError::Core("no local description".to_owned()))?.sdp;
        let peer = Self {
            core: Core::new(peer),
            keying,
            keys: None,
            remote: None,
            due_at: None,
            sender,
            offered,
            ssrc,
            codec: preferred,
            telephone_event: None,
            state: PeerState::Connecting,
            connected: false,
        };
        Ok((peer, offer))
    }

    /// Takes the browser's answer; connectivity checks start with it.
    pub fn accept(&mut self, now: Instant, answer: &str) -> Result<(), WebError> {
        if answer.len() > MAX_ANSWER {
            return Err(WebError::TooLong);
        }
        // RFC 3264 §6: port 0 refuses the stream.
        if answer.lines().any(|line| line.starts_with("m=audio 0 ")) {
            return Err(WebError::NoCommonCodec);
        }
        let answer = RTCSessionDescription::answer(answer.to_owned()).map_err(core)?;
        self.core.set_remote_description(now, answer).map_err(core)?;
        let mut sender = self.core.rtp_sender(self.sender).ok_or(WebError::NoCommonCodec)?;
        let agreed = &sender.get_parameters().rtp_parameters.codecs;
        let is = |c: &RTCRtpCodecParameters, mime: &str| c.rtp_codec.mime_type.eq_ignore_ascii_case(mime);
        self.codec = agreed
            .iter()
            .find_map(|c| [Codec::Pcmu, Codec::Pcma, Codec::G722].into_iter().find(|codec| is(c, mime(*codec))))
            .ok_or(WebError::NoCommonCodec)?;
        self.telephone_event = agreed.iter().find(|c| is(c, MIME_TYPE_TELEPHONE_EVENT)).map(|c| c.payload_type);
        Ok(())
    }

    /// A datagram from the socket that is not media. What cannot be used is dropped by the core.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        if is_media(bytes) {
            return;
        }
        let transport = TransportContext {
            local_addr: self.offered,
            peer_addr: from,
            ecn: None,
            transport_protocol: TransportProtocol::UDP,
        };
        // Noise from the network is not an error of ours: unauthenticated bytes never end a call.
        let _ = self.core.handle_read(TaggedBytesMut { now, transport, message: BytesMut::from(bytes) });
    }

    /// The next datagram to send. To be drained once per tick; costs nothing while nothing happens.
    pub fn poll_transmit(&mut self) -> Option<(SocketAddr, BytesMut)> {
        while self.core.is_stirred() {
            while let Some(out) = self.core.ask().poll_write() {
                // Two who send under one key would give it away.
                if !is_media(&out.message) {
                    return Some((out.transport.peer_addr, out.message));
                }
            }
            self.drain_events();
            self.core.asked();
            if !self.core.is_stirred() {
                self.settle();
            }
        }
        None
    }

    /// What came of all that the core was told.
    fn settle(&mut self) {
        self.due_at = self.core.ask().poll_timeout();
        self.keys = self.keying.take().or(self.keys);
        let sender = self.core.ask().rtp_sender(self.sender);
        let pair = sender.and_then(|sender| sender.transport()?.ice_transport().get_selected_candidate_pair());
        let address = |pair: RTCIceCandidatePair| {
            let remote = pair.remote();
            Some(SocketAddr::new(remote.address.parse().ok()?, remote.port))
        };
        // While the path changes the old one is the best there is.
        self.remote = pair.and_then(address).or(self.remote);
    }

    /// The keys of audio and reports, once after each handshake.
    pub const fn take_keys(&mut self) -> Option<Keys> {
        self.keys.take()
    }

    /// Where audio and reports are sent to, as of the last drain.
    pub const fn remote(&self) -> Option<SocketAddr> {
        self.remote
    }

    /// When [`Self::handle_timeout`] is due.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        if self.core.is_stirred() { self.core.ask().poll_timeout() } else { self.due_at }
    }

    /// Does what is due by `now`: checks and retransmissions.
    pub fn handle_timeout(&mut self, now: Instant) {
        // The core stops at the first part that objects and goes on with the next call.
        let _ = self.core.handle_timeout(now);
        self.drain_events();
    }

    /// Ends the connection. What [`Self::poll_transmit`] gives afterwards is a courtesy that browsers
    /// ignore for seconds: hanging up is signalling's work.
    pub fn close(&mut self) {
        let _ = self.core.close();
        self.state = PeerState::Failed;
    }

    /// How the path stands, as of the last drain.
    pub const fn state(&self) -> PeerState {
        self.state
    }

    /// The time there and back, as the checks of the path in use measure it; nothing before the first.
    pub fn round_trip(&mut self, now: Instant) -> Option<Duration> {
        let stats = self.core.ask().get_stats(now, StatsSelector::None);
        let in_use = &stats.transport()?.selected_candidate_pair_id;
        let pair = stats.candidate_pairs().find(|pair| pair.stats.id == *in_use)?;
        let time = Duration::try_from_secs_f64(pair.current_round_trip_time).ok()?;
        (!time.is_zero()).then_some(time)
    }

    /// The codec to send; after the answer the first that both take.
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// The payload type for digits, if the answer took it.
    pub const fn telephone_event(&self) -> Option<u8> {
        self.telephone_event
    }

    /// The source identifier of all we send.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    fn drain_events(&mut self) {
        while let Some(event) = self.core.ask().poll_event() {
            let RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) = event else { continue };
            if self.state == PeerState::Failed {
                continue;
            }
            self.state = match state {
                RTCPeerConnectionState::Connected => PeerState::Up,
                RTCPeerConnectionState::Disconnected => PeerState::Down,
                RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => PeerState::Failed,
                // At first; and in a restart, where what the old path was counts until there is a new one.
                _ => self.state,
            };
            self.connected |= state == RTCPeerConnectionState::Connected;
        }
    }
}

fn audio(mime: &str, fmtp: &str, payload_type: u8) -> RTCRtpCodecParameters {
    let rtp_codec = RTCRtpCodec {
        mime_type: mime.to_owned(),
        clock_rate: 8_000,
        // 1 would be written out as `PCMU/8000/1`, which no browser offers back.
        channels: 0,
        sdp_fmtp_line: fmtp.to_owned(),
        rtcp_feedback: Vec::new(),
    };
    RTCRtpCodecParameters { rtp_codec, payload_type }
}

fn codec_parameters(codec: Codec) -> RTCRtpCodecParameters {
    audio(mime(codec), "", codec.payload_type())
}

const fn mime(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcmu => MIME_TYPE_PCMU,
        Codec::Pcma => MIME_TYPE_PCMA,
        Codec::G722 => MIME_TYPE_G722,
    }
}

fn telephone_event() -> RTCRtpCodecParameters {
    audio(MIME_TYPE_TELEPHONE_EVENT, "0-15", TELEPHONE_EVENT)
}

fn settings(address: IpAddr, keying: &Arc<Keying>) -> SettingEngine {
    SettingEngineBuilder::new()
        .with_crypto_provider(Arc::<Keying>::clone(keying))
        // What every browser has (RFC 8827 §6.5) and the leg speaks.
        .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80])
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS))
        // The browser's answer comes without candidates, so its address is learned from its first check;
        // the core would by default wait a second for something better.
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_srflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_relay_acceptance_min_wait(Some(RELAY_WAIT))
        .with_include_loopback_candidate(address.is_loopback())
        .build()
}

fn build(
    now: Instant,
    address: IpAddr,
    certificate: &Certificate,
    codecs: &[RTCRtpCodecParameters],
    keying: &Arc<Keying>,
) -> Result<RTCPeerConnection, WebError> {
    let mut media = MediaEngine::default();
    for codec in codecs {
        media.register_codec(codec.clone(), RtpCodecKind::Audio).map_err(core)?;
    }
    let configuration = RTCConfigurationBuilder::new().with_certificates(vec![certificate.0.clone()]).build();
    RTCPeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_setting_engine(settings(address, keying))
        .with_media_engine(media)
        // Reports are the leg's.
        .with_interceptor_registry(Registry::new())
        .build(now)
        .map_err(core)
}

fn host_candidate(address: SocketAddr) -> Result<RTCIceCandidateInit, WebError> {
    let base_config = CandidateConfig {
        network: "udp".to_owned(),
        address: address.ip().to_string(),
        port: address.port(),
        component: 1,
        ..Default::default()
    };
    let candidate = CandidateHostConfig { base_config, ..Default::default() }.new_candidate_host().map_err(core)?;
    RTCIceCandidate::from(&candidate).to_json().map_err(core)
}

#[path = "restart.rs"]
mod restart;

#[cfg(test)]
#[path = "peer_tests.rs"]
mod tests;
