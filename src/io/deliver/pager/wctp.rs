//! Pages by WCTP: one POST a page, and the confirmation in its answer (`proto/wctp`).

use jiff::Timestamp;
use reqwest::{Client, header};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::pager::WctpGateway;
use crate::domain::dispatch::event::Failure;
use crate::io::deliver::http;
use crate::io::deliver::{Delivery, Page};
use crate::proto::paging::Outcome;
use crate::proto::wctp::{Submit, read_answer, read_words};

/// A carrier's gateway.
pub(super) struct Gateway {
    client: Client,
    url: String,
    sender: String,
    security_code: Option<SecretString>,
}

impl Gateway {
    /// # Errors
    /// A sentence that says what cannot be used.
    pub(super) fn new(config: &WctpGateway) -> Result<Self, String> {
        let client = http::client("the pager carrier")?;
        let WctpGateway { url, sender, security_code } = config.clone();
        Ok(Self { client, url, sender, security_code })
    }

    /// What must never be written down.
    pub(super) const fn secret(&self) -> Option<&SecretString> {
        self.security_code.as_ref()
    }

    /// Hands over every part in order; the first that is not taken ends it. With what the gateway said, if it refused.
    pub(super) async fn submit(&self, page: &Page, parts: Vec<String>) -> (Outcome, Option<String>) {
        let at = Timestamp::from_millisecond(page.at.0).unwrap_or(Timestamp::UNIX_EPOCH);
        for (n, text) in (1..).zip(parts) {
            let id = page.attempt.as_str();
            let id = id.split_once('_').map_or(id, |(_, rest)| rest);
            let submit = Submit {
                sender: self.sender.clone(),
                security_code: self.security_code.as_ref().map(|code| code.expose_secret().to_owned()),
                message_id: if n == 1 { id.to_owned() } else { format!("{id}.{n}") },
                at: at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                pager: page.to.pin().to_owned(),
                text,
                urgent: page.urgent,
            };
            match self.post(submit.to_xml()).await {
                (Outcome::Taken { .. }, _) => {}
                refused => return refused,
            }
        }
        (Outcome::Taken { reference: None }, None)
    }

    async fn post(&self, body: Vec<u8>) -> (Outcome, Option<String>) {
        let request = self.client.post(&self.url).header(header::CONTENT_TYPE, "text/xml; charset=utf-8").body(body);
        let (status, body) = match http::send(request).await {
            Ok(answer) => answer,
            Err(delivery) => return (outcome(delivery), None),
        };
        // A gateway may say what is wrong in the protocol's words, whatever the status.
        match read_answer(&body) {
            Some(Outcome::Taken { .. }) | None if !status.is_success() => {
                (outcome(http::judge(status, format!("http_{}", status.as_u16()))), None)
            }
            Some(outcome) => (outcome, read_words(&body)),
            // It answered, and nobody knows what.
            None => (Outcome::Unsure { why: "unreadable".to_owned() }, None),
        }
    }
}

fn outcome(delivery: Delivery) -> Outcome {
    match delivery {
        Delivery::Accepted { .. } => Outcome::Taken { reference: None },
        Delivery::Failed { failure: Failure::Permanent, why } => Outcome::Refused { why },
        Delivery::Failed { failure: Failure::Temporary, why } => Outcome::Later { why },
        Delivery::Failed { failure: Failure::Unknown, why } => Outcome::Unsure { why },
    }
}
