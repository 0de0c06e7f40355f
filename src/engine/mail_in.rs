//! Mail that comes back (bounces, replies): read, handed to the dispatcher, and acknowledged once it is stored.
//!
//! Decides nothing. Driven by `app`, until it is told to stop. What always holds: whatever a mail holds, nothing but this one mail
//! suffers by it; what a machine answers by itself is counted and goes nowhere.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use ring::digest::{Context, SHA256};
use tokio::sync::{mpsc, watch};

use super::dispatcher::Dispatcher;
use crate::base::id::AttemptId;
use crate::domain::dispatch::mail::Fate;
use crate::io::deliver::said;
use crate::io::mail_in::addresses::Ours;
use crate::io::mail_in::{Door, Incoming};
use crate::io::store::StoreError;
use crate::io::store::inbound::Arrival;
use crate::proto::mail::{self, Action, Letter, Read, Reply};

/// Mails for one email of ours in an hour; those beyond it come again later.
const MAX_AN_HOUR: u32 = 30;
const HOUR: Duration = Duration::from_secs(3_600);

/// Runs until `stop` says true.
pub async fn run(
    dispatcher: Dispatcher,
    door: Door,
    mut incoming: mpsc::Receiver<Incoming>,
    stop: watch::Receiver<bool>,
) {
    let attending = door.run(stop);
    let taking = async {
        let (mut came, mut hour) = (HashMap::new(), tokio::time::interval(HOUR));
        loop {
            let mail = tokio::select! {
                mail = incoming.recv() => mail,
                _ = hour.tick() => {
                    came.clear();
                    continue;
                }
            };
            let Some(mail) = mail else { return };
            if mail.to.iter().any(|ours| is_too_many(&mut came, &ours.attempt)) {
                metrics::counter!("cordboard_mail_in_total", "result" => "too_many").increment(1);
                // Its sender tries again.
                let _ = mail.taken.send(false);
                continue;
            }
            let stored = take(&dispatcher, mail.from, mail.to, mail.raw).await;
            if let Err(error) = &stored {
                tracing::error!(code = error.code(), "a mail could not be stored; its sender tries again");
            }
            // Nobody waits for it any more: the connection is lost, and it comes again.
            let _ = mail.taken.send(stored.is_ok());
        }
    };
    // The door keeps its end of the channel as long as it is attended, so the taking ends after it.
    tokio::join!(attending, taking);
}

/// One more for this email of ours: more in an hour than people and servers have to say. Nothing is lost by it, and a forwarder
/// that runs wild, or whoever got hold of an address, hides nobody else's words on the desks.
fn is_too_many(came: &mut HashMap<AttemptId, u32>, attempt: &AttemptId) -> bool {
    let count = came.entry(attempt.clone()).or_default();
    *count += 1;
    *count > MAX_AN_HOUR
}

/// Takes a mail for addresses of ours.
///
/// # Errors
/// The store's; its sender has to try again.
pub async fn take(dispatcher: &Dispatcher, from: String, to: Vec<Ours>, raw: Vec<u8>) -> Result<(), StoreError> {
    let digest = ring::digest::digest(&SHA256, &raw);
    let sender = from.clone();
    // On a thread of its own: a mail may be large, and one that its reader stumbles over is a mail that nobody could read.
    let read = tokio::task::spawn_blocking(move || mail::read(&raw, &sender)).await.unwrap_or_else(|_| {
        tracing::error!("a mail cannot be read by a fault of ours");
        let reply = Reply { from, subject: String::new(), words: String::new() };
        Read { letter: Letter::Reply(reply), message_id: None }
    });
    for ours in to {
        // A repeat has the same name; where it has none, the same octets.
        let mut context = Context::new(&SHA256);
        context.update(ours.attempt.as_str().as_bytes());
        context.update(&[0]);
        context.update(read.message_id.as_deref().map_or_else(|| digest.as_ref(), str::as_bytes));
        let id = context.finish().as_ref().iter().fold(String::new(), |mut id, octet| {
            write!(id, "{octet:02x}").expect("a text takes what is written");
            id
        });
        let (result, what) = arrival(&ours, &read.letter);
        if let Some(what) = what {
            dispatcher.take_mail(&id, what).await?;
        }
        metrics::counter!("cordboard_mail_in_total", "result" => result).increment(1);
    }
    Ok(())
}

/// What it is to the dispatcher; none: nothing.
fn arrival(ours: &Ours, letter: &Letter) -> (&'static str, Option<Arrival>) {
    let attempt = ours.attempt.clone();
    match letter {
        Letter::Report(report) => {
            let status = report.status.clone();
            let fate = match report.action {
                // RFC 3463 §2: 5 is for good.
                Action::Failed => {
                    let said = report.said.as_deref().and_then(|words| said::fit(words, None));
                    Fate::Failed { for_good: status.starts_with('5'), status, said }
                }
                Action::Delayed => Fate::Delayed { status },
                Action::Delivered => Fate::Delivered,
                Action::Passed => return ("automatic", None),
            };
            ("report", Some(Arrival::MailFate { attempt, fate, recipient: report.recipient.clone() }))
        }
        Letter::Automatic => ("automatic", None),
        Letter::Reply(Reply { from, subject, words }) => {
            let (from, subject, body) = (from.clone(), subject.clone(), words.clone());
            ("reply", Some(Arrival::MailReply { attempt, from, subject, body }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_email_that_is_answered_without_end_keeps_out_nobody_elses_answers() {
        let mut came = HashMap::new();
        let [flooded, other] = ["flooded", "other"].map(AttemptId::named);
        assert_eq!((0..100).filter(|_| !is_too_many(&mut came, &flooded)).count(), 30);
        assert!(!is_too_many(&mut came, &other));
    }
}
