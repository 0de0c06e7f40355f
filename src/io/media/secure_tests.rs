//! Legs that are encrypted, on one shard, in the rig of `shard_tests`.

use super::shard::Command;
use super::shard_tests::Rig;
use super::{Codec, LegStats, MediaEvent, RtpParameters};
use crate::proto::rtp::rtcp::{self, ReportBlock};
use crate::proto::rtp::srtp::{Guard, Keys, MAX_GROWTH, MasterKey, Suite};

const KEYS: Keys = Keys { suite: Suite::Tag80, ours: MasterKey([1; 30]), theirs: MasterKey([2; 30]) };

/// Runs a leg whose far end answers our first report: sealed or as anybody could. How it went.
fn answered(mux: bool, sealed: bool) -> LegStats {
    let mut rig = Rig::new();
    let a = rig.add(1, 700.0, Codec::Pcmu, 20);
    // The rig's peer speaks in the clear.
    rig.peer(a).mute = true;
    let parameters = rig.parameters(a);
    rig.connect(a, RtpParameters { rtcp_mux: mux, srtp: Some(KEYS), ..parameters });
    rig.run(190);
    let mut report = [0; 2_048];
    let len = if mux {
        let first = rig.peer(a).reports.first().expect("a report came").clone();
        report[..first.len()].copy_from_slice(&first);
        first.len()
    } else {
        rig.peer(a).rtcp.recv_from(&mut report).expect("a report came").0
    };
    let opened = Guard::new(KEYS.suite, &KEYS.ours).open_rtcp(&mut report[..len]).expect("what we send is authentic");
    assert!(opened < len && rtcp::read(&report[..opened], |_| {}));
    let ssrc = u32::from_be_bytes([report[4], report[5], report[6], report[7]]);

    let block = ReportBlock { ssrc, lost: 7, ..ReportBlock::default() };
    let mut compound = [0; rtcp::MAX_COMPOUND];
    let mut len = rtcp::write(&mut compound, 66, None, Some(&block), "peer", false);
    let mut out = [0; rtcp::MAX_COMPOUND + MAX_GROWTH];
    out[..len].copy_from_slice(&compound[..len]);
    if sealed {
        len = Guard::new(KEYS.suite, &KEYS.theirs).protect_rtcp(&mut out, len).expect("it has room");
    }
    let peer = rig.peer(a);
    let to = peer.to;
    if mux {
        peer.socket.send_to(&out[..len], to).unwrap();
    } else {
        peer.rtcp.send_to(&out[..len], (to.ip(), to.port() + 1)).unwrap();
    }
    rig.run(2);
    rig.commands.send(Command::Close(a)).unwrap();
    rig.run(1);
    let events = rig.events();
    let Some(MediaEvent::Closed { stats, .. }) = events.last() else { panic!("{events:?}") };
    *stats
}

#[test]
fn reports_are_encrypted_on_two_ports_and_on_one_and_those_that_are_not_count_for_nothing() {
    for mux in [false, true] {
        let stats = answered(mux, true);
        assert_eq!((stats.lost_out, stats.srtp_refused), (Some(7), 0), "on one port: {mux}");
        let stats = answered(mux, false);
        assert_eq!((stats.lost_out, stats.srtp_refused), (None, 1), "on one port: {mux}");
    }
}
