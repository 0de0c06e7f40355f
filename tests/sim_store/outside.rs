//! The edges and the people of a night on the real store. An edge looks up what is committed before it takes anything, tells the judge,
//! and may be the last thing that the process does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use cordboard::base::clock::{Clock, TestClock, UtcMs};
use cordboard::base::id::AttemptId;
use cordboard::base::phone::PhoneNumber;
use cordboard::base::rng::Rng;
use cordboard::domain::call::cause::Cause;
use cordboard::domain::dispatch::event::Failure;
use cordboard::domain::dispatch::fax::FaxOutcome;
use cordboard::domain::dispatch::mail::Fate;
use cordboard::domain::dispatch::state::Phase;
use cordboard::engine::callout::{CallOut, CallOutEvent, CallOutRequest, FaxRequest, JobOffer, OutboundEnd};
use cordboard::engine::dispatcher::Edges;
use cordboard::io::deliver::{Answer, Delivery, Mail, Mailer, Page, Pager, Post, Poster, TextMessage, Texter};
use cordboard::io::store::Store;
use cordboard::io::store::inbound::Arrival;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

use crate::judge::{Judge, Promise};

type Events = UnboundedSender<(AttemptId, CallOutEvent)>;

/// Which rule is broken, so that it is seen that the judge notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    /// The service takes what is protected for a message like any other.
    Content,
    /// An edge delivers everything twice.
    Twice,
    /// A text that was given to its edge once leaves again when the yes to it is committed.
    AfterYes,
    /// Timers are stored that are due later than their dispatches wake.
    Timer,
}

/// A wall clock that may be set; the other time goes on.
#[derive(Clone, Debug)]
pub struct SetClock {
    inner: TestClock,
    offset_ms: Arc<Mutex<i64>>,
}

impl SetClock {
    pub fn at(utc: UtcMs) -> Self {
        Self { inner: TestClock::at(utc), offset_ms: Arc::default() }
    }

    pub fn advance(&self, ms: i64) {
        self.inner.advance(std::time::Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
    }

    pub fn set(&self, by_ms: i64) {
        *self.offset_ms.lock().expect("unpoisoned") += by_ms;
    }

    /// Time as it is, whatever the clock on the wall shows.
    pub fn true_time(&self) -> UtcMs {
        self.inner.utc()
    }
}

impl Clock for SetClock {
    fn instant(&self) -> std::time::Instant {
        self.inner.instant()
    }

    fn utc(&self) -> UtcMs {
        self.inner.utc().plus_ms(*self.offset_ms.lock().expect("unpoisoned"))
    }
}

/// What people and servers will say.
#[derive(Clone)]
pub enum Says {
    Text { id: String, from: PhoneNumber, body: String },
    Mail { id: String, what: Arrival },
}

/// Calls and faxes that are up, and what they will tell.
struct Up {
    attempt: AttemptId,
    is_fax: bool,
    tells: Vec<(UtcMs, CallOutEvent)>,
    events: Events,
}

/// Shared by all edges, over all lives of the process.
pub struct Outside {
    seed: u64,
    pub clock: SetClock,
    pub judge: Mutex<Judge>,
    pub breaks: Option<Breaks>,
    /// Which message a dispatch is of, by its own part of its attempts' names, and its secret words if nothing unprotected may hold them.
    pub known: Mutex<BTreeMap<String, (u32, Option<String>)>>,
    tries: Mutex<BTreeMap<AttemptId, u64>>,
    up: Mutex<Vec<Up>>,
    /// Texts that leave again, of whoever breaks that rule.
    kept: Mutex<Vec<TextMessage>>,
    pub said: Mutex<BTreeMap<(i64, u64), Says>>,
    count: Mutex<u64>,
    pub arrived: Mutex<u32>,
    /// The process is killed here.
    pub dies: Notify,
    /// Hand-overs until it is, if it is to be.
    pub kill_in: Mutex<Option<u32>>,
}

impl Outside {
    pub fn new(seed: u64, clock: SetClock, breaks: Option<Breaks>) -> Arc<Self> {
        Arc::new(Self {
            seed,
            clock,
            judge: Mutex::default(),
            breaks,
            known: Mutex::default(),
            tries: Mutex::default(),
            up: Mutex::default(),
            kept: Mutex::default(),
            said: Mutex::default(),
            count: Mutex::default(),
            arrived: Mutex::default(),
            dies: Notify::new(),
            kill_in: Mutex::default(),
        })
    }

    /// Chance, by what is handed over and for the how manieth time alone.
    fn chance(&self, attempt: &AttemptId) -> Rng {
        let own = attempt.as_str().trim_start_matches("att_");
        let (dispatch, n) = own.rsplit_once('-').unwrap_or((own, "0"));
        let nth = self.known.lock().expect("unpoisoned").get(dispatch).map_or(99, |(nth, _)| u64::from(*nth));
        let mut tries = self.tries.lock().expect("unpoisoned");
        let tries = tries.entry(attempt.clone()).or_default();
        *tries += 1;
        let n: u64 = n.parse().unwrap_or(0);
        let mut rng = Rng::seeded(self.seed ^ (nth << 48) ^ (n << 24) ^ *tries);
        rng.next_u64();
        rng
    }

    fn say(&self, after_ms: i64, says: Says) {
        let mut count = self.count.lock().expect("unpoisoned");
        *count += 1;
        let at = self.clock.true_time().plus_ms(after_ms);
        self.said.lock().expect("unpoisoned").insert((at.0, *count), says);
    }

    fn judge(&self, look: impl FnOnce(&mut Judge)) {
        look(&mut self.judge.lock().expect("unpoisoned"));
    }

    /// The moment of a hand-over is the process's last.
    fn is_killed(&self) -> bool {
        let mut left = self.kill_in.lock().expect("unpoisoned");
        match &mut *left {
            Some(0) => {
                *left = None;
                true
            }
            Some(n) => {
                *n -= 1;
                false
            }
            None => false,
        }
    }

    /// An edge is given an attempt, with these words.
    async fn take(&self, store: &Store, attempt: &AttemptId, words: &str, person: Option<&PhoneNumber>) -> Delivery {
        let mut rng = self.chance(attempt);
        if let Ok(Some(id)) = store.find_dispatch_of_attempt(attempt).await
            && let Ok(Some(read)) = store.find_dispatch(&id).await
            && let Some(a) = read.state.find_attempt(attempt)
        {
            self.judge(|judge| judge.leaves(&read.state, a));
        }
        self.in_clear(attempt, words);
        let before = rng.below(2) == 0;
        if self.is_killed() {
            if !before {
                self.arrives(attempt);
            }
            self.dies.notify_one();
            return std::future::pending().await;
        }
        let failed = |failure, why: &str| Delivery::Failed { failure, why: why.to_owned() };
        match rng.below(16) {
            0 => failed(Failure::Permanent, "no_such_number"),
            1 | 2 => failed(Failure::Temporary, "down"),
            3 => {
                self.judge(|judge| judge.in_doubt(attempt, ""));
                self.arrives(attempt);
                failed(Failure::Unknown, "timeout")
            }
            4 => {
                self.judge(|judge| judge.excuse(attempt));
                self.arrives(attempt);
                failed(Failure::Temporary, "liar")
            }
            _ => {
                self.arrives(attempt);
                if let Some(from) = person {
                    self.answers_text(&mut rng, from, words);
                }
                Delivery::Accepted { provider_id: Some(format!("p-{attempt}")) }
            }
        }
    }

    fn arrives(&self, attempt: &AttemptId) {
        *self.arrived.lock().expect("unpoisoned") += 1;
        let times = if self.breaks == Some(Breaks::Twice) { 2 } else { 1 };
        (0..times).for_each(|_| self.judge(|judge| judge.arrives(attempt, "")));
    }

    /// Nothing of a protected message is in what leaves in writing.
    fn in_clear(&self, attempt: &AttemptId, words: &str) {
        let own = attempt.as_str().trim_start_matches("att_");
        let dispatch = own.rsplit_once('-').map_or(own, |(dispatch, _)| dispatch);
        let secret = self.known.lock().expect("unpoisoned").get(dispatch).and_then(|(_, secret)| secret.clone());
        let Some(secret) = secret else { return };
        let holds = !words.contains(&secret) && !words.contains("0147");
        self.judge(|judge| {
            if !holds {
                judge.faults.push((Promise::NothingInClear, format!("{attempt} carries the message")));
            }
        });
    }

    fn answers_text(&self, rng: &mut Rng, from: &PhoneNumber, words: &str) {
        let code =
            words.split_once("Reply ").and_then(|(_, rest)| rest.split_once("ok")).map(|(code, _)| code.to_owned());
        let Some(code) = code else { return };
        let id = format!("in-{}", rng.next_u64());
        let after = i64::try_from(rng.below(1_500_000)).expect("small");
        let says = |id: &str, body: &str| Says::Text { id: id.to_owned(), from: from.clone(), body: body.to_owned() };
        match rng.below(12) {
            0..=2 => {
                // Its provider says it twice, and she says it once more herself.
                self.say(after, says(&id, &format!("{code}ok")));
                self.say(after + 500, says(&id, &format!("{code}ok")));
                self.say(after + 60_000, says(&format!("{id}b"), &format!("{code} OK")));
            }
            3 => self.say(after, says(&id, "ok")),
            4 => self.say(after, says(&id, "98ok")),
            5 => self.say(after, says(&id, "on my way")),
            6 => {
                self.say(after, says(&id, "STOP"));
                self.say(after + 1_800_000, says(&format!("{id}b"), "START"));
            }
            _ => {}
        }
    }

    /// When something happens outside next, in true time.
    pub fn next_at(&self) -> Option<UtcMs> {
        let said = self.said.lock().expect("unpoisoned").first_key_value().map(|((at, _), _)| UtcMs(*at));
        let up = self.up.lock().expect("unpoisoned").iter().filter_map(|up| up.tells.first().map(|(at, _)| *at)).min();
        [said, up].into_iter().flatten().min()
    }

    /// Calls tell what is due.
    pub fn calls_tell(&self) {
        let now = self.clock.true_time();
        let mut up = self.up.lock().expect("unpoisoned");
        for call in up.iter_mut() {
            let due = call.tells.iter().take_while(|(at, _)| *at <= now).count();
            for (_, event) in call.tells.drain(..due) {
                // A process that is gone hears nothing.
                let _ = call.events.send((call.attempt.clone(), event));
            }
        }
        up.retain(|call| !call.tells.is_empty());
    }

    pub fn take_said(&self) -> Option<Says> {
        let now = self.clock.true_time();
        let mut said = self.said.lock().expect("unpoisoned");
        let key = *said.first_key_value()?.0;
        (key.0 <= now.0).then(|| said.remove(&key)).flatten()
    }

    /// It comes again, as nobody took it.
    pub fn says_again(&self, says: Says) {
        self.say(30_000, says);
    }

    pub fn process_gone(&self) {
        self.up.lock().expect("unpoisoned").clear();
    }

    pub fn rings(&self) -> Vec<AttemptId> {
        self.up.lock().expect("unpoisoned").iter().filter(|up| !up.is_fax).map(|up| up.attempt.clone()).collect()
    }

    fn goes_up(&self, attempt: AttemptId, is_fax: bool, tells: Vec<(i64, CallOutEvent)>, events: Events) {
        let now = self.clock.true_time();
        let tells = tells.into_iter().map(|(after, event)| (now.plus_secs(after), event)).collect();
        self.up.lock().expect("unpoisoned").push(Up { attempt, is_fax, tells, events });
    }
}

/// The edges as one life of the process has them: with its store.
pub struct Edge {
    pub store: Store,
    pub outside: Arc<Outside>,
}

pub fn edges(edge: &Arc<Edge>) -> Edges {
    Edges {
        mailer: edge.clone(),
        texter: edge.clone(),
        pager: edge.clone(),
        poster: edge.clone(),
        call_out: edge.clone(),
    }
}

impl Edge {
    /// Sends again what is kept and has its yes.
    pub async fn sends_after_yes(&self) {
        let kept = std::mem::take(&mut *self.outside.kept.lock().expect("unpoisoned"));
        for text in kept {
            let Some(id) = self.store.find_dispatch_of_attempt(&text.attempt).await.expect("read") else { continue };
            let state = self.store.find_dispatch(&id).await.expect("read").expect("there").state;
            if state.phase == Phase::Confirmed {
                self.outside.take(&self.store, &text.attempt, &text.body, None).await;
            } else {
                self.outside.kept.lock().expect("unpoisoned").push(text);
            }
        }
    }
}

impl Texter for Edge {
    fn send<'a>(&'a self, text: &'a TextMessage) -> Answer<'a> {
        if self.outside.breaks == Some(Breaks::AfterYes) {
            self.outside.kept.lock().expect("unpoisoned").push(text.clone());
        }
        Box::pin(self.outside.take(&self.store, &text.attempt, &text.body, Some(&text.to)))
    }
}

impl Mailer for Edge {
    fn send<'a>(&'a self, mail: &'a Mail) -> Answer<'a> {
        Box::pin(async move {
            let words = format!("{} {} {}", mail.subject, mail.body, mail.html.as_deref().unwrap_or_default());
            let taken = self.outside.take(&self.store, &mail.attempt, &words, None).await;
            if matches!(taken, Delivery::Accepted { .. }) {
                let mut rng = self.outside.chance(&mail.attempt);
                let attempt = mail.attempt.clone();
                let what = match rng.below(6) {
                    0 => {
                        let fate = Fate::Failed { status: "5.1.1".into(), for_good: true, said: None };
                        Some(Arrival::MailFate { attempt, fate, recipient: None })
                    }
                    1 => {
                        let fate = Fate::Delayed { status: "4.4.1".into() };
                        Some(Arrival::MailFate { attempt, fate, recipient: None })
                    }
                    2 | 3 => Some(Arrival::MailReply {
                        attempt,
                        from: mail.to.clone(),
                        subject: "Re".into(),
                        body: if rng.below(2) == 0 { "OK".into() } else { "who is this?".into() },
                    }),
                    _ => None,
                };
                if let Some(what) = what {
                    let id = format!("mail-{}", rng.next_u64());
                    self.outside.say(40_000, Says::Mail { id: id.clone(), what: what.clone() });
                    self.outside.say(50_000, Says::Mail { id, what });
                }
            }
            taken
        })
    }
}

impl Pager for Edge {
    fn page<'a>(&'a self, page: &'a Page) -> Answer<'a> {
        Box::pin(self.outside.take(&self.store, &page.attempt, &page.body, None))
    }
}

impl Poster for Edge {
    fn post<'a>(&'a self, _post: &'a Post) -> Answer<'a> {
        // What is posted twice is known by its name, and a client's own system may have everything.
        Box::pin(async { Delivery::Accepted { provider_id: None } })
    }
}

impl CallOut for Edge {
    fn place(&self, request: CallOutRequest, events: Events) {
        let mut rng = self.outside.chance(&request.attempt);
        if self.outside.is_killed() {
            return self.outside.dies.notify_one();
        }
        let ended = |end| CallOutEvent::Ended(end);
        let ring = i64::from(request.ring_secs);
        let tells = match rng.below(9) {
            0 => vec![(8, CallOutEvent::Answered), (40, CallOutEvent::Told), (41, ended(OutboundEnd::ToldOnly))],
            1 => vec![
                (8, CallOutEvent::Answered),
                (40, CallOutEvent::Told),
                (43, CallOutEvent::Confirmed),
                (44, ended(OutboundEnd::Confirmed)),
            ],
            2 => vec![(10, CallOutEvent::Answered), (50, ended(OutboundEnd::LeftOnMachine))],
            3 => vec![(2, ended(OutboundEnd::NotReached(Cause::Busy)))],
            4 => vec![(1, ended(OutboundEnd::NotReached(Cause::Unreachable)))],
            _ => vec![(ring, ended(OutboundEnd::NotReached(Cause::NoAnswer)))],
        };
        self.outside.goes_up(request.attempt, false, tells, events);
    }

    fn fax(&self, request: FaxRequest, events: Events) {
        let letter = &request.letter;
        let said = letter.answers.iter().map(|answer| &answer.words).chain(&letter.callback).chain(&letter.notes);
        let words: Vec<&str> = said.map(String::as_str).collect();
        self.outside.in_clear(&request.attempt, &words.join(" "));
        let tells = vec![(60, CallOutEvent::Faxed(FaxOutcome::Delivered { pages: 1 }))];
        self.outside.goes_up(request.attempt, true, tells, events);
    }

    fn offer(&self, _job: JobOffer, _events: Events) {
        // No operator takes it: it goes to the machine, or asks all desks.
    }

    fn cancel(&self, attempt: &AttemptId) {
        let mut up = self.outside.up.lock().expect("unpoisoned");
        if let Some(i) = up.iter().position(|up| up.attempt == *attempt) {
            let gone = up.remove(i);
            let event = if gone.is_fax {
                CallOutEvent::Faxed(FaxOutcome::Cancelled)
            } else {
                CallOutEvent::Ended(OutboundEnd::Cancelled)
            };
            let _ = gone.events.send((gone.attempt, event));
        }
    }
}
