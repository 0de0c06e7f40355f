//! What operators see of dispatches: whole views on the feed, and alarms for what needs an operator.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use super::Dispatcher;
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, DispatchId, MessageId};
use crate::domain::account::Account;
use crate::domain::dispatch::board;
use crate::domain::dispatch::event::{Entry, Note};
use crate::domain::dispatch::recurring::with_counted;
use crate::domain::dispatch::reference;
use crate::domain::dispatch::state::{Phase, State, Trouble};
use crate::domain::dispatch::timeline;
use crate::domain::message::{Message, render};
use crate::engine::feed::{
    AccountRef, AlarmLevel, AlarmView, ContactRef, DispatchView, FeedEvent, LineView, PatchOfferView,
};
use crate::io::store::StoreError;
use crate::io::store::inbound::Inbound;

/// Characters of a stranger's text that an alarm shows.
const MAX_WORDS: usize = 400;
/// A dispatch that is over is found by its reference for so long after it began.
const NAMED_FOR_MS: i64 = 14 * 86_400_000;
/// Open dispatches shown at most.
const MAX_SHOWN: u32 = 500;

impl Dispatcher {
    /// A dispatch as operators see it.
    pub async fn find_view(&self, id: &DispatchId) -> Result<Option<DispatchView>, StoreError> {
        match self.inner.store.find_dispatch(id).await? {
            Some(read) => self.view(&read.state).await,
            None => Ok(None),
        }
    }

    /// The dispatch of a message as operators see it; `None` also if it cannot be read.
    pub async fn find_view_of_message(&self, message: &MessageId) -> Result<Option<DispatchView>, StoreError> {
        match self.inner.store.find_dispatch_of_message(message).await? {
            Some(id) => self.find_readable_view(&id).await,
            None => Ok(None),
        }
    }

    /// One that cannot be read hides nothing else; the alarm of it stands beside the rest.
    pub(super) async fn find_readable_view(&self, id: &DispatchId) -> Result<Option<DispatchView>, StoreError> {
        match self.find_view(id).await {
            Ok(view) => Ok(view),
            Err(error) => {
                self.inner.store.ping().await?;
                tracing::error!(dispatch = %id, code = error.code(), "a dispatch cannot be shown");
                Ok(None)
            }
        }
    }

    /// Open dispatches, as many as are shown: those that need an operator first, held ones last, each oldest first.
    pub async fn list_open_views(&self) -> Result<Vec<DispatchView>, StoreError> {
        let mut views = Vec::new();
        for id in self.inner.store.list_open_dispatches(MAX_SHOWN).await? {
            views.extend(self.find_readable_view(&id).await?);
        }
        Ok(views)
    }

    /// Dispatches that a person who calls back may mean by this reference: the open ones first, then those that are over, as
    /// somebody else may have seen to it since it was left on their voicemail.
    pub async fn list_views_of_reference(&self, named: &str) -> Result<Vec<DispatchView>, StoreError> {
        let since = self.inner.clock.utc().plus_ms(-NAMED_FOR_MS);
        let open = self.inner.store.list_open_dispatches(u32::MAX).await?;
        let closed = self.inner.store.list_closed_dispatches(since).await?;
        let mut views = Vec::new();
        for id in open.iter().chain(&closed).filter(|id| reference::of(id) == named) {
            views.extend(self.find_readable_view(id).await?);
        }
        Ok(views)
    }

    /// Alarms that sound now.
    pub fn alarms(&self) -> Vec<AlarmView> {
        self.inner.alarms.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Raises an alarm about something beside dispatches; whoever has seen to it takes it back.
    pub fn alarm(&self, id: String, level: AlarmLevel, text: String) {
        self.raise(id, level, text, None);
    }

    /// Its cause is gone.
    pub fn unalarm(&self, id: &str) {
        self.take_back(id);
    }

    pub(super) fn take_back(&self, alarm: &str) {
        let gone = self.inner.alarms.lock().unwrap_or_else(PoisonError::into_inner).remove(alarm);
        if gone.is_some() {
            self.inner.feed.publish(FeedEvent::AlarmGone { id: alarm.to_owned() });
        }
    }

    async fn view(&self, state: &State) -> Result<Option<DispatchView>, StoreError> {
        let account = self.inner.store.find_account(&state.account).await?;
        let message = self.inner.store.find_message(&state.message).await?;
        let (Some(account), Some(message)) = (account, message) else { return Ok(None) };
        let entries = self.inner.store.list_dispatch_entries(&state.id).await?;
        Ok(Some(self.drawn(state, &account, &message, &entries)))
    }

    fn drawn(&self, state: &State, account: &Account, message: &Message, entries: &[Entry]) -> DispatchView {
        let history = with_counted(entries, state);
        let timeline: Vec<LineView> = history
            .iter()
            .map(|entry| {
                let (kind, text) = timeline::sentence(entry, &account.zone);
                LineView { at: entry.at, kind: kind.to_owned(), text, who: entry.who.clone() }
            })
            .collect();
        let next = timeline::next_by_name(state, entries, &account.zone).map(|(at, text)| LineView {
            at,
            kind: "next".to_owned(),
            text,
            who: None,
        });
        // What comes next is said by `next`; here stands what was done.
        let mut done = history.iter().zip(&timeline).rev();
        let last = done.find(|(entry, line)| line.kind != "waiting" && board::may_be_last(&entry.note));
        let ends = history.iter().zip(&timeline).rev().find(|(entry, _)| matches!(entry.note, Note::Closed { .. }));
        // One of before it ended, as by a yes after it was delivered, does not say how it ended. A caller put through to somebody else
        // after that does.
        let is_its_end = |entry: &Entry| state.closed_at.is_some_and(|at| entry.at >= at);
        let ended = ends.filter(|(entry, _)| is_its_end(entry)).map(|(_, line)| line.clone());
        let confirmed = matches!(state.phase, Phase::Confirmed | Phase::Told | Phase::Patched | Phase::ReadAtCheckIn);
        DispatchView {
            id: state.id.clone(),
            message: state.message.clone(),
            reference: reference::of(&state.id),
            reference_left: board::is_reference_left(entries),
            edition: message.edition,
            headline: render::headline(message),
            account: AccountRef::from(account),
            state: state.phase.name().to_owned(),
            moves: state.moves(),
            protocol: state.protocol.id.clone(),
            step: board::step(state),
            urgency: state.urgency,
            needs_operator: state.needs_operator(),
            waits_for_yes: state.waits_for_yes(),
            not_handed_over: state.is_not_handed_over(),
            alarm: state.troubles.iter().next_back().map(timeline::trouble_words),
            alarm_at: board::alarm_at(state, entries),
            opened_at: state.open_at,
            held_since: state.held_since().filter(|_| state.waits_for_check_in()),
            closed_at: state.closed_at,
            undo_until: (state.phase == Phase::Open).then_some(state.open_at),
            lock: if state.closed_at.is_none() { self.find_lock(&state.id) } else { None },
            last: last.map(|(_, line)| line.clone()),
            next,
            ended,
            next_brief: board::next_brief(state, entries),
            confirmed_by: state.closed_by.clone().filter(|_| confirmed),
            patches: patches(state),
            timeline,
        }
    }

    /// Draws views of few reads. One that cannot be made now is made at the next change.
    pub(super) async fn draw(&self, states: &[&State]) {
        if let [state] = states {
            return self.show_whole(state).await;
        }
        if let Err(error) = self.show_together(states).await {
            tracing::warn!(code = error.code(), "dispatches cannot be shown together: one by one");
            for state in states {
                self.show_whole(state).await;
            }
        }
    }

    async fn show_together(&self, states: &[&State]) -> Result<(), StoreError> {
        let accounts: BTreeSet<&AccountId> = states.iter().map(|state| &state.account).collect();
        let accounts: Vec<AccountId> = accounts.into_iter().cloned().collect();
        let messages: Vec<MessageId> = states.iter().map(|state| state.message.clone()).collect();
        let ids: Vec<DispatchId> = states.iter().map(|state| state.id.clone()).collect();
        let store = &self.inner.store;
        let accounts = store.find_accounts(&accounts).await?;
        let accounts: BTreeMap<&AccountId, &Account> = accounts.iter().map(|account| (&account.id, account)).collect();
        let messages = store.find_messages(&messages).await?;
        let messages: BTreeMap<&MessageId, &Message> = messages.iter().map(|message| (&message.id, message)).collect();
        let entries = store.list_entries_of(&ids).await?;
        for state in states {
            let (Some(account), Some(message)) = (accounts.get(&state.account), messages.get(&state.message)) else {
                continue;
            };
            let entries = entries.get(&state.id).map_or(&[][..], Vec::as_slice);
            // A fault of ours over one hides no other.
            match catch_unwind(AssertUnwindSafe(|| self.drawn(state, account, message, entries))) {
                Ok(view) => self.inner.feed.publish(FeedEvent::Dispatch { dispatch: Box::new(view.for_all()) }),
                Err(_) => tracing::error!(dispatch = %state.id, "a dispatch cannot be shown by a fault of ours"),
            }
        }
        Ok(())
    }

    /// Raises the alarm of a dispatch, or takes it back.
    pub(super) fn sound(&self, state: &State) {
        self.sound_unopened(state);
        match state.troubles.iter().next_back() {
            Some(worst) => {
                let level = match worst {
                    Trouble::TextUnplaced { .. }
                    | Trouble::MailUnplaced { .. }
                    | Trouble::Wrote { .. }
                    | Trouble::Unreachable { .. }
                    | Trouble::Stopped { .. }
                    | Trouble::SpokeUnconfirmed { .. }
                    | Trouble::AcceptedUnheard { .. }
                    | Trouble::WrongPins { .. } => AlarmLevel::Warning,
                    _ => AlarmLevel::Critical,
                };
                self.raise(alarm_name(&state.id), level, timeline::trouble_words(worst), Some(state.id.clone()));
            }
            None => self.take_back(&alarm_name(&state.id)),
        }
    }

    async fn show_whole(&self, state: &State) {
        match self.view(state).await {
            Ok(Some(view)) => self.inner.feed.publish(FeedEvent::Dispatch { dispatch: Box::new(view.for_all()) }),
            Ok(None) => {}
            Err(error) => tracing::error!(dispatch = %state.id, code = error.code(), "a dispatch cannot be shown"),
        }
    }

    pub(super) fn raise(&self, id: String, level: AlarmLevel, text: String, dispatch: Option<DispatchId>) {
        self.raise_about(id, level, text, dispatch, None);
    }

    /// The same, leading to a message whose dispatch may be over.
    pub(super) fn raise_about(
        &self,
        id: String,
        level: AlarmLevel,
        text: String,
        dispatch: Option<DispatchId>,
        message: Option<MessageId>,
    ) {
        self.raise_since(self.inner.clock.utc(), id, level, text, dispatch, message);
    }

    /// The same of what began at `at`: a start raises it again, and it is no younger for that.
    pub(super) fn raise_since(
        &self,
        at: UtcMs,
        id: String,
        level: AlarmLevel,
        text: String,
        dispatch: Option<DispatchId>,
        message: Option<MessageId>,
    ) {
        let mut alarms = self.inner.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        if alarms.get(&id).is_some_and(|known| known.text == text && known.level == level) {
            return;
        }
        // A dispatch takes its own alarm back when the cause is gone; nothing else would these.
        let dismissible = dispatch.as_ref().is_none_or(|dispatch| alarm_name(dispatch) != id);
        let alarm = AlarmView { id: id.clone(), level, text, at, dispatch, message, call: None, dismissible };
        alarms.insert(id, alarm.clone());
        drop(alarms);
        metrics::counter!("cordboard_alarms_total", "part" => "dispatch").increment(1);
        self.inner.feed.publish(FeedEvent::Alarm { alarm });
    }

    pub(super) fn alarm_of_repair(&self, state: &State) {
        let text = "A dispatch had no time to wake at. It goes on now; tell the engineer.".to_owned();
        self.raise(format!("repair:{}", state.id), AlarmLevel::Critical, text, Some(state.id.clone()));
    }

    pub(super) fn alarm_of_stuck(&self, id: &DispatchId) {
        let text = "A dispatch cannot be read or saved and stands still. It is tried again every minute; \
                    see to its message by hand and tell the engineer."
            .to_owned();
        self.raise(stuck_name(id), AlarmLevel::Critical, text, Some(id.clone()));
    }

    /// It works again.
    pub(super) fn unstuck(&self, id: &DispatchId) {
        self.take_back(&stuck_name(id));
    }

    /// An urgent message that nobody took from the caller, and that nobody is told of.
    pub fn alarm_of_unsent(&self, message: &Message, account: &Account) {
        let text = format!(
            "{}: an urgent voicemail has no protocol, so nobody is told of it: see to the message by hand, and give its \
             call type a protocol.",
            account.name
        );
        self.raise(format!("unsent:{}", message.id), AlarmLevel::Critical, text, None);
    }

    pub(super) fn alarm_of_arrival(&self, inbound: &Inbound) {
        let text = "Something that came in cannot be applied. It is tried again every minute; tell the engineer.";
        let id = format!("arrival:{}:{}", inbound.provider, inbound.provider_msg_id);
        self.raise(id, AlarmLevel::Critical, text.to_owned(), None);
    }

    pub(super) fn alarm_of_unreadable(&self, provider: &str, id: &str) {
        let text = "Something that came in cannot be read and was laid aside; tell the engineer.".to_owned();
        self.raise(format!("unreadable:{provider}:{id}"), AlarmLevel::Critical, text, None);
    }

    pub(super) fn alarm_of_stop(&self, inbound: &Inbound, name: &str) {
        let text = format!("{name} asked for no more texts (STOP). Texts to them fail until they send START.");
        let id = format!("stop:{}:{}", inbound.provider, inbound.provider_msg_id);
        self.raise_since(inbound.received_at, id, AlarmLevel::Warning, text, None, None);
    }
}

/// Whom the operator with the caller is asked to ring for them.
fn patches(state: &State) -> Vec<PatchOfferView> {
    let open = state.attempts.iter().filter(|a| a.in_flight_since.is_some() && state.phase.is_open());
    let offers = open.filter_map(|a| {
        let patch = a.patch.as_ref()?;
        Some(PatchOfferView {
            call: state.on_call.clone()?,
            contact: ContactRef { id: a.contact.clone()?, name: a.name.clone() },
            destination: a.label.clone(),
            begun: patch.begun,
            until: patch.due_at,
        })
    });
    offers.collect()
}

/// A stranger's words, cut to what an alarm shows.
pub(super) fn quoted(body: &str) -> String {
    let shown: String = body.chars().take(MAX_WORDS).collect();
    let more = if shown.len() < body.len() { "…" } else { "" };
    format!("\u{201c}{shown}{more}\u{201d}")
}

fn alarm_name(id: &DispatchId) -> String {
    format!("dispatch:{id}")
}

fn stuck_name(id: &DispatchId) -> String {
    format!("stuck:{id}")
}
