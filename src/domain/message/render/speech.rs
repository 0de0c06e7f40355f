//! The words of a call-out, written for a voice: numbers in groups and twice, times and common
//! abbreviations in full. The introduction and what is left on a voicemail hold nothing of the message.

use crate::base::clock::UtcMs;
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, Urgency};
use crate::domain::message::Message;
use crate::domain::message::form::{Field, FieldKind};

use super::{brief_answers, callback_number, civil, cut, one_line};

/// About two minutes of speech; longer is for the email.
const MAX_SPOKEN_CHARS: usize = 1_500;

/// Who calls and what for.
pub fn intro(account: &Account, urgency: Urgency, contact: &str) -> String {
    let urgent = if urgency == Urgency::Urgent { "an urgent message" } else { "a message" };
    format!("This is the answering service of {} with {urgent} for {contact}.", words(&account.name))
}

/// The message, and the number to ring back, twice.
pub fn content(message: &Message, account: &Account) -> String {
    let taken = spoken_time(message.taken_at, &account.zone);
    let mut said = format!("Message taken {taken}. ");
    for (field, answer) in brief_answers(message).filter(|(field, _)| field.kind != FieldKind::Phone) {
        said.push_str(&format!("{}: {}. ", words(&field.label), words(&answer)));
    }
    let said = cut(one_line(&said).trim_end_matches("..."), MAX_SPOKEN_CHARS);
    match callback_number(message) {
        Some(number) => {
            let number = spoken_number(&number);
            format!("{said} The number to call back is: {number}. Again: {number}.")
        }
        None => format!("{said} The caller left no number."),
    }
}

/// A held message, whole, in the order in which a person would want it: who called, their number, what for, and when. What
/// the form calls first is who. What is sensitive is kept with the message: whoever rings in may stand among people.
pub fn held(message: &Message, account: &Account) -> String {
    let answered = |field: &Field| {
        message.answers.get(&field.name).map(|answer| (field.kind.clone(), words(&field.label), answer))
    };
    let told = message.form.fields.iter().filter(|field| field.sensitive.is_no());
    let answers: Vec<_> = told.filter_map(answered).collect();
    let mut written = answers.iter().filter(|(kind, ..)| *kind != FieldKind::Phone);
    let said = |(_, label, answer): &(FieldKind, String, &String)| format!("{label}: {}.", words(answer));
    let who = written.next().map_or_else(|| "A caller.".to_owned(), said);
    let callback = callback_number(message);
    let number = callback.as_deref().map_or_else(
        || "They left no number.".to_owned(),
        |number| {
            let number = spoken_number(number);
            format!("The number to call back is: {number}. Again: {number}.")
        },
    );
    let others =
        answers.iter().filter(|(kind, _, answer)| *kind == FieldKind::Phone && callback.as_ref() != Some(*answer));
    let others = others.map(|(_, label, answer)| format!("{label}: {}.", spoken_number(answer)));
    let rest: Vec<String> = others.chain(written.map(said)).collect();
    let taken = format!("Message taken {}.", spoken_time(message.taken_at, &account.zone));
    one_line(&[vec![who, number], rest, vec![taken]].concat().join(" ")).replace("..", ".")
}

/// What is left when nobody takes the call: who called and where to ring back, nothing of the message.
pub fn callback_request(account: &Account) -> String {
    let number = account.caller_id.as_ref().or_else(|| account.dids.first());
    let ring = number.map_or_else(String::new, |number| {
        let number = spoken_number(number.as_e164());
        format!(" Please call back: {number}. Again: {number}.")
    });
    format!("This is the answering service of {}. There is a message for you.{ring}", words(&account.name))
}

/// `2, 0, 2. 5, 5, 5. 0, 1, 0, 1`: digits in groups, with pauses.
pub fn spoken_number(e164: &str) -> String {
    let digits: Vec<char> = e164.chars().filter(char::is_ascii_digit).collect();
    // North American numbers are said without the country code, in their usual groups.
    let (digits, sizes): (&[char], &[usize]) = match digits.as_slice() {
        ['1', rest @ ..] if rest.len() == 10 => (rest, &[3, 3, 4]),
        all => (all, &[]),
    };
    let mut groups = Vec::new();
    let mut rest = digits;
    let mut sizes = sizes.iter();
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(3).min(rest.len());
        // No digit is left alone at the end.
        let size = if rest.len() == 4 { 4 } else { size };
        groups.push(rest[..size].iter().map(char::to_string).collect::<Vec<_>>().join(", "));
        rest = &rest[size..];
    }
    groups.join(". ")
}

/// `Saturday March 7 at 2 10 a.m.`
pub fn spoken_time(at: UtcMs, zone: &str) -> String {
    let civil = civil(at, zone);
    let half = if civil.hour() < 12 { "a.m." } else { "p.m." };
    let hour = match civil.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let minute = match civil.minute() {
        0 => String::new(),
        minute @ 1..=9 => format!(" oh {minute}"),
        minute => format!(" {minute}"),
    };
    format!("{} at {hour}{minute} {half}", civil.strftime("%A %B %-d"))
}

/// Written text as it is said: abbreviations in full, numbers that look like telephone numbers in groups,
/// marks a voice would stumble over left out.
pub fn words(text: &str) -> String {
    let mut said = Vec::new();
    for word in one_line(text).split(' ') {
        let bare = word.trim_end_matches([',', '.', ';', ':', '!', '?']);
        let tail = word[bare.len()..].trim_start_matches('.');
        let full = match bare.to_ascii_lowercase().as_str() {
            "st" => "Street",
            "ave" => "Avenue",
            "rd" => "Road",
            "blvd" => "Boulevard",
            "dr" => {
                if said.is_empty() || word.ends_with('.') {
                    "Doctor"
                } else {
                    "Drive"
                }
            }
            "apt" => "apartment",
            "ste" => "suite",
            "bldg" => "building",
            "flr" => "floor",
            "asap" => "as soon as possible",
            "appt" => "appointment",
            "w/" => "with",
            "w/o" => "without",
            "&" => "and",
            "#" => "number",
            "pls" => "please",
            "a/c" | "ac" => "A C",
            "hvac" => "H V A C",
            _ => "",
        };
        said.push(match (full, bare) {
            ("", bare) if bare.len() >= 7 => {
                let number = PhoneNumber::parse(bare).ok();
                let bare = number.map_or_else(|| plain(bare), |number| spoken_number(number.as_e164()));
                format!("{bare}{tail}")
            }
            ("", bare) => format!("{}{}", plain(bare), &word[bare.len()..]),
            (full, _) => format!("{full}{tail}"),
        });
    }
    said.join(" ")
}

/// Drops marks that a voice would read out or take for mark-up.
fn plain(word: &str) -> String {
    word.replace(['<', '>', '{', '}', '[', ']', '|', '\\', '^', '~', '`', '*', '_'], "").replace('#', "number ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{account, message};
    use super::*;

    #[test]
    fn numbers_are_spoken_in_groups() {
        assert_eq!(spoken_number("+12025550101"), "2, 0, 2. 5, 5, 5. 0, 1, 0, 1");
        assert_eq!(spoken_number("+431234567"), "4, 3, 1. 2, 3, 4. 5, 6, 7");
    }

    #[test]
    fn times_are_spoken_as_people_say_them() {
        assert_eq!(spoken_time(UtcMs(1_772_871_000_000), "America/Chicago"), "Saturday March 7 at 2 10 a.m.");
        assert_eq!(spoken_time(UtcMs(1_772_871_000_000), "UTC"), "Saturday March 7 at 8 10 a.m.");
    }

    #[test]
    fn the_content_gives_the_number_to_call_back_twice_and_nothing_unasked() {
        let said = content(&message("No heat, apt. 4 & water w/o end ASAP"), &account());
        assert_eq!(said.matches("2, 0, 2. 5, 5, 5. 0, 1, 4, 7").count(), 2, "{said}");
        assert!(said.contains("No heat, apartment 4 and water without end as soon as possible"), "{said}");
        assert!(!said.contains("dog"), "a field that is not brief is not said");
    }

    #[test]
    fn a_held_message_is_said_whole_in_the_order_in_which_people_want_it() {
        assert_eq!(
            held(&message("No heat, apt. 4."), &account()),
            "Caller: Jane Roe. The number to call back is: 2, 0, 2. 5, 5, 5. 0, 1, 4, 7. Again: 2, 0, 2. 5, 5, 5. \
             0, 1, 4, 7. Problem: No heat, apartment 4. Pets: one dog. Message taken Saturday March 7 at 2 10 a.m."
        );
        let nobody = Message { caller: None, answers: Default::default(), ..message("") };
        assert_eq!(
            held(&nobody, &account()),
            "A caller. They left no number. Message taken Saturday March 7 at 2 10 a.m."
        );
    }

    #[test]
    fn what_is_left_on_a_voicemail_holds_nothing_of_the_message() {
        let left = callback_request(&account());
        assert!(left.contains("Imaginary Plumbing") && left.contains("2, 0, 2. 5, 5, 5. 0, 1, 0, 2"));
        let said = intro(&account(), Urgency::Urgent, "Ben Ortiz");
        assert_eq!(said, "This is the answering service of Imaginary Plumbing with an urgent message for Ben Ortiz.");
    }

    #[test]
    fn abbreviations_and_marks_do_not_trip_the_voice() {
        assert_eq!(words("12 Elm St, Dr. Patel & <b>#4"), "12 Elm Street, Doctor Patel and bnumber 4");
        assert_eq!(words("call 202-555-0147."), "call 2, 0, 2. 5, 5, 5. 0, 1, 4, 7");
    }
}
