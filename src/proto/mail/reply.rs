//! What of a reply is new: the words above what is quoted, without the signature.
//!
//! Cuts at what the usual mail programs write there. What it does not know stays: then the words are more than a yes, and a
//! person reads them.

/// Lines looked at together, as the line that introduces a quotation is often broken in two or three.
const INTRODUCTION: usize = 3;
/// Lines looked at: more than anybody writes, and few enough to be gone through for each that may introduce a quotation.
const MAX_LINES: usize = 5_000;

/// A line on which a program sets a quoted mail apart.
const RULES: &[&str] = &[
    "-----original message-----",
    "----- original message -----",
    "-------- original message --------",
    "---------- forwarded message",
    "begin forwarded message:",
    "________________________________",
    "-------- forwarded message --------",
];
/// A last line that telephones add.
const SIGNATURES: &[&str] =
    &["sent from my ", "sent from mail for ", "sent from outlook", "sent from yahoo", "get outlook for ", "sent via "];
/// Where HTML that is quoted begins.
const QUOTED_HTML: &[&str] = &[
    "<blockquote",
    "class=\"gmail_quote",
    "class=\"yahoo_quoted",
    "id=\"divrplyfwdmsg",
    "id=\"appendonsend",
    "class=\"moz-cite-prefix",
];

/// The new words of a plain text.
pub(super) fn new_words(text: &str) -> String {
    let lines: Vec<&str> = text.lines().take(MAX_LINES).map(|line| line.trim_matches(is_space)).collect();
    let end = (0..lines.len()).find(|at| ends_at(&lines, *at)).unwrap_or(lines.len());
    let kept: Vec<&str> = lines[..end].iter().copied().filter(|line| !line.starts_with('>')).collect();
    kept.join("\n").trim_matches(is_space).to_owned()
}

/// Blanks, and what mail programs put in their place.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}' | '\u{200e}' | '\u{200f}')
}

/// Nothing that the person wrote follows from this line on.
fn ends_at(lines: &[&str], at: usize) -> bool {
    let line = lines[at];
    let low = line.to_ascii_lowercase();
    // RFC 3676 §4.3: its blank at the end may be lost.
    if line == "--" || RULES.iter().any(|rule| low.starts_with(rule)) || SIGNATURES.iter().any(|s| low.starts_with(s)) {
        return true;
    }
    // "On Sat, 7 Mar 2026 at 02:10, the desk wrote:", over one line or more.
    if low.starts_with("on ") {
        let mut together = String::new();
        for line in lines[at..].iter().take(INTRODUCTION) {
            together.push_str(line);
            if together.ends_with("wrote:") && together.contains(|c: char| c.is_ascii_digit()) {
                return true;
            }
            together.push(' ');
        }
    }
    // Any language's introduction: it ends with a colon, and a quotation follows.
    let quotes = || lines[at + 1..].iter().find(|line| !line.is_empty()).is_some_and(|next| next.starts_with('>'));
    if line.ends_with(':') && quotes() {
        return true;
    }
    // Outlook's: the head of the mail that is quoted.
    let below = || lines[at + 1..].iter().take(4).map(|line| line.to_ascii_lowercase());
    low.starts_with("from:") && below().any(|line| line.starts_with("sent:") || line.starts_with("date:"))
}

/// The beginning of HTML, up to where it quotes.
pub(super) fn new_html(html: &str) -> &str {
    // Only what is ASCII changes its case, so places stay.
    let low = html.to_ascii_lowercase();
    let cut = QUOTED_HTML.iter().filter_map(|mark| low.find(mark)).min();
    let Some(cut) = cut else { return html };
    // Not in the middle of a tag.
    let open = if low[cut..].starts_with('<') { cut } else { low[..cut].rfind('<').unwrap_or(cut) };
    &html[..open]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_not_new_whatever_program_quotes() {
        for text in [
            "ok",
            "  OK \n\n",
            "> reply OK\n> to confirm\nok\n",
            "ok\n\nOn Sat, Mar 7, 2026 at 2:10 AM Imaginary Plumbing <reply+x@desk.example.com> wrote:\n\n> Reply OK\n",
            "ok\n\nOn Sat, Mar 7, 2026 at 2:10 AM Imaginary Plumbing\n<reply+x@desk.example.com>\nwrote:\n\nReply OK\n",
            "ok\n-- \nBen Ortiz\n+1 202 555 0110\n",
            "ok\n\nSent from my iPhone\n",
            "ok\n\nGet Outlook for Android\n________________________________\nFrom: Desk\nSent: Saturday\n",
            "ok\n\nFrom: Desk <desk@example.com>\nSent: Saturday, March 7\nTo: Ben\nSubject: x\n\nReply OK",
            "ok\n-----Original Message-----\nReply 2ok",
            "ok\n\nAm Sa., 7. März 2026 um 02:10 Uhr schrieb Desk:\n\n> Reply OK\n",
        ] {
            assert_eq!(new_words(text).to_lowercase(), "ok", "{text:?}");
        }
    }

    #[test]
    fn a_mail_of_nothing_but_line_ends_is_read_in_no_time() {
        // Ten million of them would take hours, were each compared with all that follow.
        assert_eq!(new_words(&"\n".repeat(10_000_000)), "");
        assert!(new_words(&":\n\n".repeat(3_000_000)).starts_with(':'));
    }

    #[test]
    fn what_is_not_known_stays_so_that_a_person_reads_it() {
        for text in ["ok\n\nbut I cannot go, call Ada", "On it. I wrote: see below", "Ben\nok", "Call me at:\n555 0110"]
        {
            assert_eq!(new_words(text), text);
        }
    }

    #[test]
    fn html_is_cut_before_the_tag_that_quotes() {
        assert_eq!(new_html("<p>ok</p><BLOCKQUOTE>no</BLOCKQUOTE>"), "<p>ok</p>");
        assert_eq!(new_html("<p>ok</p><div class=\"gmail_quote\">no"), "<p>ok</p>");
        assert_eq!(new_html("K\u{fc}che \u{212a}<blockquote>x"), "K\u{fc}che \u{212a}");
        assert_eq!(new_html("plain"), "plain");
    }
}
