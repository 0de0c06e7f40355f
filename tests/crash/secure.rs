//! A secure message, killed at each of its commits and around its push: it is pushed twice at most, its notice goes out, the
//! person opens it by the notice's link and confirms once.

use std::path::Path;
use std::sync::Arc;

use cordboard::base::clock::{Clock as _, TestClock};
use cordboard::base::id::{AccountId, ContactId, DispatchId, MessageId, UserId};
use cordboard::domain::account::Reach;
use cordboard::domain::checkin::pin::Pin;
use cordboard::domain::dispatch::event::{Failure, Note};
use cordboard::domain::dispatch::protocol::{Method, Protocol, Until};
use cordboard::domain::dispatch::state::{Channel, Phase};
use cordboard::engine::dispatcher::{Dispatcher, Edges, InboxDoor};
use cordboard::engine::feed::Feed;
use cordboard::engine::inboxes::{Inboxes, Key, Refused};
use cordboard::io::deliver::push::{GONE, Push, Pusher};
use cordboard::io::deliver::{Answer, Delivery, Mailer, TextMessage, Texter};
use cordboard::io::store::Store;
use cordboard::io::store::inbox::Subscription;
use cordboard::io::store::users::{HashedPassword, Role, User};
use secrecy::SecretString;

use crate::lives::{Case, Life, NIGHT, Outside, around, around_provider};
use crate::support::postgres::Postgres;
use crate::town;

/// The commits that a secure message comes by.
pub const PLACES: &[&str] =
    &["drop_subscription", "notice_link", "wrong_inbox_pin", "open_inbox", "inbox_log", "inbox"];
/// Around its push.
pub const PROVIDER: (&str, &str, &str) = ("push", "before_send", "after_send");

const PIN: &str = "4711";
const URL: &str = "https://desk.example.com";

/// Keeps the last text, as the person has it on their phone, and says that every subscription is gone.
struct Phone {
    outside: Outside,
}

impl Texter for Phone {
    fn send<'a>(&'a self, text: &'a TextMessage) -> Answer<'a> {
        std::fs::write(self.outside.directory.join("text"), &text.body).expect("written");
        Texter::send(&self.outside, text)
    }
}

impl Pusher for Phone {
    fn send<'a>(&'a self, push: &'a Push) -> Answer<'a> {
        self.outside.note("push", &push.attempt);
        Box::pin(async { Delivery::Failed { failure: Failure::Permanent, why: GONE.to_owned() } })
    }
}

fn at_work(store: &Store, clock: &TestClock, directory: &Path) -> (Dispatcher, Inboxes) {
    let outside = || Outside::new(directory, clock);
    let (phone, others) = (Arc::new(Phone { outside: outside() }), Arc::new(outside()));
    let edges = Edges { texter: phone.clone(), ..others.clone().edges() };
    let shared = Arc::new(clock.clone());
    let dispatcher = Dispatcher::new(store.clone(), shared.clone(), Feed::default(), edges, "node");
    dispatcher.open_inboxes(InboxDoor { pusher: phone.clone(), public_url: URL.to_owned() });
    let letters = (others as Arc<dyn Mailer>, phone as Arc<dyn Texter>);
    let inboxes = Inboxes::new(store.clone(), shared, dispatcher.clone(), letters, URL.to_owned(), "key".to_owned());
    (dispatcher, inboxes)
}

/// Not a test by itself: the process that is killed.
#[tokio::test]
async fn the_child() {
    let Some(life) = Life::of_child(NIGHT) else { return };
    let (store, clock) = (life.store().await, &life.clock);
    let (dispatcher, inboxes) = at_work(&store, clock, &life.directory);
    dispatcher.recover().await.expect("what was cut off is taken up");
    let id = store.find_dispatch_of_message(&MessageId::named("m1")).await.expect("found").expect("a dispatch");
    for _ in 0..60 {
        dispatcher.tick(clock.utc()).await.expect("a tick");
        let state = store.find_dispatch(&id).await.expect("found").expect("a dispatch").state;
        if state.phase == Phase::Confirmed && state.wake().is_none() {
            store.close().await;
            return;
        }
        let noticed = state.attempts.iter().any(|a| a.channel == Channel::Text && a.accepted_at.is_some());
        if state.phase != Phase::Confirmed && noticed {
            let text = std::fs::read_to_string(life.directory.join("text")).expect("it was texted");
            let key = Key::Link(SecretString::from(text.rsplit_once('#').expect("a link").1.to_owned()));
            let wrong = inboxes.open(&key, &Pin::pressed("8642".to_owned()), None, "iPhone").await;
            assert!(matches!(wrong, Err(Refused::Pin)));
            let opened = inboxes.open(&key, &Pin::pressed(PIN.to_owned()), None, "iPhone").await;
            let opened = opened.expect("the PIN is right");
            let item = inboxes.find(&opened.contact, &id).await.expect("asked").expect("it is in the inbox");
            inboxes.read(&opened.contact, &item).await.expect("read");
            inboxes.confirm(&opened.contact, &item, 1).await.expect("confirmed");
            continue;
        }
        life.pass(5);
    }
    panic!("the night has no end");
}

fn protocol() -> Protocol {
    let steps = vec![(Method::SecureMessage { confirm: true }, town::on_call("inbox"), 900)];
    town::protocol(steps, true, Until::Confirmed)
}

/// Ben has a PIN, a device that takes pushes, and notices go to his mobile.
async fn prepare(case: &Case) -> DispatchId {
    let store = case.store().await;
    town::settle(&store, &protocol(), NIGHT).await;
    let message = town::message("m1", "burst pipe", NIGHT);
    let account = store.find_account(&message.account).await.expect("found").expect("an account");
    let kim = User {
        id: UserId::named("kim"),
        login: "kim".into(),
        name: "Kim".into(),
        role: Role::Supervisor,
        disabled: false,
        skills: Default::default(),
    };
    let password = HashedPassword::of("correct horse battery".into()).await.expect("long enough");
    let mut ben = store.find_contact(&ContactId::named("Ben")).await.expect("asked").expect("Ben");
    let inbox = ben.destinations.iter_mut().find(|d| d.label == "inbox").expect("an inbox");
    inbox.reach = Reach::Inbox("mobile".into());
    let clock = TestClock::at(NIGHT);
    let (dispatcher, _) = at_work(&store, &clock, case.directory.path());
    let mut tx = store.write().await.expect("the store writes");
    tx.insert_user(&kim, &password, NIGHT).await.expect("a user");
    tx.upsert_contact(&ben).await.expect("written");
    let pin = Pin::choose(PIN).expect("a PIN");
    tx.set_pin(&AccountId::named("one"), Some(&ben.id), &pin, &kim.id, NIGHT).await.expect("a PIN");
    let (device, _) = tx.insert_inbox_device(&ben.id, "iPhone", NIGHT).await.expect("a device");
    let to = Subscription { endpoint: "https://push.example.net/ben".into(), p256dh: vec![4; 65], auth: vec![7; 16] };
    tx.set_subscription(&device, Some(&to), NIGHT).await.expect("kept");
    tx.insert_message(&message).await.expect("inserted");
    dispatcher.open(&mut tx, &message, &account).await.expect("opened");
    tx.commit("test").await.expect("committed");
    let id = store.find_dispatch_of_message(&message.id).await.expect("found").expect("a dispatch");
    store.close().await;
    id
}

async fn kill_at(failpoint: &str, database: Option<String>, kind: &str) {
    let case = Case::new("secure::the_child", kind, failpoint, database);
    let id = prepare(&case).await;
    let name = &case.name;
    assert!(case.dies(failpoint), "{name}: the night never comes by there");
    case.lives();
    let sent = case.sent();
    for kind in ["push", "text"] {
        let of: Vec<_> = sent.iter().filter(|(k, _)| k == kind).collect();
        assert!((1..=2).contains(&of.len()), "{name}: {sent:?}");
        assert!(of.iter().all(|one| *one == of[0]), "{name}: one attempt: {sent:?}");
    }
    assert!(sent.len() <= 3, "{name}: at most one is doubled: {sent:?}");
    let store = case.store().await;
    let state = store.find_dispatch(&id).await.expect("found").expect("a dispatch").state;
    assert_eq!(state.phase, Phase::Confirmed, "{name}");
    let entries = store.list_dispatch_entries(&id).await.expect("listed");
    let count = |is_it: fn(&Note) -> bool| entries.iter().filter(|entry| is_it(&entry.note)).count();
    assert_eq!(count(|note| matches!(note, Note::NoticeInstead { .. })), 1, "{name}: noticed once");
    assert_eq!(count(|note| matches!(note, Note::Read { .. })), 1, "{name}: told once");
    assert_eq!(count(|note| matches!(note, Note::Confirmed { .. })), 1, "{name}: confirmed once");
    assert!(store.list_waiting_inbound(10).await.expect("listed").is_empty(), "{name}");
    let devices = store.list_inbox_devices(&ContactId::named("Ben")).await.expect("listed");
    assert!(devices.iter().all(|device| device.subscription.is_none()), "{name}: what is gone is not asked again");
    store.close().await;
}

async fn every_place(kind: &str, database: impl Fn() -> Option<String>) {
    for failpoint in around(PLACES).chain(around_provider(PROVIDER)) {
        kill_at(&failpoint, database(), kind).await;
    }
}

#[tokio::test]
async fn killed_anywhere_on_sqlite_a_secure_message_is_pushed_noticed_and_confirmed_once() {
    every_place("SQLite", || None).await;
}

#[tokio::test]
async fn killed_anywhere_on_postgresql_a_secure_message_is_pushed_noticed_and_confirmed_once() {
    let Some(server) = Postgres::start("crashes of secure messages on PostgreSQL") else { return };
    every_place("PostgreSQL", || Some(server.create_database())).await;
}
