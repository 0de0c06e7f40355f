//! `cordboard simulate`: what a protocol would do, minute by minute, from a time on, if carriers took every
//! text and email at once and people did what is asked (`domain/dispatch/simulate`). Sends nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::slice;

use clap::Args;
use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::id::ContactId;
use cordboard::demo::{self, Client};
use cordboard::domain::account::CallType;
use cordboard::domain::dispatch::simulate::{MAX_AFTER_MINUTES, Outlook, People, Scenario, Surroundings, simulate};
use cordboard::domain::message::form::Answers;
use cordboard::domain::oncall::first_instant;
use cordboard::io::store::Store;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::out::print_line;
use super::{ConfigFile, Failure, block_on};

#[derive(Debug, Args)]
pub struct Options {
    /// The account, by name ("Imaginary Plumbing") or key ("plumbing").
    #[arg(long, value_name = "NAME")]
    account: String,
    /// The call type, by name ("Urgent").
    #[arg(long, value_name = "TYPE")]
    call_type: String,
    /// When the message is saved, in the account's own time.
    #[arg(long, value_name = "2026-03-07T02:00")]
    at: DateTime,
    /// What was answered, by a field's name or label: "Is there water?=yes". Fields that are left out were not answered.
    #[arg(long = "answer", value_name = "FIELD=ANSWER", value_parser = parse_answer)]
    answers: Vec<(String, String)>,
    /// How long to look.
    #[arg(long, value_name = "HOURS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=168))]
    hours: u32,
    /// Whoever is asked first at this step (counted from 1) confirms; nobody answers unless this is given.
    #[arg(long, value_name = "STEP")]
    confirms_at: Option<u32>,
    /// So many minutes after that step began.
    #[arg(long, value_name = "MINUTES", default_value_t = 0, requires = "confirms_at",
        value_parser = clap::value_parser!(u32).range(0..=i64::from(MAX_AFTER_MINUTES)))]
    after: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Use the accounts in this configuration's store; the demo's unless given.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What would happen, and of what.
#[derive(Debug, Serialize)]
struct Answer {
    account: String,
    call_type: String,
    protocol: String,
    version: u32,
    zone: String,
    #[serde(flatten)]
    outlook: Outlook,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let (client, own_pins) = find_client(options)?;
    let account = &client.account;
    let call_type = find_call_type(&client, &options.call_type)?;
    let Some(protocol) = call_type.protocol.as_ref().and_then(|id| client.protocols.iter().find(|p| &p.id == id))
    else {
        return Err(
            format!("calls of type \"{}\" have no protocol: they are kept and not dispatched", call_type.name).into()
        );
    };
    let zone = TimeZone::get(&account.zone).map_err(|_| format!("there is no time zone \"{}\"", account.zone))?;
    let start = first_instant(&zone, options.at).ok_or("there is no such time")?;
    let around = Surroundings {
        account,
        call_type,
        contacts: &client.contacts,
        schedules: &client.schedules,
        recap: client.recap.as_ref(),
        own_pins: &own_pins,
    };
    let answers = find_answers(call_type, &options.answers)?;
    let people =
        options.confirms_at.map_or(People::Nobody, |step| People::Confirms { step, after_minutes: options.after });
    let scenario = Scenario { start, hours: options.hours, people, answers };
    let outlook = simulate(protocol, &around, &scenario).map_err(|why| why.to_string())?;
    let answer = Answer {
        account: account.name.clone(),
        call_type: call_type.name.clone(),
        protocol: protocol.name.clone(),
        version: protocol.version,
        zone: account.zone.clone(),
        outlook,
    };
    print(&answer, options)
}

fn print(answer: &Answer, options: &Options) -> Result<(), Failure> {
    if options.json {
        print_line!("{}", serde_json::to_string_pretty(answer)?);
        return Ok(());
    }
    let Answer { account, call_type, protocol, version, zone, outlook } = answer;
    let people = match options.confirms_at {
        None => "Nobody answers.".to_owned(),
        Some(step) => format!("Step {step} is confirmed {} min after it began.", options.after),
    };
    print_line!("{account}, {call_type}: protocol \"{protocol}\" version {version}. Times of {zone}. {people}\n");
    for line in &outlook.lines {
        print_line!("{}  {:>8}  {}", line.local, after(line.after_secs), line.text);
    }
    let needs = if outlook.needs_operator { "; an operator is needed" } else { "" };
    let then = if outlook.cut {
        "So much would happen that no more was looked at; then".to_owned()
    } else {
        format!("After {} h", options.hours)
    };
    print_line!("\n{then}: {}{needs}.", outlook.state.replace('_', " "));
    Ok(())
}

/// Since the message was saved, as the console says it: `+15:00`, `+1:07:00`.
fn after(secs: i64) -> String {
    let (hours, minutes, seconds) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 { format!("+{hours}:{minutes:02}:{seconds:02}") } else { format!("+{minutes}:{seconds:02}") }
}

/// The client, and who of its people has a PIN of their own.
fn find_client(options: &Options) -> Result<(Client, BTreeSet<ContactId>), Failure> {
    let clients: Vec<(Client, BTreeSet<ContactId>)> = match &options.config {
        None => demo::clients().into_iter().map(with_pins).collect(),
        Some(path) => {
            let config = ConfigFile { config: path.clone() }.load()?;
            block_on(async {
                let store = Store::open(&config.store, SystemClock.utc()).await?;
                let mut clients = Vec::new();
                for account in store.list_accounts().await? {
                    let own_pins = store.list_own_pins(slice::from_ref(&account.id)).await?;
                    let own_pins: BTreeSet<ContactId> = own_pins.into_iter().map(|(_, contact)| contact).collect();
                    let client = Client {
                        contacts: store.list_contacts(&account.id).await?,
                        schedules: store.list_schedules(&account.id).await?,
                        protocols: store.list_protocols(&account.id).await?,
                        recap: store.find_recap_plan(&account.id).await?.map(|set| set.plan),
                        account,
                    };
                    clients.push((client, own_pins));
                }
                store.close().await;
                Ok(clients)
            })?
        }
    };
    let wanted = options.account.trim();
    let key = format!("acc_{wanted}");
    let names: Vec<String> = clients.iter().map(|(client, _)| format!("\"{}\"", client.account.name)).collect();
    let found = clients.into_iter().find(|(Client { account, .. }, _)| {
        account.name.eq_ignore_ascii_case(wanted) || account.id.as_str() == wanted || account.id.as_str() == key
    });
    found.ok_or_else(|| format!("there is no account \"{wanted}\". There are: {}", names.join(", ")).into())
}

/// A client of the demo.
fn with_pins(client: Client) -> (Client, BTreeSet<ContactId>) {
    let own_pins = demo::with_inbox(&client.contacts).map(|contact| contact.id.clone()).collect();
    (client, own_pins)
}

fn find_call_type<'a>(client: &'a Client, wanted: &str) -> Result<&'a CallType, Failure> {
    let types = &client.account.call_types;
    let found = types.iter().find(|t| t.name.eq_ignore_ascii_case(wanted.trim()) || t.id.as_str() == wanted);
    found.ok_or_else(|| {
        let names: Vec<String> = types.iter().map(|t| format!("\"{}\"", t.name)).collect();
        format!("{} has no call type \"{wanted}\". It has: {}", client.account.name, names.join(", ")).into()
    })
}

fn parse_answer(text: &str) -> Result<(String, String), String> {
    // A question may hold the sign, an answer rarely does.
    let (field, answer) = text.rsplit_once('=').ok_or("write it as FIELD=ANSWER")?;
    Ok((field.trim().to_owned(), answer.trim().to_owned()))
}

/// What was answered, by the names of fields.
fn find_answers(call_type: &CallType, given: &[(String, String)]) -> Result<Answers, Failure> {
    let mut answers = Answers::new();
    for (wanted, answer) in given {
        let fields = &call_type.form.fields;
        let Some(field) = fields.iter().find(|f| f.name == *wanted || f.label.eq_ignore_ascii_case(wanted)) else {
            let names: Vec<String> = fields.iter().map(|f| format!("\"{}\"", f.label)).collect();
            return Err(format!("{} asks no \"{wanted}\". It asks: {}", call_type.name, names.join(", ")).into());
        };
        // What nobody can have picked meets no condition, and the steps shown would be of no message there is.
        if let Some(values) = field.kind.values().filter(|values| !is_of(values, answer)) {
            return Err(format!("\"{}\" cannot be \"{answer}\". It takes: {}", field.label, values.join(", ")).into());
        }
        answers.insert(field.name.clone(), answer.clone());
    }
    Ok(answers)
}

/// One of these, or several of them, one a line.
fn is_of(values: &[&str], answer: &str) -> bool {
    let is_one = |line: &str| values.iter().any(|value| value.to_lowercase() == line.trim().to_lowercase());
    !answer.is_empty() && answer.lines().all(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_after_is_said_as_on_the_page() {
        // The same times and words as in console/src/lib/protocols.test.ts.
        assert_eq!([0, 930, 4_020, 7_500].map(after), ["+0:00", "+15:30", "+1:07:00", "+2:05:00"]);
    }
}
