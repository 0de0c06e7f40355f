//! Messages held for check-in: from the saved message to the client's person who hears it by telephone, through the real
//! store, the real dispatcher and the machine that talks with whoever calls.

use std::time::{Duration, Instant};

use cordboard::base::clock::Clock as _;
use cordboard::base::id::{AccountId, CallId, ContactId, ScheduleId};
use cordboard::domain::account::{Account, Speech};
use cordboard::domain::checkin::pin::Pin;
use cordboard::domain::checkin::{CheckIn, Input, Leave, Looked, Marked, Output};
use cordboard::domain::dispatch::event::{Note, OperatorAct};
use cordboard::domain::dispatch::hold::TimeOfDay;
use cordboard::domain::dispatch::protocol::{Method, Protocol, Repeat, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::domain::oncall::{Layer, Rotation, Schedule, ShiftLength, resolve};
use cordboard::engine::calls::check_in::{Answer, CheckIns, DutyChange, Heard};
use cordboard::engine::dispatcher::Decided;
use cordboard::io::store::audit::Who;

use crate::desk::{Desk, NIGHT};
use crate::support::postgres::Postgres;
use crate::town;

const HELD: Method = Method::HoldForCheckIn { until: None };
const PIN: &str = "4711";

fn held_for_good() -> Protocol {
    town::protocol(vec![(HELD, vec![], 0)], false, Until::HandedOver)
}

/// Held until six in the evening, then texted until somebody confirms.
fn held_for_today() -> Protocol {
    let until = TimeOfDay::parse("18:00");
    let steps = vec![
        (Method::HoldForCheckIn { until }, vec![], 0),
        (Method::TextConfirm, vec![town::named("Ada", "mobile")], 900),
    ];
    Protocol { repeat: Some(Repeat { from_step: 2 }), ..town::protocol(steps, false, Until::Confirmed) }
}

/// Gives Ada her PIN.
async fn with_pin(desk: &Desk) {
    let kim = desk.kim().await;
    let pin = Pin::choose(PIN).expect("a PIN");
    let mut tx = desk.store.write().await.expect("the store writes");
    let (account, ada) = (AccountId::named("one"), ContactId::named("Ada"));
    tx.set_pin(&account, Some(&ada), &pin, &kim, NIGHT).await.expect("a PIN");
    tx.commit("test").await.expect("committed");
}

/// Somebody on the telephone. The store answers as it does in a call.
struct Caller<'a> {
    desk: &'a Desk,
    account: Account,
    now: Instant,
    check_in: CheckIn,
    who: String,
    said: String,
    left: Option<Leave>,
    call: CallId,
}

impl<'a> Caller<'a> {
    async fn rings(desk: &'a Desk) -> Self {
        let account = desk.store.find_account(&AccountId::named("one")).await.expect("found").expect("an account");
        let now = desk.clock.instant();
        let mut caller = Self {
            desk,
            account,
            now,
            check_in: CheckIn::new(now),
            who: String::new(),
            said: String::new(),
            left: None,
            call: CallId::fresh(desk.now()),
        };
        caller.carry_out().await;
        caller
    }

    async fn presses(&mut self, keys: &str) {
        for key in keys.chars() {
            self.tell(Input::Digit(key)).await;
        }
    }

    async fn hears(&mut self, words: &str) {
        assert!(self.said.contains(words), "waited for {words:?}: {}", self.said);
        self.tell(Input::PlayDone).await;
    }

    async fn waits(&mut self, secs: u64) {
        self.now += Duration::from_secs(secs);
        self.tell(Input::Tick).await;
    }

    async fn tell(&mut self, input: Input) {
        self.check_in.handle(self.now, input);
        self.carry_out().await;
    }

    async fn carry_out(&mut self) {
        let (store, at) = (&self.desk.store, self.desk.now());
        while let Some(output) = self.check_in.poll_output() {
            let input = match output {
                Output::Play(Speech::Spoken { text }) => {
                    self.said = text;
                    continue;
                }
                Output::Play(_) | Output::StopPlay => continue,
                Output::Read { dispatch } => {
                    let proven = Who::Account(self.account.id.clone());
                    Input::ReadNoted(CheckIns::read(store, &dispatch, &proven, at).await.is_ok())
                }
                Output::Look { pin } => {
                    let from = town::number("+12025550112");
                    match CheckIns::look(store, &self.account, Some(&from), &pin, at).await.expect("the store answers")
                    {
                        Answer::Welcome(welcome) => {
                            self.who.clone_from(&welcome.who);
                            Input::Looked(Looked::Welcome(welcome))
                        }
                        Answer::Refused { .. } => Input::Looked(Looked::Refused),
                    }
                }
                Output::Vouched { contact } => {
                    match CheckIns::vouched(store, &self.account, &contact, at).await.expect("the store answers") {
                        Answer::Welcome(welcome) => {
                            self.who.clone_from(&welcome.who);
                            Input::Looked(Looked::Welcome(welcome))
                        }
                        Answer::Refused { .. } => Input::Looked(Looked::Refused),
                    }
                }
                Output::Mark { dispatch, edition } => {
                    let (call, who, proven) =
                        (self.call.clone(), self.who.clone(), Who::Account(self.account.id.clone()));
                    let heard = Heard { call, dispatch, edition, who, proven, at };
                    Input::Marked(CheckIns::mark(store, &self.account, &heard).await.unwrap_or(Marked::Failed))
                }
                Output::PutOnCall { schedule, contact, span } => {
                    let (account, by) = (self.account.id.clone(), self.who.clone());
                    let proven = Who::Account(account.clone());
                    let change = DutyChange { account, schedule, contact, span, by, proven, at };
                    Input::PutOnCall(CheckIns::put_on_call(store, &change).await.is_ok())
                }
                Output::Dictate(_) | Output::PlayDictated | Output::PutUpGreeting { .. } | Output::TakeDownGreeting => {
                    panic!("nobody in these stories speaks a status greeting")
                }
                Output::Leave(leave) => {
                    self.left = Some(leave);
                    continue;
                }
            };
            self.check_in.handle(self.now, input);
        }
    }
}

async fn the_client_hears_what_was_held(mut desk: Desk) {
    with_pin(&desk).await;
    let burst = desk.takes("burst pipe").await;
    let heating = desk.takes("no heat").await;
    desk.advance(3_600).await;
    assert_eq!(desk.state(&burst).await.phase, Phase::HeldForCheckIn);
    let views = desk.dispatcher.list_held_views(&AccountId::named("one")).await.expect("views");
    assert_eq!(views.len(), 2);
    assert_eq!(views[0].next.as_ref().map(|next| next.text.as_str()), Some("Held for check-in since 02:10:05 CST."));

    let mut ada = Caller::rings(&desk).await;
    ada.hears("enter your PIN").await;
    ada.presses("4711#").await;
    ada.hears(
        "You have 2 new messages. Message 1 of 2. Caller: Jane Roe. The number to call back is: \
         2, 0, 2. 5, 5, 5. 0, 1, 4, 7. Again: 2, 0, 2. 5, 5, 5. 0, 1, 4, 7. Problem: burst pipe. \
         Message taken Saturday March 7 at 2 10 a.m.",
    )
    .await;
    ada.presses("2").await;
    ada.hears("Delivered. Message 2 of 2.").await;
    ada.presses("3").await;
    assert!(ada.said.contains("1 is kept for later."), "{}", ada.said);
    ada.presses("*").await;
    ada.hears("Goodbye.").await;
    assert_eq!(ada.left, Some(Leave::Ended));

    // The dispatcher applies it, once, and the one that was kept is still there.
    desk.advance(1).await;
    assert_eq!(desk.state(&burst).await.phase, Phase::ReadAtCheckIn);
    assert_eq!(desk.view(&burst).await.confirmed_by.as_deref(), Some("Ada"));
    assert_eq!(desk.state(&heating).await.phase, Phase::HeldForCheckIn);
    let entries = desk.store.list_dispatch_entries(&burst).await.expect("listed");
    let read = entries.iter().filter(|e| matches!(e.note, Note::ReadAtCheckIn { .. })).count();
    assert_eq!(read, 1);
    let mut again = Caller::rings(&desk).await;
    again.presses("4711#").await;
    again.hears("You have 1 new message. The message. Caller: Jane Roe.").await;
    desk.ends(&heating, Phase::HeldForCheckIn).await;
}

#[tokio::test]
async fn the_client_checks_in_by_telephone_and_hears_what_was_held() {
    the_client_hears_what_was_held(Desk::at_work(&held_for_good()).await).await;
}

#[tokio::test]
async fn a_check_in_on_postgresql() {
    let Some(server) = Postgres::start("the check-in story on PostgreSQL") else { return };
    let desk = Desk::on_postgres(server.create_database(), &held_for_good()).await;
    the_client_hears_what_was_held(desk).await;
}

#[tokio::test]
async fn whoever_hangs_up_in_mid_message_has_not_been_told() {
    let mut desk = Desk::at_work(&held_for_good()).await;
    with_pin(&desk).await;
    let burst = desk.takes("burst pipe").await;
    let mut ada = Caller::rings(&desk).await;
    ada.presses("4711#2").await;
    drop(ada);
    desk.advance(60).await;
    desk.ends(&burst, Phase::HeldForCheckIn).await;
}

#[tokio::test]
async fn a_message_that_is_changed_while_it_is_heard_is_heard_anew_before_it_counts_as_delivered() {
    for again in [false, true] {
        let mut desk = Desk::at_work(&held_for_good()).await;
        with_pin(&desk).await;
        let burst = desk.takes("burst pipe").await;
        let mut ada = Caller::rings(&desk).await;
        ada.presses("4711#").await;
        ada.hears("Problem: burst pipe.").await;
        desk.changes(&burst, "burst boiler", again).await;
        ada.presses("2").await;
        assert!(ada.said.starts_with("This message was changed while you heard it."), "{}", ada.said);
        desk.advance(1).await;
        assert_eq!(desk.state(&burst).await.phase, Phase::HeldForCheckIn);
        ada.hears("Problem: burst boiler.").await;
        ada.presses("2").await;
        ada.hears("Delivered.").await;
        drop(ada);
        desk.advance(1).await;
        desk.ends(&burst, Phase::ReadAtCheckIn).await;
    }
}

#[tokio::test]
async fn a_change_between_the_key_and_the_dispatcher_leaves_the_message_held() {
    let mut desk = Desk::at_work(&held_for_good()).await;
    with_pin(&desk).await;
    let burst = desk.takes("burst pipe").await;
    let mut ada = Caller::rings(&desk).await;
    ada.presses("4711#").await;
    ada.hears("Problem: burst pipe.").await;
    ada.presses("2").await;
    drop(ada);
    desk.changes(&burst, "burst boiler", false).await;
    desk.advance(1).await;
    assert_eq!(desk.state(&burst).await.phase, Phase::HeldForCheckIn);
    let view = desk.view(&burst).await;
    let said = "Ada heard it by telephone as it was before the change: it stays held.";
    assert!(view.timeline.iter().any(|line| line.text == said), "{view:?}");
    let mut again = Caller::rings(&desk).await;
    again.presses("4711#").await;
    again.hears("Problem: burst boiler.").await;
    again.presses("2").await;
    drop(again);
    desk.advance(1).await;
    desk.ends(&burst, Phase::ReadAtCheckIn).await;
}

#[tokio::test]
async fn nobody_checks_in_by_six_and_the_text_goes_out_until_somebody_does() {
    let mut desk = Desk::at_work(&held_for_today()).await;
    with_pin(&desk).await;
    let burst = desk.takes("burst pipe").await;
    // From 02:10:05 until 18:00.
    desk.advance(15 * 3_600 + 50 * 60 - 6).await;
    assert_eq!(desk.state(&burst).await.phase, Phase::HeldForCheckIn);
    desk.advance(1).await;
    desk.phone("Ada").expect_text("burst pipe");
    assert_eq!(desk.state(&burst).await.phase, Phase::Running);
    let mut ada = Caller::rings(&desk).await;
    ada.presses("4711#").await;
    ada.hears("You have 1 new message.").await;
    ada.presses("2").await;
    desk.advance(3_600).await;
    desk.ends(&burst, Phase::ReadAtCheckIn).await;
}

#[tokio::test]
async fn an_operator_reads_out_what_was_held() {
    let mut desk = Desk::at_work(&held_for_good()).await;
    let burst = desk.takes("burst pipe").await;
    let read = async || desk.dispatcher.read_out(&burst, "Ada", "Kim", 1).await.expect("taken in");
    assert_eq!((read().await, read().await), (Decided::Changed, Decided::Unchanged));
    let view = desk.view(&burst).await;
    assert_eq!((view.held_since, view.state.as_str()), (None, "read_at_check_in"));
    assert!(view.timeline.iter().any(|line| line.text == "Kim read it out to Ada at check-in."), "{view:?}");
    let again = desk.takes("no heat").await;
    let act = OperatorAct::Close { reason: "told in person".into() };
    assert_eq!(desk.dispatcher.operator(&again, "Kim", act).await.expect("taken in"), Decided::Changed);
    desk.ends(&burst, Phase::ReadAtCheckIn).await;
}

#[tokio::test]
async fn too_many_wrong_pins_and_the_right_one_sounds_wrong_too_for_an_hour() {
    let desk = Desk::at_work(&held_for_good()).await;
    with_pin(&desk).await;
    for _ in 0..2 {
        let mut stranger = Caller::rings(&desk).await;
        for _ in 0..3 {
            stranger.presses("1234#").await;
            stranger.tell(Input::PlayDone).await;
        }
        assert_eq!(stranger.left, Some(Leave::Ended));
    }
    let mut ada = Caller::rings(&desk).await;
    ada.presses("4711#").await;
    assert_eq!(ada.said, "That did not work.", "the same as to a wrong one");
    desk.wait(3_601);
    let mut ada = Caller::rings(&desk).await;
    ada.presses("4711#").await;
    ada.hears("You have no new messages.").await;
    ada.waits(8).await;
}

#[tokio::test]
async fn ada_puts_herself_on_call_by_telephone_until_the_next_hand_off() {
    let desk = Desk::at_work(&held_for_good()).await;
    with_pin(&desk).await;
    let people = ["Ben", "Ada"].map(ContactId::named).to_vec();
    let rotation = Rotation::even(people, "2026-03-02T08:00", ShiftLength::Weeks(1));
    let schedule = Schedule { layers: vec![Layer::plain("rotation", rotation)], ..town::schedule(Some("Olive")) };
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_schedule(&schedule).await.expect("a schedule");
    tx.commit("test").await.expect("committed");
    let mut ada = Caller::rings(&desk).await;
    ada.presses("4711#").await;
    ada.presses("4").await;
    ada.hears("Ben is on call as technician. For Ben, press 1. For Ada, press 2. For Olive, press 3.").await;
    ada.presses("2").await;
    ada.hears("Until the next hand-off, Monday March 9 at 8 a.m., press 1.").await;
    ada.presses("1").await;
    ada.hears("Ada on call as technician from now on, until Monday March 9 at 8 a.m. If that is right, press 1.").await;
    ada.presses("1").await;
    ada.hears("That is changed.").await;
    let schedule = desk.store.find_schedule(&ScheduleId::named("s")).await.expect("found").expect("a schedule");
    let on_call = resolve(&schedule, desk.now()).expect("somebody");
    assert_eq!(on_call.contact, ContactId::named("Ada"));
    assert!(on_call.why.starts_with("override by Ada, by telephone, "), "{}", on_call.why);
    assert!(on_call.why.ends_with(", beats rotation"), "{}", on_call.why);
    let (account, change) = desk.store.find_last_schedule_change(&schedule.id).await.expect("read").expect("noted");
    assert_eq!((account, change.by.as_str()), (schedule.account, "Ada, by telephone"));
    assert!(change.lines[0].what.starts_with("put Ada alone on call, "), "{}", change.lines[0].what);
}

#[tokio::test]
async fn a_name_is_said_at_the_check_in_as_its_person_says_it_and_written_as_it_is_written() {
    let desk = Desk::at_work(&held_for_good()).await;
    with_pin(&desk).await;
    let people = ["Ben", "Ada"].map(ContactId::named).to_vec();
    let rotation = Rotation::even(people, "2026-03-02T08:00", ShiftLength::Weeks(1));
    let schedule = Schedule { layers: vec![Layer::plain("rotation", rotation)], ..town::schedule(None) };
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_schedule(&schedule).await.expect("a schedule");
    tx.set_spoken_as(&ContactId::named("Ben"), Some("Benn")).await.expect("a name");
    tx.set_spoken_as(&ContactId::named("Ada"), Some("Ah-dah")).await.expect("a name");
    tx.commit("test").await.expect("committed");
    let mut ada = Caller::rings(&desk).await;
    ada.presses("4711#").await;
    ada.presses("4").await;
    ada.hears("Benn is on call as technician. For Benn, press 1. For Ah-dah, press 2.").await;
    ada.presses("21").await;
    ada.hears("Ah-dah on call as technician from now on").await;
    ada.presses("1").await;
    ada.hears("That is changed.").await;
    let schedule = desk.store.find_schedule(&ScheduleId::named("s")).await.expect("found").expect("a schedule");
    let on_call = resolve(&schedule, desk.now()).expect("somebody");
    assert!(on_call.why.starts_with("override by Ada, by telephone, "), "{}", on_call.why);
}
