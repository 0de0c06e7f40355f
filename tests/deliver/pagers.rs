//! Pages reach carriers over real connections: gateways and terminals that hold to their specifications strictly, and
//! some that do not.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use cordboard::base::clock::UtcMs;
use cordboard::base::id::AttemptId;
use cordboard::base::pii::Pii;
use cordboard::config::pager::{PagerAt, PagerCarrier, PagerProtocol, PagerTls, WctpGateway};
use cordboard::domain::dispatch::event::Failure;
use cordboard::io::deliver::pager::Carriers;
use cordboard::io::deliver::{Delivery, Page, Pager as _};
use cordboard::proto::paging::parts::Long;
use cordboard::proto::tap::checksum;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::authority::Authority;

const BODY: &str = "URGENT Call +1 202 555 0147. Imaginary Plumbing 02:10: Jane Roe; Rohrbruch in der Küche";

fn page(to: &str, body: &str) -> Page {
    Page {
        attempt: AttemptId::named("a-1"),
        to: to.parse().expect("a pager"),
        body: body.to_owned(),
        urgent: true,
        at: UtcMs(1_772_871_000_000),
    }
}

fn carriers(protocol: PagerProtocol, max_length: usize) -> Carriers {
    let carrier = PagerCarrier { name: "metro".into(), protocol, max_length, long: Long::Split };
    Carriers::new(&[carrier]).expect("a sound configuration")
}

fn at(port: u16) -> PagerAt {
    PagerAt { host: "127.0.0.1".into(), port, tls: None }
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

fn failed(failure: Failure, why: &str) -> Delivery {
    Delivery::Failed { failure, why: why.to_owned() }
}

/// What a strict SNPP gateway has taken: pager, level and message of each page.
type Taken = Vec<(String, String, String)>;

/// A gateway that holds to RFC 1861: it asks for a login, knows one pager, and takes nothing out of turn.
async fn snpp_gateway(stream: impl AsyncRead + AsyncWrite + Unpin) -> Taken {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(read).lines();
    let mut taken = Taken::new();
    let (mut logged_in, mut pager, mut level, mut message) = (false, None, String::new(), None);
    write.write_all(b"220 SNPP Gateway Ready\r\n").await.expect("written");
    while let Ok(Some(line)) = lines.next_line().await {
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let reply = match command {
            "LOGI" if rest == "desk secret" => {
                logged_in = true;
                "250 Login Accepted"
            }
            "LOGI" => "550 Invalid Login or Password",
            _ if !logged_in => "550 Log in first",
            "PAGE" if pager.is_some() => "503 Already Entered That",
            "PAGE" if rest == "5550142" => {
                pager = Some(rest.to_owned());
                "250 Pager ID Accepted"
            }
            "PAGE" => "550 Invalid Pager ID",
            "LEVE" => {
                rest.clone_into(&mut level);
                "250 OK"
            }
            "MESS" if message.is_some() => "503 Already Entered That",
            "MESS" => {
                message = Some(rest.to_owned());
                "250 Message OK"
            }
            "DATA" => {
                write.write_all(b"354 Begin Input; End with <CRLF>'.'<CRLF>\r\n").await.expect("written");
                let mut text = Vec::new();
                loop {
                    let line = lines.next_line().await.expect("read").expect("a line");
                    if line == "." {
                        break;
                    }
                    text.push(line);
                }
                message = Some(text.join("\n"));
                "250 Message OK"
            }
            "SEND" => match (pager.take(), message.take()) {
                (Some(pager), Some(message)) => {
                    taken.push((pager, std::mem::take(&mut level), message));
                    "250 Message Sent Successfully"
                }
                _ => "503 Error, Pager ID or Message Incomplete",
            },
            "QUIT" => {
                // The client need not wait for it.
                let _ = write.write_all(b"221 OK, Goodbye\r\n").await;
                return taken;
            }
            _ => "500 Command Not Implemented",
        };
        write.write_all(format!("{reply}\r\n").as_bytes()).await.expect("written");
    }
    taken
}

fn snpp(port: u16, password: &str) -> PagerProtocol {
    PagerProtocol::Snpp { at: at(port), login: Some(("desk".into(), Some(password.to_owned().into()))) }
}

async fn one_gateway() -> (u16, JoinHandle<Taken>) {
    let (listener, port) = listen().await;
    let gateway = tokio::spawn(async move { snpp_gateway(listener.accept().await.expect("a connection").0).await });
    (port, gateway)
}

#[tokio::test]
async fn a_strict_snpp_gateway_takes_a_page_in_letters_it_can_show() {
    let (port, gateway) = one_gateway().await;
    let sent = carriers(snpp(port, "secret"), 240).page(&page("5550142@metro", BODY)).await;
    assert_eq!(sent, Delivery::Accepted { provider_id: None });
    let said = BODY.replace("ü", "u");
    assert_eq!(gateway.await.expect("no panic"), [("5550142".to_owned(), "0".to_owned(), said)]);
}

#[tokio::test]
async fn a_long_message_is_several_pages_that_say_so_or_text_of_several_lines() {
    let (port, gateway) = one_gateway().await;
    let sent = carriers(snpp(port, "secret"), 60).page(&page("5550142@metro", BODY)).await;
    assert_eq!(sent, Delivery::Accepted { provider_id: None });
    let taken = gateway.await.expect("no panic");
    let parts: Vec<&str> = taken.iter().map(|(_, _, message)| message.as_str()).collect();
    assert_eq!(
        parts,
        ["1/2 URGENT Call +1 202 555 0147. Imaginary Plumbing 02:10:", "2/2 Jane Roe; Rohrbruch in der Kuche"]
    );
    let (port, gateway) = one_gateway().await;
    let long = "water ".repeat(60);
    let sent = carriers(snpp(port, "secret"), 400).page(&page("5550142@metro", long.trim())).await;
    assert_eq!(sent, Delivery::Accepted { provider_id: None });
    assert_eq!(gateway.await.expect("no panic")[0].2, long.trim());
}

#[tokio::test]
async fn a_gateway_that_knows_no_such_pager_or_us_not_says_so() {
    let (port, gateway) = one_gateway().await;
    let sent = carriers(snpp(port, "secret"), 240).page(&page("5550199@metro", BODY)).await;
    assert_eq!(sent, failed(Failure::Permanent, "snpp_550"));
    assert_eq!(gateway.await.expect("no panic"), []);
    let (port, gateway) = one_gateway().await;
    let sent = carriers(snpp(port, "wrong"), 240).page(&page("5550142@metro", BODY)).await;
    assert_eq!(sent, failed(Failure::Temporary, "login_refused"), "somebody can mend that");
    assert_eq!(gateway.await.expect("no panic"), []);
}

#[tokio::test]
async fn what_a_gateway_says_to_a_page_is_handed_on_and_what_it_says_to_a_login_is_not() {
    for (password, pager, said) in
        [("secret", "5550199@metro", Some("550 Invalid Pager ID")), ("wrong", "5550142@metro", None)]
    {
        let (port, gateway) = one_gateway().await;
        let heard = carriers(snpp(port, password), 240).page_and_hear(&page(pager, BODY)).await;
        assert_eq!(heard.said.map(Pii::into_inner).as_deref(), said, "{pager}");
        assert!(matches!(heard.delivery, Delivery::Failed { .. }));
        gateway.await.expect("no panic");
    }
}

#[tokio::test]
async fn over_tls_the_gateway_must_prove_its_name() {
    let authority = Authority::fresh();
    for (name, expected) in [
        ("127.0.0.1", Delivery::Accepted { provider_id: None }),
        ("other.example.com", failed(Failure::Temporary, "no_tls")),
    ] {
        let (listener, port) = listen().await;
        let acceptor = authority.identity(name, &[name]).acceptor(&[]);
        let gateway = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a connection");
            match acceptor.accept(stream).await {
                Ok(stream) => snpp_gateway(stream).await,
                Err(_) => Taken::new(),
            }
        });
        let tls = Some(PagerTls { ca_file: Some(authority.ca_file()) });
        let protocol = PagerProtocol::Snpp {
            at: PagerAt { tls, ..at(port) },
            login: Some(("desk".into(), Some("secret".to_owned().into()))),
        };
        assert_eq!(carriers(protocol, 240).page(&page("5550142@metro", BODY)).await, expected, "{name}");
        gateway.await.expect("no panic");
    }
}

#[tokio::test]
async fn a_gateway_that_is_not_there_or_of_no_name_is_tried_again() {
    let (listener, port) = listen().await;
    drop(listener);
    let sent = carriers(snpp(port, "secret"), 240).page(&page("5550142@metro", BODY)).await;
    assert_eq!(sent, failed(Failure::Temporary, "no_connection"));
    let sent = carriers(snpp(port, "secret"), 240).page(&page("5550142@another", BODY)).await;
    assert_eq!(sent, failed(Failure::Temporary, "no_such_carrier"));
}

#[tokio::test]
async fn a_gateway_that_hangs_up_after_send_leaves_the_outcome_unknown() {
    let (listener, port) = listen().await;
    let gateway = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let (read, mut write) = stream.split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 hello\r\n").await.expect("written");
        while let Ok(Some(line)) = lines.next_line().await {
            if line == "SEND" {
                return;
            }
            write.write_all(b"250 ok\r\n").await.expect("written");
        }
    });
    let sent = carriers(snpp(port, "secret"), 240).page(&page("5550142@metro", BODY)).await;
    assert_eq!(sent, failed(Failure::Unknown, "broken_off"));
    gateway.await.expect("no panic");
}

/// A paging terminal that holds to TAP 1.8: it checks every checksum and every turn. `garbles`: it calls the first block
/// garbled once, as after noise on the line.
async fn tap_terminal(listener: TcpListener, garbles: bool) -> Vec<String> {
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut taken = Vec::new();
    let mut line = Vec::new();
    assert_eq!(stream.read_u8().await.expect("a carriage return"), b'\r');
    stream.write_all(b"ID=").await.expect("written");
    read_line(&mut stream, &mut line).await;
    assert_eq!(line, b"\x1bPG1secret");
    stream.write_all(b"\r110 1.8\r\x06\r\x1b[p\r").await.expect("written");
    let (mut fields, mut noise) = (Vec::new(), garbles);
    loop {
        let first = stream.read_u8().await.expect("a byte");
        if first == 0x04 {
            read_line(&mut stream, &mut line).await;
            stream.write_all(b"115 Goodbye\r\x1b\x04\r").await.expect("written");
            return taken;
        }
        assert_eq!(first, 0x02, "STX or EOT");
        let mut block = vec![first];
        while !matches!(block.last(), Some(0x03 | 0x17 | 0x1f)) {
            block.push(stream.read_u8().await.expect("a byte"));
        }
        read_line(&mut stream, &mut line).await;
        assert!(block.len() + 4 <= 256, "no block is longer");
        assert_eq!(line, checksum(&block), "the checksum");
        if std::mem::take(&mut noise) {
            stream.write_all(b"\x15\r").await.expect("written");
            continue;
        }
        fields.extend_from_slice(&block[1..block.len() - 1]);
        if block.last() == Some(&0x03) {
            let text = String::from_utf8(std::mem::take(&mut fields)).expect("ASCII");
            let (pager, message) = text.trim_end_matches('\r').split_once('\r').expect("two fields");
            if pager != "5550142" {
                stream.write_all(b"511 Invalid pager ID\r\x1e\r").await.expect("written");
                continue;
            }
            taken.push(message.to_owned());
            stream.write_all(b"211 Page accepted\r\x06\r").await.expect("written");
        } else {
            stream.write_all(b"\x06\r").await.expect("written");
        }
    }
}

async fn read_line(stream: &mut tokio::net::TcpStream, line: &mut Vec<u8>) {
    line.clear();
    loop {
        match stream.read_u8().await.expect("a byte") {
            b'\r' => return,
            byte => line.push(byte),
        }
    }
}

fn tap(port: u16) -> PagerProtocol {
    PagerProtocol::Tap { at: at(port), password: Some("secret".to_owned().into()) }
}

#[tokio::test]
async fn a_strict_paging_terminal_takes_a_page_of_several_blocks_after_noise_on_the_line() {
    let (listener, port) = listen().await;
    let terminal = tokio::spawn(tap_terminal(listener, true));
    let long = "water ".repeat(100);
    let sent = carriers(tap(port), 1_000).page(&page("5550142@metro", long.trim())).await;
    assert_eq!(sent, Delivery::Accepted { provider_id: None });
    assert_eq!(terminal.await.expect("no panic"), [long.trim()]);
}

#[tokio::test]
async fn a_paging_terminal_refuses_a_pager_it_does_not_know() {
    let (listener, port) = listen().await;
    let terminal = tokio::spawn(tap_terminal(listener, false));
    let sent = carriers(tap(port), 240).page(&page("5550199@metro", BODY)).await;
    assert_eq!(sent, failed(Failure::Permanent, "tap_511"));
    assert_eq!(terminal.await.expect("no panic"), Vec::<String>::new());
}

#[derive(Clone)]
struct Wctp {
    answer: (u16, &'static str),
    got: Arc<Mutex<Vec<String>>>,
}

async fn submit(State(gateway): State<Wctp>, headers: HeaderMap, body: String) -> (StatusCode, &'static str) {
    assert_eq!(headers["content-type"], "text/xml; charset=utf-8");
    gateway.got.lock().expect("unpoisoned").push(body);
    (StatusCode::from_u16(gateway.answer.0).expect("a status"), gateway.answer.1)
}

async fn wctp(status: u16, answer: &'static str, max_length: usize) -> (Wctp, Carriers) {
    let gateway = Wctp { answer: (status, answer), got: Arc::default() };
    let app = Router::new().route("/wctp", post(submit)).with_state(gateway.clone());
    let (listener, port) = listen().await;
    tokio::spawn(async move { axum::serve(listener, app).await });
    let protocol = PagerProtocol::Wctp(WctpGateway {
        url: format!("http://127.0.0.1:{port}/wctp"),
        sender: "desk@example.com".into(),
        security_code: Some("secret".to_owned().into()),
    });
    (gateway, carriers(protocol, max_length))
}

const SUCCESS: &str = "<?xml version=\"1.0\"?><!DOCTYPE wctp-Operation SYSTEM \"http://dtd.wctp.org/wctp-dtd-v1r1.dtd\">\
    <wctp-Operation wctpVersion=\"wctp-dtd-v1r1\"><wctp-Confirmation><wctp-Success successCode=\"200\" successText=\"Accepted\"/>\
    </wctp-Confirmation></wctp-Operation>";

#[tokio::test]
async fn a_wctp_gateway_is_posted_each_part_with_its_own_name() {
    let (gateway, carriers) = wctp(200, SUCCESS, 60).await;
    let sent = carriers.page(&page("5550142@metro", BODY)).await;
    assert_eq!(sent, Delivery::Accepted { provider_id: None });
    let got = gateway.got.lock().expect("unpoisoned").clone();
    assert_eq!(got.len(), 2);
    for part in [
        "senderID=\"desk@example.com\" securityCode=\"secret\"",
        "recipientID=\"5550142\"",
        "messageID=\"a-1\"",
        "submitTimestamp=\"2026-03-07T08:10:00\"",
        "deliveryPriority=\"HIGH\"",
        ">1/2 URGENT Call",
    ] {
        assert!(got[0].contains(part), "{part} is missing in {}", got[0]);
    }
    assert!(
        got[1].contains("messageID=\"a-1.2\"") && got[1].contains(">2/2 Jane Roe; Rohrbruch in der Küche<"),
        "{}",
        got[1]
    );
}

#[tokio::test]
async fn what_a_wctp_gateway_answers_is_told_apart() {
    let failure = |code: &str| -> &'static str {
        let text = format!(
            "<wctp-Operation><wctp-Confirmation><wctp-Failure errorCode=\"{code}\" errorText=\"no\"/></wctp-Confirmation></wctp-Operation>"
        );
        Box::leak(text.into_boxed_str())
    };
    for (status, answer, expected) in [
        (200, failure("403"), failed(Failure::Permanent, "wctp_403")),
        (200, failure("402"), failed(Failure::Temporary, "wctp_402")),
        (500, failure("600"), failed(Failure::Temporary, "wctp_600")),
        (200, "<html>OK</html>", failed(Failure::Unknown, "unreadable")),
        (200, "", failed(Failure::Unknown, "unreadable")),
        (503, "busy", failed(Failure::Temporary, "http_503")),
        (504, "", failed(Failure::Unknown, "http_504")),
        (401, SUCCESS, failed(Failure::Temporary, "http_401")),
    ] {
        let (_, carriers) = wctp(status, answer, 240).await;
        assert_eq!(carriers.page(&page("5550142@metro", BODY)).await, expected, "{status} {answer}");
    }
}
