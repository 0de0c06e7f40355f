//! An account's own words for emails about its messages: a template each for the subject, the plain and the formatted text.
//!
//! Empty: the usual words. They are checked whole when they are saved; protected call types send notices whatever stands here.

use serde::{Deserialize, Serialize};

use super::Account;
use super::fault::{Fault, Faults};
use crate::domain::message::render::letter::{self, Part};

const MAX_SUBJECT: usize = 200;
const MAX_TEXT: usize = 10_000;
/// Mail programs cut what is longer than about 100 kB, and answers come to it.
const MAX_HTML: usize = 50_000;

/// Templates in minijinja's language; the fields are `letter::FIELDS`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailTemplate {
    pub subject: String,
    pub text: String,
    /// Formatted; with a `text` of one's own and none here, emails go as plain text alone.
    pub html: String,
}

impl MailTemplate {
    /// The same as a list.
    pub fn faults(&self, account: &Account) -> Vec<Fault> {
        let mut faults = Faults::default();
        self.check(&mut faults, account);
        faults.into_list()
    }

    /// What is wrong with it on `account`, whose forms it may name.
    pub(super) fn check(&self, faults: &mut Faults, account: &Account) {
        for (part, pointer, source) in self.parts() {
            let most = match part {
                Part::Subject => MAX_SUBJECT,
                Part::Text => MAX_TEXT,
                Part::Html => MAX_HTML,
            };
            if source.chars().count() > most {
                let cure = format!("Write {most} characters at most.");
                faults.add(pointer, "account.mail_too_long", "This template is too long.", cure);
                continue;
            }
            for fault in letter::check(part, source, account) {
                faults.add(pointer, "account.mail_template", fault.detail, fault.cure);
            }
        }
    }
}
