//! Trunks that want a login. The whole service against registrars: SIPp (MD5) and one by Python's hashlib
//! (SHA-256); the trunk driver against a trunk that challenges calls, and against one that is after our
//! password.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::phone::PhoneNumber;
use cordboard::demo;
use cordboard::domain::call::cause::Cause;
use cordboard::engine::signal::{DialOut, IncomingCall, LEG_EVENT_DEPTH, LegCommand, LegEvent};
use cordboard::engine::trunk::{self, Carrier, CarrierAccount, LegNumbers, TrunkHandle, TrunkSettings};
use cordboard::io::store::StoreConfig;
use cordboard::proto::sip::digest::client::Login;
use tokio::sync::mpsc;

use crate::ear::Ear;
use crate::house::{CALLER, PLUMBING, dial, in_store};
use crate::server::{Server, media_ports, scratch};
use crate::sipp::{Sipp, free_port};
use crate::{SDP, peers, scenario, sipp as run_sipp, wait_for};

/// A service whose one trunk registers with 127.0.0.1:`registrar`.
fn serve(dir: &Path, registrar: u16) -> Server {
    let (http, sip, phones) = (free_port(), free_port(), free_port());
    let data = dir.join("data");
    std::fs::create_dir_all(&data).expect("the scratch directory is writable");
    let config = format!(
        "trunks = [\"trunk.toml\"]\n[http]\nbind = \"127.0.0.1:{http}\"\n[sip]\ntrunk_bind = \"127.0.0.1:{sip}\"\n\
         phones_bind = \"127.0.0.1:{phones}\"\n[media]\nports = \"{}\"\n[store]\npath = \"data/cordboard.db\"\n\
         key_file = \"data/cordboard.key\"\n[voice]\nprompts = \"{}/prompts/en\"\ncache = \"data/speech\"\n\
         [auth]\njwt_secret_file = \"data/jwt.secret\"\n",
        media_ports(),
        env!("CARGO_MANIFEST_DIR")
    );
    let trunk = format!(
        "name = \"registered\"\nkind = \"registration\"\nping = false\ntarget = \"127.0.0.1:{registrar}\"\nlogin = \"customer4711\"\n\
         password_file = \"trunk.password\"\nrealm = \"carrier.example\"\ncaller_ids = [\"+12025550102\"]\n"
    );
    for (name, text) in
        [("cordboard.toml", config.as_str()), ("trunk.toml", &trunk), ("trunk.password", "carrier-secret\n")]
    {
        std::fs::write(dir.join(name), text).expect("the scratch directory is writable");
    }
    let store = StoreConfig::in_directory(&data);
    in_store(&store, async |store| demo::seed(store, SystemClock.utc()).await.expect("the demo's clients"));
    Server::serve(dir, http, sip)
}

/// What a metric line of the service says.
pub fn metric(server: &Server, line: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.http)).ok()?;
    let request = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.lines().find_map(|l| l.strip_prefix(line)).map(|value| value.trim().to_owned())
}

const REGISTERED: &str = "cordboard_trunk_registered{trunk=\"registered\"}";

#[test]
fn a_trunk_registers_with_sipp_takes_a_call_and_says_good_bye() {
    if peers::find_program("registering with SIPp", "sipp").is_none() {
        return;
    }
    let (dir, port) = (scratch(), free_port());
    let registrar = Sipp::start("registrar", "127.0.0.1:9", port, 9, &[], &dir);
    let mut server = serve(&dir, port);
    wait_for("the registration", || (metric(&server, REGISTERED)? == "1").then_some(()));
    // Calls come in from where the registrar is, from whatever port.
    let ear = Ear::open(0.0);
    let call = dial(&server, "caller_on_cue", &ear, PLUMBING, CALLER);
    ear.heard_since(0, 1.0);
    call.cue();
    call.expect_success();
    server.terminate();
    assert_eq!(server.exit_code(), Some(0), "{}", server.output());
    registrar.expect_success();
    let log = server.log();
    assert!(log.contains("registered with the carrier"), "{log}");
    assert!(!log.contains("customer4711") && !log.contains("carrier-secret"), "{log}");
}

#[test]
fn a_registration_by_sha_256_is_refreshed_in_time_and_taken_back() {
    if peers::find_program("registering with SHA-256", "python3").is_none() {
        return;
    }
    let (dir, port) = (scratch(), free_port());
    let mut registrar = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp/registrar.py"))
        .args([&port.to_string(), "customer4711", "carrier-secret"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 was found before");
    let mut words = BufReader::new(registrar.stdout.take().expect("stdout is piped")).lines();
    let mut next = move || words.next().and_then(Result::ok);
    let mut server = serve(&dir, port);
    assert_eq!(next().as_deref(), Some("registered"));
    assert_eq!(next().as_deref(), Some("refreshed"));
    server.terminate();
    assert_eq!(server.exit_code(), Some(0), "{}", server.output());
    let last = std::iter::from_fn(next).last();
    assert_eq!(last.as_deref(), Some("gone"));
    assert!(registrar.wait().expect("our own child can be waited for").success());
}

async fn start(target: u16) -> (TrunkHandle, mpsc::Receiver<IncomingCall>) {
    let login = Login { user: "customer4711".into(), password: "carrier-secret".to_owned().into(), realm: None };
    let mut carrier = Carrier::new("sipp", std::net::SocketAddr::from(([127, 0, 0, 1], target)).into());
    carrier.sources = vec!["127.0.0.1".parse().expect("an address")];
    // SIPp takes an OPTIONS for a call.
    carrier.ping_every = None;
    carrier.account =
        Some(CarrierAccount { login: Login { realm: Some("carrier.example".to_owned()), ..login }, register: None });
    let settings = TrunkSettings::new(([127, 0, 0, 1], 0).into(), vec![carrier], LegNumbers::default());
    trunk::spawn(settings, Arc::new(SystemClock)).await.expect("a free port")
}

#[tokio::test]
async fn calls_out_answer_the_trunks_challenges_and_an_old_nonce_once_more() {
    if peers::find_program("challenged calls out", "sipp").is_none() {
        return;
    }
    let port = free_port();
    let file = scenario("trunk_challenges");
    let callee = tokio::spawn(async move { run_sipp(&["-sf", &file, "-nd", "-m", "5"], port).await });
    wait_until_bound(port).await;
    let (trunk, _incoming) = start(port).await;
    let legs = LegNumbers::default();
    let to = PhoneNumber::parse("+12025550150").expect("a number");
    for _ in 0..5 {
        let (events, mut heard) = mpsc::channel(LEG_EVENT_DEPTH);
        let leg = legs.fresh();
        let call = DialOut { to: to.clone(), caller_id: Some(to.clone()), account: None };
        trunk.dial(leg, call, SDP.to_vec(), events);
        let mut answered = false;
        let mut ended = None;
        while let Ok(Some(event)) = tokio::time::timeout(Duration::from_secs(20), heard.recv()).await {
            match event {
                LegEvent::Answered(_) => {
                    answered = true;
                    trunk.send(leg, LegCommand::HangUp);
                }
                LegEvent::Ended(cause) => ended = Some(cause),
                _ => {}
            }
        }
        assert_eq!((answered, ended), (true, Some(Cause::Released)));
    }
    if let Err(printed) = callee.await.expect("SIPp's task lives") {
        panic!("SIPp's trunk_challenges failed:\n{printed}");
    }
}

#[tokio::test]
async fn a_trunk_that_calls_in_and_challenges_our_bye_gets_no_credentials() {
    if peers::find_program("a thief of digests", "sipp").is_none() {
        return;
    }
    let port = free_port();
    let (trunk, mut incoming) = start(port).await;
    let (target, file) = (trunk.local().to_string(), scenario("trunk_steals"));
    let thief = tokio::spawn(async move { run_sipp(&[&target, "-sf", &file, "-nd", "-m", "1"], port).await });
    let mut call = incoming.recv().await.expect("the call comes in");
    trunk.send(call.leg, LegCommand::Answer(SDP.to_vec()));
    while let Some(event) = call.events.recv().await {
        if matches!(event, LegEvent::Established(_)) {
            trunk.send(call.leg, LegCommand::HangUp);
        }
    }
    if let Err(printed) = thief.await.expect("SIPp's task lives") {
        panic!("SIPp's trunk_steals failed:\n{printed}");
    }
}

/// SIPp listens.
async fn wait_until_bound(port: u16) {
    for _ in 0..200 {
        if std::net::UdpSocket::bind(("127.0.0.1", port)).is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("SIPp does not listen on {port}");
}
