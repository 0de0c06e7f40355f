//! The sandbox's mail server: takes mail for anybody (RFC 5321, receiving side only) and hands it in.
//!
//! [`Session`] is the conversation, without a socket; [`serve`] gives it one. Relays nothing, keeps
//! nothing. Always bounded: connections, line length, recipients, size, time.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

/// The largest mail taken.
pub const MAX_MAIL: usize = 8 * 1024 * 1024;
const MAX_LINE: usize = 4_096;
const MAX_RECIPIENTS: usize = 50;
const MAX_CONNECTIONS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(60);

/// A mail as it was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body, dots unstuffed, lines ended by CR LF.
    pub raw: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing but a greeting passed.
    Fresh,
    Ready,
    From(String),
    To(String, Vec<String>),
    Data(Received),
    /// The mail is too large: read to its end, then refused.
    Discarding,
}

/// What the server says to a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing: in the middle of a mail.
    Silent,
    Line(String),
    /// Take the mail in, then say so.
    Mail(Received),
    /// Say so and close.
    Close(String),
}

/// One conversation.
#[derive(Debug)]
pub struct Session {
    stage: Stage,
}

impl Default for Session {
    fn default() -> Self {
        Self { stage: Stage::Fresh }
    }
}

/// Said once a mail is taken.
pub const TAKEN: &str = "250 2.0.0 Taken\r\n";
/// Said first.
pub const GREETING: &str = "220 sandbox.invalid ESMTP\r\n";

fn line(text: &str) -> Reply {
    Reply::Line(format!("{text}\r\n"))
}

impl Session {
    /// A line from the client, without its CR LF.
    pub fn handle(&mut self, text: &[u8]) -> Reply {
        if matches!(self.stage, Stage::Data(_) | Stage::Discarding) {
            return self.handle_data(text);
        }
        let Ok(text) = std::str::from_utf8(text) else { return line("500 5.5.2 Not understood") };
        let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
        match (verb.to_ascii_uppercase().as_str(), &mut self.stage) {
            ("EHLO", _) => {
                self.stage = Stage::Ready;
                Reply::Line(format!("250-sandbox.invalid\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE {MAX_MAIL}\r\n"))
            }
            ("HELO", _) => {
                self.stage = Stage::Ready;
                line("250 sandbox.invalid")
            }
            ("NOOP", _) => line("250 2.0.0 OK"),
            ("QUIT", _) => Reply::Close("221 2.0.0 Bye\r\n".to_owned()),
            ("RSET", stage) => {
                if *stage != Stage::Fresh {
                    *stage = Stage::Ready;
                }
                line("250 2.0.0 OK")
            }
            ("VRFY", _) => line("252 2.1.5 Send it and see"),
            ("MAIL", Stage::Ready) => self.mail_from(rest),
            ("RCPT", Stage::From(from)) => {
                let Some((to, _)) = path(rest, "TO:") else { return line("501 5.1.3 RCPT TO:<address>") };
                self.stage = Stage::To(std::mem::take(from), vec![to]);
                line("250 2.1.5 OK")
            }
            ("RCPT", Stage::To(_, list)) => {
                let Some((to, _)) = path(rest, "TO:") else { return line("501 5.1.3 RCPT TO:<address>") };
                if list.len() >= MAX_RECIPIENTS {
                    return line("452 4.5.3 Too many recipients");
                }
                list.push(to);
                line("250 2.1.5 OK")
            }
            ("DATA", Stage::To(from, to)) => {
                let (from, to) = (std::mem::take(from), std::mem::take(to));
                self.stage = Stage::Data(Received { from, to, raw: Vec::new() });
                line("354 End with a single dot")
            }
            ("MAIL" | "RCPT" | "DATA", _) => line("503 5.5.1 Not now"),
            _ => line("500 5.5.1 Not known here"),
        }
    }

    fn mail_from(&mut self, rest: &str) -> Reply {
        let Some((from, parameters)) = path(rest, "FROM:") else { return line("501 5.1.7 MAIL FROM:<address>") };
        // RFC 1870 §6.1: a declared size over ours is refused before the mail is sent.
        let size = parameters.split_ascii_whitespace().find_map(|p| {
            let (name, value) = p.split_once('=')?;
            name.eq_ignore_ascii_case("SIZE").then(|| value.parse::<usize>().unwrap_or(usize::MAX))
        });
        if size.is_some_and(|size| size > MAX_MAIL) {
            return line("552 5.3.4 Too large");
        }
        self.stage = Stage::From(from);
        line("250 2.1.0 OK")
    }

    fn handle_data(&mut self, text: &[u8]) -> Reply {
        if text == b"." {
            return match std::mem::replace(&mut self.stage, Stage::Ready) {
                Stage::Data(mail) => Reply::Mail(mail),
                _ => line("552 5.3.4 Too large"),
            };
        }
        if let Stage::Data(mail) = &mut self.stage {
            // RFC 5321 §4.5.2: a leading dot was doubled on the way.
            let text = text.strip_prefix(b".").unwrap_or(text);
            if mail.raw.len() + text.len() + 2 > MAX_MAIL {
                self.stage = Stage::Discarding;
            } else {
                mail.raw.extend_from_slice(text);
                mail.raw.extend_from_slice(b"\r\n");
            }
        }
        Reply::Silent
    }
}

/// `FROM:<a@b> SIZE=1` → (`a@b`, ` SIZE=1`).
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(String, &'a str)> {
    let rest = rest.trim_start();
    let (head, tail) = rest.split_at_checked(keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let (address, parameters) = tail.trim_start().strip_prefix('<')?.split_once('>')?;
    let sound = address.len() <= 320 && !address.chars().any(|c| c.is_control() || c == '<');
    // The empty path is a bounce's sender; a recipient needs an address.
    let fits = address.contains('@') || (address.is_empty() && keyword == "FROM:");
    (sound && fits).then(|| (address.to_owned(), parameters))
}

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

async fn converse(stream: TcpStream, mails: mpsc::Sender<Received>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut session = Session::default();
    let mut text = Vec::new();
    write.write_all(GREETING.as_bytes()).await?;
    loop {
        text.clear();
        let limit = MAX_LINE as u64;
        let Ok(got) = tokio::time::timeout(PATIENCE, (&mut read).take(limit).read_until(b'\n', &mut text)).await else {
            return write.write_all(b"421 4.4.2 Too slow\r\n").await;
        };
        if got? == 0 {
            return Ok(());
        }
        if text.last() != Some(&b'\n') {
            return write.write_all(b"500 5.5.2 Line too long\r\n").await;
        }
        text.pop();
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        match session.handle(&text) {
            Reply::Silent => {}
            Reply::Line(answer) => write.write_all(answer.as_bytes()).await?,
            Reply::Mail(mail) => {
                if mails.send(mail).await.is_err() {
                    return write.write_all(b"421 4.3.2 Closing\r\n").await;
                }
                write.write_all(TAKEN.as_bytes()).await?;
            }
            Reply::Close(answer) => return write.write_all(answer.as_bytes()).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(session: &mut Session, text: &str) -> String {
        match session.handle(text.as_bytes()) {
            Reply::Line(answer) | Reply::Close(answer) => answer[..3].to_owned(),
            Reply::Silent => String::new(),
            Reply::Mail(_) => "mail".to_owned(),
        }
    }

    #[test]
    fn a_mail_to_two_is_taken_with_its_dots_unstuffed() {
        let mut session = Session::default();
        for (text, code) in [
            ("EHLO me", "250"),
            ("mail from:<desk@example.test> SIZE=100 BODY=8BITMIME", "250"),
            ("RCPT TO:<a@example.test>", "250"),
            ("RCPT TO: <b@example.test>", "250"),
            ("DATA", "354"),
            ("Subject: x", ""),
            ("", ""),
            ("..dot", ""),
            ("QUIT", ""),
        ] {
            assert_eq!(say(&mut session, text), code, "{text}");
        }
        let Reply::Mail(mail) = session.handle(b".") else { panic!("a mail") };
        assert_eq!(mail.from, "desk@example.test");
        assert_eq!(mail.to, ["a@example.test", "b@example.test"]);
        assert_eq!(mail.raw, b"Subject: x\r\n\r\n.dot\r\nQUIT\r\n");
        assert_eq!(say(&mut session, "MAIL FROM:<>"), "250", "a bounce has no sender");
        assert_eq!(say(&mut session, "QUIT"), "221");
    }

    #[test]
    fn steps_out_of_order_and_nonsense_are_refused_and_rset_starts_over() {
        let mut session = Session::default();
        for (text, code) in [
            ("MAIL FROM:<a@b.test>", "503"),
            ("HELO me", "250"),
            ("RCPT TO:<a@b.test>", "503"),
            ("DATA", "503"),
            ("MAIL a@b.test", "501"),
            ("MAIL FROM:<a@b.test>", "250"),
            ("RCPT TO:<>", "501"),
            ("RCPT TO:<nobody>", "501"),
            ("RSET", "250"),
            ("RCPT TO:<a@b.test>", "503"),
            ("TURN", "500"),
            ("NOOP", "250"),
        ] {
            assert_eq!(say(&mut session, text), code, "{text}");
        }
        assert_eq!(session.handle(&[0xff, 0xfe]), line("500 5.5.2 Not understood"));
    }

    #[test]
    fn a_mail_over_the_limit_is_refused_when_declared_and_when_sent() {
        let mut session = Session::default();
        say(&mut session, "EHLO me");
        assert_eq!(say(&mut session, "MAIL FROM:<a@b.test> SIZE=9000000"), "552");
        say(&mut session, "MAIL FROM:<a@b.test>");
        say(&mut session, "RCPT TO:<a@b.test>");
        say(&mut session, "DATA");
        let long = "x".repeat(1_000);
        for _ in 0..=MAX_MAIL / 1_000 {
            assert_eq!(say(&mut session, &long), "");
        }
        assert_eq!(say(&mut session, "."), "552");
        assert_eq!(say(&mut session, "MAIL FROM:<a@b.test>"), "250", "the session goes on");
    }

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
