//! A mail relay, over a conversation for each mail (RFC 5321): what has been said when one breaks off.
//!
//! Decides nothing about tries. What always holds: until the relay has asked for the mail itself (354) nothing has been given to it,
//! whatever breaks; from there on it may have taken the mail, and its answer alone tells. Driven by [`email`](super::email).

use std::fmt;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::timeout;

/// How long it may take until there is a line to it.
const CONNECT: Duration = Duration::from_secs(15);
/// How long all may take that is said before the mail itself, the line to it and its greeting included: relays pause for half a minute
/// before they greet, as what sends unwanted mail does not wait. RFC 5321 §4.5.3.2 asks for five minutes; whatever is urgent has to be
/// tried again, and alarmed about, before that, and the mail itself has to be taken within the minute that is its attempt's.
const BEFORE: Duration = Duration::from_secs(40);
/// How long the relay may take over the leave.
const LEAVE: Duration = Duration::from_secs(2);

/// How the conversation is encrypted.
pub(super) enum Encrypted {
    /// From the first octet.
    Wrapped(TlsParameters),
    /// Asked for in the conversation, and not gone on without (RFC 3207).
    Asked(TlsParameters),
    Off,
}

pub(super) struct Relay {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) encrypted: Encrypted,
    pub(super) login: Option<Credentials>,
}

/// Why a mail was not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// Nothing of it was given. None: the relay did not answer in time.
    Before(Option<Error>),
    /// It was being given.
    Within(Error),
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[relay]")
    }
}

impl Relay {
    /// Ends when the relay has taken the mail, or has not.
    ///
    /// # Errors
    /// Its refusal, or where the conversation broke off.
    pub(super) async fn send(&self, envelope: &Envelope, octets: &[u8]) -> Result<(), Refused> {
        self.send_within(BEFORE, envelope, octets).await
    }

    async fn send_within(&self, before: Duration, envelope: &Envelope, octets: &[u8]) -> Result<(), Refused> {
        let asked = timeout(before, self.greet_and_ask(envelope, octets.is_ascii())).await;
        let (mut connection, asked) =
            asked.map_err(|_| Refused::Before(None))?.map_err(|error| Refused::Before(Some(error)))?;
        let taken = match asked {
            Ok(()) => connection.message(octets).await.map(|_| ()).map_err(Refused::Within),
            Err(error) => Err(Refused::Before(Some(error))),
        };
        // Its answer counts, however it takes the leave (RFC 5321 §4.1.1.10).
        let _ = timeout(LEAVE, connection.abort()).await;
        taken
    }

    /// All that comes before the mail itself: the conversation, and whether the relay asks for the mail in it.
    async fn greet_and_ask(
        &self,
        envelope: &Envelope,
        is_ascii: bool,
    ) -> Result<(AsyncSmtpConnection, Result<(), Error>), Error> {
        let hello = ClientId::default();
        let wrapped = match &self.encrypted {
            Encrypted::Wrapped(tls) => Some(tls.clone()),
            Encrypted::Asked(_) | Encrypted::Off => None,
        };
        let to = (self.host.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(to, Some(CONNECT), &hello, wrapped, None).await?;
        if let Encrypted::Asked(tls) = &self.encrypted {
            connection.starttls(tls.clone(), &hello).await?;
        }
        let asked = self.ask(&mut connection, envelope, is_ascii).await;
        Ok((connection, asked))
    }

    async fn ask(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        is_ascii: bool,
    ) -> Result<(), Error> {
        if let Some(login) = &self.login {
            connection.auth(DEFAULT_MECHANISMS, login).await?;
        }
        let mut options = Vec::new();
        // RFC 6531 §3.4 and RFC 6152 §2: said where it is needed; a relay that cannot do it refuses.
        let addresses = envelope.from().into_iter().chain(envelope.to());
        if addresses.map(AsRef::<str>::as_ref).any(|address| !address.is_ascii()) {
            options.push(MailParameter::SmtpUtfEight);
        }
        if !is_ascii && connection.server_info().supports_feature(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        connection.command(Mail::new(envelope.from().cloned(), options)).await?;
        for to in envelope.to() {
            connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
        }
        connection.command(Data).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    /// A relay that takes one mail, or says nothing at all.
    async fn relay(greets: bool) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its own").port();
        tokio::spawn(async move {
            let (mut line, _) = listener.accept().await.expect("a caller");
            let (heard, mut says) = line.split();
            let mut lines = BufReader::new(heard).lines();
            if !greets {
                return std::future::pending().await;
            }
            let mut within = false;
            let mut answer = Some("220 relay.example.com\r\n");
            loop {
                // Whoever has gone is told nothing.
                if let Some(answer) = answer
                    && says.write_all(answer.as_bytes()).await.is_err()
                {
                    return;
                }
                let Ok(Some(said)) = lines.next_line().await else { return };
                answer = match (within, said.as_str()) {
                    (true, ".") => {
                        within = false;
                        Some("250 taken\r\n")
                    }
                    (true, _) => None,
                    (false, "DATA") => {
                        within = true;
                        Some("354 go on\r\n")
                    }
                    (false, "QUIT") => Some("221 bye\r\n"),
                    (false, _) => Some("250 yes\r\n"),
                };
            }
        });
        Relay { host: "127.0.0.1".to_owned(), port, encrypted: Encrypted::Off, login: None }
    }

    async fn given(greets: bool, before: Duration) -> Result<(), Refused> {
        let address = |text: &str| text.parse::<lettre::Address>().expect("an address");
        let envelope = Envelope::new(Some(address("desk@example.com")), vec![address("ben@example.com")]);
        let mail = b"Subject: a leak\r\n\r\nIn the cellar.\r\n";
        relay(greets).await.send_within(before, &envelope.expect("sender and recipient"), mail).await
    }

    #[tokio::test]
    async fn a_relay_that_does_not_greet_in_time_was_given_nothing_and_one_that_does_takes_the_mail() {
        let refused = given(false, Duration::from_millis(50)).await;
        assert!(matches!(refused, Err(Refused::Before(None))), "{refused:?}");
        given(true, BEFORE).await.expect("taken");
    }

    #[test]
    fn a_pause_of_half_a_minute_is_waited_for_and_leaves_time_for_the_mail() {
        assert!(BEFORE > Duration::from_secs(30) && CONNECT < BEFORE);
    }
}
