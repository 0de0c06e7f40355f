//! Who is recorded, when, and that nobody is before they were told.

use super::conference::lee_comes;
use super::*;
use crate::base::phone::PhoneNumber;
use crate::domain::account::{RecordedLegs, RecordingMode, RecordingPolicy};
use crate::domain::call::recording::{COVER, RecordingCommand};

fn policy(mode: RecordingMode, announced: bool, tell_contact: bool) -> RecordingPolicy {
    let announcement = announced.then(|| Speech::Spoken { text: "recorded".to_owned() });
    RecordingPolicy { mode, announcement, tell_contact, ..RecordingPolicy::default() }
}

impl Line {
    fn arrives_at(recording: RecordingPolicy) -> Self {
        let clock = TestClock::at(UtcMs(0));
        let call = Call::new(clock.instant(), Setup { recording, ..setup() });
        let mut line = Self { clock, call, all: vec![], last_play: None };
        line.tell(Input::Arrived);
        line.leg(CALLER, LegInput::Established);
        line
    }

    fn talks_at(recording: RecordingPolicy) -> Self {
        let mut line = Self::arrives_at(recording);
        while line.call.stage() == Stage::Greeting {
            line.hears_to_end();
        }
        line.answers();
        line
    }

    fn answers(&mut self) {
        self.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
        self.leg(OPERATOR, LegInput::Answered);
        self.leg(OPERATOR, LegInput::MediaUp);
    }

    fn patches(&mut self) {
        let number = PhoneNumber::parse("+12025550190").expect("a valid number");
        let ring = Duration::from_secs(30);
        self.does(OperatorCommand::Patch {
            leg: CONTACT,
            number,
            contact: None,
            ring,
            then: Default::default(),
            cold: false,
        });
        self.leg(CONTACT, LegInput::Ringing);
        self.leg(CONTACT, LegInput::Answered);
    }

    fn records(&self) -> RecordingState {
        let said = self.all.iter().rev().find_map(|output| match output {
            Output::SetRecording { leg: CALLER, state } => Some(*state),
            _ => None,
        });
        assert_eq!(said.unwrap_or_default(), self.call.recording_state(), "what is said is what is shown");
        self.call.recording_state()
    }

    fn plays(&self, to: LegId, words: &str) -> bool {
        let wanted = Speech::Spoken { text: words.to_owned() };
        self.last_play.as_ref().is_some_and(|(leg, _, speech)| *leg == to && *speech == wanted)
    }
}

fn start() -> OperatorCommand {
    OperatorCommand::Recording(RecordingCommand::Start)
}

fn pause() -> OperatorCommand {
    OperatorCommand::Recording(RecordingCommand::Pause)
}

fn resume() -> OperatorCommand {
    OperatorCommand::Recording(RecordingCommand::Resume)
}

fn stop() -> OperatorCommand {
    OperatorCommand::Recording(RecordingCommand::Stop)
}

#[test]
fn an_account_that_does_not_want_it_is_never_recorded() {
    let mut line = Line::talks_at(RecordingPolicy::default());
    for command in [start(), pause(), resume(), stop()] {
        assert_eq!(line.refuses(command), CommandError::NotRecorded);
    }
    assert!(!line.all.iter().any(|output| matches!(output, Output::SetRecording { .. })));
}

#[test]
fn the_caller_is_told_after_the_greeting_and_recorded_from_then_on() {
    let mut line = Line::arrives_at(policy(RecordingMode::On, true, false));
    assert!(line.plays(CALLER, "greeting"));
    line.hears_to_end();
    assert!(line.plays(CALLER, "recorded"));
    assert_eq!((line.records(), line.call.stage()), (RecordingState::Announcing, Stage::Greeting));
    line.hears_to_end();
    assert_eq!((line.records(), line.call.stage()), (RecordingState::On, Stage::Queued));
    line.answers();
    assert_eq!(line.refuses(stop()), CommandError::NotNow, "the account wants it");
    line.does(pause());
    assert_eq!(line.records(), RecordingState::Paused);
    line.does(OperatorCommand::Hold);
    line.does(resume());
    assert_eq!(line.records(), RecordingState::On);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.records(), RecordingState::Off);
}

#[test]
fn where_the_greeting_tells_it_the_recording_begins_with_it() {
    let line = Line::arrives_at(policy(RecordingMode::On, false, false));
    assert_eq!(line.records(), RecordingState::On);
}

#[test]
fn who_has_not_heard_the_announcement_is_not_recorded() {
    // A tone plays in place of the words.
    let mut line = Line::arrives_at(policy(RecordingMode::On, true, false));
    line.hears_to_end();
    let (leg, play, _) = line.last_play.clone().expect("the announcement");
    line.tell(Input::Unspoken { leg, play });
    line.hears_to_end();
    assert_eq!((line.records(), line.call.stage()), (RecordingState::Off, Stage::Queued));
    // The end of the words is never told.
    let mut line = Line::arrives_at(policy(RecordingMode::On, true, false));
    line.hears_to_end();
    line.clock.advance(PROMPT_LIMIT);
    line.tell(Input::Tick);
    assert_eq!((line.records(), line.call.stage()), (RecordingState::Off, Stage::Queued));
    // The operator can try again, and then it counts.
    line.answers();
    line.does(start());
    assert!(line.plays(CALLER, "recorded"));
    assert_eq!(line.records(), RecordingState::Announcing);
    line.hears_to_end();
    assert_eq!(line.records(), RecordingState::On);
}

#[test]
fn on_demand_it_begins_when_the_operator_says_so_and_the_caller_has_been_told_once() {
    let mut line = Line::talks_at(policy(RecordingMode::OnDemand, true, false));
    assert_eq!(line.records(), RecordingState::Off);
    assert_eq!(line.refuses(pause()), CommandError::NotNow);
    line.does(start());
    assert_eq!((line.records(), line.plays(CALLER, "recorded")), (RecordingState::Announcing, true));
    line.does(stop());
    assert_eq!(line.records(), RecordingState::Off, "taken back while it was being said");
    line.does(start());
    line.hears_to_end();
    assert_eq!(line.records(), RecordingState::On);
    line.does(stop());
    line.last_play = None;
    line.does(start());
    assert_eq!((line.records(), line.last_play.is_none()), (RecordingState::On, true), "told already");
    let stranger = UserId::named("lee");
    let refused = line.call.command(line.clock.instant(), &stranger, pause());
    assert_eq!(refused, Err(CommandError::NotYours));
}

#[test]
fn a_contact_is_told_before_the_recording_goes_on() {
    let mut line = Line::talks_at(policy(RecordingMode::On, true, true));
    assert_eq!(line.records(), RecordingState::On);
    line.patches();
    assert_eq!((line.records(), line.plays(CONTACT, "recorded")), (RecordingState::Announcing, true));
    line.hears_to_end();
    assert_eq!(line.records(), RecordingState::On);
    line.does(OperatorCommand::Join);
    line.does(OperatorCommand::Drop);
    assert_eq!(line.records(), RecordingState::On, "it goes on without the operator");
}

#[test]
fn a_contact_who_leaves_while_being_told_holds_nothing_up_and_the_next_is_told_too() {
    let mut line = Line::talks_at(policy(RecordingMode::On, true, true));
    line.patches();
    line.leg(CONTACT, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.records(), RecordingState::On);
    let number = PhoneNumber::parse("+12025550191").expect("a valid number");
    line.does(OperatorCommand::Patch {
        leg: LegId(4),
        number,
        contact: None,
        ring: Duration::from_secs(30),
        then: Default::default(),
        cold: false,
    });
    line.leg(LegId(4), LegInput::Answered);
    assert_eq!((line.records(), line.plays(LegId(4), "recorded")), (RecordingState::Announcing, true));
}

#[test]
fn a_contact_who_could_not_be_told_is_recorded_only_when_the_operator_says_so() {
    let mut line = Line::talks_at(policy(RecordingMode::On, true, true));
    line.patches();
    let (leg, play, _) = line.last_play.clone().expect("the announcement");
    line.tell(Input::Unspoken { leg, play });
    assert_eq!(line.records(), RecordingState::Paused);
    line.does(resume());
    assert_eq!(line.records(), RecordingState::On);
}

#[test]
fn contacts_are_not_told_where_the_account_does_not_ask_for_it() {
    let mut line = Line::talks_at(policy(RecordingMode::On, true, false));
    line.patches();
    assert_eq!((line.records(), line.plays(CONTACT, "recorded")), (RecordingState::On, false));
}

#[test]
fn a_pause_ends_with_the_operator_who_made_it() {
    let mut line = Line::talks_at(policy(RecordingMode::On, false, false));
    line.patches();
    line.does(OperatorCommand::Join);
    line.does(pause());
    assert_eq!(line.records(), RecordingState::Paused);
    line.does(OperatorCommand::Drop);
    assert_eq!(line.records(), RecordingState::On, "nobody is left who could lift it");
    let mut line = Line::talks_at(policy(RecordingMode::On, true, true));
    line.does(pause());
    line.tell(Input::SeatLost { user: kim() });
    assert_eq!((line.records(), line.call.stage()), (RecordingState::On, Stage::Queued), "the next one did not ask");
}

#[test]
fn a_pause_stays_when_the_caller_is_handed_to_a_colleague_in_the_middle_of_a_card_number() {
    let paused_beside_lee = || {
        let mut line = Line::talks_at(policy(RecordingMode::On, true, true));
        lee_comes(&mut line);
        line.does(OperatorCommand::Join);
        assert_eq!(line.refuses(start()), CommandError::NotNow);
        line.does(pause());
        assert_eq!((line.records(), line.call.stage()), (RecordingState::Paused, Stage::Conference));
        line.does(resume());
        line.does(pause());
        line
    };
    let mut line = paused_beside_lee();
    line.does(OperatorCommand::HandOver);
    assert_eq!((line.records(), line.call.stage()), (RecordingState::Paused, Stage::Talking));
    assert_eq!(line.refuses(resume()), CommandError::NotYours, "it is the colleague's now");
    let lifted = line.call.command(line.clock.instant(), &UserId::named("lee"), resume());
    line.take_outputs();
    assert_eq!((lifted, line.records()), (Ok(()), RecordingState::On));
    // Neither does it end with an operator whose line breaks beside the colleague.
    let mut line = paused_beside_lee();
    line.tell(Input::SeatLost { user: kim() });
    assert_eq!((line.records(), line.call.stage()), (RecordingState::Paused, Stage::Talking));
    // Nor is what is typed in confidence heard in the moment of the hand-over; it ends by itself.
    let mut line = Line::talks_at(policy(RecordingMode::On, true, true));
    lee_comes(&mut line);
    line.does(OperatorCommand::Join);
    line.does(cover());
    line.does(OperatorCommand::HandOver);
    assert_eq!((line.records(), line.call.is_recording_covered()), (RecordingState::Paused, true));
    line.after(COVER.as_secs());
    assert_eq!(line.records(), RecordingState::On);
}

#[test]
fn a_contact_who_could_not_be_told_is_not_recorded_when_the_operator_leaves_them_with_the_caller() {
    let untold = || {
        let mut line = Line::talks_at(policy(RecordingMode::On, true, true));
        line.patches();
        let (leg, play, _) = line.last_play.clone().expect("the announcement");
        line.tell(Input::Unspoken { leg, play });
        line
    };
    let mut line = untold();
    line.does(OperatorCommand::Join);
    line.does(OperatorCommand::Drop);
    assert_eq!(line.records(), RecordingState::Paused);
    let mut line = untold();
    line.leg(CONTACT, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.records(), RecordingState::On, "the caller knows");
}

#[test]
fn an_announcement_whose_end_is_never_told_is_given_up() {
    let mut line = Line::talks_at(policy(RecordingMode::On, true, true));
    line.patches();
    line.after(PROMPT_LIMIT.as_secs());
    assert_eq!(line.records(), RecordingState::Paused, "the contact's");
    assert!(line.recorded(&RecordEvent::RecordingNotAnnounced));
    line.does(resume());
    assert_eq!(line.records(), RecordingState::On);
    let mut line = Line::talks_at(policy(RecordingMode::OnDemand, true, false));
    line.does(start());
    line.after(PROMPT_LIMIT.as_secs());
    assert_eq!(line.records(), RecordingState::Off, "the caller's");
    line.does(start());
    line.hears_to_end();
    assert_eq!(line.records(), RecordingState::On);
}

#[test]
fn the_recording_falls_silent_before_an_untold_contact_is_heard() {
    let mut line = Line::talks_at(policy(RecordingMode::On, true, true));
    line.patches();
    let silent = Output::SetRecording { leg: CALLER, state: RecordingState::Announcing };
    let silenced = line.all.iter().rposition(|output| *output == silent).expect("it falls silent");
    let heard = |output: &Output| match output {
        Output::SetBridge { matrix, .. } => matrix.heard_by(OPERATOR).contains(&Source::Leg(CONTACT)),
        _ => false,
    };
    assert!(!line.all[..silenced].iter().any(heard));
    assert!(line.all[silenced..].iter().any(heard));
}

/// A call of an account that wants it so, changed to one that wants it so.
fn changed(from: RecordingPolicy, to: RecordingPolicy) -> Line {
    let mut line = Line::talks_at(from);
    line.does(change_account(to));
    line
}

#[test]
fn a_call_that_turns_out_to_be_for_an_account_without_recording_is_recorded_no_longer() {
    let off = || policy(RecordingMode::Off, false, false);
    let mut line = changed(policy(RecordingMode::On, false, false), off());
    assert_eq!(line.records(), RecordingState::Off);
    assert_eq!(line.refuses(start()), CommandError::NotRecorded);
    let mut line = Line::talks_at(policy(RecordingMode::OnDemand, true, false));
    line.does(start());
    assert_eq!(line.records(), RecordingState::Announcing);
    line.does(change_account(off()));
    assert_eq!(line.records(), RecordingState::Off);
    assert!(!line.recorded(&RecordEvent::RecordingNotAnnounced), "nobody wants it said");
}

#[test]
fn a_call_that_turns_out_to_be_for_an_account_with_recording_is_recorded_once_the_caller_is_told() {
    let mut line = changed(policy(RecordingMode::Off, false, false), policy(RecordingMode::On, true, false));
    assert_eq!(line.records(), RecordingState::Announcing);
    line.hears_to_end();
    assert_eq!(line.records(), RecordingState::On);
    // Told in the greeting of the one account, they do not know of the other's.
    let mut line = changed(policy(RecordingMode::Off, false, false), policy(RecordingMode::On, false, false));
    assert_eq!(line.records(), RecordingState::Off);
    assert!(line.recorded(&RecordEvent::RecordingNotAnnounced));
    line.does(start());
    assert_eq!(line.records(), RecordingState::On);
    // Who is recorded already was told, whatever the words.
    let line = changed(policy(RecordingMode::On, false, false), policy(RecordingMode::On, true, false));
    assert_eq!(line.records(), RecordingState::On);
    let line = changed(policy(RecordingMode::On, false, false), policy(RecordingMode::OnDemand, false, false));
    assert_eq!(line.records(), RecordingState::Off, "nobody has begun it");
}

fn cover() -> OperatorCommand {
    OperatorCommand::Recording(RecordingCommand::Cover)
}

fn uncover() -> OperatorCommand {
    OperatorCommand::Recording(RecordingCommand::Uncover)
}

#[test]
fn what_is_typed_in_confidence_is_not_recorded_and_the_recording_goes_on_by_itself() {
    let mut line = Line::talks_at(policy(RecordingMode::On, false, false));
    line.does(cover());
    assert_eq!((line.records(), line.call.is_recording_covered()), (RecordingState::Paused, true));
    line.does(uncover());
    assert_eq!((line.records(), line.call.is_recording_covered()), (RecordingState::On, false));
    line.does(uncover());
    assert_eq!(line.records(), RecordingState::On, "said twice, meant once");
}

#[test]
fn a_console_that_dies_while_a_card_number_is_typed_costs_a_moment_of_the_recording() {
    let mut line = Line::talks_at(policy(RecordingMode::On, false, false));
    line.does(cover());
    line.clock.advance(COVER / 2);
    line.does(cover());
    line.clock.advance(COVER / 2);
    line.tell(Input::Tick);
    assert_eq!(line.records(), RecordingState::Paused, "it was said again");
    assert_eq!(line.call.poll_timeout().map(|(_, why)| why), Some(Reason::Covered));
    line.clock.advance(COVER / 2);
    line.tell(Input::Tick);
    assert_eq!(line.records(), RecordingState::On);
    assert_eq!(line.call.poll_timeout(), None);
}

#[test]
fn a_pause_by_hand_outlasts_what_is_typed() {
    let mut line = Line::talks_at(policy(RecordingMode::On, false, false));
    line.does(pause());
    line.does(cover());
    assert!(!line.call.is_recording_covered(), "it is paused anyway");
    line.does(uncover());
    assert_eq!(line.records(), RecordingState::Paused);
    line.does(resume());
    assert_eq!(line.records(), RecordingState::On);
}

#[test]
fn what_is_begun_while_a_card_number_is_typed_begins_silent() {
    let mut line = Line::talks_at(policy(RecordingMode::OnDemand, false, false));
    line.does(cover());
    assert_eq!(line.records(), RecordingState::Off);
    line.does(start());
    assert_eq!(line.records(), RecordingState::Paused);
    line.does(uncover());
    assert_eq!(line.records(), RecordingState::On);
}

#[test]
fn an_operator_who_is_lost_covers_nothing_any_more() {
    let mut line = Line::talks_at(policy(RecordingMode::On, false, false));
    line.does(cover());
    line.does(OperatorCommand::Park { slot: 1 });
    assert_eq!(line.records(), RecordingState::On);
}

fn only(caller: bool, operator: bool, contact: bool) -> RecordingPolicy {
    let legs = RecordedLegs { caller, operator, contact };
    RecordingPolicy { legs, ..policy(RecordingMode::On, true, true) }
}

impl Line {
    fn left_out(&self) -> Vec<LegId> {
        self.call.matrix().off_record.clone()
    }

    fn recorded_of(&self) -> Vec<RecordedLegs> {
        let of = |output: &Output| match output {
            Output::Record { event: RecordEvent::RecordingChanged { state: RecordingState::On, legs }, .. } => {
                Some(*legs)
            }
            _ => None,
        };
        self.all.iter().filter_map(of).collect()
    }
}

#[test]
fn a_contact_who_is_not_recorded_is_told_nothing_and_left_out_from_the_first_word_on() {
    let mut line = Line::talks_at(only(true, true, false));
    assert_eq!((line.records(), line.left_out()), (RecordingState::On, vec![]));
    line.patches();
    assert_eq!((line.records(), line.plays(CONTACT, "recorded")), (RecordingState::On, false));
    assert_eq!(line.left_out(), [CONTACT]);
    line.does(OperatorCommand::Join);
    assert_eq!(line.left_out(), [CONTACT]);
    line.does(OperatorCommand::Drop);
    assert_eq!((line.records(), line.left_out()), (RecordingState::On, vec![CONTACT]));
    let heard_unlisted = |output: &Output| match output {
        Output::SetBridge { matrix, .. } => {
            let heard = matrix.rows.iter().any(|(_, sources)| sources.contains(&Source::Leg(CONTACT)));
            heard && !matrix.off_record.contains(&CONTACT)
        }
        _ => false,
    };
    assert!(!line.all.iter().any(heard_unlisted));
    assert_eq!(line.recorded_of(), [RecordedLegs { caller: true, operator: true, contact: false }], "it is on record");
}

#[test]
fn a_caller_who_is_not_recorded_is_told_nothing_and_a_contact_who_is_hears_it() {
    let mut line = Line::arrives_at(only(false, false, true));
    assert_eq!((line.records(), line.left_out()), (RecordingState::On, vec![CALLER]));
    line.hears_to_end();
    assert_eq!((line.call.stage(), line.plays(CALLER, "recorded")), (Stage::Queued, false));
    line.answers();
    assert_eq!(line.left_out(), [CALLER, OPERATOR]);
    line.patches();
    assert_eq!((line.records(), line.plays(CONTACT, "recorded")), (RecordingState::Announcing, true));
    line.hears_to_end();
    assert_eq!((line.records(), line.left_out()), (RecordingState::On, vec![CALLER, OPERATOR]));
}

#[test]
fn on_demand_nobody_is_told_who_is_not_recorded() {
    let legs = RecordedLegs { caller: false, operator: true, contact: true };
    let mut line = Line::talks_at(RecordingPolicy { legs, ..policy(RecordingMode::OnDemand, true, false) });
    line.does(start());
    assert_eq!((line.records(), line.plays(CALLER, "recorded")), (RecordingState::On, false));
    line.does(pause());
    line.does(resume());
    line.does(stop());
    assert_eq!(line.records(), RecordingState::Off);
}

#[test]
fn a_caller_whose_words_the_next_account_wants_is_told_before_they_are_taken_down() {
    let mut line = Line::talks_at(only(false, true, true));
    assert_eq!((line.records(), line.left_out()), (RecordingState::On, vec![CALLER]));
    line.does(change_account(policy(RecordingMode::On, true, false)));
    assert_eq!((line.records(), line.plays(CALLER, "recorded")), (RecordingState::Announcing, true));
    line.hears_to_end();
    assert_eq!((line.records(), line.left_out()), (RecordingState::On, vec![]));
    // The other way nobody need be told, and they are left out at once.
    line.does(change_account(RecordingPolicy { announcement: None, ..only(false, true, true) }));
    assert_eq!((line.records(), line.left_out()), (RecordingState::On, vec![CALLER]));
    let without = RecordedLegs { caller: false, ..RecordedLegs::default() };
    assert_eq!(line.recorded_of(), [without, RecordedLegs::default(), without]);
}
