//! The world outside a simulated house: edges that are down, slow, lying, doubled and out of order, people who answer or do not,
//! and all that will happen, in the order in which it will. Everything is drawn from the night's seed.

use std::collections::BTreeMap;

use cordboard::base::id::{AttemptId, InboxDeviceId, UserId};
use cordboard::base::rng::Rng;
use cordboard::domain::dispatch::event::{CallNews, Event, Failure};
use cordboard::domain::dispatch::fax::{FaxFault, FaxOutcome};
use cordboard::domain::dispatch::inbox::InboxNews;
use cordboard::domain::dispatch::job::{JobNews, JobOutcome};
use cordboard::domain::dispatch::mail::Fate;
use cordboard::domain::dispatch::patch_step::PatchEnd;
use cordboard::domain::dispatch::push::{DevicePush, PushAnswer};
use cordboard::domain::dispatch::state::{Attempt, CallOutcome, Channel, State};

use crate::house::What;
use crate::judge::Judge;
use crate::night::Act;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

/// What is wrong with an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Down,
    Slow,
    Lying,
    Doubled,
}

#[derive(Clone, Debug)]
pub enum Happens {
    /// A provider answers what this start of the process gave it. Falls with the process.
    Answer {
        boot: u32,
        attempt: AttemptId,
        event: Event,
    },
    /// A call or a job of this start tells something. Falls with the process.
    News {
        boot: u32,
        attempt: AttemptId,
        event: Event,
    },
    /// Something from outside, which comes again until it is taken.
    Comes {
        name: String,
        what: What,
    },
    Act(Act),
}

pub struct Outside {
    queue: BTreeMap<(i64, u64), Happens>,
    count: u64,
    /// Channel, from and until when, and what is wrong.
    edges: Vec<(Channel, i64, i64, Mode)>,
}

/// One of these.
pub fn one_of<T: Clone>(rng: &mut Rng, all: &[T]) -> T {
    let n = u64::try_from(all.len()).expect("small");
    all[usize::try_from(rng.below(n)).expect("small")].clone()
}

/// Milliseconds between these seconds.
pub fn between(rng: &mut Rng, from_secs: i64, until_secs: i64) -> i64 {
    let span = u64::try_from((until_secs - from_secs) * SECOND).expect("in order");
    from_secs * SECOND + i64::try_from(rng.below(span)).expect("small")
}

impl Outside {
    pub fn new(rng: &mut Rng) -> Self {
        use Channel::{Call, Email, Fax, Pager, Push, Text, Webhook};
        let mut edges = Vec::new();
        for channel in [Text, Email, Call, Pager, Push, Webhook, Fax] {
            for _ in 0..rng.below(3) {
                let from = between(rng, 0, 5 * 3_600);
                let until = from + between(rng, 300, 4_000);
                edges.push((channel, from, until, one_of(rng, &[Mode::Down, Mode::Slow, Mode::Lying, Mode::Doubled])));
            }
        }
        Self { queue: BTreeMap::new(), count: 0, edges }
    }

    pub fn at(&mut self, ms: i64, happens: Happens) {
        self.count += 1;
        self.queue.insert((ms, self.count), happens);
    }

    pub fn next_at(&self) -> Option<i64> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    pub fn take_due(&mut self, ms: i64) -> Option<Happens> {
        let (at, n) = *self.queue.first_key_value()?.0;
        (at <= ms).then(|| self.queue.remove(&(at, n))).flatten()
    }

    /// What the process waited for, and its calls, are gone with it.
    pub fn process_gone(&mut self, boot: u32) {
        self.queue.retain(|_, happens| match happens {
            Happens::Answer { boot: own, .. } => *own != boot,
            Happens::News { boot: own, event, .. } => *own != boot || is_said_at_the_front_door(event),
            Happens::Comes { .. } | Happens::Act(_) => true,
        });
    }

    /// A call, a fax or a job is not wanted any more.
    pub fn take_back(&mut self, now: i64, boot: u32, attempt: &AttemptId) {
        let of_it = |happens: &Happens| matches!(happens, Happens::News { attempt: own, .. } if own == attempt);
        let keys: Vec<(i64, u64)> =
            self.queue.iter().filter(|(_, happens)| of_it(happens)).map(|(key, _)| *key).collect();
        let gone: Vec<Happens> = keys.iter().filter_map(|key| self.queue.remove(key)).collect();
        let Some(Happens::News { event, .. }) = gone.first() else { return };
        let attempt = attempt.clone();
        let event = match event {
            Event::Faxed { .. } => Event::Faxed { attempt: attempt.clone(), outcome: FaxOutcome::Cancelled },
            Event::Job { .. } => Event::Job { attempt: attempt.clone(), news: JobNews::Dropped },
            _ => Event::Call { attempt: attempt.clone(), news: CallNews::Ended(CallOutcome::Cancelled) },
        };
        self.at(now + 200, Happens::News { boot, attempt, event });
    }

    fn mode(&self, rng: &mut Rng, start: i64, now: i64, channel: Channel) -> Option<Mode> {
        let since = now - start;
        let bad = self.edges.iter().find(|(own, from, until, _)| *own == channel && (*from..*until).contains(&since));
        bad.map(|(.., mode)| *mode).filter(|_| rng.below(5) > 0)
    }

    fn name(&mut self) -> String {
        self.count += 1;
        format!("in-{}", self.count)
    }

    /// Comes from outside at that time, and once more under the same name where edges double.
    fn comes(&mut self, at: i64, doubled: bool, what: What) {
        let name = self.name();
        if doubled {
            self.at(at + 2 * SECOND, Happens::Comes { name: name.clone(), what: what.clone() });
        }
        self.at(at, Happens::Comes { name, what });
    }

    /// An edge is given this attempt.
    pub fn takes(&mut self, now: i64, boot: u32, rng: &mut Rng, judge: &mut Judge, state: &State, a: &Attempt) {
        let mode = self.mode(rng, crate::night::START_MS, now, a.channel);
        if a.job.is_some() {
            return self.desks(now, boot, rng, a);
        }
        match a.channel {
            Channel::Call => self.dials(now, boot, rng, a, mode),
            Channel::Fax => self.faxes(now, boot, rng, judge, a, mode),
            Channel::Push => self.pushes(now, boot, rng, judge, a, mode),
            Channel::Text | Channel::Email | Channel::Pager | Channel::Webhook => {
                self.letters(now, boot, rng, judge, state, a, mode);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one hand-over and all that it depends on")]
    fn letters(
        &mut self,
        now: i64,
        boot: u32,
        rng: &mut Rng,
        judge: &mut Judge,
        state: &State,
        a: &Attempt,
        mode: Option<Mode>,
    ) {
        let (attempt, doubled) = (a.id.clone(), mode == Some(Mode::Doubled));
        let failed = |failure, why: &str| Event::Failed { attempt: attempt.clone(), failure, why: why.to_owned() };
        let taken = || Event::Accepted { attempt: attempt.clone(), provider_id: None };
        let (arrives, answer) = match mode {
            Some(Mode::Down) => (false, Some((between(rng, 0, 2), failed(Failure::Temporary, "down")))),
            Some(Mode::Slow) if rng.below(2) == 0 => {
                judge.in_doubt(&a.id, "");
                (true, Some((45 * SECOND, failed(Failure::Unknown, "timeout"))))
            }
            Some(Mode::Slow) => (true, Some((between(rng, 5, 44), taken()))),
            Some(Mode::Lying) => match rng.below(3) {
                // Says that it has it, and has not; that it has not, and has; or nothing at all.
                0 => (false, Some((300, taken()))),
                1 => {
                    judge.excuse(&a.id);
                    (true, Some((300, failed(Failure::Temporary, "liar"))))
                }
                _ => {
                    judge.in_doubt(&a.id, "");
                    (true, None)
                }
            },
            _ if rng.below(40) == 0 => (false, Some((300, failed(Failure::Permanent, "no_such_number")))),
            _ => (true, Some((between(rng, 0, 1), taken()))),
        };
        if let Some((after, event)) = answer {
            self.at(now + after, Happens::Answer { boot, attempt: a.id.clone(), event });
        }
        if !arrives {
            return;
        }
        if a.channel != Channel::Webhook {
            // A client's system knows a post by its name if it comes again.
            judge.arrives(&a.id, "");
        }
        match a.channel {
            Channel::Text => self.is_texted(now, rng, a, doubled),
            Channel::Email => self.is_mailed(now, rng, state, a, doubled),
            _ => {}
        }
    }

    /// An edge is given several in one: what becomes of that becomes of each. `answered`: of so many the house hears it.
    pub fn takes_jointly(
        &mut self,
        now: i64,
        boot: u32,
        rng: &mut Rng,
        judge: &mut Judge,
        members: &[(State, Attempt)],
        answered: usize,
    ) {
        let Some((_, first)) = members.first() else { return };
        let mode = self.mode(rng, crate::night::START_MS, now, first.channel);
        // When it answers, and what it says if it has not taken them; whether they arrive, and whether the house is sure of it.
        let (after, failed, arrives, is_sure) = match mode {
            Some(Mode::Down) => (Some(SECOND), Some((Failure::Temporary, "down")), false, true),
            Some(Mode::Slow) => (Some(45 * SECOND), Some((Failure::Unknown, "timeout")), true, false),
            Some(Mode::Lying) => (None, None, true, false),
            Some(Mode::Doubled) | None => (Some(between(rng, 0, 1)), None, true, true),
        };
        for (n, (state, a)) in members.iter().enumerate() {
            let attempt = a.id.clone();
            if !is_sure {
                judge.in_doubt(&attempt, "");
            }
            if let Some(after) = after.filter(|_| n < answered) {
                let event = match failed {
                    Some((failure, why)) => Event::Failed { attempt: attempt.clone(), failure, why: why.to_owned() },
                    None => Event::AcceptedAlong {
                        attempt: attempt.clone(),
                        provider_id: format!("along:{}", first.id),
                        along: first.id.clone(),
                        of: members.len(),
                    },
                };
                self.at(now + after, Happens::Answer { boot, attempt: attempt.clone(), event });
            }
            if !arrives {
                continue;
            }
            judge.arrives(&attempt, "");
            let doubled = mode == Some(Mode::Doubled);
            match a.channel {
                Channel::Text => self.is_texted(now, rng, a, doubled),
                Channel::Email => self.is_mailed(now, rng, state, a, doubled),
                _ => {}
            }
        }
    }

    fn is_texted(&mut self, now: i64, rng: &mut Rng, a: &Attempt, doubled: bool) {
        // A receipt may overtake the answer of the same provider.
        let receipt = if rng.below(10) == 0 { 0 } else { between(rng, 1, 8) };
        let delivered = Event::Delivered { attempt: a.id.clone() };
        if rng.below(4) > 0 {
            self.comes(now + receipt, doubled, What::About { attempt: a.id.clone(), event: delivered });
        } else if rng.below(10) == 0 {
            let event = Event::Failed { attempt: a.id.clone(), failure: Failure::Permanent, why: "undelivered".into() };
            self.comes(now + receipt, doubled, What::About { attempt: a.id.clone(), event });
        }
        let (Some(number), Some(code)) = (a.address.phone().cloned(), a.code) else { return };
        let mut says = |at: i64, body: String| {
            self.comes(now + at, doubled, What::Text { from: number.clone(), body });
        };
        match rng.below(18) {
            0 | 1 => says(between(rng, 10, 600), format!("{code}ok")),
            2 => says(between(rng, 1_200, 4_200), format!("{code} OK.")),
            3 => {
                says(between(rng, 10, 300), format!("{code}ok"));
                says(between(rng, 301, 900), format!("{code}ok"));
            }
            4 => says(between(rng, 10, 300), "99ok".into()),
            5 | 6 => says(between(rng, 10, 300), "ok".into()),
            7 => says(between(rng, 10, 300), "on my way".into()),
            8 => {
                says(between(rng, 10, 300), "STOP".into());
                says(between(rng, 900, 3_600), "START".into());
            }
            9 => says(between(rng, 10, 300), "yes".into()),
            _ => {}
        }
    }

    fn is_mailed(&mut self, now: i64, rng: &mut Rng, state: &State, a: &Attempt, doubled: bool) {
        let fate = |fate| What::About { attempt: a.id.clone(), event: Event::Mail { attempt: a.id.clone(), fate } };
        match rng.below(12) {
            0 => self.comes(
                now + between(rng, 2, 200),
                doubled,
                fate(Fate::Failed { status: "5.1.1".into(), for_good: true, said: None }),
            ),
            1 => {
                for n in 0..6 {
                    self.comes(now + n * 15 * MINUTE + 1, doubled, fate(Fate::Delayed { status: "4.4.1".into() }));
                }
            }
            2 => self.comes(now + between(rng, 2, 200), doubled, fate(Fate::Delivered)),
            3..=5 => {
                let words = one_of(rng, &["ok", "OK", "1ok", "who is this?"]).to_owned();
                let at = now + between(rng, 60, 2_000);
                let yes = state.is_yes_by_mail(&a.id, &words);
                let attempt = a.id.clone();
                let event = if yes {
                    Event::MailYes { attempt }
                } else {
                    Event::WroteMail { attempt, from: "ben@example.com".to_owned().into(), words: words.into() }
                };
                self.comes(at, doubled, What::About { attempt: a.id.clone(), event: event.clone() });
                if rng.below(2) == 0 {
                    self.comes(at + MINUTE, doubled, What::About { attempt: a.id.clone(), event });
                }
            }
            _ => {}
        }
    }

    fn dials(&mut self, now: i64, boot: u32, rng: &mut Rng, a: &Attempt, mode: Option<Mode>) {
        let attempt = a.id.clone();
        let mut news = |at: i64, news: CallNews| {
            let event = Event::Call { attempt: attempt.clone(), news };
            self.at(now + at, Happens::News { boot, attempt: attempt.clone(), event });
        };
        let ring = i64::from(a.ring_secs) * SECOND;
        if mode == Some(Mode::Down) {
            return news(SECOND, one_of(rng, &[CallNews::NoTrunk, CallNews::Limited]));
        }
        if mode == Some(Mode::Lying) && rng.below(3) == 0 {
            // Nothing is ever heard of it.
            return;
        }
        let (up, over) = (between(rng, 2, 20), between(rng, 30, 90));
        let ended = CallNews::Ended;
        match rng.below(16) {
            0..=6 => news(ring, ended(CallOutcome::NoAnswer)),
            7 => news(2 * SECOND, ended(CallOutcome::Busy)),
            8 => {
                news(up, CallNews::Answered);
                news(over, ended(CallOutcome::LeftOnMachine));
            }
            9 => {
                news(up, CallNews::Answered);
                news(over, ended(one_of(rng, &[CallOutcome::Silent, CallOutcome::Fax, CallOutcome::NotAccepted])));
            }
            10 => news(up, ended(CallOutcome::Declined)),
            11 => {
                news(up, CallNews::Answered);
                news(over - SECOND, CallNews::Told);
                news(over, ended(CallOutcome::ToldOnly));
            }
            12 => {
                news(up, CallNews::Answered);
                news(over - 2 * SECOND, CallNews::Told);
                news(over - SECOND, CallNews::Joined);
                news(over + 5 * MINUTE, CallNews::Parted { secs: 300 });
                news(over + 6 * MINUTE, ended(CallOutcome::ToldOnly));
            }
            13 => {
                news(up, CallNews::Answered);
                news(over - SECOND, CallNews::Told);
                news(over, CallNews::NotJoined(PatchEnd::NoAnswer));
                news(over + SECOND, CallNews::Confirmed);
                news(over + 2 * SECOND, ended(CallOutcome::Confirmed));
            }
            14 => news(up, one_of(rng, &[CallNews::WrongNumber, CallNews::Blocked, CallNews::Forbidden])),
            _ => {
                news(up, CallNews::Answered);
                news(over - SECOND, CallNews::Told);
                news(over, CallNews::Confirmed);
                news(over + SECOND, ended(CallOutcome::Confirmed));
            }
        }
    }

    /// A job is on the desks.
    fn desks(&mut self, now: i64, boot: u32, rng: &mut Rng, a: &Attempt) {
        let attempt = a.id.clone();
        let by = UserId::named(one_of(rng, &["kim", "lee"]));
        let mut news = |at: i64, news: JobNews| {
            let event = Event::Job { attempt: attempt.clone(), news };
            self.at(now + at, Happens::News { boot, attempt: attempt.clone(), event });
        };
        let name = "Kim".to_owned();
        let taken = between(rng, 2, 55);
        match rng.below(5) {
            0 => {}
            1 => {
                news(taken, JobNews::Taken { by: by.clone(), name });
                news(taken + 20 * SECOND, JobNews::Freed { by });
            }
            _ => {
                let whom = || "Ben".to_owned();
                let all = [
                    JobOutcome::Told { name: whom() },
                    JobOutcome::Confirmed { name: whom() },
                    JobOutcome::Refused,
                    JobOutcome::LeftOnVoicemail,
                    JobOutcome::NoAnswer,
                    JobOutcome::WrongNumber,
                ];
                let outcome = one_of(rng, &all);
                news(taken, JobNews::Taken { by: by.clone(), name: name.clone() });
                news(taken + 10 * SECOND, JobNews::Answered { by: by.clone() });
                news(taken + between(rng, 20, 120), JobNews::Done { by, name, outcome });
            }
        }
    }

    fn faxes(&mut self, now: i64, boot: u32, rng: &mut Rng, judge: &mut Judge, a: &Attempt, mode: Option<Mode>) {
        let failed = |why| FaxOutcome::Failed { why, confirmed: 0, pages: 1 };
        let outcome = match mode {
            Some(Mode::Down) => failed(FaxFault::NoTrunk),
            Some(Mode::Lying) if rng.below(2) == 0 => return,
            _ => one_of(
                rng,
                &[
                    FaxOutcome::Delivered { pages: 1 },
                    FaxOutcome::Delivered { pages: 1 },
                    failed(FaxFault::Busy),
                    failed(FaxFault::NoAnswer),
                    failed(FaxFault::LineLost),
                    failed(FaxFault::WrongNumber),
                ],
            ),
        };
        if matches!(outcome, FaxOutcome::Delivered { .. }) {
            judge.arrives(&a.id, "");
        }
        let event = Event::Faxed { attempt: a.id.clone(), outcome };
        self.at(now + between(rng, 20, 90), Happens::News { boot, attempt: a.id.clone(), event });
    }

    fn pushes(&mut self, now: i64, boot: u32, rng: &mut Rng, judge: &mut Judge, a: &Attempt, mode: Option<Mode>) {
        let mut answers = Vec::new();
        let mut there = false;
        for name in ["phone", "tablet", "watch"] {
            let device = InboxDeviceId::named(name);
            // As the edge does: whom it reached is not asked again, nor what is gone for good.
            if !a.goes_to(&device) {
                continue;
            }
            let failed = |failure| PushAnswer::Failed { failure, why: "x".into() };
            let (arrives, answer) = match (mode, rng.below(10)) {
                // One service is down, the other may not be.
                (Some(Mode::Down), 0..=5) => (false, failed(Failure::Temporary)),
                (Some(Mode::Lying), 0..=4) | (_, 9) => (true, failed(Failure::Unknown)),
                (_, 8) => (false, failed(Failure::Permanent)),
                _ => (true, PushAnswer::Taken),
            };
            if matches!(answer, PushAnswer::Failed { failure: Failure::Unknown, .. }) {
                judge.in_doubt(&a.id, name);
            }
            if arrives {
                judge.arrives(&a.id, name);
                there = true;
            }
            answers.push(DevicePush { device, name: name.to_owned(), answer, tries: 0 });
        }
        let attempt = a.id.clone();
        let event = if answers.is_empty() {
            Event::Failed { attempt, failure: Failure::Permanent, why: "no_device".into() }
        } else {
            Event::Pushed { attempt, answers }
        };
        self.at(now + 300, Happens::Answer { boot, attempt: a.id.clone(), event });
        if there && rng.below(3) == 0 {
            let at = now + between(rng, 20, 900);
            let mut says = |at: i64, news: InboxNews| {
                let event = Event::Inbox { attempt: a.id.clone(), news };
                self.comes(at, mode == Some(Mode::Doubled), What::About { attempt: a.id.clone(), event });
            };
            says(at, InboxNews::Read { edition: 1 });
            if rng.below(2) == 0 {
                says(at + 20 * SECOND, InboxNews::Confirmed { edition: 1 });
            }
        }
    }
}

/// What came of a call is said by the operator, whatever became of the process in which the job was.
fn is_said_at_the_front_door(event: &Event) -> bool {
    matches!(event, Event::Job { news: JobNews::Done { .. }, .. })
}
