//! `cordboard check`: says every mistake in the configuration, and starts nothing.

use super::{ConfigFile, Failure};

pub fn run(file: &ConfigFile) -> Result<(), Failure> {
    let config = file.load()?;
    cordboard::app::Certificates::load(&config)?;
    let trunks = config.trunks.len();
    println!("{}: no mistakes ({trunks} trunk{})", file.config.display(), if trunks == 1 { "" } else { "s" });
    Ok(())
}
