//! baresip, a telephone of others' making with OpenSSL and libre's SRTP in it, over TLS with encrypted audio: a file with a
//! sine is its mouth, another its ear. What it says to us is heard by a second leg.

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cordboard::domain::call::bridge::{BridgeId, HearMatrix, LegId};
use cordboard::io::media::{Media, MediaEvent, PlayId, RtpParameters, ShardId};
use cordboard::proto::audio::g711;
use cordboard::proto::audio::tone::{power_at, sine};
use cordboard::proto::rtp::packet;
use tokio::sync::mpsc;

use crate::media::prompt;

const OURS_HZ: f64 = 1_100.0;
const THEIRS_HZ: f64 = 440.0;
/// Of what each side says: a second and a half.
const ENOUGH: usize = 12_000;

/// A running one, ended by its process id when dropped.
pub struct Baresip(Child);

impl Baresip {
    /// Starts it in `directory` with one account, trusting `ca_file`. It ends by itself after so many seconds.
    pub fn start(
        program: &Path,
        directory: &Path,
        ca_file: &Path,
        account: &str,
        seconds: u32,
        arguments: &[&str],
    ) -> Self {
        configure(directory, ca_file, account);
        let child = Command::new(program)
            .arg("-f")
            .arg(directory)
            .args(["-t", &seconds.to_string()])
            .args(arguments)
            // It ends when its input does.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("baresip can be started");
        Self(child)
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn configure(directory: &Path, ca_file: &Path, account: &str) {
    let modules =
        ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules"];
    let modules = modules.iter().find(|path| Path::new(path).is_dir()).expect("baresip has its modules somewhere");
    let config = format!(
        "sip_listen 127.0.0.1:0\nsip_cafile {ca}\nsip_verify_server yes\nnet_interface 127.0.0.1\n\
         audio_source aufile,{here}/mouth.wav\naudio_player aubridge,nil\nausrc_srate 8000\nauplay_srate 8000\n\
         ausrc_channels 1\nauplay_channels 1\nsnd_path {here}\nmodule_path {modules}\nmodule g711.so\nmodule aufile.so\n\
         module aubridge.so\nmodule sndfile.so\nmodule srtp.so\nmodule stdio.so\nmodule_app account.so\nmodule_app menu.so\n",
        ca = ca_file.display(),
        here = directory.display()
    );
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format };
    let mut mouth = hound::WavWriter::create(directory.join("mouth.wav"), spec).expect("writable");
    for sample in sine(THEIRS_HZ, 8_000.0, 20 * 8_000) {
        mouth.write_sample(sample).expect("writable");
    }
    mouth.finalize().expect("writable");
    std::fs::write(directory.join("config"), config).expect("writable");
    std::fs::write(directory.join("accounts"), account).expect("writable");
}

/// Says a tone to the leg that baresip has, and gives what baresip says meanwhile.
pub async fn talk(
    media: &Media,
    told: &mut mpsc::Receiver<MediaEvent>,
    shard: ShardId,
    leg: LegId,
    agreed: RtpParameters,
) -> Vec<i16> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    let ear = LegId(u64::MAX);
    media.open_rtp(shard, ear).expect("a port");
    let remote = socket.local_addr().expect("bound");
    media.connect_rtp(ear, RtpParameters { remote, srtp: None, ..agreed }).expect("open");
    media.set_bridge(shard, BridgeId(1), 1, HearMatrix::conference(&[leg, ear]));
    for play in 1..=3 {
        media.play(leg, PlayId(play), prompt(OURS_HZ), false).expect("open");
        loop {
            let event = tokio::time::timeout(Duration::from_secs(20), told.recv()).await.expect("in time");
            if matches!(event.expect("media runs"), MediaEvent::PlayDone { .. }) {
                break;
            }
        }
    }
    let mut theirs = Vec::new();
    let mut bytes = [0; 512];
    while theirs.len() < ENOUGH {
        let len = socket.recv(&mut bytes).expect("baresip is heard");
        let (_, payload) = packet::read(&bytes[..len]).expect("RTP");
        theirs.extend(payload.iter().map(|b| g711::from_ulaw(*b)));
    }
    theirs
}

/// Each heard the other: we `theirs`, and baresip what it recorded in `directory`.
pub fn assert_both_heard(theirs: &[i16], directory: &Path) {
    assert!(is_over(theirs, THEIRS_HZ, OURS_HZ), "we do not hear baresip");
    let heard = heard(directory);
    assert!(heard.len() > ENOUGH && is_over(&heard, OURS_HZ, THEIRS_HZ), "baresip does not hear us");
}

/// The recording of its decoder.
fn heard(directory: &Path) -> Vec<i16> {
    let files = std::fs::read_dir(directory).expect("readable").filter_map(|entry| Some(entry.ok()?.path()));
    let file = files.into_iter().find(|path| path.to_string_lossy().ends_with("dec.wav")).expect("it recorded");
    // It is ended in mid-recording, so the length in the file's head is not to be relied on.
    let bytes = std::fs::read(file).expect("readable");
    bytes[44.min(bytes.len())..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// In the middle of it, this tone is 20 dB over that.
fn is_over(sound: &[i16], wanted: f64, other: f64) -> bool {
    let middle = &sound[sound.len() / 2..][..4_000];
    10.0 * (power_at(middle, wanted) / power_at(middle, other).max(1.0)).log10() >= 20.0
}
