//! What was typed in fields that the form at hand does not ask for: the call type, or the account, was changed after it was typed. Pure;
//! `http/taking` asks it, and the console shows it while the form is filled in (`lib/also.ts`).
//!
//! What always holds: such an answer stands in the message under the label that it was asked by, is looked through for the
//! client's list like any other, and is asked for by nothing. What is sensitive in any of the forms is not taken, though another
//! asks for it plainly: it is in no draft either. Both sides are held against tests/also-cases.json.

use super::form::{Answers, Field, FieldError, Form, visible};
use super::kind::{FieldKind, MAX_ANSWER_CHARS};

/// So many answers stand beside a form at most.
const MAX_ALSO: usize = 40;
/// The longest name of a field.
const MAX_NAME_CHARS: usize = 64;

/// `form` and its checked `answers` with what was `also` taken. `others`: the forms that it may have been asked by.
pub fn with_also(
    form: &Form,
    mut answers: Answers,
    also: &Answers,
    others: &[&Form],
) -> Result<(Form, Answers), Vec<FieldError>> {
    let mut form = form.clone();
    let mut errors = Vec::new();
    let written = also.iter().map(|(name, typed)| (name, visible(typed, true).trim().to_owned()));
    for (taken, (name, answer)) in written.filter(|(_, answer)| !answer.is_empty()).enumerate() {
        let wrong = |code: &str, message: &str| FieldError::new(name, code, message);
        if taken == MAX_ALSO {
            errors.push(wrong("too_many", "40 answers of other forms at most."));
            break;
        }
        if answers.contains_key(name) {
            errors.push(wrong("asked", "This form asks for it: send it among its answers."));
        } else if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
            errors.push(wrong("unknown_field", "That is no name of a field."));
        } else if answer.chars().count() > MAX_ANSWER_CHARS {
            errors.push(wrong("too_long", "Too long: 4,000 characters at most."));
        } else if is_sensitive(name, &form, others) {
            errors.push(wrong("sensitive", "It must not get about: only a form that asks for it takes it."));
        } else {
            let (field, answer) = field_of(name, answer, others);
            // What is hidden in this form, and was asked by another, is here once.
            form.fields.retain(|there| there.name != *name);
            form.fields.push(field);
            answers.insert(name.clone(), answer);
        }
    }
    if errors.is_empty() { Ok((form, answers)) } else { Err(errors) }
}

/// What of the answers of `before`, another form, `asked_for` does not hold: nothing of it is lost because another form is filled
/// in. What is sensitive, there or in one of the `others`, stays behind.
pub fn left_behind(before: &Form, answers: &Answers, others: &[&Form], asked_for: impl Fn(&str) -> bool) -> Answers {
    let goes = |field: &&Field| !is_sensitive(&field.name, before, others) && !asked_for(&field.name);
    let left = before.fields.iter().filter(goes);
    left.filter_map(|field| answers.get(&field.name).map(|answer| (field.name.clone(), answer.clone()))).collect()
}

/// Whether a field of this name must not get about in any of the forms: who typed it may have meant that one.
fn is_sensitive(name: &str, form: &Form, others: &[&Form]) -> bool {
    let mut all = form.fields.iter().chain(others.iter().flat_map(|other| &other.fields));
    all.any(|field| field.name == name && !field.sensitive.is_no())
}

/// The field that asked for it, asking no more, and the answer in its shape.
fn field_of(name: &str, answer: String, others: &[&Form]) -> (Field, String) {
    let Some(field) = others.iter().flat_map(|form| &form.fields).find(|field| field.name == name) else {
        // Another client's form asked for it, before the call turned out to be this one's.
        return (plain(name, &label_of(name), false), answer);
    };
    let asked = plain(name, &field.label, field.brief);
    match field.kind.check(&answer, &[]) {
        Ok(answer) => (Field { kind: field.kind.clone(), ..asked }, answer),
        // As it was typed: no form asks for it in a shape any more.
        Err(_) => (asked, answer),
    }
}

fn plain(name: &str, label: &str, brief: bool) -> Field {
    Field { name: name.to_owned(), label: label.to_owned(), kind: FieldKind::LongText, brief, ..Field::default() }
}

/// `unit_number` as people read it.
fn label_of(name: &str) -> String {
    let words = visible(name, false).replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::super::form::{Sensitive, ShownIf};
    use super::*;

    fn field(name: &str, label: &str, kind: FieldKind) -> Field {
        Field { name: name.into(), label: label.into(), kind, ..Field::default() }
    }

    fn answers(all: &[(&str, &str)]) -> Answers {
        all.iter().map(|(name, answer)| ((*name).to_owned(), (*answer).to_owned())).collect()
    }

    fn urgent() -> Form {
        let mut problem = field("problem", "What is wrong", FieldKind::LongText);
        (problem.required, problem.brief) = (true, true);
        let code = Field { sensitive: Sensitive::Kept, ..field("code", "Door code", FieldKind::Text) };
        let fields = vec![problem, field("second", "Second number", FieldKind::Phone), code];
        Form { version: 3, fields }
    }

    fn routine() -> Form {
        Form { version: 1, fields: vec![field("name", "Name", FieldKind::Text)] }
    }

    #[test]
    fn what_another_form_asked_for_stands_in_the_message_and_is_asked_for_no_more() {
        let also = answers(&[("problem", " burst pipe "), ("second", "202 555 0149"), ("unit_number", "12")]);
        let (form, all) = with_also(&routine(), answers(&[("name", "Pat")]), &also, &[&urgent()]).expect("it is taken");
        let shown: Vec<_> =
            form.fields.iter().map(|f| (f.label.as_str(), f.show(&all[&f.name]), f.required, f.brief)).collect();
        let expected = [
            ("Name", "Pat".to_owned(), false, false),
            ("What is wrong", "burst pipe".to_owned(), false, true),
            ("Second number", "+1 202 555 0149".to_owned(), false, false),
            ("Unit number", "12".to_owned(), false, false),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_not_as_its_kind_would_have_it_is_kept_as_it_was_typed() {
        let also = answers(&[("second", "the one on the van")]);
        let (form, all) = with_also(&routine(), Answers::new(), &also, &[&urgent()]).expect("it is taken");
        assert_eq!((form.fields[1].kind.clone(), all["second"].as_str()), (FieldKind::LongText, "the one on the van"));
        assert!(form.not_as_asked(&all).is_empty(), "nobody asked for it in a shape");
    }

    #[test]
    fn a_field_that_this_form_hides_is_in_the_message_once() {
        let mut form = routine();
        let hidden = ShownIf { field: "name".into(), is: vec!["nobody".into()] };
        form.fields.push(Field { shown_if: Some(hidden), ..field("problem", "What is wrong", FieldKind::Text) });
        let also = answers(&[("problem", "burst pipe")]);
        let (form, _) = with_also(&form, Answers::new(), &also, &[&urgent()]).expect("it is taken");
        let named: Vec<_> = form.fields.iter().filter(|f| f.name == "problem").map(|f| f.shown_if.is_some()).collect();
        assert_eq!(named, [false]);
    }

    #[test]
    fn what_is_sensitive_asked_for_or_no_answer_is_refused_by_name() {
        let also = answers(&[("code", "4711"), ("name", "Pat"), ("problem", &"x".repeat(4_001)), ("second", " ")]);
        let wrong = with_also(&routine(), answers(&[("name", "Pat")]), &also, &[&urgent()]).expect_err("it is wrong");
        let wrong: Vec<_> = wrong.iter().map(|e| (e.field.as_str(), e.code.as_str())).collect();
        assert_eq!(wrong, [("code", "sensitive"), ("name", "asked"), ("problem", "too_long")]);
        let many: Answers = (0..41).map(|n| (format!("n{n}"), "x".to_owned())).collect();
        assert!(with_also(&routine(), Answers::new(), &many, &[]).is_err());
    }

    #[test]
    fn what_a_change_of_the_form_leaves_behind_is_found_but_for_what_is_sensitive() {
        let taken = answers(&[("problem", "burst pipe"), ("code", "4711"), ("second", "+12025550149")]);
        let left = left_behind(&urgent(), &taken, &[], |name| name == "second");
        assert_eq!(left, answers(&[("problem", "burst pipe")]));
        let hushed = Field { sensitive: Sensitive::Kept, ..field("problem", "Problem", FieldKind::Text) };
        let another = Form { version: 1, fields: vec![hushed] };
        let left = left_behind(&urgent(), &taken, &[&another], |name| name == "second");
        assert_eq!(left, Answers::new(), "it is sensitive where another form asks for it");
    }

    /// Shared with the console: the form at hand, the account's, an answer that was typed, and what comes of it.
    const CASES: &str = include_str!("../../../tests/also-cases.json");

    #[derive(serde::Deserialize)]
    struct Case {
        what: String,
        form: Form,
        forms: Vec<Form>,
        name: String,
        answer: String,
        /// The label under which it stands in the message; none: it is not taken.
        label: Option<String>,
    }

    #[test]
    fn what_is_also_taken_and_under_which_label_is_what_the_console_says_case_by_case() {
        let cases: Vec<Case> = serde_json::from_str(CASES).expect("a list of cases");
        assert!(cases.len() >= 9, "{}", cases.len());
        for case in cases {
            let Case { what, form, forms, name, answer, label } = case;
            let also = answers(&[(name.as_str(), answer.as_str())]);
            let taken = with_also(&form, Answers::new(), &also, &forms.iter().collect::<Vec<_>>());
            let found = taken.map(|(form, all)| {
                let field = form.fields.into_iter().find(|field| all.contains_key(&field.name));
                field.map(|field| field.label)
            });
            match found {
                Ok(found) => assert_eq!(found, label, "{what}"),
                Err(wrong) => {
                    assert_eq!((wrong[0].code.as_str(), label), ("sensitive", None), "{what}");
                }
            }
        }
    }
}
