//! Drives the lanes: puts in line what is ready, hands over what has its turn, and lets it leave when it is over.
//!
//! Decides nothing: [`domain::dispatch::lanes`](crate::domain::dispatch::lanes) does. Whoever has committed a decision tells the
//! lanes of it and hands over what has its turn by then, the loop the rest. What always holds: nothing waits here alone. What is
//! lost with the process, or with an error of the store, is planned on disk and is put in line again by its timer.

use std::collections::{HashMap, HashSet};
use std::sync::{MutexGuard, PoisonError};

use super::together::Latest;
use super::{BATCH, Dispatcher, Settles};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, AttemptId, DispatchId, MessageId};
use crate::base::phone::PhoneNumber;
use crate::domain::dispatch::event::{Effect, Event};
use crate::domain::dispatch::lanes::{Input, Lane, Lanes, Named, Rates, Ready};
use crate::domain::dispatch::state::{Address, Attempt, Channel, State};
use crate::domain::message::voicemail::is_spoken;

/// Said to wait in one go: what is due is looked at in between.
const SHOWN_AT_ONCE: usize = 32;

/// What follows from handing over, and from which states.
type Handed = (Vec<(DispatchId, Effect)>, Latest);

impl Dispatcher {
    /// How fast what leaves may leave; as fast as it comes, unless told. Once, before anything is dispatched.
    pub fn paced_by(&self, rates: Rates) {
        *self.lanes() = Lanes::new(rates);
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.inner.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_lanes(&self, input: Input) {
        let now = self.inner.clock.utc();
        self.lanes().handle(now, input);
    }

    pub(super) fn is_in_lane(&self, attempt: &AttemptId) -> bool {
        self.lanes().has(attempt)
    }

    /// When something may have its turn next.
    pub(super) fn next_turn(&self) -> Option<UtcMs> {
        self.lanes().poll_timeout().map(|(at, _)| at)
    }

    /// Whoever had it has answered.
    pub(super) fn leave_lane(&self, attempt: &AttemptId) {
        self.tell_lanes(Input::Over(attempt.clone()));
    }

    /// It leaves by itself, or as the first of those that do leave in one, though it has its turn with others.
    pub(super) fn leaves_apart(&self, attempt: &AttemptId) {
        self.tell_lanes(Input::Apart(attempt.clone()));
    }

    /// What decisions that are committed put in line, and what they take out.
    pub(super) async fn line_up(&self, decided: &[(&State, &[Effect])]) {
        let (mut own_numbers, mut ready) = (HashMap::new(), Vec::new());
        for (after, effects) in decided {
            for effect in *effects {
                let Effect::Hand(attempt) = effect else { continue };
                // An operator's call waits on the desks, and is nobody's line.
                if let Some(attempt) = after.find_attempt(attempt).filter(|a| a.job.is_none()) {
                    let provider = self.provider_of(after, attempt, &mut own_numbers).await;
                    ready.push((&after.message, Ready::of(after, attempt, provider)));
                }
            }
            let all = || after.attempts.iter();
            let waiting = all().filter(|a| after.is_ready(a)).map(|a| (a.id.clone(), Lane::of(after, a)));
            let under_way = all().filter(|a| a.in_flight_since.is_some()).map(|a| a.id.clone());
            self.tell_lanes(Input::Dispatch {
                id: after.id.clone(),
                waiting: waiting.collect(),
                under_way: under_way.collect(),
            });
        }
        // Whoever is told of first may have the last place that is free.
        ready.sort_by_key(|(_, ready): &(&MessageId, Ready)| ready.lane);
        let mut mails = Vec::new();
        for (message, mut ready) in ready {
            if ready.edge.channel == Channel::Email
                && let Some(account) = ready.joins.take()
            {
                mails.push((message.clone(), ready.attempt.clone(), account));
            }
            self.tell_lanes(Input::Ready(ready));
        }
        self.let_mails_join(mails).await;
    }

    /// Emails that wait may leave in one with others, but for those about voicemails, which are long by themselves, and those of
    /// which it cannot be read now.
    async fn let_mails_join(&self, mut mails: Vec<(MessageId, AttemptId, AccountId)>) {
        mails.retain(|(_, attempt, _)| self.lanes().is_waiting(attempt));
        if mails.is_empty() {
            return;
        }
        let asked: Vec<MessageId> = mails.iter().map(|(message, ..)| message.clone()).collect();
        let found = self.inner.store.find_messages(&asked).await.unwrap_or_default();
        let written: HashSet<MessageId> =
            found.into_iter().filter(|message| !is_spoken(message)).map(|message| message.id).collect();
        for (message, attempt, account) in mails {
            if written.contains(&message) {
                self.tell_lanes(Input::Joins(attempt, account));
            }
        }
    }

    /// By which of several providers it leaves. `own_numbers`: of the accounts that were asked about before.
    async fn provider_of(
        &self,
        state: &State,
        attempt: &Attempt,
        own_numbers: &mut HashMap<AccountId, Vec<PhoneNumber>>,
    ) -> Option<String> {
        match (&attempt.address, attempt.channel) {
            (Address::Pager(pager), _) => Some(pager.carrier().to_owned()),
            (Address::Webhook(name), _) => Some(name.clone()),
            (Address::Phone(_), Channel::Text) => {
                let texter = &self.inner.edges.texter;
                let first = texter.pick_provider(&[])?;
                if !own_numbers.contains_key(&state.account) {
                    // What cannot be read now is asked for again when it is handed over.
                    let Ok(Some(account)) = self.inner.store.find_account(&state.account).await else {
                        return Some(first);
                    };
                    own_numbers.insert(state.account.clone(), account.own_numbers());
                }
                texter.pick_provider(&own_numbers[&state.account])
            }
            _ => None,
        }
    }

    /// Does what has come to be due in the lanes.
    pub(super) async fn serve_lanes(&self) {
        self.tell_lanes(Input::Due);
        self.follow_all(Vec::new(), Latest::new()).await;
        for _ in 0..SHOWN_AT_ONCE {
            let now = self.inner.clock.utc();
            let held = self.lanes().poll_held(now);
            let Some(Named { dispatch, attempt, .. }) = held else { return };
            self.strike();
            if let Err(error) = self.decide(&dispatch, &Event::Queued { attempt }, Settles::Nothing).await {
                // It waits all the same, and its timer looks after it.
                tracing::error!(%dispatch, code = error.code(), "an attempt that waits cannot be shown");
            }
        }
    }

    /// What follows from those who have their turn: as many as a commit has room for; and which of them have it together, by the
    /// first of each. None: nobody has.
    pub(super) async fn take_turns(&self) -> Option<(Handed, HashMap<AttemptId, AttemptId>)> {
        let next: Vec<Named> = {
            let mut lanes = self.lanes();
            std::iter::from_fn(|| lanes.poll_output()).take(BATCH as usize).collect()
        };
        if next.is_empty() {
            return None;
        }
        self.strike();
        let joined = next.iter().filter_map(|named| Some((named.attempt.clone(), named.along.clone()?))).collect();
        let next = next.into_iter().map(|Named { dispatch, attempt, .. }| (dispatch, attempt)).collect();
        Some((self.hand_all(next).await, joined))
    }

    /// It had its turn and was not handed over.
    pub(super) fn not_handed(&self, attempt: AttemptId) {
        self.tell_lanes(Input::NotHanded(attempt));
    }

    /// How much waits, and for how long.
    pub(super) fn measure_lanes(&self, now: UtcMs) {
        let figures = self.lanes().figures();
        for lane in figures {
            let waiting = u32::try_from(lane.waiting).unwrap_or(u32::MAX);
            let oldest = lane.oldest.map_or(0, |due| now.since(due).max(0));
            let oldest = u32::try_from(oldest).unwrap_or(u32::MAX);
            let (edge, lane) = (lane.edge, lane.lane.name());
            metrics::gauge!("cordboard_lane_waiting", "edge" => edge.clone(), "lane" => lane).set(waiting);
            metrics::gauge!("cordboard_lane_oldest_ms", "edge" => edge, "lane" => lane).set(oldest);
        }
    }
}
