//! Pages: to the carrier that a pager's address names, in that carrier's protocol. Accepted means that the carrier took it:
//! a pager says nothing back.
//!
//! What is said to a carrier is decided in `proto/snpp`, `proto/tap` and `proto/wctp`; here are their connections. A message
//! longer than its carrier takes is cut or goes as several pages, as the configuration says; it counts as taken
//! once all of them are, and a second try sends all of them again.

mod line;
mod wctp;

use std::collections::BTreeMap;

use crate::config::pager::{PagerCarrier, PagerProtocol};
use crate::domain::dispatch::event::Failure;
use crate::proto::paging::Outcome;
use crate::proto::paging::parts::{Long, ascii, parts};
use crate::proto::{snpp, tap};

use super::{Answer, Delivery, Heard, Hearing, Page, Pager, said};
use line::Line;
use secrecy::{ExposeSecret as _, SecretString};
use wctp::Gateway;

/// Who pages, and how each of them is spoken to.
pub struct Carriers(BTreeMap<String, Carrier>);

struct Carrier {
    way: Way,
    max_length: usize,
    long: Long,
}

enum Way {
    Snpp { line: Line, login: Option<(String, Option<SecretString>)> },
    Tap { line: Line, password: Option<SecretString> },
    Wctp(Gateway),
}

impl Way {
    /// By which we show who we are: a carrier that quotes it is not quoted.
    fn secret(&self) -> Option<&SecretString> {
        match self {
            Self::Snpp { login, .. } => login.as_ref().and_then(|(_, password)| password.as_ref()),
            Self::Tap { password, .. } => password.as_ref(),
            Self::Wctp(gateway) => gateway.secret(),
        }
    }
}

impl Carriers {
    /// # Errors
    /// A sentence that says which setting of which carrier cannot be used.
    pub fn new(configured: &[PagerCarrier]) -> Result<Self, String> {
        let mut carriers = BTreeMap::new();
        for one in configured {
            let told = |why: String| format!("[[pager]] {}: {why}", one.name);
            let way = match &one.protocol {
                PagerProtocol::Snpp { at, login } => {
                    Way::Snpp { line: Line::new(at).map_err(told)?, login: login.clone() }
                }
                PagerProtocol::Tap { at, password } => {
                    Way::Tap { line: Line::new(at).map_err(told)?, password: password.clone() }
                }
                PagerProtocol::Wctp(gateway) => Way::Wctp(Gateway::new(gateway).map_err(told)?),
            };
            carriers.insert(one.name.clone(), Carrier { way, max_length: one.max_length, long: one.long });
        }
        Ok(Self(carriers))
    }

    async fn deliver(&self, page: &Page) -> Heard {
        // Somebody can mend it: until then the page waits, and operators are told.
        let Some(carrier) = self.0.get(page.to.carrier()) else {
            return Delivery::failed(Failure::Temporary, "no_such_carrier").into();
        };
        let plain = || parts(&ascii(&page.body), carrier.max_length, carrier.long);
        let pager = page.to.pin().to_owned();
        let (outcome, words) = match &carrier.way {
            Way::Snpp { line, login } => {
                let secret = |password: &SecretString| password.expose_secret().to_owned();
                let login = login.as_ref().map(|(user, password)| (user.clone(), password.as_ref().map(secret)));
                let job = snpp::Job { login, pager, messages: plain(), urgent: page.urgent };
                line.converse(snpp::Page::new(job)).await
            }
            Way::Tap { line, password } => {
                let password = password.as_ref().map(|password| password.expose_secret().to_owned());
                line.converse(tap::Page::new(tap::Job { password, pager, messages: plain() })).await
            }
            Way::Wctp(gateway) => gateway.submit(page, parts(&page.body, carrier.max_length, carrier.long)).await,
        };
        let delivery = match outcome {
            Outcome::Taken { reference } => {
                // Carriers count from one: without their name two would have the same.
                let named = |reference: String| format!("page:{}:{reference}", page.to.carrier());
                Delivery::Accepted { provider_id: reference.map(named) }
            }
            Outcome::Refused { why } => Delivery::failed(Failure::Permanent, why),
            Outcome::Later { why } => Delivery::failed(Failure::Temporary, why),
            Outcome::Unsure { why } => Delivery::failed(Failure::Unknown, why),
        };
        let secret = carrier.way.secret().map(|secret| secret.expose_secret());
        Heard::new(delivery, words.and_then(|words| said::fit(&words, secret)))
    }
}

impl Pager for Carriers {
    fn page<'a>(&'a self, page: &'a Page) -> Answer<'a> {
        Box::pin(async move { self.deliver(page).await.delivery })
    }

    fn page_and_hear<'a>(&'a self, page: &'a Page) -> Hearing<'a> {
        Box::pin(self.deliver(page))
    }
}
