//! What is agreed with a far end beforehand: session timers and reliable provisional responses. Pure data; the agent and
//! each of its dialogs go by it.

use super::session_timer::SessionPolicy;

/// What we do about reliable provisional responses (RFC 3262).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reliable {
    /// We know nothing of them: nobody may require them of us.
    Off,
    /// Those who require them get them, and may use them.
    #[default]
    Supported,
    /// Calls of ours require them, and everyone who can take them gets them.
    Required,
}

/// What is agreed with one far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerTerms {
    /// Session timers; `None`: not for us.
    pub session: Option<SessionPolicy>,
    pub reliable: Reliable,
}

impl Default for PeerTerms {
    fn default() -> Self {
        Self { session: Some(SessionPolicy::default()), reliable: Reliable::default() }
    }
}
