//! The telephone that an operator means, of a contact of the account or by its number: for a patch, for a call of her own, and for what
//! she does by hand for a dispatch. What is wrong with it is told with the code of what she asked for.

use std::time::Duration;

use super::error::Problem;
use super::state::Front;
use crate::base::id::{AccountId, ContactId, DestinationId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Contact, Destination, Reach};
use crate::domain::message::form::FieldError;

/// How long a number dialled by hand is let ring.
pub(super) const RING: Duration = Duration::from_secs(30);

/// A telephone of a contact's.
pub(super) struct FoundPhone {
    pub contact: Contact,
    pub label: String,
    pub number: PhoneNumber,
    pub ring_secs: u32,
    /// The contact's telephones after this one, and how long each rings.
    pub then: Vec<(PhoneNumber, Duration)>,
}

/// A telephone of one of the account's people; without an account, of anybody's. `code`: under which it is refused.
pub(super) async fn find_phone(
    front: &Front,
    code: &'static str,
    account: Option<&AccountId>,
    contact: &ContactId,
    destination: &DestinationId,
) -> Result<FoundPhone, Problem> {
    let contact = front.store.find_contact(contact).await?;
    let contact = contact.ok_or_else(|| refuse(code, "contact", "unknown", "There is no such contact."))?;
    if account.is_some_and(|account| contact.account != *account) {
        return Err(refuse(code, "contact", "unknown", "The account has no such contact."));
    }
    let mut from = contact.destinations.iter().skip_while(|d| d.id != *destination);
    let none = || refuse(code, "destination", "unknown", "The contact has no such destination.");
    let found = from.next().ok_or_else(none)?;
    let Reach::Phone(number) = &found.reach else {
        return Err(refuse(code, "destination", "not_a_phone", "That destination is not a telephone."));
    };
    let (number, label, ring_secs) = (number.clone(), found.label.clone(), found.ring_secs);
    let telephone = |d: &Destination| Some((d.reach.phone()?.clone(), Duration::from_secs(d.ring_secs.into())));
    let then = from.filter_map(telephone).collect();
    Ok(FoundPhone { contact, label, number, ring_secs, then })
}

/// A number dialled by hand. Emergency numbers are let through to be refused where all are, aloud, unless a trunk is set for them.
pub(super) fn read_number(code: &'static str, number: &str) -> Result<PhoneNumber, Problem> {
    let read = PhoneNumber::parse(number).or_else(|e| PhoneNumber::emergency(number).ok_or(e));
    read.map_err(|e| refuse(code, "number", "phone", &e.to_string()))
}

/// `field` is wrong, and why: `what` for programs, `message` for people.
pub(super) fn refuse(code: &'static str, field: &str, what: &str, message: &str) -> Problem {
    Problem::invalid(code, message, vec![FieldError::new(field, what, message)])
}
