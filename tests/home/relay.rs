//! A TURN relay: coturn, as docs/operators-at-home.md tells to set it up, but without TLS.

use std::fs::File;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::net::{DESK, RELAY};
use crate::temp::TempDir;

const PORT: u16 = 3_478;

/// A running coturn, ended by its process id when dropped.
pub struct Relay {
    child: Child,
    directory: TempDir,
}

impl Relay {
    /// One whose credentials are made with `secret`.
    pub fn start(secret: &str) -> Self {
        let directory = TempDir::new("relay");
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("turn.secret"), format!("{secret}\n")).expect("writable");
        let config = format!(
            "listening-ip={RELAY}\nrelay-ip={RELAY}\nlistening-port={PORT}\nmin-port=40000\nmax-port=40999\n\
             use-auth-secret\nstatic-auth-secret={secret}\nrealm=relay.test\nfingerprint\nno-multicast-peers\n\
             denied-peer-ip=0.0.0.0-255.255.255.255\ndenied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n\
             allowed-peer-ip={DESK}\nno-tls\nno-dtls\nno-cli\nno-stdout-log\nlog-file={0}/turn.log\nsimple-log\nuserdb={0}/turn.db\n\
             pidfile={0}/turn.pid\n",
            directory.path().display()
        );
        std::fs::write(path("turnserver.conf"), config).expect("writable");
        let output = File::create(path("output")).expect("writable");
        let child = Command::new("turnserver")
            .arg("-c")
            .arg(path("turnserver.conf"))
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file handle can be cloned"))
            .stderr(output)
            .spawn()
            .expect("turnserver was found before");
        let mut relay = Self { child, directory };
        for _ in 0..200 {
            if let Some(status) = relay.child.try_wait().expect("our own child can be asked") {
                panic!("coturn ended at start ({status}):\n{}", relay.log());
            }
            if TcpStream::connect((RELAY, PORT)).is_ok() {
                return relay;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("coturn did not listen within 10 s:\n{}", relay.log());
    }

    /// What the desk's configuration says of it.
    pub fn section(&self) -> String {
        format!(
            "[turn]\nurls = [\"turn:{RELAY}:{PORT}?transport=udp\", \"turn:{RELAY}:{PORT}?transport=tcp\"]\n\
             secret_file = \"{}\"\n",
            self.directory.path().join("turn.secret").display()
        )
    }

    fn log(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.directory.path().join(name)).unwrap_or_default();
        read("output") + &read("turn.log")
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- the end of what coturn printed ---\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
    }
}
