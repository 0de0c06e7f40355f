//! Several messages in one text or email: what waited for its turn together ([`lanes`](crate::domain::dispatch::lanes)) and may leave
//! as one. Each is an attempt of its own dispatch, handed over and settled as any other.
//!
//! What always holds: all of it is committed as handed over before the provider is called, so that a crash finds each by itself, and
//! each goes at most once more, alone; what turns out not to fit (it has a voicemail, it has become protected or urgent, it would be
//! cut) goes by itself; the provider's name for the whole is that of each, so that what becomes of it becomes of all.

use std::pin::Pin;

use super::perform::{Flight, Papers, in_time};
use super::together::Asked;
use super::{Dispatcher, Settles};
use crate::base::failpoint::failpoint;
use crate::base::id::{AttemptId, DispatchId};
use crate::domain::dispatch::event::{Event, Failure};
use crate::domain::dispatch::reference;
use crate::domain::dispatch::state::{Address, Channel};
use crate::domain::message::render::joint::{self, Part};
use crate::domain::message::render::letter::{self, Facts};
use crate::io::deliver::{Delivery, Mail, TextMessage};
use crate::io::store::StoreError;

/// A message of several, and all that its words are made of.
type Member = (DispatchId, Papers);

impl Dispatcher {
    /// Starts attempts whose handing over is committed and that have one turn together. Does not wait for them.
    pub(super) fn perform_jointly(&self, members: Vec<Member>) {
        let (joined, alone): (Vec<Member>, Vec<Member>) =
            members.into_iter().partition(|(_, papers)| papers.may_join());
        alone.into_iter().for_each(|member| self.perform_alone(member));
        if joined.len() < 2 {
            return joined.into_iter().for_each(|member| self.perform_alone(member));
        }
        let flights = joined.iter().map(|(_, papers)| Flight::start(self, papers.attempt.id.clone())).collect();
        tokio::spawn(self.clone().fly_jointly(joined, flights));
    }

    fn perform_alone(&self, (id, papers): Member) {
        self.perform(id, papers.attempt.id.clone(), Some(papers));
    }

    /// Boxed, because a decision can start a flight and a flight ends in decisions.
    fn fly_jointly(self, members: Vec<Member>, flights: Vec<Flight>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let (mut members, alone) = self.without_sound(members).await;
            let written = write_out(&members);
            let rest = members.split_off(written.as_ref().map_or(0, |(_, fit)| *fit));
            // Begun before the flights of all land, so that whoever waits for those in the air waits for these as well.
            alone.into_iter().chain(rest).for_each(|member| self.perform_alone(member));
            let first = members.first().map(|(_, papers)| papers.attempt.id.clone());
            let Some(((written, _), first)) = written.zip(first) else { return drop(flights) };
            let delivery = self.deliver_jointly(&written, &members).await;
            let of = members.len();
            let asked = members.iter().map(|(id, papers)| {
                let event = ended(&delivery, papers.attempt.id.clone(), &first, of);
                Asked::new(id, event, Settles::Nothing)
            });
            let asked: Vec<Asked> = asked.collect();
            let ids: Vec<DispatchId> = members.iter().map(|(id, _)| id.clone()).collect();
            // Before the answers are stored, so that whatever has its turn now follows from them.
            members.iter().for_each(|(_, papers)| self.leave_lane(&papers.attempt.id));
            let answers = self.decide_all(asked).await;
            for (id, end) in ids.iter().zip(self.follow_answers(&ids, answers).await) {
                if let Err(error) = end {
                    // The guard of the attempt takes it up: it was handed over and has no answer.
                    tracing::error!(dispatch = %id, code = error.code(), "a result could not be stored");
                }
            }
            drop(flights);
        })
    }

    /// Emails with a voicemail are long by themselves.
    async fn without_sound(&self, members: Vec<Member>) -> (Vec<Member>, Vec<Member>) {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for member in members {
            let (_, papers) = &member;
            let sound = match self.inner.sounds.get().filter(|_| papers.attempt.channel == Channel::Email) {
                Some(sounds) => sounds.of(&papers.message, &papers.account).await,
                None => None,
            };
            if sound.is_some() { with.push(member) } else { without.push(member) }
        }
        (without, with)
    }

    async fn deliver_jointly(&self, written: &Written, members: &[Member]) -> Delivery {
        let edges = &self.inner.edges;
        let bad = || Delivery::Failed { failure: Failure::Permanent, why: "bad_address".to_owned() };
        let Some((_, Papers { attempt, account, .. })) = members.first() else { return bad() };
        let delivery = match (&attempt.address, written) {
            (Address::Phone(to), Written::Text(body)) => {
                let (attempt, own) = (attempt.id.clone(), account.own_numbers());
                let text = TextMessage { attempt, to: to.clone(), own, from: None, body: body.clone() };
                failpoint("text", "before_send");
                let delivery = in_time(edges.texter.send(&text)).await;
                failpoint("text", "after_send");
                delivery
            }
            (Address::Email(to), Written::Email { subject, body }) => {
                let mail = Mail {
                    attempt: attempt.id.clone(),
                    from_name: account.name.clone(),
                    to: to.clone(),
                    subject: subject.clone(),
                    body: body.clone(),
                    html: None,
                    attached: Vec::new(),
                    answers: None,
                };
                failpoint("email", "before_send");
                let delivery = in_time(edges.mailer.send(&mail)).await;
                failpoint("email", "after_send");
                delivery
            }
            // Only what has the same address and the same channel is joined.
            _ => bad(),
        };
        let (channel, count) = (attempt.channel.name(), u64::try_from(members.len()).unwrap_or(1));
        let result = match &delivery {
            Delivery::Accepted { .. } => "accepted",
            Delivery::Failed { why, .. } => {
                tracing::warn!(attempt = %attempt.id, channel, %why, count, "a delivery of several messages failed");
                "failed"
            }
        };
        metrics::counter!("cordboard_deliveries_total", "channel" => channel, "result" => result).increment(count);
        delivery
    }

    /// Other attempts that left in one with this one, whose fate is theirs.
    pub(super) async fn list_companions(
        &self,
        id: &DispatchId,
        attempt: &AttemptId,
    ) -> Result<Vec<(DispatchId, AttemptId)>, StoreError> {
        let read = self.inner.store.find_dispatch(id).await?;
        let own = read.as_ref().and_then(|read| read.state.find_attempt(attempt)).filter(|own| own.along.is_some());
        let Some(provider_id) = own.and_then(|own| own.provider_id.as_deref()) else { return Ok(Vec::new()) };
        let mut all = self.inner.store.list_attempts_of_provider(provider_id).await?;
        all.retain(|(_, other)| other != attempt);
        Ok(all)
    }
}

/// What is sent.
enum Written {
    Text(String),
    Email { subject: String, body: String },
}

/// The words of as many as fit, from the first on, and how many that is. None: fewer than two do.
fn write_out(members: &[Member]) -> Option<(Written, usize)> {
    let (_, Papers { account, attempt, .. }) = members.first().filter(|_| members.len() > 1)?;
    let references: Vec<String> = members.iter().map(|(id, _)| reference::of(id)).collect();
    let named = members.iter().map(|(_, papers)| papers).zip(&references);
    if attempt.channel == Channel::Text {
        let parts: Vec<Part<'_>> =
            named.map(|(papers, reference)| Part { message: &papers.message, reference }).collect();
        return joint::text(account, &parts).map(|(body, fit)| (Written::Text(body), fit));
    }
    let letters = named.map(|(papers, reference)| {
        let notes: Vec<String> = papers.outcome().into_iter().collect();
        let facts = Facts {
            message: &papers.message,
            account: &papers.account,
            call_type: papers.call_type(),
            notes: &notes,
            reference,
            confirm: false,
        };
        let (letter, _) = letter::write(&facts);
        (reference.as_str(), letter.text)
    });
    let (subject, body) = joint::email(account, &letters.collect::<Vec<_>>());
    Some((Written::Email { subject, body }, members.len()))
}

/// What became of one of them.
fn ended(delivery: &Delivery, attempt: AttemptId, first: &AttemptId, of: usize) -> Event {
    match delivery {
        Delivery::Accepted { provider_id } => Event::AcceptedAlong {
            attempt,
            // A name of ours where the provider has none, by which all are found again.
            provider_id: provider_id.clone().unwrap_or_else(|| format!("along:{first}")),
            along: first.clone(),
            of,
        },
        Delivery::Failed { failure, why } => Event::Failed { attempt, failure: *failure, why: why.clone() },
    }
}
