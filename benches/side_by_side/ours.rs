//! Our server: the release binary under a configuration of the run's own, on the demo's accounts and one whose calls go on
//! to a number elsewhere. And our media engine alone, in a process of its own, for what takes an operator to bring about
//! through the whole server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread::{self, sleep};
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::id::AccountId;
use cordboard::base::phone::PhoneNumber;
use cordboard::demo;
use cordboard::domain::account::Account;
use cordboard::domain::account::flow::{Flow, Spill, SpillFailed};
use cordboard::domain::account::hours::Hours;
use cordboard::domain::call::bridge::{BridgeId, HearMatrix, LegId};
use cordboard::io::media::{Codec, EventTypes, Media, MediaConfig, Prompt, RtpParameters, ShardId};
use cordboard::io::store::{Store, StoreConfig};
use cordboard::proto::audio::tone::sine;

use super::Service;
use super::process::{Process, Scratch, free_port};

/// A number of the demo.
pub const DIALLED: &str = "+12025550102";
/// The number of the account whose calls go on to the callee.
pub const SENT_ON: &str = "+12025550140";
const ELSEWHERE: &str = "+12025550141";

/// The running server.
pub struct Server {
    pub process: Process,
    pub sip: SocketAddr,
    /// Last: it is removed when the process has ended.
    _scratch: Scratch,
}

impl Server {
    /// Starts `binary` and waits until it is ready. Calls out go to `callee`.
    pub fn start(binary: &Path, callee: SocketAddr) -> Result<Self, String> {
        let scratch = Scratch::new("server");
        let dir = &scratch.0;
        let (http, sip, phones) = (free_port(13_000), free_port(13_300), free_port(13_600));
        let config = format!(
            "trunks = [\"trunk.toml\"]\n[http]\nbind = \"127.0.0.1:{http}\"\n[sip]\ntrunk_bind = \"127.0.0.1:{sip}\"\n\
             phones_bind = \"127.0.0.1:{phones}\"\n[media]\nports = \"20000-27999\"\n[store]\npath = \"cordboard.db\"\n\
             key_file = \"cordboard.key\"\n[limits]\naccount_calls_out = 10000\naccount_calls_out_per_hour = 100000\n[voice]\nprompts = \"{}/prompts/en\"\ncache = \"speech\"\n\
             [auth]\njwt_secret_file = \"jwt.secret\"\n",
            env!("CARGO_MANIFEST_DIR")
        );
        let trunk = format!(
            "name = \"bench\"\nkind = \"address\"\ntransport = \"udp\"\naddresses = [\"127.0.0.0/8\"]\ntarget = \"{callee}\"\n\
             caller_ids = [\"+12025550102\"]\nchannels = 10000\ncalls_per_second = 1000\n"
        );
        let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).map_err(|why| why.to_string());
        write("cordboard.toml", &config)?;
        write("trunk.toml", &trunk)?;
        let place = cordboard::config::Place::Sqlite(dir.join("cordboard.db"));
        let store = StoreConfig { place, key_file: dir.join("cordboard.key") };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        runtime.block_on(async {
            let store = Store::open(&store, SystemClock.utc()).await.map_err(|e| e.to_string())?;
            demo::seed(&store, SystemClock.utc()).await.map_err(|e| e.to_string())?;
            let mut tx = store.write().await.map_err(|e| e.to_string())?;
            tx.upsert_account(&sends_on()?, SystemClock.utc()).await.map_err(|e| e.to_string())?;
            tx.commit("bench").await.map_err(|e| e.to_string())?;
            store.close().await;
            Ok::<_, String>(())
        })?;
        let mut command = Command::new(binary);
        command.arg("serve").arg("--config").arg(dir.join("cordboard.toml"));
        let mut process = Process::start(command, &dir.join("log"))?;
        for _ in 0..200 {
            if status(http, "/readyz") == Some(200) {
                let sip = SocketAddr::from(([127, 0, 0, 1], sip));
                return Ok(Self { process, sip, _scratch: scratch });
            }
            if !process.is_running() {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        Err(format!("{} did not get ready:\n{log}", binary.display()))
    }

    /// Calls that it plays to.
    pub const fn greeting(&self) -> Service<'_> {
        Service { process: &self.process, sip: self.sip, dialled: DIALLED }
    }
}

/// An account whose calls go on elsewhere.
fn sends_on() -> Result<Account, String> {
    let number = |text| PhoneNumber::parse(text).map_err(|_| format!("{text} is no number"));
    let mut account = demo::clients().swap_remove(0).account;
    account.id = AccountId::named("bench");
    "Bench".clone_into(&mut account.name);
    (account.dids, account.caller_id) = (vec![number(SENT_ON)?], Some(number(DIALLED)?));
    account.call_types.clear();
    account.menus.clear();
    let number = number(ELSEWHERE)?;
    let usual = Flow::Spill(Spill { number, ring_secs: 30, failed: SpillFailed::Apology, before_answer: false });
    account.hours = Hours { usual, ..Hours::default() };
    Ok(account)
}

fn status(port: u16, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n").ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head[9..]).ok()?.parse().ok()
}

/// Our media engine in a process of its own.
pub struct Engine {
    pub process: Process,
    /// Where each leg hears.
    pub legs: Vec<SocketAddr>,
    _scratch: Scratch,
}

impl Engine {
    /// Legs to these far ends, each hearing the others of its `group`.
    pub fn start(far: &[SocketAddr], group: usize) -> Result<Self, String> {
        let scratch = Scratch::new("engine");
        let (asked, log) = (scratch.0.join("legs"), scratch.0.join("log"));
        let lines: String = far.iter().map(|to| format!("{to}\n")).collect();
        std::fs::write(&asked, lines).map_err(|why| why.to_string())?;
        let own = std::env::current_exe().map_err(|why| why.to_string())?;
        let mut command = Command::new(own);
        command.arg("--engine").arg(&asked).arg(group.to_string());
        let mut process = Process::start(command, &log)?;
        for _ in 0..200 {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let legs: Vec<SocketAddr> = text.lines().filter_map(|line| line.parse().ok()).collect();
            if legs.len() == far.len() {
                return Ok(Self { process, legs, _scratch: scratch });
            }
            if !process.is_running() {
                return Err(format!("the media engine ended:\n{text}"));
            }
            sleep(Duration::from_millis(50));
        }
        Err("the media engine did not get ready".to_owned())
    }
}

/// What the engine's process does: until its standard input ends, a minute at most.
pub fn engine(asked: &str, group: &str) {
    let file = std::fs::File::open(asked).expect("the run wrote it");
    let far: Vec<SocketAddr> =
        BufReader::new(file).lines().map_while(Result::ok).filter_map(|line| line.parse().ok()).collect();
    let group: usize = group.parse().expect("the run says a number");
    let (events, mut seen) = tokio::sync::mpsc::channel(1_024);
    thread::spawn(move || while seen.blocking_recv().is_some() {});
    let config = MediaConfig {
        bind_ip: [127, 0, 0, 1].into(),
        public_ip: None,
        ports: 28_000..=31_999,
        shards: 1,
        music: Arc::new(Prompt::from_pcm(sine(300.0, 6_000.0, 8_000))),
        clock: Arc::new(SystemClock),
    };
    let media = Media::start(config, events).expect("media starts");
    let ids: Vec<LegId> = (1..=far.len() as u64).map(LegId).collect();
    for (leg, remote) in ids.iter().zip(far) {
        let here = media.open_rtp(ShardId(0), *leg).expect("a port");
        let parameters = RtpParameters {
            remote,
            codec: Codec::Pcmu,
            telephone_event: Some(EventTypes::same(101)),
            comfort_noise: false,
            rtcp_mux: false,
            srtp: None,
            send: true,
            receive: true,
            ptime_ms: 20,
        };
        media.connect_rtp(*leg, parameters).expect("the leg is open");
        println!("{here}");
    }
    for (n, legs) in ids.chunks(group).enumerate() {
        media.set_bridge(ShardId(0), BridgeId(n as u64), 1, HearMatrix::conference(legs));
    }
    let (ended, end) = std::sync::mpsc::channel::<()>();
    thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    let _ = end.recv_timeout(Duration::from_secs(60));
}
