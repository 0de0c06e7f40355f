//! Texts over SMPP against an independent implementation (npm's smpp): bound, sent, long, in every alphabet, refused, lost
//! and bound again; and what comes in, which is answered once it is stored.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use cordboard::base::id::AttemptId;
use cordboard::config::pager::PagerAt;
use cordboard::domain::dispatch::event::Failure;
use cordboard::io::deliver::sms::smpp::{Incoming, SmppConfig, SmppTexter, What, open};
use cordboard::io::deliver::{Delivery, TextMessage, Texter as _};
use cordboard::io::store::inbound::Receipt;
use cordboard::proto::sms::alphabet::Alphabet;
use cordboard::proto::sms::parts::{Place, split};
use cordboard::proto::sms::receipt::Ids;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::peers;
use crate::town::number;

/// Nothing here takes so long; it only keeps a broken test from waiting for ever.
const PATIENCE: Duration = Duration::from_secs(60);

struct Carrier {
    process: Child,
    orders: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Carrier {
    /// `None`, with a word on why, where there is no Node or no npm module.
    async fn start(test: &str) -> Option<Self> {
        Self::start_with(test, "ASCII").await
    }

    /// The same with an alphabet of its own, as npm's smpp calls it.
    async fn start_with(test: &str, alphabet: &str) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let node = peers::find_program(test, "node")?;
        let console = root.join("console/package.json");
        if !root.join("console/node_modules/smpp/package.json").is_file() {
            peers::skip(test, "npm's smpp is not installed (npm --prefix console ci)");
            return None;
        }
        let mut process = Command::new(node)
            .arg(root.join("tests/deliver/smpp.mjs"))
            .arg(console)
            .arg(alphabet)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Node starts");
        let orders = process.stdin.take().expect("stdin is piped");
        let lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        let mut carrier = Self { process, orders, lines, port: 0 };
        let port = carrier.says("port").await;
        carrier.port = u16::try_from(port.as_u64().expect("a number")).expect("a port");
        Some(carrier)
    }

    async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.expect("in time");
        serde_json::from_str(&line.expect("read").expect("the carrier lives")).expect("JSON")
    }

    /// Waits for the line that has this, and gives it.
    async fn says(&mut self, key: &str) -> Value {
        self.hears(key).await[key].clone()
    }

    async fn hears(&mut self, key: &str) -> Value {
        loop {
            let line = self.line().await;
            if line.get(key).is_some() {
                return line;
            }
        }
    }

    async fn order(&mut self, order: Value) {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.expect("the carrier listens");
    }

    async fn end(mut self) {
        self.process.kill().await.expect("our own child");
    }
}

struct Line {
    texter: SmppTexter,
    incoming: mpsc::Receiver<Incoming>,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

fn connect(port: u16, password: &str) -> Line {
    connect_with(port, password, Alphabet::Gsm7, Ids::AsTaken)
}

fn connect_with(port: u16, password: &str, alphabet: Alphabet, receipt_ids: Ids) -> Line {
    let config = SmppConfig {
        name: "carrier".into(),
        at: PagerAt { host: "127.0.0.1".into(), port, tls: None },
        system_id: "cordboard".into(),
        password: password.to_owned().into(),
        system_type: String::new(),
        from: number("+12025550100"),
        window: 10,
        alphabet,
        receipt_ids,
    };
    let (texter, link, incoming) = open(config).expect("a sound configuration");
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(link.run(stopped));
    Line { texter, incoming, stop, running }
}

impl Line {
    async fn send(&self, body: &str) -> Delivery {
        let text = TextMessage {
            attempt: AttemptId::named("a-1"),
            to: number("+12025550110"),
            own: Vec::new(),
            from: None,
            body: body.to_owned(),
        };
        self.texter.send(&text).await
    }

    /// What came in next; `stored`: it is, and the carrier is told.
    async fn takes(&mut self, stored: bool) -> What {
        let came =
            tokio::time::timeout(PATIENCE, self.incoming.recv()).await.expect("in time").expect("the line lives");
        came.taken.send(stored).expect("somebody waits for it");
        came.what
    }

    async fn ends(self) {
        self.stop.send(true).expect("it listens");
        tokio::time::timeout(PATIENCE, self.running).await.expect("in time").expect("no panic");
    }
}

fn accepted(id: &str) -> Delivery {
    Delivery::Accepted { provider_id: Some(format!("smpp:carrier:{id}")) }
}

fn failed(failure: Failure, why: &str) -> Delivery {
    Delivery::Failed { failure, why: why.to_owned() }
}

/// From Ben to us.
fn from_ben(fields: Value) -> Value {
    let mut whole = json!({
        "source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "12025550110",
        "dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "12025550100",
    });
    for (key, value) in fields.as_object().expect("fields") {
        whole[key] = value.clone();
    }
    json!({ "deliver": whole })
}

#[tokio::test]
async fn a_text_is_sent_with_a_receipt_asked_for_and_the_line_says_goodbye() {
    let Some(mut carrier) = Carrier::start("a text over SMPP").await else { return };
    let line = connect(carrier.port, "secret");
    let bound = carrier.hears("bound").await;
    assert_eq!((bound["bound"].as_str(), bound["version"].as_u64()), (Some("cordboard"), Some(0x34)));
    assert_eq!(line.send("URGENT [Zoè] 5€ {1ok}").await, accepted("id-1"));
    let got = carrier.hears("id").await;
    assert_eq!(got["text"], "URGENT [Zoè] 5€ {1ok}");
    assert_eq!((got["from"].as_str(), got["to"].as_str()), (Some("12025550100"), Some("12025550110")));
    assert_eq!((got["coding"].as_u64(), got["class"].as_u64(), got["receipt"].as_u64()), (Some(0), Some(0), Some(1)));
    assert_eq!(line.send("Rohrbruch bei Zoë 🚰").await, accepted("id-2"));
    let got = carrier.hears("id").await;
    assert_eq!((got["text"].as_str(), got["coding"].as_u64()), (Some("Rohrbruch bei Zoë 🚰"), Some(8)));
    line.ends().await;
    carrier.says("unbound").await;
    carrier.end().await;
}

#[tokio::test]
async fn a_long_text_goes_in_numbered_parts_and_has_arrived_when_all_have() {
    let Some(mut carrier) = Carrier::start("a long text over SMPP").await else { return };
    let mut line = connect(carrier.port, "secret");
    carrier.says("bound").await;
    let long = "water all over the kitchen; ".repeat(12);
    assert_eq!(line.send(&long).await, accepted("id-1+3"));
    let mut said = String::new();
    for n in 1..=3 {
        let got = carrier.hears("id").await;
        assert_eq!(got["class"], 0x40, "it has a head");
        let head = got["head"][0].as_str().expect("hex");
        assert!(head.starts_with("0003") && head.ends_with(&format!("030{n}")), "{head}");
        said += got["text"].as_str().expect("a text");
    }
    assert_eq!(said, long);
    let receipt = |n: u32, stat: &str| {
        let text = format!(
            "id:id-{n} sub:001 dlvrd:001 submit date:2603070210 done date:2603070211 stat:{stat} err:000 text:water"
        );
        from_ben(json!({ "esm_class": 4, "short_message": text }))
    };
    for n in [1, 3] {
        carrier.order(receipt(n, "DELIVRD")).await;
        assert_eq!(carrier.says("answered").await, 0, "it tells nothing new, and is answered");
    }
    carrier.order(receipt(2, "DELIVRD")).await;
    let What::Receipt { provider_id, receipt: told, word } = line.takes(true).await else { panic!("a receipt") };
    assert_eq!((provider_id.as_str(), told, word.as_str()), ("smpp:carrier:id-1+3", Receipt::Delivered, "delivrd"));
    assert_eq!(line.send("short").await, accepted("id-4"));
    carrier.order(receipt(4, "UNDELIV")).await;
    let What::Receipt { provider_id, receipt: told, .. } = line.takes(true).await else { panic!("a receipt") };
    assert_eq!(provider_id, "smpp:carrier:id-4");
    assert_eq!(told, Receipt::Failed { failure: Failure::Permanent, why: "undeliv_000".into() });
    line.ends().await;
    carrier.end().await;
}

#[tokio::test]
async fn a_carrier_with_latin_1_for_its_own_alphabet_gets_and_sends_what_was_written() {
    let Some(mut carrier) = Carrier::start_with("Latin-1 over SMPP", "LATIN1").await else { return };
    let mut line = connect_with(carrier.port, "secret", Alphabet::Latin1, Ids::AsTaken);
    carrier.says("bound").await;
    for (body, coding) in [("Zoè@home: $5 [1ok]", 0), ("Zoë: 5€", 8)] {
        assert!(matches!(line.send(body).await, Delivery::Accepted { .. }));
        let got = carrier.hears("id").await;
        assert_eq!((got["text"].as_str(), got["coding"].as_u64()), (Some(body), Some(coding)));
    }
    carrier.order(from_ben(json!({ "data_coding": 0, "short_message": "Café @ 1ok_" }))).await;
    let What::Text { body, .. } = line.takes(true).await else { panic!("a text") };
    assert_eq!(body, "Café @ 1ok_");
    line.ends().await;
    carrier.end().await;
}

#[tokio::test]
async fn a_receipt_that_writes_the_number_of_its_text_otherwise_is_still_its_own() {
    for (receipt_ids, taken, in_receipt) in [
        (Ids::Decimal, ["1A2B", "1A2C", "1A2D"], ["0000006699", "6700", "6701"]),
        (Ids::Hex, ["0000006699", "6700", "6701"], ["1a2b", "1A2C", "00001a2d"]),
    ] {
        let Some(mut carrier) = Carrier::start("numbers in receipts over SMPP").await else { return };
        let mut line = connect_with(carrier.port, "secret", Alphabet::Gsm7, receipt_ids);
        carrier.says("bound").await;
        carrier.order(json!({ "ids": taken })).await;
        carrier.says("named").await;
        assert_eq!(line.send("short").await, accepted("6699"));
        assert_eq!(line.send(&"long ".repeat(60)).await, accepted("6700+2"));
        for id in in_receipt {
            let text = format!("id:{id} sub:001 dlvrd:001 submit date:1 done date:2 stat:DELIVRD err:000 text:x");
            carrier.order(from_ben(json!({ "esm_class": 4, "short_message": text }))).await;
        }
        for whole in ["6699", "6700+2"] {
            let What::Receipt { provider_id, receipt, .. } = line.takes(true).await else { panic!("a receipt") };
            assert_eq!((provider_id, receipt), (format!("smpp:carrier:{whole}"), Receipt::Delivered));
        }
        line.ends().await;
        carrier.end().await;
    }
}

/// A text of three parts.
fn three_parts() -> String {
    "water all over the kitchen; ".repeat(12)
}

#[tokio::test]
async fn a_long_text_that_is_cut_off_in_the_middle_goes_on_from_there() {
    let Some(mut carrier) = Carrier::start("half a text over SMPP").await else { return };
    let line = connect(carrier.port, "secret");
    carrier.says("bound").await;
    // Throttled at the second part, the connection lost at the third.
    carrier.order(json!({ "answers": [null, 0x58, null, "hang up"] })).await;
    carrier.says("ready").await;
    assert_eq!(line.send(&three_parts()).await, accepted("id-1+3"));
    let (mut said, mut references) = (String::new(), Vec::new());
    for n in 1..=3 {
        let got = carrier.hears("id").await;
        let head = got["head"][0].as_str().expect("hex");
        assert!(head.ends_with(&format!("030{n}")), "{head}: each part once");
        references.push(head[4..6].to_owned());
        said += got["text"].as_str().expect("a text");
    }
    references.dedup();
    assert_eq!((said, references.len()), (three_parts(), 1), "one text for the phone");
    line.ends().await;
    carrier.end().await;
}

#[tokio::test]
async fn half_a_text_whose_rest_is_not_taken_is_given_to_nobody_else() {
    let Some(mut carrier) = Carrier::start("a text that stays half over SMPP").await else { return };
    let line = connect(carrier.port, "secret");
    carrier.says("bound").await;
    carrier.order(json!({ "answers": [null, 0x58] })).await;
    carrier.says("ready").await;
    let body = three_parts();
    let stop = line.stop.clone();
    let ends = async {
        carrier.says("refused").await;
        stop.send(true).expect("it listens");
    };
    let (sent, ()) = tokio::join!(line.send(&body), ends);
    assert_eq!(sent, failed(Failure::Unknown, "only_part_of_it_was_taken"));
    carrier.end().await;
}

#[tokio::test]
async fn half_a_text_whose_rest_is_refused_for_good_says_that_the_phone_may_have_half() {
    let Some(mut carrier) = Carrier::start("half a text and a no over SMPP").await else { return };
    let line = connect(carrier.port, "secret");
    carrier.says("bound").await;
    carrier.order(json!({ "answers": [null, 0x0b] })).await;
    carrier.says("ready").await;
    let why = "only_part_of_it_was_taken_and_the_rest_refused_smpp_0b";
    assert_eq!(line.send(&three_parts()).await, failed(Failure::Permanent, why));
    line.ends().await;
    carrier.end().await;
}

#[tokio::test]
async fn what_a_carrier_refuses_is_told_apart_and_what_it_does_not_answer_is_not_known() {
    let Some(mut carrier) = Carrier::start("refusals over SMPP").await else { return };
    let line = connect(carrier.port, "secret");
    carrier.says("bound").await;
    carrier.order(json!({ "answers": [0x58, 0x14, 0x0b, "hang up"] })).await;
    carrier.says("ready").await;
    assert_eq!(line.send("a").await, failed(Failure::Temporary, "smpp_58"), "throttled");
    assert_eq!(line.send("b").await, failed(Failure::Temporary, "smpp_14"), "its queue is full");
    assert_eq!(line.send("c").await, failed(Failure::Permanent, "smpp_0b"), "no such number");
    assert_eq!(line.send("d").await, failed(Failure::Unknown, "broken_off"));
    carrier.says("bound").await;
    assert_eq!(line.send("e").await, accepted("id-1"), "bound again by itself");
    line.ends().await;
    carrier.end().await;
}

#[tokio::test]
async fn without_a_carrier_or_a_right_password_a_text_is_tried_again_later() {
    let Some(carrier) = Carrier::start("a wrong password over SMPP").await else { return };
    let line = connect(carrier.port, "wrong");
    assert_eq!(line.send("a").await, failed(Failure::Temporary, "not_bound"));
    line.ends().await;
    carrier.end().await;
}

#[tokio::test]
async fn a_text_that_comes_in_is_answered_once_it_is_stored_and_comes_again_else() {
    let Some(mut carrier) = Carrier::start("a text in over SMPP").await else { return };
    let mut line = connect(carrier.port, "secret");
    carrier.says("bound").await;
    let text = |what| match what {
        What::Text { id, from, to, body, place } => (id, from.as_e164().to_owned(), to, body, place),
        What::Receipt { .. } => panic!("a text"),
    };
    carrier.order(from_ben(json!({ "short_message": "1ok" }))).await;
    let (first, from, to, body, place) = text(line.takes(false).await);
    assert_eq!((from.as_str(), to, body.as_str(), place), ("+12025550110", Some(number("+12025550100")), "1ok", None));
    assert_eq!(carrier.says("answered").await, 0x64, "not now");
    carrier.order(from_ben(json!({ "short_message": "1ok" }))).await;
    let (again, ..) = text(line.takes(true).await);
    assert_eq!(again, first, "it is the same");
    assert_eq!(carrier.says("answered").await, 0);
    carrier.order(from_ben(json!({ "short_message": "1ok" }))).await;
    let (other, ..) = text(line.takes(true).await);
    assert_ne!(other, first, "he sent it again");
    // Cyrillic, Latin-1, and a text in the parameter for long ones.
    for (fields, body) in [
        (json!({ "data_coding": 8, "hex": "041404300021" }), "Да!"),
        (json!({ "data_coding": 3, "hex": "53747261df65" }), "Straße"),
        (json!({ "short_message": "", "message_payload": "on my way" }), "on my way"),
    ] {
        carrier.order(from_ben(fields)).await;
        assert_eq!(text(line.takes(true).await).3, body);
    }
    line.ends().await;
    carrier.end().await;
}

#[tokio::test]
async fn parts_that_come_in_say_of_what_they_are_parts() {
    let Some(mut carrier) = Carrier::start("a long text in over SMPP").await else { return };
    let mut line = connect(carrier.port, "secret");
    carrier.says("bound").await;
    let long = "the water is off now ".repeat(10);
    for (number, part) in (1..).zip(split(&long, 9, Alphabet::Gsm7)) {
        let hex: String = part.octets.iter().map(|octet| format!("{octet:02x}")).collect();
        carrier.order(from_ben(json!({ "esm_class": 0x40, "hex": hex }))).await;
        let What::Text { place, .. } = line.takes(true).await else { panic!("a text") };
        assert_eq!(place, Some(Place { reference: 9, of: 2, number }));
    }
    line.ends().await;
    carrier.end().await;
}
