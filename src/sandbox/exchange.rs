//! The door to the sandbox's exchange: orders go in, the whole state as JSON comes out.
//!
//! Decides nothing. [`Exchange`] is a cheap handle for pages, mail server and text provider; the loop behind
//! it is [`crate::sandbox::switch`].

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::base::clock::UtcMs;
use crate::base::phone::PhoneNumber;
use crate::sandbox::answer::Answer;
use crate::sandbox::phone::Mode;

/// Orders that can wait for the loop.
pub const DEPTH: usize = 64;

/// What the owner of a phone does with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Answer,
    Decline,
    HangUp,
    Key(char),
    Dial(String),
    SetMode(Mode),
    /// Hold the page's handset to this phone.
    Listen,
}

/// Why an order was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderError {
    NoSuchPhone,
    /// It makes no sense in the phone's present state.
    NotNow,
    BadInput,
    NoSuchMail,
    /// The demo's door for mail did not take it.
    NotSent,
    /// No handset can be had: too many are open, the browser's answer was of no use, or it is gone.
    NoHandset,
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchPhone => "There is no such phone in the sandbox.",
            Self::NotNow => "The phone cannot do that now.",
            Self::BadInput => "That cannot be dialled, pressed or sent.",
            Self::NoSuchMail => "There is no such mail in the sandbox, or it asks for no answer.",
            Self::NotSent => "The demo did not take the answer.",
            Self::NoHandset => "No handset could be connected.",
        })
    }
}

impl std::error::Error for OrderError {}

/// What became of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextOutcome {
    Delivered,
    SwitchedOff,
    NoSuchPhone,
}

type Done<T> = oneshot::Sender<Result<T, OrderError>>;

/// What the loop is asked to do.
#[derive(Debug)]
pub enum Order {
    Phone {
        number: PhoneNumber,
        action: Action,
        handset: Option<u64>,
        done: Done<()>,
    },
    Text {
        from: PhoneNumber,
        to: PhoneNumber,
        body: String,
        done: oneshot::Sender<TextOutcome>,
    },
    Reply {
        number: PhoneNumber,
        to: Option<PhoneNumber>,
        body: String,
        done: Done<(PhoneNumber, UtcMs)>,
    },
    ReplyFailed {
        number: PhoneNumber,
        at: UtcMs,
    },
    OpenHandset {
        done: Done<(u64, String)>,
    },
    AnswerHandset {
        id: u64,
        sdp: String,
        done: Done<()>,
    },
    CloseHandset {
        id: u64,
        done: Done<()>,
    },
    /// What an answer to this mail of a mailbox is, and where it is handed in.
    Answer {
        address: String,
        id: u64,
        body: String,
        done: Done<(Answer, SocketAddr)>,
    },
    /// It was.
    Answered {
        address: String,
        id: u64,
        body: String,
    },
    /// From now on the demo takes calls there.
    Aim(SocketAddr),
    /// And mail there.
    AimMail(SocketAddr),
}

/// The handle.
#[derive(Clone, Debug)]
pub struct Exchange {
    orders: mpsc::Sender<Order>,
    view: watch::Receiver<Arc<str>>,
    caller: PhoneNumber,
}

impl Exchange {
    pub const fn new(orders: mpsc::Sender<Order>, view: watch::Receiver<Arc<str>>, caller: PhoneNumber) -> Self {
        Self { orders, view, caller }
    }

    /// The whole state as JSON, now and whenever it changes.
    pub fn view(&self) -> watch::Receiver<Arc<str>> {
        self.view.clone()
    }

    /// The number of the caller's phone.
    pub const fn caller(&self) -> &PhoneNumber {
        &self.caller
    }

    async fn ask<T>(&self, order: impl FnOnce(Done<T>) -> Order) -> Result<T, OrderError> {
        let (done, answer) = oneshot::channel();
        self.orders.send(order(done)).await.map_err(|_| OrderError::NotNow)?;
        answer.await.unwrap_or(Err(OrderError::NotNow))
    }

    pub async fn phone(&self, number: PhoneNumber, action: Action, handset: Option<u64>) -> Result<(), OrderError> {
        self.ask(|done| Order::Phone { number, action, handset, done }).await
    }

    /// Puts a text on a phone.
    pub async fn text(&self, from: PhoneNumber, to: PhoneNumber, body: String) -> TextOutcome {
        let (done, answer) = oneshot::channel();
        if self.orders.send(Order::Text { from, to, body, done }).await.is_err() {
            return TextOutcome::NoSuchPhone;
        }
        answer.await.unwrap_or(TextOutcome::NoSuchPhone)
    }

    /// Puts a reply on the phone it is typed on; says to whom it goes.
    pub async fn reply(
        &self,
        number: PhoneNumber,
        to: Option<PhoneNumber>,
        body: String,
    ) -> Result<(PhoneNumber, UtcMs), OrderError> {
        self.ask(|done| Order::Reply { number, to, body, done }).await
    }

    /// A reply could not be handed on.
    pub async fn reply_failed(&self, number: PhoneNumber, at: UtcMs) {
        // With the loop gone there is no page to show it on.
        let _ = self.orders.send(Order::ReplyFailed { number, at }).await;
    }

    /// A handset for a page: its name and the offer for the browser.
    pub async fn open_handset(&self) -> Result<(u64, String), OrderError> {
        self.ask(|done| Order::OpenHandset { done }).await
    }

    pub async fn answer_handset(&self, id: u64, sdp: String) -> Result<(), OrderError> {
        self.ask(|done| Order::AnswerHandset { id, sdp, done }).await
    }

    /// From now on the demo takes calls at `trunk`.
    pub async fn aim(&self, trunk: SocketAddr) {
        // With the loop gone there is nobody to dial.
        let _ = self.orders.send(Order::Aim(trunk)).await;
    }

    /// From now on the demo takes mail at `door`.
    pub async fn aim_mail(&self, door: SocketAddr) {
        // With the loop gone there is nobody to write.
        let _ = self.orders.send(Order::AimMail(door)).await;
    }

    /// Answers a mail of a mailbox. It is on the page once the demo has taken it.
    pub async fn answer_mail(&self, address: String, id: u64, body: String) -> Result<(), OrderError> {
        let asked = (address.clone(), body.clone());
        let (answer, door) = self.ask(|done| Order::Answer { address, id, body, done }).await?;
        answer.send(door).await?;
        let (address, body) = asked;
        // With the loop gone there is no page to show it on.
        let _ = self.orders.send(Order::Answered { address, id, body }).await;
        Ok(())
    }

    pub async fn close_handset(&self, id: u64) -> Result<(), OrderError> {
        self.ask(|done| Order::CloseHandset { id, done }).await
    }
}
