//! With whom what is agreed: by the far end's address and transport, or for one call out by name. Whoever is not named has the agent's
//! own.

use super::super::admit::Source;
use super::super::terms::{PeerTerms, Reliable};
use super::super::words::{DialogId, Flow, Transport};
use super::{Agent, AgentConfig};

impl PeerTerms {
    pub(super) const fn of(config: &AgentConfig) -> Self {
        Self { session: config.session, reliable: config.reliable }
    }
}

impl Agent {
    /// These far ends have terms of their own. Of those at one address, the first that speaks by the same transport counts,
    /// else the first.
    pub fn set_terms(&mut self, terms: Vec<(Source, Transport, PeerTerms)>) {
        self.terms = terms;
    }

    /// A call out that is about to be made has these, whoever else is at that address.
    pub fn agree_on(&mut self, dialog: DialogId, terms: PeerTerms) {
        self.agreed.insert(dialog, terms);
    }

    pub(super) fn terms_of(&self, flow: &Flow) -> PeerTerms {
        let there = self.terms.iter().filter(|(source, ..)| source.contains(flow.peer.ip()));
        // The first of those that are least.
        let named = there.min_by_key(|(_, transport, _)| *transport != flow.transport);
        named.map_or_else(|| PeerTerms::of(&self.config), |(_, _, terms)| *terms)
    }

    /// A dialog's terms; before there is one, those of who speaks.
    pub(super) fn terms_in(&self, dialog: Option<DialogId>, flow: &Flow) -> PeerTerms {
        let known = dialog.and_then(|id| self.dialogs.get(&id)).and_then(|dialog| dialog.terms);
        known.unwrap_or_else(|| self.terms_of(flow))
    }

    /// Extensions that may be required of us.
    pub(super) const fn supported(&self, terms: &PeerTerms) -> &'static str {
        let reliable = !matches!(terms.reliable, Reliable::Off);
        match (reliable, terms.session.is_some(), self.config.transfers) {
            (true, true, false) => "100rel, timer",
            (true, true, true) => "100rel, timer, replaces",
            (true, false, false) => "100rel",
            (true, false, true) => "100rel, replaces",
            (false, true, false) => "timer",
            (false, true, true) => "timer, replaces",
            (false, false, false) => "",
            (false, false, true) => "replaces",
        }
    }
}
