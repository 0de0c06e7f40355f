//! PINs that are pressed on call-outs: those of check-ins, with their limits.
//!
//! What always holds: a try is counted at the telephone that was called, whoever called it, so wrong ones lock nobody else's;
//! no PIN stands in a log line, in a record or in the store; nobody learns by telephone whether it was the PIN or the limit.

use std::sync::Arc;

use serde_json::Value;

use super::OutTask;
use crate::base::clock::UtcMs;
use crate::base::id::AccountId;
use crate::base::phone::PhoneNumber;
use crate::domain::call::outbound::{AskPin, PinLooked};
use crate::domain::checkin::pin::Pin;
use crate::engine::calls::alarm_text;
use crate::engine::calls::record::Line;
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::calls::PINS_LOCKED;
use crate::io::store::check_in::{PinFrom, Tried};
use crate::io::store::{Store, StoreError};

/// What the store says of a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    Right,
    /// Not that person's, or one too many. `limit`: this one reached it.
    Wrong {
        limit: bool,
    },
}

/// Whether a PIN shows that whoever answers this telephone may hear what is for `of`; on the audit log either way.
pub(in crate::engine::calls) async fn opens(
    store: &Store,
    account: &AccountId,
    called: &PhoneNumber,
    of: &AskPin,
    pin: &Pin,
    now: UtcMs,
) -> Result<Opened, StoreError> {
    let from = PinFrom::Called { number: called, people: of.contact.as_slice() };
    let mut tx = store.write().await?;
    match tx.try_pin(account, from, pin, now).await? {
        Tried::Right(found) => {
            let who = found.contact.map_or_else(|| Who::Account(account.clone()), Who::Contact);
            tx.audit(Entry::new(now, who, Act::CallOutOpened, account.to_string()));
            tx.commit("call_out_opened").await?;
            Ok(Opened::Right)
        }
        refused => {
            tx.audit(Entry::new(now, Who::Nobody, Act::CallOutRefused, account.to_string()));
            tx.commit("call_out_refused").await?;
            Ok(Opened::Wrong { limit: refused == Tried::Wrong { locks: true } })
        }
    }
}

impl OutTask {
    /// Asks whose PIN it is; the answer comes as one of `looked`.
    pub(super) fn look(&self, of: AskPin, pin: Pin) {
        let Some(account) = self.first.account.clone() else {
            // The house's own messages ask for none.
            let _ = self.looks.send(PinLooked::Failed);
            return;
        };
        let (calls, looks) = (Arc::clone(&self.calls), self.looks.clone());
        let (id, called) = (self.id.clone(), self.first.to.clone());
        tokio::spawn(async move {
            let at = calls.wiring.clock.utc();
            let asked = calls.check_ins.opens(&account, &called, &of, &pin, at);
            let looked = match calls.in_time(&id, asked).await {
                Some(Opened::Right) => PinLooked::Right,
                Some(Opened::Wrong { limit }) => {
                    metrics::counter!("cordboard_wrong_pins_total").increment(1);
                    if limit {
                        tracing::warn!(call = %id, %account, "too many wrong PINs on call-outs: none is taken there for an hour");
                        let (call, kind, body) =
                            (id.clone(), PINS_LOCKED.to_owned(), Value::Object(Default::default()));
                        // After a start it is told again by this.
                        calls.recorder.write(Line::Event { call, at, kind, body });
                        calls.raise_of_pins(alarm_text::wrong_pins_called(&called), &id, at);
                    }
                    PinLooked::Wrong
                }
                None => PinLooked::Failed,
            };
            // An error means that the call is over.
            let _ = looks.send(looked);
        });
    }
}
