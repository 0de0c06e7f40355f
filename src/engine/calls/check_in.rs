//! Check-ins by telephone: what the store is asked for one, and what is stored of it.
//!
//! A message that was heard is stored among what came in for the dispatcher, which alone applies it, before the caller is
//! told that it is noted. Wrong PINs are counted by account and by caller; beyond the limit no PIN is taken for an hour,
//! which sounds to the caller like a wrong one, and an alarm tells the desks. What always holds: nobody learns by telephone
//! whether it was the PIN or the limit; no PIN stands in a log line, in a record or in the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::greetings;
use super::outbound::{Opened, opens};
use super::record::{CallNews, Line};
use super::task::ToCall;
use super::view::Facts;
use super::{Calls, alarm_text};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, ContactId, DispatchId, OverrideId, ScheduleId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, Contact, Reach, next_morning};
use crate::domain::call::check_in::Wish;
use crate::domain::call::outbound::AskPin;
use crate::domain::checkin::on_call::{Duty, MOST_PEOPLE, Span};
use crate::domain::checkin::pin::Pin;
use crate::domain::checkin::{Held, Input, Looked, Marked, Welcome};
use crate::domain::message::Message;
use crate::domain::message::render::speech;
use crate::domain::oncall::{Override, OverrideAct, Schedule, resolve};
use crate::engine::feed::FeedEvent;
use crate::engine::legs::Later;
use crate::io::media::prompt::Prompt;
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::calls::PINS_LOCKED;
use crate::io::store::check_in::{PinFrom, Tried};
use crate::io::store::inbound::{Arrival, CHECK_INS, Inbound};
use crate::io::store::schedule_history::Noted;
use crate::io::store::{Store, StoreError};

/// How long somebody on the line may be kept waiting for the store.
const PATIENCE: Duration = Duration::from_secs(10);

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
    /// What is held, for this person of the account, whom an operator vouches for; refused, if there is no such person.
    fn vouched<'a>(
        &'a self,
        account: &'a Account,
        contact: &'a ContactId,
        now: UtcMs,
    ) -> Later<'a, Result<Answer, String>>;
    /// Whether a PIN shows that whoever was called at this number is the person the message is for.
    fn opens<'a>(
        &'a self,
        account: &'a AccountId,
        called: &'a PhoneNumber,
        of: &'a AskPin,
        pin: &'a Pin,
        now: UtcMs,
    ) -> Later<'a, Result<Opened, String>>;
    /// Puts on the audit log that a held message is read to them.
    fn read<'a>(&'a self, dispatch: &'a DispatchId, to: &'a Who, at: UtcMs) -> Later<'a, Result<(), String>>;
    /// Stores that a held message was heard, if it still is what was heard; the dispatcher finds it among what came in.
    fn mark<'a>(&'a self, account: &'a Account, heard: &'a Heard) -> Later<'a, Result<Marked, String>>;
    /// Puts somebody on call; the edition of the account from now on.
    fn put_on_call<'a>(&'a self, change: &'a DutyChange) -> Later<'a, Result<u32, String>>;
}

/// A held message that was heard by telephone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub call: CallId,
    pub dispatch: DispatchId,
    /// Which edition of the message.
    pub edition: u32,
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

    fn vouched<'a>(
        &'a self,
        account: &'a Account,
        contact: &'a ContactId,
        now: UtcMs,
    ) -> Later<'a, Result<Answer, String>> {
        Box::pin(async move {
            let welcome = welcome(self, account, Some(contact), now).await.map_err(|e| e.to_string())?;
            Ok(welcome.map_or(Answer::Refused { limit: false }, |welcome| Answer::Welcome(Box::new(welcome))))
        })
    }

    fn opens<'a>(
        &'a self,
        account: &'a AccountId,
        called: &'a PhoneNumber,
        of: &'a AskPin,
        pin: &'a Pin,
        now: UtcMs,
    ) -> Later<'a, Result<Opened, String>> {
        Box::pin(async move { opens(self, account, called, of, pin, now).await.map_err(|e| e.to_string()) })
    }

    fn read<'a>(&'a self, dispatch: &'a DispatchId, to: &'a Who, at: UtcMs) -> Later<'a, Result<(), String>> {
        Box::pin(async move { read(self, dispatch, to, at).await.map_err(|e| e.to_string()) })
    }

    fn mark<'a>(&'a self, account: &'a Account, heard: &'a Heard) -> Later<'a, Result<Marked, String>> {
        Box::pin(async move { mark(self, account, heard).await.map_err(|e| e.to_string()) })
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
    let contacts = store.list_contacts(&account.id).await?;
    // A number of theirs is theirs alone to lock: no stranger's wrong PINs keep out whoever rings from it.
    let known = caller.filter(|caller| is_one_of(&contacts, caller));
    let from = known.map_or(PinFrom::Stranger(caller), PinFrom::Known);
    let mut tx = store.write().await?;
    let found = match tx.try_pin(&account.id, from, pin, now).await? {
        Tried::Right(found) => found,
        refused => {
            tx.audit(Entry::new(now, Who::Nobody, Act::CheckInFailed, account.id.to_string()));
            tx.commit("wrong_pin").await?;
            return Ok(Answer::Refused { limit: refused == Tried::Wrong { locks: true } });
        }
    };
    tx.audit(Entry::new(now, proven(found.contact.as_ref(), &account.id), Act::CheckInOpened, account.id.to_string()));
    tx.commit("right_pin").await?;
    let welcome = welcome(store, account, found.contact.as_ref(), now).await?;
    // Somebody who was removed since has no PIN any more.
    Ok(welcome.map_or(Answer::Refused { limit: false }, |welcome| Answer::Welcome(Box::new(welcome))))
}

fn is_one_of(contacts: &[Contact], caller: &PhoneNumber) -> bool {
    contacts.iter().flat_map(|c| &c.destinations).any(|d| matches!(&d.reach, Reach::Phone(number) if number == caller))
}

/// What is there for this person of the account, or for whoever shares its PIN; nothing for somebody who is not there.
async fn welcome(
    store: &Store,
    account: &Account,
    contact: Option<&ContactId>,
    now: UtcMs,
) -> Result<Option<Welcome>, StoreError> {
    let contacts = store.list_contacts(&account.id).await?;
    let person = contact.and_then(|id| contacts.iter().find(|c| c.id == *id));
    if person.is_none() && contact.is_some() {
        return Ok(None);
    }
    let mut held = Vec::new();
    for id in store.list_held_dispatches(&account.id).await? {
        let Some(read) = store.find_dispatch(&id).await?.filter(|read| read.state.waits_for_check_in()) else {
            continue;
        };
        if let Some(message) = store.find_message(&read.state.message).await? {
            held.push(as_it_is(id, &message, account));
        }
    }
    let schedules = store.list_schedules(&account.id).await?;
    let mut names: BTreeMap<ContactId, String> = contacts.iter().map(|c| (c.id.clone(), c.name.clone())).collect();
    // They are said here and stored nowhere: as somebody wrote that they are said.
    names.extend(store.list_spoken_as(&account.id).await?);
    let duties = schedules.iter().take(MOST_PEOPLE).filter_map(|schedule| duty(schedule, &names, now)).collect();
    let who = person.map_or_else(|| account.name.clone(), |person| person.name.clone());
    let status = account.status_greeting_at(now).map(|status| greetings::status_now(status, &account.zone));
    let morning = next_morning(&account.zone, now).map(|at| speech::spoken_time(at, &account.zone));
    let morning = morning.unwrap_or_default();
    Ok(Some(Welcome { contact: contact.cloned(), vouched_by: None, who, held, duties, status, morning }))
}

/// Whoever a PIN shows to be calling.
fn proven(contact: Option<&ContactId>, account: &AccountId) -> Who {
    contact.map_or_else(|| Who::Account(account.clone()), |contact| Who::Contact(contact.clone()))
}

/// Somebody who has checked in: what they are called, and whose PIN they pressed.
#[derive(Clone, Debug)]
pub(super) struct CheckedIn {
    pub(super) name: String,
    pub(super) proven: Who,
}

impl CheckedIn {
    /// Nobody has yet.
    pub(super) const fn nobody() -> Self {
        Self { name: String::new(), proven: Who::Nobody }
    }

    /// By PIN, or by the word of an operator, who answers for it then.
    pub(super) fn of(welcome: &Welcome, account: &AccountId) -> Self {
        let by_word = welcome.vouched_by.clone().map(Who::User);
        let proven = by_word.unwrap_or_else(|| proven(welcome.contact.as_ref(), account));
        Self { name: welcome.who.clone(), proven }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// What a schedule lets people choose, if there is a choice.
fn duty(schedule: &Schedule, names: &BTreeMap<ContactId, String>, now: UtcMs) -> Option<Duty> {
    let name = |id: &ContactId| names.get(id).cloned();
    let everybody = schedule.people_since(UtcMs(i64::MIN)).into_iter();
    let people = everybody.filter_map(|id| Some((id.clone(), name(id)?)));
    let people: Vec<(ContactId, String)> = people.take(MOST_PEOPLE).collect();
    let hand_off = hand_off(schedule, now).map(|at| speech::spoken_time(at, &schedule.zone));
    let on_call = resolve(schedule, now).and_then(|on_call| {
        let names: Vec<String> = on_call.people().filter_map(name).collect();
        (!names.is_empty()).then(|| names.join(" and "))
    });
    let (id, role) = (schedule.id.clone(), schedule.role.clone());
    (people.len() > 1).then_some(Duty { schedule: id, role, now: on_call, hand_off, people })
}

/// When the rotation goes on to the next, whoever has been put in its place.
fn hand_off(schedule: &Schedule, now: UtcMs) -> Option<UtcMs> {
    let plain = Schedule { overrides: Vec::new(), ..schedule.clone() };
    plain.layers.first()?;
    resolve(&plain, now)?.until
}

fn as_it_is(dispatch: DispatchId, message: &Message, account: &Account) -> Held {
    Held { dispatch, edition: message.edition, words: speech::held(message, account) }
}

async fn read(store: &Store, dispatch: &DispatchId, to: &Who, at: UtcMs) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    let message = tx.find_message_of_dispatch(dispatch).await?;
    let object = message.map_or_else(|| dispatch.to_string(), |message| message.to_string());
    tx.audit(Entry::new(at, to.clone(), Act::CheckInRead, object));
    tx.commit("read_at_check_in").await
}

async fn mark(store: &Store, account: &Account, heard: &Heard) -> Result<Marked, StoreError> {
    let (dispatch, edition) = (heard.dispatch.clone(), Some(heard.edition));
    let inbound = Inbound {
        provider: CHECK_INS.to_owned(),
        // Heard once more after a change, it is another thing to tell.
        provider_msg_id: format!("{} {} {}", heard.call, heard.dispatch, heard.edition),
        received_at: heard.at,
        what: Arrival::ReadAtCheckIn { dispatch, who: heard.who.clone(), by: None, edition },
    };
    let mut tx = store.write().await?;
    let message = match tx.find_dispatch(&heard.dispatch).await? {
        Some(read) => tx.find_message(&read.state.message).await?,
        None => None,
    };
    if let Some(message) = message.filter(|message| message.edition != heard.edition) {
        tx.rollback().await?;
        return Ok(Marked::Changed(Box::new(as_it_is(heard.dispatch.clone(), &message, account))));
    }
    // Marked again, it was heard once.
    if tx.insert_inbound(&inbound).await? {
        let message = tx.find_message_of_dispatch(&heard.dispatch).await?;
        let object = message.map_or_else(|| heard.dispatch.to_string(), |message| message.to_string());
        tx.audit(Entry::new(heard.at, heard.proven.clone(), Act::CheckInHeard, object));
    }
    tx.commit("checked_in").await?;
    Ok(Marked::Noted)
}

async fn put_on_call(store: &Store, change: &DutyChange) -> Result<u32, StoreError> {
    let mut tx = store.write().await?;
    let schedule = tx.find_schedule(&change.schedule).await?.ok_or(StoreError::Missing { what: "schedule" })?;
    let until = match change.span {
        Span::Hours(hours) => change.at.plus_secs(i64::from(hours) * 3_600),
        Span::HandOff => hand_off(&schedule, change.at).ok_or(StoreError::Missing { what: "hand-off" })?,
    };
    let entry = Override {
        id: OverrideId::fresh(change.at),
        act: OverrideAct::Only { contact: change.contact.clone() },
        from: change.at,
        until,
        by: format!("{}, by telephone", change.by),
        made_at: change.at,
        note: String::new(),
    };
    // First: it keeps everybody else out of the schedule and its history until this is written.
    tx.touch_account(&change.account, change.at).await?;
    tx.insert_override(&change.schedule, &entry).await?;
    let contacts = tx.list_contacts(&change.account).await?;
    let by = entry.by.clone();
    let mut after = schedule.clone();
    after.overrides.push(entry);
    let (before, after, who) = (Some(&schedule), Some(&after), &change.proven);
    let noted = Noted { before, after, by: &by, who, at: change.at, undoes: None };
    tx.note_schedule_change(&noted, &contacts).await?;
    let edition = tx.find_account_edition(&change.account).await?.unwrap_or(1);
    let (by, account) = (change.proven.clone(), change.account.to_string());
    tx.audit(Entry::new(change.at, by, Act::CheckInPutOnCall, account));
    tx.commit("put_on_call").await?;
    Ok(edition)
}

impl Calls {
    /// Asks the store what a check-in wants to know or have stored, and tells the call. `who`: who has checked in;
    /// `sent_by`: the operator who vouches, if one does; `spoken`: what they have said last to be kept.
    pub(super) fn serve_check_in(
        self: &Arc<Self>,
        facts: &Facts,
        who: CheckedIn,
        sent_by: Option<UserId>,
        wish: Wish,
        spoken: Option<Arc<Prompt>>,
    ) {
        let (calls, facts, at) = (Arc::clone(self), facts.clone(), self.wiring.clock.utc());
        tokio::spawn(async move {
            let input = match wish {
                Wish::Look { pin } => Input::Looked(calls.look(&facts, &pin, at).await),
                Wish::Vouched { contact } => {
                    let mut looked = calls.look_vouched(&facts, &contact, at).await;
                    if let (Looked::Welcome(welcome), Some(user)) = (&mut looked, sent_by) {
                        let by = calls.name_of(&user).await;
                        welcome.who = format!("{}, vouched for by {by}", welcome.who);
                        welcome.vouched_by = Some(user);
                    }
                    Input::Looked(looked)
                }
                Wish::Read { dispatch } => {
                    let noted = calls.in_time(&facts.id, calls.check_ins.read(&dispatch, &who.proven, at)).await;
                    Input::ReadNoted(noted.is_some())
                }
                Wish::Mark { dispatch, edition } => {
                    let CheckedIn { name: who, proven } = who;
                    let heard = Heard { call: facts.id.clone(), dispatch, edition, who, proven, at };
                    let marked = calls.in_time(&facts.id, calls.check_ins.mark(&facts.account, &heard)).await;
                    let marked = marked.unwrap_or(Marked::Failed);
                    if marked == Marked::Noted {
                        metrics::counter!("cordboard_held_messages_read_total").increment(1);
                        // An error means that the process is stopping.
                        let _ = calls.news.send(CallNews::CheckedIn { call: facts.id.clone() });
                    }
                    Input::Marked(marked)
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
                Wish::PutUpGreeting { until_morning } => {
                    Input::GreetingUp(calls.put_up_greeting(&facts, who, spoken, until_morning, at).await)
                }
                Wish::TakeDownGreeting => Input::GreetingDown(calls.take_down_greeting(&facts, &who, at).await),
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
                    let (call, kind, body) =
                        (facts.id.clone(), PINS_LOCKED.to_owned(), Value::Object(Default::default()));
                    // After a start it is told again by this.
                    self.recorder.write(Line::Event { call, at, kind, body });
                    let text = alarm_text::wrong_pins(&facts.account.name, facts.caller.as_ref());
                    self.raise_of_pins(text, &facts.id, at);
                }
                Looked::Refused
            }
            None => Looked::Failed,
        }
    }

    async fn look_vouched(&self, facts: &Facts, contact: &ContactId, at: UtcMs) -> Looked {
        match self.in_time(&facts.id, self.check_ins.vouched(&facts.account, contact, at)).await {
            Some(Answer::Welcome(welcome)) => Looked::Welcome(welcome),
            Some(Answer::Refused { .. }) => Looked::Refused,
            None => Looked::Failed,
        }
    }

    /// What the store says, if it says it in time.
    pub(super) async fn in_time<T>(&self, call: &CallId, asked: Later<'_, Result<T, String>>) -> Option<T> {
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
