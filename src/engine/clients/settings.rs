//! What a client sets of their account by themselves: holidays, and the status greeting that callers hear before everything else.
//!
//! What always holds: a client chooses among the ways that the service has set up (a holiday goes like another day), and what
//! is said is spoken from their own words, or stays the recording that was there.

use serde::{Deserialize, Serialize};

use super::{Clients, Refusal};
use crate::base::clock::UtcMs;
use crate::base::id::AccountId;
use crate::domain::account::fault::{Faults, Text};
use crate::domain::account::flow::Flow;
use crate::domain::account::hours::{Holiday, Hours, Span};
use crate::domain::account::{Account, Speech, StatusGreeting};
use crate::engine::feed::FeedEvent;
use crate::io::store::audit::{Act, Entry};

use super::Changed;

const MAX_WORDS: usize = 600;

/// A holiday as a client writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolidayEdit {
    pub name: String,
    /// `2026-11-26`, or `12-25` for every year.
    pub date: String,
    /// Only these hours of it; none: all day.
    #[serde(default)]
    pub span: Option<Span>,
    /// Spoken in place of the usual greeting; a recording only where it was there before.
    #[serde(default)]
    pub greeting: Option<Speech>,
    /// Which day calls go like: the name of a holiday or a window that is there; none: like a usual one.
    #[serde(default)]
    pub like: Option<String>,
}

impl HolidayEdit {
    /// A holiday as it stands.
    pub fn of(holiday: &Holiday, usual: &Flow) -> Self {
        Self {
            name: holiday.name.clone(),
            date: holiday.date.clone(),
            span: holiday.span.clone(),
            greeting: holiday.greeting.clone(),
            like: (holiday.flow != *usual).then(|| holiday.name.clone()),
        }
    }
}

impl Clients {
    /// Writes an account's holidays, whole, as it was read as of `edition`.
    pub async fn set_holidays(
        &self,
        id: &AccountId,
        edition: u32,
        holidays: &[HolidayEdit],
    ) -> Result<Changed<Account>, Refusal> {
        let account = self.store.find_account(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        let mut faults = Faults::default();
        let days = holidays.iter().enumerate().filter_map(|(at, day)| written(&mut faults, at, day, &account.hours));
        let days: Vec<Holiday> = days.collect();
        let days = faults.unless(days).map_err(Refusal::Faulty)?;
        let hours = Hours { holidays: days, ..account.hours };
        // Refused there if the account is another by now.
        self.set_flow(id, Some(edition), hours, account.menus).await
    }

    /// Callers hear these words before the greeting from the next call on, in the name of `by`.
    pub async fn put_up_status(
        &self,
        id: &AccountId,
        words: &str,
        until: Option<UtcMs>,
        by: &str,
    ) -> Result<u32, Refusal> {
        let now = self.clock.utc();
        let mut faults = Faults::default();
        let line = Text::line("/text", "status_greeting.text", "What is to be said", MAX_WORDS).lines();
        let text = faults.text(words, &line);
        if until.is_some_and(|until| until <= now) {
            let cure = "Choose a later end, or none.";
            faults.add("/until", "status_greeting.past", "This would be over already.", cure);
        }
        faults.unless(()).map_err(Refusal::Faulty)?;
        self.store.find_account_edition(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        // The voice first, as nothing but the store is waited for in a transaction.
        let unsaid = |why: crate::io::speech::SpeechError| {
            tracing::warn!(account = %id, "the voice engine fails: {why}");
            let mut faults = Faults::default();
            let cure = "Tell the service: its voice engine is not there.";
            faults.add("/text", "speech.no_voice", "This cannot be said to callers now.", cure);
            Refusal::Faulty(faults.into_list())
        };
        let prompt = self.voice.prepare(&Speech::Spoken { text: text.clone() }).await.map_err(unsaid)?;
        let kept = self.voice.keep_prompt(&prompt).await.map_err(unsaid)?;
        let speech = Speech::Uploaded { recording: kept.recording.clone() };
        let status = StatusGreeting { speech, words: Some(text), by: by.to_owned(), at: now, until };
        let mut tx = self.store.write().await?;
        tx.insert_status_greeting(id, &kept.recording, &status).await?;
        tx.touch_account(id, now).await?;
        tx.audit(Entry::new(now, self.by.clone(), Act::StatusGreetingUp, id.to_string()));
        let edition = tx.find_account_edition(id).await?.unwrap_or(1);
        tx.commit("write_status_greeting").await?;
        self.feed.publish(FeedEvent::Account { id: id.clone(), edition });
        Ok(edition)
    }
}

/// A holiday as it would be kept; none, with what is wrong.
fn written(faults: &mut Faults, at: usize, day: &HolidayEdit, hours: &Hours) -> Option<Holiday> {
    let known = hours.holidays.iter().find(|h| h.name == day.name);
    let flow = match &day.like {
        None => Some(hours.usual.clone()),
        Some(like) => {
            let holiday = hours.holidays.iter().find(|h| h.name == *like).map(|h| h.flow.clone());
            holiday.or_else(|| hours.windows.iter().find(|w| w.name == *like).map(|w| w.flow.clone()))
        }
    };
    if flow.is_none() {
        let cure = "Name a holiday or a window that is there, or none.";
        faults.add(format!("/holidays/{at}/like"), "holiday.like", "There is no such day to go like.", cure);
    }
    let stands = |speech: &Speech| known.and_then(|h| h.greeting.as_ref()) == Some(speech);
    if day.greeting.as_ref().is_some_and(|speech| !matches!(speech, Speech::Spoken { .. }) && !stands(speech)) {
        let cure = "Write what is to be spoken, or ask the service to record it.";
        faults.add(format!("/holidays/{at}/greeting"), "holiday.greeting", "This recording is not this day's.", cure);
    }
    Some(Holiday {
        name: day.name.clone(),
        date: day.date.clone(),
        span: day.span.clone(),
        greeting: day.greeting.clone(),
        flow: flow?,
    })
}
