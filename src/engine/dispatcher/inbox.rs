//! Secure messages on their way: pushes to all devices of a person, notices with a link where no device takes one, and what
//! comes back from an inbox.
//!
//! Decides nothing. What always holds: a push carries the attempt's identifier alone; a notice carries a link that opens
//! nothing without the PIN; a subscription that is gone is not asked again.

use std::collections::HashMap;
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::perform::{Papers, in_time};
use super::{Decided, Dispatcher, to_its_end};
use crate::base::clock::UtcMs;
use crate::base::id::{AttemptId, ContactId, DispatchId, InboxDeviceId};
use crate::domain::account::Account;
use crate::domain::dispatch::event::{Event, Failure};
use crate::domain::dispatch::inbox::InboxNews;
use crate::domain::dispatch::push::{DevicePush, PushAnswer};
use crate::domain::dispatch::state::{Attempt, Purpose};
use crate::domain::message::render::notice::Way;
use crate::domain::message::render::{self, notice};
use crate::io::deliver::push::{GONE, Push, Pusher};
use crate::io::deliver::{Delivery, Mail};
use crate::io::store::StoreError;
use crate::io::store::inbound::{Arrival, INBOXES};
use crate::io::store::inbox::{InboxDevice, LinkPurpose};

/// By what secure messages leave, and how the world reaches the inbox.
#[derive(Clone)]
pub struct InboxDoor {
    pub pusher: Arc<dyn Pusher>,
    /// `https://desk.example.com`.
    pub public_url: String,
}

impl InboxDoor {
    /// Where a token leads. What stands behind the `#` is never sent by a browser, nor asked for by what makes previews.
    pub fn link(public_url: &str, token: &str) -> String {
        format!("{}/inbox#{token}", public_url.trim_end_matches('/'))
    }
}

impl Dispatcher {
    /// Pushes to every device of a person that has not taken it yet, and says what became of each.
    pub(super) async fn push(&self, attempt: &Attempt, account: &Account, contact: &ContactId) -> Event {
        let failed = |failure, why: &str| Event::Failed { attempt: attempt.id.clone(), failure, why: why.to_owned() };
        let Some(door) = self.inner.inboxes.get() else { return failed(Failure::Temporary, "not_configured") };
        match self.push_by(door, attempt, account, contact).await {
            Ok(Ok(answers)) => Event::Pushed { attempt: attempt.id.clone(), answers },
            Ok(Err(why)) => {
                tracing::warn!(attempt = %attempt.id, why, "a push goes nowhere");
                failed(Failure::Permanent, why)
            }
            Err(error) => {
                tracing::error!(attempt = %attempt.id, code = error.code(), "an inbox cannot be read");
                failed(Failure::Temporary, "store")
            }
        }
    }

    /// What became of it at each device; why it goes nowhere.
    async fn push_by(
        &self,
        door: &InboxDoor,
        attempt: &Attempt,
        account: &Account,
        contact: &ContactId,
    ) -> Result<Result<Vec<DevicePush>, &'static str>, StoreError> {
        if !self.inner.store.has_own_pin(&account.id, contact).await? {
            // Nobody could open it.
            return Ok(Err("no_pin"));
        }
        // A device that is off is told for as long as the message can be opened.
        let keep_secs = u32::try_from(account.secure.lasts_ms() / 1_000).unwrap_or(u32::MAX);
        let mut sending: JoinSet<Delivery> = JoinSet::new();
        let mut devices: HashMap<tokio::task::Id, InboxDevice> = HashMap::new();
        for device in self.inner.store.list_inbox_devices(contact).await? {
            let Some(to) = device.subscription.clone().filter(|_| attempt.goes_to(&device.id)) else { continue };
            let push = Push { attempt: attempt.id.clone(), to, keep_secs };
            let pusher = Arc::clone(&door.pusher);
            let task = sending.spawn(async move { in_time(pusher.send(&push)).await });
            devices.insert(task.id(), device);
        }
        let mut answers = Vec::new();
        while let Some(sent) = sending.join_next_with_id().await {
            // A push that panicked may have been taken.
            let (task, delivery) = sent.unwrap_or_else(|error| {
                (error.id(), Delivery::Failed { failure: Failure::Unknown, why: "broken_off".to_owned() })
            });
            let Some(device) = devices.remove(&task) else { continue };
            answers.push(self.answer(attempt, &device, delivery).await);
        }
        if answers.is_empty() { Ok(Err("no_device")) } else { Ok(Ok(answers)) }
    }

    /// What a device's push service said; where it knows the device no more, pushes to it end.
    async fn answer(&self, attempt: &Attempt, device: &InboxDevice, delivery: Delivery) -> DevicePush {
        let result = if matches!(delivery, Delivery::Accepted { .. }) { "accepted" } else { "failed" };
        metrics::counter!("cordboard_deliveries_total", "channel" => "push", "result" => result).increment(1);
        let answer = match delivery {
            Delivery::Accepted { .. } => PushAnswer::Taken,
            Delivery::Failed { failure, why } => {
                tracing::warn!(attempt = %attempt.id, device = %device.id, %why, "a push failed");
                if failure == Failure::Permanent
                    && why == GONE
                    && let Err(error) = self.drop_subscription(device).await
                {
                    // The next message finds it gone again.
                    tracing::error!(device = %device.id, code = error.code(), "a subscription that is gone stays");
                }
                PushAnswer::Failed { failure, why }
            }
        };
        DevicePush { device: device.id.clone(), name: device.name.clone(), answer, tries: 0 }
    }

    async fn drop_subscription(&self, device: &InboxDevice) -> Result<(), StoreError> {
        let mut tx = self.inner.store.write().await?;
        tx.drop_subscription(device, self.inner.clock.utc()).await?;
        tx.commit("drop_subscription").await
    }

    /// The words of a notice by text, or of the answer to whoever accepted one; none if the attempt says the message itself, or
    /// is another answer.
    pub(super) async fn notice_text(&self, papers: &Papers) -> Result<Option<String>, &'static str> {
        let Papers { attempt, message, account, .. } = papers;
        if let Some(contact) = papers.acceptor() {
            let link = self.link(papers, contact).await?;
            return Ok(link.map(|link| notice::accepted_text(account, papers.closed_at(), &link)));
        }
        if !papers.is_notice() {
            return Ok(None);
        }
        let now = self.inner.clock.utc();
        let written = |way| Ok(Some(notice::text(account, message.urgency, message.taken_at, way, attempt.code, now)));
        if account.secure.accept_first && attempt.code.is_some() && self.opens_links(papers).await? {
            return written(Way::AcceptFirst);
        }
        let link = self.notice_link(papers).await?;
        written(link.as_deref().map_or(Way::Call, Way::Link))
    }

    /// The same as an email.
    pub(super) async fn notice_mail(&self, papers: &Papers, to: &str) -> Result<Option<Mail>, &'static str> {
        if !papers.is_notice() {
            return Ok(None);
        }
        let link = self.notice_link(papers).await?;
        let way = link.as_deref().map_or(Way::Call, Way::Link);
        let Papers { attempt, message, account, .. } = papers;
        let email = notice::email(account, message.urgency, message.taken_at, way, self.inner.clock.utc());
        Ok(Some(Mail {
            attempt: attempt.id.clone(),
            from_name: account.name.clone(),
            to: to.to_owned(),
            subject: email.subject,
            body: email.body,
            html: None,
            attached: Vec::new(),
            answers: None,
        }))
    }

    /// Whether a link would open the message for the person of this attempt: they have an inbox, and a PIN of their own.
    async fn opens_links(&self, papers: &Papers) -> Result<bool, &'static str> {
        let (Some(_), Some(contact)) = (&papers.attempt.secure, &papers.attempt.contact) else { return Ok(false) };
        let known = self.inner.store.has_own_pin(&papers.account.id, contact).await;
        known.map_err(|error| not_stored(papers, &error))
    }

    /// A link of the person's own. None: they have no inbox, or no PIN that opens it.
    async fn notice_link(&self, papers: &Papers) -> Result<Option<String>, &'static str> {
        match (&papers.attempt.secure, &papers.attempt.contact) {
            (Some(_), Some(contact)) => self.link(papers, contact).await,
            _ => Ok(None),
        }
    }

    /// Made anew for each sending, as only its hash is kept. None: the person has no PIN that opens it.
    async fn link(&self, papers: &Papers, contact: &ContactId) -> Result<Option<String>, &'static str> {
        let Some(door) = self.inner.inboxes.get() else { return Ok(None) };
        let made = async {
            if !self.inner.store.has_own_pin(&papers.account.id, contact).await? {
                return Ok(None);
            }
            let (lasts, now) = (papers.account.secure.lasts_ms(), self.inner.clock.utc());
            let mut tx = self.inner.store.write().await?;
            let (token, _) = tx.insert_inbox_link(contact, LinkPurpose::Notice, lasts, now).await?;
            tx.commit("notice_link").await?;
            Ok::<_, StoreError>(Some(InboxDoor::link(&door.public_url, token.expose_secret())))
        };
        made.await.map_err(|error| not_stored(papers, &error))
    }

    /// A push reached a device; each device tells it once.
    pub async fn pushed(&self, attempt: &AttemptId, device: &InboxDeviceId) -> Result<(), StoreError> {
        let what = Arrival::Pushed { attempt: attempt.clone() };
        self.arrive(INBOXES, &format!("pushed:{attempt}:{device}"), what).await
    }

    /// A person opened or confirmed a message in their inbox. Says whether it changed anything.
    pub async fn inbox_news(&self, attempt: &AttemptId, news: InboxNews) -> Result<Decided, StoreError> {
        let event = Event::Inbox { attempt: attempt.clone(), news };
        let what = Arrival::Inbox { attempt: attempt.clone(), news };
        let inbound = self.inbound(INBOXES, &self.fresh_name(), what);
        let (own, attempt) = (self.clone(), attempt.clone());
        to_its_end(async move {
            own.insert(&inbound).await?;
            own.decide_attempt(&inbound, &attempt, &event, "inbox").await
        })
        .await
    }

    /// A person wrote about a message from their inbox: an operator's job, like a text that matches nothing.
    pub async fn inbox_reply(
        &self,
        dispatch: &DispatchId,
        contact: &ContactId,
        name: &str,
        body: String,
    ) -> Result<(), StoreError> {
        let (dispatch, contact, name) = (dispatch.clone(), contact.clone(), name.to_owned());
        let what = Arrival::InboxReply { dispatch, contact, name, body };
        self.arrive(INBOXES, &self.fresh_name(), what).await
    }
}

fn not_stored(papers: &Papers, error: &StoreError) -> &'static str {
    tracing::error!(attempt = %papers.attempt.id, code = error.code(), "a notice's link cannot be stored");
    "store"
}

impl Papers {
    /// Who accepted a protected message by text, for the answer that tells them so, and has it in their inbox.
    fn acceptor(&self) -> Option<&ContactId> {
        if !self.protected || self.attempt.purpose != Purpose::ConfirmedReply {
            return None;
        }
        let number = self.attempt.address.phone()?;
        let theirs = |a: &&Attempt| a.is_step() && a.secure.is_some() && a.confirmed_at.is_some();
        self.state.attempts.iter().filter(theirs).find(|a| a.address.phone() == Some(number))?.contact.as_ref()
    }

    pub(super) fn closed_at(&self) -> UtcMs {
        self.state.closed_at.unwrap_or(self.state.open_at)
    }

    /// What leaves says only that there is a message.
    pub(super) fn is_notice(&self) -> bool {
        let tells = self.attempt.is_step() || self.attempt.purpose == Purpose::Record;
        tells && (self.protected || self.attempt.secure.is_some())
    }

    /// What a pager shows: it opens no link.
    pub(super) fn page(&self, now: UtcMs) -> String {
        let Self { message, account, .. } = self;
        if self.is_notice() {
            return notice::text(account, message.urgency, message.taken_at, Way::Call, None, now);
        }
        render::page(message, account, now)
    }
}
