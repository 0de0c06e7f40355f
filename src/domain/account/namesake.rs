//! Two people of one account with the same name. It happens, and it is taken when whoever writes it says so: files of shifts name people
//! by nothing but their names, and a person who was meant to be changed is easily written a second time.
//!
//! Pure; driven by `engine/clients`. What always holds: people who have the same name already are never complained of.

use super::{Contact, Reach};

/// Who else is called as `contact` is, if it was called otherwise before.
pub fn find_namesake<'a>(contact: &Contact, before: &Contact, people: &'a [Contact]) -> Option<&'a Contact> {
    let name = fold(&contact.name);
    if name == fold(&before.name) {
        return None;
    }
    people.iter().find(|other| other.id != contact.id && fold(&other.name) == name)
}

/// As people read a name: whatever its letters' case, and a run of blanks for one. Files of shifts are read so too (`oncall::read_in`).
pub fn fold(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Somebody, for those who know them: `Ben Ortiz (technician, +1…21)`.
pub fn known_by(contact: &Contact) -> String {
    let number = contact.destinations.iter().find_map(|destination| match &destination.reach {
        Reach::Phone(number) => Some(number.as_e164()),
        _ => None,
    });
    // Its ends tell two people apart, and are no number that somebody could dial.
    let ends = number
        .and_then(|number| Some(format!("{}…{}", number.get(..2)?, number.get(number.len().saturating_sub(2)..)?)));
    let title = Some(contact.title.clone()).filter(|title| !title.is_empty());
    let about: Vec<String> = title.into_iter().chain(ends).collect();
    if about.is_empty() { contact.name.clone() } else { format!("{} ({})", contact.name, about.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AccountId, ContactId, DestinationId};
    use crate::base::phone::PhoneNumber;
    use crate::domain::account::Destination;

    fn person(key: &str, name: &str) -> Contact {
        Contact {
            id: ContactId::named(key),
            account: AccountId::named("a"),
            name: name.into(),
            title: String::new(),
            language: None,
            zone: None,
            destinations: Vec::new(),
        }
    }

    #[test]
    fn somebody_new_of_a_name_that_is_there_is_found_and_who_has_had_it_is_not() {
        let people = [person("ben", "Ben Ortiz"), person("ada", "Ada Lee"), person("twin", "ben ortiz")];
        let found = |now: &Contact, before: &Contact| find_namesake(now, before, &people).map(|c| c.id.clone());
        let new = person("new", "BEN ortiz ");
        assert_eq!(found(&new, &person("new", "")), Some(ContactId::named("ben")));
        let blanks = person("new", "ben \u{a0} ORTIZ");
        assert_eq!(found(&blanks, &person("new", "")), Some(ContactId::named("ben")), "a page shows both alike");
        assert_eq!(found(&person("new", "Zoe"), &person("new", "")), None);
        // Ada marries a namesake; the twin gets another telephone.
        assert_eq!(found(&person("ada", "Ben Ortiz"), &people[1]), Some(ContactId::named("ben")));
        assert_eq!(found(&person("twin", "Ben Ortiz"), &people[2]), None);
    }

    #[test]
    fn a_person_is_known_by_what_they_do_and_the_ends_of_their_number() {
        let mut ben = person("ben", "Ben Ortiz");
        assert_eq!(known_by(&ben), "Ben Ortiz");
        let mut reached = |reach| {
            ben.destinations.push(Destination {
                id: DestinationId::named("d"),
                label: "mobile".into(),
                reach,
                ring_secs: 30,
                blocked: false,
                hours: Vec::new(),
            });
        };
        reached(Reach::Email("ben@example.com".into()));
        reached(Reach::Phone(PhoneNumber::parse("+12025550121").expect("a number")));
        ben.title = "technician".into();
        assert_eq!(known_by(&ben), "Ben Ortiz (technician, +1…21)");
    }
}
