//! baresip, a telephone of others' making with OpenSSL and libre's SRTP in it, calls us over TLS with encrypted audio; each
//! hears the other.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cordboard::domain::call::bridge::{BridgeId, HearMatrix, LegId};
use cordboard::domain::call::cause::Cause;
use cordboard::engine::signal::{LegCommand, LegEvent};
use cordboard::engine::trunk::Carriage;
use cordboard::io::media::{MediaEvent, PlayId};
use cordboard::proto::audio::tone::{power_at, sine};
use cordboard::proto::sdp::{AudioCodec, OwnKeys, Session, Srtp};

use super::peers::find_program;
use super::secure_audio::{media, ports, prompt};
use super::temp::TempDir;
use super::{Authority, carrier, end, next, trunk_side};

const OURS_HZ: f64 = 1_100.0;
pub const THEIRS_HZ: f64 = 440.0;

/// Writes what baresip needs to call from loopback: a file with a sine for a mouth, another for an ear.
pub fn configure(directory: &Path, authority: &Authority, account: &str) {
    let modules =
        ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules"];
    let modules = modules.iter().find(|path| Path::new(path).is_dir()).expect("baresip has its modules somewhere");
    let config = format!(
        "sip_listen 127.0.0.1:0\nsip_cafile {ca}\nsip_verify_server yes\nnet_interface 127.0.0.1\n\
         audio_source aufile,{here}/mouth.wav\naudio_player aubridge,nil\nausrc_srate 8000\nauplay_srate 8000\n\
         ausrc_channels 1\nauplay_channels 1\nsnd_path {here}\nmodule_path {modules}\nmodule g711.so\nmodule aufile.so\n\
         module aubridge.so\nmodule sndfile.so\nmodule srtp.so\nmodule stdio.so\nmodule_app account.so\nmodule_app menu.so\n",
        ca = authority.ca_file().display(),
        here = directory.display()
    );
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut mouth = hound::WavWriter::create(directory.join("mouth.wav"), spec).expect("writable");
    for sample in sine(THEIRS_HZ, 8_000.0, 20 * 8_000) {
        mouth.write_sample(sample).expect("writable");
    }
    mouth.finalize().expect("writable");
    std::fs::write(directory.join("config"), config).expect("writable");
    std::fs::write(directory.join("accounts"), account).expect("writable");
}

/// What baresip heard: the recording of its decoder.
pub fn heard(directory: &Path) -> Vec<i16> {
    let files = std::fs::read_dir(directory).expect("readable").filter_map(|entry| Some(entry.ok()?.path()));
    let file = files.into_iter().find(|path| path.to_string_lossy().ends_with("dec.wav")).expect("it recorded");
    // It is ended in mid-recording, so the length in the file's head is not to be relied on.
    let bytes = std::fs::read(file).expect("readable");
    bytes[44.min(bytes.len())..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// In the middle of it, this tone is 20 dB over that.
pub fn is_over(sound: &[i16], wanted: f64, other: f64) -> bool {
    let middle = &sound[sound.len() / 2..][..4_000];
    10.0 * (power_at(middle, wanted) / power_at(middle, other).max(1.0)).log10() >= 20.0
}

#[tokio::test]
async fn baresip_and_we_hear_each_other_over_tls_and_srtp() {
    let Some(program) = find_program("baresip over TLS and SRTP", "baresip") else { return };
    let (authority, directory) = (Authority::fresh(), TempDir::new("baresip"));
    let account = "<sip:phone@127.0.0.1;transport=tls>;regint=0;mediaenc=srtp-mand;audio_codecs=PCMU/8000/1\n";
    configure(directory.path(), &authority, account);
    let ours = authority.identity("ours", &["127.0.0.1", "localhost"]);
    let (trunk, mut calls) =
        trunk_side("127.0.0.1:0", Some(ours), carrier("127.0.0.1:9", Carriage::Udp, Srtp::Required)).await;
    let tls = trunk.local_tls().expect("it listens for TLS");
    let mut phone = Command::new(program)
        .arg("-f")
        .arg(directory.path())
        .args(["-t", "20", "-e", &format!("/dial sip:+12025550102@{tls};transport=tls")])
        // It ends when its input does.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("baresip can be started");
    let mut call = next(&mut calls).await;
    assert_eq!(call.srtp, Srtp::Required);
    let offer = call.offer.take().expect("an offer");
    assert!(String::from_utf8_lossy(&offer).contains(" RTP/SAVP "), "{}", String::from_utf8_lossy(&offer));
    let (media, mut told) = media("127.0.0.1", ports(3));
    let (leg, ear, shard) = (call.leg, LegId(99), media.pick_shard());
    let at = media.open_rtp(shard, leg).expect("a port");
    let keys = OwnKeys::new([[7; 30], [8; 30]]);
    let mut session = Session::new(1, at, &[AudioCodec::Pcmu]).with_srtp(Srtp::Required, keys);
    let (answer, agreed) = session.answer(&offer).expect("we agree");
    assert!(agreed.srtp.is_some());
    media.connect_rtp(leg, agreed.into()).expect("open");
    // A second leg listens to what baresip says.
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
    media.open_rtp(shard, ear).expect("a port");
    let remote = socket.local_addr().expect("bound");
    let plain = cordboard::io::media::RtpParameters { remote, srtp: None, ..agreed.into() };
    media.connect_rtp(ear, plain).expect("open");
    media.set_bridge(shard, BridgeId(1), 1, HearMatrix::conference(&[leg, ear]));
    trunk.send(leg, LegCommand::Answer(answer));
    assert!(matches!(next(&mut call.events).await, LegEvent::Established(None)));
    for play in 1..=3 {
        media.play(leg, PlayId(play), prompt(OURS_HZ), false).expect("open");
        while !matches!(next(&mut told).await, MediaEvent::PlayDone { .. }) {}
    }
    let mut theirs = Vec::new();
    let mut bytes = [0; 512];
    while theirs.len() < 12_000 {
        let len = socket.recv(&mut bytes).expect("baresip is heard");
        let (_, payload) = cordboard::proto::rtp::packet::read(&bytes[..len]).expect("RTP");
        theirs.extend(payload.iter().map(|b| cordboard::proto::audio::g711::from_ulaw(*b)));
    }
    trunk.send(leg, LegCommand::HangUp);
    assert_eq!(end(&mut call.events).await, Cause::Released);
    media.close(leg);
    let stats = loop {
        if let MediaEvent::Closed { stats, .. } = next(&mut told).await {
            break stats;
        }
    };
    let _ = phone.kill();
    let _ = phone.wait();
    // Before its keys are in place it knocks with plain RTCP, and its farewell is plain as well.
    assert!(stats.srtp_refused <= 2, "{stats:?}");
    assert!(stats.packets_in > 100, "{stats:?}");
    assert!(is_over(&theirs, THEIRS_HZ, OURS_HZ), "we do not hear baresip");
    let heard = heard(directory.path());
    assert!(heard.len() > 12_000 && is_over(&heard, OURS_HZ, THEIRS_HZ), "baresip does not hear us");
}
