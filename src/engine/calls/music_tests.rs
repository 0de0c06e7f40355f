//! An account's own music through the drivers: who is given it, and from when on.

use super::house::*;
use super::queue_tests::waits;
use super::*;
use crate::base::id::AccountId;
use crate::domain::call::bridge::{LegId, Source};
use crate::engine::signal::LegEvent;

/// The number of the account whose callers hear music of its own.
const OWN: &str = "+12025550187";

fn tuned(did: &Did, of: LegId) -> Option<bool> {
    match did {
        Did::Tuned { leg, own } if *leg == of => Some(*own),
        _ => None,
    }
}

#[tokio::test]
async fn whoever_begins_to_hear_music_is_given_the_accounts_before() {
    let mut house = House::open("greeting");
    let (caller, line) = house.dials(OWN, Some(offer()));
    house.until("answer", |d| answers(d, caller)).await;
    line.send(LegEvent::Established(None)).await.expect("the call listens");
    let play = house.until("greeting", |d| plays(d, caller)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg: caller, play });
    assert!(house.until("the music", |d| tuned(d, caller)).await.1);
    house.hears(caller, &[Source::Music]).await;
}

#[tokio::test]
async fn a_call_that_goes_on_for_another_account_has_that_ones_music() {
    let mut house = House::open("greeting");
    let (caller, _line) = waits(&mut house, OWN).await;
    house.ready("kim").await;
    let (operator, _phone) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    let call = house.call();
    let found = house.calls.0.accounts.find_by_did(&number("+12025550150")).await;
    let plain = found.expect("a book").expect("an account");
    let clinic = Account { id: AccountId::named("clinic"), ..Account::clone(&plain) };
    assert_eq!(house.asks("kim", &call, Command::ChangeAccount(Arc::new(clinic))).await, Ok(()));
    assert!(!house.until("the house's music", |d| tuned(d, caller)).await.1);
}
