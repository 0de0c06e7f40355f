//! Pushes arrive at a push service of another make (Node with OpenSSL), which checks their signature and decrypts them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::id::AttemptId;
use cordboard::domain::dispatch::event::Failure;
use cordboard::io::deliver::Delivery;
use cordboard::io::deliver::outside::Reach;
use cordboard::io::deliver::push::{GONE, Push, PushKey, Pusher as _, WebPusher, read_subscription};
use cordboard::io::store::inbox::Subscription;
use serde_json::{Value, json};

use crate::peers;

struct Service {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    subscriptions: Value,
}

impl Service {
    /// `None`, with a word on why, where there is no Node.
    fn start(test: &str, key: &str) -> Option<Self> {
        let node = peers::find_program(test, "node")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/push_service.mjs");
        let mut command = Command::new(node);
        let mut process =
            command.arg(script).arg(key).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node starts");
        let mut lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        let ready: Value = serde_json::from_str(&lines.next().expect("a line").expect("text")).expect("JSON");
        Some(Self { process, lines, subscriptions: ready["subscriptions"].clone() })
    }

    fn subscription(&self, name: &str) -> Subscription {
        let told = &self.subscriptions[name];
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let (p256dh, auth) = (text(&told["keys"]["p256dh"]), text(&told["keys"]["auth"]));
        read_subscription(&text(&told["endpoint"]), &p256dh, &auth, Reach::ThisMachineToo)
            .expect("as a browser tells it")
    }

    fn received(&mut self) -> Value {
        let line = self.lines.next().expect("a push came").expect("text");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn push(to: Subscription) -> Push {
    Push { attempt: AttemptId::named("one"), to, keep_secs: 3_600 }
}

fn pusher(key: PushKey, reach: Reach) -> WebPusher {
    WebPusher::new(key, "http://127.0.0.1:8080", reach, Arc::new(SystemClock)).expect("a pusher")
}

#[tokio::test]
async fn a_push_is_signed_decrypted_and_carries_an_identifier_and_nothing_else() {
    let kept = PushKey::fresh();
    let key = PushKey::open(&kept).expect("a key");
    let pusher = WebPusher::new(key, "https://desk.example.com", Reach::ThisMachineToo, Arc::new(SystemClock));
    let pusher = pusher.expect("a pusher");
    let Some(mut service) = Service::start("pushes to a push service", pusher.public_key()) else { return };

    let answer = pusher.send(&push(service.subscription("taken"))).await;
    assert_eq!(answer, Delivery::Accepted { provider_id: None });
    let got = service.received();
    assert_eq!(got["payload"], "{\"id\":\"att_one\"}", "{got}");
    assert_eq!(got["sub"], "https://desk.example.com");
    assert_eq!(json!([got["ttl"], got["urgency"], got["encoding"]]), json!(["3600", "high", "aes128gcm"]));
    let day = SystemClock.utc().plus_secs(24 * 3_600).0 / 1_000;
    assert!(got["exp"].as_i64().is_some_and(|exp| exp < day), "RFC 8292 §2: a day at most: {got}");

    let failed = |failure, why: &str| Delivery::Failed { failure, why: why.to_owned() };
    let answer = pusher.send(&push(service.subscription("gone"))).await;
    assert_eq!(answer, failed(Failure::Permanent, GONE));
    let answer = pusher.send(&push(service.subscription("busy"))).await;
    assert_eq!(answer, failed(Failure::Temporary, "http_503"));
}

#[tokio::test]
async fn a_push_with_another_key_is_refused_for_good() {
    let ours = PushKey::open(&PushKey::fresh()).expect("a key");
    let Some(mut service) = Service::start("a push with another key", ours.public()) else { return };
    let other = PushKey::open(&PushKey::fresh()).expect("a key");
    let pusher = pusher(other, Reach::ThisMachineToo);
    let answer = pusher.send(&push(service.subscription("taken"))).await;
    assert_eq!(answer, Delivery::Failed { failure: Failure::Permanent, why: "http_403".to_owned() });
    assert!(service.received()["refused"].as_str().is_some_and(|why| why.contains("another key")));
}

#[tokio::test]
async fn a_push_service_that_is_not_there_is_tried_again_later() {
    let key = PushKey::open(&PushKey::fresh()).expect("a key");
    let pusher = pusher(key, Reach::ThisMachineToo);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let to = read_subscription(&format!("http://127.0.0.1:{port}/x"), P256DH, AUTH, Reach::ThisMachineToo);
    let answer = pusher.send(&push(to.expect("a subscription"))).await;
    assert_eq!(answer, Delivery::Failed { failure: Failure::Temporary, why: "no_connection".to_owned() });
}

/// A door of this house, which counts who knocks, and answers with a way further in.
fn inner_door(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let knocks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&knocks);
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4_096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (port, knocks)
}

const NOTHING: &str = "HTTP/1.1 201 Created\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// RFC 8291, Appendix A.
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

#[tokio::test]
async fn a_subscription_that_leads_into_the_house_is_knocked_at_by_nobody() {
    let (port, knocks) = inner_door(NOTHING);
    let key = PushKey::open(&PushKey::fresh()).expect("a key");
    let world = pusher(key, Reach::World);
    let known = read_subscription("https://push.example.net/x", P256DH, AUTH, Reach::World).expect("a subscription");
    // As it may stand in the database from before, or as a name that is ours: what is not refused when it is told.
    for endpoint in [
        format!("http://127.0.0.1:{port}/x"),
        format!("https://127.0.0.1:{port}/x"),
        format!("https://[::1]:{port}/x"),
        format!("https://localhost:{port}/x"),
        format!("https://[::ffff:127.0.0.1]:{port}/x"),
        format!("https://2130706433:{port}/x"),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        let answer = world.send(&push(Subscription { endpoint: endpoint.clone(), ..known.clone() })).await;
        let inside = Delivery::Failed { failure: Failure::Permanent, why: "inside_address".to_owned() };
        assert_eq!(answer, inside, "{endpoint}");
    }
    assert_eq!(knocks.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_is_followed_nowhere() {
    let (inner, knocks) = inner_door(NOTHING);
    let way: &'static str = Box::leak(
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{inner}/x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .into_boxed_str(),
    );
    let (port, asked) = inner_door(way);
    let key = PushKey::open(&PushKey::fresh()).expect("a key");
    let to = read_subscription(&format!("http://127.0.0.1:{port}/x"), P256DH, AUTH, Reach::ThisMachineToo);
    let answer = pusher(key, Reach::ThisMachineToo).send(&push(to.expect("a subscription"))).await;
    assert_eq!(answer, Delivery::Failed { failure: Failure::Temporary, why: "http_307".to_owned() });
    assert_eq!((asked.load(Ordering::SeqCst), knocks.load(Ordering::SeqCst)), (1, 0));
}
