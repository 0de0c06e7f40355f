//! Alarms that nobody at a desk acknowledges: supervisors are texted, then called, then the next one, until somebody says that they
//! see to it; and the watchdog tells them when the dispatcher itself stands still.

use cordboard::base::id::DispatchId;
use cordboard::domain::alarm::{Means, Plan, Step};
use cordboard::domain::call::cause::Cause;
use cordboard::domain::dispatch::event::Failure;
use cordboard::domain::dispatch::protocol::{Method, Protocol, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::engine::alarms::Alarms;
use cordboard::engine::alarms::ringer::Ringer;
use cordboard::engine::callout::{CallOutEvent, OutboundEnd};
use cordboard::engine::feed::UserRef;
use cordboard::io::deliver::Delivery;
use cordboard::io::store::audit::AuditFilter;

use crate::desk::Desk;
use crate::town;

const MINUTE: i64 = 60;

/// One text to Ben, a minute, and nobody else to ask.
fn soon_exhausted() -> Protocol {
    town::protocol(vec![(Method::TextConfirm, town::on_call("mobile"), 60)], false, Until::Confirmed)
}

/// Olive is texted after a minute, called a minute later, and a minute after that Roe is texted.
fn plan() -> Plan {
    let step = |by, at: usize| {
        let (name, mobile, ..) = town::PEOPLE[at];
        Step { after_secs: 60, by, name: name.to_owned(), number: town::number(mobile) }
    };
    let steps = vec![step(Means::Text, 2), step(Means::Call, 2), step(Means::Text, 3)];
    Plan { steps, repeat_secs: 600, remind_secs: 1_800 }
}

/// A house with an alarm chain.
struct House {
    desk: Desk,
    alarms: Alarms,
    ringer: Ringer,
}

impl House {
    async fn at_night() -> Self {
        let desk = Desk::at_work(&soon_exhausted()).await;
        let (alarms, ringer) = desk.alarm_chain(plan());
        Self { desk, alarms, ringer }
    }

    /// A message for which nobody is left to ask: it needs an operator from now on.
    async fn leaves_a_message_nobody_confirms(&mut self) -> DispatchId {
        let id = self.desk.takes("burst pipe").await;
        self.desk.phone("Ben").expect_text("burst pipe");
        self.desk.advance(MINUTE).await;
        assert!(self.desk.state(&id).await.needs_operator());
        self.ringer.pulse(self.desk.now()).await;
        id
    }

    /// Time passes, everybody works.
    async fn pass(&mut self, secs: i64) {
        for _ in 0..secs / 5 {
            self.desk.advance(5).await;
            self.ringer.pulse(self.desk.now()).await;
        }
    }

    /// Time passes, and the dispatcher hangs.
    async fn hang(&mut self, secs: i64) {
        for _ in 0..secs / 5 {
            self.desk.wait(5);
            self.ringer.pulse(self.desk.now()).await;
        }
    }

    /// The process is gone and started again.
    async fn restarts(&mut self) {
        self.desk.restarts().await;
        (self.alarms, self.ringer) = self.desk.alarm_chain(plan());
    }

    fn told(&self) -> Vec<String> {
        let chain = self.alarms.chain().expect("something stands");
        chain.told.into_iter().map(|line| line.text).collect()
    }

    async fn acknowledgments_on_the_log(&self) -> Vec<String> {
        let filter = AuditFilter { act: Some("alarm.acknowledged".into()), ..AuditFilter::default() };
        let rows = self.desk.store.list_audit(&filter, None, 10).await.expect("the log");
        rows.into_iter().map(|row| row.who).collect()
    }

    async fn time_line(&self, id: &DispatchId) -> Vec<String> {
        self.desk.view(id).await.timeline.into_iter().map(|line| line.text).collect()
    }
}

#[tokio::test]
async fn nobody_is_signed_in_at_three_and_the_supervisor_is_texted_then_called_and_presses_1() {
    let mut house = House::at_night().await;
    let id = house.leaves_a_message_nobody_confirms().await;
    house.pass(55).await;
    assert_eq!(house.desk.times(), [], "the desks have a minute");
    house.pass(5).await;
    let text = house.desk.phone("Olive").expect_text("1 message needs an operator");
    for secret in ["Plumbing", "burst", "Jane", "Ben", "555"] {
        assert!(!text.words.contains(secret), "nothing of a client, a caller or a message: {}", text.words);
    }
    house.pass(MINUTE).await;
    let call = house.desk.phone("Olive").expect_call();
    assert!(call.words.contains("1 message needs an operator") && !call.words.contains("burst"), "{}", call.words);
    house.desk.phone("Olive").talks(&[CallOutEvent::Answered, CallOutEvent::Confirmed], OutboundEnd::Confirmed);
    house.pass(5).await;

    let chain = house.alarms.chain().expect("it still needs an operator");
    assert_eq!((chain.waits.len(), chain.acknowledged), (0, vec![format!("dispatch:{id}")]));
    assert_eq!(chain.by.map(|line| line.text).as_deref(), Some("Olive acknowledged the alarm by key on the phone."));
    assert_eq!(house.told(), ["Text sent to Olive, accepted.", "Call to Olive: acknowledged."]);
    let lines = house.time_line(&id).await;
    for line in
        ["Alarm: Olive is texted.", "Alarm: Olive is called.", "Olive acknowledged the alarm by key on the phone."]
    {
        assert!(lines.iter().any(|said| said == line), "{line}: {lines:?}");
    }
    assert_eq!(house.acknowledgments_on_the_log().await, ["alarm_telephone"]);
    house.pass(10 * MINUTE).await;
    assert_eq!(house.desk.times(), [], "somebody sees to it: Roe sleeps on");

    house.desk.phone("Ben").replies("1ok").await;
    house.desk.phone("Ben").expect_text("Confirmed");
    house.pass(5).await;
    assert!(house.alarms.chain().is_none(), "nothing stands any more");
    house.desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn while_supervisors_are_told_the_board_goes_on_saying_since_when_nobody_has_done_anything() {
    let mut house = House::at_night().await;
    let id = house.leaves_a_message_nobody_confirms().await;
    let before = house.desk.view(&id).await;
    assert!(before.alarm.is_some() && before.alarm_at.is_some() && before.last.is_some(), "{before:?}");
    house.pass(MINUTE).await;
    house.desk.phone("Olive").expect_text("1 message needs an operator");
    let view = house.desk.view(&id).await;
    assert!(view.timeline.iter().any(|line| line.text == "Alarm: Olive is texted."), "the time line has it");
    assert_eq!((view.last, view.alarm_at), (before.last, before.alarm_at), "and nothing was done for the caller");
    house.desk.ends(&id, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn nobody_answers_and_it_goes_round_until_olive_texts_back() {
    let mut house = House::at_night().await;
    let id = house.leaves_a_message_nobody_confirms().await;
    house.pass(2 * MINUTE).await;
    house.desk.phone("Olive").expect_text("reply ACK");
    house.desk.phone("Olive").expect_call();
    // Half a minute it rings, and then a minute passes.
    house.pass(90).await;
    house.desk.phone("Roe").expect_text("1 message needs an operator");
    house.pass(595).await;
    assert_eq!(house.desk.times(), [], "rounds keep their pace");
    house.pass(5).await;
    house.desk.phone("Olive").expect_text("1 message needs an operator");
    let waits = "If nobody acknowledges: call Olive.";
    let next = house.alarms.chain().and_then(|chain| chain.next).expect("somebody is next");
    assert_eq!(next.text, waits);

    house.desk.phone("Olive").replies("Ack.").await;
    assert_eq!(house.alarms.chain().map(|chain| chain.waits.len()), Some(0), "it counts at once");
    assert!(house.desk.store.list_unplaced_texts(10).await.expect("listed").is_empty(), "and is nobody's job");
    assert_eq!(house.acknowledgments_on_the_log().await, ["alarm_telephone"]);
    house.pass(29 * MINUTE).await;
    assert_eq!(house.desk.times(), []);
    // It was acknowledged, and nobody has seen to it.
    house.pass(MINUTE).await;
    house.desk.phone("Olive").expect_text("1 message needs an operator");
    house.desk.ends(&id, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn an_operator_at_a_desk_acknowledges_and_no_telephone_rings() {
    let mut house = House::at_night().await;
    let id = house.leaves_a_message_nobody_confirms().await;
    house.pass(2 * MINUTE).await;
    house.desk.phone("Olive").expect_text("ALARM");
    house.desk.phone("Olive").expect_call();
    assert!(house.desk.phone("Olive").rings());
    let kim = UserRef { id: house.desk.kim().await, name: "Kim".into() };
    assert!(house.alarms.acknowledge(&kim).await.expect("stored"));
    assert!(!house.alarms.acknowledge(&kim).await.expect("stored"), "there is nothing left to acknowledge");
    house.ringer.pulse(house.desk.now()).await;
    assert!(!house.desk.phone("Olive").rings(), "the call is taken back");
    assert_eq!(house.acknowledgments_on_the_log().await, [kim.id.to_string()]);
    assert!(house.time_line(&id).await.iter().any(|line| line == "Kim acknowledged the alarm at a desk."));
    house.pass(10 * MINUTE).await;
    house.desk.ends(&id, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn a_second_message_after_the_acknowledgment_has_a_chain_of_its_own() {
    let mut house = House::at_night().await;
    house.leaves_a_message_nobody_confirms().await;
    house.pass(MINUTE).await;
    house.desk.phone("Olive").expect_text("1 message needs an operator");
    house.desk.phone("Olive").replies("ACK").await;
    let second = house.leaves_a_message_nobody_confirms().await;
    house.pass(MINUTE).await;
    house.desk.phone("Olive").expect_text("1 message needs an operator");
    house.desk.phone("Olive").replies("ACK").await;
    house.desk.ends(&second, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn whoever_was_not_told_acknowledges_nothing_and_is_an_operators_job() {
    let mut house = House::at_night().await;
    let id = house.leaves_a_message_nobody_confirms().await;
    house.pass(MINUTE).await;
    house.desk.phone("Olive").expect_text("ALARM");
    house.desk.phone("Roe").replies("ack").await;
    assert_eq!(house.alarms.chain().map(|chain| chain.waits.len()), Some(1));
    assert_eq!(house.desk.store.list_unplaced_texts(10).await.expect("listed").len(), 1);
    // Nor does a word that confirms messages: the two never mix.
    house.desk.phone("Olive").replies("1ok").await;
    house.desk.phone("Olive").expect_text("you have no open message with the code 1");
    assert_eq!(house.alarms.chain().map(|chain| chain.waits.len()), Some(1));
    house.desk.ends(&id, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn no_carrier_takes_the_text_so_the_call_comes_at_once() {
    let mut house = House::at_night().await;
    let id = house.leaves_a_message_nobody_confirms().await;
    house.desk.provider_answers(Some(Delivery::Failed { failure: Failure::Temporary, why: "no_connection".into() }));
    house.pass(MINUTE).await;
    house.desk.phone("Olive").expect_call();
    assert_eq!(house.told(), ["Text to Olive failed.", "Calling Olive."]);
    house.desk.phone("Olive").talks(&[CallOutEvent::Confirmed], OutboundEnd::Confirmed);
    house.pass(5).await;
    house.desk.ends(&id, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn after_a_restart_the_chain_goes_on_and_no_step_is_taken_twice() {
    let mut house = House::at_night().await;
    let id = house.leaves_a_message_nobody_confirms().await;
    house.pass(MINUTE).await;
    house.desk.phone("Olive").expect_text("ALARM");
    house.restarts().await;
    house.pass(55).await;
    assert_eq!(house.desk.times(), [], "she has the text");
    house.pass(5).await;
    house.desk.phone("Olive").expect_call();
    // The call falls with the process, and whether she heard it nobody knows.
    house.desk.phone("Olive").talks(&[], OutboundEnd::NotReached(Cause::Lost));
    house.restarts().await;
    house.pass(MINUTE + 5).await;
    house.desk.phone("Roe").expect_text("ALARM");
    assert_eq!(house.told()[1], "Call to Olive: what came of it is not known.");
    house.desk.phone("Roe").replies("ack").await;
    house.pass(MINUTE).await;
    house.desk.ends(&id, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn the_scheduler_freezes_and_the_watchdog_texts_the_supervisor() {
    let mut house = House::at_night().await;
    let id = house.desk.takes("burst pipe").await;
    house.desk.phone("Ben").expect_text("burst pipe");
    house.pass(10).await;
    assert!(house.alarms.chain().is_none());
    house.hang(10).await;
    assert!(house.alarms.raised().is_empty(), "ten seconds are no standstill");
    house.hang(5).await;
    let raised: Vec<String> = house.alarms.raised().into_iter().map(|alarm| alarm.id).collect();
    assert_eq!(raised, ["watchdog:dispatcher"], "it is on the desks");
    house.hang(MINUTE).await;
    house.desk.phone("Olive").expect_text("the service stands still");
    house.hang(MINUTE).await;
    house.desk.phone("Olive").expect_call();
    house.desk.phone("Olive").talks(&[CallOutEvent::Confirmed], OutboundEnd::Confirmed);
    house.hang(5).await;
    assert_eq!(house.alarms.chain().map(|chain| chain.waits.len()), Some(0));
    // It comes round again, and does what it had left undone.
    house.pass(5).await;
    assert!(house.alarms.raised().is_empty());
    assert!(house.desk.state(&id).await.needs_operator());
    house.desk.ends(&id, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn a_dispatcher_that_comes_round_and_leaves_what_is_due_undone_is_noticed_too() {
    let mut house = House::at_night().await;
    house.desk.takes("burst pipe").await;
    house.desk.phone("Ben").expect_text("burst pipe");
    for _ in 0..40 {
        house.alarms.dispatcher_beat().strike();
        house.hang(5).await;
    }
    let raised: Vec<String> = house.alarms.raised().into_iter().map(|alarm| alarm.id).collect();
    assert_eq!(raised, ["watchdog:overdue"]);
    house.hang(MINUTE).await;
    house.desk.phone("Olive").expect_text("the service stands still");
}

#[tokio::test]
async fn the_database_is_gone_and_the_supervisor_is_told_from_memory() {
    let mut house = House::at_night().await;
    house.pass(5).await;
    house.desk.store.close().await;
    for _ in 0..8 {
        house.alarms.dispatcher_beat().strike();
        house.hang(5).await;
    }
    assert!(house.alarms.raised().iter().any(|alarm| alarm.id == "watchdog:store"));
    house.hang(MINUTE).await;
    house.desk.phone("Olive").expect_text("the service stands still");
    house.hang(MINUTE).await;
    house.desk.phone("Olive").expect_call();
    assert!(house.desk.times().is_empty(), "each step is taken once");
}

#[tokio::test]
async fn the_chain_itself_is_looked_after_from_the_other_side() {
    let mut house = House::at_night().await;
    house.leaves_a_message_nobody_confirms().await;
    house.alarms.look_after_ringer(house.desk.now()).await.expect("looked");
    assert!(house.alarms.raised().is_empty());
    // The driver hangs: its first step is due and does not come.
    house.desk.wait(125);
    house.alarms.look_after_ringer(house.desk.now()).await.expect("looked");
    let raised: Vec<String> = house.alarms.raised().into_iter().map(|alarm| alarm.id).collect();
    assert_eq!(raised, ["watchdog:chain"]);
}
