//! Several messages in one text or email: what waited for its turn together ([`lanes`](crate::domain::dispatch::lanes)) and may leave
//! as one. Each is an attempt of its own dispatch, handed over and settled as any other.
//!
//! What always holds: all of it is committed as handed over before the provider is called, so that a crash finds each by itself, and
//! each goes at most once more, alone; what turns out not to fit (it has become protected or urgent, it would be cut) goes by itself
//! at once, and what follows in its lane waits for that (`Apart`); the provider's name for the whole is that of each, so that what
//! becomes of it becomes of all.

use std::pin::Pin;

use super::perform::{Flight, Papers, failed, measure};
use super::together::Asked;
use super::{Dispatcher, Settles};
use crate::base::clock::UtcMs;
use crate::base::id::{AttemptId, DispatchId};
use crate::domain::dispatch::event::{Event, Failure};
use crate::domain::dispatch::reference;
use crate::domain::dispatch::state::{Address, Channel};
use crate::domain::message::render::joint::{self, Part};
use crate::domain::message::render::letter::{self, Facts};
use crate::io::deliver::{Delivery, Heard, Mail, TextMessage};
use crate::io::store::StoreError;

/// A message of several, in the air already.
struct Member {
    id: DispatchId,
    papers: Papers,
    flight: Flight,
}

impl Dispatcher {
    /// Starts attempts whose handing over is committed and that have one turn together. Does not wait for them.
    pub(super) fn perform_jointly(&self, members: Vec<(DispatchId, Papers)>) {
        let member = |(id, papers): (DispatchId, Papers)| {
            let flight = Flight::start(self, papers.attempt.id.clone());
            Member { id, papers, flight }
        };
        tokio::spawn(self.clone().fly_jointly(members.into_iter().map(member).collect()));
    }

    /// Boxed, because a decision can start a flight and a flight ends in decisions.
    fn fly_jointly(self, members: Vec<Member>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let (mut joined, mut apart): (Vec<Member>, Vec<Member>) =
                members.into_iter().partition(|member| member.papers.may_join());
            let written = write_out(&joined, self.inner.clock.utc());
            apart.extend(joined.split_off(written.as_ref().map_or(0, |(_, fit)| *fit)));
            for Member { id, papers, flight } in apart {
                self.leaves_apart(&papers.attempt.id);
                tokio::spawn(flight.fly(id, Some(papers)));
            }
            let Some(((written, _), first)) = written.zip(joined.first()) else { return };
            let first = first.papers.attempt.id.clone();
            // Whoever had the turn for all may be among those that went apart, or not wanted any more.
            self.leaves_apart(&first);
            let heard = self.deliver_jointly(&written, &joined).await;
            let of = joined.len();
            let asked = joined.iter().map(|Member { id, papers, .. }| {
                let event = ended(&heard, papers.attempt.id.clone(), &first, of);
                Asked::new(id, event, Settles::Nothing)
            });
            let asked: Vec<Asked> = asked.collect();
            let ids: Vec<DispatchId> = joined.iter().map(|member| member.id.clone()).collect();
            // Before the answers are stored, so that whatever has its turn now follows from them.
            joined.iter().for_each(|member| self.leave_lane(&member.papers.attempt.id));
            let answers = self.decide_all(asked).await;
            for (id, end) in ids.iter().zip(self.follow_answers(&ids, answers).await) {
                if let Err(error) = end {
                    // The guard of the attempt takes it up: it was handed over and has no answer.
                    tracing::error!(dispatch = %id, code = error.code(), "a result could not be stored");
                }
            }
            // All of them have landed, and not before.
            drop(joined);
        })
    }

    async fn deliver_jointly(&self, written: &Written, members: &[Member]) -> Heard {
        let bad = || Heard::from(Delivery::failed(Failure::Permanent, "bad_address"));
        let Some(Member { papers, .. }) = members.first() else { return bad() };
        let (attempt, account) = (&papers.attempt, &papers.account);
        let heard = match (&attempt.address, written) {
            (Address::Phone(to), Written::Text(body)) => {
                let (attempt, own) = (attempt.id.clone(), account.own_numbers());
                let text = TextMessage { attempt, to: to.clone(), own, from: None, body: body.clone() };
                self.send_text(&text).await
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
                self.send_mail(&mail).await
            }
            // Only what has the same address and the same channel is joined.
            _ => bad(),
        };
        measure(&heard.delivery, papers, u64::try_from(members.len()).unwrap_or(1));
        heard
    }

    /// Other attempts that left in one with this one, whose fate is theirs.
    pub(super) async fn list_companions(
        &self,
        id: &DispatchId,
        attempt: &AttemptId,
    ) -> Result<Vec<(DispatchId, AttemptId)>, StoreError> {
        let read = self.inner.store.find_dispatch(id).await?;
        let own = read.as_ref().and_then(|read| read.state.find_attempt(attempt));
        let named = own.and_then(|own| own.provider_id.as_deref().zip(own.along.as_ref()));
        let Some((provider_id, along)) = named else { return Ok(Vec::new()) };
        let mut all = self.inner.store.list_attempts_of_provider(provider_id).await?;
        all.retain(|(_, other)| other.id != *attempt && other.along.as_ref() == Some(along));
        Ok(all.into_iter().map(|(id, other)| (id, other.id)).collect())
    }
}

/// What is sent.
enum Written {
    Text(String),
    Email { subject: String, body: String },
}

/// The words of as many as fit, from the first on, and how many that is. None: fewer than two do.
fn write_out(members: &[Member], now: UtcMs) -> Option<(Written, usize)> {
    let Papers { account, attempt, .. } = &members.first().filter(|_| members.len() > 1)?.papers;
    let references: Vec<String> = members.iter().map(|member| reference::of(&member.id)).collect();
    let named = members.iter().map(|member| &member.papers).zip(&references);
    if attempt.channel == Channel::Text {
        let parts: Vec<Part<'_>> =
            named.map(|(papers, reference)| Part { message: &papers.message, reference }).collect();
        return joint::text(account, &parts, now).map(|(body, fit)| (Written::Text(body), fit));
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
fn ended(heard: &Heard, attempt: AttemptId, first: &AttemptId, of: usize) -> Event {
    match &heard.delivery {
        Delivery::Accepted { provider_id } => Event::AcceptedAlong {
            attempt,
            // A name of ours where the provider has none, by which all are found again.
            provider_id: provider_id.clone().unwrap_or_else(|| format!("along:{first}")),
            along: first.clone(),
            of,
        },
        Delivery::Failed { failure, why } => failed(attempt, *failure, why.clone(), heard.said.clone()),
    }
}
