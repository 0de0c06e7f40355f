//! `cordboard serve`: the service itself, until it is told to end.

use cordboard::app;

use super::{ConfigFile, Failure, block_on, start_log};

pub fn run(file: &ConfigFile) -> Result<(), Failure> {
    let config = file.load()?;
    start_log();
    block_on(async { Ok(app::run(config, None).await?) })
}
