//! The email about a message in the account's own words: a template for the subject, the plain text and the formatted text, each with
//! named fields; the usual words where the account has none. Pure.
//!
//! What always holds: in formatted text everything that a caller said is escaped, and no template can switch that off; a
//! template names only fields that there are, or it is not saved; one that cannot be used all the same costs no message.
//! Templates run on bounded work and reach nothing but their fields.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, filters};
use serde::Serialize;

use super::sample::{invented_type, sample, samples};
use super::{
    MAX_SUBJECT_CHARS, NOT_SENT, callback_number, cut, date_and_clock, email, graded_words, headline, number, one_line,
    written_answers,
};
use crate::domain::account::{Account, CallType, MailTemplate, Urgency};
use crate::domain::message::Message;
use crate::domain::message::form::Field;

/// What a template can name, and what it is.
pub const FIELDS: &[(&str, &str)] = &[
    ("account", "the client's name"),
    ("color", "the account's colour, #rrggbb"),
    ("call_type", "the kind of call"),
    ("urgent", "true if it is urgent, for {% if urgent %}"),
    ("headline", "who called and what for, in a line"),
    ("taken", "when it was taken"),
    ("answers", "all answers, for {% for answer in answers %}: answer.label, answer.words"),
    ("fields", "one answer by its name in the form: fields.name"),
    ("caller", "the number that the call came from"),
    ("callback", "the number to ring back"),
    ("graded", "why it is urgent, or is not, other than by the client's list"),
    ("changed", "true if it was changed after it was taken"),
    ("notes", "what became of the call, and where a voicemail is heard"),
    ("reference", "the number that names it on the telephone"),
    ("confirm", "how to confirm it, where that is asked for"),
];

/// How to confirm by email.
const CONFIRM: &str = "Reply to this email with OK to confirm.";
/// Work that one template may do.
const FUEL: u64 = 200_000;
/// The longest letter that goes out, in octets.
const MAX_LETTER: usize = 300_000;
/// Words that would switch the escaping off, or lead out of a template.
const FORBIDDEN: &[&str] = &["autoescape"];

/// The usual formatted text.
const USUAL_HTML: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body style="margin:0;padding:24px 12px;background:#f3f4f6;color:#1b2026;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5">
<div style="max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border:1px solid #dfe3e8;border-top:6px solid {{ color }};border-radius:8px">
<div style="font-size:14px;color:#5b6672">{{ account }}</div>
<h1 style="margin:4px 0 2px;font-size:21px;line-height:1.3">{% if urgent %}<span style="color:#b3261e">Urgent:</span> {% endif %}{{ call_type }}</h1>
<div style="margin-bottom:18px;font-size:14px;color:#5b6672">Taken {{ taken }}</div>
{% for answer in answers %}<div style="margin-bottom:12px"><div style="font-size:13px;color:#5b6672">{{ answer.label }}</div><div style="white-space:pre-wrap">{{ answer.words }}</div></div>
{% endfor %}{% if caller %}<div style="margin-bottom:12px"><div style="font-size:13px;color:#5b6672">Called from</div><div>{{ caller }}</div></div>
{% endif %}{% if graded %}<p style="margin:12px 0">{{ graded }}</p>
{% endif %}{% if changed %}<p style="margin:12px 0">This message was changed after it was taken.</p>
{% endif %}{% for note in notes %}<p style="margin:12px 0;white-space:pre-wrap">{{ note }}</p>
{% endfor %}{% if confirm %}<p style="margin:18px 0 0;padding:12px 14px;background:#eef2f7;border-radius:6px;font-weight:600">{{ confirm }}</p>
{% endif %}<p style="margin:18px 0 0;font-size:13px;color:#5b6672">Reference {{ reference }}</p>
</div></body></html>
"#;

/// All that a letter is made of.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub message: &'a Message,
    pub account: &'a Account,
    pub call_type: &'a str,
    /// What became of the call, and what else there is to say.
    pub notes: &'a [String],
    pub reference: &'a str,
    /// A reply confirms.
    pub confirm: bool,
}

/// An email, written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub subject: String,
    pub text: String,
    /// None: it goes as plain text alone.
    pub html: Option<String>,
}

/// Something wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    pub detail: String,
    pub cure: String,
}

/// Which of an email's three a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Subject,
    Text,
    Html,
}

impl Part {
    /// What the escaping goes by.
    const fn file(self) -> &'static str {
        match self {
            Self::Subject => "subject.txt",
            Self::Text => "text.txt",
            Self::Html => "mail.html",
        }
    }
}

#[derive(Serialize)]
struct Answer {
    label: String,
    words: String,
}

#[derive(Serialize)]
struct Context<'a> {
    account: &'a str,
    color: &'a str,
    call_type: &'a str,
    urgent: bool,
    headline: String,
    taken: String,
    answers: Vec<Answer>,
    fields: BTreeMap<String, String>,
    caller: String,
    callback: String,
    graded: String,
    changed: bool,
    notes: &'a [String],
    reference: &'a str,
    confirm: &'a str,
}

fn context<'a>(facts: &Facts<'a>) -> Context<'a> {
    let Facts { message, account, call_type, notes, reference, confirm } = *facts;
    let answers =
        written_answers(message).into_iter().map(|written| Answer { label: written.label, words: written.words });
    let field = |field: &Field| {
        let answer = message.answers.get(&field.name);
        let told = field.sensitive.is_no();
        let words = answer.map(|answer| if told { field.show(answer) } else { NOT_SENT.to_owned() });
        (field.name.clone(), words.unwrap_or_default())
    };
    Context {
        account: &account.name,
        color: &account.color,
        call_type,
        urgent: message.urgency == Urgency::Urgent,
        headline: headline(message),
        taken: date_and_clock(message.taken_at, &account.zone),
        answers: answers.collect(),
        fields: message.form.fields.iter().map(field).collect(),
        caller: message.caller.as_ref().map_or_else(String::new, |caller| number(caller.as_e164())),
        callback: callback_number(message).map_or_else(String::new, |back| number(&back)),
        graded: message.graded.as_ref().map_or_else(String::new, graded_words),
        changed: message.changed.is_some(),
        notes,
        reference,
        confirm: if confirm { CONFIRM } else { "" },
    }
}

/// What templates have at hand. Nothing else is there: no file, no other template, no way around the escaping.
fn environment(strict: bool) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment
        .set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    let undefined = if strict { UndefinedBehavior::SemiStrict } else { UndefinedBehavior::Chainable };
    environment.set_undefined_behavior(undefined);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("title", filters::title);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("default", filters::default);
    environment.add_filter("join", filters::join);
    environment
}

fn forbidden(source: &str) -> Option<&'static str> {
    FORBIDDEN.iter().copied().find(|word| source.contains(word))
}

fn render(part: Part, source: &str, context: &Context<'_>, strict: bool) -> Result<String, Error> {
    if forbidden(source).is_some() {
        return Err(Error::new(ErrorKind::SyntaxError, "it would get around the escaping"));
    }
    let environment = environment(strict);
    let written = environment.render_named_str(part.file(), source, Value::from(Serde(context)))?;
    if written.len() > MAX_LETTER {
        return Err(Error::new(ErrorKind::OutOfFuel, "it becomes too long"));
    }
    Ok(written)
}

/// The email. True: a template of the account's could not be used, and the usual words stand in its place.
pub fn write(facts: &Facts<'_>) -> (Letter, bool) {
    let template = &facts.account.mail;
    let context = context(facts);
    let mut unusable = false;
    let mut own = |part, source: &str| {
        if source.trim().is_empty() {
            return None;
        }
        let written = render(part, source, &context, false).ok().filter(|written| !written.trim().is_empty());
        unusable |= written.is_none();
        written
    };
    let (subject, text, html) =
        (own(Part::Subject, &template.subject), own(Part::Text, &template.text), own(Part::Html, &template.html));
    let notes = (!facts.notes.is_empty()).then(|| facts.notes.join("\n"));
    let usual = email(facts.message, facts.account, facts.call_type, notes.as_deref());
    let html = match (html, &text) {
        (Some(html), _) => Some(html),
        // Two texts that say different things would be worse than one.
        (None, Some(_)) => None,
        (None, None) => render(Part::Html, USUAL_HTML, &context, false).ok(),
    };
    let text = text.unwrap_or_else(|| {
        let confirm = if facts.confirm { format!("\n{CONFIRM}\n") } else { String::new() };
        format!("{}{confirm}", usual.body)
    });
    // A subject is one line, whatever was put into it.
    let subject = subject.map_or(usual.subject, |subject| cut(&one_line(&subject), MAX_SUBJECT_CHARS));
    (Letter { subject, text, html }, unusable)
}

/// What is wrong with a template for a client with these call types. Empty: it can be saved.
pub fn check(part: Part, source: &str, account: &Account) -> Vec<TemplateFault> {
    if source.trim().is_empty() {
        return Vec::new();
    }
    let fault = |detail: String, cure: &str| vec![TemplateFault { detail, cure: cure.to_owned() }];
    if let Some(word) = forbidden(source) {
        return fault(format!("A template cannot use \"{word}\"."), "Take it out: what callers say is always escaped.");
    }
    let environment = environment(true);
    let names = match environment.template_from_named_str(part.file(), source) {
        Ok(template) => template.undeclared_variables(true),
        Err(error) => return vec![in_words(&error)],
    };
    let forms = account.call_types.iter().flat_map(|call_type| &call_type.form.fields);
    // None: its call types are still to come, as where an account is made from a document.
    let known: BTreeSet<&str> = forms.map(|field| field.name.as_str()).collect();
    let mut faults = Vec::new();
    // In an order of their own, as the set has none.
    for name in names.iter().collect::<BTreeSet<_>>() {
        let (first, rest) = name.split_once('.').map_or((name.as_str(), None), |(first, rest)| (first, Some(rest)));
        if !FIELDS.iter().any(|(field, _)| *field == first) {
            let all: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
            let detail = format!("There is nothing called \"{first}\" to put in.");
            faults.push(TemplateFault { detail, cure: format!("Known are: {}.", all.join(", ")) });
        } else if let ("fields", Some(field)) = (first, rest)
            && !known.is_empty()
            && !known.contains(field)
        {
            let cure = format!("Its forms have: {}.", known.iter().copied().collect::<Vec<_>>().join(", "));
            faults.push(TemplateFault { detail: format!("No form of this account has a field \"{field}\"."), cure });
        }
    }
    if !faults.is_empty() {
        return faults;
    }
    for call_type in samples(account) {
        let message = sample(account, &call_type);
        let notes = ["The caller was put through to Ben Ortiz.".to_owned()];
        let facts = Facts {
            message: &message,
            account,
            call_type: &call_type.name,
            notes: &notes,
            reference: "4711",
            confirm: true,
        };
        let mut context = context(&facts);
        let named = names.iter().filter_map(|name| name.strip_prefix("fields."));
        for name in known.iter().copied().chain(named) {
            context.fields.entry(name.to_owned()).or_default();
        }
        if let Err(error) = render(part, source, &context, true) {
            return vec![in_words(&error)];
        }
    }
    Vec::new()
}

/// The email about an invented message of this call type, or of the first. `asks`: of which a reply confirms.
pub fn preview(account: &Account, call_type: Option<&str>, asks: impl Fn(&CallType) -> bool) -> Letter {
    let all = samples(account);
    let chosen = all.iter().find(|t| Some(t.id.as_str()) == call_type).or_else(|| all.first());
    let chosen = chosen.cloned().unwrap_or_else(invented_type);
    let message = sample(account, &chosen);
    let confirm = asks(&chosen);
    let facts = Facts { message: &message, account, call_type: &chosen.name, notes: &[], reference: "4711", confirm };
    write(&facts).0
}

/// A template's fault for whoever wrote it.
fn in_words(error: &Error) -> TemplateFault {
    let at = error.line().map_or_else(String::new, |line| format!("Line {line}: "));
    let what = match (error.kind(), error.detail()) {
        // The library speaks of an engine and its fuel.
        (ErrorKind::OutOfFuel, None) => "it repeats so much that it would take too long to write".to_owned(),
        (_, Some(detail)) => detail.to_owned(),
        (kind, None) => kind.to_string(),
    };
    let cure = match error.kind() {
        ErrorKind::SyntaxError => {
            "Write {{ name }} for a field, {% if name %} … {% endif %} and {% for answer in answers %} … {% endfor %}."
        }
        ErrorKind::UnknownFilter => "Known are: upper, lower, title, trim, default, join.",
        ErrorKind::UnknownFunction | ErrorKind::UnknownTest | ErrorKind::UnknownMethod => {
            "Use fields alone: {{ account }}."
        }
        ErrorKind::OutOfFuel => "Make it shorter, and repeat nothing inside of what repeats.",
        _ => "An answer has a label and words: {{ answer.label }}, {{ answer.words }}.",
    };
    TemplateFault { detail: format!("{at}{what}."), cure: cure.to_owned() }
}

impl MailTemplate {
    /// With what part each of its texts is for.
    pub fn parts(&self) -> [(Part, &'static str, &str); 3] {
        [
            (Part::Subject, "/mail/subject", &self.subject),
            (Part::Text, "/mail/text", &self.text),
            (Part::Html, "/mail/html", &self.html),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{account, message};
    use super::*;
    use crate::domain::message::form::Sensitive;

    fn of(template: MailTemplate) -> Account {
        let form = message("x").form;
        let call_type = CallType { form, name: "Urgent repair".into(), urgency: Urgency::Urgent, ..invented_type() };
        Account { mail: template, call_types: vec![call_type], ..account() }
    }

    fn template(subject: &str, text: &str, html: &str) -> MailTemplate {
        MailTemplate { subject: subject.into(), text: text.into(), html: html.into() }
    }

    fn written(account: &Account, message: &Message) -> (Letter, bool) {
        let facts =
            Facts { message, account, call_type: "Urgent repair", notes: &[], reference: "4711", confirm: true };
        write(&facts)
    }

    fn faults(part: Part, source: &str) -> Vec<String> {
        check(part, source, &of(MailTemplate::default())).into_iter().map(|fault| fault.detail).collect()
    }

    #[test]
    fn without_a_template_the_usual_words_go_plain_and_formatted() {
        let (letter, unusable) = written(&account(), &message("Burst <b>pipe</b> & more"));
        assert!(!unusable);
        assert!(letter.subject.starts_with("URGENT: Urgent repair for Imaginary Plumbing"), "{}", letter.subject);
        assert!(letter.text.contains("Burst <b>pipe</b> & more") && letter.text.ends_with(&format!("{CONFIRM}\n")));
        let html = letter.html.expect("formatted too");
        assert!(html.contains("Burst &lt;b&gt;pipe&lt;&#x2f;b&gt; &amp; more"), "{html}");
        assert!(html.contains("#336699") && html.contains(CONFIRM) && html.contains("Reference 4711"));
    }

    #[test]
    fn an_account_s_own_words_go_with_what_callers_said_escaped() {
        let own = template(
            "{{ account }}: {{ fields.problem }}",
            "{{ callback }}{% if caller %} ({{ caller }}){% endif %}\n{% for answer in answers %}{{ answer.label }}={{ answer.words }};{% endfor %}",
            "<p title=\"{{ fields.problem }}\">{{ fields.problem }}</p>",
        );
        let account = of(own);
        for (part, _, source) in account.mail.parts() {
            assert_eq!(check(part, source, &account), []);
        }
        let (letter, unusable) = written(&account, &message("\"><script>alert(1)</script>"));
        assert!(!unusable);
        assert_eq!(letter.subject, "Imaginary Plumbing: \"><script>alert(1)</script>");
        assert!(letter.text.starts_with("+1 202 555 0147 (+1 202 555 0148)\nCaller=Jane Roe;"), "{}", letter.text);
        let html = letter.html.expect("formatted");
        assert!(!html.contains("<script>") && !html.contains("title=\"\""), "{html}");
    }

    #[test]
    fn a_subject_is_one_line_and_no_header_can_be_put_in() {
        let account = of(template("{{ fields.problem }}\nX: y", "", ""));
        let (letter, _) = written(&account, &message("a\r\nBcc: someone@example.com"));
        assert_eq!(letter.subject, "a Bcc: someone@example.com X: y");
        let long = written(&of(template("{{ fields.problem }}", "", "")), &message(&"x".repeat(500))).0;
        assert_eq!(long.subject.chars().count(), MAX_SUBJECT_CHARS);
    }

    #[test]
    fn plain_words_of_one_s_own_go_without_the_usual_formatted_ones() {
        let (letter, _) = written(&of(template("", "{{ headline }}", "")), &message("Burst pipe"));
        assert_eq!((letter.text.as_str(), letter.html), ("Jane Roe · Burst pipe", None));
    }

    #[test]
    fn what_is_sensitive_is_in_no_letter() {
        let mut message = message("Burst pipe");
        message.form.fields[2].sensitive = Sensitive::Kept;
        let all = "{{ fields.problem }}{{ headline }}{% for a in answers %}{{ a.words }}{% endfor %}";
        for account in [account(), of(template(all, all, all))] {
            let letter = written(&account, &message).0;
            for words in [letter.subject, letter.text, letter.html.expect("formatted")] {
                assert!(!words.contains("Burst pipe"), "{words}");
            }
        }
    }

    #[test]
    fn names_that_there_are_not_are_refused_wherever_they_stand() {
        assert_eq!(faults(Part::Text, "{{ acount }}"), ["There is nothing called \"acount\" to put in."]);
        let hidden = "{% if false %}{{ nobody }}{% endif %}";
        assert_eq!(faults(Part::Text, hidden), ["There is nothing called \"nobody\" to put in."]);
        assert_eq!(faults(Part::Html, "{{ fields.pats }}"), ["No form of this account has a field \"pats\"."]);
        assert_eq!(faults(Part::Html, "{{ fields.pets }}"), [""; 0]);
        assert!(!faults(Part::Text, "{% for a in answers %}{{ a.lable }}{% endfor %}").is_empty());
        assert!(
            faults(Part::Text, "\n{{ account ")[0].starts_with("Line 2: "),
            "{:?}",
            faults(Part::Text, "\n{{ account ")
        );
    }

    #[test]
    fn no_template_gets_around_the_escaping_or_works_without_end() {
        for source in [
            "{{ account|safe }}",
            "{% autoescape false %}{{ account }}{% endautoescape %}",
            "{% include 'x' %}",
            "{{ range(1000000) }}",
            "{% for a in answers %}{% for b in answers %}{% for c in answers %}{% for d in answers %}{% for e in answers %}{% for f in answers %}{% for g in answers %}{% for h in answers %}{% for i in answers %}{% for j in answers %}x{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
        ] {
            assert!(!faults(Part::Html, source).is_empty(), "{source}");
            // One that is there all the same costs no message.
            let (letter, unusable) = written(&of(template("", "", source)), &message("Burst pipe"));
            let html = letter.html.unwrap_or_default();
            assert!(unusable && html.contains("Burst pipe"), "{source}: {html}");
        }
    }

    #[test]
    fn a_template_that_works_too_long_is_refused_in_words_of_whoever_writes_it() {
        let loops = format!("{}x{}", "{% for a in answers %}".repeat(10), "{% endfor %}".repeat(10));
        let said = faults(Part::Text, &loops);
        assert_eq!(said, ["Line 1: it repeats so much that it would take too long to write."]);
    }

    #[test]
    fn a_preview_is_of_an_invented_message() {
        let letter = preview(&of(template("", "{{ fields.name }}: {{ confirm }}", "")), None, |_| true);
        assert_eq!(letter.text, format!("Jane Roe: {CONFIRM}"));
        assert!(preview(&account(), Some("ct_nobody"), |_| false).html.is_some());
    }

    #[test]
    fn a_preview_asks_for_a_reply_only_where_one_confirms() {
        for asks in [false, true] {
            let letter = preview(&of(MailTemplate::default()), None, |_| asks);
            assert_eq!(letter.text.contains(CONFIRM), asks, "{}", letter.text);
            let html = letter.html.expect("formatted too");
            assert_eq!(html.contains(CONFIRM), asks, "{html}");
        }
    }
}
