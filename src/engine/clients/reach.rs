//! Whether what a contact is reached by is there: the carriers of pagers and the clients' systems, which the configuration knows.

use crate::config::Config;
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::account::{Contact, Reach};
use crate::domain::dispatch::protocol::{Method, Protocol};

use super::Clients;

/// What the configuration knows by names that contacts use.
#[derive(Clone, Debug, Default)]
pub struct Reachable {
    /// The carriers that page.
    pub pagers: Vec<String>,
    /// The clients' systems that are posted to.
    pub webhooks: Vec<String>,
    /// Replies to emails come in.
    pub replies: bool,
}

impl Reachable {
    pub fn by(config: &Config) -> Self {
        Self {
            pagers: config.pagers.iter().map(|carrier| carrier.name.clone()).collect(),
            webhooks: config.webhooks.iter().map(|receiver| receiver.name.clone()).collect(),
            replies: config.mail_in.is_some(),
        }
    }
}

impl Clients {
    /// The same, where contacts are reached by these.
    #[must_use]
    pub fn reaching(mut self, reachable: Reachable) -> Self {
        self.reachable = reachable.into();
        self
    }

    /// Steps that wait for an answer that would never come in.
    pub(super) fn check_replies(&self, protocol: &Protocol) -> Vec<Fault> {
        let mut faults = Faults::default();
        for (at, _) in protocol.steps.iter().enumerate().filter(|(_, step)| step.method == Method::EmailConfirm) {
            if !self.reachable.replies {
                let detail = "No replies to emails come in here, so nobody can confirm by one.";
                let cure = "Add [mail_in] to the configuration, or choose email without a confirmation.";
                faults.add(format!("/steps/{at}"), "protocol.no_replies", detail, cure);
            }
        }
        faults.into_list()
    }

    /// The contact, unless they would never be reached by something that was written.
    pub(super) fn check_reach(&self, contact: Contact) -> Result<Contact, Vec<Fault>> {
        let mut faults = Faults::default();
        for (at, destination) in contact.destinations.iter().enumerate() {
            let pointer = format!("/destinations/{at}/reach/address");
            match &destination.reach {
                Reach::Pager(pager) if !self.reachable.pagers.iter().any(|known| known == pager.carrier()) => {
                    let detail = format!("No carrier called {} pages for this service.", pager.carrier());
                    let cure = match self.reachable.pagers.as_slice() {
                        [] => {
                            "Add one to the configuration as [[pager]], or choose another way to reach them.".to_owned()
                        }
                        known => format!("Write one of these after the @: {}.", known.join(", ")),
                    };
                    faults.add(pointer, "contact.pager_carrier", detail, cure);
                }
                Reach::Webhook(name) if !self.reachable.webhooks.contains(name) => {
                    let detail = format!("This service posts to no system called {name}.");
                    let cure = match self.reachable.webhooks.as_slice() {
                        [] => "Add it to the configuration as [[webhook]], or choose another way to reach them."
                            .to_owned(),
                        known => format!("Write one of these: {}.", known.join(", ")),
                    };
                    faults.add(pointer, "contact.webhook", detail, cure);
                }
                _ => {}
            }
        }
        faults.unless(contact)
    }
}
