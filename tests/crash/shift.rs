//! A shift at the front door that is cut off at every commit it comes by, and gone on with after the next start
//! as a console would: by sending again, with the same keys, whatever was not answered. Also what no night comes
//! by: rows that cannot be read, a timer that was lost, an event for a dispatch that does not exist.

mod check_in;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use cordboard::base::clock::Clock as _;
use cordboard::base::id::{AccountId, CallId, CallTypeId, DispatchId, DraftId, MessageId, UserId};
use cordboard::base::phone::PhoneNumber;
use cordboard::base::pii::Pii;
use cordboard::domain::call::cause::Cause;
use cordboard::domain::dispatch::event::{Note, OperatorAct};
use cordboard::domain::dispatch::patch_step::PatchNews;
use cordboard::domain::dispatch::state::Phase;
use cordboard::domain::message::form::Answers;
use cordboard::domain::operator::skill::Skills;
use cordboard::engine::calls::callbacks::Callbacks;
use cordboard::engine::calls::record::{CallLog, Line};
use cordboard::engine::feed::UserRef;
use cordboard::engine::voicemails::Voicemails;
use cordboard::io::store::callbacks::Callback;
use cordboard::io::store::calls::{CallEnd, CallRecord, Direction};
use cordboard::io::store::drafts::Draft;
use cordboard::io::store::messages::MessageFilter;
use cordboard::io::store::sql::Arg;
use cordboard::io::store::voicemails::VoicemailBegun;
use serde_json::{Value, json};

use crate::front::{Got, House, PASSWORD, START, call_of, message_body, number, request};
use crate::lives::{Case, Life, around};

/// The commits a shift comes by.
pub const PLACES: &[&str] = &[
    "sign_in",
    "refresh",
    "draft",
    "discard",
    "save",
    "undo",
    "withdraw",
    "change_message",
    "call_record",
    "call_over",
    "patching",
    "text",
    "start",
    "dismissed",
    "operator",
    "settle_nothing",
    "lay_aside",
    "repair",
    "put_off",
    "form",
    "callback",
    "voicemail",
    "voicemail_done",
    "wrong_pin",
    "right_pin",
    "audit_reads",
    "checked_in",
    "check_in",
    "put_on_call",
    "account_recording",
    "status_greeting",
    "sign_out",
];
/// This one is come by only in the life after one that ended while a provider was being asked.
pub const AFTER_A_CRASH: (&str, &str) = ("hand.after_commit", "interrupted");

const BEN: &str = "+12025550121";
const STRANGER: &str = "+12025550199";
const MESSAGES: &str = "/api/v1/messages";

/// In it a caller was promised to be called back; in the others they spoke to nobody, in one until the service died.
const PROMISED: &str = "promised";
const SPOKEN: &str = "spoken";
const CUT_OFF: &str = "cutoff";

fn patched_call() -> CallId {
    CallId::named("patched")
}

fn incoming(id: CallId) -> CallRecord {
    CallRecord {
        id,
        account: AccountId::named("plumbing"),
        direction: Direction::In,
        trunk: "carrier".into(),
        did: PhoneNumber::parse("+12025550102").ok(),
        remote: Some(number("+12025550188")),
        forwarded_from: None,
        started_at: START,
        end: None,
    }
}

struct Shift {
    house: House,
    life: Life,
    token: String,
}

impl Shift {
    /// Moves on to `seconds` after the start, unless it is later already.
    fn reach(&self, seconds: i64) {
        self.life.reach(START.plus_secs(seconds));
    }

    async fn save(&self, key: &str, mut body: Value, draft: Option<&str>) -> Got {
        if let Some(draft) = draft {
            body["draft"] = json!(draft);
        }
        let mut request = request(Method::POST, MESSAGES, &self.token, &body);
        request.headers_mut().insert("idempotency-key", key.parse().expect("a header value"));
        self.house.send(request).await
    }

    async fn saved(&self, key: &str, body: Value, draft: Option<&str>) -> MessageId {
        let got = self.save(key, body, draft).await;
        assert_eq!(got.status, StatusCode::CREATED, "{key}: {}", got.json());
        got.json()["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
    }

    /// Saves a message and takes it back.
    async fn saved_and_taken_back(&self, key: &str, body: Value, draft: Option<&str>) {
        let got = self.save(key, body, draft).await;
        assert_eq!(got.status, StatusCode::CREATED, "{key}: {}", got.json());
        let path = format!("{MESSAGES}/{}/undo", got.json()["id"].as_str().expect("an id"));
        let undone = self.house.ask(Method::POST, &path, &self.token, Value::Null).await;
        assert_eq!(undone.status, StatusCode::NO_CONTENT, "{key}");
    }

    async fn tick(&self) {
        self.house.front.dispatcher.tick(self.life.clock.utc()).await.expect("a tick");
    }

    async fn dispatch_of(&self, message: &MessageId) -> DispatchId {
        let found = self.house.store.find_dispatch_of_message(message).await.expect("the store answers");
        found.expect("a dispatch")
    }

    async fn text(&self, name: &str, from: &str, body: &str) {
        let taken = self.house.front.dispatcher.take_text("twilio", name, number(from), None, body.to_owned()).await;
        taken.expect("taken in");
    }

    async fn run_sql(&self, sql: &'static str, args: Vec<Arg>) {
        let mut tx = self.house.store.write().await.expect("the store writes");
        tx.execute(sql, args).await.expect("a statement");
        tx.commit("test").await.expect("committed");
    }

    /// Forms: half filled in, saved, taken back, saved again, thrown away.
    async fn forms(&self) -> MessageId {
        let typed = json!({"account": "acc_plumbing", "call_type": "ct_urgent", "answers": {"name": "Pat"}});
        // Once it is saved, there is no such draft any more.
        self.house.ask(Method::PUT, "/api/v1/drafts/drf_a", &self.token, typed.clone()).await;
        self.saved_and_taken_back("k1", message_body(), Some("drf_a")).await;
        let urgent = self.saved("k2", message_body(), Some("drf_a")).await;
        let mut sales = message_body();
        sales["call_type"] = json!("ct_sales");
        self.saved_and_taken_back("k3", sales, None).await;
        self.house.ask(Method::PUT, "/api/v1/drafts/drf_b", &self.token, typed).await;
        self.house.ask(Method::DELETE, "/api/v1/drafts/drf_b", &self.token, Value::Null).await;
        urgent
    }

    /// A caller is put through, and the message about it saved afterwards.
    async fn patch(&self) -> MessageId {
        let (call, at) = (patched_call(), self.life.clock.utc());
        let started = incoming(call.clone());
        let end = CallEnd {
            answered_at: Some(at),
            ended_at: at,
            outcome: "patched".into(),
            cause: Cause::HungUp,
            operator: Some(UserId::named("kim")),
        };
        let lines = [
            Line::Started(started),
            Line::Patching {
                account: AccountId::named("plumbing"),
                call: call.clone(),
                at,
                nth: 1,
                contact: None,
                number: number(BEN),
                news: PatchNews::Begun,
            },
            Line::Patched {
                call: call.clone(),
                account: AccountId::named("plumbing"),
                at,
                nth: 1,
                to: Pii::new("Ben Ortiz".to_owned()),
            },
            Line::Finished { call: call.clone(), end },
        ];
        CallLog::write(&self.house.store, &lines).await.expect("on record");
        self.house.front.dispatcher.calls_ended().await.expect("told");
        let mut body = message_body();
        body["call"] = json!(call);
        self.saved("k4", body, None).await
    }

    /// A message is changed after it was saved.
    async fn change(&self, message: &MessageId) {
        let path = format!("{MESSAGES}/{message}");
        let read = self.house.fetch(&path, &self.token).await.json();
        if read["edition"] == 1 {
            let mut answers = read["answers"].clone();
            answers["problem"] = json!("Burst pipe in the attic");
            let body = json!({"edition": 1, "caller": read["caller"], "answers": answers});
            let got = self.house.ask(Method::PUT, &path, &self.token, body).await;
            assert_eq!(got.status, StatusCode::OK, "{}", got.json());
        }
    }

    /// A call is given to a colleague with its form.
    async fn handed_over(&self) {
        let store = &self.house.store;
        let id = DraftId::named("handed");
        let lees = Draft {
            id: id.clone(),
            owner: UserId::named("lee"),
            account: AccountId::named("plumbing"),
            call_type: None,
            call: Some(CallId::named("1")),
            caller: None,
            answers: Answers::default(),
            apart: BTreeMap::new(),
            cursor: None,
            begun_at: None,
            saved_at: START,
        };
        if !store.list_drafts(&UserId::named("kim")).await.expect("listed").iter().any(|draft| draft.id == id) {
            let mut tx = store.write().await.expect("the store writes");
            tx.upsert_draft(&lees).await.expect("a draft");
            tx.commit("test").await.expect("committed");
        }
        self.house.told.up.lock().expect("no panic").push(call_of("kim"));
        let got = self.house.ask(Method::POST, "/api/v1/calls/call_1/form", &self.token, Value::Null).await;
        assert!(matches!(got.status, StatusCode::OK | StatusCode::NO_CONTENT), "{}", got.status);
    }

    /// What calls leave behind that still has to be done: somebody to be called back, and voicemails.
    async fn left_to_do(&self) {
        let (store, at) = (&self.house.store, START.plus_secs(3));
        for name in [PROMISED, SPOKEN, CUT_OFF] {
            CallLog::write(store, &[Line::Started(incoming(CallId::named(name)))]).await.expect("on record");
        }
        let callback = Callback {
            call: CallId::named(PROMISED),
            account: AccountId::named("plumbing"),
            did: number("+12025550102"),
            number: number("+12025550188"),
            priority: 0,
            skills: Skills::new(),
            call_type: None,
            since: START,
            promised_at: at,
            tries: 0,
            next_at: at,
            end: None,
        };
        Callbacks::write(store, &callback).await.expect("stored before it is said");
        for name in [SPOKEN, CUT_OFF] {
            let (call, call_type) = (CallId::named(name), CallTypeId::named("urgent"));
            let begun = VoicemailBegun { call, call_type, at };
            CallLog::write(store, &[Line::VoicemailBegun(begun)]).await.expect("on record");
        }
        let over = Line::VoicemailEnded { call: CallId::named(SPOKEN), at: at.plus_secs(7), heard: true };
        CallLog::write(store, &[over]).await.expect("on record");
        let (dispatcher, recordings) = (self.house.front.dispatcher.clone(), self.house.recordings.clone());
        let voicemails = Voicemails::new(store.clone(), Arc::new(self.life.clock.clone()), dispatcher, recordings);
        let open = store.list_open_voicemails().await.expect("listed");
        let cut_off = open.into_iter().filter(|voicemail| voicemail.end.is_none()).collect();
        assert!(voicemails.close(cut_off).await.is_empty());
        voicemails.settle_all().await;
    }

    /// Texts that are nobody's answer.
    async fn texts(&self) {
        self.text("IN1", BEN, "Who is this?").await;
        self.text("IN2", BEN, "START").await;
        self.text("IN3", STRANGER, "Hello?").await;
        let kim = UserRef { id: UserId::named("kim"), name: "Kim".to_owned() };
        for alarm in ["text:twilio:IN1", "text:twilio:IN2", "text:twilio:IN3"] {
            self.house.front.dispatcher.silence(alarm, &kim).await.expect("stored before the alarm goes");
        }
        assert_eq!(self.house.store.list_unplaced_texts(10).await.expect("the store answers").len(), 0);
    }

    /// What breaks by itself: a row of another key, a timer that was lost, a state that cannot be read.
    async fn damage(&self, urgent: &DispatchId) {
        const JUNK: &str = "INSERT INTO inbound (provider, provider_msg_id, received_at, kind, sender_index, sealed)
            VALUES ('twilio', 'junk', 0, 'text', NULL, $1) ON CONFLICT DO NOTHING";
        self.run_sql(JUNK, vec![Arg::Blob(Some(vec![0; 40]))]).await;
        let nobody = DispatchId::named("nobody");
        let skip = OperatorAct::Skip { moves: None };
        self.house.front.dispatcher.operator(&nobody, "KIM", skip).await.expect("taken in");
        self.run_sql("DELETE FROM timer WHERE dispatch = $1", vec![Arg::Text(Some(urgent.to_string()))]).await;
        self.house.front.dispatcher.audit().await.expect("audited");
        let unreadable = self.saved("k5", message_body(), None).await;
        let id = self.dispatch_of(&unreadable).await;
        self.run_sql("UPDATE dispatch SET body = 'junk' WHERE id = $1", vec![Arg::Text(Some(id.to_string()))]).await;
    }
}

/// Not a test by itself: the process that is killed, a whole shift of one operator.
#[tokio::test]
async fn the_shift() {
    let Some(life) = Life::of_child(START) else { return };
    let house = House::open(&life.config, life.clock.clone()).await;
    house.front.dispatcher.recover().await.expect("what was cut off is taken up");
    let session = house.session("kim").await;
    let refresh = json!({"refresh_token": session["refresh_token"]});
    let renewed = house.ask(Method::POST, "/api/v1/sessions/refresh", "", refresh).await;
    let token = renewed.json()["access_token"].as_str().expect("a token").to_owned();
    let shift = Shift { house, life, token };

    let urgent = shift.forms().await;
    let patched = shift.patch().await;
    shift.change(&patched).await;
    shift.reach(6);
    shift.tick().await;
    shift.texts().await;
    let dispatch = shift.dispatch_of(&urgent).await;
    shift.damage(&dispatch).await;
    shift.reach(12);
    shift.tick().await;
    shift.text("IN4", BEN, "STOP").await;
    let act = OperatorAct::Confirm { who: "Ben Ortiz".into(), note: None, edition: None };
    shift.house.front.dispatcher.operator(&dispatch, "KIM", act).await.expect("an act");
    shift.reach(20);
    shift.tick().await;
    let state = async |id: &MessageId| {
        let id = shift.dispatch_of(id).await;
        shift.house.store.find_dispatch(&id).await.expect("readable").expect("a dispatch").state.phase
    };
    assert_eq!(state(&urgent).await, Phase::Confirmed);
    assert_eq!(state(&patched).await, Phase::Patched);
    shift.handed_over().await;
    shift.left_to_do().await;
    shift.checks_in().await;
    shift.house.ask(Method::DELETE, "/api/v1/sessions/current", &shift.token, Value::Null).await;
    shift.house.store.close().await;
}

/// All that the shift promised to keep is there, once.
async fn check(case: &Case) {
    let (name, store) = (&case.name, case.store().await);
    let mut messages = store.list_messages(&MessageFilter::default(), None, 100).await.expect("listed");
    let spoken: Vec<_> = messages.extract_if(.., |m| m.call == Some(CallId::named(SPOKEN))).collect();
    assert_eq!(spoken.len(), 1, "{name}: a voicemail is one message");
    messages.retain(|m| !check_in::HELD.iter().any(|held| m.id == MessageId::named(held)));
    check_in::check(&store, name).await;
    let dispatched = store.find_dispatch_of_message(&spoken[0].id).await.expect("found");
    assert!(dispatched.is_some(), "{name}: and is on its way");
    assert!(store.list_open_voicemails().await.expect("listed").is_empty(), "{name}");
    let promised = store.find_callback(&CallId::named(PROMISED)).await.expect("found");
    assert!(promised.is_some_and(|callback| callback.end.is_none()), "{name}: a promise stands");
    assert_eq!(messages.len(), 3, "{name}: the urgent one, the patched one, the unreadable one");
    let drafts = store.list_drafts(&UserId::named("kim")).await.expect("listed");
    let sales = Some(CallTypeId::named("sales"));
    let (handed, own): (Vec<_>, Vec<_>) = drafts.iter().partition(|draft| draft.id == DraftId::named("handed"));
    assert!(own.len() == 1 && own[0].call_type == sales, "{name}: what was taken back last is a form again");
    assert_eq!(handed.len(), 1, "{name}: the form goes with the call");
    assert!(store.list_drafts(&UserId::named("lee")).await.expect("listed").is_empty(), "{name}: and to one alone");
    let mut phases = Vec::new();
    let mut confirmed = 0;
    for message in &messages {
        let id = store.find_dispatch_of_message(&message.id).await.expect("found").expect("a dispatch");
        let Ok(Some(read)) = store.find_dispatch(&id).await else { continue };
        phases.push(read.state.phase);
        let entries = store.list_dispatch_entries(&id).await.expect("listed");
        confirmed += entries.iter().filter(|e| matches!(e.note, Note::Confirmed { .. })).count();
    }
    phases.sort_by_key(|phase| *phase == Phase::Patched);
    assert_eq!(phases, [Phase::Confirmed, Phase::Patched], "{name}: and one that cannot be read");
    assert_eq!(confirmed, 1, "{name}: a yes has one effect");
    let changed = messages.iter().find(|m| m.call == Some(patched_call())).expect("the patched one");
    assert_eq!(changed.edition, 2, "{name}: changed once");
    let before = store.list_earlier_editions(&changed.id).await.expect("listed");
    assert_eq!(before.len(), 1, "{name}: and what it was is there");
    let call = store.find_call(&patched_call()).await.expect("found").expect("on record");
    assert_eq!(call.end.map(|end| end.outcome).as_deref(), Some("patched"), "{name}");
    assert_eq!(
        store.find_patched_to(&patched_call(), &AccountId::named("plumbing")).await.expect("found"),
        ["Ben Ortiz"]
    );
    assert!(store.list_waiting_inbound(10).await.expect("listed").is_empty(), "{name}");
    assert!(store.list_unreadable_inbound(10).await.expect("listed").is_empty(), "{name}");
    assert!(store.list_unplaced_texts(10).await.expect("listed").is_empty(), "{name}");
    let people = store.list_contacts_by_phone(&number(BEN)).await.expect("listed");
    assert!(people[0].destinations.iter().any(|d| d.blocked), "{name}: STOP is heeded");
    let log = store.verify_audit(&[]).await.expect("read");
    assert!(log.is_ok_and(|log| log.last.is_some()), "{name}: the audit log is whole");
    let kim = store.find_user_by_password("kim", PASSWORD.into()).await.expect("found");
    assert!(kim.is_some(), "{name}");
    store.close().await;
}

async fn every_place(kind: &str, database: impl Fn() -> Option<String>) {
    let case = |failpoint: &str| Case::new("shift::the_shift", kind, failpoint, database());
    for failpoint in around(PLACES) {
        let case = case(&failpoint);
        assert!(case.dies(&failpoint), "{}: the shift never comes by there", case.name);
        case.lives();
        check(&case).await;
    }
    let (first, second) = AFTER_A_CRASH;
    for failpoint in around(&[second]) {
        let case = case(&failpoint);
        assert!(case.dies(first), "{}: the shift never comes by {first}", case.name);
        assert!(case.dies(&failpoint), "{}: the next life never comes by there", case.name);
        case.lives();
        check(&case).await;
    }
}

#[tokio::test]
async fn a_shift_cut_off_anywhere_on_sqlite_goes_on_where_it_was() {
    every_place("SQLite", || None).await;
}

#[tokio::test]
async fn a_shift_cut_off_anywhere_on_postgresql_goes_on_where_it_was() {
    let Some(server) = crate::support::postgres::Postgres::start("a shift on PostgreSQL") else { return };
    every_place("PostgreSQL", || Some(server.create_database())).await;
}
