//! The cases of the contract: each gets an empty store of either kind.

use std::future::Future;
use std::pin::Pin;

use cordboard::base::id::{
    AccountId, CallId, CallTypeId, ContactId, DestinationId, DeviceId, DraftId, MessageId, ProtocolId, ScheduleId,
    UserId,
};
use cordboard::base::phone::PhoneNumber;
use cordboard::demo;
use cordboard::domain::account::faq::Faq;
use cordboard::domain::account::flow::{Flow, Spill, SpillFailed, Voicemail};
use cordboard::domain::account::hours::{Holiday, Hours, Span, Weekday, Window};
use cordboard::domain::account::{
    Account, CallPin, CallType, Comfort, Contact, Destination, LeaveMessage, MailTemplate, OwnAges, Patching, Queueing,
    Reach, RecordedLegs, RecordingMode, RecordingPolicy, SecureMessages, Speech, Urgency, VoicemailMail, WhenOverdue,
};
use cordboard::domain::call::abandoned::Abandoned;
use cordboard::domain::call::cause::Cause;
use cordboard::domain::call::event::{CallOutcome, RecordEvent, Stage};
use cordboard::domain::dispatch::protocol::{Method, Protocol, Repeat, Step, Target, Until};
use cordboard::domain::ivr::menu::{Menu, Node, Step as MenuStep};
use cordboard::domain::message::Message;
use cordboard::domain::message::form::{Answers, Field, FieldKind, Form};
use cordboard::domain::message::trigger::{Graded, Grading, Trigger};
use cordboard::domain::oncall::{Schedule, Window as ShiftWindow};
use cordboard::domain::operator::extension::Extension;
use cordboard::domain::operator::skill::Skill;
use cordboard::io::store::calls::{CallEnd, CallOfDay, CallRecord, Direction};
use cordboard::io::store::devices::{Device, DeviceHashes};
use cordboard::io::store::drafts::{Cursor, Draft};
use cordboard::io::store::idempotency::{REMEMBERED_MS, Remembered};
use cordboard::io::store::protocols::{MadeProtocol, Origin};
use cordboard::io::store::users::{HashedPassword, Role, User};
use cordboard::io::store::voicemails::{OpenVoicemail, VoicemailBegun, VoicemailEnd};
use cordboard::io::store::{Store, StoreError};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    NOW, alarms, audit, check_in, clients, finds, greetings, inbox, inner_calls, lost, messages, patches, schedules,
    sessions,
};

pub type Case = fn(Store) -> Pin<Box<dyn Future<Output = ()>>>;

/// All cases by name.
pub fn cases() -> Vec<(&'static str, Case)> {
    let own: Vec<(&'static str, Case)> = vec![
        ("accounts_come_back_as_written", |s| Box::pin(accounts_come_back_as_written(s))),
        ("a_dropped_transaction_leaves_nothing", |s| Box::pin(a_dropped_transaction_leaves_nothing(s))),
        ("contacts_keep_their_order_and_places", |s| Box::pin(contacts_keep_their_order_and_places(s))),
        ("protocols_are_never_overwritten", |s| Box::pin(protocols_are_never_overwritten(s))),
        ("passwords_open_for_their_user_only", |s| Box::pin(passwords_open_for_their_user_only(s))),
        ("desk_phones_are_their_owners_and_their_secrets_sealed", |s| {
            Box::pin(desk_phones_are_their_owners_and_their_secrets_sealed(s))
        }),
        ("calls_end_once", |s| Box::pin(calls_end_once(s))),
        ("a_day_of_calls_is_read_with_how_they_went", |s| Box::pin(a_day_of_calls_is_read_with_how_they_went(s))),
        ("a_voicemail_is_settled_once", |s| Box::pin(a_voicemail_is_settled_once(s))),
        ("messages_are_sealed_and_paged", |s| Box::pin(messages::messages_are_sealed_and_paged(s))),
        ("a_changed_message_keeps_what_it_was", |s| Box::pin(messages::a_changed_message_keeps_what_it_was(s))),
        ("greetings", |s| Box::pin(greetings::spoken_in_by_telephone(s))),
        ("status_lines_end", |s| Box::pin(messages::status_lines_end(s))),
        ("drafts_belong_to_their_owner", |s| Box::pin(drafts_belong_to_their_owner(s))),
        ("a_request_key_is_remembered_for_a_day", |s| Box::pin(a_request_key_is_remembered_for_a_day(s))),
        ("the_demo_is_seeded_once", |s| Box::pin(the_demo_is_seeded_once(s))),
        ("a_pin_is_one_persons_and_is_kept_as_a_hash", |s| {
            Box::pin(check_in::a_pin_is_one_persons_and_is_kept_as_a_hash(s))
        }),
        ("wrong_pins_count_for_an_hour", |s| Box::pin(check_in::wrong_pins_count_for_an_hour(s))),
        ("pins_at_once", |s| Box::pin(check_in::tries_at_once_are_no_more_than_tries_in_turn(s))),
        ("a_locked_place", |s| Box::pin(check_in::a_place_that_is_locked_locks_no_other(s))),
        ("pins_that_were_tried_in_vain_are_told_for_an_hour_or_until_somebody_has_seen_it", |s| {
            Box::pin(check_in::pins_that_were_tried_in_vain_are_told_for_an_hour_or_until_somebody_has_seen_it(s))
        }),
        ("what_is_held_is_listed_until_it_is_closed", |s| {
            Box::pin(check_in::what_is_held_is_listed_until_it_is_closed(s))
        }),
        ("writers_take_turns", |s| Box::pin(writers_take_turns(s))),
    ];
    [
        own,
        alarms::cases(),
        clients::cases(),
        schedules::cases(),
        sessions::cases(),
        lost::cases(),
        inner_calls::cases(),
        audit::cases(),
        inbox::cases(),
        patches::cases(),
        finds::cases(),
    ]
    .concat()
}

pub fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a valid number")
}

pub fn skill(text: &str) -> Skill {
    Skill::parse(text).expect("a skill")
}

pub fn account() -> Account {
    Account {
        id: AccountId::named("plumbing"),
        name: "Imaginary Plumbing".into(),
        zone: "America/New_York".into(),
        color: "#1f77b4".into(),
        answer_phrase: "Imaginary Plumbing, how can I help?".into(),
        notes: "Ask for the shut-off valve.\n\u{1f6b0} ünïcode".into(),
        faq: vec![Faq { question: "Where is the valve?".into(), answer: "By the meter.".into() }],
        greeting: Speech::Spoken { text: "Thank you for calling.".into() },
        mail: MailTemplate { subject: "A call for {{ account }}".into(), ..MailTemplate::default() },
        apology: Speech::Recorded { prompt: "apology".into() },
        comfort: Some(Comfort {
            every_secs: 30,
            speech: Speech::Spoken { text: "Please hold.".into() },
            further: vec![Speech::Spoken { text: "Still with us?".into() }],
            position: true,
        }),
        dids: vec![number("+12025550102"), number("+12025550199")],
        caller_id: Some(number("+12025550102")),
        priority: -1,
        ring_secs: 20,
        max_wait_secs: 180,
        undo_secs: 10,
        secure: SecureMessages { days: 3, accept_first: true, call_pin: CallPin::Always },
        leave_message: LeaveMessage::Nothing,
        recording: RecordingPolicy {
            mode: RecordingMode::OnDemand,
            announcement: None,
            tell_contact: false,
            legs: RecordedLegs { caller: true, operator: false, contact: true },
            voicemail_mail: VoicemailMail::Link,
        },
        queueing: Queueing {
            skills: [skill("Spanish")].into(),
            skill_wait_secs: 45,
            wrap_up_secs: Some(60),
            when_overdue: WhenOverdue::Callback,
            callback_after_secs: Some(90),
            abandoned_alarm: true,
            music: vec![Speech::Uploaded { recording: "0123".into() }],
        },
        patching: Patching { max_secs: Some(900) },
        hours: hours(),
        menus: vec![menu()],
        ages: OwnAges { urgent_warning_secs: Some(90), ..OwnAges::default() },
        status_greeting: None,
        answer_phrases: Vec::new(),
        call_types: vec![CallType {
            id: CallTypeId::named("plumbing-urgent"),
            name: "Urgent".into(),
            urgency: Urgency::Urgent,
            triggers: "leak".into(),
            watched: vec![Trigger::Words { words: "leak".into() }],
            form: form(),
            protocol: None,
            protected: true,
            priority: Some(5),
        }],
    }
}

fn hours() -> Hours {
    let voicemail = Flow::Voicemail(Voicemail {
        speech: Speech::Spoken { text: "Speak after the tone.".into() },
        call_type: CallTypeId::named("plumbing-urgent"),
        max_secs: 90,
        silence_secs: 4,
    });
    let spill =
        Spill { number: number("+12025550160"), ring_secs: 20, failed: SpillFailed::Apology, before_answer: true };
    let span = |from: &str, until: &str| Span { from: from.into(), until: until.into() };
    Hours {
        overdue: None,
        usual: Flow::Menu { menu: "main".into() },
        windows: vec![Window {
            name: "night".into(),
            days: vec![Weekday::Saturday],
            span: span("22:00", "06:00"),
            greeting: None,
            flow: voicemail,
        }],
        holidays: vec![Holiday {
            name: "Christmas".into(),
            date: "12-25".into(),
            span: None,
            greeting: Some(Speech::Recorded { prompt: "closed".into() }),
            flow: Flow::Spill(spill),
        }],
        overrides: vec![],
        check_in: Some(number("+12025550103")),
    }
}

fn menu() -> Menu {
    let node = Node { id: "out".into(), step: MenuStep::Exit { flow: Flow::default() } };
    Menu { name: "main".into(), start: "out".into(), nodes: vec![node], otherwise: Flow::default() }
}

pub fn form() -> Form {
    let field = |name: &str, kind| Field {
        name: name.into(),
        label: name.into(),
        kind,
        required: true,
        brief: true,
        ..Field::default()
    };
    Form {
        version: 1,
        fields: vec![
            field("name", FieldKind::Text),
            field("problem", FieldKind::Choice { options: vec!["Leak".into(), "Other".into()] }),
        ],
    }
}

pub fn contact(name: &str) -> Contact {
    Contact {
        id: ContactId::named(name),
        account: account().id,
        name: name.into(),
        title: "technician".into(),
        language: Some("es".into()),
        zone: Some("America/Denver".into()),
        destinations: vec![
            Destination {
                id: DestinationId::named(&format!("{name}-mobile")),
                label: "mobile".into(),
                reach: Reach::Phone(number("+12025550110")),
                ring_secs: 30,
                blocked: false,
                hours: vec![ShiftWindow {
                    days: vec![Weekday::Monday, Weekday::Friday],
                    span: Span { from: "08:00".into(), until: "18:00".into() },
                }],
            },
            Destination {
                id: DestinationId::named(&format!("{name}-email")),
                label: "email".into(),
                reach: Reach::Email(format!("{name}@example.com")),
                ring_secs: 30,
                blocked: false,
                hours: Vec::new(),
            },
            Destination {
                id: DestinationId::named(&format!("{name}-pager")),
                label: "pager".into(),
                reach: Reach::Pager("5550142@metro".parse().expect("a pager")),
                ring_secs: 30,
                blocked: false,
                hours: Vec::new(),
            },
            Destination {
                id: DestinationId::named(&format!("{name}-desk")),
                label: "desk".into(),
                reach: Reach::Webhook("desk".into()),
                ring_secs: 30,
                blocked: false,
                hours: Vec::new(),
            },
        ],
    }
}

pub fn user(name: &str) -> User {
    let skills = [skill("Spanish"), skill("medical")].into();
    User {
        id: UserId::named(name),
        login: name.into(),
        name: name.into(),
        role: Role::Operator,
        disabled: false,
        skills,
    }
}

pub fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

pub async fn with_account(store: &Store) {
    let mut tx = store.write().await.expect("begins");
    tx.upsert_account(&account(), NOW).await.expect("is written");
    tx.commit("test").await.expect("commits");
}

pub async fn with_user(store: &Store, name: &str) {
    let password = HashedPassword::of(secret("correct horse")).await.expect("long enough");
    let mut tx = store.write().await.expect("begins");
    tx.insert_user(&user(name), &password, NOW).await.expect("is written");
    tx.commit("test").await.expect("commits");
}

async fn accounts_come_back_as_written(store: Store) {
    with_account(&store).await;
    let written = account();
    assert_eq!(store.find_account(&written.id).await.unwrap(), Some(written.clone()));
    assert_eq!(store.find_account_by_did(&written.dids[1]).await.unwrap(), Some(written.clone()));
    assert_eq!(store.find_account_by_name("Imaginary Plumbing").await.unwrap(), Some(written.clone()));
    assert_eq!(store.find_account_by_did(&number("+12025550100")).await.unwrap(), None);
    assert_eq!(store.list_accounts().await.unwrap(), vec![written.clone()]);

    // An edit: one number and the call type go, another comes.
    let mut edited = written.clone();
    edited.dids.truncate(1);
    edited.call_types[0].id = CallTypeId::named("plumbing-other");
    let mut tx = store.write().await.unwrap();
    tx.upsert_account(&edited, NOW.plus_secs(1)).await.unwrap();
    // A transaction sees its own writes.
    assert_eq!(tx.find_account(&edited.id).await.unwrap(), Some(edited.clone()));
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_account_by_did(&written.dids[1]).await.unwrap(), None);
    let retired = store.find_call_type(&written.call_types[0].id).await.unwrap().expect("is still there");
    assert_eq!(retired, (written.id.clone(), written.call_types[0].clone()));

    // Two accounts cannot have one number or one name.
    let mut other = written.clone();
    other.id = AccountId::named("other");
    other.name = "Other".into();
    other.call_types.clear();
    let mut tx = store.write().await.unwrap();
    assert!(matches!(tx.upsert_account(&other, NOW).await, Err(StoreError::Conflict { .. })));
}

async fn a_dropped_transaction_leaves_nothing(store: Store) {
    let mut tx = store.write().await.unwrap();
    tx.upsert_account(&account(), NOW).await.unwrap();
    drop(tx);
    assert_eq!(store.list_accounts().await.unwrap(), Vec::new());
    let mut tx = store.write().await.unwrap();
    tx.upsert_account(&account(), NOW).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(store.list_accounts().await.unwrap(), Vec::new());
}

async fn contacts_keep_their_order_and_places(store: Store) {
    with_account(&store).await;
    let mut tx = store.write().await.unwrap();
    for name in ["zoe", "ben"] {
        tx.upsert_contact(&contact(name)).await.unwrap();
    }
    tx.commit("test").await.unwrap();
    let id = account().id;
    assert_eq!(store.list_contacts(&id).await.unwrap(), vec![contact("zoe"), contact("ben")]);
    let mut edited = contact("zoe");
    edited.destinations.remove(0);
    let mut tx = store.write().await.unwrap();
    tx.upsert_contact(&edited).await.unwrap();
    assert_eq!(tx.block_number(&number("+12025550110"), true).await.unwrap(), 1);
    tx.commit("test").await.unwrap();
    let found = store.list_contacts(&id).await.unwrap();
    assert_eq!(found[0], edited);
    assert!(found[1].destinations[0].blocked);
    let by_phone = store.list_contacts_by_phone(&number("+12025550110")).await.unwrap();
    assert_eq!(by_phone.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["ben"]);
    assert_eq!(store.find_contact(&ContactId::named("nobody")).await.unwrap(), None);
}

async fn protocols_are_never_overwritten(store: Store) {
    with_account(&store).await;
    let first = Protocol {
        id: ProtocolId::named("plumbing-urgent-1"),
        account: account().id,
        name: "Urgent".into(),
        version: 1,
        steps: vec![Step::new(
            Method::Email,
            vec![Target::Contact { contact: ContactId::named("ben"), destination: "email".into() }],
            600,
        )],
        repeat: None,
        until: Until::HandedOver,
    };
    let mut second = first.clone();
    second.id = ProtocolId::named("plumbing-urgent-2");
    second.version = 2;
    second.steps[0].method = Method::TextConfirm;
    second.steps[0].to = vec![Target::OnCall { role: "technician".into(), destination: "mobile".into() }];
    second.repeat = Some(Repeat { from_step: 1 });
    second.until = Until::Confirmed;
    let mut edited = account();
    edited.call_types[0].protocol = Some(second.id.clone());
    let technician = Schedule {
        id: ScheduleId::named("technician"),
        account: account().id,
        role: "technician".into(),
        zone: "America/New_York".into(),
        layers: vec![],
        temporary: vec![],
        remind: false,
        holidays: vec![],
        overrides: Vec::new(),
        fallback: Some(ContactId::named("ben")),
    };
    let mut tx = store.write().await.unwrap();
    tx.upsert_contact(&contact("ben")).await.unwrap();
    tx.upsert_schedule(&technician).await.unwrap();
    // The account may name a protocol that follows in the same transaction.
    tx.upsert_account(&edited, NOW).await.unwrap();
    tx.insert_protocol(&first, NOW).await.unwrap();
    tx.insert_protocol(&second, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_protocol(&first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.list_protocols(&account().id).await.unwrap(), vec![second.clone(), first.clone()]);
    let made = store.list_made_protocols(&account().id).await.unwrap();
    let expected = |protocol| MadeProtocol { protocol, made_at: NOW, origin: Origin::default() };
    assert_eq!(made, vec![expected(second), expected(first.clone())]);
    let mut tx = store.write().await.unwrap();
    assert!(matches!(tx.insert_protocol(&first, NOW).await, Err(StoreError::Conflict { .. })));
    drop(tx);

    let mut faulty = first.clone();
    faulty.id = ProtocolId::named("plumbing-urgent-3");
    faulty.version = 3;
    faulty.steps[0].method = Method::Webhook;
    let mut tx = store.write().await.unwrap();
    let refused = tx.insert_protocol(&faulty, NOW).await.expect_err("a method that is not built is refused");
    assert_eq!(refused.code(), "store.refused");
    assert!(refused.to_string().starts_with("Step 1: "), "{refused}");
    drop(tx);

    edited.call_types[0].protocol = Some(ProtocolId::named("nowhere"));
    let mut tx = store.write().await.unwrap();
    let written = tx.upsert_account(&edited, NOW).await;
    assert!(written.is_err() || tx.commit("test").await.is_err(), "a protocol that does not exist is refused");
}

async fn passwords_open_for_their_user_only(store: Store) {
    with_user(&store, "kim").await;
    with_user(&store, "lee").await;
    let found = store.find_user_by_password(" KIM ", secret("correct horse")).await.unwrap();
    assert_eq!(found, Some(user("kim")));
    assert_eq!(store.find_user_by_password("kim", secret("correct house")).await.unwrap(), None);
    assert_eq!(store.find_user_by_password("nobody", secret("correct horse")).await.unwrap(), None);
    assert_eq!(store.find_user(&user("lee").id).await.unwrap(), Some(user("lee")));
    assert_eq!(store.list_users().await.unwrap().len(), 2);
    assert!(matches!(HashedPassword::of(secret("short")).await, Err(StoreError::Refused { .. })));

    let password = HashedPassword::of(secret("another horse")).await.unwrap();
    let mut tx = store.write().await.unwrap();
    assert!(matches!(tx.insert_user(&user("kim"), &password, NOW).await, Err(StoreError::Conflict { .. })));
    drop(tx);
    let mut tx = store.write().await.unwrap();
    tx.set_password(&user("kim").id, &password, NOW).await.unwrap();
    tx.disable_user(&user("lee").id, NOW).await.unwrap();
    tx.set_skills(&user("lee").id, &[skill("german")].into()).await.unwrap();
    assert!(matches!(tx.set_skills(&user("max").id, &[].into()).await, Err(StoreError::Missing { .. })));
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_user_by_password("kim", secret("correct horse")).await.unwrap(), None);
    assert_eq!(store.find_user_by_password("kim", secret("another horse")).await.unwrap(), Some(user("kim")));
    assert_eq!(store.find_user_by_password("lee", secret("correct horse")).await.unwrap(), None);
    let lee = store.find_user(&user("lee").id).await.unwrap().unwrap();
    assert_eq!((lee.disabled, lee.skills), (true, [skill("german")].into()));
}

async fn desk_phones_are_their_owners_and_their_secrets_sealed(store: Store) {
    with_user(&store, "kim").await;
    let device = Device {
        id: DeviceId::named("one"),
        user: UserId::named("kim"),
        login: "kim-abcde".into(),
        name: "Desk 3".into(),
        extension: Extension::parse("203").ok(),
        created_at: NOW,
        active: true,
    };
    let hashes = DeviceHashes::of(&device.login, &secret("shown once"));
    let mut tx = store.write().await.unwrap();
    tx.insert_device(&device, &hashes).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.list_devices().await.unwrap(), std::slice::from_ref(&device));
    let kept = store.find_device_hashes(&device.id).await.unwrap().expect("it is there");
    assert_eq!(kept.md5.expose_secret(), hashes.md5.expose_secret());
    assert_eq!(kept.sha256.expose_secret(), hashes.sha256.expose_secret());
    let rows = store.fetch_all("SELECT sealed FROM device", vec![]).await.unwrap();
    let sealed: Vec<u8> = rows[0].read("sealed").unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains(hashes.md5.expose_secret()));

    let mut tx = store.write().await.unwrap();
    let twice = Device { id: DeviceId::named("two"), ..device.clone() };
    assert!(tx.insert_device(&twice, &hashes).await.is_err(), "a login is one phone's");
    drop(tx);
    let mut tx = store.write().await.unwrap();
    let same = Device { id: DeviceId::named("two"), login: "kim-fghjk".into(), ..device.clone() };
    assert!(tx.insert_device(&same, &hashes).await.is_err(), "an extension is one phone's");
    drop(tx);
    let owned = store.list_owned_devices().await.unwrap();
    assert_eq!((owned[0].owner_login.as_str(), &owned[0].device), ("kim", &device));
    let mut tx = store.write().await.unwrap();
    let nameless = Device {
        id: DeviceId::named("two"),
        login: "kim-fghjk".into(),
        name: " ".into(),
        extension: None,
        ..device.clone()
    };
    assert!(matches!(tx.insert_device(&nameless, &hashes).await, Err(StoreError::Refused { .. })));
    drop(tx);

    let mut tx = store.write().await.unwrap();
    tx.disable_user(&device.user, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    assert!(!store.list_devices().await.unwrap()[0].active, "its owner may not sign in");

    let mut tx = store.write().await.unwrap();
    assert!(tx.remove_device(&device.login).await.unwrap());
    assert!(!tx.remove_device(&device.login).await.unwrap());
    tx.commit("test").await.unwrap();
    assert!(store.list_devices().await.unwrap().is_empty());
    assert!(store.find_device_hashes(&device.id).await.unwrap().is_none());
}

pub fn call(n: u32) -> CallRecord {
    CallRecord {
        id: CallId::named(&format!("n{n:03}")),
        account: account().id,
        direction: Direction::In,
        trunk: "carrier".into(),
        did: Some(number("+12025550102")),
        remote: (n != 2).then(|| number("+12025550150")),
        forwarded_from: None,
        started_at: NOW.plus_secs(i64::from(n)),
        end: None,
    }
}

async fn calls_end_once(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let mut tx = store.write().await.unwrap();
    for n in 1..=3 {
        tx.insert_call(&call(n)).await.unwrap();
    }
    let id = call(1).id;
    tx.append_call_event(&id, NOW, "ring", &serde_json::json!({})).await.unwrap();
    tx.append_call_event(&id, NOW.plus_ms(3), "greeting", &serde_json::json!({"ms": 3})).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.list_unfinished_calls().await.unwrap().len(), 3);

    let end = CallEnd {
        answered_at: Some(NOW.plus_ms(5)),
        ended_at: NOW.plus_secs(9),
        outcome: "taken".into(),
        cause: Cause::HungUp,
        operator: Some(user("kim").id),
    };
    let mut tx = store.write().await.unwrap();
    assert!(tx.finish_call(&id, &end).await.unwrap());
    let other = CallEnd { outcome: "abandoned".into(), ..end.clone() };
    assert!(!tx.finish_call(&id, &other).await.unwrap(), "the first end counts");
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_call(&id).await.unwrap(), Some(CallRecord { end: Some(end.clone()), ..call(1) }));

    // Several at once, one of them without operator and answer, one that has ended before.
    let unanswered = CallEnd { answered_at: None, operator: None, ..other.clone() };
    let mut tx = store.write().await.unwrap();
    let ends = [(&id, &other), (&call(2).id, &unanswered), (&call(3).id, &other)];
    assert_eq!(tx.finish_calls(&ends).await.unwrap(), 2);
    assert_eq!(tx.find_call(&id).await.unwrap(), Some(CallRecord { end: Some(end.clone()), ..call(1) }));
    assert_eq!(tx.find_call(&call(2).id).await.unwrap(), Some(CallRecord { end: Some(unanswered), ..call(2) }));
    assert_eq!(tx.find_call(&call(3).id).await.unwrap(), Some(CallRecord { end: Some(other), ..call(3) }));
    tx.rollback().await.unwrap();
    assert_eq!(store.list_unfinished_calls().await.unwrap(), vec![call(2), call(3)]);
    let events = store.list_call_events(&id).await.unwrap();
    assert_eq!(events.iter().map(|e| (e.seq, e.kind.as_str())).collect::<Vec<_>>(), [(1, "ring"), (2, "greeting")]);
    assert_eq!(events[1].body["ms"], 3);
    let page = store.list_calls(Some(&account().id), None, 2).await.unwrap();
    assert_eq!(page.iter().map(|c| &c.id).collect::<Vec<_>>(), [&call(3).id, &call(2).id]);
    let rest = store.list_calls(None, Some(&page[1].id), 2).await.unwrap();
    assert_eq!(rest.iter().map(|c| &c.id).collect::<Vec<_>>(), [&call(1).id]);
}

async fn a_day_of_calls_is_read_with_how_they_went(store: Store) {
    with_account(&store).await;
    let at =
        |secs: i64| CallRecord { id: CallId::fresh(NOW.plus_secs(secs)), started_at: NOW.plus_secs(secs), ..call(1) };
    let (before, taken, lost) = (at(-1), at(0), at(1));
    let out = CallRecord { direction: Direction::Out, ..at(2) };
    let mut tx = store.write().await.unwrap();
    for call in [&before, &taken, &lost, &out] {
        tx.insert_call(call).await.unwrap();
    }
    let gone = RecordEvent::CallerGone { stage: Stage::Held, why: Cause::HungUp };
    let abandoned = RecordEvent::Abandoned { on: Abandoned::Hold };
    let ended = RecordEvent::Ended { cause: Cause::HungUp, outcome: CallOutcome::Abandoned(Stage::Queued) };
    for (secs, event) in [
        (5, RecordEvent::Talking { user: user("kim").id }),
        (7, RecordEvent::Talking { user: user("kim").id }),
        (8, RecordEvent::PatchDropped),
        (9, gone),
        (9, abandoned.clone()),
        (9, ended.clone()),
    ] {
        let mut body = serde_json::to_value(&event).unwrap();
        let kind = body.as_object_mut().and_then(|fields| fields.remove("kind")).unwrap();
        tx.append_call_event(&taken.id, NOW.plus_secs(secs), kind.as_str().unwrap(), &body).await.unwrap();
    }
    let end = CallEnd {
        answered_at: None,
        ended_at: NOW.plus_secs(9),
        outcome: "taken".into(),
        cause: Cause::HungUp,
        operator: None,
    };
    assert!(tx.finish_call(&taken.id, &end).await.unwrap());
    tx.commit("test").await.unwrap();
    let day = store.list_calls_of_day(NOW).await.unwrap();
    let of = |call: &CallRecord| CallOfDay {
        account: account().id,
        started_at: call.started_at,
        talking_at: None,
        accepted_at: None,
        dropped_at: None,
        abandoned: None,
        ended: None,
        ended_at: None,
    };
    let first = CallOfDay {
        talking_at: Some(NOW.plus_secs(5)),
        dropped_at: Some(NOW.plus_secs(8)),
        abandoned: Some(abandoned),
        ended: Some(ended),
        ended_at: Some(NOW.plus_secs(9)),
        ..of(&taken)
    };
    assert_eq!(day, [first, of(&lost)]);
}

pub fn message(n: u32) -> Message {
    Message {
        id: MessageId::named(&format!("{n:03}")),
        account: account().id,
        call_type: account().call_types[0].id.clone(),
        call: Some(call(1).id),
        caller: (n != 3).then(|| number("+12025550150")),
        urgency: Urgency::Urgent,
        taken_by: Some(user("kim").id),
        taken_at: NOW,
        begun_at: Some(NOW.plus_secs(-40)),
        form: form(),
        answers: Answers::from([("name".into(), format!("Pat {n}")), ("problem".into(), "Leak".into())]),
        edition: 1,
        changed: None,
        graded: (n == 2).then(|| Graded {
            how: Grading::Lowered,
            trigger: Some("leak".into()),
            reason: "a tap that drips".into(),
        }),
    }
}

async fn a_voicemail_is_settled_once(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let begun = |n: u32| VoicemailBegun { call: call(n).id, call_type: CallTypeId::named("gone"), at: NOW };
    let mut tx = store.write().await.unwrap();
    for n in 1..=2 {
        tx.insert_call(&call(n)).await.unwrap();
        tx.insert_voicemail(&begun(n)).await.unwrap();
    }
    // The store committed and its answer was lost: written again, it is as it was.
    tx.insert_voicemail(&VoicemailBegun { at: NOW.plus_secs(9), ..begun(1) }).await.unwrap();
    tx.end_voicemail(&call(1).id, NOW.plus_secs(5), true).await.unwrap();
    tx.end_voicemail(&call(1).id, NOW.plus_secs(7), false).await.unwrap();
    tx.commit("test").await.unwrap();
    let open =
        |n: u32, end| OpenVoicemail { call: call(n).id, call_type: CallTypeId::named("gone"), begun_at: NOW, end };
    let end = VoicemailEnd { at: NOW.plus_secs(5), heard: true };
    assert_eq!(store.list_open_voicemails().await.unwrap(), [open(1, Some(end)), open(2, None)]);
    let mut tx = store.write().await.unwrap();
    tx.insert_message(&message(1)).await.unwrap();
    assert!(tx.settle_voicemail(&call(1).id, Some(&message(1).id), NOW).await.unwrap());
    assert!(!tx.settle_voicemail(&call(1).id, None, NOW).await.unwrap(), "the first settles it");
    assert!(tx.settle_voicemail(&call(2).id, None, NOW).await.unwrap());
    tx.commit("test").await.unwrap();
    assert_eq!(store.list_open_voicemails().await.unwrap(), []);
}

pub fn draft(owner: &str) -> Draft {
    Draft {
        id: DraftId::named("one"),
        owner: user(owner).id,
        account: account().id,
        call_type: None,
        call: None,
        caller: Some(number("+12025550150")),
        answers: Answers::from([("name".into(), "Pa".into())]),
        apart: [("symptom".to_owned(), "Patient".to_owned())].into(),
        cursor: Some(Cursor { field: "name".into(), start: 2, end: 2 }),
        begun_at: Some(NOW.plus_secs(-40)),
        saved_at: NOW,
    }
}

async fn drafts_belong_to_their_owner(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    with_user(&store, "lee").await;
    let mut edited = draft("kim");
    edited.answers.insert("name".into(), "Pat".into());
    let mut tx = store.write().await.unwrap();
    tx.upsert_draft(&draft("kim")).await.unwrap();
    tx.upsert_draft(&edited).await.unwrap();
    assert!(matches!(tx.upsert_draft(&draft("lee")).await, Err(StoreError::Missing { .. })));
    assert!(!tx.delete_draft(&edited.id, &user("lee").id).await.unwrap());
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_draft(&edited.id).await.unwrap(), Some(edited.clone()));
    assert_eq!(store.list_drafts(&user("kim").id).await.unwrap(), vec![edited.clone()]);
    assert_eq!(store.list_drafts(&user("lee").id).await.unwrap(), Vec::new());

    // Saved: hidden, not to be written again; taken back: there again.
    let mut tx = store.write().await.unwrap();
    tx.insert_message(&message(1)).await.unwrap();
    assert!(tx.settle_draft(&edited.id, &edited.owner, &message(1).id).await.unwrap());
    assert!(matches!(tx.upsert_draft(&edited).await, Err(StoreError::Missing { .. })));
    assert_eq!(tx.list_drafts(&user("kim").id).await.unwrap(), Vec::new());
    assert_eq!(tx.restore_draft(&message(1).id).await.unwrap(), Some(edited.clone()));
    assert_eq!(tx.restore_draft(&message(1).id).await.unwrap(), None);
    assert!(tx.delete_draft(&edited.id, &user("kim").id).await.unwrap());
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_draft(&edited.id).await.unwrap(), None);
}

async fn a_request_key_is_remembered_for_a_day(store: Store) {
    let what = Remembered { fingerprint: "f".into(), response: "msg_1".into() };
    let mut tx = store.write().await.unwrap();
    tx.remember("kim", "k1", &what, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_remembered("kim", "k1", NOW).await.unwrap(), Some(what.clone()));
    assert_eq!(store.find_remembered("lee", "k1", NOW).await.unwrap(), None);
    assert_eq!(store.find_remembered("kim", "k1", NOW.plus_ms(REMEMBERED_MS)).await.unwrap(), None);
    let mut tx = store.write().await.unwrap();
    assert!(matches!(tx.remember("kim", "k1", &what, NOW).await, Err(StoreError::Conflict { .. })));
    drop(tx);
    let mut tx = store.write().await.unwrap();
    tx.remember("kim", "k1", &what, NOW.plus_ms(REMEMBERED_MS)).await.unwrap();
    tx.commit("test").await.unwrap();
}

async fn the_demo_is_seeded_once(store: Store) {
    demo::seed(&store, NOW).await.unwrap();
    let accounts = store.list_accounts().await.unwrap();
    assert_eq!(accounts.len(), 4);
    for client in demo::clients() {
        assert_eq!(store.find_account_by_did(&client.account.dids[0]).await.unwrap().as_ref(), Some(&client.account));
        assert_eq!(store.list_contacts(&client.account.id).await.unwrap(), client.contacts);
        assert_eq!(store.list_schedules(&client.account.id).await.unwrap(), client.schedules);
        for protocol in client.protocols {
            assert_eq!(store.find_protocol(&protocol.id).await.unwrap(), Some(protocol));
        }
    }
    let kim = store.find_user_by_password("kim", secret(demo::PASSWORD)).await.unwrap();
    assert_eq!(kim.map(|user| user.role), Some(Role::Operator));

    // What was changed since stays so.
    let mut edited = accounts[0].clone();
    edited.notes = "Changed.".into();
    let mut tx = store.write().await.unwrap();
    tx.upsert_account(&edited, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    demo::seed(&store, NOW.plus_secs(1)).await.unwrap();
    assert_eq!(store.find_account(&edited.id).await.unwrap(), Some(edited));
}

async fn writers_take_turns(store: Store) {
    with_account(&store).await;
    let mut writers = Vec::new();
    for n in 0..20_u32 {
        let store = store.clone();
        writers.push(tokio::spawn(async move {
            let mut tx = store.write().await.unwrap();
            tx.insert_call(&call(n)).await.unwrap();
            tx.commit("test").await.unwrap();
            store.find_call(&call(n).id).await.unwrap().expect("what is committed is read")
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(store.list_calls(None, None, 100).await.unwrap().len(), 20);
}
