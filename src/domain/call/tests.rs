//! Whole calls through the machine, told as phone conversations on injected time.

mod abandoned;
mod callback;
mod check_in;
mod conference;
mod errand;
mod joining;
mod listener;
mod own_voice;
mod park;
mod place;
mod recording;
mod status_greeting;
mod wrap_up;

use super::bridge::Source;
use super::patch::PatchState;
use super::*;
use crate::base::clock::{Clock, TestClock, UtcMs};
use crate::base::id::AccountId;
use crate::base::phone::PhoneNumber;
use crate::domain::account::RecordingPolicy;
use crate::domain::account::flow::Flow;
use crate::domain::call::callback::CallbackTerms;
use crate::domain::call::park::ParkTimes;
use crate::domain::ivr::menu::Context;

pub(super) const CALLER: LegId = LegId(1);
pub(super) const OPERATOR: LegId = LegId(2);
pub(super) const CONTACT: LegId = LegId(3);

pub(crate) fn setup() -> Setup {
    let spoken = |text: &str| Speech::Spoken { text: text.to_owned() };
    Setup {
        name: "Imaginary Plumbing".to_owned(),
        caller: CALLER,
        greeting: spoken("greeting"),
        status: None,
        flow: Flow::default(),
        menus: vec![],
        context: Context::default(),
        priority: 0,
        ranks: Vec::new(),
        call_type: None,
        skills: Default::default(),
        entered: Vec::new(),
        overdue: None,
        overdue_leg: LegId(98),
        spill_leg: LegId(99),
        apology: spoken("apology"),
        comfort: vec![spoken("comfort"), spoken("more comfort")],
        ring: Duration::from_secs(20),
        recording: RecordingPolicy::default(),
        wrap_up: None,
        callback: CallbackTerms::default(),
        ring_back: None,
        park: ParkTimes::default(),
        patch_limit: None,
        phrases: Vec::new(),
    }
}

pub(super) fn kim() -> UserId {
    UserId::named("kim")
}

/// The call is the clinic's from now on.
pub(super) fn change_account(recording: RecordingPolicy) -> OperatorCommand {
    OperatorCommand::ChangeAccount(Box::new(AccountChange {
        from: AccountId::named("plumbing"),
        to: AccountId::named("clinic"),
        priority: 7,
        ranks: Vec::new(),
        overdue: None,
        apology: Speech::Spoken { text: "the clinic is sorry".to_owned() },
        comfort: Vec::new(),
        ring: Duration::from_secs(40),
        wrap_up: Some(Duration::from_secs(90)),
        callback: CallbackTerms::default(),
        recording,
        patch_limit: None,
    }))
}

pub(super) struct Line {
    pub(super) clock: TestClock,
    pub(super) call: Call,
    pub(super) all: Vec<Output>,
    last_play: Option<(LegId, u64, Speech)>,
}

impl Line {
    fn arrives() -> Self {
        Self::arrives_with(setup())
    }

    pub(super) fn arrives_with(setup: Setup) -> Self {
        let clock = TestClock::at(UtcMs(0));
        let call = Call::new(clock.instant(), setup);
        let mut line = Self { clock, call, all: vec![], last_play: None };
        line.tell(Input::Arrived);
        line
    }

    pub(super) fn queued() -> Self {
        let mut line = Self::arrives();
        line.leg(CALLER, LegInput::Established);
        line.hears_to_end();
        line
    }

    pub(super) fn talking() -> Self {
        let mut line = Self::queued();
        line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
        line.leg(OPERATOR, LegInput::Answered);
        line.leg(OPERATOR, LegInput::MediaUp);
        line
    }

    fn dialling() -> Self {
        let mut line = Self::talking();
        let number = PhoneNumber::parse("+12025550190").expect("a valid number");
        let ring = Duration::from_secs(30);
        line.does(OperatorCommand::Patch {
            leg: CONTACT,
            number,
            contact: None,
            ring,
            then: Default::default(),
            cold: false,
        });
        line
    }

    fn private() -> Self {
        let mut line = Self::dialling();
        line.leg(CONTACT, LegInput::Ringing);
        line.leg(CONTACT, LegInput::Answered);
        line
    }

    fn joined() -> Self {
        let mut line = Self::private();
        line.does(OperatorCommand::Join);
        line
    }

    fn dropped() -> Self {
        let mut line = Self::joined();
        line.does(OperatorCommand::Drop);
        line
    }

    pub(super) fn take_outputs(&mut self) -> Vec<Output> {
        let new: Vec<_> = std::iter::from_fn(|| self.call.poll_output()).collect();
        for output in &new {
            if let Output::Play { leg, play, speech } = output {
                self.last_play = Some((*leg, *play, speech.clone()));
            }
        }
        self.all.extend(new.iter().cloned());
        new
    }

    pub(super) fn tell(&mut self, input: Input) -> Vec<Output> {
        self.call.handle(self.clock.instant(), input);
        self.take_outputs()
    }

    pub(super) fn leg(&mut self, leg: LegId, event: LegInput) -> Vec<Output> {
        self.tell(Input::Leg { leg, event })
    }

    pub(super) fn does(&mut self, command: OperatorCommand) -> Vec<Output> {
        let followed = self.call.command(self.clock.instant(), &kim(), command.clone());
        assert_eq!(followed, Ok(()), "{command:?}");
        self.take_outputs()
    }

    pub(super) fn refuses(&mut self, command: OperatorCommand) -> CommandError {
        let error = self.call.command(self.clock.instant(), &kim(), command).expect_err("refused");
        self.take_outputs();
        error
    }

    pub(super) fn hears_to_end(&mut self) -> Vec<Output> {
        let (leg, play, _) = self.last_play.clone().expect("something plays");
        self.tell(Input::PlayDone { leg, play })
    }

    pub(super) fn after(&mut self, secs: u64) -> Vec<Output> {
        self.clock.advance(Duration::from_secs(secs));
        self.tell(Input::Tick)
    }

    pub(super) fn hears(&self, leg: LegId) -> Vec<Source> {
        let mut sources = self.call.matrix().heard_by(leg).to_vec();
        sources.sort();
        sources
    }

    /// Caller, operator, contact: what each hears.
    fn table(&self) -> [Vec<Source>; 3] {
        [self.hears(CALLER), self.hears(OPERATOR), self.hears(CONTACT)]
    }

    pub(super) fn hung_up(&self, leg: LegId) -> usize {
        self.all.iter().filter(|o| **o == Output::HangUp { leg }).count()
    }

    pub(super) fn ended(&self) -> Vec<(Cause, CallOutcome)> {
        let end = |o: &Output| match o {
            Output::Ended { cause, outcome } => Some((*cause, *outcome)),
            _ => None,
        };
        self.all.iter().filter_map(end).collect()
    }

    pub(super) fn recorded(&self, wanted: &RecordEvent) -> bool {
        self.all.iter().any(|o| matches!(o, Output::Record { event, .. } if event == wanted))
    }
}

#[test]
fn the_greeting_starts_after_the_acknowledgement_and_then_the_caller_waits_with_music() {
    let mut line = Line::arrives();
    assert_eq!(line.last_play, None, "nothing is played before ACK");
    line.leg(CALLER, LegInput::Established);
    assert_eq!(line.last_play.clone().map(|p| p.2), Some(setup().greeting));
    assert_eq!(line.hears(CALLER), []);
    let told = line.hears_to_end();
    assert!(told.contains(&Output::Enqueue { priority: 0, call_type: None }));
    assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Queued, vec![Source::Music]));
}

#[test]
fn an_operator_is_connected_once_answered_with_media_up_and_not_before() {
    let mut line = Line::queued();
    let told = line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    assert!(told.contains(&Output::Dial { leg: OPERATOR, to: Party::Operator(kim()) }));
    line.leg(OPERATOR, LegInput::Answered);
    assert_eq!(line.hears(CALLER), [Source::Music], "the browser's path is not up yet");
    let told = line.leg(OPERATOR, LegInput::MediaUp);
    assert!(told.contains(&Output::OfferAccepted { user: kim() }));
    assert_eq!(line.table(), [vec![Source::Leg(OPERATOR)], vec![Source::Leg(CALLER)], vec![]]);
}

#[test]
fn who_types_is_not_rung_until_they_take_the_call() {
    let mut line = Line::queued();
    let told = line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: false });
    assert!(!told.iter().any(|o| matches!(o, Output::Dial { .. })));
    assert!(line.does(OperatorCommand::Take).iter().any(|o| matches!(o, Output::Dial { .. })));
    assert!(line.does(OperatorCommand::Take).iter().all(|o| !matches!(o, Output::Dial { .. })), "once");
}

#[test]
fn an_offer_that_is_missed_returns_the_caller_to_the_queue() {
    let mut line = Line::queued();
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    let told = line.after(20);
    assert!(told.contains(&Output::HangUp { leg: OPERATOR }));
    assert!(told.contains(&Output::OfferFailed { user: kim(), why: OfferEnd::Missed }));
    assert_eq!(line.call.stage(), Stage::Queued);
    line.leg(OPERATOR, LegInput::Answered);
    assert_eq!(line.call.stage(), Stage::Queued, "an answer that comes too late changes nothing");
}

#[test]
fn comfort_messages_are_said_in_turn_and_then_from_the_first_again() {
    let mut line = Line::queued();
    let mut said = vec![];
    for _ in 0..3 {
        line.tell(Input::Comfort);
        let (leg, play, speech) = line.last_play.clone().expect("a message plays");
        said.push(speech);
        line.tell(Input::PlayDone { leg, play });
    }
    let spoken = |text: &str| Speech::Spoken { text: text.to_owned() };
    assert_eq!(said, ["comfort", "more comfort", "comfort"].map(spoken));
}

#[test]
fn a_comfort_message_plays_over_the_music_and_stops_for_the_operator() {
    let mut line = Line::queued();
    line.tell(Input::Comfort);
    let (leg, play, _) = line.last_play.clone().expect("comfort plays");
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    line.leg(OPERATOR, LegInput::Answered);
    let told = line.leg(OPERATOR, LegInput::MediaUp);
    assert!(told.contains(&Output::StopPlay { leg, play }));
}

/// Who hears whom in every phase of a warm patch: caller, operator, contact.
#[test]
fn the_table_of_a_warm_patch() {
    let (caller, operator, contact) = (Source::Leg(CALLER), Source::Leg(OPERATOR), Source::Leg(CONTACT));
    let (music, ringback) = (Source::Music, Source::Ringback);
    let both = |a: Source, b: Source| {
        let mut sources = vec![a, b];
        sources.sort();
        sources
    };

    let mut line = Line::talking();
    assert_eq!(line.table(), [vec![operator], vec![caller], vec![]], "talking");
    line.does(OperatorCommand::Hold);
    assert_eq!(line.table(), [vec![music], vec![], vec![]], "held");
    line.does(OperatorCommand::Retrieve);
    assert_eq!(line.table(), [vec![operator], vec![caller], vec![]], "retrieved");

    let mut line = Line::dialling();
    assert_eq!(line.table(), [vec![music], vec![], vec![]], "dialling");
    line.leg(CONTACT, LegInput::Ringing);
    assert_eq!(line.table(), [vec![music], vec![ringback], vec![]], "ringing");
    line.leg(CONTACT, LegInput::Early);
    assert_eq!(line.table(), [vec![music], vec![contact], vec![]], "the carrier's own ringing");
    line.leg(CONTACT, LegInput::Answered);
    assert_eq!(line.table(), [vec![music], vec![contact], vec![operator]], "private");
    line.does(OperatorCommand::Join);
    assert_eq!(line.table(), [both(operator, contact), both(caller, contact), both(caller, operator)], "joined");
    line.does(OperatorCommand::Drop);
    assert_eq!(line.table(), [vec![contact], vec![], vec![caller]], "dropped");
    assert_eq!((line.hung_up(OPERATOR), line.call.stage()), (1, Stage::Patched));

    for (why, name) in [(Cause::Busy, "busy"), (Cause::Declined, "declined"), (Cause::Unreachable, "unreachable")] {
        let mut line = Line::dialling();
        line.leg(CONTACT, LegInput::Ended(why));
        assert_eq!(line.table(), [vec![operator], vec![caller], vec![]], "{name}");
        assert_eq!(line.call.patch_end().map(|p| p.why), Some(why));
    }
    let mut line = Line::dialling();
    line.after(30);
    assert_eq!(line.table(), [vec![operator], vec![caller], vec![]], "no answer");
    assert_eq!((line.call.patch_end().map(|p| p.why), line.hung_up(CONTACT)), (Some(Cause::NoAnswer), 1));

    let mut line = Line::private();
    line.does(OperatorCommand::Cancel);
    assert_eq!(line.table(), [vec![operator], vec![caller], vec![]], "cancelled");
    let mut line = Line::private();
    line.leg(CONTACT, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.table(), [vec![operator], vec![caller], vec![]], "contact left before the join");
    let mut line = Line::joined();
    line.leg(CONTACT, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.table(), [vec![operator], vec![caller], vec![]], "contact left after the join");
    let mut line = Line::joined();
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.table(), [vec![], vec![contact], vec![operator]], "caller left after the join");
}

#[test]
fn a_patched_call_ends_with_whoever_hangs_up_and_the_operator_wraps_up_meanwhile() {
    for (who, other) in [(CALLER, CONTACT), (CONTACT, CALLER)] {
        let mut line = Line::dropped();
        assert!(line.all.contains(&Output::SeatFreed { user: kim() }));
        assert_eq!(line.refuses(OperatorCommand::Join), CommandError::NotNow);
        line.does(OperatorCommand::WrapUpDone { disposition: Some("patched".into()) });
        assert!(!line.call.is_done(), "the two talk on");
        line.leg(who, LegInput::Ended(Cause::HungUp));
        assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Patched)]);
        assert_eq!((line.hung_up(other), line.call.is_done()), (1, true));
    }
}

#[test]
fn a_hang_up_beats_a_join_and_the_contact_stays_with_the_operator() {
    let mut line = Line::private();
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(line.recorded(&RecordEvent::CallerGone { stage: Stage::Patching, why: Cause::HungUp }));
    assert_eq!(line.refuses(OperatorCommand::Join), CommandError::CallerGone);
    assert_eq!(line.last_play.clone().map(|p| (p.0, p.2)), Some((CONTACT, patch::caller_gone_words())));
    assert_eq!(line.table(), [vec![], vec![Source::Leg(CONTACT)], vec![Source::Leg(OPERATOR)]]);
    assert_eq!(line.ended(), []);
    line.does(OperatorCommand::HangUp);
    assert_eq!((line.ended().len(), line.hung_up(CONTACT), line.hung_up(OPERATOR)), (1, 1, 1));
}

#[test]
fn a_caller_gone_is_recorded_with_the_stage() {
    let offered = || {
        let mut line = Line::queued();
        line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
        line
    };
    let held = || {
        let mut line = Line::talking();
        line.does(OperatorCommand::Hold);
        line
    };
    let greeting = || {
        let mut line = Line::arrives();
        line.leg(CALLER, LegInput::Established);
        line
    };
    for (mut line, stage, outcome) in [
        (Line::arrives(), Stage::Arriving, CallOutcome::Abandoned(Stage::Arriving)),
        (greeting(), Stage::Greeting, CallOutcome::Abandoned(Stage::Greeting)),
        (Line::queued(), Stage::Queued, CallOutcome::Abandoned(Stage::Queued)),
        (offered(), Stage::Offered, CallOutcome::Abandoned(Stage::Offered)),
        (Line::talking(), Stage::Talking, CallOutcome::Handled),
        (held(), Stage::Held, CallOutcome::Handled),
        (Line::dropped(), Stage::Patched, CallOutcome::Patched),
    ] {
        line.leg(CALLER, LegInput::Ended(Cause::HungUp));
        assert!(line.recorded(&RecordEvent::CallerGone { stage, why: Cause::HungUp }), "{stage:?}");
        assert_eq!(line.ended(), [(Cause::HungUp, outcome)]);
        assert_eq!(line.hung_up(CALLER), 1);
        if matches!(stage, Stage::Queued | Stage::Offered) {
            assert!(line.all.contains(&Output::Dequeue), "{stage:?}");
        }
    }
}

#[test]
fn an_operator_lost_while_talking_or_announcing_gives_the_caller_back_with_music() {
    for mut line in [Line::talking(), Line::dialling(), Line::private()] {
        let contact_answered = line.call.patch().is_some_and(|p| p.state == PatchState::Private);
        let told = line.tell(Input::SeatLost { user: kim() });
        assert!(told.contains(&Output::Requeue));
        assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Queued, vec![Source::Music]));
        assert_eq!(line.hung_up(OPERATOR), 1);
        if contact_answered {
            assert_eq!(line.last_play.clone().map(|p| (p.0, p.2)), Some((CONTACT, patch::goodbye_words())));
            assert_eq!((line.hung_up(CONTACT), line.hears(CONTACT)), (0, vec![]));
            line.hears_to_end();
            assert_eq!(line.hung_up(CONTACT), 1);
        }
        // Somebody else takes over.
        line.tell(Input::Offer { user: UserId::named("lee"), leg: LegId(9), ring: true });
        line.leg(LegId(9), LegInput::MediaUp);
        line.leg(LegId(9), LegInput::Answered);
        assert_eq!(line.call.stage(), Stage::Talking);
    }
}

#[test]
fn an_operator_lost_after_the_join_leaves_two_talking() {
    let mut line = Line::joined();
    line.tell(Input::SeatLost { user: kim() });
    assert_eq!(line.table(), [vec![Source::Leg(CONTACT)], vec![], vec![Source::Leg(CALLER)]]);
    assert_eq!(line.call.stage(), Stage::Patched);
}

#[test]
fn a_telephone_that_falls_silent_is_on_the_record_once_and_the_call_goes_on() {
    let mut line = Line::joined();
    for (leg, silent, heard) in [
        (CALLER, RecordEvent::CallerSilent, RecordEvent::CallerHeard),
        (CONTACT, RecordEvent::ContactSilent, RecordEvent::ContactHeard),
    ] {
        for event in [LegInput::Silent, LegInput::Silent, LegInput::Heard] {
            line.leg(leg, event);
        }
        for wanted in [silent, heard] {
            let times = line.all.iter().filter(|o| matches!(o, Output::Record { event, .. } if *event == wanted));
            assert_eq!(times.count(), 1, "{wanted:?}");
        }
    }
    assert_eq!(line.call.stage(), Stage::Conference);
}

#[test]
fn an_operator_whose_phone_connection_broke_talks_on_until_silent() {
    let mut line = Line::talking();
    line.leg(OPERATOR, LegInput::Ended(Cause::Lost));
    assert_eq!(line.call.stage(), Stage::Talking);
    line.leg(OPERATOR, LegInput::Silent);
    assert_eq!(line.call.stage(), Stage::Queued);
    assert!(line.all.contains(&Output::OperatorLost { user: kim() }));
}

#[test]
fn a_phone_that_hung_up_ends_the_call_if_the_console_is_alive_and_gives_the_caller_back_if_not() {
    let mut line = Line::talking();
    line.leg(OPERATOR, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.hears(CALLER), [Source::Music]);
    line.tell(Input::SeatHungUp { user: kim() });
    assert_eq!((line.ended(), line.hung_up(CALLER)), (vec![(Cause::Released, CallOutcome::Handled)], 1));

    let mut line = Line::talking();
    line.leg(OPERATOR, LegInput::Ended(Cause::HungUp));
    line.tell(Input::SeatLost { user: kim() });
    assert_eq!((line.ended(), line.call.stage()), (vec![], Stage::Queued));
}

#[test]
fn nobody_within_the_maximum_wait_is_an_apology_and_an_alarm() {
    let mut line = Line::queued();
    let told = line.tell(Input::Overdue);
    assert!(told.contains(&Output::Alarm(CallAlarm::NoOperator)) && told.contains(&Output::Dequeue));
    assert_eq!(line.last_play.clone().map(|p| p.2), Some(setup().apology));
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    assert_eq!(line.call.stage(), Stage::Apology, "too late");
    line.hears_to_end();
    assert_eq!(line.ended(), [(Cause::NoAnswer, CallOutcome::NoOperator)]);
    assert!(line.call.is_done());
}

#[test]
fn an_operator_a_moment_away_beats_the_apology() {
    let mut line = Line::queued();
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    line.leg(OPERATOR, LegInput::Answered);
    line.tell(Input::Overdue);
    line.leg(OPERATOR, LegInput::MediaUp);
    assert_eq!(line.call.stage(), Stage::Talking);
}

#[test]
fn a_call_waits_for_the_wrap_up_and_only_its_operator_commands_it() {
    let mut line = Line::talking();
    let stranger = UserId::named("lee");
    let now = line.clock.instant();
    assert_eq!(line.call.command(now, &stranger, OperatorCommand::HangUp), Err(CommandError::NotYours));
    assert_eq!(line.refuses(OperatorCommand::Join), CommandError::NotNow);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!((line.call.stage(), line.call.is_done()), (Stage::WrapUp, false));
    assert_eq!(line.refuses(OperatorCommand::Hold), CommandError::NotNow);
    line.does(OperatorCommand::WrapUpDone { disposition: None });
    assert_eq!((line.call.stage(), line.call.is_done()), (Stage::Ended, true));
}

#[test]
fn only_the_latest_snapshot_counts_when_acknowledged() {
    let mut line = Line::talking();
    let rev = line.all.iter().rev().find_map(|o| match o {
        Output::SetBridge { rev, .. } => Some(*rev),
        _ => None,
    });
    let rev = rev.expect("a bridge was set");
    assert_eq!(line.tell(Input::Bridged { rev: rev - 1 }), []);
    assert_eq!(line.tell(Input::Bridged { rev }).len(), 1);
}

#[test]
fn every_event_has_its_time_to_the_millisecond() {
    let mut line = Line::queued();
    let start = line.clock.instant();
    line.clock.advance(Duration::from_millis(4_321));
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    let at = line.all.iter().find_map(|o| match o {
        Output::Record { at, event: RecordEvent::Offered { .. } } => Some(*at - start),
        _ => None,
    });
    assert_eq!(at, Some(Duration::from_millis(4_321)));
}
