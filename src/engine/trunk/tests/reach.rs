//! What each carrier is told of where we are, behind a NAT.

use super::*;

fn public() -> Vec<IpAddr> {
    ["203.0.113.7", "2001:db8::7"].map(|ip| ip.parse().expect("an address")).to_vec()
}

#[tokio::test]
async fn a_gateway_on_our_own_network_is_told_the_local_address_though_there_is_a_public_one() {
    let far = Far::open().await;
    let house = house(vec![carrier(&far, 10)], |settings| settings.public = public()).await;
    let _caller = house.dials_as(BEN, Some("+12025550101"), None);
    let invite = far.gets("INVITE").await;
    let local = house.trunk.local();
    assert_eq!(invite.header("Contact"), Some(format!("<sip:{local}>").as_str()));
    assert!(invite.header("Via").expect("it has").starts_with(&format!("SIP/2.0/UDP {local};")), "{}", invite.text);
    assert!(invite.header("From").expect("it has").starts_with("<sip:+12025550101@127.0.0.1>"), "{}", invite.text);
}

#[tokio::test]
async fn a_carrier_beyond_the_nat_is_told_the_public_address_by_whatever_it_is_spoken_to() {
    let far = Far::open().await;
    let mut over_tcp = carrier(&far, 20);
    over_tcp.over = Carriage::Tcp;
    let legs = LegNumbers::default();
    let mut settings = TrunkSettings::new(([127, 0, 0, 1], 0).into(), vec![carrier(&far, 10), over_tcp], legs);
    settings.public = public();
    let Opened { mut side, handle, .. } = open(settings, Arc::new(SystemClock)).await.expect("a free port");
    let port = handle.local.port();
    for trunk in [0, 1] {
        for (peer, told) in
            [("198.51.100.4:5060", format!("203.0.113.7:{port}")), ("192.168.1.2:5060", format!("127.0.0.1:{port}"))]
        {
            let flow = side.flow_to(trunk, peer.parse().expect("an address"));
            assert_eq!(flow.local.to_string(), told, "{trunk} {peer}");
        }
    }
}
