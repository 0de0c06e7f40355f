//! Receipts for texts that went in parts: each part has a receipt of its own, and the text has arrived when all have.
//! Pure, and in memory alone: after a start the parts of before are nobody's, and the text stays accepted.

use std::collections::{BTreeMap, VecDeque};

use super::receipt::Fate;

/// Parts remembered; the oldest are forgotten first.
const MOST: usize = 20_000;

#[derive(Debug)]
struct Whole {
    first: String,
    count: usize,
    missing: Vec<String>,
    /// All its parts are known.
    complete: bool,
    failed: bool,
    told: bool,
}

impl Whole {
    /// The name for it, which is none of a part's own.
    fn id(&self) -> String {
        format!("{}+{}", self.first, self.count)
    }
}

/// A text whose parts are being sent.
#[derive(Debug)]
pub struct Sending(u64);

/// What is known of texts in parts.
#[derive(Debug, Default)]
pub struct Wholes {
    next: u64,
    wholes: BTreeMap<u64, Whole>,
    parts: BTreeMap<String, u64>,
    order: VecDeque<(String, u64)>,
}

impl Wholes {
    /// A text of several parts is about to be sent.
    pub const fn begin(&mut self) -> Sending {
        let number = self.next;
        self.next += 1;
        Sending(number)
    }

    /// The carrier has taken a part of it, by this name. Its receipt may come before the next part is taken.
    pub fn sent(&mut self, text: &Sending, part: &str) {
        let new = || Whole {
            first: part.to_owned(),
            count: 0,
            missing: Vec::new(),
            complete: false,
            failed: false,
            told: false,
        };
        let whole = self.wholes.entry(text.0).or_insert_with(new);
        whole.count += 1;
        whole.missing.push(part.to_owned());
        self.parts.insert(part.to_owned(), text.0);
        self.order.push_back((part.to_owned(), text.0));
        while self.order.len() > MOST {
            let Some((part, number)) = self.order.pop_front() else { break };
            if self.parts.get(&part) == Some(&number) {
                self.parts.remove(&part);
            }
            self.wholes.remove(&number);
        }
    }

    /// All of it is taken. Gives the name for it; none if the carrier gave none.
    pub fn complete(&mut self, text: Sending) -> Option<String> {
        let whole = self.wholes.get_mut(&text.0)?;
        whole.complete = true;
        Some(whole.id())
    }

    /// What a receipt for `part` says about the text it is of. The outer `None`: it is a text alone. The inner one: nothing
    /// new.
    #[allow(clippy::option_option, reason = "no part of anything is not the same as nothing new")]
    pub fn heard(&mut self, part: &str, fate: Fate) -> Option<Option<(String, Fate)>> {
        let whole = self.wholes.get_mut(self.parts.get(part)?)?;
        match fate {
            Fate::Sent => return Some(None),
            Fate::Delivered => whole.missing.retain(|missing| missing != part),
            Fate::Failed => whole.failed = true,
        }
        let news = whole.complete && (whole.failed || whole.missing.is_empty());
        if !news || whole.told {
            return Some(None);
        }
        whole.told = true;
        Some(Some((whole.id(), if whole.failed { Fate::Failed } else { Fate::Delivered })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(wholes: &mut Wholes, parts: &[&str]) -> String {
        let text = wholes.begin();
        parts.iter().for_each(|part| wholes.sent(&text, part));
        wholes.complete(text).expect("it has a name")
    }

    #[test]
    fn a_text_has_arrived_when_its_last_part_has_and_is_told_once() {
        let mut wholes = Wholes::default();
        let id = send(&mut wholes, &["a", "b", "c"]);
        assert_eq!(id, "a+3");
        assert_eq!(wholes.heard("b", Fate::Delivered), Some(None));
        assert_eq!(wholes.heard("b", Fate::Delivered), Some(None), "twice is once");
        assert_eq!(wholes.heard("c", Fate::Sent), Some(None));
        assert_eq!(wholes.heard("c", Fate::Delivered), Some(None));
        assert_eq!(wholes.heard("a", Fate::Delivered), Some(Some((id, Fate::Delivered))));
        assert_eq!(wholes.heard("a", Fate::Delivered), Some(None));
        assert_eq!(wholes.heard("x", Fate::Delivered), None);
    }

    #[test]
    fn one_part_that_fails_fails_the_text() {
        let mut wholes = Wholes::default();
        let id = send(&mut wholes, &["a", "b"]);
        assert_eq!(wholes.heard("a", Fate::Delivered), Some(None));
        assert_eq!(wholes.heard("b", Fate::Failed), Some(Some((id, Fate::Failed))));
        assert_eq!(wholes.heard("a", Fate::Failed), Some(None));
    }

    #[test]
    fn a_receipt_that_overtakes_the_next_part_counts() {
        let mut wholes = Wholes::default();
        let text = wholes.begin();
        wholes.sent(&text, "a");
        assert_eq!(wholes.heard("a", Fate::Delivered), Some(None), "there is more to come");
        wholes.sent(&text, "b");
        let id = wholes.complete(text).expect("it has a name");
        assert_eq!(wholes.heard("b", Fate::Delivered), Some(Some((id, Fate::Delivered))));
        let text = wholes.begin();
        wholes.sent(&text, "c");
        assert_eq!(wholes.heard("c", Fate::Failed), Some(None));
        wholes.sent(&text, "d");
        let id = wholes.complete(text).expect("it has a name");
        assert_eq!(wholes.heard("d", Fate::Delivered), Some(Some((id, Fate::Failed))), "a part of it is lost");
        let nameless = wholes.begin();
        assert_eq!(wholes.complete(nameless), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut wholes = Wholes::default();
        for n in 0..MOST {
            send(&mut wholes, &[&format!("{n}a"), &format!("{n}b")]);
        }
        assert!(wholes.parts.len() <= MOST && wholes.wholes.len() <= MOST && wholes.order.len() <= MOST);
        assert_eq!(wholes.heard("0a", Fate::Failed), None);
    }
}
