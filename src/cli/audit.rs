//! `cordboard audit verify`: walks the audit log and names the first row that is not what was written.
//!
//! Exit code 0: it is whole. 1: it is not, or it could not be read; a sentence says which. 2: asked for wrongly.

use clap::{Args, Subcommand};
use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::io::store::Store;
use cordboard::io::store::audit::{Anchor, AnchorFile, Verified};

use super::out::print_line;
use super::{ConfigFile, Failure, block_on};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check that nothing in the log of who read what was changed or taken out. The service may run meanwhile.
    Verify(Verify),
}

#[derive(Debug, Args)]
pub struct Verify {
    /// What an earlier run printed as the last row: it must still be there. Can be given several times.
    #[arg(long = "anchor", value_name = "NUMBER:HASH")]
    anchors: Vec<Anchor>,
    #[command(flatten)]
    file: ConfigFile,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    let Command::Verify(verify) = command;
    let config = verify.file.load()?;
    let file = AnchorFile::beside(&config.store.key_file);
    let mut anchors = verify.anchors.clone();
    anchors.extend(file.read()?);
    let found = block_on(async {
        let store = Store::open(&config.store, SystemClock.utc()).await?;
        let found = store.verify_audit(&anchors).await?;
        store.close().await;
        Ok(found)
    })?;
    match found {
        Ok(Verified { last: None, .. }) => print_line!("The audit log is empty: nothing was read or changed yet."),
        Ok(Verified { first, last: Some(last) }) => {
            print_line!("The audit log is whole: rows {first} to {}.", last.number);
            print_line!("Its last row, to be kept elsewhere and checked with --anchor: {last}");
        }
        Err(broken) => {
            let file = file.path().display();
            return Err(format!(
                "The audit log is not as it was written: {broken}.\nKeep a copy of the database and of {file} for whoever \
                 looks into it. If you have put an older copy of the database back yourself, delete {file}."
            )
            .into());
        }
    }
    Ok(())
}
