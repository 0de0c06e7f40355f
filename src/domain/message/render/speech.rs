//! The sentences of a call-out, written for a voice; how a text is said is `spoken`'s. The introduction and what is left on a
//! voicemail hold nothing of the message.

use crate::domain::account::{Account, Urgency};
use crate::domain::message::Message;
use crate::domain::message::form::Field;

use super::spoken::twice;
use super::{brief_answers, callback_number, cut, is_number, one_line};

pub use super::spoken::{spelled, spoken_number, spoken_time, words};

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
    for (field, answer) in brief_answers(message).filter(|(field, _)| !is_number(message, field)) {
        said.push_str(&format!("{}: {}. ", words(&field.label), words(&answer)));
    }
    let said = cut(one_line(&said).trim_end_matches("..."), MAX_SPOKEN_CHARS);
    match callback_number(message) {
        Some(number) => {
            format!("{said} The number to call back is: {}.", twice(&spoken_number(&number)))
        }
        None => format!("{said} The caller left no number."),
    }
}

/// A held message, whole, in the order in which a person would want it: who called, their number, what for, and when. What
/// the form calls first is who. What is sensitive is kept with the message: whoever rings in may stand among people.
pub fn held(message: &Message, account: &Account) -> String {
    let answered = |field: &Field| {
        let answer = message.answers.get(&field.name)?;
        let spoken =
            if is_number(message, field) || !field.is_odd(answer) { answer.clone() } else { field.show(answer) };
        Some((is_number(message, field), words(&field.label), spoken))
    };
    let told = message.form.fields.iter().filter(|field| field.sensitive.is_no());
    let answers: Vec<_> = told.filter_map(answered).collect();
    let mut written = answers.iter().filter(|(number, ..)| !number);
    let said = |(_, label, answer): &(bool, String, String)| format!("{label}: {}.", words(answer));
    let who = written.next().map_or_else(|| "A caller.".to_owned(), said);
    let callback = callback_number(message);
    let number = callback.as_deref().map_or_else(
        || "They left no number.".to_owned(),
        |number| format!("The number to call back is: {}.", twice(&spoken_number(number))),
    );
    let others = answers.iter().filter(|(number, _, answer)| *number && callback.as_ref() != Some(answer));
    let others = others.map(|(_, label, answer)| format!("{label}: {}.", twice(&spoken_number(answer))));
    let rest: Vec<String> = others.chain(written.map(said)).collect();
    let taken = format!("Message taken {}.", spoken_time(message.taken_at, &account.zone));
    one_line(&[vec![who, number], rest, vec![taken]].concat().join(" ")).replace("..", ".")
}

/// What is left when nobody takes the call: who called, where to ring back and what to name there, nothing of the message.
pub fn callback_request(account: &Account, reference: &str) -> String {
    let number = account.caller_id.as_ref().or_else(|| account.dids.first());
    let ring = number.map_or_else(String::new, |number| format!("{}. ", spoken_number(number.as_e164())));
    // All of it once before it is said again: a mailbox may be short.
    let what = format!("{ring}The reference is: {}.", spelled(reference));
    let name = words(&account.name);
    format!(
        "This is the answering service of {name}. There is a message for you. Please call back: {what} Again: {what}"
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{account, message};
    use super::*;

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
        assert_eq!(
            callback_request(&account(), "482913"),
            "This is the answering service of Imaginary Plumbing. There is a message for you. Please call back: \
             2, 0, 2. 5, 5, 5. 0, 1, 0, 2. The reference is: 4, 8, 2. 9, 1, 3. Again: 2, 0, 2. 5, 5, 5. 0, 1, 0, 2. \
             The reference is: 4, 8, 2. 9, 1, 3."
        );
        let said = intro(&account(), Urgency::Urgent, "Ben Ortiz");
        assert_eq!(said, "This is the answering service of Imaginary Plumbing with an urgent message for Ben Ortiz.");
    }
}
