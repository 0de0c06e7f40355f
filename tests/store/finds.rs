//! Part of the contract: what is found again by whom it went to, by what became of it, or by what was written beside it.

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AccountId, ContactId, DispatchId, MessageId, ProtocolId};
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::account::{Contact, Reach, Urgency};
use cordboard::domain::call::cause::Cause;
use cordboard::domain::call::event::{RecordEvent, Stage};
use cordboard::domain::call::way::Way;
use cordboard::domain::dispatch::apply;
use cordboard::domain::dispatch::event::{Event, World};
use cordboard::domain::dispatch::protocol::{Method, Protocol, Step, Target, Until};
use cordboard::domain::dispatch::state::{NewDispatch, Phase, State};
use cordboard::domain::dispatch::unopened::Unopened;
use cordboard::domain::message::Message;
use cordboard::domain::oncall::OnCall;
use cordboard::io::store::Store;

use super::NOW;
use super::contract::{Case, account, call, contact, message, number, with_account, with_user};

pub fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("a_notice_is_found_by_whom_it_went_to", |s| Box::pin(a_notice_is_found_by_whom_it_went_to(s))),
        ("what_is_not_opened_is_found", |s| Box::pin(what_was_accepted_and_not_opened_is_found_until_it_is_seen_to(s))),
        ("the_way_of_callers", |s| Box::pin(the_way_of_callers_is_read_for_those_who_are_asked_about(s))),
        ("names_as_they_are_said", |s| Box::pin(names_are_listed_as_they_are_said_where_that_was_written(s))),
        ("revisions_of_accounts", |s| Box::pin(an_account_says_how_often_and_when_it_was_changed(s))),
    ]
}

/// One person, whose messages are protected.
struct Town(Contact);

impl World for Town {
    fn on_call(&self, _role: &str, _at: UtcMs) -> Option<OnCall> {
        None
    }
    fn zone(&self) -> &str {
        "America/New_York"
    }
    fn contact(&self, id: &ContactId) -> Option<&Contact> {
        (self.0.id == *id).then_some(&self.0)
    }
    fn edition(&self) -> u32 {
        1
    }
    fn is_protected(&self) -> bool {
        true
    }
    fn has_own_pin(&self, _contact: &ContactId) -> bool {
        true
    }
    fn pick_code(&self, _number: &PhoneNumber) -> Option<u16> {
        None
    }
}

/// Somebody who is texted at any hour.
fn person(name: &str, mobile: &str) -> Contact {
    let mut person = contact(name);
    person.destinations[0].reach = Reach::Phone(number(mobile));
    person.destinations[0].hours.clear();
    person
}

async fn tell(store: &Store, id: &DispatchId, town: &Town, event: &Event, now: UtcMs) -> State {
    let mut tx = store.write().await.unwrap();
    let read = tx.lock_dispatch(id).await.unwrap().unwrap();
    let (after, _) = apply(&read.state, event, now, town);
    tx.save_dispatch(&read, &after, &[], now).await.unwrap();
    tx.commit("test").await.unwrap();
    after
}

/// A dispatch that is over once its notice was accepted for this person; `over`: it was.
async fn notifies(store: &Store, to: &Contact, at: i64, over: bool) -> State {
    let (now, town) = (NOW.plus_secs(at), Town(to.clone()));
    let target = Target::Contact { contact: to.id.clone(), destination: "mobile".into() };
    let protocol = Protocol {
        id: ProtocolId::named("notice"),
        account: account().id,
        name: "notice".into(),
        version: 1,
        steps: vec![Step::new(Method::Text, vec![target], 0)],
        repeat: None,
        until: Until::HandedOver,
    };
    let message = Message { id: MessageId::fresh(now), ..message(1) };
    let dispatch = NewDispatch {
        id: DispatchId::fresh(now),
        message: message.id.clone(),
        account: account().id,
        urgency: Urgency::Urgent,
        protocol,
        undo_secs: 0,
        on_call: None,
        patched_to: Vec::new(),
    };
    let id = dispatch.id.clone();
    let mut tx = store.write().await.unwrap();
    tx.insert_message(&message).await.unwrap();
    tx.open_dispatch(dispatch, now).await.unwrap();
    tx.commit("test").await.unwrap();
    let state = tell(store, &id, &town, &Event::Due, now).await;
    if !over {
        return state;
    }
    let attempt = state.attempts[0].id.clone();
    tell(store, &id, &town, &Event::Hand { attempt: attempt.clone(), node: "n".into() }, now).await;
    let state = tell(store, &id, &town, &Event::Accepted { attempt, provider_id: None }, now).await;
    assert_eq!(state.phase, Phase::Delivered);
    state
}

async fn a_notice_is_found_by_whom_it_went_to(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let (ben, like_ben) = (person("ben", "+12025550110"), person("b_n", "+12025550111"));
    let of_ben = notifies(&store, &ben, 0, true).await;
    let of_like_ben = notifies(&store, &like_ben, 60, true).await;
    notifies(&store, &ben, 90, false).await;
    let elsewhere = number("+12025550190");
    let found = async |to: &Contact, number: &PhoneNumber, since: UtcMs| {
        store.list_closed_notices_to(to, number, since).await.unwrap()
    };
    assert_eq!(found(&ben, &elsewhere, NOW).await, std::slice::from_ref(&of_ben.id), "what is open is found elsewhere");
    assert_eq!(found(&ben, &elsewhere, NOW.plus_secs(30)).await, [], "longer ago");
    assert_eq!(
        found(&person("ada", "+12025550112"), &number("+12025550110"), NOW).await,
        std::slice::from_ref(&of_ben.id)
    );
    let theirs = Contact { account: AccountId::named("other"), ..ben.clone() };
    assert_eq!(found(&theirs, &elsewhere, NOW).await, []);
    // An underline stands for any letter: whoever asks looks at the attempts.
    assert_eq!(found(&like_ben, &elsewhere, NOW).await, [of_ben.id.clone(), of_like_ben.id.clone()]);
    let has_it = |state: &State, person: &Contact| {
        state.find_unheard_notice(&elsewhere, std::slice::from_ref(&person.id)).is_some()
    };
    assert!(has_it(&of_ben, &ben) && has_it(&of_like_ben, &like_ben));
    assert!(!has_it(&of_ben, &like_ben) && !has_it(&of_like_ben, &ben));
}

async fn what_was_accepted_and_not_opened_is_found_until_it_is_seen_to(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let ben = person("ben", "+12025550110");
    let id = notifies(&store, &ben, 0, true).await.id;
    notifies(&store, &ben, 1, true).await;
    let unopened = |due_at| Unopened { contact: ben.id.clone(), name: "ben".into(), accepted: "02:10".into(), due_at };
    for (unopened, found) in [(Some(NOW), false), (None, true)].map(|(due_at, found)| (Some(unopened(due_at)), found)) {
        becomes(&store, &id, unopened).await;
        let expected: &[DispatchId] = if found { std::slice::from_ref(&id) } else { &[] };
        assert_eq!(store.list_unopened_dispatches(NOW).await.unwrap(), expected, "the desks are warned: {found}");
    }
    assert_eq!(store.list_unopened_dispatches(NOW.plus_secs(30)).await.unwrap(), [], "longer ago");
    becomes(&store, &id, None).await;
    assert_eq!(store.list_unopened_dispatches(NOW).await.unwrap(), []);
}

async fn becomes(store: &Store, id: &DispatchId, unopened: Option<Unopened>) {
    let mut tx = store.write().await.unwrap();
    let read = tx.lock_dispatch(id).await.unwrap().unwrap();
    let after = State { unopened, ..read.state.clone() };
    tx.save_dispatch(&read, &after, &[], NOW).await.unwrap();
    tx.commit("test").await.unwrap();
}

async fn the_way_of_callers_is_read_for_those_who_are_asked_about(store: Store) {
    with_account(&store).await;
    let chose = |choice: &str| RecordEvent::MenuChosen { choice: choice.to_owned() };
    let dialled = RecordEvent::PatchDialled { contact: Some(ContactId::named("ben")), number: number("+12025550110") };
    let gone = RecordEvent::CallerGone { stage: Stage::Reaching, why: Cause::HungUp };
    let first = [
        ("menu_chosen", chose("A leak")),
        ("patch_sought", RecordEvent::PatchSought),
        ("patch_dialled", dialled),
        ("caller_gone", gone),
    ];
    let mut tx = store.write().await.unwrap();
    for n in 1..=4 {
        tx.insert_call(&call(n)).await.unwrap();
    }
    for (n, (kind, event)) in (0..).zip(&first) {
        tx.append_call_event(&call(1).id, NOW.plus_secs(n), kind, event).await.unwrap();
    }
    tx.append_call_event(&call(2).id, NOW, "menu_chosen", &serde_json::json!({})).await.unwrap();
    tx.append_call_event(&call(2).id, NOW, "menu_chosen", &chose("The bill")).await.unwrap();
    tx.append_call_event(&call(2).id, NOW, "pin_refused", &serde_json::json!({})).await.unwrap();
    tx.append_call_event(&call(3).id, NOW, "menu_chosen", &chose("Nobody asks")).await.unwrap();
    tx.commit("test").await.unwrap();
    let way = |events: &[RecordEvent]| {
        let mut way = Way::default();
        events.iter().for_each(|event| way.note(event));
        way
    };
    let first: Vec<RecordEvent> = first.into_iter().map(|(_, event)| event).collect();
    assert_eq!((way(&first).put_through, way(&first).rung.len()), (true, 1));
    let asked = [2, 4, 1].map(|n| call(n).id);
    let expected = [(call(1).id, way(&first)), (call(2).id, way(&[chose("The bill")]))];
    assert_eq!(store.list_ways(&asked).await.unwrap(), expected);
    assert_eq!(store.list_ways(&[]).await.unwrap(), []);
}

async fn names_are_listed_as_they_are_said_where_that_was_written(store: Store) {
    with_account(&store).await;
    let (ben, ada) = (contact("ben"), contact("ada"));
    let says = async |words: Option<&str>| {
        let mut tx = store.write().await.unwrap();
        tx.set_spoken_as(&ben.id, words).await.unwrap();
        tx.commit("test").await.unwrap();
    };
    let mut tx = store.write().await.unwrap();
    tx.upsert_contact(&ben).await.unwrap();
    tx.upsert_contact(&ada).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.list_spoken_as(&account().id).await.unwrap(), []);
    says(Some("Benn Or teez")).await;
    let said = vec![(ben.id.clone(), "Benn Or teez".to_owned())];
    assert_eq!(store.list_spoken_as(&account().id).await.unwrap(), said);
    assert_eq!(store.list_spoken_as(&AccountId::named("other")).await.unwrap(), []);
    // Written again, as by a change of the contact, it is still said so.
    let mut tx = store.write().await.unwrap();
    tx.upsert_contact(&ben).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.list_spoken_as(&account().id).await.unwrap(), said);
    says(None).await;
    assert_eq!(store.list_spoken_as(&account().id).await.unwrap(), []);
}

async fn an_account_says_how_often_and_when_it_was_changed(store: Store) {
    with_account(&store).await;
    let of = async || store.find_account_revision(&account().id).await.unwrap().unwrap();
    let (first, at) = of().await;
    assert_eq!(at, NOW);
    let mut tx = store.write().await.unwrap();
    tx.upsert_account(&account(), NOW.plus_secs(5)).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(of().await, (first + 1, NOW.plus_secs(5)));
    assert_eq!(store.find_account_revision(&AccountId::named("other")).await.unwrap(), None);
}
