//! A call as the wire sees it: SIPp and an ear through the relay of ours on a good day, what passed written as a capture, and
//! tshark's own statistics of it. On a clean path nothing is lost, out of order or sent twice.

use std::path::Path;
use std::process::Command;

use crate::ear::Ear;
use crate::house::{CALLER, PLUMBING, finished_call};
use crate::peers;
use crate::relay::{CALM, Relay, write_pcap};
use crate::server::Server;
use crate::sipp::{Sipp, free_port};

fn tshark(file: &Path, arguments: &[&str]) -> String {
    let output = Command::new("tshark")
        .arg("-r")
        .arg(file)
        .args(["-o", "rtp.heuristic_rtp:TRUE"])
        .args(arguments)
        .output()
        .expect("tshark was found before");
    assert!(output.status.success(), "tshark failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn tshark_sees_nothing_lost_disordered_or_sent_twice_in_a_call() {
    if ["sipp", "tshark"].iter().any(|program| peers::find_program("captures", program).is_none()) {
        return;
    }
    let server = Server::start();
    let loopback = |port| Some(([127, 0, 0, 1], port).into());
    let any = ([127, 0, 0, 1], 0).into();
    let port = free_port();
    let ear = Ear::open(440.0);
    // Party 0 is the server: at its SIP port, and wherever its audio comes from.
    let signalling = Relay::open([loopback(server.sip), loopback(port)], [any, any], CALM, 1);
    let audio = Relay::open([None, loopback(ear.port())], [any, any], CALM, 1);
    let target = signalling.face(0).to_string();
    let keys = [("did", PLUMBING), ("caller", CALLER)];
    let call = Sipp::start("caller_on_cue", &target, port, audio.face(1).port(), &keys, &server.dir);
    ear.heard_since(0, 4.0);
    call.cue();
    call.expect_success();
    finished_call(&server.dir, CALLER);
    let file = server.dir.join("call.pcap");
    write_pcap(&file, &[(&signalling, 0), (&audio, 0)]);

    let streams = tshark(&file, &["-q", "-z", "rtp,streams"]);
    let rows: Vec<Vec<&str>> = streams
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|row| row.iter().any(|word| word.starts_with("0x")))
        .collect();
    assert_eq!(rows.len(), 2, "{streams}");
    let heard = audio.face(1).port().to_string();
    for row in &rows {
        let ssrc = row.iter().position(|word| word.starts_with("0x")).expect("it has one");
        // SSRC, payload, packets, lost and its share.
        let [payload, packets, lost] = [row[ssrc + 1], row[ssrc + 2], row[ssrc + 3]];
        assert_eq!((payload, lost), ("g711U", "0"), "{streams}");
        assert!(packets.parse::<usize>().expect("a number") >= 190, "{streams}");
        // Ours: nor anything else that tshark minds.
        if row[ssrc - 1] == heard {
            assert!(!row.contains(&"X"), "{streams}");
        }
    }
    let ours = format!("rtp && udp.dstport == {heard}");
    let fields = ["-T", "fields", "-e", "rtp.seq", "-e", "rtp.timestamp", "-e", "rtp.p_type", "-e", "rtp.ssrc"];
    let packets = tshark(&file, &[&["-Y", &ours], &fields[..]].concat());
    let numbers = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let packets: Vec<Vec<String>> = packets.lines().map(numbers).collect();
    for pair in packets.windows(2) {
        let number = |row: &[String], at: usize| row[at].parse::<u32>().expect("a number");
        assert_eq!(number(&pair[1], 0), (number(&pair[0], 0) + 1) & 0xffff, "sequence");
        assert_eq!(number(&pair[1], 1), number(&pair[0], 1).wrapping_add(160), "timestamp");
        assert_eq!(pair[1][2..], pair[0][2..], "payload type and source");
    }
    let sip = tshark(&file, &["-q", "-z", "sip,stat"]);
    let count = |name: &str| -> usize {
        let line = sip.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in {sip}"));
        line.trim().parse().expect("a number")
    };
    // Something is sent again where no answer came within T1 (RFC 3261 §17.1.1.2), which on a machine that is too busy
    // may be. Never otherwise.
    let late = silences(&file);
    assert!(count("Number of resent SIP messages:") <= late, "{late} times an answer was late, and\n{sip}");
    // INVITE, 100, 180, 200, ACK, BYE, 200; an answer may come before it has rung.
    assert!((6..=7 + late * 2).contains(&count("Number of SIP messages:")), "{sip}");
}

/// How often nothing was said for T1 where something was due: everywhere but before the caller hangs up.
fn silences(file: &Path) -> usize {
    let fields = ["-Y", "sip", "-T", "fields", "-e", "frame.time_relative", "-e", "sip.Method"];
    let said = tshark(file, &fields);
    let said: Vec<(f64, bool)> = said
        .lines()
        .map(|line| {
            let (at, method) = line.split_once('\t').unwrap_or((line, ""));
            (at.parse().expect("seconds"), method == "BYE")
        })
        .collect();
    let first_bye = said.iter().position(|(_, bye)| *bye).expect("the caller hung up");
    let gaps =
        said.windows(2).enumerate().filter(|(before, pair)| *before + 1 != first_bye && pair[1].0 - pair[0].0 > 0.45);
    gaps.count()
}
