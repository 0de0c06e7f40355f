//! Greetings that people speak in by telephone: where they are kept, and the status greeting that a check-in puts up.
//!
//! What always holds: the sound is kept before anything names it; a change is stored before whoever made it is told; the
//! next call hears it.

use std::sync::Arc;

use super::Calls;
use super::check_in::CheckedIn;
use super::view::Facts;
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, UserId};
use crate::domain::account::{Speech, StatusGreeting, next_morning};
use crate::domain::checkin::status_greeting::StatusNow;
use crate::domain::message::render::speech::spoken_time;
use crate::engine::feed::FeedEvent;
use crate::engine::legs::Later;
use crate::io::media::prompt::Prompt;
use crate::io::speech::{Kept, Speaker};
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::greetings::AccountRecording;
use crate::io::store::{Store, StoreError};

/// Where greetings are kept.
pub trait Greetings: Send + Sync {
    /// Keeps what an editor has spoken in, for the account to choose.
    fn keep<'a>(&'a self, greeting: &'a Spoken) -> Later<'a, Result<Kept, String>>;
    /// Callers hear it before the greeting from now on; the edition of the account.
    fn put_up<'a>(&'a self, status: &'a Status) -> Later<'a, Result<(StatusGreeting, u32), String>>;
    /// They no longer do; the edition of the account. `by`: by name; `proven`: for the audit log.
    fn take_down<'a>(
        &'a self,
        account: &'a AccountId,
        by: &'a str,
        proven: &'a Who,
        at: UtcMs,
    ) -> Later<'a, Result<u32, String>>;
}

/// A greeting that somebody has spoken in.
#[derive(Clone, Debug)]
pub struct Spoken {
    pub account: AccountId,
    pub by: UserId,
    pub at: UtcMs,
    pub prompt: Arc<Prompt>,
}

/// A status greeting that a client's person has spoken in.
#[derive(Clone, Debug)]
pub struct Status {
    pub account: AccountId,
    /// Who it is, by name.
    pub by: String,
    /// Who that is for the audit log.
    pub proven: Who,
    pub at: UtcMs,
    pub until: Option<UtcMs>,
    pub prompt: Arc<Prompt>,
}

/// The store, and the voice that keeps the sounds.
pub struct GreetingBook {
    store: Store,
    voice: Arc<Speaker>,
}

impl GreetingBook {
    pub const fn new(store: Store, voice: Arc<Speaker>) -> Self {
        Self { store, voice }
    }

    async fn note(&self, greeting: &Spoken, kept: &Kept) -> Result<(), StoreError> {
        let made = AccountRecording {
            recording: kept.recording.clone(),
            millis: u32::try_from(kept.millis).unwrap_or(u32::MAX),
            made_by: greeting.by.clone(),
            made_at: greeting.at,
        };
        let mut tx = self.store.write().await?;
        tx.insert_account_recording(&greeting.account, &made).await?;
        tx.commit("account_recording").await
    }

    async fn raise(&self, status: &Status, recording: &str) -> Result<(StatusGreeting, u32), StoreError> {
        let speech = Speech::Uploaded { recording: recording.to_owned() };
        let up = StatusGreeting { speech, words: None, by: status.by.clone(), at: status.at, until: status.until };
        let mut tx = self.store.write().await?;
        tx.insert_status_greeting(&status.account, recording, &up).await?;
        tx.touch_account(&status.account, status.at).await?;
        tx.audit(Entry::new(status.at, status.proven.clone(), Act::StatusGreetingUp, status.account.to_string()));
        let edition = tx.find_account_edition(&status.account).await?.unwrap_or(1);
        tx.commit("status_greeting").await?;
        Ok((up, edition))
    }
}

/// Takes an account's status greeting down; the edition of the account from now on.
pub async fn end_status_greeting(
    store: &Store,
    account: &AccountId,
    by: &str,
    proven: Who,
    at: UtcMs,
) -> Result<u32, StoreError> {
    let mut tx = store.write().await?;
    if tx.end_status_greeting(account, by, at).await? {
        tx.touch_account(account, at).await?;
        tx.audit(Entry::new(at, proven, Act::StatusGreetingDown, account.to_string()));
    }
    let edition = tx.find_account_edition(account).await?.unwrap_or(1);
    tx.commit("end_status_greeting").await?;
    Ok(edition)
}

impl Greetings for GreetingBook {
    fn keep<'a>(&'a self, greeting: &'a Spoken) -> Later<'a, Result<Kept, String>> {
        Box::pin(async move {
            let kept = self.voice.keep_prompt(&greeting.prompt).await.map_err(|why| why.to_string())?;
            self.note(greeting, &kept).await.map_err(|why| why.to_string())?;
            Ok(kept)
        })
    }

    fn put_up<'a>(&'a self, status: &'a Status) -> Later<'a, Result<(StatusGreeting, u32), String>> {
        Box::pin(async move {
            let kept = self.voice.keep_prompt(&status.prompt).await.map_err(|why| why.to_string())?;
            // The next caller hears it, and waits for no disk.
            let speech = Speech::Uploaded { recording: kept.recording.clone() };
            self.voice.prepare(&speech).await.map_err(|why| why.to_string())?;
            self.raise(status, &kept.recording).await.map_err(|why| why.to_string())
        })
    }

    fn take_down<'a>(
        &'a self,
        account: &'a AccountId,
        by: &'a str,
        proven: &'a Who,
        at: UtcMs,
    ) -> Later<'a, Result<u32, String>> {
        Box::pin(async move {
            let down = end_status_greeting(&self.store, account, by, proven.clone(), at);
            down.await.map_err(|why| why.to_string())
        })
    }
}

/// A status greeting as whoever checks in is told of it.
pub(super) fn status_now(status: &StatusGreeting, zone: &str) -> StatusNow {
    let since = spoken_time(status.at, zone);
    let until = status.until.map(|until| format!(", until {}", spoken_time(until, zone))).unwrap_or_default();
    let words = format!("Your callers hear a status greeting by {}, since {since}{until}", status.by);
    StatusNow { speech: status.speech.clone(), words: format!("{}.", words.trim_end_matches('.')) }
}

impl Calls {
    /// What whoever checked in has spoken is heard by callers from now on; none: it could not be stored.
    pub(super) async fn put_up_greeting(
        &self,
        facts: &Facts,
        by: CheckedIn,
        spoken: Option<Arc<Prompt>>,
        until_morning: bool,
        at: UtcMs,
    ) -> Option<StatusNow> {
        let account = &facts.account;
        let until = if until_morning { Some(next_morning(&account.zone, at)?) } else { None };
        let CheckedIn { name: by, proven } = by;
        let status = Status { account: account.id.clone(), by, proven, at, until, prompt: spoken? };
        let (up, edition) = self.in_time(&facts.id, self.greetings.put_up(&status)).await?;
        metrics::counter!("cordboard_status_greetings_total").increment(1);
        self.feed.publish(FeedEvent::Account { id: account.id.clone(), edition });
        Some(status_now(&up, &account.zone))
    }

    /// Callers no longer hear it. False: that could not be stored.
    pub(super) async fn take_down_greeting(&self, facts: &Facts, by: &CheckedIn, at: UtcMs) -> bool {
        let account = facts.account.id.clone();
        let down = self.greetings.take_down(&account, &by.name, &by.proven, at);
        let Some(edition) = self.in_time(&facts.id, down).await else {
            return false;
        };
        self.feed.publish(FeedEvent::Account { id: account, edition });
        true
    }
}
