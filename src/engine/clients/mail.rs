//! An account's own words for emails, looked at before they are saved.

use crate::base::id::{AccountId, CallTypeId};
use crate::domain::account::fault::Fault;
use crate::domain::account::{Account, MailTemplate};
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
        Ok((letter::preview(&account, call_type.map(CallTypeId::as_str)), faults))
    }
}
