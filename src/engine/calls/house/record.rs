//! What the drivers write down, keep and ask a store for: call log, promises to call back, check-in, greetings; nothing is stored.
//!
//! The same channel as of [`outside`](super::outside). What always holds: whoever asks gets an answer, the same to the same question.

use super::outside::{Did, Outside};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, ContactId, DispatchId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, Speech, StatusGreeting};
use crate::domain::call::outbound::AskPin;
use crate::domain::checkin::Marked;
use crate::domain::checkin::pin::Pin;
use crate::domain::ivr::digits::{Entered, SaidBack};
use crate::engine::calls::callbacks::Callbacks;
use crate::engine::calls::check_in::{Answer, CheckIns, DutyChange, Heard};
use crate::engine::calls::check_in_tests;
use crate::engine::calls::greetings::{Greetings, Spoken, Status};
use crate::engine::calls::outbound::Opened;
use crate::engine::calls::record::{CallLog, Line, NotWritten};
use crate::engine::legs::Later;
use crate::io::speech::Kept;
use crate::io::store::audit::Who;
use crate::io::store::callbacks::Callback;

impl CallLog for Outside {
    fn write<'a>(&'a self, lines: &'a [Line]) -> Later<'a, Result<(), NotWritten>> {
        Box::pin(async move {
            lines.iter().for_each(|line| self.did(Did::Wrote(line.clone())));
            Ok(())
        })
    }
}

/// Takes all promises but those of one account.
impl Callbacks for Outside {
    fn entered<'a>(&'a self, _call: &'a CallId) -> Later<'a, Vec<Entered>> {
        let entered = Entered {
            label: "policy number".to_owned(),
            field: None,
            digits: "00471".to_owned().into(),
            said_back: SaidBack::Confirmed,
        };
        Box::pin(async move { vec![entered] })
    }

    fn write<'a>(&'a self, callback: &'a Callback) -> Later<'a, Result<(), String>> {
        Box::pin(async move {
            if callback.did.as_e164().ends_with("85") {
                return Err("no room".to_owned());
            }
            self.did(Did::Kept(callback.clone()));
            if callback.end.is_some() {
                // Written, and whoever wrote it does not know yet.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            }
            Ok(())
        })
    }
}

impl CheckIns for Outside {
    fn look<'a>(
        &'a self,
        _account: &'a Account,
        _caller: Option<&'a PhoneNumber>,
        pin: &'a Pin,
        _now: UtcMs,
    ) -> Later<'a, Result<Answer, String>> {
        Box::pin(async move { check_in_tests::look(pin) })
    }

    fn vouched<'a>(
        &'a self,
        _account: &'a Account,
        contact: &'a ContactId,
        _now: UtcMs,
    ) -> Later<'a, Result<Answer, String>> {
        Box::pin(async move { Ok(check_in_tests::vouched(contact)) })
    }

    fn opens<'a>(
        &'a self,
        _account: &'a AccountId,
        _called: &'a PhoneNumber,
        _of: &'a AskPin,
        pin: &'a Pin,
        _now: UtcMs,
    ) -> Later<'a, Result<Opened, String>> {
        Box::pin(async move { check_in_tests::opens(pin) })
    }

    fn read<'a>(&'a self, dispatch: &'a DispatchId, to: &'a Who, _at: UtcMs) -> Later<'a, Result<(), String>> {
        Box::pin(async move {
            self.did(Did::Read(dispatch.clone(), to.clone()));
            Ok(())
        })
    }

    fn mark<'a>(&'a self, _account: &'a Account, heard: &'a Heard) -> Later<'a, Result<Marked, String>> {
        Box::pin(async move {
            self.did(Did::Heard(heard.clone()));
            Ok(Marked::Noted)
        })
    }

    fn put_on_call<'a>(&'a self, change: &'a DutyChange) -> Later<'a, Result<u32, String>> {
        Box::pin(async move {
            self.did(Did::OnCall(change.clone()));
            Ok(7)
        })
    }
}

impl Greetings for Outside {
    fn keep<'a>(&'a self, greeting: &'a Spoken) -> Later<'a, Result<Kept, String>> {
        Box::pin(async move {
            self.did(Did::KeptGreeting(greeting.clone()));
            let millis = u64::try_from(greeting.prompt.duration().as_millis()).expect("short");
            Ok(Kept { recording: "spoken".to_owned(), millis })
        })
    }

    fn put_up<'a>(&'a self, status: &'a Status) -> Later<'a, Result<(StatusGreeting, u32), String>> {
        Box::pin(async move {
            self.did(Did::PutUp(status.clone()));
            let speech = Speech::Uploaded { recording: "spoken".to_owned() };
            let up = StatusGreeting { speech, words: None, by: status.by.clone(), at: status.at, until: status.until };
            Ok((up, 8))
        })
    }

    fn take_down<'a>(
        &'a self,
        account: &'a AccountId,
        by: &'a str,
        _proven: &'a Who,
        _at: UtcMs,
    ) -> Later<'a, Result<u32, String>> {
        Box::pin(async move {
            self.did(Did::TakenDown(account.clone(), by.to_owned()));
            Ok(9)
        })
    }
}
