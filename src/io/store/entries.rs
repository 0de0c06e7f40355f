//! Lines of a dispatch's history as they lie in the store: JSON, in which what a person wrote is sealed, and what a carrier or a mail
//! server said, as it may quote a number or an address.
//!
//! What always holds: no such words lie there as they are; a line whose words cannot be opened (altered, or sealed with another key)
//! is read without them, as it hides no other line.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::id::DispatchId;
use crate::base::pii::Pii;
use crate::domain::dispatch::event::{Entry, Note};

use super::seal::Seal;
use super::sql::json;

fn context(dispatch: &DispatchId, entry: &Entry) -> String {
    format!("dispatch_event:{dispatch}:{}", entry.at.0)
}

/// The words of a line that are not ours.
fn words_of(note: &mut Note) -> Option<&mut Option<Pii<String>>> {
    match note {
        Note::Texted { words, .. } | Note::Wrote { words, .. } | Note::Mailed { words, .. } => Some(words),
        Note::Failed { said, .. } => Some(said),
        _ => None,
    }
}

/// A line as it is written.
pub(super) fn seal_entry(seal: &Seal, dispatch: &DispatchId, entry: &Entry) -> String {
    let mut sealed = entry.clone();
    if let Some(words) = words_of(&mut sealed.note) {
        let cover = |words: Pii<String>| seal.seal(&context(dispatch, entry), words.reveal().as_bytes());
        *words = words.take().map(|words| Pii::new(URL_SAFE_NO_PAD.encode(cover(words))));
    }
    json(&sealed)
}

/// The same line, as it was written.
pub(super) fn open_entry(seal: &Seal, dispatch: &DispatchId, mut entry: Entry) -> Entry {
    let context = context(dispatch, &entry);
    if let Some(words) = words_of(&mut entry.note) {
        *words = words.take().and_then(|sealed| open_words(seal, &context, sealed.reveal()));
    }
    entry
}

fn open_words(seal: &Seal, context: &str, sealed: &str) -> Option<Pii<String>> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let words = seal.open(context, &sealed).ok()?;
    String::from_utf8(words).ok().map(Pii::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::UtcMs;
    use crate::base::id::ContactId;
    use crate::domain::dispatch::state::Channel;

    fn line(words: Option<&str>) -> Entry {
        let words = words.map(|words| Pii::new(words.to_owned()));
        Entry { at: UtcMs(5), who: Some("Ben".into()), note: Note::Texted { name: "Ben".into(), words, among: 1 } }
    }

    fn read(seal: &Seal, dispatch: &DispatchId, stored: &str) -> Entry {
        open_entry(seal, dispatch, serde_json::from_str(stored).expect("it is JSON"))
    }

    #[test]
    fn what_somebody_wrote_is_sealed_and_read_again_by_its_own_dispatch_alone() {
        let (seal, one) = (Seal::new(&[7; 32]), DispatchId::named("one"));
        let stored = seal_entry(&seal, &one, &line(Some("on my way")));
        assert!(!stored.contains("my way"), "{stored}");
        assert_eq!(read(&seal, &one, &stored), line(Some("on my way")));
        for (key, id) in [([7; 32], DispatchId::named("two")), ([8; 32], one.clone())] {
            assert_eq!(read(&Seal::new(&key), &id, &stored), line(None), "the line is there all the same");
        }
    }

    #[test]
    fn what_somebody_wrote_from_an_inbox_is_sealed_like_a_text() {
        let (seal, one) = (Seal::new(&[7; 32]), DispatchId::named("one"));
        let words = Some(Pii::new("which pharmacy?".to_owned()));
        let wrote = Note::Wrote { contact: ContactId::named("ben"), name: "Ben".into(), words };
        let entry = Entry { note: wrote, ..line(None) };
        let stored = seal_entry(&seal, &one, &entry);
        assert!(!stored.contains("pharmacy"), "{stored}");
        assert_eq!(read(&seal, &one, &stored), entry);
    }

    #[test]
    fn what_somebody_mailed_is_sealed_like_a_text() {
        let (seal, one) = (Seal::new(&[7; 32]), DispatchId::named("one"));
        let words = Some(Pii::new("on my way in an hour".to_owned()));
        let entry = Entry { note: Note::Mailed { name: "Ben".into(), elsewhere: false, words }, ..line(None) };
        let stored = seal_entry(&seal, &one, &entry);
        assert!(!stored.contains("an hour"), "{stored}");
        assert_eq!(read(&seal, &one, &stored), entry);
    }

    #[test]
    fn what_a_carrier_said_is_sealed_and_read_again_and_older_lines_have_none() {
        let (seal, one) = (Seal::new(&[7; 32]), DispatchId::named("one"));
        let failed = |label: &str, said: Option<&str>| {
            let (channel, name, label, why) = (Channel::Pager, "Ben".into(), label.into(), "snpp_550".into());
            let said = said.map(|said| Pii::new(said.to_owned()));
            Entry { at: UtcMs(5), who: None, note: Note::Failed { channel, name, label, why, said, for_good: true } }
        };
        let stored = seal_entry(&seal, &one, &failed("alpha", Some("550 no pager 5550142")));
        assert!(!stored.contains("5550142") && stored.contains("snpp_550"), "{stored}");
        assert_eq!(read(&seal, &one, &stored), failed("alpha", Some("550 no pager 5550142")));
        assert_eq!(read(&Seal::new(&[8; 32]), &one, &stored), failed("alpha", None), "the line is there all the same");
        let older = r#"{"at":5,"who":null,"note":{"kind":"failed","channel":"pager","name":"Ben","why":"snpp_550","for_good":true}}"#;
        assert_eq!(read(&seal, &one, older), failed("", None));
    }

    #[test]
    fn every_other_line_is_written_as_it_is() {
        let (seal, one) = (Seal::new(&[7; 32]), DispatchId::named("one"));
        let other = Entry { note: Note::Told { name: "Ben".into() }, ..line(None) };
        for entry in [other, line(None)] {
            let stored = seal_entry(&seal, &one, &entry);
            assert_eq!(stored, json(&entry));
            assert_eq!(read(&seal, &one, &stored), entry);
        }
    }
}
