//! What nobody can go below on this machine: a loop that makes the system calls and nothing else. And how long our
//! trunk side and media take for a bridge.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::call::bridge::{BridgeId, HearMatrix};
use cordboard::engine::signal::{DialOut, LEG_EVENT_DEPTH, LegCommand, LegEvent};
use cordboard::engine::trunk::{self, Carrier, LegNumbers, TrunkSettings};
use cordboard::io::media::{EventTypes, Media, MediaConfig, MediaEvent, Prompt, RtpParameters, ShardId};
use cordboard::proto::audio::codec::Codec;
use cordboard::proto::audio::tone::sine;
use cordboard::proto::sdp::Negotiated;
use tokio::sync::mpsc;

use super::far::{FarEnds, address, every_tick, socket};
use super::sip::Callee;

const SIZE: usize = 172;
const BRIDGES: u64 = 40;

/// CPU seconds so far of our thread called `name`.
fn cpu(name: &str) -> f64 {
    let read = |task: std::fs::DirEntry| {
        let comm = std::fs::read_to_string(task.path().join("comm")).ok()?;
        let stat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        let spent: f64 = stat.split_whitespace().next()?.parse().ok()?;
        (comm.trim() == name).then_some(spent / 1e9)
    };
    std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten().find_map(read).unwrap_or_default()
}

/// One send a leg and tick; with `receive`, one receive too. CPU seconds for one of `units` and a minute.
pub fn bare(legs: usize, units: usize, receive: bool, window: Duration) -> f64 {
    let pairs: Vec<(UdpSocket, UdpSocket)> = (0..legs).map(|_| (socket(), socket())).collect();
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    let mut here = Vec::new();
    for (us, them) in pairs {
        here.push(address(&us));
        ours.push((us, address(&them)));
        theirs.push(them);
    }
    let far = FarEnds::start(theirs, receive);
    for (n, to) in here.into_iter().enumerate() {
        far.aim(n, to);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let loop_thread = thread::Builder::new()
        .name("floor".to_owned())
        .spawn(move || {
            let mut bytes = [0; 2_048];
            every_tick(&stopped, || {
                for (socket, to) in &ours {
                    if receive {
                        let _ = socket.recv_from(&mut bytes);
                    }
                    let _ = socket.send_to(&bytes[..SIZE], to);
                }
            });
        })
        .expect("a thread");
    thread::sleep(Duration::from_millis(500));
    let figure = super::per_minute(window, units, || cpu("floor"));
    stop.store(true, Ordering::Relaxed);
    loop_thread.join().expect("the loop ends");
    figure
}

/// From the order to dial until the two hear each other, in ms, half of all below: the trunk side dials a callee that
/// answers at once, and media bridges it with a leg that is up.
pub fn bridge_up() -> Result<f64, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.map_err(|why| why.to_string())?.block_on(async {
        let far = [socket(), socket()];
        let callee = Callee::start(vec![address(&far[0])]);
        let mut carrier = Carrier::new("bench", callee.address.into());
        carrier.sources = vec!["127.0.0.1".parse().map_err(|_| "an address")?];
        (carrier.rules.channels, carrier.rules.calls_per_second) = (1_000, 1_000);
        // The callee answers calls, nothing else.
        carrier.ping_every = None;
        let legs = LegNumbers::default();
        let bind: SocketAddr = ([127, 0, 0, 1], 0).into();
        let settings = TrunkSettings::new(bind, vec![carrier], legs.clone());
        let (trunk, _incoming) = trunk::spawn(settings, Arc::new(SystemClock)).await.map_err(|e| e.to_string())?;
        let (sender, mut events) = mpsc::channel(1_024);
        let config = MediaConfig {
            bind_ip: [127, 0, 0, 1].into(),
            public_ip: None,
            ports: 28_000..=28_999,
            shards: 1,
            music: Arc::new(Prompt::from_pcm(sine(300.0, 6_000.0, 8_000))),
            clock: Arc::new(SystemClock),
        };
        let media = Media::start(config, sender).map_err(|e| e.to_string())?;
        let caller = legs.fresh();
        media.open_rtp(ShardId(0), caller).map_err(|e| e.to_string())?;
        let agreed = |remote| Negotiated {
            remote,
            codec: Codec::Pcmu,
            telephone_event: Some(EventTypes::same(101)),
            comfort_noise: false,
            rtcp_mux: false,
            send: true,
            receive: true,
            ptime_ms: 20,
            srtp: None,
        };
        media.connect_rtp(caller, RtpParameters::from(agreed(address(&far[1])))).map_err(|e| e.to_string())?;
        let number = PhoneNumber::parse("+12025550150").map_err(|e| e.to_string())?;
        let mut taken = Vec::new();
        for n in 1..=BRIDGES {
            let began = SystemClock.instant();
            let leg = legs.fresh();
            let local = media.open_rtp(ShardId(0), leg).map_err(|e| e.to_string())?;
            let offer = format!(
                "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n",
                ip = local.ip(),
                port = local.port()
            );
            let (told, mut heard) = mpsc::channel(LEG_EVENT_DEPTH);
            let call = DialOut { to: number.clone(), caller_id: None, account: None };
            trunk.dial(leg, call, offer.into_bytes(), told);
            let answered = async {
                while let Some(event) = heard.recv().await {
                    if matches!(event, LegEvent::Answered(_)) {
                        return Some(());
                    }
                }
                None
            };
            let answered = tokio::time::timeout(Duration::from_secs(2), answered).await.ok().flatten();
            answered.ok_or("the callee did not answer")?;
            let parameters = RtpParameters::from(agreed(address(&far[0])));
            media.connect_rtp(leg, parameters).map_err(|e| e.to_string())?;
            media.set_bridge(ShardId(0), BridgeId(n), 1, HearMatrix::conference(&[caller, leg]));
            let bridged = async {
                while let Some(event) = events.recv().await {
                    if matches!(event, MediaEvent::Bridged { bridge, .. } if bridge == BridgeId(n)) {
                        return;
                    }
                }
            };
            tokio::time::timeout(Duration::from_secs(2), bridged).await.map_err(|_| "no bridge")?;
            taken.push((SystemClock.instant() - began).as_secs_f64() * 1e3);
            trunk.send(leg, LegCommand::HangUp);
            media.drop_bridge(ShardId(0), BridgeId(n));
            media.close(leg);
            // Not in step with the beat.
            tokio::time::sleep(Duration::from_millis(17)).await;
        }
        taken.sort_by(f64::total_cmp);
        Ok(taken[taken.len() / 2])
    })
}
