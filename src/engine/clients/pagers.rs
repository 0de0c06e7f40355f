//! Whether there is a carrier for each pager that was written: the configuration knows them.

use crate::domain::account::fault::{Fault, Faults};
use crate::domain::account::{Contact, Reach};

use super::Clients;

impl Clients {
    /// The same, where these carriers page.
    #[must_use]
    pub fn paging_by(mut self, carriers: Vec<String>) -> Self {
        self.pagers = carriers.into();
        self
    }

    /// The contact, unless a pager of theirs would never be paged.
    pub(super) fn check_pagers(&self, contact: Contact) -> Result<Contact, Vec<Fault>> {
        let mut faults = Faults::default();
        for (at, destination) in contact.destinations.iter().enumerate() {
            let Reach::Pager(pager) = &destination.reach else { continue };
            if self.pagers.iter().any(|carrier| carrier == pager.carrier()) {
                continue;
            }
            let detail = format!("No carrier called {} pages for this service.", pager.carrier());
            let cure = match &*self.pagers {
                [] => "Add one to the configuration as [[pager]], or choose another way to reach them.".to_owned(),
                known => format!("Write one of these after the @: {}.", known.join(", ")),
            };
            faults.add(format!("/destinations/{at}/reach/address"), "contact.pager_carrier", detail, cure);
        }
        faults.unless(contact)
    }
}
