//! Faxes over the real edges: a message is taken, its protocol has it faxed, and a machine at the end of the demo's carrier
//! (libspandsp2, driven by `fax_machine.py` with a SIP and a UDPTL of its own) takes the page, or does not. What counts as delivered is what it
//! confirmed.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AccountId, CallTypeId, ContactId, DestinationId, MessageId, ProtocolId};
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::account::{Destination, Reach};
use cordboard::domain::dispatch::protocol::{Method, Protocol, Step, Target, Until};
use cordboard::domain::dispatch::reference;
use cordboard::domain::dispatch::state::Attempt;
use cordboard::domain::message::render::fax::letter;
use cordboard::io::fax::Station;
use cordboard::io::fax::page::{HEIGHT, ROW, WIDTH, set};
use cordboard::io::fax::spandsp::Spandsp;
use cordboard::io::store::StoreConfig;
use fax::Color;
use serde_json::{Value, json};

use crate::api::Api;
use crate::house::{CALLER, in_store, seed_changed};
use crate::server::{Server, scratch};
use crate::sipp::free_port;
use crate::{peers, wait_for};

const MACHINE: &str = "+12025550133";
/// Under the line at a page's top, which says when it was sent.
const UNDER_HEAD: usize = 100;

/// A demo whose plumbing account has routine messages faxed to the office, and the machine there.
struct House {
    server: Server,
    api: Api,
    machine: Machine,
}

/// The fax machine: what it prints, line by line.
struct Machine {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    directory: PathBuf,
}

impl Machine {
    fn start(directory: &Path, port: u16, ways: &[&str]) -> Self {
        let mut child = Command::new("python3")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp/fax_machine.py"))
            .args([&port.to_string(), directory.to_str().expect("a plain path"), "38"])
            .args(ways)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 was found before");
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let mut machine = Self { child, lines, directory: directory.to_owned() };
        assert_eq!(machine.next().as_deref(), Some("ready"));
        machine
    }

    fn next(&mut self) -> Option<String> {
        self.lines.next().and_then(Result::ok)
    }

    /// What it says until it ends.
    fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// The rows of the first page of its call `number`, below `from`.
    fn page(&self, number: u32, from: usize) -> Vec<Vec<bool>> {
        let file = std::fs::read(self.directory.join(format!("{number}.tif"))).expect("a page was written");
        let mut rows = Vec::new();
        let (image, width, height) = first_image(&file);
        let read = fax::decoder::decode_g4(image.iter().copied(), width, Some(height), |line| {
            rows.push(fax::decoder::pels(line, width).map(|dot| dot == Color::Black).collect());
        });
        assert!(read.is_some() && width as usize == WIDTH, "{width} dots wide");
        rows.split_off(from)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first page of a TIFF in group 4, its strips joined; its width and height.
fn first_image(file: &[u8]) -> (Vec<u8>, u32, u32) {
    assert_eq!(&file[..4], b"II\x2a\x00");
    let number =
        |at: usize, len: usize| file[at..at + len].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let directory = number(4, 4);
    let values = |tag: usize| -> Vec<usize> {
        let entry = (0..number(directory, 2)).map(|n| directory + 2 + 12 * n).find(|at| number(*at, 2) == tag);
        let entry = entry.unwrap_or_else(|| panic!("no tag {tag}"));
        let size = if number(entry + 2, 2) == 3 { 2 } else { 4 };
        let count = number(entry + 4, 4);
        let start = if count * size <= 4 { entry + 8 } else { number(entry + 8, 4) };
        (0..count).map(|n| number(start + n * size, size)).collect()
    };
    assert_eq!(values(259), [4], "it is not in group 4");
    let strips = values(273).into_iter().zip(values(279));
    // libspandsp puts the leftmost dot into the lowest bit.
    let turned = values(266) == [2];
    let octets = strips.flat_map(|(at, len)| file[at..at + len].to_vec());
    let image = octets.map(|octet| if turned { octet.reverse_bits() } else { octet }).collect();
    let (width, height) = (values(256)[0], values(257)[0]);
    (image, u32::try_from(width).expect("small"), u32::try_from(height).expect("small"))
}

fn can_run(test: &str) -> bool {
    if peers::find_program(test, "python3").is_none() {
        return false;
    }
    match Spandsp::load() {
        Ok(_) => true,
        Err(missing) => {
            peers::skip(test, &missing.to_string());
            false
        }
    }
}

impl House {
    fn start(ways: &[&str], tries: u8) -> Self {
        let dir = scratch();
        seed_changed(&dir, "plumbing", |client| {
            client.account.undo_secs = 1;
            let office = client.contacts.iter_mut().find(|c| c.id == ContactId::named("plumbing-office"));
            office.expect("an office").destinations.push(Destination {
                id: DestinationId::named("plumbing-office-fax"),
                label: "fax".into(),
                reach: Reach::Fax(PhoneNumber::parse(MACHINE).expect("a number")),
                ring_secs: 30,
                blocked: false,
                hours: Vec::new(),
            });
            let protocol = ProtocolId::named("plumbing-by-fax");
            client.protocols.push(Protocol {
                id: protocol.clone(),
                account: client.account.id.clone(),
                name: "By fax".into(),
                version: 1,
                steps: vec![Step::new(
                    Method::Fax { tries, retry_secs: 30 },
                    vec![Target::Contact { contact: ContactId::named("plumbing-office"), destination: "fax".into() }],
                    0,
                )],
                repeat: None,
                until: Until::HandedOver,
            });
            let routine = client.account.call_types.iter_mut().find(|t| t.id == CallTypeId::named("plumbing-routine"));
            routine.expect("a routine call type").protocol = Some(protocol);
        });
        let port = free_port();
        let machine = Machine::start(&dir, port, ways);
        let server = Server::start_in(&dir, &["--carrier", &format!("127.0.0.1:{port}")], &[]);
        let api = Api::log_in(server.http, "kim");
        Self { server, api, machine }
    }

    /// Kim takes a message that is to be faxed; its path.
    fn take(&self) -> String {
        let (status, message) = self.api.post(
            "/api/v1/messages",
            &json!({ "account": AccountId::named("plumbing"), "call_type": CallTypeId::named("plumbing-routine"),
                "caller": CALLER, "answers": { "name": "Ann Archer", "callback": CALLER, "message": "The new boiler hums." } }),
        );
        assert_eq!(status, 201, "{message}");
        format!("/api/v1/messages/{}", message["id"].as_str().expect("a message has an identifier"))
    }

    fn dispatch(&self, message: &str) -> Value {
        self.api.get(message)["dispatch"].clone()
    }

    fn timeline(&self, message: &str) -> Vec<String> {
        let lines = self.dispatch(message)["timeline"].as_array().cloned().unwrap_or_default();
        lines.iter().filter_map(|line| line["text"].as_str().map(str::to_owned)).collect()
    }

    /// Waits until the time line holds a sentence with these words.
    fn expect_line(&self, message: &str, words: &str) {
        for _ in 0..1_800 {
            if self.timeline(message).iter().any(|line| line.contains(words)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("no line says {words:?}: {:#?}\n{}", self.timeline(message), self.server.log());
    }

    /// The one attempt that there is, as stored.
    fn attempt(&self, message: &str) -> Attempt {
        let id = message_id(message);
        in_store(&StoreConfig::in_directory(&self.server.dir), async |store| {
            let id = store.find_dispatch_of_message(&id).await.expect("reads").expect("it has a dispatch");
            let mut attempts = store.find_dispatch(&id).await.expect("reads").expect("it is there").state.attempts;
            assert_eq!(attempts.len(), 1);
            attempts.remove(0)
        })
    }

    /// What the page should look like under its head line.
    fn sent(&self, message: &str) -> Vec<Vec<bool>> {
        let id = message_id(message);
        let letter = in_store(&StoreConfig::in_directory(&self.server.dir), async |store| {
            let message = store.find_message(&id).await.expect("reads").expect("it was saved");
            let account = store.find_account(&message.account).await.expect("reads").expect("it has an account");
            let call_type = account.call_types.iter().find(|t| t.id == message.call_type).expect("its type");
            let dispatch =
                store.find_dispatch_of_message(&message.id).await.expect("reads").expect("it has a dispatch");
            letter(&message, &account, &call_type.name, None, &reference::of(&dispatch), UtcMs(0))
        });
        let pages = set(&letter, &Station::default());
        assert_eq!(pages.len(), 1);
        let dots = |row: &[u8]| (0..WIDTH).map(|x| row[x / 8] & (0x80 >> (x % 8)) != 0).collect();
        assert_eq!((ROW * 8, pages[0].rows().count()), (WIDTH, HEIGHT));
        pages[0].rows().skip(UNDER_HEAD).map(dots).collect()
    }

    /// The page that came in call `number` is the one that was sent, dot by dot.
    fn expect_page(&self, number: u32, message: &str) {
        let (sent, came) = (self.sent(message), self.machine.page(number, UNDER_HEAD));
        let differing = sent.iter().zip(&came).filter(|(sent, came)| sent != came).count();
        assert_eq!((came.len(), differing), (sent.len(), 0), "rows, and rows that differ");
    }
}

fn message_id(path: &str) -> MessageId {
    let id = path.rsplit('/').next().expect("a path ends with the identifier");
    serde_json::from_value(json!(id)).expect("an identifier")
}

fn says(lines: &[String], word: &str) -> bool {
    lines.iter().any(|line| line == word)
}

#[test]
fn a_busy_machine_is_tried_again_and_its_page_by_t38_comes_whole_though_packets_are_lost() {
    if !can_run("a fax by T.38") {
        return;
    }
    let mut house = House::start(&["busy", "t38"], 2);
    let message = house.take();
    house.expect_line(&message, "failed (busy), will be tried again");
    house.expect_line(&message, "their machine has confirmed its page");
    let lines = house.machine.rest();
    for word in ["call busy", "t38", "page 1", "done 0", "from +1 202 555 0100"] {
        assert!(says(&lines, word), "{word}: {lines:?}");
    }
    house.expect_page(2, &message);
    wait_for("the end", || (house.dispatch(&message)["state"] == "delivered").then_some(()));
    let attempt = house.attempt(&message);
    assert!(attempt.delivered_at.is_some() && attempt.told_at.is_none(), "{attempt:?}");
}

#[test]
fn a_machine_that_proposes_t38_is_followed_and_one_that_refuses_it_gets_the_page_by_sound() {
    if !can_run("a fax by sound") {
        return;
    }
    let mut house = House::start(&["asks", "sound"], 1);
    for call in [1, 2] {
        let message = house.take();
        house.expect_line(&message, "their machine has confirmed its page");
        house.expect_page(call, &message);
    }
    let lines = house.machine.rest();
    let places = |word: &str| lines.iter().filter(|line| *line == word).count();
    assert_eq!((places("t38"), places("refused"), places("done 0")), (1, 1, 2), "{lines:?}");
}

#[test]
fn a_page_cut_off_in_the_middle_and_a_voice_are_not_delivered() {
    if !can_run("a fax cut off") {
        return;
    }
    let mut house = House::start(&["cut", "voice"], 1);
    for why in ["line lost", "answered but no fax machine"] {
        let message = house.take();
        house.expect_line(&message, &format!("failed ({why}), given up"));
        assert_ne!(house.dispatch(&message)["state"], "delivered");
        assert_eq!(house.attempt(&message).delivered_at, None);
        assert!(!house.timeline(&message).iter().any(|line| line.contains("has confirmed its page")));
    }
    let lines = house.machine.rest();
    assert!(says(&lines, "cut after 0") && says(&lines, "call voice"), "{lines:?}");
}
