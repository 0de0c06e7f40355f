//! Alarms about trunks: shown on every desk, and kept for consoles that come later.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::clock::SharedClock;
use crate::engine::feed::{AlarmLevel, AlarmView, Feed, FeedEvent};

/// Trunks that do not answer.
pub const DOWN: &str = "trunks_down";
/// Trunks whose carrier does not have us registered.
pub const UNREGISTERED: &str = "trunks_unregistered";
/// Trunks whose carrier takes no calls of ours.
pub const REFUSING: &str = "trunks_refusing";
/// Trunks over which no call of ours rings.
pub const MUTE: &str = "trunks_mute";
/// Refusals that look like toll fraud.
pub const TOLL: &str = "trunks_toll";

pub struct Alarms {
    feed: Feed,
    clock: SharedClock,
    standing: Mutex<BTreeMap<&'static str, AlarmView>>,
}

impl Alarms {
    pub fn new(feed: Feed, clock: SharedClock) -> Self {
        Self { feed, clock, standing: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, AlarmView>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn list(&self) -> Vec<AlarmView> {
        self.lock().values().cloned().collect()
    }

    /// Shows it; instead of the one of the same name, if its words differ. True if it did not stand so already.
    pub fn raise(&self, id: &'static str, level: AlarmLevel, text: String) -> bool {
        let mut standing = self.lock();
        if standing.get(id).is_some_and(|known| known.text == text && known.level == level) {
            return false;
        }
        let (at, dismissible) = (self.clock.utc(), matches!(id, TOLL | REFUSING | MUTE));
        let (dispatch, message, call) = (None, None, None);
        let alarm = AlarmView { id: id.to_owned(), level, text, at, dispatch, message, call, dismissible };
        standing.insert(id, alarm.clone());
        drop(standing);
        metrics::counter!("cordboard_alarms_total", "part" => "trunk").increment(1);
        self.feed.publish(FeedEvent::Alarm { alarm });
        true
    }

    pub fn take_back(&self, id: &str) {
        let gone = self.lock().remove(id).is_some();
        if gone {
            self.feed.publish(FeedEvent::AlarmGone { id: id.to_owned() });
        }
    }

    /// A person has seen to it; true if it was one that a person may take back.
    pub fn silence(&self, id: &str) -> bool {
        let dismissed = self.lock().get(id).is_some_and(|alarm| alarm.dismissible);
        if dismissed {
            self.take_back(id);
        }
        dismissed
    }
}
