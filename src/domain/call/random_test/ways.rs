//! What random calls begin with: accounts of each kind, by the seed.

use super::*;
use crate::domain::checkin::Marked;

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
        1 => Flow::Spill(Spill { number, ring_secs: 20, failed }),
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

pub(super) fn policy(seed: u64) -> RecordingPolicy {
    let mode = [RecordingMode::On, RecordingMode::OnDemand, RecordingMode::Off][seed as usize / 2 % 3];
    RecordingPolicy {
        mode,
        announcement: announced(seed).then(words),
        tell_contact: !seed.is_multiple_of(5),
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
    Some(RingBack { number, ring: Duration::from_secs(20), errand })
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
