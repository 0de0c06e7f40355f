//! Receipts for texts that went in parts: each part has a receipt of its own, and the text has arrived when all have.
//! Pure, and in memory alone: after a start the parts of before are nobody's, and the text stays accepted.

use std::collections::{BTreeMap, VecDeque};

use super::receipt::Fate;

/// Parts remembered; the oldest are forgotten first.
const MOST: usize = 20_000;

#[derive(Debug)]
struct Whole {
    id: String,
    missing: Vec<String>,
    told: bool,
}

/// What is known of texts in parts.
#[derive(Debug, Default)]
pub struct Wholes {
    next: u64,
    wholes: BTreeMap<u64, Whole>,
    parts: BTreeMap<String, u64>,
    order: VecDeque<(String, u64)>,
}

impl Wholes {
    /// A text went out in these parts. Gives the name for it, which is none of a part's own.
    pub fn begin(&mut self, parts: &[String]) -> String {
        let id = format!("{}+{}", parts.first().map_or("", String::as_str), parts.len());
        let number = self.next;
        self.next += 1;
        self.wholes.insert(number, Whole { id: id.clone(), missing: parts.to_vec(), told: false });
        for part in parts {
            self.parts.insert(part.clone(), number);
            self.order.push_back((part.clone(), number));
        }
        while self.order.len() > MOST {
            let Some((part, number)) = self.order.pop_front() else { break };
            if self.parts.get(&part) == Some(&number) {
                self.parts.remove(&part);
            }
            self.wholes.remove(&number);
        }
        id
    }

    /// What a receipt for `part` says about the text it is of. The outer `None`: it is a text alone. The inner one: nothing
    /// new.
    #[allow(clippy::option_option, reason = "no part of anything is not the same as nothing new")]
    pub fn heard(&mut self, part: &str, fate: Fate) -> Option<Option<(String, Fate)>> {
        let whole = self.wholes.get_mut(self.parts.get(part)?)?;
        match fate {
            Fate::Sent => return Some(None),
            Fate::Delivered => whole.missing.retain(|missing| missing != part),
            Fate::Failed => {}
        }
        let news = fate == Fate::Failed || whole.missing.is_empty();
        if !news || whole.told {
            return Some(None);
        }
        whole.told = true;
        Some(Some((whole.id.clone(), fate)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_text_has_arrived_when_its_last_part_has_and_is_told_once() {
        let mut wholes = Wholes::default();
        let id = wholes.begin(&names(&["a", "b", "c"]));
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
        let id = wholes.begin(&names(&["a", "b"]));
        assert_eq!(wholes.heard("a", Fate::Delivered), Some(None));
        assert_eq!(wholes.heard("b", Fate::Failed), Some(Some((id, Fate::Failed))));
        assert_eq!(wholes.heard("a", Fate::Failed), Some(None));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut wholes = Wholes::default();
        for n in 0..MOST {
            wholes.begin(&names(&[&format!("{n}a"), &format!("{n}b")]));
        }
        assert!(wholes.parts.len() <= MOST && wholes.wholes.len() <= MOST && wholes.order.len() <= MOST);
        assert_eq!(wholes.heard("0a", Fate::Failed), None);
    }
}
