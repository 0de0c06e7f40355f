//! Messages held for check-in in a shift that is cut off: one is heard by telephone, one read out by the operator.

use std::sync::Arc;

use cordboard::base::id::{AccountId, CallId, CallTypeId, ContactId, MessageId, ProtocolId, ScheduleId, UserId};
use cordboard::domain::account::{CallType, Speech, Urgency};
use cordboard::domain::checkin::on_call::Span;
use cordboard::domain::checkin::pin::Pin;
use cordboard::domain::dispatch::event::Note;
use cordboard::domain::dispatch::protocol::{Method, Protocol, Step, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::domain::message::Message;
use cordboard::engine::calls::check_in::{Answer, CheckIns, DutyChange, Heard};
use cordboard::engine::calls::greetings::{GreetingBook, Greetings as _, Spoken, Status};
use cordboard::io::media::Prompt;
use cordboard::io::store::Store;
use cordboard::io::store::audit::{AuditFilter, Who};

use super::Shift;
use crate::front::{START, number};

/// Heard by telephone, and read out.
pub const HELD: [&str; 2] = ["held-heard", "held-read"];

impl Shift {
    /// Two messages that are held, and a PIN to hear them by.
    async fn hold(&self) {
        let store = &self.house.store;
        if store.find_message(&MessageId::named(HELD[0])).await.expect("found").is_some() {
            return;
        }
        let account = AccountId::named("plumbing");
        let mut plumbing = store.find_account(&account).await.expect("found").expect("an account");
        let method = Method::HoldForCheckIn { until: None };
        let protocol = Protocol {
            id: ProtocolId::named("held"),
            account: account.clone(),
            name: "held".into(),
            version: 1,
            steps: vec![Step::new(method, vec![], 0)],
            repeat: None,
            until: Until::HandedOver,
        };
        let held = CallType {
            id: CallTypeId::named("ct_held"),
            name: "Held".into(),
            protocol: Some(protocol.id.clone()),
            ..plumbing.call_types[0].clone()
        };
        plumbing.call_types.push(held.clone());
        let at = START.plus_secs(20);
        let mut tx = store.write().await.expect("the store writes");
        tx.insert_protocol(&protocol, at).await.expect("a protocol");
        tx.upsert_account(&plumbing, at).await.expect("an account");
        let (pin, kim) = (Pin::choose("4711").expect("a PIN"), UserId::named("kim"));
        tx.set_pin(&account, Some(&ContactId::named("ben")), &pin, &kim, at).await.expect("a PIN");
        for name in HELD {
            let call_type = &held;
            let message = Message {
                id: MessageId::named(name),
                account: account.clone(),
                call_type: call_type.id.clone(),
                call: None,
                caller: None,
                urgency: Urgency::Routine,
                taken_by: None,
                taken_at: at,
                begun_at: None,
                form: call_type.form.clone(),
                answers: Default::default(),
                edition: 1,
                changed: None,
                graded: None,
            };
            tx.insert_message(&message).await.expect("a message");
            self.house.front.dispatcher.open(&mut tx, &message, &plumbing).await.expect("a dispatch");
        }
        tx.commit("test").await.expect("committed");
    }

    pub(super) async fn checks_in(&self) {
        self.hold().await;
        self.reach(26);
        self.tick().await;
        let (store, at) = (&self.house.store, START.plus_secs(26));
        let account = store.find_account(&AccountId::named("plumbing")).await.expect("found").expect("an account");
        let caller = number("+12025550121");
        let look = async |digits: &str| {
            let pin = Pin::pressed(digits.to_owned());
            CheckIns::look(store, &account, Some(&caller), &pin, at).await.expect("the store answers")
        };
        assert!(matches!(look("1111").await, Answer::Refused { .. }));
        let Answer::Welcome(welcome) = look("4711").await else { panic!("the PIN is Ben's") };
        let proven = Who::Contact(welcome.contact.clone().expect("the PIN is a person's"));
        let [heard, read] = HELD.map(MessageId::named);
        let (heard, read) = (self.dispatch_of(&heard).await, self.dispatch_of(&read).await);
        if welcome.held.iter().any(|held| held.dispatch == heard) {
            let (call, who) = (CallId::named("checks-in"), welcome.who.clone());
            let heard = Heard { call, dispatch: heard, edition: 1, who, proven: proven.clone(), at };
            CheckIns::mark(store, &account, &heard).await.expect("stored before it is said");
        }
        self.tick().await;
        self.house.front.dispatcher.read_out(&read, "Ben Ortiz", "KIM", 1).await.expect("taken in");
        let change = DutyChange {
            account: account.id.clone(),
            schedule: ScheduleId::named("technician"),
            contact: ContactId::named("ben"),
            span: Span::Hours(8),
            by: welcome.who,
            proven,
            at,
        };
        CheckIns::put_on_call(store, &change).await.expect("stored before it is said");
        let prompt = Arc::new(Prompt::from_pcm(vec![1_000; 8_000]));
        let book = GreetingBook::new(store.clone(), Arc::clone(&self.house.front.voice));
        let spoken = Spoken { account: account.id.clone(), by: UserId::named("kim"), at, prompt: Arc::clone(&prompt) };
        book.keep(&spoken).await.expect("kept before it is said");
        let status = Status { account: account.id, by: change.by, proven: change.proven, at, until: None, prompt };
        book.put_up(&status).await.expect("stored before it is said");
    }
}

/// Each was read, once.
pub async fn check(store: &Store, name: &str) {
    // However often it was said: one greeting stands in the list, and one is heard.
    let plumbing = AccountId::named("plumbing");
    let made = store.list_account_recordings(&plumbing).await.expect("listed");
    let account = store.find_account(&plumbing).await.expect("found").expect("an account");
    let up = account.status_greeting.expect("a status greeting");
    assert_eq!((made.len(), up.by.as_str()), (1, "Ben Ortiz"), "{name}");
    assert_eq!(up.speech, Speech::Uploaded { recording: made[0].recording.clone() }, "{name}: the same sound");
    for held in HELD {
        let message = MessageId::named(held);
        let id = store.find_dispatch_of_message(&message).await.expect("found").expect("a dispatch");
        let state = store.find_dispatch(&id).await.expect("readable").expect("a dispatch").state;
        assert_eq!(state.phase, Phase::ReadAtCheckIn, "{name}: {held}");
        let entries = store.list_dispatch_entries(&id).await.expect("listed");
        let read = entries.iter().filter(|e| matches!(e.note, Note::ReadAtCheckIn { .. })).count();
        assert_eq!(read, 1, "{name}: {held} is read once");
    }
    let object = Some(MessageId::named(HELD[0]).to_string());
    let heard = store.list_audit(&AuditFilter { object, ..AuditFilter::default() }, None, 9).await.expect("listed");
    let heard: Vec<_> = heard.iter().map(|row| (row.who.as_str(), row.act.as_str())).collect();
    assert_eq!(heard, [("con_ben", "check_in.heard")], "{name}: who heard it is on the audit log, once");
}
