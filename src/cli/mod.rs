//! The command line: one file per command. Exit codes: 0 done, 1 it could not be done (a sentence on
//! standard error says why), 2 it was asked for wrongly.

mod account;
mod audit;
mod check;
mod completions;
mod demo;
mod log_bound;
mod migrate;
mod out;
mod phone;
mod say;
mod serve;
mod simulate;
mod user;

use std::fmt;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use cordboard::base::clock::SystemClock;
use cordboard::config::{self, Config, Mistake};

use log_bound::LogBound;

/// Telephone answering service software: calls, operators, live patches and message dispatch in one program.
#[derive(Debug, Parser)]
#[command(name = "cordboard", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    Serve(ConfigFile),
    /// Run a demo with accounts, people and a sandbox carrier, on this machine only.
    Demo(demo::Options),
    /// Read the configuration and say every mistake in it, with its line and its cure.
    Check(ConfigFile),
    /// Show what a protocol would do from a time on, if nobody answered. Sends nothing.
    Simulate(simulate::Options),
    /// Add the people who sign in.
    #[command(subcommand)]
    User(user::Command),
    /// Add, list and remove the desk phones of operators.
    #[command(subcommand)]
    Phone(phone::Command),
    /// Make, change, list and print the accounts of clients.
    #[command(subcommand)]
    Account(account::Command),
    /// Check the log of who read, heard or changed what.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Bring the database up to this program's schema, and end.
    Migrate(ConfigFile),
    /// Let the voice engine say a text into a WAV file.
    Say(say::Options),
    /// Print a completion script for a shell.
    Completions(completions::Options),
}

/// Where the configuration is.
#[derive(Clone, Debug, Args)]
pub struct ConfigFile {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "cordboard.toml")]
    config: PathBuf,
}

impl ConfigFile {
    /// The configuration, or all its mistakes.
    fn load(&self) -> Result<Config, Failure> {
        config::load(&self.config).map_err(|mistakes| Failure::of_mistakes(&mistakes))
    }
}

/// Why a command could not do what it was asked: a sentence or several, one a line.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    fn of_mistakes(mistakes: &[Mistake]) -> Self {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        let count = if lines.len() == 1 { "1 mistake".to_owned() } else { format!("{} mistakes", lines.len()) };
        Self(format!("{}\n{count}", lines.join("\n")))
    }
}

impl<E: fmt::Display> From<E> for Failure {
    fn from(why: E) -> Self {
        Self(why.to_string())
    }
}

/// Does what the arguments say.
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(file) => serve::run(&file),
        Command::Demo(options) => demo::run(&options),
        Command::Check(file) => check::run(&file),
        Command::Simulate(options) => simulate::run(&options),
        Command::User(command) => user::run(&command),
        Command::Phone(command) => phone::run(&command),
        Command::Account(command) => account::run(&command),
        Command::Audit(command) => audit::run(&command),
        Command::Migrate(file) => migrate::run(&file),
        Command::Say(options) => say::run(&options),
        Command::Completions(options) => completions::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `work` on a runtime of its own.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    // One TLS provider for the whole program; an error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// What is logged unless `RUST_LOG` says otherwise. The WebRTC core warns of every handshake's ordinary parts.
const USUAL_LOG: &str =
    "info,rtc=error,rtc_dtls=error,rtc_ice=error,rtc_srtp=error,rtc_stun=error,rtc_sctp=error,rtc_mdns=error,sqlx=warn";

/// Whether a line may be written, whatever `RUST_LOG` says. Other people's crates print at TRACE what they
/// carry: WebSocket frames hold tokens, numbers and messages. SMPP's codec prints whole commands, the password's among them,
/// at DEBUG.
fn may_be_told(line: &tracing::Metadata<'_>) -> bool {
    let carries = line.target().starts_with("rusmpp::");
    !carries && (line.target().starts_with("cordboard") || *line.level() <= tracing::Level::DEBUG)
}

/// Sends the program's own words to standard error: `RUST_LOG` says how many, `info` unless set.
fn start_log() {
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    use tracing_subscriber::{EnvFilter, filter, fmt};
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL_LOG));
    // Colours are for people: a file or a journal gets plain text.
    let colours = std::io::stderr().is_terminal();
    let lines = fmt::layer().with_ansi(colours).with_writer(std::io::stderr);
    let bound = LogBound::new(Arc::new(SystemClock));
    let told = filter::filter_fn(may_be_told);
    tracing_subscriber::registry().with(filter).with(told).with(bound).with(lines).init();
}
