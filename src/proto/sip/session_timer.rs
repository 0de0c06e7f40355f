//! Session timers (RFC 4028): what Session-Expires says, what we answer to it, and when a session is to be
//! refreshed or ends. Sends nothing: the agent (`agent/session`) does. Pure.
//!
//! What always holds: no interval agreed to is shorter than [`SHORTEST`], whatever the far end writes.

use std::time::{Duration, Instant};

use super::message::Headers;

/// RFC 4028 §5: the least that anybody may ask for.
pub const LEAST: u32 = 90;
/// Against a far end that would have us refresh without pause, in seconds.
const SHORTEST: u32 = 30;
/// How long after a refresh that failed the next one is tried.
const TRY_AGAIN: Duration = Duration::from_secs(10);
const TRY_AGAIN_AT_MOST: u32 = 60;

/// What we want of session timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// The interval that we ask for, and the longest that we agree to; in seconds.
    pub expires: u32,
    /// The shortest that we agree to.
    pub least: u32,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self { expires: 1800, least: LEAST }
    }
}

/// Who refreshes, seen from one request: who sent it, or who answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    Uac,
    Uas,
}

impl Refresher {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uac => "uac",
            Self::Uas => "uas",
        }
    }
}

/// A Session-Expires header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    pub secs: u32,
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// `1800;refresher=uas`. What can't be read is as if it weren't there.
    pub fn of(headers: &Headers) -> Option<Self> {
        let mut parts = headers.first("Session-Expires")?.split(';');
        let secs = parts.next()?.trim().parse().ok()?;
        let refresher = parts.filter_map(|p| p.split_once('=')).find_map(|(name, value)| {
            let value = value.trim();
            let known = [Refresher::Uac, Refresher::Uas].into_iter().find(|r| value.eq_ignore_ascii_case(r.name()));
            known.filter(|_| name.trim().eq_ignore_ascii_case("refresher"))
        });
        Some(Self { secs, refresher })
    }

    pub fn value(self) -> String {
        match self.refresher {
            Some(refresher) => format!("{};refresher={}", self.secs, refresher.name()),
            None => self.secs.to_string(),
        }
    }
}

/// Min-SE, in seconds.
pub fn least_of(headers: &Headers) -> Option<u32> {
    headers.first("Min-SE")?.split(';').next()?.trim().parse().ok()
}

/// The far end lists an option tag in Supported or Require.
pub fn supports(headers: &Headers, tag: &str) -> bool {
    ["Supported", "Require"].into_iter().any(|name| headers.elements(name).any(|t| t.eq_ignore_ascii_case(tag)))
}

/// What is answered to a request that begins or refreshes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// No timer.
    None,
    /// 422: the interval is too short. Carries Min-SE.
    TooShort(u32),
    /// Goes into the 2xx.
    Agreed(SessionExpires),
}

/// RFC 4028 §9. `now_ours`: who refreshes today, if a timer is in force.
pub fn terms(policy: &SessionPolicy, request: &Headers, now_ours: Option<bool>) -> Terms {
    let (asked, able) = (SessionExpires::of(request), supports(request, "timer"));
    // Table 2: one who knows no timers cannot refresh; one who does keeps the part it has.
    let kept = if now_ours == Some(false) { Refresher::Uac } else { Refresher::Uas };
    let refresher = |named: Option<Refresher>| if able { named.unwrap_or(kept) } else { Refresher::Uas };
    let floor = least_of(request).unwrap_or(LEAST).max(policy.least);
    match asked {
        Some(asked) if asked.secs < policy.least => {
            // Only one who knows what a 422 is gets one; a proxy's word alone sets no timer that short.
            if able { Terms::TooShort(policy.least) } else { Terms::None }
        }
        Some(asked) => {
            // Never longer than asked for, never shorter than the far end's own least.
            let secs = policy.expires.max(floor).min(asked.secs);
            Terms::Agreed(SessionExpires { secs, refresher: Some(refresher(asked.refresher)) })
        }
        None if able || now_ours.is_some() => {
            let secs = policy.expires.max(floor);
            Terms::Agreed(SessionExpires { secs, refresher: Some(refresher(None)) })
        }
        None => Terms::None,
    }
}

/// A session that ends unless it is refreshed.
#[derive(Clone, Copy, Debug)]
pub struct SessionTimer {
    secs: u32,
    /// We refresh; else the far end does.
    ours: bool,
    refresh_at: Option<Instant>,
    expires_at: Instant,
}

impl SessionTimer {
    /// In force from `now`, when a 2xx was sent or came.
    pub fn start(now: Instant, secs: u32, ours: bool) -> Self {
        let secs = secs.max(SHORTEST);
        let whole = Duration::from_secs(secs.into());
        // §10: the side that waits ends it a little early, while the other still knows the session.
        let early = (whole / 3).min(Duration::from_secs(32));
        Self {
            secs,
            ours,
            refresh_at: ours.then(|| now + whole / 2),
            expires_at: if ours { now + whole } else { now + whole - early },
        }
    }

    /// From the 2xx to a request of ours. §7.2: nobody named as refresher leaves it to us.
    pub fn from_response(now: Instant, response: &Headers) -> Option<Self> {
        let said = SessionExpires::of(response)?;
        Some(Self::start(now, said.secs, said.refresher != Some(Refresher::Uas)))
    }

    pub const fn is_ours(&self) -> bool {
        self.ours
    }

    /// What a request of ours says to keep things as they are (§7.4).
    pub const fn terms(&self) -> SessionExpires {
        let refresher = if self.ours { Refresher::Uac } else { Refresher::Uas };
        SessionExpires { secs: self.secs, refresher: Some(refresher) }
    }

    /// The far end takes no interval shorter than this.
    pub fn lengthen(&mut self, least: u32) {
        self.secs = self.secs.max(least);
    }

    /// Time to refresh; asked once, until [`Self::try_again`].
    pub fn take_refresh(&mut self, now: Instant) -> bool {
        self.refresh_at.take_if(|at| now >= *at).is_some()
    }

    /// The refresh failed, or could not be sent just now.
    pub fn try_again(&mut self, now: Instant, retry_after: Option<u32>) {
        let wait = retry_after.map_or(TRY_AGAIN, |s| Duration::from_secs(s.clamp(1, TRY_AGAIN_AT_MOST).into()));
        self.refresh_at = Some(now + wait);
    }

    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.expires_at
    }

    pub fn deadline(&self) -> Instant {
        self.refresh_at.map_or(self.expires_at, |at| at.min(self.expires_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    fn headers(fields: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::default();
        for (name, value) in fields {
            headers.push(name, value);
        }
        headers
    }

    fn agreed(secs: u32, refresher: Refresher) -> Terms {
        Terms::Agreed(SessionExpires { secs, refresher: Some(refresher) })
    }

    #[test]
    fn who_refreshes_follows_the_table_of_the_rfc() {
        let policy = SessionPolicy::default();
        let of = |fields: &[(&str, &str)], ours| terms(&policy, &headers(fields), ours);
        assert_eq!(of(&[], None), Terms::None);
        assert_eq!(of(&[("Session-Expires", "1800")], None), agreed(1800, Refresher::Uas));
        assert_eq!(of(&[("Session-Expires", "1800;refresher=uac")], None), agreed(1800, Refresher::Uas));
        let timer = ("Supported", "replaces, timer");
        assert_eq!(of(&[timer], None), agreed(1800, Refresher::Uas));
        assert_eq!(of(&[timer, ("Session-Expires", "600")], None), agreed(600, Refresher::Uas));
        assert_eq!(of(&[timer, ("Session-Expires", "600;refresher=uac")], None), agreed(600, Refresher::Uac));
        assert_eq!(of(&[timer, ("Session-Expires", "600 ; Refresher = UAS")], None), agreed(600, Refresher::Uas));
        // In mid-call each keeps the part it has.
        assert_eq!(of(&[timer, ("Session-Expires", "600")], Some(false)), agreed(600, Refresher::Uac));
        assert_eq!(of(&[], Some(false)), agreed(1800, Refresher::Uas));
    }

    #[test]
    fn an_interval_is_shortened_to_ours_and_never_below_either_sides_least() {
        let policy = SessionPolicy { expires: 1800, least: 120 };
        let timer = ("Supported", "timer");
        let of = |fields: &[(&str, &str)]| terms(&policy, &headers(fields), None);
        assert_eq!(of(&[timer, ("Session-Expires", "7200")]), agreed(1800, Refresher::Uas));
        assert_eq!(of(&[timer, ("Session-Expires", "7200"), ("Min-SE", "3600")]), agreed(3600, Refresher::Uas));
        assert_eq!(of(&[timer, ("Session-Expires", "119")]), Terms::TooShort(120));
        assert_eq!(of(&[("Session-Expires", "60")]), Terms::None);
        assert_eq!(of(&[timer, ("Session-Expires", "soon")]), agreed(1800, Refresher::Uas));
        assert_eq!(of(&[timer, ("Session-Expires", "4294967295")]), agreed(1800, Refresher::Uas));
    }

    #[test]
    fn the_refresher_refreshes_half_way_and_the_other_waits_until_shortly_before_the_end() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut ours = SessionTimer::start(now, 300, true);
        assert_eq!(ours.deadline() - now, Duration::from_secs(150));
        assert!(ours.take_refresh(now + Duration::from_secs(150)));
        assert_eq!(ours.deadline() - now, Duration::from_secs(300));
        ours.try_again(now + Duration::from_secs(160), Some(20));
        assert_eq!(ours.deadline() - now, Duration::from_secs(180));
        let theirs = SessionTimer::start(now, 300, false);
        assert_eq!(theirs.deadline() - now, Duration::from_secs(268));
        assert!(theirs.is_over(now + Duration::from_secs(268)));
        assert_eq!(SessionTimer::start(now, 90, false).deadline() - now, Duration::from_secs(60));
    }

    #[test]
    fn a_far_end_cannot_make_us_refresh_without_pause() {
        let now = TestClock::at(UtcMs(0)).instant();
        let timer = SessionTimer::from_response(now, &headers(&[("Session-Expires", "0")])).expect("a timer");
        assert!(timer.is_ours());
        assert_eq!(timer.deadline() - now, Duration::from_secs(15));
    }
}
