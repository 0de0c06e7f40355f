//! An answer to a mail, as a mail program writes one: to where the mail asks for it, with what is answered quoted below, handed in
//! at the demo's own door for mail by SMTP.
//!
//! Decides nothing: which mail, and whether it can be answered, says [`Board`](super::board::Board).

use std::net::SocketAddr;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::client::Tls;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::base::rng::Rng;
use crate::sandbox::exchange::OrderError;

const PATIENCE: Duration = Duration::from_secs(10);
/// Lines of the mail that is answered, quoted.
const QUOTED: usize = 40;

/// What is written, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub from: String,
    pub name: String,
    pub to: String,
    pub subject: String,
    /// The mail's own identifier, with its brackets; empty: it has none.
    pub answers: String,
    /// Who wrote it, and what.
    pub asked_by: String,
    pub asked: String,
    pub body: String,
}

impl Answer {
    fn message(&self) -> Option<Message> {
        let quoted = self.asked.trim_end().lines().take(QUOTED).map(|line| format!("> {line}\r\n"));
        let quoted: String = quoted.collect();
        let below = if quoted.is_empty() { String::new() } else { format!("\r\n{} wrote:\r\n{quoted}", self.asked_by) };
        let body = format!("{}\r\n{below}", self.body.trim());
        let own = format!("<{}@sandbox.invalid>", Rng::from_system().token(20));
        let name = Some(self.name.clone()).filter(|name| !name.is_empty());
        let mut builder = Message::builder()
            .from(Mailbox::new(name, self.from.parse().ok()?))
            .to(self.to.parse().ok()?)
            .subject(&self.subject)
            .message_id(Some(own));
        if !self.answers.is_empty() {
            builder = builder.in_reply_to(self.answers.clone()).references(self.answers.clone());
        }
        builder.body(body).ok()
    }

    /// Hands it in at `door`.
    ///
    /// # Errors
    /// It cannot be written, or was not taken there.
    pub async fn send(&self, door: SocketAddr) -> Result<(), OrderError> {
        let message = self.message().ok_or(OrderError::BadInput)?;
        let client = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(door.ip().to_string())
            .port(door.port())
            .tls(Tls::None)
            .timeout(Some(PATIENCE))
            .build();
        client.send(message).await.map(drop).map_err(|_| OrderError::NotSent)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;
    use crate::proto::mail::{Letter, read};
    use crate::sandbox::smtp;

    #[tokio::test]
    async fn an_answer_reaches_the_door_and_says_its_own_words_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let door = listener.local_addr().expect("a bound socket");
        let (mails, mut inbox) = mpsc::channel(4);
        let server = tokio::spawn(smtp::serve(listener, mails));
        let answer = Answer {
            from: "ben@example.test".into(),
            name: "Ben Ortiz".into(),
            to: "reply+d-1.hash@mail.example.test".into(),
            subject: "Re: Burst pipe".into(),
            answers: "<d-1@desk.example.test>".into(),
            asked_by: "Imaginary Plumbing".into(),
            asked: "Burst pipe.\n\nReply to this email with OK to confirm.\n".into(),
            body: "ok\n".into(),
        };
        answer.send(door).await.expect("it is taken");
        let got = inbox.recv().await.expect("a mail");
        assert_eq!((got.from.as_str(), got.to.as_slice()), ("ben@example.test", [answer.to.clone()].as_slice()));
        let Letter::Reply(reply) = read(&got.raw, &got.from).letter else { panic!("a person's reply") };
        assert_eq!((reply.words.trim(), reply.subject.as_str()), ("ok", "Re: Burst pipe"));
        let raw = String::from_utf8(got.raw).expect("a text");
        assert!(raw.contains("In-Reply-To: <d-1@desk.example.test>"), "{raw}");
        drop(inbox);
        server.await.expect("the server ends with its reader");
        assert_eq!(answer.send(door).await, Err(OrderError::NotSent), "nobody is there any more");
    }
}
