//! A call's task, as far as it knows why its caller comes: shown with the call, and what the operator was told is on record.

use std::time::Instant;

use super::CallTask;
use crate::domain::call::comes::Comes;
use crate::domain::call::event::RecordEvent;
use crate::engine::calls::record::Line;
use crate::engine::feed::{ComesView, ContactRef};

impl CallTask {
    pub(super) fn note_why(&mut self, at: Instant, event: &RecordEvent) {
        self.coming.note(event);
        let (RecordEvent::PatchDialled { .. } | RecordEvent::CallTakenIn { .. }) = event else {
            return self.record_told(at, event);
        };
        // Its name may be wanted when somebody else has been dialled since.
        if let Some(contact) = self.contact.clone().filter(|contact| !self.people.contains(contact)) {
            self.people.push(contact);
        }
    }

    /// An operator has the call, and has read why it comes.
    fn record_told(&self, at: Instant, event: &RecordEvent) {
        let (RecordEvent::Talking { user }, Some(why)) = (event, self.coming.why()) else { return };
        let body = serde_json::json!({ "user": user, "why": why });
        let (call, kind, at) = (self.facts.id.clone(), "told_why".to_owned(), self.facts.utc(at));
        self.calls.recorder.write(Line::Event { call, at, kind, body });
    }

    pub(super) fn comes_view(&self) -> Option<ComesView> {
        let why = self.coming.why()?.clone();
        let named = |id: &crate::base::id::ContactId| self.people.iter().find(|person| person.id == *id).cloned();
        let contacts: Vec<ContactRef> = match &why {
            Comes::NobodyReached { tried } => {
                let mut all: Vec<ContactRef> = tried.iter().filter_map(|t| named(t.contact.as_ref()?)).collect();
                all.dedup();
                all
            }
            Comes::Recalled { contact, .. } => contact.as_ref().and_then(named).into_iter().collect(),
            Comes::FromCheckIn { contact: Some(id), .. } => {
                vec![ContactRef { id: id.clone(), name: self.checked_in.name().to_owned() }]
            }
            _ => Vec::new(),
        };
        Some(ComesView { why, contacts })
    }
}
