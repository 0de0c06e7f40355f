//! A browser's end of a call without a browser: answers our offer by webrtc-rs' core over a socket of its own, talks
//! every 20 ms once it is connected, and counts what it hears.
//!
//! For tests and measurements of browser legs. Knows no clock; whoever owns it hands in the time.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use cordboard::proto::rtp::packet::Header;
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

/// Who it says it is.
pub const SSRC: u32 = 4_711;

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

fn codec(mime: &str) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: mime.to_owned(),
        clock_rate: 8_000,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: Vec::new(),
    }
}

impl Softphone {
    /// Answers an offer, and reports on what it hears.
    pub fn answer(now: Instant, offer: &str) -> (Self, String) {
        Self::with(configure_rtcp_reports(Registry::new()), now, offer, &[(MIME_TYPE_PCMU, 0)])
    }

    /// Answers in these codecs and payload types, the first of which it speaks, and makes no reports.
    pub fn answer_in(now: Instant, offer: &str, codecs: &[(&str, u8)]) -> (Self, String) {
        Self::with(Registry::new(), now, offer, codecs)
    }

    fn with(reports: Registry, now: Instant, offer: &str, codecs: &[(&str, u8)]) -> (Self, String) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
        socket.set_nonblocking(true).expect("a socket");
        let local = socket.local_addr().expect("a bound socket");
        let mut media = MediaEngine::default();
        for (mime, payload_type) in codecs {
            let parameters = RTCRtpCodecParameters { rtp_codec: codec(mime), payload_type: *payload_type };
            media.register_codec(parameters, RtpCodecKind::Audio).expect("a codec");
        }
        let settings = SettingEngineBuilder::new()
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_ice_connection_attempts(Some(Duration::from_millis(20)), None)
            .with_include_loopback_candidate(true)
            .build();
        let mut core = RTCPeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_setting_engine(settings)
            .with_media_engine(media)
            .with_interceptor_registry(reports)
            .build(now)
            .expect("a core");
        let offer = RTCSessionDescription::offer(offer.to_owned()).expect("an offer");
        core.set_remote_description(now, offer).expect("the offer is taken");
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(SSRC), ..Default::default() },
            codec: codec(codecs[0].0),
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
        let (sequence, timestamp) = (self.sequence, u32::from(self.sequence) * 160);
        self.sequence = self.sequence.wrapping_add(1);
        let header = Header { payload_type: 0, marker: false, sequence, timestamp, ssrc: SSRC };
        self.say(now, &header, Bytes::from_static(&[0x2a; 160]));
    }

    /// Says this packet.
    pub fn say(&mut self, now: Instant, header: &Header, payload: Bytes) {
        let header = rtc::rtp::Header {
            version: 2,
            marker: header.marker,
            payload_type: header.payload_type,
            sequence_number: header.sequence,
            timestamp: header.timestamp,
            ssrc: header.ssrc,
            ..Default::default()
        };
        let packet = rtc::rtp::Packet { header, payload };
        let _ = self.core.rtp_sender(self.sender).expect("a sender").write_rtp(now, packet);
    }

    /// Its socket.
    pub const fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Takes what came, does what is due, sends what there is.
    pub fn turn(&mut self, now: Instant) {
        self.turn_hearing(now, |_, _| {});
    }

    /// The same, and hands over each packet that is heard.
    pub fn turn_hearing(&mut self, now: Instant, mut hear: impl FnMut(Header, &[u8])) {
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
            if let RTCMessage::RtpPacket(_, packet) = read.message {
                self.heard += 1;
                let header = Header {
                    payload_type: packet.header.payload_type,
                    marker: packet.header.marker,
                    sequence: packet.header.sequence_number,
                    timestamp: packet.header.timestamp,
                    ssrc: packet.header.ssrc,
                };
                hear(header, &packet.payload);
            }
        }
        while let Some(out) = self.core.poll_write() {
            let _ = self.socket.send_to(&out.message, out.transport.peer_addr);
        }
    }
}
