//! Calls out over trunks that encrypt: how much each is offered, and where TLS leads.

use super::*;
use crate::io::net::tls::{Identity, IdentityFiles, PeerName};
use crate::proto::sdp::{AudioCodec, OwnKeys, Session};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

#[tokio::test]
async fn each_trunk_is_offered_as_much_encryption_as_it_takes_and_the_owner_knows_which_offer_counts() {
    let (first, second) = (Far::open().await, Far::open().await);
    let mut encrypts = carrier(&first, 10);
    encrypts.srtp = Srtp::Preferred;
    let house = house(vec![encrypts, carrier(&second, 20)], |_| {}).await;
    let (events, received) = mpsc::channel(LEG_EVENT_DEPTH);
    let leg = house.legs.fresh();
    let local = "127.0.0.1:20000".parse().expect("an address");
    let session = Session::new(1, local, &AudioCodec::ALL).with_srtp(Srtp::Off, OwnKeys::new([[1; 30], [2; 30]]));
    let call = DialOut { to: number(BEN), caller_id: None, account: None };
    house.trunk.dial(leg, call, Offer::Of(Box::new(session)), events);
    let mut caller = Caller { leg, events: received };
    let refused = first.gets("INVITE").await;
    assert_eq!(refused.text.matches("a=crypto:").count(), 2, "{}", refused.text);
    assert!(matches!(caller.events.recv().await, Some(LegEvent::Offered(Srtp::Preferred))));
    first.says(&refused, "503 Service Unavailable", false).await;
    let taken = second.gets("INVITE").await;
    assert!(taken.text.contains("m=audio ") && !taken.text.contains("a=crypto:"), "{}", taken.text);
    assert!(matches!(caller.events.recv().await, Some(LegEvent::Offered(Srtp::Off))));
    second.says(&taken, "200 OK", true).await;
    assert!(matches!(caller.events.recv().await, Some(LegEvent::Answered(_))));
}

#[tokio::test]
async fn over_tls_a_host_is_found_by_its_own_srv_and_has_to_show_the_hosts_certificate() {
    for (shown, taken) in [("sip.carrier.example", true), ("a.carrier.example", false)] {
        let directory = std::env::temp_dir().join(format!("cordboard-srv-{}-{taken}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("writable");
        let made = rcgen::generate_simple_self_signed(vec![shown.to_owned()]).expect("a certificate");
        let files = IdentityFiles { certificate: directory.join("cert.pem"), key: directory.join("key.pem") };
        std::fs::write(&files.certificate, made.cert.pem()).expect("writable");
        std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("writable");
        let acceptor = Identity::load(files.clone()).expect("just written").acceptor(&[]);
        let name = PeerName::parse("sip.carrier.example").expect("a name");
        let peer = TlsPeer::new("sip.carrier.example", name, Some(files.certificate), None).expect("a peer");
        let _ = std::fs::remove_dir_all(&directory);

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (server, _) = name_server(vec![
            Known::srv("_sips._tcp.sip.carrier.example.", 60, [10, 0, port], "a.carrier.example."),
            Known::address("a.carrier.example.", 60, [127, 0, 0, 1]),
        ])
        .await;
        let target = "sip.carrier.example".parse().expect("a target");
        let mut named = Carrier::new("named", target);
        named.over = Carriage::Tls(peer);
        let _house = house(vec![named], |settings| settings.name_server = Some(server)).await;
        // The ping comes as soon as the name has been looked up.
        let (stream, _) = timeout(PATIENCE, listener.accept()).await.expect("in time").expect("it connects");
        let shaken = timeout(PATIENCE, acceptor.accept(stream)).await.expect("in time");
        assert_eq!(shaken.is_ok(), taken, "{shown}");
        if let Ok(mut stream) = shaken {
            let mut text = [0; 53];
            timeout(PATIENCE, stream.read_exact(&mut text)).await.expect("in time").expect("a ping");
            assert_eq!(&text, b"OPTIONS sip:sip.carrier.example;transport=tls SIP/2.0");
        }
    }
}
