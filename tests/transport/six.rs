//! IPv6: a whole call over ::1, its addresses in brackets, its audio from leg to leg; and audio between the families.

use std::sync::Arc;

use cordboard::base::clock::SystemClock;
use cordboard::domain::call::bridge::{BridgeId, HearMatrix, LegId};
use cordboard::domain::call::cause::Cause;
use cordboard::engine::signal::{LEG_EVENT_DEPTH, LegCommand, LegEvent};
use cordboard::engine::trunk::Carriage;
use cordboard::io::media::{Media, MediaEvent, Place, PlayId, RtpParameters, Strays};
use cordboard::proto::audio::codec::Codec;
use cordboard::proto::sdp::{Session, Srtp};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::media::{config, plain, prompt};
use super::peers::skip;
use super::secure_audio::{media, ports};
use super::{SOON, carrier, dialled, end, line, next, options, trunk_side};

#[tokio::test]
async fn a_call_over_ipv6_is_heard_on_both_ends() {
    if UdpSocket::bind("[::1]:0").await.is_err() {
        return skip("a call over IPv6", "this system has no ::1");
    }
    let nobody = carrier("[::1]:9", Carriage::Udp, Srtp::Off);
    let (b, mut calls) = trunk_side("[::1]:0", None, nobody).await;
    for over in [Carriage::Udp, Carriage::Tcp] {
        let (a, _calls) = trunk_side("[::1]:0", None, carrier(&b.local().to_string(), over, Srtp::Off)).await;
        let (media, mut told) = media("::1", ports(2));
        let (ours, theirs) = (LegId(1), LegId(2));
        let at = [ours, theirs].map(|leg| media.open_rtp(media.pick_shard(), leg).expect("a port"));
        let sessions = at.map(|local| Session::new(1, local, &[Codec::Pcmu]));
        let [mut one, mut two] = sessions;
        let (events, mut heard) = mpsc::channel(LEG_EVENT_DEPTH);
        a.dial(ours, dialled(), one.offer(), events);
        let mut call = next(&mut calls).await;
        let offer = call.offer.clone().expect("an offer");
        assert!(String::from_utf8_lossy(&offer).contains("c=IN IP6 ::1\r\n"));
        let (answer, agreed) = two.answer(&offer).expect("they agree");
        media.connect_rtp(theirs, agreed.into()).expect("open");
        b.send(call.leg, LegCommand::Answer(answer));
        let LegEvent::Answered(answer) = next(&mut heard).await else { panic!("not answered") };
        media.connect_rtp(ours, one.accept(&answer).expect("we agree").into()).expect("open");
        assert!(matches!(next(&mut call.events).await, LegEvent::Established(None)));
        for leg in [ours, theirs] {
            media.play(leg, PlayId(1), prompt(700.0), false).expect("open");
        }
        let mut played = 0;
        while played < 2 {
            played += usize::from(matches!(next(&mut told).await, MediaEvent::PlayDone { .. }));
        }
        a.send(ours, LegCommand::HangUp);
        assert_eq!(end(&mut call.events).await, Cause::HungUp);
        for leg in [ours, theirs] {
            media.close(leg);
        }
        for _ in 0..2 {
            let MediaEvent::Closed { stats, .. } = next(&mut told).await else { panic!("something else") };
            assert!(stats.packets_in >= 40, "{stats:?}");
        }
    }
}

#[tokio::test]
async fn addresses_stand_in_brackets_and_a_socket_for_both_families_serves_both() {
    let Ok(six) = UdpSocket::bind("[::1]:0").await else {
        return skip("both families on one socket", "this system has no ::1");
    };
    let four = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let (trunk, _calls) = trunk_side("[::]:0", None, carrier("127.0.0.1:9", Carriage::Udp, Srtp::Off)).await;
    let port = trunk.local().port();
    for (socket, to, received) in
        [(&six, format!("[::1]:{port}"), "received=::1"), (&four, format!("127.0.0.1:{port}"), "received=127.0.0.1")]
    {
        let ask = String::from_utf8(options("UDP", 9, &received[9..].replace([':', '.'], "x")))
            .expect("text")
            .replace(";branch", ";rport;branch");
        let ask = ask.replace("127.0.0.1:9", "there.example");
        socket.send_to(ask.as_bytes(), &to).await.expect("loopback takes it");
        let mut buffer = [0; 4_096];
        let (len, _) = timeout(SOON, socket.recv_from(&mut buffer)).await.expect("in time").expect("an answer");
        let answer = String::from_utf8_lossy(&buffer[..len]).into_owned();
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        assert!(line(&answer, "Via: ").contains(received), "{answer}");
    }
    // And out of it.
    let (trunk, _calls) =
        trunk_side("[::1]:0", None, carrier(&six.local_addr().expect("bound").to_string(), Carriage::Udp, Srtp::Off))
            .await;
    let _events = super::dial(&trunk, LegId(1));
    let mut buffer = [0; 4_096];
    let (len, _) = timeout(SOON, six.recv_from(&mut buffer)).await.expect("in time").expect("a call");
    let invite = String::from_utf8_lossy(&buffer[..len]).into_owned();
    let own = trunk.local();
    assert!(own.to_string().starts_with("[::1]:"));
    assert!(line(&invite, "Via: ").starts_with(&format!("Via: SIP/2.0/UDP {own};branch=")), "{invite}");
    assert_eq!(line(&invite, "Contact: "), format!("Contact: <sip:{own}>"));
}

/// A plain far end at this address: says where, and sends a tone now and then.
struct End(std::net::UdpSocket);

impl End {
    fn open(address: &str) -> Option<Self> {
        let socket = std::net::UdpSocket::bind(address).ok()?;
        socket.set_read_timeout(Some(SOON)).ok()?;
        Some(Self(socket))
    }

    fn agreed(&self) -> RtpParameters {
        let remote = self.0.local_addr().expect("bound");
        RtpParameters { telephone_event: None, rtcp_mux: true, ..plain(remote) }
    }

    /// Sends so many packets that hold this byte.
    fn says(&self, to: std::net::SocketAddr, byte: u8) {
        for sequence in 0..10_u16 {
            let mut packet = vec![0x80, 0];
            packet.extend(sequence.to_be_bytes());
            packet.extend((u32::from(sequence) * 160).to_be_bytes());
            packet.extend(u32::from(byte).to_be_bytes());
            packet.extend([byte; 160]);
            self.0.send_to(&packet, to).expect("loopback takes a datagram");
        }
    }

    fn hears(&self, byte: u8) {
        let mut buffer = [0; 512];
        loop {
            let len = self.0.recv(&mut buffer).expect("something is heard");
            if len == 172 && buffer[12..len].iter().all(|b| *b == byte) {
                return;
            }
        }
    }
}

#[tokio::test]
async fn a_telephone_of_each_family_in_one_call_hear_each_other() {
    let (Some(four), Some(six)) = (End::open("127.0.0.1:0"), End::open("[::1]:0")) else {
        return skip("a call between IPv4 and IPv6", "this system has no ::1");
    };
    let (events, _told) = mpsc::channel(1_024);
    let config = config("127.0.0.1".parse().expect("an address"), ports(2), Arc::new(SystemClock));
    let second = Place { bound: "::1".parse().expect("an address"), public: None };
    let media = Media::start_with(config, Some(second), events).expect("media");
    let shard = media.pick_shard();
    let mut at = Vec::new();
    for (leg, end) in [(LegId(1), &four), (LegId(2), &six)] {
        let peer = end.0.local_addr().expect("bound").ip();
        let reach = media.open_rtp_for(shard, leg, Strays::Hosts).expect("a port");
        let told = reach.towards(Some(peer));
        assert_eq!(told.ip(), peer, "each is told an address of its own family");
        media.connect_rtp(leg, end.agreed()).expect("open");
        at.push(told);
    }
    media.set_bridge(shard, BridgeId(1), 1, HearMatrix::conference(&[LegId(1), LegId(2)]));
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                four.says(at[0], 0x44);
                six.says(at[1], 0x66);
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
        });
        let heard = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            four.hears(0x66);
            six.hears(0x44);
        }));
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        heard.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}
