//! The edges by which a message leaves the house. Each takes one delivery and says what became of it:
//! outside failure is data ([`Delivery`]), never an error.
//!
//! The dispatcher has committed the attempt before an edge is called, and its identifier goes along, so that
//! a second try is recognisable. No address and no text is ever logged.

pub mod email;
mod http;
pub mod outside;
pub mod pager;
pub mod push;
mod relay;
pub mod said;
pub mod sms;
pub mod webhook;

use std::future::Future;
use std::pin::Pin;

use crate::base::clock::UtcMs;
use crate::base::id::AttemptId;
use crate::base::phone::PhoneNumber;
use crate::base::pii::Pii;
use crate::domain::account::PagerAddress;
use crate::domain::dispatch::event::Failure;
use crate::domain::message::render::webhook::WebhookBody;

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The provider took it, and calls it by this name.
    Accepted { provider_id: Option<String> },
    /// It did not; `why` is a short code.
    Failed { failure: Failure, why: String },
}

impl Delivery {
    pub(crate) fn failed(failure: Failure, why: impl Into<String>) -> Self {
        Self::Failed { failure, why: why.into() }
    }
}

/// The same, and why in the words of whoever refused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub delivery: Delivery,
    pub said: Option<Pii<String>>,
}

impl Heard {
    pub fn new(delivery: Delivery, said: Option<Pii<String>>) -> Self {
        // Of what may have been taken nobody has said that it is refused.
        let refused = matches!(delivery, Delivery::Failed { failure: Failure::Permanent | Failure::Temporary, .. });
        Self { delivery, said: said.filter(|_| refused) }
    }
}

impl From<Delivery> for Heard {
    fn from(delivery: Delivery) -> Self {
        Self { delivery, said: None }
    }
}

/// What an edge answers, some time.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Delivery> + Send + 'a>>;
/// The same with the words, for whoever writes them down.
pub type Hearing<'a> = Pin<Box<dyn Future<Output = Heard> + Send + 'a>>;

fn without_words(answer: Answer<'_>) -> Hearing<'_> {
    Box::pin(async move { Heard::from(answer.await) })
}

/// An email to send.
#[derive(Clone)]
pub struct Mail {
    /// Becomes the Message-ID.
    pub attempt: AttemptId,
    /// The account's name, shown as the sender's.
    pub from_name: String,
    pub to: String,
    pub subject: String,
    pub body: String,
    /// The same for those who like it formatted.
    pub html: Option<String>,
    pub attached: Vec<Attached>,
    /// It answers the email of this attempt by itself, and wants no answer from a machine.
    pub answers: Option<AttemptId>,
}

/// A file that goes along with an email.
#[derive(Clone)]
pub struct Attached {
    /// `voicemail.wav`.
    pub name: String,
    /// Its media type.
    pub kind: &'static str,
    pub octets: Vec<u8>,
}

/// A text to send.
#[derive(Clone)]
pub struct TextMessage {
    pub attempt: AttemptId,
    pub to: PhoneNumber,
    /// The account's own numbers.
    pub own: Vec<PhoneNumber>,
    /// Which of them it comes from; none: the provider's.
    pub from: Option<PhoneNumber>,
    pub body: String,
}

/// A page to send.
#[derive(Clone)]
pub struct Page {
    pub attempt: AttemptId,
    pub to: PagerAddress,
    /// On one line.
    pub body: String,
    pub urgent: bool,
    /// When it is handed over.
    pub at: UtcMs,
}

/// A message for a client's system.
#[derive(Clone)]
pub struct Post {
    pub attempt: AttemptId,
    /// What the configuration calls the system.
    pub to: String,
    pub body: WebhookBody,
    /// When it is handed over.
    pub at: UtcMs,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TextMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextMessage").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

/// Sends emails.
pub trait Mailer: Send + Sync {
    fn send<'a>(&'a self, mail: &'a Mail) -> Answer<'a>;

    fn send_and_hear<'a>(&'a self, mail: &'a Mail) -> Hearing<'a> {
        without_words(self.send(mail))
    }
}

/// Sends texts.
pub trait Texter: Send + Sync {
    fn send<'a>(&'a self, text: &'a TextMessage) -> Answer<'a>;

    fn send_and_hear<'a>(&'a self, text: &'a TextMessage) -> Hearing<'a> {
        without_words(self.send(text))
    }

    /// Which of several providers is asked first for a text of an account with these numbers of its own. None: there is but one.
    fn pick_provider(&self, _own: &[PhoneNumber]) -> Option<String> {
        None
    }
}

/// Sends pages.
pub trait Pager: Send + Sync {
    fn page<'a>(&'a self, page: &'a Page) -> Answer<'a>;

    fn page_and_hear<'a>(&'a self, page: &'a Page) -> Hearing<'a> {
        without_words(self.page(page))
    }
}

/// Posts messages to clients' systems.
pub trait Poster: Send + Sync {
    fn post<'a>(&'a self, post: &'a Post) -> Answer<'a>;

    fn post_and_hear<'a>(&'a self, post: &'a Post) -> Hearing<'a> {
        without_words(self.post(post))
    }
}

/// Stands where no provider is configured: everything fails for want of one, and operators are told.
#[derive(Clone, Copy, Debug, Default)]
pub struct NotConfigured;

impl Mailer for NotConfigured {
    fn send<'a>(&'a self, _mail: &'a Mail) -> Answer<'a> {
        Box::pin(async { Delivery::failed(Failure::Temporary, "not_configured") })
    }
}

impl Texter for NotConfigured {
    fn send<'a>(&'a self, _text: &'a TextMessage) -> Answer<'a> {
        Box::pin(async { Delivery::failed(Failure::Temporary, "not_configured") })
    }
}

impl Pager for NotConfigured {
    fn page<'a>(&'a self, _page: &'a Page) -> Answer<'a> {
        Box::pin(async { Delivery::failed(Failure::Temporary, "not_configured") })
    }
}

impl Poster for NotConfigured {
    fn post<'a>(&'a self, _post: &'a Post) -> Answer<'a> {
        Box::pin(async { Delivery::failed(Failure::Temporary, "not_configured") })
    }
}
