//! A table of a TOML file being read: takes values by key, notes every mistake with its line, and at the
//! end every key that nobody asked for.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Something wrong in a file, and how to put it right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    pub what: String,
    pub fix: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}. {}.", self.file.display(), self.line, self.what, self.fix)
    }
}

/// A file's text, for turning places in it into lines.
#[derive(Debug)]
pub struct Source {
    pub path: PathBuf,
    pub text: String,
}

impl Source {
    /// The directory that paths in this file are relative to.
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or_else(|| Path::new(""))
    }

    fn line_of(&self, at: usize) -> usize {
        let upto = at.min(self.text.len());
        self.text.as_bytes()[..upto].iter().filter(|b| **b == b'\n').count() + 1
    }

    /// A mistake at a place in this file.
    pub fn mistake(&self, span: Range<usize>, what: impl Into<String>, fix: impl Into<String>) -> Mistake {
        Mistake { file: self.path.clone(), line: self.line_of(span.start), what: what.into(), fix: fix.into() }
    }
}

/// Where mistakes are gathered.
pub type Mistakes = RefCell<Vec<Mistake>>;

/// A table being read.
pub struct Section<'a> {
    source: &'a Source,
    mistakes: &'a Mistakes,
    /// `[email]`, `[[sms]]`; empty at the top of a file.
    name: String,
    span: Range<usize>,
    table: Option<&'a DeTable<'a>>,
    asked: RefCell<BTreeSet<&'static str>>,
}

/// A value with the place it stands at.
#[derive(Clone, Debug)]
pub struct At<T> {
    pub value: T,
    pub span: Range<usize>,
}

impl<'a> Section<'a> {
    /// The top of a file.
    pub fn top(source: &'a Source, mistakes: &'a Mistakes, table: &'a DeTable<'a>) -> Self {
        Self::new(source, mistakes, String::new(), 0..0, Some(table))
    }

    fn new(
        source: &'a Source,
        mistakes: &'a Mistakes,
        name: String,
        span: Range<usize>,
        table: Option<&'a DeTable<'a>>,
    ) -> Self {
        Self { source, mistakes, name, span, table, asked: RefCell::default() }
    }

    /// Whether the file has it at all.
    pub const fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// Notes a mistake at `span`.
    pub fn complain(&self, span: Range<usize>, what: impl fmt::Display, fix: impl Into<String>) {
        let what = if self.name.is_empty() { what.to_string() } else { format!("{}: {what}", self.name) };
        self.mistakes.borrow_mut().push(self.source.mistake(span, what, fix));
    }

    /// Notes that `key` is missing.
    pub fn complain_missing(&self, key: &str, fix: &str) {
        self.complain(self.span.clone(), format_args!("`{key}` is missing"), fix);
    }

    /// Where it stands.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// A path as the file means it.
    pub fn path(&self, text: &str) -> PathBuf {
        self.source.directory().join(text)
    }

    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().insert(key);
        self.table.and_then(|table| table.get(key))
    }

    /// Whether the key is there, whatever it holds.
    pub fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// The table `[key]`; an empty one if the file has none.
    pub fn section(&self, key: &'static str) -> Self {
        let outer = self.name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let name = outer.map_or_else(|| format!("[{key}]"), |outer| format!("[{outer}.{key}]"));
        let value = self.value(key);
        let span = value.map_or_else(|| self.span.clone(), Spanned::span);
        let table = value.and_then(|v| v.get_ref().as_table());
        if value.is_some() && table.is_none() {
            self.complain(
                span.clone(),
                format_args!("`{key}` is not a table"),
                format!("Write it as {name} on a line of its own"),
            );
        }
        Self::new(self.source, self.mistakes, name, span, table)
    }

    /// The tables `[[key]]`.
    pub fn sections(&self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let outer = self.name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let name = outer.map_or_else(|| format!("[[{key}]]"), |outer| format!("[[{outer}.{key}]]"));
        let Some(array) = value.get_ref().as_array() else {
            let fix = format!("Write it as {name} on a line of its own");
            self.complain(value.span(), format_args!("`{key}` is not a list of tables"), fix);
            return Vec::new();
        };
        let section = |item: &'a Spanned<DeValue<'a>>| {
            let table = item.get_ref().as_table();
            Self::new(self.source, self.mistakes, name.clone(), item.span(), table)
        };
        array.iter().map(section).collect()
    }

    /// A text.
    pub fn text(&self, key: &'static str) -> Option<At<String>> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            Some(text) => Some(At { value: text.to_owned(), span: value.span() }),
            None => {
                self.complain(value.span(), format_args!("`{key}` is not a text"), "Put it in quotation marks");
                None
            }
        }
    }

    /// A text that `parse` understands.
    pub fn parsed<T>(&self, key: &'static str, fix: &str, parse: impl Fn(&str) -> Option<T>) -> Option<At<T>> {
        let text = self.text(key)?;
        match parse(&text.value) {
            Some(value) => Some(At { value, span: text.span }),
            None => {
                self.complain(text.span, format_args!("`{key} = \"{}\"` cannot be read", text.value), fix);
                None
            }
        }
    }

    /// One text or a list of texts, each of which `parse` understands.
    pub fn one_or_list<T>(
        &self,
        key: &'static str,
        fix: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<At<T>>> {
        let value = self.value(key)?;
        if value.get_ref().as_array().is_some() {
            self.list(key, fix, parse)
        } else {
            Some(vec![self.parsed(key, fix, parse)?])
        }
    }

    /// A list of texts that `parse` understands each.
    pub fn list<T>(&self, key: &'static str, fix: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<At<T>>> {
        let value = self.value(key)?;
        let Some(array) = value.get_ref().as_array() else {
            self.complain(
                value.span(),
                format_args!("`{key}` is not a list"),
                "Put it in square brackets: [\"…\", \"…\"]",
            );
            return None;
        };
        let mut items = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str().and_then(&parse) {
                Some(value) => items.push(At { value, span: item.span() }),
                None => {
                    let shown = item.get_ref().as_str().unwrap_or("that is not a text");
                    self.complain(item.span(), format_args!("`{key}` holds \"{shown}\", which cannot be read"), fix);
                }
            }
        }
        Some(items)
    }

    /// A whole number within `range`.
    pub fn number(&self, key: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<At<i64>> {
        let value = self.value(key)?;
        let number = value.get_ref().as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        match number.filter(|n| range.contains(n)) {
            Some(number) => Some(At { value: number, span: value.span() }),
            None => {
                let what = format_args!("`{key}` is not a whole number from {} to {}", range.start(), range.end());
                self.complain(value.span(), what, "Write digits without quotation marks");
                None
            }
        }
    }

    /// Yes or no; no if the key is missing.
    pub fn flag(&self, key: &'static str) -> bool {
        let Some(value) = self.value(key) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.complain(
                value.span(),
                format_args!("`{key}` is neither true nor false"),
                "Write true or false without quotation marks",
            );
            false
        })
    }

    /// Complains of every key that was not asked for. Called last.
    pub fn finish(&self) {
        let Some(table) = self.table else { return };
        let asked = self.asked.borrow();
        for (key, _) in table {
            let name = key.get_ref().as_ref();
            if asked.contains(name) {
                continue;
            }
            let near =
                asked.iter().filter(|known| distance(known, name) <= 2).min_by_key(|known| distance(known, name));
            let fix = near.map_or_else(
                || format!("Known here: {}", asked.iter().copied().collect::<Vec<_>>().join(", ")),
                |near| format!("Perhaps `{near}` was meant"),
            );
            self.complain(key.span(), format_args!("`{name}` is not known"), fix);
        }
    }
}

/// How many letters differ (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let cost = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_near() {
        assert_eq!(distance("bind", "bnid"), 2);
        assert_eq!(distance("bind", "bind"), 0);
        assert_eq!(distance("", "abc"), 3);
    }
}
