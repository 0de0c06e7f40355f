//! The whole of the main runtime stands still, as by a lock that nobody gives back: the process ends itself with a line that says
//! so, and the next start goes on where the night was. And whoever supervises the program is told that it is ready, and alive.

use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::id::MessageId;
use cordboard::domain::dispatch::protocol::{Method, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::engine::alarms::beat::Beat;
use cordboard::engine::alarms::guard::{Guard, Pace};
use cordboard::engine::dispatcher::Dispatcher;
use cordboard::engine::feed::Feed;
use cordboard::io::systemd::Notify;

use crate::lives::{Case, Life, NIGHT, Outside};
use crate::server::{Server, scratch};
use crate::town;

const WORKERS: usize = 2;
/// Looks as the service's, in a hurry.
const PACE: Pace = Pace { look: Duration::from_millis(100), looks: 20 };
/// How long a word of the program's is waited for: far longer than it takes, so that one that never comes fails the test.
const PATIENCE: Duration = Duration::from_secs(120);
/// There once the first life has begun.
const BEGUN: &str = "begun";

/// Not a test by itself: the process that stands still in its first life, after the first text, and goes on in its second.
#[test]
fn the_child() {
    let Some(life) = Life::of_child(NIGHT.plus_secs(10)) else { return };
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    runtime.expect("a runtime can be made").block_on(async {
        let beat = Beat::new(Arc::new(SystemClock));
        let beats = beat.clone();
        tokio::spawn(async move {
            loop {
                beats.strike();
                tokio::time::sleep(PACE.look).await;
            }
        });
        let _guard = Guard::start(beat, PACE, Notify::default()).expect("a thread can be had");
        let (store, clock) = (life.store().await, life.clock.clone());
        let outside = Arc::new(Outside::new(&life.directory, &clock));
        let edges = outside.clone().edges();
        let dispatcher = Dispatcher::new(store.clone(), Arc::new(clock.clone()), Feed::default(), edges, "node");
        dispatcher.recover().await.expect("what was cut off is taken up");
        dispatcher.tick(clock.utc()).await.expect("a tick");
        let begun = life.directory.join(BEGUN);
        if !begun.exists() {
            std::fs::write(begun, "").expect("written");
            for _ in 0..WORKERS {
                tokio::spawn(async { stands_still() });
            }
            stands_still();
        }
        life.pass(60);
        dispatcher.tick(clock.utc()).await.expect("a tick");
        store.close().await;
    });
}

fn stands_still() -> ! {
    loop {
        thread::park();
    }
}

#[tokio::test]
async fn a_runtime_that_is_frozen_ends_the_process_with_a_line_and_the_next_start_goes_on() {
    let case = Case::new("frozen::the_child", "SQLite", "a frozen runtime", None);
    let steps = vec![(Method::TextConfirm, town::on_call("mobile"), 30), (Method::Pager, town::on_call("pager"), 600)];
    crate::prepare_by(&case, &town::protocol(steps, false, Until::Confirmed)).await;

    let output = case.command().output().expect("the child starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(9), "it ends itself, and nothing can hold that up: {said}");
    assert!(said.contains("watchdog.frozen") && said.contains("has stood still"), "{said}");
    let kinds = || case.sent().into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(kinds(), ["text"], "{said}");

    case.lives();
    assert_eq!(kinds(), ["text", "page"], "the text had its answer, and the next step has its turn");
    let store = case.store().await;
    let id = store.find_dispatch_of_message(&MessageId::named("m1")).await.expect("found").expect("a dispatch");
    let state = store.find_dispatch(&id).await.expect("found").expect("a dispatch").state;
    assert_eq!(state.phase, Phase::Running);
    assert!(state.attempts.iter().all(|attempt| !attempt.uncertain), "nothing was under way");
    store.close().await;
}

#[test]
fn whoever_supervises_the_program_hears_that_it_is_ready_then_that_it_is_alive_then_that_it_stops() {
    let dir = scratch();
    let at = dir.join("notify");
    let supervisor = UnixDatagram::bind(&at).expect("a socket");
    supervisor.set_read_timeout(Some(PATIENCE)).expect("a socket waits as long as it is told");
    let hears = || {
        let mut octets = [0; 64];
        let read = supervisor.recv(&mut octets).expect("the program says something in time");
        String::from_utf8_lossy(&octets[..read]).into_owned()
    };
    // It is alive every second: of these so many are heard, at most, before the word that is waited for.
    let most = usize::try_from(PATIENCE.as_secs()).expect("few");
    let mut server = Server::start_in(&dir, &[], &[("NOTIFY_SOCKET", at.to_str().expect("a path"))]);
    let mut heard = Vec::new();
    while heard.len() < 3 || !heard.contains(&"READY=1".to_owned()) {
        assert!(heard.len() < most, "it never says that it is ready: {heard:?}");
        heard.push(hears());
    }
    assert_eq!(heard.iter().filter(|word| *word == "READY=1").count(), 1, "{heard:?}");
    assert!(heard.iter().any(|word| word == "WATCHDOG=1"), "{heard:?}");
    server.terminate();
    assert!((0..most).any(|_| hears() == "STOPPING=1"), "it never says that it stops");
    assert_eq!(server.exit_code(), Some(0));
}
