//! The dispatcher's own loop: woken when a message is saved, to the second by its timers, ended when asked.

use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock, UtcMs};
use cordboard::base::id::AttemptId;
use cordboard::domain::dispatch::protocol::Until;
use cordboard::domain::dispatch::state::Phase;
use cordboard::engine::callout::{CallOut, CallOutEvent, CallOutRequest, FaxRequest, JobOffer, OutboundEnd};
use cordboard::engine::dispatcher::{Dispatcher, Edges};
use cordboard::engine::feed::{Feed, FeedEvent};
use cordboard::io::deliver::NotConfigured;
use cordboard::io::store::{Store, StoreConfig};
use tokio::sync::{mpsc, watch};

use crate::support::temp::TempDir;
use crate::town;

/// A phone that is picked up at once by a person who confirms.
pub struct Willing;

impl CallOut for Willing {
    fn place(&self, request: CallOutRequest, events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {
        use CallOutEvent::{Answered, Confirmed, Ended, Ringing, Told};
        for event in [Ringing, Answered, Told, Confirmed, Ended(OutboundEnd::Confirmed)] {
            events.send((request.attempt.clone(), event)).expect("the dispatcher listens");
        }
    }

    fn fax(&self, _request: FaxRequest, _events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {
        panic!("no step here is a fax");
    }

    fn offer(&self, _job: JobOffer, _events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {
        panic!("no step here is an operator's");
    }

    fn cancel(&self, _attempt: &AttemptId) {}
}

#[tokio::test]
async fn the_loop_dispatches_by_itself_and_ends_when_asked() {
    let directory = TempDir::new("loop");
    let now = SystemClock.utc();
    let store = Store::open(&StoreConfig::in_directory(directory.path()), now).await.expect("the store opens");
    let protocol = town::protocol(vec![(town::CALL, town::on_call("mobile"), 600)], true, Until::Confirmed);
    town::settle(&store, &protocol, now).await;
    let feed = Feed::default();
    let mut changes = feed.subscribe();
    let quiet = Arc::new(NotConfigured);
    let edges = Edges {
        mailer: quiet.clone(),
        texter: quiet.clone(),
        pager: quiet.clone(),
        poster: quiet,
        call_out: Arc::new(Willing),
    };
    let dispatcher = Dispatcher::new(store.clone(), Arc::new(SystemClock), feed, edges, "node");
    let (stop, stopped) = watch::channel(false);
    let own = dispatcher.clone();
    let running = tokio::spawn(async move { own.run(stopped).await });

    let message = town::message("m1", "burst pipe", now);
    let mut account = store.find_account(&message.account).await.expect("found").expect("an account");
    account.undo_secs = 1;
    let mut tx = store.write().await.expect("the store writes");
    tx.insert_message(&message).await.expect("inserted");
    dispatcher.open(&mut tx, &message, &account).await.expect("opened");
    tx.commit("test").await.expect("committed");
    dispatcher.wake();

    let opened: UtcMs = SystemClock.utc();
    let confirmed = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let change = changes.recv().await.expect("the feed lives");
            if let FeedEvent::Dispatch { dispatch } = change
                && dispatch.state == Phase::Confirmed.name()
            {
                return dispatch;
            }
        }
    })
    .await
    .expect("confirmed by the loop alone");
    assert_eq!(confirmed.confirmed_by.as_deref(), Some("Ben"));
    assert!(confirmed.opened_at.since(opened) > 0, "not before the undo time was over");
    stop.send(true).expect("the loop listens");
    tokio::time::timeout(Duration::from_secs(5), running).await.expect("it ends when asked").expect("without a panic");
}
