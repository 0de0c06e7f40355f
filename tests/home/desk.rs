//! The service as it runs at an answering service's: a configuration of its own, a certificate of its own, the demo's
//! people and accounts; and its operator at home.

use std::path::Path;
use std::process::Command;

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::demo;
use cordboard::io::store::calls::CallEventRecord;
use cordboard::io::store::{Store, StoreConfig};
use serde_json::json;

use crate::ear::Ear;
use crate::net::Place;
use crate::seat::Seat;
use crate::server::{Program, serving};
use crate::sipp::{Sipp, free_port};
use crate::temp::TempDir;

const PLUMBING: &str = "+12025550102";
const CALLER: &str = "+12025550190";

/// A running service, ended by its process id when dropped.
pub struct Desk {
    program: Program,
    directory: TempDir,
    http: u16,
    sip: u16,
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(work)
}

impl Desk {
    /// At `address`, under which browsers reach it unless it is `public` to them; `more` is added to its configuration.
    pub fn open(address: &str, public: Option<&str>, more: &str) -> Self {
        let directory = TempDir::new("home");
        let path = |name: &str| directory.path().join(name);
        let (http, sip) = (free_port(), free_port());
        let names: Vec<String> = [Some(address), public].into_iter().flatten().map(str::to_owned).collect();
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate can be made");
        write(&path("desk.pem"), &made.cert.pem());
        write(&path("desk.key"), &made.signing_key.serialize_pem());
        write(
            &path("trunk.toml"),
            "name = \"c\"\nkind = \"address\"\naddresses = [\"127.0.0.1\"]\ntarget = \"127.0.0.1:9\"\n",
        );
        let public = public.map(|ip| format!("public_ip = \"{ip}\"\n")).unwrap_or_default();
        let root = env!("CARGO_MANIFEST_DIR");
        write(
            &path("cordboard.toml"),
            &format!(
                "trunks = [\"trunk.toml\"]\n[http]\nbind = \"{address}:{http}\"\n\
                 [http.tls]\ncertificate = \"desk.pem\"\nkey = \"desk.key\"\n\
                 [sip]\ntrunk_bind = \"127.0.0.1:{sip}\"\nphones_bind = \"127.0.0.1:0\"\n\
                 [media]\nbind_ip = \"{address}\"\n{public}\
                 [auth]\njwt_secret_file = \"jwt\"\n\
                 [voice]\nprompts = \"{root}/prompts/en\"\ncache = \"speech\"\n{more}"
            ),
        );
        block_on(async {
            let store = Store::open(&StoreConfig::in_directory(directory.path()), SystemClock.utc()).await;
            let store = store.expect("the store opens");
            demo::seed(&store, SystemClock.utc()).await.expect("the demo's people come in");
            store.close().await;
        });
        let mut program = Program::start(&mut serving(directory.path()));
        // It listens before it is ready, so listening says nothing.
        program.wait_until(|program| program.log().contains("Cordboard is up"));
        Self { program, directory, http, sip }
    }

    /// Kim at `home`, ready for calls, who reaches the desk at `address`.
    pub fn seat(&self, home: &Place, address: &str, voice_hz: f64) -> Seat {
        let base = format!("https://{address}:{}", self.http);
        let mut seat = Seat::open_from(&home.prefix(), &base, voice_hz, self.directory.path());
        seat.act("log_in", json!({ "login": "kim" }));
        seat.act("get_ready", json!({}));
        seat
    }

    /// A caller dials the plumber's number.
    pub fn dial(&self, ear: &Ear) -> Sipp {
        let target = format!("127.0.0.1:{}", self.sip);
        let keys = [("did", PLUMBING), ("caller", CALLER)];
        Sipp::start("caller", &target, free_port(), ear.port(), &keys, self.directory.path())
    }

    /// How often this is on the record of the one call there is.
    pub fn count_events(&self, kind: &str) -> usize {
        block_on(async {
            let config = StoreConfig::in_directory(self.directory.path());
            let store = Store::open(&config, SystemClock.utc()).await.expect("the store opens");
            let calls = store.list_calls(None, None, 20).await.expect("calls");
            assert_eq!(calls.len(), 1, "one call came in");
            let events = store.list_call_events(&calls[0].id).await.expect("events");
            store.close().await;
            events.iter().filter(|event: &&CallEventRecord| event.kind == kind).count()
        })
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(kept) = std::env::var_os("CORDBOARD_KEEP")
        {
            self.program.kill();
            write(&self.directory.path().join("log"), &self.program.output());
            let _ = Command::new("cp").arg("-r").arg(self.directory.path()).arg(kept).status();
        }
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the test's directory is writable");
}
