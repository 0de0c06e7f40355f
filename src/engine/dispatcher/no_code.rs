//! A code that is nobody's of theirs: whoever texts `2ok` and has nothing open with a 2 hears that nothing was confirmed by it.
//!
//! No dispatch is about it, so the answer goes by its edge alone, under an attempt's identifier that no dispatch knows. What always
//! holds: contacts alone are answered, but for those who asked for no texts, and no number is more often than by the other answers;
//! that it was is stored first, so that after a crash none is answered twice; where several clients have that telephone, they are answered
//! in the name of the one whose number they texted, or else in nobody's.

use std::collections::BTreeSet;

use super::Dispatcher;
use super::perform::Flight;
use crate::base::id::{AccountId, AttemptId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, Destination, Reach};
use crate::domain::dispatch::confirm::{MAX_HELP_REPLIES, Reply};
use crate::io::deliver::{Delivery, TextMessage};
use crate::io::store::StoreError;

impl Dispatcher {
    /// What a number is answered that has nothing open, if that is to be said: it texted a code, to this number of ours as far as that
    /// is known.
    pub(super) async fn no_such_code(
        &self,
        from: &PhoneNumber,
        to: Option<&PhoneNumber>,
        body: &str,
    ) -> Result<Option<TextMessage>, StoreError> {
        let Reply::Code(code) = Reply::parse(body) else { return Ok(None) };
        let store = &self.inner.store;
        let people = store.list_contacts_by_phone(from).await?;
        let stopped = |d: &Destination| d.blocked && matches!(&d.reach, Reach::Phone(number) if number == from);
        if people.iter().flat_map(|person| &person.destinations).any(stopped) {
            return Ok(None);
        }
        let ids: BTreeSet<&AccountId> = people.iter().map(|person| &person.account).collect();
        let ids: Vec<AccountId> = ids.into_iter().cloned().collect();
        let accounts = store.find_accounts(&ids).await?;
        if accounts.is_empty() || store.count_help_replies(from).await? >= MAX_HELP_REPLIES {
            return Ok(None);
        }
        let attempt = AttemptId::fresh(self.inner.clock.utc());
        let account = pick_named(&accounts, to);
        let (own, body) = (answered_from(account, to), words(account, code));
        Ok(Some(TextMessage { attempt, to: from.clone(), own, from: None, body }))
    }

    /// Sends such an answer. Does not wait for it: an operator reads what they wrote in any case.
    pub(super) fn answer_no_code(&self, answer: TextMessage) {
        let (own, flight) = (self.clone(), Flight::start(self, answer.attempt.clone()));
        tokio::spawn(async move {
            if let Delivery::Failed { why, .. } = own.send_text(&answer).await.delivery {
                tracing::warn!(%why, "an answer to a code that is nobody's was not taken");
            }
            drop(flight);
        });
    }
}

/// In whose name they are answered: of all that have the telephone the one that was texted, or the only one.
fn pick_named<'a>(accounts: &'a [Account], to: Option<&PhoneNumber>) -> Option<&'a Account> {
    let has = |account: &&Account| to.is_some_and(|to| account.own_numbers().contains(to));
    let texted: Vec<&Account> = accounts.iter().filter(has).collect();
    match (texted.as_slice(), accounts) {
        ([one], _) => Some(*one),
        (_, [one]) => Some(one),
        _ => None,
    }
}

/// From which numbers the answer may come, the first if that can be: the one that was texted before the client's others.
fn answered_from(account: Option<&Account>, to: Option<&PhoneNumber>) -> Vec<PhoneNumber> {
    let Some(account) = account else { return to.cloned().into_iter().collect() };
    let mut own = account.own_numbers();
    own.sort_by_key(|number| Some(number) != to);
    own
}

fn words(account: Option<&Account>, code: u16) -> String {
    let name = account.map_or("Your answering service", |account| account.name.as_str());
    format!(
        "{name}: you have no open message with the code {code}, so nothing was confirmed. An operator will read your text."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(last: u32) -> PhoneNumber {
        PhoneNumber::parse(&format!("+1202555{last:04}")).expect("a number")
    }

    fn client(name: &str, numbers: &[u32]) -> Account {
        let mut account = Account::blank(AccountId::named(name));
        account.name = name.to_owned();
        account.dids = numbers.iter().map(|last| number(*last)).collect();
        account
    }

    #[test]
    fn whoever_works_for_two_clients_is_answered_by_the_one_whose_number_they_texted() {
        let both = [client("Acme", &[101]), client("Bolt", &[102, 103])];
        let said = |accounts: &[Account], to: Option<u32>| {
            let to = to.map(number);
            let account = pick_named(accounts, to.as_ref());
            let (from, words) = (answered_from(account, to.as_ref()), words(account, 2));
            (words.split(": you").next().map(str::to_owned), from)
        };
        let of = |name: &str, from: &[u32]| {
            let from: Vec<PhoneNumber> = from.iter().map(|last| number(*last)).collect();
            (Some(name.to_owned()), from)
        };
        assert_eq!(said(&both, Some(101)), of("Acme", &[101]));
        assert_eq!(said(&both, Some(103)), of("Bolt", &[103, 102]), "from the number that was texted");
        // A number that all share, or none that is known: in nobody's name.
        assert_eq!(said(&both, Some(199)), of("Your answering service", &[199]));
        assert_eq!(said(&both, None), of("Your answering service", &[]));
        // Of one client alone there is no doubt.
        assert_eq!(said(&both[1..], Some(199)), of("Bolt", &[102, 103]));
        assert_eq!(said(&both[1..], None), of("Bolt", &[102, 103]));
    }
}
