//! Makes contacts, destinations and schedules out of few words.

use crate::base::id::{AccountId, ContactId, DestinationId, ScheduleId};
use crate::domain::account::{Contact, Destination, Reach};
use crate::domain::oncall::{Layer, ONLY_LAYER, Rotation, Schedule, ShiftLength};

use super::number;

/// How long a demo's phone is let ring.
const RING_SECS: u32 = 30;

/// A person with the ways to reach them: `(label, number, email address, or `inbox:` and where its notices go)`.
pub fn contact(account: &str, key: &str, name: &str, title: &str, reached: &[(&str, &str)]) -> Contact {
    let destination = |(label, address): &(&str, &str)| Destination {
        id: DestinationId::named(&format!("{key}-{label}")),
        label: (*label).to_owned(),
        reach: match address.strip_prefix("inbox:") {
            Some(notice) => Reach::Inbox(notice.to_owned()),
            None if address.contains('@') => Reach::Email((*address).to_owned()),
            None => Reach::Phone(number(address)),
        },
        ring_secs: RING_SECS,
        blocked: false,
        hours: Vec::new(),
    };
    Contact {
        id: ContactId::named(key),
        account: AccountId::named(account),
        name: name.to_owned(),
        title: title.to_owned(),
        language: None,
        zone: None,
        destinations: reached.iter().map(destination).collect(),
    }
}

/// People taking turns in a role; the first of them when nothing else says who.
pub fn rotation(account: &str, role: &str, zone: &str, people: &[&str], anchor: &str, length: ShiftLength) -> Schedule {
    Schedule {
        id: ScheduleId::named(&format!("{account}-{role}")),
        account: AccountId::named(account),
        role: role.to_owned(),
        zone: zone.to_owned(),
        layers: vec![Layer::plain(
            ONLY_LAYER,
            Rotation::even(people.iter().map(|key| ContactId::named(key)).collect(), anchor, length),
        )],
        temporary: Vec::new(),
        overrides: Vec::new(),
        fallback: people.first().map(|key| ContactId::named(key)),
        remind: false,
        holidays: Vec::new(),
    }
}
