//! Secure inboxes as the person who has one meets them: invited by a link, opened by PIN, messages read, confirmed and answered;
//! and as operators see them: on which devices they are, and which of these is taken away.
//!
//! What came of a reading goes to the dispatcher as something that came in; it alone applies it. What always holds: a link or
//! a device shows who somebody may be, and the PIN that they are; before the PIN nothing is shown, not even a name, and nothing
//! is used up by asking; whoever is refused does not learn whether it was the PIN or too many tries; what is shown is on the
//! audit log before.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::dispatcher::{Decided, Dispatcher, InboxDoor};
use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::{AttemptId, ContactId, DispatchId, InboxDeviceId, UserId};
use crate::domain::account::{Account, Contact, Reach};
use crate::domain::checkin::pin::Pin;
use crate::domain::dispatch::event::{Failure, Note};
use crate::domain::dispatch::inbox::InboxNews;
use crate::domain::dispatch::state::{Attempt, Phase, State};
use crate::domain::message::Message;
use crate::domain::message::render::notice;
use crate::io::deliver::{Delivery, Mail, Mailer, TextMessage, Texter};
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::check_in::{PinFrom, Tried};
use crate::io::store::inbox::{INVITATION_MS, InboxDevice, InboxLink, InboxSession, LinkPurpose, Subscription};
use crate::io::store::{Store, StoreError};

/// Messages that an inbox shows.
const MAX_SHOWN: u32 = 50;
/// How long an invitation may take to be sent: whoever asked for it waits.
const PATIENCE: Duration = Duration::from_secs(12);

/// Looks after inboxes. Cheap to clone.
#[derive(Clone)]
pub struct Inboxes {
    store: Store,
    clock: SharedClock,
    dispatcher: Dispatcher,
    mailer: Arc<dyn Mailer>,
    texter: Arc<dyn Texter>,
    public_url: String,
    /// What browsers subscribe with.
    push_key: String,
}

impl std::fmt::Debug for Inboxes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inboxes")
    }
}

/// What an inbox is reached by.
#[derive(Debug)]
pub enum Key {
    Link(SecretString),
    Device(SecretString),
}

/// Why an inbox was not opened.
#[derive(Debug)]
pub enum Refused {
    /// The link is over, or was never one; or the device is none of anybody's any more.
    Unknown,
    /// Not the PIN, or too many tries.
    Pin,
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An inbox that was opened.
#[derive(Debug)]
pub struct Opened {
    pub session: InboxSession,
    pub token: SecretString,
    pub contact: Contact,
    pub account: Account,
    /// The token for a device that is the person's from now on.
    pub device: Option<SecretString>,
}

/// Whose inbox is open, and by what session.
#[derive(Clone, Debug)]
pub struct Reader {
    pub contact: Contact,
    pub session: InboxSession,
}

/// What stands between a person and a message in their inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// It asks for an answer, or to be read.
    Open,
    /// It was read, and nothing more is asked.
    Read,
    /// This person confirmed it.
    Confirmed,
    /// Somebody else did, or the service closed it.
    Done,
}

/// A message in an inbox, without its content.
#[derive(Clone, Debug)]
pub struct Item {
    pub dispatch: DispatchId,
    pub sent_at: UtcMs,
    pub read_at: Option<UtcMs>,
    pub confirmed_at: Option<UtcMs>,
    pub state: ItemState,
    /// Who confirmed it, if it was somebody else.
    pub done_by: Option<String>,
    /// A confirmation is asked for.
    pub asks: bool,
    /// Until when it can be opened.
    pub expires_at: UtcMs,
    /// It can no longer be opened.
    pub expired: bool,
    pub message: Message,
    attempt: AttemptId,
}

/// What an operator sees of somebody's inbox.
#[derive(Clone, Debug)]
pub struct InboxState {
    /// Without a PIN of their own it cannot be opened.
    pub has_pin: bool,
    pub devices: Vec<InboxDevice>,
    pub invitation: Option<InboxLink>,
}

/// Why no invitation went out.
#[derive(Debug)]
pub enum NotInvited {
    NoContact,
    /// The person has no PIN of their own, so nothing would open.
    NoPin,
    /// They have no such destination, or it takes neither texts nor emails.
    NoDestination,
    /// Its person asked for no more texts.
    Blocked,
    /// The provider did not take it; a short code.
    NotSent(String),
    Store(StoreError),
}

impl From<StoreError> for NotInvited {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Inboxes {
    /// `push_key`: what browsers subscribe with.
    pub fn new(
        store: Store,
        clock: SharedClock,
        dispatcher: Dispatcher,
        letters: (Arc<dyn Mailer>, Arc<dyn Texter>),
        public_url: String,
        push_key: String,
    ) -> Self {
        let (mailer, texter) = letters;
        Self { store, clock, dispatcher, mailer, texter, public_url, push_key }
    }

    pub fn push_key(&self) -> &str {
        &self.push_key
    }

    /// The device that keeps this token.
    pub async fn find_device(&self, token: &SecretString) -> Result<Option<InboxDevice>, StoreError> {
        self.store.find_inbox_device(token).await
    }

    /// Opens an inbox by a link or a device, and the PIN. An invitation makes the device that it is opened on the person's,
    /// unless it is that already: `known`, by what it keeps. `device_name`: what its browser says it is.
    pub async fn open(
        &self,
        key: &Key,
        pin: &Pin,
        known: Option<&SecretString>,
        device_name: &str,
    ) -> Result<Opened, Refused> {
        let now = self.clock.utc();
        let (contact, device, invited) = match key {
            Key::Link(token) => {
                let link = self.store.find_inbox_link(token, now).await?.ok_or(Refused::Unknown)?;
                (link.contact, None, link.purpose == LinkPurpose::Invitation)
            }
            Key::Device(token) => {
                let device = self.store.find_inbox_device(token).await?.ok_or(Refused::Unknown)?;
                (device.contact.clone(), Some(device), false)
            }
        };
        let contact = self.store.find_contact(&contact).await?.ok_or(Refused::Unknown)?;
        let account = self.store.find_account(&contact.account).await?.ok_or(Refused::Unknown)?;
        let mut tx = self.store.write().await?;
        let from = match (key, &device) {
            (_, Some(device)) => PinFrom::Device(device),
            (Key::Link(token) | Key::Device(token), None) => PinFrom::Link { token, contact: &contact.id },
        };
        let tried = tx.try_pin(&account.id, from, pin, now).await?;
        if !matches!(tried, Tried::Right(_)) {
            tx.audit(Entry::new(now, Who::Nobody, Act::InboxRefused, contact.id.to_string()));
            if tried == (Tried::Wrong { locks: true }) {
                tx.audit(Entry::new(now, Who::Nobody, Act::InboxLocked, contact.id.to_string()));
            }
            tx.commit("wrong_inbox_pin").await?;
            self.refused(&account, &contact, &tried, now);
            return Err(Refused::Pin);
        }
        let own = match known {
            Some(token) if invited => tx.find_inbox_device(token).await?.filter(|d| d.contact == contact.id),
            _ => None,
        };
        let (device, fresh) = match device.or(own).map(|device| device.id) {
            None if invited => {
                let (id, token) = tx.insert_inbox_device(&contact.id, device_name, now).await?;
                tx.audit(Entry::new(now, Who::Contact(contact.id.clone()), Act::InboxDeviceAdded, id.to_string()));
                (Some(id), Some(token))
            }
            known => (known, None),
        };
        if let Some(device) = &device {
            tx.see_inbox_device(device, now).await?;
        }
        let (session, token) = tx.open_inbox(&contact.id, device.as_ref(), now).await?;
        tx.audit(Entry::new(now, Who::Contact(contact.id.clone()), Act::InboxOpened, contact.id.to_string()));
        tx.commit("open_inbox").await?;
        Ok(Opened { session, token, contact, account, device: fresh })
    }

    /// A wrong PIN is a figure, and where none is taken any more, the desks are told.
    fn refused(&self, account: &Account, contact: &Contact, tried: &Tried, now: UtcMs) {
        metrics::counter!("cordboard_wrong_pins_total").increment(1);
        if *tried == (Tried::Wrong { locks: true }) {
            self.dispatcher.alarm_of_locked_inbox(account, contact, now);
        }
    }

    /// Whoever has opened an inbox with this token; none if it is closed. Being asked keeps nothing open: a page asks by itself.
    pub async fn find_reader(&self, token: &SecretString) -> Result<Option<Reader>, StoreError> {
        let Some(session) = self.store.find_inbox_session(token, self.clock.utc()).await? else { return Ok(None) };
        let Some(contact) = self.store.find_contact(&session.contact).await? else { return Ok(None) };
        Ok(Some(Reader { contact, session }))
    }

    /// The person is there: they touched the page. That keeps the inbox open for longer.
    pub async fn attend(&self, token: &SecretString, session: &InboxSession) -> Result<(), StoreError> {
        let now = self.clock.utc();
        if session.is_worth_touching(now) {
            let mut tx = self.store.write().await?;
            tx.touch_inbox(token, session, now).await?;
            tx.commit("touch_inbox").await?;
        }
        Ok(())
    }

    pub async fn close(&self, token: &SecretString) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        tx.close_inbox_session(token).await?;
        tx.commit("close_inbox").await
    }

    /// Where pushes to the device go on which an inbox is open; none: nowhere. False: it is open by a notice's link.
    pub async fn subscribe(&self, reader: &Reader, to: Option<&Subscription>) -> Result<bool, StoreError> {
        let Some(device) = &reader.session.device else { return Ok(false) };
        let mut tx = self.store.write().await?;
        tx.set_subscription(device, to, self.clock.utc()).await?;
        tx.commit("subscribe").await?;
        Ok(true)
    }

    /// A device's browser has made its subscription anew, by itself: pushes go there. False: nobody had turned them on there, and
    /// only whoever opens the inbox does.
    pub async fn resubscribe(&self, device: &InboxDevice, to: &Subscription) -> Result<bool, StoreError> {
        if device.subscription.is_none() && device.gone_at.is_none() {
            return Ok(false);
        }
        let mut tx = self.store.write().await?;
        tx.set_subscription(&device.id, Some(to), self.clock.utc()).await?;
        tx.commit("resubscribe").await?;
        Ok(true)
    }

    /// The messages of an inbox, the newest first, those that are open before the others.
    pub async fn list(&self, contact: &Contact) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        for id in self.store.list_inbox_dispatches(&contact.id, MAX_SHOWN).await? {
            items.extend(self.find(contact, &id).await?);
        }
        items.sort_by_key(|item| item.state != ItemState::Open);
        Ok(items)
    }

    /// One of them; none if it is not in this inbox.
    pub async fn find(&self, contact: &Contact, id: &DispatchId) -> Result<Option<Item>, StoreError> {
        let Some(read) = self.store.find_dispatch(id).await? else { return Ok(None) };
        let Some(message) = self.store.find_message(&read.state.message).await? else { return Ok(None) };
        let Some(account) = self.store.find_account(&read.state.account).await? else { return Ok(None) };
        Ok(item(&read.state, message, contact, account.secure.lasts_ms(), self.clock.utc()))
    }

    /// What a person wrote about it from their inbox, and when, oldest first.
    pub async fn written(&self, contact: &Contact, id: &DispatchId) -> Result<Vec<(UtcMs, String)>, StoreError> {
        let entries = self.store.list_dispatch_entries(id).await?.into_iter();
        let own = entries.filter_map(|entry| match entry.note {
            Note::Wrote { contact: by, words: Some(words), .. } if by == contact.id => {
                Some((entry.at, words.into_inner()))
            }
            _ => None,
        });
        Ok(own.collect())
    }

    /// Puts on record that the whole of it was opened, as it is in `item`; the dispatcher applies it. Before it is shown.
    pub async fn read(&self, contact: &Contact, item: &Item) -> Result<(), StoreError> {
        self.log(contact, Act::InboxRead, item).await?;
        self.dispatcher.inbox_news(&item.attempt, InboxNews::Read { edition: item.message.edition }).await.map(drop)
    }

    /// The person confirms it, as it was shown to them.
    pub async fn confirm(&self, contact: &Contact, item: &Item, edition: u32) -> Result<Decided, StoreError> {
        self.log(contact, Act::InboxConfirmed, item).await?;
        self.dispatcher.inbox_news(&item.attempt, InboxNews::Confirmed { edition }).await
    }

    /// The person writes to the service about it.
    pub async fn reply(&self, contact: &Contact, item: &Item, body: String) -> Result<(), StoreError> {
        self.log(contact, Act::InboxReplied, item).await?;
        self.dispatcher.inbox_reply(&item.dispatch, &contact.id, &contact.name, body).await
    }

    async fn log(&self, contact: &Contact, act: Act, item: &Item) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        let who = Who::Contact(contact.id.clone());
        tx.audit(Entry::new(self.clock.utc(), who, act, item.message.id.to_string()));
        tx.commit("inbox_log").await
    }

    /// A push reached a device: how its message stands, and how many wait for this person. None: it is nothing of theirs.
    pub async fn pushed(
        &self,
        device: &InboxDevice,
        attempt: &AttemptId,
    ) -> Result<Option<(ItemState, usize)>, StoreError> {
        let Some(id) = self.store.find_dispatch_of_attempt(attempt).await? else { return Ok(None) };
        let Some(contact) = self.store.find_contact(&device.contact).await? else { return Ok(None) };
        let Some(item) = self.find(&contact, &id).await? else { return Ok(None) };
        self.dispatcher.pushed(attempt, &device.id).await?;
        let waits = |item: &&Item| item.state == ItemState::Open && !item.expired;
        let open = self.list(&contact).await?.iter().filter(waits).count();
        Ok(Some((item.state, open)))
    }

    /// Somebody's inbox as operators see it. None: there is nobody of that name.
    pub async fn state(&self, contact: &ContactId) -> Result<Option<InboxState>, StoreError> {
        let Some(contact) = self.store.find_contact(contact).await? else { return Ok(None) };
        Ok(Some(InboxState {
            has_pin: self.store.has_own_pin(&contact.account, &contact.id).await?,
            devices: self.store.list_inbox_devices(&contact.id).await?,
            invitation: self.store.find_invitation(&contact.id, self.clock.utc()).await?,
        }))
    }

    /// Sends somebody a link to put their inbox on a device, to their destination called `label`. Those sent before lead nowhere
    /// once it is taken for sending, and not before.
    pub async fn invite(&self, contact: &ContactId, label: &str, by: &UserId) -> Result<(), NotInvited> {
        let now = self.clock.utc();
        let contact = self.store.find_contact(contact).await?.ok_or(NotInvited::NoContact)?;
        let account = self.store.find_account(&contact.account).await?.ok_or(NotInvited::NoContact)?;
        if !self.store.has_own_pin(&account.id, &contact.id).await? {
            return Err(NotInvited::NoPin);
        }
        let to = contact.find_destination(label).ok_or(NotInvited::NoDestination)?;
        if to.blocked {
            return Err(NotInvited::Blocked);
        }
        if !matches!(to.reach, Reach::Phone(_) | Reach::Email(_)) {
            return Err(NotInvited::NoDestination);
        }
        let mut tx = self.store.write().await?;
        let (token, _) = tx.insert_inbox_link(&contact.id, LinkPurpose::Invitation, INVITATION_MS, now).await?;
        tx.audit(Entry::new(now, Who::User(by.clone()), Act::InboxInvited, contact.id.to_string()));
        tx.commit("invite").await?;
        let link = InboxDoor::link(&self.public_url, token.expose_secret());
        // An identifier of its own, which no dispatch knows: what becomes of it further is nobody's news.
        let attempt = AttemptId::fresh(now);
        let delivery = match &to.reach {
            Reach::Phone(number) => {
                let body = notice::invitation_text(&account, &link);
                let own = account.own_numbers();
                let text = TextMessage { attempt, to: number.clone(), own, from: None, body };
                tokio::time::timeout(PATIENCE, self.texter.send(&text)).await
            }
            Reach::Email(address) => {
                let email = notice::invitation_email(&account, &link);
                let mail = Mail {
                    attempt,
                    from_name: account.name.clone(),
                    to: address.clone(),
                    subject: email.subject,
                    body: email.body,
                    html: None,
                    attached: Vec::new(),
                    answers: None,
                };
                tokio::time::timeout(PATIENCE, self.mailer.send(&mail)).await
            }
            Reach::Inbox(_) | Reach::Pager(_) | Reach::Webhook(_) | Reach::Fax(_) => {
                return Err(NotInvited::NoDestination);
            }
        };
        let mut tx = self.store.write().await?;
        let sent = match delivery {
            Ok(Delivery::Accepted { .. }) => {
                tx.void_other_invitations(&contact.id, &token).await?;
                Ok(())
            }
            // It may be on its way, so it leads there as well.
            Ok(Delivery::Failed { failure: Failure::Unknown, why }) => Err(why),
            Err(_) => Err("timeout".to_owned()),
            Ok(Delivery::Failed { why, .. }) => {
                tx.void_link(&token).await?;
                Err(why)
            }
        };
        tx.commit("invited").await?;
        sent.map_err(NotInvited::NotSent)
    }

    /// Takes a device away: what is open on it is closed, and no push goes there. False: there is no such device of theirs.
    pub async fn revoke(&self, contact: &ContactId, device: &InboxDeviceId, by: &UserId) -> Result<bool, StoreError> {
        let mut tx = self.store.write().await?;
        let gone = tx.delete_inbox_device(contact, device).await?;
        if gone {
            // Whoever has the device may have the links in its texts too, and an inbox that one of them has opened.
            tx.close_inbox_sessions(contact).await?;
            tx.void_inbox_links(contact).await?;
            let who = Who::User(by.clone());
            tx.audit(Entry::new(self.clock.utc(), who, Act::InboxDeviceRemoved, device.to_string()));
        }
        tx.commit("revoke_inbox_device").await?;
        Ok(gone)
    }
}

/// How a dispatch stands in a person's inbox; none if it never got there.
fn item(state: &State, message: Message, contact: &Contact, lasts_ms: i64, now: UtcMs) -> Option<Item> {
    let theirs = |a: &&Attempt| {
        a.secure.is_some() && a.contact.as_ref() == Some(&contact.id) && a.handed_at.is_some() && a.is_step()
    };
    let last = state.attempts.iter().rev().find(theirs)?;
    let of_now = || state.attempts.iter().filter(theirs).filter(|a| state.is_of_now(&a.purpose));
    let sent_at = last.handed_at?;
    let confirmed_at = of_now().filter_map(|a| a.confirmed_at).min();
    // A yes after the protocol's own end still says more than that end did.
    let open = state.phase.is_open() || matches!(state.phase, Phase::Told | Phase::Delivered);
    let read_at = of_now().filter_map(|a| a.told_at).min();
    let asks = open && confirmed_at.is_none() && of_now().any(|a| a.secure.as_ref().is_some_and(|s| s.confirm));
    let item_state = match (confirmed_at, read_at) {
        (Some(_), _) => ItemState::Confirmed,
        (None, _) if !open => ItemState::Done,
        (None, Some(_)) if !asks => ItemState::Read,
        _ => ItemState::Open,
    };
    Some(Item {
        dispatch: state.id.clone(),
        sent_at,
        read_at,
        confirmed_at,
        state: item_state,
        done_by: state.closed_by.clone().filter(|_| item_state == ItemState::Done),
        asks,
        expires_at: sent_at.plus_ms(lasts_ms),
        expired: now.since(sent_at) > lasts_ms,
        attempt: last.id.clone(),
        message,
    })
}
