//! Whose number was dialled, and the voice that speaks to callers; both by numbers and words that ask for something else.
//!
//! Reads no store and runs no engine. What always holds: the same number is the same account.

use std::sync::Arc;

use super::number;
use crate::base::clock::UtcMs;
use crate::base::id::AccountId;
use crate::base::phone::PhoneNumber;
use crate::domain::account::patching::{Found, Whom};
use crate::domain::account::{Account, LeaveMessage, Speech};
use crate::engine::calls::book::Accounts;
use crate::engine::calls::{flow_tests, patch_tests, queue_tests, recording_tests, ring_back_tests};
use crate::engine::feed::RingsBackView;
use crate::engine::legs::{Later, Voice};
use crate::io::media::prompt::Prompt;

/// Speaks everything at once, but for words that say otherwise: those that are stuck never come.
pub(super) struct Mouth;

impl Voice for Mouth {
    fn prompt(&self, speech: &Speech) -> Option<Arc<Prompt>> {
        let Speech::Spoken { text } = speech else { return None };
        assert!(text != "panic", "the voice was told to panic");
        (text != "mute" && !is_stuck(speech)).then(crate::engine::mixer::tone)
    }

    fn prepare<'a>(&'a self, speech: &'a Speech) -> Later<'a, Result<Arc<Prompt>, String>> {
        Box::pin(async move {
            if is_stuck(speech) {
                std::future::pending::<()>().await;
            }
            self.prompt(speech).ok_or_else(|| "no engine".to_owned())
        })
    }

    fn prepare_once<'a>(&'a self, speech: &'a Speech) -> Later<'a, Result<Arc<Prompt>, String>> {
        self.prepare(speech)
    }
}

fn is_stuck(speech: &Speech) -> bool {
    matches!(speech, Speech::Spoken { text } if text.contains("stuck"))
}

pub(super) struct Book(pub(super) String);

impl Accounts for Book {
    fn find_by_did<'a>(&'a self, did: &'a PhoneNumber) -> Later<'a, Result<Option<Arc<Account>>, String>> {
        let greeting = if did.as_e164().ends_with("66") { "panic" } else { &self.0 };
        let spoken = |text: &str| Speech::Spoken { text: text.to_owned() };
        let account = Account {
            id: AccountId::named("plumbing"),
            name: "Imaginary Plumbing".into(),
            zone: "America/New_York".into(),
            color: "#123456".into(),
            answer_phrase: "Imaginary Plumbing, how may I help?".into(),
            notes: String::new(),
            faq: Vec::new(),
            greeting: spoken(greeting),
            apology: spoken("apology"),
            comfort: queue_tests::comfort(did),
            dids: vec![did.clone()],
            caller_id: None,
            priority: 0,
            ring_secs: 20,
            max_wait_secs: 120,
            undo_secs: 5,
            secure: Default::default(),
            mail: Default::default(),
            leave_message: LeaveMessage::default(),
            recording: recording_tests::policy(did),
            queueing: queue_tests::queueing(did),
            patching: patch_tests::patching(did),
            hours: flow_tests::hours(did),
            menus: flow_tests::menus(),
            ages: Default::default(),
            status_greeting: None,
            answer_phrases: Vec::new(),
            call_types: vec![],
        };
        Box::pin(async move { Ok((!did.as_e164().ends_with("99")).then(|| Arc::new(account))) })
    }

    fn find_account<'a>(&'a self, id: &'a AccountId) -> Later<'a, Result<Option<Arc<Account>>, String>> {
        Box::pin(async move {
            let found = self.find_by_did(&number("+12025550184")).await?;
            Ok(found.map(|account| Arc::new(Account { id: id.clone(), ..Account::clone(&account) })))
        })
    }

    fn count_earlier<'a>(&'a self, _account: &'a AccountId, _caller: &'a PhoneNumber) -> Later<'a, u32> {
        Box::pin(async { 3 })
    }

    fn find_people<'a>(
        &'a self,
        _account: &'a AccountId,
        whom: &'a [Whom],
        _now: UtcMs,
    ) -> Later<'a, Result<Vec<Found>, String>> {
        Box::pin(async { Ok(patch_tests::find(whom)) })
    }

    fn find_who_rings_back<'a>(&'a self, caller: &'a PhoneNumber) -> Later<'a, Option<RingsBackView>> {
        Box::pin(async move { ring_back_tests::asked(caller) })
    }
}
