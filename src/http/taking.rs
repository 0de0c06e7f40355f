//! What an operator took, checked: the form by its own rules, the urgency by the client's list. For messages that are saved
//! and for those that are changed.

use crate::base::clock::UtcMs;
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, CallType, Urgency};
use crate::domain::message::Message;
use crate::domain::message::also::{left_behind, with_also};
use crate::domain::message::form::{Answers, Asked, Field, FieldError, Form};
use crate::domain::message::render::zoned;
use crate::domain::message::trigger::{Graded, Grading, MAX_REASON_CHARS, grade};

use super::error::Problem;
use super::state::Front;

/// What is being taken.
pub struct Taking<'a> {
    pub account: &'a Account,
    pub call_type: &'a CallType,
    /// The form that was filled in.
    pub form: &'a Form,
    pub caller: Option<&'a str>,
    pub answers: &'a Answers,
    /// What was typed in fields that this form does not ask for.
    pub also: &'a Answers,
    /// Why the urgency is another than by the client's list.
    pub reason: Option<&'a str>,
    /// When its form was begun: what is asked at some hours alone is asked by this clock.
    pub asked_at: UtcMs,
    /// Answers that are only not written as asked are taken as they are, where it is urgent.
    pub as_is: bool,
    /// What it was before, of a message that is changed.
    pub before: Option<&'a Message>,
}

/// What was taken, in the shape in which it is kept.
pub struct Taken {
    pub caller: Option<PhoneNumber>,
    /// The form with what was also taken.
    pub form: Form,
    pub answers: Answers,
    pub graded: Option<Graded>,
}

impl Taking<'_> {
    /// Checks all of it; everything wrong is told at once.
    pub async fn check(&self, front: &Front) -> Result<Taken, Problem> {
        let contacts = front.store.list_contacts(&self.account.id).await?;
        let carries = !self.leaves_protection(front).await?;
        let people: Vec<String> = contacts.into_iter().map(|contact| contact.name).collect();
        let mut errors = Vec::new();
        let caller = self.caller.map(str::trim).filter(|caller| !caller.is_empty());
        let caller = caller.map(PhoneNumber::parse).transpose().unwrap_or_else(|e| {
            errors.push(field("caller", "phone", &e.to_string()));
            None
        });
        let asked =
            Asked { at: zoned(self.asked_at, &self.account.zone), people: &people, again: self.before.is_some() };
        // An answer that was taken as it was once stops no change of another.
        let urgent = self.as_is && self.call_type.urgency == Urgency::Urgent;
        let stood = |field: &Field, answer: &str| {
            self.before.is_some_and(|before| before.answers.get(&field.name).is_some_and(|there| there == answer))
        };
        let takes = |field: &Field, answer: &str| urgent || stood(field, answer);
        let answers = self.form.check_or_take(self.answers, &asked, takes).unwrap_or_else(|found| {
            errors.extend(found);
            Answers::new()
        });
        let (form, answers) = self.take_along(answers, &asked, carries).unwrap_or_else(|found| {
            errors.extend(found);
            (self.form.clone(), Answers::new())
        });
        // Who has to correct answers anyway is asked for a reason once they are complete.
        let graded = if errors.is_empty() { self.grade(&form, &answers, &mut errors) } else { None };
        if !errors.is_empty() {
            return Err(Problem::invalid("message.invalid", "The form is not complete.", errors));
        }
        let answers = form.kept(answers);
        Ok(Taken { caller, form, answers, graded })
    }

    /// It was of a protected call type and is made one whose words leave in clear.
    async fn leaves_protection(&self, front: &Front) -> Result<bool, Problem> {
        match self.before {
            Some(before) if !self.call_type.protected => Ok(front.store.is_protected(&before.id).await?),
            _ => Ok(false),
        }
    }

    /// A change of the call type takes along what its form asks for no more, unless it is said to be nothing now. Not so
    /// (`carries`) where it was protected and is no more: then only what is sent word by word goes along.
    fn take_along(
        &self,
        answers: Answers,
        asked: &Asked<'_>,
        carries: bool,
    ) -> Result<(Form, Answers), Vec<FieldError>> {
        let before = self.before.map(|before| &before.form);
        let others: Vec<&Form> = before.into_iter().chain(self.account.call_types.iter().map(|t| &t.form)).collect();
        let retyped = self.before.filter(|before| carries && before.call_type != self.call_type.id);
        let mut also = retyped.map_or_else(Answers::new, |before| {
            let asks = |field: &Field| field.is_shown(&answers, &asked.at);
            let asked_for = |name: &str| self.form.fields.iter().any(|field| field.name == name && asks(field));
            left_behind(&before.form, &before.answers, &others, asked_for)
        });
        also.extend(self.also.iter().map(|(name, answer)| (name.clone(), answer.clone())));
        with_also(self.form, answers, &also, &others)
    }

    fn grade(&self, form: &Form, answers: &Answers, errors: &mut Vec<FieldError>) -> Option<Graded> {
        let filled = CallType { form: form.clone(), ..self.call_type.clone() };
        let (how, trigger) = grade(&self.account.call_types, &filled, answers)?;
        let reason = self.reason.map(str::trim).filter(|reason| !reason.is_empty());
        let before = self.before.and_then(|before| before.graded.as_ref());
        let before = before.filter(|before| before.how == how && before.trigger == trigger);
        let Some(reason) = reason.or_else(|| before.map(|before| before.reason.as_str())) else {
            let (code, message) = match (how, &trigger) {
                (Grading::Raised, _) => {
                    ("raised", "Nothing of the client's list was met: say why it is urgent.".to_owned())
                }
                (Grading::Lowered, trigger) => {
                    let trigger = trigger.as_deref().unwrap_or_default();
                    ("lowered", format!("\u{201c}{trigger}\u{201d} is on the client's list: say why it is not urgent."))
                }
            };
            errors.push(field("reason", code, &message));
            return None;
        };
        if reason.chars().count() > MAX_REASON_CHARS {
            errors.push(field("reason", "too_long", "Too long: 500 characters at most."));
            return None;
        }
        let reason = crate::domain::message::form::visible(reason, false);
        Some(Graded { how, trigger, reason })
    }
}

pub(super) fn field(field: &str, code: &str, message: &str) -> FieldError {
    FieldError::new(field, code, message)
}
