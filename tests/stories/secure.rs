//! Secure messages: pushed to a person's inbox, read and confirmed there; a link where no device takes them.

use std::collections::BTreeSet;

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AccountId, ContactId, DispatchId, UserId};
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::account::{Reach, SecureMessages};
use cordboard::domain::checkin::pin::Pin;
use cordboard::domain::dispatch::event::{Failure, OperatorAct};
use cordboard::domain::dispatch::protocol::{Method, Protocol, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::engine::dispatcher::Decided;
use cordboard::engine::inboxes::{Inboxes, ItemState, Key, NotInvited, Opened, Refused};
use cordboard::io::deliver::Delivery;
use cordboard::io::deliver::outside::Reach as PushReach;
use cordboard::io::deliver::push::{GONE, read_subscription};
use cordboard::io::store::check_in::PinFrom;
use cordboard::io::store::users::{HashedPassword, Role, User};
use secrecy::SecretString;

use crate::desk::{Desk, Kind};
use crate::jobs::kim;
use crate::support::postgres::Postgres;
use crate::town;

const MINUTE: i64 = 60;
const PIN: &str = "4711";
/// RFC 8291, Appendix A.
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

/// The technician's inbox with confirmation, 15 minutes; then his mobile.
fn secure() -> Protocol {
    let steps = vec![
        (Method::SecureMessage { confirm: true }, town::on_call("inbox"), 900),
        (Method::CallOut { leave_message: false }, town::on_call("mobile"), 600),
    ];
    town::protocol(steps, true, Until::Confirmed)
}

/// Ben, with a PIN and an inbox, and its keeper.
struct Ben {
    inboxes: Inboxes,
    device: Option<SecretString>,
}

impl Ben {
    async fn of(desk: &Desk) -> Self {
        let kim = User {
            id: UserId::named("kim"),
            login: "kim".into(),
            name: "Kim".into(),
            role: Role::Supervisor,
            disabled: false,
            skills: Default::default(),
        };
        let password = HashedPassword::of("correct horse battery".into()).await.expect("long enough");
        let pin = Pin::choose(PIN).expect("a PIN");
        let mut tx = desk.store.write().await.expect("the store writes");
        tx.insert_user(&kim, &password, desk.now()).await.expect("a user");
        let (account, ben) = (AccountId::named("one"), Self::contact());
        tx.set_pin(&account, Some(&ben), &pin, &kim.id, desk.now()).await.expect("set");
        tx.commit("test").await.expect("committed");
        Self { inboxes: desk.inboxes(), device: None }
    }

    fn contact() -> ContactId {
        ContactId::named("Ben")
    }

    /// Invited by text; he opens the link on his phone, which takes pushes from then on.
    async fn installs(&mut self, desk: &Desk) {
        self.device = self.installs_at(desk, "https://push.example.net/ben").await;
    }

    /// Another device of his, which pushes reach there.
    async fn installs_at(&self, desk: &Desk, endpoint: &str) -> Option<SecretString> {
        self.inboxes.invite(&Self::contact(), "mobile", &UserId::named("kim")).await.expect("invited");
        let text = desk.phone("Ben").expect_text("https://desk.example.com/inbox#").words;
        let opened = self.opens(&Key::Link(token(&text)), PIN).await.expect("the PIN is right");
        let session = self.inboxes.find_reader(&opened.token).await.expect("asked").expect("it is open");
        let to = read_subscription(endpoint, P256DH, AUTH, PushReach::World).expect("a subscription");
        assert!(self.inboxes.subscribe(&session, Some(&to)).await.expect("kept"));
        opened.device
    }

    async fn opens(&self, key: &Key, pin: &str) -> Result<Opened, Refused> {
        self.inboxes.open(key, &Pin::pressed(pin.to_owned()), None, "iPhone").await
    }

    fn key(&self) -> Key {
        Key::Device(self.device.clone().expect("installed"))
    }
}

fn token(text: &str) -> SecretString {
    SecretString::from(text.rsplit_once('#').expect("a link").1.to_owned())
}

async fn pushed_read_and_confirmed(mut desk: Desk) {
    let mut ben = Ben::of(&desk).await;
    ben.installs(&desk).await;
    let id = desk.takes("burst pipe").await;
    let push = desk.phone("Ben").expect_push();
    assert_eq!(push.at, desk.opened);
    let attempt = push.words.parse().expect("an identifier and nothing else");

    let device = ben.inboxes.find_device(ben.device.as_ref().expect("installed")).await.expect("asked").expect("his");
    let shown = ben.inboxes.pushed(&device, &attempt).await.expect("told");
    assert_eq!(shown, Some((ItemState::Open, 1)));
    desk.advance(4 * MINUTE).await;
    let opened = ben.opens(&ben.key(), PIN).await.expect("the PIN is right");
    let items = ben.inboxes.list(&opened.contact).await.expect("listed");
    let [item] = items.as_slice() else { panic!("one message, not {items:#?}") };
    assert!(item.asks && item.read_at.is_none());
    ben.inboxes.read(&opened.contact, item).await.expect("read");
    assert_eq!(desk.state(&id).await.phase, Phase::Running, "reading is not confirming");
    let item = ben.inboxes.find(&opened.contact, &id).await.expect("asked").expect("his");
    assert_eq!((item.read_at, item.state), (Some(desk.now()), ItemState::Open));
    desk.advance(MINUTE).await;
    let confirmed = ben.inboxes.confirm(&opened.contact, &item, 1).await.expect("stored");
    assert_eq!(confirmed, Decided::Changed);

    let state = desk.state(&id).await;
    let a = &state.attempts[0];
    let after = |at: Option<UtcMs>| at.map(|at| at.since(desk.opened) / 1_000);
    let facts = [a.handed_at, a.accepted_at, a.delivered_at, a.told_at, a.confirmed_at].map(after);
    assert_eq!(facts, [Some(0), Some(0), Some(0), Some(240), Some(300)], "each of the five has a time of its own");
    let log: BTreeSet<String> = desk
        .store
        .list_audit(&Default::default(), None, 100)
        .await
        .expect("listed")
        .into_iter()
        .map(|r| r.act)
        .collect();
    for act in ["inbox.invited", "inbox.device_added", "inbox.opened", "inbox.read", "inbox.confirmed"] {
        assert!(log.contains(act), "{act} is not on the log: {log:?}");
    }
    desk.advance(60 * MINUTE).await;
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn ben_is_pushed_reads_and_confirms() {
    pushed_read_and_confirmed(Desk::at_work(&secure()).await).await;
}

#[tokio::test]
async fn ben_is_pushed_reads_and_confirms_on_postgresql() {
    let Some(server) = Postgres::start("the secure message's story on PostgreSQL") else { return };
    pushed_read_and_confirmed(Desk::on_postgres(server.create_database(), &secure()).await).await;
}

#[tokio::test]
async fn one_that_nobody_confirms_goes_on_to_the_call() {
    let mut desk = Desk::at_work(&secure()).await;
    let mut ben = Ben::of(&desk).await;
    ben.installs(&desk).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_push();
    desk.advance(15 * MINUTE).await;
    let call = desk.phone("Ben").expect_call();
    assert_eq!(call.at.since(desk.opened), 15 * MINUTE * 1_000);
    desk.advance(30).await;
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn a_push_that_is_gone_calls_at_once_and_is_not_asked_again() {
    let mut desk = Desk::at_work(&secure()).await;
    let mut ben = Ben::of(&desk).await;
    ben.installs(&desk).await;
    desk.push_service_answers(Some(Delivery::Failed { failure: Failure::Permanent, why: GONE.into() }));
    let id = desk.takes("burst pipe").await;
    assert_eq!(desk.phone("Ben").expect_call().at, desk.opened);
    let state = ben.inboxes.state(&Ben::contact()).await.expect("asked").expect("Ben");
    assert!(state.devices[0].subscription.is_none() && state.devices[0].gone_at.is_some());
    desk.advance(30).await;
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn one_device_that_is_pushed_to_hides_nothing_of_another_that_is_busy() {
    let mut desk = Desk::at_work(&secure()).await;
    let mut ben = Ben::of(&desk).await;
    ben.installs(&desk).await;
    ben.installs_at(&desk, "https://push.example.net/ben-tablet").await;
    let busy = || Delivery::Failed { failure: Failure::Temporary, why: "http_503".into() };
    desk.push_service_answers_at("https://push.example.net/ben-tablet", Some(busy()));
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_push();
    assert!(desk.state(&id).await.attempts[0].accepted_at.is_some());
    desk.push_service_answers_at("https://push.example.net/ben-tablet", None);
    desk.advance(10).await;
    let pushed: Vec<_> = desk.pushes().into_iter().map(|(at, to)| (at.since(desk.opened) / 1_000, to)).collect();
    assert_eq!(pushed, [(5, "https://push.example.net/ben-tablet".to_owned())], "the phone is not pushed to again");
    let lines = desk.dispatcher.find_view(&id).await.expect("read").expect("a dispatch").timeline;
    let lines: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    for said in ["not taken for iPhone (http 503), which is tried again", "Ben's devices: taken for iPhone."] {
        assert!(lines.iter().any(|line| line.contains(said)), "{said}: {lines:#?}");
    }
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn of_two_devices_the_one_that_is_gone_is_not_asked_again_and_the_other_is() {
    let mut desk = Desk::at_work(&secure()).await;
    let mut ben = Ben::of(&desk).await;
    ben.installs(&desk).await;
    ben.installs_at(&desk, "https://push.example.net/ben-tablet").await;
    let gone = Delivery::Failed { failure: Failure::Permanent, why: GONE.into() };
    desk.push_service_answers_at("https://push.example.net/ben-tablet", Some(gone));
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_push();
    let state = ben.inboxes.state(&Ben::contact()).await.expect("asked").expect("Ben");
    let (gone, left): (Vec<_>, Vec<_>) = state.devices.iter().partition(|d| d.gone_at.is_some());
    assert!(matches!(gone.as_slice(), [d] if d.subscription.is_none()), "{gone:?}");
    assert!(matches!(left.as_slice(), [d] if d.subscription.is_some()), "{left:?}");
    desk.push_service_answers_at("https://push.example.net/ben-tablet", None);
    desk.advance(60).await;
    assert_eq!(desk.pushes(), []);
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn an_endpoint_is_whoevers_subscribed_with_it_last() {
    let mut desk = Desk::at_work(&secure()).await;
    let mut ben = Ben::of(&desk).await;
    ben.installs(&desk).await;
    // The same phone, invited a second time and its cookie lost: one device takes pushes there, not two.
    ben.device = ben.installs_at(&desk, "https://push.example.net/ben").await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_push();
    assert_eq!(desk.pushes(), [], "one push for one phone");
    let state = ben.inboxes.state(&Ben::contact()).await.expect("asked").expect("Ben");
    assert_eq!(state.devices.iter().filter(|d| d.subscription.is_some()).count(), 1);
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn with_no_device_a_notice_goes_by_text_and_its_link_opens_the_message_after_the_pin() {
    let mut desk = Desk::at_work(&secure()).await;
    let ben = Ben::of(&desk).await;
    let mut contact = desk.store.find_contact(&Ben::contact()).await.expect("asked").expect("Ben");
    let inbox = contact.destinations.iter_mut().find(|d| d.label == "inbox").expect("an inbox");
    inbox.reach = Reach::Inbox("mobile".into());
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_contact(&contact).await.expect("written");
    tx.commit("test").await.expect("committed");

    let id = desk.takes("burst pipe").await;
    let notice = desk.phone("Ben").expect_text("a secure message waits for you").words;
    for said in ["burst", "pipe", "Jane", "0147", "0148"] {
        assert!(!notice.contains(said), "{notice}");
    }
    let key = Key::Link(token(&notice));
    assert!(matches!(ben.opens(&key, "8642").await, Err(Refused::Pin)));
    let opened = ben.opens(&key, PIN).await.expect("the PIN is right");
    assert!(opened.device.is_none(), "a notice makes no device");
    let item = ben.inboxes.find(&opened.contact, &id).await.expect("asked").expect("his");
    ben.inboxes.read(&opened.contact, &item).await.expect("read");
    ben.inboxes.reply(&opened.contact, &item, "On my way, 20 minutes".into()).await.expect("taken in");
    let alarms = desk.dispatcher.alarms();
    let job = alarms.iter().find(|a| a.text.ends_with(": “On my way, 20 minutes”")).expect("an operator reads it");
    assert!(job.text.starts_with("Ben wrote from the inbox about Imaginary Plumbing, Jane Roe"), "{}", job.text);
    assert_eq!(job.message.as_ref(), Some(&desk.state(&id).await.message));
    let written = ben.inboxes.written(&opened.contact, &id).await.expect("read");
    assert_eq!(written, [(desk.now(), "On my way, 20 minutes".to_owned())], "he sees it himself");
    assert_eq!(ben.inboxes.confirm(&opened.contact, &item, 1).await.expect("stored"), Decided::Changed);
    // Whoever repeats it changes nothing.
    assert_eq!(ben.inboxes.confirm(&opened.contact, &item, 1).await.expect("stored"), Decided::Unchanged);
    assert!(ben.opens(&key, PIN).await.is_ok(), "a link is not used up");
    desk.advance(8 * 24 * 60 * MINUTE).await;
    assert!(matches!(ben.opens(&key, PIN).await, Err(Refused::Unknown)), "it ends by itself");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_crash_between_the_push_and_its_answer_costs_one_push_more() {
    let mut desk = Desk::at_work(&secure()).await;
    let mut ben = Ben::of(&desk).await;
    ben.installs(&desk).await;
    desk.push_service_answers(Some(Delivery::Failed { failure: Failure::Unknown, why: "broken_off".into() }));
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_push();
    desk.push_service_answers(None);
    desk.restarts().await;
    desk.advance(5).await;
    desk.phone("Ben").expect_push();
    assert_eq!(desk.times().iter().filter(|(_, kind)| *kind == Kind::Push).count(), 0, "no third");
    let attempt = &desk.state(&id).await.attempts[0];
    assert!(attempt.uncertain && attempt.accepted_at.is_some());
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn too_many_wrong_pins_and_the_right_one_is_refused_too_for_an_hour() {
    let mut desk = Desk::at_work(&secure()).await;
    let mut ben = Ben::of(&desk).await;
    ben.installs(&desk).await;
    for _ in 0..6 {
        assert!(matches!(ben.opens(&ben.key(), "8642").await, Err(Refused::Pin)));
    }
    assert!(matches!(ben.opens(&ben.key(), PIN).await, Err(Refused::Pin)), "it sounds the same");
    let warned = |desk: &Desk| {
        let alarms = desk.dispatcher.alarms();
        alarms.into_iter().find(|a| a.text.contains("too many wrong PINs at the inbox of Ben"))
    };
    let told = warned(&desk).expect("the desks are told");
    desk.wait(60);
    desk.restarts().await;
    assert_eq!(warned(&desk).as_ref(), Some(&told), "a start tells them again, and of when it was");
    let alarm = told.id;
    let sql = "UPDATE account SET settings = SUBSTR(settings, 2)";
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.execute(sql, Vec::new()).await.expect("broken");
    tx.commit("test").await.expect("committed");
    desk.restarts().await;
    let unread =
        desk.dispatcher.alarms().into_iter().find(|a| a.id == alarm).expect("told though it cannot be read whose");
    assert!(unread.text.starts_with("Too many wrong PINs at the inbox of Ben. For an hour"), "{}", unread.text);
    let sql = "UPDATE account SET settings = '{' || settings";
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.execute(sql, Vec::new()).await.expect("mended");
    tx.commit("test").await.expect("committed");
    desk.dispatcher.silence(&alarm, &kim()).await.expect("stored");
    desk.restarts().await;
    assert!(warned(&desk).is_none(), "and not of what was seen to");
    desk.wait(3_601);
    assert!(ben.opens(&ben.key(), PIN).await.is_ok());
    desk.store.close().await;
}

#[tokio::test]
async fn wrong_pins_elsewhere_lock_nobodys_own_device() {
    let desk = Desk::at_work(&secure()).await;
    let mut ben = Ben::of(&desk).await;
    ben.installs(&desk).await;
    // Whoever has come by links of Ben's, and tries each; then strangers on the telephone.
    for _ in 0..4 {
        ben.inboxes.invite(&Ben::contact(), "mobile", &UserId::named("kim")).await.expect("invited");
        let stolen = Key::Link(token(&desk.phone("Ben").expect_text("/inbox#").words));
        for _ in 0..6 {
            assert!(matches!(ben.opens(&stolen, "8642").await, Err(Refused::Pin)));
        }
        assert!(matches!(ben.opens(&stolen, PIN).await, Err(Refused::Pin)), "that link is locked");
    }
    let pin = Pin::pressed("8642".to_owned());
    for n in 0..25 {
        let caller = PhoneNumber::parse(&format!("+120255501{:02}", 60 + n)).expect("a number");
        let mut tx = desk.store.write().await.expect("the store writes");
        let from = PinFrom::Stranger(Some(&caller));
        tx.try_pin(&AccountId::named("one"), from, &pin, desk.now()).await.expect("tried");
        tx.commit("test").await.expect("committed");
    }
    assert!(ben.opens(&ben.key(), PIN).await.is_ok(), "his own device opens as ever");
    desk.store.close().await;
}

#[tokio::test]
async fn an_invitation_that_did_not_leave_voids_none_before_it() {
    let desk = Desk::at_work(&secure()).await;
    let ben = Ben::of(&desk).await;
    let kim = UserId::named("kim");
    ben.inboxes.invite(&Ben::contact(), "mobile", &kim).await.expect("invited");
    let first = Key::Link(token(&desk.phone("Ben").expect_text("/inbox#").words));
    for (failure, why) in [(Failure::Temporary, "http_503"), (Failure::Unknown, "broken_off")] {
        desk.provider_answers(Some(Delivery::Failed { failure, why: why.into() }));
        let refused = ben.inboxes.invite(&Ben::contact(), "mobile", &kim).await;
        assert!(matches!(refused, Err(NotInvited::NotSent(_))), "{refused:?}");
        assert!(ben.opens(&first, PIN).await.is_ok(), "{why}: what they have still leads there");
    }
    desk.provider_answers(None);
    ben.inboxes.invite(&Ben::contact(), "mobile", &kim).await.expect("invited");
    let second = Key::Link(token(&desk.phone("Ben").expect_text("/inbox#").words));
    assert!(matches!(ben.opens(&first, PIN).await, Err(Refused::Unknown)), "the newest voids it");
    assert!(ben.opens(&second, PIN).await.is_ok());
    desk.store.close().await;
}

#[tokio::test]
async fn a_device_that_is_taken_away_opens_nothing_and_is_pushed_nothing() {
    let mut desk = Desk::at_work(&secure()).await;
    let mut ben = Ben::of(&desk).await;
    ben.installs(&desk).await;
    let opened = ben.opens(&ben.key(), PIN).await.expect("the PIN is right");
    let state = ben.inboxes.state(&Ben::contact()).await.expect("asked").expect("Ben");
    let kim = UserId::named("kim");
    assert!(ben.inboxes.revoke(&Ben::contact(), &state.devices[0].id, &kim).await.expect("taken away"));
    assert!(ben.inboxes.find_reader(&opened.token).await.expect("asked").is_none(), "it is closed at once");
    assert!(matches!(ben.opens(&ben.key(), PIN).await, Err(Refused::Unknown)));
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_call();
    desk.advance(30).await;
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn nobody_is_invited_who_could_not_open_it() {
    let desk = Desk::at_work(&secure()).await;
    let inboxes = desk.inboxes();
    let refused = inboxes.invite(&Ben::contact(), "mobile", &UserId::named("kim")).await;
    assert!(matches!(refused, Err(NotInvited::NoPin)));
    desk.store.close().await;
}

#[tokio::test]
async fn a_protected_message_is_texted_and_emailed_as_a_notice_and_opened_by_whoever_has_an_inbox() {
    let steps = vec![
        (Method::Email, vec![town::named("Ben", "email")], 0),
        (Method::TextConfirm, vec![town::named("Ben", "mobile")], 600),
        (Method::TextConfirm, vec![town::named("Ada", "mobile")], 600),
    ];
    let mut desk = Desk::at_work(&town::protocol(steps, false, Until::Confirmed)).await;
    let ben = Ben::of(&desk).await;
    let mut account = desk.store.find_account(&AccountId::named("one")).await.expect("asked").expect("an account");
    account.call_types[0].protected = true;
    // Ada has no inbox.
    let mut ada = desk.store.find_contact(&ContactId::named("Ada")).await.expect("asked").expect("Ada");
    ada.destinations.retain(|d| d.label != "inbox");
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_account(&account, desk.now()).await.expect("written");
    tx.upsert_contact(&ada).await.expect("written");
    tx.commit("test").await.expect("committed");

    let id = desk.takes("burst pipe").await;
    let mail = desk.phone("Ben").expect_mail("Secure message from Imaginary Plumbing").words;
    let text = desk.phone("Ben").expect_text("a secure message waits for you. Reply 1ok to confirm. Open it").words;
    desk.advance(10 * MINUTE).await;
    let to_call =
        desk.phone("Ada").expect_text("a protected message waits for you. Call +1 202 555 0102 to hear it.").words;
    for words in [&mail, &text, &to_call] {
        for said in ["burst", "pipe", "Jane", "0147", "0148"] {
            assert!(!words.contains(said), "{words}");
        }
    }
    let opened = ben.opens(&Key::Link(token(&text)), PIN).await.expect("the PIN is right");
    let item = ben.inboxes.find(&opened.contact, &id).await.expect("asked").expect("it is in his inbox");
    assert!(item.asks);
    ben.inboxes.read(&opened.contact, &item).await.expect("read");
    let told = desk.state(&id).await.attempts.iter().filter(|a| a.told_at.is_some()).count();
    assert_eq!(told, 1);
    desk.phone("Ben").replies("1ok").await;
    let confirmed = desk.phone("Ben").expect_text("Confirmed").words;
    assert!(!confirmed.contains("0147"), "who called is not said: {confirmed}");
    desk.phone("Ada").expect_text("is handled by Ben");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn whoever_can_open_it_nowhere_cannot_close_a_protected_message_by_text_and_the_desks_are_told() {
    let to = ["Ben", "Ada"].map(|name| town::named(name, "mobile")).to_vec();
    let mut desk = Desk::at_work(&town::protocol(vec![(Method::TextConfirm, to, 600)], false, Until::Confirmed)).await;
    let _ben = Ben::of(&desk).await;
    let mut account = desk.store.find_account(&AccountId::named("one")).await.expect("asked").expect("an account");
    account.call_types[0].protected = true;
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_account(&account, desk.now()).await.expect("written");
    tx.commit("test").await.expect("committed");
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("a secure message waits for you. Reply 1ok to confirm. Open it");
    // Ada has no PIN that would open hers.
    desk.phone("Ada").expect_text("Call +1 202 555 0102 to hear it. Then reply 1ok to confirm.");
    desk.phone("Ada").replies("1ok").await;
    desk.phone("Ada").expect_text("this does not confirm it yet. Call +1 202 555 0102 to hear it.");
    let view = desk.view(&id).await;
    assert_eq!((view.confirmed_by, desk.state(&id).await.phase), (None, Phase::Running), "nobody knows what it says");
    let alarm = view.alarm.expect("operators are told");
    assert!(alarm.starts_with("Ada accepted a protected message by text and can open it nowhere"), "{alarm}");
    // She rings, and is told what it is about: it stays open, and now her code counts.
    let (number, people) = (town::number(town::PEOPLE[1].1), vec![ContactId::named("Ada")]);
    let act = OperatorAct::Told { number, people, edition: None };
    assert_eq!(desk.dispatcher.operator(&id, "Kim", act).await.expect("stored"), Decided::Changed);
    assert_eq!((desk.view(&id).await.alarm, desk.state(&id).await.phase), (None, Phase::Running));
    desk.advance(1).await;
    desk.phone("Ada").replies("1ok").await;
    desk.phone("Ada").expect_text("Confirmed");
    desk.phone("Ben").expect_text("is handled by Ada");
    desk.ends(&id, Phase::Confirmed).await;
}

/// Ben and Ada are texted about a protected message of an account whose links go to whoever accepts; they can be opened for two
/// days. Ben has an inbox and a PIN.
async fn accepted_first() -> (Desk, Ben) {
    let steps = vec![(Method::TextConfirm, vec![town::named("Ben", "mobile"), town::named("Ada", "mobile")], 600)];
    let desk = Desk::at_work(&town::protocol(steps, false, Until::Confirmed)).await;
    let ben = Ben::of(&desk).await;
    let mut account = desk.store.find_account(&AccountId::named("one")).await.expect("asked").expect("an account");
    account.call_types[0].protected = true;
    account.secure = SecureMessages { days: 2, accept_first: true, ..SecureMessages::default() };
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_account(&account, desk.now()).await.expect("written");
    tx.commit("test").await.expect("committed");
    (desk, ben)
}

/// Both have their notice, and Ben accepts it: with the link that he is sent for it.
async fn ben_accepts(desk: &mut Desk) -> (DispatchId, Key) {
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("Reply 1ok to accept it.");
    desk.phone("Ada").expect_text("a protected message waits for you.");
    desk.phone("Ben").replies("1ok").await;
    let key = Key::Link(token(&desk.phone("Ben").expect_text("Confirmed").words));
    desk.phone("Ada").expect_text("is handled by Ben");
    (id, key)
}

#[tokio::test]
async fn whoever_accepts_a_protected_message_by_text_is_sent_its_link_and_nobody_else() {
    let (mut desk, ben) = accepted_first().await;
    let id = desk.takes("burst pipe").await;
    let to_ben = desk.phone("Ben").expect_text("a secure message waits for you. Reply 1ok to accept it.").words;
    let to_ada = desk.phone("Ada").expect_text("a protected message waits for you.").words;
    for words in [&to_ben, &to_ada] {
        assert!(!words.contains("/inbox#") && !words.contains("burst"), "{words}");
    }
    desk.phone("Ben").replies("1ok").await;
    let accepted = desk.phone("Ben").expect_text("Confirmed").words;
    assert!(!accepted.contains("burst") && !accepted.contains("0147"), "{accepted}");
    let key = Key::Link(token(&accepted));
    let opened = ben.opens(&key, PIN).await.expect("the PIN is right");
    let item = ben.inboxes.find(&opened.contact, &id).await.expect("asked").expect("it is in his inbox");
    assert_eq!(item.state, ItemState::Confirmed);
    ben.inboxes.read(&opened.contact, &item).await.expect("read");
    assert!(desk.state(&id).await.attempts.iter().any(|a| a.told_at.is_some()), "and reading it is a receipt");
    let handled = desk.phone("Ada").expect_text("is handled by Ben").words;
    assert!(!handled.contains("/inbox#"), "{handled}");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn whoever_accepts_a_protected_message_and_does_not_open_it_is_a_warning_on_the_desks_until_they_do() {
    let (mut desk, ben) = accepted_first().await;
    let (id, key) = ben_accepts(&mut desk).await;
    let warned = |desk: &Desk| desk.dispatcher.alarms().into_iter().find(|a| a.id == format!("unopened:{id}"));
    desk.advance(9 * MINUTE).await;
    assert_eq!(warned(&desk), None, "he may be about to");
    desk.advance(MINUTE).await;
    let alarm = warned(&desk).expect("nobody knows what it is about");
    assert!(alarm.text.starts_with("Ben accepted a protected message at 08:10 and"), "{}", alarm.text);
    assert_eq!(alarm.message, Some(desk.state(&id).await.message), "it leads there");
    assert_eq!(desk.state(&id).await.phase, Phase::Confirmed, "a yes is never taken back");
    let lines: Vec<String> = desk.view(&id).await.timeline.into_iter().map(|line| line.text).collect();
    let said = "Ben accepted it and has not opened it yet: the desks are warned.";
    assert!(lines.iter().any(|line| line == said), "{lines:#?}");
    desk.restarts().await;
    assert!(warned(&desk).is_some(), "a start warns again");

    let ben = Ben { inboxes: desk.inboxes(), ..ben };
    let opened = ben.opens(&key, PIN).await.expect("the PIN is right");
    let item = ben.inboxes.find(&opened.contact, &id).await.expect("asked").expect("it is in his inbox");
    ben.inboxes.read(&opened.contact, &item).await.expect("read");
    assert_eq!(warned(&desk), None);
    desk.advance(60 * MINUTE).await;
    assert_eq!(warned(&desk), None);
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_warning_of_what_was_accepted_and_not_opened_goes_for_good_once_an_operator_has_seen_to_it() {
    let (mut desk, _ben) = accepted_first().await;
    let (id, _) = ben_accepts(&mut desk).await;
    desk.advance(10 * MINUTE).await;
    let alarm = format!("unopened:{id}");
    let warned = |desk: &Desk| desk.dispatcher.alarms().iter().any(|a| a.id == alarm);
    assert!(warned(&desk));
    desk.dispatcher.silence(&alarm, &kim()).await.expect("stored");
    assert!(!warned(&desk));
    desk.restarts().await;
    assert!(!warned(&desk), "nor after a start");
    let lines: Vec<String> = desk.view(&id).await.timeline.into_iter().map(|line| line.text).collect();
    assert!(lines.iter().any(|line| line == "Kim saw to it that Ben knows what it says."), "{lines:#?}");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_message_can_be_opened_for_as_long_as_its_account_says() {
    let (mut desk, ben) = accepted_first().await;
    let (id, key) = ben_accepts(&mut desk).await;
    let opened = ben.opens(&key, PIN).await.expect("the PIN is right");
    let day = 24 * 60 * 60;
    desk.wait(2 * day - 60);
    let item = ben.inboxes.find(&opened.contact, &id).await.expect("asked").expect("it is in his inbox");
    assert!(!item.expired && ben.opens(&key, PIN).await.is_ok());
    desk.wait(120);
    let item = ben.inboxes.find(&opened.contact, &id).await.expect("asked").expect("it is in his inbox");
    assert!(item.expired, "sent more than two days ago");
    assert!(matches!(ben.opens(&key, PIN).await, Err(Refused::Unknown)), "and so was its link");
    desk.ends(&id, Phase::Confirmed).await;
}
