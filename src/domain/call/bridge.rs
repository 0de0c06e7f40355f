//! A bridge: who hears whom. Two-party, conference, hold, announce, whisper, monitor and barge are all
//! one idea, the *hear matrix*.

use serde::{Deserialize, Serialize};

/// One party's media and signalling, unique within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LegId(pub u64);

/// A bridge, unique within the process; one per call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BridgeId(pub u64);

/// Which of a leg's keys are for us alone, neither passed on nor recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeysBound {
    #[default]
    None,
    /// `*`, of a telephone that tells of its keys; one that sends their tones is heard.
    Star,
    All,
}

impl KeysBound {
    pub const fn binds(self, key: char) -> bool {
        match self {
            Self::None => false,
            Self::Star => key == '*',
            Self::All => true,
        }
    }
}

/// What a leg can hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Another party.
    Leg(LegId),
    /// Music on hold.
    Music,
    /// The ringing tone of a number being dialled.
    Ringback,
}

/// The whole of who hears whom in one bridge, replaced as a snapshot.
///
/// A leg that is not listed hears nothing and is heard by nobody. A prompt being played to a leg
/// replaces what it hears for as long as it lasts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HearMatrix {
    /// For each leg what it hears. No leg hears itself.
    pub rows: Vec<(LegId, Vec<Source>)>,
    /// Whose words are not part of the call, or must not be recorded, though somebody hears them: a recording leaves them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub off_record: Vec<LegId>,
}

impl HearMatrix {
    /// Every listed leg hears every other.
    pub fn conference(legs: &[LegId]) -> Self {
        let others = |me: LegId| legs.iter().filter(move |l| **l != me).map(|l| Source::Leg(*l)).collect();
        Self { rows: legs.iter().map(|leg| (*leg, others(*leg))).collect(), off_record: Vec::new() }
    }

    /// Adds a leg that hears `sources`.
    #[must_use]
    pub fn with(mut self, leg: LegId, sources: &[Source]) -> Self {
        self.rows.push((leg, sources.to_vec()));
        self
    }

    /// What `leg` hears.
    pub fn heard_by(&self, leg: LegId) -> &[Source] {
        self.rows.iter().find(|(l, _)| *l == leg).map_or(&[], |(_, sources)| sources)
    }
}
