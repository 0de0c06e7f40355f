//! Tells people of their shifts, and whoever manages an account of gaps before they come. What is due is decided in
//! `domain/oncall/reminder`, `gaps` and `calendar`; this asks the store, and hands texts and emails over.
//!
//! What is sent is a row before it is sent, one for a shift: after a crash it is sent once more at most, by the same name. What
//! always holds: of several nodes one sends it; what came too late to be of use is dropped; no name or number is in a log line.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::dispatcher::Dispatcher;
use super::feed::AlarmLevel;
use crate::base::clock::{SharedClock, UtcMs};
use crate::base::failpoint::failpoint;
use crate::domain::account::{Account, Contact, Destination, Reach};
use crate::domain::dispatch::event::Failure;
use crate::domain::oncall::Schedule;
use crate::domain::oncall::calendar::{Calendar, ConflictKind, calendars};
use crate::domain::oncall::difference::{naming, period_in};
use crate::domain::oncall::reminder::{Notice, due};
use crate::io::deliver::{Delivery, Mail, Mailer, TextMessage, Texter};
use crate::io::store::shift_notices::Pending;
use crate::io::store::{Store, StoreError};

/// Between two looks.
const SWEEP: Duration = Duration::from_secs(30);
/// Gaps are looked for so far ahead.
const AHEAD_MS: i64 = 14 * 86_400_000;
/// And so far ahead they stand on the board.
const BOARD_MS: i64 = 2 * 86_400_000;
/// Between two looks for gaps: they move slowly, and every schedule is looked at.
const GAPS_MS: i64 = 5 * 60_000;
/// A try of which nothing is heard is made again after so long.
const AGAIN_MS: i64 = 120_000;
const MAX_TRIES: u32 = 4;
/// Rows are kept for longer than gaps are looked ahead, so that each is warned of once.
const KEEP_MS: i64 = 60 * 86_400_000;
const PATIENCE: Duration = Duration::from_secs(45);
/// Of an account's troubles, how many an email lists.
const MAX_LINES: usize = 40;

/// Looks after shifts. Cheap to clone.
#[derive(Clone)]
pub struct Shifts {
    store: Store,
    clock: SharedClock,
    mailer: Arc<dyn Mailer>,
    texter: Arc<dyn Texter>,
    dispatcher: Dispatcher,
    /// Alarms that were raised, so that one that was seen to does not come back with each look.
    raised: Arc<Mutex<BTreeSet<String>>>,
    /// When gaps were looked for last.
    looked_at: Arc<Mutex<Option<UtcMs>>>,
}

impl std::fmt::Debug for Shifts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shifts")
    }
}

impl Shifts {
    pub fn new(
        store: Store,
        clock: SharedClock,
        mailer: Arc<dyn Mailer>,
        texter: Arc<dyn Texter>,
        dispatcher: Dispatcher,
    ) -> Self {
        Self { store, clock, mailer, texter, dispatcher, raised: Arc::default(), looked_at: Arc::default() }
    }

    /// Tells what is due for as long as the service runs.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.pulse(self.clock.utc()).await {
                tracing::warn!(code = error.code(), %error, "reminders of shifts wait for the store");
            }
            tokio::time::sleep(SWEEP).await;
        }
    }

    /// Tells all that is due at `now`. What fails is tried again at a later pulse.
    ///
    /// # Errors
    /// The store's.
    pub async fn pulse(&self, now: UtcMs) -> Result<(), StoreError> {
        let schedules = self.store.list_all_schedules().await?;
        for schedule in schedules.iter().filter(|schedule| schedule.remind) {
            self.note_due(schedule, now).await?;
            tokio::task::yield_now().await;
        }
        if self.is_time_for_gaps(now) {
            self.look_for_gaps(&schedules, now).await?;
        }
        for pending in self.store.list_pending_notices(now).await? {
            self.send(&pending, now).await?;
        }
        Ok(())
    }

    fn is_time_for_gaps(&self, now: UtcMs) -> bool {
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = looked_at.is_none_or(|at| now.since(at).abs() >= GAPS_MS);
        if is_time {
            *looked_at = Some(now);
        }
        is_time
    }

    async fn note_due(&self, schedule: &Schedule, now: UtcMs) -> Result<(), StoreError> {
        let reminders = due(schedule, now);
        if reminders.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.write().await?;
        let mut new = false;
        for reminder in reminders {
            let key = reminder.key();
            new |= tx.insert_notice(&key, &schedule.account, &Notice::Shift { reminder }, now).await?;
        }
        if new { tx.commit("shift_due").await } else { tx.rollback().await }
    }

    /// Raises alarms about what comes soon, and notes a mail where something new comes.
    async fn look_for_gaps(&self, schedules: &[Schedule], now: UtcMs) -> Result<(), StoreError> {
        let mut standing = BTreeSet::new();
        for account in self.store.list_accounts().await? {
            let own: Vec<Schedule> = schedules.iter().filter(|s| s.account == account.id).cloned().collect();
            // Whoever is on call for one role is so for no other.
            let people = if own.len() > 1 { self.store.list_contacts(&account.id).await? } else { Vec::new() };
            let troubles = troubles(&account, &people, &own, now);
            tokio::task::yield_now().await;
            let Some(first) = troubles.first() else { continue };
            if first.from < now.plus_ms(BOARD_MS) {
                let id = format!("on_call_gap:{}:{}", account.id, first.key);
                let text = format!("{}: {} See to the schedule.", account.name, first.words);
                standing.insert(id.clone());
                let level = if first.is_gap && first.from <= now { AlarmLevel::Critical } else { AlarmLevel::Warning };
                self.raise(id, level, text);
            }
            if troubles.iter().all(|trouble| trouble.from <= now) {
                continue;
            }
            let mut tx = self.store.write().await?;
            let mut new = false;
            for trouble in troubles.iter().filter(|trouble| trouble.from > now) {
                // These rows say that it was seen; nothing of them is sent.
                let key = format!("trouble:{}:{}", account.id, trouble.key);
                if tx.insert_notice(&key, &account.id, &Notice::Trouble, now).await? {
                    tx.settle_notice(&key, "listed").await?;
                    new = true;
                }
            }
            if new {
                tx.insert_notice(&format!("warning:{}:{now}", account.id), &account.id, &Notice::Trouble, now).await?;
                tx.commit("shift_warning").await?;
            } else {
                tx.rollback().await?;
            }
        }
        self.forget_alarms(|id| standing.contains(id));
        let mut tx = self.store.write().await?;
        tx.delete_old_notices(now.plus_ms(-KEEP_MS)).await?;
        tx.commit("shift_forgotten").await
    }

    async fn send(&self, pending: &Pending, now: UtcMs) -> Result<(), StoreError> {
        let account = self.store.find_account(&pending.account).await?;
        let Some(account) = account else { return self.settle(pending, "over").await };
        let contacts = self.store.list_contacts(&account.id).await?;
        let schedules = self.store.list_schedules(&account.id).await?;
        let outgoing = match &pending.notice {
            Notice::Shift { reminder } => {
                let schedule = schedules.iter().find(|schedule| schedule.id == reminder.schedule);
                // Whoever is not on call then any more is told nothing.
                let key = reminder.key();
                let stands = schedule.filter(|s| due(s, now).iter().any(|stands| stands.key() == key));
                let Some(schedule) = stands else { return self.settle(pending, "over").await };
                let person = contacts.iter().find(|contact| contact.id == reminder.contact);
                let words = reminder.words(&account.name, &schedule.role, &schedule.zone);
                person.and_then(pick_destination).map(|to| vec![(to, "Your shift".to_owned(), words)])
            }
            Notice::Trouble => {
                let troubles = troubles(&account, &contacts, &schedules, now);
                if troubles.is_empty() {
                    return self.settle(pending, "over").await;
                }
                let subject = format!("Who is on call for {}", account.name);
                let words = warning(&account, &troubles);
                let mails = managers(&contacts).map(|to| (to, subject.clone(), words.clone())).collect::<Vec<_>>();
                (!mails.is_empty()).then_some(mails)
            }
        };
        let Some(outgoing) = outgoing else { return self.settle(pending, "unreachable").await };
        if pending.tries >= MAX_TRIES {
            metrics::counter!("cordboard_shift_notices_total", "result" => "failed").increment(1);
            return self.settle(pending, "failed").await;
        }
        let mut tx = self.store.write().await?;
        if !tx.claim_notice(pending, now.plus_ms(AGAIN_MS)).await? {
            return tx.rollback().await;
        }
        tx.commit("shift_claimed").await?;
        let mut failed = None;
        failpoint("shift", "before_send");
        for (to, subject, words) in outgoing {
            let delivery = self.hand(pending, &account, &to, subject, words).await;
            if let Delivery::Failed { failure, why } = delivery {
                tracing::warn!(account = %account.id, %why, "a notice of a shift was not accepted");
                failed = Some(failure);
            }
        }
        failpoint("shift", "after_send");
        match failed {
            // It stays, and is tried again.
            Some(Failure::Temporary | Failure::Unknown) => Ok(()),
            Some(_) => self.settle(pending, "failed").await,
            None => {
                metrics::counter!("cordboard_shift_notices_total", "result" => "accepted").increment(1);
                self.settle(pending, "sent").await
            }
        }
    }

    async fn hand(
        &self,
        pending: &Pending,
        account: &Account,
        to: &Destination,
        subject: String,
        body: String,
    ) -> Delivery {
        let late = |_| Delivery::Failed { failure: Failure::Unknown, why: "timeout".to_owned() };
        match &to.reach {
            Reach::Phone(number) => {
                let (attempt, own) = (pending.attempt.clone(), account.own_numbers());
                let text = TextMessage { attempt, to: number.clone(), own, from: None, body };
                tokio::time::timeout(PATIENCE, self.texter.send(&text)).await.unwrap_or_else(late)
            }
            Reach::Email(address) => {
                let mail = Mail {
                    attempt: pending.attempt.clone(),
                    from_name: account.name.clone(),
                    to: address.clone(),
                    subject,
                    body,
                    html: None,
                    attached: Vec::new(),
                    answers: None,
                };
                tokio::time::timeout(PATIENCE, self.mailer.send(&mail)).await.unwrap_or_else(late)
            }
            _ => Delivery::Failed { failure: Failure::Permanent, why: "no_such_channel".to_owned() },
        }
    }

    async fn settle(&self, pending: &Pending, outcome: &str) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        tx.settle_notice(&pending.id, outcome).await?;
        tx.commit("shift_told").await
    }

    /// Takes back those alarms whose cause is gone, and raises them anew when it comes back.
    fn forget_alarms(&self, stays: impl Fn(&str) -> bool) {
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        raised.retain(|id| {
            let stays = stays(id);
            if !stays {
                self.dispatcher.unalarm(id);
            }
            stays
        });
    }

    fn raise(&self, id: String, level: AlarmLevel, text: String) {
        if self.raised.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone()) {
            self.dispatcher.alarm(id, level, text);
        }
    }
}

/// Something wrong with an account's schedules.
struct Trouble {
    from: UtcMs,
    is_gap: bool,
    /// The same for the same trouble, whenever it is looked at.
    key: String,
    words: String,
}

/// What comes in the next days, the earliest first; in the account's own time.
fn troubles(account: &Account, people: &[Contact], schedules: &[Schedule], now: UtcMs) -> Vec<Trouble> {
    let mut found = Vec::new();
    let calendars = calendars(schedules, now, now.plus_ms(AHEAD_MS), &naming(people));
    for (calendar, schedule) in calendars.into_iter().zip(schedules) {
        let Calendar { role, zone, gaps, conflicts, .. } = calendar;
        let when = |from, until| period_in(from, until, &account.zone, &zone);
        found.extend(gaps.into_iter().map(|gap| Trouble {
            from: gap.from,
            is_gap: true,
            // One that has begun goes by its end: its beginning is now, whenever that is.
            key: if gap.from <= now {
                format!("{}:now:{}", schedule.id, gap.until.0 / AHEAD_MS)
            } else {
                format!("{}:{}", schedule.id, gap.from)
            },
            words: format!("Nobody is on call as {role}, {}.", when(gap.from, gap.until)),
        }));
        let twice = conflicts.into_iter().filter(|conflict| conflict.kind == ConflictKind::TwoRoles);
        found.extend(twice.map(|conflict| Trouble {
            from: conflict.from,
            is_gap: false,
            key: format!("{}:two:{}", schedule.id, if conflict.from <= now { 0 } else { conflict.from.0 }),
            words: format!("{} {}.", conflict.text, when(conflict.from, conflict.until)),
        }));
    }
    found.sort_by_key(|trouble| (!trouble.is_gap && trouble.from <= now, trouble.from));
    found
}

fn warning(account: &Account, troubles: &[Trouble]) -> String {
    let mut lines = vec![format!("In the next 14 days, for {}:", account.name), String::new()];
    lines.extend(troubles.iter().take(MAX_LINES).map(|trouble| format!("- {}", trouble.words)));
    if troubles.len() > MAX_LINES {
        lines.push(format!("- and {} more.", troubles.len() - MAX_LINES));
    }
    lines.push(String::new());
    lines.push("Please tell your answering service who is on call then.".to_owned());
    lines.join("\n")
}

/// Where somebody is reminded: a mobile by text, else by email, else a text to any telephone of theirs.
fn pick_destination(contact: &Contact) -> Option<Destination> {
    let phone = |d: &&Destination| matches!(d.reach, Reach::Phone(_)) && !d.blocked;
    let label = |d: &&Destination| ["mobile", "cell"].iter().any(|word| d.label.to_lowercase().contains(word));
    let all = &contact.destinations;
    let mobile = all.iter().filter(phone).find(label);
    let email = || all.iter().find(|d| matches!(d.reach, Reach::Email(_)));
    mobile.or_else(email).or_else(|| all.iter().find(phone)).cloned()
}

/// Emails of those who manage the account: whoever has it in their title.
fn managers(contacts: &[Contact]) -> impl Iterator<Item = Destination> {
    let manages = |contact: &&Contact| contact.title.to_lowercase().contains("manager");
    contacts
        .iter()
        .filter(manages)
        .filter_map(|contact| contact.destinations.iter().find(|d| matches!(d.reach, Reach::Email(_))).cloned())
}
