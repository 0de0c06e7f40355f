//! `cordboard serve` by a configuration file on both stores: it gets ready, people log in, callers are
//! greeted, and it ends when it is told to, calls in progress first.

use std::path::Path;

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::demo;
use cordboard::io::store::{Place, StoreConfig};

use crate::api::Api;
use crate::ear::Ear;
use crate::house::{CALLER, PLUMBING, dial, in_store};
use crate::postgres::Postgres;
use crate::server::{Server, free_port, http_status, media_ports, scratch};
use crate::{peers, wait_for};

/// A configured service on the demo's clients, in `dir`.
fn serve(dir: &Path, place: Place) -> Server {
    let (http, sip, phones) = (free_port(), free_port(), free_port());
    let data = dir.join("data");
    std::fs::create_dir_all(&data).expect("the temporary directory is writable");
    let store = match &place {
        Place::Sqlite(path) => format!("path = \"{}\"", path.display()),
        Place::Postgres(url) => format!("url = \"{url}\""),
    };
    let config = format!(
        "trunks = [\"trunk.toml\"]\n[http]\nbind = \"127.0.0.1:{http}\"\n[sip]\ntrunk_bind = \"127.0.0.1:{sip}\"\n\
         phones_bind = \"127.0.0.1:{phones}\"\n[media]\nports = \"{}\"\n[store]\n{store}\n\
         key_file = \"data/cordboard.key\"\n[voice]\nprompts = \"{}/prompts/en\"\ncache = \"data/speech\"\n\
         [auth]\njwt_secret_file = \"data/jwt.secret\"\n",
        media_ports(),
        env!("CARGO_MANIFEST_DIR")
    );
    let trunk = "name = \"carrier\"\nkind = \"address\"\ntransport = \"udp\"\naddresses = [\"127.0.0.0/8\"]\nping = false\n\
                 target = \"127.0.0.1:9\"\ncaller_ids = [\"+12025550102\"]\nchannels = 10\n";
    std::fs::write(dir.join("cordboard.toml"), config).expect("the temporary directory is writable");
    std::fs::write(dir.join("trunk.toml"), trunk).expect("the temporary directory is writable");
    let store = StoreConfig { place, key_file: data.join("cordboard.key") };
    in_store(&store, async |store| demo::seed(store, SystemClock.utc()).await.expect("the demo's clients"));
    Server::serve(dir, http, sip)
}

fn gets_ready_logs_in_and_ends(mut server: Server) {
    assert_eq!(http_status(server.http, "/readyz"), Some(200));
    let api = Api::log_in(server.http, "kim");
    let accounts = api.get("/api/v1/accounts");
    assert_eq!(accounts["items"].as_array().map(Vec::len), Some(4), "{accounts}");
    server.terminate();
    assert_eq!(server.exit_code(), Some(0), "{}", server.output());
}

#[test]
fn on_sqlite_it_gets_ready_and_ends_when_told_to() {
    let dir = scratch();
    let place = Place::Sqlite(dir.join("data/cordboard.db"));
    gets_ready_logs_in_and_ends(serve(&dir, place));
}

#[test]
fn on_postgresql_it_gets_ready_and_ends_when_told_to() {
    let Some(postgres) = Postgres::start("on_postgresql_it_gets_ready_and_ends_when_told_to") else { return };
    let place = Place::Postgres(postgres.create_database());
    gets_ready_logs_in_and_ends(serve(&scratch(), place));
}

#[test]
fn told_to_end_it_refuses_new_calls_and_lets_those_in_progress_end() {
    if peers::find_program("draining", "sipp").is_none() {
        return;
    }
    let dir = scratch();
    let place = Place::Sqlite(dir.join("data/cordboard.db"));
    let mut server = serve(&dir, place);
    let ear = Ear::open(0.0);
    let call = dial(&server, "caller_on_cue", &ear, PLUMBING, CALLER);
    ear.heard_since(0, 1.0);
    server.terminate();
    wait_for("no longer ready", || (http_status(server.http, "/readyz") == Some(503)).then_some(()));
    dial(&server, "caller_503", &Ear::open(0.0), PLUMBING, "+12025550191").expect_success();
    // The caller is still there and still hears us.
    ear.listen(1.0);
    assert!(server.is_running());
    call.cue();
    call.expect_success();
    assert_eq!(server.exit_code(), Some(0), "{}", server.output());
}
