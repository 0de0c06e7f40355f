//! A contact as somebody writes it, and the check of what was written. Pure; driven by `engine/clients`.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::base::id::DestinationId;
use crate::domain::oncall::Window;

use super::edit::check_number;
use super::fault::{Fault, Faults, Text};
use super::{Contact, Destination, PagerAddress, Reach};

const MAX_NAME: usize = 80;
const MAX_LABEL: usize = 40;
const MAX_DESTINATIONS: usize = 20;
const MAX_HOURS: usize = 20;
/// The longest address that mail takes (RFC 5321 §4.5.3.1.3, without the angle brackets).
const MAX_ADDRESS: usize = 254;
const RING: (u32, u32) = (5, 120);

/// A contact as it is written: whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactEdit {
    /// The edition of the account that was read before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<u32>,
    pub name: String,
    #[serde(default)]
    pub title: String,
    /// The language they are best spoken with, as a BCP 47 tag: `es`, `en-GB`. Left out: the service's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// IANA zone in which the hours of their destinations are. Left out: the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// In the order in which they are tried.
    #[serde(default)]
    pub destinations: Vec<DestinationEdit>,
    /// Said by whoever writes it: this is somebody else than the one of the same name who is there (`contact.namesake`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub namesake: bool,
}

/// A way to reach a contact, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DestinationEdit {
    /// Left out for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<DestinationId>,
    /// "mobile", "home", "email": protocols name it by this.
    pub label: String,
    pub reach: ReachEdit,
    #[serde(default = "usual_ring")]
    pub ring_secs: u32,
    /// When it is used. Outside of these hours the next of theirs is that takes the same; where there is none, what is urgent goes to it
    /// all the same, and what is not waits. Left out: at any hour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Window>,
}

/// The address of a destination, as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReachEdit {
    pub kind: ReachKind,
    /// Of a pager: its number, an @, and the name that the configuration gives its carrier: `5550142@metro`.
    /// Of a webhook: the name that the configuration gives it.
    /// Of an inbox: what the destination is called that gets a notice where no device takes the message; empty: none does.
    #[serde(default)]
    pub address: String,
}

/// What kind of address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReachKind {
    Phone,
    Email,
    Pager,
    /// A system of the client's that messages are posted to.
    Webhook,
    /// The person's secure inbox.
    Inbox,
    Fax,
}

const fn usual_ring() -> u32 {
    30
}

impl From<&Contact> for ContactEdit {
    fn from(contact: &Contact) -> Self {
        let destination = |d: &Destination| {
            let (kind, address) = match &d.reach {
                Reach::Phone(number) => (ReachKind::Phone, number.as_e164().to_owned()),
                Reach::Email(address) => (ReachKind::Email, address.clone()),
                Reach::Pager(pager) => (ReachKind::Pager, pager.as_str().to_owned()),
                Reach::Webhook(name) => (ReachKind::Webhook, name.clone()),
                Reach::Inbox(notice) => (ReachKind::Inbox, notice.clone()),
                Reach::Fax(number) => (ReachKind::Fax, number.as_e164().to_owned()),
            };
            let reach = ReachEdit { kind, address };
            DestinationEdit {
                id: Some(d.id.clone()),
                label: d.label.clone(),
                reach,
                ring_secs: d.ring_secs,
                hours: d.hours.clone(),
            }
        };
        Self {
            edition: None,
            name: contact.name.clone(),
            title: contact.title.clone(),
            language: contact.language.clone(),
            zone: contact.zone.clone(),
            destinations: contact.destinations.iter().map(destination).collect(),
            namesake: false,
        }
    }
}

impl ContactEdit {
    /// `to` as it would be. A destination keeps its mark of being blocked as long as its address stays.
    pub fn apply(&self, to: &Contact, mut fresh: impl FnMut() -> DestinationId) -> Result<Contact, Vec<Fault>> {
        let mut faults = Faults::default();
        let name = faults.text(&self.name, &Text::line("/name", "contact.name", "The name", MAX_NAME));
        let title = faults.text(&self.title, &Text::line("/title", "contact.title", "The title", MAX_NAME).optional());
        let language = self.language.as_deref().map(str::trim).filter(|tag| !tag.is_empty());
        let language = language.and_then(|tag| {
            let read = read_language(tag);
            if read.is_none() {
                let cure = "Write its BCP 47 tag: es for Spanish, en-GB for British English.";
                faults.add("/language", "contact.language", "This is no language.", cure);
            }
            read
        });
        let zone = self.zone.as_deref().map(str::trim).filter(|zone| !zone.is_empty()).map(str::to_owned);
        if let Some(zone) = zone.as_ref().filter(|zone| TimeZone::get(zone).is_err()) {
            let detail = format!("There is no zone called {zone}.");
            faults.add("/zone", "contact.zone", detail, "Write its IANA name, or leave it out.");
        }
        if self.destinations.len() > MAX_DESTINATIONS {
            let detail = format!("A contact has {MAX_DESTINATIONS} destinations at most.");
            faults.add("/destinations", "contact.destinations_too_many", detail, "Take some out.");
        }
        let mut destinations: Vec<Destination> = Vec::new();
        for (at, written) in self.destinations.iter().enumerate() {
            let pointer = format!("/destinations/{at}");
            let label = Text::line(format!("{pointer}/label"), "contact.label", "What it is called", MAX_LABEL);
            let label = faults.text(&written.label, &label);
            if destinations.iter().any(|d| d.label.to_lowercase() == label.to_lowercase()) && !label.is_empty() {
                let detail = format!("There are two destinations called {label}.");
                let cure = "Give each a name of its own: protocols tell them apart by it.";
                faults.add(format!("{pointer}/label"), "contact.label_twice", detail, cure);
            }
            if !(RING.0..=RING.1).contains(&written.ring_secs) {
                let detail = format!("{} s is out of bounds.", written.ring_secs);
                let cure = format!("Choose {} to {} seconds.", RING.0, RING.1);
                faults.add(format!("{pointer}/ring_secs"), "contact.ring", detail, cure);
            }
            check_hours(&mut faults, &format!("{pointer}/hours"), &written.hours);
            let known = written.id.as_ref().and_then(|id| to.destinations.iter().find(|d| d.id == *id));
            if written.id.is_some() && known.is_none() {
                let cure = "Leave the id out to add a new one.";
                faults.add(
                    format!("{pointer}/id"),
                    "contact.destination",
                    "This contact has no such destination.",
                    cure,
                );
            }
            let Some(reach) = check_reach(&mut faults, &format!("{pointer}/reach/address"), &written.reach) else {
                continue;
            };
            destinations.push(Destination {
                id: known.map_or_else(&mut fresh, |d| d.id.clone()),
                label,
                blocked: known.is_some_and(|d| d.blocked && d.reach == reach),
                reach,
                ring_secs: written.ring_secs,
                hours: written.hours.clone(),
            });
        }
        self.check_inboxes(&mut faults);
        faults.unless(Contact { name, title, language, zone, destinations, ..to.clone() })
    }

    /// Whether `contact` is as it is written here already: whoever has lost the answer to it sends it once more.
    pub fn is_written(&self, contact: &Contact) -> bool {
        let Ok(mut then) = self.apply(contact, || DestinationId::named("new")) else { return false };
        for (one, there) in then.destinations.iter_mut().zip(&contact.destinations) {
            // What was new when it was first sent has an identifier by now, and perhaps a STOP.
            (one.id, one.blocked) = (there.id.clone(), there.blocked);
        }
        then == *contact
    }

    /// A person has one inbox; its notice goes to a telephone or an email address of theirs.
    fn check_inboxes(&self, faults: &mut Faults) {
        let is_inbox = |d: &DestinationEdit| d.reach.kind == ReachKind::Inbox;
        for (nth, (at, written)) in self.destinations.iter().enumerate().filter(|(_, d)| is_inbox(d)).enumerate() {
            if nth > 0 {
                let cure = "Take one of them out.";
                faults.add(format!("/destinations/{at}"), "contact.inbox_twice", "A person has one inbox.", cure);
            }
            let notice = written.reach.address.trim();
            let takes = |d: &DestinationEdit| matches!(d.reach.kind, ReachKind::Phone | ReachKind::Email);
            let is_it = |d: &DestinationEdit| takes(d) && d.label.trim() == notice;
            if !notice.is_empty() && !self.destinations.iter().any(is_it) {
                let detail = format!("There is no telephone and no email address called {notice}.");
                let cure = "Name one of this person's destinations, or none.";
                faults.add(format!("/destinations/{at}/reach/address"), "contact.inbox_notice", detail, cure);
            }
        }
    }
}

fn check_reach(faults: &mut Faults, pointer: &str, reach: &ReachEdit) -> Option<Reach> {
    match reach.kind {
        ReachKind::Phone => check_number(faults, pointer, "contact.phone", &reach.address).map(Reach::Phone),
        ReachKind::Inbox => Some(Reach::Inbox(reach.address.trim().to_owned())),
        ReachKind::Fax => check_number(faults, pointer, "contact.fax", &reach.address).map(Reach::Fax),
        ReachKind::Email if is_email(reach.address.trim()) => Some(Reach::Email(reach.address.trim().to_owned())),
        ReachKind::Email => {
            faults.add(pointer, "contact.email", "This is no email address.", "Write it as name@example.com.");
            None
        }
        // Whether there is one of that name, the configuration knows.
        ReachKind::Webhook => Some(Reach::Webhook(reach.address.trim().to_owned())),
        ReachKind::Pager => {
            let read = reach.address.parse::<PagerAddress>();
            if read.is_err() {
                let cure =
                    "Write its number and its carrier: 5550142@metro. The carrier is named as in the configuration.";
                faults.add(pointer, "contact.pager", "This is no pager.", cure);
            }
            read.ok().map(Reach::Pager)
        }
    }
}

/// Each window is on some day, from one time of the day to another.
fn check_hours(faults: &mut Faults, pointer: &str, hours: &[Window]) {
    if hours.len() > MAX_HOURS {
        let cure = format!("Write {MAX_HOURS} at most.");
        faults.add(pointer, "contact.hours_too_many", "These are too many hours.", cure);
    }
    for (at, window) in hours.iter().enumerate() {
        if window.days.is_empty() {
            let cure = "Choose the days on which they begin, or take them out.";
            faults.add(format!("{pointer}/{at}/days"), "contact.hours_days", "These hours are on no day.", cure);
        }
        if window.span.times().is_none() {
            let cure = "Write both ends as 08:00.";
            faults.add(format!("{pointer}/{at}"), "contact.hours_times", "This is no time of the day.", cure);
        }
    }
}

/// A language with, maybe, its script and its region (RFC 5646 §2.1), in their usual letters; nobody is asked whether it is spoken.
fn read_language(tag: &str) -> Option<String> {
    let letters =
        |part: &str, lengths: &[usize]| lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic());
    let mut parts = tag.split('-').peekable();
    let mut read = parts.next().filter(|part| letters(part, &[2, 3]))?.to_ascii_lowercase();
    if let Some(script) = parts.next_if(|part| letters(part, &[4])) {
        let (first, rest) = script.split_at(1);
        read = format!("{read}-{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase());
    }
    let number = |part: &str| part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit());
    if let Some(region) = parts.next_if(|part| letters(part, &[2]) || number(part)) {
        read = format!("{read}-{}", region.to_ascii_uppercase());
    }
    parts.next().is_none().then_some(read)
}

/// Looks like an address that mail goes to. Whether it does, only mail can tell.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-');
    text.len() <= MAX_ADDRESS
        && !local.is_empty()
        && local.chars().all(atom)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AccountId, ContactId};

    fn blank() -> Contact {
        Contact {
            id: ContactId::named("ben"),
            account: AccountId::named("a"),
            name: String::new(),
            title: String::new(),
            language: None,
            zone: None,
            destinations: Vec::new(),
        }
    }

    fn edit(destinations: &[(&str, ReachKind, &str)]) -> ContactEdit {
        let destination = |(label, kind, address): &(&str, ReachKind, &str)| DestinationEdit {
            id: None,
            label: (*label).to_owned(),
            reach: ReachEdit { kind: *kind, address: (*address).to_owned() },
            ring_secs: 30,
            hours: Vec::new(),
        };
        let destinations = destinations.iter().map(destination).collect();
        ContactEdit {
            edition: None,
            name: "Ben".into(),
            title: String::new(),
            language: None,
            zone: None,
            destinations,
            namesake: false,
        }
    }

    fn apply(edit: &ContactEdit, to: &Contact) -> Result<Contact, Vec<Fault>> {
        let mut made = 0;
        edit.apply(to, || {
            made += 1;
            DestinationId::named(&made.to_string())
        })
    }

    #[test]
    fn what_was_written_is_known_again_whatever_it_is_called_by_now() {
        let sent =
            edit(&[("mobile", ReachKind::Phone, "(202) 555-0110"), ("email", ReachKind::Email, " ben@example.com ")]);
        let ben = apply(&sent, &blank()).unwrap();
        assert!(sent.is_written(&ben), "with identifiers that it did not have");
        assert!(sent.is_written(&Contact { id: ContactId::named("other"), ..ben.clone() }));
        let another =
            edit(&[("mobile", ReachKind::Phone, "+12025550111"), ("email", ReachKind::Email, "ben@example.com")]);
        assert!(!another.is_written(&ben));
        assert!(!edit(&[("mobile", ReachKind::Phone, "+12025550110")]).is_written(&ben), "less than there is");
        assert!(!sent.is_written(&Contact { title: "technician".into(), ..ben }));
    }

    #[test]
    fn every_bad_destination_is_told_at_its_place() {
        let bad = edit(&[
            ("mobile", ReachKind::Phone, "555"),
            ("email", ReachKind::Email, "ben@"),
            ("Home", ReachKind::Phone, "+12025550111"),
            ("home", ReachKind::Email, "a b@example.com"),
            ("pager", ReachKind::Pager, "5550142"),
        ]);
        let told: Vec<_> = apply(&bad, &blank()).unwrap_err().into_iter().map(|f| (f.pointer, f.code)).collect();
        let expected = [
            ("/destinations/0/reach/address", "contact.phone"),
            ("/destinations/1/reach/address", "contact.email"),
            ("/destinations/3/label", "contact.label_twice"),
            ("/destinations/3/reach/address", "contact.email"),
            ("/destinations/4/reach/address", "contact.pager"),
        ];
        assert_eq!(told, expected.map(|(pointer, code)| (pointer.to_owned(), code.into())));
    }

    #[test]
    fn an_inbox_is_one_and_its_notice_goes_to_a_destination_that_is_there() {
        let good = edit(&[("mobile", ReachKind::Phone, "+12025550110"), ("inbox", ReachKind::Inbox, "mobile")]);
        let ben = apply(&good, &blank()).unwrap();
        assert_eq!(ben.destinations[1].reach, Reach::Inbox("mobile".into()));
        assert_eq!(ContactEdit::from(&ben).destinations[1].reach, good.destinations[1].reach);
        assert!(apply(&edit(&[("inbox", ReachKind::Inbox, "")]), &blank()).is_ok(), "no notice");
        let bad = edit(&[("inbox", ReachKind::Inbox, "inbox"), ("second", ReachKind::Inbox, "home")]);
        let told: Vec<_> = apply(&bad, &blank()).unwrap_err().into_iter().map(|f| (f.pointer, f.code)).collect();
        let expected = [
            ("/destinations/0/reach/address", "contact.inbox_notice"),
            ("/destinations/1", "contact.inbox_twice"),
            ("/destinations/1/reach/address", "contact.inbox_notice"),
        ];
        assert_eq!(told, expected.map(|(pointer, code)| (pointer.to_owned(), code.into())));
    }

    #[test]
    fn hours_language_and_zone_are_read_and_what_is_wrong_with_them_is_told() {
        use crate::domain::account::hours::{Span, Weekday};
        let window = |days: &[Weekday], from: &str, until: &str| Window {
            days: days.to_vec(),
            span: Span { from: from.into(), until: until.into() },
        };
        let mut written = edit(&[("mobile", ReachKind::Phone, "+12025550110")]);
        written.language = Some(" ES-mx ".into());
        written.zone = Some("America/Denver".into());
        written.destinations[0].hours = vec![window(&[Weekday::Monday], "08:00", "18:00")];
        let ben = apply(&written, &blank()).unwrap();
        assert_eq!((ben.language.as_deref(), ben.zone.as_deref()), (Some("es-MX"), Some("America/Denver")));
        assert_eq!(ContactEdit::from(&ben).destinations[0].hours, written.destinations[0].hours);

        written.language = Some("Spanish".into());
        written.zone = Some("Denver".into());
        written.destinations[0].hours.extend([window(&[], "08:00", "18:00"), window(&[Weekday::Friday], "8", "18:00")]);
        let told: Vec<_> = apply(&written, &blank()).unwrap_err().into_iter().map(|f| (f.pointer, f.code)).collect();
        let expected = [
            ("/language", "contact.language"),
            ("/zone", "contact.zone"),
            ("/destinations/0/hours/1/days", "contact.hours_days"),
            ("/destinations/0/hours/2", "contact.hours_times"),
        ];
        assert_eq!(told, expected.map(|(pointer, code)| (pointer.to_owned(), code.into())));
        for (tag, read) in [("zh-hant-tw", Some("zh-Hant-TW")), ("es-419", Some("es-419")), ("e", None), ("en-", None)]
        {
            assert_eq!(read_language(tag).as_deref(), read, "{tag}");
        }
    }

    #[test]
    fn who_asked_not_to_be_texted_stays_blocked_until_the_number_is_another() {
        let mut ben = apply(&edit(&[("mobile", ReachKind::Phone, "+12025550110")]), &blank()).unwrap();
        ben.destinations[0].blocked = true;
        let mut again = ContactEdit::from(&ben);
        assert!(apply(&again, &ben).unwrap().destinations[0].blocked);
        again.destinations[0].reach.address = "+12025550112".into();
        let changed = apply(&again, &ben).unwrap();
        assert!(!changed.destinations[0].blocked);
        assert_eq!(changed.destinations[0].id, ben.destinations[0].id);
    }
}
