//! An operator dials out for an account, with no caller on the line: a call of its own, on record with the account and shown
//! with its caller ID, under the same rules as whatever else is dialled for it.
//!
//! What always holds: her own telephone is up before the number is dialled, and whom she spoke with hears music by then; a
//! call that she does not get comes to nobody else.

use std::sync::Arc;
use std::time::Duration;

use super::task::CallTask;
use super::task::outward::{Outward, OwnCall};
use super::view::Facts;
use super::{CallsHandle, CommandError};
use crate::base::id::{CallId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Account;
use crate::engine::feed::ContactRef;
use crate::io::store::calls::Direction;

/// Whom to call, and for whom.
#[derive(Clone, Debug)]
pub struct DialOrder {
    pub account: Account,
    pub to: PhoneNumber,
    pub contact: Option<ContactRef>,
    /// What the contact calls that telephone.
    pub label: Option<String>,
    pub ring: Duration,
}

impl CallsHandle {
    /// The operator has room for a call that she makes herself.
    ///
    /// # Errors
    /// Why not.
    pub async fn may_dial(&self, by: &UserId) -> Result<(), CommandError> {
        self.room_for(by).await?;
        self.may_turn_away(by)
    }

    /// Begins the call; its name.
    ///
    /// # Errors
    /// The seat has no room for it, or the operator cannot turn away from what she does.
    pub async fn dial_out(&self, order: DialOrder, by: &UserId) -> Result<CallId, CommandError> {
        let calls = &self.0;
        let started_at = calls.wiring.clock.utc();
        let id = CallId::fresh(started_at);
        self.room_for(by).await?;
        self.set_aside(&id, by).await?;
        let DialOrder { account, to, contact, label, ring } = order;
        let did = account.dids.first().or(account.caller_id.as_ref()).unwrap_or(&to).clone();
        let facts = Facts {
            id: id.clone(),
            account: Arc::new(account),
            did,
            caller: Some(to.clone()),
            forwarded_from: None,
            started: calls.wiring.clock.instant(),
            started_at,
            earlier: 0,
            rings_back: None,
        };
        calls.record_outward(&facts);
        metrics::counter!("cordboard_dialled_out_total").increment(1);
        let outward = Outward::Own(OwnCall { by: by.clone(), to, contact, label, ring });
        let live = Arc::clone(calls)
            .live(facts, Direction::Out, |calls, facts, inbox| CallTask::outward(calls, facts, outward, inbox));
        tokio::spawn(live);
        Ok(id)
    }
}
