//! The sandbox's mail server: takes mail for anybody, and hands it in.
//!
//! What is said is [`proto::smtp`](crate::proto::smtp)'s, as at the demo's own door; here it gets a socket. Relays nothing, keeps
//! nothing. Always bounded: connections, size, time.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

use crate::proto::smtp::{Output, Session};

/// A mail as it was handed over.
pub use crate::proto::smtp::Mail as Received;

/// The largest mail taken.
const MAX_MAIL: usize = 8 * 1024 * 1024;
const MAX_CONNECTIONS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(60);
const CHUNK: usize = 16 * 1024;
const NAME: &str = "sandbox.invalid";

/// Takes connections until the receiver of mail is gone.
pub async fn serve(listener: TcpListener, mails: mpsc::Sender<Received>) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = mails.closed() => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file handles: give others the time to free some.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { continue };
        let mails = mails.clone();
        tokio::spawn(async move {
            let _slot = slot;
            // A connection that breaks off has no one left to tell.
            let _ = converse(stream, mails).await;
        });
    }
}

async fn converse(mut stream: TcpStream, mails: mpsc::Sender<Received>) -> std::io::Result<()> {
    let anybody = |_: &str| true;
    let mut session = Session::new(NAME, MAX_MAIL, false);
    let mut chunk = vec![0; CHUNK];
    loop {
        while let Some(output) = session.poll_output() {
            match output {
                Output::Say(answer) => stream.write_all(answer.as_bytes()).await?,
                Output::Mail(mail) => {
                    let taken = mails.send(mail).await.is_ok();
                    session.stored(taken, &anybody);
                }
                // No TLS is offered, so nobody gets so far as to begin it.
                Output::StartTls | Output::Close => return Ok(()),
            }
        }
        match tokio::time::timeout(PATIENCE, stream.read(&mut chunk)).await {
            Ok(got) => match got? {
                0 => return Ok(()),
                octets => session.handle(&chunk[..octets], &anybody),
            },
            Err(_) => session.end("Too slow"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_real_client_hands_a_mail_over() {
        use lettre::transport::smtp::client::Tls;
        use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let port = listener.local_addr().expect("a bound socket").port();
        let (mails, mut inbox) = mpsc::channel(4);
        let server = tokio::spawn(serve(listener, mails));
        let client =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(port).tls(Tls::None).build();
        let mail = Message::builder()
            .from("desk@example.test".parse().expect("an address"))
            .to("ben@example.test".parse().expect("an address"))
            .subject("Wasserrohrbruch für Ben")
            .body("line one\r\n.line two é\r\n".to_owned())
            .expect("a mail");
        client.send(mail).await.expect("the mail is taken");
        let got = inbox.recv().await.expect("a mail");
        let mail = crate::sandbox::mail::read(&got.raw);
        assert_eq!(got.to, ["ben@example.test"]);
        assert_eq!(mail.subject, "Wasserrohrbruch für Ben");
        assert_eq!(mail.body.trim_end(), "line one\n.line two é");
        drop(inbox);
        server.await.expect("the server ends with its reader");
    }
}
