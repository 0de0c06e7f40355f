//! Places where a test kills the process, before and after each commit (`hand.after_commit`, see
//! [`Tx::commit`](crate::io::store::Tx::commit)) and each call to a provider (`text.before_send`).
//!
//! `CORDBOARD_FAILPOINT=name` ends the process there at once, without unwinding or flushing, as a kill -9
//! would; `name:3` at the third time. Debug builds only: in a release build it is nothing.

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static ARMED: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static SEEN: AtomicU32 = AtomicU32::new(0);

    pub(super) fn pass(place: &str, when: &str) {
        let armed = ARMED.get_or_init(|| {
            let value = std::env::var("CORDBOARD_FAILPOINT").ok()?;
            let (name, count) = value.split_once(':').unwrap_or((&value, "1"));
            Some((name.to_owned(), count.parse().unwrap_or(1)))
        });
        let Some((at, count)) = armed else { return };
        let here = at.strip_prefix(place).and_then(|rest| rest.strip_prefix('.')) == Some(when);
        if here && SEEN.fetch_add(1, Ordering::SeqCst) + 1 == *count {
            std::process::abort();
        }
    }
}

/// Ends the process here, `place.when`, if the environment says so.
#[cfg(debug_assertions)]
pub fn failpoint(place: &str, when: &str) {
    armed::pass(place, when);
}

/// Ends the process here, `place.when`, if the environment says so. Not in this build.
#[cfg(not(debug_assertions))]
pub const fn failpoint(_place: &str, _when: &str) {}
