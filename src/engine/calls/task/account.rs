//! A call's task, as far as its account goes: which terms hold, whose number is shown, and the change to another account.

use std::sync::Arc;
use std::time::Duration;

use super::CallTask;
use crate::base::id::{CallTypeId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, Comfort, Speech, WhenOverdue};
use crate::domain::call::callback::CallbackTerms;
use crate::domain::call::{AccountChange, CommandError, OperatorCommand};
use crate::engine::calls::Calls;
use crate::engine::calls::view::Facts;

/// What the account offers to callers who wait.
pub(super) fn callback_terms(calls: &Calls, facts: &Facts, account: &Account) -> CallbackTerms {
    let queueing = &account.queueing;
    CallbackTerms {
        after: queueing.callback_after_secs.map(|secs| Duration::from_secs(secs.into())),
        when_overdue: queueing.when_overdue == WhenOverdue::Callback,
        number: facts.caller.clone(),
        numbering: calls.numbering.clone(),
    }
}

/// What waiting callers hear, in turn.
pub(super) fn comfort_of(account: &Account) -> Vec<Speech> {
    account.comfort.iter().flat_map(Comfort::speeches).cloned().collect()
}

/// Who says the answer phrase in her own voice.
pub(super) fn phrases_of(account: &Account) -> Vec<(UserId, Speech)> {
    account.answer_phrases.iter().map(|phrase| (phrase.operator.clone(), phrase.speech.clone())).collect()
}

/// How long the operator may take to wrap up.
pub(super) fn wrap_up_of(account: &Account) -> Option<Duration> {
    account.queueing.wrap_up_secs.map(|secs| Duration::from_secs(secs.into()))
}

/// The ranks of those of its call types that have one.
pub(super) fn ranks_of(account: &Account) -> Vec<(CallTypeId, i32)> {
    let ranked = account.call_types.iter().filter_map(|there| Some((there.id.clone(), there.priority?)));
    ranked.collect()
}

/// How long one operator is offered a call.
pub(super) fn ring_of(account: &Account) -> Duration {
    Duration::from_secs(account.ring_secs.max(1).into())
}

/// How long two may talk on their own.
pub(super) fn patch_limit_of(account: &Account) -> Option<Duration> {
    account.patching.max_secs.map(|secs| Duration::from_secs(secs.into()))
}

impl CallTask {
    /// What this operator has recorded is ready before she answers: the caller hears it at once.
    pub(super) fn make_phrase_ready(&self, user: &UserId) {
        if let Some(phrase) = self.facts.account.answer_phrases.iter().find(|phrase| phrase.operator == *user) {
            self.mixer.make_ready(&phrase.speech);
        }
    }

    /// The call goes on as another account's: its words, numbers and limits hold from now on.
    pub(super) fn change_account(&mut self, by: &UserId, account: Arc<Account>) -> Result<(), CommandError> {
        let change = AccountChange {
            from: self.facts.account.id.clone(),
            to: account.id.clone(),
            priority: account.priority,
            ranks: ranks_of(&account),
            overdue: account.hours.overdue.clone(),
            apology: account.apology.clone(),
            comfort: comfort_of(&account),
            ring: ring_of(&account),
            wrap_up: wrap_up_of(&account),
            callback: callback_terms(&self.calls, &self.facts, &account),
            recording: account.recording.clone(),
            patch_limit: patch_limit_of(&account),
        };
        let followed = self.call.command(self.now(), by, OperatorCommand::ChangeAccount(Box::new(change)));
        if followed.is_ok() {
            self.mixer.make_ready(&account.apology);
            self.mixer.set_music(&account.queueing.music);
            self.facts.account = account;
            self.facts.earlier = 0;
            self.contact = None;
            self.calls.count_earlier(&self.facts);
        }
        self.carry_out();
        followed
    }

    /// What those see whom we call in this call: a number of its account, and of no other that the caller may have dialled.
    pub(super) fn caller_id(&self) -> Option<PhoneNumber> {
        let account = &self.facts.account;
        let dialled = Some(&self.facts.did).filter(|did| account.dids.contains(did));
        let own = account.caller_id.as_ref().or(dialled).or_else(|| account.dids.first());
        // An account without a number was called by somebody all the same, but for calls that begin at our side.
        own.or_else(|| self.outward.is_none().then_some(&self.facts.did)).cloned()
    }
}
