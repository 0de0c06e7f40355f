//! Holds the rules of the house that a compiler does not: layers, the clock, file tops, file length, names.
//!
//! Each rule is a plain function over one file's path and text, and each is tried on a bad sample below, so
//! that none of them passes by looking at nothing.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path from the repository's root, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// The text without comments, the insides of string literals, and without its unit tests.
    fn code(&self) -> String {
        without_tests(&strip(&self.text))
    }

    /// The module that the file is: `["engine", "calls", "task"]`.
    fn module(&self) -> Vec<String> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let path = path.strip_suffix("/mod").unwrap_or(path);
        if path == "lib" || path == "main" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
    }
}

/// Stripped code without its inline modules of unit tests; what stands below them stays.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        out.push_str(&rest[..at]);
        let mut item = rest[at + MARK.len()..].trim_start();
        while item.starts_with("#[") {
            item = item.split_once(']').map_or("", |(_, after)| after).trim_start();
        }
        let end = item.find(['{', ';']).unwrap_or(item.len());
        rest = if item.starts_with("mod ") && item[end..].starts_with('{') {
            after_block(&item[end..])
        } else {
            &rest[at + MARK.len()..]
        };
    }
    out + rest
}

/// What follows the block that `code` begins with.
fn after_block(code: &str) -> &str {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &code[at + 1..];
        }
    }
    ""
}

/// Blanks comments and the insides of literals, keeping line breaks. Enough of Rust's grammar for this.
fn strip(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    while i < chars.len() {
        let word_before = i > 0 && (chars[i - 1].is_alphanumeric() || chars[i - 1] == '_');
        if at(i) == '/' && at(i + 1) == '/' {
            while i < chars.len() && chars[i] != '\n' {
                i += 1;
            }
        } else if at(i) == '/' && at(i + 1) == '*' {
            let mut depth = 0;
            loop {
                if at(i) == '/' && at(i + 1) == '*' {
                    depth += 1;
                    i += 2;
                } else if at(i) == '*' && at(i + 1) == '/' {
                    depth -= 1;
                    i += 2;
                } else {
                    if at(i) == '\n' {
                        out.push('\n');
                    }
                    i += 1;
                }
                if depth == 0 || i >= chars.len() {
                    break;
                }
            }
        } else if at(i) == 'r' && !word_before && raw_string_hashes(&chars, i + 1).is_some() {
            let hashes = raw_string_hashes(&chars, i + 1).unwrap_or_default();
            i += 2 + hashes;
            while i < chars.len() && !(chars[i] == '"' && (1..=hashes).all(|n| at(i + n) == '#')) {
                if chars[i] == '\n' {
                    out.push('\n');
                }
                i += 1;
            }
            i += 1 + hashes;
            out.push_str("\"\"");
        } else if at(i) == '"' {
            i += 1;
            while i < chars.len() && chars[i] != '"' {
                if chars[i] == '\n' {
                    out.push('\n');
                }
                i += if chars[i] == '\\' { 2 } else { 1 };
            }
            i += 1;
            out.push_str("\"\"");
        } else if at(i) == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            i += if at(i + 1) == '\\' { 3 } else { 2 };
            while i < chars.len() && chars[i] != '\'' {
                i += 1;
            }
            i += 1;
            out.push_str("' '");
        } else {
            out.push(chars[i]);
            i += 1;
        }
    }
    out
}

fn raw_string_hashes(chars: &[char], from: usize) -> Option<usize> {
    let hashes = chars[from.min(chars.len())..].iter().take_while(|c| **c == '#').count();
    (chars.get(from + hashes) == Some(&'"')).then_some(hashes)
}

/// Words of `code`, with `::` as a word of its own.
fn paths_from(code: &str, root: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(root) {
        let before = rest[..at].chars().next_back();
        let after = &rest[at + root.len()..];
        if before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':') && after.trim_start().starts_with("::") {
            expand(&after.trim_start()[2..], &[], &mut found);
        }
        rest = after;
    }
    found
}

/// Reads one use-tree (`a::{b, c::d}`) into whole paths; returns what follows it.
fn expand<'a>(tree: &'a str, prefix: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let tree = tree.trim_start();
    if let Some(mut rest) = tree.strip_prefix('{') {
        loop {
            rest = rest.trim_start().trim_start_matches(',').trim_start();
            if rest.is_empty() {
                return rest;
            }
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let before = rest.len();
            rest = expand(rest, prefix, found);
            if rest.len() == before {
                rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
            }
        }
    }
    let end = tree.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(tree.len());
    let (word, rest) = tree.split_at(end);
    if word.is_empty() {
        return rest;
    }
    let mut path = prefix.to_vec();
    path.push(word.to_owned());
    match rest.trim_start().strip_prefix("::") {
        Some(deeper) if !deeper.trim_start().starts_with('<') => expand(deeper, &path, found),
        _ => {
            found.push(path);
            rest
        }
    }
}

/// The layer a file or an import belongs to.
fn layer(first: &str) -> &str {
    first.strip_suffix(".rs").unwrap_or(first)
}

/// What each layer may name. `config` is data read once; `app` hands it out.
fn may_import(layer: &str) -> &'static [&'static str] {
    match layer {
        "base" => &["base"],
        "domain" => &["domain", "base"],
        "proto" => &["proto", "base"],
        "config" => &["config", "domain", "proto", "base"],
        "io" => &["io", "config", "domain", "proto", "base"],
        "engine" => &["engine", "io", "config", "domain", "proto", "base"],
        "http" => &["http", "engine", "io", "config", "domain", "proto", "base"],
        // Reaches the rest only from outside: SIP, RTP, HTTP. So it has the protocols, not the engine.
        "sandbox" => &["sandbox", "io", "config", "domain", "proto", "base"],
        // Data for the store and for the sandbox's pages.
        "demo" => &["demo", "sandbox", "io", "config", "domain", "proto", "base"],
        "app" | "lib" => &["app", "demo", "sandbox", "http", "engine", "io", "config", "domain", "proto", "base"],
        // Words at a shell: above everything, named by `main` alone.
        "cli" | "main" => {
            &["cli", "app", "demo", "sandbox", "http", "engine", "io", "config", "domain", "proto", "base", "cordboard"]
        }
        _ => &[],
    }
}

/// Inside engine: `{voicemails, recaps, shifts, texts, mail_in, inboxes} → dispatcher → calls → {desk, mixer, legs} → {trunk, registrar} → sip_side`, and the words
/// they share. Every file of engine has a rank.
fn engine_rank(file: &str) -> Option<u8> {
    Some(match file {
        "voicemails" | "recaps" | "shifts" | "texts" | "mail_in" | "inboxes" => 6,
        "dispatcher" | "sweeper" => 5,
        "calls" => 4,
        "desk" | "dictaphone" | "mixer" | "legs" => 3,
        "trunk" | "registrar" => 2,
        "sip_side" | "here" | "keep_open" | "clients" | "figures" | "audit" | "alarms" => 1,
        "feed" | "signal" | "callout" => 0,
        _ => return None,
    })
}

/// May the file `from` of engine name the file `to`? Neighbours may among `desk`, `mixer`, `legs` and the words.
fn may_name(from: &str, to: &str) -> bool {
    match (engine_rank(from), engine_rank(to)) {
        (Some(me), Some(it)) => it < me || from == to || (it == me && matches!(me, 0 | 3)),
        _ => false,
    }
}

/// All that a file names of ours, from the crate's root on.
fn names(source: &Source) -> Vec<Vec<String>> {
    let code = source.code();
    let mut found = paths_from(&code, "crate");
    found.extend(paths_from(&code, "cordboard"));
    let module = source.module();
    for path in paths_from(&code, "super") {
        // `paths_from` has eaten the first one.
        let up = 1 + path.iter().take_while(|word| *word == "super").count();
        let mut whole = module[..module.len().saturating_sub(up)].to_vec();
        whole.extend_from_slice(&path[up - 1..]);
        found.push(whole);
    }
    found
}

fn check_layers(source: &Source) -> Vec<String> {
    let mut parts = source.path.trim_start_matches("src/").split('/');
    let here = layer(parts.next().unwrap_or_default()).to_owned();
    let inside = layer(parts.next().unwrap_or_default()).to_owned();
    let mut faults = Vec::new();
    if here == "engine" && inside != "mod" && engine_rank(&inside).is_none() {
        faults.push(format!("{}: give engine/{inside} a rank in tests/tidy.rs", source.path));
    }
    for path in names(source) {
        let there = path.first().map_or("", String::as_str);
        if !may_import(&here).contains(&there) {
            faults.push(format!("{}: {here} may not name {}", source.path, path.join("::")));
        }
        if here == "engine" && there == "engine" {
            let target = path.get(1).map_or("", String::as_str);
            let is_file = target != "self" && target.starts_with(|c: char| c.is_ascii_lowercase());
            if is_file && !may_name(&inside, target) {
                faults.push(format!("{}: engine/{inside} may not name engine/{target}", source.path));
            }
        }
    }
    faults
}

/// Crates that purity forbids.
fn check_purity(source: &Source) -> Vec<String> {
    let forbidden: &[&str] = if source.path.starts_with("src/domain/") || source.path.starts_with("src/base/") {
        &["tokio", "sqlx", "axum", "reqwest", "lettre", "rsip", "rtc", "socket2"]
    } else if source.path.starts_with("src/proto/") {
        &["tokio", "sqlx", "axum", "reqwest", "lettre", "socket2"]
    } else {
        &[]
    };
    let code = source.code();
    let sockets = ["UdpSocket", "TcpStream", "TcpListener", "std::thread", "std::fs"];
    let mut faults: Vec<String> = forbidden
        .iter()
        .filter(|name| !paths_from(&code, name).is_empty())
        .map(|name| format!("{}: pure layers do not use {name}", source.path))
        .collect();
    if !forbidden.is_empty() {
        faults.extend(
            sockets.iter().filter(|s| code.contains(**s)).map(|s| format!("{}: pure layers have no {s}", source.path)),
        );
    }
    faults
}

fn check_clock(source: &Source) -> Vec<String> {
    if source.path == "src/base/clock.rs" {
        return Vec::new();
    }
    let code = strip(&source.text);
    ["Instant::now(", "SystemTime::now(", "Timestamp::now(", "Zoned::now(", "Utc::now(", "get_current_timestamp("]
        .iter()
        .filter(|reader| code.contains(**reader))
        .map(|reader| format!("{}: only base/clock reads the time, not {reader})", source.path))
        .collect()
}

fn check_top(source: &Source) -> Vec<String> {
    if source.text.starts_with("//! ") { Vec::new() } else { vec![format!("{}: no //! at the top", source.path)] }
}

/// The one file of the library in which `unsafe` may be written (docs/adr/0011).
const MAY_BE_UNSAFE: &str = "src/io/fax/spandsp.rs";

fn check_unsafe(source: &Source) -> Vec<String> {
    if source.path == MAY_BE_UNSAFE {
        return Vec::new();
    }
    let code = strip(&source.text);
    let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
    let found = words.filter(|word| matches!(*word, "unsafe" | "unsafe_code")).count();
    // `src/lib.rs` denies it.
    let own = usize::from(source.path == "src/lib.rs" && source.text.contains("#![deny(unsafe_code)]"));
    if found > own {
        vec![format!("{}: unsafe, which {MAY_BE_UNSAFE} alone may have", source.path)]
    } else {
        Vec::new()
    }
}

/// Each `unsafe` block says why it is sound, right above it.
fn check_explained(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let is_code = |line: &str| !line.trim_start().starts_with("//");
    let blocks = lines.iter().enumerate().filter(|(_, line)| is_code(line) && line.contains("unsafe {"));
    let told = |at: usize| lines[at.saturating_sub(4)..at].iter().any(|line| line.contains("// SAFETY: "));
    blocks.filter(|(at, _)| !told(*at)).map(|(at, _)| format!("{}:{}: no SAFETY", source.path, at + 1)).collect()
}

fn check_length(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    if lines > 800 { vec![format!("{}: {lines} lines, 800 at most", source.path)] } else { Vec::new() }
}

fn check_words(source: &Source) -> Vec<String> {
    let code = strip(&source.text);
    let mut faults = Vec::new();
    for unfinished in ["todo!", "unimplemented!", "dbg!"] {
        if code.contains(unfinished) {
            faults.push(format!("{}: {unfinished}", source.path));
        }
    }
    for comment in ["TODO", "FIXME", "XXX:"] {
        if source.text.contains(&format!("// {comment}")) {
            faults.push(format!("{}: {comment} in a comment", source.path));
        }
    }
    let words: Vec<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    for pair in words.windows(2) {
        match pair[0] {
            "struct" | "enum" | "trait" | "type" => {
                for suffix in ["Manager", "Service", "Helper", "Util", "Utils", "Processor"] {
                    if pair[1].ends_with(suffix) {
                        faults.push(format!("{}: {} is called {suffix}, which says nothing", source.path, pair[1]));
                    }
                }
            }
            "fn" if pair[1].starts_with("get_") => {
                faults.push(format!("{}: {}: say what it does (find_, list_, or the noun)", source.path, pair[1]));
            }
            _ => {}
        }
    }
    faults
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(under: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(under)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
                found.push(Source { path: name, text: fs::read_to_string(&path).expect("a source file is UTF-8") });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn faults_in(under: &str, check: fn(&Source) -> Vec<String>) -> Vec<String> {
    let sources = sources(under);
    assert!(!sources.is_empty(), "no source files under {under}");
    sources.iter().flat_map(check).collect()
}

fn holds(under: &str, check: fn(&Source) -> Vec<String>) {
    let faults = faults_in(under, check);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn imports_go_down_only() {
    holds("src", check_layers);
}

#[test]
fn pure_layers_are_pure() {
    holds("src", check_purity);
}

#[test]
fn only_the_clock_reads_the_time() {
    holds("src", check_clock);
    holds("tests", check_clock);
}

#[test]
fn every_file_says_what_it_is_at_its_top() {
    holds("src", check_top);
}

#[test]
fn no_file_is_longer_than_800_lines() {
    for source in sources("src").iter().chain(&sources("tests")) {
        let lines = source.text.lines().count();
        if lines > 400 {
            println!("{}: {lines} lines (aim: 400)", source.path);
        }
    }
    holds("src", check_length);
    holds("tests", check_length);
}

#[test]
fn one_file_of_the_library_may_be_unsafe_and_says_why_each_time() {
    holds("src", check_unsafe);
    holds("src", check_explained);
    assert!(strip(&fs::read_to_string(root().join(MAY_BE_UNSAFE)).expect("it is there")).contains("unsafe {"));
}

#[test]
fn nothing_is_unfinished_and_names_say_something() {
    holds("src", check_words);
}

#[test]
fn both_stores_have_the_same_migrations() {
    let names = |side: &str| -> Vec<String> {
        let folder = root().join("migrations").join(side);
        let mut names: Vec<String> = fs::read_dir(&folder)
            .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
            .map(|entry| entry.expect("the folder can be read").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert!(!sqlite.is_empty(), "no migrations");
    assert_eq!(sqlite, postgres);
}

#[test]
fn there_is_a_changelog() {
    let text = fs::read_to_string(root().join("CHANGELOG.md")).expect("CHANGELOG.md");
    assert!(text.contains("## "), "CHANGELOG.md has no entry");
}

#[test]
fn the_layer_rule_sees_a_bad_import() {
    let bad = |path: &str, text: &str| !check_layers(&Source::new(path, text)).is_empty();
    assert!(bad("src/domain/account/mod.rs", "use crate::io::store::Store;"));
    assert!(bad("src/domain/account/mod.rs", "use crate::proto::sip;"));
    assert!(bad("src/proto/sip/mod.rs", "use crate::{base::id, domain::call};"));
    assert!(bad("src/io/store/mod.rs", "fn f() { crate::engine::feed::Feed::default(); }"));
    assert!(bad("src/engine/trunk.rs", "use crate::engine::{feed::Feed, calls::CallsHandle};"));
    assert!(bad("src/engine/desk.rs", "use crate::engine::dispatcher::X;"));
    assert!(bad("src/sandbox/mod.rs", "use crate::engine::calls;"));
    assert!(bad("src/domain/account/mod.rs", "use super::super::io::store::Store;"));
    assert!(bad("src/io/media/shard.rs", "fn f() { super::super::super::engine::feed::Feed::default(); }"));
    assert!(bad("src/engine/trunk.rs", "use super::{feed::Feed, calls::CallsHandle};"));
    assert!(bad("src/engine/trunk.rs", "use super::registrar::X;"));
    assert!(bad("src/engine/calls/task.rs", "use super::super::dispatcher::X;"));
    assert!(bad("src/engine/sip_side.rs", "use super::trunk::X;"));
    assert!(bad("src/engine/unheard_of.rs", ""), "a file without a rank");
    assert!(bad("src/engine/calls/mod.rs", "use super::unheard_of::X;"));
    let below = "#[cfg(test)]\nmod tests;\nuse crate::engine::feed;";
    assert!(bad("src/io/x.rs", below), "below tests of a file of their own");
    let below = "#[cfg(test)]\nmod tests { fn f() { let a = ('}', \"}\"); } }\nuse crate::engine::feed;";
    assert!(bad("src/io/x.rs", below), "below inline tests");
    assert!(!bad("src/engine/registrar.rs", "use super::sip_side::Legs; pub(super) fn f() {}"));
    assert!(!bad("src/engine/calls/task.rs", "use super::{self, record::X}; use super::super::desk::{self, Y};"));
    assert!(!bad("src/engine/mod.rs", "pub mod unheard_of;"));
    assert!(!bad("src/io/x.rs", "#[cfg(test)]\n#[allow(x)]\nmod tests { use crate::engine::feed; }"));
    assert!(!bad("src/domain/account/mod.rs", "use crate::base::id; // crate::io"));
    assert!(!bad("src/engine/dispatcher.rs", "use crate::{engine::{calls::A, feed::B}, io::store::Store};"));
    assert!(!bad("src/http/x.rs", "const A: &str = \"crate::main::x\"; use crate::engine::calls;"));
    assert!(!bad("src/io/x.rs", "#[cfg(test)]\nmod tests { use crate::engine::feed; }"));
}

#[test]
fn the_other_rules_see_bad_samples() {
    let sample = |text: &str| Source::new("src/domain/x.rs", text);
    assert_eq!(check_purity(&sample("use tokio::sync::mpsc;")).len(), 1);
    assert_eq!(check_purity(&sample("use std::net::UdpSocket;")).len(), 1);
    assert!(check_purity(&sample("//! tokio::x\nfn protokio() {}")).is_empty());
    assert_eq!(check_clock(&sample("fn f() { let t = std::time::Instant::now(); }")).len(), 1);
    assert!(check_clock(&sample("// Instant::now() is read elsewhere")).is_empty());
    assert_eq!(check_unsafe(&sample("fn f() { unsafe { g() } }")).len(), 1);
    assert_eq!(check_unsafe(&sample("#![allow(unsafe_code)]")).len(), 1);
    assert!(check_unsafe(&sample("// unsafe {")).is_empty());
    assert_eq!(check_explained(&sample("fn f() { unsafe { g() } }")).len(), 1);
    assert!(check_explained(&sample("// SAFETY: g is sound.\nunsafe { g() }")).is_empty());
    assert_eq!(check_top(&sample("use std::fmt;")).len(), 1);
    assert!(check_top(&sample("//! What it is.\n")).is_empty());
    assert_eq!(check_length(&sample(&"x\n".repeat(801))).len(), 1);
    assert!(check_length(&sample(&"x\n".repeat(800))).is_empty());
    assert_eq!(check_words(&sample("fn f() { todo!() }")).len(), 1);
    assert_eq!(check_words(&sample("// TODO later")).len(), 1);
    assert_eq!(check_words(&sample("pub struct CallManager;")).len(), 1);
    assert_eq!(check_words(&sample("pub fn get_call() {}")).len(), 1);
    assert!(check_words(&sample("/// struct CallManager\nfn f() { let s = \"todo!\"; }")).is_empty());
}

#[test]
fn the_stripper_knows_literals_and_comments() {
    assert_eq!(strip("a /* b /* c */ d */ e"), "a  e");
    assert_eq!(strip("let a = \"x\\\"y\"; // z"), "let a = \"\"; ");
    assert_eq!(strip("let a = r#\"x\"y\"#;"), "let a = \"\";");
    assert_eq!(strip("let a = '\"'; let b: &'static str = c;"), "let a = ' '; let b: &'static str = c;");
    assert!(Path::new(&root()).join("Cargo.toml").exists());
}
