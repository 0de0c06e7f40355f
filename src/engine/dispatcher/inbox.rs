//! Secure messages on their way: pushes to all devices of a person, notices with a link where no device takes one, and what
//! comes back from an inbox.
//!
//! Decides nothing. What always holds: a push carries the attempt's identifier alone; a notice carries a link that opens
//! nothing without the PIN; a subscription that is gone is not asked again.

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::perform::{Papers, in_time};
use super::{Decided, Dispatcher, to_its_end};
use crate::base::id::{AccountId, AttemptId, ContactId, DispatchId, InboxDeviceId};
use crate::domain::dispatch::event::{Event, Failure};
use crate::domain::dispatch::inbox::InboxNews;
use crate::domain::dispatch::state::{Attempt, Purpose};
use crate::domain::message::render::notice::Way;
use crate::domain::message::render::{self, notice};
use crate::io::deliver::push::{GONE, Push, Pusher};
use crate::io::deliver::{Delivery, Mail};
use crate::io::store::StoreError;
use crate::io::store::inbound::{Arrival, INBOXES};
use crate::io::store::inbox::{CONTENT_MS, InboxDevice, LinkPurpose};

/// For how long a push service keeps what it cannot deliver yet: as long as the message can be opened.
#[expect(clippy::cast_possible_truncation, reason = "a week in seconds")]
const KEEP_SECS: u32 = (CONTENT_MS / 1_000) as u32;

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
    /// Pushes to every device of a person. Accepted if one push service takes it.
    pub(super) async fn push(&self, attempt: &Attempt, account: &AccountId, contact: &ContactId) -> Delivery {
        let Some(door) = self.inner.inboxes.get() else {
            return Delivery::Failed { failure: Failure::Temporary, why: "not_configured".to_owned() };
        };
        match self.push_by(door, attempt, account, contact).await {
            Ok(delivery) => delivery,
            Err(error) => {
                tracing::error!(attempt = %attempt.id, code = error.code(), "an inbox cannot be read");
                Delivery::Failed { failure: Failure::Temporary, why: "store".to_owned() }
            }
        }
    }

    async fn push_by(
        &self,
        door: &InboxDoor,
        attempt: &Attempt,
        account: &AccountId,
        contact: &ContactId,
    ) -> Result<Delivery, StoreError> {
        let never = |why: &str| Ok(Delivery::Failed { failure: Failure::Permanent, why: why.to_owned() });
        if !self.inner.store.has_own_pin(account, contact).await? {
            // Nobody could open it.
            return never("no_pin");
        }
        let mut sending: JoinSet<(InboxDevice, Delivery)> = JoinSet::new();
        for device in self.inner.store.list_inbox_devices(contact).await? {
            let Some(to) = device.subscription.clone() else { continue };
            let push = Push { attempt: attempt.id.clone(), to, keep_secs: KEEP_SECS };
            let pusher = Arc::clone(&door.pusher);
            sending.spawn(async move {
                let delivery = in_time(pusher.send(&push)).await;
                (device, delivery)
            });
        }
        if sending.is_empty() {
            return never("no_device");
        }
        let mut best: Option<Delivery> = None;
        while let Some(sent) = sending.join_next().await {
            // A push that panicked may have been taken.
            let (device, delivery) = sent.map_or_else(
                |_| (None, Delivery::Failed { failure: Failure::Unknown, why: "broken_off".to_owned() }),
                |(device, delivery)| (Some(device), delivery),
            );
            if let (Some(device), Delivery::Failed { failure: Failure::Permanent, why }) = (device, &delivery)
                && why == GONE
            {
                let mut tx = self.inner.store.write().await?;
                tx.drop_subscription(&device, self.inner.clock.utc()).await?;
                tx.commit("drop_subscription").await?;
            }
            if best.as_ref().is_none_or(|best| rank(&delivery) > rank(best)) {
                best = Some(delivery);
            }
        }
        Ok(best.unwrap_or_else(|| Delivery::Failed { failure: Failure::Permanent, why: "no_device".to_owned() }))
    }

    /// The words of a notice by text; none if the attempt says the message itself, or is an answer.
    pub(super) async fn notice_text(&self, papers: &Papers) -> Result<Option<String>, &'static str> {
        if !papers.is_notice() {
            return Ok(None);
        }
        let link = self.notice_link(papers).await?;
        let way = link.as_deref().map_or(Way::Call, Way::Link);
        let Papers { attempt, message, account, .. } = papers;
        Ok(Some(notice::text(account, message.urgency, message.taken_at, way, attempt.code)))
    }

    /// The same as an email.
    pub(super) async fn notice_mail(&self, papers: &Papers, to: &str) -> Result<Option<Mail>, &'static str> {
        if !papers.is_notice() {
            return Ok(None);
        }
        let link = self.notice_link(papers).await?;
        let way = link.as_deref().map_or(Way::Call, Way::Link);
        let Papers { attempt, message, account, .. } = papers;
        let email = notice::email(account, message.urgency, message.taken_at, way);
        Ok(Some(Mail {
            attempt: attempt.id.clone(),
            from_name: account.name.clone(),
            to: to.to_owned(),
            subject: email.subject,
            body: email.body,
            html: None,
            attached: None,
        }))
    }

    /// A link of the person's own, made anew for each sending, as only its hash is kept. None: they have no inbox, or no PIN that
    /// opens it.
    async fn notice_link(&self, papers: &Papers) -> Result<Option<String>, &'static str> {
        let attempt = &papers.attempt;
        let (Some(_), Some(contact), Some(door)) = (&attempt.secure, &attempt.contact, self.inner.inboxes.get()) else {
            return Ok(None);
        };
        let made = async {
            if !self.inner.store.has_own_pin(&papers.account.id, contact).await? {
                return Ok(None);
            }
            let mut tx = self.inner.store.write().await?;
            let (token, _) = tx.insert_inbox_link(contact, LinkPurpose::Notice, self.inner.clock.utc()).await?;
            tx.commit("notice_link").await?;
            Ok::<_, StoreError>(Some(InboxDoor::link(&door.public_url, token.expose_secret())))
        };
        made.await.map_err(|error| {
            tracing::error!(attempt = %attempt.id, code = error.code(), "a notice's link cannot be stored");
            "store"
        })
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

impl Papers {
    /// What leaves says only that there is a message.
    fn is_notice(&self) -> bool {
        let tells = matches!(self.attempt.purpose, Purpose::Step { .. } | Purpose::Record);
        tells && (self.protected || self.attempt.secure.is_some())
    }

    /// What a pager shows: it opens no link.
    pub(super) fn page(&self) -> String {
        let Self { message, account, .. } = self;
        if self.is_notice() {
            return notice::text(account, message.urgency, message.taken_at, Way::Call, None);
        }
        render::page(message, account)
    }
}

/// Of the answers of several devices the one that counts: taken, else what may still come of it.
const fn rank(delivery: &Delivery) -> u8 {
    match delivery {
        Delivery::Accepted { .. } => 3,
        Delivery::Failed { failure: Failure::Unknown, .. } => 2,
        Delivery::Failed { failure: Failure::Temporary, .. } => 1,
        Delivery::Failed { failure: Failure::Permanent, .. } => 0,
    }
}
