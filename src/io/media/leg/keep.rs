//! What a leg does as time goes by: reports and figures, the far end's silence, the browser's path; and its end.

use std::time::{Duration, Instant};

use super::{Leg, LegStats, Notice, Path};
use crate::base::clock::UtcMs;
use crate::io::webrtc::PeerState;
use crate::proto::rtp::rtcp;
use crate::proto::rtp::srtp::MAX_GROWTH;

/// Silence of a telephone after which it is told, so that its leg ends 30 s after its last packet if it does not answer.
const SILENT_AFTER: Duration = Duration::from_secs(15);
/// And told again, as long as it lasts.
const SILENT_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Silence of a browser after which it is told.
const WEB_SILENT_AFTER: Duration = Duration::from_secs(5);

/// Silence of a telephone that should talk after which it is given up, whatever its signalling says: gateways answer for
/// telephones that are gone.
const GONE_AFTER: Duration = Duration::from_secs(180);

/// Silence of a telephone on hold, which need not send, after which it is told.
const HELD_SILENT_AFTER: Duration = Duration::from_secs(1_800);

impl Leg {
    /// Once per tick: reports, silence, the browser's path. Tells what is new.
    pub(in crate::io::media) fn keep(&mut self, now: Instant, utc: UtcMs) -> [Option<Notice>; 3] {
        let web = self.keep_web(now);
        let mut quality = None;
        if self.reports.is_due(now) {
            self.report(now, utc, false);
            let mut figures = self.reports.quality();
            if let Path::Web(path) = &mut self.path {
                // Before the browser has reported, or if it never does.
                let checks = || u32::try_from(path.peer.round_trip(now)?.as_micros()).ok();
                figures.round_trip_us = figures.round_trip_us.or_else(checks);
            }
            quality = Some(Notice::Quality(figures));
        }
        [web, self.keep_silence(now), quality]
    }

    fn keep_web(&mut self, now: Instant) -> Option<Notice> {
        let Path::Web(path) = &mut self.path else { return None };
        let notice = match path.keep(now)? {
            // From up to up: a new path in place of one that had not been missed yet. What comes by it is waited for as at first.
            (_, PeerState::Up) => Notice::WebUp,
            (PeerState::Up, _) | (PeerState::Connecting, PeerState::Failed) => Notice::WebDown,
            _ => return None,
        };
        if notice == Notice::WebUp {
            self.heard_at = Some(now);
        }
        Some(notice)
    }

    fn keep_silence(&mut self, now: Instant) -> Option<Notice> {
        let heard_at = self.heard_at?;
        if let Path::Rtp(path) = &mut self.path
            && self.agreed.is_some_and(|agreed| agreed.receive)
        {
            path.keep(now);
        }
        let web = matches!(self.path, Path::Web(_));
        let limit = match self.agreed {
            Some(agreed) if agreed.receive && web => WEB_SILENT_AFTER,
            Some(agreed) if agreed.receive => SILENT_AFTER,
            _ => HELD_SILENT_AFTER,
        };
        let since = now.saturating_duration_since(heard_at);
        let silent = since >= limit;
        // Whoever is on hold, by whatever word for it, owes us nothing.
        let talks = !web && self.agreed.is_some_and(|agreed| agreed.send && agreed.receive);
        let was_gone = std::mem::replace(&mut self.gone, talks && since >= GONE_AFTER);
        if self.gone && !was_gone {
            return Some(Notice::Gone);
        }
        let again = silent && !web && self.silent_again_at.is_some_and(|at| at <= now);
        if silent == self.silent && !again {
            return None;
        }
        self.silent = silent;
        self.silent_again_at = silent.then(|| now + SILENT_AGAIN_AFTER);
        Some(if silent { Notice::Silent } else { Notice::Heard })
    }

    fn report(&mut self, now: Instant, utc: UtcMs, bye: bool) {
        let mut compound = [0; rtcp::MAX_COMPOUND];
        let mut bytes = [0; rtcp::MAX_COMPOUND + MAX_GROWTH];
        let mut write = || {
            let len = self.reports.write(now, utc.0, &self.out, bye, &mut compound);
            bytes[..len].copy_from_slice(&compound[..len]);
            len
        };
        match &mut self.path {
            Path::Rtp(path) => {
                let Some(target) = path.rtcp_target() else { return };
                let len = write();
                path.send_rtcp(&mut bytes, len, target);
            }
            Path::Web(path) if path.is_up() => {
                let len = write();
                path.send_rtcp(&mut bytes, len);
            }
            Path::Web(_) => return,
        }
        // Now and then, not for each packet.
        self.tell_refused();
    }

    fn tell_refused(&mut self) -> u64 {
        let secure = match &self.path {
            Path::Rtp(path) => &path.secure,
            Path::Web(path) => &path.secure,
        };
        let refused = secure.as_ref().map_or(0, |secure| secure.refused());
        self.refused.increment(refused.saturating_sub(self.refused_told));
        self.refused_told = refused;
        refused
    }

    /// Says good-bye and gives the figures.
    pub(in crate::io::media) fn close(&mut self, now: Instant, utc: UtcMs) -> LegStats {
        self.report(now, utc, true);
        if let Path::Web(path) = &mut self.path {
            path.peer.close();
        }
        self.flush();
        self.stats()
    }

    pub(in crate::io::media) fn stats(&mut self) -> LegStats {
        let (quality, counts) = (self.reports.quality(), self.jitter.counts());
        let srtp_refused = self.tell_refused();
        let strangers = match &self.path {
            Path::Rtp(path) => path.strangers,
            Path::Web(_) => 0,
        };
        LegStats {
            packets_in: self.packets_in,
            packets_out: self.packets_out,
            lost: self.reports.lost(),
            jitter_us: quality.jitter_in_us,
            lost_out: self.reports.lost_out(),
            jitter_out_us: quality.jitter_out_us,
            round_trip_us: quality.round_trip_us,
            late: counts.late,
            doubled: counts.duplicate,
            concealed_ms: counts.concealed / 8,
            strangers,
            srtp_refused,
        }
    }
}
