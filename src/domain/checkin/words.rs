//! What is said at a check-in. Short, as it is heard every day; what is new comes first, which key does what comes last.

pub(super) const ASK_PIN: &str =
    "Please enter your PIN, and then the pound key. For an operator, press 0 and the pound key.";
pub(super) const WRONG_PIN: &str = "That did not work.";
pub(super) const REFUSED: &str = "We cannot check you in by telephone now. Please call the office. Goodbye.";
pub(super) const SORRY_OPERATOR: &str = "We are sorry, that did not work. An operator will help you.";
pub(super) const NOTHING_NEW: &str = "You have no new messages.";
pub(super) const TO_ITS_END: &str = "Please hear it to its end first.";
pub(super) const DELIVERED: &str = "Delivered.";
pub(super) const KEPT: &str = "Kept.";
pub(super) const CHANGED: &str = "This message was changed while you heard it. Please hear it as it is now.";
pub(super) const NOT_NOTED: &str = "That could not be noted: the message stays held.";
pub(super) const KEYS: &str = "Delivered, press 2. Keep it, press 3. Once more, press 1. Back, 9. An operator, 0. \
                               Other choices, 7. To end, the star key.";

/// Those of them that are said alone.
pub(super) const FIXED: [&str; 5] = [ASK_PIN, WRONG_PIN, REFUSED, SORRY_OPERATOR, KEYS];

/// How much there is to hear.
pub(super) fn how_many(count: usize) -> String {
    match count {
        1 => "You have 1 new message.".to_owned(),
        count => format!("You have {count} new messages."),
    }
}

/// A message with its place among all.
pub(super) fn message(first: &str, at: usize, of: usize, words: &str) -> String {
    let place = if of == 1 { "The message.".to_owned() } else { format!("Message {} of {of}.", at + 1) };
    joined(&[first, &place, words])
}

/// After the last one.
pub(super) fn no_more(first: &str, kept: usize) -> String {
    let kept = match kept {
        0 => String::new(),
        1 => "1 is kept for later.".to_owned(),
        kept => format!("{kept} are kept for later."),
    };
    joined(&[first, "There are no more messages.", &kept])
}

const STATUS: &str = "For a status greeting to your callers, press 5.";

/// All there is to do beside hearing messages.
pub(super) fn menu(first: &str, kept: usize, duties: bool) -> String {
    let hear = if kept > 0 { "To hear messages, press 1." } else { "" };
    let duty = if duties { "To change who is on call, press 4." } else { "" };
    joined(&[first, hear, duty, STATUS, "For an operator, press 0. To end, press the star key."])
}

pub(super) fn goodbye(kept: usize) -> String {
    match kept {
        0 => "Goodbye.".to_owned(),
        1 => "1 message is kept for you. Goodbye.".to_owned(),
        kept => format!("{kept} messages are kept for you. Goodbye."),
    }
}

/// Sentences one after the other, without those that say nothing.
pub(super) fn joined(sentences: &[&str]) -> String {
    sentences.iter().filter(|sentence| !sentence.is_empty()).copied().collect::<Vec<_>>().join(" ")
}
