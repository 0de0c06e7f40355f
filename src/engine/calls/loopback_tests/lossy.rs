//! A far end beyond a network that loses and delays: what it was like is on the stored record of its call, both ways.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value;
use tokio::net::UdpSocket;

use super::*;
use crate::base::clock::{Clock as _, SystemClock};
use crate::config::StoreConfig;
use crate::io::store::Store;
use crate::proto::rtp::packet::{self, Header, MAX_PACKET};
use crate::proto::rtp::rtcp::{self, ReportBlock, Rtcp};

/// A commit at which nothing is killed.
const TEST: &str = "test";
const SSRC: u32 = 4_711;
/// How long a report is on its way back, which the far end does not own up to.
const ON_THE_WAY: Duration = Duration::from_millis(60);

/// A telephone that says silence, one packet in ten of which is lost and every other late; it reports the same of ours.
struct FarEnd {
    socket: UdpSocket,
    header: Header,
    lost: u64,
    sent: u64,
}

impl FarEnd {
    async fn open() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let header = Header { payload_type: 0, marker: false, sequence: 65_500, timestamp: 0, ssrc: SSRC };
        Self { socket, header, lost: 0, sent: 0 }
    }

    async fn talk(&mut self, nth: u64, to: SocketAddr) {
        if nth % 10 == 7 {
            self.lost += 1;
        } else {
            let mut bytes = [0; MAX_PACKET];
            let len = packet::write(&self.header, &[0xff; 160], &mut bytes);
            self.socket.send_to(&bytes[..len], to).await.expect("loopback takes it");
            self.sent += 1;
        }
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp += 160;
    }

    /// Talks until our report of its call has come and been answered, and for a second after that.
    async fn talks(&mut self, to: SocketAddr) {
        let (began, mut reported_at) = (SystemClock.instant(), None::<Instant>);
        let mut bytes = [0; 2_048];
        for nth in 0.. {
            let late = Duration::from_millis(if nth % 2 == 0 { 0 } else { 12 });
            let due = began + Duration::from_millis(20 * nth) + late;
            loop {
                let left = due.saturating_duration_since(SystemClock.instant());
                let Ok(came) = tokio::time::timeout(left, self.socket.recv_from(&mut bytes)).await else { break };
                let (len, _) = came.expect("a packet");
                if let Some(answer) = answer_to_report(&bytes[..len]) {
                    tokio::time::sleep(ON_THE_WAY).await;
                    self.socket.send_to(&answer, to).await.expect("loopback takes it");
                    reported_at.get_or_insert_with(|| SystemClock.instant());
                }
            }
            if nth % 10 == 0 && reported_at.is_some_and(|at| SystemClock.instant() - at > Duration::from_secs(1)) {
                return;
            }
            self.talk(nth, to).await;
        }
    }
}

/// What the far end says to our sender's report: 12 of ours are lost, and the jitter is 10 ms.
fn answer_to_report(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut last = None;
    if packet::is_rtcp(bytes) {
        rtcp::read(bytes, |said| {
            if let Rtcp::Sender { ssrc, info } = said {
                last = Some((ssrc, (info.ntp >> 16) as u32));
            }
        });
    }
    let (ssrc, last_sr) = last?;
    let block = ReportBlock { ssrc, fraction_lost: 26, lost: 12, jitter: 80, last_sr, ..ReportBlock::default() };
    let mut out = [0; rtcp::MAX_COMPOUND];
    let len = rtcp::write(&mut out, SSRC, None, Some(&block), "far", false);
    Some(out[..len].to_vec())
}

/// A directory that is gone with its owner.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a call's leg came to, as it is read back from a store that was given `lines`.
async fn stored(lines: &[Line]) -> Value {
    let scratch = Scratch(std::env::temp_dir().join(format!("cordboard-lossy-{}", std::process::id())));
    std::fs::create_dir_all(&scratch.0).expect("writable");
    let now = SystemClock.utc();
    let store = Store::open(&StoreConfig::in_directory(&scratch.0), now).await.expect("a store");
    let account = Book.find_by_did(&number("+12025550102")).await.expect("a book").expect("an account");
    let mut tx = store.write().await.expect("begins");
    tx.upsert_account(&account, now).await.expect("an account");
    tx.commit(TEST).await.expect("commits");
    CallLog::write(&store, lines).await.expect("written");
    let calls = store.list_calls(None, None, 2).await.expect("calls");
    let events = store.list_call_events(&calls.first().expect("the call").id).await.expect("events");
    store.close().await;
    events.into_iter().find(|event| event.kind == "leg_closed").expect("its figures").body
}

#[tokio::test]
async fn what_a_bad_network_lost_and_delayed_is_on_the_stored_record_of_the_call() {
    let mut world = World::open(32_800, Srtp::Off).await;
    let mut far = FarEnd::open().await;
    let leg = world.legs.fresh();
    let mut session = world.session(leg, far.socket.local_addr().expect("bound"));
    let (events, mut told) = mpsc::channel(32);
    world.carrier.dial(leg, dialled("+12025550102", Some("+12025550150")), session.offer(), events);
    let answer = soon("an answer", async {
        loop {
            match told.recv().await.expect("the leg lives") {
                LegEvent::Answered(sdp) => return sdp,
                LegEvent::Ended(why) => panic!("not answered: {why:?}"),
                _ => {}
            }
        }
    });
    let agreed = session.accept(&answer.await).expect("an answer to our offer");
    assert!(agreed.rtcp_mux, "reports come where sound does");
    soon("a report of ours", far.talks(agreed.remote)).await;
    world.carrier.send(leg, LegCommand::HangUp);
    let lines = soon("the record", async {
        let (mut lines, mut closed, mut finished) = (Vec::new(), false, false);
        while !(closed && finished) {
            let line = world.written.recv().await.expect("the house stands");
            closed |= matches!(&line, Line::Event { kind, .. } if kind == "leg_closed");
            finished |= matches!(line, Line::Finished { .. });
            lines.push(line);
        }
        lines
    });
    let figures = stored(&lines.await).await;
    let read = |key: &str| figures[key].as_u64().unwrap_or_else(|| panic!("no {key} in {figures}"));
    assert_eq!((read("packets_in"), read("lost")), (far.sent, far.lost), "{figures}");
    // Every other packet is 12 ms late.
    assert!((5_000..40_000).contains(&read("jitter_us")), "{figures}");
    assert_eq!((read("lost_out"), read("jitter_out_us")), (12, 10_000), "{figures}");
    assert!((60_000..500_000).contains(&read("round_trip_us")), "{figures}");
}
