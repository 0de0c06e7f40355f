//! What one version of a protocol does otherwise than another, in plain English, step by step.
//!
//! Pure. Steps are matched by what they have in common, so that one taken out in the middle does not make all that follow
//! look changed. Each difference is in exactly one line; no line: they do the same.

use super::describe::{describe_step, describe_whole, span};
use super::protocol::{Protocol, Repeat, Step, Until};
use crate::base::id::ContactId;
use crate::domain::account::{CallType, Contact};

/// The lines, in the order of the steps; what repeats and what ends it come last.
pub fn differences(before: &Protocol, after: &Protocol, contacts: &[Contact], call_types: &[CallType]) -> Vec<String> {
    let name = |id: &ContactId| contacts.iter().find(|c| c.id == *id).map(|c| c.name.clone());
    let words =
        Words { does: &|step| describe_step(step, &name), whole: &|step| describe_whole(step, &name, call_types) };
    let mut lines = step_lines(&before.steps, &after.steps, &words);
    if before.repeat != after.repeat {
        let (was, is) = (repeat_words(before.repeat), repeat_words(after.repeat));
        lines.push(format!("At the end: {was} → {is}."));
    }
    if before.until != after.until {
        lines.push(format!("Until {} → until {}.", until_words(before.until), until_words(after.until)));
    }
    lines
}

const fn until_words(until: Until) -> &'static str {
    match until {
        Until::Confirmed => "a person confirms",
        Until::Told => "a person has heard or opened it, or confirms",
        Until::HandedOver => "everything is accepted for delivery",
    }
}

fn repeat_words(repeat: Option<Repeat>) -> String {
    repeat.map_or_else(|| "stop".to_owned(), |repeat| format!("again from step {}", repeat.from_step))
}

/// What became of a step: indices of before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pair {
    Kept(usize, usize),
    TakenOut(usize),
    Added(usize),
}

/// How a step is said.
struct Words<'a> {
    /// What it does alone.
    does: &'a dyn Fn(&Step) -> String,
    /// With its terms and conditions.
    whole: &'a dyn Fn(&Step) -> String,
}

fn step_lines(before: &[Step], after: &[Step], words: &Words<'_>) -> Vec<String> {
    let whole = words.whole;
    let mut pairs = align(before, after);
    let mut lines = Vec::new();
    // The same step taken out here and added there was moved.
    let mut moved: Vec<(usize, usize)> = Vec::new();
    let taken: Vec<usize> =
        pairs.iter().filter_map(|p| if let Pair::TakenOut(b) = p { Some(*b) } else { None }).collect();
    for b in taken {
        let there = pairs.iter().find_map(|p| match p {
            Pair::Added(a) if after[*a] == before[b] && moved.iter().all(|(_, known)| known != a) => Some(*a),
            _ => None,
        });
        moved.extend(there.map(|a| (b, a)));
    }
    pairs.retain(|pair| !matches!(pair, Pair::TakenOut(b) if moved.iter().any(|(from, _)| from == b)));
    for pair in pairs {
        match pair {
            Pair::Kept(b, a) => lines.extend(change(b, &before[b], a, &after[a], words)),
            Pair::TakenOut(b) => lines.push(format!("Step {} taken out: {}.", b + 1, whole(&before[b]))),
            Pair::Added(a) => match moved.iter().find(|(_, to)| *to == a) {
                Some((from, _)) => {
                    lines.push(format!("Step {} is step {} now: {}.", from + 1, a + 1, whole(&after[a])));
                }
                None => lines.push(format!("Step {} added: {}.", a + 1, whole(&after[a]))),
            },
        }
    }
    lines
}

/// What a step that stayed does otherwise.
fn change(b: usize, before: &Step, a: usize, after: &Step, words: &Words<'_>) -> Option<String> {
    if before == after {
        return None;
    }
    let was = if a == b { String::new() } else { format!(" (was step {})", b + 1) };
    let [did, does] = [before, after].map(words.does);
    let [whole_before, whole_after] = [before, after].map(words.whole);
    let waits_otherwise = Step { wait_secs: after.wait_secs, ..before.clone() } == *after;
    let does_otherwise = Step { method: after.method, to: after.to.clone(), ..before.clone() } == *after;
    let words = if waits_otherwise {
        format!("wait {} → {}", wait_words(before), wait_words(after))
    } else if does_otherwise && did != does {
        format!("{did} → {does}")
    } else if whole_before == whole_after {
        "changed in something that its words do not say".to_owned()
    } else {
        format!("{whole_before} → {whole_after}")
    };
    Some(format!("Step {}{was}: {words}.", a + 1))
}

fn wait_words(step: &Step) -> String {
    if step.wait_secs == 0 { "not at all".to_owned() } else { span(step.wait_secs) }
}

/// How much it costs to take one step for another; leaving one out and putting another in costs 4.
fn distance(before: &Step, after: &Step) -> usize {
    if before == after {
        return 0;
    }
    let alike = usize::from(std::mem::discriminant(&before.method) == std::mem::discriminant(&after.method))
        + usize::from(before.to == after.to);
    match alike {
        2 => 1,
        1 => 3,
        _ => 5,
    }
}

/// The cheapest way from one list of steps to the other. Lists are short: [`super::validate`] allows fifty.
fn align(before: &[Step], after: &[Step]) -> Vec<Pair> {
    const ONE: usize = 2;
    let (rows, columns) = (before.len(), after.len());
    let mut cost = vec![vec![0; columns + 1]; rows + 1];
    for b in (0..=rows).rev() {
        for a in (0..=columns).rev() {
            cost[b][a] = match (b < rows, a < columns) {
                (false, false) => 0,
                (true, false) => cost[b + 1][a] + ONE,
                (false, true) => cost[b][a + 1] + ONE,
                (true, true) => {
                    let kept = cost[b + 1][a + 1] + distance(&before[b], &after[a]);
                    kept.min(cost[b + 1][a] + ONE).min(cost[b][a + 1] + ONE)
                }
            };
        }
    }
    let (mut b, mut a, mut pairs) = (0, 0, Vec::new());
    while b < rows || a < columns {
        if b < rows && a < columns && cost[b][a] == cost[b + 1][a + 1] + distance(&before[b], &after[a]) {
            pairs.push(Pair::Kept(b, a));
            (b, a) = (b + 1, a + 1);
        } else if b < rows && cost[b][a] == cost[b + 1][a] + ONE {
            pairs.push(Pair::TakenOut(b));
            b += 1;
        } else {
            pairs.push(Pair::Added(a));
            a += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dispatch::protocol::Method;
    use crate::domain::dispatch::tests::{named, on_call, protocol};

    fn before() -> Protocol {
        protocol(
            vec![
                (Method::TextConfirm, on_call("mobile"), 300),
                (Method::CallOut { leave_message: true }, on_call("mobile"), 600),
                (Method::Email, vec![named("office", "email")], 0),
            ],
            true,
            Until::Confirmed,
        )
    }

    fn lines(change: impl FnOnce(&mut Protocol)) -> Vec<String> {
        let mut after = before();
        change(&mut after);
        differences(&before(), &after, &[], &[])
    }

    #[test]
    fn the_same_steps_are_no_difference_whatever_the_version() {
        assert_eq!(lines(|after| after.version = 7), Vec::<String>::new());
    }

    #[test]
    fn another_wait_is_told_with_both() {
        assert_eq!(lines(|after| after.steps[0].wait_secs = 600), ["Step 1: wait 5 minutes → 10 minutes."]);
        assert_eq!(lines(|after| after.steps[1].wait_secs = 0), ["Step 2: wait 10 minutes → not at all."]);
    }

    #[test]
    fn a_step_that_does_otherwise_is_told_with_what_it_did() {
        let got = lines(|after| after.steps[1].method = Method::CallOut { leave_message: false });
        let call = "call the technician on call (mobile)";
        assert_eq!(got, [format!("Step 2: {call}, leave a message if nobody takes it → {call}.")]);
        let got = lines(|after| {
            after.steps[1].to = on_call("home");
            after.steps[1].wait_secs = 60;
        });
        assert_eq!(
            got,
            [
                "Step 2: call the technician on call (mobile), leave a message if nobody takes it, wait 10 minutes for an \
              answer → call the technician on call (home), leave a message if nobody takes it, wait 1 minute for an answer."
            ]
        );
    }

    #[test]
    fn a_step_taken_out_in_the_middle_changes_no_other() {
        let got = lines(|after| {
            after.steps.remove(0);
            after.steps[0].wait_secs = 300;
        });
        assert_eq!(
            got,
            [
                "Step 1 taken out: text the technician on call (mobile) and ask for a confirmation, wait 5 minutes for an answer.",
                "Step 1 (was step 2): wait 10 minutes → 5 minutes.",
            ]
        );
    }

    #[test]
    fn a_step_that_is_added_or_moved_is_said_so() {
        let extra = Step::new(Method::Text, on_call("home"), 0);
        assert_eq!(lines(|after| after.steps.push(extra)), ["Step 4 added: text the technician on call (home)."]);
        let got = lines(|after| after.steps.rotate_right(1));
        assert_eq!(got, ["Step 3 is step 1 now: email a contact that is gone (email)."]);
    }

    #[test]
    fn how_it_repeats_and_ends_is_told_last() {
        let got = lines(|after| {
            after.repeat = None;
            after.until = Until::Told;
        });
        assert_eq!(
            got,
            [
                "At the end: again from step 1 → stop.",
                "Until a person confirms → until a person has heard or opened it, or confirms.",
            ]
        );
    }

    /// Lines between two lists of steps.
    fn differing(before: &[Step], after: &[Step]) -> usize {
        let nobody = |_: &ContactId| None;
        let say = |step: &Step| describe_whole(step, &nobody, &[]);
        step_lines(before, after, &Words { does: &say, whole: &say }).len()
    }

    #[test]
    fn any_two_lists_of_steps_are_told_apart_in_as_many_lines_as_they_differ() {
        let step = |n: u32| Step::new(Method::Text, on_call(&n.to_string()), n);
        for kept in 0..32_u32 {
            let all: Vec<Step> = (0..5).map(step).collect();
            let some: Vec<Step> = (0..5).filter(|n| kept & (1 << n) != 0).map(step).collect();
            let missing = 5 - some.len();
            assert_eq!(differing(&all, &some), missing, "{kept:b}");
            assert_eq!(differing(&some, &all), missing, "{kept:b}");
        }
    }
}
