//! The figures of today: how many called, how long they waited, how many gave up and where; since midnight of the
//! service's zone, and for each account since its own.
//!
//! Counts what calls tell ([`CallTally`] reads it off a call's record, live and again after a start) and never looks at
//! calls itself. `engine/figures` drives it. What always holds: time is counted from INVITE; a call counts on the day on which its INVITE
//! came, to the end; and counting all of a day's calls anew gives the same figures.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::call::abandoned::Abandoned;
use super::call::event::{CallOutcome, RecordEvent};
use super::oncall::first_instant;
use crate::base::clock::UtcMs;
use crate::base::id::AccountId;

const HOUR_MS: i64 = 3_600_000;
/// A day on which clocks are set back has 25 hours.
const MOST_HOURS: usize = 25;

/// Something about a call that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    Offered,
    /// An operator talks with the caller, so long after the INVITE.
    Answered {
        wait_ms: i64,
    },
    /// The caller hung up before it was done, or was sent away.
    Lost {
        how: Lost,
        wait_ms: i64,
        /// An operator had talked with them before.
        answered: bool,
    },
    /// The operator has nothing more to say in it.
    Talked {
        talk_ms: i64,
    },
}

/// How a caller was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// They hung up before an operator was looked for.
    Greeting,
    /// They hung up while the account's people were rung for them: no operator was looked for either.
    PutThrough,
    /// They hung up waiting for an operator.
    Queue,
    /// They were told that nobody is free.
    NoOperator,
    /// They hung up while an operator had them on hold.
    Hold,
    /// They hung up while parked.
    Parked,
    /// We cut them off: a crash, a fault, a stop.
    CutOff,
}

impl Lost {
    /// A form that was begun and not finished shows only after the call: it is counted by itself.
    const fn of(on: Abandoned) -> Option<Self> {
        match on {
            // Who says nothing to a voicemail waited for no operator either.
            Abandoned::Greeting | Abandoned::Menu | Abandoned::Voicemail => Some(Self::Greeting),
            Abandoned::PutThrough => Some(Self::PutThrough),
            Abandoned::Queue => Some(Self::Queue),
            Abandoned::NoOperator => Some(Self::NoOperator),
            Abandoned::Hold => Some(Self::Hold),
            Abandoned::Parked => Some(Self::Parked),
            Abandoned::CutOff => Some(Self::CutOff),
            Abandoned::Form => None,
        }
    }
}

/// What has been told of one call.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallTally {
    answered_at: Option<UtcMs>,
    talked: bool,
    abandoned: Option<Abandoned>,
    over: bool,
}

impl CallTally {
    /// What a line of a call's record adds. `started_at`: when its INVITE came.
    pub fn note(&mut self, started_at: UtcMs, at: UtcMs, event: &RecordEvent) -> Vec<Fact> {
        match event {
            RecordEvent::Arrived => vec![Fact::Offered],
            RecordEvent::Talking { .. } => self.answered(started_at, at).into_iter().collect(),
            RecordEvent::PatchDropped => self.talked(at).into_iter().collect(),
            RecordEvent::PatchAccepted => {
                // Served without an operator: one who comes later is no answer to a caller who waited.
                (self.answered_at, self.talked) = (Some(at), true);
                Vec::new()
            }
            // Whether it means anything that the caller goes is for the call to say, as for the list of them.
            RecordEvent::Abandoned { on } => {
                self.abandoned.get_or_insert(*on);
                Vec::new()
            }
            RecordEvent::Ended { outcome, .. } => {
                let how = match outcome {
                    CallOutcome::NoOperator => Some(Lost::NoOperator),
                    CallOutcome::CutOff => Some(Lost::CutOff),
                    _ => self.abandoned.and_then(Lost::of),
                };
                self.ended(started_at, at, how)
            }
            _ => Vec::new(),
        }
    }

    /// An operator talks with the caller; counted once.
    pub fn answered(&mut self, started_at: UtcMs, at: UtcMs) -> Option<Fact> {
        if self.answered_at.is_some() {
            return None;
        }
        self.answered_at = Some(at);
        Some(Fact::Answered { wait_ms: at.since(started_at).max(0) })
    }

    /// The operator is out of it; counted once.
    pub fn talked(&mut self, at: UtcMs) -> Option<Fact> {
        let from = self.answered_at.filter(|_| !self.talked)?;
        self.talked = true;
        Some(Fact::Talked { talk_ms: at.since(from).max(0) })
    }

    /// The call is over; counted once.
    pub fn ended(&mut self, started_at: UtcMs, at: UtcMs, how: Option<Lost>) -> Vec<Fact> {
        if std::mem::replace(&mut self.over, true) {
            return Vec::new();
        }
        let answered = self.answered_at.is_some();
        let lost = how.map(|how| Fact::Lost { how, wait_ms: at.since(started_at).max(0), answered });
        self.talked(at).into_iter().chain(lost).collect()
    }
}

/// One hour of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Hour {
    pub offered: u32,
    pub answered: u32,
    pub lost: u32,
}

/// The figures of a day so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Figures {
    /// Midnight, since when is counted.
    pub since: UtcMs,
    /// Calls that came in.
    pub offered: u32,
    /// Of these, an operator talked with.
    pub answered: u32,
    /// Of these, within the time that is promised.
    pub in_time: u32,
    pub abandoned_in_greeting: u32,
    /// Callers who hung up while the account's people were rung; they are not among those who waited for an operator.
    pub abandoned_put_through: u32,
    pub abandoned_in_queue: u32,
    /// Callers who hung up on hold; they count as answered as well.
    pub abandoned_on_hold: u32,
    /// Callers who hung up while parked; they count as answered as well.
    pub abandoned_parked: u32,
    /// Calls that were taken, and their form begun and not finished; one that is finished later counts no more.
    pub abandoned_in_form: u32,
    /// Callers who were told that nobody is free.
    pub no_operator: u32,
    /// Callers whom we cut off.
    pub cut_off: u32,
    /// Callers who waited for an operator, each once: answered, gave up, or sent away.
    pub waited: u32,
    /// The longest that any of those waited.
    pub longest_wait_ms: i64,
    /// How long those waited, in the mean: the same callers, whether they were answered or not.
    pub mean_wait_ms: i64,
    /// How long operators talked with a caller, in the mean.
    pub mean_talk_ms: i64,
    /// In percent: of those who waited, how many were answered in time. None while nobody has.
    pub service_level: Option<u8>,
    /// The hours since midnight.
    pub hours: Vec<Hour>,
}

/// A day's counting.
#[derive(Clone, Debug)]
struct Day {
    zone: TimeZone,
    until: UtcMs,
    figures: Figures,
    wait_ms: i64,
    talk_ms: i64,
    talks: i64,
}

impl Day {
    fn of(zone: &str, now: UtcMs) -> Self {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let mut day = Self { zone, until: now, figures: Figures::default(), wait_ms: 0, talk_ms: 0, talks: 0 };
        day.begin(now);
        day
    }

    fn begin(&mut self, now: UtcMs) {
        let (since, until) = bounds(&self.zone, now);
        self.until = until;
        self.figures = Figures { since, ..Figures::default() };
        (self.wait_ms, self.talk_ms, self.talks) = (0, 0, 0);
    }

    /// True if another day has begun.
    fn roll(&mut self, now: UtcMs) -> bool {
        let rolls = now >= self.until;
        if rolls {
            self.begin(now);
        }
        rolls
    }

    /// A call that came then is of this day.
    fn has(&self, started_at: UtcMs) -> bool {
        started_at >= self.figures.since && started_at < self.until
    }

    fn count(&mut self, started_at: UtcMs, fact: Fact, in_time_ms: i64) {
        if !self.has(started_at) {
            return;
        }
        let figures = &mut self.figures;
        let hour = usize::try_from(started_at.since(figures.since) / HOUR_MS).unwrap_or(0).min(MOST_HOURS - 1);
        if figures.hours.len() <= hour {
            figures.hours.resize(hour + 1, Hour::default());
        }
        let hour = &mut figures.hours[hour];
        match fact {
            Fact::Offered => {
                figures.offered += 1;
                hour.offered += 1;
            }
            Fact::Answered { wait_ms } => {
                figures.answered += 1;
                hour.answered += 1;
                figures.waited += 1;
                figures.in_time += u32::from(wait_ms <= in_time_ms);
                figures.longest_wait_ms = figures.longest_wait_ms.max(wait_ms);
                self.wait_ms += wait_ms;
            }
            Fact::Lost { how, wait_ms, answered } => {
                // Who was answered and lost their operator has been counted as one who waited.
                let waited = matches!(how, Lost::Queue | Lost::NoOperator) && !answered;
                if waited {
                    figures.waited += 1;
                    figures.longest_wait_ms = figures.longest_wait_ms.max(wait_ms);
                    self.wait_ms += wait_ms;
                }
                hour.lost += 1;
                *match how {
                    Lost::Greeting => &mut figures.abandoned_in_greeting,
                    Lost::PutThrough => &mut figures.abandoned_put_through,
                    Lost::Queue => &mut figures.abandoned_in_queue,
                    Lost::NoOperator => &mut figures.no_operator,
                    Lost::Hold => &mut figures.abandoned_on_hold,
                    Lost::Parked => &mut figures.abandoned_parked,
                    Lost::CutOff => &mut figures.cut_off,
                } += 1;
            }
            Fact::Talked { talk_ms } => {
                self.talk_ms += talk_ms;
                self.talks += 1;
            }
        }
        figures.mean_wait_ms = self.wait_ms / i64::from(figures.waited).max(1);
        figures.mean_talk_ms = self.talk_ms / self.talks.max(1);
        // Who hangs up in the greeting waited for nobody yet.
        let waited = figures.waited;
        figures.service_level = (waited > 0).then(|| (u64::from(figures.in_time) * 100 / u64::from(waited)) as u8);
    }
}

/// The day that `now` is in: its first instant, and the next day's.
fn bounds(zone: &TimeZone, now: UtcMs) -> (UtcMs, UtcMs) {
    let here = zone.to_datetime(Timestamp::from_millisecond(now.0).unwrap_or(Timestamp::UNIX_EPOCH)).date();
    let first_of = |day: Date| first_instant(zone, day.at(0, 0, 0, 0));
    match (first_of(here), here.tomorrow().ok().and_then(first_of)) {
        (Some(first), Some(next)) => (first, next),
        // Only at the ends of what can be written as a date.
        _ => (now, now.plus_ms(24 * HOUR_MS)),
    }
}

/// When the day began that `now` is in.
pub fn midnight(zone: &str, now: UtcMs) -> UtcMs {
    bounds(&TimeZone::get(zone).unwrap_or(TimeZone::UTC), now).0
}

/// Today, of the service and of each account that was called.
#[derive(Clone, Debug)]
pub struct Today {
    in_time_ms: i64,
    service: Day,
    accounts: BTreeMap<AccountId, Day>,
}

impl Today {
    /// Nobody has called yet. `in_time_secs`: how soon after the INVITE an operator is promised.
    pub fn new(zone: &str, in_time_secs: u32, now: UtcMs) -> Self {
        let (in_time_ms, service) = (i64::from(in_time_secs) * 1_000, Day::of(zone, now));
        Self { in_time_ms, service, accounts: BTreeMap::new() }
    }

    /// Counts what a call for `account` told.
    pub fn count(&mut self, now: UtcMs, account: &AccountId, zone: &str, started_at: UtcMs, fact: Fact) {
        self.roll(now);
        self.service.count(started_at, fact, self.in_time_ms);
        let day = self.accounts.entry(account.clone()).or_insert_with(|| Day::of(zone, now));
        day.count(started_at, fact, self.in_time_ms);
    }

    /// Begins the days anew that are over. True if any was.
    pub fn roll(&mut self, now: UtcMs) -> bool {
        let before = self.accounts.len();
        // An account that nobody has called today has no figures.
        self.accounts.retain(|_, day| now < day.until);
        self.service.roll(now) || before != self.accounts.len()
    }

    /// When the next of the days ends.
    pub fn poll_timeout(&self) -> UtcMs {
        self.accounts.values().map(|day| day.until).fold(self.service.until, UtcMs::min)
    }

    /// The forms that were begun and not finished, each of a call of `account` that came then: all there are. True if that
    /// changes anything.
    pub fn set_forms(&mut self, forms: &[(AccountId, UtcMs)]) -> bool {
        let count = |day: &Day, account: Option<&AccountId>| {
            let counts = |(of, started_at): &&(AccountId, UtcMs)| {
                account.is_none_or(|account| of == account) && day.has(*started_at)
            };
            u32::try_from(forms.iter().filter(counts).count()).unwrap_or(u32::MAX)
        };
        let all = count(&self.service, None);
        let mut changes = std::mem::replace(&mut self.service.figures.abandoned_in_form, all) != all;
        for (account, day) in &mut self.accounts {
            let all = count(day, Some(account));
            changes |= std::mem::replace(&mut day.figures.abandoned_in_form, all) != all;
        }
        changes
    }

    pub const fn service(&self) -> &Figures {
        &self.service.figures
    }

    pub fn account(&self, account: &AccountId) -> Option<&Figures> {
        self.accounts.get(account).map(|day| &day.figures)
    }

    /// Accounts that were called today.
    pub fn accounts(&self) -> impl Iterator<Item = (&AccountId, &Figures)> {
        self.accounts.iter().map(|(account, day)| (account, &day.figures))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::UserId;
    use crate::domain::call::cause::Cause;
    use crate::domain::call::event::Stage;

    const ZONE: &str = "America/New_York";
    /// 2026-03-07T02:00:00Z, the evening before in New York.
    const NOW: UtcMs = UtcMs(1_772_848_800_000);

    fn plumbing() -> AccountId {
        AccountId::named("plumbing")
    }

    struct Desk {
        today: Today,
        started_at: UtcMs,
        tally: CallTally,
    }

    impl Desk {
        fn opens() -> Self {
            let mut desk = Self { today: Today::new(ZONE, 20, NOW), started_at: NOW, tally: CallTally::default() };
            desk.call(0);
            desk
        }

        fn call(&mut self, secs: i64) {
            (self.started_at, self.tally) = (NOW.plus_secs(secs), CallTally::default());
            self.tell(0, RecordEvent::Arrived);
        }

        fn tell(&mut self, secs: i64, event: RecordEvent) {
            let at = self.started_at.plus_secs(secs);
            for fact in self.tally.note(self.started_at, at, &event) {
                self.today.count(at, &plumbing(), ZONE, self.started_at, fact);
            }
        }

        fn talks(&mut self, secs: i64) {
            self.tell(secs, RecordEvent::Talking { user: UserId::named("kim") });
        }

        fn gone(&mut self, secs: i64, outcome: CallOutcome) {
            self.tell(secs, RecordEvent::Ended { cause: Cause::HungUp, outcome });
        }

        /// The caller hung up too early.
        fn lost(&mut self, secs: i64, on: Abandoned, outcome: CallOutcome) {
            self.tell(secs, RecordEvent::Abandoned { on });
            self.gone(secs, outcome);
        }
    }

    #[test]
    fn waits_are_counted_from_the_invite_and_the_service_level_from_those_who_waited() {
        let mut desk = Desk::opens();
        desk.talks(20);
        desk.gone(80, CallOutcome::Handled);
        desk.call(10);
        desk.talks(21);
        // Back at the queue's head and with another operator: answered once.
        desk.talks(60);
        desk.gone(61, CallOutcome::Handled);
        desk.call(20);
        desk.lost(40, Abandoned::Queue, CallOutcome::Abandoned(Stage::Queued));
        desk.call(30);
        desk.lost(3, Abandoned::Greeting, CallOutcome::Abandoned(Stage::Greeting));
        let figures = desk.today.service();
        assert_eq!((figures.offered, figures.answered, figures.in_time), (4, 2, 1));
        assert_eq!((figures.abandoned_in_queue, figures.abandoned_in_greeting), (1, 1));
        assert_eq!(figures.service_level, Some(33), "one of three who waited");
        let waits = (figures.waited, figures.longest_wait_ms, figures.mean_wait_ms);
        assert_eq!(waits, (3, 40_000, 27_000), "the longest and the mean of the same three");
        assert_eq!(figures.mean_talk_ms, 50_000);
        assert_eq!(desk.today.account(&plumbing()), Some(figures));
    }

    #[test]
    fn kinds_of_lost_callers_are_kept_apart_and_each_counts_once() {
        let mut desk = Desk::opens();
        desk.talks(5);
        desk.lost(30, Abandoned::Hold, CallOutcome::Handled);
        desk.lost(31, Abandoned::Hold, CallOutcome::Handled);
        desk.call(1);
        desk.tell(130, RecordEvent::Ended { cause: Cause::NoAnswer, outcome: CallOutcome::NoOperator });
        desk.call(2);
        let facts = desk.tally.ended(desk.started_at, desk.started_at.plus_secs(9), Some(Lost::CutOff));
        for fact in facts {
            desk.today.count(NOW, &plumbing(), ZONE, desk.started_at, fact);
        }
        let figures = desk.today.service();
        assert_eq!((figures.abandoned_on_hold, figures.no_operator, figures.cut_off), (1, 1, 1));
        assert_eq!((figures.answered, figures.mean_talk_ms), (1, 25_000));
        assert_eq!(figures.hours[21], Hour { offered: 3, answered: 1, lost: 3 }, "nine in the evening");
    }

    #[test]
    fn the_five_kinds_of_abandoned_callers_are_kept_apart_as_the_list_keeps_them() {
        let mut desk = Desk::opens();
        desk.lost(3, Abandoned::Greeting, CallOutcome::Abandoned(Stage::Greeting));
        desk.call(1);
        desk.lost(9, Abandoned::Queue, CallOutcome::Abandoned(Stage::Queued));
        desk.call(2);
        desk.talks(5);
        // Whether the operator held them, asked a colleague or dialled the contact.
        desk.lost(30, Abandoned::Hold, CallOutcome::Handled);
        desk.call(3);
        desk.talks(5);
        desk.lost(40, Abandoned::Parked, CallOutcome::Abandoned(Stage::Parked));
        desk.call(4);
        desk.talks(5);
        desk.gone(50, CallOutcome::Handled);
        let left = [(plumbing(), desk.started_at), (plumbing(), NOW.plus_secs(-86_400))];
        assert!(desk.today.set_forms(&left), "one of today's");
        assert!(!desk.today.set_forms(&left), "shown once");
        for figures in [desk.today.service(), desk.today.account(&plumbing()).expect("called")] {
            let kinds = [
                figures.abandoned_in_greeting,
                figures.abandoned_in_queue,
                figures.abandoned_on_hold,
                figures.abandoned_parked,
                figures.abandoned_in_form,
            ];
            assert_eq!(kinds, [1; 5]);
        }
        assert!(desk.today.set_forms(&[]), "it was finished");
        assert_eq!(desk.today.service().abandoned_in_form, 0);
    }

    #[test]
    fn who_lost_their_operator_and_gave_up_is_lost_and_waited_once() {
        let mut desk = Desk::opens();
        desk.talks(5);
        desk.lost(90, Abandoned::Queue, CallOutcome::Handled);
        let figures = desk.today.service();
        assert_eq!((figures.answered, figures.abandoned_in_queue, figures.waited), (1, 1, 1));
        assert_eq!((figures.service_level, figures.longest_wait_ms), (Some(100), 5_000));
        desk.call(1);
        desk.lost(9, Abandoned::Queue, CallOutcome::Callback);
        assert_eq!(desk.today.service().waited, 2, "what could not be promised after all");
        desk.call(2);
        desk.talks(5);
        desk.lost(90, Abandoned::NoOperator, CallOutcome::Handled);
        let figures = desk.today.service();
        assert_eq!((figures.abandoned_in_queue, figures.no_operator), (2, 1), "as the list says");
    }

    #[test]
    fn whom_a_stop_of_the_service_cut_off_is_lost_by_our_doing_wherever_they_were() {
        let mut desk = Desk::opens();
        desk.talks(5);
        for _ in 0..2 {
            desk.tell(9, RecordEvent::Ended { cause: Cause::Released, outcome: CallOutcome::CutOff });
            desk.call(1);
        }
        let figures = desk.today.service();
        assert_eq!((figures.cut_off, figures.abandoned_in_queue, figures.service_level), (2, 0, Some(100)));
    }

    #[test]
    fn callers_who_say_nothing_to_a_voicemail_do_not_spoil_the_service_level() {
        let mut desk = Desk::opens();
        let silent = CallOutcome::Abandoned(Stage::Voicemail);
        desk.lost(6, Abandoned::Voicemail, silent);
        assert_eq!(desk.today.service().service_level, None);
        desk.call(10);
        desk.talks(5);
        let figures = desk.today.service();
        assert_eq!((figures.abandoned_in_queue, figures.abandoned_in_greeting), (0, 1));
        assert_eq!((figures.longest_wait_ms, figures.service_level), (5_000, Some(100)));
    }

    #[test]
    fn who_gives_up_while_the_accounts_people_are_rung_waited_for_no_operator() {
        let mut desk = Desk::opens();
        desk.lost(95, Abandoned::PutThrough, CallOutcome::Abandoned(Stage::Reaching));
        let figures = desk.today.service();
        assert_eq!((figures.abandoned_put_through, figures.abandoned_in_queue, figures.waited), (1, 0, 0));
        assert_eq!(figures.service_level, None);
        desk.call(100);
        desk.talks(5);
        let figures = desk.today.service();
        assert_eq!((figures.service_level, figures.mean_wait_ms, figures.longest_wait_ms), (Some(100), 5_000, 5_000));
        assert_eq!(figures.hours[21], Hour { offered: 2, answered: 1, lost: 1 }, "lost they are all the same");
    }

    #[test]
    fn who_dropped_off_a_patch_talks_no_more() {
        let mut desk = Desk::opens();
        desk.talks(10);
        desk.tell(70, RecordEvent::PatchDropped);
        desk.gone(900, CallOutcome::Patched);
        assert_eq!(desk.today.service().mean_talk_ms, 60_000);
    }

    #[test]
    fn midnight_begins_anew_and_a_call_of_the_day_before_counts_no_more() {
        let mut desk = Desk::opens();
        let midnight = desk.today.poll_timeout();
        assert_eq!(midnight, UtcMs(1_772_859_600_000), "05:00Z");
        assert_eq!(midnight.since(desk.today.service().since), 24 * HOUR_MS);
        assert!(!desk.today.roll(midnight.plus_ms(-1)));
        assert!(desk.today.roll(midnight));
        assert_eq!((desk.today.service().offered, desk.today.accounts().count()), (0, 0));
        desk.talks(4 * 3_600);
        assert_eq!(desk.today.service().answered, 0, "it began yesterday");
        // The day on which clocks are set forward has 23 hours.
        let next = desk.today.poll_timeout();
        assert!(desk.today.roll(next));
        assert_eq!(desk.today.poll_timeout().since(next), 23 * HOUR_MS);
    }

    #[test]
    fn an_accounts_day_is_its_own() {
        let mut today = Today::new("UTC", 20, NOW);
        today.count(NOW, &plumbing(), ZONE, NOW.plus_secs(-3 * 3_600), Fact::Offered);
        assert_eq!(today.service().offered, 0, "yesterday by the service's clock");
        assert_eq!(today.account(&plumbing()).map(|f| f.offered), Some(1), "today by theirs");
    }
}
