//! What our own figures may be at most, or must be at least (`--check`): so that a change that costs more than it may is
//! seen by a script, and not by the next person who reads the table.

use super::{ANSWER, BRIDGE_UP, BRIDGED, BROWSER, MEMORY, PLAYED, RATE, ROOMS, SIGNALLED, TALKED, beat, overload};

/// A bound of one row.
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

use Bound::{AtLeast, AtMost};

const LIMITS: [(&str, Bound); 21] = [
    (PLAYED, AtMost(0.025)),
    (TALKED, AtMost(0.04)),
    (BRIDGED, AtMost(0.05)),
    (ROOMS, AtMost(0.12)),
    (BROWSER, AtMost(0.08)),
    (SIGNALLED, AtMost(0.8)),
    (RATE, AtLeast(1_000.0)),
    (MEMORY, AtMost(40.0)),
    (ANSWER, AtMost(20.0)),
    (BRIDGE_UP, AtMost(5.0)),
    (beat::PLAYED, AtLeast(99.9)),
    (beat::RELAYED, AtLeast(99.9)),
    (beat::WORST, AtMost(22.0)),
    (beat::FIRST, AtMost(100.0)),
    (overload::FOUR, AtLeast(90.0)),
    (overload::TWICE, AtLeast(90.0)),
    (overload::MEANWHILE, AtLeast(99.9)),
    (overload::LOST, AtMost(0.0)),
    // Nothing of ours may be left of a storm. What an allocator keeps of its pages for the next one is not ours to give
    // back: with it a process ends at up to one and a half times what it began with.
    (overload::MEMORY, AtMost(150.0)),
    (overload::CPU, AtMost(2.0)),
    (overload::SOCKETS, AtMost(0.0)),
];

/// A line for each figure beyond its bound, and for each that there should be and is not. `figure`: our median of a row, if it
/// was measured; `due`: whether it was to be.
pub fn beyond(figure: impl Fn(&str) -> Option<f64>, due: impl Fn(&str) -> bool) -> Vec<String> {
    let lines = LIMITS.iter().filter_map(|(row, bound)| {
        let Some(figure) = figure(row) else {
            return due(row).then(|| format!("{row}: not measured"));
        };
        match bound {
            AtMost(most) if figure > *most => Some(format!("{row}: {figure:.3}, at most {most}")),
            AtLeast(least) if figure < *least => Some(format!("{row}: {figure:.3}, at least {least}")),
            _ => None,
        }
    });
    lines.collect()
}
