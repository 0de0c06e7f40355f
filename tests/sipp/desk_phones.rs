//! Real telephones: baresip and linphonec register with digest as an operator's desk phone, are rung with a
//! caller, answer and are heard, and hang up. SIPp registers with the right, a wrong and no secret.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::api::{Api, Feed};
use crate::ear::{Ear, assert_hears};
use crate::house::{CALLER, PLUMBING, dial, finished_call};
use crate::registering::metric;
use crate::server::{Server, scratch};
use crate::sipp::{Sipp, free_port};
use crate::{peers, wait_for};

/// What the telephones hum: music on hold has little of it.
pub const HUM_HZ: f64 = 600.0;

/// A demo, Kim signed in at her console, and a desk phone of hers.
pub struct Office {
    pub server: Server,
    pub kim: Api,
    _feed: Feed,
    user: String,
    secret: String,
}

/// What `cordboard` with these arguments says.
fn cordboard(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cordboard")).args(arguments).current_dir(dir).output();
    let output = output.expect("the binary was built with this test");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

impl Office {
    fn open() -> Self {
        Self::open_with(&[])
    }

    /// With arguments for the demo.
    pub fn open_with(arguments: &[&str]) -> Self {
        Self::open_of("kim", arguments)
    }

    /// Of somebody else than Kim.
    pub fn open_of(login: &str, arguments: &[&str]) -> Self {
        let dir = scratch();
        let server = Server::start_in(&dir, arguments, &[]);
        let config = format!(
            "[sip]\nphones_bind = \"127.0.0.1:{}\"\n[store]\npath = \"cordboard.db\"\nkey_file = \"cordboard.key\"\n",
            server.phones
        );
        std::fs::write(dir.join("phones.toml"), config).expect("the scratch directory is writable");
        let said = cordboard(&dir, &["phone", "add", "--user", login, "--name", "Desk 3", "--config", "phones.toml"]);
        let value = |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in: {said}")).trim().to_owned()
        };
        let (user, secret) = (value("User:"), value("Secret:"));
        wait_for("the phone to be known", || (metric(&server, "cordboard_desk_phones ")? == "1").then_some(()));
        let kim = Api::log_in(server.http, login);
        let feed = kim.feed();
        Self { server, kim, _feed: feed, user, secret }
    }

    pub fn dir(&self) -> &Path {
        &self.server.dir
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.server.phones)
    }

    fn seat(&self) -> Value {
        self.kim.get("/api/v1/seat")
    }

    pub fn wait_for_seat(&self, what: &str, is: impl Fn(&Value) -> bool) {
        wait_for(&format!("Kim's seat: {what}"), || is(&self.seat()).then_some(()));
    }

    /// Kim's desk phone registers, she gets ready without a check.
    pub fn gets_ready(&self) {
        self.wait_for_seat("a phone that needs no check", |seat| seat["phone"] == true && seat["checked"] == true);
        let (status, seat) = self.kim.put("/api/v1/seat", &json!({ "state": "ready" }));
        assert_eq!(status, 200, "{seat}");
    }

    /// A caller reaches her on it, after that.
    fn takes_a_call(&self, tone_hz: f64, phone: &mut Telephone, hang_up: &str) {
        self.gets_ready();
        let ear = Ear::open(700.0);
        let call = dial(&self.server, "caller", &ear, PLUMBING, CALLER);
        self.wait_for_seat("talking", |seat| seat["state"] == "talking");
        let from = ear.mark();
        let heard = ear.heard_since(from, 3.0);
        assert_hears("the caller", &heard[heard.len() / 3..], &[tone_hz], &[]);
        phone.type_in(hang_up);
        call.expect_success();
        let (_, events) = finished_call(self.dir(), CALLER);
        // Both legs took audio in: the caller's from us, ours from the telephone.
        let legs: Vec<&Value> = events.iter().filter(|e| e.kind == "leg_closed").map(|e| &e.body).collect();
        assert_eq!(legs.len(), 2, "{legs:?}");
        assert!(legs.iter().all(|leg| leg["packets_in"].as_u64() > Some(50)), "{legs:?}");
    }
}

/// A telephone that runs as a program and reads commands, ended by its process id when dropped.
pub struct Telephone {
    child: Child,
    stdin: ChildStdin,
    log: PathBuf,
}

impl Telephone {
    fn start(mut command: Command, log: PathBuf) -> Self {
        let output = std::fs::File::create(&log).expect("the scratch directory is writable");
        let error = output.try_clone().expect("a file handle can be cloned");
        let child = command.stdin(Stdio::piped()).stdout(output).stderr(error).spawn();
        let mut child = child.expect("it was found before");
        // Kept open: telephones of this kind end with their input.
        let stdin = child.stdin.take().expect("stdin is piped");
        Self { child, stdin, log }
    }

    pub fn type_in(&mut self, keys: &str) {
        self.stdin.write_all(keys.as_bytes()).and_then(|()| self.stdin.flush()).expect("the telephone reads");
    }

    /// Waits until it has printed this.
    pub fn expect_print(&self, words: &str) {
        wait_for(&format!("the telephone to print {words:?}"), || {
            let log = std::fs::read(&self.log).unwrap_or_default();
            String::from_utf8_lossy(&log).contains(words).then_some(())
        });
    }
}

impl Drop for Telephone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read(&self.log).unwrap_or_default();
            eprintln!("--- what the telephone printed ---\n{}", String::from_utf8_lossy(&log));
        }
    }
}

/// The first of four ports for one telephone's audio.
fn audio_port() -> u32 {
    static PHONES: AtomicU32 = AtomicU32::new(0);
    35_000 + std::process::id() % 250 * 40 + PHONES.fetch_add(1, Ordering::Relaxed) % 10 * 4
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the scratch directory is writable");
}

/// A baresip that answers by itself and hums.
pub fn baresip(office: &Office, transport: &str) -> Telephone {
    let home = office.dir().join(format!("baresip-{transport}"));
    std::fs::create_dir_all(&home).expect("the scratch directory is writable");
    let hum = home.join("hum.wav");
    write_hum(&hum, HUM_HZ);
    let (port, audio) = (free_port(), audio_port());
    // It takes the next one as well, for TLS.
    free_port();
    let config = format!(
        "sip_listen 127.0.0.1:{port}\naudio_player aufile,{}\naudio_source aufile,{}\naudio_alert aufile,{}\n\
         rtp_ports {}-{}\nmodule_path /usr/lib/baresip/modules\nmodule stdio.so\nmodule g711.so\n\
         module aufile.so\nmodule_tmp account.so\nmodule_app menu.so\n",
        home.join("heard.wav").display(),
        hum.display(),
        home.join("alert.wav").display(),
        audio,
        audio + 3,
    );
    write(&home.join("config"), &config);
    let (user, secret, address) = (&office.user, &office.secret, office.address());
    let account = format!(
        "<sip:{user}@{address};transport={transport}>;auth_user={user};auth_pass={secret};answermode=auto;regint=60\n"
    );
    write(&home.join("accounts"), &account);
    write(&home.join("contacts"), "");
    let mut command = Command::new("baresip");
    command.arg("-f").arg(&home).current_dir(&home).env("HOME", &home);
    Telephone::start(command, home.join("log"))
}

#[test]
fn baresip_registers_over_udp_and_takes_a_call() {
    let test = "baresip as a desk phone";
    if ["sipp", "baresip", "espeak-ng"].iter().any(|program| peers::find_program(test, program).is_none()) {
        return;
    }
    let office = Office::open();
    let mut phone = baresip(&office, "udp");
    office.takes_a_call(HUM_HZ, &mut phone, "b");

    // Taken away, it is gone within seconds, and cannot come back.
    let said = cordboard(office.dir(), &["phone", "remove", &office.user, "--config", "phones.toml"]);
    assert!(said.starts_with("Removed "), "{said}");
    office.wait_for_seat("no phone", |seat| seat["phone"] == false);
}

#[test]
fn baresip_registers_over_tcp_and_takes_a_call() {
    let test = "baresip as a desk phone over TCP";
    if ["sipp", "baresip", "espeak-ng"].iter().any(|program| peers::find_program(test, program).is_none()) {
        return;
    }
    let office = Office::open();
    let mut phone = baresip(&office, "tcp");
    office.takes_a_call(HUM_HZ, &mut phone, "b");
    // Its connection gone, it is not rung any more.
    drop(phone);
    office.wait_for_seat("no phone", |seat| seat["phone"] == false);
}

/// A linphonec that answers by itself and hums.
pub fn linphone(office: &Office) -> Telephone {
    let home = office.dir().join("linphone");
    std::fs::create_dir_all(&home).expect("the scratch directory is writable");
    let hum = home.join("hum.wav");
    write_hum(&hum, HUM_HZ);
    let (user, secret, address) = (&office.user, &office.secret, office.address());
    let config = format!(
        "[sip]\nsip_port={}\nsip_tcp_port=-1\nsip_tls_port=-1\nuse_ipv6=0\ndefault_proxy=0\n\
         [rtp]\naudio_rtp_port={}\n[net]\nfirewall_policy=0\n[video]\ncapture=0\ndisplay=0\n\
         [proxy_0]\nreg_proxy=sip:{address}\nreg_identity=sip:{user}@{address}\nreg_expires=60\nreg_sendregister=1\n\
         [auth_info_0]\nusername={user}\nuserid={user}\npasswd={secret}\nrealm=cordboard\n",
        free_port(),
        audio_port(),
    );
    write(&home.join("linphonerc"), &config);
    // Where it keeps its own database; it does not make the directory.
    std::fs::create_dir_all(home.join(".local/share/linphone")).expect("the scratch directory is writable");
    let mut command = Command::new("linphonec");
    command.arg("-c").arg(home.join("linphonerc")).arg("-a").current_dir(&home).env("HOME", &home);
    let mut phone = Telephone::start(command, home.join("log"));
    phone.type_in(&format!("soundcard use files\nplay {}\n", hum.display()));
    phone
}

#[test]
fn linphone_registers_and_takes_a_call() {
    let test = "linphonec as a desk phone";
    if ["sipp", "linphonec", "espeak-ng"].iter().any(|program| peers::find_program(test, program).is_none()) {
        return;
    }
    let office = Office::open();
    let mut phone = linphone(&office);
    office.takes_a_call(HUM_HZ, &mut phone, "terminate\n");
}

/// A minute of a sine, 8 kHz.
fn write_hum(path: &Path, hz: f64) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("the scratch directory is writable");
    for n in 0..480_000 {
        let phase = f64::from(n) * hz / 8_000.0 * std::f64::consts::TAU;
        writer.write_sample((phase.sin() * 8_000.0) as i16).expect("the disk takes it");
    }
    writer.finalize().expect("the disk takes it");
}

/// SIPp as a telephone that registers once.
fn registers(office: &Office, scenario: &str, user: &str, secret: &str) {
    let options = ["-au", user, "-ap", secret];
    let keys = [("user", user)];
    Sipp::start_with(scenario, &office.address(), free_port(), 9, &keys, &options, office.dir()).expect_success();
}

#[test]
fn sipp_registers_with_the_right_secret_and_with_no_other() {
    if peers::find_program("registering by SIPp", "sipp").is_none() {
        return;
    }
    let office = Office::open();
    registers(&office, "register_without", &office.user, "none");
    registers(&office, "register_wrong", &office.user, "a-guess");
    registers(&office, "register_wrong", "nobody", &office.secret);
    assert_eq!(office.seat()["phone"], false);
    registers(&office, "register", &office.user, &office.secret);
    office.wait_for_seat("registered", |seat| seat["phone"] == true);
}
