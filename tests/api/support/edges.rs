//! The edges of the dispatcher and the door of softphones, which write down what they are given and take it; and a call to look at.
//!
//! Nothing leaves. What always holds: all is accepted, but for pushes where [`Told`](super::Told) says otherwise.

use std::net::SocketAddr;

use cordboard::base::id::{AccountId, AttemptId, CallId, UserId};
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::account::{RecordedLegs, RecordingMode};
use cordboard::domain::call::recording::RecordingState;
use cordboard::domain::dispatch::fax::FaxOutcome;
use cordboard::engine::callout::{CallOut, CallOutEvent, CallOutRequest, FaxRequest, JobOffer};
use cordboard::engine::feed::{AccountBrief, AccountRef, CallState, CallView, RecordingView};
use cordboard::http::state::{Answer, Phones};
use cordboard::io::deliver::push::{Push, Pusher};
use cordboard::io::deliver::{self, Delivery, Mail, Mailer, Page, Pager, Post, Poster, TextMessage, Texter};
use cordboard::io::net::WsFlow;

use super::START;
use super::double::{Double, News, Told, push};

impl Phones for Double {
    fn open(&self, peer: SocketAddr, secure: bool) -> Answer<'_, Option<WsFlow>> {
        Box::pin(async move { self.door.open(peer, secure).await.ok() })
    }
}

impl Texter for Double {
    fn send<'a>(&'a self, text: &'a TextMessage) -> deliver::Answer<'a> {
        push(&self.told.texts, text.clone());
        let provider_id = Some(format!("SM{}", Told::so_far(&self.told.texts).len()));
        Box::pin(async { Delivery::Accepted { provider_id } })
    }
}

impl Pager for Double {
    fn page<'a>(&'a self, _page: &'a Page) -> deliver::Answer<'a> {
        Box::pin(async { Delivery::Accepted { provider_id: None } })
    }
}

impl Poster for Double {
    fn post<'a>(&'a self, _post: &'a Post) -> deliver::Answer<'a> {
        Box::pin(async { Delivery::Accepted { provider_id: None } })
    }
}

impl Pusher for Double {
    fn send<'a>(&'a self, push: &'a Push) -> deliver::Answer<'a> {
        self::push(&self.told.pushes, push.clone());
        let answer = self.told.push_answer.lock().expect("no panic while it was held").clone();
        Box::pin(async { answer.unwrap_or(Delivery::Accepted { provider_id: None }) })
    }
}

impl Mailer for Double {
    fn send<'a>(&'a self, mail: &'a Mail) -> deliver::Answer<'a> {
        push(&self.told.mails, mail.clone());
        Box::pin(async { Delivery::Accepted { provider_id: None } })
    }
}

impl CallOut for Double {
    fn place(&self, request: CallOutRequest, events: News) {
        push(&self.told.calls, (request, events));
    }

    fn fax(&self, request: FaxRequest, events: News) {
        let delivered = CallOutEvent::Faxed(FaxOutcome::Delivered { pages: 1 });
        events.send((request.attempt, delivered)).expect("the dispatcher listens");
    }

    fn offer(&self, job: JobOffer, _events: News) {
        push(&self.told.jobs, job);
    }

    fn cancel(&self, _attempt: &AttemptId) {}
}

/// A call that `user` talks on.
pub fn call_of(user: &str) -> CallView {
    CallView {
        id: CallId::named("1"),
        account: AccountRef {
            id: AccountId::named("plumbing"),
            name: "Imaginary Plumbing".into(),
            color: "#123456".into(),
            zone: "America/New_York".into(),
        },
        account_brief: AccountBrief { answer_phrase: String::new(), notes: String::new() },
        did: PhoneNumber::parse("+12025550102").expect("a valid number"),
        caller: None,
        forwarded_from: None,
        state: CallState::Talking,
        seat: Some(UserId::named(user)),
        started_at: START,
        state_since: START,
        offered_until: None,
        patch: None,
        hears: vec![],
        ended: None,
        parked: None,
        colleague: None,
        taken: true,
        note: None,
        recording: RecordingView {
            mode: RecordingMode::Off,
            state: RecordingState::Off,
            covered: false,
            legs: RecordedLegs::default(),
        },
        earlier: 0,
        chosen: vec![],
        entered: vec![],
        call_type: None,
        ring_back: None,
        job: None,
        dialled: None,
        comes: None,
        rings_back: None,
        wrap_up_until: None,
        listeners: vec![],
    }
}
