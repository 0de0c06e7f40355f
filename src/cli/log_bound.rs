//! How often one line of the program may speak in the log: a flood, a store that fails, a dialler that tries every number must
//! not fill the disk with one sentence and hide all others.
//!
//! Each place in the program may say [`MOST`] lines a second. What is beyond is left out, counted by the metric
//! `cordboard_log_lines_left_out_total`, and told of within a second or two. A layer of the log, asked for each line that would
//! be written; it looks at where a line comes from, never at what it says. Libraries that speak by `log` are one place a level.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Event, Metadata, Subscriber, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use cordboard::base::clock::SharedClock;

/// Lines a second of one place.
const MOST: u32 = 20;
const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Place {
    /// File and line.
    name: &'static str,
    began: Instant,
    said: u32,
    left_out: u32,
}

/// Counts what each place says. Clones count together.
#[derive(Clone, Debug)]
pub struct LogBound {
    clock: SharedClock,
    places: Arc<Mutex<HashMap<Identifier, Place>>>,
    /// A thread tells what is left out, until nothing is any more.
    telling: Arc<AtomicBool>,
}

impl LogBound {
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, places: Arc::default(), telling: Arc::default() }
    }

    /// Whether this place may say one more line now.
    fn may_say(&self, place: &'static Metadata<'static>) -> bool {
        let now = self.clock.instant();
        let mut places = self.lock();
        let name = place.name();
        let known = places.entry(place.callsite()).or_insert(Place { name, began: now, said: 0, left_out: 0 });
        if now.saturating_duration_since(known.began) >= SECOND {
            (known.began, known.said) = (now, 0);
        }
        if known.said < MOST {
            known.said += 1;
            return true;
        }
        known.left_out = known.left_out.saturating_add(1);
        false
    }

    /// What was left out since this was asked last: where, and how many lines.
    fn left_out(&self) -> Vec<(&'static str, u32)> {
        let mut places = self.lock();
        let told = places.values_mut().filter(|place| place.left_out > 0);
        told.map(|place| (place.name, std::mem::take(&mut place.left_out))).collect()
    }

    fn leaves_out(&self) -> bool {
        self.lock().values().any(|place| place.left_out > 0)
    }

    /// Tells of it from a thread of its own, as a line cannot be written from within another.
    fn tell_soon(&self) {
        if self.telling.swap(true, Ordering::SeqCst) {
            return;
        }
        let bound = self.clone();
        let started = thread::Builder::new().name("log-bound".to_owned()).spawn(move || {
            loop {
                thread::sleep(SECOND);
                let left_out = bound.left_out();
                if left_out.is_empty() {
                    bound.telling.store(false, Ordering::SeqCst);
                    // One may have been left out between the look and the word, and found that somebody tells.
                    if !bound.leaves_out() || bound.telling.swap(true, Ordering::SeqCst) {
                        return;
                    }
                }
                for (place, lines) in left_out {
                    metrics::counter!("cordboard_log_lines_left_out_total").increment(u64::from(lines));
                    warn!(place, lines, "so many lines like those before were left out of the log");
                }
            }
        });
        if started.is_err() {
            self.telling.store(false, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Identifier, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for LogBound {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let may = self.may_say(event.metadata());
        if !may {
            self.tell_soon();
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use cordboard::base::clock::{TestClock, UtcMs};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<u32>>);

    impl<S: Subscriber> Layer<S> for Lines {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            *self.0.lock().unwrap() += 1;
        }
    }

    #[test]
    fn a_flood_of_one_line_is_cut_counted_and_hides_no_other() {
        let (clock, lines) = (TestClock::at(UtcMs(0)), Lines::default());
        let bound = LogBound::new(Arc::new(clock.clone()));
        // Told by hand here.
        bound.telling.store(true, Ordering::Relaxed);
        let log = tracing_subscriber::registry().with(bound.clone()).with(lines.clone());
        let said = || std::mem::take(&mut *lines.0.lock().unwrap());
        tracing::subscriber::with_default(log, || {
            let flood = |times| (0..times).for_each(|_| warn!("a call came in"));
            flood(500);
            assert_eq!(said(), MOST);
            warn!("the store fails");
            assert_eq!(said(), 1, "another place has its own");
            clock.advance(SECOND);
            flood(3);
            assert_eq!(said(), 3);
            let left_out = bound.left_out();
            assert!(matches!(left_out[..], [(place, lines)] if place.contains("log_bound.rs") && lines == 500 - MOST));
            assert!(bound.left_out().is_empty(), "told once");
        });
    }
}
