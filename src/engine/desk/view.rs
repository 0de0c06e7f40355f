//! What the desk shows: seats and queue, to the feed as they change and to whoever asks.
//!
//! Decides nothing. What always holds: what has not changed is not shown again, and keeps the times it was shown with.

use std::time::Instant;

use super::Desk;
use crate::base::clock::UtcMs;
use crate::base::id::UserId;
use crate::domain::operator::{Phone, State};
use crate::engine::feed::{FeedEvent, QueueView, SeatState, SeatView, UserRef, WaitingView};

impl Desk {
    pub(super) fn show(&mut self) {
        for user in self.seats.keys().cloned().collect::<Vec<_>>() {
            let view = self.seat_view(&user);
            if let Some(one) = self.seats.get_mut(&user)
                && one.shown.as_ref() != Some(&view)
            {
                one.shown = Some(view.clone());
                self.feed.publish(FeedEvent::Seat { seat: view });
            }
        }
        let queue = self.queue_view();
        if queue != self.shown_queue {
            self.shown_queue = queue.clone();
            self.feed.publish(FeedEvent::Queue { queue });
        }
    }

    pub(super) fn seat_view(&self, user: &UserId) -> SeatView {
        let Some(one) = self.seats.get(user) else {
            let user = UserRef { id: user.clone(), name: String::new() };
            let (state, since) = (SeatState::Offline, self.clock.utc());
            let calls = Vec::new();
            return SeatView {
                user,
                state,
                reason: None,
                since,
                phone: false,
                desk_phone: false,
                checked: false,
                calls,
                aside: false,
                sent_home: false,
                skills: Vec::new(),
            };
        };
        let seat = &one.seat;
        let since = match &one.shown {
            // Two clocks read twice differ by a little: an unchanged seat keeps the time it was shown with.
            Some(shown)
                if shown.state == state_of(seat.state()) && (shown.since.since(self.utc(seat.since()))).abs() < 50 =>
            {
                shown.since
            }
            _ => self.utc(seat.since()),
        };
        SeatView {
            user: one.who.clone(),
            state: state_of(seat.state()),
            reason: seat.reason().map(str::to_owned),
            since,
            phone: seat.phone(),
            desk_phone: seat.phone_to_ring() == Some(Phone::DeskPhone),
            checked: seat.checked(),
            calls: seat.calls().cloned().collect(),
            aside: seat.is_aside(),
            sent_home: seat.is_sent_home(),
            skills: self.skills.get(user).into_iter().flatten().cloned().collect(),
        }
    }

    pub(super) fn queue_view(&self) -> QueueView {
        let count = |state: State| self.seats.values().filter(|one| one.seat.state() == state).count();
        let waiting = self.queue.waiting().into_iter().filter_map(|ticket| {
            let shown = self.waiting.get(&ticket.call)?;
            Some(WaitingView {
                call: ticket.call.clone(),
                account: shown.account.clone(),
                since: shown.rang_at,
                back_since: shown.back_since,
                priority: ticket.terms.priority,
                skills: ticket.terms.skills.iter().cloned().collect(),
                ring_back: shown.ring_back,
            })
        });
        QueueView { waiting: waiting.collect(), ready: count(State::Ready), talking: count(State::Talking) }
    }

    fn utc(&self, at: Instant) -> UtcMs {
        let ago = self.clock.instant().saturating_duration_since(at).as_millis();
        self.clock.utc().plus_ms(-i64::try_from(ago).unwrap_or(0))
    }
}

const fn state_of(state: State) -> SeatState {
    match state {
        State::Offline => SeatState::Offline,
        State::NotReady => SeatState::NotReady,
        State::Ready => SeatState::Ready,
        State::Offered => SeatState::Offered,
        State::Talking => SeatState::Talking,
        State::WrapUp => SeatState::WrapUp,
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
