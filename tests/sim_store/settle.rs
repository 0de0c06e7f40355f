//! A store with the clients of `tests/sim` in it, made once and copied for each night.

use cordboard::base::clock::UtcMs;
use cordboard::base::id::AccountId;
use cordboard::domain::account::{Account, CallType};
use cordboard::domain::message::Message;
use cordboard::io::store::{Store, StoreConfig};

use crate::story;
use crate::support::temp::TempDir;
use crate::town::{ACCOUNTS, Kind, Town};

/// 2026-03-07T18:00 in Chicago.
pub const START: UtcMs = UtcMs(1_772_928_000_000);

/// Kinds of messages that need no call: nothing is on the line here.
pub fn kinds(town: &Town) -> Vec<Kind> {
    let is_line = |kind: &&Kind| kind.on_line && kind.protocol.name == "patch";
    town.kinds.iter().filter(|kind| !is_line(kind)).cloned().collect()
}

pub fn account(town: &Town, nth: usize) -> Account {
    let id = AccountId::named(ACCOUNTS[nth]);
    let own = kinds(town).into_iter().filter(|kind| kind.protocol.account == id);
    let usual = story::account();
    let form = usual.call_types[0].form.clone();
    let call_types = own.map(|kind| CallType {
        id: kind.call_type,
        name: kind.protocol.name.clone(),
        urgency: kind.urgency,
        triggers: String::new(),
        watched: vec![],
        form: form.clone(),
        protocol: Some(kind.protocol.id),
        protected: kind.protected,
        priority: None,
    });
    let call_types = call_types.collect();
    let dids = vec![story::number(&format!("+1202555019{nth}"))];
    Account { id, name: format!("Imaginary {}", ACCOUNTS[nth]), dids, call_types, ..usual }
}

pub fn message(nth: u32, kind: &Kind, secret: &str, now: UtcMs) -> Message {
    let usual = story::message(&format!("m{nth}"), secret, now);
    Message {
        account: kind.protocol.account.clone(),
        call_type: kind.call_type.clone(),
        urgency: kind.urgency,
        ..usual
    }
}

/// The directory of such a store.
pub fn template() -> TempDir {
    let directory = TempDir::new("sim");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(&StoreConfig::in_directory(directory.path()), START).await.expect("the store opens");
        let town = Town::new();
        let mut tx = store.write().await.expect("the store writes");
        for nth in 0..ACCOUNTS.len() {
            let bare = Account { call_types: vec![], ..account(&town, nth) };
            tx.upsert_account(&bare, START).await.expect("an account");
        }
        for contact in &town.contacts {
            tx.upsert_contact(contact).await.expect("a contact");
        }
        for schedule in &town.schedules {
            tx.upsert_schedule(schedule).await.expect("a schedule");
        }
        for kind in kinds(&town) {
            tx.insert_protocol(&kind.protocol, START).await.expect("a protocol");
        }
        for nth in 0..ACCOUNTS.len() {
            tx.upsert_account(&account(&town, nth), START).await.expect("an account");
        }
        tx.commit("test").await.expect("committed");
        store.close().await;
    });
    directory
}
