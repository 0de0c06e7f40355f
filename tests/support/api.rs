//! The HTTP API as a console uses it, over plain sockets: signed in as an operator, JSON in and out; and the
//! feed, kept as it comes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// The demo's password.
const PASSWORD: &str = "cordboard-demo";

/// Somebody signed in.
pub struct Api {
    port: u16,
    token: String,
}

impl Api {
    /// Signs in at the server on `port`.
    pub fn log_in(port: u16, login: &str) -> Self {
        let mut api = Self { port, token: String::new() };
        let (status, session) = api.post("/api/v1/sessions", &json!({ "login": login, "password": PASSWORD }));
        assert_eq!(status, 201, "{session}");
        api.token = session["access_token"].as_str().expect("a session has a token").to_owned();
        api
    }

    /// Somebody who has not signed in.
    pub fn stranger(port: u16) -> Self {
        Self { port, token: String::new() }
    }

    /// The access token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What is at `path`.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, None);
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// Status and answer of a POST.
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", path, Some(body))
    }

    /// Status and answer of a PUT.
    pub fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("PUT", path, Some(body))
    }

    /// Status of a DELETE.
    pub fn delete(&self, path: &str) -> u16 {
        self.ask("DELETE", path, None).0
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let (status, body) = self.exchange(method, path, body);
        let body = String::from_utf8(body).expect("JSON is UTF-8");
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// What is at `path`, byte by byte.
    pub fn get_bytes(&self, path: &str) -> Vec<u8> {
        let (status, body) = self.exchange("GET", path, None);
        assert_eq!(status, 200, "GET {path}: {}", String::from_utf8_lossy(&body));
        body
    }

    /// Status and answer of a POST of something else than JSON.
    pub fn post_bytes(&self, path: &str, kind: &str, body: &[u8]) -> (u16, Value) {
        let (status, answer) = self.exchange_bytes("POST", path, kind, body);
        (status, serde_json::from_slice(&answer).unwrap_or(Value::Null))
    }

    /// The same of a PUT.
    pub fn put_bytes(&self, path: &str, kind: &str, body: &[u8]) -> (u16, Value) {
        let (status, answer) = self.exchange_bytes("PUT", path, kind, body);
        (status, serde_json::from_slice(&answer).unwrap_or(Value::Null))
    }

    fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Vec<u8>) {
        let body = body.map_or_else(String::new, Value::to_string);
        self.exchange_bytes(method, path, "application/json", body.as_bytes())
    }

    fn exchange_bytes(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket takes a timeout");
        let authorization =
            if self.token.is_empty() { String::new() } else { format!("Authorization: Bearer {}\r\n", self.token) };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n{authorization}\
             Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(request.as_bytes()).and_then(|()| stream.write_all(body)).expect("the server reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the server answers");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8_lossy(&answer[..end]);
        let status = head[9..12].parse().expect("an answer has a status");
        assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "an answer in chunks: {head}");
        (status, answer[end + 4..].to_vec())
    }

    /// Listens to the feed from now on; returns once it has said hello.
    pub fn feed(&self) -> Feed {
        let frames = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (port, token) = (self.port, self.token.clone());
            let (frames, stop) = (Arc::clone(&frames), Arc::clone(&stop));
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime can be made").block_on(listen(port, &token, &frames, &stop));
            }
        });
        let feed = Feed { frames, stop, thread: Some(thread) };
        wait_for("the feed's hello", || feed.find("hello"));
        feed
    }
}

/// All frames of a feed so far.
pub struct Feed {
    frames: Arc<Mutex<Vec<Value>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Feed {
    /// The first frame of this type.
    pub fn find(&self, kind: &str) -> Option<Value> {
        let frames = self.frames.lock().expect("no holder of this lock panics");
        frames.iter().find(|frame| frame["type"] == kind).cloned()
    }

    /// The first frame that is it.
    pub fn find_where(&self, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
        let frames = self.frames.lock().expect("no holder of this lock panics");
        frames.iter().find(|frame| is_it(frame)).cloned()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn listen(port: u16, token: &str, frames: &Mutex<Vec<Value>>, stop: &AtomicBool) {
    let mut request = format!("ws://127.0.0.1:{port}/api/v1/events").into_client_request().expect("a request");
    request.headers_mut().insert("sec-websocket-protocol", "cordboard.v1".parse().expect("a header value"));
    let (mut socket, _) = connect_async(request).await.expect("the feed connects");
    let auth = json!({ "type": "auth", "token": token }).to_string();
    socket.send(Message::text(auth)).await.expect("the feed is open");
    while !stop.load(Ordering::Relaxed) {
        match tokio::time::timeout(Duration::from_secs(1), socket.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => {
                let frame = serde_json::from_str(&text).expect("frames are JSON");
                frames.lock().expect("no holder of this lock panics").push(frame);
            }
            Ok(Some(Ok(_))) => {}
            Ok(_) => return,
            Err(_) => {
                if socket.send(Message::text(r#"{"type":"ping"}"#)).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Looks again and again until there is something; fails after two minutes.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1_200 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("waited in vain for {what}");
}
