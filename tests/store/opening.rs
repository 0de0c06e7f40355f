//! Opening a store: what is wrong is said in a sentence, and nothing is damaged.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cordboard::io::store::{Place, SCHEMA_VERSION, Store, StoreConfig, StoreError};

use super::NOW;
use super::support::postgres::Postgres;
use super::support::temp::TempDir;

async fn refusal(directory: &Path) -> StoreError {
    Store::open(&StoreConfig::in_directory(directory), NOW).await.expect_err("is refused")
}

async fn open(directory: &Path) -> Store {
    Store::open(&StoreConfig::in_directory(directory), NOW).await.expect("opens")
}

#[tokio::test]
async fn a_store_opens_again_and_it_and_its_key_are_its_owners_only() {
    let directory = TempDir::new("opening");
    open(directory.path()).await.close().await;
    let store = open(directory.path()).await;
    for name in ["cordboard.key", "cordboard.db", "cordboard.db-wal"] {
        let mode = std::fs::metadata(directory.path().join(name)).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    store.close().await;
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let directory = TempDir::new("opening");
    let store = open(directory.path()).await;
    let mut tx = store.write().await.expect("begins");
    let newer = "INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES (9001, '9001_x', '', 0)";
    tx.execute(newer, Vec::new()).await.expect("is written");
    tx.commit("test").await.expect("commits");
    store.close().await;
    let refusal = refusal(directory.path()).await;
    assert_eq!(refusal.code(), "store.newer");
    assert_eq!(
        refusal.to_string(),
        format!(
            "this database was written by a newer Cordboard (schema 9001, this program knows {SCHEMA_VERSION}): upgrade the program"
        )
    );
}

#[tokio::test]
async fn a_migration_that_was_altered_is_noticed() {
    let directory = TempDir::new("opening");
    let store = open(directory.path()).await;
    let mut tx = store.write().await.expect("begins");
    tx.execute("UPDATE schema_migration SET checksum = 'x' WHERE version = 1", Vec::new()).await.expect("is written");
    tx.commit("test").await.expect("commits");
    store.close().await;
    assert_eq!(refusal(directory.path()).await.code(), "store.altered");
}

#[tokio::test]
async fn another_key_or_none_is_refused() {
    let (directory, other) = (TempDir::new("opening"), TempDir::new("opening"));
    open(directory.path()).await.close().await;
    open(other.path()).await.close().await;
    let key = directory.path().join("cordboard.key");
    std::fs::copy(other.path().join("cordboard.key"), &key).expect("is copied");
    assert_eq!(refusal(directory.path()).await.code(), "store.wrong_key");
    std::fs::write(&key, "nonsense").expect("is written");
    assert_eq!(refusal(directory.path()).await.code(), "store.no_key");
    std::fs::remove_file(&key).expect("is removed");
    // Never a fresh key for a database that has sealed values.
    assert_eq!(refusal(directory.path()).await.code(), "store.no_key");
    assert!(!key.exists());
}

#[tokio::test]
async fn a_place_that_cannot_be_written_and_a_file_that_is_no_database_are_told_apart() {
    let directory = TempDir::new("opening");
    let file = directory.path().join("file");
    std::fs::write(&file, "not a directory").expect("is written");
    let refused = refusal(&file.join("below")).await;
    assert_eq!(refused.code(), "store.not_writable");
    assert!(refused.to_string().contains("a part of the path is not a directory"), "{refused}");
    std::fs::write(directory.path().join("cordboard.db"), "this is a letter, not a database").expect("is written");
    let refused = refusal(directory.path()).await;
    assert_eq!(refused.code(), "store.cannot_open");
    assert!(refused.to_string().contains("not a database"), "{refused}");
}

/// Whoever holds the store is alone, others may read it, and it is free when he is gone.
async fn is_held_by_one(first: &Store, second: &Store) {
    let hold = first.hold().await.expect("nobody else has it");
    let refused = second.hold().await.expect_err("it is taken");
    assert_eq!(refused.code(), "store.in_use");
    assert!(refused.to_string().starts_with("another Cordboard runs on the database "), "{refused}");
    second.list_accounts().await.expect("reading is for all");
    drop(hold);
    // A server notices a moment later that a connection is gone.
    let mut free = second.hold().await;
    for _ in 0..500 {
        if free.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        free = second.hold().await;
    }
    free.expect("it is free again");
}

#[tokio::test]
async fn only_one_service_runs_on_a_file_and_others_may_still_look() {
    let directory = TempDir::new("opening");
    is_held_by_one(&open(directory.path()).await, &open(directory.path()).await).await;
}

#[tokio::test]
async fn only_one_service_runs_on_a_postgresql_database_and_others_may_still_look() {
    let Some(server) = Postgres::start("one service on a PostgreSQL database") else { return };
    let directory = TempDir::new("opening");
    let key_file = directory.path().join("cordboard.key");
    let on = |url: String| StoreConfig { place: Place::Postgres(url), key_file: key_file.clone() };
    let (config, other) = (on(server.create_database()), on(server.create_database()));
    let first = Store::open(&config, NOW).await.expect("opens");
    let second = Store::open(&config, NOW).await.expect("opens");
    is_held_by_one(&first, &second).await;
    let elsewhere = Store::open(&other, NOW).await.expect("opens");
    let _here = first.hold().await.expect("it is free");
    elsewhere.hold().await.expect("another database of the same server is another service's");
}
