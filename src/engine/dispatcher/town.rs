//! What a dispatch looks up while it decides, read from the store beforehand: the account's people, who is
//! on call, which codes are free.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallTypeId, ContactId, MessageId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, CallType, Contact};
use crate::domain::dispatch::confirm::pick_code;
use crate::domain::dispatch::event::World;
use crate::domain::dispatch::protocol::{Protocol, Step};
use crate::domain::dispatch::state::State;
use crate::domain::dispatch::stopped::takes_texts;
use crate::domain::message::Message;
use crate::domain::message::form::Answers;
use crate::domain::oncall::{OnCall, Schedule, resolve};
use crate::io::store::decisions::MessageHead;
use crate::io::store::dispatch::StoredDispatch;
use crate::io::store::{StoreError, Tx};

/// Numbers asked for their codes at once.
const NUMBERS: usize = 32;

type Taken = BTreeMap<PhoneNumber, BTreeSet<u16>>;

pub(super) struct Town {
    zone: String,
    head: MessageHead,
    /// Only for a protocol with conditions, which ask about them.
    message: Option<Message>,
    account: Option<Arc<Account>>,
    people: Arc<People>,
    taken: Arc<Taken>,
}

/// An account's people, and who of them is on call.
#[derive(Default)]
struct People {
    contacts: Vec<Contact>,
    schedules: Vec<Schedule>,
    /// Who has a PIN of their own; of an account that has nothing protected here, nobody.
    own_pins: BTreeSet<ContactId>,
}

/// The same for several dispatches that are decided about one after the other, of whichever accounts, read at once.
pub(super) struct Towns {
    heads: HashMap<MessageId, MessageHead>,
    /// Of those whose protocols have conditions.
    messages: HashMap<MessageId, Message>,
    /// Of these, and of those that hold messages.
    accounts: HashMap<AccountId, Arc<Account>>,
    people: HashMap<AccountId, Arc<People>>,
    taken: Arc<Taken>,
}

impl Town {
    /// For one event. `next`: the protocol by which it goes on, should the event change that.
    pub(super) async fn load(
        tx: &mut Tx,
        read: &StoredDispatch,
        next: Option<&Protocol>,
        now: UtcMs,
    ) -> Result<Self, StoreError> {
        Ok(Towns::read(tx, &[read], next, now).await?.town(&read.state))
    }
}

impl Towns {
    /// For one event of each of these dispatches.
    pub(super) async fn load(tx: &mut Tx, read: &[&StoredDispatch], now: UtcMs) -> Result<Self, StoreError> {
        Self::read(tx, read, None, now).await
    }

    async fn read(
        tx: &mut Tx,
        read: &[&StoredDispatch],
        next: Option<&Protocol>,
        now: UtcMs,
    ) -> Result<Self, StoreError> {
        let states: Vec<&State> = read.iter().map(|read| &read.state).collect();
        let heads = read.iter().map(|read| (read.state.message.clone(), read.head.clone())).collect();
        // Times of the day are in steps that hold messages, in conditions, and in the hours of destinations.
        let asks = |state: &State| steps(state, next).any(|step| !step.only.is_empty());
        let tells_time = |state: &State| asks(state) || steps(state, next).any(|step| step.method.is_held());
        let all_accounts: BTreeSet<&AccountId> = states.iter().map(|state| &state.account).collect();
        let asked: BTreeSet<&MessageId> =
            states.iter().filter(|state| asks(state)).map(|state| &state.message).collect();
        let timed: BTreeSet<&AccountId> =
            states.iter().filter(|state| tells_time(state)).map(|state| &state.account).collect();
        let protected: BTreeSet<&AccountId> =
            read.iter().filter(|read| read.head.protected).map(|read| &read.state.account).collect();
        let (all_accounts, asked, timed, protected) =
            (owned(all_accounts), owned(asked), owned(timed), owned(protected));
        let messages = tx.find_messages(&asked).await?.into_iter().map(|m| (m.id.clone(), m)).collect();
        let mut people: HashMap<AccountId, People> = HashMap::with_capacity(all_accounts.len());
        let mut numbers = BTreeSet::new();
        let mut timed = timed;
        for contact in tx.list_contacts_of(&all_accounts).await? {
            // Hours of destinations are in the account's zone.
            if contact.destinations.iter().any(|d| !d.hours.is_empty()) && !timed.contains(&contact.account) {
                timed.push(contact.account.clone());
            }
            numbers.extend(contact.destinations.iter().filter_map(|d| d.reach.phone().cloned()));
            people.entry(contact.account.clone()).or_default().contacts.push(contact);
        }
        let accounts = tx.find_accounts(&timed).await?.into_iter().map(|a| (a.id.clone(), Arc::new(a))).collect();
        for schedule in tx.list_schedules_of(&all_accounts).await? {
            people.entry(schedule.account.clone()).or_default().schedules.push(schedule);
        }
        for (account, contact) in tx.list_own_pins(&protected).await? {
            people.entry(account).or_default().own_pins.insert(contact);
        }
        let mut taken = Taken::new();
        let numbers: Vec<PhoneNumber> = numbers.into_iter().collect();
        for numbers in numbers.chunks(NUMBERS) {
            for (number, code) in tx.list_taken_codes(numbers, now).await? {
                taken.entry(number).or_default().insert(code);
            }
        }
        let people = people.into_iter().map(|(id, people)| (id, Arc::new(people))).collect();
        Ok(Self { heads, messages, accounts, people, taken: Arc::new(taken) })
    }

    /// What this dispatch looks up.
    pub(super) fn town(&self, state: &State) -> Town {
        let message = self.messages.get(&state.message).cloned();
        let account = self.accounts.get(&state.account);
        Town {
            zone: account.map(|account| account.zone.clone()).unwrap_or_default(),
            head: self.heads.get(&state.message).cloned().unwrap_or_default(),
            account: account.filter(|_| message.is_some()).cloned(),
            message,
            people: self.people.get(&state.account).cloned().unwrap_or_default(),
            taken: Arc::clone(&self.taken),
        }
    }

    /// Its message was taken on a call.
    pub(super) fn comes_from_a_call(&self, state: &State) -> bool {
        self.heads.get(&state.message).is_some_and(|head| head.call.is_some())
    }

    /// Codes that a decision has given out are free to no other.
    pub(super) fn take_codes(&mut self, after: &State) {
        for (number, code, _) in after.codes() {
            if !self.taken.get(number).is_some_and(|codes| codes.contains(&code)) {
                Arc::make_mut(&mut self.taken).entry(number.clone()).or_default().insert(code);
            }
        }
    }
}

fn steps<'a>(state: &'a State, next: Option<&'a Protocol>) -> impl Iterator<Item = &'a Step> {
    state.protocol.steps.iter().chain(next.into_iter().flat_map(|protocol| &protocol.steps))
}

fn owned<T: Clone>(ids: BTreeSet<&T>) -> Vec<T> {
    ids.into_iter().cloned().collect()
}

impl World for Town {
    fn on_call(&self, role: &str, at: UtcMs) -> Option<OnCall> {
        resolve(self.people.schedules.iter().find(|s| s.role == role)?, at)
    }

    fn zone(&self) -> &str {
        &self.zone
    }

    fn edition(&self) -> u32 {
        self.head.edition
    }

    fn is_protected(&self) -> bool {
        self.head.protected
    }

    fn has_own_pin(&self, contact: &ContactId) -> bool {
        self.people.own_pins.contains(contact)
    }

    fn call_types(&self) -> &[CallType] {
        self.account.as_ref().map_or(&[], |account| &account.call_types)
    }

    fn call_type(&self) -> Option<&CallTypeId> {
        self.message.as_ref().map(|message| &message.call_type)
    }

    fn answers(&self) -> Option<&Answers> {
        self.message.as_ref().map(|message| &message.answers)
    }

    fn window(&self, at: UtcMs) -> Option<String> {
        self.account.as_ref()?.window_at(at)
    }

    fn contact(&self, id: &ContactId) -> Option<&Contact> {
        self.people.contacts.iter().find(|c| c.id == *id)
    }

    fn takes_texts(&self, number: &PhoneNumber) -> Option<bool> {
        takes_texts(&self.people.contacts, number)
    }

    fn pick_code(&self, number: &PhoneNumber) -> Option<u16> {
        self.taken.get(number).map_or_else(|| pick_code(&BTreeSet::new()), pick_code)
    }
}
