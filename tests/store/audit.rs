//! Part of the contract: the audit log is a chain, whatever is done to it shows, and cutting old rows off leaves it whole.

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{ContactId, UserId};
use cordboard::io::store::audit::{Act, Anchor, AuditFilter, Broken, Entry, Verified, Who};
use cordboard::io::store::{Place, Store, StoreConfig};

use super::NOW;
use super::contract::Case;
use super::support::postgres::Postgres;
use super::support::temp::TempDir;

/// The cases of this file by name.
pub fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("what_was_committed_is_on_the_audit_log_and_nothing_else", |s| {
            Box::pin(what_was_committed_is_on_the_audit_log_and_nothing_else(s))
        }),
        ("the_audit_log_is_asked_by_object_person_act_and_time", |s| {
            Box::pin(the_audit_log_is_asked_by_object_person_act_and_time(s))
        }),
        ("whatever_is_done_to_the_audit_log_shows", |s| Box::pin(whatever_is_done_to_the_audit_log_shows(s))),
        ("an_altered_end_of_the_audit_log_is_not_put_right_in_silence", |s| {
            Box::pin(an_altered_end_of_the_audit_log_is_not_put_right_in_silence(s))
        }),
        ("old_rows_are_cut_off_the_audit_log_and_the_rest_is_whole", |s| {
            Box::pin(old_rows_are_cut_off_the_audit_log_and_the_rest_is_whole(s))
        }),
        ("writers_of_the_audit_log_never_fork_it", |s| Box::pin(writers_of_the_audit_log_never_fork_it(s))),
    ]
}

fn kim() -> Who {
    Who::User(UserId::named("kim"))
}

/// One commit.
async fn write(store: &Store, entries: impl IntoIterator<Item = Entry>) {
    let mut tx = store.write().await.unwrap();
    entries.into_iter().for_each(|entry| tx.audit(entry));
    tx.commit("test").await.unwrap();
}

/// Kim reads so many messages, one a second.
async fn write_reads(store: &Store, count: i64) {
    for n in 1..=count {
        write(store, [Entry::new(NOW.plus_secs(n), kim(), Act::MessageRead, format!("msg_{n}"))]).await;
    }
}

async fn run_sql(store: &Store, statements: &'static str) {
    let mut tx = store.write().await.unwrap();
    for sql in statements.split(';').map(str::trim).filter(|sql| !sql.is_empty()) {
        tx.execute(sql, Vec::new()).await.unwrap();
    }
    tx.commit("test").await.unwrap();
}

async fn verify(store: &Store, anchors: &[Anchor]) -> Result<Verified, Broken> {
    store.verify_audit(anchors).await.unwrap()
}

async fn end(store: &Store) -> Anchor {
    verify(store, &[]).await.expect("whole").last.expect("not empty")
}

async fn what_was_committed_is_on_the_audit_log_and_nothing_else(store: Store) {
    assert_eq!(verify(&store, &[]).await, Ok(Verified { first: 1, last: None }));
    let mut tx = store.write().await.unwrap();
    tx.audit(Entry::new(NOW, kim(), Act::MessageRead, "msg_1"));
    tx.rollback().await.unwrap();
    assert_eq!(verify(&store, &[]).await, Ok(Verified { first: 1, last: None }));
    let entries = [
        Entry::new(NOW, kim(), Act::MessageRead, "msg_1"),
        Entry::new(NOW, Who::Contact(ContactId::named("ben")), Act::CheckInHeard, "msg_1"),
        Entry::new(NOW, Who::Nobody, Act::SessionFailed, ""),
    ];
    write(&store, entries).await;
    // One that notes nothing adds nothing; many rows are several statements.
    write(&store, []).await;
    write(&store, (0..75).map(|n| Entry::new(NOW, kim(), Act::MessageListed, format!("msg_{n}")))).await;
    assert_eq!(end(&store).await.number, 78);
    let rows = store.list_audit_after(0, 3, 10).await.unwrap();
    let said: Vec<_> = rows.iter().map(|row| (row.number, row.who.as_str(), row.act.as_str(), &*row.object)).collect();
    let expected = [
        (1, "usr_kim", "message.read", "msg_1"),
        (2, "con_ben", "check_in.heard", "msg_1"),
        (3, "nobody", "session.failed", ""),
    ];
    assert_eq!(said, expected);
    assert_eq!(rows[1].before, rows[0].hash);
}

async fn the_audit_log_is_asked_by_object_person_act_and_time(store: Store) {
    write_reads(&store, 4).await;
    write(&store, [Entry::new(NOW.plus_secs(5), Who::CommandLine, Act::UserAdded, "usr_kim")]).await;
    write(&store, [Entry::new(NOW.plus_secs(6), kim(), Act::MessageListed, "msg_2")]).await;
    let numbers = async |filter: AuditFilter, before: Option<i64>, limit: u32| {
        let rows = store.list_audit(&filter, before, limit).await.unwrap();
        rows.iter().map(|row| row.number).collect::<Vec<_>>()
    };
    let all = AuditFilter::default;
    assert_eq!(numbers(all(), None, 4).await, [6, 5, 4, 3]);
    assert_eq!(numbers(all(), Some(3), 4).await, [2, 1]);
    assert_eq!(numbers(AuditFilter { object: Some("msg_2".into()), ..all() }, None, 9).await, [6, 2]);
    assert_eq!(numbers(AuditFilter { who: Some("command_line".into()), ..all() }, None, 9).await, [5]);
    assert_eq!(numbers(AuditFilter { act: Some("message".into()), ..all() }, None, 9).await, [6, 4, 3, 2, 1]);
    assert_eq!(numbers(AuditFilter { act: Some("message.listed".into()), ..all() }, None, 9).await, [6]);
    assert_eq!(numbers(AuditFilter { act: Some("mess".into()), ..all() }, None, 9).await, [0_i64; 0]);
    let within = AuditFilter { since: Some(NOW.plus_secs(2)), until: Some(NOW.plus_secs(4)), ..all() };
    assert_eq!(numbers(within.clone(), None, 9).await, [3, 2]);
    assert_eq!(numbers(AuditFilter { object: Some("msg_2".into()), ..within }, None, 9).await, [2]);
}

/// What somebody who writes the database does, and what is found.
const DEEDS: &[(&str, Result<(), Broken>)] = &[
    ("UPDATE audit SET object = 'msg_9' WHERE number = 3", Err(Broken::Changed { number: 3 })),
    ("UPDATE audit SET at = at + 1 WHERE number = 1", Err(Broken::Changed { number: 1 })),
    ("UPDATE audit SET who = 'usr_lee' WHERE number = 6", Err(Broken::Changed { number: 6 })),
    ("DELETE FROM audit WHERE number = 3", Err(Broken::Missing { number: 3 })),
    // Taken out, and those after it moved up.
    (
        "DELETE FROM audit WHERE number = 3; UPDATE audit SET number = 3 WHERE number = 4;
         UPDATE audit SET number = 4 WHERE number = 5; UPDATE audit SET number = 5 WHERE number = 6",
        Err(Broken::Changed { number: 3 }),
    ),
    // Two that have changed places.
    (
        "UPDATE audit SET number = -1 WHERE number = 3; UPDATE audit SET number = 3 WHERE number = 4;
         UPDATE audit SET number = 4 WHERE number = -1",
        Err(Broken::Changed { number: 3 }),
    ),
    ("DELETE FROM audit WHERE number = 1", Err(Broken::Missing { number: 1 })),
    ("DELETE FROM audit WHERE number > 4", Err(Broken::Missing { number: 5 })),
    (
        "DELETE FROM audit WHERE number > 4;
         UPDATE audit_mark SET number = 4, hash = (SELECT hash FROM audit WHERE number = 4) WHERE name = 'head'",
        Err(Broken::End),
    ),
    ("DELETE FROM audit_mark", Err(Broken::End)),
    // A row made up.
    (
        "INSERT INTO audit SELECT 7, at, 'usr_lee', act, object, hash, hash FROM audit WHERE number = 6",
        Err(Broken::Changed { number: 7 }),
    ),
    // The first ones, as if they had been cut off.
    (
        "INSERT INTO audit_mark SELECT 'cut', number, at, hash, hash FROM audit WHERE number = 2;
         DELETE FROM audit WHERE number <= 2",
        Err(Broken::Cut),
    ),
    // The mark of the end in place of that of a cut.
    (
        "INSERT INTO audit_mark SELECT 'cut', number, at, hash, seal FROM audit_mark; DELETE FROM audit",
        Err(Broken::Cut),
    ),
    ("UPDATE audit SET number = number WHERE number = 2", Ok(())),
];

async fn whatever_is_done_to_the_audit_log_shows(store: Store) {
    write_reads(&store, 4).await;
    let early = end(&store).await;
    write_reads(&store, 2).await;
    let late = end(&store).await;
    run_sql(&store, "CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_mark AS SELECT * FROM audit_mark")
        .await;
    const BACK: &str = "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept;
        DELETE FROM audit_mark; INSERT INTO audit_mark SELECT * FROM kept_mark";
    for (deed, found) in DEEDS {
        run_sql(&store, deed).await;
        assert_eq!(verify(&store, &[]).await.map(|_| ()), *found, "{deed}");
        run_sql(&store, BACK).await;
        verify(&store, &[early.clone(), late.clone()]).await.expect("whole again");
    }
    // What the log alone cannot show: that all of it is another. Whoever kept an anchor sees it.
    const NOTHING: &str = "DELETE FROM audit;
        UPDATE audit_mark SET number = 0, at = 0, hash = substr(hash, 1, 0), seal = substr(seal, 1, 0)";
    run_sql(&store, NOTHING).await;
    assert_eq!(verify(&store, &[]).await, Ok(Verified { first: 1, last: None }));
    assert_eq!(verify(&store, std::slice::from_ref(&early)).await, Err(Broken::Older { number: 4 }));
    assert!(!store.holds_anchor(&early).await.unwrap());
    for n in 1..=4 {
        write(&store, [Entry::new(NOW.plus_secs(n), Who::House, Act::MessageRead, format!("msg_{n}"))]).await;
    }
    assert_eq!(verify(&store, &[]).await.map(|whole| whole.first), Ok(1));
    assert_eq!(verify(&store, std::slice::from_ref(&early)).await, Err(Broken::Replaced { number: 4 }));
    assert!(!store.holds_anchor(&early).await.unwrap());
    run_sql(&store, BACK).await;
    assert!(store.holds_anchor(&early).await.unwrap() && store.holds_anchor(&late).await.unwrap());
}

async fn an_altered_end_of_the_audit_log_is_not_put_right_in_silence(store: Store) {
    write_reads(&store, 4).await;
    // The last two are taken out and the end is moved back. The next row is written as if nothing were amiss, but for this.
    run_sql(
        &store,
        "DELETE FROM audit WHERE number > 2;
         UPDATE audit_mark SET number = 2, hash = (SELECT hash FROM audit WHERE number = 2)",
    )
    .await;
    assert_eq!(store.find_audit_end().await.unwrap(), None, "no anchor is made of it");
    write_reads(&store, 1).await;
    assert_eq!(verify(&store, &[]).await, Err(Broken::Altered { number: 3 }));
    // Nor is it forgotten when more is written.
    write_reads(&store, 3).await;
    assert_eq!(verify(&store, &[]).await, Err(Broken::Altered { number: 3 }));
}

async fn old_rows_are_cut_off_the_audit_log_and_the_rest_is_whole(store: Store) {
    write_reads(&store, 6).await;
    let early = Anchor { number: 2, hash: store.list_audit_after(1, 2, 1).await.unwrap()[0].hash.clone() };
    let later = Anchor { number: 5, hash: store.list_audit_after(4, 5, 1).await.unwrap()[0].hash.clone() };
    let now = NOW.plus_secs(100);
    assert_eq!(store.cut_audit(NOW.plus_secs(1), now).await.unwrap(), 0, "none is older");
    assert_eq!(store.cut_audit(NOW.plus_secs(4), now).await.unwrap(), 3);
    assert_eq!(store.cut_audit(NOW.plus_secs(4), now).await.unwrap(), 0);
    let rows = store.list_audit_after(0, 100, 100).await.unwrap();
    let said: Vec<_> = rows.iter().map(|row| (row.number, row.act.as_str(), row.object.as_str())).collect();
    let read = |n, object| (n, "message.read", object);
    assert_eq!(said, [read(4, "msg_4"), read(5, "msg_5"), read(6, "msg_6"), (7, "audit.cut", "3")]);
    // Older anchors say nothing any more, younger ones still do.
    assert_eq!(verify(&store, &[early.clone(), later.clone()]).await.map(|whole| whole.first), Ok(4));
    assert!(store.holds_anchor(&early).await.unwrap() && store.holds_anchor(&later).await.unwrap());
    run_sql(&store, "DELETE FROM audit WHERE number = 4").await;
    assert_eq!(verify(&store, &[]).await, Err(Broken::Missing { number: 4 }));
    // All of it, and it goes on from there.
    assert_eq!(store.cut_audit(now.plus_secs(1), UtcMs(now.0 + 2_000)).await.unwrap(), 3);
    write_reads(&store, 1).await;
    assert_eq!(
        verify(&store, &[]).await.map(|whole| (whole.first, whole.last.map(|last| last.number))),
        Ok((8, Some(9)))
    );
}

async fn writers_of_the_audit_log_never_fork_it(store: Store) {
    let mut writers = Vec::new();
    for n in 0..40_i64 {
        let store = store.clone();
        writers.push(tokio::spawn(async move {
            let entries = (0..3).map(|part| Entry::new(NOW, kim(), Act::MessageRead, format!("msg_{n}_{part}")));
            write(&store, entries).await;
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(end(&store).await.number, 120);
    // Each transaction's rows stay together.
    let rows = store.list_audit_after(0, 120, 120).await.unwrap();
    for three in rows.chunks(3) {
        let of = |at: usize| three[at].object.rsplit_once('_').map(|(of, _)| of.to_owned());
        assert!(of(0) == of(1) && of(1) == of(2), "{three:?}");
    }
}

#[tokio::test]
async fn two_nodes_on_one_postgresql_write_one_chain() {
    let Some(server) = Postgres::start("two nodes write one audit log") else { return };
    let directory = TempDir::new("audit-nodes");
    let key_file = directory.path().join("key");
    let config = StoreConfig { place: Place::Postgres(server.create_database()), key_file };
    let mut nodes = Vec::new();
    for _ in 0..2 {
        nodes.push(Store::open(&config, NOW).await.unwrap());
    }
    let mut writers = Vec::new();
    for n in 0..40_usize {
        let store = nodes[n % 2].clone();
        writers.push(tokio::spawn(async move {
            write(&store, [Entry::new(NOW, kim(), Act::MessageRead, format!("msg_{n}"))]).await;
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for store in nodes {
        assert_eq!(end(&store).await.number, 40);
        store.close().await;
    }
}
