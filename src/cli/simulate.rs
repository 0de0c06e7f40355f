//! `cordboard simulate`: what a protocol would do, minute by minute, from a time on, if carriers took every
//! text and email at once and nobody ever answered. Runs the dispatch machine itself; sends nothing.

use std::path::PathBuf;

use clap::Args;
use cordboard::base::clock::{Clock as _, SystemClock, UtcMs};
use cordboard::base::id::{AttemptId, CallTypeId, ContactId, DispatchId, MessageId};
use cordboard::base::phone::PhoneNumber;
use cordboard::demo::{self, Client};
use cordboard::domain::account::{CallType, Contact};
use cordboard::domain::dispatch::event::{CallNews, Effect, Entry, Event, World};
use cordboard::domain::dispatch::fax::FaxOutcome;
use cordboard::domain::dispatch::state::{CallOutcome, Channel, NewDispatch, State};
use cordboard::domain::dispatch::{apply, timeline};
use cordboard::domain::message::form::Answers;
use cordboard::domain::oncall::{OnCall, resolve};
use cordboard::io::store::Store;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{ConfigFile, Failure, block_on};

/// More events than any protocol makes in the longest time that can be asked for.
const MAX_EVENTS: usize = 100_000;

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
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Use the accounts in this configuration's store; the demo's unless given.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What would happen.
#[derive(Debug, Serialize)]
struct Outlook {
    account: String,
    call_type: String,
    protocol: String,
    version: u32,
    zone: String,
    lines: Vec<Line>,
    /// The state at the end of the time looked at.
    state: &'static str,
    needs_operator: bool,
}

#[derive(Debug, Serialize)]
struct Line {
    at: UtcMs,
    /// On the account's clock.
    local: String,
    /// Since the message was saved.
    after_secs: i64,
    kind: &'static str,
    text: String,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let client = find_client(options)?;
    let account = &client.account;
    let call_type = find_call_type(&client, &options.call_type)?;
    let Some(protocol) = call_type.protocol.as_ref().and_then(|id| client.protocols.iter().find(|p| &p.id == id))
    else {
        return Err(
            format!("calls of type \"{}\" have no protocol: they are kept and not dispatched", call_type.name).into()
        );
    };
    let zone = TimeZone::get(&account.zone).map_err(|_| format!("there is no time zone \"{}\"", account.zone))?;
    let start = UtcMs(zone.to_timestamp(options.at)?.as_millisecond());
    let dispatch = NewDispatch {
        id: DispatchId::named("simulated"),
        message: MessageId::named("simulated"),
        account: account.id.clone(),
        urgency: call_type.urgency,
        protocol: protocol.clone(),
        // So that the first step is at the time asked for.
        undo_secs: 0,
        on_call: None,
        patched_to: None,
    };
    let world = Here { client: &client, call_type: &call_type.id, answers: find_answers(call_type, &options.answers)? };
    let mut night = Night { world, state: dispatch.saved(start), now: start, entries: Vec::new(), ringing: Vec::new() };
    night.run_until(start.plus_secs(i64::from(options.hours) * 3_600));
    let line = |entry: &Entry| {
        let (kind, text) = timeline::sentence(entry, &account.zone);
        Line { at: entry.at, local: local(entry.at, &zone), after_secs: entry.at.since(start) / 1_000, kind, text }
    };
    let outlook = Outlook {
        account: account.name.clone(),
        call_type: call_type.name.clone(),
        protocol: protocol.name.clone(),
        version: protocol.version,
        zone: account.zone.clone(),
        lines: night.entries.iter().map(line).collect(),
        state: night.state.phase.name(),
        needs_operator: night.state.needs_operator(),
    };
    print(&outlook, options)
}

fn print(outlook: &Outlook, options: &Options) -> Result<(), Failure> {
    if options.json {
        println!("{}", serde_json::to_string_pretty(outlook)?);
        return Ok(());
    }
    let Outlook { account, call_type, protocol, version, zone, .. } = outlook;
    println!("{account}, {call_type}: protocol \"{protocol}\" version {version}. Times of {zone}. Nobody answers.\n");
    for line in &outlook.lines {
        println!("{}  {:>8}  {}", line.local, after(line.after_secs), line.text);
    }
    let needs = if outlook.needs_operator { "; an operator is needed" } else { "" };
    println!("\nAfter {} h: {}{needs}.", options.hours, outlook.state.replace('_', " "));
    Ok(())
}

/// Minutes and seconds: `+15:00`.
fn after(secs: i64) -> String {
    format!("+{}:{:02}", secs / 60, secs % 60)
}

fn local(at: UtcMs, zone: &TimeZone) -> String {
    let civil = jiff::Timestamp::from_millisecond(at.0).map(|at| zone.to_datetime(at));
    civil.map_or_else(|_| at.to_string(), |civil| civil.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

fn find_client(options: &Options) -> Result<Client, Failure> {
    let clients = match &options.config {
        None => demo::clients(),
        Some(path) => {
            let config = ConfigFile { config: path.clone() }.load()?;
            block_on(async {
                let store = Store::open(&config.store, SystemClock.utc()).await?;
                let mut clients = Vec::new();
                for account in store.list_accounts().await? {
                    clients.push(Client {
                        contacts: store.list_contacts(&account.id).await?,
                        schedules: store.list_schedules(&account.id).await?,
                        protocols: store.list_protocols(&account.id).await?,
                        recap: store.find_recap_plan(&account.id).await?.map(|set| set.plan),
                        account,
                    });
                }
                store.close().await;
                Ok(clients)
            })?
        }
    };
    let wanted = options.account.trim();
    let key = format!("acc_{wanted}");
    let names: Vec<String> = clients.iter().map(|client| format!("\"{}\"", client.account.name)).collect();
    let found = clients.into_iter().find(|Client { account, .. }| {
        account.name.eq_ignore_ascii_case(wanted) || account.id.as_str() == wanted || account.id.as_str() == key
    });
    found.ok_or_else(|| format!("there is no account \"{wanted}\". There are: {}", names.join(", ")).into())
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
        answers.insert(field.name.clone(), answer.clone());
    }
    Ok(answers)
}

/// A night in which nobody answers.
struct Night<'a> {
    world: Here<'a>,
    state: State,
    now: UtcMs,
    entries: Vec<Entry>,
    /// Calls that ring, and until when.
    ringing: Vec<(UtcMs, AttemptId)>,
}

impl Night<'_> {
    fn run_until(&mut self, end: UtcMs) {
        self.tell(Event::Due);
        for _ in 0..MAX_EVENTS {
            let rings_out = self.ringing.iter().map(|(at, _)| *at).min();
            let wakes = self.state.wake().map(|(at, _)| at);
            let Some(at) = [rings_out, wakes].into_iter().flatten().min().filter(|at| *at <= end) else { return };
            self.now = self.now.max(at);
            match self.ringing.iter().position(|(until, _)| *until <= self.now) {
                Some(rung) => {
                    let (_, attempt) = self.ringing.swap_remove(rung);
                    self.tell(Event::Call { attempt, news: CallNews::Ended(CallOutcome::NoAnswer) });
                }
                None => self.tell(Event::Due),
            }
        }
    }

    /// Tells the machine, and does at once what it wants done.
    fn tell(&mut self, event: Event) {
        let mut waiting = vec![event];
        while let Some(event) = waiting.pop() {
            let (state, effects) = apply(&self.state, &event, self.now, &self.world);
            self.state = state;
            for effect in effects {
                match effect {
                    Effect::Record(entry) => self.entries.push(entry),
                    Effect::Hand(attempt) => waiting.insert(0, Event::Hand { attempt, node: "simulation".to_owned() }),
                    Effect::Perform(attempt) => waiting.extend(self.perform(attempt)),
                    Effect::CancelCall(attempt) => self.ringing.retain(|(_, ringing)| *ringing != attempt),
                }
            }
        }
    }

    fn perform(&mut self, attempt: AttemptId) -> Option<Event> {
        let found = self.state.find_attempt(&attempt)?;
        if found.job.is_some() {
            // No operator takes it either.
            return None;
        }
        if found.channel == Channel::Call {
            self.ringing.push((self.now.plus_secs(i64::from(found.ring_secs)), attempt));
            return None;
        }
        if found.channel == Channel::Fax {
            return Some(Event::Faxed { attempt, outcome: FaxOutcome::Delivered { pages: 1 } });
        }
        Some(Event::Accepted { attempt, provider_id: None })
    }
}

/// The account as the machine asks about it.
struct Here<'a> {
    client: &'a Client,
    call_type: &'a CallTypeId,
    answers: Answers,
}

impl World for Here<'_> {
    fn on_call(&self, role: &str, at: UtcMs) -> Option<OnCall> {
        self.client.schedules.iter().find(|schedule| schedule.role == role).and_then(|schedule| resolve(schedule, at))
    }

    fn zone(&self) -> &str {
        &self.client.account.zone
    }

    fn call_types(&self) -> &[CallType] {
        &self.client.account.call_types
    }

    fn call_type(&self) -> Option<&CallTypeId> {
        Some(self.call_type)
    }

    fn answers(&self) -> Option<&Answers> {
        Some(&self.answers)
    }

    fn window(&self, at: UtcMs) -> Option<String> {
        self.client.account.window_at(at)
    }

    fn edition(&self) -> u32 {
        1
    }

    fn contact(&self, id: &ContactId) -> Option<&Contact> {
        self.client.contacts.iter().find(|contact| &contact.id == id)
    }

    fn pick_code(&self, _number: &PhoneNumber) -> Option<u16> {
        Some(1)
    }
}
