//! What callers ask of an account again and again, and what is answered: beside the form, searched while a caller speaks.

use serde::{Deserialize, Serialize};

use super::fault::{Faults, Text};

const MAX_ENTRIES: usize = 100;
const MAX_QUESTION: usize = 200;
const MAX_ANSWER: usize = 2_000;

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Faq {
    pub question: String,
    pub answer: String,
}

/// As they would be kept.
pub(super) fn check(faults: &mut Faults, written: &[Faq]) -> Vec<Faq> {
    if written.len() > MAX_ENTRIES {
        let detail = format!("An account has {MAX_ENTRIES} questions at most.");
        faults.add("/faq", "account.faq_too_many", detail, "Take out what nobody asks any more.");
    }
    let entry = |faults: &mut Faults, at: usize, faq: &Faq| {
        let question = Text::line(format!("/faq/{at}/question"), "account.faq_question", "The question", MAX_QUESTION);
        let answer = Text::line(format!("/faq/{at}/answer"), "account.faq_answer", "The answer", MAX_ANSWER).lines();
        Faq { question: faults.text(&faq.question, &question), answer: faults.text(&faq.answer, &answer) }
    };
    written.iter().enumerate().map(|(at, faq)| entry(faults, at, faq)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::AccountId;
    use crate::domain::account::Account;
    use crate::domain::account::edit::AccountEdit;

    fn faq(question: &str, answer: &str) -> Faq {
        Faq { question: question.to_owned(), answer: answer.to_owned() }
    }

    fn edit(faq: Option<Vec<Faq>>) -> AccountEdit {
        let plain = serde_json::from_str(r#"{"name": "Acme", "zone": "Europe/Berlin"}"#);
        AccountEdit { faq, ..plain.expect("an account") }
    }

    #[test]
    fn what_is_written_is_kept_in_its_order_and_stays_where_nothing_is() {
        let written = vec![faq(" Do you work on Sundays? ", "Yes.\nFrom nine."), faq("Where?", "Main Street 1.")];
        let account = edit(Some(written)).apply(Account::blank(AccountId::named("a"))).expect("well written");
        assert_eq!(account.faq[0], faq("Do you work on Sundays?", "Yes.\nFrom nine."));
        let later = edit(None).apply(account.clone()).expect("well written");
        assert_eq!(later.faq, account.faq);
        assert!(edit(Some(Vec::new())).apply(account).expect("well written").faq.is_empty());
    }

    #[test]
    fn a_question_without_its_answer_is_told_beside_it() {
        let bad = edit(Some(vec![faq("Where?", " "), faq("", "There.")]));
        let faults = bad.apply(Account::blank(AccountId::named("a"))).expect_err("badly written");
        let places: Vec<_> = faults.iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(places, ["/faq/0/answer", "/faq/1/question"]);
        let many = edit(Some(vec![faq("Where?", "There."); 101]));
        assert_eq!(many.apply(Account::blank(AccountId::named("a"))).expect_err("too many")[0].pointer, "/faq");
    }
}
