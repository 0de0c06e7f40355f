//! Check-ins by telephone: what the store is asked for one, and what is stored of it.
//!
//! A message that was heard is stored among what came in for the dispatcher, which alone applies it, before the caller is
//! told that it is noted. Wrong PINs are counted by account and by caller; beyond the limit no PIN is taken for an hour,
//! which sounds to the caller like a wrong one, and an alarm tells the desks. What always holds: nobody learns by telephone
//! whether it was the PIN or the limit; no PIN stands in a log line, in a record or in the store.

use std::sync::Arc;
use std::time::Duration;

use super::record::CallNews;
use super::task::ToCall;
use super::view::Facts;
use super::{Calls, alarm_text};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, ContactId, DispatchId, ScheduleId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, Contact};
use crate::domain::call::check_in::Wish;
use crate::domain::checkin::on_call::{Duty, MOST_PEOPLE, Span};
use crate::domain::checkin::pin::Pin;
use crate::domain::checkin::{Held, Input, Looked, Welcome};
use crate::domain::message::render::speech;
use crate::domain::oncall::{Override, Schedule, resolve};
use crate::engine::feed::{AlarmLevel, FeedEvent};
use crate::engine::legs::Later;
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::check_in::WrongPins;
use crate::io::store::inbound::{Arrival, CHECK_INS, Inbound};
use crate::io::store::{Store, StoreError};

/// How long somebody on the line may be kept waiting for the store.
const PATIENCE: Duration = Duration::from_secs(10);
/// Wrong PINs in an hour after which none is taken any more: from one caller, for one account.
const MOST_OF_CALLER: u32 = 6;
const MOST_OF_ACCOUNT: u32 = 20;

/// What the store says of a PIN.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Nobody's, or one too many. `limit`: this one reached it.
    Refused {
        limit: bool,
    },
    Welcome(Box<Welcome>),
}

/// Where check-ins ask: the store, or a list in tests.
pub trait CheckIns: Send + Sync {
    /// Whose PIN it is, and what is held.
    fn look<'a>(
        &'a self,
        account: &'a Account,
        caller: Option<&'a PhoneNumber>,
        pin: &'a Pin,
        now: UtcMs,
    ) -> Later<'a, Result<Answer, String>>;
    /// Stores that a held message was heard; the dispatcher finds it among what came in.
    fn mark<'a>(&'a self, heard: &'a Heard) -> Later<'a, Result<(), String>>;
    /// Puts somebody on call; the edition of the account from now on.
    fn put_on_call<'a>(&'a self, change: &'a DutyChange) -> Later<'a, Result<u32, String>>;
}

/// A held message that was heard by telephone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub call: CallId,
    pub dispatch: DispatchId,
    pub who: String,
    /// The same, as their PIN proved it.
    pub proven: Who,
    pub at: UtcMs,
}

/// Somebody else on call, by word of whoever checked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DutyChange {
    pub account: AccountId,
    pub schedule: ScheduleId,
    pub contact: ContactId,
    pub span: Span,
    /// Who said so.
    pub by: String,
    /// The same, as their PIN proved it.
    pub proven: Who,
    pub at: UtcMs,
}

const fn is_locked(wrong: WrongPins) -> bool {
    wrong.of_caller >= MOST_OF_CALLER || wrong.of_account >= MOST_OF_ACCOUNT
}

impl CheckIns for Store {
    fn look<'a>(
        &'a self,
        account: &'a Account,
        caller: Option<&'a PhoneNumber>,
        pin: &'a Pin,
        now: UtcMs,
    ) -> Later<'a, Result<Answer, String>> {
        Box::pin(async move { look(self, account, caller, pin, now).await.map_err(|e| e.to_string()) })
    }

    fn mark<'a>(&'a self, heard: &'a Heard) -> Later<'a, Result<(), String>> {
        Box::pin(async move { mark(self, heard).await.map_err(|e| e.to_string()) })
    }

    fn put_on_call<'a>(&'a self, change: &'a DutyChange) -> Later<'a, Result<u32, String>> {
        Box::pin(async move { put_on_call(self, change).await.map_err(|e| e.to_string()) })
    }
}

async fn look(
    store: &Store,
    account: &Account,
    caller: Option<&PhoneNumber>,
    pin: &Pin,
    now: UtcMs,
) -> Result<Answer, StoreError> {
    let locked = is_locked(store.count_wrong_pins(&account.id, caller, now).await?);
    let found = store.find_pin(&account.id, pin).await?;
    let Some(found) = found.filter(|_| !locked) else {
        // Tries beyond the limit prolong it.
        let mut tx = store.write().await?;
        tx.insert_wrong_pin(&account.id, caller, now).await?;
        let wrong = tx.count_wrong_pins(&account.id, caller, now).await?;
        tx.audit(Entry::new(now, Who::Nobody, Act::CheckInFailed, account.id.to_string()));
        tx.commit("wrong_pin").await?;
        return Ok(Answer::Refused { limit: !locked && is_locked(wrong) });
    };
    let mut tx = store.write().await?;
    tx.audit(Entry::new(now, proven(found.contact.as_ref(), &account.id), Act::CheckInOpened, account.id.to_string()));
    tx.commit("right_pin").await?;
    let contacts = store.list_contacts(&account.id).await?;
    let person = found.contact.as_ref().and_then(|id| contacts.iter().find(|c| c.id == *id));
    let mut held = Vec::new();
    for id in store.list_held_dispatches(&account.id).await? {
        let Some(read) = store.find_dispatch(&id).await?.filter(|read| read.state.waits_for_check_in()) else {
            continue;
        };
        if let Some(message) = store.find_message(&read.state.message).await? {
            held.push(Held { dispatch: id, words: speech::held(&message, account) });
        }
    }
    let schedules = store.list_schedules(&account.id).await?;
    let duties = schedules.iter().take(MOST_PEOPLE).filter_map(|schedule| duty(schedule, &contacts, now)).collect();
    let who = person.map_or_else(|| account.name.clone(), |person| person.name.clone());
    Ok(Answer::Welcome(Box::new(Welcome { contact: found.contact, who, held, duties })))
}

/// Whoever a PIN shows to be calling.
fn proven(contact: Option<&ContactId>, account: &AccountId) -> Who {
    contact.map_or_else(|| Who::Account(account.clone()), |contact| Who::Contact(contact.clone()))
}

/// Somebody who has checked in: what they are called, and whose PIN they pressed.
#[derive(Clone, Debug)]
pub(super) struct CheckedIn {
    name: String,
    proven: Who,
}

impl CheckedIn {
    /// Nobody has yet.
    pub(super) const fn nobody() -> Self {
        Self { name: String::new(), proven: Who::Nobody }
    }

    pub(super) fn of(welcome: &Welcome, account: &AccountId) -> Self {
        Self { name: welcome.who.clone(), proven: proven(welcome.contact.as_ref(), account) }
    }
}

/// What a schedule lets people choose, if there is a choice.
fn duty(schedule: &Schedule, contacts: &[Contact], now: UtcMs) -> Option<Duty> {
    let name = |id: &ContactId| contacts.iter().find(|c| c.id == *id).map(|c| c.name.clone());
    let rotation = schedule.rotation.iter().flat_map(|rotation| &rotation.people);
    let mut people: Vec<(ContactId, String)> = Vec::new();
    for id in rotation.chain(&schedule.fallback).chain(schedule.overrides.iter().map(|o| &o.contact)) {
        if let Some(name) = name(id).filter(|_| !people.iter().any(|(known, _)| known == id)) {
            people.push((id.clone(), name));
        }
    }
    people.truncate(MOST_PEOPLE);
    let hand_off = hand_off(schedule, now).map(|at| speech::spoken_time(at, &schedule.zone));
    let on_call = resolve(schedule, now).and_then(|on_call| name(&on_call.contact));
    let (id, role) = (schedule.id.clone(), schedule.role.clone());
    (people.len() > 1).then_some(Duty { schedule: id, role, now: on_call, hand_off, people })
}

/// When the rotation goes on to the next, whoever has been put in its place.
fn hand_off(schedule: &Schedule, now: UtcMs) -> Option<UtcMs> {
    let plain = Schedule { overrides: Vec::new(), ..schedule.clone() };
    plain.rotation.as_ref()?;
    resolve(&plain, now)?.until
}

async fn mark(store: &Store, heard: &Heard) -> Result<(), StoreError> {
    let inbound = Inbound {
        provider: CHECK_INS.to_owned(),
        provider_msg_id: format!("{} {}", heard.call, heard.dispatch),
        received_at: heard.at,
        what: Arrival::ReadAtCheckIn { dispatch: heard.dispatch.clone(), who: heard.who.clone(), by: None },
    };
    let mut tx = store.write().await?;
    // Marked again, it was heard once.
    if tx.insert_inbound(&inbound).await? {
        let message = tx.find_message_of_dispatch(&heard.dispatch).await?;
        let object = message.map_or_else(|| heard.dispatch.to_string(), |message| message.to_string());
        tx.audit(Entry::new(heard.at, heard.proven.clone(), Act::CheckInHeard, object));
    }
    tx.commit("checked_in").await
}

async fn put_on_call(store: &Store, change: &DutyChange) -> Result<u32, StoreError> {
    let mut tx = store.write().await?;
    let schedule = tx.find_schedule(&change.schedule).await?.ok_or(StoreError::Missing { what: "schedule" })?;
    let until = match change.span {
        Span::Hours(hours) => change.at.plus_secs(i64::from(hours) * 3_600),
        Span::HandOff => hand_off(&schedule, change.at).ok_or(StoreError::Missing { what: "hand-off" })?,
    };
    let entry = Override {
        contact: change.contact.clone(),
        from: change.at,
        until,
        by: format!("{}, by telephone", change.by),
        made_at: change.at,
    };
    tx.insert_override(&change.schedule, &entry).await?;
    tx.touch_account(&change.account, change.at).await?;
    let edition = tx.find_account_edition(&change.account).await?.unwrap_or(1);
    let (by, account) = (change.proven.clone(), change.account.to_string());
    tx.audit(Entry::new(change.at, by, Act::CheckInPutOnCall, account));
    tx.commit("put_on_call").await?;
    Ok(edition)
}

impl Calls {
    /// Asks the store what a check-in wants to know or have stored, and tells the call. `who`: who has checked in.
    pub(super) fn serve_check_in(self: &Arc<Self>, facts: &Facts, who: CheckedIn, wish: Wish) {
        let (calls, facts, at) = (Arc::clone(self), facts.clone(), self.wiring.clock.utc());
        tokio::spawn(async move {
            let input = match wish {
                Wish::Look { pin } => Input::Looked(calls.look(&facts, &pin, at).await),
                Wish::Mark { dispatch } => {
                    let CheckedIn { name: who, proven } = who;
                    let heard = Heard { call: facts.id.clone(), dispatch, who, proven, at };
                    let stored = calls.in_time(&facts.id, calls.check_ins.mark(&heard)).await.is_some();
                    if stored {
                        metrics::counter!("cordboard_held_messages_read_total").increment(1);
                        // An error means that the process is stopping.
                        let _ = calls.news.send(CallNews::CheckedIn { call: facts.id.clone() });
                    }
                    Input::Marked(stored)
                }
                Wish::PutOnCall { schedule, contact, span } => {
                    let account = facts.account.id.clone();
                    let CheckedIn { name: by, proven } = who;
                    let change = DutyChange { account: account.clone(), schedule, contact, span, by, proven, at };
                    let edition = calls.in_time(&facts.id, calls.check_ins.put_on_call(&change)).await;
                    if let Some(edition) = edition {
                        calls.feed.publish(FeedEvent::Account { id: account, edition });
                    }
                    Input::PutOnCall(edition.is_some())
                }
            };
            // An error means that the call is over.
            let _ = calls.to_call(&facts.id, ToCall::CheckIn(input));
        });
    }

    async fn look(self: &Arc<Self>, facts: &Facts, pin: &Pin, at: UtcMs) -> Looked {
        let asked = self.check_ins.look(&facts.account, facts.caller.as_ref(), pin, at);
        match self.in_time(&facts.id, asked).await {
            Some(Answer::Welcome(welcome)) => Looked::Welcome(welcome),
            Some(Answer::Refused { limit }) => {
                metrics::counter!("cordboard_wrong_pins_total").increment(1);
                if limit {
                    tracing::warn!(call = %facts.id, account = %facts.account.id, "too many wrong PINs: none is taken for an hour");
                    let text = alarm_text::wrong_pins(&facts.account.name);
                    self.raise(AlarmLevel::Warning, text, Some(&facts.id));
                }
                Looked::Refused
            }
            None => Looked::Failed,
        }
    }

    /// What the store says, if it says it in time.
    async fn in_time<T>(&self, call: &CallId, asked: Later<'_, Result<T, String>>) -> Option<T> {
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(why)) => {
                tracing::error!(%call, "the store failed a check-in: {why}");
                None
            }
            Err(_) => {
                tracing::error!(%call, "the store did not answer a check-in in time");
                None
            }
        }
    }
}
