//! Forms as they are filled in: what is taken, what is missed, what is hidden. One test goes by seeds.

use super::*;
use crate::base::rng::Rng;

fn at(text: &str) -> ZonedDateTime {
    let civil: jiff::civil::DateTime = text.parse().expect("a civil time");
    civil.to_zoned_datetime(jiff::tz::TimeZone::UTC).expect("UTC has every civil time")
}

fn asked(when: &str) -> Asked<'static> {
    Asked { at: at(when), people: &[], again: false }
}

fn field(name: &str, kind: FieldKind) -> Field {
    Field { name: name.into(), label: name.into(), kind, required: true, ..Field::default() }
}

fn form(fields: Vec<Field>) -> Form {
    Form { version: 1, fields }
}

fn answers(pairs: &[(&str, &str)]) -> Answers {
    pairs.iter().map(|(name, answer)| ((*name).to_owned(), (*answer).to_owned())).collect()
}

fn check(name: &str, message: &str) -> Result<Answers, Vec<FieldError>> {
    let form = form(vec![field("name", FieldKind::Text), field("message", FieldKind::LongText)]);
    form.check(&answers(&[("name", name), ("message", message)]), &asked("2026-03-07T02:10"))
}

#[test]
fn what_cannot_be_seen_is_not_taken() {
    let taken = check("Ann\u{202e} \u{0}Archer\nReply 9ok", "first\r\nsecond").unwrap();
    assert_eq!(taken["name"], "Ann Archer Reply 9ok");
    assert_eq!(taken["message"], "first\nsecond");
}

#[test]
fn a_required_answer_of_blanks_is_missing() {
    let errors = check("  \u{200b}\u{feff} ", "x").unwrap_err();
    assert_eq!((errors.len(), errors[0].code.as_str()), (1, "required"));
}

#[test]
fn a_field_that_another_answer_hides_is_neither_missed_nor_kept() {
    let leak = ShownIf { field: "problem".into(), is: vec!["Leak".into()] };
    let where_is_it = Field { shown_if: Some(leak), ..field("where", FieldKind::Text) };
    let deeper = Field {
        shown_if: Some(ShownIf { field: "where".into(), is: vec![] }),
        ..field("valve_shut", FieldKind::YesNo)
    };
    let options = vec!["Leak".to_owned(), "Noise".to_owned()];
    let form = form(vec![field("problem", FieldKind::Choice { options }), where_is_it, deeper]);
    let now = asked("2026-03-07T02:10");

    let errors = form.check(&answers(&[("problem", "leak")]), &now).unwrap_err();
    assert_eq!(errors[0].field, "where", "shown and missing");
    let typed = answers(&[("problem", "Noise"), ("where", "cellar"), ("valve_shut", "perhaps")]);
    assert_eq!(form.check(&typed, &now).unwrap(), answers(&[("problem", "Noise")]), "typed before and hidden since");
    let whole = answers(&[("problem", "Leak"), ("where", "cellar"), ("valve_shut", "yes")]);
    assert_eq!(form.check(&whole, &now).unwrap(), whole);
}

#[test]
fn a_field_of_the_night_is_asked_at_night_alone() {
    let days = vec![Weekday::Friday];
    let night = AskedAt { days, span: Span { from: "18:00".into(), until: "06:00".into() } };
    for (when, covered) in [
        ("2026-03-06T18:00", true),
        ("2026-03-06T17:59", false),
        ("2026-03-07T05:59", true),
        ("2026-03-07T06:00", false),
        ("2026-03-07T19:00", false),
        ("2026-03-06T02:00", false),
    ] {
        assert_eq!(night.covers(&at(when)), covered, "{when}");
    }
    let form = form(vec![Field { hours: Some(night), ..field("gate_code", FieldKind::Text) }]);
    assert!(form.check(&Answers::new(), &asked("2026-03-06T12:00")).is_ok());
    assert!(form.check(&Answers::new(), &asked("2026-03-06T22:00")).is_err());
}

#[test]
fn what_is_not_kept_must_be_asked_once() {
    let card = |sensitive| Field { sensitive, ..field("card", FieldKind::Text) };
    let form = form(vec![card(Sensitive::NotKept), Field { name: "pin".into(), ..card(Sensitive::Kept) }]);
    let typed = answers(&[("card", "4000 0000 0000 0002"), ("pin", "12")]);
    let taken = form.check(&typed, &asked("2026-03-07T02:10")).unwrap();
    assert_eq!(form.kept(taken.clone()), answers(&[("pin", "12")]));
    assert_eq!(form.without_sensitive(taken.clone()), Answers::new());
    let missing = form.check(&form.kept(taken.clone()), &asked("2026-03-07T02:10")).unwrap_err();
    assert_eq!(missing[0].field, "card");
    let again = Asked { again: true, ..asked("2026-03-07T02:10") };
    assert!(form.check(&form.kept(taken), &again).is_ok(), "a change need not ask for it again");
}

/// Forms and answers at random: whatever they are, checked answers hold shown fields only, nothing required that is
/// shown is missing among them, and checking them again changes nothing.
#[test]
fn a_hidden_field_is_never_required_nor_stored() {
    const WORDS: [&str; 4] = ["yes", "no", "Leak", ""];
    let (mut hidden, mut taken) = (0, 0);
    for seed in 0..4_000 {
        let mut rng = Rng::seeded(seed);
        let count = 1 + rng.below(6);
        let name = |n: u64| format!("f{n}");
        let kinds = [
            FieldKind::Text,
            FieldKind::YesNo,
            FieldKind::Several { options: vec!["Leak".into(), "no".into()] },
            FieldKind::Choice { options: vec!["yes".into(), "Leak".into()] },
        ];
        let fields = (0..count).map(|n| {
            let shown_if = (rng.below(2) == 0).then(|| ShownIf {
                // Also fields that come later, or are not there: written by hand into a database.
                field: name(rng.below(count + 1)),
                is: (0..rng.below(3)).map(|_| WORDS[usize::try_from(rng.below(3)).unwrap()].to_owned()).collect(),
            });
            let hours = (rng.below(4) == 0).then(|| AskedAt {
                days: vec![Weekday::Saturday],
                span: Span { from: "18:00".into(), until: "06:00".into() },
            });
            let kind = kinds[usize::try_from(rng.below(4)).unwrap()].clone();
            Field { required: rng.below(2) == 0, shown_if, hours, ..field(&name(n), kind) }
        });
        let form = form(fields.collect());
        let typed: Answers =
            (0..count).map(|n| (name(n), WORDS[usize::try_from(rng.below(4)).unwrap()].to_owned())).collect();
        let asked = asked(["2026-03-07T12:00", "2026-03-07T22:00"][usize::try_from(rng.below(2)).unwrap()]);
        let mut before = Answers::new();
        let checked = form.check(&typed, &asked);
        for field in &form.fields {
            let shown = field.is_shown(&before, &asked.at);
            match &checked {
                Ok(checked) => {
                    assert!(
                        shown || !checked.contains_key(&field.name),
                        "seed {seed}: {} is hidden and kept",
                        field.name
                    );
                    let there = checked.contains_key(&field.name);
                    assert!(there || !shown || !field.required, "seed {seed}: {} is missing", field.name);
                }
                Err(errors) => {
                    let blamed = errors.iter().any(|error| error.field == field.name);
                    assert!(shown || !blamed, "seed {seed}: {} is hidden and asked for", field.name);
                }
            }
            if shown
                && let Ok(answer) = field.kind.check(typed[&field.name].trim(), &[])
                && !answer.is_empty()
            {
                before.insert(field.name.clone(), answer);
            } else if !shown {
                hidden += 1;
            }
        }
        if let Ok(checked) = checked {
            taken += 1;
            assert_eq!(form.check(&checked, &asked).as_ref(), Ok(&checked), "seed {seed}");
        }
    }
    assert!(hidden > 2_000 && taken > 500, "{hidden} hidden, {taken} taken: the seeds do not reach");
}

/// A number of a policy, and a question that depends on it.
fn with_shape() -> Form {
    let shape = Shape { patterns: vec!["AA-9999".into()], example: Some("PL-0471".into()), ..Shape::default() };
    let policy = Field { shape, ..field("policy", FieldKind::Text) };
    let shown_if = Some(ShownIf { field: "policy".into(), is: vec![] });
    let since = Field { shown_if, ..field("since", FieldKind::Date) };
    form(vec![field("callback", FieldKind::Phone), policy, since])
}

#[test]
fn an_answer_of_another_shape_is_told_and_kept_in_its_own_when_it_is_right() {
    let now = asked("2026-03-07T02:10");
    let typed = answers(&[("callback", "202 555 0147"), ("policy", "pl0471"), ("since", "2026-01-01")]);
    assert_eq!(with_shape().check(&typed, &now).unwrap()["policy"], "pl-0471");
    let typed = answers(&[("callback", "202 555 0147"), ("policy", "471")]);
    let errors = with_shape().check(&typed, &now).unwrap_err();
    let told: Vec<_> = errors.iter().map(|e| (e.field.as_str(), e.code.as_str(), e.format)).collect();
    assert_eq!(told, [("policy", "pattern", true)], "and nothing is asked because of a wrong answer");
}

#[test]
fn what_is_only_not_written_as_asked_is_taken_as_it_is_where_somebody_says_so() {
    let now = asked("2026-03-07T02:10");
    let typed = answers(&[("callback", "555 01"), ("policy", "471")]);
    let form = with_shape();
    let taken = form.check_or_take(&typed, &now, |_, _| true).unwrap();
    assert_eq!(taken, typed);
    let odd: Vec<_> = form.not_as_asked(&taken).into_iter().map(|field| field.name.as_str()).collect();
    assert_eq!(odd, ["callback", "policy"]);
    assert_eq!(form.fields[1].show("471"), "471 (not as asked)");
    assert_eq!(form.fields[0].show("+12025550147"), "+1 202 555 0147");
    // What is missing is still asked for, and what no caller could have said is not taken.
    let errors = form.check_or_take(&answers(&[("policy", "471")]), &now, |_, _| true).unwrap_err();
    assert_eq!((errors[0].field.as_str(), errors[0].code.as_str()), ("callback", "required"));
    let long = "9".repeat(MAX_ANSWER_CHARS + 1);
    let errors =
        form.check_or_take(&answers(&[("callback", "555"), ("policy", &long)]), &now, |_, _| true).unwrap_err();
    assert_eq!((errors[0].code.as_str(), errors[0].format), ("too_long", false));
}

#[test]
fn forms_of_before_there_were_shapes_read_on() {
    let read: Field = serde_json::from_str(r#"{"name": "a", "label": "A", "kind": {"kind": "text"}}"#).unwrap();
    assert!(read.shape.is_empty());
    assert!(!serde_json::to_string(&read).unwrap().contains("shape"), "and are written as before");
}
