//! Carriers that texts come in from over a connection of ours (SMPP): keeps each connected, hands what comes to the
//! dispatcher, and tells the carrier that it was taken once it is stored. Operators are told of one that stays away.
//!
//! Decides nothing. Driven by `app`, until it is told to stop.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use super::dispatcher::Dispatcher;
use super::feed::AlarmLevel;
use crate::io::deliver::sms::smpp::{Incoming, Link, What};
use crate::io::store::StoreError;

/// A carrier that is not connected for so long is told of.
const AWAY: Duration = Duration::from_secs(30);

/// A carrier: its name, its connection, and what comes over it.
pub struct TextCarrier {
    pub name: String,
    pub link: Link,
    pub incoming: mpsc::Receiver<Incoming>,
}

/// Runs until `stop` says true.
pub async fn run(dispatcher: Dispatcher, carriers: Vec<TextCarrier>, mut stop: watch::Receiver<bool>) {
    let mut work = JoinSet::new();
    for TextCarrier { name, link, incoming } in carriers {
        work.spawn(watch_over(dispatcher.clone(), name.clone(), link.is_bound(), stop.clone()));
        work.spawn(link.run(stop.clone()));
        work.spawn(take_in(dispatcher.clone(), name, incoming));
    }
    loop {
        let done = tokio::select! {
            Some(done) = work.join_next() => done,
            () = stopped(&mut stop) => break,
        };
        pass_on(done);
        // A carrier without its keeper would be lost unseen: whoever runs this sees that it is over.
        if !*stop.borrow() {
            return;
        }
    }
    while let Some(done) = work.join_next().await {
        pass_on(done);
    }
}

/// A panic is nobody's to keep.
fn pass_on(done: Result<(), JoinError>) {
    if let Err(error) = done
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// Hands on what comes until the connection's keeper is gone.
async fn take_in(dispatcher: Dispatcher, provider: String, mut incoming: mpsc::Receiver<Incoming>) {
    while let Some(Incoming { what, taken }) = incoming.recv().await {
        let stored = take(&dispatcher, &provider, what).await;
        if let Err(error) = &stored {
            tracing::error!(
                provider,
                code = error.code(),
                "what a carrier sent could not be stored; it is asked for again"
            );
        }
        // Nobody waits for it any more: the connection is lost, and it comes again.
        let _ = taken.send(stored.is_ok());
    }
}

async fn take(dispatcher: &Dispatcher, provider: &str, what: What) -> Result<(), StoreError> {
    match what {
        What::Text { id, from, to, body, place: None } => dispatcher.take_text(provider, &id, from, to, body).await,
        What::Text { id, from, to, body, place: Some(place) } => {
            dispatcher.take_text_part(provider, &id, from, to, body, place).await
        }
        What::Receipt { provider_id, word, receipt } => {
            dispatcher.take_fate(provider, &provider_id, &word, receipt).await
        }
    }
}

/// Sounds when the carrier has been away for a while, and stops when it is back.
async fn watch_over<T>(
    dispatcher: Dispatcher,
    provider: String,
    mut bound: watch::Receiver<Option<T>>,
    mut stop: watch::Receiver<bool>,
) {
    let alarm = format!("sms:{provider}");
    loop {
        tokio::select! {
            there = becomes(&mut bound, true) => if !there { return },
            () = tokio::time::sleep(AWAY) => {
                let text = format!(
                    "The text carrier {provider} is not connected: texts by it do not leave, and replies do not come in. \
                     Call whoever must know, and tell the engineer."
                );
                dispatcher.alarm(alarm.clone(), AlarmLevel::Critical, text);
                tokio::select! {
                    there = becomes(&mut bound, true) => if !there { return },
                    () = stopped(&mut stop) => return,
                }
                dispatcher.unalarm(&alarm);
            }
            () = stopped(&mut stop) => return,
        }
        tokio::select! {
            there = becomes(&mut bound, false) => if !there { return },
            () = stopped(&mut stop) => return,
        }
    }
}

/// Waits until it is bound, or is not. False: nobody keeps it any more.
async fn becomes<T>(bound: &mut watch::Receiver<Option<T>>, is: bool) -> bool {
    bound.wait_for(|bound| bound.is_some() == is).await.is_ok()
}

/// Waits until all is to end.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody will ever say it: the service is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}
