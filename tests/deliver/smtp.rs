//! Email is taken by a real SMTP server and arrives whole.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};

use cordboard::base::id::AttemptId;
use cordboard::domain::dispatch::event::Failure;
use cordboard::io::deliver::email::{Security, SmtpConfig, SmtpMailer};
use cordboard::io::deliver::{Attached, Delivery, Mail, Mailer as _};

use crate::peers;

/// Takes mail and prints each as a line of JSON; refuses what is for `nobody`, puts off what is for `busy`.
const SERVER: &str = r#"
import hashlib, json, sys
from email import message_from_bytes, policy
from aiosmtpd.controller import Controller
class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"): return "550 no such user"
        if address.startswith("busy"): return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"
    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        print(json.dumps({"to": envelope.rcpt_tos, "envelope_from": envelope.mail_from, "from": str(mail["From"]),
            "subject": str(mail["Subject"]), "id": str(mail["Message-ID"]), "reply_to": str(mail["Reply-To"]), "bcc": str(mail["Bcc"]), "auto": str(mail["Auto-Submitted"]), "in_reply_to": str(mail["In-Reply-To"]),
            "body": mail.get_body(("plain",)).get_content(), "html": (lambda part: part and part.get_content())(mail.get_body(("html",))),
            "attached": [[a.get_content_type(), a.get_filename(), hashlib.sha256(a.get_content()).hexdigest()] for a in mail.iter_attachments()]}), flush=True)
        return "250 OK"
controller = Controller(Handler(), hostname="127.0.0.1", port=int(sys.argv[1]))
controller.start()
print("ready", flush=True)
sys.stdin.read()
controller.stop()
"#;

pub struct Server {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    pub port: u16,
}

/// The Python that has what is imported; `None`, with a word on why, where there is none.
pub fn python(test: &str, imports: &str, packages: &str) -> Option<String> {
    // Debian installs modules for its own Python, which need not be the first one on the path.
    let python = ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        let check = Command::new(python).args(["-c", imports]).stderr(Stdio::null()).status();
        check.is_ok_and(|status| status.success())
    });
    if python.is_none() {
        peers::skip(test, &format!("Python lacks something (Debian: apt install {packages})"));
    }
    python.map(str::to_owned)
}

impl Server {
    /// `None`, with a word on why, where there is no aiosmtpd.
    pub fn start(test: &str) -> Option<Self> {
        let python = python(test, "import aiosmtpd", "python3-aiosmtpd")?;
        let port = free_port();
        let mut process = Command::new(python)
            .args(["-c", SERVER, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let mut lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        assert_eq!(lines.next().expect("a line").expect("text"), "ready");
        Some(Self { process, lines, port })
    }

    pub fn received(&mut self) -> serde_json::Value {
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

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn mailer(port: u16) -> SmtpMailer {
    SmtpMailer::new(&SmtpConfig {
        host: "127.0.0.1".into(),
        port,
        security: Security::Off,
        login: None,
        from: "Desk <dispatch@cordboard.example>".into(),
        reply_to: Some("desk@cordboard.example".into()),
        ca_file: None,
        dkim: Vec::new(),
        addresses: None,
    })
    .expect("a sound configuration")
}

pub fn mail(to: &str) -> Mail {
    Mail {
        attempt: AttemptId::named("a-1"),
        from_name: "Imaginary Plumbing".into(),
        to: to.into(),
        subject: "URGENT: Urgent repair: Jane Roe · Rohrbruch in der Küche".into(),
        body: "Problem:\nRohrbruch in der Küche\n.\nA line with a dot alone above.\n".into(),
        html: None,
        attached: Vec::new(),
        answers: None,
    }
}

#[tokio::test]
async fn a_real_smtp_server_receives_the_mail_whole() {
    let Some(mut server) = Server::start("email through a real SMTP server") else { return };
    let sent = mailer(server.port).send(&mail("ben@example.com")).await;
    let id = "<att_a-1@cordboard.example>";
    assert_eq!(sent, Delivery::Accepted { provider_id: Some(id.into()) });
    let got = server.received();
    assert_eq!(got["to"][0], "ben@example.com");
    assert_eq!(got["envelope_from"], "dispatch@cordboard.example");
    assert_eq!(got["from"], "Imaginary Plumbing <dispatch@cordboard.example>");
    assert_eq!(got["reply_to"], "desk@cordboard.example");
    assert_eq!(got["id"], id);
    assert_eq!(got["subject"], "URGENT: Urgent repair: Jane Roe · Rohrbruch in der Küche");
    let body = got["body"].as_str().expect("a text").replace("\r\n", "\n");
    assert!(body.contains("Küche\n.\nA line with a dot alone above."), "{body}");
}

#[tokio::test]
async fn nothing_that_an_account_or_a_caller_writes_becomes_a_header() {
    let Some(mut server) = Server::start("email with line breaks through a real SMTP server") else { return };
    let evil = "x\r\nBcc: thief@example.com\r\n\r\nbody";
    let written = Mail { from_name: evil.into(), subject: evil.into(), ..mail("ben@example.com") };
    let sent = mailer(server.port).send(&written).await;
    assert!(matches!(sent, Delivery::Accepted { .. }), "{sent:?}");
    let got = server.received();
    assert_eq!((&got["to"], &got["bcc"]), (&serde_json::json!(["ben@example.com"]), &"None".into()), "{got}");
    assert!(got["body"].as_str().is_some_and(|body| body.starts_with("Problem:")), "{got}");
    // An address is one, or nothing is sent.
    let sent = mailer(server.port).send(&mail("ben@example.com\r\nRCPT TO:<thief@example.com>")).await;
    assert_eq!(sent, Delivery::Failed { failure: Failure::Permanent, why: "bad_address".into() });
}

#[tokio::test]
async fn a_sound_goes_along_and_arrives_as_it_was() {
    let Some(mut server) = Server::start("email with a sound through a real SMTP server") else { return };
    let wav: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let attached = vec![Attached { name: "voicemail.wav".into(), kind: "audio/wav", octets: wav.clone() }];
    let sent = mailer(server.port).send(&Mail { attached, ..mail("ben@example.com") }).await;
    assert!(matches!(sent, Delivery::Accepted { .. }), "{sent:?}");
    let got = server.received();
    assert!(got["body"].as_str().expect("a text").contains("Rohrbruch in der Küche"));
    let digest = ring::digest::digest(&ring::digest::SHA256, &wav);
    let hex: String = digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(got["attached"], serde_json::json!([["audio/wav", "voicemail.wav", hex]]));
}

#[tokio::test]
async fn what_is_formatted_goes_beside_the_plain_words() {
    let Some(mut server) = Server::start("formatted email through a real SMTP server") else { return };
    let html = Some("<p>Rohrbruch in der Küche &amp; im Bad</p>".to_owned());
    let sent = mailer(server.port).send(&Mail { html, ..mail("ben@example.com") }).await;
    assert!(matches!(sent, Delivery::Accepted { .. }), "{sent:?}");
    let got = server.received();
    assert!(got["body"].as_str().expect("a text").contains("Rohrbruch in der Küche"));
    assert_eq!(got["html"].as_str().map(str::trim), Some("<p>Rohrbruch in der Küche &amp; im Bad</p>"));
    assert_eq!(got["attached"], serde_json::json!([]));
}

#[tokio::test]
async fn refusals_for_good_and_for_now_are_told_apart() {
    let Some(server) = Server::start("refusals of a real SMTP server") else { return };
    let mailer = mailer(server.port);
    let failed = |failure, why: &str| Delivery::Failed { failure, why: why.into() };
    assert_eq!(mailer.send(&mail("nobody@example.com")).await, failed(Failure::Permanent, "smtp_550"));
    assert_eq!(mailer.send(&mail("busy@example.com")).await, failed(Failure::Temporary, "smtp_451"));
    let heard = mailer.send_and_hear(&mail("nobody@example.com")).await;
    assert_eq!(heard.said.map(|said| said.into_inner()).as_deref(), Some("550 no such user"), "in its own words");
    assert_eq!(mailer.send(&mail("not an address")).await, failed(Failure::Permanent, "bad_address"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let sent = mailer(free_port()).send(&mail("ben@example.com")).await;
    assert_eq!(sent, Delivery::Failed { failure: Failure::Temporary, why: "no_connection".into() });
}

/// A proxy whose server is gone, and a relay that goes before it asks for the mail.
#[tokio::test]
async fn a_mail_that_was_not_given_is_tried_again() {
    for until in ["", "MAIL", "DATA"] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let port = listener.local_addr().expect("an address").port();
        let server = std::thread::spawn(move || {
            use std::io::Write as _;
            let (stream, _) = listener.accept().expect("a connection");
            if until.is_empty() {
                return;
            }
            let mut out = stream.try_clone().expect("a second handle");
            out.write_all(b"220 here\r\n").expect("written");
            let said = BufReader::new(stream).lines().map_while(Result::ok);
            for _ in said.take_while(|line| !line.starts_with(until)) {
                out.write_all(b"250 here\r\n").expect("written");
            }
        });
        let sent = mailer(port).send(&mail("ben@example.com")).await;
        let expected = Delivery::Failed { failure: Failure::Temporary, why: "no_connection".into() };
        assert_eq!(sent, expected, "until {until:?}");
        server.join().expect("the server ended");
    }
}

#[tokio::test]
async fn a_conversation_that_breaks_off_leaves_the_outcome_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    let port = listener.local_addr().expect("an address").port();
    // Greets, takes everything up to the end of the mail, and hangs up without an answer.
    let server = std::thread::spawn(move || {
        use std::io::Write as _;
        let (stream, _) = listener.accept().expect("a connection");
        let mut out = stream.try_clone().expect("a second handle");
        out.write_all(b"220 here\r\n").expect("written");
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let answer: &[u8] = match line.get(..4) {
                Some("DATA") => b"354 go on\r\n",
                Some("EHLO") => b"250 here\r\n",
                Some("MAIL" | "RCPT") => b"250 ok\r\n",
                _ if line == "." => return,
                _ => continue,
            };
            out.write_all(answer).expect("written");
        }
    });
    let sent = mailer(port).send(&mail("ben@example.com")).await;
    assert!(matches!(sent, Delivery::Failed { failure: Failure::Unknown, .. }), "{sent:?}");
    server.join().expect("the server ended");
}
