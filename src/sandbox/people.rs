//! Who is who in the sandbox: phones and mailboxes of the demo's contacts, numbers of its accounts. Pure.

use std::collections::BTreeMap;

use crate::domain::account::{Account, Contact, Reach, Urgency};
use crate::sandbox::board::{MailboxEntry, NumberEntry, PhoneEntry};

/// Everybody and everything that the page draws.
#[derive(Clone, Debug, Default)]
pub struct People {
    pub phones: Vec<PhoneEntry>,
    pub mailboxes: Vec<MailboxEntry>,
    pub numbers: Vec<NumberEntry>,
}

/// Draws the people of `accounts`. A phone or mailbox that several contacts share is drawn once.
pub fn people<'a>(accounts: impl IntoIterator<Item = (&'a Account, &'a [Contact])>) -> People {
    let mut people = People::default();
    let (mut phones, mut mailboxes) = (BTreeMap::new(), BTreeMap::new());
    for (account, contacts) in accounts {
        if let Some(number) = account.dids.first() {
            let hint = reason_to_call(account);
            people.numbers.push(NumberEntry { number: number.clone(), account: account.name.clone(), hint });
        }
        for contact in contacts {
            for destination in &contact.destinations {
                match &destination.reach {
                    Reach::Phone(number) => {
                        let title = format!("{} · {}, {}", account.name, contact.title, destination.label);
                        let entry = PhoneEntry { number: number.clone(), name: contact.name.clone(), title };
                        phones.entry(number.clone()).or_insert(entry);
                    }
                    Reach::Email(address) => {
                        let name = format!("{} · {}", contact.name, account.name);
                        mailboxes
                            .entry(address.to_lowercase())
                            .or_insert_with(|| MailboxEntry { address: address.clone(), name });
                    }
                }
            }
        }
    }
    people.phones = phones.into_values().collect();
    people.mailboxes = mailboxes.into_values().collect();
    people
}

/// What an urgent call would be about: the first of the account's own triggers.
fn reason_to_call(account: &Account) -> String {
    let urgent = account.call_types.iter().find(|t| t.urgency == Urgency::Urgent);
    let triggers = urgent.or_else(|| account.call_types.first()).map_or("", |t| t.triggers.as_str());
    let first = triggers.split([',', ';', '.']).next().unwrap_or_default().trim();
    if urgent.is_some() && !first.is_empty() { format!("urgent: {first}") } else { first.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AccountId, ContactId, DestinationId};
    use crate::base::phone::PhoneNumber;
    use crate::domain::account::{Destination, LeaveMessage, Speech};

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).expect("a number")
    }

    fn contact(name: &str, reaches: &[(&str, Reach)]) -> Contact {
        let destination = |(label, reach): &(&str, Reach)| Destination {
            id: DestinationId::named(label),
            label: (*label).to_owned(),
            reach: reach.clone(),
            ring_secs: 30,
            blocked: false,
        };
        Contact {
            id: ContactId::named(name),
            account: AccountId::named("plumbing"),
            name: name.to_owned(),
            title: "technician".to_owned(),
            destinations: reaches.iter().map(destination).collect(),
        }
    }

    #[test]
    fn each_phone_and_mailbox_is_drawn_once_with_its_owner() {
        let speech = Speech::Spoken { text: "Hello".to_owned() };
        let account = Account {
            id: AccountId::named("plumbing"),
            name: "Imaginary Plumbing".to_owned(),
            zone: "America/New_York".to_owned(),
            color: "#336699".to_owned(),
            answer_phrase: String::new(),
            notes: String::new(),
            greeting: speech.clone(),
            apology: speech,
            comfort: None,
            dids: vec![number("+12025550102")],
            caller_id: None,
            priority: 0,
            ring_secs: 20,
            max_wait_secs: 60,
            undo_secs: 5,
            leave_message: LeaveMessage::Nothing,
            call_types: Vec::new(),
        };
        let mobile = ("mobile", Reach::Phone(number("+12025550110")));
        let office = ("email", Reach::Email("Info@Plumbing.example".to_owned()));
        let contacts = [contact("Ben", &[mobile.clone(), office.clone()]), contact("Ann", &[mobile, office])];
        let drawn = people([(&account, &contacts[..])]);
        assert_eq!(drawn.numbers.len(), 1);
        assert_eq!((drawn.phones.len(), drawn.mailboxes.len()), (1, 1));
        assert_eq!(drawn.phones[0].name, "Ben");
        assert_eq!(drawn.phones[0].title, "Imaginary Plumbing · technician, mobile");
    }
}
