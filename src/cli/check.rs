//! `cordboard check`: says every mistake in the configuration, and starts nothing.

use std::path::Path;

use cordboard::config::Config;

use super::out::print_line;
use super::{ConfigFile, Failure};

pub fn run(file: &ConfigFile) -> Result<(), Failure> {
    let config = file.load()?;
    cordboard::app::Certificates::load(&config)?;
    cordboard::app::check_fax_engine(&config)?;
    tell_records(&config);
    let trunks = config.trunks.len();
    if let Some(program) = missing_voice(&config) {
        eprintln!(
            "warning: the voice engine {program} ([voice] command) is not on this machine: no account can have spoken words"
        );
    }
    if config.alarms.steps.is_empty() {
        eprintln!(
            "warning: [alarms] has no step: an alarm while nobody is at a desk reaches nobody. Name a supervisor in an \
             [[alarms.step]]"
        );
    }
    print_line!("{}: no mistakes ({trunks} trunk{})", file.config.display(), if trunks == 1 { "" } else { "s" });
    Ok(())
}

/// What of DNS receivers of our mail look at, and senders of theirs.
fn tell_records(config: &Config) {
    for key in config.email.iter().flat_map(|email| &email.dkim) {
        print_line!(
            "mail is signed; receivers check it by this record, which your DNS must have:\n  {}",
            key.zone_line()
        );
    }
    if let Some(mail_in) = &config.mail_in {
        print_line!(
            "bounces and replies find their way by this record, where {0} is this machine's name:\n  {1}. IN MX 10 {0}.",
            mail_in.name,
            mail_in.domain
        );
    }
}

/// The configured voice's program, if it cannot be found. A service without spoken words starts without.
fn missing_voice(config: &Config) -> Option<&str> {
    let program = config.voice.command.as_ref()?.first()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = if program.contains('/') {
        Path::new(program).is_file()
    } else {
        std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
    };
    (!is_there).then_some(program)
}
