//! Composition root: builds everything, shuts it down in order.

use std::error::Error;

use crate::base::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::demo::{self, Demo};
use crate::io::store::Store;

/// Why the service could not start or go on: prints as a sentence.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Runs the service until it is told to end.
pub async fn run(config: Config, demo: Option<Demo>) -> Result<(), Failure> {
    let clock = SystemClock;
    let store = Store::open(&config.store, clock.utc()).await?;
    let _hold = store.hold()?;
    if demo.is_some() {
        demo::seed(&store, clock.utc()).await?;
    }
    tokio::signal::ctrl_c().await?;
    store.close().await;
    Ok(())
}
