//! Secure messages: what is pushed to a person's inbox, what comes back from there, and the notice where no device takes it.
//!
//! A push and a notice say that there is a message, and nothing of it. Knows no device and no link: the dispatcher's edge
//! does. What always holds: a notice is an attempt of its own in the same step, so a crash between the two sends no push
//! again; told is whoever opened the message as it is now, confirmed whoever said so there.

use serde::{Deserialize, Serialize};

use super::Turn;
use super::event::{Effect, Note, Via};
use super::protocol::Method;
use super::state::{Address, Channel, Purpose, Trouble};
use crate::domain::account::{Contact, Destination, Reach};

/// What is peculiar to a secure message and to its notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secure {
    /// The person is asked to confirm.
    pub confirm: bool,
    /// Where a notice goes if no device takes the push; none: nowhere, or it went there.
    pub notice: Option<Notice>,
    /// A notice went instead.
    #[serde(default)]
    pub noticed: bool,
}

/// Where a notice goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub label: String,
    pub address: Address,
}

/// What comes back from an inbox. `edition`: of the message that was shown there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum InboxNews {
    /// The whole content was opened.
    Read { edition: u32 },
    /// The button was pressed.
    Confirmed { edition: u32 },
}

impl Secure {
    /// What a step with this method means for a person's destination; none if nothing of it is in their inbox. `protected`: what
    /// is texted or emailed is a notice, whose message whoever has an inbox opens there.
    pub(super) fn of(method: Method, contact: &Contact, destination: &Destination, protected: bool) -> Option<Self> {
        let has_inbox = || contact.destinations.iter().any(|d| matches!(d.reach, Reach::Inbox(_)));
        let confirm = match method {
            Method::SecureMessage { confirm } => confirm,
            Method::Text | Method::TextConfirm | Method::Email | Method::EmailConfirm if protected && has_inbox() => {
                let confirm = matches!(method, Method::TextConfirm | Method::EmailConfirm);
                return Some(Self { confirm, notice: None, noticed: false });
            }
            _ => return None,
        };
        let notice = match &destination.reach {
            Reach::Inbox(label) => contact.find_destination(label).filter(|d| !d.blocked),
            _ => None,
        };
        let notice = notice.and_then(|d| {
            let address = match &d.reach {
                Reach::Phone(number) => Address::Phone(number.clone()),
                Reach::Email(address) => Address::Email(address.clone()),
                Reach::Inbox(_) | Reach::Pager(_) | Reach::Webhook(_) | Reach::Fax(_) => return None,
            };
            Some(Notice { label: d.label.clone(), address })
        });
        Some(Self { confirm, notice, noticed: false })
    }
}

impl Turn<'_> {
    /// The push of this attempt was given up: its notice goes out, if there is one.
    pub(super) fn notice_instead(&mut self, i: usize) {
        let a = &mut self.s.attempts[i];
        let Purpose::Step { .. } = a.purpose else { return };
        let Some(secure) = &mut a.secure else { return };
        let Some(notice) = secure.notice.take() else { return };
        secure.noticed = true;
        let confirm = secure.confirm;
        let (purpose, name, contact) = (a.purpose.clone(), a.name.clone(), a.contact.clone());
        let channel = match &notice.address {
            Address::Phone(_) => Channel::Text,
            Address::Email(_) => Channel::Email,
            Address::Inbox(_) | Address::Pager(_) | Address::Webhook(_) | Address::Fax(_) => return,
        };
        let told = Note::NoticeInstead { name: name.clone(), label: notice.label.clone() };
        self.record(Some(&name), told);
        let i = self.push_attempt(purpose, channel, &name, &notice.label, notice.address);
        let attempt = &mut self.s.attempts[i];
        attempt.contact = contact;
        attempt.secure = Some(Secure { confirm, notice: None, noticed: false });
        self.effects.push(Effect::Hand(self.attempt(i).id.clone()));
    }

    pub(super) fn inbox_news(&mut self, i: usize, news: InboxNews) {
        let (InboxNews::Read { edition } | InboxNews::Confirmed { edition }) = news;
        if self.attempt(i).secure.is_none() {
            return;
        }
        let name = self.attempt(i).name.clone();
        if !self.is_as_heard(Some(edition)) {
            // It was changed between the showing and the pressing.
            if matches!(news, InboxNews::Confirmed { .. }) {
                self.answered_before(i);
            }
            return;
        }
        self.told_as(i, &name, Note::Read { name: name.clone() });
        self.opened(i);
        let a = &mut self.s.attempts[i];
        if a.in_flight_since.is_none() && a.retry_at.take().is_some() {
            // They have it, however: nothing need be tried again.
            a.more = false;
            a.accepted_at.get_or_insert(self.now);
        }
        if matches!(news, InboxNews::Confirmed { .. }) {
            self.confirm(i, Via::Inbox);
        }
    }

    /// Each time it is a line of its own, once the dispatch is over too; it says what the alarm is about.
    pub(super) fn wrote(&mut self, name: &str, written: Note) {
        self.record(Some(name), written);
        if self.s.phase.is_open() {
            self.s.troubles.insert(Trouble::Wrote { from: name.to_owned() });
        }
    }
}
