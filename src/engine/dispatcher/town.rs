//! What a dispatch looks up while it decides, read from the store beforehand: the account's people, who is
//! on call, which codes are free.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::clock::UtcMs;
use crate::base::id::{CallTypeId, ContactId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, CallType, Contact};
use crate::domain::dispatch::confirm::pick_code;
use crate::domain::dispatch::event::World;
use crate::domain::dispatch::protocol::Protocol;
use crate::domain::dispatch::state::State;
use crate::domain::message::Message;
use crate::domain::message::form::Answers;
use crate::domain::oncall::{OnCall, Schedule, resolve};
use crate::io::store::{StoreError, Tx};

pub(super) struct Town {
    zone: String,
    edition: u32,
    protected: bool,
    /// Only for a protocol with conditions, which ask about them.
    message: Option<Message>,
    account: Option<Account>,
    contacts: Vec<Contact>,
    schedules: Vec<Schedule>,
    taken: BTreeMap<PhoneNumber, BTreeSet<u16>>,
}

impl Town {
    /// For one event. `next`: the protocol by which it goes on, should the event change that.
    pub(super) async fn load(
        tx: &mut Tx,
        state: &State,
        next: Option<&Protocol>,
        now: UtcMs,
    ) -> Result<Self, StoreError> {
        // Times of the day are only in steps that hold messages, and in conditions.
        let steps = || state.protocol.steps.iter().chain(next.into_iter().flat_map(|protocol| &protocol.steps));
        let (mut message, mut account) = (None, None);
        if steps().any(|step| !step.only.is_empty()) {
            message = tx.find_message(&state.message).await?;
            account = tx.find_account(&state.account).await?;
        }
        let zone = match &account {
            Some(account) => Some(account.zone.clone()),
            None if steps().any(|step| step.method.is_held()) => tx.find_account_zone(&state.account).await?,
            None => None,
        };
        let edition = tx.find_message_edition(&state.message).await?.unwrap_or_default();
        let protected = tx.is_protected(&state.message).await?;
        let contacts = tx.list_contacts(&state.account).await?;
        let schedules = tx.list_schedules(&state.account).await?;
        let mut numbers: Vec<PhoneNumber> =
            contacts.iter().flat_map(|c| &c.destinations).filter_map(|d| d.reach.phone().cloned()).collect();
        numbers.sort();
        numbers.dedup();
        let mut taken: BTreeMap<PhoneNumber, BTreeSet<u16>> = BTreeMap::new();
        for (number, code) in tx.list_taken_codes(&numbers, now).await? {
            taken.entry(number).or_default().insert(code);
        }
        Ok(Self { zone: zone.unwrap_or_default(), edition, protected, message, account, contacts, schedules, taken })
    }
}

impl World for Town {
    fn on_call(&self, role: &str, at: UtcMs) -> Option<OnCall> {
        resolve(self.schedules.iter().find(|s| s.role == role)?, at)
    }

    fn zone(&self) -> &str {
        &self.zone
    }

    fn edition(&self) -> u32 {
        self.edition
    }

    fn is_protected(&self) -> bool {
        self.protected
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
        self.contacts.iter().find(|c| c.id == *id)
    }

    fn pick_code(&self, number: &PhoneNumber) -> Option<u16> {
        self.taken.get(number).map_or_else(|| pick_code(&BTreeSet::new()), pick_code)
    }
}
