//! What random calls begin with: accounts of each kind, by the seed.

use super::*;
use crate::domain::account::RecordedLegs;
use crate::domain::checkin::Marked;

/// What the seeds have to reach, and how often at least.
pub(super) const DEEP: [(&str, usize); 29] = [
    ("patches", 100),
    ("recordings", 100),
    ("contacts who were told of a recording", 6),
    ("transfers", 20),
    ("supervisors who listen", 300),
    ("callbacks", 20),
    ("promises kept", 20),
    ("jobs", 20),
    ("operators who dial out", 20),
    ("fetched callers", 10),
    ("hand-overs", 6),
    ("conferences", 6),
    ("operators' own voices", 100),
    ("automated patches taken", 20),
    ("stars heeded", 10),
    ("check-ins", 10),
    ("held messages heard", 10),
    ("voicemails", 10),
    ("spills", 10),
    ("announcements", 10),
    ("calls taken before the answer", 10),
    ("calls nobody took before the answer", 10),
    ("sent to check-in", 10),
    ("sent to check-in by word", 10),
    ("changes of account", 10),
    ("dictations", 10),
    ("status greetings taken down", 10),
    ("callers taken in from another call", 10),
    ("callers given away", 3),
];

/// What of [`DEEP`] a line of the record is.
pub(super) const fn deep(event: &RecordEvent) -> Option<&'static str> {
    Some(match event {
        RecordEvent::ListenBegan { .. } => "supervisors who listen",
        RecordEvent::PatchAccepted => "automated patches taken",
        RecordEvent::PatchRejoined => "stars heeded",
        RecordEvent::ColleagueJoined { .. } => "conferences",
        RecordEvent::CallTakenIn { .. } => "callers taken in from another call",
        RecordEvent::GivenTo { .. } => "callers given away",
        RecordEvent::ReadAtCheckIn { .. } => "held messages heard",
        RecordEvent::Fetched { .. } => "fetched callers",
        RecordEvent::HandedOver { .. } => "hand-overs",
        RecordEvent::SentToCheckIn { vouched: None, .. } => "sent to check-in",
        RecordEvent::SentToCheckIn { vouched: Some(_), .. } => "sent to check-in by word",
        RecordEvent::AccountChanged { .. } => "changes of account",
        RecordEvent::StatusGreetingTakenDown => "status greetings taken down",
        _ => return None,
    })
}

/// The same of an answer: whether somebody elsewhere had taken the call before it.
pub(super) fn before_answer(seed: u64, taken: bool) -> Option<&'static str> {
    let rung = matches!(flow(seed), Flow::Spill(spill) if spill.before_answer);
    let what = if taken { "calls taken before the answer" } else { "calls nobody took before the answer" };
    rung.then_some(what)
}

pub(super) fn words() -> Speech {
    Speech::Spoken { text: "This call is recorded".to_owned() }
}

pub(super) const fn announced(seed: u64) -> bool {
    seed.is_multiple_of(2)
}

/// Kim has recorded the answer phrase of some accounts.
pub(super) fn phrases(seed: u64) -> Vec<(UserId, Speech)> {
    let kims = (UserId::named("kim"), spoken("hello, this is Kim"));
    if seed.is_multiple_of(4) { Vec::new() } else { vec![kims] }
}

/// A way of each kind, a menu that leads to all of them among them.
pub(super) fn flow(seed: u64) -> Flow {
    let voicemail =
        Voicemail { speech: spoken("speak"), call_type: CallTypeId::named("ct"), max_secs: 30, silence_secs: 5 };
    let number = PhoneNumber::parse("+12025550191").expect("a valid number");
    let failed = if seed.is_multiple_of(2) { SpillFailed::Queue } else { SpillFailed::Apology };
    match seed / 6 % 20 {
        0 => Flow::Voicemail(voicemail),
        1 => Flow::Spill(Spill { number, ring_secs: 20, failed, before_answer: false }),
        8 | 9 => Flow::Spill(Spill { number, ring_secs: 20, failed, before_answer: true }),
        2 => says("closed"),
        3 | 4 => Flow::Menu { menu: "main".into() },
        5 => Flow::Menu { menu: "gone".into() },
        6 => Flow::Patch(AutoPatch { whom: vec![], speech: None, failed: unreached(seed, voicemail) }),
        7 => Flow::CheckIn,
        _ => Flow::default(),
    }
}

fn unreached(seed: u64, voicemail: Voicemail) -> Unreached {
    match seed % 3 {
        0 => Unreached::default(),
        1 => Unreached::Voicemail(voicemail),
        _ => Unreached::Apology,
    }
}

pub(super) fn menu() -> Menu {
    let choices = [("1", "queue"), ("2", "voicemail"), ("3", "spill"), ("4", "words")];
    let mut nodes = vec![gather("ask", &choices), exit("queue", Flow::default()), exit("words", says("closed"))];
    nodes.extend([exit("voicemail", flow(0)), exit("spill", flow(6))]);
    Menu { name: "main".into(), start: "ask".into(), nodes, otherwise: Flow::default() }
}

/// What follows a wait that was too long, for some.
pub(super) fn overdue(seed: u64) -> Option<Flow> {
    match seed % 5 {
        1 => Some(flow(0)),
        2 => Some(says("nobody can come")),
        3 => Some(flow(6)),
        _ => None,
    }
}

pub(super) fn policy(seed: u64) -> RecordingPolicy {
    let mode = [RecordingMode::On, RecordingMode::OnDemand, RecordingMode::Off][seed as usize / 2 % 3];
    RecordingPolicy {
        mode,
        announcement: announced(seed).then(words),
        tell_contact: !seed.is_multiple_of(5),
        legs: RecordedLegs { caller: seed % 7 != 2, operator: seed % 9 != 4, contact: seed % 11 != 6 },
        ..RecordingPolicy::default()
    }
}

/// Callbacks are offered soon, with or without a number that is known.
pub(super) fn callback(seed: u64) -> CallbackTerms {
    let number = PhoneNumber::parse("+12025550150").ok().filter(|_| seed.is_multiple_of(2));
    let after = seed.is_multiple_of(4).then_some(Duration::from_secs(4));
    CallbackTerms { after, when_overdue: seed % 4 == 1, number, ..CallbackTerms::default() }
}

/// Some calls begin at our side.
pub(super) fn ring_back(seed: u64) -> Option<RingBack> {
    let number = PhoneNumber::parse("+12025550150").expect("a valid number");
    let errand = match seed % 28 {
        5 => Errand::Job,
        19 => Errand::Own(UserId::named("kim")),
        n if n % 7 == 3 => Errand::Promise,
        _ => return None,
    };
    Some(RingBack { number, ring: Duration::from_secs(20), errand, to_contact: seed % 28 == 5 })
}

/// What becomes of a held message that was heard; one that was changed meanwhile comes once more.
pub(super) fn marked(rng: &mut Rng, dispatch: DispatchId, edition: u32) -> Marked {
    match rng.below(8) {
        0 | 1 => Marked::Failed,
        2 => Marked::Changed(Box::new(Held { dispatch, edition: edition + 1, words: "Burst boiler.".into() })),
        _ => Marked::Noted,
    }
}

pub(super) fn wrap_up(seed: u64) -> Option<Duration> {
    seed.is_multiple_of(3).then_some(Duration::from_secs(5))
}

/// Some are sent into the check-in by name.
pub(super) fn vouched(which: u64) -> Option<ContactId> {
    (which == 0).then(|| ContactId::named("ada"))
}
