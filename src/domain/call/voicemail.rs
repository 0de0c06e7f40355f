//! A voicemail in a [`Call`]: words, a tone, and then what the caller says is recorded until they hang up, press `#`, fall
//! silent, or have said enough.
//!
//! It is recorded whether or not the account records its calls: the caller is asked to speak after the tone. What always
//! holds: one that began on the record ends there, however the call ends; a caller who said nothing has left none.

use std::time::{Duration, Instant};

use super::cause::Cause;
use super::event::{RecordEvent, VoicemailEnd};
use super::{Call, PROMPT_LIMIT, Phase};
use crate::domain::account::Speech;
use crate::domain::account::flow::Voicemail;

/// The longest the tone and the last words are waited for.
const SHORT_LIMIT: Duration = Duration::from_secs(15);
/// A caller is quiet for so long before we are told.
const QUIET_ALREADY: Duration = Duration::from_secs(1);

/// How far a voicemail has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voicing {
    Words {
        until: Instant,
    },
    Tone {
        until: Instant,
    },
    /// `quiet_at`: over then, unless the caller speaks.
    Recording {
        until: Instant,
        quiet_at: Option<Instant>,
    },
    Thanks {
        until: Instant,
    },
}

impl Voicing {
    pub(super) fn until(self) -> Instant {
        match self {
            Self::Words { until } | Self::Tone { until } | Self::Thanks { until } => until,
            Self::Recording { until, quiet_at } => quiet_at.map_or(until, |quiet_at| quiet_at.min(until)),
        }
    }

    /// What every voicemail says.
    pub(super) fn speeches() -> [Speech; 2] {
        [tone(), thanks()]
    }
}

/// What the caller speaks after.
fn tone() -> Speech {
    Speech::Recorded { prompt: "beep".to_owned() }
}

fn thanks() -> Speech {
    Speech::Spoken { text: "Thank you. Your message has been recorded. Goodbye.".to_owned() }
}

impl Call {
    pub(super) fn offer_voicemail(&mut self, voicemail: Voicemail) {
        self.record(RecordEvent::VoicemailOffered);
        self.play_to_caller(voicemail.speech.clone());
        self.call_type = Some(voicemail.call_type.clone());
        self.voicemail = Some(voicemail);
        self.phase = Phase::Voicemail(Voicing::Words { until: self.now + PROMPT_LIMIT });
    }

    /// Words are over, or the time for it.
    pub(super) fn on_voiced(&mut self, voicing: Voicing) {
        self.stop_play();
        match voicing {
            Voicing::Words { .. } => {
                self.play_to_caller(tone());
                self.phase = Phase::Voicemail(Voicing::Tone { until: self.now + SHORT_LIMIT });
            }
            Voicing::Tone { .. } => self.begin_voicemail(),
            Voicing::Recording { until, .. } if until <= self.now => self.thank(VoicemailEnd::Limit),
            Voicing::Recording { .. } => self.thank(VoicemailEnd::Silence),
            Voicing::Thanks { .. } => {
                self.note_abandoned();
                self.end(Cause::Released);
            }
        }
    }

    fn begin_voicemail(&mut self) {
        let Some(voicemail) = &self.voicemail else { return self.join_queue() };
        let (max, silence) = (voicemail.max_secs, voicemail.silence_secs);
        let call_type = voicemail.call_type.clone();
        self.record(RecordEvent::VoicemailBegun { call_type });
        let secs = |secs: u32| Duration::from_secs(secs.into());
        self.phase = Phase::Voicemail(Voicing::Recording {
            until: self.now + secs(max),
            quiet_at: (!self.caller_speaks).then(|| self.now + secs(silence)),
        });
        self.voicemail_heard = self.caller_speaks;
    }

    /// The caller speaks, or has fallen quiet.
    pub(super) fn on_caller_voice(&mut self, speaks: bool) {
        self.caller_speaks = speaks;
        let Phase::Voicemail(Voicing::Recording { until, .. }) = self.phase else { return };
        let silence = self.voicemail.as_ref().map_or(0, |voicemail| voicemail.silence_secs);
        let left = Duration::from_secs(silence.into()).saturating_sub(QUIET_ALREADY);
        self.voicemail_heard |= speaks;
        let quiet_at = (!speaks).then(|| self.now + left);
        self.phase = Phase::Voicemail(Voicing::Recording { until, quiet_at });
    }

    pub(super) fn on_voicemail_key(&mut self, key: char) {
        match self.phase {
            // Whoever knows the words need not hear them.
            Phase::Voicemail(voicing @ Voicing::Words { .. }) if key == '#' => self.on_voiced(voicing),
            Phase::Voicemail(Voicing::Recording { .. }) if key == '#' => self.thank(VoicemailEnd::Key),
            _ => {}
        }
    }

    fn thank(&mut self, why: VoicemailEnd) {
        self.close_voicemail(why);
        self.play_to_caller(thanks());
        self.phase = Phase::Voicemail(Voicing::Thanks { until: self.now + SHORT_LIMIT });
    }

    /// What was being recorded is over, if anything was.
    pub(super) fn close_voicemail(&mut self, why: VoicemailEnd) {
        if self.is_voicemail_recorded() {
            self.voicemail_left = self.voicemail_heard;
            self.record(RecordEvent::VoicemailEnded { why, heard: self.voicemail_heard });
            self.phase = Phase::Voicemail(Voicing::Thanks { until: self.now });
        }
    }

    pub(super) const fn is_voicemail_recorded(&self) -> bool {
        matches!(self.phase, Phase::Voicemail(Voicing::Recording { .. }))
    }
}
