//! `cordboard migrate`: brings the database up to this program's schema. `serve` does so too; this is for
//! those who want it done at a time of their choosing.

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::io::store::{SCHEMA_VERSION, Store};

use super::out::print_line;
use super::{ConfigFile, Failure, block_on};

pub fn run(file: &ConfigFile) -> Result<(), Failure> {
    let config = file.load()?;
    block_on(async {
        Store::open(&config.store, SystemClock.utc()).await?.close().await;
        print_line!("The database has schema {SCHEMA_VERSION}.");
        Ok(())
    })
}
