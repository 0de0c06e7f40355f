//! What calls remember of accounts: as good as the store where the store can be asked, and better than nothing where not.

use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::TestClock;
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::account::{Account, Reach};
use cordboard::engine::calls::book::{AccountBook, Accounts as _};
use cordboard::io::store::{Store, StoreConfig};

use super::NOW;
use super::contract::{account, contact, number};
use super::support::temp::TempDir;

struct Rig {
    store: Store,
    clock: TestClock,
    book: AccountBook,
    config: StoreConfig,
    _directory: TempDir,
}

impl Rig {
    async fn open(name: &str) -> Self {
        let directory = TempDir::new(name);
        let config = StoreConfig::in_directory(directory.path());
        let store = Store::open(&config, NOW).await.unwrap();
        let clock = TestClock::at(NOW);
        let book = AccountBook::new(store.clone(), Arc::new(clock.clone()));
        write(&store, &account()).await;
        Self { store, clock, book, config, _directory: directory }
    }

    async fn phrase(&self) -> String {
        self.find().await.expect("the account is there").answer_phrase.clone()
    }

    async fn find(&self) -> Option<Arc<Account>> {
        self.book.find_by_did(&dialled()).await.expect("the book answers")
    }
}

fn dialled() -> PhoneNumber {
    number("+12025550102")
}

fn saying(phrase: &str) -> Account {
    Account { answer_phrase: phrase.to_owned(), ..account() }
}

async fn write(store: &Store, account: &Account) {
    let mut tx = store.write().await.unwrap();
    tx.upsert_account(account, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
}

async fn add_person(store: &Store, name: &str, phone: &PhoneNumber) {
    let mut person = contact(name);
    person.destinations[0].reach = Reach::Phone(phone.clone());
    let mut tx = store.write().await.unwrap();
    tx.upsert_contact(&person).await.unwrap();
    tx.commit("test").await.unwrap();
}

#[tokio::test]
async fn an_edit_counts_from_the_next_call_on() {
    let rig = Rig::open("book-edit").await;
    let before = rig.find().await.unwrap();
    assert!(Arc::ptr_eq(&before, &rig.find().await.unwrap()), "the second call costs nothing");
    write(&rig.store, &saying("edited")).await;
    assert_eq!(rig.phrase().await, "edited");
    assert_ne!(before.answer_phrase, "edited", "a call that is up keeps what it began with");
    let mut gone = saying("edited");
    gone.dids.retain(|did| *did != dialled());
    write(&rig.store, &gone).await;
    assert_eq!(rig.find().await, None);
}

#[tokio::test]
async fn an_edit_that_is_undone_changes_nothing() {
    let rig = Rig::open("book-undone").await;
    let before = rig.find().await.unwrap();
    let mut tx = rig.store.write().await.unwrap();
    tx.upsert_account(&saying("undone"), NOW).await.unwrap();
    tx.rollback().await.unwrap();
    assert!(Arc::ptr_eq(&before, &rig.find().await.unwrap()));
}

#[tokio::test]
async fn what_another_process_changed_counts_after_a_second() {
    let rig = Rig::open("book-other").await;
    let before = rig.phrase().await;
    let other = Store::open(&rig.config, NOW).await.unwrap();
    write(&other, &saying("from the command line")).await;
    assert_eq!(rig.phrase().await, before);
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(rig.phrase().await, "from the command line");
    other.close().await;
}

#[tokio::test]
async fn a_store_that_is_away_costs_no_call_whose_account_is_known() {
    let rig = Rig::open("book-away").await;
    let before = rig.phrase().await;
    rig.store.close().await;
    rig.clock.advance(Duration::from_secs(3_600));
    assert_eq!(rig.phrase().await, before);
    let unknown = rig.book.find_by_did(&number("+12025550199")).await;
    assert!(unknown.is_err(), "a number never dialled before cannot be told from one that is nobody's");
}

#[tokio::test]
async fn a_contacts_telephone_counts_from_the_next_call_on_and_another_processes_after_five_seconds() {
    let rig = Rig::open("book-phones").await;
    let (first, second) = (number("+12025550141"), number("+12025550142"));
    let theirs = |number: PhoneNumber| {
        let book = &rig.book;
        async move { book.is_a_contacts(&number).await.expect("the store answers") }
    };
    assert!(!theirs(first.clone()).await && !theirs(second.clone()).await);
    add_person(&rig.store, "ann", &first).await;
    assert!(theirs(first.clone()).await, "a change of ours counts at once");
    let other = Store::open(&rig.config, NOW).await.unwrap();
    add_person(&other, "ben", &second).await;
    assert!(!theirs(second.clone()).await);
    rig.clock.advance(Duration::from_secs(5));
    assert!(theirs(first).await && theirs(second).await);
    other.close().await;
}
