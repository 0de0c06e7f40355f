//! Real SIPp. Here, against the trunk driver: calls in and out, given up, late offers, never acknowledged, hold, session timers;
//! the owner of the calls is a trivial one that rings and answers. In the modules, against the whole binary:
//! callers and all that they do, the on-call staff's telephones, operators' desk phones, carriers that want a login, starting and
//! stopping, a call as tshark sees it.

#![allow(dead_code, reason = "shared test support is used in part by each test binary")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cordboard::base::clock::SystemClock;
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::call::cause::Cause;
use cordboard::engine::signal::{DialOut, IncomingCall, LEG_EVENT_DEPTH, LegCommand, LegEvent};
use cordboard::engine::trunk::{self, Carrier, LegNumbers, TrunkHandle, TrunkSettings};
use tokio::sync::mpsc;

#[path = "../support/api.rs"]
mod api;
mod callout;
mod capture;
mod check_in;
mod desk_phones;
#[path = "../support/ear.rs"]
mod ear;
mod faxes;
mod flows;
mod greeting;
mod house;
mod patches;
#[path = "../support/peers.rs"]
mod peers;
#[path = "../support/postgres.rs"]
mod postgres;
mod registering;
#[path = "../support/relay.rs"]
mod relay;
mod serve;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/sipp.rs"]
mod sipp;
mod sounds;
#[path = "../support/temp.rs"]
mod temp;
#[path = "../support/tones.rs"]
mod tones;
mod transfers;
mod ways;

use api::wait_for;
use sipp::free_port;

const SDP: &[u8] = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// What the owner saw, over all calls.
#[derive(Debug, Default)]
struct Tally {
    established: AtomicUsize,
    late_answers: AtomicUsize,
    reoffers: AtomicUsize,
    hung_up: AtomicUsize,
    lost: AtomicUsize,
    open: AtomicUsize,
}

async fn start(target: SocketAddr) -> (TrunkHandle, mpsc::Receiver<IncomingCall>) {
    let mut carrier = Carrier::new("sipp", target.into());
    carrier.sources = vec!["127.0.0.1".parse().expect("an address")];
    carrier.rules.channels = 1000;
    carrier.rules.calls_per_second = 1000;
    // SIPp takes an OPTIONS for a call.
    carrier.ping_every = None;
    let settings = TrunkSettings::new(([127, 0, 0, 1], 0).into(), vec![carrier], LegNumbers::default());
    trunk::spawn(settings, Arc::new(SystemClock)).await.expect("a free port")
}

/// Rings and, unless told otherwise, answers every call.
fn answer_all(trunk: TrunkHandle, mut calls: mpsc::Receiver<IncomingCall>, answers: bool) -> Arc<Tally> {
    let tally = Arc::new(Tally::default());
    let shared = Arc::clone(&tally);
    tokio::spawn(async move {
        while let Some(mut call) = calls.recv().await {
            let (trunk, tally) = (trunk.clone(), Arc::clone(&shared));
            tally.open.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                trunk.send(call.leg, LegCommand::Ring);
                if answers {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    trunk.send(call.leg, LegCommand::Answer(SDP.to_vec()));
                }
                while let Some(event) = call.events.recv().await {
                    let count = match event {
                        LegEvent::Established(answer) => {
                            tally.late_answers.fetch_add(usize::from(answer.is_some()), Ordering::SeqCst);
                            &tally.established
                        }
                        LegEvent::Reoffered(Some(_)) => {
                            trunk.send(call.leg, LegCommand::AnswerReoffer(SDP.to_vec()));
                            &tally.reoffers
                        }
                        LegEvent::Ended(Cause::HungUp) => &tally.hung_up,
                        LegEvent::Ended(Cause::Lost) => &tally.lost,
                        _ => continue,
                    };
                    count.fetch_add(1, Ordering::SeqCst);
                }
                tally.open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    tally
}

/// Runs SIPp to its end; what it printed if it failed.
async fn sipp(arguments: &[&str], port: u16) -> Result<(), String> {
    let scratch: PathBuf = std::env::temp_dir().join(format!("cordboard-sipp-{}-{port}", std::process::id()));
    std::fs::create_dir_all(&scratch).expect("the temporary directory is writable");
    let output = tokio::process::Command::new("sipp")
        .args(arguments)
        .args(["-i", "127.0.0.1", "-p", &port.to_string(), "-timeout", "90s", "-timeout_error", "-nostdin"])
        .current_dir(&scratch)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("sipp was found before");
    let _ = std::fs::remove_dir_all(&scratch);
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().collect();
    Err(lines[lines.len().saturating_sub(60)..].join("\n"))
}

fn scenario(name: &str) -> String {
    format!("{}/tests/sipp/scenarios/{name}.xml", env!("CARGO_MANIFEST_DIR"))
}

/// Calls in by a scenario of ours, `calls` of them at `rate` a second; what the owner saw.
async fn calls_in(test: &str, name: &str, calls: usize, answers: bool) -> Option<Arc<Tally>> {
    calls_in_over("u1", test, name, calls, answers).await
}

/// The same over a transport as SIPp names it: `u1` is UDP, `t1` one TCP connection.
async fn calls_in_over(transport: &str, test: &str, name: &str, calls: usize, answers: bool) -> Option<Arc<Tally>> {
    peers::find_program(test, "sipp")?;
    let port = free_port();
    let (trunk, incoming) = start(([127, 0, 0, 1], port).into()).await;
    let target = trunk.local().to_string();
    let tally = answer_all(trunk, incoming, answers);
    let (file, count) = (scenario(name), calls.to_string());
    let built_in = name == "uac";
    let mut arguments = vec![target.as_str(), "-t", transport, "-m", count.as_str(), "-r", "20", "-l", "200"];
    if built_in {
        arguments.extend(["-sn", "uac", "-d", "300"]);
    } else {
        arguments.extend(["-sf", file.as_str(), "-nd"]);
    }
    if let Err(printed) = sipp(&arguments, port).await {
        panic!("SIPp's {name} failed:\n{printed}");
    }
    for _ in 0..100 {
        if tally.open.load(Ordering::SeqCst) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(tally.open.load(Ordering::SeqCst), 0, "legs left open");
    Some(tally)
}

#[tokio::test]
async fn a_hundred_calls_at_twenty_a_second_all_come_up_and_end() {
    let Some(tally) = calls_in("calls in", "uac", 100, true).await else { return };
    assert_eq!(tally.established.load(Ordering::SeqCst), 100);
    assert_eq!(tally.hung_up.load(Ordering::SeqCst), 100);
}

#[tokio::test]
async fn forty_calls_over_one_tcp_connection_come_up_and_end() {
    let Some(tally) = calls_in_over("t1", "calls over TCP", "uac", 40, true).await else { return };
    assert_eq!(tally.established.load(Ordering::SeqCst), 40);
    assert_eq!(tally.hung_up.load(Ordering::SeqCst), 40);
}

#[tokio::test]
async fn callers_who_give_up_while_it_rings_are_let_go() {
    let Some(tally) = calls_in("giving up", "trunk_cancel", 20, false).await else { return };
    assert_eq!(tally.hung_up.load(Ordering::SeqCst), 20);
    assert_eq!(tally.established.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_late_offer_is_made_in_the_200_and_answered_in_the_ack() {
    let Some(tally) = calls_in("late offer", "trunk_late_offer", 20, true).await else { return };
    assert_eq!(tally.late_answers.load(Ordering::SeqCst), 20);
}

#[tokio::test]
async fn hold_by_re_invite_is_answered_and_an_old_bye_is_refused() {
    let Some(tally) = calls_in("hold", "trunk_hold", 10, true).await else { return };
    assert_eq!(tally.reoffers.load(Ordering::SeqCst), 10);
    assert_eq!(tally.hung_up.load(Ordering::SeqCst), 10);
}

#[tokio::test]
async fn a_session_too_short_gets_422_and_its_refreshes_trouble_nobody() {
    let Some(tally) = calls_in("session timers", "trunk_session", 20, true).await else { return };
    assert_eq!(tally.established.load(Ordering::SeqCst), 20);
    assert_eq!(tally.reoffers.load(Ordering::SeqCst), 0);
    assert_eq!(tally.hung_up.load(Ordering::SeqCst), 20);
}

#[tokio::test]
async fn who_insists_on_reliable_ringing_gets_it_and_an_update_before_the_answer_is_answered() {
    let Some(tally) = calls_in("reliable ringing", "trunk_reliable", 20, false).await else { return };
    assert_eq!(tally.hung_up.load(Ordering::SeqCst), 20);
    assert_eq!(tally.reoffers.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_answer_never_acknowledged_is_repeated_for_32_seconds_and_hung_up() {
    let Some(tally) = calls_in("no ACK", "trunk_no_ack", 2, true).await else { return };
    assert_eq!(tally.lost.load(Ordering::SeqCst), 2);
    assert_eq!(tally.established.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn calls_out_are_answered_and_hung_up_by_us() {
    if peers::find_program("calls out", "sipp").is_none() {
        return;
    }
    let port = free_port();
    let callee = tokio::spawn(async move { sipp(&["-sn", "uas", "-m", "20"], port).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (trunk, _incoming) = start(([127, 0, 0, 1], port).into()).await;
    let legs = LegNumbers::default();
    let to = PhoneNumber::parse("+12025550150").expect("a number");
    let mut heard = Vec::new();
    for _ in 0..20 {
        let (events, receiver) = mpsc::channel(LEG_EVENT_DEPTH);
        let leg = legs.fresh();
        let call = DialOut { to: to.clone(), caller_id: Some(to.clone()), account: None };
        trunk.dial(leg, call, SDP.to_vec(), events);
        heard.push((leg, receiver));
    }
    for (leg, events) in &mut heard {
        let (mut rang, mut ended) = (false, None);
        while let Ok(Some(event)) = tokio::time::timeout(Duration::from_secs(20), events.recv()).await {
            match event {
                LegEvent::Ringing => rang = true,
                LegEvent::Answered(sdp) => {
                    assert!(sdp.starts_with(b"v=0"));
                    trunk.send(*leg, LegCommand::HangUp);
                }
                LegEvent::Ended(cause) => ended = Some(cause),
                _ => {}
            }
        }
        assert_eq!((rang, ended), (true, Some(Cause::Released)));
    }
    if let Err(printed) = callee.await.expect("SIPp's task lives") {
        panic!("SIPp's uas failed:\n{printed}");
    }
}

#[tokio::test]
async fn an_emergency_number_is_refused_before_anything_is_sent() {
    let listener = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket can be made non-blocking");
    let (trunk, _incoming) = start(listener.local_addr().expect("bound")).await;
    let (events, mut heard) = mpsc::channel(LEG_EVENT_DEPTH);
    let number = PhoneNumber::parse("+911").expect("three digits make a number");
    let call = DialOut { to: number, caller_id: None, account: None };
    trunk.dial(LegNumbers::default().fresh(), call, SDP.to_vec(), events);
    assert!(matches!(heard.recv().await, Some(LegEvent::Ended(Cause::Emergency))));
    let mut buffer = [0; 100];
    assert!(listener.recv_from(&mut buffer).is_err(), "something was sent");
}

#[tokio::test]
async fn a_busy_port_is_told_in_a_sentence() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let bind = taken.local_addr().expect("bound");
    let settings = TrunkSettings::new(bind, Vec::new(), LegNumbers::default());
    let error = trunk::spawn(settings, Arc::new(SystemClock)).await.expect_err("the port is taken");
    let text = error.to_string();
    assert!(text.contains(&bind.to_string()) && text.contains("another program uses this port"), "{text}");
}
