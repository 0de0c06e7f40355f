//! Supervisors in a call: who hears whom in every phase and mode, and who must not.

use super::super::listener::ListenMode;
use super::*;

const SAM: LegId = LegId(8);
const ADA: LegId = LegId(9);

fn sam() -> UserId {
    UserId::named("sam")
}

fn ada() -> UserId {
    UserId::named("ada")
}

impl Line {
    fn listens(&mut self, who: &UserId, leg: LegId, mode: ListenMode) {
        assert_eq!(self.call.listen(self.clock.instant(), who, leg, mode), Ok(()));
        let told = self.take_outputs();
        assert!(told.contains(&Output::Dial { leg, to: Party::Listener(who.clone()) }), "{told:?}");
        self.leg(leg, LegInput::Answered);
        self.leg(leg, LegInput::MediaUp);
        assert!(self.recorded(&RecordEvent::ListenBegan { user: who.clone(), mode }));
    }

    fn with_sam(mut self, mode: ListenMode) -> Self {
        self.listens(&sam(), SAM, mode);
        self
    }

    fn switches(&mut self, mode: ListenMode) {
        assert_eq!(self.call.listen(self.clock.instant(), &sam(), LegId(99), mode), Ok(()));
        let told = self.take_outputs();
        assert!(!told.iter().any(|o| matches!(o, Output::Dial { .. } | Output::HangUp { .. })), "{told:?}");
    }

    fn leaves(&mut self) -> Vec<Output> {
        self.call.leave(self.clock.instant(), &sam());
        self.take_outputs()
    }

    /// Caller, operator, contact, supervisor: what each hears.
    fn four(&self) -> [Vec<Source>; 4] {
        [self.hears(CALLER), self.hears(OPERATOR), self.hears(CONTACT), self.hears(SAM)]
    }

    fn off_record(&self) -> Vec<LegId> {
        self.call.matrix().off_record.clone()
    }
}

/// What caller, operator and contact hear of each other without anybody listening, and then with.
#[test]
fn the_table_of_listening() {
    use ListenMode::{Barge, Monitor, Whisper};
    let (caller, operator, contact, s) =
        (Source::Leg(CALLER), Source::Leg(OPERATOR), Source::Leg(CONTACT), Source::Leg(SAM));
    let music = Source::Music;
    let none = Vec::new;

    let table = |line: fn() -> Line, mode| line().with_sam(mode).four();
    let talking = |mode| table(Line::talking, mode);
    assert_eq!(talking(Monitor), [vec![operator], vec![caller], none(), vec![caller, operator]]);
    assert_eq!(talking(Whisper), [vec![operator], vec![caller, s], none(), vec![caller, operator]]);
    assert_eq!(talking(Barge), [vec![operator, s], vec![caller, s], none(), vec![caller, operator]]);

    let held = |mode| {
        let mut line = Line::talking().with_sam(mode);
        line.does(OperatorCommand::Hold);
        line.four()
    };
    assert_eq!(held(Monitor), [vec![music], none(), none(), vec![music]], "an operator's asides are hers");
    assert_eq!(held(Whisper), [vec![music], vec![s], none(), vec![operator]]);
    assert_eq!(held(Barge), [vec![music], vec![s], none(), vec![operator]], "hold is hold");

    let private = |mode| table(Line::private, mode);
    assert_eq!(private(Monitor), [vec![music], vec![contact], vec![operator], vec![operator, contact]]);
    assert_eq!(private(Whisper), [vec![music], vec![contact, s], vec![operator], vec![operator, contact]]);
    assert_eq!(private(Barge), [vec![music], vec![contact, s], vec![operator, s], vec![operator, contact]]);

    let joined = |mode| table(Line::joined, mode);
    let all = vec![caller, operator, contact];
    let base = [vec![operator, contact], vec![caller, contact], vec![caller, operator]];
    let plus = |who: usize| {
        let mut sources = base[who].clone();
        sources.push(s);
        sources
    };
    assert_eq!(joined(Monitor), [base[0].clone(), base[1].clone(), base[2].clone(), all.clone()]);
    assert_eq!(joined(Whisper), [base[0].clone(), plus(1), base[2].clone(), all.clone()]);
    assert_eq!(joined(Barge), [plus(0), plus(1), plus(2), all]);

    let dropped = |mode| table(Line::dropped, mode);
    let two = vec![caller, contact];
    assert_eq!(dropped(Monitor), [vec![contact], none(), vec![caller], two.clone()]);
    assert_eq!(dropped(Whisper), [vec![contact], none(), vec![caller], two.clone()], "there is nobody to whisper to");
    assert_eq!(dropped(Barge), [vec![contact, s], none(), vec![caller, s], two]);
}

#[test]
fn who_listens_hears_the_ringing_that_the_operator_hears() {
    let mut line = Line::dialling().with_sam(ListenMode::Monitor);
    line.leg(CONTACT, LegInput::Ringing);
    assert_eq!(line.hears(SAM), [Source::Ringback]);
}

#[test]
fn one_key_leads_from_mode_to_mode_and_nobody_is_rung_again() {
    let mut line = Line::talking().with_sam(ListenMode::Monitor);
    for mode in [ListenMode::Whisper, ListenMode::Barge, ListenMode::Monitor] {
        line.switches(mode);
        assert!(line.recorded(&RecordEvent::ListenMode { user: sam(), mode }));
        assert_eq!(line.hears(CALLER).contains(&Source::Leg(SAM)), mode == ListenMode::Barge);
        assert_eq!(line.hears(OPERATOR).contains(&Source::Leg(SAM)), mode != ListenMode::Monitor);
    }
}

#[test]
fn a_supervisor_who_leaves_disturbs_nobody_and_is_told_gone_once() {
    let mut line = Line::talking();
    let before = line.table();
    line.listens(&sam(), SAM, ListenMode::Barge);
    let told = line.leaves();
    let bridged = told.iter().position(|o| matches!(o, Output::SetBridge { .. }));
    let let_go = told.iter().position(|o| *o == Output::HangUp { leg: SAM });
    assert!(bridged.is_some() && bridged < let_go, "the two are among themselves first: {told:?}");
    assert!(told.contains(&Output::ListenerGone { user: sam() }));
    assert!(line.recorded(&RecordEvent::ListenEnded { user: sam() }));
    assert_eq!((line.table(), line.call.stage()), (before, Stage::Talking));
    assert_eq!(line.leaves(), [], "who has gone has gone");
}

#[test]
fn what_is_whispered_is_not_recorded_and_what_is_said_to_all_is() {
    let mut line = Line::talking().with_sam(ListenMode::Whisper);
    assert_eq!(line.off_record(), [SAM]);
    line.switches(ListenMode::Barge);
    assert_eq!(line.off_record(), []);
    line.does(OperatorCommand::Hold);
    assert_eq!(line.off_record(), [OPERATOR, SAM], "they speak while the caller hears music");
    line.switches(ListenMode::Monitor);
    assert_eq!(line.off_record(), []);
}

#[test]
fn a_phone_that_does_not_come_up_is_given_up_and_the_call_never_knew() {
    let mut line = Line::talking();
    let matrix = line.call.matrix().clone();
    let now = line.clock.instant();
    assert_eq!(line.call.listen(now, &sam(), SAM, ListenMode::Monitor), Ok(()));
    assert_eq!(line.call.poll_timeout().map(|(_, reason)| reason), Some(Reason::Listener));
    let told = line.after(20);
    assert!(told.contains(&Output::ListenerGone { user: sam() }), "{told:?}");
    assert!(!line.recorded(&RecordEvent::ListenEnded { user: sam() }), "they never heard anything");
    assert_eq!((line.call.matrix(), line.hung_up(SAM)), (&matrix, 1));
}

#[test]
fn a_browser_that_dies_frees_the_listener_and_one_that_comes_back_stays() {
    let mut line = Line::talking().with_sam(ListenMode::Barge);
    line.leg(SAM, LegInput::Silent);
    line.after(9);
    line.leg(SAM, LegInput::Heard);
    line.after(60);
    assert_eq!(line.call.listeners().len(), 1);
    line.leg(SAM, LegInput::Silent);
    let told = line.after(10);
    assert!(told.contains(&Output::ListenerGone { user: sam() }));
    assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Talking, vec![Source::Leg(OPERATOR)]));
}

#[test]
fn a_hang_up_of_caller_or_operator_frees_who_listens() {
    let mut line = Line::talking().with_sam(ListenMode::Monitor);
    let told = line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(told.contains(&Output::ListenerGone { user: sam() }) && told.contains(&Output::HangUp { leg: SAM }));
    let mut line = Line::talking().with_sam(ListenMode::Barge);
    line.does(OperatorCommand::HangUp);
    assert_eq!((line.call.listeners().len(), line.hung_up(SAM), line.ended().len()), (0, 1, 1));
    assert!(line.call.matrix().rows.is_empty());
}

#[test]
fn a_caller_whose_operator_is_lost_goes_on_with_the_supervisor_who_has_barged_in() {
    let mut line = Line::talking().with_sam(ListenMode::Barge);
    line.tell(Input::SeatLost { user: kim() });
    assert_eq!(line.call.stage(), Stage::Queued);
    assert_eq!((line.hears(CALLER), line.hears(SAM)), (vec![Source::Leg(SAM)], vec![Source::Leg(CALLER)]));
    assert_eq!(line.off_record(), []);
    line.switches(ListenMode::Monitor);
    assert_eq!((line.hears(CALLER), line.hears(SAM)), (vec![Source::Music], vec![Source::Music]));
    line.tell(Input::Overdue);
    assert_eq!(line.call.listeners().len(), 0, "nobody comes any more");
}

/// The contact hangs up on a patch without an operator, and on who listens.
fn contact_hangs_up(mode: ListenMode) -> Line {
    let mut line = Line::dropped().with_sam(mode);
    line.leg(CONTACT, LegInput::Ended(Cause::HungUp));
    line
}

#[test]
fn a_caller_whose_contact_hangs_up_stays_with_the_supervisor_who_has_barged_in() {
    let mut line = contact_hangs_up(ListenMode::Barge);
    assert_eq!((line.hung_up(CONTACT), line.hung_up(CALLER), line.hung_up(SAM)), (1, 0, 0));
    assert_eq!((line.hears(CALLER), line.hears(SAM)), (vec![Source::Leg(SAM)], vec![Source::Leg(CALLER)]));
    assert_eq!((line.off_record(), line.ended()), (vec![], vec![]));
    // One who listens as well changes nothing, nor does time.
    line.listens(&ada(), ADA, ListenMode::Monitor);
    line.after(3_600);
    assert_eq!(line.hears(CALLER), [Source::Leg(SAM)]);
    let told = line.leaves();
    assert!(told.contains(&Output::HangUp { leg: CALLER }) && told.contains(&Output::ListenerGone { user: ada() }));
    assert_eq!((line.ended(), line.hung_up(SAM)), (vec![(Cause::Released, CallOutcome::Patched)], 1));

    let mut line = contact_hangs_up(ListenMode::Barge);
    let told = line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(told.contains(&Output::ListenerGone { user: sam() }), "{told:?}");
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Patched)]);
}

#[test]
fn a_call_whose_contact_hangs_up_ends_for_who_is_not_heard_by_the_caller() {
    for mode in [ListenMode::Monitor, ListenMode::Whisper] {
        let line = contact_hangs_up(mode);
        assert_eq!((line.hung_up(CALLER), line.hung_up(SAM)), (1, 1));
        assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Patched)]);
    }
}

#[test]
fn a_caller_in_whose_company_nobody_is_heard_any_more_goes_to_the_head_of_the_queue() {
    // Her browser is gone, or she only listens from now on.
    let mut lost = contact_hangs_up(ListenMode::Barge);
    lost.leg(SAM, LegInput::Ended(Cause::Lost));
    let mut silent = contact_hangs_up(ListenMode::Barge);
    silent.leg(SAM, LegInput::Silent);
    silent.after(10);
    let mut listens = contact_hangs_up(ListenMode::Barge);
    listens.switches(ListenMode::Monitor);
    assert_eq!(listens.call.listeners().len(), 1, "she hears on");
    for line in [lost, silent, listens] {
        assert!(line.all.contains(&Output::Requeue));
        assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Queued, vec![Source::Music]));
        assert_eq!(line.hung_up(CALLER), 0);
    }
}

#[test]
fn supervisors_hear_each_other_only_where_all_do() {
    let mut line = Line::talking().with_sam(ListenMode::Barge);
    line.listens(&ada(), ADA, ListenMode::Monitor);
    assert_eq!(line.hears(ADA), [Source::Leg(CALLER), Source::Leg(OPERATOR), Source::Leg(SAM)]);
    assert_eq!(line.hears(SAM), [Source::Leg(CALLER), Source::Leg(OPERATOR)]);
    line.switches(ListenMode::Whisper);
    assert_eq!(line.hears(ADA), [Source::Leg(CALLER), Source::Leg(OPERATOR)], "a whisper is for the operator");
}

#[test]
fn a_call_that_is_moved_waits_at_the_head_and_its_operator_is_free_without_a_form() {
    for to in [None, Some(UserId::named("lee"))] {
        let mut line = Line::talking().with_sam(ListenMode::Monitor);
        assert_eq!(line.call.move_on(line.clock.instant(), &sam(), to.clone()), Ok(()));
        let told = line.take_outputs();
        let back = to.clone().map_or(Output::Requeue, |user| Output::Hand { user });
        let place = |wanted: &Output| told.iter().position(|o| o == wanted);
        assert!(place(&back).is_some() && place(&back) < place(&Output::WrappedUp { user: kim() }), "{told:?}");
        assert!(place(&Output::HangUp { leg: OPERATOR }).is_some());
        assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Queued, vec![Source::Music]));
        assert!(line.recorded(&RecordEvent::Moved { by: sam(), from: kim(), to }));
        line.tell(Input::Offer { user: UserId::named("lee"), leg: LegId(5), ring: true });
        line.leg(LegId(5), LegInput::Answered);
        line.leg(LegId(5), LegInput::MediaUp);
        assert_eq!(line.hears(SAM), [Source::Leg(CALLER), Source::Leg(LegId(5))], "who listened listens on");
    }
}

#[test]
fn a_call_is_not_moved_to_who_has_it_nor_out_of_a_patch() {
    let mut line = Line::talking();
    let now = line.clock.instant();
    assert_eq!(line.call.move_on(now, &sam(), Some(kim())), Err(CommandError::NotNow));
    assert_eq!(line.call.stage(), Stage::Talking);
    assert_eq!(Line::private().call.move_on(now, &sam(), None), Err(CommandError::NotNow));
    assert_eq!(Line::queued().call.move_on(now, &sam(), None), Err(CommandError::NotNow));
}

#[test]
fn nobody_listens_where_nobody_talks_or_to_themselves() {
    let listen = |line: &mut Line, who: &UserId| {
        let now = line.clock.instant();
        line.call.listen(now, who, SAM, ListenMode::Monitor)
    };
    assert_eq!(listen(&mut Line::queued(), &sam()), Err(CommandError::NotNow));
    assert_eq!(listen(&mut Line::talking(), &kim()), Err(CommandError::OwnCall));
    let mut over = Line::talking();
    over.does(OperatorCommand::HangUp);
    assert_eq!(listen(&mut over, &sam()), Err(CommandError::NotNow));
    let mut full = Line::talking();
    for n in 0..4 {
        full.listens(&UserId::named(&format!("s{n}")), LegId(20 + n), ListenMode::Monitor);
    }
    assert_eq!(listen(&mut full, &sam()), Err(CommandError::NotNow));
}

#[test]
fn a_listener_is_not_thrown_out_when_the_operator_asks_a_colleague() {
    let mut line = Line::talking().with_sam(ListenMode::Monitor);
    line.does(OperatorCommand::Ask { user: ada() });
    assert_eq!(line.call.stage(), Stage::Consulting);
    assert_eq!(line.hung_up(SAM), 0, "who listens stays through it");
    assert_eq!(line.call.listeners().len(), 1);
    // And one may come while she asks.
    let mut line = Line::talking();
    line.does(OperatorCommand::Ask { user: ada() });
    line.listens(&sam(), SAM, ListenMode::Monitor);
    assert!(!line.hears(CALLER).contains(&Source::Leg(SAM)), "the caller on music hears nobody");
}

#[test]
fn what_is_said_to_a_colleague_is_heard_by_who_listens_and_the_caller_hears_none_of_it() {
    let mut line = Line::talking();
    line.does(OperatorCommand::Ask { user: ada() });
    line.tell(Input::Fetch { user: ada(), leg: ADA, ring: true });
    line.leg(ADA, LegInput::Answered);
    line.leg(ADA, LegInput::MediaUp);
    for mode in [ListenMode::Monitor, ListenMode::Whisper, ListenMode::Barge] {
        if line.call.listeners().is_empty() {
            line.listens(&sam(), SAM, mode);
        } else {
            line.switches(mode);
            line.take_outputs();
        }
        let heard = line.hears(SAM);
        assert!(heard.contains(&Source::Leg(OPERATOR)) && heard.contains(&Source::Leg(ADA)), "{mode:?}: {heard:?}");
        assert_eq!(line.hears(CALLER), [Source::Music], "{mode:?}");
        let operator = line.hears(OPERATOR).contains(&Source::Leg(SAM));
        assert_eq!(operator, mode != ListenMode::Monitor, "{mode:?}");
        assert_eq!(line.hears(ADA).contains(&Source::Leg(SAM)), mode == ListenMode::Barge, "{mode:?}");
    }
}
