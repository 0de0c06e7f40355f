//! Part of the contract: PINs, wrong ones, and messages that are held for check-in.

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AccountId, ContactId, DispatchId, MessageId, ProtocolId, UserId};
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::account::{Contact, Urgency};
use cordboard::domain::checkin::pin::Pin;
use cordboard::domain::dispatch::apply;
use cordboard::domain::dispatch::event::{Event, World};
use cordboard::domain::dispatch::protocol::{Method, Protocol, Step, Until};
use cordboard::domain::dispatch::state::NewDispatch;
use cordboard::domain::message::Message;
use cordboard::domain::oncall::OnCall;
use cordboard::io::store::calls::{PINS_LOCKED, PINS_LOCKED_SEEN};
use cordboard::io::store::check_in::{PinFrom, Tried, WrongPins};
use cordboard::io::store::inbox::LinkPurpose;
use cordboard::io::store::sql::Arg;
use cordboard::io::store::{Store, StoreError};

use super::NOW;
use super::contract::*;

fn pin(digits: &str) -> Pin {
    Pin::choose(digits).unwrap()
}

async fn set(store: &Store, contact: Option<&ContactId>, digits: &str) -> Result<(), StoreError> {
    let mut tx = store.write().await.unwrap();
    tx.set_pin(&account().id, contact, &pin(digits), &UserId::named("kim"), NOW).await?;
    tx.commit("test").await
}

async fn owner(store: &Store, digits: &str) -> Option<Option<ContactId>> {
    store.find_pin(&account().id, &pin(digits)).await.unwrap().map(|set| set.contact)
}

pub async fn a_pin_is_one_persons_and_is_kept_as_a_hash(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let (ben, ada) = (contact("ben"), contact("ada"));
    let mut tx = store.write().await.unwrap();
    tx.upsert_contact(&ben).await.unwrap();
    tx.upsert_contact(&ada).await.unwrap();
    tx.commit("test").await.unwrap();
    set(&store, Some(&ben.id), "4711").await.unwrap();
    set(&store, None, "2580").await.unwrap();
    assert_eq!(owner(&store, "4711").await, Some(Some(ben.id.clone())));
    assert_eq!((owner(&store, "2580").await, owner(&store, "1357").await), (Some(None), None));
    assert!(store.find_pin(&AccountId::named("other"), &pin("4711")).await.unwrap().is_none());
    let taken = set(&store, Some(&ada.id), "4711").await;
    assert!(matches!(taken, Err(StoreError::Conflict { .. })), "{taken:?}");
    // Another one in its place.
    set(&store, Some(&ben.id), "8642").await.unwrap();
    assert_eq!((owner(&store, "4711").await, owner(&store, "8642").await), (None, Some(Some(ben.id.clone()))));
    set(&store, Some(&ada.id), "4711").await.unwrap();
    assert_eq!(store.list_pins(&account().id).await.unwrap().len(), 3);
    let rows = store.fetch_all("SELECT account, pin_index FROM pin", Vec::new()).await.unwrap();
    for row in &rows {
        let kept: String = row.read("pin_index").unwrap();
        assert!(kept.len() > 40 && !kept.contains("4711") && !kept.contains("8642"), "{kept}");
    }
    let mut own = store.list_own_pins(&[account().id]).await.unwrap();
    own.sort();
    let each = [&ada, &ben].map(|person| (account().id, person.id.clone()));
    assert_eq!(own, each, "the PIN that all share is nobody's own");
    assert!(store.list_own_pins(&[]).await.unwrap().is_empty());
    // Whoever goes takes theirs along.
    let mut tx = store.write().await.unwrap();
    tx.delete_contact(&ada.id, NOW).await.unwrap();
    assert!(tx.remove_pin(&account().id, None).await.unwrap());
    assert!(!tx.remove_pin(&account().id, None).await.unwrap(), "it is gone");
    tx.commit("test").await.unwrap();
    assert_eq!((owner(&store, "4711").await, owner(&store, "2580").await), (None, None));
    assert_eq!(owner(&store, "8642").await, Some(Some(ben.id)));
}

pub async fn wrong_pins_count_for_an_hour(store: Store) {
    with_account(&store).await;
    let caller = number("+12025550150");
    let wrong = async |from: PinFrom<'_>, at: UtcMs| {
        let mut tx = store.write().await.unwrap();
        let tried = tx.try_pin(&account().id, from, &pin("9182"), at).await.unwrap();
        tx.commit("test").await.unwrap();
        tried
    };
    wrong(PinFrom::Stranger(Some(&caller)), NOW).await;
    wrong(PinFrom::Stranger(Some(&caller)), NOW.plus_secs(60)).await;
    wrong(PinFrom::Stranger(None), NOW.plus_secs(60)).await;
    let count = async |from: PinFrom<'_>, after: i64| {
        let WrongPins { of_one, of_all } =
            store.count_wrong_pins(&account().id, from, NOW.plus_secs(after)).await.unwrap();
        (of_one, of_all)
    };
    assert_eq!(count(PinFrom::Stranger(Some(&caller)), 61).await, (2, 3));
    assert_eq!(count(PinFrom::Stranger(None), 61).await, (1, 3), "whoever shows no number is one of those");
    assert_eq!(count(PinFrom::Stranger(Some(&number("+12025550151"))), 61).await, (0, 3));
    assert_eq!(count(PinFrom::Stranger(Some(&caller)), 3_600).await, (1, 2));
    assert_eq!(count(PinFrom::Stranger(Some(&caller)), 3_660).await, (0, 0));
    a_call_to_somebody_takes_their_pin_alone(&store).await;
}

/// And counts with calls from their telephone.
async fn a_call_to_somebody_takes_their_pin_alone(store: &Store) {
    with_user(store, "kim").await;
    let (ben, ada) = (contact("ben"), contact("ada"));
    let mobile = number("+12025550161");
    let mut tx = store.write().await.unwrap();
    for (person, digits) in [(&ben, "4711"), (&ada, "2580")] {
        tx.upsert_contact(person).await.unwrap();
        tx.set_pin(&account().id, Some(&person.id), &pin(digits), &user("kim").id, NOW).await.unwrap();
    }
    tx.set_pin(&account().id, None, &pin("8642"), &user("kim").id, NOW).await.unwrap();
    let to_ben = PinFrom::Called { number: &mobile, people: std::slice::from_ref(&ben.id) };
    for (digits, opens) in [("4711", true), ("8642", true), ("2580", false), ("9182", false)] {
        let tried = tx.try_pin(&account().id, to_ben, &pin(digits), NOW).await.unwrap();
        assert_eq!(matches!(tried, Tried::Right(_)), opens, "{digits}: {tried:?}");
    }
    let to_all = PinFrom::Called { number: &mobile, people: &[] };
    assert!(matches!(tx.try_pin(&account().id, to_all, &pin("4711"), NOW).await.unwrap(), Tried::Wrong { .. }));
    tx.commit("test").await.unwrap();
    for place in [to_ben, PinFrom::Known(&mobile)] {
        let wrong = store.count_wrong_pins(&account().id, place, NOW.plus_secs(1)).await.unwrap();
        assert_eq!(wrong, WrongPins { of_one: 3, of_all: 3 });
    }
}

pub async fn tries_at_once_are_no_more_than_tries_in_turn(store: Store) {
    with_account(&store).await;
    let mut trying = tokio::task::JoinSet::new();
    for n in 0..30 {
        let store = store.clone();
        trying.spawn(async move {
            let caller = number("+12025550150");
            let mut tx = store.write().await.unwrap();
            let from = PinFrom::Stranger(Some(&caller));
            let tried = tx.try_pin(&account().id, from, &pin(&format!("91{n:02}")), NOW).await.unwrap();
            tx.commit("test").await.unwrap();
            tried
        });
    }
    let (mut judged, mut locks) = (0, 0);
    while let Some(tried) = trying.join_next().await {
        match tried.unwrap() {
            Tried::Wrong { locks: last } => (judged, locks) = (judged + 1, locks + u32::from(last)),
            Tried::Locked => {}
            Tried::Right(_) => panic!("nobody has one of these"),
        }
    }
    assert_eq!((judged, locks), (6, 1), "the others were not looked at");
}

pub async fn a_place_that_is_locked_locks_no_other(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let (ben, ada) = (contact("ben"), contact("ada"));
    let mut tx = store.write().await.unwrap();
    for person in [&ben, &ada] {
        tx.upsert_contact(person).await.unwrap();
    }
    for (person, digits) in [(&ben, "4711"), (&ada, "2580")] {
        tx.set_pin(&account().id, Some(&person.id), &pin(digits), &user("kim").id, NOW).await.unwrap();
    }
    let mut tokens = Vec::new();
    for person in [&ben, &ben, &ada] {
        tokens.push(tx.insert_inbox_device(&person.id, "iPhone", NOW).await.unwrap().1);
    }
    let (link, _) = tx.insert_inbox_link(&ben.id, LinkPurpose::Notice, 60_000, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    let mut devices = Vec::new();
    for token in &tokens {
        devices.push(store.find_inbox_device(token).await.unwrap().unwrap());
    }
    let tries = async |from: PinFrom<'_>, digits: &str| {
        let mut tx = store.write().await.unwrap();
        let tried = tx.try_pin(&account().id, from, &pin(digits), NOW).await.unwrap();
        tx.commit("test").await.unwrap();
        tried
    };
    let first = PinFrom::Device(&devices[0]);
    assert!(matches!(tries(first, "2580").await, Tried::Wrong { locks: false }), "hers opens nothing of his");
    for _ in 0..4 {
        assert_eq!(tries(first, "9182").await, Tried::Wrong { locks: false });
    }
    assert_eq!(tries(first, "9182").await, Tried::Wrong { locks: true }, "the sixth");
    assert_eq!((tries(first, "9182").await, tries(first, "4711").await), (Tried::Locked, Tried::Locked));
    // Strangers in great numbers.
    for n in 0..25 {
        let caller = number(&format!("+120255501{:02}", 50 + n));
        tries(PinFrom::Stranger(Some(&caller)), "9182").await;
    }
    let known = number("+12025550121");
    for (from, digits) in [
        (PinFrom::Device(&devices[1]), "4711"),
        (PinFrom::Device(&devices[2]), "2580"),
        (PinFrom::Link { token: &link, contact: &ben.id }, "4711"),
        (PinFrom::Known(&known), "4711"),
    ] {
        assert!(matches!(tries(from, digits).await, Tried::Right(_)), "{from:?}");
    }
    assert_eq!(tries(PinFrom::Stranger(None), "4711").await, Tried::Locked, "but for strangers, who count together");
}

pub async fn pins_that_were_tried_in_vain_are_told_for_an_hour_or_until_somebody_has_seen_it(store: Store) {
    with_account(&store).await;
    let mut tx = store.write().await.unwrap();
    for n in 1..=3 {
        tx.insert_call(&call(n)).await.unwrap();
    }
    for (n, kind, at) in [(1, PINS_LOCKED, 10), (2, PINS_LOCKED, 20), (2, "pin_refused", 21)] {
        tx.append_call_event(&call(n).id, NOW.plus_secs(at), kind, &serde_json::json!({})).await.unwrap();
    }
    tx.commit("test").await.unwrap();
    let locked = async |since| {
        let calls = store.list_calls_that_locked_pins(NOW.plus_secs(since)).await.unwrap();
        calls.into_iter().map(|call| call.id).collect::<Vec<_>>()
    };
    assert_eq!(locked(0).await, [call(1).id, call(2).id]);
    assert_eq!(locked(10).await, [call(2).id], "longer ago");
    let mut tx = store.write().await.unwrap();
    tx.append_call_event(&call(2).id, NOW.plus_secs(30), PINS_LOCKED_SEEN, &serde_json::json!({})).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(locked(0).await, [call(1).id]);
}

struct Nobody;

impl World for Nobody {
    fn on_call(&self, _role: &str, _at: UtcMs) -> Option<OnCall> {
        None
    }
    fn zone(&self) -> &str {
        "America/New_York"
    }
    fn edition(&self) -> u32 {
        1
    }
    fn contact(&self, _id: &ContactId) -> Option<&Contact> {
        None
    }
    fn has_own_pin(&self, _contact: &ContactId) -> bool {
        false
    }
    fn pick_code(&self, _number: &PhoneNumber) -> Option<u16> {
        None
    }
}

fn held(name: &str, at: i64) -> (Message, NewDispatch) {
    let plumbing = account();
    let method = Method::HoldForCheckIn { until: None };
    let protocol = Protocol {
        id: ProtocolId::named("held"),
        account: plumbing.id.clone(),
        name: "held".into(),
        version: 1,
        steps: vec![Step::new(method, vec![], 0)],
        repeat: None,
        until: Until::HandedOver,
    };
    let message = Message {
        id: MessageId::named(name),
        account: plumbing.id.clone(),
        call_type: plumbing.call_types[0].id.clone(),
        call: None,
        caller: None,
        urgency: Urgency::Routine,
        taken_by: None,
        taken_at: NOW.plus_secs(at),
        begun_at: None,
        form: form(),
        answers: Default::default(),
        edition: 1,
        changed: None,
        graded: None,
    };
    let dispatch = NewDispatch {
        id: DispatchId::named(name),
        message: message.id.clone(),
        account: plumbing.id,
        urgency: Urgency::Routine,
        protocol,
        undo_secs: 0,
        on_call: None,
        patched_to: Vec::new(),
    };
    (message, dispatch)
}

async fn tell(store: &Store, name: &str, event: &Event, at: i64) {
    let now = NOW.plus_secs(at);
    let mut tx = store.write().await.unwrap();
    let read = tx.lock_dispatch(&DispatchId::named(name)).await.unwrap().unwrap();
    let (after, _) = apply(&read.state, event, now, &Nobody);
    tx.save_dispatch(&read, &after, &[], now).await.unwrap();
    tx.commit("test").await.unwrap();
}

pub async fn what_is_held_is_listed_until_it_is_closed(store: Store) {
    with_account(&store).await;
    let account = account().id;
    for (name, at) in [("late", 20), ("early", 10), ("unopened", 0)] {
        let (message, dispatch) = held(name, at);
        let mut tx = store.write().await.unwrap();
        tx.insert_message(&message).await.unwrap();
        tx.open_dispatch(dispatch, message.taken_at).await.unwrap();
        tx.commit("test").await.unwrap();
    }
    assert_eq!(store.list_held_dispatches(&account).await.unwrap(), []);
    tell(&store, "early", &Event::Due, 10).await;
    tell(&store, "late", &Event::Due, 20).await;
    let ids = ["early", "late"].map(DispatchId::named).to_vec();
    assert_eq!(store.list_held_dispatches(&account).await.unwrap(), ids, "the one held longest first");
    let all = ["unopened", "early", "late"].map(DispatchId::named).to_vec();
    assert_eq!(store.list_open_dispatches(10).await.unwrap(), all, "what is on its way comes first");
    assert_eq!(store.list_held_dispatches(&AccountId::named("other")).await.unwrap(), []);
    assert!(
        !store.list_sleepless_dispatches().await.unwrap().contains(&ids[0]),
        "it waits for a person, not for a time"
    );
    // A pause has an end, and so has a hold until six: whatever lost its timer is found.
    let paused = Event::RingsBack { who: "Ada".into(), by: "Kim".into() };
    tell(&store, "early", &paused, 25).await;
    let mut tx = store.write().await.unwrap();
    tx.execute("DELETE FROM timer WHERE dispatch = $1", vec![Arg::Text(Some(ids[0].to_string()))]).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.list_sleepless_dispatches().await.unwrap(), ids[..1]);
    tell(&store, "early", &Event::RangBack, 26).await;
    assert_eq!(store.list_sleepless_dispatches().await.unwrap(), []);
    tell(&store, "early", &Event::ReadAtCheckIn { who: "Ada".into(), by: None, edition: Some(1) }, 30).await;
    assert_eq!(store.list_held_dispatches(&account).await.unwrap(), ids[1..]);
    assert_eq!(store.find_account_zone(&account).await.unwrap().as_deref(), Some("America/New_York"));
}
