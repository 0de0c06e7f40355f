//! Mail comes back by the door: a dispatch is emailed through a real SMTP server, and Python's own client brings replies and
//! bounces for it to our door, in the clear and over TLS.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::id::{AttemptId, DispatchId};
use cordboard::domain::dispatch::protocol::{Method, Until};
use cordboard::domain::dispatch::state::{AttemptState, Phase};
use cordboard::engine::dispatcher::{Dispatcher, Edges};
use cordboard::engine::feed::Feed;
use cordboard::engine::mail_in;
use cordboard::io::deliver::NotConfigured;
use cordboard::io::deliver::email::{Security, SmtpConfig, SmtpMailer};
use cordboard::io::mail_in::addresses::{Addresses, Purpose};
use cordboard::io::mail_in::{Door, DoorConfig};
use cordboard::io::store::{Store, StoreConfig};
use tokio::sync::watch;

use crate::authority::Authority;
use crate::smtp::{Server, python};
use crate::support::temp::TempDir;
use crate::town;

/// Sends one mail to our door and prints the answer of each command that was asked.
const CLIENT: &str = r#"
import json, smtplib, ssl, sys
from email import message_from_string
from email.message import EmailMessage
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import make_msgid
port, kind, to, ca = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
sender = "ben@example.com"
if kind in ("bounce", "delay"):
    sender = ""
    mail = MIMEMultipart("report", report_type="delivery-status")
    mail["From"], mail["Subject"], mail["Auto-Submitted"] = "MAILER-DAEMON@mx.example.net", "Undelivered", "auto-replied"
    mail.attach(MIMEText("Sorry."))
    status = MIMEBase("message", "delivery-status")
    action, code = ("failed", "5.1.1") if kind == "bounce" else ("delayed", "4.4.1")
    groups = ["Reporting-MTA: dns; mx.example.net\n", "Final-Recipient: rfc822; ben@example.com\nAction: %s\nStatus: %s\n" % (action, code)]
    status.set_payload([message_from_string(group) for group in groups])
    mail.attach(status)
    mail.attach(MIMEText("Subject: burst pipe\n", "rfc822-headers"))
else:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Ben <ben@example.com>", "Re: Rohrbruch"
    words = {"ok": "Ok\n\nOn Sat, 7 Mar 2026 at 02:10, Imaginary Plumbing wrote:\n> Reply OK\n", "words": "Bin unterwegs, Küche?\n.\n> quoted\n",
        "away": "ok", "large": "x" * 1500000}[kind]
    mail.set_content(words)
    if kind == "away": mail["Auto-Submitted"] = "auto-replied"
mail["To"] = to
mail["Message-ID"] = make_msgid()
with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
    smtp.ehlo("client.example.com")
    if ca:
        smtp.starttls(context=ssl.create_default_context(cafile=ca))
    try:
        smtp.send_message(mail, sender, [to])
        code = 250
    except smtplib.SMTPRecipientsRefused as e: code = list(e.recipients.values())[0][0]
    except smtplib.SMTPResponseException as e: code = e.smtp_code
    print(json.dumps({"code": code, "tls": bool(ca)}))
"#;

struct House {
    store: Store,
    dispatcher: Dispatcher,
    addresses: Addresses,
    door: u16,
    stop: watch::Sender<bool>,
    running: Vec<tokio::task::JoinHandle<()>>,
    python: String,
    ca: String,
    _authority: Authority,
    _directory: TempDir,
}

impl House {
    /// A house with one client, who is emailed and asked to reply; the emails go to `relay`.
    async fn new(python: String, relay: u16, method: Method) -> Self {
        let directory = TempDir::new("mail_in");
        let now = SystemClock.utc();
        let store = Store::open(&StoreConfig::in_directory(directory.path()), now).await.expect("the store opens");
        let confirmed = if method == Method::EmailConfirm { Until::Confirmed } else { Until::HandedOver };
        let wait = if method == Method::EmailConfirm { 600 } else { 0 };
        let protocol = town::protocol(vec![(method, vec![town::named("Ben", "email")], wait)], false, confirmed);
        town::settle(&store, &protocol, now).await;
        let addresses = Addresses::new("desk.example.com", store.house_seal().mail_key());
        let mailer = SmtpMailer::new(&SmtpConfig {
            host: "127.0.0.1".into(),
            port: relay,
            security: Security::Off,
            ca_file: None,
            login: None,
            from: "Desk <desk@cordboard.example>".into(),
            reply_to: None,
            dkim: Vec::new(),
            addresses: Some(addresses.clone()),
        });
        let quiet = Arc::new(NotConfigured);
        let edges = Edges {
            mailer: Arc::new(mailer.expect("sound")),
            texter: quiet.clone(),
            pager: quiet.clone(),
            poster: quiet,
            call_out: Arc::new(crate::own_loop::Willing),
        };
        let dispatcher = Dispatcher::new(store.clone(), Arc::new(SystemClock), Feed::default(), edges, "node");
        let authority = Authority::fresh();
        let tls = authority.identity("door", &["127.0.0.1"]).acceptor(&[]);
        let config = DoorConfig {
            bind: "127.0.0.1:0".parse().expect("an address"),
            name: "desk.example.com".into(),
            max_size: 1_000_000,
            connections: 8,
            tls: Some(tls),
        };
        let (door, incoming) = Door::open(config, addresses.clone()).await.expect("a door");
        let port = door.local().expect("an address").port();
        let (stop, stopped) = watch::channel(false);
        let running = vec![
            tokio::spawn(mail_in::run(dispatcher.clone(), door, incoming, stopped.clone())),
            tokio::spawn({
                let (own, stopped) = (dispatcher.clone(), stopped);
                async move { own.run(stopped).await }
            }),
        ];
        let ca = authority.ca_file().to_string_lossy().into_owned();
        Self {
            store,
            dispatcher,
            addresses,
            door: port,
            stop,
            running,
            python,
            ca,
            _authority: authority,
            _directory: directory,
        }
    }

    async fn takes(&self) -> DispatchId {
        let message = town::message("m1", "Rohrbruch", SystemClock.utc());
        let mut account = self.store.find_account(&message.account).await.expect("found").expect("an account");
        account.undo_secs = 0;
        let mut tx = self.store.write().await.expect("the store writes");
        tx.insert_message(&message).await.expect("inserted");
        self.dispatcher.open(&mut tx, &message, &account).await.expect("opened");
        tx.commit("test").await.expect("committed");
        self.dispatcher.wake();
        self.store.find_dispatch_of_message(&message.id).await.expect("found").expect("a dispatch")
    }

    /// What the door answered.
    async fn send(&self, kind: &str, to: &str, tls: bool) -> i64 {
        let (python, door, ca) =
            (self.python.clone(), self.door.to_string(), if tls { self.ca.clone() } else { String::new() });
        let (kind, to) = (kind.to_owned(), to.to_owned());
        let ran = tokio::task::spawn_blocking(move || {
            Command::new(python).args(["-c", CLIENT, &door, &kind, &to, &ca]).output().expect("Python starts")
        });
        let out = ran.await.expect("it ran");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let answer: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
        answer["code"].as_i64().expect("a code")
    }

    async fn state(&self, id: &DispatchId) -> cordboard::domain::dispatch::state::State {
        self.store.find_dispatch(id).await.expect("found").expect("a dispatch").state
    }

    /// Waits until it is so. What is acknowledged is stored; it is applied a moment later.
    async fn until(&self, id: &DispatchId, is_so: impl Fn(&cordboard::domain::dispatch::state::State) -> bool) {
        let looked = async {
            while !is_so(&self.state(id).await) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), looked).await.expect("it comes to be so");
    }

    async fn ends(self) {
        self.stop.send(true).expect("they listen");
        for running in self.running {
            tokio::time::timeout(Duration::from_secs(10), running).await.expect("it ends when asked").expect("whole");
        }
    }
}

// Reading from the relay blocks a thread, so there are others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_by_a_real_client_confirms_and_what_is_not_ours_is_refused() {
    let test = "a reply through our own door";
    let Some(python) = python(test, "import aiosmtpd", "python3-aiosmtpd") else { return };
    let Some(mut relay) = Server::start(test) else { return };
    let house = House::new(python, relay.port, Method::EmailConfirm).await;
    let id = house.takes().await;
    let got = relay.received();
    let reply_to = got["reply_to"]
        .as_str()
        .expect("an address")
        .split('<')
        .nth(1)
        .expect("an address")
        .trim_end_matches('>')
        .to_owned();
    assert!(reply_to.starts_with("reply+") && reply_to.ends_with("@desk.example.com"), "{reply_to}");
    assert!(got["envelope_from"].as_str().is_some_and(|from| from.starts_with("bounces+")), "{got}");
    assert_eq!(got["auto"], "auto-generated");
    house.until(&id, |state| state.attempts[0].accepted_at.is_some()).await;

    let forged = reply_to.replace("reply+", "bounces+");
    for (kind, to, answer) in [
        ("ok", "somebody@desk.example.com", 550),
        ("ok", forged.as_str(), 550),
        ("bounce", "postmaster@example.net", 550),
        ("large", reply_to.as_str(), 552),
        ("away", reply_to.as_str(), 250),
    ] {
        assert_eq!(house.send(kind, to, false).await, answer, "{kind} to {to}");
    }
    assert_eq!(house.state(&id).await.phase, Phase::Running, "nobody has confirmed yet");
    assert!(house.dispatcher.alarms().is_empty());

    assert_eq!(house.send("words", &reply_to, true).await, 250);
    let heard = async {
        while !house.dispatcher.alarms().iter().any(|a| a.text.contains("Bin unterwegs, K\u{fc}che?\n.")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), heard).await.expect("an operator reads it");
    assert_eq!(house.send("ok", &reply_to.to_uppercase(), true).await, 250);
    house.until(&id, |state| state.phase == Phase::Confirmed).await;
    let answer = relay.received();
    assert!(answer["body"].as_str().is_some_and(|body| body.contains("Confirmed")), "{answer}");
    assert_eq!((&answer["auto"], &answer["in_reply_to"]), (&"auto-replied".into(), &got["id"]));
    house.ends().await;
}

// Reading from the relay blocks a thread, so there are others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bounce_by_a_real_client_opens_again_what_was_delivered() {
    let test = "a bounce through our own door";
    let Some(python) = python(test, "import aiosmtpd", "python3-aiosmtpd") else { return };
    let Some(mut relay) = Server::start(test) else { return };
    let house = House::new(python, relay.port, Method::Email).await;
    let id = house.takes().await;
    let sender = relay.received()["envelope_from"].as_str().expect("an address").to_owned();
    house.until(&id, |state| state.phase == Phase::Delivered).await;
    let attempt: AttemptId = house.state(&id).await.attempts[0].id.clone();
    assert_eq!(house.addresses.of(Purpose::Bounce, &attempt).as_deref(), Some(sender.as_str()));

    assert_eq!(house.send("delay", &sender, false).await, 250);
    assert_eq!(house.state(&id).await.phase, Phase::Delivered);
    assert_eq!(house.send("bounce", &sender, true).await, 250);
    house.until(&id, |state| state.phase == Phase::ExhaustedUnconfirmed).await;
    let state = house.state(&id).await;
    assert_eq!(state.attempts[0].state(), AttemptState::FailedPerm);
    assert_eq!(state.attempts[0].failed.as_ref().map(|failed| failed.why.as_str()), Some("came_back_5.1.1"));

    // Nothing is acknowledged that is not stored: the sender tries again.
    house.store.close().await;
    assert_eq!(house.send("bounce", &sender, false).await, 451);
    house.stop.send(true).expect("they listen");
}
