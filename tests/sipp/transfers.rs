//! Transfers from real desk phones: blind ones of baresip's and linphonec's, attended ones of linphonec's, holding, and calls that a phone
//! makes. Who hears whom is measured; the called person's telephone is SIPp's at the demo's carrier.

use crate::desk_phones::{HUM_HZ, Office, Telephone, baresip, linphone};
use crate::ear::{Ear, assert_hears};
use crate::house::{CALLER, PLUMBING, dial, find_call, finished_call, has_event};
use crate::sipp::{Sipp, free_port};
use crate::{peers, wait_for};

/// Whom the operator calls: nobody of the demo's.
const OTHER: &str = "+12025550142";
const CALLER_HZ: f64 = 700.0;
const OTHER_HZ: f64 = 1_000.0;

fn can_run(test: &str, phone: &str) -> bool {
    ["sipp", "espeak-ng", phone].iter().all(|program| peers::find_program(test, program).is_some())
}

/// Kim with a caller on her desk phone, and a carrier that leads to somebody's telephone.
struct Night {
    office: Office,
    phone: Telephone,
    carrier: u16,
    caller: Sipp,
    caller_ear: Ear,
}

impl Night {
    fn begin(start: impl FnOnce(&Office) -> Telephone) -> Self {
        let carrier = free_port();
        let office = Office::open_with(&["--carrier", &format!("127.0.0.1:{carrier}")]);
        let phone = start(&office);
        office.gets_ready();
        let caller_ear = Ear::open(CALLER_HZ);
        let caller = dial(&office.server, "caller_on_cue", &caller_ear, PLUMBING, CALLER);
        office.wait_for_seat("talking", |seat| seat["state"] == "talking");
        let night = Self { office, phone, carrier, caller, caller_ear };
        night.caller_hears(&[HUM_HZ], &[OTHER_HZ]);
        night
    }

    /// The telephone behind the carrier.
    fn other(&self, scenario: &str, ear: &Ear) -> Sipp {
        Sipp::start(scenario, "127.0.0.1:9", self.carrier, ear.port(), &[], self.office.dir())
    }

    fn target(&self) -> String {
        format!("sip:{OTHER}@{}", self.office.address())
    }

    fn caller_hears(&self, wanted: &[f64], unwanted: &[f64]) {
        let heard = self.caller_ear.listen(3.0);
        assert_hears("the caller", &heard[heard.len() / 3..], wanted, unwanted);
    }

    fn state(&self) -> String {
        let calls = self.office.kim.get("/api/v1/calls");
        calls["items"][0]["state"].as_str().unwrap_or("none").to_owned()
    }

    fn expect_event(&self, kind: &str) {
        self.expect_events(kind, 1);
    }

    fn expect_events(&self, kind: &str, times: usize) {
        wait_for(&format!("{kind} on record, {times} times"), || {
            let (_, events) = find_call(self.office.dir(), CALLER)?;
            (events.iter().filter(|event| event.kind == kind).count() >= times).then_some(())
        });
    }

    /// Caller and the other talk, the phone is out of it; then the caller hangs up.
    fn ends_with_both_joined(self, other: Sipp, other_ear: &Ear) {
        self.expect_event("patch_dropped");
        let heard = other_ear.listen(3.0);
        assert_hears("the other", &heard[heard.len() / 3..], &[CALLER_HZ], &[HUM_HZ]);
        self.caller_hears(&[OTHER_HZ], &[HUM_HZ]);
        self.office.wait_for_seat("the form alone is left", |seat| seat["state"] == "wrap_up");
        self.caller.cue();
        self.caller.expect_success();
        other.expect_success();
        let (call, events) = finished_call(self.office.dir(), CALLER);
        assert_eq!(call.end.map(|end| end.outcome).as_deref(), Some("patched"));
        for kind in ["transfer_asked", "patch_dialled", "patch_joined", "patch_dropped"] {
            assert!(has_event(&events, kind), "{kind}: {events:?}");
        }
    }
}

#[test]
fn baresip_holds_takes_back_and_transfers_blind() {
    if !can_run("a blind transfer by baresip", "baresip") {
        return;
    }
    let mut night = Night::begin(|office| baresip(office, "udp"));
    night.phone.type_in("/hold\n");
    night.expect_event("held");
    night.caller_hears(&[], &[HUM_HZ]);
    night.phone.type_in("/resume\n");
    night.expect_event("retrieved");
    night.caller_hears(&[HUM_HZ], &[]);

    let ear = Ear::open(OTHER_HZ);
    let other = night.other("callee", &ear);
    let target = night.target();
    night.phone.type_in(&format!("/transfer {target}\n"));
    night.ends_with_both_joined(other, &ear);
}

#[test]
fn a_blind_transfer_to_somebody_busy_leaves_the_caller_with_the_operator() {
    // Not by baresip: 1.0 hangs up when a transfer of its own fails.
    if !can_run("a blind transfer that fails", "linphonec") {
        return;
    }
    let mut night = Night::begin(linphone);
    let ear = Ear::open(0.0);
    let busy = night.other("callee_busy", &ear);
    let target = night.target();
    night.phone.type_in(&format!("transfer {target}\n"));
    busy.expect_success();
    night.expect_events("patch_failed", 1);
    night.caller_hears(&[HUM_HZ], &[]);
    // A number that no trunk may dial is refused as it is to the console.
    let help = format!("sip:911@{}", night.office.address());
    night.phone.type_in(&format!("transfer {help}\n"));
    night.expect_events("patch_failed", 2);
    night.caller_hears(&[HUM_HZ], &[]);
    night.caller.cue();
    night.caller.expect_success();
    let (call, events) = finished_call(night.office.dir(), CALLER);
    assert_eq!(call.end.map(|end| end.outcome).as_deref(), Some("taken"));
    let why: Vec<_> = events.iter().filter(|e| e.kind == "patch_failed").map(|e| e.body["why"].clone()).collect();
    assert_eq!(why, ["busy", "emergency"]);
}

#[test]
fn linphone_calls_a_contact_beside_its_caller_and_joins_the_two() {
    if !can_run("an attended transfer by linphonec", "linphonec") {
        return;
    }
    let mut night = Night::begin(linphone);
    let ear = Ear::open(OTHER_HZ);
    let other = night.other("callee", &ear);
    let target = night.target();
    night.phone.type_in("pause\n");
    night.expect_event("held");
    night.phone.type_in(&format!("call {target}\n"));
    night.expect_event("patch_answered");
    // The caller waits with music; the two others are by themselves.
    night.caller_hears(&[], &[HUM_HZ, OTHER_HZ]);
    let heard = ear.listen(3.0);
    assert_hears("the other", &heard[heard.len() / 3..], &[HUM_HZ], &[CALLER_HZ]);
    assert_eq!(night.state(), "patching");
    night.phone.type_in("transfer 1 --to-call 2\n");
    night.ends_with_both_joined(other, &ear);
}

#[test]
fn a_desk_phone_without_a_caller_may_call_nobody() {
    if !can_run("a call by a desk phone alone", "baresip") {
        return;
    }
    let office = Office::open_with(&[]);
    let mut phone = baresip(&office, "udp");
    office.gets_ready();
    phone.type_in(&format!("/dial sip:{OTHER}@{}\n", office.address()));
    phone.expect_print("403");
    office.wait_for_seat("still ready", |seat| seat["state"] == "ready");
    // Nobody is left without an answer over a call for help: words say that no trunk takes it, and all desks know.
    phone.type_in(&format!("/dial sip:911@{}\n", office.address()));
    phone.expect_print("Call established");
    let told = wait_for("the alarms", || {
        let hello = office.kim.feed().find("hello")?;
        let all = hello["alarms"].as_array()?.clone();
        (all.len() == 2).then_some(all)
    });
    assert!(told.iter().all(|alarm| alarm["level"] == "critical"), "{told:?}");
}
