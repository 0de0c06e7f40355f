//! A code to one of a contact's destinations, by which somebody shows that it reaches them. No dispatch: it goes by the edges alone,
//! under an attempt's identifier that no dispatch knows, and what becomes of it further is nobody's news.

use super::Dispatcher;
use super::perform::in_time;
use crate::base::id::AttemptId;
use crate::domain::account::{Account, Contact, Destination, Reach};
use crate::engine::callout::CallOutRequest;
use crate::io::deliver::{Delivery, Mail, TextMessage};
use crate::io::store::verifications::Way;

/// Why no code is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCode {
    /// That destination takes none in that way.
    Kind,
    /// Who has it asked for no more texts.
    Blocked,
    /// It was not taken, for this short reason.
    NotSent(String),
}

impl Dispatcher {
    /// Sends `code` to a destination. A call speaks it, once 1 was pressed.
    pub async fn send_code(
        &self,
        account: &Account,
        contact: &Contact,
        to: &Destination,
        way: Way,
        code: &str,
    ) -> Result<(), NoCode> {
        let attempt = AttemptId::fresh(self.inner.clock.utc());
        let edges = &self.inner.edges;
        let delivery = match (way, &to.reach) {
            (Way::Text, Reach::Phone(_)) if to.blocked => return Err(NoCode::Blocked),
            (Way::Text, Reach::Phone(number)) => {
                let body = format!(
                    "{}: the code that shows that this telephone reaches {} is {code}.",
                    account.name, contact.name
                );
                let text = TextMessage { attempt, to: number.clone(), own: account.own_numbers(), from: None, body };
                in_time(edges.texter.send(&text)).await
            }
            (Way::Email, Reach::Email(address)) => {
                let mail = Mail {
                    attempt,
                    from_name: account.name.clone(),
                    to: address.clone(),
                    subject: format!("{}: a code", account.name),
                    body: format!(
                        "The code that shows that this address reaches {} is {code}.\n\nIt counts for 15 minutes. \
                         Whoever asked for it types it in on the portal of {}.\n",
                        contact.name, account.name
                    ),
                    html: None,
                    attached: Vec::new(),
                    answers: None,
                };
                in_time(edges.mailer.send(&mail)).await
            }
            (Way::Call, Reach::Phone(number)) => {
                let spoken = self.inner.store.find_spoken_as(&contact.id).await.ok().flatten();
                let name = spoken.as_ref().unwrap_or(&contact.name);
                let digits = code.chars().map(String::from).collect::<Vec<_>>().join(", ");
                // Nobody listens: what shows that they heard it is the code that comes back.
                let (events, _) = tokio::sync::mpsc::unbounded_channel();
                let request = CallOutRequest {
                    attempt,
                    account: Some(account.id.clone()),
                    person: Some(contact.name.clone()),
                    to: number.clone(),
                    caller_id: account.own_numbers().into_iter().next(),
                    ring_secs: to.ring_secs,
                    intro: format!("This is a test call for {}, with a code for {name}.", account.name),
                    content: Some(format!("The code is {digits}. Again: {digits}.")),
                    leave: None,
                    pin: None,
                    caller: None,
                    longest_talk_secs: None,
                };
                edges.call_out.place(request, events);
                Delivery::Accepted { provider_id: None }
            }
            _ => return Err(NoCode::Kind),
        };
        match delivery {
            Delivery::Accepted { .. } => Ok(()),
            Delivery::Failed { why, .. } => Err(NoCode::NotSent(why)),
        }
    }
}
