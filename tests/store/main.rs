//! The contract of the store, run on SQLite and on a PostgreSQL that the test starts itself.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

#[path = "../support/mod.rs"]
mod support;

mod alarms;
mod audit;
mod book;
mod check_in;
mod clients;
mod contract;
mod finds;
mod greetings;
mod inbox;
mod inner_calls;
mod lost;
mod messages;
mod opening;
mod patches;
mod schedules;
mod sessions;

use cordboard::base::clock::UtcMs;
use cordboard::io::store::{Place, Store, StoreConfig};
use support::postgres::Postgres;
use support::temp::TempDir;

/// When every test happens.
pub const NOW: UtcMs = UtcMs(1_772_866_800_000);

/// Runs `test` on a fresh SQLite store and on a fresh PostgreSQL one, all cases on one server.
#[tokio::test]
async fn both_stores_keep_the_contract() {
    let directory = TempDir::new("store");
    let mut databases = Vec::new();
    for (name, _) in contract::cases() {
        let config = StoreConfig::in_directory(&directory.path().join(name));
        databases.push(("SQLite", name, config));
    }
    let server = Postgres::start("the store's contract on PostgreSQL");
    if let Some(server) = &server {
        for (name, _) in contract::cases() {
            let key_file = directory.path().join(format!("{name}.key"));
            databases.push((
                "PostgreSQL",
                name,
                StoreConfig { place: Place::Postgres(server.create_database()), key_file },
            ));
        }
    }
    let mut cases = contract::cases();
    if server.is_some() {
        cases.extend(contract::cases());
    }
    for ((kind, name, config), (_, case)) in databases.into_iter().zip(cases) {
        let store = Store::open(&config, NOW).await.unwrap_or_else(|e| panic!("{kind}, {name}: {e}"));
        println!("{kind}: {name}");
        case(store.clone()).await;
        store.close().await;
    }
}
