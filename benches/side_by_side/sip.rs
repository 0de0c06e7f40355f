//! Callers and a callee: SIP over one UDP socket each, just enough to bring calls up and down, and to see every
//! retransmission. What is measured is the other side, so this side is as plain as it can be.

use std::collections::{BTreeSet, HashMap};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cordboard::base::clock::{Clock, SystemClock};
use rustix::net::RecvFlags;

use super::far::address;

/// RFC 3261 §17.1.1.2.
const T1: Duration = Duration::from_millis(500);

fn sip_socket() -> UdpSocket {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).expect("a socket");
    // A burst of answers must not be lost here: it would look like the server's fault.
    let _ = socket.set_recv_buffer_size(8 << 20);
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    socket.bind(&any.into()).expect("a loopback port");
    socket.into()
}

fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().take_while(|line| !line.is_empty()).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The address that a session description names for audio.
fn audio_of(text: &str) -> Option<SocketAddr> {
    let ip = text.lines().find_map(|l| l.strip_prefix("c=IN IP4 "))?.trim();
    let port = text.lines().find_map(|l| l.strip_prefix("m=audio "))?.split(' ').next()?;
    format!("{ip}:{port}").parse().ok()
}

fn sdp(audio: SocketAddr) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n",
        ip = audio.ip(),
        port = audio.port()
    )
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Inviting,
    Up,
    Leaving,
    Over,
}

struct Call {
    stage: Stage,
    /// What is repeated until it is answered, when next, and how long after that.
    again: Option<(Instant, Duration)>,
    request: String,
    ack: String,
    bye: String,
    began: Instant,
    audio: Option<SocketAddr>,
}

/// What happened to the calls.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub answered: usize,
    pub refused: usize,
    pub ended: usize,
    /// Requests and answers that came or went more than once.
    pub repeated: usize,
    /// INVITE to 200, in ms.
    pub setup_ms: Vec<f64>,
    /// When the last 200 to an INVITE came.
    pub last_answer: Option<Instant>,
}

impl Tally {
    /// The value that `part` of all set-up times lie below.
    pub fn setup(&self, part: f64) -> f64 {
        let mut sorted = self.setup_ms.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(((sorted.len() as f64 - 1.0) * part).max(0.0) as usize).copied().unwrap_or(f64::NAN)
    }
}

/// Callers on one socket.
pub struct Callers {
    socket: UdpSocket,
    server: SocketAddr,
    dialled: String,
    tag: u32,
    calls: Vec<Call>,
    /// Which call is to repeat itself when.
    timers: BTreeSet<(Instant, usize)>,
    buffer: Vec<u8>,
    /// They have cores of their own and never sleep: on loopback whoever sends is charged with waking up who sleeps.
    pub awake: bool,
    pub tally: Tally,
}

impl Callers {
    /// Callers of `dialled` at `server`.
    pub fn new(server: SocketAddr, dialled: &str) -> Self {
        static RUNS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let tag = std::process::id().wrapping_mul(1_000) + RUNS.fetch_add(1, Ordering::Relaxed);
        Self {
            socket: sip_socket(),
            server,
            dialled: dialled.to_owned(),
            tag,
            calls: Vec::new(),
            timers: BTreeSet::new(),
            buffer: vec![0; 65_535],
            awake: false,
            tally: Tally::default(),
        }
    }

    /// Sends an INVITE that offers audio at `audio`; the number of the call.
    pub fn invite(&mut self, audio: SocketAddr) -> usize {
        let (n, tag) = (self.calls.len(), self.tag);
        let (server, dialled, me) = (self.server, &self.dialled, address(&self.socket));
        let id = format!("{tag}-{n}@bench");
        let body = sdp(audio);
        let request = format!(
            "INVITE sip:{dialled}@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bK{tag}i{n};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:+12025550190@{me}>;tag=f{tag}{n}\r\nTo: <sip:{dialled}@{server}>\r\n\
             Call-ID: {id}\r\nCSeq: 1 INVITE\r\nContact: <sip:bench@{me}>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let now = SystemClock.instant();
        let _ = self.socket.send_to(request.as_bytes(), server);
        let call = Call {
            stage: Stage::Inviting,
            again: Some((now + T1, T1)),
            request,
            ack: String::new(),
            bye: String::new(),
            began: now,
            audio: None,
        };
        self.calls.push(call);
        self.timers.insert((now + T1, n));
        n
    }

    /// Hangs up.
    pub fn bye(&mut self, n: usize) {
        let now = SystemClock.instant();
        let Some(call) = self.calls.get_mut(n).filter(|call| call.stage == Stage::Up) else { return };
        let _ = self.socket.send_to(call.bye.as_bytes(), self.server);
        (call.stage, call.request, call.again) = (Stage::Leaving, call.bye.clone(), Some((now + T1, T1)));
        self.timers.insert((now + T1, n));
    }

    /// Where the other side hears call `n`, once it is up.
    pub fn audio(&self, n: usize) -> Option<SocketAddr> {
        self.calls.get(n).filter(|call| call.stage == Stage::Up)?.audio
    }

    /// When call `n` was begun.
    pub fn began(&self, n: usize) -> Option<Instant> {
        self.calls.get(n).map(|call| call.began)
    }

    /// Calls that are neither answered nor over.
    pub fn pending(&self) -> usize {
        self.calls.iter().filter(|call| matches!(call.stage, Stage::Inviting | Stage::Leaving)).count()
    }

    /// Takes what comes until `until`; calls are hung up as soon as they are up if `at_once`. Whoever is late takes what has
    /// come all the same: a carrier that only sends would measure itself.
    pub fn serve(&mut self, until: Instant, at_once: bool) {
        loop {
            while self.take_next(RecvFlags::DONTWAIT, at_once) {}
            self.repeat();
            let now = SystemClock.instant();
            if now >= until {
                return;
            }
            if self.awake {
                std::hint::spin_loop();
                continue;
            }
            let wait = (until - now).min(Duration::from_millis(20)).max(Duration::from_micros(100));
            let _ = self.socket.set_read_timeout(Some(wait));
            self.take_next(RecvFlags::empty(), at_once);
        }
    }

    /// Whether something was there.
    fn take_next(&mut self, flags: RecvFlags, at_once: bool) -> bool {
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = rustix::net::recv(&self.socket, buffer.as_mut_slice(), flags);
        if let Ok((len, _)) = read
            && let Ok(text) = std::str::from_utf8(&buffer[..len])
        {
            self.take(text, at_once);
        }
        self.buffer = buffer;
        read.is_ok()
    }

    fn repeat(&mut self) {
        let now = SystemClock.instant();
        while let Some((at, n)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.pop_first();
            let call = &mut self.calls[n];
            let Some((_, pause)) = call.again.filter(|(due, _)| *due == at) else { continue };
            let _ = self.socket.send_to(call.request.as_bytes(), self.server);
            self.tally.repeated += 1;
            let pause = (pause * 2).min(Duration::from_secs(4));
            // RFC 3261 §17.1.1.2: 64 times T1 in all.
            call.again = (now - call.began < T1 * 64).then_some((now + pause, pause));
            if call.again.is_some() {
                self.timers.insert((now + pause, n));
            }
        }
    }

    fn take(&mut self, text: &str, at_once: bool) {
        let Some(status) = text.strip_prefix("SIP/2.0 ").and_then(|t| t.get(..3)?.parse::<u16>().ok()) else {
            return self.answer(text);
        };
        let (Some(id), Some(cseq)) = (header(text, "Call-ID"), header(text, "CSeq")) else { return };
        let now = SystemClock.instant();
        let me = address(&self.socket);
        let Some(n) = id.split(['-', '@']).nth(1).and_then(|n| n.parse::<usize>().ok()) else { return };
        let Some(call) = self.calls.get_mut(n) else { return };
        if cseq.ends_with("INVITE") {
            if status < 200 {
                if call.stage == Stage::Inviting {
                    call.again = None;
                }
                return;
            }
            if call.stage != Stage::Inviting {
                self.tally.repeated += 1;
                let _ = self.socket.send_to(call.ack.as_bytes(), self.server);
                return;
            }
            let (from, to) = (header(text, "From").unwrap_or_default(), header(text, "To").unwrap_or_default());
            let target = header(text, "Contact")
                .and_then(|c| c.split_once('<')?.1.split_once('>'))
                .map_or_else(|| format!("sip:{}", self.server), |(uri, _)| uri.to_owned());
            let mut routes: Vec<&str> = text
                .lines()
                .filter_map(|line| line.split_once(':'))
                .filter(|(key, _)| key.eq_ignore_ascii_case("Record-Route"))
                .map(|(_, value)| value.trim())
                .collect();
            routes.reverse();
            let routes: String = routes.iter().map(|r| format!("Route: {r}\r\n")).collect();
            let tag = self.tag;
            let request = |method: &str, number: u32, branch: String, target: &str, routes: &str| {
                format!(
                    "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bK{branch};rport\r\n\
                     Max-Forwards: 70\r\n{routes}From: {from}\r\nTo: {to}\r\nCall-ID: {id}\r\n\
                     CSeq: {number} {method}\r\nContent-Length: 0\r\n\r\n"
                )
            };
            call.again = None;
            if status < 300 {
                call.ack = request("ACK", 1, format!("{tag}a{n}"), &target, &routes);
                call.bye = request("BYE", 2, format!("{tag}b{n}"), &target, &routes);
                call.audio = audio_of(text);
                call.stage = Stage::Up;
                self.tally.answered += 1;
                self.tally.last_answer = Some(now);
                self.tally.setup_ms.push((now - call.began).as_secs_f64() * 1e3);
            } else {
                let uri = format!("sip:{}@{}", self.dialled, self.server);
                call.ack = request("ACK", 1, format!("{tag}i{n}"), &uri, "");
                (call.stage, call.request) = (Stage::Over, String::new());
                self.tally.refused += 1;
            }
            let _ = self.socket.send_to(call.ack.as_bytes(), self.server);
            if at_once && status < 300 {
                self.bye(n);
            }
        } else if cseq.ends_with("BYE") && status >= 200 && call.stage == Stage::Leaving {
            (call.stage, call.again) = (Stage::Over, None);
            // A minute of too many calls is some hundred thousand of them.
            (call.request, call.bye) = (String::new(), String::new());
            self.tally.ended += 1;
        }
    }

    /// A request from the other side: it hangs up, or asks whether we are still there.
    fn answer(&mut self, text: &str) {
        if text.starts_with("ACK ") {
            return;
        }
        let _ = self.socket.send_to(ok(text, "", None).as_bytes(), self.server);
        if !text.starts_with("BYE ") {
            return;
        }
        let n = header(text, "Call-ID").and_then(|id| id.split(['-', '@']).nth(1)?.parse::<usize>().ok());
        // A BYE that comes again ends nothing more.
        if let Some(call) = n.and_then(|n| self.calls.get_mut(n)).filter(|call| call.stage != Stage::Over) {
            (call.stage, call.again) = (Stage::Over, None);
            self.tally.ended += 1;
        }
    }
}

/// 200 to a request.
fn ok(request: &str, tag: &str, body: Option<(SocketAddr, &str)>) -> String {
    let mut text = String::from("SIP/2.0 200 OK\r\n");
    for line in request.lines().skip(1).take_while(|line| !line.is_empty()) {
        let key = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match key.as_str() {
            "via" | "v" | "from" | "f" | "call-id" | "i" | "cseq" | "record-route" => {
                text.push_str(&format!("{line}\r\n"))
            }
            "to" | "t" if line.contains(";tag=") || tag.is_empty() => text.push_str(&format!("{line}\r\n")),
            "to" | "t" => text.push_str(&format!("{line};tag={tag}\r\n")),
            _ => {}
        }
    }
    match body {
        Some((me, body)) => text.push_str(&format!(
            "Contact: <sip:bench@{me}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )),
        None => text.push_str("Content-Length: 0\r\n\r\n"),
    }
    text
}

/// Answers every call at once with audio at the next of its sockets.
pub struct Callee {
    pub address: SocketAddr,
    taken: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<(SocketAddr, SocketAddr)>>>,
}

impl Callee {
    pub fn start(audio: Vec<SocketAddr>) -> Self {
        let socket = sip_socket();
        let _ = socket.set_read_timeout(Some(Duration::from_millis(50)));
        let me = address(&socket);
        let stop = Arc::new(AtomicBool::new(false));
        let taken = Arc::new(AtomicUsize::new(0));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&taken));
        let thread = thread::spawn(move || {
            let (mut answers, mut heard) = (HashMap::<String, String>::new(), Vec::new());
            let mut buffer = vec![0; 65_535];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((len, from)) = socket.recv_from(&mut buffer) else { continue };
                let Ok(text) = std::str::from_utf8(&buffer[..len]) else { continue };
                let Some(id) = header(text, "Call-ID") else { continue };
                let answer = if text.starts_with("INVITE ") {
                    let n = answers.len();
                    let answer = answers.entry(id.to_owned()).or_insert_with(|| {
                        let here = audio[n % audio.len()];
                        heard.extend(audio_of(text).map(|there| (here, there)));
                        counted.store(heard.len(), Ordering::Relaxed);
                        ok(text, &format!("u{n}"), Some((me, &sdp(here))))
                    });
                    answer.clone()
                } else if text.starts_with("ACK ") || text.starts_with("SIP/") {
                    continue;
                } else {
                    ok(text, "", None)
                };
                let _ = socket.send_to(answer.as_bytes(), from);
            }
            heard
        });
        Self { address: me, taken, stop, thread: Some(thread) }
    }

    /// Calls that it has answered.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Ends; for each call our audio address and the other side's.
    pub fn stop(mut self) -> Vec<(SocketAddr, SocketAddr)> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
