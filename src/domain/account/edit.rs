//! An account as somebody writes it, and the check of what was written: everything wrong with it at once.
//!
//! Pure. What only the store or the voice can tell (whether a number is another account's, whether a recording exists)
//! is looked at by `engine/clients`, which drives this. What is left out of a document has its usual value.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::base::id::AccountId;
use crate::base::phone::PhoneNumber;

use super::faq::{self, Faq};
use super::fault::{Fault, Faults, Text};
use super::hours::Hours;
use super::{
    Account, Comfort, LeaveMessage, MailTemplate, OwnAges, Patching, Queueing, RecordingPolicy, SecureMessages, Speech,
};

const MAX_NAME: usize = 80;
const MAX_PHRASE: usize = 500;
const MAX_NOTES: usize = 10_000;
/// The longest words for a caller.
pub const MAX_SPEECH: usize = 2_000;
const MAX_DIDS: usize = 200;
/// Bounds of the times of a call, in seconds.
const RING: (u32, u32) = (5, 120);
const WAIT: (u32, u32) = (10, 3_600);
const UNDO: (u32, u32) = (0, 300);
const COMFORT: (u32, u32) = (10, 600);
/// Of a patch without an operator; the warning comes a minute before its end.
const PATCH: (u32, u32) = (120, 14_400);
pub(super) const PRIORITY: (i32, i32) = (-100, 100);
const SKILL_WAIT: (u32, u32) = (0, 3_600);
const WRAP_UP: (u32, u32) = (5, 3_600);
const CALLBACK: (u32, u32) = (10, 3_600);
pub(super) const MAX_SKILLS: usize = 20;
/// Messages that waiting callers hear in turn, and pieces of music.
const MAX_COMFORT: usize = 10;
const MAX_MUSIC: usize = 10;

/// An account as it is written: whole. Its call types, contacts and protocols are written by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountEdit {
    /// The edition that was read before: another one since is not overwritten. Not for a new account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<u32>,
    pub name: String,
    /// IANA zone name: `America/New_York`.
    pub zone: String,
    /// `#rrggbb`.
    #[serde(default = "usual_color")]
    pub color: String,
    /// The operator's first words; made of the name if it is left out.
    #[serde(default)]
    pub answer_phrase: String,
    #[serde(default)]
    pub notes: String,
    /// Questions and answers; as they are if they are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faq: Option<Vec<Faq>>,
    /// Numbers that select this account, as people write them.
    #[serde(default)]
    pub dids: Vec<String>,
    /// Shown to those we call for this account.
    #[serde(default)]
    pub caller_id: Option<String>,
    /// Spoken with the name if it is left out.
    #[serde(default)]
    pub greeting: Option<Speech>,
    #[serde(default)]
    pub apology: Option<Speech>,
    /// Null: music alone.
    #[serde(default)]
    pub comfort: Option<Comfort>,
    #[serde(default)]
    pub priority: i32,
    #[serde(default = "usual_ring")]
    pub ring_secs: u32,
    #[serde(default = "usual_wait")]
    pub max_wait_secs: u32,
    #[serde(default = "usual_undo")]
    pub undo_secs: u32,
    #[serde(default)]
    pub leave_message: LeaveMessage,
    #[serde(default)]
    pub recording: RecordingPolicy,
    #[serde(default)]
    pub patching: Patching,
    /// How callers wait, and what follows; as it is if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queueing: Option<Queueing>,
    /// How secure messages are opened; as it is if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secure: Option<SecureMessages>,
    /// Its own words for emails; as they are if they are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailTemplate>,
    /// From what age on its open dispatches are shown as late; as it is if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ages: Option<OwnAges>,
}

fn usual_color() -> String {
    "#5b6b7a".to_owned()
}

const fn usual_ring() -> u32 {
    20
}

const fn usual_wait() -> u32 {
    180
}

const fn usual_undo() -> u32 {
    10
}

impl From<&Account> for AccountEdit {
    /// As it is now, to be changed in part.
    fn from(account: &Account) -> Self {
        Self {
            edition: None,
            name: account.name.clone(),
            zone: account.zone.clone(),
            color: account.color.clone(),
            answer_phrase: account.answer_phrase.clone(),
            notes: account.notes.clone(),
            faq: Some(account.faq.clone()),
            dids: account.dids.iter().map(|did| did.as_e164().to_owned()).collect(),
            caller_id: account.caller_id.as_ref().map(|number| number.as_e164().to_owned()),
            greeting: Some(account.greeting.clone()),
            apology: Some(account.apology.clone()),
            comfort: account.comfort.clone(),
            priority: account.priority,
            ring_secs: account.ring_secs,
            max_wait_secs: account.max_wait_secs,
            undo_secs: account.undo_secs,
            leave_message: account.leave_message,
            recording: account.recording.clone(),
            patching: account.patching.clone(),
            queueing: Some(account.queueing.clone()),
            secure: Some(account.secure.clone()),
            mail: Some(account.mail.clone()),
            ages: Some(account.ages),
        }
    }
}

impl Account {
    /// An account of which nothing is known yet.
    pub fn blank(id: AccountId) -> Self {
        let silent = Speech::Spoken { text: String::new() };
        Self {
            id,
            name: String::new(),
            zone: String::new(),
            color: usual_color(),
            answer_phrase: String::new(),
            notes: String::new(),
            faq: Vec::new(),
            greeting: silent.clone(),
            apology: silent,
            comfort: None,
            dids: Vec::new(),
            caller_id: None,
            priority: 0,
            ring_secs: usual_ring(),
            max_wait_secs: usual_wait(),
            undo_secs: usual_undo(),
            leave_message: LeaveMessage::default(),
            recording: RecordingPolicy::default(),
            queueing: Queueing::default(),
            patching: Patching::default(),
            secure: SecureMessages::default(),
            mail: MailTemplate::default(),
            hours: Hours::default(),
            menus: Vec::new(),
            ages: OwnAges::default(),
            status_greeting: None,
            answer_phrases: Vec::new(),
            call_types: Vec::new(),
        }
    }

    /// Everything that it says to callers, with where it is written.
    pub fn speeches(&self) -> Vec<(String, &Speech)> {
        let mut all = vec![("/greeting".to_owned(), &self.greeting), ("/apology".to_owned(), &self.apology)];
        all.extend(self.comfort.as_ref().map(|comfort| ("/comfort/speech".to_owned(), &comfort.speech)));
        let further = self.comfort.iter().flat_map(|comfort| &comfort.further).enumerate();
        all.extend(further.map(|(n, speech)| (format!("/comfort/further/{n}"), speech)));
        all.extend(self.recording.announcement.as_ref().map(|speech| ("/recording/announcement".to_owned(), speech)));
        let music = self.queueing.music.iter().enumerate();
        all.extend(music.map(|(n, piece)| (format!("/queueing/music/{n}"), piece)));
        all
    }
}

impl AccountEdit {
    /// `to` as it would be. What is not written here stays.
    pub fn apply(&self, to: Account) -> Result<Account, Vec<Fault>> {
        let mut faults = Faults::default();
        let name = faults.text(&self.name, &Text::line("/name", "account.name", "The name", MAX_NAME));
        let zone = self.zone.trim().to_owned();
        if zone.is_empty() || TimeZone::get(&zone).is_err() {
            let detail = format!("There is no time zone \"{zone}\".");
            faults.add("/zone", "account.zone", detail, "Write its IANA name: America/New_York, Europe/Berlin.");
        }
        let color = self.color.trim().to_lowercase();
        if !is_color(&color) {
            faults.add("/color", "account.color", "This is no colour.", "Write it as #rrggbb: #2266aa.");
        }
        let phrase = Text::line("/answer_phrase", "account.answer_phrase", "The answer phrase", MAX_PHRASE).optional();
        let mut answer_phrase = faults.text(&self.answer_phrase, &phrase);
        if answer_phrase.is_empty() {
            answer_phrase = format!("{name}, how may I help you?");
        }
        let notes = Text::line("/notes", "account.notes", "The text of the notes", MAX_NOTES).optional().lines();
        let notes = faults.text(&self.notes, &notes);
        let faq = self.faq.as_deref().map_or_else(|| to.faq.clone(), |written| faq::check(&mut faults, written));
        let dids = self.check_dids(&mut faults);
        let caller_id = self.caller_id.as_deref().filter(|number| !number.trim().is_empty());
        let caller_id =
            caller_id.and_then(|number| check_number(&mut faults, "/caller_id", "account.caller_id", number));
        let usual = |text: String| Speech::Spoken { text };
        let greeting = self.greeting.clone().unwrap_or_else(|| {
            usual(format!("Thank you for calling {name}. Please hold, and somebody will be with you in a moment."))
        });
        let apology = self.apology.clone().unwrap_or_else(|| {
            usual(
                "We are sorry that nobody can take your call now. We have your number, and will call you back."
                    .to_owned(),
            )
        });
        let (greeting, apology) =
            (check_speech(&mut faults, "/greeting", greeting), check_speech(&mut faults, "/apology", apology));
        let comfort = self.comfort.clone().map(|comfort| check_comfort(&mut faults, comfort));
        if !(PRIORITY.0..=PRIORITY.1).contains(&self.priority) {
            let cure = format!("Choose {} to {}; 0 is ordinary, higher goes first.", PRIORITY.0, PRIORITY.1);
            faults.add("/priority", "account.priority", "This priority is out of bounds.", cure);
        }
        within(&mut faults, "/ring_secs", "account.ring", self.ring_secs, RING);
        within(&mut faults, "/max_wait_secs", "account.wait", self.max_wait_secs, WAIT);
        within(&mut faults, "/undo_secs", "account.undo", self.undo_secs, UNDO);
        if let Some(max_secs) = self.patching.max_secs {
            within(&mut faults, "/patching/max_secs", "account.patching", max_secs, PATCH);
        }
        let queueing = self.queueing.clone().unwrap_or_else(|| to.queueing.clone());
        check_queueing(&mut faults, &queueing);
        let secure = self.secure.clone().unwrap_or_else(|| to.secure.clone());
        secure.check(&mut faults);
        let mail = self.mail.clone().unwrap_or_else(|| to.mail.clone());
        let ages = self.ages.unwrap_or(to.ages);
        ages.check(&mut faults);
        if self.mail.is_some() {
            mail.check(&mut faults, &to);
        }
        let mut recording = self.recording.clone();
        recording.announcement =
            recording.announcement.map(|speech| check_speech(&mut faults, "/recording/announcement", speech));
        recording.legs.check(recording.mode, &mut faults);
        faults.unless(Account {
            name,
            zone,
            color,
            answer_phrase,
            notes,
            faq,
            greeting,
            apology,
            comfort,
            dids,
            caller_id,
            priority: self.priority,
            ring_secs: self.ring_secs,
            max_wait_secs: self.max_wait_secs,
            undo_secs: self.undo_secs,
            leave_message: self.leave_message,
            recording,
            patching: self.patching.clone(),
            queueing,
            secure,
            mail,
            ages,
            ..to
        })
    }

    fn check_dids(&self, faults: &mut Faults) -> Vec<PhoneNumber> {
        if self.dids.len() > MAX_DIDS {
            let detail = format!("An account has {MAX_DIDS} numbers at most.");
            faults.add("/dids", "account.dids_too_many", detail, "Make another account for some of them.");
        }
        let mut dids: Vec<PhoneNumber> = Vec::new();
        for (at, written) in self.dids.iter().enumerate() {
            let pointer = format!("/dids/{at}");
            let Some(did) = check_number(faults, &pointer, "account.did", written) else { continue };
            if dids.contains(&did) {
                faults.add(pointer, "account.did_twice", "This number is in the list twice.", "Take one of them out.");
            } else {
                dids.push(did);
            }
        }
        dids
    }
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A subscriber's number, as people write it.
pub(super) fn check_number(
    faults: &mut Faults,
    pointer: &str,
    code: &'static str,
    written: &str,
) -> Option<PhoneNumber> {
    const CURE: &str = "Write it whole: +12025550101 or 202 555 0101.";
    match PhoneNumber::parse(written) {
        Ok(number) if !number.is_short() => Some(number),
        Ok(_) => {
            faults.add(pointer, code, "This is an emergency number or a short code, not a subscriber's.", CURE);
            None
        }
        Err(_) => {
            faults.add(pointer, code, "This is not a complete telephone number.", CURE);
            None
        }
    }
}

fn check_comfort(faults: &mut Faults, comfort: Comfort) -> Comfort {
    within(faults, "/comfort/every_secs", "account.comfort", comfort.every_secs, COMFORT);
    if comfort.further.len() >= MAX_COMFORT {
        let detail = format!("Waiting callers hear {MAX_COMFORT} messages in turn at most.");
        faults.add("/comfort/further", "account.comfort_too_many", detail, "Take some out.");
    }
    let speech = check_speech(faults, "/comfort/speech", comfort.speech);
    let further = (0..).zip(comfort.further);
    let further = further.map(|(n, speech): (u32, _)| check_speech(faults, &format!("/comfort/further/{n}"), speech));
    Comfort { speech, further: further.collect(), ..comfort }
}

/// Words go between the music, not in place of it.
fn check_music(faults: &mut Faults, music: &[Speech]) {
    if music.len() > MAX_MUSIC {
        let detail = format!("An account has {MAX_MUSIC} pieces of music at most.");
        faults.add("/queueing/music", "account.music_too_many", detail, "Take some out.");
    }
    for (n, piece) in music.iter().enumerate() {
        if matches!(piece, Speech::Spoken { .. }) || !piece.is_said() {
            let detail = "Music is a recording, and there is none here.";
            let cure =
                "Upload one, record it, or take this piece out; words belong to the messages for waiting callers.";
            faults.add(format!("/queueing/music/{n}"), "account.music", detail, cure);
        }
    }
}

fn check_queueing(faults: &mut Faults, queueing: &Queueing) {
    check_music(faults, &queueing.music);
    if queueing.skills.len() > MAX_SKILLS {
        let detail = format!("An account asks for {MAX_SKILLS} skills at most.");
        faults.add("/queueing/skills", "account.skills_too_many", detail, "Take some out.");
    }
    let code = "account.queueing";
    within(faults, "/queueing/skill_wait_secs", code, queueing.skill_wait_secs, SKILL_WAIT);
    if let Some(secs) = queueing.wrap_up_secs {
        within(faults, "/queueing/wrap_up_secs", code, secs, WRAP_UP);
    }
    if let Some(secs) = queueing.callback_after_secs {
        within(faults, "/queueing/callback_after_secs", code, secs, CALLBACK);
    }
}

fn within(faults: &mut Faults, pointer: &str, code: &'static str, secs: u32, (least, most): (u32, u32)) {
    if !(least..=most).contains(&secs) {
        let detail = format!("{secs} s is out of bounds.");
        faults.add(pointer, code, detail, format!("Choose {least} to {most} seconds."));
    }
}

fn check_speech(faults: &mut Faults, pointer: &str, speech: Speech) -> Speech {
    match speech {
        Speech::Spoken { text } => {
            let what =
                Text::line(format!("{pointer}/text"), "speech.text", "The text to be spoken", MAX_SPEECH).lines();
            Speech::Spoken { text: faults.text(&text, &what) }
        }
        recorded => recorded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::CallPin;

    fn edit() -> AccountEdit {
        serde_json::from_str(r#"{"name": " Acme\u202e Heating ", "zone": "Europe/Berlin", "dids": ["(202) 555-0150"]}"#)
            .unwrap()
    }

    fn faults(edit: &AccountEdit) -> Vec<(String, String)> {
        let faults = edit.apply(Account::blank(AccountId::named("a"))).unwrap_err();
        assert!(faults.iter().all(|f| !f.detail.is_empty() && !f.cure.is_empty()), "{faults:?}");
        faults.into_iter().map(|f| (f.pointer, f.code.into_owned())).collect()
    }

    #[test]
    fn what_is_left_out_has_its_usual_value() {
        let account = edit().apply(Account::blank(AccountId::named("a"))).unwrap();
        assert_eq!((account.name.as_str(), account.dids[0].as_e164()), ("Acme Heating", "+12025550150"));
        assert_eq!(account.answer_phrase, "Acme Heating, how may I help you?");
        assert!(matches!(&account.greeting, Speech::Spoken { text } if text.contains("Acme Heating")));
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let bad = AccountEdit {
            name: " ".into(),
            zone: "Moon/Crater".into(),
            color: "red".into(),
            dids: vec!["911".into(), "2025550150".into(), "+12025550150".into()],
            caller_id: Some("1".into()),
            greeting: Some(Speech::Spoken { text: "\u{200b}".into() }),
            ring_secs: 1,
            priority: 1_000,
            ..edit()
        };
        let told = faults(&bad);
        let expected = [
            ("/name", "account.name_missing"),
            ("/zone", "account.zone"),
            ("/color", "account.color"),
            ("/dids/0", "account.did"),
            ("/dids/2", "account.did_twice"),
            ("/caller_id", "account.caller_id"),
            ("/greeting/text", "speech.text_missing"),
            ("/priority", "account.priority"),
            ("/ring_secs", "account.ring"),
        ];
        assert_eq!(told, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    }

    #[test]
    fn how_long_a_secure_message_can_be_opened_is_within_a_month_and_stays_where_it_is_not_written() {
        let written = SecureMessages { days: 2, accept_first: true, call_pin: CallPin::Always };
        let edit = AccountEdit { secure: Some(written.clone()), ..edit() };
        let account = edit.apply(Account::blank(AccountId::named("a"))).unwrap();
        assert_eq!(account.secure, written);
        assert_eq!(AccountEdit { secure: None, ..edit.clone() }.apply(account).unwrap().secure, written);
        for days in [0, 31] {
            let told =
                faults(&AccountEdit { secure: Some(SecureMessages { days, ..written.clone() }), ..edit.clone() });
            assert_eq!(told, [("/secure/days".to_owned(), "account.secure".to_owned())], "{days}");
        }
    }

    #[test]
    fn how_callers_wait_is_written_too_and_stays_as_it_is_where_it_is_not() {
        let written = Queueing { wrap_up_secs: Some(45), abandoned_alarm: true, ..Queueing::default() };
        let edit = AccountEdit { queueing: Some(written.clone()), ..edit() };
        let account = edit.apply(Account::blank(AccountId::named("a"))).unwrap();
        assert_eq!(account.queueing, written);
        let later = AccountEdit { queueing: None, ..edit.clone() }.apply(account).unwrap();
        assert_eq!(later.queueing, written);
        let bad = Queueing { wrap_up_secs: Some(1), callback_after_secs: Some(0), ..written };
        let told = faults(&AccountEdit { queueing: Some(bad), ..edit });
        let places = ["/queueing/wrap_up_secs", "/queueing/callback_after_secs"];
        assert_eq!(told, places.map(|place| (place.to_owned(), "account.queueing".to_owned())));
    }

    #[test]
    fn music_is_recordings_and_messages_for_waiting_callers_are_told_of_each_at_its_place() {
        let piece = |name: &str| Speech::Uploaded { recording: name.to_owned() };
        let words = |text: &str| Speech::Spoken { text: text.to_owned() };
        let comfort = |further| Comfort { every_secs: 30, speech: words("soon"), further, position: false };
        let queueing = |music| Some(Queueing { music, ..Queueing::default() });
        let good = AccountEdit {
            comfort: Some(comfort(vec![words(" And\u{200b} soon "), piece("b")])),
            queueing: queueing(vec![piece("a"), Speech::Recorded { prompt: "music".into() }]),
            ..edit()
        };
        let account = good.apply(Account::blank(AccountId::named("a"))).unwrap();
        assert_eq!(account.comfort.as_ref().map(|c| c.further[0].clone()), Some(words("And soon")));
        let said: Vec<_> = account.speeches().into_iter().map(|(at, _)| at).collect();
        assert_eq!(said[2..5], ["/comfort/speech", "/comfort/further/0", "/comfort/further/1"]);
        assert_eq!(said[5..], ["/recording/announcement", "/queueing/music/0", "/queueing/music/1"]);
        let bad = AccountEdit {
            comfort: Some(comfort(vec![words(""); 10])),
            queueing: queueing(vec![words("la la"), piece("")]),
            ..edit()
        };
        let told = faults(&bad);
        assert_eq!(told[0], ("/comfort/further".into(), "account.comfort_too_many".into()));
        assert_eq!(told[1], ("/comfort/further/0/text".into(), "speech.text_missing".into()));
        assert_eq!(
            told[11..],
            ["/queueing/music/0", "/queueing/music/1"].map(|at| (at.into(), "account.music".into()))
        );
        let many = AccountEdit { queueing: queueing(vec![piece("a"); 11]), ..edit() };
        assert_eq!(faults(&many), [("/queueing/music".into(), "account.music_too_many".into())]);
    }

    #[test]
    fn what_is_read_back_and_written_again_changes_nothing() {
        let account = edit().apply(Account::blank(AccountId::named("a"))).unwrap();
        assert_eq!(AccountEdit::from(&account).apply(account.clone()).unwrap(), account);
    }
}
