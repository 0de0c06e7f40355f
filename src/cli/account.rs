//! `cordboard account`: accounts from documents and into them, so that a service can be set up without the console.
//!
//! A document is TOML or JSON of the API's shapes, people and protocols by name. Everything wrong with one is told at once,
//! in TOML with its line. Nothing is changed unless all of it is right.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::config::Config;
use cordboard::domain::account::fault::Fault;
use cordboard::engine::clients::document::Document;
use cordboard::engine::clients::reach::Reachable;
use cordboard::engine::clients::{Clients, Refusal};
use cordboard::engine::feed::Feed;
use cordboard::io::speech::Speaker;
use cordboard::io::store::Store;
use cordboard::io::store::audit::Who;
use toml::de::{DeTable, DeValue};

use super::out::print_line;
use super::{ConfigFile, Failure, block_on};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the accounts with their numbers.
    List(ConfigFile),
    /// Make an account of a document, or change the one of its name to what the document says.
    Import(Import),
    /// Print an account as a document (JSON), to be changed and imported again, here or elsewhere.
    Export(Export),
}

#[derive(Debug, Args)]
pub struct Import {
    /// The document: TOML if its name ends so, otherwise JSON.
    #[arg(value_name = "FILE")]
    document: PathBuf,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, Args)]
pub struct Export {
    /// The account, by name ("Imaginary Plumbing") or identifier.
    name: String,
    #[command(flatten)]
    file: ConfigFile,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List(file) => list(file),
        Command::Import(options) => import(options),
        Command::Export(options) => export(options),
    }
}

fn list(file: &ConfigFile) -> Result<(), Failure> {
    let config = file.load()?;
    let accounts = block_on(async {
        let store = Store::open(&config.store, SystemClock.utc()).await?;
        let accounts = store.list_accounts().await?;
        store.close().await;
        Ok(accounts)
    })?;
    if accounts.is_empty() {
        print_line!("No accounts. Make one: cordboard account import FILE");
    }
    for account in accounts {
        let dids: Vec<&str> = account.dids.iter().map(|did| did.as_e164()).collect();
        let dids = if dids.is_empty() { "no number yet".to_owned() } else { dids.join(", ") };
        print_line!("{}  {dids}  {}", account.name, account.id);
    }
    Ok(())
}

fn import(options: &Import) -> Result<(), Failure> {
    let config = options.file.load()?;
    let (document, text) = read(&options.document)?;
    let imported = block_on(async {
        let (store, clients) = open(&config).await?;
        let imported = clients.import(&document).await.map_err(|why| tell(&why, &options.document, &text))?;
        store.close().await;
        Ok(imported)
    })?;
    let account = imported.account;
    print_line!("{} {}.", if imported.new { "Made" } else { "Changed" }, account.name);
    if account.dids.is_empty() {
        print_line!("It has no number yet: no call reaches it.");
    }
    for call_type in account.call_types.iter().filter(|t| t.protocol.is_none()) {
        print_line!("Calls of type {} have no protocol: they are kept and not dispatched.", call_type.name);
    }
    Ok(())
}

fn export(options: &Export) -> Result<(), Failure> {
    let config = options.file.load()?;
    let document = block_on(async {
        let (store, clients) = open(&config).await?;
        let document = match clients.export(&options.name).await {
            Ok(document) => document,
            Err(Refusal::Missing { .. }) => {
                let known: Vec<String> = store.list_accounts().await?.into_iter().map(|account| account.name).collect();
                let known = if known.is_empty() { "there is none yet".to_owned() } else { known.join(", ") };
                return Err(format!("there is no account \"{}\". Known: {known}", options.name).into());
            }
            Err(why) => return Err(tell(&why, Path::new(""), "")),
        };
        store.close().await;
        Ok(document)
    })?;
    print_line!("{}", serde_json::to_string_pretty(&document)?);
    Ok(())
}

async fn open(config: &Config) -> Result<(Store, Clients), Failure> {
    let store = Store::open(&config.store, SystemClock.utc()).await?;
    let voice = Arc::new(Speaker::of(&config.voice)?);
    // Consoles of a service that runs learn of it when they next ask.
    let clients = Clients::new(store.clone(), voice, Arc::new(SystemClock), Feed::default());
    let clients = clients.reaching(Reachable::by(config)).by(Who::CommandLine);
    Ok((store, clients))
}

/// The document with its text, for telling where something is wrong.
fn read(path: &Path) -> Result<(Document, String), Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {shown}: {e}"))?;
    let document = if is_toml(path) {
        toml::from_str(&text).map_err(|e| format!("{shown}: {e}"))?
    } else {
        serde_json::from_str(&text).map_err(|e| format!("{shown}: {e}"))?
    };
    Ok((document, text))
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
}

fn tell(refusal: &Refusal, path: &Path, text: &str) -> Failure {
    let faults = match refusal {
        Refusal::Faulty(faults) | Refusal::Clash(faults) => faults,
        Refusal::Missing { what } => return Failure::from(format!("there is no such {what}")),
        Refusal::Stale { .. } => return Failure::from("the account was changed meanwhile: import again"),
        Refusal::NotNow { detail, .. } => return Failure::from(detail),
        Refusal::Store(error) => return Failure::from(error),
    };
    let table = is_toml(path).then(|| DeTable::parse(text).ok()).flatten();
    let line = |fault: &Fault| match &table {
        Some(table) => {
            let at = find_span(table.get_ref(), &fault.pointer);
            let line = text[..at.min(text.len())].matches('\n').count() + 1;
            format!("{}:{line}: {} {}", path.display(), fault.detail, fault.cure)
        }
        None => format!("{}: {}: {} {}", path.display(), fault.pointer, fault.detail, fault.cure),
    };
    let mut lines: Vec<String> = faults.iter().map(line).collect();
    lines.push(if faults.len() == 1 { "1 mistake".to_owned() } else { format!("{} mistakes", faults.len()) });
    lines.push("Nothing was changed.".to_owned());
    Failure::from(lines.join("\n"))
}

/// Where a JSON pointer leads in a TOML document, or the last place on its way that is written.
fn find_span(table: &DeTable<'_>, pointer: &str) -> usize {
    let mut parts = pointer.split('/').skip(1);
    let first = parts.next().and_then(|key| table.get(key));
    let Some(mut value) = first else { return 0 };
    let mut at = value.span().start;
    for part in parts {
        let next = match value.get_ref() {
            DeValue::Table(table) => table.get(part),
            DeValue::Array(items) => part.parse::<usize>().ok().and_then(|n| items.get(n)),
            _ => None,
        };
        let Some(next) = next else { break };
        at = next.span().start;
        value = next;
    }
    at
}
