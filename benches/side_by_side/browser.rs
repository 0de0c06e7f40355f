//! Browser legs: our media engine in a process of its own, each two of its legs relayed to each other; their far ends
//! are softphones of webrtc-rs' core in a third process, so that what is counted is ours alone.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::domain::call::bridge::{BridgeId, HearMatrix, LegId};
use cordboard::io::media::{Codec, Media, MediaConfig, MediaEvent, Prompt, ShardId};
use cordboard::proto::audio::tone::sine;

use super::far::{TICK, go_first};
use super::process::{Process, Scratch};

#[path = "../../tests/support/softphone.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod softphone;

use softphone::Softphone;

/// Both processes.
pub struct Browsers {
    pub engine: Process,
    _phones: Process,
    told: PathBuf,
    _scratch: Scratch,
}

/// What a process has told so far that begins with `mark`, or what it is when it ends before there are `count`.
fn told(process: &mut Process, log: &Path, mark: &str, count: usize) -> Result<Vec<String>, String> {
    for _ in 0..600 {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        // The last line may still be on its way.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines: Vec<String> = whole.lines().filter_map(|line| line.strip_prefix(mark)).map(str::to_owned).collect();
        if lines.len() >= count {
            return Ok(lines);
        }
        if !process.is_running() {
            return Err(format!("it ended:\n{text}"));
        }
        sleep(Duration::from_millis(50));
    }
    Err(format!("it did not tell {count} of {mark}"))
}

impl Browsers {
    /// `count` browser legs that are up, talking and hearing.
    pub fn start(count: usize) -> Result<Self, String> {
        let scratch = Scratch::new("browsers");
        let file = |name: &str| scratch.0.join(name);
        let own = std::env::current_exe().map_err(|why| why.to_string())?;
        let mut command = Command::new(&own);
        command.arg("--browser-engine").arg(count.to_string());
        let mut engine = Process::start(command, &file("engine"))?;
        let offers = told(&mut engine, &file("engine"), "offer ", count)?;
        std::fs::write(file("offers"), offers.join("\n")).map_err(|why| why.to_string())?;
        let mut command = Command::new(&own);
        command.arg("--softphones").arg(file("offers"));
        let mut phones = Process::start(command, &file("phones"))?;
        let answers = told(&mut phones, &file("phones"), "answer ", count)?;
        engine.tell(&(answers.join("\n") + "\n"))?;
        told(&mut engine, &file("engine"), "up", 1)?;
        Ok(Self { engine, _phones: phones, told: file("phones"), _scratch: scratch })
    }

    /// Packets that the softphones have heard, all together.
    pub fn heard(&self) -> u64 {
        let text = std::fs::read_to_string(&self.told).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .filter_map(|line| line.strip_prefix("heard "))
            .filter_map(|n| n.parse().ok())
            .next_back()
            .unwrap_or(0)
    }
}

/// What the engine's process does: until its standard input ends, two minutes at most.
pub fn engine(count: &str) {
    let count: u64 = count.parse().expect("the run says a number");
    let (events, mut seen) = tokio::sync::mpsc::channel(1_024);
    let config = MediaConfig {
        bind_ip: [127, 0, 0, 1].into(),
        public_ip: None,
        ports: 28_000..=31_999,
        shards: 1,
        music: Arc::new(Prompt::from_pcm(sine(300.0, 6_000.0, 8_000))),
        clock: Arc::new(SystemClock),
    };
    let media = Media::start(config, events).expect("media starts");
    let ids: Vec<LegId> = (1..=count).map(LegId).collect();
    for leg in &ids {
        let offer = media.open_web(ShardId(0), *leg, &[Codec::Pcmu]).expect("an offer");
        println!("offer {}", serde_json::Value::from(offer));
    }
    let mut input = BufReader::new(std::io::stdin()).lines().map_while(Result::ok);
    for (leg, line) in ids.iter().zip(&mut input) {
        let answer: String = serde_json::from_str(&line).expect("the softphones wrote it");
        media.answer_web(*leg, answer).expect("the leg is open");
    }
    let mut up = 0;
    while up < count {
        match seen.blocking_recv() {
            Some(MediaEvent::WebUp { .. }) => up += 1,
            Some(MediaEvent::WebDown { leg }) => panic!("leg {} is down", leg.0),
            Some(_) => {}
            None => panic!("media ended"),
        }
    }
    for (n, legs) in ids.chunks(2).enumerate() {
        media.set_bridge(ShardId(0), BridgeId(n as u64), 1, HearMatrix::conference(legs));
    }
    println!("up");
    std::thread::spawn(move || while seen.blocking_recv().is_some() {});
    let (ended, end) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        input.for_each(drop);
        let _ = ended.send(());
    });
    let _ = end.recv_timeout(Duration::from_secs(120));
}

/// What the softphones' process does, the same way.
pub fn softphones(offers: &str) {
    let offers = std::fs::read_to_string(offers).expect("the run wrote it");
    let mut phones: Vec<Softphone> = Vec::new();
    for line in offers.lines() {
        let offer: String = serde_json::from_str(line).expect("the engine wrote it");
        let (phone, answer) = Softphone::answer(SystemClock.instant(), &offer);
        phones.push(phone);
        println!("answer {}", serde_json::Value::from(answer));
    }
    go_first();
    let start = SystemClock.instant();
    for beat in 0..120 * 50 {
        for part in 0..2 {
            let now = SystemClock.instant();
            for phone in &mut phones {
                if part == 0 {
                    phone.talk(now);
                }
                phone.turn(now);
            }
            let next = start + TICK * beat + TICK / 2 * (part + 1);
            sleep(next.saturating_duration_since(SystemClock.instant()));
        }
        if beat % 5 == 0 {
            println!("heard {}", phones.iter().map(|phone| phone.heard).sum::<u64>());
        }
    }
}
