//! The figures of today, live: counts what calls tell, shows each change to the consoles, begins anew at midnight.
//!
//! After a start they are counted anew from the call records, once; after that the store is not asked. What always holds:
//! consoles learn of a change by the feed, and whoever asks gets what was shown last.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::AccountId;
use crate::config::Board;
use crate::domain::call::event::RecordEvent;
use crate::domain::figures::{CallTally, Fact, Figures, Lost, Today, midnight};
use crate::engine::feed::{AccountFigures, Feed, FeedEvent, FiguresView};
use crate::io::store::calls::CallOfDay;
use crate::io::store::{Store, StoreError};

/// Between two looks at the clock, which may be set meanwhile, and at the forms that operators have left unfinished.
const LOOK: Duration = Duration::from_secs(15);
/// The farthest two zones' midnights are apart, so that no account's day begins before it.
const ZONES_APART_MS: i64 = 26 * 3_600_000;

/// The way to the figures. Cheap to clone.
#[derive(Clone)]
pub struct FiguresHandle {
    today: Arc<Mutex<Today>>,
    promise: Board,
    clock: SharedClock,
    feed: Feed,
}

impl FiguresHandle {
    /// Nobody has called yet.
    pub fn new(promise: Board, clock: SharedClock, feed: Feed) -> Self {
        let today = Today::new(&promise.zone, promise.answer_within_secs, clock.utc());
        Self { today: Arc::new(Mutex::new(today)), promise, clock, feed }
    }

    /// Counts the calls on record of today, of whatever account's. Before calls are taken in.
    pub async fn recount(&self, store: &Store) -> Result<(), StoreError> {
        let (now, since) = (self.clock.utc(), self.earliest());
        let zones: std::collections::HashMap<_, _> =
            store.list_accounts().await?.into_iter().map(|account| (account.id, account.zone)).collect();
        for call in store.list_calls_of_day(since).await? {
            let zone = zones.get(&call.account).map_or("UTC", String::as_str);
            for fact in facts_of(&call, now) {
                self.lock().count(now, &call.account, zone, call.started_at, fact);
            }
        }
        let forms = self.forms(store).await?;
        self.lock().set_forms(&forms);
        Ok(())
    }

    /// Counts what a call told.
    pub fn count(&self, account: &AccountId, zone: &str, started_at: UtcMs, facts: Vec<Fact>) {
        if facts.is_empty() {
            return;
        }
        let now = self.clock.utc();
        let change = {
            let mut today = self.lock();
            for fact in facts {
                today.count(now, account, zone, started_at, fact);
            }
            let accounts = today.account(account).map(|figures| of(account, figures)).into_iter().collect();
            FiguresView { service: today.service().clone(), zone: self.promise.zone.clone(), accounts }
        };
        self.feed.publish(FeedEvent::Figures { figures: change });
    }

    /// Everything, as of now.
    pub fn view(&self) -> FiguresView {
        let mut today = self.lock();
        today.roll(self.clock.utc());
        view(&today, &self.promise.zone)
    }

    /// How soon after the INVITE an operator is promised.
    pub const fn answer_within_secs(&self) -> u32 {
        self.promise.answer_within_secs
    }

    /// Begins each day anew and looks at the forms that were left unfinished, for as long as the service runs.
    pub async fn keep(self, store: Store) {
        loop {
            let left = self.lock().poll_timeout().since(self.clock.utc()).max(0).unsigned_abs();
            tokio::time::sleep(Duration::from_millis(left).min(LOOK)).await;
            let forms = self.forms(&store).await;
            let fresh = {
                let mut today = self.lock();
                let rolled = today.roll(self.clock.utc());
                // While the store is away, what was counted last stands.
                let changed = forms.is_ok_and(|forms| today.set_forms(&forms));
                (rolled || changed).then(|| view(&today, &self.promise.zone))
            };
            if let Some(figures) = fresh {
                self.feed.publish(FeedEvent::Figures { figures });
            }
        }
    }

    /// Whose form was begun and not finished, of whatever account's today.
    async fn forms(&self, store: &Store) -> Result<Vec<(AccountId, UtcMs)>, StoreError> {
        store.list_forms_left(self.earliest()).await
    }

    /// When the first of today's days began, of whatever zone's.
    fn earliest(&self) -> UtcMs {
        midnight(&self.promise.zone, self.clock.utc()).plus_ms(-ZONES_APART_MS)
    }

    fn lock(&self) -> MutexGuard<'_, Today> {
        self.today.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of(account: &AccountId, figures: &Figures) -> AccountFigures {
    AccountFigures { account: account.clone(), figures: figures.clone() }
}

fn view(today: &Today, zone: &str) -> FiguresView {
    let accounts = today.accounts().map(|(account, figures)| of(account, figures)).collect();
    FiguresView { service: today.service().clone(), zone: zone.to_owned(), accounts }
}

/// What a call on record told while it was up. One without an end was cut off by a crash: `now` is the start after it.
fn facts_of(call: &CallOfDay, now: UtcMs) -> Vec<Fact> {
    let (started_at, mut tally) = (call.started_at, CallTally::default());
    let mut facts = vec![Fact::Offered];
    // Who was taken over by somebody rung by the machine waited for no operator; one who came later was none to them.
    let accepted_at = call.accepted_at.filter(|at| call.talking_at.is_none_or(|talking_at| *at <= talking_at));
    facts.extend(accepted_at.map(|at| tally.note(started_at, at, &RecordEvent::PatchAccepted)).unwrap_or_default());
    facts.extend(call.talking_at.and_then(|at| tally.answered(started_at, at)));
    facts.extend(call.dropped_at.and_then(|at| tally.talked(at)));
    if let Some(event) = &call.abandoned {
        facts.extend(tally.note(started_at, call.started_at, event));
    }
    let ended_at = call.ended_at.unwrap_or(now);
    match &call.ended {
        Some(event) => facts.extend(tally.note(started_at, ended_at, event)),
        // What the machine had no chance to say.
        None => facts.extend(tally.ended(started_at, ended_at, Some(Lost::CutOff))),
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::UserId;
    use crate::domain::call::abandoned::Abandoned;
    use crate::domain::call::cause::Cause;
    use crate::domain::call::event::{CallOutcome, Stage};

    /// 2026-03-07T02:00:00Z.
    const NOW: UtcMs = UtcMs(1_772_848_800_000);

    /// A call as the store reads it off the lines of its record.
    fn on_record(lines: &[(i64, RecordEvent)]) -> CallOfDay {
        let first = |wanted: fn(&RecordEvent) -> bool| {
            let line = lines.iter().find(|(_, event)| wanted(event));
            line.map(|(secs, event)| (NOW.plus_secs(*secs), event.clone()))
        };
        let ended = first(|event| matches!(event, RecordEvent::Ended { .. }));
        CallOfDay {
            account: AccountId::named("plumbing"),
            started_at: NOW,
            talking_at: first(|event| matches!(event, RecordEvent::Talking { .. })).map(|(at, _)| at),
            accepted_at: first(|event| matches!(event, RecordEvent::PatchAccepted)).map(|(at, _)| at),
            dropped_at: first(|event| matches!(event, RecordEvent::PatchDropped)).map(|(at, _)| at),
            abandoned: first(|event| matches!(event, RecordEvent::Abandoned { .. })).map(|(_, event)| event),
            ended_at: ended.as_ref().map(|(at, _)| *at),
            ended: ended.map(|(_, event)| event),
        }
    }

    #[test]
    fn a_recount_after_a_start_gives_what_was_counted_live() {
        let talking = || RecordEvent::Talking { user: UserId::named("kim") };
        let lost = |on| RecordEvent::Abandoned { on };
        let ended = |outcome| RecordEvent::Ended { cause: Cause::HungUp, outcome };
        let queued = Stage::Queued;
        for rest in [
            vec![(5, talking()), (9, ended(CallOutcome::Handled))],
            vec![(5, talking()), (9, lost(Abandoned::Hold)), (9, ended(CallOutcome::Handled))],
            vec![(5, talking()), (9, lost(Abandoned::Parked)), (9, ended(CallOutcome::Abandoned(Stage::Parked)))],
            vec![(5, talking()), (9, lost(Abandoned::Queue)), (9, ended(CallOutcome::Handled))],
            vec![(5, talking()), (7, talking()), (8, RecordEvent::PatchDropped), (20, ended(CallOutcome::Patched))],
            vec![(30, lost(Abandoned::Queue)), (30, ended(CallOutcome::Abandoned(queued)))],
            vec![(30, lost(Abandoned::PutThrough)), (30, ended(CallOutcome::Abandoned(Stage::Reaching)))],
            vec![(30, ended(CallOutcome::NoOperator))],
            vec![(30, ended(CallOutcome::CutOff))],
            vec![(5, talking()), (30, ended(CallOutcome::CutOff))],
            vec![(30, ended(CallOutcome::Callback))],
            vec![(12, RecordEvent::PatchAccepted), (90, ended(CallOutcome::Patched))],
            // They called an operator into it.
            vec![
                (12, RecordEvent::PatchAccepted),
                (60, talking()),
                (80, RecordEvent::PatchDropped),
                (90, ended(CallOutcome::Patched)),
            ],
        ] {
            let lines: Vec<_> = std::iter::once((0, RecordEvent::Arrived)).chain(rest).collect();
            let mut tally = CallTally::default();
            let live: Vec<_> =
                lines.iter().flat_map(|(secs, event)| tally.note(NOW, NOW.plus_secs(*secs), event)).collect();
            assert_eq!(facts_of(&on_record(&lines), NOW), live, "{lines:?}");
        }
    }
}
