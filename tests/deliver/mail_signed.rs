//! What leaves by email is signed and encrypted: signatures are checked by dkimpy on what a real SMTP server received, and TLS is
//! spoken with it both ways.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use cordboard::config::dkim::Dkim;
use cordboard::domain::dispatch::event::Failure;
use cordboard::io::deliver::email::{Security, SmtpConfig, SmtpMailer};
use cordboard::io::deliver::{Attached, Delivery, Mail, Mailer as _};

use crate::authority::Authority;
use crate::smtp::{free_port, mail, python};
use crate::temp::TempDir;

/// Takes mail and says of each which signatures hold, as it came and with a word changed; and whether it came over TLS.
const SERVER: &str = r#"
import json, ssl, sys
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
records = json.loads(sys.argv[2])
mode, certificate, key = sys.argv[3:6]
context = None
if mode != "off":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
class Handler:
    async def handle_DATA(self, server, session, envelope):
        holds = []
        if records:
            import dkim
            answer = lambda name, timeout=5: records.get(name.decode().rstrip("."), "").encode()
            def check(content):
                count = content.lower().count(b"\ndkim-signature:") + content.lower().startswith(b"dkim-signature:")
                out = []
                for n in range(count):
                    try: out.append(dkim.DKIM(content).verify(idx=n, dnsfunc=answer))
                    except dkim.DKIMException as e: out.append(str(e))
                return out
            holds = [check(envelope.content), check(envelope.content.replace(b"pipe", b"hose", 1))]
        print(json.dumps({"holds": holds, "tls": server.transport.get_extra_info("ssl_object") is not None, "octets": len(envelope.content)}), flush=True)
        return "250 OK"
class Wrapped(Controller):
    def factory(self):
        if mode == "starttls":
            return SMTP(self.handler, hostname="127.0.0.1", tls_context=context, require_starttls=True)
        return SMTP(self.handler, hostname="127.0.0.1")
controller = Wrapped(Handler(), hostname="127.0.0.1", port=int(sys.argv[1]), ssl_context=context if mode == "implicit" else None)
controller.start()
print("ready", flush=True)
sys.stdin.read()
controller.stop()
"#;

struct Server {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Server {
    fn start(python: &str, keys: &[Dkim], mode: &str, certificate: &str, key: &str) -> Self {
        let records: std::collections::BTreeMap<String, String> = keys.iter().map(Dkim::record).collect();
        let records = serde_json::to_string(&records).expect("JSON");
        let port = free_port();
        let mut process = Command::new(python)
            .args(["-c", SERVER, &port.to_string(), &records, mode, certificate, key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let mut lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        assert_eq!(lines.next().expect("a line").expect("text"), "ready");
        Self { process, lines, port }
    }

    fn received(&mut self) -> serde_json::Value {
        let line = self.lines.next().expect("a mail came").expect("text");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn config(port: u16) -> SmtpConfig {
    SmtpConfig {
        host: "127.0.0.1".into(),
        port,
        security: Security::Off,
        ca_file: None,
        login: None,
        from: "Desk <dispatch@cordboard.example>".into(),
        reply_to: Some("desk@cordboard.example".into()),
        dkim: Vec::new(),
        addresses: None,
    }
}

/// As the documentation says to make them.
fn key(directory: &TempDir, name: &str, arguments: &[&str]) -> Dkim {
    let path = directory.path().join(name);
    let made =
        Command::new("openssl").arg("genpkey").args(arguments).arg("-out").arg(&path).output().expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Dkim::load("cordboard.example", name, &path).expect("a key")
}

#[tokio::test]
async fn every_signature_holds_at_an_independent_receiver_and_none_once_a_word_is_changed() {
    let test = "DKIM at a real SMTP server";
    let Some(python) = python(test, "import aiosmtpd, dkim, nacl", "python3-aiosmtpd python3-dkim python3-nacl") else {
        return;
    };
    let directory = TempDir::new("dkim");
    let keys = [
        key(&directory, "rsa1", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
        key(&directory, "ed1", &["-algorithm", "ed25519"]),
    ];
    let mut server = Server::start(&python, &keys, "off", "", "");
    let mailer = SmtpMailer::new(&SmtpConfig { dkim: keys.to_vec(), ..config(server.port) }).expect("sound");
    let wav: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    let base = || Mail {
        subject: "Jane Roe · burst pipe".into(),
        body: "burst pipe, no line end".into(),
        ..mail("ben@example.com")
    };
    let mails = [
        base(),
        Mail { body: "burst pipe\n\nin der Küche   \n.\n\n\n".into(), ..base() },
        Mail { html: Some("<p>burst pipe &amp; more</p>".into()), ..base() },
        Mail {
            html: Some("<p>burst pipe</p>".into()),
            attached: vec![Attached { name: "a.wav".into(), kind: "audio/wav", octets: wav }],
            ..base()
        },
        Mail { subject: "Jane ".repeat(40), body: "burst pipe ".repeat(300), ..base() },
    ];
    for one in &mails {
        let sent = mailer.send(one).await;
        assert!(matches!(sent, Delivery::Accepted { .. }), "{sent:?}");
        let got = server.received();
        assert_eq!(got["holds"][0], serde_json::json!([true, true]), "as it came: {got}");
        // A word of the body changed on the way; not where it was encoded, so that nothing was found to change.
        if one.attached.is_empty() && !one.body.contains("Küche") {
            assert!(
                got["holds"][1].as_array().is_some_and(|all| all.iter().all(|held| *held != true)),
                "changed: {got}"
            );
        }
    }
}

#[tokio::test]
async fn mail_is_encrypted_from_the_first_byte_or_once_asked_and_never_sent_without() {
    let test = "email over TLS to a real SMTP server";
    let Some(python) = python(test, "import aiosmtpd", "python3-aiosmtpd") else { return };
    let authority = Authority::fresh();
    let files = authority.issue("relay", &["127.0.0.1"]);
    let (certificate, key) = (files.certificate.to_string_lossy(), files.key.to_string_lossy());
    for (mode, security) in [("implicit", Security::Implicit), ("starttls", Security::StartTls)] {
        let mut server = Server::start(&python, &[], mode, &certificate, &key);
        let trusted = SmtpConfig { security, ca_file: Some(authority.ca_file()), ..config(server.port) };
        let sent = SmtpMailer::new(&trusted).expect("sound").send(&mail("ben@example.com")).await;
        assert!(matches!(sent, Delivery::Accepted { .. }), "{mode}: {sent:?}");
        assert_eq!(server.received()["tls"], true, "{mode}");
        // Nobody whom we trust has signed its certificate.
        let strange = SmtpConfig { security, ca_file: None, ..config(server.port) };
        let sent = SmtpMailer::new(&strange).expect("sound").send(&mail("ben@example.com")).await;
        assert!(
            matches!(sent, Delivery::Failed { failure: Failure::Temporary | Failure::Unknown, .. }),
            "{mode}: {sent:?}"
        );
    }
    // A relay that offers no TLS gets no mail.
    let server = Server::start(&python, &[], "off", "", "");
    let asks = SmtpConfig { security: Security::StartTls, ca_file: Some(authority.ca_file()), ..config(server.port) };
    let sent = SmtpMailer::new(&asks).expect("sound").send(&mail("ben@example.com")).await;
    assert!(
        matches!(sent, Delivery::Failed { failure: Failure::Temporary | Failure::Unknown | Failure::Permanent, .. }),
        "{sent:?}"
    );
}
