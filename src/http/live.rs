//! The engine behind the front door: calls, seats and phones as they really are.

use std::net::SocketAddr;

use crate::base::id::{AccountId, AttemptId, CallId, UserId};
use crate::domain::account::Account;
use crate::domain::operator::skill::Skills;
use crate::engine::alarms::Alarms;
use crate::engine::calls::dial_out::DialOrder;
use crate::engine::calls::trial::MenuTrial;
use crate::engine::calls::{CallsHandle, Command, ListenMode};
use crate::engine::desk::DeskHandle;
use crate::engine::dispatcher::Dispatcher;
use crate::engine::feed::{FloorView, SeatView, UserRef};
use crate::engine::figures::FiguresHandle;
use crate::engine::registrar::RegistrarHandle;
use crate::engine::trunk::TrunkHandle;
use crate::io::net::WsFlow;
use crate::io::store::callbacks::Callback;

use super::error::as_sentence;
use super::state::{Answer, Board, Desk, NotNow, Phones};

/// Calls and seats of this process.
pub struct LiveDesk {
    pub calls: CallsHandle,
    pub desk: DeskHandle,
    pub dispatcher: Dispatcher,
    pub trunk: TrunkHandle,
    pub figures: FiguresHandle,
    pub alarms: Alarms,
}

/// A reason of the engine's as a sentence for an operator.
fn not_now(why: impl std::fmt::Display) -> NotNow {
    NotNow(as_sentence(why))
}

impl Desk for LiveDesk {
    fn board(&self, user: UserRef) -> Answer<'_, Option<Board>> {
        Box::pin(async {
            let (seat, queue) = self.desk.board(user).await?;
            let mut alarms = self.calls.alarms();
            alarms.extend(self.dispatcher.alarms());
            alarms.extend(self.trunk.alarms());
            alarms.extend(self.alarms.raised());
            alarms.sort_by_key(|alarm| alarm.at);
            Some(Board { seat, queue, calls: self.calls.views(), alarms })
        })
    }

    fn floor(&self) -> Answer<'_, Option<FloorView>> {
        Box::pin(async {
            let (seats, queue) = self.desk.floor().await?;
            Some(FloorView {
                seats,
                queue,
                calls: self.calls.views(),
                figures: self.figures.view(),
                answer_within_secs: self.figures.answer_within_secs(),
            })
        })
    }

    fn command(&self, call: CallId, by: UserId, command: Command) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async move { self.calls.command(&call, &by, command).await.map_err(not_now) })
    }

    fn dial_out(&self, order: DialOrder, by: UserId) -> Answer<'_, Result<CallId, NotNow>> {
        Box::pin(async move { self.calls.dial_out(order, &by).await.map_err(not_now) })
    }

    fn may_dial(&self, by: UserId) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async move { self.calls.may_dial(&by).await.map_err(not_now) })
    }

    fn job_of(&self, call: &CallId) -> Option<AttemptId> {
        self.calls.job_of(call).map(|job| job.attempt)
    }

    fn settle_job(&self, attempt: &AttemptId, outcome: &'static str) {
        // An error means that its call is over: the dispatcher knows all the same.
        let _ = self.calls.settle_job(attempt, outcome);
    }

    fn give_back_job(&self, attempt: &AttemptId) {
        // An error means that its call is over.
        let _ = self.calls.give_back_job(attempt);
    }

    fn seats(&self) -> Answer<'_, Vec<SeatView>> {
        Box::pin(self.desk.seats())
    }

    fn set_ready(&self, user: UserRef, ready: bool, reason: Option<String>) -> Answer<'_, Result<SeatView, NotNow>> {
        Box::pin(async move { self.desk.set_ready(user, ready, reason).await.map_err(not_now) })
    }

    fn heartbeat(&self, user: UserRef, typing: bool) {
        self.desk.heartbeat(user, typing);
    }

    fn skilled(&self, user: UserId, skills: Skills) {
        self.desk.skilled(user, skills);
    }

    fn check_media(&self, user: UserRef) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async move { self.calls.check_media(user).await.map_err(not_now) })
    }

    fn try_menu(&self, user: UserRef, trial: MenuTrial) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async move { self.calls.try_menu(user, trial).await.map_err(not_now) })
    }

    fn dictate(&self, user: UserRef, account: AccountId) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async move { self.calls.dictate(user, account).await.map_err(not_now) })
    }

    fn listen(&self, call: CallId, by: UserRef, mode: ListenMode) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async move { self.calls.listen(&call, by, mode).await.map_err(not_now) })
    }

    fn leave(&self, call: CallId, by: UserId) {
        self.calls.leave(&call, &by);
    }

    fn move_call(&self, call: CallId, by: UserId, to: Option<UserId>) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async move { self.calls.move_call(&call, &by, to).await.map_err(not_now) })
    }

    fn log_out(&self, user: UserId, by: UserRef) -> Answer<'_, bool> {
        Box::pin(async move { self.calls.log_out(&user, &by).await })
    }

    fn silence<'a>(&'a self, alarm: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            self.trunk.silence(alarm);
            self.calls.silence(alarm).await;
        })
    }

    fn ring_back(&self, callback: Callback, account: Account, by: UserId) -> Answer<'_, bool> {
        Box::pin(async move { self.calls.ring_back(callback, account, &by).await })
    }

    fn ring_now(&self, call: CallId, by: UserId) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async move { self.calls.ring_now(&call, &by).await.map_err(not_now) })
    }

    fn give_up_ringing(&self, call: CallId, by: UserId) -> Result<(), NotNow> {
        self.calls.give_up_ringing(&call, &by).map_err(not_now)
    }

    fn see_to(&self, call: CallId) {
        self.calls.see_to(&call);
    }

    fn listened(&self, call: CallId, by: UserId) -> Answer<'_, bool> {
        Box::pin(async move { self.calls.listened(&call, &by).await })
    }
}

impl Phones for RegistrarHandle {
    fn open(&self, peer: SocketAddr, secure: bool) -> Answer<'_, Option<WsFlow>> {
        Box::pin(async move { self.open_ws(peer, secure).await.ok() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_becomes_a_sentence() {
        assert_eq!(not_now("the caller has hung up"), NotNow("The caller has hung up.".into()));
    }
}
