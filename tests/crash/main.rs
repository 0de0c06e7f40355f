//! The service is killed before and after each commit and each call to a provider, and started again, on both
//! stores: nothing is lost, at most one attempt is made twice, and that one is marked. Here the dispatcher's
//! night; in [`shift`] an operator's day at the front door, in [`recap`] the morning of a recap, in [`secure`] a secure
//! message, in [`alarm`] an alarm that goes on to supervisors, in [`joint`] messages that go in one text. The process that is killed is this test binary itself,
//! run as a child ([`lives`]); in [`restart`] it is the whole program.

mod alarm;
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
#[path = "../support/api.rs"]
mod api;
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
#[path = "../api/support/mod.rs"]
mod front;
mod frozen;
mod joint;
mod lives;
#[path = "../support/peers.rs"]
mod peers;
mod recap;
mod reminders;
mod restart;
mod secure;
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
#[path = "../support/server.rs"]
mod server;
mod shift;
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
#[path = "../support/sipp.rs"]
mod sipp;
#[path = "../support/mod.rs"]
mod support;
#[allow(dead_code, reason = "the stories use all of the town, this test a part")]
#[path = "../stories/town.rs"]
mod town;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, TestClock};
use cordboard::base::id::{DispatchId, MessageId, UserId};
use cordboard::base::pii::Pii;
use cordboard::domain::call::cause::Cause;
use cordboard::domain::dispatch::event::Note;
use cordboard::domain::dispatch::job::JobOutcome;
use cordboard::domain::dispatch::lanes::{ChannelRates, Pace, Rates};
use cordboard::domain::dispatch::protocol::{Method, Protocol, Until};
use cordboard::domain::dispatch::state::{Attempt, Channel, Phase};
use cordboard::engine::callout::{CallOutEvent, OutboundEnd};
use cordboard::engine::dispatcher::Dispatcher;
use cordboard::engine::feed::{Feed, UserRef};
use cordboard::io::store::inbound::Arrival;
use lives::{Case, Life, NIGHT, Outside, around, around_provider};
use support::postgres::Postgres;

/// The commits that a night comes by.
const COMMITS: &[&str] = &[
    "beat",
    "resume",
    "settle",
    "stop",
    "claim",
    "due",
    "hand",
    "queued",
    "result",
    "inbound",
    "call",
    "fax",
    "job",
    "ring_back",
    "reply",
    "join",
    "mail",
];
/// The calls to providers, each with what is before and after.
const PROVIDERS: &[(&str, &str, &str)] = &[
    ("text", "before_send", "after_send"),
    ("email", "before_send", "after_send"),
    ("call", "before_place", "after_place"),
    ("fax", "before_place", "after_place"),
    ("page", "before_send", "after_send"),
    ("webhook", "before_send", "after_send"),
    ("job", "before_offer", "after_offer"),
];
/// Commits of commands that are simply given again: on the command line, by those who set the service up, by whoever has seen an
/// alarm that sounds until they have, and on the devices of an inbox, where each is one transaction and whoever got no answer reads what stands.
const COMMANDS: &[&str] = &[
    "call_out_opened",
    "call_out_refused",
    "ring_back_opened",
    "ring_back_refused",
    "seed_demo",
    "add_user",
    "add_phone",
    "remove_phone",
    "set_user_skills",
    "change_account",
    "cut_audit",
    "add_user_by_admin",
    "change_user",
    "set_skills",
    "log_out",
    "set_pin",
    "remove_pin",
    "status",
    "end_status",
    "end_status_greeting",
    "answer_phrase",
    "remove_answer_phrase",
    "forget_recording",
    "recap_plan",
    "recap_plan_gone",
    "schedule_feed_made",
    "schedule_feed_revoked",
    "schedule_feed_read",
    "take_draft",
    "push_key",
    "invite",
    "invited",
    "revoke_inbox_device",
    "subscribe",
    "resubscribe",
    "touch_inbox",
    "close_inbox",
    "alarm_desk",
    "add_client",
    "change_client",
    "own_password",
    "approve_part",
    "propose_protocol",
    "drop_protocol_change",
    "write_status_greeting",
    "spoken_as",
    // A code is sent again once a minute is over.
    "verification_code",
    "verification_said",
    // One row of the log, beside the words that are spoken then.
    "read_at_check_in",
];
/// Turns of the child's loop; a night has far fewer.
const MAX_TURNS: usize = 500;

fn protocol() -> Protocol {
    let steps = vec![
        // The wait keeps one attempt at a time in the air, so that one at most can be cut off.
        (Method::Email, vec![town::named("Olive", "email")], 60),
        (Method::Fax { tries: 2, retry_secs: 30 }, vec![town::named("Olive", "fax")], 60),
        (Method::TextConfirm, town::on_call("mobile"), 900),
        (town::CALL, town::on_call("mobile"), 600),
        (Method::Pager, town::on_call("pager"), 60),
        (Method::Webhook, vec![town::named("Olive", "desk")], 60),
        (Method::OperatorCall { leave_message: true, then_machine: false }, town::on_call("home"), 60),
    ];
    town::protocol(steps, true, Until::Confirmed)
}

/// A text a minute, so that the answer to the yes waits for its turn after the text that was answered.
fn slow_texts() -> Rates {
    let pace = Pace { per_minute: 1, burst: 1, at_once: 2 };
    Rates { channels: [(Channel::Text, ChannelRates { pace, to_one: None })].into(), ..Rates::default() }
}

/// Not a test by itself: the process that is killed. Dispatches until the message is confirmed.
#[tokio::test]
async fn the_child() {
    let Some(life) = Life::of_child(NIGHT) else { return };
    let (store, clock) = (life.store().await, life.clock.clone());
    let outside = Arc::new(Outside::new(&life.directory, &clock));
    let edges = outside.clone().edges();
    let dispatcher = Dispatcher::new(store.clone(), Arc::new(clock.clone()), Feed::default(), edges, "node");
    dispatcher.paced_by(slow_texts());
    dispatcher.recover().await.expect("what was cut off is taken up");
    let id = store.find_dispatch_of_message(&MessageId::named("m1")).await.expect("found").expect("a dispatch");
    let kim = UserRef { id: UserId::named("kim"), name: "Kim".to_owned() };
    for _ in 0..MAX_TURNS {
        dispatcher.tick(clock.utc()).await.expect("a tick");
        let state = store.find_dispatch(&id).await.expect("found").expect("a dispatch").state;
        if state.phase == Phase::Confirmed && state.wake().is_none() {
            // Texts that are nobody's answer here; their carrier repeats them until it has its receipt.
            let strangers = [("IN-stranger", "+12025550199", "Who is this?"), ("IN-stop", town::PEOPLE[1].1, "STOP")];
            for (name, from, body) in strangers {
                let taken = dispatcher.take_text("twilio", name, town::number(from), None, body.to_owned()).await;
                taken.expect("taken in");
            }
            // One of them in two parts.
            for (number, name, body) in [(1, "IN-part-1", "Is anybody "), (2, "IN-part-2", "there?")] {
                let place = cordboard::proto::sms::parts::Place { reference: 7, of: 2, number };
                let from = town::number("+12025550198");
                let taken = dispatcher.take_text_part("carrier", name, from, None, body.to_owned(), place).await;
                taken.expect("taken in");
            }
            // And a reply to an email, whose sender repeats it until it is acknowledged.
            let email = state.attempts.iter().find(|a| a.channel == Channel::Email).expect("the first step is one");
            let (attempt, from) = (email.id.clone(), "olive@example.com".to_owned());
            let what = Arrival::MailReply { attempt, from, subject: "Re: burst pipe".into(), body: "Who goes?".into() };
            dispatcher.take_mail("IN-mail", what).await.expect("taken in");
            dispatcher.tick(clock.utc()).await.expect("a tick");
            store.close().await;
            return;
        }
        // An operator makes the call that is theirs to make; nobody answers it.
        let job = outside.jobs.lock().expect("unpoisoned").pop();
        if let Some((attempt, _)) = job {
            assert!(dispatcher.take_job(&attempt, &kim).await.expect("asked"), "nobody else has it");
            dispatcher.finish_job(&attempt, &kim, JobOutcome::NoAnswer).await.expect("written down");
            continue;
        }
        // The person answers the second text; their carrier repeats until it has its receipt.
        let texts = state.attempts.iter().filter(|a| a.is_step() && a.code.is_some() && a.accepted_at.is_some());
        if state.phase != Phase::Confirmed && texts.count() >= 2 {
            // They ring back first, and are cut off.
            dispatcher.pause(&[(id.clone(), Pii::new("Ben".into()))], &kim.id).await.expect("paused");
            dispatcher.resume_paused(std::slice::from_ref(&id)).await.expect("it goes on");
            let ben = town::number(town::PEOPLE[0].1);
            dispatcher.take_text("twilio", "IN1", ben, None, "1ok".to_owned()).await.expect("taken in");
            continue;
        }
        let ring = outside.rings.lock().expect("unpoisoned").iter().map(|(until, ..)| *until).min();
        let due = dispatcher.next_due().await.expect("a time");
        let next = [ring, due].into_iter().flatten().min().expect("an open dispatch has a reason to wake");
        life.reach(next);
        for (until, attempt, events) in std::mem::take(&mut *outside.rings.lock().expect("unpoisoned")) {
            if until <= clock.utc() {
                let over = CallOutEvent::Ended(OutboundEnd::NotReached(Cause::NoAnswer));
                events.send((attempt, over)).expect("the dispatcher listens");
            } else {
                outside.rings.lock().expect("unpoisoned").push((until, attempt, events));
            }
        }
    }
    panic!("the night has no end");
}

/// A message is saved, and its dispatch waits to be opened.
async fn prepare(case: &Case) {
    prepare_by(case, &protocol()).await;
}

async fn prepare_by(case: &Case, protocol: &Protocol) {
    let store = case.store().await;
    town::settle(&store, protocol, NIGHT).await;
    let message = town::message("m1", "burst pipe", NIGHT);
    let account = store.find_account(&message.account).await.expect("found").expect("an account");
    let clock = TestClock::at(NIGHT);
    let edges = Arc::new(Outside::new(case.directory.path(), &clock)).edges();
    let dispatcher = Dispatcher::new(store.clone(), Arc::new(clock), Feed::default(), edges, "front");
    let mut tx = store.write().await.expect("the store writes");
    tx.insert_message(&message).await.expect("inserted");
    dispatcher.open(&mut tx, &message, &account).await.expect("opened");
    tx.commit("test").await.expect("committed");
    store.close().await;
}

/// Lives once more, to the end; then checks what was promised.
async fn recovers(case: &Case) {
    case.lives();
    let (store, name) = (case.store().await, &case.name);
    let id: DispatchId =
        store.find_dispatch_of_message(&MessageId::named("m1")).await.expect("found").expect("a dispatch");
    let state = store.find_dispatch(&id).await.expect("found").expect("a dispatch").state;
    assert_eq!(state.phase, Phase::Confirmed, "{name}");
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (_, attempt) in case.sent() {
        *times.entry(attempt).or_default() += 1;
    }
    let doubled: Vec<&Attempt> =
        state.attempts.iter().filter(|a| times.get(a.id.as_str()).copied().unwrap_or(0) > 1).collect();
    assert!(doubled.len() <= 1, "{name}: {} attempts were made twice", doubled.len());
    // A job that is put on the desks again is no second call.
    assert!(doubled.iter().all(|a| a.uncertain || a.job.is_some()), "{name}: a doubled attempt is not marked");
    assert!(times.values().all(|n| *n <= 2), "{name}: {times:?}");
    // Nothing is lost: email, fax, text, call, page, post and job of the first round, email, fax and text of the second, the answer.
    for attempt in &state.attempts {
        assert!(times.contains_key(attempt.id.as_str()), "{name}: {} was never made", attempt.id);
        assert!(attempt.handed_at.is_some(), "{name}");
    }
    assert_eq!(state.attempts.iter().filter(|a| a.is_step()).count(), 10, "{name}");
    assert_eq!(times.len(), 11, "{name}: {times:?}");
    let entries = store.list_dispatch_entries(&id).await.expect("listed");
    let confirmed = entries.iter().filter(|e| matches!(e.note, Note::Confirmed { .. })).count();
    assert_eq!(confirmed, 1, "{name}: a yes has one effect");
    assert!(store.list_open_jobs(10).await.expect("listed").is_empty(), "{name}: a job is left");
    assert!(store.list_waiting_inbound(10).await.expect("listed").is_empty(), "{name}");
    let unplaced = store.list_unplaced_texts(10).await.expect("listed");
    assert_eq!(unplaced.len(), 4, "{name}: operators hear of each text and mail nobody could place");
    let people = store.list_contacts_by_phone(&town::number(town::PEOPLE[1].1)).await.expect("listed");
    assert!(people[0].destinations.iter().any(|d| d.blocked), "{name}: STOP is heeded");
    assert!(store.find_next_due().await.expect("read").is_none(), "{name}: something still wants to wake");
    store.close().await;
}

/// Kills the child at `failpoint`; `false` if the night never comes by there.
async fn kill_at(failpoint: &str, database: Option<String>, kind: &str) -> bool {
    let case = Case::new("the_child", kind, failpoint, database);
    prepare(&case).await;
    if !case.dies(failpoint) {
        return false;
    }
    recovers(&case).await;
    true
}

/// Kills the child from outside while a provider has a text and has not answered.
async fn kill_nine(database: Option<String>, kind: &str) {
    let case = Case::new("the_child", kind, "kill -9 in mid-call", database);
    prepare(&case).await;
    let texts = || case.sent().iter().filter(|(kind, _)| kind == "text").count();
    let mut child = case.slow_command().spawn().expect("the child starts");
    for _ in 0..600 {
        if texts() > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    child.kill().expect("it lives until we kill it");
    child.wait().expect("it is gone");
    assert_eq!(texts(), 1, "{}", case.name);
    recovers(&case).await;
    assert_eq!(texts(), 4, "{}: first text twice, second once, the answer", case.name);
}

async fn every_place(kind: &str, database: impl Fn() -> Option<String>) {
    let calls = PROVIDERS.iter().flat_map(|provider| around_provider(*provider));
    for failpoint in around(COMMITS).chain(calls) {
        assert!(kill_at(&failpoint, database(), kind).await, "{kind}: the night never comes by {failpoint}");
        kill_at(&format!("{failpoint}:3"), database(), kind).await;
    }
    kill_nine(database(), kind).await;
}

/// The literals in `text` between `before` and the next quotation mark.
fn literals<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split_once('"').map(|(literal, _)| literal)).collect()
}

#[test]
fn there_is_no_commit_and_no_call_to_a_provider_at_which_nothing_is_killed() {
    let mut files = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut commits = Vec::new();
    let mut providers = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()));
            continue;
        }
        if path.extension().is_none_or(|kind| kind != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source file");
        commits.extend(literals(&text, ".commit(\"").into_iter().map(str::to_owned));
        providers.extend(literals(&text, "failpoint(\"").into_iter().map(str::to_owned));
        // The dispatcher's decisions are committed in one place, under the name of their event.
        if let Some((_, names)) = text.split_once("const fn point(event: &Event)") {
            let (names, _) = names.split_once("\n}").expect("the end of the function");
            commits.extend(literals(names, "=> \"").into_iter().map(str::to_owned));
        }
    }
    commits.sort();
    let mut known: Vec<&str> = [
        COMMITS,
        COMMANDS,
        shift::PLACES,
        recap::PLACES,
        reminders::PLACES,
        secure::PLACES,
        alarm::PLACES,
        &[shift::AFTER_A_CRASH.1],
    ]
    .into_iter()
    .flatten()
    .copied()
    .collect();
    known.sort_unstable();
    assert_eq!(commits, known, "each commit has one name of its own, and is killed before and after");
    providers.sort();
    providers.dedup();
    let mut known: Vec<&str> = PROVIDERS
        .iter()
        .chain([&recap::PROVIDER, &reminders::PROVIDER, &secure::PROVIDER])
        .chain(&alarm::PROVIDERS)
        .map(|(place, ..)| *place)
        .collect();
    known.sort_unstable();
    assert_eq!(providers, known);
}

#[tokio::test]
async fn killed_anywhere_on_sqlite_nothing_is_lost_and_at_most_one_attempt_is_doubled() {
    every_place("SQLite", || None).await;
}

#[tokio::test]
async fn killed_anywhere_on_postgresql_nothing_is_lost_and_at_most_one_attempt_is_doubled() {
    let Some(server) = Postgres::start("crashes on PostgreSQL") else { return };
    every_place("PostgreSQL", || Some(server.create_database())).await;
}
