//! `cordboard serve` by a configuration file on both stores: it gets ready, people log in, callers are
//! greeted, and it ends when it is told to, calls in progress first.

use std::path::Path;

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::demo;
use cordboard::io::store::{Place, StoreConfig};
use serde_json::json;

use crate::api::Api;
use crate::ear::Ear;
use crate::house::{CALLER, PLUMBING, dial, in_store};
use crate::postgres::Postgres;
use crate::server::{Program, Server, free_port, http_status, media_ports, scratch, serving};
use crate::{peers, wait_for};

/// A configured service on the demo's clients, in `dir`.
fn serve(dir: &Path, place: Place) -> Server {
    let (http, sip) = configure(dir, place);
    Server::serve(dir, http, sip)
}

/// Its configuration and its data; on which ports it will be.
fn configure(dir: &Path, place: Place) -> (u16, u16) {
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
    (http, sip)
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

/// What several nodes on one database are today: one at work, the others in its place once it is gone.
#[test]
fn a_second_node_on_one_database_ends_at_its_start_and_takes_over_when_the_first_is_gone() {
    let Some(postgres) = Postgres::start("a second node on PostgreSQL") else { return };
    let place = Place::Postgres(postgres.create_database());
    let mut first = serve(&scratch(), place.clone());
    let api = Api::log_in(first.http, "kim");
    let answers =
        json!({ "name": "Ann Archer", "callback": CALLER, "address": "12 Elm Street", "problem": "Broken pipe" });
    let body = json!({ "account": "acc_plumbing", "call_type": "ct_plumbing-urgent", "answers": answers });
    let (status, message) = api.post("/api/v1/messages", &body);
    assert_eq!(status, 201, "{message}");
    let path = format!("/api/v1/messages/{}", message["id"].as_str().expect("an id"));
    // No texts leave here, so the first step fails at once and the next one is under way.
    let lines = |api: &Api| api.get(&path)["dispatch"]["timeline"].as_array().expect("a time line").clone();
    let before = wait_for("the dispatch is under way", || Some(lines(&api)).filter(|lines| lines.len() >= 3));

    // The other machine has the same key.
    let dir = scratch();
    std::fs::create_dir_all(dir.join("data")).expect("the temporary directory is writable");
    std::fs::copy(first.dir.join("data/cordboard.key"), dir.join("data/cordboard.key")).expect("the key is there");
    let (http, sip) = configure(&dir, place.clone());
    let mut second = Program::start(&mut serving(&dir));
    assert_eq!(second.exit_code(), Some(1));
    assert!(second.log().contains("another Cordboard runs on the database"), "{}", second.output());
    drop(second);
    assert_eq!(api.get("/api/v1/accounts")["items"].as_array().map(Vec::len), Some(4), "the first is unharmed");

    first.kill();
    let mut second = wait_for("the second takes over", || Server::try_serve(&dir, http, sip));
    let api = Api::log_in(second.http, "kim");
    let open = api.get("/api/v1/dispatches?open=1");
    assert_eq!(open["items"].as_array().map(Vec::len), Some(1), "{open}");
    let after = lines(&api);
    assert!(after.starts_with(&before), "what was done is done, and goes on: {before:?} and {after:?}");
    second.terminate();
    assert_eq!(second.exit_code(), Some(0), "{}", second.output());
    let config = StoreConfig { place, key_file: dir.join("data/cordboard.key") };
    let log = in_store(&config, async |store| store.verify_audit(&[]).await.expect("read"));
    assert!(log.is_ok_and(|log| log.last.is_some()), "one chain, written by both");
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
