//! Email on its way out and back: the words of each, and what came of it.
//!
//! Decides nothing; what a reply means, [`domain::dispatch::mail`](crate::domain::dispatch::mail) says. What always holds: a mail that
//! came back is stored before it is acknowledged; what is protected leaves as a notice whatever the account's template says; a template
//! that cannot be used costs no message, the usual words go in its place.

use super::perform::Papers;
use super::unplaced::{named, or_without};
use super::{Dispatcher, Settles};
use crate::base::id::AttemptId;
use crate::base::pii::Pii;
use crate::domain::dispatch::describe::capital;
use crate::domain::dispatch::event::Event;
use crate::domain::dispatch::mail::{Fate, whose_reply};
use crate::domain::dispatch::reference;
use crate::domain::dispatch::state::{Attempt, Purpose, State};
use crate::domain::message::render::letter::{self, Facts};
use crate::domain::message::render::{clock_by, one_line};
use crate::engine::feed::AlarmLevel;
use crate::io::deliver::Mail;
use crate::io::store::StoreError;
use crate::io::store::inbound::{Arrival, Inbound, MAILS};

/// So long an email may wait for its relay's answer: longer than any edge may take.
const EARLY_FATE_MS: i64 = 60_000;

impl Dispatcher {
    /// Takes what a mail that came in says; `id` is the same for a repeat.
    ///
    /// # Errors
    /// The store's; nothing was taken.
    pub async fn take_mail(&self, id: &str, what: Arrival) -> Result<(), StoreError> {
        self.arrive(MAILS, id, what).await
    }

    /// What a mail server says became of an email of ours.
    pub(super) async fn handle_fate(
        &self,
        inbound: &Inbound,
        attempt: &AttemptId,
        fate: &Fate,
    ) -> Result<(), StoreError> {
        let Some(id) = self.inner.store.find_dispatch_of_attempt(attempt).await? else {
            // A recap's or an invitation's: no step goes on by it, so people have to.
            if matches!(fate, Fate::Failed { .. }) {
                self.settle(inbound, "unplaced").await?;
                return self.alarm_of_unplaced(inbound).await;
            }
            return self.settle(inbound, "unknown").await;
        };
        // It may be faster than the answer of the relay that took it, and until that is stored nobody knows what else was in the same
        // email: it stays in line. What is urgent never waits, as it leaves alone.
        let early = self.inner.clock.utc().since(inbound.received_at) <= EARLY_FATE_MS;
        let read = self.inner.store.find_dispatch(&id).await?.map(|read| read.state);
        let joins = |state: &State, own: &Attempt| own.in_flight_since.is_some() && state.may_join(own);
        if early && read.is_some_and(|state| state.find_attempt(attempt).is_some_and(|own| joins(&state, own))) {
            return Ok(());
        }
        let of = |attempt: &AttemptId| Event::Mail { attempt: attempt.clone(), fate: fate.clone() };
        // What was in the same email. Each takes the same news once, should this be cut short and come again.
        for (other_id, other) in self.list_companions(&id, attempt).await? {
            self.decide(&other_id, &of(&other), Settles::Nothing).await?;
        }
        self.decide(&id, &of(attempt), Settles::Arrival(inbound, "mail")).await.map(drop)
    }

    /// What a person replied to an email of ours: a yes where one was asked for, else an operator's to read.
    pub(super) async fn handle_mail_reply(
        &self,
        inbound: &Inbound,
        attempt: &AttemptId,
        from: &str,
        words: &str,
    ) -> Result<(), StoreError> {
        let Some(id) = self.inner.store.find_dispatch_of_attempt(attempt).await? else {
            self.settle(inbound, "unplaced").await?;
            return self.alarm_of_unplaced(inbound).await;
        };
        let read = self.inner.store.find_dispatch(&id).await?;
        if read.is_some_and(|read| read.state.is_yes_by_mail(attempt, words)) {
            let event = Event::MailYes { attempt: attempt.clone() };
            return self.decide(&id, &event, Settles::Arrival(inbound, "confirmed")).await.map(drop);
        }
        let (from, words) = (Pii::new(from.to_owned()), Pii::new(words.to_owned()));
        let event = Event::WroteMail { attempt: attempt.clone(), from, words };
        self.decide(&id, &event, Settles::Arrival(inbound, "noted")).await?;
        // The words stand on the time line; on the desks too, until an operator has seen to them.
        self.alarm_of_unplaced(inbound).await
    }

    /// Tells operators of a mail that they have to read.
    pub(super) async fn alarm_of_mail(&self, inbound: &Inbound) -> Result<(), StoreError> {
        let id = format!("text:{}:{}", inbound.provider, inbound.provider_msg_id);
        match &inbound.what {
            Arrival::MailReply { attempt, from, subject, body } => {
                let dispatch = or_without(self.inner.store.find_dispatch_of_attempt(attempt).await);
                let view = match &dispatch {
                    Some(id) => or_without(self.find_readable_view(id).await),
                    None => None,
                };
                let message = view.as_ref().map(|view| view.message.clone());
                let now = self.inner.clock.utc();
                let about = view.map_or_else(String::new, |view| format!(" about {}", named(view, now)));
                let who = or_without(self.who_answered(attempt, from).await.map(Some));
                let who = who.unwrap_or_else(|| format!("Somebody ({from})"));
                let words = if body.is_empty() { "no words of their own" } else { body };
                let text = format!("{who} answered by email{about} ({subject}): \u{201c}{words}\u{201d}");
                self.raise_since(inbound.received_at, id, AlarmLevel::Warning, text, dispatch, message);
            }
            Arrival::MailFate { fate: Fate::Failed { status, .. }, recipient, .. } => {
                let whom = recipient.as_ref().map_or_else(String::new, |whom| format!(" to {whom}"));
                let text = format!(
                    "An email{whom} that was no message (a recap, or an invitation to an inbox) came back undelivered ({status}): \
                     see to the address, and tell them."
                );
                self.raise_since(inbound.received_at, id, AlarmLevel::Warning, text, None, None);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whoever answered an email of ours: whom it went to, or another mailbox.
    async fn who_answered(&self, attempt: &AttemptId, from: &str) -> Result<String, StoreError> {
        let somebody = || format!("Somebody ({from})");
        let Some(id) = self.inner.store.find_dispatch_of_attempt(attempt).await? else { return Ok(somebody()) };
        let read = self.inner.store.find_dispatch(&id).await?;
        let who = read.as_ref().and_then(|read| read.state.find_attempt(attempt)).map(|asked| {
            if asked.is_mailbox(from) {
                asked.name.clone()
            } else {
                format!("{} ({from})", capital(&whose_reply(&asked.name, true)))
            }
        });
        Ok(who.unwrap_or_else(somebody))
    }

    /// An email in full: the message in the account's words, or an answer to a reply.
    pub(super) async fn mail(&self, papers: &Papers, to: &str) -> Mail {
        let Papers { attempt, message, account, .. } = papers;
        if !matches!(attempt.purpose, Purpose::Step { .. } | Purpose::Record) {
            return self.answer_mail(papers, to).await;
        }
        let sound = match self.inner.sounds.get() {
            Some(sounds) => sounds.of(message, account).await,
            None => None,
        };
        let (attached, heard) = sound.map_or((None, None), |(attached, words)| (attached, Some(words)));
        let notes: Vec<String> = [papers.outcome(), heard].into_iter().flatten().collect();
        let reference = reference::of(&papers.state.id);
        let facts = Facts {
            message,
            account,
            call_type: papers.call_type(),
            notes: &notes,
            reference: &reference,
            confirm: attempt.mail_confirm,
        };
        let (letter, unusable) = letter::write(&facts);
        if unusable {
            tracing::warn!(account = %account.id, attempt = %attempt.id, "an account's email template cannot be used; the usual words go");
        }
        Mail {
            attempt: attempt.id.clone(),
            from_name: account.name.clone(),
            to: to.to_owned(),
            subject: letter.subject,
            body: letter.text,
            html: letter.html,
            attached: attached.into_iter().collect(),
            answers: None,
        }
    }

    /// Tells whoever replied what came of it, or whoever was asked that it is handled.
    async fn answer_mail(&self, papers: &Papers, to: &str) -> Mail {
        let Papers { state, attempt, message, account, .. } = papers;
        let asked = |a: &&Attempt| a.is_step() && a.address == attempt.address && a.handed_at.is_some();
        let asked = state.attempts.iter().rev().find(asked).map(|a| a.id.clone());
        let taken = clock_by(message.taken_at, self.inner.clock.utc(), &account.zone);
        Mail {
            attempt: attempt.id.clone(),
            from_name: account.name.clone(),
            to: to.to_owned(),
            subject: one_line(&format!("{}: the message of {taken}", account.name)),
            body: format!("{}\n", self.text_body(papers).await),
            html: None,
            attached: Vec::new(),
            answers: asked,
        }
    }
}

/// What a reply says. Some write it into the subject alone.
pub(super) fn said(subject: &str, body: &str) -> String {
    if body.is_empty() { format!("no words but the subject: {subject}") } else { body.to_owned() }
}
