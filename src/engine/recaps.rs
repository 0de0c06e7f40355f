//! Makes and sends recaps. Which time has come, what an email's failure means and how a recap reads is decided in
//! `domain/recap`; this asks the store, renders, and hands emails over.
//!
//! A recap is a row before anything of it is sent, and an email is named by that row: after a crash it is sent once more at
//! most, with the same Message-ID. That it was accepted is stored together with the news for the dispatches that waited for
//! it, and the dispatcher applies those. What always holds: of several nodes one makes a recap, and one sends it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::dispatcher::Dispatcher;
use super::feed::AlarmLevel;
use crate::base::clock::{SharedClock, UtcMs};
use crate::base::failpoint::failpoint;
use crate::base::id::{AccountId, MessageId, RecapId};
use crate::domain::account::Account;
use crate::domain::dispatch::event::Failure;
use crate::domain::dispatch::protocol::Method;
use crate::domain::dispatch::state::{Phase, State};
use crate::domain::recap::report::{Item, Report, report};
use crate::domain::recap::table::table;
use crate::domain::recap::{Held, Recap, RecapMail, lost_alarm};
use crate::io::deliver::{Attached, Delivery, Mail, Mailer};
use crate::io::pdf;
use crate::io::store::inbound::{Arrival, Inbound, RECAPS};
use crate::io::store::recaps::PlanSet;
use crate::io::store::{Store, StoreError};

/// Between two looks: a time of the day is met to within this.
const SWEEP: Duration = Duration::from_secs(5);
/// A recap is made so long after its time: what was being saved just then is in the store, and in the recap.
const AFTER_MS: i64 = 5_000;
/// Whoever sends a recap has it for so long, from one email to the next.
const LEASE_MS: i64 = 120_000;
/// What was taken longer ago than this and is in no recap is in none.
const LOOK_BACK_MS: i64 = 14 * 24 * 60 * 60_000;
/// Alarms about accounts whose messages are held for a recap that they do not get.
const NO_PLAN: &str = "recap_plan:";
/// How long the relay may take for one email.
const PATIENCE: Duration = Duration::from_secs(45);

/// Looks after recaps. Cheap to clone.
#[derive(Clone)]
pub struct Recaps {
    store: Store,
    clock: SharedClock,
    mailer: Arc<dyn Mailer>,
    dispatcher: Dispatcher,
    /// Alarms that were raised, so that one that was seen to does not come back with each look.
    raised: Arc<Mutex<BTreeSet<String>>>,
    /// What was given up before this start has been told of.
    recalled: Arc<AtomicBool>,
}

impl std::fmt::Debug for Recaps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recaps")
    }
}

impl Recaps {
    pub fn new(store: Store, clock: SharedClock, mailer: Arc<dyn Mailer>, dispatcher: Dispatcher) -> Self {
        Self { store, clock, mailer, dispatcher, raised: Arc::default(), recalled: Arc::default() }
    }

    /// Makes and sends what is due for as long as the service runs.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.pulse(self.clock.utc()).await {
                tracing::warn!(code = error.code(), %error, "recaps wait for the store");
            }
            tokio::time::sleep(SWEEP).await;
        }
    }

    /// Makes and sends all that is due at `now`. What fails is tried again at the next pulse.
    ///
    /// # Errors
    /// The store's.
    pub async fn pulse(&self, now: UtcMs) -> Result<(), StoreError> {
        if !self.recalled.load(Ordering::Relaxed) {
            self.recall(now).await?;
            self.recalled.store(true, Ordering::Relaxed);
        }
        for set in self.store.list_recap_plans().await? {
            let made = self.make(&set, now).await;
            self.outlive(&set.account, set.account.as_str(), made).await?;
        }
        for (account, id) in self.store.list_due_recaps(now).await? {
            let sent = self.send(&id, now).await;
            self.outlive(&account, id.as_str(), sent).await?;
        }
        let without = self.store.list_accounts_without_recap().await?;
        self.forget_alarms(|id| id.strip_prefix(NO_PLAN).is_none_or(|of| without.iter().any(|a| a.as_str() == of)));
        for account in without {
            let name = self.store.find_account(&account).await?.map_or_else(String::new, |account| account.name);
            let text =
                format!("Messages of {name} are held for a recap, and it has none. Say when and to whom it goes.");
            self.raise(format!("{NO_PLAN}{account}"), AlarmLevel::Critical, text);
        }
        Ok(())
    }

    /// Raises the alarms anew about emails that were given up before this start and that nobody has seen to.
    async fn recall(&self, now: UtcMs) -> Result<(), StoreError> {
        for (account, id) in self.store.list_recaps_since(now.plus_ms(-LOOK_BACK_MS)).await? {
            let told = self.recall_one(&id).await;
            self.outlive(&account, id.as_str(), told).await?;
        }
        Ok(())
    }

    async fn recall_one(&self, id: &RecapId) -> Result<(), StoreError> {
        let Some(recap) = self.store.find_recap(id).await? else { return Ok(()) };
        let lost = |mail: &RecapMail| mail.failed.is_some() && !mail.seen;
        if !recap.mails.iter().any(lost) {
            return Ok(());
        }
        let Some(account) = self.store.find_account(&recap.account).await? else { return Ok(()) };
        for n in (0..recap.mails.len()).filter(|n| lost(&recap.mails[*n])) {
            self.tell(&account, &recap, n);
        }
        Ok(())
    }

    /// A recap that cannot be read or written holds up no other account's: operators are told of it.
    ///
    /// # Errors
    /// The store as a whole does not answer.
    async fn outlive(&self, account: &AccountId, what: &str, result: Result<(), StoreError>) -> Result<(), StoreError> {
        let id = format!("recap_stuck:{what}");
        let Err(error) = result else {
            self.forget_alarms(|raised| raised != id);
            return Ok(());
        };
        self.store.ping().await?;
        let name = self.store.find_account(account).await?.map_or_else(|| account.to_string(), |account| account.name);
        let text = format!("The recap of {name} cannot be made or sent. Tell the engineer, and the client.");
        if self.raise(id, AlarmLevel::Critical, text) {
            tracing::error!(%account, code = error.code(), "a recap is stuck");
        }
        Ok(())
    }

    /// Makes the recap whose time has come, if there is one.
    async fn make(&self, set: &PlanSet, now: UtcMs) -> Result<(), StoreError> {
        let Some(account) = self.store.find_account(&set.account).await? else { return Ok(()) };
        let last = self.store.find_last_recap_at(&account.id).await?;
        let after = last.map_or(set.set_at, |last| last.max(set.set_at));
        let Some(slot) = set.plan.last_slot(&account.zone, after, now.plus_ms(-AFTER_MS)) else { return Ok(()) };
        let (to, missing) = set.plan.addresses(&self.store.list_contacts(&account.id).await?);
        if !missing.is_empty() {
            let text =
                format!("The recap of {} cannot go to {}: no such email address.", account.name, missing.join(", "));
            self.raise(format!("recap_to:{}:{}", account.id, slot.name()), AlarmLevel::Critical, text);
        }
        if to.is_empty() {
            // Its messages wait: once there is an address it is sent, late.
            return Ok(());
        }
        let since = last.unwrap_or(set.since).max(set.since);
        let mut recap = Recap::new(RecapId::fresh(now), account.id.clone(), &slot, since, now, &to);
        self.gather(&mut recap, set.since.max(now.plus_ms(-LOOK_BACK_MS))).await?;
        if recap.held.is_empty() && recap.taken.is_empty() && !set.plan.empty {
            recap.mails.clear();
        }
        recap.files = set.plan.files;
        let mut tx = self.store.write().await?;
        if tx.insert_recap(&recap).await? { tx.commit("recap_made").await } else { tx.rollback().await }
    }

    /// What is in a recap: what is held for it now, and what else was taken from `since` on and is in none yet. What may
    /// still be held for one is in a later one, whatever becomes of it; so is what was being spoken at the time.
    async fn gather(&self, recap: &mut Recap, since: UtcMs) -> Result<(), StoreError> {
        for id in self.store.list_dispatches_for_recap(&recap.account).await? {
            let Some(read) = self.store.find_dispatch(&id).await? else { continue };
            if let Some(run) = read.state.held_for_recap() {
                let (run, message) = (run.id.clone(), read.state.message.clone());
                recap.held.push(Held { dispatch: id, run, message });
            }
        }
        for message in self.store.list_unreported_messages(&recap.account, since, recap.due_at).await? {
            let state = self.state_of(&message).await?;
            if !state.is_some_and(|state| is_for_a_recap(&state)) {
                recap.taken.push(message);
            }
        }
        Ok(())
    }

    async fn state_of(&self, message: &MessageId) -> Result<Option<State>, StoreError> {
        let Some(id) = self.store.find_dispatch_of_message(message).await? else { return Ok(None) };
        Ok(self.store.find_dispatch(&id).await?.map(|read| read.state))
    }

    /// Sends the emails of a recap that are due.
    async fn send(&self, id: &RecapId, now: UtcMs) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        if !tx.claim_recap(id, now, now.plus_ms(LEASE_MS)).await? {
            return tx.rollback().await;
        }
        tx.commit("recap_claimed").await?;
        let Some(mut recap) = self.store.find_recap(id).await? else { return Ok(()) };
        let Some(account) = self.store.find_account(&recap.account).await? else { return Ok(()) };
        let (report, files, editions) = self.render(&account, &recap).await?;
        for n in recap.due(now) {
            let mail = letter(&account, &recap, n, &report, &files);
            failpoint("recap", "before_send");
            let sending = tokio::time::timeout(PATIENCE, self.mailer.send(&mail));
            let late = |_| Delivery::Failed { failure: Failure::Unknown, why: "timeout".to_owned() };
            let delivery = sending.await.unwrap_or_else(late);
            failpoint("recap", "after_send");
            self.settle(&account, &mut recap, n, delivery, &editions).await?;
        }
        Ok(())
    }

    /// Stores what became of an email. With the first that was accepted, the dispatches that waited learn of it.
    async fn settle(
        &self,
        account: &Account,
        recap: &mut Recap,
        n: usize,
        delivery: Delivery,
        editions: &[Option<u32>],
    ) -> Result<(), StoreError> {
        let now = self.clock.utc();
        let first = !recap.is_sent();
        match delivery {
            Delivery::Accepted { .. } => {
                recap.accepted(n, now);
                metrics::counter!("cordboard_recaps_total", "result" => "accepted").increment(1);
            }
            Delivery::Failed { failure, why } => {
                tracing::warn!(recap = %recap.id, account = %recap.account, %why, "a recap was not accepted");
                recap.failed(n, failure, &why, now);
                metrics::counter!("cordboard_recaps_total", "result" => "failed").increment(1);
            }
        }
        let done = recap.due(now).is_empty();
        let mut tx = self.store.write().await?;
        tx.save_recap(recap, if done { now } else { now.plus_ms(LEASE_MS) }).await?;
        if first && recap.is_sent() {
            for (held, edition) in recap.held.iter().zip(editions) {
                let (dispatch, run, to) = (held.dispatch.clone(), held.run.clone(), recap.recipients());
                let what = Arrival::Recapped { dispatch, run, to, edition: *edition };
                let name = format!("{}:{}", recap.id, held.dispatch);
                let news = Inbound { provider: RECAPS.to_owned(), provider_msg_id: name, received_at: now, what };
                tx.insert_inbound(&news).await?;
            }
        }
        tx.commit("recap_sent").await?;
        self.dispatcher.wake();
        self.tell(account, recap, n);
        Ok(())
    }

    /// Raises an alarm about an email that was given up, or that nobody takes; takes it back when it has gone.
    fn tell(&self, account: &Account, recap: &Recap, n: usize) {
        let Some(mail) = recap.mails.get(n) else { return };
        let id = format!("recap:{}:{}", recap.id, mail.attempt);
        let (account, name) = (&account.name, &mail.name);
        match &mail.failed {
            Some(why) => {
                let why = why.replace('_', " ");
                let text = format!(
                    "The recap of {account} could not be sent to {name} ({why}): see to the address, and tell them."
                );
                self.raise(lost_alarm(&recap.id, &mail.attempt), AlarmLevel::Critical, text);
                self.dispatcher.unalarm(&id);
            }
            None if mail.accepted_at.is_none() => {
                let text = format!("The recap of {account} to {name} was not accepted yet; it is tried again.");
                self.raise(id, AlarmLevel::Warning, text);
            }
            None => self.dispatcher.unalarm(&id),
        }
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

    /// False: it was raised before.
    fn raise(&self, id: String, level: AlarmLevel, text: String) -> bool {
        let new = self.raised.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        if new {
            self.dispatcher.alarm(id, level, text);
        }
        new
    }

    /// The report, what goes along with it, and in which edition each held message is in it.
    async fn render(
        &self,
        account: &Account,
        recap: &Recap,
    ) -> Result<(Report, Vec<Attached>, Vec<Option<u32>>), StoreError> {
        let (mut held, mut editions) = (Vec::new(), Vec::new());
        for waiting in &recap.held {
            let item = self.item(account, &waiting.message).await?;
            editions.push(item.as_ref().map(|item| item.message.edition));
            held.extend(item);
        }
        let mut taken = Vec::new();
        for message in &recap.taken {
            taken.extend(self.item(account, message).await?);
        }
        let report = report(account, recap, &held, &taken);
        let mut files = Vec::new();
        if recap.files.pdf {
            files.extend(paper(recap, &report).await);
        }
        if recap.files.csv {
            let octets = table(account, recap, &held, &taken).into_bytes();
            files.push(Attached { name: recap.file_name("csv"), kind: "text/csv; charset=utf-8", octets });
        }
        Ok((report, files, editions))
    }

    /// A message as it is now; none if it was taken back meanwhile.
    async fn item(&self, account: &Account, id: &MessageId) -> Result<Option<Item>, StoreError> {
        let Some(message) = self.store.find_message(id).await? else { return Ok(None) };
        if self.store.is_withdrawn(id).await? {
            return Ok(None);
        }
        let known = account.call_types.iter().find(|t| t.id == message.call_type).map(|t| t.name.clone());
        let call_type = match known {
            Some(name) => name,
            None => self.store.find_call_type(&message.call_type).await?.map_or_else(String::new, |(_, t)| t.name),
        };
        let state = self.state_of(id).await?;
        let protected = self.store.is_protected(id).await?;
        Ok(Some(Item { message, call_type, state, protected }))
    }
}

/// Its protocol holds it for a recap, now or later on, and none had it yet.
fn is_for_a_recap(state: &State) -> bool {
    let waits = matches!(state.phase, Phase::Open | Phase::Running | Phase::HeldForCheckIn | Phase::HeldForRecap);
    waits && state.protocol.steps.iter().any(|step| step.method == Method::HoldForRecap)
}

/// The report as pages. One that cannot be set is no reason to keep the email back, which says the same.
async fn paper(recap: &Recap, report: &Report) -> Option<Attached> {
    let (subject, blocks) = (report.subject.clone(), report.blocks.clone());
    match tokio::task::spawn_blocking(move || pdf::pages(&subject, &blocks)).await {
        Ok(octets) => Some(Attached { name: recap.file_name("pdf"), kind: "application/pdf", octets }),
        Err(_) => {
            tracing::error!(recap = %recap.id, code = "recap.no_pages", "a recap leaves without its pages");
            None
        }
    }
}

fn letter(account: &Account, recap: &Recap, n: usize, report: &Report, files: &[Attached]) -> Mail {
    let mail = &recap.mails[n];
    Mail {
        attempt: mail.attempt.clone(),
        from_name: account.name.clone(),
        to: mail.address.clone(),
        subject: report.subject.clone(),
        body: report.text.clone(),
        html: Some(report.html.clone()),
        attached: files.to_vec(),
        answers: None,
    }
}
