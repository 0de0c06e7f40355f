//! The people of an account by name, as documents have them: identifiers of another database say nothing.
//!
//! Names are the same whatever their case. What always holds: what is written for somebody is read as them again, of two
//! with the same name as well (`Ben Ortiz #2`), wherever their account has been read in.

use crate::base::id::ContactId;
use crate::domain::account::Contact;

/// Between a name and the number of one of those who have it.
const NTH: &str = " #";

/// The contacts of an account, in its order.
pub(super) struct People<'a>(pub(super) &'a [Contact]);

/// Why it is nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nobody {
    Unknown,
    /// Several have that name.
    Ambiguous,
}

impl People<'_> {
    fn called(&self, name: &str) -> impl Iterator<Item = &Contact> {
        let name = name.trim().to_lowercase();
        self.0.iter().filter(move |contact| contact.name.to_lowercase() == name)
    }

    /// What is written for somebody: their name, with a number if it is not theirs alone.
    pub(super) fn name(&self, id: &ContactId) -> String {
        let Some(contact) = self.0.iter().find(|contact| contact.id == *id) else { return id.to_string() };
        let nth = self.called(&contact.name).position(|one| one.id == *id).unwrap_or(0) + 1;
        if self.called(&contact.name).count() == 1 {
            return contact.name.clone();
        }
        let written = format!("{}{NTH}{nth}", contact.name);
        if self.called(&written).next().is_some() { id.to_string() } else { written }
    }

    /// Who is meant, by name or by identifier.
    pub(super) fn find(&self, written: &str) -> Result<ContactId, Nobody> {
        let mut named = self.called(written);
        match (named.next(), named.next()) {
            (Some(contact), None) => return Ok(contact.id.clone()),
            (Some(_), Some(_)) => return Err(Nobody::Ambiguous),
            (None, _) => {}
        }
        let nth = written.rsplit_once(NTH).and_then(|(name, nth)| Some((name, nth.trim().parse::<usize>().ok()?)));
        let by_number = nth.and_then(|(name, nth)| self.called(name).nth(nth.checked_sub(1)?));
        let by_id = || self.0.iter().find(|contact| contact.id.as_str() == written.trim());
        by_number.or_else(by_id).map(|contact| contact.id.clone()).ok_or(Nobody::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::AccountId;

    fn contact(id: &str, name: &str) -> Contact {
        let (account, title) = (AccountId::named("a"), String::new());
        Contact {
            id: ContactId::named(id),
            account,
            name: name.into(),
            title,
            language: None,
            zone: None,
            destinations: vec![],
        }
    }

    #[test]
    fn whoever_is_written_is_read_again_also_of_two_of_one_name() {
        let all = [contact("1", "Ben"), contact("2", "Ada"), contact("3", "ben"), contact("4", "Cy #2")];
        let people = People(&all);
        let written: Vec<_> = all.iter().map(|one| people.name(&one.id)).collect();
        assert_eq!(written, ["Ben #1", "Ada", "ben #2", "Cy #2"]);
        for (one, written) in all.iter().zip(&written) {
            assert_eq!(people.find(written), Ok(one.id.clone()), "{written}");
        }
        assert_eq!(people.find(" ADA "), Ok(ContactId::named("2")));
        assert_eq!(people.find("con_2"), Ok(ContactId::named("2")));
        assert_eq!(people.find("Ben"), Err(Nobody::Ambiguous));
        for unknown in ["Ben #3", "Ben #0", "Dee", "con_9", "#1"] {
            assert_eq!(people.find(unknown), Err(Nobody::Unknown), "{unknown}");
        }
    }

    #[test]
    fn a_name_that_looks_like_anothers_number_is_its_own() {
        let all = [contact("1", "Ben"), contact("2", "Ben"), contact("3", "Ben #2")];
        let people = People(&all);
        assert_eq!(people.find("Ben #2"), Ok(ContactId::named("3")));
        assert_eq!(people.name(&ContactId::named("2")), "con_2");
    }
}
