//! Email over SMTP. Accepted means that the relay has taken the message after its last line.
//!
//! A second try of one attempt has the same Message-ID, so that mailboxes show it once.

use std::time::Duration;

use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart, header};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Answer, Delivery, Mail, Mailer};
use crate::domain::dispatch::event::Failure;

/// How long one step of the conversation may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How mail leaves.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub login: Option<(String, SecretString)>,
    /// `dispatch@example.com`, with a name before it or not: `Desk <dispatch@example.com>`.
    pub from: String,
    /// Where replies go, if not to the sender.
    pub reply_to: Option<String>,
}

/// Whether the conversation is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// From the first byte (port 465).
    Implicit,
    /// Asked for in the conversation, and refused without (port 587).
    StartTls,
    /// Not at all: for a relay on this machine.
    Off,
}

/// Sends through one relay, over a connection for each mail.
#[derive(Debug)]
pub struct SmtpMailer {
    relay: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
    reply_to: Option<Mailbox>,
}

impl SmtpMailer {
    /// # Errors
    /// A sentence that says which setting cannot be used.
    pub fn new(config: &SmtpConfig) -> Result<Self, String> {
        let from: Mailbox = config.from.parse().map_err(|_| "the sender is not an email address".to_owned())?;
        let reply_to = config.reply_to.as_deref().map(str::parse::<Mailbox>).transpose();
        let reply_to = reply_to.map_err(|_| "the address for replies is not an email address".to_owned())?;
        let tls = || {
            TlsParameters::new(config.host.clone()).map_err(|_| "the relay's name cannot be used for TLS".to_owned())
        };
        let tls = match config.security {
            Security::Implicit => Tls::Wrapper(tls()?),
            Security::StartTls => Tls::Required(tls()?),
            Security::Off => Tls::None,
        };
        let mut relay = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let Some((user, password)) = &config.login {
            relay = relay.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        Ok(Self { relay: relay.build(), from: from.email, reply_to })
    }

    async fn deliver(&self, mail: &Mail) -> Delivery {
        let Ok(to) = mail.to.parse::<Address>() else { return Delivery::failed(Failure::Permanent, "bad_address") };
        let id = format!("<{}@{}>", mail.attempt, self.from.domain());
        let mut builder = Message::builder()
            .from(Mailbox::new(Some(mail.from_name.clone()), self.from.clone()))
            .to(Mailbox::new(None, to))
            .subject(&mail.subject)
            .message_id(Some(id.clone()));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let text = SinglePart::plain(mail.body.clone());
        let message = match (&mail.attached, &mail.html) {
            (None, None) => builder.singlepart(text),
            (None, Some(html)) => {
                builder.multipart(MultiPart::alternative().singlepart(text).singlepart(SinglePart::html(html.clone())))
            }
            (Some(sound), html) => {
                let kind = header::ContentType::parse("audio/wav").expect("audio/wav is a media type");
                let attachment = Attachment::new(sound.name.clone()).body(sound.wav.clone(), kind);
                let words = match html {
                    None => MultiPart::mixed().singlepart(text),
                    Some(html) => MultiPart::mixed().multipart(
                        MultiPart::alternative().singlepart(text).singlepart(SinglePart::html(html.clone())),
                    ),
                };
                builder.multipart(words.singlepart(attachment))
            }
        };
        let Ok(message) = message else {
            return Delivery::failed(Failure::Permanent, "cannot_be_written");
        };
        match self.relay.send(message).await {
            Ok(_) => Delivery::Accepted { provider_id: Some(id) },
            Err(error) => judge(&error),
        }
    }
}

/// RFC 5321 §4.2.1: 4yz may be tried again, 5yz not. A conversation that broke off may have been taken.
fn judge(error: &SmtpError) -> Delivery {
    let code = error.status().map(|code| format!("smtp_{code}"));
    if error.is_permanent() {
        // What is refused about the login or the sender is our fault, not the address's: others can fix it.
        let ours = matches!(code.as_deref(), Some("smtp_530" | "smtp_534" | "smtp_535" | "smtp_538"));
        let failure = if ours { Failure::Temporary } else { Failure::Permanent };
        return Delivery::failed(failure, code.unwrap_or_default());
    }
    if error.is_transient() {
        return Delivery::failed(Failure::Temporary, code.unwrap_or_default());
    }
    // Connecting says so in its own words; everything after that is uncertain.
    let connecting = error.is_tls() || error.to_string().to_ascii_lowercase().contains("connection error");
    match (connecting, error.is_timeout()) {
        (true, _) => Delivery::failed(Failure::Temporary, "no_connection"),
        (false, true) => Delivery::failed(Failure::Unknown, "timeout"),
        (false, false) => Delivery::failed(Failure::Unknown, "broken_off"),
    }
}

impl Mailer for SmtpMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> Answer<'a> {
        Box::pin(self.deliver(mail))
    }
}
