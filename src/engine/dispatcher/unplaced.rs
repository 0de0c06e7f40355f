//! Texts that match nothing: told to the message that they are about, as far as that is certain, and to operators in any case.
//!
//! What always holds: nothing is silence; what somebody wrote stands on no time line of an account that it may not be about; an operator
//! hears of each text until one has seen to it, after a restart too, and though what it may be about cannot be read now.

use std::collections::BTreeSet;

use super::arrivals::{code, somebody};
use super::view::quoted;
use super::{Dispatcher, Settles};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, DispatchId};
use crate::base::phone::PhoneNumber;
use crate::base::pii::Pii;
use crate::domain::dispatch::confirm::{MAX_HELP_REPLIES, Reply, named_code, newest_open};
use crate::domain::dispatch::event::Event;
use crate::domain::message::render::clock_by;
use crate::engine::feed::{AlarmLevel, DispatchView};
use crate::io::store::StoreError;
use crate::io::store::inbound::{Arrival, Inbound};

/// Of so many messages an operator is told that a text may be about them, the newest first.
const MAX_NAMED: usize = 3;

impl Dispatcher {
    /// A text that matches nothing is an operator's job, never silence.
    pub(super) async fn unplaced(&self, inbound: &Inbound, from: &PhoneNumber, body: &str) -> Result<(), StoreError> {
        let meant = self.list_meant(inbound, from, body).await?;
        let Some(id) = &self.pick_told(inbound, from, &meant).await? else {
            // An unknown number gets no answer: it may be a machine.
            let to = match &inbound.what {
                Arrival::Text { to, .. } => to.as_ref(),
                _ => None,
            };
            let answer = self.no_such_code(from, to, body).await?;
            self.settle(inbound, if answer.is_some() { "helped" } else { "unplaced" }).await?;
            if let Some(answer) = answer {
                self.answer_no_code(answer);
            }
            return self.alarm_of_unplaced(inbound).await;
        };
        // A stranger who has that telephone is told nothing of what is open.
        let is_stranger = Reply::parse(body) == Reply::WrongNumber;
        let help = !is_stranger && self.inner.store.count_help_replies(from).await? < MAX_HELP_REPLIES;
        let event = Event::Unplaced {
            number: from.clone(),
            name: self.name_of(from, Some(id)).await?,
            help,
            words: self.is_of_one_account(&meant).await?.then(|| Pii::new(body.to_owned())),
            among: u32::try_from(meant.len()).unwrap_or(u32::MAX),
        };
        let outcome = if help { "helped" } else { "noted" };
        self.decide(id, &event, Settles::Arrival(inbound, outcome)).await?;
        self.alarm_of_unplaced(inbound).await
    }

    /// The open dispatches that a text from this number may be about, oldest first: the one alone whose code it names.
    async fn list_meant(
        &self,
        inbound: &Inbound,
        from: &PhoneNumber,
        body: &str,
    ) -> Result<Vec<DispatchId>, StoreError> {
        let at = inbound.received_at;
        if let Some(code) = named_code(body) {
            let codes = self.inner.store.list_codes(from, at).await?;
            if let Some(row) = codes.into_iter().find(|row| row.code == code && row.closed_at.is_none()) {
                return Ok(vec![row.dispatch]);
            }
        }
        let mut open = self.inner.store.list_open_dispatches_at(from).await?;
        // What was taken since, before a restart, is not meant.
        open.retain(|id| id.made_at().is_none_or(|made_at| made_at <= at));
        Ok(open)
    }

    /// Which of those that it may be about has it on its time line, and is where an operator is led: the one whose code was given to that
    /// number last, or else the newest.
    async fn pick_told(
        &self,
        inbound: &Inbound,
        from: &PhoneNumber,
        meant: &[DispatchId],
    ) -> Result<Option<DispatchId>, StoreError> {
        if let [one] = meant {
            return Ok(Some(one.clone()));
        }
        let at = inbound.received_at;
        let mut rows = self.inner.store.list_codes(from, at).await?;
        rows.retain(|row| row.opened_at <= at && meant.contains(&row.dispatch));
        let codes: Vec<_> = rows.iter().map(code).collect();
        Ok(newest_open(&codes).map(|at| rows[at].dispatch.clone()).or_else(|| meant.last().cloned()))
    }

    /// Of none it is not.
    async fn is_of_one_account(&self, ids: &[DispatchId]) -> Result<bool, StoreError> {
        let found = self.inner.store.find_dispatches(ids).await?;
        // Of one that cannot be read nobody knows whose it is.
        let account =
            |id: &DispatchId| found.get(id).and_then(|read| read.as_ref().ok()).map(|read| &read.state.account);
        let accounts: BTreeSet<Option<&AccountId>> = ids.iter().map(account).collect();
        Ok(accounts.len() == 1 && !accounts.contains(&None))
    }

    /// For the desks alone: holds the words of the text, and says of which message, or of which, it may be. Leads to that one, or to the
    /// newest of them.
    pub(super) async fn alarm_of_text(
        &self,
        inbound: &Inbound,
        from: &PhoneNumber,
        body: &str,
    ) -> Result<(), StoreError> {
        let meant = or_without(self.list_meant(inbound, from, body).await);
        let now = self.inner.clock.utc();
        let mut about = Vec::new();
        for id in meant.iter().rev().take(MAX_NAMED) {
            about.extend(or_without(self.find_readable_view(id).await).map(|view| named(view, now)));
        }
        let told = or_without(self.pick_told(inbound, from, &meant).await);
        let name = or_without(self.name_of(from, told.as_ref()).await.map(Some)).unwrap_or_else(somebody);
        let text = about_words(&name, &about, meant.len(), body);
        let id = format!("text:{}:{}", inbound.provider, inbound.provider_msg_id);
        self.raise_since(inbound.received_at, id, AlarmLevel::Warning, text, told, None);
        Ok(())
    }
}

/// What an alarm says beside the words that came in. These are settled by now and nobody looks at them again, so it is raised without
/// what cannot be read.
pub(super) fn or_without<T: Default>(read: Result<T, StoreError>) -> T {
    read.unwrap_or_else(|error| {
        tracing::error!(code = error.code(), "an alarm does not say what it is about");
        T::default()
    })
}

/// A message as operators are told of it at `now`: after a start it may be days old. What is held is not named unasked.
pub(super) fn named(view: DispatchView, now: UtcMs) -> String {
    let view = view.for_all();
    let of = clock_by(view.opened_at, now, &view.account.zone);
    if view.headline.is_empty() {
        return format!("{}, held since {of}", view.account.name);
    }
    format!("{}, {}, {of}", view.account.name, view.headline)
}

/// What a text says, and which of `all` messages it may be about.
fn about_words(name: &str, about: &[String], all: usize, body: &str) -> String {
    let words = quoted(body);
    match about {
        [] => format!("{name} sent a text that matches nothing: {words}"),
        [one] if all == 1 => format!("{name} sent a text about {one}: {words}"),
        some => {
            let more = match all.saturating_sub(some.len()) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            format!("{name} sent a text that may be about any of {all} messages ({}{more}): {words}", some.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_of_though_nothing_else_can_be_read() {
        let about: Vec<String> = or_without(Err(StoreError::Missing { what: "message" }));
        assert_eq!(about_words("Ben", &about, about.len(), "on my way"), about_words("Ben", &[], 0, "on my way"));
        assert_eq!(or_without(Ok(Some(1))), Some(1));
    }

    #[test]
    fn an_operator_reads_which_message_a_text_is_about_or_may_be() {
        let of = |n: usize| (0..n).map(|n| format!("Acme, Roe {n}, 02:10")).collect::<Vec<_>>();
        let said = |about: usize, all| about_words("Ben", &of(about), all, "on my way");
        assert_eq!(said(0, 0), "Ben sent a text that matches nothing: \u{201c}on my way\u{201d}");
        assert_eq!(said(1, 1), "Ben sent a text about Acme, Roe 0, 02:10: \u{201c}on my way\u{201d}");
        assert_eq!(
            said(2, 2),
            "Ben sent a text that may be about any of 2 messages (Acme, Roe 0, 02:10; Acme, Roe 1, 02:10): \
             \u{201c}on my way\u{201d}"
        );
        assert!(said(3, 5).contains("Roe 2, 02:10; and 2 more): "), "{}", said(3, 5));
    }
}
