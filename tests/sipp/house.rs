//! What the tests of the whole service share: its data before the start and its record afterwards, both
//! through the library's store; and what words sound like.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::id::AccountId;
use cordboard::base::phone::PhoneNumber;
use cordboard::demo::{self, Client};
use cordboard::io::media::Prompt;
use cordboard::io::store::calls::{CallEventRecord, CallRecord};
use cordboard::io::store::{Store, StoreConfig};

use crate::ear::{Ear, best_correlation};
use crate::server::Server;
use crate::sipp::{Sipp, free_port};
use crate::wait_for;

pub const PLUMBING: &str = "+12025550102";
pub const CALLER: &str = "+12025550190";

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(work)
}

/// Does something with the store that `config` names.
pub fn in_store<T>(config: &StoreConfig, work: impl AsyncFnOnce(&Store) -> T) -> T {
    block_on(async {
        // The service may be writing just then, for longer than a store waits at its opening on a busy machine.
        let mut store = Store::open(config, SystemClock.utc()).await;
        for _ in 0..5 {
            if store.is_ok() {
                break;
            }
            store = Store::open(config, SystemClock.utc()).await;
        }
        let store = store.expect("the store opens");
        let done = work(&store).await;
        store.close().await;
        done
    })
}

/// Puts the demo's client `key` into a new data directory, changed; the demo keeps what is there.
pub fn seed_changed(dir: &Path, key: &str, change: impl FnOnce(&mut Client)) {
    let mut client =
        demo::clients().into_iter().find(|c| c.account.id == AccountId::named(key)).expect("a client of the demo");
    change(&mut client);
    in_store(&StoreConfig::in_directory(dir), async |store| {
        let now = SystemClock.utc();
        let mut tx = store.write().await.expect("begins");
        tx.upsert_account(&client.account, now).await.expect("an account");
        for contact in &client.contacts {
            tx.upsert_contact(contact).await.expect("a contact");
        }
        for schedule in &client.schedules {
            tx.upsert_schedule(schedule).await.expect("a schedule");
        }
        for protocol in &client.protocols {
            tx.insert_protocol(protocol, now).await.expect("a protocol");
        }
        tx.commit("test").await.expect("commits");
    });
}

/// The record of the call with `remote` so far, and its events.
pub fn find_call(dir: &Path, remote: &str) -> Option<(CallRecord, Vec<CallEventRecord>)> {
    let remote = PhoneNumber::parse(remote).expect("a number");
    in_store(&StoreConfig::in_directory(dir), async |store| {
        let calls = store.list_calls(None, None, 20).await.expect("calls");
        let call = calls.into_iter().find(|c| c.remote.as_ref() == Some(&remote))?;
        let events = store.list_call_events(&call.id).await.expect("events");
        Some((call, events))
    })
}

/// The same, once the call is finished.
pub fn finished_call(dir: &Path, remote: &str) -> (CallRecord, Vec<CallEventRecord>) {
    wait_for("the call's record", || find_call(dir, remote).filter(|(call, _)| call.end.is_some()))
}

pub fn has_event(events: &[CallEventRecord], kind: &str) -> bool {
    events.iter().any(|event| event.kind == kind)
}

/// Dials `did` as `caller` by this scenario.
pub fn dial(server: &Server, scenario: &str, ear: &Ear, did: &str, caller: &str) -> Sipp {
    let target = format!("127.0.0.1:{}", server.sip);
    Sipp::start(scenario, &target, free_port(), ear.port(), &[("did", did), ("caller", caller)], &server.dir)
}

/// A recorded prompt of the repository.
pub fn recorded(name: &str) -> Vec<i16> {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("prompts/en/{name}.wav"));
    Prompt::from_wav(&file).expect("a WAV file").pcm().to_vec()
}

/// What `cordboard say` makes of these words.
pub fn spoken(dir: &Path, words: &str) -> Vec<i16> {
    let file = dir.join(format!("said-{}.wav", words.len()));
    let status = Command::new(env!("CARGO_BIN_EXE_cordboard"))
        .arg("say")
        .arg(words)
        .arg(&file)
        .stdin(Stdio::null())
        .status()
        .expect("the binary was built with this test");
    assert!(status.success(), "cordboard say failed");
    Prompt::from_wav(&file).expect("a WAV file").pcm().to_vec()
}

pub fn seconds(samples: &[i16]) -> f64 {
    samples.len() as f64 / crate::ear::RATE as f64
}

/// Asserts that these words sound in what was heard; where they begin.
pub fn assert_heard(what: &str, heard: &[i16], words: &[i16]) -> usize {
    assert!(heard.len() >= words.len(), "{what}: only {:.1} s were heard", seconds(heard));
    let (correlation, at) = best_correlation(heard, words);
    assert!(correlation >= 0.9, "{what} was not heard: correlation {correlation:.2}");
    at
}

/// Asserts that not even the first two seconds of these words sound in what was heard.
pub fn assert_not_heard(what: &str, heard: &[i16], words: &[i16]) {
    let (correlation, at) = best_correlation(heard, &words[..words.len().min(2 * crate::ear::RATE)]);
    assert!(correlation < 0.6, "{what} was heard at sample {at}: correlation {correlation:.2}");
}
