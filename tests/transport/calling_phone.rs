//! baresip calls us over TLS with encrypted audio; each hears the other.

use cordboard::domain::call::cause::Cause;
use cordboard::engine::signal::{LegCommand, LegEvent};
use cordboard::engine::trunk::Carriage;
use cordboard::io::media::MediaEvent;
use cordboard::proto::audio::codec::Codec;
use cordboard::proto::sdp::{OwnKeys, Session, Srtp};

use super::baresip::{Baresip, assert_both_heard, talk};
use super::peers::find_program;
use super::secure_audio::{media, ports};
use super::temp::TempDir;
use super::{Authority, carrier, end, next, trunk_side};

#[tokio::test]
async fn baresip_and_we_hear_each_other_over_tls_and_srtp() {
    let Some(program) = find_program("baresip over TLS and SRTP", "baresip") else { return };
    let (authority, directory) = (Authority::fresh(), TempDir::new("baresip"));
    let account = "<sip:phone@127.0.0.1;transport=tls>;regint=0;mediaenc=srtp-mand;audio_codecs=PCMU/8000/1\n";
    let ours = authority.identity("ours", &["127.0.0.1", "localhost"]);
    let (trunk, mut calls) =
        trunk_side("127.0.0.1:0", Some(ours), carrier("127.0.0.1:9", Carriage::Udp, Srtp::Required)).await;
    let tls = trunk.local_tls().expect("it listens for TLS");
    let dial = format!("/dial sip:+12025550102@{tls};transport=tls");
    let phone = Baresip::start(&program, directory.path(), &authority.ca_file(), account, 20, &["-e", &dial]);
    let mut call = next(&mut calls).await;
    assert_eq!(call.srtp, Srtp::Required);
    let offer = call.offer.take().expect("an offer");
    assert!(String::from_utf8_lossy(&offer).contains(" RTP/SAVP "), "{}", String::from_utf8_lossy(&offer));
    let (media, mut told) = media("127.0.0.1", ports(3));
    let (leg, shard) = (call.leg, media.pick_shard());
    let at = media.open_rtp(shard, leg).expect("a port");
    let keys = OwnKeys::new([[7; 30], [8; 30]]);
    let mut session = Session::new(1, at, &[Codec::Pcmu]).with_srtp(Srtp::Required, keys);
    let (answer, agreed) = session.answer(&offer).expect("we agree");
    assert!(agreed.srtp.is_some());
    media.connect_rtp(leg, agreed.into()).expect("open");
    trunk.send(leg, LegCommand::Answer(answer));
    assert!(matches!(next(&mut call.events).await, LegEvent::Established(None)));
    let theirs = talk(&media, &mut told, shard, leg, agreed.into()).await;
    trunk.send(leg, LegCommand::HangUp);
    assert_eq!(end(&mut call.events).await, Cause::Released);
    media.close(leg);
    let stats = loop {
        if let MediaEvent::Closed { stats, .. } = next(&mut told).await {
            break stats;
        }
    };
    drop(phone);
    // Before its keys are in place it knocks with plain RTCP, and its farewell is plain as well.
    assert!(stats.srtp_refused <= 2, "{stats:?}");
    assert!(stats.packets_in > 100, "{stats:?}");
    assert_both_heard(&theirs, directory.path());
}
