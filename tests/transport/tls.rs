//! SIP over TLS: calls out and in, whose certificate is believed, and certificates that change.

use cordboard::domain::call::cause::Cause;
use cordboard::engine::signal::{LegCommand, LegEvent};
use cordboard::engine::trunk::{Carriage, LegNumbers};
use cordboard::io::net::tls::{PeerName, TlsPeer};
use cordboard::proto::sdp::Srtp;
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;

use super::{Authority, SDP, carrier, dial, end, line, message, next, response, trunk_side};

/// How the carrier of these tests is spoken to; its certificate has to say `name`.
fn over(authority: &Authority, name: &str) -> Carriage {
    let name = PeerName::parse(name).expect("a name");
    Carriage::Tls(TlsPeer::new("sip.carrier.test", name, Some(authority.ca_file()), None).expect("a peer"))
}

/// A connection as some client would make it.
async fn connect(authority: &Authority, to: std::net::SocketAddr, name: &'static str) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(to).await.expect("it listens");
    let name = ServerName::try_from(name).expect("a name");
    authority.connector().connect(name, stream).await.expect("a handshake")
}

#[tokio::test]
async fn a_call_goes_out_over_tls_and_says_so_in_every_address() {
    let authority = Authority::fresh();
    let acceptor = authority.identity("carrier", &["sip.carrier.test"]).acceptor(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let target = listener.local_addr().expect("bound").to_string();
    let ours = authority.identity("ours", &["desk.test"]);
    let carrier = carrier(&target, over(&authority, "sip.carrier.test"), Srtp::Off);
    let (trunk, _calls) = trunk_side("127.0.0.1:0", Some(ours), carrier).await;
    let leg = LegNumbers::default().fresh();
    let mut events = dial(&trunk, leg);
    let (stream, _) = listener.accept().await.expect("it connects");
    let mut stream = acceptor.accept(stream).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.server_name(), Some("sip.carrier.test"), "SNI");
    let invite = message(&mut stream).await;
    let tls = trunk.local_tls().expect("it listens for TLS");
    assert!(invite.starts_with(&format!("INVITE sip:+12025550102@{target};transport=tls SIP/2.0\r\n")), "{invite}");
    assert!(line(&invite, "Via: ").starts_with(&format!("Via: SIP/2.0/TLS {tls};branch=")), "{invite}");
    assert_eq!(line(&invite, "Contact: "), format!("Contact: <sip:{tls};transport=tls>"));
    let contact = format!("Contact: <sip:far@{target};transport=tls>\r\n");
    stream.write_all(&response("200 OK", &invite, &contact, SDP)).await.expect("open");
    assert!(matches!(next(&mut events).await, LegEvent::Answered(_)));
    assert!(message(&mut stream).await.starts_with("ACK sip:far@"));
    trunk.send(leg, LegCommand::HangUp);
    assert!(message(&mut stream).await.starts_with("BYE sip:far@"));
}

#[tokio::test]
async fn two_of_us_call_each_other_over_tls() {
    let authority = Authority::fresh();
    let theirs = authority.identity("carrier", &["sip.carrier.test"]);
    let nobody = carrier("127.0.0.1:9", Carriage::Udp, Srtp::Off);
    let (b, mut calls) = trunk_side("127.0.0.1:0", Some(theirs), nobody).await;
    let target = b.local_tls().expect("it listens for TLS").to_string();
    let carrier = carrier(&target, over(&authority, "sip.carrier.test"), Srtp::Off);
    let (a, _calls) = trunk_side("127.0.0.1:0", None, carrier).await;
    let leg = LegNumbers::default().fresh();
    let mut events = dial(&a, leg);
    let mut call = next(&mut calls).await;
    assert_eq!(call.offer.as_deref(), Some(SDP));
    b.send(call.leg, LegCommand::Answer(SDP.to_vec()));
    assert!(matches!(next(&mut events).await, LegEvent::Answered(_)));
    assert!(matches!(next(&mut call.events).await, LegEvent::Established(None)));
    a.send(leg, LegCommand::HangUp);
    assert_eq!(end(&mut call.events).await, Cause::HungUp);
}

#[tokio::test]
async fn a_carrier_with_anothers_certificate_is_not_spoken_to() {
    let (authority, stranger) = (Authority::fresh(), Authority::fresh());
    for (who, names) in [(&authority, "*.carrier.test"), (&authority, "other.test"), (&stranger, "sip.carrier.test")] {
        let acceptor = who.identity("carrier", &[names]).acceptor(&[]);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let target = listener.local_addr().expect("bound").to_string();
        let carrier = carrier(&target, over(&authority, "sip.carrier.test"), Srtp::Off);
        let (trunk, _calls) = trunk_side("127.0.0.1:0", None, carrier).await;
        let mut events = dial(&trunk, LegNumbers::default().fresh());
        let (stream, _) = listener.accept().await.expect("it connects");
        assert!(acceptor.accept(stream).await.is_err(), "{names}: it took the certificate");
        assert_eq!(end(&mut events).await, Cause::Unreachable, "{names}");
    }
}

#[tokio::test]
async fn a_wildcard_counts_for_whoever_asks_for_just_that() {
    let authority = Authority::fresh();
    let acceptor = authority.identity("carrier", &["*.carrier.test"]).acceptor(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let target = listener.local_addr().expect("bound").to_string();
    let carrier = carrier(&target, over(&authority, "*.carrier.test"), Srtp::Off);
    let (trunk, _calls) = trunk_side("127.0.0.1:0", None, carrier).await;
    let _events = dial(&trunk, LegNumbers::default().fresh());
    let (stream, _) = listener.accept().await.expect("it connects");
    let mut stream = acceptor.accept(stream).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.server_name(), Some("sip.carrier.test"), "SNI is the host, not the pattern");
    assert!(message(&mut stream).await.starts_with("INVITE "));
}

#[tokio::test]
async fn a_sips_call_is_answered_with_a_sips_contact() {
    let authority = Authority::fresh();
    let ours = authority.identity("ours", &["desk.test"]);
    let nobody = carrier("127.0.0.1:9", Carriage::Udp, Srtp::Off);
    let (trunk, mut calls) = trunk_side("127.0.0.1:0", Some(ours), nobody).await;
    let tls = trunk.local_tls().expect("it listens for TLS");
    let mut stream = connect(&authority, tls, "desk.test").await;
    let invite = |scheme: &str| {
        let length = SDP.len();
        let head = format!(
            "INVITE {scheme}:+12025550102@{tls} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK{scheme}\r\n\
             From: <sip:+12025550150@h>;tag=1\r\nTo: <{scheme}:+12025550102@{tls}>\r\nCall-ID: {scheme}\r\n\
             CSeq: 1 INVITE\r\nContact: <{scheme}:a@127.0.0.1:9>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        [head.as_bytes(), SDP].concat()
    };
    for (scheme, contact) in [("sips", format!("<sips:{tls}>")), ("sip", format!("<sip:{tls};transport=tls>"))] {
        stream.write_all(&invite(scheme)).await.expect("open");
        assert!(message(&mut stream).await.starts_with("SIP/2.0 100 "));
        let call = next(&mut calls).await;
        trunk.send(call.leg, LegCommand::Answer(SDP.to_vec()));
        let answer = message(&mut stream).await;
        assert_eq!(line(&answer, "Contact: "), format!("Contact: {contact}"));
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_the_next_who_connects() {
    let authority = Authority::fresh();
    let ours = authority.identity("ours", &["desk.test"]);
    let nobody = carrier("127.0.0.1:9", Carriage::Udp, Srtp::Off);
    let (trunk, _calls) = trunk_side("127.0.0.1:0", Some(ours.clone()), nobody).await;
    let tls = trunk.local_tls().expect("it listens for TLS");
    let shown = |stream: &TlsStream<TcpStream>| stream.get_ref().1.peer_certificates().expect("one")[0].clone();
    let first = shown(&connect(&authority, tls, "desk.test").await);
    authority.issue("ours", &["desk.test"]);
    assert_eq!(ours.refresh(true), Ok(true));
    let second = shown(&connect(&authority, tls, "desk.test").await);
    assert_ne!(first, second);
    std::fs::write(&ours.files().certificate, "half a file").expect("writable");
    assert!(ours.refresh(true).is_err());
    assert_eq!(shown(&connect(&authority, tls, "desk.test").await), second);
}
