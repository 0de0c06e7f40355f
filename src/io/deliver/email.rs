//! Email over SMTP. Accepted means that the relay has taken the message after its last line.
//!
//! A second try of one attempt has the same Message-ID, so that mailboxes show it once. Each mail has addresses of its own for what
//! comes back ([`mail_in`](crate::io::mail_in)), if there is a door for it, and says that a machine sent it (RFC 3834), so that none answers.
//! What is signed (DKIM) is what leaves, octet for octet.

use std::error::Error as _;
use std::path::PathBuf;

use lettre::address::Envelope;
use lettre::message::dkim::{
    DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm, DkimSigningKey,
};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart, header};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use lettre::{Address, Message};
use secrecy::{ExposeSecret as _, SecretString};

use super::relay::{Encrypted, Refused, Relay};
use super::{Answer, Attached, Delivery, Heard, Hearing, Mail, Mailer, said};
use crate::base::pii::Pii;
use crate::config::dkim::{Dkim, DkimKey};
use crate::domain::dispatch::event::Failure;
use crate::io::mail_in::addresses::{Addresses, Purpose};

/// What a signature covers: whatever tells the reader who wrote, what about, and where a reply goes. One that a mail does not
/// have is covered too: nobody adds it on the way (RFC 6376 §5.4.2). Content-Type cannot be named: the library has it with the
/// body, signs only what is the mail's own, and a receiver that finds it would see another signature.
const SIGNED: &[&str] =
    &["From", "To", "Subject", "Date", "Message-ID", "Reply-To", "In-Reply-To", "MIME-Version", "Auto-Submitted"];

/// How mail leaves.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    pub login: Option<(String, SecretString)>,
    /// `dispatch@example.com`, with a name before it or not: `Desk <dispatch@example.com>`.
    pub from: String,
    /// Where replies go, if not to the sender.
    pub reply_to: Option<String>,
    /// Each signs every mail.
    pub dkim: Vec<Dkim>,
    /// Where bounces and replies come back to; none: to the sender and to `reply_to`.
    pub addresses: Option<Addresses>,
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
    relay: Relay,
    from: Address,
    reply_to: Option<Mailbox>,
    dkim: Vec<DkimConfig>,
    addresses: Option<Addresses>,
}

impl SmtpMailer {
    /// # Errors
    /// A sentence that says which setting cannot be used.
    pub fn new(config: &SmtpConfig) -> Result<Self, String> {
        let from: Mailbox = config.from.parse().map_err(|_| "the sender is not an email address".to_owned())?;
        let reply_to = config.reply_to.as_deref().map(str::parse::<Mailbox>).transpose();
        let reply_to = reply_to.map_err(|_| "the address for replies is not an email address".to_owned())?;
        let tls = || {
            let mut tls = TlsParameters::builder(config.host.clone());
            if let Some(path) = &config.ca_file {
                let pem = std::fs::read(path).map_err(|error| format!("`ca_file` cannot be read ({error})"))?;
                let trusted = Certificate::from_pem(&pem).map_err(|_| "`ca_file` holds no certificate".to_owned())?;
                tls = tls.certificate_store(CertificateStore::None).add_root_certificate(trusted);
            }
            tls.build().map_err(|_| "the relay's name cannot be used for TLS".to_owned())
        };
        let encrypted = match config.security {
            Security::Implicit => Encrypted::Wrapped(tls()?),
            Security::StartTls => Encrypted::Asked(tls()?),
            Security::Off => Encrypted::Off,
        };
        let login = config.login.as_ref();
        let login = login.map(|(user, password)| Credentials::new(user.clone(), password.expose_secret().to_owned()));
        let relay = Relay { host: config.host.clone(), port: config.port, encrypted, login };
        let dkim = config.dkim.iter().map(signer).collect::<Result<_, _>>()?;
        let addresses = config.addresses.clone();
        Ok(Self { relay, from: from.email, reply_to, dkim, addresses })
    }

    async fn deliver(&self, mail: &Mail) -> Heard {
        let Ok(to) = mail.to.parse::<Address>() else {
            return Delivery::failed(Failure::Permanent, "bad_address").into();
        };
        let named = |attempt| format!("<{attempt}@{}>", self.from.domain());
        let id = named(&mail.attempt);
        let own = |purpose| {
            let address = self.addresses.as_ref().and_then(|ours| ours.of(purpose, &mail.attempt));
            address.and_then(|address| address.parse::<Address>().ok())
        };
        let sender = own(Purpose::Bounce).unwrap_or_else(|| self.from.clone());
        let Ok(envelope) = Envelope::new(Some(sender), vec![to.clone()]) else {
            return Delivery::failed(Failure::Permanent, "bad_address").into();
        };
        // A line's end in it would be a header's, and is nothing that the library writes.
        let from_name = mail.from_name.replace(char::is_control, " ");
        let mut builder = Message::builder()
            .from(Mailbox::new(Some(from_name.clone()), self.from.clone()))
            .to(Mailbox::new(None, to))
            .subject(&mail.subject)
            .message_id(Some(id.clone()))
            .raw_header(by_machine(mail.answers.is_some()))
            .envelope(envelope.clone());
        let reply_to = own(Purpose::Reply).map(|address| Mailbox::new(Some(from_name), address));
        if let Some(reply_to) = reply_to.or_else(|| self.reply_to.clone()) {
            builder = builder.reply_to(reply_to);
        }
        if let Some(answers) = &mail.answers {
            builder = builder.in_reply_to(named(answers)).references(named(answers));
        }
        let text = SinglePart::plain(mail.body.clone());
        let message = match (mail.attached.as_slice(), &mail.html) {
            ([], None) => builder.singlepart(text),
            ([], Some(html)) => {
                builder.multipart(MultiPart::alternative().singlepart(text).singlepart(SinglePart::html(html.clone())))
            }
            (files, html) => {
                let words = match html {
                    None => MultiPart::mixed().singlepart(text),
                    Some(html) => MultiPart::mixed().multipart(
                        MultiPart::alternative().singlepart(text).singlepart(SinglePart::html(html.clone())),
                    ),
                };
                let file = |file: &Attached| {
                    let kind = header::ContentType::parse(file.kind).expect("what is attached names a media type");
                    Attachment::new(file.name.clone()).body(file.octets.clone(), kind)
                };
                builder.multipart(files.iter().map(file).fold(words, MultiPart::singlepart))
            }
        };
        let Ok(message) = message else {
            return Delivery::failed(Failure::Permanent, "cannot_be_written").into();
        };
        match self.relay.send(&envelope, &self.signed(message)).await {
            Ok(()) => Delivery::Accepted { provider_id: Some(id) }.into(),
            Err(refused) => Heard::new(judge(&refused), said_by(&refused)),
        }
    }
}

impl SmtpMailer {
    /// As it leaves, with every signature.
    fn signed(&self, mut message: Message) -> Vec<u8> {
        let Some((last, others)) = self.dkim.split_last() else { return message.formatted() };
        let mut octets = Vec::new();
        for key in others {
            // A mail of the library's has one header of a name: the others are put before it.
            let mut copy = message.clone();
            copy.sign(key);
            octets.extend(signature_of(&copy.formatted()));
        }
        message.sign(last);
        octets.extend(message.formatted());
        octets
    }
}

/// The lines of a mail's signature, with their ends.
fn signature_of(mail: &[u8]) -> Vec<u8> {
    let mut lines = mail.split_inclusive(|octet| *octet == b'\n');
    let mut signature = Vec::new();
    let is_it = |line: &[u8]| line.get(..15).is_some_and(|name| name.eq_ignore_ascii_case(b"DKIM-Signature:"));
    signature.extend(lines.by_ref().find(|line| is_it(line)).unwrap_or_default());
    for line in lines.take_while(|line| matches!(line.first(), Some(b' ' | b'\t'))) {
        signature.extend(line);
    }
    signature
}

fn signer(dkim: &Dkim) -> Result<DkimConfig, String> {
    let (key, algorithm) = match &dkim.key {
        DkimKey::Rsa(key) => (key, DkimSigningAlgorithm::Rsa),
        DkimKey::Ed25519(key) => (key, DkimSigningAlgorithm::Ed25519),
    };
    let key = DkimSigningKey::new(key.expose_secret(), algorithm);
    let key = key.map_err(|_| format!("the key of {} cannot be signed with", dkim.record().0))?;
    let relaxed = DkimCanonicalizationType::Relaxed;
    // Relays fold lines and trim blanks; that breaks no signature.
    let canonical = DkimCanonicalization { header: relaxed, body: relaxed };
    let headers = SIGNED.iter().map(|name| HeaderName::new_from_ascii_str(name)).collect();
    Ok(DkimConfig::new(dkim.selector.clone(), dkim.domain.clone(), key, headers, canonical))
}

/// RFC 3834 §5: nobody is at the other end, so absence notices are not for us.
fn by_machine(answers: bool) -> HeaderValue {
    let word = if answers { "auto-replied" } else { "auto-generated" };
    HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), word.to_owned())
}

/// What is refused about the login or the sender is our fault, not the address's: others can fix it.
fn is_about_us(code: &str) -> bool {
    matches!(code, "530" | "534" | "535" | "538")
}

/// The relay's answer, with its code. Not to a login: it may quote what was said.
fn said_by(refused: &Refused) -> Option<Pii<String>> {
    let (Refused::Before(Some(error)) | Refused::Within(error)) = refused else { return None };
    let code = error.status()?.to_string();
    let words = error.source()?.to_string();
    if is_about_us(&code) { None } else { said::fit(&format!("{code} {words}"), None) }
}

/// RFC 5321 §4.2.1: 4yz may be tried again, 5yz not. A mail that was being given may have been taken; one that was not, was not.
fn judge(refused: &Refused) -> Delivery {
    match refused {
        Refused::Before(None) => Delivery::failed(Failure::Temporary, "no_connection"),
        Refused::Before(Some(error)) => {
            answered(error).unwrap_or_else(|| Delivery::failed(Failure::Temporary, "no_connection"))
        }
        Refused::Within(error) => answered(error).unwrap_or_else(|| Delivery::failed(Failure::Unknown, "broken_off")),
    }
}

/// By the relay's answer, if it gave one.
fn answered(error: &SmtpError) -> Option<Delivery> {
    let code = error.status().map(|code| format!("smtp_{code}"));
    if error.is_permanent() {
        let ours = error.status().is_some_and(|code| is_about_us(&code.to_string()));
        let failure = if ours { Failure::Temporary } else { Failure::Permanent };
        return Some(Delivery::failed(failure, code.unwrap_or_default()));
    }
    error.is_transient().then(|| Delivery::failed(Failure::Temporary, code.unwrap_or_default()))
}

impl Mailer for SmtpMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> Answer<'a> {
        Box::pin(async move { self.deliver(mail).await.delivery })
    }

    fn send_and_hear<'a>(&'a self, mail: &'a Mail) -> Hearing<'a> {
        Box::pin(self.deliver(mail))
    }
}
