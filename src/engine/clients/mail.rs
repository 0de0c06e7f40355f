//! An account's own words for emails, looked at before they are saved.

use crate::base::id::{AccountId, CallTypeId};
use crate::domain::account::fault::Fault;
use crate::domain::account::{Account, CallType, MailTemplate};
use crate::domain::dispatch::protocol::{Method, Protocol};
use crate::domain::message::render::letter::{self, Letter};

use super::{Clients, Refusal};

impl Clients {
    /// The email about an invented message in these words, and what is wrong with them. Changes nothing.
    pub async fn preview_mail(
        &self,
        account: &AccountId,
        mail: &MailTemplate,
        call_type: Option<&CallTypeId>,
    ) -> Result<(Letter, Vec<Fault>), Refusal> {
        let found = self.store.find_account(account).await?;
        let account = found.ok_or(Refusal::Missing { what: "account" })?;
        let faults = mail.faults(&account);
        // What is wrong is shown as it would go: in the usual words.
        let mail = if faults.is_empty() { mail.clone() } else { MailTemplate::default() };
        let account = Account { mail, ..account };
        let protocols = self.store.list_protocols(&account.id).await?;
        let asks = |call_type: &CallType| asks_by_mail(&protocols, call_type);
        Ok((letter::preview(&account, call_type.map(CallTypeId::as_str), asks), faults))
    }
}

/// A reply to an email about such a message confirms: the protocol in force asks for one.
fn asks_by_mail(protocols: &[Protocol], call_type: &CallType) -> bool {
    let in_force = protocols.iter().find(|protocol| call_type.protocol.as_ref() == Some(&protocol.id));
    let asks = |protocol: &Protocol| protocol.steps.iter().any(|step| step.method == Method::EmailConfirm);
    // Of a protected message a notice goes, which asks for nothing.
    !call_type.protected && in_force.is_some_and(asks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::ProtocolId;
    use crate::domain::account::Urgency;
    use crate::domain::dispatch::protocol::{Step, Until};
    use crate::domain::message::form::Form;

    #[test]
    fn only_the_protocol_in_force_says_whether_a_reply_confirms() {
        let protocol = |id: &str, method| Protocol {
            id: ProtocolId::named(id),
            account: AccountId::named("one"),
            name: id.into(),
            version: 1,
            steps: vec![Step::new(Method::Text, vec![], 0), Step::new(method, vec![], 600)],
            repeat: None,
            until: Until::Confirmed,
        };
        let protocols = [protocol("asks", Method::EmailConfirm), protocol("texts", Method::TextConfirm)];
        let of = |in_force: Option<&str>, protected| CallType {
            id: CallTypeId::named("urgent"),
            name: "Urgent".into(),
            urgency: Urgency::Urgent,
            triggers: String::new(),
            watched: Vec::new(),
            form: Form::default(),
            protocol: in_force.map(ProtocolId::named),
            protected,
            priority: None,
        };
        assert!(asks_by_mail(&protocols, &of(Some("asks"), false)));
        assert!(!asks_by_mail(&protocols, &of(Some("asks"), true)), "a notice asks for nothing");
        assert!(!asks_by_mail(&protocols, &of(Some("texts"), false)));
        assert!(!asks_by_mail(&protocols, &of(None, false)));
    }
}
