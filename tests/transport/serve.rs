//! The whole program over TLS: it serves, shows a renewed certificate on SIGHUP, and keeps the old one when the new one is
//! broken.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::client::TlsStream;

use super::server::{Program, free_port, serving};
use super::temp::TempDir;
use super::{Authority, SOON, message, options};

/// Waits until it has said so.
async fn says(program: &Program, words: &str) {
    let said = async {
        while !program.log().contains(words) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(SOON, said).await.is_ok(), "it does not say {words}: {}", program.log());
}

async fn connect(authority: &Authority, port: u16) -> Option<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await.ok()?;
    Some(authority.connector().connect("desk.test".try_into().expect("a name"), stream).await.expect("a handshake"))
}

#[tokio::test]
async fn the_service_speaks_tls_at_every_door_and_changes_certificates_while_it_runs() {
    let (authority, directory) = (Authority::fresh(), TempDir::new("serve-tls"));
    let files = authority.issue("desk", &["desk.test"]);
    let pair = format!("certificate = \"{}\"\nkey = \"{}\"\n", files.certificate.display(), files.key.display());
    let [http, trunk_tls, phones_tls] = [free_port(), free_port(), free_port()];
    let root = env!("CARGO_MANIFEST_DIR");
    let trunk = "name = \"c\"\nkind = \"address\"\naddresses = [\"127.0.0.1\"]\ntarget = \"127.0.0.1:9\"\n";
    std::fs::write(directory.path().join("trunk.toml"), trunk).expect("writable");
    let config = format!(
        "trunks = [\"trunk.toml\"]\n[http]\nbind = \"127.0.0.1:{http}\"\n[http.tls]\n{pair}[sip]\ntrunk_bind = \"127.0.0.1:0\"\n\
         phones_bind = \"127.0.0.1:0\"\ntrunk_tls_bind = \"127.0.0.1:{trunk_tls}\"\nphones_tls_bind = \"127.0.0.1:{phones_tls}\"\n\
         [sip.tls]\n{pair}[store]\npath = \"data/c.db\"\nkey_file = \"data/c.key\"\n[auth]\njwt_secret_file = \"data/jwt\"\n\
         [voice]\nprompts = \"{root}/prompts/en\"\ncache = \"data/speech\"\n"
    );
    std::fs::write(directory.path().join("cordboard.toml"), config).expect("writable");
    let program = Program::start(serving(directory.path()).env_remove("RUST_LOG"));
    let up = async {
        loop {
            if let Some(mut stream) = connect(&authority, http).await {
                stream
                    .write_all(b"GET /readyz HTTP/1.1\r\nHost: desk.test\r\nConnection: close\r\n\r\n")
                    .await
                    .expect("open");
                let mut answer = String::new();
                let _ = stream.read_to_string(&mut answer).await;
                if answer.starts_with("HTTP/1.1 200 ") {
                    return;
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(60), up).await.expect("it is up");
    for (port, status) in [(trunk_tls, "SIP/2.0 200 "), (phones_tls, "SIP/2.0 403 ")] {
        let mut stream = connect(&authority, port).await.expect("it listens");
        stream.write_all(&options("TLS", 9, &port.to_string())).await.expect("open");
        assert!(message(&mut stream).await.starts_with(status));
    }
    let shown = async || {
        let mut seen = Vec::new();
        for port in [http, trunk_tls, phones_tls] {
            let stream = connect(&authority, port).await.expect("it listens");
            seen.push(stream.get_ref().1.peer_certificates().expect("one")[0].clone());
        }
        seen.dedup();
        seen
    };
    let first = shown().await;
    assert_eq!(first.len(), 1);
    authority.issue("desk", &["desk.test"]);
    program.signal("HUP");
    let changed = async {
        loop {
            let now = shown().await;
            if now.len() == 1 && now != first {
                return now;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let second = timeout(SOON, changed).await.expect("the new one is shown");
    std::fs::write(&files.certificate, "half a file").expect("writable");
    program.signal("HUP");
    says(&program, "What was read before stays in force").await;
    assert_eq!(shown().await, second);
}
