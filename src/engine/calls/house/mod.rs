//! The house that call stories happen in: the drivers as they are, with signalling, media, voice and record replaced by
//! channels. No sleeps: each wait is for the next thing the drivers do.

mod book;
mod outside;
mod record;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::record::Line;
use super::*;
use crate::base::clock::SystemClock;
use crate::domain::call::bridge::{LegId, Source};
use crate::domain::operator::{Phone, Phones};
use crate::engine::feed::UserRef;
use crate::engine::legs::Patience;
use crate::engine::signal::LegEvent;
use crate::engine::trunk::LegNumbers;
use crate::io::fax::Station;
use crate::io::media::{Codec, PlayId};
use crate::io::recording::Ended;
use crate::io::store::seal::Seal;
use crate::proto::sdp::{Session, Srtp};

use book::{Book, Mouth};
pub(super) use outside::Did;
use outside::Outside;

/// Recordings that nobody makes.
pub(super) fn recordings(clock: crate::base::clock::SharedClock) -> (Recordings, mpsc::UnboundedReceiver<Ended>) {
    let directory = std::env::temp_dir().join("cordboard-no-recordings");
    Recordings::start(directory, Arc::new(Seal::new(&[7; 32])), clock).expect("a thread")
}

pub(super) fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a valid number")
}

pub(super) fn user(name: &str) -> UserRef {
    UserRef { id: UserId::named(name), name: name.to_owned() }
}

pub(super) struct House {
    pub(super) calls: CallsHandle,
    pub(super) desk: DeskHandle,
    pub(super) feed: tokio::sync::broadcast::Receiver<FeedEvent>,
    pub(super) did: mpsc::UnboundedReceiver<Did>,
    pub(super) legs: LegNumbers,
    pub(super) seen: Vec<Line>,
    /// Ways of legs' events of which a story says no more.
    pub(super) kept: Vec<mpsc::Sender<LegEvent>>,
    /// What the dispatcher is told.
    pub(super) news: mpsc::UnboundedReceiver<CallNews>,
}

impl House {
    pub(super) fn open(greeting: &str) -> Self {
        Self::open_with(greeting, recordings(Arc::new(SystemClock)).0)
    }

    pub(super) fn open_with(greeting: &str, recordings: Recordings) -> Self {
        let (sender, did) = mpsc::unbounded_channel();
        let outside = Arc::new(Outside(sender, Arc::default()));
        let legs = LegNumbers::default();
        let feed = Feed::default();
        let watching = feed.subscribe();
        let clock = Arc::new(SystemClock);
        let (desk, from_desk) = DeskHandle::start(clock.clone(), feed.clone());
        let mut wiring = Wiring::new(clock, outside.clone(), outside.clone(), Arc::new(Mouth), legs.clone());
        // Nobody here is to wait for long.
        let ms = Duration::from_millis;
        wiring.patience = Patience { ask_after: ms(20), ask_every: ms(100), limit: ms(200), once_stuck: ms(50) };
        let wiring = Arc::new(wiring);
        let accounts = Arc::new(Book(greeting.to_owned()));
        let (news, told) = mpsc::unbounded_channel();
        let figures = FiguresHandle::new(Default::default(), wiring.clock.clone(), feed.clone());
        let parts = CallsParts {
            wiring,
            desk: desk.clone(),
            feed,
            accounts,
            log: outside.clone(),
            callbacks: outside.clone(),
            check_ins: outside.clone(),
            greetings: outside,
            numbering: Numbering::default(),
            shown: vec![number(flow_tests::SHOWN)],
            recordings,
            figures,
            park: ParkTimes::default(),
            station: Station::default(),
            news,
        };
        let calls = CallsHandle::start(parts, from_desk);
        Self { calls, desk, feed: watching, did, legs, seen: vec![], kept: vec![], news: told }
    }

    /// Waits for the next thing done that `pick` wants; lines written on the way are kept.
    pub(super) async fn until<T>(&mut self, what: &str, mut pick: impl FnMut(&Did) -> Option<T>) -> (Did, T) {
        let found = tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                let did = self.did.recv().await.expect("the house stands");
                if let Did::Wrote(line) = &did {
                    self.seen.push(line.clone());
                }
                if let Some(found) = pick(&did) {
                    return (did, found);
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("waited in vain for: {what}"))
    }

    /// A call in; its leg and where its events go.
    pub(super) fn dials(&self, did: &str, offer: Option<Vec<u8>>) -> (LegId, mpsc::Sender<LegEvent>) {
        self.dials_from("+12025550150", did, offer)
    }

    pub(super) fn dials_from(
        &self,
        caller: &str,
        did: &str,
        offer: Option<Vec<u8>>,
    ) -> (LegId, mpsc::Sender<LegEvent>) {
        let (events, received) = mpsc::channel(8);
        let leg = self.legs.fresh();
        self.calls.take_in_one(IncomingCall {
            leg,
            trunk: "test".into(),
            did: Some(number(did)),
            caller: Some(number(caller)),
            forwarded_from: None,
            verstat: Some("TN-Validation-Failed"),
            offer,
            srtp: Srtp::Off,
            peer: [127, 0, 0, 1].into(),
            events: received,
        });
        (leg, events)
    }

    /// A caller who hears the greeting to its end and waits.
    pub(super) async fn queued(&mut self) -> (LegId, mpsc::Sender<LegEvent>) {
        let (leg, events) = self.dials("+12025550102", Some(offer()));
        self.until("answer", |d| answers(d, leg)).await;
        events.send(LegEvent::Established(None)).await.expect("the call listens");
        let play = self.until("greeting", |d| plays(d, leg)).await.1;
        self.calls.on_media(MediaEvent::PlayDone { leg, play });
        self.hears(leg, &[Source::Music]).await;
        (leg, events)
    }

    pub(super) async fn ready(&self, name: &str) {
        self.desk.heartbeat(user(name), false);
        self.desk.phones(UserId::named(name), Phones::of(Phone::Softphone));
        self.desk.checked(UserId::named(name), Phone::Softphone, true);
        self.desk.set_ready(user(name), true, None).await.expect("may be ready");
    }

    /// Waits until the operator's phone rings and takes the call.
    pub(super) async fn takes(&mut self, name: &str) -> (LegId, mpsc::Sender<LegEvent>) {
        let (did, leg) = self.until("ring", |d| rings(d, name)).await;
        let Did::Rang { events, .. } = did else { unreachable!("rings picks Rang") };
        events.send(LegEvent::Answered(b"an answer".to_vec())).await.expect("the call listens");
        self.calls.on_media(MediaEvent::WebUp { leg });
        (leg, events)
    }

    pub(super) async fn hears(&mut self, leg: LegId, sources: &[Source]) {
        let wanted = sources.to_vec();
        let what = format!("{leg:?} hears {wanted:?}");
        let heard = move |d: &Did| match d {
            Did::Bridged { matrix, .. } => {
                let listed = matrix.rows.iter().any(|(l, _)| *l == leg);
                (listed && matrix.heard_by(leg) == wanted).then_some(())
            }
            _ => None,
        };
        self.until(&what, heard).await;
    }

    pub(super) fn call(&self) -> CallId {
        self.calls.views().first().expect("a live call").id.clone()
    }

    pub(super) async fn does(&self, name: &str, command: Command) -> Result<(), CommandError> {
        self.calls.command(&self.call(), &UserId::named(name), command).await
    }

    pub(super) async fn finished(&mut self) -> CallEnd {
        let finish = |d: &Did| match d {
            Did::Wrote(Line::Finished { end, .. }) => Some(end.clone()),
            _ => None,
        };
        self.until("finish", finish).await.1
    }

    pub(super) fn kinds(&self) -> Vec<String> {
        let kind = |line: &Line| match line {
            Line::Event { kind, .. } => Some(kind.clone()),
            _ => None,
        };
        self.seen.iter().filter_map(kind).collect()
    }

    pub(super) async fn gone(&mut self) {
        self.shown("the call goes from the desks", |e| matches!(e, FeedEvent::CallGone { .. }).then_some(())).await;
    }

    /// Waits until the desks are told what `pick` picks.
    pub(super) async fn shown<T>(&mut self, what: &str, pick: impl Fn(&FeedEvent) -> Option<T>) -> T {
        let told = async {
            loop {
                if let Ok(Some(picked)) = self.feed.recv().await.as_ref().map(&pick) {
                    return picked;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), told).await.expect(what)
    }
}

pub(super) fn offer() -> Vec<u8> {
    Session::new(7, "127.0.0.1:9000".parse().expect("an address"), &[Codec::Pcmu]).offer()
}

pub(super) fn answer_to(offer: &[u8]) -> Vec<u8> {
    let mut session = Session::new(8, "127.0.0.1:9002".parse().expect("an address"), &[Codec::Pcmu]);
    session.answer(offer).expect("an answer").0
}

pub(super) fn answers(did: &Did, of: LegId) -> Option<Vec<u8>> {
    match did {
        Did::Trunk { leg, command: LegCommand::Answer(sdp) } if *leg == of => Some(sdp.clone()),
        _ => None,
    }
}

pub(super) fn plays(did: &Did, to: LegId) -> Option<PlayId> {
    match did {
        Did::Played { leg, play } if *leg == to => Some(*play),
        _ => None,
    }
}

pub(super) fn rings(did: &Did, name: &str) -> Option<LegId> {
    match did {
        Did::Rang { leg, user, .. } if *user == UserId::named(name) => Some(*leg),
        _ => None,
    }
}

pub(super) fn hangs_up(did: &Did, of: LegId) -> Option<()> {
    match did {
        Did::Trunk { leg, command: LegCommand::HangUp } | Did::Phone { leg, command: LegCommand::HangUp } => {
            (*leg == of).then_some(())
        }
        _ => None,
    }
}
