//! `cordboard completions`: a script by which a shell completes our arguments.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Failure, out};

#[derive(Debug, Args)]
pub struct Options {
    /// The shell.
    shell: Shell,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "cordboard", &mut script);
    out::whole(&script);
    Ok(())
}
