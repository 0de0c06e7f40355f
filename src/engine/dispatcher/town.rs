//! What a dispatch looks up while it decides, read from the store beforehand: the account's people, who is
//! on call, which codes are free.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::base::phone::PhoneNumber;
use crate::domain::account::Contact;
use crate::domain::dispatch::confirm::pick_code;
use crate::domain::dispatch::event::World;
use crate::domain::dispatch::state::State;
use crate::domain::oncall::{OnCall, Schedule, resolve};
use crate::io::store::{StoreError, Tx};

pub(super) struct Town {
    zone: String,
    edition: u32,
    protected: bool,
    contacts: Vec<Contact>,
    schedules: Vec<Schedule>,
    taken: BTreeMap<PhoneNumber, BTreeSet<u16>>,
}

impl Town {
    pub(super) async fn load(tx: &mut Tx, state: &State, now: UtcMs) -> Result<Self, StoreError> {
        // Times of the day are only in steps that hold messages.
        let holds = state.protocol.steps.iter().any(|step| step.method.is_held());
        let zone = if holds { tx.find_account_zone(&state.account).await? } else { None };
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
        Ok(Self { zone: zone.unwrap_or_default(), edition, protected, contacts, schedules, taken })
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

    fn contact(&self, id: &ContactId) -> Option<&Contact> {
        self.contacts.iter().find(|c| c.id == *id)
    }

    fn pick_code(&self, number: &PhoneNumber) -> Option<u16> {
        self.taken.get(number).map_or_else(|| pick_code(&BTreeSet::new()), pick_code)
    }
}
