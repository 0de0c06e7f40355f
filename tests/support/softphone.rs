//! A browser's end of a call without a browser: answers our offer by webrtc-rs' core over a socket of its own, talks
//! every 20 ms once it is connected, and counts what it hears.
//!
//! For tests and measurements of browser legs. Knows no clock; whoever owns it hands in the time.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc::ice::mdns::MulticastDnsMode;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::interceptor_registry::{Registry, configure_rtcp_reports};
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_PCMU, MediaEngine};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::RTCRtpSenderId;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};

const SSRC: u32 = 4_711;

/// One of them.
pub struct Softphone {
    core: RTCPeerConnection,
    sender: RTCRtpSenderId,
    socket: UdpSocket,
    local: SocketAddr,
    sequence: u16,
    /// Packets of sound heard so far.
    pub heard: u64,
}

fn pcmu() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_PCMU.to_owned(),
        clock_rate: 8_000,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: Vec::new(),
    }
}

impl Softphone {
    /// Answers an offer.
    pub fn answer(now: Instant, offer: &str) -> (Self, String) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
        socket.set_nonblocking(true).expect("a socket");
        let local = socket.local_addr().expect("a bound socket");
        let mut media = MediaEngine::default();
        let codec = RTCRtpCodecParameters { rtp_codec: pcmu(), payload_type: 0 };
        media.register_codec(codec, RtpCodecKind::Audio).expect("a codec");
        let settings = SettingEngineBuilder::new()
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_ice_connection_attempts(Some(Duration::from_millis(20)), None)
            .with_include_loopback_candidate(true)
            .build();
        let mut core = RTCPeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_setting_engine(settings)
            .with_media_engine(media)
            .with_interceptor_registry(configure_rtcp_reports(Registry::new()))
            .build(now)
            .expect("a core");
        let offer = RTCSessionDescription::offer(offer.to_owned()).expect("an offer");
        core.set_remote_description(now, offer).expect("the offer is taken");
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(SSRC), ..Default::default() },
            codec: pcmu(),
            ..Default::default()
        };
        let names = ["stream", "track", "audio"].map(str::to_owned);
        let [stream, track, label] = names;
        let track = MediaStreamTrack::new(stream, track, label, RtpCodecKind::Audio, vec![encoding]);
        let sender = core.add_track(track).expect("a track");
        let base_config = CandidateConfig {
            network: "udp".to_owned(),
            address: local.ip().to_string(),
            port: local.port(),
            component: 1,
            ..Default::default()
        };
        let candidate = CandidateHostConfig { base_config, ..Default::default() }.new_candidate_host();
        let candidate = RTCIceCandidate::from(&candidate.expect("a candidate")).to_json().expect("a candidate");
        core.add_local_candidate(candidate).expect("the candidate is taken");
        let answer = core.create_answer(None).expect("an answer");
        core.set_local_description(now, answer.clone()).expect("the answer is ours");
        (Self { core, sender, socket, local, sequence: 0, heard: 0 }, answer.sdp)
    }

    /// Says 20 ms, which nobody hears before the path is up.
    pub fn talk(&mut self, now: Instant) {
        let header = rtc::rtp::Header {
            version: 2,
            payload_type: 0,
            sequence_number: self.sequence,
            timestamp: u32::from(self.sequence) * 160,
            ssrc: SSRC,
            ..Default::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        let packet = rtc::rtp::Packet { header, payload: Bytes::from_static(&[0x2a; 160]) };
        let _ = self.core.rtp_sender(self.sender).expect("a sender").write_rtp(now, packet);
    }

    /// Takes what came, does what is due, sends what there is.
    pub fn turn(&mut self, now: Instant) {
        let mut buffer = [0; 2_000];
        while let Ok((len, peer_addr)) = self.socket.recv_from(&mut buffer) {
            let transport = TransportContext {
                local_addr: self.local,
                peer_addr,
                ecn: None,
                transport_protocol: TransportProtocol::UDP,
            };
            let message = BytesMut::from(&buffer[..len]);
            let _ = self.core.handle_read(TaggedBytesMut { now, transport, message });
        }
        if self.core.poll_timeout().is_some_and(|at| at <= now) {
            let _ = self.core.handle_timeout(now);
        }
        while self.core.poll_event().is_some() {}
        while let Some(read) = self.core.poll_read() {
            self.heard += u64::from(matches!(read.message, RTCMessage::RtpPacket(..)));
        }
        while let Some(out) = self.core.poll_write() {
            let _ = self.socket.send_to(&out.message, out.transport.peer_addr);
        }
    }
}
